//! Nodes' messages through a broker into a whole data room: acknowledged when stored, kept by the nodes while it is full.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use masa_data_room::api::ApiSettings;
use masa_data_room::settings::StoreSettings;
use masa_data_room::store::embedded::EmbeddedSettings;
use masa_data_room::store::{Filter, Personal, Policies, Query};
use masa_data_room::{DataRoom, DataRoomSettings, Kind, Record, Sensitivity, Source};
use masa_links::{BrokerSettings, Links, LinksSettings, MessageKind, MqttSettings, Outgoing, Station, clock};
use masa_v2x_proto::geonet::Dissemination;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// Longest time anything here may take; reaching it is a failure, not a pace.
const PATIENCE: Duration = Duration::from_secs(120);

async fn room(folder: &Path, max_bytes: Option<u64>) -> DataRoom {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let settings = DataRoomSettings {
        listen: anywhere,
        broker: Some(BrokerSettings { listen: anywhere, ..BrokerSettings::default() }),
        store: StoreSettings {
            embedded: EmbeddedSettings { folder: folder.join("room"), max_bytes, ..EmbeddedSettings::default() },
            ..StoreSettings::default()
        },
        api: ApiSettings { folder: folder.join("api"), ..ApiSettings::default() },
        ..DataRoomSettings::default()
    };
    DataRoom::start(&settings).await.unwrap()
}

/// A node that waits for the data room's word.
async fn node(room: &DataRoom, station: u32) -> Links {
    let port = room.broker_address().unwrap().port();
    let mqtt = MqttSettings { port, readers: vec!["data-room".into()], ..MqttSettings::default() };
    let settings = LinksSettings { mqtt: Some(mqtt), ..LinksSettings::default() };
    Links::start(settings, Station::new("modena", station).unwrap()).await.unwrap()
}

fn message(station: u32, kind: impl Into<masa_links::Kind>, seq: u64, uper: Vec<u8>) -> Outgoing {
    let kind = kind.into();
    Outgoing {
        id: format!("{station}-{}-{seq}", kind.name()),
        kind,
        seq,
        generated_at: clock::now(),
        quadkey: "120222110230".into(),
        deadline: None,
        current: None,
        dissemination: Dissemination::default(),
        uper: Bytes::from(uper),
        json: Bytes::from_static(b"{}"),
    }
}

fn acknowledged(links: &Links) -> u64 {
    links.stats().iter().map(|kind| kind.acked).sum()
}

/// Waits for something that will be.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

async fn stored(room: &DataRoom, station: u32) -> Vec<Record> {
    let source = Some(Source { site: "modena".into(), station });
    let filter = Filter { source, personal: Personal::Include, ..Filter::default() };
    room.room().store.query(Query::new(filter, 1_000)).await.unwrap().records
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nodes_say_is_stored_and_then_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path(), None).await;
    let mut feed = room.room().feed.subscribe();
    let (one, two) = (node(&room, 1).await, node(&room, 2).await);
    for seq in 1..=20 {
        one.publish(message(1, MessageKind::Denm, seq, vec![1; 50])).unwrap();
        two.publish(message(2, MessageKind::Denm, seq, vec![2; 50])).unwrap();
    }
    until("acknowledged", async || acknowledged(&one) == 20 && acknowledged(&two) == 20).await;
    for station in [1, 2] {
        let records = stored(&room, station).await;
        let expected: Vec<_> = (1..=20).map(|seq| format!("{station}-denm-{seq}")).collect();
        assert_eq!(records.iter().map(|record| record.message_id.clone()).collect::<Vec<_>>(), expected);
    }
    let first = feed.recv().await.unwrap();
    assert_eq!((first.arrival, feed.len()), (1, 39));
    // The subscription stands: what comes at most once comes.
    two.publish(message(2, MessageKind::Cam, 1, vec![3; 50])).unwrap();
    until("a CAM", async || stored(&room, 2).await.len() == 21).await;
    let report = room.room().ledger.report();
    assert_eq!((report.stored, report.sources.len()), (41, 2), "{report:?}");
    assert_eq!(one.shutdown(Duration::from_secs(5)).await.owed, 0);
    two.shutdown(Duration::from_secs(5)).await;
    room.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readings_of_sensors_and_the_health_of_nodes_are_stored_and_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path(), None).await;
    let links = node(&room, 3).await;
    let reading = r#"{"sensor":"mast","quantity":"no2","value":41.5}"#;
    links.publish(message(3, masa_links::Kind::Observation, 1, reading.into())).unwrap();
    links.publish(message(3, masa_links::Kind::Health, 1, r#"{"problems":[]}"#.into())).unwrap();
    until("acknowledged", async || acknowledged(&links) == 2).await;
    let records = stored(&room, 3).await;
    let kept = |kind| records.iter().find(|record| record.kind == kind).unwrap();
    let observation = kept(Kind::Observation);
    assert_eq!((observation.entity.as_str(), observation.sensitivity), ("mast-no2", Sensitivity::Open));
    assert_eq!(kept(Kind::Health).body().unwrap()["problems"], serde_json::json!([]));
    assert_eq!(room.room().ledger.report().undecodable, 0);
    links.shutdown(Duration::from_secs(5)).await;
    room.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_acknowledges_nothing_and_gets_all_of_it_later() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path(), Some(1_000_000)).await;
    let links = node(&room, 1).await;
    for seq in 1..=100 {
        links.publish(message(1, MessageKind::Denm, seq, vec![seq as u8; 20_000])).unwrap();
    }
    until("full", async || room.room().ledger.totals().trouble.is_some()).await;
    let (here, said) = (stored(&room, 1).await.len() as u64, acknowledged(&links));
    assert!(said <= here && here < 100, "{said} acknowledged, {here} stored");
    let trouble = room.room().ledger.totals().trouble.unwrap();
    assert!(trouble.contains("no room"), "{trouble}");
    // Later what is here goes into files; there is room again, and again.
    let later = clock::now().plus_ms(10 * 3_600_000);
    until("all acknowledged", async || {
        room.room().store.sweep(&Policies::default(), later).await.unwrap();
        acknowledged(&links) == 100
    })
    .await;
    let numbers: Vec<u64> = stored(&room, 1).await.iter().map(|record| record.sequence).collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>(), "each once, in order");
    assert_eq!(links.shutdown(Duration::from_secs(5)).await.owed, 0);
    room.shutdown(Duration::from_secs(5)).await;
}
