//! SPATEM from what the signals show: TS 103 301 clause 5 (TLM), ISO/TS 19091 `SPAT`.

use super::map::reference;
use super::{InfrastructureSettings, push};
use crate::event::{GroupState, Operation, SignalPhase};
use crate::facilities::{Draft, Scene};
use crate::world::Drops;
use crate::world::infrastructure::{InfrastructureSite, IntersectionSettings};
use crate::world::signals::SignalState;
use masa_v2x_proto::List;
use masa_v2x_proto::dsrc::{SignalGroupId, TimeMark};
use masa_v2x_proto::spatem::{
    IntersectionState, IntersectionStatus, MovementEvent, MovementPhaseState, MovementState, Spatem, TimeChangeDetails,
};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// Two SPATEMs are never closer together, milliseconds.
const MIN_INTERVAL_MS: i64 = 100;

/// What was last said of the signals.
#[derive(Clone, Debug, Default)]
pub(super) struct SpatService {
    said: BTreeMap<u16, Option<SignalState>>,
    /// Counts the changes of each intersection.
    revisions: BTreeMap<u16, u8>,
    last: Option<Timestamp>,
    wake_at: Option<Timestamp>,
}

impl SpatService {
    pub(super) fn evaluate(
        &mut self,
        scene: &Scene<'_>,
        site: &InfrastructureSite,
        settings: &InfrastructureSettings,
        drafts: &mut Vec<Draft>,
    ) {
        let timeout_ms = i64::from(settings.signal_timeout_ms);
        let state = |i: &IntersectionSettings| (i.id, scene.signals.state(i, timeout_ms, scene.now));
        let now: BTreeMap<_, _> = site.intersections.iter().map(state).collect();
        let has_changed = now != self.said;
        let since_ms = |interval_ms: i64| self.last.map_or(scene.now, |at| at.plus_ms(interval_ms));
        let repeat_at = since_ms(i64::from(settings.spatem_interval_ms).max(MIN_INTERVAL_MS));
        let due_at = if has_changed { since_ms(MIN_INTERVAL_MS) } else { repeat_at };
        if scene.now >= due_at {
            for (id, state) in &now {
                if self.said.get(id).is_some_and(|said| said != state) {
                    let revision = self.revisions.entry(*id).or_default();
                    *revision = (*revision + 1) % 128;
                }
            }
            let rule = if has_changed { "SPATEM: changed, TS 103 301 5" } else { "SPATEM: repeated, TS 103 301 5" };
            let message = self.spatem(scene, site, &now).map(Into::into);
            push(message, rule, scene, settings, &mut Drops::default(), drafts);
            self.said = now;
            self.last = Some(scene.now);
        }
        // A programme changes by itself, a controller falls silent by itself.
        let ends = self.said.values().flatten().flat_map(|state| state.groups.iter().filter_map(|group| group.max_end));
        let silent = site.intersections.iter().filter_map(|i| scene.signals.expires_at(i.id, timeout_ms));
        let own = ends.chain(silent).filter(|at| *at > scene.now);
        let again =
            if scene.now >= due_at { scene.now.plus_ms(i64::from(settings.spatem_interval_ms)) } else { due_at };
        self.wake_at = own.chain([again]).min();
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    fn spatem(
        &self,
        scene: &Scene<'_>,
        site: &InfrastructureSite,
        states: &BTreeMap<u16, Option<SignalState>>,
    ) -> Option<Spatem> {
        let state = |intersection: &IntersectionSettings| {
            let revision = self.revisions.get(&intersection.id).copied().unwrap_or(0);
            let known = states.get(&intersection.id).and_then(Option::as_ref);
            intersection_state(intersection, known, revision, scene.now)
        };
        let states = site.intersections.iter().map(state).collect::<Option<Vec<_>>>()?;
        Some(Spatem::new(scene.station.id, scene.now, List::try_from_iter(states)?))
    }
}

/// The state of an intersection. Of one whose controller is silent every group is "unavailable", and the status says so.
fn intersection_state(
    intersection: &IntersectionSettings,
    state: Option<&SignalState>,
    revision: u8,
    now: Timestamp,
) -> Option<IntersectionState> {
    let status = match state.map(|state| state.operation) {
        None => IntersectionStatus::NO_VALID_SPAT_IS_AVAILABLE_AT_THIS_TIME,
        Some(Operation::FixedTime) => IntersectionStatus::FIXED_TIME_OPERATION,
        Some(Operation::TrafficDependent) => IntersectionStatus::TRAFFIC_DEPENDENT_OPERATION,
        Some(Operation::Standby) => IntersectionStatus::STANDBY_OPERATION,
        Some(Operation::Failure) => IntersectionStatus::FAILURE_MODE,
        Some(Operation::Off) => IntersectionStatus::OFF,
    };
    let movements: Vec<MovementState> = match state {
        Some(state) => state.groups.iter().map(|group| movement(group, now)).collect::<Option<_>>()?,
        None => {
            let groups = intersection.lanes.iter().flat_map(|lane| &lane.connections).filter_map(|c| c.signal_group);
            let groups: std::collections::BTreeSet<_> = groups.collect();
            let unknown = |group| GroupState { group, ..GroupState::default() };
            groups.into_iter().map(|group| movement(&unknown(group), now)).collect::<Option<_>>()?
        }
    };
    let movements = List::try_from_iter(movements).filter(|movements| !movements.is_empty())?;
    Some(IntersectionState::new(reference(intersection), revision, status, now, movements))
}

fn movement(group: &GroupState, now: Timestamp) -> Option<MovementState> {
    let mark = |at: Option<Timestamp>| at.map(|at| TimeMark::of(at, now));
    let known = group.min_end.or(group.max_end).or(group.likely_end).is_some();
    let timing = TimeChangeDetails {
        min_end_time: mark(group.min_end).unwrap_or_default(),
        max_end_time: mark(group.max_end),
        likely_time: mark(group.likely_end),
        ..TimeChangeDetails::default()
    };
    let event =
        MovementEvent { event_state: phase(group.shows), timing: known.then_some(timing), ..Default::default() };
    Some(MovementState::new(SignalGroupId(group.group), List::try_from_iter([event])?))
}

const fn phase(phase: SignalPhase) -> MovementPhaseState {
    match phase {
        SignalPhase::Unavailable => MovementPhaseState::Unavailable,
        SignalPhase::Dark => MovementPhaseState::Dark,
        SignalPhase::StopThenProceed => MovementPhaseState::StopThenProceed,
        SignalPhase::StopAndRemain => MovementPhaseState::StopAndRemain,
        SignalPhase::PreMovement => MovementPhaseState::PreMovement,
        SignalPhase::PermissiveMovementAllowed => MovementPhaseState::PermissiveMovementAllowed,
        SignalPhase::ProtectedMovementAllowed => MovementPhaseState::ProtectedMovementAllowed,
        SignalPhase::PermissiveClearance => MovementPhaseState::PermissiveClearance,
        SignalPhase::ProtectedClearance => MovementPhaseState::ProtectedClearance,
        SignalPhase::CautionConflictingTraffic => MovementPhaseState::CautionConflictingTraffic,
    }
}
