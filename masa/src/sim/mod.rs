//! `masa sim`: the simulator.

mod cosim;
mod dataset;
mod evaluate;
mod map;
mod run;
mod sequences;
mod serve;
mod sweep;
mod traffic;
mod xosc;

use clap::{Args, Subcommand};

/// Simulate roads, traffic, sensors and radio.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(Debug, Subcommand)]
enum SimCommand {
    Cosim(cosim::Cosim),
    Dataset(dataset::Dataset),
    Evaluate(evaluate::Evaluate),
    Map(map::Map),
    Run(run::Run),
    Sequences(sequences::Sequences),
    Serve(serve::Serve),
    Sweep(sweep::Sweep),
    Traffic(traffic::Traffic),
    Xosc(xosc::Xosc),
}

impl Sim {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            SimCommand::Cosim(command) => command.run(),
            SimCommand::Dataset(command) => command.run(),
            SimCommand::Evaluate(command) => command.run(),
            SimCommand::Map(command) => command.run(),
            SimCommand::Run(command) => command.run(),
            SimCommand::Sequences(command) => command.run(),
            SimCommand::Serve(command) => command.run(),
            SimCommand::Sweep(command) => command.run(),
            SimCommand::Traffic(command) => command.run(),
            SimCommand::Xosc(command) => command.run(),
        }
    }
}
