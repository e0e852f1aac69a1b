//! Vehicle traffic: cars to trams that follow each other, change lanes, give way, stop and park.
//!
//! In: a road network, vehicles to [`Traffic::spawn`] or a [`demand::Demand`], signals and the snapshot of the step before.
//! Out: actors, and SUMO's outputs. The models are those that SUMO has by default (Krauss, LC2013, its junctions), so that
//! its files mean the same here and both can be compared; see `docs/sim/traffic.md`.
//!
//! A step: signals → [`plan`] → who approaches which link → [`decide`] → [`advance`] → [`lane_change`] → [`insert`].
//! Planning and deciding read one world and write one mind each, so they run on any number of threads with the same result.
//! Invariants: vehicles of a lane are sorted by position; every random number comes from the vehicle's own stream.

mod advance;
mod best;
mod clear;
mod conflict;
mod control;
mod decide;
pub mod demand;
mod detector;
mod driver;
mod foreign;
mod insert;
mod kinds;
mod lane_change;
mod make;
mod net;
pub mod output;
mod parking;
mod plan;
mod pose;
mod right_of_way;
mod route;
pub mod run;
mod settings;
mod spawn;
mod step;
mod trip;
mod vehicle;
mod wrong_way;

pub use detector::{DetectorRecord, Detectors};
pub use driver::CarFollowing;
pub use kinds::{CLASSES, SpeedFactor, VehicleClass, VehicleType};
pub use lane_change::ACROSS_S;
pub use parking::Bay;
pub use route::shortest_route;
pub use settings::{Behaviour, TrafficSettings, WhenStuck};
pub use spawn::{DepartLane, DepartPosition, DepartSpeed, SpawnError, Standing, StopSpec, VehicleSpec};
pub use step::{Counters, Traffic};
pub use trip::Trip;
