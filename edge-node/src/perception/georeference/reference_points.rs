//! Georeferencing through surveyed points: pixel ↔ UTM or WGS 84.
//!
//! In: at least four points, no three on a line, and optionally the camera's intrinsics. Out: a homography from
//! undistorted pixels to site ENU metres with the covariance that the survey leaves, and a report of how well the points
//! agree: residuals, and each point's error when the others alone predict it.

use super::calibrated::default_max_calibration_sigma_m;
use super::file;
use super::homography::{Fit, Homography};
use super::lens::{Intrinsics, Lens};
use super::{Mapped, covariance2};
use crate::perception::{CalibratedArea, Error};
use masa_v2x_proto::geo::{Enu, Hemisphere, SiteFrame, Wgs84, utm_to_wgs84};
use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Reference points at most.
const MAX_POINTS: usize = 1000;

/// Settings of `kind = "reference-points"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReferencePointsSettings {
    /// An OTVision `.otrfpts` file; its points are added to [`Self::points`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Points given here.
    #[serde(default, rename = "point")]
    pub points: Vec<ReferencePoint>,
    /// The lens; none: the image is taken as undistorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intrinsics: Option<Intrinsics>,
    /// Standard deviation of a reference point on the ground, surveying and clicking together, metres. Larger residuals
    /// overrule it.
    #[serde(default = "default_survey_sigma_m")]
    pub survey_sigma_m: f64,
    /// The calibration vouches for positions whose error it knows to be below this, one sigma along the worst axis, metres.
    #[serde(default = "default_max_calibration_sigma_m")]
    pub max_calibration_sigma_m: f64,
}

fn default_survey_sigma_m() -> f64 {
    0.2
}

/// A point known in the image and on the ground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReferencePoint {
    /// What it is called in reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// x, y in the image, pixels.
    pub pixel: [f64; 2],
    /// Where it is.
    pub ground: GroundReference,
    /// Its height over the site origin, metres; only a camera's pose can be fitted to points above the ground.
    #[serde(default)]
    pub up_m: f64,
}

impl ReferencePoint {
    /// Where it is in the site.
    pub fn position(&self, frame: &SiteFrame) -> Enu {
        Enu { u_m: self.up_m, ..self.ground.position(frame) }
    }
}

/// Where a reference point is: `ground = { utm = { … } }`, `{ wgs84 = { … } }` or `{ enu = { … } }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum GroundReference {
    /// Universal transverse Mercator on WGS 84.
    Utm {
        /// Zone 1–60; coordinates beyond its edge are understood.
        zone: u8,
        /// `N` or `S`.
        hemisphere: Hemisphere,
        /// Easting, metres.
        easting_m: f64,
        /// Northing, metres.
        northing_m: f64,
    },
    /// Latitude and longitude.
    #[serde(rename = "wgs84")]
    Wgs84 {
        /// Latitude, degrees.
        latitude_deg: f64,
        /// Longitude, degrees.
        longitude_deg: f64,
    },
    /// In the site itself.
    Enu {
        /// Metres east of the site origin.
        east_m: f64,
        /// Metres north of it.
        north_m: f64,
    },
}

impl GroundReference {
    /// The position on the ground of the site.
    fn position(self, frame: &SiteFrame) -> Enu {
        let on_ground = |p: Wgs84| {
            let enu = frame.to_enu(Wgs84 { alt_m: frame.origin().alt_m, ..p });
            Enu::ground(enu.e_m, enu.n_m)
        };
        match self {
            Self::Utm { zone, hemisphere, easting_m, northing_m } => {
                on_ground(utm_to_wgs84(zone, hemisphere, easting_m, northing_m))
            }
            Self::Wgs84 { latitude_deg: lat_deg, longitude_deg: lon_deg } => {
                on_ground(Wgs84 { lat_deg, lon_deg, alt_m: 0.0 })
            }
            Self::Enu { east_m, north_m } => Enu::ground(east_m, north_m),
        }
    }
}

impl ReferencePointsSettings {
    pub(super) fn load_files(&mut self, base: &Path) -> Result<(), Error> {
        let Some(name) = &self.file else { return Ok(()) };
        let (path, text) = file::read(name, base)?;
        self.points.extend(parse_otrfpts(&text).map_err(|problem| file::malformed(&path, problem))?);
        self.file = None;
        Ok(())
    }
}

/// The points of an OTVision `.otrfpts` file, in the order of their numbers.
///
/// # Errors
/// What is wrong, in words.
pub fn parse_otrfpts(text: &str) -> Result<Vec<ReferencePoint>, String> {
    #[derive(Deserialize)]
    struct Entry {
        x_px: f64,
        y_px: f64,
        hemisphere: Hemisphere,
        zone_utm: u8,
        lon_utm: f64,
        lat_utm: f64,
    }
    let entries: BTreeMap<u32, Entry> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    Ok(entries
        .into_iter()
        .map(|(number, e)| ReferencePoint {
            name: Some(number.to_string()),
            pixel: [e.x_px, e.y_px],
            ground: GroundReference::Utm {
                zone: e.zone_utm,
                hemisphere: e.hemisphere,
                easting_m: e.lon_utm,
                northing_m: e.lat_utm,
            },
            up_m: 0.0,
        })
        .collect())
}

/// How well reference points agree with the mapping made from them.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceReport {
    /// One entry per point, in their order.
    pub points: Vec<PointError>,
    /// Root mean square of the residuals, metres.
    pub rms_m: f64,
    /// Standard deviation of a ground coordinate that the calibration covariance is made with, metres.
    pub sigma_m: f64,
}

/// How one reference point agrees with the mapping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointError {
    /// Its pixel.
    pub pixel: [f64; 2],
    /// Its surveyed position.
    pub position: Enu,
    /// Distance between the mapped pixel and the surveyed position, metres.
    pub residual_m: f64,
    /// The same with a mapping made from all other points; `None` where those do not determine one or put the point beyond
    /// their horizon.
    pub leave_one_out_m: Option<f64>,
}

#[derive(Clone, Debug)]
pub(super) struct ReferencePoints {
    fit: Fit,
    to_pixel: Homography,
    max_calibration_sigma_m: f64,
    report: ReferenceReport,
}

impl ReferencePoints {
    pub(super) fn new(
        camera: &str,
        settings: &ReferencePointsSettings,
        lens: Option<&Lens>,
        frame: &SiteFrame,
    ) -> Result<Self, Error> {
        let wrong = |problem: String| Error::Calibration { camera: camera.to_owned(), problem };
        if let Some(name) = &settings.file {
            return Err(Error::NotLoaded { path: PathBuf::from(name) });
        }
        if settings.points.len() > MAX_POINTS {
            return Err(wrong(format!("more than {MAX_POINTS} reference points")));
        }
        if let Some(point) = settings.points.iter().find(|point| point.up_m != 0.0) {
            let [x, y] = point.pixel;
            return Err(wrong(format!(
                "the point at [{x}, {y}] px is above the ground: `masa calibrate fit` takes it"
            )));
        }
        let pairs = settings
            .points
            .iter()
            .map(|point| {
                let drawn = Vector2::from(point.pixel);
                let pixel = match lens {
                    Some(lens) => lens.undistort(drawn)?.0,
                    None => drawn,
                };
                let enu = point.position(frame);
                let finite = pixel.x.is_finite() && pixel.y.is_finite() && enu.e_m.is_finite() && enu.n_m.is_finite();
                finite.then_some((pixel, Vector2::new(enu.e_m, enu.n_m)))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| wrong("a reference point is not a number or outside the lens".to_owned()))?;

        let fit = Fit::new(&pairs).map_err(|problem| wrong(format!("reference points: {problem}")))?;
        let to_pixel =
            fit.homography.inverse(pairs[0].0).ok_or_else(|| wrong("the mapping cannot be inverted".to_owned()))?;
        let report = report(settings, &pairs, &fit);
        Ok(Self { fit, to_pixel, max_calibration_sigma_m: settings.max_calibration_sigma_m, report })
    }

    pub(super) fn report(&self) -> &ReferenceReport {
        &self.report
    }

    pub(super) fn map(&self, undistorted: Vector2<f64>) -> Option<Mapped> {
        let (ground, jacobian) = self.fit.homography.apply(undistorted)?;
        let calibration = self.fit.covariance(undistorted, self.report.sigma_m);
        let known = covariance2(&calibration).ellipse().0 <= self.max_calibration_sigma_m;
        Some(Mapped {
            position: Enu::ground(ground.x, ground.y),
            jacobian,
            calibration,
            area: if known { CalibratedArea::Inside } else { CalibratedArea::Outside },
        })
    }

    pub(super) fn unmap(&self, position: Enu) -> Option<Vector2<f64>> {
        Some(self.to_pixel.apply(Vector2::new(position.e_m, position.n_m))?.0)
    }
}

fn report(settings: &ReferencePointsSettings, pairs: &[(Vector2<f64>, Vector2<f64>)], fit: &Fit) -> ReferenceReport {
    let leave_one_out = |left: usize| {
        let others: Vec<_> = pairs.iter().enumerate().filter(|(i, _)| *i != left).map(|(_, p)| *p).collect();
        let (image, _) = Fit::new(&others).ok()?.homography.apply(pairs[left].0)?;
        Some((image - pairs[left].1).norm())
    };
    let points = pairs
        .iter()
        .enumerate()
        .map(|(i, (_, ground))| PointError {
            pixel: settings.points[i].pixel,
            position: Enu::ground(ground.x, ground.y),
            residual_m: fit.residuals_m[i],
            leave_one_out_m: leave_one_out(i),
        })
        .collect();
    let squares: f64 = fit.residuals_m.iter().map(|r| r * r).sum();
    ReferenceReport {
        points,
        rms_m: (squares / pairs.len() as f64).sqrt(),
        sigma_m: settings.survey_sigma_m.max(fit.unit_sigma_m().unwrap_or(0.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn otrfpts_points_come_in_order_of_their_numbers() {
        let text = r#"{"10": {"x_px": 1, "y_px": 2, "hemisphere": "N", "zone_utm": 32, "lon_utm": 3.5, "lat_utm": 4.5},
                       "2": {"x_px": 5, "y_px": 6, "hemisphere": "S", "zone_utm": 33, "lon_utm": 7, "lat_utm": 8}}"#;
        let points = parse_otrfpts(text).unwrap();
        assert_eq!(points[0].pixel, [5.0, 6.0]);
        assert_eq!(
            points[1].ground,
            GroundReference::Utm { zone: 32, hemisphere: Hemisphere::North, easting_m: 3.5, northing_m: 4.5 }
        );
        assert!(parse_otrfpts("{\"1\": {\"x_px\": 3}}").unwrap_err().contains("missing field"));
    }

    #[test]
    fn points_are_written_in_toml_as_documented() {
        let text = r#"
            [[point]]
            pixel = [14, 259]
            ground = { utm = { zone = 32, hemisphere = "N", easting-m = 844098.58, northing-m = 5673186.1 } }
            [[point]]
            pixel = [652.5, 136]
            ground = { wgs84 = { latitude-deg = 51.1, longitude-deg = 13.9 } }
        "#;
        let settings: ReferencePointsSettings = toml::from_str(text).unwrap();
        assert_eq!(settings.points.len(), 2);
        let error = toml::from_str::<ReferencePointsSettings>("fiel = \"x\"").unwrap_err().to_string();
        assert!(error.contains("unknown field `fiel`"), "{error}");
    }
}
