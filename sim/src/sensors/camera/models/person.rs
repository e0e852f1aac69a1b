//! People on foot and in wheelchairs.

use super::super::material::Material;
use super::super::mesh::{Affine, Builder, V3, WheelLook, v3};
use super::{
    Built, CLOTHES, HAIRS, Look, PAINTS, Rig, SHIN, SKINS, THIGH, TROUSERS, dark, matte, metal, paint, rubber,
};
use std::f32::consts::{PI, TAU};

/// Height of the hip joint, metres, of a person of 1.75 m.
const HIP: f32 = 0.90;
const SHOULDER: f32 = 1.40;
const UPPER_ARM: f32 = 0.29;

/// What somebody wears.
pub(super) struct Outfit {
    pub(super) top: Material,
    pub(super) trousers: Material,
    pub(super) skin: Material,
    pub(super) hair: Material,
    pub(super) shoes: Material,
    pub(super) bare_arms: bool,
    pub(super) bare_legs: bool,
    pub(super) long_hair: bool,
}

pub(super) fn outfit(look: &mut Look) -> Outfit {
    let shade = look.between(0.75, 1.15);
    Outfit {
        top: matte(look.pick(&CLOTHES)).times(shade),
        trousers: matte(look.pick(&TROUSERS)),
        skin: matte(look.pick(&SKINS)),
        hair: matte(look.pick(&HAIRS)),
        shoes: matte(look.pick(&[[30, 28, 28], [60, 48, 40], [220, 218, 214], [90, 90, 94]])),
        bare_arms: look.chance(0.35),
        bare_legs: look.chance(0.15),
        long_hair: look.chance(0.4),
    }
}

/// Upper arm, forearm, thigh and shin with foot, each hanging from the origin of its bone; `side` 0 is left. `k` scales.
pub(super) fn limbs(b: &mut Builder, o: &Outfit, side: usize, k: f32, arms: bool) {
    let y = if side == 0 { 1.0 } else { -1.0 };
    let end = |z: f32| v3(0.0, 0.0, -z * k);
    if arms {
        b.bone = 2 + side as u8;
        b.tube(v3(0.0, y * 0.205, 0.0) * k, v3(0.0, y * 0.225, -UPPER_ARM) * k, 0.053 * k, 0.044 * k, 7, o.top);
        b.bone = 4 + side as u8;
        let sleeve = if o.bare_arms { o.skin } else { o.top };
        b.tube(v3(0.0, y * 0.225, 0.0) * k, v3(0.02, y * 0.21, -0.25) * k, 0.043 * k, 0.033 * k, 7, sleeve);
        b.ellipsoid(v3(0.03, y * 0.21, -0.31) * k, v3(0.040, 0.025, 0.062) * k, (6, 4), o.skin);
    }
    let hip = v3(0.0, y * 0.088, 0.0) * k;
    b.bone = 6 + side as u8;
    b.tube(hip, hip + end(THIGH), 0.088 * k, 0.060 * k, 8, o.trousers);
    b.bone = 8 + side as u8;
    b.tube(hip, hip + end(SHIN - 0.03), 0.060 * k, 0.043 * k, 8, if o.bare_legs { o.skin } else { o.trousers });
    b.ellipsoid(hip + v3(0.065 * k, 0.0, -(SHIN - 0.005) * k), v3(0.135, 0.05, 0.055) * k, (8, 4), o.shoes);
    b.bone = 0;
}

/// Trunk and neck between a hip and a shoulder point.
pub(super) fn trunk(b: &mut Builder, o: &Outfit, hip: V3, shoulder: V3, k: f32) {
    let rings = if b.near() { 10 } else { 7 };
    let sides = b.sides(12);
    // Breadths from the hips over the waist to the shoulders.
    let shape = [
        (0.0, 0.165, 0.115),
        (0.18, 0.165, 0.118),
        (0.45, 0.155, 0.108),
        (0.70, 0.185, 0.122),
        (0.88, 0.195, 0.115),
        (0.97, 0.165, 0.09),
        (1.04, 0.075, 0.06),
    ];
    let axis = shoulder - hip;
    let forward = v3(axis.z, 0.0, -axis.x).normalize();
    let ring = |t: f32| -> Vec<V3> {
        let at = shape.windows(2).find(|p| t <= p[1].0).unwrap_or(&shape[5..7]);
        let f = ((t - at[0].0) / (at[1].0 - at[0].0)).clamp(0.0, 1.0);
        let (wide, deep) = (at[0].1 + (at[1].1 - at[0].1) * f, at[0].2 + (at[1].2 - at[0].2) * f);
        (0..=sides)
            .map(|i| {
                let (s, c) = (TAU * i as f32 / sides as f32).sin_cos();
                hip + axis * t + v3(0.0, c * wide * k, 0.0) + forward * (s * deep * k)
            })
            .collect()
    };
    let rows: Vec<_> = (0..=rings).map(|i| ring(1.04 * i as f32 / rings as f32)).collect();
    let mut quads = Vec::new();
    for pair in rows.windows(2) {
        for i in 0..sides {
            quads.push([pair[0][i], pair[0][i + 1], pair[1][i + 1], pair[1][i]]);
        }
    }
    let bottom = &rows[0];
    for i in 0..sides {
        quads.push([bottom[i], bottom[i + 1], hip, hip]);
    }
    let (waist, from_hip) = (sides * 2, o.trousers);
    b.outward_with(&quads, (hip + shoulder) * 0.5, |q| if q < waist.min(sides) { from_hip } else { o.top });
    b.tube(shoulder + axis * 0.0, shoulder + axis.normalize() * 0.13 * k, 0.052 * k, 0.048 * k, 7, o.skin);
}

/// A head whose middle is at `c`: hair, and a face where one can see it.
pub(super) fn head(b: &mut Builder, o: &Outfit, c: V3, k: f32, helmet: Option<Material>) {
    let r = v3(0.100, 0.078, 0.122) * k;
    let (skin, hair) = (o.skin, o.hair);
    b.ellipsoid_with(c, r, (12, 9), |d| {
        if helmet.is_none() && (d.z > 0.50 || (d.x < 0.05 && d.z > -0.25)) { hair } else { skin }
    });
    match helmet {
        Some(material) => b.ellipsoid(c + v3(-0.012, 0.0, 0.045) * k, v3(0.132, 0.108, 0.105) * k, (12, 6), material),
        None => b.ellipsoid(c + v3(-0.018, 0.0, 0.030) * k, v3(0.094, 0.086, 0.104) * k, (10, 6), hair),
    }
    if o.long_hair && helmet.is_none() {
        b.ellipsoid(c + v3(-0.055, 0.0, -0.06) * k, v3(0.062, 0.085, 0.15) * k, (8, 5), hair);
    }
    if !b.near() {
        return;
    }
    let at = |x: f32, y: f32, z: f32| c + v3(x, y, z) * k;
    let eye_white = matte([236, 234, 230]);
    let pupil = matte([40, 30, 26]);
    let mut patch = |y: f32, z: f32, wide: f32, high: f32, lift: f32, material: Material| {
        // On the ovoid, a little in front of it.
        let reach = |y: f32, z: f32| 0.100 * (1.0 - (y / 0.078).powi(2) - (z / 0.122).powi(2)).max(0.02).sqrt() + lift;
        let q = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(a, e)| {
            let (py, pz) = (y + a * wide, z + e * high);
            at(reach(py, pz), py, pz)
        });
        b.panel(q, material);
    };
    for side in [-1.0, 1.0] {
        patch(side * 0.030, 0.016, 0.030, 0.015, 0.004, eye_white);
        patch(side * 0.029, 0.016, 0.013, 0.014, 0.006, pupil);
        patch(side * 0.031, 0.036, 0.036, 0.007, 0.005, hair.times(0.8));
    }
    patch(0.0, -0.058, 0.046, 0.011, 0.004, matte([166, 84, 78]));
    let (tip, root) = (at(0.122, 0.0, -0.022), at(0.094, 0.0, 0.020));
    let (l, r) = (at(0.094, 0.017, -0.030), at(0.094, -0.017, -0.030));
    b.outward(&[[root, tip, l, l], [root, r, tip, tip], [l, tip, r, r]], at(0.06, 0.0, 0.0), skin);
    for side in [-1.0, 1.0] {
        b.ellipsoid(at(-0.005, side * 0.079, 0.0), v3(0.022, 0.010, 0.032) * k, (6, 4), skin);
    }
}

fn walker(look: &mut Look, k: f32, head_k: f32, child: bool) -> Built {
    let o = outfit(look);
    let skirt = look.chance(0.14);
    let coat = !skirt && look.chance(0.22);
    let bag = look.pick(&[0, 0, 0, 1, 1, 2]);
    let bag_look = paint(look.pick(&PAINTS)).times(0.9);
    let hat = look.chance(0.12).then(|| matte(look.pick(&CLOTHES)));
    let mut b = Builder::new(look.detail);
    let (hip, shoulder) = (v3(0.0, 0.0, HIP - 0.02) * k, v3(0.015, 0.0, SHOULDER + 0.01) * k);
    b.bone = 1;
    trunk(&mut b, &o, hip, shoulder, k);
    head(&mut b, &o, v3(0.035 * k, 0.0, shoulder.z + 0.205 * k * (0.35 + 0.65 * head_k / k)), head_k, None);
    if let Some(hat) = hat {
        let top = v3(0.03 * k, 0.0, shoulder.z + 0.26 * head_k);
        b.ellipsoid(top, v3(0.112, 0.098, 0.085) * head_k, (9, 4), hat);
    }
    if skirt || coat {
        let (low, wide) = if skirt { (0.50, 0.24) } else { (0.62, 0.205) };
        let (sides, stuff) = (b.sides(12), if skirt { o.trousers } else { o.top });
        let ring = |z: f32, r: f32| -> Vec<V3> {
            (0..=sides)
                .map(|i| {
                    let (s, c) = (TAU * i as f32 / sides as f32).sin_cos();
                    v3(s * r * 0.78, c * r, z) * k
                })
                .collect()
        };
        let (upper, lower) = (ring(1.02, 0.168), ring(low, wide));
        let quads: Vec<_> = (0..sides).map(|i| [upper[i], upper[i + 1], lower[i + 1], lower[i]]).collect();
        b.outward(&quads, v3(0.0, 0.0, 0.8) * k, stuff);
    }
    match bag {
        1 => b.ellipsoid(v3(-0.175, 0.0, 1.20) * k, v3(0.095, 0.15, 0.21) * k, (9, 6), bag_look),
        2 => b.cuboid(v3(0.02, -0.24, 0.86) * k, v3(0.26, 0.09, 0.24) * k, bag_look),
        _ => {}
    }
    b.bone = 0;
    for side in 0..2 {
        limbs(&mut b, &o, side, k, true);
    }
    let height = 1.75 * k * 0.35 + shoulder.z * 0.65 + if child { 0.31 * head_k } else { 0.325 * k } * 0.65;
    Built { mesh: b.build(), rig: Rig::Walker { scale: k }, size: [0.4, 0.55 * k, height], lamps: None }
}

pub(super) fn adult(look: &mut Look) -> Built {
    walker(look, 1.0, 1.0, false)
}

pub(super) fn child(look: &mut Look) -> Built {
    walker(look, 0.64, 0.80, true)
}

/// Bones of a walker.
pub(super) fn walk(bones: &mut [Affine], distance_m: f64, speed: f32, k: f32) {
    // Two steps; faster people take longer ones.
    let stride = (0.9 + 0.45 * speed.min(3.0)) * k;
    let phase = ((distance_m / f64::from(stride)).rem_euclid(1.0) as f32) * TAU;
    let effort = (speed / 1.2).clamp(0.0, 1.6);
    let swing = 0.40 * effort.min(1.3) + 0.015;
    let mut lowest = f32::MAX;
    let mut legs = [(0.0, 0.0); 2];
    for (side, leg) in legs.iter_mut().enumerate() {
        let turn = phase + PI * side as f32;
        let thigh = swing * turn.sin() + 0.03;
        let bend = (0.95 * effort.min(1.3) * (turn + 0.35).cos().max(0.0).powi(2) * 0.9 + 0.06).min(1.5);
        *leg = (thigh, thigh - bend);
        lowest = lowest.min(-(THIGH * thigh.cos() + SHIN * (thigh - bend).cos()));
    }
    let up = (-lowest + 0.05) * k;
    let lean = 0.03 + 0.03 * effort;
    let torso =
        Affine::hinge(-lean, V3::zeros()).then(&Affine { shift: v3(0.0, 0.0, up - HIP * k), ..Affine::identity() });
    bones[1] = torso;
    for (side, (thigh, shin)) in legs.into_iter().enumerate() {
        bones[6 + side] = Affine::hinge(thigh, v3(0.0, 0.0, up));
        let knee = v3(thigh.sin() * THIGH, 0.0, up / k - thigh.cos() * THIGH) * k;
        bones[8 + side] = Affine::hinge(shin, knee);
        let arm = -0.85 * (thigh - 0.03) + 0.02;
        let shoulder = torso.apply(v3(0.015, 0.0, SHOULDER - 0.02) * k);
        bones[2 + side] = Affine::hinge(arm, shoulder);
        let elbow = shoulder + v3(arm.sin(), 0.0, -arm.cos()) * (UPPER_ARM * k);
        bones[4 + side] = Affine::hinge(arm + 0.20 + 0.35 * effort.min(1.6) * 0.6, elbow);
    }
}

/// A person in a wheelchair.
pub(super) fn wheelchair(look: &mut Look) -> Built {
    let o = outfit(look);
    let mut b = Builder::new(look.detail);
    let frame = metal([90, 92, 96]);
    let looks = WheelLook { tyre: rubber(), rim: frame, gap: dark() };
    for y in [-0.29, 0.29] {
        b.wheel(-0.12, y, 0.30, 0.04, &looks);
        b.wheel(0.36, y * 0.8, 0.09, 0.035, &looks);
        b.tube(v3(-0.30, y * 0.85, 0.50), v3(-0.34, y * 0.85, 0.95), 0.015, 0.015, 5, frame);
        b.tube(v3(-0.34, y * 0.85, 0.95), v3(-0.44, y * 0.85, 0.96), 0.018, 0.018, 5, rubber());
        b.tube(v3(-0.30, y * 0.85, 0.50), v3(0.32, y * 0.85, 0.50), 0.015, 0.015, 5, frame);
        b.tube(v3(0.32, y * 0.85, 0.50), v3(0.46, y * 0.7, 0.12), 0.015, 0.015, 5, frame);
    }
    b.cuboid(v3(0.0, 0.0, 0.49), v3(0.44, 0.44, 0.06), dark());
    b.cuboid(v3(-0.27, 0.0, 0.74), v3(0.05, 0.44, 0.44), dark());
    let (hip, shoulder) = (v3(-0.13, 0.0, 0.58), v3(-0.17, 0.0, 1.07));
    trunk(&mut b, &o, hip, shoulder, 1.0);
    head(&mut b, &o, v3(-0.13, 0.0, 1.285), 1.0, None);
    for y in [-1.0f32, 1.0] {
        b.tube(v3(-0.10, y * 0.10, 0.58), v3(0.32, y * 0.10, 0.60), 0.085, 0.06, 7, o.trousers);
        b.tube(v3(0.32, y * 0.10, 0.60), v3(0.42, y * 0.10, 0.20), 0.06, 0.045, 7, o.trousers);
        b.ellipsoid(v3(0.48, y * 0.10, 0.13), v3(0.12, 0.05, 0.05), (7, 4), o.shoes);
        b.tube(v3(-0.17, y * 0.20, 1.03), v3(-0.20, y * 0.29, 0.78), 0.05, 0.044, 7, o.top);
        b.tube(
            v3(-0.20, y * 0.29, 0.78),
            v3(0.02, y * 0.30, 0.64),
            0.042,
            0.034,
            7,
            if o.bare_arms { o.skin } else { o.top },
        );
        b.ellipsoid(v3(0.06, y * 0.30, 0.63), v3(0.05, 0.028, 0.03), (6, 4), o.skin);
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [1.1, 0.65, 1.40], lamps: None }
}
