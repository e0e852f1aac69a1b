//! Cooperative awareness (EN 302 637-2, TS 103 900): a station says that it is there.
//!
//! In: `now`, and the movement of a vehicle. Out: CAMs. A roadside unit sends one per interval; a vehicle when its movement
//! has changed, with its path history and what its role adds. Absent: dead reckoning between two states of the vehicle.

mod containers;
mod generation;
mod path_history;
mod rsu;
#[cfg(test)]
mod tests;
mod vehicle;

pub(crate) use containers::{ego_acceleration, ego_heading, ego_position, ego_speed};
pub use generation::{CamTiming, Due, T_GEN_CAM_MAX_MS, T_GEN_CAM_MIN_MS};
pub use path_history::PathHistory;

use super::profile::{Profile, StationKind, VehicleSettings};
use super::{Content, Draft, Facility, Scene};
use crate::effect::Provenance;
use crate::world::Drops;
use masa_v2x_proto::cam::Cam;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use rsu::RsuCa;
use serde::{Deserialize, Serialize};
use vehicle::VehicleCa;

/// Shortest interval between two CAMs of a roadside unit (EN 302 637-2 6.1.4), milliseconds.
pub const MIN_INTERVAL_MS: u32 = 1_000;
/// Most protected zones in a CAM.
pub const MAX_PROTECTED_ZONES: usize = 16;

/// When CAMs go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CaSettings {
    /// Interval between two CAMs of a roadside unit, milliseconds, at least 1,000 (EN 302 637-2 6.1.4). At least one must
    /// fall into the time a vehicle spends in reach.
    pub t_gen_cam_ms: u32,
    /// Zones near a roadside unit in which vehicles must limit their radio emissions: toll stations.
    pub protected_zones: Vec<ProtectedZoneSettings>,
    /// `N_GenCam`: CAMs of a vehicle in a row that keep the interval of the last change of movement, 1 to 10.
    pub n_gen_cam: u8,
    /// A vehicle falls silent when its own state is older than this, milliseconds.
    pub ego_timeout_ms: u32,
    /// The path history stays this close to the driven path, metres.
    pub path_history_error_m: f64,
    /// The path history reaches back this far, metres.
    pub path_history_length_m: f64,
}

/// A zone in which vehicles must limit their radio emissions (`ProtectedCommunicationZone`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProtectedZoneSettings {
    /// Centre, degrees north.
    pub latitude_deg: f64,
    /// Centre, degrees east.
    pub longitude_deg: f64,
    /// Radius, metres, 1 to 255.
    pub radius_m: u32,
    /// Identifier in the operator's register.
    pub id: Option<u32>,
}

impl Default for CaSettings {
    fn default() -> Self {
        Self {
            t_gen_cam_ms: MIN_INTERVAL_MS,
            protected_zones: Vec::new(),
            n_gen_cam: 3,
            ego_timeout_ms: 1_500,
            path_history_error_m: 0.5,
            path_history_length_m: 500.0,
        }
    }
}

/// The cooperative awareness service.
#[derive(Clone, Debug)]
pub(crate) enum CaService {
    /// Of a roadside unit.
    Rsu(RsuCa),
    /// Of a vehicle.
    Vehicle(Box<VehicleCa>),
    /// A vulnerable road user sends VAMs instead.
    Off,
}

impl CaService {
    pub(crate) fn new(kind: StationKind, settings: &CaSettings, vehicle: &VehicleSettings) -> Self {
        match kind.profile() {
            Profile::Roadside => Self::Rsu(RsuCa::new(settings)),
            Profile::Vehicle => Self::Vehicle(Box::new(VehicleCa::new(settings.clone(), vehicle.clone()))),
            Profile::Vru => Self::Off,
        }
    }

    /// Forgets where the station came from, which would lead to its former pseudonym.
    pub(crate) fn forget_path(&mut self) {
        if let Self::Vehicle(vehicle) = self {
            vehicle.forget_path();
        }
    }

    /// What was left out; only a vehicle leaves anything out.
    pub(crate) fn drops(&self) -> Option<&Drops> {
        match self {
            Self::Vehicle(vehicle) => Some(vehicle.drops()),
            Self::Rsu(_) | Self::Off => None,
        }
    }
}

impl Facility for CaService {
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        match self {
            Self::Rsu(rsu) => rsu.evaluate(scene, drafts),
            Self::Vehicle(vehicle) => vehicle.evaluate(scene, drafts),
            Self::Off => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Rsu(rsu) => rsu.wake_at(),
            Self::Vehicle(vehicle) => vehicle.wake_at(),
            Self::Off => None,
        }
    }
}

fn draft(cam: Cam, rule: String, captured_at: Option<Timestamp>, position: Wgs84) -> Draft {
    Draft {
        content: Content::Cam(Box::new(cam)),
        captured_at,
        position,
        deadline: None,
        dissemination: Dissemination::default(),
        provenance: Provenance { rule, objects: Vec::new() },
    }
}
