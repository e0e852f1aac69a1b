//! What a sign says beside its pictogram: when, for which sizes and speeds, where to (ISO 14823 attributes).

use crate::List;
use crate::cdd::codec::*;
use crate::ivim::MAX_TEXT_LENGTH;
use crate::ivim::sign::PictogramCode;
use crate::uper::UperErrorKind;
use crate::uper::bounded::{BoxedUtf8, BytesUpTo, Ext, Nested};
use crate::uper::declare::{bit_string, choice, codes, sequence};
use crate::uper::element::Coded;

/// How often a sign stands on a sign that stands on a sign; one level is usual, the standard sets no limit.
const MOST_SIGNS_ON_SIGNS: u8 = 4;

choice! {
    /// What a sign of ISO 14823 says beside its pictogram (`ISO14823Attribute`).
    pub enum Iso14823Attribute {
        /// When it applies.
        ApplicablePeriod(ApplicablePeriod) = ApplicablePeriod, "dtm";
        /// When it does not apply.
        ExemptedPeriod(ApplicablePeriod) = ApplicablePeriod, "edt";
        /// Where the lane leads.
        DirectionalFlowOfLane(DirectionalFlowOfLane) = DirectionalFlowOfLane, "dfl";
        /// To which sizes of vehicle it applies.
        VehicleDimensions(ApplicableVehicleDimensions) = ApplicableVehicleDimensions, "ved";
        /// Speed limits.
        SpeedLimits(SpeedLimits) = SpeedLimits, "spe";
        /// Slope, percent, 1..=32.
        RateOfIncline(u8) = Int<u8, 1, 32>, "roi";
        /// Distance to keep.
        DistanceBetweenVehicles(Distance) = Distance, "dbv";
        /// Where roads lead.
        Destination(Box<DestinationInformation>) = OnHeap<DestinationInformation>, "ddd";
    }
}

choice! {
    /// What a sign on a direction sign says beside its pictogram (`GddAttribute`).
    pub enum GddAttribute {
        /// When it applies.
        ApplicablePeriod(ApplicablePeriod) = ApplicablePeriod, "dtm";
        /// When it does not apply.
        ExemptedPeriod(ApplicablePeriod) = ApplicablePeriod, "edt";
        /// Where the lane leads.
        DirectionalFlowOfLane(DirectionalFlowOfLane) = DirectionalFlowOfLane, "dfl";
        /// To which sizes of vehicle it applies.
        VehicleDimensions(ApplicableVehicleDimensions) = ApplicableVehicleDimensions, "ved";
        /// Speed limits.
        SpeedLimits(SpeedLimits) = SpeedLimits, "spe";
        /// Slope, percent, 1..=32.
        RateOfIncline(u8) = Int<u8, 1, 32>, "roi";
        /// Distance to keep.
        DistanceBetweenVehicles(Distance) = Distance, "dbv";
        /// Where roads lead.
        Destination(Box<DestinationInformation>) = OnHeap<DestinationInformation>, "ddd";
        /// The stretch to which it applies.
        Section(Section) = Section, "set";
        /// Number of lanes, 0..=99.
        NumberOfLanes(u8) = Int<u8, 0, 99>, "nol";
    }
}

/// Attributes of a sign (`ISO14823Attributes`).
pub type Iso14823Attributes = List<Iso14823Attribute, 0, 32>;
/// Codec of [`Iso14823Attributes`].
pub(crate) type Iso14823AttributeList = ListExt<Iso14823Attribute, 0, 1, 8, 32>;

sequence! {
    /// When a sign applies (`InternationalSign-applicablePeriod`); all that is present must hold.
    #[derive(Copy, Default)]
    pub struct ApplicablePeriod {
        /// Years.
        opt year: YearRange = YearRange, "year";
        /// Days of the year.
        opt month_day: MonthDayRange = MonthDayRange, "month-day";
        /// Kinds of day.
        opt repeating_period_day_types: RepeatingPeriodDayTypes = RepeatingPeriodDayTypes, "repeatingPeriodDayTypes";
        /// Time of the day.
        opt hour_minutes: HourMinuteRange = HourMinuteRange, "hourMinutes";
        /// Days of the week.
        opt date_range_of_week: DayOfWeek = DayOfWeek, "dateRangeOfWeek";
        /// How long.
        opt duration_hour_minute: HoursMinutes = HoursMinutes, "durationHourMinute";
    }
}

sequence! {
    /// Years (`year`).
    #[derive(Copy, Eq)]
    pub struct YearRange {
        /// First, 2000..=2127, later as an extension.
        req start: u16 = Ext<Int<u16, 2000, 2127>, 65_535>, "yearRangeStartYear";
        /// Last.
        req end: u16 = Ext<Int<u16, 2000, 2127>, 65_535>, "yearRangeEndYear";
    }
}

sequence! {
    /// Days of the year (`month-day`).
    #[derive(Copy, Eq)]
    pub struct MonthDayRange {
        /// First.
        req start: MonthDay = MonthDay, "dateRangeStartMonthDay";
        /// Last.
        req end: MonthDay = MonthDay, "dateRangeEndMonthDay";
    }
}

sequence! {
    /// A day of the year (`MonthDay`).
    #[derive(Copy, Eq)]
    pub struct MonthDay {
        /// 1..=12.
        req month: u8 = Int<u8, 1, 12>, "month";
        /// 1..=31.
        req day: u8 = Int<u8, 1, 31>, "day";
    }
}

sequence! {
    /// Times of the day (`hourMinutes`).
    #[derive(Copy, Eq)]
    pub struct HourMinuteRange {
        /// From.
        req start: HoursMinutes = HoursMinutes, "timeRangeStartTime";
        /// To.
        req end: HoursMinutes = HoursMinutes, "timeRangeEndTime";
    }
}

sequence! {
    /// A time of the day, or a duration (`HoursMinutes`, `TimeOfDay`).
    #[derive(Copy, Default, Eq)]
    pub struct HoursMinutes {
        /// 0..=23.
        req hours: u8 = Int<u8, 0, 23>, "hours";
        /// 0..=59.
        req mins: u8 = Int<u8, 0, 59>, "mins";
    }
}

bit_string! {
    /// Kinds of day (`RepeatingPeriodDayTypes`).
    pub struct RepeatingPeriodDayTypes: 4 {
        /// National holidays.
        NATIONAL_HOLIDAY = 0,
        /// Even days.
        EVEN_DAYS = 1,
        /// Odd days.
        ODD_DAYS = 2,
        /// Market days.
        MARKET_DAY = 3,
    }
}

bit_string! {
    /// Days of the week (`DayOfWeek`).
    pub struct DayOfWeek: 8 {
        /// Not used.
        UNUSED = 0,
        /// Monday.
        MONDAY = 1,
        /// Tuesday.
        TUESDAY = 2,
        /// Wednesday.
        WEDNESDAY = 3,
        /// Thursday.
        THURSDAY = 4,
        /// Friday.
        FRIDAY = 5,
        /// Saturday.
        SATURDAY = 6,
        /// Sunday.
        SUNDAY = 7,
    }
}

codes! {
    /// Where a lane leads (`InternationalSign-directionalFlowOfLane`).
    pub enum DirectionalFlowOfLane: 1..=8 {
        /// Straight on.
        Straight = 1,
        /// Straight on and left.
        StraightAndLeft = 2,
        /// Straight on and right.
        StraightAndRight = 3,
        /// Left.
        Left = 4,
        /// Right.
        Right = 5,
        /// Merges from the left lane.
        ConvergenceFromLeft = 6,
        /// Merges from the right lane.
        ConvergenceFromRight = 7,
        /// Lane of oncoming vehicles.
        Oncoming = 8,
    }
}

sequence! {
    /// Sizes of vehicle (`InternationalSign-applicableVehicleDimensions`).
    #[derive(Copy, Default, Eq)]
    pub struct ApplicableVehicleDimensions {
        /// Height.
        opt vehicle_height: Distance = Distance, "vehicleHeight";
        /// Width.
        opt vehicle_width: Distance = Distance, "vehicleWidth";
        /// Length.
        opt vehicle_length: Distance = Distance, "vehicleLength";
        /// Weight.
        opt vehicle_weight: Weight = Weight, "vehicleWeight";
    }
}

sequence! {
    /// Speed limits (`InternationalSign-speedLimits`), in the unit that the sign shows.
    #[derive(Copy, Eq)]
    pub struct SpeedLimits {
        /// Largest, 0..=250.
        opt speed_limit_max: u8 = Int<u8, 0, 250>, "speedLimitMax";
        /// Smallest, 0..=250.
        opt speed_limit_min: u8 = Int<u8, 0, 250>, "speedLimitMin";
        /// Kilometres or miles an hour.
        req unit: SignUnit = UnitIn<0, 1>, "unit";
    }
}

impl SpeedLimits {
    /// A largest speed in kilometres an hour.
    pub const fn max_kmph(speed: u8) -> Self {
        Self { speed_limit_max: Some(speed), speed_limit_min: None, unit: SignUnit::KilometresPerHour }
    }
}

sequence! {
    /// A length, in the unit that the sign shows (`Distance`).
    #[derive(Copy, Eq)]
    pub struct Distance {
        /// 1..=16384.
        req value: u16 = Int<u16, 1, 16_384>, "value";
        /// Kilometres to decimetres, miles to feet.
        req unit: SignUnit = UnitIn<2, 8>, "unit";
    }
}

impl Distance {
    /// In metres; `None` for a unit that is no length.
    pub fn metres(self) -> Option<f64> {
        Some(f64::from(self.value) * self.unit.metres()?)
    }
}

sequence! {
    /// A length or a time, in the unit that the sign shows (`DistanceOrDuration`).
    #[derive(Copy, Eq)]
    pub struct DistanceOrDuration {
        /// 1..=16384.
        req value: u16 = Int<u16, 1, 16_384>, "value";
        /// Unit of length, or minutes.
        req unit: SignUnit = UnitIn<2, 9>, "unit";
    }
}

sequence! {
    /// A weight, in the unit that the sign shows (`Weight`).
    #[derive(Copy, Eq)]
    pub struct Weight {
        /// 1..=16384.
        req value: u16 = Int<u16, 1, 16_384>, "value";
        /// Tonnes, hundreds of kilograms or pounds.
        req unit: SignUnit = UnitIn<10, 12>, "unit";
    }
}

codes! {
    /// Unit of a number on a sign (`Code-Units`, `RSCUnit`).
    pub enum SignUnit: 0..=15 {
        /// Kilometres an hour.
        KilometresPerHour = 0,
        /// Miles an hour.
        MilesPerHour = 1,
        /// Kilometres.
        Kilometre = 2,
        /// Metres.
        Metre = 3,
        /// Decimetres.
        Decimetre = 4,
        /// Centimetres.
        Centimetre = 5,
        /// Miles.
        Mile = 6,
        /// Yards.
        Yard = 7,
        /// Feet.
        Foot = 8,
        /// Minutes.
        MinutesOfTime = 9,
        /// Tonnes of 1,000 kg.
        Tonnes = 10,
        /// Hundreds of kilograms.
        HundredKg = 11,
        /// Pounds.
        Pound = 12,
        /// Percent of slope.
        RateOfIncline = 13,
        /// Minutes of duration (ISO 14823 only).
        DurationInMinutes = 14,
    }
}

impl SignUnit {
    /// Metres in one of the unit; `None` for a unit that is no length.
    pub const fn metres(self) -> Option<f64> {
        Some(match self {
            Self::Kilometre => 1000.0,
            Self::Metre => 1.0,
            Self::Decimetre => 0.1,
            Self::Centimetre => 0.01,
            Self::Mile => 1_609.344,
            Self::Yard => 0.914_4,
            Self::Foot => 0.304_8,
            _ => return None,
        })
    }
}

/// A unit out of a part of the list.
pub(crate) struct UnitIn<const MIN: i64, const MAX: i64>;

impl<const MIN: i64, const MAX: i64> Coded for UnitIn<MIN, MAX> {
    type Value = SignUnit;
    const MIN: i64 = MIN;
    const MAX: i64 = MAX;

    fn to_code(value: &SignUnit) -> Result<i64, UperErrorKind> {
        Ok(value.code().into())
    }

    fn from_code(code: i64) -> SignUnit {
        SignUnit::from_code(code as u8)
    }
}

sequence! {
    /// Where roads lead (`InternationalSign-destinationInformation`).
    #[derive(Default)]
    pub struct DestinationInformation {
        /// Direction at the junction, 1..=128 steps as sent.
        opt junction_direction: u8 = Int<u8, 1, 128>, "junctionDirection";
        /// Direction at a clockwise roundabout, 1..=128.
        opt roundabout_cw_direction: u8 = Int<u8, 1, 128>, "roundaboutCwDirection";
        /// Direction at a counter-clockwise roundabout, 1..=128.
        opt roundabout_ccw_direction: u8 = Int<u8, 1, 128>, "roundaboutCcwDirection";
        /// One entry an arrow.
        req io_list: List<DestinationArrow, 0, 32> = ListExt<DestinationArrow, 0, 1, 8, 32>, "ioList";
    }
}

sequence! {
    /// One arrow of a direction sign (`DDD-IO`).
    #[derive(Default)]
    pub struct DestinationArrow {
        /// Direction of the arrow, 0..=7 eighths of a turn.
        req arrow_direction: u8 = Int<u8, 0, 7>, "arrowDirection";
        /// Places.
        opt dest_place: List<DestinationPlace, 0, 16> = ListExt<DestinationPlace, 0, 1, 4, 16>, "destPlace";
        /// Roads.
        opt dest_road: List<DestinationRoad, 0, 16> = ListExt<DestinationRoad, 0, 1, 4, 16>, "destRoad";
        /// Number of the road, 1..=999.
        opt road_number_identifier: u16 = Int<u16, 1, 999>, "roadNumberIdentifier";
        /// Number of the street's name, 1..=999.
        opt street_name: u16 = Int<u16, 1, 999>, "streetName";
        /// Name of the street.
        opt street_name_text: Box<str> = BoxedUtf8<0, MAX_TEXT_LENGTH>, "streetNameText";
        /// Distance or time to the point where the ways part.
        opt distance_to_diverging_point: DistanceOrDuration = DistanceOrDuration, "distanceToDivergingPoint";
        /// Distance or time to the destination.
        opt distance_to_destination_place: DistanceOrDuration = DistanceOrDuration, "distanceToDestinationPlace";
    }
}

sequence! {
    /// One place of a direction sign (`DestinationPlace`).
    pub struct DestinationPlace {
        /// Kind of place.
        req dest_type: DestinationType = Ext<DestinationType, 255>, "destType";
        /// Sign that stands for it.
        opt dest_rs_code: Box<GddStructure> = OnHeap<Nested<GddStructure, MOST_SIGNS_ON_SIGNS>>, "destRSCode";
        /// Data that the sender and its receivers have agreed on.
        opt dest_blob: Box<[u8]> = BytesUpTo<MAX_TEXT_LENGTH>, "destBlob";
        /// Number of the place's name, 1..=999.
        opt place_name_identification: u16 = Int<u16, 1, 999>, "placeNameIdentification";
        /// Name of the place.
        opt place_name_text: Box<str> = BoxedUtf8<0, MAX_TEXT_LENGTH>, "placeNameText";
    }
}

sequence! {
    /// A sign on a direction sign (`GddStructure`).
    pub struct GddStructure {
        /// Which.
        req pictogram_code: PictogramCode = PictogramCode, "pictogramCode";
        /// What it says; later editions forbid this here.
        opt attributes: List<GddAttribute, 0, 32> = ListExt<GddAttribute, 0, 1, 8, 32>, "attributes";
    }
}

codes! {
    /// Kind of place (`DestinationType`).
    pub enum DestinationType: 0..=15 {
        /// None.
        None = 0,
        /// Important area.
        ImportantArea = 1,
        /// Principal area.
        PrincipalArea = 2,
        /// General area.
        GeneralArea = 3,
        /// Well-known point.
        WellKnownPoint = 4,
        /// Country.
        Country = 5,
        /// City.
        City = 6,
        /// Street.
        Street = 7,
        /// Industrial area.
        IndustrialArea = 8,
        /// Historic area.
        HistoricArea = 9,
        /// Touristic area.
        TouristicArea = 10,
        /// Cultural area.
        CulturalArea = 11,
        /// Touristic route.
        TouristicRoute = 12,
        /// Recommended route.
        RecommendedRoute = 13,
        /// Touristic attraction.
        TouristicAttraction = 14,
        /// Geographic area.
        GeographicArea = 15,
    }
}

sequence! {
    /// One road of a direction sign (`DestinationRoad`).
    pub struct DestinationRoad {
        /// Kind of road.
        req der_type: DestinationRoadType = Ext<DestinationRoadType, 255>, "derType";
        /// Number of the road, 1..=999.
        opt road_number_identifier: u16 = Int<u16, 1, 999>, "roadNumberIdentifier";
        /// Number of the road as text.
        opt road_number_text: Box<str> = BoxedUtf8<0, MAX_TEXT_LENGTH>, "roadNumberText";
    }
}

codes! {
    /// Kind of road (`DestinationRoadType`).
    pub enum DestinationRoadType: 0..=15 {
        /// None.
        None = 0,
        /// National highway.
        NationalHighway = 1,
        /// Local highway.
        LocalHighway = 2,
        /// Toll expressway or motorway.
        TollExpresswayMotorway = 3,
        /// International highway.
        InternationalHighway = 4,
        /// Highway.
        Highway = 5,
        /// Expressway.
        Expressway = 6,
        /// National road.
        NationalRoad = 7,
        /// Regional or provincial road.
        RegionalProvincialRoad = 8,
        /// Local road.
        LocalRoad = 9,
        /// Motorway junction.
        MotorwayJunction = 10,
        /// Diversion.
        Diversion = 11,
    }
}

sequence! {
    /// A stretch of road (`InternationalSign-section`).
    #[derive(Copy, Default, Eq)]
    pub struct Section {
        /// Distance to its start.
        opt starting_point_length: Distance = Distance, "startingPointLength";
        /// Its length.
        opt continuity_length: Distance = Distance, "continuityLength";
    }
}
