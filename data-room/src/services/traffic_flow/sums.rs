//! What is summed up in a minute, and what intervals say.

use super::gate::{Direction, Passage};
use super::level_of_service::LevelOfService;
use super::queue::Queue;
use super::settings::{ApproachSettings, Control, GateSettings, MovementSettings, TrafficFlowSettings};
use crate::services::class::RoadUserClass;
use crate::services::interval::{Interval, Sum};
use masa_v2x_proto::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Slower than this a passage does not count for the harmonic mean, m/s: one that stood on the line for minutes would be
/// all of it.
const LEAST_MPS: f64 = 0.1;

/// Traffic at a gate in an interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flow {
    /// The gate.
    pub gate: String,
    /// Which way.
    pub direction: Direction,
    /// Whose; that of all vehicles when absent.
    pub class: Option<RoadUserClass>,
    /// Begin.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
    /// How many passed.
    pub count: u32,
    /// As many in an hour.
    pub per_hour: f64,
    /// Time mean speed: arithmetic mean over the passages, m/s.
    pub time_mean_mps: Option<f64>,
    /// Space mean speed: harmonic mean over the passages, m/s.
    pub space_mean_mps: Option<f64>,
    /// Vehicles on a kilometre: flow by space mean speed.
    pub density_per_km: Option<f64>,
    /// Share of the time in which a vehicle was over a lane of the line, both ways; of all classes together only.
    pub occupancy: Option<f64>,
    /// Mean time from one passage to the next, seconds.
    pub headway_s: Option<f64>,
    /// Whether traffic crawled.
    pub is_congested: bool,
    /// Share of the interval in which stations were heard, 0 to 1.
    pub observed: f64,
}

/// Traffic from one arm to another in an interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MovementFlow {
    /// Where it came from.
    pub from_arm: String,
    /// Where it went.
    pub to_arm: String,
    /// Whose; everybody's but pedestrians' when absent.
    pub class: Option<RoadUserClass>,
    /// Begin.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
    /// How many left by `to_arm`.
    pub count: u32,
    /// Mean time from gate to gate, seconds.
    pub travel_s: f64,
    /// Mean control delay, seconds.
    pub delay_s: f64,
    /// Level of service.
    pub level: LevelOfService,
    /// Share of the interval in which stations were heard, 0 to 1.
    pub observed: f64,
}

/// People who passed a gate in an interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeopleFlow {
    /// The gate.
    pub gate: String,
    /// Begin.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
    /// How many passed forward and backward.
    pub people: [u32; 2],
    /// Their mean speed, m/s.
    pub mean_mps: Option<f64>,
    /// Share of the interval in which stations were heard, 0 to 1.
    pub observed: f64,
}

/// Queues on an approach in an interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueFlow {
    /// The approach.
    pub approach: String,
    /// Begin.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
    /// Mean over the seconds observed, vehicles; `None` when none was.
    pub mean_vehicles: Option<f64>,
    /// The same, metres.
    pub mean_length_m: Option<f64>,
    /// The longest.
    pub longest: Queue,
    /// Share of the interval in which stations were heard, 0 to 1.
    pub observed: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    count: u32,
    speed: f64,
    slowness: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Travelled {
    count: u32,
    travel_s: f64,
    delay_s: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Queued {
    vehicles: f64,
    length_m: f64,
    longest: Queue,
}

/// Everything of a minute.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Seconds in which stations were heard.
    pub(crate) observed_s: f64,
    /// Seconds in which a gate was occupied.
    pub(crate) occupied_s: BTreeMap<usize, f64>,
    passed: BTreeMap<(usize, Direction, RoadUserClass), Passed>,
    travelled: BTreeMap<(String, String), BTreeMap<RoadUserClass, Travelled>>,
    queued: BTreeMap<usize, Queued>,
}

impl Sums {
    pub(crate) fn pass(&mut self, gate: usize, passage: &Passage) {
        let passed = self.passed.entry((gate, passage.direction, passage.class)).or_default();
        passed.count += 1;
        passed.speed += passage.speed_mps;
        passed.slowness += 1.0 / passage.speed_mps.max(LEAST_MPS);
    }

    pub(crate) fn trip(&mut self, arms: (String, String), class: RoadUserClass, travel_s: f64, delay_s: f64) {
        let trips = self.travelled.entry(arms).or_default().entry(class).or_default();
        trips.count += 1;
        trips.travel_s += travel_s;
        trips.delay_s += delay_s;
    }

    pub(crate) fn queue(&mut self, approach: usize, queue: &Queue) {
        let queued = self.queued.entry(approach).or_default();
        queued.vehicles += f64::from(queue.vehicles);
        queued.length_m += queue.length_m;
        queued.longest = longer(queued.longest, *queue);
    }

    pub(crate) fn observed(&self, length_s: f64) -> f64 {
        (self.observed_s / length_s).clamp(0.0, 1.0)
    }

    pub(crate) fn motor_vehicles(&self, gate: usize, direction: Direction) -> u32 {
        let classes = RoadUserClass::ALL.into_iter().filter(|class| class.is_motor_vehicle());
        classes.filter_map(|class| self.passed.get(&(gate, direction, class))).map(|passed| passed.count).sum()
    }
}

fn longer(a: Queue, b: Queue) -> Queue {
    if b.length_m > a.length_m { b } else { a }
}

impl Passed {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.speed += other.speed;
        self.slowness += other.slowness;
    }
}

impl Travelled {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.travel_s += other.travel_s;
        self.delay_s += other.delay_s;
    }
}

impl Sum for Sums {
    fn add(&mut self, other: &Self) {
        self.observed_s += other.observed_s;
        for (gate, s) in &other.occupied_s {
            *self.occupied_s.entry(*gate).or_default() += s;
        }
        for (key, passed) in &other.passed {
            self.passed.entry(*key).or_default().add(passed);
        }
        for (arms, classes) in &other.travelled {
            let sums = self.travelled.entry(arms.clone()).or_default();
            classes.iter().for_each(|(class, trips)| sums.entry(*class).or_default().add(trips));
        }
        for (approach, queued) in &other.queued {
            let sum = self.queued.entry(*approach).or_default();
            sum.vehicles += queued.vehicles;
            sum.length_m += queued.length_m;
            sum.longest = longer(sum.longest, queued.longest);
        }
    }
}

/// Each class of vehicle that passed a gate, and all together; forward the latter also when nobody did.
pub(crate) fn flows<'a>(
    interval: &'a Interval<Sums>,
    place: usize,
    gate: &'a GateSettings,
    settings: &'a TrafficFlowSettings,
) -> impl Iterator<Item = Flow> + 'a {
    let sums = &interval.sum;
    Direction::ALL.into_iter().flat_map(move |direction| {
        let of = |class: RoadUserClass| sums.passed.get(&(place, direction, class)).copied();
        let vehicles = RoadUserClass::ALL.into_iter().filter(|class| *class != RoadUserClass::Pedestrian);
        let classes: Vec<_> = vehicles.filter_map(|class| Some((class, of(class)?))).collect();
        let mut all = Passed::default();
        classes.iter().for_each(|(_, one)| all.add(one));
        let of_all = (all.count > 0 || direction == Direction::Forward).then_some((None, all));
        of_all
            .into_iter()
            .chain(classes.into_iter().map(|(class, one)| (Some(class), one)))
            .map(move |(class, passed)| flow(interval, place, gate, settings, direction, class, passed))
    })
}

fn flow(
    interval: &Interval<Sums>,
    place: usize,
    gate: &GateSettings,
    settings: &TrafficFlowSettings,
    direction: Direction,
    class: Option<RoadUserClass>,
    passed: Passed,
) -> Flow {
    let (length_s, count) = (interval.length_s(), f64::from(passed.count));
    let some = passed.count > 0;
    let observed = interval.sum.observed(length_s);
    let per_hour = count * 3600.0 / length_s;
    let space_mean_mps = some.then(|| count / passed.slowness);
    let occupied_s = interval.sum.occupied_s.get(&place).copied().unwrap_or_default();
    let occupancy = (occupied_s / (length_s * f64::from(gate.lanes))).clamp(0.0, 1.0);
    Flow {
        gate: gate.id.clone(),
        direction,
        class,
        from: interval.from,
        to: interval.to,
        count: passed.count,
        per_hour,
        time_mean_mps: some.then(|| passed.speed / count),
        space_mean_mps,
        density_per_km: space_mean_mps.map(|mps| per_hour / (mps * 3.6)),
        occupancy: (class.is_none() && observed > 0.0).then_some(occupancy),
        headway_s: some.then(|| length_s / count),
        is_congested: space_mean_mps.is_some_and(|mps| mps < settings.congested_below * settings.free_flow_mps),
        observed,
    }
}

/// People who passed a gate; `None` when nobody did.
pub(crate) fn people(interval: &Interval<Sums>, place: usize, gate: &GateSettings) -> Option<PeopleFlow> {
    let of = |direction| interval.sum.passed.get(&(place, direction, RoadUserClass::Pedestrian)).copied();
    let ways = Direction::ALL.map(|direction| of(direction).unwrap_or_default());
    let people = ways.map(|way| way.count);
    let count = people[0] + people[1];
    (count > 0).then(|| PeopleFlow {
        gate: gate.id.clone(),
        from: interval.from,
        to: interval.to,
        people,
        mean_mps: Some((ways[0].speed + ways[1].speed) / f64::from(count)),
        observed: interval.sum.observed(interval.length_s()),
    })
}

/// Each movement that somebody made, of all together and of each class.
pub(crate) fn movements<'a>(
    interval: &'a Interval<Sums>,
    known: &'a BTreeMap<(String, String), MovementSettings>,
) -> impl Iterator<Item = MovementFlow> + 'a {
    interval.sum.travelled.iter().flat_map(move |(arms, classes)| {
        let control = known.get(arms).map_or(Control::default(), |movement| movement.control);
        let mut all = Travelled::default();
        classes.iter().filter(|(class, _)| **class != RoadUserClass::Pedestrian).for_each(|(_, one)| all.add(one));
        let of_all = (all.count > 0).then_some((None, all));
        let of_classes = classes.iter().map(|(class, one)| (Some(*class), *one));
        of_all.into_iter().chain(of_classes).map(move |(class, sum)| {
            let count = f64::from(sum.count);
            MovementFlow {
                from_arm: arms.0.clone(),
                to_arm: arms.1.clone(),
                class,
                from: interval.from,
                to: interval.to,
                count: sum.count,
                travel_s: sum.travel_s / count,
                delay_s: sum.delay_s / count,
                level: LevelOfService::of_delay(control, sum.delay_s / count),
                observed: interval.sum.observed(interval.length_s()),
            }
        })
    })
}

/// Queues on an approach.
pub(crate) fn queues(interval: &Interval<Sums>, place: usize, approach: &ApproachSettings) -> QueueFlow {
    let sums = &interval.sum;
    let queued = sums.queued.get(&place).copied().unwrap_or_default();
    let mean = |sum: f64| (sums.observed_s > 0.0).then(|| sum / sums.observed_s);
    QueueFlow {
        approach: approach.id.clone(),
        from: interval.from,
        to: interval.to,
        mean_vehicles: mean(queued.vehicles),
        mean_length_m: mean(queued.length_m),
        longest: queued.longest,
        observed: sums.observed(interval.length_s()),
    }
}
