//! A whole run of a SUMO scenario with its outputs, as `masa sim traffic` makes it.
//!
//! In: a [`SumoScenario`] and where to write. Out: files, and what was counted. Nobody but the vehicles is on the road.

use super::demand::SumoScenario;
use super::output::{self, EdgeData};
use super::settings::TrafficSettings;
use super::step::{Counters, Traffic};
use crate::random::Seed;
use crate::snapshot::Snapshot;
use crate::world::{FixedProgrammes, Population, SignalControl};
use std::io::{self, Write};
use std::sync::Arc;

/// Where outputs go; `None` leaves one out.
#[derive(Default)]
pub struct Outputs {
    /// Floating car data.
    pub fcd: Option<Box<dyn Write>>,
    /// Trips.
    pub trips: Option<Box<dyn Write>>,
    /// Induction loops.
    pub detectors: Option<Box<dyn Write>>,
    /// Summary of each step.
    pub summary: Option<Box<dyn Write>>,
    /// Edges in intervals of five minutes.
    pub edges: Option<Box<dyn Write>>,
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outputs").field("fcd", &self.fcd.is_some()).field("trips", &self.trips.is_some()).finish()
    }
}

/// How to run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// Settings of the traffic.
    pub settings: TrafficSettings,
    /// Seed.
    pub seed: Seed,
    /// Step, seconds; `None`: the scenario's.
    pub step_s: Option<f64>,
    /// End, seconds; `None`: the scenario's, else when everybody has arrived.
    pub end_s: Option<f64>,
}

/// Length of the intervals of the edge output, seconds.
const EDGES_PERIOD_S: f64 = 300.0;

/// Runs a scenario. `progress` is called after every step; `false` ends the run.
///
/// # Errors
/// What writing says.
pub fn run(
    scenario: SumoScenario,
    options: RunOptions,
    mut outputs: Outputs,
    mut progress: impl FnMut(&Traffic, f64) -> bool,
) -> io::Result<Counters> {
    let roads = Arc::new(scenario.roads);
    let step_s = options.step_s.unwrap_or(scenario.step_s);
    let end_s = options.end_s.or(scenario.end_s).unwrap_or(f64::INFINITY);
    let mut traffic = Traffic::new(roads.clone(), options.settings, options.seed);
    traffic.time = scenario.begin_s;
    traffic.set_demand(scenario.demand);
    traffic.set_detectors(scenario.detectors.clone());
    if outputs.trips.is_some() {
        traffic.keep_trips();
    }
    let mut signals = FixedProgrammes(roads);
    let mut edges = EdgeData::new(&traffic, EDGES_PERIOD_S);
    let mut records = Vec::new();
    outputs.begin()?;
    let mut before = Snapshot { time_s: scenario.begin_s, ..Snapshot::default() };
    while before.time_s < end_s - 1e-9 && !traffic.is_over() {
        let states = signals.states(&before);
        traffic.step(&before, &states, step_s);
        before.step += 1;
        before.time_s = scenario.begin_s + before.step as f64 * step_s;
        if let Some(out) = &mut outputs.fcd {
            output::write_fcd(out, &traffic)?;
        }
        if let Some(out) = &mut outputs.summary {
            output::write_summary(out, &traffic)?;
        }
        if let Some(out) = &mut outputs.edges {
            edges.add(out, &traffic)?;
        }
        if let Some(out) = &mut outputs.trips {
            output::write_trips(out, &traffic.take_trips())?;
        }
        records.append(&mut traffic.take_detector_records());
        if !progress(&traffic, before.time_s) {
            break;
        }
    }
    traffic.finish_detectors();
    records.append(&mut traffic.take_detector_records());
    if let Some(out) = &mut outputs.edges {
        edges.end(out, &traffic, before.time_s)?;
    }
    if let Some(out) = &mut outputs.detectors {
        output::write_detectors(out, &scenario.detectors, &records)?;
    }
    outputs.end()?;
    Ok(traffic.counters())
}

impl Outputs {
    fn begin(&mut self) -> io::Result<()> {
        self.fcd.as_mut().map_or(Ok(()), output::begin_fcd)?;
        self.trips.as_mut().map_or(Ok(()), output::begin_trips)?;
        self.summary.as_mut().map_or(Ok(()), output::begin_summary)?;
        self.edges.as_mut().map_or(Ok(()), EdgeData::begin)
    }

    fn end(&mut self) -> io::Result<()> {
        self.fcd.as_mut().map_or(Ok(()), output::end_fcd)?;
        self.trips.as_mut().map_or(Ok(()), output::end_trips)?;
        self.summary.as_mut().map_or(Ok(()), output::end_summary)?;
        self.edges.as_mut().map_or(Ok(()), EdgeData::finish)?;
        for out in [&mut self.fcd, &mut self.trips, &mut self.detectors, &mut self.summary, &mut self.edges] {
            out.as_mut().map_or(Ok(()), |out| out.flush())?;
        }
        Ok(())
    }
}
