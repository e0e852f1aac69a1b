//! What can go wrong when starting links, handing over a message or reading what a peer sent.

use crate::kind::Kind;
use std::path::PathBuf;

/// An error of this crate. Failures of a running link are not errors but states: see [`crate::LinkStatus`].
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// A name does not fit into a key or topic.
    #[error("{what} {value:?} cannot stand in a key: use 1 to 64 letters, digits, '-', '_' or '.'")]
    BadName {
        /// Which name.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// A quadkey is empty, too long or not made of the digits 0 to 3.
    #[error("message {id}: quadkey {quadkey:?} is not 1 to 24 digits of 0 to 3")]
    BadQuadkey {
        /// The message.
        id: String,
        /// Its quadkey.
        quadkey: String,
    },
    /// A message exceeds [`crate::message::MAX_PAYLOAD_BYTES`].
    #[error("message {id}: {bytes} bytes exceed the limit of {limit}")]
    TooLarge {
        /// The message.
        id: String,
        /// Its size, UPER or JSON, whichever is larger.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The queue towards the outbox is full: messages come faster than the disk takes them.
    #[error("message {id}: the outbox takes no more {kind} now", kind = kind.name())]
    OutboxBusy {
        /// The message.
        id: String,
        /// Its kind.
        kind: Kind,
    },
    /// The links have been shut down.
    #[error("message {id}: the links are shut down")]
    Closed {
        /// The message.
        id: String,
    },
    /// The outbox file cannot be used.
    #[error("outbox {path}: {source}", path = path.display())]
    Outbox {
        /// The file; `:memory:` when none is configured.
        path: PathBuf,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// A setting cannot work.
    #[error("setting {setting}: {reason}")]
    Setting {
        /// Dotted name of the setting.
        setting: &'static str,
        /// Why not.
        reason: String,
    },
    /// The embedded broker cannot listen.
    #[error("broker {address}: {source}")]
    Broker {
        /// The address.
        address: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// What carries GeoNetworking frames cannot be opened.
    #[error("GeoNetworking over {medium}: {source}{hint}")]
    Medium {
        /// Interface or address.
        medium: String,
        /// The system's reason.
        source: std::io::Error,
        /// What helps; empty when nothing is known to.
        hint: &'static str,
    },
    /// The capture of GeoNetworking frames cannot be written.
    #[error(transparent)]
    Capture(#[from] crate::geonet::capture::CaptureError),
    /// A file named by a setting cannot be read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A document of the outbox protocol does not parse.
    #[error("{what} of {bytes} bytes: {reason}")]
    Malformed {
        /// Which document.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// What is wrong.
        reason: String,
    },
}
