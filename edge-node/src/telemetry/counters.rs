//! Counters by name, bounded, with the last minute second by second for rates.

use crate::effect::MessageKind;
use crate::event::DropReason;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// Locks even when another thread panicked inside: counters stay usable, at worst one count short.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Names come from configuration, but a label set must not grow without bound whatever a caller passes.
const MAX_NAMES: usize = 256;
/// Where counts go once [`MAX_NAMES`] are taken.
const OVERFLOW: &str = "other";
/// Seconds of history behind each rate.
pub(super) const RATE_S: usize = 60;

/// A count since the start with its last [`RATE_S`] seconds.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    pub(super) total: u64,
    seconds: [u32; RATE_S],
    newest: u64,
}

impl Default for Rate {
    fn default() -> Self {
        Self { total: 0, seconds: [0; RATE_S], newest: 0 }
    }
}

impl Rate {
    fn add(&mut self, second: u64) {
        self.advance(second);
        self.total += 1;
        self.seconds[(self.newest % RATE_S as u64) as usize] += 1;
    }

    fn advance(&mut self, second: u64) {
        for stale in (self.newest + 1..=second).rev().take(RATE_S) {
            self.seconds[(stale % RATE_S as u64) as usize] = 0;
        }
        self.newest = self.newest.max(second);
    }

    /// Counts of the whole seconds before `second`, oldest first; shorter while the node is younger than a minute.
    pub(super) fn history(&mut self, second: u64) -> Vec<u32> {
        self.advance(second);
        let first = self.newest.saturating_sub(RATE_S as u64 - 1);
        (first..self.newest).map(|s| self.seconds[(s % RATE_S as u64) as usize]).collect()
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) frames: BTreeMap<String, Rate>,
    pub(super) generated: BTreeMap<MessageKind, Rate>,
    pub(super) published: BTreeMap<(String, MessageKind), u64>,
    pub(super) frames_dropped: BTreeMap<(String, &'static str), u64>,
    pub(super) readings_rejected: BTreeMap<(String, &'static str), u64>,
}

impl Counters {
    pub(super) fn frame(&mut self, camera: &str, second: u64) {
        if let Some(rate) = self.frames.get_mut(camera) {
            return rate.add(second);
        }
        let name = if self.frames.len() < MAX_NAMES { camera } else { OVERFLOW };
        self.frames.entry(name.to_owned()).or_default().add(second);
    }

    pub(super) fn generated(&mut self, kind: MessageKind, second: u64) {
        self.generated.entry(kind).or_default().add(second);
    }

    pub(super) fn published(&mut self, kind: MessageKind, link: &str) {
        count(&mut self.published, link, kind);
    }

    pub(super) fn frame_dropped(&mut self, camera: &str, reason: DropReason) {
        count(&mut self.frames_dropped, camera, reason.label());
    }

    pub(super) fn reading_rejected(&mut self, source: &str, reason: &'static str) {
        count(&mut self.readings_rejected, source, reason);
    }
}

fn count<K: Ord + Copy>(map: &mut BTreeMap<(String, K), u64>, name: &str, detail: K) {
    let key = (name.to_owned(), detail);
    let key = if map.len() < MAX_NAMES || map.contains_key(&key) { key } else { (OVERFLOW.to_owned(), detail) };
    *map.entry(key).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_has_the_finished_seconds_oldest_first() {
        let mut rate = Rate::default();
        for second in [0, 0, 1, 3, 3, 3] {
            rate.add(second);
        }
        assert_eq!(rate.history(3), [2, 1, 0]);
        assert_eq!(rate.history(4), [2, 1, 0, 3]);
        assert_eq!(rate.history(62), [&[3][..], &[0; 58]].concat());
        assert_eq!(rate.history(500), [0; 59]);
        assert_eq!(rate.total, 6);
    }

    #[test]
    fn names_beyond_the_bound_are_counted_together() {
        let mut counters = Counters::default();
        for i in 0..MAX_NAMES + 50 {
            counters.reading_rejected(&format!("source-{i}"), "wrong-unit");
            counters.frame(&format!("camera-{i}"), 0);
        }
        assert_eq!(counters.readings_rejected.len(), MAX_NAMES + 1);
        assert_eq!(counters.readings_rejected[&(OVERFLOW.to_owned(), "wrong-unit")], 50);
        assert_eq!(counters.frames[OVERFLOW].total, 50);
    }
}
