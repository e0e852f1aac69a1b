//! Signals of the map as a node hears of them: the map of each intersection (MAPEM) and the controller's reports.

use crate::roads::{LaneId, Roads, SignalControl, SignalController, SignalId, SignalState, Turn};
use crate::snapshot::Snapshot;
use masa_edge_node::event::{GroupState, Operation, SignalPhase, SignalReport};
use masa_edge_node::world::infrastructure::LaneKind as MapLaneKind;
use masa_edge_node::world::infrastructure::{
    ConnectionSettings, IntersectionSettings, LaneSettings, LaneWay, Manoeuvre,
};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// How far lanes are told of, metres.
const LANE_M: f64 = 150.0;

/// The intersection id of a controller.
pub(crate) fn intersection_id(controller: SignalId) -> u16 {
    controller.0 as u16 + 1
}

/// Signal group of a place in a controller's states.
fn group(place: u16) -> Option<u8> {
    u8::try_from(place + 1).ok().filter(|group| *group < 255)
}

/// The signalised intersections of a map.
pub(crate) fn intersections(roads: &Roads) -> Vec<IntersectionSettings> {
    let all = (0..roads.signals.len()).filter_map(|index| intersection(roads, SignalId(index as u32)));
    all.take(32).collect()
}

fn intersection(roads: &Roads, controller: SignalId) -> Option<IntersectionSettings> {
    let links: Vec<_> = roads
        .links
        .iter()
        .filter(|link| link.signal.is_some_and(|(id, _)| id == controller))
        .filter(|link| is_road(roads, link.from) && is_road(roads, link.to))
        .collect();
    let middle = links.iter().find_map(|link| link.junction).map(|id| roads.junctions[id.index()].position)?;
    let mut numbers: BTreeMap<LaneId, u8> = BTreeMap::new();
    for lane in links.iter().flat_map(|link| [link.from, link.to]) {
        let next = u8::try_from(numbers.len() + 1).ok()?;
        numbers.entry(lane).or_insert(next);
    }
    let lanes = numbers.iter().map(|(lane, id)| {
        let ingress = links.iter().any(|link| link.from == *lane);
        let centre = &roads.lane(*lane).centre;
        let length_m = centre.length_m();
        let far_m = length_m.min(LANE_M);
        // From the stop line outwards, or from the junction on.
        let along = (0..=4).map(|step| far_m * f64::from(step) / 4.0);
        let nodes = along.filter_map(|s_m| centre.at(if ingress { length_m - s_m } else { s_m }));
        let connections = links.iter().filter(|link| link.from == *lane).filter_map(|link| {
            Some(ConnectionSettings {
                lane: *numbers.get(&link.to)?,
                manoeuvre: match link.turn {
                    Turn::Straight => Manoeuvre::Straight,
                    Turn::Left => Manoeuvre::Left,
                    Turn::Right => Manoeuvre::Right,
                    Turn::UTurn => Manoeuvre::UTurn,
                },
                signal_group: link.signal.and_then(|(_, place)| group(place)),
            })
        });
        LaneSettings {
            id: *id,
            kind: MapLaneKind::Vehicle,
            direction: if ingress { LaneWay::Ingress } else { LaneWay::Egress },
            approach: None,
            nodes_m: nodes.map(|on| [on.point.x, on.point.y]).collect(),
            connections: connections.collect(),
        }
    });
    Some(IntersectionSettings {
        id: intersection_id(controller),
        region: None,
        name: Some(roads.signals[controller.index()].name.clone()),
        revision: 0,
        reference_m: [middle.x, middle.y],
        lane_width_m: 3.25,
        lanes: lanes.collect(),
        programme: None,
    })
}

fn is_road(roads: &Roads, lane: LaneId) -> bool {
    roads.edges.get(roads.lane(lane).edge.index()).is_some_and(|edge| edge.kind == crate::roads::EdgeKind::Road)
}

/// What each controller of the map tells at a time; `at` is that time by the station's clock.
pub(crate) fn reports(roads: &Roads, snapshot: &Snapshot, at: Timestamp) -> Vec<SignalReport> {
    let controllers = roads.signals.iter().zip(&snapshot.signals).enumerate();
    controllers
        .filter(|(_, (_, states))| !states.is_empty())
        .map(|(index, (controller, states))| SignalReport {
            intersection: intersection_id(SignalId(index as u32)),
            captured_at: at,
            operation: match controller.control {
                SignalControl::Fixed => Operation::FixedTime,
                SignalControl::Actuated => Operation::TrafficDependent,
            },
            groups: states
                .iter()
                .zip(0..)
                .filter_map(|(state, place)| {
                    let left_s = time_left_s(controller, states, place, snapshot.time_s);
                    let end = left_s.map(|left_s| at.plus_ms((left_s * 1e3) as i64));
                    Some(GroupState {
                        group: group(place)?,
                        shows: phase(*state),
                        min_end: end,
                        max_end: end,
                        likely_end: end,
                    })
                })
                .collect(),
        })
        .collect()
}

/// How long a link's state lasts, by the programme; `None` where the controller shows something else.
fn time_left_s(controller: &SignalController, states: &[SignalState], place: u16, time_s: f64) -> Option<f64> {
    let (phase, mut left_s) = controller.phase_at(time_s)?;
    if controller.phases[phase].states != states {
        return None;
    }
    let shown = states.get(usize::from(place))?;
    for next in 1..controller.phases.len() {
        let after = &controller.phases[(phase + next) % controller.phases.len()];
        if after.states.get(usize::from(place)) != Some(shown) {
            return Some(left_s);
        }
        left_s += after.duration_s;
    }
    None
}

fn phase(state: SignalState) -> SignalPhase {
    match state {
        SignalState::Red => SignalPhase::StopAndRemain,
        SignalState::RedYellow => SignalPhase::PreMovement,
        SignalState::Yellow => SignalPhase::ProtectedClearance,
        SignalState::GreenMajor => SignalPhase::ProtectedMovementAllowed,
        SignalState::GreenMinor => SignalPhase::PermissiveMovementAllowed,
        SignalState::OffBlinking => SignalPhase::CautionConflictingTraffic,
        SignalState::Off => SignalPhase::Dark,
    }
}
