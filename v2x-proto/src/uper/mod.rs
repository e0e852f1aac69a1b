//! Unaligned packed encoding rules (X.691) for our types.

pub(crate) mod declare;
pub(crate) mod element;
pub(crate) mod quantity;

/// An alternative of a later version of a message, kept as received so that it is sent on unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAlternative {
    /// Index among the extension alternatives.
    pub index: u8,
    /// Content of its open type.
    pub content: Box<[u8]>,
}
