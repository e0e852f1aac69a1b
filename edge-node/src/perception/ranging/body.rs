//! From what reflects to the middle of the body.
//!
//! A radar's targets lie on the outline that faces it; a lidar's box is what shows of the body. Both are nearer than the
//! middle, by as much as the size and direction of the body say.

use super::Plot;
use crate::perception::ground::{Extent, extent_of};
use masa_inference::ObjectClass;
use nalgebra::{Matrix2, Vector2};

/// Mean cross section from which something is a vehicle, m² (8 dBsm), and below which it is none any more (5 dBsm).
const VEHICLE_RCS_M2: [f64; 2] = [6.3, 3.2];
/// Nobody on foot or pedals is as fast, m/s.
const VEHICLE_MPS: f64 = 12.0;
/// Nor shows as long or as wide, metres.
const VEHICLE_LENGTH_M: f64 = 2.6;
const VEHICLE_WIDTH_M: f64 = 1.35;
/// Longest body that is believed, metres.
const LONGEST_M: f64 = 18.0;
/// Scans that a mean cross section is over.
const MEMORY: f64 = 12.0;
/// Scans after which a mean says something.
const SETTLED: u32 = 4;
/// Standard deviation of a size against that taken for it, share.
const SIZE_TOLERANCE: f64 = 0.15;
/// Most of the targets that lie on the end that faces the device, share: waves also come back from wheels and sides along
/// the whole length, and from below.
const MOST_ON_END: f64 = 0.5;
/// What that leaves, as a share of the length.
const SCATTER: f64 = 0.15;
/// People who walk together are not told apart: what that makes of a place, metres.
const UNRESOLVED_M: f64 = 0.35;
/// How much the near side of a body of unknown direction varies, as a share of what its length exceeds its width.
const UNKNOWN_YAW: f64 = 0.18;

/// What is known of a body's size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    pub(super) is_vehicle: bool,
    rcs_m2: f64,
    looks: u32,
    /// Largest length and width that showed.
    shown_m: [f64; 2],
}

/// The middle of a body as one scan shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Middle {
    pub(super) at: Vector2<f64>,
    /// What differs from scan to scan.
    pub(super) noise: Matrix2<f64>,
    /// What does not.
    pub(super) bias: Matrix2<f64>,
}

impl Body {
    pub(super) fn new() -> Self {
        Self { is_vehicle: false, rcs_m2: 0.0, looks: 0, shown_m: [0.0; 2] }
    }

    /// Takes what a scan shows of it.
    pub(super) fn look(&mut self, group: &[Plot], yaw_rad: Option<f64>, speed_mps: f64) {
        self.looks += 1;
        let rcs_m2: f64 = group.iter().map(|plot| plot.rcs_m2).sum();
        self.rcs_m2 += (rcs_m2 - self.rcs_m2) / f64::from(self.looks).min(MEMORY);
        for shape in group.iter().filter_map(|plot| plot.shape) {
            let (length_m, width_m) = (shape.length_m.max(shape.width_m), shape.length_m.min(shape.width_m));
            self.shown_m = [self.shown_m[0].max(length_m), self.shown_m[1].max(width_m)];
        }
        if let Some(yaw_rad) = yaw_rad.filter(|_| self.is_vehicle) {
            let axis = Vector2::new(yaw_rad.cos(), yaw_rad.sin());
            let along = || group.iter().map(|plot| plot.at.dot(&axis));
            let spread_m = along().fold(f64::NEG_INFINITY, f64::max) - along().fold(f64::INFINITY, f64::min);
            // Grows slowly, so that one false target makes nobody a bus.
            self.shown_m[0] += (0.2 * (spread_m.min(LONGEST_M) - self.shown_m[0])).max(0.0);
        }
        let is_large = self.shown_m[0] >= VEHICLE_LENGTH_M || self.shown_m[1] >= VEHICLE_WIDTH_M;
        let [becomes, stays] = VEHICLE_RCS_M2;
        let is_bright = self.rcs_m2 >= if self.is_vehicle { stays } else { becomes };
        self.is_vehicle = (!self.is_new() && is_bright) || speed_mps > VEHICLE_MPS || is_large;
    }

    /// Whether too few scans have shown it to say what it is.
    pub(super) fn is_new(&self) -> bool {
        self.looks < SETTLED
    }

    /// Whose motion it has: what is not known to be a vehicle may turn and stop like a cycle.
    pub(super) fn moves_as(&self) -> ObjectClass {
        if self.is_vehicle { ObjectClass::Car } else { ObjectClass::Bicycle }
    }

    pub(super) fn extent(&self) -> Extent {
        if self.is_vehicle {
            let car = extent_of(ObjectClass::Car);
            let [length_m, width_m] = self.shown_m;
            return Extent {
                length_m: length_m.clamp(car.length_m, LONGEST_M),
                width_m: width_m.max(car.width_m),
                ..car
            };
        }
        // Somebody on foot or on a cycle.
        Extent { length_m: self.shown_m[0].clamp(0.6, 2.0), width_m: self.shown_m[1].clamp(0.6, 0.9), height_m: 1.7 }
    }

    /// The middle of the body of which `group` (not empty) shows, seen from a place.
    pub(super) fn middle(&self, group: &[Plot], yaw_rad: Option<f64>, from: Vector2<f64>) -> Middle {
        let whole = group.iter().filter(|plot| plot.shape.is_some()).max_by(|a, b| a.area_m2().total_cmp(&b.area_m2()));
        let mut middle = match whole {
            Some(plot) => self.behind_box(plot, yaw_rad, from),
            None => self.behind_outline(group, yaw_rad, from),
        };
        if !self.is_vehicle {
            middle.bias += Matrix2::identity() * UNRESOLVED_M.powi(2);
        }
        middle
    }

    /// Targets lie on what faces the device, anywhere on it as likely.
    fn behind_outline(&self, group: &[Plot], yaw_rad: Option<f64>, from: Vector2<f64>) -> Middle {
        let count = group.len() as f64;
        let mean = group.iter().map(|plot| plot.at).sum::<Vector2<f64>>() / count;
        let noise = group.iter().map(|plot| plot.noise).sum::<Matrix2<f64>>() / count;
        let ray = (mean - from).try_normalize(1e-6).unwrap_or(Vector2::x());
        let extent = self.extent();
        let (size, axis, unknown_m) = match yaw_rad {
            Some(yaw_rad) => {
                (Vector2::new(extent.length_m, extent.width_m), Vector2::new(yaw_rad.cos(), yaw_rad.sin()), 0.0)
            }
            None => {
                // The near side of a square of the same average reach.
                let side_m = 2.0 * (extent.length_m + extent.width_m) / std::f64::consts::PI;
                (Vector2::repeat(side_m), ray, UNKNOWN_YAW * (extent.length_m - extent.width_m).abs())
            }
        };
        let axes = Matrix2::from_columns(&[axis, Vector2::new(-axis.y, axis.x)]);
        let facing = axes.transpose() * ray;
        // The end shows with the width, the side with the length.
        let shows = Vector2::new(size.y * facing.x.abs(), size.x * facing.y.abs());
        let on_end = (shows.x / shows.sum().max(1e-9)).min(MOST_ON_END);
        let share = Vector2::new(on_end, 1.0 - on_end);
        let half = size / 2.0;
        let offset = Vector2::new(-facing.x.signum() * half.x * share.x, -facing.y.signum() * half.y * share.y);
        let mut spread = -offset * offset.transpose();
        for part in 0..2 {
            // On its own face a place is at half of the size, on the other anywhere along it.
            spread[(part, part)] += share[part] * half[part].powi(2) + share[1 - part] * half[part].powi(2) / 3.0;
        }
        let reach_m = (half.x * facing.x).hypot(half.y * facing.y);
        let size_m = (SIZE_TOLERANCE * reach_m).hypot(unknown_m);
        let along_m = SCATTER * size.x;
        Middle {
            at: mean - axes * offset,
            noise: (noise + axes * spread * axes.transpose()) / count,
            bias: ray * ray.transpose() * size_m.powi(2) + axis * axis.transpose() * along_m.powi(2),
        }
    }

    /// The near edges of a box are where they are; the far ones are where the body ends.
    fn behind_box(&self, plot: &Plot, yaw_rad: Option<f64>, from: Vector2<f64>) -> Middle {
        let Some(shape) = plot.shape else {
            return Middle { at: plot.at, noise: plot.noise, bias: Matrix2::zeros() };
        };
        let extent = self.extent();
        // Which of the box's sides is the length tells the direction of motion, else the longer one is.
        let yaw = yaw_rad.unwrap_or(shape.yaw_rad);
        let is_turned = (yaw - shape.yaw_rad).sin().abs() > std::f64::consts::FRAC_1_SQRT_2;
        let shown = if is_turned { [shape.width_m, shape.length_m] } else { [shape.length_m, shape.width_m] };
        let axis_rad = if is_turned { shape.yaw_rad + std::f64::consts::FRAC_PI_2 } else { shape.yaw_rad };
        let (sin, cos) = axis_rad.sin_cos();
        let ray = plot.at - from;
        let (mut at, mut bias) = (plot.at, Matrix2::zeros());
        for (axis, shown_m, whole_m) in
            [(Vector2::new(cos, sin), shown[0], extent.length_m), (Vector2::new(-sin, cos), shown[1], extent.width_m)]
        {
            let hidden_m = (whole_m - shown_m).max(0.0) / 2.0;
            at += axis * (hidden_m * ray.dot(&axis).signum());
            bias += axis * axis.transpose() * (0.5 * hidden_m).powi(2);
        }
        Middle { at, noise: plot.noise, bias }
    }
}
