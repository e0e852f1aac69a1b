//! The node behind perception: any tracks and any events in any order.

use super::*;
use crate::event::{FrameDropped, FrameTimings, Observation, Quantity, SourceState, StatusChange};
use crate::facilities::{Sensor, SensorKind};
use crate::perception::{CalibratedArea, GroundTrack, TrackState};
use crate::telemetry::NoProbe;
use crate::world::fixture::{CAMERA, at, frame, track};
use crate::world::site::ZoneKind;
use masa_inference::ObjectClass;
use masa_v2x_proto::Message;
use masa_v2x_proto::geo::{Covariance2, Enu};
use proptest::prelude::*;

fn settings() -> NodeSettings {
    let origin = Wgs84 { lat_deg: 44.65554, lon_deg: 10.934315, alt_m: 30.0 };
    let road = ZoneSettings {
        id: "road".into(),
        kind: ZoneKind::Carriageway,
        polygon_m: vec![[-100.0, -4.0], [100.0, -4.0], [100.0, 4.0], [-100.0, 4.0]],
        approaches_m: vec![vec![[-100.0, 0.0], [-300.0, 50.0]]],
    };
    NodeSettings {
        station_id: 4_711,
        source_uuid: "masa_4711".into(),
        station_kind: StationKind::RoadSideUnit,
        position: origin,
        site_origin: origin,
        zones: vec![road],
        ranging: Vec::new(),
        cameras: vec![],
        world: WorldSettings::default(),
        infrastructure: InfrastructureSite::default(),
        ldm: LdmSettings::default(),
        facilities: FacilitiesSettings::default(),
    }
}

/// A node whose station knows [`CAMERA`], without perception behind it.
fn node() -> Node {
    let mut node = Node::new(settings()).unwrap();
    node.station.sensors.push(Sensor { source: CAMERA, kind: SensorKind::Camera });
    node
}

impl Node {
    /// A step in which `tracks` come from [`CAMERA`].
    fn see(&mut self, frame: &DetectionFrame, tracks: &[GroundTrack], arrived_at: Timestamp) -> Effects {
        let now = self.now.map_or(arrived_at, |now| now.max(arrived_at));
        self.now = Some(now);
        self.world.see_frame(CAMERA, frame, tracks, now);
        let mut effects = Effects::default();
        self.decide(now, &mut effects, &mut NoProbe);
        effects
    }

    fn take(&mut self, body: EventBody, arrived_at: Timestamp) -> Effects {
        let mut effects = Effects::default();
        let event = Event { arrived_at, id: EventId { source: SourceId::NODE, seq: 1 }, body };
        self.step(&event, &mut effects, &mut NoProbe);
        effects
    }
}

#[test]
fn a_person_on_the_carriageway_leaves_in_the_step_of_the_frame() {
    let mut node = node();
    node.take(EventBody::WakeUp, at(0));
    let effects = node.see(&frame(900), &[track(1, ObjectClass::Person, [0.0, 0.0], 900)], at(1_000));
    let kinds: Vec<_> = effects.messages.iter().map(|message| message.kind).collect();
    assert_eq!(kinds, [MessageKind::Denm, MessageKind::Cpm, MessageKind::Cam], "the warning goes first");
    let denm = &effects.messages[0];
    assert_eq!((denm.id.as_str(), denm.captured_at, denm.generated_at), ("4711-denm-1", Some(at(900)), at(1_000)));
    assert!((denm.position.lat_deg - 44.65554).abs() < 1e-9);
    let Ok(Message::Denm(decoded)) = Message::decode(&denm.uper) else { panic!("{denm:?}") };
    assert_eq!(decoded.denm.situation.as_ref().map(|situation| situation.event_type.code()), Some(12));
    for message in &effects.messages[..2] {
        let cause = &message.provenance.objects[0].sights[0];
        assert_eq!((cause.camera, cause.track_id, cause.frame, cause.captured_at), (CAMERA, 1, 10, at(900)));
    }
    assert_eq!(node.snapshot(at(1_000)).events.len(), 1);
}

#[test]
fn time_never_goes_back() {
    let mut node = node();
    let first = node.take(EventBody::WakeUp, at(10_000));
    assert_eq!(first.messages.len(), 2, "CAM and the sensor information");
    let late = node.take(EventBody::WakeUp, at(5_000));
    assert!(late.messages.is_empty(), "decided already");
    assert_eq!(late.wake_at, Some(at(11_000)));
}

#[test]
fn numbers_run_per_kind_without_a_gap() {
    let mut node = node();
    let mut last = BTreeMap::new();
    for ms in (0..20_000).step_by(100) {
        let effects = node.see(&frame(ms), &[track(1, ObjectClass::Person, [ms as f64 / 1_000.0, 0.0], ms)], at(ms));
        for message in effects.messages {
            let seq = last.entry(message.kind).or_insert(0);
            *seq += 1;
            assert_eq!((message.seq, message.id), (*seq, format!("4711-{}-{seq}", message.kind.name())));
        }
    }
    assert_eq!(last.len(), 3);
    assert_eq!(node.snapshot(at(20_000)).counters.messages, last);
}

#[test]
fn a_crowd_is_cut_into_messages_of_the_medium_and_each_names_its_own_objects() {
    let mut node = node();
    let crowd: Vec<_> = (1..=255).map(|id| track(id, ObjectClass::Car, [f64::from(id), 20.0], 0)).collect();
    let effects = node.see(&frame(0), &crowd, at(0));
    let cpms: Vec<_> = effects.messages.iter().filter(|message| message.kind == MessageKind::Cpm).collect();
    assert!(cpms.len() > 1 && cpms.iter().all(|cpm| cpm.uper.len() <= 1_100), "{}", cpms.len());
    let mut carried = 0;
    for cpm in cpms {
        let Ok(Message::Cpm(decoded)) = Message::decode(&cpm.uper) else { panic!("{cpm:?}") };
        let container = decoded.payload.cpm_containers.perceived_object.unwrap();
        assert_eq!(container.number_of_perceived_objects, 255);
        let ids: Vec<_> =
            container.perceived_objects.iter().map(|object| u32::from(object.object_id.unwrap())).collect();
        assert_eq!(ids, cpm.provenance.objects.iter().map(|cause| cause.object_id).collect::<Vec<_>>());
        carried += ids.len() as u64;
    }
    let left_out = node.snapshot(at(0)).counters.drops.get("cpm-too-many-objects").copied().unwrap_or(0);
    assert_eq!(carried + left_out, 255);
}

#[test]
fn settings_outside_their_range_are_refused_by_name() {
    let refused = |change: fn(&mut NodeSettings)| {
        let mut settings = settings();
        change(&mut settings);
        Node::new(settings).unwrap_err().to_string()
    };
    for (change, expected) in [
        (
            (|s| s.facilities.ca.t_gen_cam_ms = 999) as fn(&mut NodeSettings),
            "ca.t-gen-cam-ms is 999, must be at least 1000",
        ),
        (|s| s.facilities.cp.t_gen_cpm_max_ms = 50, "cp.t-gen-cpm-max-ms is 50, must be at least cp.t-gen-cpm-min-ms"),
        (|s| s.facilities.den.edge_margin_m = f64::NAN, "den.edge-margin-m is NaN"),
        (|s| s.position.lat_deg = 91.0, "station position is"),
        (|s| s.zones.push(s.zones[0].clone()), "site map: zone id `road` is used twice"),
        (
            |s| s.world.camera_timeouts_ms = BTreeMap::from([("x".into(), 5)]),
            "world.camera-timeouts-ms names camera `x`",
        ),
    ] {
        let error = refused(change);
        assert!(error.starts_with(expected), "{error}");
    }
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![8 => -50.0..50.0f64, 2 => -3_000.0..3_000.0f64, 1 => any::<f64>()]
}

fn any_track() -> impl Strategy<Value = GroundTrack> {
    let numbers = prop::array::uniform9(any_number());
    let times = prop_oneof![6 => 0..5_000i64, 1 => any::<i64>()];
    (1u32..12, 0..ObjectClass::ALL.len(), numbers, -1.0f32..2.0, times, any::<bool>(), prop::option::of(any_number()))
        .prop_map(|(id, class, n, score, lag_ms, coasting, yaw_rad)| GroundTrack {
            class_confidence: score,
            score,
            state_at: at(lag_ms),
            captured_at: at(lag_ms),
            first_seen: at(lag_ms.wrapping_sub(700)),
            covariance: Covariance2 { ee_m2: n[2], en_m2: n[3], nn_m2: n[4] },
            velocity_e_mps: n[5],
            velocity_n_mps: n[6],
            velocity_covariance: Covariance2 { ee_m2: n[7], en_m2: n[8], nn_m2: n[2] },
            yaw_rad,
            length_m: n[3],
            width_m: n[4],
            state: if coasting { TrackState::Coasting } else { TrackState::Confirmed },
            area: if class % 3 == 0 { CalibratedArea::Outside } else { CalibratedArea::Inside },
            position: Enu::ground(n[0], n[1] / 10.0),
            ..track(id, ObjectClass::ALL[class], [0.0, 0.0], 0)
        })
}

#[derive(Clone, Debug)]
enum Input {
    Tracks(Vec<GroundTrack>),
    Body(Box<EventBody>),
}

fn entering(body: EventBody) -> Input {
    Input::Body(Box::new(body))
}

fn any_input() -> impl Strategy<Value = Input> {
    let state = prop_oneof![Just(SourceState::Up), Just(SourceState::Failed)];
    prop_oneof![
        6 => prop::collection::vec(any_track(), 0..12).prop_map(Input::Tracks),
        2 => Just(entering(EventBody::WakeUp)),
        1 => (".{0,8}", any::<f64>(), any::<i64>()).prop_map(|(sensor, value, ns)| {
            let captured_at = Timestamp::from_unix_ns(ns);
            entering(EventBody::Observation(Observation { sensor, quantity: Quantity::Noise, value, captured_at }))
        }),
        1 => (".{0,8}", state).prop_map(|(name, state)| {
            entering(EventBody::Status(StatusChange { name, state, detail: String::new() }))
        }),
        1 => any::<(u64, i64)>().prop_map(|(frame, ns)| {
            let captured_at = Timestamp::from_unix_ns(ns);
            entering(EventBody::FrameDropped(FrameDropped { frame, captured_at, reason: DropReason::QueueFull }))
        }),
        1 => any::<(u64, i64)>().prop_map(|(frame, ns)| {
            let captured_at = Timestamp::from_unix_ns(ns);
            let timings = FrameTimings::default();
            entering(EventBody::Detections(
                DetectionFrame { frame, captured_at, width_px: 0, height_px: 0, detections: vec![], timings }
            ))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_enters_only_decodable_messages_leave(
        inputs in prop::collection::vec((-500..1_500i64, any_input()), 1..40),
    ) {
        let (mut node, mut twin) = (node(), node());
        let mut ms = 0;
        for (step_ms, input) in inputs {
            ms += step_ms;
            let now = at(ms);
            let run = |node: &mut Node| match &input {
                Input::Tracks(tracks) => node.see(&frame(ms), tracks, now),
                Input::Body(body) => node.take((**body).clone(), now),
            };
            let effects = run(&mut node);
            prop_assert_eq!(&effects.messages, &run(&mut twin).messages, "the same events give the same messages");
            prop_assert!(effects.wake_at.is_none_or(|wake_at| wake_at > node.now.unwrap()));
            for message in &effects.messages {
                let decoded = Message::decode(&message.uper);
                let kind_fits = matches!(
                    (message.kind, &decoded),
                    (MessageKind::Cam, Ok(Message::Cam(_)))
                        | (MessageKind::Denm, Ok(Message::Denm(_)))
                        | (MessageKind::Cpm, Ok(Message::Cpm(_)))
                );
                prop_assert!(kind_fits, "{}: {decoded:?}", message.id);
            }
            serde_json::to_string(&node.snapshot(now)).unwrap();
        }
        let drops = node.snapshot(at(ms)).counters.drops;
        prop_assert!(drops.keys().all(|reason| !reason.ends_with("not-encodable")), "{drops:?}");
    }
}
