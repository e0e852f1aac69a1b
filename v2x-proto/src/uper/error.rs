//! Errors that lead to the bit: which message, which component, where, why.

use crate::heap::{PathText, path_text};
use core::fmt;

/// What went wrong in a component.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UperErrorKind {
    /// The input ends inside the component.
    #[error("{needed} bits needed, {available} left")]
    Truncated {
        /// Bits that the component takes.
        needed: usize,
        /// Bits that are left.
        available: usize,
    },
    /// A value that the component cannot hold.
    #[error("{value} is not in {min}..={max}")]
    OutOfRange {
        /// The value, in wire units.
        value: f64,
        /// Smallest, in wire units.
        min: i64,
        /// Largest, in wire units.
        max: i64,
    },
    /// Not a number.
    #[error("the value is not a number")]
    NotANumber,
    /// A "below" or "out of range" mark that the component does not have.
    #[error("the component has no mark for {0:?}")]
    NoMark(&'static str),
    /// A list whose length the standard or this implementation does not allow.
    #[error("{count} elements, {min}..={max} allowed")]
    Count {
        /// Elements.
        count: usize,
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
    },
    /// A character outside the component's alphabet.
    #[error("character {0:#04x} is not allowed")]
    Character(u8),
    /// Text that is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A form that no encoder following the rules emits.
    #[error("not the form that the encoding rules prescribe: {0}")]
    NotCanonical(&'static str),
    /// Content after the end of the component.
    #[error("{0} bits left over")]
    LeftOver(usize),
    /// The output buffer is too small.
    #[error("the buffer of {0} bytes is too small")]
    BufferFull(usize),
    /// Content of a later version that no longer has its place, because the message was changed.
    #[error("an unknown extension of {0} has lost its place: clear `unknown_extensions` after changing a message")]
    UnknownExtensionMoved(&'static str),
    /// More than a build without an allocator has room for.
    #[error("{count} elements or bytes, this build has room for {room}")]
    NoRoom {
        /// Elements of a list, or bytes of undecoded content.
        count: usize,
        /// Most that there is room for.
        room: usize,
    },
    /// Content of a later version that a build without an allocator had no room for: it cannot be sent on.
    #[error("{0} unknown extensions were not kept: clear `unknown_extensions` to send the message without them")]
    NotKept(u32),
    /// Another kind of message than asked for, or one that is not implemented.
    #[error("message id {found} instead of {expected}")]
    WrongMessage {
        /// Message id asked for; 0 for any that is implemented.
        expected: u8,
        /// Message id found.
        found: u8,
    },
    /// Something that this implementation leaves out.
    #[error("not supported: {0}")]
    NotSupported(&'static str),
}

/// An encoding or decoding error: message, path of the component, bit offset, reason.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}{path} at bit {bit}: {kind}")]
pub struct UperError {
    /// Name of the message, such as `CAM`.
    pub message: &'static str,
    /// Path of the component in ETSI names, such as `.cam.camParameters.basicContainer.stationType`.
    pub path: PathText,
    /// Bit offset from the start of the message at which the component was read or was to be written.
    pub bit: usize,
    /// The reason.
    pub kind: UperErrorKind,
}

/// Marks a failure whose reason is in the reader or writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// The reason of a failure, completed with the path as the failure travels up.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: UperErrorKind,
    bit: usize,
    path: heapless::Vec<Segment, 24>,
}

#[derive(Clone, Copy, Debug)]
enum Segment {
    Field(&'static str),
    Index(usize),
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Segments of a path, the innermost first.
struct Path<'a>(&'a [Segment]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|segment| segment.fmt(f))
    }
}

impl Failure {
    pub(crate) fn new(kind: UperErrorKind, bit: usize) -> Self {
        Self { kind, bit, path: heapless::Vec::new() }
    }

    pub(crate) fn in_field(&mut self, name: &'static str) {
        // The deepest type is 20 levels down; a path cut at the top is still of use.
        let _ = self.path.push(Segment::Field(name));
    }

    pub(crate) fn in_element(&mut self, index: usize) {
        let _ = self.path.push(Segment::Index(index));
    }

    pub(crate) fn into_error(self, message: &'static str) -> UperError {
        let from = |outermost: &usize| path_text(&Path(&self.path[..self.path.len() - outermost]));
        let path = (0..=self.path.len()).find_map(|outermost| from(&outermost)).unwrap_or_default();
        UperError { message, path, bit: self.bit, kind: self.kind }
    }
}
