//! Whether a driver wants to change to the lane beside.

use super::edge::{Changing, Column, Near};
use super::inform;
use super::{
    BLOCKING_FOLLOWER, COOPERATIVE, KEEP_RIGHT, LEFT, RIGHT, SPEED_GAIN, STAY, STRATEGIC, TOLD, URGENT, WANTED_LEFT,
    WANTED_RIGHT,
};
use crate::traffic::best::Choice;
use crate::traffic::driver::{HALTING_MPS, SLACK};
use crate::traffic::net::NONE;
use crate::traffic::vehicle::Body;

/// Seconds looked ahead for changes that the route needs.
const LOOK_FORWARD_S: f64 = 10.0;
/// How much of the look-ahead speed is kept a second.
const LOOK_AHEAD_MEMORY: f64 = 0.9;
/// Changes to the left are looked for this much earlier.
const LOOK_AHEAD_LEFT: f64 = 2.0;
/// The other lane must be this good, in relative speed times seconds, for a change inwards and outwards.
const THRESHOLD_LEFT: f64 = 0.2;
const THRESHOLD_RIGHT: f64 = 2.0;
const KEEP_RIGHT_S: f64 = 5.0;
/// Gains are taken relative to at least this speed, metres a second.
const GAIN_MIN_MPS: f64 = 10.0;
/// Nearer, one does not leave the best lane for one that leads elsewhere, metres.
const TURN_LANE_M: f64 = 200.0;
/// Standing leaders are seen from here, metres.
const STOPPED_SEEN_M: f64 = 100.0;
/// Space kept for those who must change beyond the next lane and cannot be seen yet, metres.
const UNSEEN_LEFT_M: f64 = 40.0;
const UNSEEN_RIGHT_M: f64 = 20.0;
/// Changes are wanted in this share of the time left.
const URGENCY: f64 = 2.0;
/// Faster roads than this have ramps that one does not get stranded on, metres a second.
const HIGHWAY_MPS: f64 = 80.0 / 3.6;

fn disallows(dist: f64, offset: i32, look: f64) -> bool {
    dist / f64::from(offset.abs()) < look
}

fn next_space(world: &Changing<'_>, lane: &Choice) -> f64 {
    lane.following.iter().skip(1).map(|lane| world.lanes[*lane as usize].space).sum()
}

/// The state that follows from a look at the lane `offset` beside. `near`: the leader, and leader and follower there.
pub(super) fn wants(
    world: &mut Changing<'_>,
    columns: &[Column],
    place: usize,
    vehicle: u32,
    offset: i32,
    blocked: u32,
    near: [Option<Near>; 3],
) -> u32 {
    let [leader, lead, follow] = near;
    let net = world.net;
    let dt = world.dt;
    let best = world.bodies[vehicle as usize].best.clone();
    let choices = &best.0;
    let (Some(curr), Some(neigh)) = (choices.get(place), choices.get((place as i32 + offset) as usize)) else {
        return 0;
    };
    let right = offset < 0;
    let mut best_offset = curr.offset;
    if best_offset == 0 && neigh.offset == 0 {
        best_offset = offset;
    }
    let best_place = (place as i32 + best_offset).clamp(0, choices.len() as i32 - 1) as usize;
    let body = &world.bodies[vehicle as usize];
    let pos = body.pos;
    let (mut curr_dist, mut neigh_dist) = (curr.length, neigh.length);
    let mut to_stop = f64::NEG_INFINITY;
    let stop_dist = world.minds[vehicle as usize].stop_dist;
    if stop_dist.is_finite()
        && body.stops.front().is_some_and(|stop| net.lane(stop.lane).edge == net.lane(body.lane).edge)
    {
        to_stop = stop_dist;
        let stop_pos = pos + stop_dist - body.speed * dt;
        curr_dist = curr_dist.max(stop_pos);
        neigh_dist = neigh_dist.max(stop_pos);
    }
    let (lca, told) = if right { (RIGHT, WANTED_RIGHT) } else { (LEFT, WANTED_LEFT) };
    let to_best = (right && best_offset < 0) || (!right && best_offset > 0);
    let mut state = world.minds[vehicle as usize].state & TOLD;
    inform::slow_for_blocked(world, columns, place, vehicle);

    let body = &world.bodies[vehicle as usize];
    let mind = &mut world.minds[vehicle as usize];
    if body.speed > mind.look_ahead {
        mind.look_ahead = body.speed;
    } else {
        let memory = 1.0 - (1.0 - LOOK_AHEAD_MEMORY) * dt;
        mind.look_ahead = (memory * mind.look_ahead + (1.0 - memory) * body.speed).max(0.0);
    }
    let mind_cooperative = mind.cooperative;
    let mut look = mind.look_ahead * LOOK_FORWARD_S * mind.strategic * if right { 1.0 } else { LOOK_AHEAD_LEFT };
    look += body.space() * 2.0;
    if let Some(leader) = leader.filter(|l| best_offset == 0 && l.stopped && l.gap < curr_dist - pos) {
        look = 0.5 * (body.space() + leader.length + leader.gap);
    } else if let Some(lead) = lead.filter(|l| best_offset == offset && l.stopped && l.gap < curr_dist - pos) {
        look = body.space() + lead.length + lead.gap;
    }
    let (bonus, neigh_bonus) = roundabout_bonus(world, curr, neigh, mind_cooperative);
    curr_dist += bonus;
    neigh_dist += neigh_bonus;
    let occupation = |p: usize| columns[p].density + next_space(world, &choices[p]);
    let usable = (curr_dist - pos - occupation(best_place)).max(to_stop);
    let jam = occupation((place as i32 + offset) as usize).max(occupation(place));
    let neigh_left = (neigh_dist - pos - jam).max(0.0);
    let v_max = body.wish(net.lane(curr.lane).limit);
    let neigh_v_max = body.wish(net.lane(neigh.lane).limit);
    let overtake = leader.map_or(-1.0, |leader| leader.gap + body.length() + leader.length);

    if to_best && best_offset == curr.offset && disallows(usable, best_offset, look) {
        state |= lca | STRATEGIC | URGENT;
    } else if leader.is_some_and(|leader| leader.stopped && leader.gap < STOPPED_SEEN_M)
        && neigh_dist.min(curr_dist) - pos > overtake
        && lead.is_none_or(|lead| !lead.stopped || lead.gap > overtake)
    {
        curr_dist = pos + leader.map_or(0.0, |leader| leader.gap);
        state |= lca | STRATEGIC | URGENT;
    } else if (!to_best && disallows(neigh_left, best_offset.abs() + 2, look))
        || (best_offset == 0 && neigh_left * 2.0 < look)
        || (best_offset == 0
            && leader.is_none_or(|leader| !leader.stopped)
            && leads_on(world, neigh)
            && neigh_dist < TURN_LANE_M)
    {
        state |= STAY | STRATEGIC;
    }
    if state & STAY != 0 {
        return state;
    }
    if state & URGENT != 0 {
        urgent(
            world,
            columns,
            place,
            vehicle,
            Urgent {
                right,
                to_best,
                best_offset,
                left: curr_dist - pos,
                continues: curr.following.len() > 1,
                told,
                blocked,
            },
            lead,
            follow,
        );
        return state;
    }

    let (body, mind) = (&world.bodies[vehicle as usize], &world.minds[vehicle as usize]);
    let accelerating = lead.is_some_and(|lead| lead.accel > 0.0) || leader.is_some_and(|leader| leader.accel > 0.0);
    let neigh_safe = neigh_v_max.min(anticipate(body, lead, neigh_dist, neigh_v_max, accelerating, dt));
    let this_safe = v_max.min(anticipate(body, leader, curr_dist, v_max, accelerating, dt));
    let (threshold_left, threshold_right) = if mind.speed_gain > 0.0 {
        (THRESHOLD_LEFT / mind.speed_gain, THRESHOLD_RIGHT / mind.speed_gain)
    } else {
        (f64::INFINITY, f64::INFINITY)
    };
    let mood = mind.speed_gain_mood;
    let inconvenience = if right { mood / threshold_right } else { -mood / threshold_left };
    let inconvenience = inconvenience.max(this_safe / neigh_safe.max(SLACK) - 1.0).min(1.0);
    if bonus > 0.0 {
        // Inner lanes of a roundabout are used until its exit is near.
        return state | COOPERATIVE | if right { STAY } else { lca };
    }
    if right && best_offset == 0 && net.lane(curr.lane).limit > HIGHWAY_MPS && mind.look_ahead > HALTING_MPS {
        return state | STAY | STRATEGIC;
    }
    let allows = neigh_dist / f64::from((best_offset.abs() + 1).max(1)) > look;
    if mind.state & BLOCKING_FOLLOWER != 0
        && inconvenience <= mind.cooperative
        && mind.state & told != 0
        && (to_best || allows)
    {
        return state | lca | COOPERATIVE | URGENT;
    }

    let gain = (neigh_safe - this_safe) / neigh_safe.max(GAIN_MIN_MPS);
    let (speed, driver) = (body.speed, body.driver);
    let far = neigh_dist / speed.max(0.1) > 20.0;
    let follows_limit = v_max / net.lane(curr.lane).limit.max(SLACK);
    let mind = &mut world.minds[vehicle as usize];
    if right {
        if this_safe - 5.0 / 3.6 > neigh_safe {
            if mind.speed_gain_mood < 0.0 {
                mind.speed_gain_mood *= 0.5_f64.powf(dt);
            }
        } else {
            if mind.speed_gain_mood < 0.0 || gain > 0.0 {
                mind.speed_gain_mood -= dt * gain;
            }
            let acceptance = 7.0 * follows_limit * speed.max(1.0);
            let mut gap = (neigh_dist - driver.brake_gap(v_max, dt)).max(0.0);
            let mut seconds = acceptance.min(gap / v_max.max(SLACK));
            if let Some(lead) = lead.filter(|lead| lead.speed < v_max) {
                let secure = driver.secure_gap(v_max, lead.speed, lead.decel, dt);
                gap = gap.min(lead.gap - secure).max(0.0);
                seconds = seconds.min(gap / (v_max - lead.speed));
            }
            mind.keep_right_mood -= dt * threshold_right.min(THRESHOLD_RIGHT) * seconds / acceptance / KEEP_RIGHT_S;
            if mind.keep_right_mood * mind.keep_right < -threshold_right.min(THRESHOLD_RIGHT) {
                return state | lca | KEEP_RIGHT;
            }
        }
        if mind.speed_gain_mood < -threshold_right && far {
            return state | lca | SPEED_GAIN;
        }
    } else {
        if this_safe > neigh_safe {
            if mind.speed_gain_mood > 0.0 {
                mind.speed_gain_mood *= 0.5_f64.powf(dt);
            }
        } else if this_safe == neigh_safe {
            if mind.speed_gain_mood > 0.0 {
                mind.speed_gain_mood *= 0.8_f64.powf(dt);
            }
        } else {
            mind.speed_gain_mood += dt * gain;
        }
        if mind.speed_gain_mood > threshold_left && gain > SLACK && far {
            return state | lca | SPEED_GAIN;
        }
    }
    let mood = mind.speed_gain_mood;
    if to_best && best_offset == curr.offset && gain >= 0.0 && (if right { mood < 0.0 } else { mood > 0.0 }) {
        return state | lca | STRATEGIC;
    }
    state
}

/// Each edge of a roundabout ahead makes a lane seem this much longer, metres.
const ROUNDABOUT_BONUS_M: f64 = 100.0;

/// Distances added for a roundabout ahead, on this lane and the one beside.
fn roundabout_bonus(world: &Changing<'_>, curr: &Choice, neigh: &Choice, cooperative: f64) -> (f64, f64) {
    let ahead = |choice: &Choice| {
        let on = |lane: &&u32| world.net.lane(**lane).roundabout;
        choice.following.iter().skip_while(|lane| !on(lane)).take_while(on).count() as f64
    };
    let (here, there) = (ahead(curr), ahead(neigh));
    if here > 1.0 {
        (here * ROUNDABOUT_BONUS_M * cooperative, there * ROUNDABOUT_BONUS_M * cooperative)
    } else {
        (0.0, 0.0)
    }
}

/// A lane goes on somewhere behind what is known of it.
fn leads_on(world: &Changing<'_>, choice: &Choice) -> bool {
    choice.following.last().is_some_and(|lane| !world.net.lane(*lane).links.is_empty())
}

fn anticipate(body: &Body, leader: Option<Near>, dist: f64, v_max: f64, accelerating: bool, dt: f64) -> f64 {
    let driver = &body.driver;
    let speed = match (accelerating, leader) {
        (true, None) => driver.follow_speed(body.speed + driver.accel * (1.0 - dt), dist, 0.0, 0.0, dt),
        (true, Some(leader)) => {
            driver.follow_speed(body.speed + driver.accel * (1.0 - dt), leader.gap, leader.speed, leader.decel, dt)
        }
        (false, None) => driver.safe_dead_end(dist, dt),
        (false, Some(leader)) => driver.safe_follow(leader.gap, leader.speed, leader.decel, dt),
    };
    speed.min(v_max)
}

struct Urgent {
    right: bool,
    to_best: bool,
    best_offset: i32,
    left: f64,
    continues: bool,
    told: u32,
    blocked: u32,
}

/// Prepares a change that cannot wait: room for those who come the other way, and help by leader and follower.
#[allow(clippy::too_many_arguments, reason = "one decision about two lanes")]
fn urgent(
    world: &mut Changing<'_>,
    columns: &[Column],
    place: usize,
    vehicle: u32,
    what: Urgent,
    lead: Option<Near>,
    follow: Option<Near>,
) {
    let mind = &mut world.minds[vehicle as usize];
    mind.left_space = what.left;
    if what.to_best && what.best_offset.abs() > 1 {
        mind.blocker_length = mind.blocker_length.max(if what.right { UNSEEN_RIGHT_M } else { UNSEEN_LEFT_M });
    }
    let counter = if what.right { LEFT } else { RIGHT };
    let first = columns[place].first_blocked;
    let lead_vehicle = lead.map_or(NONE, |lead| lead.vehicle);
    let mut can_reserve = inform::reserve(world, vehicle, lead_vehicle, counter);
    if first != lead_vehicle {
        can_reserve &= inform::reserve(world, vehicle, first, counter);
    }
    let mind = &mut world.minds[vehicle as usize];
    if !can_reserve {
        mind.dont_brake = what.continues;
    }
    let lanes = f64::from(what.best_offset.abs().max(1));
    let remaining = (mind.left_space / mind.look_ahead.max(SLACK) / lanes / URGENCY).max(world.dt);
    if let Some(planned) = inform::leader(world, vehicle, what.blocked, what.told, lead, remaining) {
        inform::follower(world, vehicle, what.blocked, what.told, follow, remaining, planned, what.right);
    }
}
