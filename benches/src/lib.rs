//! Measurements against peers and limits; each is a program under `src/bin`, see `README.md`. Here is what several of them
//! need.

pub mod cpu;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// What the Python peer `script`, of `benches/python`, prints as JSON.
///
/// # Errors
/// It cannot be started, ends with an error (its words are in ours) or prints something else.
pub fn ask_peer<T: DeserializeOwned>(python: &Path, script: &str, arguments: &[OsString]) -> anyhow::Result<T> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(script);
    let output = Command::new(python).arg(&script).args(arguments).output();
    let output = output.with_context(|| format!("starting {}", python.display()))?;
    if !output.status.success() {
        bail!("{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("what {} says", script.display()))
}

/// The least time of `calls` calls, microseconds: other programs only ever slow one down. Each gets what `prepare` gives, which
/// is not measured.
#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub fn least_us<T>(calls: u32, mut prepare: impl FnMut() -> T, mut call: impl FnMut(&mut T)) -> f64 {
    let mut least_us = f64::INFINITY;
    for _ in 0..calls {
        let mut prepared = prepare();
        let started = Instant::now();
        call(&mut prepared);
        least_us = least_us.min(started.elapsed().as_secs_f64() * 1e6);
    }
    least_us
}
