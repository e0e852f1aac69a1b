//! What is painted on the road.

use super::canvas::{Canvas, Line};
use super::{KERB, PAINT, PAINT_M};
use crate::roads::{EdgeKind, Lane, LaneKind, Roads};

/// Below this scale paint is finer than the picture, pixels a metre.
const FINEST_PX_PER_M: f64 = 1.2;

/// Draws lines between lanes, edges of carriageways, kerbs, and crossings.
pub(super) fn draw(roads: &Roads, canvas: &mut Canvas) {
    let detailed = canvas.px_per_m() >= FINEST_PX_PER_M;
    for edge in roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Road && detailed) {
        let lanes: Vec<&Lane> = edge.lanes.iter().map(|lane| roads.lane(*lane)).collect();
        for (place, lane) in lanes.iter().enumerate() {
            let inner = lanes.get(place + 1).map(|lane| lane.kind);
            if let Some(style) = between(lane.kind, inner) {
                canvas.line(&lane.centre.beside(inwards(roads) * lane.width_m / 2.0), &style);
            }
            // The outermost lane's outer side.
            if let Some(style) = Some(lane.kind).filter(|_| place == 0).and_then(|kind| between(kind, None)) {
                canvas.line(&lane.centre.beside(-inwards(roads) * lane.width_m / 2.0), &style);
            }
        }
    }
    for edge in roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Crossing) {
        for lane in edge.lanes.iter().map(|lane| roads.lane(*lane)) {
            // Stripes lie along the traffic, so across the way of people.
            canvas.line(&lane.centre, &Line { dash_m: Some([0.5, 0.5]), ..Line::new(lane.width_m, PAINT) });
        }
    }
}

/// The side of a lane that is towards the middle of its road: left where traffic keeps right.
fn inwards(roads: &Roads) -> f64 {
    if roads.left_hand { -1.0 } else { 1.0 }
}

/// The line between two lanes, or at the side of the road if there is no other.
fn between(kind: LaneKind, other: Option<LaneKind>) -> Option<Line> {
    use LaneKind::{Bicycle, Driving, Parking, Rail, Shoulder, Sidewalk, Verge};
    match (kind, other) {
        (Driving, Some(Driving)) => Some(Line { dash_m: Some([3.0, 6.0]), ..Line::new(PAINT_M, PAINT) }),
        (Driving | Shoulder, Some(Driving | Shoulder) | None) => Some(Line::new(PAINT_M, PAINT)),
        (Bicycle, Some(Driving | Rail)) | (Driving, Some(Bicycle | Rail)) => Some(Line::new(PAINT_M, PAINT)),
        (Parking, Some(Driving)) | (Driving, Some(Parking)) => {
            Some(Line { dash_m: Some([1.0, 1.0]), ..Line::new(PAINT_M, PAINT) })
        }
        (Sidewalk, Some(Sidewalk) | None) | (Verge, _) | (_, Some(Verge)) => None,
        (Sidewalk, _) | (_, Some(Sidewalk)) => Some(Line::new(PAINT_M, KERB)),
        _ => None,
    }
}
