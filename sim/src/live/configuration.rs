//! What a node is told of the simulated devices: the settings of its ordinary sources, as they would stand in its file.

use masa_edge_node::config::toml_string;
use masa_edge_node::recorder::RecorderSettings;
use masa_edge_node::sources::camera::CameraSourceSettings;
use masa_edge_node::sources::gnss::GnssSettings;
use masa_edge_node::sources::iot_mqtt::IotSettings;
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

/// A mast with environmental sensors behind a broker; `measured` are their names in payloads and as quantities.
pub(super) fn mast<'a>(broker: SocketAddr, topic: &str, measured: impl Iterator<Item = &'a str>) -> IotSettings {
    let mut text = format!("broker = \"mqtt://{broker}\"\n");
    for name in measured {
        text += &format!(
            "[[mappings]]\ntopic = {}\nsensor = {{ pointer = \"/sensor\" }}\nquantity = \"{name}\"\nvalue = \"/{name}/value\"\n\
             unit = {{ pointer = \"/{name}/unit\" }}\ntime = {{ pointer = \"/time\", format = \"rfc3339\" }}\n",
            toml_string(topic)
        );
    }
    section(&text)
}

/// A recorder of everything but pictures.
pub(super) fn recorder(directory: &Path) -> RecorderSettings {
    section(&format!("directory = {}", toml_string(&directory.display().to_string())))
}

fn section<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("the settings of a source, written above, parse")
}
