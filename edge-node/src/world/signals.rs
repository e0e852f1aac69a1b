//! What the signals of the site's intersections show, as a controller tells or a fixed programme says.
//!
//! In: [`SignalReport`]s. Out: the newest one of each intersection while it is fresh, otherwise the programme's state.

use super::infrastructure::{IntersectionSettings, ProgrammeSettings};
use crate::event::{GroupState, Operation, SignalReport};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// The newest report of each intersection.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    reports: BTreeMap<u16, (SignalReport, Timestamp)>,
}

/// What an intersection's signals show.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalState {
    /// How the controller works.
    pub operation: Operation,
    /// What each group shows.
    pub groups: Vec<GroupState>,
}

impl Signals {
    /// Takes a report of an intersection of the site; false for one that is older than what is known.
    pub(crate) fn take(&mut self, report: &SignalReport, now: Timestamp) -> bool {
        let is_late =
            self.reports.get(&report.intersection).is_some_and(|(known, _)| known.captured_at > report.captured_at);
        if !is_late {
            self.reports.insert(report.intersection, (report.clone(), now));
        }
        !is_late
    }

    /// What an intersection shows at `now`; `None` when its controller is silent and there is no programme.
    pub fn state(&self, intersection: &IntersectionSettings, timeout_ms: i64, now: Timestamp) -> Option<SignalState> {
        let fresh = self.reports.get(&intersection.id).filter(|(_, at)| now < at.plus_ms(timeout_ms));
        if let Some((report, _)) = fresh {
            return Some(SignalState { operation: report.operation, groups: report.groups.clone() });
        }
        intersection.programme.as_ref().map(|programme| programmed(programme, now))
    }

    /// When the newest report of an intersection stops being fresh.
    pub fn expires_at(&self, intersection: u16, timeout_ms: i64) -> Option<Timestamp> {
        self.reports.get(&intersection).map(|(_, at)| at.plus_ms(timeout_ms))
    }
}

/// What a fixed programme shows: every end is certain.
fn programmed(programme: &ProgrammeSettings, now: Timestamp) -> SignalState {
    let cycle_ms = i64::from(programme.cycle_ms.max(1));
    let into_ms = (now.unix_ms() - i64::from(programme.offset_ms)).rem_euclid(cycle_ms);
    let begin = Timestamp::from_unix_ms(now.unix_ms() - into_ms);
    let groups = programme.groups.iter().filter_map(|group| {
        let mut end_ms = 0;
        let phase = group.phases.iter().find(|phase| {
            end_ms += i64::from(phase.duration_ms);
            into_ms < end_ms
        })?;
        let end = Some(begin.plus_ms(end_ms));
        Some(GroupState { group: group.id, shows: phase.shows, min_end: end, max_end: end, likely_end: end })
    });
    SignalState { operation: Operation::FixedTime, groups: groups.collect() }
}
