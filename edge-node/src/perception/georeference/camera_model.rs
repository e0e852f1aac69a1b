//! A camera that stands somewhere: lens and pose in one, from ground to pixel and back.
//!
//! In: a point of the site's ENU frame, or a pixel. Out: the other one, with the Jacobians by point, pixel, pose and focal
//! length, and from them the covariance of a ground point.
//!
//! Camera axes are OpenCV's: x right, y down, z forward. A small turn of the camera is a rotation vector about these axes,
//! so that no attitude is singular. What is nearer than [`NEAR_M`] to the camera's plane or behind it has no pixel.

use super::lens::{Intrinsics, Lens};
use masa_v2x_proto::geo::Enu;
use nalgebra::{Matrix2, Matrix2x3, Matrix3, Matrix3x2, Rotation3, SMatrix, SVector, Vector2, Vector3};
use serde::{Deserialize, Serialize};

/// Nearer than this to the camera's plane nothing is shown, metres.
const NEAR_M: f64 = 0.1;
/// Parameters of a camera that can be fitted: position (east, north, up, metres), turn about its right, down and forward
/// axes (radians), logarithm of the focal length.
pub(crate) const PARAMETERS: usize = 7;
/// A small change of a camera, in the order of [`PARAMETERS`].
pub(crate) type Change = SVector<f64, PARAMETERS>;
/// Covariance of a pose: position in metres, turn about the camera's right, down and forward axes in radians.
pub type PoseCovariance = SMatrix<f64, 6, 6>;

/// Where a camera is and where it looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraPose {
    /// East, north, up of the site origin, metres.
    pub position_m: [f64; 3],
    /// Direction of view, degrees counter-clockwise from east.
    pub yaw_deg: f64,
    /// Above the horizon is positive, degrees; a camera that looks down has a negative pitch.
    pub pitch_deg: f64,
    /// Right side down is positive, degrees.
    #[serde(default)]
    pub roll_deg: f64,
}

impl CameraPose {
    /// Rows are the camera's right, down and forward axes in ENU.
    fn rotation(&self) -> Rotation3<f64> {
        let (sr, cr) = self.roll_deg.to_radians().sin_cos();
        let [forward, left, up] = level_axes(self.yaw_deg.to_radians(), self.pitch_deg.to_radians());
        let (left, up) = (left * cr + up * sr, up * cr - left * sr);
        let rows = Matrix3::from_rows(&[(-left).transpose(), (-up).transpose(), forward.transpose()]);
        Rotation3::from_matrix_unchecked(rows)
    }

    fn new(position: Vector3<f64>, rotation: &Rotation3<f64>) -> Self {
        let axis = |row: usize| rotation.matrix().row(row).transpose();
        let (right, forward) = (axis(0), axis(2));
        let (yaw, pitch) = (forward.y.atan2(forward.x), forward.z.clamp(-1.0, 1.0).asin());
        let [_, left, up] = level_axes(yaw, pitch);
        Self {
            position_m: position.into(),
            yaw_deg: yaw.to_degrees(),
            pitch_deg: pitch.to_degrees(),
            roll_deg: (-right).dot(&up).atan2((-right).dot(&left)).to_degrees(),
        }
    }
}

/// Forward, left and up of a camera without roll.
fn level_axes(yaw: f64, pitch: f64) -> [Vector3<f64>; 3] {
    let ((sy, cy), (sp, cp)) = (yaw.sin_cos(), pitch.sin_cos());
    [Vector3::new(cp * cy, cp * sy, sp), Vector3::new(-sy, cy, 0.0), Vector3::new(-sp * cy, -sp * sy, cp)]
}

/// A lens at a pose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraModel {
    lens: Lens,
    image_size_px: [u32; 2],
    position: Vector3<f64>,
    rotation: Rotation3<f64>,
}

/// A pixel with its derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// x, y; it may lie outside the image.
    pub pixel: Vector2<f64>,
    /// ∂pixel/∂point, px/m.
    pub by_point: Matrix2x3<f64>,
    /// ∂pixel/∂(position, turn), px/m and px/rad.
    pub by_pose: SMatrix<f64, 2, 6>,
    /// ∂pixel/∂(logarithm of the focal length), px.
    pub by_focal: Vector2<f64>,
}

impl Projection {
    /// The derivatives by everything that can be fitted.
    pub(crate) fn by_parameters(&self) -> SMatrix<f64, 2, PARAMETERS> {
        let mut all = SMatrix::<f64, 2, PARAMETERS>::zeros();
        all.fixed_view_mut::<2, 6>(0, 0).copy_from(&self.by_pose);
        all.fixed_view_mut::<2, 1>(0, 6).copy_from(&self.by_focal);
        all
    }
}

/// A ground point with its derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroundHit {
    /// The point.
    pub point: Enu,
    /// ∂(east, north)/∂pixel (or direction), m/px.
    pub by_pixel: Matrix2<f64>,
    /// ∂(east, north)/∂(position, turn), m/m and m/rad.
    pub by_pose: SMatrix<f64, 2, 6>,
}

impl GroundHit {
    /// Covariance (m²) of east and north from the noise of the pixel (px²) and the covariance of the pose.
    pub fn covariance(&self, pixel_px2: &Matrix2<f64>, pose: &PoseCovariance) -> Matrix2<f64> {
        self.by_pixel * pixel_px2 * self.by_pixel.transpose() + self.by_pose * pose * self.by_pose.transpose()
    }
}

impl CameraModel {
    /// A camera for images of `image_size_px`.
    pub fn new(pose: &CameraPose, intrinsics: &Intrinsics, image_size_px: [u32; 2]) -> Self {
        Self {
            lens: Lens::new(intrinsics, image_size_px),
            image_size_px,
            position: pose.position_m.into(),
            rotation: pose.rotation(),
        }
    }

    /// A camera at `position` whose rows of `rotation` are its right, down and forward axes.
    pub(crate) fn at(self, position: Vector3<f64>, rotation: Rotation3<f64>) -> Self {
        Self { position, rotation, ..self }
    }

    /// Where it is and where it looks.
    pub fn pose(&self) -> CameraPose {
        CameraPose::new(self.position, &self.rotation)
    }

    /// The lens.
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// Width and height of its images, pixels.
    pub fn image_size_px(&self) -> [u32; 2] {
        self.image_size_px
    }

    /// Camera matrix and distortion for its images.
    pub fn intrinsics(&self) -> Intrinsics {
        self.lens.intrinsics(self.image_size_px)
    }

    /// Turned by a rotation vector about its right, down and forward axes, radians.
    #[must_use]
    pub fn turned(self, turn_rad: Vector3<f64>) -> Self {
        Self { rotation: Rotation3::from_scaled_axis(-turn_rad) * self.rotation, ..self }
    }

    /// The turn about this camera's axes that makes it look where `other` looks, radians.
    pub fn turn_to(&self, other: &Self) -> Vector3<f64> {
        -(other.rotation * self.rotation.inverse()).scaled_axis()
    }

    /// Changed by the parameters that can be fitted.
    #[must_use]
    pub(crate) fn changed(self, by: &Change) -> Self {
        let turned = self.turned(by.fixed_rows::<3>(3).into_owned());
        Self { position: self.position + by.fixed_rows::<3>(0), lens: self.lens.zoomed(by[6].exp()), ..turned }
    }

    /// A point in camera axes, metres.
    pub fn in_camera(&self, point: Enu) -> Vector3<f64> {
        self.rotation * (Vector3::new(point.e_m, point.n_m, point.u_m) - self.position)
    }

    /// The pixel that shows a point; `None` behind the camera and where the lens shows nothing.
    pub fn project(&self, point: Enu) -> Option<Projection> {
        let p = self.in_camera(point);
        if p.z < NEAR_M || !p.iter().all(|v| v.is_finite()) {
            return None;
        }
        let direction = p.xy() / p.z;
        let (pixel, by_direction) = self.lens.pixel(direction)?;
        let by_camera = by_direction * Matrix2x3::new(1.0, 0.0, -direction.x, 0.0, 1.0, -direction.y) / p.z;
        let by_point = by_camera * self.rotation.matrix();
        let mut by_pose = SMatrix::<f64, 2, 6>::zeros();
        by_pose.fixed_view_mut::<2, 3>(0, 0).copy_from(&-by_point);
        by_pose.fixed_view_mut::<2, 3>(0, 3).copy_from(&(by_camera * p.cross_matrix()));
        Some(Projection { pixel, by_point, by_pose, by_focal: pixel - self.lens.principal_point_px() })
    }

    /// The point that a pixel shows, `away_m` along the optical axis; `None` where the lens shows nothing.
    pub(crate) fn along(&self, pixel: Vector2<f64>, away_m: f64) -> Option<Enu> {
        let (direction, _) = self.lens.direction(pixel)?;
        let point = self.position + self.rotation.inverse() * direction.push(1.0) * away_m;
        Some(Enu { e_m: point.x, n_m: point.y, u_m: point.z })
    }

    /// The point at height `up_m` that a pixel shows; `None` at and above the horizon and where the lens shows nothing.
    pub fn to_ground(&self, pixel: Vector2<f64>, up_m: f64) -> Option<GroundHit> {
        let (direction, by_pixel) = self.lens.direction(pixel)?;
        let hit = self.ground_along(direction, up_m)?;
        Some(GroundHit { by_pixel: hit.by_pixel * by_pixel, ..hit })
    }

    /// The same for a direction in camera axes at depth 1; its derivative stands in for that by the pixel.
    pub(crate) fn ground_along(&self, direction: Vector2<f64>, up_m: f64) -> Option<GroundHit> {
        let to_world = self.rotation.inverse();
        let ray = to_world * direction.push(1.0);
        let depth = (up_m - self.position.z) / ray.z;
        if !depth.is_finite() || depth < NEAR_M {
            return None;
        }
        let point = self.position + ray * depth;
        // How the hit moves along the plane when the ray moves.
        let slide = Matrix3::identity() - ray * Vector3::z().transpose() / ray.z;
        let by_ray = slide * depth;
        let ground = |m: Matrix3<f64>| -> Matrix2x3<f64> { m.fixed_rows::<2>(0).into_owned() };
        let by_direction = ground(by_ray * to_world.matrix());
        let mut by_pose = SMatrix::<f64, 2, 6>::zeros();
        by_pose.fixed_view_mut::<2, 3>(0, 0).copy_from(&ground(slide));
        by_pose.fixed_view_mut::<2, 3>(0, 3).copy_from(&(-by_direction * direction.push(1.0).cross_matrix()));
        Some(GroundHit {
            point: Enu { e_m: point.x, n_m: point.y, u_m: up_m },
            by_pixel: by_direction * Matrix3x2::identity(),
            by_pose,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::lens::{Distortion, Fisheye};
    use super::*;
    use proptest::prelude::*;

    const POSE: CameraPose =
        CameraPose { position_m: [10.0, -4.0, 6.5], yaw_deg: 130.0, pitch_deg: -18.0, roll_deg: 2.0 };

    fn camera(kind: usize) -> CameraModel {
        let distortion = [
            Distortion::default(),
            Distortion::BrownConrady([-0.28, 0.09, 0.001, -0.002, -0.01]),
            Distortion::Fisheye(Fisheye { fisheye: [0.02, -0.004, 0.001, 0.0] }),
        ][kind];
        CameraModel::new(&POSE, &Intrinsics { distortion, ..Intrinsics::pinhole([640, 384], 417.0) }, [640, 384])
    }

    #[test]
    fn axes_point_where_they_should() {
        let level = CameraPose { position_m: [0.0; 3], yaw_deg: 90.0, pitch_deg: 0.0, roll_deg: 0.0 };
        let look = |pose: CameraPose| CameraModel::new(&pose, &Intrinsics::pinhole([640, 384], 320.0), [640, 384]);
        let at = |pose: CameraPose, e_m, n_m, u_m| look(pose).project(Enu { e_m, n_m, u_m }).map(|p| p.pixel);
        // Looking north: east is right, up is up.
        assert!((at(level, 5.0, 10.0, 2.0).unwrap() - Vector2::new(480.0, 128.0)).norm() < 1e-9);
        assert_eq!(at(level, 0.0, -1.0, 0.0), None);
        assert!(at(CameraPose { pitch_deg: 10.0, ..level }, 0.0, 10.0, 0.0).unwrap().y > 240.0);
        assert!(at(CameraPose { yaw_deg: 100.0, ..level }, 0.0, 10.0, 0.0).unwrap().x > 370.0);
        assert!(at(CameraPose { roll_deg: 10.0, ..level }, 5.0, 10.0, 0.0).unwrap().y < 170.0);
        // A turn about the down axis is one to the right.
        let right = look(level).turned(Vector3::new(0.0, 0.1, 0.0)).pose();
        assert!((right.yaw_deg - (90.0 - 0.1f64.to_degrees())).abs() < 1e-9, "{right:?}");
    }

    #[test]
    fn a_pose_survives_its_rotation() {
        for pose in [POSE, CameraPose { roll_deg: -170.0, pitch_deg: 40.0, ..POSE }] {
            let back = CameraPose::new(pose.position_m.into(), &pose.rotation());
            for (a, b) in
                [(pose.yaw_deg, back.yaw_deg), (pose.pitch_deg, back.pitch_deg), (pose.roll_deg, back.roll_deg)]
            {
                assert!((a - b).abs() < 1e-9, "{pose:?} {back:?}");
            }
        }
    }

    #[test]
    fn the_turn_between_two_cameras_is_found() {
        let turn = Vector3::new(0.02, -0.035, 0.01);
        assert!((camera(0).turn_to(&camera(0).turned(turn)) - turn).norm() < 1e-12);
    }

    proptest! {
        // 1e-6 px: undistortion stops at 1e-10 of a focal length of 417 px.
        #[test]
        fn pixels_go_to_the_ground_and_back(x in 0.0..640.0f64, y in 150.0..384.0f64, kind in 0usize..3) {
            let hit = camera(kind).to_ground(Vector2::new(x, y), 0.2).unwrap();
            let back = camera(kind).project(hit.point).unwrap().pixel;
            prop_assert!((back - Vector2::new(x, y)).norm() < 1e-6);
        }

        // 1e-4 relative: central differences of smooth functions with steps of 1e-5.
        #[test]
        fn jacobians_are_the_derivatives(x in 20.0..620.0f64, y in 170.0..370.0f64, kind in 0usize..3, parameter in 0usize..7) {
            const STEP: f64 = 1e-5;
            let model = camera(kind);
            let pixel = Vector2::new(x, y);
            let hit = model.to_ground(pixel, 0.0).unwrap();
            let projected = model.project(hit.point).unwrap();
            let mut by = Change::zeros();
            by[parameter] = STEP;
            let (plus, minus) = (model.changed(&by), model.changed(&-by));
            let slope = (plus.project(hit.point).unwrap().pixel - minus.project(hit.point).unwrap().pixel) / (2.0 * STEP);
            let stated = projected.by_parameters().column(parameter).into_owned();
            prop_assert!((slope - stated).norm() < 1e-4 * (1.0 + stated.norm()), "{slope} {stated}");
            let east_north = |m: &CameraModel| m.to_ground(pixel, 0.0).map(|h| Vector2::new(h.point.e_m, h.point.n_m)).unwrap();
            if parameter < 6 {
                let slope = (east_north(&plus) - east_north(&minus)) / (2.0 * STEP);
                let stated = hit.by_pose.column(parameter).into_owned();
                prop_assert!((slope - stated).norm() < 1e-4 * (1.0 + stated.norm()), "{slope} {stated}");
            }
            // The two directions undo each other.
            let ground_by_ground = hit.by_pixel * projected.by_point.fixed_columns::<2>(0);
            prop_assert!((ground_by_ground - Matrix2::identity()).norm() < 1e-6);
        }
    }

    #[test]
    fn covariance_covers_what_noise_does() {
        // A pixel 1 px off along y and a camera 0.1° off in pitch move the point as the covariance says.
        let (model, pixel) = (camera(0), Vector2::new(320.0, 230.0));
        let hit = model.to_ground(pixel, 0.0).unwrap();
        let mut pose = PoseCovariance::zeros();
        pose[(3, 3)] = 0.1f64.to_radians().powi(2);
        let stated = hit.covariance(&Matrix2::new(0.0, 0.0, 0.0, 1.0), &pose).trace().sqrt();
        let moved = |m: CameraModel, p: Vector2<f64>| m.to_ground(p, 0.0).unwrap().point.ground_distance_m(&hit.point);
        let (by_pixel, by_turn) =
            (moved(model, pixel + Vector2::y()), moved(model.turned(Vector3::x() * 0.1f64.to_radians()), pixel));
        assert!((stated - by_pixel.hypot(by_turn)).abs() < 0.03 * stated, "{stated} {by_pixel} {by_turn}");
    }
}
