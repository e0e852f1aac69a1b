//! What came in from whom: counters of the whole and of every source, and how the sources' clocks are.

use super::reception::Taken;
use crate::record::{Kind, Record, Source, Tenant};
use crate::store::Appended;
use masa_links::{NodeProblem, Problems};
use masa_v2x_proto::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sources that are counted apart; the records of more are stored all the same.
const MAX_SOURCES: usize = 20_000;

/// Problems of one source that are kept.
const MAX_PROBLEMS: usize = 32;

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
    /// Records measured later than they arrived by more than the tolerance: its clock is ahead of ours.
    pub ahead: u64,
    /// Least time from measuring to arrival in the last whole minute with records, milliseconds: the offset of its clock
    /// and the fastest way here. Negative when its clock is ahead.
    pub least_age_ms: i64,
    /// When its newest record arrived.
    pub heard_at: Timestamp,
    /// Committed records by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// What it said last that is wrong with it; at most 32.
    pub problems: Vec<NodeProblem>,
}

/// All counters; shared by the ingest and the servers.
#[derive(Debug, Default)]
pub struct Ledger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: Report,
    sources: BTreeMap<(Tenant, Source), Tally>,
}

#[derive(Debug)]
struct Tally {
    report: SourceReport,
    /// Least age so far in the minute that began then, milliseconds.
    minute: (Timestamp, i64),
}

impl Ledger {
    fn locked(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves whole counters behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything counted so far.
    pub fn report(&self) -> Report {
        let state = self.locked();
        Report { sources: state.sources.values().map(|tally| tally.report.clone()).collect(), ..state.total.clone() }
    }

    /// The whole without the sources.
    pub fn totals(&self) -> Report {
        self.locked().total.clone()
    }

    pub(super) fn refused(&self, reason: &'static str) {
        *self.locked().total.refused.entry(reason).or_default() += 1;
        metrics::counter!("masa_data_room_refused_total", "reason" => reason).increment(1);
    }

    /// A message became a record, which is not stored yet.
    pub(super) fn taken(&self, taken: &Taken) {
        let mut state = self.locked();
        state.total.undecodable += u64::from(!taken.decodes);
        if let Some(tally) = state.tally(&taken.record) {
            tally.report.ahead += u64::from(taken.is_ahead);
            tally.aged(taken.record.received_at, taken.age_ms);
        }
    }

    /// A batch was committed.
    pub(super) fn committed(&self, appended: &Appended) {
        let mut state = self.locked();
        let (stored, duplicates) = (appended.stored.len() as u64, appended.duplicates.len() as u64);
        state.total.stored += stored;
        state.total.duplicates += duplicates;
        for record in &appended.stored {
            if let Some(tally) = state.tally(record) {
                tally.report.stored += 1;
                tally.report.heard_at = tally.report.heard_at.max(record.received_at);
                *tally.report.kinds.entry(record.kind).or_default() += 1;
                if let (Kind::Health, Ok(said)) = (record.kind, serde_json::from_slice::<Problems>(&record.payload)) {
                    tally.report.problems = said.problems;
                    tally.report.problems.truncate(MAX_PROBLEMS);
                }
            }
        }
        for record in &appended.duplicates {
            if let Some(tally) = state.tally(record) {
                tally.report.duplicates += 1;
            }
        }
        metrics::counter!("masa_data_room_stored_total").increment(stored);
        metrics::counter!("masa_data_room_duplicates_total").increment(duplicates);
    }

    /// What is wrong with the store, `None` for nothing; whether that is a change.
    pub(super) fn set_trouble(&self, trouble: Option<String>) -> bool {
        let total = &mut self.locked().total;
        total.postponed += u64::from(trouble.is_some());
        let changed = total.trouble.is_some() != trouble.is_some();
        total.trouble = trouble;
        changed
    }
}

impl State {
    fn tally(&mut self, record: &Record) -> Option<&mut Tally> {
        let key = (record.tenant.clone(), record.source.clone());
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(&key) {
            return None;
        }
        let (tenant, source) = key.clone();
        let fresh = || Tally {
            report: SourceReport {
                tenant,
                source,
                stored: 0,
                duplicates: 0,
                ahead: 0,
                least_age_ms: i64::MAX,
                heard_at: record.received_at,
                kinds: BTreeMap::new(),
                problems: Vec::new(),
            },
            minute: (record.received_at, i64::MAX),
        };
        Some(self.sources.entry(key).or_insert_with(fresh))
    }
}

impl Tally {
    fn aged(&mut self, at: Timestamp, age_ms: i64) {
        let (began, least) = self.minute;
        if at.seconds_since(began) >= 60.0 {
            self.report.least_age_ms = least;
            self.minute = (at, age_ms);
        } else {
            self.minute = (began, least.min(age_ms));
        }
        // Until the first minute is over, what is known of it.
        self.report.least_age_ms = self.report.least_age_ms.min(self.minute.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Sensitivity;
    use bytes::Bytes;

    fn taken(at_ms: i64, age_ms: i64) -> Taken {
        let record = Record {
            arrival: 0,
            tenant: Tenant::default(),
            source: Source { site: "m".into(), station: 1 },
            kind: Kind::Observation,
            epoch: 1,
            sequence: 1,
            message_id: String::new(),
            entity: "e".into(),
            measured_at: Timestamp::from_unix_ms(at_ms - age_ms),
            received_at: Timestamp::from_unix_ms(at_ms),
            position: None,
            sensitivity: Sensitivity::Open,
            topic: String::new(),
            payload: Bytes::new(),
        };
        Taken { record, is_ahead: age_ms < 0, age_ms, decodes: true }
    }

    #[test]
    fn the_offset_of_a_clock_is_the_least_age_of_a_minute() {
        let ledger = Ledger::default();
        for (at_ms, age_ms) in [(0, 90), (10_000, 40), (20_000, 70), (60_000, 200), (61_000, 300)] {
            ledger.taken(&taken(at_ms, age_ms));
        }
        assert_eq!(ledger.report().sources[0].least_age_ms, 40);
        ledger.taken(&taken(130_000, 500));
        assert_eq!(ledger.report().sources[0].least_age_ms, 200, "the minute before");
    }

    #[test]
    fn trouble_is_said_once_and_over_once() {
        let ledger = Ledger::default();
        assert!(!ledger.set_trouble(None));
        assert!(ledger.set_trouble(Some("full".into())));
        assert!(!ledger.set_trouble(Some("still full".into())));
        assert_eq!(ledger.report().trouble.as_deref(), Some("still full"));
        assert!(ledger.set_trouble(None));
        assert_eq!(ledger.totals().postponed, 2);
    }
}
