//! What observations are about: the words that their JSON documents use.

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
