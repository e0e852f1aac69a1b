//! Environmental sensors: air, noise, weather, road surface, coupled to traffic and weather.
//!
//! In: snapshots. Out: a [`Reading`] whenever one is due, and the same as JSON for the node's IoT source. One [`Environment`]
//! holds the air of the whole network ([`puffs`]) and is stepped once a step; each [`EnvironmentSensor`] reads it at its place.
//! Errors: gain and offset of the specimen, an offset that wanders, noise, resolution, faults by schedule. Absent: chemistry of
//! ozone, noise screens other than houses, snow.

mod puffs;
mod source;

use super::fault::{Faults, SensorFault};
use super::gnss::noise::{GaussMarkov, gauss};
use super::signal_feed::rfc3339;
use crate::buildings::Buildings;
use crate::random::Seed;
use crate::roads::Roads;
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use masa_v2x_proto::time::Timestamp;
use nalgebra::Point2;
use puffs::Puffs;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use source::sound_power_dba;

/// What is measured, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measurand {
    /// Nitrogen dioxide, µg/m³.
    No2,
    /// Particles up to 10 µm, µg/m³.
    Pm10,
    /// Particles up to 2.5 µm, µg/m³.
    Pm25,
    /// Carbon dioxide, ppm.
    Co2,
    /// Equivalent sound level since the last reading, dB(A).
    Noise,
    /// Air temperature, °C.
    AirTemperature,
    /// Relative humidity, %.
    RelativeHumidity,
    /// Temperature of the road's surface, °C.
    RoadSurfaceTemperature,
    /// Water on the road, millimetres.
    WaterFilm,
    /// Rain, mm/h.
    RainIntensity,
}

impl Measurand {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::No2,
        Self::Pm10,
        Self::Pm25,
        Self::Co2,
        Self::Noise,
        Self::AirTemperature,
        Self::RelativeHumidity,
        Self::RoadSurfaceTemperature,
        Self::WaterFilm,
        Self::RainIntensity,
    ];

    /// Unit, as written in payloads.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::No2 | Self::Pm10 | Self::Pm25 => "ug/m3",
            Self::Co2 => "ppm",
            Self::Noise => "dB(A)",
            Self::AirTemperature | Self::RoadSurfaceTemperature => "Cel",
            Self::RelativeHumidity => "%",
            Self::WaterFilm => "mm",
            Self::RainIntensity => "mm/h",
        }
    }

    /// Name in payloads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::No2 => "no2",
            Self::Pm10 => "pm10",
            Self::Pm25 => "pm25",
            Self::Co2 => "co2",
            Self::Noise => "noise",
            Self::AirTemperature => "air-temperature",
            Self::RelativeHumidity => "relative-humidity",
            Self::RoadSurfaceTemperature => "road-surface-temperature",
            Self::WaterFilm => "water-film",
            Self::RainIntensity => "rain-intensity",
        }
    }

    /// Errors of a usual instrument: gain (share), offset, wandering offset, noise, resolution.
    const fn errors(self) -> [f64; 5] {
        match self {
            Self::No2 => [0.08, 2.0, 1.5, 1.0, 0.1],
            Self::Pm10 => [0.12, 1.5, 1.0, 1.0, 0.1],
            Self::Pm25 => [0.12, 1.0, 0.8, 0.7, 0.1],
            Self::Co2 => [0.02, 10.0, 5.0, 3.0, 1.0],
            Self::Noise => [0.0, 0.5, 0.2, 0.2, 0.1],
            Self::AirTemperature => [0.0, 0.2, 0.1, 0.05, 0.1],
            Self::RelativeHumidity => [0.01, 1.0, 0.5, 0.3, 0.1],
            Self::RoadSurfaceTemperature => [0.0, 0.3, 0.2, 0.1, 0.1],
            Self::WaterFilm => [0.05, 0.02, 0.01, 0.01, 0.01],
            Self::RainIntensity => [0.05, 0.0, 0.0, 0.05, 0.1],
        }
    }

    /// Least and greatest value that an instrument gives.
    const fn range(self) -> (f64, f64) {
        match self {
            Self::Noise => (20.0, 140.0),
            Self::AirTemperature | Self::RoadSurfaceTemperature => (-60.0, 90.0),
            Self::RelativeHumidity => (0.0, 100.0),
            _ => (0.0, 5_000.0),
        }
    }
}

/// A fault of one measurand of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MeasurandFault {
    /// Which; not set: all.
    #[serde(default)]
    pub measurand: Option<Measurand>,
    /// What goes wrong, and when; drift in the measurand's unit an hour.
    pub fault: SensorFault,
}

/// A sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EnvironmentSettings {
    /// Its name, in payloads.
    pub name: String,
    /// Where it is, ENU metres, and its height above the ground.
    pub position: [f64; 3],
    /// What it measures; not set: everything.
    #[serde(default = "all")]
    pub measures: Vec<Measurand>,
    /// Time between readings, seconds.
    #[serde(default = "default_period_s")]
    pub period_s: f64,
    /// Errors of this instrument, as a multiple of a usual one's.
    #[serde(default = "default_error")]
    pub error: f64,
    /// What goes wrong, and when.
    #[serde(default)]
    pub faults: Vec<MeasurandFault>,
}

fn all() -> Vec<Measurand> {
    Measurand::ALL.to_vec()
}

const fn default_period_s() -> f64 {
    10.0
}

const fn default_error() -> f64 {
    1.0
}

/// What a sensor says.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When, simulated seconds.
    pub time_s: f64,
    /// Values in the units of [`Measurand::unit`].
    pub values: Vec<(Measurand, f64)>,
}

impl Reading {
    /// As JSON: `{"sensor", "time", "no2": {"value", "unit"}, …}`. `start` is the time at simulated time 0.
    pub fn json(&self, sensor: &str, start: Timestamp) -> serde_json::Value {
        let mut payload = serde_json::json!({ "sensor": sensor, "time": rfc3339(start, self.time_s) });
        for (measurand, value) in &self.values {
            payload[measurand.name()] = serde_json::json!({ "value": value, "unit": measurand.unit() });
        }
        payload
    }
}

/// What the air has without this traffic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Background {
    /// Nitrogen dioxide, µg/m³.
    pub no2: f64,
    /// Particles up to 10 µm, µg/m³.
    pub pm10: f64,
    /// Particles up to 2.5 µm, µg/m³.
    pub pm25: f64,
    /// Carbon dioxide, ppm.
    pub co2: f64,
    /// Sound, dB(A).
    pub noise: f64,
}

impl Default for Background {
    /// A European town away from main roads.
    fn default() -> Self {
        Self { no2: 15.0, pm10: 16.0, pm25: 9.0, co2: 425.0, noise: 42.0 }
    }
}

/// Milligrams of CO2 in a cubic metre of one ppm, at 20 °C and 1013 hPa.
const CO2_MG_PER_PPM: f64 = 1.83;
/// Rain washes particles out: share left of them at 5 mm/h and more.
const WASHED: f64 = 0.5;
/// Vehicles farther away than this are not heard, metres.
const HEARING_M: f64 = 300.0;
/// What a house between costs, decibels.
const SCREEN_DB: f64 = 12.0;
/// Time in which the road's surface follows sun and air, seconds.
const SURFACE_S: f64 = 1800.0;

/// Air, road surface and walls of a network.
#[derive(Clone, Debug)]
pub struct Environment {
    background: Background,
    puffs: Puffs,
    buildings: Buildings,
    surface_c: Option<f64>,
    last_s: f64,
}

impl Environment {
    /// The environment of a network.
    pub fn new(background: Background, roads: &Roads) -> Self {
        let buildings = Buildings::new(&roads.buildings);
        Self { background, puffs: Puffs::default(), buildings, surface_c: None, last_s: 0.0 }
    }

    /// Lets time pass up to a snapshot; once a step, before sensors measure.
    pub fn step(&mut self, snapshot: &Snapshot) {
        self.puffs.step(snapshot);
        let goal = surface_goal_c(&snapshot.weather);
        let share = 1.0 - (-(snapshot.time_s - self.last_s).max(0.0) / SURFACE_S).exp();
        let surface = self.surface_c.unwrap_or(goal);
        self.surface_c = Some(surface + (goal - surface) * share);
        self.last_s = snapshot.time_s;
    }

    /// What is true at a place, in the measurand's unit; of noise the level at this moment.
    pub fn truth(&self, measurand: Measurand, snapshot: &Snapshot, position: [f64; 3]) -> f64 {
        let weather = &snapshot.weather;
        let at = Point2::new(position[0], position[1]);
        let washed = 1.0 - (1.0 - WASHED) * (weather.rain_mm_per_h / 5.0).min(1.0);
        let added = || self.puffs.concentration(at, position[2]);
        match measurand {
            Measurand::No2 => self.background.no2 + added().no2 * 1e6,
            Measurand::Pm10 => (self.background.pm10 + added().pm10 * 1e6) * washed,
            Measurand::Pm25 => (self.background.pm25 + added().pm25 * 1e6) * washed,
            Measurand::Co2 => self.background.co2 + added().co2 * 1e3 / CO2_MG_PER_PPM,
            Measurand::Noise => 10.0 * self.loudness(snapshot, position).log10(),
            Measurand::AirTemperature => weather.temperature_c,
            Measurand::RelativeHumidity => humidity(weather),
            Measurand::RoadSurfaceTemperature => self.surface_c.unwrap_or_else(|| surface_goal_c(weather)),
            Measurand::WaterFilm => 0.8 * weather.road_wetness.clamp(0.0, 1.0),
            Measurand::RainIntensity => weather.rain_mm_per_h,
        }
    }

    /// Sound intensity at a place, as a multiple of the reference.
    fn loudness(&self, snapshot: &Snapshot, position: [f64; 3]) -> f64 {
        let at = Point2::new(position[0], position[1]);
        // Rain on the road and on leaves, wind at the microphone.
        let rain = if snapshot.weather.rain_mm_per_h > 0.1 {
            45.0 + 5.0 * snapshot.weather.rain_mm_per_h.ln_1p()
        } else {
            0.0
        };
        let wind = 20.0 + 12.0 * snapshot.weather.wind_mps.ln_1p();
        let mut sum: f64 = [self.background.noise, rain, wind].iter().map(|level| 10f64.powf(level / 10.0)).sum();
        let mut hits = Vec::new();
        for actor in &snapshot.actors {
            let Some(power) = sound_power_dba(actor.kind, actor.speed_mps) else { continue };
            let source = actor.pose.position;
            let level = (source.xy() - at).norm();
            if level > HEARING_M {
                continue;
            }
            let distance = level.hypot(position[2] - 0.05).max(1.0);
            let screen = self.buildings.first(at, source.xy(), &mut hits, |_| 1.5).map_or(0.0, |_| SCREEN_DB);
            // Half a sphere over hard ground; a wet road adds about 2 dB; air takes 5 dB a kilometre at 1 kHz.
            let wet = 2.0 * snapshot.weather.road_wetness.clamp(0.0, 1.0);
            let heard = power + wet - 20.0 * distance.log10() - 8.0 - 0.005 * distance - screen;
            sum += 10f64.powf(heard / 10.0);
        }
        sum
    }
}

/// Where the temperature of the road's surface goes in steady weather.
fn surface_goal_c(weather: &Weather) -> f64 {
    let sun = weather.sun_elevation_deg.to_radians().sin().max(0.0) * (1.0 - 0.75 * weather.cloud_cover);
    let clear_night = if weather.sun_elevation_deg < 0.0 { 3.0 * (1.0 - weather.cloud_cover) } else { 0.0 };
    weather.temperature_c + 22.0 * sun * (1.0 - 0.6 * weather.road_wetness) - clear_night
}

/// Relative humidity that fits the weather, %.
fn humidity(weather: &Weather) -> f64 {
    let dry = 75.0 - 1.2 * (weather.temperature_c - 10.0);
    let fog = if weather.visibility_m < 1_000.0 { 98.0 } else { 0.0 };
    let rain = if weather.rain_mm_per_h > 0.0 { 82.0 + 4.0 * weather.rain_mm_per_h.ln_1p() } else { 0.0 };
    dry.clamp(25.0, 85.0).max(fog).max(rain).min(100.0)
}

#[derive(Clone, Debug)]
struct Channel {
    measurand: Measurand,
    gain: f64,
    offset: f64,
    wander: GaussMarkov,
    last: Option<f64>,
}

/// A sensor in use.
#[derive(Clone, Debug)]
pub struct EnvironmentSensor {
    settings: EnvironmentSettings,
    luck: Pcg64Mcg,
    channels: Vec<Channel>,
    last_s: f64,
    /// Sound intensity times seconds since the last reading, and the seconds.
    heard: (f64, f64),
    heard_s: Option<f64>,
}

/// Offsets wander within about this time, seconds.
const WANDER_S: f64 = 1800.0;

impl EnvironmentSensor {
    /// A sensor; `number` tells it from other sensors of the run.
    pub fn new(settings: EnvironmentSettings, seed: Seed, number: u64) -> Self {
        let mut luck = seed.stream("environment", number);
        let channel = |measurand: &Measurand| {
            let [gain, offset, wander, ..] = measurand.errors().map(|error| error * settings.error);
            Channel {
                measurand: *measurand,
                gain: 1.0 + gain * gauss(&mut luck),
                offset: offset * gauss(&mut luck),
                wander: GaussMarkov::new(wander, WANDER_S, &mut luck),
                last: None,
            }
        };
        let channels = settings.measures.iter().map(channel).collect();
        Self { settings, luck, channels, last_s: f64::NEG_INFINITY, heard: (0.0, 0.0), heard_s: None }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Listens to a step, and says what it measured when a reading is due. Measurands that a fault keeps silent are left out.
    pub fn measure(&mut self, environment: &Environment, snapshot: &Snapshot) -> Option<Reading> {
        let time_s = snapshot.time_s;
        if self.settings.measures.contains(&Measurand::Noise) {
            let step_s = time_s - self.heard_s.unwrap_or(time_s);
            self.heard.0 += environment.loudness(snapshot, self.settings.position) * step_s;
            self.heard.1 += step_s;
            self.heard_s = Some(time_s);
        }
        if time_s - self.last_s + 1e-9 < self.settings.period_s {
            return None;
        }
        let since_s = if self.last_s.is_finite() { time_s - self.last_s } else { 0.0 };
        self.last_s = time_s;
        let (heard, heard_s) = std::mem::take(&mut self.heard);
        let mut values = Vec::with_capacity(self.channels.len());
        for channel in &mut self.channels {
            let measurand = channel.measurand;
            let truth = match measurand {
                Measurand::Noise if heard_s > 0.0 => 10.0 * (heard / heard_s).log10(),
                _ => environment.truth(measurand, snapshot, self.settings.position),
            };
            let schedule: Vec<SensorFault> = self
                .settings
                .faults
                .iter()
                .filter(|fault| fault.measurand.is_none_or(|faulty| faulty == measurand))
                .map(|fault| fault.fault)
                .collect();
            let faults = Faults::at(&schedule, time_s, &mut self.luck);
            let [.., noise, resolution] = measurand.errors();
            let error = channel.offset
                + channel.wander.step(since_s, &mut self.luck)
                + noise * self.settings.error * gauss(&mut self.luck)
                + faults.drift;
            let (least, most) = measurand.range();
            let raw = (truth * channel.gain + error).clamp(least, most);
            // Resolutions are decimal, so the inverse is whole and the value prints as short as it is.
            let mut value = (raw / resolution).round() / (1.0 / resolution).round();
            if let Some(last) = channel.last.filter(|_| faults.stuck) {
                value = last;
            }
            channel.last = Some(value);
            if !faults.silent {
                values.push((measurand, value));
            }
        }
        (!values.is_empty()).then_some(Reading { time_s, values })
    }
}

#[cfg(test)]
mod tests;
