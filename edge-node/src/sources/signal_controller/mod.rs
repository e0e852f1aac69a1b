//! A signal controller behind an MQTT broker: one JSON document an intersection, as [`document`] describes it.
//!
//! In: [`ControllerSettings`]; requests for priority. Out: a [`Worker`] that yields [`ControllerOutput`]: what signals show,
//! answers to requests, documents that were refused and why, and changes of state in words. Nothing that arrives can stop
//! the source. Absent: controllers' own protocols (OCIT, UTMC, NTCIP, RSMP), for which a gateway makes these documents.

pub mod document;
mod settings;

pub use document::Reject;
pub use settings::ControllerSettings;

use crate::effect::PriorityRequest;
use crate::event::{PriorityAnswer, SignalReport, SourceState, StatusChange};
use crate::sources::backoff::Backoff;
use crate::sources::clock::Clock;
use crate::sources::mqtt::{self, Subscriber, Subscription};
use crate::sources::queue::{self, Sender, Sent, WhenFull};
use crate::sources::stop::StopToken;
use crate::sources::worker::{Worker, excerpt};
use rumqttc::Publish;
use tokio::sync::mpsc;

/// Requests for priority that wait for the broker at most.
const REQUESTS: usize = 64;
/// Where a topic of requests has the intersection's number.
const INTERSECTION: &str = "{intersection}";

/// What comes from a controller.
#[derive(Clone, Debug, PartialEq)]
pub enum ControllerOutput {
    /// What signals show.
    Signals(SignalReport),
    /// What became of a request for priority.
    Answer(PriorityAnswer),
    /// A document that is not used.
    Rejected {
        /// Where it was published.
        topic: String,
        /// Why.
        reason: Reject,
        /// The beginning of its payload.
        excerpt: String,
    },
    /// A change of state.
    Status(StatusChange),
}

/// Why a controller cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// A setting is wrong.
    #[error("[signal-controller]: {0}")]
    Settings(String),
    /// The thread of the source could not be started.
    #[error("no thread for the signal controller: {0}")]
    Thread(#[from] std::io::Error),
}

/// Where requests for priority go.
#[derive(Clone, Debug)]
pub struct Requests {
    topic: Option<String>,
    outgoing: mpsc::Sender<(String, Vec<u8>)>,
}

impl Requests {
    /// Hands a request to the controller; one that finds no room is counted.
    pub fn send(&self, request: &PriorityRequest) {
        let Some(topic) = &self.topic else { return };
        let topic = topic.replace(INTERSECTION, &request.intersection.to_string());
        if self.outgoing.try_send((topic, document::request(request))).is_err() {
            metrics::counter!("masa_signal_controller_dropped_total", "reason" => "request-queue-full").increment(1);
        }
    }
}

/// Connects to a broker. `salt` is the source's number: it makes waits differ between sources.
///
/// # Errors
/// When a setting is wrong or the system refuses a thread. A broker that cannot be reached shows as a state.
pub fn spawn(
    settings: &ControllerSettings,
    salt: u64,
    clock: Clock,
    stop: &StopToken,
) -> Result<(Worker<ControllerOutput>, Requests), ControllerError> {
    let filters: Vec<_> = std::iter::once(&settings.signals_topic).chain(&settings.answers_topic).cloned().collect();
    if let Some(filter) = filters.iter().find(|filter| !rumqttc::valid_filter(filter)) {
        return Err(ControllerError::Settings(format!("`{filter}` is no MQTT topic filter")));
    }
    if let Some(topic) = &settings.requests_topic
        && !rumqttc::valid_topic(topic)
    {
        return Err(ControllerError::Settings(format!("`requests-topic` is `{topic}`, no MQTT topic")));
    }
    let options = mqtt::options(&settings.broker, settings.credentials.as_ref(), settings.client_id.clone());
    let (outgoing, requests) = mpsc::channel(REQUESTS);
    let (sender, receiver) = queue::bounded(settings.queue_capacity, WhenFull::DropOldest);
    let stop = stop.child();
    let subscription = Subscription {
        broker: settings.broker.clone(),
        options: options.map_err(ControllerError::Settings)?,
        filters,
        outgoing: requests,
        clock: clock.clone(),
        stop: stop.clone(),
    };
    let mut source = Source { settings: settings.clone(), sender, clock };
    let backoff = Backoff::new(settings.reconnect.clone(), salt);
    let worker = Worker::start("signal-controller", receiver, stop, move || async move {
        subscription.run(&mut source, backoff).await;
    })?;
    Ok((worker, Requests { topic: settings.requests_topic.clone(), outgoing }))
}

struct Source {
    settings: ControllerSettings,
    sender: Sender<ControllerOutput>,
    clock: Clock,
}

impl Source {
    fn read(&self, topic: &str, payload: &[u8]) -> Result<ControllerOutput, Reject> {
        let (bytes, limit) = (payload.len(), self.settings.max_payload_bytes);
        if bytes > limit {
            return Err(Reject::TooLarge { bytes, limit });
        }
        let is_answer = self.settings.answers_topic.as_ref().is_some_and(|filter| rumqttc::matches(topic, filter));
        // One filter may cover both; the narrower one decides, which is that of the answers.
        if is_answer {
            return document::answer(payload).map(ControllerOutput::Answer);
        }
        let report = document::signals(payload, self.clock.now(), self.settings.clock_error_ms)?;
        Ok(ControllerOutput::Signals(report))
    }
}

impl Subscriber for Source {
    fn take(&mut self, message: &Publish) {
        let topic = String::from_utf8_lossy(&message.topic);
        match self.read(&topic, &message.payload) {
            Ok(output) => {
                if let Sent::Displaced(_) | Sent::Refused(_) = self.sender.send(output) {
                    metrics::counter!("masa_signal_controller_dropped_total", "reason" => "queue-full").increment(1);
                }
            }
            Err(reason) => {
                let excerpt = excerpt(&message.payload);
                self.sender.report(ControllerOutput::Rejected { topic: topic.into_owned(), reason, excerpt });
            }
        }
    }

    fn status(&mut self, state: SourceState, detail: String) {
        tracing::info!(?state, detail, "signal controller");
        let name = "signal-controller".to_owned();
        self.sender.report(ControllerOutput::Status(StatusChange { name, state, detail }));
    }
}
