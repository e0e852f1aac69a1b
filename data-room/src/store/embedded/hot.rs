//! The hot store's tables: SQLite, synchronous, no clock.
//!
//! `records` holds what has not been rolled to files; `streams` the last number of each source, kind and epoch, which is
//! what makes an append idempotent, also for records that have long been rolled or deleted; `files` the files; `audit` the
//! audit entries; `meta` the layout's version, the last `arrival` and how far policies have come.

use crate::record::{Kind, Record, Sensitivity, Tenant};
use crate::store::sql::{self, COLUMNS, Cells, Dialect, Statement, Value, instant, micros, number};
use crate::store::{Appended, AuditAction, AuditEntry, StoreError};
use masa_links::Durability;
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, params, params_from_iter,
};
use std::collections::BTreeMap;
use std::path::Path;

/// Layout of the file; a file of another layout is refused.
const VERSION: i64 = 1;
const PAGE_BYTES: i64 = 4_096;
/// The log is cut to this after a burst, bytes.
const LOG_BYTES: i64 = 64 * 1024 * 1024;
/// Pages of the log after which they are written to their places: some batches together.
const CHECKPOINT_PAGES: i64 = 8_192;
/// Page cache of a connection, KiB.
const CACHE_KIB: i64 = 8 * 1024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS records (
        arrival INTEGER PRIMARY KEY, tenant TEXT NOT NULL, site TEXT NOT NULL, station INTEGER NOT NULL,
        kind TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, message_id TEXT NOT NULL,
        entity TEXT NOT NULL, measured_at INTEGER NOT NULL, received_at INTEGER NOT NULL,
        lat_deg REAL, lon_deg REAL, alt_m REAL, personal INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS by_time ON records (tenant, kind, measured_at, arrival);
    CREATE INDEX IF NOT EXISTS by_entity ON records (tenant, kind, entity, measured_at);
    CREATE INDEX IF NOT EXISTS by_receipt ON records (received_at);
    CREATE TABLE IF NOT EXISTS streams (
        tenant TEXT NOT NULL, site TEXT NOT NULL, station INTEGER NOT NULL, kind TEXT NOT NULL, epoch INTEGER NOT NULL,
        last INTEGER NOT NULL, seen_at INTEGER NOT NULL,
        PRIMARY KEY (tenant, site, station, kind, epoch)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS files (
        path TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, personal INTEGER NOT NULL, hour INTEGER NOT NULL,
        records INTEGER NOT NULL, first_arrival INTEGER NOT NULL, last_arrival INTEGER NOT NULL,
        oldest INTEGER NOT NULL, newest INTEGER NOT NULL, bytes INTEGER NOT NULL, bucket_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, tenant TEXT NOT NULL, by TEXT NOT NULL,
        action TEXT NOT NULL, words TEXT NOT NULL, records INTEGER NOT NULL);";

/// How a connection is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub durability: Durability,
    /// Largest size of the file, bytes.
    pub max_bytes: Option<u64>,
}

/// Opens the file, makes or checks its layout.
pub(super) fn open(path: &Path, opening: Opening) -> Result<Connection, rusqlite::Error> {
    let db = Connection::open(path)?;
    // Takes effect only before the first table.
    db.pragma_update(None, "page_size", PAGE_BYTES)?;
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match opening.durability {
        Durability::ProcessCrash => "NORMAL",
        Durability::PowerLoss => "FULL",
    };
    db.pragma_update(None, "synchronous", synchronous)?;
    // What is deleted is overwritten.
    db.pragma_update(None, "secure_delete", "ON")?;
    db.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    if let Some(bytes) = opening.max_bytes {
        db.pragma_update(None, "max_page_count", (number(bytes) / PAGE_BYTES).max(1))?;
    }
    db.busy_timeout(std::time::Duration::from_secs(30))?;
    db.execute_batch(SCHEMA)?;
    db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?1), ('last_arrival', 0)", [VERSION])?;
    if meta(&db, "version")? != Some(VERSION) {
        return Err(rusqlite::Error::InvalidQuery);
    }
    Ok(db)
}

pub(super) fn meta(db: &Connection, key: &str) -> Result<Option<i64>, rusqlite::Error> {
    db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()
}

pub(super) fn set_meta(db: &Connection, key: &str, value: i64) -> Result<(), rusqlite::Error> {
    db.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?.execute(params![key, value]).map(drop)
}

/// A transaction that writes: takes its turn at the beginning, not in the middle.
pub(super) fn writing(db: &mut Connection) -> Result<Transaction<'_>, rusqlite::Error> {
    db.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// An error of the database in words of the store.
pub(super) fn store_error(store: &str, error: &rusqlite::Error) -> StoreError {
    let (store, reason) = (store.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { store, reason },
        // A disk that fails, or a log that cannot grow.
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseBusy | ErrorCode::CannotOpen) => {
            StoreError::Unavailable { store, reason }
        }
        _ => StoreError::Unusable { store, reason },
    }
}

type Stream = (Tenant, String, u32, Kind, u64);

fn stream(record: &Record) -> Stream {
    let source = &record.source;
    (record.tenant.clone(), source.site.clone(), source.station, record.kind, record.epoch)
}

/// Stores a batch in one transaction.
pub(super) fn append(db: &mut Connection, batch: Vec<Record>) -> Result<Appended, rusqlite::Error> {
    let tx = writing(db)?;
    let mut arrival = meta(&tx, "last_arrival")?.unwrap_or(0);
    // The last number, and when the newest record came if there is one.
    let mut streams: BTreeMap<Stream, (i64, Option<i64>)> = BTreeMap::new();
    let mut appended = Appended::default();
    {
        let mut last_of = tx.prepare_cached(
            "SELECT last FROM streams WHERE tenant = ?1 AND site = ?2 AND station = ?3 AND kind = ?4 AND epoch = ?5",
        )?;
        let mut insert = tx.prepare_cached(&format!(
            "INSERT INTO records ({COLUMNS}) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
        ))?;
        for mut record in batch {
            let key = stream(&record);
            if !streams.contains_key(&key) {
                let (tenant, site, station, kind, epoch) = &key;
                let bound = params![tenant.as_str(), site, station, kind.name(), number(*epoch)];
                let last = last_of.query_row(bound, |row| row.get(0)).optional()?.unwrap_or(0);
                streams.insert(key.clone(), (last, None));
            }
            let (last, seen_at) = streams.entry(key).or_default();
            let sequence = number(record.sequence);
            if sequence <= *last {
                appended.duplicates.push(record);
                continue;
            }
            arrival += 1;
            (*last, *seen_at) = (sequence, Some(micros(record.received_at)));
            record.arrival = arrival.unsigned_abs();
            insert.execute(params![
                arrival,
                record.tenant.as_str(),
                record.source.site,
                record.source.station,
                record.kind.name(),
                number(record.epoch),
                sequence,
                record.message_id,
                record.entity,
                micros(record.measured_at),
                micros(record.received_at),
                record.position.map(|at| at.lat_deg),
                record.position.map(|at| at.lon_deg),
                record.position.map(|at| at.alt_m),
                record.sensitivity == Sensitivity::Personal,
                record.topic,
                record.payload.as_ref(),
            ])?;
            appended.stored.push(record);
        }
        let mut advance = tx.prepare_cached("INSERT OR REPLACE INTO streams VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        for ((tenant, site, station, kind, epoch), (last, seen_at)) in streams {
            let Some(seen_at) = seen_at else { continue };
            advance.execute(params![tenant.as_str(), site, station, kind.name(), number(epoch), last, seen_at])?;
        }
    }
    set_meta(&tx, "last_arrival", arrival)?;
    tx.commit()?;
    Ok(appended)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Int(value) | Self::Time(value) => value.to_sql(),
            Self::Real(value) => value.to_sql(),
            Self::Text(value) => value.to_sql(),
        }
    }
}

impl Cells for Row<'_> {
    type Error = rusqlite::Error;

    fn int(&self, column: usize) -> rusqlite::Result<i64> {
        self.get(column)
    }

    fn time(&self, column: usize) -> rusqlite::Result<i64> {
        self.get(column)
    }

    fn real(&self, column: usize) -> rusqlite::Result<Option<f64>> {
        self.get(column)
    }

    fn flag(&self, column: usize) -> rusqlite::Result<bool> {
        self.get(column)
    }

    fn text(&self, column: usize) -> rusqlite::Result<String> {
        self.get(column)
    }

    fn bytes(&self, column: usize) -> rusqlite::Result<Vec<u8>> {
        self.get(column)
    }

    fn wrong(column: usize, text: &str) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            format!("{text:?} is not ours").into(),
        )
    }
}

/// The records of a statement.
pub(super) fn select(db: &Connection, statement: &Statement) -> Result<Vec<Record>, rusqlite::Error> {
    let mut prepared = db.prepare_cached(&statement.text)?;
    let rows = prepared.query_map(params_from_iter(&statement.values), |row| sql::record(row))?;
    rows.collect()
}

/// The dialect of this file's statements.
pub(super) const DIALECT: Dialect = Dialect::Sqlite;

pub(super) fn note(db: &Connection, entry: &AuditEntry) -> Result<(), rusqlite::Error> {
    db.prepare_cached("INSERT INTO audit (at, tenant, by, action, words, records) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            micros(entry.at),
            entry.tenant.as_str(),
            entry.by,
            entry.action.name(),
            entry.words,
            number(entry.records)
        ])
        .map(drop)
}

pub(super) fn audit(
    db: &Connection,
    tenant: &Tenant,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<AuditEntry>, rusqlite::Error> {
    let before = before.map_or(i64::MAX, number);
    let mut statement = db.prepare_cached(
        "SELECT number, at, by, action, words, records FROM audit WHERE tenant = ?1 AND number < ?2
         ORDER BY number DESC LIMIT ?3",
    )?;
    let entry = |row: &Row<'_>| {
        let action: String = row.get(3)?;
        Ok(AuditEntry {
            number: row.get::<_, i64>(0)?.unsigned_abs(),
            at: instant(row.get(1)?),
            tenant: tenant.clone(),
            by: row.get(2)?,
            action: AuditAction::from_name(&action).ok_or_else(|| Row::wrong(3, &action))?,
            words: row.get(4)?,
            records: row.get::<_, i64>(5)?.unsigned_abs(),
        })
    };
    let rows = statement.query_map(params![tenant.as_str(), before, limit as i64], entry)?;
    rows.collect()
}
