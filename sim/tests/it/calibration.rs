//! Calibration against what the simulator knows: a pose from the lane markings of a rendered picture.

#![allow(clippy::unwrap_used, reason = "a test")]

use masa_edge_node::perception::georeference::lane_fit::{LaneFitSettings, align};
use masa_edge_node::perception::georeference::{CameraModel, CameraPose, Intrinsics};
use masa_inference::RgbImage;
use masa_sim::random::Seed;
use masa_sim::roads::{EdgeKind, LaneKind, Roads};
use masa_sim::sensors::camera::{self, Camera, CameraSettings, ImageFault, Scene};
use masa_sim::snapshot::Snapshot;
use nalgebra::Vector3;
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
        // The edge lines lie 0.2 m inside the lanes, and nothing nearer than 18 m has a line.
        assert!(off_deg < 0.4, "{turn_deg:?}: {off_deg}° off; {found:?}");
    }
}
