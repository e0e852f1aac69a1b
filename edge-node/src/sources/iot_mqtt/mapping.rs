//! From a JSON payload to an observation, or to the reason why not. Pure.

use super::settings::{MappingSettings, RangeSettings, TextFrom, TimeFormat, TimeSettings};
use super::unit::{Air, Unit};
use crate::event::{Observation, Quantity};
use masa_v2x_proto::time::Timestamp;
use serde_json::Value;

/// Longest sensor id taken from a payload, bytes.
const MAX_SENSOR_ID_BYTES: usize = 64;
/// Longest piece of a payload that is quoted, characters.
const MAX_QUOTE_CHARS: usize = 80;

/// Why a message did not become an observation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Reject {
    /// The payload is larger than the settings allow.
    #[error("the payload has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The payload is no JSON text.
    #[error("no JSON: {0}")]
    NoJson(String),
    /// The payload lacks something that the mapping needs.
    #[error("nothing at {pointer}, where the {what} should be")]
    Missing {
        /// Value, unit, time or sensor id.
        what: &'static str,
        /// Where it was looked for.
        pointer: String,
    },
    /// The value is no number.
    #[error("the value is {0}, no number")]
    NoNumber(String),
    /// Nobody knows this unit.
    #[error("unknown unit `{0}`")]
    UnknownUnit(String),
    /// The unit belongs to another quantity.
    #[error("`{unit}` is no unit of {quantity:?}")]
    WrongUnit {
        /// The unit as written.
        unit: String,
        /// What should have been measured.
        quantity: Quantity,
    },
    /// No such value exists on a road.
    #[error("{value} {unit} is outside {min} to {max}")]
    OutOfRange {
        /// The converted value.
        value: f64,
        /// Its unit.
        unit: &'static str,
        /// Least plausible value.
        min: f64,
        /// Greatest plausible value.
        max: f64,
    },
    /// The time cannot be read.
    #[error("the time is {0}, not as configured")]
    NoTime(String),
    /// The time is too far from the arrival.
    #[error("measured {seconds:.0} s {side} its arrival")]
    ImplausibleTime {
        /// Distance, seconds.
        seconds: f64,
        /// `before` or `after`.
        side: &'static str,
    },
    /// The sensor id in the payload is empty, too long or no text.
    #[error("the sensor id is {0}")]
    NoSensorId(String),
}

impl Reject {
    /// Short name for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::NoJson(_) => "no-json",
            Self::Missing { .. } => "missing",
            Self::NoNumber(_) => "no-number",
            Self::UnknownUnit(_) => "unknown-unit",
            Self::WrongUnit { .. } => "wrong-unit",
            Self::OutOfRange { .. } => "out-of-range",
            Self::NoTime(_) => "no-time",
            Self::ImplausibleTime { .. } => "implausible-time",
            Self::NoSensorId(_) => "no-sensor-id",
        }
    }
}

/// A mapping whose settings have been checked.
#[derive(Clone, Debug)]
pub struct Mapping {
    topic: String,
    sensor: TextFrom,
    quantity: Quantity,
    value: String,
    unit: UnitFrom,
    time: Option<TimeSettings>,
    range: RangeSettings,
    air: Air,
}

#[derive(Clone, Debug)]
enum UnitFrom {
    Fixed(Unit),
    Payload(String),
}

impl Mapping {
    /// Checks settings.
    ///
    /// # Errors
    /// In words, what is wrong with which setting.
    pub fn new(settings: &MappingSettings) -> Result<Self, String> {
        let settings = settings.clone();
        let wrong = |what: String| format!("mapping of `{}`: {what}", settings.topic);
        if !rumqttc::valid_filter(&settings.topic) {
            return Err(wrong("`topic` is no MQTT topic filter".to_owned()));
        }
        let from_payload = |text: &TextFrom| match text {
            TextFrom::Payload(place) => Some(place.pointer.clone()),
            TextFrom::Text(_) => None,
        };
        let pointers = [
            Some(settings.value.clone()),
            from_payload(&settings.sensor),
            from_payload(&settings.unit),
            settings.time.as_ref().map(|time| time.pointer.clone()),
        ];
        if let Some(pointer) =
            pointers.iter().flatten().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/'))
        {
            return Err(wrong(format!("`{pointer}` is no JSON pointer, it must begin with `/`")));
        }
        let air =
            Air { temperature_k: settings.air.temperature_c + 273.15, pressure_pa: settings.air.pressure_hpa * 100.0 };
        if !(air.temperature_k > 0.0 && air.pressure_pa > 0.0) {
            return Err(wrong("`air` is below absolute zero or empty".to_owned()));
        }
        let unit = match &settings.unit {
            TextFrom::Payload(place) => UnitFrom::Payload(place.pointer.clone()),
            TextFrom::Text(text) => {
                let unit = Unit::parse(text).filter(|unit| unit.convert(1.0, settings.quantity, air).is_some());
                UnitFrom::Fixed(unit.ok_or_else(|| wrong(format!("`{text}` is no unit of {:?}", settings.quantity)))?)
            }
        };
        let range = settings.range.unwrap_or(RangeSettings::of(settings.quantity));
        if range.min.partial_cmp(&range.max) != Some(std::cmp::Ordering::Less) {
            return Err(wrong(format!("`range` from {} to {} is empty", range.min, range.max)));
        }
        let MappingSettings { topic, sensor, quantity, value, time, .. } = settings;
        Ok(Self { topic, sensor, quantity, value, unit, time, range, air })
    }

    /// The topic filter.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether a message on `topic` is for this mapping.
    pub fn matches(&self, topic: &str) -> bool {
        rumqttc::matches(topic, &self.topic)
    }
}

/// Maps a payload that arrived on `topic`, which must match the mapping's filter.
///
/// # Errors
/// [`Reject`] says why there is no observation.
pub fn map_payload(mapping: &Mapping, payload: &[u8], arrived_at: Timestamp) -> Result<Observation, Reject> {
    map_value(mapping, &parse(payload)?, arrived_at)
}

/// Reads a payload as JSON.
pub(crate) fn parse(payload: &[u8]) -> Result<Value, Reject> {
    serde_json::from_slice(payload).map_err(|error| Reject::NoJson(error.to_string()))
}

/// Maps a payload that has been read.
pub(crate) fn map_value(mapping: &Mapping, payload: &Value, arrived_at: Timestamp) -> Result<Observation, Reject> {
    let at = |what, pointer: &String| {
        payload.pointer(pointer).ok_or_else(|| Reject::Missing { what, pointer: format!("`{pointer}`") })
    };
    let value = at("value", &mapping.value)?;
    let value = value.as_f64().ok_or_else(|| Reject::NoNumber(quote(value)))?;
    let unit = match &mapping.unit {
        UnitFrom::Fixed(unit) => *unit,
        UnitFrom::Payload(pointer) => {
            let written = at("unit", pointer)?;
            let unit = written.as_str().and_then(Unit::parse);
            unit.ok_or_else(|| Reject::UnknownUnit(quote(written)))?
        }
    };
    let quantity = mapping.quantity;
    let converted = unit.convert(value, quantity, mapping.air);
    let value = converted.ok_or_else(|| Reject::WrongUnit { unit: format!("{unit:?}"), quantity })?;
    let RangeSettings { min, max } = mapping.range;
    // Also refuses what overflowed in the conversion.
    if !(min..=max).contains(&value) {
        return Err(Reject::OutOfRange { value, unit: quantity.unit(), min, max });
    }
    let captured_at = match &mapping.time {
        None => arrived_at,
        Some(time) => read_time(time, at("time", &time.pointer)?, arrived_at)?,
    };
    let sensor = match &mapping.sensor {
        TextFrom::Text(sensor) => sensor.clone(),
        TextFrom::Payload(place) => read_sensor_id(at("sensor id", &place.pointer)?)?,
    };
    Ok(Observation { sensor, quantity, value, captured_at })
}

fn read_sensor_id(written: &Value) -> Result<String, Reject> {
    let id = match written {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => String::new(),
    };
    let usable = !id.is_empty() && id.len() <= MAX_SENSOR_ID_BYTES && !id.chars().any(char::is_control);
    if usable { Ok(id) } else { Err(Reject::NoSensorId(quote(written))) }
}

fn read_time(settings: &TimeSettings, written: &Value, arrived_at: Timestamp) -> Result<Timestamp, Reject> {
    let ns = match settings.format {
        TimeFormat::Rfc3339 => written
            .as_str()
            .and_then(|text| text.parse::<jiff::Timestamp>().ok())
            .and_then(|at| i64::try_from(at.as_nanosecond()).ok()),
        TimeFormat::UnixSeconds => scaled(written, 1_000_000_000),
        TimeFormat::UnixMilliseconds => scaled(written, 1_000_000),
    };
    let measured_at = ns.map(Timestamp::from_unix_ns).ok_or_else(|| Reject::NoTime(quote(written)))?;
    let age_ns = i128::from(arrived_at.unix_ns()) - i128::from(measured_at.unix_ns());
    let age_s = age_ns as f64 * 1e-9;
    if age_s > f64::from(settings.max_age_s) {
        return Err(Reject::ImplausibleTime { seconds: age_s, side: "before" });
    }
    if -age_s > f64::from(settings.max_ahead_s) {
        return Err(Reject::ImplausibleTime { seconds: -age_s, side: "after" });
    }
    Ok(measured_at)
}

/// A JSON number times `scale`; whole numbers exactly.
fn scaled(written: &Value, scale: i64) -> Option<i64> {
    if let Some(whole) = written.as_i64() {
        return whole.checked_mul(scale);
    }
    // A double holds seconds of our time to a quarter of a microsecond.
    let micros = (written.as_f64()? * (scale / 1000) as f64).round();
    (micros.abs() < i64::MAX as f64 / 1000.0).then_some(micros as i64 * 1000)
}

fn quote(value: &Value) -> String {
    shorten(&value.to_string())
}

/// The beginning of `text`, for a report.
pub(crate) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTE_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
