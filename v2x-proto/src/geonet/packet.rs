//! Whole packets (EN 302 636-4-1 clause 9.2): basic header, then a plain packet or a secured envelope.
//!
//! ```text
//! ┌──────────┬───────────────┬─────────────────┬─────────┐      ┌──────────┬─────────────────────────────────┐
//! │ basic 4  │ common 8      │ extended 24..48 │ payload │  or  │ basic 4  │ TS 103 097 envelope of the rest │
//! └──────────┴───────────────┴─────────────────┴─────────┘      └──────────┴─────────────────────────────────┘
//! ```

use super::error::{FrameError, FrameErrorKind};
use super::extended::ExtendedHeader;
use super::header::{AfterBasic, BasicHeader, CommonHeader};
use super::wire::{Cursor, Sink};

/// A GeoNetworking packet; decoding copies headers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Basic header, which is never signed: forwarders change it.
    pub basic: BasicHeader,
    /// The rest.
    pub body: Body<'a>,
}

/// What follows the basic header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// Common header, extended header, payload.
    Plain(PlainPacket<'a>),
    /// An envelope of TS 103 097 around a [`PlainPacket`], to the end of the frame.
    Secured(&'a [u8]),
}

/// The part of a packet that an envelope protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainPacket<'a> {
    /// Common header.
    pub common: CommonHeader,
    /// Extended header.
    pub extended: ExtendedHeader,
    /// Payload, most often a BTP header and a message.
    pub payload: &'a [u8],
    /// Octets behind the payload: padding that an Ethernet interface adds to short frames. Not part of the packet.
    pub padding: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the packet that fills `bytes`.
    ///
    /// # Errors
    /// What is truncated or unknown, and where.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let mut from = Cursor::new(bytes);
        let (basic, next) = BasicHeader::decode(&mut from)?;
        let body = match next {
            AfterBasic::Secured => Body::Secured(from.rest()),
            AfterBasic::Common => Body::Plain(PlainPacket::read(&mut from)?.with_padding(from.rest())),
        };
        Ok(Self { basic, body })
    }

    /// Octets on the wire.
    pub fn bytes(&self) -> usize {
        BasicHeader::BYTES
            + match &self.body {
                Body::Plain(plain) => plain.bytes(),
                Body::Secured(envelope) => envelope.len(),
            }
    }

    /// Writes the packet into `out` and returns its length.
    ///
    /// # Errors
    /// When `out` is too small or the payload too long.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, FrameError> {
        let mut to = Sink::new(out);
        match &self.body {
            Body::Plain(plain) => {
                to.put(&self.basic.octets(AfterBasic::Common), "basic header")?;
                plain.write(&mut to)?;
            }
            Body::Secured(envelope) => {
                to.put(&self.basic.octets(AfterBasic::Secured), "basic header")?;
                to.put(envelope, "secured packet")?;
            }
        }
        Ok(to.written())
    }
}

impl<'a> PlainPacket<'a> {
    /// Reads what an envelope held: nothing may be left over.
    ///
    /// # Errors
    /// What is truncated, unknown or left over, and where.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let mut from = Cursor::new(bytes);
        let packet = Self::read(&mut from)?;
        let at = from.at();
        match from.rest().len() {
            0 => Ok(packet),
            left => Err(FrameError::at_byte("end of the payload", at, FrameErrorKind::LeftOver(left))),
        }
    }

    fn read(from: &mut Cursor<'a>) -> Result<Self, FrameError> {
        let at = from.at();
        let (common, header_type, payload_length) = CommonHeader::decode(from)?;
        let extended = ExtendedHeader::decode(header_type, at + 1, from)?;
        let payload = from.slice(payload_length.into(), "payload")?;
        Ok(Self { common, extended, payload, padding: &[] })
    }

    fn with_padding(mut self, padding: &'a [u8]) -> Self {
        self.padding = padding;
        self
    }

    /// Octets on the wire.
    pub fn bytes(&self) -> usize {
        CommonHeader::BYTES + self.extended.bytes() + self.payload.len() + self.padding.len()
    }

    /// Writes common header, extended header and payload into `out` and returns their length.
    ///
    /// # Errors
    /// When `out` is too small or the payload too long.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, FrameError> {
        let mut to = Sink::new(out);
        self.write(&mut to)?;
        Ok(to.written())
    }

    fn write(&self, to: &mut Sink<'_>) -> Result<(), FrameError> {
        let Ok(payload_length) = u16::try_from(self.payload.len()) else {
            let kind = FrameErrorKind::TooLong(self.payload.len());
            return Err(FrameError::at_byte("payload", to.written(), kind));
        };
        to.put(&self.common.octets(self.extended.type_octet(), payload_length), "common header")?;
        self.extended.encode(to)?;
        to.put(self.payload, "payload")?;
        to.put(self.padding, "padding")
    }
}
