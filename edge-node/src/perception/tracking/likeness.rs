//! How much a detection looks like the continuation of a track.
//!
//! In: a track's expected box, a candidate's box, the track's observed motion. Out: likeness, 0 to 1, and what the
//! direction of motion adds to it or takes away. Deliberately absent: appearance, see [`super::look`].

use super::settings::{Likeness, Momentum};
use super::track::{ImageTrack, centre};
use masa_inference::BoundingBox;

impl Likeness {
    /// Likeness of the box that is expected and one that was detected.
    pub(crate) fn of(self, expected: &BoundingBox, detected: &BoundingBox) -> f32 {
        match self {
            Self::Iou => expected.iou(detected),
            Self::BufferedIou { growth } => grown(expected, growth).iou(&grown(detected, growth)),
            Self::HeightBufferedIou { growth } => {
                Self::BufferedIou { growth }.of(expected, detected) * height_overlap(expected, detected).sqrt()
            }
        }
    }
}

impl Momentum {
    /// What turning from the track's motion to `detected` costs: between minus and plus half the weight, nothing where
    /// there is no motion.
    pub(crate) fn cost(self, track: &ImageTrack, detected: &BoundingBox) -> f32 {
        let Self::Observed { weight, over_s } = self else { return 0.0 };
        let Some(before) = track.observed_motion(over_s) else { return 0.0 };
        let (from, to) = (centre(track.last_observed()), centre(detected));
        let now = [to[0] - from[0], to[1] - from[1]];
        let length = before[0].hypot(before[1]) * now[0].hypot(now[1]);
        if length <= 0.0 {
            return 0.0;
        }
        let turn = ((before[0] * now[0] + before[1] * now[1]) / length).clamp(-1.0, 1.0).acos();
        weight * (turn / std::f32::consts::PI - 0.5)
    }
}

fn grown(b: &BoundingBox, share: f32) -> BoundingBox {
    let (dx, dy) = (share * b.width_px(), share * b.height_px());
    BoundingBox { x1_px: b.x1_px - dx, y1_px: b.y1_px - dy, x2_px: b.x2_px + dx, y2_px: b.y2_px + dy }
}

/// Intersection over union of the vertical extents.
fn height_overlap(a: &BoundingBox, b: &BoundingBox) -> f32 {
    let both = (a.y2_px.min(b.y2_px) - a.y1_px.max(b.y1_px)).max(0.0);
    both / (a.y2_px.max(b.y2_px) - a.y1_px.min(b.y1_px)).max(f32::MIN_POSITIVE)
}
