//! Traffic flow of the data room beside detectors that stand at the same lines of a simulated town.
//!
//! Runs a SUMO configuration. Roadside units near its induction loops tell in CPMs of the vehicles around them, a share of
//! the vehicles in CAMs of themselves; every message is encoded, decoded and goes through the services. Beside them, from
//! the world itself: SUMO-style e1 loops at the same lines, e2 queues on the same lanes, and who drove from which edge to
//! which at one junction. Prints the differences. `days` back-tests the forecast against persistence; `clip` runs the node's
//! pipeline on the real junction, beside a count by hand.

mod clip;
mod days;
mod report;
mod site;
mod truth;
mod units;

use anyhow::Context;
use clap::Parser;
use masa_data_room::services::traffic_flow::FlowFinding;
use masa_data_room::services::{Finding, Found, Services};
use masa_sim::random::Seed;
use masa_sim::traffic::demand::SumoScenario;
use masa_sim::traffic::{Traffic, TrafficSettings};
use masa_sim::weather::Weather;
use masa_sim::world::World;
use std::path::PathBuf;
use std::sync::Arc;

/// Traffic flow of the data room beside detectors and a count by hand.
#[derive(Debug, Parser)]
enum Command {
    /// Beside detectors at the same lines of a simulated town.
    Town(Arguments),
    /// The forecast over several days, beside persistence.
    Days {
        #[command(flatten)]
        town: Arguments,
        /// How many.
        #[arg(long, default_value_t = 4)]
        days: u64,
    },
    /// The node's pipeline on a clip, beside a count by hand.
    Clip(clip::Clip),
}

/// A simulated town.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// SUMO configuration; its induction loops are the lines.
    config: PathBuf,
    /// Simulated seconds.
    #[arg(long, default_value_t = 3_600.0)]
    seconds: f64,
    /// Step of the world and time from one message of a station to the next, seconds.
    #[arg(long, default_value_t = 0.5)]
    step: f64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Deviation of positions in CPMs, metres; in CAMs it is three times as much.
    #[arg(long, default_value_t = 0.3)]
    noise_m: f64,
    /// Share of vehicles that send CAMs.
    #[arg(long, default_value_t = 0.1)]
    connected: f64,
}

impl Arguments {
    /// The town at its beginning.
    fn world(&self, seed: u64) -> anyhow::Result<(World, SumoScenario)> {
        let mut scenario = SumoScenario::load(&self.config).context("the configuration")?;
        let roads = Arc::new(std::mem::take(&mut scenario.roads));
        let settings =
            TrafficSettings { when_stuck: scenario.when_stuck, connected: self.connected, ..Default::default() };
        let mut traffic = Traffic::new(roads.clone(), settings, Seed(seed));
        traffic.set_demand(std::mem::take(&mut scenario.demand));
        let mut world = World::new(roads, self.step, Weather::default());
        world.add(Box::new(traffic));
        Ok((world, scenario))
    }
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Town(town) => compare(&town),
        Command::Days { town, days } => days::back_test(&town, days),
        Command::Clip(clip) => clip.run(),
    }
}

fn compare(arguments: &Arguments) -> anyhow::Result<()> {
    let (mut world, scenario) = arguments.world(arguments.seed)?;
    let layout = site::Layout::new(world.roads(), &scenario.detectors)?;
    let mut services = Services::new(layout.site.clone())?;
    let mut units = units::Units::new(&layout, arguments);
    let mut truth = truth::Truth::new(&layout, world.roads(), arguments.seed);
    let mut found: Vec<FlowFinding> = Vec::new();
    let mut keep = |findings: Vec<Finding>| {
        found.extend(findings.into_iter().filter_map(|finding| match finding.found {
            Found::Flow(flow) => Some(flow),
            _ => None,
        }));
    };
    let mut told = 0.0;
    while world.now().time_s < arguments.seconds - 1e-9 {
        let snapshot = world.step();
        truth.see(snapshot);
        for record in units.speak(snapshot)? {
            keep(services.take(&record));
        }
        if snapshot.time_s - told >= 300.0 {
            told = snapshot.time_s;
            eprintln!("{told:>6.0} s, {} on the road, {} messages", snapshot.actors.len(), units.messages());
        }
    }
    keep(services.advance(site::at(arguments.seconds + 10.0)));
    report::print(&layout, &truth, &found);
    println!("{} messages, {} bytes; dropped: {:?}", units.messages(), units.bytes(), services.drops());
    Ok(())
}
