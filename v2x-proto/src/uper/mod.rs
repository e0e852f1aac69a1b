//! Unaligned packed encoding rules (X.691) for our types.
//!
//! In: bytes of a message, or a message. Out: the other one. One table a type (`declare`) gives its Rust form, its wire
//! form and its JER names. Invariants: what decodes encodes to the same bytes in the same [`Dialect`]; malformed input is
//! an error that names the component and the bit; encoding never allocates, decoding only for lists that outgrow their
//! usual size. Absent: fragmented lengths (above 16 KiB), which no message here reaches.

#[cfg(feature = "std")]
pub(crate) mod bounded;
pub(crate) mod declare;
pub(crate) mod declare_decode;
pub(crate) mod declare_values;
mod dialect;
pub(crate) mod element;
mod error;
pub(crate) mod extension;
pub(crate) mod quantity;
pub(crate) mod reader;
pub(crate) mod tables;
pub(crate) mod text;
pub(crate) mod writer;

#[cfg(feature = "std")]
pub use bounded::Null;
pub use dialect::{Dialect, ExtensionBit};
pub(crate) use error::Failed;
pub use error::{UperError, UperErrorKind};
pub use extension::{UnknownAlternative, UnknownExtensions};
