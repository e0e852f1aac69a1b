//! Vehicle types: what SUMO's classes are here, and what a type of vehicle is like unless a file says otherwise.
//!
//! Lengths, gaps and speeds by class are SUMO's defaults (`Vehicle_Type_Parameter_Defaults`), so that its files mean the same.

use super::driver::CarFollowing;
use crate::actor::{ActorKind, Role, Size};
use crate::roads::Users;

/// A class of vehicles as demand files name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VehicleClass {
    /// SUMO's name.
    pub name: &'static str,
    /// What its actors are.
    pub kind: ActorKind,
    /// What they are for.
    pub role: Role,
    /// Which lanes they may use; nobody's ([`Users::NONE`]) means every lane.
    pub users: Users,
    /// Length, metres.
    pub length_m: f64,
    /// Width, metres.
    pub width_m: f64,
    /// Height, metres.
    pub height_m: f64,
    /// Gap kept while standing, metres.
    pub min_gap_m: f64,
    /// Top speed, metres a second.
    pub max_speed_mps: f64,
    /// What it drives where no lower limit holds, metres a second.
    pub wish_mps: f64,
    /// Acceleration, metres a second squared.
    pub accel_mps2: f64,
    /// Comfortable deceleration, metres a second squared.
    pub decel_mps2: f64,
    /// Emergency deceleration, metres a second squared.
    pub emergency_mps2: f64,
    /// Standard deviation of the speed factor.
    pub speed_deviation: f64,
}

const FREE: f64 = 10_000.0 / 3.6;

#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "a row of the table below")]
const fn class(
    name: &'static str, kind: ActorKind, role: Role, users: Users, size: [f64; 3], min_gap_m: f64,
    speeds_kmh: [f64; 2], accelerations: [f64; 3], speed_deviation: f64,
) -> VehicleClass {
    VehicleClass {
        name, kind, role, users, min_gap_m, speed_deviation,
        length_m: size[0], width_m: size[1], height_m: size[2],
        max_speed_mps: speeds_kmh[0] / 3.6,
        wish_mps: if speeds_kmh[1] == 0.0 { FREE } else { speeds_kmh[1] / 3.6 },
        accel_mps2: accelerations[0], decel_mps2: accelerations[1], emergency_mps2: accelerations[2],
    }
}

use ActorKind as K;
use Role::{Emergency, Ordinary, PublicTransport};
use Users as U;
const CAR: [f64; 3] = [2.6, 4.5, 9.0];
const HEAVY: [f64; 3] = [1.3, 4.0, 7.0];

/// Every class, by name. Lengths, gaps, speeds and accelerations are SUMO's.
#[rustfmt::skip]
pub const CLASSES: &[VehicleClass] = &[
    class("passenger",  K::Car,        Ordinary,        U::CAR,        [5.0, 1.8, 1.5],   2.5, [200.0, 0.0], CAR, 0.1),
    class("private",    K::Car,        Ordinary,        U::CAR,        [5.0, 1.8, 1.5],   2.5, [200.0, 0.0], CAR, 0.1),
    class("evehicle",   K::Car,        Ordinary,        U::CAR,        [5.0, 1.8, 1.5],   2.5, [200.0, 0.0], CAR, 0.1),
    class("hov",        K::Car,        Ordinary,        U::CAR,        [5.0, 1.8, 1.5],   2.5, [200.0, 0.0], CAR, 0.1),
    class("ignoring",   K::Car,        Ordinary,        U::NONE,       [5.0, 1.8, 1.5],   2.5, [200.0, 0.0], CAR, 0.0),
    class("taxi",       K::Car,        Ordinary,        U::TAXI,       [5.0, 1.8, 1.5],   2.5, [200.0, 0.0], CAR, 0.05),
    class("delivery",   K::Van,        Ordinary,        U::DELIVERY,   [6.5, 2.16, 2.86], 2.5, [200.0, 0.0], CAR, 0.05),
    class("emergency",  K::Van,        Emergency,       U::EMERGENCY,  [6.5, 2.16, 2.86], 2.5, [200.0, 0.0], CAR, 0.0),
    class("truck",      K::Truck,      Ordinary,        U::TRUCK,      [7.1, 2.4, 2.4],   2.5, [130.0, 0.0], HEAVY, 0.05),
    class("trailer",    K::Truck,      Ordinary,        U::TRUCK,      [16.5, 2.55, 4.0], 2.5, [130.0, 0.0], [1.1, 4.0, 7.0], 0.05),
    class("bus",        K::Bus,        PublicTransport, U::BUS,        [12.0, 2.5, 3.4],  2.5, [100.0, 0.0], [1.2, 4.0, 7.0], 0.0),
    class("coach",      K::Bus,        PublicTransport, U::BUS,        [14.0, 2.6, 4.0],  2.5, [100.0, 0.0], [2.0, 4.0, 7.0], 0.05),
    class("tram",       K::Tram,       PublicTransport, U::RAIL,       [22.0, 2.4, 3.2],  2.5, [80.0, 0.0],  [1.0, 3.0, 7.0], 0.0),
    class("motorcycle", K::Motorcycle, Ordinary,        U::MOTORCYCLE, [2.2, 0.9, 1.5],   2.5, [200.0, 0.0], [6.0, 10.0, 10.0], 0.1),
    class("moped",      K::Motorcycle, Ordinary,        U::MOTORCYCLE, [2.1, 0.78, 1.7],  2.5, [60.0, 0.0],  [1.1, 7.0, 10.0], 0.1),
    class("bicycle",    K::Bicycle,    Ordinary,        U::BICYCLE,    [1.6, 0.65, 1.7],  0.5, [50.0, 20.0], [1.2, 3.0, 7.0], 0.1),
    class("cargo-bike", K::CargoBike,  Ordinary,        U::BICYCLE,    [2.5, 0.85, 1.75], 0.5, [30.0, 17.0], [1.0, 3.0, 6.0], 0.1),
    class("scooter",    K::EScooter,   Ordinary,        U::BICYCLE,    [1.2, 0.5, 1.7],   0.5, [25.0, 20.0], [1.2, 3.0, 7.0], 0.1),
];

impl VehicleClass {
    /// The class of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.name == name)
    }

    /// The class of a kind that moves in traffic.
    pub fn of(kind: ActorKind, role: Role) -> Option<&'static Self> {
        let name = match (kind, role) {
            (ActorKind::Van, Role::Emergency) => "emergency",
            (ActorKind::Car, _) => "passenger",
            (ActorKind::Van, _) => "delivery",
            (ActorKind::Truck, _) => "truck",
            (ActorKind::Bus, _) => "bus",
            (ActorKind::Tram, _) => "tram",
            (ActorKind::Motorcycle, _) => "motorcycle",
            (ActorKind::Bicycle, _) => "bicycle",
            (ActorKind::CargoBike, _) => "cargo-bike",
            (ActorKind::EScooter, _) => "scooter",
            _ => return None,
        };
        Self::named(name)
    }
}

/// How drivers of a type choose their speed beside the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeedFactor {
    /// Mean share of the limit.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
    /// Least.
    pub min: f64,
    /// Most.
    pub max: f64,
}

/// A type of vehicle.
#[derive(Clone, Debug, PartialEq)]
pub struct VehicleType {
    /// Name in the source.
    pub name: String,
    /// What its actors are.
    pub kind: ActorKind,
    /// What they are for.
    pub role: Role,
    /// Which lanes they may use; nobody's means every lane.
    pub users: Users,
    /// Extent, metres.
    pub size: Size,
    /// Gap kept while standing, metres.
    pub min_gap_m: f64,
    /// Top speed, metres a second.
    pub max_speed_mps: f64,
    /// Acceleration, metres a second squared.
    pub accel_mps2: f64,
    /// Comfortable deceleration, metres a second squared.
    pub decel_mps2: f64,
    /// Emergency deceleration, metres a second squared.
    pub emergency_mps2: f64,
    /// Speed beside the limit.
    pub speed_factor: SpeedFactor,
    /// Car following.
    pub following: CarFollowing,
    /// Impatience from the start, 0 to 1.
    pub impatience: f64,
    /// Willingness to change lanes for others (SUMO: `lcCooperative`), 0 to 1.
    pub cooperative: f64,
    /// Eagerness to change lanes for the route (SUMO: `lcStrategic`).
    pub strategic: f64,
    /// Eagerness to change lanes for speed (SUMO: `lcSpeedGain`).
    pub speed_gain: f64,
    /// Eagerness to keep to the outer lane (SUMO: `lcKeepRight`).
    pub keep_right: f64,
    /// Readiness to accept small gaps when changing lanes (SUMO: `lcAssertive`).
    pub assertive: f64,
}

impl VehicleType {
    /// A type as its class is by default.
    pub fn of(class: &VehicleClass) -> Self {
        Self {
            name: class.name.to_owned(),
            kind: class.kind,
            role: class.role,
            users: class.users,
            size: Size { length_m: class.length_m, width_m: class.width_m, height_m: class.height_m },
            min_gap_m: class.min_gap_m,
            max_speed_mps: class.max_speed_mps.min(class.wish_mps),
            accel_mps2: class.accel_mps2,
            decel_mps2: class.decel_mps2,
            emergency_mps2: class.emergency_mps2,
            speed_factor: SpeedFactor { mean: 1.0, deviation: class.speed_deviation, min: 0.2, max: 2.0 },
            following: CarFollowing::default(),
            impatience: 0.0,
            cooperative: 1.0,
            strategic: 1.0,
            speed_gain: 1.0,
            keep_right: 1.0,
            assertive: 1.0,
        }
    }
}
