//! One junction in all weathers: `cargo run -p masa-sim --release --example camera_weather -- docs/sim/weather.jpg`.

use masa_sim::sensors::camera::{Camera, CameraModel, CameraPose, CameraSettings, ImageFault, Optics, Scene};
use masa_sim::truth::dataset::write_jpeg;
use masa_sim::truth::place::{self, Around};
use masa_sim::{Roads, Snapshot, Weather, random::Seed};
use nalgebra::Point2;
use std::path::Path;
use std::sync::Arc;

const COLUMNS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let output = std::env::args().nth(1).unwrap_or("weather.jpg".into());
    let day = Weather::default();
    let clean = Optics::default();
    let low_sun = Weather { sun_elevation_deg: 14.0, sun_azimuth_deg: 46.0, ..day };
    // Daylight, overcast, dusk; night, rain, rain at night; fog, glare, dirt.
    let shots = [
        (day, clean),
        (Weather { cloud_cover: 1.0, ..day }, clean),
        (Weather { sun_elevation_deg: -2.0, sun_azimuth_deg: 60.0, ..day }, clean),
        (Weather { sun_elevation_deg: -20.0, ..day }, clean),
        (Weather { rain_mm_per_h: 14.0, road_wetness: 0.9, cloud_cover: 1.0, visibility_m: 4000.0, ..day }, clean),
        (Weather { sun_elevation_deg: -20.0, rain_mm_per_h: 8.0, road_wetness: 0.9, cloud_cover: 1.0, ..day }, clean),
        (Weather { visibility_m: 110.0, ..day }, clean),
        (low_sun, clean),
        (day, Optics { dirt: 0.7, ..clean }),
    ];
    let roads = Roads::shipped("masa")?;
    let scene = Arc::new(Scene::new(&roads, Seed(1)));
    let size = [640, 384];
    let (width, height) = (size[0] * COLUMNS, size[1] * shots.len().div_ceil(COLUMNS));
    let mut sheet = vec![0u8; width * height * 3];
    for (k, (weather, optics)) in shots.into_iter().enumerate() {
        let pose = CameraPose::looking_at([-13.0, -15.0, 7.0], [9.0, 9.0, 1.5]);
        let model = CameraModel::new("weather", pose, 70.0);
        let settings = CameraSettings { background_passes: 4, optics, ..CameraSettings::fixed(model) };
        let mut camera = Camera::new(settings, scene.clone(), Seed(1));
        let around = Around { centre: Point2::new(8.0, 9.0), radius_m: 34.0 };
        let mut actors = place::actors(&roads, &around, 34, &day, &[], &mut Seed(3).stream("weather", 0));
        for actor in actors.iter_mut().filter(|actor| !actor.kind.is_vulnerable() || actor.size.length_m > 1.0) {
            actor.lights.low_beam |= weather.lamps_lit();
        }
        let signals = roads.signals.iter().map(|s| s.states_at(3.0)).collect();
        let snapshot = Snapshot { step: 1, time_s: 3.0, actors, signals, off_programme: Vec::new(), weather };
        let frame = camera.render(&snapshot, ImageFault::None).ok_or("a fixed camera always gives a frame")?;
        let (left, top) = (k % COLUMNS * size[0], k / COLUMNS * size[1]);
        for (y, row) in frame.rgb.chunks(size[0] * 3).enumerate() {
            let at = ((top + y) * width + left) * 3;
            sheet[at..at + row.len()].copy_from_slice(row);
        }
    }
    write_jpeg(Path::new(&output), &sheet, [width as u32, height as u32], 85)?;
    println!("{output}");
    Ok(())
}
