//! Cars of several bodies, and vans.

use super::super::material::{Finish, Lamp, Material};
use super::super::mesh::{Builder, Detail, WheelLook, v3};
use super::{Built, Look, PAINTS, Rig, body_section, dark, glass, matte, metal, mirrored, paint, rubber};
use std::f32::consts::PI;

/// A car's body: sizes, and where its greenhouse begins and ends as shares of the length.
struct Body {
    length: f32,
    width: f32,
    height: f32,
    /// Base of the rear window, rear end of the roof, front end of the roof, base of the windscreen.
    cuts: [f32; 4],
    /// Height of the boot as a share of the belt.
    boot: f32,
    bonnet: f32,
    clearance: f32,
}

const HATCH: Body =
    Body { length: 3.95, width: 1.74, height: 1.48, cuts: [-0.488, -0.40, 0.03, 0.235], boot: 0.97, bonnet: 0.93, clearance: 0.17 };
const SALOON: Body =
    Body { length: 4.65, width: 1.82, height: 1.44, cuts: [-0.375, -0.215, 0.055, 0.225], boot: 1.0, bonnet: 0.90, clearance: 0.16 };
const ESTATE: Body =
    Body { length: 4.65, width: 1.82, height: 1.48, cuts: [-0.492, -0.43, 0.055, 0.225], boot: 0.98, bonnet: 0.90, clearance: 0.16 };
const SUV: Body =
    Body { length: 4.45, width: 1.86, height: 1.67, cuts: [-0.488, -0.41, 0.05, 0.225], boot: 0.97, bonnet: 0.95, clearance: 0.21 };

pub(super) fn lamp(rgb: [u8; 3], lamp: Lamp) -> Material {
    Material::new(rgb, Finish::Lamp(lamp))
}

pub(super) fn wheel_look(look: &mut Look) -> WheelLook {
    let rim = metal(look.pick(&[[172, 174, 178], [150, 152, 156], [196, 198, 200], [70, 72, 76]]));
    WheelLook { tyre: rubber(), rim, gap: matte([24, 24, 26]) }
}

/// The dark wheel arch on a side at `y`.
pub(super) fn arch(b: &mut Builder, x: f32, y: f32, radius: f32, height: f32) {
    let sides = b.sides(9);
    let at = |k: usize| {
        let (s, c) = (PI * k as f32 / sides as f32).sin_cos();
        v3(x + radius * c, y, height + radius * s)
    };
    let base = v3(x, y, height - 0.14);
    let mut quads: Vec<_> = (0..sides).map(|k| [at(k), at(k + 1), base, base]).collect();
    quads.push([v3(x + radius, y, height), base, v3(x + radius * 0.97, y, height - 0.14), v3(x + radius * 0.97, y, height - 0.14)]);
    quads.push([v3(x - radius, y, height), base, v3(x - radius * 0.97, y, height - 0.14), v3(x - radius * 0.97, y, height - 0.14)]);
    b.outward(&quads, v3(x, 0.0, height), matte([14, 14, 15]));
}

/// Cross-section of a greenhouse: half widths at its base and at the roof.
fn cabin_section(x: f32, base: f32, top: f32, w: f32, w_roof: f32) -> Vec<super::V3> {
    let h = top - base;
    mirrored(x, &[
        (w, base),
        (w + (w_roof - w) * 0.55, base + h * 0.52),
        (w_roof + (w - w_roof) * 0.06, base + h * 0.90),
        (w_roof * 0.86, top - h * 0.01),
        (w_roof * 0.40, top + 0.012),
    ])
}

/// A passenger car.
pub(super) fn car(look: &mut Look) -> Built {
    let style = match look.length_m {
        l if l < 4.15 => &HATCH,
        _ => look.pick(&[&SALOON, &SALOON, &ESTATE, &SUV, &SUV]),
    };
    let rgb = if look.emergency { [238, 239, 240] } else { look.pick(&PAINTS) };
    let body = paint(rgb);
    let black_pillars = look.chance(0.45);
    let roof_dark = look.chance(0.12);
    let roof_rails = !roof_dark && matches!(style.boot, b if b < 1.0) && look.chance(0.4);
    let wheels = wheel_look(look);
    let mut b = Builder::new(look.detail);
    let (length, height, w) = (style.length, style.height, style.width / 2.0);
    let half = length / 2.0;
    let belt = height * 0.625;
    let sill = style.clearance;
    let hood = belt * style.bonnet;
    let stations: &[[f32; 5]] = &[
        // x, bottom, top, half width at the top, at the waist.
        [-half, 0.44, belt * 0.80, w * 0.70, w * 0.80],
        [-half + 0.05, 0.34, belt * 0.93 * style.boot, w * 0.76, w * 0.88],
        [-half + 0.16, 0.27, belt * style.boot, w * 0.82, w * 0.945],
        [-0.40 * length, sill + 0.02, belt * style.boot * 1.01, w * 0.85, w * 0.985],
        [-0.30 * length, sill, belt, w * 0.87, w],
        [-0.10 * length, sill, belt, w * 0.88, w],
        [0.10 * length, sill, belt * 0.99, w * 0.88, w],
        [0.225 * length, sill, belt * 0.975, w * 0.88, w],
        [0.30 * length, sill, hood * 1.01, w * 0.86, w * 0.995],
        [0.38 * length, sill, hood * 0.965, w * 0.84, w * 0.985],
        [half - 0.22, sill + 0.03, hood * 0.90, w * 0.80, w * 0.945],
        [half - 0.08, 0.24, hood * 0.82, w * 0.74, w * 0.88],
        [half - 0.02, 0.28, hood * 0.73, w * 0.68, w * 0.82],
        [half, 0.34, hood * 0.64, w * 0.62, w * 0.76],
    ];
    let rings: Vec<_> = stations.iter().map(|s| body_section(s[0], s[1], s[2], s[3], s[4])).collect();
    let last = rings.len() as isize - 1;
    let cladding = style.clearance > 0.2;
    b.loft(&rings, v3(0.0, 0.0, belt * 0.5), |k, i| match i {
        0 | 12 if k >= 0 && k < last => dark(),
        1 | 11 if cladding && k >= 0 && k < last => dark(),
        _ => body,
    });
    greenhouse(&mut b, style, body, black_pillars, roof_dark);
    let axles = [-0.295 * length, 0.31 * length];
    let radius = if cladding { 0.355 } else { 0.325 };
    for x in axles {
        for y in [-w, w] {
            arch(&mut b, x, y * 1.004, radius + 0.065, radius + 0.02);
            b.wheel(x, y * 0.935, radius, 0.20, &wheels);
        }
    }
    if b.detail != Detail::Shadow {
        face(&mut b, half, w, hood, belt, look.number);
        for y in [-1.0, 1.0] {
            let mirror = v3(0.185 * length, y * (w + 0.075), belt + 0.06);
            b.ellipsoid(mirror, v3(0.075, 0.10, 0.065), (7, 4), body.times(0.9));
        }
    }
    if b.near() {
        seams(&mut b, length, w, belt, body);
        if roof_rails {
            for y in [-w * 0.72, w * 0.72] {
                b.tube(v3(-0.36 * length, y, height + 0.03), v3(0.04 * length, y, height + 0.03), 0.018, 0.018, 5, metal([150, 152, 154]));
            }
        }
    }
    if look.emergency {
        b.cuboid(v3(-0.05 * length, 0.0, height + 0.07), v3(0.28, w * 1.35, 0.12), lamp([40, 90, 230], Lamp::Beacon));
        for y in [-1.0, 1.0] {
            b.side_decal(-0.34 * length, 0.30 * length, y * (w + 0.006), belt * 0.62, belt * 0.80, paint([30, 80, 200]));
        }
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [length, style.width, height], lamps: Some([half, w * 0.66, hood * 0.66]) }
}

fn greenhouse(b: &mut Builder, style: &Body, body: Material, black_pillars: bool, roof_dark: bool) {
    let (length, height, w) = (style.length, style.height, style.width / 2.0);
    let belt = height * 0.625;
    let [rear, roof_rear, roof_front, screen] = style.cuts;
    let middle = (roof_rear + roof_front) / 2.0 + 0.01;
    let base = belt - 0.03;
    // Spans between cuts: 0 rear window, 1 C pillar, 2 rear side, 3 B pillar, 4 front side, 5 A pillar zone, 6 windscreen.
    let cuts = [rear, roof_rear, roof_rear + 0.03, middle - 0.012, middle + 0.012, roof_front - 0.012, roof_front, screen];
    let tops = [belt + 0.04, height - 0.035, height - 0.01, height + 0.005, height + 0.005, height - 0.012, height - 0.028, belt + 0.005];
    let w_roof = w * 0.765;
    let rings: Vec<_> = cuts
        .iter()
        .zip(tops)
        .map(|(x, top)| {
            let narrow = ((top - base) / (height - base)).clamp(0.0, 1.0);
            cabin_section(x * length, base, top.max(belt), w * 0.915, w * 0.915 + (w_roof - w * 0.915) * narrow)
        })
        .collect();
    let pillar = if black_pillars { paint([22, 23, 25]) } else { body };
    let roof = if roof_dark { paint([24, 25, 28]) } else { body };
    let centre = v3(-0.1 * length, 0.0, belt + 0.1);
    b.loft(&rings, centre, |k, i| {
        let side = i <= 1 || i >= 7;
        match k {
            0 | 6 if !side => glass(),
            0 if style.boot < 1.0 && side => body,
            0 | 6 if side => glass(),
            2 | 4 if side => glass(),
            1 | 3 | 5 if side => pillar,
            -1 | 7 => body,
            _ => roof,
        }
    });
    // A pillars and the edge of the rear window: bars along the corners.
    if b.detail != Detail::Shadow {
        for y in [-1.0, 1.0] {
            let foot = v3(screen * length - 0.01, y * w * 0.885, belt + 0.01);
            let top = v3(roof_front * length, y * w_roof * 0.93, height - 0.055);
            b.tube(foot, top, 0.035, 0.032, 5, if black_pillars { paint([30, 31, 33]) } else { body });
            if style.boot >= 1.0 {
                let foot = v3(rear * length + 0.02, y * w * 0.87, belt + 0.03);
                let top = v3(roof_rear * length, y * w_roof * 0.93, height - 0.06);
                b.tube(foot, top, 0.05, 0.045, 5, body);
            }
        }
    }
}

/// Lamps, grille, bumpers and plates.
fn face(b: &mut Builder, half: f32, w: f32, hood: f32, belt: f32, number: u32) {
    let plate = Material::new([228, 228, 222], Finish::Plate(number));
    lamps(b, half, w, hood * 0.70, belt * 0.74, 0.30, 0.22);
    b.decal(half + 0.012, 0.0, hood * 0.44, w * 1.05, hood * 0.20, matte([20, 20, 22]));
    b.decal(half + 0.006, 0.0, hood * 0.70, w * 0.62, hood * 0.055, matte([24, 24, 26]));
    b.decal(half + 0.02, 0.0, hood * 0.46, 0.52, 0.115, plate);
    b.decal(-half - 0.012, 0.0, belt * 0.40, w * 1.35, belt * 0.12, dark());
    b.decal(-half - 0.02, 0.0, belt * 0.56, 0.52, 0.115, plate);
}

/// Head and tail lamps with indicators, wrapped around the corners.
pub(super) fn lamps(b: &mut Builder, half: f32, w: f32, head_z: f32, tail_z: f32, wide: f32, high: f32) {
    for (y, side) in [(1.0, Lamp::Left), (-1.0, Lamp::Right)] {
        let (inner, outer) = (w * 0.82 - wide, w * 0.84);
        // Front: along the nose, then back along the wing.
        let front = |y0: f32, x0: f32, y1: f32, x1: f32, z0: f32, z1: f32| {
            let q = [v3(x0, y * y0, z0), v3(x1, y * y1, z0), v3(x1 - 0.03, y * y1, z1), v3(x0 - 0.03, y * y0, z1)];
            if y > 0.0 { q } else { [q[1], q[0], q[3], q[2]] }
        };
        let z = head_z - high * 0.32;
        b.panel(front(inner, half + 0.012, outer, half - 0.085, z, z + high * 0.62), lamp([226, 230, 234], Lamp::Head));
        b.panel(front(outer - 0.005, half - 0.07, w * 0.95, half - 0.26, z + 0.02, z + high * 0.55), lamp([236, 170, 70], side));
        let rear = |y0: f32, x0: f32, y1: f32, x1: f32, z0: f32, z1: f32| {
            let q = [v3(-x1, y * y1, z0), v3(-x0, y * y0, z0), v3(-x0, y * y0, z1), v3(-x1, y * y1, z1)];
            if y > 0.0 { q } else { [q[1], q[0], q[3], q[2]] }
        };
        let z = tail_z - high * 0.5;
        b.panel(rear(inner + 0.06, half + 0.008, outer, half - 0.03, z, z + high), lamp([166, 16, 18], Lamp::Tail));
        b.panel(rear(outer, half - 0.02, w * 0.955, half - 0.17, z + high * 0.1, z + high), lamp([156, 16, 18], Lamp::Tail));
        b.panel(rear(inner, half + 0.01, inner + 0.07, half + 0.008, z + high * 0.2, z + high * 0.9), lamp([220, 130, 40], side));
    }
}

/// Lines between doors, and handles.
fn seams(b: &mut Builder, length: f32, w: f32, belt: f32, body: Material) {
    let seam = matte([20, 20, 22]);
    for y in [-1.0, 1.0] {
        let out = y * (w * 1.002);
        for x in [0.20, -0.015, -0.215] {
            b.side_decal(x * length - 0.007, x * length + 0.007, out, belt * 0.34, belt * 0.86, seam);
        }
        for x in [0.02, -0.19] {
            b.side_decal(x * length, x * length + 0.16, y * (w * 1.012), belt * 0.76, belt * 0.79, body.times(0.6));
        }
    }
}

/// A light van, panel or glazed.
pub(super) fn van(look: &mut Look) -> Built {
    let (length, width) = (if look.length_m < 5.2 { 4.9 } else { 5.7 }, 2.0);
    let height = look.between(2.0, 2.5);
    let emergency = look.emergency;
    let rgb = match emergency {
        true => [242, 238, 220],
        false => look.pick(&[[240, 240, 238], [236, 237, 238], [232, 233, 235], [176, 180, 184], [46, 48, 52], [46, 96, 158], [204, 160, 44], [156, 20, 28]]),
    };
    let body = paint(rgb);
    let glazed = look.chance(0.45);
    let wheels = wheel_look(look);
    let mut b = Builder::new(look.detail);
    let (w, half, sill) = (width / 2.0, length / 2.0, 0.24);
    let (nose, brow, base) = (half - 0.92, half - 1.62, 1.12);
    let stations = [
        [-half, sill + 0.14, height * 0.975, w * 0.87, w * 0.965],
        [-half + 0.07, sill + 0.02, height, w * 0.89, w],
        [-0.2 * length, sill, height * 1.005, w * 0.89, w],
        [0.08 * length, sill, height, w * 0.89, w],
        [brow, sill, height * 0.985, w * 0.86, w],
        [brow + 0.28, sill, height * 0.86, w * 0.84, w],
        [nose, sill, base + 0.08, w * 0.86, w],
        [half - 0.40, sill, base - 0.05, w * 0.84, w * 0.985],
        [half - 0.13, sill + 0.02, base - 0.17, w * 0.80, w * 0.94],
        [half - 0.03, sill + 0.06, base - 0.36, w * 0.76, w * 0.89],
        [half, sill + 0.14, base - 0.50, w * 0.70, w * 0.84],
    ];
    let rings: Vec<_> = stations.iter().map(|s| body_section(s[0], s[1], s[2], s[3], s[4])).collect();
    let ends = rings.len() as isize - 1;
    b.loft(&rings, v3(0.0, 0.0, height * 0.45), |k, i| match (k, i) {
        (4 | 5, 4..=8) => glass(),
        (k, 0 | 12) if k >= 0 && k < ends => dark(),
        _ => body,
    });
    let mut panes = vec![(brow - 0.80, brow + 0.20, 0.5)];
    if glazed {
        panes.push((brow - 1.95, brow - 0.92, 0.0));
        panes.push((-half + 0.35, brow - 2.07, 0.0));
    }
    for (x0, x1, rake) in panes {
        for y in [-1.0f32, 1.0] {
            let (low, high) = (y * w * 1.014, y * w * 0.992);
            let z1 = height * 0.83;
            let q = [v3(x0, low, base), v3(x1 + rake * 0.4, low, base), v3(x1 - rake * 0.35, high, z1), v3(x0, high, z1)];
            b.panel(if y < 0.0 { q } else { [q[1], q[0], q[3], q[2]] }, glass());
        }
    }
    for y in [-w * 0.42, w * 0.42] {
        b.decal(-half - 0.012, y, base + 0.08, w * 0.62, height * 0.28, glass());
    }
    for x in [-0.30 * length, 0.325 * length] {
        for y in [-w, w] {
            arch(&mut b, x, y * 1.004, 0.42, 0.36);
            b.wheel(x, y * 0.93, 0.35, 0.22, &wheels);
        }
    }
    if b.detail != Detail::Shadow {
        lamps(&mut b, half, w, 0.82, 1.12, 0.26, 0.26);
        let plate = Material::new([228, 228, 222], Finish::Plate(look.number));
        b.decal(half + 0.012, 0.0, 0.42, w * 1.2, 0.20, matte([24, 24, 26]));
        b.decal(half + 0.02, 0.0, 0.46, 0.52, 0.115, plate);
        b.decal(-half - 0.02, 0.0, 0.62, 0.52, 0.115, plate);
        b.decal(-half - 0.012, 0.0, sill + 0.12, w * 1.8, 0.16, dark());
        for y in [-1.0, 1.0] {
            b.cuboid(v3(brow + 0.42, y * (w + 0.12), base + 0.18), v3(0.10, 0.18, 0.26), dark());
        }
    }
    if b.near() {
        for y in [-1.0, 1.0] {
            for x in [brow - 0.86, 0.02 * length, -0.24 * length] {
                b.side_decal(x - 0.008, x + 0.008, y * (w * 1.003), 0.45, height * 0.86, matte([60, 60, 62]));
            }
        }
    }
    if emergency {
        b.cuboid(v3(brow - 0.2, 0.0, height + 0.07), v3(0.3, w * 1.3, 0.14), lamp([40, 90, 230], Lamp::Beacon));
        for y in [-1.0, 1.0] {
            b.side_decal(-half + 0.2, nose, y * (w + 0.008), 0.74, 0.98, paint([224, 90, 30]));
        }
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [length, width, height], lamps: Some([half, w * 0.7, 0.8]) }
}
