//! `masa sim run`: run scenarios and judge them.

use crate::demo::assets;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use masa_inference::{EngineKind, EngineSettings};
use masa_sim::report;
use masa_sim::run::{Outcome, Perception, RunOptions, run};
use masa_sim::scenario::{Scenario, WithoutPerception, library};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Run scenarios and judge them: rendered pictures through the detector, real messages, drivers who react.
///
/// Exits with 1 when a criterion fails.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Scenario files, or names of shipped scenarios; `all` and `ci` are all shipped ones and those for every change.
    scenarios: Vec<String>,
    /// List the shipped scenarios.
    #[arg(long)]
    list: bool,
    /// Only check that the scenarios can be used.
    #[arg(long)]
    check: bool,
    /// Another seed than the scenario's own.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write a JUnit file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a report for people to this folder, with a recording of each failure.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Run the scenarios whose safety comes from the cameras with perception off, and fail where nothing fails.
    #[arg(long)]
    expect_fail_without_perception: bool,
}

/// How scenarios run.
#[derive(Clone, Debug, Args)]
pub(super) struct How {
    /// What cameras see.
    #[arg(long, value_enum, default_value_t = PerceptionChoice::AsScenario)]
    pub(super) perception: PerceptionChoice,
    /// Scenarios that run side by side; results do not depend on it.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) threads: usize,
    /// A model description instead of the shipped detector.
    #[arg(long, value_name = "FILE")]
    pub(super) model: Option<PathBuf>,
    /// `libonnxruntime.so`: runs networks with ONNX Runtime instead of tract.
    #[arg(long, env = "MASA_ONNXRUNTIME", value_name = "FILE")]
    pub(super) onnxruntime: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PerceptionChoice {
    /// As the scenario says.
    AsScenario,
    /// Nothing is detected.
    Off,
    /// For debugging: boxes from the world itself.
    GroundTruth,
}

impl How {
    /// Options of a run; `threads` is for its cameras.
    pub(super) fn options(&self, seed: Option<u64>, threads: usize) -> anyhow::Result<RunOptions> {
        let model = match &self.model {
            Some(model) => model.clone(),
            None => assets::detector()?,
        };
        let engine = if self.onnxruntime.is_some() { EngineKind::Onnxruntime } else { EngineKind::Tract };
        Ok(RunOptions {
            seed,
            threads,
            perception: match self.perception {
                PerceptionChoice::AsScenario => Perception::AsScenario,
                PerceptionChoice::Off => Perception::Off,
                PerceptionChoice::GroundTruth => Perception::GroundTruth,
            },
            model,
            engine: EngineSettings { engine, library: self.onnxruntime.clone(), ..EngineSettings::default() },
        })
    }
}

/// A run and how long it took.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) wall: Duration,
}

impl Run {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.list {
            return list();
        }
        let mut scenarios = open(&self.scenarios)?;
        if self.check {
            for scenario in &scenarios {
                masa_sim::run::check(scenario)?;
                println!("{}: can be used", scenario.id());
            }
            return Ok(());
        }
        let mut how = self.how.clone();
        if self.expect_fail_without_perception {
            how.perception = PerceptionChoice::Off;
            scenarios.retain(|scenario| scenario.without_perception == WithoutPerception::Fails);
        }
        let cameras = if scenarios.len() == 1 { how.threads } else { 1 };
        let options = how.options(self.seed, cameras)?;
        let jobs: Vec<_> = scenarios.into_iter().map(|scenario| (scenario, options.clone())).collect();
        let done = run_all(&jobs, how.threads, &print_verdicts)?;
        let outcomes: Vec<_> = done.iter().map(|done| (&done.outcome, done.wall)).collect();
        if let Some(path) = &self.junit {
            std::fs::write(path, report::junit(&outcomes)).with_context(|| path.display().to_string())?;
        }
        if let Some(folder) = &self.report {
            report::write(folder, &outcomes)?;
            println!("report: {}", folder.join("index.html").display());
        }
        let failed = done.iter().filter(|done| !done.outcome.passed()).count();
        println!("{} of {} scenarios pass", done.len() - failed, done.len());
        if self.expect_fail_without_perception {
            let deaf: Vec<_> = done.iter().filter(|d| d.outcome.is_safe()).map(|d| d.outcome.scenario.id()).collect();
            if !deaf.is_empty() {
                bail!("safe although nothing is perceived: {}", deaf.join(", "));
            }
            println!("none is safe without perception");
            return Ok(());
        }
        if failed > 0 {
            bail!("{failed} scenarios fail");
        }
        Ok(())
    }
}

fn list() -> anyhow::Result<()> {
    for (name, _) in library() {
        let scenario = Scenario::open(name)?;
        let ci = if scenario.ci { "ci" } else { "" };
        println!("{name:32} {ci:3} {:12} {}", scenario.map, scenario.name);
    }
    Ok(())
}

/// The scenarios of these names.
pub(super) fn open(names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    for name in names {
        match name.as_str() {
            "all" | "ci" => {
                for (known, _) in library() {
                    scenarios.push(Scenario::open(known)?);
                }
                scenarios.retain(|scenario| name == "all" || scenario.ci);
            }
            _ => scenarios.push(Scenario::open(name)?),
        }
    }
    if scenarios.is_empty() {
        bail!("no scenario; `masa sim run --list` lists those that are shipped");
    }
    Ok(scenarios)
}

/// Runs jobs side by side; the results are in the jobs' order.
pub(super) fn run_all(
    jobs: &[(Scenario, RunOptions)],
    threads: usize,
    each: &(dyn Fn(&Done) + Sync),
) -> anyhow::Result<Vec<Done>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, anyhow::Result<Done>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                while let Some((place, (scenario, options))) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(place).map(|job| (place, job))
                } {
                    eprintln!("{} (seed {}) …", scenario.id(), options.seed.unwrap_or(scenario.seed));
                    let begin = now();
                    let done =
                        run(scenario, options).map(|outcome| Done { outcome, wall: now().duration_since(begin) });
                    if let Ok(done) = &done {
                        each(done);
                    }
                    let done = done.with_context(|| scenario.id());
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((place, done));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, done)| done).collect()
}

#[allow(clippy::disallowed_methods, reason = "how long a run takes is for people; nothing in it depends on it")]
fn now() -> Instant {
    Instant::now()
}

fn print_verdicts(done: &Done) {
    let Done { outcome, wall } = done;
    let word = if outcome.passed() { "PASS" } else { "FAIL" };
    let speed = outcome.simulated_s / wall.as_secs_f64().max(1e-3);
    let mut text = format!(
        "{word} {} (seed {}): {:.0} s simulated in {:.1} s, {speed:.1} times real time\n",
        outcome.scenario.id(),
        outcome.seed,
        outcome.simulated_s,
        wall.as_secs_f64()
    );
    if outcome.uses_ground_truth() {
        text.push_str("     perception is ground truth: this proves nothing about the detector\n");
    }
    for verdict in &outcome.verdicts {
        let mark = if verdict.passed { "  ok " } else { "  !! " };
        text.push_str(&format!("{mark}{}: {}\n", verdict.name, verdict.actual));
        if !verdict.passed {
            text.push_str(&format!("     expected: {}", verdict.expected));
            if let Some(at_s) = verdict.at_s {
                text.push_str(&format!("; at {at_s:.2} s"));
            }
            if let Some(frame) = &verdict.frame {
                text.push_str(&format!(", frame {} of {}", frame.frame, frame.station));
            }
            text.push('\n');
        }
    }
    print!("{text}");
}
