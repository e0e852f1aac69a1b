//! What roadside units and connected vehicles say of a snapshot: real CPMs and CAMs, encoded.

use super::Arguments;
use super::site::{Layout, RANGE_M, at};
use anyhow::Context;
use masa_data_room::services::shape::Place;
use masa_data_room::{Kind, Record, Sensitivity, Source, Tenant};
use masa_sim::actor::{Actor, ActorKind};
use masa_sim::random::Seed;
use masa_sim::snapshot::Snapshot;
use masa_v2x_proto::List;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::cam::{
    BasicContainer, BasicVehicleContainerHighFrequency, Cam, CamParameters, HighFrequencyContainer,
};
use masa_v2x_proto::cdd::{
    CartesianAngle, CartesianCoordinateWithConfidence, CartesianPosition3dWithConfidence, Heading, ObjectClass,
    ObjectClassWithConfidence, ObjectDimension, PerceivedObject, Reading, ReferencePosition, Speed, StationId,
    StationType, VehicleLength, Velocity3d, VelocityPolarWithZ, VruProfileAndSubprofile, VruSubProfileBicyclist,
};
use masa_v2x_proto::cpm::{Cpm, CpmContainers, CpmPayload, ManagementContainer, PerceivedObjectContainer};
use masa_v2x_proto::geo::{Enu, SiteFrame, yaw_to_heading_rad};
use rand::RngExt;
use rand_distr::{Distribution, Normal};
use rand_pcg::Pcg64Mcg;

/// Number of the first roadside unit; connected vehicles have their actor's number and one million.
const FIRST_UNIT: u32 = 4_000;
const FIRST_VEHICLE: u32 = 1_000_000;
/// Deviation of speeds, m/s.
const SPEED_NOISE_MPS: f64 = 0.2;
/// An object is missing in so many of a thousand messages.
const MISSED: u32 = 20;

/// The stations of the town.
pub(crate) struct Units {
    places: Vec<Place>,
    frame: SiteFrame,
    noise: Normal<f64>,
    speed_noise: Normal<f64>,
    luck: Pcg64Mcg,
    messages: u64,
    bytes: u64,
}

impl Units {
    pub(crate) fn new(layout: &Layout, arguments: &Arguments) -> Self {
        let normal = |deviation: f64| Normal::new(0.0, deviation.max(0.0)).expect("a finite deviation");
        Self {
            places: layout.units.clone(),
            frame: layout.site.frame(),
            noise: normal(arguments.noise_m),
            speed_noise: normal(SPEED_NOISE_MPS),
            luck: Seed(arguments.seed).stream("traffic-flow-units", 0),
            messages: 0,
            bytes: 0,
        }
    }

    pub(crate) const fn messages(&self) -> u64 {
        self.messages
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Every message of a moment.
    pub(crate) fn speak(&mut self, snapshot: &Snapshot) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        for (number, place) in (FIRST_UNIT..).zip(self.places.clone()) {
            let near =
                |actor: &&Actor| (actor.pose.position.x - place[0]).hypot(actor.pose.position.y - place[1]) <= RANGE_M;
            let objects: Vec<_> = snapshot.actors.iter().filter(near).collect();
            let cpm = self.cpm(number, place, &objects, snapshot.time_s)?;
            let mut bytes = vec![0; 16_384];
            let length = cpm.encode(&mut bytes)?;
            records.push(self.record(number, MessageKind::Cpm, bytes[..length].to_vec(), snapshot.time_s));
        }
        for actor in snapshot.actors.iter().filter(|actor| actor.connected) {
            let cam = self.cam(actor, snapshot.time_s);
            let mut bytes = vec![0; 1_024];
            let length = cam.encode(&mut bytes)?;
            records.push(self.record(
                cam.header.station_id.0,
                MessageKind::Cam,
                bytes[..length].to_vec(),
                snapshot.time_s,
            ));
        }
        Ok(records)
    }

    fn record(&mut self, station: u32, kind: MessageKind, payload: Vec<u8>, time_s: f64) -> Record {
        self.messages += 1;
        self.bytes += payload.len() as u64;
        Record {
            arrival: 0,
            tenant: Tenant::default(),
            source: Source { site: "town".into(), station },
            kind: Kind::V2x(kind),
            epoch: 0,
            sequence: self.messages,
            message_id: String::new(),
            entity: String::new(),
            measured_at: at(time_s),
            received_at: at(time_s),
            position: None,
            sensitivity: Sensitivity::Personal,
            topic: String::new(),
            payload: payload.into(),
        }
    }

    fn reference(&self, place: Place) -> ReferencePosition {
        let earth = self.frame.to_wgs84(Enu::ground(place[0], place[1]));
        let (latitude_deg, longitude_deg) = (Some(earth.lat_deg), Some(earth.lon_deg));
        ReferencePosition { latitude_deg, longitude_deg, ..ReferencePosition::default() }
    }

    fn cpm(&mut self, number: u32, place: Place, actors: &[&Actor], time_s: f64) -> anyhow::Result<Cpm> {
        let management = ManagementContainer {
            reference_time: at(time_s).into(),
            reference_position: self.reference(place),
            ..ManagementContainer::default()
        };
        let objects: Vec<_> = actors.iter().filter_map(|actor| self.object(actor, place)).collect();
        let container = PerceivedObjectContainer {
            number_of_perceived_objects: u8::try_from(objects.len()).unwrap_or(u8::MAX),
            perceived_objects: List::try_from_iter(objects).context("more objects than a CPM holds")?,
            ..PerceivedObjectContainer::default()
        };
        let cpm_containers = CpmContainers { perceived_object: Some(container), ..CpmContainers::default() };
        let payload = CpmPayload { management_container: management, cpm_containers, ..CpmPayload::default() };
        Ok(Cpm::new(StationId(number), payload))
    }

    fn object(&mut self, actor: &Actor, place: Place) -> Option<PerceivedObject> {
        if self.luck.random_range(0..1_000u32) < MISSED {
            return None;
        }
        let coordinate = |value_m: f64| CartesianCoordinateWithConfidence {
            value_m: Reading::Value(value_m as f32),
            ..CartesianCoordinateWithConfidence::default()
        };
        let [x, y] =
            [0, 1].map(|axis| coordinate(actor.pose.position[axis] - place[axis] + self.noise.sample(&mut self.luck)));
        let speed = (actor.speed_mps + self.speed_noise.sample(&mut self.luck)).max(0.0);
        let degrees = actor.pose.yaw_rad.to_degrees().rem_euclid(360.0) as f32;
        let value_m = Reading::of((actor.size.length_m.min(25.4)) as f32);
        Some(PerceivedObject {
            object_id: Some((actor.id.0 & 0xffff) as u16),
            position: CartesianPosition3dWithConfidence { x, y, z: None },
            velocity: Some(Velocity3d::Polar(VelocityPolarWithZ {
                velocity_magnitude: Speed { value_mps: Reading::of(speed as f32), confidence_mps: None },
                velocity_direction: CartesianAngle { value_deg: Some(degrees % 360.0), confidence_deg: None },
                z_velocity: None,
            })),
            object_dimension_x: Some(ObjectDimension { value_m, confidence_m: None }),
            classification: List::try_from_iter([ObjectClassWithConfidence {
                object_class: class(actor.kind),
                confidence_percent: Some(90),
            }]),
            ..PerceivedObject::default()
        })
    }

    fn cam(&mut self, actor: &Actor, time_s: f64) -> Cam {
        let (sin, cos) = actor.pose.yaw_rad.sin_cos();
        let half_m = actor.size.length_m / 2.0;
        // The middle of the front.
        let front = [actor.pose.position.x + cos * half_m, actor.pose.position.y + sin * half_m];
        let place = front.map(|v| v + 3.0 * self.noise.sample(&mut self.luck));
        let heading_deg = yaw_to_heading_rad(actor.pose.yaw_rad).to_degrees() as f32;
        let station_type = match class(actor.kind) {
            ObjectClass::Vehicle(station_type) => station_type,
            _ => StationType::Cyclist,
        };
        let motion = BasicVehicleContainerHighFrequency {
            heading: Heading { value_deg: Some(heading_deg % 360.0), confidence_deg: None },
            speed: Speed { value_mps: Reading::of(actor.speed_mps.max(0.0) as f32), confidence_mps: None },
            vehicle_length: VehicleLength {
                value_m: Reading::of(actor.size.length_m as f32),
                ..VehicleLength::default()
            },
            ..BasicVehicleContainerHighFrequency::default()
        };
        let parameters = CamParameters {
            basic_container: BasicContainer {
                station_type,
                reference_position: self.reference(place),
                ..BasicContainer::default()
            },
            high_frequency_container: HighFrequencyContainer::BasicVehicle(motion),
            ..CamParameters::default()
        };
        Cam::new(StationId(FIRST_VEHICLE + actor.id.0 % FIRST_VEHICLE), at(time_s), parameters)
    }
}

fn class(kind: ActorKind) -> ObjectClass {
    match kind {
        ActorKind::Van => ObjectClass::Vehicle(StationType::LightTruck),
        ActorKind::Truck => ObjectClass::Vehicle(StationType::HeavyTruck),
        ActorKind::Bus => ObjectClass::Vehicle(StationType::Bus),
        ActorKind::Tram => ObjectClass::Vehicle(StationType::Tram),
        ActorKind::Motorcycle => ObjectClass::Vehicle(StationType::Motorcycle),
        ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => {
            ObjectClass::Vru(VruProfileAndSubprofile::BicyclistAndLightVruVehicle(VruSubProfileBicyclist::Bicyclist))
        }
        _ => ObjectClass::Vehicle(StationType::PassengerCar),
    }
}
