//! What every store does.

use super::Subject;
use crate::support::records::{at, cam, denm};
use bytes::Bytes;
use masa_data_room::store::export::{Export, export};
use masa_data_room::store::policy::{KeepRule, ThinRule};
use masa_data_room::store::{
    Area, AuditAction, AuditEntry, Cursor, Deletion, Filter, Latest, Order, Personal, Policies, Query, Store,
    StoreError,
};
use masa_data_room::{Kind, Record, Sensitivity, Source, Tenant};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;

const HOUR_MS: i64 = 3_600_000;
const DENM: Kind = Kind::V2x(MessageKind::Denm);
const CAM: Kind = Kind::V2x(MessageKind::Cam);

fn sequences(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.sequence).collect()
}

fn everything() -> Filter {
    Filter { personal: Personal::Include, ..Filter::default() }
}

async fn all(store: &dyn Store, filter: Filter) -> Vec<Record> {
    store.query(Query::new(filter, 1_000)).await.unwrap().records
}

async fn latest(store: &dyn Store, filter: Filter, at: Timestamp) -> Vec<Record> {
    store.latest(Latest { filter, at, look_back_ms: HOUR_MS, limit: 100 }).await.unwrap()
}

pub(crate) async fn a_batch_is_stored_once_and_in_order(subject: impl Subject) {
    let store = subject.store();
    let batch = vec![denm(1, 0), denm(2, 10), cam(7, 1, 5)];
    let appended = store.append(batch.clone()).await.unwrap();
    assert_eq!((appended.stored.len(), appended.duplicates.len()), (3, 0));
    assert_eq!(appended.stored.iter().map(|r| r.arrival).collect::<Vec<_>>(), [1, 2, 3]);
    // Again, with one that is new.
    let again = store.append([batch, vec![denm(3, 20)]].concat()).await.unwrap();
    assert_eq!((sequences(&again.stored), again.duplicates.len()), (vec![3], 3));
    let found = all(store.as_ref(), everything()).await;
    let expected = [appended.stored[0].clone(), appended.stored[2].clone(), appended.stored[1].clone()];
    assert_eq!(found[..3], expected, "every field as it was, by time");
    assert_eq!(found.len(), 4);
}

pub(crate) async fn numbers_go_on_after_a_restart(mut subject: impl Subject) {
    subject.store().append(vec![denm(1, 0), denm(2, 0)]).await.unwrap();
    subject.reopen().await;
    let appended = subject.store().append(vec![denm(1, 0), denm(2, 0), denm(3, 0)]).await.unwrap();
    assert_eq!((sequences(&appended.stored), appended.duplicates.len()), (vec![3], 2));
    assert_eq!(appended.stored[0].arrival, 3);
}

pub(crate) async fn a_number_is_taken_once_per_source_kind_and_epoch(subject: impl Subject) {
    let store = subject.store();
    let first = denm(5, 0);
    let later_epoch = Record { epoch: first.epoch + 1, ..denm(1, 1) };
    let other_station = Record { source: Source { station: 2, ..first.source.clone() }, ..denm(5, 2) };
    let other_kind = Record { kind: Kind::Observation, ..denm(5, 3) };
    let other_tenant = Record { tenant: Tenant::new("carpi").unwrap(), ..denm(5, 4) };
    let batch = vec![first, later_epoch, other_station, other_kind, other_tenant];
    assert_eq!(store.append(batch.clone()).await.unwrap().stored.len(), 5);
    assert_eq!(store.append(batch).await.unwrap().duplicates.len(), 5);
    // Below the last number is before it: it was given up, or it comes again.
    assert_eq!(store.append(vec![denm(4, 9)]).await.unwrap().duplicates.len(), 1);
}

pub(crate) async fn pages_join_without_gap_or_double(subject: impl Subject) {
    let store = subject.store();
    // Three of each millisecond, so that pages end between equal times.
    store.append((1..=90).map(|n| denm(n, n as i64 / 3)).collect()).await.unwrap();
    for order in [Order::OldestFirst, Order::NewestFirst, Order::Arrival] {
        let mut query = Query { order, ..Query::new(Filter::default(), 7) };
        let mut found = Vec::new();
        loop {
            let page = store.query(query.clone()).await.unwrap();
            assert!((1..=7).contains(&page.records.len()));
            found.extend(sequences(&page.records));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        let mut expected: Vec<u64> = (1..=90).collect();
        if order == Order::NewestFirst {
            expected.reverse();
        }
        assert_eq!(found, expected, "{order:?}");
    }
}

pub(crate) async fn the_newest_come_first_when_asked(subject: impl Subject) {
    let store = subject.store();
    store.append(vec![denm(1, 30), denm(2, 10), denm(3, 20)]).await.unwrap();
    let query = Query { order: Order::NewestFirst, ..Query::new(Filter::default(), 2) };
    assert_eq!(sequences(&store.query(query).await.unwrap().records), [1, 3]);
}

pub(crate) async fn what_is_new_is_read_by_arrival(subject: impl Subject) {
    let store = subject.store();
    // Measured before, arrived after.
    store.append(vec![denm(1, 1_000)]).await.unwrap();
    store.append(vec![denm(2, 0), cam(7, 1, 0)]).await.unwrap();
    let query = Query { order: Order::Arrival, after: Some(Cursor::arrived(1)), ..Query::new(Filter::default(), 10) };
    let page = store.query(query).await.unwrap();
    assert_eq!((sequences(&page.records), page.next), (vec![2], None));
}

pub(crate) async fn filters_take_what_they_name(subject: impl Subject) {
    let store = subject.store();
    let observation = Record { kind: Kind::Observation, entity: "mast-1".into(), ..denm(1, 50) };
    let other = Record { source: Source { site: "carpi".into(), station: 1 }, ..denm(1, 60) };
    store.append(vec![denm(1, 0), denm(2, 100), observation, other]).await.unwrap();
    let found = async |filter: Filter| all(store.as_ref(), filter).await.len();
    assert_eq!(found(Filter::default()).await, 4);
    assert_eq!(found(Filter { kinds: vec![Kind::Observation], ..Filter::default() }).await, 1);
    assert_eq!(found(Filter { kinds: vec![Kind::Observation, DENM], ..Filter::default() }).await, 4);
    assert_eq!(found(Filter { kinds: vec![CAM], ..Filter::default() }).await, 0);
    let source = Source { site: "carpi".into(), station: 1 };
    assert_eq!(found(Filter { source: Some(source), ..Filter::default() }).await, 1);
    assert_eq!(found(Filter { entity: Some("mast-1".into()), ..Filter::default() }).await, 1);
    let between = Query { from: at(0), until: at(100), ..Query::new(Filter::default(), 10) };
    assert_eq!(store.query(between).await.unwrap().records.len(), 3, "the end is not included");
}

pub(crate) async fn areas_hold_what_is_in_them(subject: impl Subject) {
    let store = subject.store();
    let here =
        |n: u64, lat_deg, lon_deg| Record { position: Some(Wgs84 { lat_deg, lon_deg, alt_m: 0.0 }), ..denm(n, 0) };
    let nowhere = Record { position: None, ..denm(4, 0) };
    // 100 m are 0.0009° of latitude, and 0.00126° of longitude here.
    let batch = vec![here(1, 44.65, 10.93), here(2, 44.6507, 10.93), here(3, 44.6507, 10.9309), nowhere];
    store.append(batch).await.unwrap();
    let found = async |area| {
        let filter = Filter { area: Some(area), ..Filter::default() };
        sequences(&all(store.as_ref(), filter).await)
    };
    let circle = |radius_m| Area::Circle { lat_deg: 44.65, lon_deg: 10.93, radius_m };
    assert_eq!(found(circle(50.0)).await, [1]);
    assert_eq!(found(circle(100.0)).await, [1, 2], "the third is in the square around it only");
    assert_eq!(found(circle(120.0)).await, [1, 2, 3]);
    let of_box = Area::Box { south_deg: 44.6501, west_deg: 10.93, north_deg: 44.66, east_deg: 10.9309 };
    assert_eq!(found(of_box).await, [2, 3], "edges belong to it");
}

pub(crate) async fn tenants_see_their_own(subject: impl Subject) {
    let store = subject.store();
    let carpi = Tenant::new("carpi").unwrap();
    store.append(vec![denm(1, 0), Record { tenant: carpi.clone(), ..denm(2, 0) }]).await.unwrap();
    assert_eq!(sequences(&all(store.as_ref(), Filter::of(carpi.clone())).await), [2]);
    assert_eq!(sequences(&latest(store.as_ref(), Filter::of(carpi.clone()), at(10)).await), [2]);
    let deletion = Deletion {
        filter: Filter { tenant: carpi.clone(), ..everything() },
        from: Timestamp::from_unix_ns(i64::MIN),
        until: Timestamp::from_unix_ns(i64::MAX),
        by: "test".into(),
        reason: "contract ended".into(),
        at: at(0),
    };
    assert_eq!(store.delete(deletion).await.unwrap().records, 1);
    assert_eq!(all(store.as_ref(), everything()).await.len(), 1);
    assert_eq!(store.audit(carpi, None, 10).await.unwrap().len(), 1);
    assert!(store.audit(Tenant::default(), None, 10).await.unwrap().is_empty());
}

pub(crate) async fn personal_data_is_left_out_unless_asked_for(subject: impl Subject) {
    let store = subject.store();
    store.append(vec![denm(1, 0), cam(7, 1, 0)]).await.unwrap();
    assert_eq!(all(store.as_ref(), Filter::default()).await.len(), 1);
    assert_eq!(all(store.as_ref(), everything()).await.len(), 2);
    assert_eq!(latest(store.as_ref(), Filter::default(), at(10)).await.len(), 1);
    assert_eq!(latest(store.as_ref(), everything(), at(10)).await.len(), 2);
}

pub(crate) async fn the_world_is_as_it_was_at_a_moment(subject: impl Subject) {
    let store = subject.store();
    let event = |n: u64, ms| Record { entity: "1-1".into(), ..denm(n, ms) };
    store.append(vec![event(1, 0), event(2, 1_000), event(3, 2_000), cam(7, 1, 500)]).await.unwrap();
    let world = async |ms| {
        let records = latest(store.as_ref(), everything(), at(ms)).await;
        records.iter().map(|record| (record.kind.name(), record.sequence)).collect::<Vec<_>>()
    };
    assert_eq!(world(-1).await, []);
    assert_eq!(world(0).await, [("denm", 1)]);
    assert_eq!(world(1_999).await, [("cam", 1), ("denm", 2)]);
    assert_eq!(world(2_000).await, [("cam", 1), ("denm", 3)]);
    assert_eq!(world(2_001 + HOUR_MS).await, [], "too long ago to say anything");
}

pub(crate) async fn what_has_left_an_area_is_not_in_it(subject: impl Subject) {
    let store = subject.store();
    let seen = |n, ms, lat_deg| {
        let position = Some(Wgs84 { lat_deg, lon_deg: 10.93, alt_m: 0.0 });
        Record { position, ..cam(7, n, ms) }
    };
    store.append(vec![seen(1, 0, 44.65), seen(2, 1_000, 44.66)]).await.unwrap();
    let area = Area::Circle { lat_deg: 44.65, lon_deg: 10.93, radius_m: 100.0 };
    let filter = Filter { area: Some(area), ..everything() };
    assert_eq!(latest(store.as_ref(), filter.clone(), at(500)).await.len(), 1);
    assert_eq!(latest(store.as_ref(), filter, at(1_000)).await.len(), 0);
}

pub(crate) async fn hostile_texts_are_only_texts(subject: impl Subject) {
    let store = subject.store();
    let hostile = "x'; DROP TABLE records; --";
    let record = Record { entity: hostile.into(), source: Source { site: hostile.into(), station: 1 }, ..denm(1, 0) };
    store.append(vec![record, denm(1, 1)]).await.unwrap();
    let filter = Filter { entity: Some(hostile.into()), ..Filter::default() };
    assert_eq!(all(store.as_ref(), filter).await.len(), 1);
    let filter = Filter { entity: Some("' OR '1'='1".into()), ..Filter::default() };
    assert_eq!(all(store.as_ref(), filter).await.len(), 0);
    assert_eq!(all(store.as_ref(), Filter::default()).await.len(), 2);
}

pub(crate) async fn limits_that_cannot_be_are_refused(subject: impl Subject) {
    let store = subject.store();
    for limit in [0, 10_001] {
        let refused = store.query(Query::new(Filter::default(), limit)).await.unwrap_err();
        assert!(matches!(refused, StoreError::BadQuery(_)), "{refused}");
    }
}

pub(crate) async fn retention_deletes_by_kind_and_sensitivity(subject: impl Subject) {
    let store = subject.store();
    let observation = |n: u64, ms| Record { kind: Kind::Observation, ..denm(n, ms) };
    let batch = vec![denm(1, 0), observation(1, 0), cam(7, 1, 0), denm(2, 48 * HOUR_MS), cam(7, 2, 48 * HOUR_MS)];
    store.append(batch).await.unwrap();
    let policies = Policies { keep: vec![KeepRule { kind: Kind::Observation, hours: 30 }], ..Policies::default() };
    // Repeated, as a runner does: what is rolled at first goes with its file.
    for _ in 0..2 {
        store.sweep(&policies, at(49 * HOUR_MS)).await.unwrap();
    }
    let left = all(store.as_ref(), everything()).await;
    let kinds: Vec<_> = left.iter().map(|record| (record.kind.name(), record.sequence)).collect();
    assert_eq!(kinds, [("denm", 1), ("denm", 2), ("cam", 2)]);
    let audit = store.audit(Tenant::default(), None, 10).await.unwrap();
    let gone: u64 = audit.iter().filter(|entry| entry.action == AuditAction::Delete).map(|entry| entry.records).sum();
    assert_eq!(gone, 2, "{audit:?}");
    assert!(audit.iter().all(|entry| entry.by == "policy"), "{audit:?}");
    // A year later.
    store.sweep(&policies, at(370 * 24 * HOUR_MS)).await.unwrap();
    assert!(all(store.as_ref(), everything()).await.is_empty());
}

pub(crate) async fn old_records_are_thinned(subject: impl Subject) {
    let store = subject.store();
    let of = |station: u32, n: u64| Record {
        source: Source { site: "modena".into(), station },
        entity: "sensor".into(),
        kind: Kind::Observation,
        ..denm(n, n as i64 * 1_000 - 1_000)
    };
    // Two minutes, a record a second, of two sources.
    store.append((1..=120).flat_map(|n| [of(1, n), of(2, n)]).collect()).await.unwrap();
    let policies = Policies {
        thin: vec![ThinRule { kind: Kind::Observation, after_hours: 24, every_s: 60 }],
        ..Policies::default()
    };
    let mut thinned = 0;
    for hours in [10, 20, 26, 30] {
        thinned += store.sweep(&policies, at(hours * HOUR_MS)).await.unwrap().thinned;
        let left = all(store.as_ref(), Filter::default()).await.len();
        assert_eq!(left, if hours < 24 { 240 } else { 4 }, "after {hours} h");
    }
    assert_eq!(thinned, 236);
    let left = all(store.as_ref(), Filter::default()).await;
    assert_eq!(sequences(&left), [1, 1, 61, 61], "the first of each minute and source");
}

pub(crate) async fn deletion_is_real_and_audited(subject: impl Subject) {
    let store = subject.store();
    let marked = |n: u64, ms, mark: &str| Record { payload: Bytes::from(format!("payload {mark}")), ..cam(7, n, ms) };
    let (gone, stays) = ("f00dfeedbeef-gone", "f00dfeedbeef-stays");
    let other = Record { payload: Bytes::from(format!("payload {stays}")), ..cam(8, 1, 0) };
    // Of the first hour, which is rolled, and of now.
    let batch = vec![marked(1, 0, gone), other, marked(2, 9 * HOUR_MS, gone), denm(1, 9 * HOUR_MS)];
    store.append(batch).await.unwrap();
    store.sweep(&Policies::default(), at(10 * HOUR_MS)).await.unwrap();
    let deletion = Deletion {
        filter: Filter { entity: Some("7".into()), ..everything() },
        from: Timestamp::from_unix_ns(i64::MIN),
        until: Timestamp::from_unix_ns(i64::MAX),
        by: "officer".into(),
        reason: "asked by the driver".into(),
        at: at(10 * HOUR_MS),
    };
    assert_eq!(store.delete(deletion.clone()).await.unwrap().records, 2);
    let left = all(store.as_ref(), everything()).await;
    assert_eq!(left.iter().map(|record| record.entity.as_str()).collect::<Vec<_>>(), ["8", "1-1"]);
    let audit = store.audit(Tenant::default(), None, 1).await.unwrap().remove(0);
    assert_eq!((audit.by.as_str(), audit.action, audit.records), ("officer", AuditAction::Delete, 2));
    assert!(audit.words.contains("asked by the driver") && audit.at == at(10 * HOUR_MS), "{audit:?}");
    assert!(!subject.holds(gone.as_bytes()).await, "the bytes are still there");
    assert_eq!(left[0].payload, format!("payload {stays}"));
    // Nobody can bring it back by saying it again.
    assert_eq!(store.append(vec![marked(2, 9 * HOUR_MS, gone)]).await.unwrap().duplicates.len(), 1);
    assert_eq!(store.delete(deletion).await.unwrap().records, 0);
}

pub(crate) async fn audit_entries_are_kept_and_paged(mut subject: impl Subject) {
    let entry = |n: i64| AuditEntry {
        number: 0,
        at: at(n),
        tenant: Tenant::default(),
        by: "operator".into(),
        action: AuditAction::Read,
        words: format!("vehicles near the school, {n}"),
        records: 3,
    };
    for n in 1..=5 {
        subject.store().note(entry(n)).await.unwrap();
    }
    subject.reopen().await;
    let store = subject.store();
    let newest = store.audit(Tenant::default(), None, 2).await.unwrap();
    assert_eq!(newest.iter().map(|e| e.number).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(AuditEntry { number: 0, ..newest[0].clone() }, entry(5));
    let older = store.audit(Tenant::default(), Some(4), 10).await.unwrap();
    assert_eq!(older.iter().map(|e| e.number).collect::<Vec<_>>(), [3, 2, 1]);
    store.sweep(&Policies::default(), at(184 * 24 * HOUR_MS)).await.unwrap();
    assert!(store.audit(Tenant::default(), None, 10).await.unwrap().is_empty(), "half a year is over");
}

pub(crate) async fn statistics_count_what_is_there(subject: impl Subject) {
    let store = subject.store();
    store.append(vec![denm(1, 0), denm(2, 9 * HOUR_MS), cam(7, 1, 0)]).await.unwrap();
    let count = async || {
        let statistics = store.statistics().await.unwrap();
        assert!(statistics.hot_bytes > 0 && statistics.last_arrival == 3, "{statistics:?}");
        let mut holdings = statistics.holdings;
        holdings.sort_by_key(|holding| holding.kind);
        holdings
    };
    let before = count().await;
    assert_eq!(before.len(), 2);
    let denms = &before[1];
    assert_eq!((denms.kind, denms.sensitivity, denms.records), (DENM, Sensitivity::Open, 2));
    assert_eq!((denms.oldest, denms.newest), (at(0), at(9 * HOUR_MS)));
    // Some of it in files now, none gone.
    store.sweep(&Policies::default(), at(10 * HOUR_MS)).await.unwrap();
    assert_eq!(count().await, before);
    store.sweep(&Policies::default(), at(30 * HOUR_MS)).await.unwrap();
    assert_eq!(count().await, before[1..], "personal data is gone");
}

pub(crate) async fn an_export_is_what_a_query_returns(subject: impl Subject) {
    let store = subject.store();
    store.append(vec![denm(1, 0), denm(2, 0), cam(7, 1, 0)]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.parquet");
    let what = |personal| Export {
        filter: Filter { personal, ..Filter::default() },
        from: Timestamp::from_unix_ns(i64::MIN),
        until: Timestamp::from_unix_ns(i64::MAX),
        by: "test".into(),
        at: at(0),
    };
    let open = export(store.as_ref(), &what(Personal::Exclude), &path).await.unwrap();
    assert_eq!((open.records, open.bytes), (2, std::fs::metadata(&path).unwrap().len()));
    assert!(store.audit(Tenant::default(), None, 10).await.unwrap().is_empty());
    let personal = export(store.as_ref(), &what(Personal::Include), &path).await.unwrap();
    assert_eq!(personal.records, 3);
    let audit = store.audit(Tenant::default(), None, 10).await.unwrap();
    assert_eq!(audit.iter().map(|entry| entry.action).collect::<Vec<_>>(), [AuditAction::Export]);
}
