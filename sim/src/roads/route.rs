//! The fastest way between two edges on an empty road.

use super::{EdgeId, EdgeKind, LaneId, Roads, Users};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A time that is ordered; routes of the same time are ordered by their edges' numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seconds(f64);

impl Eq for Seconds {}

impl Ord for Seconds {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Seconds {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Roads {
    /// The fastest way for `users` from one edge to another, both included, at the speed limits: edges between junctions, in
    /// order. All of `users` must be allowed on each lane that is used; lanes of an edge are changed at no cost. `None` if
    /// there is no way. For vehicles: people walk both ways and by crossings, which links do not say.
    pub fn route(&self, from: EdgeId, to: EdgeId, users: Users) -> Option<Vec<EdgeId>> {
        self.route_s(from, to, users).map(|(edges, _)| edges)
    }

    /// [`Self::route`] and the time that it takes from the start of the first edge to the end of the last, seconds.
    pub fn route_s(&self, from: EdgeId, to: EdgeId, users: Users) -> Option<(Vec<EdgeId>, f64)> {
        let mut best: BTreeMap<EdgeId, (f64, Option<EdgeId>)> = BTreeMap::new();
        let mut open = BinaryHeap::new();
        let start_s = self.edge_time_s(from, users)?;
        best.insert(from, (start_s, None));
        open.push(Reverse((Seconds(start_s), from)));
        while let Some(Reverse((Seconds(time_s), edge))) = open.pop() {
            if edge == to {
                return Some((trace(&best, to), time_s));
            }
            if best.get(&edge).is_some_and(|(known, _)| *known < time_s) {
                continue;
            }
            for (next, way_s) in self.leads_to(edge, users) {
                let Some(edge_s) = self.edge_time_s(next, users) else { continue };
                let time_s = time_s + way_s + edge_s;
                let known = best.get(&next);
                if known.is_none_or(|(known_s, _)| time_s < *known_s) {
                    best.insert(next, (time_s, Some(edge)));
                    open.push(Reverse((Seconds(time_s), next)));
                }
            }
        }
        None
    }

    /// Edges to which some lane of an edge leads `users`, and the time of the way through the junction, seconds.
    fn leads_to(&self, edge: EdgeId, users: Users) -> impl Iterator<Item = (EdgeId, f64)> {
        let lanes = self.edge(edge).lanes.iter().map(|lane| self.lane(*lane));
        let links = lanes.filter(move |lane| lane.users.contains(users)).flat_map(|lane| &lane.links);
        links.map(|link| self.link(*link)).filter_map(move |link| {
            let to = self.lane(link.to);
            let goes = to.users.contains(users) && self.edge(to.edge).kind == EdgeKind::Road;
            goes.then(|| (to.edge, self.way_s(link.via)))
        })
    }

    /// Time of a way through a junction from its first lane on, seconds.
    fn way_s(&self, first: Option<LaneId>) -> f64 {
        let mut time_s = 0.0;
        let mut next = first;
        // No way has more parts than this; a loop in a broken network ends here.
        for _ in 0..32 {
            let Some(lane) = next.map(|lane| self.lane(lane)) else { break };
            time_s += lane.length_m / lane.speed_limit_mps;
            next = lane.links.first().and_then(|link| self.link(*link).via);
        }
        time_s
    }

    /// Time along an edge on its fastest lane for `users`, seconds; `None` if they may not be there.
    fn edge_time_s(&self, edge: EdgeId, users: Users) -> Option<f64> {
        let lanes = self.edge(edge).lanes.iter().map(|lane| self.lane(*lane)).filter(|lane| lane.users.contains(users));
        lanes.map(|lane| lane.length_m / lane.speed_limit_mps).min_by(f64::total_cmp)
    }
}

fn trace(best: &BTreeMap<EdgeId, (f64, Option<EdgeId>)>, to: EdgeId) -> Vec<EdgeId> {
    let before = |edge: &EdgeId| best.get(edge).and_then(|(_, before)| *before);
    let mut edges: Vec<EdgeId> = std::iter::successors(Some(to), before).collect();
    edges.reverse();
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(roads: &Roads, name: &str) -> EdgeId {
        EdgeId(roads.edges.iter().position(|edge| edge.name == name).unwrap_or_else(|| panic!("{name}")) as u32)
    }

    #[test]
    fn cars_go_round_the_block_and_trams_do_not() {
        let roads = Roads::shipped("masa").unwrap();
        let names = |from, to, users| {
            let route = roads.route(edge(&roads, from), edge(&roads, to), users)?;
            Some(route.iter().map(|edge| roads.edge(*edge).name.clone()).collect::<Vec<_>>())
        };
        assert_eq!(
            names("west-centre", "corner-back", Users::CAR).unwrap(),
            ["west-centre", "centre-side", "side-zebra", "zebra-corner", "corner-back"]
        );
        assert_eq!(names("west-centre", "west-centre", Users::CAR).unwrap(), ["west-centre"]);
        assert_eq!(names("west-centre", "corner-back", Users::RAIL), None);
        // Nobody leaves a dead end.
        assert_eq!(names("centre-west", "west-centre", Users::CAR), None);
    }

    #[test]
    fn a_route_takes_its_time() {
        let roads = Roads::shipped("bend").unwrap();
        let (route, time_s) =
            roads.route_s(edge(&roads, "west-before"), edge(&roads, "after-south"), Users::TRUCK).unwrap();
        assert_eq!(route.len(), 3);
        let length: f64 = 320.0 - 40.0 + 360.0 - 40.0 + 20.0 * std::f64::consts::PI;
        // The lane runs outside the bend, at 50 km/h.
        assert!((time_s - length / 13.89).abs() < 0.5, "{time_s} s for about {length} m");
    }
}
