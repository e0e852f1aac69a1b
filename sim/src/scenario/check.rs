//! Whether the parts of a scenario fit each other, before anything runs.

use super::{ActorSettings, Criterion, DetectorKind, Scenario, ScenarioError};
use std::collections::BTreeSet;

/// Longest scenario, seconds.
const MAX_DURATION_S: f64 = 3_600.0;

/// Checks everything that needs no map.
///
/// # Errors
/// What does not fit, and where.
pub fn check(scenario: &Scenario) -> Result<(), ScenarioError> {
    let wrong = |what: String| Err(scenario.wrong(what));
    if !(scenario.duration_s > 0.0 && scenario.duration_s <= MAX_DURATION_S) {
        return wrong(format!("duration-s is {}, must be above 0 and at most {MAX_DURATION_S}", scenario.duration_s));
    }
    if !(0.01..=0.2).contains(&scenario.step_s) {
        return wrong(format!("step-s is {}, must be within 0.01 to 0.2", scenario.step_s));
    }
    let mut names = BTreeSet::new();
    let mut stations = BTreeSet::new();
    for actor in &scenario.actors {
        if !names.insert(actor.id.as_str()) {
            return wrong(format!("actor `{}` is listed twice", actor.id));
        }
        if let Some(id) = actor.station_id.filter(|id| !stations.insert(*id)) {
            return wrong(format!("station id {id} is used twice"));
        }
        check_actor(scenario, actor)?;
    }
    let mut cameras = BTreeSet::new();
    for station in &scenario.stations {
        if !stations.insert(station.station_id) {
            return wrong(format!("station id {} is used twice", station.station_id));
        }
        for camera in &station.cameras {
            if !cameras.insert((&station.id, &camera.id)) {
                return wrong(format!("camera `{}` of station `{}` is listed twice", camera.id, station.id));
            }
            let steps = 1.0 / (camera.rate_hz * scenario.step_s);
            if !(steps >= 1.0 - 1e-6 && (steps - steps.round()).abs() < 1e-6) {
                return wrong(format!(
                    "camera `{}`: the interval of {} pictures a second is not a multiple of the step of {} s",
                    camera.id, camera.rate_hz, scenario.step_s
                ));
            }
        }
    }
    for station in &scenario.stations {
        let ranging = station.radars.iter().map(|radar| &radar.id).chain(station.lidars.iter().map(|lidar| &lidar.id));
        for id in ranging {
            if !cameras.insert((&station.id, id)) {
                return wrong(format!("sensor `{id}` of station `{}` is listed twice", station.id));
            }
        }
    }
    for criterion in &scenario.criteria {
        check_criterion(scenario, &criterion.require)?;
    }
    check_shares(scenario)?;
    for fault in &scenario.faults {
        fault.check(scenario)?;
    }
    Ok(())
}

fn check_actor(scenario: &Scenario, actor: &ActorSettings) -> Result<(), ScenarioError> {
    let wrong = |what: String| Err(scenario.wrong(format!("actor `{}`: {what}", actor.id)));
    if actor.path_m.is_empty() == actor.drive_m.is_empty() {
        return wrong("give either path-m or drive-m".into());
    }
    if actor.drive_m.len() == 1 {
        return wrong("drive-m needs at least two points".into());
    }
    let moves = actor.speed_mps != 0.0 || actor.actions.iter().any(|a| a.then.speed_mps.is_some_and(|v| v != 0.0));
    if moves && actor.path_m.len() == 1 {
        return wrong("one point of path-m is where it stands, but it wants to move".into());
    }
    for action in &actor.actions {
        let others =
            [action.when.near.as_ref().map(|near| &near.actor), action.when.actor_at.as_ref().map(|at| &at.actor)];
        for other in others.into_iter().flatten() {
            known_actor(scenario, other)?;
        }
        if action.when == super::When::default() {
            return wrong("an action without a `when`".into());
        }
    }
    Ok(())
}

fn check_shares(scenario: &Scenario) -> Result<(), ScenarioError> {
    let traffic = scenario.traffic.map(|traffic| traffic.behaviour).unwrap_or_default();
    let parking = scenario.traffic.and_then(|traffic| traffic.parking);
    if let Some([least, most]) =
        parking.map(|parking| parking.stay_s).filter(|[least, most]| !(0.0 <= *least && least <= most))
    {
        return Err(
            scenario.wrong(format!("traffic.parking.stay-s is [{least}, {most}], must be at least and at most"))
        );
    }
    let people = scenario.people.map(|people| people.manners).unwrap_or_default();
    let shares = [
        ("traffic.behaviour.red-light", traffic.red_light),
        ("traffic.behaviour.wrong-way", traffic.wrong_way),
        ("traffic.behaviour.speeding", traffic.speeding),
        ("traffic.behaviour.tailgating", traffic.tailgating),
        ("traffic.parking.share", parking.map_or(0.0, |parking| parking.share)),
        ("traffic.parking.taken", parking.map_or(0.0, |parking| parking.taken)),
        ("people.manners.distracted-share", people.distracted_share),
        ("people.manners.jaywalker-share", people.jaywalker_share),
        ("people.manners.ignores-red-share", people.ignores_red_share),
        ("people.manners.connected-share", people.connected_share),
    ];
    match shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
        Some((name, share)) => Err(scenario.wrong(format!("{name} is {share}, must be within 0 to 1"))),
        None => Ok(()),
    }
}

/// The scripted actor of a name.
pub(crate) fn known_actor(scenario: &Scenario, name: &str) -> Result<(), ScenarioError> {
    let known: Vec<_> = scenario.actors.iter().map(|actor| actor.id.as_str()).collect();
    if known.contains(&name) {
        return Ok(());
    }
    Err(scenario.wrong(format!("there is no actor `{name}`; there are: {}", known.join(", "))))
}

/// The station of a name.
pub(crate) fn known_station(scenario: &Scenario, name: &str) -> Result<(), ScenarioError> {
    let roadside = scenario.stations.iter().map(|station| station.id.as_str());
    let on_board = scenario.actors.iter().filter(|actor| actor.station_id.is_some()).map(|actor| actor.id.as_str());
    let known: Vec<_> = roadside.chain(on_board).collect();
    if known.contains(&name) {
        return Ok(());
    }
    Err(scenario.wrong(format!("there is no station `{name}`; there are: {}", known.join(", "))))
}

fn check_criterion(scenario: &Scenario, criterion: &Criterion) -> Result<(), ScenarioError> {
    match criterion {
        Criterion::Warned { recipient, about, .. } => {
            known_actor(scenario, about)?;
            recipient.names().iter().try_for_each(|name| {
                known_actor(scenario, name)?;
                known_station(scenario, name)
            })
        }
        Criterion::NoCollision { of } => of.iter().try_for_each(|name| known_actor(scenario, name)),
        Criterion::Recall { station, of, .. } => {
            known_station(scenario, station)?;
            of.iter().try_for_each(|name| known_actor(scenario, name))
        }
        Criterion::Latency { station, .. } => station.iter().try_for_each(|name| known_station(scenario, name)),
        Criterion::FalseAlarms { station, .. }
        | Criterion::Health { station, .. }
        | Criterion::CameraPose { station, .. }
        | Criterion::Healthy { station, .. } => known_station(scenario, station),
        Criterion::Received { recipient, .. } => {
            recipient.names().iter().try_for_each(|name| known_station(scenario, name))
        }
        Criterion::Green { actor, .. } => {
            known_actor(scenario, actor)?;
            known_station(scenario, actor)
        }
        Criterion::Reaches { actor, .. } | Criterion::NeverStops { actor } => known_actor(scenario, actor),
        Criterion::KeepsDistance { actor, to, .. } => {
            known_actor(scenario, actor)?;
            known_actor(scenario, to)
        }
        Criterion::Privacy {} | Criterion::Breaches { .. } | Criterion::Parking { .. } => Ok(()),
    }
}

impl Scenario {
    /// The same with perception switched off.
    pub fn without_perception(mut self) -> Self {
        for camera in self.stations.iter_mut().flat_map(|station| &mut station.cameras) {
            camera.detector = DetectorKind::Off;
        }
        self
    }
}
