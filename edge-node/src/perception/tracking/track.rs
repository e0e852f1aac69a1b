//! One road user followed through the image.

use super::box_filter::{BoxFilter, BoxNoise};
use super::candidate::{Candidate, Group};
use super::look::Look;
use super::size_guard::SizeGuard;
use crate::event::EventId;
use masa_inference::{Appearance, BoundingBox, ObjectClass};
use masa_v2x_proto::time::Timestamp;

/// A two-wheeler's class wins the vote over "person" with this share of the votes: a rider's person is seen in every frame,
/// the wheels only in some.
const RIDER_SHARE: f32 = 0.15;

/// Weight of a vote for "motorcycle". Small detectors trained on COCO call a bicycle that comes towards the camera a motorcycle
/// about as often as a bicycle, and on streets where both drive bicycles are the more frequent.
const MOTORCYCLE_WEIGHT: f32 = 0.5;

/// Observations that a track remembers.
const REMEMBERED: usize = 16;

/// How far from where it was last observed a lost track is looked for: at once, more with each second, and at most; mean sides
/// of its box.
const REACH: f32 = 1.0;
const REACH_PER_S: f32 = 1.0;
const MOST_REACH: f32 = 6.0;
/// How many times as large or small it can have become.
const SIZE_RATIO: f32 = 1.8;

/// Identity of a frame: its event, number and capture time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameId {
    /// The event that brought it.
    pub event: EventId,
    /// Its running number in its source.
    pub frame: u64,
    /// When the shutter opened.
    pub captured_at: Timestamp,
}

/// One road user followed through the image.
#[derive(Clone, Debug)]
pub struct ImageTrack {
    /// Identity, from 1.
    pub track_id: u32,
    /// Frame in which it began.
    pub first: FrameId,
    /// Frame in which it was last detected.
    pub last: FrameId,
    /// Frames in which it was detected.
    pub hits: u32,
    /// Score of its last detection.
    pub score: f32,
    /// Index of its detection in the newest frame; `None` when not seen in it.
    pub detection: Option<u16>,
    /// Its box as last detected, edges that belong to something else put back.
    pub measured: BoundingBox,
    /// Standard deviation that putting back left to its left, top, right and lower edge, pixels: zero for edges as detected.
    pub doubt_px: [f64; 4],
    /// Share of its box that nearer tracks cover, as predicted to the newest frame.
    pub(crate) covered: f32,
    /// What it looks like.
    pub(crate) look: Look,
    /// Whether the newest frame found it again elsewhere than it was expected.
    pub(crate) is_elsewhere: bool,
    /// Probability of its surest detection.
    surest: f32,
    confirmed: bool,
    filter: BoxFilter,
    observations: Observations,
    size: SizeGuard,
    votes: [f32; ObjectClass::ALL.len()],
}

impl ImageTrack {
    pub(crate) fn new(track_id: u32, candidate: &Candidate, frame: FrameId, noise: &BoxNoise) -> Self {
        Self {
            track_id,
            first: frame,
            last: frame,
            hits: 1,
            score: candidate.score,
            detection: Some(candidate.detection),
            measured: candidate.bounding_box,
            doubt_px: [0.0; 4],
            covered: 0.0,
            look: Look::default(),
            is_elsewhere: false,
            surest: candidate.probability,
            confirmed: false,
            filter: BoxFilter::new(&candidate.bounding_box, noise),
            observations: Observations::new(frame.captured_at, candidate.bounding_box),
            size: SizeGuard::new(&candidate.bounding_box),
            votes: candidate.votes,
        }
    }

    pub(crate) fn predict(&mut self, dt_s: f64, noise: &BoxNoise) {
        self.is_elsewhere = false;
        if self.detection.take().is_none() {
            self.filter.hold_size();
        }
        self.filter.predict(dt_s, noise);
    }

    pub(crate) fn update(&mut self, candidate: &Candidate, frame: FrameId, image_size_px: [u32; 2], noise: &BoxNoise) {
        let dt_s = frame.captured_at.seconds_since(self.last.captured_at);
        let expected = self.filter.estimate();
        (self.measured, self.doubt_px) = self.size.check(&candidate.bounding_box, &expected, dt_s, image_size_px);
        self.filter.update(&candidate.bounding_box, noise);
        self.observations.push(frame.captured_at, candidate.bounding_box);
        self.last = frame;
        self.hits += 1;
        self.surest = self.surest.max(candidate.probability);
        self.score = candidate.score;
        self.detection = Some(candidate.detection);
        for (vote, more) in self.votes.iter_mut().zip(candidate.votes) {
            *vote += more;
        }
    }

    /// Takes what it looks like in a frame: before [`Self::update`] does.
    pub(crate) fn see(&mut self, appearance: Option<&Appearance>, frame: FrameId) {
        if let Some(appearance) = appearance {
            self.look.see(appearance, frame.captured_at.seconds_since(self.last.captured_at));
        }
    }

    /// Whether it was last seen longer ago than this: what is expected of it then is worth nothing.
    pub(crate) fn is_lost(&self, frame: FrameId, after_s: f64) -> bool {
        frame.captured_at.seconds_since(self.last.captured_at) > after_s
    }

    /// Whether it can have come from where it was last observed to a box of about its size.
    pub(crate) fn can_have_reached(&self, there: &BoundingBox, frame: FrameId) -> bool {
        let last = self.last_observed();
        let size_px = |b: &BoundingBox| 0.5 * (b.width_px() + b.height_px());
        let (from, to) = (centre(last), centre(there));
        let unseen_s = frame.captured_at.seconds_since(self.last.captured_at) as f32;
        let reach = (REACH + REACH_PER_S * unseen_s).min(MOST_REACH);
        let ratio = size_px(there) / size_px(last);
        (from[0] - to[0]).hypot(from[1] - to[1]) <= reach * size_px(last)
            && (1.0 / SIZE_RATIO..SIZE_RATIO).contains(&ratio)
    }

    /// Forgets where it was and how it moved: it was found elsewhere. [`Self::update`] follows.
    pub(crate) fn restart(&mut self, candidate: &Candidate, frame: FrameId, noise: &BoxNoise) {
        self.is_elsewhere = true;
        self.filter = BoxFilter::new(&candidate.bounding_box, noise);
        self.observations = Observations::new(frame.captured_at, candidate.bounding_box);
        self.size = SizeGuard::new(&candidate.bounding_box);
    }

    /// Confirms it once as many detections speak for it, one of them as probable.
    pub(crate) fn confirm_after(&mut self, hits: u32, surest: f32) {
        self.confirmed |= self.hits >= hits && self.surest >= surest;
    }

    /// Whether enough detections speak for it.
    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// The tracker's estimate of its box in the newest frame.
    pub fn bounding_box(&self) -> BoundingBox {
        self.filter.estimate()
    }

    /// Standard deviation of its left, top, right and lower edge in the newest frame, pixels.
    pub(crate) fn deviation_px(&self) -> [f64; 4] {
        self.filter.deviation_px()
    }

    /// The box in which it was last observed.
    pub(crate) fn last_observed(&self) -> &BoundingBox {
        self.observations.at(0).1
    }

    /// Motion of the observed box's centre over the last `over_s`, or as much of it as is remembered, pixels.
    pub(crate) fn observed_motion(&self, over_s: f64) -> Option<[f32; 2]> {
        let (last_at, last) = self.observations.at(0);
        let known = self.observations.len();
        let back = (1..known).find(|back| last_at.seconds_since(self.observations.at(*back).0) >= over_s - 1e-3);
        let first = centre(self.observations.at(back.or(known.checked_sub(1).filter(|oldest| *oldest > 0))?).1);
        let last = centre(last);
        Some([last[0] - first[0], last[1] - first[1]])
    }

    /// The voted class and its share of the votes.
    pub fn class(&self) -> (ObjectClass, f32) {
        let total: f32 = self.votes.iter().sum();
        let weight = |class| if class == ObjectClass::Motorcycle { MOTORCYCLE_WEIGHT } else { 1.0 };
        let of_group = |group: Group| {
            let votes = ObjectClass::ALL.iter().filter(move |c| Group::of(**c) == group).map(|c| self.votes[c.index()]);
            votes.sum::<f32>()
        };
        let two_wheeler = of_group(Group::TwoWheeler);
        let rider = two_wheeler > RIDER_SHARE * (two_wheeler + of_group(Group::Person));
        let mut best = (ObjectClass::Obstacle, -1.0);
        for class in ObjectClass::ALL {
            let vote = weight(class) * self.votes[class.index()];
            let outvoted = rider && class == ObjectClass::Person;
            if vote > best.1 && !outvoted {
                best = (class, vote);
            }
        }
        // A rider's person votes speak for the rider.
        let person = if rider && Group::of(best.0) == Group::TwoWheeler { of_group(Group::Person) } else { 0.0 };
        (best.0, ((best.1 + person) / total).clamp(0.0, 1.0))
    }

    /// Share of each class in the vote, as [`Self::class`] counts it; together 1.
    pub fn class_shares(&self) -> [f32; ObjectClass::ALL.len()] {
        let (class, _) = self.class();
        let mut shares = self.votes;
        shares[ObjectClass::Motorcycle.index()] *= MOTORCYCLE_WEIGHT;
        if Group::of(class) == Group::TwoWheeler {
            shares[class.index()] += std::mem::take(&mut shares[ObjectClass::Person.index()]);
        }
        let total: f32 = shares.iter().sum();
        shares.map(|share| if total > 0.0 { share / total } else { 0.0 })
    }

    /// The kind of road user that the votes speak for.
    pub(crate) fn group(&self) -> Group {
        Group::of(self.class().0)
    }
}

/// The last observed boxes with their capture times, in a ring.
#[derive(Clone, Copy, Debug)]
struct Observations {
    ring: [(Timestamp, BoundingBox); REMEMBERED],
    pushed: usize,
}

impl Observations {
    fn new(at: Timestamp, seen: BoundingBox) -> Self {
        Self { ring: [(at, seen); REMEMBERED], pushed: 1 }
    }

    fn push(&mut self, at: Timestamp, seen: BoundingBox) {
        self.ring[self.pushed % REMEMBERED] = (at, seen);
        self.pushed += 1;
    }

    fn len(&self) -> usize {
        self.pushed.min(REMEMBERED)
    }

    /// The observation `back` before the last one; less than [`Self::len`].
    fn at(&self, back: usize) -> (Timestamp, &BoundingBox) {
        let (at, seen) = &self.ring[(self.pushed - 1 - back) % REMEMBERED];
        (*at, seen)
    }
}

pub(crate) fn centre(b: &BoundingBox) -> [f32; 2] {
    [0.5 * (b.x1_px + b.x2_px), 0.5 * (b.y1_px + b.y2_px)]
}
