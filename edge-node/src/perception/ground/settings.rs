//! Settings of the motion model, and the sizes of road users.

use masa_inference::ObjectClass;
use serde::{Deserialize, Serialize};

/// The point of a box that stands on the ground.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactPoint {
    /// Middle of the lower edge: for cameras that look along the road.
    #[default]
    BottomCentre,
    /// Centre of the box: for views from straight above, and for calibrations made to box centres.
    BoxCentre,
}

/// Motion on the ground: `[camera.motion]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MotionSettings {
    /// Noise of an edge of a box that grows with the box: standard deviation as a share of its height, added to
    /// `pixel-noise-px` in squares.
    pub relative_noise: f64,
    /// What a detector does the same way in many frames: standard deviation of an edge as a share of the box's height.
    pub relative_bias: f64,
    /// Persons.
    pub person: MotionClass,
    /// Bicycles, motorcycles, scooters.
    pub two_wheeler: MotionClass,
    /// Everything else.
    pub vehicle: MotionClass,
    /// An innovation beyond this many sigma counts as one of this size.
    pub outlier_sigma: f64,
    /// Three innovations in a row beyond this many sigma, bias included: the track has gone over to somebody else, and its
    /// motion begins anew there.
    pub jump_sigma: f64,
    /// Speed below which no direction is derived, metres per second.
    pub min_yaw_speed_mps: f64,
}

impl Default for MotionSettings {
    fn default() -> Self {
        Self {
            relative_noise: 0.03,
            relative_bias: 0.06,
            person: MotionClass { acceleration_density: 0.3, initial_speed_mps: 2.0, setting_off_mps: 0.8 },
            two_wheeler: MotionClass { acceleration_density: 0.8, initial_speed_mps: 5.0, setting_off_mps: 1.2 },
            vehicle: MotionClass { acceleration_density: 1.5, initial_speed_mps: 10.0, setting_off_mps: 1.2 },
            outlier_sigma: 3.0,
            jump_sigma: 5.0,
            min_yaw_speed_mps: 0.8,
        }
    }
}

/// How a kind of road user moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MotionClass {
    /// Spectral density of the acceleration, (m/s²)²·s: its root is how much the speed changes in a second, m/s.
    pub acceleration_density: f64,
    /// Standard deviation of a new track's velocity along each axis, metres per second.
    pub initial_speed_mps: f64,
    /// The same of one that stood until now.
    pub setting_off_mps: f64,
}

impl MotionSettings {
    /// The motion model of a class.
    pub fn of(&self, class: ObjectClass) -> MotionClass {
        match class {
            ObjectClass::Person | ObjectClass::Animal => self.person,
            ObjectClass::Bicycle | ObjectClass::Motorcycle | ObjectClass::EScooter => self.two_wheeler,
            _ => self.vehicle,
        }
    }
}

/// Size of a road user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Length, metres.
    pub length_m: f64,
    /// Width, metres.
    pub width_m: f64,
    /// Height, metres.
    pub height_m: f64,
}

/// Typical size of a class in European traffic.
pub fn extent_of(class: ObjectClass) -> Extent {
    let (length_m, width_m, height_m) = match class {
        ObjectClass::Person => (0.5, 0.6, 1.7),
        ObjectClass::Bicycle => (1.8, 0.6, 1.7),
        ObjectClass::Motorcycle => (2.2, 0.8, 1.6),
        ObjectClass::EScooter => (1.2, 0.5, 1.9),
        ObjectClass::Car => (4.4, 1.8, 1.5),
        ObjectClass::Van => (5.5, 2.0, 2.4),
        ObjectClass::Truck => (9.0, 2.5, 3.5),
        ObjectClass::Bus => (12.0, 2.55, 3.2),
        ObjectClass::Tram => (30.0, 2.65, 3.6),
        ObjectClass::Animal => (1.0, 0.4, 0.7),
        ObjectClass::Obstacle => (1.0, 1.0, 1.0),
    };
    Extent { length_m, width_m, height_m }
}

/// Standard deviations of sizes within a class, as shares of [`extent_of`]'s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Of the length.
    pub length: f64,
    /// Of the width.
    pub width: f64,
    /// Of the height.
    pub height: f64,
}

/// How much the sizes of a class differ in European traffic: from a small car to an estate, from a light lorry to an
/// articulated one, from a child to an adult.
pub fn spread_of(class: ObjectClass) -> Spread {
    let (length, width, height) = match class {
        ObjectClass::Person => (0.2, 0.2, 0.15),
        ObjectClass::Bicycle | ObjectClass::Motorcycle | ObjectClass::EScooter => (0.15, 0.15, 0.1),
        ObjectClass::Car => (0.12, 0.06, 0.1),
        ObjectClass::Van => (0.15, 0.08, 0.15),
        ObjectClass::Truck => (0.35, 0.06, 0.25),
        ObjectClass::Bus => (0.2, 0.04, 0.12),
        ObjectClass::Tram => (0.25, 0.06, 0.08),
        ObjectClass::Animal => (0.5, 0.3, 0.4),
        ObjectClass::Obstacle => (0.5, 0.5, 0.5),
    };
    Spread { length, width, height }
}
