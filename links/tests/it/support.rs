//! Messages, brokers and waiting, for the tests.

use bytes::Bytes;
use masa_links::{
    BrokerSettings, LinkName, LinkState, Links, LinksSettings, MessageKind, MqttSettings, Outgoing, Reader,
    ReaderSettings, Received, Station,
};
use masa_v2x_proto::time::Timestamp;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// Longest time anything here may take; reaching it is a failure, not a pace.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn station() -> Station {
    Station::new("test", 4001).unwrap()
}

#[allow(clippy::disallowed_methods, reason = "a test on real brokers runs in real time")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap())
}

/// A message whose payloads say which it is.
pub(crate) fn message(kind: MessageKind, seq: u64) -> Outgoing {
    let id = format!("4001-{}-{seq}", kind.name());
    Outgoing {
        kind: kind.into(),
        seq,
        generated_at: now(),
        quadkey: "120210233".into(),
        deadline: None,
        dissemination: masa_v2x_proto::geonet::Dissemination::default(),
        current: None,
        uper: Bytes::from(format!("uper {id}")),
        json: Bytes::from(format!("{{\"id\":\"{id}\"}}")),
        id,
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

pub(crate) fn on_free_port() -> Option<BrokerSettings> {
    Some(BrokerSettings { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..BrokerSettings::default() })
}

pub(crate) fn mqtt_at(port: u16) -> MqttSettings {
    MqttSettings { port, retry_max_ms: 200, ..MqttSettings::default() }
}

pub(crate) async fn with_embedded_broker() -> (Links, u16) {
    let links =
        Links::start(LinksSettings { broker: on_free_port(), ..LinksSettings::default() }, station()).await.unwrap();
    let port = links.broker_address().unwrap().port();
    (links, port)
}

pub(crate) fn mqtt_reader(port: u16, name: Option<&str>) -> Reader {
    let settings = ReaderSettings {
        mqtt: Some(mqtt_at(port)),
        acknowledge_as: name.map(str::to_owned),
        hold_ms: 60_000,
        ..ReaderSettings::default()
    };
    Reader::subscribe(&settings, &[]).unwrap()
}

/// Waits until a link of a reader or of links is in `state`; returns its words.
pub(crate) async fn wait_for(
    mut status: tokio::sync::watch::Receiver<Vec<masa_links::LinkStatus>>,
    link: LinkName,
    state: LinkState,
) -> String {
    let reached = status.wait_for(|all| all.iter().any(|s| s.link == link && s.state == state));
    let all = timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{link:?} never became {state:?}")).unwrap();
    all.iter().find(|s| s.link == link).unwrap().words.clone()
}

/// The next `count` messages of `kind`; others are skipped.
pub(crate) async fn receive(reader: &mut Reader, kind: MessageKind, count: usize) -> Vec<Received> {
    let mut got = Vec::new();
    while got.len() < count {
        match timeout(PATIENCE, reader.recv()).await {
            Ok(received) if received.kind == kind => got.push(received),
            Ok(_) => {}
            Err(_) => panic!("{} of {count} {} arrived: {:?}", got.len(), kind.name(), reader.stats()),
        }
    }
    got
}

pub(crate) fn seqs(received: &[Received]) -> Vec<u64> {
    received.iter().map(|r| r.header.as_ref().expect("numbered").seq).collect()
}

/// A child process that dies with the test.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// mosquitto on `port` without persistence; `None`, said by name, when it is not installed.
pub(crate) fn mosquitto(test: &str, port: u16, extra: &str) -> Option<(Killed, tempfile::TempDir)> {
    let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
        .unwrap_or("mosquitto");
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("mosquitto.conf");
    let mut file = std::fs::File::create(&config).unwrap();
    let extra = extra.replace("{dir}", &dir.path().display().to_string());
    let anonymous = if extra.contains("allow_anonymous") { "" } else { "allow_anonymous true" };
    writeln!(
        file,
        "listener {port} 127.0.0.1\n{anonymous}\npersistence false\nset_tcp_nodelay true\nuser root\n{extra}"
    )
    .unwrap();
    let child = Command::new(program).arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    match child {
        Ok(child) => Some((Killed(child), dir)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {test}: mosquitto is not installed");
            None
        }
        Err(e) => panic!("mosquitto: {e}"),
    }
}
