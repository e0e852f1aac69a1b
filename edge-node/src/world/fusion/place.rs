//! Map matching: the lane or crossing that a road user is on.
//!
//! In: where a road user is and goes, with its accuracy, the routes and zones of the site. Out: a [`Place`]. Invariant: between
//! two lanes that fit about as well the one it was on before stays: noise at a line does not change lanes to and fro.

use crate::world::RoadUser;
use crate::world::prediction::{Route, RouteMap, wrapped};
use crate::world::site::{SiteMap, ZoneKind};

/// Standard deviation of the direction of motion against the lane's, radians.
const YAW_SIGMA_RAD: f64 = 0.35;
/// Slower than this nothing can be said of the direction, m/s.
const STILL_MPS: f64 = 0.5;
/// A lane fits up to this squared deviation, in standard deviations.
const FITS: f64 = 9.0;
/// Another lane must fit better by this much to be taken for the one before.
const BETTER: f64 = 2.0;

/// Where a road user is on the map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// The lane or crosswalk of an intersection.
    pub lane: Option<LanePlace>,
    /// The kind of ground: of overlapping zones a crossing comes first, then parking.
    pub zone: Option<ZoneKind>,
}

/// Where a road user is on a lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanePlace {
    /// The intersection.
    pub intersection: u16,
    /// The lane; between two lanes the one it comes from.
    pub lane: u8,
    /// Whether it has left that lane and is on its way over the intersection.
    pub is_between: bool,
    /// To the left of the lane's middle, metres.
    pub offset_m: f64,
}

impl Place {
    /// The place of a road user, that it was at before in mind.
    pub(crate) fn of(user: &RoadUser, routes: &RouteMap, map: &SiteMap) -> Self {
        let before = user.place.lane;
        let is_same = |place: &LanePlace| {
            before.is_some_and(|known| (known.intersection, known.lane) == (place.intersection, place.lane))
        };
        let fitting = routes.routes().iter().filter(|route| route.is_for(user.class)).filter_map(|route| {
            let (place, deviation2) = on(route, user)?;
            Some((place, if is_same(&place) { deviation2 - BETTER } else { deviation2 }))
        });
        let rank = |kind| match kind {
            ZoneKind::Crossing => 0,
            ZoneKind::Parking => 1,
            ZoneKind::Carriageway => 2,
            ZoneKind::Pavement => 3,
        };
        Self {
            lane: fitting.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place),
            zone: map.zones_at(user.position).map(|zone| zone.kind()).min_by_key(|kind| rank(*kind)),
        }
    }
}

/// Where a road user is on a route, and how far that is from the middle of the lane and its direction.
fn on(route: &Route, user: &RoadUser) -> Option<(LanePlace, f64)> {
    let beside = route.line.project([user.position.e_m, user.position.n_m]);
    if beside.is_beyond {
        return None;
    }
    let across_sigma_m = (route.width_m / 4.0).hypot(user.covariance.ellipse().0);
    let turn = match user.yaw_rad {
        Some(yaw_rad) if user.speed_mps() >= STILL_MPS => wrapped(yaw_rad - beside.yaw_rad) / YAW_SIGMA_RAD,
        _ => 0.0,
    };
    let deviation2 = (beside.offset_m / across_sigma_m).powi(2) + turn * turn;
    let (lane, is_between) = route.lane_at(beside.along_m);
    let place = LanePlace { intersection: route.intersection, lane, is_between, offset_m: beside.offset_m };
    (deviation2 <= FITS).then_some((place, deviation2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::{CAMERA, at, frame, intersection, lane, track};
    use crate::world::infrastructure::{LaneKind, LaneWay};
    use crate::world::{World, WorldSettings};
    use masa_inference::ObjectClass::{Car, Person};
    use std::collections::BTreeMap;

    /// Two lanes side by side that come from the west, and a crosswalk before them.
    fn routes() -> RouteMap {
        let into = |id, n_m| lane(id, LaneKind::Vehicle, LaneWay::Ingress, vec![[0.0, n_m], [-100.0, n_m]]);
        let crosswalk = lane(9, LaneKind::Crosswalk, LaneWay::Both, vec![[2.0, -3.0], [2.0, 6.0]]);
        intersection(vec![into(3, 0.0), into(4, 3.5), crosswalk])
    }

    #[test]
    fn road_users_are_on_the_lane_they_fit_and_stay_on_it_at_the_line() {
        let (routes, map) = (routes(), SiteMap::default());
        let mut world = World::new(WorldSettings::default(), BTreeMap::new());
        let mut lane_of = |class, position, speed_mps: f64, ms| {
            let mut track = track(1, class, position, ms);
            (track.velocity_e_mps, track.yaw_rad) = (speed_mps, Some(if speed_mps < 0.0 { 3.1 } else { 0.0 }));
            world.see_frame(CAMERA, &frame(ms), &[track], at(ms));
            world.match_map(&routes, &map);
            world.users()[0].place.lane.map(|place| place.lane)
        };
        for (name, class, position, speed_mps, expected) in [
            ("in the right lane", Car, [-50.0, 0.2], 8.0, Some(3)),
            ("just over the line", Car, [-45.0, 1.9], 8.0, Some(3)),
            ("well in the left lane", Car, [-40.0, 3.2], 8.0, Some(4)),
            ("just over the line again", Car, [-35.0, 1.6], 8.0, Some(4)),
            ("against it", Car, [-30.0, 3.5], -8.0, None),
            ("on the pavement", Car, [-25.0, -6.0], 8.0, None),
            ("on the crosswalk", Person, [2.2, 1.0], 0.0, Some(9)),
            ("on foot in a lane", Person, [-50.0, 0.0], 0.0, None),
        ] {
            let ms = (position[0] * 100.0) as i64 + 10_000;
            assert_eq!(lane_of(class, position, speed_mps, ms), expected, "{name}");
        }
    }
}
