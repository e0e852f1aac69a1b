//! Crowds: how many people are in a zone, how dense, how near each other, how fast.
//!
//! In: everybody on the road, once a second. Out: a [`CrowdState`] of each zone every minute, five minutes and quarter of
//! an hour. People who pass a line are counted at gates ([`super::traffic_flow::PeopleFlow`]). Invariants: pure; sums
//! only: no number of a person, no single place, no single distance leaves the service; bounded by the zones of the site.

use super::class::RoadUserClass;
use super::interval::{Interval, Minutes, Sum};
use super::road_users::{RoadUser, RoadUsers};
use super::shape::{Area, distance_m};
use super::site::ServiceSite;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Messages later than this do not count for an interval any more, milliseconds.
const LATENESS_MS: i64 = 5_000;
/// Fewer people than this have no distances: the mean of a pair's would be the pair's own.
const LEAST_COMPANY: usize = 3;
/// Most people whose distances are looked at in a zone and second; more are counted all the same.
const MAX_NEIGHBOURS: usize = 500;

/// Where people are counted: a `[[crowd-zone]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CrowdZoneSettings {
    /// Its name, unique in the site.
    pub id: String,
    /// Its corners.
    pub polygon_m: Area,
    /// From how many people on a square metre on it is crowded. 0.72 is where Fruin's level of service for walkways goes
    /// from C to D.
    #[serde(default = "crowded_per_m2")]
    pub crowded_per_m2: f64,
    /// Nearer to another than this, somebody is close, metres.
    #[serde(default = "close_m")]
    pub close_m: f64,
}

const fn crowded_per_m2() -> f64 {
    0.72
}

const fn close_m() -> f64 {
    1.0
}

/// People in a zone in an interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrowdState {
    /// The zone.
    pub zone: String,
    /// Begin of the interval.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Mean number of people; `None` when no second was observed.
    pub mean_people: Option<f64>,
    /// Most at a time.
    pub most_people: u32,
    /// Mean density, people a square metre.
    pub mean_per_m2: Option<f64>,
    /// The highest.
    pub most_per_m2: f64,
    /// Mean distance to the nearest other one, metres; `None` when there were never three at a time.
    pub mean_nearest_m: Option<f64>,
    /// Share of the same people who were close to another, 0 to 1.
    pub close: Option<f64>,
    /// Mean speed, m/s.
    pub mean_mps: Option<f64>,
    /// Whether it was crowded.
    pub is_crowded: bool,
    /// Share of the interval in which stations were heard, 0 to 1.
    pub observed: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Crowd {
    people: f64,
    most: u32,
    speed: f64,
    with_company: f64,
    nearest_m: f64,
    close: f64,
}

#[derive(Clone, Debug, Default)]
struct Crowds {
    observed_s: f64,
    zones: BTreeMap<usize, Crowd>,
}

impl Sum for Crowds {
    fn add(&mut self, other: &Self) {
        self.observed_s += other.observed_s;
        for (zone, crowd) in &other.zones {
            let sum = self.zones.entry(*zone).or_default();
            sum.people += crowd.people;
            sum.most = sum.most.max(crowd.most);
            sum.speed += crowd.speed;
            sum.with_company += crowd.with_company;
            sum.nearest_m += crowd.nearest_m;
            sum.close += crowd.close;
        }
    }
}

/// The crowds of a site.
#[derive(Clone, Debug)]
pub struct CrowdWatch {
    zones: Vec<CrowdZoneSettings>,
    minutes: Minutes<Crowds>,
}

impl CrowdWatch {
    /// The zones of a checked site.
    pub fn new(site: &ServiceSite) -> Self {
        Self { zones: site.crowd_zones.clone(), minutes: Minutes::default() }
    }

    /// A second of the clock: `observed` tells whether stations were heard in it.
    pub fn second(&mut self, now: Timestamp, observed: bool, everybody: &RoadUsers) {
        let Some(sums) = self.minutes.at(now).filter(|_| observed) else { return };
        sums.observed_s += 1.0;
        for (place, zone) in self.zones.iter().enumerate() {
            let is_in =
                |user: &&RoadUser| user.class() == RoadUserClass::Pedestrian && zone.polygon_m.contains(user.place);
            let people: Vec<&RoadUser> = everybody.iter().map(|(_, user)| user).filter(is_in).collect();
            sums.zones.entry(place).or_default().take(&people, zone.close_m);
        }
    }

    /// What is found out by `now`.
    pub fn findings(&mut self, now: Timestamp) -> Vec<CrowdState> {
        let over = self.minutes.close(now.plus_ms(-LATENESS_MS));
        let zones = || self.zones.iter().enumerate();
        over.iter().flat_map(|interval| zones().map(move |(place, zone)| state(interval, place, zone))).collect()
    }
}

impl Crowd {
    fn take(&mut self, people: &[&RoadUser], close_m: f64) {
        self.people += people.len() as f64;
        self.most = self.most.max(u32::try_from(people.len()).unwrap_or(u32::MAX));
        self.speed += people.iter().map(|user| user.speed_mps()).sum::<f64>();
        if people.len() < LEAST_COMPANY {
            return;
        }
        let people = &people[..people.len().min(MAX_NEIGHBOURS)];
        for (place, one) in people.iter().enumerate() {
            let others = people.iter().enumerate().filter(|(other, _)| *other != place);
            let nearest_m = others.map(|(_, other)| distance_m(one.place, other.place)).reduce(f64::min);
            let Some(nearest_m) = nearest_m else { continue };
            self.with_company += 1.0;
            self.nearest_m += nearest_m;
            self.close += f64::from(u8::from(nearest_m < close_m));
        }
    }
}

fn state(interval: &Interval<Crowds>, place: usize, zone: &CrowdZoneSettings) -> CrowdState {
    let sums = &interval.sum;
    let crowd = sums.zones.get(&place).copied().unwrap_or_default();
    let area_m2 = zone.polygon_m.size_m2();
    let mean_people = (sums.observed_s > 0.0).then(|| crowd.people / sums.observed_s);
    let mean_per_m2 = mean_people.map(|people| people / area_m2);
    CrowdState {
        zone: zone.id.clone(),
        from: interval.from,
        to: interval.to,
        mean_people,
        most_people: crowd.most,
        mean_per_m2,
        most_per_m2: f64::from(crowd.most) / area_m2,
        mean_nearest_m: (crowd.with_company > 0.0).then(|| crowd.nearest_m / crowd.with_company),
        close: (crowd.with_company > 0.0).then(|| crowd.close / crowd.with_company),
        mean_mps: (crowd.people > 0.0).then(|| crowd.speed / crowd.people),
        is_crowded: mean_per_m2.is_some_and(|density| density >= zone.crowded_per_m2),
        observed: (sums.observed_s / interval.length_s()).clamp(0.0, 1.0),
    }
}
