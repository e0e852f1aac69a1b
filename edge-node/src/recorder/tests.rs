//! Recordings through the public API: exact round trip, crash, repair.

use super::{Entry, Error, FrameRecording, Record, Recorder, RecorderSettings, Recording, proto, recordings, repair};
use crate::effect::{MessageCause, MessageKind, ObjectCause, OutMessage, Provenance, SightCause};
use crate::event::{
    ChannelLoad, DenAction, DenRequest, DetectionFrame, DropReason, EgoState, Equipment, Event, EventBody, EventId,
    EventReport, FrameDropped, FrameStatistics, FrameTimings, GroupState, ListedObject, ObjectList, Observation,
    Operation, PatchShift, PriorityAnswer, PriorityStatus, Quantity, RadarScan, RadarTarget, ReceivedMessage,
    SignalPhase, SignalReport, SourceId, SourceState, StatusChange, Traffic,
};
use crate::perception::privacy::tests::anonymised;
use masa_inference::{Appearance, BoundingBox, Detection, ObjectClass, RgbImage};
use masa_v2x_proto::cdd::{DriveDirection, ExteriorLights};
use masa_v2x_proto::geo::{Covariance2, Wgs84};
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::security::{Identity, Refusal, SignedBy, Verdict};
use masa_v2x_proto::time::Timestamp;
use proptest::prelude::*;
use std::fs;

fn settings(directory: &std::path::Path) -> RecorderSettings {
    RecorderSettings { directory: directory.to_owned(), frames: FrameRecording::Jpeg, max_bytes: 1 << 30 }
}

fn header() -> proto::Header {
    proto::Header {
        program: "masa test".into(),
        configuration_json: "{}".into(),
        sources: vec!["node".into(), "north".into()],
        station_id: 4711,
        started_at_ns: 1_700_000_000_000_000_000,
        ..Default::default()
    }
}

fn event(seq: u64, body: EventBody) -> Event {
    Event {
        arrived_at: Timestamp::from_unix_ns(1_700_000_000_000_000_001 + seq as i64),
        id: EventId { source: SourceId(1), seq },
        body,
    }
}

fn message() -> OutMessage {
    OutMessage {
        id: "4711-cpm-1".into(),
        kind: MessageKind::Cpm,
        seq: 1,
        generated_at: Timestamp::from_unix_ns(1_700_000_000_000_000_009),
        captured_at: Some(Timestamp::from_unix_ns(1_699_999_999_999_999_999)),
        position: Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 34.0 },
        deadline: None,
        dissemination: Dissemination::default(),
        uper: vec![2, 14, 0, 255],
        json: "{\"a\":1}".into(),
        provenance: Provenance {
            rule: "test".into(),
            objects: vec![ObjectCause {
                object_id: 3,
                sights: vec![SightCause {
                    camera: SourceId(1),
                    track_id: 4,
                    first_event: EventId { source: SourceId(1), seq: 1 },
                    last_event: EventId { source: SourceId(1), seq: 2 },
                    frame: 9,
                    captured_at: Timestamp::from_unix_ns(1_699_999_999_999_999_999),
                    detection: Some(0),
                    bounding_box: Some(BoundingBox { x1_px: 0.1, y1_px: 0.2, x2_px: 0.3, y2_px: 1e-30 }),
                }],
                messages: vec![MessageCause {
                    station: 7,
                    kind: MessageKind::Cam,
                    event: EventId { source: SourceId(2), seq: 5 },
                }],
            }],
        },
    }
}

fn read(path: &std::path::Path) -> Vec<Entry> {
    Recording::open(path).expect("opens").collect::<Result<_, _>>().expect("reads")
}

fn any_appearance() -> impl Strategy<Value = Option<Appearance>> {
    let bytes = prop::collection::vec(any::<u8>(), Appearance::BYTES);
    prop::option::of(bytes.prop_map(|bytes| Appearance::from_bytes(&bytes).expect("as long as one")))
}

fn any_body() -> impl Strategy<Value = EventBody> {
    let detection = (any::<[f32; 4]>(), 0..ObjectClass::ALL.len(), any::<f32>(), any_appearance()).prop_map(
        |(b, class, score, appearance)| Detection {
            bounding_box: BoundingBox { x1_px: b[0], y1_px: b[1], x2_px: b[2], y2_px: b[3] },
            class: ObjectClass::ALL[class],
            score,
            appearance,
        },
    );
    prop_oneof![
        (any::<u64>(), any::<i64>(), any::<[u32; 7]>(), prop::collection::vec(detection, 0..5)).prop_map(
            |(frame, at, n, detections)| EventBody::Detections(DetectionFrame {
                frame,
                captured_at: Timestamp::from_unix_ns(at),
                width_px: n[0],
                height_px: n[1],
                detections,
                timings: FrameTimings {
                    decode_us: n[2],
                    queue_us: n[3],
                    preprocess_us: n[4],
                    inference_us: n[5],
                    postprocess_us: n[6],
                },
            })
        ),
        any::<f64>().prop_map(|value| EventBody::Observation(Observation {
            sensor: "s".into(),
            quantity: Quantity::No2,
            value,
            captured_at: Timestamp::from_unix_ns(5),
        })),
        Just(EventBody::WakeUp),
        any::<(u64, f32, Option<[f32; 2]>, [f32; 4], bool)>().prop_map(
            |(fingerprint, mean_luminance, shift_px, p, found)| {
                let captured_at = Timestamp::from_unix_ns(7);
                let likeness = 0.5;
                let patch = PatchShift { at_px: [p[0], p[1]], shift_px: [p[2], p[3]] };
                EventBody::FrameStatistics(FrameStatistics {
                    frame: 3,
                    captured_at,
                    mean_luminance,
                    fingerprint,
                    shift_px,
                    likeness,
                    patches: found.then_some(patch).into_iter().collect(),
                })
            }
        ),
        any_scan().prop_map(EventBody::RadarScan),
        any_list().prop_map(EventBody::ObjectList),
        any_received().prop_map(EventBody::Received),
        any_ego().prop_map(EventBody::Ego),
        any_den_request().prop_map(EventBody::DenRequest),
        any_signals().prop_map(EventBody::Signals),
        any::<(u32, u16, u8)>().prop_map(|(station, intersection, request)| {
            let status = PriorityStatus::Granted;
            EventBody::PriorityAnswer(PriorityAnswer { station, intersection, request, status })
        }),
        any::<f64>().prop_map(|busy_ratio| EventBody::Channel(ChannelLoad { busy_ratio })),
        any::<[u8; 8]>().prop_map(|certificate| EventBody::Identity(Identity::of(certificate))),
        Just(EventBody::Status(StatusChange { name: "n".into(), state: SourceState::Connecting, detail: "é".into() })),
        Just(EventBody::FrameDropped(FrameDropped {
            frame: 1,
            captured_at: Timestamp::from_unix_ns(-1),
            reason: DropReason::QueueFull,
        })),
    ]
}

fn any_scan() -> impl Strategy<Value = RadarScan> {
    let target = any::<[f32; 4]>().prop_map(|[range_m, azimuth_rad, radial_mps, rcs_dbsm]| RadarTarget {
        range_m,
        azimuth_rad,
        radial_mps,
        rcs_dbsm,
    });
    (any::<u64>(), any::<i64>(), prop::collection::vec(target, 0..5)).prop_map(|(scan, at, targets)| RadarScan {
        scan,
        captured_at: Timestamp::from_unix_ns(at),
        targets,
    })
}

fn any_list() -> impl Strategy<Value = ObjectList> {
    type Parts = ([f32; 2], Option<[f32; 3]>, Option<f32>, Option<[f32; 2]>, Option<u32>);
    let object = any::<Parts>().prop_map(|(position_m, size_m, yaw_rad, velocity_mps, points)| ListedObject {
        position_m,
        size_m,
        yaw_rad,
        velocity_mps,
        points,
    });
    (any::<u64>(), any::<i64>(), prop::collection::vec(object, 0..5)).prop_map(|(scan, at, objects)| ObjectList {
        scan,
        captured_at: Timestamp::from_unix_ns(at),
        objects,
    })
}

fn any_received() -> impl Strategy<Value = ReceivedMessage> {
    let verdict = prop_oneof![
        Just(Verdict::Unsigned),
        any::<[u8; 8]>().prop_map(|certificate| Verdict::Verified(SignedBy { certificate })),
        Just(Verdict::Refused(Refusal::FromTheFuture)),
    ];
    (".{0,12}", prop::collection::vec(any::<u8>(), 0..40), verdict, any::<i64>()).prop_map(
        |(origin, uper, verdict, ns)| ReceivedMessage {
            link: "zenoh".into(),
            origin,
            uper,
            verdict,
            received_at: Timestamp::from_unix_ns(ns),
        },
    )
}

fn any_signals() -> impl Strategy<Value = SignalReport> {
    let end = || prop::option::of(any::<i64>().prop_map(Timestamp::from_unix_ns));
    let group = (any::<u8>(), end(), end(), end()).prop_map(|(group, min_end, max_end, likely_end)| GroupState {
        group,
        shows: SignalPhase::PermissiveClearance,
        min_end,
        max_end,
        likely_end,
    });
    (any::<u16>(), any::<i64>(), prop::collection::vec(group, 0..4)).prop_map(|(intersection, ns, groups)| {
        SignalReport {
            intersection,
            captured_at: Timestamp::from_unix_ns(ns),
            operation: Operation::TrafficDependent,
            groups,
        }
    })
}

fn any_den_request() -> impl Strategy<Value = DenRequest> {
    let place = any::<[f64; 3]>().prop_map(|[lat_deg, lon_deg, alt_m]| Wgs84 { lat_deg, lon_deg, alt_m });
    let trace = prop::collection::vec(place.clone(), 0..4);
    let report = (place, any::<[u8; 3]>(), any::<[u32; 2]>(), any::<[Option<f64>; 2]>(), any::<f64>());
    let report = (report, prop::collection::vec(trace, 0..3)).prop_map(
        |((position, codes, [validity_s, repetition_interval_ms], o, awareness_distance_m), traces)| EventReport {
            cause_code: codes[0],
            sub_cause_code: codes[1],
            information_quality: codes[2],
            position,
            covariance: o[0].zip(o[1]).map(|(ee_m2, nn_m2)| Covariance2 { ee_m2, en_m2: awareness_distance_m, nn_m2 }),
            heading_deg: o[0],
            speed_mps: o[1],
            awareness_distance_m,
            traffic: Traffic::Downstream,
            validity_s,
            repetition_interval_ms,
            traces,
        },
    );
    let action = prop_oneof![Just(DenAction::Withdraw), report.prop_map(DenAction::Report)];
    (".{0,8}", any::<u32>(), action).prop_map(|(application, event, action)| DenRequest { application, event, action })
}

fn any_ego() -> impl Strategy<Value = EgoState> {
    let direction =
        prop_oneof![Just(DriveDirection::Forward), Just(DriveDirection::Backward), Just(DriveDirection::Unavailable)];
    (any::<i64>(), any::<[f64; 6]>(), any::<[Option<f64>; 6]>(), direction, any::<(u8, bool, bool)>()).prop_map(
        |(ns, n, o, drive_direction, (lights, light_bar, siren))| EgoState {
            captured_at: Timestamp::from_unix_ns(ns),
            position: Wgs84 { lat_deg: n[0], lon_deg: n[1], alt_m: n[2] },
            covariance: siren.then_some(Covariance2 { ee_m2: n[3], en_m2: n[4], nn_m2: n[5] }),
            heading_deg: o[0],
            heading_sigma_deg: o[1],
            speed_mps: o[2],
            speed_sigma_mps: o[3],
            acceleration_mps2: o[4],
            yaw_rate_degps: o[5],
            drive_direction,
            exterior_lights: ExteriorLights::from_mask(lights.into()),
            equipment: Equipment { light_bar, siren, embarkation: !siren },
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    // Bits, not values: a NaN score must come back as the same NaN, or a replay could differ.
    #[test]
    fn every_event_comes_back_bit_for_bit(bodies in prop::collection::vec(any_body(), 1..20)) {
        let directory = tempfile::tempdir().expect("temporary directory");
        let recorder = Recorder::start(&settings(directory.path()), header()).expect("starts");
        let events: Vec<Event> = bodies.into_iter().enumerate().map(|(i, body)| event(i as u64 + 1, body)).collect();
        for e in &events {
            recorder.record(Record::Event(e.clone()));
        }
        let back = read(&recorder.finish());
        prop_assert_eq!(back.len(), events.len());
        for (entry, event) in back.iter().zip(&events) {
            let Entry::Event(entry) = entry else { panic!("not an event") };
            prop_assert_eq!(
                prost::Message::encode_to_vec(&proto::Event::from(entry)),
                prost::Message::encode_to_vec(&proto::Event::from(event))
            );
        }
    }
}

#[test]
fn messages_come_back_and_pictures_are_kept_beside_them() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let recorder = Recorder::start(&settings(directory.path()), header()).expect("starts");
    recorder.record(Record::Message(message()));
    recorder.record(Record::Frame {
        camera: "north".into(),
        picture: anonymised(RgbImage::new(16, 8, vec![128; 16 * 8 * 3]).expect("sizes agree")),
    });
    let path = recorder.finish();
    assert_eq!(read(&path), [Entry::Message(message())]);
    let bytes = fs::read(&path).expect("reads");
    let pictures = mcap::MessageStream::new(&bytes)
        .expect("a valid file")
        .filter_map(Result::ok)
        .filter(|m| m.channel.topic == "/camera/north/image")
        .count();
    assert_eq!(pictures, 1);
}

#[test]
fn a_file_cut_by_a_crash_is_read_to_the_cut_and_repaired() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let recorder = Recorder::start(&settings(directory.path()), header()).expect("starts");
    for seq in 1..=50 {
        recorder.record(Record::Event(event(seq, EventBody::WakeUp)));
    }
    let path = recorder.finish();
    let whole = fs::read(&path).expect("reads");
    assert_eq!(repair(&path).expect("readable"), None, "a finished file needs no repair");
    // Everything after the data section goes: what SIGKILL after the last flushed chunk leaves.
    let summary = mcap::read::footer(&whole).expect("a footer").summary_start as usize;
    fs::write(&path, &whole[..summary - 13]).expect("writes");
    assert_eq!(read(&path).len(), 50);
    assert_eq!(recordings(directory.path()).expect("readable"), std::slice::from_ref(&path));
    let repaired = repair(&path).expect("readable").expect("it was cut");
    assert_eq!(repaired.messages, 51, "the header and fifty events");
    let fixed = fs::read(&path).expect("reads");
    assert!(mcap::Summary::read(&fixed).expect("readable").is_some(), "a seeking reader finds the summary");
    assert_eq!(read(&path).len(), 50);
}

#[test]
fn other_files_are_refused_by_name() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("x.mcap");
    fs::write(&path, b"not an mcap file at all").expect("writes");
    let error = Recording::open(&path).expect_err("not a recording");
    assert!(matches!(error, Error::Container { .. }) && error.to_string().contains("x.mcap"), "{error}");

    let recorder = Recorder::start(&settings(directory.path()), header()).expect("starts");
    let path = recorder.finish();
    let mut newer = header();
    newer.format = 1;
    assert_eq!(Recording::open(&path).expect("opens").header(), &newer);
}

#[test]
fn an_appearance_of_another_length_is_refused_by_name() {
    let appearance = Appearance::from_bytes(&[7; Appearance::BYTES]);
    let bounding_box = BoundingBox { x1_px: 0.0, y1_px: 0.0, x2_px: 9.0, y2_px: 9.0 };
    let frame = DetectionFrame {
        frame: 1,
        captured_at: Timestamp::from_unix_ns(0),
        width_px: 640,
        height_px: 384,
        detections: vec![Detection { bounding_box, class: ObjectClass::Person, score: 0.5, appearance }],
        timings: FrameTimings::default(),
    };
    let mut written = proto::Event::from(&event(1, EventBody::Detections(frame)));
    let Some(proto::event::Body::Detections(frame)) = &mut written.body else { panic!("{written:?}") };
    frame.detections[0].appearance.as_mut().expect("it has one").pop();
    let error = Event::try_from(written).expect_err("a byte is missing").to_string();
    assert!(error.contains("detection.appearance") && error.contains("44 bytes"), "{error}");
}
