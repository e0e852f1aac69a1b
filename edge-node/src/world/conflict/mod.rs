//! Who is about to meet whom, and how closely.
//!
//! In: two [`Forecast`]s. Out: the [`Encounter`] of the two bodies: time to collision (TTC; Hayward 1972), post-encroachment
//! time (PET; Allen et al. 1978) and the deceleration rate to avoid a crash (DRAC; Cooper and Ferguson 1976). [`ConflictWatch`]
//! makes conflicts with a beginning and an end of the encounters of all road users.
//!
//! Invariants: pure; bodies are rectangles; the measures do not depend on the order of the two. Deliberately absent:
//! how probable a crash is, and what it would do.

mod footprint;
mod watch;

pub use footprint::Footprint;
pub use watch::{Conflict, ConflictSettings, ConflictState, ConflictWatch};

use super::prediction::{Forecast, STEP_S, wrapped};
use masa_v2x_proto::geo::Enu;

/// Bodies that meet at less than this angle follow each other or merge, radians.
const FOLLOWING_RAD: f64 = 0.6;
/// Bodies that meet at more than this angle come head on, radians.
const HEAD_ON_RAD: f64 = 2.5;
/// Halvings with which the instant of contact is found between two states.
const HALVINGS: u32 = 8;

/// How two paths come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncounterKind {
    /// One behind the other, or merging into one lane.
    Following,
    /// Across each other.
    Crossing,
    /// Towards each other.
    HeadOn,
}

/// How two forecasts come together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encounter {
    /// How the paths come together.
    pub kind: EncounterKind,
    /// Where the bodies first touch or, when they do not, where the later one passes soonest after the earlier.
    pub place: Enu,
    /// Time to collision, seconds; `None` when the bodies do not touch within the horizon.
    pub ttc_s: Option<f64>,
    /// Time between the one leaving a place and the other coming to it, seconds: zero when they touch there; `None` for
    /// bodies that follow each other.
    pub pet_s: Option<f64>,
    /// Least constant deceleration of one of them that avoids the contact, m/s²; `None` without contact.
    pub drac_mps2: Option<f64>,
}

/// The encounter of two forecasts; `None` when the paths have no place in common within the horizon.
pub fn encounter(a: &Forecast, b: &Forecast) -> Option<Encounter> {
    if !may_meet(a, b) {
        return None;
    }
    let passage = passage(a, b)?;
    let touch = contact(a, b);
    let at = touch.unwrap_or(passage.nearest);
    let (one, other) = (&a.states[at.0], &b.states[at.1]);
    let angle = wrapped(one.yaw_rad - other.yaw_rad).abs();
    let kind = match angle {
        small if small < FOLLOWING_RAD => EncounterKind::Following,
        large if large > HEAD_ON_RAD => EncounterKind::HeadOn,
        _ => EncounterKind::Crossing,
    };
    let ttc_s = touch.map(|(index, _)| exact_contact_s(a, b, index));
    let middle = |x: f64, y: f64| 0.5 * (x + y);
    Some(Encounter {
        kind,
        place: Enu::ground(middle(one.position.e_m, other.position.e_m), middle(one.position.n_m, other.position.n_m)),
        ttc_s,
        pet_s: (kind == EncounterKind::Crossing).then_some(passage.apart as f64 * STEP_S),
        drac_mps2: ttc_s.and_then(|ttc_s| match kind {
            EncounterKind::Crossing => crossing_drac_mps2(a, b, &passage),
            EncounterKind::Following | EncounterKind::HeadOn => closing_drac_mps2(a, b, at.0, ttc_s),
        }),
    })
}

/// Post-encroachment time of two sequences of footprints, each with the time in seconds of its beginning and of a step:
/// what in fact happened, of recorded paths. `None` when they have no place in common.
pub fn encroachment_s(a: &[(f64, Footprint)], b: &[(f64, Footprint)]) -> Option<f64> {
    let mut least: Option<f64> = None;
    for (t, one) in a {
        for (u, other) in b {
            let apart = (t - u).abs();
            if least.is_none_or(|least| apart < least) && one.touches(other) {
                least = Some(apart);
            }
        }
    }
    least
}

/// Whether the regions in which the two move have anything in common: cheap, and no for most pairs.
fn may_meet(a: &Forecast, b: &Forecast) -> bool {
    let ([aw, a_s, ae, an], [bw, bs, be, bn]) = (a.region_m, b.region_m);
    aw <= be && bw <= ae && a_s <= bn && bs <= an
}

/// Whether two forecasts may come to one place within `apart_s` of each other, both before `horizon_s`: looks at every
/// fifth state only and errs towards yes.
fn may_come_close(a: &Forecast, b: &Forecast, apart_s: f64, horizon_s: f64) -> bool {
    const STRIDE: usize = 5;
    let steps = |time_s: f64| (time_s / STEP_S).ceil() as usize + STRIDE;
    let (end, band) = (steps(horizon_s).min(a.states.len()), steps(apart_s));
    let bodies_m = 0.5 * (a.length_m.hypot(a.width_m) + b.length_m.hypot(b.width_m));
    let between_m = 0.5 * STRIDE as f64 * STEP_S * (a.states[0].speed_mps + b.states[0].speed_mps);
    may_meet(a, b)
        && (0..end).step_by(STRIDE).any(|i| {
            let js = (0..end).step_by(STRIDE).filter(|j| i.abs_diff(*j) <= band);
            let place = a.states[i].position;
            js.map(|j| b.states[j].position).any(|other| place.ground_distance_m(&other) <= bodies_m + between_m)
        })
}

/// The parts of two paths that have places in common, as indices of states.
struct Passage {
    /// The pair of states at one place that are the least apart in time.
    nearest: (usize, usize),
    /// Steps between them.
    apart: usize,
    /// First and last state of each path that is at a place of the other.
    first: (usize, usize),
    last: (usize, usize),
}

fn passage(a: &Forecast, b: &Forecast) -> Option<Passage> {
    let mut found: Option<Passage> = None;
    for i in 0..a.states.len() {
        let one = Footprint::of(a, i);
        for j in 0..b.states.len() {
            if !one.touches(&Footprint::of(b, j)) {
                continue;
            }
            let apart = i.abs_diff(j);
            let p = found.get_or_insert(Passage { nearest: (i, j), apart, first: (i, j), last: (i, j) });
            if apart < p.apart {
                (p.nearest, p.apart) = ((i, j), apart);
            }
            p.first = (p.first.0.min(i), p.first.1.min(j));
            p.last = (p.last.0.max(i), p.last.1.max(j));
        }
    }
    found
}

/// The first states at which the bodies touch.
fn contact(a: &Forecast, b: &Forecast) -> Option<(usize, usize)> {
    (0..a.states.len()).find(|i| Footprint::of(a, *i).touches(&Footprint::of(b, *i))).map(|i| (i, i))
}

/// The instant of contact between the states before and at `index`, seconds.
fn exact_contact_s(a: &Forecast, b: &Forecast, index: usize) -> f64 {
    if index == 0 {
        return 0.0;
    }
    let (mut apart, mut touching) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let share = 0.5 * (apart + touching);
        let between = |f| Footprint::between(f, index - 1, share);
        if between(a).touches(&between(b)) { touching = share } else { apart = share }
    }
    (index as f64 - 1.0 + touching) * STEP_S
}

/// Deceleration to the speed of the one in front, or to a stand before one that comes head on, over the gap that closes
/// in `ttc_s`.
fn closing_drac_mps2(a: &Forecast, b: &Forecast, index: usize, ttc_s: f64) -> Option<f64> {
    let (one, other) = (&a.states[index], &b.states[index]);
    let along = wrapped(one.yaw_rad - other.yaw_rad).cos();
    let closing_mps = (one.speed_mps - along * other.speed_mps).abs();
    (ttc_s > 0.0).then(|| closing_mps / (2.0 * ttc_s))
}

/// The lesser of the decelerations with which one comes to the common place only when the other has left it.
fn crossing_drac_mps2(a: &Forecast, b: &Forecast, p: &Passage) -> Option<f64> {
    let yielding = |f: &Forecast, first: usize, others_last: usize| {
        let (way_m, exit_s) = (f.states[first].travelled_m, (others_last + 1) as f64 * STEP_S);
        let speed_mps = f.states[0].speed_mps;
        // Who already is at the place cannot yield it.
        (first > 0 && way_m > 0.0).then(|| {
            if way_m < 0.5 * speed_mps * exit_s {
                speed_mps * speed_mps / (2.0 * way_m)
            } else {
                2.0 * (speed_mps - way_m / exit_s) / exit_s
            }
        })
    };
    // One that is still at the place at the end of the horizon is not seen to leave it.
    let end = a.states.len() - 1;
    let by = |f, first, last| if last < end { yielding(f, first, last) } else { None };
    [by(a, p.first.0, p.last.1), by(b, p.first.1, p.last.0)].into_iter().flatten().reduce(f64::min)
}

#[cfg(test)]
mod tests;
