//! MAPEM from the site's lanes: TS 103 301 clause 6 (RLT), ISO/TS 19091 `MAP`.

use super::wgs84;
use crate::facilities::Station;
use crate::world::infrastructure::{
    ConnectionSettings, IntersectionSettings, LaneKind, LaneSettings, LaneWay, Manoeuvre,
};
use masa_v2x_proto::List;
use masa_v2x_proto::dsrc::{IntersectionReferenceId, Position3D, SignalGroupId};
use masa_v2x_proto::mapem::{
    AllowedManeuvers, Connection, GenericLane, IntersectionGeometry, LaneAttributes, LaneAttributesBike,
    LaneAttributesCrosswalk, LaneAttributesVehicle, LaneDirection, LaneSharing, LaneTypeAttributes, Mapem, Node,
};
use masa_v2x_proto::time::Timestamp;

/// Reference of an intersection, as all its messages have it.
pub(super) fn reference(intersection: &IntersectionSettings) -> IntersectionReferenceId {
    IntersectionReferenceId { region: intersection.region, id: intersection.id }
}

/// The map; `None` when a lane cannot be expressed, which the check of the site rules out.
pub(super) fn mapem(station: &Station, intersections: &[IntersectionSettings], now: Timestamp) -> Option<Mapem> {
    let geometries = intersections.iter().map(|intersection| geometry(station, intersection));
    let geometries = geometries.collect::<Option<Vec<_>>>()?;
    let revision = intersections.iter().map(|intersection| u32::from(intersection.revision)).sum::<u32>() % 128;
    Some(Mapem::new(station.id, now, revision as u8, List::try_from_iter(geometries)?))
}

fn geometry(station: &Station, intersection: &IntersectionSettings) -> Option<IntersectionGeometry> {
    let place = wgs84(&station.frame, intersection.reference_m);
    let lanes = intersection.lanes.iter().map(|lane| generic_lane(lane, intersection.reference_m));
    let lanes = lanes.collect::<Option<Vec<_>>>()?;
    let mut geometry = IntersectionGeometry::new(
        reference(intersection),
        intersection.revision,
        Position3D::new(place.lat_deg, place.lon_deg),
        List::try_from_iter(lanes)?,
    );
    geometry.lane_width_m = Some(intersection.lane_width_m as f32);
    Some(geometry)
}

fn generic_lane(lane: &LaneSettings, reference_m: [f64; 2]) -> Option<GenericLane> {
    let mut from = reference_m;
    let node = |to: &[f64; 2]| {
        let node = Node::from_offset((to[0] - from[0]) as f32, (to[1] - from[1]) as f32);
        // From where a receiver arrives at: rounding to a centimetre does not add up.
        from = [from[0] + centimetres(to[0] - from[0]), from[1] + centimetres(to[1] - from[1])];
        node
    };
    let nodes = lane.nodes_m.iter().map(node).collect::<Option<Vec<_>>>()?;
    let direction = match lane.direction {
        LaneWay::Ingress => LaneDirection::INGRESS_PATH,
        LaneWay::Egress => LaneDirection::EGRESS_PATH,
        LaneWay::Both => LaneDirection::INGRESS_PATH | LaneDirection::EGRESS_PATH,
    };
    let (sharing, kind) = match lane.kind {
        LaneKind::Vehicle => (
            LaneSharing::INDIVIDUAL_MOTORIZED_VEHICLE_TRAFFIC,
            LaneTypeAttributes::Vehicle(LaneAttributesVehicle::default()),
        ),
        LaneKind::Crosswalk => {
            (LaneSharing::PEDESTRIANS_TRAFFIC, LaneTypeAttributes::Crosswalk(LaneAttributesCrosswalk::default()))
        }
        LaneKind::Bike => {
            (LaneSharing::CYCLIST_VEHICLE_TRAFFIC, LaneTypeAttributes::BikeLane(LaneAttributesBike::default()))
        }
    };
    let attributes = LaneAttributes::new(direction, sharing, kind);
    let mut generic = GenericLane::new(lane.id, attributes, List::try_from_iter(nodes)?);
    generic.ingress_approach = lane.approach.filter(|_| lane.direction != LaneWay::Egress);
    generic.egress_approach = lane.approach.filter(|_| lane.direction != LaneWay::Ingress);
    let manoeuvres = lane.connections.iter().map(|c| manoeuvre(c.manoeuvre)).reduce(|a, b| a | b);
    generic.maneuvers = manoeuvres;
    let connections = List::try_from_iter(lane.connections.iter().enumerate().map(connection))?;
    generic.connects_to = (!lane.connections.is_empty()).then_some(connections);
    Some(generic)
}

fn connection((index, connection): (usize, &ConnectionSettings)) -> Connection {
    let group = connection.signal_group.map(SignalGroupId);
    Connection {
        connection_id: u8::try_from(index + 1).ok(),
        ..Connection::new(connection.lane, manoeuvre(connection.manoeuvre), group)
    }
}

const fn manoeuvre(manoeuvre: Manoeuvre) -> AllowedManeuvers {
    match manoeuvre {
        Manoeuvre::Straight => AllowedManeuvers::STRAIGHT_ALLOWED,
        Manoeuvre::Left => AllowedManeuvers::LEFT_ALLOWED,
        Manoeuvre::Right => AllowedManeuvers::RIGHT_ALLOWED,
        Manoeuvre::UTurn => AllowedManeuvers::U_TURN_ALLOWED,
    }
}

fn centimetres(metres: f64) -> f64 {
    (metres * 100.0).round() / 100.0
}
