//! Settings of IoT sensors behind an MQTT broker.

use crate::event::Quantity;
use crate::sources::backoff::BackoffSettings;
use crate::sources::camera::Credentials;
use serde::{Deserialize, Serialize};

/// A broker and what is read from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IotSettings {
    /// `mqtt://host:port`, without credentials; port 1883 where none is given.
    pub broker: String,
    /// For brokers that ask for a password.
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// Client identifier, unique at the broker; not set: `masa-` and the source's name.
    #[serde(default)]
    pub client_id: Option<String>,
    /// How messages become observations; every mapping whose topic filter matches a message is applied to it.
    pub mappings: Vec<MappingSettings>,
    /// Largest payload read, bytes.
    #[serde(default = "default_max_payload_bytes")]
    pub max_payload_bytes: usize,
    /// Observations that may wait for the core; beyond it the oldest go and are counted.
    #[serde(default = "default_queue_capacity")]
    pub queue_capacity: usize,
    /// Waits between attempts to connect.
    #[serde(default)]
    pub reconnect: BackoffSettings,
}

/// How one value of a message becomes an observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MappingSettings {
    /// MQTT topic filter, with `+` and `#`.
    pub topic: String,
    /// The sensor's id: a text, or `{ pointer = "/id" }` to read it from the payload.
    pub sensor: TextFrom,
    /// What is measured.
    pub quantity: Quantity,
    /// JSON pointer (RFC 6901) to the value, a JSON number.
    pub value: String,
    /// The value's unit: a text such as `"ppb"`, or `{ pointer = "/unit" }` to read it from the payload.
    pub unit: TextFrom,
    /// Where the payload says when it was measured; not set: on arrival.
    #[serde(default)]
    pub time: Option<TimeSettings>,
    /// Values that can be real, in [`Quantity::unit`]; not set: the quantity's own.
    #[serde(default)]
    pub range: Option<RangeSettings>,
    /// Air that NO2 in ppb or ppm was measured in.
    #[serde(default)]
    pub air: AirSettings,
}

/// A text that stands in the configuration or in the payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text or { pointer = \"/…\" }")]
pub enum TextFrom {
    /// Always this.
    Text(String),
    /// What the payload says.
    Payload(PointerSettings),
}

/// A place in the payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PointerSettings {
    /// JSON pointer (RFC 6901).
    pub pointer: String,
}

/// Where and how a payload says when it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TimeSettings {
    /// JSON pointer (RFC 6901).
    pub pointer: String,
    /// How it is written.
    pub format: TimeFormat,
    /// Oldest reading accepted, seconds before its arrival.
    #[serde(default = "default_max_age_s")]
    pub max_age_s: u32,
    /// Furthest that a sensor's clock may be ahead, seconds.
    #[serde(default = "default_max_ahead_s")]
    pub max_ahead_s: u32,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeFormat {
    /// Text such as `2024-05-01T10:00:00.5Z`, with an offset.
    Rfc3339,
    /// A number: seconds of Unix time, fractions allowed.
    UnixSeconds,
    /// A number: milliseconds of Unix time.
    UnixMilliseconds,
}

/// Values that can be real.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RangeSettings {
    /// Least value, in [`Quantity::unit`].
    pub min: f64,
    /// Greatest value, in [`Quantity::unit`].
    pub max: f64,
}

impl RangeSettings {
    /// What instruments for roads can report at all; a site may be narrower.
    pub(crate) const fn of(quantity: Quantity) -> Self {
        let (min, max) = match quantity {
            Quantity::No2 => (0.0, 4_000.0),
            Quantity::Pm10 => (0.0, 5_000.0),
            Quantity::Pm25 => (0.0, 2_000.0),
            Quantity::AirTemperature => (-60.0, 60.0),
            Quantity::RelativeHumidity => (0.0, 100.0),
            Quantity::Noise => (0.0, 150.0),
            Quantity::RoadSurfaceTemperature => (-60.0, 90.0),
            Quantity::RainIntensity => (0.0, 500.0),
        };
        Self { min, max }
    }
}

/// Air in which a gas was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AirSettings {
    /// Temperature, °C.
    pub temperature_c: f64,
    /// Pressure, hPa.
    pub pressure_hpa: f64,
}

impl Default for AirSettings {
    /// Directive 2008/50/EC, annex VI C: gases are reported at 293 K and 101.3 kPa.
    fn default() -> Self {
        Self { temperature_c: 19.85, pressure_hpa: 1013.0 }
    }
}

const fn default_max_payload_bytes() -> usize {
    64 << 10
}

const fn default_queue_capacity() -> usize {
    1024
}

const fn default_max_age_s() -> u32 {
    86_400
}

const fn default_max_ahead_s() -> u32 {
    60
}
