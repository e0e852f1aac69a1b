//! Projections by which networks refer to the globe (PROJ's texts).

use super::GeoReference;
use masa_v2x_proto::geo::{Enu, Hemisphere, SiteFrame, Wgs84, utm_to_wgs84};

/// As far from a projection's origin as metres of a transverse Mercator map are taken for ENU metres.
const NEAR_M: f64 = 50_000.0;

/// Where network coordinates (0, 0) are when that is (`x_m`, `y_m`) of `projection`.
///
/// Known are `+proj=utm +zone=…` (`+south`) and `+proj=tmerc +lat_0=… +lon_0=…` near its own origin. Datum and ellipsoid
/// are taken as WGS 84, as all of Europe's are within decimetres.
pub(super) fn at(projection: &str, x_m: f64, y_m: f64) -> Result<GeoReference, String> {
    let value = |key: &str| -> Result<Option<f64>, String> {
        let text =
            projection.split_whitespace().find_map(|part| part.strip_prefix('+')?.strip_prefix(key)?.strip_prefix('='));
        text.map(|text| text.parse().map_err(|_| format!("`{key}` is no number"))).transpose()
    };
    let name = projection.split_whitespace().find_map(|part| part.strip_prefix("+proj="));
    let origin = match name {
        Some("utm") => {
            let zone = value("zone")?.ok_or("`zone` is missing")?;
            if !(1.0..=60.0).contains(&zone) {
                return Err(format!("there is no zone {zone}"));
            }
            let south = projection.split_whitespace().any(|part| part == "+south");
            let hemisphere = if south { Hemisphere::South } else { Hemisphere::North };
            utm_to_wgs84(zone as u8, hemisphere, x_m, y_m)
        }
        Some("tmerc") => {
            let origin =
                Wgs84 { lat_deg: value("lat_0")?.unwrap_or(0.0), lon_deg: value("lon_0")?.unwrap_or(0.0), alt_m: 0.0 };
            let (x_m, y_m) = (x_m - value("x_0")?.unwrap_or(0.0), y_m - value("y_0")?.unwrap_or(0.0));
            if x_m.hypot(y_m) > NEAR_M {
                return Err("the network is more than 50 km from the projection's origin".to_owned());
            }
            let at = SiteFrame::new(origin).to_wgs84(Enu::ground(x_m, y_m));
            Wgs84 { alt_m: 0.0, ..at }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bologna_is_where_it_is() {
        // The offset of SUMO's `acosta`; pyproj: 44.4897 N 11.3071 E.
        let utm =
            at("+proj=utm +zone=32 +ellps=WGS84 +datum=WGS84 +units=m +no_defs", 683_542.41, 4_928_877.56).unwrap();
        assert!((utm.origin.lat_deg - 44.4897).abs() < 0.01 && (utm.origin.lon_deg - 11.307).abs() < 0.01, "{utm:?}");
    }

    #[test]
    fn a_local_map_begins_at_its_origin() {
        let here = at("+proj=tmerc +lat_0=44.6555 +lon_0=10.9343 +k=1 +x_0=0 +y_0=0 +datum=WGS84", 0.0, 0.0).unwrap();
        assert!((here.origin.lat_deg - 44.6555).abs() < 1e-9 && (here.origin.lon_deg - 10.9343).abs() < 1e-9);
        for wrong in ["+proj=merc", "", "+proj=utm", "+proj=utm +zone=61", "+proj=tmerc +lat_0=x"] {
            assert!(at(wrong, 0.0, 0.0).is_err(), "{wrong}");
        }
        assert!(at("+proj=tmerc +lat_0=0 +lon_0=0", 1e6, 0.0).is_err());
    }
}
