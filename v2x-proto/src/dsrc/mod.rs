//! Data elements of ISO/TS 19091:2019 (SAE J2735 "DSRC" with the European extensions "AddGrpC"), on which the
//! infrastructure messages of TS 103 301 build, as Rust types in SI units.
//!
//! In: nothing. Out: plain values. The conventions are those of [`cdd`](crate::cdd), and:
//! - A moment is a [`TimeMark`] (tenths of a second of the hour), or a minute of the year with milliseconds of the minute;
//!   [`time`] converts both from and to instants.
//! - Regional extensions of Europe are typed, all others are kept as bytes and sent on unchanged ([`Regional`]).
//! - Lists of lanes, movements and nodes stay on the heap, with room made once: inline they would be moved about.
//!
//! Absent: the American regional extensions, and parts of J2735 that no ETSI message carries.

pub(crate) mod codec;
#[cfg(feature = "std")]
mod image;
mod limits;
mod motion;
mod place;
mod regional;
mod requestor;
pub mod time;

pub use motion::*;
pub use place::*;
pub use regional::*;
pub use requestor::*;
pub use time::TimeMark;

/// A name for people (`DescriptiveName`), 1 to 63 ASCII characters.
pub type DescriptiveName = heapless::String<63>;
