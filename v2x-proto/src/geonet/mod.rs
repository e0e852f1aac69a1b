//! GeoNetworking (EN 302 636-4-1 V1.4.1) and BTP (EN 302 636-5-1).
//!
//! In: what is to be sent and what was received, as bytes, with the time it happened. Out: frames to send, payloads to hand
//! up, timers. Everything is a pure state machine; sockets are in `masa-links`.
//!
//! Frames decode without copying payloads and encode into the caller's buffer. Every reserved bit is kept, so that a
//! frame that decodes encodes to the same bytes.

mod address;
mod area;
mod btp;
mod buffer;
pub mod dcc;
mod error;
mod ethernet;
mod extended;
mod geometry;
mod header;
mod location_table;
mod packet;
mod position_vector;
mod request;
pub mod router;
mod settings;
mod wire;

pub use address::{GnAddress, MacAddress, NotAMacAddress};
pub use area::AreaField;
pub use btp::{BTP_BYTES, Btp, its_aid_of, kind_of, port_of};
pub use dcc::DataRate;
pub use error::{FrameError, FrameErrorKind};
pub use ethernet::{ETHERTYPE, EthernetHeader, Frame};
pub use extended::{ExtendedHeader, SequenceField};
pub use geometry::ground_distance_m;
pub use header::{BasicHeader, CommonHeader, FLAG_MOBILE, Lifetime, PROTOCOL_VERSION, TrafficClass, UpperProtocol};
pub use location_table::{LocationTable, Neighbour};
pub use packet::{Body, Packet, PlainPacket};
pub use position_vector::{GnTime, LongPositionVector, PositionAccuracy, ShortPositionVector};
pub use request::{Dissemination, GeoArea, Scope, Shape};
pub use router::{
    Actions, Counters, Indication, OutFrame, PacketDrop, Position, Repetition, Request, Router, Security, SendError,
};
pub use settings::{AreaForwarding, Mobility, NonAreaForwarding, RouterSettings, UntrustedPackets};
