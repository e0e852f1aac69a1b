//! Feeds a recording to the same core and compares what comes out with what was recorded.
//!
//! In: a recording. Out: every message again, in order. Exact by construction: the events carry their arrival times and
//! results, the header carries the configuration, and the core knows nothing else.

use super::{RunError, node_settings};
use crate::config::Configuration;
use crate::effect::{Effects, OutMessage};
use crate::node::Node;
use crate::recorder::{Entry, Error as RecordingError, Recording};
use crate::telemetry::NoProbe;
use masa_v2x_proto::time::Timestamp;
use std::collections::VecDeque;
use std::path::Path;

/// Recorded messages that wait for their event to be replayed at most. A step publishes at most a few dozen.
const MAX_PENDING: usize = 4096;

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Events fed to the core.
    pub events: u64,
    /// Messages the core made.
    pub messages: u64,
    /// Messages the recording holds.
    pub recorded: u64,
    /// Records the recorder lost; exactness is not promised when there are any.
    pub lost: u64,
    /// The first difference, in words; `None` when all messages are byte-identical.
    pub difference: Option<String>,
    /// Arrival of the first and the last event.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// Replays `path`; `configuration` replaces the recorded one, and `sink` is given every message that the core makes.
///
/// # Errors
/// When the recording cannot be read, or the core refuses its configuration.
pub fn replay(
    path: &Path,
    configuration: Option<&Configuration>,
    sink: &mut dyn FnMut(&OutMessage),
) -> Result<ReplayReport, RunError> {
    let recording = Recording::open(path)?;
    let recorded_configuration: Configuration;
    let configuration = match configuration {
        Some(configuration) => configuration,
        None => {
            recorded_configuration = serde_json::from_str(&recording.header().configuration_json).map_err(|error| {
                RecordingError::Content { field: "header.configuration_json", value: error.to_string() }
            })?;
            &recorded_configuration
        }
    };
    let mut node = Node::new(node_settings(configuration))?;
    let mut effects = Effects::default();
    let mut report = ReplayReport::default();
    let mut made: VecDeque<OutMessage> = VecDeque::new();
    for entry in recording {
        match entry? {
            Entry::Event(event) => {
                node.step(&event, &mut effects, &mut NoProbe);
                report.events += 1;
                let first = report.span.map_or(event.arrived_at, |(first, _)| first);
                report.span = Some((first, event.arrived_at));
                for message in &effects.messages {
                    sink(message);
                }
                report.messages += effects.messages.len() as u64;
                // The recording has a step's messages right behind its event: anything older was never recorded.
                report_missing(&mut made, &mut report);
                made.extend(effects.messages.drain(..).take(MAX_PENDING));
            }
            Entry::Message(recorded) => {
                report.recorded += 1;
                let difference = match made.pop_front() {
                    Some(message) => difference(&message, &recorded),
                    None => Some(format!("{} was recorded but not made again", recorded.id)),
                };
                report.difference = report.difference.take().or(difference);
            }
            Entry::Gap(lost) => report.lost += lost,
        }
    }
    report_missing(&mut made, &mut report);
    Ok(report)
}

fn report_missing(made: &mut VecDeque<OutMessage>, report: &mut ReplayReport) {
    if let Some(message) = made.front() {
        let words = format!("{} was made again but is not in the recording", message.id);
        report.difference.get_or_insert(words);
        made.clear();
    }
}

/// In which way two messages differ, the first in words.
fn difference(made: &OutMessage, recorded: &OutMessage) -> Option<String> {
    if made == recorded {
        return None;
    }
    let what = if made.id != recorded.id {
        format!("id is {} instead", made.id)
    } else if made.generated_at != recorded.generated_at {
        format!("generated {} ns later", made.generated_at.unix_ns() - recorded.generated_at.unix_ns())
    } else if made.uper != recorded.uper {
        let at = made.uper.iter().zip(&recorded.uper).take_while(|(a, b)| a == b).count();
        format!("UPER differs from byte {at} on ({} and {} bytes)", made.uper.len(), recorded.uper.len())
    } else if made.json != recorded.json {
        "JSON image differs".to_owned()
    } else {
        "provenance differs".to_owned()
    };
    Some(format!("{}: {what}", recorded.id))
}
