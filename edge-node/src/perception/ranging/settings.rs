//! Settings that radars and lidars share.

use masa_v2x_proto::geo::{Enu, heading_to_yaw_rad};
use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};

/// How scans become tracks: `[radar.tracker]`, `[lidar.tracker]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ScanTrackerSettings {
    /// Scans that must show something before it is believed, within twice as many.
    pub confirm_scans: u16,
    /// Something must have moved this far, metres, before it is believed; never less than three standard deviations.
    pub moved_m: f64,
    /// Or move this fast along the ray in those scans, m/s. What stands from the beginning is clutter for all that is known.
    pub moving_mps: f64,
    /// A measurement belongs to a track within this many standard deviations.
    pub gate_sigma: f64,
    /// A believed track that no scan shows is carried on for this long, seconds.
    pub coast_s: f64,
    /// Tracks at a time at most, 1 to 512.
    pub max_tracks: u16,
}

impl Default for ScanTrackerSettings {
    fn default() -> Self {
        Self { confirm_scans: 4, moved_m: 1.5, moving_mps: 0.7, gate_sigma: 3.3, coast_s: 1.0, max_tracks: 128 }
    }
}

impl ScanTrackerSettings {
    /// The key, value and problem of what is outside its range.
    pub(crate) fn problem(&self) -> Option<(&'static str, String, &'static str)> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let checks = [
            ("tracker.confirm-scans", self.confirm_scans.to_string(), self.confirm_scans >= 1, "is not above zero"),
            ("tracker.moved-m", self.moved_m.to_string(), self.moved_m >= 0.0, "is negative"),
            ("tracker.moving-mps", self.moving_mps.to_string(), self.moving_mps >= 0.0, "is negative"),
            ("tracker.gate-sigma", self.gate_sigma.to_string(), positive(self.gate_sigma), "is not above zero"),
            (
                "tracker.coast-s",
                self.coast_s.to_string(),
                (0.0..=10.0).contains(&self.coast_s),
                "is not within 0 to 10",
            ),
            (
                "tracker.max-tracks",
                self.max_tracks.to_string(),
                (1..=512).contains(&self.max_tracks),
                "is not within 1 to 512",
            ),
        ];
        checks.into_iter().find(|(_, _, good, _)| !good).map(|(key, value, _, problem)| (key, value, problem))
    }
}

/// Where a device hangs and which way its x axis points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mount {
    /// Of the site origin.
    pub(crate) at: Vector2<f64>,
    /// Above the ground, metres.
    pub(crate) height_m: f64,
    yaw_rad: f64,
}

impl Mount {
    pub(crate) fn new([e_m, n_m, up_m]: [f64; 3], heading_deg: f64) -> Self {
        Self { at: Vector2::new(e_m, n_m), height_m: up_m, yaw_rad: heading_to_yaw_rad(heading_deg.to_radians()) }
    }

    pub(crate) fn enu(&self) -> Enu {
        Enu::ground(self.at.x, self.at.y)
    }

    /// A direction of the device's axes in the site frame.
    pub(crate) fn yaw_rad(&self, device_rad: f64) -> f64 {
        self.yaw_rad + device_rad
    }

    /// A vector of the device's axes in the site frame.
    pub(crate) fn turned(&self, v: Vector2<f64>) -> Vector2<f64> {
        let (sin, cos) = self.yaw_rad.sin_cos();
        Vector2::new(cos * v.x - sin * v.y, sin * v.x + cos * v.y)
    }

    /// Covariance of a place whose range and azimuth are known to these standard deviations.
    pub(crate) fn polar(&self, place: Vector2<f64>, range_sigma_m: f64, azimuth_sigma_rad: f64) -> Matrix2<f64> {
        let apart = place - self.at;
        let ray = apart.try_normalize(1e-6).unwrap_or(Vector2::x());
        let along = ray * ray.transpose();
        let across_m = azimuth_sigma_rad * apart.norm();
        along * range_sigma_m.powi(2) + (Matrix2::identity() - along) * across_m.powi(2)
    }
}
