//! The closed hours: Parquet files and the table that knows them.
//!
//! A file holds records of one tenant, kind, sensitivity and hour of receipt, so that what must go goes as a whole, and
//! nothing late can belong into a file that is finished: what arrives late arrives later, in another hour.
//! `<archive>/<tenant>/<kind>/<sensitivity>/<YYYY-MM-DD>/<HH>-<first arrival>-<generation>.parquet`.
//!
//! Only files of the table count. One that is there without being in it is the rest of an interrupted move or deletion
//! and is removed when the store is opened.

use crate::record::{Kind, Record, Sensitivity, Tenant};
use crate::store::StoreError;
use crate::store::parquet_file::{self, Contents};
use crate::store::policy::HOUR_MS;
use crate::store::query::{Cursor, Filter, Latest, Order, Query};
use crate::store::sql::{instant, micros, number};
use masa_v2x_proto::time::Timestamp;
use rusqlite::{Connection, Row, params};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What the records of a file have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub tenant: Tenant,
    pub kind: Kind,
    pub sensitivity: Sensitivity,
    /// Hours of Unix time.
    pub hour: i64,
}

/// A row of the table of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredFile {
    /// Below the archive's folder.
    pub path: String,
    pub group: Group,
    pub contents: Contents,
    /// What it has been thinned to; 0 for not at all.
    pub bucket_ms: i64,
}

impl Group {
    /// A name for a file of this group; a rewritten file gets the next generation.
    pub(super) fn path(&self, first_arrival: u64, generation: u32) -> String {
        let day = jiff::Timestamp::from_millisecond(self.hour * HOUR_MS).unwrap_or_default().strftime("%Y-%m-%d/%H");
        let (tenant, kind, sensitivity) = (&self.tenant, self.kind.name(), self.sensitivity.name());
        format!("{tenant}/{kind}/{sensitivity}/{day}-{first_arrival}-{generation}.parquet")
    }

    /// When its hour was over.
    pub(super) fn ended_at(&self) -> Timestamp {
        Timestamp::from_unix_ms((self.hour + 1) * HOUR_MS)
    }

    /// Whether records that a filter takes may be in it.
    fn may_hold(&self, filter: &Filter) -> bool {
        self.tenant == filter.tenant
            && (filter.kinds.is_empty() || filter.kinds.contains(&self.kind))
            && filter.personal.takes(self.sensitivity)
    }
}

impl StoredFile {
    /// The name of its next version.
    pub(super) fn next_path(&self) -> String {
        let generation = self.path.trim_end_matches(".parquet").rsplit('-').next().and_then(|n| n.parse().ok());
        self.group.path(self.contents.first_arrival, generation.unwrap_or(0u32) + 1)
    }

    pub(super) fn may_hold(&self, filter: &Filter, from: Timestamp, until: Timestamp) -> bool {
        self.group.may_hold(filter) && self.contents.newest >= from && self.contents.oldest < until
    }

    pub(super) fn insert(&self, db: &Connection) -> Result<(), rusqlite::Error> {
        let (group, contents) = (&self.group, &self.contents);
        db.prepare_cached("INSERT INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?
            .execute(params![
                self.path,
                group.tenant.as_str(),
                group.kind.name(),
                group.sensitivity == Sensitivity::Personal,
                group.hour,
                number(contents.records),
                number(contents.first_arrival),
                number(contents.last_arrival),
                micros(contents.oldest),
                micros(contents.newest),
                number(contents.bytes),
                self.bucket_ms
            ])
            .map(drop)
    }

    pub(super) fn remove(&self, db: &Connection) -> Result<(), rusqlite::Error> {
        db.prepare_cached("DELETE FROM files WHERE path = ?1")?.execute([&self.path]).map(drop)
    }
}

/// Every file of the table, oldest hour first.
pub(super) fn all(db: &Connection) -> Result<Vec<StoredFile>, rusqlite::Error> {
    let file = |row: &Row<'_>| {
        use crate::store::sql::Cells;
        let (tenant, kind): (String, String) = (row.get(1)?, row.get(2)?);
        let unsigned = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
        Ok(StoredFile {
            path: row.get(0)?,
            group: Group {
                tenant: Tenant::new(tenant).map_err(|bad| Row::wrong(1, &bad.0))?,
                kind: Kind::from_name(&kind).ok_or_else(|| Row::wrong(2, &kind))?,
                sensitivity: if row.get(3)? { Sensitivity::Personal } else { Sensitivity::Open },
                hour: row.get(4)?,
            },
            contents: Contents {
                records: unsigned(5)?,
                first_arrival: unsigned(6)?,
                last_arrival: unsigned(7)?,
                oldest: instant(row.get(8)?),
                newest: instant(row.get(9)?),
                bytes: unsigned(10)?,
            },
            bucket_ms: row.get(11)?,
        })
    };
    db.prepare_cached("SELECT * FROM files ORDER BY hour, path")?.query_map([], file)?.collect()
}

/// Removes what is below `archive` and not in the table; returns how many files that were.
pub(super) fn remove_strangers(archive: &Path, known: &[StoredFile]) -> Result<u64, std::io::Error> {
    let known: BTreeSet<PathBuf> = known.iter().map(|file| archive.join(&file.path)).collect();
    let (mut folders, mut removed) = (vec![archive.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "parquet" || end == "unfinished")
                && !known.contains(&path)
            {
                std::fs::remove_file(&path)?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// Where a record stands in the order of a query; smaller comes first.
pub(super) fn place(order: Order, record: &Record) -> (i64, i128) {
    let (measured_us, arrival) = (micros(record.measured_at), i128::from(record.arrival));
    place_of(order, measured_us, arrival)
}

fn place_of(order: Order, measured_us: i64, arrival: i128) -> (i64, i128) {
    match order {
        Order::OldestFirst => (measured_us, arrival),
        Order::NewestFirst => (measured_us.saturating_neg(), -arrival),
        Order::Arrival => (0, arrival),
    }
}

fn place_of_cursor(order: Order, cursor: Cursor) -> (i64, i128) {
    place_of(order, cursor.measured_at_ns.div_euclid(1_000), i128::from(cursor.arrival))
}

/// A file has gone while it was to be read: the table must be read again.
pub(super) struct Gone;

/// The first `limit + 1` records of a query that are in files, in order.
pub(super) fn page(
    archive: &Path,
    mut files: Vec<StoredFile>,
    query: &Query,
) -> Result<Result<Vec<Record>, Gone>, StoreError> {
    let (order, most) = (query.order, query.limit + 1);
    let after = query.after.map(|cursor| place_of_cursor(order, cursor));
    let first_of = |file: &StoredFile| match order {
        Order::OldestFirst => place_of(order, micros(file.contents.oldest), 0),
        Order::NewestFirst => place_of(order, micros(file.contents.newest), i128::from(u64::MAX)),
        Order::Arrival => place_of(order, 0, i128::from(file.contents.first_arrival)),
    };
    files.retain(|file| file.may_hold(&query.filter, query.from, query.until));
    files.sort_by_key(first_of);
    let mut found: BTreeMap<(i64, i128), Record> = BTreeMap::new();
    for file in &files {
        let full = |found: &BTreeMap<(i64, i128), Record>| found.len() == most;
        if full(&found) && found.last_key_value().is_some_and(|(last, _)| *last < first_of(file)) {
            break;
        }
        let (mut from, mut until) = (query.from, query.until);
        // Whole row groups can be passed over when it is known where the page begins.
        if let Some(cursor) = query.after {
            let at = Timestamp::from_unix_ns(cursor.measured_at_ns);
            match order {
                Order::OldestFirst => from = from.max(at),
                Order::NewestFirst => until = until.min(at.plus_ns(1_000)),
                Order::Arrival => {}
            }
        }
        let there = parquet_file::read(&archive.join(&file.path), from, until, |record| {
            let at = place(order, &record);
            let last = found.last_key_value().map(|(last, _)| *last);
            if full(&found) && last.is_some_and(|last| at > last) {
                // Files are in the order of time, oldest first.
                return if order == Order::OldestFirst { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            if after.is_none_or(|after| at > after) && query.filter.takes(&record) {
                found.insert(at, record);
                if found.len() > most {
                    found.pop_last();
                }
            }
            ControlFlow::Continue(())
        })?;
        if !there {
            return Ok(Err(Gone));
        }
    }
    Ok(Ok(found.into_values().collect()))
}

/// Puts the newest records in files of each entity into `newest`, whatever the filter's area.
pub(super) fn latest(
    archive: &Path,
    mut files: Vec<StoredFile>,
    latest: &Latest,
    newest: &mut BTreeMap<(Kind, String), Record>,
) -> Result<Result<(), Gone>, StoreError> {
    let filter = Filter { area: None, ..latest.filter.clone() };
    let from = latest.at.plus_ms(latest.look_back_ms.saturating_neg());
    let until = latest.at.plus_ns(1_000);
    files.retain(|file| file.may_hold(&filter, from, until));
    for file in &files {
        let there = parquet_file::read(&archive.join(&file.path), from, until, |record| {
            if filter.takes(&record) {
                keep_newest(newest, record);
            }
            ControlFlow::Continue(())
        })?;
        if !there {
            return Ok(Err(Gone));
        }
    }
    Ok(Ok(()))
}

/// Keeps a record if it is the newest of its entity.
pub(super) fn keep_newest(newest: &mut BTreeMap<(Kind, String), Record>, record: Record) {
    let key = (record.kind, record.entity.clone());
    let age = |record: &Record| (record.measured_at, record.arrival);
    if newest.get(&key).is_none_or(|old| age(old) < age(&record)) {
        newest.insert(key, record);
    }
}
