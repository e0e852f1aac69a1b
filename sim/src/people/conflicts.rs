//! Where vehicles come from that a person on a crossing may meet.

use crate::geometry::Polyline;
use crate::roads::{LaneId, LaneKind, Roads, Users};
use nalgebra::Point2;
use std::collections::BTreeMap;

/// Vehicles are looked for this far up the road, metres.
const LOOK_M: f64 = 90.0;

/// A lane by which vehicles come to a crossing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Approach {
    pub(crate) lane: LaneId,
    /// From the lane's start to where its vehicles cross the line, metres.
    pub(crate) distance_m: f64,
    /// Where that is along the line, metres.
    pub(crate) at_m: f64,
    /// Half the width of the lane that is crossed, metres.
    pub(crate) half_width_m: f64,
}

/// Finds approaches of lines across a network.
#[derive(Debug)]
pub(crate) struct ConflictFinder<'a> {
    roads: &'a Roads,
    /// Lanes with wheels, with the corners of the rectangle around each.
    lanes: Vec<(LaneId, Point2<f64>, Point2<f64>)>,
    before: BTreeMap<LaneId, Vec<LaneId>>,
}

impl<'a> ConflictFinder<'a> {
    pub(crate) fn new(roads: &'a Roads) -> Self {
        let wheels = Users::ROAD | Users::RAIL | Users::BICYCLE;
        let driven = |id: &LaneId| {
            let lane = roads.lane(*id);
            lane.users.intersects(wheels)
                && !matches!(lane.kind, LaneKind::Sidewalk | LaneKind::Verge | LaneKind::Parking)
        };
        let lanes = (0..roads.lanes.len() as u32).map(LaneId).filter(driven).filter_map(|id| {
            let points = roads.lane(id).centre.points();
            let first = points.first()?.xy();
            let (low, high) =
                points.iter().fold((first, first), |(low, high), p| (low.inf(&p.xy()), high.sup(&p.xy())));
            Some((id, low, high))
        });
        let mut before: BTreeMap<LaneId, Vec<LaneId>> = BTreeMap::new();
        for link in &roads.links {
            before.entry(link.via.unwrap_or(link.to)).or_default().push(link.from);
        }
        Self { roads, lanes: lanes.collect(), before }
    }

    /// The approaches of a line: each lane that it crosses, and the lanes that lead there.
    pub(crate) fn approaches(&self, line: &Polyline) -> Vec<Approach> {
        let points = line.points();
        let Some(first) = points.first().map(|p| p.xy()) else { return Vec::new() };
        let (low, high) = points.iter().fold((first, first), |(low, high), p| (low.inf(&p.xy()), high.sup(&p.xy())));
        let mut found = Vec::new();
        for (lane, lane_low, lane_high) in &self.lanes {
            if lane_low.x > high.x || lane_low.y > high.y || lane_high.x < low.x || lane_high.y < low.y {
                continue;
            }
            let half_width_m = self.roads.lane(*lane).width_m / 2.0;
            for (at_m, distance_m) in meetings(line, &self.roads.lane(*lane).centre) {
                self.upstream(Approach { lane: *lane, distance_m, at_m, half_width_m }, &mut found);
            }
        }
        found
    }

    fn upstream(&self, approach: Approach, found: &mut Vec<Approach>) {
        // A ring of short lanes would lead round for ever.
        if approach.distance_m > LOOK_M || found.len() > 400 {
            found.push(approach);
            return;
        }
        found.push(approach);
        for lane in self.before.get(&approach.lane).into_iter().flatten() {
            let distance_m = approach.distance_m + self.roads.lane(*lane).length_m.max(0.1);
            self.upstream(Approach { lane: *lane, distance_m, ..approach }, found);
        }
    }
}

/// Where two lines cross: lengths along the first and the second.
fn meetings(a: &Polyline, b: &Polyline) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    let mut a_length = 0.0;
    for a_pair in a.points().windows(2) {
        let (p, r) = (a_pair[0].xy(), a_pair[1].xy() - a_pair[0].xy());
        let mut b_length = 0.0;
        for b_pair in b.points().windows(2) {
            let (q, s) = (b_pair[0].xy(), b_pair[1].xy() - b_pair[0].xy());
            let cross = r.x * s.y - r.y * s.x;
            if cross.abs() > 1e-9 {
                let to = q - p;
                let (t, u) = ((to.x * s.y - to.y * s.x) / cross, (to.x * r.y - to.y * r.x) / cross);
                if (0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&u) {
                    found.push((a_length + t * r.norm(), b_length + u * s.norm()));
                }
            }
            b_length += s.norm();
        }
        a_length += r.norm();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Point3;

    #[test]
    fn lines_meet_where_they_cross() {
        let line = |points: &[(f64, f64)]| Polyline::new(points.iter().map(|(x, y)| Point3::new(*x, *y, 0.0)));
        let road = line(&[(0.0, 0.0), (50.0, 0.0), (100.0, 0.0)]);
        assert_eq!(meetings(&line(&[(60.0, -4.0), (60.0, 8.0)]), &road), [(4.0, 60.0)]);
        assert!(meetings(&line(&[(60.0, 1.0), (60.0, 8.0)]), &road).is_empty());
    }
}
