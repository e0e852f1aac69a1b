//! `masa sim`: the simulator.

mod map;

use clap::{Args, Subcommand};

/// Simulate roads, traffic, sensors and radio.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(Debug, Subcommand)]
enum SimCommand {
    Map(map::Map),
}

impl Sim {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            SimCommand::Map(command) => command.run(),
        }
    }
}
