//! What every link does besides its transport: takes messages by priority, drops what is too old, offers what the
//! outbox says is owed, announces, answers readers.
//!
//! One task per link. At-least-once messages come through the queue while all is well; after a reconnection, or when
//! the queue overflowed, they come from the outbox, in order either way: `offered` is the last number handed over, and
//! a message from the queue that does not follow it makes the driver fetch what lies between.

use crate::clock;
use crate::kind::Kind;
use crate::message::{Delivery, Numbered, Policy};
use crate::outbox::Outbox;
use crate::queue::Lanes;
use crate::stats::{DropReason, Ledger, LinkName, LinkState};
use crate::transport::{Refusal, Transport, TransportEvent};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// Rows fetched from the outbox at a time, and messages in a page for a reader.
const PAGE: usize = 64;

/// The task of one link.
pub(crate) struct Driver {
    pub transport: Box<dyn Transport>,
    pub lanes: Arc<Lanes<Arc<Numbered>>>,
    pub events: mpsc::Receiver<TransportEvent>,
    pub outbox: Outbox,
    pub ledger: Arc<Ledger>,
    pub announce_every: Duration,
    /// Readers whose acknowledgement is expected, and after how many seconds their silence is reported.
    pub readers: Vec<String>,
    pub overdue_s: u32,
    /// Turns true when the link must drain and end.
    pub stop: watch::Receiver<bool>,
    pub state: DriverState,
}

/// Where the link is in the at-least-once streams.
#[derive(Debug, Default)]
pub(crate) struct DriverState {
    up: bool,
    /// Last number offered of each kind.
    offered: [u64; Kind::ALL.len()],
    /// Offered, delivery not reported yet; only of transports with a window.
    in_flight: BTreeSet<(Kind, u64)>,
    /// There may be owed messages beyond `offered`.
    behind: bool,
    /// The oldest owed message of each kind, and since when it has been that while the link was up.
    oldest: [Option<(u64, Timestamp)>; Kind::ALL.len()],
    overdue: bool,
}

impl Driver {
    fn name(&self) -> LinkName {
        self.transport.name()
    }

    pub(crate) async fn run(mut self) {
        let mut tick = interval(self.announce_every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => self.on_event(event).await,
                () = stopped(&mut self.stop) => break,
                _ = tick.tick() => {
                    self.announce();
                    self.state.behind = true;
                    self.catch_up().await;
                    self.check_overdue().await;
                }
                message = self.lanes.pop(), if self.state.up => self.on_message(message).await,
            }
        }
        self.drain().await;
        self.transport.stop().await;
    }

    async fn on_event(&mut self, event: TransportEvent) {
        match event {
            TransportEvent::Ready => {
                self.state.up = true;
                self.offer_again().await;
                self.announce();
            }
            TransportEvent::Lost => self.state.up = false,
            TransportEvent::Delivered { kind, number } => {
                self.state.in_flight.remove(&(kind, number));
                self.outbox.settle(self.name(), "", kind, number, number);
                self.catch_up().await;
            }
            TransportEvent::Undelivered { kind, number } => {
                self.state.in_flight.remove(&(kind, number));
                if self.state.up {
                    self.offer_again().await;
                }
            }
            TransportEvent::Acked { reader, ack } if ack.stream == self.outbox.stream() => {
                self.outbox.settle(self.name(), &reader, ack.kind, 1, ack.upto);
            }
            TransportEvent::Acked { reader, ack } => {
                tracing::debug!(link = self.name().name(), reader, stream = ack.stream, "ack of another stream");
            }
            TransportEvent::Get { kind, after, reply } => {
                if let Some(page) = self.outbox.page(kind, after, PAGE).await {
                    reply(&page);
                }
            }
        }
    }

    async fn on_message(&mut self, message: Arc<Numbered>) {
        match Policy::of(message.kind).delivery {
            Delivery::BestEffort => self.send_best_effort(&message),
            Delivery::AtLeastOnce => {
                let offered = self.state.offered[message.kind.index()];
                if message.header.number == offered + 1 && !self.state.behind {
                    self.offer(&message);
                } else if message.header.number > offered {
                    self.state.behind = true;
                    self.catch_up().await;
                }
            }
        }
    }

    fn send_best_effort(&mut self, message: &Arc<Numbered>) {
        let (link, kind) = (self.name(), message.kind);
        if clock::now() >= message.expires_at {
            return self.ledger.dropped(link, kind, DropReason::Expired, 1);
        }
        match self.transport.send(message, false) {
            Ok(()) => self.count_sent(message),
            Err(Refusal::Busy) => self.ledger.dropped(link, kind, DropReason::LinkBusy, 1),
            Err(Refusal::Refused) => self.ledger.dropped(link, kind, DropReason::Refused, 1),
        }
    }

    fn count_sent(&self, message: &Numbered) {
        let waited = clock::now().seconds_since(message.accepted_at).max(0.0);
        self.ledger.sent(self.name(), message.kind, message.uper.len(), (waited * 1e6) as u64);
    }

    /// Offers an owed message; false when the transport takes no more now.
    fn offer(&mut self, message: &Arc<Numbered>) -> bool {
        let (kind, number) = (message.kind, message.header.number);
        let window = self.transport.window();
        if window > 0 && self.state.in_flight.contains(&(kind, number)) {
            self.state.offered[kind.index()] = number;
            return true;
        }
        if window > 0 && self.state.in_flight.len() >= window {
            self.state.behind = true;
            return false;
        }
        // An expired one stays owed until the outbox prunes and counts it.
        if clock::now() < message.expires_at {
            match self.transport.send(message, true) {
                Ok(()) => {
                    self.count_sent(message);
                    if window > 0 {
                        self.state.in_flight.insert((kind, number));
                    }
                }
                Err(Refusal::Busy) => {
                    self.state.behind = true;
                    return false;
                }
                Err(Refusal::Refused) => self.ledger.dropped(self.name(), kind, DropReason::Refused, 1),
            }
        }
        self.state.offered[kind.index()] = number;
        true
    }

    async fn offer_again(&mut self) {
        self.state.offered = [0; Kind::ALL.len()];
        self.state.behind = true;
        self.catch_up().await;
    }

    /// Offers everything owed beyond `offered`, as far as the transport takes it.
    async fn catch_up(&mut self) {
        if !self.state.up || !self.state.behind {
            return;
        }
        self.state.behind = false;
        for kind in Kind::ALL.into_iter().filter(|kind| Policy::of(*kind).delivery == Delivery::AtLeastOnce) {
            loop {
                // No more than can be offered now: after an outage each delivery comes by here.
                let window = self.transport.window();
                let room = if window == 0 { PAGE } else { PAGE.min(window.saturating_sub(self.state.in_flight.len())) };
                if room == 0 {
                    self.state.behind = true;
                    return;
                }
                let after = self.state.offered[kind.index()];
                let head = self.outbox.heads()[kind.index()].last;
                let rows = self.outbox.owed(self.name(), kind, after, room).await;
                if rows.is_empty() {
                    // Nothing up to `head` is owed; what was stored since then is still in the queue.
                    self.state.offered[kind.index()] = after.max(head);
                    break;
                }
                for row in &rows {
                    if !self.offer(row) {
                        return;
                    }
                }
            }
        }
    }

    /// Says so when the readers that must acknowledge have been silent for too long, and when they are back.
    async fn check_overdue(&mut self) {
        if self.readers.is_empty() {
            return;
        }
        let now = clock::now();
        let mut silent = None;
        for kind in Kind::ALL.into_iter().filter(|kind| Policy::of(*kind).delivery == Delivery::AtLeastOnce) {
            let oldest = &mut self.state.oldest[kind.index()];
            let first = self.outbox.owed(self.transport.name(), kind, 0, 1).await.pop();
            *oldest = match (first, *oldest) {
                (Some(first), Some((number, since))) if self.state.up && first.header.number == number => {
                    if now.seconds_since(since) >= f64::from(self.overdue_s) {
                        silent = Some(first.header.id.clone());
                    }
                    Some((number, since))
                }
                (Some(first), _) => Some((first.header.number, now)),
                (None, _) => None,
            };
        }
        if let Some(id) = &silent {
            let readers = self.readers.join(", ");
            let words = format!("connected, but {readers} did not acknowledge {id}: away, or this link is denied");
            self.ledger.status(self.name(), LinkState::Failed, words);
        } else if self.state.overdue && self.state.up {
            self.ledger.status(self.name(), LinkState::Up, "readers acknowledge again");
        }
        self.state.overdue = silent.is_some();
    }

    fn announce(&mut self) {
        if !self.state.up {
            return;
        }
        let heads = self.outbox.heads();
        for kind in Kind::ALL {
            if Policy::of(kind).delivery == Delivery::AtLeastOnce {
                self.transport.announce(kind, &heads[kind.index()]);
            }
        }
        self.transport.tend();
    }

    /// Sends what is queued and waits for what is under way; the caller bounds the time.
    async fn drain(&mut self) {
        while self.state.up && !self.lanes.is_empty() {
            let message = self.lanes.pop().await;
            self.on_message(message).await;
        }
        while self.state.up && !self.state.in_flight.is_empty() {
            match self.events.recv().await {
                Some(event) => self.on_event(event).await,
                None => break,
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the links were dropped: end as well.
    let _ = stop.wait_for(|stop| *stop).await;
}
