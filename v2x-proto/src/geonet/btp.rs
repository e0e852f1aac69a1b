//! Basic transport protocol (EN 302 636-5-1): two ports in front of a message.

use super::error::FrameError;
use super::header::UpperProtocol;
use super::wire::Cursor;
use crate::MessageKind;
use serde::{Deserialize, Serialize};

/// Octets of a BTP header.
pub const BTP_BYTES: usize = 4;

/// A BTP header (clause 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Btp {
    /// BTP-A, for interactive transport: an answer goes to `source`.
    A {
        /// Port of the receiving facility.
        destination: u16,
        /// Port of the sending facility.
        source: u16,
    },
    /// BTP-B, for non-interactive transport.
    B {
        /// Port of the receiving facility.
        destination: u16,
        /// Further information for it; 0 when there is none.
        info: u16,
    },
}

impl Btp {
    /// BTP-B to a well-known port.
    pub const fn to_port(destination: u16) -> Self {
        Self::B { destination, info: 0 }
    }

    /// Port of the receiving facility.
    pub const fn destination(self) -> u16 {
        match self {
            Self::A { destination, .. } | Self::B { destination, .. } => destination,
        }
    }

    /// What the common header says of it.
    pub const fn upper(self) -> UpperProtocol {
        match self {
            Self::A { .. } => UpperProtocol::BtpA,
            Self::B { .. } => UpperProtocol::BtpB,
        }
    }

    /// Splits a payload into header and message; `None` for a protocol that is not BTP.
    ///
    /// # Errors
    /// A payload that is too short.
    pub fn split(upper: UpperProtocol, payload: &[u8]) -> Result<Option<(Self, &[u8])>, FrameError> {
        if !matches!(upper, UpperProtocol::BtpA | UpperProtocol::BtpB) {
            return Ok(None);
        }
        let mut from = Cursor::new(payload);
        let destination = from.u16("BTP: destination port")?;
        let second = from.u16("BTP: source port or destination port info")?;
        let header = match upper {
            UpperProtocol::BtpA => Self::A { destination, source: second },
            _ => Self::B { destination, info: second },
        };
        Ok(Some((header, from.rest())))
    }

    /// The octets of the header.
    pub const fn octets(self) -> [u8; BTP_BYTES] {
        let (first, second) = match self {
            Self::A { destination, source } => (destination, source),
            Self::B { destination, info } => (destination, info),
        };
        let ([a, b], [c, d]) = (first.to_be_bytes(), second.to_be_bytes());
        [a, b, c, d]
    }
}

/// Well-known port (TS 103 248 V2.4.1 clause 5) and ITS-AID (TS 102 965 V2.4.1 annex A) by kind. Manoeuvre coordination has
/// neither yet.
const WELL_KNOWN: [(MessageKind, u16, u32); MessageKind::ALL.len() - 1] = [
    (MessageKind::Cam, 2001, 36),
    (MessageKind::Denm, 2002, 37),
    (MessageKind::Mapem, 2003, 138),
    (MessageKind::Spatem, 2004, 137),
    (MessageKind::Ivim, 2006, 139),
    (MessageKind::Srem, 2007, 140),
    (MessageKind::Ssem, 2008, 637),
    (MessageKind::Cpm, 2009, 639),
    (MessageKind::Rtcmem, 2013, 540_802),
    (MessageKind::Vam, 2018, 638),
    (MessageKind::Poim, 2025, 1619),
];

/// The well-known port of a kind of message.
pub fn port_of(kind: MessageKind) -> Option<u16> {
    WELL_KNOWN.iter().find(|row| row.0 == kind).map(|row| row.1)
}

/// The kind of message that a well-known port takes.
pub fn kind_of(port: u16) -> Option<MessageKind> {
    WELL_KNOWN.iter().find(|row| row.1 == port).map(|row| row.0)
}

/// The application (ITS-AID) that sends to a well-known port: what a message to it is signed for.
pub fn its_aid_of(port: u16) -> Option<u32> {
    WELL_KNOWN.iter().find(|row| row.1 == port).map(|row| row.2)
}
