//! Motion on the ground: boxes to the middle of a road user, its velocity and direction.
//!
//! In: boxes with their noise and capture time, the camera's mapping. Out: where the middle of the road user is, and a smooth
//! state for V2X: what stands has no speed, a direction is given once it is known and held at stops.
//!
//! Invariants: interacting models with real time steps; an outlier pulls the state by a bounded amount; errors that are the
//! same in every frame (calibration, size, the detector's habits) never enter the filter. Deliberately absent: lanes.

mod company;
mod contact;
mod covered;
mod heading;
mod imm;
mod motion;
mod settings;
mod size;
mod viewpoint;

pub(crate) use company::mistaken;
pub use contact::GroundMeasurement;
pub(crate) use contact::{Across, Contact, Cut, Level, measure, sum};
pub(crate) use covered::Covered;
pub use motion::MeasuredVelocity;
pub(crate) use motion::{Motion, Seen, matrix};
pub use settings::{ContactPoint, Extent, MotionClass, MotionSettings, Spread, extent_of, spread_of};
pub(crate) use size::BodySize;
pub(crate) use viewpoint::Viewpoint;
