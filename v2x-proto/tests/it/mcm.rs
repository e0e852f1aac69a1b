//! An MCM as a vehicle sends it; vectors of an independent codec survive JSON and damage.

use crate::common::unhex;
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::ivim::Iso3833VehicleType;
use masa_v2x_proto::json::{Envelope, from_json, to_json};
use masa_v2x_proto::mcm::*;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::uper::{Null, UperErrorKind};
use masa_v2x_proto::{List, Message};
use serde_json::Value;

const STATION: StationId = StationId(4711);
const AT: Timestamp = Timestamp::from_unix_ms(1_767_225_600_123);

/// The bytes of the vectors, which `oracle/mcm_vectors.py` made.
fn vectors() -> Vec<Vec<u8>> {
    let bytes = |line: &str| {
        let vector: Value = serde_json::from_str(line).expect("a JSON line");
        unhex(vector["uper"].as_str().expect("the digits"))
    };
    include_str!("../samples/mcm.jsonl").lines().map(bytes).collect()
}

fn envelope() -> Envelope {
    Envelope { source_uuid: "com_masa_4711".into(), timestamp: AT }
}

/// A vehicle that asks for room to change to the left lane.
fn request() -> Mcm {
    let basic_container = McmBasicContainer {
        generation_time: AT.into(),
        station_id: STATION,
        station_type: McmStationType::Vehicle,
        itss_role: McmItssRole::CoordinatingItss,
        position: ReferencePosition::default(),
        mcm_type: McmType::Request,
        manoeuvre_id: 9,
        concept: ManoeuvreCoordinationConcept::AgreementSeeking,
        rational: Some(ManoeuvreCoordinationRational::CostThousandths(-250)),
        execution_status: None,
    };
    let size = VehicleSize {
        vehicle_type: Iso3833VehicleType::PassengerCar,
        vehicle_transported_goods: None,
        vehicle_length: VehicleLength { value_m: Reading::of(4.5), ..VehicleLength::default() },
        vehicle_width_m: Reading::of(1.8),
        vehicle_height_m: Reading::of(1.5),
    };
    let part = SubmanoeuvreDescription {
        submanoeuvre_id: 1,
        submanoeuvre_strategy: Some(ManoeuvreStrategy::GoToLeftLane(Null)),
        reference_trajectory: None,
        target_road_resource: Some(Box::new(TrrDescription {
            trr_type: TrrType::Type1,
            lane_count: 1,
            starting_lane_number: Some(2),
            ending_lane_number: Some(1),
            waypoints: None,
            heading: None,
            trr_width_lanes: 1,
            trr_length_m: 42.5,
        })),
        temporal_characteristics: TemporalCharacteristics { occupancy_start_ms: 1500, occupancy_end_ms: 6000 },
        kinematics_characteristics: None,
    };
    let container = VehicleManoeuvreContainer {
        vehicle_current_state_container: VehicleCurrentStateContainer {
            manoeuvre_overall_strategy: Some(ManoeuvreStrategy::GoToRightLane(Null)),
            vehicle_speed: Speed { value_mps: Reading::of(25.0), confidence_mps: None },
            vehicle_heading: Wgs84Angle::default(),
            vehicle_size: size,
        },
        submanoeuvres: List::try_from_iter([part]).expect("room"),
        manoeuvre_advice: None,
    };
    let mcm_container = McmContainer::VehicleManoeuvre(Box::new(container));
    Mcm::new(STATION, McmPayload { basic_container, mcm_container })
}

#[test]
fn a_request_round_trips() {
    let bytes = request().to_uper().expect("encodes");
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, include_str!("../samples/mcm.hex").trim());
    assert_eq!(Message::decode(&bytes), Ok(request().into()));
    let json = to_json(&request().into(), &envelope());
    let part = &json["message"]["mcm_container"]["vehicle_manoeuvre_container"]["submaneuvres"][0];
    assert_eq!(part["temporal_charateristics"]["trr_occupancy_start_time"], 1500);
    assert_eq!(from_json(&json), Ok((envelope(), request().into())));
}

/// The draft spells some alternatives of the overall strategy otherwise than those of a part.
#[test]
fn the_two_spellings_of_a_strategy_are_kept_apart() {
    let jer = request().to_jer();
    let container = &jer["payload"]["mcmContainer"]["vehicleManoeuvreContainer"];
    let overall = &container["vehicleCurrentStateContainer"]["manoeuvreOverallStrategy"];
    assert_eq!(overall, &serde_json::json!({ "oToRightLane": null }));
    assert_eq!(container["submaneuvres"][0]["submanoeuvreStrategy"], serde_json::json!({ "goToLeftLane": null }));
}

#[test]
fn the_images_of_the_vectors_read_back() {
    for bytes in vectors() {
        let message = Message::decode(&bytes).expect("decodes");
        let json = to_json(&message, &envelope());
        assert_eq!(from_json(&json), Ok((envelope(), message)));
    }
}

#[test]
fn damage_is_survived_and_what_decodes_encodes_again() {
    for bytes in vectors() {
        for length in 0..bytes.len() {
            assert!(Message::decode(&bytes[..length]).is_err(), "{length} bytes of {}", bytes.len());
        }
        for bit in (0..bytes.len() * 8).filter(|bit| !(8..16).contains(bit)) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 0x80 >> (bit % 8);
            if let Ok(message) = Message::decode(&flipped) {
                assert_eq!(message.to_uper().as_ref(), Ok(&flipped), "bit {bit}");
            }
        }
    }
}

#[test]
fn errors_name_the_component_and_the_bit() {
    let mut mcm = request();
    mcm.payload.basic_container.rational = Some(ManoeuvreCoordinationRational::CostThousandths(1001));
    let error = mcm.to_uper().expect_err("out of range");
    let path = ".payload.basicContainer.rational.manoeuvreCooperationCost";
    assert_eq!((error.message, error.path.as_ref()), ("MCM", path));
    assert_eq!(error.kind, UperErrorKind::OutOfRange { value: 1001.0, min: -1000, max: 1000 });

    let mut mcm = request();
    mcm.payload.mcm_container = McmContainer::AdvisedManoeuvre(List::new());
    let error = mcm.to_uper().expect_err("somebody must be advised");
    assert_eq!(error.path.as_ref(), ".payload.mcmContainer.advisedManoeuvreContainer");
    assert_eq!(error.kind, UperErrorKind::Count { count: 0, min: 1, max: 16 });
}
