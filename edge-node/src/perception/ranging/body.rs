//! From what reflects to the middle of the body.
//!
//! A radar's targets lie on the outline that faces it; a lidar's box is what shows of the body. Both are nearer than the
//! middle, by as much as the size and direction of the body say.

use super::size::{RIDES_MPS, Shown};
use super::{Plot, Shape};
use crate::perception::ground::{Extent, extent_of};
use masa_inference::ObjectClass;
use nalgebra::{Matrix2, Vector2};

/// Mean cross section from which something is a vehicle, m² (8 dBsm), and below which it is none any more (5 dBsm).
const VEHICLE_RCS_M2: [f64; 2] = [6.3, 3.2];
/// Mean cross section of two parts that are one vehicle, m² (7 dBsm): more than two cyclists have that ride together.
const PARTS_RCS_M2: f64 = 5.0;
/// Nobody on foot or pedals is as fast, m/s.
const VEHICLE_MPS: f64 = 12.0;
/// Nor shows as long or as wide, metres; people side by side do, who are not as fast.
const VEHICLE_LENGTH_M: f64 = 2.6;
const VEHICLE_WIDTH_M: f64 = 1.55;
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
/// People who walk together are not told apart by a radar: what that makes of a place, metres.
const UNRESOLVED_M: f64 = 0.35;
/// What rides and is not known to be a vehicle may be a cycle or an end of a car: what that makes of its place, metres.
const UNKNOWN_KIND_M: f64 = 0.8;
/// Who it is of several in one box may be anywhere in it: share of what it is too wide.
const ANYWHERE: f64 = 0.5;
/// A box that is as long tells its direction itself, metres; as far from that of the motion at most, radians.
const TELLS_YAW_M: f64 = 2.0;
const YAW_TOLERANCE_RAD: f64 = 0.35;
/// The end of a body faces the device from this on, cosine of the angle from its axis to the ray; below both ends show.
const FACES: f64 = 0.35;
/// A near edge that is further away than it was may be another part's, that of a roof behind a bonnet: standard deviation of
/// how far, as a share of what is hidden. What is nearer than it was is the edge.
const BEHIND_EDGE: f64 = 0.35;
/// What of that is the same for many scans, share of what is hidden.
const BEHIND_EDGE_BIAS: f64 = 0.12;
/// How much the near side of a body of unknown direction varies, as a share of what its length exceeds its width.
const UNKNOWN_YAW: f64 = 0.18;

/// What is known of a body's size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    pub(super) is_vehicle: bool,
    rcs_m2: f64,
    looks: u32,
    /// Largest length and width that showed.
    shown: Shown,
    fastest_mps: f64,
    /// Whether boxes show it, or targets.
    is_boxed: bool,
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
        let (shown, is_vehicle, is_boxed) = (Shown::default(), false, false);
        Self { is_vehicle, rcs_m2: 0.0, looks: 0, shown, fastest_mps: 0.0, is_boxed }
    }

    /// Takes what a scan shows of it.
    pub(super) fn look(&mut self, group: &[Plot], yaw_rad: Option<f64>, speed_mps: f64) {
        self.looks += 1;
        if !self.is_new() {
            self.fastest_mps = self.fastest_mps.max(speed_mps);
        }
        let rcs_m2: f64 = group.iter().map(|plot| plot.rcs_m2).sum();
        self.rcs_m2 += (rcs_m2 - self.rcs_m2) / f64::from(self.looks).min(MEMORY);
        if let Some(largest) = largest(group) {
            self.is_boxed = true;
            let span = Span::of(self.parts(group), direction(&largest.1, yaw_rad));
            // Who is on foot may be wider than long; until it is known which way it goes the longer side is the length.
            let shown_m = span.high - span.low;
            let is_turned = shown_m.y > shown_m.x && (yaw_rad.is_none() || !self.is_vehicle);
            self.shown.look(if is_turned { shown_m.yx() } else { shown_m });
        } else if let Some(yaw_rad) = yaw_rad.filter(|_| self.is_vehicle) {
            let axis = Vector2::new(yaw_rad.cos(), yaw_rad.sin());
            let along = || group.iter().map(|plot| plot.at.dot(&axis));
            let spread_m = along().fold(f64::NEG_INFINITY, f64::max) - along().fold(f64::INFINITY, f64::min);
            // Grows slowly, so that one false target makes nobody a bus.
            self.shown.most_m[0] += (0.2 * (spread_m.min(LONGEST_M) - self.shown.most_m[0])).max(0.0);
        }
        let [length_m, width_m] = self.shown.most_m;
        let (is_long, rides) = (length_m >= VEHICLE_LENGTH_M, self.fastest_mps > RIDES_MPS);
        let is_large = rides && (is_long || length_m.max(width_m) >= VEHICLE_WIDTH_M);
        let [becomes, stays] = VEHICLE_RCS_M2;
        let is_bright = self.rcs_m2 >= if self.is_vehicle { stays } else { becomes };
        self.is_vehicle = (!self.is_new() && is_bright) || speed_mps > VEHICLE_MPS || is_large;
    }

    /// Whether the two together reflect as only a vehicle does: its parts do so one by one.
    pub(super) fn is_vehicle_with(&self, part: &Self) -> bool {
        !self.is_boxed && !self.is_new() && !part.is_new() && self.rcs_m2 + part.rcs_m2 >= PARTS_RCS_M2
    }

    /// Takes a part of it that was taken for another body.
    pub(super) fn join(&mut self, part: &Self) {
        self.rcs_m2 += part.rcs_m2;
        self.is_vehicle = true;
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
        let car = extent_of(ObjectClass::Car);
        if self.is_boxed {
            let [length, width] = self.shown.size(self.is_vehicle, self.fastest_mps);
            let height_m = if self.is_vehicle { car.height_m } else { 1.7 };
            return Extent { length_m: length.mean_m.min(LONGEST_M), width_m: width.mean_m, height_m };
        }
        let [length_m, width_m] = self.shown.most_m;
        if self.is_vehicle {
            return Extent {
                length_m: length_m.clamp(car.length_m, LONGEST_M),
                width_m: width_m.max(car.width_m),
                ..car
            };
        }
        // Somebody on foot or on a cycle.
        Extent { length_m: length_m.clamp(0.6, 2.0), width_m: width_m.clamp(0.6, 0.9), height_m: 1.7 }
    }

    /// The middle of the body of which `group` (not empty) shows, seen from a place; `expected` is where it should be.
    pub(super) fn middle(
        &self,
        group: &[Plot],
        yaw_rad: Option<f64>,
        from: Vector2<f64>,
        expected: Option<Vector2<f64>>,
    ) -> Middle {
        if let Some((_, largest)) = largest(group) {
            return self.behind_edges(self.parts(group), &largest, yaw_rad, from, expected);
        }
        let mut middle = self.behind_outline(group, yaw_rad, from);
        if !self.is_vehicle {
            middle.bias += Matrix2::identity() * UNRESOLVED_M.powi(2);
        }
        if let Some(yaw_rad) = yaw_rad.filter(|_| !self.is_vehicle && self.fastest_mps > RIDES_MPS) {
            let axis = Vector2::new(yaw_rad.cos(), yaw_rad.sin());
            middle.bias += axis * axis.transpose() * UNKNOWN_KIND_M.powi(2);
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

    /// The boxes that are of it: a vehicle shows in several, front and roof; of those beside somebody else one is theirs.
    fn parts<'a>(&self, group: &'a [Plot]) -> &'a [Plot] {
        match largest(group) {
            Some((place, _)) if !self.is_vehicle => &group[place..=place],
            _ => group,
        }
    }

    /// The near edges of boxes are where they are; the far ones are where the body ends.
    fn behind_edges(
        &self,
        group: &[Plot],
        largest: &Shape,
        yaw_rad: Option<f64>,
        from: Vector2<f64>,
        expected: Option<Vector2<f64>>,
    ) -> Middle {
        let axis_rad = direction(largest, yaw_rad);
        let span = Span::of(group, axis_rad);
        let middle = span.axes * (span.low + span.high) / 2.0;
        let ray = (middle - from).try_normalize(1e-6).unwrap_or(Vector2::x());
        let mut size = self.shown.size(self.is_vehicle, self.fastest_mps);
        if !self.is_vehicle && yaw_rad.is_none() && span.high.y - span.low.y > span.high.x - span.low.x {
            size.reverse();
        }
        let count = group.len() as f64;
        let mut noise = group.iter().map(|plot| plot.noise).sum::<Matrix2<f64>>() / count;
        let (mut at, mut bias) = (middle, Matrix2::zeros());
        for ((axis, size), shown_m) in span.axes.column_iter().zip(size).zip((span.high - span.low).iter()) {
            let along = axis * axis.transpose();
            let hidden_m = (size.mean_m - shown_m).max(0.0);
            // Seen from its end it is behind the near edge; from the side what shows may be any part of it.
            let end = (ray.dot(&axis) / FACES).clamp(-1.0, 1.0);
            at += axis * (end * hidden_m / 2.0);
            let is_nearer = expected.is_some_and(|expected| (at - expected).dot(&axis) * end < 0.0);
            let behind_m = if is_nearer { 0.0 } else { BEHIND_EDGE * hidden_m };
            noise += along * (behind_m.powi(2) + (1.0 - end * end) * hidden_m.powi(2) / 12.0);
            bias += along * ((size.sigma_m / 2.0).powi(2) + (BEHIND_EDGE_BIAS * hidden_m).powi(2));
        }
        if !self.is_vehicle {
            bias += Matrix2::identity() * (ANYWHERE * self.shown.several_m(self.fastest_mps)).powi(2);
        }
        Middle { at, noise, bias }
    }
}

/// What shows along and across a direction.
struct Span {
    axes: Matrix2<f64>,
    low: Vector2<f64>,
    high: Vector2<f64>,
}

impl Span {
    fn of(group: &[Plot], axis_rad: f64) -> Self {
        let axes = turned(axis_rad);
        let (mut low, mut high) = (Vector2::repeat(f64::INFINITY), Vector2::repeat(f64::NEG_INFINITY));
        for (plot, shape) in group.iter().filter_map(|plot| Some((plot, plot.shape?))) {
            let middle = axes.transpose() * plot.at;
            // The sides of a box lie along those of the body: what they seem to be turned by is an error of either direction.
            let is_turned = (shape.yaw_rad - axis_rad).sin().abs() > std::f64::consts::FRAC_1_SQRT_2;
            let sides = Vector2::new(shape.length_m, shape.width_m) / 2.0;
            let half = if is_turned { sides.yx() } else { sides };
            (low, high) = (low.inf(&(middle - half)), high.sup(&(middle + half)));
        }
        Self { axes, low, high }
    }
}

/// The axes of a body of a direction, as columns.
fn turned(axis_rad: f64) -> Matrix2<f64> {
    let (sin, cos) = axis_rad.sin_cos();
    Matrix2::new(cos, -sin, sin, cos)
}

/// The largest box and its place in the group.
fn largest(group: &[Plot]) -> Option<(usize, Shape)> {
    let boxes = group.iter().enumerate().filter_map(|(place, plot)| Some((place, plot.shape?)));
    boxes.max_by(|(_, a), (_, b)| (a.length_m * a.width_m).total_cmp(&(b.length_m * b.width_m)))
}

/// Direction of a body's length: of its motion, which a long box knows better.
fn direction(largest: &Shape, yaw_rad: Option<f64>) -> f64 {
    let Some(yaw_rad) = yaw_rad else { return largest.yaw_rad };
    // Either side of the box may be the length.
    let quarter = std::f64::consts::FRAC_PI_2;
    let off_rad = largest.yaw_rad - yaw_rad;
    let off_rad = off_rad - (off_rad / quarter).round() * quarter;
    let tells = largest.length_m >= TELLS_YAW_M && off_rad.abs() <= YAW_TOLERANCE_RAD;
    if tells { yaw_rad + off_rad } else { yaw_rad }
}
