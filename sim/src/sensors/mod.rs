//! Sensors: what a device at the roadside or on board reports of a snapshot.
//!
//! In: [`Roads`](crate::Roads), a [`Snapshot`](crate::Snapshot), settings. Out: readings as the device writes them, with the
//! errors of real ones. Each sensor draws from streams of its own, so that another sensor more changes no reading.

pub mod camera;
pub mod environment;
pub mod fault;
pub mod gnss;
pub mod lidar;
pub mod loops;
pub mod radar;
pub mod signal_feed;

pub use fault::{FaultKind, SensorFault};
