//! Departures: finding lane, position and speed at which a vehicle can join without anybody braking hard.
//!
//! In: what waits to depart. Out: vehicles on lanes. Who finds no room waits; nobody else departs on that lane in the same
//! step, so that the order of demand is kept.

use super::driver::{HALTING_MPS, LENGTH_SLACK_M};
use super::net::NONE;
use super::plan::View;
use super::right_of_way::{self, Passage};
use super::spawn::{DepartLane, DepartPosition, DepartSpeed};
use super::step::Traffic;
use super::vehicle::{Berth, Body, Info, Mind};
use rand::RngExt;

/// A vehicle that waits to depart.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(super) body: Body,
    pub(super) mind: Mind,
    pub(super) info: Info,
    pub(super) lane: DepartLane,
    pub(super) position: DepartPosition,
    pub(super) speed: DepartSpeed,
}

impl Traffic {
    /// Lets all depart whose time has come and who find room.
    pub(crate) fn insert(&mut self) {
        self.move_teleporting();
        let mut full: Vec<u32> = Vec::new();
        let waiting = std::mem::take(&mut self.pending);
        for mut pending in waiting {
            if pending.info.depart_wish > self.time + 1e-9 {
                self.pending.push_back(pending);
                continue;
            }
            match self.place(&mut pending, &mut full) {
                Some(()) => {
                    let info = &mut pending.info;
                    info.departed = self.time;
                    info.depart_lane = pending.body.lane;
                    info.depart_pos = pending.body.pos;
                    info.depart_speed = pending.body.speed;
                    self.counters.departed += 1;
                    self.put(pending.body, pending.mind, pending.info);
                }
                None => self.pending.push_back(pending),
            }
        }
    }

    /// Puts a vehicle whose lane and position are set on the road.
    fn put(&mut self, body: Body, mind: Mind, info: Info) {
        let slot = match self.free.pop() {
            Some(slot) => {
                let place = slot as usize;
                (self.bodies[place], self.minds[place], self.infos[place]) = (body, mind, info);
                slot
            }
            None => {
                self.bodies.push(body);
                self.minds.push(mind);
                self.infos.push(info);
                self.bodies.len() as u32 - 1
            }
        };
        if self.bodies[slot as usize].berth == Berth::Standing {
            self.show_parked(slot);
        } else {
            self.join_lane(slot);
        }
        self.note_parker(slot);
    }

    /// Enters a vehicle into its lane's list and into those of the lanes its rear is on.
    pub(crate) fn join_lane(&mut self, slot: u32) {
        let body = &self.bodies[slot as usize];
        let (lane, pos, space) = (body.lane, body.pos, body.space());
        let mut left = body.length() - pos;
        let mut further = Vec::new();
        let mut at = lane;
        while left > 0.0 && further.len() < 16 {
            at = self.net.lane(at).before;
            if at == NONE || at == lane {
                break;
            }
            left -= self.net.lane(at).length;
            further.push(at);
        }
        for lane in &further {
            self.lanes[*lane as usize].partial.push(slot);
        }
        self.bodies[slot as usize].further = further;
        let bodies = &self.bodies;
        let state = &mut self.lanes[lane as usize];
        let place = state.vehicles.partition_point(|other| bodies[*other as usize].pos < pos);
        state.vehicles.insert(place, slot);
        state.space += space;
    }

    /// Finds lane, position and speed for a departure. `full` are lanes on which somebody found no room in this step.
    fn place(&mut self, pending: &mut Pending, full: &mut Vec<u32>) -> Option<()> {
        let question = super::advance::question(&pending.body, pending.info.type_id, 0, self.dt);
        pending.body.best = self.memory.find(&self.net, question);
        if let DepartPosition::Parked { bay, stands_s } = pending.position {
            return self.come_parked(&mut pending.body, bay, stands_s);
        }
        let body = &pending.body;
        let usable: Vec<u32> =
            body.best.0.iter().map(|c| c.lane).filter(|lane| self.net.lane(*lane).users.contains(body.users)).collect();
        let random = &mut pending.mind.random;
        let lane = match pending.lane {
            DepartLane::First => usable.first().copied(),
            DepartLane::Index(index) => body.best.0.get(usize::from(index)).map(|choice| choice.lane),
            DepartLane::Random => usable.get(random.random_range(0..usable.len().max(1))).copied(),
            DepartLane::Free => self.freest(&usable),
            DepartLane::Best => {
                let longest = body.best.0.iter().map(|choice| choice.length).fold(-1.0, f64::max);
                let enough = longest.min(BEST_LANE_ENOUGH_M);
                let best: Vec<u32> =
                    body.best.0.iter().filter(|choice| choice.length >= enough).map(|choice| choice.lane).collect();
                self.freest(&best)
            }
        }?;
        if full.contains(&lane) {
            return None;
        }
        let length = self.net.lane(lane).length;
        let wish = body.wish(self.net.lane(lane).limit);
        let (speed, may_slow) = match pending.speed {
            DepartSpeed::At(speed) => (speed.min(wish), false),
            DepartSpeed::Max => (wish, true),
            DepartSpeed::Desired => (wish, false),
            DepartSpeed::Random => (random.random::<f64>() * wish, true),
        };
        let base = (body.length() + LENGTH_SLACK_M).min(length);
        let candidates: Vec<f64> = match pending.position {
            DepartPosition::Base | DepartPosition::Parked { .. } => vec![base],
            DepartPosition::At(at) => vec![if at < 0.0 { length + at } else { at }.clamp(0.0, length)],
            DepartPosition::Random => vec![base + random.random::<f64>() * (length - base)],
            DepartPosition::Last => vec![self.behind_last(lane, body).clamp(base, length)],
            DepartPosition::Free => {
                let steps = ((length - base) / FREE_STEP_M).floor().clamp(0.0, 200.0) as u32;
                (0..=steps).map(|step| base + f64::from(step) * FREE_STEP_M).collect()
            }
        };
        for pos in candidates {
            if let Some(speed) = self.check_place(body, lane, pos, speed, may_slow) {
                let body = &mut pending.body;
                (body.lane, body.pos, body.speed) = (lane, pos, speed);
                return Some(());
            }
        }
        full.push(lane);
        None
    }

    fn behind_last(&self, lane: u32, body: &Body) -> f64 {
        let last = self.lanes[lane as usize].vehicles.first();
        last.map_or(0.0, |last| {
            let other = &self.bodies[*last as usize];
            other.pos - other.length() - body.driver.min_gap_m
        })
    }

    /// Of some lanes the one with the longest free stretch at its start.
    fn freest(&self, lanes: &[u32]) -> Option<u32> {
        let room = |lane: &u32| {
            let last = self.lanes[*lane as usize].vehicles.first();
            last.map_or(self.net.lane(*lane).length, |last| self.bodies[*last as usize].pos)
        };
        let mut best: Option<(f64, u32)> = None;
        for lane in lanes {
            let room = room(lane);
            if best.is_none_or(|(most, _)| room > most) {
                best = Some((room, *lane));
            }
        }
        best.map(|(_, lane)| lane)
    }

    /// The speed at which a vehicle can be put somewhere, if it can.
    pub(crate) fn check_place(&self, body: &Body, lane: u32, pos: f64, speed: f64, may_slow: bool) -> Option<f64> {
        let (net, dt, driver) = (&self.net, self.dt, &body.driver);
        let mut speed = speed;
        let limit = |speed: &mut f64, safe: f64| {
            if safe >= *speed {
                return true;
            }
            *speed = safe;
            may_slow
        };
        let state = &self.lanes[lane as usize];
        // In front on the same lane.
        let mut ahead: Option<(f64, f64, f64)> = None;
        let mut consider = |back: f64, speed: f64, decel: f64| {
            if ahead.is_none_or(|(nearest, ..)| back < nearest) {
                ahead = Some((back, speed, decel));
            }
        };
        for other in &state.vehicles {
            let other = &self.bodies[*other as usize];
            if other.pos >= pos {
                consider(other.pos - other.length() - other.reserve, other.speed, other.driver.decel);
            } else {
                let gap = pos - body.length() - other.pos - other.driver.min_gap_m;
                if gap < other.driver.secure_gap(other.speed, speed, driver.decel, dt) {
                    return None;
                }
            }
        }
        for other in &state.partial {
            let other = &self.bodies[*other as usize];
            consider(other.minded_back_on(lane, net), other.speed, other.driver.decel);
        }
        for obstacle in state.obstacles.iter().filter(|obstacle| obstacle.front > pos - body.length()) {
            consider(obstacle.back, obstacle.speed, obstacle.decel);
        }
        if let Some((back, other_speed, decel)) = ahead {
            let gap = back - pos - driver.min_gap_m;
            if gap < 0.0 || !limit(&mut speed, driver.safe_follow(gap, other_speed, decel, dt)) {
                return None;
            }
        }
        if let Some(stop) = body.stops.front().filter(|stop| stop.lane == lane) {
            let safe = driver.stop_speed(speed, stop.end - pos, dt);
            if !limit(&mut speed, safe) {
                return None;
            }
        }
        self.check_beyond(body, lane, pos, &mut speed, limit)?;
        self.check_behind(body, lane, pos, speed)?;
        Some(speed)
    }

    fn check_beyond(
        &self,
        body: &Body,
        lane: u32,
        pos: f64,
        speed: &mut f64,
        limit: impl Fn(&mut f64, f64) -> bool,
    ) -> Option<()> {
        let (net, dt, driver) = (&self.net, self.dt, &body.driver);
        let view = self.view();
        let mut seen = net.lane(lane).length - pos;
        let mut at = lane;
        let following = &body.best.of(lane)?.following;
        let mut next = following.iter().skip(1);
        let mut arrival = self.time + seen / speed.max(HALTING_MPS);
        while seen < driver.brake_gap(*speed, dt) + driver.min_gap_m {
            let link = if net.lane(at).internal {
                net.lane(at).links.first().copied()
            } else {
                next.next().and_then(|to| net.lane(at).links.iter().copied().find(|link| net.link(*link).to == *to))
            };
            let Some(link) = link else {
                let ends = body.route.edges.last() == Some(&net.lane(at).edge);
                return (ends || limit(speed, driver.safe_dead_end(seen, dt))).then_some(());
            };
            let passage = Passage {
                arrival,
                arrival_speed: *speed,
                leave_speed: *speed,
                length: body.length(),
                impatience: 0.0,
                decel: driver.decel,
                waiting_s: 0.0,
                ignores_red: false,
                ego: NONE,
            };
            if !view.states[link as usize].has_priority() || !right_of_way::is_open(&view, link, &passage) {
                return limit(speed, driver.safe_dead_end(seen, dt)).then_some(());
            }
            let lane = net.link(link).next;
            if let Some(ahead) = view.last_on(lane, NONE) {
                let gap = seen + ahead.back - driver.min_gap_m;
                if gap < 0.0 || !limit(speed, driver.safe_follow(gap, ahead.speed, ahead.decel, dt)) {
                    return None;
                }
            }
            let slow = driver.free_speed(seen, body.wish(net.lane(lane).limit), dt);
            if slow < *speed {
                *speed = slow;
            }
            arrival += net.lane(lane).length / speed.max(0.001);
            seen += net.lane(lane).length;
            at = lane;
        }
        Some(())
    }

    /// Whoever comes from before the lane must be able to stop.
    fn check_behind(&self, body: &Body, lane: u32, pos: f64, speed: f64) -> Option<()> {
        let net = &self.net;
        if self.lanes[lane as usize].vehicles.first().is_some_and(|v| self.bodies[*v as usize].pos < pos) {
            return Some(());
        }
        let mut open = vec![(lane, pos - body.length())];
        let mut looked = 0;
        while let Some((lane, ahead)) = open.pop() {
            looked += 1;
            if looked > 32 {
                break;
            }
            for link in &net.lane(lane).incoming {
                let from = net.link(*link).from;
                let length = net.lane(from).length;
                let Some(other) = self.lanes[from as usize].vehicles.last() else {
                    if ahead + length < FOLLOWER_REACH_M {
                        open.push((from, ahead + length));
                    }
                    continue;
                };
                let passes = self.minds[*other as usize].items.iter().any(|item| item.link == *link && item.request);
                let other = &self.bodies[*other as usize];
                let gap = ahead + length - other.pos - other.driver.min_gap_m;
                let secure = other.driver.secure_gap(other.speed, speed, body.driver.decel, self.dt);
                if gap < 0.0 || (passes && gap < secure) {
                    return None;
                }
            }
        }
        Some(())
    }

    pub(crate) fn view(&self) -> View<'_> {
        View {
            net: &self.net,
            lanes: &self.lanes,
            bodies: &self.bodies,
            states: &self.states,
            approaching: &self.approaching,
            walkers: &self.surroundings.walkers,
            time: self.time,
            dt: self.dt,
        }
    }
}

/// A lane that leads this far is good enough to depart on, metres.
const BEST_LANE_ENOUGH_M: f64 = 3000.0;
/// Steps in which a free place is looked for, metres.
const FREE_STEP_M: f64 = 2.5;
/// How far back followers are looked for, metres.
const FOLLOWER_REACH_M: f64 = 60.0;
