//! Actions.

use super::{EntityId, Position, Route};
use crate::weather::Weather;

/// How a value changes over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// At once.
    Step,
    /// Evenly.
    Linear,
    /// 3x² − 2x³.
    Cubic,
    /// A half cosine.
    Sinusoidal,
}

/// What limits a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Its time, seconds.
    Time,
    /// Its greatest rate, units a second.
    Rate,
    /// The way meanwhile, metres.
    Distance,
}

/// A change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    /// How.
    pub shape: Shape,
    /// What limits it.
    pub dimension: Dimension,
    /// The limit.
    pub value: f64,
}

/// A speed to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetSpeed {
    /// Metres a second.
    Absolute(f64),
    /// Another's speed and this much more, metres a second.
    Delta(EntityId, f64),
    /// Another's speed times this.
    Factor(EntityId, f64),
}

/// A lane to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetLane {
    /// Its id.
    Absolute(i32),
    /// So many to the left of another's, as that one looks.
    Relative(EntityId, i32),
}

/// Which side of another a distance is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Displacement {
    /// Where it is already.
    Any,
    /// Behind.
    Trailing,
    /// Ahead.
    Leading,
}

/// A distance to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gap {
    /// Metres.
    Distance(f64),
    /// Seconds at the entity's own speed.
    Time(f64),
}

/// Limits of a motion; infinite where a file says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constraints {
    /// Metres a second squared.
    pub acceleration_mps2: f64,
    /// Metres a second squared.
    pub deceleration_mps2: f64,
    /// Metres a second.
    pub speed_mps: f64,
}

/// Speed at the end of a synchronisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FinalSpeed {
    /// Metres a second.
    Absolute(f64),
    /// The master's and this much more, metres a second.
    Delta(f64),
    /// The master's times this.
    Factor(f64),
}

/// A line to follow.
#[derive(Clone, Debug)]
pub struct Trajectory {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: TrajectoryShape,
}

/// Shape of a trajectory.
#[derive(Clone, Debug)]
pub enum TrajectoryShape {
    /// Straight from place to place; with the time at each, seconds.
    Polyline(Vec<(Option<f64>, Position)>),
    /// A curve whose curvature changes evenly.
    Clothoid {
        /// At the start, 1/m.
        curvature: f64,
        /// Change a metre, 1/m².
        curvature_dot: f64,
        /// Metres.
        length_m: f64,
        /// Where it starts.
        start: Position,
        /// Times at start and end, seconds.
        times_s: Option<[f64; 2]>,
    },
}

/// How a trajectory's times count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// From the action's start, not the simulation's.
    pub relative: bool,
    /// Factor of the times.
    pub scale: f64,
    /// Added to them, seconds.
    pub offset_s: f64,
}

/// What is done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Reach a speed.
    Speed(Dynamics, TargetSpeed),
    /// Follow another's speed until something else is asked; the dynamics' rate limits it.
    FollowSpeed(Dynamics, TargetSpeed),
    /// Keep or reach a distance to another.
    LongitudinalDistance {
        /// To whom.
        entity: EntityId,
        /// How much.
        gap: Gap,
        /// Between boxes.
        freespace: bool,
        /// Until something else is asked.
        continuous: bool,
        /// On which side.
        displacement: Displacement,
        /// Within these limits; `None`: at once.
        constraints: Option<Constraints>,
    },
    /// Change the lane.
    LaneChange(Dynamics, TargetLane, f64),
    /// Reach an offset in the lane, metres to the left as the road runs.
    LaneOffset {
        /// How.
        shape: Shape,
        /// Greatest lateral acceleration, metres a second squared.
        max_lateral_mps2: Option<f64>,
        /// To the left of the lane's middle as the entity looks, metres; or of another's place.
        target: LaneOffsetTarget,
    },
    /// Reach a place when another reaches its own.
    Synchronize {
        /// The other.
        master: EntityId,
        /// Where the other goes.
        master_position: Position,
        /// Where this one goes.
        position: Position,
        /// Metres within which the other is there.
        master_tolerance_m: f64,
        /// Metres within which this one is there.
        tolerance_m: f64,
        /// Speed there.
        final_speed: Option<FinalSpeed>,
    },
    /// Be elsewhere.
    Teleport(Position),
    /// Take this way.
    AssignRoute(Route),
    /// Go there.
    AcquirePosition(Position),
    /// Follow a line.
    FollowTrajectory(Trajectory, Option<Timing>),
    /// Be seen, or not.
    Visibility(bool),
    /// Leave motion to the default controller, which is the only one here.
    ActivateController,
    /// Set a parameter or variable.
    SetParameter(String, String),
    /// Add to it (first) after multiplying it (second).
    ModifyParameter(String, f64, f64),
    /// Let a signal show something.
    Signal(String, String),
    /// Change light and weather.
    Environment(Weather),
}

/// A lateral place to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LaneOffsetTarget {
    /// From the lane's middle.
    Absolute(f64),
    /// From where another is in its lane.
    Relative(EntityId, f64),
}
