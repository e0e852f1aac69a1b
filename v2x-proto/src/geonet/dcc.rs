//! Decentralized congestion control of the access layer: the adaptive approach of TS 102 687 V1.2.1 clause 5.4.
//!
//! In: the channel busy ratio as measured every 100 ms, and what is sent. Out: the share δ of the channel that the station
//! may use, and when it may send next. [`Adaptive`] is the control loop, [`Gate`] the gatekeeper, [`Queues`] what waits
//! for it, by DCC profile. Pure: every instant comes from the caller. Absent: the reactive approach (annex A), transmit power
//! and data rate control, which the adaptive approach does not use.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// `T_CBR`: interval of the channel busy ratio, milliseconds.
pub const T_CBR_MS: i64 = 100;
/// Shortest time between two transmissions, nanoseconds (25 ms).
const T_OFF_MIN_NS: i64 = 25_000_000;
/// Longest time between two transmissions, nanoseconds (1 s).
const T_OFF_MAX_NS: i64 = 1_000_000_000;

/// Parameters of the adaptive approach (TS 102 687 V1.2.1 table 3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// `α`: how fast the past is forgotten.
    pub alpha: f64,
    /// `β`: gain.
    pub beta: f64,
    /// `CBR_target`: the channel busy ratio that all stations together aim at.
    pub cbr_target: f64,
    /// `δ_max`: largest share of the channel for one station.
    pub delta_max: f64,
    /// `δ_min`: smallest share of the channel for one station.
    pub delta_min: f64,
    /// `G⁺_max`: largest increase in one step.
    pub gain_max: f64,
    /// `G⁻_max`: largest decrease in one step, negative.
    pub gain_min: f64,
}

impl Parameters {
    /// The values of the table.
    pub const STANDARD: Self = Self {
        alpha: 0.016,
        beta: 0.0012,
        cbr_target: 0.68,
        delta_max: 0.03,
        delta_min: 0.000_6,
        gain_max: 0.000_5,
        gain_min: -0.000_25,
    };
}

/// The control loop: one step for every second channel busy ratio, 200 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    parameters: Parameters,
    /// `CBR_ITS-S`: smoothed.
    cbr: f64,
    /// The measurement before the last step's second one.
    first_of_pair: Option<f64>,
    delta: f64,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self::new(Parameters::STANDARD)
    }
}

impl Adaptive {
    /// A station that has measured nothing. It begins with the smallest share: a newcomer must not burst into a channel that
    /// it has not heard yet.
    pub const fn new(parameters: Parameters) -> Self {
        Self { parameters, cbr: 0.0, first_of_pair: None, delta: parameters.delta_min }
    }

    /// Takes a channel busy ratio, 0 to 1: the local one, or the larger of it and those heard over one and two hops.
    pub fn measure(&mut self, cbr: f64) {
        // Written so that "not a number" counts as a full channel.
        let cbr = if cbr <= 1.0 { cbr.max(0.0) } else { 1.0 };
        match self.first_of_pair.take() {
            None => self.first_of_pair = Some(cbr),
            Some(first) => self.step(f64::midpoint(first, cbr)),
        }
    }

    /// Steps 1 to 5 of clause 5.4.
    fn step(&mut self, measured: f64) {
        let p = &self.parameters;
        self.cbr = f64::midpoint(self.cbr, measured);
        let error = p.cbr_target - self.cbr;
        let offset = if error > 0.0 { (p.beta * error).min(p.gain_max) } else { (p.beta * error).max(p.gain_min) };
        self.delta = ((1.0 - p.alpha) * self.delta + offset).min(p.delta_max).max(p.delta_min);
    }

    /// `δ`: the share of the channel that the station may use.
    pub const fn delta(&self) -> f64 {
        self.delta
    }

    /// `CBR_ITS-S`: the smoothed channel busy ratio.
    pub const fn channel_busy_ratio(&self) -> f64 {
        self.cbr
    }

    /// `T_off` after a transmission of `t_on_ns`: 25 ms to 1 s, nanoseconds.
    pub fn t_off_ns(&self, t_on_ns: i64) -> i64 {
        ((t_on_ns.max(0) as f64 / self.delta) as i64).clamp(T_OFF_MIN_NS, T_OFF_MAX_NS)
    }
}

/// `T_on` of a frame on ITS-G5 at 6 Mbit/s (10 MHz, QPSK 1/2), nanoseconds.
pub const fn t_on_ns(frame_bytes: usize) -> i64 {
    DataRate::STANDARD.t_on_ns(frame_bytes)
}

/// A data rate of a 10 MHz channel (IEEE 802.11-2020 clause 17): 3, 4.5, 6, 9, 12, 18, 24 or 27 Mbit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct DataRate {
    /// Data bits of one symbol of 8 µs.
    bits: i64,
}

impl DataRate {
    /// 6 Mbit/s, the rate of messages on the control channel (EN 302 663).
    pub const STANDARD: Self = Self { bits: 48 };

    /// Time on the air of a frame with its checksum, nanoseconds: preamble and signal field, then symbols for 16 service
    /// bits, the frame, and 6 tail bits.
    pub const fn t_on_ns(self, frame_bytes: usize) -> i64 {
        let bits = 16 + 8 * frame_bytes as i64 + 6;
        40_000 + (bits + self.bits - 1) / self.bits * 8_000
    }
}

impl Default for DataRate {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// A number that is no data rate.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} Mbit/s is no rate of a 10 MHz channel: 3, 4.5, 6, 9, 12, 18, 24 or 27")]
pub struct NotADataRate(f64);

impl TryFrom<f64> for DataRate {
    type Error = NotADataRate;

    fn try_from(mbps: f64) -> Result<Self, NotADataRate> {
        let rates = [3.0, 4.5, 6.0, 9.0, 12.0, 18.0, 24.0, 27.0];
        let known = rates.into_iter().find(|rate| (rate - mbps).abs() < 1e-6).ok_or(NotADataRate(mbps))?;
        Ok(Self { bits: (known * 8.0) as i64 })
    }
}

impl From<DataRate> for f64 {
    fn from(rate: DataRate) -> Self {
        rate.bits as Self / 8.0
    }
}

/// The gatekeeper: closed for `T_off` after every transmission (TS 102 687 V1.2.1 annex B).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// When it was last closed, for how long, and what was sent then.
    last: Option<Closed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Closed {
    at: Timestamp,
    opens_at: Timestamp,
}

impl Gate {
    /// When the station may send again; an instant that has passed: now.
    pub fn may_send_at(&self, now: Timestamp) -> Timestamp {
        self.last.map_or(now, |closed| closed.opens_at.max(now))
    }

    /// Closes after a transmission (equation B.1).
    pub fn sent(&mut self, now: Timestamp, t_on_ns: i64, adaptive: &Adaptive) {
        self.last = Some(Closed { at: now, opens_at: now.plus_ns(adaptive.t_off_ns(t_on_ns)) });
    }

    /// Takes over a new share δ while closed (equation B.2): what is left of the wait shrinks or grows as δ has; in all it
    /// stays within 25 ms and 1 s.
    pub fn share_changed(&mut self, now: Timestamp, before: f64, after: f64) {
        let Some(closed) = self.last.as_mut().filter(|closed| now < closed.opens_at) else { return };
        let left_ns = closed.opens_at.unix_ns() - now.unix_ns();
        let passed_ns = now.unix_ns() - closed.at.unix_ns();
        let left_ns = (left_ns as f64 * before / after) as i64;
        closed.opens_at = closed.at.plus_ns(left_ns.saturating_add(passed_ns).clamp(T_OFF_MIN_NS, T_OFF_MAX_NS));
    }
}

/// Number of DCC profiles: DP0, most urgent, to DP3 (TS 102 724 clause 5).
pub const PROFILES: usize = 4;

/// What waits for the gate, by DCC profile. Within a profile the oldest goes first; a full queue drops its oldest.
#[derive(Clone, Debug)]
pub struct Queues<T> {
    waiting: [VecDeque<(Timestamp, T)>; PROFILES],
    capacity: usize,
    expired: u64,
    displaced: u64,
}

impl<T> Queues<T> {
    /// Empty queues of `capacity` entries each, at least one.
    pub fn new(capacity: usize) -> Self {
        Self { waiting: Default::default(), capacity: capacity.max(1), expired: 0, displaced: 0 }
    }

    /// Takes an entry of a profile (beyond DP3: DP3) that is worth sending until `expires_at`.
    pub fn push(&mut self, profile: u8, expires_at: Timestamp, entry: T) {
        let queue = &mut self.waiting[usize::from(profile).min(PROFILES - 1)];
        if queue.len() >= self.capacity {
            queue.pop_front();
            self.displaced += 1;
        }
        queue.push_back((expires_at, entry));
    }

    /// The entry to send now: the oldest of the most urgent profile that is not out of date.
    pub fn pop(&mut self, now: Timestamp) -> Option<T> {
        for queue in &mut self.waiting {
            while let Some((expires_at, entry)) = queue.pop_front() {
                if now < expires_at {
                    return Some(entry);
                }
                self.expired += 1;
            }
        }
        None
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.iter().all(VecDeque::is_empty)
    }

    /// Entries dropped because their time was over, and because their queue was full.
    pub const fn dropped(&self) -> (u64, u64) {
        (self.expired, self.displaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    fn after(pairs: usize, cbr: f64, start: Adaptive) -> Adaptive {
        let mut adaptive = start;
        (0..2 * pairs).for_each(|_| adaptive.measure(cbr));
        adaptive
    }

    #[test]
    fn one_step_follows_ts_102_687_5_4() {
        let full = Adaptive { delta: 0.03, ..Adaptive::default() };
        let low = Adaptive::default();
        // Start, smoothed CBR before, two measurements; CBR and δ after. Computed by hand from the five steps.
        for (start, cbr, measured, cbr_after, delta_after) in [
            // 0.5·0 + 0.5·0.2 = 0.1; 0.0012·0.58 = 0.000696, limited to 0.0005; 0.984·0.0006 + 0.0005.
            (low, 0.0, [0.1, 0.3], 0.1, 0.001_090_4),
            // 0.5·0.6 + 0.5·0.6 = 0.6; 0.0012·0.08 = 0.000096; 0.984·0.03 + 0.000096.
            (full, 0.6, [0.6, 0.6], 0.6, 0.029_616),
            // Above the target: 0.0012·(−0.12) = −0.000144; 0.984·0.03 − 0.000144.
            (full, 0.8, [0.8, 0.8], 0.8, 0.029_376),
            // Far above it: 0.0012·(−0.32) = −0.000384, limited to −0.00025.
            (full, 1.0, [1.0, 1.0], 1.0, 0.029_27),
            // Never below δ_min.
            (low, 1.0, [1.0, 1.0], 1.0, 0.000_6),
        ] {
            let mut adaptive = Adaptive { cbr, ..start };
            adaptive.measure(measured[0]);
            assert_eq!(adaptive.delta(), start.delta(), "a step takes two measurements");
            adaptive.measure(measured[1]);
            assert!((adaptive.channel_busy_ratio() - cbr_after).abs() < 1e-12, "{measured:?}: {adaptive:?}");
            assert!((adaptive.delta() - delta_after).abs() < 1e-12, "{measured:?}: {adaptive:?}");
        }
    }

    #[test]
    fn the_share_settles_where_gain_and_forgetting_balance() {
        // δ = β (target − CBR) / α, within δ_min and δ_max; the first case is limited by G⁺_max / α > δ_max.
        for (cbr, expected) in
            [(0.0, 0.03), (0.5, 0.0012 * 0.18 / 0.016), (0.66, 0.0015), (0.68, 0.0006), (1.0, 0.0006)]
        {
            for start in [Adaptive::default(), Adaptive { delta: 0.03, ..Adaptive::default() }] {
                let settled = after(2_000, cbr, start);
                assert!((settled.delta() - expected).abs() < 1e-6, "{cbr}: {} from {}", settled.delta(), start.delta());
            }
        }
        assert_eq!(after(2_000, f64::NAN, Adaptive::default()).delta(), 0.000_6, "not a number is a full channel");
    }

    #[test]
    fn the_wait_is_the_duration_over_the_share_between_25_ms_and_1_s() {
        // 16 + 8·300 + 6 = 2,422 bits are 51 symbols: 40 + 408 µs.
        assert_eq!(t_on_ns(300), 448_000);
        // 12 Mbit/s: 26 symbols of 96 bits.
        assert_eq!(DataRate::try_from(12.0).map(|rate| rate.t_on_ns(300)), Ok(40_000 + 26 * 8_000));
        assert_eq!(f64::from(DataRate::try_from(4.5).unwrap_or_default()), 4.5);
        assert!(DataRate::try_from(5.0).is_err() && DataRate::try_from(f64::NAN).is_err());
        let share = |delta| Adaptive { delta, ..Adaptive::default() };
        for (delta, t_on_us, t_off_ms) in [
            (0.03, 448, 25.0),
            (0.01, 448, 44.8),
            (0.000_6, 448, 746.666_666),
            (0.000_6, 1_000, 1_000.0),
            (0.03, 0, 25.0),
        ] {
            let got_ms = share(delta).t_off_ns(t_on_us * 1_000) as f64 / 1e6;
            assert!((got_ms - t_off_ms).abs() < 1e-5, "δ {delta}, {t_on_us} µs: {got_ms} ms");
        }
    }

    #[test]
    fn the_gate_is_closed_after_sending_and_follows_the_share() {
        let share = |delta| Adaptive { delta, ..Adaptive::default() };
        let mut gate = Gate::default();
        assert_eq!(gate.may_send_at(at(5)), at(5));
        gate.sent(at(0), 1_000_000, &share(0.01));
        assert_eq!(gate.may_send_at(at(10)), at(100));
        // Half of the share: the 90 ms that are left become 180.
        gate.share_changed(at(10), 0.01, 0.005);
        assert_eq!(gate.may_send_at(at(10)), at(190));
        gate.share_changed(at(10), 0.005, 0.000_6);
        assert_eq!(gate.may_send_at(at(10)), at(1_000), "never more than 1 s after sending");
        gate.share_changed(at(10), 0.000_6, 0.03);
        assert_eq!(gate.may_send_at(at(10)).unix_ms(), 29, "19.8 of 990 ms are left");
        assert_eq!(gate.may_send_at(at(2_000)), at(2_000));
        let before = gate;
        gate.share_changed(at(2_000), 0.03, 0.000_6);
        assert_eq!(gate, before, "an open gate stays open");
    }

    #[test]
    fn urgent_profiles_go_first_and_old_entries_not_at_all() {
        let mut queues = Queues::new(2);
        for (profile, expires_ms, entry) in [(2, 100, 'a'), (3, 100, 'b'), (0, 10, 'c'), (0, 100, 'd'), (200, 100, 'e')]
        {
            queues.push(profile, at(expires_ms), entry);
        }
        queues.push(3, at(100), 'f');
        let order: Vec<_> = std::iter::from_fn(|| queues.pop(at(50))).collect();
        assert_eq!(order, ['d', 'a', 'e', 'f']);
        assert_eq!(queues.dropped(), (1, 1));
        assert!(queues.is_empty());
    }
}
