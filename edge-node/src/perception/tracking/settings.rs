//! Settings of the tracker.

use super::box_filter::BoxNoise;
use super::candidate::Group;
use masa_inference::AppearanceDescriptor;
use serde::{Deserialize, Serialize};

/// Association and track life: `[camera.tracker]`.
///
/// Times are seconds, so that they mean the same at any frame rate. Probabilities are of a detection being right, which
/// [`Self::even_score`] makes of its score, so that they mean the same for any detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TrackerSettings {
    /// Score at which this detector is right as often as wrong, between 0 and 1.
    pub even_score: f32,
    /// Detections less probable than this are ignored, 0 to 1.
    pub low_probability: f32,
    /// Detections as probable as this are strong: they are associated first, 0 to 1.
    pub high_probability: f32,
    /// A detection as probable as this, left without a track, begins one, 0 to 1.
    pub new_track_probability: f32,
    /// Which detection of a new track must be as probable.
    pub birth: Birth,
    /// Detections after which a track is exposed.
    pub confirm_hits: u32,
    /// A track that is not yet confirmed is dropped when unseen for longer than this, seconds.
    pub tentative_gap_s: f64,
    /// A weak detection continues a track that was seen this long ago at most, seconds.
    pub weak_gap_s: f64,
    /// A confirmed track is exposed on the ground, by prediction, for this long after it was last seen, seconds.
    pub coast_s: f64,
    /// A confirmed track keeps its identity for this long after it was last seen, seconds.
    pub retain_s: f64,
    /// How likeness of a track and a strong detection is measured.
    pub likeness: Likeness,
    /// Whether the direction of motion speaks in the choice among strong detections.
    pub momentum: Momentum,
    /// Whether looks speak in the choice.
    pub appearance: Appearance,
    /// How a track is found again where the prediction went astray.
    pub recovery: Recovery,
    /// What becomes of a track that something nearer hides.
    pub occlusion: Occlusion,
    /// Which classes may follow each other in one track.
    pub class_gate: ClassGate,
    /// What becomes of a person and the two-wheeler under them.
    pub riders: RiderPolicy,
    /// Noise of boxes around persons.
    pub person_noise: BoxNoise,
    /// Noise of boxes around vehicles, riders and whatever else is no person.
    pub noise: BoxNoise,
    /// Detections used of one frame at most; the weakest go first.
    pub max_detections: usize,
    /// Tracks at most; new ones wait for room.
    pub max_tracks: usize,
}

impl Default for TrackerSettings {
    /// `docs/perception.md` says what they were tuned on; the even score is that of YOLOX-Nano.
    fn default() -> Self {
        Self {
            even_score: 0.1,
            low_probability: 0.5,
            high_probability: 0.85,
            new_track_probability: 0.9,
            birth: Birth::default(),
            confirm_hits: 2,
            tentative_gap_s: 0.1,
            weak_gap_s: 0.25,
            coast_s: 1.0,
            retain_s: 3.0,
            likeness: Likeness::default(),
            momentum: Momentum::default(),
            appearance: Appearance::default(),
            recovery: Recovery::default(),
            occlusion: Occlusion::default(),
            class_gate: ClassGate::default(),
            riders: RiderPolicy::default(),
            person_noise: BoxNoise::PERSON,
            noise: BoxNoise::VEHICLE,
            max_detections: 256,
            max_tracks: 256,
        }
    }
}

impl TrackerSettings {
    pub(crate) fn noise_of(&self, group: Group) -> &BoxNoise {
        if group == Group::Person { &self.person_noise } else { &self.noise }
    }

    /// For how long after it was last seen a confirmed track can be found again, seconds.
    pub(crate) fn kept_s(&self) -> f64 {
        match self.appearance {
            Appearance::ReIdentify { remember_s, .. } => remember_s.max(self.retain_s),
            Appearance::Off | Appearance::TieBreak { .. } => self.retain_s,
        }
    }

    /// The probability that a detection of this score is right: the odds of the score by the odds of the even score.
    pub(crate) fn probability(&self, score: f32) -> f32 {
        let (right, wrong) = (score * (1.0 - self.even_score), (1.0 - score) * self.even_score);
        right / (right + wrong).max(f32::MIN_POSITIVE)
    }
}

/// Which detection of a new track must be as probable as [`TrackerSettings::new_track_probability`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Birth {
    /// The first: it alone begins a track, as in ByteTrack.
    SureFirst,
    /// Any before the track is exposed; any strong one begins it. Who comes out from behind something is seen better with
    /// each frame, and is known a frame earlier.
    #[default]
    SureOnce,
}

/// How likeness of a track and a strong detection is measured, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "kind")]
pub enum Likeness {
    /// Intersection over union of the boxes: SORT, ByteTrack.
    Iou,
    /// The same of boxes grown on each side by a share of their size (C-BIoU: Yang et al., WACV 2023), which bridges low
    /// frame rates and sudden motion.
    BufferedIou {
        /// Growth, share of width and height.
        growth: f32,
    },
    /// Buffered IoU by the square root of the overlap of the heights (height-modulated IoU: Yang et al., AAAI 2024): on
    /// one ground, like heights are like distances.
    HeightBufferedIou {
        /// Growth, share of width and height.
        growth: f32,
    },
}

impl Default for Likeness {
    fn default() -> Self {
        Self::HeightBufferedIou { growth: 0.3 }
    }
}

/// Whether the direction of motion speaks in the choice among strong detections.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "kind")]
pub enum Momentum {
    /// No.
    Off,
    /// As in OC-SORT (Cao et al., CVPR 2023): of observed boxes, not of predicted ones, in which an error grows.
    Observed {
        /// Likeness lost between going on and turning round.
        weight: f32,
        /// Time over which the direction is taken, seconds.
        over_s: f64,
    },
}

impl Default for Momentum {
    fn default() -> Self {
        Self::Observed { weight: 0.2, over_s: 0.4 }
    }
}

/// Whether looks speak in the choice. What somebody looks like is computed where the pictures are, and only if this asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "policy")]
pub enum Appearance {
    /// No: nothing is computed, and nothing recorded.
    #[default]
    Off,
    /// Of pairs that the place allows, the one that looks alike costs less: who meets or passes somebody stays who they were.
    TieBreak {
        /// How looks are described.
        descriptor: AppearanceDescriptor,
        /// Likeness gained by looking the same, and lost by looking different.
        #[serde(default = "default_weight")]
        weight: f32,
    },
    /// Also, who was lost for longer is found again by looks, within reach of where they were last seen.
    ReIdentify {
        /// How looks are described.
        descriptor: AppearanceDescriptor,
        /// Likeness gained by looking the same, and lost by looking different.
        #[serde(default = "default_weight")]
        weight: f32,
        /// A confirmed track can be found again for this long after it was last seen, seconds; at least `retain-s`.
        #[serde(default = "default_remember_s")]
        remember_s: f64,
    },
}

fn default_weight() -> f32 {
    0.3
}

fn default_remember_s() -> f64 {
    8.0
}

impl Appearance {
    /// What must be computed for it.
    pub fn descriptor(self) -> Option<AppearanceDescriptor> {
        match self {
            Self::Off => None,
            Self::TieBreak { descriptor, .. } | Self::ReIdentify { descriptor, .. } => Some(descriptor),
        }
    }

    pub(crate) fn weight(self) -> f32 {
        match self {
            Self::Off => 0.0,
            Self::TieBreak { weight, .. } | Self::ReIdentify { weight, .. } => weight,
        }
    }
}

/// How a track is found again where the prediction went astray.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// It is not.
    Off,
    /// By the box in which it was last observed, as in OC-SORT.
    #[default]
    LastObservation,
}

/// What becomes of a track that something nearer hides. On one ground, of two boxes the one that reaches lower in the
/// picture is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "kind")]
pub enum Occlusion {
    /// Nothing.
    Ignore,
    /// While it is hidden it still counts as there.
    SceneGeometry {
        /// Share of a box that a nearer one must cover to hide it, 0 to 1.
        cover: f32,
        /// Time after it was last seen during which a hidden track is still given in the image, seconds.
        expose_s: f64,
    },
}

impl Default for Occlusion {
    fn default() -> Self {
        Self::SceneGeometry { cover: 0.5, expose_s: 0.2 }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_even_score_is_as_probable_as_not_and_certainty_stays() {
        for even_score in [0.05, 0.15, 0.5, 0.9] {
            let settings = TrackerSettings { even_score, ..TrackerSettings::default() };
            let p = [0.0, even_score, 1.0].map(|score| settings.probability(score));
            assert!(p[0] == 0.0 && (p[1] - 0.5).abs() < 1e-6 && p[2] == 1.0, "{even_score}: {p:?}");
        }
        assert_eq!(TrackerSettings { even_score: 0.5, ..TrackerSettings::default() }.probability(0.7), 0.7);
    }
}
