//! OpenSCENARIO XML: the subset that esmini's basic examples use, read and run.
//!
//! In: a scenario file with its catalogs, an OpenDRIVE road network. Out: a [`Scenario`] as data, and a [`Storyboard`] that
//! moves its entities as a [`crate::Population`]. Invariants: what the importer does not know is an error that names file
//! and line, never ignored; a step has no randomness; motion is kinematic, so that an action does exactly what it says.
//! Absent: controllers with a behaviour of their own, traffic swarms, NURBS, speed profiles (see
//! `docs/sim/openscenario.md`).

mod error;
mod expression;
pub mod model;
mod network;
mod parse;
mod run;
mod xml;

pub use error::{Error, Place};
pub use model::Scenario;
pub use network::Network;
pub use parse::Files;
pub use run::{Status, Storyboard};
pub use xml::WITHOUT_EFFECT;

/// Controllers that a scenario may name, although only the default one runs here, with the reason.
pub const DEFAULT_CONTROLLERS: &[(&str, &str)] = &[
    ("interactiveDriver", "nobody is at the keys: it keeps the speed and lane it was given"),
    ("followReference", "it follows what the default one does exactly"),
];
