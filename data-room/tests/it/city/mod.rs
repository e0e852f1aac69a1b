//! A small city for tests: one record of everything that is published, and the schemas it must fit.
#![allow(clippy::unwrap_used)]

use crate::support::messages;
use bytes::Bytes;
use masa_data_room::entity::{
    CrowdFlow, Entity, EntityKind, Form, Geometry, Lamp, LampState, Origin, Position, Projection, TrafficFlow,
};
use masa_data_room::{Kind, Record, Sensitivity, Source, Tenant};
use masa_v2x_proto::cam::{
    BasicContainer, BasicVehicleContainerHighFrequency, Cam, CamParameters, HighFrequencyContainer,
};
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::cpm::{Cpm, CpmContainers, CpmPayload, ManagementContainer, PerceivedObjectContainer};
use masa_v2x_proto::dsrc::{IntersectionReferenceId, Position3D, SignalGroupId, TimeMark};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::ivim::{EuVehicleCategoryCode, EuVehicleCategoryM};
use masa_v2x_proto::mapem::{
    AllowedManeuvers, Connection, GenericLane, IntersectionGeometry, LaneAttributes, LaneAttributesVehicle,
    LaneDirection, LaneSharing, LaneTypeAttributes, Mapem, Node,
};
use masa_v2x_proto::poim::{
    OccupancyInformation, ParkingArea, ParkingAreaArrangementType, ParkingSpaceBasic, ParkingSpaceStatus,
};
use masa_v2x_proto::spatem::{
    IntersectionState, IntersectionStatus, MovementEvent, MovementPhaseState, MovementState, Spatem, TimeChangeDetails,
};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::uper::Null;
use masa_v2x_proto::{List, MessageKind};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// The moment of the tests.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_ms(1_795_356_200_000);
/// The middle of the junction.
pub(crate) const HERE: Wgs84 = Wgs84 { lat_deg: 44.655_54, lon_deg: 10.934_315, alt_m: 34.0 };

/// The path of a data file: `MASA_TEST_DATA`, else `../shared/data` beside the workspace; `None` after saying that `test`
/// is skipped.
pub(crate) fn data_path(name: &str, test: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MASA_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {test}: {} is missing", path.display());
    None
}

/// Python with these modules, or `None` after saying that `test` is skipped.
pub(crate) fn python(modules: &[&str], test: &str) -> Option<Command> {
    let program = std::env::var_os("MASA_PYTHON").unwrap_or_else(|| "python3".into());
    let import = format!("import {}", modules.join(", "));
    let works = Command::new(&program).args(["-c", &import]).output().is_ok_and(|out| out.status.success());
    if works {
        return Some(Command::new(program));
    }
    println!("skipped: {test}: Python with {} is missing", modules.join(", "));
    None
}

pub(crate) fn tenant() -> Tenant {
    Tenant::new("modena").unwrap()
}

/// A record of station 7 at [`HERE`].
pub(crate) fn record(kind: Kind, entity: &str, payload: impl Into<Bytes>, at: Timestamp) -> Record {
    use MessageKind::{Cam, Cpm, Vam};
    let personal = matches!(kind, Kind::V2x(Cam | Cpm | Vam));
    Record {
        arrival: 0,
        tenant: tenant(),
        source: Source { site: "junction-1".into(), station: 7 },
        kind,
        epoch: 1,
        sequence: at.unix_ms() as u64,
        message_id: format!("7-{}-1", kind.name()),
        entity: entity.into(),
        measured_at: at,
        received_at: at.plus_ms(20),
        position: Some(HERE),
        sensitivity: if personal { Sensitivity::Personal } else { Sensitivity::Open },
        topic: String::new(),
        payload: payload.into(),
    }
}

/// The CAM of a car driving north-east at 10 m/s.
pub(crate) fn cam(station: u32, at: Timestamp) -> Vec<u8> {
    let motion = BasicVehicleContainerHighFrequency {
        heading: Heading { value_deg: Some(45.0), ..Heading::default() },
        speed: Speed { value_mps: Reading::of(10.0), ..Speed::default() },
        ..BasicVehicleContainerHighFrequency::default()
    };
    let basic = BasicContainer {
        station_type: StationType::PassengerCar,
        reference_position: messages::place(HERE),
        ..BasicContainer::default()
    };
    let parameters = CamParameters {
        basic_container: basic,
        high_frequency_container: HighFrequencyContainer::BasicVehicle(motion),
        ..CamParameters::default()
    };
    Cam::new(StationId(station), at, parameters).to_uper().unwrap()
}

/// A CPM with a car 20 m east, driving north, and a pedestrian 5 m north.
pub(crate) fn cpm(at: Timestamp) -> Vec<u8> {
    let coordinate = |m: f32| CartesianCoordinateWithConfidence { value_m: m.into(), confidence_m: Reading::of(0.5) };
    let object = |id: u16, x: f32, y: f32, class: ObjectClass, vy: f32| PerceivedObject {
        object_id: Some(id),
        position: CartesianPosition3dWithConfidence { x: coordinate(x), y: coordinate(y), z: None },
        velocity: Some(Velocity3d::Cartesian(VelocityCartesian {
            x_velocity: VelocityComponent { value_mps: Reading::of(0.0), ..VelocityComponent::default() },
            y_velocity: VelocityComponent { value_mps: Reading::of(vy), ..VelocityComponent::default() },
            z_velocity: None,
        })),
        classification: List::try_from_iter([ObjectClassWithConfidence {
            object_class: class,
            confidence_percent: Some(90),
        }]),
        object_age_ms: Some(1_200),
        ..PerceivedObject::default()
    };
    let pedestrian = VruProfileAndSubprofile::Pedestrian(VruSubProfilePedestrian::OrdinaryPedestrian);
    let objects = [
        object(1, 20.0, 0.0, ObjectClass::Vehicle(StationType::PassengerCar), 8.0),
        object(2, 0.0, 5.0, ObjectClass::Vru(pedestrian), 1.2),
    ];
    let container = PerceivedObjectContainer {
        number_of_perceived_objects: 2,
        perceived_objects: List::try_from_iter(objects).unwrap(),
        ..PerceivedObjectContainer::default()
    };
    let payload = CpmPayload {
        management_container: ManagementContainer {
            reference_time: at.into(),
            reference_position: messages::place(HERE),
            ..ManagementContainer::default()
        },
        cpm_containers: CpmContainers { perceived_object: Some(container), ..CpmContainers::default() },
        ..CpmPayload::default()
    };
    Cpm::new(StationId(7), payload).to_uper().unwrap()
}

/// The DENM of an event of station 7, valid for ten minutes; `is_over` ends it.
pub(crate) fn denm(number: u16, cause: u8, detected_at: Timestamp, at: Timestamp, is_over: bool) -> Vec<u8> {
    let position = Wgs84 { lat_deg: HERE.lat_deg + 0.0001 * f64::from(number), ..HERE };
    messages::denm(7, number, cause, messages::place(position), messages::Told { detected_at, at, is_over })
}

const INTERSECTION: IntersectionReferenceId = IntersectionReferenceId { region: Some(39), id: 101 };

/// The MAPEM of a junction with one lane in, obeying signal group 3, and one out.
pub(crate) fn mapem(at: Timestamp) -> Vec<u8> {
    let lane = |id: u8, direction: LaneDirection, nodes: [(f32, f32); 2]| {
        let nodes = nodes.map(|(x, y)| Node::from_offset(x, y).unwrap());
        let vehicles = LaneTypeAttributes::Vehicle(LaneAttributesVehicle::default());
        let attributes = LaneAttributes::new(direction, LaneSharing::default(), vehicles);
        GenericLane::new(id, attributes, List::try_from_iter(nodes).unwrap())
    };
    let mut into = lane(1, LaneDirection::INGRESS_PATH, [(0.0, -10.0), (0.0, -50.0)]);
    let way = Connection::new(2, AllowedManeuvers::STRAIGHT_ALLOWED, Some(SignalGroupId(3)));
    into.connects_to = List::try_from_iter([way]);
    let out = lane(2, LaneDirection::EGRESS_PATH, [(0.0, 10.0), (0.0, 50.0)]);
    let lanes = List::try_from_iter([into, out]).unwrap();
    let reference = Position3D::new(HERE.lat_deg, HERE.lon_deg);
    let geometry = IntersectionGeometry::new(INTERSECTION, 1, reference, lanes);
    Mapem::new(StationId(7), at, 1, List::try_from_iter([geometry]).unwrap()).to_uper().unwrap()
}

/// A SPATEM: signal group 3 shows green for ten more seconds.
pub(crate) fn spatem(at: Timestamp) -> Vec<u8> {
    let timing =
        TimeChangeDetails { min_end_time: TimeMark::of(at.plus_ms(10_000), at), ..TimeChangeDetails::default() };
    let event = MovementEvent::new(MovementPhaseState::ProtectedMovementAllowed, timing);
    let movement = MovementState::new(SignalGroupId(3), List::try_from_iter([event]).unwrap());
    let status = IntersectionStatus::FIXED_TIME_OPERATION;
    let state = IntersectionState::new(INTERSECTION, 1, status, at, List::try_from_iter([movement]).unwrap());
    Spatem::new(StationId(7), at, List::try_from_iter([state]).unwrap()).to_uper().unwrap()
}

/// A POIM: a place with two spaces, one free.
pub(crate) fn poim(at: Timestamp) -> Vec<u8> {
    let here = GeoPosition { latitude_deg: Some(HERE.lat_deg), longitude_deg: Some(HERE.lon_deg), altitude_m: None };
    let occupancy =
        OccupancyInformation { free_spaces: Some(1), total_spaces: Some(2), ..OccupancyInformation::default() };
    let space = |id: u16, status| ParkingSpaceBasic { id, location: None, status };
    let spaces = [space(1, ParkingSpaceStatus::Free(Null)), space(2, ParkingSpaceStatus::FullyOccupied(Null))];
    let area = ParkingArea {
        id: 4,
        current_occupancy: occupancy,
        location: here,
        level: 0,
        arrangement_type: ParkingAreaArrangementType::Parallel,
        boundary: None,
        orientation: None,
        access_via_lane: None,
        allowed_vehicle_categories: List::try_from_iter([EuVehicleCategoryCode::M(EuVehicleCategoryM::M1)]).unwrap(),
        not_allowed_engine_characteristics: None,
        allowed_load_types: None,
        not_allowed_load_types: None,
        height_restriction_m: None,
        reservation_type: None,
        pricing_information: None,
        payment_information: None,
        booking_contact_info: None,
        access_characteristics: None,
        free_spaces_position: None,
        free_spaces_id: None,
        spaces_basic: List::try_from_iter(spaces),
        spaces_detailed: None,
    };
    messages::poim(7, (here, "Via Emilia"), occupancy, Some(area), at)
}

/// The results of city services: counts, a lamp.
pub(crate) fn services(at: Timestamp) -> Vec<Entity> {
    let origin = Origin { site: "junction-1".into(), station: 7, message: "flow-1".into(), received_at: at };
    let here = Position::from(HERE);
    let from = at.plus_ms(-300_000);
    let traffic = TrafficFlow {
        name: "lane-1".into(),
        geometry: Geometry::LineString(vec![here, here.moved_m(0.0, 40.0)]),
        from,
        to: at,
        vehicles: 74,
        mean_speed_mps: Some(10.6),
        occupancy: Some(0.18),
        mean_headway_s: Some(4.1),
        lane: Some(1),
        vehicle_type: Some("car"),
        is_congested: false,
    };
    let crowd = CrowdFlow {
        name: "crossing-1".into(),
        geometry: Geometry::Point(here),
        from,
        to: at,
        people: [12, 30],
        mean_speed_mps: Some(1.3),
        is_congested: false,
    };
    let lamp = Lamp {
        name: "lamp-1".into(),
        position: here,
        state: LampState::Low,
        brightness: Some(0.4),
        power_w: Some(31.0),
        at,
    };
    vec![traffic.entity(&origin), crowd.entity(&origin), lamp.entity(&origin)]
}

/// One record of everything, measured within the last two seconds before `at`.
pub(crate) fn records(at: Timestamp) -> Vec<Record> {
    use MessageKind::{Cam, Cpm, Denm, Mapem, Poim, Spatem};
    let v2x = |kind, entity: &str, bytes| record(Kind::V2x(kind), entity, bytes, at.plus_ms(-100));
    let reading = |sensor: &str, quantity: &str, value: f64| {
        let payload = json!({ "sensor": sensor, "quantity": quantity, "value": value }).to_string();
        record(Kind::Observation, &format!("{sensor}-{quantity}"), payload, at.plus_ms(-1_000))
    };
    let mut records = vec![
        v2x(Mapem, "39-101", mapem(at)),
        v2x(Spatem, "39-101", spatem(at)),
        v2x(Cam, "4711", cam(4711, at)),
        v2x(Cpm, "7", cpm(at)),
        v2x(Denm, "7-1", denm(1, 2, at, at, false)),
        v2x(Denm, "7-2", denm(2, 3, at, at, false)),
        v2x(Denm, "7-3", denm(3, 14, at, at, false)),
        v2x(Poim, "1", poim(at)),
        reading("mast 1", "no2", 41.3),
        reading("mast 1", "pm10", 22.0),
        reading("mast 1", "air-temperature", 18.25),
        reading("mast 1", "relative-humidity", 55.0),
        reading("mast 1", "rain-intensity", 0.5),
        reading("mast 1", "noise", 63.2),
    ];
    for entity in services(at.plus_ms(-500)) {
        let document = entity.to_json(Form::KeyValues, &[]).to_string();
        records.push(record(Kind::Service, &entity.id, document, entity.observed_at));
    }
    for (number, record) in records.iter_mut().enumerate() {
        record.sequence = number as u64 + 1;
        record.message_id = format!("7-{}-{}", record.kind.name(), number + 1);
    }
    records
}

/// Everything of [`records`] as entities, the newest of each.
pub(crate) fn entities(at: Timestamp) -> Vec<Entity> {
    let mut projection = Projection::default();
    let all = records(at).iter().flat_map(|record| projection.take(record)).collect::<Vec<_>>();
    let mut newest = std::collections::BTreeMap::new();
    for entity in all {
        newest.insert(entity.id.clone(), entity);
    }
    newest.into_values().collect()
}

/// The Smart Data Models' schemas.
pub(crate) struct Schemas {
    schemas: boon::Schemas,
    indices: Vec<(EntityKind, boon::SchemaIndex)>,
}

impl Schemas {
    /// Loads them from the test data, or says that `test` is skipped.
    pub(crate) fn load(test: &str) -> Option<Self> {
        let root = data_path("schemas", test)?;
        let read = |path: &str| -> Value { serde_json::from_slice(&std::fs::read(root.join(path)).unwrap()).unwrap() };
        let mut compiler = boon::Compiler::new();
        compiler.enable_format_assertions();
        let models = "https://smart-data-models.github.io";
        let raw = "https://raw.githubusercontent.com/smart-data-models/dataModel.Environment/master";
        for (address, path) in [
            (format!("{models}/data-models/common-schema.json"), "common-schema.json"),
            (format!("{models}/dataModel.Alert/alert-schema.json"), "Alert/alert-schema.json"),
            (format!("{models}/dataModel.Weather/weather-schema.json"), "Weather/weather-schema.json"),
            (format!("{models}/dataModel.Environment/Environment-schema.json"), "Environment/Environment-schema.json"),
            (format!("{raw}/Environment-schema.json"), "Environment/Environment-schema.json"),
        ] {
            let mut schema = read(path);
            schema.as_object_mut().unwrap().remove("$id");
            compiler.add_resource(&address, schema).unwrap();
        }
        let mut schemas = boon::Schemas::new();
        let mut indices = Vec::new();
        for kind in EntityKind::ALL.iter().filter(|kind| kind.domain() != "MASA") {
            let address = format!("urn:schema:{}", kind.name());
            let mut schema = read(&format!("{}/{}/schema.json", kind.domain(), kind.name()));
            schema.as_object_mut().unwrap().remove("$id");
            compiler.add_resource(&address, schema).unwrap();
            indices.push((*kind, compiler.compile(&address, &mut schemas).unwrap()));
        }
        Some(Self { schemas, indices })
    }

    /// What is wrong with the key-values of an entity, in words; nothing for types without a schema.
    pub(crate) fn complaint(&self, kind: EntityKind, image: &Value) -> Option<String> {
        let (_, index) = self.indices.iter().find(|(known, _)| *known == kind)?;
        self.schemas.validate(image, *index).err().map(|error| format!("{error:#}"))
    }
}
