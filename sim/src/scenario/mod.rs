//! Scenarios: readable files that say what happens on a map, who takes part, and what must come of it.
//!
//! In: a TOML file. Out: a [`Scenario`], checked. Invariants: an unknown key is an error that names file, line and the
//! nearest valid key; an element that the simulator does not support is an error, never ignored; the file and a seed are
//! all that a run depends on.

mod actor;
mod check;
mod criterion;
mod demand;
mod library;
mod ranging;
pub mod route;
pub mod scripted;
mod station;

pub use actor::{ActionSettings, ActorSettings, Attention, SignalsPolicy, Then, When};
pub use check::check;
pub(crate) use check::known_station as check_station;
pub use criterion::{Criterion, CriterionSettings, Recipients};
pub use demand::{ParkingDemand, PeopleDemand, TrafficDemand};
pub use library::{library, shipped};
pub use ranging::{LidarSettings, RadarSettings};
pub use station::{
    AnnouncementSettings, CameraSettings, DetectorKind, LatencyModel, LensSettings, SensorSettings, StationSettings,
    ZonesFrom,
};

use crate::faults::FaultSettings;
use crate::run::reaction::ReactionSettings;
use crate::weather::Weather;
use masa_edge_node::config::{ConfigError, parse_toml};
use masa_edge_node::facilities::FacilitiesSettings;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What goes wrong before a scenario runs.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read or does not parse.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// No file and no shipped scenario of that name.
    #[error("no scenario file and no shipped scenario `{name}`{hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest shipped name.
        hint: String,
    },
    /// The map cannot be loaded.
    #[error("map `{map}`: {what}")]
    Map {
        /// Its name or path.
        map: String,
        /// What is wrong.
        what: String,
    },
    /// The parts of the scenario do not fit each other.
    #[error("scenario `{scenario}`: {what}")]
    Content {
        /// Its name.
        scenario: String,
        /// What is wrong.
        what: String,
    },
}

/// A scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Short name for people.
    pub name: String,
    /// What happens and why it matters, in a sentence or two.
    pub description: String,
    /// A shipped map, or the path of a SUMO network or OpenDRIVE file, relative to this file.
    pub map: String,
    /// The seed when none is given.
    #[serde(default)]
    pub seed: u64,
    /// How long it runs, seconds of simulated time.
    pub duration_s: f64,
    /// The script begins anew after so many seconds, for a stage that stays; absent: it does not.
    pub repeat_s: Option<f64>,
    /// Length of a step, seconds.
    #[serde(default = "default_step_s")]
    pub step_s: f64,
    /// Part of the subset that runs with every change.
    #[serde(default)]
    pub ci: bool,
    /// What becomes of it when perception is switched off.
    #[serde(default)]
    pub without_perception: WithoutPerception,
    /// Light and weather at the start.
    #[serde(default)]
    pub weather: Weather,
    /// Later changes of light and weather.
    #[serde(default, rename = "weather-change")]
    pub weather_changes: Vec<WeatherChange>,
    /// How far and how well stations hear each other.
    #[serde(default)]
    pub radio: RadioSettings,
    /// Whether messages are signed and verified.
    #[serde(default)]
    pub security: Security,
    /// Connected vehicles: their share, their receivers, and what their drivers do about a warning.
    #[serde(default)]
    pub connected: ConnectedSettings,
    /// Vehicles besides the scripted ones.
    #[serde(default)]
    pub traffic: Option<TrafficDemand>,
    /// People besides the scripted ones.
    #[serde(default)]
    pub people: Option<PeopleDemand>,
    /// Stations at the roadside.
    #[serde(default, rename = "station")]
    pub stations: Vec<StationSettings>,
    /// Those who follow a script.
    #[serde(default, rename = "actor")]
    pub actors: Vec<ActorSettings>,
    /// What breaks, and when.
    #[serde(default, rename = "fault")]
    pub faults: Vec<FaultSettings>,
    /// What must come of it.
    #[serde(default, rename = "criterion")]
    pub criteria: Vec<CriterionSettings>,
    /// Where it came from.
    #[serde(skip)]
    pub path: PathBuf,
}

fn default_step_s() -> f64 {
    0.05
}

/// What becomes of a scenario when perception is switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutPerception {
    /// At least one criterion fails: its safety comes from what the cameras see.
    Fails,
    /// It passes all the same: it is about something else.
    #[default]
    Passes,
}

/// Whether messages are signed and verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// Messages go out as they are.
    #[default]
    Off,
    /// Every station signs (TS 103 097) and takes only what it can verify.
    On,
}

/// Light and weather from a time on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WeatherChange {
    /// When, seconds.
    pub at_s: f64,
    /// How it is from then on.
    pub weather: Weather,
}

/// How far and how well stations hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RadioSettings {
    /// What the air does to messages.
    pub model: RadioModel,
    /// Of the model `range`: stations hear each other up to this distance, metres.
    pub range_m: f64,
    /// From the antenna of one to the core of the other, milliseconds; where the air takes its own time, on top of that.
    pub latency_ms: f64,
}

impl Default for RadioSettings {
    fn default() -> Self {
        Self { model: RadioModel::default(), range_m: 400.0, latency_ms: 4.0 }
    }
}

/// What the air does to messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RadioModel {
    /// Everything within a distance is heard, after a fixed time.
    #[default]
    Range,
    /// The simulator's radio ([`crate::radio`]) with ITS-G5: path loss, buildings, fading, collisions, a busy channel.
    ItsG5,
    /// The same with LTE-V2X mode 4.
    Pc5,
}

/// Connected vehicles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectedSettings {
    /// Share of the traffic that is connected, 0 to 1; scripted actors say it themselves.
    pub share: f64,
    /// Standard deviation of their positions along each axis, metres; it wanders slowly.
    pub gnss_sigma_m: f64,
    /// Interval of their receivers' positions, seconds.
    pub gnss_interval_s: f64,
    /// What their drivers do about what their node tells.
    pub driver: ReactionSettings,
    /// The rules by which their messages go out.
    pub facilities: FacilitiesSettings,
}

impl Default for ConnectedSettings {
    fn default() -> Self {
        Self {
            share: 0.0,
            gnss_sigma_m: 0.8,
            gnss_interval_s: 0.1,
            driver: ReactionSettings::default(),
            facilities: FacilitiesSettings::default(),
        }
    }
}

impl Scenario {
    /// Reads a file, or the shipped scenario of this name, and checks it.
    ///
    /// # Errors
    /// When there is neither, or it cannot be used; the error names file and line.
    pub fn open(name: &str) -> Result<Self, ScenarioError> {
        let path = Path::new(name);
        if let Some(text) = library::shipped(name) {
            return Self::parse(text, &PathBuf::from(format!("{name}.toml")));
        }
        if path.is_file() {
            let text =
                std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            return Self::parse(&text, path);
        }
        let nearest = library::library().map(|(known, _)| (strsim::damerau_levenshtein(name, known), known)).min();
        let hint = nearest.map(|(_, known)| format!("; did you mean `{known}`?")).unwrap_or_default();
        Err(ScenarioError::Unknown { name: name.to_owned(), hint })
    }

    /// Parses `text` as the content of `path`, and checks what needs no map.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        let mut scenario: Self = parse_toml(text, path, &|name| std::env::var(name).ok())?;
        scenario.path = path.to_owned();
        check(&scenario)?;
        Ok(scenario)
    }

    /// Name in files and reports: the file's name without its ending.
    pub fn id(&self) -> String {
        self.path.file_stem().map_or_else(|| self.name.clone(), |stem| stem.to_string_lossy().into_owned())
    }

    pub(crate) fn wrong(&self, what: impl Into<String>) -> ScenarioError {
        ScenarioError::Content { scenario: self.name.clone(), what: what.into() }
    }
}
