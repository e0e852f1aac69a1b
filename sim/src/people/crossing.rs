//! Whether a person at a kerb goes: signals, zebras, gaps in traffic.
//!
//! In: a crossing, what its signal shows, the vehicles of a snapshot. Out: go or wait. A person judges each vehicle by where
//! and how fast it is, as HCM's critical gap does: time to walk clear of its lane, and a margin that shrinks with waiting.

use super::force::Obstacle;
use super::pavement::{Crossing, Strip};
use crate::actor::{Actor, ActorKind};
use crate::roads::{LaneId, SignalState};
use crate::snapshot::Snapshot;
use nalgebra::{Point2, Vector2};

/// Time that a person wants to have left when a vehicle arrives, seconds.
const MARGIN_S: f64 = 2.0;
/// After waiting this long a person takes any gap that suffices, seconds.
const PATIENCE_S: f64 = 60.0;
/// Time that people give a driver to react, seconds.
const DRIVER_REACTION_S: f64 = 1.0;
/// Braking that people expect of a driver who gives way, metres a second squared.
const EXPECTED_BRAKING_MPS2: f64 = 2.5;
/// Braking that people trust in when their signal is green.
const TRUSTED_BRAKING_MPS2: f64 = 4.0;
/// A vehicle off the lanes is minded when its way meets the crossing within this, seconds.
const FREE_LOOK_S: f64 = 8.0;

/// How much a person relies on vehicles to brake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reliance {
    /// Vehicles have priority: a gap is needed.
    None,
    /// A zebra: vehicles that can brake will.
    GivesWay,
    /// The person's signal is green.
    Green,
}

/// A person about to cross.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crosser {
    pub(crate) backwards: bool,
    pub(crate) speed_mps: f64,
    pub(crate) waited_s: f64,
    pub(crate) reliance: Reliance,
}

/// The vehicles and things of a snapshot as people see them.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    vehicles: Vec<Vehicle>,
    /// Lane and index of each vehicle on a lane, ordered.
    by_lane: Vec<(LaneId, u32)>,
    free: Vec<u32>,
    /// By x coordinate of the centre.
    obstacles: Vec<Obstacle>,
    widest_m: f64,
}

#[derive(Clone, Copy, Debug)]
struct Vehicle {
    front: Point2<f64>,
    forward: Vector2<f64>,
    s_m: f64,
    speed_mps: f64,
    length_m: f64,
}

impl Traffic {
    /// What of a snapshot people mind; people themselves are not in it.
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let mut traffic = Self::default();
        for actor in snapshot.actors.iter().filter(|actor| !actor.kind.walks()) {
            let obstacle = obstacle(actor);
            traffic.widest_m = traffic.widest_m.max(obstacle.influence_m());
            traffic.obstacles.push(obstacle);
            if matches!(actor.kind, ActorKind::LostCargo | ActorKind::Cone | ActorKind::Barrier) {
                continue;
            }
            let index = traffic.vehicles.len() as u32;
            traffic.vehicles.push(Vehicle {
                front: obstacle.centre + obstacle.forward * obstacle.half_length_m,
                forward: obstacle.forward,
                s_m: actor.on_lane.map_or(0.0, |on| on.s_m),
                speed_mps: actor.speed_mps,
                length_m: actor.size.length_m,
            });
            match actor.on_lane {
                Some(on) => traffic.by_lane.push((on.lane, index)),
                None => traffic.free.push(index),
            }
        }
        traffic.by_lane.sort_unstable();
        traffic.obstacles.sort_by(|a, b| a.centre.x.total_cmp(&b.centre.x));
        traffic
    }

    /// Obstacles that may be felt at a place.
    pub(crate) fn obstacles_near(&self, p: Point2<f64>) -> impl Iterator<Item = &Obstacle> {
        let first = self.obstacles.partition_point(|o| o.centre.x < p.x - self.widest_m);
        let near = self.obstacles[first..].iter().take_while(move |o| o.centre.x <= p.x + self.widest_m);
        near.filter(move |o| (o.centre - p).norm_squared() < o.influence_m().powi(2))
    }

    fn on_lane(&self, lane: LaneId) -> impl Iterator<Item = &Vehicle> {
        let first = self.by_lane.partition_point(|(l, _)| *l < lane);
        let there = self.by_lane[first..].iter().take_while(move |(l, _)| *l == lane);
        there.map(|(_, i)| &self.vehicles[*i as usize])
    }

    /// Whether every vehicle leaves room for a person to cross.
    pub(crate) fn leaves_room(&self, strip: &Strip, crossing: &Crossing, crosser: Crosser) -> bool {
        let length = strip.line.length_m();
        let from_kerb = |at_m: f64| if crosser.backwards { length - at_m } else { at_m };
        let lanes_free = crossing.approaches.iter().all(|approach| {
            self.on_lane(approach.lane).all(|vehicle| {
                let distance = approach.distance_m - vehicle.s_m;
                harmless(vehicle, distance, from_kerb(approach.at_m), approach.half_width_m, crosser)
            })
        });
        let (Some(a), Some(b)) = (strip.line.at(0.0), strip.line.at(length)) else { return lanes_free };
        let (a, b) = (a.point.xy(), b.point.xy());
        lanes_free
            && self.free.iter().map(|i| &self.vehicles[*i as usize]).all(|vehicle| {
                meets(vehicle, a, b).is_none_or(|(distance, at_m)| {
                    distance > vehicle.speed_mps * FREE_LOOK_S
                        || harmless(vehicle, distance, from_kerb(at_m), 1.5, crosser)
                })
            })
    }
}

pub(crate) fn obstacle(actor: &Actor) -> Obstacle {
    let (sin, cos) = actor.pose.yaw_rad.sin_cos();
    Obstacle {
        centre: actor.pose.position.xy(),
        forward: Vector2::new(cos, sin),
        half_length_m: actor.size.length_m / 2.0,
        half_width_m: actor.size.width_m / 2.0,
        speed_mps: actor.speed_mps,
    }
}

/// Whether a vehicle whose front is `distance_m` before the crossing harms nobody who starts now. `at_m` is the middle of
/// its lane from the kerb.
fn harmless(vehicle: &Vehicle, distance_m: f64, at_m: f64, half_width_m: f64, crosser: Crosser) -> bool {
    if distance_m < -vehicle.length_m {
        return true;
    }
    let walk = crosser.speed_mps.max(0.2);
    let enter_s = ((at_m - half_width_m - 0.3) / walk).max(0.0);
    let clear_s = (at_m + half_width_m + 0.3) / walk;
    let speed = vehicle.speed_mps.max(0.0);
    if speed < 0.3 {
        return distance_m > 0.3;
    }
    let gone_s = (distance_m + vehicle.length_m) / speed;
    if gone_s < enter_s - 0.5 {
        return true;
    }
    if distance_m <= 0.0 {
        return false;
    }
    let braking = match crosser.reliance {
        Reliance::None => None,
        Reliance::GivesWay => Some((DRIVER_REACTION_S, EXPECTED_BRAKING_MPS2)),
        Reliance::Green => Some((DRIVER_REACTION_S / 2.0, TRUSTED_BRAKING_MPS2)),
    };
    let stops = |(reaction_s, mps2): (f64, f64)| distance_m > speed * reaction_s + speed * speed / (2.0 * mps2);
    let margin_s = MARGIN_S * (1.0 - crosser.waited_s / PATIENCE_S).clamp(0.25, 1.0);
    braking.is_some_and(stops) || distance_m / speed > clear_s + margin_s
}

/// Where the straight way of a vehicle meets the line from `a` to `b`: distance from its front, and length along the line.
fn meets(vehicle: &Vehicle, a: Point2<f64>, b: Point2<f64>) -> Option<(f64, f64)> {
    let (r, s) = (vehicle.forward, b - a);
    let cross = r.x * s.y - r.y * s.x;
    if cross.abs() < 1e-6 {
        return None;
    }
    let to = a - vehicle.front;
    let (distance, share) = ((to.x * s.y - to.y * s.x) / cross, (to.x * r.y - to.y * r.x) / cross);
    (-0.2..=1.2).contains(&share).then(|| (distance, share.clamp(0.0, 1.0) * s.norm()))
}

/// What a signal means to a person.
pub(crate) fn shows_green(state: Option<SignalState>) -> Option<bool> {
    match state {
        None | Some(SignalState::Off | SignalState::OffBlinking) => None,
        Some(state) => Some(state.is_green()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn car(speed_mps: f64) -> Vehicle {
        Vehicle { front: Point2::new(0.0, 0.0), forward: Vector2::x(), s_m: 0.0, speed_mps, length_m: 4.5 }
    }

    fn crosser(reliance: Reliance) -> Crosser {
        Crosser { backwards: false, speed_mps: 1.3, waited_s: 0.0, reliance }
    }

    #[test]
    fn a_gap_must_suffice_unless_drivers_give_way() {
        // Lane of 3.2 m whose middle is 1.6 m from the kerb: clear after 2.7 s.
        let harmless = |distance, speed, reliance| harmless(&car(speed), distance, 1.6, 1.6, crosser(reliance));
        assert!(!harmless(50.0, 13.9, Reliance::None) && harmless(80.0, 13.9, Reliance::None));
        assert!(harmless(60.0, 13.9, Reliance::GivesWay) && !harmless(30.0, 13.9, Reliance::GivesWay));
        assert!(harmless(35.0, 13.9, Reliance::Green));
        assert!(harmless(1.0, 0.0, Reliance::None) && harmless(-5.0, 10.0, Reliance::None));
        assert!(!harmless(-2.0, 1.0, Reliance::Green));
    }

    #[test]
    fn waiting_makes_bolder() {
        let patient = crosser(Reliance::None);
        let bored = Crosser { waited_s: 60.0, ..patient };
        let car = car(10.0);
        assert!(!super::harmless(&car, 40.0, 1.6, 1.6, patient) && super::harmless(&car, 40.0, 1.6, 1.6, bored));
    }

    #[test]
    fn the_way_of_a_vehicle_off_the_lanes_is_straight() {
        let (a, b) = (Point2::new(20.0, -5.0), Point2::new(20.0, 5.0));
        assert_eq!(meets(&car(5.0), a, b), Some((20.0, 5.0)));
        assert_eq!(meets(&car(5.0), a + Vector2::y() * 20.0, b + Vector2::y() * 20.0), None);
    }
}
