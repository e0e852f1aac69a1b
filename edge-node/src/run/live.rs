//! A live node: starts every part in order, keeps it running, and stops it so that nothing is lost.

use super::cameras;
use super::city::CityMessages;
use super::core_thread::{Arrival, CoreSummary, CoreThread, Outlets, TimeBase};
use super::detector::DetectorThread;
use super::engine::Pool;
use super::followers::{ask_controller, follow_controller, follow_geonet, follow_gnss, follow_iot, follow_links};
use super::pictures::Pictures;
use super::state::StateFile;
use super::v2x_in;
use super::{RunError, node_settings};
use crate::config::Configuration;
use crate::effect::PriorityRequest;
use crate::event::{EventBody, SourceId};
use crate::facilities::profile::{Profile, StationKind};
use crate::node::Node;
use crate::recorder::raw_ring::RawRing;
use crate::recorder::{Recorder, proto, recordings, repair};
use crate::snapshot::Snapshot;
use crate::sources::camera::{self, CameraHandle, CameraSourceSettings};
use crate::sources::clock::Clock;
use crate::sources::gnss;
use crate::sources::iot_mqtt;
use crate::sources::queue::{self, Sender, Sent, WhenFull};
use crate::sources::signal_controller;
use crate::sources::stop::StopToken;
use crate::telemetry::Telemetry;
use crate::web::{self, CameraFeed, MessageLog, NodeInfo, SourceInfo, WebState};
use masa_links::{GeonetParts, IdentityRule, KindStats, Links, Reader, Station};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

/// Arrivals waiting for the core at most. It takes tens of microseconds for one, so this is a second's worth and more.
const ARRIVALS: usize = 1024;

/// Requests for priority that wait for the controller's adapter at most.
const PRIORITY_REQUESTS: usize = 64;

/// A running node.
pub struct LiveNode {
    stop: StopToken,
    links: Option<Arc<Links>>,
    recorder: Option<Arc<Recorder>>,
    core: JoinHandle<CoreSummary>,
    cameras: Vec<JoinHandle<()>>,
    /// Outlives the cameras, which wait for it.
    pool: Pool,
    tasks: JoinSet<()>,
    web_stop: watch::Sender<bool>,
    web: Option<web::WebServer>,
    telemetry: Arc<Telemetry>,
    arrivals: Option<Sender<Arrival>>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    priority_requests: broadcast::Sender<PriorityRequest>,
}

impl std::fmt::Debug for LiveNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveNode").field("cameras", &self.cameras.len()).finish_non_exhaustive()
    }
}

/// What a node did, told when it has stopped.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// What the core did.
    pub core: CoreSummary,
    /// What the links did.
    pub links: Vec<KindStats>,
    /// Acknowledgements still missing; the messages stay in the outbox.
    pub owed: u64,
    /// Links that did not finish in time.
    pub unfinished: usize,
    /// The recording, if there is one, and how many records it lost.
    pub recording: Option<(PathBuf, u64)>,
}

impl LiveNode {
    /// Starts the node; must be called on a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// When any part cannot start. A camera or broker that cannot be reached is no error: it is retried.
    pub async fn start(configuration: &Configuration, base: TimeBase) -> Result<Self, RunError> {
        let clock = Clock::system();
        let mut configuration = configuration.clone();
        let node_section = &configuration.node.node;
        let state = match &node_section.state_directory {
            Some(directory) => Some(StateFile::open(directory, node_section.station_id)?),
            None => None,
        };
        // In the configuration, so that the recording's header has it and a replay starts alike.
        let kept = state.as_ref().and_then(|(_, state)| state.next_denm_number);
        let first = &mut configuration.node.facilities.den.first_sequence_number;
        *first = kept.or(*first);
        let configuration = &configuration;
        let stop = StopToken::new();
        let telemetry = Arc::new(Telemetry::new());
        let settings = node_settings(configuration);
        let city = CityMessages::new(
            settings.station_id,
            settings.position,
            settings.station_kind != StationKind::RoadSideUnit,
        );
        let node = Node::new(settings)?;
        let prepared = cameras::prepare(configuration, &clock).await?;
        let recorder = start_recorder(configuration, &clock)?;
        let raw_ring = configuration.node.raw_ring.as_ref().map(|ring| RawRing::start(ring, clock.clone()));
        let raw_ring = raw_ring.transpose()?.map(Arc::new);
        let station = Station::new(&configuration.site.site.id, configuration.node.node.station_id)?
            .with_source_uuid(&super::source_uuid(configuration))?;
        let parts = geonet_parts(configuration, &clock)?;
        let mut links = Links::start_with(configuration.node.links.clone(), station, parts).await?;
        let from_radio = links.take_geonet_received();
        let of_radio = links.take_geonet_notices();
        let links = Arc::new(links);
        let feeds: BTreeMap<SourceId, Arc<CameraFeed>> =
            configuration.cameras().map(|(source, _, _)| (source, Arc::default())).collect();
        let log = Arc::new(MessageLog::default());
        let (snapshots, watched) = watch::channel(Arc::new(node.snapshot(clock.now())));

        let core_snapshots = watched.clone();
        let (web_stop, web_stopped) = watch::channel(false);
        let web = match &configuration.node.web {
            Some(settings) => {
                let state = WebState {
                    node: node_info(configuration, &prepared.pool),
                    site: node.site_view(),
                    snapshots: watched,
                    telemetry: Arc::clone(&telemetry),
                    messages: Arc::clone(&log),
                    cameras: feeds.clone(),
                };
                Some(web::serve(settings.clone(), state, stopped(web_stopped)).await?)
            }
            None => None,
        };

        let (priority_requests, _) = broadcast::channel(PRIORITY_REQUESTS);
        let (arrivals, waiting) = queue::bounded(ARRIVALS, WhenFull::Block);
        let outlets = Outlets {
            links: Some(Arc::clone(&links)),
            recorder: recorder.clone(),
            telemetry: Arc::clone(&telemetry),
            log,
            snapshots,
            state: state.map(|(file, _)| file),
            priority_requests: priority_requests.clone(),
            city,
        };
        let core = CoreThread::new(node, base, clock.clone(), outlets);
        let core = thread("core", move || core.run(&waiting))?;

        let mut tasks = JoinSet::new();
        tasks.spawn(follow_links("", links.status(), arrivals.clone(), stop.clone()));
        if let Some(settings) = &configuration.node.iot {
            let handle =
                iot_mqtt::spawn(settings, u64::from(configuration.iot_source().0), "iot", clock.clone(), &stop)?;
            tasks.spawn(follow_iot(handle, configuration.iot_source(), arrivals.clone(), Arc::clone(&telemetry)));
        }
        if let Some(settings) = &configuration.node.gnss {
            let source = configuration.gnss_source();
            let worker = gnss::spawn(settings, u64::from(source.0), clock.clone(), &stop).map_err(RunError::Thread)?;
            tasks.spawn(follow_gnss(worker, source, arrivals.clone(), Arc::clone(&telemetry)));
        }
        if let Some(settings) = &configuration.node.signal_controller {
            let source = configuration.signal_controller_source();
            let (worker, requests) = signal_controller::spawn(settings, u64::from(source.0), clock.clone(), &stop)?;
            tasks.spawn(follow_controller(worker, source, arrivals.clone(), Arc::clone(&telemetry)));
            tasks.spawn(ask_controller(requests, priority_requests.subscribe(), stop.clone()));
        }
        if let Some(settings) = &configuration.node.v2x_in {
            let reader = Reader::subscribe(&settings.reader, &settings.select)?;
            let source = configuration.v2x_in_source();
            tasks.spawn(follow_links("v2x-in ", reader.status(), arrivals.clone(), stop.clone()));
            let own = configuration.node.node.station_id;
            tasks.spawn(v2x_in::follow(reader, own, source, arrivals.clone(), stop.clone()));
        }
        if let Some(packets) = from_radio {
            let source = configuration.geonet_source();
            tasks.spawn(v2x_in::follow_radio(packets, source, arrivals.clone(), stop.clone()));
        }
        if let Some(notices) = of_radio {
            let source = configuration.geonet_source();
            tasks.spawn(follow_geonet(notices, source, arrivals.clone(), stop.clone()));
        }
        let mut cameras = Vec::new();
        for ((source, section, settings), (sight, privacy)) in configuration.cameras().zip(prepared.cameras) {
            let handle = camera::spawn(section.source.clone(), source, &section.id, clock.clone(), &stop)?;
            let worker = DetectorThread {
                name: section.id.clone(),
                source,
                sight,
                appearance: settings.tracker.appearance.descriptor(),
                seen: Vec::new(),
                arrivals: arrivals.clone(),
                pictures: Pictures {
                    camera: section.id.clone(),
                    source,
                    privacy,
                    feed: feeds.get(&source).map(Arc::clone).unwrap_or_default(),
                    recorder: recorder.clone(),
                    raw_ring: raw_ring.clone(),
                },
                telemetry: Arc::clone(&telemetry),
                clock: clock.clone(),
            };
            cameras.push(thread(&format!("detector-{}", section.id), move || run_camera(worker, handle))?);
        }
        Ok(Self {
            stop,
            links: Some(links),
            recorder,
            core,
            cameras,
            pool: prepared.pool,
            tasks,
            web_stop,
            web,
            telemetry,
            arrivals: Some(arrivals),
            snapshots: core_snapshots,
            priority_requests,
        })
    }

    /// Where the live page is served.
    pub fn web_address(&self) -> Option<SocketAddr> {
        self.web.as_ref().map(|web| web.addr)
    }

    /// Where the embedded broker listens.
    pub fn broker_address(&self) -> Option<SocketAddr> {
        self.links.as_ref().and_then(|links| links.broker_address())
    }

    /// Hands an event of a service or a controller to the core: a request for a DENM, what signals show, an answer to a
    /// request for priority. False when the node is stopping.
    pub fn submit(&self, body: EventBody) -> bool {
        let arrival = Arrival { source: SourceId::NODE, body };
        self.arrivals.as_ref().is_some_and(|arrivals| !matches!(arrivals.send(arrival), Sent::Closed(_)))
    }

    /// Requests for priority from now on, for the signal controller; one that is read too late is lost.
    pub fn priority_requests(&self) -> broadcast::Receiver<PriorityRequest> {
        self.priority_requests.subscribe()
    }

    /// What the node knows, now and on every change.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// The node's measurements.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Waits until every camera has come to its end; a live camera never does.
    pub async fn cameras_ended(&mut self) {
        let cameras = std::mem::take(&mut self.cameras);
        let joined = tokio::task::spawn_blocking(move || join_all(cameras));
        if joined.await.is_err() {
            tracing::error!("waiting for the cameras failed");
        }
    }

    /// Stops sources, lets the core finish what has arrived, flushes links and recording, within `deadline` for the links.
    pub async fn shutdown(mut self, deadline: Duration) -> RunSummary {
        self.stop.stop();
        self.cameras_ended().await;
        drop(self.pool);
        drop(self.arrivals.take());
        while self.tasks.join_next().await.is_some() {}
        let core = self.core;
        let core =
            tokio::task::spawn_blocking(move || core.join()).await.ok().and_then(Result::ok).unwrap_or_else(|| {
                tracing::error!("the core thread panicked");
                CoreSummary::default()
            });
        let mut summary = RunSummary { core, links: Vec::new(), owed: 0, unfinished: 0, recording: None };
        // The core was the last other holder.
        if let Some(links) = self.links.take().and_then(Arc::into_inner) {
            let report = links.shutdown(deadline).await;
            summary.owed = report.owed;
            summary.unfinished = report.unfinished;
            summary.links = report.stats;
        }
        if let Some(recorder) = self.recorder.take().and_then(Arc::into_inner) {
            let stats = Arc::clone(recorder.stats());
            let path = tokio::task::spawn_blocking(move || recorder.finish()).await;
            let lost = stats.dropped.load(std::sync::atomic::Ordering::Relaxed);
            summary.recording = path.ok().map(|path| (path, lost));
        }
        self.web_stop.send_replace(true);
        if let Some(web) = self.web.take()
            && tokio::time::timeout(Duration::from_secs(2), web.task).await.is_err()
        {
            tracing::warn!("the live page still had connections when the node stopped");
        }
        summary
    }
}

fn thread<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, RunError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(RunError::Thread)
}

fn run_camera(worker: DetectorThread, handle: CameraHandle) {
    worker.run(&handle);
    handle.shut_down();
}

fn join_all(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a detector thread panicked");
        }
    }
}

async fn stopped(mut flag: watch::Receiver<bool>) {
    // A closed channel is a stop too.
    let _ = flag.wait_for(|stopped| *stopped).await;
}

/// What the GeoNetworking link is given: the security entity, when there are certificates. Pseudonyms change at times that
/// nobody else can know, so the seed is the time of the start.
fn geonet_parts(configuration: &Configuration, clock: &Clock) -> Result<GeonetParts, RunError> {
    let Some(section) = &configuration.node.security else { return Ok(GeonetParts::default()) };
    let entity = section.entity(clock.now().unix_ns() as u64)?;
    let identity = match configuration.node.node.station_type.profile() {
        Profile::Roadside => IdentityRule::Keep,
        Profile::Vehicle | Profile::Vru => IdentityRule::FollowCertificate,
    };
    Ok(GeonetParts { security: Some(Box::new(entity)), identity, gate: None })
}

fn start_recorder(configuration: &Configuration, clock: &Clock) -> Result<Option<Arc<Recorder>>, RunError> {
    let Some(settings) = &configuration.node.recording else { return Ok(None) };
    // Listed before the new one exists, repaired beside the running node: a long recording takes minutes.
    let old = recordings(&settings.directory)?;
    thread("recording-repair", move || repair_all(&old))?;
    let header = proto::Header {
        program: format!("masa {}", env!("CARGO_PKG_VERSION")),
        configuration_json: serde_json::to_string(configuration).unwrap_or_default(),
        sources: configuration.source_names(),
        station_id: configuration.node.node.station_id,
        started_at_ns: clock.now().unix_ns(),
        ..Default::default()
    };
    Ok(Some(Arc::new(Recorder::start(settings, header)?)))
}

fn repair_all(paths: &[PathBuf]) {
    for path in paths {
        match repair(path) {
            Ok(Some(done)) => {
                let path = done.path.display();
                tracing::warn!(%path, messages = done.messages, "repaired a recording that a crash had cut short");
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "recording could not be repaired"),
        }
    }
}

fn node_info(configuration: &Configuration, pool: &Pool) -> NodeInfo {
    let mut sources = vec![SourceInfo { id: SourceId::NODE, name: "node".into(), kind: "this node".into() }];
    sources.extend(configuration.cameras().map(|(id, section, _)| SourceInfo {
        id,
        name: section.id.clone(),
        kind: camera_kind(&section.source).into(),
    }));
    sources.extend(configuration.node.links.geonet.iter().map(|_| SourceInfo {
        id: configuration.geonet_source(),
        name: "geonet".into(),
        kind: "V2X messages by radio".into(),
    }));
    sources.extend(configuration.node.v2x_in.iter().map(|_| SourceInfo {
        id: configuration.v2x_in_source(),
        name: "v2x-in".into(),
        kind: "V2X messages".into(),
    }));
    sources.extend(configuration.node.iot.iter().map(|_| SourceInfo {
        id: configuration.iot_source(),
        name: "iot".into(),
        kind: "sensors over MQTT".into(),
    }));
    sources.extend(configuration.node.gnss.iter().map(|_| SourceInfo {
        id: configuration.gnss_source(),
        name: "gnss".into(),
        kind: "GNSS receiver".into(),
    }));
    sources.extend(configuration.node.signal_controller.iter().map(|_| SourceInfo {
        id: configuration.signal_controller_source(),
        name: "signal-controller".into(),
        kind: "signals over MQTT".into(),
    }));
    let engine = &configuration.node.engine;
    let provider = pool.provider().map(|provider| format!(" ({provider})")).unwrap_or_default();
    let models: Vec<&str> = pool.models().collect();
    NodeInfo {
        name: configuration.node.node.name.clone(),
        station_id: configuration.node.node.station_id,
        version: env!("CARGO_PKG_VERSION").into(),
        config_path: configuration.path.display().to_string(),
        engine: format!("{}{provider}", engine.engine),
        model: models.join(", "),
        sources,
    }
}

fn camera_kind(source: &CameraSourceSettings) -> &'static str {
    match source {
        CameraSourceSettings::File(_) => "video file",
        CameraSourceSettings::Folder(_) => "picture folder",
        CameraSourceSettings::Mjpeg(_) => "MJPEG",
        CameraSourceSettings::Rtsp(_) => "RTSP",
    }
}
