//! Planning: for each link ahead at which speed to pass it and at which to wait before it.
//!
//! In: the world as it was ([`View`]). Out: a mind's [`Item`]s. All vehicles plan from the same world, so the order is free
//! and threads change nothing. Then [`super::clear`] takes back what would block a junction.

use super::driver::{HALTING_MPS, LENGTH_SLACK_M, SLACK, brake_gap};
use super::net::{NONE, Net, NetLink};
use super::right_of_way::{self, LinkState};
use super::vehicle::{Approach, Body, Item, LaneState, Mind};

/// Decelerating this much for yellow or red is expected of everybody, metres a second squared.
const SIGNAL_DECEL: f64 = 3.0;
/// Where vehicles stop that expect to have priority later, metres before the line.
const STOP_BEFORE_LINE_M: f64 = 1.0;
/// Longest waiting that still counts as about to go on, seconds.
const BLOCKAGE_S: f64 = 5.0;

/// The world as planning and deciding see it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) net: &'a Net,
    pub(crate) lanes: &'a [LaneState],
    pub(crate) bodies: &'a [Body],
    pub(crate) states: &'a [LinkState],
    pub(crate) approaching: &'a [Vec<Approach>],
    /// For each crossing lane where people are or will soon be, metres along its line.
    pub(crate) walkers: &'a [Vec<f64>],
    pub(crate) time: f64,
    pub(crate) dt: f64,
}

/// What a driver sees ahead on a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// `NONE` for another population's actor.
    pub(crate) vehicle: u32,
    pub(crate) back: f64,
    pub(crate) speed: f64,
    pub(crate) decel: f64,
}

impl View<'_> {
    fn ahead_of(&self, vehicle: u32, lane: u32) -> Ahead {
        let body = &self.bodies[vehicle as usize];
        let back = body.minded_back_on(lane, self.net);
        Ahead { vehicle, back, speed: body.speed, decel: body.driver.decel }
    }

    /// The hindmost of what is on a lane in front of `from`.
    pub(crate) fn last_on(&self, lane: u32, ego: u32) -> Option<Ahead> {
        let state = &self.lanes[lane as usize];
        let first = state.vehicles.first().copied();
        self.nearest(lane, first, ego, f64::NEG_INFINITY)
    }

    /// The next in front of a vehicle on its own lane.
    pub(crate) fn leader(&self, body: &Body) -> Option<Ahead> {
        let state = &self.lanes[body.lane as usize];
        let next = state.vehicles.get(body.rank as usize + 1).copied();
        self.nearest(body.lane, next, state.vehicles[body.rank as usize], body.pos)
    }

    fn nearest(&self, lane: u32, first: Option<u32>, ego: u32, from: f64) -> Option<Ahead> {
        let state = &self.lanes[lane as usize];
        let mut best = first.filter(|vehicle| *vehicle != ego).map(|vehicle| self.ahead_of(vehicle, lane));
        for vehicle in state.partial.iter().filter(|vehicle| **vehicle != ego) {
            let ahead = self.ahead_of(*vehicle, lane);
            if best.is_none_or(|b| ahead.back < b.back) {
                best = Some(ahead);
            }
        }
        for obstacle in state.obstacles.iter().filter(|obstacle| obstacle.front > from) {
            if best.is_none_or(|b| obstacle.back < b.back) {
                let Obstacle { back, speed, decel, .. } = *obstacle;
                best = Some(Ahead { vehicle: NONE, back, speed, decel });
            }
        }
        best
    }

    pub(crate) fn limit(&self, lane: u32, body: &Body) -> f64 {
        body.wish(self.net.lane(lane).limit)
    }
}

use super::vehicle::Obstacle;

/// The planning of one vehicle.
struct Planner<'a> {
    view: View<'a>,
    ego: u32,
    body: &'a Body,
    mind: &'a mut Mind,
    v: f64,
    v_pass: f64,
    seen: f64,
    last: Option<usize>,
}

/// Plans what a vehicle does at the links ahead.
pub(crate) fn plan(view: View<'_>, ego: u32, mind: &mut Mind) {
    let body = &view.bodies[ego as usize];
    mind.items.clear();
    mind.stop_dist = f64::INFINITY;
    let mut planner = Planner { view, ego, body, mind, v: 0.0, v_pass: 0.0, seen: 0.0, last: None };
    planner.run();
}

impl Planner<'_> {
    fn run(&mut self) {
        let (view, body) = (self.view, self.body);
        let (driver, dt, net) = (&body.driver, view.dt, view.net);
        let comfortable = driver.min_next(body.speed, dt);
        let max = driver.max_next(body.speed, dt).min(self.mind.limit.max(comfortable));
        let mut limit = view.limit(body.lane, body).max(comfortable);
        self.v = max.min(limit);
        let dist = max * dt + driver.brake_gap(max, dt);
        let mut lane = body.lane;
        self.seen = net.lane(lane).length - body.pos;
        let mut seen_ordinary = 0.0;
        let mut seen_inside = if net.lane(lane).internal { self.seen } else { 0.0 };
        let mut had_ordinary = false;
        self.v_pass = driver.speed_after(self.seen, self.v, driver.accel).min(limit);
        let mut slowed_for_minor = false;
        let mut following = body.best.of(net.next_ordinary(lane)).map_or(&[][..], |choice| &choice.following);
        if !net.lane(lane).internal {
            following = following.get(1..).unwrap_or(&[]);
        }
        let mut view_edges = 0;
        loop {
            let ahead = if self.last.is_none() { view.leader(body) } else { view.last_on(lane, self.ego) };
            if let Some(ahead) = ahead {
                self.follow(ahead, lane);
            }
            if let Some(last) = self.last {
                let item = &mut self.mind.items[last];
                item.wait = item.wait.min(self.v);
            }
            if self.stop_ahead(lane, view_edges, limit, comfortable) {
                break;
            }
            if body.at as usize + view_edges + 1 >= body.route.edges.len() && !net.lane(lane).internal {
                self.arrive(lane, limit);
                break;
            }
            let link_id = self.next_link(lane, following);
            if link_id == NONE {
                let stop = driver.stop_speed(body.speed, self.seen, dt);
                self.limit_last(stop);
                self.v = self.v.min(stop);
                self.mind.items.push(Item::end(self.v, self.seen, 0.0));
                break;
            }
            let link = net.link(link_id);
            let state = view.states[link_id as usize];
            let signal_stop = state.is_red() || state.is_yellow();
            let stop_decel =
                if signal_stop { SIGNAL_DECEL.min(driver.emergency_decel).max(driver.decel) } else { driver.decel };
            let brake_dist = brake_gap(body.speed, stop_decel, 0.0, dt);
            let can_brake = self.seen >= brake_dist;
            let mut offset = if signal_stop || state.has_priority() { STOP_BEFORE_LINE_M } else { 0.0 };
            offset = offset.min(link.visibility - LENGTH_SLACK_M);
            if can_brake {
                offset = offset.min(self.seen - brake_dist);
            }
            let stop_at = (self.seen - offset.max(LENGTH_SLACK_M)).max(0.0);
            let leaving = net.lane(body.lane).internal && self.last.is_none();
            let aborted = slowed_for_minor && !link.from_inside;
            let mut request = (self.v > SLACK * dt && !aborted) || leaving;
            let mut wait = self.v.min(driver.stop_speed_by(body.speed, stop_at, stop_decel, dt));
            if signal_stop && can_brake && !body.ignores_red && !body.beacon {
                if net.lane(lane).internal {
                    self.meet_foes(link, lane, &mut wait, &mut request);
                }
                let arrival = self.arrival(self.v_pass);
                self.mind.items.push(Item {
                    link: link_id,
                    pass: self.v,
                    wait,
                    request: false,
                    arrival,
                    arrival_speed: wait,
                    arrival_speed_braking: 0.0,
                    distance: self.seen,
                    leave_speed: -1.0,
                    room: 0.0,
                    had_stopped: false,
                });
                break;
            }
            self.meet_foes(link, lane, &mut wait, &mut request);
            self.limit_last(limit);
            let mut arrival_speed = self.v_pass;
            let far = self.seen > link.visibility;
            let goes_first = state.has_priority() || (body.ignores_red && state.is_red());
            let could_brake =
                !goes_first && brake_dist < self.seen && !right_of_way::entered_by_priority(&view, link_id);
            if could_brake && far {
                // It slows down just so far that it could stop where it sees who comes, and then goes on.
                let at_visibility = driver.stop_speed_from_far(link.visibility, dt);
                arrival_speed = arrival_speed.min(driver.speed_after(link.visibility, at_visibility, driver.accel));
                slowed_for_minor = true;
            } else if state == LinkState::RightBeforeLeft
                && body.waiting_s > 0.0
                && right_of_way::yields_in_a_circle(&view, link_id)
            {
                let shy = if link.turn == crate::roads::Turn::Straight { 0.25 } else { 0.75 };
                if rand::RngExt::random::<f64>(&mut self.mind.random) < shy {
                    request = false;
                }
            }
            slowed_for_minor |= could_brake && net.lane(link.to).roundabout;
            let arrival = self.arrival(arrival_speed);
            let mut braking = 0.0;
            if self.seen < driver.brake_gap(self.v, dt) && !body.stopped {
                braking = driver.arrival_speed_braking(self.seen, self.v).min(arrival_speed);
            }
            let next_limit = view.limit(link.next, body);
            let leave_speed = next_limit.min(driver.speed_after(link.length, arrival_speed, driver.accel));
            self.mind.items.push(Item {
                link: link_id,
                pass: self.v,
                wait,
                request,
                arrival,
                arrival_speed,
                arrival_speed_braking: braking,
                distance: self.seen,
                leave_speed,
                room: 0.0,
                had_stopped: false,
            });
            if link.via == NONE {
                had_ordinary = true;
                view_edges += 1;
                following = following.get(1..).unwrap_or(&[]);
            }
            let length = body.length();
            if (!request || self.v <= 0.0 || self.seen > dist)
                && had_ordinary
                && seen_ordinary > (length * LOOK_BEYOND).max(length + seen_inside)
            {
                break;
            }
            lane = link.next;
            limit = next_limit;
            self.v = self.v.min(driver.free_speed(self.seen, limit, dt).max(comfortable));
            let length = net.lane(lane).length;
            if net.lane(lane).internal {
                seen_inside += length;
            } else {
                seen_ordinary += length;
            }
            self.seen += length;
            self.v_pass = driver.speed_after(length, self.v, driver.accel).min(limit);
            self.last = Some(self.mind.items.len() - 1);
        }
    }

    fn next_link(&self, lane: u32, following: &[u32]) -> u32 {
        let lane = self.view.net.lane(lane);
        if lane.internal {
            return lane.links.first().copied().unwrap_or(NONE);
        }
        let Some(target) = following.first() else { return NONE };
        lane.links.iter().copied().find(|link| self.view.net.link(*link).to == *target).unwrap_or(NONE)
    }

    fn limit_last(&mut self, speed: f64) {
        if let Some(last) = self.last {
            self.mind.items[last].limit_leave(speed);
        }
    }

    fn arrival(&self, arrival_speed: f64) -> f64 {
        let stopped = self.body.stops.front().filter(|_| self.body.stopped).map_or(0.0, |stop| stop.duration.max(0.0));
        self.view.time - self.view.dt + self.body.driver.arrival_time(self.seen, self.v, arrival_speed) + stopped
    }

    fn follow(&mut self, ahead: Ahead, lane: u32) {
        let (view, body) = (self.view, self.body);
        let (driver, dt, net) = (&body.driver, view.dt, view.net);
        let length = net.lane(lane).length;
        let gap = match self.last {
            None => ahead.back - body.pos - driver.min_gap_m,
            Some(_) => ahead.back + self.seen - length - driver.min_gap_m,
        };
        let mut back_on_route = true;
        if gap < 0.0
            && ahead.vehicle != NONE
            && let Some(last) = self.last
        {
            // Either a merge, whose leader's rear is on another way, or just too near.
            let current = net.link(self.mind.items[last].link).next;
            let back = view.bodies[ahead.vehicle as usize].back_lane();
            back_on_route = back == current
                || back == body.lane
                || self.mind.items[..=last].iter().any(|item| {
                    let link = net.link(item.link);
                    link.next == back || link.from == back
                });
        }
        let safe = if back_on_route {
            driver.follow_speed(body.speed, gap, ahead.speed, ahead.decel, dt)
        } else {
            let mut stop = self.seen - length - LENGTH_SLACK_M;
            if let Some(last) = self.last {
                let link = net.link(self.mind.items[last].link);
                if link.from_inside {
                    stop -= net.lane(link.from).length;
                }
            }
            driver.stop_speed(body.speed, stop, dt)
        };
        if let Some(last) = self.last {
            let leave = self.mind.items[last].leave_speed;
            let future = driver.follow_speed(leave.max(0.0), gap, ahead.speed, ahead.decel, dt);
            self.mind.items[last].limit_leave(future);
        }
        self.v = self.v.min(safe);
        self.v_pass = self.v_pass.min(safe);
    }

    /// Whether the next stop is on this lane, so that there is no need to look further.
    fn stop_ahead(&mut self, lane: u32, view_edges: usize, limit: f64, comfortable: f64) -> bool {
        let (view, body) = (self.view, self.body);
        let Some(stop) =
            body.stops.front().filter(|stop| !stop.reached && stop.at as usize == body.at as usize + view_edges)
        else {
            return false;
        };
        let net_lane = view.net.lane(lane);
        if net_lane.internal || net_lane.edge != view.net.lane(stop.lane).edge {
            return false;
        }
        let end = stop_point(&view, stop, self.ego) + SLACK;
        let dist = self.seen + end - net_lane.length;
        self.mind.stop_dist = dist;
        let speed = body.driver.stop_speed(body.speed, dist, view.dt).max(comfortable).min(limit);
        if self.last.is_some() {
            let future = body.driver.stop_speed(self.v_pass, end, view.dt);
            self.limit_last(future);
        }
        self.v = self.v.min(speed);
        self.mind.items.push(Item::end(self.v, dist, 0.0));
        true
    }

    fn arrive(&mut self, lane: u32, limit: f64) {
        let (view, body) = (self.view, self.body);
        let length = view.net.lane(lane).length;
        let dist = self.seen + body.arrival_pos - length - limit * view.dt;
        let speed = body.driver.free_speed(dist, limit, view.dt).max(SLACK);
        self.v = self.v.min(speed);
        self.limit_last(speed);
        let leaves_network = view.net.lane(lane).links.is_empty();
        self.mind.items.push(Item::end(self.v, self.seen, if leaves_network { 1000.0 } else { 0.0 }));
    }

    /// Slows down for who is on the lanes that a link inside the junction meets.
    fn meet_foes(&mut self, link: &NetLink, lane: u32, wait: &mut f64, request: &mut bool) {
        if !link.from_inside {
            return;
        }
        let (view, body) = (self.view, self.body);
        let net = view.net;
        for foe in &link.foes {
            let state = &view.lanes[foe.lane as usize];
            if state.vehicles.is_empty() && state.partial.is_empty() {
                continue;
            }
            for leader in state.vehicles.iter().chain(&state.partial) {
                if *leader == self.ego {
                    continue;
                }
                let Some(met) = right_of_way::link_leader(&view, body, link, foe, *leader, self.seen) else { continue };
                let other = &view.bodies[*leader as usize];
                if !(met.in_the_way || right_of_way::goes_first(&view, body, link, other)) {
                    continue;
                }
                self.follow_in_junction(other, met, lane);
                if let Some(last) = self.last {
                    self.v = self.v.max(self.mind.items[last].wait);
                }
                let from = logical_before(net, other.lane);
                if self.v < HALTING_MPS
                    && (from == logical_before(net, body.lane)
                        || from == body.lane
                        || other.stopped
                        || other.waiting_s > BLOCKAGE_S)
                {
                    *request = false;
                    if from == body.lane
                        && let Some(last) = self.last
                    {
                        self.mind.items[last].request = false;
                    }
                }
            }
        }
        for zebra in &link.zebras {
            let dist = self.seen - zebra.behind - WALKER_GAP_M;
            if dist < -WALKER_GAP_M || !right_of_way::walkers_near(&view, zebra, body) {
                continue;
            }
            let safe = body.driver.stop_speed(body.speed, dist.max(0.0), view.dt);
            self.v = self.v.min(safe);
            self.v_pass = self.v_pass.min(safe);
            self.limit_last(safe);
            if let Some(last) = self.last {
                self.v = self.v.max(self.mind.items[last].wait);
            }
        }
        *wait = wait.min(self.v);
    }

    fn follow_in_junction(&mut self, other: &Body, met: right_of_way::Met, lane: u32) {
        let (view, body) = (self.view, self.body);
        let (driver, dt) = (&body.driver, view.dt);
        let mut safe = if met.gap >= 0.0 {
            driver.follow_speed(body.speed, met.gap, other.speed, other.driver.decel, dt)
        } else {
            // It fills the whole lane inside: stop before that lane.
            let before = self.seen - view.net.lane(lane).length - LENGTH_SLACK_M;
            driver.stop_speed(body.speed, before, dt)
        };
        if let Some(to_crossing) = met.to_crossing {
            let stop = driver.stop_speed(body.speed, to_crossing - driver.min_gap_m, dt);
            if met.gap == f64::NEG_INFINITY {
                safe = safe.max(stop);
            } else {
                // Reach the crossing when the other is past it.
                let past = ((to_crossing - met.gap) / other.speed.max(HALTING_MPS)).max(SLACK);
                let last = body.speed.max(2.0 * (to_crossing - driver.min_gap_m) / past - body.speed);
                let slow = body.speed + (last - body.speed) / past * dt;
                safe = safe.max(slow.min(stop));
            }
        }
        self.limit_last(safe);
        self.v = self.v.min(safe);
        self.v_pass = self.v_pass.min(safe);
    }
}

/// How much farther than its length a vehicle looks for room behind a junction.
const LOOK_BEYOND: f64 = 4.0;
/// Kept before people on a crossing, metres.
const WALKER_GAP_M: f64 = 1.0;

fn logical_before(net: &Net, lane: u32) -> u32 {
    if net.lane(lane).internal { net.lane(lane).before } else { lane }
}

/// Where to stop: the end of the stop, or behind who stands there already.
pub(crate) fn stop_point(view: &View<'_>, stop: &super::vehicle::Stop, ego: u32) -> f64 {
    let mut point = stop.end;
    for other in &view.lanes[stop.lane as usize].vehicles {
        let body = &view.bodies[*other as usize];
        if *other != ego && body.stopped && body.pos > stop.start && body.pos <= stop.end + 1.0 {
            point = point.min(body.pos - body.length() - view.bodies[ego as usize].driver.min_gap_m);
        }
    }
    point
}
