//! What the data room keeps: one [`Record`] for each thing a node said.
//!
//! A record is the message as it came, with what is needed to find it again: who, when, where, about what. Its decoded
//! body is made from the payload when it is asked for ([`Record::body`]), so that the two cannot disagree.

use bytes::Bytes;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, MessageKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Longest entity name, bytes.
pub const MAX_ENTITY_BYTES: usize = 128;

/// A town or site owner whose data nobody else sees: 1 to 64 letters, digits, `-`, `_` or `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tenant(String);

impl Tenant {
    /// Checks the name.
    ///
    /// # Errors
    /// [`BadTenant`] for one that could not stand in a path or key.
    pub fn new(name: impl Into<String>) -> Result<Self, BadTenant> {
        let name = name.into();
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        // A folder of the archive has this name: neither "." nor "..".
        let a_folder = !name.starts_with('.');
        if (1..=64).contains(&name.len()) && name.bytes().all(good) && a_folder {
            Ok(Self(name))
        } else {
            Err(BadTenant(name))
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self("city".into())
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Tenant {
    type Error = BadTenant;

    fn try_from(name: String) -> Result<Self, BadTenant> {
        Self::new(name)
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0
    }
}

/// A tenant's name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tenant {0:?}: use 1 to 64 letters, digits, '-', '_' or '.', not beginning with '.'")]
pub struct BadTenant(pub String);

/// The node that said it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Source {
    /// Name of its site.
    pub site: String,
    /// Its ETSI `StationId`.
    pub station: u32,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Kind {
    /// An ETSI message; the payload is UPER.
    V2x(MessageKind),
    /// A reading of a sensor (air, noise, weather, a parking space); the payload is JSON.
    Observation,
    /// What a city service found out (flow, occupancy, forecasts); the payload is JSON.
    Service,
    /// How a node is; the payload is JSON.
    Health,
}

impl From<masa_links::Kind> for Kind {
    fn from(kind: masa_links::Kind) -> Self {
        match kind {
            masa_links::Kind::V2x(kind) => Self::V2x(kind),
            masa_links::Kind::Observation => Self::Observation,
            masa_links::Kind::Health => Self::Health,
        }
    }
}

impl Kind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        MessageKind::ALL.into_iter().map(Self::V2x).chain([Self::Observation, Self::Service, Self::Health])
    }

    /// Lower-case name, as in keys, tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2x(kind) => kind.name(),
            Self::Observation => "observation",
            Self::Service => "service",
            Self::Health => "health",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name() == name)
    }
}

impl From<Kind> for &'static str {
    fn from(kind: Kind) -> Self {
        kind.name()
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::from_name(&name).ok_or_else(|| {
            let known: Vec<_> = Self::all().map(Self::name).collect();
            format!("kind {name:?}: expected one of {}", known.join(", "))
        })
    }
}

/// Whether a record says something of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Of the road, the weather, the signals.
    Open,
    /// Where somebody was, even under a pseudonym: the short policy holds, and reading it is audited.
    Personal,
}

impl Sensitivity {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Open, Self::Personal];

    /// Lower-case name, as in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Personal => "personal",
        }
    }
}

/// One thing that a node said.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Position in the store: grows with every record that is committed. 0 before the record is stored.
    pub arrival: u64,
    /// Whose it is.
    pub tenant: Tenant,
    /// Who said it.
    pub source: Source,
    /// What it is.
    pub kind: Kind,
    /// Which numbering of the source `sequence` belongs to; a later one is greater.
    pub epoch: u64,
    /// Position in that numbering, growing per source and kind.
    pub sequence: u64,
    /// The source's id of the message; empty when it came without.
    pub message_id: String,
    /// What it is about, the same for all records of one thing, unique within tenant and kind: the event of a DENM
    /// (`<originating station>-<number>`), the vehicle of a CAM, the intersection of a SPATEM, a sensor.
    pub entity: String,
    /// When what it says was so, by the source's clock; never after `received_at`. Whole microseconds.
    pub measured_at: Timestamp,
    /// When it reached the data room. Whole microseconds.
    pub received_at: Timestamp,
    /// Where it is about, WGS 84; `None` when it does not say.
    pub position: Option<Wgs84>,
    /// Whether it says something of a person.
    pub sensitivity: Sensitivity,
    /// The key or topic it came on.
    pub topic: String,
    /// The message: UPER of an ETSI message, JSON of the other kinds.
    pub payload: Bytes,
}

impl Record {
    /// The ETSI message; `None` for other kinds and for bytes that do not decode.
    pub fn message(&self) -> Option<Message> {
        match self.kind {
            Kind::V2x(_) => Message::decode(&self.payload).ok(),
            Kind::Observation | Kind::Service | Kind::Health => None,
        }
    }

    /// The body as JSON: an ETSI message after its ASN.1 names and wire units (JER), the payload itself of other kinds;
    /// `None` when it does not decode.
    pub fn body(&self) -> Option<Value> {
        match self.kind {
            Kind::V2x(_) => self.message().map(|message| message.to_jer(Release::R2)),
            Kind::Observation | Kind::Service | Kind::Health => serde_json::from_slice(&self.payload).ok(),
        }
    }
}
