//! The store of a city: PostgreSQL.
//!
//! Records are in two tables, open and personal, each partitioned by time of receipt, so that what must go goes by dropping
//! a partition; `records` is a view of both. What makes an append idempotent is the same as in the embedded store: the last
//! number of each stream. With PostGIS in the database, areas are looked up in its index; with TimescaleDB, the partitions
//! are its chunks. Both are used if an administrator has created the extension before the first start.
//!
//! Invariants: appends are one transaction each and one after another, so `arrival` grows in the order of commits, also with
//! several data rooms on one database; a lost connection is made again by whoever needs it.
//!
//! Absent: TLS (a socket, a local network or a tunnel); set-up of the server.

mod append;
mod schema;
mod sweep;
mod value;

use super::sql::{self, Dialect, Statement, check_limit};
use super::{
    Appended, AuditAction, AuditEntry, Deleted, Deletion, Latest, Page, Policies, Query, Statistics, Store, StoreError,
    Swept,
};
use crate::record::{Record, Tenant};
use crate::store::query::Cursor;
use futures::future::BoxFuture;
use masa_links::Secret;
use masa_v2x_proto::time::Timestamp;
use schema::Extensions;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};

use value::Micros;

/// Connections that answer questions.
const READERS: usize = 4;
/// How long a question may take.
const QUERY_WITHIN: Duration = Duration::from_secs(60);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PostgresSettings {
    /// How it is reached: `host=… user=… dbname=… password=…`, or a `postgresql://` URL.
    pub connection: Secret,
    /// The schema of our tables; made if absent: a lower-case name.
    #[serde(default = "default_schema")]
    pub schema: String,
    /// Hours of a partition of records without personal data.
    #[serde(default = "default_open_hours")]
    pub open_partition_hours: u32,
    /// Hours of a partition of personal data: how much longer than its policy it may be there.
    #[serde(default = "default_personal_hours")]
    pub personal_partition_hours: u32,
}

fn default_schema() -> String {
    "masa".into()
}

const fn default_open_hours() -> u32 {
    24
}

const fn default_personal_hours() -> u32 {
    1
}

impl PostgresSettings {
    /// A database with the usual settings.
    pub fn new(connection: Secret) -> Self {
        Self {
            connection,
            schema: default_schema(),
            open_partition_hours: default_open_hours(),
            personal_partition_hours: default_personal_hours(),
        }
    }
}

/// A store in a database.
#[derive(Debug)]
pub struct PostgresStore {
    settings: PostgresSettings,
    name: String,
    extensions: Extensions,
    writer: Mutex<Link>,
    maintainer: Mutex<Link>,
    readers: [Mutex<Link>; READERS],
    turn: AtomicUsize,
    closed: AtomicBool,
}

/// A connection, if there is one.
#[derive(Debug, Default)]
struct Link {
    client: Option<Client>,
    /// How long a statement may take; zero for as long as it takes.
    within: Duration,
}

impl PostgresStore {
    /// Connects and makes what is missing of the tables.
    ///
    /// # Errors
    /// A connection string that does not parse, a server that cannot be reached now, another layout.
    pub async fn connect(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let config = config(settings)?;
        let name = format!(
            "postgres {}/{}.{}",
            config.get_hosts().first().map_or_else(String::new, host_words),
            config.get_dbname().unwrap_or_default(),
            settings.schema
        );
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=48).contains(&settings.schema.len()) || !settings.schema.bytes().all(good) {
            let reason = format!("schema {:?}: use 1 to 48 lower-case letters, digits or '_'", settings.schema);
            return Err(StoreError::Unusable { store: name, reason });
        }
        let mut store = Self {
            settings: settings.clone(),
            name,
            extensions: Extensions::default(),
            writer: Mutex::default(),
            maintainer: Mutex::default(),
            readers: std::array::from_fn(|_| Mutex::new(Link { client: None, within: QUERY_WITHIN })),
            turn: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        };
        let mut link = Link::default();
        let client = store.client(&mut link).await?;
        let made = schema::make(client, &settings.schema).await;
        store.extensions = made.map_err(|e| store.error(&e))?;
        store.writer = Mutex::new(link);
        Ok(store)
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres { postgis: self.extensions.postgis }
    }

    /// The client of a link, connected if it was not.
    async fn client<'a>(&self, link: &'a mut Link) -> Result<&'a mut Client, StoreError> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { store: self.name.clone(), reason: "closed".into() });
        }
        if link.client.as_ref().is_none_or(Client::is_closed) {
            link.client = None;
            let (client, connection) = config(&self.settings)?.connect(NoTls).await.map_err(|e| self.error(&e))?;
            tokio::spawn(async move {
                // The client says so to whoever asks next.
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "postgres connection");
                }
            });
            let set = format!(
                "SET search_path TO {}, public; SET statement_timeout TO {}",
                self.settings.schema,
                link.within.as_millis()
            );
            client.batch_execute(&set).await.map_err(|e| self.error(&e))?;
            link.client = Some(client);
        }
        Ok(link.client.as_mut().expect("connected above"))
    }

    /// An error of the database in words of the store.
    fn error(&self, error: &tokio_postgres::Error) -> StoreError {
        let store = self.name.clone();
        let Some(db) = error.as_db_error() else {
            // Without an answer of the server it is the connection; what was sent may have been done.
            let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
            return StoreError::Unavailable { store, reason: format!("{error}{cause}") };
        };
        let reason = format!("{}: {}", db.code().code(), db.message());
        let class = |prefix| db.code().code().starts_with(prefix);
        if *db.code() == SqlState::DISK_FULL {
            StoreError::Full { store, reason }
        } else if class("08") || class("53") || class("57") || class("58") || class("40") || class("55") {
            // Connections, resources, an operator, the system, transactions and locks that met each other.
            StoreError::Unavailable { store, reason }
        } else {
            StoreError::Unusable { store, reason }
        }
    }

    async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, StoreError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        let mut link = self.readers[turn].lock().await;
        let client = self.client(&mut link).await?;
        let prepared = client.prepare(&statement.text).await.map_err(|e| self.error(&e))?;
        let values: Vec<&(dyn ToSql + Sync)> = statement.values.iter().map(|value| value as _).collect();
        client.query(&prepared, &values).await.map_err(|e| self.error(&e))
    }

    async fn records(&self, statement: &Statement) -> Result<Vec<Record>, StoreError> {
        let rows = self.rows(statement).await?;
        rows.iter().map(sql::record).collect::<Result<_, _>>().map_err(|e| match e {
            value::CellError::Postgres(e) => self.error(&e),
            value::CellError::Wrong { column, text } => StoreError::Unusable {
                store: self.name.clone(),
                reason: format!("column {column}: {text:?} is not ours"),
            },
        })
    }

    async fn page(&self, query: Query) -> Result<Page, StoreError> {
        check_limit(query.limit)?;
        let mut records = self.records(&Statement::page(self.dialect(), &query)).await?;
        let more = records.len() > query.limit;
        records.truncate(query.limit);
        let next = records.last().filter(|_| more).map(Cursor::after);
        Ok(Page { records, next })
    }

    async fn audit_entries(
        &self,
        tenant: Tenant,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        check_limit(limit)?;
        let statement = Statement::plain(
            self.dialect(),
            "SELECT number, at, by, action, words, records FROM audit WHERE tenant = $1 AND number < $2
             ORDER BY number DESC LIMIT $3",
            vec![
                sql::Value::Text(tenant.to_string()),
                sql::Value::Int(before.map_or(i64::MAX, sql::number)),
                sql::Value::Int(limit as i64),
            ],
        );
        let rows = self.rows(&statement).await?;
        let entry = |row: &Row| {
            let action: String = row.try_get(3)?;
            Ok(AuditEntry {
                number: row.try_get::<_, i64>(0)?.unsigned_abs(),
                at: sql::instant(row.try_get::<_, Micros>(1)?.0),
                tenant: tenant.clone(),
                by: row.try_get(2)?,
                // The table takes no other.
                action: AuditAction::from_name(&action).unwrap_or(AuditAction::Change),
                words: row.try_get(4)?,
                records: row.try_get::<_, i64>(5)?.unsigned_abs(),
            })
        };
        rows.iter().map(entry).collect::<Result<_, _>>().map_err(|e| self.error(&e))
    }
}

fn config(settings: &PostgresSettings) -> Result<Config, StoreError> {
    let mut config: Config = settings.connection.reveal().parse().map_err(|e: tokio_postgres::Error| {
        StoreError::Unusable { store: "postgres".into(), reason: format!("connection: {e}") }
    })?;
    config.connect_timeout(CONNECT_WITHIN);
    if config.get_application_name().is_none() {
        config.application_name("masa data-room");
    }
    Ok(config)
}

fn host_words(host: &tokio_postgres::config::Host) -> String {
    match host {
        tokio_postgres::config::Host::Tcp(name) => name.clone(),
        tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
    }
}

impl Store for PostgresStore {
    fn append(&self, batch: Vec<Record>) -> BoxFuture<'_, Result<Appended, StoreError>> {
        Box::pin(async move {
            let mut link = self.writer.lock().await;
            let client = self.client(&mut link).await?;
            append::append(client, batch, &self.settings, &self.extensions).await.map_err(|e| self.error(&e))
        })
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(self.page(query))
    }

    fn latest(&self, latest: Latest) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        Box::pin(async move {
            check_limit(latest.limit)?;
            self.records(&Statement::latest(self.dialect(), &latest, Some(latest.limit))).await
        })
    }

    fn delete(&self, deletion: Deletion) -> BoxFuture<'_, Result<Deleted, StoreError>> {
        Box::pin(async move {
            let mut link = self.maintainer.lock().await;
            let dialect = self.dialect();
            let client = self.client(&mut link).await?;
            sweep::delete(client, dialect, &deletion).await.map_err(|e| self.error(&e))
        })
    }

    fn sweep(&self, policies: &Policies, now: Timestamp) -> BoxFuture<'_, Result<Swept, StoreError>> {
        let policies = policies.clone();
        Box::pin(async move {
            let mut link = self.maintainer.lock().await;
            let client = self.client(&mut link).await?;
            sweep::sweep(client, &policies, now, &self.extensions).await.map_err(|e| self.error(&e))
        })
    }

    fn note(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut link = self.maintainer.lock().await;
            let client = self.client(&mut link).await?;
            sweep::note(client, &entry).await.map_err(|e| self.error(&e))
        })
    }

    fn audit(
        &self,
        tenant: Tenant,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<AuditEntry>, StoreError>> {
        Box::pin(self.audit_entries(tenant, before, limit))
    }

    fn statistics(&self) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        Box::pin(async move {
            let mut link = self.maintainer.lock().await;
            let client = self.client(&mut link).await?;
            let mut statistics = schema::statistics(client, &self.settings.schema).await.map_err(|e| self.error(&e))?;
            statistics.store = format!("{}, {}", self.name, self.extensions.words());
            Ok(statistics)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.closed.store(true, Ordering::Relaxed);
            for link in [&self.writer, &self.maintainer].into_iter().chain(&self.readers) {
                link.lock().await.client = None;
            }
        })
    }
}
