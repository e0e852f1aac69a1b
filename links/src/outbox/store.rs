//! The outbox's tables: SQLite, synchronous, no clock.
//!
//! `messages` holds one row per message; `owed` one row per acknowledgement still missing, by link and reader (empty
//! reader: anybody's word counts). A message whose last `owed` row goes is `done`, stays readable for a while and is
//! then pruned. `heads` keeps the last number of each kind for ever.

use crate::error::LinkError;
use crate::kind::Kind;
use crate::message::{Numbered, Outgoing};
use crate::outbox::Heads;
use crate::protocol::{Header, Page};
use crate::settings::{Durability, OutboxSettings};
use crate::stats::LinkName;
use bytes::Bytes;
use masa_v2x_proto::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A link that owes acknowledgements, and whose count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Creditor {
    pub link: LinkName,
    /// Named readers that must all acknowledge; empty: the link itself or any reader.
    pub readers: Vec<String>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS heads (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS messages (
        kind TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL,
        generated_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, quadkey TEXT NOT NULL,
        uper BLOB NOT NULL, json BLOB NOT NULL, done_at INTEGER, PRIMARY KEY (kind, number));
    CREATE INDEX IF NOT EXISTS by_expiry ON messages (expires_at);
    CREATE TABLE IF NOT EXISTS owed (
        link TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, reader TEXT NOT NULL,
        PRIMARY KEY (link, kind, number, reader)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS owed_of_message ON owed (kind, number);
    CREATE INDEX IF NOT EXISTS by_end ON messages (done_at) WHERE done_at IS NOT NULL;";

// What is done for every message, acknowledgement and second must cost no more the more is kept: after an outage the outbox
// has the most to do. So each of these seeks in an index, which a test reads in their plans.
const FIRST_OWED: &str = "SELECT number FROM owed WHERE link = ?1 AND kind = ?2 AND number BETWEEN ?3 AND ?4
    AND reader IN (?5, '') ORDER BY number LIMIT 1";
const SETTLE: &str =
    "DELETE FROM owed WHERE link = ?1 AND kind = ?2 AND number BETWEEN ?3 AND ?4 AND reader IN (?5, '')";
const DONE: &str = "UPDATE messages SET done_at = ?1 WHERE kind = ?2 AND number BETWEEN ?3 AND ?4 AND done_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM owed o WHERE o.kind = messages.kind AND o.number = messages.number)";
const ANY_EXPIRED: &str = "SELECT EXISTS (SELECT 1 FROM messages WHERE expires_at <= ?1)";
const MISSING: &str = "SELECT count(DISTINCT m.number) FROM messages m CROSS JOIN owed o
    ON o.link = ?3 AND o.kind = m.kind AND o.number = m.number WHERE m.expires_at <= ?1 AND +m.kind = ?2";
const FORGIVE: &str = "DELETE FROM owed WHERE link = ?2
    AND (kind, number) IN (SELECT kind, number FROM messages WHERE expires_at <= ?1)";
const REMOVE_EXPIRED: &str = "DELETE FROM messages WHERE expires_at <= ?1";
const REMOVE_DONE: &str = "DELETE FROM messages WHERE done_at <= ?1";
const OLDEST_DONE: &str = "SELECT kind, number FROM messages WHERE done_at IS NOT NULL ORDER BY done_at LIMIT 1";
const FIRST: &str = "SELECT min(number) FROM messages WHERE kind = ?1";
const COLUMNS: &str = "m.kind, m.number, m.id, m.seq, m.generated_at, m.expires_at, m.quadkey, m.uper, m.json";

/// Layout of the file; a file of another layout is refused.
const VERSION: i64 = 1;
/// A page stops growing here, bytes of UPER.
const PAGE_BYTES: usize = 256 * 1024;

/// The database.
pub(crate) struct Store {
    db: Connection,
    creditors: Vec<Creditor>,
    stream: u64,
    /// Kept in memory too: the numbering goes on when the disk fails.
    last: [u64; Kind::ALL.len()],
    rows: u64,
    max_rows: u64,
    max_age_ms: i64,
    keep_ms: i64,
}

impl Store {
    /// Opens or creates the file; `now` becomes the stream's identity of a new one.
    pub(crate) fn open(settings: &OutboxSettings, creditors: Vec<Creditor>, now: Timestamp) -> Result<Self, LinkError> {
        let path = settings.path.clone().unwrap_or_else(|| PathBuf::from(":memory:"));
        Self::open_at(&path, settings, creditors, now).map_err(|source| LinkError::Outbox { path, source })
    }

    fn open_at(
        path: &PathBuf,
        settings: &OutboxSettings,
        creditors: Vec<Creditor>,
        now: Timestamp,
    ) -> Result<Self, rusqlite::Error> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        let synchronous = match settings.durability {
            Durability::ProcessCrash => "NORMAL",
            Durability::PowerLoss => "FULL",
        };
        db.pragma_update(None, "synchronous", synchronous)?;
        db.busy_timeout(std::time::Duration::from_secs(2))?;
        db.execute_batch(SCHEMA)?;
        db.execute(
            "INSERT OR IGNORE INTO meta VALUES ('stream', ?1), ('version', ?2)",
            params![now.unix_ms(), VERSION],
        )?;
        let meta = |key: &str| db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, i64>(0));
        if meta("version")? != VERSION {
            return Err(rusqlite::Error::InvalidQuery);
        }
        let stream = meta("stream")?.unsigned_abs();
        let mut last = [0; Kind::ALL.len()];
        for kind in Kind::ALL {
            let head =
                db.query_row("SELECT last FROM heads WHERE kind = ?1", [kind.name()], |row| row.get::<_, i64>(0));
            last[kind.index()] = head.optional()?.unwrap_or(0).unsigned_abs();
        }
        let rows = db.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0))?.unsigned_abs();
        let mut store = Self {
            db,
            creditors,
            stream,
            last,
            rows,
            max_rows: u64::from(settings.max_rows.max(1)),
            max_age_ms: i64::from(settings.max_age_s) * 1_000,
            keep_ms: i64::from(settings.keep_acknowledged_s) * 1_000,
        };
        store.forget_strangers(now)?;
        Ok(store)
    }

    /// Drops what is owed by links and readers that the configuration no longer names.
    fn forget_strangers(&mut self, now: Timestamp) -> Result<(), rusqlite::Error> {
        let debts: Vec<(String, String)> = self
            .db
            .prepare("SELECT DISTINCT link, reader FROM owed")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (link, reader) in debts {
            if !self.debts().any(|(l, r)| l.name() == link && r == reader) {
                self.db.execute("DELETE FROM owed WHERE link = ?1 AND reader = ?2", [&link, &reader])?;
            }
        }
        self.db.execute(
            "UPDATE messages SET done_at = ?1 WHERE done_at IS NULL AND NOT EXISTS
             (SELECT 1 FROM owed o WHERE o.kind = messages.kind AND o.number = messages.number)",
            [now.unix_ms()],
        )?;
        Ok(())
    }

    fn debts(&self) -> impl Iterator<Item = (LinkName, &str)> {
        self.creditors.iter().flat_map(|c| {
            let anybody = c.readers.is_empty().then_some("");
            anybody.into_iter().chain(c.readers.iter().map(String::as_str)).map(|reader| (c.link, reader))
        })
    }

    /// The numbering's identity: when the file was made, Unix milliseconds.
    pub(crate) const fn stream(&self) -> u64 {
        self.stream
    }

    /// Numbers and stores a message; returns it even when the disk refused it, and how many old ones had to go.
    pub(crate) fn insert(&mut self, m: Outgoing, now: Timestamp) -> (Numbered, Result<u64, rusqlite::Error>) {
        let number = self.last[m.kind.index()] + 1;
        self.last[m.kind.index()] = number;
        let mut numbered = Numbered::new(m, self.stream, number, now);
        numbered.expires_at = numbered.expires_at.min(now.plus_ms(self.max_age_ms));
        let stored = self.write(&numbered, now);
        (numbered, stored)
    }

    fn write(&mut self, m: &Numbered, now: Timestamp) -> Result<u64, rusqlite::Error> {
        let debts: Vec<(LinkName, String)> = self.debts().map(|(link, reader)| (link, reader.to_owned())).collect();
        let (kind, number) = (m.kind.name(), m.header.number as i64);
        let tx = self.db.transaction()?;
        tx.prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(
            params![
                kind,
                number,
                m.header.id,
                m.header.seq as i64,
                m.header.generated_at_ns,
                m.expires_at.unix_ms(),
                m.quadkey,
                m.uper.as_ref(),
                m.json.as_ref(),
                debts.is_empty().then(|| now.unix_ms()),
            ],
        )?;
        tx.prepare_cached("INSERT OR REPLACE INTO heads VALUES (?1, ?2)")?.execute(params![kind, number])?;
        for (link, reader) in debts {
            tx.prepare_cached("INSERT INTO owed VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                link.name(),
                kind,
                number,
                reader
            ])?;
        }
        tx.commit()?;
        self.rows += 1;
        self.evict()
    }

    /// Removes rows above the limit, acknowledged ones first; returns how many unacknowledged ones went.
    fn evict(&mut self) -> Result<u64, rusqlite::Error> {
        let mut lost = 0;
        while self.rows > self.max_rows {
            let message = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
            let done = self.db.prepare_cached(OLDEST_DONE)?.query_row([], message).optional()?;
            lost += u64::from(done.is_none());
            let (kind, number) = match done {
                Some(done) => done,
                None => self.db.query_row("SELECT kind, number FROM messages ORDER BY rowid LIMIT 1", [], message)?,
            };
            self.db.execute("DELETE FROM owed WHERE kind = ?1 AND number = ?2", params![kind, number])?;
            self.db.execute("DELETE FROM messages WHERE kind = ?1 AND number = ?2", params![kind, number])?;
            self.rows -= 1;
        }
        Ok(lost)
    }

    /// Unexpired messages that `link` owes after `after`, oldest first.
    pub(crate) fn owed(
        &self,
        link: LinkName,
        kind: Kind,
        after: u64,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Numbered>, rusqlite::Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM messages m WHERE m.kind = ?1 AND m.number > ?2 AND m.expires_at > ?3 AND EXISTS
             (SELECT 1 FROM owed o WHERE o.link = ?4 AND o.kind = m.kind AND o.number = m.number)
             ORDER BY m.number LIMIT ?5"
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement
            .query_map(params![kind.name(), after as i64, now.unix_ms(), link.name(), limit as i64], |row| {
                self.numbered(row, kind, now)
            })?;
        rows.collect()
    }

    fn numbered(&self, row: &Row<'_>, kind: Kind, now: Timestamp) -> Result<Numbered, rusqlite::Error> {
        Ok(Numbered {
            kind,
            header: Header {
                number: row.get::<_, i64>(1)?.unsigned_abs(),
                id: row.get(2)?,
                seq: row.get::<_, i64>(3)?.unsigned_abs(),
                generated_at_ns: row.get(4)?,
                stream: self.stream,
            },
            expires_at: Timestamp::from_unix_ms(row.get(5)?),
            quadkey: row.get(6)?,
            uper: Bytes::from(row.get::<_, Vec<u8>>(7)?),
            json: Bytes::from(row.get::<_, Vec<u8>>(8)?),
            accepted_at: now,
        })
    }

    /// The messages after `after` that are still there, acknowledged or not.
    pub(crate) fn page(&self, kind: Kind, after: u64, limit: usize) -> Result<Page, rusqlite::Error> {
        let mut page = Page { after: Some(after), ..self.head(kind) };
        let sql =
            format!("SELECT {COLUMNS} FROM messages m WHERE m.kind = ?1 AND m.number > ?2 ORDER BY m.number LIMIT ?3");
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query(params![kind.name(), after as i64, limit as i64])?;
        let mut bytes = 0;
        while bytes < PAGE_BYTES
            && let Some(row) = rows.next()?
        {
            let entry = self.numbered(row, kind, Timestamp::default())?.entry();
            bytes += entry.uper.len();
            page.messages.push(entry);
        }
        Ok(page)
    }

    fn head(&self, kind: Kind) -> Page {
        let last = self.last[kind.index()];
        if last == 0 {
            return Page { stream: self.stream, first: 1, last, after: None, messages: Vec::new() };
        }
        let first = self
            .db
            .prepare_cached(FIRST)
            .and_then(|mut s| s.query_row([kind.name()], |row| row.get::<_, Option<i64>>(0)));
        // When the disk fails nothing can be fetched from it either.
        let first = first.ok().flatten().map_or(last + 1, i64::unsigned_abs);
        Page { stream: self.stream, first, last, after: None, messages: Vec::new() }
    }

    /// First and last number of each kind.
    pub(crate) fn heads(&self) -> Heads {
        Kind::ALL.map(|kind| self.head(kind))
    }

    /// Notes that `reader` has `from..=upto` over `link`; returns how many acknowledgements that settled. When the link
    /// waits for anybody, any reader's word counts; else only that of a named one.
    pub(crate) fn settle(
        &mut self,
        link: LinkName,
        reader: &str,
        kind: Kind,
        from: u64,
        upto: u64,
        now: Timestamp,
    ) -> Result<u64, rusqlite::Error> {
        let upto = upto.min(i64::MAX as u64) as i64;
        let tx = self.db.transaction()?;
        let first = tx
            .prepare_cached(FIRST_OWED)?
            .query_row(params![link.name(), kind.name(), from as i64, upto, reader], |row| row.get::<_, i64>(0))
            .optional()?;
        // What was acknowledged before is passed over.
        let Some(first) = first else { return Ok(0) };
        let settled = tx.prepare_cached(SETTLE)?.execute(params![link.name(), kind.name(), first, upto, reader])?;
        tx.prepare_cached(DONE)?.execute(params![now.unix_ms(), kind.name(), first, upto])?;
        tx.commit()?;
        Ok(settled as u64)
    }

    /// Deletes what expired or was acknowledged long enough ago; returns the acknowledgements that never came.
    pub(crate) fn prune(&mut self, now: Timestamp) -> Result<BTreeMap<(LinkName, Kind), u64>, rusqlite::Error> {
        let now_ms = now.unix_ms();
        let mut missing = BTreeMap::new();
        let tx = self.db.transaction()?;
        let mut gone = tx.prepare_cached(REMOVE_DONE)?.execute([now_ms - self.keep_ms])?;
        if tx.prepare_cached(ANY_EXPIRED)?.query_row([now_ms], |row| row.get::<_, bool>(0))? {
            for link in self.creditors.iter().map(|creditor| creditor.link) {
                for kind in Kind::ALL {
                    let expired = params![now_ms, kind.name(), link.name()];
                    let count: i64 = tx.prepare_cached(MISSING)?.query_row(expired, |row| row.get(0))?;
                    if count > 0 {
                        missing.insert((link, kind), count.unsigned_abs());
                    }
                }
                tx.prepare_cached(FORGIVE)?.execute(params![now_ms, link.name()])?;
            }
            gone += tx.prepare_cached(REMOVE_EXPIRED)?.execute([now_ms])?;
        }
        tx.commit()?;
        self.rows = self.rows.saturating_sub(gone as u64);
        Ok(missing)
    }

    /// Acknowledgements still missing.
    pub(crate) fn owed_count(&self) -> Result<u64, rusqlite::Error> {
        self.db.query_row("SELECT count(*) FROM owed", [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    }
}

#[cfg(test)]
mod tests;
