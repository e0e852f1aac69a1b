//! Whether a camera still looks where it was surveyed, and where it looks now: found from the traffic.
//!
//! In: the boxes of moving vehicles, the lanes of the site map, what connected vehicles say of where they are (CAM), and how
//! far the pictures themselves have shifted. Out: an estimate of the camera's turn since the survey with its covariance, an
//! alarm ([`PoseDrift`]) when it has turned, and by [`DriftPolicy`] the turn that positions are to be corrected by. A blow or
//! a loose clamp turns a camera; its place is held to be that of the survey.
//!
//! Vehicles keep to their lanes with a bias of their own, and a receiver's error changes slowly; so what is known of one
//! vehicle counts as one group with a common error, whose trend along the way still tells direction. The turn is the
//! minimum of a robust cost over the groups of a window (Levenberg and Marquardt from several starts, since a turned camera
//! shows vehicles in the wrong lane).
//!
//! Invariants: pure; at most [`MAX_GROUPS`] groups of [`MAX_SAMPLES`] samples; the alarm stands for a while before anything
//! is corrected; an estimate that its residuals do not determine stays uncertain by the prior and changes nothing. Runs once
//! a second, not with each frame.

mod evidence;
mod footing;
mod picture;
mod settings;
mod window;

use super::camera_model::CameraModel;
use super::fit::minimise::{Free, Normal, minimise};
use crate::event::PatchShift;
use crate::perception::ground::Extent;
use evidence::{Evidence, lane_yaw_rad};
use footing::{Footing, Place};
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix3, Vector2, Vector3};
use picture::PictureShift;
pub use settings::{DriftPolicy, OnlinePoseSettings, StationReference};
use window::{Key, Sample, Window};
pub use window::{MAX_GROUPS, MAX_SAMPLES};

/// Interval between two estimates, seconds.
const INTERVAL_S: f64 = 1.0;
/// Where less of the traffic than this is explained, or the turn is less known than that (degrees), other turns are tried.
const EXPLAINED: f64 = 0.8;
const KNOWN_DEG: f64 = 0.5;
/// Fewer groups than this say nothing.
const MIN_GROUPS: usize = 3;
/// What is known of the turn before any traffic, one sigma about the upright, the right and the forward axis, degrees.
const PRIOR_DEG: [f64; 3] = [3.0, 3.0, 0.5];
/// Turns that are tried besides the newest estimate, degrees about the right and down axes.
const STARTS_DEG: [f64; 5] = [-3.0, -1.5, 0.0, 1.5, 3.0];
/// How many of them are refined.
const REFINED: usize = 3;
/// A camera may have been moved so long ago, seconds …
const CHANGES_S: [f64; 5] = [5.0, 9.0, 14.0, 22.0, 34.0];
/// … and was, where that makes what was seen since more likely by this (natural logarithm).
const CHANGED: f64 = 12.0;
/// A turn is significant from so many standard deviations on.
const SIGNIFICANT: f64 = 4.0;
/// Estimates in a row that must be significant.
const CONFIRMED: u32 = 3;

/// The middle of a lane in which vehicles drive, in driving direction.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneLine {
    /// Where it runs, `[east, north]` metres.
    pub points_m: Vec<[f64; 2]>,
    /// Its width, metres.
    pub width_m: f64,
    /// Which of its segments stands for a turn: there vehicles keep to no line.
    pub turn: Option<usize>,
}

/// A moving vehicle in the newest frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenVehicle {
    /// Identity of its track.
    pub track_id: u32,
    /// Middle of the lower edge of its box, pixels of the camera's image size.
    pub pixel: [f64; 2],
    /// Standard deviation of that, pixels.
    pub sigma_px: f64,
    /// How large it is.
    pub extent: Extent,
    /// How fast it moves, m/s.
    pub speed_mps: f64,
    /// Where it moves to, radians counter-clockwise from east.
    pub yaw_rad: f64,
}

/// What a connected vehicle says of itself, at the time of the newest frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatedVehicle {
    /// Its station id.
    pub station: u32,
    /// Where it is.
    pub position: Enu,
    /// How fast it moves, m/s.
    pub speed_mps: f64,
    /// Where it moves to, radians counter-clockwise from east.
    pub yaw_rad: f64,
}

/// How far a camera has turned since its survey.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TurnEstimate {
    /// About the camera's right (up is positive), down (to the right) and forward axis (right side down), radians.
    pub turn_rad: Vector3<f64>,
    /// Covariance of that.
    pub covariance: Matrix3<f64>,
    /// Pictures that it rests on …
    pub pictures: usize,
    /// … and vehicles.
    pub vehicles: usize,
    /// As of when.
    pub at: Timestamp,
}

impl TurnEstimate {
    /// One sigma along the worst axis, radians.
    pub fn sigma_rad(&self) -> f64 {
        self.covariance.symmetric_eigenvalues().max().max(0.0).sqrt()
    }

    /// Whether it is another turn that is known better, or one that the other cannot be.
    fn is_better_than(&self, other: &Self) -> bool {
        let (apart, sigma) = ((self.turn_rad - other.turn_rad).norm(), self.sigma_rad());
        let is_surer = sigma < other.sigma_rad() && apart > 0.25 * sigma;
        is_surer || apart > SIGNIFICANT * sigma.hypot(other.sigma_rad())
    }

    /// How many standard deviations it is from no turn.
    fn significance(&self) -> f64 {
        self.covariance
            .try_inverse()
            .map_or(0.0, |inverse| self.turn_rad.dot(&(inverse * self.turn_rad)).max(0.0).sqrt())
    }
}

/// The alarm: a camera has turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoseDrift {
    /// Since when it is known.
    pub since: Timestamp,
    /// How far.
    pub estimate: TurnEstimate,
    /// What positions are corrected by, radians; `None` as long as they are not.
    pub corrected_rad: Option<Vector3<f64>>,
}

impl PoseDrift {
    /// What an operator needs to know.
    pub fn words(&self) -> String {
        let [up, right, roll] = self.estimate.turn_rad.map(f64::to_degrees).into();
        let sigma = self.estimate.sigma_rad().to_degrees();
        let corrected = if self.corrected_rad.is_some() { "positions are corrected" } else { "positions are wrong" };
        format!(
            "it looks {right:+.2}° to the right of where it was surveyed, {up:+.2}° up, rolled {roll:+.2}° \
             (±{sigma:.2}°, by {} pictures and {} vehicles); {corrected}",
            self.estimate.pictures, self.estimate.vehicles
        )
    }
}

/// Watches the pose of one camera.
#[derive(Clone, Debug)]
pub struct OnlinePose {
    settings: OnlinePoseSettings,
    surveyed: CameraModel,
    ground_m: f64,
    lanes: Vec<LaneLine>,
    window: Window,
    /// Information on the turn before anything is seen.
    prior: Matrix3<f64>,
    /// How well vehicles keep to lanes and how good their boxes are, against what is expected.
    noise: f64,
    estimate: Option<TurnEstimate>,
    estimated_at: Option<Timestamp>,
    significant: u32,
    drift: Option<PoseDrift>,
    /// The estimate that positions are corrected by.
    in_use: Option<TurnEstimate>,
    shift: Option<PictureShift>,
}

impl OnlinePose {
    /// Watches a camera over ground at height `ground_m`.
    pub fn new(settings: OnlinePoseSettings, surveyed: CameraModel, ground_m: f64) -> Self {
        Self {
            settings,
            surveyed,
            ground_m,
            lanes: Vec::new(),
            window: Window::default(),
            prior: prior(&surveyed),
            noise: 1.0,
            estimate: None,
            estimated_at: None,
            significant: 0,
            drift: None,
            in_use: None,
            shift: None,
        }
    }

    /// The lanes of the site map.
    pub fn set_lanes(&mut self, lanes: Vec<LaneLine>) {
        self.lanes = lanes;
    }

    /// The newest estimate.
    pub fn estimate(&self) -> Option<&TurnEstimate> {
        self.estimate.as_ref()
    }

    /// The alarm, while there is one.
    pub fn drift(&self) -> Option<&PoseDrift> {
        self.drift.as_ref()
    }

    /// The camera as it was surveyed.
    pub fn surveyed(&self) -> &CameraModel {
        &self.surveyed
    }

    /// The pictures lie `shift_px` to the right of and below where they did, since an instant, and in the newest parts are
    /// found again (`patches`); `None`: they do not. What was seen before is of another pose. The reference is what the
    /// pictures were like before, so the turn that was known then counts, too.
    pub fn picture_moved(&mut self, moved: Option<(Timestamp, [f32; 2])>, patches: &[PatchShift]) {
        let Some((since, shift_px)) = moved else {
            self.shift = None;
            return;
        };
        if self.shift.as_ref().is_none_or(|known| known.since != since) {
            let before_rad = self.drift.map(|drift| drift.estimate.turn_rad).unwrap_or_default();
            self.shift = Some(PictureShift::new(since, self.surveyed.turned(before_rad)));
            self.window.forget_before(since);
        }
        if let Some(shift) = &mut self.shift {
            shift.see(&self.surveyed, shift_px.map(f64::from), patches);
        }
    }

    /// Takes the vehicles of a frame. True when positions are to be corrected by another turn than before
    /// ([`PoseDrift::corrected_rad`]).
    pub fn see(&mut self, at: Timestamp, seen: &[SeenVehicle], stated: &[StatedVehicle]) -> bool {
        let now = self.turned_now();
        for vehicle in seen {
            let Some((footing, place)) = self.footing(&now, vehicle) else { continue };
            let sample = |known| Sample { at, footing, sigma_px: vehicle.sigma_px, place, known };
            self.window.push(Key::Track(vehicle.track_id), sample(None));
            if let Some((station, position)) = self.station_of(vehicle, place.middle, seen, stated, &now) {
                self.window.push(Key::Station(station, vehicle.track_id), sample(Some(position)));
            }
        }
        if self.estimated_at.is_some_and(|last| at.seconds_since(last) < INTERVAL_S) {
            return false;
        }
        self.estimated_at = Some(at);
        self.window.forget_before(at.plus_ms(-(self.settings.window_s * 1e3) as i64));
        self.window.stand_by(&now, self.ground_m, |place| lane_yaw_rad(&self.lanes, place));
        self.judge(at)
    }

    /// How a vehicle shows, and where it is: its direction is by the mapping in use, its place by the newest belief.
    fn footing(&self, now: &CameraModel, vehicle: &SeenVehicle) -> Option<(Footing, Place)> {
        let in_use = self.in_use.map_or(self.surveyed, |in_use| self.surveyed.turned(in_use.turn_rad));
        let footing = Footing::new(&in_use, self.ground_m, vehicle.pixel.into(), vehicle.yaw_rad, vehicle.extent)?;
        Some((footing, footing.place(now, self.ground_m)?))
    }

    /// The camera as it is believed to look now.
    fn turned_now(&self) -> CameraModel {
        self.estimate.map_or(self.surveyed, |estimate| self.surveyed.turned(estimate.turn_rad))
    }

    /// The connected vehicle that a seen one is, where that is beyond doubt, and the middle that it states.
    fn station_of(
        &self,
        vehicle: &SeenVehicle,
        place: Vector2<f64>,
        seen: &[SeenVehicle],
        stated: &[StatedVehicle],
        camera: &CameraModel,
    ) -> Option<(u32, Vector2<f64>)> {
        let [e, n, _] = camera.pose().position_m;
        let range_m = (place - Vector2::new(e, n)).norm();
        let prior = self.estimate.map_or(PRIOR_DEG[0].to_radians(), |e| e.sigma_rad());
        let gate_m = 2.5 * self.settings.station_sigma_m + 1.5 * range_m * prior.min(PRIOR_DEG[0].to_radians());
        let middle = |station: &StatedVehicle| {
            let behind = match self.settings.station_reference {
                StationReference::FrontCentre => 0.5 * vehicle.extent.length_m,
                StationReference::Centre => 0.0,
            };
            Vector2::new(station.position.e_m, station.position.n_m)
                - Vector2::new(station.yaw_rad.cos(), station.yaw_rad.sin()) * behind
        };
        let near = |station: &&StatedVehicle| (middle(station) - place).norm() < gate_m;
        let alike = |station: &StatedVehicle, vehicle: &SeenVehicle| {
            (station.speed_mps - vehicle.speed_mps).abs() < 0.25 * station.speed_mps + 1.5
                && angle_between(station.yaw_rad, vehicle.yaw_rad) < 0.6
        };
        let mut candidates = stated.iter().filter(near).filter(|station| alike(station, vehicle));
        let (station, None) = (candidates.next()?, candidates.next()) else { return None };
        let rivals = seen.iter().filter(|other| other.track_id != vehicle.track_id && alike(station, other));
        let is_alone = rivals
            .filter_map(|other| self.footing(camera, other))
            .all(|(_, other)| (middle(station) - other.middle).norm() > 2.0 * gate_m);
        is_alone.then(|| (station.station, middle(station)))
    }

    /// Estimates anew, and begins, corrects or ends the alarm.
    fn judge(&mut self, at: Timestamp) -> bool {
        let Some(estimate) = self.estimated(at) else { return false };
        self.estimate = Some(estimate);
        let (turn_deg, alarm_deg) = (estimate.turn_rad.norm().to_degrees(), self.settings.alarm_deg);
        let is_significant = turn_deg >= alarm_deg && estimate.significance() >= SIGNIFICANT;
        self.significant = if is_significant { self.significant + 1 } else { 0 };
        match &mut self.drift {
            None if self.significant >= CONFIRMED => {
                self.drift = Some(PoseDrift { since: at, estimate, corrected_rad: None });
                false
            }
            None => false,
            Some(drift) if turn_deg < 0.5 * alarm_deg && estimate.sigma_rad().to_degrees() < 0.25 * alarm_deg => {
                let was_corrected = drift.corrected_rad.is_some();
                (self.drift, self.in_use) = (None, None);
                was_corrected
            }
            Some(drift) => {
                drift.estimate = estimate;
                let is_known = estimate.sigma_rad().to_degrees() <= self.settings.correct_sigma_deg;
                let is_held = at.seconds_since(drift.since) >= self.settings.hold_s;
                let is_better = self.in_use.is_none_or(|in_use| estimate.is_better_than(&in_use));
                let corrects = self.settings.policy == DriftPolicy::Correct && is_known && is_held && is_better;
                if corrects {
                    drift.corrected_rad = Some(estimate.turn_rad);
                    self.in_use = Some(estimate);
                }
                corrects
            }
        }
    }

    /// The turn that the window speaks for. Where what it has seen of late speaks so much more for another one that the camera
    /// was moved meanwhile, what is older is forgotten.
    fn estimated(&mut self, at: Timestamp) -> Option<TurnEstimate> {
        let (all, _) = self.solve(at, self.window.since(Timestamp::default()))?;
        let moved = CHANGES_S.into_iter().filter_map(|ago_s| {
            let since = at.plus_ms(-(ago_s * 1e3) as i64);
            let recent = self.window.since(since);
            let evidence = self.evidence(recent.clone());
            let believed = self.surveyed.turned(all.turn_rad);
            let quality = evidence.quality(&believed);
            if quality.explained >= EXPLAINED && quality.spread <= 1.0 {
                return None;
            }
            let held = self.linearised(&believed, &evidence).cost;
            let (other, cost) = self.solve(at, recent)?;
            let is_apart = (other.turn_rad - all.turn_rad).norm().to_degrees() > 0.5 * self.settings.alarm_deg;
            (is_apart && held - cost > CHANGED).then_some((held - cost, since, other))
        });
        let Some((_, since, other)) = moved.max_by(|a, b| a.0.total_cmp(&b.0)) else {
            let everything = self.evidence(self.window.since(Timestamp::default()));
            let quality = everything.quality(&self.surveyed.turned(all.turn_rad));
            if let Some(noise) = quality.noise.filter(|_| quality.explained >= 0.5 * EXPLAINED) {
                self.noise = noise;
            }
            return Some(all);
        };
        self.window.forget_before(since);
        Some(other)
    }

    fn evidence<'a>(&'a self, groups: Vec<&'a [Sample]>) -> Evidence<'a> {
        Evidence {
            groups,
            lanes: &self.lanes,
            ground_m: self.ground_m,
            lane_sigma_m: self.settings.lane_sigma_m,
            station_sigma_m: self.settings.station_sigma_m,
            noise: self.noise,
        }
    }

    /// The normal equations at a camera.
    fn linearised(&self, model: &CameraModel, evidence: &Evidence<'_>) -> Normal {
        let mut normal = Normal::default();
        let turn_rad = self.surveyed.turn_to(model);
        normal.add_turn_off(&turn_rad, &self.prior);
        if let Some(shift) = &self.shift {
            shift.add_to(&self.surveyed, &turn_rad, &mut normal);
        }
        evidence.add_to(model, &mut normal);
        normal
    }

    /// The turn that the groups speak for, and its cost.
    fn solve(&self, at: Timestamp, groups: Vec<&[Sample]>) -> Option<(TurnEstimate, f64)> {
        let pictures = self.shift.as_ref().map_or(0, PictureShift::pictures);
        if groups.len() < MIN_GROUPS && pictures == 0 {
            return None;
        }
        let evidence = self.evidence(groups);
        let linearise = |model: &CameraModel| Some(self.linearised(model, &evidence));
        let here = minimise(self.turned_now(), Free::TURN, linearise)?;
        let is_settled = self.estimate.is_some_and(|known| known.sigma_rad().to_degrees() < KNOWN_DEG)
            && evidence.quality(&here.0).explained >= EXPLAINED;
        let elsewhere = if is_settled { Vec::new() } else { self.elsewhere(linearise) };
        let (model, normal) = elsewhere.into_iter().chain([here]).min_by(|a, b| a.1.cost.total_cmp(&b.1.cost))?;
        let covariance = normal.covariance(Free::TURN)?.fixed_view::<3, 3>(3, 3).into_owned();
        let estimate = TurnEstimate {
            turn_rad: self.surveyed.turn_to(&model),
            covariance: covariance * evidence.quality(&model).spread.max(1.0),
            pictures,
            vehicles: evidence.groups.len(),
            at,
        };
        Some((estimate, normal.cost))
    }

    /// The minima near the most promising of the turns that a blow may bring.
    fn elsewhere(&self, linearise: impl Fn(&CameraModel) -> Option<Normal> + Copy) -> Vec<(CameraModel, Normal)> {
        let grid = STARTS_DEG.into_iter().flat_map(|up| STARTS_DEG.into_iter().map(move |right| [up, right]));
        let mut starts: Vec<(f64, CameraModel)> = grid
            .map(|[up, right]| self.surveyed.turned(Vector3::new(up.to_radians(), right.to_radians(), 0.0)))
            .map(|model| (linearise(&model).map_or(f64::INFINITY, |normal| normal.cost), model))
            .collect();
        starts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let best = starts.into_iter().take(REFINED).map(|(_, model)| model);
        best.filter_map(|start| minimise(start, Free::TURN, linearise)).collect()
    }
}

/// What is known of a turn beforehand: a mount gives way about its upright axis, its level one, or hardly ever about the
/// camera's own.
fn prior(surveyed: &CameraModel) -> Matrix3<f64> {
    let [e_m, n_m, u_m] = surveyed.pose().position_m;
    let down = surveyed.in_camera(Enu { e_m, n_m, u_m: u_m - 1.0 });
    let axes = [down, Vector3::x(), Vector3::z()].into_iter().zip(PRIOR_DEG.map(f64::to_radians));
    let covariance: Matrix3<f64> = axes.map(|(axis, sigma)| axis * axis.transpose() * (sigma * sigma)).sum();
    covariance.try_inverse().unwrap_or_else(Matrix3::zeros)
}

/// The angle between two directions, 0 to π.
fn angle_between(a: f64, b: f64) -> f64 {
    let turn = (a - b).rem_euclid(std::f64::consts::TAU);
    turn.min(std::f64::consts::TAU - turn)
}

#[cfg(test)]
mod tests;
