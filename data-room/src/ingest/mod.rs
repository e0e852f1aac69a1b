//! From the links into the store: messages of any number of nodes, acknowledged when they are committed.
//!
//! In: Zenoh and MQTT, through one [`Reader`], which orders each source and removes doubles. Out: batches into the store,
//! committed records into the room's feed, counters into its ledger.
//!
//! ```text
//! outbox of a node ─► reader: in order per source ─► batch ─► store.append ─► feed
//!        ▲                                                        │
//!        └─── acknowledged when the next batch is asked for ◄─────┘
//! ```
//!
//! Invariants: while the store takes nothing, nothing is acknowledged and nothing more is read; at-least-once messages then
//! wait in their nodes' outboxes and best-effort ones are dropped, oldest first, and counted. A batch is what arrived while
//! the one before was committed: under load commits grow instead of queues.
//!
//! Absent: decisions about what a message means; delivery to others.

mod ledger;
mod reception;
mod settings;

pub use ledger::{Ledger, Report, SourceReport};
pub use settings::IngestSettings;

use crate::record::Record;
use crate::room::Room;
use crate::store::{Appended, StoreError};
use masa_links::{
    self as links, LinkError, LinkStatus, Reader, ReaderSettings, ReaderStats, Received, Selector, clock,
};
use reception::Reception;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A missing message is waited for as long as its node has it: nobody is warned by the data room.
const HOLD_MS: u32 = u32::MAX;

/// A running ingest.
#[derive(Debug)]
pub struct Ingest {
    status: watch::Receiver<Vec<LinkStatus>>,
    stats: watch::Receiver<ReaderStats>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Ingest {
    /// Starts reading in the background.
    ///
    /// # Errors
    /// Settings that cannot work. An unreachable broker or peer is no error.
    pub fn start(settings: &IngestSettings, room: Room) -> Result<Self, LinkError> {
        let reading = ReaderSettings {
            zenoh: settings.zenoh.clone(),
            mqtt: settings.mqtt.clone(),
            acknowledge_as: Some(settings.acknowledge_as.clone()),
            hold_ms: HOLD_MS,
            capacity: settings.capacity,
            max_streams: settings.max_streams,
        };
        let more = [links::Kind::Observation, links::Kind::Health];
        let more = more.map(|kind| Selector { kind: Some(kind), ..Selector::default() });
        let reader = Reader::subscribe(&reading, &[&[Selector::default()], &more[..]].concat())?;
        let status = reader.status();
        let (stop, stopped) = watch::channel(false);
        let (told, stats) = watch::channel(ReaderStats::default());
        let worker = Worker {
            reception: Reception::new(settings, clock::now()),
            room,
            batch: settings.batch.max(1),
            retry: Duration::from_millis(u64::from(settings.retry_ms.max(1))),
            told,
        };
        Ok(Self { status, stats, stop, task: tokio::spawn(worker.run(reader, stopped)) })
    }

    /// The state of the links, now and on every change.
    pub fn status(&self) -> watch::Receiver<Vec<LinkStatus>> {
        self.status.clone()
    }

    /// What the links' reader missed or dropped, as of the last batch.
    pub fn reader_stats(&self) -> ReaderStats {
        *self.stats.borrow()
    }

    /// Finishes the batch under way, if the store takes it within `deadline`.
    pub async fn shutdown(self, deadline: Duration) {
        self.stop.send_replace(true);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(deadline, self.task).await.is_err() {
            abort.abort();
        }
    }
}

struct Worker {
    reception: Reception,
    room: Room,
    batch: usize,
    retry: Duration,
    told: watch::Sender<ReaderStats>,
}

impl Worker {
    async fn run(mut self, mut reader: Reader, mut stopped: watch::Receiver<bool>) {
        loop {
            let received = tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => return,
                received = reader.recv_many(self.batch) => received,
            };
            let records = self.take(received);
            let Some(appended) = self.store(records, &mut stopped).await else { return };
            self.room.ledger.committed(&appended);
            self.told.send_replace(reader.stats());
            for record in appended.stored {
                // Nobody may be listening.
                let _ = self.room.feed.send(Arc::new(record));
            }
        }
    }

    fn take(&mut self, received: Vec<Received>) -> Vec<Record> {
        let mut records = Vec::with_capacity(received.len());
        for message in received {
            match self.reception.take(message) {
                Ok(taken) => {
                    self.room.ledger.taken(&taken);
                    records.push(taken.record);
                }
                Err(refusal) => self.room.ledger.refused(refusal.name()),
            }
        }
        records
    }

    /// Offers a batch until the store has taken it, less at a time when there is no room for the whole; `None` when told to
    /// stop before.
    async fn store(&self, mut records: Vec<Record>, stopped: &mut watch::Receiver<bool>) -> Option<Appended> {
        let mut all = Appended::default();
        let mut most = records.len();
        while !records.is_empty() {
            let offered = records[..most.clamp(1, records.len())].to_vec();
            let count = offered.len();
            let error = match self.room.store.append(offered).await {
                Ok(appended) => {
                    if self.room.ledger.set_trouble(None) {
                        tracing::info!("the store takes records again");
                    }
                    all.stored.extend(appended.stored);
                    all.duplicates.extend(appended.duplicates);
                    records.drain(..count);
                    continue;
                }
                Err(error) => error,
            };
            if matches!(error, StoreError::Full { .. }) {
                most = count / 2;
            }
            self.postpone(&error);
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep(self.retry) => {}
            }
        }
        Some(all)
    }

    fn postpone(&self, error: &StoreError) {
        // Said once: it is repeated until it is over.
        if self.room.ledger.set_trouble(Some(error.to_string())) {
            tracing::warn!(%error, "the store takes no records; messages wait in their nodes' outboxes");
        }
    }
}
