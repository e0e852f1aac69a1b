//! What lies or stands on the road: cargo, cones, barriers.

use super::super::mesh::{Builder, V3, v3};
use super::{Built, Look, Rig, matte};
use std::f32::consts::TAU;

pub(super) fn cargo(look: &mut Look) -> Built {
    let card = matte(look.pick(&[[176, 132, 84], [150, 112, 70], [190, 150, 104]]));
    let tape = matte([206, 184, 140]);
    let form = look.pick(&[0, 0, 1, 2]);
    let mut b = Builder::new(look.detail);
    match form {
        0 => {
            b.cuboid(v3(0.0, 0.0, 0.22), v3(0.95, 0.75, 0.44), card);
            b.cuboid(v3(0.0, 0.0, 0.22), v3(0.96, 0.08, 0.45), tape);
            b.cuboid(v3(0.12, 0.05, 0.53), v3(0.50, 0.46, 0.18), card.times(0.85));
        }
        1 => {
            // A pallet with sacks.
            let wood = matte([168, 138, 96]);
            for y in [-0.34, -0.17, 0.0, 0.17, 0.34] {
                b.cuboid(v3(0.0, y, 0.12), v3(1.0, 0.11, 0.03), wood);
            }
            for y in [-0.34, 0.0, 0.34] {
                b.cuboid(v3(0.0, y, 0.055), v3(1.0, 0.1, 0.09), wood.times(0.8));
            }
            for (x, y, z) in [(-0.22, -0.16, 0.24), (0.24, 0.14, 0.24), (0.02, 0.0, 0.44)] {
                b.ellipsoid(v3(x, y, z), v3(0.30, 0.24, 0.13), (10, 6), matte([206, 198, 180]));
            }
        }
        _ => {
            // A mattress that bends.
            for k in 0..6 {
                let x = -0.5 + k as f32 * 0.18;
                let lift = (k as f32 * 0.6).sin().abs() * 0.25;
                b.cuboid(v3(x, 0.0, 0.14 + lift), v3(0.20, 0.8, 0.20), matte([222, 216, 204]));
            }
            b.ellipsoid(v3(0.2, 0.1, 0.48), v3(0.28, 0.2, 0.1), (9, 5), matte([110, 130, 160]));
        }
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [1.0, 0.8, 0.60], lamps: None }
}

pub(super) fn cone(look: &mut Look) -> Built {
    let mut b = Builder::new(look.detail);
    b.cuboid(v3(0.0, 0.0, 0.02), v3(0.40, 0.40, 0.04), matte([40, 40, 42]));
    let sides = b.sides(12);
    let orange = matte([236, 84, 28]);
    let white = matte([238, 238, 236]);
    let ring = |z: f32| -> Vec<V3> {
        let r = 0.155 * (1.0 - z / 0.75) + 0.025;
        (0..=sides)
            .map(|i| {
                let (s, c) = (TAU * i as f32 / sides as f32).sin_cos();
                v3(c * r, s * r, z)
            })
            .collect()
    };
    for (z0, z1, material) in
        [(0.04, 0.24, orange), (0.24, 0.38, white), (0.38, 0.50, orange), (0.50, 0.61, white), (0.61, 0.75, orange)]
    {
        let (low, high) = (ring(z0), ring(z1));
        let quads: Vec<_> = (0..sides).map(|i| [low[i], low[i + 1], high[i + 1], high[i]]).collect();
        b.outward(&quads, v3(0.0, 0.0, (z0 + z1) / 2.0), material);
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [0.4, 0.4, 0.75], lamps: None }
}

pub(super) fn barrier(look: &mut Look) -> Built {
    let mut b = Builder::new(look.detail);
    let (red, white) = (matte([204, 32, 30]), matte([240, 240, 238]));
    // Stands across the road: its long side is the actor's length.
    for z in [0.45, 0.86] {
        for k in 0..8 {
            let x = -0.875 + k as f32 * 0.25;
            b.cuboid(v3(x, 0.0, z), v3(0.25, 0.05, 0.24), if k % 2 == 0 { red } else { white });
        }
    }
    for x in [-0.85, 0.85] {
        b.cuboid(v3(x, 0.0, 0.49), v3(0.05, 0.06, 0.98), matte([120, 122, 126]));
        b.cuboid(v3(x, 0.0, 0.05), v3(0.34, 0.40, 0.10), matte([44, 44, 46]));
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [2.0, 0.4, 0.98], lamps: None }
}
