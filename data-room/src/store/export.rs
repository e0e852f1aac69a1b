//! Records of any store as one Parquet file.

use super::parquet_file::FileWriter;
use super::query::{Filter, MAX_PAGE, Personal, Query};
use super::{AuditAction, AuditEntry, Store, StoreError};
use masa_v2x_proto::time::Timestamp;
use std::path::Path;

/// What to export.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Which records.
    pub filter: Filter,
    /// `measured_at` from here, included.
    pub from: Timestamp,
    /// `measured_at` until here, excluded.
    pub until: Timestamp,
    /// Who exports, for the audit.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records in the file.
    pub records: u64,
    /// Its size; 0 when there was no record, and no file then.
    pub bytes: u64,
}

/// Writes what `export` asks for into `path`, oldest first; an export of personal data is noted in the audit before. Writes
/// on the calling thread: for tools, not for servers.
///
/// # Errors
/// A store that cannot be read, a file that cannot be written.
pub async fn export(store: &dyn Store, export: &Export, path: &Path) -> Result<Exported, StoreError> {
    if export.filter.personal == Personal::Include {
        let entry = AuditEntry {
            number: 0,
            at: export.at,
            tenant: export.filter.tenant.clone(),
            by: export.by.clone(),
            action: AuditAction::Export,
            words: format!("to {}", path.display()),
            records: 0,
        };
        store.note(entry).await?;
    }
    let mut query = Query { from: export.from, until: export.until, ..Query::new(export.filter.clone(), MAX_PAGE) };
    let mut writer = FileWriter::create(path)?;
    loop {
        let page = store.query(query.clone()).await?;
        page.records.into_iter().try_for_each(|record| writer.push(record))?;
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    let contents = writer.finish()?;
    Ok(contents.map_or_else(Exported::default, |c| Exported { records: c.records, bytes: c.bytes }))
}
