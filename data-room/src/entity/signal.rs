//! What signals show, from SPATEMs; where they stand, from MAPEMs.

use super::road::intersection_name;
use super::{Attribute, Entity, EntityKind, Geometry, Origin, Position};
use masa_v2x_proto::spatem::{IntersectionState, IntersectionStatus, MovementPhaseState};
use masa_v2x_proto::time::Timestamp;

/// The signal groups of an intersection; `place` says where a group stands.
pub(super) fn signals(
    state: &IntersectionState,
    place: impl Fn(u8) -> Option<Position>,
    at: Timestamp,
    origin: &Origin,
) -> Vec<Entity> {
    let intersection = intersection_name(&state.id);
    let kind = EntityKind::TrafficSignal;
    let signal = |movement: &masa_v2x_proto::spatem::MovementState| {
        let group = movement.signal_group.0;
        let event = movement.state_time_speed.first()?;
        let end = |mark: masa_v2x_proto::dsrc::TimeMark| mark.not_before(at).map(Attribute::DateTime);
        let timing = event.timing.as_ref();
        let id = origin.id(kind, format_args!("{intersection}-{group}"));
        Some(
            Entity::new(id, kind, Geometry::Point(place(group)?), at, origin)
                .with("signalGroup", group)
                .with("intersection", intersection.as_str())
                .with("state", phase(event.event_state))
                .with("operation", operation(&state.status))
                .with_some("minEndTime", timing.and_then(|t| end(t.min_end_time)))
                .with_some("maxEndTime", timing.and_then(|t| end(t.max_end_time?)))
                .with_some("likelyEndTime", timing.and_then(|t| end(t.likely_time?)))
                .with("dateObserved", Attribute::DateTime(at)),
        )
    };
    state.states.iter().filter_map(signal).collect()
}

/// `MovementPhaseState`, spelt as in the settings of a node.
const fn phase(state: MovementPhaseState) -> &'static str {
    match state {
        MovementPhaseState::Unavailable => "unavailable",
        MovementPhaseState::Dark => "dark",
        MovementPhaseState::StopThenProceed => "stop-then-proceed",
        MovementPhaseState::StopAndRemain => "stop-and-remain",
        MovementPhaseState::PreMovement => "pre-movement",
        MovementPhaseState::PermissiveMovementAllowed => "permissive-movement-allowed",
        MovementPhaseState::ProtectedMovementAllowed => "protected-movement-allowed",
        MovementPhaseState::PermissiveClearance => "permissive-clearance",
        MovementPhaseState::ProtectedClearance => "protected-clearance",
        MovementPhaseState::CautionConflictingTraffic => "caution-conflicting-traffic",
    }
}

fn operation(status: &IntersectionStatus) -> &'static str {
    let words = [
        (IntersectionStatus::OFF, "off"),
        (IntersectionStatus::FAILURE_MODE, "failure"),
        (IntersectionStatus::FAILURE_FLASH, "failure"),
        (IntersectionStatus::STANDBY_OPERATION, "standby"),
        (IntersectionStatus::TRAFFIC_DEPENDENT_OPERATION, "traffic-dependent"),
        (IntersectionStatus::FIXED_TIME_OPERATION, "fixed-time"),
    ];
    words.into_iter().find(|(bit, _)| status.contains(*bit)).map_or("unknown", |(_, words)| words)
}
