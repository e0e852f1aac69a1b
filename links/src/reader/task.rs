//! The reader's task: owns everything known of the sources, decides what the application gets, asks and acknowledges.

use super::{Arrival, Counters, Received, Source, Taken, Uplink, add};
use crate::clock;
use crate::keys::Selector;
use crate::message::{Delivery, Policy, Priority};
use crate::protocol::Ack;
use crate::queue::Lanes;
use crate::reader::sequencer::{Sequencer, Step};
use crate::stats::LinkName;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How often missing messages are asked for and acknowledgements sent.
const TICK: Duration = Duration::from_millis(200);
/// Ticks after which the acknowledgement is said again, in case it was lost.
const ACKNOWLEDGE_AGAIN: u32 = 25;
/// Ticks after which an unanswered question is asked again.
const ASK_AGAIN: u32 = 5;
/// MQTT carries best-effort messages without their number: doubles are found among this many latest ones.
const RECENT: usize = 32;
/// The same for a reader of places, which gets what holds again whenever it moves.
const RECENT_IN_PLACES: usize = 512;

/// What is known of one source.
pub(super) enum Track {
    InOrder {
        sequencer: Sequencer<Received>,
        /// Handed on, but there was no room yet.
        waiting: VecDeque<Received>,
        /// Link to ask over: the one last heard of.
        link: LinkName,
        /// The question under way: after which number, and at which tick. One at a time: an answer brings many messages, and a
        /// question for each of them would bring them all again.
        asked: Option<(u64, u32)>,
        acknowledged: (u64, u64),
    },
    BestEffort {
        stream: u64,
        last: u64,
        recent: VecDeque<Bytes>,
    },
    /// Of a reader of places, which sees some numbers only.
    Seen {
        recent: VecDeque<Bytes>,
    },
}

/// The reader's task: owns all state, waits for arrivals and ticks.
pub(super) struct Task {
    pub(super) inbox: mpsc::Receiver<Arrival>,
    /// What the application wants; a change reaches the links through here.
    pub(super) wanted: watch::Receiver<Arc<[Selector]>>,
    pub(super) selectors: Arc<[Selector]>,
    pub(super) of_places: bool,
    pub(super) uplinks: Vec<Box<dyn Uplink>>,
    pub(super) sources: BTreeMap<Source, Track>,
    pub(super) queue: Arc<Lanes<Received>>,
    pub(super) taken: Taken,
    pub(super) counters: Arc<Counters>,
    pub(super) acknowledge_as: Option<String>,
    pub(super) hold_ms: i64,
    pub(super) max_streams: usize,
    pub(super) ticks: u32,
}

impl Task {
    pub(super) async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                arrival = self.inbox.recv() => match arrival {
                    Some(arrival) => self.on_arrival(arrival),
                    None => return,
                },
                _ = tick.tick() => self.on_tick(),
                Ok(()) = self.wanted.changed() => self.on_move(),
            }
        }
    }

    fn on_move(&mut self) {
        self.selectors = self.wanted.borrow_and_update().clone();
        self.uplinks.iter_mut().for_each(|uplink| uplink.select(&self.selectors));
    }

    fn on_arrival(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Message(message) if self.of_places => {
                if self.wants(&message) {
                    self.on_seen(message);
                } else {
                    add(&self.counters.unwanted, 1);
                }
            }
            Arrival::Message(message) => {
                match Policy::of(message.kind).delivery {
                    Delivery::BestEffort if self.wants(&message) => self.on_best_effort(message),
                    Delivery::BestEffort => add(&self.counters.unwanted, 1),
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
                self.answered(&(site.clone(), station, kind), page.after);
                self.in_order((site, station, kind), link, |sequencer| sequencer.page(received_at, &page, items));
            }
        }
    }

    fn wants(&self, m: &Received) -> bool {
        self.selectors.iter().any(|selector| selector.takes(&m.site, m.station, m.kind, &m.quadkey))
    }

    fn track(&mut self, source: &Source) -> Option<&mut Track> {
        if self.sources.len() >= self.max_streams && !self.sources.contains_key(source) {
            add(&self.counters.malformed, 1);
            return None;
        }
        let (hold_ms, of_places) = (self.hold_ms, self.of_places);
        let fresh = || match Policy::of(source.2).delivery {
            _ if of_places => Track::Seen { recent: VecDeque::new() },
            Delivery::AtLeastOnce => Track::InOrder {
                sequencer: Sequencer::new(hold_ms),
                waiting: VecDeque::new(),
                link: LinkName::Zenoh,
                asked: None,
                acknowledged: (0, 0),
            },
            Delivery::BestEffort => Track::BestEffort { stream: 0, last: 0, recent: VecDeque::new() },
        };
        Some(self.sources.entry(source.clone()).or_insert_with(fresh))
    }

    /// What happens in a place, or holds there: the same bytes come live, as an answer, and over each link.
    fn on_seen(&mut self, message: Received) {
        let counters = self.counters.clone();
        let source = (message.site.clone(), message.station, message.kind);
        let Some(Track::Seen { recent }) = self.track(&source) else { return };
        if !remember(recent, RECENT_IN_PLACES, &message.uper) {
            return add(&counters.duplicates, 1);
        }
        if self.queue.push(Policy::of(message.kind).priority, message).is_some() {
            add(&counters.dropped, 1);
        }
    }

    fn on_best_effort(&mut self, message: Received) {
        let counters = self.counters.clone();
        let source = (message.site.clone(), message.station, message.kind);
        let Some(Track::BestEffort { stream, last, recent }) = self.track(&source) else { return };
        if !remember(recent, RECENT, &message.uper) {
            return add(&counters.duplicates, 1);
        }
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
        if self.queue.push(Policy::of(message.kind).priority, message).is_some() {
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
        let missed_before = sequencer.missing_after();
        // While the application is behind, nothing more is taken; the outbox keeps it.
        if waiting.is_empty() {
            let step = take(sequencer);
            let missing = sequencer.missing_after();
            self.hand_on(&source, step);
            if let Some(after) = missing
                && missed_before != missing
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

    /// A page came; with the number after which it begins it may be the answer.
    fn answered(&mut self, source: &Source, after: Option<u64>) {
        if let Some(Track::InOrder { asked, .. }) = self.sources.get_mut(source)
            && asked.is_some_and(|(asked_after, _)| after == Some(asked_after))
        {
            *asked = None;
        }
    }

    /// Asks for what comes after a number, unless a question is under way and not yet old.
    fn ask(&mut self, source: &Source, via: LinkName, after: u64) {
        let ticks = self.ticks;
        let Some(Track::InOrder { asked, .. }) = self.sources.get_mut(source) else { return };
        if asked.is_some_and(|(_, at)| ticks.wrapping_sub(at) < ASK_AGAIN) {
            return;
        }
        *asked = Some((after, ticks));
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

/// Notes a payload among the `most` latest ones; false when it is there already.
fn remember(recent: &mut VecDeque<Bytes>, most: usize, uper: &Bytes) -> bool {
    if recent.contains(uper) {
        return false;
    }
    if recent.len() >= most {
        recent.pop_front();
    }
    recent.push_back(uper.clone());
    true
}
