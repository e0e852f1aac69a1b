//! Non-maximum suppression: of boxes that show one object, the best stays.
//!
//! Greedy, best score first; ties go to the box that came first in the network's output, so the result is a function of
//! the input alone. Bounded: of more candidates than [`MAX_CANDIDATES`] the best are considered, at most
//! [`MAX_DETECTIONS`] stay.

use crate::{BoundingBox, ObjectClass, description::SuppressAcross, head::Candidate};

/// Candidates that are considered.
const MAX_CANDIDATES: usize = 1024;
/// Boxes that stay. CPM carries at most 255 objects (TS 103 324).
const MAX_DETECTIONS: usize = 255;

impl SuppressAcross {
    /// Whether boxes of these two classes can be doubles of one object.
    fn relates(self, a: ObjectClass, b: ObjectClass) -> bool {
        match self {
            Self::Class => a == b,
            Self::VehicleGroup => a == b || (a.is_vehicle() && b.is_vehicle()),
            Self::All => true,
        }
    }
}

/// Leaves in `candidates` those that stay, best first. `nms_iou` absent: nothing is a double.
pub(crate) fn suppress(candidates: &mut Vec<Candidate>, nms_iou: Option<f32>, across: SuppressAcross) {
    let by_rank = |a: &Candidate, b: &Candidate| b.score.total_cmp(&a.score).then(a.order.cmp(&b.order));
    if candidates.len() > MAX_CANDIDATES {
        candidates.select_nth_unstable_by(MAX_CANDIDATES - 1, by_rank);
        candidates.truncate(MAX_CANDIDATES);
    }
    candidates.sort_unstable_by(by_rank);
    let mut kept = 0;
    for next in 0..candidates.len() {
        let candidate = candidates[next];
        let double = nms_iou.is_some_and(|limit| {
            candidates[..kept]
                .iter()
                .any(|better| across.relates(better.class, candidate.class) && overlap(better, &candidate) > limit)
        });
        if !double {
            candidates[kept] = candidate;
            kept += 1;
            if kept == MAX_DETECTIONS {
                break;
            }
        }
    }
    candidates.truncate(kept);
}

fn overlap(a: &Candidate, b: &Candidate) -> f32 {
    let boxed = |[x1_px, y1_px, x2_px, y2_px]: [f32; 4]| BoundingBox { x1_px, y1_px, x2_px, y2_px };
    boxed(a.corners).iou(&boxed(b.corners))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(class: ObjectClass, score: f32, order: u32, corners: [f32; 4]) -> Candidate {
        Candidate { corners, class, score, order }
    }

    /// Suppression as its definition reads: repeatedly take the best that is left, strike out its doubles.
    fn by_definition(candidates: &[Candidate], limit: f32, across: SuppressAcross) -> Vec<Candidate> {
        let mut left = candidates.to_vec();
        let mut stay = Vec::new();
        while !left.is_empty() {
            let mut best = 0;
            for (index, candidate) in left.iter().enumerate() {
                let rank = |c: &Candidate| (c.score, std::cmp::Reverse(c.order));
                if rank(candidate) > rank(&left[best]) {
                    best = index;
                }
            }
            let best = left.remove(best);
            left.retain(|c| !(across.relates(best.class, c.class) && overlap(&best, c) > limit));
            stay.push(best);
        }
        stay
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        // Few distinct scores and places, so that ties and overlaps are common.
        let one = (0..11_usize, 0..6_u8, 0..12_u8, 0..12_u8, 1..8_u8, 1..8_u8);
        proptest::collection::vec(one, 0..60).prop_map(|all| {
            let build = |(order, (class, score, x, y, w, h)): (usize, (usize, u8, u8, u8, u8, u8))| {
                let [x, y, w, h] = [x, y, w, h].map(f32::from);
                candidate(ObjectClass::ALL[class], f32::from(score) / 8.0, order as u32, [x, y, x + w, y + h])
            };
            all.into_iter().enumerate().map(build).collect()
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(found in candidates(), limit in 0.0_f32..1.0, shift in 0..60_usize) {
            for across in [SuppressAcross::Class, SuppressAcross::VehicleGroup, SuppressAcross::All] {
                let expected = by_definition(&found, limit, across);
                let mut given = found.clone();
                suppress(&mut given, Some(limit), across);
                prop_assert_eq!(&given, &expected);
                // The order of arrival in memory does not matter, only the order in the output tensor.
                let mut turned = found.clone();
                turned.rotate_left(shift.min(found.len()));
                suppress(&mut turned, Some(limit), across);
                prop_assert_eq!(&turned, &expected);
            }
        }
    }

    #[test]
    fn vehicle_doubles_merge_and_people_in_cars_do_not() {
        let place = [0.0, 0.0, 10.0, 10.0];
        let all = vec![
            candidate(ObjectClass::Truck, 0.5, 0, place),
            candidate(ObjectClass::Car, 0.8, 1, place),
            candidate(ObjectClass::Person, 0.4, 2, place),
        ];
        let kept = |across| {
            let mut found = all.clone();
            suppress(&mut found, Some(0.5), across);
            found.iter().map(|c| c.class).collect::<Vec<_>>()
        };
        assert_eq!(kept(SuppressAcross::Class), [ObjectClass::Car, ObjectClass::Truck, ObjectClass::Person]);
        assert_eq!(kept(SuppressAcross::VehicleGroup), [ObjectClass::Car, ObjectClass::Person]);
        assert_eq!(kept(SuppressAcross::All), [ObjectClass::Car]);
    }

    #[test]
    fn numbers_are_bounded_and_the_best_stay() {
        let mut many: Vec<Candidate> = (0..5000_u32)
            .map(|i| {
                let x = i as f32 * 10.0;
                candidate(ObjectClass::Car, (i % 1000) as f32 / 1000.0, i, [x, 0.0, x + 5.0, 5.0])
            })
            .collect();
        suppress(&mut many, Some(0.5), SuppressAcross::Class);
        assert_eq!(many.len(), MAX_DETECTIONS);
        assert_eq!((many[0].score, many[0].order), (0.999, 999));
        assert!(many.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let mut none = vec![candidate(ObjectClass::Car, 0.5, 0, [0.0, 0.0, 1.0, 1.0]); 3];
        suppress(&mut none, None, SuppressAcross::All);
        assert_eq!(none.len(), 3);
    }
}
