//! What traffic flow counts, and where.

use crate::services::shape::{Line, Way};
use serde::{Deserialize, Serialize};

/// How traffic is counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrafficFlowSettings {
    /// Messages later than this are not counted any more, milliseconds.
    pub lateness_ms: i64,
    /// Longest time from entering a junction to leaving it, seconds: after it a road user's origin is forgotten.
    pub longest_trip_s: f64,
    /// Speed of free traffic where no movement says otherwise, m/s.
    pub free_flow_mps: f64,
    /// Traffic is congested when its space mean speed is below this share of `free-flow-mps`.
    pub congested_below: f64,
}

impl Default for TrafficFlowSettings {
    fn default() -> Self {
        Self { lateness_ms: 5_000, longest_trip_s: 600.0, free_flow_mps: 50.0 / 3.6, congested_below: 0.4 }
    }
}

/// A line at which is counted: a `[[gate]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GateSettings {
    /// Its name, unique in the site.
    pub id: String,
    /// From one edge to the other. Who stands at the first end and looks at the second sees forward traffic pass from
    /// left to right.
    pub line_m: Line,
    /// Lanes that it crosses: occupancy is that of a lane.
    #[serde(default = "one")]
    pub lanes: u8,
    /// The arm of a junction at which it stands: who passes forward comes in from it, who passes backward leaves by it.
    pub arm: Option<String>,
}

const fn one() -> u8 {
    1
}

/// A lane on which queues are measured: an `[[approach]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApproachSettings {
    /// Its name, unique in the site.
    pub id: String,
    /// From the stop line against the traffic.
    pub way_m: Way,
    /// Width of the lane, metres.
    #[serde(default = "lane_width_m")]
    pub width_m: f64,
}

const fn lane_width_m() -> f64 {
    3.25
}

/// What is known of a movement: a `[[movement]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MovementSettings {
    /// The arm it comes from.
    pub from: String,
    /// The arm it goes to.
    pub to: String,
    /// What makes it wait.
    #[serde(default)]
    pub control: Control,
    /// Speed when nothing makes it wait, mean of its way between the gates, m/s.
    pub free_flow_mps: f64,
}

/// What makes traffic wait: it decides which delays are tolerable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Signals.
    #[default]
    Signal,
    /// Signs, or the rule of the right; a roundabout.
    Priority,
}
