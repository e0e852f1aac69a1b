//! A radar at 77 GHz: range, azimuth, radial velocity and cross section of what it detects.
//!
//! In: [`Roads`] (buildings), a [`Snapshot`], the pose of the device. Out: a [`RadarReading`]. Each actor has a few scattering
//! places whose cross section depends on kind and aspect; power follows the radar equation, detection Swerling's first case.
//! What falls into one cell of range, azimuth and velocity is one detection. Walls hide, and mirror targets (ghosts); clutter
//! is drawn. Each detection says what it truly is, for judging trackers. Absent: elevation, ambiguities, interference.

mod echo;

use super::fault::{Faults, SensorFault};
use super::gnss::noise::gauss;
use crate::actor::{ActorId, Pose};
use crate::buildings::Buildings;
use crate::geometry::angle_between;
use crate::random::Seed;
use crate::roads::Roads;
use crate::snapshot::Snapshot;
use echo::{Echo, echoes, ghosts, is_hidden};
use nalgebra::Vector2;
use rand::RngExt;
use rand_distr::{Distribution, Poisson};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A radar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RadarSettings {
    /// Readings a second.
    pub rate_hz: f64,
    /// Greatest range, metres.
    pub longest_m: f64,
    /// Half of the field of view, degrees.
    pub half_view_deg: f64,
    /// Range at which a target of 10 dBsm is detected nine times of ten, metres.
    pub range_m: f64,
    /// Cells: range, metres.
    pub cell_m: f64,
    /// Cells: azimuth, degrees.
    pub cell_deg: f64,
    /// Cells: radial velocity, metres a second.
    pub cell_mps: f64,
    /// False detections in a reading.
    pub clutter: f64,
    /// What goes wrong, and when. Drift: metres an hour on every range.
    pub faults: Vec<SensorFault>,
}

impl Default for RadarSettings {
    /// A roadside radar of middle range.
    fn default() -> Self {
        Self {
            rate_hz: 15.0,
            longest_m: 200.0,
            half_view_deg: 60.0,
            range_m: 160.0,
            cell_m: 0.5,
            cell_deg: 2.0,
            cell_mps: 0.2,
            clutter: 0.5,
            faults: Vec::new(),
        }
    }
}

/// What a detection truly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An actor.
    Target(ActorId),
    /// An actor's mirror image in a wall.
    Ghost(ActorId),
    /// Nothing.
    Clutter,
}

/// A detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadarDetection {
    /// From the device, metres.
    pub range_m: f64,
    /// Against the device's x axis, counter-clockwise, radians.
    pub azimuth_rad: f64,
    /// Away from the device is positive, metres a second.
    pub radial_mps: f64,
    /// Radar cross section, decibels above a square metre.
    pub rcs_dbsm: f64,
    /// Signal above noise, decibels.
    pub snr_db: f64,
    /// What it truly is; nothing that a radar says.
    pub origin: Origin,
}

/// What a radar says.
#[derive(Clone, Debug, PartialEq)]
pub struct RadarReading {
    /// When, simulated seconds.
    pub time_s: f64,
    /// By range.
    pub detections: Vec<RadarDetection>,
}

/// A radar in use.
#[derive(Debug)]
pub struct Radar {
    settings: RadarSettings,
    seed: Seed,
    number: u64,
    buildings: Buildings,
    readings: u64,
    last: Option<RadarReading>,
}

/// Chance of a false alarm in a cell.
const FALSE_ALARM: f64 = 1e-6;
/// Signal above noise at which Swerling's first case is detected nine times of ten at that rate, decibels.
const NINE_OF_TEN_DB: f64 = 21.1;

/// A target that falls into a cell: strength and weighted sums.
#[derive(Clone, Copy, Debug)]
struct Cell {
    power: f64,
    strongest: f64,
    range: f64,
    azimuth: f64,
    radial: f64,
    origin: Origin,
}

impl Radar {
    /// A radar on a network; `number` tells it from other radars of the run.
    pub fn new(settings: RadarSettings, roads: &Roads, seed: Seed, number: u64) -> Self {
        Self { settings, seed, number, buildings: Buildings::new(&roads.buildings), readings: 0, last: None }
    }

    /// A reading from `pose`, when one is due; `velocity_mps` is the device's own (east, north), `carrier` is not seen.
    pub fn measure(
        &mut self,
        snapshot: &Snapshot,
        pose: Pose,
        velocity_mps: Vector2<f64>,
        carrier: Option<ActorId>,
    ) -> Option<RadarReading> {
        let due_s = self.last.as_ref().map_or(f64::NEG_INFINITY, |last| last.time_s + 1.0 / self.settings.rate_hz);
        if snapshot.time_s + 1e-6 < due_s {
            return None;
        }
        self.readings += 1;
        let mut luck = self.seed.stream("radar", self.number << 40 | self.readings);
        let faults = Faults::at(&self.settings.faults, snapshot.time_s, &mut luck);
        let mut reading = RadarReading { time_s: snapshot.time_s, detections: Vec::new() };
        match self.last.as_ref().filter(|_| faults.stuck) {
            Some(last) => reading.detections.clone_from(&last.detections),
            None => {
                reading.detections = self.detect(snapshot, &pose, velocity_mps, carrier, &mut luck);
                reading.detections.iter_mut().for_each(|detection| detection.range_m += faults.drift);
            }
        }
        self.last = Some(reading.clone());
        (!faults.silent).then_some(reading)
    }

    fn detect(
        &self,
        snapshot: &Snapshot,
        pose: &Pose,
        own_mps: Vector2<f64>,
        carrier: Option<ActorId>,
        luck: &mut Pcg64Mcg,
    ) -> Vec<RadarDetection> {
        let settings = &self.settings;
        // Rain takes 0.56 R^0.85 dB a kilometre: 10 dB at 30 mm/h, about what ITU-R P.838 gives at 77 GHz; both ways.
        let rain_db_per_m = 2.0 * 0.56 * snapshot.weather.rain_mm_per_h.max(0.0).powf(0.85) / 1000.0;
        let mut cells: BTreeMap<(i64, i64, i64), Cell> = BTreeMap::new();
        for actor in snapshot.actors.iter().filter(|actor| Some(actor.id) != carrier) {
            if (actor.pose.position.xy() - pose.position.xy()).norm() > settings.longest_m + actor.size.length_m {
                continue;
            }
            let mut seen: Vec<(Echo, Origin)> = Vec::new();
            for echo in echoes(actor, pose.position.xy()) {
                if !is_hidden(&self.buildings, &snapshot.actors, actor.id, pose.position.xy(), echo.at) {
                    seen.push((echo, Origin::Target(actor.id)));
                }
                for ghost in ghosts(&self.buildings, pose.position.xy(), &echo) {
                    seen.push((ghost, Origin::Ghost(actor.id)));
                }
            }
            for (echo, origin) in seen {
                self.add(&mut cells, pose, own_mps, rain_db_per_m, echo, origin, luck);
            }
        }
        let mut detections: Vec<RadarDetection> =
            cells.into_values().filter_map(|cell| self.decide(cell, rain_db_per_m, luck)).collect();
        let clutter = Poisson::new(settings.clutter.max(1e-9)).map_or(0.0, |poisson| poisson.sample(luck));
        for _ in 0..clutter.min(1000.0) as u32 {
            let half = settings.half_view_deg.to_radians();
            detections.push(RadarDetection {
                range_m: luck.random_range(1.0..=settings.longest_m.max(2.0)),
                azimuth_rad: luck.random_range(-half..=half),
                radial_mps: 8.0 * gauss(luck),
                rcs_dbsm: -8.0 + 4.0 * gauss(luck),
                snr_db: 14.0 + 2.0 * gauss(luck).abs(),
                origin: Origin::Clutter,
            });
        }
        detections.sort_by(|a, b| a.range_m.total_cmp(&b.range_m));
        detections
    }

    /// Signal above noise of a cross section at a range, decibels.
    fn snr_db(&self, rcs_dbsm: f64, range_m: f64, rain_db_per_m: f64) -> f64 {
        let away = 40.0 * (range_m / self.settings.range_m).log10();
        NINE_OF_TEN_DB + rcs_dbsm - 10.0 - away - rain_db_per_m * range_m
    }

    #[expect(clippy::too_many_arguments, reason = "one echo on its way into its cell")]
    fn add(
        &self,
        cells: &mut BTreeMap<(i64, i64, i64), Cell>,
        pose: &Pose,
        own_mps: Vector2<f64>,
        rain_db_per_m: f64,
        echo: Echo,
        origin: Origin,
        luck: &mut Pcg64Mcg,
    ) {
        let settings = &self.settings;
        let to = echo.at - pose.position.xy();
        let range = to.norm();
        let azimuth = angle_between(to.y.atan2(to.x), pose.yaw_rad);
        if !(1.0..=settings.longest_m).contains(&range) || azimuth.abs() > settings.half_view_deg.to_radians() {
            return;
        }
        // Limbs and wheels move against the body.
        let radial = (echo.velocity - own_mps).dot(&(to / range)) + echo.flutter_mps * gauss(luck);
        // Less gain towards the edge of the view.
        let edge_db = 6.0 * (azimuth / settings.half_view_deg.to_radians()).powi(2);
        let power = 10f64.powf(self.snr_db(echo.rcs_dbsm - edge_db, range, rain_db_per_m) / 10.0);
        let place = |value: f64, cell: f64| (value / cell.max(1e-6)).floor() as i64;
        let key = (
            place(range, settings.cell_m),
            place(azimuth.to_degrees(), settings.cell_deg),
            place(radial, settings.cell_mps),
        );
        let cell = cells.entry(key).or_insert(Cell {
            power: 0.0,
            strongest: 0.0,
            range: 0.0,
            azimuth: 0.0,
            radial: 0.0,
            origin,
        });
        cell.power += power;
        cell.range += power * range;
        cell.azimuth += power * azimuth;
        cell.radial += power * radial;
        if power > cell.strongest {
            (cell.strongest, cell.origin) = (power, origin);
        }
    }

    /// Whether a cell is detected, and with what errors.
    fn decide(&self, cell: Cell, rain_db_per_m: f64, luck: &mut Pcg64Mcg) -> Option<RadarDetection> {
        // Swerling 1: the cross section of a look is exponential, so this is the chance to be above the threshold.
        let chance = (FALSE_ALARM.ln() / (1.0 + cell.power)).exp();
        let (drawn, range_error, azimuth_error, radial_error, rcs_error) =
            (luck.random::<f64>(), gauss(luck), gauss(luck), gauss(luck), gauss(luck));
        if drawn >= chance {
            return None;
        }
        let range = cell.range / cell.power;
        // Accuracy within a cell grows with the root of the signal; never better than a twentieth of it.
        let sharpness = (1.0 / (2.0 * cell.power).sqrt()).clamp(0.05, 0.5);
        let snr_db = 10.0 * cell.power.log10();
        let rcs_dbsm = snr_db - self.snr_db(0.0, range, rain_db_per_m) + 1.5 * rcs_error;
        Some(RadarDetection {
            range_m: range + self.settings.cell_m * sharpness * range_error,
            azimuth_rad: cell.azimuth / cell.power + (self.settings.cell_deg * sharpness * azimuth_error).to_radians(),
            radial_mps: cell.radial / cell.power + self.settings.cell_mps * sharpness * radial_error,
            rcs_dbsm,
            snr_db,
            origin: cell.origin,
        })
    }
}

#[cfg(test)]
mod tests;
