//! What can be wrong with a scenario file: always with the file and the line.

use std::fmt;
use std::path::PathBuf;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Why a scenario does not load.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is absent or unreadable.
    #[error("{}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system, the XML reader or the OpenDRIVE reader says.
        reason: String,
    },
    /// The standard has it, this importer does not; or nobody does.
    #[error("{place}: {what} is not supported")]
    Unsupported {
        /// Where.
        place: Place,
        /// The element, attribute or value.
        what: String,
    },
    /// Something the standard asks for is missing, or a value is none.
    #[error("{place}: {what}")]
    Invalid {
        /// Where.
        place: Place,
        /// What is wrong.
        what: String,
    },
}
