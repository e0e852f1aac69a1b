//! Errors that lead to the bit of a frame.

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameErrorKind {
    /// The frame ends inside the field.
    #[error("{needed} octets needed, {available} left")]
    Truncated {
        /// Octets that the field takes.
        needed: usize,
        /// Octets that are left.
        available: usize,
    },
    /// A code that EN 302 636-4-1 V1.4.1 does not define or that has no meaning here.
    #[error("{0} is not supported")]
    Unsupported(u16),
    /// More payload than the 16-bit length can say.
    #[error("{0} octets of payload are too many")]
    TooLong(usize),
    /// Octets after the end.
    #[error("{0} octets left over")]
    LeftOver(usize),
    /// The output buffer is too small.
    #[error("the buffer of {room} octets is too small")]
    BufferFull {
        /// Length of the buffer.
        room: usize,
    },
}

/// A frame that does not decode, or a packet that does not encode: field, offset, reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} at byte {} bit {}: {kind}", .bit / 8, .bit % 8)]
pub struct FrameError {
    /// The field, such as `common header: header type`.
    pub field: &'static str,
    /// Offset of the field from the start of what was decoded, bits.
    pub bit: usize,
    /// What is wrong.
    pub kind: FrameErrorKind,
}

impl FrameError {
    pub(crate) const fn at_byte(field: &'static str, byte: usize, kind: FrameErrorKind) -> Self {
        Self { field, bit: byte * 8, kind }
    }

    pub(crate) const fn at_bit(field: &'static str, bit: usize, kind: FrameErrorKind) -> Self {
        Self { field, bit, kind }
    }

    /// The same error in a frame of which the decoded part begins at `byte`.
    #[must_use]
    pub const fn within(mut self, byte: usize) -> Self {
        self.bit += byte * 8;
        self
    }
}
