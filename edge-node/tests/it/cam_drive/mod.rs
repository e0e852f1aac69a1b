//! Ten minutes of driving: the node sends its CAMs exactly when the rules of EN 302 637-2 clause 6.1.3 say so.

#![allow(clippy::unwrap_used)]

mod drive;

use drive::{Truth, drive};
use masa_edge_node::effect::{Effects, MessageKind, OutMessage};
use masa_edge_node::event::{EgoState, Event, EventBody, EventId, SourceId};
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::facilities::profile::StationKind;
use masa_edge_node::node::{Node, NodeSettings};
use masa_edge_node::telemetry::NoProbe;
use masa_edge_node::world::WorldSettings;
use masa_edge_node::world::infrastructure::InfrastructureSite;
use masa_edge_node::world::ldm::LdmSettings;
use masa_v2x_proto::Message;
use masa_v2x_proto::cam::LowFrequencyContainer;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::time::Timestamp;

const ORIGIN: Wgs84 = Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 34.0 };

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_772_366_400_000 + ms)
}

/// The rules of clause 6.1.3 read off the page, on the truth; nothing of the node is used. Milliseconds.
fn standard_says(drive: &[Truth], t_gen_cam_dcc_ms: i64) -> Vec<i64> {
    let (t_gen_cam_max_ms, n_gen_cam) = (1_000, 3);
    let mut sent: Vec<&Truth> = Vec::new();
    let mut t_gen_cam_ms = t_gen_cam_max_ms;
    let mut triggered_by_condition_2 = 0;
    for now in drive {
        let Some(last) = sent.last() else {
            sent.push(now);
            continue;
        };
        let elapsed_ms = now.ms - last.ms;
        let turned = (now.heading_deg - last.heading_deg).abs();
        let moved = ((now.e_m - last.e_m).powi(2) + (now.n_m - last.n_m).powi(2)).sqrt();
        let dynamics = turned > 4.0 || moved > 4.0 || (now.speed_mps - last.speed_mps).abs() > 0.5;
        let condition_1 = elapsed_ms >= t_gen_cam_dcc_ms && dynamics;
        let condition_2 = elapsed_ms >= t_gen_cam_ms && elapsed_ms >= t_gen_cam_dcc_ms;
        if condition_1 {
            t_gen_cam_ms = elapsed_ms;
            triggered_by_condition_2 = 0;
            sent.push(now);
        } else if condition_2 {
            triggered_by_condition_2 += 1;
            if triggered_by_condition_2 == n_gen_cam {
                t_gen_cam_ms = t_gen_cam_max_ms;
                triggered_by_condition_2 = 0;
            }
            sent.push(now);
        }
    }
    sent.iter().map(|truth| truth.ms).collect()
}

fn node() -> Node {
    Node::new(NodeSettings {
        station_id: 9_001,
        source_uuid: "masa_9001".into(),
        station_kind: StationKind::PassengerCar,
        position: ORIGIN,
        site_origin: ORIGIN,
        zones: Vec::new(),
        ranging: Vec::new(),
        cameras: Vec::new(),
        world: WorldSettings::default(),
        infrastructure: InfrastructureSite::default(),
        ldm: LdmSettings::default(),
        facilities: FacilitiesSettings::default(),
    })
    .unwrap()
}

/// What the node sends when it is told the truth.
fn node_says(drive: &[Truth]) -> Vec<OutMessage> {
    let (mut node, mut effects, frame) = (node(), Effects::default(), SiteFrame::new(ORIGIN));
    let (mut out, mut seq) = (Vec::new(), 0);
    for truth in drive {
        let ego = EgoState {
            captured_at: at(truth.ms),
            position: frame.to_wgs84(Enu::ground(truth.e_m, truth.n_m)),
            heading_deg: Some(truth.heading_deg.rem_euclid(360.0)),
            speed_mps: Some(truth.speed_mps),
            ..EgoState::default()
        };
        // The way a runner does it: a wake-up first when one is due before.
        while let Some(wake_at) = effects.wake_at.filter(|wake_at| *wake_at < at(truth.ms)) {
            let wake_up =
                Event { arrived_at: wake_at, id: EventId { source: SourceId::NODE, seq }, body: EventBody::WakeUp };
            node.step(&wake_up, &mut effects, &mut NoProbe);
            out.append(&mut effects.messages);
        }
        seq += 1;
        let event =
            Event { arrived_at: at(truth.ms), id: EventId { source: SourceId(1), seq }, body: EventBody::Ego(ego) };
        node.step(&event, &mut effects, &mut NoProbe);
        out.append(&mut effects.messages);
    }
    out
}

#[test]
fn cams_leave_when_the_standard_says() {
    let drive = drive();
    let expected = standard_says(&drive, 100);
    let messages = node_says(&drive);
    assert!(messages.iter().all(|message| message.kind == MessageKind::Cam), "a car without cameras sends CAMs only");
    let sent: Vec<_> = messages.iter().map(|m| m.generated_at.unix_ms() - at(0).unix_ms()).collect();
    // A difference is easier to read than two lists of two thousand numbers.
    let difference = sent.iter().zip(&expected).find(|(sent, expected)| sent != expected);
    assert_eq!(difference, None, "sent and expected, milliseconds");
    assert_eq!(sent.len(), expected.len());
    println!("{} CAMs in {} s, as the standard says", sent.len(), drive::DRIVE_MS / 1_000);
    // The drive uses the whole range of intervals, or it proves little.
    let intervals: std::collections::BTreeSet<_> = sent.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(
        intervals.contains(&1_000) && intervals.iter().any(|ms| *ms < 200) && intervals.len() > 20,
        "{intervals:?}"
    );
}

#[test]
fn low_frequency_containers_and_path_histories_keep_their_limits() {
    let mut last_ms = None;
    for message in node_says(&drive()) {
        let Ok(Message::Cam(cam)) = Message::decode(&message.uper) else { panic!("{}", message.id) };
        cam.check_limits().unwrap();
        let ms = message.generated_at.unix_ms();
        let due = last_ms.is_none_or(|last_ms| ms - last_ms >= 500);
        let low = cam.cam.cam_parameters.low_frequency_container;
        assert_eq!(low.is_some(), due, "{}", message.id);
        if let Some(LowFrequencyContainer::BasicVehicle(low)) = low {
            assert!(low.path_history.len() <= 23, "{}", message.id);
            last_ms = Some(ms);
        }
    }
}
