//! Bicycles, cargo bikes, e-scooters and motorcycles with their riders.

use super::super::material::{Finish, Lamp, Material};
use super::super::mesh::{Builder, Detail, V3, WheelLook, v3};
use super::car::lamp;
use super::person::{Outfit, head, limbs, outfit, trunk};
use super::{Built, Look, PAINTS, Rig, dark, matte, metal, paint, rubber};
use std::f32::consts::TAU;

/// A thin spoked wheel in the x–z plane, seen from both sides.
fn hoop(b: &mut Builder, x: f32, radius: f32, thick: f32) {
    let sides = b.sides(20);
    let centre = v3(x, 0.0, radius);
    let ring = |r: f32, y: f32| -> Vec<V3> {
        (0..=sides)
            .map(|i| {
                let (s, c) = (TAU * i as f32 / sides as f32).sin_cos();
                centre + v3(c * r, y, s * r)
            })
            .collect()
    };
    let tyre = rubber();
    let (outer, inner, left, right) = (
        ring(radius, 0.0),
        ring(radius - thick, 0.0),
        ring(radius - thick * 0.5, 0.022),
        ring(radius - thick * 0.5, -0.022),
    );
    for (side, y) in [(&left, 1.0), (&right, -1.0)] {
        let mut quads = Vec::new();
        for i in 0..sides {
            quads.push([outer[i], outer[i + 1], side[i + 1], side[i]]);
            quads.push([side[i], side[i + 1], inner[i + 1], inner[i]]);
        }
        b.outward(&quads, centre - v3(0.0, y, 0.0), tyre);
    }
    if b.near() {
        let spoke = metal([150, 152, 154]);
        for k in 0..6 {
            let (s, c) = (TAU * k as f32 / 12.0).sin_cos();
            let d = v3(c, 0.0, s) * (radius - thick);
            let n = v3(-s, 0.0, c) * 0.006;
            b.sheet([centre - d - n, centre + d - n, centre + d + n, centre - d + n], spoke);
        }
    }
}

fn rods(b: &mut Builder, pairs: &[(V3, V3)], radius: f32, material: Material) {
    for (from, to) in pairs {
        b.tube(*from, *to, radius, radius, 6, material);
    }
}

/// Where a rider's body is: hip, shoulder, hands (x, z) and how wide the handlebar is.
struct Seat {
    hip: [f32; 2],
    shoulder: [f32; 2],
    hand: [f32; 3],
}

/// Trunk, head and arms of a rider.
fn rider(b: &mut Builder, o: &Outfit, seat: &Seat, helmet: Option<Material>) {
    let (hip, shoulder) = (v3(seat.hip[0], 0.0, seat.hip[1]), v3(seat.shoulder[0], 0.0, seat.shoulder[1]));
    trunk(b, o, hip - v3(0.0, 0.0, 0.03), shoulder, 1.0);
    let up = (shoulder - hip).normalize();
    head(b, o, shoulder + up * 0.10 + v3(0.055, 0.0, 0.125), 1.0, helmet);
    for y in [-1.0f32, 1.0] {
        let joint = shoulder + v3(0.0, y * 0.195, -0.02);
        let hand = v3(seat.hand[0], y * seat.hand[1], seat.hand[2]);
        let elbow = (joint + hand) * 0.5 + v3(-0.03, y * 0.06, -0.06);
        b.tube(joint, elbow, 0.052, 0.043, 7, o.top);
        b.tube(elbow, hand, 0.042, 0.033, 7, if o.bare_arms { o.skin } else { o.top });
        b.ellipsoid(hand, v3(0.05, 0.032, 0.032), (6, 4), o.skin);
    }
}

/// A leg that does not move: from hip to foot over a knee.
fn still_leg(b: &mut Builder, o: &Outfit, hip: V3, knee: V3, foot: V3) {
    b.tube(hip, knee, 0.085, 0.060, 8, o.trousers);
    b.tube(knee, foot, 0.060, 0.043, 8, if o.bare_legs { o.skin } else { o.trousers });
    b.ellipsoid(foot + v3(0.065, 0.0, -0.03), v3(0.135, 0.05, 0.05), (8, 4), o.shoes);
}

fn helmet(look: &mut Look, share: f64) -> Option<Material> {
    look.chance(share).then(|| paint(look.pick(&PAINTS)))
}

/// Bottom bracket and crank of every bicycle here.
const BRACKET: [f32; 2] = [-0.07, 0.29];
const CRANK: f32 = 0.17;

fn pedals(b: &mut Builder) {
    b.bone = 10;
    for (y, s) in [(0.10f32, 1.0f32), (-0.10, -1.0)] {
        b.tube(v3(0.0, y * 0.8, 0.0), v3(s * CRANK, y, 0.0), 0.014, 0.012, 5, metal([70, 72, 76]));
        b.cuboid(v3(s * CRANK, y * 1.3, 0.0), v3(0.09, 0.08, 0.02), dark());
    }
    b.bone = 0;
}

pub(super) fn bicycle(look: &mut Look) -> Built {
    let o = outfit(look);
    let frame = paint(look.pick(&PAINTS));
    let sporty = look.between(0.14, 0.36);
    let helmet = helmet(look, 0.5);
    let step_through = look.chance(0.4);
    let basket = look.chance(0.3);
    let mut b = Builder::new(look.detail);
    for x in [-0.53, 0.53] {
        hoop(&mut b, x, 0.34, 0.055);
    }
    let (bb, seat, joint) = (v3(BRACKET[0], 0.0, BRACKET[1]), v3(-0.24, 0.0, 0.90), v3(0.36, 0.0, 0.80));
    let axle = v3(-0.53, 0.0, 0.34);
    let cross = if step_through { (v3(-0.13, 0.0, 0.45), v3(0.36, 0.0, 0.70)) } else { (v3(-0.19, 0.0, 0.76), joint) };
    rods(
        &mut b,
        &[(axle, bb), (axle, v3(-0.19, 0.0, 0.76)), (bb, seat), (bb, joint - v3(0.0, 0.0, 0.08)), cross],
        0.021,
        frame,
    );
    rods(&mut b, &[(v3(0.34, 0.0, 0.98), joint), (joint, v3(0.53, 0.0, 0.34))], 0.020, frame);
    rods(&mut b, &[(v3(0.36, -0.27, 1.01), v3(0.36, 0.27, 1.01))], 0.016, dark());
    b.cuboid(v3(-0.25, 0.0, 0.93), v3(0.26, 0.14, 0.05), dark());
    if basket {
        b.cuboid(v3(0.52, 0.0, 0.90), v3(0.28, 0.34, 0.22), matte([120, 92, 58]));
    }
    if b.detail != Detail::Shadow {
        b.decal(0.47, 0.0, 0.74, 0.06, 0.06, lamp([230, 232, 234], Lamp::Head));
        b.decal(-0.72, 0.0, 0.62, 0.07, 0.05, lamp([170, 20, 22], Lamp::Tail));
        pedals(&mut b);
    }
    let hip = [-0.23, 0.985];
    rider(
        &mut b,
        &o,
        &Seat { hip, shoulder: [-0.23 + sporty, 1.48 - sporty * 0.12], hand: [0.34, 0.24, 1.04] },
        helmet,
    );
    for side in 0..2 {
        limbs(&mut b, &o, side, 1.0, false);
    }
    Built {
        mesh: b.build(),
        rig: Rig::Pedaller { hip, bracket: BRACKET, crank: CRANK },
        size: [1.8, 0.6, 1.80],
        lamps: Some([0.5, 0.0, 0.77]),
    }
}

pub(super) fn cargo_bike(look: &mut Look) -> Built {
    let o = outfit(look);
    let frame = paint(look.pick(&PAINTS));
    let case = matte(look.pick(&[[120, 92, 58], [40, 42, 46], [46, 96, 158], [60, 134, 84], [204, 160, 44]]));
    let helmet = helmet(look, 0.5);
    let child = look.chance(0.4);
    let mut b = Builder::new(look.detail);
    hoop(&mut b, -0.90, 0.33, 0.055);
    hoop(&mut b, 0.98, 0.26, 0.05);
    let shift = v3(-0.37, 0.0, 0.0);
    let (bb, seat, joint) = (v3(BRACKET[0], 0.0, BRACKET[1]) + shift, v3(-0.61, 0.0, 0.90), v3(0.0, 0.0, 0.72));
    let axle = v3(-0.90, 0.0, 0.33);
    rods(
        &mut b,
        &[
            (axle, bb),
            (axle, v3(-0.56, 0.0, 0.76)),
            (bb, seat),
            (bb, joint),
            (v3(-0.52, 0.0, 0.60), joint),
            (joint, v3(0.05, 0.0, 0.26)),
            (v3(0.0, 0.0, 0.26), v3(0.98, 0.0, 0.26)),
            (v3(-0.02, 0.0, 1.0), joint),
        ],
        0.024,
        frame,
    );
    rods(&mut b, &[(v3(-0.02, -0.30, 1.03), v3(-0.02, 0.30, 1.03))], 0.016, dark());
    b.cuboid(v3(0.47, 0.0, 0.52), v3(0.80, 0.60, 0.50), case);
    b.cuboid(v3(0.47, 0.0, 0.775), v3(0.82, 0.62, 0.03), case.times(0.6));
    b.cuboid(v3(-0.62, 0.0, 0.93), v3(0.26, 0.14, 0.05), dark());
    if child {
        let small = outfit(look);
        trunk(&mut b, &small, v3(0.40, 0.0, 0.62), v3(0.38, 0.0, 0.98), 0.66);
        let cap = paint(look.pick(&PAINTS));
        head(&mut b, &small, v3(0.41, 0.0, 1.14), 0.80, Some(cap));
    }
    if b.detail != Detail::Shadow {
        b.decal(0.90, 0.0, 0.50, 0.08, 0.08, lamp([230, 232, 234], Lamp::Head));
        b.decal(-1.10, 0.0, 0.62, 0.07, 0.05, lamp([170, 20, 22], Lamp::Tail));
    }
    let bracket = [BRACKET[0] - 0.37, BRACKET[1]];
    if b.detail != Detail::Shadow {
        pedals(&mut b);
    }
    let hip = [-0.60, 0.985];
    rider(&mut b, &o, &Seat { hip, shoulder: [-0.42, 1.47], hand: [-0.04, 0.27, 1.06] }, helmet);
    for side in 0..2 {
        limbs(&mut b, &o, side, 1.0, false);
    }
    Built {
        mesh: b.build(),
        rig: Rig::Pedaller { hip, bracket, crank: CRANK },
        size: [2.5, 0.85, 1.80],
        lamps: Some([0.95, 0.0, 0.5]),
    }
}

pub(super) fn e_scooter(look: &mut Look) -> Built {
    let o = outfit(look);
    let deck = paint(look.pick(&[[34, 36, 38], [60, 160, 110], [220, 220, 220], [230, 120, 40], [120, 200, 60]]));
    let helmet = helmet(look, 0.25);
    let mut b = Builder::new(look.detail);
    for x in [-0.45, 0.46] {
        hoop(&mut b, x, 0.115, 0.06);
    }
    b.cuboid(v3(-0.02, 0.0, 0.14), v3(0.78, 0.16, 0.06), deck);
    rods(&mut b, &[(v3(0.46, 0.0, 0.12), v3(0.37, 0.0, 1.10))], 0.027, deck);
    rods(&mut b, &[(v3(0.37, -0.24, 1.11), v3(0.37, 0.24, 1.11))], 0.018, dark());
    if b.detail != Detail::Shadow {
        b.decal(0.42, 0.0, 0.92, 0.06, 0.06, lamp([230, 232, 234], Lamp::Head));
        b.decal(-0.56, 0.0, 0.20, 0.08, 0.05, lamp([170, 20, 22], Lamp::Tail));
    }
    rider(&mut b, &o, &Seat { hip: [-0.07, 1.05], shoulder: [-0.01, 1.55], hand: [0.36, 0.22, 1.14] }, helmet);
    still_leg(&mut b, &o, v3(-0.07, 0.085, 1.03), v3(0.03, 0.09, 0.63), v3(0.06, 0.05, 0.24));
    still_leg(&mut b, &o, v3(-0.07, -0.085, 1.03), v3(-0.10, -0.09, 0.62), v3(-0.20, -0.05, 0.24));
    Built { mesh: b.build(), rig: Rig::Rigid, size: [1.2, 0.55, 1.90], lamps: Some([0.45, 0.0, 0.95]) }
}

pub(super) fn motorcycle(look: &mut Look) -> Built {
    let o = outfit(look);
    let body = paint(look.pick(&PAINTS));
    let moped = look.chance(0.5);
    let case = look.chance(0.5).then(|| paint(look.pick(&PAINTS)));
    let hat = paint(look.pick(&PAINTS));
    let mut b = Builder::new(look.detail);
    let rim = WheelLook { tyre: rubber(), rim: metal([130, 132, 136]), gap: matte([24, 24, 26]) };
    let radius = if moped { 0.25 } else { 0.31 };
    for x in [-0.66, 0.68] {
        for y in [-0.04, 0.04] {
            b.wheel(x, y, radius, 0.08, &rim);
        }
    }
    if moped {
        b.ellipsoid(v3(-0.42, 0.0, 0.56), v3(0.44, 0.19, 0.24), (10, 6), body);
        b.cuboid(v3(0.10, 0.0, 0.30), v3(0.48, 0.34, 0.06), dark());
        b.sheet([v3(0.34, -0.22, 0.34), v3(0.34, 0.22, 0.34), v3(0.44, 0.20, 0.92), v3(0.44, -0.20, 0.92)], body);
        b.ellipsoid(v3(0.48, 0.0, 0.92), v3(0.14, 0.17, 0.15), (9, 6), body);
    } else {
        b.ellipsoid(v3(0.12, 0.0, 0.80), v3(0.34, 0.17, 0.16), (10, 6), body);
        b.cuboid(v3(-0.02, 0.0, 0.48), v3(0.60, 0.30, 0.36), metal([70, 70, 74]));
        b.ellipsoid(v3(0.56, 0.0, 0.90), v3(0.17, 0.18, 0.20), (9, 6), body);
        b.ellipsoid(v3(-0.70, 0.0, 0.72), v3(0.26, 0.12, 0.10), (8, 5), body);
    }
    b.ellipsoid(v3(-0.42, 0.0, 0.80), v3(0.40, 0.15, 0.08), (9, 5), dark());
    rods(
        &mut b,
        &[(v3(0.68, 0.07, radius), v3(0.48, 0.07, 0.95)), (v3(0.68, -0.07, radius), v3(0.48, -0.07, 0.95))],
        0.032,
        metal([120, 122, 126]),
    );
    rods(&mut b, &[(v3(0.44, -0.36, 1.02), v3(0.44, 0.36, 1.02))], 0.020, dark());
    rods(&mut b, &[(v3(-0.2, -0.16, 0.32), v3(-0.85, -0.18, 0.40))], 0.05, metal([130, 132, 136]));
    if let Some(case) = case {
        b.cuboid(v3(-0.80, 0.0, 1.02), v3(0.38, 0.42, 0.34), case);
    }
    if b.detail != Detail::Shadow {
        b.decal(0.745, 0.0, 0.86, 0.17, 0.14, lamp([236, 238, 240], Lamp::Head));
        b.decal(-0.965, 0.0, 0.72, 0.16, 0.08, lamp([170, 20, 22], Lamp::Tail));
        b.decal(-0.975, 0.0, 0.50, 0.18, 0.14, Material::new([228, 228, 222], Finish::Plate(look.number)));
        for y in [-1.0f32, 1.0] {
            b.ellipsoid(v3(0.40, y * 0.36, 1.16), v3(0.03, 0.06, 0.04), (6, 4), dark());
        }
    }
    rider(&mut b, &o, &Seat { hip: [-0.30, 0.90], shoulder: [-0.12, 1.41], hand: [0.42, 0.32, 1.05] }, Some(hat));
    for y in [-1.0f32, 1.0] {
        still_leg(&mut b, &o, v3(-0.28, y * 0.12, 0.90), v3(0.14, y * 0.20, 0.74), v3(-0.02, y * 0.22, 0.36));
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [2.1, 0.8, 1.72], lamps: Some([0.74, 0.0, 0.92]) }
}
