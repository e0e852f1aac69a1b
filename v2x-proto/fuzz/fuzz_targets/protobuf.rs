#![no_main]

use masa_v2x_proto::Message;

// Any protobuf: an error, or a message whose image reads back to it and which encodes as UPER or names what cannot.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(message) = Message::from_protobuf(data) else { return };
    let image = message.to_protobuf().expect("what was read can be written");
    assert_eq!(Message::from_protobuf(&image).as_ref(), Ok(&message));
    let Ok(uper) = message.to_uper() else { return };
    if let Ok(back) = Message::decode(&uper) {
        assert_eq!(back.to_uper().expect("what decodes encodes"), uper);
    }
});
