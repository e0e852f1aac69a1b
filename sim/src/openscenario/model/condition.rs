//! Triggers and conditions.

use super::{EntityId, Position};

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
