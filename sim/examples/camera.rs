//! A picture of a network: `cargo run -p masa-sim --release --example camera -- OUTPUT.png [WEATHER] [MAP] [NUMBERS] [big]`.
//! WEATHER is day, dusk, night, rain or fog; NUMBERS are the camera's place, the place it looks at (x,y,z each, metres), its
//! field of view (degrees) and how many actors, separated by commas.

use masa_sim::sensors::camera::{Camera, CameraModel, CameraPose, CameraSettings, ImageFault, Scene};
use masa_sim::truth::place::{self, Around};
use masa_sim::{Roads, Snapshot, Weather, random::Seed};
use nalgebra::Point2;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let output = arguments.get(1).map_or("camera.png", String::as_str);
    let weather = match arguments.get(2).map(String::as_str) {
        Some("dusk") => Weather { sun_elevation_deg: -2.0, sun_azimuth_deg: 300.0, ..Weather::default() },
        Some("night") => Weather { sun_elevation_deg: -20.0, ..Weather::default() },
        Some("rain") => Weather { rain_mm_per_h: 15.0, road_wetness: 0.9, cloud_cover: 1.0, ..Weather::default() },
        Some("fog") => Weather { visibility_m: 90.0, ..Weather::default() },
        _ => Weather::default(),
    };
    let map = arguments.get(3).map_or("masa", String::as_str);
    let numbers: Vec<f64> = arguments.get(4).map_or(vec![-13.0, -15.0, 7.0, 8.0, 9.0, 0.0, 70.0, 30.0], |t| {
        t.split(',').map(|v| v.parse().unwrap_or(0.0)).collect()
    });
    let roads = Roads::shipped(map).or_else(|_| Roads::load(map))?;
    let scene = Arc::new(Scene::new(&roads, Seed(1)));
    let n = &numbers;
    let pose = CameraPose::looking_at([n[0], n[1], n[2]], [n[3], n[4], n[5]]);
    let model =
        CameraModel::with_size("demo", pose, n[6], if arguments.get(5).is_some() { [1280, 768] } else { [640, 384] });
    let mut camera =
        Camera::new(CameraSettings { background_passes: 4, ..CameraSettings::fixed(model) }, scene, Seed(1));
    let around = Around { centre: Point2::new(n[3], n[4]), radius_m: 34.0 };
    let mut rng = Seed(3).stream("example", 0);
    let actors = place::actors(&roads, &around, n[7] as usize, &weather, &[], &mut rng);
    let signals = roads.signals.iter().map(|s| s.states_at(3.0)).collect();
    let snapshot = Snapshot { step: 1, time_s: 3.0, actors, signals, off_programme: Vec::new(), weather };
    let frame = camera.render(&snapshot, ImageFault::None).ok_or("no frame")?;
    println!("{} actors in view", frame.actors.len());
    image::save_buffer(output, &frame.rgb, frame.size_px[0], frame.size_px[1], image::ColorType::Rgb8)?;
    Ok(())
}
