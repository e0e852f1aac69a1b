//! Levenberg and Marquardt's minimisation over what can be fitted of a camera.
//!
//! In: a camera, which of its parameters are free, and a function that linearises the cost at a camera. Out: the camera of
//! least cost and the normal equations there, whose inverse is the covariance of the parameters.

use super::super::camera_model::{CameraModel, Change, PARAMETERS};
use nalgebra::{DMatrix, DVector, Matrix3, RowSVector, SMatrix, Vector2, Vector3};

/// Steps at most; a fit from a fair start needs ten.
const MAX_STEPS: usize = 60;
/// Beyond this standardised residual the cost grows linearly (Huber).
const HUBER: f64 = 1.5;

/// Which parameters a fit may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Free([bool; PARAMETERS]);

impl Free {
    /// Position and turn.
    pub(crate) const POSE: Self = Self([true, true, true, true, true, true, false]);
    /// Position, turn and focal length.
    pub(crate) const POSE_AND_FOCAL: Self = Self([true; PARAMETERS]);
    /// The turn alone.
    pub(crate) const TURN: Self = Self([false, false, false, true, true, true, false]);

    fn indices(self) -> impl Iterator<Item = usize> {
        (0..PARAMETERS).filter(move |i| self.0[*i])
    }

    /// How many they are.
    pub(crate) fn count(self) -> usize {
        self.indices().count()
    }
}

/// Normal equations of weighted least squares, and the cost.
#[derive(Clone, Debug)]
pub(crate) struct Normal {
    hessian: SMatrix<f64, PARAMETERS, PARAMETERS>,
    gradient: Change,
    /// Sum of the robust costs of all residuals.
    pub(crate) cost: f64,
}

impl Default for Normal {
    fn default() -> Self {
        Self { hessian: SMatrix::zeros(), gradient: Change::zeros(), cost: 0.0 }
    }
}

impl Normal {
    /// Adds a standardised residual (divided by its standard deviation) with its derivatives.
    pub(crate) fn add(&mut self, residual: f64, by: &RowSVector<f64, PARAMETERS>) {
        self.add_weighted(residual, by, huber_weight(residual.abs()));
        self.cost += huber_cost(residual.abs());
    }

    /// Adds two standardised residuals of one point, which are outliers together or not at all.
    pub(crate) fn add_point(&mut self, residual: Vector2<f64>, by: &SMatrix<f64, 2, PARAMETERS>) {
        let size = residual.norm();
        for axis in 0..2 {
            self.add_weighted(residual[axis], &by.row(axis).into_owned(), huber_weight(size));
        }
        self.cost += huber_cost(size);
    }

    /// Adds standardised residuals that are outliers together or not at all, with their derivatives by the turn. They are as
    /// likely as a mixture says of those that fit and of those that are off by anything, whose cost is above that of
    /// residuals of unit variance by `outlier`.
    pub(crate) fn add_turn_block(&mut self, residual: &DVector<f64>, by_turn: &DMatrix<f64>, outlier: f64) {
        let fits = 0.5 * residual.norm_squared();
        let off = Self::outlier_block(residual.len(), outlier);
        let weight = (1.0 + (fits - off).exp()).recip();
        let (hessian, gradient) = (by_turn.transpose() * by_turn * weight, by_turn.transpose() * residual * weight);
        let mut block = self.hessian.fixed_view_mut::<3, 3>(3, 3);
        block += hessian;
        let mut rows = self.gradient.fixed_rows_mut::<3>(3);
        rows += gradient;
        let least = fits.min(off);
        self.cost += least - (1.0 + (least - fits.max(off)).exp()).ln();
    }

    /// What a block of `count` residuals costs that is an outlier.
    pub(crate) fn outlier_block(count: usize, outlier: f64) -> f64 {
        0.5 * count as f64 + outlier
    }

    /// Adds what is known beforehand: the change from there, each parameter with its standard deviation.
    pub(crate) fn add_prior(&mut self, change: &Change, sigma: &Change) {
        for i in 0..PARAMETERS {
            let mut by = RowSVector::zeros();
            by[i] = sigma[i].recip();
            self.add_weighted(change[i] / sigma[i], &by, 1.0);
            self.cost += 0.5 * (change[i] / sigma[i]).powi(2);
        }
    }

    /// Adds what is known of the turn from elsewhere: how far it is off that, radians, with the information of that.
    pub(crate) fn add_turn_off(&mut self, off_rad: &Vector3<f64>, information: &Matrix3<f64>) {
        let mut block = self.hessian.fixed_view_mut::<3, 3>(3, 3);
        block += information;
        let mut rows = self.gradient.fixed_rows_mut::<3>(3);
        rows += information * off_rad;
        self.cost += 0.5 * off_rad.dot(&(information * off_rad));
    }

    fn add_weighted(&mut self, residual: f64, by: &RowSVector<f64, PARAMETERS>, weight: f64) {
        let transposed = by.transpose();
        self.hessian += transposed * by * weight;
        self.gradient += transposed * (residual * weight);
    }

    /// The step to the minimum of the damped quadratic.
    fn step(&self, free: Free, damping: f64) -> Option<Change> {
        let (mut hessian, gradient) = self.reduced(free);
        for i in 0..hessian.nrows() {
            hessian[(i, i)] *= 1.0 + damping;
        }
        let solution = hessian.cholesky()?.solve(&gradient);
        let mut step = Change::zeros();
        for (place, i) in free.indices().enumerate() {
            step[i] = -solution[place];
        }
        step.iter().all(|v| v.is_finite()).then_some(step)
    }

    /// Covariance of the parameters for residuals of unit variance; zero where they are not free. `None` where the residuals
    /// do not determine them.
    pub(crate) fn covariance(&self, free: Free) -> Option<SMatrix<f64, PARAMETERS, PARAMETERS>> {
        let inverse = self.reduced(free).0.cholesky()?.inverse();
        let mut covariance = SMatrix::zeros();
        for (row, i) in free.indices().enumerate() {
            for (column, j) in free.indices().enumerate() {
                covariance[(i, j)] = inverse[(row, column)];
            }
        }
        Some(covariance)
    }

    fn reduced(&self, free: Free) -> (DMatrix<f64>, DVector<f64>) {
        let indices: Vec<_> = free.indices().collect();
        let hessian = DMatrix::from_fn(indices.len(), indices.len(), |r, c| self.hessian[(indices[r], indices[c])]);
        (hessian, DVector::from_fn(indices.len(), |r, _| self.gradient[indices[r]]))
    }
}

fn huber_weight(size: f64) -> f64 {
    if size <= HUBER { 1.0 } else { HUBER / size }
}

/// What a residual of that size costs.
pub(crate) fn huber_cost(size: f64) -> f64 {
    if size <= HUBER { 0.5 * size * size } else { HUBER * (size - 0.5 * HUBER) }
}

/// The camera of least cost near `start`. `None` where the cost is not defined at the start or determines nothing.
pub(crate) fn minimise(
    start: CameraModel,
    free: Free,
    linearise: impl Fn(&CameraModel) -> Option<Normal>,
) -> Option<(CameraModel, Normal)> {
    let mut best = (start, linearise(&start)?);
    let mut damping = 1e-3;
    for _ in 0..MAX_STEPS {
        let step = best.1.step(free, damping)?;
        let model = best.0.changed(&step);
        match linearise(&model).filter(|normal| normal.cost <= best.1.cost) {
            Some(normal) => {
                let gain = best.1.cost - normal.cost;
                let settled = gain <= 1e-12 * (1.0 + best.1.cost);
                best = (model, normal);
                damping = f64::max(damping * 0.2, 1e-12);
                if settled {
                    break;
                }
            }
            None if damping > 1e9 => break,
            None => damping *= 8.0,
        }
    }
    Some(best)
}
