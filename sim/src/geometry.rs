//! Lines along roads, and poses on the ground.

use nalgebra::{Point2, Point3, Vector2};

/// A line through points, measured by its length in the plane; heights go along.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polyline {
    points: Vec<Point3<f64>>,
    /// Length from the start to each point, metres in the plane.
    lengths: Vec<f64>,
}

/// Where a point of a line is and how the line runs there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnLine {
    /// The point, ENU metres.
    pub point: Point3<f64>,
    /// Direction, radians counter-clockwise from east.
    pub yaw_rad: f64,
    /// Slope along the line: rise by run.
    pub slope: f64,
}

/// A point seen from a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// Length along the line, metres.
    pub s_m: f64,
    /// Distance to the left of the line (negative: right), metres.
    pub offset_m: f64,
}

impl Polyline {
    /// A line through `points` in order; repeated points are left out.
    pub fn new(points: impl IntoIterator<Item = Point3<f64>>) -> Self {
        let mut line = Self::default();
        for point in points {
            let length = match (line.points.last(), line.lengths.last()) {
                (Some(last), Some(length)) => length + (point.xy() - last.xy()).norm(),
                _ => 0.0,
            };
            if line.lengths.last().is_none_or(|last| length - last > 1e-9) {
                line.points.push(point);
                line.lengths.push(length);
            }
        }
        line
    }

    /// The points, ENU metres.
    pub fn points(&self) -> &[Point3<f64>] {
        &self.points
    }

    /// Length in the plane, metres.
    pub fn length_m(&self) -> f64 {
        self.lengths.last().copied().unwrap_or(0.0)
    }

    /// The point `s_m` along the line; before the start and behind the end the line goes straight on. `None` for a line
    /// without two different points.
    pub fn at(&self, s_m: f64) -> Option<OnLine> {
        if self.points.len() < 2 {
            return None;
        }
        let segment = self.lengths.partition_point(|length| *length <= s_m).clamp(1, self.points.len() - 1) - 1;
        let (a, b) = (self.points[segment], self.points[segment + 1]);
        let run = self.lengths[segment + 1] - self.lengths[segment];
        let along = (b - a) / run;
        Some(OnLine {
            point: a + along * (s_m - self.lengths[segment]),
            yaw_rad: along.y.atan2(along.x),
            slope: along.z,
        })
    }

    /// Where the point of the line nearest to `p` is, and on which side of it `p` lies. `None` as for [`Self::at`].
    pub fn project(&self, p: Point2<f64>) -> Option<Projection> {
        let mut best: Option<(f64, Projection)> = None;
        for (segment, pair) in self.points.windows(2).enumerate() {
            let (a, b) = (pair[0].xy(), pair[1].xy());
            let (along, to) = (b - a, p - a);
            let t = (to.dot(&along) / along.norm_squared()).clamp(0.0, 1.0);
            let away = p - (a + along * t);
            let side = along.x * to.y - along.y * to.x;
            let distance = away.norm();
            if best.is_none_or(|(nearest, _)| distance < nearest) {
                let s_m = self.lengths[segment] + along.norm() * t;
                best = Some((distance, Projection { s_m, offset_m: distance.copysign(side) }));
            }
        }
        best.map(|(_, projection)| projection)
    }

    /// The line moved to the left by `offset_m` (negative: right), each point along the bisector of its corner.
    pub fn beside(&self, offset_m: f64) -> Self {
        let last = self.points.len().saturating_sub(1);
        let normal = |from: usize| -> Vector2<f64> {
            let along = (self.points[from + 1].xy() - self.points[from].xy()).normalize();
            Vector2::new(-along.y, along.x)
        };
        Self::new((0..self.points.len()).filter(|_| last > 0).map(|i| {
            let (before, after) = (normal(i.saturating_sub(1).min(last - 1)), normal(i.min(last - 1)));
            let bisector = before + after;
            // A hairpin has no bisector of use; elsewhere the corner is cut at twice the distance.
            let shift = if bisector.norm() < 1e-6 {
                after * offset_m
            } else {
                let unit = bisector.normalize();
                unit * (offset_m / unit.dot(&after).max(0.5))
            };
            let p = self.points[i];
            Point3::new(p.x + shift.x, p.y + shift.y, p.z)
        }))
    }

    /// The part from `from_m` to `to_m`, both within the line.
    pub fn part(&self, from_m: f64, to_m: f64) -> Self {
        let within = |s: f64| s > from_m && s < to_m;
        let inner = self.points.iter().zip(&self.lengths).filter(|(_, s)| within(**s)).map(|(p, _)| *p);
        let ends = (self.at(from_m).map(|e| e.point), self.at(to_m).map(|e| e.point));
        Self::new(ends.0.into_iter().chain(inner).chain(ends.1))
    }
}

/// Difference of two angles, in (−π, π].
pub fn angle_between(a_rad: f64, b_rad: f64) -> f64 {
    let turn = (a_rad - b_rad).rem_euclid(std::f64::consts::TAU);
    if turn > std::f64::consts::PI { turn - std::f64::consts::TAU } else { turn }
}

/// Whether `p` lies inside the polygon `outline` (even-odd rule).
pub fn contains(outline: &[Point2<f64>], p: Point2<f64>) -> bool {
    let mut inside = false;
    let mut before = outline.len().wrapping_sub(1);
    for (i, a) in outline.iter().enumerate() {
        let b = outline[before];
        if (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x {
            inside = !inside;
        }
        before = i;
    }
    inside
}

/// Shortest distance between two outlines of four corners, metres; 0 where they meet.
pub fn gap_between(a: &[Point2<f64>; 4], b: &[Point2<f64>; 4]) -> f64 {
    let edges = |outline: &[Point2<f64>; 4]| [0, 1, 2, 3].map(|i| (outline[i], outline[(i + 1) % 4]));
    let crosses = |(p, q): (Point2<f64>, Point2<f64>), (r, s): (Point2<f64>, Point2<f64>)| {
        let side = |o: Point2<f64>, u: Point2<f64>, v: Point2<f64>| (u - o).perp(&(v - o));
        side(p, q, r) * side(p, q, s) < 0.0 && side(r, s, p) * side(r, s, q) < 0.0
    };
    let meet = a.iter().any(|p| contains(b, *p))
        || b.iter().any(|p| contains(a, *p))
        || edges(a).iter().any(|one| edges(b).iter().any(|two| crosses(*one, *two)));
    if meet {
        return 0.0;
    }
    let to_edge = |p: Point2<f64>, (q, r): (Point2<f64>, Point2<f64>)| {
        let along = r - q;
        let share = if along.norm_squared() > 0.0 { (p - q).dot(&along) / along.norm_squared() } else { 0.0 };
        (p - (q + along * share.clamp(0.0, 1.0))).norm()
    };
    let nearest = |points: &[Point2<f64>; 4], to: &[Point2<f64>; 4]| {
        points.iter().flat_map(|p| edges(to).map(|edge| to_edge(*p, edge))).fold(f64::INFINITY, f64::min)
    };
    nearest(a, b).min(nearest(b, a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{FRAC_PI_2, PI};

    fn corner() -> Polyline {
        Polyline::new([(0.0, 0.0), (10.0, 0.0), (10.0, 0.0), (10.0, 5.0)].map(|(x, y)| Point3::new(x, y, y / 5.0)))
    }

    #[test]
    fn a_line_is_walked_along_and_beyond() {
        let line = corner();
        assert_eq!(line.length_m(), 15.0);
        let on = line.at(12.5).unwrap();
        assert_eq!((on.point, on.yaw_rad, on.slope), (Point3::new(10.0, 2.5, 0.5), FRAC_PI_2, 0.2));
        assert_eq!(line.at(-2.0).unwrap().point, Point3::new(-2.0, 0.0, 0.0));
        assert_eq!(line.at(16.0).unwrap().point.y, 6.0);
        assert_eq!(Polyline::new([Point3::origin()]).at(0.0), None);
    }

    #[test]
    fn a_point_is_left_or_right_of_a_line() {
        let line = corner();
        assert_eq!(line.project(Point2::new(4.0, 2.0)), Some(Projection { s_m: 4.0, offset_m: 2.0 }));
        assert_eq!(line.project(Point2::new(12.0, 3.0)), Some(Projection { s_m: 13.0, offset_m: -2.0 }));
    }

    #[test]
    fn a_line_beside_keeps_its_distance_in_a_corner() {
        let beside = corner().beside(1.0);
        let rounded: Vec<_> = beside.points().iter().map(|p| [p.x, p.y].map(|v| (v * 1e6).round() / 1e6)).collect();
        assert_eq!(rounded, [[0.0, 1.0], [9.0, 1.0], [9.0, 5.0]]);
        assert_eq!(corner().part(8.0, 12.0).length_m(), 4.0);
    }

    #[test]
    fn angles_wrap_and_polygons_contain() {
        assert!((angle_between(0.1 - PI, PI - 0.1) - 0.2).abs() < 1e-12);
        let square = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)].map(|(x, y)| Point2::new(x, y));
        assert!(contains(&square, Point2::new(1.0, 1.9)) && !contains(&square, Point2::new(2.1, 1.0)));
    }

    #[test]
    fn boxes_are_as_far_apart_as_their_edges() {
        let rectangle = |x: f64, y: f64, l: f64, w: f64| {
            [(l, w), (-l, w), (-l, -w), (l, -w)].map(|(dx, dy)| Point2::new(x + dx, y + dy))
        };
        let car = rectangle(0.0, 0.0, 2.0, 1.0);
        assert_eq!(gap_between(&car, &rectangle(5.0, 0.0, 1.0, 1.0)), 2.0);
        assert_eq!(gap_between(&car, &rectangle(6.0, 5.0, 1.0, 1.0)), (9.0_f64 + 9.0).sqrt());
        assert_eq!(gap_between(&car, &rectangle(2.5, 1.5, 1.0, 1.0)), 0.0);
        // A cross: no corner lies in the other.
        assert_eq!(gap_between(&car, &rectangle(0.0, 0.0, 0.5, 5.0)), 0.0);
    }
}
