//! What the criteria of a scenario say of a trace.
//!
//! In: a trace. Out: a [`Verdict`] for each criterion: whether it holds, what was expected, what was found, and when and in
//! which frame it was not so. Everything is judged by the truth and by the bytes that left, never by what a node believes.

mod contact;
mod messages;
mod perception;
mod pose;
mod rules;
mod signals;

use super::Trace;
use crate::actor::ActorId;
use crate::roads::Roads;
use crate::scenario::route::Way;
use crate::scenario::scripted::ids;
use crate::scenario::{Criterion, CriterionSettings, Scenario};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a criterion says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// It holds.
    pub passed: bool,
    /// It is about somebody's safety, which perception is for: a warning, a collision, who is known.
    pub safety: bool,
    /// What was asked.
    pub expected: String,
    /// What was found.
    pub actual: String,
    /// When it was decided, seconds: of a failure, when it went wrong.
    pub at_s: Option<f64>,
    /// The frame nearest before.
    pub frame: Option<FrameReference>,
    /// Those it is about.
    pub actors: Vec<String>,
    /// The station whose recording shows it.
    pub station: Option<String>,
}

/// A frame of a camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameReference {
    /// The station.
    pub station: String,
    /// The camera's place at the station.
    pub camera: usize,
    /// The frame's running number.
    pub frame: u64,
}

/// What is found of one criterion.
pub(super) struct Finding {
    pub(super) passed: bool,
    pub(super) expected: String,
    pub(super) actual: String,
    pub(super) at_s: Option<f64>,
    pub(super) station: Option<String>,
}

/// What criteria look at.
pub(super) struct Case<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) roads: &'a Roads,
    pub(super) trace: &'a Trace,
    pub(super) ids: BTreeMap<String, ActorId>,
}

impl Case<'_> {
    /// Name of an actor in the scenario, or what it is.
    pub(super) fn name(&self, id: ActorId) -> String {
        let named = self.ids.iter().find(|(_, known)| **known == id).map(|(name, _)| name.clone());
        named.unwrap_or_else(|| {
            let kind = self.trace.snapshots.iter().find_map(|s| s.actor(id)).map(|actor| actor.kind);
            kind.map_or_else(|| format!("actor {}", id.0), |kind| format!("{kind:?} {}", id.0).to_lowercase())
        })
    }

    /// The way of a named actor.
    pub(super) fn way_of(&self, name: &str) -> Option<Way> {
        let settings = self.scenario.actors.iter().find(|actor| actor.id == name)?;
        if settings.drive_m.is_empty() {
            return Some(Way::through(&settings.path_m));
        }
        Way::on_lanes(self.roads, &settings.drive_m).ok()
    }

    pub(super) fn ids_of(&self, names: &[String]) -> Vec<ActorId> {
        names.iter().filter_map(|name| self.ids.get(name).copied()).collect()
    }
}

/// Judges a trace by the criteria of its scenario.
pub fn judge(scenario: &Scenario, roads: &Roads, trace: &Trace) -> Vec<Verdict> {
    let case = Case { scenario, roads, trace, ids: ids(scenario) };
    scenario.criteria.iter().map(|criterion| verdict(&case, criterion)).collect()
}

fn verdict(case: &Case<'_>, settings: &CriterionSettings) -> Verdict {
    let finding = find(case, &settings.require);
    let at_s = finding.at_s;
    let frame = at_s.and_then(|at_s| frame_at(case.trace, at_s, finding.station.as_deref()));
    Verdict {
        name: settings.name.clone().unwrap_or_else(|| usual_name(&settings.require)),
        passed: finding.passed,
        safety: matches!(
            settings.require,
            Criterion::Warned { .. } | Criterion::NoCollision { .. } | Criterion::Recall { .. }
        ),
        expected: finding.expected,
        actual: finding.actual,
        at_s,
        station: finding.station.or_else(|| frame.as_ref().map(|frame| frame.station.clone())),
        frame,
        actors: concerned(&settings.require),
    }
}

/// The newest frame at a time, of the station if it has cameras.
fn frame_at(trace: &Trace, at_s: f64, station: Option<&str>) -> Option<FrameReference> {
    let newest = |only: Option<usize>| {
        let before = trace.frames.iter().take_while(|frame| frame.captured_s <= at_s + 1e-9);
        before.filter(|frame| only.is_none_or(|station| frame.station == station)).last()
    };
    let own = station.and_then(|name| trace.station(name)).and_then(|station| newest(Some(station)));
    own.or_else(|| newest(None)).map(|frame| FrameReference {
        station: trace.stations[frame.station].name.clone(),
        camera: frame.camera,
        frame: frame.frame,
    })
}

fn find(case: &Case<'_>, criterion: &Criterion) -> Finding {
    match criterion {
        Criterion::Warned { recipient, about, at_least_s, by } => {
            messages::warned(case, recipient.names(), about, *at_least_s, by)
        }
        Criterion::NoCollision { of } => contact::no_collision(case, of),
        Criterion::Latency { station, p95_ms } => messages::latency(case, station.as_deref(), *p95_ms),
        Criterion::Recall { station, at_least, within_m, of } => {
            perception::recall(case, station, *at_least, *within_m, of)
        }
        Criterion::FalseAlarms { station, per_minute } => perception::false_alarms(case, station, *per_minute),
        Criterion::Received { recipient, kind, before_s, after_s } => {
            messages::received(case, recipient.names(), kind, *after_s, *before_s)
        }
        Criterion::Privacy {} => messages::privacy(case),
        Criterion::Health { station, problem, since_s, within_s } => {
            perception::health(case, station, problem, *since_s, *within_s)
        }
        Criterion::CameraPose { station, camera, since_s, within_s, within_deg } => {
            pose::camera_pose(case, station, camera, [*since_s, *within_s], *within_deg)
        }
        Criterion::Healthy { station, problems } => perception::healthy(case, station, problems),
        Criterion::Breaches { rule, at_least, at_most } => rules::breaches(case, *rule, *at_least, *at_most),
        Criterion::Parking { taken, freed } => rules::parking(case, *taken, *freed),
        Criterion::Green { actor, within_s } => signals::green(case, actor, *within_s),
        Criterion::Reaches { actor, point_m, before_s } => contact::reaches(case, actor, *point_m, *before_s),
        Criterion::NeverStops { actor } => contact::never_stops(case, actor),
        Criterion::KeepsDistance { actor, to, at_least_m } => contact::keeps_distance(case, actor, to, *at_least_m),
    }
}

fn usual_name(criterion: &Criterion) -> String {
    match criterion {
        Criterion::Warned { recipient, about, at_least_s, .. } => {
            format!("{} warned of {about} at least {at_least_s} s before", recipient.names().join(", "))
        }
        Criterion::NoCollision { of } if of.is_empty() => "no collision".into(),
        Criterion::NoCollision { of } => format!("no collision of {}", of.join(", ")),
        Criterion::Latency { p95_ms, .. } => format!("photon to message p95 at most {p95_ms} ms"),
        Criterion::Recall { station, at_least, .. } => format!("recall of {station} at least {at_least}"),
        Criterion::FalseAlarms { station, per_minute } => {
            format!("false alarms of {station} at most {per_minute} a minute")
        }
        Criterion::Received { recipient, kind, before_s, .. } => {
            format!("{} received a {} by {before_s} s", recipient.names().join(", "), kind.to_uppercase())
        }
        Criterion::Privacy {} => "no pixels leave".into(),
        Criterion::Health { station, problem, within_s, .. } => {
            format!("{station} notices {problem} within {within_s} s")
        }
        Criterion::CameraPose { camera, within_s, within_deg, .. } => {
            format!("where {camera} looks is known to {within_deg}° within {within_s} s, after the alarm")
        }
        Criterion::Healthy { station, .. } => format!("{station} stays healthy"),
        Criterion::Breaches { rule, .. } => format!("how often {} is broken", rules::name(*rule)),
        Criterion::Parking { .. } => "cars park and leave".into(),
        Criterion::Green { actor, within_s } => format!("{actor} has green within {within_s} s of asking"),
        Criterion::Reaches { actor, before_s, .. } => format!("{actor} arrives by {before_s} s"),
        Criterion::NeverStops { actor } => format!("{actor} never stops"),
        Criterion::KeepsDistance { actor, to, at_least_m } => format!("{actor} keeps {at_least_m} m from {to}"),
    }
}

fn concerned(criterion: &Criterion) -> Vec<String> {
    match criterion {
        Criterion::Warned { recipient, about, .. } => {
            recipient.names().iter().cloned().chain([about.clone()]).collect()
        }
        Criterion::NoCollision { of } | Criterion::Recall { of, .. } => of.clone(),
        Criterion::Green { actor, .. } | Criterion::Reaches { actor, .. } | Criterion::NeverStops { actor } => {
            vec![actor.clone()]
        }
        Criterion::KeepsDistance { actor, to, .. } => vec![actor.clone(), to.clone()],
        Criterion::Received { recipient, .. } => recipient.names().to_vec(),
        _ => Vec::new(),
    }
}
