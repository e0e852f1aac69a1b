//! Negation (EN 302 637-3 clause 6.1.2.4): the node denies an event of another station when its cameras see that the place
//! is clear.
//!
//! In: the events of the local dynamic map and what the cameras see. Out: DENMs with `isNegation`, under the action id and
//! the reference time of the message they deny. Only events in zones that the operator says the cameras see wholly, and of
//! causes that a camera can see; only while every camera delivers.

use super::message::{self, Announcement, event_draft};
use super::{DenSettings, NegationSettings};
use crate::facilities::{Draft, Scene, Sensor, SensorKind};
use crate::world::RoadUser;
use crate::world::ldm::{EventPhase, ReceivedEvent};
use masa_inference::ObjectClass;
use masa_v2x_proto::cdd::{ActionId, CauseCode};
use masa_v2x_proto::denm::{Denm, DenmPayload, ManagementContainer, Termination};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// A camera whose newest frame is older does not see, seconds.
const BLIND_AFTER_S: f64 = 2.0;
/// A vehicle faster than this is no stationary vehicle, m/s.
const PASSING_MPS: f64 = 2.0;

/// What the node knows of an event that it may deny.
#[derive(Clone, Debug)]
struct Watch {
    /// Of the message that is denied.
    reference_time: Timestamp,
    /// Since when the place has been seen clear.
    clear_since: Option<Timestamp>,
    negation: Option<Negation>,
}

#[derive(Clone, Debug)]
struct Negation {
    denm: Denm,
    repetitions_left: u8,
    next_at: Timestamp,
}

/// The events that the node watches.
#[derive(Clone, Debug, Default)]
pub(super) struct Negator {
    watched: BTreeMap<ActionId, Watch>,
}

impl Negator {
    pub(super) fn evaluate(&mut self, scene: &Scene<'_>, settings: &DenSettings, drafts: &mut Vec<Draft>) {
        let Some(negation) = &settings.negation else { return };
        self.watched.retain(|action_id, watch| {
            scene.ldm.event(*action_id).is_some_and(|event| event.reference_time == watch.reference_time)
        });
        let sees = all_cameras_see(scene);
        for event in scene.ldm.events().filter(|event| is_judged(event, negation, scene)) {
            let fresh = Watch { reference_time: event.reference_time, clear_since: None, negation: None };
            let watch = self.watched.entry(event.action_id).or_insert(fresh);
            match &mut watch.negation {
                Some(negation) => negation.repeat(event, scene, settings, drafts),
                // Another station has ended it.
                None if event.phase != EventPhase::InForce => {}
                None if !sees || !is_clear(event, negation, scene) => watch.clear_since = None,
                None => {
                    let since = *watch.clear_since.get_or_insert(scene.now);
                    if scene.now >= since.plus_ms((negation.clear_after_s * 1e3) as i64) {
                        watch.negation = Some(Negation::begin(event, scene, settings, drafts));
                    }
                }
            }
        }
    }

    pub(super) fn wake_at(&self, settings: &DenSettings) -> Option<Timestamp> {
        let clear_after_ms = settings.negation.as_ref().map_or(0, |negation| (negation.clear_after_s * 1e3) as i64);
        let due = |watch: &Watch| match &watch.negation {
            Some(negation) => (negation.repetitions_left > 0).then_some(negation.next_at),
            None => watch.clear_since.map(|since| since.plus_ms(clear_after_ms)),
        };
        self.watched.values().filter_map(due).min()
    }
}

impl Negation {
    fn begin(event: &ReceivedEvent, scene: &Scene<'_>, settings: &DenSettings, drafts: &mut Vec<Draft>) -> Self {
        let management = ManagementContainer {
            detection_time: scene.now.into(),
            termination: Some(Termination::IsNegation),
            station_type: scene.station.kind.station_type(),
            // As long as receivers may believe the message that is denied.
            validity_duration_s: (event.expires_at.seconds_since(scene.now).ceil().max(1.0) as u32)
                .min(message::MAX_VALIDITY_S),
            ..event.denm.denm.management
        };
        let payload = DenmPayload { management, situation: None, location: None, alacarte: None };
        let denm = Denm::new(scene.station.id, payload);
        let mut negation =
            Self { denm, repetitions_left: settings.cancellation_repetitions.saturating_add(1), next_at: scene.now };
        negation.repeat(event, scene, settings, drafts);
        negation
    }

    fn repeat(&mut self, event: &ReceivedEvent, scene: &Scene<'_>, settings: &DenSettings, drafts: &mut Vec<Draft>) {
        if self.repetitions_left == 0 || scene.now < self.next_at {
            return;
        }
        self.repetitions_left -= 1;
        self.next_at = scene.now.plus_ms(i64::from(settings.repetition_interval_ms.max(1)));
        drafts.push(event_draft(Announcement {
            denm: self.denm.clone(),
            position: event.position,
            awareness_distance_m: settings.awareness_distance_m,
            validity_s: self.denm.denm.management.validity_duration_s,
            deadline: event.expires_at,
            captured_at: scene.world.frames().values().map(|frame| frame.captured_at).max(),
            rule: format!(
                "DENM {}-{}: negated, the place is seen to be clear, EN 302 637-3 6.1.2.4",
                event.action_id.originating_station_id.0, event.action_id.sequence_number
            ),
            objects: Vec::new(),
        }));
    }
}

fn all_cameras_see(scene: &Scene<'_>) -> bool {
    let sees = |camera: &Sensor| {
        let frame = scene.world.frames().get(&camera.source);
        frame.is_some_and(|frame| scene.now.seconds_since(frame.captured_at) <= BLIND_AFTER_S)
    };
    // A radar that shows nobody proves nothing: it does not see who stands.
    let mut cameras = scene.station.sensors.iter().filter(|sensor| sensor.kind == SensorKind::Camera).peekable();
    cameras.peek().is_some() && cameras.all(sees)
}

/// Whether the cameras can tell of this event at all.
fn is_judged(event: &ReceivedEvent, settings: &NegationSettings, scene: &Scene<'_>) -> bool {
    let is_seen = scene.map.zones_at(event.ground).any(|zone| settings.zones.iter().any(|id| id == zone.id()));
    is_seen && matches!(event.cause, Some(CauseCode::StationaryVehicle(_) | CauseCode::HumanPresenceOnTheRoad(_)))
}

fn is_clear(event: &ReceivedEvent, settings: &NegationSettings, scene: &Scene<'_>) -> bool {
    let may_be_it = |user: &&RoadUser| match event.cause {
        Some(CauseCode::StationaryVehicle(_)) => user.speed_mps() < PASSING_MPS,
        _ => !user.class.is_vehicle() || user.class == ObjectClass::Motorcycle,
    };
    let near = |user: &RoadUser| user.position.ground_distance_m(&event.ground) <= settings.radius_m;
    !scene.world.users().iter().filter(may_be_it).any(near)
}
