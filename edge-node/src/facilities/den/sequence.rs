//! Sequence numbers of events: no number twice while receivers may still know the first event under it.
//!
//! The runner keeps the next free number on disk and hands it over at the start (`first-sequence-number`), so numbers go on
//! where they stopped, also after a crash. A node without such a place begins at a number taken from the time of its first
//! event; there, a restart that follows a burst of events within as many seconds can use a number again.

use masa_v2x_proto::time::Timestamp;

/// The numbers of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct SequenceNumbers {
    next: Option<u16>,
    is_new: bool,
}

impl SequenceNumbers {
    pub(super) const fn new(first: Option<u16>) -> Self {
        Self { next: first, is_new: false }
    }

    /// The number of a new event.
    pub(super) fn take(&mut self, now: Timestamp) -> u16 {
        let number = self.next.unwrap_or((now.unix_ms() / 1_000).rem_euclid(1 << 16) as u16);
        self.next = Some(number.wrapping_add(1));
        self.is_new = true;
        number
    }

    /// The next free number, if it has changed since this was last asked.
    pub(super) fn news(&mut self) -> Option<u16> {
        std::mem::take(&mut self.is_new).then_some(self.next).flatten()
    }
}
