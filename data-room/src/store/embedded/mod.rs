//! The store that needs no set-up: SQLite for what is new, Parquet files for closed hours, all below one folder.
//!
//! In and out: see [`Store`]. Three kinds of connections: one appends, one maintains (rolling, deleting), some read; SQLite's
//! log lets them work at the same time. Everything runs on threads that may wait.
//!
//! Invariants: an append is one transaction, a batch is there or not; a record is in the hot store or in a file, never in
//! both (moving is one transaction, made when the file is on the disk); what is deleted is overwritten, and files that held
//! it are rewritten or removed; one process at a time has the folder.
//!
//! Absent: replication, several writers: that is PostgreSQL.

mod files;
mod hot;
mod sweep;

use super::sql::{Statement, check_limit};
use super::{
    Appended, AuditEntry, Deleted, Deletion, Holding, Latest, Page, Policies, Query, Statistics, Store, StoreError,
    Swept,
};
use crate::record::{Kind, Record, Sensitivity, Tenant};
use crate::store::query::Cursor;
use futures::future::BoxFuture;
use masa_links::Durability;
use masa_v2x_proto::time::Timestamp;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reading connections that are kept open.
const READERS: usize = 4;
/// How often a question is asked again when a file went away under it.
const ATTEMPTS: usize = 5;

/// The embedded store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EmbeddedSettings {
    /// Folder of the database and of the files; made if absent.
    pub folder: PathBuf,
    /// What a stored record survives.
    pub durability: Durability,
    /// Largest size of the database, bytes; beyond, records are refused until older ones are rolled or deleted. Absent: the
    /// disk decides.
    pub max_bytes: Option<u64>,
    /// Full hours after which an hour is rolled to files.
    pub hot_hours: u32,
}

impl Default for EmbeddedSettings {
    fn default() -> Self {
        Self { folder: "data-room".into(), durability: Durability::PowerLoss, max_bytes: None, hot_hours: 2 }
    }
}

/// A store in a folder.
#[derive(Clone, Debug)]
pub struct EmbeddedStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    database: PathBuf,
    archive: PathBuf,
    opening: hot::Opening,
    hot_hours: u32,
    writer: Mutex<Option<Connection>>,
    maintainer: Mutex<Option<Connection>>,
    /// `None` when closed.
    readers: Mutex<Option<Vec<Connection>>>,
    /// Held as long as the store is open; `None` for a store that is only read.
    lock: Mutex<Option<File>>,
}

impl EmbeddedStore {
    /// Opens the store, makes its folder if there is none, and removes what interrupted moves left behind.
    ///
    /// # Errors
    /// A folder that cannot be used, that another process uses, or that holds another layout.
    pub fn open(settings: &EmbeddedSettings) -> Result<Self, StoreError> {
        let mut inner = Inner::new(settings);
        let unusable = |reason: String| StoreError::Unusable { store: inner.name.clone(), reason };
        std::fs::create_dir_all(&inner.archive).map_err(|e| unusable(e.to_string()))?;
        let lock = File::create(settings.folder.join("lock")).map_err(|e| unusable(e.to_string()))?;
        lock.try_lock().map_err(|e| unusable(format!("used by another process? {e}")))?;
        let (writer, maintainer) = (inner.connect()?, inner.connect()?);
        let known = files::all(&writer).map_err(|e| inner.error(&e))?;
        let strangers = files::remove_strangers(&inner.archive, &known).map_err(|e| unusable(e.to_string()))?;
        if strangers > 0 {
            tracing::info!(store = inner.name, files = strangers, "removed what an interrupted move left");
        }
        (inner.writer, inner.maintainer) = (Mutex::new(Some(writer)), Mutex::new(Some(maintainer)));
        inner.lock = Mutex::new(Some(lock));
        Ok(Self(Arc::new(inner)))
    }

    /// Opens a store for reading, also one that a running data room writes. Whatever would change it is
    /// [`StoreError::Unavailable`].
    ///
    /// # Errors
    /// A folder without a store.
    pub fn open_to_read(settings: &EmbeddedSettings) -> Result<Self, StoreError> {
        let inner = Inner::new(settings);
        if !inner.database.exists() {
            let reason = format!("there is no {}", inner.database.display());
            return Err(StoreError::Unusable { store: inner.name, reason });
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Runs something that waits on a thread that may.
    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        let inner = self.0.clone();
        Box::pin(async move {
            let name = inner.name.clone();
            match tokio::task::spawn_blocking(move || work(&inner)).await {
                Ok(result) => result,
                // The runtime ends, or the thread panicked, which was reported where it happened.
                Err(e) => Err(StoreError::Unavailable { store: name, reason: e.to_string() }),
            }
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic in the middle of a transaction rolls it back.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// Not connected yet.
    fn new(settings: &EmbeddedSettings) -> Self {
        Self {
            name: settings.folder.display().to_string(),
            database: settings.folder.join("hot.sqlite"),
            archive: settings.folder.join("archive"),
            opening: hot::Opening { durability: settings.durability, max_bytes: settings.max_bytes },
            hot_hours: settings.hot_hours,
            writer: Mutex::default(),
            maintainer: Mutex::default(),
            readers: Mutex::new(Some(Vec::new())),
            lock: Mutex::default(),
        }
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        hot::open(&self.database, self.opening).map_err(|e| self.error(&e))
    }

    fn error(&self, error: &rusqlite::Error) -> StoreError {
        hot::store_error(&self.name, error)
    }

    fn closed(&self) -> StoreError {
        StoreError::Unavailable { store: self.name.clone(), reason: "closed, or open for reading".into() }
    }

    /// Does something with the connection in `slot`.
    fn with<T>(
        &self,
        slot: &Mutex<Option<Connection>>,
        work: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let mut slot = locked(slot);
        let db = slot.as_mut().ok_or_else(|| self.closed())?;
        work(db).map_err(|e| self.error(&e))
    }

    /// Reads the hot store and the table of files as of one moment.
    fn reading<T>(&self, read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        let idle = locked(&self.readers).as_mut().ok_or_else(|| self.closed())?.pop();
        let mut db = idle.map_or_else(|| self.connect(), Ok)?;
        let result = db.transaction().and_then(|moment| read(&moment)).map_err(|e| self.error(&e))?;
        if let Some(readers) = locked(&self.readers).as_mut()
            && readers.len() < READERS
        {
            readers.push(db);
        }
        Ok(result)
    }

    /// Repeats what met a file that went away, which happens when the table was read just before a deletion.
    fn again<T>(&self, attempt: impl Fn() -> Result<Result<T, files::Gone>, StoreError>) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS {
            if let Ok(result) = attempt()? {
                return Ok(result);
            }
        }
        let reason = format!("a file below {} is missing", self.archive.display());
        Err(StoreError::Unusable { store: self.name.clone(), reason })
    }

    fn query(&self, query: &Query) -> Result<Page, StoreError> {
        check_limit(query.limit)?;
        self.again(|| {
            let statement = Statement::page(hot::DIALECT, query);
            let (mut records, stored) = self.reading(|db| Ok((hot::select(db, &statement)?, files::all(db)?)))?;
            let Ok(archived) = files::page(&self.archive, stored, query)? else { return Ok(Err(files::Gone)) };
            records.extend(archived);
            records.sort_by_key(|record| files::place(query.order, record));
            let more = records.len() > query.limit;
            records.truncate(query.limit);
            let next = records.last().filter(|_| more).map(Cursor::after);
            Ok(Ok(Page { records, next }))
        })
    }

    fn latest(&self, latest: &Latest) -> Result<Vec<Record>, StoreError> {
        check_limit(latest.limit)?;
        let mut newest = self.again(|| {
            let statement = Statement::latest(hot::DIALECT, latest, None);
            let (recent, stored) = self.reading(|db| Ok((hot::select(db, &statement)?, files::all(db)?)))?;
            let mut newest = BTreeMap::new();
            recent.into_iter().for_each(|record| files::keep_newest(&mut newest, record));
            let read = files::latest(&self.archive, stored, latest, &mut newest)?;
            Ok(read.map(|()| newest))
        })?;
        newest.retain(|_, record| latest.filter.takes(record));
        let mut records: Vec<_> = newest.into_values().collect();
        records.sort_by(|a, b| (a.kind.name(), &a.entity).cmp(&(b.kind.name(), &b.entity)));
        records.truncate(latest.limit);
        Ok(records)
    }

    fn statistics(&self) -> Result<Statistics, StoreError> {
        let (mut holdings, files, last_arrival) = self.reading(|db| {
            let sql = "SELECT tenant, kind, personal, count(*), min(measured_at), max(measured_at) FROM records
                       GROUP BY tenant, kind, personal";
            let holdings: Vec<Holding> = db.prepare_cached(sql)?.query_map([], holding)?.collect::<Result<_, _>>()?;
            Ok((holdings, files::all(db)?, hot::meta(db, "last_arrival")?.unwrap_or(0)))
        })?;
        for file in &files {
            let (group, contents) = (&file.group, &file.contents);
            add_holding(
                &mut holdings,
                Holding {
                    tenant: group.tenant.clone(),
                    kind: group.kind,
                    sensitivity: group.sensitivity,
                    records: contents.records,
                    oldest: contents.oldest,
                    newest: contents.newest,
                },
            );
        }
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        Ok(Statistics {
            store: format!("embedded in {}", self.name),
            holdings,
            hot_bytes: size(&self.database) + size(&self.database.with_extension("sqlite-wal")),
            archive_bytes: files.iter().map(|file| file.contents.bytes).sum(),
            files: files.len() as u64,
            last_arrival: last_arrival.unsigned_abs(),
        })
    }
}

fn holding(row: &Row<'_>) -> rusqlite::Result<Holding> {
    use crate::store::sql::{Cells, instant};
    let (tenant, kind): (String, String) = (row.get(0)?, row.get(1)?);
    Ok(Holding {
        tenant: Tenant::new(tenant).map_err(|bad| Row::wrong(0, &bad.0))?,
        kind: Kind::from_name(&kind).ok_or_else(|| Row::wrong(1, &kind))?,
        sensitivity: if row.get(2)? { Sensitivity::Personal } else { Sensitivity::Open },
        records: row.get::<_, i64>(3)?.unsigned_abs(),
        oldest: instant(row.get(4)?),
        newest: instant(row.get(5)?),
    })
}

fn add_holding(holdings: &mut Vec<Holding>, more: Holding) {
    let key = |h: &Holding| (h.tenant.clone(), h.kind, h.sensitivity);
    match holdings.iter_mut().find(|holding| key(holding) == key(&more)) {
        Some(holding) => {
            holding.records += more.records;
            holding.oldest = holding.oldest.min(more.oldest);
            holding.newest = holding.newest.max(more.newest);
        }
        None => holdings.push(more),
    }
}

impl Store for EmbeddedStore {
    fn append(&self, batch: Vec<Record>) -> BoxFuture<'_, Result<Appended, StoreError>> {
        self.blocking(move |inner| inner.with(&inner.writer, |db| hot::append(db, batch)))
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.blocking(move |inner| inner.query(&query))
    }

    fn latest(&self, latest: Latest) -> BoxFuture<'_, Result<Vec<Record>, StoreError>> {
        self.blocking(move |inner| inner.latest(&latest))
    }

    fn delete(&self, deletion: Deletion) -> BoxFuture<'_, Result<Deleted, StoreError>> {
        self.blocking(move |inner| inner.delete(&deletion))
    }

    fn sweep(&self, policies: &Policies, now: Timestamp) -> BoxFuture<'_, Result<Swept, StoreError>> {
        let policies = policies.clone();
        self.blocking(move |inner| inner.sweep(&policies, now))
    }

    fn note(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), StoreError>> {
        self.blocking(move |inner| inner.with(&inner.writer, |db| hot::note(db, &entry)))
    }

    fn audit(
        &self,
        tenant: Tenant,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<AuditEntry>, StoreError>> {
        self.blocking(move |inner| {
            check_limit(limit)?;
            inner.reading(|db| hot::audit(db, &tenant, before, limit))
        })
    }

    fn statistics(&self) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        self.blocking(Inner::statistics)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let closed = self.blocking(|inner| {
                drop(locked(&inner.maintainer).take());
                drop(locked(&inner.writer).take());
                drop(locked(&inner.readers).take());
                drop(locked(&inner.lock).take());
                Ok(())
            });
            // Only fails when the runtime ends, which closes as well.
            let _ = closed.await;
        })
    }
}
