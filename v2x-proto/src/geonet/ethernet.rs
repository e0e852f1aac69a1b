//! Ethernet II frames of GeoNetworking (ethertype 0x8947), as Linux presents ITS-G5 interfaces and captures hold them.

use super::address::MacAddress;
use super::error::{FrameError, FrameErrorKind};
use super::packet::Packet;
use super::wire::{Cursor, Sink};

/// Ethertype of GeoNetworking.
pub const ETHERTYPE: u16 = 0x8947;

/// Addresses of a frame; the ethertype is always [`ETHERTYPE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EthernetHeader {
    /// Who is to take the frame.
    pub destination: MacAddress,
    /// Whose interface sent it.
    pub source: MacAddress,
}

impl EthernetHeader {
    /// Octets on the wire, ethertype included.
    pub const BYTES: usize = 14;

    /// The header of `bytes`, and what follows it.
    ///
    /// # Errors
    /// A frame that is too short or of another ethertype.
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), FrameError> {
        let mut from = Cursor::new(bytes);
        let header = Self {
            destination: MacAddress(from.array("Ethernet: destination")?),
            source: MacAddress(from.array("Ethernet: source")?),
        };
        match from.u16("Ethernet: ethertype")? {
            ETHERTYPE => Ok((header, from.rest())),
            other => Err(FrameError::at_byte("Ethernet: ethertype", 12, FrameErrorKind::Unsupported(other))),
        }
    }

    /// The octets of the header.
    pub fn octets(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..6].copy_from_slice(&self.destination.0);
        out[6..12].copy_from_slice(&self.source.0);
        out[12..].copy_from_slice(&ETHERTYPE.to_be_bytes());
        out
    }
}

/// An Ethernet frame with the packet in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Link-layer addresses.
    pub ethernet: EthernetHeader,
    /// The packet.
    pub packet: Packet<'a>,
}

impl<'a> Frame<'a> {
    /// Reads a frame; offsets in errors count from its first octet.
    ///
    /// # Errors
    /// What is truncated or unknown, and where.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (ethernet, rest) = EthernetHeader::split(bytes)?;
        let packet = Packet::decode(rest).map_err(|error| error.within(EthernetHeader::BYTES))?;
        Ok(Self { ethernet, packet })
    }

    /// Octets on the wire.
    pub fn bytes(&self) -> usize {
        EthernetHeader::BYTES + self.packet.bytes()
    }

    /// Writes the frame into `out` and returns its length.
    ///
    /// # Errors
    /// When `out` is too small or the payload too long.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, FrameError> {
        let mut to = Sink::new(out);
        to.put(&self.ethernet.octets(), "Ethernet")?;
        let header = to.written();
        let packet = self.packet.encode(&mut out[header..]).map_err(|error| error.within(header))?;
        Ok(header + packet)
    }
}
