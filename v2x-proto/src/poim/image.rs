//! POIM in the form of its-client's schema (POI 2.0.0).
//!
//! The schema has one parking block a message, names an alternative by a string and has no place for its value, so beside
//! them stand:
//! - `further_blocks`: the blocks after the first one, or all when the first is of another type;
//! - for an alternative with a value, a member named after the alternative (`status` is `free_until`, and `free_until` is
//!   the time); for a list of alternatives, a list of values named after the list (`vehicle_types_values`);
//! - for an alternative of a later version, `unknown` and its content in `status_unknown` or `occupancy_rule_unknown`.

use crate::jer::Jer;
use crate::json::{Image, ImageError, Naming, members};
use crate::poim::{ParkingAvailabilityBlock, PoiBlock, PoiInformationBlocks};
use serde_json::{Map, json};

/// Members that are one alternative.
const ALTERNATIVES: [&str; 2] = ["status", "occupancy_rule"];
/// Members that are lists of alternatives.
const LISTS: [&str; 3] = ["allowed_vehicle_categories", "vehicle_types", "occupancy_types"];
/// The alternative of a later version, in the schema and in the tables.
const LATER: &str = "unknown";
/// The alternative that the standard calls unknown, in the tables.
const NOT_KNOWN: &str = "not_known";
/// Bits of a country code.
const COUNTRY_CODE_BITS: usize = 10;

/// The members of a message.
pub(crate) fn to_image(payload: &PoiInformationBlocks) -> Jer {
    let mut image = Map::new();
    let (first, further) = match payload.0.split_first() {
        Some((PoiBlock::ParkingAvailability(first), further)) => (Some(first), further),
        _ => (None, payload.0.as_slice()),
    };
    if let Some(block) = first {
        image.insert("parking_availability_block".into(), ParkingAvailabilityBlock::to_jer(block, Naming::Cam));
    }
    if !further.is_empty() {
        let further = further.iter().map(|block| PoiBlock::to_jer(block, Naming::Cam)).collect();
        image.insert("further_blocks".into(), further);
    }
    let mut image = Jer::Object(image);
    to_schema(&mut image);
    image
}

/// Takes [`to_image`] back.
pub(crate) fn from_image(image: &Jer) -> Result<PoiInformationBlocks, ImageError> {
    let mut image = image.clone();
    from_schema(&mut image);
    let members = members(&image)?;
    let first = members.get("parking_availability_block").into_iter();
    let further = members.get("further_blocks").and_then(Jer::as_array);
    let blocks = first.map(|block| json!({ "poi_type": 1, "poi_block": block }));
    let blocks = blocks.chain(further.into_iter().flatten().cloned()).collect();
    PoiInformationBlocks::from_image(&Jer::Array(blocks))
}

fn to_schema(image: &mut Jer) {
    match image {
        Jer::Array(elements) => elements.iter_mut().for_each(to_schema),
        Jer::Object(members) => {
            members.values_mut().for_each(to_schema);
            for name in ALTERNATIVES {
                if let Some((alternative, value)) = members.get(name).and_then(alternative) {
                    if value != true {
                        members.insert(sibling(name, &alternative), value);
                    }
                    members.insert(name.into(), schema_name(alternative).into());
                }
            }
            for name in LISTS {
                let Some(list) = members.get(name).and_then(Jer::as_array) else { continue };
                let (names, values): (Vec<_>, Vec<_>) = list.iter().filter_map(alternative).unzip();
                if values.iter().any(|value| value != true) {
                    let values = values.into_iter().map(|value| if value == true { Jer::Null } else { value });
                    members.insert(format!("{name}_values"), values.collect());
                }
                members.insert(name.into(), names.into_iter().map(schema_name).collect());
            }
            for (name, schema) in [("opening", "begin_of_period"), ("closing", "end_of_period")] {
                if let Some(time) = members.remove(name) {
                    let part = |part: &str| time[part].as_u64().unwrap_or_default();
                    members.insert(schema.into(), format!("{:02}:{:02}", part("hours"), part("mins")).into());
                }
            }
            if let Some(code) = members.get_mut("country_code")
                && let Some(number) = code.as_u64()
            {
                *code = format!("{number:0COUNTRY_CODE_BITS$b}").into();
            }
        }
        _ => {}
    }
}

fn from_schema(image: &mut Jer) {
    match image {
        Jer::Array(elements) => elements.iter_mut().for_each(from_schema),
        Jer::Object(members) => {
            for name in ALTERNATIVES {
                if let Some(alternative) = members.get(name).and_then(Jer::as_str).map(str::to_owned) {
                    let value = members.remove(&sibling(name, &alternative));
                    members.insert(name.into(), table_form(&alternative, value));
                }
            }
            for name in LISTS {
                let values = members.remove(&format!("{name}_values"));
                let Some(names) = members.get_mut(name).and_then(Jer::as_array_mut) else { continue };
                for (index, element) in names.iter_mut().enumerate() {
                    if let Some(alternative) = element.as_str() {
                        let value = values.as_ref().and_then(|values| values.get(index)).cloned();
                        *element = table_form(alternative, value);
                    }
                }
            }
            for (name, schema) in [("opening", "begin_of_period"), ("closing", "end_of_period")] {
                let time = members.get(schema).and_then(Jer::as_str).and_then(|time| time.split_once(':'));
                if let Some((Ok(hours), Ok(mins))) = time.map(|(h, m)| (h.parse::<u8>(), m.parse::<u8>())) {
                    members.insert(name.into(), json!({ "hours": hours, "mins": mins }));
                }
            }
            if let Some(code) = members.get_mut("country_code")
                && let Some(number) = code.as_str().and_then(|digits| u16::from_str_radix(digits, 2).ok())
            {
                *code = number.into();
            }
            members.values_mut().for_each(from_schema);
        }
        _ => {}
    }
}

/// Name and value of an alternative in the tables' form, an object of one member.
fn alternative(image: &Jer) -> Option<(String, Jer)> {
    let (name, value) = image.as_object()?.iter().next()?;
    Some((name.clone(), value.clone()))
}

/// The member that holds the value of `alternative` of `name`.
fn sibling(name: &str, alternative: &str) -> String {
    if alternative == LATER { format!("{name}_unknown") } else { alternative.to_owned() }
}

/// The schema's name of an alternative of the tables.
fn schema_name(alternative: String) -> String {
    if alternative == NOT_KNOWN { LATER.into() } else { alternative }
}

/// The tables' form of an alternative of the schema.
fn table_form(alternative: &str, value: Option<Jer>) -> Jer {
    let value = value.filter(|value| !value.is_null());
    let name = if alternative == LATER && value.is_none() { NOT_KNOWN } else { alternative };
    let mut form = Map::new();
    form.insert(name.to_owned(), value.unwrap_or(true.into()));
    form.into()
}
