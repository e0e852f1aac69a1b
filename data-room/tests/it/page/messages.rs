//! The messages of the town's stations.
#![allow(clippy::unwrap_used)]

use super::shared::{self, Told};
use super::town::{Class, Town, User};
use masa_v2x_proto::List;
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::cpm::{
    Cpm, CpmContainers, CpmPayload, ManagementContainer, PerceivedObjectContainer, SensorInformation, SensorType,
};
use masa_v2x_proto::dsrc::{IntersectionReferenceId, Position3D, SignalGroupId, TimeMark};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::mapem::{
    AllowedManeuvers, Connection, GenericLane, IntersectionGeometry, LaneAttributes, LaneAttributesVehicle,
    LaneDirection, LaneSharing, LaneTypeAttributes, Mapem, Node,
};
use masa_v2x_proto::poim::OccupancyInformation;
use masa_v2x_proto::spatem::{
    IntersectionState, IntersectionStatus, MovementEvent, MovementPhaseState, MovementState, Spatem, TimeChangeDetails,
};
use masa_v2x_proto::time::Timestamp;

/// What a signal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    Red,
    Yellow,
    Green,
}

fn place([lat_deg, lon_deg]: [f64; 2]) -> ReferencePosition {
    shared::place(Wgs84 { lat_deg, lon_deg, alt_m: 0.0 })
}

fn object_class(class: Class) -> ObjectClass {
    match class {
        Class::Car => ObjectClass::Vehicle(StationType::PassengerCar),
        Class::Van => ObjectClass::Vehicle(StationType::LightTruck),
        Class::Truck => ObjectClass::Vehicle(StationType::HeavyTruck),
        Class::Bus => ObjectClass::Vehicle(StationType::Bus),
        Class::Bicycle => ObjectClass::Vehicle(StationType::Cyclist),
        Class::Person => {
            ObjectClass::Vru(VruProfileAndSubprofile::Pedestrian(VruSubProfilePedestrian::OrdinaryPedestrian))
        }
    }
}

/// A station's CPM: those it is given, each within reach of the message, and that its cameras see along both streets.
pub(crate) fn cpm(
    station: u32,
    at: [f64; 2],
    [e, n]: [f64; 2],
    users: &[(&User, [f64; 2], f64)],
    sight_m: f64,
    now: Timestamp,
) -> Vec<u8> {
    let object = |(user, [user_e, user_n], heading_deg): &(&User, [f64; 2], f64)| {
        let (length, width, _) = user.class.size();
        let (x, y) = ((user_e - e) as f32, (user_n - n) as f32);
        // Further away means less exact.
        let sigma = 0.3 + x.hypot(y) * 0.025;
        let coordinate =
            |m: f32| CartesianCoordinateWithConfidence { value_m: m.into(), confidence_m: Reading::of(sigma) };
        let (sin, cos) = heading_deg.to_radians().sin_cos();
        let component = |share: f64| VelocityComponent {
            value_mps: Reading::of((user.speed_mps * share) as f32),
            ..VelocityComponent::default()
        };
        PerceivedObject {
            object_id: Some(user.id),
            position: CartesianPosition3dWithConfidence { x: coordinate(x), y: coordinate(y), z: None },
            velocity: Some(Velocity3d::Cartesian(VelocityCartesian {
                x_velocity: component(sin),
                y_velocity: component(cos),
                z_velocity: None,
            })),
            angles: Some(EulerAngles {
                z_angle: CartesianAngle {
                    value_deg: Some((90.0 - heading_deg).rem_euclid(360.0) as f32),
                    ..CartesianAngle::default()
                },
                ..EulerAngles::default()
            }),
            object_dimension_x: Some(ObjectDimension { value_m: Reading::of(length), ..ObjectDimension::default() }),
            object_dimension_y: Some(ObjectDimension { value_m: Reading::of(width), ..ObjectDimension::default() }),
            classification: List::try_from_iter([ObjectClassWithConfidence {
                object_class: object_class(user.class),
                confidence_percent: Some(91),
            }]),
            object_age_ms: Some(user.age_ms.min(2_047) as i16),
            ..PerceivedObject::default()
        }
    };
    let objects: Vec<_> = users.iter().take(200).map(object).collect();
    let container = PerceivedObjectContainer {
        number_of_perceived_objects: objects.len() as u8,
        perceived_objects: List::try_from_iter(objects).unwrap_or_default(),
        ..PerceivedObjectContainer::default()
    };
    let corner = |(x, y): (f64, f64)| CartesianPosition3d {
        x_m: Reading::Value(x as f32),
        y_m: Reading::Value(y as f32),
        z_m: None,
    };
    let region = |corners: [(f64, f64); 4]| {
        Shape::Polygonal(PolygonalShape {
            polygon: List::try_from_iter(corners.map(corner)).unwrap(),
            ..PolygonalShape::default()
        })
    };
    let (s, w) = (sight_m, 9.0);
    let regions = [[(-w, -s), (w, -s), (w, s), (-w, s)], [(-s, -w), (s, -w), (s, w), (-s, w)]];
    let sensors = regions.into_iter().zip(1..).map(|(corners, sensor_id)| SensorInformation {
        sensor_id,
        sensor_type: SensorType::Monovideo,
        perception_region_shape: Some(region(corners)),
        shadowing_applies: true,
        ..SensorInformation::default()
    });
    let containers = CpmContainers {
        sensor_information: List::try_from_iter(sensors),
        perceived_object: Some(container),
        ..CpmContainers::default()
    };
    let management = ManagementContainer {
        reference_time: now.into(),
        reference_position: place(at),
        ..ManagementContainer::default()
    };
    let payload = CpmPayload { management_container: management, cpm_containers: containers, ..CpmPayload::default() };
    Cpm::new(StationId(station), payload).to_uper().unwrap()
}

fn intersection(station: u32) -> IntersectionReferenceId {
    IntersectionReferenceId { region: Some(39), id: (station - 4_000) as u16 }
}

/// Signals 1 and 3 are those for who drives north and south, 2 and 4 for east and west.
pub(crate) fn spatem(station: u32, at: Timestamp) -> Vec<u8> {
    let movement = |group: u8| {
        let (shows, until) = Town::signal(group % 2 == 1, at);
        let state = match shows {
            Shows::Red => MovementPhaseState::StopAndRemain,
            Shows::Yellow => MovementPhaseState::ProtectedClearance,
            Shows::Green => MovementPhaseState::ProtectedMovementAllowed,
        };
        let timing = TimeChangeDetails { min_end_time: TimeMark::of(until, at), ..TimeChangeDetails::default() };
        MovementState::new(SignalGroupId(group), List::try_from_iter([MovementEvent::new(state, timing)]).unwrap())
    };
    let movements = List::try_from_iter((1..=4).map(movement)).unwrap();
    let state =
        IntersectionState::new(intersection(station), 1, IntersectionStatus::FIXED_TIME_OPERATION, at, movements);
    Spatem::new(StationId(station), at, List::try_from_iter([state]).unwrap()).to_uper().unwrap()
}

/// Four lanes in, each with its signal, and four out.
pub(crate) fn mapem(station: u32, at: [f64; 2], now: Timestamp) -> Vec<u8> {
    let vehicles = || LaneTypeAttributes::Vehicle(LaneAttributesVehicle::default());
    let lane = |i: u8, direction: LaneDirection| {
        // Lanes in keep right of who comes from the south, the west, the north, the east.
        let (sin, cos) = (f32::from(i % 4) * 90.0).to_radians().sin_cos();
        let side = if direction.contains(LaneDirection::INGRESS_PATH) { 1.75_f32 } else { -1.75 };
        let turned = |x: f32, y: f32| (x * cos + y * sin, y * cos - x * sin);
        let (first, out) = (turned(side, -11.0), turned(0.0, -34.0));
        let nodes = [first, out].map(|(x, y)| Node::from_offset(x, y).unwrap());
        let attributes = LaneAttributes::new(direction, LaneSharing::default(), vehicles());
        GenericLane::new(i + 1, attributes, List::try_from_iter(nodes).unwrap())
    };
    let lanes = (0..8).map(|i: u8| {
        if i >= 4 {
            return lane(i, LaneDirection::EGRESS_PATH);
        }
        let mut into = lane(i, LaneDirection::INGRESS_PATH);
        let straight = Connection::new((i + 2) % 4 + 5, AllowedManeuvers::STRAIGHT_ALLOWED, Some(SignalGroupId(i + 1)));
        into.connects_to = List::try_from_iter([straight]);
        into
    });
    let [lat_deg, lon_deg] = at;
    let lanes = List::try_from_iter(lanes).unwrap();
    let geometry = IntersectionGeometry::new(intersection(station), 1, Position3D::new(lat_deg, lon_deg), lanes);
    Mapem::new(StationId(station), now, 1, List::try_from_iter([geometry]).unwrap()).to_uper().unwrap()
}

/// A place to park.
pub(crate) fn poim([lat_deg, lon_deg]: [f64; 2], name: &str, free: u16, total: u16, at: Timestamp) -> Vec<u8> {
    let here = GeoPosition { latitude_deg: Some(lat_deg), longitude_deg: Some(lon_deg), altitude_m: None };
    let occupancy =
        OccupancyInformation { free_spaces: Some(free), total_spaces: Some(total), ..OccupancyInformation::default() };
    shared::poim(4_001, (here, name), occupancy, None, at)
}

/// A warning for ten minutes; `is_over` ends it.
pub(crate) fn denm(station: u32, number: u16, cause: u8, at: [f64; 2], now: Timestamp, is_over: bool) -> Vec<u8> {
    shared::denm(station, number, cause, place(at), Told { detected_at: now, at: now, is_over })
}
