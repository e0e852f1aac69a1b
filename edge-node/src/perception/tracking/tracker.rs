//! The tracker: association and track life.

use super::assignment::Assignment;
use super::candidate::{self, Candidate, Group, intersection_px2};
use super::settings::{Birth, ClassGate, Likeness, Momentum, Occlusion, Recovery, TrackerSettings};
use super::track::{FrameId, ImageTrack};
use masa_inference::{BoundingBox, Detection};

/// Least likeness of a strong detection.
const STRONG_LIKENESS: f32 = 0.15;
/// Least likeness of a weak detection: it may only continue a track that is where it was expected.
const WEAK_LIKENESS: f32 = 0.5;
/// Least likeness of a strong detection and the last observation of a track that was lost.
const RECOVERY_LIKENESS: f32 = 0.3;
/// Least likeness of a strong detection and a track that is not yet confirmed.
const TENTATIVE_LIKENESS: f32 = 0.3;
/// What the direction of motion may cost before a pair of little likeness is given up.
const MOMENTUM_SLACK: f32 = 0.1;
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
            assignment: Assignment::with_capacity(settings.max_tracks, settings.max_detections),
            ended: Vec::with_capacity(settings.max_tracks),
            settings,
        }
    }

    /// Tracks, tentative ones included, by identity.
    pub fn tracks(&self) -> &[ImageTrack] {
        &self.tracks
    }

    /// The confirmed tracks that are in the newest frame's picture: those detected in it, and for a while those that
    /// something nearer hides.
    pub fn shown(&self) -> impl Iterator<Item = &ImageTrack> {
        let (now, occlusion) = (self.previous.map(|f| f.captured_at), self.settings.occlusion);
        let hidden = move |t: &ImageTrack| match (occlusion, now) {
            (Occlusion::SceneGeometry { cover, expose_s }, Some(now)) => {
                t.covered >= cover && now.seconds_since(t.last.captured_at) <= expose_s
            }
            _ => false,
        };
        self.tracks.iter().filter(move |t| t.is_confirmed() && (t.detection.is_some() || hidden(t)))
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
            track.predict(dt_s, self.settings.noise_of(track.group()));
        }
        let (malformed, excess) = candidate::collect(detections, &self.settings, &mut self.candidates);
        self.counters.malformed_detections += malformed;
        self.counters.excess_detections += excess;

        self.find_covered();
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

    /// Finds of each track how much of it those cover that are nearer.
    fn find_covered(&mut self) {
        if self.settings.occlusion == Occlusion::Ignore {
            return;
        }
        for index in 0..self.tracks.len() {
            let b = self.tracks[index].bounding_box();
            let nearer = self.tracks.iter().filter(|t| t.is_confirmed()).map(ImageTrack::bounding_box);
            let most = nearer.filter(|n| n.y2_px > b.y2_px).map(|n| intersection_px2(&n, &b)).fold(0.0, f32::max);
            self.tracks[index].covered = most / b.area_px2().max(1.0);
        }
    }

    fn associate(&mut self, frame: FrameId, image_size_px: [u32; 2]) {
        self.open_tracks.clear();
        self.open_tracks.extend(0..self.tracks.len());
        self.open_candidates.clear();
        self.open_candidates.extend(0..self.candidates.len());

        let s = &self.settings;
        let (high, weak_gap_s, recovery) = (s.high_probability, s.weak_gap_s, s.recovery);
        let expected = Round { likeness: s.likeness, least: STRONG_LIKENESS, momentum: s.momentum, by: By::Prediction };
        let alone = Round { momentum: Momentum::Off, ..expected };
        let weak = Round { likeness: Likeness::Iou, least: WEAK_LIKENESS, ..alone };
        let observed = Round { least: RECOVERY_LIKENESS, by: By::LastObservation, ..alone };
        let tentative = Round { least: TENTATIVE_LIKENESS, ..alone };

        let at = (frame, image_size_px);
        let is_fresh = |t: &ImageTrack| frame.captured_at.seconds_since(t.last.captured_at) <= weak_gap_s;
        self.round(at, expected, |t| t.is_confirmed(), |c| c.probability >= high);
        self.round(at, weak, |t| t.is_confirmed() && is_fresh(t), |c| c.probability < high);
        if recovery == Recovery::LastObservation {
            self.round(at, observed, |t| t.is_confirmed(), |c| c.probability >= high);
        }
        self.round(at, tentative, |t| !t.is_confirmed(), |c| c.probability >= high);
    }

    /// One round of association among the tracks and candidates that are still open and wanted.
    fn round(
        &mut self,
        (frame, image_size_px): (FrameId, [u32; 2]),
        round: Round,
        track_wanted: impl Fn(&ImageTrack) -> bool,
        candidate_wanted: impl Fn(&Candidate) -> bool,
    ) {
        self.rows.clear();
        self.rows.extend(self.open_tracks.iter().copied().filter(|i| track_wanted(&self.tracks[*i])));
        self.columns.clear();
        self.columns.extend(self.open_candidates.iter().copied().filter(|j| candidate_wanted(&self.candidates[*j])));
        if self.rows.is_empty() || self.columns.is_empty() {
            return;
        }
        self.assignment.begin(self.rows.len(), self.columns.len(), 1.0 - round.least + MOMENTUM_SLACK);
        for (row, i) in self.rows.iter().enumerate() {
            let (track, group) = (&self.tracks[*i], self.tracks[*i].group());
            let from = match round.by {
                By::Prediction => track.bounding_box(),
                By::LastObservation => *track.last_observed(),
            };
            for (column, j) in self.columns.iter().enumerate() {
                let candidate = &self.candidates[*j];
                let likeness = round.likeness.of(&from, &candidate.bounding_box);
                if likeness >= round.least && may_follow(self.settings.class_gate, group, candidate.group) {
                    let turn = round.momentum.cost(track, &candidate.bounding_box);
                    self.assignment.set(row, column, 1.0 - likeness + turn * candidate.probability);
                }
            }
        }
        for (row, column) in self.assignment.solve() {
            let track = &mut self.tracks[self.rows[*row]];
            let candidate = &mut self.candidates[self.columns[*column]];
            candidate.is_taken = true;
            track.update(candidate, frame, image_size_px, self.settings.noise_of(track.group()));
            track.confirm_after(self.settings.confirm_hits, self.settings.new_track_probability);
        }
        let (tracks, candidates) = (&self.tracks, &self.candidates);
        self.open_tracks.retain(|i| tracks[*i].detection.is_none());
        self.open_candidates.retain(|j| !candidates[*j].is_taken);
    }

    fn begin_tracks(&mut self, frame: FrameId) {
        let least = match self.settings.birth {
            Birth::SureFirst => self.settings.new_track_probability,
            Birth::SureOnce => self.settings.high_probability,
        };
        for j in &self.open_candidates {
            let candidate = &self.candidates[*j];
            if candidate.probability < least {
                continue;
            }
            if self.tracks.len() >= self.settings.max_tracks {
                self.counters.excess_tracks += 1;
                continue;
            }
            let mut track = ImageTrack::new(self.next_id, candidate, frame, self.settings.noise_of(candidate.group));
            track.confirm_after(self.settings.confirm_hits, self.settings.new_track_probability);
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

/// How one round of association compares.
#[derive(Clone, Copy)]
struct Round {
    likeness: Likeness,
    least: f32,
    momentum: Momentum,
    by: By,
}

/// Which box of a track is compared with detections.
#[derive(Clone, Copy)]
enum By {
    Prediction,
    LastObservation,
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

fn has_left(b: &BoundingBox, [width, height]: [u32; 2]) -> bool {
    let w = b.x2_px.min(width as f32) - b.x1_px.max(0.0);
    let h = b.y2_px.min(height as f32) - b.y1_px.max(0.0);
    w.max(0.0) * h.max(0.0) < VISIBLE_SHARE * b.area_px2()
}

#[cfg(test)]
mod tests;
