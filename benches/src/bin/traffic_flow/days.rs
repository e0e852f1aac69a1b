//! The forecast over several days of the same town, each with a demand of its own, beside persistence.

use super::Arguments;
use super::site::{Layout, at};
use super::truth::Truth;
use masa_data_room::services::traffic_flow::Forecaster;
use masa_data_room::services::traffic_flow::forecast::AHEAD;
use masa_sim::random::Seed;
use masa_sim::sensors::loops::Interval;
use masa_sim::world::Command;
use rand::RngExt;
use std::collections::BTreeSet;

/// The least share of the demand that a day has.
const LEAST_DEMAND: f64 = 0.7;
/// Minutes of a slot.
const SLOT_MIN: usize = 5;

/// Counts of five minutes at every loop on a day, and the share of the demand that it had.
fn day(arguments: &Arguments, number: u64) -> anyhow::Result<(Layout, Vec<Vec<f64>>, f64)> {
    let seed = arguments.seed + number;
    let (mut world, scenario) = arguments.world(seed)?;
    let layout = Layout::new(world.roads(), &scenario.detectors)?;
    let mut truth = Truth::new(&layout, world.roads(), seed);
    let mut luck = Seed(seed).stream("traffic-flow-day", 0);
    let demand = luck.random_range(LEAST_DEMAND..1.0);
    let mut known = BTreeSet::new();
    while world.now().time_s < arguments.seconds - 1e-9 {
        let snapshot = world.step();
        truth.see(snapshot);
        let new: Vec<_> = snapshot.actors.iter().map(|actor| actor.id).filter(|id| known.insert(*id)).collect();
        for id in new {
            // Who stays at home on this day goes before it has reached a loop.
            if luck.random::<f64>() > demand {
                world.command(id, Command::Remove);
            }
        }
    }
    let slots = |minutes: &Vec<Interval>| {
        minutes.chunks_exact(SLOT_MIN).map(|slot| slot.iter().map(|minute| f64::from(minute.count)).sum()).collect()
    };
    let counts = truth.minutes.iter().map(slots).collect();
    Ok((layout, counts, demand))
}

pub(crate) fn back_test(arguments: &Arguments, days: u64) -> anyhow::Result<()> {
    let mut forecasters: Vec<Forecaster> = Vec::new();
    println!("count of the next 15 min at each loop, from every 5 min; mean absolute error in vehicles");
    for number in 0..days {
        let (layout, counts, demand) = day(arguments, number)?;
        forecasters.resize_with(layout.loops.len(), || Forecaster::new(layout.site.utc_offset_min));
        let [mut ours, mut persistence, mut truth, mut covered, mut n] = [0.0; 5];
        for (forecaster, slots) in forecasters.iter_mut().zip(&counts) {
            for (slot, count) in slots.iter().enumerate() {
                // Days of the week follow each other; of the last one nothing is left but what was learned.
                let from = at(number as f64 * 86_400.0 + (slot * SLOT_MIN) as f64 * 60.0);
                forecaster.take(from, *count);
                let (Some(past), Some(next)) =
                    ((slot + 1).checked_sub(AHEAD).map(|from| &slots[from..=slot]), slots.get(slot + 1..=slot + AHEAD))
                else {
                    continue;
                };
                let (past, next): (f64, f64) = (past.iter().sum(), next.iter().sum());
                let Some(forecast) = forecaster.forecast() else { continue };
                ours += (forecast.expected - next).abs();
                persistence += (past - next).abs();
                covered += f64::from(u8::from((forecast.low..=forecast.high).contains(&next)));
                truth += next;
                n += 1.0;
            }
        }
        println!(
            "  day {} ({:>3.0} % of the demand): ours {:>6.2}, persistence {:>6.2}, ratio {:.3}; mean count {:.1}, \
             {:.0} % within the 90 % range, n {n:.0}",
            number + 1,
            100.0 * demand,
            ours / n,
            persistence / n,
            ours / persistence,
            truth / n,
            100.0 * covered / n
        );
    }
    Ok(())
}
