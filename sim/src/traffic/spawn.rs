//! What is asked of a vehicle that is to come: type, way, departure, stops.

use super::kinds::{VehicleClass, VehicleType};
use crate::actor::{ActorKind, Role};
use crate::roads::{EdgeId, LaneId};
use thiserror::Error;

/// Which lane a vehicle departs on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DepartLane {
    /// The outermost that it may use.
    #[default]
    First,
    /// This one, counted from outside.
    Index(u16),
    /// Of those that lead farthest along the route the one with most room.
    Best,
    /// Of those that it may use the one with most room.
    Free,
    /// Any that it may use.
    Random,
}

/// Where on the lane a vehicle departs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DepartPosition {
    /// With its rear at the lane's start.
    #[default]
    Base,
    /// With its front here, metres from the start; negative from the end.
    At(f64),
    /// Anywhere.
    Random,
    /// Where there is room.
    Free,
    /// Behind the last vehicle.
    Last,
    /// In a bay, as if it had stood there before.
    Parked {
        /// Place in [`super::Traffic::bays`].
        bay: usize,
        /// How long it stands there from then on, seconds.
        stands_s: f64,
    },
}

/// How fast a vehicle departs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DepartSpeed {
    /// So fast or not at all, metres a second.
    At(f64),
    /// Up to what it wants, less where it must.
    Max,
    /// What it wants or not at all.
    Desired,
    /// Anything up to what it wants.
    Random,
}

impl Default for DepartSpeed {
    fn default() -> Self {
        Self::At(0.0)
    }
}

/// Where a vehicle stands while it stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// On its lane: others wait, or change lanes.
    #[default]
    Lane,
    /// In a bay beside the stretch of lane; on the lane as long as none is free.
    Bay,
    /// In a bay; when none is free it drives on.
    BayIfFree,
}

/// A stop on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopSpec {
    /// Lane.
    pub lane: LaneId,
    /// Where it may stand from, metres.
    pub start_m: f64,
    /// Where its front is to stand, metres.
    pub end_m: f64,
    /// How long at least, seconds.
    pub duration_s: f64,
    /// Until when at least, seconds; `None`: no matter.
    pub until_s: Option<f64>,
    /// Where it stands. With a bay, the stop's stretch is where bays are looked for.
    pub standing: Standing,
}

/// A vehicle to come.
#[derive(Clone, Debug, PartialEq)]
pub struct VehicleSpec {
    /// Name in outputs; `None`: its number.
    pub name: Option<String>,
    /// Type.
    pub vehicle_type: VehicleType,
    /// Edges in order; two that are not neighbours are joined by the fastest way.
    pub route: Vec<EdgeId>,
    /// When it wants to depart, seconds.
    pub depart_s: f64,
    /// Lane at departure.
    pub depart_lane: DepartLane,
    /// Position at departure.
    pub depart_position: DepartPosition,
    /// Speed at departure.
    pub depart_speed: DepartSpeed,
    /// Where it leaves the last edge, metres; negative from the end; `None`: at the end.
    pub arrival_m: Option<f64>,
    /// Stops in order.
    pub stops: Vec<StopSpec>,
    /// It sends and receives V2X messages; `None`: by the share that is set.
    pub connected: Option<bool>,
    /// Its beacon is on.
    pub beacon: bool,
    /// Speed beside the limit; `None`: by its type.
    pub speed_factor: Option<f64>,
}

impl VehicleSpec {
    /// A usual vehicle of a kind on a route.
    ///
    /// # Errors
    /// [`SpawnError::Kind`] for kinds that do not drive.
    pub fn new(kind: ActorKind, role: Role, route: Vec<EdgeId>) -> Result<Self, SpawnError> {
        let class = VehicleClass::of(kind, role).ok_or(SpawnError::Kind(kind))?;
        let mut vehicle_type = VehicleType::of(class);
        vehicle_type.kind = kind;
        vehicle_type.role = role;
        Ok(Self::of(vehicle_type, route))
    }

    /// A vehicle of a type on a route.
    pub fn of(vehicle_type: VehicleType, route: Vec<EdgeId>) -> Self {
        Self {
            name: None,
            beacon: vehicle_type.role == Role::Emergency,
            vehicle_type,
            route,
            depart_s: 0.0,
            depart_lane: DepartLane::Best,
            depart_position: DepartPosition::Base,
            depart_speed: DepartSpeed::Max,
            arrival_m: None,
            stops: Vec::new(),
            connected: None,
            speed_factor: None,
        }
    }
}

/// Why a vehicle cannot come.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SpawnError {
    /// It does not drive.
    #[error("a {0:?} is no vehicle of the traffic")]
    Kind(ActorKind),
    /// No edges.
    #[error("the route of vehicle {0} is empty")]
    EmptyRoute(String),
    /// Two edges that no way joins.
    #[error("vehicle {name}: no way for it from edge {from} to edge {to}")]
    NoWay {
        /// The vehicle.
        name: String,
        /// From.
        from: String,
        /// To.
        to: String,
    },
    /// A stop that is not on the way.
    #[error("vehicle {name}: its stop on lane {lane} is not on the rest of its route")]
    StopOffRoute {
        /// The vehicle.
        name: String,
        /// The lane.
        lane: String,
    },
}
