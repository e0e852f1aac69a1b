//! Settings of the watch over a camera's pose: `[camera.online-pose]`.

use serde::{Deserialize, Serialize};

/// What is done when a camera has turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftPolicy {
    /// The traffic is not asked.
    #[default]
    Off,
    /// The health says so.
    Alarm,
    /// The health says so, and positions are corrected once the turn is known well enough.
    Correct,
}

/// Which point of a vehicle the position of its CAM is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StationReference {
    /// The middle of the front side, as the standard has it (EN 302 637-2, B.19).
    #[default]
    FrontCentre,
    /// The middle, as stations have it that pass on the position of their receiver.
    Centre,
}

/// Settings of `[camera.online-pose]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OnlinePoseSettings {
    /// What is done when the camera has turned.
    pub policy: DriftPolicy,
    /// Traffic of so long is looked at, seconds.
    pub window_s: f64,
    /// A turn from this on is an alarm, degrees.
    pub alarm_deg: f64,
    /// So long the alarm stands before positions are corrected, seconds.
    pub hold_s: f64,
    /// Positions are corrected once the turn is known to this, one sigma along its worst axis, degrees.
    pub correct_sigma_deg: f64,
    /// Standard deviation of a vehicle's place across its lane, metres.
    pub lane_sigma_m: f64,
    /// Standard deviation of the position that a station states, metres.
    pub station_sigma_m: f64,
    /// Which point of a vehicle that position is.
    pub station_reference: StationReference,
}

impl Default for OnlinePoseSettings {
    fn default() -> Self {
        Self {
            policy: DriftPolicy::Off,
            window_s: 60.0,
            alarm_deg: 0.5,
            hold_s: 3.0,
            correct_sigma_deg: 0.25,
            lane_sigma_m: 0.3,
            station_sigma_m: 1.0,
            station_reference: StationReference::FrontCentre,
        }
    }
}

impl OnlinePoseSettings {
    /// Key, value and what is wrong with the first setting that is out of its range.
    pub(crate) fn problem(&self) -> Option<(&'static str, f64, &'static str)> {
        let positive = [
            ("online-pose.window-s", self.window_s),
            ("online-pose.alarm-deg", self.alarm_deg),
            ("online-pose.correct-sigma-deg", self.correct_sigma_deg),
            ("online-pose.lane-sigma-m", self.lane_sigma_m),
            ("online-pose.station-sigma-m", self.station_sigma_m),
        ];
        let wrong = positive.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite()));
        let hold =
            (self.hold_s.is_nan() || self.hold_s < 0.0).then_some(("online-pose.hold-s", self.hold_s, "is negative"));
        wrong.map(|(key, value)| (key, value, "is not above zero")).or(hold)
    }
}
