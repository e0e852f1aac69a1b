//! The local dynamic map: what other stations say of themselves and of the road.
//!
//! In: [`ReceivedMessage`]s with their verdicts. Out: the stations, events and objects that are known now, and what could
//! not be used, counted by reason.
//!
//! Invariants: pure; refused messages and the station's own are never used; every table has a capacity, and a message
//! that does not fit is counted; what is old goes by itself. Deliberately absent: fusion with the node's own objects.

mod denm;
mod intake;
mod objects;
mod roadside;
mod stations;

pub use denm::{EventPhase, ReceivedEvent};
pub use intake::Heard;
pub use objects::{ReceivedObject, ReceivedObjectKind};
pub use roadside::{SignId, Told, ingress_lanes};
pub use stations::{ClusterView, Neighbour};

use super::Drops;
use heapless::HistoryBuf;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::cdd::{ActionId, StationId};
use masa_v2x_proto::dsrc::IntersectionReferenceId;
use masa_v2x_proto::geo::{Enu, SiteFrame};
use masa_v2x_proto::ivim::Ivim;
use masa_v2x_proto::mapem::IntersectionGeometry;
use masa_v2x_proto::spatem::IntersectionState;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Half width of the 95 % interval of a normal distribution, in standard deviations: what accuracies of TS 102 894-2 state.
pub(crate) const K95_ONE_DIMENSION: f64 = 1.959_964;
/// Radius of the 95 % circle of a two-dimensional normal distribution, in standard deviations: the root of −2 ln 0.05.
pub(crate) const K95_TWO_DIMENSIONS: f64 = 2.447_747;
/// Undecodable messages of which the reason is kept.
const KEPT_ERRORS: usize = 16;
/// Former station ids that are remembered: a pseudonym lasts for minutes, an echo for seconds.
const FORMER_IDS: usize = 4;

/// How the local dynamic map ages and how much it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LdmSettings {
    /// A vehicle or roadside unit is forgotten this long after its last CAM, milliseconds: a few of the longest CAM
    /// intervals (1 s).
    pub station_timeout_ms: u32,
    /// A vulnerable road user is forgotten this long after its last VAM, milliseconds: two of the longest VAM intervals
    /// (5 s).
    pub vru_timeout_ms: u32,
    /// An object is forgotten this long after it was measured, milliseconds.
    pub object_timeout_ms: u32,
    /// Messages dated later than this in the future are not used, milliseconds.
    pub clock_tolerance_ms: u32,
    /// Most stations.
    pub max_stations: u16,
    /// Most events.
    pub max_events: u16,
    /// Most objects.
    pub max_objects: u16,
}

impl Default for LdmSettings {
    fn default() -> Self {
        Self {
            station_timeout_ms: 5_000,
            vru_timeout_ms: 10_000,
            object_timeout_ms: 3_000,
            clock_tolerance_ms: 2_000,
            max_stations: 1_024,
            max_events: 256,
            max_objects: 2_048,
        }
    }
}

/// A received message that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// The link it came over, and who delivered it.
    pub origin: String,
    /// Which component, at which bit, is wrong.
    pub error: String,
    /// When it was looked at.
    pub at: Timestamp,
}

/// What other stations have said and what of it still holds.
#[derive(Clone, Debug)]
pub struct Ldm {
    settings: LdmSettings,
    own: StationId,
    /// What the station was called before: echoes may still come.
    former: HistoryBuf<StationId, FORMER_IDS>,
    frame: SiteFrame,
    stations: BTreeMap<StationId, Neighbour>,
    events: BTreeMap<ActionId, ReceivedEvent>,
    objects: BTreeMap<(StationId, u16), ReceivedObject>,
    maps: BTreeMap<IntersectionReferenceId, Told<IntersectionGeometry>>,
    signals: BTreeMap<IntersectionReferenceId, Told<IntersectionState>>,
    signs: BTreeMap<SignId, Told<Ivim>>,
    received: BTreeMap<MessageKind, u64>,
    undecodable: HistoryBuf<Undecodable, KEPT_ERRORS>,
    drops: Drops,
    /// Nothing expires before this.
    next_expiry: Option<Timestamp>,
    heard: Option<Heard>,
}

impl Ldm {
    /// An empty map of the station `own`, whose own messages it ignores.
    pub(crate) fn new(settings: LdmSettings, own: StationId, frame: SiteFrame) -> Self {
        Self {
            settings,
            own,
            former: HistoryBuf::new(),
            frame,
            stations: BTreeMap::new(),
            events: BTreeMap::new(),
            objects: BTreeMap::new(),
            maps: BTreeMap::new(),
            signals: BTreeMap::new(),
            signs: BTreeMap::new(),
            received: BTreeMap::new(),
            undecodable: HistoryBuf::new(),
            drops: Drops::default(),
            next_expiry: None,
            heard: None,
        }
    }

    /// The station is called `id` from now on.
    pub(crate) fn rename(&mut self, id: StationId) {
        self.former.write(std::mem::replace(&mut self.own, id));
    }

    /// Whether a station id is or was the station's own.
    pub(crate) fn is_own(&self, id: StationId) -> bool {
        id == self.own || self.former.as_slice().contains(&id)
    }

    /// Stations that have sent a CAM or VAM lately, by id.
    pub fn stations(&self) -> impl Iterator<Item = &Neighbour> {
        self.stations.values()
    }

    /// A station by its id.
    pub fn station(&self, id: StationId) -> Option<&Neighbour> {
        self.stations.get(&id)
    }

    /// Stations not further than `radius_m` from `centre`, by id.
    pub fn stations_within(&self, centre: Enu, radius_m: f64) -> impl Iterator<Item = &Neighbour> {
        self.stations
            .values()
            .filter(move |station| station.ground.is_some_and(|ground| ground.ground_distance_m(&centre) <= radius_m))
    }

    /// Events whose validity has not run out, ended ones included, by action id.
    pub fn events(&self) -> impl Iterator<Item = &ReceivedEvent> {
        self.events.values()
    }

    /// Events that hold now, by action id.
    pub fn events_in_force(&self) -> impl Iterator<Item = &ReceivedEvent> {
        self.events.values().filter(|event| event.phase == EventPhase::InForce)
    }

    /// An event by its action id.
    pub fn event(&self, action_id: ActionId) -> Option<&ReceivedEvent> {
        self.events.get(&action_id)
    }

    /// Objects that other stations perceive, by station and object id.
    pub fn objects(&self) -> impl Iterator<Item = &ReceivedObject> {
        self.objects.values()
    }

    /// Objects that one station perceives, by object id.
    pub fn objects_of(&self, station: StationId) -> impl Iterator<Item = &ReceivedObject> {
        self.objects.range((station, 0)..=(station, u16::MAX)).map(|(_, object)| object)
    }

    /// Objects not further than `radius_m` from `centre`, by station and object id.
    pub fn objects_within(&self, centre: Enu, radius_m: f64) -> impl Iterator<Item = &ReceivedObject> {
        self.objects.values().filter(move |object| object.position.ground_distance_m(&centre) <= radius_m)
    }

    /// Messages taken, by kind.
    pub fn received(&self) -> &BTreeMap<MessageKind, u64> {
        &self.received
    }

    /// The latest messages that could not be decoded, oldest first.
    pub fn undecodable(&self) -> impl Iterator<Item = &Undecodable> {
        self.undecodable.oldest_ordered()
    }

    /// What the message taken last says of its sender's clock; afterwards it is forgotten.
    pub(crate) fn take_heard(&mut self) -> Option<Heard> {
        self.heard.take()
    }

    /// What was not used, by reason.
    pub fn drops(&self) -> &Drops {
        &self.drops
    }

    /// Forgets what is too old.
    pub(crate) fn age(&mut self, now: Timestamp) {
        if self.next_expiry.is_none_or(|at| now < at) {
            return;
        }
        self.stations.retain(|_, station| now < station.expires_at);
        self.events.retain(|_, event| now < event.expires_at);
        self.objects.retain(|_, object| now < object.expires_at);
        self.maps.retain(|_, map| now < map.expires_at);
        self.signals.retain(|_, signals| now < signals.expires_at);
        self.signs.retain(|_, sign| now < sign.expires_at);
        let stations = self.stations.values().map(|station| station.expires_at);
        let events = self.events.values().map(|event| event.expires_at);
        let objects = self.objects.values().map(|object| object.expires_at);
        let maps = self.maps.values().map(|map| map.expires_at);
        let signals = self.signals.values().map(|signals| signals.expires_at);
        let signs = self.signs.values().map(|sign| sign.expires_at);
        self.next_expiry = stations.chain(events).chain(objects).chain(maps).chain(signals).chain(signs).min();
    }

    fn expires(&mut self, at: Timestamp) {
        self.next_expiry = Some(self.next_expiry.map_or(at, |known| known.min(at)));
    }
}

#[cfg(test)]
mod tests;
