//! What does not fit is refused at opening, in words that lead to its origin; nothing from outside panics.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use crate::support;
use crate::support::onnx_writer::{self, Kind, constant, node, value};
use masa_inference::{Detector, EngineKind, EngineSettings};

const DESCRIPTION: &str = "[model]
name = 'tiny'
file = 'tiny.onnx'
licence = 'MIT'

[input]
width = 2
height = 2
colour = 'rgb'
resize = 'stretch'

[head]
type = 'end-to-end'
score-threshold = 0.3

[classes]
0 = 'car'
";

fn tiny() -> Vec<u8> {
    onnx_writer::reshaping(&[1, 3, 2, 2], &[1, 2, 6])
}

/// The error of opening `onnx` with `description`.
fn refusal(description: &str, onnx: &[u8], settings: &EngineSettings) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.toml");
    std::fs::write(&path, description).unwrap();
    std::fs::write(folder.path().join("tiny.onnx"), onnx).unwrap();
    let error = Detector::open(&path, None, settings).err().expect("it should be refused").to_string();
    assert!(error.contains(folder.path().to_str().unwrap()), "no path in: {error}");
    error.replace(folder.path().to_str().unwrap(), "")
}

fn engines(test: &str) -> Vec<EngineSettings> {
    [Some(EngineSettings::default()), support::onnxruntime(test)].into_iter().flatten().collect()
}

#[test]
fn descriptions_are_refused_with_file_and_line() {
    let refuse = |from: &str, to: &str| {
        assert!(DESCRIPTION.contains(from), "{from}");
        refusal(&DESCRIPTION.replace(from, to), &tiny(), &EngineSettings::default())
    };
    let misspelt = refuse("score-threshold", "scor-threshold");
    assert!(misspelt.starts_with("/tiny.toml:14: unknown field `scor-threshold`, expected one of"), "{misspelt}");
    assert!(misspelt.ends_with("; did you mean `score-threshold`?"), "{misspelt}");
    for (from, to, expected) in [
        ("width = 2", "width = 2\nsize-input = ''", "/tiny.toml:8: `size-input` must not be empty"),
        ("width = 2", "width = 0", "/tiny.toml:7: `width` must be 1 to 4096 pixels"),
        ("0.3", "1.3", "/tiny.toml:14: `score-threshold` must be 0 to 1"),
        ("'end-to-end'", "'yolov8'", "/tiny.toml:12: `nms-iou` is needed by head `yolov8`"),
        ("0.3", "0.3\nstrides = [8]", "/tiny.toml:15: `strides` means nothing to head `end-to-end`"),
        ("0.3", "0.3\nreg-max = 7", "/tiny.toml:15: `reg-max` means nothing to head `end-to-end`"),
        ("0 = 'car'", "", "/tiny.toml:16: `classes` must name at least one class"),
        ("0 = 'car'", "one = 'car'", "/tiny.toml:16: `one` is not a model class index (0 to 9999)"),
    ] {
        assert_eq!(refuse(from, to), expected);
    }
    let class = refuse("0 = 'car'", "0 = 'lorry'");
    assert!(class.starts_with("/tiny.toml:17: unknown variant `lorry`"), "{class}");
    let open = refuse("[head]", "[head");
    assert!(open.starts_with("/tiny.toml:12: "), "{open}");
}

#[test]
fn a_misfit_names_both_shapes() {
    for settings in engines("a_misfit_names_both_shapes") {
        let larger = DESCRIPTION.replace("width = 2", "width = 4");
        assert_eq!(
            refusal(&larger, &tiny(), &settings),
            "model /tiny.onnx: its input is `images` [1, 3, 2, 2], its description says one f32 tensor [1, 3, 2, 4]"
        );
        let channels_last = DESCRIPTION.replace("width = 2", "width = 2\nlayout = 'nhwc'");
        assert!(refusal(&channels_last, &tiny(), &settings).ends_with("one f32 tensor [1, 2, 2, 3]"));
        assert_eq!(
            refusal(DESCRIPTION, &onnx_writer::reshaping(&[1, 3, 2, 2], &[1, 3, 4]), &settings),
            "model /tiny.onnx: its outputs are `output` [1, 3, 4], head `end-to-end` needs [1, n, 6], \
             or scores [1, n], labels [1, n] and boxes [1, n, 4], or logits [1, n, 1 or more] and boxes [1, n, 4]"
        );
        let two_inputs = onnx_writer::model(
            &[node("Add", &["images", "sizes"], &["sum"], &[]), node("Reshape", &["sum", "shape"], &["output"], &[])],
            &[constant("shape", &[1, 2, 6])],
            &[value("images", Kind::F32, &[1, 3, 2, 2]), value("sizes", Kind::F32, &[1, 3, 2, 2])],
            &[value("output", Kind::F32, &[1, 2, 6])],
        );
        let sized = DESCRIPTION.replace("width = 2", "width = 2\nsize-input = 'size'");
        let reason = refusal(&sized, &two_inputs, &settings);
        assert!(reason.ends_with("its description says a second one called `size`, int64 or f32"), "{reason}");
        let reason = refusal(DESCRIPTION, &two_inputs, &settings);
        assert!(reason.contains("`images` [1, 3, 2, 2] and `sizes` [1, 3, 2, 2]"), "{reason}");
    }
}

#[test]
fn missing_and_corrupt_files_are_named() {
    for settings in engines("missing_and_corrupt_files_are_named") {
        let engine = settings.engine;
        let absent = DESCRIPTION.replace("tiny.onnx", "absent.onnx");
        assert!(refusal(&absent, &tiny(), &settings).starts_with("/absent.onnx: cannot be read: "));
        let expected = format!("model /tiny.onnx: engine {engine} cannot load it: ");
        for corrupt in [b"no model at all".to_vec(), Vec::new(), tiny()[..tiny().len() / 2].to_vec()] {
            let reason = refusal(DESCRIPTION, &corrupt, &settings);
            assert!(reason.starts_with(&expected), "{reason}");
        }
        let mut unknown = tiny();
        let at = unknown.windows(7).position(|name| name == b"Reshape").unwrap();
        unknown[at + 4] = b'o';
        let reason = refusal(DESCRIPTION, &unknown, &settings);
        assert!(reason.starts_with(&expected) && reason.contains("Reshope"), "{reason}");
    }
}

#[test]
fn no_damaged_byte_panics() {
    let folder = tempfile::tempdir().unwrap();
    let description = folder.path().join("tiny.toml");
    std::fs::write(&description, DESCRIPTION).unwrap();
    let whole = tiny();
    let mut refused = 0;
    let mut attempts = 0;
    for settings in engines("no_damaged_byte_panics") {
        let mut attempt = |onnx: &[u8]| {
            std::fs::write(folder.path().join("tiny.onnx"), onnx).unwrap();
            attempts += 1;
            refused += usize::from(Detector::open(&description, None, &settings).is_err());
        };
        for len in 0..whole.len() {
            attempt(&whole[..len]);
        }
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                attempt(&damaged);
            }
        }
    }
    // Damage in a name changes nothing, so not every file is refused.
    println!("{refused} of {attempts} damaged files refused");
    assert!(refused > attempts / 2, "{refused} of {attempts} refused");
}

#[test]
fn a_damaged_public_model_is_named() {
    let Some(data) = support::test_data("a_damaged_public_model_is_named") else { return };
    let whole = std::fs::read(data.join("percep/models/yolox_nano_coco_416.onnx")).unwrap();
    let description = support::description("yolox_nano_coco_416");
    for settings in engines("a_damaged_public_model_is_named") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("half.onnx");
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let error = Detector::open(&description, Some(&path), &settings).err().unwrap().to_string();
        let expected = format!("model {}: engine {} cannot load it: ", path.display(), settings.engine);
        assert!(error.starts_with(&expected), "{error}");
        // A description of another model.
        let path = data.join("percep/models/nanodet_m.onnx");
        let error = Detector::open(&description, Some(&path), &settings).err().unwrap().to_string();
        assert!(error.contains("[1, 2704, 80]") && error.contains("needs [1, 3549, 29 or more]"), "{error}");
    }
}

#[test]
fn a_missing_library_is_an_error_that_names_it() {
    let mut settings = EngineSettings { engine: EngineKind::Onnxruntime, ..EngineSettings::default() };
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("tiny.onnx");
    std::fs::write(&model, tiny()).unwrap();
    let description = folder.path().join("tiny.toml");
    std::fs::write(&description, DESCRIPTION).unwrap();
    let open = |settings: &EngineSettings| Detector::open(&description, None, settings).err().unwrap().to_string();
    assert!(open(&settings).contains("set `library`"));
    settings.library = Some("/nowhere/libonnxruntime.so".into());
    assert!(open(&settings).starts_with("ONNX Runtime library /nowhere/libonnxruntime.so: "), "{}", open(&settings));
    let fake = folder.path().join("libfake.so");
    std::fs::write(&fake, b"not a library").unwrap();
    settings.library = Some(fake.clone());
    assert!(open(&settings).starts_with(&format!("ONNX Runtime library {}: ", fake.display())), "{}", open(&settings));
}

#[test]
fn a_second_library_is_refused() {
    let Some(settings) = support::onnxruntime("a_second_library_is_refused") else { return };
    let folder = tempfile::tempdir().unwrap();
    let library = settings.library.clone().unwrap().canonicalize().unwrap();
    let other = folder.path().join("libonnxruntime.so");
    std::fs::copy(&library, &other).unwrap();
    let model = folder.path().join("tiny.onnx");
    std::fs::write(&model, tiny()).unwrap();
    let description = folder.path().join("tiny.toml");
    std::fs::write(&description, DESCRIPTION).unwrap();
    let open = |settings: &EngineSettings| Detector::open(&description, None, settings).map(|_| ());
    open(&settings).unwrap();
    let second = EngineSettings { library: Some(other.clone()), ..settings };
    let error = open(&second).err().unwrap().to_string();
    let names = |path: &Path| error.contains(path.to_str().unwrap());
    assert!(names(&other) && names(&library) && error.contains("only one"), "{error}");
}
