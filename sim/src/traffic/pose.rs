//! Where vehicles are in space: from lane and position to a footprint.
//!
//! The front and the rear are on the lane's line, or on those of lanes before it, so the footprint turns smoothly through
//! junctions. After a change of lanes the way across is shown over [`ACROSS_S`], though the vehicle counts on its new lane
//! at once.

use super::lane_change::ACROSS_S;
use super::net::NONE;
use super::step::Traffic;
use crate::actor::{Actor, ActorId, LanePosition, Pose};
use crate::geometry::{OnLine, angle_between};
use crate::roads::{LaneId, Turn};
use crate::snapshot::Snapshot;
use nalgebra::{Point3, Vector3};

/// By this time the rear follows the front across, seconds.
const REAR_S: f64 = 0.8;
/// Nearer to a turn, it is indicated, metres.
const INDICATE_M: f64 = 50.0;

impl Traffic {
    /// The lane's line at a position of the lane.
    pub(super) fn on_line(&self, lane: u32, pos: f64) -> Option<OnLine> {
        let line = &self.roads.lane(LaneId(lane)).centre;
        let length = self.net.lane(lane).length;
        // Within the lane lengths are to scale; beyond its ends they are metres.
        let along = pos.clamp(0.0, length) * line.length_m() / length;
        line.at(along + (pos - pos.clamp(0.0, length)))
    }

    /// A point behind a vehicle's front, along the lanes it came by.
    fn behind_front(&self, vehicle: u32, distance: f64) -> Option<OnLine> {
        let body = &self.bodies[vehicle as usize];
        let mut pos = body.pos - distance;
        let mut lane = body.lane;
        for before in &body.further {
            if pos >= 0.0 {
                break;
            }
            lane = *before;
            pos += self.net.lane(lane).length;
        }
        self.on_line(lane, pos)
    }

    /// Point in the middle of the front, and direction; ENU metres, radians.
    pub(crate) fn front_of(&self, vehicle: u32) -> Option<(Point3<f64>, f64, f64)> {
        let body = &self.bodies[vehicle as usize];
        let front = self.behind_front(vehicle, 0.0)?;
        let rear = self.behind_front(vehicle, body.length())?;
        let info = &self.infos[vehicle as usize];
        let left = |on: &OnLine| Vector3::new(-on.yaw_rad.sin(), on.yaw_rad.cos(), 0.0);
        // The front goes across first, the rear follows.
        let (now, later) = (aside(info.aside, info.aside_left_s), aside(info.aside, info.aside_left_s + REAR_S));
        let (front_m, rear_m) = self.wrong_way_offsets(vehicle as usize);
        let from = rear.point + left(&rear) * (later + rear_m);
        let to = front.point + left(&front) * (now + front_m);
        let along = to - from;
        let yaw = if along.xy().norm() > 1e-6 { along.y.atan2(along.x) } else { front.yaw_rad };
        let pitch = (to.z - from.z).atan2(along.xy().norm().max(1e-6));
        Some((to, yaw, pitch))
    }

    /// Remembers a change of lanes to show it.
    pub(crate) fn show_change(&mut self, vehicle: u32, offset: i32) {
        let lane = self.bodies[vehicle as usize].lane;
        let before = self.net.beside(lane, -offset).unwrap_or(lane);
        let apart = 0.5 * (self.net.lane(lane).width + self.net.lane(before).width);
        let inwards = if self.roads.left_hand { -1.0 } else { 1.0 };
        let info = &mut self.infos[vehicle as usize];
        let rest = aside(info.aside, info.aside_left_s);
        info.aside = rest - f64::from(offset) * inwards * apart;
        info.aside_left_s = ACROSS_S;
    }

    /// Brings shown offsets, yaw rates and lights up to date.
    pub(crate) fn finish_poses(&mut self, before: &Snapshot) {
        let lamps = before.weather.lamps_lit();
        for vehicle in 0..self.bodies.len() as u32 {
            let place = vehicle as usize;
            if !self.bodies[place].drives() || self.infos[place].off_lane.is_some() {
                continue;
            }
            let moving = (self.bodies[place].speed / 2.0).min(1.0);
            self.infos[place].aside_left_s = (self.infos[place].aside_left_s - self.dt * moving).max(-REAR_S);
            let Some((_, yaw, _)) = self.front_of(vehicle) else { continue };
            let (left, right) = self.indicates(vehicle);
            let info = &mut self.infos[place];
            info.yaw_rate = if info.yaw_known { angle_between(yaw, info.yaw) / self.dt } else { 0.0 };
            (info.yaw, info.yaw_known) = (yaw, true);
            (info.lights.left, info.lights.right, info.lights.low_beam) = (left, right, lamps);
        }
    }

    fn indicates(&self, vehicle: u32) -> (bool, bool) {
        let (info, mind) = (&self.infos[vehicle as usize], &self.minds[vehicle as usize]);
        if let Some(sides) = self.indicates_bay(vehicle) {
            return sides;
        }
        if info.aside_left_s > 1.0 {
            return (info.aside < 0.0, info.aside > 0.0);
        }
        let wants = mind.state;
        if wants & (super::lane_change::URGENT | super::lane_change::STRATEGIC) != 0 {
            let side = (wants & super::lane_change::LEFT != 0, wants & super::lane_change::RIGHT != 0);
            if side.0 != side.1 {
                return if self.roads.left_hand { (side.1, side.0) } else { side };
            }
        }
        let turns = mind.items.iter().find(|item| item.link != NONE && self.net.link(item.link).turn != Turn::Straight);
        match turns.filter(|item| item.distance < INDICATE_M).map(|item| self.net.link(item.link).turn) {
            Some(Turn::Left | Turn::UTurn) => (true, false),
            Some(Turn::Right) => (false, true),
            _ => (false, false),
        }
    }

    pub(crate) fn write_actors(&self, into: &mut Vec<Actor>) {
        for (place, body) in self.bodies.iter().enumerate() {
            if !body.alive || body.away {
                continue;
            }
            let info = &self.infos[place];
            let (pose, on_lane) = match info.by_hand.as_ref().or(info.off_lane.as_ref()) {
                Some(pose) => (*pose, None),
                None => {
                    let Some((front, yaw, pitch)) = self.front_of(place as u32) else { continue };
                    let half = 0.5 * body.length();
                    let ahead = Vector3::new(yaw.cos() * pitch.cos(), yaw.sin() * pitch.cos(), pitch.sin());
                    let offset_m = aside(info.aside, info.aside_left_s) + self.wrong_way_offsets(place).0;
                    let on_lane = LanePosition { lane: LaneId(body.lane), s_m: body.pos, offset_m };
                    (Pose { position: front - ahead * half, yaw_rad: yaw, pitch_rad: pitch }, Some(on_lane))
                }
            };
            into.push(Actor {
                id: ActorId::of(Self::POPULATION, body.serial),
                kind: info.kind,
                role: info.role,
                pose,
                speed_mps: if info.off_lane.is_some() { info.manoeuvre.speed } else { body.speed },
                acceleration_mps2: body.accel,
                yaw_rate_rps: info.yaw_rate,
                size: info.size,
                lights: info.lights,
                appearance: info.appearance,
                on_lane,
                connected: info.connected,
            });
        }
    }
}

/// What is left of an offset: a smooth way to the lane's middle.
fn aside(offset: f64, left_s: f64) -> f64 {
    let t = (left_s / ACROSS_S).clamp(0.0, 1.0);
    offset * t * t * (3.0 - 2.0 * t)
}
