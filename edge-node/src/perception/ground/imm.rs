//! Interacting multiple models of motion on the ground (Blom and Bar-Shalom 1988): stationary, constant velocity, constant
//! turn rate and velocity, pedestrian.
//!
//! All models share one state, so that they mix without conversion: east, north, velocity east and north, turn rate. Invariants: time
//! steps are real; the probabilities of the models a class may follow add up to one, those of the others are zero;
//! covariances stay symmetric and positive (Joseph's form). Deliberately absent: lanes, and what others do.

use super::settings::MotionClass;
use nalgebra::{Matrix2, RowSVector, SMatrix, SVector, Vector2};

/// Rest of a standing body's velocity, m/s.
const REST_SIGMA_MPS: f64 = 0.1;
/// Wander of the measured place of something at rest, m²/s.
const REST_DENSITY: f64 = 0.002;
/// Change of the turn rate in a second, rad/s.
const TURN_SIGMA_RADPS: f64 = 0.6;
/// Turn rate of something whose turning is not looked at, rad/s.
const STRAIGHT_SIGMA_RADPS: f64 = 0.15;
/// Fastest turn, rad/s: beyond it the model would turn on the spot.
const MOST_RADPS: f64 = 1.5;
/// Least probability of a model that a class may follow: what happens next may need it.
const FLOOR: f64 = 1e-4;
/// A model less probable than this goes with the others.
const NEGLIGIBLE: f64 = 2.0 * FLOOR;

pub(crate) type State = SVector<f64, 5>;
pub(crate) type StateCovariance = SMatrix<f64, 5, 5>;

/// How something may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    Stationary,
    ConstantVelocity,
    /// Constant turn rate and velocity.
    Ctrv,
    Pedestrian,
}

/// How many models there are.
const MODELS: usize = 4;

impl Model {
    const ALL: [Self; MODELS] = [Self::Stationary, Self::ConstantVelocity, Self::Ctrv, Self::Pedestrian];

    /// Mean time for which a model goes on to hold, seconds.
    const fn sojourn_s(self) -> f64 {
        match self {
            Self::Stationary => 6.0,
            Self::ConstantVelocity => 4.0,
            Self::Ctrv => 2.0,
            Self::Pedestrian => 8.0,
        }
    }

    const fn is_for(self, kind: Kind) -> bool {
        match self {
            Self::Stationary => true,
            Self::ConstantVelocity | Self::Ctrv => matches!(kind, Kind::Vehicle),
            Self::Pedestrian => matches!(kind, Kind::OnFoot),
        }
    }
}

/// Which models a class may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Persons and animals.
    OnFoot,
    /// Whatever has wheels.
    Vehicle,
}

#[derive(Clone, Copy, Debug)]
struct Mode {
    probability: f64,
    state: State,
    covariance: StateCovariance,
}

impl Mode {
    /// How well the velocity agrees with coming to rest now, 0 to 1.
    fn may_rest(&self, class: MotionClass) -> f64 {
        let velocity = self.state.fixed_rows::<2>(2);
        let spread = self.covariance.fixed_view::<2, 2>(2, 2) + Matrix2::identity() * class.setting_off_mps.powi(2);
        let inverse = spread.try_inverse().unwrap_or_default();
        (-0.5 * velocity.dot(&(inverse * velocity))).exp()
    }
}

/// The models of one road user.
#[derive(Clone, Debug)]
pub(crate) struct Imm {
    modes: [Mode; MODELS],
}

/// Something measured of the state: place, or place and velocity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) position: Vector2<f64>,
    pub(crate) noise: Matrix2<f64>,
    pub(crate) velocity: Option<Velocity>,
}

/// What is measured of a velocity.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Velocity {
    /// All of it, with its covariance.
    Whole(Vector2<f64>, Matrix2<f64>),
    /// Its part away from a place, with the variance.
    Radial { from: Vector2<f64>, mps: f64, variance: f64 },
}

impl Imm {
    pub(crate) fn new(position: Vector2<f64>, noise: Matrix2<f64>, kind: Kind, class: MotionClass) -> Self {
        let velocity = Matrix2::identity() * class.initial_speed_mps.powi(2);
        Self::with_velocity(position, noise, Vector2::zeros(), velocity, kind)
    }

    /// Of something whose velocity is known, too.
    pub(crate) fn with_velocity(
        position: Vector2<f64>,
        noise: Matrix2<f64>,
        velocity: Vector2<f64>,
        velocity_noise: Matrix2<f64>,
        kind: Kind,
    ) -> Self {
        let mut covariance = StateCovariance::zeros();
        covariance.fixed_view_mut::<2, 2>(0, 0).copy_from(&noise);
        covariance.fixed_view_mut::<2, 2>(2, 2).copy_from(&velocity_noise);
        covariance[(4, 4)] = STRAIGHT_SIGMA_RADPS.powi(2);
        let state = State::new(position.x, position.y, velocity.x, velocity.y, 0.0);
        let fitting = Model::ALL.iter().filter(|model| model.is_for(kind)).count() as f64;
        let modes = Model::ALL.map(|model| {
            let probability = if model.is_for(kind) { 1.0 / fitting } else { 0.0 };
            Mode { probability, state, covariance }
        });
        Self { modes }
    }

    /// Puts everything elsewhere: the state was that of another point of the body.
    pub(crate) fn shift(&mut self, by: Vector2<f64>) {
        self.modes.iter_mut().for_each(|mode| {
            mode.state[0] += by.x;
            mode.state[1] += by.y;
        });
    }

    /// Moves every model on by `dt_s` > 0.
    pub(crate) fn predict(&mut self, dt_s: f64, kind: Kind, class: MotionClass) {
        self.mix(dt_s, kind, class);
        for (model, mode) in Model::ALL.into_iter().zip(&mut self.modes) {
            if mode.probability > 0.0 {
                step(model, mode, dt_s, class);
            }
        }
    }

    /// Blends the models by how likely each follows each within `dt_s`.
    fn mix(&mut self, dt_s: f64, kind: Kind, class: MotionClass) {
        let before = self.modes;
        let rests = before.map(|mode| mode.may_rest(class));
        let fitting = Model::ALL.iter().filter(|model| model.is_for(kind)).count() as f64;
        for (j, to) in Model::ALL.into_iter().enumerate() {
            if !to.is_for(kind) {
                self.modes[j].probability = 0.0;
                continue;
            }
            let transition = |i: usize| {
                let from = Model::ALL[i];
                if !from.is_for(kind) {
                    // The class has changed: its models begin alike.
                    return 1.0 / fitting;
                }
                let leaves = (1.0 - (-dt_s / from.sojourn_s()).exp()) / (fitting - 1.0);
                // Nobody comes to rest who drives: as little of that as is likely for the velocity.
                let to = |to: Model| if to == Model::Stationary { leaves * rests[i] } else { leaves };
                let others = Model::ALL.into_iter().filter(|other| *other != from && other.is_for(kind));
                if i == j { 1.0 - others.map(to).sum::<f64>() } else { to(Model::ALL[j]) }
            };
            let mut weights: [f64; MODELS] = std::array::from_fn(|i| transition(i) * before[i].probability);
            let mut total: f64 = weights.iter().sum();
            let mode = &mut self.modes[j];
            mode.probability = total;
            if total <= NEGLIGIBLE {
                // Nobody goes over to it. It stays with the others none the less: left behind, it would come back with its least
                // probability from far behind who drives on.
                mode.probability = 0.0;
                weights = before.map(|mode| mode.probability);
                total = weights.iter().sum();
            }
            mode.state = (0..MODELS).map(|i| before[i].state * (weights[i] / total)).sum();
            mode.covariance = (0..MODELS)
                .filter(|i| weights[*i] > 0.0)
                .map(|i| {
                    let apart = before[i].state - mode.state;
                    (before[i].covariance + apart * apart.transpose()) * (weights[i] / total)
                })
                .sum();
        }
        self.normalise(kind);
    }

    /// Takes what was measured at the instant predicted to. An innovation beyond `limit` sigmas counts as one of that size.
    pub(crate) fn update(&mut self, measured: &Measured, limit: f64, kind: Kind) {
        for mode in self.modes.iter_mut().filter(|mode| mode.probability > 0.0) {
            let likelihood = match &measured.velocity {
                None => {
                    let observe = observation::<2>();
                    correct(mode, &observe, measured.position - observe * mode.state, measured.noise, limit)
                }
                Some(Velocity::Whole(velocity, velocity_noise)) => {
                    let mut noise = SMatrix::<f64, 4, 4>::zeros();
                    noise.fixed_view_mut::<2, 2>(0, 0).copy_from(&measured.noise);
                    noise.fixed_view_mut::<2, 2>(2, 2).copy_from(velocity_noise);
                    let seen = SVector::<f64, 4>::new(measured.position.x, measured.position.y, velocity.x, velocity.y);
                    let observe = observation::<4>();
                    correct(mode, &observe, seen - observe * mode.state, noise, limit)
                }
                Some(Velocity::Radial { from, mps, variance }) => {
                    let mut noise = SMatrix::<f64, 3, 3>::zeros();
                    noise.fixed_view_mut::<2, 2>(0, 0).copy_from(&measured.noise);
                    noise[(2, 2)] = *variance;
                    let (expected_mps, slope) = radial(&mode.state, from);
                    let mut observe = observation::<3>();
                    observe.set_row(2, &slope);
                    let apart = measured.position - mode.state.fixed_rows::<2>(0);
                    let innovation = SVector::<f64, 3>::new(apart.x, apart.y, mps - expected_mps);
                    correct(mode, &observe, innovation, noise, limit)
                }
            };
            mode.probability *= likelihood.max(1e-12);
        }
        self.normalise(kind);
    }

    fn normalise(&mut self, kind: Kind) {
        let total: f64 = self.modes.iter().map(|mode| mode.probability).sum();
        for (model, mode) in Model::ALL.into_iter().zip(&mut self.modes) {
            let share = if total > 0.0 { mode.probability / total } else { 0.0 };
            mode.probability = if model.is_for(kind) { share.max(FLOOR) } else { 0.0 };
        }
        let total: f64 = self.modes.iter().map(|mode| mode.probability).sum();
        self.modes.iter_mut().for_each(|mode| mode.probability /= total);
    }

    /// Mean and covariance over all models; what stands has no speed.
    pub(crate) fn estimate(&self) -> (State, StateCovariance) {
        let seen = |model: Model, mode: &Mode| {
            let (mut state, mut covariance) = (mode.state, mode.covariance);
            if model == Model::Stationary {
                state.fixed_rows_mut::<3>(2).fill(0.0);
                covariance.fixed_view_mut::<3, 5>(2, 0).fill(0.0);
                covariance.fixed_view_mut::<5, 3>(0, 2).fill(0.0);
                covariance[(2, 2)] = REST_SIGMA_MPS.powi(2);
                covariance[(3, 3)] = REST_SIGMA_MPS.powi(2);
            }
            (state, covariance)
        };
        let modes = || Model::ALL.into_iter().zip(&self.modes).filter(|(_, mode)| mode.probability > 0.0);
        let mean: State = modes().map(|(model, mode)| seen(model, mode).0 * mode.probability).sum();
        let covariance = modes().map(|(model, mode)| {
            let (state, covariance) = seen(model, mode);
            (covariance + (state - mean) * (state - mean).transpose()) * mode.probability
        });
        (mean, covariance.sum())
    }

    /// How probable a model is, 0 to 1.
    pub(crate) fn probability(&self, model: Model) -> f64 {
        self.modes[model as usize].probability
    }
}

/// Takes the first `N` parts of the state.
fn observation<const N: usize>() -> SMatrix<f64, N, 5> {
    SMatrix::from_fn(|row, column| f64::from(u8::from(row == column)))
}

/// The velocity of a state away from a place, and its derivatives by the state (extended Kalman filter).
fn radial(state: &State, from: &Vector2<f64>) -> (f64, RowSVector<f64, 5>) {
    let ray = state.fixed_rows::<2>(0) - from;
    let range_m = ray.norm().max(1.0);
    let ray = ray / range_m;
    let velocity = state.fixed_rows::<2>(2);
    let mps = velocity.dot(&ray);
    // As it goes past, the ray turns with it.
    let by_place = (velocity - ray * mps) / range_m;
    (mps, RowSVector::<f64, 5>::new(by_place.x, by_place.y, ray.x, ray.y, 0.0))
}

/// One Kalman correction by what was measured less what was expected; returns the likelihood of that.
fn correct<const N: usize>(
    mode: &mut Mode,
    observe: &SMatrix<f64, N, 5>,
    innovation: SVector<f64, N>,
    mut noise: SMatrix<f64, N, N>,
    limit: f64,
) -> f64 {
    let expected = observe * mode.covariance * observe.transpose();
    let Some(root) = (expected + noise).cholesky() else { return 0.0 };
    let distance2 = innovation.dot(&root.solve(&innovation));
    let likelihood = (-0.5 * distance2.min(40.0)).exp() / root.l_dirty().diagonal().product();
    // Huber's weight: beyond the limit an innovation pulls as one at the limit would.
    let limit2 = limit * limit;
    if distance2 > limit2 {
        noise *= distance2 / limit2;
    }
    let Some(root) = (expected + noise).cholesky() else { return likelihood };
    let gain = mode.covariance * observe.transpose() * root.inverse();
    mode.state += gain * innovation;
    mode.state[4] = mode.state[4].clamp(-MOST_RADPS, MOST_RADPS);
    let keep = StateCovariance::identity() - gain * observe;
    // Joseph's form stays positive definite over a day of updates.
    mode.covariance = keep * mode.covariance * keep.transpose() + gain * noise * gain.transpose();
    likelihood
}

/// Moves a mode on by its model.
fn step(model: Model, mode: &mut Mode, dt_s: f64, class: MotionClass) {
    match model {
        Model::Stationary => {
            // It has no velocity; that with which it would set off is kept for the others.
            let (vv, setting_off) = (class.setting_off_mps.powi(2), &mut mode.covariance);
            setting_off.fixed_view_mut::<3, 5>(2, 0).fill(0.0);
            setting_off.fixed_view_mut::<5, 3>(0, 2).fill(0.0);
            (setting_off[(2, 2)], setting_off[(3, 3)], setting_off[(4, 4)]) = (vv, vv, STRAIGHT_SIGMA_RADPS.powi(2));
            mode.state.fixed_rows_mut::<3>(2).fill(0.0);
            for axis in 0..2 {
                mode.covariance[(axis, axis)] += REST_DENSITY * dt_s;
            }
        }
        Model::ConstantVelocity | Model::Pedestrian => {
            mode.state[4] = 0.0;
            mode.covariance.fixed_view_mut::<1, 5>(4, 0).fill(0.0);
            mode.covariance.fixed_view_mut::<5, 1>(0, 4).fill(0.0);
            let mut by = StateCovariance::identity();
            (by[(0, 2)], by[(1, 3)]) = (dt_s, dt_s);
            mode.state = by * mode.state;
            mode.covariance = by * mode.covariance * by.transpose() + accelerations(dt_s, class.acceleration_density);
            mode.covariance[(4, 4)] = STRAIGHT_SIGMA_RADPS.powi(2);
        }
        Model::Ctrv => {
            let (next, by) = turned(&mode.state, dt_s);
            mode.state = next;
            mode.covariance = by * mode.covariance * by.transpose() + accelerations(dt_s, class.acceleration_density);
            mode.covariance[(4, 4)] += TURN_SIGMA_RADPS.powi(2) * dt_s;
        }
    }
}

/// Noise of accelerations along both axes.
fn accelerations(dt_s: f64, density: f64) -> StateCovariance {
    let mut noise = StateCovariance::zeros();
    for axis in 0..2 {
        noise[(axis, axis)] = density * dt_s.powi(3) / 3.0;
        noise[(axis, axis + 2)] = density * dt_s * dt_s / 2.0;
        noise[(axis + 2, axis)] = density * dt_s * dt_s / 2.0;
        noise[(axis + 2, axis + 2)] = density * dt_s;
    }
    noise
}

/// The state after a turn of `dt_s`, and its Jacobian.
fn turned(state: &State, dt_s: f64) -> (State, StateCovariance) {
    let (ve, vn, rate) = (state[2], state[3], state[4]);
    let angle = rate * dt_s;
    let (sin, cos) = angle.sin_cos();
    // ∫cos and ∫sin of the angle over the time, and their derivatives by the rate; series where the angle is small.
    let (along, aside, along_by, aside_by) = if angle.abs() > 1e-4 {
        let (along, aside) = (sin / rate, (1.0 - cos) / rate);
        (along, aside, (dt_s * cos - along) / rate, (dt_s * sin - aside) / rate)
    } else {
        (dt_s, 0.5 * angle * dt_s, -angle * dt_s * dt_s / 3.0, 0.5 * dt_s * dt_s)
    };
    let next = State::new(
        state[0] + along * ve - aside * vn,
        state[1] + aside * ve + along * vn,
        cos * ve - sin * vn,
        sin * ve + cos * vn,
        rate,
    );
    let mut by = StateCovariance::identity();
    by.fixed_view_mut::<2, 2>(0, 2).copy_from(&Matrix2::new(along, -aside, aside, along));
    by.fixed_view_mut::<2, 2>(2, 2).copy_from(&Matrix2::new(cos, -sin, sin, cos));
    by[(0, 4)] = along_by * ve - aside_by * vn;
    by[(1, 4)] = aside_by * ve + along_by * vn;
    by[(2, 4)] = dt_s * (-sin * ve - cos * vn);
    by[(3, 4)] = dt_s * (cos * ve - sin * vn);
    (next, by)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAR: MotionClass = MotionClass { acceleration_density: 1.5, initial_speed_mps: 7.0, setting_off_mps: 1.0 };

    #[test]
    fn the_jacobian_of_a_turn_is_its_derivative() {
        for rate in [0.8, -0.3, 1e-5, 0.0] {
            let state = State::new(3.0, -2.0, 7.0, 4.0, rate);
            let (next, by) = turned(&state, 0.7);
            for part in 0..5 {
                let mut moved = state;
                moved[part] += 1e-6;
                let slope = (turned(&moved, 0.7).0 - next) / 1e-6;
                assert!((slope - by.column(part)).norm() < 1e-4, "{rate} rad/s, part {part}: {slope} {by}");
            }
        }
    }

    /// Follows a path seen exactly, ten times a second, and returns the models.
    fn follow(kind: Kind, seconds: f64, path: impl Fn(f64) -> [f64; 2]) -> Imm {
        let noise = Matrix2::identity() * 0.01;
        let mut imm = Imm::new(Vector2::from(path(0.0)), noise, kind, CAR);
        for step in 1..=(seconds * 10.0) as u32 {
            imm.predict(0.1, kind, CAR);
            let position = Vector2::from(path(f64::from(step) * 0.1));
            imm.update(&Measured { position, noise, velocity: None }, 3.0, kind);
        }
        imm
    }

    #[test]
    fn each_motion_is_told_by_its_model() {
        let standing = follow(Kind::Vehicle, 3.0, |_| [5.0, 5.0]);
        assert!(standing.probability(Model::Stationary) > 0.7, "{standing:?}");
        let bend = follow(Kind::Vehicle, 4.0, |t| [10.0 * (0.7 * t).sin(), 10.0 - 10.0 * (0.7 * t).cos()]);
        let (state, _) = bend.estimate();
        assert!(bend.probability(Model::Ctrv) > 0.5, "{}", bend.probability(Model::Ctrv));
        assert!((state[4] - 0.7).abs() < 0.2 && (state[2].hypot(state[3]) - 7.0).abs() < 0.3, "{state}");
        let walk = follow(Kind::OnFoot, 3.0, |t| [1.4 * t, 0.0]);
        assert!(walk.probability(Model::Pedestrian) > 0.9);
        assert_eq!(walk.probability(Model::Ctrv), 0.0, "nobody on foot drives");
    }

    #[test]
    fn what_drives_does_not_come_to_rest_for_want_of_sight() {
        let mut imm = follow(Kind::Vehicle, 3.0, |t| [10.0 * t, 0.0]);
        (0..20).for_each(|_| imm.predict(0.1, Kind::Vehicle, CAR));
        let (state, _) = imm.estimate();
        assert!(imm.probability(Model::Stationary) < 0.01, "{}", imm.probability(Model::Stationary));
        assert!((state[2] - 10.0).abs() < 0.5 && (state[0] - 50.0).abs() < 1.0, "{state}");
    }

    #[test]
    fn what_drives_on_leaves_no_model_behind() {
        let imm = follow(Kind::Vehicle, 20.0, |t| [10.0 * t, 0.0]);
        let (state, covariance) = imm.estimate();
        // Left behind at its least probability, the stationary model would be worth two metres.
        assert!(covariance[(0, 0)].sqrt() < 0.2 && (state[0] - 200.0).abs() < 0.3, "{state} {covariance}");
    }

    #[test]
    fn a_change_of_class_keeps_the_state() {
        let mut imm = follow(Kind::OnFoot, 3.0, |t| [4.0 * t, 0.0]);
        imm.predict(0.1, Kind::Vehicle, CAR);
        let (state, _) = imm.estimate();
        assert!((state[0] - 12.4).abs() < 0.3 && (state[2] - 4.0).abs() < 1.5, "{state}");
        assert_eq!(imm.probability(Model::Pedestrian), 0.0);
    }

    #[test]
    fn the_slope_of_a_radial_velocity_is_its_derivative() {
        let (state, from) = (State::new(3.0, -2.0, 7.0, 4.0, 0.1), Vector2::new(-9.0, 4.0));
        let (mps, slope) = radial(&state, &from);
        for part in 0..5 {
            let mut moved = state;
            moved[part] += 1e-6;
            assert!(((radial(&moved, &from).0 - mps) / 1e-6 - slope[part]).abs() < 1e-4, "part {part}: {slope}");
        }
    }

    #[test]
    fn a_radial_velocity_tells_of_the_velocity_along_the_ray_only() {
        let mut imm = Imm::new(Vector2::new(30.0, 0.0), Matrix2::identity(), Kind::Vehicle, CAR);
        let velocity = Some(Velocity::Radial { from: Vector2::zeros(), mps: -9.0, variance: 0.04 });
        imm.update(
            &Measured { position: Vector2::new(30.0, 0.0), noise: Matrix2::identity(), velocity },
            3.0,
            Kind::Vehicle,
        );
        // Of what moves: whether it does is another question.
        let Mode { state, covariance, .. } = imm.modes[Model::ConstantVelocity as usize];
        assert!((state[2] + 9.0).abs() < 0.3 && state[3].abs() < 1e-6, "{state}");
        assert!(covariance[(2, 2)] < 1.0 && covariance[(3, 3)] > 20.0, "{covariance}");
    }

    #[test]
    fn a_measured_velocity_counts() {
        let mut imm = Imm::new(Vector2::zeros(), Matrix2::identity(), Kind::Vehicle, CAR);
        let velocity = Some(Velocity::Whole(Vector2::new(9.0, 0.0), Matrix2::identity() * 0.04));
        let seen = Measured { position: Vector2::zeros(), noise: Matrix2::identity(), velocity };
        imm.update(&seen, 3.0, Kind::Vehicle);
        let (state, covariance) = imm.estimate();
        assert!(state[2] > 5.0 && covariance.iter().all(|v| v.is_finite()), "{state}");
    }
}
