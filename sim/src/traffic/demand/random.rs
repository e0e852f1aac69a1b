//! Demand for a network without a file of it: vehicles from anywhere at the edge to anywhere else.

use super::Demand;
use crate::actor::{ActorKind, Role};
use crate::random::Seed;
use crate::roads::{EdgeId, EdgeKind, Roads, Users};
use crate::traffic::kinds::{VehicleClass, VehicleType};
use crate::traffic::net::Net;
use crate::traffic::route;
use crate::traffic::spawn::VehicleSpec;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Shares of the kinds of vehicles; they need not add up to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mix(pub Vec<(ActorKind, f64)>);

impl Default for Mix {
    /// Town traffic.
    fn default() -> Self {
        Self(vec![
            (ActorKind::Car, 0.74),
            (ActorKind::Van, 0.09),
            (ActorKind::Truck, 0.04),
            (ActorKind::Bus, 0.02),
            (ActorKind::Motorcycle, 0.04),
            (ActorKind::Bicycle, 0.06),
            (ActorKind::EScooter, 0.01),
        ])
    }
}

/// Vehicles that depart at random.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// Kind, share, and routes with the weights up to each.
    kinds: Vec<(VehicleType, f64, Vec<Vec<EdgeId>>)>,
    per_hour: f64,
    next_s: f64,
    count: u64,
}

/// So many routes of a kind are enough.
const ROUTES_MAX: usize = 400;

impl Demand {
    /// Vehicles at random, on average `per_hour` of them together, from edges at which the network begins to edges at which it
    /// ends, or from anywhere to anywhere in a network without ends. Without a route for anybody nobody comes.
    pub fn random(roads: &Roads, per_hour: f64, mix: &Mix) -> Self {
        let net = Net::new(roads);
        let mut kinds = Vec::new();
        for (kind, share) in mix.0.iter().filter(|(_, share)| *share > 0.0) {
            let Some(class) = VehicleClass::of(*kind, Role::Ordinary) else { continue };
            let mut vehicle_type = VehicleType::of(class);
            vehicle_type.kind = *kind;
            let routes = routes(&net, roads, class.users);
            if !routes.is_empty() {
                kinds.push((vehicle_type, *share, routes));
            }
        }
        let source = Source { kinds, per_hour, next_s: 0.0, count: 0 };
        Self { random: vec![source], ..Self::default() }
    }
}

fn routes(net: &Net, roads: &Roads, users: Users) -> Vec<Vec<EdgeId>> {
    let usable = |edge: &u32| {
        roads.edges[*edge as usize].kind == EdgeKind::Road
            && net.edges[*edge as usize].iter().any(|lane| net.lane(*lane).users.contains(users))
    };
    let edges: Vec<u32> = (0..net.edges.len() as u32).filter(usable).collect();
    let enters = |edge: &u32| net.edges[*edge as usize].iter().all(|lane| net.lane(*lane).incoming.is_empty());
    let leaves = |edge: &u32| net.edges[*edge as usize].iter().all(|lane| net.lane(*lane).links.is_empty());
    let or_all = |list: Vec<u32>| if list.is_empty() { edges.clone() } else { list };
    let from = or_all(edges.iter().copied().filter(enters).collect());
    let to = or_all(edges.iter().copied().filter(leaves).collect());
    // A big network's pairs are thinned out evenly.
    let pairs = from.len() * to.len();
    let every = pairs.div_ceil(ROUTES_MAX).max(1);
    let mut routes = Vec::new();
    for (place, (from, to)) in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))).enumerate() {
        if from == to || place % every != 0 {
            continue;
        }
        if let Some(route) = route::find(net, roads, *from, *to, users) {
            routes.push(route.into_iter().map(EdgeId).collect());
        }
    }
    routes
}

impl Source {
    pub(super) fn due(&mut self, time_s: f64, seed: Seed, due: &mut Vec<VehicleSpec>) {
        if self.kinds.is_empty() || self.per_hour <= 0.0 {
            return;
        }
        while self.next_s <= time_s {
            let mut random = seed.stream("random demand", self.count);
            self.count += 1;
            self.next_s += -(1.0 - random.random::<f64>()).ln() * 3600.0 / self.per_hour;
            let total: f64 = self.kinds.iter().map(|(_, share, _)| share).sum();
            let mut left = random.random::<f64>() * total;
            let kind = self.kinds.iter().find(|(_, share, _)| {
                left -= share;
                left < 0.0
            });
            let Some((kind, _, routes)) = kind.or(self.kinds.last()) else { continue };
            let mut spec = VehicleSpec::of(kind.clone(), routes[random.random_range(0..routes.len())].clone());
            spec.depart_s = self.next_s.min(time_s);
            due.push(spec);
        }
    }
}
