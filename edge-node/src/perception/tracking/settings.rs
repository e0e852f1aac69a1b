//! Settings of the tracker.

use super::box_filter::BoxNoise;
use serde::{Deserialize, Serialize};

/// Association and track life: `[camera.tracker]`. Times are seconds, so that they mean the same at any frame rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TrackerSettings {
    /// Detections below this score are ignored, 0 to 1.
    pub low_score: f32,
    /// Detections from this score on are associated first, 0 to 1.
    pub high_score: f32,
    /// A detection from this score on, left without a track, begins one, 0 to 1.
    pub new_track_score: f32,
    /// Detections after which a track is exposed.
    pub confirm_hits: u32,
    /// A track that is not yet confirmed is dropped when unseen for longer than this, seconds.
    pub tentative_gap_s: f64,
    /// A confirmed track is exposed, by prediction, for this long after it was last seen, seconds.
    pub coast_s: f64,
    /// A confirmed track keeps its identity for this long after it was last seen, seconds.
    pub retain_s: f64,
    /// How likeness of a track and a strong detection is measured.
    pub likeness: Likeness,
    /// Which classes may follow each other in one track.
    pub class_gate: ClassGate,
    /// What becomes of a person and the two-wheeler under them.
    pub riders: RiderPolicy,
    /// Noise of boxes.
    pub noise: BoxNoise,
    /// Detections used of one frame at most; the weakest go first.
    pub max_detections: usize,
    /// Tracks at most; new ones wait for room.
    pub max_tracks: usize,
}

impl Default for TrackerSettings {
    fn default() -> Self {
        Self {
            low_score: 0.1,
            high_score: 0.4,
            new_track_score: 0.5,
            confirm_hits: 3,
            tentative_gap_s: 0.25,
            coast_s: 1.0,
            retain_s: 3.0,
            likeness: Likeness::default(),
            class_gate: ClassGate::default(),
            riders: RiderPolicy::default(),
            noise: BoxNoise::default(),
            max_detections: 256,
            max_tracks: 256,
        }
    }
}

/// How likeness of a track and a strong detection is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum Likeness {
    /// Intersection over union of the boxes: ByteTrack.
    Iou,
    /// The same of boxes grown on each side by a share of their size, first by `first`, then by `second` for what is left
    /// over: C-BIoU (Yang et al., WACV 2023). Bridges low frame rates and sudden motion.
    BufferedIou {
        /// Growth in the first round, shares of width and height.
        first: f32,
        /// Growth in the second round.
        second: f32,
    },
}

impl Default for Likeness {
    fn default() -> Self {
        Self::BufferedIou { first: 0.3, second: 0.5 }
    }
}

impl Likeness {
    /// Growth of the boxes in the two rounds; without a second one nothing is grown.
    pub(crate) fn rounds(self) -> (f32, Option<f32>) {
        match self {
            Self::Iou => (0.0, None),
            Self::BufferedIou { first, second } => (first, Some(second)),
        }
    }
}

/// Which classes may follow each other in one track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassGate {
    /// Any.
    Any,
    /// Any vehicle after any vehicle, persons and two-wheelers after each other; animals and obstacles after all.
    #[default]
    RoadUser,
}

/// What becomes of a person and the two-wheeler under them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RiderPolicy {
    /// One road user, of the two-wheeler's class.
    #[default]
    Merge,
    /// Two: for detectors whose classes already mean the rider with the vehicle.
    Keep,
}
