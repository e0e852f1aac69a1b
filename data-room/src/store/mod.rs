//! Where records are kept: one trait, two stores, one test-suite (`tests/it/store`).
//!
//! | Store | For | Records are in |
//! |---|---|---|
//! | [`embedded`] | one machine, no set-up | SQLite, rolled to Parquet files by the hour |
//! | [`postgres`] | a city | PostgreSQL; PostGIS and TimescaleDB are used when they are there |
//!
//! Invariants: [`Store::append`] returns when the records are durable, all or none of a batch; a record whose number is
//! not above the last one of its source, kind and epoch is a duplicate and is not stored; `arrival` grows in the order
//! of commits; a store without room refuses with [`StoreError::Full`] and goes on when there is room again.

pub mod embedded;
pub mod export;
mod parquet_file;
pub mod policy;
pub mod postgres;
pub mod query;
mod sql;

use crate::record::{Kind, Record, Sensitivity, Tenant};
use futures::future::BoxFuture;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use policy::Policies;
pub use query::{Area, Cursor, Filter, Latest, MAX_PAGE, Order, Page, Personal, Query};

/// Who is named in the audit for what the policies do.
const POLICY: &str = "policy";

/// A store of records. All methods may be called at the same time from any task.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Stores a batch; when this returns `Ok` it may be acknowledged. Within the batch and across calls, the records of
    /// one source, kind and epoch come in the order of their numbers.
    ///
    /// # Errors
    /// [`StoreError::Full`] and [`StoreError::Unavailable`]: nothing is stored, the same batch may be offered again.
    fn append(&self, batch: Vec<Record>) -> BoxFuture<'_, Result<Appended, StoreError>>;

    /// Records of a time range, page by page.
    ///
    /// # Errors
    /// [`StoreError::BadQuery`]; a store that cannot be read.
    fn query(&self, query: Query) -> BoxFuture<'_, Result<Page, StoreError>>;

    /// The newest record of each entity at a moment.
    ///
    /// # Errors
    /// As [`Store::query`].
    fn latest(&self, latest: Latest) -> BoxFuture<'_, Result<Vec<Record>, StoreError>>;

    /// Deletes for good what a filter takes, and leaves an audit entry.
    ///
    /// # Errors
    /// A store that cannot be written; nothing is deleted then.
    fn delete(&self, deletion: Deletion) -> BoxFuture<'_, Result<Deleted, StoreError>>;

    /// Applies retention and down-sampling as of `now`, with an audit entry for what was deleted; moves closed hours to
    /// where they stay. Called every few minutes; each call does a bounded amount of work.
    ///
    /// # Errors
    /// A store that cannot be written; the next call goes on.
    fn sweep(&self, policies: &Policies, now: Timestamp) -> BoxFuture<'_, Result<Swept, StoreError>>;

    /// Adds an audit entry, such as that somebody read personal data.
    ///
    /// # Errors
    /// A store that cannot be written: then the access must be refused.
    fn note(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Audit entries of a tenant, newest first; `before` is the `number` of the last one seen.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn audit(
        &self,
        tenant: Tenant,
        before: Option<u64>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<AuditEntry>, StoreError>>;

    /// What the store holds.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn statistics(&self) -> BoxFuture<'_, Result<Statistics, StoreError>>;

    /// Finishes what is under way and closes; afterwards every call is [`StoreError::Unavailable`].
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Appended {
    /// The records that are new, in order, with their `arrival`.
    pub stored: Vec<Record>,
    /// Records that were there already.
    pub duplicates: Vec<Record>,
}

/// An order to delete.
#[derive(Clone, Debug, PartialEq)]
pub struct Deletion {
    /// Which records; the default filter of a tenant is everything open of it.
    pub filter: Filter,
    /// `measured_at` from here, included.
    pub from: Timestamp,
    /// `measured_at` until here, excluded.
    pub until: Timestamp,
    /// Who wants it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Deletion {
    /// What it leaves in the audit.
    fn entry(&self, records: u64) -> AuditEntry {
        let kinds: Vec<_> = self.filter.kinds.iter().map(|kind| kind.name()).collect();
        let kinds = if kinds.is_empty() { "every kind".into() } else { kinds.join(", ") };
        let entity = self.filter.entity.as_ref().map_or_else(String::new, |entity| format!(" of {entity}"));
        AuditEntry {
            number: 0,
            at: self.at,
            tenant: self.filter.tenant.clone(),
            by: self.by.clone(),
            action: AuditAction::Delete,
            words: format!("{kinds}{entity}: {}", self.reason),
            records,
        }
    }
}

/// What a deletion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// Records that are gone.
    pub records: u64,
    /// Files or partitions rewritten or dropped for it.
    pub files: u64,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Records deleted because their time was over.
    pub expired: u64,
    /// Records thinned out.
    pub thinned: u64,
    /// Records moved from the hot store to files.
    pub rolled: u64,
}

/// What was done to, or seen of, data that is protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Running number; 0 before it is stored.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Whose data.
    pub tenant: Tenant,
    /// Who: a token's name, `policy` for the retention policy.
    pub by: String,
    /// What was done.
    pub action: AuditAction,
    /// To what, and why, in words.
    pub words: String,
    /// How many records.
    pub records: u64,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditAction {
    /// Personal data was read.
    Read,
    /// Data was exported.
    Export,
    /// Data was deleted.
    Delete,
    /// Something was changed by an operator, such as an alarm.
    Change,
}

impl AuditAction {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Read, Self::Export, Self::Delete, Self::Change];

    /// Lower-case name, as in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Export => "export",
            Self::Delete => "delete",
            Self::Change => "change",
        }
    }

    /// The action with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// What retention leaves in the audit.
fn expiry(
    tenant: Tenant,
    kind: Kind,
    sensitivity: Sensitivity,
    policies: &Policies,
    records: u64,
    at: Timestamp,
) -> AuditEntry {
    let hours = policies.keep_ms(kind, sensitivity) / policy::HOUR_MS;
    let words = format!("{}, {}: kept for {hours} h", kind.name(), sensitivity.name());
    AuditEntry { number: 0, at, tenant, by: POLICY.into(), action: AuditAction::Delete, words, records }
}

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Which store, in words.
    pub store: String,
    /// Records by tenant, kind and sensitivity.
    pub holdings: Vec<Holding>,
    /// Bytes in the hot store, indexes and log included.
    pub hot_bytes: u64,
    /// Bytes in files.
    pub archive_bytes: u64,
    /// Files, or partitions.
    pub files: u64,
    /// `arrival` of the newest record.
    pub last_arrival: u64,
}

/// Records of one tenant, kind and sensitivity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holding {
    /// Whose.
    pub tenant: Tenant,
    /// What.
    pub kind: Kind,
    /// How sensitive.
    pub sensitivity: Sensitivity,
    /// How many.
    pub records: u64,
    /// `measured_at` of the oldest.
    pub oldest: Timestamp,
    /// `measured_at` of the newest.
    pub newest: Timestamp,
}

/// Why a store did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room: nothing was stored.
    #[error("{store}: no room: {reason}")]
    Full {
        /// Which store.
        store: String,
        /// What it said.
        reason: String,
    },
    /// It cannot be reached now; it may be later.
    #[error("{store}: not available: {reason}")]
    Unavailable {
        /// Which store.
        store: String,
        /// What it said.
        reason: String,
    },
    /// A question that has no answer.
    #[error("query: {0}")]
    BadQuery(String),
    /// It cannot be opened or used as it is.
    #[error("{store}: {reason}")]
    Unusable {
        /// Which store.
        store: String,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Unavailable { .. })
    }
}
