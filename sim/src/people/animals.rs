//! Animals that cross the road: deer and boar, dogs off the leash.

use crate::actor::{Actor, ActorId, ActorKind, Lights, Pose, Role};
use crate::geometry::angle_between;
use crate::random::Seed;
use crate::roads::SignalState;
use crate::snapshot::Snapshot;
use crate::world::{Command, Population};
use nalgebra::{Point2, Point3, Vector2};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// An animal notices vehicles within this distance, metres.
const NOTICES_M: f64 = 40.0;
/// Longest time that it stands in the light, seconds.
const FREEZES_S: f64 = 4.0;

/// An animal to let loose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnimalSpec {
    /// What it is: deer or dog.
    pub kind: ActorKind,
    /// Its way, ENU metres; it is gone at the end.
    pub way: Vec<[f64; 2]>,
    /// How fast it goes, metres a second: a deer walks at 1.5 and flees at 12.
    pub speed_mps: f64,
    /// When it appears, seconds.
    #[serde(default)]
    pub depart_s: f64,
    /// Chance that it freezes when a vehicle with lit lamps comes towards it, 0 to 1.
    #[serde(default)]
    pub freezes: f64,
}

#[derive(Debug)]
struct Animal {
    id: ActorId,
    spec: AnimalSpec,
    position: Point2<f64>,
    heading: Vector2<f64>,
    speed_mps: f64,
    acceleration_mps2: f64,
    next: usize,
    freezes: bool,
    frozen_s: f64,
    gait: f64,
}

/// A population of animals.
#[derive(Debug)]
pub struct Animals {
    population: u8,
    seed: Seed,
    now_s: f64,
    next_number: u32,
    animals: Vec<Animal>,
}

impl Animals {
    /// None yet. `population` numbers the actors and must be this population's own.
    pub fn new(seed: Seed, population: u8) -> Self {
        Self { population, seed, now_s: 0.0, next_number: 0, animals: Vec::new() }
    }

    /// Lets an animal loose, now or at its time; `None` when it has no way of two points.
    pub fn spawn(&mut self, spec: AnimalSpec) -> Option<ActorId> {
        let start = Point2::from(*spec.way.first()?);
        let to = Point2::from(*spec.way.get(1)?) - start;
        let id = ActorId::of(self.population, self.next_number);
        self.next_number += 1;
        let mut luck = self.seed.stream("animal", u64::from(id.0));
        self.animals.push(Animal {
            id,
            position: start,
            heading: to.try_normalize(1e-9)?,
            speed_mps: spec.speed_mps,
            acceleration_mps2: 0.0,
            next: 1,
            freezes: luck.random::<f64>() < spec.freezes,
            frozen_s: 0.0,
            gait: luck.random_range(0.0..std::f64::consts::TAU),
            spec,
        });
        Some(id)
    }
}

impl Animal {
    /// Whether a vehicle with its lamps on comes towards it.
    fn is_dazzled(&self, before: &Snapshot) -> bool {
        let comes = |actor: &Actor| {
            let to = self.position - actor.pose.position.xy();
            let (sin, cos) = actor.pose.yaw_rad.sin_cos();
            let ahead = to.dot(&Vector2::new(cos, sin));
            actor.lights.low_beam && actor.speed_mps > 1.0 && to.norm() < NOTICES_M && ahead > 0.8 * to.norm()
        };
        before.actors.iter().filter(|actor| actor.kind.is_motor_vehicle()).any(comes)
    }

    fn advance(&mut self, before: &Snapshot, step_s: f64) {
        let stands = self.freezes && self.frozen_s < FREEZES_S && self.is_dazzled(before);
        if stands {
            self.frozen_s += step_s;
        }
        // Deer bound: their speed swings with each leap.
        self.gait += step_s * 2.0 * std::f64::consts::TAU;
        let wanted = if stands { 0.0 } else { self.spec.speed_mps * (1.0 + 0.15 * self.gait.sin()) };
        let change = (wanted - self.speed_mps).clamp(-8.0 * step_s, 5.0 * step_s);
        self.speed_mps += change;
        self.acceleration_mps2 = change / step_s;
        let mut left_m = self.speed_mps * step_s;
        while let Some(next) = self.spec.way.get(self.next) {
            let to = Point2::from(*next) - self.position;
            if to.norm() > left_m {
                self.heading = to / to.norm();
                self.position += self.heading * left_m;
                break;
            }
            left_m -= to.norm();
            self.position = Point2::from(*next);
            self.next += 1;
        }
    }
}

impl Population for Animals {
    fn step(&mut self, before: &Snapshot, _signals: &[Vec<SignalState>], step_s: f64) {
        self.now_s = before.time_s + step_s;
        for animal in self.animals.iter_mut().filter(|animal| animal.spec.depart_s <= before.time_s + 1e-9) {
            animal.advance(before, step_s);
        }
        self.animals.retain(|animal| animal.next < animal.spec.way.len());
    }

    fn write(&self, into: &mut Vec<Actor>) {
        let present = self.animals.iter().filter(|animal| animal.spec.depart_s <= self.now_s + 1e-9);
        into.extend(present.map(|animal| Actor {
            id: animal.id,
            kind: animal.spec.kind,
            role: Role::Ordinary,
            pose: Pose {
                position: Point3::new(animal.position.x, animal.position.y, 0.0),
                yaw_rad: angle_between(animal.heading.y.atan2(animal.heading.x), 0.0),
                pitch_rad: 0.0,
            },
            speed_mps: animal.speed_mps,
            acceleration_mps2: animal.acceleration_mps2,
            yaw_rate_rps: 0.0,
            size: animal.spec.kind.usual_size(),
            lights: Lights::default(),
            appearance: animal.id.0,
            on_lane: None,
            connected: false,
        }));
    }

    fn command(&mut self, id: ActorId, command: Command) -> bool {
        let known = self.animals.len();
        if command == Command::Remove {
            self.animals.retain(|animal| animal.id != id);
        }
        self.animals.len() < known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::tests::car_at;

    fn deer(freezes: f64) -> Animals {
        let mut animals = Animals::new(Seed(1), 4);
        let way = vec![[0.0, -10.0], [0.0, 10.0]];
        animals.spawn(AnimalSpec { kind: ActorKind::Deer, way, speed_mps: 5.0, depart_s: 0.0, freezes }).unwrap();
        animals
    }

    #[test]
    fn a_deer_crosses_and_is_gone_but_may_freeze_in_the_light() {
        let mut lit = car_at(-30.0, 10.0);
        lit.lights.low_beam = true;
        let time_to_cross = |freezes, actors: Vec<Actor>| {
            let mut animals = deer(freezes);
            for step in 0..200 {
                let time_s = f64::from(step) * 0.1;
                animals.step(&Snapshot { time_s, actors: actors.clone(), ..Snapshot::default() }, &[], 0.1);
                if animals.animals.is_empty() {
                    return time_s;
                }
            }
            f64::INFINITY
        };
        let free = time_to_cross(1.0, Vec::new());
        // 20 m at 5 m/s from standing.
        assert!((3.5..5.5).contains(&free), "{free}");
        assert_eq!(time_to_cross(0.0, vec![lit.clone()]), free);
        let frozen = time_to_cross(1.0, vec![lit]);
        assert!(frozen > free + 3.0 && frozen < 15.0, "{frozen}");
    }
}
