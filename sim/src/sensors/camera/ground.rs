//! The plan of the ground: how far each place is from a carriageway and from a pavement.
//!
//! A grid of signed distances (negative inside, millimetres in 16 bits) of which surfaces, kerbs and free places follow at
//! any place without a mesh. Coordinates are metres from the scene's origin.

use crate::roads::{EdgeKind, LaneKind, Roads};
use nalgebra::{Point2, Point3};

/// Cell of a small network, metres; of a large one so large that the grid stays below [`MAX_CELLS`].
const CELL_M: f64 = 0.30;
const MAX_CELLS: f64 = 12e6;
/// Around the network, metres.
const MARGIN_M: f64 = 60.0;
/// Distances are exact up to here, metres.
const BAND_M: f64 = 9.0;
const FAR_MM: i16 = 30_000;

/// The plan of a network's ground.
#[derive(Debug)]
pub(crate) struct GroundMap {
    west: f32,
    south: f32,
    cell: f32,
    width: usize,
    height: usize,
    road: Vec<i16>,
    walk: Vec<i16>,
    /// The network says where pavements are; otherwise one runs along each carriageway.
    has_walks: bool,
    /// There are pavements at all.
    pub(crate) urban: bool,
}

/// What lies at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Road,
    Kerb,
    Pavement,
    Terrain,
}

impl GroundMap {
    pub(crate) fn new(roads: &Roads, origin: Point3<f64>) -> Self {
        let (low, high) = roads.bounds().unwrap_or_default();
        let size = high - low + nalgebra::Vector2::repeat(2.0 * MARGIN_M);
        let cell = CELL_M.max((size.x * size.y / MAX_CELLS).sqrt());
        let (width, height) = ((size.x / cell).ceil() as usize + 1, (size.y / cell).ceil() as usize + 1);
        let has_walks = roads.lanes.iter().any(|lane| lane.kind == LaneKind::Sidewalk);
        let driving = || roads.lanes.iter().filter(|lane| lane.kind == LaneKind::Driving);
        let slow = driving().filter(|lane| lane.speed_limit_mps < 20.0).count();
        let mut map = Self {
            west: (low.x - MARGIN_M - origin.x) as f32,
            south: (low.y - MARGIN_M - origin.y) as f32,
            cell: cell as f32,
            width,
            height,
            road: vec![FAR_MM; width * height],
            walk: vec![FAR_MM; width * height],
            has_walks,
            urban: has_walks || slow * 2 > driving().count(),
        };
        let local = |p: Point2<f64>| Point2::new(p.x - origin.x, p.y - origin.y);
        for lane in &roads.lanes {
            let kind = roads.edges.get(lane.edge.index()).map_or(EdgeKind::Road, |edge| edge.kind);
            let walk = kind == EdgeKind::WalkingArea || lane.kind == LaneKind::Sidewalk && kind != EdgeKind::Crossing;
            if lane.kind == LaneKind::Verge {
                continue;
            }
            // A little wider, so that lanes side by side leave no seam.
            let half = lane.width_m / 2.0 + 0.12;
            for pair in lane.centre.points().windows(2) {
                map.capsule(local(pair[0].xy()), local(pair[1].xy()), half, walk);
            }
        }
        for edge in roads.edges.iter().filter(|edge| edge.outline.len() > 2) {
            let outline: Vec<_> = edge.outline.iter().map(|p| local(*p)).collect();
            map.polygon(&outline, edge.kind == EdgeKind::WalkingArea);
        }
        for junction in roads.junctions.iter().filter(|junction| junction.outline.len() > 2) {
            let outline: Vec<_> = junction.outline.iter().map(|p| local(*p)).collect();
            map.polygon(&outline, false);
        }
        map
    }

    fn each(&mut self, low: Point2<f64>, high: Point2<f64>, walk: bool, distance: impl Fn(Point2<f64>) -> f64) {
        let (cell, west, south) = (f64::from(self.cell), f64::from(self.west), f64::from(self.south));
        let index = |v: f64, from: f64, count: usize| (((v - from) / cell).max(0.0) as usize).min(count - 1);
        let (x0, x1) = (index(low.x - BAND_M, west, self.width), index(high.x + BAND_M, west, self.width));
        let (y0, y1) = (index(low.y - BAND_M, south, self.height), index(high.y + BAND_M, south, self.height));
        let grid = if walk { &mut self.walk } else { &mut self.road };
        for y in y0..=y1 {
            for x in x0..=x1 {
                let d = distance(Point2::new(west + x as f64 * cell, south + y as f64 * cell));
                let at = &mut grid[y * self.width + x];
                *at = (*at).min((d * 1000.0).clamp(-30_000.0, 30_000.0) as i16);
            }
        }
    }

    fn capsule(&mut self, a: Point2<f64>, b: Point2<f64>, half: f64, walk: bool) {
        let along = b - a;
        let square = along.norm_squared().max(1e-9);
        self.each(
            a.inf(&b) - nalgebra::Vector2::repeat(half),
            a.sup(&b) + nalgebra::Vector2::repeat(half),
            walk,
            |p| {
                let t = ((p - a).dot(&along) / square).clamp(0.0, 1.0);
                (p - (a + along * t)).norm() - half
            },
        );
    }

    fn polygon(&mut self, outline: &[Point2<f64>], walk: bool) {
        let low = outline.iter().fold(outline[0], |a, b| a.inf(b));
        let high = outline.iter().fold(outline[0], |a, b| a.sup(b));
        self.each(low, high, walk, |p| {
            let mut nearest = f64::MAX;
            for (i, a) in outline.iter().enumerate() {
                let b = outline[(i + 1) % outline.len()];
                let along = b - a;
                let t = ((p - a).dot(&along) / along.norm_squared().max(1e-9)).clamp(0.0, 1.0);
                nearest = nearest.min((p - (a + along * t)).norm());
            }
            let signed = if crate::geometry::contains(outline, p) { -nearest } else { nearest };
            signed - 0.12
        });
    }

    /// Distances to the carriageway and to the pavement, metres; negative inside.
    #[inline]
    pub(crate) fn distances(&self, x: f32, y: f32) -> (f32, f32) {
        let (gx, gy) = ((x - self.west) / self.cell, (y - self.south) / self.cell);
        if !(gx >= 0.0 && gy >= 0.0 && gx < (self.width - 1) as f32 && gy < (self.height - 1) as f32) {
            return (30.0, 30.0);
        }
        let (ix, iy) = (gx as usize, gy as usize);
        let (tx, ty) = (gx - ix as f32, gy - iy as f32);
        let at = iy * self.width + ix;
        let bilinear = |grid: &[i16]| {
            let v = |k: usize| f32::from(grid[at + k]);
            let top = v(0) + (v(1) - v(0)) * tx;
            let bottom = v(self.width) + (v(self.width + 1) - v(self.width)) * tx;
            (top + (bottom - top) * ty) * 0.001
        };
        let road = bilinear(&self.road);
        let walk = match (self.has_walks, self.urban) {
            (true, _) => bilinear(&self.walk),
            (false, true) => road - 2.4,
            (false, false) => 30.0,
        };
        (road, walk)
    }

    /// What lies at a place, with the distance to the carriageway's edge, metres.
    #[inline]
    pub(crate) fn surface(&self, x: f32, y: f32) -> (Surface, f32) {
        let (road, walk) = self.distances(x, y);
        let surface = if road < 0.0 {
            Surface::Road
        } else if walk < 0.0 || road < 0.7 && walk < 0.7 {
            if road < 0.16 { Surface::Kerb } else { Surface::Pavement }
        } else {
            Surface::Terrain
        };
        (surface, road)
    }

    /// Distance to the nearest carriageway or pavement, metres.
    pub(crate) fn clearance(&self, x: f32, y: f32) -> f32 {
        let (road, walk) = self.distances(x, y);
        road.min(walk)
    }
}

/// Triangles (as indices) of a simple polygon whose corners run counter-clockwise.
pub(crate) fn triangulate(outline: &[Point2<f64>]) -> Vec<[usize; 3]> {
    let mut left: Vec<usize> = (0..outline.len()).collect();
    let cross = |a: usize, b: usize, c: usize| {
        let (u, v) = (outline[b] - outline[a], outline[c] - outline[a]);
        u.x * v.y - u.y * v.x
    };
    let mut triangles = Vec::new();
    while left.len() > 3 {
        let n = left.len();
        let ear = (0..n).find(|i| {
            let [a, b, c] = [left[(i + n - 1) % n], left[*i], left[(i + 1) % n]];
            let inside = |p: usize| cross(a, b, p) >= 0.0 && cross(b, c, p) >= 0.0 && cross(c, a, p) >= 0.0;
            cross(a, b, c) > 0.0 && !left.iter().any(|p| ![a, b, c].contains(p) && inside(*p))
        });
        // A polygon that crosses itself has no ear left: what remains is left out.
        let Some(i) = ear else { return triangles };
        triangles.push([left[(i + n - 1) % n], left[i], left[(i + 1) % n]]);
        left.remove(i);
    }
    if left.len() == 3 {
        triangles.push([left[0], left[1], left[2]]);
    }
    triangles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Polyline;
    use crate::roads::Lane;

    #[test]
    fn a_road_has_kerbs_and_pavements_beside_it() {
        let centre = Polyline::new([Point3::new(0.0, 0.0, 0.0), Point3::new(100.0, 0.0, 0.0)]);
        let lane = Lane { width_m: 3.5, centre, speed_limit_mps: 13.9, ..Lane::default() };
        let roads = Roads { lanes: vec![lane], ..Roads::default() };
        let map = GroundMap::new(&roads, Point3::origin());
        let at = |y: f32| map.surface(50.0, y).0;
        assert_eq!([0.0, 1.95, 3.0, 8.0].map(at), [Surface::Road, Surface::Kerb, Surface::Pavement, Surface::Terrain]);
        assert!((map.distances(50.0, 4.0).0 - 2.13).abs() < 0.03);
        assert!(map.clearance(50.0, 30.0) > 20.0);
    }

    #[test]
    fn a_polygon_with_a_notch_is_covered_once() {
        let outline = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (2.0, 1.0), (0.0, 3.0)].map(|(x, y)| Point2::new(x, y));
        let area: f64 = triangulate(&outline)
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|i| outline[i]);
                ((b - a).x * (c - a).y - (b - a).y * (c - a).x) / 2.0
            })
            .sum();
        assert!((area - 8.0).abs() < 1e-9);
    }
}
