//! Inertial measurement unit: specific force and angular rate on the vehicle's axes.
//!
//! In: an actor. Out: readings with white noise, a bias that wanders within bounds and one that walks at random, as Allan
//! deviation tells them apart (IEEE Std 952). Absent: scale and misalignment errors, vibration, temperature.

use super::noise::{GaussMarkov, gauss};
use crate::actor::Actor;
use crate::random::Seed;
use crate::sensors::fault::{Faults, SensorFault};
use nalgebra::Vector3;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// Standard gravity, metres a second squared.
const GRAVITY_MPS2: f64 = 9.806_65;

/// Errors of three equal axes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AxisErrors {
    /// White noise: unit by the root of hertz.
    pub noise_density: f64,
    /// Deviation of the bias that wanders, in the unit.
    pub bias: f64,
    /// Correlation time of that bias, seconds.
    pub bias_time_s: f64,
    /// Random walk of the rest of the bias: unit by the root of seconds.
    pub random_walk: f64,
}

/// An inertial unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImuSettings {
    /// Of accelerometers, metres a second squared.
    pub accelerometer: AxisErrors,
    /// Of gyroscopes, radians a second.
    pub gyroscope: AxisErrors,
    /// What goes wrong, and when. Drift is metres a second squared an hour along x.
    pub faults: Vec<SensorFault>,
}

impl Default for ImuSettings {
    /// An automotive MEMS unit: 120 µg/√Hz and 0.007 °/s/√Hz, 0.3 mg and 10 °/h.
    fn default() -> Self {
        Self {
            accelerometer: AxisErrors { noise_density: 1.2e-3, bias: 3e-3, bias_time_s: 300.0, random_walk: 2e-5 },
            gyroscope: AxisErrors { noise_density: 1.2e-4, bias: 5e-5, bias_time_s: 300.0, random_walk: 1e-6 },
            faults: Vec::new(),
        }
    }
}

/// What an inertial unit says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImuReading {
    /// When, simulated seconds.
    pub time_s: f64,
    /// Acceleration without gravity's pull (at rest: 9.8 upwards), on x forward, y left, z up; metres a second squared.
    pub specific_force_mps2: [f64; 3],
    /// About x, y, z; radians a second.
    pub angular_rate_rps: [f64; 3],
}

#[derive(Clone, Debug)]
struct Axis {
    errors: AxisErrors,
    bias: GaussMarkov,
    walk: f64,
}

impl Axis {
    fn new(errors: AxisErrors, luck: &mut Pcg64Mcg) -> Self {
        Self { errors, bias: GaussMarkov::new(errors.bias, errors.bias_time_s, luck), walk: 0.0 }
    }

    fn error(&mut self, step_s: f64, luck: &mut Pcg64Mcg) -> f64 {
        self.walk += self.errors.random_walk * step_s.sqrt() * gauss(luck);
        let white = self.errors.noise_density / step_s.sqrt() * gauss(luck);
        self.bias.step(step_s, luck) + self.walk + white
    }
}

/// An inertial unit in use.
#[derive(Clone, Debug)]
pub struct Imu {
    settings: ImuSettings,
    luck: Pcg64Mcg,
    axes: [Axis; 6],
    last: Option<ImuReading>,
}

impl Imu {
    /// A unit; `number` tells it from other units of the run.
    pub fn new(settings: ImuSettings, seed: Seed, number: u64) -> Self {
        let mut luck = seed.stream("imu", number);
        let axes = std::array::from_fn(|i| {
            Axis::new(if i < 3 { settings.accelerometer } else { settings.gyroscope }, &mut luck)
        });
        Self { settings, luck, axes, last: None }
    }

    /// What it says of the vehicle that it is in. `None` while a fault keeps it silent.
    pub fn measure(&mut self, time_s: f64, vehicle: &Actor) -> Option<ImuReading> {
        let step_s = self.last.map_or(0.01, |last| time_s - last.time_s).max(1e-4);
        let faults = Faults::at(&self.settings.faults, time_s, &mut self.luck);
        let (sin, cos) = vehicle.pose.pitch_rad.sin_cos();
        let turn = vehicle.yaw_rate_rps;
        let force = Vector3::new(
            vehicle.acceleration_mps2 + GRAVITY_MPS2 * sin + faults.drift,
            vehicle.speed_mps * turn,
            GRAVITY_MPS2 * cos,
        );
        let rate = Vector3::new(turn * sin, 0.0, turn * cos);
        let mut errors = [0.0; 6];
        for (error, axis) in errors.iter_mut().zip(&mut self.axes) {
            *error = axis.error(step_s, &mut self.luck);
        }
        let mut reading = ImuReading {
            time_s,
            specific_force_mps2: std::array::from_fn(|i| force[i] + errors[i]),
            angular_rate_rps: std::array::from_fn(|i| rate[i] + errors[i + 3]),
        };
        if let Some(last) = self.last.filter(|_| faults.stuck) {
            reading = ImuReading { time_s, ..last };
        }
        self.last = Some(reading);
        (!faults.silent).then_some(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::gnss::tests::car;

    /// Allan deviation of values at intervals of `step_s` for clusters of `size` values.
    fn allan(values: &[f64], size: usize) -> f64 {
        let means: Vec<f64> = values.chunks_exact(size).map(|c| c.iter().sum::<f64>() / size as f64).collect();
        let sum: f64 = means.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
        (sum / (2.0 * (means.len() - 1) as f64)).sqrt()
    }

    fn at_rest(errors: AxisErrors, step_s: f64, count: usize) -> Vec<f64> {
        let settings = ImuSettings { gyroscope: errors, ..ImuSettings::default() };
        let mut imu = Imu::new(settings, Seed(3), 0);
        let car = car(0.0, 0.0, 0.0);
        (1..=count).map(|i| imu.measure(i as f64 * step_s, &car).unwrap().angular_rate_rps[2]).collect()
    }

    #[test]
    fn allan_deviation_shows_each_error_where_it_belongs() {
        let none = AxisErrors { noise_density: 0.0, bias: 0.0, bias_time_s: 1.0, random_walk: 0.0 };
        // White noise N: N / √τ.
        let values = at_rest(AxisErrors { noise_density: 2e-3, ..none }, 0.01, 200_000);
        for (size, tau_s) in [(10, 0.1f64), (100, 1.0), (1000, 10.0)] {
            let ratio = allan(&values, size) / (2e-3 / tau_s.sqrt());
            assert!((ratio - 1.0).abs() < 0.15, "white, {tau_s} s: {ratio}");
        }
        // Random walk K: K √(τ / 3).
        let values = at_rest(AxisErrors { random_walk: 1e-3, ..none }, 0.1, 200_000);
        for (size, tau_s) in [(100, 10.0f64), (1000, 100.0)] {
            let ratio = allan(&values, size) / (1e-3 * (tau_s / 3.0).sqrt());
            assert!((ratio - 1.0).abs() < 0.2, "walk, {tau_s} s: {ratio}");
        }
        // A Gauss-Markov bias has its maximum, 0.437 σ √2, at 1.89 correlation times.
        let values = at_rest(AxisErrors { bias: 1e-2, bias_time_s: 10.0, ..none }, 0.1, 400_000);
        let peak = allan(&values, 189) / 1e-2;
        assert!((peak - 0.618).abs() < 0.06, "{peak}");
        assert!(allan(&values, 10) < 0.6 * allan(&values, 189) && allan(&values, 3000) < 0.6 * allan(&values, 189));
    }

    #[test]
    fn braking_and_turning_are_felt() {
        let quiet = AxisErrors { noise_density: 0.0, bias: 0.0, bias_time_s: 1.0, random_walk: 0.0 };
        let settings = ImuSettings { accelerometer: quiet, gyroscope: quiet, faults: Vec::new() };
        let mut imu = Imu::new(settings, Seed(1), 0);
        let mut car = car(0.0, 0.0, 10.0);
        (car.acceleration_mps2, car.yaw_rate_rps) = (-3.0, 0.2);
        let reading = imu.measure(1.0, &car).unwrap();
        assert_eq!(reading.specific_force_mps2, [-3.0, 2.0, GRAVITY_MPS2]);
        assert_eq!(reading.angular_rate_rps, [0.0, 0.0, 0.2]);
    }
}
