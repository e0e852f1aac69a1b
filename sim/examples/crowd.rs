//! How fast a crowd is simulated: `cargo run --release -p masa-sim --example crowd -- 1000`.
#![allow(clippy::disallowed_methods, reason = "a measurement of its own run time")]

use masa_sim::people::{CrowdSpec, People, PeopleSettings};
use masa_sim::random::Seed;
use masa_sim::{Roads, Weather, World};
use std::sync::Arc;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u32 = std::env::args().nth(1).map_or(Ok(1000), |text| text.parse())?;
    let roads = Arc::new(Roads::default());
    let mut people = People::new(roads.clone(), PeopleSettings::default(), Seed(1), 2);
    let exits = vec![[150.0, 0.0], [-150.0, 0.0], [0.0, 150.0]];
    // Two people a square metre.
    let radius_m = (f64::from(count) / 2.0 / std::f64::consts::PI).sqrt();
    people.spawn_crowd(&CrowdSpec { people: count, radius_m, exits, ..CrowdSpec::default() })?;
    let mut world = World::new(roads, 0.1, Weather::default());
    world.add(Box::new(people));
    let simulated_s = 30.0;
    let started = Instant::now();
    for _ in 0..(simulated_s / world.step_s()) as usize {
        world.step();
    }
    let took_s = started.elapsed().as_secs_f64();
    let threads = rayon::current_num_threads();
    println!(
        "{count} people, {simulated_s} s in {took_s:.2} s on {threads} threads: {:.1}x real time",
        simulated_s / took_s
    );
    Ok(())
}
