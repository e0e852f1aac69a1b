//! What every target checks.

use masa_v2x_proto::Message;
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::json::{Envelope, from_json, to_json};
use masa_v2x_proto::time::Timestamp;

/// Decodes `data` as a message of `message_id`: what decodes encodes to the same bytes, has a value under the standard's
/// names, and reads back from its JSON image.
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
    let mut known = message;
    match &mut known {
        Message::Cam(cam) => cam.unknown_extensions.clear(),
        Message::Denm(denm) => denm.unknown_extensions.clear(),
        Message::Cpm(cpm) => cpm.unknown_extensions.clear(),
        Message::Ivim(ivim) => ivim.unknown_extensions.clear(),
        Message::Poim(poim) => poim.unknown_extensions.clear(),
        Message::Vam(vam) => vam.unknown_extensions.clear(),
        Message::Spatem(spatem) => spatem.unknown_extensions.clear(),
        Message::Mapem(mapem) => mapem.unknown_extensions.clear(),
        Message::Srem(srem) => srem.unknown_extensions.clear(),
        Message::Ssem(ssem) => ssem.unknown_extensions.clear(),
        Message::Rtcmem(rtcmem) => rtcmem.unknown_extensions.clear(),
    }
    assert_eq!(back, known);
}
