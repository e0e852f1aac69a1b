//! Meshes and how they are built: quads with a material and a bone, turned into shared vertices with smooth normals.
//!
//! Object axes are ISO 8855's: x forward, y left, z up, metres, origin on the ground under the centre. Faces are
//! counter-clockwise seen from outside.

use super::material::Material;
use nalgebra::Matrix3;
use std::collections::BTreeMap;
use std::f32::consts::TAU;

/// A vector in single precision.
pub(crate) type V3 = nalgebra::Vector3<f32>;

/// Shorthand of a vector.
pub(crate) const fn v3(x: f32, y: f32, z: f32) -> V3 {
    V3::new(x, y, z)
}

/// A matrix times a vector, written out: the general product loops.
#[inline]
pub(crate) fn turn(m: &Matrix3<f32>, v: V3) -> V3 {
    v3(
        m.m11 * v.x + m.m12 * v.y + m.m13 * v.z,
        m.m21 * v.x + m.m22 * v.y + m.m23 * v.z,
        m.m31 * v.x + m.m32 * v.y + m.m33 * v.z,
    )
}

/// A turn with scale, then a shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    pub(crate) turn: Matrix3<f32>,
    pub(crate) shift: V3,
}

impl Affine {
    pub(crate) fn identity() -> Self {
        Self { turn: Matrix3::identity(), shift: V3::zeros() }
    }

    /// Turned about y by `pitch_rad` (nose, or what hangs down, forward is positive for hanging limbs), then shifted.
    pub(crate) fn hinge(swing_rad: f32, shift: V3) -> Self {
        let (s, c) = swing_rad.sin_cos();
        // −z goes to (sin, 0, −cos): a limb that hangs down swings forward.
        Self { turn: Matrix3::new(c, 0.0, -s, 0.0, 1.0, 0.0, s, 0.0, c), shift }
    }

    pub(crate) fn then(&self, outer: &Self) -> Self {
        Self { turn: outer.turn * self.turn, shift: outer.turn * self.shift + outer.shift }
    }

    pub(crate) fn apply(&self, p: V3) -> V3 {
        turn(&self.turn, p) + self.shift
    }
}

/// A corner of faces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vertex {
    pub(crate) position: V3,
    pub(crate) normal: V3,
    pub(crate) uv: [f32; 2],
    pub(crate) bone: u8,
}

/// A triangle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face {
    pub(crate) corners: [u32; 3],
    pub(crate) material: u16,
    pub(crate) two_sided: bool,
}

/// Triangles with their materials.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mesh {
    pub(crate) vertices: Vec<Vertex>,
    pub(crate) faces: Vec<Face>,
    pub(crate) materials: Vec<Material>,
}

/// How much of a mesh is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Everything.
    Near,
    /// What still shows at a distance.
    Far,
    /// What casts a shadow.
    Shadow,
}

#[derive(Clone, Copy)]
struct Quad {
    corners: [V3; 4],
    uv: [[f32; 2]; 4],
    material: u16,
    part: u32,
    bone: u8,
    two_sided: bool,
    smooth: bool,
}

/// Collects quads of an object.
pub(crate) struct Builder {
    quads: Vec<Quad>,
    materials: Vec<Material>,
    part: u32,
    pub(crate) detail: Detail,
    /// Bone that following parts hang on.
    pub(crate) bone: u8,
}

impl Builder {
    pub(crate) fn new(detail: Detail) -> Self {
        Self { quads: Vec::new(), materials: Vec::new(), part: 0, detail, bone: 0 }
    }

    /// Everything is built, not only what shows at a distance.
    pub(crate) fn near(&self) -> bool {
        self.detail == Detail::Near
    }

    /// Sides of something round.
    pub(crate) fn sides(&self, near: usize) -> usize {
        match self.detail {
            Detail::Near => near,
            Detail::Far => (near * 2 / 3).max(5),
            Detail::Shadow => (near / 2).max(4),
        }
    }

    pub(crate) fn material(&mut self, material: Material) -> u16 {
        let at = self.materials.iter().position(|m| *m == material).unwrap_or_else(|| {
            self.materials.push(material);
            self.materials.len() - 1
        });
        u16::try_from(at).expect("a mesh has few materials")
    }

    fn push(&mut self, corners: [V3; 4], material: Material, uv: [[f32; 2]; 4], smooth: bool, two_sided: bool) {
        let material = self.material(material);
        self.quads.push(Quad { corners, uv, material, part: self.part, bone: self.bone, two_sided, smooth });
    }

    /// Quads of one part, each turned to face away from `centre`.
    pub(crate) fn outward(&mut self, quads: &[[V3; 4]], centre: V3, material: Material) {
        self.outward_with(quads, centre, |_| material);
    }

    /// As [`Self::outward`], the material by the number of the quad.
    pub(crate) fn outward_with(&mut self, quads: &[[V3; 4]], centre: V3, material: impl Fn(usize) -> Material) {
        self.part += 1;
        for (k, quad) in quads.iter().enumerate() {
            let normal = (quad[2] - quad[0]).cross(&(quad[3] - quad[1]));
            let middle = (quad[0] + quad[1] + quad[2] + quad[3]) * 0.25;
            let mut quad = *quad;
            if normal.dot(&(middle - centre)) < 0.0 {
                quad.reverse();
            }
            self.push(quad, material(k), [[0.0; 2]; 4], true, false);
        }
    }

    /// One quad with texture coordinates: (0, 0) at its first corner, (1, 0) at the second, (1, 1) at the third.
    pub(crate) fn panel(&mut self, corners: [V3; 4], material: Material) {
        self.part += 1;
        self.push(corners, material, [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], false, false);
    }

    /// One quad with texture coordinates of its own.
    pub(crate) fn panel_uv(&mut self, corners: [V3; 4], uv: [[f32; 2]; 4], material: Material) {
        self.part += 1;
        self.push(corners, material, uv, false, false);
    }

    /// One quad that shows from both sides.
    pub(crate) fn sheet(&mut self, corners: [V3; 4], material: Material) {
        self.part += 1;
        self.push(corners, material, [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], false, true);
    }

    /// An axis-aligned box.
    pub(crate) fn cuboid(&mut self, centre: V3, size: V3, material: Material) {
        let h = size * 0.5;
        let corner = |x: f32, y: f32, z: f32| centre + v3(x * h.x, y * h.y, z * h.z);
        let ring = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        let mut quads = Vec::with_capacity(6);
        for sign in [-1.0, 1.0] {
            quads.push(ring.map(|(a, b)| corner(sign, a, b)));
            quads.push(ring.map(|(a, b)| corner(a, sign, b)));
            quads.push(ring.map(|(a, b)| corner(a, b, sign)));
        }
        self.outward(&quads, centre, material);
    }

    /// A tapered tube with rounded ends.
    pub(crate) fn tube(&mut self, a: V3, b: V3, radius_a: f32, radius_b: f32, sides: usize, material: Material) {
        let sides = self.sides(sides);
        let axis = (b - a).try_normalize(1e-6).unwrap_or(v3(0.0, 0.0, 1.0));
        let u = axis.cross(&if axis.z.abs() < 0.9 { v3(0.0, 0.0, 1.0) } else { v3(1.0, 0.0, 0.0) }).normalize();
        let v = axis.cross(&u);
        let ring = |centre: V3, radius: f32| -> Vec<V3> {
            (0..sides)
                .map(|i| {
                    let (s, c) = (TAU * i as f32 / sides as f32).sin_cos();
                    centre + (u * c + v * s) * radius
                })
                .collect()
        };
        let mut rings = vec![ring(a, radius_a), ring(b, radius_b)];
        if self.near() {
            rings.insert(0, ring(a - axis * radius_a * 0.45, radius_a * 0.6));
            rings.push(ring(b + axis * radius_b * 0.45, radius_b * 0.6));
        }
        let mut quads = Vec::new();
        for pair in rings.windows(2) {
            for i in 0..sides {
                let j = (i + 1) % sides;
                quads.push([pair[0][i], pair[0][j], pair[1][j], pair[1][i]]);
            }
        }
        if self.detail != Detail::Shadow {
            for (end, middle) in [(&rings[0], a), (&rings[rings.len() - 1], b)] {
                let tip = if self.near() { end.iter().sum::<V3>() / sides as f32 } else { middle };
                for i in 0..sides {
                    quads.push([end[i], end[(i + 1) % sides], tip, tip]);
                }
            }
        }
        self.outward(&quads, (a + b) * 0.5, material);
    }

    /// An ellipsoid; `pick` gives the material of a direction (unit vector from the centre).
    pub(crate) fn ellipsoid_with(
        &mut self,
        centre: V3,
        radii: V3,
        size: (usize, usize),
        pick: impl Fn(V3) -> Material,
    ) {
        let (slices, stacks) = (self.sides(size.0), self.sides(size.1).min(size.1).max(3));
        let point = |slice: usize, stack: usize| {
            let (s, c) = (TAU * (slice % slices) as f32 / slices as f32).sin_cos();
            let (sz, cz) = (std::f32::consts::PI * (stack as f32 / stacks as f32 - 0.5)).sin_cos();
            v3(cz * c, cz * s, sz)
        };
        let mut quads = Vec::new();
        let mut directions = Vec::new();
        for stack in 0..stacks {
            for slice in 0..slices {
                let unit = [
                    point(slice, stack),
                    point(slice + 1, stack),
                    point(slice + 1, stack + 1),
                    point(slice, stack + 1),
                ];
                directions.push(unit.iter().sum::<V3>().normalize());
                quads.push(unit.map(|p| centre + p.component_mul(&radii)));
            }
        }
        self.outward_with(&quads, centre, |k| pick(directions[k]));
    }

    /// An ellipsoid of one material.
    pub(crate) fn ellipsoid(&mut self, centre: V3, radii: V3, size: (usize, usize), material: Material) {
        self.ellipsoid_with(centre, radii, size, |_| material);
    }

    /// Quads between cross-sections, ends closed. Each ring runs from one lower edge over the top to the other; `pick` gives
    /// the material of a quad by (span along, side of the ring), the ends being spans −1 and `rings − 1`.
    pub(crate) fn loft(&mut self, rings: &[Vec<V3>], centre: V3, pick: impl Fn(isize, usize) -> Material) {
        let mut quads = Vec::new();
        let mut spans = Vec::new();
        for (k, pair) in rings.windows(2).enumerate() {
            for i in 0..pair[0].len() - 1 {
                quads.push([pair[0][i], pair[0][i + 1], pair[1][i + 1], pair[1][i]]);
                spans.push((k as isize, i));
            }
        }
        for (k, ring) in [(-1, &rings[0]), (rings.len() as isize - 1, &rings[rings.len() - 1])] {
            let m = ring.len();
            for i in 0..m / 2 {
                quads.push([ring[i], ring[i + 1], ring[m - 2 - i], ring[m - 1 - i]]);
                spans.push((k, i));
            }
        }
        self.outward_with(&quads, centre, |q| pick(spans[q].0, spans[q].1));
    }

    /// An upright rectangle that faces forward (`x` > 0) or backward, its lower edge at `z`.
    pub(crate) fn decal(&mut self, x: f32, y: f32, z: f32, width: f32, height: f32, material: Material) {
        let (l, r) = (y - width * 0.5, y + width * 0.5);
        let corners = if x > 0.0 {
            [v3(x, l, z), v3(x, r, z), v3(x, r, z + height), v3(x, l, z + height)]
        } else {
            [v3(x, r, z), v3(x, l, z), v3(x, l, z + height), v3(x, r, z + height)]
        };
        self.panel(corners, material);
    }

    /// An upright rectangle on a side (`y` > 0 is the left one) from `x0` to `x1`.
    pub(crate) fn side_decal(&mut self, x0: f32, x1: f32, y: f32, z0: f32, z1: f32, material: Material) {
        let (a, b) = if y > 0.0 { (x1, x0) } else { (x0, x1) };
        self.panel([v3(a, y, z0), v3(b, y, z0), v3(b, y, z1), v3(a, y, z1)], material);
    }

    /// A wheel whose axle lies along y: tread, tyre wall, rim and spokes on the outer side.
    pub(crate) fn wheel(&mut self, x: f32, y: f32, radius: f32, width: f32, look: &WheelLook) {
        let sides = self.sides(16);
        let out = y.signum();
        let centre = v3(x, y, radius);
        let ring = |r: f32, side: f32| -> Vec<V3> {
            (0..=sides)
                .map(|i| {
                    let (s, c) = (TAU * i as f32 / sides as f32).sin_cos();
                    centre + v3(c * r, side, s * r)
                })
                .collect()
        };
        let between =
            |a: &[V3], b: &[V3]| -> Vec<[V3; 4]> { (0..sides).map(|i| [a[i], a[i + 1], b[i + 1], b[i]]).collect() };
        let half = width * 0.5 * out;
        let (outer, inner) = (ring(radius, half * 0.8), ring(radius, -half));
        self.outward(&between(&outer, &inner), centre, look.tyre);
        let rim = ring(radius * 0.66, half);
        let behind = centre - v3(0.0, half * 3.0, 0.0);
        self.outward(&between(&outer, &rim), behind, look.tyre);
        let hub = ring(0.0, half * 0.75);
        let near = self.near();
        let (bright, dark) = (look.rim, look.gap);
        self.outward_with(&between(&rim, &hub), behind, |k| if near && k % 3 == 0 { dark } else { bright });
        if self.detail == Detail::Near {
            // The inner wall, seen under a vehicle from the other side.
            let hub = ring(0.0, -half);
            self.outward(&between(&inner, &hub), centre + v3(0.0, half * 3.0, 0.0), look.gap);
        }
    }

    /// The mesh: vertices shared where position, normal and texture agree.
    pub(crate) fn build(self) -> Mesh {
        const CREASE_COS: f32 = 0.70;
        let key = |p: V3| p.map(|v| (v * 2000.0).round() as i32);
        let normals: Vec<V3> = self
            .quads
            .iter()
            .map(|q| {
                (q.corners[2] - q.corners[0])
                    .cross(&(q.corners[3] - q.corners[1]))
                    .try_normalize(1e-12)
                    .unwrap_or(v3(0.0, 0.0, 1.0))
            })
            .collect();
        let mut around: BTreeMap<(u32, [i32; 3]), Vec<usize>> = BTreeMap::new();
        for (q, quad) in self.quads.iter().enumerate() {
            if quad.smooth {
                for corner in quad.corners {
                    let list = around.entry((quad.part, key(corner).into())).or_default();
                    if list.last() != Some(&q) {
                        list.push(q);
                    }
                }
            }
        }
        let mut mesh = Mesh { materials: self.materials, ..Mesh::default() };
        /// Place, normal, texture coordinates and material of a vertex, rounded.
        type VertexKey = ([i32; 3], [i32; 3], [i32; 2], u8);
        let mut known: BTreeMap<VertexKey, u32> = BTreeMap::new();
        for (q, quad) in self.quads.iter().enumerate() {
            let corners: [u32; 4] = std::array::from_fn(|i| {
                let p = quad.corners[i];
                let normal = match around.get(&(quad.part, key(p).into())) {
                    Some(list) if quad.smooth => {
                        let near = list.iter().filter(|other| normals[**other].dot(&normals[q]) > CREASE_COS);
                        near.map(|other| normals[*other]).sum::<V3>().try_normalize(1e-9).unwrap_or(normals[q])
                    }
                    _ => normals[q],
                };
                let uv = quad.uv[i];
                let same = (
                    key(p).into(),
                    normal.map(|v| (v * 200.0) as i32).into(),
                    uv.map(|v| (v * 4000.0) as i32),
                    quad.bone,
                );
                *known.entry(same).or_insert_with(|| {
                    mesh.vertices.push(Vertex { position: p, normal, uv, bone: quad.bone });
                    mesh.vertices.len() as u32 - 1
                })
            });
            for [a, b, c] in [[0, 1, 2], [0, 2, 3]] {
                let t = [corners[a], corners[b], corners[c]];
                if t[0] != t[1] && t[1] != t[2] && t[0] != t[2] {
                    mesh.faces.push(Face { corners: t, material: quad.material, two_sided: quad.two_sided });
                }
            }
        }
        mesh
    }
}

/// What a wheel is made of.
pub(crate) struct WheelLook {
    pub(crate) tyre: Material,
    pub(crate) rim: Material,
    pub(crate) gap: Material,
}

#[cfg(test)]
mod tests {
    use super::super::material::{Finish, Material};
    use super::*;

    #[test]
    fn normals_of_a_ball_point_outward_and_those_of_a_box_stay_flat() {
        let mut b = Builder::new(Detail::Near);
        let grey = Material::new([100; 3], Finish::Matte);
        b.ellipsoid(v3(1.0, 2.0, 3.0), v3(0.5, 0.5, 0.5), (12, 8), grey);
        let ball = b.build();
        for v in &ball.vertices {
            assert!((v.position - v3(1.0, 2.0, 3.0)).normalize().dot(&v.normal) > 0.9);
        }
        let mut b = Builder::new(Detail::Near);
        b.cuboid(V3::zeros(), v3(1.0, 1.0, 1.0), grey);
        let cube = b.build();
        assert_eq!((cube.vertices.len(), cube.faces.len()), (24, 12));
        for face in &cube.faces {
            let [a, b, c] = face.corners.map(|i| cube.vertices[i as usize]);
            let normal = (b.position - a.position).cross(&(c.position - a.position));
            assert!(normal.dot(&a.normal) > 0.0 && a.normal.dot(&a.position) > 0.0);
        }
    }

    #[test]
    fn a_limb_that_hangs_swings_forward() {
        let foot = Affine::hinge(0.5, v3(0.0, 0.0, 1.0)).apply(v3(0.0, 0.0, -1.0));
        assert!(foot.x > 0.4 && foot.z < 0.2, "{foot}");
    }
}
