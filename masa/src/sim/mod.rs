//! `masa sim`: the simulator.

mod dataset;
mod map;
mod run;
mod sweep;
mod traffic;

use clap::{Args, Subcommand};

/// Simulate roads, traffic, sensors and radio.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(Debug, Subcommand)]
enum SimCommand {
    Dataset(dataset::Dataset),
    Map(map::Map),
    Run(run::Run),
    Sweep(sweep::Sweep),
    Traffic(traffic::Traffic),
}

impl Sim {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            SimCommand::Dataset(command) => command.run(),
            SimCommand::Map(command) => command.run(),
            SimCommand::Run(command) => command.run(),
            SimCommand::Sweep(command) => command.run(),
            SimCommand::Traffic(command) => command.run(),
        }
    }
}
