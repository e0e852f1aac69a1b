//! Messages that more than one of the tests' places sends.

use masa_v2x_proto::List;
use masa_v2x_proto::cdd::*;
use masa_v2x_proto::denm::{self, Denm, DenmPayload, SituationContainer};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::ivim::ita2;
use masa_v2x_proto::poim::{
    GeneralParkingPlaceContainer, OccupancyInformation, OpeningStatus, ParkingArea, ParkingAvailabilityBlock,
    ParkingStatusContainer, PoiBlockManagementContainer, PoiInformationBlocks, Poim,
};
use masa_v2x_proto::time::Timestamp;

pub(crate) fn place(at: Wgs84) -> ReferencePosition {
    ReferencePosition {
        latitude_deg: Some(at.lat_deg),
        longitude_deg: Some(at.lon_deg),
        ..ReferencePosition::default()
    }
}

/// When a warning is of, and whether it ends the event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) detected_at: Timestamp,
    pub(crate) at: Timestamp,
    pub(crate) is_over: bool,
}

/// A warning of a roadside station for ten minutes.
pub(crate) fn denm(station: u32, number: u16, cause: u8, position: ReferencePosition, told: Told) -> Vec<u8> {
    let management = denm::ManagementContainer {
        action_id: ActionId { originating_station_id: StationId(station), sequence_number: number },
        detection_time: told.detected_at.into(),
        reference_time: told.at.into(),
        termination: told.is_over.then_some(denm::Termination::IsCancellation),
        event_position: position,
        validity_duration_s: 600,
        station_type: StationType::RoadSideUnit,
        ..denm::ManagementContainer::default()
    };
    let situation = SituationContainer {
        information_quality: 5,
        event_type: CauseCode::from_codes(cause, 0),
        linked_cause: None,
        event_zone: None,
        linked_denms: None,
        event_end_m: None,
        event_end_factor: None,
        perceived_event: None,
    };
    let payload = DenmPayload { management, situation: Some(situation), ..DenmPayload::default() };
    Denm::new(StationId(station), payload).to_uper().unwrap()
}

/// A place to park, with its areas if there are any.
pub(crate) fn poim(
    station: u32,
    (position, name): (GeoPosition, &str),
    occupancy: OccupancyInformation,
    area: Option<ParkingArea>,
    at: Timestamp,
) -> Vec<u8> {
    let block = ParkingAvailabilityBlock {
        management_container: PoiBlockManagementContainer {
            service_provider_id: Provider { country_code: ita2("IT").unwrap(), provider_identifier: 42 },
            block_identification_number: 1,
            timestamp: at.into(),
            linked_ivims: None,
            linked_mapems: None,
        },
        place_info: GeneralParkingPlaceContainer {
            position,
            name: name.into(),
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
        detailed_status: area.and_then(|area| List::try_from_iter([List::try_from_iter([area])?])),
        related_poi: None,
    };
    let blocks = PoiInformationBlocks(List::try_from_iter([block.into()]).unwrap());
    Poim::new(StationId(station), blocks).to_uper().unwrap()
}
