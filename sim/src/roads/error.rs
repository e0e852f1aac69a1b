//! Why a network could not be read.

use std::io;

/// Why a network could not be read: with the file, and the line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum RoadsError {
    /// The file could not be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not well-formed XML.
    #[error("{file}:{line}: not well-formed XML: {source}")]
    NotXml {
        /// The file.
        file: String,
        /// Its line.
        line: u32,
        /// What the reader says.
        source: roxmltree::Error,
    },
    /// The file is of no kind that is known.
    #[error("{file}: root element <{root}> is neither a SUMO network (<net>) nor OpenDRIVE (<OpenDRIVE>)")]
    UnknownFormat {
        /// The file.
        file: String,
        /// Its root element.
        root: String,
    },
    /// An element says something impossible or unknown.
    #[error("{file}:{line}: <{element}>: {problem}")]
    Element {
        /// The file.
        file: String,
        /// Its line.
        line: u32,
        /// The element's name, with its id where it has one.
        element: String,
        /// What is wrong.
        problem: String,
    },
    /// A scenery file beside a network is wrong.
    #[error("{file}: {problem}")]
    Scenery {
        /// The file.
        file: String,
        /// What is wrong, with its place.
        problem: String,
    },
    /// No shipped network has this name.
    #[error("no shipped network is called `{name}`{}", near.as_deref().map(|near| format!("; `{near}` is one")).unwrap_or_default())]
    NotShipped {
        /// The name.
        name: String,
        /// The nearest name that there is.
        near: Option<String>,
    },
}
