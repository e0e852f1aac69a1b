//! What leaves a node, and the table that says how each kind is treated.
//!
//! In: finished messages (UPER bytes and their JSON image). Nothing here knows what is in them.

use crate::current::Current;
use crate::error::LinkError;
use crate::kind::Kind;
use crate::protocol::{Entry, Header};
use bytes::Bytes;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Largest UPER or JSON payload a link takes, bytes. A CPM with 128 objects stays below 10 kB UPER and 100 kB JSON.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// How one kind of message is treated by every link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which queue it waits in.
    pub priority: Priority,
    /// What is promised.
    pub delivery: Delivery,
    /// When it stops being worth sending if the message names no deadline, milliseconds after generation. A DENM's is
    /// the default `validityDuration` of TS 102 894-2, 600 s.
    pub lifetime_ms: i64,
}

impl Policy {
    /// How `kind` is queued and delivered: the policy table.
    pub const fn of(kind: Kind) -> Self {
        use {Delivery::*, Priority::*};
        let (priority, delivery, lifetime_ms) = match kind {
            // Nobody measures it again, and it is the city's record, not somebody's warning.
            Kind::Observation | Kind::Health => (Bulk, AtLeastOnce, 3_600_000),
            Kind::V2x(kind) => match kind {
                MessageKind::Denm => (Safety, AtLeastOnce, 600_000),
                MessageKind::Srem | MessageKind::Ssem => (Safety, BestEffort, 2_000),
                MessageKind::Spatem | MessageKind::Cpm | MessageKind::Vam | MessageKind::Mcm => {
                    (Event, BestEffort, 1_000)
                }
                MessageKind::Cam => (Status, BestEffort, 1_000),
                MessageKind::Rtcmem => (Status, BestEffort, 5_000),
                // Repeated from the site's state, so a lost one is not missed for long.
                MessageKind::Mapem | MessageKind::Ivim | MessageKind::Poim => (Bulk, BestEffort, 10_000),
            },
        };
        Self { priority, delivery, lifetime_ms }
    }
}

/// Order in which a link takes waiting messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Warnings.
    Safety,
    /// What is perceived now.
    Event,
    /// Who and where the station is.
    Status,
    /// Everything that can wait.
    Bulk,
}

impl Priority {
    /// Every priority, first served first.
    pub const ALL: [Self; 4] = [Self::Safety, Self::Event, Self::Status, Self::Bulk];
}

/// What a link promises about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Sent once if the link is up; the newest wins when the queue is full.
    BestEffort,
    /// Kept in the outbox until acknowledged, offered again after every reconnection.
    AtLeastOnce,
}

/// Who publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    site: String,
    station: u32,
    source_uuid: String,
}

impl Station {
    /// The station `station` of `site`, with `source_uuid` `masa_<station>`.
    ///
    /// # Errors
    /// [`LinkError::BadName`] when `site` cannot stand in a key.
    pub fn new(site: &str, station: u32) -> Result<Self, LinkError> {
        check_name("site", site)?;
        Ok(Self { site: site.to_owned(), station, source_uuid: format!("masa_{station}") })
    }

    /// The same station under another its-client `source_uuid`; it must be the one in the JSON images.
    ///
    /// # Errors
    /// [`LinkError::BadName`] when it cannot stand in a topic.
    pub fn with_source_uuid(mut self, source_uuid: &str) -> Result<Self, LinkError> {
        check_name("source_uuid", source_uuid)?;
        self.source_uuid = source_uuid.to_owned();
        Ok(self)
    }

    /// Name of the site.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// ETSI `StationId`.
    pub const fn station(&self) -> u32 {
        self.station
    }

    /// its-client's `source_uuid`.
    pub fn source_uuid(&self) -> &str {
        &self.source_uuid
    }
}

pub(crate) fn check_name(what: &'static str, value: &str) -> Result<(), LinkError> {
    let good = (1..=64).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if good { Ok(()) } else { Err(LinkError::BadName { what, value: value.to_owned() }) }
}

/// A message to publish. How it is treated follows from its kind, see [`Policy::of`].
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Unique message id; readers get it back.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// The node's running number per station and kind, from 1.
    pub seq: u64,
    /// When the node made it.
    pub generated_at: Timestamp,
    /// Web Mercator quadkey of the place it is about, 1 to 24 digits.
    pub quadkey: String,
    /// When it stops being worth delivering (a DENM's end of validity); `None` for the kind's lifetime.
    pub deadline: Option<Timestamp>,
    /// What it means for somebody who comes later; `None` for messages that only count when they are sent.
    pub current: Option<Current>,
    /// How it travels over radio links.
    pub dissemination: Dissemination,
    /// ETSI UPER bytes; of what is no V2X message, its JSON document.
    pub uper: Bytes,
    /// JSON image after the its-client schema of its kind, UTF-8; empty for what is no V2X message.
    pub json: Bytes,
}

impl Outgoing {
    /// When it stops being worth delivering.
    pub fn expires_at(&self) -> Timestamp {
        self.deadline.unwrap_or_else(|| self.generated_at.plus_ms(Policy::of(self.kind).lifetime_ms))
    }

    pub(crate) fn check(&self) -> Result<(), LinkError> {
        let digits = (1..=24).contains(&self.quadkey.len()) && self.quadkey.bytes().all(|b| (b'0'..=b'3').contains(&b));
        if !digits {
            return Err(LinkError::BadQuadkey { id: self.id.clone(), quadkey: self.quadkey.clone() });
        }
        if let Some(current) = &self.current {
            check_name("current.name", &current.name)?;
        }
        let bytes = self.uper.len().max(self.json.len());
        if bytes > MAX_PAYLOAD_BYTES {
            return Err(LinkError::TooLarge { id: self.id.clone(), bytes, limit: MAX_PAYLOAD_BYTES });
        }
        Ok(())
    }
}

/// A message with its place in a stream, on its way to the links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub kind: Kind,
    pub header: Header,
    pub quadkey: String,
    pub expires_at: Timestamp,
    /// When `publish` was called; of a message from an earlier run, when it was read from the disk.
    pub accepted_at: Timestamp,
    pub uper: Bytes,
    pub json: Bytes,
}

impl Numbered {
    pub(crate) fn new(m: Outgoing, stream: u64, number: u64, accepted_at: Timestamp) -> Self {
        let expires_at = m.expires_at();
        let header = Header { id: m.id, seq: m.seq, generated_at_ns: m.generated_at.unix_ns(), stream, number };
        Self { kind: m.kind, header, quadkey: m.quadkey, expires_at, accepted_at, uper: m.uper, json: m.json }
    }

    pub(crate) fn entry(&self) -> Entry {
        Entry { header: self.header.clone(), quadkey: self.quadkey.clone(), uper: self.uper.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cam(quadkey: &str, bytes: usize) -> Outgoing {
        Outgoing {
            id: "1-cam-1".into(),
            kind: Kind::V2x(MessageKind::Cam),
            seq: 1,
            generated_at: Timestamp::from_unix_ms(1_000),
            quadkey: quadkey.into(),
            deadline: None,
            dissemination: Dissemination::default(),
            current: None,
            uper: Bytes::from(vec![0; bytes]),
            json: Bytes::new(),
        }
    }

    #[test]
    fn only_quadkeys_and_bounded_payloads_pass() {
        assert!(cam("0123", 10).check().is_ok());
        for bad in ["", "0124", "01/2", "0123012301230123012301230"] {
            assert!(matches!(cam(bad, 10).check(), Err(LinkError::BadQuadkey { .. })), "{bad}");
        }
        assert!(matches!(cam("0", MAX_PAYLOAD_BYTES + 1).check(), Err(LinkError::TooLarge { .. })));
    }

    #[test]
    fn names_with_separators_or_wildcards_are_refused() {
        for bad in ["", "a/b", "a+b", "a#", "a*", "ä"] {
            assert!(Station::new(bad, 1).is_err(), "{bad}");
        }
        assert!(Station::new("modena-1", 1).is_ok());
    }

    #[test]
    fn a_deadline_overrules_the_lifetime_of_the_kind() {
        let mut m = cam("0", 1);
        assert_eq!(m.expires_at(), Timestamp::from_unix_ms(2_000));
        m.deadline = Some(Timestamp::from_unix_ms(5_000));
        assert_eq!(m.expires_at(), Timestamp::from_unix_ms(5_000));
    }
}
