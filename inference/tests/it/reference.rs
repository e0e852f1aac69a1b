//! YOLOX-Nano against an independent implementation: `reference.py` made `golden/yolox_nano_coco_416.json`.

#![allow(clippy::unwrap_used)]

use crate::support;
use masa_inference::{
    BoundingBox, Detection, Detector, EngineSettings, ModelDescription, ObjectClass, description::SuppressAcross,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    image: String,
    width: u32,
    height: u32,
    detections: Vec<ExpectedDetection>,
}

#[derive(Deserialize)]
struct ExpectedDetection {
    class: ObjectClass,
    score: f32,
    #[serde(rename = "box")]
    corners: [f32; 4],
}

#[test]
fn yolox_nano_sees_what_the_reference_sees() {
    let test = "yolox_nano_sees_what_the_reference_sees";
    let Some(data) = support::test_data(test) else { return };
    let golden: Vec<Expected> = serde_json::from_str(include_str!("../golden/yolox_nano_coco_416.json")).unwrap();
    let model = "yolox_nano_coco_416";
    let mut description = ModelDescription::read(&support::description(model)).unwrap();
    // The reference suppresses within each class only.
    description.head.suppress_across = SuppressAcross::Class;
    let threshold = description.head.score_threshold;
    let images = support::street_images(&data);
    for settings in [Some(EngineSettings::default()), support::onnxruntime(test)].into_iter().flatten() {
        let file = data.join("percep/models").join(format!("{model}.onnx"));
        let mut detector = Detector::with_description(description.clone(), file, &settings).unwrap();
        let mut found = Vec::new();
        for expected in &golden {
            let name = &expected.image;
            let (_, image) = images.iter().find(|(file, _)| file == name).expect("the golden image is in the data");
            assert_eq!((image.width, image.height), (expected.width, expected.height));
            detector.detect(image, &mut found).unwrap();
            let golden = expected.detections.iter().map(|one| {
                let [x1_px, y1_px, x2_px, y2_px] = one.corners;
                Detection {
                    bounding_box: BoundingBox { x1_px, y1_px, x2_px, y2_px },
                    class: one.class,
                    score: one.score,
                    appearance: None,
                }
            });
            let golden: Vec<Detection> = golden.collect();
            let agreement = support::agree(&found, &golden, threshold).unwrap_or_else(|why| panic!("{name}: {why}"));
            println!(
                "{:11} {name:30} {:2} of {:2} alike, least IoU {:.4}, scores within {:.4}",
                settings.engine.to_string(),
                agreement.pairs,
                golden.len(),
                agreement.least_iou,
                agreement.score_difference
            );
        }
    }
}
