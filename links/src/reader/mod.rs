//! The other end: messages from any number of stations, over Zenoh, MQTT or both, once each.
//!
//! In: settings and [`Selector`]s. Out: [`Received`] messages. At-least-once kinds come in order and are fetched from
//! the publisher's outbox when they are missing ([`sequencer`]); of best-effort kinds the reader counts what it missed.
//!
//! Invariants: every queue is bounded; when the application is slow the oldest best-effort messages go, while
//! at-least-once ones stay where they are, in the publisher's outbox, until there is room. A reader with a name
//! acknowledges a message when the application asks for the next one.
//!
//! Absent: the position does not survive the reader's end; a new reader begins with what the outboxes still hold.

mod mqtt;
mod sequencer;
mod zenoh;

use crate::clock;
use crate::error::LinkError;
use crate::keys::Selector;
use crate::message::{Delivery, MessageKind, Priority, check_name};
use crate::protocol::{Ack, Header, Page};
use crate::queue::{Lane, Lanes, WhenFull};
use crate::stats::{Ledger, LinkName, LinkStatus};
use crate::transport::{mqtt::MqttSettings, zenoh::ZenohSettings};
use bytes::Bytes;
use masa_v2x_proto::time::Timestamp;
use sequencer::{Sequencer, Step};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Arrivals that wait for the reader's task.
const ARRIVALS: usize = 4_096;
/// Stations times kinds that a reader keeps apart; more are ignored and counted.
const STATIONS: usize = 3 * 1_024;
/// How often missing messages are asked for and acknowledgements sent.
const TICK: Duration = Duration::from_millis(200);
/// Ticks after which the acknowledgement is said again, in case it was lost.
const ACKNOWLEDGE_AGAIN: u32 = 25;
/// MQTT carries best-effort messages without their number: doubles are found among this many latest ones.
const RECENT: usize = 32;

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
}

impl Default for ReaderSettings {
    fn default() -> Self {
        Self { zenoh: None, mqtt: None, acknowledge_as: None, hold_ms: 10_000, capacity: 1_024 }
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
    pub kind: MessageKind,
    /// Where it is about.
    pub quadkey: String,
    /// Its identity; `None` for best-effort messages over MQTT, which has no place for it.
    pub header: Option<Header>,
    /// ETSI UPER bytes.
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
    malformed: AtomicU64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// Site, station, kind.
type Source = (String, u32, MessageKind);

/// What the transports' callbacks hand to the reader's task.
enum Arrival {
    Message(Received),
    Page { link: LinkName, site: String, station: u32, kind: MessageKind, page: Page, received_at: Timestamp },
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
}

/// Positions the application has reached, for acknowledging.
type Taken = Arc<Mutex<BTreeMap<Source, (u64, u64)>>>;

/// Receives messages until dropped.
#[derive(Debug)]
pub struct Reader {
    queue: Arc<Lanes<Received>>,
    taken: Taken,
    /// The at-least-once message the application is working on.
    current: Option<(Source, u64, u64)>,
    counters: Arc<Counters>,
    ledger: Arc<Ledger>,
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
        if settings.acknowledge_as.is_some() && selectors.iter().any(|selector| selector.quadkey_prefix.is_some()) {
            let reason =
                "a reader that acknowledges cannot leave out places: it would acknowledge what it never saw".into();
            return Err(LinkError::Setting { setting: "quadkey-prefix", reason });
        }
        let selectors = if selectors.is_empty() { vec![Selector::default()] } else { selectors.to_vec() };
        for site in selectors.iter().filter_map(|selector| selector.site.as_deref()) {
            check_name("site", site)?;
        }
        let selectors: Arc<[Selector]> = selectors.into();
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
            selectors,
            uplinks,
            sources: BTreeMap::new(),
            queue: queue.clone(),
            taken: taken.clone(),
            counters: counters.clone(),
            acknowledge_as: settings.acknowledge_as.clone(),
            hold_ms: i64::from(settings.hold_ms),
            ticks: 0,
        };
        let task = tokio::spawn(task.run());
        Ok(Self { queue, taken, current: None, counters, ledger, task })
    }

    /// The next message; by calling this the application says that it is done with the one before. Cancel-safe.
    pub async fn recv(&mut self) -> Received {
        if let Some((source, stream, number)) = self.current.take() {
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(source, (stream, number));
        }
        let received = self.queue.pop().await;
        add(&self.counters.delivered, 1);
        if let (Delivery::AtLeastOnce, Some(header)) = (received.kind.policy().delivery, &received.header) {
            let source = (received.site.clone(), received.station, received.kind);
            self.current = Some((source, header.stream, header.number));
        }
        received
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
            malformed: get(&self.counters.malformed),
        }
    }

    /// The state of every link, now and on every change.
    pub fn status(&self) -> watch::Receiver<Vec<LinkStatus>> {
        self.ledger.watch()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is known of one source.
enum Track {
    InOrder {
        sequencer: Sequencer<Received>,
        /// Handed on, but there was no room yet.
        waiting: VecDeque<Received>,
        /// Link to ask over: the one last heard of.
        link: LinkName,
        acknowledged: (u64, u64),
    },
    BestEffort {
        stream: u64,
        last: u64,
        recent: VecDeque<Bytes>,
    },
}

/// The reader's task: owns all state, waits for arrivals and ticks.
struct Task {
    inbox: mpsc::Receiver<Arrival>,
    selectors: Arc<[Selector]>,
    uplinks: Vec<Box<dyn Uplink>>,
    sources: BTreeMap<Source, Track>,
    queue: Arc<Lanes<Received>>,
    taken: Taken,
    counters: Arc<Counters>,
    acknowledge_as: Option<String>,
    hold_ms: i64,
    ticks: u32,
}

impl Task {
    async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                arrival = self.inbox.recv() => match arrival {
                    Some(arrival) => self.on_arrival(arrival),
                    None => return,
                },
                _ = tick.tick() => self.on_tick(),
            }
        }
    }

    fn on_arrival(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Message(message) => {
                match message.kind.policy().delivery {
                    Delivery::BestEffort if self.wants(&message) => self.on_best_effort(message),
                    Delivery::BestEffort => {}
                    // Unwanted ones count in the order; they are left out when it is known.
                    Delivery::AtLeastOnce => self.on_numbered(message),
                }
            }
            Arrival::Page { link, site, station, kind, page, received_at } => {
                let items = page.messages.iter().map(|entry| {
                    let received = Received {
                        link,
                        site: site.clone(),
                        station,
                        kind,
                        quadkey: entry.quadkey.clone(),
                        header: Some(entry.header.clone()),
                        uper: entry.uper.clone(),
                        received_at,
                    };
                    (entry.header.number, received)
                });
                let items = items.collect();
                self.in_order((site, station, kind), link, |sequencer| sequencer.page(received_at, &page, items));
            }
        }
    }

    fn wants(&self, m: &Received) -> bool {
        self.selectors.iter().any(|selector| selector.takes(&m.site, m.station, m.kind, &m.quadkey))
    }

    fn track(&mut self, source: &Source) -> Option<&mut Track> {
        if self.sources.len() >= STATIONS && !self.sources.contains_key(source) {
            add(&self.counters.malformed, 1);
            return None;
        }
        let hold_ms = self.hold_ms;
        let fresh = || match source.2.policy().delivery {
            Delivery::AtLeastOnce => Track::InOrder {
                sequencer: Sequencer::new(hold_ms),
                waiting: VecDeque::new(),
                link: LinkName::Zenoh,
                acknowledged: (0, 0),
            },
            Delivery::BestEffort => Track::BestEffort { stream: 0, last: 0, recent: VecDeque::new() },
        };
        Some(self.sources.entry(source.clone()).or_insert_with(fresh))
    }

    fn on_best_effort(&mut self, message: Received) {
        let counters = self.counters.clone();
        let source = (message.site.clone(), message.station, message.kind);
        let Some(Track::BestEffort { stream, last, recent }) = self.track(&source) else { return };
        if recent.contains(&message.uper) {
            return add(&counters.duplicates, 1);
        }
        if recent.len() >= RECENT {
            recent.pop_front();
        }
        recent.push_back(message.uper.clone());
        if let Some(header) = &message.header {
            if header.stream > *stream {
                (*stream, *last) = (header.stream, header.number);
            } else if header.stream == *stream && header.number > *last {
                add(&counters.lost_best_effort, header.number - *last - 1);
                *last = header.number;
            } else {
                return add(&counters.duplicates, 1);
            }
        }
        if self.queue.push(message.kind.policy().priority, message).is_some() {
            add(&counters.dropped, 1);
        }
    }

    fn on_numbered(&mut self, message: Received) {
        // Over MQTT the numbered form is the page on the outbox topic; the bare one is for others.
        let Some(header) = message.header.clone() else { return };
        let source = (message.site.clone(), message.station, message.kind);
        let (link, now) = (message.link, message.received_at);
        self.in_order(source, link, |sequencer| sequencer.message(now, header.stream, header.number, message));
    }

    /// Lets the sequencer of `source` take something, queues what it hands on and asks for what it misses.
    fn in_order(
        &mut self,
        source: Source,
        via: LinkName,
        take: impl FnOnce(&mut Sequencer<Received>) -> Step<Received>,
    ) {
        let Some(Track::InOrder { sequencer, waiting, link, .. }) = self.track(&source) else { return };
        *link = via;
        let asked_before = sequencer.missing_after();
        // While the application is behind, nothing more is taken; the outbox keeps it.
        if waiting.is_empty() {
            let step = take(sequencer);
            let missing = sequencer.missing_after();
            self.hand_on(&source, step);
            if let Some(after) = missing
                && asked_before != missing
            {
                self.ask(&source, via, after);
            }
        }
    }

    fn hand_on(&mut self, source: &Source, step: Step<Received>) {
        add(&self.counters.lost_at_least_once, step.lost);
        let deliver: Vec<Received> =
            step.deliver.into_iter().map(|(_, message)| message).filter(|message| self.wants(message)).collect();
        let Some(Track::InOrder { waiting, .. }) = self.sources.get_mut(source) else { return };
        waiting.extend(deliver);
        while self.queue.room(Priority::Safety) > 0
            && let Some(message) = waiting.pop_front()
        {
            let _ = self.queue.push(Priority::Safety, message);
        }
    }

    fn ask(&self, source: &Source, via: LinkName, after: u64) {
        if let Some(uplink) = self.uplinks.iter().find(|uplink| uplink.link() == via) {
            uplink.ask(source, after);
        }
    }

    fn on_tick(&mut self) {
        let now = clock::now();
        self.ticks = self.ticks.wrapping_add(1);
        let sources: Vec<Source> = self.sources.keys().cloned().collect();
        for source in sources {
            let Some(Track::InOrder { sequencer, waiting, link, .. }) = self.sources.get_mut(&source) else { continue };
            let (link, step) = (*link, if waiting.is_empty() { sequencer.tick(now) } else { Step::default() });
            let missing = sequencer.missing_after();
            self.hand_on(&source, step);
            if let Some(after) = missing {
                self.ask(&source, link, after);
            }
            self.acknowledge(&source);
        }
    }

    /// Acknowledges what the application has taken since the last time.
    fn acknowledge(&mut self, source: &Source) {
        let Some(reader) = &self.acknowledge_as else { return };
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).get(source).copied();
        let Some(Track::InOrder { acknowledged, .. }) = self.sources.get_mut(source) else { return };
        if let Some(taken) = taken
            && (taken != *acknowledged || self.ticks.is_multiple_of(ACKNOWLEDGE_AGAIN))
        {
            *acknowledged = taken;
            let ack = Ack { kind: source.2, stream: taken.0, upto: taken.1 };
            self.uplinks.iter().for_each(|uplink| uplink.acknowledge(source, reader, &ack));
        }
    }
}
