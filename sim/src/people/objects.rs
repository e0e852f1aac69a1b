//! Things that stand or lie on the road: lost cargo, cones, barriers, parked wrecks.

use crate::actor::{Actor, ActorId, ActorKind, Lights, Pose, Role, Size};
use crate::geometry::angle_between;
use crate::roads::SignalState;
use crate::snapshot::Snapshot;
use crate::world::{Command, Population};
use nalgebra::{Point3, Vector2};
use serde::{Deserialize, Serialize};

/// Friction of cargo that slides on asphalt, metres a second squared.
const SLIDING_MPS2: f64 = 5.0;

/// A thing to put on the road.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ObjectSpec {
    /// What it is.
    pub kind: ActorKind,
    /// Where, ENU metres.
    pub position: [f64; 3],
    /// Counter-clockwise from east, radians.
    #[serde(default)]
    pub yaw_rad: f64,
    /// Its extent; not set: the usual one of its kind.
    #[serde(default)]
    pub size: Option<Size>,
    /// When it appears, seconds.
    #[serde(default)]
    pub from_s: f64,
    /// When it is gone again, seconds; not set: it stays.
    #[serde(default)]
    pub until_s: Option<f64>,
    /// With which velocity it falls, ENU metres a second: it slides until friction stops it.
    #[serde(default)]
    pub velocity_mps: [f64; 2],
}

#[derive(Debug)]
struct Object {
    id: ActorId,
    spec: ObjectSpec,
    position: Point3<f64>,
    velocity: Vector2<f64>,
}

/// A population of things.
#[derive(Debug)]
pub struct Objects {
    population: u8,
    next_number: u32,
    now_s: f64,
    objects: Vec<Object>,
}

impl Objects {
    /// Nothing yet. `population` numbers the actors and must be this population's own.
    pub fn new(population: u8) -> Self {
        Self { population, next_number: 0, now_s: 0.0, objects: Vec::new() }
    }

    /// Puts a thing on the road, now or at its time.
    pub fn place(&mut self, spec: ObjectSpec) -> ActorId {
        let id = ActorId::of(self.population, self.next_number);
        self.next_number += 1;
        let velocity = Vector2::from(spec.velocity_mps);
        self.objects.push(Object { id, spec, position: Point3::from(spec.position), velocity });
        id
    }

    fn present(&self, object: &Object) -> bool {
        object.spec.from_s <= self.now_s + 1e-9
    }
}

impl Population for Objects {
    fn step(&mut self, before: &Snapshot, _signals: &[Vec<SignalState>], step_s: f64) {
        self.now_s = before.time_s + step_s;
        let now_s = self.now_s;
        self.objects.retain(|object| object.spec.until_s.is_none_or(|until_s| now_s < until_s));
        for object in self.objects.iter_mut().filter(|object| object.spec.from_s <= now_s - step_s + 1e-9) {
            let speed = object.velocity.norm();
            if speed > 0.0 {
                let after = (speed - SLIDING_MPS2 * step_s).max(0.0);
                let way = object.velocity / speed * ((speed + after) / 2.0 * step_s);
                object.position += Vector2::new(way.x, way.y).push(0.0);
                object.velocity *= after / speed;
            }
        }
    }

    fn write(&self, into: &mut Vec<Actor>) {
        into.extend(self.objects.iter().filter(|object| self.present(object)).map(|object| {
            let yaw_rad = angle_between(object.spec.yaw_rad, 0.0);
            let (sin, cos) = yaw_rad.sin_cos();
            Actor {
                id: object.id,
                kind: object.spec.kind,
                role: Role::Ordinary,
                pose: Pose { position: object.position, yaw_rad, pitch_rad: 0.0 },
                speed_mps: object.velocity.dot(&Vector2::new(cos, sin)),
                acceleration_mps2: 0.0,
                yaw_rate_rps: 0.0,
                size: object.spec.size.unwrap_or(object.spec.kind.usual_size()),
                lights: Lights::default(),
                appearance: object.id.0,
                on_lane: None,
                connected: false,
            }
        }));
    }

    fn command(&mut self, id: ActorId, command: Command) -> bool {
        let known = self.objects.len();
        if command == Command::Remove {
            self.objects.retain(|object| object.id != id);
        }
        self.objects.len() < known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_cargo_slides_to_a_stop_and_is_cleared_away() {
        let mut objects = Objects::new(9);
        let id = objects.place(ObjectSpec {
            kind: ActorKind::LostCargo,
            position: [0.0; 3],
            yaw_rad: 0.0,
            size: None,
            from_s: 1.0,
            until_s: Some(10.0),
            velocity_mps: [10.0, 0.0],
        });
        let mut seen = Vec::new();
        for step in 0..110 {
            let before = Snapshot { step, time_s: step as f64 * 0.1, ..Snapshot::default() };
            objects.step(&before, &[], 0.1);
            let mut actors = Vec::new();
            objects.write(&mut actors);
            seen.push(actors.first().map(|actor| actor.pose.position.x));
        }
        assert_eq!((seen[8], seen[105]), (None, None));
        // 10 m/s against 5 m/s²: 10 m.
        let end = seen[60].unwrap();
        assert!((end - 10.0).abs() < 1e-9, "{end}");
        assert!(!objects.command(id, Command::Remove));
    }
}
