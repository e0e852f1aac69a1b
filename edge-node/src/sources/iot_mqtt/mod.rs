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
use crate::sources::clock::{Clock, Waited};
use crate::sources::queue::{self, NothingReceived, Receiver, Sender, Sent, WhenFull};
use crate::sources::stop::StopToken;
use masa_v2x_proto::time::Timestamp;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, Publish, QoS, SubAck};
use std::collections::BTreeSet;
use std::thread::JoinHandle;
use std::time::Duration;

/// Largest MQTT packet received, bytes. Larger ones end the connection, so this is far above any setting for payloads,
/// which are refused one by one.
const MAX_PACKET_BYTES: usize = 16 << 20;
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
pub struct IotHandle {
    receiver: Receiver<IotOutput>,
    stop: StopToken,
    thread: Option<JoinHandle<()>>,
}

impl IotHandle {
    /// The next output; blocks for it. `None` once the source was stopped.
    pub fn recv(&self) -> Option<IotOutput> {
        self.receiver.recv()
    }

    /// The next output, if it comes within `timeout`.
    ///
    /// # Errors
    /// [`NothingReceived`] says whether to try again.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<IotOutput, NothingReceived> {
        self.receiver.recv_timeout(timeout)
    }

    /// The next output, without blocking the thread. `None` once the source was stopped.
    pub async fn recv_async(&self) -> Option<IotOutput> {
        self.receiver.recv_async().await
    }

    /// Ends the connection and waits for its thread.
    pub fn shut_down(self) {}
}

impl Drop for IotHandle {
    fn drop(&mut self) {
        self.stop.stop();
        self.receiver.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("an IoT source's thread panicked");
        }
    }
}

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
    let options = options(settings, name).map_err(IotError::Settings)?;
    let (sender, receiver) = queue::bounded(settings.queue_capacity, WhenFull::DropOldest);
    let stop = stop.child();
    let mut source = IotSource {
        name: name.to_owned(),
        broker: settings.broker.clone(),
        mappings: mappings.map_err(IotError::Settings)?,
        max_payload_bytes: settings.max_payload_bytes,
        sender,
        clock,
        stop: stop.clone(),
    };
    let backoff = Backoff::new(settings.reconnect.clone(), salt);
    let no_thread = |source| IotError::Thread { name: name.to_owned(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
    let thread = std::thread::Builder::new()
        .name(format!("iot-{name}"))
        .spawn(move || runtime.block_on(source.run(options, backoff)))
        .map_err(no_thread)?;
    Ok(IotHandle { receiver, stop, thread: Some(thread) })
}

fn options(settings: &IotSettings, name: &str) -> Result<MqttOptions, String> {
    let wrong = |what| format!("`broker` is `{}`: {what}; it should be like mqtt://host:1883", settings.broker);
    let url = url::Url::parse(&settings.broker).map_err(|error| wrong(error.to_string()))?;
    let host = url.host_str().ok_or_else(|| wrong("no host".to_owned()))?;
    if url.scheme() != "mqtt" {
        return Err(wrong(format!("`{}` is not supported", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`broker` must not hold a user or password: use `credentials`".to_owned());
    }
    let client_id = settings.client_id.clone().unwrap_or_else(|| format!("masa-{name}"));
    // The URL parser keeps the brackets of an IPv6 address; sockets do not want them.
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut options = MqttOptions::new(client_id, (host, url.port().unwrap_or(1883)));
    options.set_max_packet_size(MAX_PACKET_BYTES, 64 << 10);
    options.set_keep_alive(15);
    if let Some(credentials) = &settings.credentials {
        let (user, password) = credentials.resolve()?;
        options.set_credentials(user, password);
    }
    Ok(options)
}

struct IotSource {
    name: String,
    broker: String,
    mappings: Vec<Mapping>,
    max_payload_bytes: usize,
    sender: Sender<IotOutput>,
    clock: Clock,
    stop: StopToken,
}

impl IotSource {
    async fn run(&mut self, options: MqttOptions, mut backoff: Backoff) {
        let (client, mut events) = AsyncClient::builder(options).capacity(self.mappings.len() + 8).build();
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
        self.status(SourceState::Connecting, format!("connecting to {}", self.broker));
        loop {
            let Some(error) = self.serve(&client, &mut events, &mut backoff).await else { break };
            let wait = backoff.next_wait();
            let detail = format!("{}: {error}; next attempt in {:.1} s", self.broker, wait.as_secs_f64());
            self.status(SourceState::Connecting, detail);
            if self.clock.sleep(wait, &self.stop).await == Waited::Stopped {
                break;
            }
        }
        self.status(SourceState::Ended, "stopped".to_owned());
    }

    /// Takes what comes until the connection fails; `None` when the source is stopped.
    async fn serve(
        &mut self,
        client: &AsyncClient,
        events: &mut EventLoop,
        backoff: &mut Backoff,
    ) -> Option<rumqttc::ConnectionError> {
        loop {
            let event = tokio::select! {
                () = self.stop.stopped() => return None,
                event = events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    backoff.reset();
                    self.subscribe(client);
                }
                Ok(Event::Incoming(Packet::SubAck(answer))) => self.subscribed(&answer),
                Ok(Event::Incoming(Packet::Publish(message))) => self.take(&message),
                Ok(_) => {}
                Err(error) => return Some(error),
            }
        }
    }

    /// The session is clean: what was published while we were away is stale anyway.
    fn subscribe(&self, client: &AsyncClient) {
        let filters: BTreeSet<_> = self.mappings.iter().map(Mapping::topic).collect();
        let filters =
            filters.into_iter().map(|filter| rumqttc::SubscribeFilter::new(filter.to_owned(), QoS::AtLeastOnce));
        // The channel has room for more requests than can be outstanding after a connect.
        if let Err(error) = client.try_subscribe_many(filters) {
            self.status(SourceState::Failed, format!("cannot subscribe at {}: {error}", self.broker));
        }
    }

    fn subscribed(&self, answer: &SubAck) {
        let filters: BTreeSet<_> = self.mappings.iter().map(Mapping::topic).collect();
        let refused = filters.iter().zip(&answer.return_codes);
        let refused: Vec<_> = refused
            .filter(|(_, code)| matches!(code, rumqttc::SubscribeReasonCode::Failure))
            .map(|(filter, _)| *filter)
            .collect();
        if refused.is_empty() {
            self.status(SourceState::Up, format!("{}: subscribed to {} topic filters", self.broker, filters.len()));
        } else {
            let detail = format!("{} refuses the topic filters {} (access rights?)", self.broker, refused.join(", "));
            self.status(SourceState::Failed, detail);
        }
    }

    /// Never blocks: rumqttc's keep-alive runs in the same loop.
    fn take(&self, message: &Publish) {
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

    fn status(&self, state: SourceState, detail: String) {
        tracing::info!(source = self.name, ?state, detail, "IoT source state");
        self.sender.report(IotOutput::Status(StatusChange { name: self.name.clone(), state, detail }));
    }
}
