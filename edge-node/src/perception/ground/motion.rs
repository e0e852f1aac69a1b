//! The constant-velocity filter of one road user.

use super::settings::{MotionClass, MotionSettings};
use crate::perception::georeference::GroundPoint;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix2, Matrix2x4, Matrix4, Matrix4x2, Vector2, Vector4};

/// Standard deviation of the velocity of something at rest, metres per second.
const REST_SIGMA_MPS: f64 = 0.1;
/// Distance a road user must have covered before its direction is derived, metres; and in sigmas of its position.
const YAW_AFTER_M: f64 = 0.5;

/// State of one road user on the ground.
#[derive(Clone, Debug)]
pub(crate) struct Motion {
    /// East, north, velocity east, velocity north.
    state: Vector4<f64>,
    covariance: Matrix4<f64>,
    at: Timestamp,
    begin: Vector2<f64>,
    /// Where it was when it last had moved, and since when it has been there.
    anchor: Vector2<f64>,
    anchored_at: Timestamp,
    at_rest: bool,
    yaw_rad: Option<f64>,
}

impl Motion {
    pub(crate) fn new(seen: &GroundPoint, at: Timestamp, class: MotionClass) -> Self {
        let position = Vector2::new(seen.position.e_m, seen.position.n_m);
        let mut covariance = Matrix4::zeros();
        covariance.fixed_view_mut::<2, 2>(0, 0).copy_from(&matrix(&seen.covariance));
        covariance[(2, 2)] = class.initial_speed_mps.powi(2);
        covariance[(3, 3)] = class.initial_speed_mps.powi(2);
        Self {
            state: Vector4::new(position.x, position.y, 0.0, 0.0),
            covariance,
            at,
            begin: position,
            anchor: position,
            anchored_at: at,
            at_rest: false,
            yaw_rad: None,
        }
    }

    /// Moves the state to `to`; earlier instants leave it as it is.
    pub(crate) fn predict(&mut self, to: Timestamp, class: MotionClass) {
        let dt = to.seconds_since(self.at);
        if dt <= 0.0 {
            return;
        }
        self.at = to;
        let mut step = Matrix4::identity();
        step[(0, 2)] = dt;
        step[(1, 3)] = dt;
        let q = class.acceleration_density;
        let mut noise = Matrix4::zeros();
        for axis in 0..2 {
            noise[(axis, axis)] = q * dt.powi(3) / 3.0;
            noise[(axis, axis + 2)] = q * dt * dt / 2.0;
            noise[(axis + 2, axis)] = q * dt * dt / 2.0;
            noise[(axis + 2, axis + 2)] = q * dt;
        }
        self.state = step * self.state;
        self.covariance = step * self.covariance * step.transpose() + noise;
    }

    /// Takes a contact point seen at the instant predicted to.
    pub(crate) fn update(&mut self, seen: &GroundPoint, settings: &MotionSettings) {
        let measured = Vector2::new(seen.position.e_m, seen.position.n_m);
        let mut noise = matrix(&seen.covariance);
        let innovation = measured - self.state.xy();
        let position: Matrix2<f64> = self.covariance.fixed_view::<2, 2>(0, 0).into_owned();
        let limit = settings.outlier_sigma.powi(2);
        if let Some(inverse) = (position + noise).try_inverse() {
            // Huber's weight: beyond the limit an innovation pulls as one at the limit would.
            let distance = innovation.dot(&(inverse * innovation));
            if distance > limit {
                noise *= distance / limit;
            }
        }
        let mut observe = Matrix2x4::zeros();
        observe[(0, 0)] = 1.0;
        observe[(1, 1)] = 1.0;
        self.correct(&observe, innovation, noise);
        self.settle(settings);
        self.turn(settings);
    }

    fn correct(&mut self, observe: &Matrix2x4<f64>, innovation: Vector2<f64>, noise: Matrix2<f64>) {
        let total = observe * self.covariance * observe.transpose() + noise;
        let Some(inverse) = total.try_inverse() else { return };
        let gain: Matrix4x2<f64> = self.covariance * observe.transpose() * inverse;
        self.state += gain * innovation;
        let keep = Matrix4::identity() - gain * observe;
        // Joseph's form stays positive definite over a day of updates.
        self.covariance = keep * self.covariance * keep.transpose() + gain * noise * gain.transpose();
    }

    /// Decides whether it is at rest, and if so tells the filter.
    fn settle(&mut self, settings: &MotionSettings) {
        let position = self.state.xy();
        let sigma_m = covariance2(&self.covariance, 0).ellipse().0;
        let radius_m = settings.stationary_within_m.max(1.5 * sigma_m);
        if (position - self.anchor).norm() > radius_m {
            self.anchor = position;
            self.anchored_at = self.at;
        }
        // What is seen less sharply needs longer to show that it moves.
        let needed_s = settings.stationary_after_s * radius_m / settings.stationary_within_m;
        self.at_rest = self.at.seconds_since(self.anchored_at) >= needed_s;
        if self.at_rest {
            let mut observe = Matrix2x4::zeros();
            observe[(0, 2)] = 1.0;
            observe[(1, 3)] = 1.0;
            let innovation = -Vector2::new(self.state[2], self.state[3]);
            self.correct(&observe, innovation, Matrix2::identity() * REST_SIGMA_MPS.powi(2));
        }
    }

    fn turn(&mut self, settings: &MotionSettings) {
        let velocity = Vector2::new(self.state[2], self.state[3]);
        let speed_sigma = covariance2(&self.covariance, 2).ellipse().0;
        let sigma_m = covariance2(&self.covariance, 0).ellipse().0;
        let fast = velocity.norm() > settings.min_yaw_speed_mps.max(3.0 * speed_sigma);
        let far = (self.state.xy() - self.begin).norm() > YAW_AFTER_M.max(2.0 * sigma_m);
        if fast && (far || self.yaw_rad.is_some()) {
            self.yaw_rad = Some(velocity.y.atan2(velocity.x));
        }
    }

    pub(crate) fn position(&self) -> Enu {
        Enu::ground(self.state[0], self.state[1])
    }

    pub(crate) fn velocity_mps(&self) -> [f64; 2] {
        [self.state[2], self.state[3]]
    }

    pub(crate) fn position_covariance(&self) -> Covariance2 {
        covariance2(&self.covariance, 0)
    }

    pub(crate) fn velocity_covariance(&self) -> Covariance2 {
        covariance2(&self.covariance, 2)
    }

    pub(crate) fn yaw_rad(&self) -> Option<f64> {
        self.yaw_rad
    }
}

fn matrix(c: &Covariance2) -> Matrix2<f64> {
    Matrix2::new(c.ee_m2, c.en_m2, c.en_m2, c.nn_m2)
}

fn covariance2(m: &Matrix4<f64>, first: usize) -> Covariance2 {
    Covariance2 { ee_m2: m[(first, first)], en_m2: m[(first, first + 1)], nn_m2: m[(first + 1, first + 1)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perception::CalibratedArea;
    use masa_inference::ObjectClass;

    /// Normal noise from a linear congruential generator (Numerical Recipes) and the central limit theorem.
    struct Noise(u64);
    impl Noise {
        fn next(&mut self) -> f64 {
            let mut sum = 0.0;
            for _ in 0..12 {
                self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                sum += (self.0 >> 11) as f64 / (1u64 << 53) as f64;
            }
            sum - 6.0
        }
    }

    fn seen(e_m: f64, n_m: f64, sigma_m: f64) -> GroundPoint {
        GroundPoint {
            position: Enu::ground(e_m, n_m),
            covariance: Covariance2::isotropic(sigma_m * sigma_m),
            calibration_covariance: Covariance2::default(),
            area: CalibratedArea::Inside,
        }
    }

    fn drive(class: ObjectClass, seconds: f64, sigma_m: f64, path: impl Fn(f64) -> [f64; 2]) -> Motion {
        let settings = MotionSettings::default();
        let mut noise = Noise(7);
        let mut motion: Option<Motion> = None;
        for step in 0..=(seconds * 20.0) as i64 {
            let [e, n] = path(step as f64 / 20.0);
            let point = seen(e + sigma_m * noise.next(), n + sigma_m * noise.next(), sigma_m);
            let at = Timestamp::from_unix_ms(step * 50);
            let motion = motion.get_or_insert_with(|| Motion::new(&point, at, settings.of(class)));
            motion.predict(at, settings.of(class));
            motion.update(&point, &settings);
        }
        motion.unwrap()
    }

    fn speed(motion: &Motion) -> f64 {
        let [e, n] = motion.velocity_mps();
        e.hypot(n)
    }

    #[test]
    fn a_parked_car_has_no_speed_and_no_direction() {
        let motion = drive(ObjectClass::Car, 10.0, 0.15, |_| [3.0, 4.0]);
        assert!(speed(&motion) < 0.15, "{}", speed(&motion));
        assert_eq!(motion.yaw_rad(), None);
        assert!(motion.position().ground_distance_m(&Enu::ground(3.0, 4.0)) < 0.2);
    }

    #[test]
    fn a_cyclist_has_speed_and_direction_within_three_sigma() {
        let motion = drive(ObjectClass::Bicycle, 3.0, 0.2, |t| [4.0 * t, -3.0 * t]);
        let [e, n] = motion.velocity_mps();
        let c = motion.velocity_covariance();
        assert!((e - 4.0).abs() < 3.0 * c.ee_m2.sqrt() && c.ee_m2.sqrt() < 0.6, "{e} {c:?}");
        assert!((n + 3.0).abs() < 3.0 * c.nn_m2.sqrt(), "{n} {c:?}");
        assert!((motion.yaw_rad().unwrap() - (-3.0f64).atan2(4.0)).abs() < 0.15);
    }

    #[test]
    fn a_car_that_stops_keeps_its_direction() {
        let motion =
            drive(ObjectClass::Car, 12.0, 0.15, |t| [0.0, if t < 4.0 { 10.0 * t - 1.25 * t * t } else { 20.0 }]);
        assert!(speed(&motion) < 0.2, "{}", speed(&motion));
        // A direction is taken down to three sigma of the speed: a third of a radian.
        assert!((motion.yaw_rad().unwrap() - std::f64::consts::FRAC_PI_2).abs() < 0.33);
    }

    #[test]
    fn a_car_that_sets_off_is_no_longer_at_rest() {
        let motion = drive(ObjectClass::Car, 8.0, 0.15, |t| [if t < 5.0 { 0.0 } else { (t - 5.0).powi(2) }, 0.0]);
        assert!((speed(&motion) - 6.0).abs() < 1.2, "{}", speed(&motion));
    }

    #[test]
    fn one_wild_contact_point_hardly_moves_the_state() {
        let settings = MotionSettings::default();
        let mut motion = drive(ObjectClass::Car, 3.0, 0.15, |t| [8.0 * t, 0.0]);
        let at = Timestamp::from_unix_ms(3050);
        motion.predict(at, settings.of(ObjectClass::Car));
        motion.update(&seen(24.4, 6.0, 0.15), &settings);
        assert!(motion.position().n_m.abs() < 0.3, "{:?}", motion.position());
        assert!(motion.velocity_mps()[1].abs() < 1.0);
    }
}
