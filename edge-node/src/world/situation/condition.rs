//! What a single frame shows of each kind of situation.

use super::{Finding, SituationKind, SituationSettings, Subject, evidence_of};
use crate::world::RoadUser;
use crate::world::conflict::{Conflict, ConflictState};
use crate::world::infrastructure::LaneKind;
use crate::world::prediction::{Route, RouteMap, wrapped};
use crate::world::site::{SiteMap, ZoneKind};
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// A vehicle at more than this angle to its lane drives against it, radians: 150°.
const AGAINST_RAD: f64 = 2.6;
/// Half of a 95 % interval, standard deviations.
const SURE_SIGMAS: f64 = 1.96;

/// The routes for vehicles in whose lane a position lies, with the way along them and the direction there.
pub(super) fn lanes_at(routes: &RouteMap, position: Enu) -> impl Iterator<Item = (&Route, f64, f64)> {
    lanes_near(routes, position, Covariance2::default())
}

/// The same of the lanes that a road user may be in whose place is only known to be in the 95 % interval across the lane.
fn lanes_near(routes: &RouteMap, position: Enu, covariance: Covariance2) -> impl Iterator<Item = (&Route, f64, f64)> {
    routes.routes().iter().filter(|route| route.kind == LaneKind::Vehicle).filter_map(move |route| {
        let place = route.line.project([position.e_m, position.n_m]);
        let (sin, cos) = place.yaw_rad.sin_cos();
        let Covariance2 { ee_m2, en_m2, nn_m2 } = covariance;
        let across_m2 = sin * sin * ee_m2 - 2.0 * sin * cos * en_m2 + cos * cos * nn_m2;
        let reach_m = 0.5 * route.width_m + SURE_SIGMAS * across_m2.max(0.0).sqrt();
        let inside = !place.is_beyond && place.offset_m.abs() <= reach_m;
        inside.then_some((route, place.along_m, place.yaw_rad))
    })
}

/// Where a road user may be, for the question which lane it is in. A satellite receiver does not know of reflections: where
/// no camera sees it, what it states of itself is not believed to a lane's width.
fn lane_covariance(user: &RoadUser, settings: &SituationSettings) -> Covariance2 {
    let Covariance2 { ee_m2, en_m2, nn_m2 } = user.covariance;
    let least_m2 = if user.is_told_by_itself_alone() { settings.unseen_sigma_m.powi(2) } else { 0.0 };
    Covariance2 { ee_m2: ee_m2.max(least_m2), en_m2, nn_m2: nn_m2.max(least_m2) }
}

pub(super) fn wrong_way(
    users: &[RoadUser],
    routes: &RouteMap,
    settings: &SituationSettings,
    findings: &mut Vec<Finding>,
) {
    for user in users.iter().filter(|u| u.class.is_vehicle() && u.speed_mps() >= settings.wrong_way_speed_mps) {
        let Some(yaw_rad) = user.yaw_rad else { continue };
        // Where lanes overlap, one that leads its way is enough, and so is one beside that it may be in.
        let lanes = lanes_near(routes, user.position, lane_covariance(user, settings));
        let turns = lanes.map(|(_, _, lane_rad)| wrapped(yaw_rad - lane_rad).abs());
        if turns.reduce(f64::min).is_some_and(|least| least > AGAINST_RAD) {
            findings.push(Finding {
                kind: SituationKind::WrongWay,
                subject: Subject::User(user.id),
                place: user.position,
                sureness: f64::from(user.class_confidence),
                class: user.class,
                evidence: evidence_of([user]),
            });
        }
    }
}

pub(super) fn object_on_road(users: &[RoadUser], map: &SiteMap, findings: &mut Vec<Finding>) {
    let is_object = |u: &&RoadUser| matches!(u.class, ObjectClass::Animal | ObjectClass::Obstacle);
    // Of what only a radar sees nobody knows that it is no road user.
    for user in users.iter().filter(|u| is_object(u) && u.class_confidence > 0.0) {
        let depth_m = map.depth_m(ZoneKind::Carriageway, user.position).unwrap_or(f64::NEG_INFINITY);
        if depth_m > 0.0 {
            // Beyond two standard deviations from the edge it is as good as certain that it lies on the road.
            let sigma_m = user.covariance.ellipse().0.max(0.1);
            let inside = (0.5 + 0.25 * depth_m / sigma_m).min(1.0);
            findings.push(Finding {
                kind: SituationKind::ObjectOnRoad,
                subject: Subject::User(user.id),
                place: user.position,
                sureness: f64::from(user.class_confidence) * inside,
                class: user.class,
                evidence: evidence_of([user]),
            });
        }
    }
}

pub(super) fn queue_tail(
    users: &[RoadUser],
    routes: &RouteMap,
    settings: &SituationSettings,
    findings: &mut Vec<Finding>,
) {
    // Slow vehicles of each lane that leads to an intersection, with their way from the beginning of the lane.
    let mut lanes: BTreeMap<(u16, u8), Vec<(f64, &RoadUser)>> = BTreeMap::new();
    for user in users.iter().filter(|u| u.class.is_vehicle() && u.speed_mps() <= settings.queue_speed_mps) {
        for (route, along_m, _) in lanes_at(routes, user.position) {
            let lane = lanes.entry((route.intersection, route.lanes.0)).or_default();
            if route.is_on_ingress(along_m) && lane.iter().all(|(_, known)| known.id != user.id) {
                lane.push((along_m, user));
            }
        }
    }
    for ((intersection, lane), mut slow) in lanes {
        slow.sort_by(|a, b| b.0.total_cmp(&a.0));
        let gap = slow.windows(2).position(|pair| pair[0].0 - pair[1].0 > settings.queue_spacing_m);
        let queue = &slow[..gap.map_or(slow.len(), |last| last + 1)];
        if let Some((_, tail)) = queue.last().filter(|_| queue.len() >= settings.queue_vehicles) {
            let surest = queue.iter().map(|(_, user)| f64::from(user.class_confidence)).fold(1.0, f64::min);
            findings.push(Finding {
                kind: SituationKind::QueueTail,
                subject: Subject::Lane { intersection, lane },
                place: tail.position,
                sureness: surest,
                class: tail.class,
                evidence: evidence_of([*tail]),
            });
        }
    }
}

pub(super) fn near_miss<'a>(
    users: &[RoadUser],
    conflicts: impl Iterator<Item = &'a Conflict>,
    settings: &SituationSettings,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) {
    for conflict in conflicts.filter(|c| c.state == ConflictState::On && c.last_at == now) {
        let close = |time_s: Option<f64>, limit_s: f64| time_s.is_some_and(|t| t <= limit_s);
        let both = || users.iter().filter(|user| conflict.users.contains(&user.id));
        let Some(one) = both().next() else { continue };
        if close(conflict.min_ttc_s, settings.near_miss_ttc_s) || close(conflict.min_pet_s, settings.near_miss_pet_s) {
            findings.push(Finding {
                kind: SituationKind::NearMiss,
                subject: Subject::Users(conflict.users),
                place: conflict.place,
                sureness: conflict.probability.min(1.0),
                class: one.class,
                evidence: evidence_of(both()),
            });
        }
    }
}
