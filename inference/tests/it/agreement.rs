//! Both engines see the same in every public image with every public model.

#![allow(clippy::unwrap_used)]

use crate::support;
use masa_inference::EngineSettings;

#[test]
fn engines_agree_on_every_image() {
    let test = "engines_agree_on_every_image";
    let (Some(data), Some(onnxruntime)) = (support::test_data(test), support::onnxruntime(test)) else { return };
    let images = support::street_images(&data);
    for model in support::MODELS {
        let mut tract = support::public_detector(&data, model, &EngineSettings::default());
        let mut other = support::public_detector(&data, model, &onnxruntime);
        let threshold = tract.description().head.score_threshold;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut pairs = 0;
        for (name, image) in &images {
            tract.detect(image, &mut ours).unwrap();
            other.detect(image, &mut theirs).unwrap();
            let agreement =
                support::agree(&ours, &theirs, threshold).unwrap_or_else(|why| panic!("{model} {name}: {why}"));
            println!(
                "{model:20} {name:30} {:2} alike, least IoU {:.5}, scores within {:.6}",
                agreement.pairs, agreement.least_iou, agreement.score_difference
            );
            pairs += agreement.pairs;
        }
        assert!(pairs > 10, "{model} saw only {pairs} objects");
    }
}
