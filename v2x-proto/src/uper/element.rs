//! Codecs of the generic kinds of element.

use crate::List;
use crate::heap::Box;
use crate::uper::Failed;
use crate::uper::error::UperErrorKind;
use crate::uper::reader::{BitReader, Word};
use crate::uper::writer::BitWriter;
use core::marker::PhantomData;

/// The size of an element whose size depends on its value.
pub(crate) const ANY_SIZE: u32 = 1 << 16;

/// The wire form of a Rust value.
pub(crate) trait Element {
    /// The Rust value.
    type Value;

    /// Size on the wire, bits, of an element whose every value has the same size; [`ANY_SIZE`] for others.
    const BITS: u32 = ANY_SIZE;

    fn encode(value: &Self::Value, w: &mut BitWriter<'_>) -> Result<(), Failed>;

    /// The value of the next [`BITS`](Self::BITS) bits; `None` for what is not valid, which [`decode`](Self::decode) then
    /// explains.
    #[inline(always)]
    fn from_word(_word: &mut Word) -> Option<Self::Value> {
        None
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self::Value, Failed>;

    /// Decodes component by component what [`BITS`](Self::BITS) allows to read at one go.
    fn decode_by_parts(r: &mut BitReader<'_>) -> Result<Self::Value, Failed> {
        Self::decode(r)
    }

    /// Decodes into a default value. Large values are decoded where they stay: each move would cost as much as decoding.
    #[inline(always)]
    fn decode_into(value: &mut Self::Value, r: &mut BitReader<'_>) -> Result<(), Failed> {
        *value = Self::decode(r)?;
        Ok(())
    }

    /// Decodes a component that is there.
    #[inline(always)]
    fn decode_some(slot: &mut Option<Self::Value>, r: &mut BitReader<'_>) -> Result<(), Failed> {
        *slot = Some(Self::decode(r)?);
        Ok(())
    }

    /// Decodes an element of a list that has room for it.
    #[inline(always)]
    fn decode_pushed<const INLINE: usize, const CAP: usize>(
        list: &mut List<Self::Value, INLINE, CAP>,
        r: &mut BitReader<'_>,
    ) -> Result<(), Failed> {
        let pushed = list.push(Self::decode(r)?);
        debug_assert!(pushed.is_ok(), "the count was checked against the capacity");
        Ok(())
    }
}

/// Decodes an element of a list where it stays.
#[inline(always)]
pub(crate) fn decode_last<C: Element, const INLINE: usize, const CAP: usize>(
    list: &mut List<C::Value, INLINE, CAP>,
    r: &mut BitReader<'_>,
) -> Result<(), Failed>
where
    C::Value: Default,
{
    match list.push_default() {
        Some(element) => C::decode_into(element, r),
        // The count was checked against the capacity.
        None => Err(r.fail(UperErrorKind::NoRoom { count: CAP, room: CAP })),
    }
}

/// An element that is a constrained whole number on the wire.
pub(crate) trait Coded {
    /// The Rust value.
    type Value;
    /// Smallest code.
    const MIN: i64;
    /// Largest code.
    const MAX: i64;

    fn to_code(value: &Self::Value) -> Result<i64, UperErrorKind>;

    fn from_code(code: i64) -> Self::Value;

    /// The code in JSON.
    #[cfg(feature = "std")]
    fn code_to_jer(code: i64, _names: crate::json::Naming) -> crate::jer::Jer {
        code.into()
    }
}

/// Bits of a number in `min..=max` (X.691 §11.5).
pub(crate) const fn width(min: i64, max: i64) -> u32 {
    let range = (max - min) as u64;
    u64::BITS - range.leading_zeros()
}

impl<C: Coded> Element for C {
    type Value = C::Value;

    const BITS: u32 = width(C::MIN, C::MAX);

    #[inline(always)]
    fn from_word(word: &mut Word) -> Option<C::Value> {
        let code = word.next(Self::BITS) as i64 + C::MIN;
        (code <= C::MAX).then(|| C::from_code(code))
    }

    #[inline(always)]
    fn encode(value: &C::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        match C::to_code(value) {
            Ok(code) if C::MIN <= code && code <= C::MAX => {
                w.put((code - C::MIN) as u64, const { width(C::MIN, C::MAX) });
                Ok(())
            }
            bad => Err(bad_code::<C>(bad, w)),
        }
    }

    #[inline(always)]
    fn decode(r: &mut BitReader<'_>) -> Result<C::Value, Failed> {
        let code = r.take(const { width(C::MIN, C::MAX) })? as i64 + C::MIN;
        if code > C::MAX {
            return Err(r.fail(UperErrorKind::OutOfRange { value: code as f64, min: C::MIN, max: C::MAX }));
        }
        Ok(C::from_code(code))
    }
}

#[cold]
#[inline(never)]
fn bad_code<C: Coded>(bad: Result<i64, UperErrorKind>, w: &mut BitWriter<'_>) -> Failed {
    match bad {
        Ok(code) => w.fail(UperErrorKind::OutOfRange { value: code as f64, min: C::MIN, max: C::MAX }),
        Err(kind) => w.fail(kind),
    }
}

/// Whole numbers of the Rust types used in messages.
pub(crate) trait Whole: Copy {
    fn widen(self) -> i64;
    fn narrow(code: i64) -> Self;
}

macro_rules! whole {
    ($($ty:ty)*) => { $(
        impl Whole for $ty {
            #[inline(always)]
            fn widen(self) -> i64 {
                i64::from(self)
            }

            #[inline(always)]
            fn narrow(code: i64) -> Self {
                code as $ty
            }
        }
    )* };
}

whole!(u8 i8 u16 i16 u32);

/// An INTEGER of `MIN..=MAX`, all of which `T` holds.
pub(crate) struct Int<T, const MIN: i64, const MAX: i64>(PhantomData<T>);

impl<T: Whole, const MIN: i64, const MAX: i64> Coded for Int<T, MIN, MAX> {
    type Value = T;
    const MIN: i64 = MIN;
    const MAX: i64 = MAX;

    #[inline(always)]
    fn to_code(value: &T) -> Result<i64, UperErrorKind> {
        Ok(value.widen())
    }

    #[inline(always)]
    fn from_code(code: i64) -> T {
        T::narrow(code)
    }
}

/// An INTEGER of `MIN..=MAX` that may exceed `MAX` as an extension, up to 2³² - 1.
pub(crate) struct IntExt<T, const MIN: i64, const MAX: i64>(PhantomData<T>);

impl<T, const MIN: i64, const MAX: i64> IntExt<T, MIN, MAX> {
    pub(crate) fn encode_code(code: i64, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        if code < MIN {
            return Err(w.fail(UperErrorKind::OutOfRange { value: code as f64, min: MIN, max: u32::MAX.into() }));
        }
        w.bit(code > MAX);
        if code > MAX {
            w.integer(code);
        } else {
            w.put((code - MIN) as u64, const { width(MIN, MAX) });
        }
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn decode_code(r: &mut BitReader<'_>) -> Result<i64, Failed> {
        // The extension bit with the number, as if the number were one bit wider.
        let both = const { 1 + width(MIN, MAX) };
        match r.peek(both) {
            Some(code) if code as i64 <= MAX - MIN => {
                r.skip(both);
                Ok(code as i64 + MIN)
            }
            _ => Self::decode_code_part_by_part(r),
        }
    }

    #[inline(never)]
    fn decode_code_part_by_part(r: &mut BitReader<'_>) -> Result<i64, Failed> {
        let extended = r.bit()?;
        let code = if extended { r.integer()? } else { r.take(const { width(MIN, MAX) })? as i64 + MIN };
        if extended != (code > MAX) || code > u32::MAX.into() {
            return Err(r.fail(UperErrorKind::OutOfRange { value: code as f64, min: MIN, max: MAX }));
        }
        Ok(code)
    }
}

impl<const MIN: i64, const MAX: i64> Element for IntExt<u32, MIN, MAX> {
    type Value = u32;

    fn encode(value: &u32, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        Self::encode_code(i64::from(*value), w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<u32, Failed> {
        Ok(Self::decode_code(r)? as u32)
    }
}

impl Element for bool {
    type Value = bool;

    const BITS: u32 = 1;

    #[inline(always)]
    fn from_word(word: &mut Word) -> Option<bool> {
        Some(word.next(1) != 0)
    }

    #[inline(always)]
    fn encode(value: &bool, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        w.bit(*value);
        Ok(())
    }

    #[inline(always)]
    fn decode(r: &mut BitReader<'_>) -> Result<bool, Failed> {
        r.bit()
    }
}

/// Writes and reads the elements of a list whose length is settled.
pub(crate) fn encode_elements<C: Element>(elements: &[C::Value], w: &mut BitWriter<'_>) -> Result<(), Failed> {
    for (index, element) in elements.iter().enumerate() {
        if let Err(failed) = C::encode(element, w) {
            return Err(w.in_element(failed, index));
        }
    }
    Ok(())
}

pub(crate) fn decode_elements<C: Element, const INLINE: usize, const CAP: usize>(
    count: usize,
    r: &mut BitReader<'_>,
) -> Result<List<C::Value, INLINE, CAP>, Failed> {
    let mut list = List::with_room_for(count);
    push_elements::<C, INLINE, CAP>(&mut list, count, r)?;
    Ok(list)
}

fn push_elements<C: Element, const INLINE: usize, const CAP: usize>(
    list: &mut List<C::Value, INLINE, CAP>,
    count: usize,
    r: &mut BitReader<'_>,
) -> Result<(), Failed> {
    let room = List::<C::Value, INLINE, CAP>::CAPACITY;
    if room < CAP && count > room {
        return Err(r.fail(UperErrorKind::NoRoom { count, room }));
    }
    for index in 0..count {
        if let Err(failed) = C::decode_pushed(list, r) {
            return Err(r.in_element(failed, index));
        }
    }
    Ok(())
}

/// A SEQUENCE OF with `MIN..=MAX` elements.
pub(crate) struct ListOf<C, const INLINE: usize, const MIN: usize, const MAX: usize>(PhantomData<C>);

impl<C, const INLINE: usize, const MIN: usize, const MAX: usize> ListOf<C, INLINE, MIN, MAX> {
    #[inline(always)]
    fn count(r: &mut BitReader<'_>) -> Result<usize, Failed> {
        let count = r.take(const { width(MIN as i64, MAX as i64) })? as usize + MIN;
        if count > MAX {
            return Err(r.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        Ok(count)
    }
}

impl<C: Element, const INLINE: usize, const MIN: usize, const MAX: usize> Element for ListOf<C, INLINE, MIN, MAX> {
    type Value = List<C::Value, INLINE, MAX>;

    fn encode(value: &Self::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let count = value.len();
        if !(MIN..=MAX).contains(&count) {
            return Err(w.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        w.put((count - MIN) as u64, const { width(MIN as i64, MAX as i64) });
        encode_elements::<C>(value, w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self::Value, Failed> {
        let count = Self::count(r)?;
        decode_elements::<C, INLINE, MAX>(count, r)
    }

    fn decode_into(list: &mut Self::Value, r: &mut BitReader<'_>) -> Result<(), Failed> {
        let count = Self::count(r)?;
        push_elements::<C, INLINE, MAX>(list, count, r)
    }

    fn decode_some(slot: &mut Option<Self::Value>, r: &mut BitReader<'_>) -> Result<(), Failed> {
        Self::decode_into(slot.get_or_insert_with(List::new), r)
    }

    fn decode_pushed<const I: usize, const C2: usize>(
        list: &mut List<Self::Value, I, C2>,
        r: &mut BitReader<'_>,
    ) -> Result<(), Failed> {
        decode_last::<Self, I, C2>(list, r)
    }
}

/// A SEQUENCE OF with `MIN..=MAX` elements, or up to `CAP` as an extension.
pub(crate) struct ListExt<C, const INLINE: usize, const MIN: usize, const MAX: usize, const CAP: usize>(PhantomData<C>);

impl<C: Element, const INLINE: usize, const MIN: usize, const MAX: usize, const CAP: usize>
    ListExt<C, INLINE, MIN, MAX, CAP>
{
    /// The list in a root without an extension bit.
    pub(crate) fn encode_root(value: &List<C::Value, INLINE, CAP>, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let count = value.len();
        if !(MIN..=MAX).contains(&count) {
            return Err(w.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        w.put((count - MIN) as u64, const { width(MIN as i64, MAX as i64) });
        encode_elements::<C>(value, w)
    }

    #[inline(always)]
    fn root_count(r: &mut BitReader<'_>) -> Result<usize, Failed> {
        let count = r.take(const { width(MIN as i64, MAX as i64) })? as usize + MIN;
        if count > MAX {
            return Err(r.fail(UperErrorKind::Count { count, min: MIN, max: MAX }));
        }
        Ok(count)
    }

    #[cold]
    fn extended_count(r: &mut BitReader<'_>) -> Result<usize, Failed> {
        let count = r.length()?;
        if count <= MAX && count >= MIN {
            return Err(r.fail(UperErrorKind::NotCanonical("extension bit with a length that needs none")));
        }
        if count < MIN || count > CAP {
            return Err(r.fail(UperErrorKind::Count { count, min: MIN, max: CAP }));
        }
        Ok(count)
    }

    /// The list in a root without an extension bit.
    pub(crate) fn decode_root(r: &mut BitReader<'_>) -> Result<List<C::Value, INLINE, CAP>, Failed> {
        let count = Self::root_count(r)?;
        decode_elements::<C, INLINE, CAP>(count, r)
    }
}

impl<C: Element, const INLINE: usize, const MIN: usize, const MAX: usize, const CAP: usize> Element
    for ListExt<C, INLINE, MIN, MAX, CAP>
{
    type Value = List<C::Value, INLINE, CAP>;

    fn encode(value: &Self::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let count = value.len();
        if count <= MAX {
            w.bit(false);
            return Self::encode_root(value, w);
        }
        w.bit(true);
        w.length(count)?;
        encode_elements::<C>(value, w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self::Value, Failed> {
        let count = if r.bit()? { Self::extended_count(r)? } else { Self::root_count(r)? };
        decode_elements::<C, INLINE, CAP>(count, r)
    }

    fn decode_into(list: &mut Self::Value, r: &mut BitReader<'_>) -> Result<(), Failed> {
        let count = if r.bit()? { Self::extended_count(r)? } else { Self::root_count(r)? };
        push_elements::<C, INLINE, CAP>(list, count, r)
    }

    fn decode_some(slot: &mut Option<Self::Value>, r: &mut BitReader<'_>) -> Result<(), Failed> {
        Self::decode_into(slot.get_or_insert_with(List::new), r)
    }

    fn decode_pushed<const I: usize, const C2: usize>(
        list: &mut List<Self::Value, I, C2>,
        r: &mut BitReader<'_>,
    ) -> Result<(), Failed> {
        decode_last::<Self, I, C2>(list, r)
    }
}

/// An element whose Rust value is boxed because it is large and rare.
pub(crate) struct OnHeap<C>(PhantomData<C>);

impl<C: Element> Element for OnHeap<C> {
    type Value = Box<C::Value>;

    fn encode(value: &Self::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        C::encode(value, w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self::Value, Failed> {
        C::decode(r).map(Box::new)
    }
}
