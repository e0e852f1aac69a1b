//! `masa georeference`: how good a camera's calibration is.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use masa_edge_node::config::Configuration;
use masa_edge_node::perception::CameraPerception;
use masa_edge_node::perception::georeference::{GeoreferenceSettings, masa};
use masa_v2x_proto::geo::SiteFrame;
use std::path::{Path, PathBuf};

/// Check how camera pixels are mapped to the ground.
#[derive(Debug, Args)]
pub(crate) struct Georeference {
    #[command(subcommand)]
    command: GeoreferenceCommand,
}

#[derive(Debug, Subcommand)]
enum GeoreferenceCommand {
    /// Residuals of every reference point, and its error when the mapping is made without it.
    Report {
        /// The node's configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Compare our mapping with the positions in a recording of the MASA tracker.
    Evaluate {
        /// A node file whose site has the camera with its projection matrix.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The camera.
        #[arg(long)]
        camera: String,
        /// The tracker's output (`masa_20939_workflow.in` of the CLASS project).
        recording: PathBuf,
    },
}

impl Georeference {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            GeoreferenceCommand::Report { config } => report(&Configuration::load(&config)?),
            GeoreferenceCommand::Evaluate { config, camera, recording } => {
                evaluate(&Configuration::load(&config)?, &camera, &recording)
            }
        }
    }
}

fn report(configuration: &Configuration) -> anyhow::Result<()> {
    let frame = SiteFrame::new(configuration.site.origin.into());
    for (source, _, settings) in configuration.cameras() {
        let camera = CameraPerception::new(source, settings, frame)?;
        let Some(report) = camera.reference_report() else {
            println!("camera `{}`: a projection matrix, no reference points to compare with", settings.id);
            continue;
        };
        println!("camera `{}`: {} points, residual {:.3} m RMS", settings.id, report.points.len(), report.rms_m);
        println!("  x (px)   y (px)   east (m)  north (m)  error (m) without it (m)");
        for point in &report.points {
            let ([x, y], p) = (point.pixel, point.position);
            let left_out = point.leave_one_out_m.map_or_else(|| "–".to_owned(), |error| format!("{error:.3}"));
            println!("{x:>8.1} {y:>8.1} {:>10.3} {:>10.3} {:>10.3} {left_out:>14}", p.e_m, p.n_m, point.residual_m);
        }
    }
    Ok(())
}

fn evaluate(configuration: &Configuration, camera: &str, recording: &Path) -> anyhow::Result<()> {
    let settings = configuration.site.cameras.iter().find(|settings| settings.id == camera);
    let settings = settings.with_context(|| format!("the site has no camera `{camera}`"))?;
    let GeoreferenceSettings::ProjectionMatrix(matrix) = &settings.georeference else {
        bail!("camera `{camera}` is not georeferenced by a projection matrix");
    };
    let frame = SiteFrame::new(configuration.site.origin.into());
    let report = masa::evaluate(recording, camera, matrix, settings.image_size_px, &frame)?;
    println!("error against the recorded positions        boxes  unmapped   median      p95      max (m)");
    for (words, figures) in [
        ("map fitted on even tracks, those tracks", &report.fitted),
        ("the same map, the odd tracks (held out)", &report.held_out),
        ("… with the exact box centre", &report.held_out_exact_centre),
        ("… with the contact point", &report.held_out_contact_point),
        ("the site file's map, all tracks", &report.configured),
    ] {
        println!(
            "{words:<42} {:>6} {:>9} {:>8.3} {:>8.3} {:>8.3}",
            figures.samples, figures.unmapped, figures.median_m, figures.p95_m, figures.max_m
        );
    }
    Ok(())
}
