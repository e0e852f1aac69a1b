//! MQTT 3.1.1: the path to its-client applications, dashboards and everything else that speaks MQTT.
//!
//! In: messages. Out, per message: the its-client JSON image and the UPER bytes ([`crate::keys`] has the topics), QoS 0
//! for best-effort kinds, QoS 1 for at-least-once ones; of the latter also a [`Page`] on the outbox topic, because
//! neither a JSON image after its-client's closed schema nor raw UPER has a place for our numbering, and MQTT 3.1.1 has
//! no user properties.
//!
//! Invariants: the event loop is polled by a task that does nothing else; everything from it goes on without waiting
//! (a slow handler would trip the keep-alive). The session is persistent, TCP_NODELAY is set, packets may be large.
//! A message counts as delivered when the broker acknowledged all three publications; when that is too little, name the
//! `readers` that must acknowledge themselves.
//!
//! A broker acknowledges messages that its access rules deny. So the link subscribes to its own announcements and says
//! so when they do not come back.

mod connection;
mod settings;

pub(crate) use connection::{Happening, connect, poll};
pub use settings::{MqttSettings, Queue};

use crate::clock;
use crate::current::{self, CurrentSet, Retained, Standing};
use crate::error::LinkError;
use crate::keys::{self, Item};
use crate::kind::Kind;
use crate::message::{Numbered, Station};
use crate::protocol::{Ack, Get, Page, from_json, to_json};
use crate::stats::{Ledger, LinkName, LinkState};
use crate::transport::connectivity::Connectivity;
use crate::transport::{Refusal, Start, Transport, TransportEvent};
use bytes::Bytes;
use futures::future::BoxFuture;
use rumqttc::{AsyncClient, ClientError, PublishNotice, PublishOptions, QoS, SessionMode};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// At-least-once messages under way; each is three publications of the client's 100.
const WINDOW: usize = 32;
/// Announcements in a row that may stay away before the link says that it is probably denied.
const MISSING_ECHOES: u32 = 10;
/// Time for the DISCONNECT to reach the broker.
const GOODBYE: Duration = Duration::from_millis(500);

/// Starts the link; it connects in the background.
pub(crate) fn start(settings: MqttSettings, start: Start) -> Result<Box<dyn Transport>, LinkError> {
    let client_id = settings
        .client_id
        .clone()
        .unwrap_or_else(|| format!("masa-{}-{}", start.station.site(), start.station.station()));
    let (client, event_loop) = connect(&settings, &client_id, SessionMode::Persistent)?;
    let connectivity = Connectivity::new();
    let unechoed = Arc::new(AtomicU32::new(0));
    let retained = Arc::new(Mutex::new(Retained::default()));
    let transport = MqttTransport {
        root: settings.json_root(),
        peer: settings.peer(),
        poller: tokio::spawn(poll(event_loop, settings.retry_max(), {
            let handler = Handler {
                client: client.clone(),
                station: start.station.clone(),
                current: start.current.clone(),
                retained: retained.clone(),
                connectivity: connectivity.clone(),
                events: start.events.clone(),
                ledger: start.ledger.clone(),
                peer: settings.peer(),
                unechoed: unechoed.clone(),
            };
            move |happening| handler.on(happening)
        })),
        reporter: tokio::spawn(connectivity.report(start.events.clone())),
        client,
        station: start.station,
        current: start.current,
        retained,
        events: start.events,
        ledger: start.ledger,
        unechoed,
    };
    Ok(Box::new(transport))
}

struct MqttTransport {
    client: AsyncClient,
    station: Station,
    /// `<instance>/<queue>` of the JSON topics.
    root: String,
    peer: String,
    current: Arc<CurrentSet>,
    retained: Arc<Mutex<Retained>>,
    events: mpsc::Sender<TransportEvent>,
    ledger: Arc<Ledger>,
    /// Announcements sent since the last one came back.
    unechoed: Arc<AtomicU32>,
    poller: JoinHandle<()>,
    reporter: JoinHandle<()>,
}

impl Transport for MqttTransport {
    fn name(&self) -> LinkName {
        LinkName::Mqtt
    }

    fn send(&mut self, message: &Arc<Numbered>, owed: bool) -> Result<(), Refusal> {
        let m = message.as_ref();
        let uper_topic = keys::uper_topic(&self.station, m.kind, &m.quadkey);
        // Only V2X messages have an image beside them.
        let image = match m.kind {
            Kind::V2x(_) => {
                let topic = keys::json_topic(&self.root, self.station.source_uuid(), m.kind, &m.quadkey);
                Some((topic, m.json.clone()))
            }
            Kind::Observation | Kind::Health => None,
        };
        if !owed {
            if let Some((topic, json)) = image {
                self.publish(topic, json)?;
            }
            return self.publish(uper_topic, m.uper.clone());
        }
        let number = m.header.number;
        let page =
            Page { stream: m.header.stream, first: number, last: number, after: None, messages: vec![m.entry()] };
        let own = [(uper_topic, m.uper.clone()), (outbox_topic(&self.station, m.kind), Bytes::from(to_json(&page)))];
        let notices = image.into_iter().chain(own).map(|(topic, payload)| self.publish_tracked(topic, payload));
        let notices = notices.collect::<Result<Vec<_>, _>>()?;
        // At most WINDOW of these are alive.
        tokio::spawn(watch_delivery(m.kind, number, notices, self.events.clone()));
        Ok(())
    }

    fn announce(&mut self, kind: Kind, head: &Page) {
        if self.publish(outbox_topic(&self.station, kind), Bytes::from(to_json(head))).is_err() {
            return;
        }
        if self.unechoed.fetch_add(1, Ordering::Relaxed) == MISSING_ECHOES {
            let words = format!(
                "{}: our own announcements do not come back; publishing or reading masa/{}/{}/# is probably denied",
                self.peer,
                self.station.site(),
                self.station.station()
            );
            self.ledger.status(LinkName::Mqtt, LinkState::Failed, words);
        }
    }

    fn tend(&mut self) {
        let standing = self.current.standing(clock::now());
        let publish = |topic, payload| retain(&self.client, topic, payload);
        let topic_of = |standing: &Standing| current::mqtt_topic(&self.station, standing);
        self.retained.lock().unwrap_or_else(PoisonError::into_inner).sync(&standing, topic_of, publish);
    }

    fn window(&self) -> usize {
        WINDOW
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut this = self;
            this.reporter.abort();
            if this.client.try_disconnect().is_ok() {
                let _ = tokio::time::timeout(GOODBYE, &mut this.poller).await;
            }
            this.poller.abort();
        })
    }
}

impl Drop for MqttTransport {
    fn drop(&mut self) {
        self.poller.abort();
        self.reporter.abort();
    }
}

impl MqttTransport {
    fn publish(&self, topic: String, payload: Bytes) -> Result<(), Refusal> {
        self.client.try_publish(topic, payload, PublishOptions::at_most_once()).map_err(|e| refusal(&e))
    }

    fn publish_tracked(&self, topic: String, payload: Bytes) -> Result<PublishNotice, Refusal> {
        self.client.try_publish_tracked(topic, payload, PublishOptions::at_least_once()).map_err(|e| refusal(&e))
    }
}

/// Asks the broker to retain a payload, or with an empty one to forget it; false when it must be tried again.
fn retain(client: &AsyncClient, topic: String, payload: Bytes) -> bool {
    client.try_publish(topic, payload, PublishOptions::at_least_once().retained()).is_ok()
}

fn refusal(error: &ClientError) -> Refusal {
    match error {
        ClientError::InvalidRequest(_) => Refusal::Refused,
        _ => Refusal::Busy,
    }
}

fn outbox_topic(station: &Station, kind: Kind) -> String {
    keys::outbox_key(station.site(), &station.station().to_string(), kind)
}

/// Reports when the broker has all publications of a message, or when one of them is in doubt.
async fn watch_delivery(kind: Kind, number: u64, notices: Vec<PublishNotice>, events: mpsc::Sender<TransportEvent>) {
    let mut delivered = true;
    for notice in notices {
        delivered &= notice.wait_completion_async().await.is_ok();
    }
    let event = if delivered {
        TransportEvent::Delivered { kind, number }
    } else {
        TransportEvent::Undelivered { kind, number }
    };
    let _ = events.send(event).await;
}

/// What the polling task does with what comes in; never waits.
struct Handler {
    client: AsyncClient,
    station: Station,
    current: Arc<CurrentSet>,
    retained: Arc<Mutex<Retained>>,
    connectivity: Connectivity,
    events: mpsc::Sender<TransportEvent>,
    ledger: Arc<Ledger>,
    peer: String,
    unechoed: Arc<AtomicU32>,
}

impl Handler {
    fn on(&self, happening: Happening) {
        match happening {
            Happening::Connected => {
                self.subscribe();
                self.retained.lock().unwrap_or_else(PoisonError::into_inner).forget();
                self.unechoed.store(0, Ordering::Relaxed);
                self.ledger.status(LinkName::Mqtt, LinkState::Up, self.peer.clone());
                self.connectivity.up();
            }
            Happening::Lost { words, needs_operator } => {
                let state = if needs_operator { LinkState::Failed } else { LinkState::Connecting };
                self.ledger.status(LinkName::Mqtt, state, format!("{}: {words}", self.peer));
                self.connectivity.down();
            }
            Happening::SubscriptionDenied => {
                let words = format!("{}: the broker denies a subscription; acknowledgements cannot arrive", self.peer);
                self.ledger.status(LinkName::Mqtt, LinkState::Failed, words);
            }
            Happening::Message { topic, payload } => self.on_message(&topic, &payload),
        }
    }

    fn subscribe(&self) {
        let (site, station) = (self.station.site(), self.station.station().to_string());
        let current = format!("{}/#", keys::current_root(&self.station));
        let mut filters = vec![keys::ack_key(site, &station, "+"), keys::get_topic(site, &station, "+"), current];
        filters.extend(Kind::ALL.map(|kind| keys::outbox_key(site, &station, kind)));
        for filter in filters {
            if let Err(e) = self.client.try_subscribe(filter, QoS::AtLeastOnce) {
                tracing::warn!(error = %e, "mqtt subscription not queued");
            }
        }
    }

    fn on_message(&self, topic: &str, payload: &[u8]) {
        let Some(address) = keys::parse(topic) else { return };
        let event = match address.item {
            Item::Ack { reader } => {
                from_json::<Ack>("acknowledgement", payload).map(|ack| TransportEvent::Acked { reader, ack })
            }
            Item::Get { kind } => from_json::<Get>("request", payload).map(|get| {
                let (client, topic) = (self.client.clone(), outbox_topic(&self.station, kind));
                let reply = Box::new(move |page: &Page| {
                    // A full queue costs a repetition of the request.
                    let _ = client.try_publish(topic, to_json(page), PublishOptions::at_least_once());
                });
                TransportEvent::Get { kind, after: get.after, reply }
            }),
            Item::Outbox { .. } => {
                if self.unechoed.swap(0, Ordering::Relaxed) > MISSING_ECHOES {
                    self.ledger.status(LinkName::Mqtt, LinkState::Up, self.peer.clone());
                }
                return;
            }
            // The broker still retains something from before that no longer holds.
            Item::Current { kind, quadkey, name } => {
                let standing = self.current.standing(clock::now());
                if !payload.is_empty() && !current::holds(&standing, kind, &name, &quadkey) {
                    retain(&self.client, topic.to_owned(), Bytes::new());
                }
                return;
            }
            Item::Message { .. } => return,
        };
        match event {
            // A full queue costs a repetition: readers repeat what is not answered.
            Ok(event) => drop(self.events.try_send(event)),
            Err(e) => tracing::debug!(topic, error = %e, "mqtt reader"),
        }
    }
}
