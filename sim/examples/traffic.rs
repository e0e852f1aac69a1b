//! Runs a SUMO configuration: `traffic CONFIG.sumocfg FOLDER [--step S] [--end S] [--seed N] [--threads N] [--fcd]`. Writes
//! trips, loops, summary and edges into the folder, and says how many vehicle-steps a CPU-second it made.

use masa_sim::random::Seed;
use masa_sim::traffic::TrafficSettings;
use masa_sim::traffic::demand::SumoScenario;
use masa_sim::traffic::run::{Outputs, RunOptions, run};
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|text| text == name).and_then(|place| arguments.get(place + 1));
    let number =
        |name: &str| -> Result<Option<f64>, Box<dyn Error>> { Ok(value(name).map(|text| text.parse()).transpose()?) };
    let [config, folder, ..] = arguments.as_slice() else { return Err("usage: traffic CONFIG.sumocfg FOLDER".into()) };
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    let scenario = SumoScenario::load(config)?;
    let open = |name: &str| -> Result<Option<Box<dyn Write>>, std::io::Error> {
        Ok(Some(Box::new(BufWriter::new(File::create(folder.join(name))?))))
    };
    let plain = arguments.iter().any(|text| text == "--plain");
    let outputs = if plain {
        Outputs::default()
    } else {
        Outputs {
            fcd: if arguments.iter().any(|text| text == "--fcd") { open("fcd.xml")? } else { None },
            trips: open("trip.xml")?,
            detectors: open("e1_output.xml")?,
            summary: open("summary.xml")?,
            edges: open("edges.xml")?,
        }
    };
    let settings = TrafficSettings {
        threads: number("--threads")?.map_or(1, |threads| threads as usize),
        when_stuck: scenario.when_stuck,
        ..TrafficSettings::default()
    };
    let seed = Seed(number("--seed")?.unwrap_or(1.0) as u64);
    let options = RunOptions { settings, seed, step_s: number("--step")?, end_s: number("--end")? };
    let before = cpu_s();
    let counters = run(scenario, options, outputs, |_, _| true)?;
    let used = cpu_s() - before;
    println!(
        "{{\"counters\": {{\"departed\": {}, \"arrived\": {}, \"teleports\": {}, \"emergency_stops\": {}}}, \
         \"vehicle_steps\": {}, \"cpu_s\": {used:.2}, \"vehicle_steps_per_s\": {:.0}}}",
        counters.departed,
        counters.arrived,
        counters.teleports,
        counters.emergency_stops,
        counters.vehicle_steps,
        counters.vehicle_steps as f64 / used.max(1e-9),
    );
    Ok(())
}

/// CPU time of this process, seconds.
fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        |place: usize| after.split_whitespace().nth(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
