//! Co-simulation with a real SUMO, where one is installed.
#![allow(clippy::unwrap_used, reason = "a test")]

use masa_sim::traci::{Sumo, launch, program};
use masa_sim::world::Population;
use masa_sim::{Actor, ActorId, ActorKind, Roads, Snapshot, Weather, World};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// A configuration with the shipped junction and a flow through it, where SUMO is installed.
fn configuration(test: &str, folder: &Path, flows: &str) -> Option<(PathBuf, PathBuf)> {
    let program = std::env::var_os("MASA_SUMO").map_or_else(program, PathBuf::from);
    if !Command::new(&program).arg("--version").output().is_ok_and(|run| run.status.success()) {
        println!("skipped: {test}: no {}", program.display());
        return None;
    }
    let net = Path::new(env!("CARGO_MANIFEST_DIR")).join("maps/boulevard.net.xml");
    std::fs::write(folder.join("flows.rou.xml"), format!("<routes>{flows}</routes>")).unwrap();
    let config = folder.join("run.sumocfg");
    let text = format!(
        "<configuration><input><net-file value=\"{}\"/><route-files value=\"flows.rou.xml\"/></input></configuration>",
        net.display()
    );
    std::fs::write(&config, text).unwrap();
    Some((program, config))
}

/// Two neighbouring edges of the shipped map that cars may drive.
fn edges() -> (Arc<Roads>, Vec<String>) {
    let roads = Roads::shipped("boulevard").unwrap();
    let long = roads.links.iter().filter(|link| link.via.is_some()).find_map(|link| {
        let (from, to) = (roads.lane(link.from), roads.lane(link.to));
        let cars = masa_sim::roads::Users::CAR;
        let drives = from.users.contains(cars) && to.users.contains(cars) && from.length_m > 100.0;
        drives.then(|| vec![roads.edge(from.edge).name.clone(), roads.edge(to.edge).name.clone()])
    });
    (Arc::new(roads.clone()), long.expect("two edges that follow each other"))
}

#[test]
fn sumo_s_vehicles_drive_on_our_lanes_and_its_signals_are_ours() {
    let folder = tempfile::tempdir().unwrap();
    let (roads, edges) = edges();
    let flow = format!(
        "<flow id=\"cars\" begin=\"0\" end=\"60\" period=\"5\" departSpeed=\"max\"><route edges=\"{}\"/></flow>",
        edges.join(" ")
    );
    let test = "sumo_s_vehicles_drive_on_our_lanes_and_its_signals_are_ours";
    let Some((program, config)) = configuration(test, folder.path(), &flow) else { return };
    let mut launched = launch(&program, &config, 0.1, &[]).unwrap();
    let (version, name) = launched.traci.version().unwrap();
    assert!(version >= 20 && name.contains("SUMO"), "{version} {name}");
    let sumo = Sumo::new(launched, roads.clone()).unwrap();
    let handle = sumo.handle();
    let mut world = World::new(roads.clone(), 0.1, Weather::default());
    world.set_signal_control(handle.signals());
    world.add(Box::new(sumo));
    let mut last: Option<Snapshot> = None;
    let (mut moved, mut lights) = (0, std::collections::BTreeSet::new());
    for _ in 0..400 {
        let now = world.step().clone();
        lights.extend(now.signals.iter().flatten().copied());
        for actor in &now.actors {
            assert_eq!(actor.kind, ActorKind::Car);
            let at = actor.on_lane.expect("SUMO's cars are on lanes");
            // The front is where SUMO says, the middle half a length behind.
            let line = &roads.lane(at.lane).centre;
            let front = actor.pose.position.xy()
                + nalgebra::Vector2::new(actor.pose.yaw_rad.cos(), actor.pose.yaw_rad.sin())
                    * (actor.size.length_m / 2.0);
            let on = line.project(front).unwrap();
            assert!(on.offset_m.abs() < 2.0 && (on.s_m - at.s_m).abs() < 1.0, "{actor:?} {on:?}");
            if let Some(before) = last.as_ref().and_then(|last| last.actor(actor.id)) {
                // SUMO changes lanes at once.
                if before.on_lane.map(|before| before.lane) == Some(at.lane) {
                    let way = (actor.pose.position - before.pose.position).norm();
                    assert!((way - actor.speed_mps * 0.1).abs() < 0.6, "{way} m at {} m/s", actor.speed_mps);
                    moved += 1;
                }
            }
        }
        last = Some(now);
    }
    let state = handle.state();
    assert_eq!(state.error, None);
    assert!(state.vehicles >= 7 && moved > 500 && lights.len() > 1, "{state:?} {moved} {lights:?}");
}

/// One car of ours that stands, until it leaves.
#[derive(Debug)]
struct Broken(Arc<Mutex<Option<Actor>>>);

impl Population for Broken {
    fn step(&mut self, _: &Snapshot, _: &[Vec<masa_sim::roads::SignalState>], _: f64) {}

    fn write(&self, into: &mut Vec<Actor>) {
        into.extend(self.0.lock().unwrap().clone());
    }

    fn command(&mut self, _: ActorId, _: masa_sim::world::Command) -> bool {
        false
    }
}

#[test]
fn sumo_s_vehicles_stop_behind_ours_and_go_on_when_it_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let (roads, edges) = edges();
    let vehicles: String = (0..3)
        .map(|i| {
            format!(
                "<vehicle id=\"v{i}\" depart=\"{}\" departLane=\"best\"><route edges=\"{}\"/></vehicle>",
                2 * i,
                edges.join(" ")
            )
        })
        .collect();
    let test = "sumo_s_vehicles_stop_behind_ours_and_go_on_when_it_leaves";
    let Some((program, config)) = configuration(test, folder.path(), &vehicles) else { return };
    let edge = roads.edges.iter().find(|edge| edge.name == edges[0]).unwrap();
    // Ours stand side by side on every lane, so that nobody can pass.
    let stand = |number: u32, lane| {
        let lane = roads.lane(lane);
        let on = lane.centre.at(lane.centre.length_m() - 40.0).unwrap();
        Actor {
            id: ActorId::of(7, number),
            kind: ActorKind::Car,
            role: Default::default(),
            pose: masa_sim::actor::Pose { position: on.point, yaw_rad: on.yaw_rad, pitch_rad: 0.0 },
            speed_mps: 0.0,
            acceleration_mps2: 0.0,
            yaw_rate_rps: 0.0,
            size: ActorKind::Car.usual_size(),
            lights: Default::default(),
            appearance: 0,
            on_lane: None,
            connected: false,
        }
    };
    let sumo = Sumo::new(launch(&program, &config, 0.1, &[]).unwrap(), roads.clone()).unwrap();
    let handle = sumo.handle();
    let mut world = World::new(roads.clone(), 0.1, Weather::default());
    world.add(Box::new(sumo));
    let ours: Vec<_> = edge
        .lanes
        .iter()
        .enumerate()
        .map(|(number, lane)| Arc::new(Mutex::new(Some(stand(number as u32 + 1, *lane)))))
        .collect();
    for one in &ours {
        world.add(Box::new(Broken(one.clone())));
    }
    for _ in 0..900 {
        world.step();
    }
    let its = |world: &World| -> Vec<Actor> {
        world.now().actors.iter().filter(|actor| actor.id.population() != 7).cloned().collect()
    };
    assert_eq!(handle.state().mirrored, ours.len(), "{:?}", handle.state());
    let waiting = its(&world);
    assert_eq!(waiting.len(), 3, "{:?}", handle.state());
    for actor in &waiting {
        assert!(actor.speed_mps < 0.1, "{actor:?}");
    }
    ours.iter().for_each(|one| *one.lock().unwrap() = None);
    for _ in 0..100 {
        world.step();
    }
    let state = handle.state();
    assert_eq!((state.mirrored, state.error), (0, None));
    // They have passed the place where ours stood.
    let passed = |actor: &Actor| {
        actor.on_lane.is_none_or(|at| !edge.lanes.contains(&at.lane) || at.s_m > roads.lane(at.lane).length_m - 35.0)
    };
    assert!(its(&world).iter().any(passed), "{:?}", its(&world));
}
