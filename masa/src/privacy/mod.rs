//! `masa privacy`: what leaves a node, and who opened what does not.

mod check;
mod ring;
mod truth;

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
    Key(ring::Key),
    Open(ring::Open),
    Openings(ring::Openings),
}

impl Privacy {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            PrivacyCommand::Check(check) => check.run(),
            PrivacyCommand::Key(key) => key.run(),
            PrivacyCommand::Open(open) => open.run(),
            PrivacyCommand::Openings(openings) => openings.run(),
        }
    }
}
