//! How large a body is: at least what has shown of it, else as its kind usually is.

use nalgebra::Vector2;

/// A size and its standard deviation, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) mean_m: f64,
    pub(super) sigma_m: f64,
}

/// Length and width of a kind.
type Usual = [Size; 2];

const fn usual(length: [f64; 2], width: [f64; 2]) -> Usual {
    [Size { mean_m: length[0], sigma_m: length[1] }, Size { mean_m: width[0], sigma_m: width[1] }]
}

const CAR: Usual = usual([4.5, 0.4], [1.82, 0.08]);
/// Vans, lorries, buses.
const LARGE: Usual = usual([7.5, 3.0], [2.4, 0.15]);
const CYCLE: Usual = usual([1.75, 0.15], [0.65, 0.1]);
const ON_FOOT: Usual = usual([0.5, 0.1], [0.5, 0.1]);

/// What shows of the length of a car at most, metres: a width is told less surely, by boxes that are turned.
const LONGEST_CAR_M: f64 = 5.6;
/// What shows of somebody on foot at most, metres.
const WIDEST_ON_FOOT_M: f64 = 0.85;
/// Nobody walks as fast, m/s.
pub(super) const RIDES_MPS: f64 = 3.0;
/// Share of what a scan shows beyond all before that is believed at once: one that takes two for one makes nobody wide.
const GROWTH: f64 = 0.25;

/// What scans have shown of the size of a body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    /// Largest length and width.
    pub(super) most_m: [f64; 2],
    scans: u32,
}

impl Shown {
    /// Takes what one scan shows, along and across.
    pub(super) fn look(&mut self, shown_m: Vector2<f64>) {
        self.scans += 1;
        // The first scans are all that there is.
        let growth = (1.0 / f64::from(self.scans)).max(GROWTH);
        for (most_m, shown_m) in self.most_m.iter_mut().zip([shown_m.x, shown_m.y]) {
            *most_m += growth * (shown_m - *most_m).max(0.0);
        }
    }

    /// Length and width of a body.
    pub(super) fn size(&self, is_vehicle: bool, fastest_mps: f64) -> [Size; 2] {
        let [length_m, width_m] = self.most_m;
        let is_compact = length_m.max(width_m) <= WIDEST_ON_FOOT_M;
        let usual = match is_vehicle {
            true if length_m > LONGEST_CAR_M => LARGE,
            true => CAR,
            false if fastest_mps > RIDES_MPS && !is_compact => CYCLE,
            false => ON_FOOT,
        };
        [usual[0].at_least(length_m), usual[1].at_least(width_m)]
    }

    /// How much wider than somebody on foot or a cycle it is, metres: several who are not told apart.
    pub(super) fn several_m(&self, fastest_mps: f64) -> f64 {
        let [length_m, width_m] = self.most_m;
        let length_m = if fastest_mps > RIDES_MPS { length_m - CYCLE[0].mean_m } else { length_m - WIDEST_ON_FOOT_M };
        length_m.max(width_m - WIDEST_ON_FOOT_M).max(0.0)
    }
}

impl Size {
    /// The same of a body of which so much has shown: a normal distribution of which the lower part is cut off.
    fn at_least(self, shown_m: f64) -> Self {
        let cut = (shown_m - self.mean_m) / self.sigma_m;
        let hazard = hazard(cut);
        let variance = match cut {
            // As good as the hazard is, and right at 0 and far out.
            _ if cut >= 0.0 => 1.0 / (hazard * hazard + 2.12),
            _ => (1.0 + cut * hazard - hazard * hazard).max(0.0),
        };
        Self { mean_m: self.mean_m + self.sigma_m * hazard, sigma_m: self.sigma_m * variance.sqrt() }
    }
}

/// Density of the standard normal distribution over what is left of it above `cut`, to 0.1.
fn hazard(cut: f64) -> f64 {
    const AT_ZERO: f64 = 0.798;
    match cut {
        // Birnbaum's bound, with the constant for which it is exact at 0 and far out.
        _ if cut >= 0.0 => 0.5 * (cut + (cut * cut + 4.0 * AT_ZERO * AT_ZERO).sqrt()),
        _ => AT_ZERO * (0.703 * cut - 0.317 * cut * cut).exp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(length_m: f64, width_m: f64) -> Shown {
        let mut shown = Shown::default();
        (0..30).for_each(|_| shown.look(Vector2::new(length_m, width_m)));
        shown
    }

    #[test]
    fn a_body_is_as_its_kind_until_more_of_it_shows() {
        let [length, width] = shown(0.2, 1.8).size(true, 10.0);
        assert!((length.mean_m - 4.5).abs() < 0.01 && (length.sigma_m - 0.4).abs() < 0.01, "{length:?}");
        assert!((1.8..1.95).contains(&width.mean_m) && width.sigma_m < 0.07, "{width:?}");
        let [length, _] = shown(5.0, 1.8).size(true, 10.0);
        assert!((5.0..5.3).contains(&length.mean_m) && length.sigma_m < 0.25, "{length:?}");
        let [length, _] = shown(12.0, 2.5).size(true, 10.0);
        assert!((12.0..14.0).contains(&length.mean_m) && length.sigma_m > 0.5, "{length:?}");
    }

    #[test]
    fn one_scan_that_takes_two_for_one_makes_nobody_wide() {
        let mut shown = shown(0.4, 0.5);
        shown.look(Vector2::new(1.3, 0.5));
        assert!(shown.several_m(1.0) <= 0.0 && shown.size(false, 1.0)[0].mean_m < 0.8, "{shown:?}");
        (0..10).for_each(|_| shown.look(Vector2::new(1.3, 0.5)));
        assert!(shown.several_m(1.0) > 0.3, "{shown:?}");
    }

    #[test]
    fn the_hazard_is_that_of_the_normal_distribution() {
        // Values of tables of the normal distribution.
        for (cut, expected) in
            [(-2.0, 0.0553), (-1.0, 0.2876), (0.0, 0.7979), (1.0, 1.5251), (2.0, 2.3732), (4.0, 4.2256)]
        {
            assert!((hazard(cut) - expected).abs() < 0.1, "{cut}: {}", hazard(cut));
        }
    }
}
