//! The traffic itself: what it holds, and a step of it.

use super::best::Memory;
use super::decide::{self, Decision};
use super::demand::Demand;
use super::detector::Detectors;
use super::foreign::Surroundings;
use super::insert::Pending;
use super::kinds::VehicleType;
use super::net::Net;
use super::parking::Parking;
use super::plan::{self, View};
use super::right_of_way::{self, LinkState};
use super::settings::TrafficSettings;
use super::spawn::SpawnError;
use super::trip::Trip;
use super::vehicle::{Approach, Body, Info, LaneState, Mind, Route};
use super::{clear, lane_change};
use crate::actor::{Actor, ActorId};
use crate::random::Seed;
use crate::roads::{Roads, SignalState};
use crate::snapshot::Snapshot;
use crate::world::{Command, Population};
use rayon::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Vehicles that departed.
    pub departed: u64,
    /// Vehicles that arrived.
    pub arrived: u64,
    /// Vehicles that were taken off the road by command.
    pub removed: u64,
    /// Vehicles that stood too long and were put further along.
    pub teleports: u64,
    /// Vehicles that were stopped at the end of a lane since they could not go on.
    pub emergency_stops: u64,
    /// Times that a driver gave a bay up: none was free, or somebody stood behind.
    pub missed_bays: u64,
    /// Vehicles times steps.
    pub vehicle_steps: u64,
}

/// Vehicle traffic on a network.
pub struct Traffic {
    pub(crate) roads: Arc<Roads>,
    pub(crate) net: Net,
    pub(crate) settings: TrafficSettings,
    pub(crate) seed: Seed,
    pub(crate) types: Vec<VehicleType>,
    pub(crate) routes: BTreeMap<Vec<u32>, Arc<Route>>,
    pub(crate) memory: Memory,
    pub(crate) bodies: Vec<Body>,
    pub(crate) minds: Vec<Mind>,
    pub(crate) infos: Vec<Info>,
    pub(crate) free: Vec<u32>,
    pub(crate) lanes: Vec<LaneState>,
    pub(crate) states: Vec<LinkState>,
    pub(crate) approaching: Vec<Vec<Approach>>,
    pub(crate) approached: Vec<u32>,
    pub(crate) surroundings: Surroundings,
    pub(crate) pending: VecDeque<Pending>,
    pub(crate) teleporting: Vec<(u32, f64)>,
    pub(crate) next_serial: u32,
    pub(crate) time: f64,
    pub(crate) dt: f64,
    pub(crate) counters: Counters,
    pub(crate) pool: Option<rayon::ThreadPool>,
    pub(crate) trips: Option<Vec<Trip>>,
    pub(crate) demand: Demand,
    pub(crate) refused: (u64, Option<SpawnError>),
    pub(crate) detectors: Detectors,
    /// How many vehicles are driven by hand.
    pub(crate) by_hand: u32,
    pub(crate) parking: Parking,
}

impl std::fmt::Debug for Traffic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Traffic").field("time_s", &self.time).field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl Traffic {
    /// The population that vehicles are of: the upper byte of their numbers.
    pub const POPULATION: u8 = 1;

    /// No traffic yet on a network.
    pub fn new(roads: Arc<Roads>, settings: TrafficSettings, seed: Seed) -> Self {
        let net = Net::new(&roads);
        let parking = Parking::new(&roads);
        let pool = match settings.threads {
            1 => None,
            threads => rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok(),
        };
        Self {
            lanes: net.lanes.iter().map(|_| LaneState::default()).collect(),
            states: right_of_way::initial(&net),
            approaching: vec![Vec::new(); net.links.len()],
            approached: Vec::new(),
            surroundings: Surroundings::new(&roads),
            roads,
            net,
            settings,
            seed,
            types: Vec::new(),
            routes: BTreeMap::new(),
            memory: Memory::default(),
            bodies: Vec::new(),
            minds: Vec::new(),
            infos: Vec::new(),
            free: Vec::new(),
            pending: VecDeque::new(),
            teleporting: Vec::new(),
            next_serial: 0,
            time: 0.0,
            dt: 0.1,
            counters: Counters::default(),
            pool,
            trips: None,
            demand: Demand::default(),
            refused: (0, None),
            detectors: Detectors::default(),
            by_hand: 0,
            parking,
        }
    }

    /// The network.
    pub fn roads(&self) -> &Arc<Roads> {
        &self.roads
    }

    /// What was counted since the start.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Sets who is to come.
    pub fn set_demand(&mut self, demand: Demand) {
        self.demand = demand;
    }

    /// Everybody who was to come has come and gone.
    pub fn is_over(&self) -> bool {
        self.demand.left() == Some(0) && self.pending.is_empty() && self.bodies.iter().all(|body| !body.alive)
    }

    /// How many vehicles of the demand could not come, since their route or a stop makes no sense, with the first reason.
    pub fn refused(&self) -> (u64, Option<&SpawnError>) {
        (self.refused.0, self.refused.1.as_ref())
    }

    fn take_due(&mut self) {
        for spec in self.demand.due(self.time, self.dt, self.seed) {
            if let Err(error) = self.spawn(spec) {
                tracing::warn!(%error, "a vehicle cannot come");
                self.refused.0 += 1;
                self.refused.1.get_or_insert(error);
            }
        }
    }

    /// How many vehicles are on the road.
    pub fn running(&self) -> usize {
        self.bodies.iter().filter(|body| body.alive).count()
    }

    /// How many vehicles wait for room to depart.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Numbers each lane's vehicles and says how much space is in front of each.
    fn number(&mut self) {
        for lane in &self.lanes {
            let mut in_front = 0.0;
            for (rank, vehicle) in lane.vehicles.iter().enumerate().rev() {
                let body = &mut self.bodies[*vehicle as usize];
                body.rank = rank as u32;
                body.in_front = in_front;
                in_front += body.space();
            }
        }
    }

    fn think(&mut self, what: impl Fn(View<'_>, u32, &mut Mind) + Sync) {
        let view = View {
            net: &self.net,
            lanes: &self.lanes,
            bodies: &self.bodies,
            states: &self.states,
            approaching: &self.approaching,
            walkers: &self.surroundings.walkers,
            time: self.time,
            dt: self.dt,
        };
        let think = |(vehicle, mind): (usize, &mut Mind)| {
            let body = &view.bodies[vehicle];
            if body.drives() {
                what(view, vehicle as u32, mind);
            }
        };
        match &self.pool {
            None => self.minds.iter_mut().enumerate().for_each(think),
            Some(pool) => {
                let minds = &mut self.minds;
                pool.install(|| minds.par_iter_mut().with_min_len(64).enumerate().for_each(think));
            }
        }
    }

    /// Writes down who approaches which link.
    fn register(&mut self) {
        for link in self.approached.drain(..) {
            self.approaching[link as usize].clear();
        }
        for (vehicle, mind) in self.minds.iter().enumerate() {
            let body = &self.bodies[vehicle];
            if !body.drives() {
                continue;
            }
            for item in &mind.items {
                if item.link == super::net::NONE {
                    continue;
                }
                let link = self.net.link(item.link);
                if !link.watched {
                    continue;
                }
                let list = &mut self.approaching[item.link as usize];
                if list.is_empty() {
                    self.approached.push(item.link);
                }
                let leave = item.leave();
                list.push(Approach {
                    vehicle: vehicle as u32,
                    arrival: item.arrival,
                    leaving: right_of_way::leaving(link, item.arrival, item.arrival_speed, leave, body.length()),
                    leave_speed: leave,
                    will_pass: item.request,
                    arrival_speed_braking: item.arrival_speed_braking,
                    waiting_s: body.waiting_s,
                    distance: item.distance,
                    speed: body.speed,
                    decel: body.driver.decel,
                });
            }
        }
    }

    fn change_lanes(&mut self) {
        let mut done = Vec::new();
        let mut world = lane_change::Changing {
            net: &self.net,
            lanes: &mut self.lanes,
            bodies: &mut self.bodies,
            minds: &mut self.minds,
            states: &self.states,
            approaching: &self.approaching,
            walkers: &self.surroundings.walkers,
            time: self.time,
            dt: self.dt,
            done: &mut done,
        };
        for (edge, lanes) in self.net.edges.iter().enumerate() {
            if lanes.len() < 2 || self.net.lane(lanes[0]).internal {
                continue;
            }
            if lanes.iter().any(|lane| !world.lanes[*lane as usize].vehicles.is_empty()) {
                lane_change::change_edge(&mut world, edge as u32);
            }
        }
        for (vehicle, offset) in done {
            self.show_change(vehicle, offset);
        }
    }
}

impl Population for Traffic {
    fn step(&mut self, before: &Snapshot, signals: &[Vec<SignalState>], step_s: f64) {
        self.time = before.time_s;
        self.dt = step_s;
        right_of_way::update(&self.net, signals, &mut self.states);
        self.look_around(before);
        self.number();
        self.think(|view, vehicle, mind| {
            plan::plan(view, vehicle, mind);
            clear::take_back(view, vehicle, view.bodies[vehicle as usize].in_front, mind);
        });
        self.register();
        self.think(|view, vehicle, mind| mind.decision = decide::decide(view, vehicle, mind));
        self.advance();
        self.drive_by_hand();
        self.count();
        self.change_lanes();
        self.drive_wrong_way();
        self.park();
        self.take_due();
        self.insert();
        self.finish_poses(before);
        self.counters.vehicle_steps += self.running() as u64;
    }

    fn write(&self, into: &mut Vec<Actor>) {
        self.write_actors(into);
    }

    fn command(&mut self, id: ActorId, command: Command) -> bool {
        self.follow_command(id, command)
    }
}

impl Default for Mind {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            stop_dist: f64::INFINITY,
            decision: Decision::default(),
            random: Seed(0).stream("driver", 0),
            impatience: 0.0,
            state: 0,
            speed_gain_mood: 0.0,
            keep_right_mood: 0.0,
            blocker_length: 0.0,
            left_space: 0.0,
            look_ahead: 0.0,
            advice: Vec::new(),
            dont_brake: false,
            passing_minor: false,
            limit: f64::INFINITY,
            brake: None,
            change: 0,
            cooperative: 1.0,
            strategic: 1.0,
            speed_gain: 1.0,
            keep_right: 1.0,
            assertive: 1.0,
        }
    }
}
