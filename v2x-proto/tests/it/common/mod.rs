//! Test data read in place: `MASA_TEST_DATA`, else `../shared/data` beside the workspace.
#![allow(dead_code, reason = "`bare` uses its part")]

use serde_json::Value;
use std::path::PathBuf;

/// The path of a data file, or `None` after saying that `test` is skipped.
pub(crate) fn data_path(name: &str, test: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MASA_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {test}: {} is missing", path.display());
    None
}

/// The text of a data file, or `None` after saying that `test` is skipped.
pub(crate) fn data(name: &str, test: &str) -> Option<String> {
    Some(std::fs::read_to_string(data_path(name, test)?).expect("a readable file"))
}

/// Bytes of hexadecimal digits.
pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(digit).collect()
}

/// Messages of `v2x/<kind>.jsonl`: seed, bytes, stated value.
pub(crate) fn vectors(kind: &str, test: &str) -> Vec<(String, Vec<u8>, Value)> {
    let text = data(&format!("v2x/{kind}.jsonl"), test).unwrap_or_default();
    let vector = |line: &str| {
        let mut vector: Value = serde_json::from_str(line).expect("a JSON line");
        let bytes = unhex(vector["uper"].as_str().expect("the digits"));
        (format!("{kind} seed {}", vector["seed"]), bytes, vector["jer"].take())
    };
    text.lines().map(vector).collect()
}

/// The CAM, DENM and CPM of `v2x/hand.json`: name, bytes, stated value.
pub(crate) fn realistic(test: &str) -> Vec<(String, Vec<u8>, Value)> {
    let Some(text) = data("v2x/hand.json", test) else { return Vec::new() };
    let all: serde_json::Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    let mut messages = Vec::new();
    for (name, mut vector) in all {
        if ["cam", "denm", "cpm"].contains(&name.split('_').nth(1).unwrap_or_default()) {
            messages.push((name, unhex(vector["uper"].as_str().expect("the digits")), vector["jer"].take()));
        }
    }
    messages
}

/// The folder of the protobuf schemas.
#[cfg(feature = "std")]
pub(crate) fn proto_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("proto")
}

/// The descriptors of the committed schemas.
#[cfg(feature = "std")]
pub(crate) fn schema_pool() -> protox::prost_reflect::DescriptorPool {
    let files = masa_v2x_proto::protobuf::schemas();
    let paths = files.iter().map(|file| file.path.as_str());
    let files = protox::compile(paths, [proto_dir()]).unwrap_or_else(|error| panic!("{error:?}"));
    protox::prost_reflect::DescriptorPool::from_file_descriptor_set(files).expect("the compiler's own descriptors")
}

/// Bits of a message, to cut and paste.
pub(crate) struct Bits(pub(crate) Vec<bool>);

impl Bits {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7 - bit) & 1 == 1)).collect())
    }

    pub(crate) fn insert(&mut self, at: usize, value: u64, width: usize) {
        let bits = (0..width).map(|bit| value >> (width - 1 - bit) & 1 == 1);
        self.0.splice(at..at, bits);
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | u8::from(*bit) << (7 - i));
        self.0.chunks(8).map(byte).collect()
    }
}
