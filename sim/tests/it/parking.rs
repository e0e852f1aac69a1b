//! Parking: bays are taken and left by the rules of the road, and the truth says which are free.

#![allow(clippy::unwrap_used, reason = "a test")]

use masa_sim::actor::{ActorId, ActorKind, Role};
use masa_sim::geometry::gap_between;
use masa_sim::random::Seed;
use masa_sim::roads::{EdgeId, LaneId, Roads, Users};
use masa_sim::traffic::demand::SumoScenario;
use masa_sim::traffic::{
    DepartPosition, Standing, StopSpec, Traffic, TrafficSettings, VehicleSpec, run, shortest_route,
};
use masa_sim::truth::parking::{Turnover, occupants};
use masa_sim::{Actor, Snapshot, Weather, World};
use std::sync::{Arc, Mutex};

fn roads() -> Arc<Roads> {
    Arc::new(Roads::shipped("masa").unwrap())
}

fn edge(roads: &Roads, name: &str) -> EdgeId {
    EdgeId(roads.edges.iter().position(|edge| edge.name == name).unwrap() as u32)
}

fn lane(roads: &Roads, name: &str) -> LaneId {
    LaneId(roads.lanes.iter().position(|lane| lane.name == name).unwrap() as u32)
}

/// A car as short as cars are; SUMO's are five metres long.
fn usual_car(route: Vec<EdgeId>) -> VehicleSpec {
    let mut spec = VehicleSpec::new(ActorKind::Car, Role::Ordinary, route).unwrap();
    spec.vehicle_type.size = ActorKind::Car.usual_size();
    spec
}

/// A car southwards through the street of the bays.
fn car(roads: &Roads, depart_s: f64) -> VehicleSpec {
    let route = shortest_route(roads, edge(roads, "side-zebra"), edge(roads, "corner-back"), Users::CAR).unwrap();
    VehicleSpec { depart_s, ..usual_car(route) }
}

/// A stop in the bays beside the lane behind the zebra.
fn parks(roads: &Roads, duration_s: f64, standing: Standing) -> StopSpec {
    let lane = lane(roads, "zebra-corner_2");
    let end_m = roads.lane(lane).length_m;
    StopSpec { lane, start_m: 0.0, end_m, duration_s, until_s: None, standing }
}

/// Steps a world with this traffic; nobody touches anybody.
fn drive(roads: &Arc<Roads>, traffic: Traffic, seconds: f64, mut look: impl FnMut(&Snapshot)) {
    let mut world = World::new(roads.clone(), 0.1, Weather::default());
    world.add(Box::new(traffic));
    for _ in 0..(seconds * 10.0) as u32 {
        let now = world.step();
        for (place, a) in now.actors.iter().enumerate() {
            for b in &now.actors[place + 1..] {
                assert!(gap_between(&a.footprint(), &b.footprint()) > 0.0, "{:.1} s: {a:?} and {b:?}", now.time_s);
            }
        }
        look(now);
    }
}

/// Names of taken spaces.
fn taken(roads: &Roads, now: &Snapshot) -> Vec<(String, ActorId)> {
    let all = roads.parking.iter().zip(occupants(roads, now));
    all.filter_map(|(space, who)| Some((space.name.clone(), who?))).collect()
}

#[test]
fn every_bay_of_the_shipped_map_is_reached_from_the_lane_beside_it() {
    let roads = roads();
    let traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(1));
    assert_eq!(traffic.bays().len(), roads.parking.len());
    for bay in traffic.bays() {
        let (space, lane) = (&roads.parking[bay.space], roads.lane(bay.lane));
        assert_eq!(roads.lane(space.lane.unwrap()).edge, lane.edge, "{}", space.name);
        assert!((bay.offset_m + 2.6).abs() < 0.01, "{}: {} m", space.name, bay.offset_m);
    }
}

#[test]
fn a_car_backs_in_stands_and_pulls_out_while_those_behind_wait() {
    let roads = roads();
    let mut traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(1));
    let parker =
        traffic.spawn(VehicleSpec { stops: vec![parks(&roads, 40.0, Standing::Bay)], ..car(&roads, 0.0) }).unwrap();
    let followers: Vec<ActorId> =
        (1..4).map(|place| traffic.spawn(car(&roads, 2.0 * f64::from(place))).unwrap()).collect();
    let (mut stood, mut backed, mut waited, mut overtaken) = (0.0, false, false, false);
    let mut spaces: Vec<(f64, String)> = Vec::new();
    drive(&roads, traffic, 150.0, |now| {
        let Some(actor) = now.actor(parker) else { return };
        backed |= actor.speed_mps < -0.3;
        let found = taken(&roads, now);
        assert!(found.iter().all(|(_, who)| *who == parker), "{found:?}");
        if let Some((name, _)) = found.first() {
            stood += 0.1;
            spaces.push((now.time_s, name.clone()));
        }
        let others = followers.iter().filter_map(|id| now.actor(*id));
        for other in others {
            waited |= other.speed_mps < 0.1 && other.pose.position.y > actor.pose.position.y && found.is_empty();
            overtaken |= other.pose.position.y < actor.pose.position.y;
        }
    });
    assert!(backed && waited && overtaken, "backed in {backed}, others waited {waited}, passed it {overtaken}");
    // Its forty seconds begin when it stops beyond the bay, and backing in takes nine of them.
    assert!((32.0..45.0).contains(&stood), "{stood:.1} s");
    assert_eq!(spaces[0].1, "behind-west-1", "the first free one");
    assert_eq!(spaces.last().unwrap().1, "behind-west-1", "and the same to the end");
}

#[test]
fn who_parks_touches_no_neighbour_and_nobody_on_the_next_lane() {
    let roads = roads();
    let mut traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(4));
    let route = shortest_route(&roads, edge(&roads, "side-zebra"), edge(&roads, "corner-back"), Users::CAR).unwrap();
    let bays: Vec<usize> =
        (0..traffic.bays().len()).filter(|bay| route.contains(&roads.lane(traffic.bays()[*bay].lane).edge)).collect();
    // Every bay is taken, and left one after another, while others want one and lorries come the other way.
    for (place, bay) in bays.iter().enumerate() {
        let depart_position = DepartPosition::Parked { bay: *bay, stands_s: 10.0 + 15.0 * place as f64 };
        let on = roads.lane(traffic.bays()[*bay].lane).edge;
        let rest = route[route.iter().position(|edge| *edge == on).unwrap()..].to_vec();
        traffic.spawn(VehicleSpec { depart_position, ..usual_car(rest) }).unwrap();
    }
    let back = shortest_route(&roads, edge(&roads, "corner-zebra"), edge(&roads, "side-centre"), Users::CAR).unwrap();
    for place in 0..30 {
        let depart_s = 12.0 * f64::from(place);
        let stops = vec![parks(&roads, 60.0, Standing::BayIfFree)];
        traffic.spawn(VehicleSpec { stops, ..car(&roads, depart_s) }).unwrap();
        let lorry = VehicleSpec::new(ActorKind::Truck, Role::Ordinary, back.clone()).unwrap();
        traffic.spawn(VehicleSpec { depart_s, ..lorry }).unwrap();
    }
    let mut turnover = Turnover::default();
    drive(&roads, traffic, 420.0, |now| turnover.watch(&roads, now));
    assert!(turnover.taken >= 10 && turnover.freed >= 20, "{turnover:?}");
}

#[test]
fn who_pulls_out_gives_way() {
    let roads = roads();
    let mut traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(2));
    let bay = traffic.bays().iter().position(|bay| roads.parking[bay.space].name == "behind-west-5").unwrap();
    let route = shortest_route(&roads, edge(&roads, "zebra-corner"), edge(&roads, "corner-back"), Users::CAR).unwrap();
    let parked = VehicleSpec { depart_position: DepartPosition::Parked { bay, stands_s: 9.0 }, ..usual_car(route) };
    let parked = traffic.spawn(parked).unwrap();
    for place in 0..6 {
        traffic.spawn(car(&roads, 3.0 * f64::from(place))).unwrap();
    }
    let (mut first, mut left_s, mut hardest): (bool, Option<f64>, f64) = (false, None, 0.0);
    drive(&roads, traffic, 90.0, |now| {
        if now.step == 1 {
            first = taken(&roads, now) == [("behind-west-5".to_owned(), parked)];
        }
        let Some(actor) = now.actor(parked) else { return };
        if actor.speed_mps > 0.3 && left_s.is_none() {
            left_s = Some(now.time_s);
        }
        let behind = |other: &&Actor| {
            other.id != parked && (0.0..40.0).contains(&(other.pose.position.y - actor.pose.position.y))
        };
        let pulls_out = left_s.is_some_and(|left_s| now.time_s < left_s + 8.0);
        for other in now.actors.iter().filter(behind).filter(|_| pulls_out) {
            hardest = hardest.min(other.acceleration_mps2);
        }
    });
    assert!(first, "it stands in its bay from the start");
    let left_s = left_s.expect("it leaves");
    // Six cars come by, three seconds apart, from 9 s on.
    assert!(left_s > 12.0, "it waits for a gap: {left_s:.1} s");
    assert!(hardest > -4.6, "nobody brakes harder than comfortably: {hardest:.1}");
}

#[test]
fn a_full_street_is_left_or_waited_for() {
    let roads = roads();
    let run = |standing: Standing| {
        let mut traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(3));
        let lane = lane(&roads, "zebra-corner_2");
        let bays: Vec<usize> = (0..traffic.bays().len()).filter(|bay| traffic.bays()[*bay].lane == lane).collect();
        let route =
            shortest_route(&roads, edge(&roads, "zebra-corner"), edge(&roads, "corner-back"), Users::CAR).unwrap();
        for (place, bay) in bays.iter().enumerate() {
            // One leaves after a minute.
            let stands_s = if place == 3 { 60.0 } else { 1_000.0 };
            let spec = usual_car(route.clone());
            let depart_position = DepartPosition::Parked { bay: *bay, stands_s };
            traffic.spawn(VehicleSpec { depart_position, ..spec }).unwrap();
        }
        let car = VehicleSpec { stops: vec![parks(&roads, 500.0, standing)], ..car(&roads, 1.0) };
        let late = traffic.spawn(car).unwrap();
        let (mut most, mut space) = (0, None);
        drive(&roads, traffic, 200.0, |now| {
            let found = taken(&roads, now);
            most = most.max(found.len());
            space = found.into_iter().find(|(_, who)| *who == late).map(|(name, _)| name).or(space.take());
        });
        (most, space)
    };
    assert_eq!(run(Standing::BayIfFree), (10, None));
    assert_eq!(run(Standing::Bay), (10, Some("behind-west-4".to_owned())));
}

const NET: &str = r#"<net version="1.20">
    <location netOffset="0.00,0.00" convBoundary="0.00,0.00,300.00,4.00" origBoundary="0,0,300,4" projParameter="!"/>
    <edge id="a" from="j0" to="j1" priority="1">
        <lane id="a_0" index="0" speed="13.90" length="300.00" shape="0.00,0.00 300.00,0.00"/>
        <lane id="a_1" index="1" speed="13.90" length="300.00" shape="0.00,3.20 300.00,3.20"/>
    </edge>
    <junction id="j0" type="dead_end" x="0.00" y="0.00" incLanes="" intLanes="" shape="0.00,0.00 0.00,4.00"/>
    <junction id="j1" type="dead_end" x="300.00" y="0.00" incLanes="a_0 a_1" intLanes="" shape="300.00,0.00 300.00,4.00"/>
</net>"#;
const ADDITIONAL: &str = r#"<additional>
    <parkingArea id="kerb" lane="a_0" startPos="100" endPos="160" roadsideCapacity="10" width="2.2"/>
</additional>"#;
const ROUTES: &str = r#"<routes>
    <vType id="car" length="4.4" sigma="0"/>
    <route id="r" edges="a"/>
    <vehicle id="p0" type="car" depart="0" route="r"><stop parkingArea="kerb" duration="60"/></vehicle>
    <vehicle id="p1" type="car" depart="5" route="r"><stop parkingArea="kerb" duration="60"/></vehicle>
    <vehicle id="through" type="car" depart="9" route="r"/>
</routes>"#;

/// Writes a network with a parking area and loads it as SUMO would.
fn sumo(routes: &str, additional: &str) -> Result<SumoScenario, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("kerb.net.xml", NET);
    write("kerb.add.xml", additional);
    write("kerb.rou.xml", routes);
    write(
        "kerb.sumocfg",
        "<configuration><input><net-file value=\"kerb.net.xml\"/><additional-files value=\"kerb.add.xml\"/>\
         <route-files value=\"kerb.rou.xml\"/></input><time><step-length value=\"0.1\"/></time></configuration>",
    );
    SumoScenario::load(folder.path().join("kerb.sumocfg")).map_err(|error| error.to_string())
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_parking_area_of_sumo_has_its_bays_and_its_vehicles_arrive_afterwards() {
    let trips = |threads: usize| {
        let scenario = sumo(ROUTES, ADDITIONAL).unwrap();
        assert_eq!(scenario.roads.parking.len(), 10);
        let text = Text::default();
        let outputs = run::Outputs { trips: Some(Box::new(text.clone())), ..run::Outputs::default() };
        let settings = TrafficSettings { threads, ..TrafficSettings::default() };
        let options = run::RunOptions { settings, seed: Seed(1), step_s: None, end_s: Some(400.0) };
        let counters = run::run(scenario, options, outputs, |_, _| true).unwrap();
        assert_eq!((counters.arrived, counters.teleports, counters.missed_bays), (3, 0, 0));
        let text = text.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    };
    let text = trips(1);
    assert_eq!(text, trips(2), "the same on two threads");
    let document = roxmltree::Document::parse(&text).unwrap();
    let of = |name: &str, attribute: &str| -> f64 {
        let trip = document.descendants().find(|node| node.attribute("id") == Some(name)).unwrap();
        trip.attribute(attribute).unwrap().parse().unwrap()
    };
    assert!((60.0..80.0).contains(&of("p0", "stopTime")), "{text}");
    // The second takes the next bay, and the third is by before either leaves.
    assert!(of("through", "arrival") < of("p0", "arrival") && of("through", "arrival") < of("p1", "arrival"), "{text}");
}

#[test]
fn parking_areas_that_are_not_beside_the_lane_are_refused_with_their_line() {
    for (attribute, part) in
        [("angle=\"45\"", "angle"), ("onRoad=\"1\"", "onRoad"), ("roadsideCapacity=\"0\"", "0 bays")]
    {
        let area = format!("<additional>\n  <parkingArea id=\"kerb\" lane=\"a_0\" {attribute}/>\n</additional>");
        let error = sumo(ROUTES, &area).unwrap_err();
        assert!(error.contains("kerb.add.xml:2") && error.contains(part), "{error}");
    }
    let error = sumo(&ROUTES.replace("\"kerb\"", "\"nowhere\""), ADDITIONAL).unwrap_err();
    assert!(error.contains("kerb.rou.xml:4") && error.contains("nowhere"), "{error}");
}
