//! What sensors say.

use serde::{Deserialize, Serialize};

/// What a sensor measures, with the unit its value is in; names as in a node's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Nitrogen dioxide, µg/m³.
    No2,
    /// Particulate matter up to 10 µm, µg/m³.
    Pm10,
    /// Particulate matter up to 2.5 µm, µg/m³.
    Pm25,
    /// Air temperature, °C.
    AirTemperature,
    /// Relative humidity, %.
    RelativeHumidity,
    /// Equivalent continuous sound level, dB(A).
    Noise,
    /// Road-surface temperature, °C.
    RoadSurfaceTemperature,
    /// Rain intensity, mm/h.
    RainIntensity,
}

/// A reading: the payload of an observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The sensor's name at its node.
    pub sensor: String,
    /// What was measured.
    pub quantity: Quantity,
    /// The value in the unit of the quantity.
    pub value: f64,
}
