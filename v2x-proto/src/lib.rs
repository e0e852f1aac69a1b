//! The vocabulary of the system: time, geodesy, ETSI C-ITS messages and their encodings.
//!
//! In: values and bytes. Out: bytes and values. Everything here is pure: no I/O, no async, no clock, no randomness.
//! Units are SI inside; wire units (0.1 µdeg, cm/s, 0.1°) live only in the codecs.
//!
//! Without the default feature `std` the crate is the messages and their UPER codec alone, for a small on-board unit: no
//! standard library, no allocator. [`heap`] says what such a build has room for.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(feature = "std"),
    allow(
        clippy::result_large_err,
        clippy::large_enum_variant,
        dead_code,
        reason = "no heap, and no messages that need it"
    )
)]

pub mod cam;
#[cfg(feature = "std")]
pub mod catalogue;
pub mod cdd;
mod containers;
pub mod cpm;
pub mod denm;
pub mod dsrc;
#[cfg(feature = "std")]
pub mod geo;
#[cfg(feature = "std")]
pub mod geonet;
pub mod heap;
#[cfg(feature = "std")]
pub mod ivim;
#[cfg(feature = "std")]
pub mod jer;
#[cfg(feature = "std")]
pub mod json;
pub mod limits;
mod list;
pub mod mapem;
#[cfg(feature = "std")]
pub mod mcm;
pub mod message;
#[cfg(feature = "std")]
mod message_kind;
#[cfg(feature = "std")]
mod place;
#[cfg(feature = "std")]
pub mod poim;
#[cfg(feature = "std")]
pub mod protobuf;
#[cfg(feature = "std")]
pub mod relevance;
pub mod rtcmem;
#[cfg(feature = "std")]
pub mod security;
pub mod spatem;
pub mod srem;
pub mod ssem;
#[cfg(feature = "std")]
pub mod tiles;
pub mod time;
pub mod uper;
pub mod vam;

pub use list::List;
pub use message::Message;
#[cfg(feature = "std")]
pub use message_kind::MessageKind;
