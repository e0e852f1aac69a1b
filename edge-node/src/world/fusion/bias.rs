//! What is left of the errors that sources make alike in all their measurements.
//!
//! In: the sources of a road user, each with where it has it and what may be wrong with that, and the estimate of all. Out: the
//! covariance of what filtering does not make better. Errors of independent sources average out by their information, as far as
//! what they state is true: where they are further apart than they say (a box whose hidden side nobody told of, a receiver
//! beside a wall), all of them are as much worse, by Birge's ratio (1932). Two sources do not tell which of them is wrong.

use super::association::{UNSEEN_DENSITY, mahalanobis2};
use super::estimator::EstimatedState;
use crate::perception::ground::matrix;
use crate::world::{Sight, Told};
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix2, Vector2};

/// A source that was silent for longer no longer makes the estimate better, seconds.
const HOLDS_S: f64 = 1.5;

/// Where one source has a road user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    at: Timestamp,
    position: Enu,
    /// Of what differs from measurement to measurement.
    noise: Covariance2,
    /// Of what does not.
    bias: Covariance2,
}

impl From<&Sight> for Source {
    fn from(sight: &Sight) -> Self {
        let measured = &sight.measured;
        Self { at: sight.captured_at, position: measured.position, noise: measured.noise, bias: measured.bias }
    }
}

impl From<&Told> for Source {
    fn from(told: &Told) -> Self {
        Self { at: told.measured_at, position: told.position, noise: Covariance2::default(), bias: told.bias }
    }
}

/// What is left of the errors of all `sources` in `state`.
pub(crate) fn common_bias(sources: impl Iterator<Item = Source>, state: &EstimatedState) -> Covariance2 {
    let (mut information, mut chi2, mut count) = (Matrix2::zeros(), 0.0, 0_u32);
    for source in sources {
        let ahead_s = state.at.seconds_since(source.at);
        if ahead_s > HOLDS_S {
            continue;
        }
        let bias = matrix(&source.bias) + Matrix2::identity() * 1e-6;
        information += bias.try_inverse().unwrap_or_default();
        let [ve, vn] = state.velocity_mps;
        let moved = Vector2::new(source.position.e_m + ahead_s * ve, source.position.n_m + ahead_s * vn);
        let wander = Matrix2::identity() * (UNSEEN_DENSITY * ahead_s.abs().powi(3) / 3.0);
        let apart = moved - Vector2::new(state.position.e_m, state.position.n_m);
        chi2 += mahalanobis2(&(bias + matrix(&source.noise) + wander), &apart).unwrap_or_default();
        count += 1;
    }
    // One alone agrees with itself; of each further one two coordinates are left over.
    let ratio2 = if count > 1 { (chi2 / (2.0 * f64::from(count - 1))).max(1.0) } else { 1.0 };
    let left = information.try_inverse().unwrap_or_default() * ratio2;
    Covariance2 { ee_m2: left[(0, 0)], en_m2: left[(0, 1)], nn_m2: left[(1, 1)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(e_m: f64) -> EstimatedState {
        EstimatedState {
            at: Timestamp::from_unix_ms(1_000),
            position: Enu::ground(e_m, 0.0),
            covariance: Covariance2::isotropic(0.01),
            velocity_mps: [10.0, 0.0],
            velocity_covariance: Covariance2::isotropic(0.01),
            yaw_rad: None,
        }
    }

    /// Of a sigma, `late_ms` before the state, where one that drives east with it would be.
    fn source(e_m: f64, sigma_m: f64, late_ms: i64) -> Source {
        Source {
            at: Timestamp::from_unix_ms(1_000 - late_ms),
            position: Enu::ground(e_m - 0.01 * late_ms as f64, 0.0),
            noise: Covariance2::default(),
            bias: Covariance2::isotropic(sigma_m * sigma_m),
        }
    }

    fn sigma_m(sources: &[Source], e_m: f64) -> f64 {
        common_bias(sources.iter().copied(), &state(e_m)).ee_m2.sqrt()
    }

    #[test]
    fn sources_that_agree_make_each_other_better() {
        assert!((sigma_m(&[source(0.0, 0.5, 0)], 0.0) - 0.5).abs() < 1e-3);
        // However far the estimate is from the only one, nobody says otherwise.
        assert!((sigma_m(&[source(0.0, 0.5, 0)], 9.0) - 0.5).abs() < 1e-3);
        let both = sigma_m(&[source(-0.2, 0.5, 100), source(0.2, 0.5, 0)], 0.0);
        assert!((both - 0.5 / 2f64.sqrt()).abs() < 1e-3, "{both}");
        let silent = sigma_m(&[source(0.0, 0.5, 0), source(9.0, 0.1, 1_600)], 0.0);
        assert!((silent - 0.5).abs() < 1e-3, "{silent}");
    }

    #[test]
    fn sources_that_are_further_apart_than_they_say_are_worse_than_they_say() {
        // Half a metre each, and two metres to either side: each is off by four of its sigmas.
        let both = sigma_m(&[source(-2.0, 0.5, 0), source(2.0, 0.5, 0)], 0.0);
        assert!((both - 4.0 * 0.5 / 2f64.sqrt()).abs() < 1e-3, "{both}");
        // A vague one that is as far off as it says it may be takes nothing from a sharp one.
        let vague = sigma_m(&[source(0.0, 0.3, 0), source(1.4, 1.0, 0)], 0.0);
        assert!(vague < 0.3, "{vague}");
    }
}
