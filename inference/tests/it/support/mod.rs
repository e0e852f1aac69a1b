//! What the integration tests share: where test data and ONNX Runtime are, small ONNX files, comparing detections.

#![allow(clippy::unwrap_used, reason = "test support")]

pub(crate) mod onnx_writer;

use std::path::{Path, PathBuf};

use masa_inference::{Detection, Detector, EngineKind, EngineSettings, RgbImage};

/// The public models, by the stem of description and file.
pub(crate) const MODELS: [&str; 4] = ["yolox_nano_coco_416", "picodet_s_416_coco", "nanodet_m", "FastestDet"];

/// The shared test data, from `MASA_TEST_DATA` or beside the workspace; `None` is announced as a skip of `test`.
pub(crate) fn test_data(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("MASA_TEST_DATA").map_or(beside, PathBuf::from);
    let found = folder.join("percep/models").is_dir().then_some(folder);
    if found.is_none() {
        println!("skipped: {test}: test data (MASA_TEST_DATA)");
    }
    found
}

/// Settings of ONNX Runtime, its library from `MASA_ONNXRUNTIME` or a Python environment's wheel; `None` is announced
/// as a skip of `test`.
pub(crate) fn onnxruntime(test: &str) -> Option<EngineSettings> {
    let library = std::env::var_os("MASA_ONNXRUNTIME").map(PathBuf::from).or_else(wheel_library);
    if library.is_none() {
        println!("skipped: {test}: libonnxruntime.so (MASA_ONNXRUNTIME, or the wheel of an active VIRTUAL_ENV)");
    }
    library.map(|library| EngineSettings {
        engine: EngineKind::Onnxruntime,
        library: Some(library),
        ..EngineSettings::default()
    })
}

/// `$VIRTUAL_ENV/lib/python3.*/site-packages/onnxruntime/capi/libonnxruntime.so*`.
fn wheel_library() -> Option<PathBuf> {
    let lib = PathBuf::from(std::env::var_os("VIRTUAL_ENV")?).join("lib");
    let pythons = lib.read_dir().ok()?.flatten();
    let folders = pythons.map(|python| python.path().join("site-packages/onnxruntime/capi"));
    let files = folders.filter_map(|folder| folder.read_dir().ok()).flatten().flatten().map(|file| file.path());
    let is_library = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("libonnxruntime.so"))
    };
    files.into_iter().find(is_library)
}

/// The project's description of `model`.
pub(crate) fn description(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/models").join(format!("{model}.toml"))
}

/// A detector of one of the public models.
pub(crate) fn public_detector(data: &Path, model: &str, settings: &EngineSettings) -> Detector {
    let file = data.join("percep/models").join(format!("{model}.onnx"));
    Detector::open(&description(model), Some(&file), settings).unwrap_or_else(|error| panic!("{error}"))
}

/// The public street images with their file names, in the order of these.
pub(crate) fn street_images(data: &Path) -> Vec<(String, RgbImage)> {
    let folder = data.join("percep/images");
    let mut paths: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no images in {}", folder.display());
    let open = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let image = RgbImage::decode(&std::fs::read(&path).unwrap(), 4096);
        (name, image.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    paths.into_iter().map(open).collect()
}

/// How well two lists of detections agree.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    /// Pairs found.
    pub(crate) pairs: usize,
    /// Least intersection over union of a pair.
    pub(crate) least_iou: f32,
    /// Largest difference of a pair's scores.
    pub(crate) score_difference: f32,
}

/// Least intersection over union and largest score difference of what counts as the same detection.
pub(crate) const SAME_IOU: f32 = 0.95;
/// See [`SAME_IOU`].
pub(crate) const SAME_SCORE: f32 = 0.02;

/// Pairs two lists. A detection without partner is an error, unless its score is so near `threshold` that the allowed
/// score difference explains it.
pub(crate) fn agree(a: &[Detection], b: &[Detection], threshold: f32) -> Result<Agreement, String> {
    let mut agreement = Agreement { least_iou: 1.0, ..Agreement::default() };
    let mut taken = vec![false; b.len()];
    for one in a {
        let same = |other: &Detection| {
            other.class == one.class
                && other.bounding_box.iou(&one.bounding_box) > SAME_IOU
                && (other.score - one.score).abs() < SAME_SCORE
        };
        match (0..b.len()).find(|&index| !taken[index] && same(&b[index])) {
            Some(index) => {
                taken[index] = true;
                agreement.pairs += 1;
                agreement.least_iou = agreement.least_iou.min(b[index].bounding_box.iou(&one.bounding_box));
                agreement.score_difference = agreement.score_difference.max((b[index].score - one.score).abs());
            }
            None if one.score < threshold + SAME_SCORE => {}
            None => return Err(format!("only in the first: {one:?}; the second has {b:#?}")),
        }
    }
    let alone = b.iter().zip(taken).find(|(other, taken)| !taken && other.score >= threshold + SAME_SCORE);
    alone.map_or(Ok(agreement), |(other, _)| Err(format!("only in the second: {other:?}; the first has {a:#?}")))
}
