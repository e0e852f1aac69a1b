//! Shadows of what does not move: a depth map seen from the sun.

use super::mesh::V3;
use super::scene::Scene;

const SIZE: usize = 2048;
/// Around its centre the map covers this, metres.
pub(crate) const REACH_M: f32 = 90.0;
/// Surfaces shadow nothing that is nearer than this along the light, metres.
const BIAS_M: f32 = 0.25;

/// Heights along the sun's direction of what is nearest to the sun.
#[derive(Debug)]
pub(crate) struct ShadowMap {
    u: V3,
    v: V3,
    sun: V3,
    centre: [f32; 2],
    heights: Vec<f32>,
}

impl ShadowMap {
    pub(crate) fn new(scene: &Scene, sun: V3, around: V3) -> Self {
        let u = V3::new(0.0, 0.0, 1.0).cross(&sun).normalize();
        let v = sun.cross(&u);
        let centre = [around.dot(&u), around.dot(&v)];
        let mut map = Self { u, v, sun, centre, heights: vec![f32::MIN; SIZE * SIZE] };
        for placed in scene.placed.iter().filter(|p| p.casts_shadow) {
            let away = [placed.centre.dot(&u) - centre[0], placed.centre.dot(&v) - centre[1]];
            if away.iter().any(|a| a.abs() > REACH_M + placed.radius) {
                continue;
            }
            let mesh = &scene.meshes[placed.mesh[0] as usize];
            let points: Vec<[f32; 3]> =
                mesh.vertices.iter().map(|vertex| map.to_map(placed.place.apply(vertex.position))).collect();
            for face in &mesh.faces {
                map.fill(face.corners.map(|i| points[i as usize]));
            }
        }
        map
    }

    fn to_map(&self, p: V3) -> [f32; 3] {
        let k = SIZE as f32 / (2.0 * REACH_M);
        let half = SIZE as f32 / 2.0;
        [(p.dot(&self.u) - self.centre[0]) * k + half, (p.dot(&self.v) - self.centre[1]) * k + half, p.dot(&self.sun)]
    }

    fn fill(&mut self, [a, b, c]: [[f32; 3]; 3]) {
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
        let low = |i: usize| a[i].min(b[i]).min(c[i]).max(0.0).ceil();
        let high = |i: usize| a[i].max(b[i]).max(c[i]).min(SIZE as f32 - 1.0).floor();
        if area.abs() < 1e-6 || low(0) > high(0) || low(1) > high(1) {
            return;
        }
        for y in low(1) as usize..=high(1) as usize {
            for x in low(0) as usize..=high(0) as usize {
                let (px, py) = (x as f32, y as f32);
                let side =
                    |p: [f32; 3], q: [f32; 3]| ((q[0] - p[0]) * (py - p[1]) - (q[1] - p[1]) * (px - p[0])) / area;
                let (wa, wb, wc) = (side(b, c), side(c, a), side(a, b));
                if wa >= 0.0 && wb >= 0.0 && wc >= 0.0 {
                    let height = wa * a[2] + wb * b[2] + wc * c[2];
                    let at = &mut self.heights[y * SIZE + x];
                    *at = at.max(height);
                }
            }
        }
    }

    /// Share of the sun that reaches a place, 0 to 1; beyond the map everything.
    pub(crate) fn open(&self, p: V3) -> f32 {
        let [x, y, height] = self.to_map(p);
        let limit = SIZE as f32 - 3.0;
        if !(x > 2.0 && y > 2.0 && x < limit && y < limit) {
            return 1.0;
        }
        // Bilinear over 3×3 comparisons: a soft edge of about two cells.
        let (fx, fy) = (x - 0.5, y - 0.5);
        let (ix, iy) = (fx as usize, fy as usize);
        let (tx, ty) = (fx - ix as f32, fy - iy as f32);
        let lit = |dx: usize, dy: usize| {
            f32::from(u8::from(self.heights[(iy + dy - 1) * SIZE + ix + dx - 1] < height + BIAS_M))
        };
        let mut sum = 0.0;
        for dy in 0..4 {
            let wy = [1.0 - ty, 1.0, 1.0, ty][dy];
            for dx in 0..4 {
                sum += lit(dx, dy) * wy * [1.0 - tx, 1.0, 1.0, tx][dx];
            }
        }
        sum / 9.0
    }
}
