//! `masa sim evaluate`: how good what a station knows is, against the truth.

mod measure;
mod samples;

use super::run::{How, PerceptionChoice, open, run_all};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use masa_edge_node::world::fusion::Listening;
use masa_sim::run::{BoxErrors, Perception, RunOptions};
use masa_sim::scenario::Scenario;
use measure::Figures;
use std::path::PathBuf;

/// Measure what the first station of scenarios knows of the road: positions, speeds, ellipses, identities, ghosts.
///
/// Each scenario runs with the station's first camera, with all of its cameras, and with those and the messages of connected
/// vehicles; with its radars and lidars where `--sources` asks for them. Road users in the first camera's view count.
#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// Scenario files, or names of shipped scenarios; the first station needs two cameras.
    #[arg(required = true)]
    scenarios: Vec<String>,
    /// What detections are evaluated.
    #[arg(long, value_enum, default_value_t = Detections::Rendered)]
    detections: Detections,
    /// Of ideal boxes with noise: share that is missing, as in fog or at night.
    #[arg(long, value_name = "SHARE", default_value_t = NOISE.missed)]
    missed: f64,
    /// Another seed than the scenario's own.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Another duration than the scenario's own, seconds.
    #[arg(long, value_name = "S")]
    duration: Option<f64>,
    /// Run each scenario so many times, each with the next seed.
    #[arg(long, value_name = "N", default_value_t = 1)]
    runs: u64,
    /// Only these rows, in this order.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Sources::USUAL)]
    sources: Vec<Sources>,
    /// Write every single comparison to this CSV file, with doubles and ghosts.
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Detections {
    /// Of the detector on rendered pictures.
    Rendered,
    /// Boxes from the world, of what shows of everybody, with the errors of a detector.
    IdealWithNoise,
}

/// Errors of ideal boxes: those that the lower edges of the shipped detector's boxes have on rendered pictures (`--samples`): what
/// changes within 0.1 s, and the rest.
const NOISE: BoxErrors = BoxErrors { noise: 0.04, bias: 0.05, missed: 0.1 };

/// Who tells the station of the road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sources {
    /// The first camera alone.
    OneCamera,
    /// All cameras.
    Cameras,
    /// All cameras, and connected vehicles.
    CamerasAndCam,
    /// The first camera, and the radars.
    CameraAndRadar,
    /// The first camera, and the lidars.
    CameraAndLidar,
    /// All cameras, radars and lidars.
    AllSensors,
}

impl Sources {
    /// Rows of every scenario.
    const USUAL: [Self; 3] = [Self::OneCamera, Self::Cameras, Self::CamerasAndCam];

    /// The scenario with these sources only.
    fn of(self, scenario: &Scenario) -> Scenario {
        let mut scenario = scenario.clone();
        let station = &mut scenario.stations[0];
        if matches!(self, Self::OneCamera | Self::CameraAndRadar | Self::CameraAndLidar) {
            station.cameras.truncate(1);
        }
        if !matches!(self, Self::CameraAndRadar | Self::AllSensors) {
            station.radars.clear();
        }
        if !matches!(self, Self::CameraAndLidar | Self::AllSensors) {
            station.lidars.clear();
        }
        // The same vehicles speak and react in every row; the station only does not listen.
        if self != Self::CamerasAndCam {
            scenario.stations[0].world.fusion.listening = Listening::Never;
        }
        scenario
    }

    const fn words(self) -> &'static str {
        match self {
            Self::OneCamera => "one camera",
            Self::Cameras => "all cameras",
            Self::CamerasAndCam => "all cameras and CAM",
            Self::CameraAndRadar => "one camera and radar",
            Self::CameraAndLidar => "one camera and lidar",
            Self::AllSensors => "all cameras, radar, lidar",
        }
    }
}

impl Evaluate {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut options = self.how.options(self.seed, 1)?;
        if self.detections == Detections::IdealWithNoise {
            if self.how.perception != PerceptionChoice::AsScenario {
                bail!("--perception and --detections contradict each other");
            }
            options.perception = Perception::NoisyTruth(BoxErrors { missed: self.missed, ..NOISE });
        }
        let mut jobs: Vec<(Scenario, RunOptions)> = Vec::new();
        for mut scenario in open(&self.scenarios)? {
            if scenario.stations.first().is_none_or(|station| station.cameras.len() < 2) {
                bail!("{}: the first station needs two cameras", scenario.id());
            }
            let station = &scenario.stations[0];
            let lacks = |sources: &&Sources| match sources {
                Sources::CameraAndRadar => station.radars.is_empty(),
                Sources::CameraAndLidar => station.lidars.is_empty(),
                Sources::AllSensors => station.radars.is_empty() && station.lidars.is_empty(),
                Sources::OneCamera | Sources::Cameras | Sources::CamerasAndCam => false,
            };
            if let Some(sources) = self.sources.iter().find(lacks) {
                bail!("{}: the first station has none of the sensors of the row {:?}", scenario.id(), sources.words());
            }
            scenario.duration_s = self.duration.unwrap_or(scenario.duration_s);
            scenario.criteria.clear();
            let first = self.seed.unwrap_or(scenario.seed);
            for seed in first..first.saturating_add(self.runs) {
                let options = RunOptions { seed: Some(seed), ..options.clone() };
                jobs.extend(self.sources.iter().map(|sources| (sources.of(&scenario), options.clone())));
            }
        }
        let done = run_all(&jobs, self.how.threads, &|_| {})?;
        println!("{}", measure::HEADER);
        let mut rows = Vec::new();
        for (place, sources) in self.sources.iter().enumerate() {
            let mut all = Figures::default();
            for (run, done) in done.iter().enumerate().filter(|(run, _)| run % self.sources.len() == place) {
                let figures = Figures::of(&done.outcome);
                if jobs.len() > self.sources.len() {
                    let name = format!("{} ({}): {}", jobs[run].0.id(), done.outcome.seed, sources.words());
                    println!("{}", figures.row(&name));
                }
                all.add(figures);
            }
            println!("{}", all.row(sources.words()));
            rows.push((sources.words().to_owned(), all.samples));
        }
        if let Some(path) = &self.samples {
            let rows = rows.iter().map(|(name, samples)| (name.clone(), samples.as_slice()));
            std::fs::write(path, samples::csv(rows)).with_context(|| path.display().to_string())?;
        }
        if self.detections == Detections::IdealWithNoise {
            println!("detections are ideal with noise: this says nothing about the detector");
        }
        Ok(())
    }
}
