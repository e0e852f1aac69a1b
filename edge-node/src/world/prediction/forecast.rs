//! One way that a road user may take, as states in time.

use super::mover::Mover;
use super::route::{Polyline, Route};
use crate::world::infrastructure::Manoeuvre;
use masa_v2x_proto::geo::Enu;

/// Time between two states, seconds.
pub const STEP_S: f64 = 0.1;
/// How far a forecast reaches, seconds.
pub const HORIZON_S: f64 = 5.0;
/// States of a forecast, the present included.
pub const STATES: usize = 51;

/// Acceleration across that drivers accept in a curve, m/s².
const COMFORT_ACROSS_MPS2: f64 = 3.0;
/// Deceleration with which they come down to it, m/s².
const COMFORT_ALONG_MPS2: f64 = 2.0;
/// Time in which they return to the middle of the lane, seconds.
const CENTRE_S: f64 = 2.0;
/// Standard deviation of the acceleration nobody foresees, m/s².
const ACCELERATION_SIGMA_MPS2: f64 = 0.8;
/// Standard deviation of the direction in which something without a lane goes on, radians a second.
const WANDER_RADPS: f64 = 0.1;
/// Most turn rate that is carried on, rad/s.
const MAX_TURN_RADPS: f64 = 0.8;

/// What leads a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Lanes of an intersection.
    Lanes {
        /// The intersection.
        intersection: u16,
        /// The first lane, and the last where it is another.
        lanes: (u8, Option<u8>),
        /// What a driver does between them.
        manoeuvre: Option<Manoeuvre>,
    },
    /// No lane: constant turn rate and velocity.
    Free,
    /// A line given from elsewhere, such as a recorded path.
    Line,
}

/// Where a road user will be at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ForecastState {
    /// Its centre on the ground.
    pub position: Enu,
    /// Its direction.
    pub yaw_rad: f64,
    /// Its speed, m/s.
    pub speed_mps: f64,
    /// Distance from the present state along the path, metres.
    pub travelled_m: f64,
    /// Standard deviation along its direction, metres.
    pub along_sigma_m: f64,
    /// Standard deviation across its direction, metres.
    pub across_sigma_m: f64,
}

/// One way that a road user may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// How probable this way is, 0 to 1.
    pub probability: f64,
    /// What leads it.
    pub way: Way,
    /// Length of the road user, metres.
    pub length_m: f64,
    /// Width of the road user, metres.
    pub width_m: f64,
    /// Its states, [`STEP_S`] apart from the present on.
    pub states: [ForecastState; STATES],
    /// What the body reaches of the ground: west, south, east, north, metres.
    pub(crate) region_m: [f64; 4],
}

impl Forecast {
    fn new(probability: f64, way: Way, [length_m, width_m]: [f64; 2], states: [ForecastState; STATES]) -> Self {
        let reach = 0.5 * length_m.hypot(width_m);
        let nothing = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        let region_m = states.iter().fold(nothing, |[w, s, e, n], state| {
            let Enu { e_m, n_m, .. } = state.position;
            [w.min(e_m - reach), s.min(n_m - reach), e.max(e_m + reach), n.max(n_m + reach)]
        });
        Self { probability, way, length_m, width_m, states, region_m }
    }

    /// At constant speed along a line, `along_m` from its beginning, for a body of this length and width.
    pub fn on_line(line: &Polyline, along_m: f64, speed_mps: f64, body_m: [f64; 2]) -> Self {
        let mut states = [ForecastState::default(); STATES];
        for (index, state) in states.iter_mut().enumerate() {
            let travelled_m = speed_mps * STEP_S * index as f64;
            let (position, yaw_rad) = line.at(along_m + travelled_m);
            let position = Enu::ground(position[0], position[1]);
            *state = ForecastState { position, yaw_rad, speed_mps, travelled_m, ..ForecastState::default() };
        }
        Self::new(1.0, Way::Line, body_m, states)
    }

    /// Along a route, slowing down for its curves and back to the middle of the lane.
    pub(crate) fn along(mover: &Mover, route: &Route, along_m: f64, offset_m: f64, probability: f64) -> Self {
        let (_, yaw_rad) = route.line.at(along_m);
        let towards = mover.velocity_mps[0] * yaw_rad.cos() + mover.velocity_mps[1] * yaw_rad.sin();
        let mut speed_mps = towards.max(0.0);
        let mut travelled_m = 0.0;
        let mut states = [ForecastState::default(); STATES];
        for (index, state) in states.iter_mut().enumerate() {
            let t_s = STEP_S * index as f64;
            let ([e_m, n_m], yaw_rad) = route.line.at(along_m + travelled_m);
            let offset_m = offset_m * (-t_s / CENTRE_S).exp();
            let position = Enu::ground(e_m - offset_m * yaw_rad.sin(), n_m + offset_m * yaw_rad.cos());
            let along_sigma_m = along_sigma_m(mover, t_s);
            let across_sigma_m = mover.position_sigma_m.max(route.width_m / 8.0 * (t_s / CENTRE_S).min(1.0));
            *state = ForecastState { position, yaw_rad, speed_mps, travelled_m, along_sigma_m, across_sigma_m };
            let limit_mps = curve_speed_mps(&route.line, along_m + travelled_m);
            speed_mps = speed_mps.min(limit_mps.max(speed_mps - COMFORT_ALONG_MPS2 * STEP_S));
            travelled_m += speed_mps * STEP_S;
        }
        let way = Way::Lanes { intersection: route.intersection, lanes: route.lanes, manoeuvre: route.manoeuvre };
        Self::new(probability, way, [mover.length_m, mover.width_m], states)
    }

    /// By constant turn rate and velocity.
    pub(crate) fn free(mover: &Mover, probability: f64) -> Self {
        let speed_mps = mover.speed_mps();
        let rate = mover.yaw_rate_radps.clamp(-MAX_TURN_RADPS, MAX_TURN_RADPS);
        let yaw = mover.velocity_mps[1].atan2(mover.velocity_mps[0]);
        let yaw = if speed_mps > 0.0 { yaw } else { mover.yaw_rad.unwrap_or(0.0) };
        let mut states = [ForecastState::default(); STATES];
        for (index, state) in states.iter_mut().enumerate() {
            let t_s = STEP_S * index as f64;
            let turned = rate * t_s;
            // The chord of an arc lies half the turn off, and is as long as sin(x)/x of the arc.
            let chord_m =
                speed_mps * t_s * if turned.abs() > 1e-6 { (turned / 2.0).sin() / (turned / 2.0) } else { 1.0 };
            let (sin, cos) = (yaw + turned / 2.0).sin_cos();
            *state = ForecastState {
                position: Enu::ground(mover.position.e_m + chord_m * cos, mover.position.n_m + chord_m * sin),
                yaw_rad: yaw + turned,
                speed_mps,
                travelled_m: speed_mps * t_s,
                along_sigma_m: along_sigma_m(mover, t_s),
                across_sigma_m: (mover.position_sigma_m.hypot(mover.velocity_sigma_mps * t_s))
                    .hypot(WANDER_RADPS * t_s * chord_m.abs()),
            };
        }
        Self::new(probability, Way::Free, [mover.length_m, mover.width_m], states)
    }
}

fn along_sigma_m(mover: &Mover, t_s: f64) -> f64 {
    let moved = mover.position_sigma_m.hypot(mover.velocity_sigma_mps * t_s);
    moved.hypot(0.5 * ACCELERATION_SIGMA_MPS2 * t_s * t_s)
}

/// The speed that the sharpest curve within the braking distance allows at this place.
fn curve_speed_mps(line: &Polyline, along_m: f64) -> f64 {
    const SPAN_M: f64 = 4.0;
    let mut limit = f64::INFINITY;
    for ahead in 0..6u32 {
        let at_m = along_m + SPAN_M * f64::from(ahead);
        let turn = super::wrapped(line.at(at_m + SPAN_M).1 - line.at(at_m).1).abs();
        if turn > 1e-3 {
            let squared = COMFORT_ACROSS_MPS2 * SPAN_M / turn;
            limit = limit.min((squared + 2.0 * COMFORT_ALONG_MPS2 * SPAN_M * f64::from(ahead)).sqrt());
        }
    }
    limit
}
