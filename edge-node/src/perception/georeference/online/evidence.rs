//! How well a camera's turn explains what the traffic has shown.
//!
//! The residuals of a group are metres on the ground: across the lane that fits the group best, or from where the station
//! says it is. Each has the noise of its pixel, and all of a group share the vehicle's own bias.

use super::super::camera_model::CameraModel;
use super::super::fit::minimise::Normal;
use super::footing::Place;
use super::window::{MIN_SAMPLES, Sample};
use super::{LaneLine, angle_between};
use nalgebra::{DMatrix, DVector, Matrix2, SMatrix, Vector2};

/// Wandering within the lane, and error of a station's time at its speed: what changes from sample to sample, metres.
const WANDER_M: f64 = 0.2;
/// A vehicle that drives across the direction of a lane by more than this is not in it, radians.
const MAX_ANGLE_RAD: f64 = 0.35;
/// What it costs a vehicle to be anywhere: a few in a hundred change lanes, cut a corner or were taken for another one.
const OUTLIER: f64 = 7.0;

/// From so many vehicles in their lanes on it is known how well they keep to them and how good their boxes are …
const MANY: usize = 6;
/// … which is never better than this share of what is expected: that cars of one class differ in size is the same for long.
const LEAST_NOISE: f64 = 0.5;

/// How well a camera's turn explains what was seen.
pub(super) struct Quality {
    /// Mean square of the standardised residuals of the groups that are explained.
    pub(super) spread: f64,
    /// The share of all groups they are.
    pub(super) explained: f64,
    /// What the median vehicle's residuals are against what is expected; `None` where they are too few to tell.
    pub(super) noise: Option<f64>,
}

pub(super) struct Evidence<'a> {
    pub(super) groups: Vec<&'a [Sample]>,
    pub(super) lanes: &'a [LaneLine],
    pub(super) ground_m: f64,
    pub(super) lane_sigma_m: f64,
    pub(super) station_sigma_m: f64,
    /// What the residuals of lanes are against what is expected of them, as a factor.
    pub(super) noise: f64,
}

/// A vehicle's middle at one instant, as a camera has it.
struct Middle {
    place: Vector2<f64>,
    by_turn: SMatrix<f64, 2, 3>,
    covariance: Matrix2<f64>,
}

/// Residuals of a group, of unit variance and independent, with their derivatives by the turn.
struct Whitened {
    residual: DVector<f64>,
    by_turn: DMatrix<f64>,
    /// Samples that have no residual.
    silent: usize,
}

impl Whitened {
    /// From residuals of unit variance to which a common bias is added: along each column of `common`, as large as that
    /// column. The columns are at right angles.
    fn new(mut residual: DVector<f64>, mut by_turn: DMatrix<f64>, common: &[DVector<f64>]) -> Self {
        for column in common {
            let squared = column.norm_squared();
            if squared > 1e-12 {
                // (I + c cᵀ)^(-1/2) = I − share · c cᵀ.
                let share = (1.0 - (1.0 + squared).sqrt().recip()) / squared;
                residual -= column * (column.dot(&residual) * share);
                by_turn -= column * (column.transpose() * &by_turn) * share;
            }
        }
        Self { residual, by_turn, silent: 0 }
    }

    fn scaled(self, by: f64) -> Self {
        Self { residual: self.residual * by, by_turn: self.by_turn * by, ..self }
    }

    /// Mean square of the residuals.
    fn size(&self) -> f64 {
        self.residual.norm_squared() / self.residual.len() as f64
    }

    /// Whether it is more likely to be that than anything.
    fn fits(&self) -> bool {
        0.5 * self.residual.norm_squared() < Normal::outlier_block(self.residual.len(), OUTLIER)
    }
}

/// How many residuals a group has.
fn count(group: &[Sample]) -> usize {
    if group[0].known.is_some() { 2 * group.len() } else { group.len() }
}

impl Evidence<'_> {
    /// Adds what the groups say at a camera.
    pub(super) fn add_to(&self, model: &CameraModel, normal: &mut Normal) {
        for group in &self.groups {
            match self.explained(model, group) {
                // Residuals fewer than samples: the rest is as good as noise, or a turn would gain by silencing them.
                Some(whitened) => {
                    normal.add_turn_block(&whitened.residual, &whitened.by_turn, OUTLIER);
                    normal.cost += 0.5 * whitened.silent as f64;
                }
                None => normal.cost += Normal::outlier_block(count(group), OUTLIER),
            }
        }
    }

    /// How well the groups are explained.
    pub(super) fn quality(&self, model: &CameraModel) -> Quality {
        let explained = |group: &&[Sample]| self.explained(model, group).map(|whitened| (group[0].known, whitened));
        let explained: Vec<_> = self.groups.iter().filter_map(explained).collect();
        let residuals: usize = explained.iter().map(|(_, w)| w.residual.len()).sum();
        let squares: f64 = explained.iter().map(|(_, w)| w.residual.norm_squared()).sum();
        let mut in_lanes: Vec<f64> =
            explained.iter().filter(|(known, _)| known.is_none()).map(|(_, w)| w.size()).collect();
        in_lanes.sort_by(f64::total_cmp);
        let is_many = in_lanes.len() >= MANY;
        Quality {
            spread: squares / (residuals.max(4) - 3) as f64,
            explained: explained.len() as f64 / self.groups.len().max(1) as f64,
            noise: is_many.then(|| (self.noise * in_lanes[in_lanes.len() / 2].sqrt()).clamp(LEAST_NOISE, 1.0)),
        }
    }

    fn explained(&self, model: &CameraModel, group: &[Sample]) -> Option<Whitened> {
        let middles: Vec<Middle> = group.iter().map(|s| self.middle(model, s)).collect::<Option<_>>()?;
        let best = match group[0].known {
            Some(_) => self.by_station(group, &middles),
            None => {
                let lanes = self.lanes.iter().filter_map(|lane| self.by_lane(lane, group, &middles));
                lanes.min_by(|a, b| a.size().total_cmp(&b.size())).map(|lane| lane.scaled(self.noise.recip()))
            }
        };
        best.filter(Whitened::fits)
    }

    fn middle(&self, model: &CameraModel, sample: &Sample) -> Option<Middle> {
        let hit = model.to_ground(sample.footing.pixel, self.ground_m)?;
        Some(Middle {
            place: Vector2::new(hit.point.e_m, hit.point.n_m) - sample.place.offset,
            by_turn: hit.by_pose.fixed_columns::<3>(3).into_owned(),
            covariance: hit.by_pixel * hit.by_pixel.transpose() * sample.sigma_px.powi(2)
                + Matrix2::from_diagonal_element(WANDER_M * WANDER_M),
        })
    }

    /// East and north from where the station says it is.
    fn by_station(&self, group: &[Sample], middles: &[Middle]) -> Option<Whitened> {
        let count = 2 * middles.len();
        let mut residual = DVector::zeros(count);
        let mut by_turn = DMatrix::zeros(count, 3);
        let mut common = SMatrix::<f64, 2, 2>::zeros();
        let mut bias = DMatrix::zeros(count, 2);
        for (i, (sample, middle)) in group.iter().zip(middles).enumerate() {
            let whiten = middle.covariance.cholesky()?.l().try_inverse()?;
            residual.fixed_rows_mut::<2>(2 * i).copy_from(&(whiten * (middle.place - sample.known?)));
            by_turn.fixed_view_mut::<2, 3>(2 * i, 0).copy_from(&(whiten * middle.by_turn));
            let stated = whiten * self.station_sigma_m;
            bias.fixed_view_mut::<2, 2>(2 * i, 0).copy_from(&stated);
            common += stated.transpose() * stated;
        }
        // Turned so that the two directions of the bias are at right angles in what they do to the residuals.
        let bias = bias * common.symmetric_eigen().eigenvectors;
        Some(Whitened::new(residual, by_turn, &[bias.column(0).into_owned(), bias.column(1).into_owned()]))
    }

    /// Across a lane; `None` where the vehicle was not in it. What it did beyond the lane's ends and in its turn says nothing.
    fn by_lane(&self, lane: &LaneLine, group: &[Sample], middles: &[Middle]) -> Option<Whitened> {
        let count = middles.len();
        let mut used = 0;
        let mut residual = DVector::zeros(count);
        let mut by_turn = DMatrix::zeros(count, 3);
        let mut bias = DVector::zeros(count);
        for (sample, middle) in group.iter().zip(middles) {
            let Some((segment, offset_m, along)) = beside(&lane.points_m, middle.place) else { continue };
            if Some(segment) == lane.turn {
                continue;
            }
            if offset_m.abs() > lane.width_m {
                return None;
            }
            // A vehicle that has just come into view has no direction yet.
            if angle_between(sample.place.yaw_rad, along.y.atan2(along.x)) > MAX_ANGLE_RAD {
                continue;
            }
            let left = Vector2::new(-along.y, along.x);
            let sigma_m = left.dot(&(middle.covariance * left)).sqrt();
            residual[used] = offset_m / sigma_m;
            by_turn.row_mut(used).copy_from(&(left.transpose() * middle.by_turn / sigma_m));
            bias[used] = self.lane_sigma_m / sigma_m;
            used += 1;
        }
        let silent = count - used;
        if used < MIN_SAMPLES || silent > used {
            return None;
        }
        let bias = bias.rows(0, used).into_owned();
        let whitened = Whitened::new(residual.rows(0, used).into_owned(), by_turn.rows(0, used).into_owned(), &[bias]);
        Some(Whitened { silent, ..whitened })
    }
}

/// The direction of the lane in which a vehicle is, radians; `None` where it is in none or turns.
pub(super) fn lane_yaw_rad(lanes: &[LaneLine], place: &Place) -> Option<f64> {
    let beside = lanes.iter().filter_map(|lane| {
        let (segment, offset_m, along) = beside(&lane.points_m, place.middle)?;
        let yaw_rad = along.y.atan2(along.x);
        let is_in_it = Some(segment) != lane.turn
            && offset_m.abs() <= lane.width_m
            && angle_between(place.yaw_rad, yaw_rad) <= MAX_ANGLE_RAD;
        is_in_it.then_some((offset_m.abs(), yaw_rad))
    });
    beside.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, yaw_rad)| yaw_rad)
}

/// Beside which segment of a line a point lies, how far left, and the line's direction there; `None` beyond its ends.
fn beside(line: &[[f64; 2]], point: Vector2<f64>) -> Option<(usize, f64, Vector2<f64>)> {
    let mut best: Option<(usize, f64, Vector2<f64>)> = None;
    for (segment, ends) in line.windows(2).enumerate() {
        let [a, b] = [Vector2::from(ends[0]), Vector2::from(ends[1])];
        let Some(along) = (b - a).try_normalize(1e-6) else { continue };
        let share = (point - a).dot(&along);
        if !(0.0..=(b - a).norm()).contains(&share) {
            continue;
        }
        let left = along.perp(&(point - a));
        if best.is_none_or(|(_, nearest, _)| left.abs() < nearest.abs()) {
            best = Some((segment, left, along));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_of_a_line_is_positive_and_beyond_it_is_nothing() {
        let line = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]];
        let at = |e, n| beside(&line, Vector2::new(e, n)).map(|(_, left, _)| left);
        assert_eq!(at(5.0, 1.0), Some(1.0));
        assert_eq!(at(5.0, -2.0), Some(-2.0));
        assert_eq!(at(12.0, 5.0), Some(-2.0));
        assert_eq!(at(-1.0, -5.0), None);
        assert_eq!(beside(&line[..1], Vector2::zeros()), None);
    }

    #[test]
    fn a_common_bias_leaves_the_trend() {
        // Four residuals that agree say one thing with the bias's doubt; their slope is known as well as their noise.
        const NOISE: f64 = 0.1;
        let by_turn = DMatrix::from_column_slice(4, 3, &[1.0, 1.0, 1.0, 1.0, -1.5, -0.5, 0.5, 1.5, 0.0, 0.0, 0.0, 0.0]);
        let whitened =
            Whitened::new(DVector::repeat(4, 1.0 / NOISE), by_turn / NOISE, &[DVector::repeat(4, 1.0 / NOISE)]);
        let information = whitened.by_turn.transpose() * &whitened.by_turn;
        assert!((information[(0, 0)].recip().sqrt() - 1.0).abs() < 0.01, "{information}");
        assert!((information[(1, 1)].recip().sqrt() - 0.1 / 5f64.sqrt()).abs() < 1e-6, "{information}");
    }
}
