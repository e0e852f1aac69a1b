//! City services: what the records of a site's nodes come to.
//!
//! In: records in the order of their arrival, and the time. Out: [`Finding`]s, numbered.
//!
//! | Service | Reads | Finds |
//! |---|---|---|
//! | [`traffic_flow`] | CAM, VAM, CPM | counts, speeds, occupancy, movements, delays, queues, forecasts |
//! | [`parking`] | CAM, CPM | bays taken and free, arrivals, departures, stays |
//! | [`crowd`] | VAM, CPM | people, density, distances as sums |
//! | [`environment`] | observations | plausibility, hourly means, gaps, air-quality index |
//!
//! Invariants: pure; the same records in the same order give the same findings with the same numbers, so that a service
//! that begins again from the store writes nothing twice; bounded; no number of a road user leaves it.

pub mod class;
pub mod crowd;
mod entities;
pub mod environment;
mod follow;
pub mod interval;
pub mod parking;
pub mod road_users;
pub mod shape;
pub mod sighting;
pub mod site;
pub mod traffic_flow;

pub use follow::Follower;

use crate::record::{Kind, Record};
use crowd::{CrowdState, CrowdWatch};
use environment::{Environment, EnvironmentFinding};
use masa_v2x_proto::geo::SiteFrame;
use masa_v2x_proto::time::Timestamp;
use parking::{Parking, ParkingFinding};
use road_users::RoadUsers;
use sighting::Sighting;
use site::{ServiceSite, ServiceSiteError};
use traffic_flow::{FlowFinding, TrafficFlow};

/// Stations that have been silent for so long were not heard, milliseconds: CPMs come every second at the latest.
const HEARD_MS: i64 = 3_000;
/// A second of the clock, milliseconds.
const SECOND_MS: i64 = 1_000;
/// After a longer silence the seconds in between are skipped, milliseconds: everybody has gone.
const SKIP_MS: i64 = 3_600_000;
/// Findings of one second have consecutive numbers below this.
const A_SECOND: u64 = 1 << 16;

/// What a service found out.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// About traffic.
    Flow(FlowFinding),
    /// About parking.
    Parking(ParkingFinding),
    /// About crowds.
    Crowd(CrowdState),
    /// About air, noise and weather.
    Environment(EnvironmentFinding),
}

/// Something found out, with its number.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Grows; the same for the same records.
    pub sequence: u64,
    /// The second of the clock at which it was found.
    pub at: Timestamp,
    /// What.
    pub found: Found,
}

/// The services of a site.
#[derive(Clone, Debug)]
pub struct Services {
    site: ServiceSite,
    frame: SiteFrame,
    road_users: RoadUsers,
    traffic_flow: TrafficFlow,
    parking: Parking,
    crowd: CrowdWatch,
    environment: Environment,
    /// What was found between two seconds.
    waiting: Vec<Found>,
    /// The last second that has passed.
    second: Option<Timestamp>,
    heard_at: Option<Timestamp>,
}

impl Services {
    /// The services of a site, before anything was heard.
    ///
    /// # Errors
    /// What is wrong with the site.
    pub fn new(site: ServiceSite) -> Result<Self, ServiceSiteError> {
        site.check()?;
        Ok(Self {
            frame: site.frame(),
            road_users: RoadUsers::new(site.follow),
            traffic_flow: TrafficFlow::new(&site),
            parking: Parking::new(&site),
            crowd: CrowdWatch::new(&site),
            environment: Environment::new(&site),
            waiting: Vec::new(),
            second: None,
            heard_at: None,
            site,
        })
    }

    /// The site.
    pub const fn site(&self) -> &ServiceSite {
        &self.site
    }

    /// Its traffic, for what was counted before this run.
    pub const fn traffic_flow_mut(&mut self) -> &mut TrafficFlow {
        &mut self.traffic_flow
    }

    /// Its bays, for how they were before this run.
    pub const fn parking_mut(&mut self) -> &mut Parking {
        &mut self.parking
    }

    /// Takes a record of the site; its time is that of its arrival. What was found out before it.
    pub fn take(&mut self, record: &Record) -> Vec<Finding> {
        if record.source.site != self.site.site {
            return Vec::new();
        }
        let found = self.advance(record.received_at);
        match record.kind {
            Kind::V2x(_) => {
                let Some(message) = record.message() else { return found };
                for sighting in sighting::sightings(&message, record.measured_at, &self.frame) {
                    self.see(&sighting);
                }
                self.hear(record.received_at);
            }
            Kind::Observation => {
                if let Ok(reading) = serde_json::from_slice(&record.payload) {
                    let doubt =
                        self.environment.take(record.source.station, &reading, record.measured_at, record.position);
                    self.waiting.extend(doubt.map(|doubt| Found::Environment(EnvironmentFinding::Doubt(doubt))));
                }
            }
            Kind::Service | Kind::Health => {}
        }
        found
    }

    /// A station was heard.
    pub const fn hear(&mut self, now: Timestamp) {
        self.heard_at = Some(now);
    }

    /// Takes a sighting.
    pub fn see(&mut self, sighting: &Sighting) {
        if let Some(step) = self.road_users.take(sighting) {
            self.traffic_flow.step(&step);
        }
    }

    /// Lets the time go on to `now`; what was found out on the way.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Finding> {
        let last = now.unix_ms().div_euclid(SECOND_MS) * SECOND_MS;
        let Some(second) = self.second else {
            self.second = Some(Timestamp::from_unix_ms(last));
            return Vec::new();
        };
        let mut findings = Vec::new();
        let mut next = second.unix_ms() + SECOND_MS;
        while next <= last {
            // Of a long silence only its beginning, in which everybody goes, and its end are lived through.
            if next > second.unix_ms() + SKIP_MS && last > next + SKIP_MS {
                next = last - SKIP_MS;
            }
            findings.extend(self.pass(Timestamp::from_unix_ms(next)));
            next += SECOND_MS;
        }
        findings
    }

    /// A second of the clock.
    fn pass(&mut self, now: Timestamp) -> Vec<Finding> {
        self.second = Some(now);
        for id in self.road_users.expire(now) {
            self.traffic_flow.lose(id);
        }
        let heard = self.heard_at.is_some_and(|at| now.unix_ms() - at.unix_ms() <= HEARD_MS);
        let mut found = std::mem::take(&mut self.waiting);
        self.traffic_flow.second(now, heard, &self.road_users);
        self.crowd.second(now, heard, &self.road_users);
        found.extend(self.parking.second(now, heard, &self.road_users).into_iter().map(Found::Parking));
        found.extend(self.traffic_flow.findings(now).into_iter().map(Found::Flow));
        found.extend(self.parking.findings(now).into_iter().map(Found::Parking));
        found.extend(self.crowd.findings(now).into_iter().map(Found::Crowd));
        let hours = self.environment.findings(now).into_iter();
        found.extend(hours.map(|hour| Found::Environment(EnvironmentFinding::Hour(hour))));
        let first = u64::try_from(now.unix_ms() / SECOND_MS).unwrap_or_default() * A_SECOND;
        (first..first + A_SECOND).zip(found).map(|(sequence, found)| Finding { sequence, at: now, found }).collect()
    }

    /// What was not used, by reason.
    pub fn drops(&self) -> [(&'static str, u64); 5] {
        let road_users = self.road_users.drops();
        let [late_readings, no_room] = self.environment.drops();
        [
            ("sighting-late", road_users.late),
            ("road-user-no-room", road_users.no_room),
            ("interval-over", self.traffic_flow.late()),
            ("reading-late", late_readings),
            ("series-no-room", no_room),
        ]
    }
}
