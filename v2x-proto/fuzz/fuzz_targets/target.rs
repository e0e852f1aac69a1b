//! What every target checks.

use masa_v2x_proto::Message;
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::json::{Envelope, from_json, to_json};
use masa_v2x_proto::time::Timestamp;

/// Decodes `data` as a message of `message_id`: what decodes encodes to the same bytes, has a value under the standard's
/// names, and reads back from its JSON and its protobuf image.
pub fn check(message_id: u8, data: &[u8]) {
    let mut bytes = data.to_vec();
    match bytes.get_mut(1) {
        Some(id) => *id = message_id,
        None => return,
    }
    let Ok((message, dialect)) = Message::decode_detecting(&bytes) else { return };
    let mut again = vec![0; bytes.len()];
    assert_eq!(message.encode_as(dialect, &mut again), Ok(bytes.len()));
    assert_eq!(again, bytes);
    assert!(message.to_jer(Release::R1).is_object() && message.to_jer(Release::R2).is_object());
    let envelope = Envelope { source_uuid: "fuzz".into(), timestamp: Timestamp::from_unix_ms(0) };
    let (_, back) = from_json(&to_json(&message, &envelope)).expect("our own JSON");
    assert_eq!(back, message);
    let image = message.to_protobuf().expect("a decoded message has values of the standard");
    assert_eq!(Message::from_protobuf(&image).as_ref(), Ok(&message));
}
