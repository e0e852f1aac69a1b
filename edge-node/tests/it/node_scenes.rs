//! Scenes through the whole node: detections in, ETSI messages out.

#![allow(clippy::unwrap_used)]

use crate::node_street::{Actor, FRAME_MS, LATENCY_MS, at, film, run, settings};
use masa_edge_node::effect::{MessageKind, OutMessage};
use masa_edge_node::event::Event;
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::node::Node;
use masa_v2x_proto::Message;
use masa_v2x_proto::cpm::Cpm;
use masa_v2x_proto::denm::{Denm, Termination};

fn node() -> Node {
    let mut facilities = FacilitiesSettings::default();
    facilities.den.stationary_after_s = 10.0;
    Node::new(settings(facilities)).unwrap()
}

fn play(events: &[Event]) -> Vec<(usize, OutMessage)> {
    run(&mut node(), events)
}

fn cpm(message: &OutMessage) -> Box<Cpm> {
    match Message::decode(&message.uper) {
        Ok(Message::Cpm(cpm)) => cpm,
        other => panic!("{}: {other:?}", message.id),
    }
}

fn denm(message: &OutMessage) -> Box<Denm> {
    match Message::decode(&message.uper) {
        Ok(Message::Denm(denm)) => denm,
        other => panic!("{}: {other:?}", message.id),
    }
}

fn of_kind(messages: &[(usize, OutMessage)], kind: MessageKind) -> Vec<&(usize, OutMessage)> {
    messages.iter().filter(|(_, message)| message.kind == kind).collect()
}

/// Seconds since the start.
fn seconds(message: &OutMessage) -> f64 {
    message.generated_at.seconds_since(at(0))
}

/// A car from south to north, 36 km/h.
fn passing_car() -> Actor {
    Actor::car(|ms| Some([30.0, ms as f64 / 100.0 - 16.0]).filter(|[_, n_m]| *n_m < 16.0))
}

/// A car that brakes to a stop at the camera's axis, stands for 20 s and drives on, at 2 m/s².
fn stopping_car() -> Actor {
    Actor::car(|ms| {
        let n_m = match ms {
            ..3_000 => -((3_000 - ms) as f64 / 1_000.0).powi(2),
            3_000..23_000 => 0.0,
            _ => ((ms - 23_000) as f64 / 1_000.0).powi(2),
        };
        Some([30.0, n_m]).filter(|[_, n_m]| *n_m < 14.0)
    })
}

#[test]
fn a_passing_car_is_told_with_the_frame_that_confirms_it_and_whenever_it_has_moved_on() {
    let events = film(&[passing_car()], 5_000);
    let messages = play(&events);
    let told: Vec<_> = of_kind(&messages, MessageKind::Cpm)
        .into_iter()
        .filter_map(|(index, message)| {
            let objects = cpm(message).payload.cpm_containers.perceived_object?.perceived_objects;
            Some((*index, message, objects[0].clone()))
        })
        .collect();
    let (index, first, object) = &told[0];
    assert_eq!(*index, 1, "the tracker confirms with the second frame");
    assert_eq!(first.captured_at, Some(at(FRAME_MS)));
    assert_eq!(object.measurement_delta_time_ms, -(LATENCY_MS as i16));
    assert!(first.provenance.rule.contains("new"), "{}", first.provenance.rule);
    assert_eq!(first.provenance.objects[0].sights[0].frame, 2);

    // 10 m/s and 4 m: every fifth frame at the latest, and never two within 100 ms (TS 103 324 table F.1).
    let times: Vec<_> = told.iter().map(|(_, message, _)| seconds(message)).collect();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (0.099..=0.501).contains(gap)), "{gaps:?}");

    let ids: std::collections::BTreeSet<_> = told.iter().filter_map(|(_, _, object)| object.object_id).collect();
    assert_eq!(ids.len(), 1, "one car, one id");
    for (_, message, object) in &told[2..] {
        let measured_s = seconds(message) + f64::from(object.measurement_delta_time_ms) / 1_000.0;
        let truth_n_m = measured_s * 10.0 - 16.0;
        let (e_m, n_m) = (object.position.x.value_m.value().unwrap(), object.position.y.value_m.value().unwrap());
        // The middle of the car, not the near side that a box's lower edge shows.
        assert!((f64::from(e_m) - 30.0).abs() < 0.5, "{}: e {e_m}", message.id);
        assert!((f64::from(n_m) - truth_n_m).abs() < 1.5, "{}: n {n_m}, truth {truth_n_m}", message.id);
    }
}

#[test]
fn the_sensors_are_told_once_a_second_and_the_station_itself_too() {
    let messages = play(&film(&[], 10_000));
    for kind in [MessageKind::Cpm, MessageKind::Cam] {
        let times: Vec<_> = of_kind(&messages, kind).iter().map(|(_, message)| seconds(message)).collect();
        let expected: Vec<_> = (0..10).map(|s| f64::from(s) + 0.06).collect();
        assert!(times.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{kind:?}: {times:?}");
        assert_eq!(times.len(), expected.len(), "{kind:?}");
    }
    for (_, message) in of_kind(&messages, MessageKind::Cpm) {
        let containers = cpm(message).payload.cpm_containers;
        assert_eq!(containers.sensor_information.unwrap().len(), 1);
        assert!(containers.originating_rsu.is_some() && containers.perceived_object.is_none());
    }
}

#[test]
fn a_car_that_stops_is_a_warning_until_it_drives_on() {
    let mut node = node();
    let messages = run(&mut node, &film(&[stopping_car()], 34_000));
    let denms: Vec<_> = of_kind(&messages, MessageKind::Denm).into_iter().map(|(_, m)| (m, denm(m))).collect();
    let (first, trigger) = &denms[0];
    assert_eq!(trigger.denm.situation.as_ref().unwrap().event_type.code(), 94);
    // It stops at 3 s; the last metre before that, which took it a second, counts as standing.
    assert!((12.0..13.0).contains(&seconds(first)), "{}", seconds(first));
    let event = trigger.denm.management.event_position;
    let north_deg = event.latitude_deg.unwrap() - 44.655_540;
    assert!(north_deg.abs() < 1.5 / 111_000.0, "at the camera's axis: {north_deg}");

    let cancellations: Vec<_> =
        denms.iter().filter(|(_, d)| d.denm.management.termination == Some(Termination::IsCancellation)).collect();
    let times: Vec<_> = cancellations.iter().map(|(m, _)| seconds(m)).collect();
    // 2 m/s² from 23 s: 5 m away after 2.2 s, cancelled 2 s later, and twice more for those who missed it.
    assert!(times.len() == 3 && (27.0..28.0).contains(&times[0]), "{times:?}");
    let in_force: Vec<_> = denms.iter().filter(|(_, d)| d.denm.management.termination.is_none()).collect();
    let gaps = in_force.windows(2).map(|pair| seconds(pair[1].0) - seconds(pair[0].0));
    assert!(gaps.clone().all(|gap| gap < 1.001), "repeated every second: {:?}", gaps.collect::<Vec<_>>());
    let actions: std::collections::BTreeSet<_> = denms.iter().map(|(_, d)| d.denm.management.action_id).collect();
    assert_eq!(actions.len(), 1, "one car, one event");
    let valid_until_s = |d: &Denm| {
        masa_v2x_proto::time::Timestamp::from(d.denm.management.detection_time).seconds_since(at(0))
            + f64::from(d.denm.management.validity_duration_s)
    };
    assert!(in_force.iter().all(|(m, d)| valid_until_s(d) > seconds(m) + 1.0), "valid until after the next message");
    assert!(node.snapshot(at(34_000)).events.is_empty());
}

#[test]
fn a_person_who_steps_on_the_carriageway_is_a_warning_in_the_same_frame() {
    // From the pavement to the middle of the road at 1.2 m/s, away from the crossing.
    let walker = Actor::person(|ms| Some([24.0 + ms as f64 * 0.0012, -4.0]).filter(|[e_m, _]| *e_m < 31.0));
    let events = film(&[walker], 8_000);
    let mut node = node();
    let mut warned = None;
    for (index, event) in events.iter().enumerate() {
        let messages = run(&mut node, std::slice::from_ref(event));
        let object = node.snapshot(event.arrived_at).objects.first().cloned();
        // Half a metre inside the edge at 26 m, as the node itself sees it.
        let is_on_road = object.as_ref().is_some_and(|object| object.e_m >= 26.5);
        let denms = of_kind(&messages, MessageKind::Denm).len();
        if warned.is_none() {
            assert_eq!(denms > 0, is_on_road, "frame {index}: {object:?}");
            warned = is_on_road.then_some(index);
        }
    }
    // 26.5 m is reached after 2.1 s; the near side of the box is a quarter metre ahead, the filter a little behind.
    let index = warned.expect("the person was on the road");
    assert!((19..28).contains(&index), "frame {index}");
}

#[test]
fn a_person_who_is_on_the_road_when_first_seen_is_a_warning_with_the_frame_that_confirms() {
    let messages = play(&film(&[Actor::person(|_| Some([30.0, -4.0]))], 1_000));
    let (index, first) = of_kind(&messages, MessageKind::Denm)[0];
    assert_eq!((*index, first.captured_at), (1, Some(at(FRAME_MS))));
    assert_eq!(denm(first).denm.situation.as_ref().unwrap().event_type.code(), 12);
    assert_eq!(first.provenance.objects[0].sights[0].track_id, 1);
    assert!(first.provenance.rule.contains("triggered"), "{}", first.provenance.rule);
}

#[test]
fn a_person_on_the_crossing_is_none() {
    let messages = play(&film(&[Actor::person(|ms| Some([25.0 + ms as f64 * 0.0012, 10.0]))], 6_000));
    assert_eq!(of_kind(&messages, MessageKind::Denm).len(), 0);
    assert!(of_kind(&messages, MessageKind::Cpm).len() > 10, "but it is told of");
}

#[test]
fn the_same_events_give_the_same_bytes() {
    let walker = Actor::person(|ms| Some([24.0 + ms as f64 * 0.0012, -4.0]).filter(|[e_m, _]| *e_m < 31.0));
    let events = film(&[stopping_car(), passing_car(), walker], 34_000);
    let (first, second) = (play(&events), play(&events));
    assert!(first.len() > 60, "{}", first.len());
    assert_eq!(first, second);
}
