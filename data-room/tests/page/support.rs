//! A data room with a town, and the browser that looks at it.
#![allow(clippy::unwrap_used)]

use super::town::Town;
use masa_data_room::control_room::{Audience, Caller, ControlRoom, ControlRoomSettings, Doorkeeper};
use masa_data_room::store::AuditEntry;
use masa_data_room::store::embedded::{EmbeddedSettings, EmbeddedStore};
use masa_data_room::{Record, Room, Tenant, page};
use masa_v2x_proto::time::Timestamp;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Between two CPMs of a station.
const BEAT: Duration = Duration::from_millis(200);
/// How much of the past is made before the test begins.
const PAST_MS: i64 = 90_000;
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
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page/page.py");
    let ready = Command::new(&program).args([script, "--check"]).output();
    if !ready.is_ok_and(|done| done.status.success()) {
        println!("skipped: {test}: Python with playwright, or Chromium, is missing");
        return None;
    }
    let mut command = Command::new(program);
    command.arg(script);
    Some(command)
}

/// Tokens of the test.
struct Door;

impl Doorkeeper for Door {
    fn admit(&self, token: Option<&str>) -> Option<Caller> {
        let (name, audience, may_operate) = match token {
            None => ("public", Audience::Public, false),
            Some("operator-token") => ("rossi", Audience::Operator, true),
            Some("viewer-token") => ("viewer", Audience::Staff, false),
            Some(_) => return None,
        };
        Some(Caller { name: name.into(), tenant: Tenant::default(), audience, may_operate })
    }
}

/// A running data room with its control room.
pub(crate) struct Desk {
    room: Room,
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// The first moment of the past.
    pub(crate) begun: Timestamp,
    pub(crate) operator: String,
    pub(crate) viewer: String,
    _folder: TempDir,
}

impl Desk {
    /// A town of `size` streets each way with so many road users, which have been moving for a while.
    pub(crate) async fn open(size: usize, users: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = EmbeddedSettings { folder: folder.path().join("store"), ..EmbeddedSettings::default() };
        let room = Room::new(Arc::new(EmbeddedStore::open(&settings).unwrap()));
        let begun = now().plus_ms(-PAST_MS);
        let mut town = Town::new(size, users, begun);
        let mut teller = Teller { room: room.clone(), sequence: 0 };
        let mut past = Vec::new();
        let mut at = begun.plus_ms(-READINGS_MS);
        while at < begun {
            past.extend(town.slow(at));
            at = at.plus_ms(READING_MS);
        }
        past.extend(town.slow(begun));
        let mut at = begun;
        while at < now() {
            town.step(at);
            past.extend(town.perceptions());
            if at.unix_ms() / 1_000 != at.plus_ms(-200).unix_ms() / 1_000 {
                past.extend(town.signals());
            }
            at = at.plus_ms(200);
        }
        teller.tell(past).await;
        let map = folder.path().join("map.geojson");
        std::fs::write(&map, town.map().to_string()).unwrap();
        let (stop, stopped) = watch::channel(false);
        let settings = ControlRoomSettings { name: "Modena".into(), map: Some(map), ..ControlRoomSettings::default() };
        let control =
            ControlRoom::start(settings, room.clone(), Arc::new(Door), Arc::new(now), stopped.clone()).unwrap();
        let routes = page::guarded(page::routes().merge(control.routes), Vec::new());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        let mut until = stopped.clone();
        tasks.spawn(async move {
            let stopped = async move { drop(until.wait_for(|stop| *stop).await) };
            axum::serve(listener, routes).with_graceful_shutdown(stopped).await.unwrap();
        });
        tasks.spawn(async move { drop(control.task.await) });
        tasks.spawn(live(town, teller, stopped));
        let (operator, viewer) = ("operator-token".to_owned(), "viewer-token".to_owned());
        Self { room, address, stop, tasks, begun, operator, viewer, _folder: folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn audit(&self) -> Vec<AuditEntry> {
        self.room.store.audit(Tenant::default(), None, 1_000).await.unwrap()
    }

    pub(crate) async fn close(mut self) {
        self.stop.send_replace(true);
        // Browsers are gone; what is left ends by itself.
        self.tasks.shutdown().await;
        self.room.store.close().await;
    }
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
