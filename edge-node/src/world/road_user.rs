//! One road user: the best estimate of its state, the evidence for it, and how it has moved.

use crate::effect::ObjectCause;
use crate::event::{EventId, SourceId};
use crate::perception::{CalibratedArea, GroundTrack, TrackState};
use heapless::HistoryBuf;
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;

/// Positions kept for the trail of an object.
pub const TRAIL_CAPACITY: usize = 100;
/// A new trail position is kept once the object is this far from the last, metres: a standing object keeps its trail.
const TRAIL_STEP_M: f64 = 0.5;

/// How far an object may wander and still be standing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MotionThresholds {
    pub(crate) standing_radius_m: f64,
    pub(crate) moved_distance_m: f64,
}

/// A road user. The estimate and its evidence are separate, so that fusing several cameras changes neither the
/// facilities nor the page.
#[derive(Clone, Debug)]
pub struct RoadUser {
    /// Object id: CPM `objectId` (TS 103 324 7.1.8).
    pub id: u16,
    /// Voted class.
    pub class: ObjectClass,
    /// Share of the votes, 0 to 1.
    pub class_confidence: f32,
    /// Position on the ground at [`Self::state_at`].
    pub position: Enu,
    /// Covariance of the position.
    pub covariance: Covariance2,
    /// Velocity towards east, m/s.
    pub velocity_e_mps: f64,
    /// Velocity towards north, m/s.
    pub velocity_n_mps: f64,
    /// Covariance of the velocity, (m/s)².
    pub velocity_covariance: Covariance2,
    /// Direction of motion, radians counter-clockwise from east; `None` until it has moved enough.
    pub yaw_rad: Option<f64>,
    /// Length, metres.
    pub length_m: f64,
    /// Width, metres.
    pub width_m: f64,
    /// Height, metres.
    pub height_m: f64,
    /// Capture time of the frame it was first seen in.
    pub first_seen: Timestamp,
    /// The instant position and velocity are given for.
    pub state_at: Timestamp,
    /// How well it is perceived.
    pub quality: PerceptionQuality,
    /// The track behind the estimate.
    pub sight: Sight,
    /// When the frame behind the estimate reached the core: what ageing goes by.
    pub updated_at: Timestamp,
    motion: Motion,
    trail: HistoryBuf<[f64; 2], TRAIL_CAPACITY>,
}

/// Where one camera has a road user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// The camera.
    pub camera: SourceId,
    /// The track in that camera.
    pub track_id: u32,
    /// The track's box, source-image pixels.
    pub bounding_box: BoundingBox,
    /// Index in the newest frame's detections; `None` when carried through a gap.
    pub detection: Option<u16>,
    /// Event in which the track began.
    pub first_event: EventId,
    /// Event of the newest frame that shows it.
    pub last_event: EventId,
    /// That frame's running number.
    pub frame: u64,
    /// That frame's capture time.
    pub captured_at: Timestamp,
    /// Whether the newest frame shows it.
    pub state: TrackState,
    /// Whether it stands where the camera is calibrated.
    pub area: CalibratedArea,
}

impl RoadUser {
    /// The object that a track nobody knows yet stands for.
    pub(crate) fn new(
        id: u16,
        camera: SourceId,
        track: &GroundTrack,
        now: Timestamp,
        limits: MotionThresholds,
    ) -> Self {
        let mut user = Self {
            id,
            class: track.class,
            class_confidence: track.class_confidence,
            position: track.position,
            covariance: track.covariance,
            velocity_e_mps: track.velocity_e_mps,
            velocity_n_mps: track.velocity_n_mps,
            velocity_covariance: track.velocity_covariance,
            yaw_rad: track.yaw_rad,
            length_m: track.length_m,
            width_m: track.width_m,
            height_m: track.height_m,
            first_seen: track.first_seen,
            state_at: track.state_at,
            quality: PerceptionQuality::new(track.score),
            sight: sight(camera, track),
            updated_at: now,
            motion: Motion::new(track.position, track.state_at),
            trail: HistoryBuf::new(),
        };
        user.follow(limits);
        user
    }

    /// Takes over the newest state of the track behind this object.
    pub(crate) fn update(&mut self, track: &GroundTrack, now: Timestamp, limits: MotionThresholds) {
        self.class = track.class;
        self.class_confidence = track.class_confidence;
        self.position = track.position;
        self.covariance = track.covariance;
        self.velocity_e_mps = track.velocity_e_mps;
        self.velocity_n_mps = track.velocity_n_mps;
        self.velocity_covariance = track.velocity_covariance;
        self.yaw_rad = track.yaw_rad;
        self.length_m = track.length_m;
        self.width_m = track.width_m;
        self.height_m = track.height_m;
        self.state_at = track.state_at;
        self.quality.update(track.state == TrackState::Confirmed, track.score);
        self.sight = sight(self.sight.camera, track);
        self.updated_at = now;
        self.follow(limits);
    }

    fn follow(&mut self, limits: MotionThresholds) {
        // A coasting position is the tracker's guess: it must not make a standing car move.
        if self.sight.state == TrackState::Coasting {
            return;
        }
        self.motion.follow(self.position, self.covariance, self.state_at, limits);
        let far = |last: &[f64; 2]| (last[0] - self.position.e_m).hypot(last[1] - self.position.n_m) >= TRAIL_STEP_M;
        if self.trail.recent().is_none_or(far) {
            self.trail.write([self.position.e_m, self.position.n_m]);
        }
    }

    /// Speed over ground, m/s.
    pub fn speed_mps(&self) -> f64 {
        self.velocity_e_mps.hypot(self.velocity_n_mps)
    }

    /// How long it has been standing at [`Self::state_at`], seconds; close to zero while it moves.
    pub fn standing_s(&self) -> f64 {
        self.state_at.seconds_since(self.motion.anchored_at)
    }

    /// Whether it has been seen to change its place at all: what never moved is parked, or no road user.
    pub fn has_moved(&self) -> bool {
        self.motion.has_moved
    }

    /// Seconds from the first sight to the newest state.
    pub fn age_s(&self) -> f64 {
        self.state_at.seconds_since(self.first_seen)
    }

    /// Last positions, oldest first, `[east, north]` metres.
    pub fn trail_m(&self) -> impl Iterator<Item = [f64; 2]> {
        self.trail.oldest_ordered().copied()
    }

    /// Where this object came from, for the provenance of a message that speaks of it.
    pub fn cause(&self) -> ObjectCause {
        ObjectCause {
            object_id: u32::from(self.id),
            camera: self.sight.camera,
            track_id: self.sight.track_id,
            first_event: self.sight.first_event,
            last_event: self.sight.last_event,
            frame: self.sight.frame,
            captured_at: self.sight.captured_at,
            detection: self.sight.detection,
            bounding_box: self.sight.bounding_box,
        }
    }
}

fn sight(camera: SourceId, track: &GroundTrack) -> Sight {
    Sight {
        camera,
        track_id: track.track_id,
        bounding_box: track.bounding_box,
        detection: track.detection,
        first_event: track.first_event,
        last_event: track.last_event,
        frame: track.frame,
        captured_at: track.captured_at,
        state: track.state,
        area: track.area,
    }
}

/// What `objectPerceptionQuality` is made of (TS 103 324 7.1.8.6): moving averages of detection success and of the
/// detector's confidence, and the object's age.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerceptionQuality {
    detection_success: f64,
    detection_confidence: f64,
}

impl PerceptionQuality {
    /// Weight of the newest frame in the moving averages.
    const ALPHA: f64 = 0.5;

    fn new(score: f32) -> Self {
        Self { detection_success: 1.0, detection_confidence: f64::from(score) }
    }

    fn update(&mut self, detected: bool, score: f32) {
        let (success, confidence) = if detected { (1.0, f64::from(score)) } else { (0.0, 0.0) };
        self.detection_success += Self::ALPHA * (success - self.detection_success);
        self.detection_confidence += Self::ALPHA * (confidence - self.detection_confidence);
    }

    /// `objectPerceptionQuality`, 0 to 15, at an object age: the mean, each part in 0..=15, of detection success,
    /// detection confidence and age (one for each 100 ms, full from 1.5 s), equally weighted.
    pub fn rating(&self, age_s: f64) -> u8 {
        let parts = [self.detection_success * 15.0, self.detection_confidence * 15.0, age_s * 10.0];
        let sum: f64 = parts.iter().map(|part| part.clamp(0.0, 15.0).floor()).sum();
        (sum / 3.0) as u8
    }
}

/// Whether and since when an object stands, from its positions only: a speed estimate has noise of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Motion {
    first_position: Enu,
    has_moved: bool,
    anchor: Enu,
    anchored_at: Timestamp,
}

impl Motion {
    fn new(position: Enu, at: Timestamp) -> Self {
        Self { first_position: position, has_moved: false, anchor: position, anchored_at: at }
    }

    /// A distant object's position wanders more: both limits grow to three standard deviations.
    fn follow(&mut self, position: Enu, covariance: Covariance2, at: Timestamp, limits: MotionThresholds) {
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
        let mut motion = Motion::new(Enu::ground(0.0, 0.0), at(0));
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

    #[test]
    fn perception_quality_follows_ts_103_324_7_1_8_6() {
        let mut quality = PerceptionQuality::new(0.8);
        assert_eq!(quality.rating(0.0), 9, "(15 + 12) / 3");
        assert_eq!(quality.rating(0.25), 9, "(15 + 12 + 2) / 3");
        assert_eq!(quality.rating(60.0), 14, "(15 + 12 + 15) / 3");
        quality.update(false, 0.8);
        assert_eq!(quality.rating(60.0), (7 + 6 + 15) / 3, "one frame of two missed");
        quality.update(true, 1.0);
        assert_eq!(quality.rating(60.0), (11 + 10 + 15) / 3);
    }
}
