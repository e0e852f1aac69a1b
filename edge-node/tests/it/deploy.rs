//! What stands under `deploy/sites/masa-modena` does what it says.

#![allow(clippy::unwrap_used)]

use masa_edge_node::config::{Configuration, NodeFile, SiteFile};
use masa_edge_node::perception::ranging::RangingPerception;
use masa_edge_node::recorder::{Entry, Recording};
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::LiveNode;
use masa_links::{LinksSettings, MessageKind};
use masa_v2x_proto::Message;
use masa_v2x_proto::ivim::IviContainer;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest time anything here may take; reaching it is a failure, not a pace.
const PATIENCE: Duration = Duration::from_secs(60);

fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/sites/masa-modena").join(name)
}

/// The configuration of a deployed node; `None` after saying that `test` is skipped, because calibrations are missing.
fn load(test: &str, name: &str) -> Option<Configuration> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("MASA_TEST_DATA").map_or(beside, PathBuf::from);
    if !data.join("percep/masa/calib").exists() {
        println!("skipped: {test}: {} is missing", data.join("percep/masa/calib").display());
        return None;
    }
    Some(Configuration::load(&deployed(name)).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_roadside_node_tells_of_its_junction_and_its_sign() {
    let Some(mut configuration) = load("the_roadside_node_tells_of_its_junction_and_its_sign", "node.toml") else {
        return;
    };
    // No ports of the machine, no files in the checkout.
    let folder = tempfile::tempdir().unwrap();
    configuration.node.links = LinksSettings::default();
    configuration.node.web = None;
    configuration.node.recording.as_mut().unwrap().directory = folder.path().to_owned();
    let node = LiveNode::start(&configuration, TimeBase::Wall).await.unwrap();
    let wanted = [MessageKind::Mapem, MessageKind::Spatem, MessageKind::Ivim];
    let mut snapshots = node.snapshots();
    let all = snapshots.wait_for(|snapshot| wanted.iter().all(|kind| snapshot.counters.messages.contains_key(kind)));
    drop(tokio::time::timeout(PATIENCE, all).await.expect("all three are sent").unwrap());
    let recording = node.shutdown(Duration::from_secs(5)).await.recording.unwrap().0;
    let mut seen = 0;
    for entry in Recording::open(&recording).unwrap().map(Result::unwrap) {
        let Entry::Message(message) = entry else { continue };
        match Message::decode(&message.uper).unwrap() {
            Message::Mapem(mapem) => {
                let intersection = &mapem.map.intersections.unwrap()[0];
                assert_eq!((intersection.id.id, intersection.lane_set.len()), (101, 7));
                assert!((intersection.ref_point.latitude_deg.unwrap() - 44.65554).abs() < 1e-6);
            }
            Message::Spatem(spatem) => {
                let intersection = &spatem.spat.intersections[0];
                assert_eq!((intersection.id.id, intersection.states.len()), (101, 2));
            }
            Message::Ivim(ivim) => {
                let containers = ivim.ivi.optional.unwrap();
                assert!(containers.iter().any(|container| matches!(container, IviContainer::General(_))));
            }
            _ => continue,
        }
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}

/// Comments that are settings, uncommented.
fn uncommented(text: &str) -> String {
    let is_setting = |line: &str| {
        let key = line.split([' ', '.']).next().unwrap_or_default();
        line.starts_with('[') || line.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    };
    let line = |line: &str| match line.strip_prefix("# ").filter(|rest| is_setting(rest)) {
        Some(setting) => setting.to_owned(),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_commented_out_parses_too() {
    for (name, sections) in [("node.toml", 3), ("on-board.toml", 1)] {
        let text = std::fs::read_to_string(deployed(name)).unwrap();
        let node: NodeFile = toml::from_str(&uncommented(&text)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = [
            node.security.is_some(),
            node.signal_controller.is_some(),
            name == "node.toml" && node.links.geonet.is_some(),
        ];
        assert_eq!(found.into_iter().filter(|found| *found).count(), sections, "{name}");
    }
    let text = std::fs::read_to_string(deployed("site.toml")).unwrap();
    let site: SiteFile = toml::from_str(&uncommented(&text)).unwrap_or_else(|error| panic!("site.toml: {error}"));
    for id in ["mast-radar", "mast-lidar"] {
        RangingPerception::new(&site.ranging(id).expect(id)).unwrap();
    }
}

#[test]
fn the_car_is_told_where_it_is() {
    let Some(configuration) = load("the_car_is_told_where_it_is", "on-board.toml") else { return };
    assert!(configuration.node.gnss.is_some());
    assert_eq!(configuration.source_names(), ["node", "geonet", "gnss"]);
    assert_eq!((configuration.geonet_source().0, configuration.gnss_source().0), (1, 2));
}
