//! How long records are kept, and what is kept of old ones.

use crate::record::{Kind, Record, Sensitivity, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What is kept for how long: the first matching rule of `rules` decides, else `open` or `personal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policies {
    /// Days that records without personal data are kept.
    pub open_days: u32,
    /// Hours that personal data is kept; at most 168 (7 days).
    pub personal_hours: u32,
    /// Kinds kept longer or shorter than that. A rule never keeps personal data longer than `personal-hours`.
    pub keep: Vec<KeepRule>,
    /// What is thinned out before it is deleted.
    pub thin: Vec<ThinRule>,
    /// Days that audit entries are kept.
    pub audit_days: u32,
}

impl Default for Policies {
    fn default() -> Self {
        Self { open_days: 365, personal_hours: 24, keep: Vec::new(), thin: Vec::new(), audit_days: 183 }
    }
}

/// How long a kind is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeepRule {
    /// The kind.
    pub kind: Kind,
    /// For how many hours.
    pub hours: u32,
}

/// Down-sampling: of records older than `after-hours`, only the first of each entity and source in every `every-s`
/// seconds stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ThinRule {
    /// The kind.
    pub kind: Kind,
    /// From which age on, hours.
    pub after_hours: u32,
    /// One record in so many seconds stays, 1 to 3600.
    pub every_s: u32,
}

impl Policies {
    /// Longest time personal data may be kept, hours.
    pub const MAX_PERSONAL_HOURS: u32 = 7 * 24;

    /// What cannot be right, in words.
    pub fn faults(&self) -> Option<String> {
        if self.personal_hours > Self::MAX_PERSONAL_HOURS {
            return Some(format!("personal-hours: {} is more than {}", self.personal_hours, Self::MAX_PERSONAL_HOURS));
        }
        self.thin
            .iter()
            .find(|rule| !(1..=3_600).contains(&rule.every_s))
            .map(|rule| format!("thin: {}: every-s: {} is not 1 to 3600", rule.kind.name(), rule.every_s))
    }

    /// How long records of a kind are kept, milliseconds since they were received.
    pub fn keep_ms(&self, kind: Kind, sensitivity: Sensitivity) -> i64 {
        let rule = self.keep.iter().find(|rule| rule.kind == kind).map(|rule| i64::from(rule.hours) * HOUR_MS);
        let personal_ms = i64::from(self.personal_hours) * HOUR_MS;
        match sensitivity {
            Sensitivity::Open => rule.unwrap_or(i64::from(self.open_days) * DAY_MS),
            Sensitivity::Personal => rule.map_or(personal_ms, |ms| ms.min(personal_ms)),
        }
    }

    /// The width of the buckets of which one record stays, of records of a kind at an age, milliseconds.
    pub fn bucket_ms(&self, kind: Kind, age_ms: i64) -> Option<i64> {
        let applies = |rule: &&ThinRule| rule.kind == kind && age_ms >= i64::from(rule.after_hours) * HOUR_MS;
        self.thin.iter().filter(applies).map(|rule| i64::from(rule.every_s) * 1_000).max()
    }
}

/// Thins records that come in the order of `measured_at`.
#[derive(Debug)]
pub(super) struct Thinner {
    bucket_ms: i64,
    /// The bucket of the last record of each source and entity.
    last: BTreeMap<(Source, String), i64>,
}

impl Thinner {
    /// One record in `bucket_ms` stays.
    pub(super) fn new(bucket_ms: i64) -> Self {
        Self { bucket_ms, last: BTreeMap::new() }
    }

    /// Whether a record stays: the first of its bucket.
    pub(super) fn keeps(&mut self, record: &Record) -> bool {
        let bucket = record.measured_at.unix_ms().div_euclid(self.bucket_ms);
        self.last.insert((record.source.clone(), record.entity.clone()), bucket) != Some(bucket)
    }
}
