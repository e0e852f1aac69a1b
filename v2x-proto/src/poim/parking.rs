//! Areas and spaces of a parking facility.

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::roadside::VehicleHeight;
use crate::cdd::*;
use crate::ivim::{EngineCharacteristics, EuVehicleCategoryCode};
use crate::poim::place::{OccupancyInformation, ParkingLoadType};
use crate::uper::bounded::{AnyInt, BoxedUtf8, Ext, ListAny, Null};
use crate::uper::declare::{choice, codes, sequence};

/// Longest free text of an area, characters.
const MAX_TEXT: usize = 1400;
/// Most spaces, areas or positions of one list.
const MOST: usize = 512;

/// Groups of areas (`ParkingSupplyCapabilitiesContainer`).
pub type ParkingSupplyCapabilities = List<ParkingAreas, 0, 64>;
/// Codec of [`ParkingSupplyCapabilities`].
pub(crate) type ParkingSupplyCapabilitiesList = ListAny<ParkingAreaList, 0, 64>;
/// Areas (`ParkingAreas`).
pub type ParkingAreas = List<ParkingArea, 0, 64>;
/// Codec of [`ParkingAreas`].
pub(crate) type ParkingAreaList = ListAny<ParkingArea, 0, 64>;
/// Offsets, each from the point before, the first one from the reference (`DeltaPositions`).
pub type DeltaPositions = List<DeltaPosition, 0, 100>;
/// Codec of [`DeltaPositions`].
pub(crate) type DeltaPositionList = ListExt<DeltaPosition, 0, 1, 32, 100>;
/// Kinds of reservation.
pub type ReservationTypes = List<ParkingReservationType, 0, 16>;
/// Codec of [`ReservationTypes`].
pub(crate) type ReservationTypeList = ListExt<ParkingReservationType, 0, 1, 4, 16>;

sequence! {
    /// Spaces of one kind (`ParkingArea`).
    pub struct ParkingArea {
        /// Number of the area in the facility.
        req id: u16 = Int<u16, 0, 65_535>, "id";
        /// How full it is.
        req current_occupancy: OccupancyInformation = OccupancyInformation, "currentOccupancy";
        /// Where it is.
        req location: GeoPosition = GeoPosition, "location";
        /// Floor, -8..=16, higher as an extension; 0 is the ground.
        def(0) level: i8 = Ext<Int<i8, -8, 16>, 127>, "level";
        /// How spaces lie.
        req arrangement_type: ParkingAreaArrangementType = ParkingAreaArrangementType, "arrangementType";
        /// Its outline.
        opt boundary: DeltaPositions = DeltaPositionList, "boundary";
        /// Orientation of the spaces.
        opt orientation: Wgs84Angle = Wgs84Angle, "orientation";
        /// Lane that leads to it.
        opt access_via_lane: u16 = Int<u16, 0, 65_535>, "accessViaLane";
        /// Vehicles that may park.
        req allowed_vehicle_categories: List<EuVehicleCategoryCode, 0, 16> = ListExt<EuVehicleCategoryCode, 0, 1, 4, 16>, "allowedVehicleCategories";
        /// Engines that may not.
        opt not_allowed_engine_characteristics: List<EngineCharacteristics, 0, 16> = ListExt<EngineCharacteristics, 0, 1, 4, 16>, "notAllowedEngineCharacteristics";
        /// Loads that may park.
        opt allowed_load_types: List<ParkingLoadType, 0, 16> = ListExt<ParkingLoadType, 0, 1, 4, 16>, "allowedLoadTypes";
        /// Loads that may not.
        opt not_allowed_load_types: List<ParkingLoadType, 0, 16> = ListExt<ParkingLoadType, 0, 1, 4, 16>, "notAllowedLoadTypes";
        /// Largest height of a vehicle, metres (0.05 m, up to 6.3 m); the inner `None` is "unavailable".
        opt height_restriction_m: Option<Reading> = VehicleHeight, "heightRestriction";
        /// Reservations.
        opt reservation_type: ReservationTypes = ReservationTypeList, "reservationType";
        /// Prices.
        opt pricing_information: Box<str> = BoxedUtf8<0, MAX_TEXT>, "pricingInformation";
        /// How to pay.
        opt payment_information: Box<str> = BoxedUtf8<0, MAX_TEXT>, "paymentInformation";
        /// How to book.
        opt booking_contact_info: Box<str> = BoxedUtf8<0, MAX_TEXT>, "bookingContactInfo";
        /// How to get in.
        opt access_characteristics: Box<str> = BoxedUtf8<0, MAX_TEXT>, "accessCharachteristics";
        /// Where free spaces are, from the area's location.
        opt free_spaces_position: List<DeltaPosition, 0, MOST> = ListAny<DeltaPosition, 0, MOST>, "freeSpacesPosition";
        /// Numbers of free spaces.
        opt free_spaces_id: List<u16, 0, MOST> = ListAny<Int<u16, 0, 65_535>, 0, MOST>, "freeSpacesId";
        /// Spaces.
        opt spaces_basic: List<ParkingSpaceBasic, 0, MOST> = ListAny<ParkingSpaceBasic, 0, MOST>, "spacesBasic";
        /// Spaces with their properties.
        opt spaces_detailed: List<ParkingSpaceDetailed, 0, MOST> = ListAny<ParkingSpaceDetailed, 0, MOST>, "spacesDetailed";
        ...;
    }
}

codes! {
    /// How spaces lie (`ParkingAreaArrangementType`).
    #[derive(Default)]
    pub enum ParkingAreaArrangementType: 0..=7 {
        /// Along the kerb.
        Parallel = 0,
        /// Side by side, at an angle to the kerb.
        Diagonal = 1,
        /// Side by side, at a right angle to the kerb.
        Perpendicular = 2,
        /// In a queue.
        Queue = 3,
        /// Mixed.
        Mixed = 4,
        /// Not known.
        #[default]
        Unknown = 7,
    }
}

codes! {
    /// For whom a space is reserved (`ParkingReservationType`).
    pub enum ParkingReservationType: 0..=31 {
        /// Disabled persons.
        Disabled = 0,
        /// Pregnant women.
        Pregnant = 1,
        /// Women.
        WomenOnly = 2,
        /// Parents with children.
        ParentAndChild = 3,
        /// Loading.
        LoadAndOffloadGoods = 4,
        /// Electric vehicles, charged by hand.
        ManualElectricVehicleCharging = 5,
        /// Electric vehicles, charged automatically.
        AutomatedElectricVehicleCharging = 6,
        /// Refrigerated transport.
        RefrigeratedTransport = 7,
        /// Important persons.
        Vip = 8,
        /// Those who booked.
        PreBooking = 9,
        /// Nobody, it can be reserved.
        FreeToBeReserved = 10,
        /// Nobody, it cannot be reserved.
        ReservationNotPossible = 11,
        /// Automated valet parking.
        AutomatedValetParking = 12,
        /// Vehicles with a permit.
        Permit = 13,
    }
}

codes! {
    /// Fee (`ParkingFeeType`).
    pub enum ParkingFeeType: 0..=7 {
        /// By time.
        TimeDependentFee = 0,
        /// Flat for a period.
        FlatFee = 1,
        /// Part of a subscription.
        Subscription = 2,
    }
}

choice! {
    /// How long one may stay (`ParkingOccupancyInfo`).
    pub enum ParkingOccupancyInfo {
        /// Not known.
        NotKnown(Null) = Null, "unknown";
        /// Without limit.
        UnlimitedOccupancy(Null) = Null, "unlimitedOccupancy";
        /// While charging.
        OnlyWhileCharging(Null) = Null, "onlyWhileCharging";
        /// For a time, as sent: the standard states no unit.
        LimitedDuration(i32) = AnyInt, "limitedDuration";
        /// While charging, for a time as sent.
        OnlyWhileChargingLimitedDuration(i32) = AnyInt, "onlyWhileChargingLimitedDuration";
        /// Until.
        ParkingAllowedUntil(TimestampIts) = TimestampItsCodec, "parkingAllowedUntil";
        /// One cannot leave until.
        ForcedParkingUntil(TimestampIts) = TimestampItsCodec, "forcedParkingUntil";
        ...;
    }
}

sequence! {
    /// A space (`ParkingSpaceBasic`).
    pub struct ParkingSpaceBasic {
        /// Its number in the area.
        req id: u16 = Int<u16, 0, 65_535>, "id";
        /// Where it is, from the area's location.
        opt location: DeltaReferencePosition = DeltaReferencePosition, "location";
        /// Whether it is free.
        req status: ParkingSpaceStatus = ParkingSpaceStatus, "status";
    }
}

sequence! {
    /// A space with its properties (`ParkingSpaceDetailed`).
    pub struct ParkingSpaceDetailed {
        /// Its number in the area.
        req id: u16 = Int<u16, 0, 65_535>, "id";
        /// Where it is, from the area's location.
        opt location: DeltaReferencePosition = DeltaReferencePosition, "location";
        /// Whether it is free.
        req status: ParkingSpaceStatus = ParkingSpaceStatus, "status";
        /// How it lies.
        opt arrangement_type: ParkingAreaArrangementType = ParkingAreaArrangementType, "arrangementType";
        /// Its outline.
        opt boundary: DeltaPositions = DeltaPositionList, "boundary";
        /// Orientation, if not that of the area.
        opt orientation: Wgs84Angle = Wgs84Angle, "orientation";
        /// How long one may stay.
        req occupancy_rule: ParkingOccupancyInfo = ParkingOccupancyInfo, "occupancyRule";
        /// Charging station that serves it.
        opt charging_station_id: u16 = Int<u16, 0, 65_535>, "chargingStationId";
        /// Lane that leads to it.
        opt access_via_lane: u16 = Int<u16, 0, 65_535>, "accessViaLane";
        /// Spaces that lead to it, at most 7.
        opt access_via_parking_spaces: List<u16, 7, 7> = ListOf<Int<u16, 0, 65_535>, 7, 0, 7>, "accessViaParkingSpaces";
        /// Reservations, if not those of the area.
        opt reservation_type: ReservationTypes = ReservationTypeList, "reservationType";
        ...;
    }
}

choice! {
    /// Whether a space is free (`ParkingSpaceStatus`).
    pub enum ParkingSpaceStatus {
        /// Not known.
        NotKnown(Null) = Null, "unknown";
        /// Free.
        Free(Null) = Null, "free";
        /// Free until.
        FreeUntil(TimestampIts) = TimestampItsCodec, "freeUntil";
        /// Occupied.
        FullyOccupied(Null) = Null, "fullyOccupied";
        /// Occupied by some of several vehicles, percent, 0..=100.
        PartiallyOccupied(u8) = Int<u8, 0, 100>, "partiallyOccupied";
        /// Occupied until.
        OccupiedUntil(TimestampIts) = TimestampItsCodec, "occupiedUntil";
        /// Reserved until.
        ReservedUntil(TimestampIts) = TimestampItsCodec, "reservedUntil";
        /// Free, but blocked.
        AccessBlocked(Null) = Null, "accessBlocked";
        /// Free, but hard to use.
        RestrictedUsage(Null) = Null, "retrictedUsage";
        ...;
    }
}
