//! ETSI basic services: when and how messages go out.
//!
//! In: the [`World`], the site map and `now`. Out: [`Draft`]s, messages that are decided but not yet encoded.
//! A facility is asked after every event and says when it next wants to be asked at the latest; it holds no clock.
//! Absent: security, GeoNetworking.

mod accuracy;
pub mod ca;
pub mod cp;
pub mod den;
pub mod dynamics;
mod encode;
#[cfg(test)]
mod fixture;
pub mod infrastructure;
pub mod profile;
pub mod va;

pub(crate) use encode::{Encoded, encode};

use crate::effect::{MessageKind, Provenance};
use crate::event::{EgoState, SourceId};
use crate::world::World;
use crate::world::ldm::Ldm;
use crate::world::signals::Signals;
use crate::world::site::SiteMap;
use crate::world::situation::SituationWatch;
use masa_v2x_proto::Message;
use masa_v2x_proto::cam::Cam;
use masa_v2x_proto::cdd::{Altitude, PosConfidenceEllipse, Reading, ReferencePosition, StationId};
use masa_v2x_proto::denm::Denm;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::vam::Vam;
use profile::StationKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of all facilities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FacilitiesSettings {
    /// What the vehicle is that carries the node.
    pub vehicle: profile::VehicleSettings,
    /// Cooperative awareness.
    pub ca: ca::CaSettings,
    /// Decentralised environmental notification.
    pub den: den::DenSettings,
    /// Collective perception.
    pub cp: cp::CpSettings,
    /// Vulnerable road user awareness.
    pub va: va::VaSettings,
    /// Maps, signals, signs and priority.
    pub infrastructure: infrastructure::InfrastructureSettings,
}

/// A setting outside what the standard or the code allows.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {value}, must be {allowed}")]
pub struct SettingError {
    /// Its path in the configuration.
    pub name: &'static str,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub allowed: &'static str,
}

impl FacilitiesSettings {
    /// Checks what the types do not: ranges of the standards, and numbers that make no sense.
    pub(crate) fn check(&self) -> Result<(), SettingError> {
        let Self { vehicle, ca, den, cp, va, infrastructure } = self;
        let repeated = infrastructure.mapem_interval_ms.min(infrastructure.spatem_interval_ms);
        let at_least = |name, value: f64, least: f64, allowed| {
            // Written so that "not a number" fails too.
            if value >= least && value < 1e9 {
                Ok(())
            } else {
                Err(SettingError { name, value: value.to_string(), allowed })
            }
        };
        at_least("ca.t-gen-cam-ms", ca.t_gen_cam_ms.into(), 1_000.0, "at least 1000 (EN 302 637-2 6.1.4)")?;
        let repeated = repeated.min(infrastructure.ivim_interval_ms).min(infrastructure.signal_timeout_ms);
        at_least("infrastructure intervals and timeout", repeated.into(), 100.0, "at least 100")?;
        at_least("infrastructure.range-m", infrastructure.range_m, 1.0, "at least 1")?;
        at_least("ca.n-gen-cam", ca.n_gen_cam.into(), 1.0, "at least 1 (EN 302 637-2 6.1.3)")?;
        at_least("ca.path-history-error-m", ca.path_history_error_m, 0.1, "at least 0.1")?;
        at_least("ca.path-history-length-m", ca.path_history_length_m, 10.0, "at least 10")?;
        at_least("vehicle.length-m", vehicle.length_m, 0.1, "at least 0.1")?;
        at_least("vehicle.width-m", vehicle.width_m, 0.1, "at least 0.1")?;
        for zone in &ca.protected_zones {
            let name = "ca.protected-zones.radius-m";
            at_least(name, zone.radius_m.into(), 1.0, "1 to 255")?;
            at_least(name, 255.0 - f64::from(zone.radius_m), 0.0, "1 to 255")?;
            at_least("ca.protected-zones.latitude-deg", 90.0 - zone.latitude_deg.abs(), 0.0, "within 90°")?;
            at_least("ca.protected-zones.longitude-deg", 180.0 - zone.longitude_deg.abs(), 0.0, "within 180°")?;
        }
        let zones = ca.protected_zones.len() as f64;
        at_least("ca.protected-zones", ca::MAX_PROTECTED_ZONES as f64 - zones, 0.0, "at most 16 zones")?;
        at_least("va.skip-vams", 10.0 - f64::from(va.skip_vams), 0.0, "0 to 10 (TS 103 300-3 table 16)")?;
        if let Some(cluster) = &va.cluster {
            at_least("va.cluster.num-create-cluster", cluster.num_create_cluster.into(), 2.0, "at least 2")?;
            at_least("va.cluster.max-cluster-distance-m", cluster.max_cluster_distance_m, 0.1, "at least 0.1")?;
            at_least("va.cluster.max-velocity-difference", cluster.max_velocity_difference, 0.0, "not negative")?;
            at_least("va.cluster.max-cluster-size", cluster.max_cluster_size.into(), 2.0, "at least 2")?;
        }
        at_least("cp.t-gen-cpm-min-ms", cp.t_gen_cpm_min_ms.into(), 50.0, "at least 50 (TS 103 324 table F.1)")?;
        let min_ms = cp.t_gen_cpm_min_ms.into();
        at_least("cp.t-gen-cpm-max-ms", cp.t_gen_cpm_max_ms.into(), min_ms, "at least cp.t-gen-cpm-min-ms")?;
        at_least(
            "cp.t-add-sensor-information-ms",
            cp.t_add_sensor_information_ms.into(),
            min_ms,
            "at least cp.t-gen-cpm-min-ms",
        )?;
        at_least("cp.mtu-bytes", cp.mtu_bytes.into(), 200.0, "at least 200")?;
        at_least("den.repetition-interval-ms", den.repetition_interval_ms.into(), 100.0, "at least 100")?;
        at_least("den.validity-duration-s", den.validity_duration_s.into(), 2.0, "at least 2")?;
        for (name, value) in [
            ("cp.min-position-change-m", cp.min_position_change_m),
            ("cp.min-ground-speed-change-mps", cp.min_ground_speed_change_mps),
            ("cp.min-ground-velocity-orientation-change-deg", cp.min_ground_velocity_orientation_change_deg),
            ("den.stationary-after-s", den.stationary_after_s),
            ("den.release-distance-m", den.release_distance_m),
            ("den.max-speed-on-foot-mps", den.max_speed_on_foot_mps),
            ("den.rider-distance-m", den.rider_distance_m),
            ("den.edge-margin-m", den.edge_margin_m),
            ("den.crossing-margin-m", den.crossing_margin_m),
            ("den.clear-after-s", den.clear_after_s),
            ("den.adopt-distance-m", den.adopt_distance_m),
            ("den.update-distance-m", den.update_distance_m),
            ("den.awareness-distance-m", den.awareness_distance_m),
            ("den.negation.clear-after-s", den.negation.as_ref().map_or(0.0, |negation| negation.clear_after_s)),
            ("den.negation.radius-m", den.negation.as_ref().map_or(0.0, |negation| negation.radius_m)),
        ] {
            at_least(name, value, 0.0, "a number that is not negative")?;
        }
        Ok(())
    }
}

/// A sensor that road users are perceived with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sensor {
    pub(crate) source: SourceId,
    pub(crate) kind: SensorKind,
}

/// What kind of sensor it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SensorKind {
    Camera,
    Radar,
    Lidar,
}

/// Who speaks, and from where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Station {
    pub(crate) id: StationId,
    pub(crate) kind: StationKind,
    pub(crate) position: Wgs84,
    /// The position in the site frame.
    pub(crate) reference: Enu,
    pub(crate) frame: SiteFrame,
    /// Cameras first, then radars and lidars: their places, from 1, are their ids in CPMs.
    pub(crate) sensors: Vec<Sensor>,
    /// What each of them sees of the ground, `[east, north]` metres in the site frame, where the site states it.
    pub(crate) footprints: BTreeMap<SourceId, Vec<[f64; 2]>>,
}

impl Station {
    /// The station's surveyed position, as messages carry it.
    pub(crate) fn reference_position(&self) -> ReferencePosition {
        reference_position(self.position, PosConfidenceEllipse::default())
    }
}

/// A WGS 84 position as messages carry it; the accuracy of the height is not known.
pub(crate) fn reference_position(p: Wgs84, ellipse: PosConfidenceEllipse) -> ReferencePosition {
    ReferencePosition {
        latitude_deg: Some(p.lat_deg),
        longitude_deg: Some(p.lon_deg),
        position_confidence_ellipse: ellipse,
        altitude: Altitude { value_m: Reading::of(p.alt_m as f32), ..Altitude::default() },
    }
}

/// What a facility decides by.
pub(crate) struct Scene<'a> {
    pub(crate) now: Timestamp,
    pub(crate) world: &'a World,
    pub(crate) ldm: &'a Ldm,
    /// The shortest interval between two CAMs or VAMs that congestion control allows, milliseconds.
    pub(crate) t_gen_cam_dcc_ms: i64,
    /// Newest state of a mobile station.
    pub(crate) ego: Option<&'a EgoState>,
    pub(crate) signals: &'a Signals,
    pub(crate) map: &'a SiteMap,
    pub(crate) station: &'a Station,
    /// What happens on the road.
    pub(crate) situations: &'a SituationWatch,
}

/// A message that is decided but not encoded.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) content: Content,
    /// Capture time of the newest frame or reading in it.
    pub(crate) captured_at: Option<Timestamp>,
    /// Where it is about.
    pub(crate) position: Wgs84,
    /// When it stops being worth delivering; `None` for the usual lifetime of its kind.
    pub(crate) deadline: Option<Timestamp>,
    /// How it travels over radio links.
    pub(crate) dissemination: Dissemination,
    pub(crate) provenance: Provenance,
}

/// Content of a draft, by kind.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Cam(Box<Cam>),
    Denm(Box<Denm>),
    /// Of another station, with the bytes as received.
    ForwardedDenm {
        denm: Box<Denm>,
        uper: Vec<u8>,
    },
    Vam(Box<Vam>),
    /// MAPEM, SPATEM, IVIM, SREM or SSEM.
    Infrastructure(Box<Message>),
    /// Not segmented yet: may become several messages.
    Cpm(Box<cp::CpmContent>),
}

impl Content {
    pub(crate) fn kind(&self) -> MessageKind {
        match self {
            Self::Cam(_) => MessageKind::Cam,
            Self::Denm(_) | Self::ForwardedDenm { .. } => MessageKind::Denm,
            Self::Cpm(_) => MessageKind::Cpm,
            Self::Vam(_) => MessageKind::Vam,
            Self::Infrastructure(message) => match **message {
                Message::Mapem(_) => MessageKind::Mapem,
                Message::Spatem(_) => MessageKind::Spatem,
                Message::Ivim(_) => MessageKind::Ivim,
                Message::Srem(_) => MessageKind::Srem,
                _ => MessageKind::Ssem,
            },
        }
    }
}

/// A basic service.
pub(crate) trait Facility {
    /// Decides what goes out now, and appends it to `drafts`.
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>);

    /// When it wants to be asked next at the latest.
    fn wake_at(&self) -> Option<Timestamp>;
}
