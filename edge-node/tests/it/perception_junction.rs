//! The real junction clip, decoded and detected, through tracking and georeferencing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::perception_support::{CAMERA, Site, data, follow, junction_clip, site};
use masa_edge_node::event::DetectionFrame;
use masa_edge_node::perception::{CalibratedArea, CameraPerception, GroundTrack};
use masa_edge_node::world::site::ZoneKind;
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::Enu;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

const CLIP: &str = "percep/video/OTVision_Cars-Cyclist.mp4";

/// The clip is detected once for all tests of this file.
fn clip(data: &Path) -> &'static [DetectionFrame] {
    static CLIP: OnceLock<Vec<DetectionFrame>> = OnceLock::new();
    CLIP.get_or_init(|| junction_clip(data, None))
}

fn tracks(site: &Site, frames: &[&DetectionFrame]) -> BTreeMap<u32, Vec<GroundTrack>> {
    let mut perception = CameraPerception::new(CAMERA, &site.cameras[0], site.frame).unwrap();
    follow(&mut perception, frames.iter().copied())
}

/// Metres between the first and the last exposed position.
fn moved_m(track: &[GroundTrack]) -> f64 {
    track[0].position.ground_distance_m(&track[track.len() - 1].position)
}

#[test]
fn cyclist_and_both_moving_cars_are_one_track_each_on_the_carriageway() {
    let test = "cyclist_and_both_moving_cars_are_one_track_each_on_the_carriageway";
    let Some(data) = data(test, CLIP) else { return };
    let site = site("otvision-junction", &data);
    let frames: Vec<_> = clip(&data).iter().collect();
    assert_eq!(frames.len(), 60);
    let all = tracks(&site, &frames);
    let moving: Vec<_> = all.values().filter(|t| moved_m(t) > 1.5).collect();
    let classes: Vec<_> = moving.iter().map(|t| t[t.len() - 1].class).collect();
    let cyclists = classes.iter().filter(|c| matches!(c, ObjectClass::Bicycle | ObjectClass::Motorcycle)).count();
    let cars = classes.iter().filter(|c| **c == ObjectClass::Car).count();
    assert_eq!((cyclists, cars, moving.len()), (1, 2, 3), "{classes:?}");
    for track in moving {
        let last = &track[track.len() - 1];
        assert!(last.hits >= 40, "track {} was detected in {} frames only", last.track_id, last.hits);
        assert!(track.iter().all(|t| t.speed_mps() < 60.0 / 3.6), "track {} is too fast", last.track_id);
        // In the last frame the box holds what was detected: nothing of the object was taken for something else.
        let b = last.bounding_box.expect("a camera follows it");
        let d = frames[59].detections[usize::from(last.detection.unwrap())].bounding_box;
        let width = b.x2_px.min(d.x2_px) - b.x1_px.max(d.x1_px);
        let height = b.y2_px.min(d.y2_px) - b.y1_px.max(d.y1_px);
        assert!(width * height > 0.8 * d.area_px2(), "track {}: {b:?} does not hold {d:?}", last.track_id);
        assert!(track.iter().all(|t| site.map.is_in(ZoneKind::Carriageway, t.position)), "track {}", last.track_id);
    }
}

#[test]
fn every_track_stays_on_carriageway_or_pavement() {
    let Some(data) = data("every_track_stays_on_carriageway_or_pavement", CLIP) else { return };
    let site = site("otvision-junction", &data);
    let frames: Vec<_> = clip(&data).iter().collect();
    let mut places = 0;
    for track in tracks(&site, &frames).values() {
        // The survey ends where the calibration does.
        for state in track.iter().filter(|state| state.area == CalibratedArea::Inside) {
            let kinds: Vec<_> = site.map.zones_at(state.position).map(|zone| zone.kind()).collect();
            assert!(!kinds.is_empty(), "track {} ({:?}) at {:?}", state.track_id, state.class, state.position);
            places += 1;
        }
    }
    println!("{places} places of tracks, each on carriageway, pavement, crossing or parking");
    assert!(places > 120, "{places}");
}

#[test]
fn identities_hold_at_half_the_frame_rate() {
    let Some(data) = data("identities_hold_at_half_the_frame_rate", CLIP) else { return };
    let site = site("otvision-junction", &data);
    let frames: Vec<_> = clip(&data).iter().step_by(2).collect();
    let moving: Vec<_> = tracks(&site, &frames).into_values().filter(|t| moved_m(t) > 1.5).collect();
    assert_eq!(moving.len(), 3);
    assert!(moving.iter().all(|t| t[t.len() - 1].hits >= 20));
}

#[test]
fn the_same_frames_give_the_same_tracks_bit_for_bit() {
    let Some(data) = data("the_same_frames_give_the_same_tracks_bit_for_bit", CLIP) else { return };
    let site = site("otvision-junction", &data);
    let frames: Vec<_> = clip(&data).iter().collect();
    assert_eq!(tracks(&site, &frames), tracks(&site, &frames));
}

#[test]
fn reference_points_agree_and_the_sky_has_no_ground() {
    let Some(data) = data("reference_points_agree_and_the_sky_has_no_ground", CLIP) else { return };
    let site = site("otvision-junction", &data);
    let perception = CameraPerception::new(CAMERA, &site.cameras[0], site.frame).unwrap();
    let report = perception.reference_report().unwrap();
    println!("{report:#?}");
    assert_eq!(report.points.len(), 5);
    assert!(report.rms_m < 0.3, "{}", report.rms_m);
    // Without point 3 or 4 the others are too few on one side: the fit puts the point behind its horizon, and says so.
    let left_out: Vec<_> = report.points.iter().map(|p| p.leave_one_out_m.is_some()).collect();
    assert_eq!(left_out, [true, true, false, false, true]);
    let ground = |pixel| perception.georeference().to_ground(pixel, [4.0, 4.0]);
    for point in &report.points {
        let there = ground(point.pixel).unwrap();
        assert!((there.position.ground_distance_m(&point.position) - point.residual_m).abs() < 1e-6);
        assert_eq!(there.area, CalibratedArea::Inside);
        let back = perception.to_pixel(there.position).unwrap();
        assert!((back[0] - point.pixel[0]).hypot(back[1] - point.pixel[1]) < 1e-6);
    }
    assert_eq!(ground([400.0, 10.0]), None);
    assert_eq!(ground([60.0, 62.0]), None);
    assert_eq!(ground([400.0, f64::NAN]), None);
    // Eastward, behind the camera: no pixel.
    assert_eq!(perception.to_pixel(Enu::ground(80.0, 30.0)), None);
}
