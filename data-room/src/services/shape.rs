//! Lines, areas and lanes in a site's plane: `[east, north]` metres of the site's origin.

use serde::{Deserialize, Serialize};

/// A place in the plane, `[east, north]` metres.
pub type Place = [f64; 2];

/// Furthest that a shape may lie from the origin, metres: beyond it the tangent plane is meaningless.
const MAX_OFFSET_M: f64 = 100_000.0;
/// Most points of a shape.
pub const MAX_POINTS: usize = 256;

/// Whether every coordinate is a number near the origin, and the points are not too many.
pub(crate) fn is_sound(points: &[Place], least: usize) -> bool {
    (least..=MAX_POINTS).contains(&points.len()) && points.iter().flatten().all(|v| v.abs() <= MAX_OFFSET_M)
}

/// The place a share `u` of the way from `a` to `b`.
pub(crate) fn between(a: Place, b: Place, u: f64) -> Place {
    [a[0] + (b[0] - a[0]) * u, a[1] + (b[1] - a[1]) * u]
}

pub(crate) fn distance_m(a: Place, b: Place) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// A line across a road, from one edge to the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line(pub [Place; 2]);

impl Line {
    /// Its length, metres.
    pub fn length_m(&self) -> f64 {
        distance_m(self.0[0], self.0[1])
    }

    /// Its middle.
    pub fn middle(&self) -> Place {
        between(self.0[0], self.0[1], 0.5)
    }

    /// Of a place: how far it is beyond the line in forward direction, and how far along the line from its first end,
    /// metres. Who stands at the first end and looks at the second sees forward traffic pass from left to right.
    pub fn offset_m(&self, p: Place) -> [f64; 2] {
        let [a, b] = self.0;
        let length = self.length_m();
        let (x, y) = ((b[0] - a[0]) / length, (b[1] - a[1]) / length);
        let (de, dn) = (p[0] - a[0], p[1] - a[1]);
        [de * y - dn * x, de * x + dn * y]
    }
}

/// An area, by its corners in order; the last joins the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Area(pub Vec<Place>);

impl Area {
    fn edges(&self) -> impl Iterator<Item = (Place, Place)> {
        self.0.iter().copied().zip(self.0.iter().copied().cycle().skip(1))
    }

    /// Its size, square metres.
    pub fn size_m2(&self) -> f64 {
        self.edges().map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>().abs() / 2.0
    }

    /// Mean of its corners.
    pub fn middle(&self) -> Place {
        let corners = self.0.len().max(1) as f64;
        let sum = self.0.iter().fold([0.0, 0.0], |sum, p| [sum[0] + p[0], sum[1] + p[1]]);
        [sum[0] / corners, sum[1] / corners]
    }

    /// Whether a place lies inside; on the border either answer is right.
    pub fn contains(&self, p: Place) -> bool {
        // Even-odd rule: count the edges that a ray to the east crosses.
        self.edges().fold(false, |inside, (a, b)| {
            let spans = (a[1] > p[1]) != (b[1] > p[1]);
            inside ^ (spans && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0])
        })
    }
}

/// A way along a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Way(pub Vec<Place>);

impl Way {
    /// The nearest point: how far along the way it is, and how far `p` is from it, metres.
    pub fn project_m(&self, p: Place) -> [f64; 2] {
        let mut best = [0.0, f64::INFINITY];
        let mut gone_m = 0.0;
        for pair in self.0.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let length_m = distance_m(a, b);
            let dot = (p[0] - a[0]) * (b[0] - a[0]) + (p[1] - a[1]) * (b[1] - a[1]);
            let u = if length_m > 0.0 { (dot / (length_m * length_m)).clamp(0.0, 1.0) } else { 0.0 };
            let away_m = distance_m(p, between(a, b, u));
            if away_m < best[1] {
                best = [gone_m + u * length_m, away_m];
            }
            gone_m += length_m;
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_is_from_left_to_right_of_who_looks_along_the_line() {
        // Looking north from the origin: forward is east.
        let line = Line([[0.0, 0.0], [0.0, 10.0]]);
        for (place, offset) in [([3.0, 4.0], [3.0, 4.0]), ([-2.0, 11.0], [-2.0, 11.0]), ([0.0, 0.0], [0.0, 0.0])] {
            assert_eq!(line.offset_m(place), offset);
        }
        // Looking west: forward is north.
        assert_eq!(Line([[5.0, 0.0], [1.0, 0.0]]).offset_m([4.0, 2.0]), [2.0, 1.0]);
    }

    #[test]
    fn an_area_knows_its_inside_and_size() {
        let l = Area(vec![[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [2.0, 2.0], [2.0, 4.0], [0.0, 4.0]]);
        assert_eq!(l.size_m2(), 12.0);
        for (place, inside) in [([1.0, 3.0], true), ([3.0, 1.0], true), ([3.0, 3.0], false), ([-1.0, 1.0], false)] {
            assert_eq!(l.contains(place), inside, "{place:?}");
        }
    }

    #[test]
    fn a_way_is_measured_along_its_bends() {
        let way = Way(vec![[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]);
        assert_eq!(way.project_m([4.0, 1.0]), [4.0, 1.0]);
        assert_eq!(way.project_m([12.0, 5.0]), [15.0, 2.0]);
        assert_eq!(way.project_m([-3.0, -4.0]), [0.0, 5.0]);
    }
}
