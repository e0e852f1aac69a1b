//! Messages as a roadside unit builds them; the bytes were checked with an independent codec (pycrate 0.8.1).

use crate::common::unhex;
use masa_v2x_proto::cam::{
    BasicContainer, BasicVehicleContainerLowFrequency, Cam, CamParameters, HighFrequencyContainer,
    LowFrequencyContainer, RsuContainerHighFrequency,
};
use masa_v2x_proto::cdd::subcause::StationaryVehicleSubCause;
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::cpm::{
    self, Cpm, CpmContainers, CpmPayload, PerceivedObjectContainer, PerceptionRegion, SensorInformation,
};
use masa_v2x_proto::denm::{
    self, AlacarteContainer, Denm, DenmPayload, LocationContainer, SituationContainer, StationarySince,
    StationaryVehicleContainer,
};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{List, Message};

const STATION: StationId = StationId(4711);
const AT: Timestamp = Timestamp::from_unix_ms(1_767_225_600_123);

fn position() -> ReferencePosition {
    ReferencePosition {
        latitude_deg: Some(44.655_54),
        longitude_deg: Some(10.934_315),
        position_confidence_ellipse: PosConfidenceEllipse {
            semi_major_m: Reading::of(0.5),
            semi_minor_m: Reading::of(0.3),
            semi_major_orientation_deg: Some(90.0),
        },
        altitude: Altitude { value_m: Reading::of(34.0), confidence: AltitudeConfidence::Within0_5m },
    }
}

fn cam() -> Cam {
    let zone = ProtectedCommunicationZone {
        protected_zone_type: ProtectedZoneType::PermanentCenDsrcTolling,
        expiry_time: Some(AT.plus_ms(60_000).into()),
        protected_zone_latitude_deg: Some(44.655),
        protected_zone_longitude_deg: Some(10.93),
        protected_zone_radius_m: Some(55),
        protected_zone_id: Some(7),
    };
    let mut zones = ProtectedCommunicationZones::new();
    zones.push(zone).expect("room for one");
    let rsu = RsuContainerHighFrequency { protected_communication_zones_rsu: Some(zones) };
    let parameters = CamParameters {
        basic_container: BasicContainer { station_type: StationType::RoadSideUnit, reference_position: position() },
        high_frequency_container: HighFrequencyContainer::Rsu(rsu),
        low_frequency_container: None,
        special_vehicle_container: None,
        extension_containers: None,
    };
    Cam::new(STATION, AT, parameters)
}

fn denm() -> Denm {
    let management = denm::ManagementContainer {
        action_id: ActionId { originating_station_id: STATION, sequence_number: 3 },
        detection_time: AT.into(),
        reference_time: AT.plus_ms(50).into(),
        termination: None,
        event_position: position(),
        awareness_distance: Some(denm::StandardLength3b::LessThan500m),
        traffic_direction: Some(denm::TrafficDirection::UpstreamTraffic),
        validity_duration_s: 120,
        transmission_interval_ms: Some(1000),
        station_type: StationType::RoadSideUnit,
    };
    let situation = SituationContainer {
        information_quality: 5,
        event_type: CauseCode::StationaryVehicle(StationaryVehicleSubCause::VehicleBreakdown),
        linked_cause: None,
        event_zone: None,
        linked_denms: None,
        event_end_m: None,
        event_end_factor: None,
        perceived_event: None,
    };
    let point = |delta_latitude_deg, delta_longitude_deg| PathPoint {
        path_position: DeltaReferencePosition {
            delta_latitude_deg: Some(delta_latitude_deg),
            delta_longitude_deg: Some(delta_longitude_deg),
            delta_altitude_m: None,
        },
        path_delta_time_ms: None,
    };
    let path = Path::try_from_iter([point(0.000_1, -0.000_2), point(0.000_1, -0.000_25)]).expect("room for two");
    let location = LocationContainer {
        event_speed: Some(Speed { value_mps: Reading::of(0.0), confidence_mps: Reading::of(0.5) }),
        event_position_heading: Some(Wgs84Angle { value_deg: Some(92.5), confidence_deg: Reading::of(2.0) }),
        detection_zones_to_event_position: Traces::try_from_iter([path]).expect("room for one"),
        road_type: Some(RoadType::UrbanNoStructuralSeparation),
        ..LocationContainer::default()
    };
    let stationary = StationaryVehicleContainer {
        stationary_since: Some(StationarySince::LessThan2Minutes),
        number_of_occupants: Some(None),
        ..StationaryVehicleContainer::default()
    };
    let alacarte = AlacarteContainer {
        lane_position: Some(LanePosition(1)),
        stationary_vehicle: Some(stationary),
        ..AlacarteContainer::default()
    };
    let (situation, location) = (Some(situation), Some(location));
    Denm::new(STATION, DenmPayload { management, situation, location, alacarte: Some(alacarte) })
}

fn coordinate(value_m: f32) -> CartesianCoordinateWithConfidence {
    CartesianCoordinateWithConfidence { value_m: value_m.into(), confidence_m: Reading::of(0.4) }
}

fn object(object_id: u16, x_m: f32, class: ObjectClass) -> PerceivedObject {
    let component =
        |value_mps| VelocityComponent { value_mps: Reading::of(value_mps), confidence_mps: Reading::of(0.3) };
    let velocity = VelocityCartesian { x_velocity: component(8.3), y_velocity: component(-0.4), z_velocity: None };
    let class = ObjectClassWithConfidence { object_class: class, confidence_percent: Some(87) };
    PerceivedObject {
        object_id: Some(object_id),
        measurement_delta_time_ms: -35,
        position: CartesianPosition3dWithConfidence { x: coordinate(x_m), y: coordinate(12.5), z: None },
        velocity: Some(Velocity3d::Cartesian(velocity)),
        object_age_ms: Some(1200),
        object_perception_quality: Some(11),
        sensor_id_list: SensorIds::try_from_iter([1]),
        classification: ObjectClassDescription::try_from_iter([class]),
        ..PerceivedObject::default()
    }
}

fn cpm() -> Cpm {
    let rate = |mantissa| cpm::MessageRateHz { mantissa, exponent: 0 };
    let management_container = cpm::ManagementContainer {
        reference_time: AT.into(),
        reference_position: position(),
        segmentation_info: None,
        message_rate_range: Some(cpm::MessageRateRange { message_rate_min: rate(1), message_rate_max: rate(10) }),
    };
    let corner = |x: f32, y: f32| CartesianPosition3d { x_m: x.into(), y_m: y.into(), z_m: None };
    let polygon = Polygon::try_from_iter([corner(-20.0, 5.0), corner(20.0, 5.0), corner(0.0, 60.25)]).expect("room");
    let shape = Shape::Polygonal(PolygonalShape { polygon, ..PolygonalShape::default() });
    let sensor = SensorInformation {
        sensor_id: 1,
        sensor_type: cpm::SensorType::Monovideo,
        perception_region_shape: Some(shape.clone()),
        perception_region_confidence_percent: Some(Some(90)),
        shadowing_applies: true,
    };
    let region = PerceptionRegion {
        measurement_delta_time_ms: 0,
        perception_region_confidence_percent: Some(80),
        perception_region_shape: shape,
        shadowing_applies: true,
        sensor_id_list: SensorIds::try_from_iter([1]),
        number_of_perceived_objects: Some(2),
        perceived_object_ids: List::try_from_iter([17, 18]),
    };
    let pedestrian = VruProfileAndSubprofile::Pedestrian(VruSubProfilePedestrian::OrdinaryPedestrian);
    let objects = [
        object(17, -3.25, ObjectClass::Vehicle(StationType::PassengerCar)),
        object(18, 7.5, ObjectClass::Vru(pedestrian)),
    ];
    let perceived_objects = List::try_from_iter(objects).expect("room for two");
    let cpm_containers = CpmContainers {
        originating_rsu: Some(cpm::OriginatingRsuContainer::default()),
        sensor_information: List::try_from_iter([sensor]),
        perception_region: List::try_from_iter([region]),
        perceived_object: Some(PerceivedObjectContainer { number_of_perceived_objects: 2, perceived_objects }),
        ..CpmContainers::default()
    };
    Cpm::new(STATION, CpmPayload { management_container, cpm_containers })
}

fn check(name: &str, message: Message, sample: &str) {
    let bytes = message.to_uper().unwrap_or_else(|error| panic!("{name}: {error}"));
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, sample.trim(), "{name}");
    assert_eq!(Message::decode(&unhex(sample.trim())), Ok(message), "{name}");
}

#[test]
fn cam_of_a_roadside_unit() {
    check("CAM", cam().into(), include_str!("../samples/cam.hex"));
}

#[test]
fn denm_of_a_stationary_vehicle() {
    check("DENM", denm().into(), include_str!("../samples/denm.hex"));
}

#[test]
fn cpm_with_two_objects() {
    check("CPM", cpm().into(), include_str!("../samples/cpm.hex"));
}

#[test]
fn our_messages_keep_the_limits_that_are_not_on_the_wire() {
    assert_eq!((cam().check_limits(), denm().check_limits(), cpm().check_limits()), (Ok(()), Ok(()), Ok(())));
}

#[test]
fn what_the_standards_exclude_is_named() {
    let path_history = Path::try_from_iter([PathPoint::default(); 24]).expect("room for 40");
    let history = BasicVehicleContainerLowFrequency { path_history, ..BasicVehicleContainerLowFrequency::default() };
    let mut cam = cam();
    cam.cam.cam_parameters.low_frequency_container = Some(LowFrequencyContainer::BasicVehicle(history));
    let error = Cam::decode(&cam.to_uper().expect("the bytes can carry it")).expect("decodes").check_limits();
    assert_eq!(&*error.expect_err("24 points").path, "lowFrequencyContainer.pathHistory");

    let mut cancelled = denm();
    cancelled.denm.management.termination = Some(denm::Termination::IsCancellation);
    assert!(cancelled.check_limits().is_err());
    cancelled.denm.situation = None;
    cancelled.denm.location = None;
    cancelled.denm.alacarte = None;
    assert_eq!(cancelled.check_limits(), Ok(()));
    cancelled.denm.management.termination = None;
    assert!(cancelled.check_limits().is_err());

    let mut nameless = cpm();
    let objects = nameless.payload.cpm_containers.perceived_object.as_mut().expect("set above");
    objects.perceived_objects[1].object_id = None;
    let error = nameless.check_limits().expect_err("an object without id");
    assert_eq!(&*error.path, "perceivedObjectContainer.perceivedObjects[1]");
    let mut both = cpm();
    both.payload.cpm_containers.originating_vehicle = Some(cpm::OriginatingVehicleContainer::default());
    assert_eq!(&*both.check_limits().expect_err("vehicle and roadside unit").path, "cpmContainers");
}

#[test]
fn a_value_out_of_its_range_becomes_the_mark_or_an_error() {
    let mut fast = denm();
    let location = fast.denm.location.as_mut().expect("set above");
    location.event_speed = Some(Speed { value_mps: Reading::of(1e6), confidence_mps: Reading::of(0.5) });
    let back = Denm::decode(&fast.to_uper().expect("encodes")).expect("decodes");
    let speed = back.denm.location.and_then(|location| location.event_speed).expect("sent");
    assert_eq!(speed.value_mps, Some(Reading::AboveRange));

    let mut far = cam();
    far.cam.cam_parameters.basic_container.reference_position.latitude_deg = Some(91.0);
    let error = far.to_uper().expect_err("no such latitude");
    let path = ".cam.camParameters.basicContainer.referencePosition.latitude";
    assert_eq!((error.message, &*error.path, error.bit), ("CAM", path, 76));
    far.cam.cam_parameters.basic_container.reference_position.latitude_deg = Some(f64::NAN);
    assert!(far.to_uper().is_err());
}

#[test]
fn a_heading_just_below_a_full_turn_rounds_to_north() {
    let mut denm = denm();
    let location = denm.denm.location.as_mut().expect("set above");
    location.event_position_heading = Some(Wgs84Angle { value_deg: Some(359.97), confidence_deg: None });
    let back = Denm::decode(&denm.to_uper().expect("encodes")).expect("decodes");
    let heading = back.denm.location.and_then(|location| location.event_position_heading).expect("sent");
    assert_eq!(heading.value_deg, Some(0.0));
}
