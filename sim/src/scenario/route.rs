//! Ways of scripted actors: lines, and on the lanes of the map the shortest way through the network.

use crate::geometry::{OnLine, Polyline};
use crate::roads::{EdgeKind, LaneId, LinkId, Roads, SignalId, Turn};
use nalgebra::{Point2, Point3};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A lane this far from a point of a way is meant by it, metres.
const SNAP_M: f64 = 6.0;

/// A way to go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Way {
    /// Its line; one point only for one who stands.
    pub line: Polyline,
    /// Signals on it: where the stop line is, metres along the way, and which link of which controller.
    pub signals: Vec<(f64, SignalId, u16)>,
    /// Lanes on it: where each begins, metres along the way, and at which of its own metres.
    pub lanes: Vec<(f64, LaneId, f64)>,
}

impl Way {
    /// A way through points.
    pub fn through(points: &[[f64; 2]]) -> Self {
        Self { line: Polyline::new(points.iter().map(|[e, n]| Point3::new(*e, *n, 0.0))), ..Self::default() }
    }

    /// The shortest way on lanes that passes the points in order.
    ///
    /// # Errors
    /// The point that no lane is near to, or that cannot be reached.
    pub fn on_lanes(roads: &Roads, points: &[[f64; 2]]) -> Result<Self, String> {
        let mut stops = Vec::new();
        for [e, n] in points {
            let near = lanes_near(roads, Point2::new(*e, *n));
            if near.is_empty() {
                return Err(format!("no lane within {SNAP_M} m of [{e}, {n}]"));
            }
            stops.push(near);
        }
        let (lanes, begin_m, end_m) = best_route(roads, &stops).ok_or_else(|| {
            format!("no way on lanes passes {points:?} in this order; are they on the right side of the road?")
        })?;
        Ok(Self::along(roads, &lanes, begin_m, end_m))
    }

    /// The way straight on from the start of a lane, at least `length_m` metres or to where it ends: of a vehicle that has
    /// not said where it goes.
    pub fn ahead(roads: &Roads, lane: LaneId, length_m: f64) -> Self {
        let (mut lanes, mut known_m) = (vec![lane], 0.0);
        let mut at = lane;
        while known_m < length_m {
            let links = &roads.lane(at).links;
            let straight = links.iter().find(|link| roads.link(**link).turn == Turn::Straight);
            let Some(link) = straight.or(links.first()) else { break };
            let next = over(roads, *link);
            known_m += next.iter().map(|lane| roads.lane(*lane).centre.length_m()).sum::<f64>().max(0.1);
            at = roads.link(*link).to;
            lanes.extend(next);
        }
        let end_m = lanes.last().map_or(0.0, |last| roads.lane(*last).centre.length_m());
        Self::along(roads, &lanes, 0.0, end_m)
    }

    fn along(roads: &Roads, lanes: &[LaneId], begin_m: f64, end_m: f64) -> Self {
        let mut way = Self::default();
        let mut points: Vec<Point3<f64>> = Vec::new();
        let mut length_m = 0.0;
        for (place, id) in lanes.iter().enumerate() {
            let centre = &roads.lane(*id).centre;
            let from = if place == 0 { begin_m } else { 0.0 };
            let to = if place + 1 == lanes.len() { end_m } else { centre.length_m() };
            way.lanes.push((length_m, *id, from));
            let part = centre.part(from, to);
            // Lanes meet where they should, but not to the millimetre.
            let gap = points.last().zip(part.points().first()).map_or(0.0, |(a, b)| (b.xy() - a.xy()).norm());
            length_m += gap + part.length_m();
            points.extend(part.points());
            let next = lanes.get(place + 1);
            let link = roads.lane(*id).links.iter().map(|link| roads.link(*link)).find(|link| {
                next.is_some_and(|next| link.via == Some(*next) || (link.via.is_none() && link.to == *next))
            });
            if let Some((signal, place)) = link.and_then(|link| link.signal) {
                way.signals.push((length_m, signal, place));
            }
        }
        way.line = Polyline::new(points);
        way
    }

    /// Position and direction at a length; one who stands has no direction of his own.
    pub fn at(&self, s_m: f64) -> Option<OnLine> {
        self.line.at(s_m).or_else(|| {
            let point = *self.line.points().first()?;
            Some(OnLine { point, yaw_rad: 0.0, slope: 0.0 })
        })
    }

    /// The lane at a length, and the length along it.
    pub fn lane_at(&self, s_m: f64) -> Option<(LaneId, f64)> {
        let place = self.lanes.partition_point(|(begin_m, ..)| *begin_m <= s_m).checked_sub(1)?;
        let (begin_m, lane, from_m) = self.lanes[place];
        Some((lane, from_m + s_m - begin_m))
    }
}

/// Lanes near a point, nearest first, with the metre of the lane.
pub fn lanes_near(roads: &Roads, p: Point2<f64>) -> Vec<(LaneId, f64)> {
    let mut found: Vec<(f64, LaneId, f64)> = Vec::new();
    for (index, lane) in roads.lanes.iter().enumerate() {
        let is_road = roads
            .edges
            .get(lane.edge.index())
            .is_none_or(|edge| matches!(edge.kind, EdgeKind::Road | EdgeKind::Internal));
        let Some(at) = lane.centre.project(p).filter(|_| is_road) else { continue };
        if at.offset_m.abs() <= SNAP_M {
            found.push((at.offset_m.abs(), LaneId(index as u32), at.s_m));
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.into_iter().map(|(_, lane, s_m)| (lane, s_m)).collect()
}

/// The lanes inside the junction that a link leads over, and the lane it leads to.
fn over(roads: &Roads, link: LinkId) -> Vec<LaneId> {
    let link = roads.link(link);
    let mut lanes = Vec::new();
    let mut inside = link.via;
    while let Some(lane) = inside.filter(|lane| !lanes.contains(lane)) {
        lanes.push(lane);
        inside = roads.lane(lane).links.first().and_then(|next| roads.link(*next).via);
    }
    lanes.push(link.to);
    lanes
}

/// The route by the nearest combination of lanes that connects: how far the lanes are from the points counts first.
fn best_route(roads: &Roads, stops: &[Vec<(LaneId, f64)>]) -> Option<(Vec<LaneId>, f64, f64)> {
    let (first, rest) = stops.split_first()?;
    first.iter().find_map(|(start, begin_m)| {
        let (mut lanes, mut at, mut s_m) = (vec![*start], *start, *begin_m);
        for candidates in rest {
            let (leg, to_m) = candidates.iter().find_map(|(goal, goal_m)| {
                let leg = if at == *goal && *goal_m >= s_m { vec![] } else { shortest(roads, at, *goal)? };
                Some((leg, *goal_m))
            })?;
            at = leg.last().copied().unwrap_or(at);
            s_m = to_m;
            lanes.extend(leg);
        }
        Some((lanes, *begin_m, s_m))
    })
}

/// The lanes after `from` up to `to`, by length.
fn shortest(roads: &Roads, from: LaneId, to: LaneId) -> Option<Vec<LaneId>> {
    // Centimetres as whole numbers, so that the heap has a total order.
    let mut queue = BinaryHeap::from([(Reverse(0_u64), from)]);
    let mut before: BTreeMap<LaneId, (u64, LaneId, LinkId)> = BTreeMap::new();
    while let Some((Reverse(cost), lane)) = queue.pop() {
        if lane == to && cost > 0 {
            let (mut legs, mut at) = (Vec::new(), lane);
            loop {
                let (_, previous, link) = before[&at];
                legs.push(over(roads, link));
                at = previous;
                if at == from {
                    return Some(legs.into_iter().rev().flatten().collect());
                }
            }
        }
        if before.get(&lane).is_some_and(|(best, ..)| *best < cost) {
            continue;
        }
        for link in &roads.lane(lane).links {
            let way = over(roads, *link);
            let length_m: f64 = way.iter().map(|lane| roads.lane(*lane).centre.length_m()).sum();
            let (next, total) = (roads.link(*link).to, cost + (length_m * 100.0) as u64 + 1);
            if before.get(&next).is_none_or(|(best, ..)| total < *best) {
                before.insert(next, (total, lane, *link));
                queue.push((Reverse(total), next));
            }
        }
    }
    None
}
