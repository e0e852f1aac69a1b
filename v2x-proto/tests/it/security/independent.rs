//! Envelopes and chains checked by pycrate and Python's `cryptography`, and theirs by us.
//!
//! Needs `MASA_PYTHON`, a Python with pycrate and cryptography, and says when it is skipped.

use super::world::{HOME, NOW, Order, World, entity, packet, sign, verdict};
use crate::common::unhex;
use masa_v2x_proto::security::{Certificate, Curve, Envelope, Refusal, StationCredentials, Time32, Time64, Verdict};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs the script on lines; `None` after saying that `test` is skipped.
fn python(test: &str, mode: &str, lines: &[Value]) -> Option<Vec<Value>> {
    let Some(python) = std::env::var_os("MASA_PYTHON") else {
        println!("skipped: {test}: MASA_PYTHON names no Python with pycrate and cryptography");
        return None;
    };
    let imports = "import pycrate_asn1dir.ITS_IEEE1609_2, cryptography";
    let found = Command::new(&python).args(["-c", imports]).stderr(Stdio::null()).status().expect("MASA_PYTHON runs");
    if !found.success() {
        println!("skipped: {test}: the Python of MASA_PYTHON has no pycrate or no cryptography");
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent/check_signed.py");
    let mut command = Command::new(python);
    command.args([script, mode]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("MASA_PYTHON runs");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("the script reads");
    let output = child.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    Some(lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cam_packet() -> Vec<u8> {
    packet(2001, HOME, 10.0, &unhex(include_str!("../../samples/cam.hex").trim()))
}

#[test]
fn others_verify_what_we_sign() {
    let mut lines = Vec::new();
    let denm = packet(2002, HOME, 0.0, &unhex(include_str!("../../samples/denm.hex").trim()));
    for curve in Curve::ALL {
        let world = World::new(curve);
        let ticket = world.certificate(Order::with_key(9));
        let certificates: Vec<String> =
            [&ticket, &world.authority, &world.root].map(|certificate| hex(&certificate.encode())).into();
        let mut station = world.station(Order::with_key(9));
        let mut envelopes = vec![
            sign(&mut station, 36, &cam_packet(), NOW),
            sign(&mut station, 36, &cam_packet(), NOW.plus_ms(100)),
            sign(&mut station, 37, &denm, NOW.plus_ms(200)),
        ];
        // One that asks for certificates.
        let mut other = World::with_keys(curve, 101).station(Order::with_key(9));
        let foreign = sign(&mut other, 36, &cam_packet(), NOW);
        verdict(&mut station, &foreign, NOW);
        envelopes.push(sign(&mut station, 36, &cam_packet(), NOW.plus_ms(300)));
        for envelope in &envelopes {
            lines.push(json!({ "envelope": hex(envelope), "certificates": certificates }));
        }
        // A forged one, and one whose root is missing.
        let mut forged = envelopes[0].clone();
        forged[40] ^= 1;
        lines.push(json!({ "envelope": hex(&forged), "certificates": certificates }));
        lines.push(json!({ "envelope": hex(&envelopes[0]), "certificates": certificates[..2] }));
    }
    let Some(answers) = python("others_verify_what_we_sign", "check", &lines) else { return };
    assert_eq!(answers.len(), lines.len());
    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(answer["ok"], index % 6 < 4, "line {index}: {answer}");
    }
}

#[test]
fn we_verify_what_others_sign() {
    let request = json!({
        "payload": hex(&cam_packet()),
        "generation_time": Time64::of(NOW).0,
        "start": Time32::of(NOW.plus_ms(-3_600_000)).0,
    });
    let Some(worlds) = python("we_verify_what_others_sign", "make", &[request]) else { return };
    assert_eq!(worlds.len(), Curve::ALL.len());
    for world in worlds {
        let bytes = |value: &Value| unhex(value.as_str().expect("digits"));
        let certificate = |name: &str| {
            let encoded = bytes(&world[name]);
            let certificate = Certificate::decode(&encoded).expect("a certificate");
            assert_eq!(certificate.encode(), encoded);
            certificate
        };
        let (roots, authorities) = (vec![certificate("root")], vec![certificate("authority")]);
        let mut listener = entity(StationCredentials { roots, authorities, ..StationCredentials::default() });
        let envelopes = world["envelopes"].as_array().expect("a list");
        for (index, envelope) in envelopes.iter().map(bytes).enumerate() {
            assert_eq!(Envelope::decode(&envelope).expect("an envelope").encode(), envelope);
            let now = NOW.plus_ms(100 * index as i64 + 10);
            let judged = verdict(&mut listener, &envelope, now);
            assert!(matches!(judged, Verdict::Verified(_)), "{} {index}: {judged:?}", world["curve"]);
        }
        let mut forged = bytes(&envelopes[1]);
        let last = forged.len() - 1;
        forged[last] ^= 1;
        // The content was verified already: with another signature it is a repetition, for a new listener a forgery.
        let (roots, authorities) = (vec![certificate("root")], vec![certificate("authority")]);
        let mut listener = entity(StationCredentials { roots, authorities, ..StationCredentials::default() });
        verdict(&mut listener, &bytes(&envelopes[0]), NOW);
        assert_eq!(verdict(&mut listener, &forged, NOW.plus_ms(100)), Verdict::Refused(Refusal::BadSignature));
    }
}

#[test]
fn random_certificates_and_envelopes_are_written_back_byte_for_byte() {
    let test = "random_certificates_and_envelopes_are_written_back_byte_for_byte";
    let Some(rows) = python(test, "vary", &[json!({ "seed": 1, "count": 500 })]) else { return };
    assert_eq!(rows.len(), 1_000);
    for row in rows {
        let encoded = unhex(row["hex"].as_str().expect("digits"));
        let again = match row["kind"].as_str() {
            Some("certificate") => Certificate::decode(&encoded).map(|certificate| certificate.encode()),
            _ => Envelope::decode(&encoded).map(|envelope| envelope.encode()),
        };
        assert_eq!(again.as_ref(), Ok(&encoded), "{row}");
    }
}
