//! Lanes, and places on a MAPEM map.

use crate::List;
use crate::cdd::Reading;
use crate::cdd::codec::{
    ConfidencePercent, Int, LaneStatus, LengthDm9b, ListOf, LongitudinalLanePositionConfidence,
    LongitudinalLanePositionValue,
};
use crate::heap::inline;
use crate::uper::declare::{bit_string, choice, codes, enumerated, sequence};

/// Position across the road, counted from the inside of the road (`LanePosition`); 1..=13 are driving lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanePosition(pub i8);

impl LanePosition {
    /// Off the road.
    pub const OFF_THE_ROAD: Self = Self(-1);
    /// Inner hard shoulder.
    pub const INNER_HARD_SHOULDER: Self = Self(0);
    /// Outer hard shoulder.
    pub const OUTER_HARD_SHOULDER: Self = Self(14);
}

enumerated! {
    /// State of a hard shoulder (`HardShoulderStatus`).
    pub enum HardShoulderStatus {
        /// Open for stopping.
        AvailableForStopping "availableForStopping",
        /// Closed.
        Closed "closed",
        /// Open for driving.
        AvailableForDriving "availableForDriving",
    }
}

/// Which driving lanes are closed, the innermost first (`DrivingLaneStatus`, 1 to 13 lanes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrivingLaneStatus {
    /// Number of lanes described, 1..=13.
    pub lanes: u8,
    /// Bit `i` (weight `1 << i`): lane `i` from the inside is closed.
    pub closed: u16,
}

sequence! {
    /// Closed lanes (`ClosedLanes`).
    #[derive(Copy, Default)]
    pub struct ClosedLanes {
        /// Inner hard shoulder.
        opt innerhard_shoulder_status: HardShoulderStatus = HardShoulderStatus, "innerhardShoulderStatus";
        /// Outer hard shoulder.
        opt outerhard_shoulder_status: HardShoulderStatus = HardShoulderStatus, "outerhardShoulderStatus";
        /// Driving lanes.
        opt driving_lane_status: DrivingLaneStatus = LaneStatus, "drivingLaneStatus";
        ...;
    }
}

codes! {
    /// Use of a lane (`LaneType`).
    #[derive(Default)]
    pub enum LaneType: 0..=31 {
        /// Ordinary traffic.
        #[default]
        Traffic = 0,
        /// Through traffic.
        Through = 1,
        /// Reversible.
        Reversible = 2,
        /// Acceleration lane.
        Acceleration = 3,
        /// Deceleration lane.
        Deceleration = 4,
        /// Left turn.
        LeftHandTurning = 5,
        /// Right turn.
        RightHandTurning = 6,
        /// Dedicated vehicles.
        DedicatedVehicle = 7,
        /// Buses.
        Bus = 8,
        /// Taxis.
        Taxi = 9,
        /// High-occupancy vehicles.
        Hov = 10,
        /// High-occupancy toll.
        Hot = 11,
        /// Pedestrians.
        Pedestrian = 12,
        /// Cycles.
        CycleLane = 13,
        /// Median.
        Median = 14,
        /// Striping.
        Striping = 15,
        /// Trams.
        TrackedVehicle = 16,
        /// Parking.
        Parking = 17,
        /// Emergency lane.
        Emergency = 18,
        /// Verge.
        Verge = 19,
        /// Minimum-risk manoeuvre.
        MinimumRiskManoeuvre = 20,
        /// Cycles only.
        ExclusiveCycleLane = 21,
        /// Not known.
        Unknown = 31,
    }
}

codes! {
    /// Direction of a lane relative to a reference direction (`Direction`).
    #[derive(Default)]
    pub enum Direction: 0..=3 {
        /// Same.
        #[default]
        SameDirection = 0,
        /// Opposite.
        OppositeDirection = 1,
        /// Both.
        BothDirections = 2,
        /// Not known.
        Unavailable = 3,
    }
}

sequence! {
    /// Position across the road and the lane's use (`LanePositionAndType`).
    #[derive(Copy)]
    pub struct LanePositionAndType {
        /// Position.
        req transversal_position: LanePosition = LanePosition, "transversalPosition";
        /// Use.
        def(LaneType::Traffic) lane_type: LaneType = LaneType, "laneType";
        /// Direction.
        def(Direction::SameDirection) direction: Direction = Direction, "direction";
        ...;
    }
}

sequence! {
    /// Position in a lane (`LanePositionWithLateralDetails`).
    #[derive(Copy)]
    pub struct LanePositionWithLateralDetails {
        /// Position.
        req transversal_position: LanePosition = LanePosition, "transversalPosition";
        /// Use.
        def(LaneType::Traffic) lane_type: LaneType = LaneType, "laneType";
        /// Direction.
        def(Direction::SameDirection) direction: Direction = Direction, "direction";
        /// Metres to the left border (0.1 m).
        req distance_to_left_border_m: f32 = LengthDm9b, "distanceToLeftBorder";
        /// Metres to the right border (0.1 m).
        req distance_to_right_border_m: f32 = LengthDm9b, "distanceToRightBorder";
        ...;
    }
}

sequence! {
    /// On an island between two lanes (`TrafficIslandPosition`).
    #[derive(Copy)]
    pub struct TrafficIslandPosition {
        /// Lane on one side.
        req one_side: LanePositionAndType = LanePositionAndType, "oneSide";
        /// Lane on the other side.
        req other_side: LanePositionAndType = LanePositionAndType, "otherSide";
        ...;
    }
}

choice! {
    /// A position across the road (`LanePositionOptions`).
    pub enum LanePositionOptions {
        /// Lane number.
        SimplelanePosition(LanePosition) = LanePosition, "simplelanePosition";
        /// Use of the lane.
        SimpleLaneType(LaneType) = LaneType, "simpleLaneType";
        /// Lane number and use.
        DetailedlanePosition(LanePositionAndType) = LanePositionAndType, "detailedlanePosition";
        /// Lane number and distances to its borders.
        LanePositionWithLateralDetails(LanePositionWithLateralDetails) = LanePositionWithLateralDetails, "lanePositionWithLateralDetails";
        /// Traffic island.
        TrafficIslandPosition(TrafficIslandPosition) = TrafficIslandPosition, "trafficIslandPosition";
        ...;
    }
}

choice! {
    /// A road segment or intersection of a MAPEM (`MapReference`).
    #[derive(Copy, Eq)]
    pub enum MapReference {
        /// Road segment.
        RoadSegment(MapElementId) = MapElementId, "roadsegment";
        /// Intersection.
        Intersection(MapElementId) = MapElementId, "intersection";
    }
}

sequence! {
    /// Identifier of a road segment or intersection (`RoadSegmentReferenceId`, `IntersectionReferenceId`).
    #[derive(Copy, Default, Eq)]
    pub struct MapElementId {
        /// Region that issued it.
        opt region: u16 = Int<u16, 0, 65535>, "region";
        /// Number in that region.
        req id: u16 = Int<u16, 0, 65535>, "id";
    }
}

sequence! {
    /// Position along a lane (`LongitudinalLanePosition`).
    #[derive(Copy, Default)]
    pub struct LongitudinalLanePosition {
        /// Metres from the start of the lane (0.1 m).
        req value_m: Option<Reading> = LongitudinalLanePositionValue, "longitudinalLanePositionValue";
        /// 95 % accuracy, metres (0.1 m).
        req confidence_m: Option<Reading> = LongitudinalLanePositionConfidence, "longitudinalLanePositionConfidence";
    }
}

sequence! {
    /// A place on a map (`MapPosition`): a lane or a connection of a road segment or intersection.
    #[derive(Copy, Default)]
    pub struct MapPosition {
        /// Map element.
        opt map_reference: MapReference = MapReference, "mapReference";
        /// Lane; exactly one of lane and connection is given.
        opt lane_id: u8 = Int<u8, 0, 255>, "laneId";
        /// Connection.
        opt connection_id: u8 = Int<u8, 0, 255>, "connectionId";
        /// Position along it.
        opt longitudinal_lane_position: LongitudinalLanePosition = LongitudinalLanePosition, "longitudinalLanePosition";
        ...;
    }
}

bit_string! {
    /// Kinds of sensors that an information rests on (`SensorTypes`).
    pub struct SensorTypes: 16, extensible {
        /// Undefined.
        UNDEFINED = 0,
        /// Radar.
        RADAR = 1,
        /// Lidar.
        LIDAR = 2,
        /// One camera.
        MONOVIDEO = 3,
        /// Stereo camera.
        STEREOVISION = 4,
        /// Night vision.
        NIGHTVISION = 5,
        /// Ultrasonic.
        ULTRASONIC = 6,
        /// Photonic mixing device.
        PMD = 7,
        /// Induction loop.
        INDUCTION_LOOP = 8,
        /// Spherical camera.
        SPHERICAL_CAMERA = 9,
        /// Ultra-wideband.
        UWB = 10,
        /// Acoustic.
        ACOUSTIC = 11,
        /// Local fusion.
        LOCAL_AGGREGATION = 12,
        /// Fusion of ITS messages.
        ITS_AGGREGATION = 13,
        /// RFID.
        RFID = 14,
    }
}

bit_string! {
    /// Kinds of stored information that an information rests on (`StoredInformationType`).
    pub struct StoredInformationType: 8, extensible {
        /// Undefined.
        UNDEFINED = 0,
        /// Static database.
        STATIC_DB = 1,
        /// Dynamic database.
        DYNAMIC_DB = 2,
        /// Real-time database.
        REAL_TIME_DB = 3,
        /// Map.
        MAP = 4,
    }
}

sequence! {
    /// What an information rests on (`MetaInformation`).
    #[derive(Copy, Default)]
    pub struct MetaInformation {
        /// Sensors.
        req used_detection_information: SensorTypes = SensorTypes, "usedDetectionInformation";
        /// Stored information.
        req used_stored_information: StoredInformationType = StoredInformationType, "usedStoredInformation";
        /// Confidence 1..=100 %; the inner `None` is "unavailable".
        opt confidence_value_percent: Option<u8> = ConfidencePercent, "confidenceValue";
        ...;
    }
}

sequence! {
    /// A place across the road and on the map, with its confidence (`GeneralizedLanePosition`).
    pub struct GeneralizedLanePosition {
        /// Across the road.
        req lane_position_based: LanePositionOptions = LanePositionOptions, "lanePositionBased";
        /// On the map.
        opt map_based: MapPosition = MapPosition, "mapBased";
        /// Confidence.
        req confidence: MetaInformation = MetaInformation, "confidence";
        ...;
    }
}

/// Up to four possible places (`GeneralizedLanePositions`).
pub type GeneralizedLanePositions = List<GeneralizedLanePosition, { inline(1, 4) }, 4>;
/// Codec of [`GeneralizedLanePositions`].
pub(crate) type GeneralizedLanePositionsCodec = ListOf<GeneralizedLanePosition, { inline(1, 4) }, 1, 4>;

sequence! {
    /// Lanes that an event occupies (`OccupiedLanesWithConfidence`).
    pub struct OccupiedLanes {
        /// Across the road.
        req lane_position_based: List<LanePositionOptions, { inline(1, 4) }, 4> = ListOf<LanePositionOptions, { inline(1, 4) }, 1, 4>, "lanePositionBased";
        /// On the map.
        opt map_based: List<MapPosition, { inline(1, 4) }, 4> = ListOf<MapPosition, { inline(1, 4) }, 1, 4>, "mapBased";
        /// Confidence.
        req confidence: MetaInformation = MetaInformation, "confidence";
        ...;
    }
}
