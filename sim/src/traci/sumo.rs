//! SUMO's traffic in our world, and ours in SUMO's.
//!
//! In: a SUMO that waits for us, the snapshot of the step before. Out: its vehicles and people as actors, its signals. Each
//! of our steps is one of SUMO's. Actors of other populations that drive are put into SUMO's network where they are, so
//! that its vehicles follow and mind them. When the connection fails its actors vanish and [`SumoState::error`] says why.

use super::client::{Domain, Results, Traci, TraciError};
use super::launch::Launched;
use super::wire::Value;
use super::words::{class_of, heading_deg, kind_of, lights_of, states_of};
use crate::actor::{Actor, ActorId, ActorKind, LanePosition, Lights, Pose, Role, Size};
use crate::geometry::angle_between;
use crate::roads::{EdgeKind, LaneId, Roads, SignalState, Users};
use crate::snapshot::Snapshot;
use crate::world::{Command, Population, SignalControl};
use nalgebra::Point3;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The population that SUMO's actors belong to.
pub const POPULATION: u8 = 201;

mod variable {
    pub(super) const LIGHTS: u8 = 0x20;
    pub(super) const DEPARTED_PEOPLE: u8 = 0x25;
    pub(super) const POSITION: u8 = 0x39;
    pub(super) const SLOPE: u8 = 0x36;
    pub(super) const SPEED: u8 = 0x40;
    pub(super) const ANGLE: u8 = 0x43;
    pub(super) const LENGTH: u8 = 0x44;
    pub(super) const CLASS: u8 = 0x49;
    pub(super) const WIDTH: u8 = 0x4d;
    pub(super) const LANE: u8 = 0x51;
    pub(super) const LANE_POSITION: u8 = 0x56;
    pub(super) const SIGNALS: u8 = 0x5b;
    pub(super) const ACCELERATION: u8 = 0x72;
    pub(super) const DEPARTED: u8 = 0x74;
    pub(super) const ADD: u8 = 0x80;
    pub(super) const REMOVE: u8 = 0x81;
    pub(super) const ADD_FULL: u8 = 0x85;
    pub(super) const MOVE_TO: u8 = 0xb4;
    pub(super) const HEIGHT: u8 = 0xbc;
    pub(super) const IN_VEHICLE: u8 = 0xc3;
    pub(super) const ALL: u8 = 0x00;
}

/// SUMO's numbers that say "none".
const NONE: f64 = -1e9;
/// Names of our vehicles in SUMO.
const OURS: &str = "masa-";

/// How the co-simulation is.
#[derive(Clone, Debug, Default)]
pub struct SumoState {
    /// Vehicles of SUMO that departed.
    pub vehicles: u64,
    /// People of SUMO that departed.
    pub people: u64,
    /// Our actors that are in SUMO now.
    pub mirrored: usize,
    /// What SUMO refused of ours.
    pub refused: u64,
    /// Why it ended.
    pub error: Option<String>,
}

/// Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct SumoHandle(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    state: SumoState,
    signals: Vec<Vec<SignalState>>,
    names: BTreeMap<ActorId, String>,
}

impl SumoHandle {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the co-simulation is.
    pub fn state(&self) -> SumoState {
        self.lock().state.clone()
    }

    /// SUMO's name of an actor.
    pub fn name_of(&self, actor: ActorId) -> Option<String> {
        self.lock().names.get(&actor).cloned()
    }

    /// SUMO decides the signals, of a network that was read from the same file.
    pub fn signals(&self) -> Box<dyn SignalControl> {
        Box::new(SumoSignals(self.clone()))
    }
}

#[derive(Debug)]
struct SumoSignals(SumoHandle);

impl SignalControl for SumoSignals {
    fn states(&mut self, _: &Snapshot) -> Vec<Vec<SignalState>> {
        self.0.lock().signals.clone()
    }
}

/// SUMO's traffic.
#[derive(Debug)]
pub struct Sumo {
    launched: Option<Launched>,
    roads: Arc<Roads>,
    lanes: BTreeMap<String, LaneId>,
    actors: BTreeMap<String, Actor>,
    next: u32,
    /// Ours that are in SUMO.
    mirrored: BTreeMap<ActorId, String>,
    /// Ours that SUMO does not take.
    refused: BTreeSet<ActorId>,
    handle: SumoHandle,
}

impl Sumo {
    /// SUMO's traffic on a network that was read from the same file.
    ///
    /// # Errors
    /// [`TraciError`]
    pub fn new(launched: Launched, roads: Arc<Roads>) -> Result<Self, TraciError> {
        let lanes = roads.lanes.iter().enumerate().map(|(at, lane)| (lane.name.clone(), LaneId(at as u32))).collect();
        let mut sumo = Self {
            launched: None,
            roads,
            lanes,
            actors: BTreeMap::new(),
            next: 0,
            mirrored: BTreeMap::new(),
            refused: BTreeSet::new(),
            handle: SumoHandle::default(),
        };
        sumo.begin(launched)?;
        Ok(sumo)
    }

    /// What tells how it is while the world has it.
    pub fn handle(&self) -> SumoHandle {
        self.handle.clone()
    }

    fn begin(&mut self, mut launched: Launched) -> Result<(), TraciError> {
        let traci = &mut launched.traci;
        traci.subscribe(Domain::Simulation, "", &[variable::DEPARTED, variable::DEPARTED_PEOPLE])?;
        let mut signals: Vec<Vec<SignalState>> =
            self.roads.signals.iter().map(|signal| signal.states_at(0.0)).collect();
        for (signal, shown) in self.roads.signals.iter().zip(&mut signals) {
            let results = traci.subscribe(Domain::Lights, &signal.name, &[variable::LIGHTS])?;
            if let Some(states) = results.values().next().and_then(|values| values.get(&variable::LIGHTS)) {
                *shown = states.text().map(states_of).unwrap_or_default();
            }
        }
        self.handle.lock().signals = signals;
        // What departs before the first step.
        for (domain, list) in [(Domain::Vehicle, variable::ALL), (Domain::Person, variable::ALL)] {
            if let Value::Texts(names) = traci.get(domain, list, "")? {
                self.meet(traci, domain, &names)?;
            }
        }
        self.launched = Some(launched);
        Ok(())
    }

    /// New ones of SUMO: their sizes, and subscriptions to what changes.
    fn meet(&mut self, traci: &mut Traci, domain: Domain, names: &[String]) -> Result<(), TraciError> {
        use variable::*;
        for name in names.iter().filter(|name| !name.starts_with(OURS)) {
            let mut number = |what| Ok::<_, TraciError>(traci.get(domain, what, name)?.number());
            let extent = [number(LENGTH)?, number(WIDTH)?, number(HEIGHT)?];
            let (kind, role) = match domain {
                Domain::Person => (ActorKind::Adult, Role::Ordinary),
                _ => kind_of(traci.get(domain, CLASS, name)?.text().unwrap_or_default()),
            };
            let usual = kind.usual_size();
            let size = match extent {
                // SUMO's people are as long as they are wide.
                [Some(length_m), Some(width_m), Some(height_m)] if domain == Domain::Vehicle => Size {
                    length_m: length_m.clamp(0.2, 100.0),
                    width_m: width_m.clamp(0.2, 10.0),
                    height_m: height_m.clamp(0.2, 10.0),
                },
                _ => usual,
            };
            let changing: &[u8] = match domain {
                Domain::Person => &[POSITION, ANGLE, SPEED, IN_VEHICLE],
                _ => &[POSITION, ANGLE, SPEED, ACCELERATION, SLOPE, LANE, LANE_POSITION, SIGNALS],
            };
            traci.subscribe(domain, name, changing)?;
            self.next += 1;
            let id = ActorId::of(POPULATION, self.next);
            let mut shared = self.handle.lock();
            match domain {
                Domain::Person => shared.state.people += 1,
                _ => shared.state.vehicles += 1,
            }
            shared.names.insert(id, name.clone());
            drop(shared);
            let actor = Actor {
                id,
                kind,
                role,
                pose: Pose { position: Point3::new(NONE, NONE, 0.0), yaw_rad: 0.0, pitch_rad: 0.0 },
                speed_mps: 0.0,
                acceleration_mps2: 0.0,
                yaw_rate_rps: 0.0,
                size,
                lights: Lights::default(),
                appearance: self.next,
                on_lane: None,
                connected: false,
            };
            self.actors.insert(key(domain, name), actor);
        }
        Ok(())
    }

    fn advance(&mut self, before: &Snapshot, step_s: f64) -> Result<(), TraciError> {
        let Some(mut launched) = self.launched.take() else { return Ok(()) };
        self.mirror(&mut launched.traci, before)?;
        let results = launched.traci.step()?;
        let texts = |what| match results.get(&(Domain::Simulation, String::new())).and_then(|values| values.get(&what))
        {
            Some(Value::Texts(names)) => names.clone(),
            _ => Vec::new(),
        };
        let (vehicles, people) = (texts(variable::DEPARTED), texts(variable::DEPARTED_PEOPLE));
        self.take(&results, step_s);
        self.meet(&mut launched.traci, Domain::Vehicle, &vehicles)?;
        self.meet(&mut launched.traci, Domain::Person, &people)?;
        self.launched = Some(launched);
        Ok(())
    }

    /// Puts our vehicles where they are in SUMO, and takes out those that are gone.
    fn mirror(&mut self, traci: &mut Traci, before: &Snapshot) -> Result<(), TraciError> {
        let drives = |actor: &&Actor| actor.id.population() != POPULATION && class_of(actor.kind).is_some();
        let ours: BTreeMap<ActorId, &Actor> =
            before.actors.iter().filter(drives).map(|actor| (actor.id, actor)).collect();
        let gone: Vec<ActorId> = self.mirrored.keys().copied().filter(|id| !ours.contains_key(id)).collect();
        for id in gone {
            if let Some(name) = self.mirrored.remove(&id) {
                // 3: vaporised.
                let _ = refusals(traci.set(Domain::Vehicle, variable::REMOVE, &name, &Value::Byte(3)))?;
            }
        }
        for (id, actor) in ours {
            if !self.mirrored.contains_key(&id) && !self.refused.contains(&id) {
                match self.add(traci, actor)? {
                    Some(name) => {
                        self.mirrored.insert(id, name);
                    }
                    None => {
                        self.refused.insert(id);
                        self.handle.lock().state.refused += 1;
                    }
                }
            }
            if let Some(name) = self.mirrored.get(&id) {
                let front_m = actor.size.length_m / 2.0;
                let (sin, cos) = actor.pose.yaw_rad.sin_cos();
                let p = actor.pose.position;
                let to = Value::Compound(vec![
                    Value::Text(String::new()),
                    Value::Integer(-1),
                    Value::Double(p.x + front_m * cos),
                    Value::Double(p.y + front_m * sin),
                    Value::Double(heading_deg(actor.pose.yaw_rad)),
                    // It may be anywhere, off the roads too.
                    Value::Byte(2),
                ]);
                if refusals(traci.set(Domain::Vehicle, variable::MOVE_TO, name, &to))?.is_some() {
                    self.handle.lock().state.refused += 1;
                }
            }
        }
        self.handle.lock().state.mirrored = self.mirrored.len();
        Ok(())
    }

    /// Adds one of ours to SUMO; its name there, or `None` if SUMO refuses.
    fn add(&self, traci: &mut Traci, actor: &Actor) -> Result<Option<String>, TraciError> {
        let Some(class) = class_of(actor.kind) else { return Ok(None) };
        let here = actor.pose.position.xy();
        let on = self
            .roads
            .lanes
            .iter()
            .filter(|lane| lane.users.intersects(Users::ROAD) && self.roads.edge(lane.edge).kind == EdgeKind::Road);
        let nearest = on.min_by(|a, b| {
            let away =
                |lane: &crate::roads::Lane| lane.centre.project(here).map_or(f64::INFINITY, |at| at.offset_m.abs());
            away(a).total_cmp(&away(b))
        });
        let Some(lane) = nearest else { return Ok(None) };
        let name = format!("{OURS}{}", actor.id.0);
        let edge = self.roads.edge(lane.edge).name.clone();
        let text = |text: &str| Value::Text(text.to_owned());
        let spec = Value::Compound(vec![
            text(&name),
            text("DEFAULT_VEHTYPE"),
            text("now"),
            text("first"),
            text("base"),
            text("0"),
            text("current"),
            text("max"),
            text("current"),
            text(""),
            text(""),
            text(""),
            Value::Integer(0),
            Value::Integer(0),
        ]);
        let steps: [(Domain, u8, Value); 6] = [
            (Domain::Route, variable::ADD, Value::Texts(vec![edge])),
            (Domain::Vehicle, variable::ADD_FULL, spec),
            (Domain::Vehicle, variable::CLASS, text(class)),
            (Domain::Vehicle, variable::LENGTH, Value::Double(actor.size.length_m)),
            (Domain::Vehicle, variable::WIDTH, Value::Double(actor.size.width_m)),
            (Domain::Vehicle, variable::HEIGHT, Value::Double(actor.size.height_m)),
        ];
        for (domain, what, value) in steps {
            if let Some(reason) = refusals(traci.set(domain, what, &name, &value))? {
                tracing::warn!(actor = actor.id.0, reason, "SUMO does not take an actor of ours");
                return Ok(None);
            }
        }
        Ok(Some(name))
    }

    /// Takes over where SUMO's are.
    fn take(&mut self, results: &Results, step_s: f64) {
        use variable::*;
        let mut seen = BTreeSet::new();
        for ((domain, name), values) in results {
            let number = |what: u8| values.get(&what).and_then(Value::number).filter(|value| *value > NONE);
            if *domain == Domain::Lights {
                let place = self.roads.signals.iter().position(|signal| signal.name == *name);
                if let (Some(place), Some(states)) = (place, values.get(&LIGHTS).and_then(Value::text)) {
                    self.handle.lock().signals[place] = states_of(states);
                }
                continue;
            }
            let key = key(*domain, name);
            let Some(actor) = self.actors.get_mut(&key) else { continue };
            let Some(Value::Position3([x, y, z])) = values.get(&POSITION).cloned() else { continue };
            let aboard = values.get(&IN_VEHICLE).and_then(Value::text).is_some_and(|vehicle| !vehicle.is_empty());
            seen.insert(key);
            if x <= NONE || aboard {
                // Between two places, or in a vehicle: it is nowhere to be seen.
                actor.pose.position.x = NONE;
                continue;
            }
            let was = actor.pose;
            let yaw_rad = number(ANGLE).map_or(was.yaw_rad, |angle| angle_between((90.0 - angle).to_radians(), 0.0));
            let (sin, cos) = yaw_rad.sin_cos();
            // SUMO's place of a vehicle is the middle of its front.
            let back_m = if *domain == Domain::Vehicle { actor.size.length_m / 2.0 } else { 0.0 };
            let pitch_rad = number(SLOPE).unwrap_or_default().to_radians();
            actor.pose = Pose {
                position: Point3::new(x - back_m * cos, y - back_m * sin, if z > NONE { z } else { 0.0 }),
                yaw_rad,
                pitch_rad,
            };
            actor.yaw_rate_rps = if was.position.x > NONE { angle_between(yaw_rad, was.yaw_rad) / step_s } else { 0.0 };
            actor.speed_mps = number(SPEED).unwrap_or_default();
            actor.acceleration_mps2 = number(ACCELERATION).unwrap_or_default();
            let signals = number(SIGNALS).unwrap_or_default() as u32;
            actor.lights = lights_of(signals);
            let lane = values.get(&LANE).and_then(Value::text).and_then(|lane| self.lanes.get(lane));
            actor.on_lane = lane.zip(number(LANE_POSITION)).map(|(lane, s_m)| LanePosition {
                lane: *lane,
                s_m,
                offset_m: self.roads.lane(*lane).centre.project(actor.pose.position.xy()).map_or(0.0, |at| at.offset_m),
            });
        }
        let before = self.actors.len();
        self.actors.retain(|key, actor| seen.contains(key) || actor.pose.position.x <= NONE && !was_seen(actor));
        if self.actors.len() < before {
            let here: BTreeSet<ActorId> = self.actors.values().map(|actor| actor.id).collect();
            self.handle.lock().names.retain(|id, _| here.contains(id));
        }
    }
}

/// Whether an actor has had a state from SUMO since it departed.
fn was_seen(actor: &Actor) -> bool {
    actor.pose.position.y > NONE
}

/// Vehicles and people may have the same name.
fn key(domain: Domain, name: &str) -> String {
    format!("{} {name}", if domain == Domain::Person { "person" } else { "vehicle" })
}

/// What SUMO refuses is a reason; what breaks the connection is an error.
fn refusals(result: Result<(), TraciError>) -> Result<Option<String>, TraciError> {
    match result {
        Ok(()) => Ok(None),
        Err(TraciError::Refused { reason, .. }) => Ok(Some(reason)),
        Err(error) => Err(error),
    }
}

impl Population for Sumo {
    fn step(&mut self, before: &Snapshot, _: &[Vec<SignalState>], step_s: f64) {
        if let Err(error) = self.advance(before, step_s) {
            tracing::error!(%error, "the co-simulation has ended");
            self.actors.clear();
            self.handle.lock().state.error = Some(error.to_string());
        }
    }

    fn write(&self, into: &mut Vec<Actor>) {
        into.extend(self.actors.values().filter(|actor| actor.pose.position.x > NONE).cloned());
    }

    fn command(&mut self, id: ActorId, command: Command) -> bool {
        let Some(name) = self.handle.name_of(id) else { return false };
        let Some(launched) = &mut self.launched else { return false };
        let value = match command {
            Command::LimitSpeed(limit) => (0x41, Value::Double(limit.unwrap_or(100.0))),
            Command::Remove => (variable::REMOVE, Value::Byte(3)),
            // −1 leaves the speed to SUMO's driver again.
            Command::Release => (variable::SPEED, Value::Double(-1.0)),
            Command::Brake(_) | Command::ChangeLane(_) | Command::Control { .. } => return false,
        };
        launched.traci.set(Domain::Vehicle, value.0, &name, &value.1).is_ok()
    }
}
