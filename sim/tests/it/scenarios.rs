//! The closed loop from a scenario file to verdicts, reports and recordings.

#![allow(clippy::unwrap_used, reason = "a test")]

use masa_edge_node::run::replay::replay;
use masa_inference::EngineSettings;
use masa_sim::report;
use masa_sim::run::{Outcome, Perception, RunOptions, run};
use masa_sim::scenario::{CameraSettings, RadioModel, Scenario, WithoutPerception, library};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn options(perception: Perception, threads: usize) -> RunOptions {
    RunOptions {
        seed: None,
        threads,
        perception,
        model: Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/demo/detector.toml"),
        engine: EngineSettings::default(),
    }
}

fn shipped(name: &str) -> Scenario {
    Scenario::open(name).unwrap_or_else(|error| panic!("{error}"))
}

fn outcome(scenario: &Scenario, perception: Perception) -> Outcome {
    run(scenario, &options(perception, 1)).unwrap_or_else(|error| panic!("{error}"))
}

fn failed(outcome: &Outcome) -> Vec<String> {
    outcome.verdicts.iter().filter(|v| !v.passed).map(|v| format!("{}: {}", v.name, v.actual)).collect()
}

#[test]
fn the_same_seed_gives_the_same_truth_pictures_and_messages_on_any_number_of_threads() {
    let mut scenario = shipped("jaywalker");
    scenario.duration_s = 3.0;
    let first = scenario.stations[0].cameras[0].clone();
    scenario.stations[0].cameras.push(CameraSettings { id: "west".into(), look_at_m: [176.0, -2.5], ..first });
    let digests: Vec<_> = [1, 1, 2]
        .map(|threads| run(&scenario, &options(Perception::AsScenario, threads)).unwrap().trace.digest())
        .into();
    assert_eq!(digests[0], digests[1], "the same again");
    assert_eq!(digests[0], digests[2], "two threads");
    let other = RunOptions { seed: Some(99), ..options(Perception::AsScenario, 1) };
    let other = run(&scenario, &other).unwrap().trace;
    assert_ne!(digests[0].frames, other.digest().frames, "noise and furniture follow the seed");
    assert!(other.frames.iter().all(|frame| frame.hash != 0) && other.frames.len() == 60);
}

#[test]
fn a_driver_who_is_warned_brakes_and_one_who_is_not_hits() {
    let scenario = shipped("jaywalker");
    let warned = outcome(&scenario, Perception::GroundTruth);
    assert_eq!(failed(&warned), [] as [String; 0]);
    assert!(warned.uses_ground_truth());
    let brakes = warned.trace.reactions.iter().find(|reaction| reaction.brake_mps2.is_some()).unwrap();
    assert!(brakes.why.contains(" 4711"), "{}", brakes.why);

    let blind = outcome(&scenario, Perception::Off);
    let words = failed(&blind).join("; ");
    assert!(words.contains("touched") && words.contains("never received one"), "{words}");
    assert!(blind.trace.sent.iter().any(|sent| sent.kind.name() == "cam"), "stations still speak");
}

#[test]
fn the_radio_itself_carries_the_warning_and_is_the_same_again() {
    let mut scenario = shipped("jaywalker");
    let ranged = outcome(&scenario, Perception::GroundTruth);
    for model in [RadioModel::ItsG5, RadioModel::Pc5] {
        scenario.radio.model = model;
        let warned = outcome(&scenario, Perception::GroundTruth);
        assert_eq!(failed(&warned), [] as [String; 0], "{model:?}");
        let again = outcome(&scenario, Perception::GroundTruth);
        assert_eq!(warned.trace.digest(), again.trace.digest(), "{model:?}");
        // It takes its own time: what arrives, arrives later than by the model of a distance alone.
        let first_s = |outcome: &Outcome| outcome.trace.received.first().map(|reception| reception.at_s).unwrap();
        assert!(first_s(&warned) > first_s(&ranged), "{model:?}");
    }
    // A fault takes away what the radio delivers, too.
    scenario.radio.model = RadioModel::ItsG5;
    scenario.faults.push(toml::from_str("at-s = 0.0\nwhat.packet-loss = { share = 1.0 }").unwrap());
    let deaf = outcome(&scenario, Perception::GroundTruth);
    assert!(deaf.trace.received.is_empty() && !deaf.passed());
}

#[test]
fn a_failure_hands_over_a_report_and_a_recording_that_replays() {
    let scenario = shipped("jaywalker");
    let blind = outcome(&scenario, Perception::Off);
    let folder = tempfile::tempdir().unwrap();
    let all = [(&blind, Duration::from_secs(1))];
    report::write(folder.path(), &all).unwrap();
    let page = std::fs::read_to_string(folder.path().join("index.html")).unwrap();
    for part in ["<svg class=\"map\"", "<svg class=\"plot\"", "expected", "masa replay"] {
        assert!(page.contains(part), "{part}");
    }
    let recordings: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "mcap"))
        .collect();
    assert!(!recordings.is_empty());
    for path in recordings {
        let found = replay(&path, None, &mut |_| {}).unwrap();
        assert_eq!((found.difference, found.lost), (None, 0), "{}", path.display());
        assert!(found.messages > 5 && found.messages == found.recorded, "{}", path.display());
    }
    let junit = report::junit(&all);
    let document = roxmltree::Document::parse(&junit).unwrap();
    let failures = document.descendants().filter(|node| node.has_tag_name("failure")).count();
    assert_eq!(failures, failed(&blind).len());
}

#[test]
fn forged_warnings_are_refused_and_noticed() {
    for kind in ["unsigned", "bad-signature", "untrusted-chain", "implausible"] {
        let forged = outcome(&shipped(&format!("forged-{kind}")), Perception::AsScenario);
        assert_eq!(failed(&forged), [] as [String; 0], "{kind}");
    }
    // Without security the same warning stops the car: the criterion can fail.
    let mut open = shipped("forged-unsigned");
    open.security = masa_sim::scenario::Security::Off;
    assert!(!outcome(&open, Perception::AsScenario).passed());
}

#[test]
fn every_scenario_can_be_used_and_those_of_safety_need_perception() {
    let mut safety = 0;
    for (name, _) in library() {
        let scenario = shipped(name);
        masa_sim::run::check(&scenario).unwrap_or_else(|error| panic!("{name}: {error}"));
        if scenario.without_perception == WithoutPerception::Fails {
            safety += 1;
            assert!(!outcome(&scenario, Perception::Off).is_safe(), "{name} is safe although nothing is perceived");
        }
    }
    assert!(safety >= 10, "{safety}");
}

#[test]
fn who_asks_for_green_gets_it_from_the_roadside_unit_and_loses_time_without_it() {
    // From when each sets off.
    for (name, asks, from_s) in [("ambulance-gets-green", "ambulance", 38.0), ("late-bus", "bus", 7.0)] {
        let served = shipped(name);
        let mut unserved = served.clone();
        unserved.stations[0].facilities.infrastructure.priority = None;
        // Long enough for the programme's own green.
        unserved.duration_s = 110.0;
        let (served, unserved) = (outcome(&served, Perception::AsScenario), outcome(&unserved, Perception::AsScenario));
        assert_eq!(failed(&served), [] as [String; 0], "{name}");
        let words = failed(&unserved).join("; ");
        for part in [format!("{asks} has green"), format!("{asks} arrives"), format!("{asks} received a SSEM")] {
            assert!(words.contains(&part), "{name} without the service: {words}");
        }
        // When it comes to the far side of the junction.
        let arrives_s = |outcome: &Outcome| {
            let id = masa_sim::scenario::scripted::ids(&outcome.scenario)[asks];
            let there =
                |snapshot: &&masa_sim::Snapshot| snapshot.actor(id).is_some_and(|actor| actor.pose.position.x > 40.0);
            outcome.trace.snapshots.iter().find(there).map(|snapshot| snapshot.time_s - from_s)
        };
        let (with, without) = (arrives_s(&served).unwrap(), arrives_s(&unserved).unwrap());
        // There is nothing left to gain: once at speed, it is never held up.
        let id = masa_sim::scenario::scripted::ids(&served.scenario)[asks];
        let speeds = served.trace.snapshots.iter().filter(|snapshot| snapshot.time_s > from_s + 10.0);
        let held = speeds.filter_map(|s| s.actor(id)).take_while(|actor| actor.pose.position.x < 40.0);
        let slowest = held.map(|actor| actor.speed_mps).fold(f64::INFINITY, f64::min);
        if asks == "bus" {
            assert!(slowest > 10.0, "{name} slows down to {slowest:.1} m/s");
        }
        assert!(with < 0.7 * without, "{name}: {with:.1} s with, {without:.1} s without");
    }
}

#[test]
fn a_driver_who_follows_the_advice_does_not_stand_and_one_who_does_not_does() {
    let mut scenario = shipped("green-wave");
    assert_eq!(failed(&outcome(&scenario, Perception::AsScenario)), [] as [String; 0]);
    scenario.connected.driver.glosa = masa_sim::run::reaction::Glosa::Ignore;
    let words = failed(&outcome(&scenario, Perception::AsScenario)).join("; ");
    assert!(words.contains("car never stops: stood at"), "{words}");
}

#[test]
fn scenarios_without_cameras_pass() {
    for (name, _) in library() {
        let scenario = shipped(name);
        if scenario.stations.iter().all(|station| station.cameras.is_empty()) {
            assert_eq!(failed(&outcome(&scenario, Perception::AsScenario)), [] as [String; 0], "{name}");
        }
    }
}

#[test]
fn a_misspelt_key_names_file_line_and_the_nearest_key() {
    let text = "name = \"x\"\ndescription = \"y\"\nmap = \"masa\"\nduraton-s = 3\n";
    let error = Scenario::parse(text, Path::new("bad.toml")).unwrap_err().to_string();
    assert!(error.starts_with("bad.toml:4: ") && error.ends_with("did you mean `duration-s`?"), "{error}");
    let head = "name = \"x\"\ndescription = \"y\"\nmap = \"masa\"\nduration-s = 3\n";
    for (rest, part) in [
        ("[[actor]]\nid = \"a\"\nkind = \"car\"\n", "give either path-m or drive-m"),
        (
            "[[criterion]]\nrequire.reaches = { actor = \"b\", point-m = [0, 0], before-s = 1 }\n",
            "there is no actor `b`",
        ),
        ("[[fault]]\nat-s = 1\nwhat.link-down = { station = \"c\" }\n", "there is no station `c`"),
    ] {
        let error = Scenario::parse(&format!("{head}{rest}"), Path::new("bad.toml")).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
