//! What must come of a scenario.

use crate::truth::rules::Rule;
use serde::{Deserialize, Serialize};

/// A criterion: a `[[criterion]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CriterionSettings {
    /// Name in reports; absent: made from what it asks.
    pub name: Option<String>,
    /// What it asks.
    pub require: Criterion,
}

/// Who must have received something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Recipients {
    /// This actor.
    Actor(String),
    /// These actors.
    Actors(Vec<String>),
}

impl Recipients {
    /// Their names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Actor(name) => std::slice::from_ref(name),
            Self::Actors(names) => names,
        }
    }
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Criterion {
    /// Someone has received a message about an actor, at least so long before it would have come to it.
    Warned {
        /// Who.
        recipient: Recipients,
        /// About whom.
        about: String,
        /// At least so long before arriving at it, seconds.
        at_least_s: f64,
        /// Only by messages of these kinds (`denm`, `cpm`, `vam`, `cam`); empty: any.
        #[serde(default)]
        by: Vec<String>,
    },
    /// Nobody has touched anybody: footprints never overlap.
    NoCollision {
        /// Only collisions of these actors; empty: of any.
        #[serde(default)]
        of: Vec<String>,
    },
    /// From the shutter to the message, over all messages that come from frames.
    Latency {
        /// The station; absent: all.
        station: Option<String>,
        /// At most so long for 95 of 100, milliseconds.
        p95_ms: f64,
    },
    /// Share of the road users in view that the node knew.
    Recall {
        /// The station.
        station: String,
        /// At least, 0 to 1.
        at_least: f64,
        /// Up to this distance from the camera, metres.
        #[serde(default = "default_recall_m")]
        within_m: f64,
        /// Only these actors; empty: all.
        #[serde(default)]
        of: Vec<String>,
    },
    /// Objects that the node knew and that were not there.
    FalseAlarms {
        /// The station.
        station: String,
        /// At most so many a minute.
        per_minute: f64,
    },
    /// A message of a kind is received.
    Received {
        /// By whom.
        recipient: Recipients,
        /// Its kind (`denm`, `cpm`, `spatem`, …).
        kind: String,
        /// At the latest at this time, seconds.
        before_s: f64,
        /// At the earliest at this time, seconds.
        #[serde(default)]
        after_s: f64,
    },
    /// Nothing that left a station holds pixels.
    Privacy {},
    /// A station's health says what is wrong.
    Health {
        /// The station.
        station: String,
        /// What: the health's name for it (`camera-frozen`, `camera-dark`, …).
        problem: String,
        /// When it begins, seconds.
        since_s: f64,
        /// At most so long afterwards, seconds.
        within_s: f64,
    },
    /// A station finds by its traffic where a camera looks that was turned, and says so before it corrects anything.
    CameraPose {
        /// The station.
        station: String,
        /// The camera.
        camera: String,
        /// When it was turned, seconds.
        since_s: f64,
        /// At most so long afterwards it is known, and stays so until the end, seconds.
        within_s: f64,
        /// To this, degrees.
        within_deg: f64,
    },
    /// A station's health says nothing of the kind.
    Healthy {
        /// The station.
        station: String,
        /// What it must not say; empty: anything.
        #[serde(default)]
        problems: Vec<String>,
    },
    /// The signal ahead of an actor turns green after it has asked for priority, and is green when it passes.
    Green {
        /// Who.
        actor: String,
        /// At most so long after its first request (SREM), seconds.
        within_s: f64,
    },
    /// An actor has come to a place.
    Reaches {
        /// Who.
        actor: String,
        /// Where, `[east, north]` metres.
        point_m: [f64; 2],
        /// At the latest, seconds.
        before_s: f64,
    },
    /// So many begin to break a rule of the road, scripted or not.
    Breaches {
        /// The rule.
        rule: Rule,
        /// At least so often.
        #[serde(default)]
        at_least: u32,
        /// At most so often; absent: as often as may be.
        at_most: Option<u32>,
    },
    /// So many parking spaces of the map become taken and free.
    Parking {
        /// Become taken at least.
        taken: u32,
        /// Become free at least.
        freed: u32,
    },
    /// An actor never stood.
    NeverStops {
        /// Who.
        actor: String,
    },
    /// An actor's distance to another, centre to centre, never fell below.
    KeepsDistance {
        /// Who.
        actor: String,
        /// To whom.
        to: String,
        /// At least, metres.
        at_least_m: f64,
    },
}

fn default_recall_m() -> f64 {
    50.0
}
