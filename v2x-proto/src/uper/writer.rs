//! Bits out.

use crate::uper::dialect::Dialect;
use crate::uper::error::{Failed, Failure, UperError, UperErrorKind};
use crate::uper::extension::{UnknownExtension, UnknownExtensions};

/// Collects bits, most significant first, in a word and stores full words into the caller's buffer.
///
/// Writing past the buffer is remembered, not stored, so that a single number costs one comparison only.
pub(crate) struct BitWriter<'a> {
    out: &'a mut [u8],
    /// Bytes stored.
    stored: usize,
    /// The last `filled` bits written, in its low bits.
    word: u64,
    filled: u32,
    overflow: bool,
    /// The sequence whose unknown extensions have the places of known ones: no decoder makes such a message.
    misplaced: Option<&'static str>,
    /// Extensible sequences met so far.
    ordinal: u32,
    /// Ordinal of the next sequence with unknown extensions.
    next_unknown: u32,
    unknown: &'a [UnknownExtension],
    /// Unknown extensions that were lost.
    not_kept: u32,
    /// Elements inside elements of their own type, at the present place.
    pub(crate) nesting: u8,
    pub(crate) dialect: Dialect,
    failure: Option<Failure>,
}

impl<'a> BitWriter<'a> {
    /// Widest number that [`BitWriter::put`] writes.
    const WIDEST: u32 = 56;

    pub(crate) fn new(out: &'a mut [u8], unknown: &'a UnknownExtensions, dialect: Dialect) -> Self {
        let not_kept = unknown.not_kept();
        let unknown = unknown.kept.as_slice();
        Self {
            out,
            stored: 0,
            word: 0,
            filled: 0,
            overflow: false,
            misplaced: None,
            ordinal: 0,
            next_unknown: unknown.first().map_or(u32::MAX, |first| first.ordinal),
            unknown,
            not_kept,
            nesting: 0,
            dialect,
            failure: None,
        }
    }

    /// Writes the low `width` bits of `value`, at most 56; the bits above must be zero.
    #[inline(always)]
    pub(crate) fn put(&mut self, value: u64, width: u32) {
        debug_assert!(width <= Self::WIDEST && value >> width == 0, "{value} in {width} bits");
        let filled = self.filled + width;
        if filled < 64 {
            self.word = (self.word << width) | value;
            self.filled = filled;
        } else {
            // At least eight bits are waiting, for `width` is at most 56: no shift reaches 64.
            let rest = filled - 64;
            let full = (self.word << (width - rest)) | (value >> rest);
            self.store(full);
            self.word = value;
            self.filled = rest;
        }
    }

    #[inline(always)]
    fn store(&mut self, word: u64) {
        match self.out.get_mut(self.stored..self.stored + 8) {
            Some(eight) => eight.copy_from_slice(&word.to_be_bytes()),
            None => self.store_what_fits(word),
        }
        self.stored += 8;
    }

    #[cold]
    fn store_what_fits(&mut self, word: u64) {
        self.overflow = true;
        let fits = self.out.len().saturating_sub(self.stored).min(8);
        let start = self.out.len() - fits;
        self.out[start..].copy_from_slice(&word.to_be_bytes()[..fits]);
    }

    #[inline(always)]
    pub(crate) fn bit(&mut self, bit: bool) {
        self.put(u64::from(bit), 1);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.put(u64::from(*byte), 8);
        }
    }

    /// An unconstrained length (X.691 §11.9.3.5..7) below 16,384.
    pub(crate) fn length(&mut self, length: usize) -> Result<(), Failed> {
        match length {
            0..=127 => self.put(length as u64, 8),
            128..=16_383 => self.put(0x8000 | length as u64, 16),
            _ => return Err(self.fail(UperErrorKind::Count { count: length, min: 0, max: 16_383 })),
        }
        Ok(())
    }

    /// A normally small number (X.691 §11.6) below 64.
    pub(crate) fn small_number(&mut self, number: u8) -> Result<(), Failed> {
        if number > 63 {
            return Err(self.fail(UperErrorKind::NotSupported("normally small number above 63")));
        }
        self.put(u64::from(number), 7);
        Ok(())
    }

    /// An unconstrained integer (X.691 §11.8) that fits five bytes.
    pub(crate) fn integer(&mut self, value: i64) {
        let mut length = 1;
        while length < 5 && !(-(1i64 << (8 * length - 1))..1i64 << (8 * length - 1)).contains(&value) {
            length += 1;
        }
        self.put(length, 8);
        let width = length as u32 * 8;
        self.put(value as u64 & ((1 << width) - 1), width);
    }

    /// Writes an open type: a length in bytes, then what `content` writes, padded to whole bytes.
    pub(crate) fn open_type(&mut self, content: impl FnOnce(&mut Self) -> Result<(), Failed>) -> Result<(), Failed> {
        let start = self.position();
        self.put(0, 8);
        content(self)?;
        let bits = self.position() - start - 8;
        let length = bits.div_ceil(8).max(1);
        self.put(0, (length * 8 - bits) as u32);
        if length > 16_383 {
            return Err(self.fail(UperErrorKind::Count { count: length, min: 0, max: 16_383 }));
        }
        self.set_length(start, length);
        Ok(())
    }

    /// Writes the length of an open type that starts at bit `start`, for which eight bits were left.
    fn set_length(&mut self, start: usize, length: usize) {
        self.store_word();
        if length < 128 {
            self.patch(start, length as u64, 8);
        } else {
            // Sixteen bits are needed: the content moves by one byte, so its bits keep their place in the byte.
            let (from, to) = ((start + 8) / 8, self.position().div_ceil(8));
            if to < self.out.len() {
                self.out.copy_within(from..to, from + 1);
            } else {
                self.overflow = true;
            }
            self.stored += 1;
            self.patch(start, 0x8000 | length as u64, 16);
        }
        self.load_word();
    }

    /// Stores the waiting bits too, the last byte filled with zeros.
    fn store_word(&mut self) {
        let aligned = self.word.checked_shl(64 - self.filled).unwrap_or(0).to_be_bytes();
        let waiting = self.filled.div_ceil(8) as usize;
        match self.out.get_mut(self.stored..self.stored + waiting) {
            Some(out) => out.copy_from_slice(&aligned[..waiting]),
            None => self.overflow = true,
        }
    }

    /// Takes the waiting bits back from the buffer, where they may have changed or moved.
    fn load_word(&mut self) {
        let mut aligned = [0; 8];
        let waiting = self.filled.div_ceil(8) as usize;
        if let Some(out) = self.out.get(self.stored..self.stored + waiting) {
            aligned[..waiting].copy_from_slice(out);
        }
        self.word = u64::from_be_bytes(aligned).checked_shr(64 - self.filled).unwrap_or(0);
    }

    /// Replaces `width` stored bits from bit `start` on, at most 16.
    fn patch(&mut self, start: usize, value: u64, width: u32) {
        for i in 0..width as usize {
            let at = start + i;
            let mask = 0x80 >> (at % 8);
            if let Some(byte) = self.out.get_mut(at / 8) {
                *byte = if (value >> (width as usize - 1 - i)) & 1 == 1 { *byte | mask } else { *byte & !mask };
            }
        }
    }

    /// Counts an extensible sequence and finds what unknown extensions it had when it was decoded.
    #[inline(always)]
    pub(crate) fn extensible(&mut self, owner: &'static str) -> Result<Option<&'a UnknownExtension>, Failed> {
        self.ordinal += 1;
        if self.ordinal < self.next_unknown { Ok(None) } else { self.take_unknown(owner) }
    }

    #[cold]
    fn take_unknown(&mut self, owner: &'static str) -> Result<Option<&'a UnknownExtension>, Failed> {
        match self.unknown.split_first() {
            Some((first, rest)) if first.owner == owner => {
                self.unknown = rest;
                self.next_unknown = rest.first().map_or(u32::MAX, |next| next.ordinal);
                Ok(Some(first))
            }
            _ => Err(self.fail(UperErrorKind::UnknownExtensionMoved(owner))),
        }
    }

    /// Writes which additions follow: `present` has one bit for each of the `known` ones, the first one highest.
    pub(crate) fn additions(&mut self, present: u64, known: u32, unknown: Option<&UnknownExtension>) {
        let mut len = known;
        if let Some(unknown) = unknown {
            if unknown.additions.first().is_some_and(|first| u32::from(first.index) < known) {
                self.misplaced = Some(unknown.owner);
            }
            // An older sender announces fewer additions than we know.
            let needed = known - present.trailing_zeros().min(known);
            len = u32::from(unknown.len).max(needed);
        }
        self.put(u64::from(len - 1), 7);
        for index in 0..len {
            let bit = if index < known {
                (present >> (known - 1 - index)) & 1 == 1
            } else {
                unknown.is_some_and(|u| u.additions.iter().any(|a| u32::from(a.index) == index))
            };
            self.bit(bit);
        }
    }

    /// Writes the additions that are not known, as they were received.
    pub(crate) fn unknown_additions(&mut self, unknown: Option<&UnknownExtension>) -> Result<(), Failed> {
        for addition in unknown.iter().flat_map(|u| &u.additions) {
            self.open_raw(&addition.content)?;
        }
        Ok(())
    }

    /// Writes the content of an open type as it is.
    pub(crate) fn open_raw(&mut self, content: &[u8]) -> Result<(), Failed> {
        self.length(content.len())?;
        self.bytes(content);
        Ok(())
    }

    /// Bits written so far.
    pub(crate) fn position(&self) -> usize {
        self.stored * 8 + self.filled as usize
    }

    /// Stores what is waiting and gives the number of bytes written.
    pub(crate) fn finish(&mut self) -> Result<usize, Failed> {
        if let Some(owner) = self.misplaced.or(self.unknown.first().map(|left| left.owner)) {
            return Err(self.fail(UperErrorKind::UnknownExtensionMoved(owner)));
        }
        if self.not_kept > 0 {
            return Err(self.fail(UperErrorKind::NotKept(self.not_kept)));
        }
        self.store_word();
        if self.overflow {
            return Err(self.fail(UperErrorKind::BufferFull(self.out.len())));
        }
        Ok(self.position().div_ceil(8))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn fail(&mut self, kind: UperErrorKind) -> Failed {
        self.failure = Some(Failure::new(kind, self.position()));
        Failed
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn in_field(&mut self, failed: Failed, name: &'static str) -> Failed {
        if let Some(failure) = &mut self.failure {
            failure.in_field(name);
        }
        failed
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn in_element(&mut self, failed: Failed, index: usize) -> Failed {
        if let Some(failure) = &mut self.failure {
            failure.in_element(index);
        }
        failed
    }

    #[cold]
    pub(crate) fn into_error(self, message: &'static str) -> UperError {
        let failure = self.failure.expect("every `Failed` is made by `fail`, which stores the reason");
        failure.into_error(message)
    }
}
