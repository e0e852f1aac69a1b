//! What security looks at inside the packet that an envelope protects: the sender's place and the message.

use crate::geo::Wgs84;
use crate::geonet::{Btp, ExtendedHeader, PlainPacket};

/// What was found in a packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Inside<'a> {
    /// Where the source says it is.
    pub(crate) position: Wgs84,
    /// How fast the source says it is, metres per second.
    pub(crate) speed_mps: f64,
    /// Whether the source itself was heard, not a forwarder.
    pub(crate) single_hop: bool,
    /// BTP port and message.
    pub(crate) message: Option<(u16, &'a [u8])>,
}

/// Looks into common header, extended header and payload; `None` when they are not those of a packet.
pub(crate) fn look_into(packet: &[u8]) -> Option<Inside<'_>> {
    let PlainPacket { common, extended, payload, .. } = PlainPacket::decode(packet).ok()?;
    let source = extended.source();
    let single_hop = matches!(extended, ExtendedHeader::SingleHop { .. } | ExtendedHeader::Beacon { .. });
    let message = Btp::split(common.upper, payload).ok().flatten();
    Some(Inside {
        position: source.position(),
        speed_mps: source.speed_mps(),
        single_hop,
        message: message.map(|(btp, message)| (btp.destination(), message)),
    })
}
