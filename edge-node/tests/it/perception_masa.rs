//! Georeferencing against what the real MASA cameras recorded in Modena.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::perception_support::{data, site};
use masa_edge_node::perception::georeference::{Georeference, GeoreferenceSettings, masa};
use masa_v2x_proto::geo::Enu;

const RECORDING: &str = "percep/masa/masa_20939_workflow.in";

#[test]
fn recorded_positions_are_met_on_tracks_that_the_fit_did_not_see() {
    let test = "recorded_positions_are_met_on_tracks_that_the_fit_did_not_see";
    let Some(data) = data(test, RECORDING) else { return };
    let site = site("masa-modena", &data);
    let camera = site.cameras.iter().find(|c| c.id == "20939").unwrap();
    let GeoreferenceSettings::ProjectionMatrix(settings) = &camera.georeference else { panic!("not a matrix") };
    let report =
        masa::evaluate(&data.join(RECORDING), &camera.id, settings, camera.image_size_px, &site.frame).unwrap();
    println!("{report:#?}");
    // The recording truncates map pixels of 0.10 m × 0.10 m: half a diagonal, 0.07 m, cannot be undercut.
    assert!(report.held_out.samples > 1000 && report.held_out.unmapped == 0);
    assert!(report.held_out.median_m < 0.06, "{:?}", report.held_out);
    assert!(report.held_out.p95_m < 0.12, "{:?}", report.held_out);
    assert!(report.fitted.median_m < 0.06, "{:?}", report.fitted);
    // The geotransform in the site file is the one that the fit finds.
    assert!(report.configured.p95_m < 0.12, "{:?}", report.configured);
    // And the recording did project truncated box centres: nothing else comes near.
    assert!(report.held_out_exact_centre.p95_m > 3.0 * report.held_out.p95_m);
    assert!(report.held_out_contact_point.median_m > 10.0 * report.held_out.median_m);
}

#[test]
fn every_modena_camera_maps_its_image_to_the_ground_and_back() {
    let test = "every_modena_camera_maps_its_image_to_the_ground_and_back";
    let Some(data) = data(test, RECORDING) else { return };
    let site = site("masa-modena", &data);
    assert_eq!(site.cameras.len(), 14);
    for camera in &site.cameras {
        let georeference =
            Georeference::new(&camera.id, &camera.georeference, camera.image_size_px, &site.frame).unwrap();
        let [width, height] = camera.image_size_px.map(f64::from);
        let mut mapped = 0;
        for (column, row) in (0..=8).flat_map(|c| (0..=8).map(move |r| (c, r))) {
            let pixel = [width * f64::from(column) / 8.0, height * f64::from(row) / 8.0];
            let Some(ground) = georeference.to_ground(pixel, [4.0, 4.0]) else { continue };
            mapped += 1;
            // The area: all cameras stand within 700 m of the origin, and nothing is seen further than 1 km.
            assert!(ground.position.ground_distance_m(&Enu::default()) < 1500.0, "{} {pixel:?} {ground:?}", camera.id);
            let back = georeference.to_pixel(ground.position).unwrap();
            let off = (back[0] - pixel[0]).hypot(back[1] - pixel[1]);
            assert!(off < 0.01, "{} {pixel:?} comes back as {back:?}", camera.id);
        }
        assert!(mapped > 40, "{}: {mapped} of 81 pixels show ground", camera.id);
    }
}
