//! One tile of a frame: pixels of actors over the background, and what of each actor shows there.

use super::super::background::BackgroundTile;
use super::super::light::{Rgb, scale};
use super::super::material::{Finish, Lamp};
use super::super::raster::{Bins, Mask, TILE, TILE_PX, TileBuffer, fill_mask};
use super::super::shade::{BEAM_RGB, Beam, actor_surface};
use super::super::view::{Batch, sample_px};
use super::patch::Patch;
use super::{Cast, Stage};

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
    pub(super) fn join(&mut self, other: &Self) {
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
    pub(super) shown: Vec<(u16, Shown)>,
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

/// What all tiles of a frame are drawn from.
pub(super) struct Shared<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) batch: &'a Batch,
    pub(super) cast: &'a [Cast],
    pub(super) beams: &'a [(u32, Beam)],
}

/// What one tile holds.
pub(super) struct TileWork<'a> {
    pub(super) place: [usize; 2],
    pub(super) bins: &'a Bins,
    pub(super) shadows: &'a Bins,
    pub(super) at: usize,
    pub(super) touching: &'a [Patch],
    pub(super) lit_by: &'a [Patch],
}

impl Shared<'_> {
    /// Draws a tile over its background.
    pub(super) fn tile(&self, out: &mut TileOut, back: &BackgroundTile, work: &TileWork) {
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
