//! Smart parking: which bays are taken, how many are free, who comes and goes, how long they stay.
//!
//! In: everybody on the road, once a second. Out: a [`BayChange`] when a bay changes, a [`GroupState`] of each group of
//! bays every minute, five minutes and quarter of an hour. A bay is taken when a vehicle has halted in it for a while, and
//! free when none was seen in it for longer: a shadow, a passer-by or a frame without a detection changes nothing. A bay
//! that no station tells of is unknown, never free. Invariants: pure; bounded by the bays of the site.

use super::class::RoadUserClass;
use super::interval::{Interval, Minutes, Sum};
use super::road_users::RoadUsers;
use super::shape::Area;
use super::site::ServiceSite;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Ends of the classes of the distribution of stays, minutes; the last class is open.
pub const STAY_LIMITS_MIN: [i64; 6] = [5, 15, 30, 60, 120, 240];
/// Messages later than this do not count for an interval any more, milliseconds.
const LATENESS_MS: i64 = 5_000;

/// A parking bay: a `[[bay]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BaySettings {
    /// Its name, unique in the site.
    pub id: String,
    /// The bays it is counted with.
    pub group: String,
    /// Its corners.
    pub polygon_m: Area,
}

/// When a bay changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ParkingSettings {
    /// A vehicle that has halted in it for so long takes it, milliseconds.
    pub taken_after_ms: i64,
    /// Nobody seen in it for so long, it is free, milliseconds.
    pub free_after_ms: i64,
    /// No station heard for so long, it is unknown, milliseconds.
    pub unknown_after_ms: i64,
}

impl Default for ParkingSettings {
    fn default() -> Self {
        Self { taken_after_ms: 10_000, free_after_ms: 30_000, unknown_after_ms: 60_000 }
    }
}

/// How a bay is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BayState {
    /// Nobody tells.
    #[default]
    Unknown,
    /// Nobody stands in it.
    Free,
    /// Somebody does.
    Taken,
}

impl BayState {
    /// As the Smart Data Models call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Free => "free",
            Self::Taken => "occupied",
        }
    }

    /// The state that the Smart Data Models call so.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Unknown, Self::Free, Self::Taken].into_iter().find(|state| state.name() == name)
    }
}

/// A bay has changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BayChange {
    /// The bay.
    pub bay: String,
    /// Its group.
    pub group: String,
    /// How it is.
    pub state: BayState,
    /// Since when.
    pub since: Timestamp,
}

/// A group of bays at the end of an interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupState {
    /// The group.
    pub group: String,
    /// Begin of the interval.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Bays in it.
    pub bays: u32,
    /// Bays that are free.
    pub free: u32,
    /// Bays that are taken.
    pub taken: u32,
    /// Vehicles that came.
    pub arrivals: u32,
    /// Vehicles that left.
    pub departures: u32,
    /// How long those that left had stayed, by [`STAY_LIMITS_MIN`].
    pub stays: [u32; STAY_LIMITS_MIN.len() + 1],
    /// Mean of the same, seconds.
    pub mean_stay_s: Option<f64>,
}

/// What parking finds out.
#[derive(Clone, Debug, PartialEq)]
pub enum ParkingFinding {
    /// A bay has changed.
    Bay(BayChange),
    /// A group of bays.
    Group(GroupState),
}

#[derive(Clone, Copy, Debug, Default)]
struct Bay {
    state: BayState,
    /// When it took this state; of a taken bay `None` when nobody saw the arrival.
    since: Option<Timestamp>,
    /// Somebody has been standing in it without a break from here on.
    standing_since: Option<Timestamp>,
    seen_at: Option<Timestamp>,
    /// The first second in which it was observed after it was unknown.
    watched_since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Turnover {
    arrivals: u32,
    departures: u32,
    stays: [u32; STAY_LIMITS_MIN.len() + 1],
    stay_s: f64,
}

impl Turnover {
    fn depart(&mut self, stay: Option<(Timestamp, Timestamp)>) {
        self.departures += 1;
        let Some((from, to)) = stay else { return };
        let stay_s = to.seconds_since(from).max(0.0);
        let class = STAY_LIMITS_MIN.iter().position(|limit| stay_s < (limit * 60) as f64);
        self.stays[class.unwrap_or(STAY_LIMITS_MIN.len())] += 1;
        self.stay_s += stay_s;
    }
}

impl Sum for BTreeMap<String, Turnover> {
    fn add(&mut self, other: &Self) {
        for (group, turnover) in other {
            let sum = self.entry(group.clone()).or_default();
            sum.arrivals += turnover.arrivals;
            sum.departures += turnover.departures;
            sum.stay_s += turnover.stay_s;
            sum.stays.iter_mut().zip(turnover.stays).for_each(|(sum, stays)| *sum += stays);
        }
    }
}

/// The bays of a site.
#[derive(Clone, Debug)]
pub struct Parking {
    settings: ParkingSettings,
    bays: Vec<(BaySettings, Bay)>,
    minutes: Minutes<BTreeMap<String, Turnover>>,
    observed_at: Option<Timestamp>,
}

impl Parking {
    /// The bays of a checked site, all unknown.
    pub fn new(site: &ServiceSite) -> Self {
        let bays = site.bays.iter().map(|bay| (bay.clone(), Bay::default())).collect();
        Self { settings: site.parking, bays, minutes: Minutes::default(), observed_at: None }
    }

    /// A second of the clock: `observed` tells whether stations were heard in it. What changed.
    pub fn second(&mut self, now: Timestamp, observed: bool, everybody: &RoadUsers) -> Vec<ParkingFinding> {
        if self.bays.is_empty() {
            return Vec::new();
        }
        self.minutes.at(now);
        let settings = self.settings;
        if observed {
            self.observed_at = Some(now);
        }
        let blind = self.observed_at.is_none_or(|at| now.unix_ms() - at.unix_ms() > settings.unknown_after_ms);
        let mut found = Vec::new();
        for (bay, is) in &mut self.bays {
            let stands = observed
                && everybody.iter().any(|(_, user)| {
                    user.class() != RoadUserClass::Pedestrian
                        && user.halts(now, 0)
                        && bay.polygon_m.contains(user.place)
                });
            let Some((state, since)) = is.next(now, (stands, observed, blind), settings) else { continue };
            if let Some(minute) = self.minutes.at(now) {
                let turnover = minute.entry(bay.group.clone()).or_default();
                match (is.state, state) {
                    (BayState::Free, BayState::Taken) => turnover.arrivals += 1,
                    (BayState::Taken, BayState::Free) => turnover.depart(is.since.map(|came| (came, since))),
                    _ => {}
                }
            }
            // Who was there when the bay came into sight came nobody knows when.
            let arrival_seen = !(is.state == BayState::Unknown && state == BayState::Taken);
            (is.state, is.since) = (state, arrival_seen.then_some(since));
            let change = BayChange { bay: bay.id.clone(), group: bay.group.clone(), state, since };
            found.push(ParkingFinding::Bay(change));
        }
        found
    }

    /// What is found out by `now`.
    pub fn findings(&mut self, now: Timestamp) -> Vec<ParkingFinding> {
        let over = self.minutes.close(now.plus_ms(-LATENESS_MS));
        over.iter().flat_map(|interval| self.groups(interval)).map(ParkingFinding::Group).collect()
    }

    fn groups(&self, interval: &Interval<BTreeMap<String, Turnover>>) -> Vec<GroupState> {
        let mut groups: BTreeMap<&str, [u32; 3]> = BTreeMap::new();
        for (bay, is) in &self.bays {
            groups.entry(&bay.group).or_default()[is.state as usize] += 1;
        }
        let state = |(group, [unknown, free, taken]): (&str, [u32; 3])| {
            let turnover = interval.sum.get(group).copied().unwrap_or_default();
            let known: u32 = turnover.stays.iter().sum();
            GroupState {
                group: group.to_owned(),
                from: interval.from,
                to: interval.to,
                bays: unknown + free + taken,
                free,
                taken,
                arrivals: turnover.arrivals,
                departures: turnover.departures,
                stays: turnover.stays,
                mean_stay_s: (known > 0).then(|| turnover.stay_s / f64::from(known)),
            }
        };
        groups.into_iter().map(state).collect()
    }

    /// Tells how a bay was before this run.
    pub fn remember(&mut self, bay: &str, state: BayState, since: Timestamp) {
        if let Some((_, is)) = self.bays.iter_mut().find(|(settings, _)| settings.id == bay) {
            *is = Bay { state, since: Some(since), seen_at: (state == BayState::Taken).then_some(since), ..*is };
        }
    }
}

impl Bay {
    /// The state that the bay takes now and since when; `None` when it stays as it is.
    fn next(
        &mut self,
        now: Timestamp,
        (stands, observed, blind): (bool, bool, bool),
        settings: ParkingSettings,
    ) -> Option<(BayState, Timestamp)> {
        if blind {
            (self.standing_since, self.seen_at, self.watched_since) = (None, None, None);
            return (self.state != BayState::Unknown).then_some((BayState::Unknown, now));
        }
        if !observed {
            return None;
        }
        let watched_since = *self.watched_since.get_or_insert(now);
        if stands {
            self.seen_at = Some(now);
            let since = *self.standing_since.get_or_insert(now);
            let taken = now >= since.plus_ms(settings.taken_after_ms);
            return (taken && self.state != BayState::Taken).then_some((BayState::Taken, since));
        }
        self.standing_since = None;
        let empty_since = self.seen_at.unwrap_or(watched_since).max(watched_since);
        let free = now >= empty_since.plus_ms(settings.free_after_ms);
        (free && self.state != BayState::Free).then_some((BayState::Free, empty_since))
    }
}
