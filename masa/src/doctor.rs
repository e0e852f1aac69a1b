//! `masa doctor`: explain in words what is wrong with a configuration before it runs.

use anyhow::bail;
use clap::Args;
use masa_edge_node::config::Configuration;
use masa_edge_node::facilities::profile::Profile;
use masa_edge_node::node::Node;
use masa_edge_node::run::node_settings;
use masa_edge_node::sources::camera::CameraSourceSettings;
use masa_edge_node::sources::gnss::GnssMedium;
use masa_inference::Detector;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a camera or broker has to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Check a node's configuration: files, models, calibration, cameras, brokers, ports.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The node's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// What was found; printed as it is found.
#[derive(Default)]
struct Findings {
    problems: u32,
}

impl Findings {
    fn good(&self, words: &str) {
        println!("  ok       {words}");
    }

    fn note(&self, words: &str) {
        println!("  note     {words}");
    }

    fn problem(&mut self, words: &str) {
        self.problems += 1;
        println!("  problem  {words}");
    }
}

impl Doctor {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        println!("{}", self.config.display());
        let mut findings = Findings::default();
        match Configuration::load(&self.config) {
            Ok(configuration) => examine(&configuration, &mut findings),
            Err(error) => findings.problem(&error.to_string()),
        }
        match findings.problems {
            0 => {
                println!("nothing is wrong");
                Ok(())
            }
            n => bail!("{n} problem{} found", if n == 1 { "" } else { "s" }),
        }
    }
}

fn examine(configuration: &Configuration, findings: &mut Findings) {
    let site = &configuration.site;
    findings.good(&format!(
        "node `{}`, station {}, site `{}` with {} cameras and {} zones",
        configuration.node.node.name,
        configuration.node.node.station_id,
        site.site.id,
        site.cameras.len(),
        site.zones.len()
    ));
    match Node::new(node_settings(configuration)) {
        Ok(_) => findings.good("map, calibration and facility settings fit together"),
        Err(error) => findings.problem(&error.to_string()),
    }
    if configuration.node.cameras.is_empty() {
        findings.note("no [[camera]]: this node will only send CAMs");
    }
    for (_, section, _) in configuration.cameras() {
        camera_source(&section.id, &section.source, findings);
        match Detector::open(&section.model, section.model_file.as_deref(), &configuration.node.engine) {
            Ok(detector) => findings.good(&format!(
                "camera `{}`: model {} runs on {} ({})",
                section.id,
                detector.description().model.name,
                configuration.node.engine.engine,
                detector.provider()
            )),
            Err(error) => findings.problem(&format!("camera `{}`: {error}", section.id)),
        }
    }
    if let Some(iot) = &configuration.node.iot {
        reachable("sensor broker", &iot.broker, 1883, findings);
    }
    if let Some(controller) = &configuration.node.signal_controller {
        reachable("signal controller's broker", &controller.broker, 1883, findings);
    }
    match configuration.node.gnss.as_ref().map(|gnss| &gnss.source) {
        Some(GnssMedium::Tcp(address)) => reachable("GNSS receiver", address, 10_110, findings),
        Some(GnssMedium::Gpsd(address)) => reachable("gpsd", address, 2947, findings),
        Some(GnssMedium::Device(path)) => readable("GNSS receiver", path, findings),
        None if configuration.node.node.station_type.profile() != Profile::Roadside => {
            findings.note("no [gnss]: a mobile station that does not know where it is sends nothing");
        }
        None => {}
    }
    if let Some(web) = &configuration.node.web {
        match TcpListener::bind(web.listen) {
            Ok(_) => findings.good(&format!("live page: {} is free", web.listen)),
            Err(error) => findings.problem(&format!("live page: cannot listen on {}: {error}", web.listen)),
        }
    }
    links(configuration, findings);
    match &configuration.node.recording {
        Some(recording) => writable("recordings", &recording.directory, findings),
        None => findings.note("no [recording]: nothing can be replayed or explained later"),
    }
}

fn camera_source(id: &str, source: &CameraSourceSettings, findings: &mut Findings) {
    match source {
        CameraSourceSettings::File(file) => readable(&format!("camera `{id}`"), &file.path, findings),
        CameraSourceSettings::Folder(folder) => readable(&format!("camera `{id}`"), &folder.path, findings),
        CameraSourceSettings::Mjpeg(mjpeg) => reachable(&format!("camera `{id}`"), &mjpeg.url, 80, findings),
        CameraSourceSettings::Rtsp(rtsp) => reachable(&format!("camera `{id}`"), &rtsp.url, 554, findings),
    }
}

fn readable(what: &str, path: &Path, findings: &mut Findings) {
    match std::fs::metadata(path) {
        Ok(_) => findings.good(&format!("{what}: {} is there", path.display())),
        Err(error) => findings.problem(&format!("{what}: {}: {error}", path.display())),
    }
}

fn links(configuration: &Configuration, findings: &mut Findings) {
    let links = &configuration.node.links;
    if links.zenoh.is_none() && links.mqtt.is_none() && links.broker.is_none() && links.geonet.is_none() {
        findings
            .problem("no [links.zenoh], [links.mqtt], [links.broker] or [links.geonet]: nobody can receive anything");
    }
    if let Some(mqtt) = &links.mqtt {
        reachable("MQTT broker", &format!("{}:{}", mqtt.host, mqtt.port), mqtt.port, findings);
    }
    for endpoint in links.zenoh.iter().flat_map(|zenoh| &zenoh.connect) {
        // A Zenoh endpoint is protocol/address.
        reachable(
            "Zenoh peer",
            endpoint.split_once('/').map_or(endpoint.as_str(), |(_, address)| address),
            7447,
            findings,
        );
    }
    match links.outbox.path.as_deref() {
        Some(path) => writable("outbox", path.parent().unwrap_or(Path::new(".")), findings),
        None => findings.note("no links.outbox.path: DENMs that wait for a broker are lost when the node stops"),
    }
}

fn writable(what: &str, directory: &Path, findings: &mut Findings) {
    let made = std::fs::create_dir_all(directory);
    let probe = directory.join(".masa-doctor");
    match made.and_then(|()| std::fs::write(&probe, b"")).and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => findings.good(&format!("{what}: {} can be written", directory.display())),
        Err(error) => findings.problem(&format!("{what}: {} cannot be written: {error}", directory.display())),
    }
}

/// Whether something listens at the host and port of a URL.
fn reachable(what: &str, url: &str, default_port: u16, findings: &mut Findings) {
    let Some(host) = host_and_port(url, default_port) else {
        return findings.problem(&format!("{what}: `{url}` names no host"));
    };
    let addresses: Vec<SocketAddr> = match host.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => return findings.problem(&format!("{what}: {host}: {error}")),
    };
    let attempts: Vec<_> = addresses.iter().map(|address| TcpStream::connect_timeout(address, PATIENCE)).collect();
    match attempts.into_iter().reduce(|first, next| first.or(next)) {
        Some(Ok(_)) => findings.good(&format!("{what}: {host} answers")),
        Some(Err(error)) => findings.problem(&format!("{what}: {host} does not answer: {error}")),
        None => findings.problem(&format!("{what}: {host} has no address")),
    }
}

/// `host:port` of a URL, without credentials and path.
fn host_and_port(url: &str, default_port: u16) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match (host.is_empty(), has_port) {
        (true, _) => None,
        (false, true) => Some(host.to_owned()),
        (false, false) => Some(format!("{host}:{default_port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_of_every_form_of_url() {
        let cases = [
            ("rtsp://user:pass@camera.example:8554/stream", Some("camera.example:8554")),
            ("http://10.0.0.1/video?x=1", Some("10.0.0.1:80")),
            ("mqtt://broker", Some("broker:80")),
            ("127.0.0.1:7447", Some("127.0.0.1:7447")),
            ("http:///nothing", None),
        ];
        for (url, expected) in cases {
            assert_eq!(host_and_port(url, 80).as_deref(), expected, "{url}");
        }
    }
}
