//! Georeferencing through a camera model: what `masa calibrate` writes.
//!
//! In: pose with its covariance, lens, height of the ground. Out: site ENU of an undistorted pixel, with the share of its
//! covariance that comes from the pose.

use super::Mapped;
use super::camera_model::{CameraModel, CameraPose, PoseCovariance};
use super::file::{self, malformed};
use super::lens::Intrinsics;
use crate::perception::{CalibratedArea, Error};
use masa_v2x_proto::geo::Enu;
use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Settings of `kind = "camera-model"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraModelSettings {
    /// A calibration file; gives [`Self::calibration`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The calibration itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// The calibration vouches for positions whose error it knows to be below this, one sigma along the worst axis, metres.
    #[serde(default = "default_max_calibration_sigma_m")]
    pub max_calibration_sigma_m: f64,
}

pub(super) fn default_max_calibration_sigma_m() -> f64 {
    1.5
}

/// A calibrated camera: the content of a calibration file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Calibration {
    /// Height of the ground over the site origin, metres.
    #[serde(default)]
    pub ground_m: f64,
    /// Covariance of the pose: east, north, up in metres, turn about the camera's right, down and forward axes in radians.
    /// Zero: not known.
    #[serde(default)]
    pub covariance: [[f64; 6]; 6],
    /// Where the camera is and where it looks.
    pub pose: CameraPose,
    /// Its lens.
    pub intrinsics: Intrinsics,
}

impl Calibration {
    /// The calibration of a camera.
    pub fn new(model: &CameraModel, covariance: &PoseCovariance, ground_m: f64) -> Self {
        let covariance = std::array::from_fn(|row| std::array::from_fn(|column| covariance[(row, column)]));
        Self { ground_m, covariance, pose: model.pose(), intrinsics: model.intrinsics() }
    }

    /// The camera, for images of `image_size_px`.
    pub fn model(&self, image_size_px: [u32; 2]) -> CameraModel {
        CameraModel::new(&self.pose, &self.intrinsics, image_size_px)
    }

    /// From the text of a calibration file.
    ///
    /// # Errors
    /// What is wrong, in words, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The text of a calibration file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers and arrays of numbers are TOML")
    }

    fn pose_covariance(&self) -> PoseCovariance {
        PoseCovariance::from_fn(|row, column| self.covariance[row][column])
    }

    fn is_finite(&self) -> bool {
        let CameraPose { position_m: [e, n, u], yaw_deg, pitch_deg, roll_deg } = self.pose;
        let [[fx, fy], [cx, cy]] = [self.intrinsics.focal_length_px, self.intrinsics.principal_point_px];
        let numbers = [e, n, u, yaw_deg, pitch_deg, roll_deg, fx, fy, cx, cy, self.ground_m];
        let size = self.intrinsics.image_size_px;
        numbers.iter().chain(self.covariance.as_flattened()).all(|v| v.is_finite())
            && fx > 0.0
            && fy > 0.0
            && size.iter().all(|v| *v > 0)
    }
}

impl CameraModelSettings {
    pub(super) fn load_files(&mut self, base: &Path) -> Result<(), Error> {
        let Some(name) = &self.file else { return Ok(()) };
        let (path, text) = file::read(name, base)?;
        self.calibration = Some(Calibration::parse(&text).map_err(|problem| malformed(&path, problem))?);
        self.file = None;
        Ok(())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Calibrated {
    model: CameraModel,
    ground_m: f64,
    covariance: PoseCovariance,
    max_calibration_sigma_m: f64,
}

impl Calibrated {
    pub(super) fn new(camera: &str, settings: &CameraModelSettings, image_size_px: [u32; 2]) -> Result<Self, Error> {
        let wrong = |problem: &str| Error::Calibration { camera: camera.to_owned(), problem: problem.to_owned() };
        if let Some(name) = &settings.file {
            return Err(Error::NotLoaded { path: PathBuf::from(name) });
        }
        let calibration =
            settings.calibration.as_ref().ok_or_else(|| wrong("neither calibration nor file is given"))?;
        if !calibration.is_finite() {
            return Err(wrong("the calibration holds what is not a number, or a size of zero"));
        }
        if calibration.pose.position_m[2] <= calibration.ground_m {
            return Err(wrong("the camera stands below the ground"));
        }
        Ok(Self {
            model: calibration.model(image_size_px),
            ground_m: calibration.ground_m,
            covariance: calibration.pose_covariance(),
            max_calibration_sigma_m: settings.max_calibration_sigma_m,
        })
    }

    pub(super) fn model(&self) -> &CameraModel {
        &self.model
    }

    /// Height of the ground, metres.
    pub(super) fn ground_m(&self) -> f64 {
        self.ground_m
    }

    /// The ground under an undistorted pixel.
    pub(super) fn map(&self, undistorted: Vector2<f64>) -> Option<Mapped> {
        let lens = self.model.lens();
        let direction = (undistorted - lens.principal_point_px()).component_div(&lens.focal_px());
        let hit = self.model.ground_along(direction, self.ground_m)?;
        let calibration = hit.covariance(&Matrix2::zeros(), &self.covariance);
        let is_known = super::covariance2(&calibration).ellipse().0 <= self.max_calibration_sigma_m;
        Some(Mapped {
            position: Enu::ground(hit.point.e_m, hit.point.n_m),
            jacobian: hit.by_pixel * Matrix2::from_diagonal(&lens.focal_px().map(f64::recip)),
            calibration,
            area: if is_known { CalibratedArea::Inside } else { CalibratedArea::Outside },
        })
    }

    /// The undistorted pixel of a ground point.
    pub(super) fn unmap(&self, position: Enu) -> Option<Vector2<f64>> {
        let p = self.model.in_camera(Enu { u_m: self.ground_m, ..position });
        let lens = self.model.lens();
        (p.z > 1e-3).then(|| (p.xy() / p.z).component_mul(&lens.focal_px()) + lens.principal_point_px())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Georeference, GeoreferenceSettings};
    use super::*;
    use masa_v2x_proto::geo::{SiteFrame, Wgs84};

    fn calibration() -> Calibration {
        let pose = CameraPose { position_m: [2.0, 1.0, 8.0], yaw_deg: 40.0, pitch_deg: -20.0, roll_deg: 1.0 };
        let mut covariance = [[0.0; 6]; 6];
        covariance[3][3] = 0.002f64.powi(2);
        Calibration { ground_m: 0.3, covariance, pose, intrinsics: Intrinsics::pinhole([800, 600], 700.0) }
    }

    #[test]
    fn a_calibration_file_is_read_back_as_it_was_written() {
        assert_eq!(Calibration::parse(&calibration().to_toml()).unwrap(), calibration());
        let text = calibration().to_toml().replace("distortion = [0.0, 0.0, 0.0, 0.0, 0.0]", "distortion = [1, 2]");
        assert!(Calibration::parse(&text).unwrap_err().contains("five numbers"), "{text}");
        assert!(Calibration::parse(&calibration().to_toml().replace("yaw-deg", "jaw-deg")).is_err());
    }

    #[test]
    fn pixels_map_as_the_camera_model_says() {
        let frame = SiteFrame::new(Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 30.0 });
        let settings = GeoreferenceSettings::CameraModel(CameraModelSettings {
            file: None,
            calibration: Some(calibration()),
            max_calibration_sigma_m: 1.5,
        });
        let map = Georeference::new("a", &settings, [800, 600], &frame).unwrap();
        let pixel = [300.0, 420.0];
        let ground = map.to_ground(pixel, [1.0, 1.0]).unwrap();
        let hit = calibration().model([800, 600]).to_ground(pixel.into(), 0.3).unwrap();
        assert!(ground.position.ground_distance_m(&hit.point) < 1e-9);
        assert!(ground.calibration_covariance.ellipse().0 > 0.02, "{ground:?}");
        let back = map.to_pixel(ground.position).unwrap();
        assert!((Vector2::from(back) - Vector2::from(pixel)).norm() < 1e-6);
        assert!(map.to_ground([300.0, 10.0], [1.0, 1.0]).is_none(), "above the horizon");
    }
}
