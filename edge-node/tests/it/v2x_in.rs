//! A neighbour's messages through real transports into a live node, its recording, and a replay of it.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use masa_edge_node::config::Configuration;
use masa_edge_node::event::EventBody;
use masa_edge_node::recorder::{Entry, Recording};
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::LiveNode;
use masa_edge_node::run::replay::replay;
use masa_links::{BrokerSettings, Links, LinksSettings, MessageKind, MqttSettings, Outgoing, Station, ZenohSettings};
use masa_v2x_proto::cam::{BasicContainer, Cam, CamParameters, HighFrequencyContainer, RsuContainerHighFrequency};
use masa_v2x_proto::cdd::{ReferencePosition, StationId, StationType};
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// Longest time anything here may take; reaching it is a failure, not a pace.
const PATIENCE: Duration = Duration::from_secs(60);
const NEIGHBOUR: u32 = 4_001;
const OWN: u32 = 4_002;

#[allow(clippy::disallowed_methods, reason = "a test on real transports runs in real time")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap())
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn configuration(directory: &Path, v2x_in: &str) -> Configuration {
    let site = "[site]\nid = 'here'\nname = 'Here'\n[origin]\nlatitude-deg = 44.65554\nlongitude-deg = 10.934315\n";
    fs::write(directory.join("site.toml"), site).unwrap();
    let node = format!(
        "[node]\nname = 'Here'\nstation-id = {OWN}\nsite = 'site.toml'\n[recording]\ndirectory = 'recordings'\n{v2x_in}"
    );
    fs::write(directory.join("node.toml"), node).unwrap();
    Configuration::load(&directory.join("node.toml")).unwrap()
}

fn cam(station: u32) -> Vec<u8> {
    let parameters = CamParameters {
        basic_container: BasicContainer {
            station_type: StationType::RoadSideUnit,
            reference_position: ReferencePosition {
                latitude_deg: Some(44.6556),
                longitude_deg: Some(10.9344),
                ..ReferencePosition::default()
            },
        },
        high_frequency_container: HighFrequencyContainer::Rsu(RsuContainerHighFrequency::default()),
        low_frequency_container: None,
        special_vehicle_container: None,
        extension_containers: None,
    };
    Cam::new(StationId(station), now(), parameters).to_uper().unwrap()
}

fn publish(links: &Links, station: u32, seq: u64, uper: Vec<u8>) {
    let outgoing = Outgoing {
        id: format!("{station}-cam-{seq}"),
        kind: MessageKind::Cam.into(),
        seq,
        generated_at: now(),
        quadkey: "120210233".into(),
        deadline: None,
        current: None,
        dissemination: Dissemination::default(),
        uper: Bytes::from(uper),
        json: Bytes::from_static(b"{}"),
    };
    links.publish(outgoing).unwrap();
}

/// Publishes a neighbour's CAM, its garbage and an echo of the node's own until all three have shown their effect; then
/// the recording must hold them and replay to the same bytes.
async fn neighbour_is_heard(settings: LinksSettings, v2x_in: impl FnOnce(&Links) -> String) {
    neighbour_is_heard_by(settings, v2x_in, "there/4001").await;
}

async fn neighbour_is_heard_by(settings: LinksSettings, v2x_in: impl FnOnce(&Links) -> String, origin: &str) {
    let neighbour = Links::start(settings, Station::new("there", NEIGHBOUR).unwrap()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let configuration = configuration(directory.path(), &v2x_in(&neighbour));
    let node = LiveNode::start(&configuration, TimeBase::Wall).await.unwrap();
    let mut snapshots = node.snapshots();
    let mut seq = 0;
    let heard = async {
        loop {
            // Best effort: what is published before the node has subscribed is lost, so it is published again.
            for uper in [cam(NEIGHBOUR), cam(OWN), vec![2, 2, seq as u8]] {
                seq += 1;
                publish(&neighbour, NEIGHBOUR, seq, uper);
            }
            let _ = timeout(Duration::from_millis(200), snapshots.changed()).await;
            let snapshot = snapshots.borrow_and_update().clone();
            let drops = &snapshot.counters.drops;
            if snapshot.received.stations == 1
                && drops.contains_key("received-own")
                && drops.contains_key("received-undecodable")
            {
                return snapshot;
            }
        }
    };
    let snapshot = timeout(PATIENCE, heard).await.expect("the neighbour is heard");
    let undecodable = snapshot.received.undecodable.clone().unwrap();
    assert!(undecodable.contains(origin) && undecodable.contains("CAM"), "{undecodable}");
    let summary = node.shutdown(Duration::from_secs(5)).await;
    let (recording, lost) = summary.recording.unwrap();
    assert_eq!(lost, 0);
    let heard = |entry: &Entry| matches!(entry, Entry::Event(e) if matches!(e.body, EventBody::Received(_)));
    let recorded = Recording::open(&recording).unwrap().map(Result::unwrap).filter(heard).count();
    assert!(recorded >= 3, "{recorded} received messages are recorded");
    let report = replay(&recording, None, &mut |_| {}).unwrap();
    assert_eq!(report.difference, None);
    assert!(report.messages > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_is_heard_over_zenoh() {
    let endpoint = format!("tcp/127.0.0.1:{}", free_port());
    let zenoh = ZenohSettings { listen: vec![endpoint.clone()], ..ZenohSettings::default() };
    let settings = LinksSettings { zenoh: Some(zenoh), ..LinksSettings::default() };
    neighbour_is_heard(settings, |_| format!("[v2x-in.reader.zenoh]\nconnect = ['{endpoint}']\n")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_is_heard_over_mqtt() {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let broker = Links::start(
        LinksSettings {
            broker: Some(BrokerSettings { listen, ..BrokerSettings::default() }),
            ..LinksSettings::default()
        },
        Station::new("broker", 1).unwrap(),
    )
    .await
    .unwrap();
    let port = broker.broker_address().unwrap().port();
    let mqtt = MqttSettings { port, client_id: Some("neighbour".into()), ..MqttSettings::default() };
    let settings = LinksSettings { mqtt: Some(mqtt), ..LinksSettings::default() };
    let v2x_in = format!("[v2x-in.reader.mqtt]\nport = {port}\n[[v2x-in.select]]\nsite = 'there'\nkind = 'cam'\n");
    neighbour_is_heard(settings, |_| v2x_in).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_is_heard_over_geonetworking() {
    // Two tunnels that know each other's port: the neighbour's is found first, and is told the node's when it runs.
    let (here, there) = (free_udp_port(), free_udp_port());
    let geonet = |own: u16, peer: u16| {
        format!(
            "{{ medium = {{ udp = {{ listen = '127.0.0.1:{own}', peers = ['127.0.0.1:{peer}'] }} }}, \
             position = {{ lat_deg = 44.6556, lon_deg = 10.9344, alt_m = 0.0 }} }}"
        )
    };
    let neighbours: LinksSettings = toml::from_str(&format!("geonet = {}", geonet(there, here))).unwrap();
    let v2x_in = format!("[links]\ngeonet = {}\n", geonet(here, there));
    neighbour_is_heard_by(neighbours, |_| v2x_in, "geonet ").await;
}

fn free_udp_port() -> u16 {
    std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
