//! Deciding: which of the planned speeds a vehicle drives in this step.
//!
//! In: items, and who approaches which link. Out: the speed of the step. Then drivers dawdle, stand at stops, and adapt to what
//! lane changes ask for. Like planning, it reads one world and writes one mind, so the order is free.

use super::clear::passage;
use super::driver::{CarFollowing, Driver, HALTING_MPS, LENGTH_SLACK_M, SLACK, brake_gap};
use super::lane_change;
use super::net::NONE;
use super::plan::View;
use super::right_of_way::{self, LinkState};
use super::vehicle::{Body, Mind};
use rand::RngExt;

/// What was decided.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Decision {
    pub(crate) speed: f64,
    pub(crate) must_wait: bool,
    /// It gives its turn on the junction away.
    pub(crate) gives_turn: bool,
}

/// Decides the speed of a vehicle.
pub(crate) fn decide(view: View<'_>, ego: u32, mind: &mut Mind) -> Decision {
    let body = &view.bodies[ego as usize];
    let mut decision = Decision { speed: f64::INFINITY, must_wait: false, gives_turn: false };
    let safe = through_links(&view, ego, body, mind, &mut decision);
    let standing = body.stopped && !resumes(body, view.time);
    decision.speed = finish(&view, body, mind, safe, standing);
    if let Some(brake) = mind.brake {
        decision.speed = decision.speed.min((body.speed - brake * view.dt).max(0.0));
    }
    decision
}

/// Whether a vehicle leaves its stop in this step.
pub(crate) fn resumes(body: &Body, time: f64) -> bool {
    // Out of a bay it comes by a manoeuvre of its own.
    body.stops.front().is_none_or(|stop| stop.bay.is_none() && stop.duration < SLACK && stop.until <= time)
}

struct Safe {
    speed: f64,
    least: f64,
}

fn through_links(view: &View<'_>, ego: u32, body: &Body, mind: &mut Mind, decision: &mut Decision) -> Safe {
    let (driver, dt, net) = (&body.driver, view.dt, view.net);
    let mut safe = Safe { speed: f64::INFINITY, least: f64::NEG_INFINITY };
    let (mut least_dist, mut can_brake_least) = (0.0, false);
    let mut zipper = f64::INFINITY;
    mind.passing_minor = false;
    for place in 0..mind.items.len() {
        let item = mind.items[place];
        if item.link == NONE || !item.request {
            if item.link != NONE && net.link(item.link).from_inside && net.lane(body.lane).internal {
                decision.gives_turn = true;
            }
            safe.speed = item.wait;
            decision.must_wait = safe.speed < body.speed || safe.speed < HALTING_MPS;
            break;
        }
        let link = net.link(item.link);
        let state = view.states[item.link as usize];
        let can_brake = item.distance > brake_gap(body.speed, driver.decel, 0.0, dt) || body.speed < driver.decel * dt;
        let ignores_red = body.ignores_red || body.beacon;
        // Who runs a red light has not seen it, nor those who have green; a beacon asks for way and waits for it.
        let runs_red = body.ignores_red && state.is_red();
        if state.is_yellow() && can_brake && !ignores_red {
            safe.speed = item.wait;
            decision.must_wait = true;
            break;
        }
        let mut asked = passage(body, ego, &item, if can_brake { mind.impatience } else { 1.0 });
        asked.ignores_red = ignores_red;
        let open = state.is_yellow() || runs_red || right_of_way::is_open(view, item.link, &asked);
        if open
            && !state.has_priority()
            && !right_of_way::entered_by_priority(view, item.link)
            && !link.waits_inside
            && (!ignores_red || !state.is_red())
        {
            if item.distance > link.visibility && (can_brake || !state.is_yellow()) {
                safe.speed = item.wait;
                decision.must_wait = true;
                break;
            }
            // Too late to stop: fast enough to get across.
            least_dist = item.distance;
            safe.least = ((least_dist + LENGTH_SLACK_M) / dt).min(item.pass).min(driver.max_next(body.speed, dt));
            can_brake_least = can_brake;
            mind.passing_minor = true;
        }
        if open {
            safe.speed = item.pass;
            if safe.speed < driver.decel && safe.speed <= item.wait && safe.speed < driver.max_next(body.speed, dt) {
                decision.must_wait = true;
            }
        } else if state == LinkState::Zipper {
            // Merge behind whoever comes first: as fast as following allows, no faster than stopping would.
            zipper = zipper.min(item.pass.min(item.wait.max(body.speed - dt * driver.decel * 0.5)));
        } else if !can_brake
            && link.signal.is_none()
            && item.distance < brake_gap(body.speed, driver.emergency_decel, 0.0, dt)
        {
            safe.speed = item.pass;
        } else {
            safe.speed = item.wait;
            decision.must_wait = true;
            break;
        }
    }
    if safe.speed + SLACK < safe.least {
        if can_brake_least && safe.speed < body.speed {
            let stop = driver.stop_speed(body.speed, least_dist, dt).max(driver.min_next(body.speed, dt));
            safe.speed = safe.speed.min(stop);
            safe.least = 0.0;
            decision.must_wait = true;
        } else {
            safe.least = safe.speed;
        }
    }
    // Who is in a roundabout keeps its turn.
    decision.must_wait &= !net.lane(body.lane).roundabout;
    safe.speed = safe.speed.min(zipper);
    safe
}

/// Bounds by what the vehicle can do, then dawdling and lane changing.
fn finish(view: &View<'_>, body: &Body, mind: &mut Mind, safe: Safe, standing: bool) -> f64 {
    let (driver, dt, old) = (&body.driver, view.dt, body.speed);
    let stop = if standing { 0.0 } else { safe.speed };
    let least = driver.min_next(old, dt).min(safe.speed.max(driver.min_next_emergency(old, dt)));
    let limit = view.limit(body.lane, body).max(safe.speed.min(f64::MAX));
    let most = limit.min(driver.max_next(old, dt)).min(stop).max(least);
    let wanted = dawdle(driver, mind, least, most, dt);
    let mut next = lane_change::patch_speed(body, mind, least, wanted, most, dt);
    if next > 0.0 {
        next = next.max(safe.least);
    }
    if next.abs() < SLACK * dt && mind.stop_dist > LENGTH_SLACK_M {
        next = 0.0;
    }
    if standing { 0.0 } else { next.max(0.0) }
}

fn dawdle(driver: &Driver, mind: &mut Mind, least: f64, speed: f64, dt: f64) -> f64 {
    let CarFollowing::Krauss { sigma, .. } = driver.following else { return speed };
    if sigma <= 0.0 {
        return speed.max(least);
    }
    let random: f64 = mind.random.random();
    // Who starts dawdles less.
    let by = if speed < driver.accel { speed } else { driver.accel };
    (speed - sigma * by * random * dt).max(0.0).max(least)
}
