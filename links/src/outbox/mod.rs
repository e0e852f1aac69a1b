//! The outbox: at-least-once messages on disk until they are acknowledged.
//!
//! In: messages to keep, acknowledgements. Out: the same messages, numbered, into the queue of every link; pages of
//! them on request. One thread owns the database ([`store`]); callers talk to it through a bounded channel, so that
//! `publish` never waits for the disk.
//!
//! Invariants: a message is stored before a link sees it; per kind, numbers grow by one and go on after a restart; what
//! a link or reader owes an acknowledgement for is deleted only by that acknowledgement, by expiry or by the row limit,
//! and the latter two are counted. Between `publish` and the store, some 100 µs, a killed process loses the message.
//!
//! How acknowledgement works, because neither transport has it end to end (a PUBACK means "the broker has it", Zenoh's
//! `put` returns `Ok` while nobody listens):
//! * the publisher announces its newest number every `announce-ms` on `masa/<site>/<station>/outbox/<kind>`;
//! * a reader that misses numbers fetches them from there (Zenoh query, MQTT `…/get`);
//! * a reader with a name acknowledges on `masa/<site>/<station>/ack/<reader>` what its application has taken;
//! * after a reconnection a link offers again whatever is still owed.
//!
//! Absent: replication; deduplication by content; delivery across two stations.

mod store;

use crate::clock;
use crate::error::LinkError;
use crate::kind::Kind;
use crate::message::{Numbered, Outgoing, Priority};
use crate::protocol::Page;
use crate::queue::Lanes;
use crate::settings::OutboxSettings;
use crate::stats::{DropReason, Ledger, LinkName, LinkState};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use store::Store;
use tokio::sync::{oneshot, watch};

pub(crate) use store::Creditor;

/// Commands waiting for the outbox thread; at 10 000 stores a second this is 50 ms.
const COMMANDS: usize = 512;
/// Time between two prunings.
const PRUNE_EVERY: Duration = Duration::from_secs(1);

/// What the outbox holds of each kind, by [`Kind::index`]: pages without messages.
pub(crate) type Heads = [Page; Kind::ALL.len()];

enum Command {
    Store(Box<Outgoing>),
    Owed { link: LinkName, kind: Kind, after: u64, limit: usize, reply: oneshot::Sender<Vec<Arc<Numbered>>> },
    Page { kind: Kind, after: u64, limit: usize, reply: oneshot::Sender<Page> },
    Settle { link: LinkName, reader: String, kind: Kind, from: u64, upto: u64 },
    Flush(oneshot::Sender<u64>),
}

/// Handle to the outbox thread; the thread ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    commands: SyncSender<Command>,
    heads: watch::Receiver<Heads>,
    stream: u64,
}

impl Outbox {
    /// Opens the database and starts the thread. `creditors` are the links that must acknowledge, and whose word counts.
    pub(crate) fn start(
        settings: &OutboxSettings,
        creditors: Vec<Creditor>,
        links: Vec<(LinkName, Arc<Lanes<Arc<Numbered>>>)>,
        ledger: Arc<Ledger>,
    ) -> Result<Self, LinkError> {
        let store = Store::open(settings, creditors, clock::now())?;
        let stream = store.stream();
        let (heads_tx, heads) = watch::channel(store.heads());
        let (commands, receiver) = sync_channel(COMMANDS);
        let words = settings.path.as_ref().map_or("in memory".into(), |path| path.display().to_string());
        ledger.status(LinkName::Outbox, LinkState::Up, words.clone());
        let worker = Worker { store, links, ledger, heads: heads_tx, words };
        std::thread::Builder::new()
            .name("outbox".into())
            .spawn(move || worker.run(&receiver))
            .map_err(|e| LinkError::Setting { setting: "outbox", reason: format!("no thread: {e}") })?;
        Ok(Self { commands, heads, stream })
    }

    /// The numbering's identity.
    pub(crate) const fn stream(&self) -> u64 {
        self.stream
    }

    /// Hands a message over for storing; never blocks.
    pub(crate) fn try_store(&self, message: Outgoing) -> Result<(), LinkError> {
        let (id, kind) = (message.id.clone(), message.kind);
        self.commands.try_send(Command::Store(Box::new(message))).map_err(|e| match e {
            TrySendError::Full(_) => LinkError::OutboxBusy { id, kind },
            TrySendError::Disconnected(_) => LinkError::Closed { id },
        })
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let mut command = command(reply);
        // The channel is the thread's; waiting for room must not block the runtime.
        loop {
            match self.commands.try_send(command) {
                Ok(()) => return answer.await.ok(),
                Err(TrySendError::Full(back)) => command = back,
                Err(TrySendError::Disconnected(_)) => return None,
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Messages that `link` still owes after number `after`, oldest first.
    pub(crate) async fn owed(&self, link: LinkName, kind: Kind, after: u64, limit: usize) -> Vec<Arc<Numbered>> {
        self.ask(|reply| Command::Owed { link, kind, after, limit, reply }).await.unwrap_or_default()
    }

    /// What is available after number `after`, acknowledged or not.
    pub(crate) async fn page(&self, kind: Kind, after: u64, limit: usize) -> Option<Page> {
        self.ask(|reply| Command::Page { kind, after, limit, reply }).await
    }

    /// `reader` (empty: the link itself) has `from..=upto`. An acknowledgement that does not fit into the queue is
    /// lost, which costs a repetition.
    pub(crate) fn settle(&self, link: LinkName, reader: &str, kind: Kind, from: u64, upto: u64) {
        let _ = self.commands.try_send(Command::Settle { link, reader: reader.to_owned(), kind, from, upto });
    }

    /// What the outbox holds, kept up to date.
    pub(crate) fn heads(&self) -> Heads {
        self.heads.borrow().clone()
    }

    /// Waits until everything handed over before is stored; returns how many messages are still owed.
    pub(crate) async fn flush(&self) -> u64 {
        self.ask(Command::Flush).await.unwrap_or(0)
    }
}

/// Answers a caller; one that no longer waits needs no answer.
fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    let _ = reply.send(value);
}

struct Worker {
    store: Store,
    links: Vec<(LinkName, Arc<Lanes<Arc<Numbered>>>)>,
    ledger: Arc<Ledger>,
    heads: watch::Sender<Heads>,
    words: String,
}

impl Worker {
    fn run(mut self, commands: &Receiver<Command>) {
        let mut pruned_at = clock::now();
        loop {
            match commands.recv_timeout(PRUNE_EVERY) {
                Ok(command) => self.handle(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = clock::now();
            if now.seconds_since(pruned_at).abs() >= PRUNE_EVERY.as_secs_f64() {
                pruned_at = now;
                let expired = self.store.prune(now);
                self.note(expired, |worker, expired| {
                    for ((link, kind), count) in expired {
                        worker.ledger.dropped(link, kind, DropReason::Expired, count);
                    }
                });
                self.publish_heads();
            }
        }
    }

    /// Handles a result of the database: an error makes the outbox's state, once, and is not fatal.
    fn note<T>(&self, result: Result<T, rusqlite::Error>, then: impl FnOnce(&Self, T)) {
        match result {
            Ok(value) => {
                self.ledger.status(LinkName::Outbox, LinkState::Up, self.words.clone());
                then(self, value);
            }
            Err(e) => self.ledger.status(LinkName::Outbox, LinkState::Failed, format!("{}: {e}", self.words)),
        }
    }

    fn publish_heads(&self) {
        let heads = self.store.heads();
        self.heads.send_if_modified(|old| {
            let changed = *old != heads;
            *old = heads;
            changed
        });
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Store(message) => self.store_one(*message),
            Command::Owed { link, kind, after, limit, reply } => {
                let rows = self.store.owed(link, kind, after, limit, clock::now());
                self.note(rows, |_, rows| answer(reply, rows.into_iter().map(Arc::new).collect()));
            }
            Command::Page { kind, after, limit, reply } => {
                let page = self.store.page(kind, after, limit);
                self.note(page, |_, page| answer(reply, page));
            }
            Command::Settle { link, reader, kind, from, upto } => {
                let settled = self.store.settle(link, &reader, kind, from, upto, clock::now());
                self.note(settled, |worker, count| {
                    if count > 0 {
                        worker.ledger.acked(link, kind, count);
                    }
                });
            }
            Command::Flush(reply) => {
                let owed = self.store.owed_count();
                self.note(owed, |_, owed| answer(reply, owed));
            }
        }
    }

    fn store_one(&mut self, message: Outgoing) {
        let kind = message.kind;
        let (numbered, stored) = self.store.insert(message, clock::now());
        if stored.is_err() {
            // A full disk must not silence a warning: it goes out, only not durably.
            self.ledger.dropped(LinkName::Outbox, kind, DropReason::NotStored, 1);
        }
        self.note(stored, |worker, evicted| {
            worker.ledger.dropped(LinkName::Outbox, kind, DropReason::OutboxFull, evicted);
        });
        let numbered = Arc::new(numbered);
        for (_, lanes) in &self.links {
            // What does not fit is offered again from the disk: not a loss.
            let _ = lanes.push(Priority::Safety, numbered.clone());
        }
        self.publish_heads();
    }
}
