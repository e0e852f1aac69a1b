//! What stands beside the road: trees, bushes, street lamps, signals, signs, bollards, bins, benches, fences.

mod plant;
mod signal;

pub(crate) use signal::{LENS_M, LENS_STEP_M, SignalHead};

use super::ground::Surface;
use super::material::{Finish, Lamp, Material, Semantic};
use super::mesh::{Affine, Builder, Detail, Mesh, V3, v3};
use super::scene::{Scene, outer_driving_lane};
use crate::random::Seed;
use crate::roads::{Building, EdgeKind, Roads};
use nalgebra::{Matrix3, Point2, Vector2};
use plant::{bush, tree_pair};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use signal::{signals, signs};
use std::f32::consts::TAU;

const TREES: usize = 5;

pub(crate) fn build(scene: &mut Scene, roads: &Roads, buildings: &[Building], seed: Seed) {
    signals(scene, roads);
    signs(scene, roads);
    let mut rng = seed.stream("furniture", 0);
    let blocked = Blocked::new(buildings, scene);
    lamps(scene, roads, &blocked);
    if !scene.ground.urban {
        countryside(scene, roads, &mut rng);
        return;
    }
    let trees: Vec<[u32; 2]> = (0..TREES).map(|_| tree_pair(scene, &mut rng)).collect();
    let bush = bush(&mut rng);
    let bush = scene.add_mesh(bush);
    for tree in &roads.trees {
        let p = v3((tree.position.x - scene.origin.x) as f32, (tree.position.y - scene.origin.y) as f32, 0.0);
        let pair = trees[rng.random_range(0..TREES)];
        scene.place(pair, turned(rng.random_range(0.0..TAU), p, tree.height_m as f32 / 8.0), 55.0, true);
    }
    let small: Vec<u32> = [bin(), bench(), bollard(), cabinet()].into_iter().map(|m| scene.add_mesh(m)).collect();
    for edge in roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Road) {
        let Some(lane) = outer_driving_lane(roads, edge) else { continue };
        let leafy = rng.random_bool(0.65) && roads.trees.is_empty();
        let mut s = rng.random_range(4.0..14.0);
        while s < lane.centre.length_m() {
            let Some(on) = lane.centre.at(s) else { break };
            let side = if roads.left_hand { 1.0 } else { -1.0 };
            let out = Vector2::new(-on.yaw_rad.sin(), on.yaw_rad.cos()) * side;
            let kind = rng.random_range(0..10);
            let offset =
                lane.width_m / 2.0 + if kind < 6 { rng.random_range(2.8..5.5) } else { rng.random_range(0.5..2.4) };
            let p = on.point.xy() + out * offset;
            let local = v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0);
            let yaw = on.yaw_rad as f32;
            let (surface, edge_m) = scene.ground.surface(local.x, local.y);
            let near_end = s < 9.0 || s > lane.centre.length_m() - 9.0;
            let free = edge_m > 0.45 && !blocked.near(local, if kind < 6 { 1.8 } else { 0.4 });
            if free && !near_end {
                match kind {
                    0..6 if leafy && edge_m > 1.5 => {
                        let size = rng.random_range(0.75..1.25);
                        let pair = trees[rng.random_range(0..TREES)];
                        scene.place(pair, turned(rng.random_range(0.0..TAU), local, size), 55.0, true);
                    }
                    6 => scene.place([small[0]; 2], turned(yaw, local, 1.0), f32::MAX, true),
                    7 => scene.place([small[1]; 2], turned(yaw, local, 1.0), f32::MAX, true),
                    8 => scene.place([small[2]; 2], turned(yaw, local, 1.0), f32::MAX, true),
                    9 if edge_m > 1.2 => scene.place([small[3]; 2], turned(yaw, local, 1.0), f32::MAX, true),
                    _ if surface == Surface::Terrain => {
                        scene.place(
                            [bush; 2],
                            turned(rng.random_range(0.0..TAU), local, rng.random_range(0.8..1.4)),
                            f32::MAX,
                            true,
                        );
                    }
                    _ => {}
                }
            }
            s += rng.random_range(5.0..14.0);
        }
    }
    greens(scene, roads, &trees, bush, &blocked, &mut rng);
}

/// Trees and bushes on free ground farther away from roads.
fn greens(scene: &mut Scene, roads: &Roads, trees: &[[u32; 2]], bush: u32, blocked: &Blocked, rng: &mut Pcg64Mcg) {
    let Some((low, high)) = roads.bounds() else { return };
    let area = (high.x - low.x + 80.0) * (high.y - low.y + 80.0);
    for _ in 0..((area / 500.0) as usize).min(6000) {
        let x = rng.random_range(low.x - 40.0..high.x + 40.0) - scene.origin.x;
        let y = rng.random_range(low.y - 40.0..high.y + 40.0) - scene.origin.y;
        let local = v3(x as f32, y as f32, 0.0);
        let clear = scene.ground.clearance(local.x, local.y);
        if clear < 3.0 || blocked.near(local, 3.0) {
            continue;
        }
        if rng.random_bool(0.7) {
            let pair = trees[rng.random_range(0..trees.len())];
            scene.place(pair, turned(rng.random_range(0.0..TAU), local, rng.random_range(0.8..1.5)), 55.0, true);
        } else {
            scene.place(
                [bush; 2],
                turned(rng.random_range(0.0..TAU), local, rng.random_range(0.9..1.8)),
                f32::MAX,
                true,
            );
        }
    }
}

/// Trees along a road out of town.
fn countryside(scene: &mut Scene, roads: &Roads, rng: &mut Pcg64Mcg) {
    let trees: Vec<[u32; 2]> = (0..TREES).map(|_| tree_pair(scene, rng)).collect();
    for edge in roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Road) {
        let Some(lane) = outer_driving_lane(roads, edge) else { continue };
        let mut s = rng.random_range(5.0..30.0);
        while s < lane.centre.length_m() {
            let Some(on) = lane.centre.at(s) else { break };
            let out = Vector2::new(on.yaw_rad.sin(), -on.yaw_rad.cos())
                * (lane.width_m / 2.0 + rng.random_range(8.0..30.0f64));
            let p = on.point.xy() + out;
            let local = v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0);
            if scene.ground.clearance(local.x, local.y) > 5.0 {
                let pair = trees[rng.random_range(0..TREES)];
                scene.place(pair, turned(rng.random_range(0.0..TAU), local, rng.random_range(0.8..1.5)), 55.0, true);
            }
            s += rng.random_range(6.0..26.0);
        }
    }
}

/// Turned about z, scaled, then shifted.
fn turned(yaw: f32, shift: V3, scale: f32) -> Affine {
    let (s, c) = yaw.sin_cos();
    Affine { turn: Matrix3::new(c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0) * scale, shift }
}

/// Outlines of buildings, to keep out of.
struct Blocked(Vec<Vec<Point2<f64>>>);

impl Blocked {
    fn new(buildings: &[Building], scene: &Scene) -> Self {
        let origin = scene.origin;
        Self(
            buildings
                .iter()
                .map(|b| b.outline.iter().map(|p| Point2::new(p.x - origin.x, p.y - origin.y)).collect())
                .collect(),
        )
    }

    /// A building is nearer than about `margin`, metres.
    fn near(&self, p: V3, margin: f64) -> bool {
        let p = Point2::new(f64::from(p.x), f64::from(p.y));
        self.0.iter().any(|outline| {
            let close = (outline[0] - p).norm() < 60.0;
            close
                && (-1..=1).any(|dx| {
                    (-1..=1).any(|dy| {
                        crate::geometry::contains(outline, p + Vector2::new(f64::from(dx), f64::from(dy)) * margin)
                    })
                })
        })
    }
}

fn steel() -> Material {
    Material::new([126, 130, 132], Finish::Metal).of(Semantic::Pole)
}

fn lamps(scene: &mut Scene, roads: &Roads, blocked: &Blocked) {
    let mut b = Builder::new(Detail::Near);
    b.tube(V3::zeros(), v3(0.0, 0.0, 7.4), 0.085, 0.055, 7, steel());
    b.tube(v3(0.0, 0.0, 7.4), v3(1.3, 0.0, 7.75), 0.045, 0.04, 6, steel());
    b.cuboid(v3(1.5, 0.0, 7.76), v3(0.62, 0.24, 0.10), steel());
    b.panel(
        [v3(1.22, 0.09, 7.705), v3(1.78, 0.09, 7.705), v3(1.78, -0.09, 7.705), v3(1.22, -0.09, 7.705)],
        Material::new([236, 230, 214], Finish::Lamp(Lamp::Street)).of(Semantic::Pole),
    );
    let mesh = scene.add_mesh(b.build());
    for lamp in &roads.lamps {
        let p = v3((lamp.position.x - scene.origin.x) as f32, (lamp.position.y - scene.origin.y) as f32, 0.0);
        // Toward the carriageway: down the slope of the distance to it.
        let at = |dx: f32, dy: f32| scene.ground.distances(p.x + dx, p.y + dy).0;
        let slope = Vector2::new(at(1.0, 0.0) - at(-1.0, 0.0), at(0.0, 1.0) - at(0.0, -1.0));
        stand_lamp(scene, mesh, p, (-slope.y).atan2(-slope.x), lamp.height_m as f32);
    }
    if !scene.ground.urban || !roads.lamps.is_empty() {
        return;
    }
    for edge in roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Road) {
        let Some(lane) = outer_driving_lane(roads, edge) else { continue };
        let side = if roads.left_hand { 1.0 } else { -1.0 };
        let length = lane.centre.length_m();
        let mut s = 3.5;
        while s < length - 2.0 {
            if let Some(on) = lane.centre.at(s) {
                let out = Vector2::new(-on.yaw_rad.sin(), on.yaw_rad.cos()) * side;
                // Outward until there is a pavement to stand on.
                let spot = (0..10)
                    .map(|k| on.point.xy() + out * (lane.width_m / 2.0 + 0.6 + 0.5 * f64::from(k)))
                    .map(|p| v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0))
                    .find(|p| scene.ground.distances(p.x, p.y).0 > 0.5);
                let apart = |p: &V3| scene.lamps.iter().all(|l| (l.xy() - p.xy()).norm() > 14.0);
                if let Some(p) = spot.filter(|p| apart(p) && !blocked.near(*p, 0.5)) {
                    stand_lamp(scene, mesh, p, (-out.y).atan2(-out.x) as f32, 7.75);
                }
            }
            s += 27.0;
        }
    }
}

fn stand_lamp(scene: &mut Scene, mesh: u32, at: V3, toward_rad: f32, height: f32) {
    let k = height / 7.75;
    scene.place([mesh; 2], turned(toward_rad, at, k), f32::MAX, true);
    scene.lamps.push(at + v3(toward_rad.cos() * 1.5, toward_rad.sin() * 1.5, 7.70) * k);
}

fn bin() -> Mesh {
    let mut b = Builder::new(Detail::Near);
    let green = Material::new([52, 88, 64], Finish::Matte).of(Semantic::Pole);
    b.tube(v3(0.0, 0.0, 0.12), v3(0.0, 0.0, 0.95), 0.22, 0.24, 10, green);
    b.build()
}

fn bench() -> Mesh {
    let mut b = Builder::new(Detail::Near);
    let wood = Material::new([132, 96, 62], Finish::Matte).of(Semantic::Pole);
    for y in [-0.16, 0.0, 0.16] {
        b.cuboid(v3(0.0, y, 0.45), v3(1.6, 0.13, 0.04), wood);
    }
    b.cuboid(v3(0.0, -0.26, 0.72), v3(1.6, 0.05, 0.22), wood);
    for x in [-0.65, 0.65] {
        b.cuboid(v3(x, 0.0, 0.22), v3(0.06, 0.42, 0.44), steel().times(0.5));
    }
    b.build()
}

fn bollard() -> Mesh {
    let mut b = Builder::new(Detail::Near);
    b.tube(V3::zeros(), v3(0.0, 0.0, 0.88), 0.07, 0.07, 8, steel().times(0.5));
    b.tube(
        v3(0.0, 0.0, 0.72),
        v3(0.0, 0.0, 0.80),
        0.075,
        0.075,
        8,
        Material::new([230, 230, 228], Finish::Matte).of(Semantic::Pole),
    );
    b.build()
}

fn cabinet() -> Mesh {
    let mut b = Builder::new(Detail::Near);
    b.cuboid(
        v3(0.0, 0.0, 0.62),
        v3(0.95, 0.42, 1.24),
        Material::new([152, 158, 152], Finish::Matte).of(Semantic::Pole),
    );
    b.build()
}
