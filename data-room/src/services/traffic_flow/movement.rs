//! From which arm to which arm road users go, how long it takes them and how long they are delayed.
//!
//! In: passages at gates of arms, and steps in between. Out: a [`Trip`] when somebody leaves by an arm. The control delay
//! is travel time less the time that the same way takes at free-flow speed (HCM 6th edition, chapter 31, travel-time
//! method), from gate to gate: gates must lie upstream of the queue. The slowing for the turn itself is part of it.
//! Invariants: at most one open trip a road user; it ends with it.

use super::gate::{Direction, Passage};
use crate::services::road_users::{RoadUserId, Step};
use crate::services::shape::{Place, distance_m};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// A way is measured in strides of this length, metres: places of one that stands tremble, and that is no way.
const STRIDE_M: f64 = 2.0;

/// Somebody crossed the junction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trip {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) travel_s: f64,
    pub(crate) way_m: f64,
}

impl Trip {
    /// Time lost against free traffic, seconds.
    pub(crate) fn delay_s(&self, free_flow_mps: f64) -> f64 {
        (self.travel_s - self.way_m / free_flow_mps).max(0.0)
    }
}

#[derive(Clone, Debug)]
struct Open {
    from: String,
    since: Timestamp,
    /// Length of the way until `stride`, metres.
    way_m: f64,
    /// Where the last stride ended, and where it is.
    stride: Option<[Place; 2]>,
}

/// Trips under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trips {
    open: BTreeMap<RoadUserId, Open>,
}

impl Trips {
    /// Somebody goes on.
    pub(crate) fn follow(&mut self, step: &Step) {
        if let Some(open) = self.open.get_mut(&step.id) {
            let [begin, _] = open.stride.unwrap_or([step.from.1; 2]);
            let gone_m = distance_m(begin, step.to.1);
            let begin = if gone_m >= STRIDE_M { step.to.1 } else { begin };
            open.way_m += if gone_m >= STRIDE_M { gone_m } else { 0.0 };
            open.stride = Some([begin, step.to.1]);
        }
    }

    /// Somebody has passed the gate of an arm; its steps until `now` are known.
    pub(crate) fn pass(&mut self, arm: &str, passage: &Passage, now: Timestamp, longest_s: f64) -> Option<Trip> {
        let at = passage.crossed_at;
        // Trips begin and end where the centre crosses, which was a little before.
        let beyond_m = passage.speed_mps * now.seconds_since(at);
        if passage.direction == Direction::Forward {
            self.open.insert(passage.id, Open { from: arm.to_owned(), since: at, way_m: beyond_m, stride: None });
            return None;
        }
        let open = self.open.remove(&passage.id)?;
        let travel_s = at.seconds_since(open.since);
        (travel_s > 0.0 && travel_s <= longest_s).then(|| Trip {
            from: open.from,
            to: arm.to_owned(),
            travel_s,
            way_m: (open.way_m + open.stride.map_or(0.0, |[from, to]| distance_m(from, to)) - beyond_m).max(0.0),
        })
    }

    pub(crate) fn lose(&mut self, id: RoadUserId) {
        self.open.remove(&id);
    }
}
