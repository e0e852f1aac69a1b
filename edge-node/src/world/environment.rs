//! The latest reading of every sensor, and the latest state of every source and link.

use crate::drops::Drops;
use crate::event::{Observation, Quantity, SourceState, StatusChange};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// The latest reading of one quantity of one sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The value in [`Quantity::unit`].
    pub value: f64,
    /// When it was measured.
    pub captured_at: Timestamp,
    /// When it reached the core: what ageing goes by.
    pub arrived_at: Timestamp,
}

/// The latest reported state of a source or link.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The state.
    pub state: SourceState,
    /// What an operator needs to know.
    pub detail: String,
    /// When it was reported.
    pub since: Timestamp,
}

/// Readings and states, each the latest of its kind.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    readings: BTreeMap<(String, Quantity), Reading>,
    statuses: BTreeMap<String, Status>,
}

impl Environment {
    /// Most sensor quantities kept.
    pub const MAX_READINGS: usize = 512;
    /// Most sources and links kept.
    pub const MAX_STATUSES: usize = 128;

    /// Readings by sensor and quantity.
    pub fn readings(&self) -> impl Iterator<Item = (&str, Quantity, &Reading)> {
        self.readings.iter().map(|((sensor, quantity), reading)| (sensor.as_str(), *quantity, reading))
    }

    /// States by name.
    pub fn statuses(&self) -> impl Iterator<Item = (&str, &Status)> {
        self.statuses.iter().map(|(name, status)| (name.as_str(), status))
    }

    pub(crate) fn observe(&mut self, observation: &Observation, now: Timestamp, drops: &mut Drops) {
        if !observation.value.is_finite() {
            return drops.count("observation-not-finite");
        }
        let reading = Reading { value: observation.value, captured_at: observation.captured_at, arrived_at: now };
        let key = (observation.sensor.clone(), observation.quantity);
        if let Some(known) = self.readings.get_mut(&key) {
            // A sensor behind a store-and-forward link may deliver late: the newest measurement stays.
            if known.captured_at <= reading.captured_at {
                *known = reading;
            } else {
                drops.count("observation-late");
            }
        } else if self.readings.len() < Self::MAX_READINGS {
            self.readings.insert(key, reading);
        } else {
            drops.count("observations-full");
        }
    }

    pub(crate) fn report(&mut self, change: &StatusChange, now: Timestamp, drops: &mut Drops) {
        let status = Status { state: change.state, detail: change.detail.clone(), since: now };
        if let Some(known) = self.statuses.get_mut(&change.name) {
            *known = status;
        } else if self.statuses.len() < Self::MAX_STATUSES {
            self.statuses.insert(change.name.clone(), status);
        } else {
            drops.count("statuses-full");
        }
    }

    /// Forgets readings that arrived before `oldest`.
    pub(crate) fn forget_before(&mut self, oldest: Timestamp) {
        self.readings.retain(|_, reading| reading.arrived_at >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no2(sensor: &str, value: f64, captured_ms: i64) -> Observation {
        let captured_at = Timestamp::from_unix_ms(captured_ms);
        Observation { sensor: sensor.into(), quantity: Quantity::No2, value, captured_at }
    }

    #[test]
    fn the_newest_measurement_stays_and_old_ones_are_forgotten() {
        let (mut environment, mut drops) = (Environment::default(), Drops::default());
        let at = Timestamp::from_unix_ms;
        for (value, captured_ms, now_ms) in [(40.0, 1_000, 1_100), (30.0, 500, 1_200), (f64::NAN, 2_000, 2_000)] {
            environment.observe(&no2("a", value, captured_ms), at(now_ms), &mut drops);
        }
        let readings: Vec<_> = environment.readings().map(|(sensor, _, r)| (sensor, r.value)).collect();
        assert_eq!(readings, [("a", 40.0)]);
        assert_eq!(drops.get("observation-late"), 1);
        assert_eq!(drops.get("observation-not-finite"), 1);
        environment.forget_before(at(1_101));
        assert_eq!(environment.readings().count(), 0);
    }

    #[test]
    fn both_tables_are_bounded_and_count_what_they_refuse() {
        let (mut environment, mut drops) = (Environment::default(), Drops::default());
        let now = Timestamp::from_unix_ms(0);
        for i in 0..Environment::MAX_READINGS + 3 {
            environment.observe(&no2(&i.to_string(), 1.0, 0), now, &mut drops);
            let change = StatusChange { name: i.to_string(), state: SourceState::Up, detail: String::new() };
            environment.report(&change, now, &mut drops);
        }
        assert_eq!(environment.readings().count(), Environment::MAX_READINGS);
        assert_eq!(environment.statuses().count(), Environment::MAX_STATUSES);
        assert_eq!(drops.get("observations-full"), 3);
        assert_eq!(drops.get("statuses-full"), (Environment::MAX_READINGS + 3 - Environment::MAX_STATUSES) as u64);
    }
}
