//! Whatever enters a whole node, it neither panics nor says what cannot be read, and it holds no more than it may.

#![allow(clippy::unwrap_used)]

use crate::node_street::{CAMERA, HEIGHT_PX, ORIGIN, WIDTH_PX, at, detections_event, pixel, run, settings};
use masa_edge_node::effect::Effects;
use masa_edge_node::event::{
    ChannelLoad, DenAction, DenRequest, DropReason, EgoState, Event, EventBody, EventId, EventReport, FrameDropped,
    GroupState, Observation, Operation, PriorityAnswer, PriorityStatus, Quantity, ReceivedMessage, SignalReport,
    SourceId, SourceState, StatusChange, Traffic,
};
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::facilities::den::{KeepAlive, NegationSettings};
use masa_edge_node::facilities::infrastructure::Trust;
use masa_edge_node::facilities::profile::{Role, StationKind};
use masa_edge_node::facilities::va::ClusterSettings;
use masa_edge_node::node::{Node, NodeSettings};
use masa_edge_node::telemetry::NoProbe;
use masa_edge_node::world::infrastructure::InfrastructureSite;
use masa_inference::{Appearance, BoundingBox, Detection, ObjectClass};
use masa_v2x_proto::Message;
use masa_v2x_proto::geo::{Covariance2, Wgs84};
use masa_v2x_proto::json::from_json;
use masa_v2x_proto::security::{Identity, Refusal, Verdict};
use proptest::prelude::*;

fn any_box() -> impl Strategy<Value = BoundingBox> {
    let in_image = (0.0..WIDTH_PX as f32, 0.0..HEIGHT_PX as f32, 2.0..300.0f32, 2.0..300.0f32)
        .prop_map(|(x, y, w, h)| BoundingBox { x1_px: x, y1_px: y, x2_px: x + w, y2_px: y + h });
    let anything = any::<[f32; 4]>().prop_map(|[a, b, c, d]| BoundingBox { x1_px: a, y1_px: b, x2_px: c, y2_px: d });
    prop_oneof![12 => in_image, 1 => anything]
}

fn any_detection() -> impl Strategy<Value = Detection> {
    let looks = prop::collection::vec(any::<u8>(), Appearance::BYTES).prop_map(|bytes| Appearance::from_bytes(&bytes));
    let score = prop_oneof![9 => 0.3..1.0f32, 1 => any::<f32>()];
    (any_box(), 0..ObjectClass::ALL.len(), score, prop_oneof![Just(None), looks]).prop_map(
        |(bounding_box, class, score, appearance)| {
            let class = ObjectClass::ALL[class];
            Detection { bounding_box, class, score, appearance }
        },
    )
}

/// What comes from other stations, the own vehicle, services and controllers: messages whole, cut and changed, and numbers of
/// every kind.
fn any_v2x() -> impl Strategy<Value = EventBody> {
    let number = || prop_oneof![4 => -100.0..100.0f64, 1 => any::<f64>()];
    let place = (44.6..44.7f64, 10.9..11.0f64, number());
    let place = place.prop_map(|(lat_deg, lon_deg, alt_m)| Wgs84 { lat_deg, lon_deg, alt_m });
    let verdict = prop_oneof![Just(Verdict::Unsigned), Just(Verdict::Refused(Refusal::TooOld))];
    let received = (0..neighbour_messages().len(), any::<u16>(), any::<u8>(), any::<bool>(), verdict).prop_map(
        |(index, place, byte, whole, verdict)| {
            let mut uper = neighbour_messages()[index].clone();
            if !whole {
                let place = usize::from(place) % uper.len();
                uper[place] ^= byte;
                uper.truncate(place + usize::from(byte));
            }
            EventBody::Received(ReceivedMessage {
                link: "geonet".into(),
                origin: "x".into(),
                uper,
                verdict,
                received_at: at(0),
            })
        },
    );
    let ego = (place.clone(), prop::array::uniform5(prop::option::of(number())), -2_000..2_000i64).prop_map(
        |(position, n, ms)| {
            EventBody::Ego(EgoState {
                captured_at: at(ms),
                position,
                heading_deg: n[0],
                heading_sigma_deg: n[1],
                speed_mps: n[2],
                acceleration_mps2: n[3],
                yaw_rate_degps: n[4],
                ..EgoState::default()
            })
        },
    );
    let report = (place, any::<[u8; 3]>(), number(), 0..20u32, 0..2_000u32).prop_map(
        |(position, [cause_code, sub_cause_code, information_quality], distance_m, validity_s, interval_ms)| {
            let report = EventReport {
                cause_code,
                sub_cause_code,
                information_quality: information_quality % 9,
                position,
                covariance: Some(Covariance2 { ee_m2: distance_m, en_m2: -distance_m, nn_m2: position.lat_deg }),
                heading_deg: Some(distance_m),
                speed_mps: Some(distance_m),
                awareness_distance_m: distance_m,
                traffic: Traffic::All,
                validity_s,
                repetition_interval_ms: interval_ms,
                traces: vec![vec![position]],
            };
            let action = if cause_code < 20 { DenAction::Withdraw } else { DenAction::Report(report) };
            EventBody::DenRequest(DenRequest { application: "any".into(), event: 1, action })
        },
    );
    let signals = (11..14u16, any::<[u8; 2]>(), any::<Option<i64>>()).prop_map(|(intersection, groups, end)| {
        let end = end.map(masa_v2x_proto::time::Timestamp::from_unix_ns);
        let group = |group| GroupState { group, min_end: end, likely_end: end, ..GroupState::default() };
        EventBody::Signals(SignalReport {
            intersection,
            captured_at: at(0),
            operation: Operation::Standby,
            groups: groups.map(group).to_vec(),
        })
    });
    let answer = any::<(u32, u8)>().prop_map(|(station, request)| {
        EventBody::PriorityAnswer(PriorityAnswer {
            station,
            intersection: 12,
            request,
            status: PriorityStatus::Granted,
        })
    });
    let channel = number().prop_map(|busy_ratio| EventBody::Channel(ChannelLoad { busy_ratio }));
    let identity = any::<[u8; 8]>().prop_map(|certificate| EventBody::Identity(Identity::of(certificate)));
    prop_oneof![4 => received, 4 => ego, 2 => report, 2 => signals, 1 => answer, 1 => channel, 1 => identity]
}

/// A message of each kind that a neighbour sends, made by nodes of each kind.
fn neighbour_messages() -> &'static [Vec<u8>] {
    static MESSAGES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    MESSAGES.get_or_init(|| {
        let mut messages = Vec::new();
        for kind in KINDS {
            let mut settings = talkative(kind);
            settings.station_id = 99;
            let mut node = Node::new(settings).unwrap();
            let mut effects = Effects::default();
            let ego = EgoState {
                captured_at: at(0),
                position: ORIGIN,
                heading_deg: Some(90.0),
                speed_mps: Some(1.0),
                ..EgoState::default()
            };
            let report = EventReport {
                cause_code: 94,
                sub_cause_code: 0,
                information_quality: 3,
                position: ORIGIN,
                covariance: None,
                heading_deg: None,
                speed_mps: None,
                awareness_distance_m: 300.0,
                traffic: Traffic::All,
                validity_s: 60,
                repetition_interval_ms: 1_000,
                traces: Vec::new(),
            };
            let action = DenAction::Report(report);
            let request = DenRequest { application: "any".into(), event: 1, action };
            for (seq, body) in [EventBody::Ego(ego), EventBody::DenRequest(request)].into_iter().enumerate() {
                let id = EventId { source: SourceId::NODE, seq: seq as u64 + 1 };
                node.step(&Event { arrived_at: at(0), id, body }, &mut effects, &mut NoProbe);
                messages.extend(effects.messages.drain(..).map(|message| message.uper));
            }
        }
        assert!(messages.len() >= 7, "{}", messages.len());
        messages
    })
}

const KINDS: [StationKind; 3] = [StationKind::RoadSideUnit, StationKind::SpecialVehicle, StationKind::Cyclist];

/// A node of a kind with everything switched on.
fn talkative(kind: StationKind) -> NodeSettings {
    let mut facilities = FacilitiesSettings::default();
    facilities.vehicle.role = Role::Emergency;
    facilities.den.keep_alive = KeepAlive::Forward;
    facilities.den.negation = Some(NegationSettings { zones: vec!["road".into()], clear_after_s: 0.5, radius_m: 15.0 });
    facilities.va.cluster = Some(ClusterSettings::default());
    facilities.infrastructure.priority = Some(Trust::Anybody);
    let redundancy = "techniques = ['frequency', 'dynamics', 'confidence', 'self-announcement']";
    facilities.cp.redundancy = Some(toml::from_str(redundancy).unwrap());
    let intersection = "id = 12\nreference-m = [0, 0]\n[[lane]]\nid = 1\ndirection = 'both'\n\
        nodes-m = [[5, 0], [50, 0]]\n[[lane.connection]]\nlane = 1\nmanoeuvre = 'u-turn'\nsignal-group = 1\n\
        [programme]\ncycle-ms = 700\n[[programme.group]]\nid = 1\n\
        phases = [{ shows = 'dark', duration-ms = 300 }, { shows = 'stop-and-remain', duration-ms = 400 }]";
    let sign = "id = 1\ncountry = 'IT'\nprovider = 1\nkind = 'traffic'\npictogram = [13, 100]\n\
        relevance-m = [[0, 0], [9, 9]]";
    let mut all = settings(facilities);
    let looks = "policy = 're-identify'\ndescriptor = 'colour-layout'";
    all.cameras[0].1.tracker.appearance = toml::from_str(looks).unwrap();
    NodeSettings {
        station_kind: kind,
        infrastructure: InfrastructureSite {
            intersections: vec![toml::from_str(intersection).unwrap()],
            signs: vec![toml::from_str(sign).unwrap()],
        },
        ..all
    }
}

/// Detections that stay for several frames, so that they become tracks, and then whatever else can happen.
fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let scene = (prop::collection::vec(any_detection(), 0..10), 1..6usize, -200..400i64);
    let other = prop_oneof![
        Just(EventBody::WakeUp),
        (".{0,12}", any::<f64>(), any::<i64>()).prop_map(|(sensor, value, ns)| {
            let captured_at = masa_v2x_proto::time::Timestamp::from_unix_ns(ns);
            EventBody::Observation(Observation { sensor, quantity: Quantity::Pm10, value, captured_at })
        }),
        (".{0,12}", ".{0,12}").prop_map(|(name, detail)| {
            EventBody::Status(StatusChange { name, state: SourceState::Connecting, detail })
        }),
        any::<u64>().prop_map(|frame| {
            EventBody::FrameDropped(FrameDropped { frame, captured_at: at(0), reason: DropReason::QueueFull })
        }),
    ];
    let other = prop_oneof![3 => other, 6 => any_v2x()];
    let step = (scene, other, 0..4u16);
    prop::collection::vec(step, 1..12).prop_map(|steps| {
        let (mut events, mut ms) = (Vec::new(), 0);
        for ((detections, frames, step_ms), body, source) in steps {
            for _ in 0..frames {
                ms += step_ms;
                events.push(detections_event(events.len() as u64 + 1, ms, detections.clone()));
            }
            let id = EventId { source: SourceId(source), seq: events.len() as u64 + 1 };
            events.push(Event { arrived_at: at(ms), id, body });
        }
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_message_can_be_read_in_both_forms(events in any_events(), kind in 0..KINDS.len()) {
        let mut node = Node::new(talkative(KINDS[kind])).unwrap();
        let mut twin = Node::new(talkative(KINDS[kind])).unwrap();
        let messages = run(&mut node, &events);
        prop_assert_eq!(&messages, &run(&mut twin, &events), "the same events give the same messages");
        for (_, message) in messages {
            let decoded = Message::decode(&message.uper);
            prop_assert!(decoded.is_ok(), "{}: {decoded:?}", message.id);
            let json: serde_json::Value = serde_json::from_str(&message.json).unwrap();
            let (envelope, image) = from_json(&json).unwrap();
            prop_assert_eq!(envelope.source_uuid, "masa_4711");
            prop_assert_eq!(image.to_uper().unwrap(), message.uper, "the JSON image says the same");
        }
        let drops = node.snapshot(at(100_000)).counters.drops;
        prop_assert!(drops.keys().all(|reason| !reason.ends_with("not-encodable")), "{drops:?}");
    }
}

#[test]
fn a_full_world_and_a_camera_nobody_knows_are_counted() {
    let mut settings = settings(FacilitiesSettings::default());
    settings.world.max_objects = 4;
    let mut node = Node::new(settings).unwrap();
    let person = |index: i32| {
        let [x, y] = pixel(masa_v2x_proto::geo::Enu::ground(30.0, f64::from(index) * 3.0 - 12.0)).map(|v| v as f32);
        let bounding_box = BoundingBox { x1_px: x - 8.0, y1_px: y - 45.0, x2_px: x + 8.0, y2_px: y };
        Detection { bounding_box, class: ObjectClass::Person, score: 0.9, appearance: None }
    };
    let crowd: Vec<_> = (0..8).map(person).collect();
    let frames = 5;
    let mut events: Vec<_> = (0..frames).map(|i| detections_event(i as u64 + 1, i * 100, crowd.clone())).collect();
    let mut stranger = events[0].clone();
    stranger.id.source = SourceId(CAMERA.0 + 1);
    stranger.arrived_at = at(1_000);
    events.push(stranger);
    run(&mut node, &events);
    let snapshot = node.snapshot(at(1_000));
    assert_eq!(snapshot.objects.len(), 4);
    // Eight tracks, confirmed with the second frame: four too many in each of four frames.
    assert_eq!(snapshot.counters.drops["world-full"], 16);
    assert_eq!(snapshot.counters.drops["unknown-camera"], 1);
    assert_eq!(snapshot.counters.events["detections"], 6);
}
