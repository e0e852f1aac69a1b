//! A scenario as data: what OpenSCENARIO's elements say, references resolved, nothing left to look up by name but the
//! storyboard's own elements.

mod action;
mod condition;
mod position;

pub use action::*;
pub use condition::*;
pub use position::*;

use crate::actor::{ActorKind, Role, Size};
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
