//! Those who follow a script: a population.
//!
//! In: ways, speeds and actions of a scenario; commands. Out: actors. Each moves along its way; drivers stop at red and
//! brake for what they see, unless the script says that they do not look. Invariants: as of every population; what an
//! actor does follows from the snapshot before and its own state alone.

mod motion;
mod sight;

use super::route::Way;
use super::{ActionSettings, ActorSettings, Attention, Scenario, ScenarioError, SignalsPolicy, When};
use crate::actor::{Actor, ActorId, ActorKind, LanePosition, Lights, Pose, Size};
use crate::roads::{Roads, SignalState};
use crate::snapshot::Snapshot;
use crate::world::{Command, Population};
use motion::{hardest_mps2, usual_mps2};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Number of this population in actor ids.
pub const POPULATION: u8 = 100;
/// Speed across the way while changing lanes, metres a second.
const SIDEWAYS_MPS: f64 = 1.2;

/// One who follows a script.
#[derive(Debug)]
struct Scripted {
    settings: ActorSettings,
    id: ActorId,
    size: Size,
    way: Arc<Way>,
    s_m: f64,
    speed_mps: f64,
    acceleration_mps2: f64,
    yaw_rate_rps: f64,
    offset_m: f64,
    wanted_offset_m: f64,
    wanted_mps: f64,
    usual_mps2: f64,
    attention: Attention,
    lights: Lights,
    /// Of each action, when it was done.
    done_at: Vec<Option<f64>>,
    /// Since when each of those in the way is seen.
    seen: BTreeMap<ActorId, f64>,
    limit_mps: Option<f64>,
    brake_mps2: Option<f64>,
    removed: bool,
}

/// The scripted actors of a scenario.
#[derive(Debug)]
pub struct ScriptedPopulation {
    actors: Vec<Scripted>,
    roads: Arc<Roads>,
    ids: BTreeMap<String, ActorId>,
    repeat_s: Option<f64>,
    /// When the script began, or began anew.
    began_s: f64,
}

/// Ids of the scripted actors of a scenario, by name.
pub fn ids(scenario: &Scenario) -> BTreeMap<String, ActorId> {
    scenario.actors.iter().zip(0..).map(|(actor, number)| (actor.id.clone(), ActorId::of(POPULATION, number))).collect()
}

impl ScriptedPopulation {
    /// Puts everybody where the scenario says.
    ///
    /// # Errors
    /// When a way cannot be found on the map.
    pub fn new(scenario: &Scenario, roads: &Arc<Roads>) -> Result<Self, ScenarioError> {
        let ids = ids(scenario);
        let actors = scenario.actors.iter().map(|settings| {
            let way = if settings.drive_m.is_empty() {
                Way::through(&settings.path_m)
            } else {
                Way::on_lanes(roads, &settings.drive_m)
                    .map_err(|what| scenario.wrong(format!("actor `{}`: {what}", settings.id)))?
            };
            let connected = settings.station_id.is_some();
            tracing::debug!(actor = settings.id, length_m = way.line.length_m(), connected, "scripted");
            Ok(Scripted::new(ids[&settings.id], settings, Arc::new(way)))
        });
        let actors = actors.collect::<Result<_, ScenarioError>>()?;
        Ok(Self { actors, roads: roads.clone(), ids, repeat_s: scenario.repeat_s, began_s: 0.0 })
    }

    /// The ways of the actors, by id: what their own navigation knows.
    pub fn ways(&self) -> BTreeMap<ActorId, Arc<Way>> {
        self.actors.iter().map(|actor| (actor.id, actor.way.clone())).collect()
    }
}

impl Population for ScriptedPopulation {
    fn step(&mut self, before: &Snapshot, signals: &[Vec<SignalState>], step_s: f64) {
        if self.repeat_s.is_some_and(|repeat_s| before.time_s >= self.began_s + repeat_s) {
            self.began_s = before.time_s;
            for actor in &mut self.actors {
                *actor = Scripted::new(actor.id, &actor.settings, actor.way.clone());
            }
        }
        let Self { actors, roads, ids, began_s, .. } = self;
        for actor in actors.iter_mut().filter(|actor| !actor.removed) {
            actor.act(before, *began_s, ids, signals);
            let wanted_mps2 = actor.wanted_acceleration(before, roads, signals, step_s);
            actor.advance(wanted_mps2, before.weather.grip(), step_s);
        }
    }

    fn write(&self, into: &mut Vec<Actor>) {
        into.extend(self.actors.iter().filter(|actor| !actor.removed).map(Scripted::state));
    }

    fn command(&mut self, id: ActorId, command: Command) -> bool {
        let Some(actor) = self.actors.iter_mut().find(|actor| actor.id == id && !actor.removed) else { return false };
        match command {
            Command::LimitSpeed(limit_mps) => actor.limit_mps = limit_mps,
            Command::Brake(brake_mps2) => actor.brake_mps2 = brake_mps2,
            Command::ChangeLane(places) => actor.wanted_offset_m += f64::from(places) * 3.25,
            Command::Release => (actor.limit_mps, actor.brake_mps2) = (None, None),
            Command::Remove => actor.removed = true,
            Command::Control { .. } => return false,
        }
        true
    }
}

impl Scripted {
    /// At the beginning of the script.
    fn new(id: ActorId, settings: &ActorSettings, way: Arc<Way>) -> Self {
        Self {
            id,
            size: settings.kind.usual_size(),
            s_m: settings.start_m,
            speed_mps: settings.speed_mps,
            acceleration_mps2: 0.0,
            yaw_rate_rps: 0.0,
            offset_m: 0.0,
            wanted_offset_m: 0.0,
            wanted_mps: settings.speed_mps,
            usual_mps2: settings.acceleration_mps2.unwrap_or_else(|| usual_mps2(settings.kind)),
            attention: settings.attention,
            lights: Lights { beacon: settings.beacon, ..Lights::default() },
            done_at: vec![None; settings.actions.len()],
            seen: BTreeMap::new(),
            limit_mps: None,
            brake_mps2: None,
            removed: false,
            way,
            settings: settings.clone(),
        }
    }

    /// Does what the script says now.
    fn act(&mut self, before: &Snapshot, began_s: f64, ids: &BTreeMap<String, ActorId>, signals: &[Vec<SignalState>]) {
        for place in 0..self.settings.actions.len() {
            if self.done_at[place].is_some() {
                continue;
            }
            let ActionSettings { when, then } = self.settings.actions[place].clone();
            if !self.holds(&when, place, (before, before.time_s - began_s), ids, signals) {
                continue;
            }
            self.done_at[place] = Some(before.time_s);
            self.wanted_mps = then.speed_mps.unwrap_or(self.wanted_mps);
            self.usual_mps2 = then.acceleration_mps2.unwrap_or(self.usual_mps2);
            self.wanted_offset_m = then.offset_m.unwrap_or(self.wanted_offset_m);
            self.lights.beacon = then.beacon.unwrap_or(self.lights.beacon);
            self.attention = then.attention.unwrap_or(self.attention);
            if let Some(on) = then.hazard_lights {
                (self.lights.left, self.lights.right) = (on, on);
            }
            self.removed |= then.remove;
        }
    }

    fn holds(
        &self,
        when: &When,
        place: usize,
        (before, script_s): (&Snapshot, f64),
        ids: &BTreeMap<String, ActorId>,
        signals: &[Vec<SignalState>],
    ) -> bool {
        let actor = |name: &str| ids.get(name).and_then(|id| before.actor(*id));
        let here = self.state().pose.position.xy();
        let before_it = place.checked_sub(1).and_then(|previous| self.done_at[previous]);
        when.at_s.is_none_or(|at_s| script_s >= at_s)
            && when.reached_m.is_none_or(|reached_m| self.s_m >= reached_m)
            && when.near.as_ref().is_none_or(|near| {
                actor(&near.actor).is_some_and(|other| (other.pose.position.xy() - here).norm() <= near.distance_m)
            })
            && when.actor_at.as_ref().is_none_or(|at| {
                let point = nalgebra::Point2::from(at.point_m);
                actor(&at.actor).is_some_and(|other| (other.pose.position.xy() - point).norm() <= at.radius_m)
            })
            && when
                .signal
                .as_ref()
                .is_none_or(|signal| self.next_signal(signals).is_some_and(|(_, state)| signal.shows.is(state)))
            && when.after_s.is_none_or(|after_s| before_it.is_some_and(|done_s| before.time_s >= done_s + after_s))
    }

    /// The next stop line ahead: how far from the front, and what its signal shows.
    fn next_signal(&self, signals: &[Vec<SignalState>]) -> Option<(f64, SignalState)> {
        let front_m = self.s_m + self.size.length_m / 2.0;
        let (at_m, controller, link) = self.way.signals.iter().find(|(at_m, ..)| *at_m >= front_m - 0.5)?;
        let state = signals.get(controller.index())?.get(usize::from(*link))?;
        Some((at_m - front_m, *state))
    }

    /// What it would do, metres a second squared.
    fn wanted_acceleration(
        &mut self,
        before: &Snapshot,
        roads: &Roads,
        signals: &[Vec<SignalState>],
        step_s: f64,
    ) -> f64 {
        let wanted_mps = self.wanted_mps.min(self.limit_mps.unwrap_or(f64::INFINITY));
        let towards = (wanted_mps - self.speed_mps) / step_s;
        let mut wanted = towards.clamp(-self.usual_mps2, self.usual_mps2);
        if self.settings.signals == SignalsPolicy::Obey
            && let Some((distance_m, state)) = self.next_signal(signals)
            && matches!(state, SignalState::Red | SignalState::RedYellow | SignalState::Yellow)
        {
            let needed = self.speed_mps.powi(2) / (2.0 * (distance_m - 0.5).max(0.2));
            // At yellow one who cannot stop comfortably drives on.
            let stops = state != SignalState::Yellow || needed < 3.5;
            if stops && (needed > 1.2 || distance_m < 1.5) {
                wanted = wanted.min(-needed);
            }
        }
        if self.attention == Attention::Full && is_driven(self.settings.kind) {
            let braking_mps2 = self.braking_for_what_is_seen(before, roads);
            // Nobody in the way is no reason not to accelerate.
            wanted = if braking_mps2 > 0.0 { wanted.min(-braking_mps2) } else { wanted };
        }
        match self.brake_mps2 {
            Some(brake_mps2) => wanted.min(-brake_mps2),
            None => wanted,
        }
    }

    /// Moves on by one step.
    fn advance(&mut self, wanted_mps2: f64, grip: f64, step_s: f64) {
        let hardest = hardest_mps2(self.settings.kind) * grip;
        let before_mps = self.speed_mps;
        let yaw_before = self.yaw_rad();
        self.speed_mps = (self.speed_mps + wanted_mps2.max(-hardest) * step_s).max(0.0);
        self.acceleration_mps2 = (self.speed_mps - before_mps) / step_s;
        self.s_m += (self.speed_mps + before_mps) / 2.0 * step_s;
        let sideways = (self.wanted_offset_m - self.offset_m).clamp(-SIDEWAYS_MPS * step_s, SIDEWAYS_MPS * step_s);
        // Wheels do not move sideways on the spot.
        self.offset_m += sideways * (self.speed_mps / 3.0).min(1.0);
        self.yaw_rate_rps = crate::geometry::angle_between(self.yaw_rad(), yaw_before) / step_s;
        self.lights.brake = self.acceleration_mps2 < -0.7 || (self.speed_mps < 0.1 && self.brake_mps2.is_some());
        // At the end of the way it stands, or has left the map.
        if self.way.line.points().len() > 1 && self.s_m >= self.way.line.length_m() {
            self.s_m = self.way.line.length_m();
            self.speed_mps = 0.0;
            self.removed = !self.way.lanes.is_empty();
        }
    }

    fn yaw_rad(&self) -> f64 {
        if self.way.line.points().len() < 2 {
            return masa_v2x_proto::geo::heading_to_yaw_rad(self.settings.heading_deg.to_radians());
        }
        // From axle to axle, so that a corner of the line is a turn and no jump.
        let axle_m = self.size.length_m * 0.3;
        let (Some(rear), Some(front)) = (self.way.at(self.s_m - axle_m), self.way.at(self.s_m + axle_m)) else {
            return 0.0;
        };
        let along = front.point - rear.point;
        along.y.atan2(along.x)
    }

    fn state(&self) -> Actor {
        let yaw_rad = self.yaw_rad();
        let (point, slope) = self.way.at(self.s_m).map_or_else(Default::default, |on| (on.point, on.slope));
        let (sin, cos) = yaw_rad.sin_cos();
        let position = nalgebra::Point3::new(point.x - sin * self.offset_m, point.y + cos * self.offset_m, point.z);
        let front_m = self.s_m + self.size.length_m / 2.0;
        Actor {
            id: self.id,
            kind: self.settings.kind,
            role: self.settings.role,
            pose: Pose { position, yaw_rad, pitch_rad: slope.atan() },
            speed_mps: self.speed_mps,
            acceleration_mps2: self.acceleration_mps2,
            yaw_rate_rps: self.yaw_rate_rps,
            size: self.size,
            lights: self.lights,
            appearance: self.settings.appearance,
            on_lane: self.way.lane_at(front_m).map(|(lane, s_m)| LanePosition { lane, s_m, offset_m: self.offset_m }),
            connected: self.settings.station_id.is_some(),
        }
    }
}

/// Has a driver or rider who looks where it goes; people on foot do what the script says.
fn is_driven(kind: ActorKind) -> bool {
    kind.is_motor_vehicle()
        || matches!(kind, ActorKind::Motorcycle | ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter)
}
