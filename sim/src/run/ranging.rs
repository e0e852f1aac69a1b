//! Radars and lidars of stations: from the world to what the node is told.
//!
//! In: a snapshot. Out: the event that a device's scan becomes, once its latency has passed. A lidar's points become objects
//! here, by the node's own segmentation: in a real station that happens outside the core, too.

use crate::actor::Pose;
use crate::random::Seed;
use crate::roads::Roads;
use crate::scenario::{LidarSettings, RadarSettings, StationSettings};
use crate::sensors::lidar::Lidar;
use crate::sensors::radar::Radar;
use crate::snapshot::Snapshot;
use masa_edge_node::event::{EventBody, ObjectList, RadarScan, RadarTarget, SourceId};
use masa_edge_node::perception::lidar::{LidarSettings as SiteLidar, SegmentSettings, segment};
use masa_edge_node::perception::radar::{RadarSettings as SiteRadar, RangeKind};
use masa_edge_node::perception::ranging::ScanTrackerSettings;
use masa_v2x_proto::geo::yaw_to_heading_rad;
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Point3, Vector2};

/// Typical error of a measurement within a cell of a radar, share.
const OF_A_CELL: f64 = 0.35;

/// A radar or lidar of a station.
#[derive(Debug)]
pub(super) struct RangingRig {
    pub(super) station: usize,
    pub(super) source: SourceId,
    pub(super) latency_ns: i64,
    pose: Pose,
    device: Device,
    scans: u64,
}

#[derive(Debug)]
enum Device {
    Radar(Radar),
    Lidar(Lidar, SegmentSettings),
}

/// The devices of a station, in the order of its configuration; `sources` are those that it gives them.
pub(super) fn rigs(
    station: usize,
    settings: &StationSettings,
    sources: impl Iterator<Item = SourceId>,
    roads: &Roads,
    seed: Seed,
) -> Vec<RangingRig> {
    let number = |place: usize| (station as u64) << 16 | place as u64;
    let radars = settings.radars.iter().enumerate().map(|(place, radar)| {
        let device = Device::Radar(Radar::new(radar.device.clone(), roads, seed, number(place)));
        (device, pose(radar.position_m, radar.look_at_m, 0.0), radar.latency_ms)
    });
    let lidars = settings.lidars.iter().enumerate().map(|(place, lidar)| {
        let segment =
            SegmentSettings { height_m: lidar.position_m[2], down_deg: lidar.down_deg, ..SegmentSettings::default() };
        let device = Device::Lidar(Lidar::new(lidar.device.clone(), roads, seed, number(place)), segment);
        (device, pose(lidar.position_m, lidar.look_at_m, lidar.down_deg), lidar.latency_ms)
    });
    let devices = radars.chain(lidars).zip(sources);
    let rig = |((device, pose, latency_ms), source): ((Device, Pose, f64), SourceId)| {
        let latency_ns = (latency_ms * 1e6) as i64;
        RangingRig { station, source, latency_ns, pose, device, scans: 0 }
    };
    devices.map(rig).collect()
}

impl RangingRig {
    /// What the device says of a snapshot that it takes at `captured_at` by its station's clock, when a scan is due.
    pub(super) fn scan(&mut self, snapshot: &Snapshot, captured_at: Timestamp) -> Option<EventBody> {
        let scan = self.scans + 1;
        let body = match &mut self.device {
            Device::Radar(radar) => {
                let reading = radar.measure(snapshot, self.pose, Vector2::zeros(), None)?;
                let targets = reading.detections.iter().map(|detection| RadarTarget {
                    range_m: detection.range_m as f32,
                    azimuth_rad: detection.azimuth_rad as f32,
                    radial_mps: detection.radial_mps as f32,
                    rcs_dbsm: detection.rcs_dbsm as f32,
                });
                EventBody::RadarScan(RadarScan { scan, captured_at, targets: targets.collect() })
            }
            Device::Lidar(lidar, settings) => {
                let reading = lidar.measure(snapshot, self.pose, None)?;
                let points: Vec<[f32; 3]> = reading.points.iter().map(|point| point.position.into()).collect();
                EventBody::ObjectList(ObjectList { scan, captured_at, objects: segment(&points, settings) })
            }
        };
        self.scans = scan;
        Some(body)
    }
}

fn pose([e_m, n_m, up_m]: [f64; 3], look_at_m: [f64; 2], down_deg: f64) -> Pose {
    let yaw_rad = (look_at_m[1] - n_m).atan2(look_at_m[0] - e_m);
    Pose { position: Point3::new(e_m, n_m, up_m), yaw_rad, pitch_rad: -down_deg.to_radians() }
}

fn heading_deg(position_m: [f64; 3], look_at_m: [f64; 2]) -> f64 {
    yaw_to_heading_rad(pose(position_m, look_at_m, 0.0).yaw_rad).to_degrees()
}

/// What the site file says of a radar after a survey.
pub(super) fn site_radar(radar: &RadarSettings) -> SiteRadar {
    SiteRadar {
        id: radar.id.clone(),
        position_m: radar.position_m,
        heading_deg: heading_deg(radar.position_m, radar.look_at_m),
        // The simulated device measures over ground.
        range: RangeKind::Ground,
        range_noise_m: OF_A_CELL * radar.device.cell_m,
        azimuth_noise_deg: OF_A_CELL * radar.device.cell_deg,
        radial_noise_mps: (OF_A_CELL * radar.device.cell_mps).hypot(0.2),
        range_bias_m: 0.2,
        azimuth_bias_deg: 0.1,
        footprint_m: radar.footprint_m.clone(),
        tracker: ScanTrackerSettings::default(),
        motion: Default::default(),
    }
}

/// What the site file says of a lidar after a survey.
pub(super) fn site_lidar(lidar: &LidarSettings) -> SiteLidar {
    SiteLidar {
        id: lidar.id.clone(),
        position_m: lidar.position_m,
        heading_deg: heading_deg(lidar.position_m, lidar.look_at_m),
        edge_noise_m: 0.15,
        bias_m: 0.1,
        azimuth_bias_deg: 0.1,
        velocity_noise_mps: 1.0,
        footprint_m: lidar.footprint_m.clone(),
        tracker: ScanTrackerSettings::default(),
        motion: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::gnss::tests::car;

    fn scans(seed: u64) -> Vec<EventBody> {
        let text = "id = 's'\nstation-id = 1\nposition-m = [0.0, 0.0, 6.0]\n\
            [[radar]]\nid = 'r'\nposition-m = [0.0, 0.0, 6.0]\nlook-at-m = [0.0, 30.0]\n\
            [[lidar]]\nid = 'l'\nposition-m = [0.0, 0.0, 6.0]\nlook-at-m = [0.0, 30.0]\ndevice = { step-deg = 0.4 }";
        let settings: StationSettings = toml::from_str(text).unwrap();
        let roads = Roads::default();
        let mut rigs = rigs(0, &settings, [SourceId(1), SourceId(2)].into_iter(), &roads, Seed(seed));
        let mut bodies = Vec::new();
        for step in 0..10 {
            let time_s = 0.1 * f64::from(step);
            // North of the devices, on its way to the east.
            let snapshot = Snapshot { time_s, actors: vec![car(6.0 * time_s, 20.0, 0.0)], ..Snapshot::default() };
            bodies.extend(rigs.iter_mut().filter_map(|rig| rig.scan(&snapshot, Timestamp::default())));
        }
        bodies
    }

    #[test]
    fn the_same_seed_says_the_same_and_the_car_is_ahead() {
        let said = scans(7);
        assert_eq!(said, scans(7));
        assert_ne!(said, scans(8));
        let lists: Vec<_> = said
            .iter()
            .filter_map(|body| match body {
                EventBody::ObjectList(list) => Some(&list.objects),
                _ => None,
            })
            .collect();
        assert_eq!(lists.len(), 10);
        // The device looks north: the car is ahead of it, and its x axis is the site's north.
        let [x_m, y_m] = lists[0][0].position_m;
        assert!((17.0..23.0).contains(&x_m) && y_m.abs() < 2.5, "{:?}", lists[0]);
        let is_ahead = |body: &EventBody| match body {
            EventBody::RadarScan(scan) => scan.targets.iter().any(|t| (t.range_m - 19.0).abs() < 2.0),
            _ => false,
        };
        assert!(said.iter().any(is_ahead));
    }
}
