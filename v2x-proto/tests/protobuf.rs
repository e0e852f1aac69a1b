//! The protobuf image: every vector goes UPER → message → protobuf → message → UPER unchanged, and a reader that knows
//! nothing but the schemas sees the same values.

mod common;

use common::{realistic, schema_pool, vectors};
use masa_v2x_proto::Message;
use protox::prost_reflect::prost::Message as _;
use protox::prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage};

/// Checks one message and gives its protobuf bytes.
fn check(name: &str, uper: &[u8], pool: &DescriptorPool) -> Vec<u8> {
    let (message, dialect) = Message::decode_detecting(uper).unwrap_or_else(|error| panic!("{name}: {error}"));
    let bytes = message.to_protobuf().unwrap_or_else(|error| panic!("{name}: {error}"));
    let back = Message::from_protobuf(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(back, message, "{name}");
    let mut again = vec![0; uper.len()];
    assert_eq!(back.encode_as(dialect, &mut again), Ok(uper.len()), "{name}");
    assert_eq!(again, uper, "{name}");
    // A reader with the schema only: it knows every field, and writes the same.
    let envelope = pool.get_message_by_name("masa.etsi.v1.V2xMessage").expect("the envelope");
    let dynamic = DynamicMessage::decode(envelope, bytes.as_slice()).unwrap_or_else(|error| panic!("{name}: {error}"));
    no_unknown_fields(name, &dynamic);
    assert_eq!(dynamic.encode_to_vec(), bytes, "{name}");
    bytes
}

fn no_unknown_fields(name: &str, message: &DynamicMessage) {
    use protox::prost_reflect::Value;
    let descriptor = message.descriptor();
    assert_eq!(message.unknown_fields().count(), 0, "{name}: {}", descriptor.full_name());
    for (_, value) in message.fields() {
        match value {
            Value::Message(inner) => no_unknown_fields(name, inner),
            Value::List(values) => {
                values.iter().filter_map(Value::as_message).for_each(|inner| no_unknown_fields(name, inner));
            }
            _ => {}
        }
    }
}

#[test]
fn golden() {
    let pool = schema_pool();
    for (kind, least) in
        [("r1_cam", 300), ("r2_cam", 300), ("r1_denm", 300), ("r2_denm", 290), ("r2_cpm", 280), ("r2_vam", 300)]
    {
        let vectors = vectors(kind, "golden");
        let (mut uper, mut protobuf) = (0, 0);
        for (name, bytes, _) in &vectors {
            uper += bytes.len();
            protobuf += check(name, bytes, &pool).len();
        }
        println!("{kind}: {} messages, {uper} bytes of UPER, {protobuf} of protobuf", vectors.len());
        assert!(vectors.is_empty() || vectors.len() >= least, "{} vectors only", vectors.len());
    }
    for (name, bytes, _) in realistic("golden") {
        let protobuf = check(&name, &bytes, &pool).len();
        println!("{name}: {} bytes of UPER, {protobuf} of protobuf", bytes.len());
    }
}
