//! SUMO through TraCI: its traffic in our world, and our vehicles in its.
//!
//! In: a SUMO configuration, or an address at which SUMO waits. Out: a [`crate::Population`] and a
//! [`crate::world::SignalControl`]. The protocol is that of SUMO 1.28 (TraCI version 22), of which [`Traci`] is a client.

mod client;
mod launch;
mod sumo;
mod wire;
mod words;

pub use client::{Domain, Results, Traci, TraciError};
pub use launch::{Launched, launch, network_of, program};
pub use sumo::{POPULATION, Sumo, SumoHandle, SumoState};
pub use wire::{Value, WireError};
