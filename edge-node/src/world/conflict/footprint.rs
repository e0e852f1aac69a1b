//! The ground that a body covers: a rectangle.

use crate::world::prediction::{Forecast, wrapped};
use masa_v2x_proto::geo::Enu;

/// A rectangle on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Footprint {
    centre_m: [f64; 2],
    /// Unit vector along the body.
    along: [f64; 2],
    half_length_m: f64,
    half_width_m: f64,
}

impl Footprint {
    /// The rectangle of a body with this centre and direction.
    pub fn new(centre: Enu, yaw_rad: f64, length_m: f64, width_m: f64) -> Self {
        Self {
            centre_m: [centre.e_m, centre.n_m],
            along: [yaw_rad.cos(), yaw_rad.sin()],
            half_length_m: 0.5 * length_m,
            half_width_m: 0.5 * width_m,
        }
    }

    /// That of a forecast's state.
    pub(crate) fn of(forecast: &Forecast, index: usize) -> Self {
        let state = &forecast.states[index];
        Self::new(state.position, state.yaw_rad, forecast.length_m, forecast.width_m)
    }

    /// That of a forecast between state `index` and the next.
    pub(crate) fn between(forecast: &Forecast, index: usize, share: f64) -> Self {
        let (a, b) = (&forecast.states[index], &forecast.states[index + 1]);
        let mix = |a: f64, b: f64| a + share * (b - a);
        let centre = Enu::ground(mix(a.position.e_m, b.position.e_m), mix(a.position.n_m, b.position.n_m));
        let yaw_rad = a.yaw_rad + share * wrapped(b.yaw_rad - a.yaw_rad);
        Self::new(centre, yaw_rad, forecast.length_m, forecast.width_m)
    }

    /// Whether two rectangles have a point in common: no axis of either separates them.
    pub fn touches(&self, other: &Self) -> bool {
        let apart = [other.centre_m[0] - self.centre_m[0], other.centre_m[1] - self.centre_m[1]];
        let reach = |r: &Self| r.half_length_m + r.half_width_m;
        if apart[0].abs() + apart[1].abs() > 1.5 * (reach(self) + reach(other)) {
            return false;
        }
        [self.along, across(self.along), other.along, across(other.along)]
            .iter()
            .all(|axis| dot(apart, *axis).abs() <= self.half_extent_m(*axis) + other.half_extent_m(*axis))
    }

    fn half_extent_m(&self, axis: [f64; 2]) -> f64 {
        self.half_length_m * dot(self.along, axis).abs() + self.half_width_m * dot(across(self.along), axis).abs()
    }
}

fn across(v: [f64; 2]) -> [f64; 2] {
    [-v[1], v[0]]
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::FRAC_PI_4;

    #[test]
    fn rectangles_touch_by_their_sides_not_by_their_circles() {
        let car = |e, n, yaw| Footprint::new(Enu::ground(e, n), yaw, 4.0, 2.0);
        let here = car(0.0, 0.0, 0.0);
        for (e, n, yaw, touches) in [
            (3.9, 0.0, 0.0, true),
            (4.1, 0.0, 0.0, false),
            (0.0, 2.1, 0.0, false),
            (0.0, 2.9, std::f64::consts::FRAC_PI_2, true),
            // Corner to corner, a turned one reaches (2 + 1)/√2 = 2.12 m to each side of its centre.
            (4.0, 0.0, FRAC_PI_4, true),
            (4.2, 0.0, FRAC_PI_4, false),
            (3.6, 2.6, FRAC_PI_4, false),
        ] {
            assert_eq!(here.touches(&car(e, n, yaw)), touches, "({e}, {n}, {yaw})");
            assert_eq!(car(e, n, yaw).touches(&here), touches, "({e}, {n}, {yaw}) the other way");
        }
    }
}
