//! Radars: from targets in range, azimuth and Doppler to places on the ground with their covariance.
//!
//! In: [`RadarScan`]s. Out: [`Plot`]s in the site frame. Range and azimuth have noise of their own; what the survey of the
//! device leaves is a bias, the same in every scan. Deliberately absent: elevation, which few roadside radars measure.

use super::ground::{MeasuredVelocity, MotionSettings};
use super::ranging::{Mount, Plot, ScanTrackerSettings};
use crate::event::RadarScan;
use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

/// Height of what reflects, metres: between a bumper and a body.
const TARGET_HEIGHT_M: f64 = 0.7;
/// Beyond this nothing is believed, metres.
const FURTHEST_M: f64 = 1_000.0;
/// Fastest target, m/s.
const FASTEST_MPS: f64 = 120.0;

/// Settings of one radar: a `[[radar]]` table of a site file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RadarSettings {
    /// Name, unique among the sensors of the site.
    pub id: String,
    /// Where it hangs, `[east, north, up]` metres of the site origin; up is above the ground.
    pub position_m: [f64; 3],
    /// Direction of its x axis, degrees clockwise from north.
    pub heading_deg: f64,
    /// What its range is measured along.
    #[serde(default)]
    pub range: RangeKind,
    /// Standard deviation of a range, metres.
    #[serde(default = "default_range_noise_m")]
    pub range_noise_m: f64,
    /// The same of an azimuth, degrees.
    #[serde(default = "default_azimuth_noise_deg")]
    pub azimuth_noise_deg: f64,
    /// The same of a radial velocity, m/s: of the body, against which wheels and limbs move.
    #[serde(default = "default_radial_noise_mps")]
    pub radial_noise_mps: f64,
    /// What is wrong with all ranges alike: standard deviation, metres.
    #[serde(default = "default_range_bias_m")]
    pub range_bias_m: f64,
    /// What the survey of the heading leaves: standard deviation, degrees.
    #[serde(default = "default_azimuth_bias_deg")]
    pub azimuth_bias_deg: f64,
    /// The ground that it covers, corners in order, `[east, north]` metres of the site origin: told to others in CPMs, and
    /// targets outside are left out. Empty: not told, and everything counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub footprint_m: Vec<[f64; 2]>,
    /// Association and track life.
    #[serde(default)]
    pub tracker: ScanTrackerSettings,
    /// Motion on the ground.
    #[serde(default)]
    pub motion: MotionSettings,
}

/// What a range is measured along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangeKind {
    /// The ray from the device down to the target.
    #[default]
    Slant,
    /// The ground: the device has taken its height into account.
    Ground,
}

fn default_range_noise_m() -> f64 {
    0.25
}

fn default_azimuth_noise_deg() -> f64 {
    0.7
}

fn default_radial_noise_mps() -> f64 {
    0.3
}

fn default_range_bias_m() -> f64 {
    0.2
}

fn default_azimuth_bias_deg() -> f64 {
    0.2
}

impl RadarSettings {
    /// The targets of a scan on the ground; how many were no numbers that a radar can measure.
    pub(crate) fn plots(&self, scan: &RadarScan, plots: &mut Vec<Plot>) -> u64 {
        let mount = Mount::new(self.position_m, self.heading_deg);
        let mut wrong = 0;
        for (target, index) in scan.targets.iter().zip(0u16..) {
            let [range_m, azimuth_rad, radial_mps, rcs_dbsm] =
                [target.range_m, target.azimuth_rad, target.radial_mps, target.rcs_dbsm].map(f64::from);
            // Written so that "not a number" fails too.
            let is_valid = range_m > 0.0
                && range_m <= FURTHEST_M
                && azimuth_rad.abs() <= std::f64::consts::TAU
                && radial_mps.abs() <= FASTEST_MPS
                && rcs_dbsm.abs() <= 100.0;
            let ground_m = match self.range {
                RangeKind::Ground => range_m,
                RangeKind::Slant => (range_m.powi(2) - (mount.height_m - TARGET_HEIGHT_M).powi(2)).max(0.25).sqrt(),
            };
            if !is_valid {
                wrong += 1;
                continue;
            }
            let (sin, cos) = azimuth_rad.sin_cos();
            let at = mount.at + mount.turned(Vector2::new(cos, sin) * ground_m);
            // Along the ground a velocity is larger than along a ray that falls.
            let radial_mps = radial_mps * (range_m / ground_m).min(2.0);
            plots.push(Plot {
                at,
                noise: mount.polar(at, self.range_noise_m, self.azimuth_noise_deg.to_radians()),
                velocity: Some(MeasuredVelocity::Radial {
                    from: mount.enu(),
                    mps: radial_mps,
                    variance: self.radial_noise_mps.powi(2),
                }),
                rcs_m2: 10f64.powf(rcs_dbsm / 10.0),
                shape: None,
                index,
            });
        }
        wrong
    }

    pub(crate) fn problem(&self) -> Option<(&'static str, String, &'static str)> {
        let checks = [
            ("range-noise-m", self.range_noise_m),
            ("azimuth-noise-deg", self.azimuth_noise_deg),
            ("radial-noise-mps", self.radial_noise_mps),
        ];
        let wrong = checks.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite()));
        wrong.map(|(key, value)| (key, value.to_string(), "is not above zero")).or_else(|| self.tracker.problem())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RadarTarget;
    use masa_v2x_proto::time::Timestamp;

    pub(crate) fn radar() -> RadarSettings {
        toml::from_str("id = 'r'\nposition-m = [10.0, 20.0, 7.0]\nheading-deg = 90.0\nrange = 'ground'").unwrap()
    }

    fn target(range_m: f32, azimuth_deg: f32) -> RadarTarget {
        RadarTarget { range_m, azimuth_rad: azimuth_deg.to_radians(), radial_mps: -5.0, rcs_dbsm: 10.0 }
    }

    fn plots(settings: &RadarSettings, targets: Vec<RadarTarget>) -> (Vec<Plot>, u64) {
        let mut plots = Vec::new();
        let wrong = settings.plots(&RadarScan { scan: 1, captured_at: Timestamp::default(), targets }, &mut plots);
        (plots, wrong)
    }

    #[test]
    fn a_target_lies_where_range_azimuth_and_heading_say() {
        // The device looks east: azimuth counts to its left, north.
        let (plots, _) = plots(&radar(), vec![target(50.0, 0.0), target(50.0, 90.0), target(50.0, -90.0)]);
        let places: Vec<_> = plots.iter().map(|plot| [plot.at.x.round(), plot.at.y.round()]).collect();
        assert_eq!(places, [[60.0, 20.0], [10.0, 70.0], [10.0, -30.0]]);
        assert!((plots[0].rcs_m2 - 10.0).abs() < 1e-9);
    }

    #[test]
    fn noise_is_range_along_the_ray_and_azimuth_across_it() {
        let settings = RadarSettings { range_noise_m: 0.3, azimuth_noise_deg: 1.0, ..radar() };
        let (plots, _) = plots(&settings, vec![target(50.0, 30.0)]);
        let across_m = 50.0 * 1f64.to_radians();
        let (sin, cos) = 30f64.to_radians().sin_cos();
        let (ray, aside) = (Vector2::new(cos, sin), Vector2::new(-sin, cos));
        assert!((ray.dot(&(plots[0].noise * ray)) - 0.09).abs() < 1e-6);
        assert!((aside.dot(&(plots[0].noise * aside)) - across_m.powi(2)).abs() < 1e-6);
        assert!(ray.dot(&(plots[0].noise * aside)).abs() < 1e-6);
    }

    #[test]
    fn a_slant_range_is_shorter_on_the_ground_and_its_velocity_higher() {
        let settings = RadarSettings { range: RangeKind::Slant, ..radar() };
        let (plots, _) = plots(&settings, vec![target(10.0, 0.0)]);
        let ground_m = (100.0 - 6.3f64.powi(2)).sqrt();
        assert!((plots[0].at.x - 10.0 - ground_m).abs() < 1e-6, "{}", plots[0].at);
        let Some(MeasuredVelocity::Radial { mps, .. }) = plots[0].velocity else { panic!() };
        assert!((mps + 5.0 * 10.0 / ground_m).abs() < 1e-6, "{mps}");
    }

    #[test]
    fn what_no_radar_can_measure_is_counted() {
        let wrong = [f32::NAN, f32::INFINITY, -1.0, 0.0, 1e9].map(|range_m| target(range_m, 0.0));
        assert_eq!(plots(&radar(), wrong.to_vec()).1, 5);
        let fast = RadarTarget { radial_mps: f32::NAN, ..target(50.0, 0.0) };
        assert_eq!(plots(&radar(), vec![fast, target(50.0, 0.0)]).1, 1);
    }
}
