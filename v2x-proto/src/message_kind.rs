//! The kinds of message, and their names in keys, topics and message ids.

use crate::cdd::MessageId;
use serde::{Deserialize, Serialize};

/// Kind of a V2X message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// Cooperative awareness (TS 103 900, EN 302 637-2).
    Cam,
    /// Decentralized environmental notification (TS 103 831, EN 302 637-3).
    Denm,
    /// Collective perception (TS 103 324).
    Cpm,
    /// Vulnerable road user awareness (TS 103 300-3).
    Vam,
    /// Topology of a junction (TS 103 301, MAPEM).
    Mapem,
    /// Signal phase and timing (TS 103 301, SPATEM).
    Spatem,
    /// Infrastructure to vehicle information (TS 103 301, IVIM).
    Ivim,
    /// Signal request (TS 103 301, SREM).
    Srem,
    /// Signal request status (TS 103 301, SSEM).
    Ssem,
    /// GNSS corrections (TS 103 301, RTCMEM).
    Rtcmem,
    /// Manoeuvre coordination (TS 103 561).
    Mcm,
    /// Points of interest (TS 103 916).
    Poim,
}

impl MessageKind {
    /// Every kind; the position is [`MessageKind::index`].
    pub const ALL: [Self; 12] = [
        Self::Cam,
        Self::Denm,
        Self::Cpm,
        Self::Vam,
        Self::Mapem,
        Self::Spatem,
        Self::Ivim,
        Self::Srem,
        Self::Ssem,
        Self::Rtcmem,
        Self::Mcm,
        Self::Poim,
    ];

    /// Lower-case name as used in keys and topics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cam => "cam",
            Self::Denm => "denm",
            Self::Cpm => "cpm",
            Self::Vam => "vam",
            Self::Mapem => "mapem",
            Self::Spatem => "spatem",
            Self::Ivim => "ivim",
            Self::Srem => "srem",
            Self::Ssem => "ssem",
            Self::Rtcmem => "rtcmem",
            Self::Mcm => "mcm",
            Self::Poim => "poim",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Position in [`MessageKind::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The id in the header of such a message.
    pub const fn message_id(self) -> MessageId {
        match self {
            Self::Cam => MessageId::Cam,
            Self::Denm => MessageId::Denm,
            Self::Cpm => MessageId::Cpm,
            Self::Vam => MessageId::Vam,
            Self::Mapem => MessageId::Mapem,
            Self::Spatem => MessageId::Spatem,
            Self::Ivim => MessageId::Ivim,
            Self::Srem => MessageId::Srem,
            Self::Ssem => MessageId::Ssem,
            Self::Rtcmem => MessageId::Rtcmem,
            Self::Mcm => MessageId::Mcm,
            Self::Poim => MessageId::Poim,
        }
    }

    /// The kind of messages with this id; `None` for one that is not implemented.
    pub fn from_message_id(id: MessageId) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.message_id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ids_and_positions_lead_back_to_the_kind() {
        for (index, kind) in MessageKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), index);
            assert_eq!(MessageKind::from_name(kind.name()), Some(kind));
            assert_eq!(MessageKind::from_message_id(kind.message_id()), Some(kind));
        }
        assert_eq!(MessageKind::from_message_id(MessageId::Other(200)), None);
    }
}
