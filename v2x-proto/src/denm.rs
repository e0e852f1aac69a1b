//! Decentralized environmental notification message (TS 103 831 v2.3.1; EN 302 637-3 v1.3.1 is the same on the wire
//! save for release 2's extension additions).
//!
//! In: an event as plain values. Out: a [`Denm`]. Absent: when to send one (a facility decides).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::message::message;
use crate::uper::UnknownExtensions;
use crate::uper::declare::{enumerated, sequence};

message! {
    /// Decentralized environmental notification message (`DENM`): header with protocol version 2 and message id 1.
    pub struct Denm: "DENM", MessageId::Denm, version 2, in_place {
        /// Content.
        denm: DenmPayload, "denm";
    }
}

impl Denm {
    /// A DENM sent by `station_id`.
    pub fn new(station_id: StationId, denm: DenmPayload) -> Self {
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Denm, station_id },
            denm,
            unknown_extensions: UnknownExtensions::default(),
        }
    }
}

sequence! {
    /// Content of a DENM (`DenmPayload`). A termination has the management container only; any other DENM has situation
    /// and location.
    #[derive(Default)]
    pub struct DenmPayload in_place {
        /// Which event, where, until when.
        req management: ManagementContainer = ManagementContainer, "management";
        /// What happened.
        opt situation: SituationContainer = SituationContainer, "situation";
        /// How to reach it.
        opt location: LocationContainer = LocationContainer, "location";
        /// What the kind of event adds.
        opt alacarte: AlacarteContainer = AlacarteContainer, "alacarte";
    }
}

sequence! {
    /// Which event, where, until when (`ManagementContainer`).
    #[derive(Copy, Default)]
    pub struct ManagementContainer {
        /// Identifier of the event.
        req action_id: ActionId = ActionId, "actionId" | "actionID";
        /// When it was detected.
        req detection_time: TimestampIts = TimestampItsCodec, "detectionTime";
        /// When this version of the message was made.
        req reference_time: TimestampIts = TimestampItsCodec, "referenceTime";
        /// Whether the event is over.
        opt termination: Termination = Termination, "termination";
        /// Where it is.
        req event_position: ReferencePosition = ReferencePosition, "eventPosition";
        /// Distance within which it matters.
        opt awareness_distance: StandardLength3b = StandardLength3b, "awarenessDistance" | "relevanceDistance";
        /// Traffic for which it matters.
        opt traffic_direction: TrafficDirection = TrafficDirection, "trafficDirection" | "relevanceTrafficDirection";
        /// Seconds from the detection time for which it is valid, 0..=86400.
        def(ManagementContainer::DEFAULT_VALIDITY_S) validity_duration_s: u32 = Int<u32, 0, 86_400>, "validityDuration";
        /// Milliseconds between repetitions, 1..=10000.
        opt transmission_interval_ms: u16 = Int<u16, 1, 10_000>, "transmissionInterval";
        /// Kind of the station that detected it.
        req station_type: StationType = StationType, "stationType";
        ...;
    }
}

impl ManagementContainer {
    /// Validity when none is stated, seconds.
    pub const DEFAULT_VALIDITY_S: u32 = 600;
}

enumerated! {
    /// Why a DENM ends an event (`Termination`).
    pub enum Termination {
        /// Its originator says it is over.
        IsCancellation "isCancellation",
        /// Another station says it is over.
        IsNegation "isNegation",
    }
}

enumerated! {
    /// Distance class (`StandardLength3b`, `RelevanceDistance`).
    pub enum StandardLength3b {
        /// Less than 50 m.
        LessThan50m "lessThan50m",
        /// Less than 100 m.
        LessThan100m "lessThan100m",
        /// Less than 200 m.
        LessThan200m "lessThan200m",
        /// Less than 500 m.
        LessThan500m "lessThan500m",
        /// Less than 1 km.
        LessThan1000m "lessThan1000m",
        /// Less than 5 km.
        LessThan5km "lessThan5km",
        /// Less than 10 km.
        LessThan10km "lessThan10km",
        /// 10 km or more.
        Over10km "over10km",
    }
}

enumerated! {
    /// Traffic for which an event matters (`TrafficDirection`, `RelevanceTrafficDirection`).
    pub enum TrafficDirection {
        /// All.
        AllTrafficDirections "allTrafficDirections",
        /// Upstream of the event.
        UpstreamTraffic "sameAsReferenceDirection-upstreamOfReferencePosition" | "upstreamTraffic",
        /// Downstream of the event.
        DownstreamTraffic "sameAsReferenceDirection-downstreamOfReferencePosition" | "downstreamTraffic",
        /// Opposite.
        OppositeTraffic "oppositeToReferenceDirection" | "oppositeTraffic",
    }
}

sequence! {
    /// What happened (`SituationContainer`).
    pub struct SituationContainer {
        /// 0 (unknown) to 7 (best).
        req information_quality: u8 = Int<u8, 0, 7>, "informationQuality";
        /// Cause.
        req event_type: CauseCode = CauseCode, "eventType";
        /// Cause that goes with it.
        opt linked_cause: CauseCode = CauseCode, "linkedCause";
        /// Zone of the event.
        opt event_zone: EventZone = ListOf<EventPoint, { inline(0, 23) }, 1, 23>, "eventZone" | "eventHistory";
        ...;
        [[
            /// Other DENMs about it.
            opt linked_denms: ActionIdList = ActionIdListCodec, "linkedDenms";
            /// Where it ends along the road, metres (0.1 m); the inner `None` is "unavailable".
            opt event_end_m: Option<Reading> = Position1d, "eventEnd";
        ]]
        [[
            /// Factor on `event_end_m`.
            opt event_end_factor: MultiplicativeFactor = MultiplicativeFactor, "eventEndFactor";
            /// Whether the sender perceived the event itself.
            opt perceived_event: bool = bool, "perceivedEvent";
        ]]
    }
}

/// Up to 23 points of an event's zone (`EventZone`, `EventHistory`).
pub type EventZone = List<EventPoint, { inline(0, 23) }, 23>;
/// References to events (`ActionIdList`, `ReferenceDenms`); the standard names up to 8 and allows more.
pub type ActionIdList = List<ActionId, { inline(1, 8) }, 64>;
/// Codec of [`ActionIdList`].
pub(crate) type ActionIdListCodec = ListExt<ActionId, { inline(1, 8) }, 1, 8, 64>;

sequence! {
    /// A point of an event's zone (`EventPoint`).
    #[derive(Copy, Default)]
    pub struct EventPoint {
        /// Offset from the point before, the first one from the event position.
        req event_position: DeltaReferencePosition = DeltaReferencePosition, "eventPosition";
        /// Time travelled since then, milliseconds (10 ms).
        opt event_delta_time_ms: u32 = PathDeltaTime, "eventDeltaTime";
        /// 0 (unknown) to 7 (best).
        req information_quality: u8 = Int<u8, 0, 7>, "informationQuality";
    }
}

enumerated! {
    /// A factor (`MultiplicativeFactor`).
    pub enum MultiplicativeFactor {
        /// 0.1.
        Tenth "tenth",
        /// 0.5.
        Half "half",
        /// 2.
        Two "two",
        /// 3.
        Three "three",
        /// 5.
        Five "five",
        /// 10.
        Ten "ten",
        /// 50.
        Fifty "fifty",
        /// 100.
        Hundred "hundred",
        ...
    }
}

sequence! {
    /// How to reach an event (`LocationContainer`).
    #[derive(Default)]
    pub struct LocationContainer in_place {
        /// Speed of a moving event.
        opt event_speed: Speed = Speed, "eventSpeed";
        /// Direction of the event.
        opt event_position_heading: Wgs84Angle = Wgs84Angle, "eventPositionHeading";
        /// Paths that lead to it, one at least.
        req detection_zones_to_event_position: Traces = ListOf<PathCodec, { inline(1, 7) }, 1, 7>, "detectionZonesToEventPosition" | "traces";
        /// Kind of road.
        opt road_type: RoadType = RoadType, "roadType";
        ...;
        [[
            /// Lanes.
            opt lane_positions: GeneralizedLanePositions = GeneralizedLanePositionsCodec, "lanePositions";
            /// Lanes that it occupies.
            opt occupied_lanes: OccupiedLanes = OccupiedLanes, "occupiedLanes";
            /// Related IVIMs.
            opt linked_ivims: List<IvimReference, { inline(1, 4) }, 64> = ListExt<IvimReference, { inline(1, 4) }, 1, 8, 64>, "linkedIvims";
            /// Related MAPEM elements.
            opt linked_mapems: List<MapReference, { inline(1, 4) }, 64> = ListExt<MapReference, { inline(1, 4) }, 1, 8, 64>, "linkedMapems";
            /// Paths that lead to points of its zone.
            opt detection_zones_to_specified_event_point: List<PathExtended, { inline(0, 1) }, 7> = ListOf<PathExtended, { inline(0, 1) }, 1, 7>, "detectionZonesToSpecifiedEventPoint";
            /// Where it moves.
            opt predicted_paths: PathPredictedList = PathPredictedListCodec, "predictedPaths";
        ]]
    }
}

sequence! {
    /// What the kind of event adds (`AlacarteContainer`).
    #[derive(Default)]
    pub struct AlacarteContainer {
        /// Lane.
        opt lane_position: LanePosition = LanePosition, "lanePosition";
        /// Impact reduction.
        opt impact_reduction: ImpactReductionContainer = ImpactReductionContainer, "impactReduction";
        /// Degrees Celsius, -60..=67.
        opt external_temperature_degc: i8 = Int<i8, -60, 67>, "externalTemperature";
        /// Road works.
        opt road_works: RoadWorksContainerExtended = RoadWorksContainerExtended, "roadWorks";
        /// How the position was found.
        opt positioning_solution: PositioningSolutionType = PositioningSolutionType, "positioningSolution";
        /// Stationary vehicle.
        opt stationary_vehicle: StationaryVehicleContainer = StationaryVehicleContainer, "stationaryVehicle";
        ...;
        [[
            /// Road configuration.
            opt road_configuration: RoadConfigurationContainer = RoadConfigurationContainer, "roadConfiguration";
            /// What is about to be hit.
            opt pre_crash: Box<PreCrashContainer> = OnHeap<PreCrashContainer>, "preCrash";
        ]]
    }
}

sequence! {
    /// Stationary vehicle (`StationaryVehicleContainer`).
    #[derive(Default)]
    pub struct StationaryVehicleContainer {
        /// Since when.
        opt stationary_since: StationarySince = StationarySince, "stationarySince";
        /// Why.
        opt stationary_cause: CauseCode = CauseCode, "stationaryCause";
        /// Dangerous goods on board.
        opt carrying_dangerous_goods: DangerousGoodsExtended = DangerousGoodsExtended, "carryingDangerousGoods";
        /// People on board, 0..=125; the inner `None` is "unavailable".
        opt number_of_occupants: Option<Reading<u8>> = NumberOfOccupants, "numberOfOccupants";
        /// Manufacturer and model.
        opt vehicle_identification: VehicleIdentification = VehicleIdentification, "vehicleIdentification";
        /// Energy on board.
        opt energy_storage_type: EnergyStorageType = EnergyStorageType, "energyStorageType";
    }
}

enumerated! {
    /// How long a vehicle has been stationary (`StationarySince`).
    pub enum StationarySince {
        /// Less than a minute.
        LessThan1Minute "lessThan1Minute",
        /// Less than two minutes.
        LessThan2Minutes "lessThan2Minutes",
        /// Less than 15 minutes.
        LessThan15Minutes "lessThan15Minutes",
        /// 15 minutes or more.
        EqualOrGreater15Minutes "equalOrGreater15Minutes",
    }
}

enumerated! {
    /// How a position was found (`PositioningSolutionType`).
    pub enum PositioningSolutionType {
        /// Not at all.
        NoPositioningSolution "noPositioningSolution",
        /// GNSS.
        SGnss "sGNSS",
        /// Differential GNSS.
        DGnss "dGNSS",
        /// GNSS and dead reckoning.
        SGnssPlusDr "sGNSSplusDR",
        /// Differential GNSS and dead reckoning.
        DGnssPlusDr "dGNSSplusDR",
        /// Dead reckoning.
        Dr "dR",
        ...
        /// Set by an operator (release 2).
        + ManuallyByOperator "manuallyByOperator",
    }
}

sequence! {
    /// Vehicle geometry for impact reduction (`ImpactReductionContainer`).
    pub struct ImpactReductionContainer {
        /// Height of the left longitudinal carrier, metres (0.01 m).
        req height_lon_carr_left_m: Option<Reading> = HeightLonCarr, "heightLonCarrLeft";
        /// Height of the right longitudinal carrier, metres (0.01 m).
        req height_lon_carr_right_m: Option<Reading> = HeightLonCarr, "heightLonCarrRight";
        /// Position of the left longitudinal carrier, metres (0.01 m).
        req pos_lon_carr_left_m: Option<Reading> = PosLonCarr, "posLonCarrLeft";
        /// Position of the right longitudinal carrier, metres (0.01 m).
        req pos_lon_carr_right_m: Option<Reading> = PosLonCarr, "posLonCarrRight";
        /// Positions of the pillars, metres (0.1 m).
        req position_of_pillars_m: List<Option<Reading>, 3, 16> = ListExt<PosPillar, 3, 1, 3, 16>, "positionOfPillars";
        /// Centre of mass from the front, metres (0.1 m).
        req pos_cent_mass_m: Option<Reading> = PosCentMass, "posCentMass";
        /// Wheel base, metres (0.1 m).
        req wheel_base_vehicle_m: Option<Reading> = WheelBaseVehicle, "wheelBaseVehicle";
        /// Turning radius, metres (0.4 m).
        req turning_radius_m: Option<Reading> = TurningRadius, "turningRadius";
        /// Front axle from the front, metres (0.1 m).
        req pos_front_ax_m: Option<Reading> = PosFrontAx, "posFrontAx";
        /// Seats taken.
        req position_of_occupants: PositionOfOccupants = PositionOfOccupants, "positionOfOccupants";
        /// Kilograms (100 kg).
        req vehicle_mass_kg: Option<Reading<u32>> = VehicleMass, "vehicleMass";
        /// Request or response.
        req request_response_indication: RequestResponseIndication = RequestResponseIndication, "requestResponseIndication";
    }
}

crate::uper::declare::bit_string! {
    /// Seats taken, five bits a row (`PositionOfOccupants`).
    pub struct PositionOfOccupants: 20 {
        /// Row 1, left.
        ROW1_LEFT_OCCUPIED = 0,
        /// Row 1, right.
        ROW1_RIGHT_OCCUPIED = 1,
        /// Row 1, middle.
        ROW1_MID_OCCUPIED = 2,
        /// Row 1 cannot be sensed.
        ROW1_NOT_DETECTABLE = 3,
        /// There is no row 1.
        ROW1_NOT_PRESENT = 4,
        /// Row 2, left.
        ROW2_LEFT_OCCUPIED = 5,
        /// Row 2, right.
        ROW2_RIGHT_OCCUPIED = 6,
        /// Row 2, middle.
        ROW2_MID_OCCUPIED = 7,
        /// Row 2 cannot be sensed.
        ROW2_NOT_DETECTABLE = 8,
        /// There is no row 2.
        ROW2_NOT_PRESENT = 9,
        /// Row 3, left.
        ROW3_LEFT_OCCUPIED = 10,
        /// Row 3, right.
        ROW3_RIGHT_OCCUPIED = 11,
        /// Row 3, middle.
        ROW3_MID_OCCUPIED = 12,
        /// Row 3 cannot be sensed.
        ROW3_NOT_DETECTABLE = 13,
        /// There is no row 3.
        ROW3_NOT_PRESENT = 14,
        /// Row 4, left.
        ROW4_LEFT_OCCUPIED = 15,
        /// Row 4, right.
        ROW4_RIGHT_OCCUPIED = 16,
        /// Row 4, middle.
        ROW4_MID_OCCUPIED = 17,
        /// Row 4 cannot be sensed.
        ROW4_NOT_DETECTABLE = 18,
        /// There is no row 4.
        ROW4_NOT_PRESENT = 19,
    }
}

enumerated! {
    /// Request or response (`RequestResponseIndication`).
    pub enum RequestResponseIndication {
        /// Request.
        Request "request",
        /// Response.
        Response "response",
    }
}

sequence! {
    /// What is about to be hit (`PreCrashContainer`).
    pub struct PreCrashContainer {
        /// The object.
        req perceived_pre_crash_object: PerceivedObject = PerceivedObject, "perceivedPreCrashObject";
        /// Its station, if it has one.
        opt object_station_id: StationId = StationIdCodec, "objectStationId";
        /// Time to the collision, milliseconds, 1..=10000.
        opt time_to_collision_ms: u16 = Int<u16, 1, 10_000>, "timeToCollision";
        /// Side of the object that is hit.
        opt impact_section: ObjectFace = ObjectFace, "impactSection";
        /// Braking distance, metres (0.1 m).
        opt estimated_braking_distance_m: f32 = LengthDm12b, "estimatedBrakingDistance";
        ...;
    }
}

enumerated! {
    /// Side of an object (`ObjectFace`).
    pub enum ObjectFace {
        /// Front.
        Front "front",
        /// Left side, front half.
        SideLeftFront "sideLeftFront",
        /// Left side, back half.
        SideLeftBack "sideLeftBack",
        /// Right side, front half.
        SideRightFront "sideRightFront",
        /// Right side, back half.
        SideRightBack "sideRightBack",
        /// Back.
        Back "back",
    }
}

sequence! {
    /// Road configuration (`RoadConfigurationContainer`).
    #[derive(Default)]
    pub struct RoadConfigurationContainer {
        /// What it rests on.
        req road_configuration_confidence: MetaInformation = MetaInformation, "roadConfigurationConfidence";
        /// Sections.
        req road_configuration_section_list: List<RoadConfigurationSection, { inline(0, 4) }, 64> = ListExt<RoadConfigurationSection, { inline(0, 4) }, 1, 8, 64>, "roadConfigurationSectionList";
        ...;
    }
}

sequence! {
    /// Road works (`RoadWorksContainerExtended`).
    #[derive(Default)]
    pub struct RoadWorksContainerExtended {
        /// Light bar and siren.
        opt light_bar_siren_in_use: LightBarSirenInUse = LightBarSirenInUse, "lightBarSirenInUse";
        /// Closed lanes.
        opt closed_lanes: ClosedLanes = ClosedLanes, "closedLanes";
        /// Vehicles that may not pass.
        opt restriction: List<StationType, 3, 16> = ListExt<StationType, 3, 1, 3, 16>, "restriction";
        /// Kilometres per hour, 1..=255.
        opt speed_limit_kmph: u8 = Int<u8, 1, 255>, "speedLimit";
        /// Incident.
        opt incident_indication: CauseCode = CauseCode, "incidentIndication";
        /// Way round, 1 to 40 points.
        opt recommended_path: List<ReferencePosition, { inline(0, 8) }, 40> = ListOf<ReferencePosition, { inline(0, 8) }, 1, 40>, "recommendedPath";
        /// Where the speed limit starts.
        opt starting_point_speed_limit: DeltaReferencePosition = DeltaReferencePosition, "startingPointSpeedLimit";
        /// Rule for passing.
        opt traffic_flow_rule: TrafficRule = TrafficRule, "trafficFlowRule";
        /// Related DENMs.
        opt reference_denms: ActionIdList = ActionIdListCodec, "referenceDenms";
    }
}
