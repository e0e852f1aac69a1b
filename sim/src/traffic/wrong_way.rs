//! Drivers on the wrong side: for one edge of their way, or until somebody comes, they use a lane of oncoming traffic.
//!
//! In: drivers whom [`super::Behaviour::wrong_way`] picked, and lanes as they are. Out: how far across each is, which its pose
//! shows, and obstacles for those who come towards it. Such a vehicle keeps its place on its own lane, which stays free for it
//! to come back to; it follows, stops and gives way there as ever. Its stream of chance is its own, so that another rate
//! changes nobody else's luck. Absent: a wrong-way driver who goes on through junctions.

use super::lane_change::ACROSS_S;
use super::net::NONE;
use super::step::Traffic;
use super::vehicle::Route;
use crate::actor::ActorId;
use crate::geometry::{Projection, angle_between};
use crate::roads::{LaneId, LaneKind, Users};
use crate::snapshot::Snapshot;
use nalgebra::{Point2, Vector2};
use rand::RngExt;

/// Widest way between a lane and the nearest one of oncoming traffic, middle to middle, metres.
const APART_M: f64 = 16.0;
/// Somebody who would be met within this time is noticed, seconds: as much again as the way back takes.
const NOTICE_S: f64 = 2.0 * ACROSS_S;
/// Way that must be left of the lane when back on it, metres.
const LEFT_M: f64 = 10.0;
/// Slower, nobody goes across, metres a second.
const SLOWEST_MPS: f64 = 3.0;
/// Time by which the rear follows the front across, seconds.
const REAR_S: f64 = 0.5;
/// From this share of the way across on, those who come see it in their lane.
const SEEN: f64 = 0.1;

/// A driver's time on the wrong side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrongWay {
    /// Place in the route of the edge on which it happens.
    at: u32,
    /// The oncoming lane.
    lane: u32,
    /// The driver is there, or on the way there.
    goes: bool,
    /// It is over, or about to be.
    is_over: bool,
    /// Share of the way across that the front and the rear have come, 0 to 1.
    front: f64,
    rear: f64,
}

impl Traffic {
    /// Whether a new driver will use the wrong side, and where: on one of those edges of the route that have one.
    pub(super) fn draw_wrong_way(&self, serial: u32, users: Users, route: &Route) -> Option<WrongWay> {
        let rate = self.settings.behaviour.wrong_way;
        let mut luck = self.seed.stream("wrong way", u64::from(serial));
        if luck.random::<f64>() >= rate || !users.intersects(Users::ROAD) {
            return None;
        }
        let edges = route.edges.iter().enumerate();
        let places: Vec<_> = edges.filter_map(|(at, edge)| Some((at as u32, self.oncoming(*edge)?))).collect();
        let (at, lane) = *places.get(luck.random_range(0..places.len().max(1)))?;
        Some(WrongWay { at, lane, goes: false, is_over: false, front: 0.0, rear: 0.0 })
    }

    /// The nearest lane beside an edge that leads the other way.
    fn oncoming(&self, edge: u32) -> Option<u32> {
        let inner = *self.net.edges[edge as usize].last()?;
        let line = &self.roads.lane(LaneId(inner)).centre;
        let middle = line.at(0.5 * line.length_m())?;
        let inwards = if self.roads.left_hand { -1.0 } else { 1.0 };
        let aside = Vector2::new(-middle.yaw_rad.sin(), middle.yaw_rad.cos()) * inwards;
        let leads_back = |lane: &u32, p: Point2<f64>| {
            let candidate = self.roads.lane(LaneId(*lane));
            let at = candidate.centre.project(p).filter(|at| at.offset_m.abs() < 0.5 * candidate.width_m);
            let yaw_rad = at.and_then(|at| candidate.centre.at(at.s_m)).map(|on| on.yaw_rad);
            candidate.kind == LaneKind::Driving
                && !self.net.lane(*lane).internal
                && yaw_rad.is_some_and(|yaw_rad| angle_between(yaw_rad, middle.yaw_rad).cos() < -0.9)
        };
        (1..=APART_M as u32).find_map(|metres| {
            let p = middle.point.xy() + aside * f64::from(metres);
            self.surroundings.lanes_near(p).iter().copied().find(|lane| leads_back(lane, p))
        })
    }

    /// Lets those who are to be on the wrong side go across, and come back.
    pub(crate) fn drive_wrong_way(&mut self) {
        if self.settings.behaviour.wrong_way <= 0.0 {
            return;
        }
        for place in 0..self.bodies.len() {
            let body = &self.bodies[place];
            let Some(mut state) = self.infos[place].wrong_way.filter(|_| body.drives()) else { continue };
            let goes = !state.is_over && self.finds_oncoming_lane_free(place, &state);
            state.is_over |= state.goes && !goes;
            state.goes = goes;
            let moving = (body.speed / SLOWEST_MPS).min(1.0) * self.dt;
            let step = if goes { moving } else { -moving };
            state.front = (state.front + step / ACROSS_S).clamp(0.0, 1.0);
            state.rear += (state.front - state.rear) * (moving / REAR_S).min(1.0);
            self.infos[place].wrong_way = Some(state);
        }
    }

    /// Whether a driver sees reason to be on the oncoming lane: on its edge, with nobody coming and way left to come back.
    fn finds_oncoming_lane_free(&self, place: usize, state: &WrongWay) -> bool {
        let body = &self.bodies[place];
        let lane = self.net.lane(body.lane);
        if body.at != state.at || lane.internal || body.stopped {
            return false;
        }
        let to_come_back = body.speed * ACROSS_S + LEFT_M;
        let enough = if state.goes { to_come_back } else { 2.0 * to_come_back };
        let is_beside = |pos: f64| self.across(body.lane, pos, state.lane).is_some();
        if lane.length - body.pos < enough || !is_beside(body.pos + enough) {
            return false;
        }
        if !state.goes && (body.speed < SLOWEST_MPS || !is_beside(body.pos - body.length())) {
            return false;
        }
        let Some((_, at)) = self.across(body.lane, body.pos, state.lane) else { return false };
        let reach = |speed: f64| (body.speed + speed) * NOTICE_S + LEFT_M;
        // On the lanes beside it as well: who is there may come over.
        self.net.edges[self.net.lane(state.lane).edge as usize].iter().all(|lane| {
            let oncoming = &self.lanes[*lane as usize];
            let vehicles = oncoming.vehicles.iter().map(|other| &self.bodies[*other as usize]);
            let vehicles = vehicles.map(|other| (other.pos, other.speed));
            let others = oncoming.obstacles.iter().map(|obstacle| (obstacle.front, obstacle.speed));
            !vehicles.chain(others).any(|(front, speed)| front <= at && at - front < reach(speed))
        })
    }

    /// Where a place of a lane is beside an oncoming one: how far to the left, and where along it; `None` beyond its ends.
    fn across(&self, lane: u32, pos: f64, oncoming: u32) -> Option<(f64, f64)> {
        let on = self.on_line(lane, pos)?;
        let line = &self.roads.lane(LaneId(oncoming)).centre;
        let Projection { s_m, offset_m } = line.project(on.point.xy())?;
        let inside = s_m > 0.0 && s_m < line.length_m();
        inside.then(|| (offset_m, s_m * self.net.lane(oncoming).length / line.length_m()))
    }

    /// How far to the left of their lanes the front and the rear of a vehicle are since it is on the wrong side, metres.
    pub(super) fn wrong_way_offsets(&self, place: usize) -> (f64, f64) {
        let body = &self.bodies[place];
        let state = self.infos[place].wrong_way.filter(|state| state.front > 0.0 || state.rear > 1e-3);
        let Some(state) = state else { return (0.0, 0.0) };
        let smooth = |share: f64| share * share * (3.0 - 2.0 * share);
        let offset = |pos: f64| self.across(body.lane, pos, state.lane).map_or(0.0, |(offset, _)| offset);
        (smooth(state.front) * offset(body.pos), smooth(state.rear) * offset(body.pos - body.length()))
    }

    /// Shows those who are on the wrong side to those who come towards them.
    pub(super) fn see_wrong_way(&mut self, before: &Snapshot) {
        if self.settings.behaviour.wrong_way <= 0.0 {
            return;
        }
        for place in 0..self.bodies.len() {
            let is_seen = self.infos[place].wrong_way.is_some_and(|state| state.front.max(state.rear) > SEEN);
            if !(is_seen && self.bodies[place].drives() && self.bodies[place].lane != NONE) {
                continue;
            }
            let id = ActorId::of(Self::POPULATION, self.bodies[place].serial);
            if let Some(actor) = before.actor(id) {
                // On its own side it is in its lane's list.
                self.see(actor, |along| along < 0.0);
            }
        }
    }
}
