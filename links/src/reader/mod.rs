//! The other end: messages from any number of stations, over Zenoh, MQTT or both, once each.
//!
//! In: settings and [`Selector`]s. Out: [`Received`] messages. At-least-once kinds come in order and are fetched from
//! the publisher's outbox when they are missing ([`sequencer`]); of best-effort kinds the reader counts what it missed.
//!
//! Invariants: every queue is bounded; when the application is slow the oldest best-effort messages go, while
//! at-least-once ones stay where they are, in the publisher's outbox, until there is room. A reader with a name
//! acknowledges a message when the application asks for the next one.
//!
//! A reader whose selectors name tiles is one of places: what happens in its tiles comes as it happens, and what holds
//! there ([`crate::Current`]) comes at once, also when [`Reader::follow`] moves the tiles along with a vehicle. It does not
//! ask for what it missed, since it cannot know what happened elsewhere, and so it cannot acknowledge either. While nobody
//! has acknowledged them, versions that no longer hold may come too, in any order: the newest reference time counts.
//!
//! Absent: the position does not survive the reader's end; a new reader begins with what the outboxes still hold.

mod mqtt;
mod sequencer;
mod task;
mod zenoh;

use crate::error::LinkError;
use crate::keys::Selector;
use crate::kind::Kind;
use crate::message::{Delivery, Policy, check_name};
use crate::protocol::{Ack, Header, Page};
use crate::queue::{Lane, Lanes, WhenFull};
use crate::stats::{Ledger, LinkName, LinkStatus};
use crate::transport::{mqtt::MqttSettings, zenoh::ZenohSettings};
use bytes::Bytes;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use task::Task;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Arrivals that wait for the reader's task.
const ARRIVALS: usize = 4_096;
/// What to read, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReaderSettings {
    /// Read over Zenoh.
    pub zenoh: Option<ZenohSettings>,
    /// Read over MQTT.
    pub mqtt: Option<MqttSettings>,
    /// Name under which at-least-once messages are acknowledged, also the MQTT client id; absent: only listens.
    pub acknowledge_as: Option<String>,
    /// Longest time a message is held back because one before it is missing, milliseconds.
    pub hold_ms: u32,
    /// Messages that wait for the application.
    pub capacity: usize,
    /// Stations times kinds that are kept apart; more are ignored and counted as malformed. Each takes some hundred bytes.
    pub max_streams: usize,
}

impl Default for ReaderSettings {
    fn default() -> Self {
        Self { zenoh: None, mqtt: None, acknowledge_as: None, hold_ms: 10_000, capacity: 1_024, max_streams: 3 * 1_024 }
    }
}

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The link it came over first.
    pub link: LinkName,
    /// Site of its station.
    pub site: String,
    /// Its station.
    pub station: u32,
    /// Its kind.
    pub kind: Kind,
    /// Where it is about.
    pub quadkey: String,
    /// Its identity; `None` for best-effort messages over MQTT, which has no place for it.
    pub header: Option<Header>,
    /// ETSI UPER bytes; of what is no V2X message, its JSON document.
    pub uper: Bytes,
    /// When it reached this process.
    pub received_at: Timestamp,
}

/// What a reader missed or dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReaderStats {
    /// Messages handed to the application.
    pub delivered: u64,
    /// Best-effort messages that never arrived, found by their numbers.
    pub lost_best_effort: u64,
    /// At-least-once messages given up: expired at the publisher, or missing longer than `hold-ms`.
    pub lost_at_least_once: u64,
    /// Messages that arrived again.
    pub duplicates: u64,
    /// Best-effort messages that the application was too slow for.
    pub dropped: u64,
    /// Messages that a link brought although no selector takes them.
    pub unwanted: u64,
    /// Documents and keys that could not be read, and stations beyond the limit.
    pub malformed: u64,
}

#[derive(Debug, Default)]
struct Counters {
    delivered: AtomicU64,
    lost_best_effort: AtomicU64,
    lost_at_least_once: AtomicU64,
    duplicates: AtomicU64,
    dropped: AtomicU64,
    unwanted: AtomicU64,
    malformed: AtomicU64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// Site, station, kind.
type Source = (String, u32, Kind);

/// What the transports' callbacks hand to the reader's task.
enum Arrival {
    Message(Received),
    Page { link: LinkName, site: String, station: u32, kind: Kind, page: Page, received_at: Timestamp },
}

/// Where callbacks put arrivals, without waiting.
#[derive(Clone)]
struct Inbox {
    arrivals: mpsc::Sender<Arrival>,
    counters: Arc<Counters>,
}

impl Inbox {
    fn put(&self, arrival: Arrival) {
        // An at-least-once message that does not fit is fetched again.
        if self.arrivals.try_send(arrival).is_err() {
            add(&self.counters.dropped, 1);
        }
    }

    fn malformed(&self, link: LinkName, key: &str, error: &dyn std::fmt::Display) {
        add(&self.counters.malformed, 1);
        tracing::debug!(link = link.name(), key, %error, "reader cannot use this");
    }
}

/// What the reader says to publishers over one link; never waits.
trait Uplink: Send {
    fn link(&self) -> LinkName;
    fn ask(&self, source: &Source, after: u64);
    fn acknowledge(&self, source: &Source, reader: &str, ack: &Ack);
    /// Reads what these take from now on; only for readers of places.
    fn select(&mut self, selectors: &Arc<[Selector]>);
}

/// Positions the application has reached, for acknowledging.
type Taken = Arc<Mutex<BTreeMap<Source, (u64, u64)>>>;

/// Receives messages until dropped.
#[derive(Debug)]
pub struct Reader {
    queue: Arc<Lanes<Received>>,
    taken: Taken,
    /// How far the at-least-once messages reach that the application is working on.
    current: BTreeMap<Source, (u64, u64)>,
    counters: Arc<Counters>,
    ledger: Arc<Ledger>,
    wanted: watch::Sender<Arc<[Selector]>>,
    of_places: bool,
    task: JoinHandle<()>,
}

impl Reader {
    /// Connects in the background and reads what any of `selectors` takes; no selector: everything.
    ///
    /// # Errors
    /// Settings that cannot work. An unreachable peer or broker is no error.
    pub fn subscribe(settings: &ReaderSettings, selectors: &[Selector]) -> Result<Self, LinkError> {
        if let Some(reader) = &settings.acknowledge_as {
            check_name("acknowledge-as", reader)?;
        }
        let of_places = selectors.iter().any(|selector| !selector.tiles.is_empty());
        if settings.acknowledge_as.is_some() && of_places {
            let reason =
                "a reader that acknowledges cannot leave out places: it would acknowledge what it never saw".into();
            return Err(LinkError::Setting { setting: "tiles", reason });
        }
        if of_places && selectors.iter().any(|selector| selector.tiles.is_empty()) {
            let reason = "either every selector names tiles or none does: a reader is of places or of streams".into();
            return Err(LinkError::Setting { setting: "tiles", reason });
        }
        selectors.iter().try_for_each(|selector| check_tiles(&selector.tiles))?;
        let selectors = if selectors.is_empty() { vec![Selector::default()] } else { selectors.to_vec() };
        for site in selectors.iter().filter_map(|selector| selector.site.as_deref()) {
            check_name("site", site)?;
        }
        let selectors: Arc<[Selector]> = selectors.into();
        let wanted = watch::Sender::new(selectors.clone());
        let (arrivals_tx, arrivals) = mpsc::channel(ARRIVALS);
        let (counters, ledger) = (Arc::new(Counters::default()), Ledger::new());
        let inbox = Inbox { arrivals: arrivals_tx, counters: counters.clone() };
        let mut uplinks: Vec<Box<dyn Uplink>> = Vec::new();
        if let Some(zenoh) = &settings.zenoh {
            uplinks.push(zenoh::start(zenoh, &selectors, inbox.clone(), ledger.clone())?);
        }
        if let Some(mqtt) = &settings.mqtt {
            let name = settings.acknowledge_as.as_deref();
            uplinks.push(mqtt::start(mqtt, name, &selectors, inbox.clone(), ledger.clone())?);
        }
        if uplinks.is_empty() {
            let reason = "neither zenoh nor mqtt: nothing to read from".into();
            return Err(LinkError::Setting { setting: "reader", reason });
        }
        let lane = |when_full| Lane { capacity: settings.capacity.max(1), when_full };
        let queue = Arc::new(Lanes::new([
            lane(WhenFull::DropNewest),
            lane(WhenFull::DropOldest),
            lane(WhenFull::DropOldest),
            lane(WhenFull::DropOldest),
        ]));
        let taken = Taken::default();
        let task = Task {
            inbox: arrivals,
            wanted: wanted.subscribe(),
            selectors,
            of_places,
            uplinks,
            sources: BTreeMap::new(),
            queue: queue.clone(),
            taken: taken.clone(),
            counters: counters.clone(),
            acknowledge_as: settings.acknowledge_as.clone(),
            hold_ms: i64::from(settings.hold_ms),
            max_streams: settings.max_streams.max(1),
            ticks: 0,
        };
        let task = tokio::spawn(task.run());
        Ok(Self { queue, taken, current: BTreeMap::new(), counters, ledger, wanted, of_places, task })
    }

    /// Moves a reader of places to other tiles, such as those ahead of a vehicle. What holds in the new ones comes at once.
    ///
    /// # Errors
    /// A reader without tiles, no tile, or one that is not a quadkey.
    pub fn follow(&self, tiles: &[String]) -> Result<(), LinkError> {
        if !self.of_places || tiles.is_empty() {
            let reason = "only a reader of places can move, and it must be somewhere".into();
            return Err(LinkError::Setting { setting: "tiles", reason });
        }
        check_tiles(tiles)?;
        self.wanted.send_if_modified(|selectors| {
            let moved: Arc<[Selector]> =
                selectors.iter().map(|selector| Selector { tiles: tiles.to_vec(), ..selector.clone() }).collect();
            let changed = moved != *selectors;
            *selectors = moved;
            changed
        });
        Ok(())
    }

    /// The next message; by calling this the application says that it is done with those before. Cancel-safe.
    pub async fn recv(&mut self) -> Received {
        self.finish();
        let received = self.queue.pop().await;
        self.begin(&received);
        received
    }

    /// The next messages, as many as have arrived, 1 to `most`; by calling this the application says that it is done with
    /// those before. Cancel-safe.
    pub async fn recv_many(&mut self, most: usize) -> Vec<Received> {
        let mut batch = vec![self.recv().await];
        while batch.len() < most
            && let Some(received) = self.queue.try_pop()
        {
            self.begin(&received);
            batch.push(received);
        }
        batch
    }

    /// The application is done with what it was given.
    fn finish(&mut self) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.current);
    }

    fn begin(&mut self, received: &Received) {
        add(&self.counters.delivered, 1);
        if let (Delivery::AtLeastOnce, Some(header)) = (Policy::of(received.kind).delivery, &received.header) {
            let source = (received.site.clone(), received.station, received.kind);
            self.current.insert(source, (header.stream, header.number));
        }
    }

    /// Counters so far.
    pub fn stats(&self) -> ReaderStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ReaderStats {
            delivered: get(&self.counters.delivered),
            lost_best_effort: get(&self.counters.lost_best_effort),
            lost_at_least_once: get(&self.counters.lost_at_least_once),
            duplicates: get(&self.counters.duplicates),
            dropped: get(&self.counters.dropped),
            unwanted: get(&self.counters.unwanted),
            malformed: get(&self.counters.malformed),
        }
    }

    /// The state of every link, now and on every change.
    pub fn status(&self) -> watch::Receiver<Vec<LinkStatus>> {
        self.ledger.watch()
    }
}

fn check_tiles(tiles: &[String]) -> Result<(), LinkError> {
    let is_tile = |tile: &String| (1..=24).contains(&tile.len()) && tile.bytes().all(|b| (b'0'..=b'3').contains(&b));
    match tiles.iter().find(|tile| !is_tile(tile)) {
        Some(bad) => {
            let reason = format!("{bad:?} is not 1 to 24 digits of 0 to 3");
            Err(LinkError::Setting { setting: "tiles", reason })
        }
        None => Ok(()),
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}
