//! Canonical OER (ITU-T X.696): a bounded reader and writer.
//!
//! In: bytes. Out: values, or an error with the path and the offset of the byte. The reader accepts the canonical encoding
//! only (shortest lengths, shortest integers, no padding, no default that is spelt out), so whatever it accepts is written
//! back byte for byte, and a signature over an encoding is a signature over its value. Memory grows with the bytes that are
//! there, never with a length that is claimed.

use std::fmt::Display;

/// Most items of a list: no list of a message or certificate comes near it.
const MAX_ITEMS: usize = 256;

/// Why bytes are not what the schema says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OerProblem {
    /// The bytes end too early.
    #[error("needs {needed} bytes, {left} are left")]
    Truncated {
        /// Bytes that the component needs.
        needed: usize,
        /// Bytes that are left in what holds it.
        left: usize,
    },
    /// A valid value in an encoding that is not the canonical one.
    #[error("not canonical: {0}")]
    NotCanonical(&'static str),
    /// A value that the type does not have.
    #[error("out of range: {0}")]
    OutOfRange(&'static str),
    /// An alternative, an extension or a version that is not known here.
    #[error("unknown {what} {value}")]
    Unknown {
        /// What is not known.
        what: &'static str,
        /// Its number.
        value: u64,
    },
    /// A component that IEEE 1609.2 has and TS 103 097 excludes, or that is not supported.
    #[error("not allowed: {0}")]
    NotAllowed(&'static str),
    /// A list with more items than any message has.
    #[error("{0} items are too many")]
    TooMany(usize),
    /// Bytes after the end.
    #[error("{0} bytes follow the end")]
    Trailing(usize),
}

/// Where and why decoding stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: byte {offset}: {problem}")]
pub struct OerError {
    /// Path of the component in the names of the standard.
    pub path: String,
    /// Offset of the byte in the whole input.
    pub offset: usize,
    /// What is wrong.
    pub problem: OerProblem,
}

impl OerError {
    /// The error as seen from the component that holds the one it occurred in.
    fn within(mut self, name: impl Display) -> Self {
        self.path = if self.path.is_empty() { name.to_string() } else { format!("{name}.{}", self.path) };
        self
    }
}

/// Result of reading.
pub(crate) type Read<T> = Result<T, OerError>;

/// A type with a canonical encoding; `'a` is the life of the bytes it may borrow from.
pub(crate) trait Oer<'a>: Sized {
    /// Reads a value.
    fn read(reader: &mut Reader<'a>) -> Read<Self>;
    /// Appends the encoding.
    fn write(&self, out: &mut Vec<u8>);
}

/// Reads the whole of `bytes` as a `T` called `name` in errors.
pub(crate) fn decode<'a, T: Oer<'a>>(bytes: &'a [u8], name: &'static str) -> Read<T> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.field(name)?;
    reader.finish().map_err(|error| error.within(name))?;
    Ok(value)
}

/// The encoding of `value`.
pub(crate) fn encode<'a>(value: &impl Oer<'a>) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out);
    out
}

/// Reads from the front of bytes.
pub(crate) struct Reader<'a> {
    /// The input up to the end of what is being read.
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// An error at the next byte.
    pub(crate) fn error(&self, problem: OerProblem) -> OerError {
        self.error_at(self.at, problem)
    }

    fn error_at(&self, offset: usize, problem: OerProblem) -> OerError {
        OerError { path: String::new(), offset, problem }
    }

    /// Fails with `problem` unless `holds`.
    pub(crate) fn require(&self, holds: bool, problem: OerProblem) -> Read<()> {
        if holds { Ok(()) } else { Err(self.error(problem)) }
    }

    fn finish(&self) -> Read<()> {
        self.require(self.at == self.bytes.len(), OerProblem::Trailing(self.bytes.len() - self.at))
    }

    /// A component of a known type.
    pub(crate) fn field<T: Oer<'a>>(&mut self, name: &'static str) -> Read<T> {
        T::read(self).map_err(|error| error.within(name))
    }

    /// An optional component.
    pub(crate) fn optional<T: Oer<'a>>(&mut self, present: bool, name: &'static str) -> Read<Option<T>> {
        present.then(|| self.field(name)).transpose()
    }

    /// Whatever `read` reads, called `name` in errors.
    pub(crate) fn named<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        read(self).map_err(|error| error.within(name))
    }

    /// `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let left = self.bytes.len() - self.at;
        self.require(count <= left, OerProblem::Truncated { needed: count, left })?;
        self.at += count;
        Ok(&self.bytes[self.at - count..self.at])
    }

    /// An octet string of fixed length.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Read<[u8; N]> {
        let bytes = self.take(N)?;
        Ok(std::array::from_fn(|index| bytes[index]))
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Read<u8> {
        Ok(self.fixed::<1>()?[0])
    }

    /// A length determinant (clause 8.6) in its shortest form.
    fn length(&mut self) -> Read<usize> {
        let start = self.at;
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(usize::from(first));
        }
        let bytes = self.take(usize::from(first & 0x7F))?;
        let canonical = match bytes {
            [low] => *low >= 0x80,
            [high, ..] => *high != 0,
            [] => false,
        };
        if !canonical {
            return Err(self.error_at(start, OerProblem::NotCanonical("the length has a shorter form")));
        }
        if bytes.len() > 4 {
            let left = self.bytes.len() - self.at;
            return Err(self.error_at(start, OerProblem::Truncated { needed: usize::MAX, left }));
        }
        Ok(bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)))
    }

    /// An octet string with its length.
    pub(crate) fn octets(&mut self) -> Read<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    /// An unsigned integer without an upper bound in the schema, here 32 bits.
    pub(crate) fn unsigned(&mut self) -> Read<u32> {
        let start = self.at;
        let bytes = self.octets()?;
        match bytes {
            [] => Err(self.error_at(start, OerProblem::OutOfRange("an integer has at least one byte"))),
            [0, _, ..] => Err(self.error_at(start, OerProblem::NotCanonical("the integer has a shorter form"))),
            [..] if bytes.len() > 4 => Err(self.error_at(start, OerProblem::OutOfRange("more than 32 bits"))),
            [..] => Ok(bytes.iter().fold(0, |value, &byte| value << 8 | u32::from(byte))),
        }
    }

    /// A signed integer without bounds in the schema, here 32 bits.
    pub(crate) fn signed(&mut self) -> Read<i32> {
        let start = self.at;
        let bytes = self.octets()?;
        match bytes {
            [] => Err(self.error_at(start, OerProblem::OutOfRange("an integer has at least one byte"))),
            [0, 0..=0x7F, ..] | [0xFF, 0x80..=0xFF, ..] => {
                Err(self.error_at(start, OerProblem::NotCanonical("the integer has a shorter form")))
            }
            [..] if bytes.len() > 4 => Err(self.error_at(start, OerProblem::OutOfRange("more than 32 bits"))),
            [first, ..] => {
                let sign = if *first >= 0x80 { -1 } else { 0 };
                Ok(bytes.iter().fold(sign, |value, &byte| value << 8 | i32::from(byte)))
            }
        }
    }

    /// The number of a choice's alternative: a context-specific tag (clause 8.7), of which one-byte tags are in use.
    pub(crate) fn alternative(&mut self) -> Read<u8> {
        let start = self.at;
        let tag = self.byte()?;
        if tag & 0xC0 != 0x80 || tag & 0x3F == 0x3F {
            return Err(self.error_at(start, OerProblem::Unknown { what: "tag", value: u64::from(tag) }));
        }
        Ok(tag & 0x3F)
    }

    /// An alternative or enumeration item that is not known.
    pub(crate) fn unknown<T>(&self, what: &'static str, value: u8) -> Read<T> {
        Err(self.error_at(self.at - 1, OerProblem::Unknown { what, value: u64::from(value) }))
    }

    /// The preamble of a sequence (clause 16.2) of `used` bits: its byte, whose lower bits are zero.
    pub(crate) fn preamble(&mut self, used: u32) -> Read<u8> {
        let start = self.at;
        let bits = self.byte()?;
        if u16::from(bits) & (0xFF >> used) != 0 {
            return Err(self.error_at(start, OerProblem::NotCanonical("unused bits are zero")));
        }
        Ok(bits)
    }

    /// Fails when the extension bit (the highest of the preamble) of a sequence whose extensions are not known is set.
    pub(crate) fn no_extensions(&self, preamble: u8) -> Read<()> {
        if preamble & 0x80 == 0 { Ok(()) } else { self.unknown("extension bit", 1) }
    }

    /// What an open type (clause 30) holds: an extension, or an alternative after the extension marker.
    pub(crate) fn open<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let length = self.length()?;
        let start = self.at;
        self.take(length)?;
        let mut inner = Self { bytes: &self.bytes[..self.at], at: start };
        let value = read(&mut inner)?;
        inner.finish()?;
        Ok(value)
    }

    /// A list of at least `least` items.
    pub(crate) fn list<T: Oer<'a>>(&mut self, name: &'static str, least: usize) -> Read<Vec<T>> {
        let count = self.named(name, |reader| {
            let start = reader.at;
            let count = reader.unsigned()? as usize;
            if count > MAX_ITEMS {
                return Err(reader.error_at(start, OerProblem::TooMany(count)));
            }
            if count < least {
                return Err(reader.error_at(start, OerProblem::OutOfRange("too few items")));
            }
            Ok(count)
        })?;
        let mut items = Vec::new();
        for index in 0..count {
            items.push(T::read(self).map_err(|error| error.within(format_args!("{name}[{index}]")))?);
        }
        Ok(items)
    }
}

/// Appends a length determinant.
fn write_length(out: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        out.push(length as u8);
        return;
    }
    let bytes = length.to_be_bytes();
    let used = &bytes[length.leading_zeros() as usize / 8..];
    out.push(0x80 | used.len() as u8);
    out.extend_from_slice(used);
}

/// Appends an octet string with its length.
pub(crate) fn write_octets(out: &mut Vec<u8>, octets: &[u8]) {
    write_length(out, octets.len());
    out.extend_from_slice(octets);
}

/// Appends an unsigned integer without an upper bound in the schema.
pub(crate) fn write_unsigned(out: &mut Vec<u8>, value: u32) {
    let bytes = value.to_be_bytes();
    write_octets(out, &bytes[(value.leading_zeros() as usize / 8).min(3)..]);
}

/// Appends a signed integer without bounds in the schema.
pub(crate) fn write_signed(out: &mut Vec<u8>, value: i32) {
    let bytes = value.to_be_bytes();
    let redundant = (value ^ (value >> 31)).leading_zeros().saturating_sub(1) as usize / 8;
    write_octets(out, &bytes[redundant.min(3)..]);
}

/// Appends the tag of an alternative.
pub(crate) fn write_alternative(out: &mut Vec<u8>, number: u8) {
    out.push(0x80 | number);
}

/// Appends an open type.
pub(crate) fn write_open(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    write(&mut inner);
    write_octets(out, &inner);
}

/// Appends a list.
pub(crate) fn write_list<'a, T: Oer<'a>>(out: &mut Vec<u8>, items: &[T]) {
    write_unsigned(out, items.len() as u32);
    for item in items {
        item.write(out);
    }
}

/// Preamble bits from the highest down.
pub(crate) fn preamble_of<const N: usize>(present: [bool; N]) -> u8 {
    present.iter().enumerate().fold(0, |bits, (index, &present)| bits | u8::from(present) << (7 - index))
}

macro_rules! fixed_width {
    ($($type:ty),*) => {$(
        impl Oer<'_> for $type {
            fn read(reader: &mut Reader<'_>) -> Read<Self> {
                Ok(Self::from_be_bytes(reader.fixed()?))
            }
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}

fixed_width!(u8, u16, u32, u64, i32);

impl<const N: usize> Oer<'_> for [u8; N] {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        reader.fixed()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

/// An octet string without a bound in the schema.
impl Oer<'_> for Vec<u8> {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(reader.octets()?.to_vec())
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_octets(out, self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader { bytes, at: 0 }
    }

    #[test]
    fn integers_have_their_shortest_form() {
        for value in [0, 1, 127, 128, 255, 256, 65_535, 65_536, u32::MAX] {
            let mut bytes = Vec::new();
            write_unsigned(&mut bytes, value);
            assert_eq!(reader(&bytes).unsigned(), Ok(value), "{bytes:02x?}");
        }
        for value in [0, 1, -1, 127, 128, -128, -129, 32_767, 32_768, i32::MIN, i32::MAX] {
            let mut bytes = Vec::new();
            write_signed(&mut bytes, value);
            assert_eq!(reader(&bytes).signed(), Ok(value), "{bytes:02x?}");
        }
        for bytes in [&[2, 0, 1][..], &[0], &[5, 1, 0, 0, 0, 0], &[0x81, 1, 7], &[2, 1]] {
            assert!(reader(bytes).unsigned().is_err(), "{bytes:02x?}");
        }
        for bytes in [&[2, 0, 0x7F][..], &[2, 0xFF, 0x80]] {
            assert!(reader(bytes).signed().is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn lengths_are_canonical_and_bounded_by_the_input() {
        for length in [0, 127, 128, 255, 256, 70_000] {
            let mut bytes = Vec::new();
            write_octets(&mut bytes, &vec![7; length]);
            assert_eq!(reader(&bytes).octets().map(<[u8]>::len), Ok(length));
        }
        let claimed = [0x84, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2];
        let error = reader(&claimed).octets().expect_err("4 GiB are not there");
        assert_eq!(error.problem, OerProblem::Truncated { needed: 0xFFFF_FFFF, left: 2 });
        for bytes in [&[0x80][..], &[0x82, 0, 200], &[0x88, 1, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(reader(bytes).octets().is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn an_error_names_the_path_and_the_byte() {
        struct Outer;
        impl Oer<'_> for Outer {
            fn read(reader: &mut Reader<'_>) -> Read<Self> {
                reader.named("inner", |reader| reader.list::<u16>("items", 0))?;
                Ok(Self)
            }
            fn write(&self, _: &mut Vec<u8>) {}
        }
        let error = decode::<Outer>(&[1, 2, 0, 1, 0], "outer").err().expect("the second item is cut");
        assert_eq!(error.to_string(), "outer.inner.items[1]: byte 4: needs 2 bytes, 1 are left");
        let error = decode::<Outer>(&[1, 1, 0, 1, 9], "outer").err().expect("a byte is left over");
        assert_eq!(error.to_string(), "outer: byte 4: 1 bytes follow the end");
    }
}
