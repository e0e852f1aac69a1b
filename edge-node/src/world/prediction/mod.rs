//! Where road users will be: up to 5 s of paths with probabilities.
//!
//! In: a [`Mover`] (position, velocity, class, noise) and the [`RouteMap`] of the site's intersections. Out: a
//! [`Forecast`] for each way it may take: along the lanes that it is on and their connections, along a crosswalk, or, where
//! there is no lane, by constant turn rate and velocity. Their probabilities add up to one.
//!
//! Invariants: pure; a fixed number of states a [`STEP_S`] apart; at most [`MAX_FORECASTS`] forecasts, the likeliest
//! first. Deliberately absent: what drivers do because of each other, of signals or of priority.

mod forecast;
mod mover;
mod route;

pub use forecast::{Forecast, ForecastState, HORIZON_S, STATES, STEP_S, Way};
pub use mover::Mover;
pub use route::{Polyline, Route, RouteMap};

use heapless::Vec;
use masa_inference::ObjectClass;

/// Most forecasts of a road user.
pub const MAX_FORECASTS: usize = 4;
/// Standard deviation of the direction of motion against the lane's, radians.
const YAW_SIGMA_RAD: f64 = 0.35;
/// Likelihood of following no lane at all, beside that of a lane: it equals a lane from 2.4 standard deviations on.
const FREE_LIKELIHOOD: f64 = 0.05;
/// Ways less probable than this are left out.
const LEAST_PROBABILITY: f64 = 0.02;
/// Slower than this nothing can be said of the direction, m/s.
const STILL_MPS: f64 = 0.5;

/// A way that a mover may take, before probabilities are shared out.
struct Candidate<'a> {
    route: &'a Route,
    along_m: f64,
    offset_m: f64,
    likelihood: f64,
}

/// The ways that `mover` may take, the likeliest first.
pub fn predict(mover: &Mover, map: &RouteMap) -> Vec<Forecast, MAX_FORECASTS> {
    let mut candidates: Vec<Candidate<'_>, MAX_FORECASTS> = Vec::new();
    for route in map.routes().iter().filter(|route| route.is_for(mover.class)) {
        let Some(candidate) = matched(mover, route) else { continue };
        // Routes that join are one way from there on.
        if let Some(same) =
            candidates.iter_mut().find(|c| c.route.remainder(c.along_m) == route.remainder(candidate.along_m))
        {
            same.likelihood = same.likelihood.max(candidate.likelihood);
            continue;
        }
        let place = candidates.iter().position(|c| c.likelihood < candidate.likelihood).unwrap_or(candidates.len());
        if place < MAX_FORECASTS - 1 {
            if candidates.len() == MAX_FORECASTS - 1 {
                candidates.pop();
            }
            // There is room: one was taken out, or there were fewer.
            let _ = candidates.insert(place, candidate);
        }
    }
    let total = FREE_LIKELIHOOD + candidates.iter().map(|c| c.likelihood).sum::<f64>();
    let mut forecasts: Vec<Forecast, MAX_FORECASTS> = Vec::new();
    for c in &candidates {
        if c.likelihood >= LEAST_PROBABILITY * total {
            // One place is kept for the free way.
            let _ = forecasts.push(Forecast::along(mover, c.route, c.along_m, c.offset_m, c.likelihood / total));
        }
    }
    if FREE_LIKELIHOOD >= LEAST_PROBABILITY * total || forecasts.is_empty() {
        let _ = forecasts.push(Forecast::free(mover, FREE_LIKELIHOOD / total));
    }
    let kept: f64 = forecasts.iter().map(|f| f.probability).sum();
    forecasts.iter_mut().for_each(|f| f.probability /= kept);
    forecasts.sort_unstable_by(|a, b| b.probability.total_cmp(&a.probability));
    forecasts
}

fn matched<'a>(mover: &Mover, route: &'a Route) -> Option<Candidate<'a>> {
    let place = route.line.project([mover.position.e_m, mover.position.n_m]);
    if place.is_beyond {
        return None;
    }
    let across_sigma_m = (route.width_m / 4.0).hypot(mover.position_sigma_m);
    let deviation = place.offset_m / across_sigma_m;
    let turn = match mover.yaw_rad {
        Some(yaw_rad) if mover.speed_mps() >= STILL_MPS => wrapped(yaw_rad - place.yaw_rad) / YAW_SIGMA_RAD,
        _ => 0.0,
    };
    let likelihood = (-0.5 * (deviation * deviation + turn * turn)).exp();
    (likelihood > 1e-4).then_some(Candidate { route, along_m: place.along_m, offset_m: place.offset_m, likelihood })
}

/// The same angle within ±π.
pub(crate) fn wrapped(angle_rad: f64) -> f64 {
    let turns = (angle_rad / std::f64::consts::TAU).round();
    angle_rad - turns * std::f64::consts::TAU
}

impl Route {
    /// Whether road users of this class go along it.
    pub(crate) fn is_for(&self, class: ObjectClass) -> bool {
        use super::infrastructure::LaneKind;
        match class {
            ObjectClass::Person => self.kind == LaneKind::Crosswalk,
            ObjectClass::Bicycle | ObjectClass::EScooter => self.kind != LaneKind::Crosswalk,
            ObjectClass::Animal | ObjectClass::Obstacle => false,
            _ => self.kind == LaneKind::Vehicle,
        }
    }
}

#[cfg(test)]
mod tests;
