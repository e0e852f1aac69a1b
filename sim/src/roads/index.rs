//! Which lane a point is on: lanes by the cells of a grid.

use super::{EdgeKind, LaneId, Roads, Users};
use crate::actor::LanePosition;
use nalgebra::Point2;
use std::collections::BTreeMap;

/// Side of a cell, metres.
const CELL_M: f64 = 20.0;
/// Lines are cut into parts of at most this many cells, so that a broken network does not fill the memory.
const MOST_CELLS: usize = 2_000_000;

/// Lanes by place; made once for a network, which must not change then.
#[derive(Clone, Debug, Default)]
pub struct LaneIndex {
    cells: BTreeMap<(i64, i64), Vec<LaneId>>,
    /// Half the width of the widest lane, metres.
    reach_m: f64,
}

impl LaneIndex {
    /// An index of all lanes of a network.
    pub fn new(roads: &Roads) -> Self {
        let mut index = Self::default();
        let mut entered = 0;
        for (place, lane) in roads.lanes.iter().enumerate() {
            let id = LaneId(place as u32);
            index.reach_m = index.reach_m.max(lane.width_m / 2.0);
            for pair in lane.centre.points().windows(2) {
                let ((x0, y0), (x1, y1)) = (cell(pair[0].xy()), cell(pair[1].xy()));
                let count = (x0.abs_diff(x1) + 1).saturating_mul(y0.abs_diff(y1) + 1) as usize;
                entered += count.min(MOST_CELLS);
                if entered >= MOST_CELLS {
                    return index;
                }
                for x in x0.min(x1)..=x0.max(x1) {
                    for y in y0.min(y1)..=y0.max(y1) {
                        let lanes = index.cells.entry((x, y)).or_default();
                        if lanes.last() != Some(&id) {
                            lanes.push(id);
                        }
                    }
                }
            }
        }
        index
    }

    /// Lanes whose middle may be within `radius_m` of a point, by number; some are farther away.
    pub fn near(&self, p: Point2<f64>, radius_m: f64) -> Vec<LaneId> {
        let radius = nalgebra::Vector2::repeat(radius_m.clamp(0.0, 10_000.0));
        let ((x0, y0), (x1, y1)) = (cell(p - radius), cell(p + radius));
        let mut lanes: Vec<LaneId> = (x0..=x1)
            .flat_map(|x| self.cells.range((x, y0)..=(x, y1)))
            .flat_map(|(_, lanes)| lanes.iter().copied())
            .collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes
    }

    /// The lane on which a point lies, among those that some of `users` may use, and where on it: the lane to whose middle
    /// it is nearest, in lane widths; roads before the ways inside junctions; then the lower number. `None` off all lanes.
    pub fn lane_at(&self, roads: &Roads, p: Point2<f64>, users: Users) -> Option<LanePosition> {
        let positions = self.near(p, self.reach_m).into_iter().filter_map(|id| {
            let lane = roads.lane(id);
            let at = lane.centre.project(p).filter(|_| lane.users.intersects(users))?;
            // Beyond an end the nearest point is the end itself, and the offset says how far away it is.
            let share = at.offset_m.abs() / (lane.width_m / 2.0);
            let inside = roads.edge(lane.edge).kind != EdgeKind::Road;
            (share <= 1.0).then_some((inside, share, LanePosition { lane: id, s_m: at.s_m, offset_m: at.offset_m }))
        });
        let first = positions.min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.lane.cmp(&b.2.lane)));
        first.map(|(.., position)| position)
    }
}

fn cell(p: Point2<f64>) -> (i64, i64) {
    ((p.x / CELL_M).floor() as i64, (p.y / CELL_M).floor() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_on_their_lanes() {
        let roads = Roads::shipped("masa").unwrap();
        let index = LaneIndex::new(&roads);
        for (x, y, users, lane, s_m, offset_m) in [
            // Westbound, on the inner of two lanes of 3.25 m; eastbound, on the outer.
            (-100.0, 1.625, Users::CAR, "centre-west_3", 85.65, 0.0),
            (-100.0, -4.375, Users::CAR, "west-centre_2", 160.0, 0.5),
            (-100.0, -10.0, Users::PEDESTRIAN, "west-centre_0", 160.0, -0.2),
        ] {
            let at = index.lane_at(&roads, Point2::new(x, y), users).unwrap();
            assert_eq!(roads.lane(at.lane).name, lane);
            assert!((at.s_m - s_m).abs() < 0.01 && (at.offset_m - offset_m).abs() < 0.01, "{lane}: {at:?}");
        }
        assert_eq!(index.lane_at(&roads, Point2::new(-100.0, -10.0), Users::CAR), None);
        assert_eq!(index.lane_at(&roads, Point2::new(-100.0, 90.0), Users::ALL), None);
        // In the middle of the junction.
        let at = index.lane_at(&roads, Point2::new(0.0, 1.0), Users::CAR).unwrap();
        assert_eq!(roads.edge(roads.lane(at.lane).edge).kind, EdgeKind::Internal);
    }

    #[test]
    fn the_index_finds_what_a_search_finds() {
        for (name, _) in Roads::SHIPPED {
            let roads = Roads::shipped(name).unwrap();
            let index = LaneIndex::new(&roads);
            for lane in &roads.lanes {
                for s in 0..8 {
                    let p = lane.centre.at(lane.centre.length_m() * f64::from(s) / 7.0).unwrap().point.xy();
                    let p = p + nalgebra::Vector2::new(0.3, -0.4);
                    let near = index.near(p, 2.0);
                    let missed = (0..roads.lanes.len()).map(|place| LaneId(place as u32)).find(|id| {
                        let centre = &roads.lane(*id).centre;
                        !near.contains(id) && centre.project(p).is_some_and(|at| at.offset_m.abs() < 2.0)
                    });
                    assert_eq!(missed.map(|id| &roads.lane(id).name), None, "{name} at {p}");
                }
            }
        }
    }
}
