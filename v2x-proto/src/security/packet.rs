//! What security looks at inside the packet that an envelope protects: the sender's place and the message.

use crate::geo::Wgs84;

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
    let (common, rest) = packet.split_at_checked(8)?;
    // Place of the source's position vector and length of the extended header (EN 302 636-4-1 clause 9.8).
    let (vector_at, length, single_hop) = match (common[1] >> 4, common[1] & 0x0F) {
        (1, _) => (0, 24, true),
        (2, _) => (4, 48, false),
        (3 | 4, _) => (4, 44, false),
        (5, 0) => (0, 28, true),
        (5, _) => (4, 28, false),
        (6, 0) => (4, 36, false),
        (6, _) => (4, 48, false),
        _ => return None,
    };
    let (extended, payload) = rest.split_at_checked(length)?;
    let word = |at: usize| -> i32 {
        let bytes = &extended[vector_at + at..vector_at + at + 4];
        i32::from_be_bytes(bytes.try_into().expect("four bytes"))
    };
    let position = Wgs84 { lat_deg: f64::from(word(12)) * 1e-7, lon_deg: f64::from(word(16)) * 1e-7, alt_m: 0.0 };
    // 15 bits, two's complement, 0.01 m/s.
    let speed_mps = f64::from((word(20) << 1) >> 17) * 0.01;
    let message = match (common[0] >> 4, payload) {
        (1 | 2, [high, low, _, _, message @ ..]) => Some((u16::from_be_bytes([*high, *low]), message)),
        _ => None,
    };
    Some(Inside { position, speed_mps, single_hop, message })
}
