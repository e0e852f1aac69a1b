//! The state of one road user from measurements that come in any order.
//!
//! The last measurements are kept with the state after each; one that arrives late is put between those before and after it,
//! and what came after is taken again. What is older than the window is refused, except before the first: that is moved to
//! the first one's instant by the velocity, as well as it is known.

use super::report::Report;
use super::settings::FusionSettings;
use crate::perception::GroundTrack;
use crate::perception::ground::{MeasuredVelocity, Motion, MotionSettings, Seen, sum};
use crate::world::RoadUser;
use heapless::Vec;
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;

/// Measurements that are kept: eight cameras for 0.2 s, or two for a second.
const KEPT: usize = 20;
/// After a gap as long as this the past says nothing, seconds.
const MOST_AHEAD_S: f64 = 5.0;
/// Furthest that a measurement is moved to the beginning, seconds.
const MOST_BEFORE_S: f64 = 0.5;

/// What one source measured at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measurement {
    at: Timestamp,
    seen: Seen,
}

impl From<&GroundTrack> for Measurement {
    fn from(track: &GroundTrack) -> Self {
        let measured = &track.measured;
        // Two sources are weighed by all that may be wrong with either.
        let noise = sum(&measured.noise, &measured.bias);
        Self { at: track.measured_at, seen: Seen { position: measured.position, noise, velocity: measured.velocity } }
    }
}

impl From<&Report> for Measurement {
    fn from(report: &Report) -> Self {
        let velocity = report.velocity_mps.map(|mps| MeasuredVelocity::Whole(mps, report.velocity_covariance()));
        Self { at: report.measured_at, seen: Seen { position: report.position, noise: report.covariance(), velocity } }
    }
}

/// The estimate at an instant, without what is wrong with all measurements of a source alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EstimatedState {
    pub(crate) at: Timestamp,
    pub(crate) position: Enu,
    pub(crate) covariance: Covariance2,
    pub(crate) velocity_mps: [f64; 2],
    pub(crate) velocity_covariance: Covariance2,
    pub(crate) yaw_rad: Option<f64>,
}

/// The filter of one road user with its latest past.
#[derive(Clone, Debug)]
pub(crate) struct Estimator {
    /// Oldest first; never empty.
    past: Vec<(Measurement, Motion), KEPT>,
    motion: MotionSettings,
    class: ObjectClass,
}

impl Estimator {
    /// Goes on from what one source has known so far.
    pub(crate) fn of_user(user: &RoadUser, settings: &FusionSettings) -> Self {
        let velocity = [user.velocity_e_mps, user.velocity_n_mps];
        let velocity = MeasuredVelocity::Whole(velocity, user.velocity_covariance);
        let seen = Seen { position: user.position, noise: user.covariance, velocity: Some(velocity) };
        let motion = Motion::new(&seen, user.state_at, user.class, &settings.motion).towards(user.yaw_rad);
        let first = (Measurement { at: user.state_at, seen }, motion);
        Self { past: Vec::from_iter([first]), motion: settings.motion.clone(), class: user.class }
    }

    /// The class decides how it moves.
    pub(crate) fn set_class(&mut self, class: ObjectClass) {
        self.class = class;
    }

    /// Takes a measurement; false when it is too old.
    pub(crate) fn take(&mut self, measurement: &Measurement, settings: &FusionSettings) -> bool {
        let newest = self.newest().at();
        if measurement.at.seconds_since(newest) > MOST_AHEAD_S {
            // Nothing that is known is worth anything by then.
            let motion = Motion::new(&measurement.seen, measurement.at, self.class, &self.motion);
            self.past = Vec::from_iter([(*measurement, motion)]);
            return true;
        }
        if newest.seconds_since(measurement.at) * 1e3 > f64::from(settings.window_ms) {
            return false;
        }
        let before = self.past.iter().rposition(|(known, _)| known.at <= measurement.at);
        let (before, measurement) = match before {
            Some(before) => (before, *measurement),
            None => match self.moved_to_begin(measurement) {
                Some(moved) => (0, moved),
                None => return false,
            },
        };
        let later: Vec<Measurement, KEPT> = self.past[before + 1..].iter().map(|(known, _)| *known).collect();
        self.past.truncate(before + 1);
        self.append(measurement);
        later.into_iter().for_each(|known| self.append(known));
        true
    }

    fn append(&mut self, measurement: Measurement) {
        let mut motion = self.newest().clone();
        motion.set_class(self.class, &self.motion);
        motion.predict(measurement.at);
        motion.update(&measurement.seen, &Covariance2::default(), &self.motion);
        if self.past.is_full() {
            self.past.remove(0);
        }
        // There is room: one was taken out, or there were fewer.
        let _ = self.past.push((measurement, motion));
    }

    /// A measurement from before the first, as it would be at the first one's instant.
    fn moved_to_begin(&self, measurement: &Measurement) -> Option<Measurement> {
        let (first, motion) = self.past.first()?;
        let dt_s = first.at.seconds_since(measurement.at);
        if dt_s > MOST_BEFORE_S {
            return None;
        }
        let [ve, vn] = motion.velocity_mps();
        let spread = motion.velocity_covariance();
        let seen = measurement.seen;
        let grown = |variance: f64| variance * dt_s * dt_s;
        let spread = Covariance2 { ee_m2: grown(spread.ee_m2), en_m2: grown(spread.en_m2), nn_m2: grown(spread.nn_m2) };
        let position = Enu::ground(seen.position.e_m + dt_s * ve, seen.position.n_m + dt_s * vn);
        Some(Measurement { at: first.at, seen: Seen { position, noise: sum(&seen.noise, &spread), ..seen } })
    }

    fn newest(&self) -> &Motion {
        &self.past.last().expect("it begins with one and is never emptied").1
    }

    /// The state at `at`, or at the newest measurement where that is later.
    pub(crate) fn state(&self, at: Timestamp) -> EstimatedState {
        let mut motion = self.newest().clone();
        motion.set_class(self.class, &self.motion);
        motion.predict(at);
        EstimatedState {
            at: motion.at(),
            position: motion.position(),
            covariance: motion.position_covariance(),
            velocity_mps: motion.velocity_mps(),
            velocity_covariance: motion.velocity_covariance(),
            yaw_rad: motion.yaw_rad(),
        }
    }
}
