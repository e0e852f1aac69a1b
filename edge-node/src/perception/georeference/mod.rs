//! Pixels to ground positions and back.
//!
//! In: a pixel of a camera's image with its variance. Out: the point of the ground that it shows in the site's ENU frame,
//! with a 2×2 covariance, or nothing where the pixel shows no ground. Everything here is one chain: lens → homography →
//! ground plane; [`GeoreferenceSettings`] names where the homography comes from.
//!
//! Invariants: a pixel at or above the horizon, and one whose ground position would be worse than
//! [`MAX_SIGMA_M`], is `None`, never a wild value. The ground is a plane: height differences are not modelled.

mod file;
mod homography;
mod lens;
pub mod masa;
mod projection_matrix;
mod reference_points;

pub use lens::{Intrinsics, Lens};
pub use projection_matrix::{PixelInput, ProjectionMatrixSettings, parse_intrinsics, parse_matrix};
pub use reference_points::{
    GroundReference, PointError, ReferencePoint, ReferencePointsSettings, ReferenceReport, parse_otrfpts,
};

use super::Error;
use masa_v2x_proto::geo::{Covariance2, Enu, SiteFrame};
use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A ground position worse than this (one sigma along its worst axis, from pixel noise, metres) is not given.
pub const MAX_SIGMA_M: f64 = 15.0;

/// Where the mapping from pixels to the ground comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum GeoreferenceSettings {
    /// Surveyed points, each known in the image and on the ground.
    ReferencePoints(ReferencePointsSettings),
    /// Camera intrinsics, a projection matrix from undistorted pixels to a map, and the map's geotransform.
    ProjectionMatrix(ProjectionMatrixSettings),
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
    pub area: super::CalibratedArea,
}

/// The mapping of one camera.
#[derive(Clone, Debug)]
pub struct Georeference(Kind);

#[derive(Clone, Debug)]
enum Kind {
    ReferencePoints(Box<reference_points::ReferencePoints>),
    ProjectionMatrix(Box<projection_matrix::ProjectionMatrix>),
}

/// What a mapping gives for one pixel: position, Jacobian ∂(east, north)/∂(x, y) in m/px, the calibration's share of the
/// covariance (m²) and whether it vouches for the point.
struct Mapped {
    position: Enu,
    jacobian: Matrix2<f64>,
    calibration: Matrix2<f64>,
    area: super::CalibratedArea,
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
        Ok(Self(match settings {
            GeoreferenceSettings::ReferencePoints(s) => Kind::ReferencePoints(Box::new(
                reference_points::ReferencePoints::new(camera, s, image_size_px, frame)?,
            )),
            GeoreferenceSettings::ProjectionMatrix(s) => Kind::ProjectionMatrix(Box::new(
                projection_matrix::ProjectionMatrix::new(camera, s, image_size_px, frame)?,
            )),
        }))
    }

    /// The ground point that `pixel` shows, its noise given as variances along x and y (px²). `None` at and above the
    /// horizon, where the lens has no image, and where the position would be worse than [`MAX_SIGMA_M`].
    pub fn to_ground(&self, pixel: [f64; 2], variance_px2: [f64; 2]) -> Option<GroundPoint> {
        let pixel = Vector2::from(pixel);
        let mapped = match &self.0 {
            Kind::ReferencePoints(m) => m.map(pixel),
            Kind::ProjectionMatrix(m) => m.map(pixel),
        }?;
        let noise = Matrix2::from_diagonal(&Vector2::from(variance_px2));
        let covariance = covariance2(&(mapped.jacobian * noise * mapped.jacobian.transpose()));
        (covariance.ellipse().0 <= MAX_SIGMA_M).then(|| GroundPoint {
            position: mapped.position,
            covariance,
            calibration_covariance: covariance2(&mapped.calibration),
            area: mapped.area,
        })
    }

    /// The pixel that shows `position` (its height is ignored); `None` behind the camera's horizon or where the lens has
    /// no image. The pixel may lie outside the image.
    pub fn to_pixel(&self, position: Enu) -> Option<[f64; 2]> {
        let pixel = match &self.0 {
            Kind::ReferencePoints(m) => m.unmap(position),
            Kind::ProjectionMatrix(m) => m.unmap(position),
        }?;
        Some(pixel.into())
    }

    /// How well the reference points agree; `None` for a mapping that was not made from points.
    pub fn reference_report(&self) -> Option<&ReferenceReport> {
        match &self.0 {
            Kind::ReferencePoints(m) => Some(m.report()),
            Kind::ProjectionMatrix(_) => None,
        }
    }
}

fn covariance2(m: &Matrix2<f64>) -> Covariance2 {
    Covariance2 { ee_m2: m[(0, 0)], en_m2: 0.5 * (m[(0, 1)] + m[(1, 0)]), nn_m2: m[(1, 1)] }
}
