//! MQTT: what happens while the broker is away, who may acknowledge, and brokers that deny and say nothing.

use crate::support::*;
use masa_links::{DropReason, LinkName, LinkState, Links, LinksSettings, MessageKind, MqttSettings, OutboxSettings};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_the_oldest_awareness_goes_and_is_counted() {
    let settings = LinksSettings { mqtt: Some(mqtt_at(free_port())), ..LinksSettings::default() };
    let kept = settings.queues.status as u64;
    let links = Links::start(settings, station()).await.unwrap();
    for seq in 1..=100 {
        links.publish(message(MessageKind::Cam, seq)).unwrap();
    }
    let stats = links.stats();
    let cam = stats.iter().find(|s| s.link == LinkName::Mqtt && s.kind == MessageKind::Cam).unwrap();
    assert_eq!(cam.dropped.get(&DropReason::NotConnected), Some(&(100 - kept)));
    assert_eq!(cam.sent, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_named_reader_settles_a_message() {
    let (broker, port) = with_embedded_broker().await;
    let mqtt = MqttSettings { readers: vec!["data-room".into()], client_id: Some("publisher".into()), ..mqtt_at(port) };
    let links = Links::start(LinksSettings { mqtt: Some(mqtt), ..LinksSettings::default() }, station()).await.unwrap();
    links.publish(message(MessageKind::Denm, 1)).unwrap();
    let mut bystander = mqtt_reader(port, Some("somebody"));
    assert_eq!(seqs(&receive(&mut bystander, MessageKind::Denm, 1).await), [1]);
    let mut reader = mqtt_reader(port, Some("data-room"));
    assert_eq!(seqs(&receive(&mut reader, MessageKind::Denm, 1).await), [1]);
    let acked = |links: &Links| links.stats().iter().map(|s| s.acked).sum::<u64>();
    // Taken, but the application is not done with it.
    assert_eq!(acked(&links), 0);
    let done = async {
        tokio::select! {
            _ = reader.recv() => panic!("nothing else was published"),
            () = async { while acked(&links) == 0 { tokio::time::sleep(Duration::from_millis(20)).await } } => {}
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("the acknowledgement arrives");
    assert_eq!(links.shutdown(Duration::from_secs(5)).await.owed, 0);
    drop(broker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_denies_silently_is_reported() {
    let port = free_port();
    let acl = "acl_file {dir}/acl";
    let dir_with_acl = |dir: &tempfile::TempDir| std::fs::write(dir.path().join("acl"), "topic read masa/#\n").unwrap();
    // The file must exist before the broker reads it: start, write, and start again.
    let Some((first, dir)) = mosquitto("a_broker_that_denies_silently_is_reported", port, "") else { return };
    drop(first);
    dir_with_acl(&dir);
    let acl = acl.replace("{dir}", &dir.path().display().to_string());
    let Some(_broker) = mosquitto("a_broker_that_denies_silently_is_reported", port, &acl) else { return };
    let settings = LinksSettings {
        mqtt: Some(mqtt_at(port)),
        outbox: OutboxSettings { announce_ms: 50, ..OutboxSettings::default() },
        ..LinksSettings::default()
    };
    let links = Links::start(settings, station()).await.unwrap();
    wait_for(links.status(), LinkName::Mqtt, LinkState::Up).await;
    let words = wait_for(links.status(), LinkName::Mqtt, LinkState::Failed).await;
    assert!(words.contains("probably denied"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_reader_is_reported_until_it_acknowledges() {
    let (_broker, port) = with_embedded_broker().await;
    let mqtt = MqttSettings { readers: vec!["data-room".into()], client_id: Some("publisher".into()), ..mqtt_at(port) };
    let settings = LinksSettings {
        mqtt: Some(mqtt),
        outbox: OutboxSettings { announce_ms: 50, overdue_s: 1, ..OutboxSettings::default() },
        ..LinksSettings::default()
    };
    let links = Links::start(settings, station()).await.unwrap();
    wait_for(links.status(), LinkName::Mqtt, LinkState::Up).await;
    links.publish(message(MessageKind::Denm, 1)).unwrap();
    let words = wait_for(links.status(), LinkName::Mqtt, LinkState::Failed).await;
    assert!(words.contains("data-room did not acknowledge 4001-denm-1"), "{words}");
    let mut reader = mqtt_reader(port, Some("data-room"));
    receive(&mut reader, MessageKind::Denm, 1).await;
    tokio::select! {
        _ = reader.recv() => panic!("nothing else was published"),
        _ = wait_for(links.status(), LinkName::Mqtt, LinkState::Up) => {}
    }
}
