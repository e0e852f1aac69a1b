//! Actions that run: how each changes speed and place in a step.

use super::shape;
use super::trajectory::Follow;
use super::{Body, Storyboard};
use crate::openscenario::model::*;
use crate::openscenario::network::{Network, RoadPlace};

/// An action of an entity that takes time.
#[derive(Debug)]
pub(super) struct Running {
    /// Its element; `None` for an initial action.
    pub(super) element: Option<usize>,
    entity: EntityId,
    /// What it steers, so that a new action of the same kind ends it.
    steers: Steers,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Steers {
    speed: bool,
    side: bool,
}

const SPEED: Steers = Steers { speed: true, side: false };
const SIDE: Steers = Steers { speed: false, side: true };

#[derive(Debug)]
enum Progress {
    /// From one speed to another in a time.
    Speed { from: f64, to: f64, shape: Shape, since_s: f64, duration_s: f64 },
    /// After another's speed, at a rate.
    FollowSpeed { target: TargetSpeed, rate_mps2: f64 },
    /// A distance to another.
    Gap { to: EntityId, gap: Gap, freespace: bool, continuous: bool, trailing: bool, limits: Option<Constraints> },
    /// From one offset to another in a time or way.
    Side { from_m: f64, to_m: f64, shape: Shape, done: f64, duration: f64, by_way: bool },
    /// To a place when another reaches its own.
    Synchronize {
        master: EntityId,
        master_to: RoadPlace,
        to: RoadPlace,
        tolerances_m: [f64; 2],
        speed: Option<FinalSpeed>,
    },
    /// Along a line.
    Follow(Box<Follow>),
    /// Until a place is reached.
    Acquire(RoadPlace),
}

/// How hard an entity accelerates to be in time, where nothing limits it, metres a second squared.
const SYNCHRONIZE_LIMIT_MPS2: f64 = 10.0;

impl Storyboard {
    /// Begins an action of an element for its actors. What takes no time is done at once.
    pub(super) fn begin(&mut self, element: Option<usize>, action: &Action, actors: &[EntityId], now_s: f64) {
        match action {
            Action::SetParameter(name, value) => {
                self.parameters.insert(name.clone(), value.clone());
            }
            Action::ModifyParameter(name, add, times) => {
                if let Some(value) = self.parameters.get_mut(name)
                    && let Ok(number) = value.parse::<f64>()
                {
                    *value = (number * times + add).to_string();
                }
            }
            Action::Signal(name, state) => {
                if let Ok(mut status) = self.status.lock() {
                    status.signals.insert(name.clone(), state.clone());
                }
            }
            Action::Environment(weather) => {
                if let Ok(mut status) = self.status.lock() {
                    status.weather = Some(*weather);
                }
            }
            action => actors.iter().for_each(|entity| self.begin_private(element, action, *entity, now_s)),
        }
    }

    fn begin_private(&mut self, element: Option<usize>, action: &Action, entity: EntityId, now_s: f64) {
        let body = &self.bodies[entity.0];
        let begun = match action {
            Action::Teleport(position) => {
                if self.teleport(entity, position) {
                    self.end_where(entity, SIDE);
                }
                return;
            }
            Action::Visibility(visible) => {
                self.bodies[entity.0].visible = *visible;
                return;
            }
            Action::AssignRoute(route) => {
                if let Some(roads) = self.roads_of(route) {
                    self.bodies[entity.0].route = roads;
                }
                return;
            }
            Action::AcquirePosition(position) => {
                let (Some(from), Some(to)) = (body.place, self.find(position).and_then(|found| found.place)) else {
                    return;
                };
                let Some((_, roads)) = self.network.path(&from, to.road, to.s_m) else { return };
                self.bodies[entity.0].route = roads;
                Some((Steers::default(), Progress::Acquire(to)))
            }
            Action::Speed(dynamics, target) => {
                let (from, to) = (body.speed_mps, self.target_speed(target));
                let duration_s = match dynamics.dimension {
                    // All shapes have the mean of their ends as their mean.
                    Dimension::Distance if dynamics.shape != Shape::Step => {
                        dynamics.value / ((from + to) / 2.0).abs().max(1e-3)
                    }
                    _ => shape::duration_s(dynamics, to - from),
                };
                Some((SPEED, Progress::Speed { from, to, shape: dynamics.shape, since_s: 0.0, duration_s }))
            }
            Action::FollowSpeed(dynamics, target) => {
                let rate_mps2 = if dynamics.shape == Shape::Step { f64::INFINITY } else { dynamics.value };
                Some((SPEED, Progress::FollowSpeed { target: *target, rate_mps2 }))
            }
            Action::LongitudinalDistance { entity: to, gap, freespace, continuous, displacement, constraints } => {
                let way_m = match (body.place, self.bodies[to.0].place) {
                    (Some(from), Some(other)) => self.network.way_m(&from, other.road, other.s_m),
                    _ => None,
                };
                let trailing = match displacement {
                    Displacement::Any => way_m.is_none_or(|way| way >= 0.0),
                    side => *side == Displacement::Trailing,
                };
                let (to, gap, freespace, continuous) = (*to, *gap, *freespace, *continuous);
                Some((SPEED, Progress::Gap { to, gap, freespace, continuous, trailing, limits: *constraints }))
            }
            Action::LaneChange(dynamics, lane, offset_m) => self.lane_change(entity, dynamics, *lane, *offset_m),
            Action::LaneOffset { shape, max_lateral_mps2, target } => body.place.map(|place| {
                // To the left as the entity looks is to the right of the road for one that faces against it.
                let side = if place.along { 1.0 } else { -1.0 };
                let to_m = match target {
                    LaneOffsetTarget::Absolute(offset) => side * offset,
                    LaneOffsetTarget::Relative(other, by) => {
                        side * by + self.bodies[other.0].place.map_or(0.0, |place| place.offset_m)
                    }
                };
                let from_m = place.offset_m;
                let duration = shape::duration_within_s(*shape, to_m - from_m, *max_lateral_mps2);
                (SIDE, Progress::Side { from_m, to_m, shape: *shape, done: 0.0, duration, by_way: false })
            }),
            Action::Synchronize { master, master_position, position, master_tolerance_m, tolerance_m, final_speed } => {
                let place = |position| self.find(position).and_then(|found| found.place);
                place(master_position).zip(place(position)).map(|(master_to, to)| {
                    let tolerances_m = [*master_tolerance_m, *tolerance_m];
                    (SPEED, Progress::Synchronize { master: *master, master_to, to, tolerances_m, speed: *final_speed })
                })
            }
            Action::FollowTrajectory(trajectory, timing) => {
                let follow = Follow::new(self, trajectory, *timing, now_s);
                follow
                    .map(|follow| (Steers { speed: timing.is_some(), side: true }, Progress::Follow(Box::new(follow))))
            }
            // Of the whole world: `begin` has done them. Or nothing to do.
            _ => return,
        };
        let Some((steers, progress)) = begun else { return };
        self.end_where(entity, steers);
        self.running.push(Running { element, entity, steers, progress });
    }

    /// Ends the actions of an entity that steer what a new one does.
    fn end_where(&mut self, entity: EntityId, steers: Steers) {
        self.running.retain(|running| {
            running.entity != entity || !(running.steers.speed && steers.speed || running.steers.side && steers.side)
        });
    }

    fn target_speed(&self, target: &TargetSpeed) -> f64 {
        match target {
            TargetSpeed::Absolute(speed) => *speed,
            TargetSpeed::Delta(other, by) => self.bodies[other.0].speed_mps + by,
            TargetSpeed::Factor(other, by) => self.bodies[other.0].speed_mps * by,
        }
    }

    fn lane_change(
        &mut self,
        entity: EntityId,
        dynamics: &Dynamics,
        lane: TargetLane,
        offset_m: f64,
    ) -> Option<(Steers, Progress)> {
        let mut place = self.bodies[entity.0].place?;
        let lane = match lane {
            TargetLane::Absolute(lane) => lane,
            TargetLane::Relative(other, count) => {
                let at = self.bodies[other.0].place?;
                Network::lane_beside(at.lane, count, at.along)
            }
        };
        let middle_m = self.network.lane_t_m(place.road, place.s_m, lane)?;
        // From now on the entity is in the new lane, far from its middle.
        let from_m = self.network.t_m(&place) - middle_m;
        (place.lane, place.offset_m) = (lane, from_m);
        self.bodies[entity.0].place = Some(place);
        let to_m = if place.along { offset_m } else { -offset_m };
        let by_way = dynamics.dimension == Dimension::Distance && dynamics.shape != Shape::Step;
        let duration = shape::duration_s(dynamics, to_m - from_m);
        Some((SIDE, Progress::Side { from_m, to_m, shape: dynamics.shape, done: 0.0, duration, by_way }))
    }

    /// Moves every running action on by a step; those that are over leave.
    pub(super) fn progress(&mut self, now_s: f64, step_s: f64) {
        let before: Vec<Body> = self.bodies.clone();
        let mut running = std::mem::take(&mut self.running);
        // Speeds first, for what follows a line or lane needs them.
        running.sort_by_key(|running| !running.steers.speed);
        running.retain_mut(|running| {
            let body = &mut self.bodies[running.entity.0];
            let Running { entity, progress, .. } = running;
            let scene = Scene { me: *entity, before: &before, scenario: &self.scenario, network: &self.network };
            !progress.advance(body, &scene, now_s, step_s)
        });
        self.running = running;
        if step_s == 0.0 {
            self.bodies.iter_mut().for_each(|body| body.speed_mps = body.next_speed_mps);
        }
    }
}

/// What an action sees: everybody as they were before the step.
struct Scene<'a> {
    me: EntityId,
    before: &'a [Body],
    scenario: &'a Scenario,
    network: &'a Network,
}

impl Progress {
    /// One step; whether it is over.
    fn advance(&mut self, body: &mut Body, scene: &Scene<'_>, now_s: f64, step_s: f64) -> bool {
        let Scene { before, network, .. } = *scene;
        match self {
            Self::Speed { from, to, shape, since_s, duration_s } => {
                *since_s += step_s;
                let over = *since_s >= *duration_s - 1e-9;
                let share = if over { 1.0 } else { shape::done(*shape, *since_s / *duration_s) };
                body.next_speed_mps = *from + (*to - *from) * share;
                over
            }
            Self::FollowSpeed { target, rate_mps2 } => {
                let to = match target {
                    TargetSpeed::Absolute(speed) => *speed,
                    TargetSpeed::Delta(other, by) => before[other.0].speed_mps + *by,
                    TargetSpeed::Factor(other, by) => before[other.0].speed_mps * *by,
                };
                let most = if rate_mps2.is_finite() { *rate_mps2 * step_s } else { f64::INFINITY };
                body.next_speed_mps = body.speed_mps + (to - body.speed_mps).clamp(-most, most);
                false
            }
            Self::Side { from_m, to_m, shape, done, duration, by_way } => {
                *done += if *by_way { (body.speed_mps + body.next_speed_mps).abs() / 2.0 * step_s } else { step_s };
                let over = *done >= *duration - 1e-9;
                let share = if over { 1.0 } else { shape::done(*shape, *done / *duration) };
                let to = *from_m + (*to_m - *from_m) * share;
                body.next_offset_m = Some(to);
                if *duration == 0.0
                    && let Some(place) = &mut body.place
                {
                    // A jump turns nobody.
                    place.offset_m = to;
                }
                over
            }
            Self::Follow(follow) => {
                let speed = (body.speed_mps + body.next_speed_mps) / 2.0;
                let Some(advance) = follow.advance(now_s, step_s, speed) else { return true };
                body.next_pose = Some((advance.point, advance.yaw_rad, advance.way_m));
                if let Some(speed) = advance.speed_mps.filter(|_| step_s > 0.0) {
                    body.next_speed_mps = speed;
                }
                advance.over
            }
            Self::Acquire(to) => body.place.is_some_and(|at| at.road == to.road && (at.s_m - to.s_m).abs() < 1.0),
            Self::Gap { to, gap, freespace, continuous, trailing, limits } => {
                let other = &before[to.0];
                let (Some(from), Some(at)) = (body.place, other.place) else { return true };
                let Some(way_m) = network.way_m(&from, at.road, at.s_m) else { return true };
                let mut wanted = match gap {
                    Gap::Distance(distance) => *distance,
                    Gap::Time(time) => *time * body.speed_mps.abs(),
                };
                if *freespace {
                    let entity = |id: EntityId| &scene.scenario.entities[id.0];
                    wanted += reach(entity(scene.me), *trailing) + reach(entity(*to), !*trailing);
                }
                let missing_m = if *trailing { way_m - wanted } else { way_m + wanted };
                match limits {
                    None => {
                        // Rigid: it is where it should be, as the other will be.
                        let move_m = missing_m + other.speed_mps * step_s;
                        let (place, _) = network.walk(from, move_m, &body.route);
                        let (point, yaw_rad) = network.pose(&place);
                        body.next_pose = Some((point, yaw_rad + body.turn_rad, move_m));
                        body.next_speed_mps = other.speed_mps;
                    }
                    Some(limits) => {
                        // A spring and damper without overshoot, within the limits.
                        const STIFFNESS: f64 = 0.5;
                        let pull =
                            STIFFNESS * STIFFNESS * missing_m + 2.0 * STIFFNESS * (other.speed_mps - body.speed_mps);
                        let pull = pull.clamp(-limits.deceleration_mps2, limits.acceleration_mps2);
                        body.next_speed_mps = (body.speed_mps + pull * step_s).clamp(0.0, limits.speed_mps);
                    }
                }
                !*continuous && missing_m.abs() < 0.1 && (other.speed_mps - body.speed_mps).abs() < 0.1
            }
            Self::Synchronize { master, master_to, to, tolerances_m, speed } => {
                let other = &before[master.0];
                let (Some(from), Some(at)) = (body.place, other.place) else { return true };
                let ways = (network.way_m(&at, master_to.road, master_to.s_m), network.way_m(&from, to.road, to.s_m));
                let (Some(master_m), Some(way_m)) = ways else { return true };
                let final_mps = speed.map(|speed| match speed {
                    FinalSpeed::Absolute(speed) => speed,
                    FinalSpeed::Delta(by) => other.speed_mps + by,
                    FinalSpeed::Factor(by) => other.speed_mps * by,
                });
                let there = master_m <= tolerances_m[0] && way_m.abs() <= tolerances_m[1];
                let time_s = if other.speed_mps > 1e-3 { master_m / other.speed_mps } else { f64::INFINITY };
                if there || master_m <= 0.0 || time_s <= 2.0 * step_s {
                    body.next_speed_mps = final_mps.unwrap_or(body.speed_mps);
                    return true;
                }
                if time_s.is_finite() && step_s > 0.0 {
                    // The cubic that is there in time, with the speed that is asked for: its acceleration now.
                    let (v, t) = (body.speed_mps, time_s);
                    let acceleration = match final_mps {
                        Some(end) => (6.0 * way_m - 4.0 * v * t - 2.0 * end * t) / (t * t),
                        None => 2.0 * (way_m - v * t) / (t * t),
                    };
                    let limited = acceleration.clamp(-SYNCHRONIZE_LIMIT_MPS2, SYNCHRONIZE_LIMIT_MPS2);
                    body.next_speed_mps = (v + limited * step_s).max(0.0);
                }
                false
            }
        }
    }
}

/// How far an entity's box reaches ahead of its reference point, or behind it, metres.
fn reach(entity: &Entity, ahead: bool) -> f64 {
    entity.size.length_m / 2.0 + if ahead { entity.centre_m[0] } else { -entity.centre_m[0] }
}
