//! `masa calibrate`: where a camera stands and where it looks.
//!
//! From surveyed points (`fit`, or by clicking on the page that `page` serves) or from the lane markings of the site map
//! (`lanes`). What comes out is the calibration file that `[camera.georeference] kind = "camera-model"` of a site file names.

mod fit;
mod lanes;
mod page;
mod points;
mod subject;

use clap::{Args, Subcommand};

/// Find a camera's pose from surveyed points or lane markings.
#[derive(Debug, Args)]
pub(crate) struct Calibrate {
    #[command(subcommand)]
    command: CalibrateCommand,
}

#[derive(Debug, Subcommand)]
enum CalibrateCommand {
    Fit(fit::FitCommand),
    Lanes(lanes::LanesCommand),
    Page(page::PageCommand),
}

impl Calibrate {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            CalibrateCommand::Fit(command) => command.run(),
            CalibrateCommand::Lanes(command) => command.run(),
            CalibrateCommand::Page(command) => command.run(),
        }
    }
}
