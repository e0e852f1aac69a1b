//! A reader that knows nothing but the schemas sees the values that an independent codec stated for the UPER bytes.

use crate::common::{schema_pool, unhex, vectors};
use masa_v2x_proto::Message;
use protox::prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value as Seen};
use serde_json::{Map, Value};

/// Release 2's names where the shared type has release 1's.
const RENAMED: [(&str, &str); 3] = [
    ("semiMajorAxisLength", "semiMajorConfidence"),
    ("semiMinorAxisLength", "semiMinorConfidence"),
    ("semiMajorAxisOrientation", "semiMajorOrientation"),
];

type Checked = Result<(), String>;

fn differs(path: &str, stated: &Value, seen: &dyn std::fmt::Debug) -> Checked {
    Err(format!("{path}: stated {stated}, seen {seen:?}"))
}

/// Bits as digits, the first one highest, as a mask in which bit `i` has the weight `1 << i`.
fn mask(digits: &str) -> u64 {
    let bytes = unhex(digits);
    let bit = |i: &usize| bytes[i / 8] >> (7 - i % 8) & 1 == 1;
    (0..bytes.len() * 8).filter(bit).fold(0, |mask, i| mask | 1 << i)
}

fn same(path: &str, stated: &Value, seen: &Seen, field: &FieldDescriptor) -> Checked {
    match (stated, seen) {
        (stated, Seen::Message(message)) => same_message(path, stated, message),
        (Value::Array(stated), Seen::List(seen)) if stated.len() == seen.len() => {
            let mut pairs = stated.iter().zip(seen).enumerate();
            pairs.try_for_each(|(index, (stated, seen))| same(&format!("{path}[{index}]"), stated, seen, field))
        }
        (Value::Number(stated), Seen::U32(seen)) if stated.as_u64() == Some((*seen).into()) => Ok(()),
        (Value::Number(stated), Seen::U64(seen)) if stated.as_u64() == Some(*seen) => Ok(()),
        (Value::Number(stated), Seen::I32(seen)) if stated.as_i64() == Some((*seen).into()) => Ok(()),
        (Value::Number(stated), Seen::EnumNumber(seen)) if stated.as_i64() == Some((*seen).into()) => Ok(()),
        (Value::String(stated), Seen::EnumNumber(seen)) if is_name_of(stated, *seen, field) => Ok(()),
        (Value::Bool(stated), Seen::Bool(seen)) if stated == seen => Ok(()),
        (Value::String(stated), Seen::String(seen)) if stated == seen => Ok(()),
        (Value::String(stated), Seen::Bytes(seen)) if unhex(stated) == *seen => Ok(()),
        // Ten bits of ISO 14816, the first one highest.
        (Value::String(stated), Seen::U32(seen)) if field.name() == "country_code" => {
            let bits = unhex(stated).iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) >> 6;
            if bits == *seen { Ok(()) } else { differs(path, &stated.as_str().into(), seen) }
        }
        (Value::String(stated), Seen::U32(seen)) if mask(stated) == u64::from(*seen) => Ok(()),
        _ => differs(path, stated, seen),
    }
}

fn is_name_of(stated: &str, number: i32, field: &FieldDescriptor) -> bool {
    let Kind::Enum(values) = field.kind() else { return false };
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    values.get_value(number).is_some_and(|value| letters(value.name()).ends_with(&letters(stated)))
}

fn same_message(path: &str, stated: &Value, message: &DynamicMessage) -> Checked {
    let descriptor = message.descriptor();
    match (descriptor.full_name(), stated) {
        ("masa.etsi.cdd.v1.CauseCode", Value::Object(members)) => {
            let (name, sub_cause) = members["ccAndScc"].as_object().and_then(|m| m.iter().next()).expect("a cause");
            match (name.strip_prefix("reserved"), message.get_field_by_name("other")) {
                (Some(cause), Some(other)) => {
                    let cause = Value::from(cause.parse::<u32>().expect("a number"));
                    same_members(
                        path,
                        &Map::from_iter([("cause".into(), cause), ("subCause".into(), sub_cause.clone())]),
                        other.as_message().expect("a message"),
                    )
                }
                _ => same_members(path, &Map::from_iter([(name.clone(), sub_cause.clone())]), message),
            }
        }
        ("masa.etsi.cdd.v1.DrivingLaneStatus", Value::Object(members)) => {
            let closed = mask(members["value"].as_str().expect("digits")).into();
            same_members(
                path,
                &Map::from_iter([("lanes".into(), members["length"].clone()), ("closed".into(), closed)]),
                message,
            )
        }
        (_, Value::Object(members)) if members.contains_key("value") && members.contains_key("length") => {
            let mask = mask(members["value"].as_str().expect("digits")).into();
            same_members(
                path,
                &Map::from_iter([("mask".into(), mask), ("length".into(), members["length"].clone())]),
                message,
            )
        }
        (_, Value::Object(members)) => same_members(path, members, message),
        (_, Value::String(digits)) => {
            same_members(path, &Map::from_iter([("mask".into(), mask(digits).into())]), message)
        }
        (_, Value::Array(elements)) => match descriptor.get_field_by_name("items") {
            Some(items) => same(path, stated, &message.get_field(&items), &items),
            None => same_containers(path, elements, message),
        },
        _ => differs(path, stated, message),
    }
}

/// Each stated member is a field with its value, and no other field is there.
fn same_members(path: &str, stated: &Map<String, Value>, message: &DynamicMessage) -> Checked {
    let descriptor = message.descriptor();
    // A repeated field without elements is not there.
    let empty = |value: &&Value| value.as_array().is_some_and(Vec::is_empty);
    let known = message.fields().filter(|(field, _)| field.name() != "unknown_extensions").count();
    let least = stated.len() - stated.values().filter(empty).count();
    if known < least || known > stated.len() {
        return differs(path, &stated.clone().into(), message);
    }
    stated.iter().try_for_each(|(name, stated)| {
        let by_name = |name: &str| descriptor.get_field_by_json_name(name);
        let renamed = || by_name(RENAMED.iter().find(|(new, _)| new == name)?.1);
        // The accelerations of a VAM have names of their own.
        let shared = || by_name(if name.ends_with("Value") { "value" } else { "confidence" });
        let field = by_name(name).or_else(renamed).or_else(shared).filter(|f| f.is_list() || message.has_field(f));
        let Some(field) = field else { return differs(&format!("{path}.{name}"), stated, message) };
        same(&format!("{path}.{name}"), stated, &message.get_field(&field), &field)
    })
}

/// The first container of an id is the field of that number; repeated ones are bytes.
fn same_containers(path: &str, stated: &[Value], message: &DynamicMessage) -> Checked {
    let mut seen = Vec::new();
    stated.iter().try_for_each(|container| {
        let id = container["containerId"].as_u64().expect("an id") as u32;
        match message.descriptor().get_field(id) {
            Some(field) if !seen.contains(&id) => {
                seen.push(id);
                same(&format!("{path}({id})"), &container["containerData"], &message.get_field(&field), &field)
            }
            _ => Ok(()),
        }
    })
}

fn check(kind: &str, member: &str) {
    let pool = schema_pool();
    let vectors = vectors(kind, kind);
    for (name, uper, stated) in &vectors {
        let message = Message::decode(uper).unwrap_or_else(|error| panic!("{name}: {error}"));
        let bytes = message.to_protobuf().unwrap_or_else(|error| panic!("{name}: {error}"));
        let descriptor = pool.get_message_by_name("masa.etsi.v1.V2xMessage").expect("the envelope");
        let envelope = DynamicMessage::decode(descriptor, bytes.as_slice()).expect("our own bytes");
        let inner = envelope.get_field_by_name(member).expect("the kind of message").into_owned();
        let Seen::Message(dynamic) = inner else { panic!("{name}: no message") };
        same_message("", stated, &dynamic).unwrap_or_else(|difference| panic!("{name}: {difference}"));
    }
    println!("{kind}: {} messages", vectors.len());
}

#[test]
fn cam() {
    check("r2_cam", "cam");
}

#[test]
fn denm() {
    check("r2_denm", "denm");
}

#[test]
fn cpm() {
    check("r2_cpm", "cpm");
}

#[test]
fn vam() {
    check("r2_vam", "vam");
}
