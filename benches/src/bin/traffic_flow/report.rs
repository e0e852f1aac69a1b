//! The services beside the detectors, in numbers.

use super::site::{Layout, at};
use super::truth::Truth;
use masa_data_room::services::traffic_flow::{Direction, Flow, FlowFinding};
use masa_sim::sensors::loops::Interval;
use std::collections::BTreeMap;

/// What a loop says of some minutes together.
#[derive(Clone, Copy, Debug, Default)]
struct LoopSum {
    count: f64,
    speed: f64,
    slowness: f64,
    occupancy: f64,
}

fn sum(minutes: &[Interval]) -> LoopSum {
    let mut sum = LoopSum::default();
    for minute in minutes {
        let count = f64::from(minute.count);
        sum.count += count;
        sum.speed += count * minute.speed_mps.unwrap_or(0.0);
        sum.slowness += minute.harmonic_speed_mps.map_or(0.0, |mps| count / mps);
        sum.occupancy += minute.occupancy / minutes.len() as f64;
    }
    sum
}

/// Differences of a quantity.
#[derive(Clone, Copy, Debug, Default)]
struct Errors {
    count: f64,
    absolute: f64,
    signed: f64,
    truth: f64,
}

impl Errors {
    fn take(&mut self, ours: f64, truth: f64) {
        self.count += 1.0;
        self.absolute += (ours - truth).abs();
        self.signed += ours - truth;
        self.truth += truth;
    }

    fn line(&self, name: &str, unit: &str) {
        let n = self.count.max(1.0);
        println!(
            "  {name:<28} truth {:>8.3}  mean error {:>+8.3}  mean absolute error {:>7.3} {unit}  ({:>4.1} %), n {:.0}",
            self.truth / n,
            self.signed / n,
            self.absolute / n,
            100.0 * self.absolute / self.truth.max(1e-9),
            self.count,
        );
    }
}

/// Prints everything.
pub(crate) fn print(layout: &Layout, truth: &Truth, found: &[FlowFinding]) {
    println!(
        "{} gates at loops, {} gates of junction {}, {} roadside units",
        layout.loops.len(),
        layout.arms.len(),
        layout.junction,
        layout.units.len()
    );
    for minutes in [1, 5, 15] {
        loops(layout, truth, found, minutes);
    }
    movements(truth, found);
    queues(layout, truth, found);
}

fn loops(layout: &Layout, truth: &Truth, found: &[FlowFinding], length: usize) {
    let ours: BTreeMap<(&str, i64), &Flow> = found
        .iter()
        .filter_map(|finding| match finding {
            FlowFinding::Flow(flow) if flow.class.is_none() && flow.direction == Direction::Forward => Some(flow),
            _ => None,
        })
        .filter(|flow| flow.to.unix_ms() - flow.from.unix_ms() == length as i64 * 60_000)
        .map(|flow| ((flow.gate.as_str(), flow.from.unix_ms()), flow))
        .collect();
    let [mut counts, mut time_mean, mut space_mean, mut occupancy] = [Errors::default(); 4];
    let [mut exact, mut geh_5] = [0.0; 2];
    for (gate, minutes) in layout.loops.iter().zip(&truth.minutes) {
        for (place, minutes) in minutes.chunks_exact(length).enumerate() {
            let begin = at((place * length) as f64 * 60.0);
            let Some(flow) = ours.get(&(gate.id.as_str(), begin.unix_ms())) else { continue };
            let truth = sum(minutes);
            let count = f64::from(flow.count);
            counts.take(count, truth.count);
            exact += f64::from(u8::from(count == truth.count));
            let per_hour = 60.0 / length as f64;
            let geh = (2.0 * per_hour * (count - truth.count).powi(2) / (count + truth.count).max(1e-9)).sqrt();
            geh_5 += f64::from(u8::from(geh < 5.0));
            occupancy.take(100.0 * flow.occupancy.unwrap_or(0.0), 100.0 * truth.occupancy);
            if let (Some(time), Some(space), true) = (flow.time_mean_mps, flow.space_mean_mps, truth.count > 0.0) {
                time_mean.take(time, truth.speed / truth.count);
                space_mean.take(space, truth.count / truth.slowness);
            }
        }
    }
    println!(
        "intervals of {length} min: {:.1} % of counts equal, {:.1} % with GEH below 5, all counts {:+.2} %",
        100.0 * exact / counts.count.max(1.0),
        100.0 * geh_5 / counts.count.max(1.0),
        100.0 * counts.signed / counts.truth.max(1.0)
    );
    counts.line("vehicles", "");
    time_mean.line("time mean speed", "m/s");
    space_mean.line("space mean speed", "m/s");
    occupancy.line("occupancy", "points");
}

fn movements(truth: &Truth, found: &[FlowFinding]) {
    type Sums = BTreeMap<(String, String), [f64; 3]>;
    let (mut theirs, mut ours) = (Sums::new(), Sums::new());
    let end = found.iter().filter_map(|finding| match finding {
        FlowFinding::Movement(movement) => Some(movement.to),
        _ => None,
    });
    let Some(end) = end.max() else { return };
    for trip in truth.trips.iter().filter(|trip| at(trip.at_s) < end) {
        let delay_s = (trip.travel_s - trip.way_m / (50.0 / 3.6)).max(0.0);
        let sum = theirs.entry((trip.from.clone(), trip.to.clone())).or_default();
        *sum = [sum[0] + 1.0, sum[1] + trip.travel_s, sum[2] + delay_s];
    }
    for finding in found {
        let FlowFinding::Movement(movement) = finding else { continue };
        if movement.class.is_none() && movement.to.unix_ms() - movement.from.unix_ms() == 60_000 {
            let count = f64::from(movement.count);
            let sum = ours.entry((movement.from_arm.clone(), movement.to_arm.clone())).or_default();
            *sum = [sum[0] + count, sum[1] + count * movement.travel_s, sum[2] + count * movement.delay_s];
        }
    }
    println!("movements of the junction: vehicles, mean travel time and control delay in seconds, ours and true");
    let mut all = [[0.0; 3]; 2];
    let mut keys: Vec<_> = theirs.keys().chain(ours.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let [a, b] = [&ours, &theirs].map(|sums| sums.get(&key).copied().unwrap_or_default());
        for (sum, one) in all.iter_mut().zip([a, b]) {
            sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
        }
        line(&format!("{} to {}", key.0, key.1), a, b);
    }
    line("all", all[0], all[1]);
}

fn line(name: &str, ours: [f64; 3], truth: [f64; 3]) {
    let mean = |sum: [f64; 3], place: usize| sum[place] / sum[0].max(1.0);
    println!(
        "  {name:<28} {:>5} {:>5}   {:>6.1} {:>6.1}   {:>6.1} {:>6.1}",
        ours[0],
        truth[0],
        mean(ours, 1),
        mean(truth, 1),
        mean(ours, 2),
        mean(truth, 2)
    );
}

fn queues(layout: &Layout, truth: &Truth, found: &[FlowFinding]) {
    let [mut vehicles, mut length, mut longest] = [Errors::default(); 3];
    for finding in found {
        let FlowFinding::Queue(queue) = finding else { continue };
        let (Some(mean_vehicles), Some(mean_length_m)) = (queue.mean_vehicles, queue.mean_length_m) else { continue };
        if queue.to.unix_ms() - queue.from.unix_ms() != 300_000 {
            continue;
        }
        let Some(place) = layout.queues.iter().position(|lane| lane.id == queue.approach) else { continue };
        let slot = (queue.from.seconds_since(at(0.0)) / 300.0).round() as usize;
        let Some(sum) = truth.queued[place].get(slot).filter(|sum| sum.samples > 0.0) else { continue };
        vehicles.take(mean_vehicles, sum.vehicles / sum.samples);
        length.take(mean_length_m, sum.length_m / sum.samples);
        longest.take(queue.longest.length_m, sum.longest_m);
    }
    println!("queues on {} lanes of the junction, intervals of 5 min:", layout.queues.len());
    vehicles.line("mean vehicles", "");
    length.line("mean length", "m");
    longest.line("longest", "m");
}
