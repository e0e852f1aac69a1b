//! Everything that stands or moves on the road: kinds, sizes, and the state of one at one time.

use crate::roads::LaneId;
use nalgebra::Point3;
use serde::{Deserialize, Serialize};

/// Number of an actor in a run. The upper byte is the population it belongs to, so that populations number independently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActorId(pub u32);

impl ActorId {
    /// The `number`-th actor of a population, `number` below 2²⁴.
    pub const fn of(population: u8, number: u32) -> Self {
        Self((population as u32) << 24 | (number & 0xff_ffff))
    }

    /// The population it belongs to.
    pub const fn population(self) -> u8 {
        (self.0 >> 24) as u8
    }
}

/// What an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// Passenger car.
    Car,
    /// Delivery van or minibus.
    Van,
    /// Goods vehicle above 3.5 t.
    Truck,
    /// Bus or coach.
    Bus,
    /// Tram or light rail.
    Tram,
    /// Motorcycle or moped with its rider.
    Motorcycle,
    /// Bicycle with its rider.
    Bicycle,
    /// Cargo bike with its rider.
    CargoBike,
    /// Standing e-scooter with its rider.
    EScooter,
    /// Person on foot.
    Adult,
    /// Child on foot.
    Child,
    /// Person in a wheelchair.
    Wheelchair,
    /// Dog.
    Dog,
    /// Deer or wild boar.
    Deer,
    /// Cargo lost on the road.
    LostCargo,
    /// Traffic cone.
    Cone,
    /// Road-works barrier.
    Barrier,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::Car,
        Self::Van,
        Self::Truck,
        Self::Bus,
        Self::Tram,
        Self::Motorcycle,
        Self::Bicycle,
        Self::CargoBike,
        Self::EScooter,
        Self::Adult,
        Self::Child,
        Self::Wheelchair,
        Self::Dog,
        Self::Deer,
        Self::LostCargo,
        Self::Cone,
        Self::Barrier,
    ];

    /// Length, width and height of a usual one, metres; with the rider where there is one.
    pub const fn usual_size(self) -> Size {
        let [length_m, width_m, height_m] = match self {
            Self::Car => [4.4, 1.8, 1.5],
            Self::Van => [5.6, 2.0, 2.4],
            Self::Truck => [9.0, 2.5, 3.5],
            Self::Bus => [12.0, 2.55, 3.1],
            Self::Tram => [30.0, 2.4, 3.4],
            Self::Motorcycle => [2.1, 0.8, 1.6],
            Self::Bicycle => [1.8, 0.6, 1.75],
            Self::CargoBike => [2.5, 0.85, 1.75],
            Self::EScooter => [1.2, 0.55, 1.85],
            Self::Adult => [0.4, 0.55, 1.72],
            Self::Child => [0.3, 0.4, 1.15],
            Self::Wheelchair => [1.1, 0.65, 1.3],
            Self::Dog => [0.8, 0.3, 0.6],
            Self::Deer => [1.5, 0.5, 1.3],
            Self::LostCargo => [1.0, 0.8, 0.6],
            Self::Cone => [0.4, 0.4, 0.75],
            Self::Barrier => [2.0, 0.4, 1.0],
        };
        Size { length_m, width_m, height_m }
    }

    /// A vehicle with an engine and at least three wheels, or a tram.
    pub const fn is_motor_vehicle(self) -> bool {
        matches!(self, Self::Car | Self::Van | Self::Truck | Self::Bus | Self::Tram)
    }

    /// Goes on foot or about as slowly: on pavements and crossings.
    pub const fn walks(self) -> bool {
        matches!(self, Self::Adult | Self::Child | Self::Wheelchair | Self::Dog)
    }

    /// A person on foot, on a light vehicle or in a wheelchair (ETSI TS 103 300-2: vulnerable road user).
    pub const fn is_vulnerable(self) -> bool {
        matches!(
            self,
            Self::Motorcycle
                | Self::Bicycle
                | Self::CargoBike
                | Self::EScooter
                | Self::Adult
                | Self::Child
                | Self::Wheelchair
        )
    }
}

/// What a vehicle is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Nothing special.
    #[default]
    Ordinary,
    /// Emergency vehicle; its right of way holds while its beacon is on.
    Emergency,
    /// Scheduled public transport.
    PublicTransport,
    /// Road-works vehicle.
    RoadWorks,
}

/// Extent, metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Size {
    /// Along the actor's x axis.
    pub length_m: f64,
    /// Across.
    pub width_m: f64,
    /// Above the ground.
    pub height_m: f64,
}

/// Place and attitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Centre of the footprint, on the ground; ENU metres.
    pub position: Point3<f64>,
    /// Counter-clockwise from east, radians.
    pub yaw_rad: f64,
    /// Nose up is positive, radians.
    pub pitch_rad: f64,
}

/// Lights that are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lights {
    /// Head and tail lamps.
    pub low_beam: bool,
    /// Brake lamps.
    pub brake: bool,
    /// Left indicator; both indicators are the hazard lights.
    pub left: bool,
    /// Right indicator.
    pub right: bool,
    /// Blue or yellow beacon.
    pub beacon: bool,
}

/// Where on the network an actor is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanePosition {
    /// The lane.
    pub lane: LaneId,
    /// Of the actor's front, along the lane, metres.
    pub s_m: f64,
    /// To the left of the lane's centre, metres.
    pub offset_m: f64,
}

/// One actor at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    /// Its number in the run.
    pub id: ActorId,
    /// What it is.
    pub kind: ActorKind,
    /// What it is for.
    pub role: Role,
    /// Where it is.
    pub pose: Pose,
    /// Along its x axis, metres a second; negative is backwards.
    pub speed_mps: f64,
    /// Along its x axis, metres a second squared.
    pub acceleration_mps2: f64,
    /// Counter-clockwise, radians a second.
    pub yaw_rate_rps: f64,
    /// Its extent.
    pub size: Size,
    /// Its lights.
    pub lights: Lights,
    /// Decides colours, clothes and meshes; the same number looks the same.
    pub appearance: u32,
    /// Where on the network, if it is on a lane.
    pub on_lane: Option<LanePosition>,
    /// It sends and receives V2X messages.
    pub connected: bool,
}

impl Actor {
    /// Corners of the footprint in the plane: front left, rear left, rear right, front right; ENU metres.
    pub fn footprint(&self) -> [nalgebra::Point2<f64>; 4] {
        let (sin, cos) = self.pose.yaw_rad.sin_cos();
        let (l, w) = (self.size.length_m / 2.0, self.size.width_m / 2.0);
        let centre = self.pose.position;
        [(l, w), (-l, w), (-l, -w), (l, -w)]
            .map(|(x, y)| nalgebra::Point2::new(centre.x + x * cos - y * sin, centre.y + x * sin + y * cos))
    }
}
