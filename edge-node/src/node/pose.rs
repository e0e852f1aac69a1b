//! What a node knows that tells whether its cameras still look where they were surveyed: lanes, and who says where they are.

use crate::perception::georeference::online::{LaneLine, StatedVehicle};
use crate::world::infrastructure::{IntersectionSettings, LaneKind, LaneSettings, LaneWay, Manoeuvre};
use crate::world::ldm::Ldm;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::cdd::StationType;
use masa_v2x_proto::geo::{Enu, heading_to_yaw_rad};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeSet;

/// A position older or newer than this is not carried to a frame's time, seconds.
const MAX_CARRY_S: f64 = 1.2;

/// The middles of the ways that vehicles take: along a lane, through the intersection and on along the next one; and of the
/// lanes from which and to which no way is known.
pub(super) fn lane_lines(intersections: &[IntersectionSettings]) -> Vec<LaneLine> {
    intersections.iter().flat_map(ways).collect()
}

fn ways(intersection: &IntersectionSettings) -> Vec<LaneLine> {
    let width_m = intersection.lane_width_m;
    let line = |points_m, turn| LaneLine { points_m, width_m, turn };
    let find = |id| intersection.lanes.iter().find(|other| other.id == id && other.kind == LaneKind::Vehicle);
    let mut lines = Vec::new();
    let mut is_led_to = BTreeSet::new();
    let vehicles = || intersection.lanes.iter().filter(|lane| lane.kind == LaneKind::Vehicle);
    for lane in vehicles() {
        for connection in &lane.connections {
            let Some(to) = find(connection.lane) else { continue };
            is_led_to.insert(to.id);
            let turn = (connection.manoeuvre != Manoeuvre::Straight).then_some(lane.nodes_m.len().saturating_sub(1));
            lines.push(line(inwards(lane).chain(to.nodes_m.iter().copied()).collect(), turn));
        }
    }
    for lane in vehicles() {
        if lane.direction != LaneWay::Egress && lane.connections.is_empty() {
            lines.push(line(inwards(lane).collect(), None));
        }
        if lane.direction != LaneWay::Ingress && !is_led_to.contains(&lane.id) {
            lines.push(line(lane.nodes_m.clone(), None));
        }
    }
    lines
}

/// The nodes of a lane towards the intersection; they are given from there outwards.
fn inwards(lane: &LaneSettings) -> impl Iterator<Item = [f64; 2]> + '_ {
    lane.nodes_m.iter().rev().copied()
}

/// The cars that say where they are, at a frame's time.
pub(super) fn stated_vehicles(ldm: &Ldm, at: Timestamp) -> Vec<StatedVehicle> {
    let stated = ldm.stations().filter_map(|station| {
        let carried_s = at.seconds_since(station.generated_at);
        let is_car = matches!(station.station_type, StationType::PassengerCar | StationType::LightTruck);
        if station.kind != MessageKind::Cam || !is_car || carried_s.abs() > MAX_CARRY_S {
            return None;
        }
        let (ground, speed_mps) = (station.ground?, station.speed_mps?);
        let yaw_rad = heading_to_yaw_rad(station.heading_deg?.to_radians());
        let way_m = speed_mps * carried_s;
        Some(StatedVehicle {
            station: station.id.0,
            position: Enu::ground(ground.e_m + way_m * yaw_rad.cos(), ground.n_m + way_m * yaw_rad.sin()),
            speed_mps,
            yaw_rad,
        })
    });
    stated.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_run_in_driving_direction_and_straight_on() {
        let text = r#"
            id = 1
            reference-m = [0, 0]
            lane-width-m = 3.0
            lane = [
                { id = 1, direction = "ingress", nodes-m = [[-5, -1.5], [-60, -1.5]], connection = [
                    { lane = 2, manoeuvre = "straight" }, { lane = 3, manoeuvre = "left" } ] },
                { id = 2, direction = "egress", nodes-m = [[5, -1.5], [60, -1.5]] },
                { id = 3, direction = "egress", nodes-m = [[1.5, 5], [1.5, 60]] },
                { id = 5, direction = "egress", nodes-m = [[30, -1.5], [80, -1.5]] },
                { id = 4, direction = "both", kind = "crosswalk", nodes-m = [[8, -4], [8, 4]] },
            ]
        "#;
        let lines = lane_lines(&[toml::from_str(text).unwrap()]);
        let points: Vec<_> = lines.iter().map(|line| line.points_m.as_slice()).collect();
        assert_eq!(points[0], [[-60.0, -1.5], [-5.0, -1.5], [5.0, -1.5], [60.0, -1.5]], "straight on");
        assert_eq!(points[1], [[-60.0, -1.5], [-5.0, -1.5], [1.5, 5.0], [1.5, 60.0]]);
        assert_eq!(points[2..], [[[30.0, -1.5], [80.0, -1.5]]], "nobody is led there, and no crosswalk");
        let turns: Vec<_> = lines.iter().map(|line| line.turn).collect();
        assert_eq!((turns, lines[0].width_m), (vec![None, Some(1), None], 3.0));
    }
}
