//! Where an entity is and how it moves.

use super::Storyboard;
use crate::geometry::angle_between;
use crate::openscenario::network::RoadPlace;
use nalgebra::Point3;

/// An entity's state.
#[derive(Clone, Debug)]
pub(super) struct Body {
    /// Its reference point, ENU metres.
    pub(super) position: Point3<f64>,
    /// Counter-clockwise from east, radians.
    pub(super) yaw_rad: f64,
    /// Where on the roads its reference point is; `None` without roads near it.
    pub(super) place: Option<RoadPlace>,
    /// How it is turned from the direction of the road that it faces, radians.
    pub(super) turn_rad: f64,
    /// Metres a second.
    pub(super) speed_mps: f64,
    /// Speed at the end of the step, by the actions.
    pub(super) next_speed_mps: f64,
    /// Offset in its lane at the end of the step, by the actions.
    pub(super) next_offset_m: Option<f64>,
    /// Where a trajectory puts it at the end of the step: point, yaw, way meanwhile.
    pub(super) next_pose: Option<(Point3<f64>, f64, f64)>,
    /// Metres a second squared.
    pub(super) acceleration_mps2: f64,
    /// Radians a second.
    pub(super) yaw_rate_rps: f64,
    /// Way since the start, metres.
    pub(super) travelled_m: f64,
    /// Since when it stands, is at the road's end, is off the road, seconds.
    pub(super) still_s: f64,
    pub(super) at_end_s: f64,
    pub(super) off_road_s: f64,
    /// Roads that it takes.
    pub(super) route: Vec<usize>,
    /// It is there.
    pub(super) visible: bool,
    /// Commands from outside.
    pub(super) limit_mps: Option<f64>,
    pub(super) brake_mps2: Option<f64>,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            position: Point3::origin(),
            yaw_rad: 0.0,
            place: None,
            turn_rad: 0.0,
            speed_mps: 0.0,
            next_speed_mps: 0.0,
            next_offset_m: None,
            next_pose: None,
            acceleration_mps2: 0.0,
            yaw_rate_rps: 0.0,
            travelled_m: 0.0,
            still_s: 0.0,
            at_end_s: 0.0,
            off_road_s: 0.0,
            route: Vec::new(),
            visible: true,
            limit_mps: None,
            brake_mps2: None,
        }
    }
}

/// How hard an entity brakes for a speed limit from outside, metres a second squared.
const COMFORTABLE_MPS2: f64 = 3.0;

impl Storyboard {
    /// Moves every entity by a step, to the speeds and places that its actions ask for.
    pub(super) fn move_bodies(&mut self, step_s: f64) {
        let network = self.network.clone();
        for body in &mut self.bodies {
            let (before_mps, before_yaw) = (body.speed_mps, body.yaw_rad);
            let mut speed = body.next_speed_mps;
            if let Some(limit) = body.limit_mps {
                speed = speed.min(limit.max(before_mps - COMFORTABLE_MPS2 * step_s));
            }
            if let Some(brake) = body.brake_mps2 {
                speed = speed.min((before_mps - brake * step_s).max(0.0));
            }
            let asked_m = (before_mps + speed) / 2.0 * step_s;
            let mut way_m = asked_m;
            let mut at_end = false;
            if let Some((position, yaw_rad, moved_m)) = body.next_pose.take() {
                (body.position, body.yaw_rad, way_m) = (position, yaw_rad, moved_m);
                body.settle(&network);
            } else if let Some(mut place) = body.place {
                let sideways_m = body.next_offset_m.take().map(|offset| {
                    let by_m = offset - place.offset_m;
                    place.offset_m = offset;
                    by_m
                });
                let along_m = match sideways_m {
                    // The way is that along the curve, not along the lane.
                    Some(by_m) => (asked_m * asked_m - by_m * by_m).max(0.0).sqrt().copysign(asked_m),
                    None => asked_m,
                };
                let (place, left_m) = network.walk(place, along_m, &body.route);
                at_end = left_m > 0.0 || network.walk(place, 1e-3, &body.route).1 > 0.0;
                way_m -= left_m.copysign(asked_m);
                if let Some(by_m) = sideways_m {
                    let to_left = if place.along { by_m } else { -by_m };
                    body.turn_rad = if along_m.abs() > 1e-6 { (to_left / along_m).atan() } else { 0.0 };
                }
                body.place = Some(place);
                let (point, yaw_rad) = network.pose(&place);
                (body.position, body.yaw_rad) = (point, angle_between(yaw_rad + body.turn_rad, 0.0));
            } else {
                body.position.x += way_m * body.yaw_rad.cos();
                body.position.y += way_m * body.yaw_rad.sin();
            }
            body.acceleration_mps2 = (speed - before_mps) / step_s;
            body.yaw_rate_rps = angle_between(body.yaw_rad, before_yaw) / step_s;
            body.speed_mps = speed;
            body.next_speed_mps = speed;
            body.travelled_m += way_m.abs();
            let off_road = match &body.place {
                Some(place) => network.lane_at(place.road, place.s_m, network.t_m(place)).is_none(),
                None => true,
            };
            let count = |since_s: f64, holds: bool| if holds { since_s + step_s } else { 0.0 };
            body.still_s = count(body.still_s, speed.abs() < 1e-3);
            body.at_end_s = count(body.at_end_s, at_end);
            body.off_road_s = count(body.off_road_s, off_road);
        }
    }
}

impl Body {
    /// Finds the place on the roads of where it is.
    pub(super) fn settle(&mut self, network: &crate::openscenario::Network) {
        self.place = network.locate(self.position, self.yaw_rad);
        self.turn_rad = match &self.place {
            Some(place) => angle_between(self.yaw_rad, network.pose(place).1),
            None => 0.0,
        };
    }
}
