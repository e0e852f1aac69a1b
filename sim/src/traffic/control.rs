//! Commands, and driving by hand: a kinematic bicycle model instead of the lane.
//!
//! A vehicle driven by hand leaves its lane's list; the others see it where it is, as they see any actor that is not
//! theirs. When it is released it goes on from the nearest lane of its route, if there is one within reach.

use super::advance::Leaving;
use super::net::NONE;
use super::step::Traffic;
use super::vehicle::{Berth, NEVER};
use crate::actor::{Actor, ActorId, Pose};
use crate::geometry::angle_between;
use crate::roads::LaneId;
use crate::world::Command;
use nalgebra::Vector3;

/// Steering angle at full lock, radians.
const LOCK_RAD: f64 = 0.6;
/// Wheelbase as a share of the length.
const WHEELBASE: f64 = 0.6;
/// Deceleration of a rolling vehicle without throttle, metres a second squared.
const ROLLING: f64 = 0.3;
/// A released vehicle takes a lane within this distance, metres.
const REACH_M: f64 = 4.0;

impl Traffic {
    /// The slot of a vehicle on the road.
    pub(crate) fn slot(&self, id: ActorId) -> Option<usize> {
        if id.population() != Self::POPULATION {
            return None;
        }
        let serial = id.0 & 0x00ff_ffff;
        self.bodies.iter().position(|body| body.alive && body.serial == serial)
    }

    pub(crate) fn is_by_hand(&self, actor: &Actor) -> bool {
        // Cheap in the usual case that nobody is.
        self.by_hand > 0 && self.slot(actor.id).is_some_and(|slot| self.bodies[slot].by_hand)
    }

    pub(crate) fn follow_command(&mut self, id: ActorId, command: Command) -> bool {
        let Some(slot) = self.slot(id) else { return false };
        let mind = &mut self.minds[slot];
        match command {
            Command::LimitSpeed(limit) => mind.limit = limit.map_or(f64::INFINITY, |limit| limit.max(0.0)),
            Command::Brake(brake) => mind.brake = brake.map(|brake| brake.max(0.0)),
            Command::ChangeLane(lanes) => mind.change = lanes,
            Command::Control { throttle, brake, steer } => {
                if self.bodies[slot].berth != Berth::None || self.bodies[slot].away {
                    return false;
                }
                self.infos[slot].pedals = [throttle.clamp(0.0, 1.0), brake.clamp(0.0, 1.0), steer.clamp(-1.0, 1.0)];
                self.take_by_hand(slot);
            }
            Command::Release => {
                mind.limit = f64::INFINITY;
                mind.brake = None;
                mind.change = 0;
                if self.bodies[slot].by_hand {
                    return self.release(slot);
                }
            }
            Command::Remove => {
                if self.bodies[slot].by_hand {
                    self.by_hand -= 1;
                }
                self.counters.removed += 1;
                self.teleporting.retain(|(vehicle, _)| *vehicle != slot as u32);
                self.leave_road(slot as u32, Leaving::Removed);
            }
        }
        true
    }

    fn take_by_hand(&mut self, slot: usize) {
        if self.bodies[slot].by_hand {
            return;
        }
        let Some((front, yaw_rad, pitch_rad)) = self.front_of(slot as u32) else { return };
        let half = 0.5 * self.bodies[slot].length();
        let position = front - Vector3::new(yaw_rad.cos(), yaw_rad.sin(), 0.0) * half;
        self.unlist(slot as u32);
        self.minds[slot].items.clear();
        self.bodies[slot].by_hand = true;
        self.by_hand += 1;
        self.infos[slot].by_hand = Some(Pose { position, yaw_rad, pitch_rad });
    }

    /// Moves what is driven by hand.
    pub(crate) fn drive_by_hand(&mut self) {
        if self.by_hand == 0 {
            return;
        }
        let dt = self.dt;
        for (body, info) in self.bodies.iter_mut().zip(&mut self.infos).filter(|(body, _)| body.alive && body.by_hand) {
            let Some(pose) = &mut info.by_hand else { continue };
            let [throttle, brake, steer] = info.pedals;
            let driver = &body.driver;
            let accel = throttle * driver.accel
                - brake * driver.emergency_decel
                - if throttle == 0.0 && body.speed > 0.0 { ROLLING } else { 0.0 };
            let speed = (body.speed + accel * dt).clamp(0.0, driver.max_speed);
            body.accel = (speed - body.speed) / dt;
            // Slip angle at the centre of a bicycle whose axles are equally far from it.
            let slip = (0.5 * (steer * LOCK_RAD).tan()).atan();
            let rate = speed * slip.sin() / (0.5 * WHEELBASE * driver.length_m);
            let course = pose.yaw_rad + slip + 0.5 * rate * dt;
            pose.position += Vector3::new(course.cos(), course.sin(), 0.0) * (speed * dt);
            pose.yaw_rad = angle_between(pose.yaw_rad + rate * dt, 0.0);
            body.speed = speed;
            info.yaw_rate = rate;
            info.lights.brake = brake > 0.0;
        }
    }

    /// Puts a hand-driven vehicle on the nearest lane of the rest of its route.
    fn release(&mut self, slot: usize) -> bool {
        let Some(pose) = self.infos[slot].by_hand else { return false };
        let half = 0.5 * self.bodies[slot].length();
        let front = pose.position + Vector3::new(pose.yaw_rad.cos(), pose.yaw_rad.sin(), 0.0) * half;
        let (route, at) = (self.bodies[slot].route.clone(), self.bodies[slot].at as usize);
        let mut best: Option<(f64, u32, f64, f64, usize)> = None;
        for lane in self.surroundings.lanes_near(front.xy()) {
            let net_lane = self.net.lane(*lane);
            let line = &self.roads.lane(LaneId(*lane)).centre;
            let Some(place) = route.edges[at..].iter().position(|edge| *edge == net_lane.edge) else { continue };
            let (Some(on), false) = (line.project(front.xy()), net_lane.internal) else { continue };
            let turned = line.at(on.s_m).map_or(0.0, |on| angle_between(on.yaw_rad, pose.yaw_rad).abs());
            if on.offset_m.abs() < REACH_M && turned < 1.0 && best.is_none_or(|(least, ..)| on.offset_m.abs() < least) {
                let pos = on.s_m * net_lane.length / line.length_m().max(0.1);
                best = Some((on.offset_m.abs(), *lane, pos, on.offset_m, at + place));
            }
        }
        let Some((_, lane, pos, offset, at)) = best else { return false };
        self.by_hand -= 1;
        let body = &mut self.bodies[slot];
        body.by_hand = false;
        (body.lane, body.pos, body.at) = (lane, pos, at as u32);
        (body.entered, body.entered_first, body.entered_conflict) = (NEVER, NEVER, NEVER);
        while body.stops.front().is_some_and(|stop| stop.at < at as u32) {
            body.stops.pop_front();
        }
        let type_id = self.infos[slot].type_id;
        self.bodies[slot].best = self.best_of(slot as u32, type_id, at as u32);
        let info = &mut self.infos[slot];
        info.by_hand = None;
        (info.aside, info.aside_left_s) = (offset, super::lane_change::ACROSS_S);
        self.join_lane(slot as u32);
        debug_assert_ne!(self.bodies[slot].lane, NONE);
        true
    }
}
