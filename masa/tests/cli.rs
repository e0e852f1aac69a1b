//! The program as its users run it: demo, replay, explain, decode, doctor; and every configuration under `deploy/`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn masa(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_masa"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The test data, or a word about its absence.
fn test_data(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("MASA_TEST_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    if !path.exists() {
        println!("skipped: {test}: no test data at {}", path.display());
        return None;
    }
    Some(path)
}

fn recording(folder: &Path) -> PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(folder.join("recordings"))
        .expect("recordings were made")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    files.pop().expect("one recording")
}

/// One run of the demo, then everything that can be done with its recording.
#[test]
fn the_demo_runs_and_its_recording_replays_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let ports = ["--listen", "127.0.0.1:0", "--broker", "127.0.0.1:0", "--zenoh", "127.0.0.1:0"];
    let run = masa(&[&["demo", "--headless", "--duration", "12"][..], &ports].concat(), folder.path());
    let summary = good(&run);
    assert!(summary.contains("cpm"), "{summary}");

    let file = recording(folder.path());
    let file = file.to_str().expect("UTF-8");
    let first = good(&masa(&["replay", file, "--output", "messages.jsonl"], folder.path()));
    assert!(first.contains("all messages are byte-identical to the recorded ones"), "{first}");
    assert_eq!(first, good(&masa(&["replay", file], folder.path())), "two replays");

    let listed = good(&masa(&["explain", "--list"], folder.path()));
    let with_objects = listed.lines().find(|line| line.contains("4711-cpm-") && !line.contains(" 0 objects"));
    let id = with_objects.and_then(|line| line.split_whitespace().nth(1)).expect("a CPM with objects was sent");
    let why = good(&masa(&["explain", id], folder.path()));
    assert!(why.contains("rule: CPM") && why.contains("detection:"), "{why}");
    // A reader that has seen enough, as `head`: closed before anything is written.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut piped = Command::new(env!("CARGO_BIN_EXE_masa"));
    let piped = piped.args(["explain", id]).current_dir(folder.path()).stdout(writer).output().expect("masa runs");
    assert!(piped.status.success() && piped.stderr.is_empty(), "{}", text(&piped.stderr));
    let unknown = masa(&["explain", "4711-cpm-999999"], folder.path());
    assert!(!unknown.status.success() && text(&unknown.stderr).contains("no message `4711-cpm-999999`"));

    decoded_by_others(&folder.path().join("messages.jsonl"));
}

/// Every message of the demo through pycrate with ETSI's modules, and its JSON image against its-client's schema.
fn decoded_by_others(messages: &Path) {
    let test = "decoded_by_others";
    let Some(data) = test_data(test) else { return };
    let Some(python) = std::env::var_os("MASA_PYTHON") else {
        println!("skipped: {test}: MASA_PYTHON names no Python with pycrate and jsonschema");
        return;
    };
    let output = Command::new(python)
        .arg(root().join("edge-node/tests/independent/check_messages.py"))
        .args([data.join("etsi-asn1"), data.join("its-client-schemas")])
        .stdin(std::fs::File::open(messages).expect("the replay wrote them"))
        .output()
        .expect("Python starts");
    let answer = good(&output);
    assert!(answer.contains("; 0 problems"), "{answer}");
}

#[test]
fn hex_is_decoded_and_recoded_and_damage_is_told_by_field_and_bit() {
    use std::io::Write;
    // An RSU CAM made by pycrate: station 4711.
    let cam = "020200001267000100fa0831468e399db6006403c708327d0aa0e29e8d608002820c51a38e676d80d800000380";
    let run = |command: &str, input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_masa"))
            .args(["v2x", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("writes");
        child.wait_with_output().expect("ends")
    };
    assert_eq!(good(&run("recode", cam)).trim(), cam);
    assert!(good(&run("decode", cam)).contains("\"stationId\":4711"));
    let damaged = run("decode", &cam[..40]);
    assert!(!damaged.status.success());
    let line = text(&damaged.stdout);
    assert!(line.starts_with("error: ") && line.contains("at bit"), "{line}");
}

#[test]
fn the_doctor_names_file_line_and_nearest_key() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let node = "[node]\nname = \"x\"\nstation-id = 1\nsite = \"site.toml\"\n[web]\nlissten = \"127.0.0.1:0\"\n";
    std::fs::write(folder.path().join("node.toml"), node).expect("writes");
    let output = masa(&["doctor", "--config", "node.toml"], folder.path());
    let words = text(&output.stdout);
    assert!(!output.status.success());
    assert!(words.contains("node.toml:6: unknown field `lissten`"), "{words}");
    assert!(words.contains("did you mean `listen`?"), "{words}");
}

#[test]
fn a_corrupt_model_and_a_missing_clip_are_told_apart() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let node = "[node]\nname = \"x\"\nstation-id = 1\nsite = \"site.toml\"\n[[camera]]\nid = \"north\"\n\
                model = \"detector.toml\"\n[camera.source]\nkind = \"file\"\npath = \"junction.mp4\"\n";
    let point = |x: u32, y: u32| {
        let (lat, lon) = (44.65 + f64::from(y) * 1e-6, 10.93 + f64::from(x) * 1e-6);
        format!(
            "{{ pixel = [{x}.0, {y}.0], ground = {{ wgs84 = {{ latitude-deg = {lat}, longitude-deg = {lon} }} }} }}"
        )
    };
    let points = [point(0, 100), point(600, 100), point(0, 300), point(600, 300)].join(", ");
    let site = format!(
        "[site]\nid = \"x\"\nname = \"x\"\n[origin]\nlatitude-deg = 44.65\nlongitude-deg = 10.93\n[[camera]]\n\
         id = \"north\"\nimage-size-px = [640, 384]\n[camera.georeference]\nkind = \"reference-points\"\n\
         survey-sigma-m = 0.05\npoint = [{points}]\n"
    );
    std::fs::write(folder.path().join("node.toml"), node).expect("writes");
    std::fs::write(folder.path().join("site.toml"), site).expect("writes");
    std::fs::copy(root().join("deploy/demo/detector.toml"), folder.path().join("detector.toml")).expect("copies");
    std::fs::write(folder.path().join("detector.onnx"), b"not a model").expect("writes");
    let words = text(&masa(&["doctor", "--config", "node.toml"], folder.path()).stdout);
    assert!(words.contains("detector.onnx"), "{words}");
    assert!(words.contains("junction.mp4"), "{words}");
}

#[test]
fn every_configuration_under_deploy_is_valid() {
    let Some(data) = test_data("every_configuration_under_deploy_is_valid") else { return };
    for node in ["sites/otvision-junction/node.toml", "sites/masa-modena/node.toml", "sites/masa-modena/on-board.toml"]
    {
        let path = root().join("deploy").join(node);
        let output = Command::new(env!("CARGO_BIN_EXE_masa"))
            .args(["georeference", "report", "--config"])
            .arg(&path)
            .env("MASA_TEST_DATA", &data)
            .output()
            .expect("starts");
        assert!(output.status.success(), "{}: {}", path.display(), text(&output.stderr));
    }
}

/// The tracker's output of the real MASA camera 20939: what is left is the 0.1 m grid of the map it was made with.
#[test]
fn the_recorded_masa_positions_are_met_on_tracks_that_the_fit_did_not_see() {
    let Some(data) = test_data("the_recorded_masa_positions_are_met") else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_masa"))
        .args(["georeference", "evaluate", "--camera", "20939", "--config"])
        .arg(root().join("deploy/sites/masa-modena/node.toml"))
        .arg(data.join("percep/masa/masa_20939_workflow.in"))
        .env("MASA_TEST_DATA", &data)
        .output()
        .expect("starts");
    let table = good(&output);
    let held_out = table.lines().find(|line| line.contains("held out")).expect("the line");
    let p95: f64 = held_out.split_whitespace().rev().nth(1).expect("a column").parse().expect("a number");
    assert!(p95 < 0.10, "{table}");
}

/// What appearance is evaluated on: pictures, truth and detections of the simulator, through the tracker with looks.
#[test]
fn sequences_of_the_simulator_go_through_the_tracker_with_looks() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let sequences = ["sim", "sequences", "crowd-at-event", "--duration", "2", "--output", "made"];
    good(&masa(&sequences, folder.path()));
    let made = folder.path().join("made/crowd-at-event-west");
    let info = std::fs::read_to_string(made.join("seqinfo.ini")).expect("written");
    assert!(info.contains("seqLength=20") && info.contains("frameRate=10"), "{info}");
    assert_eq!(std::fs::read_dir(made.join("img1")).expect("a folder").count(), 20);
    assert!(std::fs::read_to_string(made.join("gt/gt.txt")).expect("written").lines().count() > 20);

    let settings = "even-score = 0.1\nappearance = { policy = 're-identify', descriptor = 'colour-layout' }\n";
    std::fs::write(folder.path().join("tracker.toml"), settings).expect("writes");
    let track = ["track", "--format", "kitti", "--fps", "10", "--detections", "made/crowd-at-event-west/det/det.txt"];
    let looks = ["--pictures", "made/crowd-at-event-west/img1", "--settings", "tracker.toml", "--output", "out.txt"];
    good(&masa(&[&track[..], &looks].concat(), folder.path()));
    assert!(std::fs::read_to_string(folder.path().join("out.txt")).expect("written").lines().count() > 20);
}
