//! Radars and lidars of stations at the roadside.

use crate::sensors::lidar::LidarSettings as LidarDevice;
use crate::sensors::radar::RadarSettings as RadarDevice;
use serde::{Deserialize, Serialize};

/// A radar of a station: a `[[station.radar]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RadarSettings {
    /// Name, unique among the sensors of the station.
    pub id: String,
    /// Where it hangs, `[east, north, up]` metres.
    pub position_m: [f64; 3],
    /// The point of the ground that its x axis points over, `[east, north]` metres.
    pub look_at_m: [f64; 2],
    /// From the measurement to the core, milliseconds.
    #[serde(default = "default_radar_latency_ms")]
    pub latency_ms: f64,
    /// What its node believes it of, corners in order, `[east, north]` metres; empty: everything.
    #[serde(default)]
    pub footprint_m: Vec<[f64; 2]>,
    /// The device.
    #[serde(default)]
    pub device: RadarDevice,
}

fn default_radar_latency_ms() -> f64 {
    40.0
}

/// A lidar of a station: a `[[station.lidar]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LidarSettings {
    /// Name, unique among the sensors of the station.
    pub id: String,
    /// Where it hangs, `[east, north, up]` metres.
    pub position_m: [f64; 3],
    /// The point of the ground that its x axis points over, `[east, north]` metres.
    pub look_at_m: [f64; 2],
    /// How far it points down, degrees.
    #[serde(default)]
    pub down_deg: f64,
    /// From the middle of a turn to the core, segmentation included, milliseconds.
    #[serde(default = "default_lidar_latency_ms")]
    pub latency_ms: f64,
    /// What its node believes it of, corners in order, `[east, north]` metres; empty: everything.
    #[serde(default)]
    pub footprint_m: Vec<[f64; 2]>,
    /// The device.
    #[serde(default)]
    pub device: LidarDevice,
}

fn default_lidar_latency_ms() -> f64 {
    90.0
}
