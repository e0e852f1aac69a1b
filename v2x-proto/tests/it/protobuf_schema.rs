//! The committed `.proto` files: up to date, and no field ever changes its meaning.

use crate::common::proto_dir;
use masa_v2x_proto::protobuf::schemas;
use protox::prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};
use std::collections::BTreeMap;

/// What a number of a message or an enum stands for: its name and its type.
type Meanings = BTreeMap<(String, i32), String>;

fn meanings(text: &str) -> Meanings {
    let file = protox::file::File::from_source("schema.proto", text).expect("a schema").file_descriptor_proto().clone();
    let mut meanings = Meanings::new();
    let FileDescriptorProto { message_type, enum_type, .. } = &file;
    message_type.iter().for_each(|message| of_message(file.package(), message, &mut meanings));
    enum_type.iter().for_each(|values| of_enum(file.package(), values, &mut meanings));
    meanings
}

fn of_message(scope: &str, message: &DescriptorProto, meanings: &mut Meanings) {
    let scope = format!("{scope}.{}", message.name());
    for field in &message.field {
        let what = format!("{:?} {:?}{} {}", field.label(), field.r#type, field.type_name(), field.name());
        meanings.insert((scope.clone(), field.number()), what);
    }
    message.nested_type.iter().for_each(|inner| of_message(&scope, inner, meanings));
    message.enum_type.iter().for_each(|values| of_enum(&scope, values, meanings));
}

fn of_enum(scope: &str, values: &EnumDescriptorProto, meanings: &mut Meanings) {
    for value in &values.value {
        meanings.insert((format!("{scope}.{}", values.name()), value.number()), value.name().to_owned());
    }
}

/// Numbers of `committed` that `generated` gives another meaning or drops.
fn broken(committed: &Meanings, generated: &Meanings) -> Vec<String> {
    let changed = committed.iter().filter(|(place, meaning)| generated.get(*place) != Some(meaning));
    changed.map(|(place, meaning)| format!("{place:?}: {meaning}, now {:?}", generated.get(place))).collect()
}

/// Compares the committed schemas with those of the code; with `UPDATE_SCHEMAS=1` it writes them, unless a number would
/// change its meaning. Only `UPDATE_SCHEMAS=break` does that, for a package that nobody has used yet.
#[test]
fn committed_schemas_are_those_of_the_code() {
    let update = std::env::var("UPDATE_SCHEMAS").unwrap_or_default();
    for file in schemas() {
        let path = proto_dir().join(&file.path);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        if committed == file.text {
            continue;
        }
        if !committed.is_empty() && update != "break" {
            let broken = broken(&meanings(&committed), &meanings(&file.text));
            assert!(broken.is_empty(), "{}: numbers change their meaning: {broken:#?}", file.path);
        }
        assert!(!update.is_empty(), "{} is stale: run with UPDATE_SCHEMAS=1", file.path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder that can be made");
        std::fs::write(&path, &file.text).expect("a file that can be written");
    }
}

#[test]
fn a_number_with_another_meaning_is_found() {
    let schema = |fields: &str| meanings(&format!("syntax = \"proto3\"; package p; message M {{ {fields} }}"));
    let committed = schema("uint32 a = 1; uint32 b = 2;");
    assert_eq!(broken(&committed, &schema("uint32 a = 1; uint32 b = 2; uint32 c = 3;")), Vec::<String>::new());
    assert_eq!(broken(&committed, &schema("uint32 a = 1; uint32 c = 2; uint32 b = 3;")).len(), 1, "inserted");
    assert_eq!(broken(&committed, &schema("uint32 a = 1;")).len(), 1, "dropped");
    assert_eq!(broken(&committed, &schema("sint32 a = 1; uint32 b = 2;")).len(), 1, "retyped");
}
