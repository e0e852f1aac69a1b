//! `masa sim sweep`: one scenario with many seeds.

use super::run::{Done, How, open, run_all};
use anyhow::{Context, bail};
use clap::Args;
use std::collections::BTreeMap;

/// Run scenarios with many seeds and print how often each criterion holds.
///
/// Exits with 1 when one fails with any seed, unless `--at-least` allows it.
#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// Scenario files, or names of shipped scenarios.
    #[arg(required = true)]
    scenarios: Vec<String>,
    /// Seeds: `1..20` is 1 to 20, `3,7` is 3 and 7.
    #[arg(long, default_value = "1..20", value_name = "SEEDS")]
    seeds: String,
    /// Share of the seeds with which every criterion must hold, 0 to 1.
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    at_least: f64,
    #[command(flatten)]
    how: How,
}

impl Sweep {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let seeds = seeds(&self.seeds)?;
        let options = self.how.options(None, 1)?;
        let mut jobs = Vec::new();
        for scenario in open(&self.scenarios)? {
            jobs.extend(seeds.iter().map(|seed| {
                let options = masa_sim::run::RunOptions { seed: Some(*seed), ..options.clone() };
                (scenario.clone(), options)
            }));
        }
        let done = run_all(&jobs, self.how.threads, &|done| {
            let word = if done.outcome.passed() { "pass" } else { "FAIL" };
            eprintln!(
                "{word} {} seed {} ({:.1} s)",
                done.outcome.scenario.id(),
                done.outcome.seed,
                done.wall.as_secs_f64()
            );
        })?;
        let mut too_low = Vec::new();
        for (scenario, runs) in by_scenario(&done) {
            let passed = runs.iter().filter(|done| done.outcome.passed()).count();
            println!("{scenario}: {passed} of {} seeds pass", runs.len());
            for (place, verdict) in runs[0].outcome.verdicts.iter().enumerate() {
                let holds = |done: &&&Done| done.outcome.verdicts.get(place).is_some_and(|verdict| verdict.passed);
                let count = runs.iter().filter(holds).count();
                let failed: Vec<_> =
                    runs.iter().filter(|done| !holds(done)).map(|done| done.outcome.seed.to_string()).collect();
                let where_ =
                    if failed.is_empty() { String::new() } else { format!(" (not with {})", failed.join(", ")) };
                println!("  {count:3} of {} {}{where_}", runs.len(), verdict.name);
            }
            if (passed as f64) < self.at_least * runs.len() as f64 {
                too_low.push(scenario);
            }
        }
        if !too_low.is_empty() {
            bail!("too few seeds pass: {}", too_low.join(", "));
        }
        Ok(())
    }
}

fn by_scenario(done: &[Done]) -> BTreeMap<String, Vec<&Done>> {
    let mut runs: BTreeMap<String, Vec<&Done>> = BTreeMap::new();
    for run in done {
        runs.entry(run.outcome.scenario.id()).or_default().push(run);
    }
    runs
}

/// `1..20`, both ends included, or a list.
fn seeds(text: &str) -> anyhow::Result<Vec<u64>> {
    let number = |text: &str| text.trim().parse::<u64>().with_context(|| format!("--seeds: {text:?} is no number"));
    let seeds: Vec<u64> = match text.split_once("..") {
        Some((from, to)) => (number(from)?..=number(to)?).take(10_000).collect(),
        None => text.split(',').map(number).collect::<anyhow::Result<_>>()?,
    };
    if seeds.is_empty() {
        bail!("--seeds {text} names none");
    }
    Ok(seeds)
}

#[cfg(test)]
mod tests {
    use super::seeds;

    #[test]
    fn seeds_are_a_range_with_both_ends_or_a_list() {
        assert_eq!(seeds("1..3").unwrap(), [1, 2, 3]);
        assert_eq!(seeds("7, 3").unwrap(), [7, 3]);
        assert!(seeds("3..1").is_err() && seeds("x").is_err());
    }
}
