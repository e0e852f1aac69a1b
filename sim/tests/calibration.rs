//! Calibration against what the simulator knows: a pose from the lane markings of a rendered picture, a pose from traffic.

#![allow(clippy::unwrap_used, reason = "a test")]

use masa_edge_node::perception::georeference::lane_fit::{LaneFitSettings, align};
use masa_edge_node::perception::georeference::{CameraModel, CameraPose, Intrinsics};
use masa_inference::{EngineSettings, RgbImage};
use masa_sim::random::Seed;
use masa_sim::roads::{EdgeKind, LaneKind, Roads};
use masa_sim::run::{Perception, RunOptions, run};
use masa_sim::scenario::Scenario;
use masa_sim::sensors::camera::{self, Camera, CameraSettings, ImageFault, Scene};
use masa_sim::snapshot::Snapshot;
use nalgebra::Vector3;
use std::path::Path;
use std::sync::Arc;

/// Both sides of each lane of a map.
fn borders_m(roads: &Roads) -> Vec<Vec<[f64; 2]>> {
    let is_road = |kind: EdgeKind| kind == EdgeKind::Road;
    let lanes = roads.lanes.iter().filter(|lane| {
        matches!(lane.kind, LaneKind::Driving | LaneKind::Bicycle)
            && roads.edges.get(lane.edge.index()).is_some_and(|edge| is_road(edge.kind))
    });
    let side = |lane: &masa_sim::roads::Lane, share: f64| {
        lane.centre.beside(lane.width_m * share).points().iter().map(|p| [p.x, p.y]).collect()
    };
    lanes.flat_map(|lane| [side(lane, 0.5), side(lane, -0.5)]).collect()
}

#[test]
fn a_rendered_street_tells_the_pose_that_was_two_degrees_off() {
    let roads = Roads::shipped("masa").unwrap();
    let pose = camera::CameraPose::looking_at([14.5, -13.5, 7.0], [-10.0, 2.0, 0.0]);
    let rendered = camera::CameraModel::with_size("west", pose, 70.0, [960, 576]);
    let focal_px = rendered.focal_length_px[0];
    let mut eye = Camera::new(CameraSettings::fixed(rendered), Arc::new(Scene::new(&roads, Seed(3))), Seed(3));
    let frame = eye.render(&Snapshot::default(), ImageFault::None).unwrap();
    let image = RgbImage::new(960, 576, frame.rgb).unwrap();

    let camera::CameraPose { position_m, yaw_deg, pitch_deg, roll_deg } = pose;
    let truth = CameraPose { position_m, yaw_deg, pitch_deg, roll_deg };
    let truth = CameraModel::new(&truth, &Intrinsics::pinhole([960, 576], focal_px), [960, 576]);
    for turn_deg in [[0.0, 2.0, 0.0], [0.0, -2.0, 0.0], [1.4, -1.4, 0.0], [-1.5, 1.0, 0.5]] {
        let rough = truth.turned(Vector3::from(turn_deg).map(f64::to_radians));
        let found = align(&image, &borders_m(&roads), &rough, 0.0, &LaneFitSettings::default()).unwrap();
        let off_deg = found.model.turn_to(&truth).norm().to_degrees();
        println!("{turn_deg:?}: {off_deg:.3}° off, {:?} points on markings, {:.2} px", found.matched, found.rms_px);
        assert!(off_deg < 0.25, "{turn_deg:?}: {off_deg}° off; {found:?}");
    }
}

#[test]
fn traffic_tells_where_a_turned_camera_looks_and_the_alarm_comes_first() {
    let scenario = Scenario::open("camera-turned-recovers").unwrap();
    // Boxes from the world: the pictures tell nothing here, lanes and CAMs tell everything.
    let options = RunOptions {
        seed: None,
        threads: 1,
        perception: Perception::GroundTruth,
        model: Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/demo/detector.toml"),
        engine: EngineSettings::default(),
    };
    let outcome = run(&scenario, &options).unwrap();
    for verdict in &outcome.verdicts {
        println!("{}: {}", verdict.name, verdict.actual);
        assert!(verdict.passed, "{}: {}", verdict.name, verdict.actual);
    }
}
