//! Extended headers (EN 302 636-4-1 clause 9.8): what is particular to each kind of packet.

use super::address::GnAddress;
use super::area::AreaField;
use super::error::{FrameError, FrameErrorKind};
use super::position_vector::{LongPositionVector, ShortPositionVector};
use super::request::Shape;
use super::wire::{Cursor, Sink};

/// Sequence number (16 bits) and the reserved 16 bits behind it, which open every multi-hop header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SequenceField {
    /// Sequence number of the source, for the detection of duplicates.
    pub number: u16,
    /// Reserved; 0 when sent.
    pub reserved: u16,
}

impl SequenceField {
    fn decode(from: &mut Cursor<'_>) -> Result<Self, FrameError> {
        Ok(Self { number: from.u16("sequence number")?, reserved: from.u16("reserved after the sequence number")? })
    }

    fn encode(&self, to: &mut Sink<'_>) -> Result<(), FrameError> {
        to.put(&self.number.to_be_bytes(), "sequence number")?;
        to.put(&self.reserved.to_be_bytes(), "reserved after the sequence number")
    }
}

/// An extended header, by header type and subtype (clause 9.7.4, table 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtendedHeader {
    /// Beacon (clause 9.8.6): the position of a station that has nothing else to say.
    Beacon {
        /// Source.
        source: LongPositionVector,
    },
    /// GeoUnicast (clause 9.8.2): to one station over several hops.
    GeoUnicast {
        /// Sequence number.
        sequence: SequenceField,
        /// Source.
        source: LongPositionVector,
        /// Where the destination is believed to be.
        destination: ShortPositionVector,
    },
    /// GeoAnycast (clause 9.8.5): to any one station in an area.
    GeoAnycast {
        /// Sequence number.
        sequence: SequenceField,
        /// Source.
        source: LongPositionVector,
        /// Destination area.
        area: AreaField,
    },
    /// GeoBroadcast (clause 9.8.5): to every station in an area.
    GeoBroadcast {
        /// Sequence number.
        sequence: SequenceField,
        /// Source.
        source: LongPositionVector,
        /// Destination area.
        area: AreaField,
    },
    /// Single-hop broadcast (clause 9.8.4): to whoever hears it.
    SingleHop {
        /// Source.
        source: LongPositionVector,
        /// Media-dependent data (on ITS-G5 the DCC-MCO field of TS 102 636-4-2).
        media_dependent: [u8; 4],
    },
    /// Topologically-scoped broadcast (clause 9.8.3): to every station within some hops.
    Topological {
        /// Sequence number.
        sequence: SequenceField,
        /// Source.
        source: LongPositionVector,
    },
    /// Location service request (clause 9.8.7): who knows where this station is?
    LocationRequest {
        /// Sequence number.
        sequence: SequenceField,
        /// Source.
        source: LongPositionVector,
        /// The station that is looked for.
        wanted: GnAddress,
    },
    /// Location service reply (clause 9.8.8): here I am.
    LocationReply {
        /// Sequence number.
        sequence: SequenceField,
        /// Source: the station that was looked for.
        source: LongPositionVector,
        /// The station that asked.
        destination: ShortPositionVector,
    },
}

const fn subtype(shape: Shape) -> u8 {
    match shape {
        Shape::Circle => 0,
        Shape::Rectangle => 1,
        Shape::Ellipse => 2,
    }
}

const fn shape(subtype: u8) -> Shape {
    match subtype {
        0 => Shape::Circle,
        1 => Shape::Rectangle,
        _ => Shape::Ellipse,
    }
}

impl ExtendedHeader {
    /// Header type (high four bits) and subtype (low four bits).
    pub const fn type_octet(&self) -> u8 {
        match self {
            Self::Beacon { .. } => 0x10,
            Self::GeoUnicast { .. } => 0x20,
            Self::GeoAnycast { area, .. } => 0x30 | subtype(area.shape),
            Self::GeoBroadcast { area, .. } => 0x40 | subtype(area.shape),
            Self::SingleHop { .. } => 0x50,
            Self::Topological { .. } => 0x51,
            Self::LocationRequest { .. } => 0x60,
            Self::LocationReply { .. } => 0x61,
        }
    }

    /// Abbreviation that the standard uses: `SHB`, `GBC`, …
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Beacon { .. } => "BEACON",
            Self::GeoUnicast { .. } => "GUC",
            Self::GeoAnycast { .. } => "GAC",
            Self::GeoBroadcast { .. } => "GBC",
            Self::SingleHop { .. } => "SHB",
            Self::Topological { .. } => "TSB",
            Self::LocationRequest { .. } => "LS-REQUEST",
            Self::LocationReply { .. } => "LS-REPLY",
        }
    }

    /// Position vector of the source.
    pub const fn source(&self) -> &LongPositionVector {
        match self {
            Self::Beacon { source }
            | Self::GeoUnicast { source, .. }
            | Self::GeoAnycast { source, .. }
            | Self::GeoBroadcast { source, .. }
            | Self::SingleHop { source, .. }
            | Self::Topological { source, .. }
            | Self::LocationRequest { source, .. }
            | Self::LocationReply { source, .. } => source,
        }
    }

    /// Sequence number; `None` for packets of one hop.
    pub const fn sequence_number(&self) -> Option<u16> {
        match self {
            Self::Beacon { .. } | Self::SingleHop { .. } => None,
            Self::GeoUnicast { sequence, .. }
            | Self::GeoAnycast { sequence, .. }
            | Self::GeoBroadcast { sequence, .. }
            | Self::Topological { sequence, .. }
            | Self::LocationRequest { sequence, .. }
            | Self::LocationReply { sequence, .. } => Some(sequence.number),
        }
    }

    /// Destination area.
    pub const fn area(&self) -> Option<&AreaField> {
        match self {
            Self::GeoAnycast { area, .. } | Self::GeoBroadcast { area, .. } => Some(area),
            _ => None,
        }
    }

    /// Octets on the wire.
    pub const fn bytes(&self) -> usize {
        LongPositionVector::BYTES
            + match self {
                Self::Beacon { .. } => 0,
                Self::SingleHop { .. } | Self::Topological { .. } => 4,
                Self::LocationRequest { .. } => 12,
                Self::GeoAnycast { .. } | Self::GeoBroadcast { .. } => 20,
                Self::GeoUnicast { .. } | Self::LocationReply { .. } => 4 + ShortPositionVector::BYTES,
            }
    }

    /// Reads the header that `type_octet`, at byte `type_at` of the input, announces.
    pub(crate) fn decode(type_octet: u8, type_at: usize, from: &mut Cursor<'_>) -> Result<Self, FrameError> {
        let sequence = SequenceField::decode;
        let source = LongPositionVector::decode;
        Ok(match type_octet {
            0x10 => Self::Beacon { source: source(from)? },
            0x20 => Self::GeoUnicast {
                sequence: sequence(from)?,
                source: source(from)?,
                destination: ShortPositionVector::decode(from)?,
            },
            0x30..=0x32 => Self::GeoAnycast {
                sequence: sequence(from)?,
                source: source(from)?,
                area: AreaField::decode(shape(type_octet & 0xF), from)?,
            },
            0x40..=0x42 => Self::GeoBroadcast {
                sequence: sequence(from)?,
                source: source(from)?,
                area: AreaField::decode(shape(type_octet & 0xF), from)?,
            },
            0x50 => Self::SingleHop { source: source(from)?, media_dependent: from.array("media-dependent data")? },
            0x51 => Self::Topological { sequence: sequence(from)?, source: source(from)? },
            0x60 => Self::LocationRequest {
                sequence: sequence(from)?,
                source: source(from)?,
                wanted: GnAddress::decode(from, "location service request: GN_ADDR")?,
            },
            0x61 => Self::LocationReply {
                sequence: sequence(from)?,
                source: source(from)?,
                destination: ShortPositionVector::decode(from)?,
            },
            other => {
                let kind = FrameErrorKind::Unsupported(other.into());
                return Err(FrameError::at_byte("common header: header type", type_at, kind));
            }
        })
    }

    pub(crate) fn encode(&self, to: &mut Sink<'_>) -> Result<(), FrameError> {
        match self {
            Self::Beacon { source } => source.encode(to),
            Self::SingleHop { source, media_dependent } => {
                source.encode(to)?;
                to.put(media_dependent, "media-dependent data")
            }
            Self::Topological { sequence, source } => {
                sequence.encode(to)?;
                source.encode(to)
            }
            Self::GeoUnicast { sequence, source, destination }
            | Self::LocationReply { sequence, source, destination } => {
                sequence.encode(to)?;
                source.encode(to)?;
                destination.encode(to)
            }
            Self::GeoAnycast { sequence, source, area } | Self::GeoBroadcast { sequence, source, area } => {
                sequence.encode(to)?;
                source.encode(to)?;
                area.encode(to)
            }
            Self::LocationRequest { sequence, source, wanted } => {
                sequence.encode(to)?;
                source.encode(to)?;
                to.put(&wanted.bits().to_be_bytes(), "location service request: GN_ADDR")
            }
        }
    }
}
