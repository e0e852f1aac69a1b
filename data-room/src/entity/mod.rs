//! Entities of the city: what messages and sensors say, in the vocabulary of the Smart Data Models.
//!
//! In: records ([`Projection`]): V2X messages, sensor readings, results of city services. Out: [`Entity`] values, and their
//! NGSI-LD (ETSI GS CIM 009) and GeoJSON forms.
//!
//! Invariants: pure; every entity has a geometry, the time it was observed, the time until it holds, and where it comes
//! from; its key-values form validates against the schema of its type (`tests/it/entity_schemas.rs`). Absent: storage; fusion
//! of what several stations say of one thing.

mod alert;
mod context;
mod flow;
mod geometry;
mod kind;
mod parking;
mod projection;
mod reading;
mod road;
mod road_user;
mod signal;
mod streetlight;
mod value;

pub(crate) use alert::completed;
pub use context::context;
pub use flow::{CrowdFlow, TrafficFlow};
pub use geometry::{Geometry, GeometryError, Position};
pub use kind::EntityKind;
pub use projection::Projection;
pub use reading::{Quantity, Reading, Sensor};
pub use streetlight::{Lamp, LampState};
pub use value::{Attribute, Form, ReadError};

use crate::record::Record;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// Where an entity comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the site.
    pub site: String,
    /// The station that said it.
    pub station: u32,
    /// Id of the message or reading, the argument of `masa explain`; empty for those that have none.
    pub message: String,
    /// When the data room received it.
    pub received_at: Timestamp,
}

impl Origin {
    /// Where a record comes from.
    pub fn of(record: &Record) -> Self {
        Self {
            site: record.source.site.clone(),
            station: record.source.station,
            message: record.message_id.clone(),
            received_at: record.received_at,
        }
    }

    /// NGSI-LD id of something that this station calls `local`.
    ///
    /// Characters that may not stand in a URN become `-`.
    pub fn id(&self, kind: EntityKind, local: impl std::fmt::Display) -> String {
        let clean = |text: &str| text.replace(|c: char| !(c.is_ascii_alphanumeric() || "-_.:".contains(c)), "-");
        format!("urn:ngsi-ld:{}:{}:{}:{}", kind.name(), clean(&self.site), self.station, clean(&local.to_string()))
    }

    /// The station as a URN.
    pub fn station_urn(&self) -> String {
        format!("urn:ngsi-ld:RoadsideUnit:{}:{}", self.site, self.station)
    }
}

/// Something in the city, as it is at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// NGSI-LD id, a URN.
    pub id: String,
    /// Its type.
    pub kind: EntityKind,
    /// Where it is.
    pub geometry: Geometry,
    /// When it was so.
    pub observed_at: Timestamp,
    /// Until when it describes the present; not after `observed_at` for something that has ended.
    pub valid_until: Timestamp,
    /// What is said of it, by name; `location` is the geometry.
    pub attributes: BTreeMap<String, Attribute>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Entity {
    /// An entity without attributes, valid for the lifetime of its kind.
    pub fn new(id: String, kind: EntityKind, geometry: Geometry, observed_at: Timestamp, origin: &Origin) -> Self {
        let valid_until = observed_at.plus_ms(kind.lifetime_ms());
        Self { id, kind, geometry, observed_at, valid_until, attributes: BTreeMap::new(), origin: origin.clone() }
    }

    /// With an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, attribute: impl Into<Attribute>) -> Self {
        self.attributes.insert(name.to_owned(), attribute.into());
        self
    }

    /// With an attribute where there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, attribute: Option<impl Into<Attribute>>) -> Self {
        match attribute {
            Some(attribute) => self.with(name, attribute),
            None => self,
        }
    }

    /// Valid until `at`.
    #[must_use]
    pub fn until(mut self, at: Timestamp) -> Self {
        self.valid_until = at;
        self
    }

    /// Whether it describes the world at `at`.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.observed_at <= at && at < self.valid_until
    }
}

/// A time as in RFC 3339, UTC, to a millisecond.
pub fn rfc3339(at: Timestamp) -> String {
    // A timestamp of 64 bits reaches from 1677 to 2262, which jiff can express.
    jiff::Timestamp::from_millisecond(at.unix_ms()).unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// Reads a time as in RFC 3339.
pub fn from_rfc3339(text: &str) -> Option<Timestamp> {
    let at = text.parse::<jiff::Timestamp>().ok()?;
    i64::try_from(at.as_nanosecond()).ok().map(Timestamp::from_unix_ns)
}

/// `value` to `decimals` decimals: what a message does not say is not published.
pub(crate) fn rounded(value: impl Into<f64>, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value.into() * scale).round() / scale
}
