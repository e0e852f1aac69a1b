//! Random processes of which errors of sensors are made.

use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;

/// A number from the standard normal distribution.
pub(crate) fn gauss(luck: &mut Pcg64Mcg) -> f64 {
    StandardNormal.sample(luck)
}

/// A first-order Gauss-Markov process: mean 0, its deviation and correlation time stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GaussMarkov {
    pub(crate) deviation: f64,
    pub(crate) time_s: f64,
    value: f64,
}

impl GaussMarkov {
    /// A process that has run for long already.
    pub(crate) fn new(deviation: f64, time_s: f64, luck: &mut Pcg64Mcg) -> Self {
        Self { deviation, time_s, value: deviation * gauss(luck) }
    }

    /// The value after `step_s`.
    pub(crate) fn step(&mut self, step_s: f64, luck: &mut Pcg64Mcg) -> f64 {
        let keep = if self.time_s > 0.0 { (-step_s / self.time_s).exp() } else { 0.0 };
        self.value = keep * self.value + self.deviation * (1.0 - keep * keep).sqrt() * gauss(luck);
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn a_gauss_markov_process_forgets_within_its_time() {
        let mut luck = Seed(1).stream("t", 0);
        let mut process = GaussMarkov::new(2.0, 10.0, &mut luck);
        let values: Vec<f64> = (0..200_000).map(|_| process.step(0.5, &mut luck)).collect();
        let correlation = |lag: usize| {
            let products = values.iter().zip(&values[lag..]).map(|(a, b)| a * b);
            products.sum::<f64>() / (values.len() - lag) as f64
        };
        // 10,000 independent values: 3 % for the variance at three standard errors of about 1.4 %.
        assert!((correlation(0) / 4.0 - 1.0).abs() < 0.06, "{}", correlation(0));
        for (lag_s, share) in [(5.0, (-0.5f64).exp()), (10.0, (-1.0f64).exp()), (20.0, (-2.0f64).exp())] {
            let found = correlation((lag_s * 2.0) as usize) / correlation(0);
            assert!((found - share).abs() < 0.05, "{lag_s} s: {found} instead of {share}");
        }
    }
}
