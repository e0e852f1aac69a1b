//! GeoJSON (RFC 7946) of a road network: the site map of a control room.
//!
//! In: [`Roads`] that know where on the globe they are. Out: a `FeatureCollection`; every feature has a `kind`: `green`,
//! `pavement`, `carriageway`, `cycleway`, `parking`, `rail`, `junction`, `crossing` (a bar of a zebra), `lane-line`,
//! `building`, `tree`. Absent: what moves; signals, which stations tell of.

use super::{Edge, EdgeKind, Lane, LaneKind, Roads};
use masa_v2x_proto::geo::{Enu, SiteFrame};
use nalgebra::{Point2, Vector2};
use serde_json::{Value, json};

/// From one bar of a zebra to the next, and the width of a bar, metres.
const ZEBRA_M: [f64; 2] = [1.0, 0.5];
/// Corners of a tree.
const CROWN_CORNERS: u32 = 10;

impl Roads {
    /// The network as GeoJSON; `None` when the source does not say where on the globe it is.
    pub fn to_geojson(&self) -> Option<Value> {
        let map = Map { frame: SiteFrame::new(self.geo?.origin) };
        let mut features = Vec::new();
        features.extend(
            self.junctions.iter().filter_map(|junction| map.area("junction", junction.outline.iter().copied())),
        );
        for edge in &self.edges {
            features.extend(
                map.area("pavement", edge.outline.iter().copied()).filter(|_| edge.kind == EdgeKind::WalkingArea),
            );
            for lane in edge.lanes.iter().map(|lane| self.lane(*lane)) {
                map.lane(edge, lane, &mut features);
            }
        }
        let own = self.parking.iter().filter(|space| space.lane.is_none());
        features.extend(own.filter_map(|space| {
            let (sin, cos) = space.yaw_rad.sin_cos();
            let (along, across) =
                (Vector2::new(cos, sin) * (space.length_m / 2.0), Vector2::new(-sin, cos) * (space.width_m / 2.0));
            map.area(
                "parking",
                [along + across, across - along, -along - across, along - across].map(|corner| space.position + corner),
            )
        }));
        features.extend(
            self.buildings.iter().filter_map(|building| map.area("building", building.outline.iter().copied())),
        );
        features.extend(self.trees.iter().filter_map(|tree| {
            let corner = |i: u32| {
                let (sin, cos) = (f64::from(i) / f64::from(CROWN_CORNERS) * std::f64::consts::TAU).sin_cos();
                tree.position + Vector2::new(cos, sin) * (tree.crown_m / 2.0)
            };
            map.area("tree", (0..CROWN_CORNERS).map(corner))
        }));
        Some(json!({ "type": "FeatureCollection", "features": features }))
    }
}

struct Map {
    frame: SiteFrame,
}

impl Map {
    fn degrees(&self, p: Point2<f64>) -> [f64; 2] {
        let at = self.frame.to_wgs84(Enu { e_m: p.x, n_m: p.y, u_m: 0.0 });
        // A centimetre.
        [at.lon_deg, at.lat_deg].map(|deg| (deg * 1e7).round() / 1e7)
    }

    /// An area; `None` for fewer than three corners.
    fn area(&self, kind: &str, corners: impl IntoIterator<Item = Point2<f64>>) -> Option<Value> {
        let mut ring: Vec<_> = corners.into_iter().map(|p| self.degrees(p)).collect();
        if ring.len() < 3 {
            return None;
        }
        ring.push(ring[0]);
        let geometry = json!({ "type": "Polygon", "coordinates": [ring] });
        Some(json!({ "type": "Feature", "properties": { "kind": kind }, "geometry": geometry }))
    }

    fn lane(&self, edge: &Edge, lane: &Lane, features: &mut Vec<Value>) {
        let half_m = lane.width_m / 2.0;
        let side = |offset_m: f64| lane.centre.beside(offset_m).points().iter().map(|p| p.xy()).collect::<Vec<_>>();
        let kind = match (edge.kind, lane.kind) {
            (EdgeKind::Crossing, _) => return self.zebra(lane, features),
            // Ways through a junction lie on its own surface.
            (EdgeKind::WalkingArea, _) | (EdgeKind::Internal, LaneKind::Bicycle) => return,
            (EdgeKind::Internal, _) => "junction",
            (_, LaneKind::Driving | LaneKind::Shoulder) => "carriageway",
            (_, LaneKind::Bicycle) => "cycleway",
            (_, LaneKind::Sidewalk) => "pavement",
            (_, LaneKind::Parking) => "parking",
            (_, LaneKind::Rail) => "rail",
            (_, LaneKind::Verge) => "green",
        };
        let left = side(half_m);
        features.extend(self.area(kind, left.iter().copied().chain(side(-half_m).into_iter().rev())));
        if kind == "carriageway" {
            let line: Vec<_> = left.into_iter().map(|p| self.degrees(p)).collect();
            let geometry = json!({ "type": "LineString", "coordinates": line });
            features.push(json!({ "type": "Feature", "properties": { "kind": "lane-line" }, "geometry": geometry }));
        }
    }

    fn zebra(&self, lane: &Lane, features: &mut Vec<Value>) {
        let [step_m, bar_m] = ZEBRA_M;
        let bars = (lane.centre.length_m() / step_m) as usize;
        features.extend((0..bars).filter_map(|i| {
            let at = lane.centre.at((i as f64 + 0.5) * step_m)?;
            let (sin, cos) = at.yaw_rad.sin_cos();
            let (along, across) =
                (Vector2::new(cos, sin) * (bar_m / 2.0), Vector2::new(-sin, cos) * (lane.width_m / 2.0));
            self.area(
                "crossing",
                [along + across, across - along, -along - across, along - across].map(|corner| at.point.xy() + corner),
            )
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_shipped_network_is_a_map_of_closed_areas_around_its_origin() {
        let roads = Roads::shipped("masa").unwrap();
        let origin = roads.geo.unwrap().origin;
        let map = roads.to_geojson().unwrap();
        let features = map["features"].as_array().unwrap();
        let kinds: BTreeSet<_> = features.iter().map(|f| f["properties"]["kind"].as_str().unwrap()).collect();
        for kind in
            ["carriageway", "cycleway", "pavement", "junction", "crossing", "parking", "building", "tree", "lane-line"]
        {
            assert!(kinds.contains(kind), "{kind} of {kinds:?}");
        }
        for feature in features.iter().filter(|f| f["geometry"]["type"] == "Polygon") {
            let ring = feature["geometry"]["coordinates"][0].as_array().unwrap();
            assert_eq!(ring.first(), ring.last());
            let (lon, lat) = (ring[0][0].as_f64().unwrap(), ring[0][1].as_f64().unwrap());
            assert!((lon - origin.lon_deg).abs() < 0.02 && (lat - origin.lat_deg).abs() < 0.02, "{lon}, {lat}");
        }
        assert_eq!(Roads { geo: None, ..roads }.to_geojson(), None);
    }
}
