//! Routes through the network by travel time.

use super::net::{NONE, Net};
use crate::roads::{EdgeId, EdgeKind, Roads, Users};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The fastest way from one edge to another for these users, at the speed limits; both ends included. `None` without one.
pub fn shortest_route(roads: &Roads, from: EdgeId, to: EdgeId, users: Users) -> Option<Vec<EdgeId>> {
    let net = Net::new(roads);
    find(&net, roads, from.0, to.0, users).map(|edges| edges.into_iter().map(EdgeId).collect())
}

/// Seconds as whole milliseconds: an order without rounding trouble.
fn cost_ms(net: &Net, edge: u32, users: Users) -> u64 {
    let lanes = net.edges[edge as usize].iter().map(|lane| net.lane(*lane)).filter(|lane| lane.users.contains(users));
    let seconds = lanes.map(|lane| lane.length / lane.limit.max(0.1)).fold(f64::INFINITY, f64::min);
    if seconds.is_finite() { (seconds * 1000.0) as u64 + 1 } else { u64::MAX }
}

pub(crate) fn find(net: &Net, roads: &Roads, from: u32, to: u32, users: Users) -> Option<Vec<u32>> {
    let mut before = vec![NONE; net.edges.len()];
    let mut least = vec![u64::MAX; net.edges.len()];
    let mut open = BinaryHeap::from([Reverse((0_u64, from))]);
    least[from as usize] = 0;
    while let Some(Reverse((cost, edge))) = open.pop() {
        if edge == to {
            let mut route = vec![to];
            let mut at = to;
            while at != from {
                at = before[at as usize];
                route.push(at);
            }
            route.reverse();
            return Some(route);
        }
        if cost > least[edge as usize] {
            continue;
        }
        for next in successors(net, roads, edge, users) {
            let total = cost.saturating_add(cost_ms(net, next, users));
            if total < least[next as usize] {
                least[next as usize] = total;
                before[next as usize] = edge;
                open.push(Reverse((total, next)));
            }
        }
    }
    None
}

/// Edges that can be reached from an edge by one link.
pub(crate) fn successors<'a>(
    net: &'a Net,
    roads: &'a Roads,
    edge: u32,
    users: Users,
) -> impl Iterator<Item = u32> + 'a {
    let links = net.edges[edge as usize].iter().filter(move |lane| net.lane(**lane).users.contains(users));
    let links = links.flat_map(|lane| &net.lane(*lane).links).map(|link| net.link(*link));
    links
        .filter(move |link| net.lane(link.to).users.contains(users) && net.lane(link.next).users.contains(users))
        .map(|link| net.lane(link.to).edge)
        .filter(|edge| roads.edges[*edge as usize].kind == EdgeKind::Road)
}
