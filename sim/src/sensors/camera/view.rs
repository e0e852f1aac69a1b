//! A camera's view of meshes: what is in the picture, in camera axes, and what a ray meets.

use super::material::Material;
use super::mesh::{Affine, Mesh, V3, turn, v3};
use super::model::{CameraModel, CameraPose};
use super::raster::{Bins, Projector, SAMPLES};
use super::shade::Hit;
use nalgebra::{Matrix3, Point3};

/// Rays are computed exactly at each corner of a grid of this step, pixels, and interpolated between.
const RAY_STEP: usize = 4;

/// A camera at one time, in scene coordinates.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) position: V3,
    /// World to camera axes.
    pub(crate) rotation: Matrix3<f32>,
    pub(crate) projector: Projector,
    pub(crate) size: [u32; 2],
    /// Metres that a sample covers, for each metre of distance.
    pub(crate) sample_angle: f32,
    half_width: f32,
    half_height: f32,
}

/// Directions of pixels in camera axes, z = 1.
#[derive(Debug)]
pub(crate) struct Rays {
    /// Of a pinhole: principal point and inverse focal lengths.
    pinhole: Option<[f32; 4]>,
    columns: usize,
    grid: Vec<[f32; 2]>,
}

impl Rays {
    pub(crate) fn new(model: &CameraModel) -> Self {
        let [width, height] = model.image_size_px.map(|v| v as usize);
        let (columns, rows) = (width.div_ceil(RAY_STEP) + 2, height.div_ceil(RAY_STEP) + 2);
        let mut grid = vec![[0.0; 2]; columns * rows];
        for row in 0..rows {
            let mut last = [0.0, 0.0];
            for column in 0..columns {
                let pixel = [(column * RAY_STEP) as f64, (row * RAY_STEP) as f64];
                // Where the lens draws nothing the last direction goes on.
                last = model.ray_camera(pixel).map_or(last, |r| [r.x as f32, r.y as f32]);
                grid[row * columns + column] = last;
            }
        }
        let pinhole = model.lens.is_pinhole().then(|| {
            let ([cx, cy], [fx, fy]) = (model.principal_point_px, model.focal_length_px);
            [cx, cy, 1.0 / fx, 1.0 / fy].map(|v| v as f32)
        });
        Self { pinhole, columns, grid }
    }

    #[inline]
    pub(crate) fn at(&self, x: f32, y: f32) -> V3 {
        if let Some([cx, cy, kx, ky]) = self.pinhole {
            return v3((x - cx) * kx, (y - cy) * ky, 1.0);
        }
        let (gx, gy) = (x / RAY_STEP as f32, y / RAY_STEP as f32);
        let (ix, iy) = (gx as usize, gy as usize);
        let (tx, ty) = (gx - ix as f32, gy - iy as f32);
        let at = iy * self.columns + ix;
        let (a, b, c, d) =
            (self.grid[at], self.grid[at + 1], self.grid[at + self.columns], self.grid[at + self.columns + 1]);
        let value = |k: usize| {
            let (top, bottom) = (a[k] + (b[k] - a[k]) * tx, c[k] + (d[k] - c[k]) * tx);
            top + (bottom - top) * ty
        };
        v3(value(0), value(1), 1.0)
    }
}

impl View {
    pub(crate) fn new(model: &CameraModel, pose: &CameraPose, origin: Point3<f64>) -> Self {
        let projector = Projector::new(model, [0.0; 2]);
        let [width, height] = model.image_size_px.map(f64::from);
        let edge = |pixel: [f64; 2], axis: usize| model.ray_camera(pixel).map_or(2.5, |r| r[axis].abs()) as f32;
        let half_width = edge([0.0, height / 2.0], 0)
            .max(edge([width, height / 2.0], 0))
            .max(edge([0.0, 0.0], 0))
            .max(edge([width, height], 0));
        let half_height = edge([width / 2.0, 0.0], 1)
            .max(edge([width / 2.0, height], 1))
            .max(edge([0.0, 0.0], 1))
            .max(edge([width, height], 1));
        Self {
            position: (Point3::from(pose.position_m) - origin).cast(),
            rotation: pose.rotation().cast(),
            sample_angle: 1.0 / projector.focal_samples(),
            projector,
            size: model.image_size_px,
            half_width,
            half_height,
        }
    }

    pub(crate) fn to_camera(&self, p: V3) -> V3 {
        turn(&self.rotation, p - self.position)
    }

    pub(crate) fn to_world(&self, direction: V3) -> V3 {
        let (m, v) = (&self.rotation, direction);
        v3(
            m.m11 * v.x + m.m21 * v.y + m.m31 * v.z,
            m.m12 * v.x + m.m22 * v.y + m.m32 * v.z,
            m.m13 * v.x + m.m23 * v.y + m.m33 * v.z,
        )
    }

    /// Whether a ball may be in the picture.
    pub(crate) fn sees(&self, centre: V3, radius: f32) -> bool {
        let c = self.to_camera(centre);
        let side = |lateral: f32, half: f32| lateral.abs() - half * c.z <= radius * (1.0 + half * half).sqrt();
        c.z > -radius && side(c.x, self.half_width) && side(c.y, self.half_height)
    }
}

/// A triangle of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchFace {
    pub(crate) corners: [u32; 3],
    pub(crate) material: u32,
    /// 0 is scenery, else the place of the actor in the picture's list, from 1.
    pub(crate) owner: u16,
    two_sided: bool,
}

/// Meshes of a picture in camera axes.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    camera: Vec<V3>,
    normals: Vec<V3>,
    uv: Vec<[f32; 2]>,
    pub(crate) faces: Vec<BatchFace>,
    pub(crate) materials: Vec<Material>,
}

impl Batch {
    pub(crate) fn clear(&mut self) {
        self.camera.clear();
        self.normals.clear();
        self.uv.clear();
        self.faces.clear();
        self.materials.clear();
    }

    /// Adds a mesh whose bones lie in the world by `bones`.
    pub(crate) fn add(&mut self, view: &View, mesh: &Mesh, bones: &[Affine], owner: u16) {
        let (first, material) = (self.camera.len() as u32, self.materials.len() as u32);
        let to_camera: Vec<Affine> = bones
            .iter()
            .map(|b| Affine { turn: view.rotation * b.turn, shift: view.rotation * (b.shift - view.position) })
            .collect();
        self.camera.extend(mesh.vertices.iter().map(|v| to_camera[v.bone as usize].apply(v.position)));
        self.normals.extend(mesh.vertices.iter().map(|v| turn(&bones[v.bone as usize].turn, v.normal)));
        self.uv.extend(mesh.vertices.iter().map(|v| v.uv));
        self.materials.extend_from_slice(&mesh.materials);
        self.faces.extend(mesh.faces.iter().map(|f| BatchFace {
            corners: f.corners.map(|c| c + first),
            material: material + u32::from(f.material),
            owner,
            two_sided: f.two_sided,
        }));
    }

    /// Adds a mesh of which only the outline matters.
    pub(crate) fn add_two_sided(&mut self, view: &View, mesh: &Mesh, bones: &[Affine]) {
        let from = self.faces.len();
        self.add(view, mesh, bones, 0);
        self.faces[from..].iter_mut().for_each(|face| face.two_sided = true);
    }

    /// Bins the faces from number `from` on; `bias` lifts a material.
    pub(crate) fn bin(&self, bins: &mut Bins, projector: &Projector, from: usize, bias: impl Fn(&Material) -> f32) {
        for (k, face) in self.faces.iter().enumerate().skip(from) {
            let corners = face.corners.map(|c| self.camera[c as usize]);
            bins.add(projector, corners, k as u32 + 1, face.two_sided, bias(&self.materials[face.material as usize]));
        }
    }

    /// Where a ray (camera axes, z = 1) meets a face's plane; the place is kept within the face.
    #[inline]
    pub(crate) fn hit(&self, view: &View, face: &BatchFace, ray: V3) -> Hit {
        let [ia, ib, ic] = face.corners.map(|c| c as usize);
        let (a, b, c) = (self.camera[ia], self.camera[ib], self.camera[ic]);
        let (e1, e2) = (b - a, c - a);
        let p = ray.cross(&e2);
        let determinant = e1.dot(&p);
        let inverse = if determinant.abs() > 1e-12 { 1.0 / determinant } else { 0.0 };
        let q = (-a).cross(&e1);
        let mut u = ((-a).dot(&p) * inverse).clamp(0.0, 1.0);
        let mut v = (ray.dot(&q) * inverse).clamp(0.0, 1.0);
        let sum = u + v;
        if sum > 1.0 {
            u /= sum;
            v /= sum;
        }
        let w = 1.0 - u - v;
        let point = a * w + b * u + c * v;
        let mut normal = self.normals[ia] * w + self.normals[ib] * u + self.normals[ic] * v;
        normal *= 1.0 / normal.norm().max(1e-9);
        let distance = point.norm();
        let to_point = view.to_world(point);
        let direction = to_point * (1.0 / distance.max(1e-6));
        if normal.dot(&direction) > 0.0 {
            // Two-sided faces, and smooth normals that lean over the edge.
            normal = if face.two_sided { -normal } else { normal - direction * (normal.dot(&direction) * 1.02) };
        }
        let (ta, tb, tc) = (self.uv[ia], self.uv[ib], self.uv[ic]);
        Hit {
            position: view.position + to_point,
            normal,
            uv: [ta[0] * w + tb[0] * u + tc[0] * v, ta[1] * w + tb[1] * u + tc[1] * v],
            view: direction,
            distance,
            footprint: distance * view.sample_angle,
        }
    }
}

/// Middle of a sample, pixels.
pub(crate) fn sample_px(index: usize) -> f32 {
    (index as f32 + 0.5) / SAMPLES as f32
}
