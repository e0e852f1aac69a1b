//! Whether a sensor still measures.

use crate::event::{Observation, Quantity};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// So many equal readings in a row are stuck. A sensor that rounds coarsely repeats itself for a while.
const STUCK_AFTER: u32 = 10;
/// Sensors kept.
const MAX_SENSORS: usize = 512;

/// Sensors and how often each has repeated its last value.
#[derive(Clone, Debug, Default)]
pub(super) struct SensorHealth {
    last: BTreeMap<(String, Quantity), (f64, u32)>,
}

impl SensorHealth {
    /// How many equal readings there are, when that is too many. Zero is what many sensors say for long: no rain.
    pub(super) fn read(&mut self, observation: &Observation, _now: Timestamp) -> Option<u32> {
        let key = (observation.sensor.clone(), observation.quantity);
        let count = match self.last.get(&key) {
            Some((value, count)) if value.to_bits() == observation.value.to_bits() => count.saturating_add(1),
            None if self.last.len() >= MAX_SENSORS => return None,
            _ => 1,
        };
        self.last.insert(key, (observation.value, count));
        (count >= STUCK_AFTER && observation.value != 0.0).then_some(count)
    }
}
