//! One frame: actors with their shadows and lamps over the background, and what of each actor shows.

use super::background::{Background, BackgroundTile};
use super::furniture::{LENS_M, LENS_STEP_M};
use super::light::{Light, Rgb, luminance, scale};
use super::material::{Finish, Lamp, Material, Semantic};
use super::mesh::{Affine, Builder, Detail, Mesh, V3, v3};
use super::models::Model;
use super::raster::{Bins, Mask, TILE, TILE_PX, TileBuffer, fill_mask};
use super::scene::Scene;
use super::shade::{ActorLight, BEAM_RGB, Beam, LitLamps, Shading, actor_surface};
use super::shadow::ShadowMap;
use super::view::{Batch, Rays, View, sample_px};
use crate::actor::{Actor, ActorKind};
use crate::roads::SignalState;
use crate::snapshot::Snapshot;
use nalgebra::Matrix3;
use rayon::prelude::*;
use std::sync::Arc;

/// An actor that may show, prepared for a picture.
pub(crate) struct Cast {
    pub(crate) id: u32,
    pub(crate) class: Semantic,
    pub(crate) light: ActorLight,
    /// Footprint: centre, direction ahead, half length, half width.
    centre: V3,
    ahead: V3,
    half: [f32; 2],
}

/// What of an actor shows in a picture, in samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Samples in the picture that it would cover if nothing hid it.
    pub(crate) covered: u32,
    pub(crate) visible: u32,
    /// Of what is visible: first and last column and row of samples.
    pub(crate) x: [u32; 2],
    pub(crate) y: [u32; 2],
}

impl Default for Shown {
    fn default() -> Self {
        Self { covered: 0, visible: 0, x: [u32::MAX, 0], y: [u32::MAX, 0] }
    }
}

impl Shown {
    fn join(&mut self, other: &Self) {
        self.covered += other.covered;
        self.visible += other.visible;
        self.x = [self.x[0].min(other.x[0]), self.x[1].max(other.x[1])];
        self.y = [self.y[0].min(other.y[0]), self.y[1].max(other.y[1])];
    }
}

/// A tile of a frame.
#[derive(Debug)]
pub(crate) struct TileOut {
    pub(crate) rgb: Vec<Rgb>,
    pub(crate) depth: Vec<f32>,
    pub(crate) instance: Vec<u32>,
    pub(crate) class: Vec<u8>,
    shown: Vec<(u16, Shown)>,
    buffer: TileBuffer,
}

impl Default for TileOut {
    fn default() -> Self {
        let pixels = TILE_PX * TILE_PX;
        Self {
            rgb: vec![[0.0; 3]; pixels],
            depth: vec![0.0; pixels],
            instance: vec![0; pixels],
            class: vec![0; pixels],
            shown: Vec::new(),
            buffer: TileBuffer::default(),
        }
    }
}

/// Everything that is kept between frames to save allocations.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    batch: Batch,
    bins: Bins,
    shadow_batch: Batch,
    shadow_bins: Bins,
    pub(crate) tiles: Vec<TileOut>,
}

/// What a frame is drawn from.
pub(crate) struct Stage<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) light: &'a Light,
    pub(crate) shadow: Option<&'a ShadowMap>,
    pub(crate) view: &'a View,
    pub(crate) rays: &'a Rays,
    pub(crate) background: &'a Background,
}

/// An actor with its model and how far it has gone.
pub(crate) struct Entry<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) model: Arc<Model>,
    pub(crate) gone_m: f64,
}

/// Actors lower than this many pixels are drawn from their far mesh.
const NEAR_PX: f32 = 64.0;
/// Shadows of actors farther away are left out, metres.
const SHADOWS_M: f32 = 140.0;

pub(crate) fn class_of(kind: ActorKind) -> Semantic {
    match kind {
        ActorKind::Car => Semantic::Car,
        ActorKind::Van => Semantic::Van,
        ActorKind::Truck => Semantic::Truck,
        ActorKind::Bus => Semantic::Bus,
        ActorKind::Tram => Semantic::Tram,
        ActorKind::Motorcycle | ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => Semantic::Rider,
        ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair => Semantic::Person,
        ActorKind::Dog | ActorKind::Deer => Semantic::Animal,
        ActorKind::LostCargo | ActorKind::Cone | ActorKind::Barrier => Semantic::Object,
    }
}

fn lit_lamps(actor: &Actor, time_s: f64) -> LitLamps {
    let blink = (time_s * 1.5).fract() < 0.5;
    let flash = (time_s * 4.0).fract() < 0.5;
    let l = actor.lights;
    LitLamps {
        low_beam: l.low_beam,
        brake: l.brake,
        left: l.left && blink,
        right: l.right && blink,
        beacon: l.beacon && flash,
    }
}

/// Model axes to the scene, scaled from the model's size to the actor's.
fn root(scene: &Scene, actor: &Actor, model: &Model) -> Affine {
    let (s, c) = (actor.pose.yaw_rad as f32).sin_cos();
    let (sp, cp) = (actor.pose.pitch_rad as f32).sin_cos();
    let yaw = Matrix3::new(c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0);
    let pitch = Matrix3::new(cp, 0.0, -sp, 0.0, 1.0, 0.0, sp, 0.0, cp);
    let ratio = |a: f64, b: f64| ((a / b) as f32).clamp(0.4, 2.5);
    let (is, want) = (model.size, actor.size);
    let rigid = actor.kind.is_motor_vehicle()
        || matches!(actor.kind, ActorKind::LostCargo | ActorKind::Cone | ActorKind::Barrier);
    let scales = if rigid {
        V3::new(ratio(want.length_m, is.length_m), ratio(want.width_m, is.width_m), ratio(want.height_m, is.height_m))
    } else {
        // Living beings keep their proportions.
        V3::repeat(ratio(want.height_m, is.height_m))
    };
    Affine { turn: yaw * pitch * Matrix3::from_diagonal(&scales), shift: scene.local(actor.pose.position) }
}

impl Workspace {
    /// Draws a frame's tiles; gives for each actor that may show what of it does.
    pub(crate) fn draw(
        &mut self,
        stage: &Stage,
        snapshot: &Snapshot,
        entries: &[Entry],
        hidden: Option<u32>,
    ) -> (Vec<Cast>, Vec<Shown>) {
        let (scene, light, view) = (stage.scene, stage.light, stage.view);
        self.batch.clear();
        self.shadow_batch.clear();
        let shading = Shading { scene, light, shadow: stage.shadow };
        let beams = beams(scene, light, entries);
        let sunny = luminance(light.sun_rgb) > 0.03;
        let mut cast = Vec::new();
        for entry in entries {
            let (actor, model) = (entry.actor, &entry.model);
            let root = root(scene, actor, model);
            let reach = (actor.size.length_m.hypot(actor.size.width_m).hypot(2.0 * actor.size.height_m) / 2.0) as f32;
            let distance = (root.shift - view.position).norm();
            let bones = model.pose(entry.gone_m, actor.speed_mps).map(|bone| bone.then(&root));
            if sunny && distance < SHADOWS_M {
                let length = reach + (actor.size.height_m as f32 / light.sun.z).min(40.0);
                if view.sees(root.shift, length) {
                    cast_shadow(&mut self.shadow_batch, view, &model.shadow, &bones, light.sun, root.shift.z + 0.02);
                }
            }
            if hidden == Some(actor.id.0) || !view.sees(root.shift + v3(0.0, 0.0, reach * 0.5), reach * 1.25 + 0.3) {
                continue;
            }
            let height_px =
                actor.size.height_m.max(0.5 * actor.size.length_m) as f32 / distance.max(0.1) / view.sample_angle * 0.5;
            let mesh = if height_px > NEAR_PX { &model.near } else { &model.far };
            cast.push(Cast {
                id: actor.id.0,
                class: class_of(actor.kind),
                light: actor_light(&shading, &beams, actor, root.shift, distance, snapshot.time_s),
                centre: root.shift,
                ahead: v3((actor.pose.yaw_rad as f32).cos(), (actor.pose.yaw_rad as f32).sin(), 0.0),
                half: [actor.size.length_m as f32 / 2.0, actor.size.width_m as f32 / 2.0],
            });
            self.batch.add(view, mesh, &bones, cast.len() as u16);
        }
        let lenses = lenses(scene, snapshot, view);
        self.batch.add(view, &lenses, &[Affine::identity()], 0);
        self.bins.reset(view.size);
        self.batch.bin(&mut self.bins, &view.projector, 0, |_| 1.0);
        self.shadow_bins.reset(view.size);
        self.shadow_batch.bin(&mut self.shadow_bins, &view.projector, 0, |_| 1.0);
        let columns = self.bins.columns;
        let touching = touching(&cast, view, columns, self.bins.rows);
        let lit_by = lit_by(&beams, view, columns, self.bins.rows);
        self.tiles.resize_with(self.bins.tiles.len(), TileOut::default);
        let (batch, bins, shadows) = (&self.batch, &self.bins, &self.shadow_bins);
        let shared = Shared { stage, batch, cast: &cast, beams: &beams };
        self.tiles.par_iter_mut().enumerate().for_each(|(k, out)| {
            let place = [k % columns, k / columns];
            let work = TileWork { place, bins, shadows, at: k, touching: &touching[k], lit_by: &lit_by[k] };
            shared.tile(out, &stage.background.tiles[k], &work);
        });
        let mut shown = vec![Shown::default(); cast.len()];
        for (owner, part) in self.tiles.iter().flat_map(|tile| &tile.shown) {
            shown[usize::from(*owner) - 1].join(part);
        }
        (cast, shown)
    }
}

/// Adds a mesh pressed onto the ground along the light.
fn cast_shadow(batch: &mut Batch, view: &View, mesh: &Mesh, bones: &[Affine], sun: V3, ground: f32) {
    let (kx, ky) = (sun.x / sun.z, sun.y / sun.z);
    let press = Affine {
        turn: Matrix3::new(1.0, 0.0, -kx, 0.0, 1.0, -ky, 0.0, 0.0, 0.0),
        shift: v3(kx * ground, ky * ground, ground),
    };
    let pressed: Vec<Affine> = bones.iter().map(|bone| bone.then(&press)).collect();
    batch.add_two_sided(view, mesh, &pressed);
}

fn actor_light(
    shading: &Shading,
    beams: &[(u32, Beam)],
    actor: &Actor,
    at: V3,
    distance: f32,
    time_s: f64,
) -> ActorLight {
    let high = actor.size.height_m as f32;
    let open = shading
        .shadow
        .map_or(1.0, |s| 0.5 * (s.open(at + v3(0.0, 0.0, high * 0.35)) + s.open(at + v3(0.0, 0.0, high * 0.85))));
    let middle = at + v3(0.0, 0.0, 0.45f32.min(high * 0.5));
    let (mut beam, mut beam_from) = (0.0, V3::zeros());
    for (owner, light) in beams {
        let here = if *owner == actor.id.0 { 0.0 } else { light.on(middle) };
        if here > 0.0 {
            beam += here;
            beam_from += (light.at - middle).try_normalize(1e-3).unwrap_or_default() * here;
        }
    }
    ActorLight {
        open,
        street: shading.street(at + v3(0.0, 0.0, 1.0), v3(0.0, 0.0, 1.0)),
        beam,
        beam_from: beam_from.try_normalize(1e-6).unwrap_or_default(),
        lit: lit_lamps(actor, time_s),
        ground_z: at.z,
        clear: shading.light.clear(distance),
    }
}

/// Head lamps that shine on the road.
fn beams(scene: &Scene, light: &Light, entries: &[Entry]) -> Vec<(u32, Beam)> {
    if light.lamps <= 0.0 {
        return Vec::new();
    }
    let lit = entries.iter().filter(|e| e.actor.lights.low_beam);
    lit.filter_map(|e| {
        let [x, _, z] = e.model.lamps?;
        let (s, c) = (e.actor.pose.yaw_rad as f32).sin_cos();
        let ahead = v3(c, s, 0.0);
        let grow = (e.actor.size.length_m / e.model.size.length_m) as f32;
        let strength = if e.actor.kind.is_motor_vehicle() { 0.14 } else { 0.04 };
        Some((
            e.actor.id.0,
            Beam {
                at: scene.local(e.actor.pose.position) + ahead * (x * grow) + v3(0.0, 0.0, z),
                ahead,
                strength: strength * light.lamps,
            },
        ))
    })
    .collect()
}

/// The lit lenses of signals.
fn lenses(scene: &Scene, snapshot: &Snapshot, view: &View) -> Mesh {
    let mut b = Builder::new(Detail::Near);
    for head in scene.heads.iter().filter(|head| view.sees(head.at, 1.0) && (head.at - view.position).norm() < 160.0) {
        let Some(state) = snapshot.signal(head.controller, head.link) else { continue };
        let blink = (snapshot.time_s * 1.0).fract() < 0.5;
        let lit: &[usize] = match state {
            SignalState::Red => &[0],
            SignalState::RedYellow if head.for_people => &[0],
            SignalState::RedYellow => &[0, 1],
            SignalState::Yellow if head.for_people => &[0],
            SignalState::Yellow => &[1],
            SignalState::GreenMajor | SignalState::GreenMinor => &[2],
            SignalState::OffBlinking if blink && !head.for_people => &[1],
            SignalState::OffBlinking | SignalState::Off => &[],
        };
        for lens in lit {
            const COLOURS: [[f32; 3]; 3] = [[1.0, 0.035, 0.02], [1.0, 0.50, 0.02], [0.03, 0.95, 0.42]];
            let step = if head.for_people { 0.5 } else { 1.0 };
            let middle = head.at + head.facing * 0.125 + v3(0.0, 0.0, (1.0 - *lens as f32) * LENS_STEP_M * step);
            let material =
                Material { rgb: COLOURS[*lens], finish: Finish::Lamp(Lamp::Signal), class: Semantic::Signal };
            let rim: Vec<V3> = (0..=8)
                .map(|k| {
                    let (s, c) = (std::f32::consts::TAU * k as f32 / 8.0).sin_cos();
                    middle - head.left * (c * LENS_M) + v3(0.0, 0.0, s * LENS_M)
                })
                .collect();
            for pair in rim.windows(2) {
                b.sheet([middle, pair[0], pair[1], pair[1]], material);
            }
        }
    }
    b.build()
}

/// Something that lies on the ground, with the pixels it may touch: left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
struct Patch {
    number: u16,
    within: [f32; 4],
}

impl Patch {
    #[inline]
    fn holds(&self, corner: [f32; 2]) -> bool {
        let [left, top, right, bottom] = self.within;
        corner[0] >= left && corner[0] <= right && corner[1] >= top && corner[1] <= bottom
    }
}

/// For each tile the patches whose projected outline meets it.
fn by_tile<'a>(
    view: &View,
    columns: usize,
    rows: usize,
    outlines: impl Iterator<Item = Vec<V3>> + 'a,
) -> Vec<Vec<Patch>> {
    let mut tiles = vec![Vec::new(); columns * rows];
    for (k, outline) in outlines.enumerate() {
        let points: Vec<V3> = outline.iter().map(|p| view.to_camera(*p)).collect();
        if points.iter().all(|p| p.z < 0.3) {
            continue;
        }
        let mut low = [f32::MAX; 2];
        let mut high = [f32::MIN; 2];
        for p in &points {
            // What is beside the camera reaches to the picture's edge.
            let at = if p.z < 0.3 { view.projector.project(v3(p.x, p.y, 0.3)) } else { view.projector.project(*p) };
            for a in 0..2 {
                low[a] = low[a].min(at[a]);
                high[a] = high[a].max(at[a]);
            }
        }
        let index = |v: f32, count: usize| ((v / TILE as f32).max(0.0) as usize).min(count - 1);
        let outside =
            high[0] < 0.0 || high[1] < 0.0 || low[0] >= view.projector.width || low[1] >= view.projector.height;
        if outside {
            continue;
        }
        let within = [low[0] * 0.5 - 2.0, low[1] * 0.5 - 2.0, high[0] * 0.5 + 1.0, high[1] * 0.5 + 1.0];
        for row in index(low[1], rows)..=index(high[1], rows) {
            for column in index(low[0], columns)..=index(high[0], columns) {
                tiles[row * columns + column].push(Patch { number: k as u16, within });
            }
        }
    }
    tiles
}

const CONTACT_M: f32 = 0.55;

fn touching(cast: &[Cast], view: &View, columns: usize, rows: usize) -> Vec<Vec<Patch>> {
    by_tile(
        view,
        columns,
        rows,
        cast.iter().map(|c| {
            let left = v3(-c.ahead.y, c.ahead.x, 0.0);
            let (l, w) = (c.half[0] + CONTACT_M, c.half[1] + CONTACT_M);
            [(l, w), (-l, w), (-l, -w), (l, -w)].map(|(x, y)| c.centre + c.ahead * x + left * y).to_vec()
        }),
    )
}

fn lit_by(beams: &[(u32, Beam)], view: &View, columns: usize, rows: usize) -> Vec<Vec<Patch>> {
    by_tile(
        view,
        columns,
        rows,
        beams.iter().map(|(_, b)| {
            let left = v3(-b.ahead.y, b.ahead.x, 0.0);
            let down = v3(0.0, 0.0, -b.at.z);
            [(0.0, 2.0), (0.0, -2.0), (15.0, 9.0), (15.0, -9.0), (60.0, 24.0), (60.0, -24.0)]
                .map(|(x, y)| b.at + down + b.ahead * x + left * y)
                .to_vec()
        }),
    )
}

struct Shared<'a> {
    stage: &'a Stage<'a>,
    batch: &'a Batch,
    cast: &'a [Cast],
    beams: &'a [(u32, Beam)],
}

struct TileWork<'a> {
    place: [usize; 2],
    bins: &'a Bins,
    shadows: &'a Bins,
    at: usize,
    touching: &'a [Patch],
    lit_by: &'a [Patch],
}

impl Shared<'_> {
    fn tile(&self, out: &mut TileOut, back: &BackgroundTile, work: &TileWork) {
        out.shown.clear();
        let triangles = &work.bins.tiles[work.at];
        let shadows = &work.shadows.tiles[work.at];
        out.instance.fill(0);
        out.rgb.copy_from_slice(&back.pixels);
        out.class.copy_from_slice(&back.classes);
        out.depth.copy_from_slice(&back.depth);
        if triangles.is_empty() && shadows.is_empty() && work.touching.is_empty() && work.lit_by.is_empty() {
            return;
        }
        self.raster(out, back, work, triangles);
        let mut mask: Mask = [0; TILE];
        for index in shadows {
            fill_mask(&mut mask, &work.shadows.triangles[*index as usize], work.place);
        }
        for py in 0..TILE_PX {
            let rows = [mask[2 * py], mask[2 * py + 1]];
            let patched = self.patched(work, py);
            for px in 0..TILE_PX {
                let at = 2 * py * TILE + 2 * px;
                let faces = [0, 1, TILE, TILE + 1].map(|k| out.buffer.face[at + k]);
                // Most pixels of a tile show what does not move and are done.
                let touched = faces != [0; 4] || (rows[0] | rows[1]) >> (2 * px) & 3 != 0 || patched >> px & 1 != 0;
                if touched {
                    self.pixel(out, back, work, rows, (px, py), (faces, patched >> px & 1 != 0));
                }
            }
        }
        self.count(out, work);
    }

    fn raster(&self, out: &mut TileOut, back: &BackgroundTile, work: &TileWork, triangles: &[u32]) {
        out.buffer.w.copy_from_slice(&back.w);
        out.buffer.face.fill(0);
        let mut present = 0;
        for index in triangles {
            let triangle = &work.bins.triangles[*index as usize];
            let owner = self.batch.faces[triangle.face as usize - 1].owner;
            if owner != present {
                let covered = out.buffer.take_cover();
                if present > 0 && covered > 0 {
                    out.shown.push((present, Shown { covered, ..Shown::default() }));
                }
                present = owner;
            }
            out.buffer.fill(triangle, work.place);
        }
        let covered = out.buffer.take_cover();
        if present > 0 && covered > 0 {
            out.shown.push((present, Shown { covered, ..Shown::default() }));
        }
    }

    #[inline]
    fn pixel(
        &self,
        out: &mut TileOut,
        back: &BackgroundTile,
        work: &TileWork,
        shade: [u64; 2],
        (px, py): (usize, usize),
        (faces, patched): ([u32; 4], bool),
    ) {
        let at = [0, 1, TILE, TILE + 1].map(|k| 2 * py * TILE + 2 * px + k);
        let k = py * TILE_PX + px;
        let bits = [
            shade[0] >> (2 * px) & 1,
            shade[0] >> (2 * px + 1) & 1,
            shade[1] >> (2 * px) & 1,
            shade[1] >> (2 * px + 1) & 1,
        ];
        let (mut sum, mut background) = ([0.0f32; 3], 0);
        let mut done = [false; 4];
        // Faces of one material, which is one part of one actor, are shaded together.
        let parts = faces.map(|face| if face == 0 { u32::MAX } else { self.batch.faces[face as usize - 1].material });
        let corner = [(work.place[0] * TILE_PX + px) as f32, (work.place[1] * TILE_PX + py) as f32];
        for i in 0..4 {
            if faces[i] == 0 {
                background += 1;
                continue;
            }
            if done[i] {
                continue;
            }
            let mut count = 0;
            for j in i..4 {
                if parts[j] == parts[i] {
                    done[j] = true;
                    count += 1;
                }
            }
            let offset = if count > 1 { [0.5, 0.5] } else { [sample_px(i & 1), sample_px(i >> 1)] };
            let rgb = self.actor(faces[i], corner, offset);
            for c in 0..3 {
                sum[c] += rgb[c] * count as f32;
            }
        }
        if background > 0 {
            let (keep, add) = if patched { self.ground(back, work, at, faces, corner) } else { (1.0, 0.0) };
            for i in 0..4 {
                if faces[i] == 0 {
                    let lit = &back.lit[at[i]];
                    let dark = if bits[i] == 1 { 1.0 - lit.sun } else { 1.0 };
                    for c in 0..3 {
                        let ground = lit.albedo > 0.0;
                        let base = lit.rgb[c] * dark * if ground { keep } else { 1.0 };
                        sum[c] += base + lit.albedo * add * BEAM_RGB[c];
                    }
                }
            }
        }
        out.rgb[k] = sum.map(|v| v * 0.25);
        // The picture's truth is that of the sample that is nearest to the middle and an actor's, if one is.
        if let Some(i) = (0..4).find(|i| faces[*i] > 0).filter(|_| background <= 2) {
            let face = &self.batch.faces[faces[i] as usize - 1];
            out.depth[k] = 1.0 / out.buffer.w[at[i]];
            if face.owner > 0 {
                let cast = &self.cast[usize::from(face.owner) - 1];
                out.instance[k] = cast.id;
                out.class[k] = cast.class as u8;
            } else {
                out.class[k] = self.batch.materials[face.material as usize].class as u8;
            }
        }
    }

    /// Pixels of a tile's row that a patch may touch, a bit each.
    fn patched(&self, work: &TileWork, py: usize) -> u64 {
        let (left, y) = ((work.place[0] * TILE_PX) as f32, (work.place[1] * TILE_PX + py) as f32);
        let patches =
            work.touching.iter().chain(work.lit_by).filter(|patch| patch.within[1] <= y && y <= patch.within[3]);
        patches.fold(0, |bits, patch| {
            let from = (patch.within[0] - left).clamp(0.0, TILE_PX as f32).ceil() as u32;
            let to = (patch.within[2] - left).clamp(-1.0, TILE_PX as f32 - 1.0).floor() as i32;
            (from as i32..=to).fold(bits, |bits, px| bits | 1 << px)
        })
    }

    fn actor(&self, face: u32, corner: [f32; 2], offset: [f32; 2]) -> Rgb {
        let light = self.stage.light;
        let face = &self.batch.faces[face as usize - 1];
        let material = &self.batch.materials[face.material as usize];
        if material.finish == Finish::Lamp(Lamp::Signal) {
            return scale(material.rgb, 3.2 - 2.5 * light.lamps);
        }
        let ray = self.stage.rays.at(corner[0] + offset[0], corner[1] + offset[1]);
        let hit = self.batch.hit(self.stage.view, face, ray);
        let owner = usize::from(face.owner.max(1)) - 1;
        actor_surface(light, &hit, material, &self.cast[owner].light)
    }

    /// What contact shadows leave of the ground's light, and what beams add.
    fn ground(
        &self,
        back: &BackgroundTile,
        work: &TileWork,
        at: [usize; 4],
        faces: [u32; 4],
        corner: [f32; 2],
    ) -> (f32, f32) {
        let Some(i) = (0..4).find(|i| faces[*i] == 0 && back.lit[at[*i]].albedo > 0.0) else { return (1.0, 0.0) };
        let view = self.stage.view;
        let ray = self.stage.rays.at(corner[0] + sample_px(i & 1), corner[1] + sample_px(i >> 1));
        let p = view.position + view.to_world(ray) * (1.0 / back.w[at[i]]);
        let mut keep = 1.0f32;
        for patch in work.touching.iter().filter(|patch| patch.holds(corner)) {
            let cast = &self.cast[usize::from(patch.number)];
            let d = p - cast.centre;
            if d.z.abs() > 0.6 {
                continue;
            }
            let x = (d.dot(&cast.ahead)).abs() - cast.half[0] * 0.94;
            let y = (d.y * cast.ahead.x - d.x * cast.ahead.y).abs() - cast.half[1] * 0.94;
            let soft = 0.22 + 0.30 * cast.half[1].min(1.1);
            let away = (x.max(0.0).powi(2) + y.max(0.0).powi(2)) / (soft * soft);
            if away < 1.0 {
                let deep = 0.42 + 0.28 * cast.half[1].min(1.0);
                keep *= 1.0 - deep * (1.0 - away) * (1.0 - away);
            }
        }
        // Haze in front of a shadow stays.
        keep = 1.0 - (1.0 - keep) * self.stage.light.clear((p - view.position).norm());
        let add: f32 =
            work.lit_by.iter().filter(|b| b.holds(corner)).map(|b| self.beams[usize::from(b.number)].1.on(p)).sum();
        (keep, add)
    }

    /// Counts what is visible of each actor in a tile.
    fn count(&self, out: &mut TileOut, work: &TileWork) {
        let [left, top] = work.place.map(|p| p * TILE);
        // Neighbours mostly belong to the same actor.
        let (mut last_owner, mut slot) = (0, None);
        for row in 0..TILE {
            for column in 0..TILE {
                let face = out.buffer.face[row * TILE + column];
                if face == 0 {
                    continue;
                }
                let owner = self.batch.faces[face as usize - 1].owner;
                if owner != last_owner {
                    last_owner = owner;
                    slot = out.shown.iter().position(|(o, _)| *o == owner);
                }
                if let Some(slot) = slot {
                    let shown = &mut out.shown[slot].1;
                    let (x, y) = ((left + column) as u32, (top + row) as u32);
                    shown.visible += 1;
                    shown.x = [shown.x[0].min(x), shown.x[1].max(x)];
                    shown.y = [shown.y[0].min(y), shown.y[1].max(y)];
                }
            }
        }
    }
}
