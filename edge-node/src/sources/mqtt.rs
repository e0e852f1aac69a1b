//! A connection to an MQTT broker that is kept up, for sources that read from it.
//!
//! In: a [`Subscription`]. Out: calls of a [`Subscriber`]. Invariants: the client reconnects for ever and subscribes anew
//! each time; nothing blocks, because rumqttc's keep-alive runs in the same loop. Absent: TLS, MQTT 5.

use super::backoff::Backoff;
use super::camera::Credentials;
use super::clock::{Clock, Waited};
use super::stop::StopToken;
use crate::event::SourceState;
use rumqttc::{
    AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, Publish, PublishOptions, QoS, SubAck,
};
use tokio::sync::mpsc;

/// Largest MQTT packet received, bytes. Larger ones end the connection, so this is far above any setting for payloads,
/// which are refused one by one.
const MAX_PACKET_BYTES: usize = 16 << 20;

/// What is wanted of a broker.
pub(super) struct Subscription {
    /// As in the settings, for what is said of the state.
    pub(super) broker: String,
    pub(super) options: MqttOptions,
    /// Topic filters.
    pub(super) filters: Vec<String>,
    /// Topics and payloads to publish; a closed channel ends nothing.
    pub(super) outgoing: mpsc::Receiver<(String, Vec<u8>)>,
    pub(super) clock: Clock,
    pub(super) stop: StopToken,
}

/// Who reads from a broker.
pub(super) trait Subscriber {
    /// A message.
    fn take(&mut self, message: &Publish);

    /// A change of state, in words.
    fn status(&mut self, state: SourceState, detail: String);
}

/// Options of `mqtt://host:port`.
pub(super) fn options(
    broker: &str,
    credentials: Option<&Credentials>,
    client_id: String,
) -> Result<MqttOptions, String> {
    let wrong = |what| format!("`broker` is `{broker}`: {what}; it should be like mqtt://host:1883");
    let url = url::Url::parse(broker).map_err(|error| wrong(error.to_string()))?;
    let host = url.host_str().ok_or_else(|| wrong("no host".to_owned()))?;
    if url.scheme() != "mqtt" {
        return Err(wrong(format!("`{}` is not supported", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`broker` must not hold a user or password: use `credentials`".to_owned());
    }
    // The URL parser keeps the brackets of an IPv6 address; sockets do not want them.
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut options = MqttOptions::new(client_id, (host, url.port().unwrap_or(1883)));
    options.set_max_packet_size(MAX_PACKET_BYTES, 64 << 10);
    options.set_keep_alive(15);
    if let Some(credentials) = credentials {
        let (user, password) = credentials.resolve()?;
        options.set_credentials(user, password);
    }
    Ok(options)
}

impl Subscription {
    /// Reads until stopped.
    pub(super) async fn run(mut self, subscriber: &mut impl Subscriber, mut backoff: Backoff) {
        let (client, mut events) = AsyncClient::builder(self.options.clone()).capacity(self.filters.len() + 64).build();
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
        subscriber.status(SourceState::Connecting, format!("connecting to {}", self.broker));
        loop {
            let Some(error) = self.serve(subscriber, &client, &mut events, &mut backoff).await else { break };
            let wait = backoff.next_wait();
            let detail = format!("{}: {error}; next attempt in {:.1} s", self.broker, wait.as_secs_f64());
            subscriber.status(SourceState::Connecting, detail);
            if self.clock.sleep(wait, &self.stop).await == Waited::Stopped {
                break;
            }
        }
        subscriber.status(SourceState::Ended, "stopped".to_owned());
    }

    /// Takes what comes until the connection fails; `None` when the source is stopped.
    async fn serve(
        &mut self,
        subscriber: &mut impl Subscriber,
        client: &AsyncClient,
        events: &mut EventLoop,
        backoff: &mut Backoff,
    ) -> Option<rumqttc::ConnectionError> {
        loop {
            let event = tokio::select! {
                () = self.stop.stopped() => return None,
                Some((topic, payload)) = self.outgoing.recv() => {
                    publish(client, topic, payload);
                    continue;
                }
                event = events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    backoff.reset();
                    self.subscribe(subscriber, client);
                }
                Ok(Event::Incoming(Packet::SubAck(answer))) => self.subscribed(subscriber, &answer),
                Ok(Event::Incoming(Packet::Publish(message))) => subscriber.take(&message),
                Ok(_) => {}
                Err(error) => return Some(error),
            }
        }
    }

    /// The session is clean: what was published while we were away is stale anyway.
    fn subscribe(&self, subscriber: &mut impl Subscriber, client: &AsyncClient) {
        let filters = self.filters.iter().map(|filter| rumqttc::SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
        if let Err(error) = client.try_subscribe_many(filters) {
            subscriber.status(SourceState::Failed, format!("cannot subscribe at {}: {error}", self.broker));
        }
    }

    fn subscribed(&self, subscriber: &mut impl Subscriber, answer: &SubAck) {
        let refused = self.filters.iter().zip(&answer.return_codes);
        let refused: Vec<_> = refused
            .filter(|(_, code)| matches!(code, rumqttc::SubscribeReasonCode::Failure))
            .map(|(filter, _)| filter.as_str())
            .collect();
        if refused.is_empty() {
            let detail = format!("{}: subscribed to {} topic filters", self.broker, self.filters.len());
            subscriber.status(SourceState::Up, detail);
        } else {
            let detail = format!("{} refuses the topic filters {} (access rights?)", self.broker, refused.join(", "));
            subscriber.status(SourceState::Failed, detail);
        }
    }
}

fn publish(client: &AsyncClient, topic: String, payload: Vec<u8>) {
    if let Err(error) = client.try_publish(topic, payload, PublishOptions::new(QoS::AtLeastOnce)) {
        metrics::counter!("masa_mqtt_source_dropped_total", "reason" => "request-queue-full").increment(1);
        tracing::warn!(%error, "not published to the source's broker");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_addressed_by_url_without_secrets() {
        let options = |broker| options(broker, None, "x".to_owned());
        for (broker, address) in [
            ("mqtt://broker.example", ("broker.example", 1883)),
            ("mqtt://127.0.0.1:9001", ("127.0.0.1", 9001)),
            ("mqtt://[::1]:9001", ("::1", 9001)),
        ] {
            assert_eq!(options(broker).unwrap().broker().tcp_address(), Some(address));
        }
        for (broker, names) in [
            ("mqtts://broker", "mqtts"),
            ("broker:1883", "broker"),
            ("mqtt://op:secret@broker", "credentials"),
            ("", "mqtt://host"),
        ] {
            let error = options(broker).unwrap_err();
            assert!(error.contains(names) && !error.contains("secret"), "{broker}: {error}");
        }
    }
}
