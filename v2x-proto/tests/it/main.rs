//! The crate through its public API. One binary: each more is linked on its own. `bare.rs` has other features.

mod common;
mod dsrc;
mod frames;
mod geonet;
mod golden;
mod ivim;
mod json;
mod malformed;
mod mcm;
mod message_docs;
mod messages;
mod poim;
mod protobuf;
mod protobuf_schema;
mod protobuf_values;
#[cfg(feature = "security")]
mod secured;
#[cfg(feature = "security")]
mod security;
mod traps;
