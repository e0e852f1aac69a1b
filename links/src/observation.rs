//! The JSON documents that tell the city of a node's sensors and of the node itself.

use serde::{Deserialize, Serialize};

/// What an IoT sensor measures, with the unit its value is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

impl Quantity {
    /// As it is named in settings and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::No2 => "no2",
            Self::Pm10 => "pm10",
            Self::Pm25 => "pm25",
            Self::AirTemperature => "air-temperature",
            Self::RelativeHumidity => "relative-humidity",
            Self::Noise => "noise",
            Self::RoadSurfaceTemperature => "road-surface-temperature",
            Self::RainIntensity => "rain-intensity",
        }
    }

    /// The unit every value of this quantity is in, as printed.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::No2 | Self::Pm10 | Self::Pm25 => "µg/m³",
            Self::AirTemperature | Self::RoadSurfaceTemperature => "°C",
            Self::RelativeHumidity => "%",
            Self::Noise => "dB(A)",
            Self::RainIntensity => "mm/h",
        }
    }
}

/// A reading: the payload of an observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The sensor's name at its node.
    pub sensor: String,
    /// What was measured.
    pub quantity: Quantity,
    /// The value in [`Quantity::unit`].
    pub value: f64,
    /// Measured on board of a vehicle: the place of the reading is the vehicle's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_board: bool,
}

/// What is wrong with a node: the payload of a health message, sent whenever it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// Each problem; none when all is well.
    pub problems: Vec<NodeProblem>,
}

/// Something that is wrong with a node now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeProblem {
    /// What, such as `camera-frozen`.
    pub problem: String,
    /// The camera, sensor or link.
    pub subject: String,
    /// In words, for an operator.
    pub detail: String,
}
