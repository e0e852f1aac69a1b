#![no_main]

use masa_v2x_proto::geonet::{Body, Btp, Frame, PlainPacket};

fn check_plain(plain: &PlainPacket<'_>) {
    let mut again = vec![0; plain.bytes()];
    assert_eq!(plain.encode(&mut again), Ok(plain.bytes()));
    if let Ok(Some((btp, message))) = Btp::split(plain.common.upper, plain.payload) {
        assert_eq!([&btp.octets(), message].concat(), plain.payload);
    }
    let source = plain.extended.source();
    assert!(source.speed_mps().abs() < 164.0 && source.position().lat_deg.is_finite());
}

// Ethernet, GeoNetworking, BTP: what decodes encodes to the same bytes; an error lies inside the input.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match Frame::decode(data) {
        Ok(frame) => {
            let mut again = vec![0; data.len()];
            assert_eq!(frame.encode(&mut again), Ok(data.len()));
            assert_eq!(again, data);
            match &frame.packet.body {
                Body::Plain(plain) => check_plain(plain),
                // An envelope's content is a plain packet that fills it: try these bytes as one.
                Body::Secured(envelope) => {
                    if let Ok(plain) = PlainPacket::decode(envelope) {
                        let mut again = vec![0; envelope.len()];
                        assert_eq!(plain.encode(&mut again), Ok(envelope.len()));
                        assert_eq!(again, *envelope);
                        check_plain(&plain);
                    }
                }
            }
        }
        Err(error) => assert!(error.bit <= data.len() * 8),
    }
});
