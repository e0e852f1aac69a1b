//! The core of a node: a pure step over an ordered log of events.
//!
//! In: [`Event`]s in their order. Out: [`Effects`]. Tracks become objects, objects become messages, and every message
//! carries its causes. Invariants: no clock, no randomness, no I/O, so the same events give the same bytes; nothing that
//! enters can panic; every table has a capacity. `now` is the arrival time of the event and never goes back.

use crate::effect::{Effects, MessageKind, OutMessage, Provenance};
use crate::event::{
    DetectionFrame, DropReason, EgoState, Event, EventBody, EventId, ReceivedMessage, SignalReport, SourceId,
};
use crate::facilities::cp::{MAX_FOOTPRINT_CORNERS, MAX_FOOTPRINT_OFFSET_M};
use crate::facilities::infrastructure::InfrastructureService;
use crate::facilities::{
    Draft, Encoded, FacilitiesSettings, Facility, Scene, SettingError, Station, ca::CaService, cp::CpService,
    den::DenService, encode, profile::Profile, profile::StationKind, va::VaService,
};
use crate::health::Health;
use crate::perception::ranging::{RangingPerception, RangingSettings};
use crate::perception::{CameraPerception, CameraSettings};
use crate::telemetry::{Stage, StageProbe};
use crate::world::infrastructure::{InfrastructureError, InfrastructureSite};
use crate::world::ldm::{Ldm, LdmSettings};
use crate::world::prediction::RouteMap;
use crate::world::signals::Signals;
use crate::world::site::{SiteError, SiteMap, ZoneSettings};
use crate::world::situation::{Lights, SituationWatch};
use crate::world::{Drops, World, WorldSettings};
use masa_v2x_proto::Message;
use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::geonet::dcc::{self, Adaptive};
use masa_v2x_proto::json::Envelope;
use masa_v2x_proto::time::Timestamp;
use ranging::Scan;
use std::collections::BTreeMap;

/// Most cameras, radars and lidars of a node together: what a CPM's sensor information holds.
pub const MAX_CAMERAS: usize = 128;

/// Most signal groups of an intersection (`MovementList`).
const MAX_SIGNAL_GROUPS: usize = 255;
/// What others see this near to the vehicle that carries the node is the vehicle itself, metres.
const OWN_RADIUS_M: f64 = 4.0;
/// Length of a CAM on the air that congestion control reckons with, bytes: a path history, GeoNetworking and BTP headers,
/// and an envelope with its certificate.
const CAM_FRAME_BYTES: usize = 450;

/// Everything that a node is made from.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// ETSI station id.
    pub station_id: u32,
    /// Name of the sender in JSON images (`source_uuid` of the its-client schemas).
    pub source_uuid: String,
    /// What kind of station it is.
    pub station_kind: StationKind,
    /// Where the station stands: reference position of its messages; a mobile station moves from here.
    pub position: Wgs84,
    /// Origin of the site frame.
    pub site_origin: Wgs84,
    /// Zones of the site map.
    pub zones: Vec<ZoneSettings>,
    /// Cameras, each with the source its events come from.
    pub cameras: Vec<(SourceId, CameraSettings)>,
    /// Radars and lidars, each with the source its events come from.
    pub ranging: Vec<(SourceId, RangingSettings)>,
    /// Ageing and capacities.
    pub world: WorldSettings,
    /// Intersections and signs of the site.
    pub infrastructure: InfrastructureSite,
    /// Ageing and capacities of what other stations say.
    pub ldm: LdmSettings,
    /// What is sent, and when.
    pub facilities: FacilitiesSettings,
}

/// Why a node cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The site map is wrong.
    #[error("site map: {0}")]
    Site(#[from] SiteError),
    /// A camera's settings are wrong; the message names it.
    #[error(transparent)]
    Camera(#[from] crate::perception::Error),
    /// More cameras, radars and lidars than a CPM's sensor information holds.
    #[error("{0} cameras, radars and lidars, the most is {MAX_CAMERAS}")]
    TooManyCameras(usize),
    /// Two cameras, radars or lidars share an id or a source.
    #[error("sensor `{0}` has the id or the source of another sensor")]
    DuplicateCamera(String),
    /// A timeout names a camera that does not exist.
    #[error("world.camera-timeouts-ms names camera `{0}`, which does not exist")]
    UnknownCamera(String),
    /// An intersection or a sign of the site is wrong.
    #[error(transparent)]
    Infrastructure(#[from] InfrastructureError),
    /// A sensor's footprint cannot be said in a CPM.
    #[error(
        "footprint-m of sensor `{0}` needs 3 to {MAX_FOOTPRINT_CORNERS} corners within {MAX_FOOTPRINT_OFFSET_M} m of the station"
    )]
    Footprint(String),
    /// A zone in which events are denied does not exist.
    #[error("den.negation.zones names zone `{0}`, which does not exist")]
    UnknownZone(String),
    /// A setting is outside what the standard or the code allows.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// A node, at the roadside or on board.
#[derive(Debug)]
pub struct Node {
    pub(crate) station: Station,
    source_uuid: String,
    pub(crate) map: SiteMap,
    pub(crate) cameras: BTreeMap<SourceId, CameraPerception>,
    ranging: BTreeMap<SourceId, RangingPerception>,
    pub(crate) world: World,
    pub(crate) situations: SituationWatch,
    pub(crate) ldm: Ldm,
    pub(crate) ego: Option<EgoState>,
    /// Of a node that has heard of a channel load.
    dcc: Option<Adaptive>,
    pub(crate) ca: CaService,
    pub(crate) va: VaService,
    pub(crate) infrastructure: InfrastructureService,
    pub(crate) signals: Signals,
    pub(crate) den: DenService,
    pub(crate) cp: CpService,
    now: Option<Timestamp>,
    drafts: Vec<Draft>,
    pub(crate) messages: BTreeMap<MessageKind, u64>,
    pub(crate) events: BTreeMap<&'static str, u64>,
    pub(crate) frames_dropped: BTreeMap<DropReason, u64>,
    pub(crate) drops: Drops,
    health: Health,
}

impl Node {
    /// Checks the settings and makes a node that has seen nothing yet.
    ///
    /// # Errors
    /// [`NodeError`] names the setting, zone or camera that is wrong.
    pub fn new(settings: NodeSettings) -> Result<Self, NodeError> {
        check_position("station position", settings.position)?;
        check_position("site origin", settings.site_origin)?;
        settings.facilities.check()?;
        settings.infrastructure.check()?;
        let negation = settings.facilities.den.negation.as_ref();
        let unknown = |id: &&String| settings.zones.iter().all(|zone| zone.id != **id);
        if let Some(id) = negation.and_then(|negation| negation.zones.iter().find(unknown)) {
            return Err(NodeError::UnknownZone(id.clone()));
        }
        let frame = SiteFrame::new(settings.site_origin);
        let timeouts_ms = camera_timeouts(&settings)?;
        let mut cameras = BTreeMap::new();
        for (source, camera) in &settings.cameras {
            let mut camera = CameraPerception::new(*source, camera, frame)?;
            camera.set_lanes(pose::lane_lines(&settings.infrastructure.intersections));
            cameras.insert(*source, camera);
        }
        let station = Station {
            id: StationId(settings.station_id),
            kind: settings.station_kind,
            position: settings.position,
            reference: frame.to_enu(settings.position),
            frame,
            sensors: ranging::sensors(&settings),
            footprints: footprints(&settings, frame.to_enu(settings.position))?,
        };
        Ok(Self {
            station,
            source_uuid: settings.source_uuid,
            map: SiteMap::new(&settings.zones)?,
            cameras,
            ranging: ranging::perceptions(&settings.ranging)?,
            situations: SituationWatch::new(
                settings.world.situation.clone(),
                RouteMap::new(&settings.infrastructure.intersections),
            ),
            world: World::new(settings.world, timeouts_ms),
            ldm: Ldm::new(settings.ldm, StationId(settings.station_id), frame),
            ego: None,
            dcc: None,
            ca: CaService::new(settings.station_kind, &settings.facilities.ca, &settings.facilities.vehicle),
            den: DenService::new(settings.facilities.den),
            cp: CpService::new(settings.facilities.cp),
            va: VaService::new(settings.station_kind, settings.facilities.va),
            infrastructure: InfrastructureService::new(
                settings.station_kind,
                settings.facilities.infrastructure,
                settings.infrastructure,
                &settings.facilities.vehicle,
            ),
            signals: Signals::default(),
            now: None,
            drafts: Vec::new(),
            messages: BTreeMap::new(),
            events: BTreeMap::new(),
            frames_dropped: BTreeMap::new(),
            drops: Drops::default(),
            health: Health::new(ranging::watched(&settings.cameras, &settings.ranging)),
        })
    }

    /// What the node's own sensors show.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The perception of a camera.
    pub fn camera(&self, source: SourceId) -> Option<&CameraPerception> {
        self.cameras.get(&source)
    }

    /// What is wrong with the node's own senses.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// What other stations say.
    pub fn ldm(&self) -> &Ldm {
        &self.ldm
    }

    /// Processes one event; `effects` is overwritten with what is to be done.
    pub fn step(&mut self, event: &Event, effects: &mut Effects, probe: &mut dyn StageProbe) {
        probe.begin();
        // A late event does not turn time back: what has been decided at `now` stays decided.
        let now = self.now.map_or(event.arrived_at, |now| now.max(event.arrived_at));
        self.now = Some(now);
        *self.events.entry(event.body.name()).or_default() += 1;
        match &event.body {
            EventBody::Detections(frame) => self.see_frame(event.id, frame, now, probe),
            EventBody::FrameDropped(dropped) => *self.frames_dropped.entry(dropped.reason).or_default() += 1,
            EventBody::RadarScan(scan) => self.see_scan(event.id, Scan::Radar(scan), now),
            EventBody::ObjectList(list) => self.see_scan(event.id, Scan::List(list), now),
            EventBody::Observation(observation) => self.world.observe(observation, now),
            EventBody::Received(message) => self.receive(event.id, message, now),
            EventBody::Signals(report) => self.take_signals(report, now),
            EventBody::PriorityAnswer(answer) => self.infrastructure.answer(answer),
            EventBody::Ego(ego) => self.move_to(ego),
            EventBody::DenRequest(request) => self.den.request(request),
            EventBody::Channel(load) => self.dcc.get_or_insert_default().measure(load.busy_ratio),
            EventBody::Identity(identity) => self.become_another(StationId(identity.station_id)),
            EventBody::Status(change) => self.world.report(change, now),
            EventBody::FrameStatistics(_) | EventBody::WakeUp => {}
        }
        self.health.observe(event.id.source, &event.body, self.ldm.take_heard(), now);
        if let (EventBody::FrameStatistics(seen), Some(camera)) = (&event.body, self.cameras.get_mut(&event.id.source))
        {
            camera.picture_moved(self.health.picture_moved(event.id.source), &seen.patches);
        }
        self.decide(now, effects, probe);
    }

    /// What follows from the world as it now is.
    fn decide(&mut self, now: Timestamp, effects: &mut Effects, probe: &mut dyn StageProbe) {
        self.world.age(now);
        self.situations.age(now);
        self.ldm.age(now);
        let Self { world, situations, ldm, map, station, ego, dcc, den, .. } = self;
        let Self { cp, ca, va, infrastructure, signals, drafts, .. } = self;
        let t_gen_cam_dcc_ms = dcc.as_ref().map_or(0, |dcc| dcc.t_off_ns(dcc::t_on_ns(CAM_FRAME_BYTES)) / 1_000_000);
        let scene = Scene { now, world, ldm, t_gen_cam_dcc_ms, ego: ego.as_ref(), signals, map, station, situations };
        den.evaluate(&scene, drafts);
        cp.evaluate(&scene, drafts);
        ca.evaluate(&scene, drafts);
        va.evaluate(&scene, drafts);
        infrastructure.evaluate(&scene, drafts);
        probe.lap(Stage::World);
        effects.messages.clear();
        effects.next_denm_number = self.den.next_sequence_number();
        effects.priority_requests = self.infrastructure.take_requests();
        for draft in std::mem::take(&mut self.drafts) {
            self.publish(draft, now, effects);
        }
        let wishes = [
            self.world.wake_at(),
            self.den.wake_at(),
            self.cp.wake_at(),
            self.ca.wake_at(),
            self.va.wake_at(),
            self.infrastructure.wake_at(),
        ];
        // Later than now in any case, so that a runner that obeys at once cannot spin.
        effects.wake_at = wishes.into_iter().flatten().min().map(|at| at.max(now.plus_ms(1)));
        probe.lap(Stage::Encode);
    }

    /// Takes what a controller tells of an intersection of the site.
    fn take_signals(&mut self, report: &SignalReport, now: Timestamp) {
        if self.infrastructure.site().intersections.iter().all(|known| known.id != report.intersection) {
            return self.drops.count("signals-of-unknown-intersection");
        }
        if report.groups.len() > MAX_SIGNAL_GROUPS || report.groups.is_empty() {
            return self.drops.count("signals-not-valid");
        }
        if !self.signals.take(report, now) {
            self.drops.count("signals-late");
        }
    }

    /// Takes a message of another station; the road users that it speaks of become ours where cameras are to join in.
    fn receive(&mut self, id: EventId, message: &ReceivedMessage, now: Timestamp) {
        let Some(content) = self.ldm.take(message, now) else { return };
        let listens = self.world.listens(!self.station.sensors.is_empty());
        match content {
            Message::Srem(srem) => self.infrastructure.request(&srem, message.verdict, now),
            Message::Ssem(ssem) => self.infrastructure.status(&ssem, self.station.id),
            Message::Cam(_) | Message::Vam(_) if listens => {
                if let Some(station) = self.ldm.station(content.station_id()) {
                    self.world.hear_station(station, id);
                }
            }
            Message::Cpm(_) if listens => {
                let here = self.ego.is_some().then_some(self.station.reference);
                for object in self.ldm.objects_of(content.station_id()) {
                    // Others see the vehicle that carries the node, too.
                    if here.is_none_or(|here| here.ground_distance_m(&object.position) > OWN_RADIUS_M) {
                        self.world.hear_object(object, id, now);
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes a new pseudonym: nothing that is sent from now on leads to the former one.
    fn become_another(&mut self, id: StationId) {
        self.station.id = id;
        self.ldm.rename(id);
        self.ca.forget_path();
    }

    /// Takes over where a mobile station is.
    fn move_to(&mut self, ego: &EgoState) {
        if self.station.kind.profile() == Profile::Roadside {
            return self.drops.count("ego-of-a-station-that-stands");
        }
        if !is_valid(ego) {
            return self.drops.count("ego-not-valid");
        }
        if self.ego.is_some_and(|known| known.captured_at > ego.captured_at) {
            return self.drops.count("ego-late");
        }
        self.station.position = ego.position;
        self.station.reference = self.station.frame.to_enu(ego.position);
        self.ego = Some(*ego);
    }

    /// What the signals of the site show, as their controllers tell or another station does (SPATEM).
    fn lights(&self, now: Timestamp) -> Lights {
        let timeout_ms = self.infrastructure.signal_timeout_ms();
        let mut lights = Lights::new();
        for intersection in &self.infrastructure.site().intersections {
            let shown = self.signals.state(intersection, timeout_ms, now).map(|state| state.groups);
            let told = || self.ldm.phases_of(intersection.region, intersection.id);
            let groups = shown.map(|groups| groups.iter().map(|group| (group.group, group.shows)).collect());
            let groups: Vec<_> = groups.unwrap_or_else(told);
            lights.extend(groups.into_iter().map(|(group, shows)| ((intersection.id, group), shows)));
        }
        lights
    }

    fn see_frame(&mut self, id: EventId, frame: &DetectionFrame, now: Timestamp, probe: &mut dyn StageProbe) {
        match self.cameras.get_mut(&id.source) {
            Some(camera) => {
                let tracks = camera.update(id, frame, probe);
                self.world.see_frame(id.source, frame, tracks, now);
                if camera.watches_pose() {
                    camera.watch_pose(frame, &pose::stated_vehicles(&self.ldm, frame.captured_at));
                    self.health.turned(id.source, camera.pose_drift(), now);
                }
                self.look_around(now);
            }
            None => self.drops.count("unknown-camera"),
        }
    }

    /// What follows from new places of road users.
    fn look_around(&mut self, now: Timestamp) {
        self.world.match_map(self.situations.routes(), &self.map);
        let lights = self.lights(now);
        self.situations.update(&self.world, &self.map, &lights, now);
    }

    /// Encodes a draft and hands it over, with its number.
    fn publish(&mut self, draft: Draft, now: Timestamp, effects: &mut Effects) {
        let Draft { content, captured_at, position, deadline, dissemination, provenance } = draft;
        let kind = content.kind();
        let envelope = Envelope { source_uuid: self.source_uuid.clone(), timestamp: now };
        let encoded = match encode(content, &self.station, &envelope) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::error!(kind = kind.name(), %error, rule = provenance.rule, "message cannot be encoded");
                return self.drops.count("message-not-encodable");
            }
        };
        (0..encoded.left_out).for_each(|_| self.drops.count("cpm-too-many-objects"));
        for Encoded { uper, json, objects } in encoded.messages {
            let seq = self.messages.entry(kind).or_default();
            *seq += 1;
            let objects = objects.map_or(&provenance.objects[..], |range| &provenance.objects[range]);
            effects.messages.push(OutMessage {
                id: format!("{}-{}-{seq}", self.station.id.0, kind.name()),
                kind,
                seq: *seq,
                generated_at: now,
                captured_at,
                position,
                deadline,
                dissemination,
                uper,
                json,
                provenance: Provenance { rule: provenance.rule.clone(), objects: objects.to_vec() },
            });
        }
    }
}

fn is_on_earth(p: Wgs84) -> bool {
    p.lat_deg.abs() <= 90.0 && p.lon_deg.abs() <= 180.0 && p.alt_m.abs() < 10_000.0
}

/// A receiver may say anything: what is not a number, or no station can do, must not reach a message.
fn is_valid(ego: &EgoState) -> bool {
    let covariance = ego.covariance.unwrap_or_default();
    let limited = [
        (ego.heading_deg, 1e4),
        (ego.heading_sigma_deg, 1e4),
        (ego.speed_mps, 200.0),
        (ego.speed_sigma_mps, 200.0),
        (ego.acceleration_mps2, 200.0),
        (ego.yaw_rate_degps, 1e4),
        (Some(covariance.ee_m2), 1e12),
        (Some(covariance.en_m2), 1e12),
        (Some(covariance.nn_m2), 1e12),
    ];
    // Written so that "not a number" fails too.
    is_on_earth(ego.position) && limited.iter().all(|(value, limit)| value.is_none_or(|value| value.abs() <= *limit))
}

fn check_position(name: &'static str, p: Wgs84) -> Result<(), NodeError> {
    let allowed = "latitude within 90°, longitude within 180°, height within 10 km";
    is_on_earth(p).then_some(()).ok_or_else(|| SettingError { name, value: format!("{p:?}"), allowed }.into())
}

/// The footprints of the sensors that state one.
fn footprints(settings: &NodeSettings, station: Enu) -> Result<BTreeMap<SourceId, Vec<[f64; 2]>>, NodeError> {
    let cameras = settings.cameras.iter().map(|(source, camera)| (source, camera.id.as_str(), &*camera.footprint_m));
    let ranging = settings.ranging.iter().map(|(source, sensor)| (source, sensor.id(), sensor.footprint_m()));
    let stated = cameras.chain(ranging).filter(|(_, _, corners)| !corners.is_empty());
    let checked = stated.map(|(source, id, corners)| {
        let near = |[e_m, n_m]: &[f64; 2]| {
            (e_m - station.e_m).abs() <= MAX_FOOTPRINT_OFFSET_M && (n_m - station.n_m).abs() <= MAX_FOOTPRINT_OFFSET_M
        };
        let fits = (3..=MAX_FOOTPRINT_CORNERS).contains(&corners.len()) && corners.iter().all(near);
        fits.then(|| (*source, corners.to_vec())).ok_or_else(|| NodeError::Footprint(id.to_owned()))
    });
    checked.collect()
}

/// Checks that sensors differ and resolves the timeouts of single cameras.
fn camera_timeouts(settings: &NodeSettings) -> Result<BTreeMap<SourceId, u32>, NodeError> {
    let cameras = settings.cameras.iter().map(|(source, camera)| (*source, camera.id.as_str()));
    let ranging = settings.ranging.iter().map(|(source, sensor)| (*source, sensor.id()));
    let all: Vec<_> = cameras.chain(ranging).collect();
    if all.len() > MAX_CAMERAS {
        return Err(NodeError::TooManyCameras(all.len()));
    }
    let mut sources = BTreeMap::new();
    for (place, (source, id)) in all.iter().enumerate() {
        let is_known = all[..place].iter().any(|(other, _)| other == source);
        if is_known || sources.insert(*id, *source).is_some() {
            return Err(NodeError::DuplicateCamera((*id).to_owned()));
        }
    }
    let resolve = |(camera, timeout_ms): (&String, &u32)| {
        let source = sources.get(camera.as_str()).ok_or_else(|| NodeError::UnknownCamera(camera.clone()))?;
        Ok((*source, *timeout_ms))
    };
    settings.world.camera_timeouts_ms.iter().map(resolve).collect()
}

mod pose;
mod ranging;
#[cfg(test)]
mod tests;
