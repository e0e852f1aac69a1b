//! One road user: the best estimate of its state, the evidence for it, and how it has moved.

mod evidence;
mod quality;
mod standing;

pub use evidence::{Sight, Told};
pub use quality::PerceptionQuality;
pub(crate) use standing::MotionThresholds;

use super::fusion::{Estimator, FusionSettings, Place, Report, Teller};
use crate::event::SourceId;
use crate::perception::ground::extent_of;
use crate::perception::{CalibratedArea, GroundTrack, TrackState};
use heapless::HistoryBuf;
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use standing::Standing;

/// Positions kept for the trail of an object.
pub const TRAIL_CAPACITY: usize = 100;
/// Most cameras that are known to see one object.
pub const MAX_SIGHTS: usize = 8;
/// Most stations that are known to tell of one object.
pub const MAX_TOLD: usize = 4;
/// Former tracks of an object that may come back.
const FORMER_TRACKS: usize = 4;
/// A new trail position is kept once the object is this far from the last, metres: a standing object keeps its trail.
const TRAIL_STEP_M: f64 = 0.5;
/// How much likelier a detection is of something that is there than of nothing; and what a missing one leaves.
const HIT_ODDS: f64 = 4.0;
const MISS_ODDS: f64 = 0.6;
/// Odds beyond which nothing more is learned.
const SURE_ODDS: f64 = 1e4;

/// A road user. The estimate and its evidence are separate: facilities and page do not care who saw it.
#[derive(Clone, Debug)]
pub struct RoadUser {
    /// Object id: CPM `objectId` (TS 103 324 7.1.8).
    pub id: u16,
    /// Likeliest class.
    pub class: ObjectClass,
    /// Its probability, 0 to 1.
    pub class_confidence: f32,
    /// Probability of each class, in the order of [`ObjectClass::ALL`].
    pub class_shares: [f32; ObjectClass::ALL.len()],
    /// Position of its middle on the ground at [`Self::state_at`].
    pub position: Enu,
    /// Covariance of the position.
    pub covariance: Covariance2,
    /// Velocity towards east, m/s.
    pub velocity_e_mps: f64,
    /// Velocity towards north, m/s.
    pub velocity_n_mps: f64,
    /// Covariance of the velocity, (m/s)².
    pub velocity_covariance: Covariance2,
    /// Direction of motion, radians counter-clockwise from east; `None` until it has moved enough.
    pub yaw_rad: Option<f64>,
    /// Length, metres.
    pub length_m: f64,
    /// Width, metres.
    pub width_m: f64,
    /// Height, metres.
    pub height_m: f64,
    /// Capture time of the frame it was first seen in, or time of the first message.
    pub first_seen: Timestamp,
    /// The instant position and velocity are given for.
    pub state_at: Timestamp,
    /// Where it is on the map.
    pub place: Place,
    /// How well it is perceived.
    pub quality: PerceptionQuality,
    /// The tracks behind the estimate, one of a camera at most.
    pub sights: heapless::Vec<Sight, MAX_SIGHTS>,
    /// Who tells of it.
    pub told: heapless::Vec<Told, MAX_TOLD>,
    /// When the newest evidence reached the core.
    pub updated_at: Timestamp,
    odds: f64,
    /// Of an object that has had more than one source.
    estimator: Option<Box<Estimator>>,
    former: HistoryBuf<(SourceId, u32), FORMER_TRACKS>,
    standing: Standing,
    trail: HistoryBuf<[f64; 2], TRAIL_CAPACITY>,
}

impl RoadUser {
    /// The object that a track nobody knows yet stands for.
    pub(crate) fn of_track(
        id: u16,
        camera: SourceId,
        track: &GroundTrack,
        now: Timestamp,
        limits: MotionThresholds,
    ) -> Self {
        let mut user = Self {
            id,
            class: track.class,
            class_confidence: track.class_confidence,
            class_shares: track.class_shares,
            position: track.position,
            covariance: track.covariance,
            velocity_e_mps: track.velocity_e_mps,
            velocity_n_mps: track.velocity_n_mps,
            velocity_covariance: track.velocity_covariance,
            yaw_rad: track.yaw_rad,
            length_m: track.length_m,
            width_m: track.width_m,
            height_m: track.height_m,
            first_seen: track.first_seen,
            state_at: track.state_at,
            place: Place::default(),
            quality: PerceptionQuality::new(track.score),
            sights: heapless::Vec::from_iter([Sight::new(camera, track, now)]),
            told: heapless::Vec::new(),
            updated_at: now,
            odds: HIT_ODDS.powi(track.hits.min(8) as i32 - 1),
            estimator: None,
            former: HistoryBuf::new(),
            standing: Standing::new(track.position, track.state_at),
            trail: HistoryBuf::new(),
        };
        user.follow(limits);
        user
    }

    /// The object that a message speaks of and nobody sees.
    pub(crate) fn of_report(id: u16, report: &Report, settings: &FusionSettings, limits: MotionThresholds) -> Self {
        let class = report.class.unwrap_or(ObjectClass::Obstacle);
        let extent = extent_of(class);
        let [velocity_e_mps, velocity_n_mps] = report.velocity_mps.unwrap_or_default();
        let mut class_shares = [0.0; ObjectClass::ALL.len()];
        class_shares[class.index()] = 1.0;
        let mut user = Self {
            id,
            class,
            class_confidence: 1.0,
            class_shares,
            position: report.position,
            covariance: report.covariance(),
            velocity_e_mps,
            velocity_n_mps,
            velocity_covariance: report.velocity_covariance(),
            yaw_rad: report.yaw_rad,
            length_m: report.size_m.map_or(extent.length_m, |[length_m, _]| length_m),
            width_m: report.size_m.map_or(extent.width_m, |[_, width_m]| width_m),
            height_m: extent.height_m,
            first_seen: report.measured_at,
            state_at: report.measured_at,
            place: Place::default(),
            quality: PerceptionQuality::new(0.0),
            sights: heapless::Vec::new(),
            told: heapless::Vec::new(),
            updated_at: report.heard_at,
            odds: HIT_ODDS,
            estimator: None,
            former: HistoryBuf::new(),
            standing: Standing::new(report.position, report.measured_at),
            trail: HistoryBuf::new(),
        };
        user.estimator = Some(Box::new(Estimator::of_user(&user, settings)));
        // There is room: nobody has told of it before.
        let _ = user.told.push(report.told());
        user.follow(limits);
        user
    }

    /// Takes over the newest state of a camera's track. What only one camera shows is as that camera has it: nothing is
    /// gained by filtering it again. False when what was measured is too old to be of use.
    pub(crate) fn see(
        &mut self,
        camera: SourceId,
        track: &GroundTrack,
        now: Timestamp,
        settings: &FusionSettings,
        limits: MotionThresholds,
    ) -> bool {
        let known = self.sights.iter().position(|sight| sight.camera == camera);
        let is_alone = self.told.is_empty() && self.sights.iter().all(|sight| sight.camera == camera);
        let newest = Sight { misfits: known.map_or(0, |i| self.sights[i].misfits), ..Sight::new(camera, track, now) };
        if self.estimator.is_none() && !is_alone {
            self.estimator = Some(Box::new(Estimator::of_user(self, settings)));
        }
        match known {
            Some(place) => self.sights[place] = newest,
            None => {
                if self.sights.is_full() {
                    self.sights.remove(0);
                }
                // There is room: one was taken out, or there were fewer.
                let _ = self.sights.push(newest);
            }
        }
        self.first_seen = self.first_seen.min(track.first_seen);
        self.updated_at = now;
        let is_detected = track.state == TrackState::Confirmed;
        self.odds = (self.odds * if is_detected { HIT_ODDS } else { MISS_ODDS }).clamp(1.0 / SURE_ODDS, SURE_ODDS);
        if is_detected || self.sights.iter().all(|sight| sight.state == TrackState::Coasting) {
            self.quality.update(is_detected, track.score);
        }
        let Some(estimator) = &mut self.estimator else {
            self.take_over(track);
            self.follow(limits);
            return true;
        };
        let tells = is_detected && track.measured_at == track.captured_at;
        let in_time = !tells || estimator.take(&track.into(), settings);
        self.vote();
        self.publish(track.state_at);
        self.follow(limits);
        in_time
    }

    /// Takes what a message says of it. False when it is too old to be of use.
    pub(crate) fn hear(&mut self, report: &Report, settings: &FusionSettings, limits: MotionThresholds) -> bool {
        if self.estimator.is_none() {
            self.estimator = Some(Box::new(Estimator::of_user(self, settings)));
        }
        match self.told.iter_mut().find(|told| told.teller == report.teller) {
            Some(told) => *told = report.told(),
            None => {
                if self.told.is_full() {
                    self.told.remove(0);
                }
                // There is room: one was taken out, or there were fewer.
                let _ = self.told.push(report.told());
            }
        }
        self.updated_at = report.heard_at;
        self.odds = (self.odds * HIT_ODDS).min(SURE_ODDS);
        let in_time = self.estimator.as_mut().is_some_and(|estimator| estimator.take(&report.into(), settings));
        if let Some([length_m, width_m]) = report.size_m {
            (self.length_m, self.width_m) = (length_m, width_m);
        }
        self.vote();
        self.publish(report.measured_at);
        self.follow(limits);
        in_time
    }

    fn take_over(&mut self, track: &GroundTrack) {
        // What does not tell the class leaves it, and the size that follows from it, as it is known.
        if track.tells_class() || self.class_confidence <= 0.0 {
            self.class = track.class;
            self.class_confidence = track.class_confidence;
            self.class_shares = track.class_shares;
            (self.length_m, self.width_m, self.height_m) = (track.length_m, track.width_m, track.height_m);
        }
        self.position = track.position;
        self.covariance = track.covariance;
        self.velocity_e_mps = track.velocity_e_mps;
        self.velocity_n_mps = track.velocity_n_mps;
        self.velocity_covariance = track.velocity_covariance;
        self.yaw_rad = track.yaw_rad;
        self.state_at = track.state_at;
    }

    /// The class that all sources speak for: cameras by the frames that show it, a station by what it says of itself.
    fn vote(&mut self) {
        let mut shares = [0.0; ObjectClass::ALL.len()];
        for sight in &self.sights {
            let weight = sight.hits.min(50) as f32;
            shares.iter_mut().zip(sight.class_shares).for_each(|(sum, share)| *sum += weight * share);
        }
        for told in &self.told {
            let weight = if matches!(told.teller, Teller::Station(_)) { 200.0 } else { 10.0 };
            if let Some(class) = told.class.or((self.class_confidence > 0.0).then_some(self.class)) {
                shares[class.index()] += weight;
            }
        }
        let total: f32 = shares.iter().sum();
        if total <= 0.0 {
            return;
        }
        let Some(best) = ObjectClass::ALL.into_iter().max_by(|a, b| shares[a.index()].total_cmp(&shares[b.index()]))
        else {
            return;
        };
        self.class_shares = shares.map(|share| share / total.max(f32::EPSILON));
        self.class_confidence = self.class_shares[best.index()];
        if self.class != best {
            let extent = extent_of(best);
            self.class = best;
            (self.length_m, self.width_m, self.height_m) = (extent.length_m, extent.width_m, extent.height_m);
        }
    }

    /// Publishes the estimate of all sources, moved on to `at` where nothing newer is known.
    pub(crate) fn publish(&mut self, at: Timestamp) {
        let Some(estimator) = &mut self.estimator else { return };
        estimator.set_class(self.class);
        let state = estimator.state(at);
        let sources = self.sights.iter().map(Into::into).chain(self.told.iter().map(Into::into));
        self.position = state.position;
        self.covariance = super::fusion::with_bias(&state, sources);
        [self.velocity_e_mps, self.velocity_n_mps] = state.velocity_mps;
        self.velocity_covariance = state.velocity_covariance;
        self.yaw_rad = state.yaw_rad.or(self.yaw_rad);
        self.state_at = state.at;
    }

    /// Gives up a camera's track of it; one that has only ended may come back.
    pub(crate) fn lose_sight(&mut self, camera: SourceId, may_return: bool) {
        if let Some(place) = self.sights.iter().position(|sight| sight.camera == camera) {
            let lost = self.sights.remove(place);
            if may_return {
                self.former.write((lost.camera, lost.track_id));
            }
        }
    }

    /// Takes over the evidence of another object that turned out to be this one.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for sight in &other.sights {
            if self.sight_of(sight.camera).is_none_or(|own| own.state == TrackState::Coasting) {
                self.lose_sight(sight.camera, true);
                let _ = self.sights.push(*sight);
            }
        }
        for told in &other.told {
            if self.told.iter().all(|own| own.teller != told.teller) {
                let _ = self.told.push(*told);
            }
        }
        other.former.oldest_ordered().for_each(|former| self.former.write(*former));
        self.first_seen = self.first_seen.min(other.first_seen);
        self.odds = self.odds.max(other.odds);
        self.standing.has_moved |= other.standing.has_moved;
    }

    fn follow(&mut self, limits: MotionThresholds) {
        // A coasting position is the tracker's guess: it must not make a standing car move.
        if self.told.is_empty() && !self.is_seen() {
            return;
        }
        self.standing.follow(self.position, self.covariance, self.state_at, limits);
        let far = |last: &[f64; 2]| (last[0] - self.position.e_m).hypot(last[1] - self.position.n_m) >= TRAIL_STEP_M;
        if self.trail.recent().is_none_or(far) {
            self.trail.write([self.position.e_m, self.position.n_m]);
        }
    }

    /// The best track behind it: one that the newest frame shows, the newest of those. `None` of what is only told of.
    pub fn sight(&self) -> Option<&Sight> {
        self.sights.iter().max_by_key(|sight| (sight.state == TrackState::Confirmed, sight.captured_at))
    }

    /// Where a camera has it.
    pub fn sight_of(&self, camera: SourceId) -> Option<&Sight> {
        self.sights.iter().find(|sight| sight.camera == camera)
    }

    /// Whether a track was one of it, and has ended or been interrupted.
    pub(crate) fn had_track(&self, camera: SourceId, track_id: u32) -> bool {
        self.former.as_slice().contains(&(camera, track_id))
    }

    /// Whether an own camera perceives it; if not, only messages tell of it.
    pub fn is_perceived(&self) -> bool {
        !self.sights.is_empty()
    }

    /// Whether the newest frame of a camera shows it.
    pub fn is_seen(&self) -> bool {
        self.sights.iter().any(|sight| sight.state == TrackState::Confirmed)
    }

    /// Whether it stands where a camera that sees it is calibrated.
    pub fn is_in_calibrated_area(&self) -> bool {
        self.sights.iter().any(|sight| sight.area == CalibratedArea::Inside)
    }

    /// How probable it is that it exists, 0 to 1.
    pub fn existence(&self) -> f64 {
        self.odds / (1.0 + self.odds)
    }

    /// Capture time of the newest frame that shows it.
    pub fn captured_at(&self) -> Option<Timestamp> {
        self.sights.iter().map(|sight| sight.captured_at).max()
    }

    /// Where it is at another instant, if it goes on as it does.
    pub fn position_at(&self, at: Timestamp) -> Enu {
        let dt_s = at.seconds_since(self.state_at);
        Enu::ground(self.position.e_m + dt_s * self.velocity_e_mps, self.position.n_m + dt_s * self.velocity_n_mps)
    }

    /// Speed over ground, m/s.
    pub fn speed_mps(&self) -> f64 {
        self.velocity_e_mps.hypot(self.velocity_n_mps)
    }

    /// How long it has been standing at [`Self::state_at`], seconds; close to zero while it moves.
    pub fn standing_s(&self) -> f64 {
        self.state_at.seconds_since(self.standing.anchored_at)
    }

    /// Whether it has been seen to change its place at all: what never moved is parked, or no road user.
    pub fn has_moved(&self) -> bool {
        self.standing.has_moved
    }

    /// Seconds from the first sight to the newest state.
    pub fn age_s(&self) -> f64 {
        self.state_at.seconds_since(self.first_seen)
    }

    /// Last positions, oldest first, `[east, north]` metres.
    pub fn trail_m(&self) -> impl Iterator<Item = [f64; 2]> {
        self.trail.oldest_ordered().copied()
    }
}
