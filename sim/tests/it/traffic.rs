//! Traffic through its public API: signals, obstacles, commands, and the same bytes for the same seed.

#![allow(clippy::unwrap_used, reason = "a test")]

use masa_sim::actor::{Actor, ActorId, ActorKind, Lights, Pose, Role};
use masa_sim::random::Seed;
use masa_sim::roads::{EdgeId, Roads, SignalState};
use masa_sim::snapshot::Snapshot;
use masa_sim::traffic::demand::{Demand, Mix};
use masa_sim::traffic::{Traffic, TrafficSettings, VehicleSpec, output};
use masa_sim::world::{Command, FixedProgrammes, Population, SignalControl};
use nalgebra::Point3;
use std::sync::Arc;

/// A road of 200 m, a signal, and another road of 200 m, two lanes wide.
const NET: &str = r#"<net version="1.20">
    <location netOffset="0.00,0.00" convBoundary="0.00,0.00,410.00,4.00" origBoundary="0,0,410,4" projParameter="!"/>
    <edge id=":j1_0" function="internal">
        <lane id=":j1_0_0" index="0" speed="13.90" length="10.00" shape="200.00,0.00 210.00,0.00"/>
        <lane id=":j1_0_1" index="1" speed="13.90" length="10.00" shape="200.00,3.20 210.00,3.20"/>
    </edge>
    <edge id="a" from="j0" to="j1" priority="1">
        <lane id="a_0" index="0" speed="13.90" length="200.00" shape="0.00,0.00 200.00,0.00"/>
        <lane id="a_1" index="1" speed="13.90" length="200.00" shape="0.00,3.20 200.00,3.20"/>
    </edge>
    <edge id="b" from="j1" to="j2" priority="1">
        <lane id="b_0" index="0" speed="13.90" length="200.00" shape="210.00,0.00 410.00,0.00"/>
        <lane id="b_1" index="1" speed="13.90" length="200.00" shape="210.00,3.20 410.00,3.20"/>
    </edge>
    <tlLogic id="j1" type="static" programID="0" offset="0">
        <phase duration="20" state="GG"/>
        <phase duration="3" state="yy"/>
        <phase duration="17" state="rr"/>
    </tlLogic>
    <junction id="j0" type="dead_end" x="0.00" y="0.00" incLanes="" intLanes="" shape="0.00,0.00 0.00,4.00"/>
    <junction id="j1" type="traffic_light" x="205.00" y="0.00" incLanes="a_0 a_1" intLanes=":j1_0_0 :j1_0_1" shape="200.00,-1.60 210.00,-1.60 210.00,4.80 200.00,4.80">
        <request index="0" response="00" foes="00" cont="0"/>
        <request index="1" response="00" foes="00" cont="0"/>
    </junction>
    <junction id="j2" type="dead_end" x="410.00" y="0.00" incLanes="b_0 b_1" intLanes="" shape="410.00,0.00 410.00,4.00"/>
    <connection from="a" to="b" fromLane="0" toLane="0" via=":j1_0_0" tl="j1" linkIndex="0" dir="s" state="O"/>
    <connection from="a" to="b" fromLane="1" toLane="1" via=":j1_0_1" tl="j1" linkIndex="1" dir="s" state="O"/>
    <connection from=":j1_0" to="b" fromLane="0" toLane="0" dir="s" state="M"/>
    <connection from=":j1_0" to="b" fromLane="1" toLane="1" dir="s" state="M"/>
</net>"#;

fn roads() -> Arc<Roads> {
    Arc::new(Roads::parse(NET, "street.net.xml").unwrap())
}

fn edge(roads: &Roads, name: &str) -> EdgeId {
    EdgeId(roads.edges.iter().position(|edge| edge.name == name).unwrap() as u32)
}

fn car(roads: &Roads) -> VehicleSpec {
    VehicleSpec::new(ActorKind::Car, Role::Ordinary, vec![edge(roads, "a"), edge(roads, "b")]).unwrap()
}

/// Steps of 0.1 s; `look` sees the actors after each, with what the signals showed during it.
fn drive(
    traffic: &mut Traffic,
    others: &[Actor],
    steps: u64,
    mut look: impl FnMut(&[Actor], SignalState, &mut Traffic),
) {
    let mut signals = FixedProgrammes(traffic.roads().clone());
    let mut before = Snapshot::default();
    for step in 0..steps {
        let states = signals.states(&before);
        traffic.step(&before, &states, 0.1);
        let mut actors = Vec::new();
        traffic.write(&mut actors);
        look(&actors, states[0][0], traffic);
        actors.extend_from_slice(others);
        actors.sort_by_key(|actor| actor.id);
        before = Snapshot { step: step + 1, time_s: (step + 1) as f64 * 0.1, actors, ..before };
    }
}

fn front_x(actor: &Actor) -> f64 {
    actor.pose.position.x + 0.5 * actor.size.length_m * actor.pose.yaw_rad.cos()
}

#[test]
fn nobody_passes_red_and_everybody_arrives() {
    let roads = roads();
    let mut traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(1));
    for place in 0..12 {
        traffic.spawn(VehicleSpec { depart_s: f64::from(place) * 2.0, ..car(&roads) }).unwrap();
    }
    let mut fronts: Vec<(ActorId, f64)> = Vec::new();
    let mut waited = false;
    drive(&mut traffic, &[], 1500, |actors, shown, _| {
        for actor in actors {
            let now = front_x(actor);
            let before = fronts.iter().find(|(id, _)| *id == actor.id).map(|(_, x)| *x);
            let passes = before.is_some_and(|before| before <= 200.0 && now > 200.0);
            assert!(!(passes && shown == SignalState::Red), "{:?} passes red at {now}", actor.id);
            waited |= actor.speed_mps < 0.1 && (150.0..=200.0).contains(&now);
        }
        fronts = actors.iter().map(|actor| (actor.id, front_x(actor))).collect();
        let mut lanes: Vec<(u32, f64, f64)> = actors
            .iter()
            .filter_map(|actor| Some((actor.on_lane?.lane.0, actor.on_lane?.s_m, actor.size.length_m)))
            .collect();
        lanes.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for pair in lanes.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            assert!(pair[0].1 <= pair[1].1 - pair[1].2, "vehicles overlap: {pair:?}");
        }
    });
    assert!(waited, "somebody has to wait at the red light");
    assert_eq!((traffic.counters().arrived, traffic.counters().teleports), (12, 0));
}

fn fcd(seed: u64, threads: usize) -> Vec<u8> {
    let roads = roads();
    let mut traffic =
        Traffic::new(roads.clone(), TrafficSettings { threads, ..TrafficSettings::default() }, Seed(seed));
    traffic.set_demand(Demand::random(&roads, 1200.0, &Mix::default()));
    let mut out = Vec::new();
    drive(&mut traffic, &[], 1200, |_, _, traffic| output::write_fcd(&mut out, traffic).unwrap());
    out
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let one = fcd(7, 1);
    assert!(one.len() > 100_000, "there is traffic: {} bytes", one.len());
    assert!(one == fcd(7, 1), "the same again");
    assert!(one == fcd(7, 2), "on two threads");
    assert!(one != fcd(8, 1), "another seed is another day");
}

fn deer(x: f64, y: f64) -> Actor {
    Actor {
        id: ActorId::of(9, 1),
        kind: ActorKind::Deer,
        role: Role::Ordinary,
        pose: Pose { position: Point3::new(x, y, 0.0), yaw_rad: 1.57, pitch_rad: 0.0 },
        speed_mps: 0.0,
        acceleration_mps2: 0.0,
        yaw_rate_rps: 0.0,
        size: ActorKind::Deer.usual_size(),
        lights: Lights::default(),
        appearance: 0,
        on_lane: None,
        connected: false,
    }
}

#[test]
fn another_actor_in_the_lane_is_not_run_over() {
    let roads = roads();
    let mut traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(1));
    traffic.spawn(car(&roads)).unwrap();
    // A deer in each lane: there is no way around.
    let mut second = deer(300.0, 3.2);
    second.id = ActorId::of(9, 2);
    let mut last = 0.0;
    drive(&mut traffic, &[deer(300.0, 0.0), second], 400, |actors, _, _| {
        last = actors.first().map_or(0.0, front_x);
        assert!(last < 299.5, "the front is at {last}");
    });
    assert!(last > 290.0, "it drives up to the deer, not {last}");
    assert_eq!(traffic.counters().arrived, 0);
}

#[test]
fn commands_are_followed() {
    let roads = roads();
    let mut traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(1));
    let id = traffic.spawn(car(&roads)).unwrap();
    assert!(!traffic.command(id, Command::Remove), "it is not on the road yet");
    drive(&mut traffic, &[], 30, |_, _, _| {});
    assert!(traffic.command(id, Command::LimitSpeed(Some(3.0))));
    let mut speed = 0.0;
    drive(&mut traffic, &[], 60, |actors, _, _| speed = actors[0].speed_mps);
    assert!(speed <= 3.0, "{speed}");
    assert!(traffic.command(id, Command::Control { throttle: 0.5, brake: 0.0, steer: 1.0 }));
    let mut actor = None;
    drive(&mut traffic, &[], 20, |actors, _, _| actor = Some(actors[0].clone()));
    let actor = actor.unwrap();
    assert!(actor.on_lane.is_none() && actor.yaw_rate_rps > 0.0, "it turns left by hand: {actor:?}");
    assert!(traffic.command(id, Command::Remove));
    assert_eq!((traffic.running(), traffic.counters().removed), (0, 1));
}

#[test]
fn what_is_not_supported_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("street.net.xml", NET);
    write(
        "street.rou.xml",
        "<routes>\n  <vehicle id=\"x\" depart=\"0\" departLane=\"best\">\n    <route edges=\"a b\"/>\n  </vehicle>\n\
         <vehicle id=\"y\" depart=\"1\" taxi=\"1\"><route edges=\"a b\"/></vehicle>\n</routes>",
    );
    write(
        "street.sumocfg",
        "<configuration><input><net-file value=\"street.net.xml\"/><route-files value=\"street.rou.xml\"/></input>\
         </configuration>",
    );
    let error = masa_sim::traffic::demand::SumoScenario::load(folder.path().join("street.sumocfg")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("street.rou.xml:5") && text.contains("taxi"), "{text}");
}

#[test]
fn a_vehicle_is_straight_in_its_lane_again_after_a_change() {
    let roads = roads();
    let mut traffic = Traffic::new(roads.clone(), TrafficSettings::default(), Seed(1));
    let id = traffic.spawn(car(&roads)).unwrap();
    drive(&mut traffic, &[], 20, |_, _, _| {});
    assert!(traffic.command(id, Command::ChangeLane(1)));
    let mut poses = Vec::new();
    drive(&mut traffic, &[], 120, |actors, _, _| poses.extend(actors.first().map(|actor| actor.pose)));
    let turned = poses.iter().map(|pose| pose.yaw_rad.abs()).fold(0.0, f64::max);
    assert!(turned > 0.02, "it goes across: {turned}");
    let last = poses.last().unwrap();
    assert!(last.yaw_rad.abs() < 1e-9 && (last.position.y - 3.2).abs() < 1e-9, "{last:?}");
}
