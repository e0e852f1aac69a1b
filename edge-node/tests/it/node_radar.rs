//! A node with a camera and a radar: what it says at night, where that came from, and that a replay says the same.

use crate::node_street::{CAMERA, at, detections_event, run, settings};
use masa_edge_node::effect::OutMessage;
use masa_edge_node::event::{Event, EventBody, EventId, MAX_TARGETS, RadarScan, RadarTarget, SourceId};
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::node::{Node, NodeSettings};
use masa_edge_node::perception::ranging::RangingSettings;
use masa_edge_node::recorder::{Entry, Record, Recorder, Recording, proto};
use masa_v2x_proto::Message;
use masa_v2x_proto::cpm::{Cpm, SensorType};

const RADAR: SourceId = SourceId(2);
/// Time between two scans, and from the measurement to the core.
const SCAN_MS: i64 = 50;
const LATENCY_MS: i64 = 30;

fn street() -> NodeSettings {
    let radar = "id = 'mast'\nposition-m = [20.0, -50.0, 6.0]\nheading-deg = 0.0\nrange = 'ground'\n\
        footprint-m = [[20.0, -45.0], [40.0, -45.0], [40.0, 60.0], [20.0, 60.0]]";
    let radar = RangingSettings::Radar(toml::from_str(radar).expect("settings of a radar"));
    NodeSettings { ranging: vec![(RADAR, radar)], ..settings(FacilitiesSettings::default()) }
}

/// The target of a place that moves along the road, north, of a radar at 20 m east, 50 m south that looks north.
fn target([e, n]: [f64; 2], mps: f64, rcs_dbsm: f32) -> RadarTarget {
    let (right, ahead) = (e - 20.0, n + 50.0);
    let range_m = right.hypot(ahead);
    RadarTarget {
        range_m: range_m as f32,
        azimuth_rad: (-right).atan2(ahead) as f32,
        radial_mps: (mps * ahead / range_m) as f32,
        rcs_dbsm,
    }
}

fn scan(seq: u64, ms: i64, targets: Vec<RadarTarget>) -> Event {
    let body = EventBody::RadarScan(RadarScan { scan: seq, captured_at: at(ms), targets });
    Event { arrived_at: at(ms + LATENCY_MS), id: EventId { source: RADAR, seq }, body }
}

/// A car drives south to north at 12 m/s; the camera shows nothing.
fn night() -> Vec<Event> {
    let scans = (0..60).map(|step| {
        let (ms, t) = (step * SCAN_MS, step as f64 * SCAN_MS as f64 / 1e3);
        let car = [-2.2, 0.0, 2.0].map(|along| target([31.0, -20.0 + 12.0 * t + along], 12.0, 9.0));
        scan(step as u64 + 1, ms, car.to_vec())
    });
    let frames = (0..30).map(|step| detections_event(step as u64 + 1, step * 100, Vec::new()));
    let mut events: Vec<Event> = scans.chain(frames).collect();
    events.sort_by_key(|event| (event.arrived_at, event.id));
    events
}

/// The CPMs among the messages of a run.
fn cpms(messages: &[(usize, OutMessage)]) -> Vec<(&OutMessage, Box<Cpm>)> {
    let decoded =
        messages.iter().map(|(_, message)| (message, Message::decode(&message.uper).expect("what was sent decodes")));
    decoded
        .filter_map(|(message, content)| if let Message::Cpm(cpm) = content { Some((message, cpm)) } else { None })
        .collect()
}

#[test]
fn what_only_the_radar_sees_is_told_with_its_speed_its_sensor_and_its_cause() {
    let messages = run(&mut Node::new(street()).unwrap(), &night());
    let cpms = cpms(&messages);
    let (message, with_object) =
        cpms.iter().rfind(|(_, cpm)| cpm.payload.cpm_containers.perceived_object.is_some()).expect("a CPM of the car");
    let object = &with_object.payload.cpm_containers.perceived_object.as_ref().unwrap().perceived_objects[0];
    assert_eq!(object.sensor_id_list.as_ref().map(|ids| ids.to_vec()), Some(vec![2]));
    let cause = &message.provenance.objects[0].sights[0];
    assert_eq!((cause.camera, cause.bounding_box), (RADAR, None));
    assert!(cause.detection.is_some() && cause.last_event.source == RADAR, "{cause:?}");

    let sensors = cpms.iter().find_map(|(_, cpm)| cpm.payload.cpm_containers.sensor_information.clone()).unwrap();
    let types: Vec<_> = sensors.iter().map(|sensor| (sensor.sensor_id, sensor.sensor_type)).collect();
    assert_eq!(types, [(1, SensorType::Monovideo), (2, SensorType::Radar)]);
    assert!(sensors[1].perception_region_shape.is_some());
}

#[test]
fn without_the_radar_nothing_is_told_of_it() {
    let events: Vec<Event> = night().into_iter().filter(|event| event.id.source == CAMERA).collect();
    let messages = run(&mut Node::new(street()).unwrap(), &events);
    let cpms = cpms(&messages);
    assert!(!cpms.is_empty(), "the sensors are told of all the same");
    assert!(cpms.iter().all(|(_, cpm)| cpm.payload.cpm_containers.perceived_object.is_none()));
}

#[test]
fn recorded_scans_replay_to_the_same_bytes() {
    let events = night();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("night.mcap");
    let records: Vec<Record> = events.iter().cloned().map(Record::Event).collect();
    Recorder::write(&path, proto::Header::default(), &records).unwrap();
    let read: Vec<Event> = Recording::open(&path)
        .unwrap()
        .filter_map(|entry| match entry.unwrap() {
            Entry::Event(event) => Some(event),
            _ => None,
        })
        .collect();
    assert_eq!(read, events);
    let bytes = |events: &[Event]| -> Vec<_> {
        run(&mut Node::new(street()).unwrap(), events).into_iter().map(|(_, m)| (m.uper, m.json)).collect()
    };
    let first = bytes(&events);
    assert!(first.len() > 5);
    assert_eq!(first, bytes(&read));
}

#[test]
fn scans_that_cannot_be_are_counted_and_harm_nobody() {
    let mut node = Node::new(street()).unwrap();
    let broken = RadarTarget { range_m: f32::NAN, ..target([31.0, 0.0], 1.0, 0.0) };
    let mut strange = scan(4, 300, Vec::new());
    strange.id.source = SourceId(9);
    let many = vec![target([31.0, 0.0], 1.0, 0.0); MAX_TARGETS + 1];
    run(&mut node, &[scan(1, 0, vec![broken]), scan(2, 100, many), scan(3, -50, Vec::new()), strange]);
    let counted = |reason: &str| node.snapshot(at(400)).counters.drops.get(reason).copied().unwrap_or(0);
    for reason in ["scan-target-not-valid", "scan-too-long", "scan-late", "unknown-sensor"] {
        assert_eq!(counted(reason), 1, "{reason}");
    }
}
