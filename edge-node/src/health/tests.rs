//! Each problem begins and ends with its cause.

use super::*;
use crate::event::{DetectionFrame, FrameTimings, Observation, PatchShifts, Quantity, RadarScan};
use masa_v2x_proto::cdd::{StationId, StationType};

const CAMERA: SourceId = SourceId(1);
const RADAR: SourceId = SourceId(2);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_000_000 + ms)
}

fn health() -> Health {
    let watched = |source, name: &str, kind| Watched { source, name: name.to_owned(), kind };
    Health::new([watched(CAMERA, "north", SensorKind::Camera), watched(RADAR, "mast", SensorKind::Radar)])
}

fn names(health: &Health) -> Vec<(&'static str, String)> {
    health.problems().map(|problem| (problem.kind.name(), problem.subject.clone())).collect()
}

fn statistics(ms: i64, fingerprint: u64, mean_luminance: f32, shift: [f32; 2]) -> EventBody {
    EventBody::FrameStatistics(FrameStatistics {
        frame: 1,
        captured_at: at(ms),
        mean_luminance,
        fingerprint,
        shift_px: Some(shift),
        likeness: 0.9,
        patches: PatchShifts::new(),
    })
}

#[test]
fn pictures_that_repeat_are_dark_or_lie_elsewhere_are_noticed() {
    type Told = fn(i64) -> EventBody;
    let cases: [(Told, &str); 3] = [
        (|ms| statistics(ms, 7, 90.0, [0.0, 0.0]), "camera-frozen"),
        (|ms| statistics(ms, ms as u64, 2.0, [0.0, 0.0]), "camera-dark"),
        (|ms| statistics(ms, ms as u64, 90.0, [-18.0, 0.0]), "camera-moved"),
    ];
    for (broken, name) in cases {
        let mut health = health();
        for ms in (0..3_000).step_by(100) {
            health.observe(CAMERA, &statistics(ms, ms as u64, 90.0, [0.0, 2.0]), None, at(ms));
            assert_eq!(names(&health), []);
        }
        let mut first = None;
        for ms in (3_000..7_000).step_by(100) {
            health.observe(CAMERA, &broken(ms), None, at(ms));
            if first.is_none() && !names(&health).is_empty() {
                first = Some(ms);
            }
        }
        assert_eq!(names(&health), [(name, "north".to_owned())]);
        assert!((4_000..5_700).contains(&first.unwrap()), "{name} at {first:?}");
        for ms in (7_000..9_500).step_by(100) {
            health.observe(CAMERA, &statistics(ms, ms as u64, 90.0, [0.0, 0.0]), None, at(ms));
        }
        assert_eq!(names(&health), [], "{name} is over");
    }
}

#[test]
fn a_silent_radar_is_noticed_until_it_scans_again() {
    let mut health = health();
    let scan = |ms| EventBody::RadarScan(RadarScan { scan: 1, captured_at: at(ms), targets: Vec::new() });
    health.observe(RADAR, &scan(0), None, at(30));
    health.observe(SourceId::NODE, &EventBody::WakeUp, None, at(2_100));
    assert_eq!(names(&health), [("radar-silent", "mast".to_owned())]);
    health.observe(RADAR, &scan(2_200), None, at(2_230));
    assert_eq!(names(&health), []);
}

#[test]
fn a_silent_camera_is_noticed_by_any_event() {
    let mut health = health();
    let frame = DetectionFrame {
        frame: 1,
        captured_at: at(0),
        width_px: 1,
        height_px: 1,
        detections: Vec::new(),
        timings: FrameTimings::default(),
    };
    health.observe(CAMERA, &EventBody::Detections(frame), None, at(50));
    for (ms, silent) in [(2_000, 0), (2_100, 1)] {
        health.observe(SourceId::NODE, &EventBody::WakeUp, None, at(ms));
        assert_eq!(names(&health).len(), silent, "{ms} ms");
    }
}

#[test]
fn a_sensor_that_repeats_itself_is_stuck_and_no_rain_is_not() {
    for (value, stuck) in [(21.37, true), (0.0, false)] {
        let mut health = health();
        for second in 0..20 {
            let captured_at = at(second * 1_000);
            let body = EventBody::Observation(Observation {
                sensor: "road".into(),
                quantity: Quantity::AirTemperature,
                value,
                captured_at,
            });
            health.observe(SourceId(2), &body, None, captured_at);
        }
        assert_eq!(!names(&health).is_empty(), stuck, "{value}");
    }
}

fn received(verdict: Verdict) -> EventBody {
    EventBody::Received(ReceivedMessage {
        link: "geonet".into(),
        origin: "x".into(),
        uper: Vec::new(),
        verdict,
        received_at: at(0),
    })
}

#[test]
fn a_clock_is_wrong_when_most_others_differ() {
    let mut health = health();
    for step in 0..30_i64 {
        let now = at(step * 100);
        for station in 0..3_u32 {
            // One of three is wrong by itself.
            let offset_ms = if station == 0 { 3_000 } else { -20 };
            let heard = Heard {
                station: StationId(station),
                station_type: Some(StationType::PassengerCar),
                generated_at: Some(now.plus_ms(offset_ms)),
            };
            health.observe(SourceId(2), &received(Verdict::Unsigned), Some(heard), now);
        }
    }
    assert_eq!(names(&health), []);
    for step in 30..60_i64 {
        let now = at(step * 100 + 1_000);
        for station in 0..3_u32 {
            let heard = Heard {
                station: StationId(station),
                station_type: Some(StationType::RoadSideUnit),
                generated_at: Some(now.plus_ms(-1_020)),
            };
            health.observe(SourceId(2), &received(Verdict::Unsigned), Some(heard), now);
        }
    }
    assert_eq!(names(&health), [("clock-offset", "own".to_owned())]);
    health.observe(SourceId::NODE, &EventBody::WakeUp, None, at(11_000));
    assert_eq!(names(&health).iter().filter(|(name, _)| *name == "roadside-silent").count(), 3);
}

#[test]
fn messages_that_are_refused_are_noticed_by_their_number() {
    let mut health = health();
    for step in 0..3 {
        assert_eq!(names(&health), []);
        health.observe(SourceId(2), &received(Verdict::Refused(Refusal::BadSignature)), None, at(step * 500));
    }
    let problem = health.problems().next().unwrap();
    assert_eq!((problem.kind, problem.detail.contains("3 BadSignature")), (ProblemKind::UntrustedMessages, true));
    health.observe(SourceId::NODE, &EventBody::WakeUp, None, at(20_000));
    assert_eq!(names(&health), []);
}

#[test]
fn a_link_that_fails_is_a_problem_until_it_is_up() {
    let mut health = health();
    for (state, count) in [(SourceState::Failed, 1), (SourceState::Up, 0)] {
        let change = StatusChange { name: "geonet".into(), state, detail: "no carrier".into() };
        health.observe(SourceId::NODE, &EventBody::Status(change), None, at(0));
        assert_eq!(names(&health).len(), count);
    }
}
