//! Settings of fusion.

use crate::perception::ground::MotionSettings;
use serde::{Deserialize, Serialize};

/// How sources become road users: `[world.fusion]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FusionSettings {
    /// Whose messages become road users.
    pub listening: Listening,
    /// Two sources agree on a place within this many standard deviations.
    pub gate_sigma: f64,
    /// A teller leaves its object beyond this many standard deviations.
    pub leave_sigma: f64,
    /// Noise of every difference of two sources, metres: what neither's covariance knows of.
    pub slack_m: f64,
    /// Two sources never agree beyond this distance and half of the length, metres.
    pub most_apart_m: f64,
    /// Objects at one place for this long are one, seconds.
    pub merge_after_s: f64,
    /// A camera's track leaves its object after so many frames in a row somewhere else.
    pub misfits: u8,
    /// Measurements are put in their order of time when they arrive this much late at most, milliseconds.
    pub window_ms: u32,
    /// A road user that only messages tell of is forgotten after this long without one, milliseconds.
    pub told_timeout_ms: u32,
    /// Least standard deviation of a position that a station gives for itself, metres: what is stated is often too good.
    pub least_station_sigma_m: f64,
    /// Motion of road users.
    pub motion: MotionSettings,
}

/// Whose messages become road users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Listening {
    /// Everybody's, at a station that has cameras; others have the local dynamic map.
    #[default]
    WithCameras,
    /// Everybody's.
    Always,
    /// Nobody's.
    Never,
}

impl Default for FusionSettings {
    fn default() -> Self {
        Self {
            listening: Listening::default(),
            gate_sigma: 3.3,
            leave_sigma: 5.0,
            slack_m: 0.4,
            most_apart_m: 4.0,
            merge_after_s: 0.5,
            misfits: 5,
            window_ms: 1_000,
            told_timeout_ms: 1_500,
            least_station_sigma_m: 0.5,
            motion: MotionSettings::default(),
        }
    }
}

impl FusionSettings {
    /// A pair that costs as much is none.
    pub(super) fn most_cost(&self) -> f32 {
        1_000.0
    }
}
