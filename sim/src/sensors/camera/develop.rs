//! From light on the chip to a picture: glow, glare, rain, drops and dirt on the glass, exposure, noise, encoding.

use super::CameraSettings;
use super::blur::smear;
use super::light::{Light, Rgb, luminance, mix, noise, smooth};
use super::material::encoded;
use super::mesh::V3;
use super::raster::TILE_PX;
use super::render::TileOut;
use super::view::View;
use crate::random::Seed;
use crate::snapshot::Snapshot;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Steps of the encoding table over the square root of light.
const STEPS: usize = 4096;
/// Light beyond 1 that is still told apart, as a factor.
const HEADROOM: f32 = 2.6;
const NOISE_LENGTH: usize = 1 << 16;

/// Lens and chip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Optics {
    /// Added to the exposure that the camera chooses, stops.
    pub exposure_compensation_ev: f64,
    /// Standard deviation of noise on a mid-grey by day, share of full range.
    pub noise: f64,
    /// Dirt on the glass, 0 to 1.
    pub dirt: f64,
    /// Light lost in the corners, 0 to 1.
    pub vignetting: f64,
    /// How long the shutter is open, milliseconds: what moves meanwhile is blurred. 0: a moment. Brightness does not depend on it.
    pub exposure_ms: f64,
}

impl Default for Optics {
    fn default() -> Self {
        Self { exposure_compensation_ev: 0.0, noise: 0.007, dirt: 0.0, vignetting: 0.18, exposure_ms: 0.0 }
    }
}

/// What falls onto the chip while the shutter is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exposed<'a> {
    /// The light in the middle of it.
    pub(crate) tiles: &'a [TileOut],
    /// How far each pixel moves meanwhile, pixels; empty where nothing is blurred.
    pub(crate) ways: &'a [[f32; 2]],
}

/// A smear or drop on the glass: centre and radius in pixels, strength.
#[derive(Clone, Copy, Debug)]
struct Blob {
    x: f32,
    y: f32,
    radius: f32,
    strength: f32,
}

/// A camera's chip with its tables.
#[derive(Debug)]
pub(crate) struct Chip {
    optics: Optics,
    width: usize,
    height: usize,
    table: Vec<u8>,
    /// Three values a pixel; a picture's row begins anywhere.
    noise: Vec<f32>,
    /// Share of light that reaches each pixel, three times.
    through: Vec<f32>,
    /// Share of stray light that dirt adds to each pixel; empty for clean glass.
    veil: Vec<f32>,
    linear: Vec<Rgb>,
}

impl Chip {
    pub(crate) fn new(settings: &CameraSettings, seed: Seed) -> Self {
        let [width, height] = settings.model.image_size_px.map(|v| v as usize);
        let optics = settings.optics;
        let owner = settings.model.id.bytes().fold(0u64, |h, b| h.wrapping_mul(131).wrapping_add(u64::from(b)));
        let mut rng = seed.stream("camera noise table", owner);
        let mut draw = || -> f32 { StandardNormal.sample(&mut rng) };
        let mut before = 0.0;
        // Colours share most of their noise, neighbours a little of it, as after demosaicing.
        let noise = (0..NOISE_LENGTH + width)
            .flat_map(|_| {
                let fresh = draw();
                let shared = 0.76 * fresh + 0.25 * before;
                before = fresh;
                [shared + 0.6 * draw(), shared + 0.6 * draw(), shared + 0.6 * draw()]
            })
            .collect();
        let table = (0..STEPS)
            .map(|k| {
                let light = (k as f32 / (STEPS - 1) as f32).powi(2) * HEADROOM;
                (encoded(curve(light)) * 255.0).round() as u8
            })
            .collect();
        let mut dirt_rng = seed.stream("camera dirt", owner);
        let blobs: Vec<Blob> = (0..(optics.dirt * 90.0) as usize)
            .map(|_| Blob {
                x: dirt_rng.random_range(0.0..width as f32),
                y: dirt_rng.random_range(0.0..height as f32),
                radius: width as f32 * dirt_rng.random_range(0.012f32..0.075) * dirt_rng.random_range(0.4f32..1.0),
                strength: dirt_rng.random_range(0.25f32..0.85) * optics.dirt.min(1.0) as f32,
            })
            .collect();
        let glass: Vec<[f32; 2]> = (0..width * height).map(|k| glass(&optics, &blobs, width, height, k)).collect();
        let through = glass.iter().flat_map(|g| [g[0]; 3]).collect();
        let veil = if blobs.is_empty() { Vec::new() } else { glass.iter().map(|g| g[1]).collect() };
        Self { optics, width, height, table, noise, through, veil, linear: Vec::new() }
    }

    /// The picture of what fell onto the chip.
    pub(crate) fn develop(
        &mut self,
        exposed: Exposed<'_>,
        view: &View,
        light: &Light,
        snapshot: &Snapshot,
        dark: bool,
        seed: Seed,
    ) -> Vec<u8> {
        self.gather(exposed.tiles);
        if !exposed.ways.is_empty() {
            smear(&mut self.linear, self.width, exposed.ways);
        }
        let rain = snapshot.weather.rain_mm_per_h as f32;
        if dark {
            self.linear.fill([0.0; 3]);
        } else {
            self.glow(light);
            self.glare(view, light);
            if rain > 0.1 {
                self.rain(view, light, snapshot, rain, seed);
                self.drops(light, snapshot, rain, seed);
            }
        }
        self.encode(light, snapshot.step, seed)
    }

    fn gather(&mut self, tiles: &[TileOut]) {
        let (width, columns) = (self.width, self.width.div_ceil(TILE_PX));
        self.linear.resize(self.width * self.height, [0.0; 3]);
        self.linear.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
            let line = y % TILE_PX * TILE_PX;
            for (column, part) in row.chunks_mut(TILE_PX).enumerate() {
                let tile = &tiles[y / TILE_PX * columns + column];
                part.copy_from_slice(&tile.rgb[line..line + part.len()]);
            }
        });
    }

    /// Bright places bleed into their surroundings.
    fn glow(&mut self, light: &Light) {
        if light.lamps <= 0.0 {
            return;
        }
        const STEP: usize = 4;
        let (w, h) = (self.width.div_ceil(STEP), self.height.div_ceil(STEP));
        let limit = 1.15 / light.exposure;
        let mut small = vec![[0.0f32; 3]; w * h];
        for (y, row) in self.linear.chunks(self.width).enumerate() {
            for (x, c) in row.iter().enumerate() {
                if c[0].max(c[1]).max(c[2]) > limit {
                    let at = &mut small[y / STEP * w + x / STEP];
                    for i in 0..3 {
                        at[i] += (c[i] - limit * 0.4).max(0.0).min(limit * 9.0) / (STEP * STEP) as f32;
                    }
                }
            }
        }
        let narrow = blurred(&small, w, h, 2);
        let wide = blurred(&narrow, w, h, 9);
        let (narrow_share, wide_share) = (0.55, 0.75);
        for y in 0..self.height {
            for x in 0..self.width {
                let at = (y / STEP).min(h - 1) * w + (x / STEP).min(w - 1);
                let (n, f) =
                    (bilinear(&narrow, w, h, x as f32 / STEP as f32 - 0.375, y as f32 / STEP as f32 - 0.375), wide[at]);
                let c = &mut self.linear[y * self.width + x];
                for i in 0..3 {
                    c[i] += n[i] * narrow_share + f[i] * wide_share;
                }
            }
        }
    }

    /// The sun in the picture or close to it veils everything.
    fn glare(&mut self, view: &View, light: &Light) {
        let sun = luminance(light.sun_rgb);
        let s = view.rotation * light.sun;
        if sun < 0.1 || light.cloud > 0.85 || s.z < 0.25 {
            return;
        }
        let at = view.projector.project(V3::new(s.x, s.y, s.z) * 1000.0);
        let (sx, sy) = (at[0] * 0.5, at[1] * 0.5);
        let (w, h) = (self.width as f32, self.height as f32);
        // Outside the picture it fades within half a picture.
        let outside = (sx - sx.clamp(0.0, w)).hypot(sy - sy.clamp(0.0, h)) / w;
        let (ix, iy) = (sx.clamp(0.0, w - 1.0) as usize, sy.clamp(0.0, h - 1.0) as usize);
        let seen = outside > 0.0 || luminance(self.linear[iy * self.width + ix]) > 0.8 * luminance(light.horizon);
        let strength = sun * (1.0 - light.cloud) * smooth(0.5, 0.0, outside) * if seen { 1.0 } else { 0.25 };
        if strength < 0.02 {
            return;
        }
        let (cx, cy) = (w * 0.5, h * 0.5);
        let ghosts = [(-0.45, 0.045, 0.10), (-0.8, 0.075, 0.05), (0.35, 0.03, 0.12), (-1.25, 0.12, 0.035)];
        let rgb = light.sun_rgb.map(|v| v / sun);
        let width = self.width;
        self.linear.par_chunks_mut(width).enumerate().for_each(|(y, row)| {
            for (x, c) in row.iter_mut().enumerate() {
                let (dx, dy) = ((x as f32 - sx) / w, (y as f32 - sy) / w);
                let d = dx.hypot(dy);
                let star = (0.5 + 0.5 * (dy.atan2(dx) * 6.0).cos()).powi(6);
                let mut veil = 0.10 * (-d * 2.2).exp() + 0.75 * (-d * 13.0).exp() + 0.30 * star * (-d * 7.0).exp();
                for (k, radius, power) in ghosts {
                    let (gx, gy) = (cx + (sx - cx) * k, cy + (sy - cy) * k);
                    let away = (x as f32 - gx).hypot(y as f32 - gy) / w;
                    veil += power * smooth(radius, radius * 0.8, away);
                }
                for i in 0..3 {
                    c[i] += veil * strength * rgb[i];
                }
            }
        });
    }

    /// Streaks of falling rain.
    fn rain(&mut self, view: &View, light: &Light, snapshot: &Snapshot, rain: f32, seed: Seed) {
        let mut rng = seed.stream("rain", snapshot.step);
        let scale = self.width as f32 / 640.0;
        let count = (55.0 * rain.powf(0.7)).min(1400.0) as usize;
        // Wind leans the streaks by its part across the view.
        let from = (snapshot.weather.wind_from_deg as f32).to_radians();
        let wind = V3::new(-from.sin(), -from.cos(), 0.0) * snapshot.weather.wind_mps as f32;
        let lean = (view.rotation * wind).x / 8.0;
        let bright = luminance(light.from_above) * 0.9 + 0.02 * light.lamps;
        for _ in 0..count {
            let near: f32 = rng.random_range(0.0f32..1.0).powi(3);
            let length = (5.0 + 30.0 * near) * scale;
            let (mut x, mut y) =
                (rng.random_range(-20.0..self.width as f32 + 20.0), rng.random_range(-30.0..self.height as f32));
            let lean = lean + rng.random_range(-0.06..0.06);
            let alpha = rng.random_range(0.05..0.16) * (0.6 + 0.6 * near);
            let thick = if near > 0.45 { 2 } else { 1 };
            for _ in 0..length as usize {
                for t in 0..thick {
                    let (ix, iy) = ((x + t as f32) as i32, y as i32);
                    if ix >= 0 && iy >= 0 && (ix as usize) < self.width && (iy as usize) < self.height {
                        let c = &mut self.linear[iy as usize * self.width + ix as usize];
                        let local = 0.5 * bright + 0.75 * luminance(*c);
                        *c = mix(*c, [local, local, local * 1.03], alpha);
                    }
                }
                x += lean;
                y += 1.0;
            }
        }
    }

    /// Drops on the glass show the picture small and upside down; they stay for some seconds.
    fn drops(&mut self, light: &Light, snapshot: &Snapshot, rain: f32, seed: Seed) {
        let count = (rain * 0.9).min(26.0) as u64;
        if count == 0 {
            return;
        }
        let source = self.linear.clone();
        let scale = self.width as f32 / 640.0;
        for k in 0..count {
            // Each drop is renewed at its own time.
            let age = ((snapshot.time_s + k as f64 * 0.37) / 3.5).floor() as u64;
            let mut rng = seed.stream("drop", age.wrapping_mul(64) + k);
            let radius = rng.random_range(3.0f32..11.0) * scale;
            let (cx, cy) = (rng.random_range(0.0..self.width as f32), rng.random_range(0.0..self.height as f32));
            let tall = rng.random_range(1.0f32..1.35);
            let reach = (radius * tall).ceil() as i32;
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    let (x, y) = (cx as i32 + dx, cy as i32 + dy);
                    if x < 0 || y < 0 || x as usize >= self.width || y as usize >= self.height {
                        continue;
                    }
                    let (u, v) = (dx as f32 / radius, dy as f32 / (radius * tall));
                    let r = u.hypot(v);
                    if r >= 1.0 {
                        continue;
                    }
                    let bend = 5.0 + 9.0 * r * r;
                    let sx = (cx - u * radius * bend).clamp(0.0, self.width as f32 - 1.0) as usize;
                    let sy = (cy - v * radius * bend).clamp(0.0, self.height as f32 - 1.0) as usize;
                    let through = source[sy * self.width + sx];
                    let rim = 1.0 - 0.55 * smooth(0.65, 1.0, r);
                    let shine = luminance(light.from_above) * 0.25 * smooth(0.35, 0.0, (u + 0.3).hypot(v + 0.4));
                    let at = y as usize * self.width + x as usize;
                    let drop = through.map(|c| c * rim + shine);
                    self.linear[at] = mix(source[at], drop, smooth(1.0, 0.75, r) * 0.85);
                }
            }
        }
    }

    fn encode(&mut self, light: &Light, step: u64, seed: Seed) -> Vec<u8> {
        let exposure = light.exposure * (self.optics.exposure_compensation_ev as f32).exp2();
        let gain = exposure / HEADROOM;
        // Noise in the square root of light is nearly even; a darker world is amplified more.
        let sigma = self.optics.noise as f32 * 0.75 * (1.0 + 0.8 * smooth(0.8, 12.0, exposure));
        if !self.veil.is_empty() {
            let stray: Rgb = std::array::from_fn(|i| 0.45 * light.from_above[i] + 0.004 * light.lamps);
            for (k, (c, veil)) in self.linear.iter_mut().zip(&self.veil).enumerate() {
                let through = self.through[3 * k].max(0.02);
                (0..3).for_each(|i| c[i] += stray[i] * veil / through);
            }
        }
        let mut rgb = vec![0u8; self.width * self.height * 3];
        let mut rng = seed.stream("camera noise", step);
        let offsets: Vec<usize> = (0..self.height).map(|_| rng.random_range(0..NOISE_LENGTH)).collect();
        let length = self.width * 3;
        let last = (STEPS - 1) as f32;
        rgb.par_chunks_mut(length).enumerate().for_each(|(y, out)| {
            let row = self.linear[y * self.width..(y + 1) * self.width].as_flattened();
            let through = &self.through[y * length..(y + 1) * length];
            let noise = &self.noise[3 * offsets[y]..3 * offsets[y] + length];
            let mut steps = [0i32; 96];
            for at in (0..length).step_by(96) {
                let count = 96.min(length - at);
                let inputs = row[at..at + count].iter().zip(&through[at..at + count]).zip(&noise[at..at + count]);
                for (step, ((c, t), n)) in steps.iter_mut().zip(inputs) {
                    let root = (c * t * gain).max(0.0).sqrt() + n * sigma;
                    *step = (root.max(0.0) * last).min(last) as i32;
                }
                for (out, step) in out[at..at + count].iter_mut().zip(&steps) {
                    *out = self.table[*step as usize & (STEPS - 1)];
                }
            }
        });
        rgb
    }
}

/// Shoulder for bright light; below one half it is a straight line.
fn curve(light: f32) -> f32 {
    if light < 0.5 {
        light
    } else {
        0.5 + 0.5 * (1.0 - (-(light - 0.5) * 1.25).exp()) / (1.0 - (-(HEADROOM - 0.5) * 1.25).exp())
    }
}

fn glass(optics: &Optics, blobs: &[Blob], width: usize, height: usize, k: usize) -> [f32; 2] {
    let (x, y) = ((k % width) as f32, (k / width) as f32);
    let (u, v) = (x / width as f32 - 0.5, (y / height as f32 - 0.5) * height as f32 / width as f32);
    let corner = 1.0 - optics.vignetting as f32 * (u * u + v * v) / 0.34;
    let mut opaque = 0.0f32;
    for b in blobs {
        let d = (x - b.x).hypot(y - b.y) / b.radius;
        if d < 1.0 {
            let ragged = 0.55 + 0.9 * noise(x / b.radius * 2.2 + b.x, y / b.radius * 2.2 + b.y);
            opaque = 1.0 - (1.0 - opaque) * (1.0 - (b.strength * smooth(1.0, 0.25, d) * ragged).clamp(0.0, 0.95));
        }
    }
    [corner * (1.0 - opaque), opaque * 0.42]
}

/// Two box blurs along each axis.
fn blurred(source: &[Rgb], w: usize, h: usize, radius: usize) -> Vec<Rgb> {
    let mut from = source.to_vec();
    let mut to = vec![[0.0f32; 3]; w * h];
    for pass in 0..4 {
        let along_x = pass % 2 == 0;
        let (lines, length, step, stride) = if along_x { (h, w, 1, w) } else { (w, h, w, 1) };
        for line in 0..lines {
            let at = |k: usize| line * stride + k * step;
            let mut sum = [0.0f32; 3];
            let share = 1.0 / (2 * radius + 1) as f32;
            for k in 0..length + radius {
                if k < length {
                    (0..3).for_each(|i| sum[i] += from[at(k)][i]);
                }
                if k > 2 * radius {
                    (0..3).for_each(|i| sum[i] -= from[at(k - 2 * radius - 1)][i]);
                }
                if k >= radius {
                    to[at(k - radius)] = sum.map(|v| v.max(0.0) * share);
                }
            }
        }
        std::mem::swap(&mut from, &mut to);
    }
    from
}

fn bilinear(source: &[Rgb], w: usize, h: usize, x: f32, y: f32) -> Rgb {
    let (x, y) = (x.clamp(0.0, w as f32 - 1.001), y.clamp(0.0, h as f32 - 1.001));
    let (ix, iy) = (x as usize, y as usize);
    let (jx, jy) = ((ix + 1).min(w - 1), (iy + 1).min(h - 1));
    let (tx, ty) = (x - ix as f32, y - iy as f32);
    mix(mix(source[iy * w + ix], source[iy * w + jx], tx), mix(source[jy * w + ix], source[jy * w + jx], tx), ty)
}
