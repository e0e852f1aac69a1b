//! What does not move: the ground, markings, buildings, trees, lamps, signals and signs of a road network.
//!
//! In: [`Roads`]. Out: meshes in places, which cameras draw. Where the network has no buildings, and for all furniture,
//! places follow from the seed alone.

use super::furniture::{self, SignalHead};
use super::ground::{GroundMap, triangulate};
use super::markings;
use super::material::{Finish, Material, Semantic};
use super::mesh::{Affine, Builder, Detail, Mesh, V3, v3};
use crate::random::Seed;
use crate::roads::{Building, EdgeKind, LaneKind, Roads};
use nalgebra::{Point2, Point3, Vector2};
use rand::RngExt;
use std::collections::BTreeMap;

/// A mesh in its place.
#[derive(Debug)]
pub(crate) struct Placed {
    /// Meshes for near and for far, as indices of [`Scene::meshes`].
    pub(crate) mesh: [u32; 2],
    pub(crate) place: Affine,
    pub(crate) centre: V3,
    pub(crate) radius: f32,
    /// From here on the far mesh is drawn, metres.
    pub(crate) far_from_m: f32,
    pub(crate) casts_shadow: bool,
}

/// Everything that does not move. Shared by all cameras.
#[derive(Debug)]
pub struct Scene {
    pub(crate) origin: Point3<f64>,
    pub(crate) ground: GroundMap,
    pub(crate) meshes: Vec<Mesh>,
    pub(crate) placed: Vec<Placed>,
    pub(crate) heads: Vec<SignalHead>,
    /// Street lamps, and for each cell of 32 m those that light it.
    pub(crate) lamps: Vec<V3>,
    lamp_cells: BTreeMap<(i32, i32), Vec<u32>>,
}

/// Street lamps light so far, metres.
const LAMP_REACH_M: f32 = 32.0;

impl Scene {
    /// The scene of a network; furniture is strewn by `seed`.
    pub fn new(roads: &Roads, seed: Seed) -> Self {
        let (low, high) = roads.bounds().unwrap_or_default();
        let height = roads.lanes.iter().find_map(|lane| lane.centre.points().first()).map_or(0.0, |p| p.z);
        let middle = nalgebra::center(&low, &high);
        let origin = Point3::new(middle.x.round(), middle.y.round(), height);
        let mut scene = Self {
            origin,
            ground: GroundMap::new(roads, origin),
            meshes: Vec::new(),
            placed: Vec::new(),
            heads: Vec::new(),
            lamps: Vec::new(),
            lamp_cells: BTreeMap::new(),
        };
        scene.plane();
        for mesh in markings::build(roads, origin) {
            scene.place_alone(mesh, false);
        }
        let invented;
        let buildings = if roads.buildings.is_empty() {
            invented = invent_buildings_on(roads, seed, &scene.ground, origin);
            &invented
        } else {
            &roads.buildings
        };
        for (k, building) in buildings.iter().enumerate() {
            let mesh = build_building(building, origin, seed.stream("facade", k as u64).random());
            scene.place_alone(mesh, true);
        }
        furniture::build(&mut scene, roads, buildings, seed);
        for (k, lamp) in scene.lamps.iter().enumerate() {
            let cell = |v: f32| (v / 32.0).floor() as i32;
            for x in cell(lamp.x - LAMP_REACH_M)..=cell(lamp.x + LAMP_REACH_M) {
                for y in cell(lamp.y - LAMP_REACH_M)..=cell(lamp.y + LAMP_REACH_M) {
                    scene.lamp_cells.entry((x, y)).or_default().push(k as u32);
                }
            }
        }
        scene
    }

    /// A position of the world relative to the scene's origin.
    pub(crate) fn local(&self, p: Point3<f64>) -> V3 {
        (p - self.origin).cast()
    }

    /// Street lamps that light a place.
    pub(crate) fn lamps_at(&self, x: f32, y: f32) -> &[u32] {
        let cell = ((x / 32.0).floor() as i32, (y / 32.0).floor() as i32);
        self.lamp_cells.get(&cell).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn add_mesh(&mut self, mesh: Mesh) -> u32 {
        self.meshes.push(mesh);
        self.meshes.len() as u32 - 1
    }

    /// Places a mesh whose coordinates are the scene's.
    pub(crate) fn place_alone(&mut self, mesh: Mesh, casts_shadow: bool) {
        if mesh.vertices.is_empty() {
            return;
        }
        let mesh = self.add_mesh(mesh);
        self.place([mesh, mesh], Affine::identity(), f32::MAX, casts_shadow);
    }

    pub(crate) fn place(&mut self, mesh: [u32; 2], place: Affine, far_from_m: f32, casts_shadow: bool) {
        let points = || self.meshes[mesh[0] as usize].vertices.iter().map(|v| place.apply(v.position));
        let low = points().fold(V3::repeat(f32::MAX), |a, b| a.inf(&b));
        let high = points().fold(V3::repeat(f32::MIN), |a, b| a.sup(&b));
        let (centre, radius) = ((low + high) * 0.5, (high - low).norm() * 0.5);
        self.placed.push(Placed { mesh, place, centre, radius, far_from_m, casts_shadow });
    }

    /// The ground: one plane, cut so that far parts can be left out.
    fn plane(&mut self) {
        let ground = Material::new([120, 120, 120], Finish::Ground).of(Semantic::Terrain);
        for ix in -8..8 {
            for iy in -8..8 {
                let mut b = Builder::new(Detail::Near);
                let size = 250.0;
                let (x, y) = (ix as f32 * size, iy as f32 * size);
                b.panel(
                    [v3(x, y, 0.0), v3(x + size, y, 0.0), v3(x + size, y + size, 0.0), v3(x, y + size, 0.0)],
                    ground,
                );
                self.place_alone(b.build(), false);
            }
        }
    }
}

/// Buildings for a network that has none, so that radio, lidar and cameras agree on them: put them into
/// [`Roads::buildings`].
pub fn invent_buildings(roads: &Roads, seed: Seed) -> Vec<Building> {
    invent_buildings_on(roads, seed, &GroundMap::new(roads, Point3::origin()), Point3::origin())
}

fn invent_buildings_on(roads: &Roads, seed: Seed, ground: &GroundMap, origin: Point3<f64>) -> Vec<Building> {
    let mut rng = seed.stream("buildings", 0);
    let mut buildings: Vec<Building> = Vec::new();
    let mut taken: BTreeMap<(i32, i32), Vec<usize>> = BTreeMap::new();
    if !ground.urban {
        return buildings;
    }
    let cell = |p: Point2<f64>| ((p.x / 40.0).floor() as i32, (p.y / 40.0).floor() as i32);
    for edge in roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Road) {
        let Some(lane) = edge.lanes.first().map(|id| roads.lane(*id)) else { continue };
        let side = if roads.left_hand { 1.0 } else { -1.0 };
        let mut s = rng.random_range(2.0..8.0);
        while s < lane.centre.length_m() {
            let (length, depth) = (rng.random_range(10.0..24.0), rng.random_range(9.0..15.0));
            let setback = 0.5 + rng.random_range(0.0..5.0f64).powi(2) / 5.0;
            let storeys = rng.random_range(2..6);
            let Some(on) = lane.centre.at(s + length / 2.0) else { break };
            let (sin, cos) = on.yaw_rad.sin_cos();
            let (along, across) = (Vector2::new(cos, sin), Vector2::new(-sin, cos) * side);
            // Outward until the front is clear of road and pavement.
            let spot = (0..14).find_map(|step| {
                let front = on.point.xy() + across * (lane.width_m / 2.0 + 2.0 + f64::from(step) + setback);
                let corner = |a: f64, d: f64| front + along * (a * length / 2.0) + across * (d * depth);
                let clear = (0..=6).all(|i| {
                    (0..=4).all(|j| {
                        let p = corner(f64::from(i) / 3.0 - 1.0, f64::from(j) / 4.0);
                        ground.clearance((p.x - origin.x) as f32, (p.y - origin.y) as f32) > 0.6
                    })
                });
                clear.then(|| [corner(-1.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(-1.0, 1.0)])
            });
            s += length + if rng.random_bool(0.6) { 0.05 } else { rng.random_range(2.0..9.0) };
            let Some(mut outline) = spot.map(Vec::from) else { continue };
            let middle = nalgebra::center(&outline[0], &outline[2]);
            let (cx, cy) = cell(middle);
            let near = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (cx + dx, cy + dy)));
            let clash =
                near.filter_map(|c| taken.get(&c)).flatten().any(|other| overlap(&buildings[*other].outline, &outline));
            if clash {
                continue;
            }
            if area(&outline) < 0.0 {
                outline.reverse();
            }
            taken.entry((cx, cy)).or_default().push(buildings.len());
            buildings.push(Building { outline, height_m: f64::from(storeys) * 3.1 + 0.4 });
        }
    }
    buildings
}

fn area(outline: &[Point2<f64>]) -> f64 {
    let n = outline.len();
    (0..n).map(|i| outline[i].x * outline[(i + 1) % n].y - outline[i].y * outline[(i + 1) % n].x).sum::<f64>() / 2.0
}

/// Whether two convex polygons overlap.
fn overlap(a: &[Point2<f64>], b: &[Point2<f64>]) -> bool {
    let apart = |outline: &[Point2<f64>]| {
        (0..outline.len()).any(|i| {
            let edge = outline[(i + 1) % outline.len()] - outline[i];
            let normal = Vector2::new(-edge.y, edge.x).normalize();
            let range = |points: &[Point2<f64>]| {
                points
                    .iter()
                    .map(|p| p.coords.dot(&normal))
                    .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
            };
            let ((a0, a1), (b0, b1)) = (range(a), range(b));
            a1 < b0 + 0.02 || b1 < a0 + 0.02
        })
    };
    !apart(a) && !apart(b)
}

/// Walls with windows and a roof; `number` decides colours.
fn build_building(building: &Building, origin: Point3<f64>, number: u32) -> Mesh {
    const WALLS: [[u8; 3]; 9] = [
        [214, 190, 150],
        [204, 158, 118],
        [190, 182, 172],
        [222, 206, 178],
        [176, 112, 90],
        [228, 222, 210],
        [168, 156, 150],
        [206, 174, 128],
        [150, 92, 76],
    ];
    const TILES: [[u8; 3]; 4] = [[172, 98, 72], [150, 84, 64], [120, 116, 112], [92, 90, 92]];
    let mut b = Builder::new(Detail::Near);
    let mut outline: Vec<Point2<f64>> =
        building.outline.iter().map(|p| Point2::new(p.x - origin.x, p.y - origin.y)).collect();
    if outline.len() < 3 {
        return b.build();
    }
    if area(&outline) < 0.0 {
        outline.reverse();
    }
    let wall =
        Material::new(WALLS[(number >> 3) as usize % WALLS.len()], Finish::Facade(number)).of(Semantic::Building);
    let tiles = Material::new(TILES[(number >> 9) as usize % TILES.len()], Finish::Roof).of(Semantic::Building);
    let top = building.height_m as f32;
    let at = |p: Point2<f64>, z: f32| v3(p.x as f32, p.y as f32, z);
    let n = outline.len();
    for i in 0..n {
        let (p, q) = (outline[i], outline[(i + 1) % n]);
        let run = (q - p).norm() as f32;
        // Counter-clockwise seen from above: from outside the wall runs left to right as p to q.
        b.panel_uv(
            [at(p, 0.0), at(q, 0.0), at(q, top), at(p, top)],
            [[0.0, 0.0], [run, 0.0], [run, top], [0.0, top]],
            wall,
        );
    }
    let gable = n == 4 && top < 16.0 && !number.is_multiple_of(4);
    if gable {
        let (mut c, sides) = (outline.clone(), ((outline[1] - outline[0]).norm(), (outline[2] - outline[1]).norm()));
        if sides.0 < sides.1 {
            c.rotate_left(1);
        }
        let rise = (c[2] - c[1]).norm() as f32 * 0.27;
        let ridge = [nalgebra::center(&c[0], &c[3]), nalgebra::center(&c[1], &c[2])];
        let along = (c[1] - c[0]).normalize() * 0.35;
        let across = (c[2] - c[1]).normalize() * 0.45;
        let (r0, r1) = (at(ridge[0] - along, top + rise), at(ridge[1] + along, top + rise));
        let eaves = top - 0.12;
        b.sheet([at(c[0] - along - across, eaves), at(c[1] + along - across, eaves), r1, r0], tiles);
        b.sheet([at(c[2] + along + across, eaves), at(c[3] - along + across, eaves), r0, r1], tiles);
        let plain = Material { finish: Finish::Matte, ..wall };
        let (g0, g1) = (at(ridge[0], top + rise * 0.97), at(ridge[1], top + rise * 0.97));
        b.sheet([at(c[3], top), at(c[0], top), g0, g0], plain);
        b.sheet([at(c[1], top), at(c[2], top), g1, g1], plain);
    } else {
        let grey = Material::new([130, 128, 124], Finish::Matte).of(Semantic::Building);
        for t in triangulate(&outline) {
            let [x, y, z] = t.map(|i| at(outline[i], top));
            b.panel([x, y, z, z], grey);
        }
        // The parapet's edge.
        for i in 0..n {
            let (p, q) = (outline[i], outline[(i + 1) % n]);
            let out = Vector2::new((q - p).y, -(q - p).x).normalize() * 0.06;
            b.panel(
                [at(p + out, top - 0.35), at(q + out, top - 0.35), at(q + out, top + 0.05), at(p + out, top + 0.05)],
                grey.times(1.25),
            );
        }
    }
    b.build()
}

/// The outermost lane of an edge for vehicles, if it has one.
pub(crate) fn outer_driving_lane<'a>(roads: &'a Roads, edge: &crate::roads::Edge) -> Option<&'a crate::roads::Lane> {
    edge.lanes.iter().map(|id| roads.lane(*id)).find(|lane| lane.kind == LaneKind::Driving)
}
