//! `docs/messages.md` and a page for each kind of message: made from the catalogue, the schemas and messages built in
//! code, so that they cannot drift. `UPDATE_DOCS=1` writes them anew.

mod examples;

use examples::example;
use masa_v2x_proto::catalogue::{CATALOGUE, Entry};
use masa_v2x_proto::json::{Envelope, from_json, to_json};
use masa_v2x_proto::{Message, protobuf};
use protox::prost_reflect::text_format::FormatOptions;
use protox::prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use std::fmt::Write;
use std::path::PathBuf;

const NOTICE: &str =
    "<!-- Generated from the code: `just docs` writes it anew, and a test compares. Do not edit. -->\n\n";

/// Digits in lines of 48 bytes.
fn hex(bytes: &[u8]) -> String {
    let line = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.chunks(48).map(line).collect::<Vec<_>>().join("\n")
}

fn overview() -> String {
    let mut page = format!("{NOTICE}# Messages\n\n");
    page.push_str(
        "Every message has three encodings of the same content, each of which can be turned into each other one without \
         loss: UPER (the bytes of the standard), protobuf (schemas in `v2x-proto/proto`, entry point \
         `masa/etsi/v1/message.proto`) and JSON (its-client's schemas where there is one).\n\n\
         | Message | Sent by | Id | Version | BTP port | ITS-AID | Standard |\n|---|---|---|---|---|---|---|\n",
    );
    for entry in CATALOGUE {
        let number = |number: Option<u32>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
        _ = writeln!(
            page,
            "| [{}](messages/{}.md) {} | {} | {} | {} | {} | {} | {} |",
            entry.abbreviation,
            entry.kind.name(),
            entry.title.to_lowercase(),
            entry.sender,
            entry.kind.message_id().code(),
            entry.protocol_version,
            number(entry.btp_port().map(u32::from)),
            number(entry.its_aid()),
            entry.standard,
        );
    }
    page.push_str(
        "\n## Where they are\n\n\
         | Encoding | Zenoh key | MQTT topic |\n|---|---|---|\n\
         | UPER | `masa/<site>/<station>/v2x/<kind>/<quadkey>` | the same |\n\
         | JSON | – | `<instance>/<queue>/v2x/<kind>/<source_uuid>/<q>/<u>/<a>/<d>/…` |\n\n\
         `<kind>` is the message's abbreviation in lower case, `<quadkey>` the tile of its place. Protobuf is for \
         programs and recordings; no topic carries it.\n\n\
         ## How to read the tables\n\n\
         Numbers are the standard's codes in protobuf and JSON. A value is code times step in the unit, unless the code \
         is one of the marks: *below* and *above* what can be expressed, *unavailable*. The same facts are in the option \
         `component` of each protobuf field, for programs. A missing mandatory field is an error in every encoding.\n",
    );
    page
}

fn page(entry: &Entry, pool: &DescriptorPool) -> String {
    let message = example(entry.kind);
    let kind = entry.kind.name();
    let mut page = format!("{NOTICE}# {}: {}\n\n", entry.abbreviation, entry.title.to_lowercase());
    _ = writeln!(page, "Sent by {}. {}.\n", entry.sender, entry.when);
    _ = writeln!(page, "| | |\n|---|---|\n| Standard | {} |", entry.standard);
    _ = writeln!(
        page,
        "| Message id, protocol version | {}, {} |",
        message.message_id().code(),
        entry.protocol_version
    );
    if let (Some(port), Some(aid)) = (entry.btp_port(), entry.its_aid()) {
        _ = writeln!(page, "| BTP port, ITS-AID | {port}, {aid} |");
    }
    _ = writeln!(page, "| UPER over Zenoh | `masa/<site>/<station>/v2x/{kind}/<quadkey>` |");
    _ = writeln!(page, "| UPER over MQTT | `masa/<site>/<station>/v2x/{kind}/<q>/<u>/<a>/<d>/…` |");
    _ = writeln!(page, "| JSON over MQTT | `<instance>/<queue>/v2x/{kind}/<source_uuid>/<q>/<u>/<a>/<d>/…` |");

    let uper = message.to_uper().expect("an example encodes");
    let image = message.to_protobuf().expect("an example encodes");
    let envelope = Envelope { source_uuid: "masa_4711".into(), timestamp: examples::AT };
    let json = to_json(&message, &envelope);
    assert_eq!(Message::decode(&uper).and_then(|back| back.to_uper()).as_deref(), Ok(&uper[..]), "{kind}");
    let back = Message::from_protobuf(&image).expect("our own image");
    assert_eq!(back.to_uper().as_deref(), Ok(&uper[..]), "{kind}");
    let (_, back) = from_json(&json).expect("our own JSON");
    assert_eq!(back.to_uper().as_deref(), Ok(&uper[..]), "{kind}");

    let descriptor = pool.get_message_by_name("masa.etsi.v1.V2xMessage").expect("the envelope");
    let dynamic = DynamicMessage::decode(descriptor, image.as_slice()).expect("our own image");
    let text = dynamic.to_text_format_with_options(&FormatOptions::new().pretty(true));
    _ = writeln!(page, "\n## Example\n\n### UPER, {} bytes\n\n```\n{}\n```", uper.len(), hex(&uper));
    _ = writeln!(page, "\n### Protobuf, {} bytes\n\n```\n{}\n```", image.len(), hex(&image));
    _ = writeln!(page, "\n```textproto\n{}\n```", text.trim_end());
    let json = serde_json::to_string_pretty(&json).expect("a JSON value");
    _ = writeln!(page, "\n### JSON\n\n```json\n{json}\n```");

    _ = writeln!(page, "\n## Fields\n\nThose of the packages the message shares with others are in their schemas.");
    let package = format!("masa.etsi.{kind}.v1");
    let own = pool.all_messages().filter(|message| message.package_name() == package && message.fields().len() > 0);
    for message in own {
        fields(&message, &package, &mut page);
    }
    page
}

fn fields(message: &MessageDescriptor, package: &str, page: &mut String) {
    let name = message.full_name().strip_prefix(package).unwrap_or_default().trim_start_matches('.');
    _ = writeln!(page, "\n### `{name}`\n\n| No | Field | Type | Needed | Codes | Meaning |\n|---|---|---|---|---|---|");
    for field in message.fields() {
        let component = component(&field);
        let needed = if component.as_ref().is_some_and(|c| c.is("mandatory")) { "yes" } else { "" };
        let codes = component.map_or_else(String::new, |component| component.codes());
        let comment = comment(&field).replace('|', "\\|");
        let many = if field.is_list() { "list of " } else { "" };
        let ty = type_name(&field, package);
        _ = writeln!(page, "| {} | `{}` | {many}{ty} | {needed} | {codes} | {comment} |", field.number(), field.name());
    }
}

fn type_name(field: &FieldDescriptor, package: &str) -> String {
    let short = |name: &str| match name.strip_prefix(package) {
        Some(own) => format!("`{}`", own.trim_start_matches('.')),
        None => format!("`{}`", name.trim_start_matches("masa.etsi.")),
    };
    match field.kind() {
        Kind::Message(message) => short(message.full_name()),
        Kind::Enum(values) => short(values.full_name()),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

/// The option `component` of a field.
struct Component(DynamicMessage);

fn component(field: &FieldDescriptor) -> Option<Component> {
    let extension = field.parent_pool().get_extension_by_name("masa.etsi.v1.component").expect("the option");
    let options = field.options();
    options.has_extension(&extension).then_some(())?;
    options.get_extension(&extension).as_message().cloned().map(Component)
}

impl Component {
    fn value(&self, name: &str) -> Option<String> {
        if !self.0.has_field_by_name(name) {
            return None;
        }
        Some(match self.0.get_field_by_name(name)?.as_ref() {
            Value::String(text) => text.clone(),
            Value::F64(number) => number.to_string(),
            Value::I64(number) => number.to_string(),
            Value::U64(number) => number.to_string(),
            other => format!("{other:?}"),
        })
    }

    fn is(&self, name: &str) -> bool {
        self.0.get_field_by_name(name).and_then(|value| value.as_bool()) == Some(true)
    }

    fn codes(&self) -> String {
        let mut parts = Vec::new();
        if let (Some(min), Some(max)) = (self.value("min"), self.value("max")) {
            parts.push(format!("{min}..={max}"));
        }
        match (self.value("step"), self.value("unit")) {
            (Some(step), Some(unit)) => parts.push(format!("{step} {unit}")),
            (Some(step), None) => parts.push(format!("step {step}")),
            (None, Some(unit)) => parts.push(unit),
            (None, None) => {}
        }
        for mark in ["below", "above", "unavailable"] {
            parts.extend(self.value(mark).map(|code| format!("{code} {mark}")));
        }
        parts.extend(self.value("default_code").map(|code| format!("absent is {code}")));
        for (what, of) in [("length", "long"), ("count", "elements")] {
            if let (Some(min), Some(max)) = (self.value(&format!("min_{what}")), self.value(&format!("max_{what}"))) {
                parts.push(format!("{min} to {max} {of}"));
            }
        }
        parts.extend(self.value("bits").map(|bits| format!("bits `{}`", bits.trim_start_matches("masa.etsi."))));
        parts.join(", ")
    }
}

/// The comment in front of a field in its schema.
fn comment(field: &FieldDescriptor) -> String {
    let file = field.parent_message().parent_file();
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let location = info.and_then(|info| info.location.iter().find(|location| location.path == field.path()));
    location.and_then(|location| location.leading_comments.as_deref()).unwrap_or_default().trim().replace('\n', " ")
}

/// The descriptors with their comments.
fn pool() -> DescriptorPool {
    let mut compiler = protox::Compiler::new([crate::common::proto_dir()]).expect("the folder of the schemas");
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(protobuf::schemas().iter().map(|file| &file.path)).expect("valid schemas");
    compiler.descriptor_pool()
}

#[test]
fn the_pages_are_those_of_the_code() {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let pool = pool();
    let page_of = |entry: &Entry| (format!("messages/{}.md", entry.kind.name()), page(entry, &pool));
    let pages = CATALOGUE.iter().map(page_of).chain([("messages.md".to_owned(), overview())]);
    for (name, page) in pages {
        let path = docs.join(&name);
        if std::fs::read_to_string(&path).is_ok_and(|committed| committed == page) {
            continue;
        }
        assert!(std::env::var_os("UPDATE_DOCS").is_some(), "docs/{name} is stale: run with UPDATE_DOCS=1");
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder that can be made");
        std::fs::write(&path, page).expect("a file that can be written");
    }
}
