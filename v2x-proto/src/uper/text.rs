//! Strings: characters of a known alphabet, UTF-8, bytes.

use crate::uper::Failed;
use crate::uper::element::{Element, width};
use crate::uper::error::UperErrorKind;
use crate::uper::reader::BitReader;
use crate::uper::writer::BitWriter;
use heapless::String;

/// An IA5String of `MIN..=MAX` characters, seven bits each.
pub(crate) struct Ia5<const MIN: usize, const MAX: usize>;

impl<const MIN: usize, const MAX: usize> Element for Ia5<MIN, MAX> {
    type Value = String<MAX>;

    fn encode(value: &String<MAX>, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        encode_characters::<MIN, MAX>(value, w, 7, |byte| byte.is_ascii().then_some(byte))
    }

    fn decode(r: &mut BitReader<'_>) -> Result<String<MAX>, Failed> {
        decode_characters::<MIN, MAX>(r, 7, Some)
    }
}

/// A NumericString of `MIN..=MAX` characters: space and digits, four bits each.
pub(crate) struct Numeric<const MIN: usize, const MAX: usize>;

impl<const MIN: usize, const MAX: usize> Element for Numeric<MIN, MAX> {
    type Value = String<MAX>;

    fn encode(value: &String<MAX>, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        encode_characters::<MIN, MAX>(value, w, 4, |byte| match byte {
            b' ' => Some(0),
            b'0'..=b'9' => Some(byte - b'0' + 1),
            _ => None,
        })
    }

    fn decode(r: &mut BitReader<'_>) -> Result<String<MAX>, Failed> {
        decode_characters::<MIN, MAX>(r, 4, |code| match code {
            0 => Some(b' '),
            1..=10 => Some(b'0' + code - 1),
            _ => None,
        })
    }
}

fn encode_characters<const MIN: usize, const MAX: usize>(
    text: &str,
    w: &mut BitWriter<'_>,
    bits: u32,
    code: impl Fn(u8) -> Option<u8>,
) -> Result<(), Failed> {
    let count = text.len();
    if !(MIN..=MAX).contains(&count) {
        return Err(w.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
    }
    w.put((count - MIN) as u64, const { width(MIN as i64, MAX as i64) });
    for byte in text.bytes() {
        match code(byte) {
            Some(code) => w.put(u64::from(code), bits),
            None => return Err(w.fail(UperErrorKind::Character(byte))),
        }
    }
    Ok(())
}

fn decode_characters<const MIN: usize, const MAX: usize>(
    r: &mut BitReader<'_>,
    bits: u32,
    character: impl Fn(u8) -> Option<u8>,
) -> Result<String<MAX>, Failed> {
    let count = r.take(const { width(MIN as i64, MAX as i64) })? as usize + MIN;
    if count > MAX {
        return Err(r.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
    }
    let mut text = String::new();
    for _ in 0..count {
        let code = r.take(bits)? as u8;
        match character(code) {
            // The count was checked against the capacity, and every character is ASCII.
            Some(byte) => _ = text.push(char::from(byte)),
            None => return Err(r.fail(UperErrorKind::Character(code))),
        }
    }
    Ok(text)
}

/// A UTF8String of `MIN..=MAX` characters in at most `BYTES` bytes.
pub(crate) struct Utf8<const MIN: usize, const MAX: usize, const BYTES: usize>;

impl<const MIN: usize, const MAX: usize, const BYTES: usize> Element for Utf8<MIN, MAX, BYTES> {
    type Value = String<BYTES>;

    fn encode(value: &String<BYTES>, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let count = value.chars().count();
        if !(MIN..=MAX).contains(&count) {
            return Err(w.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        w.open_raw(value.as_bytes())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<String<BYTES>, Failed> {
        let length = r.length()?;
        let mut bytes = heapless::Vec::<u8, BYTES>::new();
        if bytes.resize(length, 0).is_err() {
            return Err(r.fail(UperErrorKind::Count { count: length, min: MIN, max: BYTES }));
        }
        r.bytes_into(&mut bytes)?;
        let text = String::from_utf8(bytes).map_err(|_| r.fail(UperErrorKind::NotUtf8))?;
        let count = text.chars().count();
        if !(MIN..=MAX).contains(&count) {
            return Err(r.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        Ok(text)
    }
}

/// An OCTET STRING of `MIN..=MAX` bytes.
pub(crate) struct Octets<const MIN: usize, const MAX: usize>;

impl<const MIN: usize, const MAX: usize> Element for Octets<MIN, MAX> {
    type Value = heapless::Vec<u8, MAX>;

    fn encode(value: &Self::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let count = value.len();
        if !(MIN..=MAX).contains(&count) {
            return Err(w.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        w.put((count - MIN) as u64, const { width(MIN as i64, MAX as i64) });
        w.bytes(value);
        Ok(())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self::Value, Failed> {
        let count = r.take(const { width(MIN as i64, MAX as i64) })? as usize + MIN;
        let mut bytes = heapless::Vec::new();
        if bytes.resize(count, 0).is_err() {
            return Err(r.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        r.bytes_into(&mut bytes)?;
        Ok(bytes)
    }
}
