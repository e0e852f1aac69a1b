//! One message of each kind as it is sent at a junction.

use crate::common::unhex;
use masa_v2x_proto::cam::BasicContainer;
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::dsrc::{
    IntersectionAccessPoint, IntersectionReferenceId, Position3D, PrioritizationResponseStatus, SignalGroupId,
    TimeMark, VehicleId,
};
use masa_v2x_proto::ivim::ita2;
use masa_v2x_proto::mapem::{
    AllowedManeuvers, Connection, GenericLane, IntersectionGeometry, LaneAttributes, LaneAttributesVehicle,
    LaneDirection, LaneSharing, LaneTypeAttributes, Mapem, Node,
};
use masa_v2x_proto::poim::{
    GeneralParkingPlaceContainer, OccupancyInformation, OccupancyTrend, OpeningStatus, ParkingAvailabilityBlock,
    ParkingStatusContainer, PoiBlock, PoiBlockManagementContainer, PoiInformationBlocks, Poim,
};
use masa_v2x_proto::rtcmem::{RtcmRevision, Rtcmem};
use masa_v2x_proto::spatem::{
    IntersectionState, IntersectionStatus, MovementEvent, MovementPhaseState, MovementState, Spatem, TimeChangeDetails,
    TimeIntervalConfidence,
};
use masa_v2x_proto::srem::{PriorityRequestType, RequestorDescription, SignalRequest, SignalRequestPackage, Srem};
use masa_v2x_proto::ssem::{SignalRequesterInfo, SignalStatus, SignalStatusPackage, Ssem};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::vam::{Vam, VamParameters, VruHighFrequencyContainer, VruLowFrequencyContainer};
use masa_v2x_proto::{List, Message, MessageKind};

/// 2026-01-01 00:00:00.123 UTC.
pub(crate) const AT: Timestamp = Timestamp::from_unix_ms(1_767_225_600_123);
const STATION: StationId = StationId(4711);
const VEHICLE: StationId = StationId(815);
const JUNCTION: IntersectionReferenceId = IntersectionReferenceId { region: Some(39), id: 701 };
const LATITUDE_DEG: Option<f64> = Some(44.655_54);
const LONGITUDE_DEG: Option<f64> = Some(10.934_315);

/// The message of a page. Those kept as digits are built in `tests/it/messages.rs`, `tests/it/ivim.rs` and `tests/it/mcm.rs`.
pub(crate) fn example(kind: MessageKind) -> Message {
    let sample = |digits: &str| Message::decode(&unhex(digits.trim())).expect("a sample decodes");
    match kind {
        MessageKind::Cam => sample(include_str!("../../samples/cam.hex")),
        MessageKind::Denm => sample(include_str!("../../samples/denm.hex")),
        MessageKind::Cpm => sample(include_str!("../../samples/cpm.hex")),
        MessageKind::Ivim => sample(include_str!("../../samples/ivim.hex")),
        MessageKind::Vam => vam().into(),
        MessageKind::Spatem => spatem().into(),
        MessageKind::Mapem => mapem().into(),
        MessageKind::Srem => srem().into(),
        MessageKind::Ssem => ssem().into(),
        MessageKind::Rtcmem => rtcmem().into(),
        MessageKind::Poim => poim().into(),
        MessageKind::Mcm => sample(include_str!("../../samples/mcm.hex")),
    }
}

fn list<T: std::fmt::Debug, const INLINE: usize, const CAP: usize>(
    elements: impl IntoIterator<Item = T>,
) -> List<T, INLINE, CAP> {
    List::try_from_iter(elements).expect("few enough")
}

/// A pedestrian who walks north-east.
fn vam() -> Vam {
    let reference_position =
        ReferencePosition { latitude_deg: LATITUDE_DEG, longitude_deg: LONGITUDE_DEG, ..Default::default() };
    let speed = Speed { value_mps: Reading::of(1.4), confidence_mps: Reading::of(0.2) };
    let profile_and_subprofile = VruProfileAndSubprofile::Pedestrian(VruSubProfilePedestrian::OrdinaryPedestrian);
    let parameters = VamParameters {
        basic_container: BasicContainer { station_type: StationType::Pedestrian, reference_position },
        vru_high_frequency_container: VruHighFrequencyContainer {
            heading: Wgs84Angle { value_deg: Some(45.0), confidence_deg: Reading::of(5.0) },
            speed,
            ..Default::default()
        },
        vru_low_frequency_container: Some(VruLowFrequencyContainer {
            profile_and_subprofile,
            size_class: None,
            exterior_lights: None,
        }),
        ..Default::default()
    };
    Vam::new(VEHICLE, AT, parameters)
}

/// Signal group 3 is red for another 12 to 20 seconds.
fn spatem() -> Spatem {
    let mark = |ms| TimeMark::of(AT.plus_ms(ms), AT);
    let timing = TimeChangeDetails {
        min_end_time: mark(12_000),
        max_end_time: Some(mark(20_000)),
        likely_time: Some(mark(15_000)),
        confidence: Some(TimeIntervalConfidence::from_percent(85)),
        ..Default::default()
    };
    let state =
        MovementState::new(SignalGroupId(3), list([MovementEvent::new(MovementPhaseState::StopAndRemain, timing)]));
    let status = IntersectionStatus::TRAFFIC_DEPENDENT_OPERATION;
    Spatem::new(STATION, AT, list([IntersectionState::new(JUNCTION, 4, status, AT, list([state]))]))
}

/// A lane that leads straight on, and where it goes.
fn mapem() -> Mapem {
    let attributes = |direction| {
        let vehicles = LaneTypeAttributes::Vehicle(LaneAttributesVehicle::default());
        LaneAttributes::new(direction, LaneSharing::from_mask(0), vehicles)
    };
    let node = |x_m, y_m| Node::from_offset(x_m, y_m).expect("near enough");
    let inbound = GenericLane {
        ingress_approach: Some(1),
        connects_to: Some(list([Connection::new(2, AllowedManeuvers::STRAIGHT_ALLOWED, Some(SignalGroupId(3)))])),
        ..GenericLane::new(1, attributes(LaneDirection::INGRESS_PATH), list([node(3.2, -12.5), node(0.5, -40.0)]))
    };
    let outbound = GenericLane {
        egress_approach: Some(2),
        ..GenericLane::new(2, attributes(LaneDirection::EGRESS_PATH), list([node(3.2, 12.5), node(0.0, 40.0)]))
    };
    let reference = Position3D { latitude_deg: LATITUDE_DEG, longitude_deg: LONGITUDE_DEG, ..Default::default() };
    let geometry = IntersectionGeometry::new(JUNCTION, 4, reference, list([inbound, outbound]));
    Mapem::new(STATION, AT, 1, list([IntersectionGeometry { lane_width_m: Some(3.25), ..geometry }]))
}

/// A bus asks for green on lane 1 in 15 seconds.
fn srem() -> Srem {
    let request = SignalRequest {
        id: JUNCTION,
        request_id: 1,
        request_type: PriorityRequestType::Request,
        inbound_lane: IntersectionAccessPoint::Lane(1),
        outbound_lane: Some(IntersectionAccessPoint::Lane(2)),
        regional: None,
    };
    let package = SignalRequestPackage::new(request, AT.plus_ms(15_000));
    Srem::new(VEHICLE, AT, 7, list([package]), RequestorDescription::new(VehicleId::Station(VEHICLE)))
}

/// The bus gets it.
fn ssem() -> Ssem {
    let requester = SignalRequesterInfo::new(VehicleId::Station(VEHICLE), 1, 7);
    let granted = PrioritizationResponseStatus::Granted;
    let package = SignalStatusPackage::new(requester, IntersectionAccessPoint::Lane(1), granted);
    Ssem::new(STATION, AT, 2, list([SignalStatus::new(2, JUNCTION, list([package]))]))
}

/// An RTCM 3 message of type 1005, the reference station's position.
fn rtcmem() -> Rtcmem {
    let bytes = unhex("d300133ed7d30202980edeef34b4bd62ac0941986f33360b98");
    Rtcmem::new(STATION, AT, 5, RtcmRevision::Rev3, list([list(bytes)]))
}

/// A car park with two spaces left.
fn poim() -> Poim {
    let provider = Provider { country_code: ita2("IT").expect("two letters"), provider_identifier: 42 };
    let block = ParkingAvailabilityBlock {
        management_container: PoiBlockManagementContainer {
            service_provider_id: provider,
            block_identification_number: 7,
            timestamp: AT.into(),
            linked_ivims: None,
            linked_mapems: None,
        },
        place_info: GeneralParkingPlaceContainer {
            position: GeoPosition {
                latitude_deg: LATITUDE_DEG,
                longitude_deg: LONGITUDE_DEG,
                altitude_m: Reading::of(34.0),
            },
            name: "Novi Park".into(),
            opening_periods: None,
            address: None,
            phone_number: None,
            website: None,
        },
        aggregated_status: ParkingStatusContainer {
            current_facility_status: OpeningStatus::Open,
            current_occupancy: Some(OccupancyInformation {
                rate_percent: Some(80),
                trend: OccupancyTrend::Increasing,
                free_spaces: Some(2),
                total_spaces: Some(10),
                confidence_percent: Some(95),
            }),
            detailed_status: None,
        },
        detailed_status: None,
        related_poi: None,
    };
    Poim::new(STATION, PoiInformationBlocks(list([PoiBlock::from(block)])))
}
