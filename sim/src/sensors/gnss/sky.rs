//! Satellites above: a sky of several constellations that turns slowly.

use nalgebra::Vector3;

/// A satellite by where it stands at the start and how it moves on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Satellite {
    azimuth_deg: f64,
    elevation_deg: f64,
    /// Change of azimuth, degrees an hour; elevation swings by 5° with it.
    turn_deg_per_h: f64,
}

const fn satellite(azimuth_deg: f64, elevation_deg: f64, turn_deg_per_h: f64) -> Satellite {
    Satellite { azimuth_deg, elevation_deg, turn_deg_per_h }
}

/// As many as a receiver of GPS and Galileo sees at mid latitudes under an open sky, fewer in the north.
pub(crate) const SATELLITES: [Satellite; 18] = [
    satellite(15.0, 78.0, 25.0),
    satellite(205.0, 64.0, -20.0),
    satellite(110.0, 58.0, 18.0),
    satellite(290.0, 52.0, 15.0),
    satellite(160.0, 45.0, -12.0),
    satellite(60.0, 42.0, 14.0),
    satellite(245.0, 38.0, -15.0),
    satellite(325.0, 36.0, 10.0),
    satellite(185.0, 30.0, 8.0),
    satellite(90.0, 27.0, -14.0),
    satellite(275.0, 25.0, 9.0),
    satellite(135.0, 22.0, 11.0),
    satellite(225.0, 19.0, -7.0),
    satellite(40.0, 17.0, 12.0),
    satellite(305.0, 16.0, -10.0),
    satellite(170.0, 14.0, 9.0),
    satellite(75.0, 13.0, -8.0),
    satellite(255.0, 12.0, 13.0),
];

impl Satellite {
    /// Where it stands: east, north, up, unit.
    pub(crate) fn direction(&self, time_s: f64) -> Vector3<f64> {
        let turned = self.turn_deg_per_h * time_s / 3600.0;
        let azimuth = (self.azimuth_deg + turned).to_radians();
        let elevation = (self.elevation_deg + 5.0 * (turned / 20.0).sin()).to_radians();
        Vector3::new(azimuth.sin() * elevation.cos(), azimuth.cos() * elevation.cos(), elevation.sin())
    }
}
