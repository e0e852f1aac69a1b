//! Zebras: crossings without signals, where a driver gives way to whoever walks on them or waits beside them.
//!
//! In: the map of the vehicle's navigation, its way, and where somebody on foot is said to be. Out: how far ahead the zebra
//! begins at which the driver must be able to stop. Pure.

use super::conflict::{Other, Own};
use crate::geometry::Polyline;
use crate::roads::{EdgeKind, Roads};

/// Somebody on the pavement within this of a zebra's end waits there, metres; beside its stripes half a metre counts.
const WAITS_M: f64 = 2.2;
const BESIDE_M: f64 = 0.5;
/// Who is farther from the own way along the zebra is not waited for yet, metres.
const FAR_M: f64 = 8.0;
/// Who goes away faster than this, metres a second, and is this far from the middle of the own way, metres, has passed.
const LEAVES_MPS: f64 = 0.5;
const PASSED_M: f64 = 2.5;
/// Zebras are looked for this far ahead, metres.
const AHEAD_M: f64 = 60.0;
/// A zebra crosses a way that comes this near to its line, metres; it is looked for in steps of half as much.
const CROSSES_M: f64 = 1.0;

/// A zebra.
#[derive(Clone, Debug, PartialEq)]
pub struct Zebra {
    line: Polyline,
    half_width_m: f64,
}

/// The zebras of a map.
pub fn zebras(roads: &Roads) -> Vec<Zebra> {
    let crossings = roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Crossing);
    let lanes = crossings.filter_map(|edge| edge.lanes.first().copied());
    let zebras = lanes.filter(|lane| matches!(roads.crossing_rule(*lane), (None, true)));
    let zebras = zebras
        .map(|lane| Zebra { line: roads.lane(lane).centre.clone(), half_width_m: roads.lane(lane).width_m / 2.0 });
    zebras.collect()
}

impl Zebra {
    /// Metres from the own front to the zebra if `other` is to be given way there.
    pub(super) fn gap_m(&self, own: &Own<'_>, other: &Other) -> Option<f64> {
        let there = self.line.project(other.position)?;
        let nearest = self.line.at(there.s_m)?;
        let (sin, cos) = nearest.yaw_rad.sin_cos();
        let away = other.position - nearest.point.xy();
        let (beyond_m, beside_m) = ((away.x * cos + away.y * sin).abs(), (away.y * cos - away.x * sin).abs());
        if beyond_m > WAITS_M || beside_m > self.half_width_m + BESIDE_M {
            return None;
        }
        let steps = (self.line.length_m() / (CROSSES_M / 2.0)) as u32;
        let meets = (0..=steps).filter_map(|step| {
            let along_m = f64::from(step) * CROSSES_M / 2.0;
            let at = own.way.line.project(self.line.at(along_m)?.point.xy())?;
            (at.offset_m.abs() < CROSSES_M).then_some((at.offset_m.abs(), along_m, at.s_m))
        });
        let (_, along_m, s_m) = meets.min_by(|a, b| a.0.total_cmp(&b.0))?;
        let gap_m = s_m - self.half_width_m - own.s_m - own.size_m[0] / 2.0;
        let away_m = there.s_m - along_m;
        let leaves_mps = (other.velocity.x * cos + other.velocity.y * sin) * away_m.signum();
        let has_passed = leaves_mps > LEAVES_MPS && away_m.abs() > PASSED_M;
        // At the zebra already, what matters is whether the ways meet.
        ((0.0..AHEAD_M).contains(&gap_m) && away_m.abs() <= FAR_M && !has_passed).then_some(gap_m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::route::Way;
    use nalgebra::{Point2, Vector2};

    #[test]
    fn a_driver_gives_way_to_who_waits_or_comes_but_not_to_who_has_passed() {
        let roads = Roads::shipped("roundabout").unwrap();
        let zebras = zebras(&roads);
        assert_eq!(zebras.len(), 4);
        // Out of the roundabout to the east, over the zebra at 43 m.
        let way = Way::on_lanes(&roads, &[[-30.0, -1.6], [120.0, -1.6]]).unwrap();
        let s_m = way.line.project(Point2::new(25.0, -1.6)).unwrap().s_m;
        let own = Own { way: &way, s_m, offset_m: 0.0, size_m: [4.5, 1.8] };
        let gap_m = |position: [f64; 2], velocity: [f64; 2]| {
            let (position, velocity) = (Point2::from(position), Vector2::from(velocity));
            let other = Other { position, velocity, half_length_m: 0.5, half_width_m: 0.5, yaw_rad: 0.0 };
            zebras.iter().find_map(|zebra| zebra.gap_m(&own, &other))
        };
        let waits = gap_m([43.0, -5.0], [0.0, 0.0]).expect("waits at the kerb");
        assert!((8.0..18.0).contains(&waits), "{waits}");
        assert_eq!(gap_m([43.0, 1.0], [0.0, -1.4]), Some(waits), "comes from the other side");
        assert_eq!(gap_m([43.0, 1.8], [0.0, 1.4]), None, "has passed");
        assert_eq!(gap_m([47.0, -5.0], [0.0, 0.0]), None, "stands elsewhere");
        assert_eq!(gap_m([43.0, -7.0], [0.0, 0.0]), None, "behind the pavement");
        let behind = Own { s_m: s_m + 20.0, ..own };
        let other = Other {
            position: Point2::new(43.0, -5.0),
            velocity: Vector2::zeros(),
            half_length_m: 0.5,
            half_width_m: 0.5,
            yaw_rad: 0.0,
        };
        assert!(zebras.iter().all(|zebra| zebra.gap_m(&behind, &other).is_none()), "the zebra is behind");
    }
}
