//! Car following: how fast a driver may go behind a leader, towards a stop, towards a slower stretch.
//!
//! In: speeds, gaps and a step. Out: the speed of the next step. Positions follow the speeds by Euler's rule (a vehicle moves
//! by the new speed times the step), as SUMO's default does, so that both can be compared. The safe speed is that of Krauss
//! (1998) in its discrete form: from it on, braking by the comfortable deceleration once a step stops within the gap.
//! Absent: perception errors, engines, friction below the driver's emergency deceleration.

use serde::{Deserialize, Serialize};

/// Slack of lengths, metres.
pub(crate) const LENGTH_SLACK_M: f64 = 0.1;
/// Slack of comparisons.
pub(crate) const SLACK: f64 = 0.001;
/// Slower counts as halting, metres a second.
pub(crate) const HALTING_MPS: f64 = 0.1;
/// Braking harder than needed by this factor in an emergency.
const EMERGENCY_FACTOR: f64 = 1.2;

/// A car-following model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum CarFollowing {
    /// Krauss (1998), the default of SUMO.
    Krauss {
        /// How much drivers dawdle, 0 to 1.
        sigma: f64,
        /// Desired headway, seconds.
        tau_s: f64,
    },
    /// Intelligent driver model (Treiber et al. 2000), never faster than what Krauss holds safe.
    Idm {
        /// Desired headway, seconds.
        tau_s: f64,
        /// Exponent of free acceleration.
        delta: f64,
    },
}

impl Default for CarFollowing {
    fn default() -> Self {
        Self::Krauss { sigma: 0.5, tau_s: 1.0 }
    }
}

impl CarFollowing {
    /// Desired headway, seconds.
    pub const fn tau_s(self) -> f64 {
        match self {
            Self::Krauss { tau_s, .. } | Self::Idm { tau_s, .. } => tau_s,
        }
    }
}

/// What a driver and the vehicle can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Driver {
    pub(crate) following: CarFollowing,
    pub(crate) length_m: f64,
    pub(crate) min_gap_m: f64,
    pub(crate) accel: f64,
    pub(crate) decel: f64,
    pub(crate) emergency_decel: f64,
    pub(crate) max_speed: f64,
    pub(crate) speed_factor: f64,
    pub(crate) tau_s: f64,
}

/// Distance needed to stop: braking once a step, after driving on for `headway_s`.
pub(crate) fn brake_gap(speed: f64, decel: f64, headway_s: f64, dt: f64) -> f64 {
    if speed <= 0.0 {
        return 0.0;
    }
    let less = decel * dt;
    let steps = (speed / less).floor();
    dt * (steps * speed - less * steps * (steps + 1.0) / 2.0) + speed * headway_s
}

/// Highest speed from which `decel` a step stops within `gap`, after driving on for `headway_s`.
fn safe_stop(gap: f64, decel: f64, headway_s: f64, dt: f64) -> f64 {
    let g = gap - SLACK;
    if g < 0.0 {
        return 0.0;
    }
    let b = decel * dt;
    let t = headway_s;
    let root = (dt * dt + 4.0 * (dt * (2.0 * g / b - t) + t * t)).max(0.0).sqrt();
    let n = (0.5 - (t - 0.5 * root) / dt).floor();
    let h = 0.5 * n * (n - 1.0) * b * dt + n * b * t;
    n * b + (g - h) / (n * dt + t)
}

/// Deceleration that avoids running into a leader that may brake by `leader_decel`.
fn needed_decel(gap: f64, speed: f64, leader_speed: f64, leader_decel: f64) -> f64 {
    let leader_brakes = 0.5 * leader_speed * leader_speed / leader_decel;
    let first = 0.5 * speed * speed / (gap + leader_brakes).max(SLACK);
    if first <= leader_decel {
        return first;
    }
    0.5 * (speed * speed - leader_speed * leader_speed).max(0.0) / gap.max(SLACK)
}

impl Driver {
    /// Highest speed after one step of acceleration.
    pub(crate) fn max_next(&self, speed: f64, dt: f64) -> f64 {
        (speed + self.accel * dt).min(self.max_speed)
    }

    /// Speed after one step of comfortable braking.
    pub(crate) fn min_next(&self, speed: f64, dt: f64) -> f64 {
        (speed - self.decel * dt).max(0.0)
    }

    /// Speed after one step of emergency braking.
    pub(crate) fn min_next_emergency(&self, speed: f64, dt: f64) -> f64 {
        (speed - self.emergency_decel * dt).max(0.0)
    }

    /// Distance needed to stop comfortably, after the headway.
    pub(crate) fn brake_gap(&self, speed: f64, dt: f64) -> f64 {
        brake_gap(speed, self.decel, self.tau_s, dt)
    }

    /// Gap that is safe behind a leader.
    pub(crate) fn secure_gap(&self, speed: f64, leader_speed: f64, leader_decel: f64, dt: f64) -> f64 {
        let leader_decel = leader_decel.max(self.decel);
        (self.brake_gap(speed, dt) - brake_gap(leader_speed, leader_decel, 0.0, dt)).max(0.0)
    }

    /// Where a step asks for more than comfortable braking: as hard as needed, no harder.
    fn soften(&self, speed: f64, safe: f64, dt: f64, needed: impl FnOnce() -> f64) -> f64 {
        let asked = (speed - safe) / dt;
        if self.decel == self.emergency_decel || asked <= self.decel + SLACK {
            return safe;
        }
        let decel = (EMERGENCY_FACTOR * needed()).max(self.decel).min(asked);
        (speed - decel * dt).max(0.0)
    }

    /// Safe speed towards a point at which to stop.
    pub(crate) fn stop_speed(&self, speed: f64, gap: f64, dt: f64) -> f64 {
        self.stop_speed_by(speed, gap, self.decel, dt)
    }

    /// Safe speed towards a point at which to stop, braking by `decel` at most.
    pub(crate) fn stop_speed_by(&self, speed: f64, gap: f64, decel: f64, dt: f64) -> f64 {
        let safe = safe_stop(gap, decel, dt, dt);
        self.soften(speed, safe, dt, || needed_decel(gap, speed, 0.0, 1.0)).min(self.max_next(speed, dt))
    }

    /// Safe speed behind a leader.
    pub(crate) fn follow_speed(&self, speed: f64, gap: f64, leader_speed: f64, leader_decel: f64, dt: f64) -> f64 {
        let safe = if gap >= 0.0 {
            self.safe_follow(gap, leader_speed, leader_decel, dt)
        } else {
            self.min_next_emergency(speed, dt)
        };
        let safe = self
            .soften(speed, safe, dt, || needed_decel(gap, speed, leader_speed, leader_decel.max(SLACK)))
            .min(self.max_next(speed, dt));
        match self.following {
            CarFollowing::Krauss { .. } => safe,
            CarFollowing::Idm { tau_s, delta: _ } => {
                let wish = self.min_gap_m
                    + (speed * tau_s + speed * (speed - leader_speed) / (2.0 * (self.accel * self.decel).sqrt()))
                        .max(0.0);
                let ratio = wish / (gap + self.min_gap_m).max(SLACK);
                safe.min((speed + self.accel * (1.0 - ratio * ratio) * dt).max(0.0))
            }
        }
    }

    /// Safe speed behind a leader wherever the vehicle would have to begin with it.
    pub(crate) fn safe_follow(&self, gap: f64, leader_speed: f64, leader_decel: f64, dt: f64) -> f64 {
        if gap < 0.0 {
            return 0.0;
        }
        safe_stop(gap + brake_gap(leader_speed, self.decel.max(leader_decel), 0.0, dt), self.decel, self.tau_s, dt)
    }

    /// Safe speed towards a dead end, headway included.
    pub(crate) fn safe_dead_end(&self, gap: f64, dt: f64) -> f64 {
        safe_stop(gap, self.decel, self.tau_s, dt)
    }

    /// Highest speed now that can be brought down to `target` within `dist`.
    pub(crate) fn free_speed(&self, dist: f64, target: f64, dt: f64) -> f64 {
        let v = target * dt;
        if dist < v {
            return target;
        }
        let b = self.decel * dt * dt;
        let y = ((((b + 2.0 * v) * (b + 2.0 * v) + 8.0 * b * dist).sqrt() - b) * 0.5 - v) / b;
        let y = y.max(0.0);
        let full = y.floor();
        let exact = (full * full + full) * 0.5 * b + full * v + if y > full { v } else { 0.0 };
        (dist - exact).max(0.0) / (full + 1.0) / dt + full * self.decel * dt + target
    }

    /// Speed after accelerating over a distance.
    pub(crate) fn speed_after(&self, dist: f64, speed: f64, accel: f64) -> f64 {
        (2.0 * dist * accel + speed * speed).max(0.0).sqrt().min(self.max_speed)
    }

    /// Shortest time over `dist`, from `speed` and arriving by `arrival_speed`, seconds.
    pub(crate) fn arrival_time(&self, dist: f64, speed: f64, arrival_speed: f64) -> f64 {
        let accel = if arrival_speed >= speed { self.accel } else { -self.decel };
        let accel_time = if accel == 0.0 { 0.0 } else { (arrival_speed - speed) / accel };
        let accel_way = accel_time * (arrival_speed + speed) * 0.5;
        let rest = (dist - accel_way).max(0.0);
        accel_time + rest / speed.max(arrival_speed).max(HALTING_MPS)
    }

    /// Lowest speed to which braking can bring it within `dist`; infinite when it is too late.
    pub(crate) fn arrival_speed_braking(&self, dist: f64, speed: f64) -> f64 {
        let braking = dist - speed * self.tau_s;
        if dist < speed {
            f64::INFINITY
        } else if -2.0 * braking * self.decel + speed * speed >= 0.0 {
            self.speed_after(braking, speed, -self.decel)
        } else {
            self.decel
        }
    }
}

impl Driver {
    /// Speed at which it could still stop within `dist`, whatever it drives now.
    pub(crate) fn stop_speed_from_far(&self, dist: f64, dt: f64) -> f64 {
        safe_stop(dist, self.decel, 0.0, dt)
    }
}
