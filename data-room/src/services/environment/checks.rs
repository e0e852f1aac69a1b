//! Whether a reading can be true.
//!
//! In: readings of one sensor and quantity, in order, and what its neighbours say. Out: a [`Quality`] each. Range, change
//! and persistence of weather follow WMO's "Guidelines on quality control procedures for data from automatic weather
//! stations" (CBS/OPAG-IOS/ET AWS-3, 2004); those of air and noise are ours, as wide as a kerb needs.

use crate::entity::Quantity;
use masa_v2x_proto::time::Timestamp;
use serde::Serialize;

/// As many readings in a row must stand apart from their neighbours before that is held against the sensor: a plume
/// passes.
const APART_IN_A_ROW: u8 = 3;
/// Changes are judged over no less than this, seconds.
const LEAST_STEP_S: f64 = 60.0;

/// What may be thought of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// Nothing speaks against it.
    Good,
    /// Nothing can be so, or the sensor cannot say it.
    OutOfRange,
    /// It changed faster than the thing itself can.
    Jump,
    /// It has not changed for longer than the thing itself can stay.
    Stuck,
    /// Its neighbours agree on something else.
    Apart,
}

/// What is possible.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Least and most.
    range: [f64; 2],
    /// Most change a minute.
    change: f64,
    /// For how long it may stay the same, minutes; and where it may do so for ever.
    same_min: i64,
    rests_at: Option<[f64; 2]>,
    /// Furthest from the median of its neighbours: this much, and this share of the median.
    apart: [f64; 2],
}

const fn limits(quantity: Quantity) -> Limits {
    const fn of(range: [f64; 2], change: f64, same_min: i64, rests_at: Option<[f64; 2]>, apart: [f64; 2]) -> Limits {
        Limits { range, change, same_min, rests_at, apart }
    }
    // Gases and particles: a little below nothing is noise around nothing.
    match quantity {
        Quantity::No2 => of([-5.0, 1_000.0], 150.0, 120, None, [40.0, 0.5]),
        Quantity::Pm10 => of([-5.0, 1_200.0], 300.0, 120, None, [50.0, 0.5]),
        Quantity::Pm25 => of([-5.0, 800.0], 200.0, 120, None, [30.0, 0.5]),
        Quantity::AirTemperature => of([-40.0, 60.0], 3.0, 60, None, [4.0, 0.0]),
        // Air stays saturated for hours.
        Quantity::RelativeHumidity => of([0.0, 100.0], 10.0, 60, Some([95.0, 100.0]), [20.0, 0.0]),
        Quantity::Noise => of([20.0, 140.0], f64::INFINITY, 15, None, [20.0, 0.0]),
        Quantity::RoadSurfaceTemperature => of([-40.0, 80.0], 5.0, 120, Some([-0.5, 0.5]), [10.0, 0.0]),
        Quantity::RainIntensity => of([0.0, 300.0], f64::INFINITY, 60, Some([0.0, 0.0]), [50.0, 1.0]),
    }
}

/// What is remembered of a sensor and quantity.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Checker {
    /// The last reading that was in range, and since when it has been the same.
    last: Option<(f64, Timestamp)>,
    same_since: Option<Timestamp>,
    apart: u8,
}

impl Checker {
    /// Judges a reading. `neighbours`: the median of what those near it say now.
    pub(crate) fn judge(&mut self, quantity: Quantity, value: f64, at: Timestamp, neighbours: Option<f64>) -> Quality {
        let limits = limits(quantity);
        if !value.is_finite() || value < limits.range[0] || value > limits.range[1] {
            return Quality::OutOfRange;
        }
        let before = self.last.replace((value, at));
        let is_same = before.is_some_and(|(last, _)| last == value);
        let same_since = if is_same { self.same_since.unwrap_or(at) } else { at };
        self.same_since = Some(same_since);
        let median =
            neighbours.filter(|median| (value - median).abs() > limits.apart[0] + limits.apart[1] * median.abs());
        self.apart = if median.is_some() { self.apart.saturating_add(1) } else { 0 };
        let may_rest = limits.rests_at.is_some_and(|[low, high]| (low..=high).contains(&value));
        let jumped = before.is_some_and(|(last, then)| {
            let step_min = at.seconds_since(then).max(LEAST_STEP_S) / 60.0;
            (value - last).abs() > limits.change * step_min
        });
        if jumped {
            Quality::Jump
        } else if !may_rest && at >= same_since.plus_ms(limits.same_min * 60_000) {
            Quality::Stuck
        } else if self.apart >= APART_IN_A_ROW {
            Quality::Apart
        } else {
            Quality::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(quantity: Quantity, readings: &[(i64, f64)], neighbours: Option<f64>) -> Vec<Quality> {
        let mut checker = Checker::default();
        let judge = |(minute, value): &(i64, f64)| {
            checker.judge(quantity, *value, Timestamp::from_unix_ms(minute * 60_000), neighbours)
        };
        readings.iter().map(judge).collect()
    }

    #[test]
    fn readings_are_judged_by_what_is_possible() {
        use Quality::{Good, Jump, OutOfRange, Stuck};
        let cases: &[(Quantity, &[(i64, f64)], &[Quality])] = &[
            (Quantity::AirTemperature, &[(0, 20.0), (1, 22.9), (2, 26.0)], &[Good, Good, Jump]),
            // Ten minutes allow ten times the change.
            (Quantity::AirTemperature, &[(0, 20.0), (10, 40.0)], &[Good, Good]),
            (
                Quantity::AirTemperature,
                &[(0, 20.0), (1, 61.0), (2, f64::NAN), (3, 20.5)],
                &[Good, OutOfRange, OutOfRange, Good],
            ),
            (Quantity::RelativeHumidity, &[(0, 60.0), (30, 60.0), (60, 60.0), (61, 60.5)], &[Good, Good, Stuck, Good]),
            (Quantity::RelativeHumidity, &[(0, 99.0), (90, 99.0)], &[Good, Good]),
            (Quantity::RainIntensity, &[(0, 0.0), (600, 0.0)], &[Good, Good]),
            (Quantity::Noise, &[(0, 55.0), (1, 95.0), (2, 10.0)], &[Good, Good, OutOfRange]),
        ];
        for (quantity, readings, expected) in cases {
            assert_eq!(&judged(*quantity, readings, None), expected, "{quantity:?} {readings:?}");
        }
    }

    #[test]
    fn a_plume_passes_but_a_sensor_that_stays_apart_is_doubted() {
        use Quality::{Apart, Good};
        let readings: Vec<_> = (0..5).map(|minute| (minute, 150.0 + minute as f64)).collect();
        assert_eq!(judged(Quantity::No2, &readings, Some(40.0)), [Good, Good, Apart, Apart, Apart]);
        assert_eq!(judged(Quantity::No2, &readings, Some(110.0)), [Good; 5]);
    }
}
