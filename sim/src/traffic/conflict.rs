//! Where ways through a junction cross, merge or part, measured along both.
//!
//! In: the lines of lanes inside junctions. Out: the [`Foe`]s and [`Zebra`]s of the links that leave those lanes. A crossing is as
//! wide as the foe's lane, more at flat angles; ways that merge or part meet where they are [`APART_M`] apart.

use super::net::{Foe, NONE, Net, Zebra};
use crate::geometry::{Polyline, angle_between};
use crate::roads::{EdgeKind, LaneId, Roads, Turn};
use nalgebra::Point2;

/// Distance at which ways count as apart, metres.
const APART_M: f64 = 2.5;

/// Fills foes, zebras and radii of all links inside junctions.
pub(crate) fn find(net: &mut Net, roads: &Roads) {
    for id in 0..net.links.len() {
        if !net.links[id].from_inside {
            continue;
        }
        let foes = foes_of(net, roads, id as u32);
        let zebras = zebras_of(net, roads, id as u32);
        let radius = radius_of(net, roads, id as u32);
        let link = &mut net.links[id];
        (link.foes, link.zebras, link.radius) = (foes, zebras, radius);
    }
}

/// Entry links whose ways a link inside meets.
fn conflicting(net: &Net, roads: &Roads, id: u32) -> Vec<u32> {
    let source = if net.link(id).is_inner() { id } else { net.link(id).entry };
    let Some(junction) = roads.links[source as usize].junction else { return Vec::new() };
    let table = &roads.junctions[junction.index()].links;
    let places = &roads.links[source as usize].conflicts;
    places.iter().filter_map(|place| table.get(usize::from(*place))).map(|link| link.0).collect()
}

fn foes_of(net: &Net, roads: &Roads, id: u32) -> Vec<Foe> {
    let link = net.link(id);
    let mut foes: Vec<Foe> = Vec::new();
    for entry in conflicting(net, roads, id) {
        let Some(lane) = net.last_inside(entry) else { continue };
        if lane == link.from || foes.iter().any(|foe| foe.lane == lane) {
            continue;
        }
        let Some(exit) = net.lane(lane).links.first().copied() else { continue };
        let same_target = !link.is_inner() && net.link(exit).is_exit() && net.link(exit).to == link.to;
        let met = if same_target { merge(net, roads, link.from, lane) } else { cross(net, roads, link.from, lane) };
        if let Some(met) = met {
            foes.push(Foe { exit, same_target, ..met });
        }
    }
    // Those who come from the same lane are followed until the ways part.
    let source = net.lane(link.from).before;
    if source == NONE {
        return foes;
    }
    for other in &net.lane(source).links {
        let lane = net.link(*other).via;
        if lane == NONE || lane == link.from || net.lane(link.from).before != net.link(*other).from {
            continue;
        }
        let Some(exit) = net.lane(lane).links.first().copied() else { continue };
        if let Some(met) = part(net, roads, link.from, lane) {
            foes.retain(|foe| foe.lane != lane);
            let same_target = !link.is_inner() && net.link(exit).is_exit() && net.link(exit).to == link.to;
            foes.push(Foe { exit, same_source: true, same_target, ..met });
        }
    }
    foes
}

fn line(roads: &Roads, lane: u32) -> &Polyline {
    &roads.lane(LaneId(lane)).centre
}

/// A length along the line as a position on the lane, which may be said to have another length.
fn on_lane(net: &Net, roads: &Roads, lane: u32, along: f64) -> f64 {
    let length = line(roads, lane).length_m();
    if length > 0.0 { along * net.lane(lane).length / length } else { 0.0 }
}

fn met(net: &Net, lane: u32, foe: u32, at: f64, foe_at: f64, width: f64, foe_width: f64) -> Foe {
    Foe {
        lane: foe,
        exit: NONE,
        behind: net.lane(lane).length - at,
        width,
        foe_to: foe_at,
        foe_behind: net.lane(foe).length - foe_at,
        foe_width,
        same_target: false,
        same_source: false,
    }
}

/// Lengths along `a` at which `b` crosses it, in order.
fn intersections(a: &Polyline, b: &Polyline) -> Vec<f64> {
    let mut at = Vec::new();
    let mut before = 0.0;
    for p in a.points().windows(2) {
        let (p0, p1) = (p[0].xy(), p[1].xy());
        let along = p1 - p0;
        for q in b.points().windows(2) {
            let (q0, q1) = (q[0].xy(), q[1].xy());
            let other = q1 - q0;
            let cross = along.x * other.y - along.y * other.x;
            if cross.abs() < 1e-9 {
                continue;
            }
            let to = q0 - p0;
            let t = (to.x * other.y - to.y * other.x) / cross;
            let u = (to.x * along.y - to.y * along.x) / cross;
            if (0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&u) {
                at.push(before + t * along.norm());
            }
        }
        before += along.norm();
    }
    at.sort_by(f64::total_cmp);
    at
}

fn cross(net: &Net, roads: &Roads, lane: u32, foe: u32) -> Option<Foe> {
    let (own, other) = (line(roads, lane), line(roads, foe));
    let at = *intersections(own, other).last()?;
    let foe_at = *intersections(other, own).last()?;
    let angle = angle_between(own.at(at)?.yaw_rad, other.at(foe_at)?.yaw_rad).abs();
    let factor = 2.0 / angle.sin().abs().max(0.2) - 1.0;
    let width = (net.lane(foe).width * factor).min(net.lane(lane).length);
    let foe_width = (net.lane(lane).width * factor).min(net.lane(foe).length);
    let at = on_lane(net, roads, lane, (at - width / 2.0).max(0.0));
    let foe_at = on_lane(net, roads, foe, (foe_at - foe_width / 2.0).max(0.0));
    Some(met(net, lane, foe, at, foe_at, width, foe_width))
}

/// Length along `a` from its start up to which `b` is near it.
fn near_until(a: &Polyline, b: &Polyline, apart: f64) -> f64 {
    let length = a.length_m();
    let steps = (length / 0.25).ceil().max(1.0) as usize;
    for step in (0..=steps).rev() {
        let s = length * step as f64 / steps as f64;
        let Some(on) = a.at(s) else { return 0.0 };
        if distance(b, on.point.xy()) < apart {
            return s;
        }
    }
    0.0
}

fn distance(line: &Polyline, p: Point2<f64>) -> f64 {
    line.project(p).map_or(f64::INFINITY, |projection| projection.offset_m.abs())
}

fn reversed(line: &Polyline) -> Polyline {
    Polyline::new(line.points().iter().rev().copied())
}

fn apart(net: &Net, a: u32, b: u32) -> f64 {
    APART_M.min(0.5 * (net.lane(a).width + net.lane(b).width))
}

/// Two ways onto the same lane: measured back from where they end, so that both have the same way left behind the point.
fn merge(net: &Net, roads: &Roads, lane: u32, foe: u32) -> Option<Foe> {
    let (own, other) = (reversed(line(roads, lane)), reversed(line(roads, foe)));
    let behind = near_until(&own, &other, apart(net, lane, foe)).max(near_until(&other, &own, apart(net, lane, foe)));
    let behind = behind.min(own.length_m()).min(other.length_m());
    let at = on_lane(net, roads, lane, own.length_m() - behind);
    let foe_at = on_lane(net, roads, foe, other.length_m() - behind);
    Some(met(net, lane, foe, at, foe_at, 0.0, 0.0))
}

/// Two ways from the same lane.
fn part(net: &Net, roads: &Roads, lane: u32, foe: u32) -> Option<Foe> {
    let (own, other) = (line(roads, lane), line(roads, foe));
    let limit = apart(net, lane, foe);
    if distance(other, own.points().first()?.xy()) >= limit {
        return None;
    }
    let until = near_until(own, other, limit).max(near_until(other, own, limit));
    let until = until.min(own.length_m()).min(other.length_m());
    let (at, foe_at) = (on_lane(net, roads, lane, until), on_lane(net, roads, foe, until));
    Some(met(net, lane, foe, at, foe_at, 0.0, 0.0))
}

fn zebras_of(net: &Net, roads: &Roads, id: u32) -> Vec<Zebra> {
    let link = net.link(id);
    if link.junction == NONE {
        return Vec::new();
    }
    let mut zebras = Vec::new();
    for other in &roads.junctions[link.junction as usize].links {
        let crossing = roads.link(*other).to;
        if roads.edge(roads.lane(crossing).edge).kind != EdgeKind::Crossing
            || zebras.iter().any(|zebra: &Zebra| zebra.lane == crossing.0)
        {
            continue;
        }
        let (own, walk) = (line(roads, link.from), line(roads, crossing.0));
        if let (Some(at), Some(on)) = (intersections(own, walk).last(), intersections(walk, own).last()) {
            let half = 0.5 * roads.lane(crossing).width_m;
            let at = on_lane(net, roads, link.from, (at - half).max(0.0));
            zebras.push(Zebra { lane: crossing.0, behind: net.lane(link.from).length - at, at: *on });
        }
    }
    zebras
}

/// Radius of a left turn (a right turn's curvature helps): a long foe sticks out of its way by what a chord leaves the arc.
fn radius_of(net: &Net, roads: &Roads, id: u32) -> f64 {
    let link = net.link(id);
    if !matches!(link.turn, Turn::Left | Turn::UTurn) {
        return f64::INFINITY;
    }
    let entry = net.link(link.entry).from;
    let (Some(before), Some(after)) = (line(roads, entry).at(f64::MAX.min(1e9)), line(roads, link.to).at(0.0)) else {
        return f64::INFINITY;
    };
    let angle = angle_between(before.yaw_rad, after.yaw_rad).abs();
    if angle > 1e-3 { line(roads, link.from).length_m() / angle } else { f64::INFINITY }
}
