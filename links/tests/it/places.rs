//! Readers of places: what holds there at once, what happens there as it happens, nothing else.

use crate::support::*;
use masa_links::{
    Current, LinkName, LinkState, Links, LinksSettings, MessageKind, Outgoing, Phase, Reader, ReaderSettings, Received,
    Selector, ZenohSettings,
};
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84, quadkey};
use masa_v2x_proto::tiles::{MESSAGE_ZOOM, straight_ahead, tiles_along};
use tokio::time::timeout;

const MODENA: Wgs84 = Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 0.0 };

fn at(e_m: f64, n_m: f64) -> Wgs84 {
    SiteFrame::new(MODENA).to_wgs84(Enu::ground(e_m, n_m))
}

/// Tiles of the 500 m east of a place.
fn ahead_of(p: Wgs84) -> Vec<String> {
    tiles_along(&straight_ahead(p, 90.0, 500.0), 30.0, 32)
}

fn about(kind: MessageKind, seq: u64, p: Wgs84) -> Outgoing {
    Outgoing { quadkey: quadkey(p, MESSAGE_ZOOM), ..message(kind, seq) }
}

fn state(kind: MessageKind, seq: u64, p: Wgs84, name: &str, phase: Phase) -> Outgoing {
    let deadline = Some(now().plus_ms(600_000));
    Outgoing { deadline, current: Some(Current { name: name.into(), phase }), ..about(kind, seq, p) }
}

async fn links_on_both() -> (Links, ReaderSettings, ReaderSettings) {
    let endpoint = format!("tcp/127.0.0.1:{}", free_port());
    let settings = LinksSettings {
        zenoh: Some(ZenohSettings { listen: vec![endpoint.clone()], ..ZenohSettings::default() }),
        broker: on_free_port(),
        ..LinksSettings::default()
    };
    let links = Links::start(settings, station()).await.unwrap();
    let over_zenoh = ReaderSettings {
        zenoh: Some(ZenohSettings { connect: vec![endpoint], ..ZenohSettings::default() }),
        ..ReaderSettings::default()
    };
    let mqtt = Some(mqtt_at(links.broker_address().unwrap().port()));
    (links, over_zenoh, ReaderSettings { mqtt, ..ReaderSettings::default() })
}

fn reader_of(settings: &ReaderSettings, tiles: Vec<String>) -> Reader {
    Reader::subscribe(settings, &[Selector { tiles, ..Selector::default() }]).unwrap()
}

async fn next(reader: &mut Reader) -> Received {
    timeout(PATIENCE, reader.recv()).await.unwrap_or_else(|_| panic!("nothing came: {:?}", reader.stats()))
}

/// Receives until all of these have come; over Zenoh, older versions may come before them (see `Reader`).
async fn until_known(reader: &mut Reader, wanted: &[&str]) {
    let mut missing: Vec<String> = wanted.iter().map(|name| format!("uper 4001-{name}")).collect();
    while !missing.is_empty() {
        let received = next(reader).await;
        missing.retain(|name| name.as_bytes() != received.uper);
    }
}

/// Names of the next `count` messages, sorted.
async fn names(reader: &mut Reader, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(String::from_utf8(next(reader).await.uper.to_vec()).unwrap().replace("uper 4001-", ""));
    }
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_latecomer_gets_what_holds_ahead_of_it_at_once_and_more_when_it_moves() {
    let (links, over_zenoh, over_mqtt) = links_on_both().await;
    for link in [LinkName::Zenoh, LinkName::Mqtt] {
        let reached = if link == LinkName::Mqtt { LinkState::Up } else { LinkState::Connecting };
        wait_for(links.status(), link, reached).await;
    }
    use MessageKind::{Denm, Ivim, Mapem};
    let (near, far) = (at(200.0, 0.0), at(900.0, 0.0));
    for message in [
        state(Denm, 1, near, "4001-1", Phase::InForce),
        state(Denm, 2, near, "4001-2", Phase::InForce),
        state(Mapem, 1, near, "380-1", Phase::InForce),
        state(Denm, 3, near, "4001-1", Phase::InForce),
        state(Denm, 4, near, "4001-2", Phase::Ended),
        state(Ivim, 1, far, "it-7", Phase::InForce),
    ] {
        links.publish(message).unwrap();
    }
    for settings in [&over_zenoh, &over_mqtt] {
        let mut reader = reader_of(settings, ahead_of(MODENA));
        match settings.mqtt {
            Some(_) => assert_eq!(names(&mut reader, 2).await, ["denm-3", "mapem-1"]),
            None => until_known(&mut reader, &["denm-3", "mapem-1"]).await,
        }
        reader.follow(&ahead_of(at(600.0, 0.0))).unwrap();
        until_known(&mut reader, &["ivim-1"]).await;
        assert_eq!(reader.stats().malformed, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_elsewhere_does_not_reach_a_reader_of_places() {
    let (links, over_zenoh, over_mqtt) = links_on_both().await;
    let tiles = ahead_of(MODENA);
    let mut readers = [reader_of(&over_zenoh, tiles.clone()), reader_of(&over_mqtt, tiles.clone())];
    for (reader, link) in readers.iter().zip([LinkName::Zenoh, LinkName::Mqtt]) {
        wait_for(reader.status(), link, LinkState::Up).await;
    }
    // A state that holds arrives whenever the subscriptions are made; then everything else does too.
    links.publish(state(MessageKind::Denm, 1, at(10.0, 0.0), "4001-1", Phase::InForce)).unwrap();
    for reader in &mut readers {
        assert_eq!(names(reader, 1).await, ["denm-1"]);
    }
    // What the readers want is a warning, which a busy link does not drop; what they must not get is the CPMs of elsewhere.
    let mut expected = Vec::new();
    let mut elsewhere = 0;
    for seq in 2..402u64 {
        // A city of 20 × 20 places, 250 m apart.
        let place = at((seq % 20) as f64 * 250.0 - 2_500.0, (seq / 20) as f64 * 250.0 - 2_500.0);
        let mut message = about(MessageKind::Cpm, seq, place);
        if tiles.iter().any(|tile| message.quadkey.starts_with(tile.as_str())) {
            message = about(MessageKind::Denm, seq, place);
            expected.push(format!("denm-{seq}"));
        } else {
            elsewhere += 1;
        }
        links.publish(message).unwrap();
        // Best effort: faster than a link takes them, some would go.
        while links.stats().iter().filter(|s| s.kind == MessageKind::Cpm && s.sent == elsewhere).count() < 2 {
            tokio::task::yield_now().await;
        }
    }
    links.publish(about(MessageKind::Denm, 402, at(20.0, 0.0))).unwrap();
    expected.push("denm-402".into());
    expected.sort();
    assert!((2..8).contains(&expected.len()), "{expected:?}");
    for reader in &mut readers {
        assert_eq!(names(reader, expected.len()).await, expected);
        assert_eq!(reader.stats().unwanted, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_is_of_places_or_of_streams() {
    let (_links, over_zenoh, _) = links_on_both().await;
    let of_places = Selector { tiles: vec!["0123".into()], ..Selector::default() };
    let refused = |settings: &ReaderSettings, selectors: &[Selector]| Reader::subscribe(settings, selectors).is_err();
    assert!(refused(&over_zenoh, &[of_places.clone(), Selector::default()]));
    assert!(refused(&over_zenoh, &[Selector { tiles: vec!["0124".into()], ..Selector::default() }]));
    let named = ReaderSettings { acknowledge_as: Some("data-room".into()), ..over_zenoh.clone() };
    assert!(refused(&named, &[of_places]));
    let of_streams = Reader::subscribe(&over_zenoh, &[]).unwrap();
    assert!(of_streams.follow(&["0123".into()]).is_err());
}
