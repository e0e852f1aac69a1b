//! GeoNetworking between stations in this process, over UDP on the loopback interface.

use crate::support::{PATIENCE, free_port, message, now, wait_for};
use bytes::Bytes;
use masa_links::geonet::capture::{CaptureReader, Content};
use masa_links::geonet::{CongestionControl, Medium, RawSettings, UdpSettings};
use masa_links::{
    DropReason, GeonetNotice, GeonetParts, GeonetSettings, IdentityRule, LinkError, LinkName, LinkState, Links,
    LinksSettings, MessageKind, Outgoing, ReceivedPacket, Station,
};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{
    Body, Btp, Dissemination, ExtendedHeader, Frame, GeoArea, MacAddress, PlainPacket, Position, RouterSettings, Scope,
    Shape, kind_of,
};
use masa_v2x_proto::security::{
    ChangePolicy, Curve, Duration as CertificateDuration, DurationUnit, Envelope, Identity, SecurityEntity,
    SecuritySettings, Signer, SigningKey, StationCredentials, Ticket, Time32, Validity, Verdict, pki,
};
use masa_v2x_proto::time::Timestamp;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
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
        assert_eq!(kind_of(packet.btp.destination()), MessageKind::from_name(sent.kind.name()));
        assert_eq!((&packet.bytes, packet.verdict, packet.header.name()), (&sent.uper, Verdict::Unsigned, name));
        let source = packet.header.source();
        assert_eq!(source.address.to_string(), "15.02:00:00:00:0f:a1", "station 4001");
        assert!((source.position().lat_deg - place(1).lat_deg).abs() < 1e-7);
    }
    let stats = a.links.stats();
    let sent: Vec<_> =
        stats.iter().filter(|row| row.link == LinkName::Geonet).map(|row| (row.kind, row.sent)).collect();
    assert_eq!(sent, [(MessageKind::Cam.into(), 1), (MessageKind::Denm.into(), 1)]);
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

/// TS 102 687 V1.2.1 clause 5.4: the share of the channel that a station may use rises while the channel is idle, and falls
/// to δ_min when others fill it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_makes_the_allowed_rate_fall() {
    const DELTA_MIN: f64 = 0.000_6;
    let flooder = UdpSocket::bind(local(0)).unwrap();
    let listen = local(free_port());
    let tunnel = UdpSettings { listen, peers: vec![flooder.local_addr().unwrap()], ..UdpSettings::default() };
    let mut a = node(1, tunnel, |settings| settings.congestion_control = Some(CongestionControl::Adaptive)).await;
    let mut notices = a.links.take_geonet_notices().unwrap();
    let mut next = async || match timeout(PATIENCE, notices.recv()).await.expect("a report every 100 ms").unwrap() {
        GeonetNotice::Channel(report) => report,
        other => panic!("{other:?}"),
    };
    let mut idle = next().await;
    assert_eq!(idle.share, Some(DELTA_MIN), "a newcomer");
    while idle.share < Some(3.0 * DELTA_MIN) {
        idle = next().await;
        assert!(idle.busy_ratio < 0.1, "{idle:?}");
    }
    // 1,400 octets take 1.9 ms at 6 Mbit/s: 80 of them fill the 100 ms to the next report.
    let mut busiest: f64 = 0.0;
    let mut report = idle;
    while report.share > Some(DELTA_MIN) {
        (0..80).for_each(|_| _ = flooder.send_to(&[0; 1_400], listen));
        report = next().await;
        busiest = busiest.max(report.busy_ratio);
    }
    assert!(busiest > 0.68, "above the target of clause 5.4: {busiest}");
    assert!(report.at > idle.at);
}

/// A station with two tickets that changes its pseudonym after a metre or two.
fn parts() -> GeonetParts {
    let key = |number| SigningKey::from_scalar(Curve::NistP256, &[number; 32]).unwrap();
    let start = Time32::of(Timestamp::from_unix_ns(now().unix_ns() - 60_000_000_000));
    let validity = Validity { start, duration: CertificateDuration { count: 24, unit: DurationUnit::Hours } };
    let root = pki::root("root", validity, None, &key(1));
    let authority = pki::authority("authority", validity, None, key(2).public_key(), (&root, &key(1)));
    let ticket = |number| {
        let permissions = pki::all_permissions();
        let ticket = pki::ticket(permissions, validity, None, key(number).public_key(), (&authority, &key(2)));
        Ticket::new(ticket, key(number)).unwrap()
    };
    let credentials = StationCredentials {
        tickets: vec![ticket(3), ticket(4)],
        roots: vec![root],
        authorities: vec![authority.clone()],
        ..StationCredentials::default()
    };
    let pseudonyms = ChangePolicy::DistanceThenTime { distance_m: 1.0..2.0, time_s: 0.0..0.001 };
    let settings = SecuritySettings { pseudonyms, ..SecuritySettings::default() };
    let entity = SecurityEntity::new(settings, credentials, 1).unwrap();
    GeonetParts { security: Some(Box::new(entity)), identity: IdentityRule::FollowCertificate, gate: None }
}

/// A CAM that says it is of `station`.
fn cam(station: u32) -> Bytes {
    let digits = include_str!("../../../v2x-proto/tests/samples/cam.hex").trim();
    let mut cam: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    cam[2..6].copy_from_slice(&station.to_be_bytes());
    Bytes::from(cam)
}

/// Header, content and signature of a frame bear the same pseudonym; its station id.
fn identity_of(frame: &[u8]) -> Identity {
    let frame = Frame::decode(frame).unwrap();
    let Body::Secured(envelope) = frame.packet.body else { panic!("a secured packet") };
    let Envelope::Signed(signed) = Envelope::decode(envelope).unwrap() else { panic!("a signed packet") };
    let signer = match &signed.signer {
        Signer::Digest(id) => *id,
        Signer::Certificate(certificate) => certificate.hashed_id8(),
    };
    let plain = PlainPacket::decode(signed.to_be_signed.payload.data.unwrap()).unwrap();
    let (_, message) = Btp::split(plain.common.upper, plain.payload).unwrap().unwrap();
    let identity = Identity::of(signer.0);
    assert_eq!(frame.ethernet.source, MacAddress(identity.mac));
    assert_eq!(plain.extended.source().address.mac(), MacAddress(identity.mac));
    assert_eq!(message[2..6], identity.station_id.to_be_bytes());
    identity
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_is_of_one_pseudonym() {
    let peer = UdpSocket::bind(local(0)).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let udp = UdpSettings { peers: vec![peer.local_addr().unwrap()], ..UdpSettings::default() };
    let router = RouterSettings { beacon_interval_ms: 0, ..RouterSettings::default() };
    let geonet =
        GeonetSettings { medium: Medium::Udp(udp), position: Some(place(1)), router, ..GeonetSettings::default() };
    let settings = LinksSettings { geonet: Some(geonet), ..LinksSettings::default() };
    let mut links = Links::start_with(settings, Station::new("test", 4_001).unwrap(), parts()).await.unwrap();
    let mut notices = links.take_geonet_notices().unwrap();
    let mut next = async || loop {
        match timeout(PATIENCE, notices.recv()).await.expect("an identity").unwrap() {
            GeonetNotice::Identity(identity) => return identity,
            GeonetNotice::Channel(_) => {}
        }
    };
    let send = |seq: u64, station: u32| {
        let uper = cam(station);
        links.publish(Outgoing { uper, ..message(MessageKind::Cam, seq) }).unwrap();
    };
    let heard = || {
        let mut frame = [0; 2_000];
        let length = peer.recv(&mut frame).unwrap();
        identity_of(&frame[..length])
    };
    let first = next().await;
    // Under the configured station id, which the station has given up, nothing leaves.
    send(1, 4_001);
    send(2, first.station_id);
    assert_eq!(heard(), first);
    let mut moved = place(1);
    moved.lat_deg += 0.001;
    links.set_geonet_position(Position::surveyed(moved, now()));
    let second = next().await;
    assert_ne!((first.station_id, first.mac), (second.station_id, second.mac));
    send(3, first.station_id);
    send(4, second.station_id);
    assert_eq!(heard(), second);
    let stats = links.stats();
    let cams = stats.iter().find(|row| row.link == LinkName::Geonet && row.kind == MessageKind::Cam).unwrap();
    assert_eq!((cams.sent, cams.dropped.get(&DropReason::FormerIdentity)), (2, Some(&2)));
}
