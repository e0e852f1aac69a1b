//! The closed loop: the world, cameras, detectors, nodes, radio and drivers in lock step, faster than real time.
//!
//! In: a [`Scenario`] and a seed. Out: an [`Outcome`]: the trace of what happened, and what its criteria say.
//!
//! A step of the world comes first; then cameras see it, their pictures go through the detector that the roadside runs, and
//! the results reach the node as events after a modelled latency. What the node wants said becomes real messages and real
//! GeoNetworking frames; whoever hears them is a node, too, and drivers do what theirs tells them: a command to the next
//! step. Invariants: no clock is read, time is the world's; the same scenario and seed give the same truth, pictures and
//! messages on any number of threads; nodes know nothing but what their sensors and radios bring.

mod air;
pub mod camera;
pub mod conflict;
mod criteria;
mod engine;
mod eye;
mod forger;
mod glosa;
pub(crate) mod gnss;
mod modem;
pub(crate) mod population;
mod ranging;
pub mod reaction;
mod rig;
mod shows;
pub(crate) mod signals;
pub(crate) mod site;
mod station;
mod status;
pub mod trace;
pub mod zebra;

pub use criteria::{Verdict, judge};
pub use trace::{Digest, Trace};

use crate::random::Seed;
use crate::roads::Roads;
use crate::scenario::{DetectorKind, Scenario, ScenarioError};
use crate::sensors::camera::{CameraModel, Frame};
use crate::truth::FrameTruth;
use masa_edge_node::config::Configuration;
use masa_inference::EngineSettings;
use std::path::PathBuf;
use std::sync::Arc;

/// What goes wrong in a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A node refuses its settings.
    #[error("station `{station}`: {source}")]
    Node {
        /// Its name.
        station: String,
        /// What the node says.
        source: masa_edge_node::node::NodeError,
    },
    /// A detector cannot be opened, or fails.
    #[error("camera `{camera}`: {source}")]
    Detector {
        /// Whose.
        camera: String,
        /// What the engine says.
        source: masa_inference::Error,
    },
    /// The threads cannot be had.
    #[error("threads: {0}")]
    Threads(String),
}

/// How to run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOptions {
    /// Instead of the scenario's own.
    pub seed: Option<u64>,
    /// Threads for cameras; the result does not depend on it.
    pub threads: usize,
    /// Whether cameras see.
    pub perception: Perception,
    /// Description of the model of cameras that name none.
    pub model: PathBuf,
    /// How networks run.
    pub engine: EngineSettings,
}

/// Whether cameras see.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Perception {
    /// As the scenario says.
    #[default]
    AsScenario,
    /// Switched off: nothing is detected.
    Off,
    /// For debugging only: boxes from the world itself.
    GroundTruth,
    /// Boxes from the world itself, of what others leave of everybody, with the errors of a detector: for evaluations only.
    NoisyTruth(BoxErrors),
}

/// Errors of boxes that come from the world itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxErrors {
    /// Standard deviation of each edge, as a share of the box's height, new in each frame.
    pub noise: f64,
    /// The same of what stays for the life of an actor in a camera.
    pub bias: f64,
    /// Share of the boxes that are missing.
    pub missed: f64,
}

/// An edge is no better than half a pixel, px.
const LEAST_NOISE_PX: f64 = 0.5;

impl BoxErrors {
    /// A node knows how good its detector is: that is measured once for each.
    fn tell(self, configuration: &mut Configuration) {
        for camera in &mut configuration.site.cameras {
            camera.pixel_noise_px = LEAST_NOISE_PX;
            (camera.motion.relative_noise, camera.motion.relative_bias) = (self.noise, self.bias);
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The scenario.
    pub scenario: Scenario,
    /// The seed.
    pub seed: u64,
    /// What happened.
    pub trace: Trace,
    /// What the criteria say, in their order.
    pub verdicts: Vec<Verdict>,
    /// The map.
    pub roads: Arc<Roads>,
    /// Simulated seconds.
    pub simulated_s: f64,
}

impl Outcome {
    /// Every criterion holds.
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.passed)
    }

    /// Every criterion about somebody's safety holds.
    pub fn is_safe(&self) -> bool {
        self.verdicts.iter().filter(|verdict| verdict.safety).all(|verdict| verdict.passed)
    }

    /// Boxes came from the world itself: what passes here proves nothing about perception.
    pub fn uses_ground_truth(&self) -> bool {
        let mut cameras = self.scenario.stations.iter().flat_map(|station| &station.cameras);
        cameras.any(|camera| camera.detector == DetectorKind::GroundTruth)
    }
}

/// Runs a scenario to its end and judges it.
///
/// # Errors
/// When the map, a node or a detector cannot be used; a failed criterion is no error.
pub fn run(scenario: &Scenario, options: &RunOptions) -> Result<Outcome, RunError> {
    let mut scenario = scenario.clone();
    let replaced = match options.perception {
        Perception::AsScenario => None,
        Perception::Off => Some(DetectorKind::Off),
        Perception::GroundTruth | Perception::NoisyTruth(_) => Some(DetectorKind::GroundTruth),
    };
    if options.perception == Perception::Off {
        for station in &mut scenario.stations {
            station.radars.clear();
            station.lidars.clear();
        }
    }
    if let Some(detector) = replaced {
        for camera in scenario.stations.iter_mut().flat_map(|station| &mut station.cameras) {
            camera.detector = detector;
        }
    }
    let seed = options.seed.unwrap_or(scenario.seed);
    let roads = Arc::new(map(&scenario)?);
    let trace = engine::Engine::new(&scenario, Seed(seed), roads.clone(), options)?.run()?;
    let verdicts = judge(&scenario, &roads, &trace);
    let simulated_s = trace.snapshots.last().map_or(0.0, |snapshot| snapshot.time_s);
    Ok(Outcome { scenario, seed, trace, verdicts, roads, simulated_s })
}

/// The picture that a camera took, drawn again from the trace; `None` for a camera without pictures.
pub fn picture(outcome: &Outcome, frame: &trace::FrameTrace) -> Option<masa_inference::RgbImage> {
    let (mut eye, _) = eye_of(outcome, (frame.station, frame.camera))?;
    Some(eye.see(outcome.trace.at(frame.captured_s)?, frame.broken)?.image)
}

/// The pictures that a station's camera took, drawn again from the trace one after the other, each with its truth. None for a
/// camera without pictures.
pub fn pictures(
    outcome: &Outcome,
    place: (usize, usize),
) -> impl Iterator<Item = (&trace::FrameTrace, Frame, FrameTruth)> {
    let mut eye = eye_of(outcome, place);
    let frames = outcome.trace.frames.iter().filter(move |frame| (frame.station, frame.camera) == place);
    frames.filter_map(move |frame| {
        let (eye, model) = eye.as_mut()?;
        let snapshot = outcome.trace.at(frame.captured_s)?;
        let drawn = eye.draw(snapshot, frame.broken)?;
        let truth = FrameTruth::new(&drawn, model, snapshot);
        Some((frame, drawn, truth))
    })
}

/// What drew a camera's pictures, and the camera as surveyed.
fn eye_of(outcome: &Outcome, place: (usize, usize)) -> Option<(eye::Eye, CameraModel)> {
    let settings = outcome.scenario.stations.get(place.0)?.cameras.get(place.1)?;
    let seed = Seed(outcome.seed);
    Some((eye::Eye::new(settings, eye::scene(&outcome.roads, seed), seed, place), camera::surveyed(settings)))
}

/// Checks what needs the map: whether ways are found and nodes take their settings.
///
/// # Errors
/// As [`run`], before anything moves.
pub fn check(scenario: &Scenario) -> Result<(), RunError> {
    let options = RunOptions {
        seed: None,
        threads: 1,
        perception: Perception::Off,
        model: PathBuf::new(),
        engine: EngineSettings::default(),
    };
    let scenario = scenario.clone().without_perception();
    engine::Engine::new(&scenario, Seed(0), Arc::new(map(&scenario)?), &options).map(drop)
}

/// The map of a scenario: a shipped one, or a file beside it.
///
/// # Errors
/// When there is no such map, or it cannot be read.
pub fn map(scenario: &Scenario) -> Result<Roads, ScenarioError> {
    let wrong =
        |error: crate::roads::RoadsError| ScenarioError::Map { map: scenario.map.clone(), what: error.to_string() };
    let is_file = scenario.map.contains('.') || scenario.map.contains('/');
    if !is_file {
        return Roads::shipped(&scenario.map).map_err(wrong);
    }
    let beside = scenario.path.parent().unwrap_or(std::path::Path::new("")).join(&scenario.map);
    Roads::load(&beside).map_err(wrong)
}
