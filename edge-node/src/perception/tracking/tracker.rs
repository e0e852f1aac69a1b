//! The tracker: association and track life.

use super::assignment::Assignment;
use super::candidate::{self, Candidate, Group, intersection_px2};
use super::settings::{Appearance, Birth, ClassGate, Likeness, Momentum, Occlusion, Recovery, TrackerSettings};
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
/// A lost track is found again only by a look that contrasts less than this with its own.
const AGAIN_CONTRAST: f32 = -0.2;
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
        self.end(|track, settings| {
            let kept_s = if track.is_confirmed() { settings.kept_s() } else { settings.retain_s };
            frame.captured_at.seconds_since(track.last.captured_at) > kept_s
        });
        for track in &mut self.tracks {
            track.predict(dt_s, self.settings.noise_of(track.group()));
        }
        let (malformed, excess) = candidate::collect(detections, &self.settings, &mut self.candidates);
        self.counters.malformed_detections += malformed;
        self.counters.excess_detections += excess;

        self.find_covered(frame);
        self.associate(At { frame, image_size_px, detections });
        self.begin_tracks(frame, detections);
        self.end_doubles(frame);
        self.end(|track, settings| {
            let unseen_s = frame.captured_at.seconds_since(track.last.captured_at);
            let forgotten = !track.is_confirmed() && unseen_s > settings.tentative_gap_s;
            let expected = track.detection.is_none() && unseen_s <= settings.retain_s;
            forgotten || (expected && has_left(&track.bounding_box(), image_size_px))
        });
        true
    }

    /// Finds of each track how much of it those cover that are nearer.
    fn find_covered(&mut self, frame: FrameId) {
        if self.settings.occlusion == Occlusion::Ignore {
            return;
        }
        let retain_s = self.settings.retain_s;
        for index in 0..self.tracks.len() {
            let b = self.tracks[index].bounding_box();
            let nearer = self
                .tracks
                .iter()
                .filter(|t| t.is_confirmed() && !t.is_lost(frame, retain_s))
                .map(ImageTrack::bounding_box);
            let most = nearer.filter(|n| n.y2_px > b.y2_px).map(|n| intersection_px2(&n, &b)).fold(0.0, f32::max);
            self.tracks[index].covered = most / b.area_px2().max(1.0);
        }
    }

    fn associate(&mut self, at: At) {
        self.open_tracks.clear();
        self.open_tracks.extend(0..self.tracks.len());
        self.open_candidates.clear();
        self.open_candidates.extend(0..self.candidates.len());

        let s = &self.settings;
        let (high, weak_gap_s, retain_s, recovery) = (s.high_probability, s.weak_gap_s, s.retain_s, s.recovery);
        let re_identify = matches!(s.appearance, Appearance::ReIdentify { .. });
        let expected = Round {
            by: By::Prediction,
            likeness: s.likeness,
            least: STRONG_LIKENESS,
            momentum: s.momentum,
            looks: s.appearance.weight(),
        };
        let alone = Round { momentum: Momentum::Off, ..expected };
        let weak = Round { likeness: Likeness::Iou, least: WEAK_LIKENESS, ..alone };
        let observed = Round { least: RECOVERY_LIKENESS, by: By::LastObservation, ..alone };
        let again = Round { by: By::Look, ..alone };
        let tentative = Round { least: TENTATIVE_LIKENESS, ..alone };

        let frame = at.frame;
        let is_near = |t: &ImageTrack| t.is_confirmed() && !t.is_lost(frame, retain_s);
        let is_fresh = |t: &ImageTrack| t.is_confirmed() && !t.is_lost(frame, weak_gap_s);
        self.round(at, expected, is_near, |c| c.probability >= high);
        self.round(at, weak, is_fresh, |c| c.probability < high);
        if recovery == Recovery::LastObservation {
            self.round(at, observed, is_near, |c| c.probability >= high);
        }
        if re_identify {
            self.round(at, again, ImageTrack::is_confirmed, |c| c.probability >= high);
        }
        self.round(at, tentative, |t| !t.is_confirmed(), |c| c.probability >= high);
    }

    /// One round of association among the tracks and candidates that are still open and wanted.
    fn round(
        &mut self,
        at: At,
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
        self.assignment.begin(self.rows.len(), self.columns.len(), round.limit());
        for (row, i) in self.rows.iter().enumerate() {
            let (track, group) = (&self.tracks[*i], self.tracks[*i].group());
            for (column, j) in self.columns.iter().enumerate() {
                let candidate = &self.candidates[*j];
                if let Some(cost) = round.cost(track, candidate, at)
                    && may_follow(self.settings.class_gate, group, candidate.group)
                {
                    self.assignment.set(row, column, cost);
                }
            }
        }
        for (row, column) in self.assignment.solve() {
            let track = &mut self.tracks[self.rows[*row]];
            let candidate = &mut self.candidates[self.columns[*column]];
            candidate.is_taken = true;
            let noise = self.settings.noise_of(track.group());
            if round.by == By::Look {
                track.restart(candidate, at.frame, noise);
            }
            if candidate.probability >= self.settings.high_probability {
                track.see(at.appearance(candidate), at.frame);
            }
            track.update(candidate, at.frame, at.image_size_px, noise);
            track.confirm_after(self.settings.confirm_hits, self.settings.new_track_probability);
        }
        let (tracks, candidates) = (&self.tracks, &self.candidates);
        self.open_tracks.retain(|i| tracks[*i].detection.is_none());
        self.open_candidates.retain(|j| !candidates[*j].is_taken);
    }

    fn begin_tracks(&mut self, frame: FrameId, detections: &[Detection]) {
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
                // Who was lost long ago makes room.
                let lost = self.tracks.iter().position(|t| t.is_lost(frame, self.settings.retain_s));
                let Some(lost) = lost else {
                    self.counters.excess_tracks += 1;
                    continue;
                };
                self.ended.push(self.tracks.remove(lost));
            }
            let mut track = ImageTrack::new(self.next_id, candidate, frame, self.settings.noise_of(candidate.group));
            track.see(detections[usize::from(candidate.detection)].appearance.as_ref(), frame);
            track.confirm_after(self.settings.confirm_hits, self.settings.new_track_probability);
            self.next_id += 1;
            self.tracks.push(track);
        }
    }

    /// Ends the one with the shorter history of two tracks that follow the same thing, where one of them is not seen.
    fn end_doubles(&mut self, frame: FrameId) {
        let retain_s = self.settings.retain_s;
        for younger in (1..self.tracks.len()).rev() {
            let track = &self.tracks[younger];
            let (b, group) = (track.bounding_box(), track.group());
            let double = self.tracks[..younger].iter().position(|older| {
                let both_seen = older.detection.is_some() && track.detection.is_some();
                let either_lost = older.is_lost(frame, retain_s) || track.is_lost(frame, retain_s);
                !both_seen && !either_lost && older.group() == group && older.bounding_box().iou(&b) > DOUBLE_IOU
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

/// A frame with what was found in it.
#[derive(Clone, Copy)]
struct At<'a> {
    frame: FrameId,
    image_size_px: [u32; 2],
    detections: &'a [Detection],
}

impl<'a> At<'a> {
    fn appearance(self, candidate: &Candidate) -> Option<&'a masa_inference::Appearance> {
        self.detections.get(usize::from(candidate.detection))?.appearance.as_ref()
    }
}

/// How one round of association compares.
#[derive(Clone, Copy)]
struct Round {
    by: By,
    likeness: Likeness,
    least: f32,
    momentum: Momentum,
    /// Weight of looks.
    looks: f32,
}

/// What of a track is compared with detections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// Where it is expected.
    Prediction,
    /// Where it was last observed.
    LastObservation,
    /// What it looks like, within reach of where it was last observed.
    Look,
}

impl Round {
    /// What leaving a track without a detection costs.
    fn limit(self) -> f32 {
        match self.by {
            By::Look => AGAIN_CONTRAST,
            // So much that looks alone forbid no pair.
            By::Prediction | By::LastObservation => 1.0 - self.least + MOMENTUM_SLACK + self.looks,
        }
    }

    /// What a pair costs; `None` for one that cannot be.
    fn cost(self, track: &ImageTrack, candidate: &Candidate, at: At) -> Option<f32> {
        let contrast = || track.look.contrast(at.appearance(candidate)?);
        let from = match self.by {
            By::Look => return contrast().filter(|_| track.can_have_reached(&candidate.bounding_box, at.frame)),
            By::Prediction => track.bounding_box(),
            By::LastObservation => *track.last_observed(),
        };
        let likeness = self.likeness.of(&from, &candidate.bounding_box);
        if likeness < self.least {
            return None;
        }
        let turn = self.momentum.cost(track, &candidate.bounding_box);
        let looks = if self.looks > 0.0 { self.looks * contrast().unwrap_or(0.0) } else { 0.0 };
        Some(1.0 - likeness + turn * candidate.probability + looks)
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

fn has_left(b: &BoundingBox, [width, height]: [u32; 2]) -> bool {
    let w = b.x2_px.min(width as f32) - b.x1_px.max(0.0);
    let h = b.y2_px.min(height as f32) - b.y1_px.max(0.0);
    w.max(0.0) * h.max(0.0) < VISIBLE_SHARE * b.area_px2()
}

#[cfg(test)]
mod tests;
