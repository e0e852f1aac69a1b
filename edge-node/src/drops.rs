//! What was left out, counted by reason.

use std::collections::BTreeMap;

/// Counters by reason; reasons are constants of the code, so the map is bounded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drops(BTreeMap<&'static str, u64>);

impl Drops {
    /// One more for `reason`.
    pub(crate) fn count(&mut self, reason: &'static str) {
        *self.0.entry(reason).or_default() += 1;
    }

    /// How many were left out for `reason`.
    pub fn get(&self, reason: &str) -> u64 {
        self.0.get(reason).copied().unwrap_or(0)
    }

    /// Every reason that occurred, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(reason, count)| (*reason, *count))
    }
}
