//! Rays against upright boxes, walls and the ground.
//!
//! All rays of one azimuth share a vertical plane when the device stands level; what stands in that plane is found once for
//! them. A pitched device has another plane for each ray.

use super::{GROUND, WALL};
use crate::actor::{Actor, ActorId, ActorKind};
use crate::buildings::{Buildings, WallHit};
use nalgebra::{Point2, Point3, Vector2, Vector3};

/// An upright box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Solid {
    centre: Point2<f64>,
    forward: Vector2<f64>,
    half: Vector2<f64>,
    bottom_m: f64,
    top_m: f64,
    reflectance: f64,
    instance: ActorId,
}

/// What a ray meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) distance_m: f64,
    /// Of the angle between ray and surface's normal.
    pub(crate) cosine: f64,
    pub(crate) reflectance: f64,
    pub(crate) instance: Option<ActorId>,
}

/// The boxes of an actor: of a car its body and its cabin, of others the whole.
pub(crate) fn solids(actor: &Actor) -> impl Iterator<Item = Solid> {
    let (sin, cos) = actor.pose.yaw_rad.sin_cos();
    let forward = Vector2::new(cos, sin);
    let position = actor.pose.position;
    let reflectance = match actor.kind {
        ActorKind::Cone | ActorKind::Barrier => 0.7,
        ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair => 0.25,
        ActorKind::Dog | ActorKind::Deer | ActorKind::LostCargo => 0.2,
        // Paint from black to white, by the actor's looks.
        _ => 0.1 + 0.6 * f64::from(actor.appearance.wrapping_mul(0x9e37_79b1) >> 24) / 255.0,
    };
    let part = move |share: f64, along: f64, bottom: f64, top: f64| Solid {
        centre: position.xy() + forward * (along * actor.size.length_m),
        forward,
        half: Vector2::new(actor.size.length_m * share, actor.size.width_m) / 2.0,
        bottom_m: position.z + bottom * actor.size.height_m,
        top_m: position.z + top * actor.size.height_m,
        reflectance,
        instance: actor.id,
    };
    let (whole, cabin) = if actor.kind == ActorKind::Car {
        (part(1.0, 0.0, 0.12, 0.6), Some(part(0.55, -0.05, 0.6, 1.0)))
    } else {
        (part(1.0, 0.0, 0.0, 1.0), None)
    };
    std::iter::once(whole).chain(cabin)
}

/// A box in the plane of a ray: entry and exit, and the cosine at the entry.
#[derive(Clone, Copy, Debug)]
struct Span {
    solid: usize,
    enter_m: f64,
    exit_m: f64,
    cosine: f64,
}

/// Rays from one place.
#[derive(Debug)]
pub(crate) struct Cast<'a> {
    solids: &'a [Solid],
    buildings: &'a Buildings,
    origin: Point3<f64>,
    reach_m: f64,
    direction: Vector2<f64>,
    spans: Vec<Span>,
    walls: Vec<WallHit>,
}

impl<'a> Cast<'a> {
    pub(crate) fn new(solids: &'a [Solid], buildings: &'a Buildings, origin: Point3<f64>, reach_m: f64) -> Self {
        let (spans, walls) = (Vec::new(), Vec::new());
        Self { solids, buildings, origin, reach_m, direction: Vector2::zeros(), spans, walls }
    }

    /// Finds what stands in the vertical plane of a direction, unless it is that of the last ray.
    fn turn(&mut self, direction: Vector2<f64>) {
        if (direction - self.direction).norm_squared() < 1e-18 {
            return;
        }
        self.direction = direction;
        let from = self.origin.xy();
        self.buildings.between(from, from + direction * self.reach_m, &mut self.walls);
        self.spans.clear();
        for (at, solid) in self.solids.iter().enumerate() {
            if let Some((enter_m, exit_m, cosine)) = span(solid, from, direction) {
                self.spans.push(Span { solid: at, enter_m, exit_m, cosine });
            }
        }
    }

    /// The nearest thing that a ray meets; `ray` is a unit vector.
    pub(crate) fn first(&mut self, ray: Vector3<f64>) -> Option<Hit> {
        let level = ray.xy().norm().max(1e-9);
        self.turn(ray.xy() / level);
        let rise = ray.z / level;
        let height = |way_m: f64| self.origin.z + rise * way_m;
        let mut best: Option<Hit> = None;
        let mut take = |hit: Hit| {
            if best.is_none_or(|best| hit.distance_m < best.distance_m) {
                best = Some(hit);
            }
        };
        for span in &self.spans {
            let solid = &self.solids[span.solid];
            let (enter_z, exit_z) = (height(span.enter_m), height(span.exit_m));
            let (way_m, cosine) = if (solid.bottom_m..=solid.top_m).contains(&enter_z) {
                (span.enter_m, span.cosine * level)
            } else if enter_z > solid.top_m && exit_z < solid.top_m {
                ((solid.top_m - self.origin.z) / rise, ray.z.abs())
            } else {
                continue;
            };
            let (reflectance, instance) = (solid.reflectance, Some(solid.instance));
            take(Hit { distance_m: way_m / level, cosine, reflectance, instance });
        }
        let heights = &self.buildings.heights_m;
        if let Some(wall) = self.walls.iter().find(|wall| height(wall.distance_m) <= heights[wall.building as usize]) {
            let cosine = (wall.normal.dot(&self.direction) * level).abs();
            take(Hit { distance_m: wall.distance_m / level, cosine, reflectance: WALL, instance: None });
        }
        if ray.z < -1e-6 {
            let distance_m = -self.origin.z / ray.z;
            take(Hit { distance_m, cosine: -ray.z, reflectance: GROUND, instance: None });
        }
        best.filter(|hit| hit.distance_m <= self.reach_m)
    }
}

/// Where a line through the plane enters and leaves a box's footprint, and the cosine at the entry; `None` when it misses,
/// begins inside, or leads away.
fn span(solid: &Solid, from: Point2<f64>, direction: Vector2<f64>) -> Option<(f64, f64, f64)> {
    let left = Vector2::new(-solid.forward.y, solid.forward.x);
    let to = from - solid.centre;
    let place = [to.dot(&solid.forward), to.dot(&left)];
    let along = [direction.dot(&solid.forward), direction.dot(&left)];
    let (mut enter, mut exit, mut cosine) = (f64::NEG_INFINITY, f64::INFINITY, 0.0);
    for axis in 0..2 {
        if along[axis].abs() < 1e-12 {
            if place[axis].abs() > solid.half[axis] {
                return None;
            }
            continue;
        }
        let (a, b) = ((-solid.half[axis] - place[axis]) / along[axis], (solid.half[axis] - place[axis]) / along[axis]);
        let (near, far) = (a.min(b), a.max(b));
        if near > enter {
            (enter, cosine) = (near, along[axis].abs());
        }
        exit = exit.min(far);
    }
    (enter <= exit && enter > 0.0).then_some((enter, exit, cosine))
}
