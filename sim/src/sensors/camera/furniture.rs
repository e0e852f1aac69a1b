//! What stands beside the road: trees, bushes, street lamps, signals, signs, bollards, bins, benches, fences.

use super::ground::Surface;
use super::material::{Finish, Lamp, Material, Semantic};
use super::mesh::{Affine, Builder, Detail, Mesh, V3, v3};
use super::scene::{Scene, outer_driving_lane};
use crate::random::Seed;
use crate::roads::{Building, EdgeKind, LaneKind, RightOfWay, Roads, SignalId};
use nalgebra::{Matrix3, Point2, Vector2};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::f32::consts::TAU;

/// A signal's lenses in their place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignalHead {
    pub(crate) controller: SignalId,
    pub(crate) link: u16,
    /// Middle of the housing.
    pub(crate) at: V3,
    /// Unit vectors: out of the lenses, and to the left of who looks at them.
    pub(crate) facing: V3,
    pub(crate) left: V3,
    /// Red and green figures only.
    pub(crate) for_people: bool,
}

/// Radius of a lens and distance between lenses, metres.
pub(crate) const LENS_M: f32 = 0.11;
pub(crate) const LENS_STEP_M: f32 = 0.30;

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

fn signals(scene: &mut Scene, roads: &Roads) {
    let mut b = Builder::new(Detail::Near);
    let black = Material::new([30, 33, 32], Finish::Matte).of(Semantic::Signal);
    b.cuboid(V3::zeros(), v3(0.22, 0.30, 0.98), black);
    for k in -1..=1 {
        // Hoods over the lenses.
        let z = k as f32 * LENS_STEP_M + 0.12;
        b.sheet([v3(0.11, -0.13, z), v3(0.11, 0.13, z), v3(0.27, 0.11, z - 0.02), v3(0.27, -0.11, z - 0.02)], black);
    }
    let housing = scene.add_mesh(b.build());
    let mut b = Builder::new(Detail::Near);
    b.cuboid(V3::zeros(), v3(0.20, 0.28, 0.66), black);
    let small = scene.add_mesh(b.build());
    let mut b = Builder::new(Detail::Near);
    b.tube(V3::zeros(), v3(0.0, 0.0, 3.5), 0.065, 0.055, 7, steel().times(0.8));
    let post = scene.add_mesh(b.build());
    for edge in &roads.edges {
        if edge.kind == EdgeKind::Crossing {
            crossing_heads(scene, roads, edge, small, post);
            continue;
        }
        let lanes: Vec<_> = edge.lanes.iter().map(|id| roads.lane(*id)).collect();
        let signalled = |lane: &crate::roads::Lane| {
            let links = lane.links.iter().map(|id| roads.link(*id));
            let mut signals: Vec<_> =
                links.filter_map(|link| link.signal.map(|s| (link.turn != crate::roads::Turn::Straight, s))).collect();
            signals.sort_by_key(|s| s.0);
            signals.first().map(|s| s.1)
        };
        let vehicle: Vec<_> = lanes
            .iter()
            .filter(|lane| edge.kind == EdgeKind::Road && matches!(lane.kind, LaneKind::Driving | LaneKind::Bicycle))
            .filter_map(|lane| signalled(lane).map(|s| (*lane, s)))
            .collect();
        let Some((outer, first)) = vehicle.first() else { continue };
        let Some(end) = outer.centre.at(outer.centre.length_m()) else { continue };
        let side = if roads.left_hand { 1.0 } else { -1.0 };
        let yaw = end.yaw_rad;
        let out = Vector2::new(-yaw.sin(), yaw.cos()) * side;
        let spot = (0..8)
            .map(|k| end.point.xy() + out * (outer.width_m / 2.0 + 0.5 + 0.4 * f64::from(k)))
            .map(|p| v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0))
            .find(|p| scene.ground.distances(p.x, p.y).0 > 0.35);
        let fallback = end.point.xy() + out * (outer.width_m / 2.0 + 0.9);
        let at = spot.unwrap_or(v3((fallback.x - scene.origin.x) as f32, (fallback.y - scene.origin.y) as f32, 0.0));
        scene.place([post; 2], turned(0.0, at, 1.0), f32::MAX, true);
        let back = yaw as f32 + std::f32::consts::PI;
        let facing = v3(back.cos(), back.sin(), 0.0);
        let hang = |scene: &mut Scene, at: V3, (controller, link): (SignalId, u16)| {
            scene.place([housing; 2], turned(back, at, 1.0), f32::MAX, true);
            let left = v3(facing.y, -facing.x, 0.0);
            scene.heads.push(SignalHead { controller, link, at, facing, left, for_people: false });
        };
        hang(scene, at + v3(0.0, 0.0, 2.95) + facing * 0.14, *first);
        if vehicle.len() > 1 {
            // An arm over the road with a head for each lane.
            let inner = vehicle[vehicle.len() - 1].0;
            let Some(far) = inner.centre.at(inner.centre.length_m()) else { continue };
            let tip = scene.local(nalgebra::Point3::new(far.point.x, far.point.y, scene.origin.z));
            let top = v3(0.0, 0.0, 5.9);
            let mut b = Builder::new(Detail::Near);
            b.tube(at, at + top, 0.09, 0.075, 7, steel().times(0.8));
            b.tube(at + top - v3(0.0, 0.0, 0.1), tip + top, 0.06, 0.045, 6, steel().times(0.8));
            scene.place_alone(b.build(), true);
            for (lane, signal) in &vehicle {
                if let Some(over) = lane.centre.at(lane.centre.length_m()) {
                    let over = scene.local(nalgebra::Point3::new(over.point.x, over.point.y, scene.origin.z));
                    hang(scene, over + v3(0.0, 0.0, 5.45) + facing * 0.1, *signal);
                }
            }
        }
    }
}

fn crossing_heads(scene: &mut Scene, roads: &Roads, edge: &crate::roads::Edge, housing: u32, post: u32) {
    for lane in edge.lanes.iter().map(|id| roads.lane(*id)) {
        // The link that leads onto the crossing carries its signal.
        let signal = roads
            .links
            .iter()
            .find_map(|link| (roads.lane(link.to).edge == lane.edge).then_some(link.signal).flatten());
        let Some((controller, link)) = signal else { continue };
        for (s, turn) in [(0.0, 1.0f32), (lane.centre.length_m(), -1.0)] {
            let Some(end) = lane.centre.at(s) else { continue };
            let out = Vector2::new(-end.yaw_rad.sin(), end.yaw_rad.cos()) * (lane.width_m / 2.0 + 0.4);
            let away = Vector2::new(end.yaw_rad.cos(), end.yaw_rad.sin()) * f64::from(-turn) * 0.5;
            let p = end.point.xy() + out + away;
            let at = v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0);
            let facing = v3(end.yaw_rad.cos() as f32, end.yaw_rad.sin() as f32, 0.0) * turn;
            scene.place([post; 2], turned(0.0, at, 0.8), f32::MAX, true);
            let head = at + v3(0.0, 0.0, 2.35) + facing * 0.13;
            scene.place([housing; 2], turned(facing.y.atan2(facing.x), head, 1.0), f32::MAX, true);
            scene.heads.push(SignalHead {
                controller,
                link,
                at: head,
                facing,
                left: v3(facing.y, -facing.x, 0.0),
                for_people: true,
            });
        }
    }
}

fn signs(scene: &mut Scene, roads: &Roads) {
    let plate = |number: u8, size: f32| {
        let mut b = Builder::new(Detail::Near);
        b.tube(V3::zeros(), v3(0.0, 0.0, 2.35), 0.035, 0.035, 6, steel());
        let face = Material::new([235, 235, 235], Finish::Sign(number)).of(Semantic::Sign);
        let back = Material::new([120, 122, 124], Finish::Metal).of(Semantic::Sign);
        let z = 2.35;
        // A triangle on its tip, an octagon, a square, a disc.
        let (corners, turn) = [(3, 0.75), (8, 0.0625), (4, 0.125), (18, 0.0)][usize::from(number)];
        let rim: Vec<(f32, f32)> = (0..=corners)
            .map(|k| {
                let (s, c) = (TAU * (k as f32 / corners as f32 + turn)).sin_cos();
                (c * size * 0.5, s * size * 0.5)
            })
            .collect();
        for pair in rim.windows(2) {
            let uv = |p: (f32, f32)| [0.5 + p.0 / size, 0.5 + p.1 / size];
            let at = |x: f32, p: (f32, f32)| v3(x, p.0, z + p.1);
            let (p, q) = (pair[0], pair[1]);
            b.panel_uv(
                [at(0.05, (0.0, 0.0)), at(0.05, p), at(0.05, q), at(0.05, q)],
                [[0.5, 0.5], uv(p), uv(q), uv(q)],
                face,
            );
            b.panel([at(0.045, (0.0, 0.0)), at(0.045, q), at(0.045, p), at(0.045, p)], back);
        }
        b.build()
    };
    let meshes: Vec<u32> = [plate(0, 0.95), plate(1, 0.78), plate(2, 0.85), plate(3, 0.65)]
        .into_iter()
        .map(|m| scene.add_mesh(m))
        .collect();
    for edge in roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Road) {
        let Some(lane) = outer_driving_lane(roads, edge) else { continue };
        let links: Vec<_> = lane.links.iter().map(|id| roads.link(*id)).collect();
        let length = lane.centre.length_m();
        let crossed = |other: &crate::roads::Edge| {
            other.kind == EdgeKind::Crossing && other.crosses.iter().any(|id| std::ptr::eq(roads.edge(*id), edge))
        };
        let number = if links.iter().any(|l| l.signal.is_some()) || length < 15.0 {
            None
        } else if links.iter().any(|l| matches!(l.right_of_way, RightOfWay::Stop | RightOfWay::AllWayStop)) {
            Some(1)
        } else if links.iter().any(|l| l.right_of_way == RightOfWay::Minor) {
            Some(0)
        } else if roads.edges.iter().any(crossed) {
            Some(2)
        } else {
            Some(3).filter(|_| length > 80.0)
        };
        let Some(number) = number else { continue };
        let Some(on) = lane.centre.at(if number == 3 { length * 0.4 } else { length - 1.5 }) else { continue };
        let side = if roads.left_hand { 1.0 } else { -1.0 };
        let p = on.point.xy() + Vector2::new(-on.yaw_rad.sin(), on.yaw_rad.cos()) * side * (lane.width_m / 2.0 + 0.7);
        let at = v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0);
        if scene.ground.distances(at.x, at.y).0 > 0.2 {
            scene.place([meshes[number]; 2], turned(on.yaw_rad as f32 + std::f32::consts::PI, at, 1.0), f32::MAX, true);
        }
    }
}

fn tree_pair(scene: &mut Scene, rng: &mut Pcg64Mcg) -> [u32; 2] {
    let number: u64 = rng.random();
    [Detail::Near, Detail::Far].map(|detail| {
        let mesh = tree(&mut Seed(number).stream("tree", 0), detail);
        scene.add_mesh(mesh)
    })
}

/// A trunk with branches and a crown of leaf clusters.
fn tree(rng: &mut Pcg64Mcg, detail: Detail) -> Mesh {
    let height: f32 = rng.random_range(6.0..9.0);
    let bark = Material::new([98, 82, 66], Finish::Matte).of(Semantic::Vegetation);
    let green = [rng.random_range(58..96), rng.random_range(92..124), rng.random_range(46..64)];
    let mut b = Builder::new(detail);
    b.tube(V3::zeros(), v3(0.05, 0.0, height * 0.48), 0.17, 0.10, 8, bark);
    let crown = height * rng.random_range(0.27..0.34);
    let middle = v3(0.0, 0.0, height * 0.66);
    let lumps: Vec<(V3, f32)> = (0..7)
        .map(|_| {
            let d = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-0.7..0.9));
            (middle + d * crown * 0.62, crown * rng.random_range(0.45..0.7))
        })
        .collect();
    for (centre, _) in lumps.iter().take(4) {
        b.tube(v3(0.05, 0.0, height * 0.42), *centre, 0.06, 0.03, 5, bark);
    }
    let (count, size) = if detail == Detail::Near { (62, 0.26..0.50) } else { (14, 0.6..1.05) };
    for (centre, radius) in &lumps {
        for _ in 0..count {
            let mut d = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
            while d.norm() > 1.0 || d.norm() < 0.1 {
                d = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
            }
            let d = d.normalize();
            let p = centre + d * *radius * rng.random_range(0.75..1.05);
            let tilt = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
            let u = (d + tilt * 0.7).cross(&tilt).try_normalize(1e-3).unwrap_or(v3(1.0, 0.0, 0.0))
                * rng.random_range(size.clone());
            let v = d.cross(&u) * rng.random_range(0.6..1.0f32);
            // Deep inside and below it is darker.
            let depth = ((p - middle).norm() / (crown * 1.2)).min(1.0);
            let tone = (0.42 + 0.50 * depth + 0.16 * d.z) * rng.random_range(0.82..1.15);
            let shade = (tone * 8.0).round() / 8.0;
            b.sheet(
                [p - u, p - v, p + u, p + v],
                Material::new(green, Finish::Leaves).of(Semantic::Vegetation).times(shade),
            );
        }
    }
    let mut mesh = b.build();
    // Leaves are lit as the crown's surface, not each by its own tilt.
    for vertex in &mut mesh.vertices {
        if vertex.position.z > height * 0.45 {
            let out = (vertex.position - middle).try_normalize(1e-3).unwrap_or(v3(0.0, 0.0, 1.0));
            vertex.normal = (out * 0.8 + vertex.normal * 0.35 * vertex.normal.dot(&out).signum()).normalize();
        }
    }
    mesh
}

fn bush(rng: &mut Pcg64Mcg) -> Mesh {
    let mut b = Builder::new(Detail::Near);
    for _ in 0..90 {
        let d = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-0.4..1.0))
            .try_normalize(1e-3)
            .unwrap_or(v3(0.0, 0.0, 1.0));
        let p = v3(0.0, 0.0, 0.42) + d.component_mul(&v3(0.75, 0.65, 0.45)) * rng.random_range(0.7..1.0);
        let tilt = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
        let u = d.cross(&tilt).try_normalize(1e-3).unwrap_or(v3(1.0, 0.0, 0.0)) * 0.17;
        let v = d.cross(&u);
        let tone = (0.65 + 0.35 * d.z) * rng.random_range(0.8..1.1);
        b.sheet(
            [p - u, p - v, p + u, p + v],
            Material::new([72, 104, 56], Finish::Leaves).of(Semantic::Vegetation).times((tone * 8.0).round() / 8.0),
        );
    }
    b.build()
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
