#![no_main]

use masa_v2x_proto::json::from_json;

// Any JSON: an error or a message that encodes or names what cannot be encoded.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(json) = serde_json::from_slice(data)
        && let Ok((_, message)) = from_json(&json)
    {
        let _ = message.to_uper();
    }
});
