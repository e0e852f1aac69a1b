//! Induction loops: counts, occupancy and speed at a place of a lane.
//!
//! In: snapshots, one after the other. Out: the state at once ([`InductionLoop::is_occupied`]) and an [`Interval`] whenever one
//! ends, with the meaning that SUMO's e1 detectors give it: a vehicle counts when it has left; occupancy is the share of time
//! that one was over it; speed is the mean of those that counted. Entry and leaving are found between steps from place and
//! speed. People, dogs and things leave no trace in a loop. Absent: vehicle classes by signature.

use super::fault::{Faults, SensorFault};
use super::gnss::noise::gauss;
use crate::actor::{Actor, ActorId, ActorKind};
use crate::random::Seed;
use crate::roads::xml::{self, Element};
use crate::roads::{LaneId, Roads, RoadsError};
use crate::snapshot::Snapshot;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LoopSettings {
    /// Its name.
    pub name: String,
    /// Name of the lane.
    pub lane: String,
    /// Where along the lane, metres; negative: from its end.
    pub position_m: f64,
    /// Length of the loop, metres; 0 for a line, as SUMO has it.
    #[serde(default)]
    pub length_m: f64,
    /// Time over which it sums up, seconds.
    pub interval_s: f64,
    /// Share of vehicles that it misses, 0 to 1; ten times that of bicycles, as loops are tuned.
    #[serde(default)]
    pub misses: f64,
    /// Deviation of a speed, as a share of it.
    #[serde(default)]
    pub speed_error: f64,
    /// What goes wrong, and when. Stuck: occupied. Drift: metres a second an hour on speeds.
    #[serde(default)]
    pub faults: Vec<SensorFault>,
}

/// What a loop says of an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// From, simulated seconds.
    pub begin_s: f64,
    /// Until, simulated seconds.
    pub end_s: f64,
    /// Vehicles that left it.
    pub count: u32,
    /// Vehicles that came upon it.
    pub entered: u32,
    /// Share of time that it was occupied, 0 to 1.
    pub occupancy: f64,
    /// Mean speed of those that left, metres a second.
    pub speed_mps: Option<f64>,
    /// Harmonic mean of the same.
    pub harmonic_speed_mps: Option<f64>,
    /// Mean length of the same, metres.
    pub length_m: Option<f64>,
}

impl Interval {
    /// Vehicles an hour.
    pub fn flow_per_h(&self) -> f64 {
        f64::from(self.count) * 3600.0 / (self.end_s - self.begin_s)
    }

    /// As SUMO writes it in the output of e1 detectors; what is not known is −1.
    pub fn e1_xml(&self, name: &str) -> String {
        let or_none = |value: Option<f64>| value.unwrap_or(-1.0);
        let mut out = String::new();
        write!(
            out,
            "<interval begin=\"{:.2}\" end=\"{:.2}\" id=\"{}\" nVehContrib=\"{}\" flow=\"{:.2}\" occupancy=\"{:.2}\" \
             speed=\"{:.2}\" harmonicMeanSpeed=\"{:.2}\" length=\"{:.2}\" nVehEntered=\"{}\"/>",
            self.begin_s,
            self.end_s,
            name.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
            self.count,
            self.flow_per_h(),
            self.occupancy * 100.0,
            or_none(self.speed_mps),
            or_none(self.harmonic_speed_mps),
            or_none(self.length_m),
            self.entered,
        )
        .expect("writing to a string cannot fail");
        out
    }
}

/// A vehicle over a loop.
#[derive(Clone, Copy, Debug)]
struct Over {
    entered_s: f64,
    /// Way of its front beyond the loop's begin, metres.
    gone_m: f64,
    missed: bool,
}

#[derive(Clone, Debug, Default)]
struct Sums {
    count: u32,
    entered: u32,
    occupied_s: f64,
    speed: f64,
    slowness: f64,
    length: f64,
}

/// A loop in use.
#[derive(Clone, Debug)]
pub struct InductionLoop {
    settings: LoopSettings,
    lane: LaneId,
    position_m: f64,
    luck: Pcg64Mcg,
    over: BTreeMap<ActorId, Over>,
    /// Fronts on the lane at the step before.
    before: BTreeMap<ActorId, f64>,
    time_s: Option<f64>,
    begin_s: f64,
    sums: Sums,
    /// Until when time counts as occupied already.
    occupied_until_s: f64,
    stuck: bool,
}

/// Reads induction loops (`e1Detector`, `inductionLoop`) of a SUMO additional file.
///
/// # Errors
/// When it is no XML, or a loop has no known lane or no interval.
pub fn read_e1(text: &str, file: &str, roads: &Roads) -> Result<Vec<LoopSettings>, RoadsError> {
    let document = xml::parse(text, file)?;
    let lanes: BTreeMap<&str, ()> = roads.lanes.iter().map(|lane| (lane.name.as_str(), ())).collect();
    let loops = Element::root(&document, file).children();
    loops
        .filter(|element| matches!(element.name(), "e1Detector" | "inductionLoop"))
        .map(|element| {
            let lane = element.required("lane")?;
            if !lanes.contains_key(lane) {
                return Err(element.fail(format!("there is no lane `{lane}`")));
            }
            let interval = element.number_or_none("period")?.or(element.number_or_none("freq")?);
            Ok(LoopSettings {
                name: element.required("id")?.to_owned(),
                lane: lane.to_owned(),
                position_m: element.number("pos")?,
                length_m: element.number_or_none("length")?.unwrap_or(0.0),
                interval_s: interval.filter(|s| *s > 0.0).ok_or_else(|| element.fail("no `period` above 0"))?,
                misses: 0.0,
                speed_error: 0.0,
                faults: Vec::new(),
            })
        })
        .collect()
}

fn is_felt(kind: ActorKind) -> bool {
    kind.is_motor_vehicle()
        || matches!(kind, ActorKind::Motorcycle | ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter)
}

impl InductionLoop {
    /// A loop on a network; `None` when the network has no such lane. `number` tells it from other loops of the run.
    pub fn new(settings: LoopSettings, roads: &Roads, seed: Seed, number: u64) -> Option<Self> {
        let lane = roads.lanes.iter().position(|lane| lane.name == settings.lane)?;
        let length_m = roads.lanes[lane].length_m;
        let from_start = if settings.position_m < 0.0 { length_m + settings.position_m } else { settings.position_m };
        Some(Self {
            lane: LaneId(u32::try_from(lane).ok()?),
            position_m: from_start.clamp(0.0, length_m),
            luck: seed.stream("loop", number),
            over: BTreeMap::new(),
            before: BTreeMap::new(),
            time_s: None,
            begin_s: 0.0,
            sums: Sums::default(),
            occupied_until_s: f64::NEG_INFINITY,
            stuck: false,
            settings,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Whether something is over it.
    pub fn is_occupied(&self) -> bool {
        self.stuck || self.over.values().any(|over| !over.missed)
    }

    /// Takes the next snapshot in; what it says of the interval that ends with it, if one does. `None` also when a fault
    /// keeps it silent.
    pub fn measure(&mut self, snapshot: &Snapshot) -> Option<Interval> {
        let now_s = snapshot.time_s;
        let step_s = now_s - self.time_s.unwrap_or(now_s);
        let first = self.time_s.is_none();
        if first {
            self.begin_s = now_s;
        }
        self.time_s = Some(now_s);
        let faults = Faults::at(&self.settings.faults, now_s, &mut self.luck);
        self.stuck = faults.stuck;
        if self.stuck {
            self.occupy(now_s - step_s, now_s);
        }
        self.leave(snapshot, step_s, faults.drift);
        self.enter(snapshot, step_s, first, faults.drift);
        if now_s - self.begin_s + 1e-9 < self.settings.interval_s {
            return None;
        }
        let (begin_s, count) = (std::mem::replace(&mut self.begin_s, now_s), f64::from(self.sums.count));
        let sums = std::mem::take(&mut self.sums);
        let mean = |sum: f64| (sums.count > 0).then(|| sum / count);
        (!faults.silent).then(|| Interval {
            begin_s,
            end_s: now_s,
            count: sums.count,
            entered: sums.entered,
            occupancy: (sums.occupied_s / (now_s - begin_s)).clamp(0.0, 1.0),
            speed_mps: mean(sums.speed),
            harmonic_speed_mps: (sums.slowness > 0.0).then(|| count / sums.slowness),
            length_m: mean(sums.length),
        })
    }

    /// Counts time as occupied, once.
    fn occupy(&mut self, from_s: f64, until_s: f64) {
        let from_s = from_s.max(self.occupied_until_s).max(self.begin_s);
        self.sums.occupied_s += (until_s - from_s).max(0.0);
        self.occupied_until_s = self.occupied_until_s.max(until_s);
    }

    fn leave(&mut self, snapshot: &Snapshot, step_s: f64, drift_mps: f64) {
        let now_s = snapshot.time_s;
        for (id, mut over) in std::mem::take(&mut self.over) {
            let Some(actor) = snapshot.actor(id) else {
                // Taken off the road.
                if !over.missed {
                    self.occupy(now_s - step_s, now_s);
                }
                continue;
            };
            let beside = actor.on_lane.is_some_and(|on| on.lane != self.lane && on.s_m > actor.size.length_m);
            let speed = actor.speed_mps.max(0.0);
            over.gone_m = match actor.on_lane {
                Some(on) if on.lane == self.lane => on.s_m - self.position_m,
                _ => over.gone_m + speed * step_s,
            };
            let clear_m = over.gone_m - actor.size.length_m - self.settings.length_m;
            if clear_m < 0.0 && !(beside && over.gone_m < 0.0) {
                if !over.missed {
                    self.occupy(now_s - step_s, now_s);
                }
                self.over.insert(id, over);
                continue;
            }
            let left_s = if speed > 0.1 { (now_s - clear_m / speed).max(now_s - step_s) } else { now_s };
            if !over.missed {
                self.occupy(now_s - step_s, left_s);
                self.count(actor, over.entered_s, left_s, drift_mps);
            }
        }
    }

    fn count(&mut self, actor: &Actor, entered_s: f64, left_s: f64, drift_mps: f64) {
        // As SUMO does: way over the loop by time over the loop.
        let over_s = left_s - entered_s;
        let way_m = actor.size.length_m + self.settings.length_m;
        let true_mps = if over_s > 1e-6 { way_m / over_s } else { actor.speed_mps };
        let speed = (true_mps * (1.0 + self.settings.speed_error * gauss(&mut self.luck)) + drift_mps).max(0.01);
        self.sums.count += 1;
        self.sums.speed += speed;
        self.sums.slowness += 1.0 / speed;
        self.sums.length += actor.size.length_m;
    }

    fn enter(&mut self, snapshot: &Snapshot, step_s: f64, first: bool, drift_mps: f64) {
        let now_s = snapshot.time_s;
        let mut fronts = BTreeMap::new();
        for actor in snapshot.actors.iter().filter(|actor| is_felt(actor.kind)) {
            let Some(on) = actor.on_lane.filter(|on| on.lane == self.lane) else { continue };
            fronts.insert(actor.id, on.s_m);
            let gone_m = on.s_m - self.position_m;
            let speed = actor.speed_mps.max(0.0);
            let crossed = match self.before.get(&actor.id) {
                Some(before) => *before < self.position_m && gone_m >= 0.0,
                // From the lane before, or put on the road beyond.
                None => !first && gone_m >= 0.0 && gone_m <= speed * step_s + 1e-6,
            };
            if !crossed || self.over.contains_key(&actor.id) {
                continue;
            }
            let entered_s = if speed > 0.1 { (now_s - gone_m / speed).max(now_s - step_s) } else { now_s };
            let narrow = !actor.kind.is_motor_vehicle();
            let missed = self.luck.random::<f64>() < self.settings.misses * if narrow { 10.0 } else { 1.0 };
            if missed {
                self.over.insert(actor.id, Over { entered_s, gone_m, missed });
                continue;
            }
            self.sums.entered += 1;
            let clear_m = gone_m - actor.size.length_m - self.settings.length_m;
            if clear_m >= 0.0 && speed > 0.1 {
                // Over it within one step.
                let left_s = now_s - clear_m / speed;
                self.occupy(entered_s, left_s);
                self.count(actor, entered_s, left_s, drift_mps);
            } else {
                self.occupy(entered_s, now_s);
                self.over.insert(actor.id, Over { entered_s, gone_m, missed });
            }
        }
        self.before = fronts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::LanePosition;
    use crate::roads::Lane;
    use crate::sensors::FaultKind;
    use crate::sensors::gnss::tests::car;

    fn roads() -> Roads {
        let lane = |name: &str| Lane { name: name.to_owned(), length_m: 100.0, ..Lane::default() };
        Roads { lanes: vec![lane("a_0"), lane("b_0")], ..Roads::default() }
    }

    fn settings() -> LoopSettings {
        let text = "name = \"n\"\nlane = \"a_0\"\nposition-m = -50.0\ninterval-s = 10.0";
        toml::from_str(text).unwrap()
    }

    /// Cars of 4.4 m at 10 m/s, one every 2.2 s from time 0 at the loop.
    fn flow(time_s: f64) -> Vec<Actor> {
        (0..20u32)
            .filter_map(|i| {
                let s_m = 50.0 + (time_s - f64::from(i) * 2.2 - 1.0) * 10.0;
                let mut actor = car(s_m, 0.0, 10.0);
                actor.id = ActorId(i);
                let (lane, s_m) = if s_m < 100.0 { (0, s_m) } else { (1, s_m - 100.0) };
                actor.on_lane = Some(LanePosition { lane: LaneId(lane), s_m, offset_m: 0.0 });
                (0.0..100.0).contains(&s_m).then_some(actor)
            })
            .collect()
    }

    fn intervals(settings: LoopSettings, step_s: f64) -> Vec<Interval> {
        let mut detector = InductionLoop::new(settings, &roads(), Seed(1), 0).unwrap();
        let steps = (30.0 / step_s).round() as u32;
        (0..=steps)
            .filter_map(|step| {
                let time_s = f64::from(step) * step_s;
                detector.measure(&Snapshot { time_s, actors: flow(time_s), ..Snapshot::default() })
            })
            .collect()
    }

    #[test]
    fn a_steady_flow_is_measured_whatever_the_step() {
        for step_s in [0.05, 0.1, 0.5, 1.0] {
            let found = intervals(settings(), step_s);
            assert_eq!(found.len(), 3);
            let middle = &found[1];
            // One car in 2.2 s: 4 or 5 in 10 s; each is over the line for 0.44 s.
            assert!((4..=5).contains(&middle.count), "{step_s}: {middle:?}");
            assert!((middle.speed_mps.unwrap() - 10.0).abs() < 0.01, "{step_s}: {middle:?}");
            let occupancy: f64 = found.iter().map(|interval| interval.occupancy * 10.0).sum();
            // Cars enter at 1.0, 3.2, … 29.6: 13 whole ones and the last with 0.4 of 0.44 s.
            assert!((occupancy - (13.0 * 0.44 + 0.4)).abs() < 0.02, "{step_s}: {occupancy}");
            assert_eq!(found.iter().map(|interval| interval.entered).sum::<u32>(), 14);
            assert_eq!(middle.length_m, Some(4.4));
        }
    }

    #[test]
    fn a_standing_car_occupies_and_a_person_does_not() {
        let mut detector = InductionLoop::new(settings(), &roads(), Seed(1), 0).unwrap();
        let mut last = None;
        for step in 0..=100u32 {
            let time_s = f64::from(step) * 0.1;
            let mut stands = car(0.0, 0.0, if step < 20 { 10.0 } else { 0.0 });
            stands.on_lane =
                Some(LanePosition { lane: LaneId(0), s_m: 32.0 + (time_s.min(2.0)) * 10.0, offset_m: 0.0 });
            let mut walks = stands.clone();
            (walks.id, walks.kind) = (ActorId(9), ActorKind::Adult);
            last = detector.measure(&Snapshot { time_s, actors: vec![stands, walks], ..Snapshot::default() }).or(last);
        }
        let last = last.unwrap();
        assert!(detector.is_occupied());
        assert_eq!((last.count, last.entered, last.speed_mps), (0, 1, None));
        assert!((last.occupancy - 0.82).abs() < 0.001, "{last:?}");
    }

    #[test]
    fn faults_and_misses_act() {
        let stuck = SensorFault { kind: FaultKind::Stuck, from_s: 0.0, until_s: None };
        let found = intervals(LoopSettings { faults: vec![stuck], ..settings() }, 0.1);
        assert!(found.iter().all(|interval| interval.occupancy > 0.98), "{found:?}");
        let found = intervals(LoopSettings { misses: 1.0, ..settings() }, 0.1);
        assert!(found.iter().all(|interval| interval.entered == 0 && interval.occupancy == 0.0), "{found:?}");
    }

    #[test]
    fn sumo_detectors_are_read_and_written() {
        let text = r#"<additional><e1Detector id="x" lane="b_0" pos="7" freq="60" file="o"/></additional>"#;
        let read = read_e1(text, "f", &roads()).unwrap();
        assert_eq!((read[0].name.as_str(), read[0].position_m, read[0].interval_s), ("x", 7.0, 60.0));
        let error = read_e1(&text.replace("b_0", "c_0"), "f", &roads()).unwrap_err().to_string();
        assert!(error.contains("there is no lane `c_0`"), "{error}");
        let found = intervals(settings(), 0.1);
        let line = found[1].e1_xml("a&b");
        assert!(
            line.contains(r#"begin="10.00" end="20.00" id="a&amp;b""#) && line.contains(r#"speed="10.00""#),
            "{line}"
        );
    }
}
