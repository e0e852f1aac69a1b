//! Motion on the ground: contact points to position, velocity and direction.
//!
//! In: contact points in site ENU with their covariance and capture time. Out: a smooth state for V2X: a car at rest has no
//! speed, a direction is given once it is known and held at stops.
//!
//! Invariants: constant-velocity Kalman filter with real time steps; an outlier pulls the state by a bounded amount; the
//! calibration's error, the same in every frame, never enters the filter. Deliberately absent: turning models, lanes.

mod motion;
mod settings;

pub(crate) use motion::Motion;
pub use settings::{ContactPoint, Extent, MotionClass, MotionSettings, extent_of};
