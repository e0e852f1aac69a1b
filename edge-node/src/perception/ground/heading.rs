//! The direction in which a road user points.
//!
//! In: its velocity with a covariance, over time. Out: a direction with a standard deviation. Wheels turn on no smaller circle
//! than they can, so that a vehicle's direction changes with the way it goes and not with what a filter makes of its last
//! half metre; whoever walks turns where they stand.

use masa_inference::ObjectClass;
use masa_v2x_proto::geo::Covariance2;
use nalgebra::Vector2;
use std::f64::consts::{PI, TAU};

/// Way over which a curve lasts, metres.
const CURVE_M: f64 = 5.0;
/// Standard deviation of curvatures, as a share of the tightest: most drive straight on.
const USUAL: f64 = 0.4;
/// A filter's velocity has the same error for about so long, seconds.
const ALIKE_S: f64 = 0.4;
/// Least variance of a direction: wheels slip, and axes are not where they seem, rad².
const LEAST_RAD2: f64 = 0.05 * 0.05;
/// What a new direction may be corrected by besides what the way allows, radians.
const FIRST_DOUBT_RAD: f64 = 0.3;
/// Who moves at more than this to its direction has turned round, or was held the wrong way, radians.
const OTHER_WAY_RAD: f64 = 2.0;

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Heading {
    /// Counter-clockwise from east, radians.
    pub(crate) yaw_rad: f64,
    /// Its variance, rad².
    pub(crate) variance: f64,
    /// Way since the last velocity, metres.
    way_m: f64,
    /// What it may yet be corrected by besides what the way allows, radians: the first velocities are vague.
    doubt_rad: f64,
}

impl Heading {
    /// A direction that somebody else has found.
    pub(crate) fn known(yaw_rad: f64) -> Self {
        Self { yaw_rad, variance: LEAST_RAD2, way_m: 0.0, doubt_rad: FIRST_DOUBT_RAD }
    }

    /// That of a velocity, towards east and north, m/s.
    pub(crate) fn of_velocity(velocity: Vector2<f64>, covariance: &Covariance2) -> Self {
        let speed2 = velocity.norm_squared().max(1e-6);
        let across = Vector2::new(-velocity.y, velocity.x);
        let across2 = across.dot(&(super::matrix(covariance) * across)) / speed2;
        let (yaw_rad, variance) = (velocity.y.atan2(velocity.x), across2 / speed2 + LEAST_RAD2);
        Self { yaw_rad, variance, way_m: 0.0, doubt_rad: FIRST_DOUBT_RAD }
    }

    /// As the first that is known of somebody: filters begin at rest, and what is wrong with a first velocity stays in it.
    pub(crate) fn first(self) -> Self {
        Self { variance: self.variance + self.doubt_rad * self.doubt_rad, ..self }
    }

    /// After `dt_s` seconds at a speed, metres per second.
    pub(crate) fn predict(&mut self, speed_mps: f64, dt_s: f64, class: ObjectClass) {
        if let Some(circle_m) = tightest_circle_m(class) {
            self.way_m += speed_mps * dt_s;
            self.variance += speed_mps * dt_s * CURVE_M * (USUAL / circle_m).powi(2);
        }
    }

    /// Takes the direction of a velocity that is known `dt_s` seconds after the last.
    pub(crate) fn update(&mut self, seen: Self, dt_s: f64, class: ObjectClass) {
        let turned = (seen.yaw_rad - self.yaw_rad + PI).rem_euclid(TAU) - PI;
        let Some(circle_m) = tightest_circle_m(class).filter(|_| turned.abs() <= OTHER_WAY_RAD) else {
            *self = seen;
            return;
        };
        // What is alike in many frames counts once.
        let noise = seen.variance * (ALIKE_S / dt_s.max(1e-3)).max(1.0);
        let gain = self.variance / (self.variance + noise);
        let by_way_rad = self.way_m / circle_m;
        let most_rad = by_way_rad + self.doubt_rad;
        let turn_rad = (gain * turned.abs()).min(most_rad).copysign(turned);
        // Who has gone some way has shown where they point.
        let left_rad = self.doubt_rad - (turn_rad.abs() - by_way_rad).max(0.0);
        self.doubt_rad = left_rad.max(0.0) * (-self.way_m / CURVE_M).exp();
        self.yaw_rad = (self.yaw_rad + turn_rad + PI).rem_euclid(TAU) - PI;
        self.variance = ((1.0 - gain) * self.variance).max(LEAST_RAD2);
        self.way_m = 0.0;
    }
}

/// Radius of the tightest circle that a class drives, metres; `None` of who turns on the spot.
const fn tightest_circle_m(class: ObjectClass) -> Option<f64> {
    match class {
        ObjectClass::Person | ObjectClass::Animal | ObjectClass::Obstacle => None,
        ObjectClass::Bicycle | ObjectClass::Motorcycle | ObjectClass::EScooter => Some(2.5),
        _ => Some(5.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_S: f64 = 0.1;

    /// Where it points after velocities with a standard deviation, one each tenth of a second.
    fn after(class: ObjectClass, velocities: impl IntoIterator<Item = [f64; 2]>, sigma_mps: f64) -> Heading {
        let spread = Covariance2::isotropic(sigma_mps * sigma_mps);
        let mut heading: Option<Heading> = None;
        for velocity in velocities.into_iter().map(Vector2::from) {
            let seen = Heading::of_velocity(velocity, &spread);
            let heading = heading.get_or_insert(seen);
            heading.predict(velocity.norm(), STEP_S, class);
            heading.update(seen, STEP_S, class);
        }
        heading.unwrap()
    }

    /// A car that goes north and slides aside by a metre while it comes to rest.
    fn slide() -> impl Iterator<Item = [f64; 2]> {
        let north = std::iter::repeat_n([0.0, 5.0], 20);
        north.chain((0..8).map(|step| [-1.0, 2.0 - 0.2 * f64::from(step)]))
    }

    #[test]
    fn a_car_does_not_turn_within_a_metre_but_a_person_does() {
        let car = after(ObjectClass::Car, slide(), 0.3);
        assert!((car.yaw_rad - PI / 2.0).abs() < 0.35, "{car:?}");
        let person = after(ObjectClass::Person, slide(), 0.3);
        assert!((person.yaw_rad - PI / 2.0).abs() > 0.8, "{person:?}");
    }

    #[test]
    fn a_car_is_followed_around_a_corner() {
        // A quarter of a circle of 7 m at 5 m/s.
        let turn = (0..=22).map(|step| {
            let (sin, cos) = (f64::from(step) * STEP_S * 5.0 / 7.0).sin_cos();
            [5.0 * cos, 5.0 * sin]
        });
        let car = after(ObjectClass::Car, turn, 0.4);
        assert!((car.yaw_rad - PI / 2.0).abs() < 0.2, "{car:?}");
        assert!(car.variance.sqrt() < 0.2);
    }

    #[test]
    fn what_a_direction_may_be_corrected_by_is_used_up_and_no_more() {
        // Ten seconds of velocities far off it from one who hardly moves: rounding leaves less than nothing of the doubt.
        for way in 0..200 {
            let velocities = std::iter::once([1.0, 0.0]).chain(std::iter::repeat_n([0.3, 0.001 * f64::from(way)], 100));
            let car = after(ObjectClass::Car, velocities, 0.001);
            assert!(car.doubt_rad >= 0.0 && car.yaw_rad.is_finite(), "{car:?}");
        }
    }

    #[test]
    fn who_turns_round_is_believed() {
        let there_and_back = std::iter::repeat_n([4.0, 0.0], 10).chain([[-2.0, 0.1]]);
        let car = after(ObjectClass::Car, there_and_back, 0.2);
        assert!(car.yaw_rad.abs() > 3.0, "{car:?}");
    }
}
