//! One frame: actors with their shadows and lamps over the background, and what of each actor shows.

mod patch;
mod tile;

pub(crate) use tile::{Shown, TileOut};

use super::background::Background;
use super::furniture::{LENS_M, LENS_STEP_M};
use super::light::{Light, luminance};
use super::material::{Finish, Lamp, Material, Semantic};
use super::mesh::{Affine, Builder, Detail, Mesh, V3, v3};
use super::models::Model;
use super::raster::Bins;
use super::scene::Scene;
use super::shade::{ActorLight, Beam, LitLamps, Shading};
use super::shadow::ShadowMap;
use super::view::{Batch, Rays, View};
use crate::actor::{Actor, ActorKind};
use crate::roads::SignalState;
use crate::snapshot::Snapshot;
use nalgebra::Matrix3;
use patch::{lit_by, touching};
use rayon::prelude::*;
use std::sync::Arc;
use tile::{Shared, TileWork};

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
