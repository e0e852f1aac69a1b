//! Dogs and deer.

use super::super::material::Material;
use super::super::mesh::{Builder, v3};
use super::{Built, Look, Rig, matte};

/// Proportions that tell one animal from another.
struct Beast {
    scale: f32,
    /// Radii of the trunk and of legs.
    trunk: [f32; 2],
    leg: f32,
    neck: f32,
    antlers: bool,
}

fn beast(look: &Look, coat: Material, shape: &Beast) -> Built {
    let k = shape.scale;
    let mut b = Builder::new(look.detail);
    b.ellipsoid(v3(0.10, 0.0, 0.47) * k, v3(0.26, shape.trunk[0], shape.trunk[1]) * k, (11, 7), coat);
    b.ellipsoid(v3(-0.16, 0.0, 0.47) * k, v3(0.22, shape.trunk[0] * 0.92, shape.trunk[1] * 0.9) * k, (11, 7), coat);
    let poll = v3(0.44, 0.0, 0.62 + shape.neck);
    b.tube(v3(0.28, 0.0, 0.52) * k, poll * k, 0.085 * k, 0.062 * k, 8, coat);
    b.ellipsoid((poll + v3(0.03, 0.0, 0.03)) * k, v3(0.095, 0.068, 0.075) * k, (9, 6), coat.times(0.95));
    b.tube(
        (poll + v3(0.08, 0.0, 0.01)) * k,
        (poll + v3(0.18, 0.0, -0.02)) * k,
        0.045 * k,
        0.032 * k,
        7,
        coat.times(0.85),
    );
    b.ellipsoid((poll + v3(0.205, 0.0, -0.012)) * k, v3(0.018, 0.022, 0.018) * k, (6, 4), matte([20, 20, 20]));
    for y in [-1.0f32, 1.0] {
        b.ellipsoid((poll + v3(0.0, y * 0.055, 0.10)) * k, v3(0.02, 0.03, 0.06) * k, (6, 4), coat.times(0.8));
        if shape.antlers {
            let base = poll + v3(0.0, y * 0.03, 0.10);
            b.tube(base * k, (base + v3(-0.06, y * 0.10, 0.22)) * k, 0.014 * k, 0.008 * k, 5, matte([150, 124, 92]));
            b.tube(
                (base + v3(-0.02, y * 0.05, 0.10)) * k,
                (base + v3(0.08, y * 0.08, 0.18)) * k,
                0.010 * k,
                0.006 * k,
                5,
                matte([150, 124, 92]),
            );
        }
    }
    let (from, to) = if shape.antlers {
        (v3(-0.36, 0.0, 0.50), v3(-0.42, 0.0, 0.46))
    } else {
        (v3(-0.34, 0.0, 0.50), v3(-0.54, 0.0, 0.66))
    };
    b.tube(from * k, to * k, 0.034 * k, 0.018 * k, 6, if shape.antlers { matte([220, 212, 196]) } else { coat });
    for (leg, y) in [0.075, -0.075, 0.075, -0.075].into_iter().enumerate() {
        b.bone = 2 + leg as u8;
        let bend = if leg < 2 { 0.015 } else { -0.03 };
        b.tube(v3(0.0, y, 0.02) * k, v3(bend, y, -0.20) * k, shape.leg * 1.5 * k, shape.leg * k, 7, coat);
        b.tube(
            v3(bend, y, -0.20) * k,
            v3(0.0, y, -0.385) * k,
            shape.leg * k,
            shape.leg * 0.75 * k,
            7,
            coat.times(0.85),
        );
        b.bone = 0;
    }
    let top = (0.62 + shape.neck + if shape.antlers { 0.34 } else { 0.19 }) * k;
    Built { mesh: b.build(), rig: Rig::Quadruped { scale: k }, size: [1.0 * k, 0.26 * k, top], lamps: None }
}

pub(super) fn dog(look: &mut Look) -> Built {
    let coat = matte(look.pick(&[
        [64, 46, 34],
        [152, 114, 72],
        [36, 34, 34],
        [216, 208, 192],
        [122, 86, 56],
        [98, 92, 88],
        [190, 150, 96],
    ]));
    beast(look, coat, &Beast { scale: 0.80, trunk: [0.125, 0.145], leg: 0.036, neck: 0.06, antlers: false })
}

pub(super) fn deer(look: &mut Look) -> Built {
    let coat = matte(look.pick(&[[142, 100, 64], [124, 88, 58], [156, 116, 78]]));
    beast(look, coat, &Beast { scale: 1.55, trunk: [0.115, 0.135], leg: 0.026, neck: 0.16, antlers: true })
}
