//! Georeferencing through intrinsics and a ground-plane projection matrix, as the cameras of the Modena deployment have.
//!
//! In: camera matrix and distortion (an OpenCV YAML file), a 3×3 matrix from undistorted pixels to the pixels of a
//! georeferenced map, and that map's geotransform. Out: undistorted pixel → map pixel → WGS 84 → site ENU.

use super::Mapped;
use super::file::{self, malformed};
use super::homography::Homography;
use super::lens::{Distortion, Intrinsics};
use crate::perception::{CalibratedArea, Error};
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use nalgebra::{Matrix2, Matrix3, Vector2};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Settings of `kind = "projection-matrix"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProjectionMatrixSettings {
    /// An OpenCV calibration file (`camera_matrix`, `distortion_coefficients`); gives [`Self::intrinsics`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intrinsics_file: Option<String>,
    /// Camera matrix and distortion; none: the image is taken as undistorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intrinsics: Option<Intrinsics>,
    /// A text file of nine numbers; gives [`Self::matrix`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix_file: Option<String>,
    /// Rows of the matrix from undistorted pixels (of images of the camera's size) to map pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<[[f64; 3]; 3]>,
    /// The map's geotransform in GDAL's order: longitude of the map's corner, degrees per map pixel along x and along y;
    /// then the same for latitude.
    pub geotransform_deg: [f64; 6],
    /// What the detector's pixels are.
    #[serde(default)]
    pub pixels: PixelInput,
}

/// What the detector's pixels are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelInput {
    /// As the lens draws them: they are undistorted here.
    #[default]
    Drawn,
    /// Undistorted before detection.
    Undistorted,
}

impl ProjectionMatrixSettings {
    pub(super) fn load_files(&mut self, base: &Path) -> Result<(), Error> {
        if let Some(name) = &self.intrinsics_file {
            let (path, text) = file::read(name, base)?;
            self.intrinsics = Some(parse_intrinsics(&text).map_err(|problem| malformed(&path, problem))?);
            self.intrinsics_file = None;
        }
        if let Some(name) = &self.matrix_file {
            let (path, text) = file::read(name, base)?;
            self.matrix = Some(parse_matrix(&text).map_err(|problem| malformed(&path, problem))?);
            self.matrix_file = None;
        }
        Ok(())
    }
}

/// Intrinsics from the YAML that OpenCV's `FileStorage` writes.
///
/// # Errors
/// What is missing or not a number, in words.
pub fn parse_intrinsics(text: &str) -> Result<Intrinsics, String> {
    let size = |key: &str| {
        let after = text.split_once(&format!("{key}:")).ok_or(format!("no {key}"))?.1;
        let value = after.lines().next().unwrap_or_default().trim();
        value.parse::<u32>().ok().filter(|v| *v > 0).ok_or(format!("{key} is {value:?}, not a number of pixels"))
    };
    let matrix = yaml_numbers(text, "camera_matrix")?;
    let distortion = yaml_numbers(text, "distortion_coefficients")?;
    let &[fx, _, cx, _, fy, cy, ..] = matrix.as_slice() else {
        return Err(format!("camera_matrix has {} numbers, not 9", matrix.len()));
    };
    if fx <= 0.0 || fy <= 0.0 {
        return Err(format!("focal lengths {fx}, {fy} are not positive"));
    }
    if distortion.len() > 5 {
        return Err(format!("{} distortion coefficients: only k1 k2 p1 p2 k3 are understood", distortion.len()));
    }
    Ok(Intrinsics {
        image_size_px: [size("image_width")?, size("image_height")?],
        focal_length_px: [fx, fy],
        principal_point_px: [cx, cy],
        distortion: Distortion::BrownConrady(std::array::from_fn(|i| distortion.get(i).copied().unwrap_or(0.0))),
    })
}

fn yaml_numbers(text: &str, key: &str) -> Result<Vec<f64>, String> {
    let after = text.split_once(&format!("{key}:")).ok_or(format!("no {key}"))?.1;
    let list = after.split_once('[').and_then(|(_, rest)| rest.split_once(']')).ok_or(format!("{key} has no data"))?.0;
    list.split(',').map(|item| number(item.trim()).ok_or(format!("{key}: {item:?} is not a number"))).collect()
}

/// A 3×3 matrix from nine numbers separated by white space, row by row.
///
/// # Errors
/// What is wrong, in words.
pub fn parse_matrix(text: &str) -> Result<[[f64; 3]; 3], String> {
    let numbers = text
        .split_whitespace()
        .map(|item| number(item).ok_or(format!("{item:?} is not a number")))
        .collect::<Result<Vec<_>, _>>()?;
    if numbers.len() != 9 {
        return Err(format!("{} numbers, not 9", numbers.len()));
    }
    Ok(std::array::from_fn(|row| std::array::from_fn(|column| numbers[3 * row + column])))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|v: &f64| v.is_finite())
}

#[derive(Clone, Debug)]
pub(super) struct ProjectionMatrix {
    to_map: Homography,
    from_map: Homography,
    geotransform: [f64; 6],
    /// ∂(east, north)/∂(map x, map y) at the site origin: over a site the change is below a part in a thousand.
    map_to_enu: Matrix2<f64>,
    geotransform_inverse: Matrix2<f64>,
    frame: SiteFrame,
}

impl ProjectionMatrix {
    pub(super) fn new(
        camera: &str,
        settings: &ProjectionMatrixSettings,
        image_size_px: [u32; 2],
        frame: &SiteFrame,
    ) -> Result<Self, Error> {
        let wrong = |problem: &str| Error::Calibration { camera: camera.to_owned(), problem: problem.to_owned() };
        if let Some(name) = settings.intrinsics_file.as_ref().or(settings.matrix_file.as_ref()) {
            return Err(Error::NotLoaded { path: PathBuf::from(name) });
        }
        let rows = settings.matrix.ok_or_else(|| wrong("neither matrix nor matrix-file is given"))?;
        let matrix = Matrix3::from_fn(|row, column| rows[row][column]);
        let size = Vector2::new(f64::from(image_size_px[0]), f64::from(image_size_px[1]));
        // A roadside camera shows ground at the lower edge of its image, so that side of the horizon is in front of it.
        let bottom = Vector2::new(0.5 * size.x, size.y);
        let to_map = Homography::new(matrix, bottom).ok_or_else(|| wrong("the projection matrix is singular"))?;
        let from_map = to_map.inverse(bottom).ok_or_else(|| wrong("the projection matrix is singular"))?;
        let [_, lon_x, lon_y, _, lat_x, lat_y] = settings.geotransform_deg;
        let geotransform = Matrix2::new(lon_x, lon_y, lat_x, lat_y);
        let geotransform_inverse =
            geotransform.try_inverse().ok_or_else(|| wrong("the geotransform of the map is singular"))?;
        Ok(Self {
            to_map,
            from_map,
            geotransform: settings.geotransform_deg,
            map_to_enu: metres_per_degree(frame) * geotransform,
            geotransform_inverse,
            frame: *frame,
        })
    }

    pub(super) fn map(&self, undistorted: Vector2<f64>) -> Option<Mapped> {
        let (map, jacobian) = self.to_map.apply(undistorted)?;
        let [lon, lon_x, lon_y, lat, lat_x, lat_y] = self.geotransform;
        let enu = self.frame.to_enu(Wgs84 {
            lat_deg: lat + lat_x * map.x + lat_y * map.y,
            lon_deg: lon + lon_x * map.x + lon_y * map.y,
            alt_m: self.frame.origin().alt_m,
        });
        Some(Mapped {
            position: Enu::ground(enu.e_m, enu.n_m),
            jacobian: self.map_to_enu * jacobian,
            calibration: Matrix2::zeros(),
            area: CalibratedArea::Inside,
        })
    }

    pub(super) fn unmap(&self, position: Enu) -> Option<Vector2<f64>> {
        let geodetic = self.frame.to_wgs84(Enu::ground(position.e_m, position.n_m));
        let offset = Vector2::new(geodetic.lon_deg - self.geotransform[0], geodetic.lat_deg - self.geotransform[3]);
        Some(self.from_map.apply(self.geotransform_inverse * offset)?.0)
    }
}

/// ∂(east, north)/∂(longitude, latitude) at the origin of `frame`, metres per degree.
fn metres_per_degree(frame: &SiteFrame) -> Matrix2<f64> {
    const STEP_DEG: f64 = 1e-4;
    let origin = frame.origin();
    let at = |dlon: f64, dlat: f64| {
        let p = frame.to_enu(Wgs84 { lat_deg: origin.lat_deg + dlat, lon_deg: origin.lon_deg + dlon, ..origin });
        Vector2::new(p.e_m, p.n_m)
    };
    Matrix2::from_columns(&[
        (at(STEP_DEG, 0.0) - at(-STEP_DEG, 0.0)) / (2.0 * STEP_DEG),
        (at(0.0, STEP_DEG) - at(0.0, -STEP_DEG)) / (2.0 * STEP_DEG),
    ])
}
