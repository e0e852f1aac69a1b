//! GNSS receiver and inertial unit on board, with the errors of real ones.
//!
//! In: [`Roads`] (place on the globe, buildings) and a [`Snapshot`]. Out: [`GnssReading`]s, and the same as NMEA 0183
//! ([`GnssReading::nmea`]). The receiver solves for its place from ranges to satellites, so that a street canyon acts as it
//! does: satellites behind buildings are lost or heard by a detour, geometry gets worse, the place drifts off, and below four
//! satellites there is none. Invariants: the same seed gives the same readings. Absent: ionosphere by region (it is in the
//! bias), carrier phase, corrections, spoofing.

mod imu;
mod nmea;
pub(crate) mod noise;
mod sky;

pub use imu::{AxisErrors, Imu, ImuReading, ImuSettings};

use super::fault::{Faults, SensorFault};
use crate::actor::ActorId;
use crate::buildings::Buildings;
use crate::random::Seed;
use crate::roads::Roads;
use crate::snapshot::Snapshot;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use nalgebra::{Matrix4, Point3, Vector2, Vector3, Vector4};
use noise::{GaussMarkov, gauss};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use sky::{SATELLITES, Satellite};

/// A receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct GnssSettings {
    /// Fixes a second.
    pub rate_hz: f64,
    /// White noise of a range, metres.
    pub white_m: f64,
    /// Deviation of the slow error of a range (orbit, clock, atmosphere), metres.
    pub bias_m: f64,
    /// Correlation time of that error, seconds.
    pub bias_time_s: f64,
    /// Mean detour of a signal that comes by reflection, metres.
    pub detour_m: f64,
    /// Chance that a satellite behind a building is heard by reflection rather than lost, 0 to 1.
    pub reflected: f64,
    /// White noise of the velocity, metres a second.
    pub velocity_mps: f64,
    /// Height of the antenna above the ground, metres.
    pub antenna_m: f64,
    /// Satellites lower than this are left out, degrees.
    pub mask_deg: f64,
    /// Times without any signal (tunnel, jammer): from, to, simulated seconds.
    pub outages: Vec<(f64, f64)>,
    /// What goes wrong, and when. Drift is metres an hour to the east.
    pub faults: Vec<SensorFault>,
}

impl Default for GnssSettings {
    /// A consumer receiver of several constellations: about 1.5 m under an open sky.
    fn default() -> Self {
        Self {
            rate_hz: 10.0,
            white_m: 0.3,
            bias_m: 1.2,
            bias_time_s: 200.0,
            detour_m: 12.0,
            reflected: 0.5,
            velocity_mps: 0.05,
            antenna_m: 1.5,
            mask_deg: 10.0,
            outages: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// What a receiver says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GnssReading {
    /// When, simulated seconds.
    pub time_s: f64,
    /// The fix; `None` with too few satellites.
    pub fix: Option<GnssFix>,
    /// Satellites used.
    pub satellites: u8,
}

/// A place and a velocity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GnssFix {
    /// Place of the antenna, ENU metres of the network.
    pub position: Point3<f64>,
    /// The same on the globe.
    pub wgs84: Wgs84,
    /// East and north, metres a second.
    pub velocity_mps: Vector2<f64>,
    /// What the receiver believes its deviations are: east, north, up; metres.
    pub deviation_m: [f64; 3],
    /// Horizontal dilution of precision.
    pub hdop: f64,
}

#[derive(Clone, Debug)]
struct Channel {
    satellite: Satellite,
    bias: GaussMarkov,
    /// Whether it is heard while a building hides it, decided anew from time to time.
    reflected: bool,
    detour: GaussMarkov,
    until_s: f64,
}

/// A receiver in use.
#[derive(Clone, Debug)]
pub struct Gnss {
    settings: GnssSettings,
    luck: Pcg64Mcg,
    buildings: std::sync::Arc<Buildings>,
    frame: SiteFrame,
    channels: Vec<Channel>,
    last: Option<GnssReading>,
}

/// Reflections come and go within about this time, seconds.
const REFLECTION_S: f64 = 4.0;
/// Buildings farther away than this hide no satellite, metres.
const HORIZON_M: f64 = 120.0;
/// A network that says nothing of the globe is put here.
const NOWHERE: Wgs84 = Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 34.0 };

impl Gnss {
    /// A receiver on a network; `number` tells it from other receivers of the run.
    pub fn new(settings: GnssSettings, roads: &Roads, seed: Seed, number: u64) -> Self {
        let mut luck = seed.stream("gnss", number);
        let channels = SATELLITES.iter().map(|satellite| Channel {
            satellite: *satellite,
            bias: GaussMarkov::new(settings.bias_m, settings.bias_time_s, &mut luck),
            reflected: false,
            detour: GaussMarkov::new(1.0, REFLECTION_S, &mut luck),
            until_s: f64::NEG_INFINITY,
        });
        let channels = channels.collect();
        let frame = SiteFrame::new(roads.geo.map_or(NOWHERE, |geo| geo.origin));
        let buildings = std::sync::Arc::new(Buildings::new(&roads.buildings));
        Self { settings, luck, buildings, frame, channels, last: None }
    }

    /// What it says on board of `carrier`, when a fix is due. `None` between fixes, while silent, and without the carrier.
    pub fn measure(&mut self, snapshot: &Snapshot, carrier: ActorId) -> Option<GnssReading> {
        let time_s = snapshot.time_s;
        let step_s = self.last.map_or(1.0 / self.settings.rate_hz, |last| time_s - last.time_s);
        if self.last.is_some() && step_s + 1e-6 < 1.0 / self.settings.rate_hz {
            return None;
        }
        let actor = snapshot.actor(carrier)?;
        let faults = Faults::at(&self.settings.faults, time_s, &mut self.luck);
        let antenna = actor.pose.position + Vector3::z() * (self.settings.antenna_m.max(0.1));
        let dark = self.settings.outages.iter().any(|(from_s, to_s)| (*from_s..*to_s).contains(&time_s));
        let ranges = self.ranges(antenna, time_s, step_s);
        let satellites = if dark { 0 } else { ranges.len() as u8 };
        let solved = if dark { None } else { solve(&ranges) };
        let velocity = {
            let (sin, cos) = actor.pose.yaw_rad.sin_cos();
            let noise = self.settings.velocity_mps;
            Vector2::new(cos, sin) * actor.speed_mps
                + Vector2::new(gauss(&mut self.luck), gauss(&mut self.luck)) * noise
        };
        let fix = solved.map(|solution| {
            let position = antenna + solution.error_m + Vector3::x() * faults.drift;
            // The receiver knows its noise and geometry but not its reflections.
            let range_m = self.settings.white_m.hypot(self.settings.bias_m);
            GnssFix {
                position,
                wgs84: self.frame.to_wgs84(Enu { e_m: position.x, n_m: position.y, u_m: position.z }),
                velocity_mps: velocity,
                deviation_m: solution.dilution.map(|dilution| dilution * range_m),
                hdop: solution.dilution[0].hypot(solution.dilution[1]),
            }
        });
        let mut reading = GnssReading { time_s, fix, satellites };
        if let Some(last) = self.last.filter(|_| faults.stuck) {
            reading = GnssReading { time_s, ..last };
        }
        self.last = Some(reading);
        (!faults.silent).then_some(reading)
    }

    /// Direction to each satellite that is heard, and the error of its range.
    fn ranges(&mut self, antenna: Point3<f64>, time_s: f64, step_s: f64) -> Vec<(Vector3<f64>, f64)> {
        let mut heard = Vec::with_capacity(self.channels.len());
        let mut hits = Vec::new();
        for channel in &mut self.channels {
            let bias = channel.bias.step(step_s, &mut self.luck);
            let detour = channel.detour.step(step_s, &mut self.luck);
            let white = self.settings.white_m * gauss(&mut self.luck);
            let (draw, change): (f64, f64) = (self.luck.random(), self.luck.random());
            if time_s >= channel.until_s {
                channel.reflected = draw < self.settings.reflected;
                channel.until_s = time_s + REFLECTION_S * (0.5 + change);
            }
            let direction = channel.satellite.direction(time_s);
            if direction.z < self.settings.mask_deg.to_radians().sin() {
                continue;
            }
            let level = direction.xy().norm();
            let far = antenna.xy() + direction.xy() / level.max(1e-6) * HORIZON_M;
            let rise = direction.z / level.max(1e-6);
            let hidden =
                level > 1e-6 && self.buildings.first(antenna.xy(), far, &mut hits, |d| antenna.z + d * rise).is_some();
            if !hidden {
                heard.push((direction, bias + white));
            } else if channel.reflected {
                heard.push((direction, bias + white + self.settings.detour_m * detour.abs() / 0.8));
            }
        }
        heard
    }
}

struct Solution {
    /// Solved minus true place.
    error_m: Vector3<f64>,
    /// East, north and up deviation for a range deviation of 1 m.
    dilution: [f64; 3],
}

/// Least squares for place and clock; `None` below four satellites or when they stand in a line.
fn solve(ranges: &[(Vector3<f64>, f64)]) -> Option<Solution> {
    if ranges.len() < 4 {
        return None;
    }
    let (mut normal, mut right) = (Matrix4::zeros(), Vector4::zeros());
    for (direction, error) in ranges {
        // Low satellites are heard worse.
        let weight = direction.z.max(0.1).powi(2);
        let row = Vector4::new(-direction.x, -direction.y, -direction.z, 1.0);
        normal += row * row.transpose() * weight;
        right += row * (*error * weight);
    }
    let inverse = normal.try_inverse()?;
    let unweighted: Matrix4<f64> = ranges
        .iter()
        .map(|(d, _)| Vector4::new(-d.x, -d.y, -d.z, 1.0))
        .fold(Matrix4::zeros(), |sum, row| sum + row * row.transpose());
    let spread = unweighted.try_inverse()?;
    let dilution = [0, 1, 2].map(|i| spread[(i, i)].max(0.0).sqrt());
    let solution = inverse * right;
    (dilution.iter().all(|d| *d < 30.0)).then_some(Solution { error_m: solution.xyz(), dilution })
}

#[cfg(test)]
pub(crate) mod tests;
