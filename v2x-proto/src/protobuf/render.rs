//! `.proto` files of the schema.

use crate::protobuf::envelope;
use crate::protobuf::schema::{Body, EnumValue, Field, Form, Item, Name, Note, Presence, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A generated file: its path below the folder of the schemas, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFile {
    /// Path, such as `masa/etsi/cam/v1/cam.proto`.
    pub path: String,
    /// Text.
    pub text: String,
}

/// The protobuf schemas of all messages.
pub fn schemas() -> Vec<SchemaFile> {
    let schema = envelope::schema();
    let component = SchemaFile { path: COMPONENT_FILE.to_owned(), text: format!("{NOTICE}{COMPONENT}") };
    let files = schema.packages.iter().map(|(module, items)| file(module, items));
    std::iter::once(component).chain(files).collect()
}

const NOTICE: &str = "\
// Generated from the tables in v2x-proto/src: a test compares, and `just schemas` writes anew. Do not edit.
//
// Numbers are the codes of the ETSI standard; the option `component` says what they mean.

";

const COMPONENT_FILE: &str = "masa/etsi/v1/component.proto";

const COMPONENT: &str = r#"syntax = "proto3";

package masa.etsi.v1;

import "google/protobuf/descriptor.proto";

// What a field is in the standard. A value is `code * step` in `unit`, unless the code is one of the marks.
message Component {
  // A message without it is refused. All singular fields have presence, so that an absent one is never taken for zero.
  bool mandatory = 1;
  // The code that an absent field stands for (DEFAULT).
  optional sint64 default_code = 2;
  // Unit of the value.
  optional string unit = 3;
  // Units in one step of the code; 1 when absent.
  optional double step = 4;
  // Smallest code.
  optional sint64 min = 5;
  // Largest code, marks included.
  optional sint64 max = 6;
  // The code of "smaller than can be expressed".
  optional sint64 below = 7;
  // The code of "larger than can be expressed", or "out of range".
  optional sint64 above = 8;
  // The code of "unavailable".
  optional sint64 unavailable = 9;
  // The enum whose values are the numbers of the bits; bit i has the weight 1 << i.
  optional string bits = 10;
  // Fewest characters or bytes.
  optional uint64 min_length = 11;
  // Most characters or bytes.
  optional uint64 max_length = 12;
  // Fewest elements of a repeated field.
  optional uint64 min_count = 13;
  // Most elements of a repeated field.
  optional uint64 max_count = 14;
}

extend google.protobuf.FieldOptions {
  Component component = 50302;
}
"#;

/// Package and file of a module's types.
fn place(module: &str) -> (String, String) {
    match module {
        "extension" | "message" => ("masa.etsi.v1".to_owned(), format!("masa/etsi/v1/{module}.proto")),
        _ => (format!("masa.etsi.{module}.v1"), format!("masa/etsi/{module}/v1/{module}.proto")),
    }
}

/// The name of a type as it is written in a file of `module`.
fn reference(name: &Name, module: &str) -> String {
    let (package, _) = place(name.module);
    if package == place(module).0 { name.name.to_string() } else { format!("{package}.{}", name.name) }
}

fn file(module: &'static str, items: &[Item]) -> SchemaFile {
    let (package, path) = place(module);
    let mut file = FileText { module, imports: BTreeSet::new(), text: String::new() };
    let mut paths = BTreeMap::new();
    for item in items {
        let before = paths.insert(&item.name, item.path);
        assert!(before.is_none(), "{} is declared in {} and in {before:?}", item.name, item.path);
        file.item(item);
    }
    let mut text = format!("{NOTICE}syntax = \"proto3\";\n\npackage {package};\n");
    if !file.imports.is_empty() {
        text.push('\n');
    }
    for import in file.imports.iter().filter(|import| **import != path) {
        _ = writeln!(text, "import \"{import}\";");
    }
    SchemaFile { path, text: text + &file.text }
}

/// A file that grows.
struct FileText {
    module: &'static str,
    imports: BTreeSet<String>,
    text: String,
}

impl FileText {
    fn item(&mut self, item: &Item) {
        self.text.push('\n');
        self.comment(item.comment, "");
        match &item.body {
            Body::Enum(values) => self.enumeration(&item.name, values),
            Body::Message { form, fields } => self.message(&item.name, *form, fields),
            Body::Open => unreachable!("a message is closed when all of its fields are described"),
        }
    }

    fn comment(&mut self, docs: &str, indent: &str) {
        for line in plain(docs).lines() {
            _ = writeln!(self.text, "{indent}//{}{line}", if line.is_empty() { "" } else { " " });
        }
    }

    fn enumeration(&mut self, name: &str, values: &[EnumValue]) {
        let prefix = snake_case(name).to_ascii_uppercase();
        _ = writeln!(self.text, "enum {name} {{");
        let mut values: Vec<_> = values.iter().collect();
        values.sort_by_key(|value| value.number);
        if values.first().is_none_or(|first| first.number != 0) {
            _ = writeln!(self.text, "  // Not in the standard.\n  {prefix}_UNSPECIFIED = 0;");
        }
        // Compilers refuse names that differ in underscores only: the later one gets its number.
        let mut taken = BTreeSet::new();
        for value in values {
            self.comment(value.comment, "  ");
            let mut value_name = snake_case(value.name).to_ascii_uppercase();
            if !taken.insert(value_name.replace('_', "")) {
                value_name = format!("{value_name}_VALUE_{}", value.number);
            }
            _ = writeln!(self.text, "  {prefix}_{value_name} = {};", value.number);
        }
        self.text.push_str("}\n");
    }

    fn message(&mut self, name: &str, form: Form, fields: &[Field]) {
        let mut nested = String::new();
        let mut body = String::new();
        let indent = if form == Form::Choice { "    " } else { "  " };
        for field in fields {
            let start = self.text.len();
            self.comment(field.comment, indent);
            self.field(field, form, indent, &mut nested);
            body.push_str(&self.text[start..]);
            self.text.truncate(start);
        }
        _ = writeln!(self.text, "message {name} {{\n{nested}{}{body}{}}}", opening(form), closing(form));
        if fields.is_empty() {
            let empty = format!("message {name} {{\n}}\n");
            let start = self.text.len() - empty.len();
            self.text.replace_range(start.., &format!("message {name} {{}}\n"));
        }
    }

    fn field(&mut self, field: &Field, form: Form, indent: &str, nested: &mut String) {
        let name = snake_case(field.name);
        let mut options = Vec::new();
        if json_name(&name) != field.name {
            options.push(format!("json_name = \"{}\"", field.name));
        }
        let component = component(field);
        if !component.is_empty() {
            self.imports.insert(COMPONENT_FILE.to_owned());
            options.push(format!("(masa.etsi.v1.component) = {{{}}}", component.join(", ")));
        }
        let (label, ty) = match &field.ty {
            Type::List { element, .. } if field.wrapped => {
                let list = pascal_case(&name) + "List";
                self.wrapper(&list, element, nested);
                ("", list)
            }
            Type::List { element, .. } => ("repeated ", self.element(element, &name, nested)),
            Type::Message(_) => ("", self.element(&field.ty, &name, nested)),
            _ => ("optional ", self.element(&field.ty, &name, nested)),
        };
        let label = if form == Form::Choice && label == "optional " { "" } else { label };
        let start = format!("{indent}{label}{ty} {name} = {}", field.tag);
        let line = match options.as_slice() {
            [] => format!("{start};"),
            options => format!("{start} [{}];", options.join(", ")),
        };
        if line.len() <= 120 {
            _ = writeln!(self.text, "{line}");
        } else {
            let options = options.join(&format!(",\n{indent}  "));
            _ = writeln!(self.text, "{start} [\n{indent}  {options}\n{indent}];");
        }
    }

    /// The type of one element; a list inside a list is a message of its own.
    fn element(&mut self, ty: &Type, field: &str, nested: &mut String) -> String {
        match ty {
            Type::List { element, .. } => {
                let item = pascal_case(field) + "Item";
                self.wrapper(&item, element, nested);
                item
            }
            Type::Enum(name) | Type::Message(name) => {
                if name.module != self.module {
                    self.imports.insert(place(name.module).1);
                }
                reference(name, self.module)
            }
            scalar => scalar_name(scalar).to_owned(),
        }
    }

    /// A message nested in another one that holds a list.
    fn wrapper(&mut self, name: &str, element: &Type, nested: &mut String) {
        let mut inner = String::new();
        let element = self.element(element, name, &mut inner);
        for line in inner.lines() {
            _ = writeln!(nested, "{}{line}", if line.is_empty() { "" } else { "  " });
        }
        _ = writeln!(nested, "  // A list.\n  message {name} {{\n    repeated {element} items = 1;\n  }}\n");
    }
}

/// The members of the field's `component` option.
fn component(field: &Field) -> Vec<String> {
    let mut members = Vec::new();
    match field.presence {
        Presence::Mandatory => members.push("mandatory: true".to_owned()),
        Presence::Default(Some(code)) => members.push(format!("default_code: {code}")),
        Presence::Default(None) | Presence::Optional => {}
    }
    if let Some(unit) = unit(field.rust) {
        members.push(format!("unit: \"{unit}\""));
    }
    let mut of = |ty: &Type| match ty {
        Type::Number(note) => members.extend(number(note)),
        Type::String(note) | Type::Bytes(note) => {
            members.extend(limits("length", note.min as usize, note.max as usize))
        }
        _ => {}
    };
    match &field.ty {
        Type::List { element, min, max } => {
            of(element);
            members.extend(limits("count", *min, *max));
        }
        other => of(other),
    }
    members
}

fn number(note: &Note) -> Vec<String> {
    let mut members = Vec::new();
    if let Some(step) = note.step {
        members.push(format!("step: {step}"));
    }
    match &note.bits {
        Some(bits) => members.push(format!("bits: \"{}.{}\"", place(bits.module).0, bits.name)),
        None => members.push(format!("min: {}, max: {}", note.min, note.max)),
    }
    for (name, code) in [("below", note.below), ("above", note.above), ("unavailable", note.unavailable)] {
        members.extend(code.map(|code| format!("{name}: {code}")));
    }
    members
}

fn opening(form: Form) -> &'static str {
    if form == Form::Choice { "  oneof choice {\n" } else { "" }
}

fn closing(form: Form) -> &'static str {
    if form == Form::Choice { "  }\n" } else { "" }
}

fn limits(what: &str, min: usize, max: usize) -> Option<String> {
    (max != usize::MAX).then(|| format!("min_{what}: {min}, max_{what}: {max}"))
}

pub(crate) fn scalar_name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::String(_) => "string",
        Type::Bytes(_) => "bytes",
        Type::Number(note) if note.min < 0 && note.min >= i32::MIN.into() && note.max <= i32::MAX.into() => "sint32",
        Type::Number(note) if note.min < 0 => "sint64",
        Type::Number(note) if note.max <= u32::MAX.into() => "uint32",
        Type::Number(_) => "uint64",
        Type::Enum(_) | Type::Message(_) | Type::List { .. } => "",
    }
}

/// The unit at the end of a field's name in Rust.
pub(crate) fn unit(rust: &str) -> Option<&'static str> {
    const UNITS: [(&str, &str); 17] = [
        ("_per_m", "1/m"),
        ("_mps2", "m/s2"),
        ("_mps", "m/s"),
        ("_kmph", "km/h"),
        ("_degps", "deg/s"),
        ("_degc", "degC"),
        ("_deg", "deg"),
        ("_percent", "%"),
        ("_kg", "kg"),
        ("_ms", "ms"),
        ("_min", "min"),
        ("_s", "s"),
        ("_m2", "m2"),
        ("_km", "km"),
        ("_cm", "cm"),
        ("_m", "m"),
        ("_h", "h"),
    ];
    UNITS.iter().find(|(suffix, _)| rust.ends_with(suffix)).map(|(_, unit)| *unit)
}

/// A comment without what is of use in Rust only.
pub(crate) fn plain(docs: &str) -> String {
    let lines: Vec<_> = docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let mut text = lines.join("\n");
    for aside in ["; the inner `None` is \"unavailable\"", "; `None` is \"unavailable\""] {
        text = text.replace(aside, "");
    }
    // Links: `[`X`](path)` and `[`X`]`.
    while let Some(start) = text.find("[`") {
        let Some(end) = text[start..].find("`]").map(|end| start + end) else { break };
        let after = end + 2;
        let target = text[after..].starts_with('(').then(|| text[after..].find(')')).flatten();
        let close = target.map_or(after, |target| after + target + 1);
        text = format!("{}{}{}", &text[..start], &text[start + 1..=end], &text[close..]);
    }
    text
}

/// The words of a name in snake case; a run of capitals is one word.
pub(crate) fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 8);
    for (index, &character) in characters.iter().enumerate() {
        match character {
            '-' | ' ' | '_' => snake.push('_'),
            upper if upper.is_ascii_uppercase() => {
                let before = index.checked_sub(1).map_or('_', |before| characters[before]);
                let next_is_lower = characters.get(index + 1).is_some_and(char::is_ascii_lowercase);
                let starts_word = before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase() && next_is_lower;
                if starts_word {
                    snake.push('_');
                }
                snake.push(upper.to_ascii_lowercase());
            }
            other => snake.push(other),
        }
    }
    snake
}

/// The name that protobuf's JSON gives a field.
fn json_name(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalised(word))
}

fn pascal_case(snake: &str) -> String {
    capitalised(&json_name(snake))
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, snake) in [
            ("latitude", "latitude"),
            ("protectedCommunicationZonesRSU", "protected_communication_zones_rsu"),
            ("alt-000-01", "alt_000_01"),
            ("R09_16CodingType", "r09_16_coding_type"),
            ("ROW1_LEFT_OCCUPIED", "row1_left_occupied"),
            ("RSUContainer", "rsu_container"),
            ("urban-NoStructural", "urban_no_structural"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
        assert_eq!(json_name("generation_delta_time"), "generationDeltaTime");
    }

    #[test]
    fn comments_lose_what_is_of_use_in_rust_only() {
        let docs =
            " Metres (0.1 m); the inner `None` is \"unavailable\".\n See [`Speed`](crate::cdd::Speed) and [`Path`].\n";
        assert_eq!(plain(docs), "Metres (0.1 m).\nSee `Speed` and `Path`.");
    }
}
