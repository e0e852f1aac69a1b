//! What later versions of the standards add, kept so that a message is sent on unchanged.

/// An alternative of a later version of a message, kept as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAlternative {
    /// Index among the extension alternatives.
    pub index: u8,
    /// Content of its open type.
    pub content: Box<[u8]>,
}

/// Extension additions that this version does not know, with their places in the message they came with.
///
/// They belong to the message as decoded. Whoever adds or removes components of such a message clears them first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownExtensions(pub(crate) Vec<UnknownExtension>);

impl UnknownExtensions {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// The additions that one sequence has beyond the known ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownExtension {
    /// How many extensible sequences were met in the message, this one included.
    pub(crate) ordinal: u32,
    /// Type of the sequence.
    pub(crate) owner: &'static str,
    /// Number of additions that the sender announced.
    pub(crate) len: u8,
    pub(crate) additions: Vec<UnknownAddition>,
}

/// One addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownAddition {
    pub(crate) index: u8,
    pub(crate) content: Box<[u8]>,
}

/// Which additions follow.
pub(crate) struct Additions {
    pub(crate) len: u32,
    /// One bit for each, the first one highest.
    pub(crate) bits: u64,
    pub(crate) next: u32,
}

impl Additions {
    /// Whether the next addition is there; false past the last one announced.
    pub(crate) fn next_is_present(&mut self) -> bool {
        let present = self.next < 64 && (self.bits << self.next) >> 63 == 1;
        self.next += 1;
        present
    }

    /// Whether any addition before the next one is there.
    pub(crate) fn any_seen(&self) -> bool {
        self.next > 0 && self.bits >> (64 - self.next.min(64)) != 0
    }
}
