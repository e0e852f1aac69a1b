//! Persons on the carriageway, and persons who lie on the ground.

use super::{Finding, SituationKind, SituationSettings, Subject, evidence_of};
use crate::perception::TrackState;
use crate::world::site::{SiteMap, ZoneKind};
use crate::world::{RoadUser, World};
use masa_inference::ObjectClass;

/// A box nearer to the picture's edge than this is cut off by it, pixels: its shape says nothing.
const EDGE_PX: f32 = 3.0;

/// Whether a person is the rider of something: detectors see a cyclist as a person and a bicycle.
pub(crate) fn is_rider(person: &RoadUser, users: &[RoadUser], max_on_foot_mps: f64, reach_m: f64) -> bool {
    let is_ridden = |class| matches!(class, ObjectClass::Bicycle | ObjectClass::Motorcycle | ObjectClass::EScooter);
    let has_wheels =
        |other: &RoadUser| is_ridden(other.class) && other.position.ground_distance_m(&person.position) <= reach_m;
    person.class == ObjectClass::Person && (person.speed_mps() > max_on_foot_mps || users.iter().any(has_wheels))
}

/// How deep on the carriageway a road user is outside any crossing, metres; negative beside it, `None` on a crossing.
pub(crate) fn carriageway_depth_m(user: &RoadUser, map: &SiteMap, crossing_margin_m: f64) -> Option<f64> {
    let crossing_m = map.depth_m(ZoneKind::Crossing, user.position).unwrap_or(f64::NEG_INFINITY);
    let depth_m = map.depth_m(ZoneKind::Carriageway, user.position).unwrap_or(f64::NEG_INFINITY);
    (crossing_m <= -crossing_margin_m).then_some(depth_m)
}

/// A person walks or stands on the carriageway where nobody crosses.
pub(super) fn person_on_road(
    users: &[RoadUser],
    map: &SiteMap,
    settings: &SituationSettings,
    findings: &mut Vec<Finding>,
) {
    for user in users.iter().filter(|user| user.class == ObjectClass::Person) {
        let Some(depth_m) = carriageway_depth_m(user, map, settings.crossing_margin_m) else { continue };
        if depth_m < settings.edge_margin_m || is_rider(user, users, settings.max_on_foot_mps, settings.rider_reach_m) {
            continue;
        }
        let sigma_m = user.covariance.ellipse().0.max(0.1);
        findings.push(Finding {
            kind: SituationKind::PersonOnRoad,
            subject: Subject::User(user.id),
            place: user.position,
            // Beyond two standard deviations from the edge it is as good as certain.
            sureness: f64::from(user.class_confidence) * (0.5 + 0.25 * depth_m / sigma_m).min(1.0),
            class: user.class,
            evidence: evidence_of([user]),
        });
    }
}

/// A person whose box is wider than high and who does not move.
pub(super) fn fallen_person(world: &World, settings: &SituationSettings, findings: &mut Vec<Finding>) {
    let users = world.users();
    for user in users.iter().filter(|user| user.class == ObjectClass::Person) {
        if user.speed_mps() > settings.fallen_speed_mps
            || is_rider(user, users, settings.max_on_foot_mps, settings.rider_reach_m)
        {
            continue;
        }
        let shapes = user.sights.iter().filter(|sight| sight.state == TrackState::Confirmed).filter_map(|sight| {
            let frame = world.frames().get(&sight.camera)?;
            let b = sight.bounding_box?;
            let is_whole = b.x1_px > EDGE_PX
                && b.y1_px > EDGE_PX
                && b.x2_px < frame.width_px as f32 - EDGE_PX
                && b.y2_px < frame.height_px as f32 - EDGE_PX;
            is_whole.then(|| f64::from(b.height_px() / b.width_px().max(1.0)))
        });
        // One camera may look along the body: the widest view counts.
        let Some(shape) = shapes.reduce(f64::min) else { continue };
        if shape <= settings.fallen_shape {
            findings.push(Finding {
                kind: SituationKind::FallenPerson,
                subject: Subject::User(user.id),
                place: user.position,
                sureness: f64::from(user.class_confidence) * (1.5 - 0.5 * shape / settings.fallen_shape).min(1.0),
                class: user.class,
                evidence: evidence_of([user]),
            });
        }
    }
}
