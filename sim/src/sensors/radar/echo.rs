//! Scattering places of actors, what hides them, and their images in walls.

use crate::actor::{Actor, ActorId, ActorKind};
use crate::buildings::Buildings;
use nalgebra::{Point2, Vector2};

/// A scattering place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Echo {
    pub(crate) at: Point2<f64>,
    /// East, north, metres a second.
    pub(crate) velocity: Vector2<f64>,
    /// Deviation of velocities about it, metres a second.
    pub(crate) flutter_mps: f64,
    pub(crate) rcs_dbsm: f64,
}

/// Cross section from the side and from front or rear, decibels above a square metre, and flutter, metres a second.
/// Means at 77 GHz of published measurements, which spread by 5 dB and more.
const fn section(kind: ActorKind) -> (f64, f64, f64) {
    match kind {
        ActorKind::Car => (18.0, 10.0, 0.1),
        ActorKind::Van => (21.0, 13.0, 0.1),
        ActorKind::Truck => (26.0, 17.0, 0.1),
        ActorKind::Bus => (28.0, 18.0, 0.1),
        ActorKind::Tram => (32.0, 19.0, 0.05),
        ActorKind::Motorcycle => (8.0, 3.0, 0.3),
        ActorKind::Bicycle | ActorKind::CargoBike => (4.0, -2.0, 0.6),
        ActorKind::EScooter => (-2.0, -5.0, 0.3),
        ActorKind::Adult => (-5.0, -6.0, 0.6),
        ActorKind::Child => (-9.0, -10.0, 0.6),
        ActorKind::Wheelchair => (0.0, -2.0, 0.3),
        ActorKind::Dog => (-13.0, -15.0, 0.6),
        ActorKind::Deer => (-4.0, -8.0, 0.6),
        ActorKind::LostCargo => (-6.0, -6.0, 0.0),
        ActorKind::Cone => (-16.0, -16.0, 0.0),
        ActorKind::Barrier => (-3.0, -8.0, 0.0),
    }
}

/// Scattering places of a vehicle are this far apart, metres.
const APART_M: f64 = 2.0;

/// The scattering places of an actor that face a radar at `from`.
pub(crate) fn echoes(actor: &Actor, from: Point2<f64>) -> Vec<Echo> {
    let (sin, cos) = actor.pose.yaw_rad.sin_cos();
    let forward = Vector2::new(cos, sin);
    let left = Vector2::new(-sin, cos);
    let centre = actor.pose.position.xy();
    let to_radar = from - centre;
    let side = if to_radar.dot(&left) >= 0.0 { 1.0 } else { -1.0 };
    let end = if to_radar.dot(&forward) >= 0.0 { 1.0 } else { -1.0 };
    let (side_dbsm, end_dbsm, flutter_mps) = section(actor.kind);
    // Between end and side the section follows the aspect.
    let aspect = to_radar.try_normalize(1e-6).map_or(1.0, |unit| unit.dot(&forward).abs());
    let rcs_dbsm = side_dbsm + (end_dbsm - side_dbsm) * aspect.powi(2);
    let turning = Vector2::new(-actor.yaw_rate_rps, actor.yaw_rate_rps);
    let echo = |offset: Vector2<f64>, rcs_dbsm: f64| Echo {
        at: centre + offset,
        velocity: forward * actor.speed_mps + Vector2::new(offset.y * turning.x, offset.x * turning.y),
        flutter_mps: flutter_mps * (0.2 + actor.speed_mps.abs()).min(1.0),
        rcs_dbsm,
    };
    let (half_length, half_width) = (actor.size.length_m / 2.0, actor.size.width_m / 2.0);
    if actor.size.length_m < APART_M {
        return vec![echo(Vector2::zeros(), rcs_dbsm)];
    }
    // The near end, and along the near side; the whole is shared among them.
    let along_side = (actor.size.length_m / APART_M).floor() as usize;
    let places = 1 + along_side;
    let each = rcs_dbsm - 10.0 * (places as f64).log10();
    let mut found = vec![echo(forward * (end * half_length), each + 2.0)];
    for i in 0..along_side {
        let along = -half_length + actor.size.length_m * (i as f64 + 0.5) / along_side as f64;
        found.push(echo(forward * along + left * (side * half_width), each));
    }
    found
}

/// Whether a wall or a large vehicle stands between the radar and a place.
pub(crate) fn is_hidden(
    buildings: &Buildings,
    actors: &[Actor],
    own: ActorId,
    from: Point2<f64>,
    to: Point2<f64>,
) -> bool {
    let mut hits = Vec::new();
    if buildings.first(from, to, &mut hits, |_| 0.5).is_some() {
        return true;
    }
    let tall = |kind| matches!(kind, ActorKind::Van | ActorKind::Truck | ActorKind::Bus | ActorKind::Tram);
    let crosses = |actor: &Actor| {
        let corners = actor.footprint();
        (0..4).any(|i| meet(from, to, corners[i], corners[(i + 1) % 4]))
    };
    actors.iter().filter(|actor| tall(actor.kind) && actor.id != own).any(crosses)
}

fn meet(a: Point2<f64>, b: Point2<f64>, p: Point2<f64>, q: Point2<f64>) -> bool {
    let side = |a: Point2<f64>, b: Point2<f64>, c: Point2<f64>| (b - a).x * (c - a).y - (b - a).y * (c - a).x;
    side(a, b, p) * side(a, b, q) < 0.0 && side(p, q, a) * side(p, q, b) < 0.0
}

/// Walls mirror targets that are at most this far away from them, metres.
const MIRROR_M: f64 = 30.0;
/// What a mirror costs there and back, decibels.
const MIRROR_DB: f64 = 12.0;
/// Directions in which mirrors are looked for.
const LOOKS: u32 = 24;

/// Images of a scattering place in walls: where the way by the wall looks as if it came from.
pub(crate) fn ghosts(buildings: &Buildings, radar: Point2<f64>, echo: &Echo) -> Vec<Echo> {
    let mut found: Vec<Echo> = Vec::new();
    if buildings.is_empty() {
        return found;
    }
    let mut hits = Vec::new();
    let mut tried: Vec<(u32, u32)> = Vec::new();
    for look in 0..LOOKS {
        let (sin, cos) = (f64::from(look) / f64::from(LOOKS) * std::f64::consts::TAU).sin_cos();
        let far = echo.at + Vector2::new(cos, sin) * MIRROR_M;
        let Some(wall) = buildings.first(echo.at, far, &mut hits, |_| 0.5) else { continue };
        if tried.contains(&(wall.building, wall.wall)) {
            continue;
        }
        tried.push((wall.building, wall.wall));
        let foot = echo.at + Vector2::new(cos, sin) * wall.distance_m;
        let image = echo.at - wall.normal * (2.0 * (echo.at - foot).dot(&wall.normal));
        // The radar must see the image through that very wall, and the wall's place must see the target.
        let seen = buildings.first(radar, image, &mut hits, |_| 0.5);
        let Some(seen) = seen.filter(|seen| (seen.building, seen.wall) == (wall.building, wall.wall)) else { continue };
        let mirror = radar + (image - radar).normalize() * (seen.distance_m - 0.01);
        if buildings.first(mirror, echo.at, &mut hits, |_| 0.5).is_some() {
            continue;
        }
        let velocity = echo.velocity - wall.normal * (2.0 * echo.velocity.dot(&wall.normal));
        found.push(Echo { at: image, velocity, rcs_dbsm: echo.rcs_dbsm - MIRROR_DB, ..*echo });
    }
    found
}
