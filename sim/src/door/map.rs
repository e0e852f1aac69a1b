//! Places on the lanes of a map, as clients ask for them.

use super::proto;
use crate::geometry::Projection;
use crate::roads::{EdgeKind, LaneId, LaneKind, Roads, Users};
use nalgebra::Point2;

/// The lane nearest to a point among those that `fits`, and where on it the point is.
pub(crate) fn nearest_lane(
    roads: &Roads,
    point: Point2<f64>,
    fits: impl Fn(LaneId) -> bool,
) -> Option<(LaneId, Projection)> {
    let lanes = (0..roads.lanes.len()).map(|lane| LaneId(lane as u32)).filter(|lane| fits(*lane));
    let found = lanes.filter_map(|lane| Some((lane, roads.lane(lane).centre.project(point)?)));
    found.min_by(|(_, a), (_, b)| a.offset_m.abs().total_cmp(&b.offset_m.abs()))
}

fn in_junction(roads: &Roads, lane: LaneId) -> bool {
    roads.edge(roads.lane(lane).edge).kind != EdgeKind::Road
}

/// Lanes that follow a lane directly.
fn following(roads: &Roads, lane: LaneId) -> Vec<LaneId> {
    let links = roads.lane(lane).links.iter().map(|link| roads.link(*link));
    let mut next: Vec<LaneId> = links.map(|link| link.via.unwrap_or(link.to)).collect();
    next.sort_unstable();
    next.dedup();
    next
}

/// The waypoint `s_m` along a lane.
pub(crate) fn waypoint(roads: &Roads, id: LaneId, s_m: f64) -> Option<proto::Waypoint> {
    let lane = roads.lanes.get(id.index())?;
    let s_m = s_m.clamp(0.0, lane.centre.length_m());
    let on = lane.centre.at(s_m)?;
    let transform = super::convert::transform(on.point, on.yaw_rad, on.slope.atan());
    Some(proto::Waypoint {
        lane: id.0,
        s: s_m,
        transform: Some(transform),
        width: lane.width_m,
        junction: in_junction(roads, id),
        left: roads.beside(id, 1).map(|lane| lane.0),
        right: roads.beside(id, -1).map(|lane| lane.0),
    })
}

/// The waypoint nearest to a point.
pub(crate) fn nearest_waypoint(roads: &Roads, point: Point2<f64>, driving: bool) -> Option<proto::Waypoint> {
    let fits = |lane: LaneId| !driving || roads.lane(lane).users.intersects(Users::CAR);
    let (lane, at) = nearest_lane(roads, point, fits)?;
    waypoint(roads, lane, at.s_m)
}

/// Most waypoints of one answer.
const MAX_WAYPOINTS: usize = 64;
/// Lanes that a search for waypoints looks at, at most.
const MAX_LANES: usize = 4096;

/// Waypoints a distance ahead of a place, one for each way; behind it for a negative distance.
pub(crate) fn waypoints_from(roads: &Roads, lane: LaneId, s_m: f64, distance_m: f64) -> Vec<proto::Waypoint> {
    let mut found = Vec::new();
    if roads.lanes.get(lane.index()).is_none() || !distance_m.is_finite() {
        return found;
    }
    let back = distance_m < 0.0;
    let mut open = vec![(lane, s_m, distance_m.abs())];
    let mut looked = 0;
    while let Some((lane, s_m, left_m)) = open.pop() {
        looked += 1;
        let length = roads.lane(lane).centre.length_m();
        let room = if back { s_m } else { length - s_m };
        if left_m <= room {
            found.extend(waypoint(roads, lane, if back { s_m - left_m } else { s_m + left_m }));
        } else if looked < MAX_LANES && found.len() + open.len() < MAX_WAYPOINTS {
            let next = if back {
                let ids = (0..roads.lanes.len()).map(|lane| LaneId(lane as u32));
                ids.filter(|from| following(roads, *from).contains(&lane)).collect()
            } else {
                following(roads, lane)
            };
            let place = |next: LaneId| if back { roads.lane(next).centre.length_m() } else { 0.0 };
            open.extend(next.into_iter().map(|next| (next, place(next), left_m - room)));
        }
    }
    found
}

/// Every lane, and places to put vehicles: each 25 m on lanes for cars outside junctions.
pub(crate) fn map(roads: &Roads, name: &str) -> proto::Map {
    const SPACING_M: f64 = 25.0;
    let lanes = roads.lanes.iter().enumerate().map(|(at, lane)| {
        let id = LaneId(at as u32);
        proto::Lane {
            id: id.0,
            name: lane.name.clone(),
            edge: lane.edge.0,
            index: u32::from(lane.index),
            kind: kind_name(lane.kind).to_owned(),
            width: lane.width_m,
            speed_limit: lane.speed_limit_mps,
            centre: lane.centre.points().iter().map(|p| super::convert::vector(*p)).collect(),
            next: following(roads, id).into_iter().map(|lane| lane.0).collect(),
            junction: in_junction(roads, id),
        }
    });
    let spawns = roads.lanes.iter().enumerate().filter(|(at, lane)| {
        lane.kind == LaneKind::Driving && lane.users.intersects(Users::CAR) && !in_junction(roads, LaneId(*at as u32))
    });
    let spawn_points = spawns.flat_map(|(_, lane)| {
        let count = (lane.centre.length_m() / SPACING_M).floor() as usize;
        (0..count).filter_map(|place| {
            let on = lane.centre.at((place as f64 + 0.5) * SPACING_M)?;
            Some(super::convert::transform(on.point, on.yaw_rad, on.slope.atan()))
        })
    });
    proto::Map { name: name.to_owned(), lanes: lanes.collect(), spawn_points: spawn_points.collect() }
}

fn kind_name(kind: LaneKind) -> &'static str {
    match kind {
        LaneKind::Driving => "driving",
        LaneKind::Bicycle => "bicycle",
        LaneKind::Sidewalk => "sidewalk",
        LaneKind::Parking => "parking",
        LaneKind::Shoulder => "shoulder",
        LaneKind::Rail => "rail",
        LaneKind::Verge => "verge",
    }
}
