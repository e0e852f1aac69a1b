//! Asking others for room, and making it.

use super::edge::{Changing, Column, Near};
use super::{BLOCKED_BY_FOLLOWER, BLOCKED_BY_LEADER, BLOCKING_FOLLOWER, BLOCKING_LEADER};
use crate::traffic::driver::LENGTH_SLACK_M;
use crate::traffic::net::NONE;

/// Overtaking is worth it from this difference, metres a second.
const HELP_OVERTAKE: f64 = 10.0 / 3.6;
/// One falls behind by at least this deceleration, metres a second squared.
const FALL_BEHIND: f64 = 7.0 / 3.6;
/// Longer lanes are no ramps, metres.
const RAMP_MAX_M: f64 = 200.0;
/// Faster, followers on the left are slowed down, metres a second.
const CUT_IN_LEFT_MPS: f64 = 27.0;

impl Changing<'_> {
    fn advise(&mut self, vehicle: u32, speed: f64) {
        let own = self.bodies[vehicle as usize].speed;
        self.minds[vehicle as usize].advice.push((speed - own) / self.dt);
    }

    fn tell(&mut self, vehicle: u32, speed: f64, what: u32) {
        if vehicle == NONE {
            return;
        }
        self.advise(vehicle, speed);
        self.minds[vehicle as usize].state |= what;
    }
}

/// Slows down, when slow already, for who is blocked in front of us.
pub(super) fn slow_for_blocked(world: &mut Changing<'_>, columns: &[Column], place: usize, vehicle: u32) {
    let (last, first) = (columns[place].last_blocked, columns[place].first_blocked);
    for blocked in [Some(last), (last != first).then_some(first)].into_iter().flatten().filter(|b| *b != NONE) {
        let (body, other) = (&world.bodies[vehicle as usize], &world.bodies[blocked as usize]);
        let gap = other.pos - other.length() - body.pos - body.driver.min_gap_m;
        if gap > LENGTH_SLACK_M && body.speed < body.driver.decel {
            let speed =
                body.driver.follow_speed(body.speed, gap - LENGTH_SLACK_M, other.speed, other.driver.decel, world.dt);
            world.advise(vehicle, speed);
        }
    }
}

/// Keeps room for a blocker that wants to change the other way; if there is too little, it must keep room for us.
pub(super) fn reserve(world: &mut Changing<'_>, vehicle: u32, blocker: u32, counter: u32) -> bool {
    if blocker == NONE || blocker == vehicle || world.minds[blocker as usize].state & counter == 0 {
        return true;
    }
    let dt = world.dt;
    let (body, other) = (&world.bodies[vehicle as usize], &world.bodies[blocker as usize]);
    let left = world.minds[vehicle as usize].left_space;
    if other.space() <= left - body.driver.brake_gap(body.speed, dt) {
        let mind = &mut world.minds[vehicle as usize];
        mind.blocker_length = mind.blocker_length.max(other.space());
        return true;
    }
    let space = body.space();
    let can = space <= world.minds[blocker as usize].left_space - other.driver.brake_gap(other.speed, dt);
    let mind = &mut world.minds[blocker as usize];
    if can || mind.left_space > left {
        mind.blocker_length = mind.blocker_length.max(space);
        return true;
    }
    false
}

/// Distance for a follower to pass a leader.
fn overtake_dist(gap: f64, leader_space: f64, follower_length: f64, secure: f64) -> f64 {
    (gap + leader_space + follower_length + secure).max(0.0)
}

/// Decides to follow or pass the leader on the other lane, and tells it. The speed planned; `None` when passing.
pub(super) fn leader(
    world: &mut Changing<'_>,
    vehicle: u32,
    blocked: u32,
    told: u32,
    lead: Option<Near>,
    remaining: f64,
) -> Option<f64> {
    let (body, mind, dt) = (&world.bodies[vehicle as usize], &world.minds[vehicle as usize], world.dt);
    let driver = body.driver;
    let speed = body.speed;
    let mut planned = speed.min(driver.stop_speed(speed, mind.left_space - mind.blocker_length, dt));
    for accel in mind.advice.iter().filter(|accel| **accel >= -driver.decel) {
        planned = planned.min(speed + accel * dt);
    }
    let Some(lead) = lead else { return Some(planned) };
    let next = lead.speed - (-lead.accel).max(1.0) * dt;
    let next_gap = lead.gap + (next - planned) * dt;
    let target = driver.min_next(speed, dt).max(driver.follow_speed(speed, next_gap, next.max(0.0), lead.decel, dt));
    if blocked & BLOCKED_BY_LEADER == 0 {
        world.advise(vehicle, target);
        return Some(target.min(planned));
    }
    let body = &world.bodies[vehicle as usize];
    let secure = if lead.vehicle == NONE {
        0.0
    } else {
        world.bodies[lead.vehicle as usize].driver.secure_gap(lead.speed, speed, driver.decel, dt)
    };
    let dist = overtake_dist(lead.gap, lead.length, body.length(), secure);
    let faster = planned - lead.speed;
    let time = if faster > 0.0 { dist / faster } else { remaining + 1.0 };
    let mind = &world.minds[vehicle as usize];
    let room = mind.left_space - mind.blocker_length - driver.brake_gap(speed, dt);
    if (faster < 0.0 || room < dist || remaining < time) && !lead.stopped {
        world.tell(lead.vehicle, f64::MAX, told | BLOCKING_LEADER);
        if target < speed {
            let decel = driver.decel.min(FALL_BEHIND.max((speed - target) / remaining.max(dt)));
            let next = planned.min((speed - decel * dt).max(0.0));
            world.advise(vehicle, next);
            return Some(next);
        }
        world.advise(vehicle, target);
        return Some(planned);
    }
    world.tell(lead.vehicle, lead.speed, told | BLOCKING_LEADER);
    None
}

/// Asks the follower on the other lane to let us in, or to pass.
#[allow(clippy::too_many_arguments, reason = "one request with what it depends on")]
pub(super) fn follower(
    world: &mut Changing<'_>,
    vehicle: u32,
    blocked: u32,
    told: u32,
    follow: Option<Near>,
    remaining: f64,
    planned: f64,
    right: bool,
) {
    let Some(follow) = follow.filter(|follow| follow.vehicle != NONE) else { return };
    let (body, other, dt) = (&world.bodies[vehicle as usize], &world.bodies[follow.vehicle as usize], world.dt);
    let (driver, nv) = (body.driver, other.driver);
    let (speed, nv_speed, nv_length, space) = (body.speed, other.speed, other.length(), body.space());
    if blocked & BLOCKED_BY_FOLLOWER == 0 {
        if blocked & BLOCKED_BY_LEADER != 0 {
            // Not in the way now: let it stay so.
            let first = nv.follow_speed(nv_speed, follow.gap + planned * dt, planned, driver.decel, dt);
            let safe = nv.follow_speed(nv_speed, follow.gap + (planned - first) * dt, planned, driver.decel, dt);
            world.tell(follow.vehicle, safe, told);
        }
        return;
    }
    if planned - nv_speed >= HELP_OVERTAKE {
        let needed = nv.secure_gap(nv_speed, planned, driver.decel, dt);
        if (needed - follow.gap) / remaining < planned - nv_speed {
            world.tell(follow.vehicle, planned - HELP_OVERTAKE, told | BLOCKING_FOLLOWER);
            return;
        }
    }
    let new = (nv_speed - nv.decel * dt).max(0.0);
    let new_1s = (nv_speed - nv.decel).max(0.0);
    let faster = planned - new_1s;
    let gap = follow.gap + faster;
    let secure = nv.secure_gap(new_1s, planned, driver.decel, dt);
    if gap > 0.0 && gap >= secure {
        let first = new.max(nv.follow_speed(nv_speed, follow.gap + planned * dt, planned, driver.decel, dt));
        let safe = new.max(nv.follow_speed(nv_speed, follow.gap + (planned - first) * dt, planned, driver.decel, dt));
        world.tell(follow.vehicle, safe, told | BLOCKING_FOLLOWER);
    } else if faster > 0.0 && faster * remaining > secure - gap + LENGTH_SLACK_M {
        world.tell(follow.vehicle, new, told | BLOCKING_FOLLOWER);
    } else {
        let mut help = nv_speed.max(speed + HELP_OVERTAKE);
        let long_lane = world.net.lane(world.bodies[vehicle as usize].lane).length > RAMP_MAX_M;
        if nv_speed > speed && (right || planned > CUT_IN_LEFT_MPS || long_lane) {
            help = new.max(speed + HELP_OVERTAKE);
            if (nv_speed - speed) / nv.decel < remaining {
                world.tell(follow.vehicle, help, told | BLOCKING_FOLLOWER);
                return;
            }
        }
        world.tell(follow.vehicle, help, told | BLOCKING_FOLLOWER);
        let secure = driver.secure_gap(planned, help, nv.decel, dt);
        let dist = overtake_dist(follow.gap, space, nv_length, secure);
        let slow = (help - dist / remaining).max(speed - driver.decel * dt);
        world.advise(vehicle, slow);
    }
}
