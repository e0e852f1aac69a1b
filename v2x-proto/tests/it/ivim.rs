//! An IVIM as a roadside unit builds it; the bytes were checked with an independent codec (pycrate 0.8.1).

use crate::common::unhex;
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::ivim::*;
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::json::{Envelope, from_json, to_json};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::uper::UperErrorKind;
use masa_v2x_proto::{List, Message};

const STATION: StationId = StationId(4711);
const AT: Timestamp = Timestamp::from_unix_ms(1_767_225_600_123);

fn provider() -> Provider {
    Provider { country_code: ita2("IT").expect("two letters"), provider_identifier: 42 }
}

fn zone_ids(ids: &[u8]) -> ZoneIds {
    ZoneIds::try_from_iter(ids.iter().copied()).expect("few enough")
}

fn reference() -> ReferencePosition {
    ReferencePosition {
        latitude_deg: Some(44.655_54),
        longitude_deg: Some(10.934_315),
        position_confidence_ellipse: PosConfidenceEllipse::default(),
        altitude: Altitude::default(),
    }
}

/// 30 km/h on 60 m of road because of a school, told on the 100 m before.
fn ivim() -> Ivim {
    let management = IviManagementContainer {
        time_stamp: Some(AT.into()),
        valid_from: Some(AT.into()),
        valid_to: Some(AT.plus_ms(3_600_000).into()),
        ..IviManagementContainer::new(provider(), 7, IviStatus::New)
    };
    let mut ivim = Ivim::new(STATION, management);

    let relevance = delta_line(&reference(), [(44.655_54, 10.934_315), (44.656_04, 10.934_315)]).expect("a line");
    let awareness = delta_line(&reference(), [(44.654_54, 10.934_315), (44.655_54, 10.934_315)]).expect("a line");
    let zones = [
        GlcPart::new(1, Zone::Segment(Segment { line: relevance, lane_width_m: Some(3.5) })),
        GlcPart::new(2, Zone::Segment(Segment { line: awareness, lane_width_m: None })),
    ];
    ivim.push(GeographicLocationContainer::new(reference(), zones).expect("few zones")).expect("room");

    let limit = List::try_from_iter([Iso14823Attribute::SpeedLimits(SpeedLimits::max_kmph(30))]).expect("room");
    let pictogram = PictogramCode::new(12, 557).expect("a regulatory sign");
    let signs = List::try_from_iter([RsCode::iso14823(pictogram, Some(limit))]).expect("room");
    let texts = [Text::new("it", "scuola").expect("a language"), Text::new("en", "school").expect("a language")];
    let part = GicPart {
        driver_awareness_zone_ids: Some(zone_ids(&[2])),
        ivi_purpose: Some(IviPurpose::Safety),
        extra_text: List::try_from_iter(texts),
        ..GicPart::new(IviType::Regulatory, zone_ids(&[1]), signs)
    };
    ivim.push(part).expect("room");
    ivim
}

/// Encoded by us, decoded by pycrate, and encoded by pycrate to the same bytes.
const SIGN: &str = include_str!("../samples/ivim.hex");

#[test]
fn a_road_sign_has_the_bytes_of_the_independent_codec() {
    let bytes = ivim().to_uper().expect("encodes");
    assert_eq!(bytes, unhex(SIGN.trim()));
    assert_eq!(Message::decode(&bytes), Ok(ivim().into()));
}

#[test]
fn a_cancellation_needs_no_container() {
    let management = IviManagementContainer::new(provider(), 7, IviStatus::Cancellation);
    let cancelled = Ivim::new(STATION, management);
    let bytes = cancelled.to_uper().expect("encodes");
    // Header 48 bits, presence and extension bits 1 + 5, provider 24, number 16, status 3.
    assert_eq!(bytes.len(), 97usize.div_ceil(8));
    assert_eq!(Ivim::decode(&bytes).as_ref(), Ok(&cancelled));
    assert_eq!(cancelled.check_limits(), Ok(()));
}

#[test]
fn names_follow_the_edition() {
    let ivim = ivim();
    let zone = "/ivi/optional/0/glc/parts/0/zone";
    for (release, name) in [(Release::R1, "segment"), (Release::R2, "segment-carriagewayOrLane")] {
        let jer = ivim.to_jer(release);
        let zone = jer.pointer(zone).and_then(|zone| zone.as_object()).expect("a zone");
        assert_eq!(zone.keys().collect::<Vec<_>>(), [name]);
    }
}

#[test]
fn the_image_reads_back() {
    let envelope = Envelope { source_uuid: "com_masa_4711".into(), timestamp: AT };
    let json = to_json(&ivim().into(), &envelope);
    assert_eq!(json["message_type"], "ivim");
    let code = json.pointer("/message/optional/1/giv/0/road_sign_codes/0/code/iso14823").expect("the sign");
    assert_eq!(code["attributes"][0]["spe"]["speed_limit_max"], 30);
    assert_eq!(from_json(&json), Ok((envelope, ivim().into())));
}

#[test]
fn a_later_edition_is_read_by_the_same_decoder() {
    let mut later = ivim();
    later.ivi.mandatory.ivi_identification_number = 8_388_607;
    let line = delta_line(&reference(), [(44.655_64, 10.934_315)]).expect("a line");
    let lanes = SegmentExtended {
        segment_reference_position: Some(1),
        line,
        segment_width_left_m: Some(7.0),
        segment_width_right_m: None,
    };
    let zones = [GlcPart::new(127, Zone::SetOfLanes(lanes))];
    later.push(GeographicLocationContainer::new(reference(), zones).expect("few zones")).expect("room");
    let bytes = later.to_uper().expect("encodes");
    assert_eq!(Ivim::decode(&bytes), Ok(later));
}

#[test]
fn a_container_of_an_edition_to_come_is_kept() {
    let mut ivim = ivim();
    let unknown = masa_v2x_proto::uper::UnknownAlternative { index: 3, content: vec![0xAB, 0xCD].into() };
    ivim.push(IviContainer::Unknown(unknown)).expect("room");
    let bytes = ivim.to_uper().expect("encodes");
    let decoded = Ivim::decode(&bytes).expect("an unknown container is no error");
    assert_eq!(decoded, ivim);
    assert_eq!(decoded.to_uper().expect("encodes"), bytes);
}

/// Signs on signs, `depth` deep, in a message.
fn nested(depth: usize) -> Ivim {
    let pictogram = || PictogramCode::new(13, 659).expect("a sign");
    let destination = |inner: Option<GddStructure>| {
        let place = DestinationPlace {
            dest_type: DestinationType::City,
            dest_rs_code: inner.map(Box::new),
            dest_blob: None,
            place_name_identification: None,
            place_name_text: Some("Modena".into()),
        };
        let arrow = DestinationArrow { dest_place: List::try_from_iter([place]), ..DestinationArrow::default() };
        DestinationInformation {
            io_list: List::try_from_iter([arrow]).expect("room"),
            ..DestinationInformation::default()
        }
    };
    let sign = (0..depth).fold(None, |inner, level| {
        let attributes = (level > 0)
            .then(|| List::try_from_iter([GddAttribute::Destination(destination(inner).into())]).expect("room"));
        Some(GddStructure { pictogram_code: pictogram(), attributes })
    });
    let attributes = List::try_from_iter([Iso14823Attribute::Destination(destination(sign).into())]);
    let signs = List::try_from_iter([RsCode::iso14823(pictogram(), attributes)]).expect("room");
    let mut ivim = Ivim::new(STATION, IviManagementContainer::new(provider(), 1, IviStatus::New));
    ivim.push(GicPart::new(IviType::TrafficRelatedInformation, zone_ids(&[1]), signs)).expect("room");
    ivim
}

#[test]
fn signs_stand_on_signs_to_a_limit() {
    for depth in 0..=4 {
        let ivim = nested(depth);
        let bytes = ivim.to_uper().expect("encodes");
        assert_eq!(Ivim::decode(&bytes), Ok(ivim), "{depth} deep");
    }
    let error = nested(5).to_uper().expect_err("too deep");
    assert!(matches!(error.kind, UperErrorKind::NotSupported(_)), "{error}");
}

#[test]
fn errors_name_the_component_and_the_bit() {
    let mut ivim = ivim();
    ivim.ivi.mandatory.ivi_identification_number = 0;
    let error = ivim.to_uper().expect_err("numbers start at 1");
    let expected = "IVIM.ivi.mandatory.iviIdentificationNumber at bit 78: 0 is not in 1..=4294967295";
    assert_eq!(error.to_string(), expected);

    let bytes = unhex(SIGN.trim());
    let error = Ivim::decode(&bytes[..40]).expect_err("cut");
    assert!(error.to_string().starts_with("IVIM.ivi.optional[0].glc."), "{error}");
    assert!(error.bit <= 40 * 8, "{error}");
}

#[test]
fn limits_that_are_not_on_the_wire_are_checked() {
    let broken = |change: fn(&mut Ivim)| {
        let mut ivim = ivim();
        change(&mut ivim);
        assert!(Ivim::decode(&ivim.to_uper().expect("encodes")).is_ok(), "a receiver reads it");
        ivim.check_limits().expect_err("a rule is broken").path
    };
    assert_eq!(ivim().check_limits(), Ok(()));
    let path = broken(|ivim| ivim.header.protocol_version = 1);
    assert_eq!(&*path, "header.protocolVersion");
    let path = broken(|ivim| {
        let Some(containers) = &mut ivim.ivi.optional else { return };
        let IviContainer::General(parts) = &mut containers[1] else { return };
        let text = Text::new("it", "x".repeat(33)).expect("a language");
        parts[0].extra_text = List::try_from_iter([text]);
    });
    assert_eq!(&*path, "ivi.optional[1].giv[0].extraText");
    let path = broken(|ivim| {
        let part = RscPart {
            detection_zone_ids: None,
            relevance_zone_ids: List::try_from_iter([1]).expect("room"),
            direction: None,
            road_surface_static_characteristics: None,
            road_surface_dynamic_characteristics: None,
        };
        ivim.push(IviContainer::RoadSurface(List::try_from_iter([part]).expect("room"))).expect("room");
    });
    assert_eq!(&*path, "ivi.optional[2].rsc[0]");
    let path = broken(|ivim| {
        let line = delta_line(&reference(), [(44.6556, 10.9343)]).expect("a line");
        let segment = SegmentExtended {
            segment_reference_position: None,
            line,
            segment_width_left_m: None,
            segment_width_right_m: Some(3.0),
        };
        let zones = [GlcPart::new(3, Zone::SetOfLanes(segment))];
        ivim.push(GeographicLocationContainer::new(reference(), zones).expect("few")).expect("room");
    });
    assert_eq!(&*path, "ivi.optional[2].glc.parts[0].zone");
    let path = broken(|ivim| *ivim = nested(2));
    assert_eq!(&*path, "ivi.optional[0].giv[0].roadSignCodes[0]");
}
