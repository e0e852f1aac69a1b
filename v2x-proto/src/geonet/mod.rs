//! GeoNetworking (EN 302 636-4-1) and BTP (EN 302 636-5-1).
//!
//! In: what is to be sent and what was received, as bytes, with the time it happened. Out: frames to send, payloads to hand
//! up, timers. Everything is a pure state machine; sockets are in `masa-links`.

pub mod dcc;
mod request;

pub use request::{Dissemination, GeoArea, Scope, Shape};
