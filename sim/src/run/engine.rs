//! The loop itself: one step of the world after another, and between them everything that falls due, in order of time.

mod drive;
mod ether;
mod mast;
mod schedule;
mod signals;

use super::air::Air;
use super::forger::Forger;
use super::gnss::Receiver;
use super::modem::{Authorities, Modem, Output};
use super::ranging::{self, RangingRig};
use super::reaction::Driver;
use super::rig::{Capture, Rig};
use super::station::Station;
use super::trace::{FNV_START, FrameTrace, HealthTrace, Known, Reception, Sent, StationTrace, Trace, fnv, mentions};
use super::zebra::{Zebra, zebras};
use super::{Perception, RunError, RunOptions, site};
use crate::actor::{Actor, ActorId};
use crate::random::Seed;
use crate::roads::Roads;
use crate::scenario::route::Way;
use crate::scenario::scripted::POPULATION;
use crate::scenario::{CameraSettings, DetectorKind, Scenario, Security};
use crate::sensors::environment::{Background, Environment};
use crate::sensors::signal_feed::SignalFeed;
use crate::world::{WishId, World};
use masa_edge_node::config::Configuration;
use masa_edge_node::event::{DetectionFrame, EventBody, FrameStatistics, SourceId};
use masa_v2x_proto::geo::{Enu, SiteFrame, yaw_to_heading_rad};
use masa_v2x_proto::geonet::{Mobility, Position, PositionAccuracy};
use masa_v2x_proto::security::Verdict;
use masa_v2x_proto::time::Timestamp;
use mast::Mast;
use nalgebra::{Point3, Vector3};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Second 0 of every run: 2026-06-01T10:00:00Z.
const START: Timestamp = Timestamp::from_unix_ms(1_780_308_000_000);
/// Height of a vehicle's antenna, metres.
const ANTENNA_M: f64 = 1.6;

/// Something that falls due at a station.
#[derive(Debug)]
enum Due {
    Event(SourceId, Box<EventBody>),
    Frame(Arc<[u8]>),
}

/// The loop.
pub(crate) struct Engine<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    frame: SiteFrame,
    world: World,
    ways: BTreeMap<ActorId, Arc<Way>>,
    stations: Vec<Station>,
    by_actor: BTreeMap<ActorId, usize>,
    rigs: Vec<Rig>,
    ranging: Vec<RangingRig>,
    air: Air,
    authorities: Option<Authorities>,
    queue: BTreeMap<(i64, u64), (usize, Due)>,
    queued: u64,
    sent_by_bytes: BTreeMap<u64, usize>,
    /// What controllers tell each roadside station that listens.
    feeds: Vec<Vec<SignalFeed>>,
    /// Which station has handed a request for priority to its controller.
    asked_by: BTreeMap<WishId, usize>,
    health_open: BTreeMap<(usize, String), usize>,
    faults_active: Vec<bool>,
    forger: Forger,
    environment: Environment,
    masts: Vec<Mast>,
    pool: rayon::ThreadPool,
    /// What navigation knows of crossings.
    zebras: Vec<Zebra>,
    trace: Trace,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        scenario: &'a Scenario,
        seed: Seed,
        roads: Arc<Roads>,
        options: &RunOptions,
    ) -> Result<Self, RunError> {
        let frame = site::site_frame(&roads);
        let (world, ways) = super::population::world(scenario, &roads, seed)?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.max(1)).build();
        let authorities = (scenario.security == Security::On).then(|| Authorities::new(START));
        let mut engine = Self {
            scenario,
            seed,
            frame,
            ways,
            stations: Vec::new(),
            by_actor: BTreeMap::new(),
            rigs: Vec::new(),
            ranging: Vec::new(),
            air: Air::new(scenario.radio, &roads, seed),
            forger: Forger::default(),
            authorities,
            queue: BTreeMap::new(),
            queued: 0,
            sent_by_bytes: BTreeMap::new(),
            feeds: Vec::new(),
            asked_by: BTreeMap::new(),
            health_open: BTreeMap::new(),
            faults_active: vec![false; scenario.faults.len()],
            environment: Environment::new(Background::default(), &roads),
            masts: mast::masts(scenario, seed),
            pool: pool.map_err(|error| RunError::Threads(error.to_string()))?,
            zebras: zebras(&roads),
            trace: Trace::default(),
            world,
        };
        let draws = |camera: &CameraSettings| camera.detector == DetectorKind::Network;
        let any = scenario.stations.iter().flat_map(|station| &station.cameras).any(draws);
        let scene = any.then(|| super::eye::scene(&roads, seed));
        for settings in &scenario.stations {
            let mut configuration = site::roadside(settings, &roads, &engine.frame);
            if let Perception::NoisyTruth(errors) = options.perception {
                errors.tell(&mut configuration);
            }
            let antenna = Point3::from(settings.position_m);
            let station = engine.add_station(settings.id.clone(), None, configuration, antenna, 0)?;
            let Enu { e_m, n_m, u_m } = Enu { e_m: antenna.x, n_m: antenna.y, u_m: antenna.z };
            let at = engine.frame.to_wgs84(Enu { e_m, n_m, u_m });
            let party = engine.party(station);
            engine.air.listen(party);
            engine.stations[station].modem.moved(Position::surveyed(at, START), START);
            engine.feeds.push(if settings.signals { super::signals::feeds(&roads, seed) } else { Vec::new() });
            for (place, camera) in settings.cameras.iter().enumerate() {
                let rig = Rig::new((station, place), camera, scene.as_ref(), scenario.step_s, seed, options)?;
                engine.rigs.push(rig);
            }
            let sources: Vec<_> = engine.stations[station].configuration.ranging().map(|(source, _)| source).collect();
            engine.ranging.extend(ranging::rigs(station, settings, sources.into_iter(), &roads, seed));
        }
        Ok(engine)
    }

    fn add_station(
        &mut self,
        name: String,
        actor: Option<ActorId>,
        configuration: Configuration,
        antenna: Point3<f64>,
        t_ns: i64,
    ) -> Result<usize, RunError> {
        let now = START.plus_ns(t_ns);
        let node = &configuration.node.node;
        let mobility = if actor.is_some() { Mobility::Mobile } else { Mobility::Stationary };
        let security = self.authorities.as_ref().map(|authorities| authorities.entity(node.station_id));
        let station_type = node.station_type.station_type().code();
        let range_m = self.scenario.radio.range_m;
        let modem = Modem::new(node.station_id, station_type, mobility, security, range_m, now);
        let driver = Driver::new(self.scenario.connected.driver);
        let mut station = Station::new(name.clone(), configuration, modem, driver, antenna);
        station.start(now).map_err(|source| RunError::Node { station: name.clone(), source })?;
        let index = self.stations.len();
        self.trace.stations.push(StationTrace { name, station_id: station.station_id, actor, recordings: Vec::new() });
        self.stations.push(station);
        if let Some(actor) = actor {
            self.by_actor.insert(actor, index);
        }
        Ok(index)
    }

    /// Runs to the end.
    pub(crate) fn run(mut self) -> Result<Trace, RunError> {
        let steps = (self.scenario.duration_s / self.scenario.step_s).round() as u64;
        self.trace.snapshots.push(self.world.now().clone());
        for _ in 0..steps {
            self.weather();
            self.world.step();
            let t_ns = self.t_ns();
            self.trace.snapshots.push(self.world.now().clone());
            self.apply_faults(t_ns)?;
            self.follow_vehicles(t_ns)?;
            self.tell_signals(t_ns);
            self.tell_answers();
            self.read_sensors(t_ns);
            self.announce(t_ns);
            self.look(t_ns)?;
            self.range(t_ns);
            self.forge(t_ns);
            self.run_until(t_ns);
            self.drive(t_ns);
        }
        for (trace, station) in self.trace.stations.iter_mut().zip(self.stations) {
            trace.recordings = station.recordings;
        }
        Ok(self.trace)
    }

    fn t_ns(&self) -> i64 {
        (self.world.now().time_s * 1e9).round() as i64
    }

    /// The time by a station's clock.
    fn clock(&self, station: usize, t_ns: i64) -> Timestamp {
        START.plus_ns(t_ns + self.stations[station].clock.ahead_ns(t_ns))
    }

    fn push(&mut self, t_ns: i64, station: usize, due: Due) {
        self.queued += 1;
        self.queue.insert((t_ns, self.queued), (station, due));
    }

    /// Gives new connected vehicles a node, takes those of vehicles that have left, and tells each where it is.
    fn follow_vehicles(&mut self, t_ns: i64) -> Result<(), RunError> {
        let snapshot = self.world.now().clone();
        let settings = &self.scenario.connected;
        for actor in snapshot.actors.iter().filter(|actor| actor.connected) {
            if self.by_actor.contains_key(&actor.id) {
                continue;
            }
            let scripted = (actor.id.population() == POPULATION)
                .then(|| self.scenario.actors.get((actor.id.0 & 0xff_ffff) as usize))
                .flatten();
            let name = scripted.map_or_else(|| format!("vehicle-{}", actor.id.0), |actor| actor.id.clone());
            let station_id = scripted.and_then(|actor| actor.station_id).unwrap_or(actor.id.0);
            let roads = self.world.roads().clone();
            let late_s = scripted.and_then(|actor| actor.behind_schedule_s);
            let facilities = &settings.facilities;
            let configuration = site::on_board(station_id, &name, (actor, late_s), facilities, &roads, &self.frame);
            let station = self.add_station(name, Some(actor.id), configuration, antenna(actor), t_ns)?;
            let receiver = Receiver::new(self.seed, station_id, settings.gnss_sigma_m, snapshot.time_s);
            self.stations[station].receiver = Some(receiver);
        }
        let gone: Vec<_> = self
            .by_actor
            .iter()
            .filter(|(actor, _)| snapshot.actor(**actor).is_none())
            .map(|(a, s)| (*a, *s))
            .collect();
        for (actor, station) in gone {
            self.by_actor.remove(&actor);
            self.stations[station].kill();
            self.stations[station].link_up = false;
        }
        let every = (settings.gnss_interval_s / self.scenario.step_s).round().max(1.0) as u64;
        for (id, station) in self.by_actor.clone() {
            let Some(actor) = snapshot.actor(id) else { continue };
            self.stations[station].antenna = antenna(actor);
            // Not all at once: a station's own number decides the step.
            if (snapshot.step + station as u64).is_multiple_of(every) {
                let now = self.clock(station, t_ns);
                let frame = self.frame;
                let Some(receiver) = &mut self.stations[station].receiver else { continue };
                let ego = receiver.state(actor, &frame, snapshot.time_s, now);
                let position = Position {
                    at: ego.position,
                    measured_at: now,
                    accuracy: PositionAccuracy::Accurate,
                    speed_mps: actor.speed_mps,
                    heading_deg: yaw_to_heading_rad(actor.pose.yaw_rad).to_degrees(),
                };
                self.stations[station].modem.moved(position, now);
                self.push(t_ns, station, Due::Event(SourceId::NODE, Box::new(EventBody::Ego(ego))));
            }
        }
        Ok(())
    }

    /// Takes the pictures that are due; the rigs run side by side.
    fn look(&mut self, t_ns: i64) -> Result<(), RunError> {
        let snapshot = self.world.now();
        let rigs: Vec<_> = self.rigs.iter_mut().filter(|rig| rig.is_due(snapshot.step)).collect();
        type Captured = (usize, usize, [u32; 2], Result<Option<Capture>, RunError>);
        let captured: Vec<Captured> = self.pool.install(|| {
            let look =
                |rig: &mut Rig| (rig.station, rig.camera, rig.settings.lens.image_size_px, rig.capture(snapshot));
            rigs.into_par_iter().map(look).collect()
        });
        for (station, camera, size_px, capture) in captured {
            let Some(capture) = capture? else { continue };
            let captured_at = self.clock(station, t_ns);
            let source = SourceId(camera as u16 + 1);
            self.trace.frames.push(FrameTrace {
                captured_s: t_ns as f64 * 1e-9,
                station,
                camera,
                frame: capture.frame,
                hash: capture.hash,
                broken: capture.broken,
                corrected_rad: None,
                in_view: capture.in_view,
                detections: capture.detections.clone(),
                objects: Vec::new(),
            });
            if let Some(statistics) = capture.statistics {
                let body = EventBody::FrameStatistics(FrameStatistics { captured_at, ..statistics });
                self.push(
                    t_ns + i64::from(capture.timings.decode_us) * 1_000,
                    station,
                    Due::Event(source, Box::new(body)),
                );
            }
            let body = EventBody::Detections(DetectionFrame {
                frame: capture.frame,
                captured_at,
                width_px: size_px[0],
                height_px: size_px[1],
                detections: capture.detections,
                timings: capture.timings,
            });
            self.push(t_ns + capture.latency_ns, station, Due::Event(source, Box::new(body)));
        }
        Ok(())
    }

    /// Does everything that falls due up to a time, in order.
    fn run_until(&mut self, t_ns: i64) {
        loop {
            let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
            let wake = self.next_wake();
            let next = queued.into_iter().chain(wake.map(|(at, _)| at)).min();
            if self.hear(next.unwrap_or(t_ns).min(t_ns)) {
                // What has come may be due before that.
                continue;
            }
            if next.is_none_or(|next| next > t_ns) {
                return;
            }
            match (queued, wake) {
                // What has arrived comes before what is only due.
                (Some(at), wake) if wake.is_none_or(|(due, _)| at <= due) => {
                    let Some(((at, _), (station, due))) = self.queue.pop_first() else { return };
                    self.take(station, at, due);
                }
                (_, Some((at, station))) => self.wake(station, at),
                _ => return,
            }
        }
    }

    /// The station that wants to be woken first, and when.
    fn next_wake(&self) -> Option<(i64, usize)> {
        let wakes = self.stations.iter().enumerate().filter_map(|(index, station)| {
            let wake = [station.wake_at(), station.link_up.then(|| station.modem.wake_at()).flatten()];
            let wake = wake.into_iter().flatten().min()?;
            Some((station.clock.true_ns(wake.unix_ns() - START.unix_ns()), index))
        });
        wakes.min()
    }

    fn wake(&mut self, index: usize, t_ns: i64) {
        // The clock is read to the nanosecond both ways, give or take one: what is due is done, or time would stand still.
        let now = self.clock(index, t_ns).plus_ns(1_000);
        let station = &mut self.stations[index];
        if station.link_up && station.modem.wake_at().is_some_and(|at| at <= now) {
            let output = station.modem.poll(now);
            self.act(index, t_ns, output);
        }
        if self.stations[index].wake_at().is_some_and(|at| at <= now) {
            self.step_node(index, t_ns + 1_000, SourceId::NODE, EventBody::WakeUp);
        }
    }

    fn take(&mut self, station: usize, t_ns: i64, due: Due) {
        match due {
            Due::Event(source, body) => self.step_node(station, t_ns, source, *body),
            Due::Frame(frame) => {
                if !self.stations[station].link_up {
                    return;
                }
                let now = self.clock(station, t_ns);
                let output = self.stations[station].modem.receive(&frame, now);
                self.act(station, t_ns, output);
            }
        }
    }

    /// Sends what a modem wants sent, and hands its node what it has received.
    fn act(&mut self, station: usize, t_ns: i64, output: Output) {
        let from = self.party(station);
        for frame in output.frames {
            self.transmit(from, &frame, t_ns);
        }
        let source = self.stations[station].configuration.geonet_source();
        for message in output.messages {
            let sent = self.sent_by_bytes.get(&fnv(FNV_START, &message.uper)).copied();
            let trusted = !matches!(message.verdict, Verdict::Refused(_));
            self.trace.received.push(Reception { at_s: t_ns as f64 * 1e-9, station, sent, trusted });
            self.step_node(station, t_ns, source, EventBody::Received(message));
        }
    }

    /// Lets a node take an event, and does what it wants done.
    fn step_node(&mut self, index: usize, t_ns: i64, source: SourceId, body: EventBody) {
        let now = self.clock(index, t_ns);
        let frame_key = match &body {
            EventBody::Detections(frame) => Some((source.0 as usize - 1, frame.frame)),
            _ => None,
        };
        if !self.stations[index].step(now, source, body) {
            return;
        }
        let at_s = t_ns as f64 * 1e-9;
        if let (Some((camera, number)), Some(node)) = (frame_key, &self.stations[index].node) {
            let objects = node.world().users().iter().map(|user| Known {
                id: user.id,
                class: user.class,
                position: nalgebra::Point2::new(user.position.e_m, user.position.n_m),
                at_s: at_s - now.seconds_since(user.state_at),
                velocity_mps: [user.velocity_e_mps, user.velocity_n_mps],
                covariance: user.covariance,
                // A camera's source is its place, from 1.
                cameras: user.sights.iter().map(|sight| usize::from(sight.camera.0) - 1).collect(),
                is_told: !user.told.is_empty(),
            });
            let known = |frame: &&mut FrameTrace| (frame.station, frame.camera, frame.frame) == (index, camera, number);
            if let Some(frame) = self.trace.frames.iter_mut().rev().take(64).find(known) {
                frame.objects = objects.collect();
                let drift = node.camera(source).and_then(|camera| camera.pose_drift());
                frame.corrected_rad = drift.and_then(|drift| drift.corrected_rad).map(Into::into);
            }
        }
        for request in std::mem::take(&mut self.stations[index].effects.priority_requests) {
            self.ask_controller(index, &request, at_s, now);
        }
        let messages = std::mem::take(&mut self.stations[index].effects.messages);
        let ahead_ns = self.stations[index].clock.ahead_ns(t_ns);
        for message in messages {
            let photon_ms = message.captured_at.map(|at| now.seconds_since(at) * 1e3);
            self.sent_by_bytes.insert(fnv(FNV_START, &message.uper), self.trace.sent.len());
            self.trace.sent.push(Sent {
                at_s,
                station: index,
                kind: message.kind,
                id: message.id.clone(),
                photon_ms,
                json_bytes: message.json.len(),
                mentions: mentions(&message, &self.frame, START.plus_ns(ahead_ns)),
                uper: message.uper.clone(),
            });
            if self.stations[index].link_up {
                let output = self.stations[index].modem.send(&message, now);
                self.act(index, t_ns, output);
            }
        }
        self.note_health(index, at_s);
    }

    /// Notes what a node's health says, when it changes.
    fn note_health(&mut self, index: usize, at_s: f64) {
        let Some(node) = &self.stations[index].node else { return };
        let problems: BTreeMap<String, String> = super::status::problems(node);
        let closed: Vec<_> = self
            .health_open
            .range((index, String::new())..)
            .take_while(|((station, _), _)| *station == index)
            .filter(|((_, name), _)| !problems.contains_key(name))
            .map(|(key, place)| (key.clone(), *place))
            .collect();
        for (key, place) in closed {
            self.health_open.remove(&key);
            self.trace.health[place].until_s = Some(at_s);
        }
        for (problem, detail) in problems {
            let key = (index, problem.clone());
            if !self.health_open.contains_key(&key) {
                self.health_open.insert(key, self.trace.health.len());
                self.trace.health.push(HealthTrace { station: index, problem, detail, from_s: at_s, until_s: None });
            }
        }
    }
}

fn antenna(actor: &Actor) -> Point3<f64> {
    actor.pose.position + Vector3::new(0.0, 0.0, ANTENNA_M)
}
