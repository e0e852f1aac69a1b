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
mod settings;
mod window;

use super::camera_model::{CameraModel, Change, PARAMETERS};
use super::fit::minimise::{Free, Normal, minimise};
use crate::perception::ground::Extent;
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix3, RowSVector, Vector2, Vector3};
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
/// What is known of the turn before any traffic, one sigma about the right, down and forward axes, degrees.
const PRIOR_DEG: [f64; 3] = [3.0, 3.0, 1.5];
/// Turns that are tried besides the newest estimate, degrees about the right and down axes.
const STARTS_DEG: [f64; 5] = [-3.0, -1.5, 0.0, 1.5, 3.0];
/// How many of them are refined.
const REFINED: usize = 3;
/// How well the shift of the pictures is known, one sigma, pixels.
const SHIFT_SIGMA_PX: f64 = 1.5;
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
    /// Vehicles that it rests on.
    pub vehicles: usize,
    /// As of when.
    pub at: Timestamp,
}

impl TurnEstimate {
    /// One sigma along the worst axis, radians.
    pub fn sigma_rad(&self) -> f64 {
        self.covariance.symmetric_eigenvalues().max().max(0.0).sqrt()
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
            "by the traffic it looks {right:+.2}° to the right of where it was surveyed, {up:+.2}° up, rolled {roll:+.2}° \
             (±{sigma:.2}°, {} vehicles); {corrected}",
            self.estimate.vehicles
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
    estimate: Option<TurnEstimate>,
    estimated_at: Option<Timestamp>,
    significant: u32,
    drift: Option<PoseDrift>,
    shift: Option<PictureShift>,
}

/// The pictures have shifted.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PictureShift {
    /// Since when.
    since: Timestamp,
    /// How far their middle lies to the right and below, pixels.
    shift_px: Vector2<f64>,
    /// The turn before, radians.
    before_rad: Vector3<f64>,
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
            estimate: None,
            estimated_at: None,
            significant: 0,
            drift: None,
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

    /// The pictures lie `shift_px` to the right of and below where they did, since an instant; `None`: they do not. What was
    /// seen before is of another pose. The reference of that shift is what the pictures were like before, so the turn that
    /// was known then counts, too.
    pub fn picture_moved(&mut self, moved: Option<(Timestamp, [f32; 2])>) {
        let Some((since, shift_px)) = moved else {
            self.shift = None;
            return;
        };
        let shift_px = Vector2::from(shift_px.map(f64::from));
        match &mut self.shift {
            Some(known) if known.since == since => known.shift_px = shift_px,
            _ => {
                let before_rad = self.drift.map(|drift| drift.estimate.turn_rad).unwrap_or_default();
                self.shift = Some(PictureShift { since, shift_px, before_rad });
                self.window.forget_before(since);
            }
        }
    }

    /// Takes the vehicles of a frame. True when positions are to be corrected by another turn than before
    /// ([`PoseDrift::corrected_rad`]).
    pub fn see(&mut self, at: Timestamp, seen: &[SeenVehicle], stated: &[StatedVehicle]) -> bool {
        let now = self.turned_now();
        for vehicle in seen {
            let Some((place, offset)) = self.place(&now, vehicle) else { continue };
            let sample = |known| Sample {
                at,
                pixel: vehicle.pixel.into(),
                sigma_px: vehicle.sigma_px,
                offset,
                place,
                yaw_rad: vehicle.yaw_rad,
                known,
            };
            self.window.push(Key::Track(vehicle.track_id), sample(None));
            if let Some((station, position)) = self.station_of(vehicle, place, seen, stated, &now) {
                self.window.push(Key::Station(station, vehicle.track_id), sample(Some(position)));
            }
        }
        if self.estimated_at.is_some_and(|last| at.seconds_since(last) < INTERVAL_S) {
            return false;
        }
        self.estimated_at = Some(at);
        self.window.forget_before(at.plus_ms(-(self.settings.window_s * 1e3) as i64));
        self.judge(at)
    }

    /// The camera as it is believed to look now.
    fn turned_now(&self) -> CameraModel {
        self.estimate.map_or(self.surveyed, |estimate| self.surveyed.turned(estimate.turn_rad))
    }

    /// Where the middle of a vehicle is, and how far the ground under its box lies from there.
    fn place(&self, camera: &CameraModel, vehicle: &SeenVehicle) -> Option<(Vector2<f64>, Vector2<f64>)> {
        let ground = |pixel: Vector2<f64>| {
            let point = camera.to_ground(pixel, self.ground_m)?.point;
            Some(Vector2::new(point.e_m, point.n_m))
        };
        let under = ground(vehicle.pixel.into())?;
        let mut offset = Vector2::zeros();
        // The offset changes little over its own length, so twice is enough.
        for _ in 0..2 {
            let middle = under - offset;
            offset = ground(lower_middle(camera, middle, self.ground_m, vehicle)?)? - middle;
        }
        (offset.norm() < vehicle.extent.length_m).then_some((under - offset, offset))
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
        let prior = self.estimate.map_or(PRIOR_DEG[1].to_radians(), |e| e.sigma_rad());
        let gate_m = 2.5 * self.settings.station_sigma_m + 1.5 * range_m * prior.min(PRIOR_DEG[1].to_radians());
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
            .filter_map(|other| self.place(camera, other))
            .all(|(other, _)| (middle(station) - other).norm() > 2.0 * gate_m);
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
                self.drift = None;
                was_corrected
            }
            Some(drift) => {
                drift.estimate = estimate;
                let is_known = estimate.sigma_rad().to_degrees() <= self.settings.correct_sigma_deg;
                let is_held = at.seconds_since(drift.since) >= self.settings.hold_s;
                let is_another = drift
                    .corrected_rad
                    .is_none_or(|turn| (turn - estimate.turn_rad).norm() > 0.25 * estimate.sigma_rad());
                let corrects = self.settings.policy == DriftPolicy::Correct && is_known && is_held && is_another;
                if corrects {
                    drift.corrected_rad = Some(estimate.turn_rad);
                }
                corrects
            }
        }
    }

    /// The turn that the window speaks for. Where its newest third speaks for another one, the camera was moved since: what
    /// is older is forgotten.
    fn estimated(&mut self, at: Timestamp) -> Option<TurnEstimate> {
        let recent_from = at.plus_ms(-(self.settings.window_s * 1e3 / 3.0) as i64);
        let all = self.solve(at, self.window.groups().collect())?;
        let recent = self.solve(at, self.window.groups().filter(|group| group.began() >= recent_from).collect());
        let Some(recent) = recent else { return Some(all) };
        let apart = recent.turn_rad - all.turn_rad;
        let is_jump = (recent.covariance + all.covariance)
            .try_inverse()
            .is_some_and(|inverse| apart.dot(&(inverse * apart)) > SIGNIFICANT * SIGNIFICANT)
            && apart.norm().to_degrees() > 0.5 * self.settings.alarm_deg;
        if !is_jump {
            return Some(all);
        }
        self.window.forget_before(recent_from);
        Some(recent)
    }

    /// What the shift of the pictures says of a turn: to the right, and the picture lies further left; up, and it lies lower.
    fn add_shift(&self, change: &Change, normal: &mut Normal) {
        let Some(PictureShift { shift_px, before_rad, .. }) = self.shift else { return };
        let focal = self.surveyed.lens().focal_px();
        for (axis, turn, sign) in [(0, 1, -1.0), (1, 0, 1.0)] {
            let expected = sign * focal[axis] * (change[3 + turn] - before_rad[turn]);
            let mut by = RowSVector::<f64, PARAMETERS>::zeros();
            by[3 + turn] = sign * focal[axis] / SHIFT_SIGMA_PX;
            normal.add((expected - shift_px[axis]) / SHIFT_SIGMA_PX, &by);
        }
    }

    fn solve(&self, at: Timestamp, groups: Vec<&window::Group>) -> Option<TurnEstimate> {
        if groups.len() < MIN_GROUPS {
            return None;
        }
        let evidence = evidence::Evidence {
            groups,
            lanes: &self.lanes,
            ground_m: self.ground_m,
            lane_sigma_m: self.settings.lane_sigma_m,
            station_sigma_m: self.settings.station_sigma_m,
        };
        let linearise = |model: &CameraModel| {
            let mut normal = Normal::default();
            let mut change = Change::zeros();
            change.fixed_rows_mut::<3>(3).copy_from(&self.surveyed.turn_to(model));
            normal.add_prior(&change, &prior_sigma());
            self.add_shift(&change, &mut normal);
            evidence.add_to(model, &mut normal);
            Some(normal)
        };
        let here = minimise(self.turned_now(), Free::TURN, linearise)?;
        let is_settled = self.estimate.is_some_and(|known| known.sigma_rad().to_degrees() < KNOWN_DEG)
            && evidence.quality(&here.0).1 >= EXPLAINED;
        let elsewhere = if is_settled { Vec::new() } else { self.elsewhere(linearise) };
        let (model, normal) = elsewhere.into_iter().chain([here]).min_by(|a, b| a.1.cost.total_cmp(&b.1.cost))?;
        let covariance = normal.covariance(Free::TURN)?.fixed_view::<3, 3>(3, 3).into_owned();
        let vehicles = evidence.groups.len();
        let turn_rad = self.surveyed.turn_to(&model);
        Some(TurnEstimate { turn_rad, covariance: covariance * evidence.quality(&model).0.max(1.0), vehicles, at })
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

/// Standard deviations of the prior; what is not free does not matter.
fn prior_sigma() -> Change {
    let mut sigma = Change::repeat(1.0);
    sigma.fixed_rows_mut::<3>(3).copy_from(&Vector3::from(PRIOR_DEG).map(f64::to_radians));
    sigma
}

/// The middle of the lower edge of the box around a vehicle that stands with its middle on `middle`.
fn lower_middle(
    camera: &CameraModel,
    middle: Vector2<f64>,
    ground_m: f64,
    vehicle: &SeenVehicle,
) -> Option<Vector2<f64>> {
    let (sin, cos) = vehicle.yaw_rad.sin_cos();
    let Extent { length_m, width_m, height_m } = vehicle.extent;
    let (mut left, mut right, mut bottom) = (f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
    for corner in 0..8 {
        let side = |bit: u32| if corner >> bit & 1 == 0 { -0.5 } else { 0.5 };
        let (x, y) = (side(0) * length_m, side(1) * width_m);
        let point = Enu {
            e_m: middle.x + x * cos - y * sin,
            n_m: middle.y + x * sin + y * cos,
            u_m: ground_m + (side(2) + 0.5) * height_m,
        };
        let pixel = camera.project(point)?.pixel;
        left = left.min(pixel.x);
        right = right.max(pixel.x);
        bottom = bottom.max(pixel.y);
    }
    Some(Vector2::new(0.5 * (left + right), bottom))
}

/// The angle between two directions, 0 to π.
fn angle_between(a: f64, b: f64) -> f64 {
    let turn = (a - b).rem_euclid(std::f64::consts::TAU);
    turn.min(std::f64::consts::TAU - turn)
}

#[cfg(test)]
mod tests;
