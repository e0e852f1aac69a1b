//! From the point where a box meets the ground to the middle of the road user.
//!
//! In: the pixel of the contact point with its noise, the class's size and the direction, once known. Out: a
//! [`GroundMeasurement`] of the middle of the footprint. The lower edge of a box is the corner of the body nearest to the
//! camera, and its sides are those of a body that stands upright before a camera that looks down: so the body is put where
//! its own box, drawn through the same camera, has the measured middle and lower edge. Of a box that the picture's border cuts,
//! the cut edges say nothing: the body is put where what shows of it has the same other edges.

use super::heading::Heading;
use super::motion::MeasuredVelocity;
use super::settings::Extent;
use super::size::Body;
use super::viewpoint::Viewpoint;
use crate::perception::CalibratedArea;
use crate::perception::georeference::Georeference;
use masa_v2x_proto::geo::{Covariance2, Enu};
use nalgebra::{Matrix2, Vector2};
use std::f64::consts::PI;

/// Steps in which the body is moved; each leaves a tenth of the error at most.
const STEPS: usize = 2;
/// Standard deviation of the near side of a body whose direction is not known, as a share of what length exceeds width.
const UNKNOWN_YAW: f64 = 0.18;
/// The same where the shape of the box tells the direction.
const YAW_BY_ASPECT: f64 = 0.08;
/// Variance of a direction, besides what its velocity leaves open: it follows a bend late, rad².
const BEND_RAD2: f64 = 0.12 * 0.12;
/// Bodies are no boxes, their corners are round: standard deviation of what that makes of the near side, as a share of the
/// geometric mean of length and width.
const ROUND: f64 = 0.06;
/// How much of the variance by size and direction changes from frame to frame while a body goes past the border, share.
const CUT_NOISE: f64 = 0.25;
/// Directions between along and across the view that are tried.
const TURNS: u32 = 6;
/// Steps in which a body that the border cuts is moved: what shows of it changes as it moves.
const CUT_STEPS: usize = 4;
/// How far a body is moved to see how its pixels move, metres.
const NUDGE_M: f64 = 0.05;
/// A body that is still this far from its pixels is not where it was put, pixels.
const MOST_LEFT_PX: f64 = 2.0;

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
    /// Its velocity, where one look tells of it.
    pub velocity: Option<MeasuredVelocity>,
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
    /// Width and height of the box, pixels; `None` where they are not those of the whole body.
    pub(crate) whole_px: Option<[f64; 2]>,
    /// Where the border cuts the box: what the pixel is instead of the middle of the lower edge.
    pub(crate) cut: Option<Cut>,
}

/// The point of a box that the picture's border leaves, x and y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cut {
    pub(crate) across: Across,
    pub(crate) level: Level,
    /// Width and height of the picture, pixels.
    pub(crate) size_px: [f64; 2],
}

/// Where x is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Across {
    Left,
    Middle,
    Right,
}

impl Across {
    /// What is left of a box without its left or right edge; `None` of one without both.
    pub(crate) const fn without(left: bool, right: bool) -> Option<Self> {
        match (left, right) {
            (false, false) => Some(Self::Middle),
            (true, false) => Some(Self::Right),
            (false, true) => Some(Self::Left),
            (true, true) => None,
        }
    }
}

/// Where y is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Lower,
    Top,
}

impl Cut {
    fn pixel([left, top, right, lower]: [f64; 4], across: Across, level: Level) -> Vector2<f64> {
        let x = match across {
            Across::Left => left,
            Across::Middle => 0.5 * (left + right),
            Across::Right => right,
        };
        Vector2::new(x, if level == Level::Lower { lower } else { top })
    }
}

/// The middle of the road user of `body` and direction that meets the ground at `contact`. Without a viewpoint it is the
/// contact point itself, and what the border cuts has no place.
pub(crate) fn measure(
    map: &Georeference,
    viewpoint: Option<&Viewpoint>,
    contact: &Contact,
    body: &Body,
    heading: Option<Heading>,
) -> Option<GroundMeasurement> {
    if let Some(cut) = &contact.cut {
        return measure_cut(map, viewpoint?, contact, cut, body, heading);
    }
    let Body { extent, spread } = body;
    let seen = map.to_ground(contact.pixel, contact.noise_px2)?;
    let detector = map.to_ground(contact.pixel, contact.bias_px2).map_or(seen.covariance, |point| point.covariance);
    let mut measured = GroundMeasurement {
        position: seen.position,
        noise: seen.covariance,
        bias: sum(&detector, &seen.calibration_covariance),
        area: seen.area,
        velocity: None,
    };
    let Some(viewpoint) = viewpoint else { return Some(measured) };
    let bearing_rad = viewpoint.bearing_rad(seen.position);
    let seen_from = Sighting { map, viewpoint, contact: seen.position, bearing_rad };
    let (body, yaw_rad, unknown_m) = match (heading, contact.whole_px) {
        (Some(Heading { yaw_rad, variance, .. }), _) => {
            let (across, along) = (yaw_rad - bearing_rad).sin_cos();
            let by_turn_m = 0.5 * (extent.length_m * across.abs() - extent.width_m * along.abs());
            (*extent, yaw_rad, (variance + BEND_RAD2).sqrt() * by_turn_m)
        }
        (None, Some([width_px, height_px])) => {
            let unknown_m = YAW_BY_ASPECT * (extent.length_m - extent.width_m).abs();
            (*extent, seen_from.yaw_by_aspect(extent, width_px / height_px), unknown_m)
        }
        (None, None) => {
            let (body, unknown_m) = of_any_direction(extent);
            (body, bearing_rad, unknown_m)
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
    let size_m = 0.5 * (spread.length * body.length_m * along).hypot(spread.width * body.width_m * across);
    let round_m = ROUND * (body.length_m * body.width_m).sqrt();
    let sigma_m = size_m.hypot(unknown_m).hypot(round_m);
    let (sin, cos) = bearing_rad.sin_cos();
    measured.bias = sum(&measured.bias, &outer(Vector2::new(sigma_m * cos, sigma_m * sin)));
    Some(measured)
}

/// The same of a body that the picture's border cuts; `None` where its place does not follow from what shows.
fn measure_cut(
    map: &Georeference,
    viewpoint: &Viewpoint,
    contact: &Contact,
    cut: &Cut,
    Body { extent, spread }: &Body,
    heading: Option<Heading>,
) -> Option<GroundMeasurement> {
    let hidden = map.to_ground(contact.pixel, contact.noise_px2)?;
    let bearing_rad = viewpoint.bearing_rad(hidden.position);
    let (body, unknown_m) = heading.map_or_else(|| of_any_direction(extent), |_| (*extent, 0.0));
    let Heading { yaw_rad, variance, .. } = heading.unwrap_or(Heading::known(bearing_rad));
    let turned_rad = yaw_rad + (variance + BEND_RAD2).sqrt();
    let drawn = |centre: Enu, body: &Extent, yaw_rad: f64| {
        let drawn = viewpoint.draw_within(map, centre, yaw_rad, body, cut.size_px)?;
        Some(Cut::pixel(drawn, cut.across, cut.level))
    };
    let mut centre = match cut.level {
        Level::Lower => hidden.position,
        Level::Top => viewpoint.below(hidden.position, body.height_m),
    };
    let by_pixel = |centre: Enu, here: Vector2<f64>| {
        let east = drawn(Enu::ground(centre.e_m + NUDGE_M, centre.n_m), &body, yaw_rad)? - here;
        let north = drawn(Enu::ground(centre.e_m, centre.n_m + NUDGE_M), &body, yaw_rad)? - here;
        (Matrix2::from_columns(&[east, north]) / NUDGE_M).try_inverse()
    };
    for _ in 0..CUT_STEPS {
        let here = drawn(centre, &body, yaw_rad)?;
        let step = by_pixel(centre, here)? * (Vector2::from(contact.pixel) - here);
        let most_m = body.length_m.max(1.0);
        let step = step * (most_m / step.norm().max(most_m));
        (centre.e_m, centre.n_m) = (centre.e_m + step.x, centre.n_m + step.y);
    }
    let here = drawn(centre, &body, yaw_rad)?;
    if (Vector2::from(contact.pixel) - here).norm() > MOST_LEFT_PX {
        return None;
    }
    let by_pixel = by_pixel(centre, here)?;
    let on_ground = |px2: [f64; 2]| {
        let c = by_pixel * Matrix2::from_diagonal(&Vector2::from(px2)) * by_pixel.transpose();
        Covariance2 { ee_m2: c[(0, 0)], en_m2: c[(0, 1)], nn_m2: c[(1, 1)] }
    };
    // How far another body would be: a higher one, a longer and wider one, one that points elsewhere.
    let higher = Extent { height_m: (1.0 + spread.height) * body.height_m, ..body };
    let larger = Extent {
        length_m: (1.0 + spread.length) * body.length_m,
        width_m: (1.0 + spread.width) * body.width_m,
        ..body
    };
    let mut size = Covariance2::isotropic(unknown_m * unknown_m);
    for (other, yaw_rad) in [(&higher, yaw_rad), (&larger, yaw_rad), (&body, turned_rad)] {
        let moved = by_pixel * (drawn(centre, other, yaw_rad)? - here);
        size = sum(&size, &outer(moved));
    }
    // What shows changes as it moves, and with it what is wrong: a part of that is noise.
    let share = |variance_m2: f64| CUT_NOISE * variance_m2;
    let changing = Covariance2 { ee_m2: share(size.ee_m2), en_m2: share(size.en_m2), nn_m2: share(size.nn_m2) };
    let noise = sum(&on_ground(contact.noise_px2), &changing);
    let bias = sum(&sum(&on_ground(contact.bias_px2), &size), &hidden.calibration_covariance);
    Some(GroundMeasurement { position: centre, noise, bias, area: hidden.area, velocity: None })
}

/// A body for one that may be turned in any way, as likely: its near side is on average where that of this square is. With
/// the standard deviation of that side, metres.
fn of_any_direction(extent: &Extent) -> (Extent, f64) {
    let side_m = 2.0 * (extent.length_m + extent.width_m) / PI;
    let unknown_m = UNKNOWN_YAW * (extent.length_m - extent.width_m).abs();
    (Extent { length_m: side_m, width_m: side_m, ..*extent }, unknown_m)
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

/// Covariance of an error along a vector.
pub(super) fn outer(v: Vector2<f64>) -> Covariance2 {
    Covariance2 { ee_m2: v.x * v.x, en_m2: v.x * v.y, nn_m2: v.y * v.y }
}

/// The covariance of a sum of independent errors.
pub(crate) fn sum(a: &Covariance2, b: &Covariance2) -> Covariance2 {
    Covariance2 { ee_m2: a.ee_m2 + b.ee_m2, en_m2: a.en_m2 + b.en_m2, nn_m2: a.nn_m2 + b.nn_m2 }
}
