//! What a node knows that tells whether its cameras still look where they were surveyed: lanes, and who says where they are.

use crate::perception::georeference::online::{LaneLine, StatedVehicle};
use crate::world::infrastructure::{IntersectionSettings, LaneKind, LaneSettings, LaneWay, Manoeuvre};
use crate::world::ldm::Ldm;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::cdd::StationType;
use masa_v2x_proto::geo::{Enu, heading_to_yaw_rad};
use masa_v2x_proto::time::Timestamp;

/// A position older or newer than this is not carried to a frame's time, seconds.
const MAX_CARRY_S: f64 = 1.2;

/// The middles of the lanes for vehicles, in driving direction, and of the straight ways between them.
pub(super) fn lane_lines(intersections: &[IntersectionSettings]) -> Vec<LaneLine> {
    let of_intersection = |intersection: &IntersectionSettings| {
        let width_m = intersection.lane_width_m;
        let vehicles = intersection.lanes.iter().filter(|lane| lane.kind == LaneKind::Vehicle);
        let mut lines: Vec<Vec<[f64; 2]>> = Vec::new();
        for lane in vehicles {
            let (outwards, inwards) = (lane.nodes_m.clone(), lane.nodes_m.iter().rev().copied().collect());
            match lane.direction {
                LaneWay::Ingress => lines.push(inwards),
                LaneWay::Egress => lines.push(outwards),
                LaneWay::Both => lines.extend([inwards, outwards]),
            }
            lines.extend(straight_ways(intersection, lane));
        }
        lines.into_iter().map(move |points_m| LaneLine { points_m, width_m }).collect::<Vec<_>>()
    };
    intersections.iter().flat_map(of_intersection).collect()
}

/// From the stop line of a lane to where its straight connections begin.
fn straight_ways<'a>(
    intersection: &'a IntersectionSettings,
    lane: &'a LaneSettings,
) -> impl Iterator<Item = Vec<[f64; 2]>> + 'a {
    let straight = lane.connections.iter().filter(|connection| connection.manoeuvre == Manoeuvre::Straight);
    straight.filter_map(|connection| {
        let to = intersection.lanes.iter().find(|other| other.id == connection.lane)?;
        Some(vec![*lane.nodes_m.first()?, *to.nodes_m.first()?])
    })
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
                { id = 4, direction = "both", kind = "crosswalk", nodes-m = [[8, -4], [8, 4]] },
            ]
        "#;
        let lines = lane_lines(&[toml::from_str(text).unwrap()]);
        let points: Vec<_> = lines.iter().map(|line| line.points_m.as_slice()).collect();
        assert_eq!(points[0], [[-60.0, -1.5], [-5.0, -1.5]]);
        assert_eq!(points[1], [[-5.0, -1.5], [5.0, -1.5]], "straight on");
        assert_eq!(points[2], [[5.0, -1.5], [60.0, -1.5]]);
        assert_eq!((points.len(), lines[0].width_m), (4, 3.0), "no crosswalk, no turn");
    }
}
