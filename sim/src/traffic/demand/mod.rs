//! Demand: who departs when, and where to.
//!
//! In: SUMO's configuration, route and additional files ([`SumoScenario::load`]), or a rate ([`Demand::random`]). Out:
//! [`VehicleSpec`]s when their time has come. Which type a vehicle of a distribution has, and when a random flow departs, comes
//! from streams of the run's seed, so another seed is another day.

mod config;
mod files;
mod known;
mod random;
mod types;

pub use config::{DetectorSpec, SumoScenario};
pub use random::Mix;

use super::kinds::VehicleType;
use super::spawn::VehicleSpec;
use crate::random::Seed;
use crate::roads::RoadsError;
use rand::RngExt;
use std::collections::BTreeMap;

/// Why demand could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DemandError {
    /// A file or an element of it.
    #[error(transparent)]
    File(#[from] RoadsError),
    /// A configuration names no network.
    #[error("{0}: the configuration names no net-file")]
    NoNetwork(String),
}

/// Types to draw from, with their weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Distribution(Vec<(VehicleType, f64)>);

impl Distribution {
    fn draw(&self, at: f64) -> Option<&VehicleType> {
        let total: f64 = self.0.iter().map(|(_, weight)| weight).sum();
        let mut left = at * total;
        for (kind, weight) in &self.0 {
            left -= weight;
            if left < 0.0 {
                return Some(kind);
            }
        }
        self.0.last().map(|(kind, _)| kind)
    }
}

/// When the vehicles of a flow depart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rhythm {
    /// Every so many seconds.
    Every(f64),
    /// On average every so many seconds, independently.
    Poisson(f64),
    /// In each second by this chance.
    Chance(f64),
}

/// Vehicles that depart one after another.
#[derive(Clone, Debug, PartialEq)]
struct Flow {
    spec: VehicleSpec,
    types: Option<usize>,
    rhythm: Rhythm,
    end_s: f64,
    number: u64,
    /// Time of the next one, and how many there were.
    next_s: f64,
    count: u64,
    id: u64,
}

/// Who departs when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// Sorted by departure. A place in `distributions` overrides the type.
    departures: Vec<(VehicleSpec, Option<usize>)>,
    next: usize,
    flows: Vec<Flow>,
    distributions: Vec<Distribution>,
    random: Vec<random::Source>,
}

impl Demand {
    /// Adds a vehicle.
    pub fn add(&mut self, spec: VehicleSpec) {
        self.departures.push((spec, None));
        self.sort();
    }

    fn sort(&mut self) {
        let next = self.next;
        self.departures[next..].sort_by(|(a, _), (b, _)| a.depart_s.total_cmp(&b.depart_s));
    }

    /// How many vehicles are still to come; `None` if nobody knows.
    pub fn left(&self) -> Option<usize> {
        let flows: Option<usize> = self
            .flows
            .iter()
            .map(|flow| {
                if flow.count >= flow.number || flow.next_s >= flow.end_s {
                    return Some(0);
                }
                (flow.number < u64::MAX).then_some((flow.number - flow.count) as usize)
            })
            .sum();
        (self.random.is_empty()).then_some(self.departures.len() - self.next + flows?)
    }

    /// Vehicles whose time has come by `time_s`, in order of departure.
    pub(crate) fn due(&mut self, time_s: f64, dt: f64, seed: Seed) -> Vec<VehicleSpec> {
        let mut due = Vec::new();
        while let Some((spec, types)) =
            self.departures.get(self.next).filter(|(spec, _)| spec.depart_s <= time_s + 1e-9)
        {
            let mut spec = spec.clone();
            if let Some(types) = types {
                let at = seed.stream("vehicle type", self.next as u64).random();
                if let Some(kind) = self.distributions[*types].draw(at) {
                    spec.vehicle_type = kind.clone();
                }
            }
            due.push(spec);
            self.next += 1;
        }
        for flow in &mut self.flows {
            while flow.next_s <= time_s + 1e-9 && flow.next_s < flow.end_s && flow.count < flow.number {
                let mut random = seed.stream("flow", flow.id << 32 | flow.count);
                let mut spec = flow.spec.clone();
                if let Some(kind) = flow.types.and_then(|types| self.distributions[types].draw(random.random())) {
                    spec.vehicle_type = kind.clone();
                }
                spec.depart_s = flow.next_s;
                spec.name = flow.spec.name.as_ref().map(|name| format!("{name}.{}", flow.count));
                let comes = match flow.rhythm {
                    Rhythm::Every(period) => {
                        flow.next_s += period;
                        true
                    }
                    Rhythm::Poisson(period) => {
                        flow.next_s += -(1.0 - random.random::<f64>()).ln() * period;
                        true
                    }
                    Rhythm::Chance(chance) => {
                        let step = dt.max(1e-3);
                        flow.next_s += step;
                        let comes = random.random::<f64>() < chance * step;
                        if !comes {
                            // The stream of a chance that was missed must not come again.
                            flow.id = flow.id.wrapping_add(1 << 16);
                        }
                        comes
                    }
                };
                if comes {
                    flow.count += 1;
                    due.push(spec);
                }
            }
        }
        for source in &mut self.random {
            source.due(time_s, seed, &mut due);
        }
        due
    }
}

/// Names that files give to types and distributions.
#[derive(Debug, Default)]
struct Types {
    types: BTreeMap<String, VehicleType>,
    distributions: BTreeMap<String, usize>,
}
