//! Map tiles as areas of interest: which quadkeys cover what lies ahead of a vehicle.
//!
//! In: a path and how far to its sides something matters. Out: quadkey prefixes that cover it, few enough to subscribe to.
//! Absent: what matters inside a tile; a relevance check on the message's content decides that.

use crate::geo::{SiteFrame, Wgs84, quadkey};
use std::collections::BTreeSet;

/// Zoom of the quadkeys that messages are published under: tiles of about 110 m at 45° latitude.
pub const MESSAGE_ZOOM: u8 = 18;

/// Longest path that is covered, metres: a day's ride is not an area of interest.
const MAX_PATH_M: f64 = 20_000.0;
/// Widest corridor to each side, metres.
const MAX_HALF_WIDTH_M: f64 = 5_000.0;

/// Quadkey prefixes of at most [`MESSAGE_ZOOM`] digits, sorted and disjoint, that together cover everything within
/// `half_width_m` of `path`. There are at most `max_tiles` (at least 4); a corridor that needs more is covered by larger tiles.
///
/// A path of one position is a circle. What lies beyond 20 km of path, or 5 km beside it, is not covered; nor are positions
/// that are not numbers.
pub fn tiles_along(path: &[Wgs84], half_width_m: f64, max_tiles: usize) -> Vec<String> {
    let half_width_m = if half_width_m.is_nan() { 0.0 } else { half_width_m.clamp(0.0, MAX_HALF_WIDTH_M) };
    let is_place = |p: &&Wgs84| p.lat_deg.abs() <= 85.0 && p.lon_deg.abs() <= 180.0;
    let path: Vec<Wgs84> = path.iter().filter(is_place).copied().collect();
    let mut tiles = merged(cover(&path, half_width_m));
    while tiles.len() > max_tiles.max(4) {
        let digits = tiles.iter().map(String::len).max().unwrap_or(1) - 1;
        tiles = merged(tiles.into_iter().map(|tile| tile[..tile.len().min(digits)].to_owned()).collect());
    }
    tiles.into_iter().collect()
}

/// The straight path from `position` along `heading_deg` (clockwise from north) of `length_m` metres.
pub fn straight_ahead(position: Wgs84, heading_deg: f64, length_m: f64) -> [Wgs84; 2] {
    let (sin, cos) = heading_deg.to_radians().sin_cos();
    let end = SiteFrame::new(position).to_wgs84(crate::geo::Enu::ground(sin * length_m, cos * length_m));
    [position, end]
}

/// The centre of a tile; `None` for what is no quadkey of 1 to 24 digits.
pub fn centre(tile: &str) -> Option<Wgs84> {
    if !(1..=24).contains(&tile.len()) {
        return None;
    }
    let (mut x, mut y) = (0u32, 0u32);
    for digit in tile.bytes() {
        let bits = u32::from(digit.checked_sub(b'0').filter(|bits| *bits < 4)?);
        (x, y) = (x << 1 | (bits & 1), y << 1 | bits >> 1);
    }
    let tiles = f64::from(1u32 << tile.len());
    let mercator = std::f64::consts::PI * (1.0 - 2.0 * (f64::from(y) + 0.5) / tiles);
    let lon_deg = (f64::from(x) + 0.5) / tiles * 360.0 - 180.0;
    Some(Wgs84 { lat_deg: mercator.sinh().atan().to_degrees(), lon_deg, alt_m: 0.0 })
}

/// Tiles of one zoom, found by probing the corridor on a grid that is finer than half a tile; the wider the corridor, the
/// larger the tiles.
fn cover(path: &[Wgs84], half_width_m: f64) -> BTreeSet<String> {
    let mut tiles = BTreeSet::new();
    let Some(&first) = path.first() else { return tiles };
    let equator_m = 40_075_016.7 * first.lat_deg.to_radians().cos();
    let tile_m = |zoom: u8| equator_m / f64::from(1u32 << zoom);
    let zoom = (8..=MESSAGE_ZOOM).rev().find(|zoom| half_width_m <= 5.0 * tile_m(*zoom)).unwrap_or(8);
    let step_m = tile_m(zoom) * 0.4;
    let frame = SiteFrame::new(first);
    let points: Vec<_> = path.iter().map(|p| frame.to_enu(*p)).collect();
    let side_steps = (half_width_m / step_m).ceil() as i32 + 1;
    let mut probe = |e_m: f64, n_m: f64| {
        for (de, dn) in (-side_steps..=side_steps).flat_map(|e| (-side_steps..=side_steps).map(move |n| (e, n))) {
            let (de_m, dn_m) = (f64::from(de) * step_m, f64::from(dn) * step_m);
            // A step more than asked for: the grid must not miss a tile of which the corridor only touches a corner.
            if de_m.hypot(dn_m) <= half_width_m + step_m {
                tiles.insert(quadkey(frame.to_wgs84(crate::geo::Enu::ground(e_m + de_m, n_m + dn_m)), zoom));
            }
        }
    };
    probe(points[0].e_m, points[0].n_m);
    let mut left_m = MAX_PATH_M;
    for leg in points.windows(2) {
        let (de, dn) = (leg[1].e_m - leg[0].e_m, leg[1].n_m - leg[0].n_m);
        let length_m = de.hypot(dn);
        let covered_m = length_m.min(left_m);
        left_m -= covered_m;
        let steps = (covered_m / step_m).ceil() as u32;
        for step in 1..=steps {
            let share = covered_m / length_m * f64::from(step) / f64::from(steps);
            probe(leg[0].e_m + share * de, leg[0].n_m + share * dn);
        }
    }
    tiles
}

/// Replaces four tiles that make up a larger one by that, as often as it goes.
fn merged(mut tiles: BTreeSet<String>) -> BTreeSet<String> {
    loop {
        let parents: BTreeSet<String> = tiles
            .iter()
            .filter(|tile| tile.len() > 1 && tile.ends_with('0'))
            .map(|tile| tile[..tile.len() - 1].to_owned())
            .filter(|parent| ['1', '2', '3'].iter().all(|digit| tiles.contains(&format!("{parent}{digit}"))))
            .collect();
        if parents.is_empty() {
            return tiles;
        }
        tiles.retain(|tile| !parents.contains(&tile[..tile.len() - 1]));
        tiles.extend(parents);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_a_tile_is_in_it() {
        for zoom in [1, 8, MESSAGE_ZOOM, 24] {
            let tile = quadkey(Wgs84 { lat_deg: 44.655_54, lon_deg: 10.934_315, alt_m: 0.0 }, zoom);
            assert_eq!(centre(&tile).map(|at| quadkey(at, zoom)), Some(tile));
        }
        for bad in ["", "0124", "a", "0123012301230123012301230"] {
            assert_eq!(centre(bad), None, "{bad}");
        }
    }
    use crate::geo::Enu;
    use proptest::prelude::*;

    const MODENA: Wgs84 = Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 0.0 };

    fn covers(tiles: &[String], p: Wgs84) -> bool {
        let key = quadkey(p, MESSAGE_ZOOM);
        tiles.iter().any(|tile| key.starts_with(tile.as_str()))
    }

    #[test]
    fn five_hundred_metres_ahead_are_a_handful_of_tiles_and_nothing_behind() {
        let path = straight_ahead(MODENA, 90.0, 500.0);
        let tiles = tiles_along(&path, 30.0, 32);
        assert!((4..=16).contains(&tiles.len()), "{tiles:?}");
        let frame = SiteFrame::new(MODENA);
        assert!(covers(&tiles, frame.to_wgs84(Enu::ground(499.0, 29.0))));
        assert!(!covers(&tiles, frame.to_wgs84(Enu::ground(-260.0, 0.0))), "260 m behind");
        assert!(!covers(&tiles, frame.to_wgs84(Enu::ground(250.0, 300.0))), "300 m beside");
    }

    #[test]
    fn a_corridor_of_too_many_tiles_is_covered_by_larger_ones() {
        let path = straight_ahead(MODENA, 33.0, 15_000.0);
        let (fine, coarse) = (tiles_along(&path, 50.0, 4_096), tiles_along(&path, 50.0, 16));
        assert!(fine.len() > 100 && coarse.len() <= 16, "{} and {}", fine.len(), coarse.len());
        assert!(fine.iter().all(|tile| coarse.iter().any(|larger| tile.starts_with(larger.as_str()))));
    }

    #[test]
    fn nonsense_is_covered_by_nothing() {
        let nowhere = Wgs84 { lat_deg: f64::NAN, ..MODENA };
        assert!(tiles_along(&[], 10.0, 8).is_empty());
        assert!(tiles_along(&[nowhere], 10.0, 8).is_empty());
        assert_eq!(tiles_along(&[MODENA], f64::NAN, 8), tiles_along(&[MODENA], 0.0, 8));
    }

    #[test]
    fn a_tile_of_which_the_way_only_touches_a_corner_is_covered() {
        let path = straight_ahead(MODENA, 244.665, 400.17);
        let tiles = tiles_along(&path, 0.0, 64);
        let (sin, cos) = f64::to_radians(244.665).sin_cos();
        for step in 0..=4_000 {
            let ahead_m = 400.17 * f64::from(step) / 4_000.0;
            let p = SiteFrame::new(MODENA).to_wgs84(Enu::ground(sin * ahead_m, cos * ahead_m));
            assert!(covers(&tiles, p), "{ahead_m} m ahead");
        }
    }

    proptest! {
        #[test]
        fn everything_within_the_corridor_is_covered(
            heading_deg in 0.0..360.0,
            length_m in 0.0..1_500.0,
            half_width_m in 0.0..150.0,
            along in 0.0..=1.0,
            aside in -1.0..=1.0,
        ) {
            let path = straight_ahead(MODENA, heading_deg, length_m);
            let tiles = tiles_along(&path, half_width_m, 64);
            let (sin, cos) = f64::to_radians(heading_deg).sin_cos();
            let (ahead, left) = (along * length_m, aside * half_width_m);
            let p = Enu::ground(sin * ahead - cos * left, cos * ahead + sin * left);
            prop_assert!(covers(&tiles, SiteFrame::new(MODENA).to_wgs84(p)), "{p:?} in {tiles:?}");
            prop_assert!(tiles.windows(2).all(|pair| pair[0] < pair[1] && !pair[1].starts_with(&pair[0])));
        }
    }
}
