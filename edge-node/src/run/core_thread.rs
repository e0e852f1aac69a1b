//! The thread that owns the core: stamps what arrives, steps, and carries out the effects.
//!
//! In: [`Arrival`]s from bounded queues. Out: messages to the links, records to the recorder, snapshots to the page.
//! Timers that the core asked for become wake-up events. This is where event ids and arrival times are given.

use super::city::CityMessages;
use super::state::{State, StateFile};
use crate::effect::{Effects, MessageKind, OutMessage, PriorityRequest};
use crate::event::{EgoState, Event, EventBody, EventId, SourceId};
use crate::health::ProblemKind;
use crate::node::Node;
use crate::recorder::{Record, Recorder};
use crate::snapshot::Snapshot;
use crate::sources::clock::Clock;
use crate::sources::queue::{NothingReceived, Receiver};
use crate::telemetry::{LiveProbe, Stage, Telemetry};
use crate::web::MessageLog;
use bytes::Bytes;
use masa_links::{Current, Links, Outgoing, Phase};
use masa_v2x_proto::Message;
use masa_v2x_proto::geo::quadkey;
use masa_v2x_proto::geonet::{Position, PositionAccuracy};
use masa_v2x_proto::tiles::MESSAGE_ZOOM;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Arrivals kept until the first frame at most; there is one per camera and link.
const MAX_EARLY: usize = 256;
/// While something is wrong the city is told again after so long, seconds: a data room may have been restarted.
const PROBLEMS_AGAIN_S: f64 = 60.0;
/// In film time, a jump longer than this is one wake-up and not a timer for every second of it.
const FILM_JUMP_S: f64 = 10.0;
/// Longest wait for an arrival; only bounds how late a closed queue is noticed.
const IDLE: Duration = Duration::from_secs(1);

/// Something that wants to enter the core.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) source: SourceId,
    pub(crate) body: EventBody,
}

/// What `now` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeBase {
    /// The time of day when an event reaches the core.
    #[default]
    Wall,
    /// The capture time of the newest frame: files played as fast as possible, with timers firing in film time.
    Capture,
}

/// Where the core's effects go.
pub(crate) struct Outlets {
    pub(crate) links: Option<Arc<Links>>,
    pub(crate) recorder: Option<Arc<Recorder>>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) log: Arc<MessageLog>,
    pub(crate) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(crate) state: Option<StateFile>,
    pub(crate) priority_requests: broadcast::Sender<PriorityRequest>,
    pub(crate) city: CityMessages,
}

/// What the core has done, for the summary at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreSummary {
    /// Events by name.
    pub events: u64,
    /// Messages by kind.
    pub messages: BTreeMap<MessageKind, u64>,
}

pub(crate) struct CoreThread {
    node: Node,
    base: TimeBase,
    clock: Clock,
    outlets: Outlets,
    probe: LiveProbe,
    sequences: BTreeMap<SourceId, u64>,
    now: Option<Timestamp>,
    /// In film time, what arrived before the first frame told the time.
    early: Vec<Arrival>,
    wake_at: Option<Timestamp>,
    effects: Effects,
    summary: CoreSummary,
    /// Problems of the node's health, as last exported; `None` before that.
    problems: Option<BTreeMap<ProblemKind, u32>>,
    /// When the city was told of them last.
    problems_told_at: Option<Timestamp>,
}

impl CoreThread {
    pub(crate) fn new(node: Node, base: TimeBase, clock: Clock, outlets: Outlets) -> Self {
        let probe = LiveProbe::new(Arc::clone(&outlets.telemetry));
        Self {
            node,
            base,
            clock,
            outlets,
            probe,
            sequences: BTreeMap::new(),
            now: None,
            early: Vec::new(),
            wake_at: None,
            effects: Effects::default(),
            summary: CoreSummary::default(),
            problems: None,
            problems_told_at: None,
        }
    }

    /// Runs until every producer is gone.
    pub(crate) fn run(mut self, arrivals: &Receiver<Arrival>) -> CoreSummary {
        loop {
            match arrivals.recv_timeout(self.patience()) {
                Ok(arrival) => match self.arrival_time(&arrival.body) {
                    Some(at) => {
                        for early in std::mem::take(&mut self.early) {
                            self.step(at, early.source, early.body);
                        }
                        self.wake_up_before(at);
                        self.step(at, arrival.source, arrival.body);
                    }
                    None => self.early.push(arrival),
                },
                Err(NothingReceived::TimedOut) => {
                    if self.base == TimeBase::Wall {
                        self.wake_up_before(self.clock.now());
                    }
                }
                Err(NothingReceived::Closed) => return self.summary,
            }
        }
    }

    /// How long to wait for an arrival before a timer is due.
    fn patience(&self) -> Duration {
        match (self.base, self.wake_at) {
            (TimeBase::Wall, Some(at)) => {
                let ns = at.unix_ns().saturating_sub(self.clock.now().unix_ns());
                Duration::from_nanos(u64::try_from(ns).unwrap_or(0)).min(IDLE)
            }
            _ => IDLE,
        }
    }

    /// When an arrival counts as arrived; `None` in film time before the first frame, when nobody knows.
    fn arrival_time(&self, body: &EventBody) -> Option<Timestamp> {
        let at = match (self.base, body) {
            (TimeBase::Wall, _) => self.clock.now(),
            (TimeBase::Capture, EventBody::Detections(frame)) => frame.captured_at,
            (TimeBase::Capture, EventBody::FrameDropped(dropped)) => dropped.captured_at,
            (TimeBase::Capture, _) if self.now.is_none() && self.early.len() < MAX_EARLY => return None,
            (TimeBase::Capture, _) => self.now.unwrap_or_else(|| self.clock.now()),
        };
        // The clock of a machine may be set back; the order of events may not.
        Some(self.now.map_or(at, |now| at.max(now)))
    }

    fn wake_up_before(&mut self, at: Timestamp) {
        while let Some(due) = self.wake_at.filter(|due| *due <= at) {
            let due = match self.base {
                TimeBase::Wall => at,
                TimeBase::Capture if at.seconds_since(due) > FILM_JUMP_S => at,
                TimeBase::Capture => due,
            };
            self.wake_at = None;
            let due = self.now.map_or(due, |now| due.max(now));
            self.step(due, SourceId::NODE, EventBody::WakeUp);
        }
    }

    fn step(&mut self, arrived_at: Timestamp, source: SourceId, body: EventBody) {
        self.now = Some(arrived_at);
        let seq = self.sequences.entry(source).or_default();
        *seq += 1;
        let event = Event { arrived_at, id: EventId { source, seq: *seq }, body };
        self.node.step(&event, &mut self.effects, &mut self.probe);
        self.wake_at = self.effects.wake_at;
        self.summary.events += 1;
        self.tell_city(&event.body, arrived_at);
        let saw_frame = matches!(event.body, EventBody::Detections(_));
        if let Some(recorder) = &self.outlets.recorder {
            recorder.record(Record::Event(event));
        }
        self.keep_denm_number();
        for request in self.effects.priority_requests.drain(..) {
            tracing::info!(?request, "a vehicle asks for priority");
            // Nobody listens where there is no controller.
            let _ = self.outlets.priority_requests.send(request);
        }
        for message in std::mem::take(&mut self.effects.messages) {
            self.publish(message);
        }
        self.export_health(arrived_at);
        if saw_frame || self.outlets.snapshots.borrow().time_ms + 200 <= arrived_at.unix_ms() {
            self.outlets.snapshots.send_replace(Arc::new(self.node.snapshot(arrived_at)));
        }
    }

    /// What is no V2X message but leaves all the same.
    fn tell_city(&mut self, body: &EventBody, now: Timestamp) {
        let Some(links) = &self.outlets.links else { return };
        match body {
            EventBody::Ego(ego) => {
                links.set_geonet_position(network_position(ego));
                self.outlets.city.moved(ego.position);
            }
            EventBody::Observation(observation) => hand_over(links, self.outlets.city.reading(observation, now)),
            _ => {}
        }
    }

    /// Counts problems by kind, when they change; the city hears of them again now and then while there are any.
    fn export_health(&mut self, at: Timestamp) {
        let now: BTreeMap<_, u32> = self.node.health().problems().fold(BTreeMap::new(), |mut counts, problem| {
            *counts.entry(problem.kind).or_default() += 1;
            counts
        });
        let is_known = self.problems.as_ref() == Some(&now);
        let is_due = |told: Timestamp| !now.is_empty() && at.seconds_since(told) >= PROBLEMS_AGAIN_S;
        if let Some(links) = &self.outlets.links
            && (!is_known || self.problems_told_at.is_none_or(is_due))
        {
            hand_over(links, self.outlets.city.health(self.node.health().problems(), at));
            self.problems_told_at = Some(at);
        }
        if is_known {
            return;
        }
        for kind in self.problems.iter().flat_map(BTreeMap::keys).chain(now.keys()) {
            let count = now.get(kind).copied().unwrap_or(0);
            metrics::gauge!("masa_health_problems", "problem" => kind.name()).set(f64::from(count));
        }
        for problem in self.node.health().problems() {
            tracing::warn!(problem = problem.kind.name(), subject = problem.subject, detail = problem.detail, "health");
        }
        self.problems = Some(now);
    }

    /// Before the event's message leaves: a crash in between costs a number, the other way round it would use one twice.
    fn keep_denm_number(&self) {
        let (Some(next), Some(file)) = (self.effects.next_denm_number, &self.outlets.state) else { return };
        if let Err(error) = file.keep(&State { next_denm_number: Some(next) }) {
            tracing::error!(%error, next, "the next sequence number of events is not kept; a restart may use it again");
        }
    }

    fn publish(&mut self, message: OutMessage) {
        let started = self.clock.elapsed();
        *self.summary.messages.entry(message.kind).or_default() += 1;
        if let Some(links) = &self.outlets.links {
            hand_over(links, outgoing(&message));
        }
        let telemetry = &self.outlets.telemetry;
        telemetry.record_us(Stage::Publish, self.clock.micros_since(started));
        telemetry.generated(message.kind);
        if let (TimeBase::Wall, Some(captured_at)) = (self.base, message.captured_at) {
            let ns = self.clock.now().unix_ns() - captured_at.unix_ns();
            telemetry.record(Stage::PhotonToMessage, Duration::from_nanos(u64::try_from(ns).unwrap_or(0)));
        }
        if let Some(recorder) = &self.outlets.recorder {
            recorder.record(Record::Message(message.clone()));
        }
        self.outlets.log.push(Arc::new(message));
    }
}

fn hand_over(links: &Links, message: Outgoing) {
    let id = message.id.clone();
    if let Err(error) = links.publish(message) {
        tracing::warn!(message = id, %error, "message not handed to the links");
    }
}

/// The position vector of a mobile station. "Accurate" (EN 302 636-4-1 clause 9.5.2) is a 95 % ellipse that stays within
/// `itsGnPaiInterval` / 2, 40 m.
fn network_position(ego: &EgoState) -> Position {
    let is_accurate = ego.covariance.is_some_and(|covariance| 2.45 * covariance.ellipse().0 <= 40.0);
    Position {
        at: ego.position,
        measured_at: ego.captured_at,
        accuracy: if is_accurate { PositionAccuracy::Accurate } else { PositionAccuracy::Unknown },
        speed_mps: ego.speed_mps.unwrap_or(0.0),
        heading_deg: ego.heading_deg.unwrap_or(0.0),
    }
}

/// What a message means for somebody who comes later.
fn current(message: &OutMessage) -> Option<Current> {
    let (name, is_over) = Message::decode(&message.uper).ok()?.state()?;
    Some(Current { name, phase: if is_over { Phase::Ended } else { Phase::InForce } })
}

fn outgoing(message: &OutMessage) -> Outgoing {
    Outgoing {
        id: message.id.clone(),
        kind: message.kind.into(),
        seq: message.seq,
        generated_at: message.generated_at,
        quadkey: quadkey(message.position, MESSAGE_ZOOM),
        deadline: message.deadline,
        dissemination: message.dissemination,
        current: current(message),
        uper: Bytes::copy_from_slice(&message.uper),
        json: Bytes::copy_from_slice(message.json.as_bytes()),
    }
}
