//! Latency histograms with fixed log-linear buckets.
//!
//! In: durations. Out: quantiles, bucket counts, sums. Sixteen buckets per power of two of nanoseconds, so a quantile is
//! off by at most 1/32 (3.1 %); recording touches one counter and never allocates; histograms merge by addition.
//! Absent: decay. A sliding view is a ring of histograms, [`Windowed`].

use std::time::Duration;

/// Buckets per power of two, as a power of two.
const SUB_BITS: u32 = 4;
const SUB: usize = 1 << SUB_BITS;
/// Everything longer than 2^38 ns (275 s) is counted in the last bucket.
const MAX_BITS: u32 = 38;
const BUCKETS: usize = SUB + (MAX_BITS - SUB_BITS) as usize * SUB;

/// Bucket of a duration. Buckets are (lower, upper], as Prometheus's are; the first also holds zero.
fn bucket_of(ns: u64) -> usize {
    let v = ns.saturating_sub(1).min((1 << MAX_BITS) - 1);
    if v < SUB as u64 {
        return v as usize;
    }
    let exponent = 63 - v.leading_zeros();
    let sub = (v >> (exponent - SUB_BITS)) as usize & (SUB - 1);
    SUB + (exponent - SUB_BITS) as usize * SUB + sub
}

/// Inclusive upper bound of a bucket, nanoseconds.
const fn upper_ns(bucket: usize) -> u64 {
    if bucket < SUB {
        return bucket as u64 + 1;
    }
    let (octave, sub) = ((bucket - SUB) / SUB, (bucket - SUB) % SUB);
    ((SUB + sub + 1) as u64) << octave
}

/// A histogram of durations.
#[derive(Clone, Debug)]
pub struct LatencyHistogram {
    counts: Box<[u64; BUCKETS]>,
    count: u64,
    sum_ns: u64,
    max_ns: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]), count: 0, sum_ns: 0, max_ns: 0 }
    }
}

impl LatencyHistogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        self.record_ns(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Counts one duration given in nanoseconds.
    pub fn record_ns(&mut self, ns: u64) {
        self.counts[bucket_of(ns)] += 1;
        self.count += 1;
        self.sum_ns = self.sum_ns.saturating_add(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    /// Adds everything `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts.iter()) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        if self.count > 0 {
            self.counts.fill(0);
            (self.count, self.sum_ns, self.max_ns) = (0, 0, 0);
        }
    }

    /// How many durations were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub const fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_ns)
    }

    /// The longest, exact; zero when nothing was counted.
    pub const fn max(&self) -> Duration {
        Duration::from_nanos(self.max_ns)
    }

    /// The duration that a share `q` (0 to 1) of all does not exceed, within 3.1 %; zero when nothing was counted.
    pub fn quantile(&self, q: f64) -> Duration {
        let rank = ((q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, &n) in self.counts.iter().enumerate() {
            seen += n;
            if seen >= rank {
                let lower = if bucket == 0 { 0 } else { upper_ns(bucket - 1) };
                return Duration::from_nanos((lower + upper_ns(bucket)).div_ceil(2).min(self.max_ns));
            }
        }
        self.max()
    }

    /// How many counted durations were at most 2^`exponent` nanoseconds: exact, because every power of two is the upper
    /// bound of a bucket.
    pub fn count_up_to_power_of_two_ns(&self, exponent: u32) -> u64 {
        let limit = 1u64 << exponent.min(MAX_BITS);
        self.counts.iter().enumerate().take_while(|&(bucket, _)| upper_ns(bucket) <= limit).map(|(_, n)| n).sum()
    }

    /// Non-empty buckets for a chart, four per power of two: inclusive upper bound (µs) and count, ascending.
    pub fn chart_buckets(&self) -> Vec<(f64, u64)> {
        self.counts
            .chunks_exact(SUB / 4)
            .enumerate()
            .map(|(i, counts)| (upper_ns((i + 1) * (SUB / 4) - 1) as f64 * 1e-3, counts.iter().sum::<u64>()))
            .filter(|&(_, n)| n > 0)
            .collect()
    }
}

/// Number of slots in the sliding window.
const SLOTS: usize = 12;
/// Length of a slot, seconds.
const SLOT_S: u64 = 5;
/// Length of the sliding window, seconds.
pub const WINDOW_S: u64 = SLOTS as u64 * SLOT_S;

/// A histogram since the start, and one of the last [`WINDOW_S`] seconds in steps of five.
#[derive(Debug, Default)]
pub(super) struct Windowed {
    total: LatencyHistogram,
    slots: [LatencyHistogram; SLOTS],
    newest_slot: u64,
}

impl Windowed {
    /// Counts a duration that ended `second` whole seconds after the start.
    pub(super) fn record(&mut self, second: u64, duration: Duration) {
        self.advance(second);
        self.total.record(duration);
        self.slots[(self.newest_slot % SLOTS as u64) as usize].record(duration);
    }

    /// The histogram since the start.
    pub(super) const fn total(&self) -> &LatencyHistogram {
        &self.total
    }

    /// The histogram of the window that ends at `second`.
    pub(super) fn window(&mut self, second: u64) -> LatencyHistogram {
        self.advance(second);
        let mut all = LatencyHistogram::default();
        for slot in &self.slots {
            all.merge(slot);
        }
        all
    }

    fn advance(&mut self, second: u64) {
        let slot = second / SLOT_S;
        for stale in (self.newest_slot + 1..=slot).rev().take(SLOTS) {
            self.slots[(stale % SLOTS as u64) as usize].clear();
        }
        self.newest_slot = self.newest_slot.max(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_are_contiguous_and_cover_the_range() {
        for bucket in 0..BUCKETS {
            assert_eq!(bucket_of(upper_ns(bucket)), bucket);
            if bucket + 1 < BUCKETS {
                assert_eq!(bucket_of(upper_ns(bucket) + 1), bucket + 1);
            }
        }
        assert_eq!(upper_ns(BUCKETS - 1), 1 << MAX_BITS);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn an_empty_histogram_says_zero() {
        let h = LatencyHistogram::default();
        assert_eq!((h.count(), h.quantile(0.5), h.max()), (0, Duration::ZERO, Duration::ZERO));
        assert!(h.chart_buckets().is_empty());
    }

    #[test]
    fn powers_of_two_are_counted_inclusively() {
        let mut h = LatencyHistogram::default();
        for ns in [1023, 1024, 1025] {
            h.record_ns(ns);
        }
        assert_eq!(h.count_up_to_power_of_two_ns(10), 2);
        assert_eq!(h.count_up_to_power_of_two_ns(11), 3);
    }

    #[test]
    fn the_window_forgets_what_the_total_keeps() {
        let mut w = Windowed::default();
        w.record(0, Duration::from_millis(1));
        w.record(59, Duration::from_millis(2));
        assert_eq!(w.window(59).count(), 2);
        assert_eq!(w.window(60).count(), 1, "the first slot is a minute old");
        assert_eq!(w.window(1_000_000).count(), 0);
        assert_eq!(w.total().count(), 2);
        w.record(3, Duration::from_millis(3));
        assert_eq!(w.window(1_000_000).count(), 1, "a late record counts in the newest slot");
    }

    proptest! {
        #[test]
        fn quantiles_are_within_five_percent(mut values in prop::collection::vec(1u64..200_000_000_000, 1..300), q in 0.0..1.0f64) {
            let mut h = LatencyHistogram::default();
            values.iter().for_each(|&v| h.record_ns(v));
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).max(1);
            let exact = values[rank - 1] as f64;
            let got = h.quantile(q).as_nanos() as f64;
            // One nanosecond on top: the midpoint of a bucket is rounded to a whole one.
            prop_assert!((got - exact).abs() <= 0.05 * exact + 1.0, "{got} for {exact}");
            prop_assert_eq!(h.max().as_nanos() as u64, values[values.len() - 1]);
            prop_assert_eq!(h.chart_buckets().iter().map(|b| b.1).sum::<u64>(), values.len() as u64);
        }

        #[test]
        fn merging_equals_recording_everything_in_one(a in prop::collection::vec(0u64..1u64 << 40, 0..100),
                                                      b in prop::collection::vec(0u64..1u64 << 40, 0..100)) {
            let fill = |values: &[u64]| {
                let mut h = LatencyHistogram::default();
                values.iter().for_each(|&v| h.record_ns(v));
                h
            };
            let mut merged = fill(&a);
            merged.merge(&fill(&b));
            let both = fill(&[a, b].concat());
            prop_assert_eq!(&merged.counts[..], &both.counts[..]);
            prop_assert_eq!((merged.count(), merged.sum(), merged.max()), (both.count(), both.sum(), both.max()));
        }
    }
}
