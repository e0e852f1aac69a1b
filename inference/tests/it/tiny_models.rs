//! Whole detectors on networks of a few nodes, whose outputs are the pixels of the image: heads without a public model
//! are checked from pixel to detection, on both engines.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use crate::support;
use crate::support::onnx_writer::{self, Kind, constant, node, value};
use masa_inference::{Detection, Detector, EngineSettings, ObjectClass, RgbImage};

/// Pixel value / 255 is what the network sees.
const INPUT: &str = "colour = 'rgb'\nresize = 'stretch'\nscale = 0.00392156862745098";

fn open(folder: &Path, onnx: &[u8], input: (u32, u32), head: &str, settings: &EngineSettings) -> Detector {
    open_with(folder, onnx, input, INPUT, head, settings)
}

fn open_with(
    folder: &Path,
    onnx: &[u8],
    input: (u32, u32),
    lines: &str,
    head: &str,
    settings: &EngineSettings,
) -> Detector {
    let (width, height) = input;
    std::fs::write(folder.join("tiny.onnx"), onnx).unwrap();
    let text = format!(
        "[model]\nname = 'tiny'\nfile = 'tiny.onnx'\nlicence = 'MIT'\n\
         [input]\nwidth = {width}\nheight = {height}\n{lines}\n\
         [head]\n{head}\n[classes]\n0 = 'person'\n1 = 'car'\n"
    );
    std::fs::write(folder.join("tiny.toml"), text).unwrap();
    Detector::open(&folder.join("tiny.toml"), None, settings).unwrap_or_else(|error| panic!("{error}"))
}

/// An image whose planes, one after the other, are `values` × 255.
fn image_of_planes(width: u32, height: u32, values: &[f32]) -> RgbImage {
    let plane = (width * height) as usize;
    let pixel = |i: usize| [i, plane + i, 2 * plane + i].map(|at| (values[at] * 255.0).round() as u8);
    RgbImage::new(width, height, (0..plane).flat_map(pixel).collect()).unwrap()
}

fn engines(test: &str) -> Vec<EngineSettings> {
    [Some(EngineSettings::default()), support::onnxruntime(test)].into_iter().flatten().collect()
}

fn detect(detector: &mut Detector, image: &RgbImage) -> Vec<Detection> {
    let mut detections = Vec::new();
    detector.detect(image, &mut detections).unwrap();
    detections
}

fn assert_box(detection: &Detection, class: ObjectClass, score: f32, expected: [f32; 4]) {
    let b = detection.bounding_box;
    let found = [b.x1_px, b.y1_px, b.x2_px, b.y2_px];
    assert_eq!(detection.class, class);
    assert!((detection.score - score).abs() < 0.003, "{} is not {score}", detection.score);
    // A pixel value is exact to 1/510 of the input's size.
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.02), "{found:?} is not {expected:?}");
}

#[test]
fn end_to_end_rows() {
    let folder = tempfile::tempdir().unwrap();
    for settings in engines("end_to_end_rows") {
        let head = "type = 'end-to-end'\nscore-threshold = 0.3\nboxes = 'xyxy-unit'";
        let onnx = onnx_writer::reshaping(&[1, 3, 2, 2], &[1, 2, 6]);
        let mut detector = open(folder.path(), &onnx, (2, 2), head, &settings);
        let values = [0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 0.0, 0.0, 1.0, 1.0, 0.25, 0.0];
        let found = detect(&mut detector, &image_of_planes(2, 2, &values));
        assert_eq!(found.len(), 1, "the second row is below the threshold");
        assert_box(&found[0], ObjectClass::Car, 0.9, [0.4, 0.8, 1.2, 1.6]);
        // The same network must not remember the frame before.
        let found = detect(&mut detector, &image_of_planes(2, 2, &[0.0; 12]));
        assert_eq!(found, []);
    }
}

#[test]
fn images_in_one_run_give_what_each_gives_alone() {
    let folder = tempfile::tempdir().unwrap();
    let head = "type = 'end-to-end'\nscore-threshold = 0.3\nboxes = 'xyxy-unit'";
    let open_axis = onnx_writer::reshaping(&[0, 3, 2, 2], &[-1, 2, 6]);
    let image = |score: f32, right: f32| {
        image_of_planes(2, 2, &[0.2, 0.4, right, 0.8, score, 1.0, 0.0, 0.0, 1.0, 1.0, 0.25, 0.0])
    };
    // Another size among them: its letterbox must not stay in the tensor.
    let images = [image(0.9, 0.6), image(0.1, 0.6), RgbImage::new(4, 2, vec![0; 24]).unwrap(), image(0.8, 1.0)];
    for settings in engines("images_in_one_run_give_what_each_gives_alone") {
        let lines = "colour = 'rgb'\nresize = 'letterbox-top-left'\npad = 0\nscale = 0.00392156862745098";
        let mut detector = open_with(folder.path(), &open_axis, (2, 2), lines, head, &settings);
        let alone: Vec<_> = images.iter().map(|image| detect(&mut detector, image)).collect();
        assert_eq!(alone.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 0, 1]);
        let all: Vec<&RgbImage> = images.iter().collect();
        let mut together = Vec::new();
        for run in all.chunks(detector.max_batch()) {
            let mut lists = vec![vec![alone[0][0]]; run.len()];
            detector.detect_batch(run, &mut lists).unwrap();
            together.extend(lists);
        }
        assert_eq!(together, alone, "{} at once", detector.max_batch());
        assert_eq!(detect(&mut detector, &images[3]), alone[3], "and one alone afterwards");
        let fixed = onnx_writer::reshaping(&[1, 3, 2, 2], &[1, 2, 6]);
        assert_eq!(open(folder.path(), &fixed, (2, 2), head, &settings).max_batch(), 1);
    }
}

#[test]
fn end_to_end_scores_labels_boxes_with_integer_labels() {
    let folder = tempfile::tempdir().unwrap();
    let onnx = onnx_writer::model(
        &[
            node("Reshape", &["images", "rows"], &["all"], &[]),
            node("Split", &["all", "parts"], &["boxes", "s", "l"], &[("axis", 2)]),
            node("Reshape", &["s", "list"], &["scores"], &[]),
            node("Reshape", &["l", "list"], &["float_labels"], &[]),
            node("Cast", &["float_labels"], &["labels"], &[("to", Kind::I64 as u64)]),
        ],
        &[constant("rows", &[1, 2, 6]), constant("parts", &[4, 1, 1]), constant("list", &[1, 2])],
        &[value("images", Kind::F32, &[1, 3, 2, 2])],
        &[
            value("labels", Kind::I64, &[1, 2]),
            value("boxes", Kind::F32, &[1, 2, 4]),
            value("scores", Kind::F32, &[1, 2]),
        ],
    );
    for settings in engines("end_to_end_scores_labels_boxes_with_integer_labels") {
        let head = "type = 'end-to-end'\nscore-threshold = 0.3\nboxes = 'cxcywh-unit'";
        let mut detector = open(folder.path(), &onnx, (2, 2), head, &settings);
        let values = [0.6, 0.6, 0.4, 0.8, 0.4, 0.0, 0.2, 0.2, 0.2, 0.2, 0.8, 0.0];
        let found = detect(&mut detector, &image_of_planes(2, 2, &values));
        assert_eq!(found.len(), 2);
        assert_box(&found[0], ObjectClass::Person, 0.8, [0.2, 0.2, 0.6, 0.6]);
        assert_box(&found[1], ObjectClass::Person, 0.4, [0.8, 0.4, 1.6, 2.0]);
    }
}

#[test]
fn yolov8_columns() {
    // 3 × 6 × 4 numbers as 6 rows of 12 anchors.
    let folder = tempfile::tempdir().unwrap();
    for settings in engines("yolov8_columns") {
        let head = "type = 'yolov8'\nscore-threshold = 0.3\nnms-iou = 0.5\nboxes = 'cxcywh-unit'";
        let onnx = onnx_writer::reshaping(&[1, 3, 6, 4], &[1, 6, 12]);
        let mut detector = open(folder.path(), &onnx, (4, 6), head, &settings);
        let mut values = vec![0.0; 72];
        // Anchors 3 and 4 show one car, the second as double; anchor 11 a person elsewhere.
        for (anchor, column) in [
            (3, [0.4, 0.4, 0.4, 0.4, 0.1, 0.7]),
            (4, [0.4, 0.4, 0.4, 0.42, 0.1, 0.9]),
            (11, [0.8, 0.8, 0.2, 0.2, 0.5, 0.1]),
        ] {
            for (row, value) in column.into_iter().enumerate() {
                values[row * 12 + anchor] = value;
            }
        }
        let found = detect(&mut detector, &image_of_planes(4, 6, &values));
        assert_eq!(found.len(), 2);
        assert_box(&found[0], ObjectClass::Car, 0.9, [0.8, 1.14, 2.4, 3.66]);
        assert_box(&found[1], ObjectClass::Person, 0.5, [2.8, 4.2, 3.6, 5.4]);
    }
}

#[test]
fn a_second_input_is_fixed_to_the_size_of_the_first() {
    // Boxes as RT-DETR gives them: fractions × orig_target_sizes, here as [width, height, width, height].
    let folder = tempfile::tempdir().unwrap();
    let onnx = onnx_writer::model(
        &[
            node("Reshape", &["images", "rows"], &["all"], &[]),
            node("Split", &["all", "parts"], &["unit_boxes", "s", "l"], &[("axis", 2)]),
            node("Cast", &["orig_target_sizes"], &["size"], &[("to", Kind::F32 as u64)]),
            node("Concat", &["size", "size"], &["sides"], &[("axis", 1)]),
            node("Mul", &["unit_boxes", "sides"], &["boxes"], &[]),
            node("Reshape", &["s", "list"], &["scores"], &[]),
            node("Reshape", &["l", "list"], &["labels"], &[]),
        ],
        &[constant("rows", &[1, 2, 6]), constant("parts", &[4, 1, 1]), constant("list", &[1, 2])],
        &[value("images", Kind::F32, &[1, 3, 1, 4]), value("orig_target_sizes", Kind::I64, &[1, 2])],
        &[
            value("labels", Kind::F32, &[1, 2]),
            value("boxes", Kind::F32, &[1, 2, 4]),
            value("scores", Kind::F32, &[1, 2]),
        ],
    );
    for settings in engines("a_second_input_is_fixed_to_the_size_of_the_first") {
        let head = "type = 'end-to-end'\nscore-threshold = 0.3";
        let size_input = "colour = 'rgb'\nsize-input = 'orig_target_sizes'";
        let mut detector =
            open_with(folder.path(), &onnx, (4, 1), &INPUT.replace("colour = 'rgb'", size_input), head, &settings);
        let values = [0.2, 0.4, 0.6, 0.8, 0.8, 1.0, 0.0, 0.0, 1.0, 1.0, 0.2, 0.0];
        let found = detect(&mut detector, &image_of_planes(4, 1, &values));
        assert_eq!(found.len(), 1);
        assert_box(&found[0], ObjectClass::Car, 0.8, [0.8, 0.4, 2.4, 0.8]);
    }
}

#[test]
fn a_detector_can_be_given_to_a_worker_thread() {
    let folder = tempfile::tempdir().unwrap();
    let onnx = onnx_writer::reshaping(&[1, 3, 2, 2], &[1, 2, 6]);
    for settings in engines("a_detector_can_be_given_to_a_worker_thread") {
        let head = "type = 'end-to-end'\nscore-threshold = 0.3\nboxes = 'xyxy-unit'";
        let mut detector = open(folder.path(), &onnx, (2, 2), head, &settings);
        let values = [0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let image = image_of_planes(2, 2, &values);
        let here = detect(&mut detector, &image);
        let there = std::thread::spawn(move || detect(&mut detector, &image)).join().unwrap();
        assert_eq!((here.len(), here), (1, there));
    }
}
