//! RTSP against a camera in `rtsp_server`, which is killed and comes back.

use super::rtsp_server::{CLOCK_HZ, RtspCamera, Send};
use super::support::{Delivered, START, data, file, grey_h264, is_near, luma, play, red_of, settings, spawn};
use masa_edge_node::event::SourceState;
use masa_edge_node::sources::camera::CameraSourceSettings;
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::stop::StopToken;
use masa_v2x_proto::time::Timestamp;
use std::net::SocketAddr;

/// Seconds from the epoch of NTP to that of Unix time.
const NTP_TO_UNIX_S: u64 = 2_208_988_800;

fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn rtsp(camera: &RtspCamera, more: &str) -> CameraSourceSettings {
    settings(&format!(
        "kind = 'rtsp'\nurl = 'rtsp://{}/1'\nreconnect = {{ first-ms = 20, longest-ms = 100 }}\n\
         queue = {{ capacity = 100, when-full = 'block' }}\n{more}",
        camera.address
    ))
}

/// NAL units of a piece of a raw stream.
fn nal_units(annex_b: &[u8]) -> Vec<Vec<u8>> {
    openh264::nal_units(annex_b)
        .map(|nal| {
            let nal = &nal[3..];
            let length = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            nal[..length].to_vec()
        })
        .collect()
}

/// The pictures of a raw stream, and its parameter sets.
struct Recording {
    sps: Vec<u8>,
    pps: Vec<u8>,
    pictures: Vec<Vec<Vec<u8>>>,
}

impl Recording {
    fn new(annex_b: &[u8]) -> Self {
        let mut recording = Self { sps: Vec::new(), pps: Vec::new(), pictures: Vec::new() };
        for nal in nal_units(annex_b) {
            match nal[0] & 0x1F {
                7 => recording.sps = nal,
                8 => recording.pps = nal,
                1 | 5 if nal[1] & 0x80 != 0 => recording.pictures.push(vec![nal]),
                1 | 5 => recording.pictures.last_mut().unwrap().push(nal),
                _ => {}
            }
        }
        recording
    }

    fn camera(&self, address: SocketAddr) -> RtspCamera {
        RtspCamera::start(address, &self.sps, &self.pps, None)
    }

    fn send(&self, camera: &RtspCamera, number: usize, ticks_per_picture: u32) {
        let nal_units = self.pictures[number].clone();
        camera.send(Send::Picture { nal_units, ticks: number as u32 * ticks_per_picture });
    }
}

fn grey(pictures: usize) -> Recording {
    Recording::new(&grey_h264(pictures).concat())
}

/// The camera says that tick zero was `at`.
fn report(camera: &RtspCamera, at: Timestamp) {
    let (seconds, ns) = (at.unix_ns() as u64 / 1_000_000_000, at.unix_ns() as u64 % 1_000_000_000);
    let ntp = ((seconds + NTP_TO_UNIX_S) << 32) | ((ns << 32) / 1_000_000_000);
    camera.send(Send::Report { ntp, ticks: 0 });
}

#[test]
fn pictures_come_at_the_times_of_sender_reports() {
    let recording = grey(25);
    let server = recording.camera(anywhere());
    // Three quarters of a second before the clock of the node: within what is believed.
    let clock = Clock::manual(START);
    let camera = spawn(rtsp(&server, ""), clock, &StopToken::new());
    let began = START.plus_ms(-750);
    report(&server, began);
    let mut delivered = Delivered::default();
    for number in 0..25 {
        recording.send(&server, number, CLOCK_HZ / 10);
        // The next picture shows where this one ends.
        let whole = number;
        delivered.take_until(&camera, |delivered| delivered.frames.len() >= whole);
    }
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 25);
    assert_eq!(delivered.numbers(), (1..=25).collect::<Vec<_>>());
    for (number, (frame, level)) in delivered.frames.iter().zip(delivered.levels()).enumerate() {
        let late_us = (frame.captured_at.seconds_since(began) * 1e6).round() as i64 - number as i64 * 100_000;
        assert!(late_us.abs() <= 1, "picture {number} is {late_us} µs late");
        assert!(is_near(level, red_of(luma(number))), "picture {number}: {level}");
    }
    let states: Vec<_> = delivered.states.iter().map(|change| change.state).collect();
    assert_eq!(states, [SourceState::Connecting, SourceState::Up]);
}

#[test]
fn a_camera_in_the_wrong_year_is_timed_by_arrival() {
    let recording = grey(2);
    let server = recording.camera(anywhere());
    let camera = spawn(rtsp(&server, ""), Clock::manual(START), &StopToken::new());
    report(&server, Timestamp::from_unix_ms(946_684_800_000));
    recording.send(&server, 0, CLOCK_HZ / 10);
    recording.send(&server, 1, CLOCK_HZ / 10);
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 2);
    assert_eq!(delivered.times_ms(), [0.0, 100.0]);
}

#[test]
fn a_camera_that_comes_back_is_found_again() {
    let recording = grey(20);
    let server = recording.camera(anywhere());
    let camera = spawn(rtsp(&server, ""), Clock::system(), &StopToken::new());
    let mut delivered = Delivered::default();
    (0..5).for_each(|number| recording.send(&server, number, CLOCK_HZ / 10));
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 5);

    let address = server.address;
    drop(server);
    let states = delivered.states.len();
    delivered.take_until(&camera, |delivered| delivered.states.len() > states);
    assert_eq!(delivered.last_state().0, SourceState::Connecting);
    assert!(delivered.last_state().1.contains(&address.to_string()), "{}", delivered.last_state().1);

    // Joined in the middle: pictures 5 to 9 need what was missed, picture 10 is a key frame.
    let server = recording.camera(address);
    (5..15).for_each(|number| recording.send(&server, number, CLOCK_HZ / 10));
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 10);
    assert_eq!(delivered.numbers(), (1..=10).collect::<Vec<_>>());
    let expected = (0..5).chain(10..15);
    assert!(delivered.levels().into_iter().zip(expected).all(|(level, number)| is_near(level, red_of(luma(number)))));
    assert!(delivered.frames.windows(2).all(|pair| pair[0].captured_at < pair[1].captured_at));
    assert_eq!(delivered.last_state().0, SourceState::Up);
}

#[test]
fn a_password_is_given_when_asked_for() {
    let recording = grey(2);
    // `op:pass` in base 64.
    let server = RtspCamera::start(anywhere(), &recording.sps, &recording.pps, Some("Basic b3A6cGFzcw=="));
    let with_password = rtsp(&server, "credentials = { user = 'op', password = 'pass' }");
    let camera = spawn(with_password, Clock::system(), &StopToken::new());
    recording.send(&server, 0, CLOCK_HZ);
    recording.send(&server, 1, CLOCK_HZ);
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 2);
    assert!(delivered.states.iter().all(|change| !change.detail.contains("pass")));
}

#[test]
fn wrong_settings_fail_in_words() {
    for (toml, words) in [
        ("url = 'rtsp://op:secret@127.0.0.1/1'", "credentials"),
        ("url = 'http://127.0.0.1/1'", "rtsp://host/path"),
        ("url = 'rtsp://127.0.0.1/1'\ncredentials = { user = 'op' }", "password-env"),
    ] {
        let delivered = play(settings(&format!("kind = 'rtsp'\n{toml}")));
        let (state, detail) = delivered.last_state();
        assert_eq!((state, detail.contains(words)), (SourceState::Failed, true), "{detail}");
        assert!(!detail.contains("secret"));
    }
}

/// A real clip: what comes over the network is what comes from the file.
#[test]
fn a_real_clip_arrives_as_it_is() {
    let test = "a_real_clip_arrives_as_it_is";
    let Some(clip) = data(test, "percep/video/OTVision_Cars-Cyclist.h264") else { return };
    let from_file = play(file(&clip, "frame-rate-hz = 20.0"));
    let recording = Recording::new(&std::fs::read(&clip).unwrap());
    assert_eq!(recording.pictures.len(), 60);
    let server = recording.camera(anywhere());
    let camera = spawn(rtsp(&server, ""), Clock::manual(START), &StopToken::new());
    report(&server, START);
    let mut delivered = Delivered::default();
    for number in 0..60 {
        recording.send(&server, number, CLOCK_HZ / 20);
        let whole = number;
        delivered.take_until(&camera, |delivered| delivered.frames.len() >= whole);
    }
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 60);
    for (ours, theirs) in delivered.frames.iter().zip(&from_file.frames) {
        assert_eq!(ours.frame, theirs.frame);
        assert!(ours.image == theirs.image, "picture {} differs", ours.frame);
        assert!(ours.captured_at.seconds_since(theirs.captured_at).abs() < 1e-6);
    }
}
