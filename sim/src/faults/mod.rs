//! What breaks, by schedule: cameras, clocks, sensors, links, nodes, the air, and honesty.
//!
//! In: the `[[fault]]` tables of a scenario. Out: what is broken at a time. The loop applies it where the real thing would
//! break: in front of the node, so that the node has to notice by itself.

use crate::scenario::{Scenario, ScenarioError};
use serde::{Deserialize, Serialize};

/// A fault: a `[[fault]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultSettings {
    /// When it begins, seconds.
    pub at_s: f64,
    /// When it ends, seconds; absent: never.
    pub until_s: Option<f64>,
    /// What breaks.
    pub what: Fault,
}

/// What breaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The camera delivers its last picture over and over.
    CameraFrozen {
        /// The station.
        station: String,
        /// The camera.
        camera: String,
    },
    /// The camera delivers almost black pictures.
    CameraDark {
        /// The station.
        station: String,
        /// The camera.
        camera: String,
    },
    /// The camera was turned, and nobody has surveyed it since.
    CameraMoved {
        /// The station.
        station: String,
        /// The camera.
        camera: String,
        /// To the right, degrees.
        by_deg: f64,
        /// Up, degrees.
        #[serde(default)]
        up_deg: f64,
    },
    /// The camera delivers nothing.
    CameraSilent {
        /// The station.
        station: String,
        /// The camera.
        camera: String,
    },
    /// The station's clock goes wrong.
    ClockDrift {
        /// The station.
        station: String,
        /// How far it jumps at once, milliseconds.
        #[serde(default)]
        jump_ms: f64,
        /// How much it gains (negative: loses) each second from then on, milliseconds.
        #[serde(default)]
        drift_ms_per_s: f64,
    },
    /// A sensor repeats its last value.
    SensorStuck {
        /// The station.
        station: String,
        /// The sensor.
        sensor: String,
    },
    /// The station's radio neither sends nor hears.
    LinkDown {
        /// The station.
        station: String,
    },
    /// The node is killed; at the end of the fault it is started again.
    NodeKilled {
        /// The station.
        station: String,
    },
    /// Frames are lost on the air.
    PacketLoss {
        /// Share of all frames, 0 to 1.
        share: f64,
    },
    /// Somebody sends warnings that are not true.
    Forgery {
        /// Where the sender stands, `[east, north]` metres.
        position_m: [f64; 2],
        /// The place that it warns of, `[east, north]` metres.
        event_m: [f64; 2],
        /// How the message is wrong.
        kind: ForgeryKind,
        /// Messages a second.
        #[serde(default = "default_rate_hz")]
        rate_hz: f64,
    },
}

fn default_rate_hz() -> f64 {
    2.0
}

/// How a forged message is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForgeryKind {
    /// Without a signature.
    Unsigned,
    /// With a signature that does not fit.
    BadSignature,
    /// With a certificate of an authority that nobody knows.
    UntrustedChain,
    /// Well signed by a station of a trusted authority, which claims to move as nothing can.
    Implausible,
}

impl FaultSettings {
    /// Whether it holds at a time.
    pub fn holds(&self, time_s: f64) -> bool {
        time_s >= self.at_s && self.until_s.is_none_or(|until_s| time_s < until_s)
    }

    pub(crate) fn check(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        let wrong = |what: String| Err(scenario.wrong(format!("fault: {what}")));
        if self.until_s.is_some_and(|until_s| until_s <= self.at_s) {
            return wrong(format!("until-s is not after at-s {}", self.at_s));
        }
        let station = |name: &str| crate::scenario::check_station(scenario, name);
        match &self.what {
            Fault::CameraFrozen { station: name, camera }
            | Fault::CameraDark { station: name, camera }
            | Fault::CameraMoved { station: name, camera, .. }
            | Fault::CameraSilent { station: name, camera } => {
                let known = scenario.stations.iter().find(|station| station.id == *name);
                if known.is_some_and(|station| station.cameras.iter().any(|known| known.id == *camera)) {
                    return Ok(());
                }
                wrong(format!("station `{name}` has no camera `{camera}`"))
            }
            Fault::SensorStuck { station: name, sensor } => {
                let known = scenario.stations.iter().find(|station| station.id == *name);
                if known.is_some_and(|station| station.sensors.iter().any(|known| known.id == *sensor)) {
                    return Ok(());
                }
                wrong(format!("station `{name}` has no sensor `{sensor}`"))
            }
            Fault::ClockDrift { station: name, .. }
            | Fault::LinkDown { station: name }
            | Fault::NodeKilled { station: name } => station(name),
            Fault::PacketLoss { share } if !(0.0..=1.0).contains(share) => {
                wrong(format!("share {share} is not within 0 to 1"))
            }
            Fault::Forgery { rate_hz, .. } if !(*rate_hz > 0.0 && *rate_hz <= 20.0) => {
                wrong(format!("rate-hz {rate_hz} is not within 0 to 20"))
            }
            Fault::PacketLoss { .. } | Fault::Forgery { .. } => Ok(()),
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match &self.what {
            Fault::CameraFrozen { station, camera } => format!("camera {station}/{camera} frozen"),
            Fault::CameraDark { station, camera } => format!("camera {station}/{camera} dark"),
            Fault::CameraMoved { station, camera, by_deg, up_deg } => {
                format!("camera {station}/{camera} moved by {by_deg}° to the right and {up_deg}° up")
            }
            Fault::CameraSilent { station, camera } => format!("camera {station}/{camera} silent"),
            Fault::ClockDrift { station, jump_ms, drift_ms_per_s } => {
                format!("clock of {station} jumps {jump_ms} ms and drifts {drift_ms_per_s} ms/s")
            }
            Fault::SensorStuck { station, sensor } => format!("sensor {station}/{sensor} stuck"),
            Fault::LinkDown { station } => format!("link of {station} down"),
            Fault::NodeKilled { station } => format!("node {station} killed"),
            Fault::PacketLoss { share } => format!("{:.0} % of frames lost", share * 100.0),
            Fault::Forgery { kind, .. } => format!("forged warnings: {kind:?}"),
        }
    }
}
