//! `masa privacy`: what leaves a node, and who opened what does not.

mod check;

use clap::{Args, Subcommand};

/// Check that pictures that leave show no faces and plates; keep and open the raw ring.
#[derive(Debug, Args)]
pub(crate) struct Privacy {
    #[command(subcommand)]
    command: PrivacyCommand,
}

#[derive(Debug, Subcommand)]
enum PrivacyCommand {
    Check(check::Check),
}

impl Privacy {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            PrivacyCommand::Check(check) => check.run(),
        }
    }
}
