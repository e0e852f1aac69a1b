//! What is left of the errors that sources make alike in all their measurements.
//!
//! In: the sources of a road user, each with where it has it and what may be wrong with that, and the estimate of all. Out: the
//! covariance of what filtering does not make better. Errors of independent sources average out by their information, as far as
//! what they state is true: where they are further apart than they say (a box whose hidden side nobody told of, a receiver
//! beside a wall), all of them are as much worse, by Birge's ratio (1932). Two sources do not tell which of them is wrong. The filter
//! weighs measurements by all that may be wrong with them, and takes it for noise: how much of that was noise is said, too.

use super::association::{UNSEEN_DENSITY, mahalanobis2};
use super::estimator::EstimatedState;
use crate::perception::ground::{matrix, sum};
use crate::world::{Sight, Told};
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix2, Vector2};

/// A source that was silent for longer no longer makes the estimate better, seconds.
const HOLDS_S: f64 = 1.5;
/// Sources whose differences are no more than so many times as large as they say, in squares, agree: of two that say the truth one
/// pair in twenty differs more.
const BY_CHANCE: f64 = 3.0;
/// Share of a told position's error (in squares) that changes from message to message; a receiver's is mostly the same for
/// half a minute.
const TOLD_NOISE: f64 = 0.1;

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
        let noise = scaled(&told.sigma, TOLD_NOISE);
        Self { at: told.measured_at, position: told.position, noise, bias: scaled(&told.sigma, 1.0 - TOLD_NOISE) }
    }
}

/// The covariance of `state`, with what is left of the errors that `sources` make alike.
pub(crate) fn with_bias(state: &EstimatedState, sources: impl Iterator<Item = Source>) -> Covariance2 {
    let (mut information, mut chi2, mut count) = (Matrix2::zeros(), 0.0, 0_u32);
    let (mut noise_m2, mut all_m2) = (0.0, 0.0);
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
        let noise = matrix(&source.noise) + wander;
        chi2 += mahalanobis2(&(bias + noise), &apart).unwrap_or_default();
        count += 1;
        noise_m2 += noise.trace();
        all_m2 += (bias + noise).trace();
    }
    if count == 0 {
        return state.covariance;
    }
    // One alone agrees with itself; of each further one two coordinates are left over.
    let ratio2 = if count > 1 { (chi2 / (2.0 * BY_CHANCE * f64::from(count - 1))).max(1.0) } else { 1.0 };
    let left = information.try_inverse().unwrap_or_default() * ratio2;
    let filtered = scaled(&state.covariance, noise_m2 / all_m2);
    sum(&filtered, &Covariance2 { ee_m2: left[(0, 0)], en_m2: left[(0, 1)], nn_m2: left[(1, 1)] })
}

fn scaled(c: &Covariance2, by: f64) -> Covariance2 {
    Covariance2 { ee_m2: by * c.ee_m2, en_m2: by * c.en_m2, nn_m2: by * c.nn_m2 }
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
        with_bias(&state(e_m), sources.iter().copied()).ee_m2.sqrt()
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
    fn what_the_filter_took_for_noise_counts_once() {
        let noisy = |noise_m: f64| Source { noise: Covariance2::isotropic(noise_m * noise_m), ..source(0.0, 0.5, 0) };
        // The filter's own tenth of a metre counts in full where all is noise, and not at all where nothing is.
        let own = |source: Source| sigma_m(&[source], 0.0).powi(2) - source.bias.ee_m2;
        assert!(own(noisy(0.0)) < 1e-4 && own(noisy(5.0)) > 0.0098, "{} {}", own(noisy(0.0)), own(noisy(5.0)));
        // Nobody has been heard or seen for long: all that is known is the filter's.
        assert_eq!(sigma_m(&[source(0.0, 0.5, 1_600)], 0.0), 0.1);
    }

    #[test]
    fn sources_that_are_further_apart_than_they_say_are_worse_than_they_say() {
        // Half a metre each, and two metres to either side: each is off by four of its sigmas, 32 squared in all, where 6 are by chance.
        let both = sigma_m(&[source(-2.0, 0.5, 0), source(2.0, 0.5, 0)], 0.0);
        assert!((both - (16.0f64 / 3.0).sqrt() * 0.5 / 2f64.sqrt()).abs() < 1e-3, "{both}");
        // A vague one that is as far off as it says it may be takes nothing from a sharp one.
        let vague = sigma_m(&[source(0.0, 0.3, 0), source(1.4, 1.0, 0)], 0.0);
        assert!(vague < 0.3, "{vague}");
    }
}
