//! What a node is told of the simulated devices: the settings of its ordinary sources, as they would stand in its file.

use masa_edge_node::config::toml_string;
use masa_edge_node::recorder::RecorderSettings;
use masa_edge_node::sources::camera::CameraSourceSettings;
use masa_edge_node::sources::gnss::GnssSettings;
use masa_edge_node::sources::signal_controller::ControllerSettings;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::Path;

/// A network camera that tells when its shutter opened.
pub(super) fn network_camera(url: &str) -> CameraSourceSettings {
    section(&format!("kind = \"mjpeg\"\nurl = {}\ntimes = \"x-timestamp\"", toml_string(url)))
}

/// A receiver behind a serial server.
pub(super) fn receiver(address: SocketAddr) -> GnssSettings {
    section(&format!("source = {{ tcp = \"{address}\" }}"))
}

/// Controllers behind a broker.
pub(super) fn controller(broker: SocketAddr, signals_topic: &str, station_id: u32) -> ControllerSettings {
    section(&format!(
        "broker = \"mqtt://{broker}\"\nclient-id = \"masa-controller-{station_id}\"\nsignals-topic = {}",
        toml_string(signals_topic)
    ))
}

/// A recorder of everything but pictures.
pub(super) fn recorder(directory: &Path) -> RecorderSettings {
    section(&format!("directory = {}", toml_string(&directory.display().to_string())))
}

fn section<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("the settings of a source, written above, parse")
}
