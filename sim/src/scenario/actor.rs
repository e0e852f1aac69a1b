//! Scripted actors: who, where, how fast, and what they do when.

use crate::actor::{ActorKind, Role};
use crate::roads::SignalState;
use serde::{Deserialize, Serialize};

/// One who follows a script: an `[[actor]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ActorSettings {
    /// Name in the scenario.
    pub id: String,
    /// What it is.
    pub kind: ActorKind,
    /// What it is for.
    #[serde(default)]
    pub role: Role,
    /// Its way as points, `[east, north]` metres; one point is where it stands.
    #[serde(default)]
    pub path_m: Vec<[f64; 2]>,
    /// Its way on the lanes of the map, by points near them: the shortest way through the network.
    #[serde(default)]
    pub drive_m: Vec<[f64; 2]>,
    /// Direction of one who stands, degrees clockwise from north.
    #[serde(default)]
    pub heading_deg: f64,
    /// Distance along its way at which its centre starts, metres.
    #[serde(default)]
    pub start_m: f64,
    /// Speed at the start and wanted from then on, metres a second.
    #[serde(default)]
    pub speed_mps: f64,
    /// How it accelerates and brakes by itself, metres a second squared; absent: as usual for its kind.
    pub acceleration_mps2: Option<f64>,
    /// What it watches.
    #[serde(default)]
    pub attention: Attention,
    /// What it does at signals.
    #[serde(default)]
    pub signals: SignalsPolicy,
    /// Whether it has a node on board, and under which station id.
    pub station_id: Option<u32>,
    /// Seconds by which a bus is behind its timetable: a late one asks signals for priority.
    pub behind_schedule_s: Option<i16>,
    /// Its beacon is on from the start.
    #[serde(default)]
    pub beacon: bool,
    /// Decides colours and clothes.
    #[serde(default)]
    pub appearance: u32,
    /// What it does, and when; each once.
    #[serde(default, rename = "action")]
    pub actions: Vec<ActionSettings>,
}

/// What a road user watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attention {
    /// What is in sight: not behind buildings and large vehicles, not beyond visibility and light.
    #[default]
    Full,
    /// Nothing: the script alone counts.
    None,
}

/// What one does at signals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalsPolicy {
    /// Stops at red.
    #[default]
    Obey,
    /// Drives on.
    Ignore,
}

/// Something that an actor does once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ActionSettings {
    /// When: as soon as everything named holds.
    pub when: When,
    /// What.
    pub then: Then,
}

/// When an action begins: everything named must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// From this time on, seconds.
    pub at_s: Option<f64>,
    /// Another actor is near.
    pub near: Option<Near>,
    /// The actor itself has come this far along its way, metres.
    pub reached_m: Option<f64>,
    /// Another actor is at a place.
    pub actor_at: Option<ActorAt>,
    /// A signal shows something.
    pub signal: Option<SignalShows>,
    /// This long after the action before, seconds.
    pub after_s: Option<f64>,
}

/// Another actor is near.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Near {
    /// Which.
    pub actor: String,
    /// How near, metres.
    pub distance_m: f64,
}

/// Another actor is at a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ActorAt {
    /// Which.
    pub actor: String,
    /// The place, `[east, north]` metres.
    pub point_m: [f64; 2],
    /// How near it counts, metres.
    pub radius_m: f64,
}

/// The signal nearest to a place, on the actor's own way, shows something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignalShows {
    /// What.
    pub shows: Shown,
}

/// What a signal shows, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// Red, alone or with yellow.
    Red,
    /// Yellow.
    Yellow,
    /// Green.
    Green,
}

impl Shown {
    /// Whether `state` is this.
    pub fn is(self, state: SignalState) -> bool {
        match self {
            Self::Red => matches!(state, SignalState::Red | SignalState::RedYellow),
            Self::Yellow => state == SignalState::Yellow,
            Self::Green => state.is_green(),
        }
    }
}

/// What an actor does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Then {
    /// Wants this speed, metres a second; 0 stops.
    pub speed_mps: Option<f64>,
    /// Accelerates or brakes this hard from now on, metres a second squared.
    pub acceleration_mps2: Option<f64>,
    /// Moves to this distance left of its way (negative: right), metres: a lane change.
    pub offset_m: Option<f64>,
    /// Switches its beacon.
    pub beacon: Option<bool>,
    /// Watches.
    pub attention: Option<Attention>,
    /// Switches its hazard lights.
    pub hazard_lights: Option<bool>,
    /// Leaves the road for good.
    pub remove: bool,
}
