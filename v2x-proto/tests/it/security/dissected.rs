//! tshark dissects secured frames of ours to the end.

use super::world::{HOME, NOW, Order, World, packet, sign};
use crate::common::unhex;
use masa_v2x_proto::security::Curve;
use std::io::Write;
use std::process::{Command, Stdio};

/// An Ethernet frame with a basic header in front of an envelope.
fn frame(envelope: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xFF; 6];
    frame.extend([2, 0, 0x4C, 0x55, 0x49, 0x47, 0x89, 0x47]);
    // Version 1, secured; lifetime 1 s; one hop.
    frame.extend([0x12, 0, 0x05, 1]);
    frame.extend(envelope);
    frame
}

/// A pcap file of Ethernet frames.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for (second, frame) in frames.iter().enumerate() {
        let length = frame.len() as u32;
        for word in [second as u32, 0, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

#[test]
fn tshark_dissects_signed_frames() {
    let test = "tshark_dissects_signed_frames";
    let mut frames = Vec::new();
    let cam = packet(2001, HOME, 10.0, &unhex(include_str!("../../samples/cam.hex").trim()));
    let denm = packet(2002, HOME, 0.0, &unhex(include_str!("../../samples/denm.hex").trim()));
    for curve in [Curve::NistP256, Curve::BrainpoolP256r1] {
        let mut station = World::new(curve).station(Order::with_key(9));
        frames.push(frame(&sign(&mut station, 36, &cam, NOW)));
        frames.push(frame(&sign(&mut station, 36, &cam, NOW.plus_ms(100))));
        frames.push(frame(&sign(&mut station, 37, &denm, NOW.plus_ms(200))));
    }
    let mut command = Command::new("tshark");
    command.args(["-r", "-", "-T", "fields", "-E", "separator=;"]);
    for field in ["ieee1609dot2.psid", "ieee1609dot2.sSig", "_ws.malformed", "frame.protocols"] {
        command.args(["-e", field]);
    }
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        println!("skipped: {test}: tshark is not installed");
        return;
    };
    child.stdin.take().expect("piped").write_all(&pcap(&frames)).expect("tshark reads");
    let output = child.wait_with_output().expect("tshark ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(';').collect()).collect();
    assert_eq!(rows.len(), frames.len(), "{text}");
    for (index, row) in rows.iter().enumerate() {
        let [its_aid, signature, malformed, protocols] = row[..] else { panic!("{text}") };
        assert_eq!(its_aid.split(',').next(), Some(if index % 3 == 2 { "37" } else { "36" }), "{text}");
        assert!(!signature.is_empty() && malformed.is_empty(), "frame {index}: {text}");
        assert!(protocols.ends_with("btpb:its"), "the message inside is dissected: {text}");
    }
}
