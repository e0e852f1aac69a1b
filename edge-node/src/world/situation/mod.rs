//! What happens on the road, in terms of the road.
//!
//! In: the road users, the zones and lanes of the site, what its signals show. Out: [`Situation`]s with place, confidence,
//! evidence and a life. Which of them become events is up to `facilities::den`.
//!
//! Invariants: pure; a situation begins when its condition has held for a while and ends when it has not for a while;
//! capacities are fixed. Deliberately absent: what to tell whom.

mod condition;
mod person;
mod red_light;
mod stop;

pub(crate) use person::{carriageway_depth_m, is_rider};

use super::conflict::{Conflict, ConflictSettings, ConflictState, ConflictWatch};
use super::prediction::{Mover, RouteMap};
use super::site::SiteMap;
use super::{RoadUser, World};
use crate::effect::ObjectCause;
use crate::event::SignalPhase;
use condition::lanes_at;
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use red_light::RedLightWatch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most situations at a time.
const MAX_SITUATIONS: usize = 64;

/// What a situation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SituationKind {
    /// A vehicle drives against the direction of its lane.
    WrongWay,
    /// An animal or a lost object lies on the carriageway.
    ObjectOnRoad,
    /// The end of a queue before an intersection; its place moves with it.
    QueueTail,
    /// Two road users came closer than is safe.
    NearMiss,
    /// A vehicle stands on the carriageway, and nothing lets it wait.
    StoppedVehicle,
    /// A person is on the carriageway, outside any crossing.
    PersonOnRoad,
    /// A person lies on the ground.
    FallenPerson,
    /// A vehicle passed a stop line while its signal showed red.
    RedLight,
    /// The vehicles of a lane hardly move.
    Congestion,
}

impl SituationKind {
    /// As it is named in settings and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongWay => "wrong-way",
            Self::ObjectOnRoad => "object-on-road",
            Self::QueueTail => "queue-tail",
            Self::NearMiss => "near-miss",
            Self::StoppedVehicle => "stopped-vehicle",
            Self::PersonOnRoad => "person-on-road",
            Self::FallenPerson => "fallen-person",
            Self::RedLight => "red-light",
            Self::Congestion => "congestion",
        }
    }
}

/// What the signals of the site show, by intersection and signal group.
pub type Lights = BTreeMap<(u16, u8), SignalPhase>;

/// When a situation is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SituationSettings {
    /// A vehicle on the wrong way is at least this fast, m/s, …
    pub wrong_way_speed_mps: f64,
    /// … for this long, seconds.
    pub wrong_way_after_s: f64,
    /// Least standard deviation of the place of whom no camera sees, metres, when it is asked on which side it drives.
    pub unseen_sigma_m: f64,
    /// An object lies on the carriageway for this long, seconds.
    pub object_after_s: f64,
    /// Vehicles of a queue at least.
    pub queue_vehicles: usize,
    /// Vehicles slower than this queue, m/s.
    pub queue_speed_mps: f64,
    /// A gap from centre to centre larger than this ends a queue, metres.
    pub queue_spacing_m: f64,
    /// A queue stands for this long, seconds.
    pub queue_after_s: f64,
    /// A conflict with less time to collision than this is a near miss, seconds.
    pub near_miss_ttc_s: f64,
    /// The same of the post-encroachment time, seconds.
    pub near_miss_pet_s: f64,
    /// A vehicle that stands on the carriageway has done so for this long, seconds, …
    pub stopped_standing_s: f64,
    /// … and nobody it could wait for was there for this long, seconds.
    pub stopped_after_s: f64,
    /// A person is on the carriageway for this long, seconds.
    pub person_after_s: f64,
    /// How far inside the carriageway somebody must be to be on it, metres.
    pub edge_margin_m: f64,
    /// A person this close to a crossing is on it, metres.
    pub crossing_margin_m: f64,
    /// A person faster than this rides something, m/s.
    pub max_on_foot_mps: f64,
    /// A person this close to a two-wheeler is its rider, metres.
    pub rider_reach_m: f64,
    /// A person lies whose box is at most so many times as high as wide, …
    pub fallen_shape: f64,
    /// … who moves no faster than this, m/s, …
    pub fallen_speed_mps: f64,
    /// … for this long, seconds.
    pub fallen_after_s: f64,
    /// A signal counts as red after having been so for this long, seconds, …
    pub red_light_after_s: f64,
    /// … for a vehicle at least this fast behind the line, m/s; …
    pub red_light_speed_mps: f64,
    /// … it is told of for this long, seconds.
    pub red_light_told_s: f64,
    /// Vehicles in a lane at least for a congestion, …
    pub congestion_vehicles: usize,
    /// … on average no faster than this, m/s, …
    pub congestion_speed_mps: f64,
    /// … for this long, seconds: longer than a red phase.
    pub congestion_after_s: f64,
    /// A situation ends when it was not seen for this long, seconds.
    pub release_s: f64,
    /// What is a conflict.
    pub conflict: ConflictSettings,
}

impl Default for SituationSettings {
    fn default() -> Self {
        Self {
            wrong_way_speed_mps: 2.0,
            wrong_way_after_s: 1.0,
            unseen_sigma_m: 5.0,
            object_after_s: 2.0,
            queue_vehicles: 3,
            queue_speed_mps: 1.5,
            queue_spacing_m: 14.0,
            queue_after_s: 5.0,
            near_miss_ttc_s: 1.0,
            near_miss_pet_s: 0.5,
            stopped_standing_s: 5.0,
            stopped_after_s: 10.0,
            person_after_s: 0.5,
            edge_margin_m: 0.5,
            crossing_margin_m: 1.0,
            max_on_foot_mps: 5.0,
            rider_reach_m: 1.5,
            fallen_shape: 0.85,
            fallen_speed_mps: 0.4,
            fallen_after_s: 3.0,
            red_light_after_s: 1.0,
            red_light_speed_mps: 2.0,
            red_light_told_s: 5.0,
            congestion_vehicles: 4,
            congestion_speed_mps: 2.0,
            congestion_after_s: 60.0,
            release_s: 2.0,
            conflict: ConflictSettings::default(),
        }
    }
}

impl SituationSettings {
    /// How long its condition holds before a situation begins, seconds.
    fn after_s(&self, kind: SituationKind) -> f64 {
        match kind {
            SituationKind::WrongWay => self.wrong_way_after_s,
            SituationKind::ObjectOnRoad => self.object_after_s,
            SituationKind::QueueTail => self.queue_after_s,
            SituationKind::StoppedVehicle => self.stopped_after_s,
            SituationKind::PersonOnRoad => self.person_after_s,
            SituationKind::FallenPerson => self.fallen_after_s,
            SituationKind::Congestion => self.congestion_after_s,
            SituationKind::NearMiss | SituationKind::RedLight => 0.0,
        }
    }
}

/// What makes a situation the same one in the next frame: the road users of it, or the lane of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    User(u16),
    Users([u16; 2]),
    Lane { intersection: u16, lane: u8 },
}

/// Something that happens on the road.
#[derive(Clone, Debug, PartialEq)]
pub struct Situation {
    /// Its number, from 1, never used twice.
    pub number: u32,
    /// What it is.
    pub kind: SituationKind,
    /// Whether it has lasted long enough to be told.
    pub is_confirmed: bool,
    /// When its condition was first met.
    pub began_at: Timestamp,
    /// When its condition was last met.
    pub last_at: Timestamp,
    /// Where it is.
    pub place: Enu,
    /// Covariance of the place; `None` before somebody has shown it.
    pub covariance: Option<Covariance2>,
    /// The class of the road user that it is about.
    pub class: ObjectClass,
    /// Direction of that road user, radians counter-clockwise from east.
    pub yaw_rad: Option<f64>,
    /// Its speed, m/s.
    pub speed_mps: Option<f64>,
    /// How sure it is, 0 to 1: of class and place, and more the longer it lasts.
    pub confidence: f64,
    /// The road users that show it, at most two, as they were seen last.
    pub evidence: heapless::Vec<ObjectCause, 2>,
}

/// What one frame shows.
pub(crate) struct Finding {
    kind: SituationKind,
    subject: Subject,
    place: Enu,
    /// How sure it is in this frame, 0 to 1.
    sureness: f64,
    class: ObjectClass,
    evidence: heapless::Vec<ObjectCause, 2>,
}

/// Watches the road.
#[derive(Clone, Debug)]
pub struct SituationWatch {
    settings: SituationSettings,
    routes: RouteMap,
    conflicts: ConflictWatch,
    red_lights: RedLightWatch,
    situations: BTreeMap<(SituationKind, Subject), Situation>,
    /// Vehicles of the last frame that a signal or somebody in front let wait, and when last.
    waiting: BTreeMap<u16, Timestamp>,
    begun: u32,
    left_out: u64,
}

impl SituationWatch {
    /// A watch over the lanes of `routes` that has seen nothing.
    pub fn new(settings: SituationSettings, routes: RouteMap) -> Self {
        let conflicts = ConflictWatch::new(settings.conflict.clone());
        let red_lights = RedLightWatch::default();
        Self {
            settings,
            routes,
            conflicts,
            red_lights,
            situations: BTreeMap::new(),
            waiting: BTreeMap::new(),
            begun: 0,
            left_out: 0,
        }
    }

    /// The situations that are on, by kind.
    pub fn situations(&self) -> impl Iterator<Item = &Situation> {
        self.situations.values().filter(|situation| situation.is_confirmed)
    }

    /// For how long a vehicle has stood without a signal or somebody in front that lets it wait, seconds.
    pub(crate) fn standing_unexcused_s(&self, user: &RoadUser) -> f64 {
        let waited = self.waiting.get(&user.id).map(|waited| user.state_at.seconds_since(*waited));
        waited.map_or(user.standing_s(), |waited_s| waited_s.min(user.standing_s()))
    }

    /// The routes of the site.
    pub(crate) fn routes(&self) -> &RouteMap {
        &self.routes
    }

    /// The conflicts of road users that are on.
    pub fn conflicts(&self) -> impl Iterator<Item = &Conflict> {
        self.conflicts.conflicts().filter(|conflict| conflict.state == ConflictState::On)
    }

    /// Road users, conflicts and situations that were left out for want of room.
    pub fn left_out(&self) -> u64 {
        self.left_out + self.conflicts.left_out()
    }

    /// Takes the world as of `now`.
    pub(crate) fn update(&mut self, world: &World, map: &SiteMap, lights: &Lights, now: Timestamp) {
        let users = world.users();
        // Sources speak of different instants, and the past is over: all are moved on to the newest.
        let newest = users.iter().map(|user| user.state_at).max().unwrap_or(now);
        let movers =
            users.iter().map(|user| (user.id, Mover { position: user.position_at(newest), ..Mover::from(user) }));
        self.conflicts.update(movers, &self.routes, now);
        let mut findings = Vec::new();
        let road = (map, &self.routes, lights);
        stop::stopped_vehicle(users, road, &self.settings, now, &mut self.waiting, &mut findings);
        stop::congestion(users, &self.routes, &self.settings, &mut findings);
        person::person_on_road(users, map, &self.settings, &mut findings);
        person::fallen_person(world, &self.settings, &mut findings);
        self.red_lights.update(users, &self.routes, lights, &self.settings, now, &mut findings);
        condition::wrong_way(users, &self.routes, &self.settings, &mut findings);
        condition::object_on_road(users, map, &mut findings);
        condition::queue_tail(users, &self.routes, &self.settings, &mut findings);
        condition::near_miss(users, self.conflicts.conflicts(), &self.settings, now, &mut findings);
        for finding in findings {
            self.see(finding, users, now);
        }
        self.age(now);
    }

    /// Ends what was not seen for a while.
    pub(crate) fn age(&mut self, now: Timestamp) {
        let release_s = self.settings.release_s;
        self.situations.retain(|_, situation| now.seconds_since(situation.last_at) <= release_s);
    }

    fn see(&mut self, finding: Finding, users: &[RoadUser], now: Timestamp) {
        let key = (finding.kind, finding.subject);
        if !self.situations.contains_key(&key) && self.situations.len() == MAX_SITUATIONS {
            self.left_out += 1;
            return;
        }
        let after_s = self.settings.after_s(finding.kind);
        let situation = self.situations.entry(key).or_insert_with(|| {
            self.begun += 1;
            Situation {
                number: self.begun,
                kind: finding.kind,
                is_confirmed: false,
                began_at: now,
                last_at: now,
                place: finding.place,
                covariance: None,
                class: finding.class,
                yaw_rad: None,
                speed_mps: None,
                confidence: 0.0,
                evidence: heapless::Vec::new(),
            }
        });
        let lasted_s = now.seconds_since(situation.began_at);
        situation.is_confirmed |= lasted_s >= after_s;
        (situation.last_at, situation.place, situation.evidence) = (now, finding.place, finding.evidence);
        let shown_by = situation.evidence.first().map(|cause| cause.object_id);
        if let Some(user) = users.iter().find(|user| Some(u32::from(user.id)) == shown_by) {
            situation.covariance = Some(user.covariance);
            if matches!(finding.subject, Subject::User(_)) {
                (situation.yaw_rad, situation.speed_mps) = (user.yaw_rad, Some(user.speed_mps()));
            }
        }
        // What has just lasted long enough is two thirds as sure as what goes on.
        let lasting = if after_s > 0.0 { 1.0 - (-1.1 * lasted_s / after_s).exp() } else { 1.0 };
        situation.confidence = finding.sureness * lasting;
    }
}

fn evidence_of<'a>(users: impl IntoIterator<Item = &'a RoadUser>) -> heapless::Vec<ObjectCause, 2> {
    users.into_iter().take(2).map(RoadUser::cause).collect()
}

#[cfg(test)]
mod detector_tests;
#[cfg(test)]
mod tests;
