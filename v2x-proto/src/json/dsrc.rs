//! Images of the messages that build on ISO/TS 19091, and the few forms that differ from the message's own structure.

use crate::jer::Jer;
use crate::json::{Image, ImageError, Naming};
use serde_json::{Map, json};

/// The image of a message's content.
pub(super) fn image_of<C: Image>(content: &C::Value, names: Naming) -> Jer {
    let mut image = C::to_jer(content, names);
    each_object(&mut image, &simplify);
    image
}

/// The content of an image.
pub(super) fn content_of<C: Image>(image: &Jer) -> Result<C::Value, ImageError> {
    let mut structure = image.clone();
    each_object(&mut structure, &take_apart);
    C::from_image(&structure)
}

/// Changes every object, the outermost first.
fn each_object(image: &mut Jer, change: &impl Fn(&mut Map<String, Jer>)) {
    match image {
        Jer::Object(members) => {
            change(members);
            members.values_mut().for_each(|member| each_object(member, change));
        }
        Jer::Array(elements) => elements.iter_mut().for_each(|element| each_object(element, change)),
        _ => {}
    }
}

const AXES: [&str; 2] = ["offset_x_axis", "offset_y_axis"];
const REQUESTORS: [&str; 2] = ["requestor", "requester"];
/// Bits of each of the forms `node_xy1` to `node_xy6`.
const FORM_BITS: [u32; 6] = [10, 11, 12, 13, 14, 16];
/// Largest offset of the small form.
const SMALL_OFFSET: u64 = 2047;

/// A node has one form, with the number of the form where that is not the shortest; an offset is a number, a user a name,
/// a station its number.
fn simplify(members: &mut Map<String, Jer>) {
    for form in 1..=FORM_BITS.len() {
        if let Some(mut node) = members.remove(&format!("node_xy{form}")) {
            if shortest_form(&node) != form {
                node["form"] = form.into();
            }
            members.insert("node_xy".into(), node);
        }
    }
    for axis in AXES {
        let Some(offset) = members.get_mut(axis) else { continue };
        let large = offset["large"].as_i64().filter(|steps| steps.unsigned_abs() > SMALL_OFFSET);
        if let Some(steps) = offset["small"].as_i64().or(large) {
            *offset = steps.into();
        }
    }
    for user in members.get_mut("users").and_then(Jer::as_array_mut).into_iter().flatten() {
        lift(user, "basic_type");
    }
    for requestor in REQUESTORS {
        if let Some(id) = members.get_mut(requestor).and_then(|requestor| requestor.get_mut("id")) {
            lift(id, "station_id");
        }
    }
}

/// Puts the member `name` in the place of the object that has it.
fn lift(image: &mut Jer, name: &str) {
    if let Some(member) = image.get_mut(name).map(Jer::take) {
        *image = member;
    }
}

/// Takes [`simplify`]'s changes back.
fn take_apart(members: &mut Map<String, Jer>) {
    if let Some(node) = members.get("node_xy").filter(|node| node.get("x").is_some()) {
        let form = node.get("form").and_then(Jer::as_u64).map_or_else(|| shortest_form(node), |form| form as usize);
        let node = members.remove("node_xy").unwrap_or_default();
        members.insert(format!("node_xy{form}"), node);
    }
    for axis in AXES {
        let Some(offset) = members.get_mut(axis) else { continue };
        if let Some(steps) = offset.as_i64() {
            let form = if steps.unsigned_abs() > SMALL_OFFSET { "large" } else { "small" };
            *offset = json!({ form: steps });
        }
    }
    for user in members.get_mut("users").and_then(Jer::as_array_mut).into_iter().flatten() {
        if !user.is_object() {
            *user = json!({ "basic_type": user.take() });
        }
    }
    for requestor in REQUESTORS {
        let id = members.get_mut(requestor).and_then(|requestor| requestor.get_mut("id"));
        if let Some(id) = id.filter(|id| id.is_number()) {
            *id = json!({ "station_id": id.take() });
        }
    }
}

/// The first form that holds a node.
fn shortest_form(node: &Jer) -> usize {
    let holds = |bits: &u32| {
        let half = 1_i64 << (bits - 1);
        ["x", "y"].iter().all(|axis| node[*axis].as_i64().is_some_and(|steps| (-half..half).contains(&steps)))
    };
    FORM_BITS.iter().position(holds).map_or(FORM_BITS.len(), |index| index + 1)
}
