//! Detections to candidates: one candidate per road user.
//!
//! Small detectors see one thing as several: a car also as a truck, a cyclist as a person and as a bicycle. Doubles are
//! merged here, before association, and every class that was said of the thing becomes a vote.

use super::settings::{RiderPolicy, TrackerSettings};
use masa_inference::{BoundingBox, Detection, ObjectClass};

/// Boxes of one group that overlap more than this are the same thing.
const DOUBLE_IOU: f32 = 0.6;
/// A person of whom this share lies within a rider's box belongs to the rider.
const ABSORBED_SHARE: f32 = 0.75;
/// A person and a two-wheeler are a rider when their boxes share this much of the smaller one.
const RIDER_OVERLAP: f32 = 0.25;

/// Classes that a detector confuses with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Person,
    TwoWheeler,
    Vehicle,
    Other,
}

impl Group {
    pub(crate) fn of(class: ObjectClass) -> Self {
        match class {
            ObjectClass::Person => Self::Person,
            ObjectClass::Bicycle | ObjectClass::Motorcycle | ObjectClass::EScooter => Self::TwoWheeler,
            ObjectClass::Car | ObjectClass::Van | ObjectClass::Truck | ObjectClass::Bus | ObjectClass::Tram => {
                Self::Vehicle
            }
            ObjectClass::Animal | ObjectClass::Obstacle => Self::Other,
        }
    }
}

/// What a detector's frame says of one road user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) bounding_box: BoundingBox,
    pub(crate) score: f32,
    /// Probability that it is right.
    pub(crate) probability: f32,
    pub(crate) group: Group,
    /// Index of the strongest detection in it.
    pub(crate) detection: u16,
    /// Score said of each class, indexed as [`ObjectClass::ALL`].
    pub(crate) votes: [f32; ObjectClass::ALL.len()],
    /// Whether a track took it.
    pub(crate) is_taken: bool,
}

impl Candidate {
    fn new(detection: &Detection, index: u16, probability: f32) -> Self {
        let mut votes = [0.0; ObjectClass::ALL.len()];
        votes[detection.class.index()] = detection.score;
        Self {
            bounding_box: detection.bounding_box,
            score: detection.score,
            probability,
            group: Group::of(detection.class),
            detection: index,
            votes,
            is_taken: false,
        }
    }

    fn add_votes(&mut self, other: &Self) {
        for (vote, more) in self.votes.iter_mut().zip(other.votes) {
            *vote += more;
        }
    }
}

/// Fills `out` with the candidates of `detections`, strongest first. Returns how many detections were rejected as malformed
/// and how many exceeded the capacity.
pub(crate) fn collect(detections: &[Detection], settings: &TrackerSettings, out: &mut Vec<Candidate>) -> (u64, u64) {
    out.clear();
    let mut rejected = 0;
    for (index, detection) in detections.iter().enumerate() {
        let Ok(index) = u16::try_from(index) else { break };
        if !is_sound(detection) {
            rejected += 1;
            continue;
        }
        let probability = settings.probability(detection.score);
        if probability >= settings.low_probability {
            out.push(Candidate::new(detection, index, probability));
        }
    }
    out.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.detection.cmp(&b.detection)));
    let overflow = out.len().saturating_sub(settings.max_detections);
    out.truncate(settings.max_detections);
    merge_doubles(out);
    if settings.riders == RiderPolicy::Merge {
        merge_riders(out);
    }
    (rejected, overflow as u64)
}

fn is_sound(detection: &Detection) -> bool {
    let b = &detection.bounding_box;
    let finite = [b.x1_px, b.y1_px, b.x2_px, b.y2_px].iter().all(|v| v.is_finite() && v.abs() < 1e6);
    finite && b.width_px() >= 1.0 && b.height_px() >= 1.0 && (0.0..=1.0).contains(&detection.score)
}

/// Folds each candidate into a stronger one of its group that it overlaps.
fn merge_doubles(candidates: &mut Vec<Candidate>) {
    let mut kept = 0;
    for i in 0..candidates.len() {
        let candidate = candidates[i];
        let double = candidates[..kept]
            .iter_mut()
            .find(|k| k.group == candidate.group && k.bounding_box.iou(&candidate.bounding_box) > DOUBLE_IOU);
        match double {
            Some(stronger) => stronger.add_votes(&candidate),
            None => {
                candidates[kept] = candidate;
                kept += 1;
            }
        }
    }
    candidates.truncate(kept);
}

/// Joins two-wheelers with the persons on them.
fn merge_riders(candidates: &mut Vec<Candidate>) {
    for i in 0..candidates.len() {
        if candidates[i].group != Group::TwoWheeler || candidates[i].score <= 0.0 {
            continue;
        }
        let wheels = candidates[i].bounding_box;
        let rider = candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| c.group == Group::Person && sits_on(&c.bounding_box, &wheels))
            .max_by(|(i, a), (j, b)| a.score.total_cmp(&b.score).then(j.cmp(i)))
            .map(|(j, _)| j);
        let Some(j) = rider else { continue };
        let person = candidates[j];
        let joined = &mut candidates[i];
        joined.bounding_box = union(&wheels, &person.bounding_box);
        joined.add_votes(&person);
        if person.score > joined.score {
            (joined.score, joined.probability, joined.detection) = (person.score, person.probability, person.detection);
        }
        let whole = joined.bounding_box;
        // The rider, and doubles of the rider or of the wheels, are spoken for.
        for (k, other) in candidates.iter_mut().enumerate() {
            let part = matches!(other.group, Group::Person | Group::TwoWheeler)
                && intersection_px2(&other.bounding_box, &whole) > ABSORBED_SHARE * other.bounding_box.area_px2();
            if k == j || (k != i && part) {
                other.score = -1.0;
            }
        }
    }
    candidates.retain(|c| c.score > 0.0);
    candidates.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.detection.cmp(&b.detection)));
}

/// A rider's box overlaps the wheels', is centred over them and does not reach below them by much.
fn sits_on(person: &BoundingBox, wheels: &BoundingBox) -> bool {
    let centre = 0.5 * (person.x1_px + person.x2_px);
    let margin = 0.15 * wheels.width_px();
    let over = (wheels.x1_px - margin..=wheels.x2_px + margin).contains(&centre);
    let above = person.y1_px < wheels.y1_px + 0.3 * wheels.height_px()
        && person.y2_px < wheels.y2_px + 0.25 * wheels.height_px();
    // A "person" much wider than the wheels is a box around several things.
    let slim = person.width_px() < 1.6 * wheels.width_px();
    let shared = intersection_px2(person, wheels) > RIDER_OVERLAP * person.area_px2().min(wheels.area_px2());
    over && above && slim && shared
}

/// Area that two boxes share.
pub(crate) fn intersection_px2(a: &BoundingBox, b: &BoundingBox) -> f32 {
    let w = a.x2_px.min(b.x2_px) - a.x1_px.max(b.x1_px);
    let h = a.y2_px.min(b.y2_px) - a.y1_px.max(b.y1_px);
    w.max(0.0) * h.max(0.0)
}

fn union(a: &BoundingBox, b: &BoundingBox) -> BoundingBox {
    BoundingBox {
        x1_px: a.x1_px.min(b.x1_px),
        y1_px: a.y1_px.min(b.y1_px),
        x2_px: a.x2_px.max(b.x2_px),
        y2_px: a.y2_px.max(b.y2_px),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(class: ObjectClass, score: f32, [x1_px, y1_px, x2_px, y2_px]: [f32; 4]) -> Detection {
        Detection { bounding_box: BoundingBox { x1_px, y1_px, x2_px, y2_px }, class, score, appearance: None }
    }

    fn candidates(detections: &[Detection]) -> Vec<Candidate> {
        let mut out = Vec::with_capacity(64);
        collect(detections, &TrackerSettings::default(), &mut out);
        out
    }

    #[test]
    fn a_car_that_is_also_a_truck_is_one_candidate_with_two_votes() {
        let out = candidates(&[
            detection(ObjectClass::Car, 0.44, [382.0, 54.0, 465.0, 101.0]),
            detection(ObjectClass::Truck, 0.25, [382.0, 53.0, 453.0, 101.0]),
        ]);
        assert_eq!(out.len(), 1);
        assert_eq!(out[0].votes[ObjectClass::Car.index()], 0.44);
        assert_eq!(out[0].votes[ObjectClass::Truck.index()], 0.25);
    }

    #[test]
    fn a_cyclist_is_one_candidate_whatever_parts_are_seen() {
        // Frame 55 of the junction clip as YOLOX-Nano sees it: two persons and a bicycle, all one cyclist.
        let out = candidates(&[
            detection(ObjectClass::Person, 0.72, [476.0, 283.0, 544.0, 406.0]),
            detection(ObjectClass::Bicycle, 0.68, [437.0, 331.0, 563.0, 455.0]),
            detection(ObjectClass::Person, 0.57, [459.0, 287.0, 509.0, 404.0]),
        ]);
        assert_eq!(out.len(), 1, "{out:?}");
        assert_eq!(out[0].group, Group::TwoWheeler);
        assert_eq!(out[0].detection, 0);
        assert_eq!(out[0].bounding_box.y2_px, 455.0);
    }

    #[test]
    fn a_pedestrian_beside_a_bicycle_stays_one() {
        let out = candidates(&[
            detection(ObjectClass::Person, 0.7, [100.0, 100.0, 140.0, 220.0]),
            detection(ObjectClass::Bicycle, 0.6, [135.0, 160.0, 235.0, 225.0]),
        ]);
        assert_eq!(out.len(), 2);
    }

    #[test]
    fn malformed_detections_are_counted_not_tracked() {
        let mut out = Vec::with_capacity(64);
        let counts = collect(
            &[
                detection(ObjectClass::Car, 0.9, [f32::NAN, 0.0, 10.0, 10.0]),
                detection(ObjectClass::Car, 0.9, [10.0, 0.0, 0.0, 10.0]),
                detection(ObjectClass::Car, f32::INFINITY, [0.0, 0.0, 10.0, 10.0]),
            ],
            &TrackerSettings::default(),
            &mut out,
        );
        assert_eq!((out.len(), counts), (0, (3, 0)));
    }
}
