//! Trees and bushes as meshes.

use super::super::material::{Finish, Material, Semantic};
use super::super::mesh::{Builder, Detail, Mesh, V3, v3};
use super::super::scene::Scene;
use crate::random::Seed;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// Near and far mesh of one tree.
pub(super) fn tree_pair(scene: &mut Scene, rng: &mut Pcg64Mcg) -> [u32; 2] {
    let number: u64 = rng.random();
    [Detail::Near, Detail::Far].map(|detail| {
        let mesh = tree(&mut Seed(number).stream("tree", 0), detail);
        scene.add_mesh(mesh)
    })
}

/// A trunk with branches and a crown of leaf clusters.
fn tree(rng: &mut Pcg64Mcg, detail: Detail) -> Mesh {
    let height: f32 = rng.random_range(6.0..9.0);
    let bark = Material::new([98, 82, 66], Finish::Matte).of(Semantic::Vegetation);
    let green = [rng.random_range(58..96), rng.random_range(92..124), rng.random_range(46..64)];
    let mut b = Builder::new(detail);
    b.tube(V3::zeros(), v3(0.05, 0.0, height * 0.48), 0.17, 0.10, 8, bark);
    let crown = height * rng.random_range(0.27..0.34);
    let middle = v3(0.0, 0.0, height * 0.66);
    let lumps: Vec<(V3, f32)> = (0..7)
        .map(|_| {
            let d = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-0.7..0.9));
            (middle + d * crown * 0.62, crown * rng.random_range(0.45..0.7))
        })
        .collect();
    for (centre, _) in lumps.iter().take(4) {
        b.tube(v3(0.05, 0.0, height * 0.42), *centre, 0.06, 0.03, 5, bark);
    }
    let (count, size) = if detail == Detail::Near { (62, 0.26..0.50) } else { (14, 0.6..1.05) };
    for (centre, radius) in &lumps {
        for _ in 0..count {
            let mut d = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
            while d.norm() > 1.0 || d.norm() < 0.1 {
                d = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
            }
            let d = d.normalize();
            let p = centre + d * *radius * rng.random_range(0.75..1.05);
            let tilt = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
            let u = (d + tilt * 0.7).cross(&tilt).try_normalize(1e-3).unwrap_or(v3(1.0, 0.0, 0.0))
                * rng.random_range(size.clone());
            let v = d.cross(&u) * rng.random_range(0.6..1.0f32);
            // Deep inside and below it is darker.
            let depth = ((p - middle).norm() / (crown * 1.2)).min(1.0);
            let tone = (0.42 + 0.50 * depth + 0.16 * d.z) * rng.random_range(0.82..1.15);
            let shade = (tone * 8.0).round() / 8.0;
            b.sheet(
                [p - u, p - v, p + u, p + v],
                Material::new(green, Finish::Leaves).of(Semantic::Vegetation).times(shade),
            );
        }
    }
    let mut mesh = b.build();
    // Leaves are lit as the crown's surface, not each by its own tilt.
    for vertex in &mut mesh.vertices {
        if vertex.position.z > height * 0.45 {
            let out = (vertex.position - middle).try_normalize(1e-3).unwrap_or(v3(0.0, 0.0, 1.0));
            vertex.normal = (out * 0.8 + vertex.normal * 0.35 * vertex.normal.dot(&out).signum()).normalize();
        }
    }
    mesh
}

/// A bush.
pub(super) fn bush(rng: &mut Pcg64Mcg) -> Mesh {
    let mut b = Builder::new(Detail::Near);
    for _ in 0..90 {
        let d = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-0.4..1.0))
            .try_normalize(1e-3)
            .unwrap_or(v3(0.0, 0.0, 1.0));
        let p = v3(0.0, 0.0, 0.42) + d.component_mul(&v3(0.75, 0.65, 0.45)) * rng.random_range(0.7..1.0);
        let tilt = v3(rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
        let u = d.cross(&tilt).try_normalize(1e-3).unwrap_or(v3(1.0, 0.0, 0.0)) * 0.17;
        let v = d.cross(&u);
        let tone = (0.65 + 0.35 * d.z) * rng.random_range(0.8..1.1);
        b.sheet(
            [p - u, p - v, p + u, p + v],
            Material::new([72, 104, 56], Finish::Leaves).of(Semantic::Vegetation).times((tone * 8.0).round() / 8.0),
        );
    }
    b.build()
}
