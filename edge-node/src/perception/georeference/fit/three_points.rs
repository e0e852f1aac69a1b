//! The poses from which a camera sees three points in three given directions.
//!
//! Grunert's solution (1841) as Haralick and others give it (Review and analysis of solutions of the three point
//! perspective pose estimation problem, IJCV 13, 1994): a quartic in the ratio of two distances, at most four poses.

use nalgebra::{Matrix3, Rotation3, Vector3};

/// Ratios of distances between which roots are looked for, and into how many steps the range is divided.
const RATIOS: (f64, f64) = (0.01, 100.0);
const STEPS: u32 = 160;
/// Halvings of a step that holds a root.
const HALVINGS: u32 = 50;

/// Every camera (position; rows of the rotation are its axes) that sees `points` along the unit vectors `rays`.
pub(super) fn poses(points: &[Vector3<f64>; 3], rays: &[Vector3<f64>; 3]) -> Vec<(Vector3<f64>, Rotation3<f64>)> {
    let squared = |i: usize, j: usize| (points[i] - points[j]).norm_squared();
    let (a2, b2, c2) = (squared(1, 2), squared(0, 2), squared(0, 1));
    let (cos_a, cos_b, cos_c) = (rays[1].dot(&rays[2]), rays[0].dot(&rays[2]), rays[0].dot(&rays[1]));
    if a2.min(b2).min(c2) < 1e-6 {
        return Vec::new();
    }
    let (q, p) = ((a2 - c2) / b2, (a2 + c2) / b2);
    let quartic = [
        (q - 1.0).powi(2) - 4.0 * c2 / b2 * cos_a * cos_a,
        4.0 * (q * (1.0 - q) * cos_b - (1.0 - p) * cos_a * cos_c + 2.0 * c2 / b2 * cos_a * cos_a * cos_b),
        2.0 * (q * q - 1.0 + 2.0 * q * q * cos_b * cos_b + 2.0 * (b2 - c2) / b2 * cos_a * cos_a
            - 4.0 * p * cos_a * cos_b * cos_c
            + 2.0 * (b2 - a2) / b2 * cos_c * cos_c),
        4.0 * (-q * (1.0 + q) * cos_b + 2.0 * a2 / b2 * cos_c * cos_c * cos_b - (1.0 - p) * cos_a * cos_c),
        (1.0 + q).powi(2) - 4.0 * a2 / b2 * cos_c * cos_c,
    ];
    let mut found = Vec::new();
    for v in positive_roots(&quartic) {
        let u = ((q - 1.0) * v * v - 2.0 * q * cos_b * v + 1.0 + q) / (2.0 * (cos_c - v * cos_a));
        let first = (b2 / (1.0 + v * v - 2.0 * v * cos_b)).sqrt();
        if !(u.is_finite() && u > 0.0 && first.is_finite()) {
            continue;
        }
        let seen = [rays[0] * first, rays[1] * (u * first), rays[2] * (v * first)];
        if let (Some(camera), Some(world)) = (axes(&seen), axes(points)) {
            let rotation = Rotation3::from_matrix_unchecked(camera * world.transpose());
            found.push((points[0] - rotation.inverse() * seen[0], rotation));
        }
    }
    found
}

/// Right-handed axes that three points define; `None` when they lie on a line.
fn axes(points: &[Vector3<f64>; 3]) -> Option<Matrix3<f64>> {
    let x = (points[1] - points[0]).try_normalize(1e-9)?;
    let z = x.cross(&(points[2] - points[0])).try_normalize(1e-9)?;
    Some(Matrix3::from_columns(&[x, z.cross(&x), z]))
}

/// Roots where the polynomial (highest power first) changes its sign.
fn positive_roots(coefficients: &[f64; 5]) -> Vec<f64> {
    let value = |x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let ratio = (RATIOS.1 / RATIOS.0).powf(1.0 / f64::from(STEPS));
    let mut roots = Vec::new();
    let mut low = RATIOS.0;
    for _ in 0..STEPS {
        let high = low * ratio;
        if value(low) * value(high) < 0.0 {
            let (mut a, mut b) = (low, high);
            for _ in 0..HALVINGS {
                let middle = 0.5 * (a + b);
                if value(a) * value(middle) <= 0.0 {
                    b = middle;
                } else {
                    a = middle;
                }
            }
            roots.push(0.5 * (a + b));
        }
        low = high;
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_true_pose_is_among_the_solutions() {
        let rotation = Rotation3::from_scaled_axis(Vector3::new(1.9, 0.4, -0.6));
        let position = Vector3::new(3.0, -20.0, 7.0);
        // On the ground and above it, near and far.
        let all = [[0.0, 5.0, 0.0], [12.0, 9.0, 0.0], [-4.0, 30.0, 2.5], [6.0, 18.0, 0.3]].map(Vector3::from);
        for left_out in 0..4 {
            let points: Vec<_> = (0..4).filter(|i| *i != left_out).map(|i| all[i]).collect();
            let points: [Vector3<f64>; 3] = points.try_into().unwrap();
            let rays = points.map(|p| (rotation * (p - position)).normalize());
            let found = poses(&points, &rays);
            let is_true = |(at, r): &&(Vector3<f64>, Rotation3<f64>)| {
                (at - position).norm() < 1e-6 && (r.matrix() - rotation.matrix()).norm() < 1e-9
            };
            assert!((1..=4).contains(&found.len()) && found.iter().any(|pose| is_true(&pose)), "{found:?}");
        }
    }

    #[test]
    fn points_on_a_line_have_no_pose() {
        let points = [[0.0, 5.0, 0.0], [0.0, 7.0, 0.0], [0.0, 9.0, 0.0]].map(Vector3::from);
        assert!(poses(&points, &points.map(|p| (p + Vector3::x()).normalize())).is_empty());
        assert!(poses(&[points[0]; 3], &[Vector3::z(); 3]).is_empty());
    }
}
