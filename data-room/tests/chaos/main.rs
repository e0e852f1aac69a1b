//! Node, broker, data room and database killed in turn: nothing that a node has stored is lost, nothing is there twice.
//!
//! A node (its links and outbox) publishes DENMs at a steady rate through mosquitto to a data room. Every few seconds one of
//! the processes is killed with SIGKILL, is away for up to two seconds, and comes back; how long it takes until what is
//! published after that can be queried is measured. At the end everything is up, the node stops publishing and its outbox
//! must empty: then the store must hold every number that the outbox ever gave, once.
//!
//! Variables: `MASA_CHAOS_SECONDS` (30), `MASA_CHAOS_RATE` messages a second (200), `MASA_CHAOS_SEED` (1).
//! `benches/data-room/chaos.sh` runs ten minutes at 500 a second.

#![allow(clippy::unwrap_used)]

mod processes;
#[path = "../it/support/mod.rs"]
mod support;

use masa_data_room::store::embedded::{EmbeddedSettings, EmbeddedStore};
use masa_data_room::store::postgres::{PostgresSettings, PostgresStore};
use masa_data_room::store::{Filter, MAX_PAGE, Order, Query};
use masa_data_room::{Kind, Record, Store};
use masa_links::{Secret, clock};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::time::Timestamp;
use processes::{Broker, Child, node, outbox_state, room};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use support::postgres::Postgres;

/// Longest wait for a recovery, and for the outbox to empty at the end; reaching it is a failure.
const PATIENCE_S: f64 = 180.0;
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Between a recovery and the next kill, and away, seconds at most.
const CALM_S: f64 = 2.0;
const AWAY_S: f64 = 2.0;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Node,
    Broker,
    Room,
    Database,
}

/// Everything that runs.
struct Stage {
    folder: tempfile::TempDir,
    port: u16,
    rate: u32,
    broker: Option<Broker>,
    database: Option<Postgres>,
    room: Option<Child>,
    node: Option<Child>,
    /// Looks into the store from outside.
    looker: Arc<dyn Store>,
}

fn variable(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text:?}")))
}

/// Numbers that look random and are the same for a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn seconds(&mut self, most: f64) -> Duration {
        Duration::from_secs_f64(most * self.below(1_000) as f64 / 1_000.0)
    }
}

impl Stage {
    fn store_settings(&self) -> (PathBuf, Option<String>) {
        (self.folder.path().join("room"), self.database.as_ref().map(Postgres::connection))
    }

    fn outbox(&self) -> PathBuf {
        self.folder.path().join("outbox.sqlite")
    }

    async fn start(mut self, victim: Victim) -> Self {
        // Programs are waited for on a thread that may wait.
        tokio::task::spawn_blocking(move || {
            match victim {
                Victim::Node => self.node = Some(node(&self.outbox(), self.port, self.rate)),
                Victim::Broker => self.broker = Broker::start(self.folder.path(), self.port),
                Victim::Room => {
                    let (folder, database) = self.store_settings();
                    self.room = Some(room(&folder, database.as_deref(), self.port));
                }
                Victim::Database => self.database.as_mut().unwrap().run(),
            }
            self
        })
        .await
        .unwrap()
    }

    fn kill(&mut self, victim: Victim) {
        match victim {
            Victim::Node => drop(self.node.take()),
            Victim::Broker => drop(self.broker.take()),
            Victim::Room => drop(self.room.take()),
            Victim::Database => self.database.as_mut().unwrap().kill(),
        }
    }

    fn victims(&self) -> Vec<Victim> {
        let mut victims = vec![Victim::Node, Victim::Broker, Victim::Room];
        victims.extend(self.database.as_ref().map(|_| Victim::Database));
        victims
    }

    /// The newest record that can be queried.
    async fn newest(&self) -> Option<Record> {
        let query = Query { order: Order::NewestFirst, ..Query::new(Filter::default(), 1) };
        // While the database is away there is none.
        self.looker.query(query).await.ok()?.records.pop()
    }

    /// Waits until something measured after `since` can be queried.
    async fn recovered(&self, since: Timestamp) -> f64 {
        loop {
            let took_s = clock::now().seconds_since(since);
            if self.newest().await.is_some_and(|record| record.measured_at > since) {
                return took_s;
            }
            assert!(took_s < PATIENCE_S, "nothing new after {took_s:.0} s");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// What a run found.
#[derive(Default)]
struct Found {
    published: u64,
    stored: u64,
    lost: u64,
    doubles: u64,
    /// Seconds to recover, by victim.
    recoveries: BTreeMap<Victim, Vec<f64>>,
    /// From the end of publishing to an empty outbox, seconds.
    drained_s: f64,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, stored, lost, doubles, drained_s, .. } = self;
        writeln!(
            f,
            "{published} published, {stored} stored, {lost} lost, {doubles} twice; outbox empty after {drained_s:.1} s"
        )?;
        for (victim, times) in &self.recoveries {
            let mut times = times.clone();
            times.sort_by(f64::total_cmp);
            let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
            writeln!(
                f,
                "{victim:?} killed {} times: recovered after {median:.2} s (median), {worst:.2} s (worst)",
                times.len()
            )?;
        }
        Ok(())
    }
}

async fn run(mut stage: Stage) -> Found {
    let seconds = f64::from(variable("MASA_CHAOS_SECONDS", 30));
    let mut dice = Dice(u64::from(variable("MASA_CHAOS_SEED", 1)));
    for part in [Victim::Broker, Victim::Room, Victim::Node] {
        stage = stage.start(part).await;
    }
    let began = clock::now();
    stage.recovered(began).await;
    let mut found = Found::default();
    let (mut turn, victims) = (0, stage.victims());
    while clock::now().seconds_since(began) < seconds {
        tokio::time::sleep(dice.seconds(CALM_S)).await;
        // Each has its turn, from a random one on, so that a short run kills everybody too.
        let victim =
            if turn < victims.len() { victims[turn] } else { victims[dice.below(victims.len() as u64) as usize] };
        turn += 1;
        stage.kill(victim);
        tokio::time::sleep(dice.seconds(AWAY_S)).await;
        stage = stage.start(victim).await;
        let took_s = stage.recovered(clock::now()).await;
        found.recoveries.entry(victim).or_default().push(took_s);
    }
    // Publishing ends, the outbox must empty.
    stage.kill(Victim::Node);
    stage.rate = 0;
    let quiet = clock::now();
    stage = stage.start(Victim::Node).await;
    loop {
        let state = outbox_state(&stage.outbox());
        found.published = state.last;
        found.drained_s = clock::now().seconds_since(quiet);
        if state.owed == 0 && state.last > 0 {
            break;
        }
        assert!(found.drained_s < PATIENCE_S, "{} of {} are not acknowledged", state.owed, state.last);
        tokio::time::sleep(LOOK_EVERY).await;
    }
    count(stage.looker.as_ref(), &mut found).await;
    found
}

/// Compares what is stored with what was published.
async fn count(store: &dyn Store, found: &mut Found) {
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    let mut query = Query {
        order: Order::Arrival,
        ..Query::new(Filter { kinds: vec![Kind::V2x(MessageKind::Denm)], ..Filter::default() }, MAX_PAGE)
    };
    let mut last = 0;
    loop {
        let page = store.query(query.clone()).await.unwrap();
        for record in &page.records {
            *times.entry(record.sequence).or_default() += 1;
            assert!(record.sequence > last, "{} came after {last}", record.sequence);
            last = record.sequence;
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    found.stored = times.values().sum();
    found.doubles = times.values().map(|n| n - 1).sum();
    found.lost = (1..=found.published).filter(|number| !times.contains_key(number)).count() as u64;
}

async fn scene(name: &str, database: Option<Postgres>) {
    let folder = tempfile::tempdir().unwrap();
    if !Broker::is_installed() {
        return println!("skipped: {name}: mosquitto is not installed");
    }
    let room = folder.path().join("room");
    let looker: Arc<dyn Store> = match &database {
        Some(database) => {
            let settings = PostgresSettings::new(Secret::new(database.connection()));
            Arc::new(PostgresStore::connect(&settings).await.unwrap())
        }
        None => {
            let settings = embedded(&room);
            // The room makes the database; a look at it needs one to be there.
            EmbeddedStore::open(&settings).unwrap().close().await;
            Arc::new(EmbeddedStore::open_to_read(&settings).unwrap())
        }
    };
    let rate = variable("MASA_CHAOS_RATE", 200);
    let port = processes::free_port();
    let stage = Stage { folder, port, rate, broker: None, database, room: None, node: None, looker };
    let found = run(stage).await;
    println!("{name}:\n{found}");
    assert!(found.published > 0 && found.lost == 0 && found.doubles == 0, "{name}: {found}");
    assert_eq!(found.stored, found.published, "{name}: {found}");
}

fn embedded(folder: &Path) -> EmbeddedSettings {
    EmbeddedSettings { folder: folder.to_owned(), ..EmbeddedSettings::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_with_the_embedded_store() {
    scene("nothing_is_lost_or_doubled_with_the_embedded_store", None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_with_postgres() {
    let name = "nothing_is_lost_or_doubled_with_postgres";
    let Some(database) = tokio::task::spawn_blocking(Postgres::start).await.unwrap() else {
        return println!("skipped: {name}: PostgreSQL is not installed");
    };
    scene(name, Some(database)).await;
}
