//! Waiting times between attempts to reach a peer: exponential, capped, with seeded jitter.
//!
//! The jitter keeps a street of cameras from hammering a switch in step after a power cut; the seed keeps it
//! reproducible.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of a [`Backoff`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BackoffSettings {
    /// Waiting time after the first failure, milliseconds.
    pub first_ms: u64,
    /// Longest waiting time, milliseconds.
    pub longest_ms: u64,
    /// Seed of the jitter; the source's number is mixed in, so that sources with one seed differ.
    pub seed: u64,
}

impl Default for BackoffSettings {
    fn default() -> Self {
        Self { first_ms: 500, longest_ms: 30_000, seed: 1 }
    }
}

/// The state of one peer's attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    settings: BackoffSettings,
    failures: u32,
    random: u64,
}

impl Backoff {
    /// For one source; `salt` is its number.
    pub fn new(settings: BackoffSettings, salt: u64) -> Self {
        let random = settings.seed ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { settings, failures: 0, random }
    }

    /// The peer was reached: the next failure waits the first time again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure: half to all of `first × 2ⁿ`, at most `longest`.
    pub fn next_wait(&mut self) -> Duration {
        let doubled = self.settings.first_ms.saturating_mul(1 << self.failures.min(32));
        let ceiling_ms = doubled.min(self.settings.longest_ms);
        self.failures = self.failures.saturating_add(1);
        let half_ms = ceiling_ms / 2;
        Duration::from_millis(half_ms + self.next_random() % (ceiling_ms - half_ms + 1))
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits_ms(seed: u64, salt: u64) -> Vec<u64> {
        let mut backoff = Backoff::new(BackoffSettings { first_ms: 100, longest_ms: 3000, seed }, salt);
        (0..12).map(|_| backoff.next_wait().as_millis() as u64).collect()
    }

    #[test]
    fn waits_double_up_to_the_cap_within_their_jitter() {
        for (n, wait) in waits_ms(7, 3).into_iter().enumerate() {
            let ceiling = (100_u64 << n).min(3000);
            assert!((ceiling / 2..=ceiling).contains(&wait), "attempt {n}: {wait} ms");
        }
    }

    #[test]
    fn the_jitter_is_reproducible_and_differs_between_sources() {
        assert_eq!(waits_ms(7, 3), waits_ms(7, 3));
        assert_ne!(waits_ms(7, 3), waits_ms(7, 4));
    }

    #[test]
    fn success_starts_over() {
        let mut backoff = Backoff::new(BackoffSettings::default(), 0);
        for _ in 0..100 {
            backoff.next_wait();
        }
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_millis(500));
    }

    #[test]
    fn a_zero_setting_waits_nothing_and_does_not_divide_by_zero() {
        let mut backoff = Backoff::new(BackoffSettings { first_ms: 0, longest_ms: 0, seed: 0 }, 0);
        assert_eq!(backoff.next_wait(), Duration::ZERO);
    }
}
