//! Which lanes lead along the route, and how far.
//!
//! In: a route from one of its edges on, the next stop, who drives. Out: for each lane of the edge how far it can be driven
//! without a change, how many lanes the best one is away, and the lanes that follow. Found once for all vehicles of a type
//! on the same part of a route, and kept.

use super::net::{NONE, Net};
use super::vehicle::Route;
use crate::roads::{RightOfWay, Users};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A lane of the edge.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) lane: u32,
    /// How far from the lane's start, staying on it and what follows.
    pub(crate) length: f64,
    /// Length of this lane alone, 0 where it may not be used.
    own_length: f64,
    /// Lanes to the best one, positive inwards.
    pub(crate) offset: i32,
    pub(crate) continues: bool,
    /// This lane and the ordinary lanes after it.
    pub(crate) following: Vec<u32>,
}

/// All lanes of an edge, outermost first.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct BestLanes(pub(crate) Vec<Choice>);

impl BestLanes {
    pub(crate) fn of(&self, lane: u32) -> Option<&Choice> {
        self.0.iter().find(|choice| choice.lane == lane)
    }
}

/// What is asked: a route from `at` on, for a type, with a stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) route: &'a Route,
    pub(crate) at: u32,
    pub(crate) users: Users,
    pub(crate) type_id: u32,
    /// Place in the route, lane and position.
    pub(crate) stop: Option<(u32, u32, f64)>,
    /// Distance in which the type stops from its top speed.
    pub(crate) brake_m: f64,
}

type Key = (u32, u32, u32, Option<(u32, u32)>);

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Memory(BTreeMap<Key, Arc<BestLanes>>);

/// More is not kept.
const MEMORY_MAX: usize = 50_000;

impl Memory {
    pub(crate) fn find(&mut self, net: &Net, question: Question) -> Arc<BestLanes> {
        let stop = question.stop.map(|(at, lane, _)| (at, lane));
        let key = (question.route.id, question.at, question.type_id, stop);
        if let Some(known) = self.0.get(&key) {
            return known.clone();
        }
        if self.0.len() >= MEMORY_MAX {
            self.0.clear();
        }
        let found = Arc::new(find(net, question));
        self.0.insert(key, found.clone());
        found
    }
}

/// Who may use the link and the lanes at its ends.
fn allows(net: &Net, link: u32, users: Users) -> bool {
    let link = net.link(link);
    net.lane(link.to).users.contains(users) && net.lane(link.next).users.contains(users)
}

fn find(net: &Net, question: Question) -> BestLanes {
    let edges = &question.route.edges[question.at as usize..];
    let mut layers: Vec<Vec<Choice>> = Vec::new();
    let mut seen_m = 0.0;
    let brake_m = question.brake_m;
    for (step, edge) in edges.iter().enumerate() {
        let lanes = &net.edges[*edge as usize];
        let next = edges.get(step + 1);
        let mut layer: Vec<Choice> = lanes.iter().map(|lane| first_look(net, *lane, next, question.users)).collect();
        let mut last = next.is_none();
        if let Some((at, stop_lane, pos)) = question.stop.filter(|(at, ..)| *at == question.at + step as u32) {
            debug_assert!(at >= question.at);
            last = true;
            let length = net.lane(stop_lane).length;
            let pos = pos.min(length - 0.2).max(0.1);
            for choice in layer.iter_mut().filter(|choice| choice.lane != stop_lane) {
                choice.continues = false;
                choice.length = pos;
                choice.own_length = pos;
            }
        }
        seen_m += lanes.first().map_or(0.0, |lane| net.lane(*lane).length);
        layers.push(layer);
        let seen = step + 1;
        let own = lanes.first().map_or(0.0, |lane| net.lane(*lane).length);
        let brake_m = if step == 0 { brake_m + own } else { brake_m };
        if last || (seen > 4 && seen_m >= brake_m.max(3000.0)) || (seen > 8 && seen_m >= brake_m.max(200.0)) {
            break;
        }
    }
    let Some(last) = layers.last_mut() else { return BestLanes::default() };
    settle_last(net, last, question.users);
    while layers.len() > 1 {
        let next = layers.pop().unwrap_or_default();
        let layer = layers.last_mut().expect("one is left");
        join(net, layer, &next, question.users);
    }
    BestLanes(layers.pop().unwrap_or_default())
}

fn first_look(net: &Net, lane: u32, next: Option<&u32>, users: Users) -> Choice {
    let usable = net.lane(lane).users.contains(users);
    let leads = |next: &u32| {
        net.lane(lane).links.iter().any(|link| net.lane(net.link(*link).to).edge == *next && allows(net, *link, users))
    };
    let length = if usable { net.lane(lane).length } else { 0.0 };
    Choice {
        lane,
        length,
        own_length: length,
        offset: 0,
        continues: usable && next.is_none_or(leads),
        following: vec![lane],
    }
}

/// Lanes with the greatest length, as first and last place.
fn settle_last(net: &Net, layer: &mut [Choice], users: Users) {
    let best = layer.iter().map(|choice| choice.length).fold(-1.0, f64::max);
    let first = layer.iter().position(|choice| choice.length == best).unwrap_or(0) as i32;
    let last = layer.iter().rposition(|choice| choice.length == best).unwrap_or(0) as i32;
    for (place, choice) in layer.iter_mut().enumerate().filter(|(_, choice)| choice.length < best) {
        choice.offset = nearer(first, last, place as i32);
    }
    close_off(net, layer, users, |choice| choice.length < best, |_| true);
}

fn nearer(first: i32, last: i32, place: i32) -> i32 {
    if (first - place).abs() < (last - place).abs() { first - place } else { last - place }
}

/// Lanes from which forbidden lanes keep us from the best one lead nowhere.
fn close_off(
    net: &Net,
    layer: &mut [Choice],
    users: Users,
    worse: impl Fn(&Choice) -> bool,
    dead: impl Fn(&Choice) -> bool,
) {
    let usable: Vec<bool> = layer.iter().map(|choice| net.lane(choice.lane).users.contains(users)).collect();
    let mut right_forbidden = false;
    let mut left_forbidden: Option<usize> = None;
    for place in 0..layer.len() {
        if !worse(&layer[place]) {
            continue;
        }
        if layer[place].offset < 0 && (place == 0 || !usable[place - 1] || right_forbidden) {
            right_forbidden = true;
            if dead(&layer[place]) {
                layer[place].length = 0.0;
            }
        } else if layer[place].offset > 0 && !usable.get(place + 1).copied().unwrap_or(false) {
            left_forbidden = Some(place);
        }
    }
    if let Some(until) = left_forbidden {
        for choice in &mut layer[..=until] {
            if dead(choice) {
                choice.length = 0.0;
            }
        }
    }
}

/// 1 if the way goes on with priority, 0 if without, −1 if it does not.
fn priority(net: &Net, following: &[u32]) -> i32 {
    let [from, to, ..] = following else { return -1 };
    match link_between(net, *from, *to) {
        NONE => -1,
        link => i32::from(matches!(
            (net.link(link).right_of_way, net.link(link).signal),
            (RightOfWay::Major | RightOfWay::Zipper, None) | (_, Some(_))
        )),
    }
}

pub(crate) fn link_between(net: &Net, from: u32, to: u32) -> u32 {
    net.lane(from).links.iter().copied().find(|link| net.link(*link).to == to).unwrap_or(NONE)
}

fn join(net: &Net, layer: &mut [Choice], next: &[Choice], users: Users) {
    let reached = |lane: u32| layer_reaches(net, layer, lane);
    let best_connected = next.iter().filter(|n| reached(n.lane)).map(|n| n.length).fold(-1.0, f64::max);
    let best_length = next.iter().map(|n| n.length).fold(-1.0, f64::max);
    let (mut first, mut last) = (0, 0);
    for place in 0..layer.len() {
        let connected = best_next(net, &layer[place], next, users);
        if let Some(n) = connected {
            let choice = &mut layer[place];
            choice.length += if n.length == best_connected && n.offset.abs() < 2 { best_length } else { n.length };
            choice.offset = n.offset;
        }
        match connected.filter(|n| n.continues || n.length > 0.0) {
            Some(n) => layer[place].following.extend(&n.following),
            None => layer[place].continues = false,
        }
        let (a, b) = (&layer[first], &layer[place]);
        let rank = |choice: &Choice| (-choice.offset.abs(), priority(net, &choice.following));
        match b.length.total_cmp(&a.length).then_with(|| rank(b).cmp(&rank(a))) {
            std::cmp::Ordering::Greater => (first, last) = (place, place),
            std::cmp::Ordering::Equal => last = place,
            std::cmp::Ordering::Less => {}
        }
    }
    let (best, best_offset) = (layer[first].length, layer[first].offset.abs());
    let best_priority = priority(net, &layer[first].following);
    let worse = |choice: &Choice| {
        choice.length < best
            || (choice.length == best && choice.offset.abs() > best_offset)
            || priority(net, &choice.following) < best_priority
    };
    let is_worse: Vec<bool> = layer.iter().map(worse).collect();
    for place in 0..layer.len() {
        if is_worse[place] {
            layer[place].offset = nearer(first as i32, last as i32, place as i32);
            if priority(net, &layer[place].following) < best_priority {
                layer[place].length = layer[place].own_length;
            }
        } else {
            layer[place].offset = 0;
        }
    }
    let lanes: Vec<u32> = layer.iter().map(|choice| choice.lane).collect();
    let worse_lane = |choice: &Choice| lanes.iter().position(|lane| *lane == choice.lane).is_some_and(|p| is_worse[p]);
    close_off(net, layer, users, worse_lane, |choice| choice.length == choice.own_length);
}

fn layer_reaches(net: &Net, layer: &[Choice], lane: u32) -> bool {
    layer.iter().any(|choice| link_between(net, choice.lane, lane) != NONE)
}

fn best_next<'a>(net: &Net, choice: &Choice, next: &'a [Choice], users: Users) -> Option<&'a Choice> {
    if !choice.continues {
        return None;
    }
    let mut best: Option<&Choice> = None;
    for n in next {
        let link = link_between(net, choice.lane, n.lane);
        if link == NONE || !allows(net, link, users) {
            continue;
        }
        if best.is_none_or(|b| b.length < n.length || (b.length == n.length && b.offset.abs() > n.offset.abs())) {
            best = Some(n);
        }
    }
    best
}
