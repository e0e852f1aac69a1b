//! Radars and lidars: scans in, road users on the ground out, as [`GroundTrack`]s like those of a camera.
//!
//! In: the scans of one device, in the order of their `captured_at`. Out: one track per road user that moves or has moved.
//! Invariants: pure; capacities are fixed, and what exceeds them is counted; what stands from the beginning is clutter for
//! all that is known, and no track. Deliberately absent: classes. Something as large, as bright or as fast as only vehicles
//! are is called one; who is on foot is for a camera to say.

mod body;
mod settings;
mod size;
mod tracker;

pub(crate) use settings::Mount;
pub use settings::ScanTrackerSettings;

use super::ground::MotionSettings;
use super::lidar::{self, LidarSettings};
use super::radar::RadarSettings;
use super::{Error, GroundTrack};
use crate::drops::Drops;
use crate::event::{EventId, MAX_LISTED, MAX_TARGETS, ObjectList, RadarScan};
use crate::perception::ground::MeasuredVelocity;
use crate::polygon::is_within;
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix2, Vector2};
use tracker::{ScanId, Tracker};

/// Something that reflects, in the site frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub(crate) at: Vector2<f64>,
    pub(crate) noise: Matrix2<f64>,
    pub(crate) velocity: Option<MeasuredVelocity>,
    /// Cross section; 0 where the device does not say.
    pub(crate) rcs_m2: f64,
    pub(crate) shape: Option<Shape>,
    /// Its place in the scan.
    pub(crate) index: u16,
}

/// The box of what shows of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) length_m: f64,
    pub(crate) width_m: f64,
    /// Of its length.
    pub(crate) yaw_rad: f64,
}

impl Plot {
    fn area_m2(&self) -> f64 {
        self.shape.map_or(0.0, |shape| shape.length_m * shape.width_m)
    }
}

/// Settings of a radar or a lidar.
#[derive(Clone, Debug, PartialEq)]
pub enum RangingSettings {
    /// Of a radar.
    Radar(RadarSettings),
    /// Of a lidar.
    Lidar(LidarSettings),
}

impl RangingSettings {
    /// The sensor's name in the site.
    pub fn id(&self) -> &str {
        match self {
            Self::Radar(radar) => &radar.id,
            Self::Lidar(lidar) => &lidar.id,
        }
    }

    /// What it covers, `[east, north]` metres; empty where the site does not say.
    pub fn footprint_m(&self) -> &[[f64; 2]] {
        match self {
            Self::Radar(radar) => &radar.footprint_m,
            Self::Lidar(lidar) => &lidar.footprint_m,
        }
    }

    fn mount(&self) -> Mount {
        match self {
            Self::Radar(radar) => Mount::new(radar.position_m, radar.heading_deg),
            Self::Lidar(lidar) => Mount::new(lidar.position_m, lidar.heading_deg),
        }
    }

    fn tracker(&self) -> (&ScanTrackerSettings, &MotionSettings) {
        match self {
            Self::Radar(radar) => (&radar.tracker, &radar.motion),
            Self::Lidar(lidar) => (&lidar.tracker, &lidar.motion),
        }
    }

    /// What is wrong with all places of the device alike: standard deviation of the range, metres, and the azimuth, radians.
    fn bias(&self) -> (f64, f64) {
        match self {
            Self::Radar(radar) => (radar.range_bias_m, radar.azimuth_bias_deg.to_radians()),
            Self::Lidar(lidar) => (lidar.bias_m, lidar.azimuth_bias_deg.to_radians()),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let problem = match self {
            Self::Radar(radar) => radar.problem(),
            Self::Lidar(lidar) => lidar.problem(),
        };
        match problem {
            Some((key, value, problem)) => Err(Error::Sensor { sensor: self.id().to_owned(), key, value, problem }),
            None => Ok(()),
        }
    }
}

/// Perception of one radar or lidar.
#[derive(Clone, Debug)]
pub struct RangingPerception {
    settings: RangingSettings,
    mount: Mount,
    tracker: Tracker,
    newest: Option<Timestamp>,
    plots: Vec<Plot>,
}

impl RangingPerception {
    /// Perception of a device.
    ///
    /// # Errors
    /// A setting is outside its range.
    pub fn new(settings: &RangingSettings) -> Result<Self, Error> {
        settings.check()?;
        let (tracker, motion) = settings.tracker();
        Ok(Self {
            mount: settings.mount(),
            tracker: Tracker::new(tracker.clone(), motion.clone()),
            settings: settings.clone(),
            newest: None,
            plots: Vec::with_capacity(MAX_TARGETS),
        })
    }

    /// Takes a radar's scan; `None` when it is dropped, with the reason counted.
    pub(crate) fn scan(&mut self, id: EventId, scan: &RadarScan, drops: &mut Drops) -> Option<&[GroundTrack]> {
        let RangingSettings::Radar(radar) = &self.settings else {
            drops.count("radar-scan-of-a-lidar");
            return None;
        };
        if scan.targets.len() > MAX_TARGETS {
            drops.count("scan-too-long");
            return None;
        }
        self.plots.clear();
        let wrong = radar.plots(scan, &mut self.plots);
        (0..wrong).for_each(|_| drops.count("scan-target-not-valid"));
        self.track(ScanId { event: id, scan: scan.scan, captured_at: scan.captured_at }, drops)
    }

    /// Takes a list of objects; `None` when it is dropped, with the reason counted.
    pub(crate) fn list(&mut self, id: EventId, list: &ObjectList, drops: &mut Drops) -> Option<&[GroundTrack]> {
        if list.objects.len() > MAX_LISTED {
            drops.count("scan-too-long");
            return None;
        }
        self.plots.clear();
        let (mount, plots) = (self.mount, &mut self.plots);
        let wrong = match &self.settings {
            RangingSettings::Radar(radar) => {
                let noise = |at| mount.polar(at, radar.range_noise_m, radar.azimuth_noise_deg.to_radians());
                lidar::plots(list, &mount, noise, radar.radial_noise_mps.max(1.0), plots)
            }
            RangingSettings::Lidar(lidar) => {
                let noise = |_| Matrix2::identity() * lidar.edge_noise_m.powi(2);
                lidar::plots(list, &mount, noise, lidar.velocity_noise_mps, plots)
            }
        };
        (0..wrong).for_each(|_| drops.count("scan-target-not-valid"));
        self.track(ScanId { event: id, scan: list.scan, captured_at: list.captured_at }, drops)
    }

    fn track(&mut self, scan: ScanId, drops: &mut Drops) -> Option<&[GroundTrack]> {
        if self.newest.is_some_and(|newest| newest >= scan.captured_at) {
            drops.count("scan-late");
            return None;
        }
        self.newest = Some(scan.captured_at);
        let footprint = self.settings.footprint_m();
        if !footprint.is_empty() {
            self.plots.retain(|plot| is_within(footprint, Enu::ground(plot.at.x, plot.at.y)));
        }
        let (range_m, azimuth_rad) = self.settings.bias();
        let mount = self.mount;
        let bias = |at: Vector2<f64>| mount.polar(at, range_m, azimuth_rad);
        Some(self.tracker.update(&scan, &self.plots, mount.at, &bias, drops))
    }
}

#[cfg(test)]
mod tests;
