//! Basic and common header (EN 302 636-4-1 clauses 9.6 and 9.7) and their fields.

use super::error::{FrameError, FrameErrorKind};
use super::wire::Cursor;

/// Version of the protocol (`itsGnProtocolVersion`).
pub const PROTOCOL_VERSION: u8 = 1;

/// Bases of the lifetime field, seconds (clause 9.6.4, table 6).
const LIFETIME_BASES_S: [f64; 4] = [0.05, 1.0, 10.0, 100.0];

/// How long a packet may live (clause 9.6.4): a 6-bit multiplier of 50 ms, 1 s, 10 s or 100 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime(u8);

impl Lifetime {
    /// The shortest lifetime of at least `seconds` that the field can say; 6,300 s at most.
    pub fn at_least(seconds: f64) -> Self {
        let seconds = if seconds.is_finite() { seconds.max(0.0) } else { f64::MAX };
        for (base, base_s) in LIFETIME_BASES_S.into_iter().enumerate() {
            // A tenth of a millisecond of slack keeps 0.15 s three times 50 ms.
            let multiplier = ((seconds - 1e-4) / base_s).ceil().max(0.0);
            if multiplier <= 63.0 {
                return Self((multiplier as u8) << 2 | base as u8);
            }
        }
        Self(63 << 2 | 3)
    }

    /// The longest lifetime of at most `seconds` that the field can say (clause 10.3.10.2: time spent in a buffer is taken
    /// off).
    pub fn at_most(seconds: f64) -> Self {
        let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
        for (base, base_s) in LIFETIME_BASES_S.into_iter().enumerate() {
            let multiplier = ((seconds + 1e-4) / base_s).floor();
            if multiplier <= 63.0 {
                return Self((multiplier as u8) << 2 | base as u8);
            }
        }
        Self(63 << 2 | 3)
    }

    /// From the octet on the wire.
    pub const fn from_octet(octet: u8) -> Self {
        Self(octet)
    }

    /// The octet on the wire.
    pub const fn octet(self) -> u8 {
        self.0
    }

    /// Seconds.
    pub fn seconds(self) -> f64 {
        f64::from(self.0 >> 2) * LIFETIME_BASES_S[usize::from(self.0 & 3)]
    }
}

/// Basic header (clause 9.6), but for its next-header code, which follows from the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BasicHeader {
    /// How long the packet may live.
    pub lifetime: Lifetime,
    /// Hops that are left.
    pub remaining_hops: u8,
    /// Reserved octet; 0 when sent, passed on as received.
    pub reserved: u8,
}

/// What follows the basic header (clause 9.6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterBasic {
    Common,
    Secured,
}

impl BasicHeader {
    /// Octets on the wire.
    pub const BYTES: usize = 4;

    pub(crate) fn decode(from: &mut Cursor<'_>) -> Result<(Self, AfterBasic), FrameError> {
        let at = from.at();
        let first = from.u8("basic header: version")?;
        let unsupported = |field, bit, code: u8| {
            Err(FrameError::at_bit(field, at * 8 + bit, FrameErrorKind::Unsupported(code.into())))
        };
        if first >> 4 != PROTOCOL_VERSION {
            return unsupported("basic header: version", 0, first >> 4);
        }
        let next = match first & 0xF {
            1 => AfterBasic::Common,
            2 => AfterBasic::Secured,
            code => return unsupported("basic header: next header", 4, code),
        };
        let header = Self {
            reserved: from.u8("basic header: reserved")?,
            lifetime: Lifetime(from.u8("basic header: lifetime")?),
            remaining_hops: from.u8("basic header: remaining hop limit")?,
        };
        Ok((header, next))
    }

    pub(crate) fn octets(&self, next: AfterBasic) -> [u8; Self::BYTES] {
        let next = match next {
            AfterBasic::Common => 1,
            AfterBasic::Secured => 2,
        };
        [PROTOCOL_VERSION << 4 | next, self.reserved, self.lifetime.0, self.remaining_hops]
    }
}

/// Protocol of the payload (clause 9.7.2, next header of the common header).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpperProtocol {
    /// Unspecified; also that of a packet without payload.
    #[default]
    Any,
    /// BTP-A, for interactive transport.
    BtpA,
    /// BTP-B, for non-interactive transport.
    BtpB,
    /// IPv6 (EN 302 636-6-1).
    Ipv6,
}

/// Traffic class (clause 9.7.5): store-carry-forward, channel offload, id 0..=63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficClass(pub u8);

impl TrafficClass {
    /// The class of an id, 0 (most urgent) to 63; not to be carried, not to be offloaded.
    pub const fn of_id(id: u8) -> Self {
        Self(if id > 63 { 63 } else { id })
    }

    /// Id: the DCC profile on ITS-G5 (TS 102 636-4-2 clause 5).
    pub const fn id(self) -> u8 {
        self.0 & 0x3F
    }

    /// Whether a packet is to be kept when no suitable neighbour is there.
    pub const fn stores_carries_forwards(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Whether another channel may be used.
    pub const fn offloads(self) -> bool {
        self.0 & 0x40 != 0
    }
}

/// Common header (clause 9.7), but for header type and payload length, which follow from the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommonHeader {
    /// Protocol of the payload.
    pub upper: UpperProtocol,
    /// Reserved four bits after it; 0 when sent.
    pub reserved_nibble: u8,
    /// Traffic class.
    pub traffic_class: TrafficClass,
    /// Flags: the first bit says that the sender is mobile (`itsGnIsMobile`), the others are reserved.
    pub flags: u8,
    /// Hops the source allowed.
    pub max_hops: u8,
    /// Reserved octet; 0 when sent.
    pub reserved: u8,
}

/// Flag of a mobile station.
pub const FLAG_MOBILE: u8 = 0x80;

impl CommonHeader {
    /// Octets on the wire.
    pub const BYTES: usize = 8;

    /// Whether the source is mobile.
    pub const fn is_mobile(&self) -> bool {
        self.flags & FLAG_MOBILE != 0
    }

    /// The header, the type octet (header type and subtype), and the payload length.
    pub(crate) fn decode(from: &mut Cursor<'_>) -> Result<(Self, u8, u16), FrameError> {
        let at = from.at();
        let first = from.u8("common header: next header")?;
        let upper = match first >> 4 {
            0 => UpperProtocol::Any,
            1 => UpperProtocol::BtpA,
            2 => UpperProtocol::BtpB,
            3 => UpperProtocol::Ipv6,
            code => {
                let kind = FrameErrorKind::Unsupported(code.into());
                return Err(FrameError::at_byte("common header: next header", at, kind));
            }
        };
        let header_type = from.u8("common header: header type")?;
        let traffic_class = TrafficClass(from.u8("common header: traffic class")?);
        let flags = from.u8("common header: flags")?;
        let payload_length = from.u16("common header: payload length")?;
        let max_hops = from.u8("common header: maximum hop limit")?;
        let reserved = from.u8("common header: reserved")?;
        let header = Self { upper, reserved_nibble: first & 0xF, traffic_class, flags, max_hops, reserved };
        Ok((header, header_type, payload_length))
    }

    pub(crate) fn octets(&self, header_type: u8, payload_length: u16) -> [u8; Self::BYTES] {
        let [high, low] = payload_length.to_be_bytes();
        let first = (self.upper as u8) << 4 | self.reserved_nibble & 0xF;
        [first, header_type, self.traffic_class.0, self.flags, high, low, self.max_hops, self.reserved]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lifetimes_of_table_6() {
        for (octet, seconds) in [(0x05, 1.0), (0x1A, 60.0), (0xFC, 3.15), (0xFF, 6300.0), (0xF1, 60.0), (0, 0.0)] {
            assert!((Lifetime::from_octet(octet).seconds() - seconds).abs() < 1e-9, "{octet:#x}");
        }
        assert_eq!(Lifetime::at_least(0.15).octet(), 3 << 2);
        assert_eq!(Lifetime::at_least(f64::INFINITY).octet(), 0xFF);
        assert_eq!(Lifetime::at_least(f64::NAN).octet(), 0xFF);
        assert_eq!(Lifetime::at_most(f64::NAN).octet(), 0);
    }

    proptest! {
        #[test]
        fn lifetimes_bound_what_was_asked(seconds in 0.0..6300.0f64) {
            let (above, below) = (Lifetime::at_least(seconds).seconds(), Lifetime::at_most(seconds).seconds());
            prop_assert!(above >= seconds - 1e-3 && below <= seconds + 1e-3);
            // The coarsest base is 100 s; below 3.15 s the step is 50 ms.
            let step = if seconds < 3.0 { 0.051 } else { 100.1 };
            prop_assert!(above - below <= step);
        }
    }
}
