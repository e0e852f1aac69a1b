//! What a router asks for and what it counts.

use crate::geonet::address::MacAddress;
use crate::geonet::btp::Btp;
use crate::geonet::extended::ExtendedHeader;
use crate::geonet::header::TrafficClass;
use crate::security::{Refusal, Verdict};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What a call asks the caller to do, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actions {
    /// Frames to transmit.
    pub frames: Vec<OutFrame>,
    /// Payloads for the facilities.
    pub indications: Vec<Indication>,
}

/// An Ethernet frame to transmit.
#[derive(Clone, Debug, PartialEq)]
pub struct OutFrame {
    /// Link-layer destination, also in the bytes.
    pub destination: MacAddress,
    /// Traffic class: decides the DCC profile and the access category.
    pub traffic_class: TrafficClass,
    /// When it stops being worth sending.
    pub expires_at: Timestamp,
    /// The frame from its destination address on.
    pub bytes: Vec<u8>,
}

/// A received message (GN-DATA.indication and BTP-DATA.indication, annexes J of EN 302 636-4-1 and A of 636-5-1).
#[derive(Clone, Debug, PartialEq)]
pub struct Indication {
    /// Ports.
    pub btp: Btp,
    /// The message.
    pub message: Vec<u8>,
    /// How it travelled: header with source position, and area where there is one.
    pub header: ExtendedHeader,
    /// Whether it is trusted.
    pub verdict: Verdict,
    /// Application it was signed for; `None` without an envelope.
    pub its_aid: Option<u32>,
    /// Traffic class.
    pub traffic_class: TrafficClass,
    /// Lifetime it had left, seconds.
    pub remaining_lifetime_s: f64,
    /// Hops it had left.
    pub remaining_hops: u8,
}

/// Why a packet, or its forwarding, ended here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PacketDrop {
    /// It does not decode.
    Malformed,
    /// Its link-layer destination is another station.
    NotForUs,
    /// Sent by this station, heard again.
    OwnPacket,
    /// A packet of one hop from another station that claims this station's address (clause 10.2.1.5).
    AddressConflict,
    /// More hops left than the source allowed (clause 10.3.5).
    HopsOverLimit,
    /// Seen before (annex A).
    Duplicate,
    /// It is secured and there is no security entity to open it.
    CannotOpen,
    /// Not trusted.
    Untrusted(Refusal),
    /// Its payload is no BTP packet.
    NoTransport,
    /// No hops left for forwarding.
    HopLimit,
    /// Its source sends too much to be forwarded (annex B.2).
    DataRate,
    /// The destination area is larger than allowed (annex B.3).
    AreaTooLarge,
    /// This station does not know where it is.
    NoPosition,
    /// Somebody else forwarded it first (annex F.3).
    Suppressed,
    /// It has left its area: the sender is inside, this station outside (annex D).
    LeftArea,
    /// This station is no nearer to the destination than the sender (annex E.3).
    NoProgress,
    /// Its lifetime passed while it waited.
    LifetimeOver,
    /// A buffer had no room for it.
    BufferFull,
    /// The destination was not found (clause 10.3.7).
    LocationUnknown,
    /// Nothing that is valid now could sign it.
    NotSigned,
    /// A station was forgotten early because the location table is full; no packet was lost.
    StationForgotten,
}

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub received: u64,
    /// Messages handed up.
    pub delivered: u64,
    /// Frames to transmit, forwarded ones included.
    pub sent: u64,
    /// Packets of others that were sent on.
    pub forwarded: u64,
    /// Packets, or forwardings, that ended here.
    pub dropped: BTreeMap<PacketDrop, u64>,
}

impl Counters {
    /// Packets dropped for `reason`.
    pub fn dropped(&self, reason: PacketDrop) -> u64 {
        self.dropped.get(&reason).copied().unwrap_or(0)
    }
}
