//! Variances to the accuracies of TS 102 894-2, which are all half widths at a confidence level of 95 %.
//!
//! One value: 1.96 standard deviations of a normal distribution. A horizontal position: the ellipse that holds 95 % of a
//! two-dimensional normal distribution, 2.45 standard deviations along each axis. What exceeds an element's range is
//! marked "out of range" by the codec, as the standard asks; receivers shall then not trust the value.

use crate::world::ldm::{K95_ONE_DIMENSION, K95_TWO_DIMENSIONS};
use masa_v2x_proto::cdd::{PosConfidenceEllipse, Reading};
use masa_v2x_proto::geo::Covariance2;

/// Smallest accuracy an element can state, metres or m/s: 0 is not allowed.
const FINEST: f64 = 0.01;

/// 95 % accuracy of one value, in the unit whose square the variance is in.
pub(crate) fn of_variance(variance: f64) -> Option<Reading> {
    Reading::of((K95_ONE_DIMENSION * variance.max(0.0).sqrt()).max(FINEST) as f32)
}

/// 95 % ellipse of a ground position.
pub(crate) fn ellipse(covariance: &Covariance2) -> PosConfidenceEllipse {
    let (major_m, minor_m, heading_rad) = covariance.ellipse();
    let axis = |sigma_m: f64| Reading::of((K95_TWO_DIMENSIONS * sigma_m).max(FINEST) as f32);
    PosConfidenceEllipse {
        semi_major_m: axis(major_m),
        semi_minor_m: axis(minor_m),
        semi_major_orientation_deg: Some(heading_rad.to_degrees() as f32),
    }
}

/// 95 % accuracies of a velocity: of its size, m/s, and of its direction, degrees; the direction of a velocity that may be
/// zero is not known.
pub(crate) fn velocity(e_mps: f64, n_mps: f64, covariance: &Covariance2) -> (Option<Reading>, Option<Reading>) {
    let speed_mps = e_mps.hypot(n_mps);
    if speed_mps < 1e-6 {
        return (of_variance(covariance.ee_m2.max(covariance.nn_m2)), None);
    }
    let (e, n) = (e_mps / speed_mps, n_mps / speed_mps);
    let cross = 2.0 * e * n * covariance.en_m2;
    let along = e * e * covariance.ee_m2 + n * n * covariance.nn_m2 + cross;
    let across = n * n * covariance.ee_m2 + e * e * covariance.nn_m2 - cross;
    let half_width_mps = K95_ONE_DIMENSION * across.max(0.0).sqrt();
    let direction = (half_width_mps < speed_mps).then(|| half_width_mps.atan2(speed_mps).to_degrees().max(0.1) as f32);
    (of_variance(along), direction.map(Reading::Value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(reading: Option<Reading>) -> f32 {
        reading.unwrap().value().unwrap()
    }

    #[test]
    fn accuracies_are_the_95_percent_half_widths_of_ts_102_894_2() {
        assert!((value(of_variance(0.25)) - 0.98).abs() < 1e-4);
        assert_eq!(value(of_variance(0.0)), 0.01);
        let ellipse = ellipse(&Covariance2 { ee_m2: 4.0, en_m2: 0.0, nn_m2: 1.0 });
        assert!((value(ellipse.semi_major_m) - 4.8955).abs() < 1e-3);
        assert!((value(ellipse.semi_minor_m) - 2.4477).abs() < 1e-3);
        assert_eq!(ellipse.semi_major_orientation_deg, Some(90.0));
    }

    #[test]
    fn velocity_accuracies_split_along_and_across_the_motion() {
        let covariance = Covariance2 { ee_m2: 0.04, en_m2: 0.0, nn_m2: 0.01 };
        let (speed, direction) = velocity(10.0, 0.0, &covariance);
        assert!((value(speed) - 0.392).abs() < 1e-3);
        assert!((value(direction) - 1.123).abs() < 1e-2, "atan(0.196 / 10): {direction:?}");
        let (speed, direction) = velocity(0.0, -10.0, &covariance);
        assert!((value(speed) - 0.196).abs() < 1e-3);
        assert!((value(direction) - 2.245).abs() < 1e-2, "{direction:?}");
        assert_eq!(velocity(0.1, 0.0, &covariance).1, None, "the sideways half width exceeds the speed");
        assert_eq!(velocity(0.0, 0.0, &covariance).1, None);
    }
}
