//! A scenario in real time: the street, the nodes at it and on board, as separate parties that meet only on the network.
//!
//! In: a [`Scenario`]. Out: running [`LiveNode`]s: one for each station at the roadside, reading network cameras, sensors and
//! controllers; one for each connected scripted vehicle, reading its receiver; and a driver for each of those, who does what
//! the display in the car says. Everything goes through the sources and links that a road has: HTTP, MQTT, NMEA over TCP,
//! Zenoh. Absent here: faults, criteria and the radio's model, which need a world that waits ([`crate::run`]).

use super::devices::{CarReceiver, Controllers, MEASURED, Masts, NetworkCamera, mast_topic, signals_topic};
use super::driver::{self, ConnectedDriver, Deeds, Memory};
use super::lines::LineServer;
use super::mjpeg::MjpegServer;
use super::mqtt::Publisher;
use super::street::{self, Device, Street};
use super::{LiveError, configuration};
use crate::actor::Actor;
use crate::random::Seed;
use crate::roads::Roads;
use crate::run::gnss::Receiver;
use crate::run::reaction::Driver;
use crate::run::zebra::{Zebra, zebras};
use crate::run::{RunError, population, site};
use crate::scenario::{ActorSettings, Scenario, StationSettings, scripted};
use crate::sensors::camera::{Camera, CameraModel, CameraPose, CameraSettings, Scene};
use crate::sensors::gnss::{Gnss, GnssSettings};
use masa_edge_node::config::Configuration;
use masa_edge_node::node::Node;
use masa_edge_node::run::live::{LiveNode, RunSummary};
use masa_edge_node::run::{TimeBase, node_settings};
use masa_edge_node::sources::stop::StopToken;
use masa_edge_node::sources::v2x_in::V2xInSettings;
use masa_links::{Mode, MqttSettings, Reader, ReaderSettings, Selector, ZenohSettings};
use masa_v2x_proto::geo::SiteFrame;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Time that queued messages get to leave when a node stops.
const FLUSH: Duration = Duration::from_secs(5);

/// Traffic goes on for at least so long, seconds.
const STAYS_S: f64 = 4.0 * 3_600.0;

/// Where a stage meets the outside.
#[derive(Clone, Debug)]
pub struct StageSettings {
    /// Description of the model of cameras that name none.
    pub model: PathBuf,
    /// The live page of the first station.
    pub web: SocketAddr,
    /// The embedded broker, at the first station.
    pub broker: SocketAddr,
    /// The Zenoh router, at the first station.
    pub zenoh: SocketAddr,
    /// Where the first station records; `None`: nowhere.
    pub recordings: Option<PathBuf>,
    /// Readers that acknowledge what nodes say; until they do, it stays in the nodes' outboxes.
    pub acknowledged_by: Vec<String>,
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
}

/// A scenario in real time.
pub struct Stage {
    street: Street,
    nodes: Vec<(String, LiveNode)>,
    tasks: JoinSet<()>,
    deeds: Deeds,
    _cameras: Arc<MjpegServer>,
    _publisher: Arc<Publisher>,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

/// What came of a stage.
#[derive(Debug)]
pub struct StageSummary {
    /// What each node did, by name; the first station first.
    pub nodes: Vec<(String, RunSummary)>,
    /// What drivers did because of what they were told.
    pub deeds: Vec<driver::Deed>,
    /// How long the world stood still because the machine was too slow.
    pub stood_still: Duration,
}

/// What the parts of a stage share while it is set up.
struct Setting<'a> {
    scenario: &'a Scenario,
    settings: &'a StageSettings,
    roads: Arc<Roads>,
    frame: SiteFrame,
    seed: Seed,
}

impl Stage {
    /// Sets everything up and starts the world. Must be called on a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// When the scenario cannot be used, an address cannot be listened on, or a node does not start.
    pub async fn start(scenario: &Scenario, settings: &StageSettings) -> Result<Self, LiveError> {
        // A stage stays: traffic goes on for longer than the script.
        let scenario = &Scenario { duration_s: scenario.duration_s.max(STAYS_S), ..scenario.clone() };
        let roads = Arc::new(crate::run::map(scenario).map_err(RunError::from)?);
        let frame = site::site_frame(&roads);
        let seed = Seed(settings.seed.unwrap_or(scenario.seed));
        let setting = Setting { scenario, settings, roads: Arc::clone(&roads), frame, seed };
        let (world, ways) = population::world(scenario, &roads, seed)?;
        let names = scenario.stations.iter().flat_map(|station| station.cameras.iter().map(|c| feed(station, &c.id)));
        let cameras = Arc::new(MjpegServer::start(any_port(), names).await?);
        let publisher = Arc::new(Publisher::connect(settings.broker, "masa-street"));
        let (commands, received) = street::commands();
        let mut devices: Vec<Box<dyn Device>> = Vec::new();
        let mut nodes = Vec::new();
        for (place, station) in scenario.stations.iter().enumerate() {
            let configuration = setting.roadside(station, place == 0, &cameras);
            nodes.push((station.id.clone(), LiveNode::start(&configuration, TimeBase::Wall).await?));
        }
        devices.extend(setting.cameras(&cameras));
        devices.push(Box::new(Masts::new(&scenario.stations, &roads, Arc::clone(&publisher), seed)));
        if scenario.stations.iter().any(|station| station.signals) {
            devices.push(Box::new(Controllers::new(roads, Arc::clone(&publisher), seed)));
        }
        let zebras: Arc<[Zebra]> = zebras(&setting.roads).into();
        let deeds = Deeds::default();
        let mut tasks = JoinSet::new();
        let ids = scripted::ids(scenario);
        for actor in scenario.actors.iter().filter(|actor| actor.station_id.is_some()) {
            let id = ids[&actor.id];
            let (Some(state), Some(way)) = (world.now().actor(id), ways.get(&id)) else { continue };
            let server = LineServer::start(any_port()).await?;
            let configuration = setting.on_board(actor, state, &server);
            nodes.push((actor.id.clone(), LiveNode::start(&configuration, TimeBase::Wall).await?));
            let gnss = Gnss::new(GnssSettings::default(), &setting.roads, seed, u64::from(id.0));
            devices.push(Box::new(CarReceiver { actor: id, period_s: 0.1, gnss, server }));
            let (ask, asked) = tokio::sync::mpsc::channel(1);
            let (inbox, messages) = driver::inbox();
            let reader = Reader::subscribe(
                &setting.over_zenoh(),
                &[Selector { tiles: vec!["0".into()], ..Selector::default() }],
            )?;
            tasks.spawn(driver::read(reader, asked, inbox));
            let station_id = configuration.node.node.station_id;
            devices.push(Box::new(ConnectedDriver {
                car: actor.id.clone(),
                actor: id,
                station_id,
                way: Arc::clone(way),
                frame,
                zebras: Arc::clone(&zebras),
                display: Node::new(node_settings(&configuration))
                    .map_err(|source| RunError::Node { station: actor.id.clone(), source })?,
                receiver: Receiver::new(seed, station_id, scenario.connected.gnss_sigma_m, 0.0),
                driver: Driver::new(scenario.connected.driver),
                inbox: messages,
                ask,
                commands: commands.clone(),
                deeds: Arc::clone(&deeds),
                memory: Memory::default(),
            }));
        }
        let street = Street::start(world, devices, received, &StopToken::new()).map_err(LiveError::Thread)?;
        Ok(Self { street, nodes, tasks, deeds, _cameras: cameras, _publisher: publisher })
    }

    /// The nodes by name, the first station first.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, &LiveNode)> {
        self.nodes.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// The world.
    pub fn street(&self) -> &Street {
        &self.street
    }

    /// Stops the world, then the nodes.
    pub async fn stop(mut self) -> StageSummary {
        let stood_still = self.street.stood_still();
        drop(self.street);
        self.tasks.shutdown().await;
        let mut nodes = Vec::new();
        for (name, node) in self.nodes {
            nodes.push((name, node.shutdown(FLUSH).await));
        }
        let deeds = std::mem::take(&mut *self.deeds.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        StageSummary { nodes, deeds, stood_still }
    }
}

fn any_port() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// Name of a camera's stream.
fn feed(station: &StationSettings, camera: &str) -> String {
    format!("{}-{camera}", station.id)
}

impl Setting<'_> {
    fn over_zenoh(&self) -> ReaderSettings {
        ReaderSettings { zenoh: Some(self.guest()), ..ReaderSettings::default() }
    }

    /// Someone who connects to the router at the first station.
    fn guest(&self) -> ZenohSettings {
        ZenohSettings {
            mode: Mode::Client,
            connect: vec![format!("tcp/{}", self.settings.zenoh)],
            readers: self.settings.acknowledged_by.clone(),
            ..ZenohSettings::default()
        }
    }

    fn roadside(&self, station: &StationSettings, is_first: bool, cameras: &MjpegServer) -> Configuration {
        let mut configuration = site::roadside(station, &self.roads, &self.frame);
        let node = &mut configuration.node;
        for (section, camera) in node.cameras.iter_mut().zip(&station.cameras) {
            section.source = configuration::network_camera(&cameras.url(&feed(station, &camera.id)));
            section.model = camera.model.clone().unwrap_or_else(|| self.settings.model.clone());
        }
        if is_first {
            let listen = vec![format!("tcp/{}", self.settings.zenoh)];
            let readers = self.settings.acknowledged_by.clone();
            node.links.mqtt =
                Some(MqttSettings { readers: readers.clone(), ..MqttSettings::to_local_broker(self.settings.broker) });
            node.links.zenoh = Some(ZenohSettings { mode: Mode::Router, listen, readers, ..ZenohSettings::default() });
            node.links.broker.get_or_insert_default().listen = self.settings.broker;
            node.web.get_or_insert_default().listen = self.settings.web;
            node.recording = self.settings.recordings.as_deref().map(configuration::recorder);
        } else {
            node.links.zenoh = Some(self.guest());
        }
        node.v2x_in = Some(V2xInSettings { reader: self.over_zenoh(), select: Vec::new() });
        let measured = MEASURED.iter().map(|measurand| measurand.name());
        node.iot = Some(configuration::mast(self.settings.broker, &mast_topic(&station.id), measured));
        if station.signals {
            node.signal_controller =
                Some(configuration::controller(self.settings.broker, &signals_topic("+"), station.station_id));
        }
        configuration
    }

    fn on_board(&self, settings: &ActorSettings, actor: &Actor, receiver: &LineServer) -> Configuration {
        let station_id = settings.station_id.unwrap_or(actor.id.0);
        let facilities = &self.scenario.connected.facilities;
        let actor = (actor, settings.behind_schedule_s);
        let mut configuration = site::on_board(station_id, &settings.id, actor, facilities, &self.roads, &self.frame);
        configuration.node.links.zenoh = Some(self.guest());
        configuration.node.v2x_in = Some(V2xInSettings { reader: self.over_zenoh(), select: Vec::new() });
        configuration.node.gnss = Some(configuration::receiver(receiver.address()));
        configuration
    }

    fn cameras(&self, server: &Arc<MjpegServer>) -> Vec<Box<dyn Device>> {
        let scene = Arc::new(Scene::new(&self.roads, self.seed));
        let mut devices: Vec<Box<dyn Device>> = Vec::new();
        for station in &self.scenario.stations {
            for camera in &station.cameras {
                let [e, n] = camera.look_at_m;
                let pose = CameraPose::looking_at(camera.position_m, [e, n, 0.0]);
                let lens = camera.lens;
                let model = CameraModel::with_size(&camera.id, pose, lens.fov_deg, lens.image_size_px);
                let mut settings = CameraSettings::fixed(model);
                settings.optics.exposure_ms = lens.exposure_ms;
                devices.push(Box::new(NetworkCamera {
                    name: feed(station, &camera.id),
                    rate_hz: camera.rate_hz,
                    camera: Camera::new(settings, Arc::clone(&scene), self.seed),
                    server: Arc::clone(server),
                }));
            }
        }
        devices
    }
}
