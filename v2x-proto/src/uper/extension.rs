//! What later versions of the standards add, kept so that a message is sent on unchanged.

use crate::List;
use crate::heap::{Content, inline};

/// An alternative of a later version of a message, kept as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAlternative {
    /// Index among the extension alternatives.
    pub index: u8,
    /// Content of its open type.
    pub content: Content,
}

/// Extension additions that this version does not know, with their places in the message they came with.
///
/// They belong to the message as decoded. Whoever adds or removes components of such a message clears them first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownExtensions {
    pub(crate) kept: List<UnknownExtension, { inline(0, 4) }, { usize::MAX }>,
    not_kept: u32,
}

impl UnknownExtensions {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.not_kept == 0
    }

    /// Drops all of them.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Additions and containers for which a build without an allocator had no room; 0 in any other build. A message that
    /// lost some is not sent on until they are [cleared](Self::clear).
    pub fn not_kept(&self) -> u32 {
        self.not_kept
    }

    /// Counts one that there is no room for.
    pub(crate) fn lose_one(&mut self) {
        self.not_kept += 1;
    }

    /// How many there are, to go [back to](Self::back_to).
    pub(crate) fn mark(&self) -> (usize, u32) {
        (self.kept.len(), self.not_kept)
    }

    /// Forgets what came since `mark`.
    pub(crate) fn back_to(&mut self, mark: (usize, u32)) {
        self.kept.truncate(mark.0);
        self.not_kept = mark.1;
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
    pub(crate) additions: List<UnknownAddition, { inline(0, 2) }, 64>,
}

/// One addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownAddition {
    pub(crate) index: u8,
    pub(crate) content: Content,
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
