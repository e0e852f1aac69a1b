use super::*;
use masa_v2x_proto::MessageKind;

const DENM: Kind = Kind::V2x(MessageKind::Denm);

fn at(s: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_700_000_000_000 + s * 1_000)
}

fn denm(seq: u64, s: i64) -> Outgoing {
    Outgoing {
        id: format!("7-denm-{seq}"),
        kind: DENM,
        seq,
        generated_at: at(s),
        quadkey: "0123".into(),
        deadline: Some(at(s + 60)),
        dissemination: masa_v2x_proto::geonet::Dissemination::default(),
        current: None,
        uper: Bytes::from(vec![seq as u8; 3]),
        json: Bytes::from_static(b"{}"),
    }
}

fn creditors(mqtt_readers: &[&str]) -> Vec<Creditor> {
    vec![
        Creditor { link: LinkName::Zenoh, readers: Vec::new() },
        Creditor { link: LinkName::Mqtt, readers: mqtt_readers.iter().map(|r| (*r).to_owned()).collect() },
    ]
}

fn store(settings: &OutboxSettings) -> Store {
    Store::open(settings, creditors(&[]), at(0)).unwrap()
}

fn numbers(store: &Store, link: LinkName, s: i64) -> Vec<u64> {
    store.owed(link, DENM, 0, 100, at(s)).unwrap().iter().map(|m| m.header.number).collect()
}

#[test]
fn each_link_owes_until_its_own_acknowledgement() {
    let mut store = store(&OutboxSettings::default());
    for seq in 1..=3 {
        store.insert(denm(seq, 0), at(0)).1.unwrap();
    }
    assert_eq!(store.settle(LinkName::Mqtt, "", DENM, 2, 2, at(1)).unwrap(), 1);
    assert_eq!(numbers(&store, LinkName::Mqtt, 1), [1, 3]);
    assert_eq!(store.settle(LinkName::Zenoh, "any-reader", DENM, 1, 2, at(1)).unwrap(), 2);
    assert_eq!(numbers(&store, LinkName::Zenoh, 1), [3]);
    assert_eq!(store.owed_count().unwrap(), 3);
}

#[test]
fn named_readers_must_all_acknowledge() {
    let mut store = Store::open(&OutboxSettings::default(), creditors(&["a", "b"]), at(0)).unwrap();
    store.insert(denm(1, 0), at(0)).1.unwrap();
    assert_eq!(store.settle(LinkName::Mqtt, "", DENM, 1, 1, at(1)).unwrap(), 0, "the broker's word does not count");
    assert_eq!(store.settle(LinkName::Mqtt, "c", DENM, 1, 1, at(1)).unwrap(), 0);
    assert_eq!(store.settle(LinkName::Mqtt, "a", DENM, 1, 1, at(1)).unwrap(), 1);
    assert_eq!(numbers(&store, LinkName::Mqtt, 1), [1]);
    assert_eq!(store.settle(LinkName::Mqtt, "b", DENM, 1, 1, at(1)).unwrap(), 1);
    assert!(numbers(&store, LinkName::Mqtt, 1).is_empty());
}

#[test]
fn a_reopened_file_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let settings = OutboxSettings { path: Some(dir.path().join("outbox.sqlite")), ..OutboxSettings::default() };
    let (stream, sent) = {
        let mut store = store(&settings);
        store.insert(denm(1, 0), at(0)).1.unwrap();
        (store.stream(), store.insert(denm(2, 0), at(0)).0)
    };
    let mut again = Store::open(&settings, creditors(&[]), at(10)).unwrap();
    assert_eq!(again.stream(), stream);
    let owed = again.owed(LinkName::Mqtt, DENM, 1, 10, at(0)).unwrap();
    assert_eq!(owed, [sent]);
    assert_eq!(again.insert(denm(1, 10), at(10)).0.header.number, 3, "the node's own seq starts anew, ours goes on");
}

#[test]
fn a_link_that_is_no_longer_configured_owes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let settings = OutboxSettings { path: Some(dir.path().join("outbox.sqlite")), ..OutboxSettings::default() };
    store(&settings).insert(denm(1, 0), at(0)).1.unwrap();
    let only_mqtt = vec![Creditor { link: LinkName::Mqtt, readers: Vec::new() }];
    let again = Store::open(&settings, only_mqtt, at(1)).unwrap();
    assert_eq!(again.owed_count().unwrap(), 1);
    assert_eq!(numbers(&again, LinkName::Mqtt, 1), [1]);
}

#[test]
fn expiry_counts_what_nobody_acknowledged() {
    let mut store = store(&OutboxSettings::default());
    store.insert(denm(1, 0), at(0)).1.unwrap();
    store.settle(LinkName::Mqtt, "", DENM, 1, 1, at(1)).unwrap();
    assert!(store.prune(at(59)).unwrap().is_empty());
    assert!(numbers(&store, LinkName::Zenoh, 60).is_empty(), "an expired message is not offered even before pruning");
    assert_eq!(store.prune(at(60)).unwrap(), BTreeMap::from([((LinkName::Zenoh, DENM), 1)]));
    assert_eq!(
        store.page(DENM, 0, 10).unwrap(),
        Page { stream: store.stream(), first: 2, last: 1, after: Some(0), messages: vec![] }
    );
}

#[test]
fn acknowledged_messages_stay_readable_for_a_while() {
    let settings = OutboxSettings { keep_acknowledged_s: 5, ..OutboxSettings::default() };
    let mut store = store(&settings);
    store.insert(denm(1, 0), at(0)).1.unwrap();
    store.settle(LinkName::Mqtt, "", DENM, 1, 1, at(1)).unwrap();
    store.settle(LinkName::Zenoh, "r", DENM, 1, 1, at(2)).unwrap();
    store.prune(at(6)).unwrap();
    assert_eq!(store.page(DENM, 0, 10).unwrap().messages.len(), 1);
    store.prune(at(7)).unwrap();
    assert!(store.page(DENM, 0, 10).unwrap().messages.is_empty());
}

#[test]
fn the_row_limit_takes_acknowledged_messages_first_and_counts_the_others() {
    let mut store = store(&OutboxSettings { max_rows: 2, ..OutboxSettings::default() });
    store.insert(denm(1, 0), at(0)).1.unwrap();
    store.insert(denm(2, 0), at(0)).1.unwrap();
    store.settle(LinkName::Mqtt, "", DENM, 2, 2, at(0)).unwrap();
    store.settle(LinkName::Zenoh, "r", DENM, 2, 2, at(0)).unwrap();
    assert_eq!(store.insert(denm(3, 0), at(0)).1.unwrap(), 0);
    assert_eq!(numbers(&store, LinkName::Zenoh, 0), [1, 3]);
    assert_eq!(store.insert(denm(4, 0), at(0)).1.unwrap(), 1);
    assert_eq!(numbers(&store, LinkName::Zenoh, 0), [3, 4]);
}

#[test]
fn a_file_that_is_no_database_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("outbox.sqlite");
    std::fs::write(&path, vec![b'x'; 4096]).unwrap();
    let settings = OutboxSettings { path: Some(path.clone()), ..OutboxSettings::default() };
    let error = Store::open(&settings, creditors(&[]), at(0)).err().unwrap().to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
}

#[test]
fn pages_are_bounded_by_count_and_bytes() {
    let mut store = store(&OutboxSettings::default());
    for seq in 1..=10 {
        let mut m = denm(seq, 0);
        m.uper = Bytes::from(vec![0; 100_000]);
        store.insert(m, at(0)).1.unwrap();
    }
    assert_eq!(store.page(DENM, 0, 2).unwrap().messages.len(), 2);
    let page = store.page(DENM, 4, 100).unwrap();
    assert_eq!(page.messages.iter().map(|e| e.header.number).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!((page.first, page.last), (1, 10));
}

#[test]
fn nothing_that_is_done_often_looks_at_every_row() {
    let store = store(&OutboxSettings::default());
    for sql in
        [FIRST_OWED, SETTLE, DONE, ANY_EXPIRED, MISSING, FORGIVE, REMOVE_EXPIRED, REMOVE_DONE, OLDEST_DONE, FIRST]
    {
        let mut statement = store.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            let scans =
                step.starts_with("SCAN") && !step.contains("CONSTANT ROW") && !step.contains("USING INDEX by_end");
            assert!(!scans, "{step}: {sql}");
        }
    }
}
