//! PostgreSQL: the suite, and what only it has.

use super::Subject;
use crate::support::postgres::{Postgres, holds};
use crate::support::records::{at, cam, denm};
use masa_data_room::Store;
use masa_data_room::store::postgres::{PostgresSettings, PostgresStore};
use masa_data_room::store::{Filter, Personal, Policies, Query, StoreError};
use masa_links::Secret;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A schema of its own in the shared server.
pub(crate) struct OnPostgres {
    server: Arc<Postgres>,
    settings: PostgresSettings,
    store: Arc<PostgresStore>,
}

fn settings(server: &Postgres) -> PostgresSettings {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let schema = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    PostgresSettings { schema, ..PostgresSettings::new(Secret::new(server.connection())) }
}

pub(crate) async fn start() -> Option<OnPostgres> {
    let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap()?;
    let settings = settings(&server);
    let store = Arc::new(PostgresStore::connect(&settings).await.unwrap());
    Some(OnPostgres { server, settings, store })
}

impl Subject for OnPostgres {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Arc::new(PostgresStore::connect(&self.settings).await.unwrap());
    }

    async fn holds(&self, needle: &[u8]) -> bool {
        // Pages reach the files at a checkpoint.
        let client = client(&self.server).await;
        client.batch_execute("CHECKPOINT").await.unwrap();
        holds(&self.server.data().join("base"), needle, |_| true)
    }
}

async fn client(server: &Postgres) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&server.connection(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

super::run_suite!(start());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_are_dropped_whole() {
    let Some(subject) = start().await else {
        return println!("skipped: partitions_are_dropped_whole: PostgreSQL is not installed");
    };
    let store = subject.store();
    store.append(vec![cam(7, 1, 0), cam(7, 2, 3_600_000), denm(1, 0)]).await.unwrap();
    let partitions = async || {
        let sql = format!(
            "SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = '{}' AND c.relispartition AND c.relkind = 'r' ORDER BY 1",
            subject.settings.schema
        );
        let rows = client(&subject.server).await.query(&sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    assert_eq!(partitions().await.len(), 3);
    // A day and an hour later the first hour of personal data is over.
    let swept = store.sweep(&Policies::default(), at(25 * 3_600_000)).await.unwrap();
    assert_eq!(swept.expired, 1);
    let left = partitions().await;
    assert_eq!(left.len(), 2, "{left:?}");
    let all = Filter { personal: Personal::Include, ..Filter::default() };
    assert_eq!(store.query(Query::new(all, 10)).await.unwrap().records.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rooms_on_one_database_store_each_record_once() {
    let Some(subject) = start().await else {
        return println!("skipped: two_rooms_on_one_database_store_each_record_once: PostgreSQL is not installed");
    };
    let other = PostgresStore::connect(&subject.settings).await.unwrap();
    let batch: Vec<_> = (1..=100).map(|n| denm(n, 0)).collect();
    let (one, two) = tokio::join!(subject.store.append(batch.clone()), other.append(batch));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.stored.len() + two.stored.len(), 100);
    assert_eq!(one.duplicates.len() + two.duplicates.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_an_outage_and_no_loss() {
    let Some(mut server) = tokio::task::spawn_blocking(Postgres::start).await.unwrap() else {
        return println!("skipped: a_killed_server_is_an_outage_and_no_loss: PostgreSQL is not installed");
    };
    let store = PostgresStore::connect(&settings(&server)).await.unwrap();
    store.append(vec![denm(1, 0)]).await.unwrap();
    server.kill();
    let refused = store.append(vec![denm(2, 0)]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused}");
    server = tokio::task::spawn_blocking(move || {
        server.run();
        server
    })
    .await
    .unwrap();
    store.append(vec![denm(2, 0)]).await.unwrap();
    let stored = store.query(Query::new(Filter::default(), 10)).await.unwrap().records;
    assert_eq!(stored.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 2]);
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_area_is_looked_up_with_postgis() {
    use masa_data_room::store::Area;
    let Some(server) = tokio::task::spawn_blocking(Postgres::shared).await.unwrap() else {
        return println!("skipped: an_area_is_looked_up_with_postgis: PostgreSQL is not installed");
    };
    let admin = client(&server).await;
    // A database of its own: the extension must not be in those of the other tests.
    admin.batch_execute("CREATE DATABASE geography").await.unwrap();
    let connection = server.connection().replace("dbname=postgres", "dbname=geography");
    let (geography, task) = tokio_postgres::connect(&connection, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(task);
    if geography.batch_execute("CREATE EXTENSION postgis").await.is_err() {
        return println!("skipped: an_area_is_looked_up_with_postgis: PostGIS is not installed");
    }
    let store = PostgresStore::connect(&PostgresSettings::new(Secret::new(connection))).await.unwrap();
    assert!(store.statistics().await.unwrap().store.contains("with PostGIS"));
    store.append((1..=200).map(|n| denm(n, 0)).collect()).await.unwrap();
    let near = Area::Circle { lat_deg: 44.6555, lon_deg: 10.9353, radius_m: 10.0 };
    let filter = Filter { area: Some(near), ..Filter::default() };
    let found = store.query(Query::new(filter, 10)).await.unwrap().records;
    assert_eq!(found.iter().map(|record| record.sequence).collect::<Vec<_>>(), [9, 10, 11]);
}
