//! Protobuf forms of the generic kinds of element: numbers, strings, lists.

use crate::List;
use crate::protobuf::schema::{Note, Schema, Type};
use crate::protobuf::wire::{Key, Reader, Writer};
use crate::protobuf::{Fault, Proto, get_single, put_single};
use crate::uper::UperErrorKind;
use crate::uper::bounded::ListAny;
use crate::uper::element::{Coded, Int, IntExt, ListExt, ListOf, OnHeap};
use crate::uper::text::{Ia5, Numeric, Octets, Utf8};
use prost::encoding::WireType;

/// An element that is one number.
pub(crate) trait Number {
    /// The Rust value.
    type Value;

    /// Whether some numbers are negative: they are zigzag-coded then.
    const SIGNED: bool = false;

    fn to_number(value: &Self::Value) -> Result<i64, UperErrorKind>;

    fn from_number(number: i64) -> Result<Self::Value, UperErrorKind>;

    fn describe(schema: &mut Schema) -> Type;
}

impl<N: Number> Proto for N {
    type Value = N::Value;
    const NUMBER: bool = true;

    #[inline]
    fn put(value: &N::Value, w: &mut Writer) -> Result<(), Fault> {
        let number = N::to_number(value).map_err(|kind| w.fault(kind))?;
        w.varint(if N::SIGNED { (number << 1 ^ number >> 63) as u64 } else { number as u64 });
        Ok(())
    }

    #[inline]
    fn get(r: &mut Reader<'_>) -> Result<N::Value, Fault> {
        let bits = r.varint()?;
        let number = if N::SIGNED {
            (bits >> 1) as i64 ^ -((bits & 1) as i64)
        } else {
            // No element reaches 2⁶³: what does is out of any range.
            i64::try_from(bits).unwrap_or(i64::MAX)
        };
        N::from_number(number).map_err(|kind| r.fault(kind))
    }

    fn number(value: &N::Value) -> Option<i64> {
        N::to_number(value).ok()
    }

    fn describe(schema: &mut Schema) -> Type {
        N::describe(schema)
    }
}

/// What a constrained whole number is in the schema.
pub(crate) trait Described {
    fn describe(schema: &mut Schema) -> Type;
}

impl<C: Coded + Described> Number for C {
    type Value = <C as Coded>::Value;
    const SIGNED: bool = C::MIN < 0;

    #[inline]
    fn to_number(value: &Self::Value) -> Result<i64, UperErrorKind> {
        in_range(C::to_code(value)?, C::MIN, C::MAX)
    }

    #[inline]
    fn from_number(number: i64) -> Result<Self::Value, UperErrorKind> {
        Ok(C::from_code(in_range(number, C::MIN, C::MAX)?))
    }

    fn describe(schema: &mut Schema) -> Type {
        <C as Described>::describe(schema)
    }
}

/// `number`, if it is in `min..=max`.
#[inline]
pub(crate) fn in_range(number: i64, min: i64, max: i64) -> Result<i64, UperErrorKind> {
    if min <= number && number <= max {
        Ok(number)
    } else {
        Err(UperErrorKind::OutOfRange { value: number as f64, min, max })
    }
}

impl<T, const MIN: i64, const MAX: i64> Described for Int<T, MIN, MAX> {
    fn describe(_: &mut Schema) -> Type {
        Type::number(MIN, MAX)
    }
}

impl<const MIN: i64, const MAX: i64> Number for IntExt<u32, MIN, MAX> {
    type Value = u32;

    fn to_number(value: &u32) -> Result<i64, UperErrorKind> {
        in_range((*value).into(), MIN, u32::MAX.into())
    }

    fn from_number(number: i64) -> Result<u32, UperErrorKind> {
        Ok(in_range(number, MIN, u32::MAX.into())? as u32)
    }

    fn describe(_: &mut Schema) -> Type {
        Type::number(MIN, u32::MAX.into())
    }
}

impl Number for bool {
    type Value = bool;

    fn to_number(value: &bool) -> Result<i64, UperErrorKind> {
        Ok((*value).into())
    }

    fn from_number(number: i64) -> Result<bool, UperErrorKind> {
        Ok(number != 0)
    }

    fn describe(_: &mut Schema) -> Type {
        Type::Bool
    }
}

impl<C: Proto> Proto for OnHeap<C> {
    type Value = Box<C::Value>;
    const NUMBER: bool = C::NUMBER;
    const MAY_BE_EMPTY: bool = C::MAY_BE_EMPTY;

    fn put(value: &Self::Value, w: &mut Writer) -> Result<(), Fault> {
        C::put(value, w)
    }

    fn get(r: &mut Reader<'_>) -> Result<Self::Value, Fault> {
        C::get(r).map(Box::new)
    }

    fn put_field(value: &Self::Value, tag: u32, w: &mut Writer) -> Result<(), Fault> {
        C::put_field(value, tag, w)
    }

    fn get_field(slot: &mut Option<Self::Value>, key: Key, r: &mut Reader<'_>) -> Result<(), Fault> {
        let mut inner = slot.take().map(|value| *value);
        C::get_field(&mut inner, key, r)?;
        *slot = inner.map(Box::new);
        Ok(())
    }

    fn settle(slot: Option<Self::Value>, r: &Reader<'_>) -> Result<Option<Self::Value>, Fault> {
        Ok(C::settle(slot.map(|value| *value), r)?.map(Box::new))
    }

    fn describe(schema: &mut Schema) -> Type {
        C::describe(schema)
    }
}

/// Field number of the elements of a list that is a message of its own.
const ELEMENTS: u32 = 1;

/// The elements of a list as fields of number `tag`; numbers packed into one.
fn put_elements<C: Proto>(
    elements: &[C::Value],
    (min, max): (usize, usize),
    tag: u32,
    w: &mut Writer,
) -> Result<(), Fault> {
    let count = elements.len();
    if count < min || count > max {
        return Err(w.fault(UperErrorKind::Count { count, min, max }));
    }
    let mut indexed = elements.iter().enumerate();
    if C::NUMBER && count > 0 {
        return w.nested(tag, |w| {
            indexed.try_for_each(|(index, element)| C::put(element, w).map_err(|fault| fault.in_element(index)))
        });
    }
    indexed.try_for_each(|(index, element)| put_single::<C>(element, tag, w).map_err(|fault| fault.in_element(index)))
}

/// Appends the elements of one field to a list; numbers may be packed or not.
fn get_elements<C: Proto, const INLINE: usize, const CAP: usize>(
    list: &mut List<C::Value, INLINE, CAP>,
    min: usize,
    key: Key,
    r: &mut Reader<'_>,
) -> Result<(), Fault> {
    let mut push = |element: Result<C::Value, Fault>, r: &Reader<'_>| {
        let index = list.len();
        let element = element.map_err(|fault| fault.in_element(index))?;
        list.push(element).map_err(|_| r.fault(UperErrorKind::Count { count: CAP + 1, min, max: CAP }))
    };
    if C::NUMBER && key.wire == WireType::LengthDelimited {
        return r.nested(|r| {
            while !r.is_at_end() {
                let element = C::get(r);
                push(element, r)?;
            }
            Ok(())
        });
    }
    let element = get_single::<C>(key, r);
    push(element, r)
}

/// A list after all of its fields were read: one without elements is there only if it may be empty.
fn settle_list<T, const INLINE: usize, const CAP: usize>(
    slot: Option<List<T, INLINE, CAP>>,
    min: usize,
    r: &Reader<'_>,
) -> Result<Option<List<T, INLINE, CAP>>, Fault> {
    match slot.unwrap_or_default() {
        list if list.is_empty() => Ok((min == 0).then_some(list)),
        list if list.len() < min => Err(r.fault(UperErrorKind::Count { count: list.len(), min, max: CAP })),
        list => Ok(Some(list)),
    }
}

macro_rules! lists {
    ($( $name:ident [$($parameter:ident),*] from $min:tt to $max:ident; )*) => { $(
        impl<C: Proto, $(const $parameter: usize),*> Proto for $name<C, $($parameter),*> {
            type Value = List<C::Value, INLINE, $max>;
            const MAY_BE_EMPTY: bool = $min == 0;

            fn put(value: &Self::Value, w: &mut Writer) -> Result<(), Fault> {
                put_elements::<C>(value, ($min, $max), ELEMENTS, w)
            }

            fn get(r: &mut Reader<'_>) -> Result<Self::Value, Fault> {
                let mut list = List::new();
                while let Some(key) = r.next()? {
                    match key.tag {
                        ELEMENTS => get_elements::<C, INLINE, $max>(&mut list, $min, key, r)?,
                        _ => r.skip(key)?,
                    }
                }
                crate::protobuf::settle_required::<Self>(Some(list), r)
            }

            fn put_field(value: &Self::Value, tag: u32, w: &mut Writer) -> Result<(), Fault> {
                put_elements::<C>(value, ($min, $max), tag, w)
            }

            fn get_field(slot: &mut Option<Self::Value>, key: Key, r: &mut Reader<'_>) -> Result<(), Fault> {
                get_elements::<C, INLINE, $max>(slot.get_or_insert_default(), $min, key, r)
            }

            fn settle(slot: Option<Self::Value>, r: &Reader<'_>) -> Result<Option<Self::Value>, Fault> {
                settle_list(slot, $min, r)
            }

            fn describe(schema: &mut Schema) -> Type {
                Type::List { element: Box::new(C::describe(schema)), min: $min, max: $max }
            }
        }
    )* };
}

lists! {
    ListOf [INLINE, MIN, MAX] from MIN to MAX;
    ListExt [INLINE, MIN, MAX, CAP] from MIN to CAP;
    ListAny [INLINE, CAP] from 0 to CAP;
}

/// A string of characters of one byte each that `allowed` accepts.
fn checked_text<const MAX: usize>(
    bytes: &[u8],
    min: usize,
    allowed: fn(u8) -> bool,
) -> Result<heapless::String<MAX>, UperErrorKind> {
    let count = bytes.len();
    if let Some(byte) = bytes.iter().find(|byte| !allowed(**byte)) {
        return Err(UperErrorKind::Character(*byte));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| UperErrorKind::NotUtf8)?;
    let text = heapless::String::try_from(text).ok().filter(|_| count >= min);
    text.ok_or(UperErrorKind::Count { count, min, max: MAX })
}

macro_rules! one_byte_texts {
    ($( $name:ident: $allowed:expr; )*) => { $(
        impl<const MIN: usize, const MAX: usize> Proto for $name<MIN, MAX> {
            type Value = heapless::String<MAX>;

            fn put(value: &Self::Value, w: &mut Writer) -> Result<(), Fault> {
                checked_text::<MAX>(value.as_bytes(), MIN, $allowed).map_err(|kind| w.fault(kind))?;
                w.out.extend_from_slice(value.as_bytes());
                Ok(())
            }

            fn get(r: &mut Reader<'_>) -> Result<Self::Value, Fault> {
                checked_text(r.take_rest(), MIN, $allowed).map_err(|kind| r.fault(kind))
            }

            fn describe(_: &mut Schema) -> Type {
                Type::String(Note::length(MIN, MAX))
            }
        }
    )* };
}

one_byte_texts! {
    Ia5: |byte| byte.is_ascii();
    Numeric: |byte| byte == b' ' || byte.is_ascii_digit();
}

impl<const MIN: usize, const MAX: usize, const BYTES: usize> Proto for Utf8<MIN, MAX, BYTES> {
    type Value = heapless::String<BYTES>;

    fn put(value: &Self::Value, w: &mut Writer) -> Result<(), Fault> {
        check_count(value.chars().count(), MIN, MAX).map_err(|kind| w.fault(kind))?;
        w.out.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn get(r: &mut Reader<'_>) -> Result<Self::Value, Fault> {
        let text = std::str::from_utf8(r.take_rest()).map_err(|_| r.fault(UperErrorKind::NotUtf8))?;
        check_count(text.chars().count(), MIN, MAX).map_err(|kind| r.fault(kind))?;
        let full = UperErrorKind::Count { count: text.len(), min: MIN, max: BYTES };
        heapless::String::try_from(text).map_err(|_| r.fault(full))
    }

    fn describe(_: &mut Schema) -> Type {
        Type::String(Note::length(MIN, MAX))
    }
}

impl<const MIN: usize, const MAX: usize> Proto for Octets<MIN, MAX> {
    type Value = heapless::Vec<u8, MAX>;

    fn put(value: &Self::Value, w: &mut Writer) -> Result<(), Fault> {
        check_count(value.len(), MIN, MAX).map_err(|kind| w.fault(kind))?;
        w.out.extend_from_slice(value);
        Ok(())
    }

    fn get(r: &mut Reader<'_>) -> Result<Self::Value, Fault> {
        let bytes = r.take_rest();
        check_count(bytes.len(), MIN, MAX).map_err(|kind| r.fault(kind))?;
        Ok(bytes.iter().copied().collect())
    }

    fn describe(_: &mut Schema) -> Type {
        Type::Bytes(Note::length(MIN, MAX))
    }
}

pub(crate) fn check_count(count: usize, min: usize, max: usize) -> Result<(), UperErrorKind> {
    if (min..=max).contains(&count) { Ok(()) } else { Err(UperErrorKind::Count { count, min, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At least one and at most five numbers.
    type Ids = ListExt<Int<u8, 0, 200>, 2, 1, 3, 5>;

    fn read(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let list = Ids::get(&mut Reader::new(bytes)).map_err(|fault| fault.into_error("Ids").to_string())?;
        let mut w = Writer::default();
        Ids::put(&list, &mut w).expect("what was read can be written");
        assert_eq!(w.out, [&[10, list.len() as u8][..], &list].concat(), "numbers below 128 are packed, a byte each");
        Ok(list.to_vec())
    }

    #[test]
    fn repeated_numbers_may_be_packed_or_not() {
        assert_eq!(read(&[8, 1, 8, 2, 10, 2, 3, 4]), Ok(vec![1, 2, 3, 4]));
    }

    #[test]
    fn lists_are_bounded() {
        assert_eq!(read(&[]), Err("Ids at byte 0: missing".into()));
        assert_eq!(read(&[10, 0]), Err("Ids at byte 2: missing".into()));
        assert_eq!(read(&[10, 6, 1, 2, 3, 4, 5, 6]), Err("Ids at byte 8: 6 elements, 1..=5 allowed".into()));
        assert_eq!(read(&[10, 3, 1, 0xC9, 1]), Err("Ids[1] at byte 5: 201 is not in 0..=200".into()));
        // A number of 64 bits is none of the standard's.
        let huge = [&[8][..], &[0xFF; 9], &[1]].concat();
        assert_eq!(read(&huge), Err("Ids[0] at byte 11: 9223372036854776000 is not in 0..=200".into()));
    }

    #[test]
    fn an_optional_list_that_may_be_empty_is_told_from_an_absent_one() {
        use crate::protobuf::{get_optional, put_optional, settle_optional};
        type MaybeEmpty = ListExt<Int<u8, 0, 255>, 2, 0, 3, 3>;
        let encode = |value: Option<List<u8, 2, 3>>| {
            let mut w = Writer::default();
            put_optional::<MaybeEmpty>(&value, 1, &mut w).expect("writes");
            w.out
        };
        let decode = |bytes: &[u8]| {
            let (mut r, mut slot) = (Reader::new(bytes), None);
            while let Some(key) = r.next().expect("a key") {
                get_optional::<MaybeEmpty>(&mut slot, key, &mut r).expect("reads");
            }
            settle_optional::<MaybeEmpty>(slot, &r).expect("settles")
        };
        for list in [None, Some(List::new()), List::try_from_iter([7])] {
            assert_eq!(decode(&encode(list.clone())), list);
        }
    }

    #[test]
    fn strings_have_an_alphabet_and_a_length() {
        let read =
            |bytes: &[u8]| Numeric::<1, 4>::get(&mut Reader::new(bytes)).map_err(|f| f.into_error("S").to_string());
        assert_eq!(read(b"12 4").as_deref(), Ok("12 4"));
        assert_eq!(read(b"12345"), Err("S at byte 5: 5 elements, 1..=4 allowed".into()));
        assert_eq!(read(b"1a"), Err("S at byte 2: character 0x61 is not allowed".into()));
        assert_eq!(read(b""), Err("S at byte 0: 0 elements, 1..=4 allowed".into()));
        assert!(Utf8::<1, 4, 16>::get(&mut Reader::new(&[0xC3])).is_err(), "half a character");
    }
}
