//! What came in from whom: counters of the whole and of every source, and how the sources' clocks are.

use crate::record::{Kind, Source, Tenant};
use masa_v2x_proto::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sources that are counted apart; the records of more are stored all the same.
pub const MAX_SOURCES: usize = 20_000;

/// Counters of the ingest.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Records committed.
    pub stored: u64,
    /// Records that were there already.
    pub duplicates: u64,
    /// Messages that were not stored, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Messages stored whose payload does not decode.
    pub undecodable: u64,
    /// Batches the store did not take at first.
    pub postponed: u64,
    /// What is wrong with the store now, in words; `None` while it takes records.
    pub trouble: Option<String>,
    /// By source.
    pub sources: Vec<SourceReport>,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceReport {
    /// Whose.
    pub tenant: Tenant,
    /// Who.
    pub source: Source,
    /// Records committed.
    pub stored: u64,
    /// Records that were there already.
    pub duplicates: u64,
    /// Records measured later than they arrived, by our clock: its clock is ahead.
    pub ahead: u64,
    /// Least time from measuring to arrival in the latest minute with records, milliseconds: the offset of its clock plus
    /// the fastest way here. Negative when its clock is ahead.
    pub least_age_ms: i64,
    /// When its newest record arrived.
    pub heard_at: Timestamp,
    /// Committed records by kind.
    pub kinds: BTreeMap<Kind, u64>,
}

/// All counters; shared by the ingest and the servers.
#[derive(Debug, Default)]
pub struct Ledger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: Report,
    sources: BTreeMap<(Tenant, Source), SourceReport>,
}

impl Ledger {
    fn locked(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves whole counters behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything counted so far.
    pub fn report(&self) -> Report {
        let state = self.locked();
        Report { sources: state.sources.values().cloned().collect(), ..state.total.clone() }
    }
}
