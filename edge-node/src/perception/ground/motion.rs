//! The motion of one road user: its models, and what follows from them for others.

use super::heading::Heading;
use super::imm::{Imm, Kind, Measured, Model, Velocity};
use super::settings::{MotionClass, MotionSettings};
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix2, Vector2};

/// Distance a road user must have covered before its direction is derived, metres; and in sigmas of its position.
const YAW_AFTER_M: f64 = 0.5;
/// More than this probably standing, it has no new direction.
const STANDS: f64 = 0.5;
/// What is seen elsewhere this often in a row is there: who is followed has become somebody else.
const JUMP_AFTER: u8 = 3;

/// A place on the ground, and perhaps a velocity, as seen once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) position: Enu,
    pub(crate) noise: Covariance2,
    pub(crate) velocity: Option<MeasuredVelocity>,
}

/// What a source measures of a velocity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MeasuredVelocity {
    /// Towards east and north, m/s, with its covariance.
    Whole([f64; 2], Covariance2),
    /// Away from a place, m/s, with its variance: what a radar measures by Doppler's effect.
    Radial {
        /// Where the radar is.
        from: Enu,
        /// Away from it is positive, m/s.
        mps: f64,
        /// Its variance, (m/s)².
        variance: f64,
    },
}

/// State of one road user on the ground.
#[derive(Clone, Debug)]
pub(crate) struct Motion {
    imm: Imm,
    at: Timestamp,
    begin: Vector2<f64>,
    heading: Option<Heading>,
    class: ObjectClass,
    kind: Kind,
    moves: MotionClass,
    /// Time since the last measurement, seconds.
    ahead_s: f64,
    /// How often in a row it was seen beyond `jump_sigma`.
    elsewhere: u8,
}

impl Motion {
    pub(crate) fn new(seen: &Seen, at: Timestamp, class: ObjectClass, settings: &MotionSettings) -> Self {
        let (kind, motion_class) = (kind_of(class), settings.of(class));
        let position = vector(seen.position);
        let imm = match &seen.velocity {
            None => Imm::new(position, matrix(&seen.noise), kind, motion_class),
            Some(MeasuredVelocity::Whole(velocity, noise)) => {
                Imm::with_velocity(position, matrix(&seen.noise), Vector2::from(*velocity), matrix(noise), kind)
            }
            Some(MeasuredVelocity::Radial { from, mps, variance }) => {
                // Across the ray nothing is known but what the class does.
                let ray = (position - vector(*from)).try_normalize(1e-6).unwrap_or(Vector2::x());
                let along = ray * ray.transpose();
                let across = (Matrix2::identity() - along) * motion_class.initial_speed_mps.powi(2);
                Imm::with_velocity(position, matrix(&seen.noise), ray * *mps, along * *variance + across, kind)
            }
        };
        Self { imm, at, begin: position, heading: None, class, kind, moves: motion_class, ahead_s: 0.0, elsewhere: 0 }
    }

    /// The same with a direction that is known already.
    pub(crate) fn towards(self, yaw_rad: Option<f64>) -> Self {
        Self { heading: yaw_rad.map(Heading::known), ..self }
    }

    /// The class may have been voted anew: it decides which models fit.
    pub(crate) fn set_class(&mut self, class: ObjectClass, settings: &MotionSettings) {
        (self.class, self.kind, self.moves) = (class, kind_of(class), settings.of(class));
    }

    /// The instant of the state.
    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    /// Moves the state to `to`; earlier instants leave it as it is.
    pub(crate) fn predict(&mut self, to: Timestamp) {
        let dt_s = to.seconds_since(self.at);
        if dt_s > 0.0 {
            self.at = to;
            self.imm.predict(dt_s, self.kind, self.moves);
            let [e_mps, n_mps] = self.velocity_mps();
            if let Some(heading) = &mut self.heading {
                heading.predict(e_mps.hypot(n_mps), dt_s, self.class);
            }
            self.ahead_s += dt_s;
        }
    }

    /// Puts it elsewhere without having moved: the place was that of another point of the body.
    pub(crate) fn shift(&mut self, by: Vector2<f64>) {
        self.imm.shift(by);
        self.begin += by;
    }

    /// Takes what was seen at the instant predicted to. `bias` is what may be wrong with it besides its noise: it decides only
    /// what is seen elsewhere.
    pub(crate) fn update(&mut self, seen: &Seen, bias: &Covariance2, settings: &MotionSettings) {
        let apart = vector(seen.position) - vector(self.position());
        let spread = matrix(&self.position_covariance()) + matrix(&seen.noise) + matrix(bias);
        let distance2 = spread.try_inverse().map_or(0.0, |inverse| apart.dot(&(inverse * apart)));
        self.elsewhere = if distance2 > settings.jump_sigma.powi(2) { self.elsewhere + 1 } else { 0 };
        if self.elsewhere >= JUMP_AFTER {
            let noise = matrix(&seen.noise);
            self.imm = Imm::new(vector(seen.position), noise, self.kind, self.moves);
            (self.begin, self.heading, self.elsewhere) = (vector(seen.position), None, 0);
            return;
        }
        let measured = Measured {
            position: vector(seen.position),
            noise: matrix(&seen.noise),
            velocity: seen.velocity.map(|velocity| match velocity {
                MeasuredVelocity::Whole(mps, noise) => Velocity::Whole(Vector2::from(mps), matrix(&noise)),
                MeasuredVelocity::Radial { from, mps, variance } => {
                    Velocity::Radial { from: vector(from), mps, variance }
                }
            }),
        };
        self.imm.update(&measured, settings.outlier_sigma, self.kind);
        self.turn(settings);
    }

    /// Derives the direction of motion once it is clear.
    fn turn(&mut self, settings: &MotionSettings) {
        let [e_mps, n_mps] = self.velocity_mps();
        let speed_sigma_mps = self.velocity_covariance().ellipse().0;
        let sigma_m = self.position_covariance().ellipse().0;
        let is_fast = e_mps.hypot(n_mps) > settings.min_yaw_speed_mps.max(3.0 * speed_sigma_mps);
        let is_far = (vector(self.position()) - self.begin).norm() > YAW_AFTER_M.max(2.0 * sigma_m);
        let stands = self.imm.probability(Model::Stationary) > STANDS;
        if is_fast && !stands && (is_far || self.heading.is_some()) {
            let seen = Heading::of_velocity(Vector2::new(e_mps, n_mps), &self.velocity_covariance());
            match &mut self.heading {
                Some(heading) => heading.update(seen, self.ahead_s, self.class),
                None => self.heading = Some(seen.first()),
            }
        }
        self.ahead_s = 0.0;
    }

    pub(crate) fn position(&self) -> Enu {
        let (state, _) = self.imm.estimate();
        Enu::ground(state[0], state[1])
    }

    pub(crate) fn velocity_mps(&self) -> [f64; 2] {
        let (state, _) = self.imm.estimate();
        [state[2], state[3]]
    }

    pub(crate) fn position_covariance(&self) -> Covariance2 {
        self.covariance(0)
    }

    pub(crate) fn velocity_covariance(&self) -> Covariance2 {
        self.covariance(2)
    }

    fn covariance(&self, first: usize) -> Covariance2 {
        let (_, m) = self.imm.estimate();
        Covariance2 { ee_m2: m[(first, first)], en_m2: m[(first, first + 1)], nn_m2: m[(first + 1, first + 1)] }
    }

    pub(crate) fn yaw_rad(&self) -> Option<f64> {
        self.heading.map(|heading| heading.yaw_rad)
    }

    /// Its direction, once that is known.
    pub(crate) fn heading(&self) -> Option<Heading> {
        self.heading
    }
}

const fn kind_of(class: ObjectClass) -> Kind {
    match class {
        ObjectClass::Person | ObjectClass::Animal => Kind::OnFoot,
        _ => Kind::Vehicle,
    }
}

fn vector(p: Enu) -> Vector2<f64> {
    Vector2::new(p.e_m, p.n_m)
}

pub(crate) fn matrix(c: &Covariance2) -> Matrix2<f64> {
    Matrix2::new(c.ee_m2, c.en_m2, c.en_m2, c.nn_m2)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn seen(e_m: f64, n_m: f64, sigma_m: f64) -> Seen {
        Seen { position: Enu::ground(e_m, n_m), noise: Covariance2::isotropic(sigma_m * sigma_m), velocity: None }
    }

    fn drive(class: ObjectClass, seconds: f64, sigma_m: f64, path: impl Fn(f64) -> [f64; 2]) -> Motion {
        let settings = MotionSettings::default();
        let mut noise = Noise(7);
        let mut motion: Option<Motion> = None;
        for step in 0..=(seconds * 20.0) as i64 {
            let [e, n] = path(step as f64 / 20.0);
            let point = seen(e + sigma_m * noise.next(), n + sigma_m * noise.next(), sigma_m);
            let at = Timestamp::from_unix_ms(step * 50);
            let motion = motion.get_or_insert_with(|| Motion::new(&point, at, class, &settings));
            motion.predict(at);
            motion.update(&point, &Covariance2::default(), &settings);
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
        assert!((e - 4.0).abs() < 3.0 * c.ee_m2.sqrt() && c.ee_m2.sqrt() < 0.7, "{e} {c:?}");
        assert!((n + 3.0).abs() < 3.0 * c.nn_m2.sqrt(), "{n} {c:?}");
        assert!((motion.yaw_rad().unwrap() - (-3.0f64).atan2(4.0)).abs() < 0.15);
    }

    #[test]
    fn a_car_that_comes_into_view_is_soon_as_fast_as_it_is() {
        let settings = MotionSettings::default();
        // Seven frames of a place that is known to 0.6 m: a velocity to 2.3 m/s.
        let place = |step: i64| seen(0.8 * step as f64, 0.0, 0.6);
        let mut motion = Motion::new(&place(0), Timestamp::from_unix_ms(0), ObjectClass::Car, &settings);
        for step in 1..7 {
            motion.predict(Timestamp::from_unix_ms(50 * step));
            motion.update(&place(step), &Covariance2::default(), &settings);
        }
        assert!(speed(&motion) > 14.85, "{} of 16 m/s", speed(&motion));
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
        motion.predict(at);
        motion.update(&seen(24.4, 6.0, 0.15), &Covariance2::default(), &settings);
        assert!(motion.position().n_m.abs() < 0.3, "{:?}", motion.position());
        assert!(motion.velocity_mps()[1].abs() < 1.0);
    }

    #[test]
    fn what_is_seen_elsewhere_three_times_is_there_and_its_velocity_is_not_known() {
        let settings = MotionSettings::default();
        // A tracker that takes the car beside, 3 m away and at rest, for the one that it has followed.
        for (bias_m, jumps) in [(0.0, true), (1.0, false)] {
            let mut motion = drive(ObjectClass::Car, 3.0, 0.15, |t| [8.0 * t, 0.0]);
            for step in 1..=3 {
                let at = Timestamp::from_unix_ms(3_000 + 50 * step);
                motion.predict(at);
                motion.update(&seen(24.2, 3.0, 0.15), &Covariance2::isotropic(bias_m * bias_m), &settings);
            }
            let aside_m = motion.position().n_m;
            assert_eq!((aside_m - 3.0).abs() < 0.3, jumps, "{aside_m} m aside, bias {bias_m} m");
            assert_eq!(motion.yaw_rad().is_none(), jumps);
            assert_eq!(motion.velocity_covariance().ee_m2 > 10.0, jumps);
        }
    }
}
