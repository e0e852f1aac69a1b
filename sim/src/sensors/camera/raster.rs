//! Triangles to samples: projection, near clipping, culling, binning into tiles, z-buffer.
//!
//! In: triangles in camera axes. Out: per tile the nearest triangle of each sample and its inverse depth, and which samples
//! each owner covers whether hidden or not. A pixel has 2×2 samples. Neighbouring triangles leave no gap: an edge is
//! computed alike from both sides, and its own samples belong to both. Each tile depends on nothing but its own
//! triangles in their order, so that threads change nothing.

use super::mesh::V3;
use super::model::{CameraModel, Lens, NEAR_M};

/// Samples of a pixel along each axis.
pub(crate) const SAMPLES: usize = 2;
/// Width and height of a tile, pixels.
pub(crate) const TILE_PX: usize = 32;
/// Width and height of a tile, samples.
pub(crate) const TILE: usize = TILE_PX * SAMPLES;
/// Samples of a tile.
pub(crate) const TILE_SAMPLES: usize = TILE * TILE;
/// Triangles are cut at most this often where the lens bends their edges.
const MAX_CUTS: u32 = 9;
/// Samples that a bent edge may be off.
const BEND_TOLERANCE: f32 = 0.5;

/// Camera axes to samples.
#[derive(Clone, Debug)]
pub(crate) struct Projector {
    scale: [f32; 2],
    centre: [f32; 2],
    lens: Option<Lens>,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Projector {
    /// Of a camera; `shift` moves the picture by a part of a sample.
    pub(crate) fn new(model: &CameraModel, shift: [f32; 2]) -> Self {
        let k = SAMPLES as f64;
        Self {
            scale: model.focal_length_px.map(|f| (f * k) as f32),
            centre: std::array::from_fn(|a| (model.principal_point_px[a] * k - 0.5) as f32 + shift[a]),
            lens: (!model.lens.is_pinhole()).then_some(model.lens),
            width: model.image_size_px[0] as f32 * k as f32,
            height: model.image_size_px[1] as f32 * k as f32,
        }
    }

    /// Samples and inverse depth of a point before the camera.
    pub(crate) fn project(&self, p: V3) -> [f32; 3] {
        let w = 1.0 / p.z;
        let (x, y) = (p.x * w, p.y * w);
        let [x, y] = match &self.lens {
            None => [x, y],
            Some(lens) => lens.bend(f64::from(x), f64::from(y)).map(|v| v as f32),
        };
        [x * self.scale[0] + self.centre[0], y * self.scale[1] + self.centre[1], w]
    }

    pub(crate) fn focal_samples(&self) -> f32 {
        self.scale[0]
    }

    pub(crate) fn is_pinhole(&self) -> bool {
        self.lens.is_none()
    }
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    x: f32,
    y: f32,
    slope: f32,
}

/// A triangle ready to be filled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Triangle {
    left: [Edge; 2],
    right: [Edge; 2],
    x0: i32,
    x1: i32,
    y0: i32,
    y1: i32,
    /// Inverse depth: at (ox, oy), and its slopes.
    w: f32,
    ox: f32,
    oy: f32,
    wx: f32,
    wy: f32,
    w_max: f32,
    /// Number of the face, 1 onward.
    pub(crate) face: u32,
}

/// Triangles of a picture in bins of tiles.
#[derive(Debug, Default)]
pub(crate) struct Bins {
    pub(crate) triangles: Vec<Triangle>,
    pub(crate) tiles: Vec<Vec<u32>>,
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl Bins {
    /// Empties the bins for a picture of `size` pixels.
    pub(crate) fn reset(&mut self, size: [u32; 2]) {
        self.columns = (size[0] as usize).div_ceil(TILE_PX);
        self.rows = (size[1] as usize).div_ceil(TILE_PX);
        self.triangles.clear();
        self.tiles.iter_mut().for_each(Vec::clear);
        self.tiles.resize_with(self.columns * self.rows, Vec::new);
    }

    /// Adds a triangle in camera axes; `bias` multiplies its inverse depth, so that paint wins over the road.
    pub(crate) fn add(&mut self, p: &Projector, corners: [V3; 3], face: u32, two_sided: bool, bias: f32) {
        let [a, b, c] = corners;
        let near = NEAR_M as f32;
        if a.z < near && b.z < near && c.z < near {
            return;
        }
        if !two_sided && (b - a).cross(&(c - a)).dot(&a) >= 0.0 {
            return;
        }
        if a.z >= near && b.z >= near && c.z >= near {
            self.cut(p, corners, face, bias, 0);
            return;
        }
        // Sutherland and Hodgman against the near plane.
        let mut clipped = [V3::zeros(); 4];
        let mut count = 0;
        for i in 0..3 {
            let (from, to) = (corners[i], corners[(i + 1) % 3]);
            if from.z >= near {
                clipped[count] = from;
                count += 1;
            }
            if (from.z >= near) != (to.z >= near) {
                let t = (near - from.z) / (to.z - from.z);
                clipped[count] = from + (to - from) * t;
                clipped[count].z = near;
                count += 1;
            }
        }
        for i in 1..count.max(2) - 1 {
            self.cut(p, [clipped[0], clipped[i], clipped[i + 1]], face, bias, 0);
        }
    }

    /// Cuts a triangle until the lens bends no edge visibly.
    fn cut(&mut self, p: &Projector, corners: [V3; 3], face: u32, bias: f32, depth: u32) {
        let screen = corners.map(|c| p.project(c));
        if !p.is_pinhole() && depth < MAX_CUTS {
            let low = |axis: usize| screen.iter().map(|s| s[axis]).fold(f32::MAX, f32::min);
            let high = |axis: usize| screen.iter().map(|s| s[axis]).fold(f32::MIN, f32::max);
            let margin = if depth == 0 { 4000.0 } else { 300.0 };
            let outside = high(0) < -margin || high(1) < -margin || low(0) > p.width + margin || low(1) > p.height + margin;
            let mut worst = (0, 0.0);
            if !outside {
                for i in 0..3 {
                    let j = (i + 1) % 3;
                    // The middle on the screen, as a pinhole would have it.
                    let t = corners[i].z / (corners[i].z + corners[j].z);
                    let middle = p.project(corners[i] + (corners[j] - corners[i]) * t);
                    let off = [0, 1].map(|a| middle[a] - 0.5 * (screen[i][a] + screen[j][a]));
                    let error = off[0].abs() + off[1].abs();
                    if error > worst.1 {
                        worst = (i, error);
                    }
                }
            }
            if worst.1 > BEND_TOLERANCE {
                let (i, j, k) = (worst.0, (worst.0 + 1) % 3, (worst.0 + 2) % 3);
                let t = corners[i].z / (corners[i].z + corners[j].z);
                let middle = corners[i] + (corners[j] - corners[i]) * t;
                self.cut(p, [corners[i], middle, corners[k]], face, bias, depth + 1);
                self.cut(p, [middle, corners[j], corners[k]], face, bias, depth + 1);
                return;
            }
        }
        self.bin(p, screen, face, bias);
    }

    fn bin(&mut self, p: &Projector, screen: [[f32; 3]; 3], face: u32, bias: f32) {
        let Some(mut triangle) = prepare(p, screen, bias) else { return };
        triangle.face = face;
        let index = self.triangles.len() as u32;
        let (c0, c1) = (triangle.x0 as usize / TILE, triangle.x1 as usize / TILE);
        let (r0, r1) = (triangle.y0 as usize / TILE, triangle.y1 as usize / TILE);
        for row in r0..=r1.min(self.rows - 1) {
            for column in c0..=c1.min(self.columns - 1) {
                self.tiles[row * self.columns + column].push(index);
            }
        }
        self.triangles.push(triangle);
    }
}

fn prepare(p: &Projector, s: [[f32; 3]; 3], bias: f32) -> Option<Triangle> {
    let (x_low, x_high) = (s[0][0].min(s[1][0]).min(s[2][0]), s[0][0].max(s[1][0]).max(s[2][0]));
    let (y_low, y_high) = (s[0][1].min(s[1][1]).min(s[2][1]), s[0][1].max(s[1][1]).max(s[2][1]));
    let x0 = x_low.max(0.0).ceil();
    let y0 = y_low.max(0.0).ceil();
    let x1 = x_high.min(p.width - 1.0).floor();
    let y1 = y_high.min(p.height - 1.0).floor();
    if !(x0 <= x1 && y0 <= y1) {
        return None;
    }
    let (abx, aby) = (s[1][0] - s[0][0], s[1][1] - s[0][1]);
    let (acx, acy) = (s[2][0] - s[0][0], s[2][1] - s[0][1]);
    let area = abx * acy - acx * aby;
    if area.abs() < 1e-6 {
        return None;
    }
    let (dw1, dw2) = (s[1][2] - s[0][2], s[2][2] - s[0][2]);
    let wx = (dw1 * acy - dw2 * aby) / area;
    let wy = (dw2 * abx - dw1 * acx) / area;
    let open_left = Edge { x: -1e9, y: 0.0, slope: 0.0 };
    let open_right = Edge { x: 1e9, y: 0.0, slope: 0.0 };
    let (mut left, mut right) = ([open_left; 2], [open_right; 2]);
    let (mut lefts, mut rights) = (0, 0);
    for i in 0..3 {
        let (a, b, other) = (s[i], s[(i + 1) % 3], s[(i + 2) % 3]);
        // The same line from both sides: begin at the upper end.
        let (a, b) = if (a[1], a[0]) <= (b[1], b[0]) { (a, b) } else { (b, a) };
        let dy = b[1] - a[1];
        if dy < 1e-6 {
            continue;
        }
        let edge = Edge { x: a[0], y: a[1], slope: (b[0] - a[0]) / dy };
        let is_left = other[0] > edge.x + (other[1] - edge.y) * edge.slope;
        if is_left && lefts < 2 {
            left[lefts] = edge;
            lefts += 1;
        } else if !is_left && rights < 2 {
            right[rights] = edge;
            rights += 1;
        }
    }
    Some(Triangle {
        left,
        right,
        x0: x0 as i32,
        x1: x1 as i32,
        y0: y0 as i32,
        y1: y1 as i32,
        w: s[0][2] * bias,
        ox: s[0][0],
        oy: s[0][1],
        wx: wx * bias,
        wy: wy * bias,
        w_max: s[0][2].max(s[1][2]).max(s[2][2]) * bias,
        face: 0,
    })
}

/// Samples of a tile: inverse depth and face of what is nearest.
#[derive(Debug)]
pub(crate) struct TileBuffer {
    pub(crate) w: Vec<f32>,
    pub(crate) face: Vec<u32>,
    /// Samples that the present owner covers, hidden or not; a row each.
    pub(crate) cover: [u64; TILE],
}

impl Default for TileBuffer {
    fn default() -> Self {
        Self { w: vec![0.0; TILE_SAMPLES], face: vec![0; TILE_SAMPLES], cover: [0; TILE] }
    }
}

/// First and last sample of a row, in the tile, or nothing.
#[inline]
fn span(t: &Triangle, y: f32, x0: i32, x1: i32) -> Option<(i32, i32)> {
    let at = |e: &Edge| e.x + (y - e.y) * e.slope;
    let from = at(&t.left[0]).max(at(&t.left[1]));
    let to = at(&t.right[0]).min(at(&t.right[1]));
    // Both are positive here, so that a cast rounds down; the library's rounding is a call on plain x86-64.
    let (from, to) = (from.max(x0 as f32), to.min(x1 as f32).max(-1.0));
    let (whole, to) = (from as i32, (to + 1.0) as i32 - 1);
    let from = whole + i32::from((whole as f32) < from);
    (from <= to).then_some((from, to))
}

fn row_mask(from: usize, to: usize) -> u64 {
    (u64::MAX >> (63 - (to - from))) << from
}

impl TileBuffer {
    /// Fills a triangle; `tile` is the tile's place in columns and rows.
    #[inline]
    pub(crate) fn fill(&mut self, t: &Triangle, tile: [usize; 2]) {
        let (left, top) = ((tile[0] * TILE) as i32, (tile[1] * TILE) as i32);
        let (x0, x1) = (t.x0.max(left), t.x1.min(left + TILE as i32 - 1));
        let (y0, y1) = (t.y0.max(top), t.y1.min(top + TILE as i32 - 1));
        for y in y0..=y1 {
            let yf = y as f32;
            let Some((from, to)) = span(t, yf, x0, x1) else { continue };
            let row = (y - top) as usize;
            let (a, b) = ((from - left) as usize, (to - left) as usize);
            self.cover[row] |= row_mask(a, b);
            let w0 = t.w + (yf - t.oy) * t.wy + (from as f32 - t.ox) * t.wx;
            let (wx, w_max, face) = (t.wx, t.w_max, t.face);
            let depths = &mut self.w[row * TILE + a..=row * TILE + b];
            let faces = &mut self.face[row * TILE + a..=row * TILE + b];
            for (i, (w, f)) in depths.iter_mut().zip(faces).enumerate() {
                let here = (w0 + i as f32 * wx).min(w_max);
                let nearer = here > *w;
                *w = if nearer { here } else { *w };
                *f = if nearer { face } else { *f };
            }
        }
    }

    /// Samples that were covered since the last call.
    pub(crate) fn take_cover(&mut self) -> u32 {
        let count = self.cover.iter().map(|row| row.count_ones()).sum();
        self.cover = [0; TILE];
        count
    }
}

/// A set of samples of a tile.
pub(crate) type Mask = [u64; TILE];

/// Adds the samples of a triangle to a set.
pub(crate) fn fill_mask(mask: &mut Mask, t: &Triangle, tile: [usize; 2]) {
    let (left, top) = ((tile[0] * TILE) as i32, (tile[1] * TILE) as i32);
    let (x0, x1) = (t.x0.max(left), t.x1.min(left + TILE as i32 - 1));
    let (y0, y1) = (t.y0.max(top), t.y1.min(top + TILE as i32 - 1));
    for y in y0..=y1 {
        if let Some((from, to)) = span(t, y as f32, x0, x1) {
            mask[(y - top) as usize] |= row_mask((from - left) as usize, (to - left) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mesh::v3;
    use super::super::model::CameraPose;
    use super::*;

    fn camera() -> CameraModel {
        let pose = CameraPose { position_m: [0.0; 3], yaw_deg: 0.0, pitch_deg: 0.0, roll_deg: 0.0 };
        CameraModel::with_size("t", pose, 90.0, [32, 32])
    }

    fn draw(triangles: &[[V3; 3]], model: &CameraModel) -> TileBuffer {
        let mut bins = Bins::default();
        bins.reset(model.image_size_px);
        let projector = Projector::new(model, [0.0; 2]);
        for (k, corners) in triangles.iter().enumerate() {
            bins.add(&projector, *corners, k as u32 + 1, true, 1.0);
        }
        let mut buffer = TileBuffer::default();
        for t in &bins.triangles {
            buffer.fill(t, [0, 0]);
        }
        buffer
    }

    #[test]
    fn two_triangles_of_a_square_leave_no_gap_and_the_nearer_square_wins() {
        let square = |z: f32, h: f32| {
            let (a, b, c, d) = (v3(-h, -h, z), v3(h, -h, z), v3(h, h, z), v3(-h, h, z));
            [[a, b, c], [a, c, d]]
        };
        let far = square(10.0, 10.3);
        let near = square(5.0, 1.0);
        let buffer = draw(&[near[0], near[1], far[0], far[1]], &camera());
        assert!(buffer.face.iter().all(|f| *f > 0));
        // 1 m at 5 m with a focal length of 32 samples: 6.4 samples to each side.
        let hits = buffer.face.iter().filter(|f| **f <= 2).count();
        assert!((140..=170).contains(&hits), "{hits}");
        let middle = buffer.w[32 * TILE + 32];
        assert!((middle - 0.2).abs() < 1e-6);
    }

    #[test]
    fn what_is_partly_behind_the_camera_is_clipped() {
        // The ground 1 m below the camera.
        let (a, b, c) = (v3(-500.0, 1.0, -50.0), v3(500.0, 1.0, -50.0), v3(0.0, 1.0, 900.0));
        let buffer = draw(&[[a, b, c]], &camera());
        assert!(buffer.face[..30 * TILE].iter().all(|f| *f == 0));
        assert!(buffer.face[40 * TILE..].iter().all(|f| *f == 1));
        // In the lowest row: y = 31.5 samples below the middle, so 32 / 31.5 m away.
        assert!((1.0 / buffer.w[63 * TILE + 10] - 32.0 / 31.5).abs() < 0.01);
    }

    #[test]
    fn cover_counts_each_sample_once() {
        let t = [v3(-2.0, -2.0, 4.0), v3(2.0, -2.0, 4.0), v3(2.0, 2.0, 4.0)];
        let mut buffer = draw(&[t, t, t], &camera());
        let once = buffer.face.iter().filter(|f| **f > 0).count() as u32;
        assert_eq!(buffer.take_cover(), once);
        assert_eq!(buffer.take_cover(), 0);
    }

    #[test]
    fn a_bent_edge_is_cut_until_it_bends() {
        let mut model = camera();
        model.lens = Lens::BrownConrady { distortion: [-0.3, 0.08, 0.0, 0.0, 0.0] };
        let (a, b, c) = (v3(-3.0, 1.6, 2.0), v3(3.0, 1.6, 2.0), v3(0.0, -20.0, 2.0));
        let buffer = draw(&[[a, b, c]], &model);
        let lowest = |x: usize| (0..TILE).rev().find(|y| buffer.face[y * TILE + x] > 0).unwrap_or(0);
        // A barrel lens bows a line below the middle: it is lowest in the middle column.
        assert!(lowest(32) > lowest(56), "{} {}", lowest(32), lowest(56));
    }
}
