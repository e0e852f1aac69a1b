//! Criteria of what a node knew: of the road, and of itself.

use super::{Case, Finding};
use crate::actor::ActorId;
use crate::run::trace::FrameTrace;
use nalgebra::{Point2, Point3};
use std::collections::BTreeMap;

/// A known object this near to a road user is that road user, metres, besides half its length.
const MATCH_M: f64 = 3.0;
/// Less of somebody than this showing does not count, share.
const VISIBLE: f64 = 0.4;
/// Somebody counts who has been in view for this long, seconds: what the tracker needs to be sure.
const SETTLE_S: f64 = 0.6;
/// An object counts as false alarm when less of its life than this belongs to anybody, share.
const TRUE_SHARE: f64 = 0.2;

pub(super) fn recall(case: &Case<'_>, station: &str, at_least: f64, within_m: f64, of: &[String]) -> Finding {
    let index = case.trace.station(station);
    let only = case.ids_of(of);
    let mut since: BTreeMap<(usize, ActorId), f64> = BTreeMap::new();
    let mut missed: BTreeMap<ActorId, (u64, u64, f64)> = BTreeMap::new();
    for frame in case.trace.frames.iter().filter(|frame| Some(frame.station) == index) {
        let Some(snapshot) = case.trace.at(frame.captured_s) else { continue };
        let settings =
            &case.scenario.stations.iter().find(|s| s.id == station).and_then(|s| s.cameras.get(frame.camera));
        let Some(eye) = settings.map(|camera| Point3::from(camera.position_m).xy()) else { continue };
        since.retain(|(camera, id), _| {
            *camera != frame.camera || frame.in_view.iter().any(|seen| seen.actor == *id && seen.visible >= VISIBLE)
        });
        for seen in frame.in_view.iter().filter(|seen| seen.visible >= VISIBLE) {
            let Some(actor) = snapshot.actor(seen.actor) else { continue };
            let here = actor.pose.position.xy();
            let counts = (only.is_empty() || only.contains(&actor.id)) && (here - eye).norm() <= within_m;
            let began = *since.entry((frame.camera, actor.id)).or_insert(frame.captured_s);
            if !counts || frame.captured_s - began < SETTLE_S {
                continue;
            }
            let reach_m = MATCH_M + actor.size.length_m / 2.0;
            let known = frame.objects.iter().any(|known| (known.position - here).norm() <= reach_m);
            let entry = missed.entry(actor.id).or_insert((0, 0, frame.captured_s));
            entry.0 += 1;
            entry.1 += u64::from(known);
            if !known {
                entry.2 = frame.captured_s;
            }
        }
    }
    let (seen, known) = missed.values().fold((0, 0), |(a, b), (seen, known, _)| (a + seen, b + known));
    let recall = if seen == 0 { 0.0 } else { known as f64 / seen as f64 };
    let worst = missed.iter().min_by(|a, b| {
        let share = |v: &(u64, u64, f64)| v.1 as f64 / v.0 as f64;
        share(a.1).total_cmp(&share(b.1))
    });
    let worst_words = worst.map_or_else(String::new, |(id, (seen, known, _))| {
        format!("; worst: {} in {known} of {seen} frames", case.name(*id))
    });
    Finding {
        passed: seen > 0 && recall >= at_least,
        expected: format!("at least {at_least} within {within_m} m"),
        actual: format!("{recall:.3} of {seen} sightings{worst_words}"),
        at_s: worst.map(|(_, (.., at_s))| *at_s),
        station: Some(station.to_owned()),
    }
}

pub(super) fn false_alarms(case: &Case<'_>, station: &str, per_minute: f64) -> Finding {
    let index = case.trace.station(station);
    // For each object: in how many frames it was, in how many it was somebody, and when it was first seen.
    let mut lives: BTreeMap<u16, (u64, u64, f64, Point2<f64>)> = BTreeMap::new();
    for FrameTrace { captured_s, objects, .. } in case.trace.frames.iter().filter(|frame| Some(frame.station) == index)
    {
        let Some(snapshot) = case.trace.at(*captured_s) else { continue };
        for known in objects {
            let p = known.position;
            let is_real = snapshot
                .actors
                .iter()
                .any(|actor| (actor.pose.position.xy() - p).norm() <= MATCH_M + actor.size.length_m / 2.0);
            let life = lives.entry(known.id).or_insert((0, 0, *captured_s, p));
            life.0 += 1;
            life.1 += u64::from(is_real);
        }
    }
    let is_false = |life: &&(u64, u64, f64, Point2<f64>)| (life.1 as f64) < TRUE_SHARE * life.0 as f64;
    let alarms: Vec<_> = lives.values().filter(is_false).collect();
    let minutes = case.trace.snapshots.last().map_or(1.0, |s| s.time_s) / 60.0;
    let rate = alarms.len() as f64 / minutes;
    let first = alarms.first();
    let where_ = first.map_or_else(String::new, |(_, _, at_s, p)| {
        format!("; the first at {at_s:.2} s near [{:.0}, {:.0}]", p.x, p.y)
    });
    Finding {
        passed: rate <= per_minute,
        expected: format!("at most {per_minute} a minute"),
        actual: format!("{} objects that were nobody, {rate:.1} a minute{where_}", alarms.len()),
        at_s: first.map(|(_, _, at_s, _)| *at_s),
        station: Some(station.to_owned()),
    }
}

pub(super) fn health(case: &Case<'_>, station: &str, problem: &str, since_s: f64, within_s: f64) -> Finding {
    let index = case.trace.station(station);
    let named =
        |health: &&crate::run::trace::HealthTrace| Some(health.station) == index && is_named(&health.problem, problem);
    let early = case.trace.health.iter().filter(named).find(|health| health.from_s < since_s);
    let first = case.trace.health.iter().filter(named).find(|health| health.from_s >= since_s);
    let (passed, actual) = match (early, first) {
        (Some(early), _) => {
            (false, format!("says {} at {:.2} s already, before anything broke", early.problem, early.from_s))
        }
        (None, Some(first)) => {
            let after_s = first.from_s - since_s;
            (after_s <= within_s, format!("says {} after {after_s:.2} s: {}", first.problem, first.detail))
        }
        (None, None) => (false, "says nothing of it".into()),
    };
    Finding {
        passed,
        expected: format!("{problem} within {within_s} s after {since_s} s"),
        actual,
        at_s: Some(first.map_or(since_s + within_s, |first| first.from_s)),
        station: Some(station.to_owned()),
    }
}

pub(super) fn healthy(case: &Case<'_>, station: &str, problems: &[String]) -> Finding {
    let index = case.trace.station(station);
    let bad = case.trace.health.iter().find(|health| {
        Some(health.station) == index
            && (problems.is_empty() || problems.iter().any(|name| is_named(&health.problem, name)))
    });
    Finding {
        passed: bad.is_none(),
        expected: if problems.is_empty() { "no problem".into() } else { format!("no {}", problems.join(", ")) },
        actual: bad.map_or("none".into(), |bad| format!("{} at {:.2} s: {}", bad.problem, bad.from_s, bad.detail)),
        at_s: bad.map(|bad| bad.from_s),
        station: Some(station.to_owned()),
    }
}

/// `camera-frozen` names `camera-frozen north`, too.
fn is_named(problem: &str, name: &str) -> bool {
    problem == name || problem.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))
}
