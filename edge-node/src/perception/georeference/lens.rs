//! What a lens does to what a pinhole would draw: Brown and Conrady's polynomial and the fisheye of Kannala and Brandt, both
//! as OpenCV defines their coefficients.
//!
//! In: directions in camera axes (x right, y down, at depth 1) or pixels of an image of one size. Out: the other one, with
//! the Jacobian of the step. An undistorted pixel is where a pinhole of the same camera matrix would draw the direction.
//! Points that the polynomial folds back, and what lies at 90° and more from the axis, have no counterpart: `None`.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};

/// Newton steps at most; a lens in its valid range needs four to six.
const MAX_STEPS: usize = 20;
/// Residual at which undistortion has converged, in normalised image coordinates: below 1e-6 px for any real camera.
const CONVERGED: f64 = 1e-10;
/// Furthest angle from the axis that a fisheye lens shows, radians: at 90° the tangent ends.
const MAX_ANGLE_RAD: f64 = 1.55;

/// Camera matrix and distortion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Intrinsics {
    /// Width and height of the images of the calibration, pixels.
    pub image_size_px: [u32; 2],
    /// Focal lengths fx, fy, pixels.
    pub focal_length_px: [f64; 2],
    /// Principal point cx, cy, pixels.
    pub principal_point_px: [f64; 2],
    /// How the lens bends.
    #[serde(default)]
    pub distortion: Distortion,
}

impl Intrinsics {
    /// A camera without distortion whose axis is the middle of the image and whose pixels are square.
    pub fn pinhole(image_size_px: [u32; 2], focal_length_px: f64) -> Self {
        Self {
            image_size_px,
            focal_length_px: [focal_length_px; 2],
            principal_point_px: image_size_px.map(|size| 0.5 * f64::from(size)),
            distortion: Distortion::default(),
        }
    }
}

/// How a lens bends: `[k1, k2, p1, p2, k3]`, or `{ fisheye = [k1, k2, k3, k4] }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "five numbers [k1, k2, p1, p2, k3], or { fisheye = [k1, k2, k3, k4] }")]
pub enum Distortion {
    /// Brown and Conrady's polynomial: k1, k2, p1, p2, k3.
    BrownConrady([f64; 5]),
    /// The equidistant fisheye of Kannala and Brandt.
    Fisheye(Fisheye),
}

/// Coefficients of a fisheye lens: an angle θ from the axis is drawn at θ(1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fisheye {
    /// k1, k2, k3, k4.
    pub fisheye: [f64; 4],
}

impl Default for Distortion {
    fn default() -> Self {
        Self::BrownConrady([0.0; 5])
    }
}

impl Distortion {
    /// Where the direction `p` is drawn, in normalised coordinates, with the Jacobian.
    fn bend(&self, p: Vector2<f64>) -> (Vector2<f64>, Matrix2<f64>) {
        match self {
            Self::BrownConrady(k) => brown_conrady(k, p),
            Self::Fisheye(Fisheye { fisheye }) => {
                let r = p.norm();
                if r < 1e-8 {
                    return (p, Matrix2::identity());
                }
                let (drawn, slope) = radial(fisheye, r.atan());
                let scale = drawn / r;
                let scale_slope = (slope / (1.0 + r * r) - scale) / r;
                (p * scale, Matrix2::identity() * scale + p * p.transpose() * (scale_slope / r))
            }
        }
    }

    /// The direction that is drawn at `target`, and the Jacobian of [`Self::bend`] there.
    fn unbend(&self, target: Vector2<f64>) -> Option<(Vector2<f64>, Matrix2<f64>)> {
        let mut ideal = match self {
            Self::BrownConrady(_) => target,
            Self::Fisheye(Fisheye { fisheye }) => target * fisheye_stretch(fisheye, target.norm())?,
        };
        for _ in 0..MAX_STEPS {
            let (bent, slope) = self.bend(ideal);
            if slope.determinant() <= 1e-6 {
                return None;
            }
            let error = bent - target;
            if error.norm() < CONVERGED {
                return Some((ideal, slope));
            }
            ideal -= slope.try_inverse()? * error;
        }
        None
    }
}

fn brown_conrady(&[k1, k2, p1, p2, k3]: &[f64; 5], p: Vector2<f64>) -> (Vector2<f64>, Matrix2<f64>) {
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

/// Radius at which a fisheye lens draws an angle, and its derivative.
fn radial(&[k1, k2, k3, k4]: &[f64; 4], angle_rad: f64) -> (f64, f64) {
    let t2 = angle_rad * angle_rad;
    (
        angle_rad * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4)))),
        1.0 + t2 * (3.0 * k1 + t2 * (5.0 * k2 + t2 * (7.0 * k3 + t2 * 9.0 * k4))),
    )
}

/// How much further from the axis a pinhole draws what a fisheye lens draws at the radius `drawn`.
fn fisheye_stretch(k: &[f64; 4], drawn: f64) -> Option<f64> {
    if drawn < 1e-8 {
        return Some(1.0);
    }
    let mut angle = drawn.min(MAX_ANGLE_RAD);
    for _ in 0..MAX_STEPS {
        let (value, slope) = radial(k, angle);
        if slope <= 1e-3 {
            return None;
        }
        let step = (value - drawn) / slope;
        angle -= step;
        if step.abs() < CONVERGED {
            return (0.0..MAX_ANGLE_RAD).contains(&angle).then(|| angle.tan() / drawn);
        }
    }
    None
}

/// A lens in the pixels of one image size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    focal: Vector2<f64>,
    centre: Vector2<f64>,
    distortion: Distortion,
}

impl Lens {
    /// The lens for images of `image_size_px`; each axis is scaled by its exact ratio to the calibration's size.
    pub fn new(intrinsics: &Intrinsics, image_size_px: [u32; 2]) -> Self {
        let scale = |axis: usize| f64::from(image_size_px[axis]) / f64::from(intrinsics.image_size_px[axis]);
        let (sx, sy) = (scale(0), scale(1));
        Self {
            focal: Vector2::new(intrinsics.focal_length_px[0] * sx, intrinsics.focal_length_px[1] * sy),
            centre: Vector2::new(intrinsics.principal_point_px[0] * sx, intrinsics.principal_point_px[1] * sy),
            distortion: intrinsics.distortion,
        }
    }

    /// What [`Self::new`] was made from, for images of `image_size_px`.
    pub fn intrinsics(&self, image_size_px: [u32; 2]) -> Intrinsics {
        Intrinsics {
            image_size_px,
            focal_length_px: self.focal.into(),
            principal_point_px: self.centre.into(),
            distortion: self.distortion,
        }
    }

    /// The lens with its focal lengths multiplied by `factor`.
    #[must_use]
    pub fn zoomed(self, factor: f64) -> Self {
        Self { focal: self.focal * factor, ..self }
    }

    /// Focal lengths along x and y, pixels.
    pub fn focal_px(&self) -> Vector2<f64> {
        self.focal
    }

    /// Principal point, pixels.
    pub fn principal_point_px(&self) -> Vector2<f64> {
        self.centre
    }

    /// The pixel that shows a direction, and the Jacobian ∂pixel/∂direction; `None` where the lens folds it back.
    pub fn pixel(&self, direction: Vector2<f64>) -> Option<(Vector2<f64>, Matrix2<f64>)> {
        let (drawn, slope) = self.distortion.bend(direction);
        // Beyond the turning point of the polynomial a second, nearer point is drawn at the same place.
        let (back, _) = self.distortion.unbend(drawn)?;
        if (back - direction).norm() > 1e-6 * (1.0 + direction.norm()) {
            return None;
        }
        Some((drawn.component_mul(&self.focal) + self.centre, Matrix2::from_diagonal(&self.focal) * slope))
    }

    /// The direction that a pixel shows, and the Jacobian ∂direction/∂pixel; `None` where there is none.
    pub fn direction(&self, pixel: Vector2<f64>) -> Option<(Vector2<f64>, Matrix2<f64>)> {
        let (ideal, slope) = self.distortion.unbend((pixel - self.centre).component_div(&self.focal))?;
        Some((ideal, slope.try_inverse()? * Matrix2::from_diagonal(&self.focal.map(f64::recip))))
    }

    /// Where the lens draws an undistorted pixel; `None` where it folds back.
    pub fn distort(&self, undistorted_px: Vector2<f64>) -> Option<Vector2<f64>> {
        Some(self.pixel((undistorted_px - self.centre).component_div(&self.focal))?.0)
    }

    /// The undistorted pixel of a drawn one, and the Jacobian ∂undistorted/∂drawn; `None` where there is none.
    pub fn undistort(&self, drawn_px: Vector2<f64>) -> Option<(Vector2<f64>, Matrix2<f64>)> {
        let (ideal, jacobian) = self.direction(drawn_px)?;
        Some((ideal.component_mul(&self.focal) + self.centre, Matrix2::from_diagonal(&self.focal) * jacobian))
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
            distortion: Distortion::BrownConrady([
                -0.548_919_097_673_121,
                0.255_559_198_415_686,
                -0.004_383_135_887_566,
                -0.013_934_378_903_760,
                0.0,
            ]),
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
    fn a_fisheye_agrees_with_opencv() {
        // Direction, pixel: cv2.fisheye.projectPoints of OpenCV for this camera.
        let distortion = Distortion::Fisheye(Fisheye { fisheye: [0.021, -0.0043, 0.0012, -0.0003] });
        let intrinsics = Intrinsics {
            image_size_px: [1024, 760],
            focal_length_px: [420.0, 425.0],
            principal_point_px: [512.5, 380.25],
            distortion,
        };
        let lens = Lens::new(&intrinsics, [1024, 760]);
        let opencv = [
            ([0.1, -0.2], [553.861861, 296.541472]),
            ([-1.5, 0.8], [120.206918, 591.963727]),
            ([3.0, 2.0], [978.954458, 694.921658]),
            ([0.0, 6.0], [512.5, 995.207712]),
        ];
        for (direction, expected) in opencv.map(|(d, p)| (Vector2::from(d), Vector2::from(p))) {
            let (pixel, slope) = lens.pixel(direction).unwrap();
            assert!((pixel - expected).norm() < 1e-5, "{direction}: {pixel}");
            let (back, inverse) = lens.direction(pixel).unwrap();
            assert!((back - direction).norm() < 1e-7 * (1.0 + direction.norm_squared()), "{direction}: {back}");
            assert!((slope * inverse - Matrix2::identity()).norm() < 1e-9);
        }
        assert_eq!(lens.direction(Vector2::new(512.5 + 420.0 * 1.65, 380.25)), None, "90° and more from the axis");
    }

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
