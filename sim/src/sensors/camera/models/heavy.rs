//! Trucks, buses and trams.

use super::super::material::{Finish, Lamp, Material};
use super::super::mesh::{Builder, Detail, v3};
use super::car::{arch, lamp, lamps, wheel_look};
use super::{Built, Look, PAINTS, Rig, body_section, dark, glass, matte, metal, paint};

/// A rigid truck with a box, a tilt or an open bed.
pub(super) fn truck(look: &mut Look) -> Built {
    let (length, width) = (look.length_m.clamp(6.5, 10.0), 2.5);
    let height = look.between(3.2, 3.7);
    let rgb = if look.emergency { [200, 26, 28] } else { look.pick(&PAINTS) };
    let cab_paint = paint(rgb);
    let cargo = if look.emergency {
        paint([200, 26, 28])
    } else {
        paint(look.pick(&[
            [236, 236, 234],
            [226, 228, 230],
            [204, 208, 212],
            [60, 96, 150],
            [160, 44, 40],
            [196, 170, 60],
            [84, 120, 90],
        ]))
    };
    let open = !look.emergency && look.chance(0.22);
    let stripe = look.chance(0.5);
    let stripe_paint = paint(look.pick(&[[30, 90, 160], [200, 60, 40], [40, 120, 70], [230, 150, 30]]));
    let wheels = wheel_look(look);
    let cab_top = look.between(2.55, 2.95);
    let mut b = Builder::new(look.detail);
    let (w, half) = (width / 2.0, length / 2.0);
    b.cuboid(v3(-0.1, 0.0, 0.78), v3(length - 0.6, width * 0.55, 0.30), dark());
    let rear = half - 1.95;
    let stations = [
        [rear, 0.55, cab_top * 0.985, w * 0.86, w * 0.97],
        [rear + 0.15, 0.50, cab_top, w * 0.87, w * 0.985],
        [half - 0.50, 0.48, cab_top * 0.985, w * 0.86, w * 0.985],
        [half - 0.34, 0.46, cab_top * 0.92, w * 0.87, w * 0.985],
        [half - 0.10, 0.42, cab_top * 0.60, w * 0.87, w * 0.975],
        [half - 0.02, 0.42, cab_top * 0.54, w * 0.84, w * 0.95],
        [half, 0.48, cab_top * 0.48, w * 0.80, w * 0.93],
    ];
    let rings: Vec<_> = stations.iter().map(|s| body_section(s[0], s[1], s[2], s[3], s[4])).collect();
    b.loft(&rings, v3(half - 1.0, 0.0, 1.3), |k, i| if k == 3 && (4..=8).contains(&i) { glass() } else { cab_paint });
    for y in [-1.0f32, 1.0] {
        let (z0, z1) = (cab_top * 0.56, cab_top * 0.86);
        let (low, high) = (y * w * 0.995, y * w * 0.955);
        let q =
            [v3(rear + 0.75, low, z0), v3(half - 0.28, low, z0), v3(half - 0.48, high, z1), v3(rear + 0.75, high, z1)];
        b.panel(if y < 0.0 { q } else { [q[1], q[0], q[3], q[2]] }, glass());
    }
    let bed = length - 1.95 - 0.22;
    let (top, floor) = (if open { 1.75 } else { height }, 0.98);
    let slices = if b.near() { 5 } else { 2 };
    for j in 0..slices {
        let step = bed / slices as f32;
        let x = -half + step * (j as f32 + 0.5);
        b.cuboid(
            v3(x, 0.0, (top + floor) / 2.0),
            v3(step * 0.995, width, top - floor),
            cargo.times(1.0 - 0.04 * (j % 2) as f32),
        );
    }
    let z_axles =
        if length > 8.0 { vec![-half + 1.3, -half + 2.5, half - 1.25] } else { vec![-half + 1.6, half - 1.25] };
    for x in z_axles {
        for y in [-w + 0.15, w - 0.15] {
            b.wheel(x, y, 0.49, 0.30, &wheels);
        }
    }
    if b.detail != Detail::Shadow {
        lamps(&mut b, half, w, 0.78, 0.86, 0.30, 0.24);
        let plate = Material::new([228, 228, 222], Finish::Plate(look.number));
        b.decal(half + 0.012, 0.0, 0.86, width * 0.62, cab_top * 0.16, matte([26, 26, 28]));
        b.decal(half + 0.014, 0.0, 0.50, 0.52, 0.115, plate);
        b.decal(-half - 0.012, 0.0, 0.62, 0.52, 0.115, plate);
        for y in [-1.0f32, 1.0] {
            b.cuboid(v3(half - 0.35, y * (w + 0.16), cab_top * 0.70), v3(0.12, 0.20, 0.48), dark());
            b.side_decal(-half + 2.9, rear - 0.3, y * (w * 0.96), 0.55, 0.92, matte([70, 72, 76]));
            if stripe && !open {
                b.side_decal(-half + 0.5, -half + bed - 0.5, y * (w + 0.012), floor + 0.7, floor + 1.25, stripe_paint);
            }
        }
        b.decal(-half - 0.012, 0.0, floor + 0.05, 0.03, top - floor - 0.1, matte([80, 80, 82]));
        b.decal(-half - 0.012, 0.0, 0.70, width * 0.96, 0.14, dark());
    }
    if look.emergency {
        b.cuboid(v3(half - 1.0, 0.0, cab_top + 0.08), v3(0.35, w * 1.3, 0.16), lamp([40, 90, 230], Lamp::Beacon));
    }
    let tall = if open { cab_top } else { height };
    Built { mesh: b.build(), rig: Rig::Rigid, size: [length, width, tall], lamps: Some([half, w * 0.7, 0.78]) }
}

/// A city bus.
pub(super) fn bus(look: &mut Look) -> Built {
    let (length, width) = (look.length_m.clamp(8.5, 18.0), 2.55);
    let height = 3.1;
    let rgb =
        look.pick(&[[212, 156, 34], [190, 40, 38], [40, 94, 164], [236, 236, 234], [60, 134, 84], [230, 120, 40]]);
    let body = paint(rgb);
    let roof = paint([228, 230, 230]);
    let wheels = wheel_look(look);
    let mut b = Builder::new(look.detail);
    let (w, half) = (width / 2.0, length / 2.0);
    let mut stations =
        vec![[-half, 0.45, height * 0.97, w * 0.89, w * 0.97], [-half + 0.08, 0.34, height, w * 0.91, w]];
    let spans = if b.near() { 6 } else { 2 };
    for k in 0..=spans {
        stations.push([-half + 0.3 + (length - 0.8) * k as f32 / spans as f32, 0.32, height, w * 0.91, w]);
    }
    stations.push([half - 0.14, 0.34, height * 0.985, w * 0.90, w * 0.985]);
    stations.push([half, 0.42, height * 0.94, w * 0.86, w * 0.95]);
    let rings: Vec<_> = stations.iter().map(|s| body_section(s[0], s[1], s[2], s[3], s[4])).collect();
    let ends = rings.len() as isize - 1;
    b.loft(&rings, v3(0.0, 0.0, height / 2.0), |k, i| match i {
        4..=8 if k >= 0 && k < ends => roof,
        0 | 12 if k >= 0 && k < ends => dark(),
        _ => body,
    });
    let panes = (length / 1.45).round() as usize;
    let step = (length - 0.75) / panes as f32;
    for y in [-1.0f32, 1.0] {
        for j in 0..panes {
            let x0 = -half + 0.3 + step * j as f32;
            // Doors are on the right in the direction of travel.
            let door = y < 0.0 && (j + 1 == panes || j == panes / 2);
            let z0 = if door { 0.42 } else { 1.22 };
            let (low, high) = (y * w * 1.007, y * w * 0.992);
            let q = [
                v3(x0 + 0.035, low, z0),
                v3(x0 + step - 0.035, low, z0),
                v3(x0 + step - 0.035, high, height * 0.835),
                v3(x0 + 0.035, high, height * 0.835),
            ];
            b.panel(if y < 0.0 { q } else { [q[1], q[0], q[3], q[2]] }, glass());
        }
    }
    b.decal(half + 0.012, 0.0, 1.0, width * 0.86, height * 0.46, glass());
    b.decal(-half - 0.012, 0.0, 1.65, width * 0.78, height * 0.26, glass());
    if b.detail != Detail::Shadow {
        let board = Material::new([250, 170, 40], Finish::Board(look.number));
        b.decal(half + 0.02, 0.0, height * 0.815, width * 0.62, 0.26, board);
        b.panel(
            [
                v3(half - 1.2, -w * 1.012, height * 0.80),
                v3(half - 0.3, -w * 1.012, height * 0.80),
                v3(half - 0.3, -w * 1.0, height * 0.80 + 0.2),
                v3(half - 1.2, -w * 1.0, height * 0.80 + 0.2),
            ],
            board,
        );
        b.cuboid(v3(-half * 0.4, 0.0, height + 0.1), v3(2.3, 1.5, 0.2), roof.times(0.9));
        lamps(&mut b, half, w, 0.80, 1.0, 0.28, 0.28);
        let plate = Material::new([228, 228, 222], Finish::Plate(look.number));
        b.decal(half + 0.014, 0.0, 0.48, 0.52, 0.115, plate);
        b.decal(-half - 0.014, 0.0, 0.75, 0.52, 0.115, plate);
        for y in [-1.0f32, 1.0] {
            b.cuboid(v3(half + 0.12, y * (w + 0.10), height * 0.72), v3(0.12, 0.16, 0.42), dark());
        }
    }
    let mut axles = vec![-half * 0.50, half * 0.55];
    if length > 14.0 {
        axles.push(0.0);
    }
    for x in axles {
        for y in [-w, w] {
            arch(&mut b, x, y * 1.003, 0.57, 0.48);
            b.wheel(x, y * 0.94, 0.48, 0.28, &wheels);
        }
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [length, width, height], lamps: Some([half, w * 0.7, 0.8]) }
}

/// A low-floor tram in one piece.
pub(super) fn tram(look: &mut Look) -> Built {
    let (length, width, height) = (look.length_m.clamp(14.0, 45.0), 2.4, 3.4);
    let body = paint(look.pick(&[[222, 222, 220], [200, 40, 40], [214, 170, 50], [60, 130, 90]]));
    let band = paint(look.pick(&[[190, 40, 38], [40, 94, 164], [60, 62, 66]]));
    let mut b = Builder::new(look.detail);
    let (w, half) = (width / 2.0, length / 2.0);
    let sections = (length / 7.5).round().max(2.0) as usize;
    let step = length / sections as f32;
    for s in 0..sections {
        let (x0, x1) = (-half + step * s as f32, -half + step * (s + 1) as f32);
        let gap = 0.22;
        let mut stations = Vec::new();
        if s == 0 {
            stations.push([x0, 0.40, height * 0.66, w * 0.60, w * 0.72]);
            stations.push([x0 + 0.5, 0.26, height * 0.92, w * 0.82, w * 0.94]);
        }
        stations.push([x0 + if s == 0 { 1.1 } else { gap }, 0.22, height, w * 0.90, w]);
        stations.push([x1 - if s + 1 == sections { 1.1 } else { gap }, 0.22, height, w * 0.90, w]);
        if s + 1 == sections {
            stations.push([x1 - 0.5, 0.26, height * 0.92, w * 0.82, w * 0.94]);
            stations.push([x1, 0.40, height * 0.66, w * 0.60, w * 0.72]);
        }
        let rings: Vec<_> = stations.iter().map(|s| body_section(s[0], s[1], s[2], s[3], s[4])).collect();
        b.loft(
            &rings,
            v3((x0 + x1) / 2.0, 0.0, height / 2.0),
            |_, i| if matches!(i, 0 | 1 | 11 | 12) { band } else { body },
        );
        if s > 0 {
            b.cuboid(v3(x0, 0.0, 1.7), v3(gap * 2.4, width * 0.9, 2.7), dark());
        }
        let panes = 4;
        let (p0, p1) = (x0 + 0.6, x1 - 0.6);
        for y in [-1.0f32, 1.0] {
            for j in 0..panes {
                let pane = (p1 - p0) / panes as f32;
                let a = p0 + pane * j as f32;
                let door = j % 4 == 1;
                let (z0, z1) = (if door { 0.38 } else { 1.15 }, height * 0.80);
                b.side_decal(a + 0.05, a + pane - 0.05, y * w * 1.008, z0, z1, glass());
            }
        }
    }
    for x in [-1.0f32, 1.0] {
        let at = |dx: f32, z: f32, y: f32| v3(x * (half - dx), y, z);
        let q = [
            at(0.02, 1.25, -w * 0.64),
            at(0.02, 1.25, w * 0.64),
            at(0.40, height * 0.86, w * 0.60),
            at(0.40, height * 0.86, -w * 0.60),
        ];
        b.panel(if x > 0.0 { q } else { [q[1], q[0], q[3], q[2]] }, glass());
    }
    if b.detail != Detail::Shadow {
        lamps(&mut b, half + 0.03, w * 0.80, 0.95, 0.95, 0.24, 0.20);
        b.tube(v3(0.0, 0.0, height), v3(0.9, 0.0, height + 0.8), 0.03, 0.03, 5, metal([90, 92, 94]));
        b.tube(v3(0.9, 0.0, height + 0.8), v3(0.1, 0.0, height + 1.4), 0.03, 0.03, 5, metal([90, 92, 94]));
        b.cuboid(v3(0.0, 0.0, height + 0.12), v3(length * 0.6, 1.5, 0.24), matte([150, 152, 154]));
    }
    for k in 0..sections {
        let x = -half + step * (k as f32 + 0.5);
        b.cuboid(v3(x, 0.0, 0.22), v3(2.2, width * 0.8, 0.40), matte([24, 24, 26]));
    }
    Built { mesh: b.build(), rig: Rig::Rigid, size: [length, width, height], lamps: Some([half, w * 0.5, 0.95]) }
}
