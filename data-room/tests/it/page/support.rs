//! A data room with a town, and the browser that looks at it.
#![allow(clippy::unwrap_used)]

use super::town::Town;
use base64::Engine;
use masa_data_room::api::{ApiSettings, OpenToAll, Scope, Tokens};
use masa_data_room::control_room::ControlRoomSettings;
use masa_data_room::settings::StoreSettings;
use masa_data_room::store::AuditEntry;
use masa_data_room::store::embedded::EmbeddedSettings;
use masa_data_room::{DataRoom, DataRoomSettings, Record, Room, Tenant};
use masa_links::BrokerSettings;
use masa_v2x_proto::time::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Between two CPMs of a station.
const BEAT: Duration = Duration::from_millis(200);
/// How much of the past is made before the test begins.
const PAST_MS: i64 = 90_000;
/// How long the data room may take to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// Steps of readings and counts, and how far they go back.
const READING_MS: i64 = 300_000;
const READINGS_MS: i64 = 26 * 3_600_000;

#[allow(clippy::disallowed_methods, reason = "the test is the runner: the page's clock is the machine's")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ms(since.as_millis() as i64)
}

/// The Python that drives the browser, or `None` after saying that `test` is skipped.
pub(crate) fn browser(test: &str) -> Option<Command> {
    let program = std::env::var_os("MASA_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/page/page.py");
    let ready = Command::new(&program).args([script, "--check"]).output();
    if !ready.is_ok_and(|done| done.status.success()) {
        println!("skipped: {test}: Python with playwright, or Chromium, is missing");
        return None;
    }
    let mut command = Command::new(program);
    command.arg(script);
    Some(command)
}

/// A PMTiles archive (version 3) of one tile for the whole earth: a pixel of the colour (180, 200, 160).
pub(crate) fn background() -> Vec<u8> {
    const TILE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGPYcmIBAARQAh2lFoH8AAAAAElFTkSuQmCC";
    let tile = base64::engine::general_purpose::STANDARD.decode(TILE).unwrap();
    // One entry: tile 0, a run of 1, its length, offset 0 (written as 1).
    let directory = [1, 0, 1, u8::try_from(tile.len()).unwrap(), 1];
    let mut archive = b"PMTiles\x03".to_vec();
    let data_at = 127 + directory.len() as u64;
    let lengths = [127, directory.len() as u64, data_at, 0, data_at, 0, data_at, tile.len() as u64, 1, 1, 1];
    archive.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
    // Clustered, nothing compressed, PNG, from zoom 0 to zoom 0.
    archive.extend([1, 1, 1, 2, 0, 0]);
    archive.resize(127, 0);
    archive.extend(directory);
    archive.extend(tile);
    archive
}

/// A running data room with its control room.
pub(crate) struct Desk {
    room: DataRoom,
    stop: watch::Sender<bool>,
    town: JoinHandle<()>,
    /// The first moment of the past.
    pub(crate) begun: Timestamp,
    pub(crate) operator: String,
    pub(crate) viewer: String,
    _folder: TempDir,
}

impl Desk {
    /// A town of `size` streets each way with so many road users, which have been moving for a while.
    pub(crate) async fn open(size: usize, users: usize, background: Option<Vec<u8>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let begun = now().plus_ms(-PAST_MS);
        let mut town = Town::new(size, users, begun);
        std::fs::write(path("map.geojson"), town.map().to_string()).unwrap();
        let background = background.map(|archive| {
            std::fs::write(path("background.pmtiles"), archive).unwrap();
            path("background.pmtiles")
        });
        let tokens = Tokens::open(path("tokens.json")).unwrap();
        let token = |name: &str, scopes: &[Scope]| {
            tokens.create(name, Tenant::default(), scopes.iter().copied().collect(), begun, None).unwrap()
        };
        let operator = token("desk-1", &[Scope::ReadTraffic, Scope::ReadPersonal, Scope::WriteAlerts]);
        let viewer = token("viewer", &[Scope::ReadTraffic]);
        let settings = DataRoomSettings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            api: ApiSettings {
                folder: folder.path().to_owned(),
                open_to_all: OpenToAll::Traffic(Tenant::default()),
                ..ApiSettings::default()
            },
            control_room: ControlRoomSettings {
                name: "Modena".into(),
                map: Some(path("map.geojson")),
                background,
                ..ControlRoomSettings::default()
            },
            broker: Some(BrokerSettings {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                ..BrokerSettings::default()
            }),
            store: StoreSettings {
                embedded: EmbeddedSettings { folder: path("store"), ..EmbeddedSettings::default() },
                ..StoreSettings::default()
            },
            ..DataRoomSettings::default()
        };
        let room = DataRoom::start(&settings).await.unwrap();
        let mut teller = Teller { room: room.room().clone(), sequence: 0 };
        teller.tell(past(&mut town, begun)).await;
        let (stop, stopped) = watch::channel(false);
        let town = tokio::spawn(live(town, teller, stopped));
        Self { room, stop, town, begun, operator, viewer, _folder: folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.room.address())
    }

    pub(crate) async fn audit(&self) -> Vec<AuditEntry> {
        self.room.room().store.audit(Tenant::default(), None, 1_000).await.unwrap()
    }

    pub(crate) async fn close(self) {
        self.stop.send_replace(true);
        self.town.await.unwrap();
        self.room.shutdown(DRAIN).await;
    }
}

/// A day of readings and counts, and how everybody has moved of late.
fn past(town: &mut Town, begun: Timestamp) -> Vec<Record> {
    let mut past = Vec::new();
    let mut at = begun.plus_ms(-READINGS_MS);
    while at <= begun {
        past.extend(town.slow(at));
        at = at.plus_ms(READING_MS);
    }
    let (mut at, until) = (begun, now());
    while at < until {
        town.step(at);
        past.extend(town.perceptions());
        if at.unix_ms().rem_euclid(1_000) < BEAT.as_millis() as i64 {
            past.extend(town.signals());
        }
        at = at.plus_ms(BEAT.as_millis() as i64);
    }
    past
}

/// Stores what the stations say, and tells those who follow.
struct Teller {
    room: Room,
    sequence: u64,
}

impl Teller {
    async fn tell(&mut self, mut records: Vec<Record>) {
        for record in &mut records {
            self.sequence += 1;
            record.sequence = self.sequence;
        }
        while !records.is_empty() {
            let rest = records.split_off(records.len().min(5_000));
            for record in self.room.store.append(records).await.unwrap().stored {
                // Nobody may be listening yet.
                let _ = self.room.feed.send(Arc::new(record));
            }
            records = rest;
        }
    }
}

/// The town goes on, with a warning after three seconds.
async fn live(mut town: Town, mut teller: Teller, mut stop: watch::Receiver<bool>) {
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    for count in 0_u64.. {
        tokio::select! {
            _ = async { drop(stop.wait_for(|stop| *stop).await) } => return,
            _ = beat.tick() => {}
        }
        town.step(now());
        let mut records = town.perceptions();
        if count % 5 == 0 {
            records.extend(town.signals());
        }
        if count % 1_500 == 0 {
            records.extend(town.slow(now()));
        }
        if count == 15 {
            records.push(town.warning(1, 91, [-58.0, 8.0], false));
        }
        teller.tell(records).await;
    }
}
