//! Errors that lead to the byte: which message, which component, where, why.

use crate::uper::UperErrorKind;

/// What went wrong in a component.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtobufErrorKind {
    /// Not protobuf's wire format: a number or a length that goes past the end, field number 0, a group without end.
    #[error("not protobuf: {0}")]
    Malformed(&'static str),
    /// A field with another wire type than its schema says.
    #[error("wire type {found} instead of {expected}")]
    WireType {
        /// The schema's wire type.
        expected: u8,
        /// The wire type found.
        found: u8,
    },
    /// A component that the standard makes mandatory is absent.
    #[error("missing")]
    Missing,
    /// A component that occurs once at most occurs again; two alternatives of one CHOICE.
    #[error("given twice")]
    Twice,
    /// A CHOICE without an alternative that is known here.
    #[error("none of the alternatives is there")]
    NoAlternative,
    /// A type of which no message here is.
    #[error("no such type")]
    UnknownType,
    /// A value that the component cannot have.
    #[error(transparent)]
    Value(#[from] UperErrorKind),
}

/// An error of the protobuf image: message, path of the component, byte offset, reason.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}{path} at byte {byte}: {kind}")]
pub struct ProtobufError {
    /// Name of the message, such as `CAM`.
    pub message: &'static str,
    /// Path of the component in ETSI names, such as `.cam.camParameters.basicContainer.stationType`.
    pub path: String,
    /// Offset from the start of the input or output.
    pub byte: usize,
    /// The reason.
    pub kind: ProtobufErrorKind,
}

/// An error on its way up, completed with the path.
#[derive(Debug)]
pub(crate) struct Fault(Box<ProtobufError>);

impl Fault {
    #[cold]
    pub(crate) fn new(kind: ProtobufErrorKind, byte: usize) -> Self {
        Self(Box::new(ProtobufError { message: "", path: String::new(), byte, kind }))
    }

    #[cold]
    pub(crate) fn in_field(mut self, name: &str) -> Self {
        self.0.path.insert_str(0, &format!(".{name}"));
        self
    }

    #[cold]
    pub(crate) fn in_element(mut self, index: usize) -> Self {
        self.0.path.insert_str(0, &format!("[{index}]"));
        self
    }

    pub(crate) fn into_error(self, message: &'static str) -> ProtobufError {
        ProtobufError { message, ..*self.0 }
    }
}
