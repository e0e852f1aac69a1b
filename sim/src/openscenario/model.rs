//! A scenario as data: what OpenSCENARIO's elements say, references resolved, nothing left to look up by name but the
//! storyboard's own elements.

use crate::actor::{ActorKind, Role, Size};
use crate::weather::Weather;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An entity: index in [`Scenario::entities`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntityId(pub usize);

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file it came from.
    pub file: PathBuf,
    /// The OpenDRIVE file, where the scenario names one and it was found.
    pub roads: Option<PathBuf>,
    /// Parameters and variables that actions may set and conditions read.
    pub parameters: BTreeMap<String, String>,
    /// Who takes part.
    pub entities: Vec<Entity>,
    /// What happens before time 0, in order.
    pub init: Vec<InitAction>,
    /// What happens then.
    pub stories: Vec<Story>,
    /// When it ends.
    pub stop: Trigger,
}

/// A participant.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ActorKind,
    /// What it is for.
    pub role: Role,
    /// Its extent.
    pub size: Size,
    /// Middle of its box from its reference point (a vehicle's rear axle), forward and left, metres.
    pub centre_m: [f64; 2],
}

/// An action before time 0.
#[derive(Clone, Debug)]
pub struct InitAction {
    /// Whose; `None` for one of the whole world.
    pub entity: Option<EntityId>,
    /// What.
    pub action: Action,
}

/// A story.
#[derive(Clone, Debug)]
pub struct Story {
    /// Its name.
    pub name: String,
    /// Its acts.
    pub acts: Vec<Act>,
}

/// An act.
#[derive(Clone, Debug)]
pub struct Act {
    /// Its name.
    pub name: String,
    /// Its groups.
    pub groups: Vec<ManeuverGroup>,
    /// When it starts.
    pub start: Trigger,
    /// When it ends early.
    pub stop: Trigger,
}

/// Maneuvers of the same actors.
#[derive(Clone, Debug)]
pub struct ManeuverGroup {
    /// Its name.
    pub name: String,
    /// How often it runs.
    pub executions: u32,
    /// Whose maneuvers.
    pub actors: Vec<EntityId>,
    /// The maneuvers.
    pub maneuvers: Vec<Maneuver>,
}

/// A maneuver.
#[derive(Clone, Debug)]
pub struct Maneuver {
    /// Its name.
    pub name: String,
    /// Its events.
    pub events: Vec<Event>,
}

/// What an event that starts does to the others of its maneuver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Ends them.
    Override,
    /// Does not start while another runs.
    Skip,
    /// Nothing.
    Parallel,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// What it does to its neighbours.
    pub priority: Priority,
    /// How often it runs.
    pub executions: u32,
    /// Its actions.
    pub actions: Vec<NamedAction>,
    /// When it starts.
    pub start: Trigger,
}

/// An action with its name.
#[derive(Clone, Debug)]
pub struct NamedAction {
    /// Its name.
    pub name: String,
    /// What is done.
    pub action: Action,
}

/// Condition groups, of which one must hold. Without any: a start trigger holds at once, a stop trigger never.
#[derive(Clone, Debug, Default)]
pub struct Trigger {
    /// The groups; all conditions of one must hold.
    pub groups: Vec<Vec<Condition>>,
}

/// Which change of a condition counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It holds.
    None,
    /// It begins to hold.
    Rising,
    /// It ceases to hold.
    Falling,
    /// Either.
    RisingOrFalling,
}

/// A condition.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// How much later it counts, seconds.
    pub delay_s: f64,
    /// Which change counts.
    pub edge: Edge,
    /// What is asked.
    pub kind: ConditionKind,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// >
    GreaterThan,
    /// ≥
    GreaterOrEqual,
    /// <
    LessThan,
    /// ≤
    LessOrEqual,
    /// =, within a millionth
    EqualTo,
    /// ≠
    NotEqualTo,
}

impl Rule {
    /// Whether `value` compares so with `with`.
    pub fn holds(self, value: f64, with: f64) -> bool {
        let equal = (value - with).abs() <= 1e-6;
        match self {
            Self::GreaterThan => value > with && !equal,
            Self::GreaterOrEqual => value > with || equal,
            Self::LessThan => value < with && !equal,
            Self::LessOrEqual => value < with || equal,
            Self::EqualTo => equal,
            Self::NotEqualTo => !equal,
        }
    }
}

/// What a condition asks.
#[derive(Clone, Debug)]
pub enum ConditionKind {
    /// Of one or all of some entities.
    Entities {
        /// Of whom.
        of: Vec<EntityId>,
        /// All of them, or any.
        all: bool,
        /// What.
        what: EntityCondition,
    },
    /// Time since the start, seconds.
    SimulationTime(Rule, f64),
    /// A parameter or variable against a text or number.
    Parameter(String, Rule, String),
    /// State of an element of the storyboard.
    ElementState {
        /// What it is.
        kind: ElementKind,
        /// Its name, or the end of its path joined by `::`.
        reference: String,
        /// The state or transition.
        state: ElementState,
    },
    /// What a signal shows.
    Signal(String, String),
}

/// What an element of a storyboard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// `story`
    Story,
    /// `act`
    Act,
    /// `maneuverGroup`
    ManeuverGroup,
    /// `maneuver`
    Maneuver,
    /// `event`
    Event,
    /// `action`
    Action,
}

/// States that last, and transitions that are true for one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementState {
    /// Waits.
    Standby,
    /// Runs.
    Running,
    /// Is over.
    Complete,
    /// Begins to run.
    StartTransition,
    /// Ends by itself.
    EndTransition,
    /// Is ended.
    StopTransition,
    /// Was kept from running.
    SkipTransition,
}

/// How a distance is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// Between boxes, not reference points.
    pub freespace: bool,
    /// In whose axes.
    pub system: CoordinateSystem,
    /// Along which of them.
    pub along: DistanceType,
}

/// Axes of a distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoordinateSystem {
    /// The entity's.
    Entity,
    /// The road's: along its reference line, through junctions.
    Road,
    /// The lane's: along its middle; as the road's for what is across.
    Lane,
}

/// Direction of a distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistanceType {
    /// Ahead.
    Longitudinal,
    /// Across.
    Lateral,
    /// Straight, in the plane.
    Euclidean,
}

/// What is asked of an entity.
#[derive(Clone, Debug)]
pub enum EntityCondition {
    /// Time until it is where another is now, seconds.
    TimeHeadway(EntityId, Measure, Rule, f64),
    /// Time until it meets another or a place, seconds.
    TimeToCollision(Target, Measure, Rule, f64),
    /// Distance to another, metres.
    RelativeDistance(EntityId, Measure, Rule, f64),
    /// Distance to a place, metres.
    Distance(Position, Measure, Rule, f64),
    /// Is within this many metres of a place.
    ReachPosition(Position, f64),
    /// Has come at least this far since the start, metres.
    TraveledDistance(f64),
    /// Speed, metres a second.
    Speed(Rule, f64),
    /// Speed less another's, metres a second.
    RelativeSpeed(EntityId, Rule, f64),
    /// Size of the acceleration, metres a second squared; backwards is negative.
    Acceleration(Rule, f64),
    /// Stands still for at least this long, seconds.
    StandStill(f64),
    /// Its box touches that of another.
    Collision(EntityId),
    /// Is at the end of the road for at least this long, seconds.
    EndOfRoad(f64),
    /// Is off the road for at least this long, seconds.
    Offroad(f64),
}

/// Another entity or a place.
#[derive(Clone, Debug)]
pub enum Target {
    /// An entity.
    Entity(EntityId),
    /// A place.
    Position(Position),
}

/// An orientation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orientation {
    /// Towards the road, lane or entity the position refers to, not the world's axes.
    pub relative: bool,
    /// Radians, counter-clockwise.
    pub heading_rad: f64,
}

/// A place, still to be found on the roads.
#[derive(Clone, Debug, PartialEq)]
pub enum Position {
    /// In the world's axes.
    World {
        /// Metres.
        x_m: f64,
        /// Metres.
        y_m: f64,
        /// Radians.
        heading_rad: f64,
    },
    /// In an entity's axes.
    RelativeObject {
        /// Whose.
        entity: EntityId,
        /// Ahead and to the left, metres.
        by_m: [f64; 2],
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On a road.
    Road {
        /// The road's id.
        road: String,
        /// Along its reference line, metres.
        s_m: f64,
        /// To the left of it, metres.
        t_m: f64,
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On the road of an entity.
    RelativeRoad {
        /// Whose.
        entity: EntityId,
        /// Along and to the left, metres.
        by_m: [f64; 2],
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On a lane.
    Lane {
        /// The road's id.
        road: String,
        /// The lane's id.
        lane: i32,
        /// Along the road's reference line, metres.
        s_m: f64,
        /// To the left of the lane's middle as the road runs, metres.
        offset_m: f64,
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On a lane beside or ahead of an entity.
    RelativeLane {
        /// Whose.
        entity: EntityId,
        /// Lanes to the left as the entity looks.
        lanes: i32,
        /// Along the road as the entity looks, metres.
        ds_m: f64,
        /// To the left of the lane's middle, metres.
        offset_m: f64,
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On a route.
    Route {
        /// The route.
        route: Route,
        /// Along it, metres.
        s_m: f64,
        /// The lane's id.
        lane: i32,
        /// To the left of the lane's middle as the road runs, metres.
        offset_m: f64,
        /// How it is turned.
        orientation: Option<Orientation>,
    },
}

/// Places that are passed in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// At least two.
    pub waypoints: Vec<Position>,
}

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
