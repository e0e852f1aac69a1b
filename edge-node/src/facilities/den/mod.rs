//! Decentralised environmental notification (EN 302 637-3, TS 103 831): dangers on the road, seen by the node.
//!
//! In: the world. Out: DENMs. An event is triggered, updated when what it says has changed or its validity runs down,
//! repeated in between, and cancelled when its condition has ended (EN 302 637-3 6.1.2). Every event stems from one
//! object; where the object's track breaks and another begins at the same place, the event goes on.
//! A service may ask for events too ([`crate::event::DenRequest`]), and of events of other stations the node denies those
//! that its cameras see to be over and keeps alive those that are no longer heard, where its settings say so.

mod condition;
mod forwarding;
mod message;
mod negation;
mod requested;
mod sequence;
mod situations;

pub use condition::{NeverSeenMoving, Trigger};
pub use forwarding::KeepAlive;
pub use requested::MAX_REQUESTED;

use super::{Draft, Facility, Scene};
use crate::effect::ObjectCause;
use crate::event::DenRequest;
use crate::world::situation::SituationKind;
use crate::world::{Drops, RoadUser};
use condition::Judge;
use forwarding::Forwarder;
use masa_inference::ObjectClass;
use masa_v2x_proto::cdd::ActionId;
use masa_v2x_proto::denm::Denm;
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use message::Report;
use negation::Negator;
use requested::RequestedEvents;
use sequence::SequenceNumbers;
use serde::{Deserialize, Serialize};
use situations::SituationEvents;
use std::sync::Arc;

/// A vehicle that was moved within its event stands again after this, seconds.
const REST_S: f64 = 2.0;
/// Most events in force at a time.
pub const MAX_EVENTS: usize = 64;

/// What triggers DENMs, and how they live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DenSettings {
    /// Classes whose standing on the carriageway is an event.
    pub stationary_vehicle_classes: Vec<ObjectClass>,
    /// How long a vehicle must stand, seconds. Longer than the red phase where the carriageway has a signal.
    pub stationary_after_s: f64,
    /// A vehicle that stood already when it was first seen.
    pub never_seen_moving: NeverSeenMoving,
    /// A vehicle this far from where its event began has driven on, metres.
    pub release_distance_m: f64,
    /// Classes whose presence on the carriageway is an event. Cyclists belong there, so only persons by default.
    pub human_presence_classes: Vec<ObjectClass>,
    /// A person faster than this rides something, m/s.
    pub max_speed_on_foot_mps: f64,
    /// A person this close to a two-wheeler is its rider, metres.
    pub rider_distance_m: f64,
    /// How far inside the carriageway an object must be to begin an event, and how far outside to end it, metres.
    pub edge_margin_m: f64,
    /// A person this close to a crossing is on it, metres.
    pub crossing_margin_m: f64,
    /// Smallest share of class votes that begins an event, 0 to 1.
    pub min_class_confidence: f32,
    /// How long the condition must be gone, or its object unseen, before the event is cancelled, seconds.
    pub clear_after_s: f64,
    /// A new object this close to an event whose object is unseen carries it on, metres.
    pub adopt_distance_m: f64,
    /// An object that moved this far since the last message needs an update, metres.
    pub update_distance_m: f64,
    /// Situations that are events: a stopped vehicle and a person on the road have triggers of their own.
    pub situations: Vec<SituationKind>,
    /// Least confidence of a situation that begins an event, 0 to 1.
    pub min_situation_confidence: f64,
    /// Shortest interval between two updates of an event, milliseconds.
    pub update_interval_ms: u32,
    /// `repetitionInterval` (EN 302 637-3 8.2.1.5), milliseconds.
    pub repetition_interval_ms: u32,
    /// How often a cancellation is repeated, that a lost packet does not leave the event standing.
    pub cancellation_repetitions: u8,
    /// `validityDuration`, seconds. An event that goes on is updated when half of it has passed.
    pub validity_duration_s: u32,
    /// `awarenessDistance`, metres: rounded up to the standard's classes.
    pub awareness_distance_m: f64,
    /// The sequence number of the first event; the runner sets it from what it keeps on disk. Absent: taken from the time.
    pub first_sequence_number: Option<u16>,
    /// Whether events of other stations are kept alive.
    pub keep_alive: KeepAlive,
    /// Where the node denies events of other stations; absent: nowhere.
    pub negation: Option<NegationSettings>,
}

/// Where and when the node denies events of other stations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NegationSettings {
    /// Zones of the site that the cameras see wholly.
    pub zones: Vec<String>,
    /// How long the place must have been seen clear, seconds.
    #[serde(default = "default_clear_after_s")]
    pub clear_after_s: f64,
    /// A road user this close to the event may be its cause, metres.
    #[serde(default = "default_negation_radius_m")]
    pub radius_m: f64,
}

fn default_clear_after_s() -> f64 {
    10.0
}

fn default_negation_radius_m() -> f64 {
    15.0
}

impl Default for DenSettings {
    fn default() -> Self {
        Self {
            stationary_vehicle_classes: vec![ObjectClass::Car, ObjectClass::Van, ObjectClass::Truck, ObjectClass::Bus],
            stationary_after_s: 30.0,
            never_seen_moving: NeverSeenMoving::default(),
            release_distance_m: 5.0,
            human_presence_classes: vec![ObjectClass::Person],
            max_speed_on_foot_mps: 5.0,
            rider_distance_m: 1.5,
            edge_margin_m: 0.5,
            crossing_margin_m: 1.0,
            min_class_confidence: 0.5,
            clear_after_s: 2.0,
            adopt_distance_m: 3.0,
            update_distance_m: 2.0,
            situations: vec![
                SituationKind::WrongWay,
                SituationKind::ObjectOnRoad,
                SituationKind::QueueTail,
                SituationKind::RedLight,
                SituationKind::FallenPerson,
                SituationKind::Congestion,
            ],
            min_situation_confidence: 0.4,
            update_interval_ms: 500,
            repetition_interval_ms: 1_000,
            cancellation_repetitions: 2,
            validity_duration_s: 30,
            awareness_distance_m: 200.0,
            first_sequence_number: None,
            keep_alive: KeepAlive::Off,
            negation: None,
        }
    }
}

/// An event and what has been said of it.
#[derive(Clone, Debug)]
pub(crate) struct ActiveEvent {
    pub(crate) action_id: ActionId,
    pub(crate) trigger: Trigger,
    /// The object that causes it.
    pub(crate) object_id: u16,
    /// When it was first detected.
    pub(crate) since: Timestamp,
    /// Where the last message puts it.
    pub(crate) position: Enu,
    /// Where it began.
    origin: Enu,
    report: Report,
    reference_time: Timestamp,
    denm: Denm,
    cause: ObjectCause,
    /// Since when the condition has been gone.
    gone_since: Option<Timestamp>,
    next_repetition: Timestamp,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    InForce,
    Cancelled { repetitions_left: u8 },
}

/// Why a DENM goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Trigger,
    Update(Change),
    Repetition,
    Cancellation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Moved,
    Content,
    Validity,
}

impl Action {
    const fn words(self) -> &'static str {
        match self {
            Self::Trigger => "triggered",
            Self::Update(Change::Moved) => "updated, position changed",
            Self::Update(Change::Content) => "updated, content changed",
            Self::Update(Change::Validity) => "updated, half of the validity has passed",
            Self::Repetition => "repeated",
            Self::Cancellation => "cancelled, the condition has ended",
        }
    }
}

/// The DEN service of a roadside unit.
#[derive(Clone, Debug)]
pub(crate) struct DenService {
    /// Shared with the judge, which looks at them while events change.
    settings: Arc<DenSettings>,
    events: Vec<ActiveEvent>,
    requested: RequestedEvents,
    situations: SituationEvents,
    negator: Negator,
    forwarder: Forwarder,
    numbers: SequenceNumbers,
    drops: Drops,
}

impl DenService {
    pub(crate) fn new(settings: DenSettings) -> Self {
        Self {
            requested: RequestedEvents::default(),
            situations: SituationEvents::default(),
            negator: Negator::default(),
            forwarder: Forwarder::default(),
            numbers: SequenceNumbers::new(settings.first_sequence_number),
            settings: Arc::new(settings),
            events: Vec::with_capacity(MAX_EVENTS),
            drops: Drops::default(),
        }
    }

    /// Events in force, oldest first.
    pub(crate) fn events_in_force(&self) -> impl Iterator<Item = &ActiveEvent> {
        self.events.iter().filter(|event| event.phase == Phase::InForce)
    }

    pub(crate) fn drops(&self) -> &Drops {
        &self.drops
    }

    /// Takes a service's request; it takes effect with the next evaluation.
    pub(crate) fn request(&mut self, request: &DenRequest) {
        self.requested.request(request.clone(), Vec::new(), &mut self.drops);
    }

    /// The next free sequence number, if it has changed since this was last asked.
    pub(crate) fn next_sequence_number(&mut self) -> Option<u16> {
        self.numbers.news()
    }

    fn follow_events(&mut self, scene: &Scene<'_>, judge: &Judge<'_>, drafts: &mut Vec<Draft>) {
        for index in 0..self.events.len() {
            if self.events[index].phase != Phase::InForce {
                continue;
            }
            let user = self.user_of(index, scene, judge);
            let event = &mut self.events[index];
            match user {
                Some(user) => {
                    event.object_id = user.id;
                    event.gone_since = None;
                    if let Some(change) = event.change(user, scene.now, &self.settings) {
                        event.send(Action::Update(change), Some(user), scene, &self.settings, drafts);
                    }
                }
                None => {
                    let gone_since = *event.gone_since.get_or_insert(scene.now);
                    if scene.now >= gone_since.plus_ms(clear_after_ms(&self.settings)) {
                        let repetitions_left = self.settings.cancellation_repetitions;
                        event.phase = Phase::Cancelled { repetitions_left };
                        event.send(Action::Cancellation, None, scene, &self.settings, drafts);
                    }
                }
            }
        }
    }

    /// The object for which an event's condition holds: its own, or one that no event has yet in the same place when its
    /// own is no longer seen.
    fn user_of<'a>(&self, index: usize, scene: &Scene<'a>, judge: &Judge<'_>) -> Option<&'a RoadUser> {
        let event = &self.events[index];
        let distance_m = |user: &RoadUser| user.position.ground_distance_m(&event.position);
        let holds = |user: &RoadUser| judge.holds(event.trigger, user, user.position.ground_distance_m(&event.origin));
        if let Some(own) = scene.world.user(event.object_id) {
            return holds(own).then_some(own);
        }
        let candidates = scene.world.users().iter().filter(|user| {
            distance_m(user) <= self.settings.adopt_distance_m && holds(user) && !self.has_event(event.trigger, user.id)
        });
        candidates.min_by(|a, b| distance_m(a).total_cmp(&distance_m(b)))
    }

    fn has_event(&self, trigger: Trigger, object_id: u16) -> bool {
        self.events_in_force().any(|event| event.trigger == trigger && event.object_id == object_id)
    }

    fn begin_events(&mut self, scene: &Scene<'_>, judge: &Judge<'_>, drafts: &mut Vec<Draft>) {
        for user in scene.world.users() {
            for trigger in Trigger::ALL {
                if self.has_event(trigger, user.id) || !judge.triggers(trigger, user) {
                    continue;
                }
                if self.events.len() == MAX_EVENTS {
                    self.drops.count("denm-events-full");
                    continue;
                }
                let sequence_number = self.numbers.take(scene.now);
                let action_id = ActionId { originating_station_id: scene.station.id, sequence_number };
                self.events.push(ActiveEvent::begin(action_id, trigger, user, scene, &self.settings, drafts));
            }
        }
    }

    fn repeat(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        for event in &mut self.events {
            if scene.now < event.next_repetition {
                continue;
            }
            if let Phase::Cancelled { repetitions_left } = &mut event.phase {
                // Zero is left only until the event is forgotten below.
                let Some(left) = repetitions_left.checked_sub(1) else { continue };
                *repetitions_left = left;
            }
            event.publish(Action::Repetition, scene, &self.settings, drafts);
        }
        self.events.retain(|event| event.phase != Phase::Cancelled { repetitions_left: 0 });
    }
}

impl Facility for DenService {
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        let settings = Arc::clone(&self.settings);
        let judge = Judge { settings: &settings, map: scene.map, world: scene.world, situations: scene.situations };
        self.follow_events(scene, &judge, drafts);
        self.begin_events(scene, &judge, drafts);
        self.repeat(scene, drafts);
        self.situations.evaluate(scene, &settings, &mut self.requested, &mut self.drops);
        self.requested.evaluate(scene, &settings, &mut self.numbers, &mut self.drops, drafts);
        self.negator.evaluate(scene, &settings, drafts);
        self.forwarder.evaluate(scene, &settings, drafts);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let clear = |event: &ActiveEvent| match event.phase {
            Phase::InForce => event.gone_since.map(|at| at.plus_ms(clear_after_ms(&self.settings))),
            Phase::Cancelled { .. } => None,
        };
        let own = self.events.iter().flat_map(|event| [Some(event.next_repetition), clear(event)]);
        let others = [self.requested.wake_at(), self.negator.wake_at(&self.settings), self.forwarder.wake_at()];
        own.chain(others).flatten().min()
    }
}

fn clear_after_ms(settings: &DenSettings) -> i64 {
    (settings.clear_after_s * 1e3) as i64
}

impl ActiveEvent {
    fn begin(
        action_id: ActionId,
        trigger: Trigger,
        user: &RoadUser,
        scene: &Scene<'_>,
        settings: &DenSettings,
        drafts: &mut Vec<Draft>,
    ) -> Self {
        let report = Report::of(trigger, user);
        let detected_at = detection_time(user, scene.now);
        let mut event = Self {
            action_id,
            trigger,
            object_id: user.id,
            since: detected_at,
            position: user.position,
            origin: user.position,
            denm: message::denm(action_id, trigger, &report, detected_at, scene.now, scene, settings),
            report,
            reference_time: scene.now,
            cause: user.cause(),
            gone_since: None,
            next_repetition: scene.now,
            phase: Phase::InForce,
        };
        event.publish(Action::Trigger, scene, settings, drafts);
        event
    }

    fn change(&self, user: &RoadUser, now: Timestamp, settings: &DenSettings) -> Option<Change> {
        if now < self.reference_time.plus_ms(i64::from(settings.update_interval_ms)) {
            return None;
        }
        // A vehicle is at another place once it stands there; on its way it is about to end the event.
        let is_there = self.trigger != Trigger::StationaryVehicle || user.standing_s() >= REST_S;
        if is_there && user.position.ground_distance_m(&self.position) > settings.update_distance_m {
            return Some(Change::Moved);
        }
        if Report::of(self.trigger, user).differs(&self.report) {
            return Some(Change::Content);
        }
        let half_validity_ms = i64::from(settings.validity_duration_s) * 500;
        (now >= self.reference_time.plus_ms(half_validity_ms)).then_some(Change::Validity)
    }

    /// Sends an update or the cancellation: new content under the same action id, with a later reference time.
    fn send(
        &mut self,
        action: Action,
        user: Option<&RoadUser>,
        scene: &Scene<'_>,
        settings: &DenSettings,
        drafts: &mut Vec<Draft>,
    ) {
        // The reference time tells receivers which message is the newest: it must grow even within one millisecond.
        self.reference_time = scene.now.max(self.reference_time.plus_ms(1));
        self.denm = match user {
            Some(user) => {
                (self.report, self.position, self.cause) =
                    (Report::of(self.trigger, user), user.position, user.cause());
                let detected_at = detection_time(user, scene.now);
                message::denm(
                    self.action_id,
                    self.trigger,
                    &self.report,
                    detected_at,
                    self.reference_time,
                    scene,
                    settings,
                )
            }
            None => message::cancellation(&self.denm, self.gone_since.unwrap_or(scene.now), self.reference_time),
        };
        self.publish(action, scene, settings, drafts);
    }

    fn publish(&mut self, action: Action, scene: &Scene<'_>, settings: &DenSettings, drafts: &mut Vec<Draft>) {
        self.next_repetition = scene.now.plus_ms(i64::from(settings.repetition_interval_ms.max(1)));
        drafts.push(message::draft(self, action, scene.station, settings));
    }
}

/// When what a message says was detected: when the shutter opened, but never after now.
fn detection_time(user: &RoadUser, now: Timestamp) -> Timestamp {
    user.captured_at().map_or(now, |captured_at| captured_at.min(now))
}

#[cfg(test)]
mod others_tests;
#[cfg(test)]
mod tests;
