//! The raw ring: what cameras sent in the last minutes, encrypted, off unless configured.
//!
//! In: pictures as the file or the wire had them. Out: segment files that only the key opens, gone when their time is over.
//! Each opening is written into a chained log before anything is decrypted.
//!
//! A segment file is a header in the clear, then frames:
//! ```text
//! "MASARAW1" | salt 32 | created i64 | keep u32 s | length u8 | camera          (numbers little-endian, times Unix ns)
//! length u32 | captured i64 | codec u8 | ciphertext and tag (ChaCha20-Poly1305, RFC 8439)
//! ```
//! Every segment has a key of its own: HKDF-SHA256 (RFC 5869) of the ring's key and the segment's salt, so that the nonce, the
//! frame's index, never comes twice under a key. Header, index, time and codec are authenticated with each frame: a frame
//! that was changed, moved or taken out is an error. A segment that ends early is not, because a crash ends one.
//!
//! Deliberately absent: a way to make it longer than a day, and any way out of the node.

mod cipher;
mod open;
mod openings;
mod segment;
mod writer;

pub use cipher::RawKey;
pub use open::{Opened, Opening, open};
pub use openings::{OPENINGS, OpeningRecord, read_openings};
pub use writer::RawRing;

use crate::keystore::KeystoreError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Longest time that a frame may be kept, seconds: a day.
const MAX_KEEP_S: u32 = 86_400;

/// Where raw pictures are kept, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawRingSettings {
    /// Directory of the segments, relative to the node file; made when absent, for the owner alone.
    pub directory: PathBuf,
    /// The key, relative to the node file: a file of mode 0600 that `masa privacy key` made.
    pub key: PathBuf,
    /// How long a frame is kept, seconds: 10 minutes unless given, a day at most.
    #[serde(default = "default_keep_s")]
    pub keep_s: u32,
    /// Most bytes of all segments of the directory; the oldest go first.
    #[serde(default = "default_max_bytes")]
    pub max_bytes: u64,
}

fn default_keep_s() -> u32 {
    600
}

fn default_max_bytes() -> u64 {
    2 << 30
}

impl RawRingSettings {
    /// Makes relative paths start at `base`.
    pub(crate) fn resolve(&mut self, base: &Path) {
        for path in [&mut self.directory, &mut self.key] {
            if path.is_relative() {
                *path = base.join(&*path);
            }
        }
    }
}

/// What can be wrong with the raw ring.
#[derive(Debug, thiserror::Error)]
pub enum RawRingError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeystoreError),
    /// The time for which frames are kept is out of range.
    #[error("raw-ring.keep-s = {keep_s} is not within 1 to {MAX_KEEP_S}")]
    Keep {
        /// What was asked for.
        keep_s: u32,
    },
    /// A file is no segment.
    #[error("{path}: byte {at}: {what}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A frame was changed, moved or taken out, or the key is another one.
    #[error("{path}: frame {index} does not decrypt: another key, or the file was changed")]
    Forged {
        /// The file.
        path: PathBuf,
        /// The frame, from 0.
        index: u64,
    },
    /// The log of openings does not hold together.
    #[error("{path}:{line}: {what}")]
    Openings {
        /// The log.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A thread could not be started.
    #[error("the system refuses a thread: {0}")]
    Thread(std::io::Error),
}

/// An error of a file.
fn io_at(path: &Path) -> impl Fn(std::io::Error) -> RawRingError + '_ {
    |source| RawRingError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
