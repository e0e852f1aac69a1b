//! Brokers, routers and nodes that are killed: every DENM arrives exactly once and in order, losses of the others are
//! counted.

use crate::children::{client_of, node, zenoh_router};
use crate::support::*;
use masa_links::{LinkName, LinkState, Links, LinksSettings, MessageKind, OutboxSettings, Reader, ReaderSettings};
use std::time::Duration;

/// Messages of each kind in an outage test, one every [`EVERY`].
const COUNT: u64 = 240;
const EVERY: Duration = Duration::from_millis(84);
/// The outage lasts from the first to the second of these messages.
const KILL_AT: u64 = 60;
const RESTART_AT: u64 = 180;

fn settings() -> LinksSettings {
    LinksSettings {
        outbox: OutboxSettings { announce_ms: 100, ..OutboxSettings::default() },
        ..LinksSettings::default()
    }
}

/// Publishes at a steady pace while `at` kills and restarts things.
async fn publish_through(links: &Links, mut at: impl FnMut(u64)) {
    let mut pace = tokio::time::interval(EVERY);
    for seq in 1..=COUNT {
        pace.tick().await;
        at(seq);
        links.publish(message(MessageKind::Denm, seq)).unwrap();
        links.publish(message(MessageKind::Cam, seq)).unwrap();
    }
}

async fn expect_every_denm(mut reader: Reader) -> Reader {
    let denms = receive(&mut reader, MessageKind::Denm, COUNT as usize).await;
    assert_eq!(seqs(&denms), (1..=COUNT).collect::<Vec<_>>());
    assert_eq!(reader.stats().lost_at_least_once, 0);
    reader
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_no_warning() {
    let test = "a_killed_broker_loses_no_warning";
    let port = free_port();
    let Some(broker) = mosquitto(test, port, "") else { return };
    let mut broker = Some(broker);
    let links = Links::start(LinksSettings { mqtt: Some(mqtt_at(port)), ..settings() }, station()).await.unwrap();
    let reader = mqtt_reader(port, Some("data-room"));
    wait_for(links.status(), LinkName::Mqtt, LinkState::Up).await;
    wait_for(reader.status(), LinkName::Mqtt, LinkState::Up).await;
    let received = tokio::spawn(expect_every_denm(reader));
    publish_through(&links, |seq| match seq {
        KILL_AT => broker = None,
        RESTART_AT => broker = mosquitto(test, port, ""),
        _ => {}
    })
    .await;
    received.await.unwrap();
    let stats = links.stats();
    let cam = stats.iter().find(|s| s.link == LinkName::Mqtt && s.kind == MessageKind::Cam).unwrap();
    let dropped: u64 = cam.dropped.values().sum();
    assert!(dropped > 0, "some awareness went during the outage: {cam:?}");
    assert!(cam.sent + dropped <= COUNT, "each was sent or counted: {cam:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_router_loses_no_warning() {
    let endpoint = format!("tcp/127.0.0.1:{}", free_port());
    let mut router = Some(zenoh_router(&endpoint));
    let zenoh = Some(client_of(&endpoint));
    let links = Links::start(LinksSettings { zenoh: zenoh.clone(), ..settings() }, station()).await.unwrap();
    let reading = ReaderSettings {
        zenoh,
        acknowledge_as: Some("data-room".into()),
        hold_ms: 60_000,
        ..ReaderSettings::default()
    };
    let reader = Reader::subscribe(&reading, &[]).unwrap();
    wait_for(links.status(), LinkName::Zenoh, LinkState::Up).await;
    wait_for(reader.status(), LinkName::Zenoh, LinkState::Up).await;
    let received = tokio::spawn(expect_every_denm(reader));
    publish_through(&links, |seq| match seq {
        KILL_AT => router = None,
        RESTART_AT => router = Some(zenoh_router(&endpoint)),
        _ => {}
    })
    .await;
    let mut reader = received.await.unwrap();
    // A gap shows when something comes after it.
    let cam_after_the_outage = async {
        loop {
            links.publish(message(MessageKind::Cam, COUNT + 1)).unwrap();
            let next = tokio::time::timeout(EVERY, reader.recv()).await;
            if next.is_ok_and(|r| r.kind == MessageKind::Cam && r.header.is_some_and(|h| h.seq > COUNT)) {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, cam_after_the_outage).await.expect("awareness flows again");
    let stats = reader.stats();
    assert!(stats.lost_best_effort > 0, "awareness sent during the outage is missed and counted: {stats:?}");
    // The reader acknowledged them all: asking for more is what says so.
    let settled = async {
        let acked = || links.stats().iter().map(|s| s.acked).sum::<u64>();
        while acked() < COUNT {
            tokio::select! {
                _ = reader.recv() => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("every warning is acknowledged");
    drop(router);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_sends_what_it_stored_when_it_comes_back() {
    const STORED: u64 = 25;
    let dir = tempfile::tempdir().unwrap();
    let outbox = dir.path().join("outbox.sqlite");
    let nobody = free_port();
    let killed = node(&outbox, nobody, STORED);
    let stored = async {
        let count = || -> Option<u64> {
            let db = rusqlite::Connection::open(&outbox).ok()?;
            db.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0)).ok()?.try_into().ok()
        };
        while !outbox.exists() || count() != Some(STORED) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, stored).await.expect("the node stores its messages");
    drop(killed);

    let settings = LinksSettings {
        broker: on_free_port(),
        outbox: OutboxSettings { path: Some(outbox), ..OutboxSettings::default() },
        ..LinksSettings::default()
    };
    let links = Links::start(settings, station()).await.unwrap();
    let mut reader = mqtt_reader(links.broker_address().unwrap().port(), Some("data-room"));
    // The node itself counts from 1 again.
    links.publish(message(MessageKind::Denm, 1)).unwrap();
    let denms = receive(&mut reader, MessageKind::Denm, STORED as usize + 1).await;
    assert_eq!(seqs(&denms), (1..=STORED).chain([1]).collect::<Vec<_>>());
    let numbers: Vec<_> = denms.iter().map(|d| d.header.as_ref().unwrap().number).collect();
    assert_eq!(numbers, (1..=STORED + 1).collect::<Vec<_>>());
}
