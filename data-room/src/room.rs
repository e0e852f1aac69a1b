//! What the parts of a running data room share: the store, what is new, how the sources are.

use crate::ingest::Ledger;
use crate::record::Record;
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::broadcast;

/// New records that a follower of the feed may be behind; one further behind is told how many it missed, and reads them
/// from the store ([`crate::store::Order::Arrival`]).
pub const FEED: usize = 16_384;

/// A running data room, as the servers see it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Room {
    /// Where the records are.
    pub store: Arc<dyn Store>,
    /// Every record, in the order of `arrival`, right after it was committed.
    pub feed: broadcast::Sender<Arc<Record>>,
    /// What came in from whom, and what was wrong with it.
    pub ledger: Arc<Ledger>,
}

impl Room {
    /// A room around a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, feed: broadcast::Sender::new(FEED), ledger: Arc::default() }
    }
}
