//! Maintenance: retention, rolling closed hours to files, thinning, deletion on demand.
//!
//! Each step writes files first, then changes the table of files and the records in one transaction, then removes files
//! that are no longer named; whatever is interrupted is either not done or finished when the store is opened again.

use super::files::{self, Group, StoredFile};
use super::hot;
use super::{Inner, locked};
use crate::record::{Kind, Record, Sensitivity, Tenant};
use crate::store::parquet_file::{self, FileWriter};
use crate::store::policy::{HOUR_MS, Thinner};
use crate::store::sql::{self, COLUMNS, Statement, micros};
use crate::store::{Deleted, Deletion, Policies, StoreError, Swept, expiry};
use masa_v2x_proto::time::Timestamp;
use rusqlite::{Connection, params, params_from_iter};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

/// Records of a file at most: bounds a transaction that moves them.
const PART: usize = 50_000;
/// Files written by one sweep at most.
const PARTS: usize = 64;
/// Pages given back to the disk by one sweep at most.
const VACUUM_PAGES: usize = 8_192;
const HOUR_US: i64 = HOUR_MS * 1_000;
/// How long emptying the log may hold up appends.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(2);
/// How long other transactions are waited for.
const BUSY: Duration = Duration::from_secs(30);

impl Inner {
    pub(super) fn sweep(&self, policies: &Policies, now: Timestamp) -> Result<Swept, StoreError> {
        let mut slot = locked(&self.maintainer);
        let db = slot.as_mut().ok_or_else(|| self.closed())?;
        let mut swept = Swept::default();
        swept.expired += self.expire_records(db, policies, now).map_err(|e| self.error(&e))?;
        swept.expired += self.expire_files(db, policies, now)?;
        let mut parts = PARTS;
        self.roll(db, policies, now, &mut parts, &mut swept)?;
        swept.thinned += self.thin_files(db, policies, now, &mut parts)?;
        let forget = micros(now) - i64::from(policies.audit_days) * 24 * HOUR_US;
        db.execute("DELETE FROM audit WHERE at < ?1", [forget])
            .and_then(|_| db.execute("DELETE FROM streams WHERE seen_at < ?1", [forget]))
            .and_then(|_| tidy(db))
            .map_err(|e| self.error(&e))?;
        Ok(swept)
    }

    /// Deletes records of the hot store whose time is over.
    fn expire_records(&self, db: &mut Connection, policies: &Policies, now: Timestamp) -> rusqlite::Result<u64> {
        let mut expired = 0;
        for (kind, sensitivity) in Kind::all().flat_map(|kind| Sensitivity::ALL.map(|s| (kind, s))) {
            let cutoff = now.plus_ms(-policies.keep_ms(kind, sensitivity));
            let tx = hot::writing(db)?;
            let mut gone: BTreeMap<Tenant, u64> = BTreeMap::new();
            {
                let mut delete = tx.prepare_cached(
                    "DELETE FROM records WHERE received_at < ?1 AND kind = ?2 AND personal = ?3 RETURNING tenant",
                )?;
                let personal = sensitivity == Sensitivity::Personal;
                let mut rows = delete.query(params![micros(cutoff), kind.name(), personal])?;
                while let Some(row) = rows.next()? {
                    // The store has only names that were tenants.
                    if let Ok(tenant) = Tenant::new(row.get::<_, String>(0)?) {
                        *gone.entry(tenant).or_default() += 1;
                    }
                }
            }
            for (tenant, records) in gone {
                hot::note(&tx, &expiry(tenant, kind, sensitivity, policies, records, now))?;
                expired += records;
            }
            tx.commit()?;
        }
        Ok(expired)
    }

    fn expire_files(&self, db: &mut Connection, policies: &Policies, now: Timestamp) -> Result<u64, StoreError> {
        let mut expired = 0;
        for file in files::all(db).map_err(|e| self.error(&e))? {
            let Group { tenant, kind, sensitivity, .. } = file.group.clone();
            if file.group.ended_at().plus_ms(policies.keep_ms(kind, sensitivity)) > now {
                continue;
            }
            let entry = expiry(tenant, kind, sensitivity, policies, file.contents.records, now);
            self.change(db, std::slice::from_ref(&file), &[], |tx| hot::note(tx, &entry))?;
            expired += file.contents.records;
        }
        Ok(expired)
    }

    /// Changes the table of files and whatever else in one transaction, then removes the files that are no longer named.
    fn change<T>(
        &self,
        db: &mut Connection,
        old: &[StoredFile],
        new: &[StoredFile],
        also: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let changed = (|| {
            let tx = hot::writing(db)?;
            old.iter().try_for_each(|file| file.remove(&tx))?;
            new.iter().try_for_each(|file| file.insert(&tx))?;
            let result = also(&tx)?;
            tx.commit()?;
            Ok(result)
        })();
        let unnamed = if changed.is_ok() { old } else { new };
        for file in unnamed {
            let path = self.archive.join(&file.path);
            if let Err(e) = std::fs::remove_file(&path) {
                tracing::warn!(file = %path.display(), error = %e, "a file is not removed; it will be at the next start");
            }
        }
        changed.map_err(|e: rusqlite::Error| self.error(&e))
    }

    /// Moves closed hours to files.
    fn roll(
        &self,
        db: &mut Connection,
        policies: &Policies,
        now: Timestamp,
        parts: &mut usize,
        swept: &mut Swept,
    ) -> Result<(), StoreError> {
        let before = (micros(now).div_euclid(HOUR_US) - i64::from(self.hot_hours)) * HOUR_US;
        let groups = closed_groups(db, before).map_err(|e| self.error(&e))?;
        for group in groups {
            while *parts > 0 {
                *parts -= 1;
                match self.roll_part(db, &group, policies, now)? {
                    Some((rolled, thinned)) => {
                        swept.rolled += rolled;
                        swept.thinned += thinned;
                    }
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Moves up to [`PART`] records of a group; how many stay and how many were thinned out, `None` when there were none.
    fn roll_part(
        &self,
        db: &mut Connection,
        group: &Group,
        policies: &Policies,
        now: Timestamp,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        let bucket_ms = policies.bucket_ms(group.kind, age_ms(group, now)).unwrap_or(0);
        let mut thinner = (bucket_ms > 0).then(|| Thinner::new(bucket_ms));
        let Some((first, last)) = bounds_of_part(db, group).map_err(|e| self.error(&e))? else { return Ok(None) };
        let path = group.path(first, 0);
        let mut writer = FileWriter::create(&self.archive.join(&path))?;
        let mut thinned = 0;
        each_of_part(db, group, last, |record| {
            if thinner.as_mut().is_none_or(|thinner| thinner.keeps(&record)) {
                writer.push(record)
            } else {
                thinned += 1;
                Ok(())
            }
        })
        .map_err(|e| self.error(&e))??;
        let Some(contents) = writer.finish()? else { return Ok(None) };
        let rolled = contents.records;
        let file = StoredFile { path, group: group.clone(), contents, bucket_ms };
        self.change(db, &[], &[file], |tx| delete_part(tx, group, last))?;
        Ok(Some((rolled, thinned)))
    }

    /// Rewrites files that have come to the age at which less of them stays.
    fn thin_files(
        &self,
        db: &mut Connection,
        policies: &Policies,
        now: Timestamp,
        parts: &mut usize,
    ) -> Result<u64, StoreError> {
        let mut thinned = 0;
        for file in files::all(db).map_err(|e| self.error(&e))? {
            let bucket_ms = policies.bucket_ms(file.group.kind, age_ms(&file.group, now)).unwrap_or(0);
            if bucket_ms <= file.bucket_ms || *parts == 0 {
                continue;
            }
            *parts -= 1;
            let mut thinner = Thinner::new(bucket_ms);
            let (new, gone) = self.rewrite(&file, |record| thinner.keeps(record))?;
            let new = new.map(|new| StoredFile { bucket_ms, ..new });
            self.change(db, &[file], new.as_slice(), |_| Ok(()))?;
            thinned += gone;
        }
        Ok(thinned)
    }

    /// Writes the next version of a file with the records that `keeps` takes; also how many it does not.
    fn rewrite(
        &self,
        file: &StoredFile,
        mut keeps: impl FnMut(&Record) -> bool,
    ) -> Result<(Option<StoredFile>, u64), StoreError> {
        let path = file.next_path();
        let mut writer = FileWriter::create(&self.archive.join(&path))?;
        let (mut gone, mut written) = (0, Ok(()));
        let (from, until) = (Timestamp::from_unix_ns(i64::MIN), Timestamp::from_unix_ns(i64::MAX));
        parquet_file::read(&self.archive.join(&file.path), from, until, |record| {
            if keeps(&record) {
                written = writer.push(record);
            } else {
                gone += 1;
            }
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        written?;
        let new = writer.finish()?.map(|contents| StoredFile { path, contents, ..file.clone() });
        Ok((new, gone))
    }

    pub(super) fn delete(&self, deletion: &Deletion) -> Result<Deleted, StoreError> {
        let mut slot = locked(&self.maintainer);
        let db = slot.as_mut().ok_or_else(|| self.closed())?;
        let Deletion { filter, from, until, .. } = deletion;
        let goes = |record: &Record| filter.takes(record) && record.measured_at >= *from && record.measured_at < *until;
        let (mut old, mut new, mut deleted) = (Vec::new(), Vec::new(), Deleted::default());
        for file in files::all(db).map_err(|e| self.error(&e))? {
            if !file.may_hold(filter, *from, *until) {
                continue;
            }
            let (rewritten, gone) = self.rewrite(&file, |record| !goes(record))?;
            if gone == 0 {
                // The copy is not named and goes; so does the error if it cannot.
                rewritten.iter().try_for_each(|copy| std::fs::remove_file(self.archive.join(&copy.path))).unwrap_or(());
                continue;
            }
            deleted.records += gone;
            deleted.files += 1;
            old.push(file);
            new.extend(rewritten);
        }
        let condition = Statement::deletion(hot::DIALECT, filter, *from, *until);
        let in_files = deleted.records;
        deleted.records += self.change(db, &old, &new, |tx| {
            let sql = format!("DELETE FROM records WHERE {}", condition.text);
            let gone = tx.execute(&sql, params_from_iter(&condition.values))? as u64;
            let entry = deletion.entry(in_files + gone);
            hot::note(tx, &entry)?;
            Ok(gone)
        })?;
        tidy(db).map_err(|e| self.error(&e))?;
        Ok(deleted)
    }
}

fn age_ms(group: &Group, now: Timestamp) -> i64 {
    now.unix_ms() - group.ended_at().unix_ms()
}

/// Empties the log, where deleted records would live on, and gives free pages back to the disk.
fn tidy(db: &Connection) -> rusqlite::Result<()> {
    let mut vacuum = db.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    db.busy_timeout(CHECKPOINT_WITHIN)?;
    let busy: bool = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    db.busy_timeout(BUSY)?;
    if busy {
        tracing::debug!("the log of the hot store is in use; the next sweep empties it");
    }
    Ok(())
}

/// The groups of records received before a moment, oldest first.
fn closed_groups(db: &Connection, before_us: i64) -> rusqlite::Result<Vec<Group>> {
    let sql = format!(
        "SELECT DISTINCT received_at / {HOUR_US} AS hour, tenant, kind, personal FROM records WHERE received_at < ?1
         ORDER BY hour LIMIT {PARTS}"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([before_us], |row| {
        use crate::store::sql::Cells;
        let (tenant, kind): (String, String) = (row.get(1)?, row.get(2)?);
        Ok(Group {
            tenant: Tenant::new(tenant).map_err(|bad| rusqlite::Row::wrong(1, &bad.0))?,
            kind: Kind::from_name(&kind).ok_or_else(|| rusqlite::Row::wrong(2, &kind))?,
            sensitivity: if row.get(3)? { Sensitivity::Personal } else { Sensitivity::Open },
            hour: row.get(0)?,
        })
    })?;
    rows.collect()
}

/// The records of a group, as a condition on ?1 to ?5.
const OF_GROUP: &str = "tenant = ?1 AND kind = ?2 AND personal = ?3 AND received_at >= ?4 AND received_at < ?5";

/// Binds a group and one number more.
macro_rules! group_params {
    ($group:expr, $more:expr) => {
        params![
            $group.tenant.as_str(),
            $group.kind.name(),
            $group.sensitivity == Sensitivity::Personal,
            $group.hour * HOUR_US,
            ($group.hour + 1) * HOUR_US,
            $more
        ]
    };
}

/// First and last arrival of the next part of a group.
fn bounds_of_part(db: &Connection, group: &Group) -> rusqlite::Result<Option<(u64, i64)>> {
    let sql = format!(
        "SELECT min(arrival), max(arrival) FROM
         (SELECT arrival FROM records WHERE {OF_GROUP} ORDER BY arrival LIMIT ?6)"
    );
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?));
    let bounds = db.prepare_cached(&sql)?.query_row(group_params!(group, PART as i64), read)?;
    Ok(match bounds {
        (Some(first), Some(last)) => Some((first.unsigned_abs(), last)),
        _ => None,
    })
}

/// Hands on the records of a part in the order of a file.
fn each_of_part(
    db: &Connection,
    group: &Group,
    last: i64,
    mut each: impl FnMut(Record) -> Result<(), StoreError>,
) -> rusqlite::Result<Result<(), StoreError>> {
    let sql = format!("SELECT {COLUMNS} FROM records WHERE {OF_GROUP} AND arrival <= ?6 ORDER BY measured_at, arrival");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(group_params!(group, last))?;
    while let Some(row) = rows.next()? {
        if let Err(e) = each(sql::record(row)?) {
            return Ok(Err(e));
        }
    }
    Ok(Ok(()))
}

fn delete_part(db: &Connection, group: &Group, last: i64) -> rusqlite::Result<usize> {
    db.prepare_cached(&format!("DELETE FROM records WHERE {OF_GROUP} AND arrival <= ?6"))?
        .execute(group_params!(group, last))
}
