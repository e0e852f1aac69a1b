//! Encode and decode of realistic messages, ours beside rasn's, in one run:
//! `cargo run --release -- [hand.json] [--at-least RATIO]` in `benches/codec`.
//!
//! In: `hand.json` of the test data, one object a message with its bytes in `uper`. Out: ns and allocations per operation
//! and their ratios; with `--at-least` the exit code says whether the ratios of the realistic messages reach it and ours never allocates.
//! Both sides are timed in turns, and each figure is the best of many rounds, so that noise hits both. Before that, both
//! sides must reproduce the bytes. rasn's side has typed inner containers in the CPM, as ours has.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

mod peer;

use masa_v2x_proto::uper::Dialect;
use masa_v2x_proto::{cam::Cam, cpm::Cpm, denm::Denm};
use peer::{Peer, PeerCam, PeerCpm, PeerDenm1, PeerDenm2};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// Messages whose ratios `--at-least` judges: those of everyday traffic. A cancellation or an empty roadside unit's CAM says
/// more of what it costs to hand over a value.
const JUDGED: [&str; 5] = ["r1_cam_typical", "r2_cam_typical", "r1_denm_stationary", "r2_denm_stationary", "r2_cpm_20"];

/// Calls timed together: a round must be shorter than the time slice that another process may take.
const CALLS: u32 = 50;
/// Rounds, of which the best counts.
const ROUNDS: u32 = 1500;

/// Time and allocations of one operation.
#[derive(Clone, Copy)]
struct Cost {
    ns: f64,
    allocations: u64,
}

/// An operation with the best time so far.
struct Timed<'a> {
    call: Box<dyn FnMut() + 'a>,
    best: Cost,
}

impl<'a> Timed<'a> {
    fn new(mut call: impl FnMut() + 'a) -> Self {
        let allocations = allocation_counter::measure(&mut call).count_total;
        Self { call: Box::new(call), best: Cost { ns: f64::INFINITY, allocations } }
    }

    fn round(&mut self) {
        let start = Instant::now();
        for _ in 0..CALLS {
            (self.call)();
        }
        let ns = start.elapsed().as_nanos() as f64 / f64::from(CALLS);
        self.best.ns = self.best.ns.min(ns);
    }
}

/// What one message costs: ours and the peer's.
struct Row {
    decode: [Cost; 2],
    encode: [Cost; 2],
}

macro_rules! measure {
    ($name:expr, $ours:ty, $peer:ty, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        let ours = <$ours>::decode_as(Dialect::DEFAULT, bytes).expect("a valid message");
        // rasn's generated types read the standards in another way by one bit of a CPM.
        let mut theirs = vec![0; bytes.len() + 8];
        let length = ours.encode_as(Dialect::RASN, &mut theirs).expect("room for one bit more");
        theirs.truncate(length);
        let mut out = [0; 4096];
        let length = ours.encode(&mut out).expect("a buffer that is large enough");
        assert_eq!(&out[..length], bytes, "ours reproduces the bytes");
        let Some(mut peer) = <$peer>::decode(&theirs) else {
            println!("{:20} not measured: the peer does not read it", $name);
            continue;
        };
        if peer.encode() != Some(theirs.clone()) {
            println!("{:20} not measured: the peer encodes it to other bytes", $name);
            continue;
        }
        let mut timed = [
            Timed::new(|| _ = black_box(&<$ours>::decode(black_box(bytes)))),
            Timed::new(|| _ = black_box(&<$peer>::decode(black_box(&theirs)))),
            Timed::new(|| drop(black_box(black_box(&ours).encode(black_box(&mut out))))),
            Timed::new(|| drop(black_box(black_box(&mut peer).encode()))),
        ];
        for _ in 0..ROUNDS {
            timed.iter_mut().for_each(Timed::round);
        }
        let [a, b, c, d] = timed.map(|timed| timed.best);
        Row { decode: [a, b], encode: [c, d] }
    }};
}

fn unhex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(digit).collect()
}

fn main() -> ExitCode {
    let mut path = None;
    let mut at_least = 0.0;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--at-least" {
            at_least = arguments.next().and_then(|ratio| ratio.parse().ok()).expect("--at-least RATIO");
        } else {
            path = Some(argument.into());
        }
    }
    let data = || std::env::var_os("MASA_TEST_DATA").map_or("../../../shared/data".into(), std::path::PathBuf::from);
    let path = path.unwrap_or_else(|| data().join("v2x/hand.json"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is missing", path.display());
        return ExitCode::SUCCESS;
    };
    let messages: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).expect("a JSON object");
    println!(
        "ns an operation, ours / rasn 0.28 (c-its-parser 2.4), best of {ROUNDS} rounds of {CALLS}; allocations in brackets"
    );
    println!("{:20} {:>5}  {:>27} {:>6}  {:>27} {:>6}", "message", "bytes", "decode", "ratio", "encode", "ratio");
    let mut good = true;
    for (name, message) in messages {
        let bytes = unhex(message["uper"].as_str().unwrap_or_default());
        let row = match name.rsplit_once('_').map_or(name.as_str(), |(kind, _)| kind) {
            "r1_cam" | "r2_cam" => measure!(name, Cam, PeerCam, &bytes),
            "r1_denm" => measure!(name, Denm, PeerDenm1, &bytes),
            "r2_denm" => measure!(name, Denm, PeerDenm2, &bytes),
            "r2_cpm" => measure!(name, Cpm, PeerCpm, &bytes),
            _ => continue,
        };
        print!("{name:20} {:5}", bytes.len());
        for [ours, peer] in [row.decode, row.encode] {
            let ratio = peer.ns / ours.ns;
            good &= ours.allocations == 0 && (ratio >= at_least || !JUDGED.contains(&name.as_str()));
            let pair = format!("{:.0} ({}) / {:.0} ({})", ours.ns, ours.allocations, peer.ns, peer.allocations);
            print!("  {pair:>27} {ratio:6.1}");
        }
        println!();
    }
    if at_least > 0.0 {
        println!(
            "at least {at_least} times as fast ({}), without allocation: {}",
            JUDGED.join(", "),
            if good { "holds" } else { "fails" }
        );
    }
    if good || at_least <= 0.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
