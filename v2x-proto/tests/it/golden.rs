//! Vectors of an independent codec: every one decodes to the stated value and re-encodes to the same bytes.

use crate::common::{realistic, unhex, vectors};
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::uper::Dialect;
use masa_v2x_proto::{
    Message, cam::Cam, cpm::Cpm, denm::Denm, ivim::Ivim, mapem::Mapem, mcm::Mcm, poim::Poim, rtcmem::Rtcmem,
    spatem::Spatem, srem::Srem, ssem::Ssem, vam::Vam,
};
use serde_json::Value;

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
    let (edition, name) = kind.split_once('_').expect("an edition and a name");
    let release = if matches!(edition, "r1" | "is13") { Release::R1 } else { Release::R2 };
    let message: Message = match name {
        "cam" => Cam::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "denm" => Denm::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "IVIM" => Ivim::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "mcm" => Mcm::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "poim" => Poim::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "vam" => Vam::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "cpm" => Cpm::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "SPATEM" => Spatem::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "MAPEM" => Mapem::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "RTCMEM" => Rtcmem::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "SSEM" => Ssem::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
        "SREM" => Srem::decode_as(Dialect::DEFAULT, bytes).map(Into::into),
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

fn check_file(kind: &str, count: usize) {
    let vectors = vectors(kind, kind);
    let outcome = |(name, bytes, stated): &(String, Vec<u8>, Value)| {
        check(kind, bytes, stated).err().map(|reason| format!("{name}: {reason}"))
    };
    let bad: Vec<_> = vectors.iter().filter_map(outcome).collect();
    assert!(bad.is_empty(), "{} of {} differ: {:#?}", bad.len(), vectors.len(), &bad[..bad.len().min(8)]);
    assert!(vectors.is_empty() || vectors.len() >= count, "{} vectors only", vectors.len());
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
fn r2_vam() {
    check_file("r2_vam", 300);
}

#[test]
fn spatem() {
    check_file("is13_SPATEM", 90);
    check_file("is22_SPATEM", 90);
}

#[test]
fn mapem() {
    check_file("is13_MAPEM", 90);
    check_file("is22_MAPEM", 90);
}

#[test]
fn srem() {
    check_file("is13_SREM", 150);
    check_file("is22_SREM", 150);
}

#[test]
fn ssem() {
    check_file("is13_SSEM", 149);
    check_file("is22_SSEM", 149);
}

#[test]
fn rtcmem() {
    check_file("is13_RTCMEM", 150);
}

/// Made by `oracle/mcm_vectors.py`.
const MCM: &str = include_str!("../samples/mcm.jsonl");

#[test]
fn mcm() {
    for line in MCM.lines() {
        let vector: Value = serde_json::from_str(line).expect("a JSON line");
        let bytes = unhex(vector["uper"].as_str().expect("the digits"));
        check("r2_mcm", &bytes, &vector["jer"]).unwrap_or_else(|reason| panic!("seed {}: {reason}", vector["seed"]));
    }
    assert_eq!(MCM.lines().count(), 60);
}

#[test]
fn is13_ivim() {
    check_file("is13_IVIM", 125);
}

#[test]
fn is22_ivim() {
    check_file("is22_IVIM", 125);
}

#[test]
fn r2_poim() {
    check_file("r2_poim", 109);
}

#[test]
fn realistic_messages() {
    let messages = realistic("realistic_messages");
    for (name, bytes, stated) in &messages {
        let kind = name.splitn(3, '_').take(2).collect::<Vec<_>>().join("_");
        check(&kind, bytes, stated).unwrap_or_else(|reason| panic!("{name}: {reason}"));
    }
    assert!(matches!(messages.len(), 0 | 9), "{} messages", messages.len());
}
