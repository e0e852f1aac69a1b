//! Projections by which networks refer to the globe (PROJ's texts).

use super::GeoReference;
use masa_v2x_proto::geo::{Hemisphere, Wgs84, utm_to_wgs84, wgs84_to_utm};

/// Where network coordinates (0, 0) are when that is (`x_m`, `y_m`) of `projection`.
///
/// Known are `+proj=utm +zone=…` (`+south`) and `+proj=tmerc +lat_0=… +lon_0=…` (`+k`, `+x_0`, `+y_0`; on a sphere if `+a`
/// and `+b` are one). Datum and ellipsoid are taken as WGS 84 otherwise, as all of Europe's are within decimetres.
pub(super) fn at(projection: &str, x_m: f64, y_m: f64) -> Result<GeoReference, String> {
    let parts = || projection.split_whitespace().filter_map(|part| part.strip_prefix('+'));
    let text = |key: &str| parts().find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
    let value = |key: &str| -> Result<Option<f64>, String> {
        text(key).map(|text| text.parse().map_err(|_| format!("`{key}` is no number"))).transpose()
    };
    let origin = match text("proj") {
        Some("utm") => {
            let zone = value("zone")?.ok_or("`zone` is missing")?;
            if !(1.0..=60.0).contains(&zone) {
                return Err(format!("there is no zone {zone}"));
            }
            let hemisphere = if parts().any(|part| part == "south") { Hemisphere::South } else { Hemisphere::North };
            utm_to_wgs84(zone as u8, hemisphere, x_m, y_m)
        }
        Some("tmerc") => {
            let scale = value("k")?.or(value("k_0")?).unwrap_or(1.0);
            let (lat_0, lon_0) = (value("lat_0")?.unwrap_or(0.0), value("lon_0")?.unwrap_or(0.0));
            if !(scale > 0.0 && lat_0.abs() <= 90.0) {
                return Err(format!("`k` is {scale}, `lat_0` is {lat_0}"));
            }
            let x_m = (x_m - value("x_0")?.unwrap_or(0.0)) / scale;
            let y_m = (y_m - value("y_0")?.unwrap_or(0.0)) / scale;
            let from_meridian = match (value("a")?, value("b")?) {
                (Some(a), Some(b)) if a == b && a > 0.0 => on_sphere(lat_0, x_m / a, y_m / a),
                _ => on_ellipsoid(lat_0, x_m, y_m),
            };
            Wgs84 { lon_deg: from_meridian.lon_deg + lon_0, ..from_meridian }
        }
        Some(other) => return Err(format!("projection `{other}` is not supported (utm, tmerc)")),
        None => return Err("`+proj=` is missing".to_owned()),
    };
    if origin.lat_deg.abs() <= 90.0 && origin.lon_deg.abs() <= 180.0 {
        Ok(GeoReference { origin })
    } else {
        Err("not a place on the globe".to_owned())
    }
}

/// A transverse Mercator map is UTM's with another meridian, origin and scale; longitude from the meridian.
fn on_ellipsoid(lat_0_deg: f64, x_m: f64, y_m: f64) -> Wgs84 {
    const UTM_SCALE: f64 = 0.9996;
    const ZONE: u8 = 31;
    const MERIDIAN_DEG: f64 = 3.0;
    let origin = Wgs84 { lat_deg: lat_0_deg, lon_deg: MERIDIAN_DEG, alt_m: 0.0 };
    let (east_m, north_m) = wgs84_to_utm(origin, ZONE, Hemisphere::North);
    let at = utm_to_wgs84(ZONE, Hemisphere::North, east_m + x_m * UTM_SCALE, north_m + y_m * UTM_SCALE);
    Wgs84 { lon_deg: at.lon_deg - MERIDIAN_DEG, ..at }
}

/// The same on a sphere, in radii.
fn on_sphere(lat_0_deg: f64, x: f64, y: f64) -> Wgs84 {
    let north = y + lat_0_deg.to_radians();
    let lat = (north.sin() / x.cosh()).asin();
    let lon = x.sinh().atan2(north.cos());
    Wgs84 { lat_deg: lat.to_degrees(), lon_deg: lon.to_degrees(), alt_m: 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts and coordinates, and what pyproj 3.7 says of them.
    #[test]
    fn places_are_where_proj_puts_them() {
        for (projection, x_m, y_m, lat_deg, lon_deg) in [
            (
                "+proj=utm +zone=32 +ellps=WGS84 +units=m",
                683_542.41,
                4_928_877.56,
                44.489_886_718_647,
                11.308_363_847_093,
            ),
            (
                "+proj=tmerc +a=6378137 +b=6378137 +lon_0=8.4353136404988902 +x_0=0 +y_0=-5456956.952295512 +k=1.0",
                200.0,
                -300.0,
                49.017_983_372_016,
                8.438_053_149_464,
            ),
            (
                "+proj=tmerc +lat_0=44.5 +lon_0=10.5 +k=0.9999 +x_0=1000 +y_0=2000 +ellps=WGS84",
                35_000.0,
                20_000.0,
                44.661_193_265_492,
                10.928_739_669_362,
            ),
        ] {
            let at = at(projection, x_m, y_m).unwrap().origin;
            let (lat, lon) = ((at.lat_deg - lat_deg).abs(), (at.lon_deg - lon_deg).abs());
            assert!(lat < 1e-9 && lon < 1e-9, "{projection}: {at:?}");
        }
    }

    #[test]
    fn what_is_no_projection_is_named() {
        for wrong in ["+proj=merc", "", "+proj=utm", "+proj=utm +zone=61", "+proj=tmerc +lat_0=x", "+proj=tmerc +k=0"] {
            assert!(at(wrong, 0.0, 0.0).is_err(), "{wrong}");
        }
        assert!(at("+proj=tmerc +lon_0=400", 0.0, 0.0).is_err());
    }
}
