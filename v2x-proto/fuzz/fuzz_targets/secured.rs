#![no_main]

use masa_v2x_proto::security::{Certificate, Envelope};

// Any bytes as an envelope and as a certificate: what decodes encodes to the same bytes.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(envelope) = Envelope::decode(data) {
        assert_eq!(envelope.encode(), data);
    }
    if let Ok(certificate) = Certificate::decode(data) {
        assert_eq!(certificate.encode(), data);
    }
});
