//! Bits in.

use crate::List;
use crate::heap::{CONTENT_ROOM, Content, content};
use crate::uper::dialect::Dialect;
use crate::uper::element::Element;
use crate::uper::error::{Failed, Failure, UperError, UperErrorKind};
use crate::uper::extension::{Additions, UnknownAddition, UnknownExtension, UnknownExtensions};

/// Reads bits, most significant first, and remembers why reading failed.
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Next bit.
    at: usize,
    /// One past the last bit of the message or of the open type being read.
    end: usize,
    /// Extensible sequences met so far.
    ordinal: u32,
    /// Elements inside elements of their own type, at the present place.
    pub(crate) nesting: u8,
    pub(crate) dialect: Dialect,
    unknown: UnknownExtensions,
    failure: Option<Failure>,
}

/// Bits of an element of a fixed size, the next one highest.
#[derive(Clone, Copy)]
pub(crate) struct Word(u64);

impl Word {
    /// The next `width` bits, fewer than 64.
    #[inline(always)]
    pub(crate) fn next(&mut self, width: u32) -> u64 {
        if width == 0 {
            return 0;
        }
        let number = self.0 >> (64 - width);
        self.0 <<= width;
        number
    }
}

impl<'a> BitReader<'a> {
    /// Widest number that [`BitReader::take`] reads.
    pub(crate) const WIDEST: u32 = 57;

    pub(crate) fn new(bytes: &'a [u8], dialect: Dialect) -> Self {
        let unknown = UnknownExtensions::default();
        Self { bytes, at: 0, end: bytes.len() * 8, ordinal: 0, nesting: 0, dialect, unknown, failure: None }
    }

    /// A number of `width` bits, at most 57.
    #[inline(always)]
    pub(crate) fn take(&mut self, width: u32) -> Result<u64, Failed> {
        let Some(number) = self.peek(width) else { return Err(self.truncated(width as usize)) };
        self.skip(width);
        Ok(number)
    }

    /// The number of `width` bits, at most 57, that comes next; `None` when fewer are left.
    #[inline(always)]
    pub(crate) fn peek(&self, width: u32) -> Option<u64> {
        debug_assert!(width <= Self::WIDEST);
        let at = self.at;
        if at + width as usize > self.end {
            return None;
        }
        if width == 0 {
            return Some(0);
        }
        let byte = at >> 3;
        let word = match self.bytes.get(byte..byte + 8).and_then(|eight| eight.try_into().ok()) {
            Some(eight) => u64::from_be_bytes(eight),
            None => self.last_word(byte),
        };
        Some((word << (at & 7)) >> (64 - width))
    }

    /// Reads an element of a fixed size at one go; `None`, and nothing is read, where that cannot be or gives no value.
    #[inline(always)]
    pub(crate) fn whole<C: Element>(&mut self) -> Option<C::Value> {
        if C::BITS == 0 || C::BITS > Self::WIDEST {
            return None;
        }
        let mut word = Word(self.peek(C::BITS)? << (64 - C::BITS));
        let value = C::from_word(&mut word)?;
        self.skip(C::BITS);
        Some(value)
    }

    /// The word at `byte`, fewer than eight bytes before the end of the input; zero-filled past it.
    #[inline(never)]
    fn last_word(&self, byte: usize) -> u64 {
        if let Some(eight) = self.bytes.last_chunk::<8>() {
            return u64::from_be_bytes(*eight) << ((byte + 8 - self.bytes.len()) * 8);
        }
        let mut word = [0; 8];
        let rest = &self.bytes[byte..];
        word[..rest.len()].copy_from_slice(rest);
        u64::from_be_bytes(word)
    }

    /// Goes on by `width` bits, which [`BitReader::peek`] has shown.
    #[inline(always)]
    pub(crate) fn skip(&mut self, width: u32) {
        self.at += width as usize;
    }

    #[inline(always)]
    pub(crate) fn bit(&mut self) -> Result<bool, Failed> {
        Ok(self.take(1)? != 0)
    }

    pub(crate) fn bytes_into(&mut self, out: &mut [u8]) -> Result<(), Failed> {
        if self.at + out.len() * 8 > self.end {
            return Err(self.truncated(out.len() * 8));
        }
        for byte in out {
            *byte = self.take(8)? as u8;
        }
        Ok(())
    }

    /// `count` bytes on the heap.
    #[cfg(feature = "std")]
    pub(crate) fn boxed_bytes(&mut self, count: usize) -> Result<Box<[u8]>, Failed> {
        if self.at + count * 8 > self.end {
            return Err(self.truncated(count * 8));
        }
        let mut bytes = vec![0; count].into_boxed_slice();
        self.bytes_into(&mut bytes)?;
        Ok(bytes)
    }

    /// An unconstrained length (X.691 §11.9.3.5..8); fragments are refused, no message here needs them.
    pub(crate) fn length(&mut self) -> Result<usize, Failed> {
        if !self.bit()? {
            return Ok(self.take(7)? as usize);
        }
        if self.bit()? {
            return Err(self.fail(UperErrorKind::NotSupported("fragmented length")));
        }
        let length = self.take(14)? as usize;
        if length < 128 {
            return Err(self.fail(UperErrorKind::NotCanonical("two-byte length below 128")));
        }
        Ok(length)
    }

    /// A normally small number (X.691 §11.6) below 64.
    pub(crate) fn small_number(&mut self) -> Result<u8, Failed> {
        if self.bit()? {
            return Err(self.fail(UperErrorKind::NotSupported("normally small number above 63")));
        }
        Ok(self.take(6)? as u8)
    }

    /// An unconstrained integer (X.691 §11.8) that fits 32 bits.
    pub(crate) fn integer(&mut self) -> Result<i64, Failed> {
        let length = self.length()?;
        if !(1..=5).contains(&length) {
            return Err(self.fail(UperErrorKind::NotSupported("integer of more than five bytes")));
        }
        let width = length as u32 * 8;
        let value = (self.take(width)? << (64 - width)) as i64 >> (64 - width);
        if length > 1 && (value << (72 - width)) >> (72 - width) == value {
            return Err(self.fail(UperErrorKind::NotCanonical("integer with a superfluous byte")));
        }
        Ok(value)
    }

    /// Starts an open type; give the result to [`BitReader::close`].
    pub(crate) fn open(&mut self) -> Result<usize, Failed> {
        let content_end = self.open_length()? * 8 + self.at;
        Ok(core::mem::replace(&mut self.end, content_end))
    }

    /// Ends an open type: only padding may be left in it.
    pub(crate) fn close(&mut self, outer_end: usize, start: usize) -> Result<(), Failed> {
        if self.at == start {
            // A type without content is one zero byte.
            return if self.end - self.at == 8 { self.padding(outer_end, 8) } else { Err(self.left_over()) };
        }
        self.padding(outer_end, 7)
    }

    fn padding(&mut self, outer_end: usize, most: usize) -> Result<(), Failed> {
        let left = self.end - self.at;
        if left > most {
            return Err(self.left_over());
        }
        if self.take(left as u32)? != 0 {
            return Err(self.fail(UperErrorKind::NotCanonical("padding that is not zero")));
        }
        self.end = outer_end;
        Ok(())
    }

    fn left_over(&mut self) -> Failed {
        let left = self.end - self.at;
        self.fail(UperErrorKind::LeftOver(left))
    }

    /// Length of an open type, all of which is there.
    fn open_length(&mut self) -> Result<usize, Failed> {
        let length = self.length()?;
        if self.at + length * 8 > self.end {
            return Err(self.truncated(length * 8));
        }
        if length == 0 {
            return Err(self.fail(UperErrorKind::NotCanonical("empty open type")));
        }
        Ok(length)
    }

    /// Content of an open type as it is.
    pub(crate) fn open_raw(&mut self) -> Result<Content, Failed> {
        let count = self.open_length()?;
        if count > CONTENT_ROOM {
            return Err(self.fail(UperErrorKind::NoRoom { count, room: CONTENT_ROOM }));
        }
        let mut bytes = content(count);
        self.bytes_into(&mut bytes)?;
        Ok(bytes)
    }

    /// Content of an open type as it is, or `None` when there is no room for it, which is counted.
    pub(crate) fn open_kept(&mut self) -> Result<Option<Content>, Failed> {
        let (start, count) = (self.at, self.open_length()?);
        if count > CONTENT_ROOM {
            self.at += count * 8;
            self.unknown.lose_one();
            return Ok(None);
        }
        self.at = start;
        self.open_raw().map(Some)
    }

    /// Counts content that there is no room for.
    pub(crate) fn lose_one(&mut self) {
        self.unknown.lose_one();
    }

    /// Counts an extensible sequence.
    #[inline(always)]
    pub(crate) fn extensible(&mut self) -> u32 {
        self.ordinal += 1;
        self.ordinal
    }

    /// Where the counting of extensible sequences stands, to take a trial decode back.
    pub(crate) fn mark(&self) -> (u32, (usize, u32)) {
        (self.ordinal, self.unknown.mark())
    }

    /// Forgets the extensible sequences met since `mark`.
    pub(crate) fn forget_since(&mut self, mark: (u32, (usize, u32))) {
        self.ordinal = mark.0;
        self.unknown.back_to(mark.1);
    }

    /// Starts the extension additions of a sequence.
    #[inline(never)]
    pub(crate) fn additions(&mut self) -> Result<Additions, Failed> {
        if self.bit()? {
            return Err(self.fail(UperErrorKind::NotSupported("more than 64 extension additions")));
        }
        let len = self.take(6)? as u32 + 1;
        let high = self.take(len.min(32))?;
        let low = self.take(len - len.min(32))?;
        let bits = if len <= 32 { high << (64 - len) } else { (high << 32) | (low << (64 - len)) };
        Ok(Additions { len, bits, next: 0 })
    }

    /// Ends the extension additions: keeps those that are not known.
    #[inline(never)]
    pub(crate) fn unknown_additions(
        &mut self,
        mut additions: Additions,
        ordinal: u32,
        owner: &'static str,
    ) -> Result<(), Failed> {
        let known = additions.next;
        let any_known = additions.any_seen();
        let mut unknown = List::new();
        while additions.next < additions.len {
            let index = additions.next as u8;
            if additions.next_is_present() {
                let Some(content) = self.open_kept()? else { continue };
                if unknown.push(UnknownAddition { index, content }).is_err() {
                    self.unknown.lose_one();
                }
            }
        }
        if additions.len != known || !unknown.is_empty() || !any_known {
            let extension = UnknownExtension { ordinal, owner, len: additions.len as u8, additions: unknown };
            if self.unknown.kept.push(extension).is_err() {
                self.unknown.lose_one();
            }
        }
        Ok(())
    }

    /// Ends the message: fewer than eight zero bits may be left.
    pub(crate) fn finish(&mut self) -> Result<(), Failed> {
        let end = self.end;
        self.close(end, usize::MAX)
    }

    #[cold]
    #[inline(never)]
    fn truncated(&mut self, needed: usize) -> Failed {
        let available = self.end - self.at;
        self.fail(UperErrorKind::Truncated { needed, available })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn fail(&mut self, kind: UperErrorKind) -> Failed {
        self.failure = Some(Failure::new(kind, self.at));
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

    /// What later versions added, in the order in which a writer meets it.
    pub(crate) fn take_unknown(&mut self) -> UnknownExtensions {
        self.unknown.kept.sort_unstable_by_key(|extension| extension.ordinal);
        core::mem::take(&mut self.unknown)
    }

    /// Hands over what later versions added, as [`take_unknown`](Self::take_unknown) does, to an empty set.
    #[inline(always)]
    pub(crate) fn move_unknown_to(&mut self, unknown: &mut UnknownExtensions) {
        if !self.unknown.is_empty() {
            *unknown = self.take_unknown();
        }
    }

    #[cold]
    pub(crate) fn into_error(self, message: &'static str) -> UperError {
        let failure = self.failure.expect("every `Failed` is made by `fail`, which stores the reason");
        failure.into_error(message)
    }

    /// Goes to another bit of the message.
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    /// Bits read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }
}
