//! Air, noise and weather: readings that can be true, and means of the hour that say how much is behind them.
//!
//! In: readings. Out: a [`Doubt`] when a sensor's readings become doubtful or good again, and an [`EnvironmentHour`] of
//! each sensor. A mean is made of good readings only and given when they cover three quarters of the hour (Directive
//! 2008/50/EC, annexes VII and XI; 2024/2881 keeps it); what they do not cover is a gap, never filled. The mean of sound
//! levels is that of their energy. Invariants: pure; at most [`MAX_SERIES`] series, [`MAX_GAPS`] gaps an hour.

mod checks;
mod index;
#[cfg(test)]
mod tests;

pub use checks::Quality;
pub use index::AirQuality;

use super::site::ServiceSite;
use crate::entity::{Quantity, Reading};
use checks::Checker;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most series (a quantity of a sensor) that are followed; readings of more are counted.
pub const MAX_SERIES: usize = 4_096;
/// Most gaps of a series and hour that are named.
pub const MAX_GAPS: usize = 60;
/// Share of the hour that good readings must cover.
pub const CAPTURE: f64 = 0.75;
const HOUR_MS: i64 = 3_600_000;
/// A reading may come so long after its hour, milliseconds.
const LATENESS_MS: i64 = 60_000;
/// Neighbours say something of now for so long, milliseconds.
const NEIGHBOUR_MS: i64 = 900_000;

/// A sensor of which more is known than its name: a `[[sensor]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SensorSettings {
    /// Its name, as in its readings.
    pub sensor: String,
    /// How often it says each of its quantities, seconds: silence twice as long is a gap.
    #[serde(default = "every_s")]
    pub every_s: u32,
    /// Sensors near enough to measure the same; it is doubted when two or more of them agree on something else.
    #[serde(default)]
    pub neighbours: Vec<String>,
}

const fn every_s() -> u32 {
    60
}

/// A quantity of a sensor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Series {
    /// The station that reads the sensor.
    pub station: u32,
    /// Its name there.
    pub sensor: String,
    /// What it measures.
    pub quantity: Quantity,
}

/// Readings have become doubtful, or good again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Doubt {
    /// Whose.
    pub series: Series,
    /// What is thought of them now.
    pub quality: Quality,
    /// Since this reading.
    pub at: Timestamp,
}

/// A quantity in an hour.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HourMean {
    /// What.
    pub quantity: Quantity,
    /// Its mean; `None` when good readings cover less than [`CAPTURE`] of the hour.
    pub mean: Option<f64>,
    /// Least and most of the good readings.
    pub range: Option<[f64; 2]>,
    /// Share of the hour that good readings cover, 0 to 1.
    pub capture: f64,
    /// Good readings.
    pub readings: u32,
    /// Readings that were not used, by what is thought of them.
    pub rejected: BTreeMap<Quality, u32>,
    /// When there was no good reading, oldest first.
    pub gaps: Vec<[Timestamp; 2]>,
}

/// A sensor in an hour.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnvironmentHour {
    /// The station that reads it.
    pub station: u32,
    /// Its name there.
    pub sensor: String,
    /// Where it is, as its readings say.
    pub position: Option<Wgs84>,
    /// Begin of the hour.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// What it measures.
    pub means: Vec<HourMean>,
    /// European Air Quality Index and the pollutant that decides it; `None` when too little is known.
    pub index: Option<(AirQuality, Quantity)>,
}

impl EnvironmentHour {
    fn new(series: &Series, position: Option<Wgs84>, [from, to]: [Timestamp; 2]) -> Self {
        let (station, sensor) = (series.station, series.sensor.clone());
        Self { station, sensor, position, from, to, means: Vec::new(), index: None }
    }

    fn with_index(self) -> Self {
        let known: Vec<_> = self.means.iter().filter_map(|mean| Some((mean.quantity, mean.mean?))).collect();
        Self { index: AirQuality::of_station(&known), ..self }
    }
}

/// What is found out about air, noise and weather.
#[derive(Clone, Debug, PartialEq)]
pub enum EnvironmentFinding {
    /// Readings have become doubtful, or good again.
    Doubt(Doubt),
    /// A sensor in an hour.
    Hour(EnvironmentHour),
}

#[derive(Clone, Debug, Default)]
struct Hour {
    sum: f64,
    range: Option<[f64; 2]>,
    readings: u32,
    rejected: BTreeMap<Quality, u32>,
    covered_ms: i64,
    gaps: Vec<[Timestamp; 2]>,
}

#[derive(Clone, Debug)]
struct Followed {
    checker: Checker,
    quality: Quality,
    /// The last good reading, and until when good readings cover the time.
    good: Option<(f64, Timestamp)>,
    heard_at: Timestamp,
    position: Option<Wgs84>,
    covered_until: Timestamp,
    hour: Hour,
}

/// The sensors of a site.
#[derive(Clone, Debug)]
pub struct Environment {
    sensors: BTreeMap<String, SensorSettings>,
    series: BTreeMap<Series, Followed>,
    /// Begin of the hour that is open; `None` before the first reading.
    hour: Option<Timestamp>,
    late: u64,
    no_room: u64,
}

impl Environment {
    /// The sensors of a checked site.
    pub fn new(site: &ServiceSite) -> Self {
        let sensors = site.sensors.iter().map(|sensor| (sensor.sensor.clone(), sensor.clone())).collect();
        Self { sensors, series: BTreeMap::new(), hour: None, late: 0, no_room: 0 }
    }

    /// Takes a reading of a sensor at a place; what is thought of it, if that has changed.
    pub fn take(&mut self, station: u32, reading: &Reading, at: Timestamp, position: Option<Wgs84>) -> Option<Doubt> {
        let hour = *self.hour.get_or_insert(hour_of(at));
        let series = Series { station, sensor: reading.sensor.clone(), quantity: reading.quantity };
        let known = self.series.contains_key(&series);
        if !known && self.series.len() >= MAX_SERIES {
            self.no_room += 1;
            return None;
        }
        let heard_at = self.series.get(&series).map(|followed| followed.heard_at);
        if at < hour || heard_at.is_some_and(|heard_at| at <= heard_at) {
            self.late += 1;
            return None;
        }
        let neighbours = self.neighbours(&series, at);
        let reach_ms = self.reach_ms(&series.sensor);
        let followed = self.series.entry(series.clone()).or_insert_with(|| Followed {
            checker: Checker::default(),
            quality: Quality::Good,
            good: None,
            heard_at: at,
            position,
            // What was before the first reading nobody knows.
            covered_until: hour,
            hour: Hour::default(),
        });
        (followed.heard_at, followed.position) = (at, position.or(followed.position));
        let quality = followed.checker.judge(reading.quantity, reading.value, at, neighbours);
        match quality {
            Quality::Good => followed.good(reading.quantity, reading.value, at, reach_ms),
            bad => *followed.hour.rejected.entry(bad).or_default() += 1,
        }
        let changed = std::mem::replace(&mut followed.quality, quality) != quality;
        changed.then_some(Doubt { series, quality, at })
    }

    /// What is found out by `now`.
    pub fn findings(&mut self, now: Timestamp) -> Vec<EnvironmentHour> {
        let mut found = Vec::new();
        while let Some(from) = self.hour.filter(|from| now >= from.plus_ms(HOUR_MS + LATENESS_MS)) {
            let to = from.plus_ms(HOUR_MS);
            let mut hours: BTreeMap<(u32, &str), EnvironmentHour> = BTreeMap::new();
            for (series, followed) in &mut self.series {
                let mean = followed.end(series.quantity, from, to);
                let hour = hours
                    .entry((series.station, &series.sensor))
                    .or_insert_with(|| EnvironmentHour::new(series, followed.position, [from, to]));
                hour.means.push(mean);
            }
            found.extend(hours.into_values().map(EnvironmentHour::with_index));
            // Who has been silent for a whole hour is named once and then forgotten.
            self.series.retain(|_, followed| followed.heard_at >= from);
            self.hour = if self.series.is_empty() { None } else { Some(to) };
        }
        found
    }

    /// For how long a reading covers the time.
    fn reach_ms(&self, sensor: &str) -> i64 {
        2_000 * i64::from(self.sensors.get(sensor).map_or(every_s(), |known| known.every_s))
    }

    /// The median of what the neighbours say; `None` when fewer than two do.
    fn neighbours(&self, series: &Series, at: Timestamp) -> Option<f64> {
        let near = &self.sensors.get(&series.sensor)?.neighbours;
        let says = |(other, followed): (&Series, &Followed)| {
            let (value, then) = followed.good?;
            let is_now = (at.unix_ms() - then.unix_ms()).abs() <= NEIGHBOUR_MS;
            (is_now && other.quantity == series.quantity && near.contains(&other.sensor)).then_some(value)
        };
        let mut values: Vec<f64> = self.series.iter().filter_map(says).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() {
            0 | 1 => None,
            even if even % 2 == 0 => Some((values[middle - 1] + values[middle]) / 2.0),
            _ => Some(values[middle]),
        }
    }

    /// Readings that came when their hour was over, and those of series for which there was no room.
    pub const fn drops(&self) -> [u64; 2] {
        [self.late, self.no_room]
    }
}

impl Followed {
    fn good(&mut self, quantity: Quantity, value: f64, at: Timestamp, reach_ms: i64) {
        self.good = Some((value, at));
        // A reading speaks for the time since the one before, as far as it reaches.
        let from = self.covered_until.max(at.plus_ms(-reach_ms));
        if from > self.covered_until {
            self.hour.gap(self.covered_until, from);
        }
        self.hour.covered_ms += (at.unix_ms() - from.unix_ms()).max(0);
        self.covered_until = self.covered_until.max(at);
        let hour = &mut self.hour;
        hour.readings += 1;
        hour.sum += if quantity == Quantity::Noise { 10.0_f64.powf(value / 10.0) } else { value };
        let [least, most] = hour.range.unwrap_or([value, value]);
        hour.range = Some([least.min(value), most.max(value)]);
    }

    /// Ends an hour.
    fn end(&mut self, quantity: Quantity, from: Timestamp, to: Timestamp) -> HourMean {
        let mut hour = std::mem::take(&mut self.hour);
        // The last reading of the hour speaks for what is left of it when that is not more than it reaches.
        let left_ms = to.unix_ms() - self.covered_until.unix_ms();
        if left_ms > 0 {
            let usual_ms = hour.covered_ms / i64::from(hour.readings.max(1));
            if hour.readings > 0 && left_ms <= 2 * usual_ms {
                hour.covered_ms += left_ms;
            } else {
                hour.gap(self.covered_until, to);
            }
        }
        self.covered_until = self.covered_until.max(to);
        let capture = (hour.covered_ms as f64 / (to.unix_ms() - from.unix_ms()) as f64).clamp(0.0, 1.0);
        let mean = hour.sum / f64::from(hour.readings.max(1));
        let mean = if quantity == Quantity::Noise { 10.0 * mean.log10() } else { mean };
        HourMean {
            quantity,
            mean: (capture >= CAPTURE && hour.readings > 0).then_some(mean),
            range: hour.range,
            capture,
            readings: hour.readings,
            rejected: hour.rejected,
            gaps: hour.gaps,
        }
    }
}

impl Hour {
    fn gap(&mut self, from: Timestamp, to: Timestamp) {
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push([from, to]);
        }
    }
}

fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(at.unix_ms().div_euclid(HOUR_MS) * HOUR_MS)
}
