//! An event as a DENM: TS 103 831 clause 7, EN 302 637-3 annex B.

use super::{Action, ActiveEvent, DenSettings, Trigger};
use crate::effect::{ObjectCause, Provenance};
use crate::facilities::{Content, Draft, Scene, Station, accuracy, reference_position};
use crate::world::RoadUser;
use crate::world::ldm::ReceivedEvent;
use crate::world::site::{SiteMap, ZoneKind};
use masa_inference::ObjectClass;
use masa_v2x_proto::cdd::subcause::{HumanPresenceOnTheRoadSubCause, StationaryVehicleSubCause};
use masa_v2x_proto::cdd::{
    ActionId, CauseCode, DeltaReferencePosition, Path, PathPoint, Reading, Speed, Traces, Wgs84Angle,
};
use masa_v2x_proto::denm::{
    AlacarteContainer, Denm, DenmPayload, LocationContainer, ManagementContainer, SituationContainer, StandardLength3b,
    StationarySince, StationaryVehicleContainer, Termination, TrafficDirection,
};
use masa_v2x_proto::geo::{Covariance2, Enu, Wgs84, yaw_to_heading_rad};
use masa_v2x_proto::geonet::{Dissemination, GeoArea, Scope, Shape};
use masa_v2x_proto::relevance::awareness_distance_m;
use masa_v2x_proto::time::Timestamp;

/// What a DENM says of an object, apart from times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Report {
    position: Enu,
    covariance: Covariance2,
    speed: Speed,
    heading: Wgs84Angle,
    information_quality: u8,
    cause: CauseCode,
    stationary_since: Option<StationarySince>,
}

impl Report {
    pub(super) fn of(trigger: Trigger, user: &RoadUser) -> Self {
        let (speed_accuracy, heading_accuracy) =
            accuracy::velocity(user.velocity_e_mps, user.velocity_n_mps, &user.velocity_covariance);
        let heading_deg = user.yaw_rad.map(|yaw| yaw_to_heading_rad(yaw).to_degrees() as f32);
        Self {
            position: user.position,
            covariance: user.covariance,
            speed: Speed { value_mps: Reading::of(user.speed_mps() as f32), confidence_mps: speed_accuracy },
            heading: Wgs84Angle { value_deg: heading_deg, confidence_deg: heading_deg.and(heading_accuracy) },
            information_quality: information_quality(user.class_confidence),
            cause: cause(trigger, user.class),
            stationary_since: (trigger == Trigger::StationaryVehicle).then(|| stationary_since(user.standing_s())),
        }
    }

    /// Whether the content has changed for a receiver; position has a rule of its own, and speed follows from it.
    pub(super) fn differs(&self, sent: &Self) -> bool {
        self.cause != sent.cause || self.stationary_since != sent.stationary_since
    }
}

/// The DENM of an event that is in force.
pub(super) fn denm(
    action_id: ActionId,
    trigger: Trigger,
    report: &Report,
    detected_at: Timestamp,
    reference_time: Timestamp,
    scene: &Scene<'_>,
    settings: &DenSettings,
) -> Denm {
    let Scene { station, map, .. } = *scene;
    let alacarte = (trigger == Trigger::StationaryVehicle).then(|| {
        let stationary = StationaryVehicleContainer {
            stationary_since: report.stationary_since,
            ..StationaryVehicleContainer::default()
        };
        AlacarteContainer { stationary_vehicle: Some(stationary), ..AlacarteContainer::default() }
    });
    let management = ManagementContainer {
        action_id,
        detection_time: detected_at.into(),
        reference_time: reference_time.into(),
        termination: None,
        event_position: reference_position(
            station.frame.to_wgs84(report.position),
            accuracy::ellipse(&report.covariance),
        ),
        awareness_distance: Some(distance_class(settings.awareness_distance_m)),
        traffic_direction: Some(TrafficDirection::AllTrafficDirections),
        validity_duration_s: settings.validity_duration_s.min(MAX_VALIDITY_S),
        transmission_interval_ms: u16::try_from(settings.repetition_interval_ms.clamp(1, MAX_INTERVAL_MS)).ok(),
        station_type: station.kind.station_type(),
    };
    let situation = SituationContainer {
        information_quality: report.information_quality,
        event_type: report.cause,
        linked_cause: None,
        event_zone: None,
        linked_denms: None,
        event_end_m: None,
        event_end_factor: None,
        perceived_event: None,
    };
    let location = LocationContainer {
        event_speed: Some(report.speed),
        event_position_heading: report.heading.value_deg.map(|_| report.heading),
        detection_zones_to_event_position: traces(
            station.frame.to_wgs84(report.position),
            &approaches(report.position, map, station),
        ),
        ..LocationContainer::default()
    };
    Denm::new(station.id, DenmPayload { management, situation: Some(situation), location: Some(location), alacarte })
}

/// The paths that lead to an event: those of the carriageway it is on, from the event outwards.
pub(super) fn approaches(event: Enu, map: &SiteMap, station: &Station) -> Vec<Vec<Wgs84>> {
    let carriageway = map.zones_at(event).find(|zone| zone.kind() == ZoneKind::Carriageway);
    let to_wgs84 = |[e_m, n_m]: &[f64; 2]| station.frame.to_wgs84(Enu::ground(*e_m, *n_m));
    let paths = carriageway.map_or(&[][..], |zone| zone.approaches_m());
    paths.iter().map(|path| path.iter().map(to_wgs84).collect()).collect()
}

/// Paths from an event outwards, as a DENM has them. There must be one, which is empty where none is known.
pub(super) fn traces(event: Wgs84, paths: &[Vec<Wgs84>]) -> Traces {
    let path = |points: &Vec<Wgs84>| {
        let mut from = event;
        let offset = |to: &Wgs84| {
            let path_position = DeltaReferencePosition {
                delta_latitude_deg: Some((to.lat_deg - from.lat_deg) as f32),
                delta_longitude_deg: Some((to.lon_deg - from.lon_deg) as f32),
                delta_altitude_m: None,
            };
            from = *to;
            PathPoint { path_position, path_delta_time_ms: None }
        };
        // Counts and steps are checked with the map, or with the request.
        Path::try_from_iter(points.iter().map(offset)).unwrap_or_default()
    };
    let paths = Traces::try_from_iter(paths.iter().map(path)).unwrap_or_default();
    if paths.is_empty() { Traces::try_from_iter([Path::new()]).unwrap_or_default() } else { paths }
}

/// Largest `validityDuration`, seconds.
pub(super) const MAX_VALIDITY_S: u32 = 86_400;
/// DCC profile 1 (TS 102 636-4-2 clause 5).
const DENM_TRAFFIC_CLASS: u8 = 1;
/// Longest lifetime of a packet, seconds (EN 302 636-4-1 annex H, `itsGnMaxPacketLifetime`).
const MAX_PACKET_LIFETIME_S: f64 = 600.0;
/// Largest `transmissionInterval`, milliseconds.
pub(super) const MAX_INTERVAL_MS: u32 = 10_000;

/// The DENM that cancels the event of `last`: management container only (TS 103 831 annex A).
pub(super) fn cancellation(last: &Denm, detected_at: Timestamp, reference_time: Timestamp) -> Denm {
    let management = ManagementContainer {
        detection_time: detected_at.into(),
        reference_time: reference_time.into(),
        termination: Some(Termination::IsCancellation),
        ..last.denm.management
    };
    let payload = DenmPayload { management, situation: None, location: None, alacarte: None };
    Denm::new(last.header.station_id, payload)
}

/// A DENM to be sent, of whatever origin.
pub(super) struct Announcement {
    pub(super) denm: Denm,
    pub(super) position: Wgs84,
    pub(super) awareness_distance_m: f64,
    pub(super) validity_s: u32,
    pub(super) deadline: Timestamp,
    pub(super) captured_at: Option<Timestamp>,
    pub(super) rule: String,
    pub(super) objects: Vec<ObjectCause>,
}

/// The draft of a DENM: broadcast in its awareness area while it is valid.
pub(super) fn event_draft(announcement: Announcement) -> Draft {
    let Announcement { denm, position, awareness_distance_m, validity_s, deadline, captured_at, rule, objects } =
        announcement;
    Draft {
        content: Content::Denm(Box::new(denm)),
        captured_at,
        position,
        deadline: Some(deadline),
        dissemination: dissemination(position, awareness_distance_m, f64::from(validity_s.min(MAX_VALIDITY_S))),
        provenance: Provenance { rule, objects },
    }
}

/// An event of another station that is sent on as received.
pub(super) struct ForwardedDenm<'a> {
    pub(super) event: &'a ReceivedEvent,
    pub(super) settings: &'a DenSettings,
}

/// The draft of a forwarded DENM.
pub(super) fn forwarded_draft(forwarded: ForwardedDenm<'_>) -> Draft {
    let ForwardedDenm { event, settings } = forwarded;
    let management = &event.denm.denm.management;
    let awareness_m = management.awareness_distance.and_then(awareness_distance_m);
    let distance_m = awareness_m.unwrap_or(settings.awareness_distance_m);
    let ActionId { originating_station_id, sequence_number } = event.action_id;
    Draft {
        content: Content::ForwardedDenm { denm: event.denm.clone(), uper: event.uper.clone() },
        captured_at: None,
        position: event.position,
        deadline: Some(event.expires_at),
        dissemination: dissemination(event.position, distance_m, f64::from(management.validity_duration_s)),
        provenance: Provenance {
            rule: format!(
                "DENM {}-{sequence_number}: kept alive, not heard for two transmission intervals, EN 302 637-3 8.2.2",
                originating_station_id.0
            ),
            objects: Vec::new(),
        },
    }
}

fn dissemination(position: Wgs84, awareness_distance_m: f64, validity_s: f64) -> Dissemination {
    let awareness =
        GeoArea { shape: Shape::Circle, centre: position, a_m: awareness_distance_m, b_m: 0.0, azimuth_deg: 0.0 };
    Dissemination {
        scope: Scope::Broadcast(awareness),
        traffic_class: DENM_TRAFFIC_CLASS,
        lifetime_s: validity_s.min(MAX_PACKET_LIFETIME_S),
    }
}

/// The draft of an event's current DENM.
pub(super) fn draft(event: &ActiveEvent, action: Action, station: &Station, settings: &DenSettings) -> Draft {
    let validity_s = settings.validity_duration_s.min(MAX_VALIDITY_S);
    event_draft(Announcement {
        denm: event.denm.clone(),
        position: station.frame.to_wgs84(event.position),
        awareness_distance_m: settings.awareness_distance_m,
        validity_s,
        deadline: event.cause.captured_at().unwrap_or(event.since).plus_ms(i64::from(validity_s) * 1_000),
        captured_at: event.cause.captured_at(),
        rule: format!(
            "DENM {}-{}: {} (cause {}), {}, EN 302 637-3 6.1.2",
            event.action_id.originating_station_id.0,
            event.action_id.sequence_number,
            event.trigger.words(),
            event.trigger.cause_code(),
            action.words(),
        ),
        objects: vec![event.cause.clone()],
    })
}

fn cause(trigger: Trigger, class: ObjectClass) -> CauseCode {
    use HumanPresenceOnTheRoadSubCause as Human;
    match trigger {
        Trigger::StationaryVehicle => CauseCode::StationaryVehicle(StationaryVehicleSubCause::Unavailable),
        Trigger::HumanPresence => CauseCode::HumanPresenceOnTheRoad(match class {
            ObjectClass::Person => Human::Pedestrian,
            ObjectClass::Bicycle => Human::Bicyclist,
            ObjectClass::EScooter => Human::EScooter,
            ObjectClass::Motorcycle => Human::Motorcycle,
            _ => Human::Unavailable,
        }),
    }
}

/// The level of `informationQuality`, which the standard leaves to the sender: the share of class votes in six steps,
/// 1 for the lowest and 7 for certainty.
fn information_quality(class_confidence: f32) -> u8 {
    1 + (class_confidence.clamp(0.0, 1.0) * 6.0) as u8
}

fn stationary_since(standing_s: f64) -> StationarySince {
    match standing_s {
        s if s < 60.0 => StationarySince::LessThan1Minute,
        s if s < 120.0 => StationarySince::LessThan2Minutes,
        s if s < 900.0 => StationarySince::LessThan15Minutes,
        _ => StationarySince::EqualOrGreater15Minutes,
    }
}

/// The smallest class of `awarenessDistance` that reaches as far as `distance_m`.
pub(super) fn distance_class(distance_m: f64) -> StandardLength3b {
    use StandardLength3b as Class;
    let classes = [
        (50.0, Class::LessThan50m),
        (100.0, Class::LessThan100m),
        (200.0, Class::LessThan200m),
        (500.0, Class::LessThan500m),
        (1_000.0, Class::LessThan1000m),
        (5_000.0, Class::LessThan5km),
        (10_000.0, Class::LessThan10km),
    ];
    classes.iter().find(|(limit_m, _)| distance_m <= *limit_m).map_or(Class::Over10km, |(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_classes_follow_ts_102_894_2() {
        for (standing_s, expected) in [
            (0.0, StationarySince::LessThan1Minute),
            (59.9, StationarySince::LessThan1Minute),
            (60.0, StationarySince::LessThan2Minutes),
            (120.0, StationarySince::LessThan15Minutes),
            (900.0, StationarySince::EqualOrGreater15Minutes),
        ] {
            assert_eq!(stationary_since(standing_s), expected, "{standing_s} s");
        }
        for (distance_m, expected) in [
            (50.0, StandardLength3b::LessThan50m),
            (51.0, StandardLength3b::LessThan100m),
            (500.0, StandardLength3b::LessThan500m),
            (20_000.0, StandardLength3b::Over10km),
        ] {
            assert_eq!(distance_class(distance_m), expected, "{distance_m} m");
        }
        for (confidence, expected) in [(0.0, 1), (0.5, 4), (0.99, 6), (1.0, 7)] {
            assert_eq!(information_quality(confidence), expected, "{confidence}");
        }
    }
}
