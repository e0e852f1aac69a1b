//! Events that a service or an operator asks to announce: AppDENM_trigger, AppDENM_update and AppDENM_termination of EN 302
//! 637-3 clause 5.4.1.

use super::message::{self, Announcement, event_draft};
use super::sequence::SequenceNumbers;
use super::{DenSettings, Phase};
use crate::effect::ObjectCause;
use crate::event::{DenAction, DenRequest, EventReport};
use crate::facilities::{Draft, Scene, accuracy, reference_position};
use crate::world::Drops;
use masa_v2x_proto::cdd::{ActionId, CauseCode, Path, Reading, Speed, Traces, Wgs84Angle};
use masa_v2x_proto::denm::{Denm, DenmPayload, LocationContainer, ManagementContainer, SituationContainer};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;

/// Most requested events at a time.
pub const MAX_REQUESTED: usize = 256;

/// Longest step of a trace, degrees (`DeltaLatitude`, `DeltaLongitude`).
const MAX_STEP_DEG: f64 = 0.0131;
/// Fastest event, m/s (`SpeedValue`).
const MAX_SPEED_MPS: f64 = 163.8;
/// Largest awareness distance, metres.
const MAX_AWARENESS_M: f64 = 100_000.0;

/// An event that was asked for.
#[derive(Clone, Debug)]
struct Requested {
    application: String,
    event: u32,
    report: EventReport,
    /// The road users that show it.
    causes: Vec<ObjectCause>,
    action_id: ActionId,
    detected_at: Timestamp,
    reference_time: Timestamp,
    denm: Denm,
    next_repetition: Timestamp,
    phase: Phase,
}

/// Every event that was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestedEvents {
    waiting: Vec<(DenRequest, Vec<ObjectCause>)>,
    events: Vec<Requested>,
}

impl RequestedEvents {
    /// Takes a request and the road users behind it; it takes effect with the next evaluation.
    pub(super) fn request(&mut self, request: DenRequest, causes: Vec<ObjectCause>, drops: &mut Drops) {
        if !is_valid(&request.action) {
            return drops.count("denm-request-not-valid");
        }
        self.waiting.push((request, causes));
    }

    pub(super) fn evaluate(
        &mut self,
        scene: &Scene<'_>,
        settings: &DenSettings,
        numbers: &mut SequenceNumbers,
        drops: &mut Drops,
        drafts: &mut Vec<Draft>,
    ) {
        for (DenRequest { application, event, action }, causes) in std::mem::take(&mut self.waiting) {
            let is_it = |known: &Requested| {
                known.application == application && known.event == event && known.phase == Phase::InForce
            };
            match (self.events.iter().position(is_it), action) {
                (Some(place), DenAction::Report(report)) => self.events[place].update(report, causes, scene, drafts),
                (Some(place), DenAction::Withdraw) => self.events[place].withdraw(scene, settings, drafts),
                (None, DenAction::Report(report)) if self.events.len() < MAX_REQUESTED => {
                    let sequence_number = numbers.take(scene.now);
                    let action_id = ActionId { originating_station_id: scene.station.id, sequence_number };
                    self.events.push(Requested::begin(
                        (application, event),
                        (report, causes),
                        action_id,
                        scene,
                        drafts,
                    ));
                }
                (None, DenAction::Report(_)) => drops.count("denm-events-full"),
                (None, DenAction::Withdraw) => drops.count("denm-request-for-unknown-event"),
            }
        }
        for event in &mut self.events {
            event.repeat(scene, drafts);
        }
        self.events.retain(|event| {
            event.phase != (Phase::Cancelled { repetitions_left: 0 }) && scene.now < event.expires_at()
        });
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.events.iter().map(|event| event.next_repetition.min(event.expires_at())).min()
    }
}

/// What neither the codec nor a receiver could make sense of.
fn is_valid(action: &DenAction) -> bool {
    let DenAction::Report(report) = action else { return true };
    let on_earth = |p: &Wgs84| p.lat_deg.abs() <= 90.0 && p.lon_deg.abs() <= 180.0 && p.alt_m.abs() < 10_000.0;
    let is_step = |a: &Wgs84, b: &Wgs84| {
        (a.lat_deg - b.lat_deg).abs() <= MAX_STEP_DEG && (a.lon_deg - b.lon_deg).abs() <= MAX_STEP_DEG
    };
    let leads_away = |trace: &Vec<Wgs84>| {
        let from = std::iter::once(&report.position).chain(trace);
        from.zip(trace).all(|(a, b)| is_step(a, b))
    };
    on_earth(&report.position)
        && report.traces.iter().flatten().all(on_earth)
        && report.covariance.is_none_or(|c| [c.ee_m2, c.en_m2, c.nn_m2].into_iter().all(f64::is_finite))
        && report.heading_deg.is_none_or(f64::is_finite)
        && report.speed_mps.is_none_or(|mps| (0.0..=MAX_SPEED_MPS).contains(&mps))
        && (0.0..=MAX_AWARENESS_M).contains(&report.awareness_distance_m)
        && (1..=128).contains(&report.cause_code)
        && report.information_quality <= 7
        && (1..=message::MAX_VALIDITY_S).contains(&report.validity_s)
        && (100..=message::MAX_INTERVAL_MS).contains(&report.repetition_interval_ms)
        && report.traces.len() <= Traces::CAPACITY
        && report.traces.iter().all(|trace| trace.len() <= Path::CAPACITY && leads_away(trace))
}

impl Requested {
    fn begin(
        (application, event): (String, u32),
        (report, causes): (EventReport, Vec<ObjectCause>),
        action_id: ActionId,
        scene: &Scene<'_>,
        drafts: &mut Vec<Draft>,
    ) -> Self {
        let denm = denm(action_id, &report, scene.now, scene.now, scene);
        let mut requested = Self {
            application,
            event,
            report,
            causes,
            action_id,
            detected_at: scene.now,
            reference_time: scene.now,
            denm,
            next_repetition: scene.now,
            phase: Phase::InForce,
        };
        requested.publish("triggered", scene, drafts);
        requested
    }

    fn update(&mut self, report: EventReport, causes: Vec<ObjectCause>, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        (self.report, self.causes) = (report, causes);
        self.detected_at = scene.now;
        self.reference_time = scene.now.max(self.reference_time.plus_ms(1));
        self.denm = denm(self.action_id, &self.report, self.detected_at, self.reference_time, scene);
        self.publish("updated", scene, drafts);
    }

    fn withdraw(&mut self, scene: &Scene<'_>, settings: &DenSettings, drafts: &mut Vec<Draft>) {
        self.reference_time = scene.now.max(self.reference_time.plus_ms(1));
        self.detected_at = scene.now;
        self.denm = message::cancellation(&self.denm, scene.now, self.reference_time);
        self.phase = Phase::Cancelled { repetitions_left: settings.cancellation_repetitions };
        self.publish("cancelled", scene, drafts);
    }

    fn repeat(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        if scene.now < self.next_repetition || scene.now >= self.expires_at() {
            return;
        }
        if let Phase::Cancelled { repetitions_left } = &mut self.phase {
            let Some(left) = repetitions_left.checked_sub(1) else { return };
            *repetitions_left = left;
        }
        self.publish("repeated", scene, drafts);
    }

    fn expires_at(&self) -> Timestamp {
        self.detected_at.plus_ms(i64::from(self.report.validity_s) * 1_000)
    }

    fn publish(&mut self, action: &str, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        self.next_repetition = scene.now.plus_ms(i64::from(self.report.repetition_interval_ms.max(1)));
        drafts.push(event_draft(Announcement {
            denm: self.denm.clone(),
            position: self.report.position,
            awareness_distance_m: self.report.awareness_distance_m,
            validity_s: self.report.validity_s,
            deadline: self.expires_at(),
            captured_at: self.causes.iter().filter_map(ObjectCause::captured_at).max(),
            rule: format!(
                "DENM {}-{}: asked for by {} (event {}), cause {}, {action}, EN 302 637-3 5.4.1",
                self.action_id.originating_station_id.0,
                self.action_id.sequence_number,
                self.application,
                self.event,
                self.report.cause_code,
            ),
            objects: self.causes.clone(),
        }));
    }
}

fn denm(
    action_id: ActionId,
    report: &EventReport,
    detected_at: Timestamp,
    reference_time: Timestamp,
    scene: &Scene<'_>,
) -> Denm {
    let management = ManagementContainer {
        action_id,
        detection_time: detected_at.into(),
        reference_time: reference_time.into(),
        termination: None,
        event_position: reference_position(
            report.position,
            report.covariance.as_ref().map(accuracy::ellipse).unwrap_or_default(),
        ),
        awareness_distance: Some(message::distance_class(report.awareness_distance_m)),
        traffic_direction: Some(report.traffic.direction()),
        validity_duration_s: report.validity_s,
        transmission_interval_ms: u16::try_from(report.repetition_interval_ms).ok(),
        station_type: scene.station.kind.station_type(),
    };
    let situation = SituationContainer {
        information_quality: report.information_quality,
        event_type: CauseCode::from_codes(report.cause_code, report.sub_cause_code),
        linked_cause: None,
        event_zone: None,
        linked_denms: None,
        event_end_m: None,
        event_end_factor: None,
        perceived_event: None,
    };
    let heading_deg = report.heading_deg.map(|deg| deg.rem_euclid(360.0) as f32);
    let location = LocationContainer {
        event_speed: report
            .speed_mps
            .map(|mps| Speed { value_mps: Reading::of(mps.abs() as f32), confidence_mps: None }),
        event_position_heading: heading_deg.map(|deg| Wgs84Angle { value_deg: Some(deg), confidence_deg: None }),
        detection_zones_to_event_position: message::traces(report.position, &report.traces),
        ..LocationContainer::default()
    };
    let payload = DenmPayload { management, situation: Some(situation), location: Some(location), alacarte: None };
    Denm::new(scene.station.id, payload)
}
