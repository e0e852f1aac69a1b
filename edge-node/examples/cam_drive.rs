//! Prints when a car sends its CAMs on a ten-minute drive, and why: `cargo run -p masa-edge-node --example cam_drive`.

#[path = "../tests/it/cam_drive/drive.rs"]
mod drive;

use masa_edge_node::effect::Effects;
use masa_edge_node::event::{EgoState, Event, EventBody, EventId, SourceId};
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::facilities::profile::StationKind;
use masa_edge_node::node::{Node, NodeError, NodeSettings};
use masa_edge_node::telemetry::NoProbe;
use masa_edge_node::world::WorldSettings;
use masa_edge_node::world::infrastructure::InfrastructureSite;
use masa_edge_node::world::ldm::LdmSettings;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::time::Timestamp;

fn main() -> Result<(), NodeError> {
    let origin = Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 34.0 };
    let frame = SiteFrame::new(origin);
    let mut node = Node::new(NodeSettings {
        station_id: 9_001,
        source_uuid: "masa_9001".into(),
        station_kind: StationKind::PassengerCar,
        position: origin,
        site_origin: origin,
        zones: Vec::new(),
        ranging: Vec::new(),
        cameras: Vec::new(),
        world: WorldSettings::default(),
        infrastructure: InfrastructureSite::default(),
        ldm: LdmSettings::default(),
        facilities: FacilitiesSettings::default(),
    })?;
    let mut effects = Effects::default();
    println!("{:>8} {:>6} {:>7} {:>5}  why", "s", "m/s", "deg", "bytes");
    for (seq, truth) in drive::drive().into_iter().enumerate() {
        let now = Timestamp::from_unix_ms(1_772_366_400_000 + truth.ms);
        let ego = EgoState {
            captured_at: now,
            position: frame.to_wgs84(Enu::ground(truth.e_m, truth.n_m)),
            heading_deg: Some(truth.heading_deg.rem_euclid(360.0)),
            speed_mps: Some(truth.speed_mps),
            ..EgoState::default()
        };
        let id = EventId { source: SourceId(1), seq: seq as u64 + 1 };
        node.step(&Event { arrived_at: now, id, body: EventBody::Ego(ego) }, &mut effects, &mut NoProbe);
        for cam in &effects.messages {
            println!(
                "{:8.2} {:6.2} {:7.1} {:5}  {}",
                truth.ms as f64 / 1e3,
                truth.speed_mps,
                truth.heading_deg.rem_euclid(360.0),
                cam.uper.len(),
                cam.provenance.rule
            );
        }
    }
    Ok(())
}
