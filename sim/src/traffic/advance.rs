//! Moving: every vehicle by its speed, from lane to lane, into stops, out of the network.

use super::decide::resumes;
use super::driver::{HALTING_MPS, LENGTH_SLACK_M, SLACK};
use super::lane_change;
use super::net::NONE;
use super::settings::WhenStuck;
use super::spawn::Standing;
use super::step::Traffic;
use super::vehicle::NEVER;

impl Traffic {
    /// Moves all vehicles by one step.
    pub(crate) fn advance(&mut self) {
        self.begin_count();
        let mut gone: Vec<u32> = Vec::new();
        let mut stuck: Vec<u32> = Vec::new();
        for vehicle in 0..self.bodies.len() as u32 {
            let body = &self.bodies[vehicle as usize];
            if !body.drives() {
                continue;
            }
            self.drive(vehicle);
            if self.has_arrived(vehicle) {
                gone.push(vehicle);
            } else if self.is_stuck(vehicle) {
                stuck.push(vehicle);
            }
        }
        for vehicle in gone {
            self.counters.arrived += 1;
            self.leave_road(vehicle, Leaving::Arrived);
        }
        for vehicle in stuck {
            self.teleport(vehicle);
        }
    }

    fn drive(&mut self, vehicle: u32) {
        let (place, dt, time) = (vehicle as usize, self.dt, self.time);
        let decision = self.minds[place].decision;
        let (body, info) = (&mut self.bodies[place], &mut self.infos[place]);
        let speed = decision.speed;
        body.must_wait = decision.must_wait;
        if decision.gives_turn {
            body.entered = NEVER;
            body.entered_conflict = NEVER;
        }
        // Stops.
        if body.stopped {
            info.stop_s += dt;
            if resumes(body, time) {
                body.stopped = false;
                body.stops.pop_front();
                let (at, type_id) = (body.at, info.type_id);
                self.bodies[place].best = self.best_of(vehicle, type_id, at);
            } else if let Some(stop) = body.stops.front_mut() {
                stop.duration -= dt;
            }
        }
        let (body, mind, info) = (&mut self.bodies[place], &mut self.minds[place], &mut self.infos[place]);
        body.accel = (speed - body.speed) / dt;
        let before = body.speed;
        body.speed = speed;
        let halting = speed <= HALTING_MPS && !body.stopped;
        if halting && body.accel <= 0.5 * body.driver.accel {
            if body.waiting_s == 0.0 {
                info.waiting_count += 1;
            }
            body.waiting_s += dt;
        } else {
            body.waiting_s = 0.0;
        }
        if halting {
            info.waiting_s += dt;
        }
        let friction = (0.05 + 0.005 * before) * before;
        info.lights.brake = speed < before - friction * dt || speed <= HALTING_MPS;
        mind.impatience = (self.types[info.type_id as usize].impatience
            + body.waiting_s / self.settings.impatient_after_s.max(SLACK))
        .clamp(0.0, 1.0);
        let (lane, from) = (body.lane, body.pos);
        body.pos += speed * dt;
        let to = body.pos;
        lane_change::begin_step(mind);
        if self.detectors.on(lane) {
            self.note_passage(vehicle, lane, from, to);
        }
        if to > self.net.lane(lane).length {
            self.cross_links(vehicle);
        }
        self.note_request(vehicle);
        let body = &self.bodies[place];
        if !body.stopped {
            let wish = body.wish(self.net.lane(body.lane).limit);
            if wish > 0.0 {
                self.infos[place].time_loss += dt * (wish - body.speed) / wish;
            }
        }
        self.reach_stop(vehicle);
    }

    pub(crate) fn best_of(&mut self, vehicle: u32, type_id: u32, at: u32) -> std::sync::Arc<super::best::BestLanes> {
        // The memory is asked with the body borrowed: take it out for the while.
        let mut memory = std::mem::take(&mut self.memory);
        let body = &self.bodies[vehicle as usize];
        let found = memory.find(&self.net, question(body, type_id, at, self.dt));
        self.memory = memory;
        found
    }

    fn note_request(&mut self, vehicle: u32) {
        let body = &mut self.bodies[vehicle as usize];
        let items = &self.minds[vehicle as usize].items;
        let out = items.iter().find(|item| item.link != NONE && self.net.link(item.link).from == body.lane);
        body.will_pass = out.is_some_and(|item| item.request);
    }

    fn has_arrived(&self, vehicle: u32) -> bool {
        let body = &self.bodies[vehicle as usize];
        body.on_last_edge()
            && !self.net.lane(body.lane).internal
            && body.stops.is_empty()
            && body.pos > body.arrival_pos - LENGTH_SLACK_M
    }

    fn is_stuck(&self, vehicle: u32) -> bool {
        let WhenStuck::Teleport { after_s } = self.settings.when_stuck else { return false };
        let body = &self.bodies[vehicle as usize];
        if body.waiting_s <= after_s {
            return false;
        }
        // Only the first of a queue: the others go on once it is away.
        let lane = &self.lanes[body.lane as usize].vehicles;
        lane.iter().rev().find(|other| !self.bodies[**other as usize].stopped) == Some(&vehicle)
    }

    /// Goes on from lane to lane while the front is beyond the end.
    fn cross_links(&mut self, vehicle: u32) {
        let place = vehicle as usize;
        let mut passed = vec![self.bodies[place].lane];
        let mut next_item = 0;
        loop {
            let body = &self.bodies[place];
            let length = self.net.lane(body.lane).length;
            if body.pos <= length {
                break;
            }
            if body.on_last_edge() && !self.net.lane(body.lane).internal {
                break;
            }
            let item = self.minds[place].items.get(next_item).copied();
            next_item += 1;
            let link_id = item.map_or(NONE, |item| item.link);
            let red = link_id != NONE && self.states[link_id as usize].is_red() && !body.ignores_red && !body.beacon;
            if link_id == NONE || red || self.net.link(link_id).from != body.lane {
                let body = &mut self.bodies[place];
                if body.pos > length + SLACK {
                    self.counters.emergency_stops += 1;
                    body.speed = 0.0;
                }
                body.pos = length;
                break;
            }
            self.enter(vehicle, link_id);
            let next = self.net.link(link_id).next;
            passed.push(next);
            if self.detectors.on(next) {
                let to = self.bodies[place].pos;
                self.note_passage(vehicle, next, f64::NEG_INFINITY, to);
            }
        }
        if passed.len() > 1 {
            self.relist(vehicle, &passed);
        }
    }

    fn enter(&mut self, vehicle: u32, link_id: u32) {
        let place = vehicle as usize;
        let link = self.net.link(link_id);
        let length = self.net.lane(link.from).length;
        let (internal, time) = (self.net.lane(link.next).internal, self.time);
        let (entry, conflict, exit) = (link.is_entry(), link.is_conflict_entry(), link.is_exit());
        let next = link.next;
        let body = &mut self.bodies[place];
        self.infos[place].odometer += length;
        body.pos -= length;
        body.lane = next;
        if entry {
            body.entered = time;
            body.entered_first = time;
        }
        if conflict {
            body.entered_conflict = time;
            body.entered = body.entered_first;
        }
        if exit {
            (body.entered, body.entered_first, body.entered_conflict) = (NEVER, NEVER, NEVER);
        }
        if !internal {
            body.at += 1;
            // A stop that was passed will not be reached any more.
            while body.stops.front().is_some_and(|stop| stop.at < body.at) {
                body.stops.pop_front();
                body.stopped = false;
            }
        }
        let ask = if internal { body.at + 1 } else { body.at };
        let type_id = self.infos[place].type_id;
        if (ask as usize) < self.bodies[place].route.edges.len() {
            let best = self.best_of(vehicle, type_id, ask);
            self.bodies[place].best = best;
        }
    }

    /// Takes a vehicle off the list of its old lane and onto that of the new one.
    fn relist(&mut self, vehicle: u32, passed: &[u32]) {
        let place = vehicle as usize;
        let (old, new) = (passed[0], passed[passed.len() - 1]);
        let (space, pos, length) = {
            let body = &self.bodies[place];
            (body.space(), body.pos, body.length())
        };
        let state = &mut self.lanes[old as usize];
        if let Some(at) = state.vehicles.iter().rposition(|other| *other == vehicle) {
            state.vehicles.remove(at);
            state.space -= space;
            if state.vehicles.is_empty() {
                state.space = 0.0;
            }
        }
        let earlier = std::mem::take(&mut self.bodies[place].further);
        for lane in &earlier {
            self.lanes[*lane as usize].partial.retain(|other| *other != vehicle);
        }
        let mut left = length - pos;
        let mut further = Vec::with_capacity(earlier.len() + passed.len());
        for lane in passed[..passed.len() - 1].iter().rev().chain(&earlier) {
            if left <= 0.0 {
                break;
            }
            left -= self.net.lane(*lane).length;
            further.push(*lane);
            self.lanes[*lane as usize].partial.push(vehicle);
        }
        self.bodies[place].further = further;
        let bodies = &self.bodies;
        let state = &mut self.lanes[new as usize];
        let at = state.vehicles.partition_point(|other| bodies[*other as usize].pos < pos);
        state.vehicles.insert(at, vehicle);
        state.space += space;
    }

    /// Lanes that the rear has left.
    pub(crate) fn trim_rear(&mut self, vehicle: u32) {
        let place = vehicle as usize;
        let body = &self.bodies[place];
        if body.further.is_empty() {
            return;
        }
        let mut left = body.length() - body.pos;
        let mut keep = 0;
        for lane in &body.further {
            if left <= 0.0 {
                break;
            }
            left -= self.net.lane(*lane).length;
            keep += 1;
        }
        if keep < body.further.len() {
            let gone = self.bodies[place].further.split_off(keep);
            for lane in gone {
                self.lanes[lane as usize].partial.retain(|other| *other != vehicle);
            }
        }
    }

    fn reach_stop(&mut self, vehicle: u32) {
        self.trim_rear(vehicle);
        let body = &mut self.bodies[vehicle as usize];
        let Some(stop) = body.stops.front_mut() else { return };
        let waits_for_bay = stop.standing != Standing::Lane && stop.bay.is_none();
        if stop.reached || waits_for_bay || stop.lane != body.lane || stop.at != body.at {
            return;
        }
        if body.pos + LENGTH_SLACK_M >= stop.start && body.speed <= HALTING_MPS {
            stop.reached = true;
            body.stopped = true;
        }
    }

    /// Takes a vehicle off the road.
    pub(crate) fn leave_road(&mut self, vehicle: u32, leaving: Leaving) {
        self.unlist(vehicle);
        self.give_bay_back(vehicle);
        self.note_trip(vehicle, leaving);
        self.bodies[vehicle as usize].alive = false;
        self.free.push(vehicle);
    }

    /// Takes a vehicle off the lists of its lanes.
    pub(crate) fn unlist(&mut self, vehicle: u32) {
        let place = vehicle as usize;
        let (lane, space) = (self.bodies[place].lane, self.bodies[place].space());
        let state = &mut self.lanes[lane as usize];
        if let Some(at) = state.vehicles.iter().position(|other| *other == vehicle) {
            state.vehicles.remove(at);
            state.space -= space;
        }
        for lane in std::mem::take(&mut self.bodies[place].further) {
            self.lanes[lane as usize].partial.retain(|other| *other != vehicle);
        }
    }

    /// Takes a vehicle that stood too long to the next edge of its route where there is room.
    fn teleport(&mut self, vehicle: u32) {
        self.counters.teleports += 1;
        self.infos[vehicle as usize].teleports += 1;
        self.unlist(vehicle);
        let body = &mut self.bodies[vehicle as usize];
        body.away = true;
        body.speed = 0.0;
        body.waiting_s = 0.0;
        (body.entered, body.entered_first, body.entered_conflict) = (NEVER, NEVER, NEVER);
        self.teleporting.push((vehicle, self.time));
    }

    /// Puts those back who were taken further along, where there is room by now.
    pub(crate) fn move_teleporting(&mut self) {
        let waiting = std::mem::take(&mut self.teleporting);
        for (vehicle, ready) in waiting {
            if !self.bodies[vehicle as usize].alive {
                continue;
            }
            if self.bodies[vehicle as usize].on_last_edge() {
                self.counters.arrived += 1;
                self.leave_road(vehicle, Leaving::Arrived);
                continue;
            }
            if ready > self.time || !self.reappear(vehicle) {
                // It goes on unseen, edge after edge.
                let place = vehicle as usize;
                let edge = self.bodies[place].route.edges[self.bodies[place].at as usize + 1];
                let lane = self.net.lane(self.net.edges[edge as usize][0]);
                let next = if ready > self.time {
                    ready
                } else {
                    let needs = lane.length / lane.limit.max(1.0);
                    self.infos[place].odometer += lane.length;
                    let body = &mut self.bodies[place];
                    body.at += 1;
                    while body.stops.front().is_some_and(|stop| stop.at <= body.at) {
                        body.stops.pop_front();
                    }
                    self.time + needs
                };
                self.teleporting.push((vehicle, next));
            }
        }
    }

    fn reappear(&mut self, vehicle: u32) -> bool {
        let place = vehicle as usize;
        let at = self.bodies[place].at + 1;
        let best = self.best_of(vehicle, self.infos[place].type_id, at);
        let lanes: Vec<u32> = best.0.iter().filter(|choice| choice.offset == 0).map(|choice| choice.lane).collect();
        self.bodies[place].best = best;
        for lane in lanes {
            let pos = (self.bodies[place].length() + LENGTH_SLACK_M).min(self.net.lane(lane).length);
            if let Some(speed) = self.check_place(&self.bodies[place], lane, pos, self.net.lane(lane).limit, true) {
                let body = &mut self.bodies[place];
                body.at = at;
                (body.lane, body.pos, body.speed, body.away) = (lane, pos, speed, false);
                while body.stops.front().is_some_and(|stop| stop.at < at) {
                    body.stops.pop_front();
                }
                self.minds[place].items.clear();
                self.join_lane(vehicle);
                return true;
            }
        }
        false
    }
}

/// Why a vehicle leaves the road.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    Arrived,
    Removed,
}

/// What is asked about lanes for a vehicle at a place of its route.
pub(crate) fn question(body: &super::vehicle::Body, type_id: u32, at: u32, dt: f64) -> super::best::Question<'_> {
    let driver = &body.driver;
    let stop = body.stops.iter().find(|stop| !stop.reached && stop.at >= at);
    super::best::Question {
        route: &body.route,
        at,
        users: body.users,
        type_id,
        stop: stop.map(|stop| (stop.at, stop.lane, stop.start)),
        brake_m: driver.tau_s * driver.max_speed
            + super::driver::brake_gap(driver.max_speed, driver.decel, driver.tau_s, dt)
            + driver.min_gap_m,
    }
}
