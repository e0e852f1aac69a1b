//! Boxes for the frames in which a track was not seen, between those at the ends of the gap. Offline only.

use super::format::TrackLine;
use masa_inference::BoundingBox;

/// Longer gaps stay empty, seconds: ByteTrack's 20 frames at 25 a second.
const LONGEST_S: f64 = 0.8;

/// Fills gaps of up to [`LONGEST_S`]; the lines come out by frame and identity.
pub(crate) fn fill(lines: &mut Vec<TrackLine>, fps: f64) {
    let longest = (LONGEST_S * fps).round() as u32;
    lines.sort_by_key(|line| (line.track_id, line.frame));
    let mut between = Vec::new();
    for pair in lines.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let missing = to.frame.saturating_sub(from.frame + 1);
        if from.track_id == to.track_id && missing <= longest {
            between.extend((from.frame + 1..to.frame).map(|frame| TrackLine {
                frame,
                bounding_box: mixed(&from, &to, f64::from(frame - from.frame) / f64::from(to.frame - from.frame)),
                ..from
            }));
        }
    }
    lines.append(&mut between);
    lines.sort_by_key(|line| (line.frame, line.track_id));
}

fn mixed(from: &TrackLine, to: &TrackLine, share: f64) -> BoundingBox {
    let (a, b, share) = (&from.bounding_box, &to.bounding_box, share as f32);
    let mix = |a: f32, b: f32| a + share * (b - a);
    BoundingBox {
        x1_px: mix(a.x1_px, b.x1_px),
        y1_px: mix(a.y1_px, b.y1_px),
        x2_px: mix(a.x2_px, b.x2_px),
        y2_px: mix(a.y2_px, b.y2_px),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_inference::ObjectClass;

    fn line(frame: u32, track_id: u32, x1_px: f32) -> TrackLine {
        let bounding_box = BoundingBox { x1_px, y1_px: 0.0, x2_px: x1_px + 10.0, y2_px: 10.0 };
        TrackLine { frame, track_id, class: ObjectClass::Car, bounding_box, score: 0.9 }
    }

    #[test]
    fn short_gaps_are_filled_on_the_straight_line_and_long_ones_stay() {
        let mut lines = vec![line(1, 1, 0.0), line(1, 2, 50.0), line(4, 1, 30.0), line(40, 2, 50.0)];
        fill(&mut lines, 10.0);
        let expected = [line(1, 1, 0.0), line(1, 2, 50.0), line(2, 1, 10.0), line(3, 1, 20.0), line(4, 1, 30.0)];
        assert_eq!(lines[..5], expected);
        assert_eq!(lines.len(), 6);
    }
}
