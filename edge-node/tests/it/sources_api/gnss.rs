//! A GNSS receiver behind a TCP server that hangs up and comes back, as gpsd, and as a file.

use masa_edge_node::event::{EgoState, SourceState, StatusChange};
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::gnss::{self, GnssOutput, GnssSettings};
use masa_edge_node::sources::queue::NothingReceived;
use masa_edge_node::sources::stop::StopToken;
use masa_edge_node::sources::worker::Worker;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// Longer than any machine needs; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two epochs of a u-blox receiver, as recorded: without RMC's and with VTG's course at a walk.
const EPOCHS: [[&str; 4]; 2] = [
    [
        "GNRMC,101512.00,A,4439.33240,N,01056.05890,E,1.943,,050326,,,D,V",
        "GNVTG,87.25,T,,M,1.943,N,3.599,K,D",
        "GNGGA,101512.00,4439.33240,N,01056.05890,E,2,12,0.62,36.4,M,42.1,M,,0000",
        "GNGST,101512.00,12,,,,0.50,0.40,1.1",
    ],
    [
        "GNRMC,101512.20,A,4439.33240,N,01056.05940,E,1.944,,050326,,,D,V",
        "GNVTG,87.50,T,,M,1.944,N,3.600,K,D",
        "GNGGA,101512.20,4439.33240,N,01056.05940,E,2,12,0.62,36.4,M,42.1,M,,0000",
        "GNGST,101512.20,12,,,,0.50,0.40,1.1",
    ],
];

fn sentence(content: &str) -> String {
    let sum = content.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${content}*{sum:02X}\r\n")
}

fn epochs() -> String {
    EPOCHS.iter().flatten().map(|content| sentence(content)).collect()
}

fn start(toml: &str) -> Worker<GnssOutput> {
    let reconnect = "reconnect = { first-ms = 20, longest-ms = 100 }";
    let settings: GnssSettings = toml::from_str(&format!("{toml}\n{reconnect}")).unwrap();
    gnss::spawn(&settings, 1, Clock::system(), &StopToken::new()).unwrap()
}

fn next(source: &Worker<GnssOutput>) -> GnssOutput {
    source.recv_timeout(PATIENCE).expect("the source goes on")
}

fn next_state(source: &Worker<GnssOutput>, wanted: SourceState) -> StatusChange {
    loop {
        match next(source) {
            GnssOutput::Status(change) if change.state == wanted => return change,
            GnssOutput::Status(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

fn next_ego(source: &Worker<GnssOutput>) -> EgoState {
    match next(source) {
        GnssOutput::Ego(ego) => ego,
        other => panic!("unexpected {other:?}"),
    }
}

fn accept(server: &TcpListener) -> TcpStream {
    server.accept().unwrap().0
}

#[test]
fn a_receiver_that_hangs_up_is_found_again_and_damage_is_named() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = server.local_addr().unwrap();
    let source = start(&format!("source = {{ tcp = '{address}' }}"));
    let mut receiver = accept(&server);
    // In the middle of a sentence, as one always connects.
    receiver.write_all(b"39.33240,N,01056.05890,E*11\r\n").unwrap();
    receiver.write_all(epochs().as_bytes()).unwrap();
    let connecting = next_state(&source, SourceState::Connecting);
    assert_eq!(connecting.name, "gnss");
    let GnssOutput::Rejected { reason, excerpt } = next(&source) else { panic!("half a sentence is refused") };
    assert_eq!((reason.label(), excerpt.as_str()), ("no-sentence", "39.33240,N,01056.05890,E*11"));
    next_state(&source, SourceState::Up);
    let first = next_ego(&source);
    assert!((first.position.lat_deg - 44.655_54).abs() < 1e-9, "{first:?}");
    assert!((first.position.alt_m - 78.5).abs() < 1e-5, "above the ellipsoid: {first:?}");
    assert_eq!(first.heading_deg, Some(87.25));
    assert!((first.speed_mps.unwrap() - 1.943 * 1852.0 / 3600.0).abs() < 1e-6);
    assert!((first.covariance.unwrap().nn_m2 - 0.25).abs() < 1e-6);
    // Sent at once with the epoch's last sentence, although nothing comes after it.
    let second = next_ego(&source);
    assert_eq!(second.captured_at, first.captured_at.plus_ms(200));

    receiver.write_all(sentence(EPOCHS[0][0]).replace("GNRMC", "GNRMD").as_bytes()).unwrap();
    receiver.write_all(&[0xFF, 0x80, b'\n']).unwrap();
    receiver.write_all(sentence("GNGGA,nonsense").as_bytes()).unwrap();
    for label in ["checksum", "not-text", "malformed"] {
        let GnssOutput::Rejected { reason, .. } = next(&source) else { panic!("{label}") };
        assert_eq!(reason.label(), label);
    }
    drop(receiver);
    let lost = next_state(&source, SourceState::Connecting);
    assert!(lost.detail.contains(&address.to_string()) && lost.detail.contains("next attempt"), "{}", lost.detail);
    let mut receiver = accept(&server);
    receiver.write_all(epochs().as_bytes()).unwrap();
    next_state(&source, SourceState::Up);
    assert_eq!(next_ego(&source), first);
}

#[test]
fn gpsd_is_asked_and_a_silent_receiver_is_given_up() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = server.local_addr().unwrap();
    let source = start(&format!("source = {{ gpsd = '{address}' }}\nsilence-s = 0.2"));
    let mut gpsd = accept(&server);
    let mut asked = String::new();
    BufReader::new(gpsd.try_clone().unwrap()).read_line(&mut asked).unwrap();
    assert_eq!(asked, "?WATCH={\"enable\":true,\"nmea\":true};\n");
    let long = "x".repeat(5_000);
    gpsd.write_all(format!("{{\"class\":\"VERSION\",\"release\":\"{long}\"}}\r\n{}", epochs()).as_bytes()).unwrap();
    next_state(&source, SourceState::Up);
    next_ego(&source);
    next_ego(&source);
    let silent = next_state(&source, SourceState::Connecting);
    assert!(silent.detail.contains("silent for 0.2 s"), "{}", silent.detail);
    let again = accept(&server);
    drop((gpsd, again));
}

#[test]
fn a_file_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drive.nmea");
    std::fs::write(&file, epochs()).unwrap();
    let source = start(&format!("source = {{ device = '{}' }}\ntime = 'arrival'", file.display()));
    next_state(&source, SourceState::Up);
    let (first, second) = (next_ego(&source), next_ego(&source));
    assert!(first.captured_at < second.captured_at);
    next_state(&source, SourceState::Ended);
    assert_eq!(source.recv_timeout(PATIENCE), Err(NothingReceived::Closed));
}
