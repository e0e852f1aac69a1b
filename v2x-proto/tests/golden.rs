//! Vectors of an independent codec: every one decodes to the stated value and re-encodes to the same bytes.
//!
//! The files are read in place: `MASA_TEST_DATA`, else `../shared/data` beside the workspace.

use masa_v2x_proto::jer::Release;
use masa_v2x_proto::uper::Dialect;
use masa_v2x_proto::{Message, cam::Cam, cpm::Cpm, denm::Denm};
use serde_json::Value;
use std::path::PathBuf;

fn data(name: &str, test: &str) -> Option<String> {
    let root = std::env::var_os("MASA_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = root.join("v2x").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {test}: {} is missing", path.display());
    }
    text
}

fn unhex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(digit).collect()
}

/// Where two JSON values differ first.
fn difference(path: &str, ours: &Value, stated: &Value) -> Option<String> {
    match (ours, stated) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| match (a.get(key), b.get(key)) {
                (Some(x), Some(y)) => difference(&format!("{path}.{key}"), x, y),
                (x, y) => Some(format!("{path}.{key}: ours {x:?}, stated {y:?}")),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (x, y))| difference(&format!("{path}[{i}]"), x, y))
        }
        (a, b) if a == b => None,
        (a, b) => Some(format!("{path}: ours {a}, stated {b}")),
    }
}

/// Decodes by the typed decoder of `kind` and checks the value and the bytes.
fn check(kind: &str, bytes: &[u8], stated: &Value) -> Result<(), String> {
    let release = if kind.starts_with("r1") { Release::R1 } else { Release::R2 };
    let message: Message = match &kind[3..] {
        "cam" => Cam::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "denm" => Denm::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "cpm" => Cpm::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        other => panic!("no decoder for {other}"),
    }
    .map_err(|error| error.to_string())?;
    if let Some(difference) = difference("", &message.to_jer(release), stated) {
        return Err(difference);
    }
    let again = message.to_uper().map_err(|error| error.to_string())?;
    if again != bytes {
        return Err("re-encoded to other bytes".into());
    }
    // The same through the caller's buffer, too small by one byte and just large enough.
    let mut buffer = vec![0xFF; bytes.len()];
    if message.encode(&mut buffer[1..]).is_ok() {
        return Err("fitted into a buffer that is too small".into());
    }
    if message.encode(&mut buffer) != Ok(bytes.len()) || buffer != bytes {
        return Err("encoded otherwise into a buffer that just fits".into());
    }
    Ok(())
}

fn check_file(kind: &str, at_least: usize) {
    let Some(text) = data(&format!("{kind}.jsonl"), kind) else { return };
    let (mut good, mut bad) = (0, Vec::new());
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).expect("a JSON line");
        let bytes = unhex(vector["uper"].as_str().expect("the digits"));
        match check(kind, &bytes, &vector["jer"]) {
            Ok(()) => good += 1,
            Err(reason) => bad.push(format!("seed {}: {reason}", vector["seed"])),
        }
    }
    assert!(bad.is_empty(), "{} of {} differ: {:#?}", bad.len(), good + bad.len(), &bad[..bad.len().min(8)]);
    assert!(good >= at_least, "{good} vectors only");
}

#[test]
fn r1_cam() {
    check_file("r1_cam", 300);
}

#[test]
fn r2_cam() {
    check_file("r2_cam", 300);
}

#[test]
fn r1_denm() {
    check_file("r1_denm", 300);
}

#[test]
fn r2_denm() {
    check_file("r2_denm", 290);
}

#[test]
fn r2_cpm() {
    check_file("r2_cpm", 280);
}

#[test]
fn realistic_messages() {
    let Some(text) = data("hand.json", "realistic_messages") else { return };
    let all: serde_json::Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    let mut checked = 0;
    for (name, vector) in all {
        let kind = name.splitn(3, '_').take(2).collect::<Vec<_>>().join("_");
        if !["r1_cam", "r2_cam", "r1_denm", "r2_denm", "r2_cpm"].contains(&kind.as_str()) {
            continue;
        }
        let bytes = unhex(vector["uper"].as_str().expect("the digits"));
        check(&kind, &bytes, &vector["jer"]).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        checked += 1;
    }
    assert_eq!(checked, 9);
}
