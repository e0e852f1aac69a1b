//! esmini's example scenarios: which load, how they run, and trajectories worked out by hand from the files.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::data_path;
use masa_sim::openscenario::{Error, Files, Network, Scenario, Storyboard};
use masa_sim::roads::Roads;
use masa_sim::{Actor, Weather, World};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn data(test: &str) -> Option<PathBuf> {
    data_path("sim/openscenario", test)?.parent().map(Path::to_owned)
}

/// Loads a scenario with the road file that the shared data has under another name.
fn load(data: &Path, name: &str) -> Result<Scenario, Error> {
    let file = data.join("openscenario").join(format!("{name}.xosc"));
    let text = std::fs::read_to_string(&file).unwrap();
    let named = text.split("LogicFile filepath=\"../xodr/").nth(1).and_then(|rest| rest.split('"').next());
    let roads = named.map(|named| data.join(format!("opendrive/esmini_{named}"))).filter(|path| path.exists());
    Scenario::load(&file, &Files { roads, ..Files::default() })
}

struct Run {
    scenario: Arc<Scenario>,
    world: World,
    status: Arc<std::sync::Mutex<masa_sim::openscenario::Status>>,
}

impl Run {
    fn new(scenario: Scenario, step_s: f64) -> Self {
        let network = scenario.roads.as_ref().map(|file| Network::load(file).unwrap()).unwrap_or_default();
        let scenario = Arc::new(scenario);
        let storyboard = Storyboard::new(scenario.clone(), Arc::new(network), None, 9).unwrap();
        let status = storyboard.status();
        let mut world = World::new(Arc::new(Roads::default()), step_s, Weather::default());
        world.add(Box::new(storyboard));
        Self { scenario, world, status }
    }

    /// The actor of an entity when `time_s` has come.
    fn at(&mut self, time_s: f64, entity: &str) -> Actor {
        while self.world.now().time_s < time_s - 1e-9 {
            self.world.step();
        }
        let number = self.scenario.entities.iter().position(|known| known.name == entity).unwrap();
        self.world.now().actor(masa_sim::ActorId::of(9, number as u32)).unwrap().clone()
    }

    /// The reference point of an entity: boxes are centred ahead of it.
    fn reference(&mut self, time_s: f64, entity: &str) -> [f64; 2] {
        let actor = self.at(time_s, entity);
        let [x, y] = self.scenario.entities.iter().find(|known| known.name == entity).unwrap().centre_m;
        let (sin, cos) = actor.pose.yaw_rad.sin_cos();
        [actor.pose.position.x - x * cos + y * sin, actor.pose.position.y - x * sin - y * cos]
    }

    fn ended_s(&self) -> Option<f64> {
        self.status.lock().unwrap().ended_s
    }
}

/// Every file with the reason why it does not load; those without one load and run.
const FILES: [(&str, Option<&str>); 21] = [
    ("acc-test", Some("acc-test.xosc:42: controller \"ACCController\" is not supported")),
    ("cut-in", None),
    ("cut-in_simple", None),
    ("drop-bike", None),
    ("follow_reference", None),
    ("highway_merge", Some("there is no road network ../xodr/soderleden.xodr")),
    ("lane_change", Some("<Trailer> is not supported")),
    ("lane_change_simple", Some("there is no road network ../xodr/curve_r100.xodr")),
    ("ltap-od", None),
    ("parking_lot", Some("<Trailer> is not supported")),
    ("pedestrian", None),
    ("pedestrian_collision", None),
    ("routing-test", Some("there is no road network ../xodr/multi_intersections.xodr")),
    ("slow-lead-vehicle", Some("there is no road network ../xodr/straight_500m_signs.xodr")),
    ("speed-profile", Some("<SpeedProfileAction> is not supported")),
    ("straight_500m", None),
    ("straight_500m_pedestrian", None),
    ("swarm", Some("<TrafficAction> is not supported")),
    ("synchronize", None),
    ("traffic_lights", Some("there is no road network ../xodr/fabriksgatan_traffic_lights.xodr")),
    ("trajectory-test", Some("there is no road network ../xodr/curves_elevation.xodr")),
];

#[test]
fn each_file_loads_or_says_what_it_asks_for_too_much() {
    let Some(data) = data("each_file_loads_or_says_what_it_asks_for_too_much") else { return };
    let mut faults = Vec::new();
    for (name, reason) in FILES {
        match (load(&data, name), reason) {
            (Ok(_), None) => {}
            (Err(error), Some(reason)) if error.to_string().ends_with(reason) => {}
            (Ok(_), Some(_)) => faults.push(format!("{name} loads")),
            (Err(error), _) => faults.push(format!("{name}: {error}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_loads_runs_to_its_end_or_for_a_minute() {
    let Some(data) = data("what_loads_runs_to_its_end_or_for_a_minute") else { return };
    for (name, _) in FILES.iter().filter(|(_, reason)| reason.is_none()) {
        let mut run = Run::new(load(&data, name).unwrap(), 0.05);
        while run.ended_s().is_none() && run.world.now().time_s < 60.0 {
            for actor in &run.world.step().actors {
                let p = actor.pose.position;
                assert!(p.x.is_finite() && p.y.is_finite() && actor.speed_mps.abs() < 60.0, "{name}: {actor:?}");
            }
        }
        println!("{name}: ended {:?} s", run.ended_s());
        for (time, path, transition) in &run.status.lock().unwrap().log {
            println!("   {time:6.2} {transition} {path}");
        }
    }
}

#[test]
fn the_simple_cut_in_is_where_the_file_says() {
    let Some(data) = data("the_simple_cut_in_is_where_the_file_says") else { return };
    let mut run = Run::new(load(&data, "cut-in_simple").unwrap(), 0.01);
    let near = |got: [f64; 2], x: f64, y: f64| {
        assert!((got[0] - x).abs() < 0.06 && (got[1] - y).abs() < 0.02, "{got:?} for {:?}", [x, y]);
    };
    // Lane -1 of this road is 3.07 m wide: its middle lies at -1.535; the other begins 20 m behind, 3.1 m to the left.
    near(run.reference(0.0, "Ego"), 50.0, -1.535);
    near(run.reference(0.0, "OverTaker"), 30.0, 1.565);
    near(run.reference(6.0, "Ego"), 170.0, -1.535);
    near(run.reference(6.0, "OverTaker"), 180.0, 1.565);
    // Boxes: Ego reaches 1.4 + 2.52 ahead, the other 2.52 - 1.45 back. The gap passes 0.4 s at 20 m/s (8 m) when the
    // other is 12.99 m ahead: at (20 + 12.99) / 5 = 6.598 s, seen at 6.60. Half the sinus later it is in the middle.
    near(run.reference(8.1, "OverTaker"), 30.0 + 25.0 * 8.1, 0.015);
    // It brakes at 5 m/s² when the gap is 20 m: (20 + 24.99) / 5 = 8.998 s, less than 0.03 s later for the curved way.
    let braking = run.at(9.2, "OverTaker");
    assert!((braking.acceleration_mps2 + 5.0).abs() < 1e-6 && braking.lights.brake, "{braking:?}");
    near(run.reference(9.7, "OverTaker"), 30.0 + 25.0 * 9.7 - 2.5 * 0.7 * 0.7, -1.535);
    let stopped = run.at(15.0, "OverTaker");
    assert_eq!((stopped.speed_mps, stopped.acceleration_mps2), (0.0, 0.0));
    // The end: 2 s after it stands, which it does 5 s after it began to brake.
    let ended = loop {
        run.world.step();
        if let Some(ended) = run.ended_s() {
            break ended;
        }
        assert!(run.world.now().time_s < 30.0);
    };
    assert!((ended - 16.0).abs() < 0.1, "{ended}");
}
