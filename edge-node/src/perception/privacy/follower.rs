//! Boxes that outlive a blink of their detector.
//!
//! In: the detections of successive frames. Out: for the newest frame, every box that may still show what was detected
//! within the hold-over time: where it is seen; where it is expected and where it was last seen while it is not; and what of
//! it was let go.

use crate::perception::tracking::{ClassGate, FrameId, ImageTrack, Recovery, Tracker, TrackerSettings};
use masa_inference::{BoundingBox, Detection, ObjectClass};
use masa_v2x_proto::time::Timestamp;

/// Tracks that the tracker gave up, kept at most; a full list lets the oldest go.
const MAX_LET_GO: usize = 64;
/// A box grows by its own size on each side at most: after that its doubt says nothing any more.
const MAX_GROWTH: f64 = 1.0;

/// A track that ended although it was seen within the hold-over time.
#[derive(Clone, Debug)]
struct LetGo {
    class: ObjectClass,
    /// Where it was expected and where it was last seen.
    boxes: [BoundingBox; 2],
    last_seen: Timestamp,
}

/// Follows the boxes of one detector.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    tracker: Tracker,
    let_go: Vec<LetGo>,
    hold_over_s: f64,
    growth_sigma: f64,
}

impl Follower {
    pub(super) fn new(hold_over_s: f64, growth_sigma: f64, least_score: f32) -> Self {
        // A region is better begun too early and ended too late, and whose it is does not matter.
        let tracker = TrackerSettings {
            even_score: 0.5,
            low_probability: least_score,
            high_probability: least_score,
            new_track_probability: least_score,
            confirm_hits: 1,
            tentative_gap_s: hold_over_s,
            coast_s: hold_over_s,
            retain_s: hold_over_s,
            recovery: Recovery::LastObservation,
            class_gate: ClassGate::Any,
            ..TrackerSettings::default()
        };
        Self { tracker: Tracker::new(tracker), let_go: Vec::with_capacity(MAX_LET_GO), hold_over_s, growth_sigma }
    }

    /// Takes a frame; `false` when it is not newer than the one before.
    pub(super) fn observe(&mut self, id: FrameId, image_size_px: [u32; 2], detections: &[Detection]) -> bool {
        if !self.tracker.update(id, image_size_px, detections) {
            return false;
        }
        let (now, hold_over_s) = (id.captured_at, self.hold_over_s);
        self.let_go.retain(|gone| now.seconds_since(gone.last_seen) <= hold_over_s);
        for track in self.tracker.ended() {
            if now.seconds_since(track.last.captured_at) <= hold_over_s {
                if self.let_go.len() == MAX_LET_GO {
                    self.let_go.remove(0);
                }
                self.let_go.push(LetGo {
                    class: track.class().0,
                    boxes: [track.bounding_box(), track.measured],
                    last_seen: track.last.captured_at,
                });
            }
        }
        true
    }

    /// Gives `take` every box that may show something in the newest frame, with what it is thought to be and how far its
    /// left, top, right and lower edge may be off, pixels.
    pub(super) fn for_each(&self, mut take: impl FnMut(ObjectClass, BoundingBox, [f32; 4])) {
        for track in self.tracker.tracks() {
            let class = track.class().0;
            take(class, track.measured, [0.0; 4]);
            if track.detection.is_none() {
                let b = track.bounding_box();
                take(class, b, self.doubt_px(track, &b));
            }
        }
        for gone in &self.let_go {
            gone.boxes.iter().for_each(|b| take(gone.class, *b, [0.0; 4]));
        }
    }

    /// How far each edge of an unseen track may be off.
    fn doubt_px(&self, track: &ImageTrack, b: &BoundingBox) -> [f32; 4] {
        let most = [b.width_px(), b.height_px()].map(|size| MAX_GROWTH * f64::from(size));
        let deviation = track.deviation_px();
        std::array::from_fn(|edge| (self.growth_sigma * deviation[edge]).min(most[edge % 2]) as f32)
    }
}
