//! A parking facility as a whole: where it is, when it is open, how full it is.

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::roadside::{NumberOfSpaces, OccupancyRate};
use crate::cdd::*;
use crate::ivim::{DayOfWeek, EuVehicleCategoryCode, GoodsType, HoursMinutes};
use crate::poim::parking::ParkingSupplyCapabilitiesList;
use crate::poim::parking::{ParkingFeeType, ParkingOccupancyInfo, ParkingReservationType, ParkingSupplyCapabilities};
use crate::poim::{PoiBlockManagementContainer, RelatedPoiInfoBlockList, RelatedPoiInfoBlocks};
use crate::uper::bounded::{BoxedUtf8, Ext};
use crate::uper::declare::{codes, sequence};

sequence! {
    /// A parking facility (`ParkingAvailabilityBlock`).
    pub struct ParkingAvailabilityBlock {
        /// Which block, since when.
        req management_container: PoiBlockManagementContainer = PoiBlockManagementContainer, "managementContainer";
        /// The facility.
        req place_info: GeneralParkingPlaceContainer = GeneralParkingPlaceContainer, "placeInfo";
        /// Its state.
        req aggregated_status: ParkingStatusContainer = ParkingStatusContainer, "aggregatedStatus";
        /// Its areas and spaces.
        opt detailed_status: ParkingSupplyCapabilities = ParkingSupplyCapabilitiesList, "detailedStatus";
        /// Blocks about the same place.
        opt related_poi: RelatedPoiInfoBlocks = RelatedPoiInfoBlockList, "relatedPoi";
        ...;
    }
}

sequence! {
    /// Where a facility is and when it is open (`GeneralParkingPlaceContainer`).
    pub struct GeneralParkingPlaceContainer {
        /// Where it is.
        req position: GeoPosition = GeoPosition, "position";
        /// Its name, 1 to 31 characters.
        req name: Box<str> = BoxedUtf8<1, 31>, "name";
        /// When it is open.
        opt opening_periods: List<Period, 0, 32> = ListExt<Period, 0, 1, 8, 32>, "openingPeriods";
        /// Its address, 1 to 255 characters.
        opt address: Box<str> = BoxedUtf8<1, 255>, "address";
        /// The operator's number, 1 to 31 characters.
        opt phone_number: Box<str> = BoxedUtf8<1, 31>, "phoneNumber";
        /// The operator's address on the web, 1 to 31 characters.
        opt website: Box<str> = BoxedUtf8<1, 31>, "website";
        ...;
    }
}

sequence! {
    /// When a facility is open (`Period`), local time.
    #[derive(Copy, Default)]
    pub struct Period {
        /// Days.
        req days: DayOfWeek = DayOfWeek, "days";
        /// From.
        req opening: HoursMinutes = HoursMinutes, "opening";
        /// To.
        req closing: HoursMinutes = HoursMinutes, "closing";
    }
}

sequence! {
    /// State of a facility (`ParkingStatusContainer`).
    #[derive(Default)]
    pub struct ParkingStatusContainer {
        /// Whether it is open.
        req current_facility_status: OpeningStatus = OpeningStatus, "currentFacilityStatus";
        /// How full it is, when all its spaces are of one kind.
        opt current_occupancy: OccupancyInformation = OccupancyInformation, "currentOccupancy";
        /// How full it is, by kinds of spaces.
        opt detailed_status: List<ParkingStatus, 0, 64> = ListExt<ParkingStatus, 0, 1, 16, 64>, "detailedStatus";
        ...;
    }
}

codes! {
    /// Whether a facility is open (`OpeningStatus`).
    #[derive(Default)]
    pub enum OpeningStatus: 0..=15 {
        /// Closed.
        Closed = 0,
        /// Open.
        Open = 1,
        /// Open for subscribers.
        SubscribersOnly = 2,
        /// Open, but full.
        Full = 3,
        /// Not known.
        #[default]
        Unknown = 15,
    }
}

sequence! {
    /// How full something is (`OccupancyInformation`). There is no code for 0 %, nor for no free space: say 1, or say
    /// [`OpeningStatus::Full`].
    #[derive(Copy, Default)]
    pub struct OccupancyInformation {
        /// Occupied part, percent, 1..=100.
        req rate_percent: Option<u8> = OccupancyRate, "rate";
        /// How it changes.
        req trend: OccupancyTrend = OccupancyTrend, "trend";
        /// Free spaces, 1..=16382.
        req free_spaces: Option<u16> = NumberOfSpaces, "freeSpaces";
        /// All spaces, 1..=16382.
        req total_spaces: Option<u16> = NumberOfSpaces, "totalSpaces";
        /// Confidence, percent, 1..=100.
        req confidence_percent: Option<u8> = ConfidencePercent, "confidence";
        ...;
    }
}

codes! {
    /// How an occupancy changes (`OccupancyTrend`).
    #[derive(Default)]
    pub enum OccupancyTrend: 0..=15 {
        /// Decreases.
        Decreasing = 0,
        /// Decreases quickly.
        DecreasingQuickly = 1,
        /// Decreases slowly.
        DecreasingSlowly = 2,
        /// Increases.
        Increasing = 3,
        /// Increases quickly.
        IncreasingQuickly = 4,
        /// Increases slowly.
        IncreasingSlowly = 5,
        /// Stays.
        Stable = 6,
        /// Varies.
        Variable = 7,
        /// Not known.
        #[default]
        Unknown = 15,
    }
}

sequence! {
    /// How full spaces of a kind are (`ParkingStatus`); at least one list says which kind.
    #[derive(Default)]
    pub struct ParkingStatus {
        /// Vehicles.
        opt vehicle_types: List<EuVehicleCategoryCode, 0, 16> = ListExt<EuVehicleCategoryCode, 0, 1, 4, 16>, "vehicleTypes";
        /// Reservations.
        opt reservation_types: List<ParkingReservationType, 0, 16> = ListExt<ParkingReservationType, 0, 1, 4, 16>, "reservationTypes";
        /// Loads.
        opt load_types: List<ParkingLoadType, 0, 16> = ListExt<ParkingLoadType, 0, 1, 4, 16>, "loadTypes";
        /// Fees.
        opt parking_fee_types: List<ParkingFeeType, 0, 16> = ListExt<ParkingFeeType, 0, 1, 4, 16>, "parkingFeeTypes";
        /// How long one may stay.
        opt occupancy_types: List<ParkingOccupancyInfo, 0, 16> = ListExt<ParkingOccupancyInfo, 0, 1, 4, 16>, "occupancyTypes";
        /// How full.
        req current_occupancy: OccupancyInformation = OccupancyInformation, "currentOccupancy";
        ...;
    }
}

sequence! {
    /// Load of the vehicles that park (`LoadType` of POIM; that of IVIM is another).
    #[derive(Copy)]
    pub struct ParkingLoadType {
        /// Kind of goods.
        opt goods_type: GoodsType = Ext<GoodsType, 255>, "goodsType";
        /// Kind of dangerous goods.
        opt dangerous_goods_type: DangerousGoodsBasic = DangerousGoodsBasic, "dangerousGoodsType";
        /// Why the transport is special.
        req special_transport_type: SpecialTransportType = SpecialTransportType, "specialTransportType";
        ...;
    }
}
