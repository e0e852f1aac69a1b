//! The event log on disk: MCAP recordings of everything that entered and every message that left.
//!
//! In: [`Record`]s in processing order. Out: a file that Foxglove and `mcap` open unmodified, and that [`Recording`]
//! reads back exactly. The file order is the processing order. Absent on purpose: any interpretation of the events.

mod ranging_schema;
pub mod raw_ring;
mod reader;
mod repair;
mod schema;
#[cfg(test)]
mod tests;
mod v2x_schema;
mod writer;

pub use reader::{Entry, Recording};
pub use repair::{Repair, recordings, repair};
pub use schema::proto;
pub(crate) use writer::jpeg;
pub use writer::{FrameRecording, Record, Recorder, RecorderSettings, RecorderStats};

use std::path::PathBuf;

/// Layout version of the recordings this program writes, and the newest it reads.
pub const FORMAT: u32 = 1;

/// Topic of the [`proto::Header`].
pub(crate) const HEADER_TOPIC: &str = "/masa/header";
/// Topic of [`proto::Gap`]s.
pub(crate) const GAP_TOPIC: &str = "/masa/gap";
/// Topics of [`proto::Event`]s start with this.
pub(crate) const EVENT_PREFIX: &str = "/masa/event/";
/// Topics of [`proto::PublishedMessage`]s start with this.
pub(crate) const MESSAGE_PREFIX: &str = "/v2x/";

/// What can go wrong with a recording.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The MCAP container is broken.
    #[error("{path}: not a readable MCAP recording: {source}")]
    Container {
        /// The file.
        path: PathBuf,
        /// What the MCAP reader says.
        source: mcap::McapError,
    },
    /// The file does not begin with a MASA header.
    #[error("{path}: no MASA header at its beginning; it is not a recording of a MASA node")]
    NoHeader {
        /// The file.
        path: PathBuf,
    },
    /// The recording is of a newer layout.
    #[error("{path}: recording format {found}, this program reads up to {FORMAT}; use a newer masa")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A protobuf message does not parse.
    #[error("{topic}, message {index}: {source}")]
    Protobuf {
        /// Its topic.
        topic: String,
        /// Its position in the file, from 0.
        index: u64,
        /// What the decoder says.
        source: prost::DecodeError,
    },
    /// A field holds what this version does not know.
    #[error("{field} is {value:?}, which this version does not know")]
    Content {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: String,
    },
}
