//! Whether and since when a road user stands.

use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;

/// How far an object may wander and still be standing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MotionThresholds {
    pub(crate) standing_radius_m: f64,
    pub(crate) moved_distance_m: f64,
}

/// Whether and since when an object stands, from its positions only: a speed estimate has noise of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    first_position: Enu,
    pub(super) has_moved: bool,
    anchor: Enu,
    pub(super) anchored_at: Timestamp,
}

impl Standing {
    pub(super) fn new(position: Enu, at: Timestamp) -> Self {
        Self { first_position: position, has_moved: false, anchor: position, anchored_at: at }
    }

    /// A distant object's position wanders more: both limits grow to three standard deviations.
    pub(super) fn follow(&mut self, position: Enu, covariance: Covariance2, at: Timestamp, limits: MotionThresholds) {
        let noise_m = 3.0 * covariance.ellipse().0;
        if position.ground_distance_m(&self.anchor) > limits.standing_radius_m.max(noise_m) {
            (self.anchor, self.anchored_at) = (position, at);
        }
        self.has_moved |= position.ground_distance_m(&self.first_position) > limits.moved_distance_m.max(noise_m);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: MotionThresholds = MotionThresholds { standing_radius_m: 1.0, moved_distance_m: 5.0 };

    #[test]
    fn standing_counts_from_the_last_move_and_survives_jitter() {
        let at = Timestamp::from_unix_ms;
        let mut motion = Standing::new(Enu::ground(0.0, 0.0), at(0));
        let sharp = Covariance2::isotropic(0.01);
        for (ms, e_m, anchored_ms, moved) in [
            (100, 0.8, 0, false),
            (200, -0.8, 0, false),
            (300, 1.1, 300, false),
            (400, 1.9, 300, false),
            (500, 5.1, 500, true),
        ] {
            motion.follow(Enu::ground(e_m, 0.0), sharp, at(ms), LIMITS);
            assert_eq!((motion.anchored_at, motion.has_moved), (at(anchored_ms), moved), "at {ms} ms");
        }
        motion.follow(Enu::ground(7.0, 0.0), Covariance2::isotropic(1.0), at(600), LIMITS);
        assert_eq!(motion.anchored_at, at(500), "1.9 m is within three standard deviations of 1 m");
    }
}
