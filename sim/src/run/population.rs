//! Everybody besides the scripted actors: traffic and people, as the scenario demands.

use super::RunError;
use crate::actor::{ActorId, ActorKind, Role};
use crate::people::{DemandSettings, People, PeopleSettings};
use crate::priority::PriorityControl;
use crate::random::Seed;
use crate::roads::{EdgeId, EdgeKind, LaneId, LaneKind, Link, Roads, Turn, Users};
use crate::scenario::route::Way;
use crate::scenario::scripted::ScriptedPopulation;
use crate::scenario::{ParkingDemand, Scenario};
use crate::traffic::{DepartPosition, Standing, StopSpec, Traffic, TrafficSettings, VehicleSpec, shortest_route};
use crate::world::World;
use rand::RngExt;
use rand_distr::{Distribution, Exp};
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Number of people in actor ids.
const PEOPLE: u8 = 2;
/// Kinds of vehicles and how often each comes, in a hundred.
const MIX: [(ActorKind, u32); 4] =
    [(ActorKind::Car, 80), (ActorKind::Van, 10), (ActorKind::Truck, 6), (ActorKind::Motorcycle, 4)];

/// The world of a scenario at its beginning, and the ways that the navigation of scripted actors knows.
pub(crate) fn world(scenario: &Scenario, roads: &Arc<Roads>, seed: Seed) -> Result<(World, Ways), RunError> {
    let mut world = World::new(roads.clone(), scenario.step_s, scenario.weather);
    world.set_signal_control(Box::new(PriorityControl::new(roads.clone())));
    let scripted = ScriptedPopulation::new(scenario, roads)?;
    let ways = scripted.ways();
    world.add(Box::new(scripted));
    add(scenario, roads, seed, &mut world)?;
    Ok((world, ways))
}

/// Ways by actor.
pub(crate) type Ways = BTreeMap<ActorId, Arc<Way>>;

/// Adds traffic and people as the scenario demands.
fn add(scenario: &Scenario, roads: &Arc<Roads>, seed: Seed, world: &mut World) -> Result<(), RunError> {
    if let Some(demand) = scenario.traffic {
        let settings = TrafficSettings {
            connected: scenario.connected.share,
            behaviour: demand.behaviour,
            ..TrafficSettings::default()
        };
        let mut traffic = Traffic::new(roads.clone(), settings, seed);
        let routes = through_routes(roads);
        if routes.is_empty() {
            return Err(scenario.wrong("traffic: no way leads through the map").into());
        }
        let mut luck = seed.stream("traffic demand", 0);
        // Vehicles an hour is above zero, which is all that the distribution asks.
        let gaps = Exp::new(demand.vehicles_per_h.max(1e-3) / 3_600.0)
            .map_err(|error| scenario.wrong(format!("traffic.vehicles-per-h: {error}")))?;
        let mut parks = seed.stream("parking demand", 0);
        if let Some(parking) = demand.parking {
            park_at_start(&mut traffic, &routes, parking, &mut parks);
        }
        let mut depart_s = 0.0;
        loop {
            depart_s += gaps.sample(&mut luck);
            if depart_s > scenario.duration_s {
                break;
            }
            let route = routes[luck.random_range(0..routes.len())].clone();
            let mut place = luck.random_range(0..MIX.iter().map(|(_, weight)| weight).sum());
            let kind = MIX.iter().find(|(_, weight)| {
                let hit = place < *weight;
                place = place.saturating_sub(*weight);
                hit
            });
            let kind = kind.map_or(ActorKind::Car, |(kind, _)| *kind);
            let refused = |what: String| scenario.wrong(format!("traffic: {what}"));
            let mut spec = VehicleSpec::new(kind, Role::Ordinary, route).map_err(|error| refused(error.to_string()))?;
            spec.depart_s = depart_s;
            if let Some(parking) = demand.parking.filter(|_| kind == ActorKind::Car)
                && let Some(stop) = stop_to_park(&traffic, &spec.route, parking, &mut parks)
            {
                spec.stops.push(stop);
                // The usual type is longer than most cars, and than a bay is made for.
                spec.vehicle_type.size = kind.usual_size();
            }
            traffic.spawn(spec).map_err(|error| refused(error.to_string()))?;
        }
        world.add(Box::new(traffic));
    }
    if let Some(demand) = scenario.people {
        let settings = PeopleSettings {
            demand: Some(DemandSettings {
                at_start: demand.pedestrians,
                trips_per_hour: f64::from(demand.pedestrians) * 30.0,
                ..DemandSettings::default()
            }),
            manners: demand.manners,
            ..PeopleSettings::default()
        };
        world.add(Box::new(People::new(roads.clone(), settings, seed, PEOPLE)));
    }
    Ok(())
}

/// A stop in the bays beside one of the lanes that a car passes, by the share that is wanted.
fn stop_to_park(traffic: &Traffic, route: &[EdgeId], parking: ParkingDemand, luck: &mut Pcg64Mcg) -> Option<StopSpec> {
    if luck.random::<f64>() >= parking.share {
        return None;
    }
    let roads = traffic.roads();
    let mut lanes: Vec<LaneId> = traffic.bays().iter().map(|bay| bay.lane).collect();
    lanes.retain(|lane| route.contains(&roads.lane(*lane).edge));
    lanes.dedup();
    let lane = *lanes.get(luck.random_range(0..lanes.len().max(1)))?;
    let duration_s = luck.random_range(parking.stay_s[0]..=parking.stay_s[1]);
    let (start_m, end_m) = (0.0, roads.lane(lane).length_m);
    Some(StopSpec { lane, start_m, end_m, duration_s, until_s: None, standing: Standing::BayIfFree })
}

/// Cars that stand in bays at the start and leave one after another.
fn park_at_start(traffic: &mut Traffic, routes: &[Vec<EdgeId>], parking: ParkingDemand, luck: &mut Pcg64Mcg) {
    let lanes: Vec<LaneId> = traffic.bays().iter().map(|bay| bay.lane).collect();
    for (bay, lane) in lanes.into_iter().enumerate() {
        let (draw, stands_s) = (luck.random::<f64>(), luck.random_range(0.0..=parking.stay_s[1]));
        let edge = traffic.roads().lane(lane).edge;
        let ways = routes.iter().filter_map(|route| Some(&route[route.iter().position(|on| *on == edge)?..]));
        let ways: Vec<_> = ways.collect();
        let way = ways.get(luck.random_range(0..ways.len().max(1))).map(|way| way.to_vec());
        let Some(way) = way.filter(|_| draw < parking.taken) else { continue };
        let spec = VehicleSpec::new(ActorKind::Car, Role::Ordinary, way);
        let parked = |mut spec: VehicleSpec| {
            spec.vehicle_type.size = ActorKind::Car.usual_size();
            VehicleSpec { depart_position: DepartPosition::Parked { bay, stands_s }, ..spec }
        };
        // A part of a way that leads through the map makes sense, so it comes.
        if let Err(error) = spec.and_then(|spec| traffic.spawn(parked(spec))) {
            tracing::warn!(%error, bay, "nobody stands in a bay at the start");
        }
    }
}

/// A way from each edge that nothing leads to, to each that leads nowhere.
fn through_routes(roads: &Roads) -> Vec<Vec<EdgeId>> {
    let drivable = |edge: EdgeId| {
        roads.edge(edge).kind == EdgeKind::Road
            && roads.edge(edge).lanes.iter().any(|lane| {
                let lane = roads.lane(*lane);
                lane.kind == LaneKind::Driving && lane.users.contains(Users::CAR)
            })
    };
    let edges = (0..roads.edges.len()).map(|index| EdgeId(index as u32)).filter(|edge| drivable(*edge));
    // Turning back at the edge of the map, and people's ways, are no way on.
    let on = |link: &&Link| {
        link.turn != Turn::UTurn && [link.from, link.to].iter().all(|lane| roads.lane(*lane).users.contains(Users::CAR))
    };
    let mut reached = vec![false; roads.edges.len()];
    for link in roads.links.iter().filter(on) {
        let from = roads.lane(link.from).edge;
        if roads.edge(from).kind == EdgeKind::Road {
            reached[roads.lane(link.to).edge.index()] = true;
        }
    }
    let leads_on = |edge: EdgeId| {
        let lanes = roads.edge(edge).lanes.iter();
        lanes.flat_map(|lane| &roads.lane(*lane).links).any(|link| on(&roads.link(*link)))
    };
    let edges: Vec<_> = edges.collect();
    let entries = edges.iter().filter(|edge| !reached[edge.index()] && leads_on(**edge));
    let exits: Vec<_> = edges.iter().filter(|edge| reached[edge.index()] && !leads_on(**edge)).collect();
    entries.flat_map(|from| exits.iter().filter_map(move |to| shortest_route(roads, *from, **to, Users::CAR))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_finds_ways_through_every_shipped_map() {
        for (name, _) in Roads::SHIPPED {
            let roads = Roads::shipped(name).unwrap();
            assert!(through_routes(&roads).len() >= 2, "{name}");
        }
    }
}
