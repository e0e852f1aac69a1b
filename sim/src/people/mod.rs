//! People: on pavements and crossings, alone, in groups and in crowds.
//!
//! In: [`Roads`], settings, people to spawn by name ([`PersonSpec`]), by crowd ([`CrowdSpec`]), by rate ([`DemandSettings`])
//! or from SUMO's route files ([`sumo`]). Out: a [`Population`]. People move by the social force ([`force`]) within the
//! width of their strip, obey signals, judge gaps in traffic, and break rules by rate. Invariants: people see each other at
//! the same time, so their order changes nothing; each has a random stream of its own. Absent: stairs, doors, queues at
//! counters, carrying vehicles (a ride is an absence).

mod animals;
mod conflicts;
mod crossing;
mod demand;
mod force;
mod objects;
mod path;
mod pavement;
mod person;
mod stages;
pub mod sumo;
mod walk;

#[cfg(test)]
mod tests;

pub use animals::{AnimalSpec, Animals};
pub use demand::{DemandSettings, MixSettings};
pub use force::ForceSettings;
pub use objects::{ObjectSpec, Objects};
pub use person::{AtEnd, Manners, PersonSpec, Walker, Ways};

use crate::actor::{Actor, ActorId};
use crate::random::Seed;
use crate::roads::{Roads, SignalState};
use crate::snapshot::Snapshot;
use crate::world::{Command, Population};
use demand::Demand;
use force::{Body, Neighbours};
use nalgebra::{Point2, Point3};
use path::{Gait, Path};
use pavement::{Pavement, Place};
use person::Person;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use stages::Stage;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How people behave and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PeopleSettings {
    /// The social force.
    pub force: ForceSettings,
    /// How often rules are broken.
    pub manners: MannersSettings,
    /// People who come by themselves; not set: only those that are spawned.
    pub demand: Option<DemandSettings>,
}

/// How often rules are broken, and devices carried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MannersSettings {
    /// Share of adults who look at a phone, 0 to 1.
    pub distracted_share: f64,
    /// Share of people who cross where there is no crossing, 0 to 1.
    pub jaywalker_share: f64,
    /// Share of people who go at red when there is a gap, 0 to 1.
    pub ignores_red_share: f64,
    /// How often a child runs across the road, times an hour for each child on a pavement.
    pub run_outs_per_child_hour: f64,
    /// Share of people with a device that sends V2X messages, 0 to 1.
    pub connected_share: f64,
}

impl Default for MannersSettings {
    fn default() -> Self {
        Self {
            distracted_share: 0.1,
            jaywalker_share: 0.05,
            ignores_red_share: 0.03,
            run_outs_per_child_hour: 0.0,
            connected_share: 0.0,
        }
    }
}

/// A crowd at one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CrowdSpec {
    /// How many, up to 1,000.
    pub people: u32,
    /// Middle of the disc on which they stand, ENU metres.
    pub centre: [f64; 2],
    /// Radius of the disc, metres.
    pub radius_m: f64,
    /// Where they go, one of these each, ENU metres; empty: they stay.
    pub exits: Vec<[f64; 2]>,
    /// How they go there.
    pub ways: Ways,
    /// When the crowd appears, seconds.
    pub depart_s: f64,
}

impl Default for CrowdSpec {
    fn default() -> Self {
        Self { people: 100, centre: [0.0; 2], radius_m: 8.0, exits: Vec::new(), ways: Ways::Straight, depart_s: 0.0 }
    }
}

/// Why people cannot be put on the road.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PeopleError {
    /// A place is far from every pavement.
    #[error("no pavement within {LARGEST_DETOUR_M} m of {0:.1}, {1:.1}")]
    NoPavement(f64, f64),
    /// No way leads there.
    #[error("no way on foot from {0:.1}, {1:.1} to {2:.1}, {3:.1}")]
    NoWay(f64, f64, f64, f64),
    /// More than fit.
    #[error("{0} people do not fit into a disc of {1} m: at most {2} do")]
    TooMany(u32, f64, u32),
    /// A coordinate or a speed is no number.
    #[error("`{0}` is not a finite number")]
    NotFinite(&'static str),
}

/// Farthest that a place may be from the pavement, metres.
const LARGEST_DETOUR_M: f64 = 60.0;
/// Most people of one crowd.
const LARGEST_CROWD: u32 = 1_000;
/// Longest step of the social force, seconds.
const LONGEST_STEP_S: f64 = 0.1;

/// A population of people.
#[derive(Debug)]
pub struct People {
    roads: Arc<Roads>,
    settings: PeopleSettings,
    seed: Seed,
    population: u8,
    next_number: u32,
    pavement: Pavement,
    people: Vec<Person>,
    /// Who comes later, by time.
    waiting: VecDeque<(ActorId, PersonSpec, VecDeque<Stage>)>,
    /// Who is on a vehicle or indoors, and until when.
    away: Vec<(f64, Person)>,
    demand: Option<Demand>,
    neighbours: Neighbours,
    bodies: Vec<Body>,
    now_s: f64,
    /// People that could not be put on the road, for want of a way.
    stranded: u64,
}

impl People {
    /// Nobody yet. `population` numbers the actors and must be this population's own.
    pub fn new(roads: Arc<Roads>, settings: PeopleSettings, seed: Seed, population: u8) -> Self {
        let pavement = Pavement::new(&roads);
        let demand = settings.demand.clone().map(|settings| Demand::new(settings, &pavement, seed));
        let mut people = Self {
            roads,
            settings,
            seed,
            population,
            next_number: 0,
            pavement,
            people: Vec::new(),
            waiting: VecDeque::new(),
            away: Vec::new(),
            demand,
            neighbours: Neighbours::default(),
            bodies: Vec::new(),
            now_s: 0.0,
            stranded: 0,
        };
        people.begin_demand();
        people
    }

    /// Puts a person on the road, now or at its time.
    ///
    /// # Errors
    /// When a place is no number or off the pavement, or no way leads there.
    pub fn spawn(&mut self, spec: PersonSpec) -> Result<ActorId, PeopleError> {
        let finite = |point: &[f64; 2]| point.iter().all(|v| v.is_finite());
        if !finite(&spec.from) || !spec.to.iter().all(finite) {
            return Err(PeopleError::NotFinite("from or to"));
        }
        if !spec.depart_s.is_finite() || spec.speed_mps.is_some_and(|v| !v.is_finite() || v < 0.0) {
            return Err(PeopleError::NotFinite("depart-s or speed-mps"));
        }
        let id = ActorId::of(self.population, self.next_number);
        self.next_number += 1;
        let spec = self.with_luck(id, spec);
        if spec.depart_s > self.now_s {
            // The way is looked for now, so that an error comes now.
            self.plan(&spec)?;
            self.queue(id, spec, VecDeque::new());
        } else {
            self.place(id, &spec)?;
        }
        Ok(id)
    }

    /// Puts a crowd on the road.
    ///
    /// # Errors
    /// When it does not fit, or as for [`Self::spawn`].
    pub fn spawn_crowd(&mut self, spec: &CrowdSpec) -> Result<Vec<ActorId>, PeopleError> {
        // A hexagonal lattice of standing people, at most about 4.5 a square metre.
        let fits = ((spec.radius_m.powi(2) * std::f64::consts::PI * 4.5) as u32).min(LARGEST_CROWD);
        if spec.people > fits {
            return Err(PeopleError::TooMany(spec.people, spec.radius_m, fits));
        }
        let mut luck = self.seed.stream("crowd", u64::from(self.next_number));
        // Sunflower seeds: even without being a grid.
        let golden = std::f64::consts::PI * (3.0 - 5f64.sqrt());
        (0..spec.people)
            .map(|i| {
                let r = spec.radius_m * ((f64::from(i) + 0.5) / f64::from(spec.people)).sqrt();
                let angle = golden * f64::from(i);
                let to = if spec.exits.is_empty() {
                    Vec::new()
                } else {
                    vec![spec.exits[luck.random_range(0..spec.exits.len())]]
                };
                let from = [spec.centre[0] + r * angle.cos(), spec.centre[1] + r * angle.sin()];
                let at_end = if to.is_empty() { AtEnd::Stay } else { AtEnd::Leave };
                let walker = self.settings.demand.as_ref().map(|demand| demand.mix).unwrap_or_default().draw(&mut luck);
                let (ways, depart_s) = (spec.ways, spec.depart_s);
                self.spawn(PersonSpec { walker, from, to, at_end, ways, depart_s, ..PersonSpec::default() })
            })
            .collect()
    }

    /// Makes somebody on a pavement run across the road at once, without looking. Whether that was possible.
    pub fn run_out(&mut self, id: ActorId) -> bool {
        self.index(id).is_some_and(|at| self.run_across(at))
    }

    /// Manners of somebody on the road: who looks at a phone, who crosses anywhere, who ignores red.
    pub fn manners(&self, id: ActorId) -> Option<Manners> {
        self.index(id).map(|at| self.people[at].manners)
    }

    /// How many are on the road.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Nobody is on the road.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// How many were left out since no way leads where they wanted to go.
    pub fn stranded(&self) -> u64 {
        self.stranded
    }

    fn index(&self, id: ActorId) -> Option<usize> {
        self.people.binary_search_by_key(&id, |person| person.id).ok()
    }

    /// Draws what a specification leaves open.
    fn with_luck(&self, id: ActorId, mut spec: PersonSpec) -> PersonSpec {
        let mut luck = self.seed.stream("manners", u64::from(id.0));
        let rates = &self.settings.manners;
        let mut chance = |share: f64| luck.random::<f64>() < share;
        let grown = matches!(spec.walker, Walker::Adult | Walker::Elderly);
        let drawn = Manners {
            distracted: chance(rates.distracted_share) && grown,
            jaywalker: chance(rates.jaywalker_share),
            ignores_red: chance(rates.ignores_red_share) && grown,
        };
        let connected = chance(rates.connected_share) && spec.walker != Walker::Dog;
        spec.manners = spec.manners.or(Some(drawn));
        spec.connected = spec.connected.or(Some(connected));
        spec
    }

    fn queue(&mut self, id: ActorId, spec: PersonSpec, stages: VecDeque<Stage>) {
        let at = self.waiting.partition_point(|(other, before, _)| (before.depart_s, *other) <= (spec.depart_s, id));
        self.waiting.insert(at, (id, spec, stages));
    }

    /// The way of a person, and where on the pavement it ends.
    fn plan(&self, spec: &PersonSpec) -> Result<(Path, Option<Place>), PeopleError> {
        let point = |p: [f64; 2]| Point2::new(p[0], p[1]);
        let mut path = Path::default();
        let straight = |path: &mut Path, half_width_m: f64| {
            let points = std::iter::once(&spec.from).chain(&spec.to);
            path.push(points.map(|p| Point3::new(p[0], p[1], 0.0)), half_width_m, None, Gait::Walk);
        };
        match spec.ways {
            Ways::Straight => straight(&mut path, f64::INFINITY),
            Ways::Corridor(width_m) => straight(&mut path, width_m / 2.0),
            Ways::Pavement if spec.to.is_empty() => straight(&mut path, f64::INFINITY),
            Ways::Pavement => {
                let near = |p: [f64; 2]| {
                    let found = self.pavement.nearest(point(p)).filter(|(_, far)| *far <= LARGEST_DETOUR_M);
                    found.map(|(place, _)| place).ok_or(PeopleError::NoPavement(p[0], p[1]))
                };
                let mut from = near(spec.from)?;
                let jaywalk = spec.manners.is_some_and(|manners| manners.jaywalker);
                for (to, before) in spec.to.iter().zip(std::iter::once(&spec.from).chain(&spec.to)) {
                    let place = near(*to)?;
                    if !self.pavement.route(from, place, jaywalk, &mut path) {
                        return Err(PeopleError::NoWay(before[0], before[1], to[0], to[1]));
                    }
                    from = place;
                }
                return Ok((path, Some(from)));
            }
        }
        Ok((path, None))
    }

    fn place(&mut self, id: ActorId, spec: &PersonSpec) -> Result<(), PeopleError> {
        let (path, destination) = self.plan(spec)?;
        if let Some(mut person) = Person::new(id, spec, path, self.seed) {
            person.destination = destination;
            self.insert(person);
        }
        Ok(())
    }

    fn depart(&mut self) {
        while self.waiting.front().is_some_and(|(_, spec, _)| spec.depart_s <= self.now_s + 1e-9) {
            let Some((id, spec, stages)) = self.waiting.pop_front() else { break };
            let staged = !stages.is_empty();
            if !if staged { self.place_staged(id, &spec, stages) } else { self.place(id, &spec).is_ok() } {
                self.stranded += 1;
            }
        }
    }

    fn run_across(&mut self, at: usize) -> bool {
        let person = &self.people[at];
        let here = person.position;
        let Some((place, _)) = self.pavement.nearest(here).filter(|(_, far)| *far < 3.0) else { return false };
        let Some(across) = self.pavement.across(&self.roads, place) else { return false };
        let Some(there) = self.pavement.point(across) else { return false };
        let mut path = Path::default();
        path.push([Point3::new(here.x, here.y, person.z_m), there], f64::INFINITY, None, Gait::Run);
        if let Some(to) = person.destination {
            self.pavement.route(across, to, false, &mut path);
        }
        self.people[at].follow(path);
        true
    }

    /// Positions by group: middle and number.
    fn groups(&self) -> BTreeMap<u32, (Point2<f64>, f64)> {
        let mut groups: BTreeMap<u32, (Point2<f64>, f64)> = BTreeMap::new();
        for person in &self.people {
            if let Some(group) = person.group {
                let (sum, count) = groups.entry(group).or_insert((Point2::origin(), 0.0));
                *sum += person.position.coords;
                *count += 1.0;
            }
        }
        for (sum, count) in groups.values_mut() {
            *sum /= *count;
        }
        groups
    }
}

impl Population for People {
    fn step(&mut self, before: &Snapshot, signals: &[Vec<SignalState>], step_s: f64) {
        self.now_s = before.time_s + step_s;
        self.arrive_by_rate(step_s);
        self.depart();
        self.decide(before, signals, step_s);
        let parts = (step_s / LONGEST_STEP_S).ceil().max(1.0);
        let groups = self.groups();
        let traffic = crossing::Traffic::new(before);
        for _ in 0..parts as usize {
            self.walk(&traffic, &groups, step_s / parts);
        }
        self.begin_stages();
        let gone = |person: &Person| person.arrived && person.stages.is_empty() && person.at_end == AtEnd::Leave;
        self.people.retain(|person| !gone(person));
    }

    fn write(&self, into: &mut Vec<Actor>) {
        into.extend(self.people.iter().map(Person::actor));
    }

    fn command(&mut self, id: ActorId, command: Command) -> bool {
        let Some(at) = self.index(id) else { return false };
        match command {
            Command::LimitSpeed(limit) => self.people[at].limit_mps = limit,
            Command::Brake(braking) => self.people[at].limit_mps = braking.map(|_| 0.0),
            Command::Release => self.people[at].limit_mps = None,
            Command::Remove => {
                self.people.remove(at);
            }
            Command::ChangeLane(_) | Command::Control { .. } => return false,
        }
        true
    }
}
