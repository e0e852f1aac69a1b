//! How fast a caller may ask: a bucket of tokens for each, refilled steadily.

use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most callers that are counted apart; of more, those that were quiet longest are forgotten.
const MAX_CALLERS: usize = 10_000;

/// Counts what callers ask.
#[derive(Debug)]
pub(super) struct Limiter {
    per_s: f64,
    burst: f64,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Limiter {
    /// `per_s` requests a second, `burst` at once.
    pub(super) fn new(per_s: f64, burst: f64) -> Self {
        Self { per_s, burst, buckets: Mutex::default() }
    }

    /// Takes one request of `caller`.
    ///
    /// # Errors
    /// The seconds after which there is room again, rounded up.
    pub(super) fn take(&self, caller: &str, now: Timestamp) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CALLERS && !buckets.contains_key(caller) {
            let quietest = buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|(name, _)| name.clone());
            quietest.and_then(|name| buckets.remove(&name));
        }
        let bucket = buckets.entry(caller.to_owned()).or_insert(Bucket { left: self.burst, at: now });
        let refill = now.seconds_since(bucket.at).max(0.0) * self.per_s;
        let left = (bucket.left + refill).min(self.burst);
        *bucket = Bucket { left: if left >= 1.0 { left - 1.0 } else { left }, at: now };
        if left >= 1.0 { Ok(()) } else { Err(((1.0 - left) / self.per_s).ceil() as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_its_burst_and_then_its_rate_and_others_have_theirs() {
        let limiter = Limiter::new(2.0, 3.0);
        let at = Timestamp::from_unix_ms;
        for _ in 0..3 {
            assert_eq!(limiter.take("a", at(0)), Ok(()));
        }
        assert_eq!(limiter.take("a", at(0)), Err(1));
        assert_eq!(limiter.take("b", at(0)), Ok(()));
        assert_eq!(limiter.take("a", at(500)), Ok(()));
        assert_eq!(limiter.take("a", at(500)), Err(1));
    }

    #[test]
    fn many_callers_take_bounded_room() {
        let limiter = Limiter::new(1.0, 1.0);
        for caller in 0..MAX_CALLERS + 5 {
            let _ = limiter.take(&caller.to_string(), Timestamp::from_unix_ms(caller as i64));
        }
        assert_eq!(limiter.buckets.lock().unwrap().len(), MAX_CALLERS);
    }
}
