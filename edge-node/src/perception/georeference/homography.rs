//! Plane-to-plane mappings and their fit to point pairs.
//!
//! In: pairs of a pixel and a ground point. Out: the 3×3 mapping, its Jacobian, its inverse, and how sure the fit is of
//! it. The fit is the normalised direct linear transform, refined by Gauss–Newton on the ground distance.

use nalgebra::{Matrix2, Matrix3, SMatrix, SVector, Vector2, Vector3};

/// Gauss–Newton steps at most; well-spread points need three.
const MAX_STEPS: usize = 30;
/// Ratio of the second-smallest to the largest eigenvalue of the design matrix below which the points lie on a line.
const DEGENERATE: f64 = 1e-9;

/// A homography. `w`, the third homogeneous coordinate, is positive on the side that is in front of the camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Homography {
    matrix: Matrix3<f64>,
}

impl Homography {
    /// From a matrix whose `w` is made positive at `visible`; `None` if the matrix is singular or `visible` is on its
    /// horizon.
    pub(crate) fn new(matrix: Matrix3<f64>, visible: Vector2<f64>) -> Option<Self> {
        let scale = matrix.abs().max();
        let w = (matrix * visible.push(1.0)).z / scale;
        let usable = scale.is_finite() && w.abs() > 1e-12 && matrix.try_inverse().is_some();
        usable.then(|| Self { matrix: matrix * (w.signum() / scale) })
    }

    /// The image of `p`, the Jacobian there; `None` on or beyond the horizon, and for what is not a number.
    pub(crate) fn apply(&self, p: Vector2<f64>) -> Option<(Vector2<f64>, Matrix2<f64>)> {
        let q: Vector3<f64> = self.matrix * p.push(1.0);
        if q.z <= 1e-12 || !q.iter().all(|v| v.is_finite()) {
            return None;
        }
        let image = q.xy() / q.z;
        let m = &self.matrix;
        let row = |i: usize| [(m[(i, 0)] - image[i] * m[(2, 0)]) / q.z, (m[(i, 1)] - image[i] * m[(2, 1)]) / q.z];
        let (r0, r1) = (row(0), row(1));
        Some((image, Matrix2::new(r0[0], r0[1], r1[0], r1[1])))
    }

    /// The inverse mapping; its visible side is the image of this one's.
    pub(crate) fn inverse(&self, visible: Vector2<f64>) -> Option<Self> {
        let (image, _) = self.apply(visible)?;
        Self::new(self.matrix.try_inverse()?, image)
    }
}

/// A fitted mapping with the covariance of its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    /// The mapping from pixels to ground metres.
    pub(crate) homography: Homography,
    /// Distance of each mapped pixel from its ground point, metres.
    pub(crate) residuals_m: Vec<f64>,
    normalise_pixel: Matrix3<f64>,
    denormalise_ground: Matrix3<f64>,
    parameters: SVector<f64, 8>,
    /// (JᵀJ)⁻¹ in normalised units: multiplied by the variance of a ground point it is the parameters' covariance.
    cofactors: SMatrix<f64, 8, 8>,
    ground_scale: f64,
}

impl Fit {
    /// Fits at least four pairs; the error says in words why they do not determine a mapping.
    pub(crate) fn new(pairs: &[(Vector2<f64>, Vector2<f64>)]) -> Result<Self, &'static str> {
        if pairs.len() < 4 {
            return Err("needs at least four points");
        }
        let pixels = normalisation(pairs.iter().map(|p| p.0)).ok_or("the pixels coincide")?;
        let ground = normalisation(pairs.iter().map(|p| p.1)).ok_or("the ground points coincide")?;
        let map = |t: &Matrix3<f64>, p: Vector2<f64>| (t * p.push(1.0)).xy();
        let scaled: Vec<_> = pairs.iter().map(|(p, g)| (map(&pixels, *p), map(&ground, *g))).collect();

        let mut parameters = direct_linear_transform(&scaled)?;
        let mut cofactors = None;
        for _ in 0..MAX_STEPS {
            let (normal, gradient) = normal_equations(&parameters, &scaled);
            let solver = normal.cholesky().ok_or("three or more of the points lie on a line")?;
            let step = solver.solve(&gradient);
            parameters -= step;
            cofactors = Some(solver.inverse());
            if step.norm() < 1e-13 {
                break;
            }
        }
        let denormalise_ground = ground.try_inverse().ok_or("the ground points coincide")?;
        let matrix = denormalise_ground * matrix_of(&parameters) * pixels;
        let homography = Homography::new(matrix, pairs[0].0).ok_or("the fitted mapping is singular")?;
        let residuals_m = pairs
            .iter()
            .map(|(p, g)| homography.apply(*p).map(|(image, _)| (image - g).norm()))
            .collect::<Option<Vec<_>>>()
            .ok_or("the points lie on both sides of the fitted horizon")?;
        Ok(Self {
            homography,
            residuals_m,
            normalise_pixel: pixels,
            denormalise_ground,
            parameters,
            cofactors: cofactors.ok_or("the fit did not run")?,
            ground_scale: ground[(0, 0)].recip(),
        })
    }

    /// Standard deviation of a ground coordinate that the residuals speak for; `None` without redundant points.
    pub(crate) fn unit_sigma_m(&self) -> Option<f64> {
        let redundancy = 2 * self.residuals_m.len() as i64 - 8;
        let squares: f64 = self.residuals_m.iter().map(|r| r * r).sum();
        (redundancy > 0).then(|| (squares / redundancy as f64).sqrt())
    }

    /// Covariance (m²) of the ground point of `pixel` that comes from the reference points, each with `sigma_m`.
    pub(crate) fn covariance(&self, pixel: Vector2<f64>, sigma_m: f64) -> Matrix2<f64> {
        let p = (self.normalise_pixel * pixel.push(1.0)).xy();
        let (_, jacobian) = evaluate(&self.parameters, p);
        let scale = self.denormalise_ground.fixed_view::<2, 2>(0, 0);
        let variance = (sigma_m / self.ground_scale).powi(2);
        scale * (jacobian * self.cofactors * jacobian.transpose()) * scale.transpose() * variance
    }
}

/// Hartley's normalisation: centroid to the origin, mean distance √2. `None` when all points coincide.
fn normalisation(points: impl Iterator<Item = Vector2<f64>> + Clone) -> Option<Matrix3<f64>> {
    let count = points.clone().count() as f64;
    let centre = points.clone().sum::<Vector2<f64>>() / count;
    let spread = points.map(|p| (p - centre).norm()).sum::<f64>() / count;
    let scale = std::f64::consts::SQRT_2 / spread;
    scale.is_finite().then(|| Matrix3::new(scale, 0.0, -scale * centre.x, 0.0, scale, -scale * centre.y, 0.0, 0.0, 1.0))
}

fn direct_linear_transform(pairs: &[(Vector2<f64>, Vector2<f64>)]) -> Result<SVector<f64, 8>, &'static str> {
    let mut normal = SMatrix::<f64, 9, 9>::zeros();
    for (p, g) in pairs {
        for (axis, value) in [(0, g.x), (3, g.y)] {
            let mut row = SVector::<f64, 9>::zeros();
            row.fixed_rows_mut::<3>(axis).copy_from(&p.push(1.0));
            row.fixed_rows_mut::<3>(6).copy_from(&(-value * p.push(1.0)));
            normal += row * row.transpose();
        }
    }
    let eigen = normal.symmetric_eigen();
    let mut order: [usize; 9] = std::array::from_fn(|i| i);
    order.sort_by(|&a, &b| eigen.eigenvalues[a].total_cmp(&eigen.eigenvalues[b]));
    if eigen.eigenvalues[order[1]] < DEGENERATE * eigen.eigenvalues[order[8]] {
        return Err("three or more of the points lie on a line");
    }
    let h = eigen.eigenvectors.column(order[0]);
    // In normalised coordinates the last element is `w` at the centroid: zero only if the horizon runs through it.
    if h[8].abs() < 1e-9 {
        return Err("the fitted horizon runs through the points");
    }
    Ok(SVector::<f64, 8>::from_fn(|i, _| h[i] / h[8]))
}

fn normal_equations(
    parameters: &SVector<f64, 8>,
    pairs: &[(Vector2<f64>, Vector2<f64>)],
) -> (SMatrix<f64, 8, 8>, SVector<f64, 8>) {
    let (mut normal, mut gradient) = (SMatrix::zeros(), SVector::zeros());
    for (p, g) in pairs {
        let (image, jacobian) = evaluate(parameters, *p);
        normal += jacobian.transpose() * jacobian;
        gradient += jacobian.transpose() * (image - g);
    }
    (normal, gradient)
}

/// The mapping with its last element fixed to one, and the Jacobian of the image by the eight parameters.
fn evaluate(h: &SVector<f64, 8>, p: Vector2<f64>) -> (Vector2<f64>, SMatrix<f64, 2, 8>) {
    let q = matrix_of(h) * p.push(1.0);
    let (u, v, w) = (q.x / q.z, q.y / q.z, q.z.recip());
    let mut jacobian = SMatrix::<f64, 2, 8>::zeros();
    for (column, value) in [(0, p.x), (1, p.y), (2, 1.0)] {
        jacobian[(0, column)] = value * w;
        jacobian[(1, column + 3)] = value * w;
    }
    for (column, value) in [(6, p.x), (7, p.y)] {
        jacobian[(0, column)] = -u * value * w;
        jacobian[(1, column)] = -v * value * w;
    }
    (Vector2::new(u, v), jacobian)
}

fn matrix_of(h: &SVector<f64, 8>) -> Matrix3<f64> {
    Matrix3::new(h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera 8 m up, looking 20° down along north: pixels (800×600, f = 700) of points of the plane.
    fn camera() -> Matrix3<f64> {
        let (s, c) = 20f64.to_radians().sin_cos();
        let k = Matrix3::new(700.0, 0.0, 400.0, 0.0, 700.0, 300.0, 0.0, 0.0, 1.0);
        k * Matrix3::new(1.0, 0.0, 0.0, 0.0, -s, 8.0 * c, 0.0, c, 8.0 * s)
    }

    fn pairs(noise: &[f64]) -> Vec<(Vector2<f64>, Vector2<f64>)> {
        let to_pixel = Homography::new(camera(), Vector2::new(0.0, 20.0)).unwrap();
        [[-6.0, 12.0], [7.0, 14.0], [-9.0, 30.0], [10.0, 35.0], [1.0, 20.0], [-3.0, 50.0]]
            .iter()
            .enumerate()
            .map(|(i, g)| {
                let ground = Vector2::new(g[0], g[1]);
                let shift = Vector2::new(noise[(2 * i) % noise.len()], noise[(2 * i + 1) % noise.len()]);
                (to_pixel.apply(ground).unwrap().0, ground + shift)
            })
            .collect()
    }

    #[test]
    fn exact_points_give_the_exact_mapping_and_its_inverse() {
        let fit = Fit::new(&pairs(&[0.0])).unwrap();
        assert!(fit.residuals_m.iter().all(|r| *r < 1e-9), "{:?}", fit.residuals_m);
        let pixel = Vector2::new(321.0, 444.0);
        let (ground, _) = fit.homography.apply(pixel).unwrap();
        let back = fit.homography.inverse(pixel).unwrap().apply(ground).unwrap().0;
        assert!((back - pixel).norm() < 1e-9);
        let expected = Homography::new(camera().try_inverse().unwrap(), pixel).unwrap().apply(pixel).unwrap().0;
        assert!((ground - expected).norm() < 1e-9, "{ground} {expected}");
    }

    #[test]
    fn the_sky_has_no_ground() {
        let fit = Fit::new(&pairs(&[0.0])).unwrap();
        // The horizon of this camera is at 300 - 700·tan 20° = 45.2 px.
        assert!(fit.homography.apply(Vector2::new(400.0, 46.0)).is_some());
        assert!(fit.homography.apply(Vector2::new(400.0, 44.0)).is_none());
        assert!(fit.homography.apply(Vector2::new(400.0, -5e3)).is_none());
        for wild in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(fit.homography.apply(Vector2::new(wild, 300.0)).is_none());
            assert!(fit.homography.apply(Vector2::new(400.0, wild)).is_none());
        }
    }

    #[test]
    fn refinement_does_not_leave_a_better_mapping_behind() {
        let noisy = pairs(&[0.2, -0.1, 0.05, 0.3, -0.25, 0.15, -0.1]);
        let fit = Fit::new(&noisy).unwrap();
        let cost = |h: &SVector<f64, 8>| {
            let scaled = |p: Vector2<f64>| (fit.normalise_pixel * p.push(1.0)).xy();
            let ground = |g: Vector2<f64>| (fit.denormalise_ground * g.push(1.0)).xy();
            noisy.iter().map(|(p, g)| (ground(evaluate(h, scaled(*p)).0) - g).norm_squared()).sum::<f64>()
        };
        let best = cost(&fit.parameters);
        for i in 0..8 {
            for step in [-1e-4, 1e-4] {
                let mut moved = fit.parameters;
                moved[i] += step;
                assert!(cost(&moved) > best, "parameter {i} {step}");
            }
        }
        assert!(fit.unit_sigma_m().unwrap() > 0.05);
    }

    #[test]
    fn covariance_grows_away_from_the_points() {
        let fit = Fit::new(&pairs(&[0.0])).unwrap();
        let near = fit.covariance(Vector2::new(400.0, 300.0), 0.2).trace();
        let far = fit.covariance(Vector2::new(400.0, 80.0), 0.2).trace();
        assert!(near > 0.0 && far > 20.0 * near, "{near} {far}");
    }

    #[test]
    fn points_on_a_line_are_refused() {
        let line: Vec<_> =
            (0..5).map(|i| (Vector2::new(f64::from(i), 2.0 * f64::from(i)), Vector2::new(f64::from(i), 1.0))).collect();
        assert!(Fit::new(&line).is_err());
        assert!(Fit::new(&pairs(&[0.0])[..3]).is_err());
    }
}
