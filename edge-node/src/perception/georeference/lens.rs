//! Lens distortion after Brown and Conrady, as OpenCV's five coefficients `k1 k2 p1 p2 k3` define it.
//!
//! In: pixels of a distorted or an undistorted image of the same size and camera matrix. Out: the same point in the other
//! one, with the Jacobian of the step. Points that the polynomial folds back have no undistorted counterpart: `None`.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};

/// Newton steps at most; a lens in its valid range needs four to six.
const MAX_STEPS: usize = 20;
/// Residual at which undistortion has converged, in normalised image coordinates: below 1e-6 px for any real camera.
const CONVERGED: f64 = 1e-10;

/// Camera matrix and distortion of a pinhole camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Intrinsics {
    /// Width and height of the images of the calibration, pixels.
    pub image_size_px: [u32; 2],
    /// Focal lengths fx, fy, pixels.
    pub focal_length_px: [f64; 2],
    /// Principal point cx, cy, pixels.
    pub principal_point_px: [f64; 2],
    /// Brown–Conrady coefficients k1, k2, p1, p2, k3.
    pub distortion: [f64; 5],
}

/// A lens in the pixels of one image size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    focal: Vector2<f64>,
    centre: Vector2<f64>,
    k: [f64; 5],
}

impl Lens {
    /// The lens for images of `image_size_px`; each axis is scaled by its exact ratio to the calibration's size.
    pub fn new(intrinsics: &Intrinsics, image_size_px: [u32; 2]) -> Self {
        let scale = |axis: usize| f64::from(image_size_px[axis]) / f64::from(intrinsics.image_size_px[axis]);
        let (sx, sy) = (scale(0), scale(1));
        Self {
            focal: Vector2::new(intrinsics.focal_length_px[0] * sx, intrinsics.focal_length_px[1] * sy),
            centre: Vector2::new(intrinsics.principal_point_px[0] * sx, intrinsics.principal_point_px[1] * sy),
            k: intrinsics.distortion,
        }
    }

    /// Where the lens draws an undistorted pixel; `None` where it folds back.
    pub fn distort(&self, undistorted_px: Vector2<f64>) -> Option<Vector2<f64>> {
        let ideal = self.normalise(undistorted_px);
        let (drawn, _) = self.bend(ideal);
        let pixel = drawn.component_mul(&self.focal) + self.centre;
        // Beyond the turning point of the polynomial a second, nearer point is drawn at the same place.
        let (back, _) = self.undistort(pixel)?;
        ((back - undistorted_px).norm() < 1e-3).then_some(pixel)
    }

    /// The undistorted pixel of a drawn one, and the Jacobian ∂undistorted/∂drawn; `None` where there is none.
    pub fn undistort(&self, drawn_px: Vector2<f64>) -> Option<(Vector2<f64>, Matrix2<f64>)> {
        let target = self.normalise(drawn_px);
        let mut ideal = target;
        for _ in 0..MAX_STEPS {
            let (bent, slope) = self.bend(ideal);
            if slope.determinant() <= 1e-6 {
                return None;
            }
            let inverse = slope.try_inverse()?;
            let error = bent - target;
            if error.norm() < CONVERGED {
                let to_px = Matrix2::from_diagonal(&self.focal);
                let from_px = Matrix2::from_diagonal(&self.focal.map(f64::recip));
                return Some((ideal.component_mul(&self.focal) + self.centre, to_px * inverse * from_px));
            }
            ideal -= inverse * error;
        }
        None
    }

    fn normalise(&self, px: Vector2<f64>) -> Vector2<f64> {
        (px - self.centre).component_div(&self.focal)
    }

    /// Distortion in normalised coordinates, with its Jacobian.
    fn bend(&self, p: Vector2<f64>) -> (Vector2<f64>, Matrix2<f64>) {
        let [k1, k2, p1, p2, k3] = self.k;
        let (x, y) = (p.x, p.y);
        let r2 = x * x + y * y;
        let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        // d(radial)/d(r²); d(r²)/dx = 2x.
        let slope = k1 + r2 * (2.0 * k2 + 3.0 * r2 * k3);
        let bent = Vector2::new(
            x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
            y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
        );
        let cross = 2.0 * x * y * slope + 2.0 * p1 * x + 2.0 * p2 * y;
        let jacobian = Matrix2::new(
            radial + 2.0 * x * x * slope + 2.0 * p1 * y + 6.0 * p2 * x,
            cross,
            cross,
            radial + 2.0 * y * y * slope + 6.0 * p1 * y + 2.0 * p2 * x,
        );
        (bent, jacobian)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Camera 20932 of the Modena deployment: the strongest distortion among them.
    fn wide() -> Intrinsics {
        Intrinsics {
            image_size_px: [1920, 1080],
            focal_length_px: [1_690.249_865_674_701, 1_755.288_461_725_358],
            principal_point_px: [979.593_189_667_033, 533.279_537_075_825],
            distortion: [
                -0.548_919_097_673_121,
                0.255_559_198_415_686,
                -0.004_383_135_887_566,
                -0.013_934_378_903_760,
                0.0,
            ],
        }
    }

    #[test]
    fn undistortion_agrees_with_opencv() {
        // Drawn, undistorted: cv2.projectPoints of OpenCV for the camera above, read backwards.
        let lens = Lens::new(&wide(), [1920, 1080]);
        for (drawn, expected) in OPENCV {
            let (p, _) = lens.undistort(Vector2::new(drawn[0], drawn[1])).unwrap();
            assert!((p.x - expected[0]).abs() < 1e-4 && (p.y - expected[1]).abs() < 1e-4, "{drawn:?}: {p}");
        }
    }

    const OPENCV: [([f64; 2], [f64; 2]); 3] = [
        ([127.601874, 114.483694], [-40.0, 30.0]),
        ([1785.213048, 985.197465], [2050.0, 1130.0]),
        ([959.741500, 301.775989], [960.0, 300.0]),
    ];

    #[test]
    fn half_size_images_scale_exactly() {
        let full = Lens::new(&wide(), [1920, 1080]).undistort(Vector2::new(300.0, 900.0)).unwrap().0;
        let half = Lens::new(&wide(), [960, 540]).undistort(Vector2::new(150.0, 450.0)).unwrap().0;
        assert!((full - half * 2.0).norm() < 1e-9);
    }

    #[test]
    fn a_point_beyond_the_fold_has_no_image() {
        let lens = Lens::new(&wide(), [1920, 1080]);
        assert_eq!(lens.distort(Vector2::new(20_000.0, 500.0)), None);
    }

    proptest! {
        // 1e-5 px: the Newton step stops at 1e-10 in units of the focal length (1,700 px).
        #[test]
        fn distortion_round_trips(x in 0.0..1920.0f64, y in 0.0..1080.0f64) {
            let lens = Lens::new(&wide(), [1920, 1080]);
            let drawn = Vector2::new(x, y);
            let (ideal, _) = lens.undistort(drawn).unwrap();
            prop_assert!((lens.distort(ideal).unwrap() - drawn).norm() < 1e-5);
        }

        // 1e-4: central differences over 0.2 px of a polynomial whose third derivative is below 1e-5 per px².
        #[test]
        fn jacobian_is_the_derivative(x in 0.0..1920.0f64, y in 0.0..1080.0f64) {
            let lens = Lens::new(&wide(), [1920, 1080]);
            let at = |dx: f64, dy: f64| lens.undistort(Vector2::new(x + dx, y + dy)).unwrap().0;
            let jacobian = lens.undistort(Vector2::new(x, y)).unwrap().1;
            let (ddx, ddy) = ((at(0.1, 0.0) - at(-0.1, 0.0)) / 0.2, (at(0.0, 0.1) - at(0.0, -0.1)) / 0.2);
            prop_assert!((jacobian.column(0) - ddx).norm() < 1e-4);
            prop_assert!((jacobian.column(1) - ddy).norm() < 1e-4);
        }
    }
}
