//! A vehicle: a receiver of NMEA 0183 behind TCP, the on-board profile, GeoNetworking with changing pseudonyms, the
//! recording, and a replay of it.

#![allow(clippy::unwrap_used)]

use masa_edge_node::config::Configuration;
use masa_edge_node::event::EventBody;
use masa_edge_node::keystore::{AUTHORITIES, ROOTS, create_closed_directory, write_certificate, write_key};
use masa_edge_node::recorder::{Entry, Recording};
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::LiveNode;
use masa_edge_node::run::replay::replay;
use masa_v2x_proto::Message;
use masa_v2x_proto::geonet::{Body, Btp, Frame, PlainPacket};
use masa_v2x_proto::security::{
    Curve, Duration as CertificateDuration, DurationUnit, Envelope, Identity, Signer, SigningKey, Time32, Validity, pki,
};
use masa_v2x_proto::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Longest time anything here may take; reaching it is a failure, not a pace.
const PATIENCE: Duration = Duration::from_secs(60);

#[allow(clippy::disallowed_methods, reason = "a test on real transports runs in real time")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap())
}

/// Latitudes and longitudes, 0.1 µdeg.
type Drive = Arc<Mutex<BTreeSet<(i64, i64)>>>;

fn sentence(content: &str) -> String {
    let sum = content.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${content}*{sum:02X}\r\n")
}

/// The sentences of an epoch of a u-blox receiver, 1.5 m north of the one before, and the position in them.
fn epoch(number: u32) -> (String, (i64, i64)) {
    let at = jiff::Timestamp::from_millisecond(now().unix_ms() / 10 * 10).unwrap();
    let (time, date) = (at.strftime("%H%M%S%.2f").to_string(), at.strftime("%d%m%y").to_string());
    // 0.0008 minutes of latitude are 1.5 m.
    let minutes = 39.33240 + 0.0008 * f64::from(number);
    let place = format!("44{minutes:08.5},N,01056.05890,E");
    let course = 0.25;
    let mut text = String::new();
    for content in [
        format!("GNRMC,{time},A,{place},29.158,{course},{date},,,D,V"),
        format!("GNGGA,{time},{place},4,12,0.62,36.4,M,42.1,M,1.0,0000"),
        format!("GNGST,{time},12,0.40,0.30,20.0,0.35,0.32,0.9"),
    ] {
        text += &sentence(&content);
    }
    let tenths = |degrees: f64, minutes: f64| ((degrees + minutes / 60.0) * 1e7).round() as i64;
    (text, (tenths(44.0, minutes), tenths(10.0, 56.05890)))
}

/// Sends ten epochs a second, hangs up after the first ten, and sends damage now and then, until told to stop.
fn receiver(server: &TcpListener, stop: &Receiver<()>, drive: &Drive) {
    let mut number = 0;
    loop {
        let mut client = server.accept().unwrap().0;
        loop {
            number += 1;
            let (text, position) = epoch(number);
            drive.lock().unwrap().insert(position);
            let damage = if number % 5 == 0 { "$GNRMC,damaged*00\r\n" } else { "" };
            let sent = client.write_all(format!("{text}{damage}").as_bytes());
            // The pace of the receiver.
            if stop.recv_timeout(Duration::from_millis(100)) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            if sent.is_err() || number == 10 {
                break;
            }
        }
    }
}

/// A trust directory and one of three tickets.
fn write_credentials(folder: &Path) {
    let key = |number| SigningKey::from_scalar(Curve::NistP256, &[number; 32]).unwrap();
    let start = Time32::of(Timestamp::from_unix_ms(now().unix_ms() - 60_000));
    let validity = Validity { start, duration: CertificateDuration { count: 24, unit: DurationUnit::Hours } };
    let root = pki::root("root", validity, None, &key(1));
    let authority = pki::authority("authority", validity, None, key(2).public_key(), (&root, &key(1)));
    let (trust, tickets) = (folder.join("trust"), folder.join("tickets"));
    for directory in [&tickets, &trust.join(ROOTS), &trust.join(AUTHORITIES)] {
        create_closed_directory(directory).unwrap();
    }
    write_certificate(&trust.join(ROOTS).join("root.oer"), &root).unwrap();
    write_certificate(&trust.join(AUTHORITIES).join("authority.oer"), &authority).unwrap();
    for number in 3..6 {
        let public = key(number).public_key();
        let ticket = pki::ticket(pki::all_permissions(), validity, None, public, (&authority, &key(2)));
        write_certificate(&tickets.join(format!("{number}.oer")), &ticket).unwrap();
        write_key(&tickets.join(format!("{number}.pem")), &key(number)).unwrap();
    }
}

fn configuration(folder: &Path, gnss: SocketAddr, radio: SocketAddr) -> Configuration {
    let site = "[site]\nid = 'here'\nname = 'Here'\n[origin]\nlatitude-deg = 44.65554\nlongitude-deg = 10.934315\n";
    std::fs::write(folder.join("site.toml"), site).unwrap();
    let node = format!(
        "[node]\nname = 'Car'\nstation-id = 4721\nstation-type = 'passenger-car'\nsite = 'site.toml'\n\
         [gnss]\nsource = {{ tcp = '{gnss}' }}\nreconnect = {{ first-ms = 20, longest-ms = 100 }}\n\
         [links.geonet]\nmedium = {{ udp = {{ peers = ['{radio}'] }} }}\nrouter = {{ beacon-interval-ms = 0 }}\n\
         [security]\ntrust = 'trust'\ntickets = 'tickets'\n\
         [security.rules.pseudonyms]\npolicy = 'distance-then-time'\n\
         distance_m = {{ start = 20.0, end = 21.0 }}\ntime_s = {{ start = 0.0, end = 0.1 }}\n\
         [recording]\ndirectory = 'recordings'\n"
    );
    std::fs::write(folder.join("node.toml"), node).unwrap();
    Configuration::load(&folder.join("node.toml")).unwrap()
}

/// The CAM of a frame, whose header, content and signature must bear one pseudonym.
fn cam_of(frame: &[u8]) -> (Identity, masa_v2x_proto::cam::Cam) {
    let frame = Frame::decode(frame).unwrap();
    let Body::Secured(envelope) = frame.packet.body else { panic!("a secured packet") };
    let Envelope::Signed(signed) = Envelope::decode(envelope).unwrap() else { panic!("a signed packet") };
    let signer = match &signed.signer {
        Signer::Digest(id) => *id,
        Signer::Certificate(certificate) => certificate.hashed_id8(),
    };
    let identity = Identity::of(signer.0);
    let plain = PlainPacket::decode(signed.to_be_signed.payload.data.unwrap()).unwrap();
    let source = plain.extended.source().address.mac();
    let (_, message) = Btp::split(plain.common.upper, plain.payload).unwrap().unwrap();
    let Message::Cam(cam) = Message::decode(message).unwrap() else { panic!("a CAM") };
    assert_eq!((frame.ethernet.source.0, source.0), (identity.mac, identity.mac));
    assert_eq!(cam.header.station_id.0, identity.station_id);
    (identity, *cam)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drive_becomes_cams_under_changing_pseudonyms() {
    let folder = tempfile::tempdir().unwrap();
    write_credentials(folder.path());
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let radio = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    radio.set_read_timeout(Some(PATIENCE)).unwrap();
    let configuration = configuration(folder.path(), server.local_addr().unwrap(), radio.local_addr().unwrap());
    let (drive, (stop, stopped)) = (Drive::default(), sync_channel(1));
    let feed = {
        let drive = drive.clone();
        std::thread::spawn(move || receiver(&server, &stopped, &drive))
    };
    let node = LiveNode::start(&configuration, TimeBase::Wall).await.unwrap();

    // Until three pseudonyms were seen, and enough of each.
    let heard = tokio::task::spawn_blocking(move || {
        let mut cams: BTreeMap<u32, Vec<masa_v2x_proto::cam::Cam>> = BTreeMap::new();
        let mut frame = [0; 2_000];
        while cams.len() < 3 || cams.values().any(|cams| cams.len() < 2) {
            let length = radio.recv(&mut frame).expect("the vehicle sends");
            let (identity, cam) = cam_of(&frame[..length]);
            cams.entry(identity.station_id).or_default().push(cam);
        }
        cams
    });
    let cams = tokio::time::timeout(PATIENCE, heard).await.expect("three pseudonyms").unwrap();
    let rejected = node.telemetry().view().readings_rejected;
    assert!(rejected.iter().any(|row| format!("{row:?}").contains("gnss")), "{rejected:?}");
    drop(stop);
    feed.join().unwrap();
    let summary = node.shutdown(Duration::from_secs(5)).await;
    assert!(!cams.contains_key(&4_721), "the configured station id is given up at the start");
    let drive = drive.lock().unwrap();
    for cam in cams.values().flatten() {
        let at = cam.cam.cam_parameters.basic_container.reference_position;
        let tenths = |degrees: Option<f64>| (degrees.unwrap() * 1e7).round() as i64;
        let (lat, lon) = (tenths(at.latitude_deg), tenths(at.longitude_deg));
        assert!(drive.range((lat - 1, 0)..=(lat + 1, i64::MAX)).any(|(_, known)| (known - lon).abs() <= 1), "{at:?}");
        assert!(at.position_confidence_ellipse.semi_major_m.is_some(), "GST says how accurate it is");
    }
    let (recording, lost) = summary.recording.unwrap();
    assert_eq!(lost, 0);
    let mut events: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in Recording::open(&recording).unwrap().map(Result::unwrap) {
        if let Entry::Event(event) = entry {
            *events.entry(event.body.name()).or_default() += 1;
            if let EventBody::Ego(ego) = event.body {
                assert!((ego.speed_mps.unwrap() - 15.0).abs() < 0.01 && ego.heading_deg == Some(0.25));
            }
        }
    }
    assert!(events["ego"] > 20 && events["identity"] >= 3, "{events:?}");
    let report = replay(&recording, None, &mut |_| {}).unwrap();
    assert_eq!(report.difference, None);
    assert!(report.messages > 0);
}
