//! Light and weather, as sensors, drivers and roads see it.

use serde::{Deserialize, Serialize};

/// Light and weather at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Weather {
    /// Height of the sun above the horizon, degrees; below −6 it is night and street lamps are lit.
    pub sun_elevation_deg: f64,
    /// Direction of the sun, degrees clockwise from north.
    pub sun_azimuth_deg: f64,
    /// Share of the sky that clouds cover, 0 to 1.
    pub cloud_cover: f64,
    /// Rain, millimetres an hour; 50 is a cloudburst.
    pub rain_mm_per_h: f64,
    /// Meteorological visibility, metres; below 1,000 it is fog.
    pub visibility_m: f64,
    /// How wet the road is, 0 (dry) to 1 (standing water).
    pub road_wetness: f64,
    /// Wind, metres a second.
    pub wind_mps: f64,
    /// Where the wind comes from, degrees clockwise from north.
    pub wind_from_deg: f64,
    /// Air temperature, degrees Celsius.
    pub temperature_c: f64,
}

impl Default for Weather {
    /// A clear late morning.
    fn default() -> Self {
        Self {
            sun_elevation_deg: 45.0,
            sun_azimuth_deg: 150.0,
            cloud_cover: 0.2,
            rain_mm_per_h: 0.0,
            visibility_m: 20_000.0,
            road_wetness: 0.0,
            wind_mps: 2.0,
            wind_from_deg: 270.0,
            temperature_c: 20.0,
        }
    }
}

impl Weather {
    /// Street lamps and head lamps are lit.
    pub fn lamps_lit(&self) -> bool {
        self.sun_elevation_deg < 3.0 || self.visibility_m < 500.0
    }

    /// Share of the dry road's friction that is left, 0 to 1.
    pub fn grip(&self) -> f64 {
        (1.0 - 0.35 * self.road_wetness) * if self.temperature_c < 0.0 && self.road_wetness > 0.1 { 0.4 } else { 1.0 }
    }
}
