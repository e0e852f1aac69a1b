//! Constructs of the ISO modules that the ETSI data dictionary does without: extensible codes, strings of any length, NULL,
//! types that contain themselves.
//!
//! In, out: as for every element. Invariants: what the standard leaves without an upper limit has one here, stated as a
//! parameter, and a message beyond it is an error in both directions.

use crate::List;
use crate::jer::{Jer, hex};
use crate::json::{Image, ImageError, Naming, elements_from_image, number, unhex};
use crate::uper::Failed;
use crate::uper::element::{Coded, Element, decode_elements, encode_elements, width};
use crate::uper::error::UperErrorKind;
use crate::uper::reader::BitReader;
use crate::uper::writer::BitWriter;
use std::marker::PhantomData;

/// A coded number that may exceed its largest code as an extension, up to `CAP`.
pub(crate) struct Ext<C, const CAP: i64>(PhantomData<C>);

impl<C: Coded, const CAP: i64> Element for Ext<C, CAP> {
    type Value = C::Value;

    fn encode(value: &C::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let code = C::to_code(value).map_err(|kind| w.fail(kind))?;
        if code < C::MIN || code > CAP {
            return Err(w.fail(UperErrorKind::OutOfRange { value: code as f64, min: C::MIN, max: CAP }));
        }
        w.bit(code > C::MAX);
        if code > C::MAX {
            w.integer(code);
        } else {
            w.put((code - C::MIN) as u64, const { width(C::MIN, C::MAX) });
        }
        Ok(())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<C::Value, Failed> {
        let extended = r.bit()?;
        let code = if extended { r.integer()? } else { r.take(const { width(C::MIN, C::MAX) })? as i64 + C::MIN };
        if extended != (code > C::MAX) || code > CAP {
            return Err(r.fail(UperErrorKind::OutOfRange { value: code as f64, min: C::MIN, max: CAP }));
        }
        Ok(C::from_code(code))
    }
}

impl<C: Coded, const CAP: i64> Image for Ext<C, CAP> {
    fn to_jer(value: &C::Value, names: Naming) -> Jer {
        C::to_code(value).map_or(Jer::Null, |code| C::code_to_jer(code, names))
    }

    fn from_image(image: &Jer) -> Result<C::Value, ImageError> {
        Ok(C::from_code(number(image, C::MIN, CAP)?))
    }
}

/// An unconstrained INTEGER that 32 bits hold.
pub(crate) struct AnyInt;

impl Element for AnyInt {
    type Value = i32;

    fn encode(value: &i32, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        w.integer((*value).into());
        Ok(())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<i32, Failed> {
        let value = r.integer()?;
        let (min, max) = (i32::MIN.into(), i32::MAX.into());
        i32::try_from(value).map_err(|_| r.fail(UperErrorKind::OutOfRange { value: value as f64, min, max }))
    }
}

impl Image for AnyInt {
    fn to_jer(value: &i32, _names: Naming) -> Jer {
        (*value).into()
    }

    fn from_image(image: &Jer) -> Result<i32, ImageError> {
        Ok(number(image, i32::MIN.into(), i32::MAX.into())? as i32)
    }
}

/// A UTF8String of `MIN..=MAX` characters.
pub(crate) struct BoxedUtf8<const MIN: usize, const MAX: usize>;

impl<const MIN: usize, const MAX: usize> Element for BoxedUtf8<MIN, MAX> {
    type Value = Box<str>;

    fn encode(value: &Box<str>, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let count = value.chars().count();
        if !(MIN..=MAX).contains(&count) {
            return Err(w.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        w.open_raw(value.as_bytes())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Box<str>, Failed> {
        let length = r.length()?;
        let bytes = r.boxed_bytes(length)?;
        let text = String::from_utf8(bytes.into_vec()).map_err(|_| r.fail(UperErrorKind::NotUtf8))?;
        let count = text.chars().count();
        if !(MIN..=MAX).contains(&count) {
            return Err(r.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        Ok(text.into_boxed_str())
    }
}

impl<const MIN: usize, const MAX: usize> Image for BoxedUtf8<MIN, MAX> {
    fn to_jer(value: &Box<str>, _names: Naming) -> Jer {
        (**value).into()
    }

    fn from_image(image: &Jer) -> Result<Box<str>, ImageError> {
        let text = image.as_str().ok_or_else(|| ImageError::new("a string is expected"))?;
        let count = text.chars().count();
        if !(MIN..=MAX).contains(&count) {
            return Err(ImageError::new(format!("{count} characters, {MIN}..={MAX} allowed")));
        }
        Ok(text.into())
    }
}

/// An OCTET STRING of at most `MAX` bytes; hexadecimal digits in JSON.
pub(crate) struct BytesUpTo<const MAX: usize>;

impl<const MAX: usize> Element for BytesUpTo<MAX> {
    type Value = Box<[u8]>;

    fn encode(value: &Box<[u8]>, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        if value.len() > MAX {
            return Err(w.fail(UperErrorKind::Count { count: value.len(), min: 0, max: MAX }));
        }
        w.open_raw(value)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Box<[u8]>, Failed> {
        let count = r.length()?;
        if count > MAX {
            return Err(r.fail(UperErrorKind::Count { count, min: 0, max: MAX }));
        }
        r.boxed_bytes(count)
    }
}

impl<const MAX: usize> Image for BytesUpTo<MAX> {
    fn to_jer(value: &Box<[u8]>, _names: Naming) -> Jer {
        hex(value).into()
    }

    fn from_image(image: &Jer) -> Result<Box<[u8]>, ImageError> {
        let bytes = unhex(image).ok_or_else(|| ImageError::new("hexadecimal digits are expected"))?;
        if bytes.len() > MAX {
            return Err(ImageError::new(format!("{} bytes, at most {MAX} allowed", bytes.len())));
        }
        Ok(bytes)
    }
}

/// A SEQUENCE OF of any length on the wire, at most `CAP` here.
pub(crate) struct ListAny<C, const INLINE: usize, const CAP: usize>(PhantomData<C>);

impl<C: Element, const INLINE: usize, const CAP: usize> Element for ListAny<C, INLINE, CAP> {
    type Value = List<C::Value, INLINE, CAP>;

    fn encode(value: &Self::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        w.length(value.len())?;
        encode_elements::<C>(value, w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self::Value, Failed> {
        let count = r.length()?;
        if count > CAP {
            return Err(r.fail(UperErrorKind::Count { count, min: 0, max: CAP }));
        }
        decode_elements::<C, INLINE, CAP>(count, r)
    }
}

impl<C: Image, const INLINE: usize, const CAP: usize> Image for ListAny<C, INLINE, CAP> {
    fn to_jer(value: &Self::Value, names: Naming) -> Jer {
        value.iter().map(|element| C::to_jer(element, names)).collect()
    }

    fn from_image(image: &Jer) -> Result<Self::Value, ImageError> {
        elements_from_image::<C, INLINE, CAP>(image, 0)
    }
}

/// No content (`NULL`): the alternative says it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Null;

impl Element for Null {
    type Value = Self;

    fn encode(_value: &Self, _w: &mut BitWriter<'_>) -> Result<(), Failed> {
        Ok(())
    }

    fn decode(_r: &mut BitReader<'_>) -> Result<Self, Failed> {
        Ok(Self)
    }
}

impl Image for Null {
    fn to_jer(_value: &Self, names: Naming) -> Jer {
        // In the image a null member is an absent one.
        if matches!(names, Naming::R1 | Naming::R2) { Jer::Null } else { true.into() }
    }

    fn from_image(image: &Jer) -> Result<Self, ImageError> {
        if image == true { Ok(Self) } else { Err(ImageError::new("true is expected")) }
    }
}

/// A SEQUENCE without components: an empty object in JSON.
pub(crate) struct EmptySequence;

impl Element for EmptySequence {
    type Value = Null;

    fn encode(_value: &Null, _w: &mut BitWriter<'_>) -> Result<(), Failed> {
        Ok(())
    }

    fn decode(_r: &mut BitReader<'_>) -> Result<Null, Failed> {
        Ok(Null)
    }
}

impl Image for EmptySequence {
    fn to_jer(_value: &Null, _names: Naming) -> Jer {
        Jer::Object(serde_json::Map::new())
    }

    fn from_image(image: &Jer) -> Result<Null, ImageError> {
        crate::json::members(image).map(|_| Null)
    }
}

/// An element inside an element of its own type, at most `MOST` deep.
///
/// Every level costs stack: without a limit a message of 8 kB could nest a thousand of them.
pub(crate) struct Nested<C, const MOST: u8>(PhantomData<C>);

pub(crate) const TOO_DEEP: UperErrorKind = UperErrorKind::NotSupported("deeper nesting of a type in itself");

impl<C: Element, const MOST: u8> Element for Nested<C, MOST> {
    type Value = C::Value;

    fn encode(value: &C::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        if w.nesting >= MOST {
            return Err(w.fail(TOO_DEEP));
        }
        w.nesting += 1;
        C::encode(value, w)?;
        w.nesting -= 1;
        Ok(())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<C::Value, Failed> {
        if r.nesting >= MOST {
            return Err(r.fail(TOO_DEEP));
        }
        r.nesting += 1;
        let value = C::decode(r)?;
        r.nesting -= 1;
        Ok(value)
    }
}

impl<C: Image, const MOST: u8> Image for Nested<C, MOST> {
    fn to_jer(value: &C::Value, names: Naming) -> Jer {
        C::to_jer(value, names)
    }

    fn from_image(image: &Jer) -> Result<C::Value, ImageError> {
        C::from_image(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uper::element::Int;
    use crate::uper::{Dialect, UnknownExtensions};

    /// Encodes, decodes again and gives the bytes.
    fn round_trip<C: Element>(value: &C::Value) -> Vec<u8>
    where
        C::Value: PartialEq + std::fmt::Debug,
    {
        let (mut out, unknown) = ([0; 300], UnknownExtensions::default());
        let mut w = BitWriter::new(&mut out, &unknown, Dialect::DEFAULT);
        C::encode(value, &mut w).expect("encodes");
        let length = w.finish().expect("fits");
        let bytes = &out[..length];
        assert_eq!(C::decode(&mut BitReader::new(bytes, Dialect::DEFAULT)).as_ref(), Ok(value));
        bytes.to_vec()
    }

    fn refused<C: Element>(bytes: &[u8]) -> bool {
        C::decode(&mut BitReader::new(bytes, Dialect::DEFAULT)).is_err()
    }

    #[test]
    fn codes_past_the_root_are_integers_with_a_length() {
        type ZoneId = Ext<Int<u8, 1, 32>, 127>;
        assert_eq!(round_trip::<ZoneId>(&1), [0]);
        assert_eq!(round_trip::<ZoneId>(&32), [0x7C]);
        // Extension bit, one byte of length, the value.
        assert_eq!(round_trip::<ZoneId>(&33), [0x80, 0x90, 0x80]);
        assert!(refused::<ZoneId>(&[0x80, 0x90, 0x00]), "32 needs no extension");
        assert!(refused::<ZoneId>(&[0x81, 0x00, 0x40, 0x00]), "128 is beyond the limit");
        assert!(refused::<ZoneId>(&[0x80, 0xFF, 0x80]), "negative");
    }

    #[test]
    fn strings_have_a_limit_in_both_directions() {
        assert_eq!(round_trip::<BoxedUtf8<0, 3>>(&"aü1".into()), [4, b'a', 0xC3, 0xBC, b'1']);
        assert!(refused::<BoxedUtf8<0, 3>>(&[4, b'a', b'b', b'c', b'd']));
        assert!(refused::<BoxedUtf8<1, 3>>(&[0]), "empty");
        assert!(refused::<BoxedUtf8<0, 9>>(&[1, 0xC3]), "half a character");
        assert_eq!(round_trip::<BytesUpTo<200>>(&vec![7; 130].into())[..3], [0x80, 130, 7]);
        let (mut out, unknown) = ([0; 9], UnknownExtensions::default());
        let mut w = BitWriter::new(&mut out, &unknown, Dialect::DEFAULT);
        assert!(BytesUpTo::<2>::encode(&vec![0; 3].into(), &mut w).is_err());
    }

    #[test]
    fn integers_are_as_short_as_they_can_be() {
        assert_eq!(round_trip::<AnyInt>(&-1), [1, 0xFF]);
        assert_eq!(round_trip::<AnyInt>(&300), [2, 1, 44]);
        assert!(refused::<AnyInt>(&[5, 1, 0, 0, 0, 0]), "33 bits");
        assert!(refused::<AnyInt>(&[2, 0, 1]), "a superfluous byte");
    }
}
