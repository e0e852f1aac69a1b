//! A data room with its API on a port of its own, and a plain HTTP client.
#![allow(clippy::unwrap_used)]

use crate::city::{self, NOW};
use masa_data_room::api::{Api, ApiSettings, Scope, Tokens, router, serve};
use masa_data_room::store::embedded::{EmbeddedSettings, EmbeddedStore};
use masa_data_room::{Record, Room, Store, Tenant};
use masa_v2x_proto::time::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A test that waits longer than this for something that must come has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// How often a test looks whether it has come.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A time that tests move.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_ns(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.unix_ns(), Ordering::SeqCst);
    }
}

/// A running data room.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) room: Room,
    pub(crate) clock: TestClock,
    pub(crate) api: Api,
    folder: TempDir,
    tokens: Tokens,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// What a server answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Server {
    /// A data room that holds the sample city.
    pub(crate) async fn with_city(change: impl FnOnce(&mut ApiSettings)) -> Self {
        Self::start(TempDir::new().unwrap(), city::records(NOW), NOW, change).await
    }

    /// A data room on `folder`, to whose records `records` are added before it starts.
    pub(crate) async fn start(
        folder: TempDir,
        records: Vec<Record>,
        now: Timestamp,
        change: impl FnOnce(&mut ApiSettings),
    ) -> Self {
        let settings = EmbeddedSettings { folder: folder.path().join("store"), ..EmbeddedSettings::default() };
        let store = Arc::new(EmbeddedStore::open(&settings).unwrap());
        store.append(records).await.unwrap();
        let room = Room::new(store);
        let mut settings = ApiSettings {
            folder: folder.path().to_owned(),
            // The tests' clock stands still, and with it the refill.
            requests_per_s: 1e9,
            burst: 1e9,
            ..ApiSettings::default()
        };
        change(&mut settings);
        let tokens = settings.tokens().unwrap();
        let clock = TestClock(Arc::new(AtomicI64::new(now.unix_ns())));
        let (stop, stopped) = watch::channel(false);
        let api_clock = clock.clone();
        let (api, mut tasks) =
            Api::start(room.clone(), settings, Arc::new(move || api_clock.now()), stopped.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tasks.spawn(serve(listener, router(api.clone()), stopped));
        let server = Self { address, room, clock, api, folder, tokens, stop, tasks };
        server.until_loaded().await;
        server
    }

    /// Waits until the live city knows what the store holds.
    async fn until_loaded(&self) {
        let wanted = self.room.store.statistics().await.unwrap().last_arrival > 0;
        let token = self.token(&[Scope::ReadTraffic]);
        if wanted {
            let types = async || self.get("/ngsi-ld/v1/types", &token).await.json()["typeList"].clone();
            until("the city is loaded", async || types().await != serde_json::json!([])).await;
        }
    }

    /// A token of the sample city's tenant.
    pub(crate) fn token(&self, scopes: &[Scope]) -> String {
        self.token_of(city::tenant(), scopes)
    }

    pub(crate) fn token_of(&self, tenant: Tenant, scopes: &[Scope]) -> String {
        // Above all that are there: revoked ones leave the list, and a restart keeps it.
        let numbers =
            self.tokens.list().unwrap().into_iter().filter_map(|token| token.name.strip_prefix("token-")?.parse().ok());
        let name = format!("token-{}", numbers.max().map_or(0, |newest: u32| newest + 1));
        let scopes: BTreeSet<_> = scopes.iter().copied().collect();
        self.tokens.create(&name, tenant, scopes, self.clock.now(), None).unwrap()
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Adds records as the ingest does.
    pub(crate) async fn ingest(&self, records: Vec<Record>) {
        for record in self.room.store.append(records).await.unwrap().stored {
            let _ = self.room.feed.send(Arc::new(record));
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send("GET", path, &[("Authorization", &format!("Bearer {token}"))], b"").await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        request(self.address, method, path, headers, body).await
    }

    /// Stops everything and gives back the folder.
    pub(crate) async fn stop(mut self) -> TempDir {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        let Self { room, folder, api, .. } = self;
        room.store.close().await;
        // The last holder of the store lets go of its lock.
        drop((api, room));
        folder
    }
}

/// Waits until something holds, as long as the slowest machine may need.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waits = async {
        while !holds().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// One request on a connection of its own.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\nContent-Type: application/json\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    // A server that refuses a large body may close before it has read it.
    let _ = stream.write_all(body).await;
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let known = headers.entry(name.to_lowercase()).or_default();
        *known = if known.is_empty() { value.to_owned() } else { format!("{known}, {value}") };
    }
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}
