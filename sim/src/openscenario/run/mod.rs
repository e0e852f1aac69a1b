//! A scenario that runs: its entities as a population.
//!
//! In: a [`Scenario`], the road coordinates of its network, steps. Out: actors, what signals and weather should be, and
//! whether the storyboard has ended. Invariants: in a step first the conditions are asked of the state at the step's
//! beginning, then actions that began change speeds and places; so the order of entities changes nothing, save that of
//! actions on the same entity. A transition of an element can be seen by conditions in the step after it.

mod actions;
mod body;
mod conditions;
mod elements;
mod places;
mod shape;
mod trajectory;

use super::error::Error;
use super::model::{Action, EntityId, Scenario};
use super::network::Network;
use crate::actor::{Actor, ActorId, LanePosition, Lights, Pose};
use crate::roads::{LaneId, Roads, SignalState};
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use crate::world::{Command, Population};
use actions::Running;
use body::Body;
use elements::Elements;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What a storyboard says to those who run it.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// When the stop trigger held, seconds; the entities go on moving.
    pub ended_s: Option<f64>,
    /// What signals show by the scenario, by name: the standard's text.
    pub signals: BTreeMap<String, String>,
    /// Light and weather by the scenario, if it says.
    pub weather: Option<Weather>,
    /// Elements that began or ended: time, path, transition.
    pub log: Vec<(f64, String, &'static str)>,
}

/// Most entries of [`Status::log`].
const MAX_LOG: usize = 10_000;

/// A scenario that runs.
#[derive(Debug)]
pub struct Storyboard {
    population: u8,
    scenario: Arc<Scenario>,
    network: Arc<Network>,
    bodies: Vec<Body>,
    elements: Elements,
    running: Vec<Running>,
    parameters: BTreeMap<String, String>,
    status: Arc<Mutex<Status>>,
    lanes: BTreeMap<String, LaneId>,
    roads: Option<Arc<Roads>>,
}

impl Storyboard {
    /// The scenario at time 0, its initial actions done. Its actors are those of population number `population`; with
    /// `roads`, the same network as `network`, they know their lanes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an initial position that is not on the network, or a storyboard element that is not there.
    pub fn new(
        scenario: Arc<Scenario>,
        network: Arc<Network>,
        roads: Option<Arc<Roads>>,
        population: u8,
    ) -> Result<Self, Error> {
        let elements = Elements::new(&scenario)?;
        let lanes = roads.iter().flat_map(|roads| roads.lanes.iter().enumerate());
        let mut storyboard = Self {
            population,
            bodies: vec![Body::default(); scenario.entities.len()],
            parameters: scenario.parameters.clone(),
            lanes: lanes.map(|(at, lane)| (lane.name.clone(), LaneId(at as u32))).collect(),
            scenario,
            network,
            elements,
            running: Vec::new(),
            status: Arc::default(),
            roads,
        };
        storyboard.init()?;
        Ok(storyboard)
    }

    /// What the storyboard says while the world has it.
    pub fn status(&self) -> Arc<Mutex<Status>> {
        self.status.clone()
    }

    /// The actor of an entity.
    pub fn actor_id(&self, entity: EntityId) -> ActorId {
        ActorId::of(self.population, entity.0 as u32)
    }

    fn init(&mut self) -> Result<(), Error> {
        let scenario = self.scenario.clone();
        let failed =
            |what: String| Error::Invalid { place: super::Place { file: scenario.file.clone(), line: 1 }, what };
        // Entities may stand relative to others that the file places later.
        let (mut teleports, others): (Vec<_>, Vec<_>) =
            scenario.init.iter().partition(|init| matches!(init.action, Action::Teleport(_)));
        while !teleports.is_empty() {
            let before = teleports.len();
            teleports.retain(|init| match (&init.entity, &init.action) {
                (Some(entity), Action::Teleport(position)) => !self.teleport(*entity, position),
                _ => false,
            });
            if teleports.len() == before {
                let name = teleports[0].entity.map_or("", |entity| &scenario.entities[entity.0].name);
                return Err(failed(format!("the position of {name:?} is not on the roads")));
            }
        }
        for init in others {
            let actors: Vec<_> = init.entity.into_iter().collect();
            self.begin(None, &init.action, &actors, 0.0);
        }
        // What takes no time is done at time 0, so that speeds are right from the start.
        self.progress(0.0, 0.0);
        Ok(())
    }

    fn note(&self, log: Vec<(f64, String, &'static str)>) {
        if let Ok(mut status) = self.status.lock() {
            let room = MAX_LOG.saturating_sub(status.log.len());
            status.log.extend(log.into_iter().take(room));
        }
    }

    fn on_lane(&self, body: &Body, length_m: f64) -> Option<LanePosition> {
        let place = body.place.as_ref()?;
        let section = self.network.section(place.road, place.s_m);
        let name = format!("{}.{section}.{}", self.network.road_name(place.road), place.lane);
        let lane = *self.lanes.get(&name)?;
        let line = &self.roads.as_ref()?.lane(lane).centre;
        let at = line.project(body.position.xy())?;
        Some(LanePosition { lane, s_m: at.s_m + length_m / 2.0, offset_m: at.offset_m })
    }
}

impl Population for Storyboard {
    fn step(&mut self, before: &Snapshot, _: &[Vec<SignalState>], step_s: f64) {
        let now = before.time_s;
        let mut elements = std::mem::take(&mut self.elements);
        let log = elements.update(self, now);
        self.elements = elements;
        self.note(log);
        self.progress(now, step_s);
        self.move_bodies(step_s);
    }

    fn write(&self, into: &mut Vec<Actor>) {
        for (at, (entity, body)) in self.scenario.entities.iter().zip(&self.bodies).enumerate() {
            if !body.visible {
                continue;
            }
            let (sin, cos) = body.yaw_rad.sin_cos();
            let [x, y] = entity.centre_m;
            let mut position = body.position;
            position.x += x * cos - y * sin;
            position.y += x * sin + y * cos;
            into.push(Actor {
                id: self.actor_id(EntityId(at)),
                kind: entity.kind,
                role: entity.role,
                pose: Pose { position, yaw_rad: body.yaw_rad, pitch_rad: 0.0 },
                speed_mps: body.speed_mps,
                acceleration_mps2: body.acceleration_mps2,
                yaw_rate_rps: body.yaw_rate_rps,
                size: entity.size,
                lights: Lights { brake: body.acceleration_mps2 < -0.5, ..Lights::default() },
                appearance: at as u32,
                on_lane: self.on_lane(body, entity.size.length_m + 2.0 * x),
                connected: false,
            });
        }
    }

    fn command(&mut self, id: ActorId, command: Command) -> bool {
        if id.population() != self.population {
            return false;
        }
        let Some(body) = self.bodies.get_mut((id.0 & 0xff_ffff) as usize) else { return false };
        match command {
            Command::LimitSpeed(limit) => body.limit_mps = limit,
            Command::Brake(brake) => body.brake_mps2 = brake,
            Command::Release => (body.limit_mps, body.brake_mps2) = (None, None),
            Command::Remove => body.visible = false,
            Command::ChangeLane(_) | Command::Control { .. } => return false,
        }
        true
    }
}
