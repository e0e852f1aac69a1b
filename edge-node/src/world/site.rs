//! The site map: what kind of ground a position is on.
//!
//! In: the `[[zone]]` tables of the site configuration. Out: the zones of a position, and how deep inside one lies.
//! A checked map never fails. Zones may overlap (a crossing lies on a carriageway). Absent: lanes, stop lines, signals.

use crate::polygon::is_within;
use masa_v2x_proto::geo::Enu;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most zones of a site.
pub const MAX_ZONES: usize = 256;
/// Most corners of a zone.
pub const MAX_CORNERS: usize = 1024;
/// Most approaches of a zone (`Traces` of TS 102 894-2).
pub const MAX_APPROACHES: usize = 7;
/// Most points of an approach (`Path` of TS 102 894-2).
pub const MAX_APPROACH_POINTS: usize = 40;
/// Longest step between two points of an approach, metres: what a path point's offset can express in Europe.
const MAX_APPROACH_STEP_M: f64 = 500.0;

/// What a zone is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneKind {
    /// Where vehicles drive.
    Carriageway,
    /// Where people walk.
    Pavement,
    /// Where people cross a carriageway; overlaps it.
    Crossing,
    /// Where vehicles are left.
    Parking,
}

/// One `[[zone]]` of a site configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ZoneSettings {
    /// Unique name in the site.
    pub id: String,
    /// What the zone is used for.
    pub kind: ZoneKind,
    /// Corners in order, either sense, `[east, north]` metres in the site frame; the last joins the first.
    pub polygon_m: Vec<[f64; 2]>,
    /// Of a carriageway: the paths on which vehicles come to it, each from its border outwards against the traffic,
    /// `[east, north]` metres. DENMs carry them, so that a vehicle knows whether an event lies ahead of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approaches_m: Vec<Vec<[f64; 2]>>,
}

/// Why a set of zones is not a site map.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SiteError {
    /// More zones than a site may have.
    #[error("the site has {0} zones, the most is {MAX_ZONES}")]
    TooManyZones(usize),
    /// Two zones share an id.
    #[error("zone id `{0}` is used twice")]
    DuplicateId(String),
    /// Fewer than three or too many corners.
    #[error("zone `{id}` has {corners} corners, needs 3 to {MAX_CORNERS}")]
    Corners {
        /// The zone.
        id: String,
        /// How many it has.
        corners: usize,
    },
    /// A corner is not a number or beyond a hundred kilometres, where the tangent plane is meaningless.
    #[error("zone `{id}`, corner {corner}: [{e_m}, {n_m}] is not a position within 100 km of the site origin")]
    BadCorner {
        /// The zone.
        id: String,
        /// Which corner, from 0.
        corner: usize,
        /// East as given.
        e_m: f64,
        /// North as given.
        n_m: f64,
    },
    /// An approach has no or too many points, a step is too long, or there are too many of them.
    #[error(
        "zone `{id}`: approaches-m takes up to {MAX_APPROACHES} paths of 1 to {MAX_APPROACH_POINTS} points, \
         at most {MAX_APPROACH_STEP_M} m apart"
    )]
    Approaches {
        /// The zone.
        id: String,
    },
    /// The corners enclose (almost) nothing.
    #[error("zone `{id}` encloses {area_m2} m²; are its corners in order?")]
    NoArea {
        /// The zone.
        id: String,
        /// The enclosed area.
        area_m2: f64,
    },
}

/// A checked zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    id: String,
    kind: ZoneKind,
    polygon_m: Vec<[f64; 2]>,
    approaches_m: Vec<Vec<[f64; 2]>>,
    /// West, south, east, north.
    bounds_m: [f64; 4],
}

impl Zone {
    /// Unique name in the site.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the zone is used for.
    pub fn kind(&self) -> ZoneKind {
        self.kind
    }

    /// Corners in order, `[east, north]` metres in the site frame.
    pub fn polygon_m(&self) -> &[[f64; 2]] {
        &self.polygon_m
    }

    /// The paths on which vehicles come to it, each from its border outwards, `[east, north]` metres in the site frame.
    pub fn approaches_m(&self) -> &[Vec<[f64; 2]>] {
        &self.approaches_m
    }

    /// Whether a ground position lies inside; on the border either answer is right.
    pub fn contains(&self, p: Enu) -> bool {
        let [west, south, east, north] = self.bounds_m;
        if !(west..=east).contains(&p.e_m) || !(south..=north).contains(&p.n_m) {
            return false;
        }
        is_within(&self.polygon_m, p)
    }

    /// Distance from the border, metres: positive inside, negative outside.
    pub fn depth_m(&self, p: Enu) -> f64 {
        let border = self.edges().map(|(a, b)| distance_to_segment_m(p, a, b)).fold(f64::INFINITY, f64::min);
        if self.contains(p) { border } else { -border }
    }

    fn edges(&self) -> impl Iterator<Item = ([f64; 2], [f64; 2])> {
        let ends = self.polygon_m.iter().cycle().skip(1);
        self.polygon_m.iter().zip(ends).map(|(a, b)| (*a, *b))
    }
}

fn distance_to_segment_m(p: Enu, a: [f64; 2], b: [f64; 2]) -> f64 {
    let (de, dn) = (b[0] - a[0], b[1] - a[1]);
    let length2 = de * de + dn * dn;
    let along = if length2 > 0.0 { ((p.e_m - a[0]) * de + (p.n_m - a[1]) * dn) / length2 } else { 0.0 }.clamp(0.0, 1.0);
    (p.e_m - a[0] - along * de).hypot(p.n_m - a[1] - along * dn)
}

/// The zones of a site, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteMap {
    zones: Vec<Zone>,
}

impl SiteMap {
    /// Checks `zones`; an empty list is a site without a map.
    pub fn new(zones: &[ZoneSettings]) -> Result<Self, SiteError> {
        if zones.len() > MAX_ZONES {
            return Err(SiteError::TooManyZones(zones.len()));
        }
        let mut ids = BTreeSet::new();
        let checked = zones.iter().map(|zone| {
            if !ids.insert(&zone.id) {
                return Err(SiteError::DuplicateId(zone.id.clone()));
            }
            check(zone)
        });
        Ok(Self { zones: checked.collect::<Result<_, _>>()? })
    }

    /// Every zone, in the order of the configuration.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// Whether nothing is known of the ground.
    pub(crate) fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }

    /// The zones that contain a ground position, in the order of the configuration.
    pub fn zones_at(&self, p: Enu) -> impl Iterator<Item = &Zone> {
        self.zones.iter().filter(move |zone| zone.contains(p))
    }

    /// The largest [`Zone::depth_m`] over the zones of a kind; `None` when the site has none of that kind.
    pub fn depth_m(&self, kind: ZoneKind, p: Enu) -> Option<f64> {
        self.zones.iter().filter(|zone| zone.kind == kind).map(|zone| zone.depth_m(p)).reduce(f64::max)
    }

    /// Whether a ground position lies in a zone of this kind.
    pub fn is_in(&self, kind: ZoneKind, p: Enu) -> bool {
        self.zones_at(p).any(|zone| zone.kind == kind)
    }
}

fn check(zone: &ZoneSettings) -> Result<Zone, SiteError> {
    let id = || zone.id.clone();
    let corners = zone.polygon_m.len();
    if !(3..=MAX_CORNERS).contains(&corners) {
        return Err(SiteError::Corners { id: id(), corners });
    }
    let far = |v: f64| !v.is_finite() || v.abs() > 100_000.0;
    if let Some((corner, &[e_m, n_m])) = zone.polygon_m.iter().enumerate().find(|(_, c)| far(c[0]) || far(c[1])) {
        return Err(SiteError::BadCorner { id: id(), corner, e_m, n_m });
    }
    let is_step = |s: &[[f64; 2]]| (s[0][0] - s[1][0]).hypot(s[0][1] - s[1][1]) <= MAX_APPROACH_STEP_M;
    let is_path = |path: &Vec<[f64; 2]>| {
        (1..=MAX_APPROACH_POINTS).contains(&path.len())
            && !path.iter().any(|p| far(p[0]) || far(p[1]))
            && path.windows(2).all(is_step)
    };
    if zone.approaches_m.len() > MAX_APPROACHES || !zone.approaches_m.iter().all(is_path) {
        return Err(SiteError::Approaches { id: id() });
    }
    let mut bounds_m = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    for [e, n] in &zone.polygon_m {
        bounds_m = [bounds_m[0].min(*e), bounds_m[1].min(*n), bounds_m[2].max(*e), bounds_m[3].max(*n)];
    }
    let (polygon_m, approaches_m) = (zone.polygon_m.clone(), zone.approaches_m.clone());
    let checked = Zone { id: id(), kind: zone.kind, polygon_m, approaches_m, bounds_m };
    let area_m2 = checked.edges().map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>().abs() / 2.0;
    if area_m2 < 0.01 {
        return Err(SiteError::NoArea { id: id(), area_m2 });
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(id: &str, kind: ZoneKind, polygon_m: &[[f64; 2]]) -> ZoneSettings {
        ZoneSettings { id: id.into(), kind, polygon_m: polygon_m.to_vec(), approaches_m: vec![] }
    }

    /// An L: a road along east with a branch to the north at its west end.
    const L: [[f64; 2]; 6] = [[0.0, 0.0], [20.0, 0.0], [20.0, 6.0], [6.0, 6.0], [6.0, 20.0], [0.0, 20.0]];

    #[test]
    fn a_concave_zone_knows_its_inside_and_depth() {
        let map = SiteMap::new(&[zone("road", ZoneKind::Carriageway, &L)]).unwrap();
        for (e, n, depth) in
            [(3.0, 3.0, 3.0), (10.0, 5.0, 1.0), (3.0, 15.0, 3.0), (10.0, 10.0, -4.0), (-3.0, -4.0, -5.0)]
        {
            let p = Enu::ground(e, n);
            assert_eq!(map.is_in(ZoneKind::Carriageway, p), depth > 0.0, "({e}, {n})");
            let got = map.depth_m(ZoneKind::Carriageway, p).unwrap();
            assert!((got - depth).abs() < 1e-9, "({e}, {n}): {got}");
        }
        assert_eq!(map.depth_m(ZoneKind::Parking, Enu::ground(3.0, 3.0)), None);
    }

    #[test]
    fn overlapping_zones_are_all_reported() {
        let crossing = [[8.0, -1.0], [11.0, -1.0], [11.0, 7.0], [8.0, 7.0]];
        let map =
            SiteMap::new(&[zone("road", ZoneKind::Carriageway, &L), zone("zebra", ZoneKind::Crossing, &crossing)])
                .unwrap();
        let at = |e, n| map.zones_at(Enu::ground(e, n)).map(Zone::id).collect::<Vec<_>>();
        assert_eq!(at(9.0, 3.0), ["road", "zebra"]);
        assert_eq!(at(9.0, 6.5), ["zebra"]);
        assert_eq!(at(15.0, 3.0), ["road"]);
        assert!(at(15.0, 9.0).is_empty());
    }

    #[test]
    fn a_bad_zone_is_refused_by_name() {
        let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let cases = [
            (
                vec![zone("a", ZoneKind::Parking, &square), zone("a", ZoneKind::Parking, &square)],
                "zone id `a` is used twice",
            ),
            (vec![zone("b", ZoneKind::Parking, &square[..2])], "zone `b` has 2 corners"),
            (vec![zone("c", ZoneKind::Parking, &[[0.0, 0.0], [1.0, f64::NAN], [2.0, 2.0]])], "zone `c`, corner 1"),
            (vec![zone("d", ZoneKind::Parking, &[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])], "zone `d` encloses 0 m²"),
        ];
        let mut long = zone("e", ZoneKind::Carriageway, &square);
        long.approaches_m = vec![vec![[0.0, 0.0], [501.0, 0.0]]];
        let mut many = zone("f", ZoneKind::Carriageway, &square);
        many.approaches_m = vec![vec![[0.0, 0.0]]; MAX_APPROACHES + 1];
        let cases =
            cases.into_iter().chain([(vec![long], "zone `e`: approaches-m"), (vec![many], "zone `f`: approaches-m")]);
        for (zones, expected) in cases {
            let error = SiteMap::new(&zones).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let many: Vec<_> = (0..=MAX_ZONES).map(|i| zone(&i.to_string(), ZoneKind::Parking, &square)).collect();
        assert_eq!(SiteMap::new(&many), Err(SiteError::TooManyZones(MAX_ZONES + 1)));
    }

    #[test]
    fn zones_read_from_toml_and_unknown_keys_are_errors() {
        #[derive(Deserialize)]
        struct Site {
            zone: Vec<ZoneSettings>,
        }
        let text = "[[zone]]\nid = 'p'\nkind = 'parking'\npolygon-m = [[0, 0], [1.5, 0], [1, 1]]\n";
        let site: Site = toml::from_str(text).unwrap();
        assert_eq!(site.zone, [zone("p", ZoneKind::Parking, &[[0.0, 0.0], [1.5, 0.0], [1.0, 1.0]])]);
        assert!(toml::from_str::<Site>(&format!("{text}color = 3\n")).is_err());
    }

    proptest! {
        // A rectangle's inside is known without the even-odd rule, whichever corner comes first and in either sense.
        #[test]
        fn a_rectangle_contains_what_its_bounds_say(w in 0.2..50.0f64, h in 0.2..50.0f64, e in -60.0..60.0f64,
                                                    n in -60.0..60.0f64, turn in 0usize..4, reverse: bool) {
            let mut corners = [[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]];
            corners.rotate_left(turn);
            if reverse {
                corners.reverse();
            }
            let map = SiteMap::new(&[zone("r", ZoneKind::Pavement, &corners)]).unwrap();
            let inside = e > 0.0 && e < w && n > 0.0 && n < h;
            prop_assert_eq!(map.is_in(ZoneKind::Pavement, Enu::ground(e, n)), inside);
        }
    }
}
