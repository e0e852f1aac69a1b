//! What leaves a node, searched for faces and plates by networks that the node does not know.

#![allow(clippy::unwrap_used)]

use crate::perception_support;
use masa_edge_node::perception::privacy::{FinderModel, FinderSettings, Look, PrivacySettings};
use masa_edge_node::run::search::{Emission, Find, SearchReport, SearchSettings, Searcher, Sequence, Trait, search};
use masa_edge_node::sources::camera::{
    AtEnd, CameraSourceSettings, FileSettings, FolderSettings, FolderTimes, Pace, QueueSettings,
};
use masa_inference::{EngineKind, EngineSettings};
use std::path::{Path, PathBuf};

/// Least score of what counts as found.
const LEAST_SCORE: f32 = 0.6;

fn model(data: &Path, description: &str, file: &str) -> FinderModel {
    let descriptions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/models");
    FinderModel {
        model: descriptions.join(format!("{description}.toml")),
        model_file: Some(data.join("percep/models").join(format!("{file}.onnx"))),
    }
}

fn face(data: &Path) -> FinderModel {
    model(data, "face_detection_yunet_2026may", "face_detection_yunet_2026may")
}

fn plate(data: &Path) -> FinderModel {
    model(data, "clp_det", "clp_det")
}

/// A node without finders, and both searchers.
fn settings(data: &Path) -> SearchSettings {
    let mut engine = EngineSettings::default();
    if let Some(library) = std::env::var_os("MASA_ONNXRUNTIME").map(PathBuf::from) {
        engine = EngineSettings { engine: EngineKind::Onnxruntime, library: Some(library), ..engine };
    }
    SearchSettings {
        detector: model(data, "yolox_nano_coco_416_birds_eye", "yolox_nano_coco_416"),
        privacy: PrivacySettings::default(),
        engine,
        searchers: vec![
            Searcher { what: Trait::Face, model: face(data), least_score: LEAST_SCORE },
            Searcher { what: Trait::Plate, model: plate(data), least_score: LEAST_SCORE },
        ],
        sizes_px: vec![640, 1280],
        every: 20,
        sequence: Sequence::Video,
        emission: Emission::Anonymised,
        truth: None,
        save: None,
    }
}

fn stills(data: &Path) -> CameraSourceSettings {
    CameraSourceSettings::Folder(FolderSettings {
        path: data.join("percep/images"),
        times: FolderTimes::FrameRate { hz: 10.0 },
        pace: Pace::AsFastAsPossible,
        at_end: AtEnd::Stop,
        start_at: None,
        queue: QueueSettings::default(),
    })
}

fn search_stills(data: &Path, settings: SearchSettings) -> SearchReport {
    let mut settings = SearchSettings { sequence: Sequence::Stills, ..settings };
    settings.privacy.warm_up_s = 0.0;
    search(stills(data), &settings).unwrap()
}

fn count(finds: &[Find], what: Trait) -> usize {
    finds.iter().filter(|find| find.what == what).count()
}

#[test]
fn no_face_and_no_plate_is_found_in_street_pictures_as_they_would_leave() {
    let test = "no_face_and_no_plate_is_found_in_street_pictures_as_they_would_leave";
    let Some(data) = perception_support::data(test, "percep/images") else { return };
    let report = search_stills(&data, settings(&data));
    assert_eq!((report.emitted, report.searched), (report.pictures, report.pictures));
    assert!(count(&report.in_raw, Trait::Face) >= 4, "the search finds what there is: {:?}", report.in_raw);
    assert_eq!(report.in_emitted, []);

    // The same search of the pictures as they are: this is what the line above would say if nothing were covered.
    let raw = search_stills(&data, SearchSettings { emission: Emission::Raw, ..settings(&data) });
    assert!(count(&raw.in_emitted, Trait::Face) >= 4);
}

/// With both finders in the node, which look at what is about to leave until it is clean, the cells themselves are taken for
/// nothing either.
#[test]
fn with_finders_that_look_until_a_picture_is_clean_nothing_is_left() {
    let test = "with_finders_that_look_until_a_picture_is_clean_nothing_is_left";
    let Some(data) = perception_support::data(test, "percep/images") else { return };
    let mut settings = settings(&data);
    settings.privacy.finders = FinderSettings {
        face: Some(face(&data)),
        plate: Some(plate(&data)),
        look: Look::UntilClean { times: 6 },
        sizes_px: settings.sizes_px.clone(),
        ..FinderSettings::default()
    };
    let report = search_stills(&data, settings);
    assert!(count(&report.in_raw, Trait::Face) > 5, "{:?}", report.in_raw);
    assert_eq!(report.emitted, report.pictures, "all become clean");
    assert_eq!(report.in_emitted, []);
}

#[test]
fn no_face_and_no_plate_is_found_in_clips_as_they_would_leave() {
    let test = "no_face_and_no_plate_is_found_in_clips_as_they_would_leave";
    for clip in ["OTVision_Cars-Cyclist.mp4", "intel_car-detection.mp4"] {
        let Some(data) = perception_support::data(test, &format!("percep/video/{clip}")) else { continue };
        let source =
            FileSettings { pace: Pace::AsFastAsPossible, ..FileSettings::new(data.join("percep/video").join(clip)) };
        let report = search(CameraSourceSettings::File(source), &settings(&data)).unwrap();
        let withheld = report.pictures - report.emitted;
        assert!(report.searched >= 2 && withheld <= 13, "{clip}: only the warm-up is withheld: {report:?}");
        assert_eq!(report.in_emitted, [], "{clip}");
    }
}
