//! Changing lanes: for the route, for others, for speed, and to keep to the outer lane.
//!
//! In: an edge's lanes after the vehicles moved. Out: vehicles on other lanes, and advice to those who should make room. The wishes
//! and their moods follow LC2013 (Erdmann 2014), of which MOBIL's gain over politeness is the speed part. A change is at once;
//! the way across is shown over [`ACROSS_S`] in the pose. Absent: changes inside junctions, the oncoming lane.

mod edge;
mod inform;
mod wish;

pub(crate) use edge::{Changing, change_edge};

use super::vehicle::{Body, Mind};

/// How long a change of lanes is shown, seconds.
pub const ACROSS_S: f64 = 3.0;

pub(crate) const STAY: u32 = 1;
pub(crate) const LEFT: u32 = 1 << 1;
pub(crate) const RIGHT: u32 = 1 << 2;
pub(crate) const STRATEGIC: u32 = 1 << 3;
pub(crate) const COOPERATIVE: u32 = 1 << 4;
pub(crate) const SPEED_GAIN: u32 = 1 << 5;
pub(crate) const KEEP_RIGHT: u32 = 1 << 6;
pub(crate) const URGENT: u32 = 1 << 8;
pub(crate) const BLOCKED_BY_LEADER: u32 = 1 << 9;
pub(crate) const BLOCKED_BY_FOLLOWER: u32 = 1 << 10;
pub(crate) const BLOCKED: u32 = BLOCKED_BY_LEADER | BLOCKED_BY_FOLLOWER;
pub(crate) const BLOCKING_LEADER: u32 = 1 << 16;
pub(crate) const BLOCKING_FOLLOWER: u32 = 1 << 17;
pub(crate) const WANTED_LEFT: u32 = 1 << 20;
pub(crate) const WANTED_RIGHT: u32 = 1 << 21;
pub(crate) const WANTS: u32 = LEFT | RIGHT;
/// What others told stays for the step.
pub(crate) const TOLD: u32 = 0xffff_0000;

/// Forgets what held for the step before.
pub(crate) fn begin_step(mind: &mut Mind) {
    mind.state = if mind.state & STRATEGIC != 0 { mind.state & WANTS } else { 0 };
    mind.blocker_length = 0.0;
    mind.left_space = 0.0;
    mind.advice.clear();
    mind.dont_brake = false;
}

/// What is forgotten once lanes were changed.
pub(crate) fn changed(mind: &mut Mind, on_best: bool) {
    mind.state = 0;
    mind.speed_gain_mood = 0.0;
    mind.keep_right_mood = 0.0;
    if on_best {
        mind.blocker_length = 0.0;
        mind.left_space = 0.0;
    }
    mind.look_ahead = 0.0;
    mind.advice.clear();
    mind.dont_brake = false;
}

/// Adapts a speed to what lane changes ask for.
pub(crate) fn patch_speed(body: &Body, mind: &Mind, mut least: f64, wanted: f64, mut most: f64, dt: f64) -> f64 {
    let driver = &body.driver;
    let (mut speed, mut got) = (wanted, false);
    if mind.blocker_length != 0.0 {
        let space = mind.left_space - mind.blocker_length - 1.0 - driver.min_gap_m;
        if space > 0.0 {
            let emergency = driver.min_next_emergency(body.speed, dt);
            let safe = driver.stop_speed(body.speed, space, dt);
            most = most.min(safe.max(emergency));
            if safe < wanted {
                if safe < least && safe >= emergency {
                    least = emergency.max(safe);
                }
                speed = least.max(safe);
                got = true;
            }
        }
    }
    let weight = mind.cooperative.clamp(0.0, 1.0);
    for accel in &mind.advice {
        let v = body.speed + accel * dt;
        if v >= least && v <= most {
            speed = speed.min(v * weight + (1.0 - weight) * wanted);
            got = true;
        }
    }
    if got && !mind.dont_brake {
        return speed;
    }
    let state = mind.state;
    if state & WANTS != 0 && state & BLOCKED != 0 {
        if state & STRATEGIC != 0 {
            return (most + wanted) / 2.0;
        }
        if state & COOPERATIVE != 0 {
            if state & BLOCKED_BY_LEADER != 0 {
                return (least.max(0.0) + wanted) / 2.0;
            }
            if state & BLOCKED_BY_FOLLOWER != 0 {
                return (most + wanted) / 2.0;
            }
        }
    }
    if state & BLOCKING_LEADER != 0 {
        return (most + wanted) / 2.0;
    }
    wanted
}
