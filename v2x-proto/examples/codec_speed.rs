//! Nanoseconds to encode and decode realistic messages: `cargo run --release --example codec_speed -- hand.json`.
//!
//! The file has one object a message with its bytes in `uper`; the infrastructure messages are those of `tests/it/dsrc.rs`.
//! Each figure is the best of several rounds, so that other load on the machine matters little.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use masa_v2x_proto::dsrc::SignalGroupId;
use masa_v2x_proto::{
    cam::Cam, cpm::Cpm, denm::Denm, mapem::Mapem, rtcmem::Rtcmem, spatem::Spatem, srem::Srem, ssem::Ssem,
};
use std::hint::black_box;
use std::time::Instant;

fn unhex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(digit).collect()
}

/// Best time of one call, nanoseconds.
fn best_ns(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 2_000;
    let round = || {
        let start = Instant::now();
        for _ in 0..CALLS {
            call();
        }
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    std::iter::repeat_with(round).take(40).fold(f64::INFINITY, f64::min)
}

/// Times one message in both encodings.
macro_rules! measure {
    ($name:expr, $bytes:expr, $message:ty) => {{
        let (name, bytes): (&str, &[u8]) = (&$name, &$bytes);
        let decode = best_ns(|| _ = black_box(&<$message>::decode(black_box(bytes))));
        let message = <$message>::decode(bytes).expect("a valid message");
        let mut out = [0; 4096];
        let encode = best_ns(|| drop(black_box(black_box(&message).encode(black_box(&mut out)))));
        println!("{name:24} UPER      {:6} {decode:10.0} {encode:10.0}", bytes.len());
        let image = message.to_protobuf().expect("a decoded message");
        let decode = best_ns(|| drop(black_box(<$message>::from_protobuf(black_box(&image)))));
        let encode = best_ns(|| drop(black_box(black_box(&message).to_protobuf())));
        println!("{name:24} protobuf  {:6} {decode:10.0} {encode:10.0}", image.len());
    }};
}

fn main() {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: codec_speed hand.json");
        return;
    };
    let text = std::fs::read_to_string(&path).expect("a readable file");
    let messages: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).expect("a JSON object");
    println!("{:34} {:>6} {:>10} {:>10}", "message", "bytes", "decode ns", "encode ns");
    for (name, message) in messages {
        let bytes = unhex(message["uper"].as_str().unwrap_or_default());
        match bytes.get(1) {
            Some(1) => measure!(name, bytes, Denm),
            Some(2) => measure!(name, bytes, Cam),
            Some(14) => measure!(name, bytes, Cpm),
            _ => {}
        }
    }
    let sample = unhex(include_str!("../tests/samples/spatem.hex").trim());
    measure!("spatem, 5 groups", sample, Spatem);
    measure!("spatem, 16 groups", with_groups(&sample, 16), Spatem);
    measure!("mapem, 4 lanes", unhex(include_str!("../tests/samples/mapem.hex").trim()), Mapem);
    measure!("srem", unhex(include_str!("../tests/samples/srem.hex").trim()), Srem);
    measure!("ssem, 2 answers", unhex(include_str!("../tests/samples/ssem.hex").trim()), Ssem);
    measure!("rtcmem", unhex(include_str!("../tests/samples/rtcmem.hex").trim()), Rtcmem);
    println!("sizes: CAM {} DENM {} CPM {} bytes", size_of::<Cam>(), size_of::<Denm>(), size_of::<Cpm>());
}

/// A SPATEM with copies of its second signal group up to `count` groups.
fn with_groups(bytes: &[u8], count: u8) -> Vec<u8> {
    let mut spatem = Spatem::decode(bytes).expect("a valid message");
    let states = &mut spatem.spat.intersections[0].states;
    for group in states.len() as u8 + 1..=count {
        let mut state = states[1].clone();
        state.signal_group = SignalGroupId(group);
        states.push(state).expect("room for 255");
    }
    spatem.to_uper().expect("encodes")
}
