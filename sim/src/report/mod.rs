//! Reports of runs: JUnit for a build server, HTML for people, a recording of each failure for whoever has to mend it.
//!
//! In: [`Outcome`]s. Out: text and files. The HTML is one file that needs no other: pictures and plots are inside.

mod html;
mod junit;
mod map;
mod plot;

pub use junit::junit;

use crate::run::Outcome;
use masa_edge_node::recorder::{Recorder, proto};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What goes wrong while a report is written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file cannot be written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A recording cannot be written.
    #[error(transparent)]
    Recording(#[from] masa_edge_node::recorder::Error),
}

/// Writes `index.html` and the recordings of failures to a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, outcomes: &[(&Outcome, Duration)]) -> Result<(), ReportError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Io { path, source }
    };
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let mut recordings = Vec::new();
    for (outcome, _) in outcomes {
        recordings.push(if outcome.passed() { Vec::new() } else { record(folder, outcome)? });
    }
    let path = folder.join("index.html");
    std::fs::write(&path, html::page(outcomes, &recordings)).map_err(io(&path))
}

/// Writes what entered and left the nodes that a failure is about, for `masa replay`; names of the files.
fn record(folder: &Path, outcome: &Outcome) -> Result<Vec<String>, ReportError> {
    let mut names = Vec::new();
    for (index, station) in outcome.trace.stations.iter().enumerate() {
        let concerned =
            outcome.verdicts.iter().filter(|verdict| !verdict.passed).any(|verdict| {
                verdict.station.as_ref() == Some(&station.name) || verdict.actors.contains(&station.name)
            });
        // Without anybody in particular, the first station tells most.
        let nobody = outcome.verdicts.iter().filter(|v| !v.passed).all(|v| v.station.is_none() && v.actors.is_empty());
        if !(concerned || nobody && index == 0) {
            continue;
        }
        for (life, recording) in station.recordings.iter().enumerate() {
            let name = format!("{}-{}-{}-{life}.mcap", outcome.scenario.id(), outcome.seed, station.name);
            let header = proto::Header {
                program: format!("masa {}", env!("CARGO_PKG_VERSION")),
                configuration_json: recording.configuration_json.clone(),
                sources: recording.sources.clone(),
                station_id: station.station_id,
                started_at_ns: recording.started_at.unix_ns(),
                ..Default::default()
            };
            Recorder::write(&folder.join(&name), header, &recording.records)?;
            names.push(name);
        }
    }
    Ok(names)
}

/// Text inside XML or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no room for control characters.
            c if c.is_control() && c != '\n' && c != '\t' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
