//! A real broker (mosquitto) for the tests that need one.

use rumqttc::{Client, Event, MqttOptions, Packet, PublishOptions, QoS};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A broker of our own; killed when dropped.
pub(crate) struct Mosquitto(Child);

impl Mosquitto {
    pub(crate) fn start(program: &Path, folder: &Path, port: u16) -> Self {
        let configuration = folder.join("mosquitto.conf");
        std::fs::write(&configuration, format!("listener {port} 127.0.0.1\nallow_anonymous true\n")).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(configuration).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The program; says that `test` is skipped where it is not installed.
pub(crate) fn mosquitto(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")]);
    let found = folders.map(|folder| folder.join("mosquitto")).find(|program| program.is_file());
    if found.is_none() {
        eprintln!("skipped: {test}: mosquitto is not installed");
    }
    found
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Publishes and waits for the broker's acknowledgement.
pub(crate) fn publish(port: u16, topic: &str, payload: impl Into<Vec<u8>>) {
    let mut options = MqttOptions::new("sensor", ("127.0.0.1", port));
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut connection) = Client::builder(options).capacity(4).build();
    client.publish(topic, payload.into(), PublishOptions::new(QoS::AtLeastOnce)).unwrap();
    let acknowledged = connection.iter().any(|event| matches!(event.unwrap(), Event::Incoming(Packet::PubAck(_))));
    assert!(acknowledged);
}
