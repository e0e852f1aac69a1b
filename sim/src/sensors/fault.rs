//! What may be wrong with a sensor, by schedule.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// A fault within a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SensorFault {
    /// What is wrong.
    pub kind: FaultKind,
    /// When it begins, simulated seconds.
    pub from_s: f64,
    /// When it ends; not set: never.
    #[serde(default)]
    pub until_s: Option<f64>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The last value is repeated.
    Stuck,
    /// The value runs away, by so much of its unit an hour.
    Drift(f64),
    /// A reading does not come, with this chance.
    Dropout(f64),
}

impl SensorFault {
    /// Whether it is there at a time.
    pub fn is_active(&self, time_s: f64) -> bool {
        time_s >= self.from_s && self.until_s.is_none_or(|until_s| time_s < until_s)
    }
}

/// The faults of one sensor at a time, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Faults {
    /// Repeat the last reading.
    pub(crate) stuck: bool,
    /// To be added to a value.
    pub(crate) drift: f64,
    /// Say nothing.
    pub(crate) silent: bool,
}

impl Faults {
    /// What `schedule` says at a time; `luck` decides on dropouts.
    pub(crate) fn at(schedule: &[SensorFault], time_s: f64, luck: &mut Pcg64Mcg) -> Self {
        let mut faults = Self::default();
        for fault in schedule.iter().filter(|fault| fault.is_active(time_s)) {
            match fault.kind {
                FaultKind::Stuck => faults.stuck = true,
                FaultKind::Drift(per_hour) => faults.drift += per_hour * (time_s - fault.from_s) / 3600.0,
                FaultKind::Dropout(chance) => faults.silent |= luck.random::<f64>() < chance,
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn faults_hold_within_their_time() {
        let schedule = [
            SensorFault { kind: FaultKind::Drift(36.0), from_s: 100.0, until_s: None },
            SensorFault { kind: FaultKind::Stuck, from_s: 50.0, until_s: Some(60.0) },
            SensorFault { kind: FaultKind::Dropout(1.0), from_s: 300.0, until_s: Some(301.0) },
        ];
        let at = |time_s| Faults::at(&schedule, time_s, &mut Seed(1).stream("t", 0));
        assert_eq!(at(0.0), Faults::default());
        assert!(at(50.0).stuck && !at(60.0).stuck && at(300.5).silent && !at(301.0).silent);
        assert_eq!(at(200.0).drift, 1.0);
    }
}
