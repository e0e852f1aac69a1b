//! `masa sim traffic`: SUMO's configuration in, SUMO's outputs out.

use anyhow::Context;
use clap::Args;
use masa_sim::random::Seed;
use masa_sim::traffic::TrafficSettings;
use masa_sim::traffic::demand::SumoScenario;
use masa_sim::traffic::run::{Outputs, RunOptions, run};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Simulate the vehicle traffic of a SUMO configuration.
#[derive(Debug, Args)]
pub(crate) struct Traffic {
    /// The configuration (.sumocfg).
    config: PathBuf,
    /// Write floating car data (SUMO's FCD).
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write trips (SUMO's tripinfo).
    #[arg(long, value_name = "FILE")]
    tripinfo: Option<PathBuf>,
    /// Write what induction loops count (SUMO's e1).
    #[arg(long, value_name = "FILE")]
    detectors: Option<PathBuf>,
    /// Write a summary of each step.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Length of a step, seconds, instead of the configuration's.
    #[arg(long, value_name = "S")]
    step: Option<f64>,
    /// End, seconds, instead of the configuration's, else when everybody has arrived.
    #[arg(long, value_name = "S")]
    end: Option<f64>,
    /// Seed instead of the configuration's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads; 0: as many as there are cores. The outputs are the same.
    #[arg(long, default_value_t = 1, value_name = "N")]
    threads: usize,
}

fn open(path: Option<&Path>) -> anyhow::Result<Option<Box<dyn Write>>> {
    path.map(|path| {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Box::new(BufWriter::new(file)) as Box<dyn Write>)
    })
    .transpose()
}

impl Traffic {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.step.is_some_and(|step| !(step > 0.0 && step <= 10.0)) {
            anyhow::bail!("--step must be above 0 s and at most 10 s");
        }
        let scenario = SumoScenario::load(&self.config)?;
        let outputs = Outputs {
            fcd: open(self.output.as_deref())?,
            trips: open(self.tripinfo.as_deref())?,
            detectors: open(self.detectors.as_deref())?,
            summary: open(self.summary.as_deref())?,
            edges: None,
        };
        let settings =
            TrafficSettings { when_stuck: scenario.when_stuck, threads: self.threads, ..TrafficSettings::default() };
        let seed = self.seed.map(Seed).or(scenario.seed).unwrap_or(Seed(1));
        let options = RunOptions { settings, seed, step_s: self.step, end_s: self.end };
        let mut told = f64::NEG_INFINITY;
        let counters = run(scenario, options, outputs, |traffic, time_s| {
            if time_s - told >= 60.0 {
                told = time_s;
                let counters = traffic.counters();
                eprint!(
                    "\r{time_s:>8.0} s: {:>6} running, {:>6} waiting to depart, {:>7} arrived",
                    traffic.running(),
                    traffic.waiting(),
                    counters.arrived
                );
            }
            true
        })?;
        eprintln!(
            "\r{} departed, {} arrived, {} teleports, {} vehicle-steps{:24}",
            counters.departed, counters.arrived, counters.teleports, counters.vehicle_steps, ""
        );
        Ok(())
    }
}
