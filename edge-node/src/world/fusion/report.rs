//! What messages say of road users, as measurements.
//!
//! In: stations and objects of the local dynamic map. Out: [`Report`]s: the middle of the footprint with its covariance, the
//! velocity, class and size. A vehicle's CAM gives the middle of its front (EN 302 637-2 B.2), a CPM the object's reference
//! point as stated.

use super::settings::FusionSettings;
use crate::event::EventId;
use crate::perception::ground::extent_of;
use crate::world::ldm::{Neighbour, ReceivedObject, ReceivedObjectKind};
use crate::world::{RoadUser, Told};
use masa_inference::ObjectClass;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::cdd::{StationId, StationType};
use masa_v2x_proto::geo::{Covariance2, Enu, heading_to_yaw_rad};
use masa_v2x_proto::time::Timestamp;

/// Position of what states no accuracy, metres.
const UNSTATED_SIGMA_M: f64 = 2.0;
/// Velocity of what states one, along and across, m/s.
const VELOCITY_SIGMA_MPS: f64 = 0.3;

/// Who tells of a road user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Teller {
    /// It does itself.
    Station(StationId),
    /// Another station does, under this object id.
    Object(StationId, u16),
}

impl Teller {
    /// The station whose message it is.
    pub fn station(self) -> StationId {
        match self {
            Self::Station(station) | Self::Object(station, _) => station,
        }
    }
}

/// What one message says of one road user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) teller: Teller,
    pub(crate) kind: MessageKind,
    pub(crate) event: EventId,
    pub(crate) measured_at: Timestamp,
    pub(crate) heard_at: Timestamp,
    pub(crate) position: Enu,
    /// All of the error: with a satellite receiver most of it is the same for half a minute.
    pub(in crate::world) sigma: Covariance2,
    pub(crate) velocity_mps: Option<[f64; 2]>,
    pub(crate) yaw_rad: Option<f64>,
    pub(crate) class: Option<ObjectClass>,
    pub(crate) size_m: Option<[f64; 2]>,
}

impl Report {
    /// What a station says of itself; `None` without a position.
    pub(crate) fn of_station(station: &Neighbour, event: EventId, settings: &FusionSettings) -> Option<Self> {
        let class = class_of(station.station_type)?;
        let reference = station.ground?;
        let yaw_rad = station.heading_deg.map(|deg| heading_to_yaw_rad(deg.to_radians()));
        let length_m = station.size_m.map_or(extent_of(class).length_m, |[length_m, _]| length_m);
        let is_vehicle = class.is_vehicle() || class == ObjectClass::Motorcycle;
        // Without a heading nobody knows where its front is: the error is as large.
        let (behind_m, unknown_m) = match (is_vehicle, yaw_rad) {
            (false, _) => (0.0, 0.0),
            (true, Some(_)) => (0.5 * length_m, 0.0),
            (true, None) => (0.0, 0.35 * length_m),
        };
        let (sin, cos) = yaw_rad.unwrap_or_default().sin_cos();
        let stated = station.covariance.unwrap_or(Covariance2::isotropic(UNSTATED_SIGMA_M.powi(2)));
        let least = settings.least_station_sigma_m.powi(2);
        let more = unknown_m * unknown_m;
        Some(Self {
            teller: Teller::Station(station.id),
            kind: station.kind,
            event,
            measured_at: station.generated_at,
            heard_at: station.heard_at,
            position: Enu::ground(reference.e_m - behind_m * cos, reference.n_m - behind_m * sin),
            sigma: Covariance2 {
                ee_m2: stated.ee_m2.max(least) + more,
                en_m2: stated.en_m2,
                nn_m2: stated.nn_m2.max(least) + more,
            },
            velocity_mps: station.speed_mps.zip(yaw_rad).map(|(mps, yaw)| [mps * yaw.cos(), mps * yaw.sin()]),
            yaw_rad,
            class: Some(class),
            size_m: station.size_m,
        })
    }

    /// What another station says of one of its objects.
    pub(crate) fn of_object(object: &ReceivedObject, event: EventId, heard_at: Timestamp) -> Self {
        let velocity_mps = object.velocity_e_mps.zip(object.velocity_n_mps).map(<[f64; 2]>::from);
        Self {
            teller: Teller::Object(object.station, object.object_id),
            kind: MessageKind::Cpm,
            event,
            measured_at: object.measured_at,
            heard_at,
            position: object.position,
            sigma: object.covariance.unwrap_or(Covariance2::isotropic(UNSTATED_SIGMA_M.powi(2))),
            velocity_mps,
            yaw_rad: velocity_mps.filter(|v| v[0].hypot(v[1]) > 1.0).map(|v| v[1].atan2(v[0])),
            class: match object.kind {
                ReceivedObjectKind::Vehicle(station_type) => class_of(station_type),
                ReceivedObjectKind::Vru => Some(ObjectClass::Person),
                ReceivedObjectKind::Other | ReceivedObjectKind::Unknown => None,
            },
            size_m: None,
        }
    }

    pub(crate) fn covariance(&self) -> Covariance2 {
        self.sigma
    }

    pub(crate) fn velocity_covariance(&self) -> Covariance2 {
        let sigma_mps = if self.velocity_mps.is_some() { VELOCITY_SIGMA_MPS } else { 5.0 };
        Covariance2::isotropic(sigma_mps * sigma_mps)
    }

    pub(crate) fn told(&self) -> Told {
        Told {
            teller: self.teller,
            kind: self.kind,
            event: self.event,
            measured_at: self.measured_at,
            heard_at: self.heard_at,
            class: self.class,
            position: self.position,
            sigma: self.sigma,
        }
    }
}

impl RoadUser {
    /// Whether the teller of `report` has another object than this one: a station is one road user, and the objects of one
    /// station are as many.
    pub(super) fn is_told_otherwise(&self, report: &Report) -> bool {
        self.told.iter().any(|told| match (told.teller, report.teller) {
            (Teller::Station(known), Teller::Station(new)) => known != new,
            (Teller::Object(known, _), Teller::Object(new, _)) => known == new,
            _ => false,
        })
    }

    /// Whether nobody knows of it but from its own messages.
    pub(in crate::world) fn is_told_by_itself_alone(&self) -> bool {
        self.sights.is_empty() && self.told.iter().all(|told| matches!(told.teller, Teller::Station(_)))
    }
}

fn class_of(station_type: StationType) -> Option<ObjectClass> {
    Some(match station_type {
        StationType::Pedestrian => ObjectClass::Person,
        StationType::Cyclist => ObjectClass::Bicycle,
        StationType::LightVruVehicle => ObjectClass::EScooter,
        StationType::Moped | StationType::Motorcycle => ObjectClass::Motorcycle,
        StationType::PassengerCar => ObjectClass::Car,
        StationType::LightTruck | StationType::SpecialVehicle => ObjectClass::Van,
        StationType::HeavyTruck | StationType::Trailer => ObjectClass::Truck,
        StationType::Bus => ObjectClass::Bus,
        StationType::Tram => ObjectClass::Tram,
        _ => return None,
    })
}
