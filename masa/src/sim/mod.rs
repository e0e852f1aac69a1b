//! `masa sim`: the simulator.

mod run;
mod sweep;

use clap::{Args, Subcommand};

/// Simulate roads, traffic, sensors and radio.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(Debug, Subcommand)]
enum SimCommand {
    Run(run::Run),
    Sweep(sweep::Sweep),
}

impl Sim {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            SimCommand::Run(command) => command.run(),
            SimCommand::Sweep(command) => command.run(),
        }
    }
}
