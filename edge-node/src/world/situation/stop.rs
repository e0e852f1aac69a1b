//! Vehicles that stand where they should not, and lanes where all of them hardly move.

use super::{Finding, Lights, SituationKind, SituationSettings, Subject, evidence_of, lanes_at};
use crate::event::SignalPhase;
use crate::world::RoadUser;
use crate::world::prediction::{Route, RouteMap};
use crate::world::site::{SiteMap, ZoneKind};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// A vehicle stands on the carriageway although nothing lets it wait: no signal, nobody in front of it. Those that wait are
/// noted in `waiting` with the time.
pub(super) fn stopped_vehicle(
    users: &[RoadUser],
    (map, routes, lights): (&SiteMap, &RouteMap, &Lights),
    settings: &SituationSettings,
    now: Timestamp,
    waiting: &mut BTreeMap<u16, Timestamp>,
    findings: &mut Vec<Finding>,
) {
    waiting.retain(|id, _| users.iter().any(|user| user.id == *id));
    let stands = |user: &&RoadUser| {
        user.class.is_vehicle() && user.has_moved() && user.standing_s() >= settings.stopped_standing_s
    };
    for user in users.iter().filter(stands) {
        let depth_m = map.depth_m(ZoneKind::Carriageway, user.position).unwrap_or(f64::NEG_INFINITY);
        if depth_m < settings.edge_margin_m || map.is_in(ZoneKind::Parking, user.position) {
            continue;
        }
        if waits(user, users, routes, lights, settings) {
            waiting.insert(user.id, now);
        } else {
            findings.push(Finding {
                kind: SituationKind::StoppedVehicle,
                subject: Subject::User(user.id),
                place: user.position,
                sureness: f64::from(user.class_confidence),
                class: user.class,
                evidence: evidence_of([user]),
            });
        }
    }
}

/// Whether a standing vehicle is before a signal that is not green, or behind somebody who stands as well.
fn waits(
    user: &RoadUser,
    users: &[RoadUser],
    routes: &RouteMap,
    lights: &Lights,
    settings: &SituationSettings,
) -> bool {
    lanes_at(routes, user.position).any(|(route, along_m, _)| {
        let signal = route.signal_group.and_then(|group| lights.get(&(route.intersection, group)));
        let is_held = signal.is_some_and(|phase| !is_green(*phase)) && route.is_on_ingress(along_m);
        is_held
            || in_lane(users, route).any(|(ahead_m, other)| {
                let gap_m = ahead_m - along_m;
                other.id != user.id
                    && gap_m > 0.0
                    && gap_m <= settings.queue_spacing_m
                    && other.speed_mps() <= settings.queue_speed_mps
            })
    })
}

const fn is_green(phase: SignalPhase) -> bool {
    matches!(
        phase,
        SignalPhase::PermissiveMovementAllowed
            | SignalPhase::ProtectedMovementAllowed
            | SignalPhase::CautionConflictingTraffic
            | SignalPhase::Dark
    )
}

/// The vehicles on a route, with their way along it.
fn in_lane<'a>(users: &'a [RoadUser], route: &'a Route) -> impl Iterator<Item = (f64, &'a RoadUser)> {
    users.iter().filter(|user| user.class.is_vehicle()).filter_map(move |user| {
        let place = route.line.project([user.position.e_m, user.position.n_m]);
        let inside = !place.is_beyond && place.offset_m.abs() <= 0.5 * route.width_m;
        inside.then_some((place.along_m, user))
    })
}

/// Many vehicles in a lane, on average hardly faster than walking.
pub(super) fn congestion(
    users: &[RoadUser],
    routes: &RouteMap,
    settings: &SituationSettings,
    findings: &mut Vec<Finding>,
) {
    let mut lanes: BTreeMap<(u16, u8), Vec<&RoadUser>> = BTreeMap::new();
    for user in users.iter().filter(|user| user.class.is_vehicle()) {
        for (route, along_m, _) in lanes_at(routes, user.position) {
            let key = match route.lanes.1 {
                Some(egress) if !route.is_on_ingress(along_m) => egress,
                _ => route.lanes.0,
            };
            let lane = lanes.entry((route.intersection, key)).or_default();
            if lane.iter().all(|known| known.id != user.id) {
                lane.push(user);
            }
        }
    }
    for ((intersection, lane), vehicles) in lanes {
        let mean_mps = vehicles.iter().map(|user| user.speed_mps()).sum::<f64>() / vehicles.len() as f64;
        let surest = vehicles.iter().map(|user| f64::from(user.class_confidence)).fold(1.0, f64::min);
        let middle = vehicles[vehicles.len() / 2];
        if vehicles.len() >= settings.congestion_vehicles && mean_mps <= settings.congestion_speed_mps {
            findings.push(Finding {
                kind: SituationKind::Congestion,
                subject: Subject::Lane { intersection, lane },
                place: middle.position,
                sureness: surest,
                class: middle.class,
                evidence: evidence_of([vehicles[0], middle]),
            });
        }
    }
}
