//! The tracker: association and track life.

use super::assignment::Assignment;
use super::candidate::{self, Candidate, Group};
use super::settings::{ClassGate, TrackerSettings};
use super::track::{FrameId, ImageTrack};
use masa_inference::{BoundingBox, Detection};

/// Least likeness of a strong detection in the first round.
const FIRST_LIKENESS: f32 = 0.2;
/// Least likeness of a weak detection: it may only continue a track that is where it was expected.
const WEAK_LIKENESS: f32 = 0.4;
/// Least likeness of a strong detection in the second round, with boxes grown further.
const SECOND_LIKENESS: f32 = 0.15;
/// Two tracks that overlap more than this follow the same thing.
const DOUBLE_IOU: f32 = 0.85;
/// A coasting track of which less than this share is within the image has left.
const VISIBLE_SHARE: f32 = 0.3;

/// What the tracker left out, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackerCounters {
    /// Detections with a box or score that is no box or score.
    pub malformed_detections: u64,
    /// Detections beyond `max-detections`.
    pub excess_detections: u64,
    /// Tracks that were not begun for want of room.
    pub excess_tracks: u64,
    /// Frames not newer than the one before.
    pub late_frames: u64,
}

/// Tracker of one camera.
#[derive(Clone, Debug)]
pub struct Tracker {
    settings: TrackerSettings,
    tracks: Vec<ImageTrack>,
    next_id: u32,
    previous: Option<FrameId>,
    counters: TrackerCounters,
    candidates: Vec<Candidate>,
    open_tracks: Vec<usize>,
    open_candidates: Vec<usize>,
    rows: Vec<usize>,
    columns: Vec<usize>,
    assignment: Assignment,
    ended: Vec<ImageTrack>,
}

impl Tracker {
    /// A tracker without tracks.
    pub fn new(settings: TrackerSettings) -> Self {
        Self {
            tracks: Vec::with_capacity(settings.max_tracks),
            candidates: Vec::with_capacity(settings.max_detections),
            next_id: 1,
            previous: None,
            counters: TrackerCounters::default(),
            open_tracks: Vec::with_capacity(settings.max_tracks),
            open_candidates: Vec::with_capacity(settings.max_detections),
            rows: Vec::with_capacity(settings.max_tracks),
            columns: Vec::with_capacity(settings.max_detections),
            assignment: Assignment::default(),
            ended: Vec::with_capacity(settings.max_tracks),
            settings,
        }
    }

    /// Tracks, tentative ones included, by identity.
    pub fn tracks(&self) -> &[ImageTrack] {
        &self.tracks
    }

    /// Tracks, tentative ones included, that ended with the newest frame.
    pub fn ended(&self) -> &[ImageTrack] {
        &self.ended
    }

    /// What was left out since the beginning.
    pub fn counters(&self) -> TrackerCounters {
        self.counters
    }

    /// Takes the detections of the next frame; `false` if it is not newer than the one before and was left out.
    pub fn update(&mut self, frame: FrameId, image_size_px: [u32; 2], detections: &[Detection]) -> bool {
        let dt_s = match self.previous {
            Some(previous) if previous.captured_at >= frame.captured_at => {
                self.counters.late_frames += 1;
                return false;
            }
            Some(previous) => frame.captured_at.seconds_since(previous.captured_at),
            None => 0.0,
        };
        self.previous = Some(frame);
        self.ended.clear();
        // What nobody could still recognise must not be predicted over an hour's gap.
        self.end(|track, settings| frame.captured_at.seconds_since(track.last.captured_at) > settings.retain_s);
        for track in &mut self.tracks {
            track.predict(dt_s, &self.settings.noise);
        }
        let (malformed, excess) = candidate::collect(detections, &self.settings, &mut self.candidates);
        self.counters.malformed_detections += malformed;
        self.counters.excess_detections += excess;

        self.associate(frame, image_size_px);
        self.begin_tracks(frame);
        self.end_doubles();
        self.end(|track, settings| {
            let unseen_s = frame.captured_at.seconds_since(track.last.captured_at);
            let forgotten = !track.is_confirmed() && unseen_s > settings.tentative_gap_s;
            forgotten || (track.detection.is_none() && has_left(&track.bounding_box(), image_size_px))
        });
        true
    }

    fn associate(&mut self, frame: FrameId, image_size_px: [u32; 2]) {
        let at = (frame, image_size_px);
        self.open_tracks.clear();
        self.open_tracks.extend(0..self.tracks.len());
        self.open_candidates.clear();
        self.open_candidates.extend(0..self.candidates.len());

        let (first, second) = self.settings.likeness.rounds();
        let high = self.settings.high_score;
        let seen_lately = |t: &ImageTrack, gap_s: f64| frame.captured_at.seconds_since(t.last.captured_at) <= gap_s;
        let gap_s = self.settings.tentative_gap_s;
        self.round(at, first, FIRST_LIKENESS, |t| t.is_confirmed(), |c| c.score >= high);
        self.round(at, 0.0, WEAK_LIKENESS, |t| t.is_confirmed() && seen_lately(t, gap_s), |c| c.score < high);
        if let Some(second) = second {
            self.round(at, second, SECOND_LIKENESS, |t| t.is_confirmed(), |c| c.score >= high);
        }
        self.round(at, second.unwrap_or(first), FIRST_LIKENESS, |t| !t.is_confirmed(), |c| c.score >= high);
        self.round(at, 0.0, WEAK_LIKENESS, |t| !t.is_confirmed(), |c| c.score < high);
    }

    /// One round of association among the tracks and candidates that are still open and wanted.
    fn round(
        &mut self,
        (frame, image_size_px): (FrameId, [u32; 2]),
        growth: f32,
        least_likeness: f32,
        track_wanted: impl Fn(&ImageTrack) -> bool,
        candidate_wanted: impl Fn(&Candidate) -> bool,
    ) {
        self.rows.clear();
        self.rows.extend(self.open_tracks.iter().copied().filter(|i| track_wanted(&self.tracks[*i])));
        self.columns.clear();
        self.columns.extend(self.open_candidates.iter().copied().filter(|j| candidate_wanted(&self.candidates[*j])));
        self.assignment.begin(self.rows.len(), self.columns.len(), 1.0 - least_likeness);
        for (row, i) in self.rows.iter().enumerate() {
            let track = &self.tracks[*i];
            let (expected, group) = (grown(&track.bounding_box(), growth), track.group());
            for (column, j) in self.columns.iter().enumerate() {
                let candidate = &self.candidates[*j];
                if may_follow(self.settings.class_gate, group, candidate.group) {
                    let cost = 1.0 - expected.iou(&grown(&candidate.bounding_box, growth));
                    self.assignment.set(row, column, cost);
                }
            }
        }
        for (row, column) in self.assignment.solve() {
            let track = &mut self.tracks[self.rows[*row]];
            track.update(&self.candidates[self.columns[*column]], frame, image_size_px, &self.settings.noise);
            if track.hits >= self.settings.confirm_hits {
                track.confirm();
            }
        }
        let (tracks, candidates) = (&self.tracks, &self.candidates);
        self.open_tracks.retain(|i| tracks[*i].detection.is_none());
        let taken = |j: &usize| tracks.iter().any(|t| t.detection == Some(candidates[*j].detection));
        self.open_candidates.retain(|j| !taken(j));
    }

    fn begin_tracks(&mut self, frame: FrameId) {
        for j in &self.open_candidates {
            let candidate = &self.candidates[*j];
            if candidate.score < self.settings.new_track_score {
                continue;
            }
            if self.tracks.len() >= self.settings.max_tracks {
                self.counters.excess_tracks += 1;
                continue;
            }
            let mut track = ImageTrack::new(self.next_id, candidate, frame, &self.settings.noise);
            if self.settings.confirm_hits <= 1 {
                track.confirm();
            }
            self.next_id += 1;
            self.tracks.push(track);
        }
    }

    /// Ends the one with the shorter history of two tracks that follow the same thing, where one of them is not seen.
    fn end_doubles(&mut self) {
        for younger in (1..self.tracks.len()).rev() {
            let track = &self.tracks[younger];
            let (b, group) = (track.bounding_box(), track.group());
            let double = self.tracks[..younger].iter().position(|older| {
                let both_seen = older.detection.is_some() && track.detection.is_some();
                !both_seen && older.group() == group && older.bounding_box().iou(&b) > DOUBLE_IOU
            });
            if let Some(older) = double {
                let shorter = if self.tracks[older].hits < track.hits { older } else { younger };
                let track = self.tracks.remove(shorter);
                self.ended.push(track);
            }
        }
    }

    fn end(&mut self, over: impl Fn(&ImageTrack, &TrackerSettings) -> bool) {
        let (settings, ended) = (&self.settings, &mut self.ended);
        self.tracks.retain(|track| {
            let keep = !over(track, settings);
            if !keep {
                ended.push(track.clone());
            }
            keep
        });
    }
}

fn may_follow(gate: ClassGate, track: Group, candidate: Group) -> bool {
    let road_user = |group| match group {
        Group::Person | Group::TwoWheeler => Some(true),
        Group::Vehicle => Some(false),
        Group::Other => None,
    };
    match (gate, road_user(track), road_user(candidate)) {
        (ClassGate::RoadUser, Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn grown(b: &BoundingBox, share: f32) -> BoundingBox {
    let (dx, dy) = (share * b.width_px(), share * b.height_px());
    BoundingBox { x1_px: b.x1_px - dx, y1_px: b.y1_px - dy, x2_px: b.x2_px + dx, y2_px: b.y2_px + dy }
}

fn has_left(b: &BoundingBox, [width, height]: [u32; 2]) -> bool {
    let w = b.x2_px.min(width as f32) - b.x1_px.max(0.0);
    let h = b.y2_px.min(height as f32) - b.y1_px.max(0.0);
    w.max(0.0) * h.max(0.0) < VISIBLE_SHARE * b.area_px2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventId, SourceId};
    use masa_inference::ObjectClass;
    use masa_v2x_proto::time::Timestamp;

    fn frame(ms: i64) -> FrameId {
        let event = EventId { source: SourceId(1), seq: ms as u64 };
        FrameId { event, frame: ms as u64, captured_at: Timestamp::from_unix_ms(ms) }
    }

    fn detection(class: ObjectClass, score: f32, x: f32, y: f32) -> Detection {
        let bounding_box = BoundingBox { x1_px: x, y1_px: y, x2_px: x + 60.0, y2_px: y + 40.0 };
        Detection { bounding_box, class, score }
    }

    fn run(step_ms: i64, scene: impl Fn(i64) -> Vec<Detection>) -> Tracker {
        let mut tracker = Tracker::new(TrackerSettings::default());
        for ms in (0..2000).step_by(step_ms as usize) {
            assert!(tracker.update(frame(ms), [800, 600], &scene(ms)));
        }
        tracker
    }

    #[test]
    fn two_cars_that_meet_keep_their_identities_at_any_frame_rate() {
        for step_ms in [33, 50, 100, 200] {
            let tracker = run(step_ms, |ms| {
                let x = ms as f32 * 0.25;
                vec![detection(ObjectClass::Car, 0.8, x, 100.0), detection(ObjectClass::Car, 0.8, 480.0 - x, 125.0)]
            });
            let last: Vec<_> = tracker.tracks().iter().map(|t| (t.track_id, t.bounding_box().x1_px > 240.0)).collect();
            assert_eq!(last, [(1, true), (2, false)], "{step_ms} ms");
        }
    }

    #[test]
    fn a_doubtful_detector_does_not_end_a_track_and_its_classes_are_voted() {
        let tracker = run(50, |ms| {
            let score = if ms % 400 < 200 { 0.7 } else { 0.15 };
            let class = if ms % 150 == 0 { ObjectClass::Truck } else { ObjectClass::Car };
            vec![detection(class, score, ms as f32 * 0.1, 100.0)]
        });
        assert_eq!(tracker.tracks().len(), 1);
        assert_eq!(tracker.tracks()[0].class().0, ObjectClass::Car);
        assert_eq!(tracker.tracks()[0].hits, 40);
    }

    #[test]
    fn an_identity_survives_a_gap_and_ends_after_it() {
        let mut tracker = Tracker::new(TrackerSettings::default());
        let car = |ms: i64| [detection(ObjectClass::Car, 0.8, ms as f32 * 0.05, 100.0)];
        for ms in (0..1000).step_by(50) {
            tracker.update(frame(ms), [800, 600], &car(ms));
        }
        for ms in (1000..2500).step_by(50) {
            tracker.update(frame(ms), [800, 600], &[]);
        }
        assert_eq!(tracker.tracks()[0].detection, None);
        tracker.update(frame(2500), [800, 600], &car(2500));
        assert_eq!(tracker.tracks()[0].track_id, 1);
        assert_eq!(tracker.tracks()[0].detection, Some(0));
        tracker.update(frame(60_000), [800, 600], &car(0));
        assert_eq!(tracker.ended()[0].track_id, 1);
        assert_eq!(tracker.tracks()[0].track_id, 2);
    }

    #[test]
    fn a_car_that_leaves_the_image_ends() {
        let tracker = run(50, |ms| {
            let x = 400.0 + ms as f32 * 0.4;
            if x < 760.0 { vec![detection(ObjectClass::Car, 0.8, x, 100.0)] } else { vec![] }
        });
        assert!(tracker.tracks().is_empty());
    }

    #[test]
    fn one_flash_of_the_detector_is_no_track() {
        let tracker = run(50, |ms| if ms == 500 { vec![detection(ObjectClass::Car, 0.9, 9.0, 9.0)] } else { vec![] });
        assert!(tracker.tracks().is_empty());
        assert_eq!(tracker.next_id, 2);
    }

    #[test]
    fn late_frames_and_excess_are_counted() {
        let settings = TrackerSettings { max_tracks: 1, max_detections: 2, ..TrackerSettings::default() };
        let mut tracker = Tracker::new(settings);
        let scene: Vec<_> = (0..3).map(|i| detection(ObjectClass::Car, 0.9, 100.0 * i as f32, 10.0)).collect();
        assert!(tracker.update(frame(100), [800, 600], &scene));
        assert!(!tracker.update(frame(100), [800, 600], &scene));
        let counters = tracker.counters();
        assert_eq!((counters.excess_detections, counters.excess_tracks, counters.late_frames), (1, 1, 1));
        assert_eq!(tracker.tracks().len(), 1);
    }

    #[test]
    fn a_person_does_not_become_a_car() {
        let tracker = run(50, |ms| {
            let class = if ms < 1000 { ObjectClass::Person } else { ObjectClass::Car };
            vec![detection(class, 0.9, 100.0, 100.0)]
        });
        assert_eq!(tracker.tracks().len(), 2);
    }
}
