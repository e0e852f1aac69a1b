//! Prints how perception does on real data: tracks of the junction clip, positions of the MASA recording.
//!
//! `cargo run --example perception_figures [-- TRACKS.csv [SCORE]]` with the test data in `MASA_TEST_DATA`. The table of
//! track states goes to TRACKS.csv, for plots; SCORE replaces the model description's threshold.

#[path = "../tests/it/perception_support/mod.rs"]
mod perception_support;

use masa_edge_node::perception::georeference::{GeoreferenceSettings, masa};
use masa_edge_node::perception::{CameraPerception, GroundTrack};
use masa_edge_node::world::site::ZoneKind;
use perception_support::{CAMERA, data, follow, junction_clip, site};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let csv = arguments.next();
    let score = arguments.next().and_then(|text| text.parse().ok());
    let Some(data) = data("perception_figures", "percep/video/OTVision_Cars-Cyclist.mp4") else { return };
    modena(&data);
    junction(&data, csv.as_deref(), score);
}

fn modena(data: &Path) {
    let site = site("masa-modena", data);
    let camera = site.cameras.iter().find(|c| c.id == "20939").expect("the site file has camera 20939");
    let GeoreferenceSettings::ProjectionMatrix(settings) = &camera.georeference else { return };
    let recording = data.join("percep/masa/masa_20939_workflow.in");
    match masa::evaluate(&recording, &camera.id, settings, camera.image_size_px, &site.frame) {
        Ok(report) => println!("{report:#?}"),
        Err(error) => println!("{error}"),
    }
}

fn junction(data: &Path, csv: Option<&str>, score: Option<f32>) {
    let site = site("otvision-junction", data);
    let mut perception = CameraPerception::new(CAMERA, &site.cameras[0], site.frame).expect("the site file is tested");
    println!("{:#?}", perception.reference_report());
    let frames = junction_clip(data, score);
    let tracks = follow(&mut perception, &frames);
    println!("track class        votes hits frames      moved m  km/h first/median/max   on carriageway");
    for (id, states) in &tracks {
        let last = &states[states.len() - 1];
        let mut speeds: Vec<f64> = states.iter().map(|t| t.speed_mps() * 3.6).collect();
        let first = speeds[0];
        speeds.sort_by(f64::total_cmp);
        let on = states.iter().filter(|t| site.map.is_in(ZoneKind::Carriageway, t.position)).count();
        println!(
            "{id:5} {:12} {:.2} {:4} {:3}..{:3} {:9.1}   {first:6.1} {:6.1} {:6.1}   {on}/{}",
            format!("{:?}", last.class),
            last.class_confidence,
            last.hits,
            last.first_event.seq,
            last.frame,
            states[0].position.ground_distance_m(&last.position),
            speeds[speeds.len() / 2],
            speeds[speeds.len() - 1],
            states.len(),
        );
    }
    println!("{:?}", perception.counters());
    if let Some(path) = csv
        && let Err(error) = std::fs::write(path, table(&tracks))
    {
        println!("{path}: {error}");
    }
}

fn table(tracks: &BTreeMap<u32, Vec<GroundTrack>>) -> String {
    let mut text = String::from("track,class,at_ns,frame,x1,y1,x2,y2,e,n,ee,en,nn,ve,vn,yaw,area\n");
    for t in tracks.values().flatten() {
        let (Some(b), c) = (t.bounding_box, t.covariance) else { continue };
        let _ = writeln!(
            text,
            "{},{:?},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{:?}",
            t.track_id,
            t.class,
            t.state_at.unix_ns(),
            t.frame,
            b.x1_px,
            b.y1_px,
            b.x2_px,
            b.y2_px,
            t.position.e_m,
            t.position.n_m,
            c.ee_m2,
            c.en_m2,
            c.nn_m2,
            t.velocity_e_mps,
            t.velocity_n_mps,
            t.yaw_rad.map_or(String::new(), |yaw| yaw.to_string()),
            t.area,
        );
    }
    text
}
