//! Non-maximum suppression: of boxes that show one object, the best stays.
//!
//! Greedy, best score first; ties go to the box that came first in the network's output, so the result is a function of
//! the input alone. Bounded: of more candidates than [`MAX_CANDIDATES`] the best are considered, at most
//! [`MAX_DETECTIONS`] stay. Most boxes lie far from each other: eight at a time are asked whether any is near, which
//! compiles to vector instructions, and only then each is judged by [`BoundingBox::iou`]; so what stays does not depend on
//! how it was found.

pub use crate::head::Candidate;

use crate::{BoundingBox, ObjectClass, description::SuppressAcross};

/// Candidates that are considered.
pub const MAX_CANDIDATES: usize = 1024;
/// Boxes that stay. CPM carries at most 255 objects (TS 103 324).
pub const MAX_DETECTIONS: usize = 255;
/// Boxes that are asked at a time: a register of AVX, two of SSE.
const LANES: usize = 8;

impl SuppressAcross {
    /// A number that two classes share when their boxes can be doubles of one object.
    fn group(self, class: ObjectClass) -> u32 {
        match self {
            Self::All => 0,
            Self::VehicleGroup if class.is_vehicle() => ObjectClass::Car.index() as u32,
            Self::Class | Self::VehicleGroup => class.index() as u32,
        }
    }
}

/// Leaves in `candidates` those that stay, best first. `nms_iou` absent: nothing is a double.
pub fn suppress(candidates: &mut Vec<Candidate>, nms_iou: Option<f32>, across: SuppressAcross) {
    rank(candidates);
    let mut blocks = [Block::EMPTY; MAX_DETECTIONS.div_ceil(LANES)];
    let mut kept = 0;
    for next in 0..candidates.len() {
        let candidate = candidates[next];
        if let Some(limit) = nms_iou {
            let group = across.group(candidate.class);
            let is_double =
                |better: &Candidate| across.group(better.class) == group && overlap(better, &candidate) > limit;
            let mut better = blocks.iter().zip(candidates[..kept].chunks(LANES));
            if better.any(|(block, boxes)| block.is_near(&candidate, group) && boxes.iter().any(is_double)) {
                continue;
            }
            blocks[kept / LANES].put(kept % LANES, &candidate, group);
        }
        candidates[kept] = candidate;
        kept += 1;
        if kept == MAX_DETECTIONS {
            break;
        }
    }
    candidates.truncate(kept);
}

/// The best [`MAX_CANDIDATES`], best first.
fn rank(candidates: &mut Vec<Candidate>) {
    let by_rank = |a: &Candidate, b: &Candidate| b.score.total_cmp(&a.score).then(a.order.cmp(&b.order));
    if candidates.len() > MAX_CANDIDATES {
        candidates.select_nth_unstable_by(MAX_CANDIDATES - 1, by_rank);
        candidates.truncate(MAX_CANDIDATES);
    }
    candidates.sort_unstable_by(by_rank);
}

/// Corners and groups of [`LANES`] boxes that stay, an array a quantity.
#[derive(Clone, Copy)]
struct Block {
    x1_px: [f32; LANES],
    y1_px: [f32; LANES],
    x2_px: [f32; LANES],
    y2_px: [f32; LANES],
    group: [u32; LANES],
}

impl Block {
    /// Of no group.
    const EMPTY: Self = Self {
        x1_px: [0.0; LANES],
        y1_px: [0.0; LANES],
        x2_px: [0.0; LANES],
        y2_px: [0.0; LANES],
        group: [u32::MAX; LANES],
    };

    fn put(&mut self, lane: usize, candidate: &Candidate, group: u32) {
        [self.x1_px[lane], self.y1_px[lane], self.x2_px[lane], self.y2_px[lane]] = candidate.corners;
        self.group[lane] = group;
    }

    /// False when every box is of another group or beside the candidate, so that they have nothing in common. No branch
    /// between lanes, which would keep the compiler from using vector instructions. A NaN is beside nothing: its overlap is
    /// then computed.
    #[inline]
    fn is_near(&self, candidate: &Candidate, group: u32) -> bool {
        let [x1_px, y1_px, x2_px, y2_px] = candidate.corners;
        let mut near = 0;
        for lane in 0..LANES {
            let is_beside = (self.x2_px[lane] <= x1_px)
                | (self.x1_px[lane] >= x2_px)
                | (self.y2_px[lane] <= y1_px)
                | (self.y1_px[lane] >= y2_px);
            near |= u32::from(!(is_beside | (self.group[lane] != group)));
        }
        near != 0
    }
}

fn overlap(a: &Candidate, b: &Candidate) -> f32 {
    let boxed = |[x1_px, y1_px, x2_px, y2_px]: [f32; 4]| BoundingBox { x1_px, y1_px, x2_px, y2_px };
    boxed(a.corners).iou(&boxed(b.corners))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(class: ObjectClass, score: f32, order: u32, corners: [f32; 4]) -> Candidate {
        Candidate { corners, class, score, order }
    }

    /// Whether boxes of these two classes can be doubles of one object.
    fn relates(across: SuppressAcross, a: ObjectClass, b: ObjectClass) -> bool {
        match across {
            SuppressAcross::Class => a == b,
            SuppressAcross::VehicleGroup => a == b || (a.is_vehicle() && b.is_vehicle()),
            SuppressAcross::All => true,
        }
    }

    /// Every pair compared, without a look at what is near.
    fn pairwise(candidates: &mut Vec<Candidate>, limit: f32, across: SuppressAcross) {
        rank(candidates);
        let mut kept = 0;
        for next in 0..candidates.len() {
            let candidate = candidates[next];
            let is_double = |better: &Candidate| {
                relates(across, better.class, candidate.class) && overlap(better, &candidate) > limit
            };
            if !candidates[..kept].iter().any(is_double) {
                candidates[kept] = candidate;
                kept += 1;
                if kept == MAX_DETECTIONS {
                    break;
                }
            }
        }
        candidates.truncate(kept);
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
            left.retain(|c| !(relates(across, best.class, c.class) && overlap(&best, c) > limit));
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

    proptest! {
        // What a broken network may give too.
        #[test]
        fn any_corners_are_judged_as_pair_by_pair(
            found in proptest::collection::vec((proptest::array::uniform4(corner()), 0..3_usize, 0.0_f32..1.0), 0..80),
            limit in 0.0_f32..1.0,
        ) {
            let build = |(order, &(corners, class, score)): (usize, &([f32; 4], usize, f32))| {
                candidate(ObjectClass::ALL[class], score, order as u32, corners)
            };
            let found: Vec<_> = found.iter().enumerate().map(build).collect();
            for across in [SuppressAcross::Class, SuppressAcross::VehicleGroup, SuppressAcross::All] {
                let (mut given, mut expected) = (found.clone(), found.clone());
                suppress(&mut given, Some(limit), across);
                pairwise(&mut expected, limit, across);
                prop_assert_eq!(orders(&given), orders(&expected));
            }
        }
    }

    fn corner() -> impl Strategy<Value = f32> {
        prop_oneof![8 => (0..20_u8).prop_map(f32::from), 1 => any::<f32>(), 1 => Just(f32::NAN)]
    }

    fn orders(candidates: &[Candidate]) -> Vec<u32> {
        candidates.iter().map(|candidate| candidate.order).collect()
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
