//! IoT sensors behind an MQTT broker: any JSON, mapped by configuration to observations with a unit.
//!
//! In: [`IotSettings`]. Out: an [`IotHandle`] that yields [`IotOutput`]: observations in the unit of their quantity,
//! messages that were refused and why, and changes of state in words. Nothing that arrives can stop the source; what
//! does not fit is counted by reason (`masa_iot_rejected_total`) and reported. The client reconnects for ever. Absent:
//! TLS, MQTT 5, payloads other than JSON.

mod mapping;
mod settings;
mod unit;

#[cfg(test)]
mod tests;

pub use mapping::{Mapping, Reject, map_payload};
pub use settings::{
    AirSettings, IotSettings, MappingSettings, PointerSettings, RangeSettings, TextFrom, TimeFormat, TimeSettings,
};

use crate::event::{Observation, SourceState, StatusChange};
use crate::sources::backoff::Backoff;
use crate::sources::clock::Clock;
use crate::sources::mqtt::{self, Subscriber, Subscription};
use crate::sources::queue::{self, Sender, Sent, WhenFull};
use crate::sources::stop::StopToken;
use crate::sources::worker::Worker;
use masa_v2x_proto::time::Timestamp;
use rumqttc::Publish;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// Longest piece of a refused payload that is reported, bytes.
const EXCERPT_BYTES: usize = 200;

/// What comes out of a broker.
#[derive(Clone, Debug, PartialEq)]
pub enum IotOutput {
    /// A reading.
    Observation(Observation),
    /// A message that is no reading.
    Rejected(Rejected),
    /// A change of state.
    Status(StatusChange),
}

/// A message that is no reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Where it was published.
    pub topic: String,
    /// Why it was refused.
    pub reason: Reject,
    /// The beginning of its payload.
    pub excerpt: String,
}

/// Why the sensors of a broker cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum IotError {
    /// A setting is wrong.
    #[error("{0}")]
    Settings(String),
    /// The thread of the source could not be started.
    #[error("no thread for `{name}`: {source}")]
    Thread {
        /// The source.
        name: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// A running connection to a broker. Dropping it ends the connection and waits for its thread.
pub type IotHandle = Worker<IotOutput>;

/// Connects to a broker. `salt` is the source's number: it makes waits differ between sources.
///
/// # Errors
/// When a setting is wrong or the system refuses a thread. A broker that cannot be reached shows as a state.
pub fn spawn(
    settings: &IotSettings,
    salt: u64,
    name: &str,
    clock: Clock,
    stop: &StopToken,
) -> Result<IotHandle, IotError> {
    if settings.mappings.is_empty() {
        return Err(IotError::Settings(format!("`mappings` of {} is empty", settings.broker)));
    }
    let mappings: Result<Vec<_>, _> = settings.mappings.iter().map(Mapping::new).collect();
    let client_id = settings.client_id.clone().unwrap_or_else(|| format!("masa-{name}"));
    let options = mqtt::options(&settings.broker, settings.credentials.as_ref(), client_id);
    let mappings = mappings.map_err(IotError::Settings)?;
    let filters: BTreeSet<_> = mappings.iter().map(|mapping| mapping.topic().to_owned()).collect();
    let (sender, receiver) = queue::bounded(settings.queue_capacity, WhenFull::DropOldest);
    let stop = stop.child();
    let subscription = Subscription {
        broker: settings.broker.clone(),
        options: options.map_err(IotError::Settings)?,
        filters: filters.into_iter().collect(),
        outgoing: mpsc::channel(1).1,
        clock: clock.clone(),
        stop: stop.clone(),
    };
    let mut source =
        IotSource { name: name.to_owned(), mappings, max_payload_bytes: settings.max_payload_bytes, sender, clock };
    let backoff = Backoff::new(settings.reconnect.clone(), salt);
    Worker::start(&format!("iot-{name}"), receiver, stop, move || async move {
        subscription.run(&mut source, backoff).await;
    })
    .map_err(|source| IotError::Thread { name: name.to_owned(), source })
}

struct IotSource {
    name: String,
    mappings: Vec<Mapping>,
    max_payload_bytes: usize,
    sender: Sender<IotOutput>,
    clock: Clock,
}

impl Subscriber for IotSource {
    fn take(&mut self, message: &Publish) {
        let topic = String::from_utf8_lossy(&message.topic);
        let arrived_at = self.clock.now();
        let (bytes, limit) = (message.payload.len(), self.max_payload_bytes);
        let payload =
            if bytes > limit { Err(Reject::TooLarge { bytes, limit }) } else { mapping::parse(&message.payload) };
        let payload = match payload {
            Ok(payload) => payload,
            Err(reason) => return self.reject(arrived_at, &topic, reason, &message.payload),
        };
        for mapping in self.mappings.iter().filter(|mapping| mapping.matches(&topic)) {
            match mapping::map_value(mapping, &payload, arrived_at) {
                Ok(observation) => self.deliver(observation),
                Err(reason) => self.reject(arrived_at, &topic, reason, &message.payload),
            }
        }
    }

    fn status(&mut self, state: SourceState, detail: String) {
        tracing::info!(source = self.name, ?state, detail, "IoT source state");
        self.sender.report(IotOutput::Status(StatusChange { name: self.name.clone(), state, detail }));
    }
}

impl IotSource {
    fn deliver(&self, observation: Observation) {
        metrics::counter!("masa_iot_observations_total", "source" => self.name.clone()).increment(1);
        if let Sent::Displaced(_) | Sent::Refused(_) = self.sender.send(IotOutput::Observation(observation)) {
            metrics::counter!("masa_iot_dropped_total", "source" => self.name.clone(), "reason" => "queue-full")
                .increment(1);
        }
    }

    fn reject(&self, arrived_at: Timestamp, topic: &str, reason: Reject, payload: &[u8]) {
        metrics::counter!("masa_iot_rejected_total", "source" => self.name.clone(), "reason" => reason.label())
            .increment(1);
        let excerpt = mapping::shorten(&String::from_utf8_lossy(&payload[..payload.len().min(EXCERPT_BYTES)]));
        tracing::warn!(source = self.name, topic, %reason, excerpt, "IoT message rejected");
        self.sender.report(IotOutput::Rejected(Rejected { arrived_at, topic: topic.to_owned(), reason, excerpt }));
    }
}
