//! Lidars: from objects that their points were made of to places on the ground with their covariance.
//!
//! In: [`ObjectList`]s, of the own segmentation ([`segment`](fn@segment)) or of a vendor. Out: [`Plot`]s in the site frame.

mod segment;

pub use segment::{SegmentSettings, segment};

use super::ground::{MeasuredVelocity, MotionSettings};
use super::ranging::{Mount, Plot, ScanTrackerSettings, Shape};
use crate::event::ObjectList;
use masa_v2x_proto::geo::Covariance2;
use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};

/// Beyond this nothing is believed, metres.
const FURTHEST_M: f64 = 1_000.0;
/// Fastest object, m/s.
const FASTEST_MPS: f64 = 120.0;
/// Longest object, metres.
const LONGEST_M: f64 = 60.0;

/// Settings of one lidar: a `[[lidar]]` table of a site file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LidarSettings {
    /// Name, unique among the sensors of the site.
    pub id: String,
    /// Where it hangs, `[east, north, up]` metres of the site origin; up is above the ground.
    pub position_m: [f64; 3],
    /// Direction of its x axis, degrees clockwise from north.
    pub heading_deg: f64,
    /// Standard deviation of an edge of an object, metres.
    #[serde(default = "default_edge_noise_m")]
    pub edge_noise_m: f64,
    /// What is wrong with all places alike: standard deviation, metres.
    #[serde(default = "default_bias_m")]
    pub bias_m: f64,
    /// What the survey of the heading leaves: standard deviation, degrees.
    #[serde(default = "default_azimuth_bias_deg")]
    pub azimuth_bias_deg: f64,
    /// Standard deviation of a velocity that the list has, along each axis, m/s.
    #[serde(default = "default_velocity_noise_mps")]
    pub velocity_noise_mps: f64,
    /// The ground that it covers, corners in order, `[east, north]` metres of the site origin: told to others in CPMs, and
    /// objects outside are left out. Empty: not told, and everything counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub footprint_m: Vec<[f64; 2]>,
    /// Association and track life.
    #[serde(default)]
    pub tracker: ScanTrackerSettings,
    /// Motion on the ground.
    #[serde(default)]
    pub motion: MotionSettings,
}

fn default_edge_noise_m() -> f64 {
    0.15
}

fn default_bias_m() -> f64 {
    0.1
}

fn default_azimuth_bias_deg() -> f64 {
    0.1
}

fn default_velocity_noise_mps() -> f64 {
    1.0
}

impl LidarSettings {
    pub(crate) fn problem(&self) -> Option<(&'static str, String, &'static str)> {
        let checks = [("edge-noise-m", self.edge_noise_m), ("velocity-noise-mps", self.velocity_noise_mps)];
        let wrong = checks.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite()));
        wrong.map(|(key, value)| (key, value.to_string(), "is not above zero")).or_else(|| self.tracker.problem())
    }
}

/// The objects of a list on the ground, their places and velocities known to these standard deviations; how many were no
/// objects that there can be.
pub(crate) fn plots(
    list: &ObjectList,
    mount: &Mount,
    noise: impl Fn(Vector2<f64>) -> Matrix2<f64>,
    velocity_noise_mps: f64,
    plots: &mut Vec<Plot>,
) -> u64 {
    let mut wrong = 0;
    for (object, index) in list.objects.iter().zip(0u16..) {
        let place = Vector2::from(object.position_m.map(f64::from));
        let velocity = object.velocity_mps.map(|mps| Vector2::from(mps.map(f64::from)));
        let size = object.size_m.map(|size| size.map(f64::from));
        let yaw_rad = f64::from(object.yaw_rad.unwrap_or(0.0));
        // Written so that "not a number" fails too.
        let is_valid = place.norm() <= FURTHEST_M
            && velocity.is_none_or(|mps| mps.norm() <= FASTEST_MPS)
            && size.is_none_or(|size| size.iter().all(|m| (0.0..=LONGEST_M).contains(m)))
            && yaw_rad.abs() <= 10.0;
        if !is_valid {
            wrong += 1;
            continue;
        }
        let at = mount.at + mount.turned(place);
        let shape = size.zip(object.yaw_rad).map(|([length_m, width_m, _], _)| Shape {
            length_m,
            width_m,
            yaw_rad: mount.yaw_rad(yaw_rad),
        });
        let velocity = velocity.map(|mps| {
            let mps = mount.turned(mps);
            MeasuredVelocity::Whole([mps.x, mps.y], Covariance2::isotropic(velocity_noise_mps.powi(2)))
        });
        plots.push(Plot { at, noise: noise(at), velocity, rcs_m2: 0.0, shape, index });
    }
    wrong
}
