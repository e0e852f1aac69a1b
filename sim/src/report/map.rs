//! The map around a place and time, from above, as inline SVG: lanes, buildings, everybody, and where they went.

use crate::actor::{Actor, ActorId};
use crate::roads::{EdgeKind, LaneKind};
use crate::run::Outcome;
use nalgebra::Point2;
use std::fmt::Write;

/// Half the side of the picture, metres.
const REACH_M: f64 = 55.0;

/// The map around `centre` at a time; `concerned` actors are drawn with their paths.
pub(super) fn map(outcome: &Outcome, centre: Point2<f64>, at_s: f64, concerned: &[(String, ActorId)]) -> String {
    let side = 2.0 * REACH_M;
    let mut out = format!("<svg class=\"map\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"map\">");
    let place = |p: Point2<f64>| (p.x - centre.x + REACH_M, centre.y - p.y + REACH_M);
    let near = |p: Point2<f64>| (p - centre).amax() < REACH_M * 1.6;
    let outline = |points: &[Point2<f64>]| {
        points.iter().fold(String::new(), |mut path, p| {
            let (x, y) = place(*p);
            // Writing to a String cannot fail.
            let _ = write!(path, "{x:.1},{y:.1} ");
            path
        })
    };
    for building in outcome.roads.buildings.iter().filter(|b| b.outline.iter().any(|p| near(*p))) {
        let _ = write!(out, "<polygon points=\"{}\" fill=\"#d4d4d8\"/>", outline(&building.outline));
    }
    for lane in &outcome.roads.lanes {
        let points: Vec<_> = lane.centre.points().iter().map(|p| p.xy()).collect();
        if !points.windows(2).any(|pair| touches(pair[0], pair[1], centre)) {
            continue;
        }
        let edge = outcome.roads.edges.get(lane.edge.index()).map(|edge| edge.kind);
        let colour = match (edge, lane.kind) {
            (Some(EdgeKind::Crossing), _) => "#fef3c7",
            (Some(EdgeKind::WalkingArea), _) | (_, LaneKind::Sidewalk) => "#e7e5e4",
            (_, LaneKind::Bicycle) => "#fecaca",
            (_, LaneKind::Parking) => "#e0e7ff",
            (_, LaneKind::Verge) => "#dcfce7",
            _ => "#a8a29e",
        };
        let _ = write!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{:.1}\"/>",
            outline(&points),
            lane.width_m
        );
    }
    for station in &outcome.scenario.stations {
        let (x, y) = place(Point2::new(station.position_m[0], station.position_m[1]));
        let _ = write!(out, "<path d=\"M{x:.1},{:.1}l2,4h-4z\" fill=\"#7c3aed\"/>", y - 2.5);
    }
    for (_, id) in concerned {
        let path: Vec<_> = outcome
            .trace
            .snapshots
            .iter()
            .filter(|s| s.time_s <= at_s)
            .filter_map(|s| Some(s.actor(*id)?.pose.position.xy()))
            .collect();
        let _ = write!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"#0b66c3\" stroke-width=\"0.5\" stroke-dasharray=\"1.5 1\"/>",
            outline(&path)
        );
    }
    if let Some(snapshot) = outcome.trace.at(at_s) {
        for actor in snapshot.actors.iter().filter(|actor| near(actor.pose.position.xy())) {
            let _ = write!(
                out,
                "<polygon points=\"{}\" fill=\"{}\"/>",
                outline(&actor.footprint()),
                colour(actor, concerned)
            );
        }
        for (name, id) in concerned {
            let Some(actor) = snapshot.actor(*id) else { continue };
            let (x, y) = place(actor.pose.position.xy());
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" class=\"a\">{}</text>",
                x + 2.0,
                y - 1.5,
                super::escaped(name)
            );
        }
    }
    out + "</svg>"
}

/// Whether a stretch of a lane may be in the picture.
fn touches(a: Point2<f64>, b: Point2<f64>, centre: Point2<f64>) -> bool {
    let (low, high) = (a.inf(&b), a.sup(&b));
    low.x < centre.x + REACH_M
        && high.x > centre.x - REACH_M
        && low.y < centre.y + REACH_M
        && high.y > centre.y - REACH_M
}

fn colour(actor: &Actor, concerned: &[(String, ActorId)]) -> &'static str {
    match (concerned.iter().any(|(_, id)| *id == actor.id), actor.connected) {
        (true, _) => "#dc2626",
        (false, true) => "#0b66c3",
        (false, false) => "#44403c",
    }
}
