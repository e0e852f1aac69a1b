//! What clients put on the road: vehicles by hand or with a simple driver, people that walk where they are told, objects.
//!
//! In: spawns, controls, the snapshot of the step before. Out: actors. Vehicles by hand follow the kinematic bicycle model;
//! the driver of the others is [`super::autopilot`]. Numbers are never used again within a world.

use super::autopilot::Driver;
use crate::actor::{Actor, ActorId, ActorKind, Lights, Pose, Role, Size};
use crate::geometry::angle_between;
use crate::random::Seed;
use crate::roads::{Roads, SignalState};
use crate::snapshot::Snapshot;
use crate::world::{Command, Population};
use nalgebra::Vector2;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The population that guests belong to.
pub(crate) const POPULATION: u8 = 200;

/// Most guests at a time.
pub(crate) const MAX_GUESTS: usize = 2000;

/// How a guest moves.
#[derive(Clone, Debug)]
pub(crate) enum Steering {
    /// It stays where it is, or rolls out.
    Idle,
    /// By hand: throttle and brake 0 to 1, steering −1 (right) to 1 (left), backwards.
    Hand { throttle: f64, brake: f64, steer: f64, reverse: bool },
    /// On foot, metres a second.
    Walk(Vector2<f64>),
    /// Its own driver.
    Auto(Driver),
}

/// A guest.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) actor: Actor,
    pub(crate) steering: Steering,
    limit_mps: Option<f64>,
    brake_mps2: Option<f64>,
}

#[derive(Debug, Default)]
struct Inner {
    guests: BTreeMap<u32, Guest>,
    next: u32,
}

/// The guests of a world: one half steps with it, clones speak for clients.
#[derive(Clone, Debug)]
pub(crate) struct Guests {
    inner: Arc<Mutex<Inner>>,
    roads: Arc<Roads>,
    seed: Seed,
}

/// Greatest angle of the front wheels, radians.
const MAX_STEER_RAD: f64 = 0.6;
/// Greatest deceleration of a brake on a dry road, metres a second squared.
const MAX_BRAKE_MPS2: f64 = 8.0;
/// Deceleration without throttle, metres a second squared.
const ROLLING_MPS2: f64 = 0.3;
/// Fastest walk that is taken, metres a second.
const MAX_WALK_MPS: f64 = 12.0;

impl Guests {
    pub(crate) fn new(roads: Arc<Roads>, seed: Seed) -> Self {
        Self { inner: Arc::default(), roads, seed }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Guests hold no invariant that a panic between two writes could break.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one on the road; `None` when there are too many.
    pub(crate) fn spawn(&self, kind: ActorKind, role: Role, pose: Pose, appearance: u32) -> Option<ActorId> {
        let mut inner = self.lock();
        if inner.guests.len() >= MAX_GUESTS {
            return None;
        }
        inner.next += 1;
        let id = ActorId::of(POPULATION, inner.next);
        let actor = Actor {
            id,
            kind,
            role,
            pose,
            speed_mps: 0.0,
            acceleration_mps2: 0.0,
            yaw_rate_rps: 0.0,
            size: kind.usual_size(),
            lights: Lights::default(),
            appearance,
            on_lane: None,
            connected: false,
        };
        let mut guest = Guest { actor, steering: Steering::Idle, limit_mps: None, brake_mps2: None };
        self.find_lane(&mut guest.actor);
        inner.guests.insert(id.0, guest);
        Some(id)
    }

    /// Whether this one is a guest.
    pub(crate) fn has(&self, id: ActorId) -> bool {
        self.lock().guests.contains_key(&id.0)
    }

    /// Takes one off the road; whether it was there.
    pub(crate) fn remove(&self, id: ActorId) -> bool {
        self.lock().guests.remove(&id.0).is_some()
    }

    /// Steers one; whether it is there and can do so.
    pub(crate) fn steer(&self, id: ActorId, steering: Steering) -> bool {
        let mut inner = self.lock();
        let Some(guest) = inner.guests.get_mut(&id.0) else { return false };
        let fits = match steering {
            Steering::Idle => true,
            Steering::Walk(_) => !guest.actor.kind.is_motor_vehicle(),
            Steering::Hand { .. } => has_wheels(guest.actor.kind),
            Steering::Auto(_) => has_wheels(guest.actor.kind),
        };
        if fits {
            guest.steering = steering;
        }
        fits
    }

    /// A driver for one; `None` if it is not on a lane that it may use.
    pub(crate) fn driver(&self, id: ActorId) -> Option<Driver> {
        let actor = self.lock().guests.get(&id.0)?.actor.clone();
        Driver::new(&self.roads, &actor, self.seed)
    }

    /// Puts one somewhere else, standing; whether it is there.
    pub(crate) fn place(&self, id: ActorId, pose: Pose) -> bool {
        let mut inner = self.lock();
        let Some(guest) = inner.guests.get_mut(&id.0) else { return false };
        let actor = &mut guest.actor;
        (actor.pose, actor.speed_mps, actor.acceleration_mps2, actor.yaw_rate_rps) = (pose, 0.0, 0.0, 0.0);
        if matches!(guest.steering, Steering::Auto(_)) {
            guest.steering = match Driver::new(&self.roads, actor, self.seed) {
                Some(driver) => Steering::Auto(driver),
                None => Steering::Idle,
            };
        }
        self.find_lane(&mut guest.actor);
        true
    }

    fn find_lane(&self, actor: &mut Actor) {
        actor.on_lane = super::map::nearest_lane(&self.roads, actor.pose.position.xy(), |_| true)
            .filter(|(lane, place)| place.offset_m.abs() <= self.roads.lane(*lane).width_m / 2.0)
            .map(|(lane, place)| crate::actor::LanePosition {
                lane,
                s_m: place.s_m + actor.size.length_m / 2.0,
                offset_m: place.offset_m,
            });
    }
}

impl Population for Guests {
    fn step(&mut self, before: &Snapshot, signals: &[Vec<SignalState>], step_s: f64) {
        let mut inner = self.lock();
        for guest in inner.guests.values_mut() {
            let (speed, yaw) = (guest.actor.speed_mps, guest.actor.pose.yaw_rad);
            guest.move_on(&self.roads, before, signals, step_s);
            let actor = &mut guest.actor;
            actor.acceleration_mps2 = (actor.speed_mps - speed) / step_s;
            actor.yaw_rate_rps = angle_between(actor.pose.yaw_rad, yaw) / step_s;
            actor.lights.brake = actor.acceleration_mps2 < -0.8 && speed > 0.1;
            actor.lights.low_beam = before.weather.lamps_lit() && actor.kind.is_motor_vehicle();
            self.find_lane(actor);
        }
    }

    fn write(&self, into: &mut Vec<Actor>) {
        into.extend(self.lock().guests.values().map(|guest| guest.actor.clone()));
    }

    fn command(&mut self, id: ActorId, command: Command) -> bool {
        match command {
            Command::Remove => return self.remove(id),
            Command::Control { throttle, brake, steer } => {
                return self.steer(id, Steering::Hand { throttle, brake, steer, reverse: false });
            }
            _ => {}
        }
        let mut inner = self.lock();
        let Some(guest) = inner.guests.get_mut(&id.0) else { return false };
        match command {
            Command::LimitSpeed(limit) => guest.limit_mps = limit,
            Command::Brake(brake) => guest.brake_mps2 = brake,
            Command::Release => (guest.limit_mps, guest.brake_mps2) = (None, None),
            Command::ChangeLane(places) => match &mut guest.steering {
                Steering::Auto(driver) => return driver.change_lane(&self.roads, places),
                _ => return false,
            },
            Command::Remove | Command::Control { .. } => return false,
        }
        true
    }
}

/// Everything that a driver or rider steers.
fn has_wheels(kind: ActorKind) -> bool {
    use ActorKind as K;
    kind.is_motor_vehicle() || matches!(kind, K::Motorcycle | K::Bicycle | K::CargoBike | K::EScooter)
}

impl Guest {
    fn move_on(&mut self, roads: &Roads, before: &Snapshot, signals: &[Vec<SignalState>], step_s: f64) {
        let actor = &mut self.actor;
        let speed = actor.speed_mps;
        let brake_by = self.brake_mps2.unwrap_or_default();
        let limit = self.limit_mps.unwrap_or(f64::INFINITY);
        match &mut self.steering {
            Steering::Auto(driver) => {
                let wanted = driver.speed_after(roads, before, signals, actor, limit, step_s);
                let wanted = if brake_by > 0.0 { wanted.min((speed - brake_by * step_s).max(0.0)) } else { wanted };
                actor.speed_mps = wanted;
                match driver.advance(roads, (speed + wanted) / 2.0 * step_s, step_s) {
                    Some(pose) => (actor.pose, actor.lights.left, actor.lights.right) = pose,
                    None => actor.speed_mps = 0.0,
                }
            }
            Steering::Walk(velocity) => {
                let pace = velocity.norm().min(MAX_WALK_MPS);
                if pace > 0.0 {
                    actor.pose.yaw_rad = velocity.y.atan2(velocity.x);
                    let by = velocity.normalize() * pace * step_s;
                    actor.pose.position.x += by.x;
                    actor.pose.position.y += by.y;
                }
                actor.speed_mps = pace;
            }
            Steering::Idle => roll(actor, by_hand(actor, 0.0, 0.0, false, before, step_s), 0.0, step_s),
            Steering::Hand { throttle, brake, steer, reverse } => {
                let mut after = by_hand(actor, *throttle, *brake, *reverse, before, step_s);
                if brake_by > 0.0 {
                    after = after.min((speed - brake_by * step_s).max(0.0));
                }
                let after = after.min(limit.max(speed - MAX_BRAKE_MPS2 / 2.0 * step_s));
                roll(actor, after, *steer, step_s);
            }
        }
    }
}

/// Speed after a step with these pedals.
fn by_hand(actor: &Actor, throttle: f64, brake: f64, reverse: bool, before: &Snapshot, step_s: f64) -> f64 {
    let (power_mps2, top_mps) = match actor.kind {
        ActorKind::Car => (4.0, 50.0),
        ActorKind::Van => (3.0, 40.0),
        ActorKind::Truck | ActorKind::Bus => (1.5, 28.0),
        ActorKind::Tram => (1.2, 20.0),
        ActorKind::Motorcycle => (5.0, 50.0),
        ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => (1.2, 8.0),
        _ => (0.0, 0.0),
    };
    let top_mps = if reverse { 5.0_f64.min(top_mps) } else { top_mps };
    let direction = if reverse { -1.0 } else { 1.0 };
    let speed = actor.speed_mps;
    // Less is left of the power the faster it goes.
    let share = if top_mps > 0.0 { (1.0 - (speed * direction / top_mps).max(0.0)).max(0.0) } else { 0.0 };
    let driven = speed + direction * throttle.clamp(0.0, 1.0) * power_mps2 * share * step_s;
    let slowing = (brake.clamp(0.0, 1.0) * MAX_BRAKE_MPS2 * before.weather.grip() + ROLLING_MPS2) * step_s;
    let slowing = if throttle > 0.0 { slowing - ROLLING_MPS2 * step_s } else { slowing };
    driven - driven.clamp(-slowing, slowing)
}

/// Moves a vehicle by the kinematic bicycle model, its reference the middle of its footprint.
fn roll(actor: &mut Actor, speed_after: f64, steer: f64, step_s: f64) {
    let way = (actor.speed_mps + speed_after) / 2.0 * step_s;
    let wheels = steer.clamp(-1.0, 1.0) * MAX_STEER_RAD;
    // Axles at 60 % of the length; the middle slips by half of what the front wheels are turned, roughly.
    let base_m = (0.6 * actor.size.length_m).max(0.5);
    let slip = (wheels.tan() / 2.0).atan();
    let heading = actor.pose.yaw_rad + slip;
    let turn = way * 2.0 * slip.sin() / base_m;
    let middle = heading + turn / 2.0;
    actor.pose.position.x += way * middle.cos();
    actor.pose.position.y += way * middle.sin();
    actor.pose.yaw_rad = angle_between(actor.pose.yaw_rad + turn, 0.0);
    actor.speed_mps = speed_after;
}

/// The size of a kind, for those who ask before they spawn.
pub(crate) fn size_of(kind: ActorKind) -> Size {
    kind.usual_size()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Point3;

    fn car() -> Guests {
        Guests::new(Arc::default(), Seed(1))
    }

    fn run(guests: &mut Guests, steps: u32) -> Actor {
        for _ in 0..steps {
            guests.step(&Snapshot::default(), &[], 0.05);
        }
        let mut actors = Vec::new();
        guests.write(&mut actors);
        actors.remove(0)
    }

    #[test]
    fn a_car_by_hand_accelerates_turns_and_stops() {
        let mut guests = car();
        let origin = Pose { position: Point3::origin(), yaw_rad: 0.0, pitch_rad: 0.0 };
        let id = guests.spawn(ActorKind::Car, Role::Ordinary, origin, 0).unwrap();
        let hand = |throttle, brake, steer, reverse| Steering::Hand { throttle, brake, steer, reverse };
        assert!(guests.steer(id, hand(1.0, 0.0, 0.0, false)));
        let fast = run(&mut guests, 40);
        assert!((7.0..8.0).contains(&fast.speed_mps), "{fast:?}");
        // Half the greatest angle to the left: the radius is that of the bicycle model.
        assert!(guests.steer(id, hand(0.0, 0.0, 0.5, false)));
        let turned = run(&mut guests, 10);
        let radius = turned.speed_mps / turned.yaw_rate_rps;
        let slip = (0.3_f64.tan() / 2.0).atan();
        let expected = 0.6 * 4.4 / (2.0 * slip.sin());
        assert!(turned.yaw_rate_rps > 0.0 && (radius / expected - 1.0).abs() < 0.02, "{radius} for {expected}");
        assert!(guests.steer(id, hand(0.0, 1.0, 0.0, false)));
        assert_eq!(run(&mut guests, 40).speed_mps, 0.0);
        assert!(guests.steer(id, hand(1.0, 0.0, 0.0, true)));
        assert!(run(&mut guests, 10).speed_mps < -0.5);
        assert!(guests.remove(id) && !guests.remove(id));
    }

    #[test]
    fn people_walk_and_do_not_drive() {
        let mut guests = car();
        let pose = Pose { position: Point3::new(1.0, 2.0, 0.0), yaw_rad: 0.0, pitch_rad: 0.0 };
        let id = guests.spawn(ActorKind::Child, Role::Ordinary, pose, 0).unwrap();
        assert!(!guests.steer(id, Steering::Hand { throttle: 1.0, brake: 0.0, steer: 0.0, reverse: false }));
        assert!(guests.steer(id, Steering::Walk(Vector2::new(0.0, -1.5))));
        let child = run(&mut guests, 20);
        assert!((child.pose.position - Point3::new(1.0, 0.5, 0.0)).norm() < 1e-9, "{child:?}");
        assert_eq!((child.speed_mps, child.id.population()), (1.5, POPULATION));
    }
}
