//! `masa replay`: feed a recording to the same core again.

use crate::terminal::time_of_day;
use anyhow::{Context, bail};
use clap::Args;
use masa_edge_node::config::Configuration;
use masa_edge_node::effect::OutMessage;
use masa_edge_node::run::replay::replay;
use masa_v2x_proto::jer::Release;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// Feed a recording to the same core again and compare the messages with the recorded ones, byte for byte.
///
/// Exits with 1 when a message differs. With another configuration the differences are what you want to see, so they are
/// reported but are no failure.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The recording (MCAP).
    file: PathBuf,
    /// A node file to use instead of the recorded configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write every message as one JSON line: id, kind, UPER as hex, JSON image, provenance.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Replay {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let configuration = self.config.as_deref().map(Configuration::load).transpose()?;
        let mut output = match &self.output {
            Some(path) => Some(BufWriter::new(File::create(path).with_context(|| format!("{}", path.display()))?)),
            None => None,
        };
        let mut digest = Sha256::new();
        let mut failed = None;
        let report = replay(&self.file, configuration.as_ref(), &mut |message| {
            for part in [message.id.as_bytes(), &message.uper, message.json.as_bytes()] {
                digest.update((part.len() as u64).to_le_bytes());
                digest.update(part);
            }
            if let (Some(output), None) = (&mut output, &failed) {
                failed = writeln!(output, "{}", json_line(message)).err();
            }
        })?;
        if let Some(mut output) = output {
            failed = failed.or(output.flush().err());
        }
        if let Some(error) = failed {
            return Err(error).context("writing the messages");
        }
        let span = report.span.map_or_else(String::new, |(first, last)| {
            format!(", {} to {} UTC ({:.1} s)", time_of_day(first), time_of_day(last), last.seconds_since(first))
        });
        println!("{} events{span}", report.events);
        println!("{} messages made, {} recorded, sha256 {}", report.messages, report.recorded, hex(&digest.finalize()));
        if report.lost > 0 {
            println!("{} records were lost when this was recorded: an exact replay is not to be expected", report.lost);
        }
        match report.difference {
            None => println!("all messages are byte-identical to the recorded ones"),
            Some(difference) if self.config.is_some() => println!("first difference: {difference}"),
            Some(difference) => bail!("the replay differs from the recording: {difference}"),
        }
        Ok(())
    }
}

/// One message as a JSON line.
pub(crate) fn json_line(message: &OutMessage) -> serde_json::Value {
    json!({
        "id": message.id,
        "kind": message.kind.name(),
        "generated_at_ns": message.generated_at.unix_ns(),
        "uper": hex(&message.uper),
        "jer": masa_v2x_proto::Message::decode(&message.uper).ok().map(|decoded| decoded.to_jer(Release::R2)),
        "json": message.json,
        "provenance": message.provenance,
    })
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
