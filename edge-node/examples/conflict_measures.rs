//! Conflict measures of recorded trajectories, for `benches/conflicts/compare.py`.
//!
//!     conflict_measures TRAJECTORIES
//!
//! In: lines `time_s vehicle east_m north_m yaw_rad speed_mps length_m width_m` of the vehicles' centres, by time. Out: for
//! each instant and pair that meets if both keep their speeds on their recorded paths, `now time_s a b kind ttc_s drac_mps2`;
//! for each pair that passed over a common place, `pet a b pet_s`; `-` where there is none.

use masa_edge_node::world::conflict::{Footprint, encounter, encroachment_s};
use masa_edge_node::world::prediction::{Forecast, Polyline};
use masa_v2x_proto::geo::Enu;
use std::collections::BTreeMap;
use std::error::Error;

/// Vehicles farther apart than this are not compared, metres.
const RANGE_M: f64 = 80.0;

struct Instant {
    time_s: f64,
    centre: Enu,
    yaw_rad: f64,
    speed_mps: f64,
    along_m: f64,
}

#[derive(Default)]
struct Vehicle {
    body_m: [f64; 2],
    instants: Vec<Instant>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: conflict_measures TRAJECTORIES")?;
    let vehicles = read(&std::fs::read_to_string(path)?)?;
    let all: Vec<(&String, &Vehicle, Polyline)> = vehicles
        .iter()
        .filter_map(|(id, v)| Some((id, v, Polyline::new(v.instants.iter().map(|i| [i.centre.e_m, i.centre.n_m]))?)))
        .collect();
    for (index, (id, vehicle, line)) in all.iter().enumerate() {
        for (other_id, other, other_line) in &all[index + 1..] {
            let at = |v: &Vehicle, time_s: f64| v.instants.binary_search_by(|i| i.time_s.total_cmp(&time_s)).ok();
            let mut came_near = false;
            for now in &vehicle.instants {
                let Some(then) = at(other, now.time_s).map(|i| &other.instants[i]) else { continue };
                if now.centre.ground_distance_m(&then.centre) > RANGE_M {
                    continue;
                }
                came_near = true;
                let forecast =
                    |line, i: &Instant, v: &Vehicle| Forecast::on_line(line, i.along_m, i.speed_mps, v.body_m);
                let (a, b) = (forecast(line, now, vehicle), forecast(other_line, then, other));
                if let Some(seen) = encounter(&a, &b)
                    && seen.ttc_s.is_some()
                {
                    let (ttc, drac) = (text(seen.ttc_s), text(seen.drac_mps2));
                    println!("now {:.2} {id} {other_id} {:?} {ttc} {drac}", now.time_s, seen.kind);
                }
            }
            if came_near && let Some(pet_s) = encroachment_s(&footprints(vehicle), &footprints(other)) {
                println!("pet {id} {other_id} {pet_s:.2}");
            }
        }
    }
    Ok(())
}

fn text(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

fn footprints(v: &Vehicle) -> Vec<(f64, Footprint)> {
    let [length_m, width_m] = v.body_m;
    v.instants.iter().map(|i| (i.time_s, Footprint::new(i.centre, i.yaw_rad, length_m, width_m))).collect()
}

fn read(text: &str) -> Result<BTreeMap<String, Vehicle>, Box<dyn Error>> {
    let mut vehicles: BTreeMap<String, Vehicle> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [time, id, rest @ ..] = fields.as_slice() else {
            return Err(format!("line {}: too short", number + 1).into());
        };
        let rest = rest.iter().map(|f| f.parse()).collect::<Result<Vec<f64>, _>>();
        let rest = rest.map_err(|error| format!("line {}: {error}", number + 1))?;
        let [e_m, n_m, yaw_rad, speed_mps, length_m, width_m] = rest[..] else {
            return Err(format!("line {}: {} fields", number + 1, fields.len()).into());
        };
        let vehicle = vehicles.entry((*id).to_owned()).or_default();
        vehicle.body_m = [length_m, width_m];
        let centre = Enu::ground(e_m, n_m);
        let along_m = vehicle.instants.last().map_or(0.0, |last| last.along_m + last.centre.ground_distance_m(&centre));
        vehicle.instants.push(Instant { time_s: time.parse()?, centre, yaw_rad, speed_mps, along_m });
    }
    Ok(vehicles)
}
