//! How much a data room takes, how soon it can be queried, and how much memory that needs.
//!
//! 1. Rows: `Store::append` in batches, beside a plain insert (SQLite) or a bulk COPY (PostgreSQL) of the same rows into a
//!    table without indexes, each in one transaction.
//! 2. Catching up: nodes with a backlog in their outboxes, as after an outage.
//! 3. Steady: many nodes at a rate; the age of a record when it can be queried, from its time of measuring.
//!
//! Nodes are simulated by a child process ([`simulate`]) that speaks the outbox protocol over a few MQTT connections.
//! The memory reported is that of the process with the data room and its embedded broker.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and ends where it cannot go on")]

mod bulk;
#[path = "../../../data-room/tests/it/support/postgres.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod postgres;
mod simulate;
mod steady;

use masa_data_room::settings::StoreSettings;
use masa_data_room::store::embedded::EmbeddedSettings;
use masa_data_room::store::postgres::PostgresSettings;
use masa_links::Secret;
use postgres::Postgres;

/// `--name value` of the command line.
pub(crate) fn option(name: &str, default: u64) -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    match (arguments.next(), arguments.next()) {
        (Some(_), Some(value)) => value.parse().unwrap_or_else(|_| panic!("{name} {value}: not a number")),
        _ => default,
    }
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some("simulate") {
        return simulate::run().await;
    }
    let database = tokio::task::spawn_blocking(Postgres::start).await.unwrap();
    if database.is_none() {
        println!("PostgreSQL is not installed: the embedded store only");
    }
    for connection in std::iter::once(None).chain(database.as_ref().map(|database| Some(database.connection()))) {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreSettings {
            embedded: EmbeddedSettings { folder: folder.path().join("room"), ..EmbeddedSettings::default() },
            postgres: connection.clone().map(|connection| PostgresSettings::new(Secret::new(connection))),
        };
        println!("== {}", if connection.is_some() { "PostgreSQL" } else { "embedded" });
        bulk::measure(&store, folder.path(), connection.as_deref()).await;
        steady::measure(&store).await;
    }
}
