//! Data elements shared by the ETSI messages (TS 102 894-2, release 1 and 2), as Rust types in SI units.
//!
//! In: nothing. Out: plain values. Conventions:
//! - A quantity that can be "unavailable" is an `Option`, one that can be "out of range" a [`Reading`].
//! - An enumeration keeps the standard's own `Unavailable` member, which is its default; a code without a name is kept
//!   in `Other`.
//! - `Option<Option<_>>` stands where an OPTIONAL component can itself be "unavailable": outer `None` is absent.
//! - Lists are [`List`](crate::List)s: bounded, inline at their usual size.
//!
//! Every wire value has exactly one Rust value and the other way round within the resolution stated at each field.

pub(crate) mod cause;
pub(crate) mod codec;
#[cfg(feature = "std")]
mod image;
mod lane;
mod motion;
mod object;
mod position;
mod reading;
mod road;
#[cfg(feature = "std")]
pub(crate) mod roadside;
mod shape;
mod station;
pub mod subcause;
mod vehicle;

pub use cause::CauseCode;
pub use lane::*;
pub use motion::*;
pub use object::*;
pub use position::*;
pub use reading::Reading;
pub use road::*;
pub use shape::*;
pub use station::*;
pub use vehicle::*;
