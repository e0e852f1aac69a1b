//! Frames and their truth together: boxes, occlusion, formats, determinism.

use super::coco::{Asked, Coco};
use super::{FrameTruth, kitti, mot};
use crate::actor::{Actor, ActorId, ActorKind, Lights, Pose, Role};
use crate::geometry::Polyline;
use crate::random::Seed;
use crate::roads::{Building, Lane, Roads};
use crate::sensors::camera::{Camera, CameraModel, CameraPose, CameraSettings, Frame, ImageFault, Mount, Scene};
use crate::snapshot::Snapshot;
use nalgebra::{Point2, Point3};
use std::sync::Arc;

/// A straight road along x with one building beside it.
fn roads() -> Roads {
    let centre = Polyline::new([Point3::new(-60.0, 0.0, 0.0), Point3::new(60.0, 0.0, 0.0)]);
    let lane = Lane { width_m: 3.5, centre, length_m: 120.0, speed_limit_mps: 13.9, ..Lane::default() };
    let outline = [(-3.0, 12.0), (3.0, 12.0), (3.0, 16.0), (-3.0, 16.0)].map(|(x, y)| Point2::new(x, y)).to_vec();
    Roads { lanes: vec![lane], buildings: vec![Building { outline, height_m: 8.0 }], ..Roads::default() }
}

fn actor(number: u32, kind: ActorKind, x: f64, y: f64, yaw_rad: f64) -> Actor {
    Actor {
        id: ActorId::of(1, number),
        kind,
        role: Role::Ordinary,
        pose: Pose { position: Point3::new(x, y, 0.0), yaw_rad, pitch_rad: 0.0 },
        speed_mps: 3.0,
        acceleration_mps2: 0.0,
        yaw_rate_rps: 0.0,
        size: kind.usual_size(),
        lights: Lights::default(),
        appearance: number,
        on_lane: None,
        connected: false,
    }
}

/// A camera 20 m south of the road that looks north, level.
fn model() -> CameraModel {
    let pose = CameraPose { position_m: [0.0, -20.0, 3.0], yaw_deg: 90.0, pitch_deg: 0.0, roll_deg: 0.0 };
    CameraModel::with_size("south", pose, 60.0, [320, 192])
}

fn camera() -> Camera {
    Camera::new(CameraSettings::fixed(model()), Arc::new(Scene::new(&roads(), Seed(1))), Seed(1))
}

fn shoot(actors: Vec<Actor>) -> (Frame, FrameTruth) {
    let snapshot = Snapshot { actors, ..Snapshot::default() };
    let frame = camera().render(&snapshot, ImageFault::None).unwrap();
    let truth = FrameTruth::new(&frame, &model(), &snapshot);
    (frame, truth)
}

#[test]
fn a_free_car_fills_its_projected_box() {
    let (frame, truth) = shoot(vec![actor(1, ActorKind::Car, 2.0, 0.0, 0.0)]);
    let [car] = &truth.actors[..] else { panic!("{truth:?}") };
    let (seen, full) = (car.visible_px.unwrap(), car.full_px.unwrap());
    assert_eq!((car.visible, car.truncated), (1.0, 0.0));
    // The silhouette lies in the 3D box and comes close to its sides; mirrors and rounded corners make the difference.
    for side in 0..4 {
        assert!((seen[side] - full[side]).abs() < 6.0, "{seen:?} {full:?}");
    }
    assert!((car.distance_m - (2.0f64.hypot(20.0)).hypot(3.0 - 0.75)).abs() < 1e-9);
    assert!((car.in_camera_m.x - 2.0).abs() < 1e-9 && (car.in_camera_m.z - 20.0).abs() < 1e-9);
    // The instance picture says the same as the box, and depth is where the car is.
    let at = (96 + 31) * 320 + 187;
    assert_eq!(frame.instance[at], ActorId::of(1, 1).0);
    assert!((frame.depth_m[at] - 19.1).abs() < 0.7, "{}", frame.depth_m[at]);
}

#[test]
fn nothing_has_a_box_through_a_wall() {
    let behind = actor(1, ActorKind::Adult, 0.0, 20.0, 0.0);
    let beside = actor(2, ActorKind::Adult, 6.0, 20.0, 0.0);
    let (frame, truth) = shoot(vec![behind, beside]);
    let of = |number| truth.actors.iter().find(|a| a.id == ActorId::of(1, number)).unwrap();
    assert_eq!((of(1).visible_px, of(1).visible), (None, 0.0));
    assert!(of(2).visible > 0.75, "{}", of(2).visible);
    assert!(!frame.instance.contains(&ActorId::of(1, 1).0));
    let mut coco = Coco::new();
    coco.add("a.jpg", &truth, &Asked::default());
    let file: serde_json::Value = serde_json::from_str(&coco.to_json()).unwrap();
    let annotations = file["annotations"].as_array().unwrap();
    assert_eq!(annotations.len(), 1);
    assert_eq!((annotations[0]["category_id"].as_u64(), annotations[0]["image_id"].as_u64()), (Some(1), Some(1)));
    let bbox = annotations[0]["bbox"].as_array().unwrap();
    let seen = of(2).visible_px.unwrap();
    assert_eq!(bbox[2].as_f64().unwrap(), seen[2] - seen[0]);
}

#[test]
fn who_is_half_hidden_is_about_half_visible_and_who_is_cut_is_truncated() {
    // A van hides the rear half of a bus behind it; another bus leaves the picture.
    let actors = vec![
        actor(1, ActorKind::Bus, 0.0, 6.0, 0.0),
        actor(2, ActorKind::Truck, -3.6, 0.0, 0.0),
        actor(3, ActorKind::Bus, 14.0, 0.0, 0.0),
    ];
    let (_, truth) = shoot(actors);
    let of = |number| truth.actors.iter().find(|a| a.id == ActorId::of(1, number)).unwrap();
    assert!((0.2..0.7).contains(&of(1).visible), "{}", of(1).visible);
    assert!((0.3..0.95).contains(&of(3).truncated), "{}", of(3).truncated);
    // A lamp post may stand before it.
    assert!(of(2).visible > 0.75, "{}", of(2).visible);
}

#[test]
fn mot_and_kitti_lines_say_what_the_truth_says() {
    let (frame, truth) =
        shoot(vec![actor(7, ActorKind::Car, 2.0, 0.0, 0.0), actor(8, ActorKind::Cone, -4.0, -3.0, 0.0)]);
    let car = truth.actors[0].visible_px.unwrap();
    let text = mot::ground_truth(std::slice::from_ref(&truth), 0.1);
    let lines: Vec<Vec<f64>> = text.lines().map(|l| l.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0][0], lines[0][1], lines[0][6], lines[0][7]), (1.0, f64::from(ActorId::of(1, 7).0), 1.0, 3.0));
    assert!((lines[0][2] - car[0]).abs() < 0.06 && (lines[0][4] - (car[2] - car[0])).abs() < 0.06);
    assert_eq!((lines[1][6], lines[1][7]), (0.0, 8.0));
    assert!(mot::sequence_info("s", 10, 20.0, [320, 192]).contains("seqLength=10\nimWidth=320"));
    let text = kitti::tracking(&[(truth, frame.pose)]);
    let fields: Vec<&str> = text.lines().next().unwrap().split(' ').collect();
    assert_eq!((fields.len(), fields[0], fields[2]), (17, "0", "Car"));
    // It looks right, as seen from the camera: rotation 0. Its foot is 3 m below the camera, 2 m right, 20 m ahead.
    let number = |k: usize| fields[k].parse::<f64>().unwrap();
    assert!(
        number(16).abs() < 1e-3
            && (number(13) - 2.0).abs() < 1e-3
            && (number(14) - 3.0).abs() < 1e-3
            && (number(15) - 20.0).abs() < 1e-3
    );
    assert!((number(5) + 2.0f64.atan2(20.0)).abs() < 1e-3);
}

#[test]
fn the_same_world_gives_the_same_bytes_on_any_number_of_threads() {
    let actors = vec![actor(1, ActorKind::Car, 2.0, 0.0, 0.0), actor(2, ActorKind::Bicycle, -3.0, 1.0, 3.1)];
    let snapshot = Snapshot { actors, ..Snapshot::default() };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| camera().render(&snapshot, ImageFault::None).unwrap())
    };
    assert_eq!(on(1), on(2));
    let next = Snapshot { step: 1, ..snapshot.clone() };
    // Noise differs from frame to frame.
    assert_ne!(camera().render(&next, ImageFault::None).unwrap().rgb, on(1).rgb);
}

#[test]
fn faults_show_in_the_picture() {
    let mut camera = camera();
    let mut at = |step: u64, x: f64, fault| {
        let snapshot = Snapshot { step, actors: vec![actor(1, ActorKind::Car, x, 0.0, 0.0)], ..Snapshot::default() };
        camera.render(&snapshot, fault).unwrap()
    };
    let first = at(0, 0.0, ImageFault::None);
    let frozen = at(1, 5.0, ImageFault::Frozen);
    assert_eq!(first.rgb, frozen.rgb);
    assert_ne!(first.instance, frozen.instance);
    let dark = at(2, 5.0, ImageFault::Dark);
    let mean = |rgb: &[u8]| rgb.iter().map(|v| f64::from(*v)).sum::<f64>() / rgb.len() as f64;
    assert!(mean(&dark.rgb) < 12.0 && mean(&first.rgb) > 50.0, "{} {}", mean(&dark.rgb), mean(&first.rgb));
    let moved = at(3, 0.0, ImageFault::Moved { yaw_deg: 2.0, pitch_deg: 0.0, roll_deg: 0.0 });
    // 2° of a focal length of 277 px: everything moves right by 9.7 px.
    let left = |f: &Frame| f.actors[0].visible_px.unwrap()[0];
    assert!((left(&moved) - left(&first) - 9.7).abs() < 1.1, "{} {}", left(&moved), left(&first));
}

#[test]
fn a_camera_on_a_car_goes_along_and_does_not_see_its_car() {
    let pose = CameraPose { position_m: [0.5, 0.0, 1.4], yaw_deg: 0.0, pitch_deg: 0.0, roll_deg: 0.0 };
    let model = CameraModel::with_size("on-board", pose, 60.0, [320, 192]);
    let settings = CameraSettings { mount: Mount::On(ActorId::of(1, 1)), ..CameraSettings::fixed(model) };
    let mut camera = Camera::new(settings, Arc::new(Scene::new(&roads(), Seed(1))), Seed(1));
    let actors = vec![actor(1, ActorKind::Car, -30.0, 0.0, 0.0), actor(2, ActorKind::Car, -10.0, 0.0, 0.0)];
    let snapshot = Snapshot { actors, ..Snapshot::default() };
    let frame = camera.render(&snapshot, ImageFault::None).unwrap();
    assert_eq!(frame.actors.iter().map(|a| a.id).collect::<Vec<_>>(), [ActorId::of(1, 2)]);
    assert_eq!(frame.pose.position_m, [-29.5, 0.0, 1.4]);
    assert!(camera.render(&Snapshot::default(), ImageFault::None).is_none());
}

/// Pixels that differ between two pictures: left, top, right, bottom, and how many.
fn changed(a: &Frame, b: &Frame) -> Option<([usize; 4], usize)> {
    let pixels = a.rgb.chunks(3).zip(b.rgb.chunks(3)).enumerate().filter(|(_, (a, b))| a != b);
    let places: Vec<[usize; 2]> = pixels.map(|(at, _)| [at % 320, at / 320]).collect();
    let of = |axis: usize| places.iter().map(move |place| place[axis]);
    Some(([of(0).min()?, of(1).min()?, of(0).max()?, of(1).max()?], places.len()))
}

#[test]
fn what_moves_while_the_shutter_is_open_is_blurred_along_its_way_and_its_truth_is_not() {
    let shot = |exposure_ms: f64, speed_mps: f64| {
        let mut settings = CameraSettings::fixed(model());
        settings.optics.exposure_ms = exposure_ms;
        let mut camera = Camera::new(settings, Arc::new(Scene::new(&roads(), Seed(1))), Seed(1));
        let car = Actor { speed_mps, ..actor(1, ActorKind::Car, 2.0, 0.0, 0.0) };
        camera.render(&Snapshot { actors: vec![car], ..Snapshot::default() }, ImageFault::None).unwrap()
    };
    let (sharp, blurred) = (shot(0.0, 15.0), shot(40.0, 15.0));
    assert_eq!((&sharp.instance, &sharp.actors), (&blurred.instance, &blurred.actors));
    // 0.6 m in 20 m at a focal length of 277 px are 8.3 px: half of it on either side of the car's box.
    let [left, top, right, bottom] = sharp.actors[0].visible_px.unwrap();
    let ([x1, y1, x2, y2], count) = changed(&sharp, &blurred).unwrap();
    assert!((x1 as f64 - (left - 4.1)).abs() < 2.0 && (x2 as f64 + 1.0 - (right + 4.1)).abs() < 2.0, "{x1} {x2}");
    assert!(y1 as f64 > top - 2.0 && (y2 as f64) < bottom + 2.0 && count > 500, "{y1} {y2} {count}");
    assert_eq!(changed(&shot(0.0, 0.0), &shot(40.0, 0.0)), None, "what stands is as sharp as ever");
    assert_eq!(shot(40.0, 15.0).rgb, blurred.rgb);
}

#[test]
fn a_moving_camera_blurs_what_stands() {
    let pose = CameraPose { position_m: [0.5, 0.0, 1.4], yaw_deg: 0.0, pitch_deg: 0.0, roll_deg: 0.0 };
    let shot = |exposure_ms: f64, speed_mps: f64| {
        let model = CameraModel::with_size("on-board", pose, 60.0, [320, 192]);
        let mut settings = CameraSettings { mount: Mount::On(ActorId::of(1, 1)), ..CameraSettings::fixed(model) };
        settings.optics.exposure_ms = exposure_ms;
        let mut camera = Camera::new(settings, Arc::new(Scene::new(&roads(), Seed(1))), Seed(1));
        let frames = [0u64, 1].map(|step| {
            let time_s = 0.1 * step as f64;
            let carrier = actor(1, ActorKind::Car, -30.0 + speed_mps * (time_s - 0.1), 0.0, 0.0);
            camera.render(&Snapshot { actors: vec![carrier], step, time_s, ..Snapshot::default() }, ImageFault::None)
        });
        frames.into_iter().flatten().last().unwrap()
    };
    let (_, count) = changed(&shot(0.0, 20.0), &shot(40.0, 20.0)).unwrap();
    assert!(count > 5_000, "{count} of {}", 320 * 192);
    assert_eq!(changed(&shot(0.0, 0.0), &shot(40.0, 0.0)), None);
}
