//! Who passes a line, when, which way and how fast; and how long it is occupied.
//!
//! In: steps. Out: passages, and spans of time in which somebody was over the line. As with induction loops (SUMO's e1),
//! a road user is over the line from when its front reaches it until its rear leaves it, and passes when its rear does;
//! its speed is its way by its time over the line. Who turns round on the line does not pass. Front and rear are half a
//! length before and behind the centre, across the line.

use super::settings::GateSettings;
use crate::services::class::RoadUserClass;
use crate::services::road_users::{RoadUserId, Step};
use crate::services::shape::between;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Shortest time over a line that a speed is made of, seconds.
const MIN_OVER_S: f64 = 0.01;

/// Which way somebody passes a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From left to right of who looks along the line.
    Forward,
    /// Against it.
    Backward,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Forward, Self::Backward];

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

/// Somebody passed a gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passage {
    /// Who.
    pub id: RoadUserId,
    /// What.
    pub class: RoadUserClass,
    /// Which way.
    pub direction: Direction,
    /// When its centre did.
    pub crossed_at: Timestamp,
    /// When its rear did.
    pub at: Timestamp,
    /// Its mean speed over the line, m/s.
    pub speed_mps: f64,
}

/// Somebody is over the line.
#[derive(Clone, Copy, Debug)]
struct Over {
    class: RoadUserClass,
    /// How far beyond the line its centre was when this began, metres; negative: before it.
    began_m: f64,
    /// The same, as last seen, and when.
    last: (f64, Timestamp),
    over_s: f64,
    /// When its centre crossed the line between its ends.
    crossed_at: Option<Timestamp>,
}

impl Over {
    /// The passage when somebody is `beyond_m` beyond the line and over it no more.
    fn passage(&self, id: RoadUserId, beyond_m: f64, at: Timestamp) -> Option<Passage> {
        let crossed_at = self.crossed_at.filter(|_| (beyond_m > 0.0) != (self.began_m > 0.0))?;
        let direction = if beyond_m > 0.0 { Direction::Forward } else { Direction::Backward };
        let speed_mps = (beyond_m - self.began_m).abs() / self.over_s.max(MIN_OVER_S);
        Some(Passage { id, class: self.class, direction, crossed_at, at, speed_mps })
    }
}

/// A gate in use.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) settings: GateSettings,
    over: BTreeMap<RoadUserId, Over>,
}

/// What a step was at a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct AtGate {
    /// From when until when somebody was over the line.
    pub(crate) occupied: Option<(Timestamp, Timestamp)>,
    pub(crate) passage: Option<Passage>,
}

impl Gate {
    pub(crate) fn new(settings: GateSettings) -> Self {
        Self { settings, over: BTreeMap::new() }
    }

    /// Takes a step.
    pub(crate) fn take(&mut self, step: &Step) -> AtGate {
        let half_m = step.length_m / 2.0;
        let [from, to] = [step.from.1, step.to.1].map(|place| self.settings.line_m.offset_m(place));
        let span_s = step.to.0.seconds_since(step.from.0);
        let time = |u: f64| step.from.0.plus_ns((u * span_s * 1e9) as i64);
        let line = self.settings.line_m;
        let within = |along_m: f64| (0.0..=line.length_m()).contains(&along_m);
        let mut at_gate = AtGate::default();
        let Some([u0, u1]) = clip(from[0], to[0], half_m) else {
            // It had just reached the end, or another station sees it a little further on.
            at_gate.passage = self
                .over
                .remove(&step.id)
                .and_then(|over| over.passage(step.id, to[0].clamp(-half_m, half_m), step.to.0));
            return at_gate;
        };
        let middle = between(from, to, (u0 + u1) / 2.0);
        if within(middle[1]) {
            at_gate.occupied = Some((time(u0), time(u1)));
        }
        let began_m = between(from, to, u0)[0];
        let over = self.over.entry(step.id).or_insert(Over {
            class: step.class,
            began_m,
            last: (began_m, time(u0)),
            over_s: 0.0,
            crossed_at: None,
        });
        over.class = step.class;
        over.over_s += (u1 - u0) * span_s;
        over.last = (between(from, to, u1)[0], time(u1));
        if (from[0] > 0.0) != (to[0] > 0.0) {
            let u = from[0] / (from[0] - to[0]);
            over.crossed_at = within(between(from, to, u)[1]).then(|| time(u)).or(over.crossed_at);
        }
        if to[0].abs() > half_m {
            at_gate.passage = over.passage(step.id, over.last.0, time(u1));
            self.over.remove(&step.id);
        }
        at_gate
    }

    /// Somebody has gone: who was lost beyond the line has passed.
    pub(crate) fn lose(&mut self, id: RoadUserId) -> Option<Passage> {
        let over = self.over.remove(&id)?;
        over.passage(id, over.last.0, over.last.1)
    }
}

/// The part of a movement from `from` to `to` that lies within `half` of zero, as shares of it.
fn clip(from: f64, to: f64, half: f64) -> Option<[f64; 2]> {
    let way = to - from;
    if way.abs() < 1e-9 {
        return (from.abs() <= half).then_some([0.0, 1.0]);
    }
    let [a, b] = [(-half - from) / way, (half - from) / way];
    let (enters, leaves) = (a.min(b).max(0.0), a.max(b).min(1.0));
    (enters < leaves).then_some([enters, leaves])
}
