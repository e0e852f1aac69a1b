//! Geodesy: WGS 84, local ENU frames, UTM and quadkeys.
//!
//! Inside the system positions are [`Enu`] metres in one [`SiteFrame`]; WGS 84 and UTM appear only at the edges.
//! Yaw is radians counter-clockwise from east, heading is radians clockwise from north; [`yaw_to_heading_rad`] converts.

use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Semi-major axis of the WGS 84 ellipsoid, metres.
const WGS84_A_M: f64 = 6_378_137.0;
/// Flattening of the WGS 84 ellipsoid.
const WGS84_F: f64 = 1.0 / 298.257_223_563;
/// Square of the first eccentricity.
const WGS84_E2: f64 = WGS84_F * (2.0 - WGS84_F);

/// A WGS 84 position: degrees, and metres above the ellipsoid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wgs84 {
    /// Latitude, degrees, north positive.
    pub lat_deg: f64,
    /// Longitude, degrees, east positive.
    pub lon_deg: f64,
    /// Height above the ellipsoid, metres.
    pub alt_m: f64,
}

/// A position in a site's local tangent frame: metres east, north, up of the site origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Enu {
    /// Metres east of the origin.
    pub e_m: f64,
    /// Metres north of the origin.
    pub n_m: f64,
    /// Metres above the origin's tangent plane.
    pub u_m: f64,
}

impl Enu {
    /// A point on the tangent plane.
    pub const fn ground(e_m: f64, n_m: f64) -> Self {
        Self { e_m, n_m, u_m: 0.0 }
    }

    /// Horizontal distance to `other`, metres.
    pub fn ground_distance_m(&self, other: &Self) -> f64 {
        (self.e_m - other.e_m).hypot(self.n_m - other.n_m)
    }
}

/// Symmetric covariance of a ground position, square metres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Covariance2 {
    /// East variance.
    pub ee_m2: f64,
    /// East-north covariance.
    pub en_m2: f64,
    /// North variance.
    pub nn_m2: f64,
}

impl Covariance2 {
    /// Equal variance in both directions.
    pub const fn isotropic(variance_m2: f64) -> Self {
        Self { ee_m2: variance_m2, en_m2: 0.0, nn_m2: variance_m2 }
    }

    /// One-sigma ellipse: semi-major and semi-minor axis (metres) and the major axis's heading (radians clockwise from
    /// north, in 0..π).
    pub fn ellipse(&self) -> (f64, f64, f64) {
        let mean = 0.5 * (self.ee_m2 + self.nn_m2);
        let spread = (0.5 * (self.ee_m2 - self.nn_m2)).hypot(self.en_m2);
        let yaw = 0.5 * (2.0 * self.en_m2).atan2(self.ee_m2 - self.nn_m2);
        let heading = (FRAC_PI_2 - yaw).rem_euclid(PI);
        ((mean + spread).max(0.0).sqrt(), (mean - spread).max(0.0).sqrt(), heading)
    }
}

/// Converts yaw (counter-clockwise from east) to heading (clockwise from north), both radians; the result is in 0..2π.
pub fn yaw_to_heading_rad(yaw_rad: f64) -> f64 {
    (FRAC_PI_2 - yaw_rad).rem_euclid(TAU)
}

/// Converts heading (clockwise from north) to yaw (counter-clockwise from east), both radians; the result is in -π..π.
pub fn heading_to_yaw_rad(heading_rad: f64) -> f64 {
    let yaw = (FRAC_PI_2 - heading_rad).rem_euclid(TAU);
    if yaw > PI { yaw - TAU } else { yaw }
}

/// A local tangent (ENU) frame at a site origin, exact through earth-centred coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiteFrame {
    origin: Wgs84,
    origin_ecef: [f64; 3],
    sin_lat: f64,
    cos_lat: f64,
    sin_lon: f64,
    cos_lon: f64,
}

impl SiteFrame {
    /// The frame whose origin is `origin`.
    pub fn new(origin: Wgs84) -> Self {
        let (sin_lat, cos_lat) = origin.lat_deg.to_radians().sin_cos();
        let (sin_lon, cos_lon) = origin.lon_deg.to_radians().sin_cos();
        Self { origin, origin_ecef: to_ecef(origin), sin_lat, cos_lat, sin_lon, cos_lon }
    }

    /// The origin.
    pub fn origin(&self) -> Wgs84 {
        self.origin
    }

    /// WGS 84 to this frame.
    pub fn to_enu(&self, p: Wgs84) -> Enu {
        let q = to_ecef(p);
        let (dx, dy, dz) = (q[0] - self.origin_ecef[0], q[1] - self.origin_ecef[1], q[2] - self.origin_ecef[2]);
        let east = -self.sin_lon * dx + self.cos_lon * dy;
        let towards_axis = self.cos_lon * dx + self.sin_lon * dy;
        Enu {
            e_m: east,
            n_m: -self.sin_lat * towards_axis + self.cos_lat * dz,
            u_m: self.cos_lat * towards_axis + self.sin_lat * dz,
        }
    }

    /// This frame to WGS 84.
    pub fn to_wgs84(&self, p: Enu) -> Wgs84 {
        let towards_axis = -self.sin_lat * p.n_m + self.cos_lat * p.u_m;
        let dx = -self.sin_lon * p.e_m + self.cos_lon * towards_axis;
        let dy = self.cos_lon * p.e_m + self.sin_lon * towards_axis;
        let dz = self.cos_lat * p.n_m + self.sin_lat * p.u_m;
        from_ecef([self.origin_ecef[0] + dx, self.origin_ecef[1] + dy, self.origin_ecef[2] + dz])
    }
}

fn to_ecef(p: Wgs84) -> [f64; 3] {
    let (sin_lat, cos_lat) = p.lat_deg.to_radians().sin_cos();
    let (sin_lon, cos_lon) = p.lon_deg.to_radians().sin_cos();
    let n = WGS84_A_M / (1.0 - WGS84_E2 * sin_lat * sin_lat).sqrt();
    [(n + p.alt_m) * cos_lat * cos_lon, (n + p.alt_m) * cos_lat * sin_lon, (n * (1.0 - WGS84_E2) + p.alt_m) * sin_lat]
}

fn from_ecef(q: [f64; 3]) -> Wgs84 {
    let axis_distance = q[0].hypot(q[1]);
    let mut lat = q[2].atan2(axis_distance * (1.0 - WGS84_E2));
    // Fixed-point iteration gains about three digits a round near the surface: five rounds reach f64 precision.
    for _ in 0..5 {
        let sin_lat = lat.sin();
        let n = WGS84_A_M / (1.0 - WGS84_E2 * sin_lat * sin_lat).sqrt();
        lat = (q[2] + WGS84_E2 * n * sin_lat).atan2(axis_distance);
    }
    let (sin_lat, cos_lat) = lat.sin_cos();
    let n = WGS84_A_M / (1.0 - WGS84_E2 * sin_lat * sin_lat).sqrt();
    let alt_m = if cos_lat.abs() > 1e-6 { axis_distance / cos_lat - n } else { q[2].abs() - n * (1.0 - WGS84_E2) };
    Wgs84 { lat_deg: lat.to_degrees(), lon_deg: q[1].atan2(q[0]).to_degrees(), alt_m }
}

/// Hemisphere of a UTM coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hemisphere {
    /// Northern.
    #[serde(rename = "N")]
    North,
    /// Southern.
    #[serde(rename = "S")]
    South,
}

/// WGS 84 position (at height zero) of a UTM coordinate, by Krüger's series to the sixth order; better than a
/// millimetre within 3,000 km of the central meridian, so coordinates given in a neighbour's zone are fine.
pub fn utm_to_wgs84(zone: u8, hemisphere: Hemisphere, easting_m: f64, northing_m: f64) -> Wgs84 {
    let k = Kruger::new();
    let false_northing = if hemisphere == Hemisphere::South { 10_000_000.0 } else { 0.0 };
    let xi = (northing_m - false_northing) / (0.9996 * k.rectifying_radius_m);
    let eta = (easting_m - 500_000.0) / (0.9996 * k.rectifying_radius_m);
    let (mut xi_p, mut eta_p) = (xi, eta);
    for (j, beta) in k.beta.iter().enumerate() {
        let m = 2.0 * (j + 1) as f64;
        xi_p -= beta * (m * xi).sin() * (m * eta).cosh();
        eta_p -= beta * (m * xi).cos() * (m * eta).sinh();
    }
    let tau_p = xi_p.sin() / eta_p.sinh().hypot(xi_p.cos());
    let lon = eta_p.sinh().atan2(xi_p.cos());
    let lat = geodetic_tan(tau_p).atan();
    let central = f64::from(zone) * 6.0 - 183.0;
    Wgs84 { lat_deg: lat.to_degrees(), lon_deg: central + lon.to_degrees(), alt_m: 0.0 }
}

/// UTM easting and northing (metres) of a WGS 84 position in the given zone.
pub fn wgs84_to_utm(p: Wgs84, zone: u8, hemisphere: Hemisphere) -> (f64, f64) {
    let k = Kruger::new();
    let e = WGS84_E2.sqrt();
    let lon = (p.lon_deg - (f64::from(zone) * 6.0 - 183.0)).to_radians();
    let tau = p.lat_deg.to_radians().tan();
    let sigma = (e * (e * tau / tau.hypot(1.0)).atanh()).sinh();
    let tau_p = tau * sigma.hypot(1.0) - sigma * tau.hypot(1.0);
    let xi_p = tau_p.atan2(lon.cos());
    let eta_p = (lon.sin() / tau_p.hypot(lon.cos())).asinh();
    let (mut xi, mut eta) = (xi_p, eta_p);
    for (j, alpha) in k.alpha.iter().enumerate() {
        let m = 2.0 * (j + 1) as f64;
        xi += alpha * (m * xi_p).sin() * (m * eta_p).cosh();
        eta += alpha * (m * xi_p).cos() * (m * eta_p).sinh();
    }
    let false_northing = if hemisphere == Hemisphere::South { 10_000_000.0 } else { 0.0 };
    (500_000.0 + 0.9996 * k.rectifying_radius_m * eta, false_northing + 0.9996 * k.rectifying_radius_m * xi)
}

/// tan(geodetic latitude) from tan(conformal latitude) by Newton's method.
fn geodetic_tan(tau_p: f64) -> f64 {
    let e = WGS84_E2.sqrt();
    let mut tau = tau_p / (1.0 - WGS84_E2);
    for _ in 0..5 {
        let sigma = (e * (e * tau / tau.hypot(1.0)).atanh()).sinh();
        let f = tau * sigma.hypot(1.0) - sigma * tau.hypot(1.0) - tau_p;
        let slope = (sigma.hypot(1.0) * tau.hypot(1.0) - sigma * tau) * (1.0 - WGS84_E2) * tau.hypot(1.0)
            / (1.0 + (1.0 - WGS84_E2) * tau * tau);
        tau -= f / slope;
    }
    tau
}

struct Kruger {
    rectifying_radius_m: f64,
    alpha: [f64; 6],
    beta: [f64; 6],
}

impl Kruger {
    fn new() -> Self {
        let n = WGS84_F / (2.0 - WGS84_F);
        let (n2, n3, n4, n5, n6) = (n * n, n.powi(3), n.powi(4), n.powi(5), n.powi(6));
        Self {
            rectifying_radius_m: WGS84_A_M / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0 + n6 / 256.0),
            alpha: [
                n / 2.0 - 2.0 / 3.0 * n2 + 5.0 / 16.0 * n3 + 41.0 / 180.0 * n4 - 127.0 / 288.0 * n5
                    + 7891.0 / 37800.0 * n6,
                13.0 / 48.0 * n2 - 3.0 / 5.0 * n3 + 557.0 / 1440.0 * n4 + 281.0 / 630.0 * n5
                    - 1_983_433.0 / 1_935_360.0 * n6,
                61.0 / 240.0 * n3 - 103.0 / 140.0 * n4 + 15061.0 / 26880.0 * n5 + 167_603.0 / 181_440.0 * n6,
                49561.0 / 161_280.0 * n4 - 179.0 / 168.0 * n5 + 6_601_661.0 / 7_257_600.0 * n6,
                34729.0 / 80640.0 * n5 - 3_418_889.0 / 1_995_840.0 * n6,
                212_378_941.0 / 319_334_400.0 * n6,
            ],
            beta: [
                n / 2.0 - 2.0 / 3.0 * n2 + 37.0 / 96.0 * n3 - 1.0 / 360.0 * n4 - 81.0 / 512.0 * n5
                    + 96199.0 / 604_800.0 * n6,
                n2 / 48.0 + n3 / 15.0 - 437.0 / 1440.0 * n4 + 46.0 / 105.0 * n5 - 1_118_711.0 / 3_870_720.0 * n6,
                17.0 / 480.0 * n3 - 37.0 / 840.0 * n4 - 209.0 / 4480.0 * n5 + 5569.0 / 90720.0 * n6,
                4397.0 / 161_280.0 * n4 - 11.0 / 504.0 * n5 - 830_251.0 / 7_257_600.0 * n6,
                4583.0 / 161_280.0 * n5 - 108_847.0 / 3_991_680.0 * n6,
                20_648_693.0 / 638_668_800.0 * n6,
            ],
        }
    }
}

/// The quadkey of a position at `zoom` (1..=24): Web Mercator tile digits 0–3, most significant first.
pub fn quadkey(p: Wgs84, zoom: u8) -> String {
    let zoom = zoom.clamp(1, 24);
    let lat = p.lat_deg.clamp(-85.051_128_78, 85.051_128_78).to_radians();
    let tiles = f64::from(1u32 << zoom);
    let limit = (1u32 << zoom) - 1;
    let x = (((p.lon_deg + 180.0) / 360.0 * tiles) as u32).min(limit);
    let y = (((1.0 - lat.tan().asinh() / PI) / 2.0 * tiles) as u32).min(limit);
    (0..zoom)
        .rev()
        .map(|bit| {
            let digit = ((y >> bit) & 1) << 1 | ((x >> bit) & 1);
            char::from(b'0' + digit as u8)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn utm_agrees_with_published_coordinates() {
        // CN Tower, the worked example of several UTM converters: 17T 630084 4833438 = 43.642566 N, 79.387139 W.
        let p = utm_to_wgs84(17, Hemisphere::North, 630_084.0, 4_833_438.0);
        assert!((p.lat_deg - 43.642_56).abs() < 2e-5, "{p:?}");
        assert!((p.lon_deg + 79.387_14).abs() < 2e-5, "{p:?}");
    }

    #[test]
    fn quadkey_agrees_with_the_published_tile_example() {
        // Bing Maps tile system: tile (3, 5) at level 3 is "213".
        let tiles = 8.0;
        let lon_deg = (3.5 / tiles) * 360.0 - 180.0;
        let lat_deg = (PI * (1.0 - 2.0 * 5.5 / tiles)).sinh().atan().to_degrees();
        assert_eq!(quadkey(Wgs84 { lat_deg, lon_deg, alt_m: 0.0 }, 3), "213");
    }

    #[test]
    fn one_metre_east_north_and_up_move_the_right_coordinate() {
        let frame = SiteFrame::new(Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 30.0 });
        let east = frame.to_wgs84(Enu { e_m: 1.0, n_m: 0.0, u_m: 0.0 });
        let north = frame.to_wgs84(Enu { e_m: 0.0, n_m: 1.0, u_m: 0.0 });
        let up = frame.to_wgs84(Enu { e_m: 0.0, n_m: 0.0, u_m: 1.0 });
        assert!((east.lon_deg - 10.934_315) > 1.2e-5 && (east.lat_deg - 44.655_540).abs() < 1e-9);
        assert!((north.lat_deg - 44.655_540) > 8.9e-6 && (north.lon_deg - 10.934_315).abs() < 1e-9);
        assert!((up.alt_m - 31.0).abs() < 1e-6);
    }

    #[test]
    fn ellipse_points_along_the_larger_spread() {
        let (major, minor, heading) = Covariance2 { ee_m2: 4.0, en_m2: 0.0, nn_m2: 1.0 }.ellipse();
        assert!((major - 2.0).abs() < 1e-12 && (minor - 1.0).abs() < 1e-12);
        assert!((heading - FRAC_PI_2).abs() < 1e-12, "the major axis lies east-west: {heading}");
    }

    proptest! {
        // 1 µm: five iterations of the latitude converge far below that anywhere within 100 km of the surface.
        #[test]
        fn enu_round_trips(lat in -85.0..85.0f64, lon in -180.0..180.0f64,
                           e in -5e4..5e4f64, n in -5e4..5e4f64, u in -500.0..5e3f64) {
            let frame = SiteFrame::new(Wgs84 { lat_deg: lat, lon_deg: lon, alt_m: 0.0 });
            let back = frame.to_enu(frame.to_wgs84(Enu { e_m: e, n_m: n, u_m: u }));
            prop_assert!((back.e_m - e).abs() < 1e-6);
            prop_assert!((back.n_m - n).abs() < 1e-6);
            prop_assert!((back.u_m - u).abs() < 1e-6);
        }

        #[test]
        fn utm_round_trips(lat in -80.0..84.0f64, offset in -5.0..5.0f64, zone in 1u8..=60) {
            let hemisphere = if lat < 0.0 { Hemisphere::South } else { Hemisphere::North };
            let lon = f64::from(zone) * 6.0 - 183.0 + offset;
            let (e, n) = wgs84_to_utm(Wgs84 { lat_deg: lat, lon_deg: lon, alt_m: 0.0 }, zone, hemisphere);
            let back = utm_to_wgs84(zone, hemisphere, e, n);
            prop_assert!((back.lat_deg - lat).abs() < 1e-9);
            prop_assert!((back.lon_deg - lon).abs() < 1e-9);
        }

        #[test]
        fn heading_and_yaw_are_inverse(yaw in -3.1..3.1f64) {
            prop_assert!((heading_to_yaw_rad(yaw_to_heading_rad(yaw)) - yaw).abs() < 1e-12);
        }
    }
}
