//! The simulator: roads, traffic, people, sensors, radio, faults and scenarios, headless and deterministic.
//!
//! In: a road network ([`roads`]), demand and a scenario. Out: a [`Snapshot`] a step, from which sensors make frames and
//! readings, and against which ground truth is written. Invariants: a fixed step; the same seed gives the same bytes
//! whatever the number of threads; every random number comes from a stream of its own ([`random`]); within a step each
//! population reads the snapshot of the step before, so that their order does not matter. Positions are ENU metres of
//! the network's frame, yaw is radians counter-clockwise from east. Nothing here reads a clock.

pub mod actor;
mod buildings;
#[cfg(feature = "door")]
pub mod door;
#[cfg(feature = "node")]
pub mod faults;
pub mod geometry;
#[cfg(feature = "node")]
pub mod live;
pub mod openscenario;
pub mod people;
pub mod priority;
pub mod radio;
pub mod random;
#[cfg(feature = "node")]
pub mod report;
pub mod roads;
#[cfg(feature = "node")]
pub mod run;
#[cfg(feature = "node")]
pub mod scenario;
pub mod sensors;
pub mod snapshot;
pub mod traci;
pub mod traffic;
pub mod truth;
pub mod weather;
pub mod world;

pub use actor::{Actor, ActorId, ActorKind};
pub use roads::Roads;
pub use snapshot::Snapshot;
pub use weather::Weather;
pub use world::{Population, World};
