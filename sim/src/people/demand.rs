//! People who come by themselves, at random.

use super::People;
use super::pavement::{Pavement, Place};
use super::person::{PersonSpec, Walker};
use crate::random::Seed;
use rand::RngExt;
use rand_distr::{Distribution, Exp};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// How many people come and who.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DemandSettings {
    /// Trips that begin in an hour, in the whole network.
    pub trips_per_hour: f64,
    /// People on their way at the start.
    pub at_start: u32,
    /// Shortest and longest trip as the crow flies, metres.
    pub trip_m: (f64, f64),
    /// Who they are.
    pub mix: MixSettings,
    /// Share of trips made by a group of two to four, 0 to 1.
    pub group_share: f64,
    /// Share of adults with a dog on a leash, 0 to 1.
    pub dog_share: f64,
}

impl Default for DemandSettings {
    fn default() -> Self {
        Self {
            trips_per_hour: 600.0,
            at_start: 0,
            trip_m: (80.0, 600.0),
            mix: MixSettings::default(),
            group_share: 0.15,
            dog_share: 0.02,
        }
    }
}

/// Who is among the people: weights, whose sum does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MixSettings {
    /// Adults.
    pub adults: f64,
    /// Elderly adults.
    pub elderly: f64,
    /// Children.
    pub children: f64,
    /// People in wheelchairs.
    pub wheelchairs: f64,
}

impl Default for MixSettings {
    fn default() -> Self {
        Self { adults: 0.72, elderly: 0.15, children: 0.12, wheelchairs: 0.01 }
    }
}

impl MixSettings {
    /// One of them.
    pub(crate) fn draw(&self, luck: &mut Pcg64Mcg) -> Walker {
        let weights = [
            (Walker::Adult, self.adults),
            (Walker::Elderly, self.elderly),
            (Walker::Child, self.children),
            (Walker::Wheelchair, self.wheelchairs),
        ];
        let mut left = luck.random::<f64>() * weights.iter().map(|(_, weight)| weight.max(0.0)).sum::<f64>();
        for (walker, weight) in weights {
            left -= weight.max(0.0);
            if left < 0.0 {
                return walker;
            }
        }
        Walker::Adult
    }
}

/// State of the demand.
#[derive(Debug)]
pub(super) struct Demand {
    settings: DemandSettings,
    luck: Pcg64Mcg,
    next_s: f64,
    /// Length of the pavement up to and with each strip; crossings count nothing.
    lengths: Vec<f64>,
    dead_ends: Vec<Place>,
    groups: u32,
}

/// Attempts to find a trip of the wanted length.
const ATTEMPTS: usize = 12;
/// Numbers of groups of the demand begin here, so that a scenario's own lie below.
const FIRST_GROUP: u32 = 1 << 16;

impl Demand {
    pub(super) fn new(settings: DemandSettings, pavement: &Pavement, seed: Seed) -> Self {
        let mut sum = 0.0;
        let lengths = pavement.strips.iter().map(|strip| {
            sum += if strip.crossing.is_some() { 0.0 } else { strip.line.length_m() };
            sum
        });
        let lengths = lengths.collect();
        let luck = seed.stream("people demand", 0);
        Self { settings, luck, next_s: 0.0, lengths, dead_ends: pavement.dead_ends(), groups: FIRST_GROUP }
    }

    fn anywhere(&mut self) -> Option<Place> {
        let whole = *self.lengths.last()?;
        let at = self.luck.random::<f64>() * whole;
        let strip = self.lengths.partition_point(|sum| *sum <= at);
        let before = if strip == 0 { 0.0 } else { self.lengths[strip - 1] };
        (strip < self.lengths.len()).then_some(Place { strip, s_m: at - before })
    }

    /// Who comes in begins at an end of the network where there is one, so that nobody appears before a camera.
    fn begin(&mut self) -> Option<Place> {
        if self.dead_ends.is_empty() {
            return self.anywhere();
        }
        Some(self.dead_ends[self.luck.random_range(0..self.dead_ends.len())])
    }

    /// The people of a trip.
    fn trip(&mut self, pavement: &Pavement, from: Place) -> Option<Vec<PersonSpec>> {
        let start = pavement.point(from)?.xy();
        let (least, most) = self.settings.trip_m;
        let end = (0..ATTEMPTS).find_map(|_| {
            let to = self.anywhere()?;
            let end = pavement.point(to)?.xy();
            let fits = (least..=most).contains(&(end - start).norm());
            (fits && pavement.route(from, to, false, &mut super::path::Path::default())).then_some(end)
        })?;
        let grouped = self.luck.random::<f64>() < self.settings.group_share;
        let people = if grouped { self.luck.random_range(2..=4) } else { 1 };
        let mut group = None;
        if grouped {
            self.groups += 1;
            group = Some(self.groups);
        }
        let walkers: Vec<Walker> = (0..people).map(|_| self.settings.mix.draw(&mut self.luck)).collect();
        Some(
            walkers
                .into_iter()
                .map(|walker| PersonSpec {
                    walker,
                    from: [start.x, start.y],
                    to: vec![[end.x, end.y]],
                    group,
                    ..PersonSpec::default()
                })
                .collect(),
        )
    }
}

impl People {
    /// Puts those on the road who are there at the start.
    pub(super) fn begin_demand(&mut self) {
        let Some(demand) = &mut self.demand else { return };
        let wanted = demand.settings.at_start as usize;
        demand.next_s = next(demand, 0.0);
        for _ in 0..wanted {
            if self.people.len() >= wanted {
                break;
            }
            self.begin_trip(Demand::anywhere);
        }
    }

    /// Begins the trips of a step.
    pub(super) fn arrive_by_rate(&mut self, _step_s: f64) {
        while let Some(demand) = self.demand.as_mut().filter(|demand| demand.next_s <= self.now_s) {
            demand.next_s = next(demand, demand.next_s);
            self.begin_trip(Demand::begin);
        }
    }

    fn begin_trip(&mut self, begin: fn(&mut Demand) -> Option<Place>) {
        let Some(demand) = &mut self.demand else { return };
        let Some(specs) = begin(demand).and_then(|from| demand.trip(&self.pavement, from)) else {
            self.stranded += 1;
            return;
        };
        let with_dog = demand.luck.random::<f64>() < demand.settings.dog_share;
        let (from, to) = (specs[0].from, specs[0].to.clone());
        let ids: Vec<_> = specs.into_iter().filter_map(|spec| self.spawn(spec).ok()).collect();
        if let Some(leader) = ids.first().copied().filter(|_| with_dog) {
            let dog = PersonSpec { walker: Walker::Dog, from, to, leader: Some(leader), ..PersonSpec::default() };
            // A dog goes where its person goes, so it has a way as well.
            if self.spawn(dog).is_err() {
                self.stranded += 1;
            }
        }
    }
}

fn next(demand: &mut Demand, after_s: f64) -> f64 {
    match Exp::new(demand.settings.trips_per_hour / 3600.0) {
        Ok(gap) if demand.settings.trips_per_hour > 0.0 => after_s + gap.sample(&mut demand.luck),
        _ => f64::INFINITY,
    }
}
