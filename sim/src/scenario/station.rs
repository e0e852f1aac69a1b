//! Stations at the roadside: where they stand, what they see with, by which rules they speak.

use super::ranging::{LidarSettings, RadarSettings};
use masa_edge_node::event::Quantity;
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::perception::georeference::online::DriftPolicy;
use masa_edge_node::perception::ground::MotionSettings;
use masa_edge_node::perception::tracking::TrackerSettings;
use masa_edge_node::world::WorldSettings;
use masa_edge_node::world::site::ZoneSettings;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A station at the roadside: a `[[station]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StationSettings {
    /// Name in the scenario.
    pub id: String,
    /// ETSI station id.
    pub station_id: u32,
    /// Where its antenna stands, `[east, north, up]` metres.
    pub position_m: [f64; 3],
    /// Its cameras.
    #[serde(default, rename = "camera")]
    pub cameras: Vec<CameraSettings>,
    /// Its radars.
    #[serde(default, rename = "radar")]
    pub radars: Vec<RadarSettings>,
    /// Its lidars.
    #[serde(default, rename = "lidar")]
    pub lidars: Vec<LidarSettings>,
    /// What the road operator lets it announce.
    #[serde(default, rename = "announcement")]
    pub announcements: Vec<AnnouncementSettings>,
    /// Its environmental sensors.
    #[serde(default, rename = "sensor")]
    pub sensors: Vec<SensorSettings>,
    /// Where its zones come from.
    #[serde(default)]
    pub zones_from: ZonesFrom,
    /// Zones besides those.
    #[serde(default, rename = "zone")]
    pub zones: Vec<ZoneSettings>,
    /// Whether it is told what the signals of the map show, and tells drivers (MAPEM, SPATEM).
    #[serde(default)]
    pub signals: bool,
    /// The rules by which its messages go out.
    #[serde(default)]
    pub facilities: FacilitiesSettings,
    /// How it makes road users of what it sees and hears.
    #[serde(default)]
    pub world: WorldSettings,
}

/// An event that the road operator knows of and the station is to announce (DENM).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnnouncementSettings {
    /// From when on, seconds.
    pub at_s: f64,
    /// `CauseCodeType` (TS 102 894-2): 3 road works, 10 obstacle, 11 animal, …
    pub cause_code: u8,
    /// Where, `[east, north]` metres.
    pub position_m: [f64; 2],
    /// How long it holds, seconds.
    pub validity_s: u32,
    /// How far it matters, metres.
    #[serde(default = "default_awareness_m")]
    pub awareness_m: f64,
}

fn default_awareness_m() -> f64 {
    500.0
}

/// An environmental sensor of a station: measures the weather of the scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SensorSettings {
    /// Name, unique at the station.
    pub id: String,
    /// What it measures.
    pub quantity: Quantity,
    /// Interval of its readings, seconds.
    #[serde(default = "default_interval_s")]
    pub interval_s: f64,
    /// Its errors, as a multiple of a usual instrument's.
    #[serde(default = "default_error")]
    pub error: f64,
}

fn default_interval_s() -> f64 {
    1.0
}

fn default_error() -> f64 {
    1.0
}

/// Where the zones of a station come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZonesFrom {
    /// The lanes, pavements and crossings of the map within 150 m.
    #[default]
    Map,
    /// Only the zones that the scenario lists.
    Scenario,
}

/// A camera of a station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraSettings {
    /// Name, unique at the station.
    pub id: String,
    /// Where it hangs, `[east, north, up]` metres.
    pub position_m: [f64; 3],
    /// The point of the ground in the middle of its picture, `[east, north]` metres.
    pub look_at_m: [f64; 2],
    /// Its lens and image.
    #[serde(default)]
    pub lens: LensSettings,
    /// Pictures a second; their interval must be a multiple of the step.
    #[serde(default = "default_rate_hz")]
    pub rate_hz: f64,
    /// What finds objects in its pictures.
    #[serde(default)]
    pub detector: DetectorKind,
    /// A model description of the user's own; absent: the shipped detector.
    pub model: Option<PathBuf>,
    /// How long a picture takes to reach the core.
    #[serde(default)]
    pub latency: LatencyModel,
    /// What its node does when traffic says that it has turned.
    #[serde(default)]
    pub online_pose: DriftPolicy,
    /// How its detections become tracks.
    #[serde(default)]
    pub tracker: TrackerSettings,
    /// How its tracks move on the ground.
    #[serde(default)]
    pub motion: MotionSettings,
}

fn default_rate_hz() -> f64 {
    10.0
}

/// A lens and its image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LensSettings {
    /// Horizontal field of view, degrees.
    pub fov_deg: f64,
    /// Width and height, pixels.
    pub image_size_px: [u32; 2],
    /// How long its shutter is open, milliseconds: what moves meanwhile is blurred; 0 is a moment.
    pub exposure_ms: f64,
}

impl Default for LensSettings {
    fn default() -> Self {
        Self { fov_deg: 70.0, image_size_px: [640, 384], exposure_ms: 0.0 }
    }
}

/// What finds objects in pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetectorKind {
    /// The network, on rendered pictures, as at the roadside.
    #[default]
    Network,
    /// Nothing: perception is switched off.
    Off,
    /// For debugging only: boxes from the world itself, without pictures. The report names it.
    GroundTruth,
}

/// How long a picture takes from the shutter to the core. A model instead of a clock, so that a run repeats exactly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LatencyModel {
    /// Exposure, transfer and decoding, milliseconds.
    pub decode_ms: f64,
    /// The network with what comes before and after it, milliseconds.
    pub inference_ms: f64,
    /// Standard deviation of the latter, milliseconds.
    pub jitter_ms: f64,
}

impl Default for LatencyModel {
    fn default() -> Self {
        Self { decode_ms: 15.0, inference_ms: 45.0, jitter_ms: 5.0 }
    }
}
