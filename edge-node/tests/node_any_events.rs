//! Whatever enters a whole node, it neither panics nor says what cannot be read, and it holds no more than it may.

#![allow(clippy::unwrap_used)]

mod node_street;

use masa_edge_node::event::{
    DropReason, Event, EventBody, EventId, FrameDropped, Observation, Quantity, SourceId, SourceState, StatusChange,
};
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::node::Node;
use masa_inference::{BoundingBox, Detection, ObjectClass};
use masa_v2x_proto::Message;
use masa_v2x_proto::json::from_json;
use node_street::{CAMERA, HEIGHT_PX, WIDTH_PX, at, detections_event, pixel, run, settings};
use proptest::prelude::*;

fn any_box() -> impl Strategy<Value = BoundingBox> {
    let in_image = (0.0..WIDTH_PX as f32, 0.0..HEIGHT_PX as f32, 2.0..300.0f32, 2.0..300.0f32)
        .prop_map(|(x, y, w, h)| BoundingBox { x1_px: x, y1_px: y, x2_px: x + w, y2_px: y + h });
    let anything = any::<[f32; 4]>().prop_map(|[a, b, c, d]| BoundingBox { x1_px: a, y1_px: b, x2_px: c, y2_px: d });
    prop_oneof![12 => in_image, 1 => anything]
}

fn any_detection() -> impl Strategy<Value = Detection> {
    (any_box(), 0..ObjectClass::ALL.len(), prop_oneof![9 => 0.3..1.0f32, 1 => any::<f32>()])
        .prop_map(|(bounding_box, class, score)| Detection { bounding_box, class: ObjectClass::ALL[class], score })
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
    fn every_message_can_be_read_in_both_forms(events in any_events()) {
        let mut node = Node::new(settings(FacilitiesSettings::default())).unwrap();
        for (_, message) in run(&mut node, &events) {
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
        Detection { bounding_box, class: ObjectClass::Person, score: 0.9 }
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
    // Eight tracks, confirmed with the third frame: four too many in each of three frames.
    assert_eq!(snapshot.counters.drops["world-full"], 12);
    assert_eq!(snapshot.counters.drops["unknown-camera"], 1);
    assert_eq!(snapshot.counters.events["detections"], 6);
}
