//! The alarms of all tenants: raised by rules, changed by operators, kept in the store.
//!
//! Every version of an alarm is a record of the data room itself (a service of the site [`SITE`]), so alarms are kept,
//! found as of any moment and exported like everything else, in either store. What an operator does leaves an audit entry too.

use super::alarm::{Action, Alarm, Finding, Refusal, Rule, State};
use crate::record::{Kind, Record, Sensitivity, Source, Tenant};
use crate::room::Room;
use crate::store::query::MAX_PAGE;
use crate::store::{AuditAction, AuditEntry, Filter, Latest, StoreError};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The site under which the data room files its own records.
pub(super) const SITE: &str = "control-room";
/// Most alarms of one tenant that are not closed; rules raise no more.
const MAX_OPEN: usize = 1_000;
/// Alarms that changed longer ago than this are history, milliseconds.
const REMEMBERED_MS: i64 = 30 * 86_400_000;

/// The payload of an alarm's record.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    alarm: Alarm,
}

/// The alarm that a record holds.
pub(super) fn of_record(record: &Record) -> Option<Alarm> {
    let ours = record.kind == Kind::Service && record.source.site == SITE;
    ours.then(|| serde_json::from_slice::<Document>(&record.payload).ok()).flatten().map(|document| document.alarm)
}

/// Why an alarm did not change.
#[derive(Debug, thiserror::Error)]
pub(super) enum AlarmError {
    /// There is none of this id.
    #[error("no alarm {0}")]
    Unknown(String),
    /// It may not change so.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All alarms that are remembered.
#[derive(Debug)]
pub(super) struct Alarms {
    room: Room,
    state: Mutex<BTreeMap<Tenant, Book>>,
}

/// The alarms of one tenant.
#[derive(Debug, Default)]
struct Book {
    alarms: BTreeMap<String, Alarm>,
    /// The number of the newest record.
    sequence: u64,
}

impl Alarms {
    pub(super) fn new(room: Room) -> Self {
        Self { room, state: Mutex::default() }
    }

    /// Raises an alarm unless one of the same cause is open; that one goes on again instead.
    pub(super) async fn raise(&self, tenant: &Tenant, finding: Finding, now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        let book = self.book(&mut state, tenant, now).await?;
        let open = book.open(finding.rule, &finding.subject).cloned();
        let alarm = match open {
            Some(mut alarm) => {
                if !alarm.set_ongoing(true, now) {
                    return Ok(());
                }
                alarm
            }
            None if book.alarms.values().filter(|alarm| alarm.state != State::Closed).count() >= MAX_OPEN => {
                metrics::counter!("masa_control_room_dropped_total", "reason" => "too-many-alarms").increment(1);
                return Ok(());
            }
            None => Alarm::raise(format!("alarm-{}", book.next_sequence(now)), finding, now),
        };
        self.keep(tenant, book, alarm, now).await
    }

    /// Says that the cause of an alarm has ended.
    pub(super) async fn over(
        &self,
        tenant: &Tenant,
        rule: Rule,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        let book = self.book(&mut state, tenant, now).await?;
        let Some(mut alarm) = book.open(rule, subject).cloned() else { return Ok(()) };
        if alarm.set_ongoing(false, now) { self.keep(tenant, book, alarm, now).await } else { Ok(()) }
    }

    /// Does what an operator wants; it is done when it is stored and audited.
    pub(super) async fn act(
        &self,
        tenant: &Tenant,
        id: &str,
        version: u32,
        action: &Action,
        by: &str,
        now: Timestamp,
    ) -> Result<Alarm, AlarmError> {
        let mut state = self.state.lock().await;
        let book = self.book(&mut state, tenant, now).await?;
        let mut alarm = book.alarms.get(id).cloned().ok_or_else(|| AlarmError::Unknown(id.to_owned()))?;
        alarm.act(action, version, by, now)?;
        let entry = alarm.history.last().map(|e| format!("{id}: {} {}", e.action, e.words)).unwrap_or_default();
        let entry = AuditEntry {
            number: 0,
            at: now,
            tenant: tenant.clone(),
            by: by.to_owned(),
            action: AuditAction::Change,
            words: entry.trim_end().to_owned(),
            records: 1,
        };
        // The audit first: an entry too many says what was tried, one too few would hide what was done.
        self.room.store.note(entry).await?;
        self.keep(tenant, book, alarm.clone(), now).await?;
        Ok(alarm)
    }

    /// All alarms remembered, newest first.
    pub(super) async fn list(&self, tenant: &Tenant, now: Timestamp) -> Result<Vec<Alarm>, StoreError> {
        let mut state = self.state.lock().await;
        let book = self.book(&mut state, tenant, now).await?;
        let mut list: Vec<_> = book.alarms.values().cloned().collect();
        list.sort_by_key(|alarm| std::cmp::Reverse(alarm.raised_ms));
        Ok(list)
    }

    /// The book of a tenant, read from the store when it is first needed.
    async fn book<'a>(
        &self,
        state: &'a mut BTreeMap<Tenant, Book>,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<&'a mut Book, StoreError> {
        if !state.contains_key(tenant) {
            let filter = Filter { kinds: vec![Kind::Service], source: Some(source()), ..Filter::of(tenant.clone()) };
            let latest = Latest { filter, at: now, look_back_ms: REMEMBERED_MS, limit: MAX_PAGE };
            let records = self.room.store.latest(latest).await?;
            let sequence = records.iter().map(|record| record.sequence).max().unwrap_or(0);
            let alarms = records.iter().filter_map(of_record).map(|alarm| (alarm.id.clone(), alarm)).collect();
            state.insert(tenant.clone(), Book { alarms, sequence });
        }
        Ok(state.entry(tenant.clone()).or_default())
    }

    async fn keep(&self, tenant: &Tenant, book: &mut Book, alarm: Alarm, now: Timestamp) -> Result<(), StoreError> {
        let sequence = book.next_sequence(now);
        let record = record(tenant, &alarm, sequence, now)?;
        let appended = self.room.store.append(vec![record]).await?;
        book.sequence = sequence;
        book.alarms.insert(alarm.id.clone(), alarm);
        for record in appended.stored {
            // Nobody listening is no failure.
            let _ = self.room.feed.send(Arc::new(record));
        }
        Ok(())
    }
}

impl Book {
    fn open(&self, rule: Rule, subject: &str) -> Option<&Alarm> {
        self.alarms.values().find(|a| a.state != State::Closed && a.rule == rule && a.subject == subject)
    }

    /// Above the last one, and above those of an earlier run even when they are no longer remembered.
    fn next_sequence(&self, now: Timestamp) -> u64 {
        (self.sequence + 1).max(u64::try_from(now.unix_ms()).unwrap_or(0))
    }
}

fn source() -> Source {
    Source { site: SITE.to_owned(), station: 0 }
}

fn record(tenant: &Tenant, alarm: &Alarm, sequence: u64, now: Timestamp) -> Result<Record, StoreError> {
    let document = serde_json::to_vec(&Document { alarm: alarm.clone() });
    let payload = document.map_err(|error| StoreError::BadQuery(error.to_string()))?;
    Ok(Record {
        arrival: 0,
        tenant: tenant.clone(),
        source: source(),
        kind: Kind::Service,
        epoch: 1,
        sequence,
        message_id: format!("{}-{}", alarm.id, alarm.version),
        entity: alarm.id.clone(),
        measured_at: now,
        received_at: now,
        position: alarm.position.map(|[lon_deg, lat_deg]| Wgs84 { lat_deg, lon_deg, ..Wgs84::default() }),
        sensitivity: Sensitivity::Open,
        topic: format!("masa/{SITE}/0/service/alarm"),
        payload: payload.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::alarm::Severity;
    use super::*;
    use crate::store::Query;
    use crate::store::embedded::{EmbeddedSettings, EmbeddedStore};
    use std::path::Path;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_356_200_000);

    fn room(folder: &Path) -> Room {
        let settings = EmbeddedSettings { folder: folder.to_owned(), ..EmbeddedSettings::default() };
        Room::new(Arc::new(EmbeddedStore::open(&settings).unwrap()))
    }

    fn finding(subject: &str) -> Finding {
        Finding {
            rule: Rule::StationSilent,
            subject: subject.into(),
            severity: Severity::High,
            title: "Station 7 is silent".into(),
            position: None,
            site: "modena".into(),
        }
    }

    #[tokio::test]
    async fn alarms_and_what_was_done_about_them_outlive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let tenant = Tenant::default();
        let before = room(folder.path());
        let mut feed = before.feed.subscribe();
        let alarms = Alarms::new(before.clone());
        alarms.raise(&tenant, finding("modena/7"), NOW).await.unwrap();
        alarms.raise(&tenant, finding("modena/7"), NOW.plus_ms(1_000)).await.unwrap();
        let raised = alarms.list(&tenant, NOW).await.unwrap();
        assert_eq!(raised.len(), 1, "the same cause raises one alarm");
        let id = &raised[0].id;
        alarms.act(&tenant, id, 1, &Action::Acknowledge, "desk-1", NOW.plus_ms(2_000)).await.unwrap();
        let late =
            alarms.act(&tenant, id, 1, &Action::Close { words: String::new() }, "verdi", NOW.plus_ms(3_000)).await;
        assert!(matches!(late, Err(AlarmError::Refused(Refusal::Changed { was: 1, is: 2 }))));
        alarms.over(&tenant, Rule::StationSilent, "modena/7", NOW.plus_ms(4_000)).await.unwrap();
        let versions = [feed.recv().await, feed.recv().await, feed.recv().await];
        let versions = versions.map(|record| of_record(&record.unwrap()).unwrap().version);
        assert_eq!(versions, [1, 2, 3], "everybody is told of each");
        let audit = before.store.audit(tenant.clone(), None, 10).await.unwrap();
        assert_eq!((audit.len(), audit[0].by.as_str(), audit[0].action), (1, "desk-1", AuditAction::Change));
        before.store.close().await;
        drop((alarms, before));

        let after = room(folder.path());
        let alarms = Alarms::new(after.clone());
        let found = alarms.list(&tenant, NOW.plus_ms(60_000)).await.unwrap();
        assert_eq!((found[0].state, found[0].ongoing, found[0].history.len()), (State::Acknowledged, false, 3));
        let close = Action::Close { words: "power is back".into() };
        alarms.act(&tenant, id, 3, &close, "verdi", NOW.plus_ms(60_000)).await.unwrap();
        alarms.raise(&tenant, finding("modena/7"), NOW.plus_ms(61_000)).await.unwrap();
        assert_eq!(
            alarms.list(&tenant, NOW.plus_ms(61_000)).await.unwrap().len(),
            2,
            "a closed alarm is not raised again"
        );
        let other = Tenant::new("elsewhere").unwrap();
        assert_eq!(alarms.list(&other, NOW.plus_ms(61_000)).await.unwrap(), [], "tenants never meet");
        let unknown = alarms.act(&other, id, 4, &Action::Acknowledge, "verdi", NOW.plus_ms(61_000)).await;
        assert!(matches!(unknown, Err(AlarmError::Unknown(_))));
        let kept = after.store.query(Query::new(Filter::of(tenant), 100)).await.unwrap().records;
        assert_eq!(kept.len(), 5, "every version is a record");
    }
}
