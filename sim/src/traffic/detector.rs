//! Induction loops (SUMO: e1): who passes a place on a lane, counted by interval.

use super::demand::DetectorSpec;
use super::step::Traffic;

/// What a loop counted in an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorRecord {
    /// Place of the loop in the list that was set.
    pub detector: usize,
    /// Start of the interval, seconds.
    pub begin_s: f64,
    /// End of the interval, seconds.
    pub end_s: f64,
    /// Vehicles that passed completely.
    pub passed: u32,
    /// Vehicles whose front came over it.
    pub entered: u32,
    /// Share of time that something was over it, 0 to 1.
    pub occupancy: f64,
    /// Mean speed of those that passed, metres a second.
    pub mean_speed_mps: Option<f64>,
    /// Harmonic mean of the speeds, metres a second.
    pub harmonic_speed_mps: Option<f64>,
    /// Mean length, metres.
    pub mean_length_m: Option<f64>,
}

/// Loops and what they have counted.
#[derive(Debug, Default)]
pub struct Detectors {
    /// Whether there is a loop on a lane.
    lanes: Vec<bool>,
    specs: Vec<DetectorSpec>,
    running: Vec<Running>,
    records: Vec<DetectorRecord>,
}

#[derive(Debug, Default)]
struct Running {
    begin: f64,
    /// Vehicle, its number, time since when it is over the loop.
    over: Vec<(u32, u32, f64)>,
    entered: u32,
    speeds: Vec<f64>,
    lengths: f64,
    occupied_s: f64,
}

impl Detectors {
    pub(crate) fn on(&self, lane: u32) -> bool {
        self.lanes.get(lane as usize).copied().unwrap_or(false)
    }
}

impl Traffic {
    /// Counts at these loops from now on.
    pub fn set_detectors(&mut self, specs: Vec<DetectorSpec>) {
        let running = specs.iter().map(|_| Running { begin: self.time, ..Running::default() }).collect();
        let mut lanes = vec![false; self.net.lanes.len()];
        for spec in &specs {
            lanes[spec.lane.index()] = true;
        }
        self.detectors = Detectors { lanes, specs, running, records: Vec::new() };
    }

    /// What was counted in intervals that ended since the last call, in order of time, then of loops.
    pub fn take_detector_records(&mut self) -> Vec<DetectorRecord> {
        std::mem::take(&mut self.detectors.records)
    }

    /// Ends the running intervals now.
    pub fn finish_detectors(&mut self) {
        for place in 0..self.detectors.specs.len() {
            if self.time + self.dt > self.detectors.running[place].begin {
                self.end_interval(place, self.time + self.dt);
            }
        }
    }

    /// Notes that a front moved along a lane; `from` is −∞ if it came onto the lane in this step.
    pub(crate) fn note_passage(&mut self, vehicle: u32, lane: u32, from: f64, to: f64) {
        for (place, spec) in self.detectors.specs.iter().enumerate() {
            let at = spec.position_m;
            if spec.lane.0 != lane || from >= at || to < at {
                continue;
            }
            let body = &self.bodies[vehicle as usize];
            let running = &mut self.detectors.running[place];
            running.entered += 1;
            let since = self.time + (self.dt - (to - at) / body.speed.max(0.1)).clamp(0.0, self.dt);
            running.over.push((vehicle, body.serial, since));
        }
    }

    /// Ends intervals that are over.
    pub(crate) fn begin_count(&mut self) {
        for place in 0..self.detectors.specs.len() {
            let due = self.detectors.running[place].begin + self.detectors.specs[place].period_s;
            if self.time >= due - 1e-9 {
                self.end_interval(place, self.time);
            }
        }
    }

    /// Counts who left a loop in this step.
    pub(crate) fn count(&mut self) {
        let end = self.time + self.dt;
        for (spec, running) in self.detectors.specs.iter().zip(&mut self.detectors.running) {
            let (lane, at) = (spec.lane.0, spec.position_m);
            let Running { over, occupied_s, speeds, lengths, .. } = running;
            over.retain(|(vehicle, serial, since)| {
                let body = &self.bodies[*vehicle as usize];
                let here = body.alive && body.serial == *serial && !body.away;
                let on_lane = here && (body.lane == lane || body.further.contains(&lane));
                if on_lane && body.back_on(lane, &self.net) <= at {
                    return true;
                }
                *occupied_s += end - since;
                // Who changed to the lane beside has not passed.
                if here && (on_lane || self.net.lane(body.lane).edge != self.net.lane(lane).edge) && body.speed > 0.0 {
                    speeds.push(body.speed);
                    *lengths += body.length();
                }
                false
            });
        }
    }

    fn end_interval(&mut self, place: usize, end: f64) {
        let running = &mut self.detectors.running[place];
        let count = running.speeds.len() as u32;
        let mut occupied = running.occupied_s;
        for (_, _, since) in &mut running.over {
            occupied += (end - *since).max(0.0);
            *since = end;
        }
        let mean = |sum: f64| (count > 0).then(|| sum / f64::from(count));
        self.detectors.records.push(DetectorRecord {
            detector: place,
            begin_s: running.begin,
            end_s: end,
            passed: count,
            entered: running.entered,
            occupancy: (occupied / (end - running.begin).max(1e-9)).clamp(0.0, 1.0),
            mean_speed_mps: mean(running.speeds.iter().sum()),
            harmonic_speed_mps: mean(running.speeds.iter().map(|speed| 1.0 / speed.max(0.01)).sum())
                .map(|slow| 1.0 / slow),
            mean_length_m: mean(running.lengths),
        });
        *running = Running { begin: end, over: std::mem::take(&mut running.over), ..Running::default() };
    }
}
