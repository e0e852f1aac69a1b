//! Trajectories as lines, with the times at which their points are passed.

use super::Storyboard;
use crate::geometry::Polyline;
use crate::openscenario::model::{Timing, Trajectory, TrajectoryShape};
use nalgebra::Point3;

/// Distance between points of a curve, metres.
const STEP_M: f64 = 0.25;

/// A trajectory that is followed.
#[derive(Debug)]
pub(super) struct Follow {
    line: Polyline,
    /// Time and way of each point, where time leads.
    knots: Option<Vec<(f64, f64)>>,
    timing: Option<Timing>,
    began_s: f64,
    way_m: f64,
}

impl Follow {
    /// The trajectory as the positions are now; `None` if one is not on the roads or nothing is left of the line.
    pub(super) fn new(board: &Storyboard, trajectory: &Trajectory, timing: Option<Timing>, now_s: f64) -> Option<Self> {
        let (line, times): (Vec<Point3<f64>>, Vec<Option<f64>>) = match &trajectory.shape {
            TrajectoryShape::Polyline(vertices) => vertices
                .iter()
                .map(|(time, position)| Some((board.find(position)?.point, *time)))
                .collect::<Option<Vec<_>>>()?
                .into_iter()
                .unzip(),
            TrajectoryShape::Clothoid { curvature, curvature_dot, length_m, start, times_s } => {
                let found = board.find(start)?;
                let steps = (length_m / STEP_M).ceil().max(1.0);
                let step_m = length_m / steps;
                let mut points = vec![found.point];
                for i in 0..steps as usize {
                    let middle_m = (i as f64 + 0.5) * step_m;
                    let yaw = found.yaw_rad + (curvature + curvature_dot * middle_m / 2.0) * middle_m;
                    let last = points[i];
                    points.push(Point3::new(last.x + step_m * yaw.cos(), last.y + step_m * yaw.sin(), last.z));
                }
                let share = |i: usize| times_s.map(|[a, b]| a + (b - a) * i as f64 / steps);
                let times = (0..points.len()).map(share).collect();
                (points, times)
            }
        };
        let mut way_m = 0.0;
        let ways: Vec<f64> = (0..line.len())
            .map(|i| {
                way_m += if i > 0 { (line[i].xy() - line[i - 1].xy()).norm() } else { 0.0 };
                way_m
            })
            .collect();
        let times = times.into_iter().collect::<Option<Vec<f64>>>();
        let knots = timing.and(times).map(|times| times.into_iter().zip(ways).collect());
        let line = Polyline::new(line);
        (line.points().len() > 1).then_some(Self { line, knots, timing, began_s: now_s, way_m: 0.0 })
    }

    /// Moves on by a step: the pose at its end, the way meanwhile, the speed if time leads, and whether the end is reached.
    pub(super) fn advance(&mut self, now_s: f64, step_s: f64, speed_mps: f64) -> Option<Advance> {
        let before_m = self.way_m;
        let mut speed = None;
        match (&self.knots, self.timing) {
            (Some(knots), Some(timing)) => {
                let since = now_s + step_s - if timing.relative { self.began_s } else { 0.0 };
                self.way_m = way_at(knots, (since - timing.offset_s) / timing.scale).max(before_m);
                speed = Some((self.way_m - before_m) / step_s);
            }
            _ => self.way_m += speed_mps * step_s,
        }
        let on = self.line.at(self.way_m)?;
        Some(Advance {
            point: on.point,
            yaw_rad: on.yaw_rad,
            way_m: self.way_m - before_m,
            speed_mps: speed,
            over: self.way_m >= self.line.length_m() - 1e-9,
        })
    }
}

/// What a step along a trajectory gives.
pub(super) struct Advance {
    pub(super) point: Point3<f64>,
    pub(super) yaw_rad: f64,
    pub(super) way_m: f64,
    pub(super) speed_mps: Option<f64>,
    pub(super) over: bool,
}

/// Way at a time, between the knots evenly; before the first and after the last it rests.
fn way_at(knots: &[(f64, f64)], time: f64) -> f64 {
    let after = knots.partition_point(|(at, _)| *at <= time);
    match (after.checked_sub(1).map(|before| knots[before]), knots.get(after)) {
        (None, _) => 0.0,
        (Some((_, way)), None) => way,
        (Some((from, way)), Some((to, next))) => way + (next - way) * (time - from) / (to - from),
    }
}
