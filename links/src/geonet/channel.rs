//! How busy the channel is, as far as the frames on this interface tell.
//!
//! In: the sizes of frames heard and sent. Out: the channel busy ratio of every interval of 100 ms (TS 102 687 V1.2.1 clause
//! 5.2: the share of time in which the channel is busy). Invariants: pure, and never beyond 0 to 1. Absent: what a radio
//! senses and does not decode, and the ratios that neighbours measure; so the true ratio is at least this one.

use masa_v2x_proto::geonet::DataRate;
use masa_v2x_proto::time::Timestamp;

/// What a frame has on the air and not on this interface: 24 octets of MAC header more than Ethernet's two addresses and
/// type (QoS data header 26, LLC and SNAP 8, checksum 4, less 14).
const AIR_BYTES: usize = 24;

/// A measurement of the channel, every 100 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelReport {
    /// When the interval ended.
    pub at: Timestamp,
    /// Share of the time in which the channel was busy, 0 to 1.
    pub busy_ratio: f64,
    /// Share of the channel that this station may use (`δ` of TS 102 687 clause 5.4); absent without congestion control.
    pub share: Option<f64>,
}

/// Adds up the time that frames take on the air.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChannelMeter {
    rate: DataRate,
    since: Timestamp,
    busy_ns: i64,
}

impl ChannelMeter {
    pub(super) fn new(rate: DataRate, now: Timestamp) -> Self {
        Self { rate, since: now, busy_ns: 0 }
    }

    /// Counts a frame, as it is on Ethernet.
    pub(super) fn frame(&mut self, bytes: usize) {
        self.busy_ns = self.busy_ns.saturating_add(air_ns(self.rate, bytes));
    }

    /// Ends an interval; it is as long as it was, should the task be late.
    pub(super) fn end(&mut self, now: Timestamp) -> f64 {
        let elapsed_ns = now.unix_ns().saturating_sub(self.since.unix_ns());
        let busy_ns = std::mem::take(&mut self.busy_ns);
        self.since = now;
        // A clock that was set back: nobody knows how long it was.
        if elapsed_ns <= 0 { 0.0 } else { (busy_ns as f64 / elapsed_ns as f64).min(1.0) }
    }
}

/// Time on the air of a frame that has `bytes` octets on Ethernet.
pub(super) fn air_ns(rate: DataRate, bytes: usize) -> i64 {
    rate.t_on_ns(bytes.saturating_add(AIR_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_time_on_the_air_over_time() {
        let start = Timestamp::from_unix_ms(1_700_000_000_000);
        let mut meter = ChannelMeter::new(DataRate::STANDARD, start);
        // 276 octets are 300 on the air: 448 µs.
        (0..50).for_each(|_| meter.frame(276));
        let ratio = meter.end(start.plus_ms(100));
        assert!((ratio - 50.0 * 0.448 / 100.0).abs() < 1e-9, "{ratio}");
        assert_eq!(meter.end(start.plus_ms(200)), 0.0, "a new interval");
        (0..10_000).for_each(|_| meter.frame(1_400));
        assert_eq!(meter.end(start.plus_ms(300)), 1.0);
        meter.frame(1_400);
        assert_eq!(meter.end(start), 0.0, "a clock that was set back");
    }
}
