//! The JSON image of messages, as Orange's its-client sends them over MQTT (its-client-schemas: CAM 2.4.0, DENM 2.3.0,
//! CPM 2.1.1, POI 2.0.0, SPATEM and MAPEM 2.0.0, SREM and SSEM 2.0.1).
//!
//! In: a message and an [`Envelope`]. Out: JSON, and back. Keys are in alphabetical order, numbers are the standard's
//! codes. The schemas close only the envelope, so what they do not name is written beside it under the standard's names
//! in snake case, and nothing is lost: extension additions of later versions are in `unknown_extensions` of the message, a
//! list of `{ ordinal, owner, announced, additions: [{ index, content }] }` with the content in hexadecimal digits.
//!
//! There is no schema for VAM: its image follows the same rules, with `message_type` `vam` and version 1.0.0.
//! Nor is there one for IVIM: `ivim`, 1.0.0, `mandatory` and `optional` beside the station id; what ISO/TS 19321's second
//! edition adds to a text part is in `added`. What POIM's schema has no place for is listed in `poim/image.rs`.
//! MCM's schema follows a draft of TS 103 561 whose module is not to be had; the image of ours is `mcm`, 1.0.0, with
//! `basic_container` and `mcm_container` beside the station id.
//!
//! What the schemas ask for and a message cannot give, so that the JSON of such a message does not validate:
//! - CAM: `protected_zone_radius` above 255; extension values of enumerations;
//! - DENM: `recommended_path` as offsets (the message has absolute positions); `traffic_flow_rule` 4; an
//!   `emergency_action_code` longer than four characters;
//! - CPM: a bounding box for every group of road users (the message forbids it); rectangles with half a side above
//!   10.2 m; lists beyond the standard's maxima;
//! - POI: `spaces_basic`, whose schema asks for the properties that only `spaces_detailed` have; a first block of another
//!   type;
//! - SPATEM, MAPEM: bits without a name (`mask` and `length` instead of a list); nodes and road users that a region defines;
//!   `generalMapData`, `reserved1`; a lane without direction; a small offset in the large form;
//! - MAPEM's `data`, the ways in and out of SREM and SSEM: the schemas ask for every alternative of a choice at once;
//! - SREM, SSEM: a temporary identifier of a vehicle; `transit_status` (the schema has room for one bit); `iso3883` above 40.
//!
//! A node in a longer form than it needs has the number of the form, 1..=6, in `form`.

mod containers;
mod dsrc;
mod envelope;
mod extension;
mod image;
mod names;

pub(crate) use containers::{ContainerImages, containers_from_image, containers_to_image, containers_to_jer};
pub use envelope::{Envelope, JsonError, from_json, to_json};
pub(crate) use image::{Image, elements_from_image, number};
pub(crate) use names::Naming;

use crate::jer::{Jer, hex};
use crate::uper::UnknownAlternative;
use serde_json::{Map, json};

/// Why a member of an image cannot be read; the path grows on the way up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImageError {
    pub(crate) path: String,
    pub(crate) reason: String,
}

impl ImageError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { path: String::new(), reason: reason.into() }
    }

    pub(crate) fn in_member(mut self, name: &str) -> Self {
        self.path.insert_str(0, &format!(".{name}"));
        self
    }

    pub(crate) fn in_element(mut self, index: usize) -> Self {
        self.path.insert_str(0, &format!("[{index}]"));
        self
    }
}

/// The members of an object.
pub(crate) fn members(image: &Jer) -> Result<&Map<String, Jer>, ImageError> {
    image.as_object().ok_or_else(|| ImageError::new("an object is expected"))
}

/// A member that must be there.
pub(crate) fn required<C: Image>(
    members: &Map<String, Jer>,
    owner: &'static str,
    name: &'static str,
) -> Result<C::Value, ImageError> {
    optional::<C>(members, owner, name)?
        .ok_or_else(|| ImageError::new("missing").in_member(&names::image_name(owner, name)))
}

/// A member that may be absent or null.
pub(crate) fn optional<C: Image>(
    members: &Map<String, Jer>,
    owner: &'static str,
    name: &'static str,
) -> Result<Option<C::Value>, ImageError> {
    let name = names::image_name(owner, name);
    match members.get(&name) {
        None | Some(Jer::Null) => Ok(None),
        Some(image) => C::from_image(image).map(Some).map_err(|error| error.in_member(&name)),
    }
}

/// The number of an enumeration's value that is given by name; anything else as it is.
pub(crate) fn number_of_name(image: &Jer, values: &[&'static str]) -> Jer {
    let Some(name) = image.as_str() else { return image.clone() };
    let number = values.iter().position(|value| names::image_value(value) == name);
    number.map_or_else(|| image.clone(), Into::into)
}

/// An alternative of a later version.
pub(crate) fn unknown_to_jer(unknown: &UnknownAlternative) -> Jer {
    json!({ "unknown": { "index": unknown.index, "content": hex(&unknown.content) } })
}

pub(crate) fn unknown_from_image(members: &Map<String, Jer>) -> Result<UnknownAlternative, ImageError> {
    let unknown = members.get("unknown").ok_or_else(|| ImageError::new("none of the alternatives is there"))?;
    let index = unknown["index"].as_u64().filter(|index| *index < 64);
    match (index, unhex(&unknown["content"])) {
        (Some(index), Some(content)) => Ok(UnknownAlternative { index: index as u8, content }),
        _ => Err(ImageError::new("an index and hexadecimal digits are expected").in_member("unknown")),
    }
}

/// Bytes of hexadecimal digits.
pub(crate) fn unhex(digits: &Jer) -> Option<Box<[u8]>> {
    let digits = digits.as_str().filter(|digits| digits.is_ascii() && digits.len() % 2 == 0)?;
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

/// A bit string: digits in JER, a number in DENM's schema, named booleans in the other schemas.
pub(crate) fn bits_to_jer(mask: u32, len: u8, usual_len: u8, names: &[(&'static str, u8)], naming: Naming) -> Jer {
    let first_highest = mask.reverse_bits() >> (32 - u32::from(len));
    let digits = || crate::jer::bits(first_highest, len.into());
    let named = names.iter().fold(0, |all, (_, bit)| all | 1u32 << bit);
    match naming {
        Naming::R1 | Naming::R2 if len == usual_len => digits().into(),
        Naming::R1 | Naming::R2 => json!({ "value": digits(), "length": len }),
        Naming::Denm if len == usual_len => first_highest.into(),
        Naming::Dsrc | Naming::Mapem if len == usual_len && mask & !named == 0 => {
            names.iter().filter(|(_, bit)| mask >> bit & 1 == 1).map(|(name, _)| Jer::from(*name)).collect()
        }
        Naming::Dsrc | Naming::Mapem => json!({ "mask": mask, "length": len }),
        _ => {
            let bool_of = |(name, bit): &(&str, u8)| (name.to_ascii_lowercase(), Jer::from(mask >> bit & 1 == 1));
            let mut image: Map<_, _> = names.iter().map(bool_of).collect();
            if len != usual_len || mask & !named != 0 {
                image.insert("mask".into(), mask.into());
                image.insert("length".into(), len.into());
            }
            image.into()
        }
    }
}

/// The mask and the length of a bit string in any of the schemas' forms.
pub(crate) fn bits_from_image(
    image: &Jer,
    usual_len: u8,
    names: &[(&'static str, u8)],
) -> Result<(u32, u8), ImageError> {
    if let Some(first_highest) = image.as_u64() {
        return match u32::try_from(first_highest) {
            Ok(bits) if u64::from(bits) >> usual_len == 0 => {
                Ok((bits.reverse_bits() >> (32 - u32::from(usual_len)), usual_len))
            }
            _ => Err(ImageError::new(format!("{first_highest} does not fit {usual_len} bits"))),
        };
    }
    if let Some(set) = image.as_array() {
        let bit_of = |image: &Jer| names.iter().find(|(name, _)| image.as_str() == Some(name)).map(|(_, bit)| 1 << bit);
        return set.iter().enumerate().try_fold((0, usual_len), |(mask, len), (index, image)| match bit_of(image) {
            Some(bit) => Ok((mask | bit, len)),
            None => Err(ImageError::new(format!("{image} is not the name of a bit")).in_element(index)),
        });
    }
    let members = members(image)?;
    if let (Some(mask), Some(len)) = (members.get("mask"), members.get("length")) {
        let (mask, len) = (mask.as_u64().unwrap_or(u64::MAX), len.as_u64().unwrap_or(0));
        return match (u32::try_from(mask), len) {
            (Ok(bits), 1..=32) if mask >> len == 0 => Ok((bits, len as u8)),
            _ => Err(ImageError::new("the mask does not fit the length")),
        };
    }
    let is_set = |(name, _): &&(&str, u8)| members.get(&name.to_ascii_lowercase()).and_then(Jer::as_bool) == Some(true);
    Ok((names.iter().filter(is_set).fold(0, |mask, (_, bit)| mask | 1 << bit), usual_len))
}
