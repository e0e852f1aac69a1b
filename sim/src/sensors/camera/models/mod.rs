//! Procedural meshes of road users: from a kind and an appearance number to a jointed model.
//!
//! The same number gives the same model. A model is built at the size that its style has and is scaled to the actor's.

mod animal;
mod car;
mod cycle;
mod heavy;
mod object;
mod person;

use super::material::{Finish, Material};
use super::mesh::{Affine, Detail, Mesh, V3, v3};
use crate::actor::{Actor, ActorKind, Role, Size};
use crate::random::Seed;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::f32::consts::TAU;

/// How a model moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rig {
    /// As one piece.
    Rigid,
    /// On two legs; the scale of the body (1 is a person of 1.75 m).
    Walker { scale: f32 },
    /// Turns pedals: hip, bottom bracket, crank length; metres in the model's plane.
    Pedaller { hip: [f32; 2], bracket: [f32; 2], crank: f32 },
    /// On four legs; the scale (1 is a dog of 0.6 m).
    Quadruped { scale: f32 },
}

/// Bones that a walker has: root, torso, upper arms, forearms, thighs, shins (left before right).
const BONES: usize = 11;
/// Lengths of thigh and shin of a person of 1.75 m, metres.
const THIGH: f32 = 0.44;
const SHIN: f32 = 0.43;

/// A road user's meshes.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) near: Mesh,
    pub(crate) far: Mesh,
    pub(crate) shadow: Mesh,
    pub(crate) rig: Rig,
    pub(crate) size: Size,
    /// Where head lamps are: x forward, y to each side, z; metres. None without.
    pub(crate) lamps: Option<[f32; 3]>,
}

/// What decides a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ModelKey {
    kind: ActorKind,
    emergency: bool,
    appearance: u32,
    /// Length, decimetres: longer cars are other cars.
    length_dm: u32,
}

impl ModelKey {
    pub(crate) fn of(actor: &Actor) -> Self {
        Self {
            kind: actor.kind,
            emergency: actor.role == Role::Emergency,
            appearance: actor.appearance,
            length_dm: (actor.size.length_m.clamp(0.0, 100.0) * 10.0) as u32,
        }
    }
}

/// What a builder of a model knows.
pub(crate) struct Look {
    pub(crate) rng: Pcg64Mcg,
    pub(crate) detail: Detail,
    pub(crate) emergency: bool,
    pub(crate) length_m: f32,
    /// A number of its own: plates, boards.
    pub(crate) number: u32,
}

impl Look {
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.random_range(0..choices.len())]
    }

    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        self.rng.random_range(low..high)
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.rng.random_bool(share)
    }
}

pub(crate) struct Built {
    pub(crate) mesh: Mesh,
    pub(crate) rig: Rig,
    /// Length, width, height as built.
    pub(crate) size: [f32; 3],
    pub(crate) lamps: Option<[f32; 3]>,
}

impl Model {
    pub(crate) fn new(key: ModelKey) -> Self {
        let build = |detail| {
            let number = key.appearance;
            let rng = Seed(u64::from(number)).stream("appearance", key.kind as u64);
            let length_m = key.length_dm as f32 / 10.0;
            let mut look = Look { rng, detail, emergency: key.emergency, length_m, number };
            match key.kind {
                ActorKind::Car => car::car(&mut look),
                ActorKind::Van => car::van(&mut look),
                ActorKind::Truck => heavy::truck(&mut look),
                ActorKind::Bus => heavy::bus(&mut look),
                ActorKind::Tram => heavy::tram(&mut look),
                ActorKind::Motorcycle => cycle::motorcycle(&mut look),
                ActorKind::Bicycle => cycle::bicycle(&mut look),
                ActorKind::CargoBike => cycle::cargo_bike(&mut look),
                ActorKind::EScooter => cycle::e_scooter(&mut look),
                ActorKind::Adult => person::adult(&mut look),
                ActorKind::Child => person::child(&mut look),
                ActorKind::Wheelchair => person::wheelchair(&mut look),
                ActorKind::Dog => animal::dog(&mut look),
                ActorKind::Deer => animal::deer(&mut look),
                ActorKind::LostCargo => object::cargo(&mut look),
                ActorKind::Cone => object::cone(&mut look),
                ActorKind::Barrier => object::barrier(&mut look),
            }
        };
        let near = build(Detail::Near);
        let [length_m, width_m, height_m] = near.size.map(f64::from);
        Self {
            far: build(Detail::Far).mesh,
            shadow: build(Detail::Shadow).mesh,
            rig: near.rig,
            size: Size { length_m, width_m, height_m },
            lamps: near.lamps,
            near: near.mesh,
        }
    }

    /// Bones after `distance_m` at `speed_mps`, in the model's axes.
    pub(crate) fn pose(&self, distance_m: f64, speed_mps: f64) -> [Affine; BONES] {
        let mut bones = [Affine::identity(); BONES];
        let speed = speed_mps.abs() as f32;
        match self.rig {
            Rig::Rigid => {}
            Rig::Walker { scale } => person::walk(&mut bones, distance_m, speed, scale),
            Rig::Pedaller { hip, bracket, crank } => {
                // A turn of the pedals takes five metres.
                let phase = ((distance_m / 5.0).fract() as f32) * TAU;
                bones[10] = Affine::hinge(-phase, v3(bracket[0], 0.0, bracket[1]));
                for (side, turn) in [(0, 0.0), (1, std::f32::consts::PI)] {
                    let (s, c) = (phase + turn).sin_cos();
                    // Clockwise seen from the right: the upper pedal moves forward.
                    let foot = [bracket[0] + crank * c, bracket[1] - crank * s + 0.06];
                    let (thigh, shin) = two_bones(hip, foot, THIGH, SHIN);
                    bones[6 + side] = thigh;
                    bones[8 + side] = shin;
                }
            }
            Rig::Quadruped { scale } => {
                let stride = 0.9 * scale;
                let phase = ((distance_m / f64::from(stride)).fract() as f32) * TAU;
                let swing = 0.45 * (speed / 1.0).min(1.0);
                for (k, (x, turn)) in [(0.24, 0.0), (0.24, 2.6), (-0.26, 3.1), (-0.26, 0.5)].into_iter().enumerate() {
                    bones[2 + k] = Affine::hinge(swing * (phase + turn).sin(), v3(x, 0.0, 0.40) * scale);
                }
            }
        }
        bones
    }
}

/// Transforms of two bones that hang from `hip` and end at `foot`, the knee forward; x and z of the model's plane.
pub(crate) fn two_bones(hip: [f32; 2], foot: [f32; 2], thigh: f32, shin: f32) -> (Affine, Affine) {
    let (dx, dz) = (foot[0] - hip[0], foot[1] - hip[1]);
    let reach = dx.hypot(dz).clamp(0.15, (thigh + shin) * 0.999);
    let toward = dx.atan2(-dz);
    let open = ((thigh * thigh + reach * reach - shin * shin) / (2.0 * thigh * reach)).clamp(-1.0, 1.0).acos();
    let upper = toward + open;
    let knee = [hip[0] + thigh * upper.sin(), hip[1] - thigh * upper.cos()];
    let lower = (foot[0] - knee[0]).atan2(knee[1] - foot[1]);
    (Affine::hinge(upper, v3(hip[0], 0.0, hip[1])), Affine::hinge(lower, v3(knee[0], 0.0, knee[1])))
}

/// Colours of car paint, as often as roads show them.
pub(crate) const PAINTS: [[u8; 3]; 22] = [
    [236, 237, 238],
    [244, 244, 242],
    [232, 233, 235],
    [176, 180, 184],
    [190, 193, 196],
    [128, 132, 138],
    [96, 100, 106],
    [64, 67, 72],
    [46, 48, 52],
    [30, 31, 34],
    [24, 25, 28],
    [26, 27, 30],
    [156, 20, 28],
    [190, 34, 30],
    [30, 56, 118],
    [46, 96, 158],
    [22, 44, 84],
    [28, 78, 62],
    [92, 112, 78],
    [204, 160, 44],
    [150, 120, 88],
    [122, 164, 190],
];
/// Colours of clothes.
pub(crate) const CLOTHES: [[u8; 3]; 20] = [
    [36, 40, 52],
    [28, 28, 30],
    [60, 62, 68],
    [120, 122, 126],
    [214, 212, 206],
    [236, 234, 228],
    [150, 34, 36],
    [196, 60, 46],
    [34, 60, 112],
    [70, 110, 160],
    [112, 150, 186],
    [36, 80, 62],
    [96, 108, 62],
    [176, 150, 104],
    [204, 170, 60],
    [92, 60, 96],
    [200, 120, 140],
    [84, 62, 48],
    [230, 120, 40],
    [54, 110, 120],
];
pub(crate) const TROUSERS: [[u8; 3]; 9] = [
    [38, 48, 74],
    [54, 66, 96],
    [44, 46, 52],
    [28, 28, 30],
    [98, 88, 72],
    [78, 92, 118],
    [150, 144, 132],
    [62, 54, 48],
    [86, 88, 90],
];
pub(crate) const SKINS: [[u8; 3]; 6] =
    [[232, 190, 160], [224, 178, 146], [206, 154, 118], [168, 118, 86], [124, 82, 58], [92, 62, 46]];
pub(crate) const HAIRS: [[u8; 3]; 7] =
    [[44, 32, 26], [28, 24, 22], [92, 64, 42], [132, 96, 60], [176, 140, 92], [130, 128, 126], [190, 188, 184]];

pub(crate) fn matte(rgb: [u8; 3]) -> Material {
    Material::new(rgb, Finish::Matte)
}

pub(crate) fn paint(rgb: [u8; 3]) -> Material {
    Material::new(rgb, Finish::Paint)
}

pub(crate) fn glass() -> Material {
    Material::new([34, 42, 48], Finish::Glass)
}

pub(crate) fn rubber() -> Material {
    matte([30, 30, 32])
}

pub(crate) fn dark() -> Material {
    matte([38, 38, 41])
}

pub(crate) fn metal(rgb: [u8; 3]) -> Material {
    Material::new(rgb, Finish::Metal)
}

/// Cross-section of a body: sills, sides, shoulders, crowned top. Half widths are those of the top and of the waist.
pub(crate) fn body_section(x: f32, bottom: f32, top: f32, w_top: f32, w: f32) -> Vec<V3> {
    let h = top - bottom;
    let half = [
        (w * 0.94, bottom),
        (w * 0.995, bottom + 0.22 * h),
        (w, bottom + 0.48 * h),
        (w * 0.985, bottom + 0.70 * h),
        (w_top + 0.30 * (w - w_top), top - 0.09 * h),
        (w_top * 0.86, top - 0.012),
        (w_top * 0.45, top + 0.012),
    ];
    mirrored(x, &half)
}

/// A ring of points from the left lower edge over the top to the right one.
pub(crate) fn mirrored(x: f32, half: &[(f32, f32)]) -> Vec<V3> {
    let left = half.iter().map(|(y, z)| v3(x, *y, *z));
    let right = half.iter().rev().map(|(y, z)| v3(x, -*y, *z));
    left.chain(right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_model_of_about_its_size() {
        for kind in ActorKind::ALL {
            let usual = kind.usual_size();
            let key = ModelKey { kind, emergency: false, appearance: 7, length_dm: (usual.length_m * 10.0) as u32 };
            let model = Model::new(key);
            let bones = model.pose(3.3, 1.2);
            let mesh = &model.near;
            let posed: Vec<V3> = mesh.vertices.iter().map(|v| bones[v.bone as usize].apply(v.position)).collect();
            let high = posed.iter().fold(V3::repeat(-1e9), |a, b| a.sup(b));
            let low = posed.iter().fold(V3::repeat(1e9), |a, b| a.inf(b));
            let [l, w, h] = [model.size.length_m, model.size.width_m, model.size.height_m].map(|v| v as f32);
            assert!(low.z > -0.06 && low.z < 0.08, "{kind:?} stands at {}", low.z);
            // A tram's pantograph stands above its roof.
            let h = if kind == ActorKind::Tram { h + 1.4 } else { h };
            assert!((high.z - h).abs() < 0.16 * h + 0.05, "{kind:?} is {} high, not {h}", high.z);
            assert!((high.y - low.y - w).abs() < 0.35 * w + 0.25, "{kind:?} is {} wide, not {w}", high.y - low.y);
            assert!((high.x - low.x - l).abs() < 0.25 * l + 0.65, "{kind:?} is {} long, not {l}", high.x - low.x);
            assert!(model.far.faces.len() <= mesh.faces.len() && model.shadow.faces.len() <= model.far.faces.len());
            assert!(mesh.faces.len() < 4000, "{kind:?}: {}", mesh.faces.len());
        }
    }

    #[test]
    fn a_foot_reaches_the_pedal() {
        let (thigh, shin) = two_bones([0.0, 1.0], [0.2, 0.3], THIGH, SHIN);
        let knee = thigh.apply(v3(0.0, 0.0, -THIGH));
        let foot = shin.apply(v3(0.0, 0.0, -SHIN));
        assert!((knee - shin.shift).norm() < 1e-5 && (foot - v3(0.2, 0.0, 0.3)).norm() < 1e-4, "{knee} {foot}");
        assert!(knee.x > 0.1);
    }
}
