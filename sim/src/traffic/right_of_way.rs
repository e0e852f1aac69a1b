//! Who goes first: signals, priority, arrival times, and who is on a junction already.
//!
//! In: the world as planned so far. Out: whether a link is open to a vehicle, and whom it must follow inside. A link that gives
//! way is open if nobody who goes first would be in the junction at the same time; impatient drivers expect those to
//! brake for them (SUMO's model).

use super::driver::{HALTING_MPS, LENGTH_SLACK_M};
use super::net::{Foe, Net, NetLink, Zebra};
use super::plan::View;
use super::vehicle::{Approach, Body};
use crate::roads::{RightOfWay, SignalState};

/// Time that stays free between a vehicle and those it gives way to, seconds.
const LOOK_AHEAD_S: f64 = 1.0;
/// The same where lanes merge like a zip.
const LOOK_AHEAD_ZIPPER_S: f64 = 16.0;

/// What holds at a link now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    Major,
    Minor,
    Stop,
    AllWayStop,
    RightBeforeLeft,
    Zipper,
    DeadEnd,
    Red,
    RedYellow,
    Yellow,
    GreenMajor,
    GreenMinor,
    OffBlinking,
}

impl LinkState {
    pub(crate) const fn of(rule: RightOfWay) -> Self {
        match rule {
            RightOfWay::Major => Self::Major,
            RightOfWay::Minor => Self::Minor,
            RightOfWay::Stop => Self::Stop,
            RightOfWay::AllWayStop => Self::AllWayStop,
            RightOfWay::RightBeforeLeft => Self::RightBeforeLeft,
            RightOfWay::Zipper => Self::Zipper,
            RightOfWay::DeadEnd => Self::DeadEnd,
        }
    }

    pub(crate) const fn is_red(self) -> bool {
        matches!(self, Self::Red | Self::RedYellow)
    }

    pub(crate) const fn is_yellow(self) -> bool {
        matches!(self, Self::Yellow)
    }

    pub(crate) const fn is_green(self) -> bool {
        matches!(self, Self::GreenMajor | Self::GreenMinor)
    }

    pub(crate) const fn has_priority(self) -> bool {
        matches!(self, Self::Major | Self::GreenMajor | Self::Zipper)
    }
}

/// What holds at the start.
pub(crate) fn initial(net: &Net) -> Vec<LinkState> {
    net.links.iter().map(|link| LinkState::of(link.right_of_way)).collect()
}

/// Takes over what signals show.
pub(crate) fn update(net: &Net, signals: &[Vec<SignalState>], states: &mut [LinkState]) {
    for id in &net.signalled {
        let link = net.link(*id);
        let shown = link
            .signal
            .and_then(|(controller, place)| signals.get(controller as usize)?.get(usize::from(place)).copied());
        states[*id as usize] = match shown {
            Some(SignalState::Red) => LinkState::Red,
            Some(SignalState::RedYellow) => LinkState::RedYellow,
            Some(SignalState::Yellow) => LinkState::Yellow,
            Some(SignalState::GreenMajor) => LinkState::GreenMajor,
            Some(SignalState::GreenMinor) => LinkState::GreenMinor,
            Some(SignalState::OffBlinking) => LinkState::OffBlinking,
            Some(SignalState::Off) | None => LinkState::of(link.right_of_way),
        };
    }
}

/// How a vehicle means to pass a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    pub(crate) arrival: f64,
    pub(crate) arrival_speed: f64,
    pub(crate) leave_speed: f64,
    pub(crate) length: f64,
    pub(crate) impatience: f64,
    pub(crate) decel: f64,
    pub(crate) waiting_s: f64,
    pub(crate) ignores_red: bool,
    pub(crate) ego: u32,
}

/// When a vehicle has left a link's way.
pub(crate) fn leaving(link: &NetLink, arrival: f64, arrival_speed: f64, leave_speed: f64, length: f64) -> f64 {
    arrival + (link.length + length) / (0.5 * (arrival_speed + leave_speed)).max(0.001)
}

/// The link of the entry was passed with priority: the way inside need not slow down for visibility.
pub(crate) fn entered_by_priority(view: &View<'_>, id: u32) -> bool {
    let link = view.net.link(id);
    if !link.is_inner() || link.waits_inside {
        return false;
    }
    let entry = view.states[link.entry as usize];
    entry.has_priority() || entry.is_yellow()
}

/// Whether a vehicle may pass a link.
pub(crate) fn is_open(view: &View<'_>, id: u32, passage: &Passage) -> bool {
    let link = view.net.link(id);
    let state = view.states[id as usize];
    if state.is_red() && !passage.ignores_red {
        return false;
    }
    if link.waits_inside {
        return true;
    }
    let entry = view.states[link.entry as usize];
    let inner = link.is_inner();
    if (state.has_priority() || (inner && entry == LinkState::GreenMajor)) && state != LinkState::Zipper {
        return true;
    }
    if matches!(state, LinkState::Stop | LinkState::AllWayStop) && passage.waiting_s == 0.0 {
        return false;
    }
    let from_red = inner && entry.is_red();
    let leaving = leaving(link, passage.arrival, passage.arrival_speed, passage.leave_speed, passage.length);
    !link.yields.iter().any(|foe| is_blocked_by(view, *foe, link.to, leaving, passage, state, from_red))
}

/// Whether somebody on his way to the link `foe` is in the way.
fn is_blocked_by(
    view: &View<'_>,
    foe: u32,
    to: u32,
    leaving: f64,
    passage: &Passage,
    own: LinkState,
    from_red: bool,
) -> bool {
    let same_target = view.net.link(foe).to == to;
    let state = view.states[foe as usize];
    view.approaching[foe as usize].iter().any(|other| {
        other.vehicle != passage.ego
            && (!from_red || other.speed > HALTING_MPS)
            && conflicts(other, state, own, same_target, leaving, passage, view)
    })
}

fn conflicts(
    other: &Approach,
    state: LinkState,
    own: LinkState,
    same_target: bool,
    leaving: f64,
    passage: &Passage,
    view: &View<'_>,
) -> bool {
    if !other.will_pass {
        return false;
    }
    if own == LinkState::AllWayStop && state == LinkState::AllWayStop {
        if passage.waiting_s > other.waiting_s {
            return false;
        }
        if passage.waiting_s == other.waiting_s && passage.arrival < other.arrival {
            return false;
        }
    }
    let (mut arrival, mut braking) = (other.arrival, other.arrival_speed_braking);
    if passage.impatience > 0.0 && passage.arrival < other.arrival {
        let late;
        (late, braking) = arrival_when_braking(other, passage, view);
        arrival = (1.0 - passage.impatience) * other.arrival + passage.impatience * late;
    }
    let look_ahead = if state == LinkState::Zipper { LOOK_AHEAD_ZIPPER_S } else { LOOK_AHEAD_S };
    if other.leaving < passage.arrival {
        // We would follow.
        same_target
            && (passage.arrival - other.leaving < look_ahead
                || unsafe_merge(other.leave_speed, passage.arrival_speed, other.decel, passage.decel))
    } else if arrival > leaving + look_ahead {
        // We would lead.
        same_target && unsafe_merge(passage.leave_speed, braking, passage.decel, other.decel)
    } else {
        true
    }
}

fn unsafe_merge(leader: f64, follower: f64, leader_decel: f64, follower_decel: f64) -> bool {
    // Stopping distances, without the time that the follower needs to react; equal ones are unsafe too.
    leader * leader / leader_decel <= follower * follower / follower_decel
}

/// When and how fast somebody arrives who brakes for us as hard as our impatience expects.
fn arrival_when_braking(other: &Approach, passage: &Passage, view: &View<'_>) -> (f64, f64) {
    let (dt, now) = (view.dt, view.time);
    if (passage.arrival / dt).floor() == (other.arrival / dt).floor() {
        return (other.arrival, other.arrival_speed_braking);
    }
    let m = other.decel * passage.impatience;
    let between = other.arrival - passage.arrival;
    let d = between * m;
    let a = between * d / 2.0;
    let v = other.distance / (other.arrival - now + dt).max(dt);
    let rest = other.distance - v * (passage.arrival - now);
    if 0.5 * v * v / m <= rest {
        return (other.arrival + 30.0, 0.0);
    }
    let root = 4.0 * (v - d) * (v - d) - 8.0 * m * a;
    if root < 0.0 {
        return (other.arrival + 30.0, 0.0);
    }
    let x = (root.sqrt() * -0.5 - d + v) / m;
    (other.arrival + x, v - (between + x) * m)
}

/// Somebody on a lane that our way meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    /// Between us and his rear, with both ways laid on each other at the crossing; −∞: always brake.
    pub(crate) gap: f64,
    /// Up to where we may drive while he clears the crossing.
    pub(crate) to_crossing: Option<f64>,
    pub(crate) in_the_way: bool,
}

/// Looks at a vehicle on a foe's lane; `None` if it need not be minded.
pub(crate) fn link_leader(
    view: &View<'_>,
    ego: &Body,
    link: &NetLink,
    foe: &Foe,
    leader: u32,
    dist: f64,
) -> Option<Met> {
    let (net, other) = (view.net, &view.bodies[leader as usize]);
    let to_crossing = dist - foe.behind;
    if to_crossing + foe.width < 0.0 && !foe.same_target {
        return None;
    }
    let foe_exit = net.link(foe.exit);
    let after_waiting = net.lane(link.from).incoming.first().is_some_and(|before| net.link(*before).is_inner());
    let waits = foe_exit.is_inner() && !(link.is_inner() || after_waiting);
    let back = other.back_on(foe.lane, net);
    let back_dist = foe.foe_to - back;
    let slack = ego.length() + 2.0;
    let sagitta = if link.radius.is_finite() && link.radius > 0.5 * slack {
        link.radius - (link.radius * link.radius - 0.25 * slack * slack).sqrt()
    } else {
        0.0
    };
    let past = back_dist + foe.foe_width + sagitta < 0.0;
    let entered = back_dist < other.length();
    let must_mind = waits || foe.same_target || foe.same_source;
    let in_the_way = ((!past && to_crossing > 0.0) || (foe.same_target && to_crossing > back_dist - other.length()))
        && entered
        && !foe_exit.is_inner();
    if !in_the_way && waits {
        let (own_entry, foe_entry) = (net.link(link.entry), net.link(foe_exit.entry));
        let green = |entry: u32| view.states[entry as usize].is_green();
        if own_entry.from != foe_entry.from && green(link.entry) && green(foe_exit.entry) {
            return None;
        }
    }
    if to_crossing < -LENGTH_SLACK_M && !in_the_way {
        return None;
    }
    if foe.same_source
        && net.lane(ego.lane).edge == net.lane(link.from).edge
        && back + other.length() < ego.pos - ego.length()
    {
        return None;
    }
    let front_there = other.lane == foe.lane;
    if (!must_mind || other.stopped || foe.same_target) && !other.will_pass && front_there && !in_the_way {
        let stops_here = other.stops.front().is_some_and(|stop| net.lane(stop.lane).edge == net.lane(other.lane).edge);
        if !stops_here {
            return None;
        }
    }
    let gap = if waits && !foe.same_source {
        f64::NEG_INFINITY
    } else {
        if past && !foe.same_target {
            return None;
        }
        let mut back_dist = back_dist;
        if foe.same_target && back_dist < 0.0 {
            back_dist += (foe.foe_behind - foe.behind).max(0.0);
        }
        to_crossing - ego.driver.min_gap_m - back_dist - foe.foe_width
    };
    let at_once = if front_there { must_mind } else { foe.same_target || foe.same_source };
    Some(Met { gap, to_crossing: (!at_once).then_some(to_crossing), in_the_way })
}

/// Whether somebody inside the junction goes before us, who want to pass `link`.
pub(crate) fn goes_first(view: &View<'_>, ego: &Body, link: &NetLink, other: &Body) -> bool {
    let net = view.net;
    if !net.lane(other.lane).internal {
        // Only its rear is still inside.
        return true;
    }
    let Some(foe_link) = net.lane(other.lane).incoming.first().copied() else { return true };
    let (entry, foe_entry) = (link.entry, net.link(foe_link).entry);
    if net.link(foe_entry).junction != link.junction {
        return true;
    }
    let (own, foe) = (view.states[entry as usize], view.states[foe_entry as usize]);
    let (yields, foe_yields) = if own.is_red() != foe.is_red() {
        // Who is stuck behind a red light may leave.
        (foe.is_red(), own.is_red())
    } else if own.has_priority() != foe.has_priority() {
        (!own.has_priority(), !foe.has_priority())
    } else if own.is_yellow() && foe.is_yellow() {
        (other.speed >= ego.speed, ego.speed >= other.speed)
    } else {
        (net.link(entry).yields.contains(&foe_entry), net.link(foe_entry).yields.contains(&entry))
    };
    let (mine, his) = match (yields, foe_yields) {
        (false, _) => (ego.entered, other.entered_conflict),
        (true, true) => (ego.entered_conflict, other.entered_conflict),
        (true, false) => (ego.entered_conflict, other.entered),
    };
    if mine == his {
        if ego.speed == other.speed { ego.serial < other.serial } else { ego.speed < other.speed }
    } else {
        mine > his
    }
}

/// Whether all who wait at a junction of equals wait for each other.
pub(crate) fn yields_in_a_circle(view: &View<'_>, start: u32) -> bool {
    let mut at = start;
    for _ in 0..100 {
        let mut nearest: Option<(f64, u32)> = None;
        for foe in &view.net.link(at).yields {
            for other in &view.approaching[*foe as usize] {
                if view.net.link(*foe).from == view.net.link(start).from {
                    return true;
                }
                if other.will_pass && nearest.is_none_or(|(dist, _)| other.distance < dist) {
                    nearest = Some((other.distance, *foe));
                }
            }
        }
        match nearest {
            None => return false,
            Some((_, foe)) if foe == start => return true,
            Some((_, foe)) => at = foe,
        }
    }
    false
}

/// Whether people on a crossing are, or soon will be, where our way passes.
pub(crate) fn walkers_near(view: &View<'_>, zebra: &Zebra, ego: &Body) -> bool {
    let half = 0.5 * view.net.lane(ego.lane).width.max(2.0) + 1.0;
    view.walkers[zebra.lane as usize].iter().any(|at| (at - zebra.at).abs() < half)
}
