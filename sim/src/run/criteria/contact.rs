//! Criteria of the truth alone: who touched whom, who came where.

use super::{Case, Finding};
use crate::actor::{Actor, ActorId};
use nalgebra::{Point2, Vector2};
use std::collections::BTreeMap;

pub(super) fn no_collision(case: &Case<'_>, of: &[String]) -> Finding {
    let only = case.ids_of(of);
    let mut first: Option<(f64, ActorId, ActorId, f64)> = None;
    for snapshot in &case.trace.snapshots {
        let hit = collisions(&snapshot.actors)
            .into_iter()
            .find(|(a, b)| only.is_empty() || only.contains(&a.id) || only.contains(&b.id));
        if let Some((a, b)) = hit {
            first = Some((snapshot.time_s, a.id, b.id, a.speed_mps.max(b.speed_mps)));
            break;
        }
    }
    let actual = match first {
        None => "nobody touched anybody".to_owned(),
        Some((at_s, a, b, mps)) => {
            format!("{} and {} touched at {at_s:.2} s, the faster at {mps:.1} m/s", case.name(a), case.name(b))
        }
    };
    Finding {
        passed: first.is_none(),
        expected: "footprints never overlap".into(),
        actual,
        at_s: first.map(|(at_s, ..)| at_s),
        station: None,
    }
}

/// Pairs of actors whose footprints overlap. People on foot may brush each other.
pub(crate) fn collisions(actors: &[Actor]) -> Vec<(&Actor, &Actor)> {
    let mut found = Vec::new();
    for (place, a) in actors.iter().enumerate() {
        for b in &actors[place + 1..] {
            let apart = (a.pose.position.xy() - b.pose.position.xy()).norm();
            let reach = (a.size.length_m.hypot(a.size.width_m) + b.size.length_m.hypot(b.size.width_m)) / 2.0;
            let on_foot = |actor: &Actor| actor.size.length_m < 0.6;
            if apart < reach && !(on_foot(a) && on_foot(b)) && overlap(&a.footprint(), &b.footprint()) {
                found.push((a, b));
            }
        }
    }
    found
}

/// Separating axes of two rectangles.
fn overlap(a: &[Point2<f64>; 4], b: &[Point2<f64>; 4]) -> bool {
    [a, b].into_iter().flat_map(|r| [r[1] - r[0], r[2] - r[1]]).all(|axis: Vector2<f64>| {
        let span = |r: &[Point2<f64>; 4]| {
            let along = r.map(|p| p.coords.dot(&axis));
            (
                along.iter().copied().fold(f64::INFINITY, f64::min),
                along.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            )
        };
        let ((a0, a1), (b0, b1)) = (span(a), span(b));
        a0 < b1 && b0 < a1
    })
}

pub(super) fn reaches(case: &Case<'_>, name: &str, point_m: [f64; 2], before_s: f64) -> Finding {
    const NEAR_M: f64 = 6.0;
    let point = Point2::from(point_m);
    let way = case.track(name);
    let arrived =
        way.iter().find(|(_, actor)| (actor.pose.position.xy() - point).norm() <= NEAR_M).map(|(at_s, _)| *at_s);
    let nearest = way.iter().map(|(_, actor)| (actor.pose.position.xy() - point).norm()).fold(f64::INFINITY, f64::min);
    Finding {
        passed: arrived.is_some_and(|at_s| at_s <= before_s),
        expected: format!("{name} within {NEAR_M} m of [{}, {}] by {before_s} s", point_m[0], point_m[1]),
        actual: arrived.map_or(format!("nearest {nearest:.1} m"), |at_s| format!("arrived at {at_s:.2} s")),
        at_s: Some(arrived.unwrap_or(before_s)),
        station: None,
    }
}

pub(super) fn never_stops(case: &Case<'_>, name: &str) -> Finding {
    let stopped = case.track(name).iter().find(|(_, actor)| actor.speed_mps < 0.3).map(|(at_s, _)| *at_s);
    Finding {
        passed: stopped.is_none(),
        expected: format!("{name} always moves"),
        actual: stopped.map_or("never stood".into(), |at_s| format!("stood at {at_s:.2} s")),
        at_s: stopped,
        station: None,
    }
}

pub(super) fn keeps_distance(case: &Case<'_>, name: &str, to: &str, at_least_m: f64) -> Finding {
    let others: BTreeMap<u64, Point2<f64>> =
        case.track(to).iter().map(|(at_s, actor)| ((at_s * 1e3) as u64, actor.pose.position.xy())).collect();
    let apart = case.track(name).into_iter().filter_map(|(at_s, actor)| {
        let other = others.get(&((at_s * 1e3) as u64))?;
        Some((at_s, (actor.pose.position.xy() - other).norm()))
    });
    let nearest = apart.min_by(|a, b| a.1.total_cmp(&b.1));
    Finding {
        passed: nearest.is_none_or(|(_, apart_m)| apart_m >= at_least_m),
        expected: format!("{name} never nearer than {at_least_m} m to {to}"),
        actual: nearest.map_or("they never met".into(), |(at_s, m)| format!("{m:.1} m at {at_s:.2} s")),
        at_s: nearest.map(|(at_s, _)| at_s),
        station: None,
    }
}

impl Case<'_> {
    /// Where a named actor was in every step.
    pub(super) fn track(&self, name: &str) -> Vec<(f64, &Actor)> {
        let Some(id) = self.ids.get(name) else { return Vec::new() };
        self.trace.snapshots.iter().filter_map(|s| Some((s.time_s, s.actor(*id)?))).collect()
    }
}
