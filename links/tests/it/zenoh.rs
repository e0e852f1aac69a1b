//! Zenoh between two processes' worth of sessions, without a router.

use crate::children::client_of;
use crate::support::*;
use masa_links::{
    LinkName, LinkState, Links, LinksSettings, MessageKind, Reader, ReaderSettings, Selector, ZenohSettings,
};

async fn peers(selectors: &[Selector]) -> (Links, Reader) {
    let endpoint = format!("tcp/127.0.0.1:{}", free_port());
    let zenoh = ZenohSettings { listen: vec![endpoint.clone()], ..ZenohSettings::default() };
    let links =
        Links::start(LinksSettings { zenoh: Some(zenoh), ..LinksSettings::default() }, station()).await.unwrap();
    let settings = ReaderSettings {
        zenoh: Some(ZenohSettings { connect: vec![endpoint], ..ZenohSettings::default() }),
        acknowledge_as: selectors.is_empty().then(|| "data-room".into()),
        hold_ms: 60_000,
        ..ReaderSettings::default()
    };
    (links, Reader::subscribe(&settings, selectors).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_from_before_the_reader_came_arrive_too() {
    let (links, mut reader) = peers(&[]).await;
    for seq in 1..=5 {
        links.publish(message(MessageKind::Denm, seq)).unwrap();
    }
    let denms = receive(&mut reader, MessageKind::Denm, 5).await;
    assert_eq!(seqs(&denms), [1, 2, 3, 4, 5]);
    assert_eq!(denms[0].uper, "uper 4001-denm-1");
    links.publish(message(MessageKind::Cpm, 9)).unwrap();
    assert_eq!(seqs(&receive(&mut reader, MessageKind::Cpm, 1).await), [9]);
    let stats = reader.stats();
    assert_eq!((stats.lost_at_least_once, stats.lost_best_effort, stats.malformed), (0, 0, 0), "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selector_leaves_out_other_places() {
    let near = Selector { tiles: vec!["1202".into()], ..Selector::default() };
    let (links, mut reader) = peers(&[near]).await;
    let mut far = message(MessageKind::Denm, 1);
    far.quadkey = "300000000".into();
    links.publish(far).unwrap();
    links.publish(message(MessageKind::Denm, 2)).unwrap();
    assert_eq!(seqs(&receive(&mut reader, MessageKind::Denm, 1).await), [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_router_is_a_state_not_an_error() {
    let zenoh = client_of(&format!("tcp/127.0.0.1:{}", free_port()));
    let links =
        Links::start(LinksSettings { zenoh: Some(zenoh), ..LinksSettings::default() }, station()).await.unwrap();
    let words = wait_for(links.status(), LinkName::Zenoh, LinkState::Connecting).await;
    assert!(words.contains("nobody connected"), "{words}");
    links.publish(message(MessageKind::Denm, 1)).unwrap();
    let report = links.shutdown(std::time::Duration::from_secs(5)).await;
    assert_eq!(report.owed, 1, "kept for a reader that never came");
}
