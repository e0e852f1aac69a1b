//! The protobuf image: every vector goes UPER → message → protobuf → message → UPER unchanged, and a reader that knows
//! nothing but the schemas sees the same values.

use crate::common::{realistic, schema_pool, unhex, vectors};
use masa_v2x_proto::cdd::{Reading, Velocity3d};
use masa_v2x_proto::json::{Envelope, from_json, to_json};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::uper::UperErrorKind;
use masa_v2x_proto::{Message, cam::Cam, cpm::Cpm};
use proptest::prelude::*;
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

/// Files of vectors.
const KINDS: [&str; 18] = [
    "r1_cam",
    "r2_cam",
    "r1_denm",
    "r2_denm",
    "r2_cpm",
    "r2_vam",
    "r2_poim",
    "is13_IVIM",
    "is13_MAPEM",
    "is13_RTCMEM",
    "is13_SPATEM",
    "is13_SREM",
    "is13_SSEM",
    "is22_IVIM",
    "is22_MAPEM",
    "is22_SPATEM",
    "is22_SREM",
    "is22_SSEM",
];

#[test]
fn golden() {
    let pool = schema_pool();
    for kind in KINDS {
        let vectors = vectors(kind, "golden");
        let (mut uper, mut protobuf) = (0, 0);
        for (name, bytes, _) in &vectors {
            uper += bytes.len();
            protobuf += check(name, bytes, &pool).len();
        }
        println!("{kind}: {} messages, {uper} bytes of UPER, {protobuf} of protobuf", vectors.len());
        assert!(vectors.is_empty() || vectors.len() >= 90, "{} vectors only", vectors.len());
    }
    for (name, bytes, _) in realistic("golden") {
        let protobuf = check(&name, &bytes, &pool).len();
        println!("{name}: {} bytes of UPER, {protobuf} of protobuf", bytes.len());
    }
}

/// An RSU CAM, a DENM with a stationary vehicle and a CPM with two objects; values in `tests/it/messages.rs`.
const SAMPLES: [&str; 3] =
    [include_str!("../samples/cam.hex"), include_str!("../samples/denm.hex"), include_str!("../samples/cpm.hex")];

fn samples() -> Vec<Message> {
    SAMPLES.iter().map(|digits| Message::decode(&unhex(digits.trim())).expect("decodes")).collect()
}

/// Checks that both images of a message read back to it.
fn images_read_back(name: &str, message: &Message) {
    let envelope = Envelope { source_uuid: "x".into(), timestamp: Timestamp::from_unix_ms(0) };
    let image = message.to_protobuf().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(Message::from_protobuf(&image).as_ref(), Ok(message), "{name}");
    let (_, back) = from_json(&to_json(message, &envelope)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(&back, message, "{name}");
}

/// Flipped bits make unknown alternatives, extension values, unusual containers.
#[test]
fn what_flipped_bits_make_survives() {
    for kind in KINDS {
        for (name, bytes, _) in vectors(kind, "what_flipped_bits_make_survives").iter().step_by(16) {
            for bit in (0..bytes.len() * 8).step_by(19) {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 0x80 >> (bit % 8);
                if let Ok(message) = Message::decode(&flipped) {
                    images_read_back(&format!("{name}, bit {bit}"), &message);
                }
            }
        }
    }
}

/// A CAM's image with additions to one of its sequences, as if a later version had made it.
fn extended(ordinal: u8, owner: &str, announced: u8, additions: &[(u8, &[u8])]) -> Vec<u8> {
    let Message::Cam(cam) = samples().swap_remove(0) else { unreachable!("the first sample is a CAM") };
    let addition = |(index, content): &(u8, &[u8])| nested(4, &[number(1, *index), nested(2, content)].concat());
    let additions = additions.iter().flat_map(addition).collect();
    let extension = [number(1, ordinal), nested(2, owner.as_bytes()), number(3, announced), additions].concat();
    [cam.to_protobuf().expect("writes"), nested(15, &extension)].concat()
}

#[test]
fn additions_of_later_versions_survive() {
    // The second and fourth of five additions to the CAM's second extensible sequence.
    let bytes = extended(2, "BasicContainer", 5, &[(1, &[0xAB, 0xCD]), (3, &[7])]);
    let cam = Cam::from_protobuf(&bytes).expect("reads");
    assert_eq!(cam.to_protobuf().expect("writes"), bytes);
    let uper = cam.to_uper().expect("encodes");
    assert_eq!(Cam::decode(&uper).as_ref(), Ok(&cam));
    images_read_back("extended", &cam.into());
}

#[test]
fn additions_in_wrong_places_are_refused() {
    let read = |bytes: &[u8]| Cam::from_protobuf(bytes).expect_err("wrong").kind.to_string();
    assert_eq!(read(&extended(2, "NoSuchType", 1, &[(0, &[1])])), "no such type");
    assert_eq!(read(&extended(2, "BasicContainer", 1, &[(1, &[1])])), "1 is not in 2..=64", "announced");
    assert_eq!(read(&extended(2, "BasicContainer", 3, &[(2, &[1]), (1, &[1])])), "1 is not in 3..=63", "order");
    assert_eq!(read(&extended(2, "BasicContainer", 3, &[(2, &[])])), "0 elements, 1..=16383 allowed");
    // What only the packed encoding can tell: another sequence has that place, or the addition is a known one.
    for wrong in [extended(1, "BasicContainer", 1, &[(0, &[1])]), extended(1, "CamParameters", 1, &[(0, &[1])])] {
        let error = Cam::from_protobuf(&wrong).expect("reads").to_uper().expect_err("has no place");
        assert!(matches!(error.kind, UperErrorKind::UnknownExtensionMoved(_)), "{error}");
    }
}

/// Reads any bytes; what is read writes to an image that reads back to it, and encodes or names what cannot.
fn survive(bytes: &[u8]) -> bool {
    let Ok(message) = Message::from_protobuf(bytes) else { return false };
    let image = message.to_protobuf().expect("what was read can be written");
    assert_eq!(Message::from_protobuf(&image).as_ref(), Ok(&message));
    if let Ok(uper) = message.to_uper()
        && let Ok(back) = Message::decode(&uper)
    {
        assert_eq!(back.to_uper().expect("what decodes encodes"), uper);
    }
    true
}

#[test]
fn every_changed_byte_is_survived() {
    for message in samples() {
        let bytes = message.to_protobuf().expect("writes");
        for at in 0..bytes.len() {
            for value in (0..=255).step_by(5) {
                let mut changed = bytes.clone();
                changed[at] = value;
                survive(&changed);
            }
            assert!(Message::from_protobuf(&bytes[..at]).is_err(), "{at} of {} bytes", bytes.len());
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survive(&bytes);
    }

    /// Cut, doubled and changed pieces of real messages.
    #[test]
    fn random_changes_are_survived(
        sample in 0usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        piece in any::<(prop::sample::Index, prop::sample::Index)>(),
        to in any::<prop::sample::Index>(),
    ) {
        let mut bytes = samples().swap_remove(sample).to_protobuf().expect("writes");
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let (from, until) = (piece.0.index(bytes.len()), piece.1.index(bytes.len()));
        let piece = bytes[from.min(until)..from.max(until)].to_vec();
        let to = to.index(bytes.len());
        bytes.splice(to..to, piece);
        survive(&bytes);
    }

    /// A CPM of any numbers that its types can hold: what encodes has an image that gives the same bytes.
    #[test]
    fn values_round_as_in_the_packed_encoding(
        x_m in -400.0f32..400.0, speed in -10.0f32..200.0, confidence in 0.0f32..50.0, age in any::<i16>(), id in any::<u16>(),
    ) {
        let Message::Cpm(mut cpm) = samples().swap_remove(2) else { unreachable!("the third sample is a CPM") };
        let container = cpm.payload.cpm_containers.perceived_object.as_mut().expect("it has objects");
        let object = &mut container.perceived_objects[0];
        object.object_id = Some(id);
        object.object_age_ms = Some(age);
        object.position.x.value_m = Reading::Value(x_m);
        object.position.x.confidence_m = Reading::of(confidence);
        if let Some(Velocity3d::Cartesian(velocity)) = &mut object.velocity {
            velocity.x_velocity.value_mps = Reading::of(speed);
        }
        let image = cpm.to_protobuf();
        match cpm.to_uper() {
            Ok(uper) => {
                let back = Cpm::from_protobuf(&image.expect("what encodes has an image")).expect("our own image");
                prop_assert_eq!(back.to_uper().expect("encodes"), uper);
            }
            Err(error) => prop_assert_eq!(image.expect_err("not expressible").to_string().contains("is not in"), error.to_string().contains("is not in")),
        }
    }
}

/// A field: key, then its content, or its number when it is one.
fn nested(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag << 3 | 2, u8::try_from(content.len()).expect("short")][..], content].concat()
}

fn number(tag: u8, value: u8) -> Vec<u8> {
    vec![tag << 3, value]
}

fn header(message_id: u8) -> Vec<u8> {
    nested(1, &[number(1, 2), number(2, message_id), number(3, 42)].concat())
}

#[test]
fn errors_name_the_component_and_the_byte() {
    let cpm = |bytes: &[u8]| Cpm::from_protobuf(bytes).expect_err("wrong").to_string();
    assert_eq!(cpm(&[]), "CPM.header at byte 0: missing");
    assert_eq!(cpm(&header(14)), "CPM.payload at byte 8: missing");
    assert_eq!(cpm(&header(2)), "CPM.header.messageId at byte 8: message id 2 instead of 14");
    assert_eq!(cpm(&header(14)[..6]), "CPM.header at byte 2: not protobuf: a length that goes past the end");
    assert_eq!(cpm(&[header(14), header(14)].concat()), "CPM.header at byte 16: given twice");
    assert_eq!(cpm(&number(1, 7)), "CPM.header at byte 1: wire type 0 instead of 2");
    assert_eq!(cpm(&[0xFF; 11]), "CPM at byte 0: not protobuf: a field's key is expected");
    assert_eq!(
        cpm(&nested(1, &number(1, 0x80))),
        "CPM.header.protocolVersion at byte 3: not protobuf: a number is expected"
    );
    let management = nested(1, &number(3, 1));
    assert_eq!(
        cpm(&[header(14), nested(2, &management)].concat()),
        "CPM.payload.managementContainer.segmentationInfo at byte 13: wire type 0 instead of 2"
    );
    let too_many = nested(1, &nested(3, &[number(1, 9), number(2, 1)].concat()));
    assert_eq!(
        cpm(&[header(14), nested(2, &too_many)].concat()),
        "CPM.payload.managementContainer.segmentationInfo.totalMsgNo at byte 16: 9 is not in 1..=8"
    );
    let any = |bytes: &[u8]| Message::from_protobuf(bytes).expect_err("wrong").to_string();
    assert_eq!(any(&[]), "V2xMessage at byte 0: none of the alternatives is there");
    assert_eq!(any(&nested(14, &[])), "V2xMessage.cpm.header at byte 2: missing");
}

#[test]
fn fields_of_a_later_schema_are_skipped() {
    for message in samples() {
        let mut bytes = message.to_protobuf().expect("writes");
        // Field 1000 as number, fixed 64 bits, bytes, group with a field inside, fixed 32 bits.
        for (wire, content) in
            [(0, &[5][..]), (1, &[0; 8]), (2, &[3, 1, 2, 3]), (3, &[0x08, 0x01, 0xC4, 0x3E]), (5, &[0; 4])]
        {
            bytes.extend([0xC0 | wire, 0x3E]);
            bytes.extend(content);
        }
        assert_eq!(Message::from_protobuf(&bytes).as_ref(), Ok(&message));
    }
}
