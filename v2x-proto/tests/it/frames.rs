//! Frames of an independent make decode to the stated values and re-encode to the same bytes; so does any packet.

use crate::common::{data, data_path, unhex};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{
    AreaField, BasicHeader, Body, Btp, CommonHeader, ExtendedHeader, Frame, FrameError, FrameErrorKind, GeoArea,
    GnAddress, Lifetime, LongPositionVector, MacAddress, Packet, PlainPacket, PositionAccuracy, SequenceField, Shape,
    TrafficClass, UpperProtocol, kind_of,
};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, MessageKind};
use proptest::prelude::*;

const MAC: MacAddress = MacAddress([0x02, 0x00, 0x4C, 0x55, 0x49, 0x47]);

fn frames(file: &str, test: &str) -> Vec<(String, Vec<u8>)> {
    let Some(text) = data(file, test) else { return Vec::new() };
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let frame = |(name, digits): (String, serde_json::Value)| (name, unhex(digits.as_str().expect("digits")));
    all.into_iter().map(frame).collect()
}

fn recoded(bytes: &[u8]) -> Vec<u8> {
    let frame = Frame::decode(bytes).expect("a frame");
    assert_eq!(frame.bytes(), bytes.len());
    let mut again = vec![0xFF; bytes.len()];
    assert!(frame.encode(&mut again[1..]).is_err(), "fitted into a buffer that is too small");
    assert_eq!(frame.encode(&mut again), Ok(bytes.len()));
    again
}

#[test]
fn frames_of_an_independent_make() {
    let frames = frames("v2x/frames.json", "frames_of_an_independent_make");
    assert!(frames.is_empty() || frames.len() == 19);
    for (name, bytes) in &frames {
        assert_eq!(&recoded(bytes), bytes, "{name}");
        let frame = Frame::decode(bytes).expect("a frame");
        assert_eq!((frame.ethernet.destination, frame.ethernet.source), (MacAddress::BROADCAST, MAC));
        let Body::Plain(plain) = frame.packet.body else { panic!("{name} is not secured") };
        let source = plain.extended.source();
        assert_eq!(source.address, GnAddress::new(15, MAC).manually_configured());
        let position = source.position();
        assert!((position.lat_deg - 44.647_25).abs() < 1e-9 && (position.lon_deg - 10.925_56).abs() < 1e-9);
        assert_eq!((source.accuracy(), source.speed_mps()), (PositionAccuracy::Accurate, 0.0));
        let btp = Btp::split(plain.common.upper, plain.payload).expect("a BTP header");
        match plain.extended {
            ExtendedHeader::Beacon { .. } => assert!(name == "beacon" && btp.is_none()),
            ExtendedHeader::SingleHop { media_dependent, .. } => {
                assert_eq!((frame.packet.basic.remaining_hops, media_dependent), (1, [0; 4]), "{name}");
                assert_eq!(frame.packet.basic.lifetime.seconds(), 1.0);
            }
            ExtendedHeader::GeoBroadcast { area, sequence, .. } => {
                assert_eq!(sequence.number, 1, "{name}");
                assert_eq!((frame.packet.basic.remaining_hops, plain.common.max_hops), (10, 10));
                assert_eq!(frame.packet.basic.lifetime.seconds(), 60.0);
                assert_eq!(
                    area.area(),
                    GeoArea { shape: Shape::Circle, centre: position, a_m: 500.0, b_m: 0.0, azimuth_deg: 0.0 }
                );
                assert_eq!(AreaField::from(&area.area()), area);
            }
            other => panic!("{name}: {other:?}"),
        }
        if let Some((Btp::B { destination, info }, message)) = btp {
            assert_eq!(info, 0);
            let kind = kind_of(destination).expect("a well-known port").name();
            assert!(name.to_lowercase().contains(kind), "{name} went to the port of {kind}");
            if let Some(MessageKind::Cam | MessageKind::Denm | MessageKind::Cpm) = kind_of(destination) {
                Message::decode(message).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
}

#[test]
fn secured_frames_of_an_independent_make() {
    let all = frames("v2x/signed.json", "secured_frames_of_an_independent_make");
    let secured: Vec<_> = all.iter().filter(|(name, _)| name.starts_with("frame_")).collect();
    assert!(all.is_empty() || secured.len() == 3);
    for (name, bytes) in secured {
        assert_eq!(&recoded(bytes), bytes, "{name}");
        let Body::Secured(envelope) = Frame::decode(bytes).expect("a frame").packet.body else { panic!("{name}") };
        let stated = &all
            .iter()
            .find(|(other, _)| *other == name.replace("frame_", "").replace("_signed", ""))
            .expect("its envelope")
            .1;
        assert_eq!(envelope, stated, "{name}");
        // The content of these envelopes begins after version, types and a two-octet length.
        let start = envelope.windows(2).position(|w| w == [0x20, 0x50] || w == [0x20, 0x40]).expect("a common header");
        let length = usize::from(envelope[start - 1]);
        let plain = PlainPacket::decode(&envelope[start..start + length]).expect("the packet in the envelope");
        assert!(matches!(plain.extended.name(), "SHB" | "GBC"));
        let left_over = PlainPacket::decode(&envelope[start..=start + length]);
        assert!(matches!(left_over, Err(FrameError { kind: FrameErrorKind::LeftOver(1), .. })), "{left_over:?}");
    }
}

#[test]
fn captures_hold_the_same_frames() {
    let Some(path) = data_path("v2x/frames.pcap", "captures_hold_the_same_frames") else { return };
    let capture = std::fs::read(path).expect("a readable file");
    let mut stated: Vec<_> =
        frames("v2x/frames.json", "captures_hold_the_same_frames").into_iter().map(|f| f.1).collect();
    // A classic pcap file: 24 octets of header, then records with 16 octets of header.
    let mut rest = &capture[24..];
    let mut captured = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().expect("four octets")) as usize;
        captured.push(recoded(&rest[16..16 + length]));
        rest = &rest[16 + length..];
    }
    // The JSON reader sorts by name.
    stated.sort();
    captured.sort();
    assert_eq!(captured, stated);
}

#[test]
fn errors_name_the_field_and_the_bit() {
    let beacon =
        unhex("ffffffffffff02004c5549478947110005010010030000000100bc0002004c554947a35820001a9ca13406831bb080000000");
    let altered = |at: usize, octet: u8| {
        let mut bytes = beacon.clone();
        bytes[at] = octet;
        Frame::decode(&bytes).expect_err("a malformed frame")
    };
    for (at, octet, words) in [
        (12, 0x08, "Ethernet: ethertype at byte 12 bit 0: 2119 is not supported"),
        (14, 0x01, "basic header: version at byte 14 bit 0: 0 is not supported"),
        (14, 0x13, "basic header: next header at byte 14 bit 4: 3 is not supported"),
        (18, 0x40, "common header: next header at byte 18 bit 0: 4 is not supported"),
        (19, 0x70, "common header: header type at byte 19 bit 0: 112 is not supported"),
        (19, 0x43, "common header: header type at byte 19 bit 0: 67 is not supported"),
        (23, 1, "payload at byte 50 bit 0: 1 octets needed, 0 left"),
    ] {
        assert_eq!(altered(at, octet).to_string(), words);
    }
    for length in 0..beacon.len() {
        let error = Frame::decode(&beacon[..length]).expect_err("a frame cut short");
        assert!(matches!(error.kind, FrameErrorKind::Truncated { .. }) && error.bit <= length * 8, "{length}: {error}");
    }
}

#[test]
fn padding_of_short_frames_is_kept_apart() {
    let mut bytes =
        unhex("ffffffffffff02004c5549478947110005010010030000000100bc0002004c554947a35820001a9ca13406831bb080000000");
    bytes.resize(60, 0);
    let Body::Plain(plain) = Frame::decode(&bytes).expect("a frame").packet.body else { panic!("not secured") };
    assert_eq!((plain.payload.len(), plain.padding.len()), (0, 10));
    assert_eq!(recoded(&bytes), bytes);
}

fn a_source() -> impl Strategy<Value = LongPositionVector> {
    (any::<u64>(), 0i64..4_000_000_000_000, -90.0..90.0f64, -180.0..180.0f64, -160.0..160.0f64, 0.0..360.0f64).prop_map(
        |(bits, ms, lat_deg, lon_deg, speed, heading)| {
            let at = Timestamp::from_unix_ms(ms);
            let position = Wgs84 { lat_deg, lon_deg, alt_m: 0.0 };
            LongPositionVector::new(GnAddress::from_bits(bits), at, position, PositionAccuracy::Unknown)
                .moving(speed, heading)
        },
    )
}

fn an_area() -> impl Strategy<Value = AreaField> {
    let shape = prop::sample::select(vec![Shape::Circle, Shape::Rectangle, Shape::Ellipse]);
    (shape, -90.0..90.0f64, -180.0..180.0f64, 0.0..65535.0f64, 0.0..65535.0f64, 0.0..360.0f64).prop_map(
        |(shape, lat_deg, lon_deg, a_m, b_m, azimuth_deg)| {
            let centre = Wgs84 { lat_deg, lon_deg, alt_m: 0.0 };
            AreaField::from(&GeoArea { shape, centre, a_m, b_m, azimuth_deg })
        },
    )
}

fn an_extended_header() -> impl Strategy<Value = ExtendedHeader> {
    let sequence = (any::<u16>(), any::<u16>()).prop_map(|(number, reserved)| SequenceField { number, reserved });
    (0..8, sequence, a_source(), a_source(), an_area(), any::<[u8; 4]>()).prop_map(
        |(which, sequence, source, other, area, media_dependent)| match which {
            0 => ExtendedHeader::Beacon { source },
            1 => ExtendedHeader::GeoUnicast { sequence, source, destination: other.short() },
            2 => ExtendedHeader::GeoAnycast { sequence, source, area },
            3 => ExtendedHeader::GeoBroadcast { sequence, source, area },
            4 => ExtendedHeader::SingleHop { source, media_dependent },
            5 => ExtendedHeader::Topological { sequence, source },
            6 => ExtendedHeader::LocationRequest { sequence, source, wanted: other.address },
            _ => ExtendedHeader::LocationReply { sequence, source, destination: other.short() },
        },
    )
}

fn headers() -> impl Strategy<Value = (BasicHeader, CommonHeader)> {
    let upper =
        prop::sample::select(vec![UpperProtocol::Any, UpperProtocol::BtpA, UpperProtocol::BtpB, UpperProtocol::Ipv6]);
    (any::<[u8; 7]>(), upper, 0u8..16).prop_map(|([a, b, c, d, e, f, g], upper, reserved_nibble)| {
        let basic = BasicHeader { lifetime: Lifetime::from_octet(a), remaining_hops: b, reserved: c };
        let traffic_class = TrafficClass(d);
        (basic, CommonHeader { upper, reserved_nibble, traffic_class, flags: e, max_hops: f, reserved: g })
    })
}

proptest! {
    #[test]
    fn any_packet_round_trips((basic, common) in headers(), extended in an_extended_header(),
                              payload in prop::collection::vec(any::<u8>(), 0..64),
                              padding in prop::collection::vec(any::<u8>(), 0..4)) {
        let plain = PlainPacket { common, extended, payload: &payload, padding: &padding };
        let packet = Packet { basic, body: Body::Plain(plain) };
        let mut bytes = [0; 256];
        let length = packet.encode(&mut bytes).unwrap();
        prop_assert_eq!(length, packet.bytes());
        prop_assert_eq!(Packet::decode(&bytes[..length]), Ok(packet));
    }

    #[test]
    fn whatever_decodes_encodes_to_the_same_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..200),
                                                  header_type in prop::sample::select(vec![0x10, 0x20, 0x31, 0x42, 0x50, 0x51, 0x60, 0x61]),
                                                  length in 0u8..100) {
        // Past the codes that decide, so that most inputs decode.
        for (at, octet) in [(0, 0x11), (4, 0x20), (5, header_type), (8, 0), (9, length)] {
            if let Some(place) = bytes.get_mut(at) {
                *place = octet;
            }
        }
        if let Ok(packet) = Packet::decode(&bytes) {
            let mut again = vec![0; bytes.len()];
            prop_assert_eq!(packet.encode(&mut again), Ok(bytes.len()));
            prop_assert_eq!(again, bytes);
        }
    }
}

/// Packets of roadside and on-board units recorded in Hamburg, as published in the tests of the crate `geonetworking` 0.4.2
/// (MIT) and on its front page.
#[test]
fn packets_of_units_in_the_field() {
    let beacon = unhex("11001a0100100300000001003c00000d41123670711efdf41fed2c4605f4496d80000d4f");
    let Body::Plain(plain) = Packet::decode(&beacon).expect("a beacon").body else { panic!("not secured") };
    let ExtendedHeader::Beacon { source } = plain.extended else { panic!("a beacon") };
    assert_eq!((source.address.to_string().as_str(), source.heading_deg()), ("15.00:0d:41:12:36:70", Some(340.7)));
    assert!((source.position().lat_deg - 53.563_706_2).abs() < 1e-9);

    let cam = unhex(
        "1100500120500200002d010001060060e069578d205cb8c01fec382805f24d9002a8084a7f00b80007d100000202e069578db4d9000ab224\
         63ce27842b1ffffffc2231b5b200805f412da2bfe9ed0737feebfff600",
    );
    let packet = Packet::decode(&cam).expect("a CAM");
    assert!((packet.basic.lifetime.seconds() - 1.0).abs() < 1e-9, "twenty times 50 ms");
    let Body::Plain(plain) = packet.body else { panic!("not secured") };
    let ExtendedHeader::SingleHop { source, media_dependent } = plain.extended else { panic!("one hop") };
    // Country code in the address, as before V1.4.1, and the DCC-MCO field of TS 102 636-4-2.
    assert_eq!((source.address.bits() >> 48, media_dependent), (0x0106, [0x7F, 0x00, 0xB8, 0x00]));
    assert_eq!((source.speed_mps(), source.heading_deg()), (6.8, Some(212.2)));
    let (btp, message) = Btp::split(plain.common.upper, plain.payload).expect("BTP").expect("BTP-B");
    assert_eq!(kind_of(btp.destination()), Some(MessageKind::Cam));
    let message = Message::decode(message).expect("a CAM");
    assert_eq!(message.station_id().0, 3_765_000_077);
    for bytes in [&beacon, &cam] {
        let packet = Packet::decode(bytes).expect("a packet");
        let mut again = vec![0; bytes.len()];
        assert_eq!(packet.encode(&mut again), Ok(bytes.len()));
        assert_eq!(&again, bytes);
    }
}
