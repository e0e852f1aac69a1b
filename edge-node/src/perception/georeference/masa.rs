//! Our georeferencing against positions that the real MASA tracker recorded in Modena.
//!
//! In: the tracker's recording (box in pixels of the undistorted image, latitude and longitude it was given) and the
//! camera's projection matrix. Out: the geotransform of the map, which was not published, fitted on half of the tracks, and
//! the distance between our positions and the recorded ones on both halves.
//!
//! What the recording does (seen in its numbers, confirmed by class-edge's `pixel2GPS(const int x, const int y, …)`): it
//! projects the box centre, not the contact point, truncated to whole pixels, and truncates the map pixel again, so
//! positions lie on a lattice of about 0.10 × 0.10 m. [`BoxPoint`] names what is projected, so that the report can show
//! what each of these costs.

use super::file;
use super::homography::Homography;
use super::projection_matrix::{PixelInput, ProjectionMatrixSettings};
use super::{Georeference, GeoreferenceSettings};
use crate::perception::Error;
use masa_v2x_proto::geo::{SiteFrame, Wgs84};
use nalgebra::{Matrix3, Vector2};
use std::path::Path;

/// One line of the recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recorded {
    /// Number of the track within the recording.
    pub track: u32,
    /// Left, top, width, height of the box in the undistorted image, pixels.
    pub box_px: [f64; 4],
    /// The position that it was given.
    pub position: Wgs84,
}

/// The point of a box that is projected to the ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxPoint {
    /// The centre in whole pixels, rounded down: what the recording did.
    TruncatedCentre,
    /// The centre.
    Centre,
    /// The middle of the lower edge: where the object stands.
    BottomCentre,
}

impl BoxPoint {
    fn of(self, [x, y, w, h]: [f64; 4]) -> [f64; 2] {
        match self {
            Self::TruncatedCentre => [(x + 0.5 * w).floor(), (y + 0.5 * h).floor()],
            Self::Centre => [x + 0.5 * w, y + 0.5 * h],
            Self::BottomCentre => [x + 0.5 * w, y + h],
        }
    }
}

/// Distances between our positions and recorded ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorFigures {
    /// Positions compared.
    pub samples: usize,
    /// Boxes that our mapping gives no position for.
    pub unmapped: usize,
    /// Median, metres.
    pub median_m: f64,
    /// 95th percentile, metres.
    pub p95_m: f64,
    /// Largest, metres.
    pub max_m: f64,
}

/// What [`evaluate`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Geotransform (GDAL order, degrees) fitted on the tracks with even numbers.
    pub fitted_geotransform_deg: [f64; 6],
    /// The fitted geotransform on the tracks it was fitted on, truncated box centres.
    pub fitted: ErrorFigures,
    /// On the tracks that the fit did not see, truncated box centres.
    pub held_out: ErrorFigures,
    /// On the same tracks with exact box centres: what truncating the centre costs.
    pub held_out_exact_centre: ErrorFigures,
    /// On the same tracks with contact points: how far the recording's choice of the box centre moves objects.
    pub held_out_contact_point: ErrorFigures,
    /// The geotransform of the settings on all tracks, truncated box centres.
    pub configured: ErrorFigures,
}

/// The lines of a MASA tracker recording.
///
/// # Errors
/// The number of the first line that is not as expected, and why.
pub fn parse_recording(text: &str) -> Result<Vec<Recorded>, String> {
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let wrong = |what: &str| format!("line {}: {what}", index + 1);
            let number = |i: usize| {
                let value: f64 =
                    fields.get(i).ok_or(wrong("too few fields"))?.parse().map_err(|_| wrong("not a number"))?;
                if value.is_finite() { Ok(value) } else { Err(wrong("not a number")) }
            };
            let track = fields.get(9).and_then(|id| id.rsplit('_').next()).and_then(|n| n.parse().ok());
            Ok(Recorded {
                track: track.ok_or(wrong("no track number"))?,
                box_px: [number(10)?, number(11)?, number(12)?, number(13)?],
                position: Wgs84 { lat_deg: number(4)?, lon_deg: number(5)?, alt_m: 0.0 },
            })
        })
        .collect()
}

/// The geotransform of a north-up map (GDAL order, degrees), by least squares over recorded positions: longitude is a
/// linear function of map x alone, latitude of map y alone.
///
/// # Errors
/// The positions do not determine it.
pub fn fit_geotransform(
    matrix: [[f64; 3]; 3],
    image_size_px: [u32; 2],
    recorded: &[Recorded],
    point: BoxPoint,
) -> Result<[f64; 6], String> {
    let bottom = Vector2::new(0.5 * f64::from(image_size_px[0]), f64::from(image_size_px[1]));
    let to_map = Homography::new(Matrix3::from_fn(|r, c| matrix[r][c]), bottom).ok_or("the matrix is singular")?;
    let pairs: Vec<_> = recorded
        .iter()
        .filter_map(|r| Some((to_map.apply(Vector2::from(point.of(r.box_px)))?.0, r.position)))
        .collect();
    let (lon, lon_x) = line(pairs.iter().map(|(map, p)| (map.x, p.lon_deg)))?;
    let (lat, lat_y) = line(pairs.iter().map(|(map, p)| (map.y, p.lat_deg)))?;
    Ok([lon, lon_x, 0.0, lat, 0.0, lat_y])
}

/// Intercept and slope of y over x.
fn line(points: impl Iterator<Item = (f64, f64)> + Clone) -> Result<(f64, f64), String> {
    let count = points.clone().count() as f64;
    let mean_x = points.clone().map(|p| p.0).sum::<f64>() / count;
    let mean_y = points.clone().map(|p| p.1).sum::<f64>() / count;
    let (mut xx, mut xy) = (0.0, 0.0);
    for (x, y) in points {
        xx += (x - mean_x) * (x - mean_x);
        xy += (x - mean_x) * (y - mean_y);
    }
    let slope = xy / xx;
    if slope.is_finite() { Ok((mean_y - slope * mean_x, slope)) } else { Err("the positions coincide".to_owned()) }
}

/// Compares our mapping of `camera` with the recording in the file `recording`. Files of `settings` must be loaded
/// ([`GeoreferenceSettings::load_files`]); tracks with even numbers are fitted, those with odd numbers held out.
///
/// # Errors
/// The recording cannot be read or parsed, or the settings do not determine a mapping.
pub fn evaluate(
    recording: &Path,
    camera: &str,
    settings: &ProjectionMatrixSettings,
    image_size_px: [u32; 2],
    frame: &SiteFrame,
) -> Result<Report, Error> {
    let (path, text) = file::read(&recording.to_string_lossy(), Path::new(""))?;
    let all = parse_recording(&text).map_err(|problem| file::malformed(&path, problem))?;
    let (fit_on, held_out): (Vec<_>, Vec<_>) = all.iter().copied().partition(|r| r.track % 2 == 0);
    let calibration = |problem: String| Error::Calibration { camera: camera.to_owned(), problem };
    let matrix = settings.matrix.ok_or_else(|| calibration("the projection matrix is not loaded".to_owned()))?;
    let geotransform =
        fit_geotransform(matrix, image_size_px, &fit_on, BoxPoint::TruncatedCentre).map_err(calibration)?;

    let mapping = |geotransform_deg: [f64; 6]| {
        let settings =
            ProjectionMatrixSettings { geotransform_deg, pixels: PixelInput::Undistorted, ..settings.clone() };
        Georeference::new(camera, &GeoreferenceSettings::ProjectionMatrix(settings), image_size_px, frame)
    };
    let fitted = mapping(geotransform)?;
    let configured = mapping(settings.geotransform_deg)?;
    let figures = |georeference: &Georeference, recorded: &[Recorded], point: BoxPoint| {
        figures(georeference, frame, recorded, point)
            .ok_or_else(|| calibration("no box of the recording has a ground position".to_owned()))
    };
    Ok(Report {
        fitted_geotransform_deg: geotransform,
        fitted: figures(&fitted, &fit_on, BoxPoint::TruncatedCentre)?,
        held_out: figures(&fitted, &held_out, BoxPoint::TruncatedCentre)?,
        held_out_exact_centre: figures(&fitted, &held_out, BoxPoint::Centre)?,
        held_out_contact_point: figures(&fitted, &held_out, BoxPoint::BottomCentre)?,
        configured: figures(&configured, &all, BoxPoint::TruncatedCentre)?,
    })
}

fn figures(
    georeference: &Georeference,
    frame: &SiteFrame,
    recorded: &[Recorded],
    point: BoxPoint,
) -> Option<ErrorFigures> {
    let mut errors_m: Vec<f64> = recorded
        .iter()
        .filter_map(|r| {
            // The variance only decides what is too uncertain to be given: here everything is to be compared.
            let ground = georeference.to_ground(point.of(r.box_px), [0.01, 0.01])?;
            let truth = frame.to_enu(Wgs84 { alt_m: frame.origin().alt_m, ..r.position });
            Some(ground.position.ground_distance_m(&truth))
        })
        .collect();
    errors_m.sort_by(f64::total_cmp);
    let at = |share: f64| errors_m.get(((errors_m.len() - 1) as f64 * share).round() as usize).copied();
    (!errors_m.is_empty()).then_some(())?;
    Some(ErrorFigures {
        samples: errors_m.len(),
        unmapped: recorded.len() - errors_m.len(),
        median_m: at(0.5)?,
        p95_m: at(0.95)?,
        max_m: at(1.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_line_is_read_and_a_broken_one_is_named() {
        let line =
            "20939 0 1612883232894 car 44.65615861119585 10.935351177948226 spzy0c6 0 0 20939_7 1936 37 34 33 -1 -1";
        let recorded = parse_recording(line).unwrap();
        assert_eq!(recorded[0].track, 7);
        assert_eq!(recorded[0].box_px, [1936.0, 37.0, 34.0, 33.0]);
        assert_eq!(parse_recording(&format!("{line}\n1 2 3")).unwrap_err(), "line 2: no track number");
    }
}
