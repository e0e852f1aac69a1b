//! The log of openings: who opened what, when and why.
//!
//! One JSON object a line, each with an HMAC-SHA256 over the one before and its own text, under a key derived from the
//! ring's: a line that was changed, moved or taken out from among others shows. That the last lines were cut off does not:
//! who must exclude that copies the log to where the operator cannot write.

use super::cipher::RawKey;
use super::{RawRingError, io_at};
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Name of the log in the ring's directory.
pub const OPENINGS: &str = "openings.jsonl";

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OpeningRecord {
    /// When, RFC 3339.
    pub at: String,
    /// Who: the system's user.
    pub by: String,
    /// Why, in the words given.
    pub reason: String,
    /// Of which camera; absent: of all.
    pub camera: Option<String>,
    /// From when on, RFC 3339; absent: from the beginning.
    pub from: Option<String>,
    /// Until when, RFC 3339; absent: to the end.
    pub until: Option<String>,
    /// Segments that were there for that.
    pub segments: usize,
}

#[derive(Serialize, Deserialize)]
struct Line {
    mac: String,
    #[serde(flatten)]
    record: serde_json::Value,
}

/// Appends a record and waits until it is on the disk.
///
/// # Errors
/// When the log cannot be read or written, or does not hold together.
pub(super) fn append(directory: &Path, key: &RawKey, record: &OpeningRecord) -> Result<(), RawRingError> {
    let path = directory.join(OPENINGS);
    let (_, previous) = read(&path, key)?;
    let text = serde_json::to_value(record).map_err(|error| io_at(&path)(error.into()))?;
    let mac = chain(&key.of_openings(), &previous, &text);
    let line = serde_json::to_string(&Line { mac, record: text }).map_err(|error| io_at(&path)(error.into()))?;
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(io_at(&path))?;
    file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(io_at(&path))
}

/// The openings of a ring, oldest first.
///
/// # Errors
/// When the log cannot be read or does not hold together; the error names the first line that does not.
pub fn read_openings(directory: &Path, key: &RawKey) -> Result<Vec<OpeningRecord>, RawRingError> {
    Ok(read(&directory.join(OPENINGS), key)?.0)
}

/// The records and the last one's chain value.
fn read(path: &Path, key: &RawKey) -> Result<(Vec<OpeningRecord>, String), RawRingError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), String::new())),
        Err(error) => return Err(io_at(path)(error)),
    };
    let key = key.of_openings();
    let (mut records, mut previous) = (Vec::new(), String::new());
    for (index, line) in text.lines().enumerate() {
        let broken = |what| RawRingError::Openings { path: path.to_owned(), line: index + 1, what };
        let Line { mac, record } = serde_json::from_str(line).map_err(|error| broken(error.to_string()))?;
        if chain(&key, &previous, &record) != mac {
            return Err(broken("changed, moved, or behind one that was taken out".to_owned()));
        }
        records.push(serde_json::from_value(record).map_err(|error| broken(error.to_string()))?);
        previous = mac;
    }
    Ok((records, previous))
}

fn chain(key: &hmac::Key, previous: &str, record: &serde_json::Value) -> String {
    let tag = hmac::sign(key, format!("{previous}\n{record}").as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
