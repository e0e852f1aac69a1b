//! What detectors in the world itself say: e1 loops, e2 queues, and trips through the junction.

use super::site::{ArmGate, Layout, QueueLane};
use masa_sim::actor::{Actor, ActorId};
use masa_sim::random::Seed;
use masa_sim::roads::{EdgeId, LaneId, Roads};
use masa_sim::sensors::loops::{InductionLoop, Interval, LoopSettings};
use masa_sim::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::sync::Arc;

/// SUMO's e2: slower than this for so long is halting, m/s and seconds; and the furthest from the one ahead, metres.
const HALTING_MPS: f64 = 5.0 / 3.6;
const HALTING_S: f64 = 1.0;
const GAP_M: f64 = 10.0;

/// Sums of an interval of queues: seconds, vehicles, metres, longest metres.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QueueSum {
    pub(crate) samples: f64,
    pub(crate) vehicles: f64,
    pub(crate) length_m: f64,
    pub(crate) longest_m: f64,
}

/// A trip through the junction.
#[derive(Clone, Debug)]
pub(crate) struct TrueTrip {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) at_s: f64,
    pub(crate) travel_s: f64,
    pub(crate) way_m: f64,
}

/// Everything that detectors say.
pub(crate) struct Truth {
    loops: Vec<InductionLoop>,
    /// By loop, the minutes.
    pub(crate) minutes: Vec<Vec<Interval>>,
    queues: Vec<QueueLane>,
    /// By approach, five minutes each.
    pub(crate) queued: Vec<Vec<QueueSum>>,
    halting_since_s: BTreeMap<ActorId, f64>,
    arms: Vec<ArmGate>,
    edge_of: Vec<EdgeId>,
    lane_lengths_m: Vec<f64>,
    before: BTreeMap<ActorId, (EdgeId, f64)>,
    open: BTreeMap<ActorId, (String, f64, f64)>,
    pub(crate) trips: Vec<TrueTrip>,
    time_s: f64,
}

impl Truth {
    pub(crate) fn new(layout: &Layout, roads: &Arc<Roads>, seed: u64) -> Self {
        let settings = |name: &str, lane: LaneId, position_m: f64| LoopSettings {
            name: name.into(),
            lane: roads.lane(lane).name.clone(),
            position_m,
            length_m: 0.0,
            interval_s: 60.0,
            misses: 0.0,
            speed_error: 0.0,
            faults: Vec::new(),
        };
        let loops: Vec<_> = (0..)
            .zip(&layout.loops)
            .filter_map(|(number, gate)| {
                InductionLoop::new(settings(&gate.id, gate.lane, gate.position_m), roads, Seed(seed), number)
            })
            .collect();
        Self {
            minutes: vec![Vec::new(); loops.len()],
            loops,
            queues: layout.queues.clone(),
            queued: vec![Vec::new(); layout.queues.len()],
            halting_since_s: BTreeMap::new(),
            arms: layout.arms.clone(),
            edge_of: roads.lanes.iter().map(|lane| lane.edge).collect(),
            lane_lengths_m: roads.lanes.iter().map(|lane| lane.length_m).collect(),
            before: BTreeMap::new(),
            open: BTreeMap::new(),
            trips: Vec::new(),
            time_s: 0.0,
        }
    }

    /// Takes the next snapshot.
    pub(crate) fn see(&mut self, snapshot: &Snapshot) {
        for (detector, minutes) in self.loops.iter_mut().zip(&mut self.minutes) {
            minutes.extend(detector.measure(snapshot));
        }
        self.queue(snapshot);
        self.travel(snapshot);
        self.time_s = snapshot.time_s;
    }

    fn queue(&mut self, snapshot: &Snapshot) {
        let now_s = snapshot.time_s;
        let mut halting = BTreeMap::new();
        for actor in snapshot.actors.iter().filter(|actor| actor.speed_mps < HALTING_MPS) {
            halting.insert(actor.id, self.halting_since_s.get(&actor.id).copied().unwrap_or(now_s));
        }
        self.halting_since_s = halting;
        // As often as the service looks.
        if now_s.fract().abs() > 1e-6 {
            return;
        }
        let slot = ((now_s - 1e-6) / 300.0) as usize;
        for (queue, queued) in self.queues.iter().zip(&mut self.queued) {
            queued.resize(queued.len().max(slot + 1), QueueSum::default());
            let end_m = self.lane_lengths_m[queue.lane.index()];
            let halts =
                |actor: &&Actor| self.halting_since_s.get(&actor.id).is_some_and(|since| now_s - since >= HALTING_S);
            let mut vehicles: Vec<[f64; 2]> = snapshot
                .actors
                .iter()
                .filter(halts)
                .filter_map(|actor| {
                    let on = actor.on_lane.filter(|on| on.lane == queue.lane)?;
                    let front_m = end_m - on.s_m;
                    (front_m + actor.size.length_m / 2.0 <= queue.length_m)
                        .then_some([front_m, front_m + actor.size.length_m])
                })
                .collect();
            vehicles.sort_by(|a, b| a[0].total_cmp(&b[0]));
            let mut jams: Vec<(f64, f64, f64)> = Vec::new();
            for [front, rear] in vehicles {
                match jams.last_mut() {
                    Some(jam) if front - jam.2 < GAP_M => *jam = (jam.0 + 1.0, jam.1, rear),
                    _ => jams.push((1.0, front, rear)),
                }
            }
            let longest = jams.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a }).unwrap_or_default();
            let sum = &mut queued[slot];
            sum.samples += 1.0;
            sum.vehicles += longest.0;
            sum.length_m += longest.2 - longest.1;
            sum.longest_m = sum.longest_m.max(longest.2 - longest.1);
        }
    }

    fn travel(&mut self, snapshot: &Snapshot) {
        let step_s = snapshot.time_s - self.time_s;
        let mut here = BTreeMap::new();
        for actor in &snapshot.actors {
            let Some(on) = actor.on_lane else { continue };
            let edge = self.edge_of[on.lane.index()];
            let centre_m = on.s_m - actor.size.length_m / 2.0;
            let before = self.before.get(&actor.id).copied();
            here.insert(actor.id, (edge, centre_m));
            if let Some(open) = self.open.get_mut(&actor.id) {
                open.2 += actor.speed_mps * step_s;
            }
            // Behind the junction the centre may still be before the edge's begin when the front is on it.
            let passed = |gate: &&ArmGate| {
                gate.edge == edge
                    && centre_m >= gate.position_m
                    && before.is_some_and(|(edge, before_m)| edge != gate.edge || before_m < gate.position_m)
            };
            let Some(gate) = self.arms.iter().find(passed) else { continue };
            let late_s = ((centre_m - gate.position_m) / actor.speed_mps.max(0.1)).min(step_s);
            let (at_s, beyond_m) = (snapshot.time_s - late_s, actor.speed_mps * late_s);
            if gate.is_inbound {
                self.open.insert(actor.id, (gate.arm.clone(), at_s, beyond_m));
            } else if let Some((from, since_s, way_m)) = self.open.remove(&actor.id) {
                let (travel_s, way_m) = (at_s - since_s, way_m - beyond_m);
                self.trips.push(TrueTrip { from, to: gate.arm.clone(), at_s, travel_s, way_m });
            }
        }
        self.before = here;
    }
}
