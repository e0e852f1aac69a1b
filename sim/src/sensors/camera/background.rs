//! What does not move, as one camera sees it: colour, depth and class of each sample.
//!
//! A fixed camera computes it once and draws actors over it; a moving one computes it for each frame in a plainer way.

use super::light::{Light, Rgb};
use super::material::{Finish, Material, Semantic};
use super::mesh::V3;
use super::raster::{Bins, Projector, TILE, TILE_PX, TILE_SAMPLES, TileBuffer};
use super::scene::Scene;
use super::shade::{Lit, Shading, sky};
use super::shadow::ShadowMap;
use super::view::{Batch, Rays, View, sample_px};
use rayon::prelude::*;

/// How carefully it is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Each sample, as the mean of this many shifted ones (1, 2 or 4).
    Fine(usize),
    /// Each face of a pixel once.
    Quick,
}

/// Nothing farther is drawn, metres.
const FARTHEST_M: f32 = 900.0;

/// A tile of it.
#[derive(Debug)]
pub(crate) struct BackgroundTile {
    /// Inverse depth; 0 is sky.
    pub(crate) w: Vec<f32>,
    pub(crate) lit: Vec<Lit>,
    /// Mean colour of each pixel.
    pub(crate) pixels: Vec<Rgb>,
    pub(crate) classes: Vec<u8>,
    /// Depth of each pixel, metres; infinite for the sky.
    pub(crate) depth: Vec<f32>,
}

#[derive(Debug)]
pub(crate) struct Background {
    pub(crate) tiles: Vec<BackgroundTile>,
}

/// Paint wins over the road by this factor of inverse depth.
fn bias(material: &Material) -> f32 {
    match material.finish {
        Finish::Marking => 1.0012,
        Finish::Tint => 1.0006,
        _ => 1.0,
    }
}

impl Background {
    pub(crate) fn new(scene: &Scene, light: &Light, shadow: Option<&ShadowMap>, view: &View, rays: &Rays, model: &super::CameraModel, effort: Effort) -> Self {
        let mut batch = Batch::default();
        let farthest = FARTHEST_M.min(6.0 / light.haze_per_m);
        for placed in &scene.placed {
            let distance = (placed.centre - view.position).norm();
            if distance - placed.radius < farthest && view.sees(placed.centre, placed.radius) {
                let mesh = &scene.meshes[placed.mesh[usize::from(distance > placed.far_from_m)] as usize];
                batch.add(view, mesh, &[placed.place], 0);
            }
        }
        let shifts: &[[f32; 2]] = match effort {
            Effort::Quick | Effort::Fine(1) => &[[0.0, 0.0]],
            Effort::Fine(2) => &[[-0.2, -0.2], [0.2, 0.2]],
            Effort::Fine(_) => &[[-0.13, -0.38], [0.38, -0.13], [-0.38, 0.13], [0.13, 0.38]],
        };
        let passes: Vec<Bins> = shifts
            .iter()
            .map(|shift| {
                let mut bins = Bins::default();
                bins.reset(view.size);
                batch.bin(&mut bins, &Projector::new(model, *shift), 0, bias);
                bins
            })
            .collect();
        let shading = Shading { scene, light, shadow };
        let painter = Painter { batch: &batch, view, rays, shading: &shading };
        let columns = passes[0].columns;
        let tiles = (0..passes[0].tiles.len())
            .into_par_iter()
            .map(|tile| {
                let place = [tile % columns, tile / columns];
                match effort {
                    Effort::Quick => painter.quick(&passes[0], place),
                    Effort::Fine(_) => painter.fine(&passes, shifts, place),
                }
            })
            .collect();
        Self { tiles }
    }
}

struct Painter<'a> {
    batch: &'a Batch,
    view: &'a View,
    rays: &'a Rays,
    shading: &'a Shading<'a>,
}

impl Painter<'_> {
    fn shade(&self, face: u32, ray: V3) -> Lit {
        if face == 0 {
            let d = self.view.to_world(ray).normalize();
            return Lit { rgb: sky(self.shading.light, d), ..Lit::default() };
        }
        let face = &self.batch.faces[face as usize - 1];
        let hit = self.batch.hit(self.view, face, ray);
        self.shading.surface(&hit, &self.batch.materials[face.material as usize])
    }

    fn raster(&self, bins: &Bins, place: [usize; 2]) -> TileBuffer {
        let mut buffer = TileBuffer::default();
        for index in &bins.tiles[place[1] * bins.columns + place[0]] {
            buffer.fill(&bins.triangles[*index as usize], place);
        }
        buffer
    }

    fn ray(&self, place: [usize; 2], x: usize, y: usize, shift: [f32; 2]) -> V3 {
        // A picture that is shifted to the right shows at a sample what lies to its left.
        let at = |axis: usize, index: usize| {
            let px = (place[axis] * TILE_PX) as f32 + sample_px(index) - shift[axis] * 0.5;
            px.clamp(0.0, self.view.size[axis] as f32)
        };
        self.rays.at(at(0, x), at(1, y))
    }

    fn fine(&self, passes: &[Bins], shifts: &[[f32; 2]], place: [usize; 2]) -> BackgroundTile {
        let mut lit = vec![Lit::default(); TILE_SAMPLES];
        let mut w = vec![0.0f32; TILE_SAMPLES];
        let share = 1.0 / passes.len() as f32;
        for (pass, (bins, shift)) in passes.iter().zip(shifts).enumerate() {
            let buffer = self.raster(bins, place);
            for (k, face) in buffer.face.iter().enumerate() {
                let here = self.shade(*face, self.ray(place, k % TILE, k / TILE, *shift));
                let sum = &mut lit[k];
                for i in 0..3 {
                    sum.rgb[i] += here.rgb[i] * share;
                }
                sum.sun += here.sun * share;
                sum.albedo += here.albedo * share;
                sum.mirror += here.mirror * share;
                if pass == 0 {
                    sum.class = here.class;
                    w[k] = buffer.w[k];
                }
            }
        }
        finish(w, lit)
    }

    fn quick(&self, bins: &Bins, place: [usize; 2]) -> BackgroundTile {
        let buffer = self.raster(bins, place);
        let mut lit = vec![Lit::default(); TILE_SAMPLES];
        for py in 0..TILE_PX {
            for px in 0..TILE_PX {
                let at = [0, 1, TILE, TILE + 1].map(|k| 2 * py * TILE + 2 * px + k);
                let faces = at.map(|k| buffer.face[k]);
                for i in 0..4 {
                    let known = (0..i).find(|j| faces[*j] == faces[i]);
                    lit[at[i]] = match known {
                        Some(j) => lit[at[j]],
                        None => self.shade(faces[i], self.ray(place, 2 * px, 2 * py, [-0.5, -0.5])),
                    };
                }
            }
        }
        finish(buffer.w, lit)
    }
}

fn finish(w: Vec<f32>, lit: Vec<Lit>) -> BackgroundTile {
    let pixel = |k: usize| {
        let (px, py) = (k % TILE_PX, k / TILE_PX);
        [0, 1, TILE, TILE + 1].map(|d| 2 * py * TILE + 2 * px + d)
    };
    let count = TILE_PX * TILE_PX;
    let pixels = (0..count).map(|k| std::array::from_fn(|i| pixel(k).iter().map(|s| lit[*s].rgb[i]).sum::<f32>() * 0.25)).collect();
    let classes = (0..count).map(|k| lit[pixel(k)[0]].class as u8).collect();
    let depth = (0..count).map(|k| {
        let at = pixel(k)[0];
        let lift = if lit[at].class == Semantic::Marking { 1.0012 } else { 1.0 };
        if w[at] > 0.0 { lift / w[at] } else { f32::INFINITY }
    }).collect();
    BackgroundTile { w, lit, pixels, classes, depth }
}
