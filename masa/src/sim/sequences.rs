//! `masa sim sequences`: what the cameras of scenarios saw, for evaluations of tracking.

use super::run::{How, open, run_all};
use crate::track::format::{Format, write_detection};
use anyhow::Context;
use clap::Args;
use masa_sim::run::{Outcome, pictures};
use masa_sim::truth::dataset::write_jpeg;
use masa_sim::truth::mot;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Quality of the pictures: high, because appearance is read from them.
const JPEG_QUALITY: u8 = 95;
/// Who shows by less than this is not asked for, share.
const LEAST_VISIBLE: f64 = 0.25;

/// Write what the cameras of a scenario's first station saw as sequences of MOTChallenge.
///
/// Each camera's folder has the rendered pictures (`img1`), the truth (`gt/gt.txt`), `seqinfo.ini`, and what the detector found
/// in the pictures (`det/det.txt`: lines of KITTI, since those of MOTChallenge have no classes; their frames count from 0).
#[derive(Debug, Args)]
pub(crate) struct Sequences {
    /// Scenario files, or names of shipped scenarios.
    #[arg(required = true)]
    scenarios: Vec<String>,
    /// Folder that gets a folder for each camera, named after scenario and camera.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Another seed than the scenario's own.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Another duration than the scenario's own, seconds.
    #[arg(long, value_name = "S")]
    duration: Option<f64>,
    #[command(flatten)]
    how: How,
}

impl Sequences {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let options = self.how.options(self.seed, 1)?;
        let mut scenarios = open(&self.scenarios)?;
        for scenario in &mut scenarios {
            scenario.duration_s = self.duration.unwrap_or(scenario.duration_s);
        }
        let jobs: Vec<_> = scenarios.into_iter().map(|scenario| (scenario, options.clone())).collect();
        for done in run_all(&jobs, self.how.threads, &|_| {})? {
            let outcome = &done.outcome;
            let cameras = outcome.scenario.stations.first().map_or(0, |station| station.cameras.len());
            for camera in 0..cameras {
                write(outcome, camera, &self.output)?;
            }
        }
        Ok(())
    }
}

/// Writes the folder of a camera of the first station.
fn write(outcome: &Outcome, camera: usize, output: &Path) -> anyhow::Result<()> {
    let settings = &outcome.scenario.stations[0].cameras[camera];
    let name = format!("{}-{}", outcome.scenario.id(), settings.id);
    let folder = output.join(&name);
    for part in ["img1", "gt", "det"] {
        let part = folder.join(part);
        fs::create_dir_all(&part).with_context(|| part.display().to_string())?;
    }
    let path = folder.join("det/det.txt");
    let mut found = BufWriter::new(fs::File::create(&path).with_context(|| path.display().to_string())?);
    let mut truths = Vec::new();
    for (seen, frame, truth) in pictures(outcome, (0, camera)) {
        let line = |detection| write_detection(&mut found, truths.len() as u32, detection, Format::Kitti);
        seen.detections.iter().try_for_each(line).with_context(|| path.display().to_string())?;
        truths.push(truth);
        let picture = folder.join(format!("img1/{:06}.jpg", truths.len()));
        write_jpeg(&picture, &frame.rgb, frame.size_px, JPEG_QUALITY)?;
    }
    found.flush().with_context(|| path.display().to_string())?;
    let info = mot::sequence_info(&name, truths.len(), settings.rate_hz, settings.lens.image_size_px);
    for (file, text) in [("gt/gt.txt", mot::ground_truth(&truths, LEAST_VISIBLE)), ("seqinfo.ini", info)] {
        let path = folder.join(file);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    println!("{}: {} pictures", folder.display(), truths.len());
    Ok(())
}
