//! A lidar that turns: beams at fixed angles, points with range, intensity and the actor they hit.
//!
//! In: [`Roads`] (buildings), a [`Snapshot`], the pose of the device. Out: a [`LidarScan`] and its PCD file. A ray is cast for
//! each beam and azimuth, against the ground, walls, and boxes of actors (cars of two boxes). An echo is noticed when enough
//! of it comes back: reflectance, angle, range, and what fog and rain take (Koschmieder; Carbonneau). Invariants: the same
//! seed gives the same points on any number of threads. Absent: turning during a scan, second echoes, spray, meshes.

pub(crate) mod cast;
mod pcd;

use super::fault::{Faults, SensorFault};
use super::gnss::noise::gauss;
use crate::actor::{ActorId, Pose};
use crate::buildings::Buildings;
use crate::random::Seed;
use crate::roads::Roads;
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use cast::{Cast, Solid};
use nalgebra::{Point3, Rotation3, Vector3};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A lidar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LidarSettings {
    /// Beams.
    pub beams: u16,
    /// Lowest and highest beam against the horizon of the device, degrees.
    pub elevation_deg: (f64, f64),
    /// Leftmost and rightmost azimuth against the device's x axis, counter-clockwise, degrees; −180 and 180 for all round.
    pub azimuth_deg: (f64, f64),
    /// Angle from ray to ray, degrees.
    pub step_deg: f64,
    /// Scans a second.
    pub rate_hz: f64,
    /// Range at which a surface of 10 % reflectance is just noticed, metres.
    pub range_m: f64,
    /// Deviation of a range, metres.
    pub range_error_m: f64,
    /// Share of echoes that are lost anyhow, 0 to 1.
    pub dropout: f64,
    /// What goes wrong, and when. Drift: metres an hour on every range.
    pub faults: Vec<SensorFault>,
}

impl Default for LidarSettings {
    /// 32 beams, 0.2°, 10 Hz.
    fn default() -> Self {
        Self {
            beams: 32,
            elevation_deg: (-25.0, 15.0),
            azimuth_deg: (-180.0, 180.0),
            step_deg: 0.2,
            rate_hz: 10.0,
            range_m: 100.0,
            range_error_m: 0.02,
            dropout: 0.005,
            faults: Vec::new(),
        }
    }
}

/// A point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LidarPoint {
    /// In the device's axes (x forward, y left, z up), metres.
    pub position: Point3<f32>,
    /// Strength of the echo corrected for range, 0 to 1.
    pub intensity: f32,
    /// Beam, from the lowest.
    pub ring: u16,
    /// The actor it hit; `None` for ground, buildings, drops of water.
    pub instance: Option<ActorId>,
}

/// A scan.
#[derive(Clone, Debug, PartialEq)]
pub struct LidarScan {
    /// When, simulated seconds.
    pub time_s: f64,
    /// Where the device was.
    pub pose: Pose,
    /// By azimuth, then beam.
    pub points: Vec<LidarPoint>,
}

/// A lidar in use.
#[derive(Debug)]
pub struct Lidar {
    settings: LidarSettings,
    seed: Seed,
    number: u64,
    buildings: Buildings,
    scans: u64,
    last: Option<LidarScan>,
}

/// Most rays of a scan.
const MOST_RAYS: usize = 4_000_000;
/// Reflectance of the ground and of walls.
const GROUND: f64 = 0.12;
const WALL: f64 = 0.3;
/// Nothing nearer is seen, metres.
const NEAR_M: f64 = 0.4;

/// Loss of light on the way, one way, per metre.
fn extinction_per_m(weather: &Weather) -> f64 {
    // Koschmieder's 3.912 at 5 % contrast; Carbonneau's 1.076 R^0.67 dB/km.
    let fog = 3.912 / weather.visibility_m.max(5.0);
    let rain_db_per_km = 1.076 * weather.rain_mm_per_h.max(0.0).powf(0.67);
    fog + rain_db_per_km / 4343.0
}

impl Lidar {
    /// A lidar on a network; `number` tells it from other lidars of the run.
    pub fn new(settings: LidarSettings, roads: &Roads, seed: Seed, number: u64) -> Self {
        Self { settings, seed, number, buildings: Buildings::new(&roads.buildings), scans: 0, last: None }
    }

    /// A scan from `pose` (position: the device's own, above the ground of z = 0), when one is due. `carrier` is not seen.
    pub fn measure(&mut self, snapshot: &Snapshot, pose: Pose, carrier: Option<ActorId>) -> Option<LidarScan> {
        let due_s = self.last.as_ref().map_or(f64::NEG_INFINITY, |last| last.time_s + 1.0 / self.settings.rate_hz);
        if snapshot.time_s + 1e-6 < due_s {
            return None;
        }
        self.scans += 1;
        let mut luck = self.seed.stream("lidar", self.number << 40 | self.scans);
        let faults = Faults::at(&self.settings.faults, snapshot.time_s, &mut luck);
        let mut scan = LidarScan { time_s: snapshot.time_s, pose, points: Vec::new() };
        match self.last.as_ref().filter(|_| faults.stuck) {
            Some(last) => scan.points.clone_from(&last.points),
            None => scan.points = self.scan(snapshot, &pose, carrier, faults.drift),
        }
        self.last = Some(scan.clone());
        (!faults.silent).then_some(scan)
    }

    fn scan(&self, snapshot: &Snapshot, pose: &Pose, carrier: Option<ActorId>, drift_m: f64) -> Vec<LidarPoint> {
        let settings = &self.settings;
        let (from_deg, to_deg) = settings.azimuth_deg;
        let step_deg = settings.step_deg.max(0.01);
        let most = MOST_RAYS / usize::from(settings.beams.max(1));
        let columns = (((to_deg - from_deg) / step_deg).floor().max(0.0) as usize).min(most);
        let (low, high) = settings.elevation_deg;
        let elevations: Vec<f64> = (0..settings.beams)
            .map(|beam| {
                let share = if settings.beams > 1 { f64::from(beam) / f64::from(settings.beams - 1) } else { 0.5 };
                (low + (high - low) * share).to_radians()
            })
            .collect();
        // Enough for the brightest surface.
        let reach_m = settings.range_m * 3.0;
        let solids: Vec<Solid> = snapshot
            .actors
            .iter()
            .filter(|actor| Some(actor.id) != carrier)
            .filter(|actor| (actor.pose.position - pose.position).norm() < reach_m + actor.size.length_m)
            .flat_map(cast::solids)
            .collect();
        let rotation = Rotation3::from_axis_angle(&Vector3::z_axis(), pose.yaw_rad)
            * Rotation3::from_axis_angle(&Vector3::y_axis(), -pose.pitch_rad);
        let extinction = extinction_per_m(&snapshot.weather);
        // What comes back from 10 % at the nominal range in clear air is just noticed.
        let threshold = 0.1 / settings.range_m.powi(2);
        let column = |column: usize| -> Vec<LidarPoint> {
            let stream = self.number << 40 ^ self.scans << 16 ^ column as u64;
            let mut luck = self.seed.stream("lidar noise", stream);
            let azimuth = (from_deg + step_deg * column as f64).to_radians();
            let mut cast = Cast::new(&solids, &self.buildings, pose.position, reach_m);
            let mut points = Vec::new();
            for (elevation, ring) in elevations.iter().zip(0u16..) {
                let local =
                    Vector3::new(azimuth.cos() * elevation.cos(), azimuth.sin() * elevation.cos(), elevation.sin());
                let (error, lost, drop): (f64, f64, f64) = (gauss(&mut luck), luck.random(), luck.random());
                // A drop of water close by throws light back now and then.
                let scattered = -(1.0 - drop).ln() / (extinction * 0.02).max(1e-9);
                let hit = cast.first(rotation * local);
                let echo = match hit {
                    Some(hit) if hit.distance_m < scattered => {
                        let power = hit.reflectance * hit.cosine / hit.distance_m.powi(2)
                            * (-2.0 * extinction * hit.distance_m).exp();
                        let intensity = hit.reflectance * hit.cosine * (-2.0 * extinction * hit.distance_m).exp();
                        (power > threshold && hit.distance_m > NEAR_M).then_some((
                            hit.distance_m,
                            intensity,
                            hit.instance,
                        ))
                    }
                    // A drop: weak, so only near.
                    _ if scattered < 25.0 && scattered > NEAR_M => Some((scattered, 0.02, None)),
                    _ => None,
                };
                if let Some((distance_m, intensity, instance)) = echo.filter(|_| lost >= settings.dropout) {
                    let measured = distance_m + settings.range_error_m * error + drift_m;
                    points.push(LidarPoint {
                        position: Point3::from((local * measured).cast::<f32>()),
                        intensity: intensity.clamp(0.0, 1.0) as f32,
                        ring,
                        instance,
                    });
                }
            }
            points
        };
        let columns: Vec<Vec<LidarPoint>> = (0..columns).into_par_iter().with_min_len(32).map(column).collect();
        columns.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{Actor, ActorKind};
    use crate::roads::Building;
    use crate::sensors::FaultKind;
    use crate::sensors::gnss::tests::car;
    use nalgebra::Point2;

    fn roadside() -> Pose {
        Pose { position: Point3::new(0.0, 0.0, 4.0), yaw_rad: 0.0, pitch_rad: 0.0 }
    }

    fn still() -> LidarSettings {
        LidarSettings { range_error_m: 0.0, dropout: 0.0, ..LidarSettings::default() }
    }

    fn scan(settings: LidarSettings, actors: Vec<Actor>, weather: Weather, buildings: Vec<Building>) -> LidarScan {
        let roads = Roads { buildings, ..Roads::default() };
        let mut lidar = Lidar::new(settings, &roads, Seed(1), 0);
        lidar.measure(&Snapshot { actors, weather, ..Snapshot::default() }, roadside(), None).unwrap()
    }

    fn of_actor(scan: &LidarScan) -> Vec<Point3<f32>> {
        scan.points.iter().filter(|point| point.instance.is_some()).map(|point| point.position).collect()
    }

    fn clear() -> Weather {
        Weather { visibility_m: 1e9, ..Weather::default() }
    }

    #[test]
    fn points_lie_on_what_is_there() {
        let scan = scan(still(), vec![car(20.0, 0.0, 0.0)], clear(), Vec::new());
        let on_car = of_actor(&scan);
        assert!(on_car.len() > 100, "{}", on_car.len());
        for point in &on_car {
            // The rear of the car is at 17.8 m, its sides at ±0.9 m, its roof 2.5 m below the device.
            assert!((17.79..22.21).contains(&point.x) && point.y.abs() < 0.91, "{point}");
            assert!((-4.001..=-2.499).contains(&point.z), "{point}");
        }
        let ground = scan.points.iter().filter(|point| point.instance.is_none());
        assert!(ground.clone().count() > 5_000 && ground.clone().all(|p| (p.position.z + 4.0).abs() < 1e-3));
        // Nothing on the ground in the car's shadow.
        assert!(!ground.clone().any(|p| (18.0..24.0).contains(&p.position.x) && p.position.y.abs() < 0.6));
    }

    #[test]
    fn walls_hide() {
        let corners = [(10.0, -5.0), (12.0, -5.0), (12.0, 5.0), (10.0, 5.0)].map(|(x, y)| Point2::new(x, y));
        let wall = Building { outline: corners.to_vec(), height_m: 8.0 };
        let scan = scan(still(), vec![car(20.0, 0.0, 0.0)], clear(), vec![wall]);
        assert!(of_actor(&scan).is_empty());
        assert!(scan.points.iter().any(|p| (p.position.x - 10.0).abs() < 1e-3 && p.position.z > 0.5));
    }

    #[test]
    fn fog_and_rain_cost_range() {
        let at = |x: f64, weather: Weather| of_actor(&scan(still(), vec![car(x, 0.0, 0.0)], weather, Vec::new())).len();
        let fog = Weather { visibility_m: 60.0, ..Weather::default() };
        let rain = Weather { rain_mm_per_h: 40.0, visibility_m: 1e9, ..Weather::default() };
        assert!(at(70.0, clear()) > 5 && at(70.0, fog) == 0, "{} {}", at(70.0, clear()), at(70.0, fog));
        assert!(at(15.0, fog) > 50);
        assert!(at(20.0, rain) <= at(20.0, clear()));
        // Drops throw light back close to the device.
        let drops = scan(still(), Vec::new(), fog, Vec::new());
        assert!(drops.points.iter().filter(|p| p.position.z > -3.0 && p.position.coords.norm() < 25.0).count() > 20);
    }

    #[test]
    fn threads_change_nothing_and_faults_act() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| scan(LidarSettings::default(), vec![car(20.0, 3.0, 0.0)], Weather::default(), Vec::new()))
        };
        let one = run(1);
        assert_eq!(one, run(2));
        let deviation = of_actor(&one).iter().map(|p| f64::from(p.x) - 17.8).fold(f64::INFINITY, f64::min);
        assert!(deviation < 0.0 && deviation > -0.15, "{deviation}");
        let stuck = SensorFault { kind: FaultKind::Stuck, from_s: 0.05, until_s: None };
        let mut lidar = Lidar::new(LidarSettings { faults: vec![stuck], ..still() }, &Roads::default(), Seed(1), 0);
        let at = |time_s, x| Snapshot { time_s, actors: vec![car(x, 0.0, 0.0)], ..Snapshot::default() };
        let first = lidar.measure(&at(0.0, 20.0), roadside(), None).unwrap();
        assert!(lidar.measure(&at(0.05, 25.0), roadside(), None).is_none());
        assert_eq!(lidar.measure(&at(0.1, 30.0), roadside(), None).unwrap().points, first.points);
    }

    #[test]
    fn a_person_is_seen_and_the_carrier_is_not() {
        let mut person = car(12.0, 0.0, 0.0);
        (person.kind, person.size, person.id) = (ActorKind::Adult, ActorKind::Adult.usual_size(), ActorId(7));
        let roads = Roads::default();
        let mut lidar = Lidar::new(still(), &roads, Seed(1), 0);
        let snapshot = Snapshot { actors: vec![car(0.0, 0.0, 0.0), person], weather: clear(), ..Snapshot::default() };
        let pose = Pose { position: Point3::new(0.0, 0.0, 1.9), yaw_rad: 0.0, pitch_rad: 0.0 };
        let scan = lidar.measure(&snapshot, pose, Some(ActorId(1))).unwrap();
        let seen: std::collections::BTreeSet<_> = scan.points.iter().filter_map(|point| point.instance).collect();
        assert_eq!(seen, [ActorId(7)].into());
    }
}
