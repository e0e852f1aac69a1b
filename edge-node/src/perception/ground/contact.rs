//! From the point where a box meets the ground to the middle of the road user.
//!
//! In: the pixel of the contact point with its noise, the class's size and the direction, once known. Out: a
//! [`GroundMeasurement`] of the middle of the footprint. The lower edge of a box is the corner of the body nearest to the
//! camera, and its sides are those of a body that stands upright before a camera that looks down: so the body is put where
//! its own box, drawn through the same camera, has the measured middle and lower edge.

use super::settings::{Extent, MotionSettings};
use super::viewpoint::Viewpoint;
use crate::perception::CalibratedArea;
use crate::perception::georeference::Georeference;
use masa_v2x_proto::geo::{Covariance2, Enu};
use std::f64::consts::PI;

/// Steps in which the body is moved; each leaves a tenth of the error at most.
const STEPS: usize = 2;
/// Standard deviation of the near side of a body whose direction is not known, as a share of what length exceeds width.
const UNKNOWN_YAW: f64 = 0.18;
/// The same where the shape of the box tells the direction.
const YAW_BY_ASPECT: f64 = 0.08;
/// Directions between along and across the view that are tried.
const TURNS: u32 = 6;

/// A road user as one frame shows it on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroundMeasurement {
    /// Middle of its footprint.
    pub position: Enu,
    /// Covariance of what differs from frame to frame.
    pub noise: Covariance2,
    /// Covariance of what is the same in many frames: calibration, the detector's habits, the size taken for it.
    pub bias: Covariance2,
    /// Whether the calibration vouches for the position.
    pub area: CalibratedArea,
}

/// Where a box meets the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Contact {
    /// Pixel, in images of the camera's size.
    pub(crate) pixel: [f64; 2],
    /// Variance along x and y of what differs from frame to frame, px².
    pub(crate) noise_px2: [f64; 2],
    /// The same of what does not, px².
    pub(crate) bias_px2: [f64; 2],
    /// Width of the box by its height; `None` where its shape says nothing.
    pub(crate) aspect: Option<f64>,
}

/// The middle of the road user of `extent` and direction that meets the ground at `contact`. Without a viewpoint it is the
/// contact point itself.
pub(crate) fn measure(
    map: &Georeference,
    viewpoint: Option<&Viewpoint>,
    contact: &Contact,
    extent: &Extent,
    yaw_rad: Option<f64>,
    settings: &MotionSettings,
) -> Option<GroundMeasurement> {
    let seen = map.to_ground(contact.pixel, contact.noise_px2)?;
    let detector = map.to_ground(contact.pixel, contact.bias_px2).map_or(seen.covariance, |point| point.covariance);
    let mut measured = GroundMeasurement {
        position: seen.position,
        noise: seen.covariance,
        bias: sum(&detector, &seen.calibration_covariance),
        area: seen.area,
    };
    let Some(viewpoint) = viewpoint else { return Some(measured) };
    let bearing_rad = viewpoint.bearing_rad(seen.position);
    let seen_from = Sighting { map, viewpoint, contact: seen.position, bearing_rad };
    let (body, yaw_rad, unknown_m) = match (yaw_rad, contact.aspect) {
        (Some(yaw_rad), _) => (*extent, yaw_rad, 0.0),
        (None, Some(aspect)) => {
            let unknown_m = YAW_BY_ASPECT * (extent.length_m - extent.width_m).abs();
            (*extent, seen_from.yaw_by_aspect(extent, aspect), unknown_m)
        }
        // Any direction is as likely: the near side is on average where that of this square is.
        (None, None) => {
            let side_m = 2.0 * (extent.length_m + extent.width_m) / PI;
            let unknown_m = UNKNOWN_YAW * (extent.length_m - extent.width_m).abs();
            (Extent { length_m: side_m, width_m: side_m, ..*extent }, bearing_rad, unknown_m)
        }
    };
    let mut centre = seen_from.behind(&body, yaw_rad);
    for _ in 0..STEPS {
        let Some([x1, _, x2, y2]) = viewpoint.draw(map, centre, yaw_rad, &body) else { break };
        let Some(drawn) = map.to_ground([0.5 * (x1 + x2), y2], contact.noise_px2) else { break };
        centre.e_m += seen.position.e_m - drawn.position.e_m;
        centre.n_m += seen.position.n_m - drawn.position.n_m;
    }
    // The middle is about as far behind the contact point as the body reaches, or the mapping is not that of a camera.
    if centre.ground_distance_m(&seen.position) <= body.length_m.hypot(body.width_m) {
        measured.position = centre;
    }
    let (across, along) = (yaw_rad - bearing_rad).sin_cos();
    let reach_m = 0.5 * (body.length_m * along).hypot(body.width_m * across);
    let variance = (settings.size_tolerance * reach_m).powi(2) + unknown_m * unknown_m;
    let (sin, cos) = bearing_rad.sin_cos();
    let size = Covariance2 { ee_m2: variance * cos * cos, en_m2: variance * cos * sin, nn_m2: variance * sin * sin };
    measured.bias = sum(&measured.bias, &size);
    Some(measured)
}

/// Something that a camera sees at a contact point.
struct Sighting<'a> {
    map: &'a Georeference,
    viewpoint: &'a Viewpoint,
    contact: Enu,
    bearing_rad: f64,
}

impl Sighting<'_> {
    /// The middle of a body whose nearest corner is as far away as the contact point.
    fn behind(&self, body: &Extent, yaw_rad: f64) -> Enu {
        let (across, along) = (yaw_rad - self.bearing_rad).sin_cos();
        let reach_m = 0.5 * (body.length_m * along.abs() + body.width_m * across.abs());
        let (sin, cos) = self.bearing_rad.sin_cos();
        Enu::ground(self.contact.e_m + reach_m * cos, self.contact.n_m + reach_m * sin)
    }

    /// The direction in which a body shows with an aspect (width by height); to which side of the view it turns is not known,
    /// and matters little for its middle.
    fn yaw_by_aspect(&self, body: &Extent, aspect: f64) -> f64 {
        let misfit = |turn: u32| {
            let yaw_rad = self.bearing_rad + f64::from(turn) * 0.5 * PI / f64::from(TURNS);
            let drawn = self.viewpoint.draw(self.map, self.behind(body, yaw_rad), yaw_rad, body);
            let misfit = drawn.map_or(f64::INFINITY, |[x1, y1, x2, y2]| ((x2 - x1) / (y2 - y1) / aspect).ln().abs());
            (misfit, yaw_rad)
        };
        let best = (0..=TURNS).map(misfit).min_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or(self.bearing_rad, |(_, yaw_rad)| yaw_rad)
    }
}

/// The covariance of a sum of independent errors.
pub(crate) fn sum(a: &Covariance2, b: &Covariance2) -> Covariance2 {
    Covariance2 { ee_m2: a.ee_m2 + b.ee_m2, en_m2: a.en_m2 + b.en_m2, nn_m2: a.nn_m2 + b.nn_m2 }
}
