//! The way of one person: a line with a width, and the crossings on it.
//!
//! In: pieces of pavement, crossings and ways across squares. Out: where along it a person is, where to go next, how much
//! room there is to both sides.

use crate::roads::LaneId;
use nalgebra::{Point2, Point3, Vector2};

/// How a stretch is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Gait {
    #[default]
    Walk,
    Run,
}

/// A stretch of a path of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    /// Where it begins along the path, metres.
    pub(crate) from_m: f64,
    /// Room to each side, metres; infinite where nothing bounds it.
    pub(crate) half_width_m: f64,
    /// The lane that it lies on: lane, place along the lane where the piece begins, and 1 along it or −1 against it.
    pub(crate) lane: Option<(LaneId, f64, f64)>,
    pub(crate) gait: Gait,
}

/// A crossing on a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gate {
    /// The kerb, along the path, metres.
    pub(crate) from_m: f64,
    /// The kerb across.
    pub(crate) to_m: f64,
    /// The kerb, and the direction across, unit.
    pub(crate) kerb: Point2<f64>,
    pub(crate) across: Vector2<f64>,
    /// The strip of pavement that crosses.
    pub(crate) strip: usize,
    /// Whether the strip is gone from its end to its start.
    pub(crate) backwards: bool,
}

/// A way from here to there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Path {
    points: Vec<Point3<f64>>,
    lengths: Vec<f64>,
    pieces: Vec<Piece>,
    pub(crate) gates: Vec<Gate>,
}

/// A place on a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OnPath {
    pub(crate) s_m: f64,
    pub(crate) offset_m: f64,
    /// Direction of the path there, unit.
    pub(crate) along: Vector2<f64>,
    /// From the path to the person, unit; to the left where it is on the line.
    pub(crate) away: Vector2<f64>,
    pub(crate) z_m: f64,
}

impl Path {
    pub(crate) fn length_m(&self) -> f64 {
        self.lengths.last().copied().unwrap_or(0.0)
    }

    pub(crate) fn start(&self) -> Option<Point3<f64>> {
        self.points.first().copied()
    }

    /// Adds a piece through `points`.
    pub(crate) fn push(
        &mut self,
        points: impl IntoIterator<Item = Point3<f64>>,
        half_width_m: f64,
        lane: Option<(LaneId, f64, f64)>,
        gait: Gait,
    ) {
        self.pieces.push(Piece { from_m: self.length_m(), half_width_m, lane, gait });
        for point in points {
            let length = match (self.points.last(), self.lengths.last()) {
                (Some(last), Some(length)) => length + (point.xy() - last.xy()).norm(),
                _ => 0.0,
            };
            if self.lengths.last().is_none_or(|last| length - last > 1e-6) {
                self.points.push(point);
                self.lengths.push(length);
            }
        }
    }

    /// The piece at `s_m`.
    pub(crate) fn piece(&self, s_m: f64) -> Option<&Piece> {
        let at = self.pieces.partition_point(|piece| piece.from_m <= s_m);
        self.pieces.get(at.saturating_sub(1))
    }

    fn segment(&self, s_m: f64) -> usize {
        self.lengths.partition_point(|length| *length <= s_m).clamp(1, self.points.len() - 1) - 1
    }

    /// The point `s_m` along the path, `offset_m` to its left; within the path's ends. `None` for a path of one point.
    pub(crate) fn at(&self, s_m: f64, offset_m: f64) -> Option<Point2<f64>> {
        if self.points.len() < 2 {
            return None;
        }
        let s_m = s_m.clamp(0.0, self.length_m());
        let segment = self.segment(s_m);
        let (a, along) = self.direction(segment);
        let left = Vector2::new(-along.y, along.x);
        Some(a + along * (s_m - self.lengths[segment]) + left * offset_m)
    }

    fn direction(&self, segment: usize) -> (Point2<f64>, Vector2<f64>) {
        let (a, b) = (self.points[segment].xy(), self.points[segment + 1].xy());
        (a, (b - a) / (self.lengths[segment + 1] - self.lengths[segment]))
    }

    /// The place of the path nearest to `p` among those around `near_m`. `None` for a path of one point.
    pub(crate) fn locate(&self, p: Point2<f64>, near_m: f64) -> Option<OnPath> {
        if self.points.len() < 2 {
            return None;
        }
        let (first, last) = (self.segment(near_m - BACK_M), self.segment(near_m + AHEAD_M));
        let mut best: Option<(f64, OnPath)> = None;
        for segment in first..=last {
            let (a, along) = self.direction(segment);
            let run = self.lengths[segment + 1] - self.lengths[segment];
            let to = p - a;
            let t = to.dot(&along).clamp(0.0, run);
            let away = to - along * t;
            let distance = away.norm();
            if best.is_none_or(|(nearest, _)| distance < nearest) {
                let side = along.x * to.y - along.y * to.x;
                let (za, zb) = (self.points[segment].z, self.points[segment + 1].z);
                let at = OnPath {
                    s_m: self.lengths[segment] + t,
                    offset_m: distance.copysign(side),
                    along,
                    away: (to - along * t).try_normalize(1e-6).unwrap_or(Vector2::new(-along.y, along.x)),
                    z_m: za + (zb - za) * t / run,
                };
                best = Some((distance, at));
            }
        }
        best.map(|(_, at)| at)
    }
}

/// A person is looked for this far behind where it was, metres.
const BACK_M: f64 = 1.0;
/// And this far ahead, metres.
const AHEAD_M: f64 = 3.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn corner() -> Path {
        let mut path = Path::default();
        let point = |x: f64, y: f64| Point3::new(x, y, 0.0);
        path.push([point(0.0, 0.0), point(10.0, 0.0)], 1.0, Some((LaneId(3), 2.0, 1.0)), Gait::Walk);
        path.push([point(10.0, 0.0), point(10.0, 5.0)], 2.0, None, Gait::Run);
        path
    }

    #[test]
    fn pieces_follow_each_other() {
        let path = corner();
        assert_eq!((path.length_m(), path.piece(9.9).unwrap().half_width_m), (15.0, 1.0));
        assert_eq!(path.piece(10.0).unwrap().gait, Gait::Run);
        assert_eq!(path.at(12.0, 1.0), Some(Point2::new(9.0, 2.0)));
        assert_eq!(path.at(99.0, 0.0), Some(Point2::new(10.0, 5.0)));
    }

    #[test]
    fn a_place_is_found_near_the_last_one() {
        let at = corner().locate(Point2::new(4.5, -0.5), 4.0).unwrap();
        assert_eq!((at.s_m, at.offset_m), (4.5, -0.5));
        // The stretch behind the corner is nearer but far along the path.
        let at = corner().locate(Point2::new(9.0, 3.0), 5.0).unwrap();
        assert_eq!((at.s_m, at.offset_m), (9.0, 3.0));
    }
}
