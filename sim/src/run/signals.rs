//! Signals of the map as a node hears of them: the map of each intersection (MAPEM), the controller's reports, and the links
//! that a request for priority is about.

use crate::random::Seed;
use crate::roads::{LaneId, LaneKind, Link, Roads, SignalId, Turn};
use crate::sensors::signal_feed::{self, Shows, SignalFeed, SignalFeedSettings, SignalReading};
use masa_edge_node::effect::{PriorityRequest, Way};
use masa_edge_node::event::{GroupState, Operation, SignalPhase, SignalReport};
use masa_edge_node::world::infrastructure::LaneKind as MapLaneKind;
use masa_edge_node::world::infrastructure::{
    ConnectionSettings, IntersectionSettings, LaneSettings, LaneWay, Manoeuvre,
};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// How far lanes are told of, metres.
const LANE_M: f64 = 300.0;

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
    let links: Vec<_> = road_links(roads, controller).collect();
    let middle = links.iter().find_map(|link| link.junction).map(|id| roads.junctions[id.index()].position)?;
    let numbers = lane_numbers(roads, controller)?;
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
            kind: if roads.lane(*lane).kind == LaneKind::Bicycle { MapLaneKind::Bike } else { MapLaneKind::Vehicle },
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

/// The controller of an intersection id.
pub(crate) fn controller(roads: &Roads, intersection: u16) -> Option<SignalId> {
    let id = SignalId(u32::from(intersection.checked_sub(1)?));
    (id.index() < roads.signals.len()).then_some(id)
}

/// The links of an intersection that a request for priority is about: those between its lanes, or from its lane straight on
/// where it does not say whither.
pub(crate) fn links_of(roads: &Roads, request: &PriorityRequest) -> Option<(SignalId, Vec<u16>)> {
    let controller = controller(roads, request.intersection)?;
    let numbers = lane_numbers(roads, controller)?;
    let lane = |way: Option<Way>| match way {
        Some(Way::Lane(number)) => numbers.iter().find(|(_, known)| **known == number).map(|(lane, _)| *lane),
        _ => None,
    };
    let (from, to) = (lane(request.inbound)?, lane(request.outbound));
    let asked = road_links(roads, controller).filter(|link| link.from == from && to.is_none_or(|to| link.to == to));
    let asked: Vec<&Link> = asked.collect();
    let straight: Vec<_> = asked.iter().copied().filter(|link| link.turn == Turn::Straight).collect();
    let wanted = if straight.is_empty() { asked } else { straight };
    let places = wanted.iter().filter_map(|link| link.signal.map(|(_, place)| place));
    Some((controller, places.collect()))
}

/// The links of a controller from road to road.
fn road_links(roads: &Roads, controller: SignalId) -> impl Iterator<Item = &Link> {
    let links = roads.links.iter().filter(move |link| link.signal.is_some_and(|(id, _)| id == controller));
    links.filter(|link| is_road(roads, link.from) && is_road(roads, link.to))
}

/// The numbers of the lanes of an intersection, as its MAPEM has them.
fn lane_numbers(roads: &Roads, controller: SignalId) -> Option<BTreeMap<LaneId, u8>> {
    let mut numbers: BTreeMap<LaneId, u8> = BTreeMap::new();
    for lane in road_links(roads, controller).flat_map(|link| [link.from, link.to]) {
        let next = u8::try_from(numbers.len() + 1).ok()?;
        numbers.entry(lane).or_insert(next);
    }
    Some(numbers)
}

/// What the controllers of a map tell, numbered as the intersections that nodes are configured with.
pub(crate) fn feeds(roads: &Roads, seed: Seed) -> Vec<SignalFeed> {
    let feeds = roads.signals.iter().enumerate().filter_map(|(index, controller)| {
        let settings = SignalFeedSettings {
            controller: controller.name.clone(),
            intersection: intersection_id(SignalId(index as u32)),
            groups: Vec::new(),
            period_s: 1.0,
            faults: Vec::new(),
        };
        SignalFeed::new(settings, roads, seed, index as u64)
    });
    feeds.collect()
}

/// What a node hears of a reading; `start` is the time at simulated time 0 by the station's clock.
pub(crate) fn report(reading: &SignalReading, start: Timestamp) -> SignalReport {
    let at = |time_s: f64| start.plus_ns((time_s * 1e9).round() as i64);
    let groups = reading.groups.iter().map(|told| {
        let end = |place: usize| told.ends_s.map(|ends_s| at(ends_s[place]));
        GroupState { group: told.group, shows: phase(told.shows), min_end: end(0), likely_end: end(1), max_end: end(2) }
    });
    SignalReport {
        intersection: reading.intersection,
        captured_at: at(reading.time_s),
        operation: match reading.operation {
            signal_feed::Operation::FixedTime => Operation::FixedTime,
            signal_feed::Operation::TrafficDependent => Operation::TrafficDependent,
            signal_feed::Operation::Standby => Operation::Standby,
            signal_feed::Operation::Off => Operation::Off,
        },
        groups: groups.collect(),
    }
}

fn phase(shows: Shows) -> SignalPhase {
    match shows {
        Shows::StopAndRemain => SignalPhase::StopAndRemain,
        Shows::PreMovement => SignalPhase::PreMovement,
        Shows::ProtectedClearance => SignalPhase::ProtectedClearance,
        Shows::ProtectedMovementAllowed => SignalPhase::ProtectedMovementAllowed,
        Shows::PermissiveMovementAllowed => SignalPhase::PermissiveMovementAllowed,
        Shows::CautionConflictingTraffic => SignalPhase::CautionConflictingTraffic,
        Shows::Dark => SignalPhase::Dark,
    }
}
