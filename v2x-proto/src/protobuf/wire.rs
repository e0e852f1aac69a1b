//! Protobuf's wire format: fields out, fields in. Numbers, keys and the skipping of fields that are not known are prost's.

use crate::protobuf::ProtobufErrorKind;
use crate::protobuf::error::Fault;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};

/// Appends fields.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
    /// Elements inside elements of their own type, at the present place.
    pub(crate) nesting: u8,
}

impl Writer {
    /// The key of a field that holds a number.
    pub(crate) fn number_key(&mut self, tag: u32) {
        encode_key(tag, WireType::Varint, &mut self.out);
    }

    pub(crate) fn varint(&mut self, value: u64) {
        encode_varint(value, &mut self.out);
    }

    /// A field that holds a number.
    pub(crate) fn number(&mut self, tag: u32, value: u64) {
        self.number_key(tag);
        self.varint(value);
    }

    /// A field of bytes.
    pub(crate) fn bytes(&mut self, tag: u32, bytes: &[u8]) {
        encode_key(tag, WireType::LengthDelimited, &mut self.out);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// A field whose content `content` appends: its length is inserted afterwards.
    pub(crate) fn nested(
        &mut self,
        tag: u32,
        content: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        encode_key(tag, WireType::LengthDelimited, &mut self.out);
        let start = self.out.len();
        self.out.push(0);
        content(self)?;
        let length = self.out.len() - start - 1;
        if length < 0x80 {
            self.out[start] = length as u8;
        } else {
            // The longest varint is ten bytes.
            let mut digits = heapless::Vec::<u8, 10>::new();
            encode_length(length as u64, &mut digits);
            self.out.splice(start..=start, digits);
        }
        Ok(())
    }

    /// A fault at the end of what is written.
    #[cold]
    pub(crate) fn fault(&self, kind: impl Into<ProtobufErrorKind>) -> Fault {
        Fault::new(kind.into(), self.out.len())
    }
}

fn encode_length(length: u64, out: &mut heapless::Vec<u8, 10>) {
    let mut rest = [0; 10];
    let mut unused = &mut rest[..];
    encode_varint(length, &mut unused);
    let length = 10 - unused.len();
    out.extend(rest[..length].iter().copied());
}

/// A field's number and wire type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) tag: u32,
    pub(crate) wire: WireType,
}

/// Reads the fields of one message; nothing past its end.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    /// Elements inside elements of their own type, at the present place.
    pub(crate) nesting: u8,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, end: bytes.len(), nesting: 0 }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.end
    }

    /// The next field's key, `None` at the end of the message.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Key>, Fault> {
        if self.is_at_end() {
            return Ok(None);
        }
        let mut rest = self.rest();
        let Ok((tag, wire)) = decode_key(&mut rest) else {
            return Err(self.malformed("a field's key is expected"));
        };
        self.at = self.end - rest.len();
        Ok(Some(Key { tag, wire }))
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Fault> {
        let mut rest = self.rest();
        let Ok(value) = decode_varint(&mut rest) else {
            return Err(self.malformed("a number is expected"));
        };
        self.at = self.end - rest.len();
        Ok(value)
    }

    /// Reads the content of a length-delimited field, all of it.
    pub(crate) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let length = self.varint()?;
        let left = self.end - self.at;
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= left) else {
            return Err(self.malformed("a length that goes past the end"));
        };
        let outer_end = std::mem::replace(&mut self.end, self.at + length);
        let value = read(self)?;
        debug_assert!(self.is_at_end(), "every reader of a nested field goes to its end");
        self.end = outer_end;
        Ok(value)
    }

    /// What is left of the field.
    pub(crate) fn take_rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..self.end];
        self.at = self.end;
        rest
    }

    /// Skips a field that a later schema added.
    #[cold]
    pub(crate) fn skip(&mut self, key: Key) -> Result<(), Fault> {
        let mut rest = self.rest();
        // The context limits how deep groups are followed.
        if skip_field(key.wire, key.tag, &mut rest, DecodeContext::default()).is_err() {
            return Err(self.malformed("the content of a field is expected"));
        }
        self.at = self.end - rest.len();
        Ok(())
    }

    pub(crate) fn expect(&self, expected: WireType, key: Key) -> Result<(), Fault> {
        if key.wire == expected {
            return Ok(());
        }
        Err(self.fault(ProtobufErrorKind::WireType { expected: expected as u8, found: key.wire as u8 }))
    }

    /// The number of a field, which must not have been read before.
    pub(crate) fn number_once(&mut self, slot: &mut Option<u64>, key: Key) -> Result<(), Fault> {
        self.expect(WireType::Varint, key)?;
        let number = self.varint()?;
        self.once(slot, number)
    }

    /// The bytes of a field, which must not have been read before.
    pub(crate) fn bytes_once(&mut self, slot: &mut Option<&'a [u8]>, key: Key) -> Result<(), Fault> {
        self.expect(WireType::LengthDelimited, key)?;
        let bytes = self.nested(|r| Ok(r.take_rest()))?;
        self.once(slot, bytes)
    }

    pub(crate) fn once<T>(&self, slot: &mut Option<T>, value: T) -> Result<(), Fault> {
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(self.fault(ProtobufErrorKind::Twice)),
        }
    }

    /// A fault where reading stands.
    #[cold]
    pub(crate) fn fault(&self, kind: impl Into<ProtobufErrorKind>) -> Fault {
        Fault::new(kind.into(), self.at)
    }

    #[cold]
    fn malformed(&self, reason: &'static str) -> Fault {
        self.fault(ProtobufErrorKind::Malformed(reason))
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..self.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_any_size_are_inserted() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            let content = vec![7; length];
            let mut w = Writer::default();
            w.nested(3, |w| {
                w.out.extend_from_slice(&content);
                Ok(())
            })
            .expect("nothing fails");
            let mut flat = Writer::default();
            flat.bytes(3, &content);
            assert_eq!(w.out, flat.out, "{length}");
            let mut r = Reader::new(&w.out);
            let key = r.next().expect("a key").expect("a field");
            assert_eq!((key.tag, key.wire), (3, WireType::LengthDelimited));
            assert_eq!(r.nested(|r| Ok(r.take_rest().len())).expect("its content"), length);
            assert!(r.is_at_end());
        }
    }

    #[test]
    fn groups_nested_without_end_are_refused() {
        // Field 1, start of a group, for ever.
        let bytes = vec![0x0B; 100_000];
        let mut r = Reader::new(&bytes);
        let key = r.next().expect("a key").expect("a field");
        let fault = r.skip(key).expect_err("too deep");
        assert_eq!(fault.into_error("X").to_string(), "X at byte 1: not protobuf: the content of a field is expected");
    }
}
