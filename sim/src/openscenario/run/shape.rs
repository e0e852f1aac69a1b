//! Shapes of changes: how far one has come after a share of its time.

use crate::openscenario::model::{Dimension, Dynamics, Shape};
use std::f64::consts::PI;

/// Share of a change that is done after the share `x` of its time, both 0 to 1.
pub(super) fn done(shape: Shape, x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    match shape {
        Shape::Step => 1.0,
        Shape::Linear => x,
        Shape::Cubic => x * x * (3.0 - 2.0 * x),
        Shape::Sinusoidal => (1.0 - (PI * x).cos()) / 2.0,
    }
}

/// Greatest rate of a change of 1 within a time of 1.
fn steepest(shape: Shape) -> f64 {
    match shape {
        Shape::Step => f64::INFINITY,
        Shape::Linear => 1.0,
        Shape::Cubic => 1.5,
        Shape::Sinusoidal => PI / 2.0,
    }
}

/// How long a change of size `by` takes, where time tells, seconds.
pub(super) fn duration_s(dynamics: &Dynamics, by: f64) -> f64 {
    match (dynamics.shape, dynamics.dimension) {
        (Shape::Step, _) => 0.0,
        (_, Dimension::Rate) => by.abs() * steepest(dynamics.shape) / dynamics.value,
        (_, Dimension::Time | Dimension::Distance) => dynamics.value,
    }
}

/// How long a lateral change of `by` metres takes within a lateral acceleration, seconds.
pub(super) fn duration_within_s(shape: Shape, by: f64, limit_mps2: Option<f64>) -> f64 {
    let (by, Some(limit)) = (by.abs(), limit_mps2) else { return 0.0 };
    match shape {
        Shape::Step => 0.0,
        // Half the time towards, half against: a straight line itself would need an endless jolt.
        Shape::Linear => 2.0 * (by / limit).sqrt(),
        Shape::Cubic => (6.0 * by / limit).sqrt(),
        Shape::Sinusoidal => PI * (by / (2.0 * limit)).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_reach_their_ends_and_no_steeper_than_their_rate() {
        for shape in [Shape::Linear, Shape::Cubic, Shape::Sinusoidal] {
            assert_eq!((done(shape, 0.0), done(shape, 1.0), done(shape, 2.0)), (0.0, 1.0, 1.0));
            assert!((done(shape, 0.5) - 0.5).abs() < 1e-12);
            let dynamics = Dynamics { shape, dimension: Dimension::Rate, value: 4.0 };
            let duration = duration_s(&dynamics, -20.0);
            let rates = (0..1000).map(|i| {
                let at = |i: i32| 20.0 * done(shape, f64::from(i) / 1000.0);
                (at(i + 1) - at(i)) / (duration / 1000.0)
            });
            let steepest = rates.fold(0.0, f64::max);
            assert!((steepest - 4.0).abs() < 1e-3, "{shape:?} {steepest}");
        }
    }

    #[test]
    fn a_lateral_change_keeps_to_its_acceleration() {
        for shape in [Shape::Cubic, Shape::Sinusoidal] {
            let duration = duration_within_s(shape, 8.0, Some(3.5));
            let h = duration / 1000.0;
            let at = |i: i32| 8.0 * done(shape, f64::from(i) / 1000.0);
            let peak = (1..1000).map(|i| ((at(i + 1) - 2.0 * at(i) + at(i - 1)) / (h * h)).abs()).fold(0.0, f64::max);
            assert!((peak - 3.5).abs() < 0.03, "{shape:?} {peak}");
        }
    }
}
