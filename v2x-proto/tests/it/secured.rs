//! Envelopes of independent make are read and written back byte for byte.

use crate::common::{data, unhex};
use masa_v2x_proto::security::{Certificate, Envelope, Signer};
use serde_json::Value;

fn samples(test: &str) -> Option<Value> {
    Some(serde_json::from_str(&data("v2x/signed.json", test)?).expect("JSON"))
}

fn bytes(samples: &Value, name: &str) -> Vec<u8> {
    unhex(samples[name].as_str().expect("hexadecimal digits"))
}

#[test]
fn envelopes_are_written_back_byte_for_byte() {
    let Some(samples) = samples("envelopes_are_written_back_byte_for_byte") else { return };
    for (name, its_aid) in [("cam_cert", 36), ("cam_digest", 36), ("denm_cert", 37)] {
        let encoded = bytes(&samples, name);
        let envelope = Envelope::decode(&encoded).expect(name);
        assert_eq!(envelope.encode(), encoded, "{name}");
        let Envelope::Signed(signed) = envelope else { panic!("{name} is signed") };
        assert_eq!(signed.to_be_signed.header.its_aid, its_aid);
        assert!(signed.to_be_signed.payload.data.is_some_and(|payload| payload[..1] == [0x20]));
        match (name, &signed.signer) {
            ("cam_digest", Signer::Digest(digest)) => assert_eq!(digest.to_string(), samples["cert_hashedid8"]),
            (_, Signer::Certificate(certificate)) => assert_eq!(certificate.encode(), bytes(&samples, "cert")),
            (_, signer) => panic!("{name}: {signer:?}"),
        }
    }
}

#[test]
fn cut_and_changed_envelopes_are_errors_or_other_values() {
    let Some(samples) = samples("cut_and_changed_envelopes_are_errors_or_other_values") else { return };
    for name in ["cam_cert", "cam_digest", "denm_cert"] {
        let encoded = bytes(&samples, name);
        for end in 0..encoded.len() {
            let error = Envelope::decode(&encoded[..end]).expect_err("a cut envelope");
            assert!(error.offset <= end && error.path.starts_with("envelope"), "{name} {end}: {error}");
        }
        for at in 0..encoded.len() * 8 {
            let mut changed = encoded.clone();
            changed[at / 8] ^= 1 << (at % 8);
            if let Ok(envelope) = Envelope::decode(&changed) {
                assert_eq!(envelope.encode(), changed, "{name} bit {at}");
            }
        }
    }
    let certificate = bytes(&samples, "cert");
    assert_eq!(Certificate::decode(&certificate).expect("a certificate").encode(), certificate);
}
