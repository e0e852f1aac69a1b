//! The processes of a run. Node and data room are this test binary, which runs itself with one of the "tests" below by name;
//! without the variables that say what to do nobody asks for them, hence `ignore`.

use crate::embedded;
use bytes::Bytes;
use masa_data_room::api::ApiSettings;
use masa_data_room::settings::StoreSettings;
use masa_data_room::store::postgres::PostgresSettings;
use masa_data_room::{DataRoom, DataRoomSettings};
use masa_links::{Links, LinksSettings, MessageKind, MqttSettings, OutboxSettings, Outgoing, Secret, Station, clock};
use masa_v2x_proto::geonet::Dissemination;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A process that is killed when dropped.
#[derive(Debug)]
pub(crate) struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// mosquitto without persistence: what it has when it is killed is gone.
#[derive(Debug)]
pub(crate) struct Broker(#[allow(dead_code, reason = "kills when dropped")] Child);

impl Broker {
    fn command() -> Command {
        // Debian installs it where only root's path leads.
        let sbin = Path::new("/usr/sbin/mosquitto");
        Command::new(if sbin.exists() { sbin } else { Path::new("mosquitto") })
    }

    pub(crate) fn is_installed() -> bool {
        Self::command().arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }

    pub(crate) fn start(folder: &Path, port: u16) -> Option<Self> {
        let config = folder.join("mosquitto.conf");
        let text =
            format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\n");
        std::fs::write(&config, text).unwrap();
        let mut command = Self::command();
        let child = command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let child = Child(child);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err() {
            std::thread::yield_now();
        }
        Some(Self(child))
    }
}

/// Runs the "test" of that name in a process of its own and waits until it says that it is ready.
fn child(test: &str, variables: &[(&str, String)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.stdout(Stdio::piped()).stdin(Stdio::null()).envs(variables.iter().cloned());
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(READY)), "{test} does not start");
    std::thread::spawn(move || lines.for_each(drop));
    Child(process)
}

const READY: &str = "ready for chaos";

fn say_ready() {
    let mut out = std::io::stdout();
    writeln!(out, "{READY}").unwrap();
    out.flush().unwrap();
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this is a child process of other tests"))
}

fn mqtt(port: u16) -> MqttSettings {
    MqttSettings { port, retry_max_ms: 500, ..MqttSettings::default() }
}

/// A node that publishes `rate` DENMs a second.
pub(crate) fn node(outbox: &Path, port: u16, rate: u32) -> Child {
    let variables = [
        ("MASA_CHAOS_OUTBOX", outbox.display().to_string()),
        ("MASA_CHAOS_PORT", port.to_string()),
        ("MASA_CHAOS_NODE_RATE", rate.to_string()),
    ];
    child("processes::run_node", &variables)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a child process of other tests"]
async fn run_node() {
    let port = variable("MASA_CHAOS_PORT").parse().unwrap();
    let rate: u32 = variable("MASA_CHAOS_NODE_RATE").parse().unwrap();
    let settings = LinksSettings {
        mqtt: Some(MqttSettings { readers: vec!["data-room".into()], ..mqtt(port) }),
        outbox: OutboxSettings {
            path: Some(variable("MASA_CHAOS_OUTBOX").into()),
            max_rows: 1_000_000,
            ..OutboxSettings::default()
        },
        ..LinksSettings::default()
    };
    let links = Links::start(settings, Station::new("chaos", 4001).unwrap()).await.unwrap();
    say_ready();
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let (mut seq, began) = (0, clock::now());
    loop {
        tick.tick().await;
        let due = (clock::now().seconds_since(began) * f64::from(rate)) as u64;
        while seq < due {
            seq += 1;
            // An outbox that takes no more now is one that does not number it: not published.
            let _ = links.publish(denm(seq));
        }
    }
}

/// A real one: what does not decode counts as personal, and is not looked at.
fn denm(seq: u64) -> Outgoing {
    const HEX: &str = include_str!("../../../v2x-proto/tests/samples/denm.hex");
    let digits: Vec<u8> = HEX.trim().chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    let uper: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let generated_at = clock::now();
    Outgoing {
        id: format!("4001-denm-{seq}"),
        kind: MessageKind::Denm.into(),
        seq,
        generated_at,
        quadkey: "120222110230".into(),
        deadline: Some(generated_at.plus_ms(3_600_000)),
        current: None,
        dissemination: Dissemination::default(),
        uper: Bytes::from(uper),
        json: Bytes::from_static(b"{}"),
    }
}

/// A data room: embedded in `folder`, or on a database.
pub(crate) fn room(folder: &Path, database: Option<&str>, port: u16) -> Child {
    let variables = [
        ("MASA_CHAOS_FOLDER", folder.display().to_string()),
        ("MASA_CHAOS_DATABASE", database.unwrap_or_default().to_owned()),
        ("MASA_CHAOS_PORT", port.to_string()),
    ];
    child("processes::run_room", &variables)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a child process of other tests"]
async fn run_room() {
    let (folder, database) = (PathBuf::from(variable("MASA_CHAOS_FOLDER")), variable("MASA_CHAOS_DATABASE"));
    std::fs::create_dir_all(&folder).unwrap();
    let mut settings = DataRoomSettings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        store: StoreSettings {
            postgres: (!database.is_empty()).then(|| PostgresSettings::new(Secret::new(database))),
            embedded: embedded(&folder),
        },
        api: ApiSettings { folder, ..ApiSettings::default() },
        ..DataRoomSettings::default()
    };
    settings.ingest.mqtt = Some(mqtt(variable("MASA_CHAOS_PORT").parse().unwrap()));
    let _room = DataRoom::start(&settings).await.unwrap();
    say_ready();
    std::future::pending::<()>().await
}

/// What the node's outbox says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OutboxState {
    /// The last number given.
    pub last: u64,
    /// Messages that the data room has not acknowledged.
    pub owed: u64,
}

/// Looks into the outbox of a node, whose file others may read.
pub(crate) fn outbox_state(path: &Path) -> OutboxState {
    let db = rusqlite::Connection::open(path).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).unwrap().unwrap_or(0).unsigned_abs();
    OutboxState { last: number("SELECT max(last) FROM heads"), owed: number("SELECT count(*) FROM owed") }
}
