//! Frames a second of a fixed and of a moving camera over a junction with 30 actors at 640×384, on one core:
//! `RAYON_NUM_THREADS=1 cargo run -p masa-sim --release --example camera_speed`. Processor time is what counts, since other
//! programs may share the machine.

use masa_sim::sensors::camera::{Camera, CameraModel, CameraPose, CameraSettings, ImageFault, Mount, Scene};
use masa_sim::truth::place::{self, Around};
use masa_sim::{ActorKind, Roads, Snapshot, Weather, random::Seed};
use nalgebra::Point2;
use std::sync::Arc;

/// Processor time of all threads so far, seconds (Linux; elsewhere 0).
fn processor_s() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of = |text: String| text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok());
    tasks.filter_map(|task| of(std::fs::read_to_string(task.path().join("schedstat")).ok()?)).sum::<f64>() / 1e9
}

#[expect(clippy::disallowed_methods, reason = "it measures wall time")]
fn measure(what: &str, camera: &mut Camera, snapshot: &Snapshot, frames: u32) {
    let mut snapshot = snapshot.clone();
    let step = |snapshot: &mut Snapshot| {
        snapshot.step += 1;
        snapshot.time_s += 0.05;
        for actor in &mut snapshot.actors {
            let ahead = nalgebra::Vector3::new(actor.pose.yaw_rad.cos(), actor.pose.yaw_rad.sin(), 0.0);
            actor.pose.position += ahead * (actor.speed_mps * 0.01);
        }
    };
    let shown = camera.render(&snapshot, ImageFault::None).map_or(0, |frame| frame.actors.len());
    let (wall, processor) = (std::time::Instant::now(), processor_s());
    for _ in 0..frames {
        step(&mut snapshot);
        std::hint::black_box(camera.render(&snapshot, ImageFault::None));
    }
    let (wall, processor) = (wall.elapsed().as_secs_f64(), processor_s() - processor);
    let rate = |seconds: f64| f64::from(frames) / seconds;
    println!(
        "{what:<34} {shown:>3} actors in view {:>7.1} frames/s of processor time {:>7.1} of wall time",
        rate(processor),
        rate(wall)
    );
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let roads = Roads::shipped("masa")?;
    let scene = Arc::new(Scene::new(&roads, Seed(1)));
    let around = Around { centre: Point2::new(8.0, 9.0), radius_m: 34.0 };
    let pose = CameraPose::looking_at([-13.0, -15.0, 7.0], [8.0, 9.0, 0.0]);
    // Actors one by one until 30 are in view.
    for (name, weather) in
        [("day", Weather::default()), ("night", Weather { sun_elevation_deg: -20.0, ..Weather::default() })]
    {
        let mut camera =
            Camera::new(CameraSettings::fixed(CameraModel::new("fixed", pose, 70.0)), scene.clone(), Seed(1));
        let signals: Vec<_> = roads.signals.iter().map(|s| s.states_at(3.0)).collect();
        let snapshot = (30..120)
            .find_map(|count| {
                let actors = place::actors(&roads, &around, count, &weather, &[], &mut Seed(3).stream("speed", 0));
                let signals = signals.clone();
                let snapshot = Snapshot { step: 0, time_s: 3.0, actors, signals, off_programme: Vec::new(), weather };
                let seen = camera
                    .render(&snapshot, ImageFault::None)?
                    .actors
                    .iter()
                    .filter(|a| a.visible_px.is_some())
                    .count();
                (seen >= 30).then_some(snapshot)
            })
            .ok_or("no 30 actors fit into view")?;
        measure(&format!("fixed camera, {name}"), &mut camera, &snapshot, 200);
        let carrier = snapshot.actors.iter().find(|a| a.kind == ActorKind::Car).ok_or("no car")?.id;
        let on_board = CameraPose { position_m: [0.5, 0.0, 1.4], yaw_deg: 0.0, pitch_deg: -3.0, roll_deg: 0.0 };
        let settings = CameraSettings {
            mount: Mount::On(carrier),
            ..CameraSettings::fixed(CameraModel::new("on-board", on_board, 70.0))
        };
        measure(&format!("camera on a car, {name}"), &mut Camera::new(settings, scene.clone(), Seed(1)), &snapshot, 40);
    }
    Ok(())
}
