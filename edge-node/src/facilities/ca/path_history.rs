//! Where a vehicle came from: a path of few points that stays close to the driven one.
//!
//! Bounded error: a point is kept only when leaving it out would put some driven point further than `max_error_m` from the
//! chord between kept points (SAE J2945/1 A.5 describes the same design). Newest first, as messages carry it.

use heapless::{Deque, Vec};
use masa_v2x_proto::cdd::{DeltaReferencePosition, Path, PathPoint, Reading};
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::time::Timestamp;

/// Most points in a CAM (EN 302 637-2 annex B, `pathHistory`).
const MAX_POINTS: usize = 23;
/// Driven points between two kept ones that are looked at; of more, every second one is.
const MAX_PENDING: usize = 64;
/// A new driven point is looked at once it is this far from the last, metres.
const STEP_M: f64 = 1.0;
/// Longest chord, metres: an offset in longitude reaches 0.0131°, which is 500 m up to 70° north.
const MAX_CHORD_M: f64 = 500.0;
/// Longest time of a chord, milliseconds (`PathDeltaTime`).
const MAX_DELTA_MS: i64 = 655_350;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Driven {
    at: Timestamp,
    position: Enu,
}

/// The path so far.
#[derive(Clone, Debug)]
pub struct PathHistory {
    max_error_m: f64,
    max_length_m: f64,
    /// Kept points, newest first.
    kept: Deque<Driven, MAX_POINTS>,
    /// Driven points since the newest kept one, oldest first.
    pending: Vec<Driven, MAX_PENDING>,
}

impl PathHistory {
    /// An empty path that stays within `max_error_m` of the driven one and reaches back at most `max_length_m`.
    pub const fn new(max_error_m: f64, max_length_m: f64) -> Self {
        Self { max_error_m, max_length_m, kept: Deque::new(), pending: Vec::new() }
    }

    /// Takes the next driven point.
    pub fn drive(&mut self, at: Timestamp, position: Enu) {
        let point = Driven { at, position };
        let Some(newest) = self.pending.last().or(self.kept.front()) else { return self.keep(point) };
        if position.ground_distance_m(&newest.position) < STEP_M {
            return;
        }
        let newest = *newest;
        if !self.is_close(point) {
            self.keep(newest);
            self.pending.clear();
        }
        // So long a stretch is nearly straight: half of its points show as well whether a chord is close to it.
        if self.pending.is_full() {
            let mut index = 0;
            self.pending.retain(|_| {
                index += 1;
                index % 2 == 0
            });
        }
        // Just made room.
        let _ = self.pending.push(point);
    }

    /// Whether the chord from the newest kept point to `end` stays close to everything driven in between.
    fn is_close(&self, end: Driven) -> bool {
        let Some(start) = self.kept.front() else { return true };
        start.position.ground_distance_m(&end.position) <= MAX_CHORD_M
            && end.at.unix_ms() - start.at.unix_ms() <= MAX_DELTA_MS
            && self
                .pending
                .iter()
                .all(|p| distance_to_chord_m(p.position, start.position, end.position) <= self.max_error_m)
    }

    fn keep(&mut self, point: Driven) {
        if self.kept.is_full() {
            self.kept.pop_back();
        }
        // There is room now.
        let _ = self.kept.push_front(point);
    }

    /// The path as a message with this reference position carries it.
    pub fn path(&self, reference: Wgs84, at: Timestamp, frame: &SiteFrame) -> Path {
        let (mut from, mut from_at, mut from_enu) = (reference, at, frame.to_enu(reference));
        let mut length_m = 0.0;
        let mut path = Path::new();
        for point in &self.kept {
            let step_m = point.position.ground_distance_m(&from_enu);
            length_m += step_m;
            let delta_ms = from_at.unix_ms() - point.at.unix_ms();
            // A receiver of positions may jump; no path leads there.
            if length_m > self.max_length_m || step_m > MAX_CHORD_M || delta_ms > MAX_DELTA_MS {
                break;
            }
            // The point of the present position says nothing.
            if delta_ms < 10 {
                continue;
            }
            let to = frame.to_wgs84(point.position);
            let path_position = DeltaReferencePosition {
                delta_latitude_deg: Some((to.lat_deg - from.lat_deg) as f32),
                delta_longitude_deg: Some((to.lon_deg - from.lon_deg) as f32),
                delta_altitude_m: Reading::of((to.alt_m - from.alt_m).clamp(-127.0, 127.0) as f32),
            };
            let time = u32::try_from(delta_ms).ok();
            if path.push(PathPoint { path_position, path_delta_time_ms: time }).is_err() {
                break;
            }
            (from, from_at, from_enu) = (to, point.at, point.position);
        }
        path
    }
}

fn distance_to_chord_m(p: Enu, a: Enu, b: Enu) -> f64 {
    let (de, dn) = (b.e_m - a.e_m, b.n_m - a.n_m);
    let length2 = de * de + dn * dn;
    let along = if length2 > 0.0 { ((p.e_m - a.e_m) * de + (p.n_m - a.n_m) * dn) / length2 } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    (p.e_m - a.e_m - along * de).hypot(p.n_m - a.n_m - along * dn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::at;
    use proptest::prelude::*;

    const ORIGIN: Wgs84 = Wgs84 { lat_deg: 44.65554, lon_deg: 10.934315, alt_m: 30.0 };

    /// The points of a path in the site frame, the reference first.
    fn points(path: &Path, reference: Wgs84, frame: &SiteFrame) -> std::vec::Vec<Enu> {
        let mut here = reference;
        let mut points = vec![frame.to_enu(here)];
        for point in path.iter() {
            here.lat_deg += f64::from(point.path_position.delta_latitude_deg.unwrap());
            here.lon_deg += f64::from(point.path_position.delta_longitude_deg.unwrap());
            points.push(frame.to_enu(here));
        }
        points
    }

    #[test]
    fn a_straight_road_needs_one_point_and_a_corner_one_more() {
        let frame = SiteFrame::new(ORIGIN);
        let mut history = PathHistory::new(0.5, 500.0);
        let place = |ms: i64| match ms {
            ..10_000 => Enu::ground(ms as f64 / 100.0, 0.0),
            _ => Enu::ground(100.0, (ms - 10_000) as f64 / 100.0),
        };
        for ms in (0..=20_000).step_by(100) {
            history.drive(at(ms), place(ms));
        }
        let reference = frame.to_wgs84(place(20_000));
        let path = history.path(reference, at(20_000), &frame);
        let points = points(&path, reference, &frame);
        assert_eq!(path.len(), 2, "{points:?}");
        assert!(points[1].ground_distance_m(&Enu::ground(100.0, 0.0)) < 1.6, "{points:?}");
        assert!(points[2].ground_distance_m(&Enu::ground(0.0, 0.0)) < 0.1, "{points:?}");
        let total_ms: u32 = path.iter().map(|point| point.path_delta_time_ms.unwrap()).sum();
        assert_eq!(total_ms, 20_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        // Whatever is driven, every driven point since the oldest one in the path is within the error of the path.
        #[test]
        fn the_path_stays_within_its_error(turns in prop::collection::vec(-0.2..0.2f64, 50..400)) {
            let frame = SiteFrame::new(ORIGIN);
            let mut history = PathHistory::new(0.5, 1e9);
            let (mut yaw, mut here, mut driven) = (0.0f64, Enu::ground(0.0, 0.0), vec![]);
            for (index, turn) in turns.iter().enumerate() {
                yaw += turn;
                here = Enu::ground(here.e_m + 1.5 * yaw.cos(), here.n_m + 1.5 * yaw.sin());
                history.drive(at(index as i64 * 100), here);
                driven.push(here);
            }
            let end = at(turns.len() as i64 * 100 - 100);
            let reference = frame.to_wgs84(here);
            let path = history.path(reference, end, &frame);
            prop_assert!(path.len() <= MAX_POINTS);
            let points = points(&path, reference, &frame);
            let total_ms: u32 = path.iter().map(|point| point.path_delta_time_ms.unwrap()).sum();
            let oldest = driven.len() - 1 - total_ms as usize / 100;
            for place in &driven[oldest..] {
                let off_m = points.windows(2).map(|w| distance_to_chord_m(*place, w[0], w[1])).fold(f64::INFINITY, f64::min);
                // 0.5 m, and the rounding of offsets to 0.1 µdeg over 23 points.
                prop_assert!(off_m < 0.55 || points.len() == 1, "{off_m} m off with {} points", points.len());
            }
        }
    }
}
