//! A junction in three dimensions: lanes as ribbons, road users as boxes, signals as posts.
//!
//! In: entities and the origin of a local frame (metres east, north, up). Out: a glTF 2.0 document with everything in it, or
//! a Foxglove `SceneUpdate` as JSON. Invariants: sizes are those that were observed, else those of the class. Absent:
//! buildings and textures.

use crate::entity::{Entity, EntityKind, Geometry, Position};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::time::Timestamp;
use serde_json::{Value, json};

/// Width of a lane that does not say its own, metres.
const LANE_WIDTH_M: f64 = 3.0;
/// How far above the road users a signal hangs, metres.
const SIGNAL_HEIGHT_M: f64 = 4.0;

/// Something solid.
struct Solid {
    id: String,
    at: Timestamp,
    /// Middle of its bottom.
    foot: Enu,
    /// Radians counter-clockwise from east.
    yaw_rad: f64,
    /// Length, width, height, metres.
    size_m: [f64; 3],
    /// Red, green, blue, 0 to 1.
    colour: [f64; 3],
}

/// A lane's surface.
struct Ribbon {
    id: String,
    at: Timestamp,
    line: Vec<Enu>,
    width_m: f64,
}

/// What there is to show.
struct Scene {
    solids: Vec<Solid>,
    ribbons: Vec<Ribbon>,
}

impl Scene {
    fn new<'a>(entities: impl IntoIterator<Item = &'a Entity>, origin: Position) -> Self {
        let frame = SiteFrame::new(Wgs84 { lat_deg: origin.lat_deg, lon_deg: origin.lon_deg, alt_m: 0.0 });
        let enu = |p: &Position| {
            let at = frame.to_enu(Wgs84 { lat_deg: p.lat_deg, lon_deg: p.lon_deg, alt_m: 0.0 });
            Enu::ground(at.e_m, at.n_m)
        };
        let mut scene = Self { solids: Vec::new(), ribbons: Vec::new() };
        for entity in entities {
            match (&entity.geometry, entity.kind) {
                (Geometry::LineString(line), EntityKind::RoadSegment) => scene.ribbons.push(Ribbon {
                    id: entity.id.clone(),
                    at: entity.observed_at,
                    line: line.iter().map(enu).collect(),
                    width_m: number(entity, "width").unwrap_or(LANE_WIDTH_M),
                }),
                (Geometry::Point(p), kind) => scene.solids.extend(solid(entity, kind, enu(p))),
                _ => {}
            }
        }
        scene
    }
}

fn solid(entity: &Entity, kind: EntityKind, foot: Enu) -> Option<Solid> {
    let class = ["vehicleType", "class", "state"].iter().find_map(|name| entity.value_of(name));
    let class = class.as_ref().and_then(Value::as_str).unwrap_or("unknown");
    let (size_m, colour) = match (kind, class) {
        (EntityKind::Vehicle, "bus" | "tram") => ([12.0, 2.5, 3.2], [0.0, 0.45, 0.7]),
        (EntityKind::Vehicle, "lorry" | "trailer") => ([9.0, 2.5, 3.5], [0.8, 0.4, 0.0]),
        (EntityKind::Vehicle, "van") => ([5.5, 2.0, 2.4], [0.8, 0.4, 0.0]),
        (EntityKind::Vehicle, "bicycle" | "e-scooter" | "motorcycle" | "moped") => ([1.8, 0.6, 1.7], [0.0, 0.6, 0.5]),
        (EntityKind::Vehicle, _) => ([4.5, 1.8, 1.5], [0.35, 0.7, 0.9]),
        (EntityKind::PerceivedObject, _) => ([0.5, 0.5, 1.75], [0.95, 0.9, 0.25]),
        (EntityKind::TrafficSignal, "protected-movement-allowed" | "permissive-movement-allowed") => {
            ([0.4, 0.4, 1.0], [0.0, 0.8, 0.3])
        }
        (EntityKind::TrafficSignal, "stop-and-remain" | "stop-then-proceed") => ([0.4, 0.4, 1.0], [0.9, 0.1, 0.1]),
        (EntityKind::TrafficSignal, _) => ([0.4, 0.4, 1.0], [0.9, 0.7, 0.0]),
        (EntityKind::Streetlight, _) => ([0.2, 0.2, 8.0], [0.6, 0.6, 0.6]),
        (EntityKind::Alert, _) => ([1.5, 1.5, 0.2], [0.8, 0.0, 0.6]),
        _ => return None,
    };
    let heading = number(entity, "bearing").or(number(entity, "heading")).filter(|deg| *deg >= 0.0);
    let size_m =
        [number(entity, "length").unwrap_or(size_m[0]), number(entity, "width").unwrap_or(size_m[1]), size_m[2]];
    let u_m = if kind == EntityKind::TrafficSignal { SIGNAL_HEIGHT_M } else { 0.0 };
    let yaw_rad = masa_v2x_proto::geo::heading_to_yaw_rad(heading.unwrap_or(90.0).to_radians());
    Some(Solid { id: entity.id.clone(), at: entity.observed_at, foot: Enu { u_m, ..foot }, yaw_rad, size_m, colour })
}

fn number(entity: &Entity, name: &str) -> Option<f64> {
    entity.value_of(name)?.as_f64()
}

impl Ribbon {
    /// Left and right edge, alternating, from the beginning to the end.
    fn edges(&self) -> Vec<Enu> {
        let half = self.width_m / 2.0;
        let mut edges = Vec::with_capacity(2 * self.line.len());
        for (i, at) in self.line.iter().enumerate() {
            let (before, after) = (self.line[i.saturating_sub(1)], self.line[(i + 1).min(self.line.len() - 1)]);
            let (e, n) = (after.e_m - before.e_m, after.n_m - before.n_m);
            let length = e.hypot(n).max(1e-9);
            let (left_e, left_n) = (-n / length * half, e / length * half);
            edges.push(Enu::ground(at.e_m + left_e, at.n_m + left_n));
            edges.push(Enu::ground(at.e_m - left_e, at.n_m - left_n));
        }
        edges
    }

    /// Indices of the triangles of [`Ribbon::edges`].
    fn triangles(&self) -> Vec<u32> {
        (0..self.line.len() as u32 - 1).flat_map(|i| [0, 1, 2, 1, 3, 2].map(|corner| 2 * i + corner)).collect()
    }
}

/// Where the triangles of a mesh are in the buffer, with the box around them.
struct Mesh {
    positions: Vec<[f32; 3]>,
    indices: Vec<u32>,
    colour: [f64; 3],
}

/// glTF axes: x east, y up, z south.
fn gltf_axes(p: Enu) -> [f32; 3] {
    [p.e_m as f32, p.u_m as f32, -p.n_m as f32]
}

/// A box of one metre, standing on the ground.
fn cube(colour: [f64; 3]) -> Mesh {
    let corner = |i: usize| [i & 1, i >> 1 & 1, i >> 2 & 1].map(|bit| bit as f32);
    let positions = (0..8).map(corner).map(|[x, y, z]| [x - 0.5, y, z - 0.5]).collect();
    let faces = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    let indices = faces.iter().flat_map(|[a, b, c, d]| [*a, *b, *c, *a, *c, *d]).collect();
    Mesh { positions, indices, colour }
}

/// The scene as a glTF 2.0 document with its buffer inside.
pub fn gltf<'a>(entities: impl IntoIterator<Item = &'a Entity>, origin: Position) -> Value {
    let scene = Scene::new(entities, origin);
    let mut meshes = Vec::new();
    let mut nodes = Vec::new();
    for ribbon in &scene.ribbons {
        let positions = ribbon.edges().into_iter().map(gltf_axes).collect();
        nodes.push(json!({ "name": ribbon.id, "mesh": meshes.len() }));
        meshes.push(Mesh { positions, indices: ribbon.triangles(), colour: [0.25, 0.25, 0.27] });
    }
    for solid in &scene.solids {
        let mesh = meshes.iter().position(|mesh| mesh.positions.len() == 8 && mesh.colour == solid.colour);
        let mesh = mesh.unwrap_or_else(|| {
            meshes.push(cube(solid.colour));
            meshes.len() - 1
        });
        let (sin, cos) = (solid.yaw_rad / 2.0).sin_cos();
        let [length, width, height] = solid.size_m;
        nodes.push(json!({ "name": solid.id, "mesh": mesh, "translation": gltf_axes(solid.foot),
            "rotation": [0.0, sin, 0.0, cos], "scale": [length, height, width] }));
    }
    let document = document(&meshes, nodes);
    json!({ "asset": { "version": "2.0", "generator": "masa data room" }, "scene": 0,
        "scenes": [{ "name": "junction", "nodes": (0..document.nodes.len()).collect::<Vec<_>>(),
            "extras": { "origin": [origin.lon_deg, origin.lat_deg] } }],
        "nodes": document.nodes, "meshes": document.meshes, "materials": document.materials,
        "accessors": document.accessors, "bufferViews": document.views, "buffers": document.buffers })
}

struct Document {
    nodes: Vec<Value>,
    meshes: Vec<Value>,
    materials: Vec<Value>,
    accessors: Vec<Value>,
    views: Vec<Value>,
    buffers: Vec<Value>,
}

const FLOAT: u32 = 5126;
const UNSIGNED_INT: u32 = 5125;
const ARRAY_BUFFER: u32 = 34962;
const ELEMENT_ARRAY_BUFFER: u32 = 34963;

fn document(meshes: &[Mesh], nodes: Vec<Value>) -> Document {
    let mut bytes = Vec::new();
    let (mut accessors, mut views, mut materials, mut images) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for mesh in meshes {
        let bound = |pick: fn(f32, f32) -> f32| {
            let first = mesh.positions[0];
            mesh.positions.iter().fold(first, |a, b| [pick(a[0], b[0]), pick(a[1], b[1]), pick(a[2], b[2])])
        };
        let (start, count) = (bytes.len(), mesh.positions.len());
        bytes.extend(mesh.positions.iter().flatten().flat_map(|value| value.to_le_bytes()));
        views.push(
            json!({ "buffer": 0, "byteOffset": start, "byteLength": bytes.len() - start, "target": ARRAY_BUFFER }),
        );
        accessors.push(json!({ "bufferView": views.len() - 1, "componentType": FLOAT, "count": count, "type": "VEC3",
            "min": bound(f32::min), "max": bound(f32::max) }));
        let start = bytes.len();
        bytes.extend(mesh.indices.iter().flat_map(|index| index.to_le_bytes()));
        let length = bytes.len() - start;
        views.push(json!({ "buffer": 0, "byteOffset": start, "byteLength": length, "target": ELEMENT_ARRAY_BUFFER }));
        accessors.push(json!({ "bufferView": views.len() - 1, "componentType": UNSIGNED_INT,
            "count": mesh.indices.len(), "type": "SCALAR" }));
        let [r, g, b] = mesh.colour;
        materials.push(json!({ "doubleSided": true,
            "pbrMetallicRoughness": { "baseColorFactor": [r, g, b, 1.0], "metallicFactor": 0.0 } }));
        images.push(json!({ "primitives": [{ "attributes": { "POSITION": accessors.len() - 2 },
            "indices": accessors.len() - 1, "material": materials.len() - 1 }] }));
    }
    let uri = format!("data:application/octet-stream;base64,{}", STANDARD.encode(&bytes));
    let buffers = if bytes.is_empty() { Vec::new() } else { vec![json!({ "byteLength": bytes.len(), "uri": uri })] };
    Document { nodes, meshes: images, materials, accessors, views, buffers }
}

/// The scene as a Foxglove `SceneUpdate` (JSON encoding of `foxglove.SceneUpdate`), in the frame `site`.
pub fn scene_update<'a>(entities: impl IntoIterator<Item = &'a Entity>, origin: Position) -> Value {
    let scene = Scene::new(entities, origin);
    let identity = json!({ "position": point(Enu::default()), "orientation": { "x": 0, "y": 0, "z": 0, "w": 1 } });
    let entity = |id: &str, at: Timestamp, shape: &str, value: Value| {
        let ns = at.unix_ns();
        let stamp = json!({ "sec": ns.div_euclid(1_000_000_000), "nsec": ns.rem_euclid(1_000_000_000) });
        json!({ "timestamp": stamp, "frame_id": "site", "id": id, "lifetime": { "sec": 0, "nsec": 0 },
            "frame_locked": true, "metadata": [], shape: [value] })
    };
    let ribbons = scene.ribbons.iter().map(|ribbon| {
        let points: Vec<_> = ribbon.edges().into_iter().map(point).collect();
        let colour = json!({ "r": 0.25, "g": 0.25, "b": 0.27, "a": 1.0 });
        let value = json!({ "pose": identity, "points": points, "indices": ribbon.triangles(), "color": colour });
        entity(&ribbon.id, ribbon.at, "triangles", value)
    });
    let solids = scene.solids.iter().map(|solid| {
        let (sin, cos) = (solid.yaw_rad / 2.0).sin_cos();
        let ([x, y, z], [r, g, b]) = (solid.size_m, solid.colour);
        let middle = Enu { u_m: solid.foot.u_m + z / 2.0, ..solid.foot };
        let pose = json!({ "position": point(middle), "orientation": { "x": 0.0, "y": 0.0, "z": sin, "w": cos } });
        let value =
            json!({ "pose": pose, "size": { "x": x, "y": y, "z": z }, "color": { "r": r, "g": g, "b": b, "a": 0.9 } });
        entity(&solid.id, solid.at, "cubes", value)
    });
    json!({ "deletions": [], "entities": ribbons.chain(solids).collect::<Vec<_>>() })
}

fn point(at: Enu) -> Value {
    json!({ "x": at.e_m, "y": at.n_m, "z": at.u_m })
}
