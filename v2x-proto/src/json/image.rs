//! The image trait: how an element looks in JSON. The generic kinds of element; each other has its own beside its codec.

use crate::List;
use crate::jer::{Jer, hex};
use crate::json::{ImageError, Naming};
use crate::uper::element::{Coded, Element, IntExt, ListExt, ListOf, OnHeap};
use crate::uper::text::{Ia5, Numeric, Octets, Utf8};
use heapless::String;

/// The JSON form of an element's Rust value.
pub(crate) trait Image: Element {
    /// The value in JSON, under the names of X.697 or of a client's schema.
    fn to_jer(value: &Self::Value, names: Naming) -> Jer;

    /// The value of a client's JSON.
    fn from_image(image: &Jer) -> Result<Self::Value, ImageError>;
}

/// A whole number of `min..=max`.
pub(crate) fn number(image: &Jer, min: i64, max: i64) -> Result<i64, ImageError> {
    let code = image.as_i64().ok_or_else(|| ImageError::new("a whole number is expected"))?;
    if code < min || code > max {
        return Err(ImageError::new(format!("{code} is not in {min}..={max}")));
    }
    Ok(code)
}

pub(crate) fn elements_from_image<C: Image, const INLINE: usize, const CAP: usize>(
    image: &Jer,
    min: usize,
) -> Result<List<C::Value, INLINE, CAP>, ImageError> {
    let elements = image.as_array().ok_or_else(|| ImageError::new("a list is expected"))?;
    if elements.len() < min || elements.len() > CAP {
        return Err(ImageError::new(format!("{} elements, {min}..={CAP} allowed", elements.len())));
    }
    let mut list = List::new();
    for (index, element) in elements.iter().enumerate() {
        let element = C::from_image(element).map_err(|error| error.in_element(index))?;
        // The count was checked against the capacity.
        let _ = list.push(element);
    }
    Ok(list)
}

/// A string of `min..=max` characters.
fn text<const BYTES: usize>(image: &Jer, min: usize, max: usize) -> Result<String<BYTES>, ImageError> {
    let text = image.as_str().ok_or_else(|| ImageError::new("a string is expected"))?;
    let count = text.chars().count();
    let fits = String::try_from(text).ok().filter(|_| (min..=max).contains(&count));
    fits.ok_or_else(|| ImageError::new(format!("{count} characters, {min}..={max} allowed")))
}

impl<C: Coded> Image for C {
    fn to_jer(value: &C::Value, names: Naming) -> Jer {
        C::to_code(value).map_or(Jer::Null, |code| C::code_to_jer(code, names))
    }

    fn from_image(image: &Jer) -> Result<C::Value, ImageError> {
        Ok(C::from_code(number(image, C::MIN, C::MAX)?))
    }
}

impl<const MIN: i64, const MAX: i64> Image for IntExt<u32, MIN, MAX> {
    fn to_jer(value: &u32, _names: Naming) -> Jer {
        (*value).into()
    }

    fn from_image(image: &Jer) -> Result<u32, ImageError> {
        Ok(number(image, MIN, u32::MAX.into())? as u32)
    }
}

impl Image for bool {
    fn to_jer(value: &bool, _names: Naming) -> Jer {
        (*value).into()
    }

    fn from_image(image: &Jer) -> Result<bool, ImageError> {
        image.as_bool().ok_or_else(|| ImageError::new("true or false is expected"))
    }
}

impl<C: Image, const INLINE: usize, const MIN: usize, const MAX: usize> Image for ListOf<C, INLINE, MIN, MAX> {
    fn to_jer(value: &Self::Value, names: Naming) -> Jer {
        value.iter().map(|element| C::to_jer(element, names)).collect()
    }

    fn from_image(image: &Jer) -> Result<Self::Value, ImageError> {
        elements_from_image::<C, INLINE, MAX>(image, MIN)
    }
}

impl<C: Image, const INLINE: usize, const MIN: usize, const MAX: usize, const CAP: usize> Image
    for ListExt<C, INLINE, MIN, MAX, CAP>
{
    fn to_jer(value: &Self::Value, names: Naming) -> Jer {
        value.iter().map(|element| C::to_jer(element, names)).collect()
    }

    fn from_image(image: &Jer) -> Result<Self::Value, ImageError> {
        elements_from_image::<C, INLINE, CAP>(image, MIN)
    }
}

impl<C: Image> Image for OnHeap<C> {
    fn to_jer(value: &Self::Value, names: Naming) -> Jer {
        C::to_jer(value, names)
    }

    fn from_image(image: &Jer) -> Result<Self::Value, ImageError> {
        C::from_image(image).map(Box::new)
    }
}

impl<const MIN: usize, const MAX: usize> Image for Ia5<MIN, MAX> {
    fn to_jer(value: &String<MAX>, _names: Naming) -> Jer {
        value.as_str().into()
    }

    fn from_image(image: &Jer) -> Result<String<MAX>, ImageError> {
        text(image, MIN, MAX)
    }
}

impl<const MIN: usize, const MAX: usize> Image for Numeric<MIN, MAX> {
    fn to_jer(value: &String<MAX>, _names: Naming) -> Jer {
        value.as_str().into()
    }

    fn from_image(image: &Jer) -> Result<String<MAX>, ImageError> {
        text(image, MIN, MAX)
    }
}

impl<const MIN: usize, const MAX: usize, const BYTES: usize> Image for Utf8<MIN, MAX, BYTES> {
    fn to_jer(value: &String<BYTES>, _names: Naming) -> Jer {
        value.as_str().into()
    }

    fn from_image(image: &Jer) -> Result<String<BYTES>, ImageError> {
        text(image, MIN, MAX)
    }
}

impl<const MIN: usize, const MAX: usize> Image for Octets<MIN, MAX> {
    fn to_jer(value: &Self::Value, names: Naming) -> Jer {
        match names {
            Naming::R1 | Naming::R2 => hex(value).into(),
            // The schema allows as many characters as bytes: one character a byte, U+0000 to U+00FF.
            _ => value.iter().map(|b| char::from(*b)).collect::<std::string::String>().into(),
        }
    }

    fn from_image(image: &Jer) -> Result<Self::Value, ImageError> {
        let text = image.as_str().ok_or_else(|| ImageError::new("a string is expected"))?;
        let bytes = text.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>();
        let bytes = bytes.map_err(|_| ImageError::new("one character a byte, U+0000 to U+00FF, is expected"))?;
        let count = bytes.len();
        let bytes = heapless::Vec::from_slice(&bytes).ok().filter(|_| count >= MIN);
        bytes.ok_or_else(|| ImageError::new(format!("{count} bytes, {MIN}..={MAX} allowed")))
    }
}
