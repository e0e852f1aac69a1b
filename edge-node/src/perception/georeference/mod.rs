//! Pixels to ground positions and back.
//!
//! In: a pixel of a camera's image with its variance. Out: the point of the ground that it shows in the site's ENU frame,
//! with a 2×2 covariance, or nothing where the pixel shows no ground. Everything here is one chain: lens → turn since the
//! survey ([`Georeference::turned`]) → ground plane; [`GeoreferenceSettings`] names where the mapping comes from.
//!
//! Invariants: a pixel at or above the horizon, and one whose ground position would be worse than
//! [`MAX_SIGMA_M`], is `None`, never a wild value. The ground is a plane: height differences are not modelled.

mod calibrated;
mod camera_model;
mod file;
pub mod fit;
mod homography;
pub mod lane_fit;
mod lens;
pub mod masa;
pub mod online;
mod projection_matrix;
mod reference_points;

pub use calibrated::{Calibration, CameraModelSettings};
pub use camera_model::{CameraModel, CameraPose, GroundHit, PoseCovariance, Projection};
pub use lens::{Distortion, Fisheye, Intrinsics, Lens};
pub use projection_matrix::{PixelInput, ProjectionMatrixSettings, parse_intrinsics, parse_matrix};
pub use reference_points::{
    GroundReference, PointError, ReferencePoint, ReferencePointsSettings, ReferenceReport, parse_otrfpts,
};

use super::{CalibratedArea, Error};
use homography::Homography;
use masa_v2x_proto::geo::{Covariance2, Enu, SiteFrame};
use nalgebra::{Matrix2, Matrix3, Rotation3, Vector2, Vector3};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A ground position worse than this (one sigma along its worst axis, from pixel noise, metres) is not given.
pub const MAX_SIGMA_M: f64 = 15.0;
/// A camera that is found from a mapping may differ from it by this, root mean square, pixels.
const MAX_MODEL_ERROR_PX: f64 = 3.0;
/// Ground that a pixel shows more of than this is too near the horizon to say where a camera stands.
const MAX_GRID_M_PER_PX: f64 = 2.0;

/// Where the mapping from pixels to the ground comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum GeoreferenceSettings {
    /// Surveyed points, each known in the image and on the ground.
    ReferencePoints(ReferencePointsSettings),
    /// Camera intrinsics, a projection matrix from undistorted pixels to a map, and the map's geotransform.
    ProjectionMatrix(ProjectionMatrixSettings),
    /// Pose and lens, as `masa calibrate` finds them.
    CameraModel(CameraModelSettings),
}

impl GeoreferenceSettings {
    /// Reads the calibration files that the settings name and puts their content in place of the names. Relative paths
    /// start at `base`.
    ///
    /// # Errors
    /// A file cannot be read or is malformed; the error names it.
    pub fn load_files(&mut self, base: &Path) -> Result<(), Error> {
        match self {
            Self::ReferencePoints(s) => s.load_files(base),
            Self::ProjectionMatrix(s) => s.load_files(base),
            Self::CameraModel(s) => s.load_files(base),
        }
    }
}

/// A point of the ground, seen by a camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroundPoint {
    /// Where it is.
    pub position: Enu,
    /// Covariance that comes from the noise of the pixel; independent from frame to frame.
    pub covariance: Covariance2,
    /// Covariance that comes from the calibration; the same error in every frame. Zero where the calibration says nothing.
    pub calibration_covariance: Covariance2,
    /// Whether the calibration vouches for the position.
    pub area: CalibratedArea,
}

/// The mapping of one camera.
#[derive(Clone, Debug)]
pub struct Georeference {
    plane: Plane,
    lens: Option<Lens>,
    image_size_px: [u32; 2],
    turn: Option<Turn>,
}

/// How undistorted pixels become ground points.
#[derive(Clone, Debug)]
enum Plane {
    ReferencePoints(Box<reference_points::ReferencePoints>),
    ProjectionMatrix(Box<projection_matrix::ProjectionMatrix>),
    CameraModel(Box<calibrated::Calibrated>),
}

impl Plane {
    fn map(&self, undistorted: Vector2<f64>) -> Option<Mapped> {
        match self {
            Self::ReferencePoints(m) => m.map(undistorted),
            Self::ProjectionMatrix(m) => m.map(undistorted),
            Self::CameraModel(m) => m.map(undistorted),
        }
    }

    fn unmap(&self, position: Enu) -> Option<Vector2<f64>> {
        match self {
            Self::ReferencePoints(m) => m.unmap(position),
            Self::ProjectionMatrix(m) => m.unmap(position),
            Self::CameraModel(m) => m.unmap(position),
        }
    }
}

/// What an undistorted pixel becomes when the camera is turned back to where it was surveyed.
#[derive(Clone, Copy, Debug)]
struct Turn {
    back: Homography,
    forth: Homography,
}

/// What a plane gives for one undistorted pixel: position, Jacobian ∂(east, north)/∂(x, y) in m/px, the calibration's share
/// of the covariance (m²) and whether it vouches for the point.
struct Mapped {
    position: Enu,
    jacobian: Matrix2<f64>,
    calibration: Matrix2<f64>,
    area: CalibratedArea,
}

impl Georeference {
    /// Builds the mapping of `camera` for images of `image_size_px` into `frame`.
    ///
    /// # Errors
    /// The settings still name files, or do not determine a mapping.
    pub fn new(
        camera: &str,
        settings: &GeoreferenceSettings,
        image_size_px: [u32; 2],
        frame: &SiteFrame,
    ) -> Result<Self, Error> {
        let lens_of = |intrinsics: &Option<Intrinsics>| intrinsics.as_ref().map(|i| Lens::new(i, image_size_px));
        let (plane, lens) = match settings {
            GeoreferenceSettings::ReferencePoints(s) => {
                let lens = lens_of(&s.intrinsics);
                let map = reference_points::ReferencePoints::new(camera, s, lens.as_ref(), frame)?;
                (Plane::ReferencePoints(Box::new(map)), lens)
            }
            GeoreferenceSettings::ProjectionMatrix(s) => {
                let map = projection_matrix::ProjectionMatrix::new(camera, s, image_size_px, frame)?;
                let lens = match s.pixels {
                    PixelInput::Drawn => lens_of(&s.intrinsics),
                    PixelInput::Undistorted => None,
                };
                (Plane::ProjectionMatrix(Box::new(map)), lens)
            }
            GeoreferenceSettings::CameraModel(s) => {
                let map = calibrated::Calibrated::new(camera, s, image_size_px)?;
                let lens = Some(*map.model().lens());
                (Plane::CameraModel(Box::new(map)), lens)
            }
        };
        Ok(Self { plane, lens, image_size_px, turn: None })
    }

    /// The same mapping for the camera turned since its survey: `turn_rad` about its right, down and forward axes, `lens`
    /// that of [`Self::camera_model`]. `None` for a turn so far that the middle of the picture is behind the surveyed one.
    #[must_use]
    pub fn turned(&self, lens: &Lens, turn_rad: Vector3<f64>) -> Option<Self> {
        let [focal, centre] = [lens.focal_px(), lens.principal_point_px()];
        let camera = Matrix3::new(focal.x, 0.0, centre.x, 0.0, focal.y, centre.y, 0.0, 0.0, 1.0);
        let rotation = Rotation3::from_scaled_axis(turn_rad);
        let back = Homography::new(camera * rotation.matrix() * camera.try_inverse()?, centre)?;
        let forth = back.inverse(centre)?;
        Some(Self { turn: Some(Turn { back, forth }), ..self.clone() })
    }

    /// The ground point that `pixel` shows, its noise given as variances along x and y (px²). `None` at and above the
    /// horizon, where the lens has no image, and where the position would be worse than [`MAX_SIGMA_M`].
    pub fn to_ground(&self, pixel: [f64; 2], variance_px2: [f64; 2]) -> Option<GroundPoint> {
        let drawn = Vector2::from(pixel);
        let (undistorted, by_drawn) = match &self.lens {
            Some(lens) => lens.undistort(drawn)?,
            None => (drawn, Matrix2::identity()),
        };
        let (surveyed, by_undistorted) = match &self.turn {
            Some(turn) => turn.back.apply(undistorted)?,
            None => (undistorted, Matrix2::identity()),
        };
        let mapped = self.plane.map(surveyed)?;
        let jacobian = mapped.jacobian * by_undistorted * by_drawn;
        let noise = Matrix2::from_diagonal(&Vector2::from(variance_px2));
        let covariance = covariance2(&(jacobian * noise * jacobian.transpose()));
        let shows = |axis: usize| (0.0..=f64::from(self.image_size_px[axis])).contains(&pixel[axis]);
        (covariance.ellipse().0 <= MAX_SIGMA_M).then(|| GroundPoint {
            position: mapped.position,
            covariance,
            calibration_covariance: covariance2(&mapped.calibration),
            area: if shows(0) && shows(1) { mapped.area } else { CalibratedArea::Outside },
        })
    }

    /// The pixel that shows `position` (its height is ignored); `None` behind the camera's horizon or where the lens has
    /// no image. The pixel may lie outside the image.
    pub fn to_pixel(&self, position: Enu) -> Option<[f64; 2]> {
        let surveyed = self.plane.unmap(position)?;
        let undistorted = match &self.turn {
            Some(turn) => turn.forth.apply(surveyed)?.0,
            None => surveyed,
        };
        let drawn = match &self.lens {
            Some(lens) => lens.distort(undistorted)?,
            None => undistorted,
        };
        Some(drawn.into())
    }

    /// How well the reference points agree; `None` for a mapping that was not made from points.
    pub fn reference_report(&self) -> Option<&ReferenceReport> {
        match &self.plane {
            Plane::ReferencePoints(m) => Some(m.report()),
            Plane::ProjectionMatrix(_) | Plane::CameraModel(_) => None,
        }
    }

    /// Height of the ground that it maps to, over the site origin, metres.
    pub fn ground_m(&self) -> f64 {
        match &self.plane {
            Plane::CameraModel(m) => m.ground_m(),
            Plane::ReferencePoints(_) | Plane::ProjectionMatrix(_) => 0.0,
        }
    }

    /// The camera as it was surveyed. Where the mapping is one of the plane alone, it is found from that mapping, with square
    /// pixels and the axis in the middle of the image unless intrinsics are given.
    ///
    /// # Errors
    /// Why no camera makes such a mapping, in words.
    pub fn camera_model(&self) -> Result<CameraModel, String> {
        if let Plane::CameraModel(m) = &self.plane {
            return Ok(*m.model());
        }
        let size = self.image_size_px;
        let pinhole = match &self.lens {
            Some(lens) => Intrinsics { distortion: Distortion::default(), ..lens.intrinsics(size) },
            None => Intrinsics::pinhole(size, f64::from(size[0])),
        };
        let settings = fit::FitSettings {
            image_size_px: size,
            intrinsics: pinhole,
            focal_length: if self.lens.is_some() { fit::FocalLength::Known } else { fit::FocalLength::Fitted },
            pixel_sigma_px: 1.0,
            survey_sigma_m: 0.0,
        };
        let found = fit::fit(&self.grid(), &settings).map_err(|error| error.to_string())?;
        if found.rms_px > MAX_MODEL_ERROR_PX {
            return Err(format!("no camera maps so: the best is {:.1} px off", found.rms_px));
        }
        let intrinsics = found.model.intrinsics();
        let distortion = self.lens.as_ref().map_or(Distortion::default(), |lens| lens.intrinsics(size).distortion);
        Ok(CameraModel::new(&found.model.pose(), &Intrinsics { distortion, ..intrinsics }, size))
    }

    /// Undistorted pixels of a grid over the image, with the ground they show.
    fn grid(&self) -> Vec<fit::SurveyedPoint> {
        const COLUMNS: u32 = 5;
        const ROWS: u32 = 8;
        let cells = (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| [column, row]));
        let point = |[column, row]: [u32; 2]| {
            let share = [f64::from(column) / f64::from(COLUMNS - 1), f64::from(row) / f64::from(ROWS - 1)];
            let pixel: [f64; 2] = std::array::from_fn(|axis| share[axis] * f64::from(self.image_size_px[axis]));
            let mapped = self.plane.map(pixel.into())?;
            let per_pixel_m = mapped.jacobian.norm();
            let name = format!("{column}/{row}");
            (per_pixel_m < MAX_GRID_M_PER_PX).then_some(fit::SurveyedPoint { name, pixel, position: mapped.position })
        };
        cells.filter_map(point).collect()
    }
}

fn covariance2(m: &Matrix2<f64>) -> Covariance2 {
    Covariance2 { ee_m2: m[(0, 0)], en_m2: 0.5 * (m[(0, 1)] + m[(1, 0)]), nn_m2: m[(1, 1)] }
}
