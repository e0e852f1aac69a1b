//! The vocabulary of the system: time, geodesy, ETSI C-ITS messages and their encodings.
//!
//! In: values and bytes. Out: bytes and values. Everything here is pure: no I/O, no async, no clock, no randomness.
//! Units are SI inside; wire units (0.1 µdeg, cm/s, 0.1°) live only in the codecs.

pub mod cam;
pub mod cdd;
mod containers;
pub mod cpm;
pub mod denm;
pub mod geo;
pub mod geonet;
pub mod jer;
pub mod json;
pub mod limits;
mod list;
pub mod message;
mod message_kind;
pub mod relevance;
pub mod security;
pub mod time;
pub mod uper;
pub mod vam;

pub use list::List;
pub use message::Message;
pub use message_kind::MessageKind;
