//! GeoNetworking between stations in this process, over UDP on the loopback interface.

use crate::support::{PATIENCE, free_port, message, wait_for};
use masa_links::geonet::capture::{CaptureReader, Content};
use masa_links::geonet::{Medium, RawSettings, UdpSettings};
use masa_links::{
    DropReason, GeonetSettings, LinkError, LinkName, LinkState, Links, LinksSettings, MessageKind, ReceivedPacket,
    Station,
};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{
    Dissemination, ExtendedHeader, Frame, GeoArea, Position, RouterSettings, Scope, Shape, kind_of,
};
use masa_v2x_proto::security::Verdict;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Places 110 m apart.
fn place(number: u32) -> Wgs84 {
    Wgs84 { lat_deg: 44.65 + 0.001 * f64::from(number), lon_deg: 10.93, alt_m: 40.0 }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

struct Node {
    links: Links,
    received: mpsc::Receiver<ReceivedPacket>,
}

async fn node(number: u32, udp: UdpSettings, change: impl FnOnce(&mut GeonetSettings)) -> Node {
    // No beacons, so that what is on the link is what the test sends.
    let router = RouterSettings { beacon_interval_ms: 0, ..RouterSettings::default() };
    let mut settings =
        GeonetSettings { medium: Medium::Udp(udp), position: Some(place(number)), router, ..GeonetSettings::default() };
    change(&mut settings);
    let station = Station::new("test", 4_000 + number).unwrap();
    let settings = LinksSettings { geonet: Some(settings), ..LinksSettings::default() };
    let mut links = Links::start(settings, station).await.unwrap();
    let received = links.take_geonet_received().unwrap();
    assert!(links.take_geonet_received().is_none());
    Node { links, received }
}

impl Node {
    async fn next(&mut self) -> ReceivedPacket {
        timeout(PATIENCE, self.received.recv()).await.expect("nothing arrived").expect("a running link")
    }
}

fn pair() -> (UdpSettings, UdpSettings) {
    let (a, b) = (local(free_port()), local(free_port()));
    let tunnel = |listen, peer| UdpSettings { listen, peers: vec![peer], ..UdpSettings::default() };
    (tunnel(a, b), tunnel(b, a))
}

fn around(number: u32, radius_m: f64) -> Dissemination {
    let area = GeoArea { shape: Shape::Circle, centre: place(number), a_m: radius_m, b_m: 0.0, azimuth_deg: 0.0 };
    Dissemination { scope: Scope::Broadcast(area), traffic_class: 1, lifetime_s: 10.0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_from_station_to_station_and_into_the_capture() {
    let dir = tempfile::tempdir().unwrap();
    let capture: PathBuf = dir.path().join("sent.pcap");
    let (at_a, at_b) = pair();
    let mut b = node(2, at_b, |_| {}).await;
    let a = node(1, at_a, |settings| settings.capture = Some(capture.clone())).await;
    let mut denm = message(MessageKind::Denm, 1);
    denm.dissemination = around(2, 300.0);
    let cam = message(MessageKind::Cam, 1);
    for message in [&denm, &cam] {
        a.links.publish(message.clone()).unwrap();
    }
    let mut got = [b.next().await, b.next().await];
    got.sort_by_key(|packet| packet.btp.destination());
    for (packet, sent, name) in [(&got[0], &cam, "SHB"), (&got[1], &denm, "GBC")] {
        assert_eq!(kind_of(packet.btp.destination()), Some(sent.kind));
        assert_eq!((&packet.bytes, packet.verdict, packet.header.name()), (&sent.uper, Verdict::Unsigned, name));
        let source = packet.header.source();
        assert_eq!(source.address.to_string(), "15.02:00:00:00:0f:a1", "station 4001");
        assert!((source.position().lat_deg - place(1).lat_deg).abs() < 1e-7);
    }
    let stats = a.links.stats();
    let sent: Vec<_> =
        stats.iter().filter(|row| row.link == LinkName::Geonet).map(|row| (row.kind, row.sent)).collect();
    assert_eq!(sent, [(MessageKind::Cam, 1), (MessageKind::Denm, 1)]);
    assert_eq!(a.links.shutdown(PATIENCE).await.unfinished, 0);
    b.links.shutdown(PATIENCE).await;
    let frames: Vec<_> = CaptureReader::open(&capture).unwrap().map(Result::unwrap).collect();
    // The two that were sent, and what station 2 forwarded of the second before the link ended, if it was heard.
    assert!(frames.len() >= 2);
    for frame in frames {
        let Content::Geonet { ethernet, ahead: 0 } = frame.content else { panic!("{frame:?}") };
        Frame::decode(&ethernet).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_stays_in_its_area() {
    let (at_a, at_b) = pair();
    let mut b = node(2, at_b, |_| {}).await;
    let a = node(1, at_a, |_| {}).await;
    let mut far = message(MessageKind::Denm, 1);
    far.dissemination = around(100, 300.0);
    let mut near = message(MessageKind::Denm, 2);
    near.dissemination = around(2, 300.0);
    a.links.publish(far).unwrap();
    a.links.publish(near.clone()).unwrap();
    let got = b.next().await;
    assert_eq!(got.bytes, near.uper, "only the second is for station 2");
    assert!(matches!(got.header, ExtendedHeader::GeoBroadcast { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_without_position_waits_for_it() {
    let (at_a, at_b) = pair();
    let mut b = node(2, at_b, |_| {}).await;
    let a = node(1, at_a, |settings| settings.position = None).await;
    let words = wait_for(a.links.status(), LinkName::Geonet, LinkState::Up).await;
    assert!(words.contains("position"), "{words}");
    a.links.publish(message(MessageKind::Cam, 1)).unwrap();
    let refused = || {
        let stats = a.links.stats();
        let row = stats.iter().find(|row| row.link == LinkName::Geonet);
        row.and_then(|row| row.dropped.get(&DropReason::Refused).copied()).unwrap_or(0)
    };
    let waiting = async {
        while refused() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("the message was refused");
    a.links.set_geonet_position(Position::surveyed(place(1), crate::support::now()));
    let mut status = a.links.status();
    let ready = |all: &Vec<masa_links::LinkStatus>| {
        all.iter().any(|s| s.link == LinkName::Geonet && !s.words.contains("position"))
    };
    timeout(PATIENCE, status.wait_for(ready)).await.expect("the position was taken").unwrap();
    let second = message(MessageKind::Cam, 2);
    a.links.publish(second.clone()).unwrap();
    assert_eq!(b.next().await.bytes, second.uper);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multicast_group_is_a_radio_channel() {
    let port = free_port();
    let group = UdpSettings {
        listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        peers: vec![SocketAddr::from((Ipv4Addr::new(239, 23, 1, 7), port))],
        multicast_interface: Ipv4Addr::LOCALHOST,
    };
    let mut nodes = Vec::new();
    for number in 1..=3 {
        nodes.push(node(number, group.clone(), |_| {}).await);
    }
    let cam = message(MessageKind::Cam, 1);
    nodes[0].links.publish(cam.clone()).unwrap();
    for receiver in &mut nodes[1..] {
        assert_eq!(receiver.next().await.bytes, cam.uper);
    }
    // The sender hears its own frame and takes it for what it is.
    let report = nodes.remove(0).links.shutdown(Duration::from_secs(10)).await;
    assert_eq!(report.unfinished, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interface_that_cannot_be_opened_is_named() {
    let raw = |interface: &str| {
        let medium = Medium::Raw(RawSettings { interface: interface.into() });
        LinksSettings {
            geonet: Some(GeonetSettings { medium, ..GeonetSettings::default() }),
            ..LinksSettings::default()
        }
    };
    let station = || Station::new("test", 1).unwrap();
    let error = Links::start(raw("nosuch0"), station()).await.unwrap_err();
    assert!(matches!(error, LinkError::Medium { .. }));
    assert_eq!(error.to_string(), "GeoNetworking over nosuch0: no such network interface");
    // The loopback interface opens for those who may and says what is missing to others.
    match Links::start(raw("lo"), station()).await {
        Ok(links) => assert_eq!(links.shutdown(PATIENCE).await.unfinished, 0),
        Err(error) => assert!(error.to_string().contains("CAP_NET_RAW"), "{error}"),
    }
}
