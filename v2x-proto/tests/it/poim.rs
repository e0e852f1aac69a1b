//! A POIM as a car park sends it, and what readers of the standard disagree about.

use crate::common::vectors;
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::ivim::{EuVehicleCategoryCode, EuVehicleCategoryM, ita2};
use masa_v2x_proto::json::{Envelope, from_json, to_json};
use masa_v2x_proto::poim::*;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::uper::{Dialect, Null, UperErrorKind};
use masa_v2x_proto::{List, Message};

const AT: Timestamp = Timestamp::from_unix_ms(1_767_225_600_123);

fn block() -> ParkingAvailabilityBlock {
    let provider = Provider { country_code: ita2("IT").expect("two letters"), provider_identifier: 42 };
    let position =
        GeoPosition { latitude_deg: Some(44.655_54), longitude_deg: Some(10.934_315), altitude_m: Reading::of(34.0) };
    let occupancy = OccupancyInformation {
        rate_percent: Some(80),
        trend: OccupancyTrend::Increasing,
        free_spaces: Some(2),
        total_spaces: Some(10),
        confidence_percent: Some(95),
    };
    let space = |id, status| ParkingSpaceBasic { id, location: None, status };
    let spaces = [
        space(1, ParkingSpaceStatus::Free(Null)),
        space(2, ParkingSpaceStatus::OccupiedUntil(AT.plus_ms(60_000).into())),
        space(3, ParkingSpaceStatus::NotKnown(Null)),
    ];
    let area = ParkingArea {
        id: 1,
        current_occupancy: occupancy,
        location: position,
        level: -1,
        arrangement_type: ParkingAreaArrangementType::Perpendicular,
        boundary: None,
        orientation: None,
        access_via_lane: None,
        allowed_vehicle_categories: List::try_from_iter([
            EuVehicleCategoryCode::M(EuVehicleCategoryM::M1),
            EuVehicleCategoryCode::T(Null),
        ])
        .expect("room"),
        not_allowed_engine_characteristics: None,
        allowed_load_types: None,
        not_allowed_load_types: None,
        height_restriction_m: Some(Reading::of(1.9)),
        reservation_type: None,
        pricing_information: Some("1 €/h".into()),
        payment_information: None,
        booking_contact_info: None,
        access_characteristics: None,
        free_spaces_position: None,
        free_spaces_id: List::try_from_iter([1]),
        spaces_basic: List::try_from_iter(spaces),
        spaces_detailed: None,
    };
    ParkingAvailabilityBlock {
        management_container: PoiBlockManagementContainer {
            service_provider_id: provider,
            block_identification_number: 7,
            timestamp: AT.into(),
            linked_ivims: None,
            linked_mapems: None,
        },
        place_info: GeneralParkingPlaceContainer {
            position,
            name: "Novi Park".into(),
            opening_periods: None,
            address: None,
            phone_number: None,
            website: None,
        },
        aggregated_status: ParkingStatusContainer {
            current_facility_status: OpeningStatus::Open,
            current_occupancy: Some(occupancy),
            detailed_status: None,
        },
        detailed_status: List::try_from_iter([List::try_from_iter([area]).expect("room")]),
        related_poi: None,
    }
}

fn poim(blocks: impl IntoIterator<Item = PoiBlock>) -> Poim {
    Poim::new(StationId(4711), PoiInformationBlocks(List::try_from_iter(blocks).expect("few enough")))
}

fn other(poi_type: u32) -> PoiBlock {
    PoiBlock::Other { poi_type, content: vec![0xAB, 0xCD].into() }
}

fn envelope() -> Envelope {
    Envelope { source_uuid: "com_masa_4711".into(), timestamp: AT }
}

#[test]
fn a_car_park_round_trips() {
    let poim = poim([block().into()]);
    let bytes = poim.to_uper().expect("encodes");
    assert_eq!(Message::decode(&bytes), Ok(poim.clone().into()));
    assert_eq!(poim.check_limits(), Ok(()));
}

#[test]
fn the_image_names_alternatives_as_the_schema_does() {
    let poim = poim([block().into()]);
    let json = to_json(&poim.clone().into(), &envelope());
    assert_eq!((&json["message_type"], &json["message_format"]), (&"poi".into(), &"json/raw".into()));
    let block = &json["message"]["parking_availability_block"];
    assert_eq!(block["management_container"]["service_provider_id"]["country_code"], "0110000001");
    let area = &block["detailed_status"][0][0];
    assert_eq!(area["allowed_vehicle_categories"][0], "eu_vehicle_category_m");
    assert_eq!(area["spaces_basic"][1]["status"], "occupied_until");
    assert_eq!(area["spaces_basic"][2]["status"], "unknown");
    assert_eq!(from_json(&json), Ok((envelope(), poim.into())));
}

#[test]
fn blocks_of_other_types_are_kept() {
    for blocks in [vec![other(2), block().into(), other(128)], vec![block().into(), other(129), block().into()]] {
        let poim = poim(blocks);
        let bytes = poim.to_uper().expect("encodes");
        let decoded = Poim::decode(&bytes).expect("an unknown block is no error");
        assert_eq!(decoded, poim);
        assert_eq!(decoded.to_uper().expect("encodes"), bytes);
        let json = to_json(&poim.clone().into(), &envelope());
        assert_eq!(from_json(&json), Ok((envelope(), poim.into())));
    }
    let error = poim([other(1)]).to_uper().expect_err("a parking block has a type of its own");
    assert_eq!(error.path.as_ref(), ".payload[0].poiBlock");
    assert!(matches!(error.kind, UperErrorKind::NotSupported(_)), "{error}");
}

/// The trap of the standard: whether a table constraint takes the extension bit of `poiType` away.
#[test]
fn a_poim_is_read_with_and_without_the_disputed_extension_bit() {
    let poim = poim([block().into(), other(9)]);
    let mut out = [0; 512];
    let length = poim.encode_as(Dialect::BARE, &mut out).expect("encodes");
    let bare = &out[..length];
    let usual = poim.to_uper().expect("encodes");
    assert_ne!(bare, usual);
    assert_eq!(Poim::decode_detecting(bare), Ok((poim.clone(), Dialect::BARE)));
    assert_eq!(Poim::decode_detecting(&usual), Ok((poim, Dialect::ASN1C)));
    let beyond = poim_of_type(129).encode_as(Dialect::BARE, &mut out).expect_err("no bit, no larger types");
    assert_eq!(beyond.path.as_ref(), ".payload[0].poiType");
}

fn poim_of_type(poi_type: u32) -> Poim {
    poim([other(poi_type)])
}

#[test]
fn the_bit_is_in_the_independent_vectors() {
    for (name, bytes, _) in vectors("r2_poim", "the_bit_is_in_the_independent_vectors") {
        let (_, dialect) = Poim::decode_detecting(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(dialect, Dialect::DEFAULT, "{name}");
    }
}

#[test]
fn errors_name_the_component_and_the_bit() {
    let bytes = poim([block().into()]).to_uper().expect("encodes");
    // The type is bits 52 to 59: extension bit and seven bits. A parking block that claims to be 300 bytes long.
    let mut long = bytes.clone();
    long[7] = long[7] & 0xF0 | 0x08;
    long[8] = 0x12;
    let error = Poim::decode_as(Dialect::DEFAULT, &long).expect_err("too long");
    assert!(error.to_string().starts_with("POIM.payload[0]"), "{error}");

    let mut unnamed = block();
    unnamed.place_info.name = "".into();
    let error = poim([unnamed.into()]).to_uper().expect_err("a name is needed");
    assert!(error.to_string().starts_with("POIM.payload[0].poiBlock.placeInfo.name at bit "), "{error}");
    assert_eq!(error.kind, UperErrorKind::Count { count: 0, min: 1, max: 31 });
}

#[test]
fn limits_that_are_not_on_the_wire_are_checked() {
    let mut block = block();
    block.aggregated_status.detailed_status = List::try_from_iter([ParkingStatus::default()]);
    let poim = poim([block.into()]);
    assert!(Poim::decode(&poim.to_uper().expect("encodes")).is_ok(), "a receiver reads it");
    let broken = poim.check_limits().expect_err("a rule is broken");
    assert_eq!(&*broken.path, "payload[0].poiBlock.aggregatedStatus.detailedStatus[0]");
}
