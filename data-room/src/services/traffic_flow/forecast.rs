//! How much traffic passes a gate in the next quarter of an hour.
//!
//! In: counts of five minutes, one after the other. Out: the count expected of the next fifteen, with a range. The usual
//! count of the time of day, learned separately for working days and days off, is a profile; how the day differs from it
//! is followed by a Kalman filter whose noise is that of counts (Poisson), and expected to fade. Without a profile, the
//! first days, the level itself is followed. Invariants: pure; a fixed amount of memory; a gap changes nothing but the
//! certainty.

use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Length of a slot, milliseconds.
pub const SLOT_MS: i64 = 300_000;
/// Slots of a forecast.
pub const AHEAD: usize = 3;
const SLOTS: usize = 288;
const DAY_MS: i64 = 86_400_000;
/// How far a slot of the profile is smoothed with its neighbours, and with which weights.
const KERNEL: [f64; 5] = [1.0, 2.0, 3.0, 2.0, 1.0];
/// A day counts at least so much in the profile: older ones fade.
const MIN_GAIN: f64 = 0.15;
/// What stays of a day's difference after a slot.
const FADES: f64 = 0.92;
/// By what share the level wanders in a slot: with a profile, and without.
const WANDERS: [f64; 2] = [0.07, 0.12];
/// 90 % of a normal distribution, both sides.
const Z90: f64 = 1.645;

/// What is expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Begin of the quarter of an hour.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Vehicles expected.
    pub expected: f64,
    /// In nine of ten cases not fewer.
    pub low: f64,
    /// In nine of ten cases not more.
    pub high: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    mean: f64,
    days: u32,
}

/// Level of the traffic, vehicles a slot.
#[derive(Clone, Copy, Debug)]
struct Level {
    slot: i64,
    /// What was usual in the slot before the day's own count was learned.
    usual: Option<f64>,
    mean: f64,
    variance: f64,
}

/// The memory of a gate and direction.
#[derive(Clone, Debug)]
pub struct Forecaster {
    utc_offset_ms: i64,
    /// By kind of day and time of day.
    usual: [Vec<Usual>; 2],
    level: Option<Level>,
}

impl Forecaster {
    /// One that knows nothing yet. `utc_offset_min`: minutes that local time is ahead of UTC.
    pub fn new(utc_offset_min: i32) -> Self {
        let utc_offset_ms = i64::from(utc_offset_min) * 60_000;
        Self { utc_offset_ms, usual: [(); 2].map(|()| vec![Usual::default(); SLOTS]), level: None }
    }

    /// Takes the count of the slot that begins at `from`; slots come in order, some may be missing.
    pub fn take(&mut self, from: Timestamp, count: f64) {
        let slot = from.unix_ms().div_euclid(SLOT_MS);
        if self.level.is_some_and(|level| slot <= level.slot) {
            return;
        }
        let before = match self.level {
            // After half an hour of nothing the day begins anew.
            Some(level) if slot - level.slot <= 6 => self.moved(level, slot),
            _ => {
                let usual = self.profile(slot);
                let mean = usual.unwrap_or(count);
                Level { slot, usual, mean, variance: mean.max(1.0) * (1.0 + 0.1 * mean) }
            }
        };
        let noise = before.mean.max(1.0);
        let gain = before.variance / (before.variance + noise);
        self.level = Some(Level {
            slot,
            usual: before.usual,
            mean: (before.mean + gain * (count - before.mean)).max(0.0),
            variance: before.variance * (1.0 - gain),
        });
        let (kind, time) = self.time_of_day(slot);
        let usual = &mut self.usual[kind][time];
        usual.days = usual.days.saturating_add(1);
        usual.mean += (count - usual.mean) * (1.0 / f64::from(usual.days)).max(MIN_GAIN);
    }

    /// What is expected of the [`AHEAD`] slots after the last one; `None` before the first.
    pub fn forecast(&self) -> Option<Forecast> {
        let now = self.level?;
        let [mut expected, mut deviation] = [0.0, 0.0];
        let mut level = now;
        for ahead in 1..=AHEAD as i64 {
            level = self.moved(level, now.slot + ahead);
            expected += level.mean;
            // Slots err together.
            deviation += level.variance.sqrt();
        }
        let spread = Z90 * (deviation * deviation + expected).sqrt();
        let at = |slot: i64| Timestamp::from_unix_ms(slot * SLOT_MS);
        Some(Forecast {
            from: at(now.slot + 1),
            to: at(now.slot + 1 + AHEAD as i64),
            expected,
            low: (expected - spread).max(0.0),
            high: expected + spread,
        })
    }

    /// The level of a later slot, before its count is known.
    fn moved(&self, level: Level, slot: i64) -> Level {
        (level.slot + 1..=slot).fold(level, |level, slot| {
            let usual = self.profile(slot);
            let (mean, variance) = match (level.usual, usual) {
                (Some(before), Some(now)) if before > 0.0 => {
                    let (ratio, wanders) = (now / before, WANDERS[0] * now);
                    let mean = now + FADES * (level.mean - before) * ratio;
                    (mean.max(0.0), level.variance * (FADES * ratio).powi(2) + wanders * wanders)
                }
                (None, Some(now)) => (now, now.max(1.0)),
                _ => {
                    let wanders = WANDERS[1] * level.mean.max(1.0);
                    (level.mean, level.variance + wanders * wanders)
                }
            };
            Level { slot, usual, mean, variance }
        })
    }

    /// The usual count of a slot, smoothed with its neighbours.
    fn profile(&self, slot: i64) -> Option<f64> {
        let usual = |slot: i64| {
            let (kind, time) = self.time_of_day(slot);
            Some(self.usual[kind][time]).filter(|usual| usual.days > 0)
        };
        usual(slot)?;
        let reach = KERNEL.len() as i64 / 2;
        let around =
            KERNEL.into_iter().zip(-reach..).filter_map(|(weight, offset)| Some((weight, usual(slot + offset)?)));
        let [sum, weights] =
            around.fold([0.0; 2], |[sum, weights], (weight, usual)| [sum + weight * usual.mean, weights + weight]);
        Some(sum / weights)
    }

    /// Kind of day (0 a working day, 1 a day off) and slot of the day.
    fn time_of_day(&self, slot: i64) -> (usize, usize) {
        let local_ms = slot * SLOT_MS + self.utc_offset_ms;
        // 1 January 1970 was a Thursday.
        let weekday = (local_ms.div_euclid(DAY_MS) + 3).rem_euclid(7);
        (usize::from(weekday >= 5), (local_ms.rem_euclid(DAY_MS) / SLOT_MS) as usize)
    }
}
