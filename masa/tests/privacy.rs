//! `masa privacy` as an operator runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn masa(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_masa"))
        .args(["--log", "warn"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_key_is_made_once_and_an_empty_ring_says_so() {
    let folder = tempfile::tempdir().expect("temporary directory");
    assert!(masa(&["privacy", "key", "ring.key"], folder.path()).status.success());
    assert!(!masa(&["privacy", "key", "ring.key"], folder.path()).status.success(), "a key is not overwritten");
    std::fs::create_dir(folder.path().join("ring")).expect("made");
    let open = ["privacy", "open", "ring", "--key", "ring.key", "--output", "out", "--reason"];
    let refused = masa(&[&open[..], &["  "]].concat(), folder.path());
    assert!(words(&refused).contains("--reason"), "{}", words(&refused));
    let opened = masa(&[&open[..], &["collision at the crossing"]].concat(), folder.path());
    assert!(words(&opened).contains("0 frames in 0 files"), "{}", words(&opened));
    let log = masa(&["privacy", "openings", "ring", "--key", "ring.key"], folder.path());
    assert!(words(&log).contains("collision at the crossing") && words(&log).contains("1 openings"), "{}", words(&log));
}

/// Rendered nights and days of a crossing with people, through the shipped detector.
#[test]
fn nothing_is_found_in_rendered_pictures_as_they_would_leave() {
    let test = "nothing_is_found_in_rendered_pictures_as_they_would_leave";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let data = std::env::var_os("MASA_TEST_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let models = data.join("percep/models");
    if !models.exists() {
        println!("skipped: {test}: no models at {}", models.display());
        return;
    }
    let folder = tempfile::tempdir().expect("temporary directory");
    // Of seed 3's first pictures some are of nights.
    let rendered = ["sim", "dataset", "--output", "set", "--images", "8", "--images-per-camera", "1", "--maps", "masa"];
    assert!(masa(&[&rendered[..], &["--seed", "3"]].concat(), folder.path()).status.success());
    let model = |name: &str| models.join(name).to_str().expect("UTF-8").to_owned();
    let (face, plate) = (model("face_detection_yunet_2026may.onnx"), model("clp_det.onnx"));
    let check = |search: &[&str]| {
        let pictures = ["--truth", "set/annotations/all.json", "set/images"];
        masa(&[&["privacy", "check"], search, &pictures[..]].concat(), folder.path())
    };
    let faces = ["--face", &face, "--sizes", "640,1280"];
    for search in [&faces[..], &["--plate", &plate, "--sizes", "640"]] {
        let emitted = check(search);
        assert!(emitted.status.success(), "{}", words(&emitted));
        assert!(words(&emitted).contains("no faces and no plates in what would leave"), "{}", words(&emitted));
    }
    // The same search of the pictures as they are finds people: nothing above is for want of anything to find.
    let raw = check(&[&faces[..], &["--emission", "raw"]].concat());
    assert!(!raw.status.success(), "{}", words(&raw));
    assert!(words(&raw).contains("in what would leave"), "{}", words(&raw));
}
