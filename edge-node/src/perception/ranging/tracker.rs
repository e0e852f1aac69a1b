//! From scan to scan: whose target is whose, and what is worth believing.
//!
//! Every target goes to the track whose body it lies on and with whose velocity it agrees, several to one; those left over
//! that lie together begin a new one. A track is believed once several scans show it and it has moved: clutter does not
//! agree with itself, and what stands is no road user yet.

use super::Plot;
use super::body::{Body, Middle};
use super::settings::ScanTrackerSettings;
use super::size::RIDES_MPS;
use crate::drops::Drops;
use crate::event::EventId;
use crate::perception::ground::{GroundMeasurement, MeasuredVelocity, Motion, MotionSettings, Seen, matrix};
use crate::perception::{CalibratedArea, GroundTrack, TrackState};
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix2, Vector2};

/// Targets of one body are at most this far from each other, metres; weak ones, which may be of people, are nearer.
const LINK_M: f64 = 2.8;
const WEAK_LINK_M: f64 = 1.0;
/// A target below this is weak, m².
const WEAK_M2: f64 = 1.0;
/// And differ in their velocities along the ray by at most this, m/s.
const LINK_MPS: f64 = 1.5;
/// How much the velocity of a part differs from its body's: limbs, wheels, turning; m/s.
const PART_MPS: f64 = 0.5;
/// A track whose middle is this near to another's body and about as fast is that other, metres and m/s.
const SAME_M: f64 = 0.7;
const SAME_MPS: f64 = 3.0;
/// Tracks this near to another's body that go as it does, faster than anybody walks, and are together as bright as a vehicle are
/// its parts: m, m/s.
const PART_OF_M: f64 = 2.8;
const RIGID_MPS: f64 = 1.2;
/// A track that no scan shows ends once its place is known to less than this standard deviation, metres, and half as well as
/// when it showed: it may be anybody's.
const VAGUE_M: f64 = 1.0;
/// A track nobody believes yet is forgotten after so many scans without a target.
const MOST_MISSES: u16 = 3;
/// Weight of the newest scan in the share of scans that show a track.
const NEWEST: f32 = 0.2;
/// Shares of vehicle classes where all that is known is that it is a vehicle: what is on the road.
const VEHICLES: [(ObjectClass, f32); 5] = [
    (ObjectClass::Car, 0.7),
    (ObjectClass::Van, 0.12),
    (ObjectClass::Truck, 0.06),
    (ObjectClass::Bus, 0.06),
    (ObjectClass::Motorcycle, 0.06),
];

/// Which scan it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanId {
    pub(super) event: EventId,
    pub(super) scan: u64,
    pub(super) captured_at: Timestamp,
}

/// Something that scans show.
#[derive(Clone, Debug)]
struct Track {
    id: u32,
    motion: Motion,
    body: Body,
    first: ScanId,
    last: ScanId,
    first_at: Vector2<f64>,
    measured: GroundMeasurement,
    hits: u32,
    looks: u32,
    misses: u16,
    /// Share of the newest scans that show it.
    shown: f32,
    /// Mean of the velocities along the ray, m/s.
    radial_mps: f64,
    strongest: Option<u16>,
    /// Standard deviation of the place of a target of it, metres.
    resolution_m: f64,
    is_believed: bool,
    /// Parts of the body were tracks of their own: its middle is elsewhere than it was taken to be.
    is_joined: bool,
}

/// Tracks of one device.
#[derive(Clone, Debug)]
pub(super) struct Tracker {
    settings: ScanTrackerSettings,
    motion: MotionSettings,
    tracks: Vec<Track>,
    last_id: u32,
    /// The track of each target of a scan.
    owners: Vec<Option<usize>>,
    group: Vec<Plot>,
    shown: Vec<GroundTrack>,
}

impl Tracker {
    pub(super) fn new(settings: ScanTrackerSettings, motion: MotionSettings) -> Self {
        let capacity = usize::from(settings.max_tracks);
        Self {
            settings,
            motion,
            tracks: Vec::with_capacity(capacity),
            last_id: 0,
            owners: Vec::new(),
            group: Vec::new(),
            shown: Vec::with_capacity(capacity),
        }
    }

    /// Takes a scan from `from`; the believed tracks, at its instant. `bias` is what is wrong with all places there alike.
    pub(super) fn update(
        &mut self,
        scan: &ScanId,
        plots: &[Plot],
        from: Vector2<f64>,
        bias: &dyn Fn(Vector2<f64>) -> Matrix2<f64>,
        drops: &mut Drops,
    ) -> &[GroundTrack] {
        self.tracks.iter_mut().for_each(|track| track.predict(scan.captured_at, &self.motion));
        self.assign(plots);
        for place in 0..self.tracks.len() {
            self.gather(plots, Some(place));
            let track = &mut self.tracks[place];
            track.looks += 1;
            match self.group.is_empty() {
                true => track.miss(),
                false => track.hit(scan, &self.group, from, bias, &self.motion),
            }
            track.believe(&self.settings);
        }
        self.begin(scan, plots, from, bias, drops);
        self.merge();
        let settings = &self.settings;
        self.tracks.retain(|track| track.is_alive(scan.captured_at, settings));
        self.shown.clear();
        let believed = self.tracks.iter().filter(|track| track.is_believed);
        self.shown.extend(believed.map(|track| track.on_ground(scan.captured_at)));
        &self.shown
    }

    /// Gives each target to a track: by its place on the body and its velocity, then those linked to such a target.
    fn assign(&mut self, plots: &[Plot]) {
        let limit2 = self.settings.gate_sigma.powi(2);
        self.owners.clear();
        self.owners.resize(plots.len(), None);
        let tracks: Vec<_> = self.tracks.iter().map(Track::now).collect();
        for (owner, plot) in self.owners.iter_mut().zip(plots) {
            let fits = tracks.iter().enumerate().filter_map(|(place, now)| Some((place, now.misfit(plot, limit2)?)));
            *owner = fits.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place);
        }
        // A body is longer than it is known to be yet.
        loop {
            let joined = (0..plots.len()).find_map(|place| {
                let is_linked = |other: &usize| {
                    let owner = self.owners[*other]?;
                    let body = &self.tracks[owner].body;
                    let may_grow = body.is_vehicle || body.is_new();
                    (may_grow && are_linked(&plots[place], &plots[*other])).then_some(owner)
                };
                let owner = self.owners[place].is_none().then(|| (0..plots.len()).find_map(|o| is_linked(&o)))??;
                Some((place, owner))
            });
            match joined {
                Some((place, owner)) => self.owners[place] = Some(owner),
                None => return,
            }
        }
    }

    /// The targets of a track, or of nobody.
    fn gather(&mut self, plots: &[Plot], owner: Option<usize>) {
        self.group.clear();
        let own = plots.iter().zip(&self.owners).filter(|(_, known)| **known == owner);
        self.group.extend(own.map(|(plot, _)| *plot));
    }

    /// Begins tracks with what is left.
    fn begin(
        &mut self,
        scan: &ScanId,
        plots: &[Plot],
        from: Vector2<f64>,
        bias: &dyn Fn(Vector2<f64>) -> Matrix2<f64>,
        drops: &mut Drops,
    ) {
        self.gather(plots, None);
        let mut left = std::mem::take(&mut self.group);
        while let Some(first) = left.pop() {
            let mut group = vec![first];
            while let Some(place) = left.iter().position(|plot| group.iter().any(|own| are_linked(plot, own))) {
                group.push(left.swap_remove(place));
            }
            if self.tracks.len() >= usize::from(self.settings.max_tracks) {
                drops.count("scan-tracks-full");
                continue;
            }
            self.last_id += 1;
            self.tracks.push(Track::new(self.last_id, scan, &group, from, bias, &self.motion));
        }
        self.group = left;
    }

    /// Of two tracks on one body the older one stays.
    fn merge(&mut self) {
        let now: Vec<_> = self.tracks.iter().map(Track::now).collect();
        let mut gone = vec![false; now.len()];
        for younger in 1..now.len() {
            for older in 0..younger {
                let beside_m = now[older].off_body(now[younger].at).norm();
                let apart_mps = (now[older].velocity - now[younger].velocity).norm();
                let is_same = beside_m < SAME_M && apart_mps < SAME_MPS;
                let is_part = beside_m < PART_OF_M && apart_mps < RIGID_MPS && now[older].velocity.norm() > RIDES_MPS;
                let is_part = is_part && self.tracks[older].body.is_vehicle_with(&self.tracks[younger].body);
                if gone[older] || !(is_same || is_part) {
                    continue;
                }
                gone[younger] = true;
                let [older, younger] = self.tracks.get_disjoint_mut([older, younger]).expect("one is before the other");
                older.is_believed |= younger.is_believed;
                if is_part && !is_same {
                    older.body.join(&younger.body);
                    older.is_joined = true;
                }
                break;
            }
        }
        let mut gone = gone.into_iter();
        self.tracks.retain(|_| !gone.next().unwrap_or(false));
    }
}

/// Whether two targets are of one body that nothing is known of.
fn are_linked(a: &Plot, b: &Plot) -> bool {
    let link_m = if a.rcs_m2.max(b.rcs_m2) < WEAK_M2 { WEAK_LINK_M } else { LINK_M };
    let is_near = (a.at - b.at).norm() <= link_m;
    // Boxes are whole already.
    let is_part = a.shape.is_none() && b.shape.is_none();
    let is_alike = match (a.velocity, b.velocity) {
        (Some(MeasuredVelocity::Radial { mps: a, .. }), Some(MeasuredVelocity::Radial { mps: b, .. })) => {
            (a - b).abs() <= LINK_MPS
        }
        _ => true,
    };
    is_near && is_part && is_alike
}

/// Where a track is now.
struct Now {
    at: Vector2<f64>,
    spread: Matrix2<f64>,
    velocity: Vector2<f64>,
    velocity_spread: Matrix2<f64>,
    /// Along and across, and half of the size along them.
    axes: Matrix2<f64>,
    half: Vector2<f64>,
}

impl Now {
    /// How far a place is beside the body.
    fn off_body(&self, place: Vector2<f64>) -> Vector2<f64> {
        let apart = self.axes.transpose() * (place - self.at);
        self.axes * (apart - apart.zip_map(&self.half, |apart, half| apart.clamp(-half, half)))
    }

    /// How badly a target fits; `None` where it does not.
    fn misfit(&self, plot: &Plot, limit2: f64) -> Option<f64> {
        let beside = self.off_body(plot.at);
        let place2 = beside.dot(&((self.spread + plot.noise).try_inverse()? * beside));
        let velocity2 = match plot.velocity {
            None => 0.0,
            Some(MeasuredVelocity::Radial { from, mps, variance }) => {
                let ray = (plot.at - Vector2::new(from.e_m, from.n_m)).try_normalize(1e-6)?;
                let variance = variance + PART_MPS.powi(2) + ray.dot(&(self.velocity_spread * ray));
                (mps - self.velocity.dot(&ray)).powi(2) / variance
            }
            Some(MeasuredVelocity::Whole(mps, noise)) => {
                let apart = Vector2::from(mps) - self.velocity;
                apart.dot(&((self.velocity_spread + matrix(&noise)).try_inverse()? * apart))
            }
        };
        // Of two bodies that it lies on, the one whose middle is nearer.
        let middle2 = 0.1 * (plot.at - self.at).norm_squared() / self.half.norm_squared().max(0.1);
        (place2 <= limit2 && velocity2 <= limit2).then_some(place2 + velocity2 + middle2)
    }
}

impl Track {
    fn new(
        id: u32,
        scan: &ScanId,
        group: &[Plot],
        from: Vector2<f64>,
        bias: &dyn Fn(Vector2<f64>) -> Matrix2<f64>,
        settings: &MotionSettings,
    ) -> Self {
        let mut body = Body::new();
        body.look(group, None, 0.0);
        let measured = measured(&body.middle(group, None, from, None), group, bias);
        let seen = Seen { position: measured.position, noise: measured.noise, velocity: measured.velocity };
        Self {
            id,
            motion: Motion::new(&seen, scan.captured_at, ObjectClass::Car, settings),
            body,
            first: *scan,
            last: *scan,
            first_at: Vector2::new(measured.position.e_m, measured.position.n_m),
            measured,
            hits: 1,
            looks: 1,
            misses: 0,
            shown: 1.0,
            radial_mps: radial_mps(group),
            strongest: strongest(group),
            resolution_m: resolution_m(group),
            is_believed: false,
            is_joined: false,
        }
    }

    fn predict(&mut self, to: Timestamp, settings: &MotionSettings) {
        let class = self.body.moves_as();
        self.motion.set_class(class, settings);
        self.motion.predict(to);
    }

    fn now(&self) -> Now {
        let position = self.motion.position();
        let axis = self.motion.yaw_rad().map(|yaw| Vector2::new(yaw.cos(), yaw.sin()));
        let extent = self.body.extent();
        let (axis, half) = match axis {
            Some(axis) => (axis, Vector2::new(extent.length_m, extent.width_m) / 2.0),
            None => (Vector2::x(), Vector2::repeat((extent.length_m + extent.width_m) / 4.0)),
        };
        Now {
            at: Vector2::new(position.e_m, position.n_m),
            spread: matrix(&self.motion.position_covariance()),
            velocity: Vector2::from(self.motion.velocity_mps()),
            velocity_spread: matrix(&self.motion.velocity_covariance()),
            axes: Matrix2::from_columns(&[axis, Vector2::new(-axis.y, axis.x)]),
            half,
        }
    }

    fn miss(&mut self) {
        self.misses = self.misses.saturating_add(1);
        self.shown -= NEWEST * self.shown;
        self.strongest = None;
    }

    fn hit(
        &mut self,
        scan: &ScanId,
        group: &[Plot],
        from: Vector2<f64>,
        bias: &dyn Fn(Vector2<f64>) -> Matrix2<f64>,
        settings: &MotionSettings,
    ) {
        let [ve, vn] = self.motion.velocity_mps();
        let yaw_rad = self.motion.yaw_rad();
        let was_vehicle = self.body.is_vehicle;
        self.body.look(group, yaw_rad, ve.hypot(vn));
        self.measured = measured(&self.body.middle(group, yaw_rad, from, Some(self.now().at)), group, bias);
        let seen =
            Seen { position: self.measured.position, noise: self.measured.noise, velocity: self.measured.velocity };
        if self.body.is_vehicle == was_vehicle && !std::mem::take(&mut self.is_joined) {
            self.motion.update(&seen, &self.measured.bias, settings);
        } else {
            // As another body than it was thought to be its middle is elsewhere; it has not moved there.
            let by = Vector2::new(seen.position.e_m, seen.position.n_m) - self.now().at;
            self.motion.shift(by);
            self.first_at += by;
        }
        self.hits += 1;
        self.misses = 0;
        self.shown += NEWEST * (1.0 - self.shown);
        self.radial_mps += (radial_mps(group) - self.radial_mps) / f64::from(self.hits.min(10));
        self.strongest = strongest(group);
        self.resolution_m = resolution_m(group);
        self.last = *scan;
    }

    /// Whether enough scans show it, and it has moved.
    fn believe(&mut self, settings: &ScanTrackerSettings) {
        if self.is_believed || self.hits < u32::from(settings.confirm_scans) || self.shown < 0.5 {
            return;
        }
        let now = self.now();
        let sigma_m = self.motion.position_covariance().ellipse().0;
        let speed_sigma_mps = self.motion.velocity_covariance().ellipse().0;
        let has_moved = (now.at - self.first_at).norm() > settings.moved_m.max(3.0 * sigma_m)
            && now.velocity.norm() > settings.moving_mps.max(2.0 * speed_sigma_mps);
        self.is_believed = has_moved || self.radial_mps.abs() > settings.moving_mps;
    }

    fn is_alive(&self, now: Timestamp, settings: &ScanTrackerSettings) -> bool {
        if self.is_believed {
            let is_vague = self.motion.position_covariance().ellipse().0 > VAGUE_M.max(2.0 * self.resolution_m);
            return self.misses == 0 || (now.seconds_since(self.last.captured_at) <= settings.coast_s && !is_vague);
        }
        self.misses < MOST_MISSES && 2 * self.hits + u32::from(MOST_MISSES) > self.looks
    }

    fn on_ground(&self, at: Timestamp) -> GroundTrack {
        let mut class_shares = [0.0; ObjectClass::ALL.len()];
        if self.body.is_vehicle {
            VEHICLES.iter().for_each(|(class, share)| class_shares[class.index()] = *share);
        }
        let class = if self.body.is_vehicle { ObjectClass::Car } else { ObjectClass::Obstacle };
        let [velocity_e_mps, velocity_n_mps] = self.motion.velocity_mps();
        let extent = self.body.extent();
        GroundTrack {
            track_id: self.id,
            class,
            class_confidence: class_shares[class.index()],
            class_shares,
            score: self.shown,
            bounding_box: None,
            detection: self.strongest,
            first_event: self.first.event,
            last_event: self.last.event,
            frame: self.last.scan,
            captured_at: self.last.captured_at,
            state_at: at,
            measured_at: self.last.captured_at,
            measured: self.measured,
            position: self.motion.position(),
            covariance: crate::perception::ground::sum(&self.motion.position_covariance(), &self.measured.bias),
            velocity_e_mps,
            velocity_n_mps,
            velocity_covariance: self.motion.velocity_covariance(),
            yaw_rad: self.motion.yaw_rad(),
            length_m: extent.length_m,
            width_m: extent.width_m,
            height_m: extent.height_m,
            first_seen: self.first.captured_at,
            hits: self.hits,
            state: if self.misses == 0 { TrackState::Confirmed } else { TrackState::Coasting },
            area: CalibratedArea::Inside,
        }
    }
}

/// What a group of targets (not empty) says of the body's middle.
fn measured(middle: &Middle, group: &[Plot], bias: &dyn Fn(Vector2<f64>) -> Matrix2<f64>) -> GroundMeasurement {
    let of = |m: &Matrix2<f64>| Covariance2 { ee_m2: m[(0, 0)], en_m2: m[(0, 1)], nn_m2: m[(1, 1)] };
    let mut radial = group.iter().filter_map(|plot| match plot.velocity {
        Some(MeasuredVelocity::Radial { from, variance, .. }) => Some((from, variance)),
        _ => None,
    });
    let velocity = match radial.next_back() {
        // The body's parts differ; their mean is the better for it.
        Some((from, variance)) => {
            let variance = (variance + 0.5 * PART_MPS.powi(2)) / (group.len() as f64).sqrt();
            Some(MeasuredVelocity::Radial { from, mps: radial_mps(group), variance })
        }
        None => group.iter().max_by(|a, b| a.area_m2().total_cmp(&b.area_m2())).and_then(|plot| plot.velocity),
    };
    GroundMeasurement {
        position: Enu::ground(middle.at.x, middle.at.y),
        noise: of(&middle.noise),
        bias: of(&(middle.bias + bias(middle.at))),
        area: CalibratedArea::Inside,
        velocity,
    }
}

/// Mean velocity along the ray, m/s; 0 of what tells none.
fn radial_mps(group: &[Plot]) -> f64 {
    let radial = group.iter().filter_map(|plot| match plot.velocity {
        Some(MeasuredVelocity::Radial { mps, .. }) => Some(mps),
        _ => None,
    });
    let (sum, count) = radial.fold((0.0, 0.0), |(sum, count), mps| (sum + mps, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Standard deviation of the place of a target along its worst axis, metres.
fn resolution_m(group: &[Plot]) -> f64 {
    let sigma_m = |plot: &Plot| plot.noise.symmetric_eigenvalues().max().max(0.0).sqrt();
    group.iter().map(sigma_m).fold(0.0, f64::max)
}

/// The place in the scan of the strongest target, or of the largest box.
fn strongest(group: &[Plot]) -> Option<u16> {
    let strength = |plot: &Plot| plot.rcs_m2 + plot.area_m2();
    group.iter().max_by(|a, b| strength(a).total_cmp(&strength(b))).map(|plot| plot.index)
}
