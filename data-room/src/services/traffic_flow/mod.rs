//! Traffic flow: counts, speeds, occupancy, turning movements, delays, queues, and the next quarter of an hour.
//!
//! In: [`Step`]s of road users, and everybody once a second. Out: [`FlowFinding`]s of each minute, five minutes and quarter
//! of an hour. Definitions, formulas and their sources stand in `docs/services.md`. Invariants: pure; bounded by the parts
//! of the site and [`crate::services::road_users::MAX_ROAD_USERS`]; an interval in which nothing was heard is no interval
//! without traffic: `observed` says how much of it was seen.

pub mod forecast;
mod gate;
mod level_of_service;
mod movement;
mod queue;
mod settings;
mod sums;
#[cfg(test)]
mod tests;

pub use forecast::{Forecast, Forecaster};
pub use gate::{Direction, Passage};
pub use level_of_service::LevelOfService;
pub use queue::Queue;
pub use settings::{ApproachSettings, Control, GateSettings, MovementSettings, TrafficFlowSettings};
pub use sums::{Flow, MovementFlow, PeopleFlow, QueueFlow};

use super::class::RoadUserClass;
use super::interval::{Interval, Minutes};
use super::road_users::{RoadUserId, RoadUsers, Step};
use super::site::ServiceSite;
use gate::Gate;
use masa_v2x_proto::time::Timestamp;
use movement::Trips;
use std::collections::BTreeMap;
use sums::Sums;

/// Forecasts are made of intervals of which at least this share was observed.
const ENOUGH_OBSERVED: f64 = 0.8;

/// What traffic flow finds out.
#[derive(Clone, Debug, PartialEq)]
pub enum FlowFinding {
    /// Traffic at a gate.
    Flow(Flow),
    /// People at a gate.
    People(PeopleFlow),
    /// Traffic from one arm to another.
    Movement(MovementFlow),
    /// Queues on an approach.
    Queue(QueueFlow),
    /// What is expected at a gate.
    Forecast {
        /// The gate.
        gate: String,
        /// Which way.
        direction: Direction,
        /// What is expected of motor vehicles.
        forecast: Forecast,
    },
}

/// The traffic of a site.
#[derive(Clone, Debug)]
pub struct TrafficFlow {
    settings: TrafficFlowSettings,
    utc_offset_min: i32,
    gates: Vec<Gate>,
    approaches: Vec<ApproachSettings>,
    movements: BTreeMap<(String, String), MovementSettings>,
    trips: Trips,
    minutes: Minutes<Sums>,
    forecasters: BTreeMap<(usize, Direction), Forecaster>,
}

impl TrafficFlow {
    /// The traffic of a checked site.
    pub fn new(site: &ServiceSite) -> Self {
        let key = |movement: &MovementSettings| (movement.from.clone(), movement.to.clone());
        Self {
            settings: site.traffic_flow,
            utc_offset_min: site.utc_offset_min,
            gates: site.gates.iter().cloned().map(Gate::new).collect(),
            approaches: site.approaches.clone(),
            movements: site.movements.iter().map(|movement| (key(movement), movement.clone())).collect(),
            trips: Trips::default(),
            minutes: Minutes::default(),
            forecasters: BTreeMap::new(),
        }
    }

    /// Somebody moved.
    pub fn step(&mut self, step: &Step) {
        self.trips.follow(step);
        for place in 0..self.gates.len() {
            let at = self.gates[place].take(step);
            if let Some((from, to)) = at.occupied.filter(|_| step.class != RoadUserClass::Pedestrian) {
                self.minutes.spread(from, to, |sums, s| *sums.occupied_s.entry(place).or_default() += s);
            }
            if let Some(passage) = at.passage {
                self.pass(place, &passage, step.to.0);
            }
        }
    }

    /// Somebody has gone.
    pub fn lose(&mut self, id: RoadUserId) {
        for place in 0..self.gates.len() {
            if let Some(passage) = self.gates[place].lose(id) {
                self.pass(place, &passage, passage.at);
            }
        }
        self.trips.lose(id);
    }

    fn pass(&mut self, place: usize, passage: &Passage, now: Timestamp) {
        if let Some(sums) = self.minutes.at(passage.at) {
            sums.pass(place, passage);
        }
        let Some(arm) = &self.gates[place].settings.arm else { return };
        let Some(trip) = self.trips.pass(arm, passage, now, self.settings.longest_trip_s) else { return };
        let key = (trip.from.clone(), trip.to.clone());
        let delay_s = trip.delay_s(self.movements.get(&key).map_or(self.settings.free_flow_mps, |m| m.free_flow_mps));
        if let Some(sums) = self.minutes.at(passage.at) {
            sums.trip(key, passage.class, trip.travel_s, delay_s);
        }
    }

    /// A second of the clock: `observed` tells whether stations were heard in it.
    pub fn second(&mut self, now: Timestamp, observed: bool, everybody: &RoadUsers) {
        let queues: Vec<_> = self
            .approaches
            .iter()
            .map(|approach| queue::longest(approach, everybody.iter().map(|(_, user)| user), now))
            .collect();
        if let Some(sums) = self.minutes.at(now).filter(|_| observed) {
            sums.observed_s += 1.0;
            for (place, queue) in queues.iter().enumerate() {
                sums.queue(place, queue);
            }
        }
    }

    /// What is found out by `now`.
    pub fn findings(&mut self, now: Timestamp) -> Vec<FlowFinding> {
        let over = self.minutes.close(now.plus_ms(-self.settings.lateness_ms));
        over.iter().flat_map(|interval| self.found(interval)).collect()
    }

    fn found(&mut self, interval: &Interval<Sums>) -> Vec<FlowFinding> {
        let mut found = Vec::new();
        for (place, gate) in self.gates.iter().enumerate() {
            found.extend(sums::flows(interval, place, &gate.settings, &self.settings).map(FlowFinding::Flow));
            found.extend(sums::people(interval, place, &gate.settings).map(FlowFinding::People));
        }
        found.extend(sums::movements(interval, &self.movements).map(FlowFinding::Movement));
        found.extend(
            self.approaches
                .iter()
                .enumerate()
                .map(|(place, approach)| FlowFinding::Queue(sums::queues(interval, place, approach))),
        );
        let is_slot = interval.length_s() * 1e3 == forecast::SLOT_MS as f64;
        if is_slot && interval.sum.observed(interval.length_s()) >= ENOUGH_OBSERVED {
            found.extend(self.expect(interval));
        }
        found
    }

    fn expect(&mut self, interval: &Interval<Sums>) -> Vec<FlowFinding> {
        let mut found = Vec::new();
        for (place, gate) in self.gates.iter().enumerate() {
            for direction in Direction::ALL {
                let count = interval.sum.motor_vehicles(place, direction);
                // A way that nobody ever takes has no future.
                let known = self.forecasters.contains_key(&(place, direction));
                if count == 0 && !known {
                    continue;
                }
                let forecaster = self.forecasters.entry((place, direction));
                let forecaster = forecaster.or_insert_with(|| Forecaster::new(self.utc_offset_min));
                forecaster.take(interval.from, f64::from(count));
                let gate = gate.settings.id.clone();
                found.extend(forecaster.forecast().map(|forecast| FlowFinding::Forecast { gate, direction, forecast }));
            }
        }
        found
    }

    /// Tells a forecaster what was counted before this run: slots in order.
    pub fn remember(&mut self, gate: &str, direction: Direction, from: Timestamp, count: u32) {
        let Some(place) = self.gates.iter().position(|known| known.settings.id == gate) else { return };
        let forecaster = self.forecasters.entry((place, direction));
        let forecaster = forecaster.or_insert_with(|| Forecaster::new(self.utc_offset_min));
        forecaster.take(from, f64::from(count));
    }

    /// Passages and spans that came when their minute was over.
    pub const fn late(&self) -> u64 {
        self.minutes.late()
    }
}
