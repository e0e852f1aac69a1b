//! Lanes of a map: what they are for, and where they lead.

use crate::List;
use crate::cdd::codec::{Int, ListOf, OnHeap};
use crate::dsrc::codec::{
    Angle, ByteId, DrivenLineOffsetLarge, DrivenLineOffsetSmall, NameCodec, OtherRegionalsCodec, RegionalOf,
    RegionalsOf, ScaleB12,
};
use crate::dsrc::{
    ConnectionTrajectoryAddGrpC, DescriptiveName, IntersectionReferenceId, LaneAttributesAddGrpC, OtherRegionals,
    Regional, Regionals, SignalGroupId,
};
use crate::heap::{Box, inline};
use crate::mapem::{NodeSet, NodeSetCodec};
use crate::uper::declare::{bit_string, choice, sequence};

/// Lanes (`LaneList`, `RoadLaneSetList`), 1 to 255.
pub type LaneList = List<GenericLane, { inline(0, 16) }, 255>;
pub(super) type LaneListCodec = ListOf<GenericLane, { inline(0, 16) }, 1, 255>;

sequence! {
    /// A lane (`GenericLane`).
    pub struct GenericLane {
        /// Number of the lane, 1..=254; 0 is not known, 255 reserved.
        req lane_id: u8 = ByteId, "laneID";
        /// Name for people.
        opt name: DescriptiveName = NameCodec, "name";
        /// Approach that it belongs to on the way in, 1..=15; 0 is not known.
        opt ingress_approach: u8 = Int<u8, 0, 15>, "ingressApproach";
        /// Approach that it belongs to on the way out, 1..=15; 0 is not known.
        opt egress_approach: u8 = Int<u8, 0, 15>, "egressApproach";
        /// What it is for.
        req lane_attributes: LaneAttributes = LaneAttributes, "laneAttributes";
        /// Manoeuvres that are allowed at its end.
        opt maneuvers: AllowedManeuvers = AllowedManeuvers, "maneuvers";
        /// Where it runs; the first node is at the stop line.
        req node_list: NodeList = NodeList, "nodeList";
        /// Lanes that it leads to.
        opt connects_to: ConnectsTo = ListOf<Connection, { inline(0, 4) }, 1, 16>, "connectsTo";
        /// Lanes that it lies upon.
        opt overlays: List<u8, 5, 5> = ListOf<ByteId, 5, 1, 5>, "overlays";
        /// What Europe and other regions add.
        opt regional: Regionals<ConnectionTrajectoryAddGrpC> = RegionalsOf<ConnectionTrajectoryAddGrpC>, "regional";
        ...;
    }
}

impl GenericLane {
    /// A lane along `nodes`.
    pub fn new(lane_id: u8, lane_attributes: LaneAttributes, nodes: NodeSet) -> Self {
        Self {
            lane_id,
            name: None,
            ingress_approach: None,
            egress_approach: None,
            lane_attributes,
            maneuvers: None,
            node_list: NodeList::Nodes(nodes),
            connects_to: None,
            overlays: None,
            regional: None,
        }
    }
}

sequence! {
    /// What a lane is for (`LaneAttributes`).
    pub struct LaneAttributes {
        /// Directions of travel.
        req directional_use: LaneDirection = LaneDirection, "directionalUse";
        /// Who else may use it.
        req shared_with: LaneSharing = LaneSharing, "sharedWith";
        /// Kind.
        req lane_type: LaneTypeAttributes = LaneTypeAttributes, "laneType";
        /// Limits of height and mass, and what other regions add.
        opt regional: Regional<LaneAttributesAddGrpC> = RegionalOf<LaneAttributesAddGrpC>, "regional";
    }
}

impl LaneAttributes {
    /// Attributes without regional additions.
    pub fn new(directional_use: LaneDirection, shared_with: LaneSharing, lane_type: LaneTypeAttributes) -> Self {
        Self { directional_use, shared_with, lane_type, regional: None }
    }
}

bit_string! {
    /// Directions of travel (`LaneDirection`).
    pub struct LaneDirection: 2 {
        /// Towards the stop line.
        INGRESS_PATH = 0 "ingressPath",
        /// Away from it.
        EGRESS_PATH = 1 "egressPath",
    }
}

bit_string! {
    /// Who may use a lane too (`LaneSharing`).
    pub struct LaneSharing: 10 {
        /// Another lane lies upon it.
        OVERLAPPING_LANE_DESCRIPTION_PROVIDED = 0 "overlappingLaneDescriptionProvided",
        /// Several lanes described as one.
        MULTIPLE_LANES_TREATED_AS_ONE_LANE = 1 "multipleLanesTreatedAsOneLane",
        /// Other traffic without motors.
        OTHER_NON_MOTORIZED_TRAFFIC_TYPES = 2 "otherNonMotorizedTrafficTypes",
        /// Motor vehicles.
        INDIVIDUAL_MOTORIZED_VEHICLE_TRAFFIC = 3 "individualMotorizedVehicleTraffic",
        /// Buses.
        BUS_VEHICLE_TRAFFIC = 4 "busVehicleTraffic",
        /// Taxis.
        TAXI_VEHICLE_TRAFFIC = 5 "taxiVehicleTraffic",
        /// Pedestrians (SAE J2735's first name).
        PEDESTRIANS_TRAFFIC = 6 "pedestriansTraffic",
        /// Cyclists.
        CYCLIST_VEHICLE_TRAFFIC = 7 "cyclistVehicleTraffic",
        /// Trams and trains.
        TRACKED_VEHICLE_TRAFFIC = 8 "trackedVehicleTraffic",
        /// Pedestrians (the second name).
        PEDESTRIAN_TRAFFIC = 9 "pedestrianTraffic",
    }
}

choice! {
    /// Kind of a lane (`LaneTypeAttributes`).
    #[derive(Eq)]
    pub enum LaneTypeAttributes {
        /// For vehicles.
        Vehicle(LaneAttributesVehicle) = LaneAttributesVehicle, "vehicle";
        /// For pedestrians across the road.
        Crosswalk(LaneAttributesCrosswalk) = LaneAttributesCrosswalk, "crosswalk";
        /// For bicycles.
        BikeLane(LaneAttributesBike) = LaneAttributesBike, "bikeLane";
        /// For pedestrians along the road.
        Sidewalk(LaneAttributesSidewalk) = LaneAttributesSidewalk, "sidewalk";
        /// Medians and barriers.
        Median(LaneAttributesBarrier) = LaneAttributesBarrier, "median";
        /// Striping.
        Striping(LaneAttributesStriping) = LaneAttributesStriping, "striping";
        /// For trams and trains.
        TrackedVehicle(LaneAttributesTrackedVehicle) = LaneAttributesTrackedVehicle, "trackedVehicle";
        /// For parking.
        Parking(LaneAttributesParking) = LaneAttributesParking, "parking";
        ...;
    }
}

bit_string! {
    /// Lane for vehicles (`LaneAttributes-Vehicle`).
    pub struct LaneAttributesVehicle: 8, extensible {
        /// In force only when announced.
        IS_VEHICLE_REVOCABLE_LANE = 0 "isVehicleRevocableLane",
        /// On a bridge.
        IS_VEHICLE_FLY_OVER_LANE = 1 "isVehicleFlyOverLane",
        /// For high-occupancy vehicles.
        HOV_LANE_USE_ONLY = 2 "hovLaneUseOnly",
        /// For buses.
        RESTRICTED_TO_BUS_USE = 3 "restrictedToBusUse",
        /// For taxis.
        RESTRICTED_TO_TAXI_USE = 4 "restrictedToTaxiUse",
        /// Not for the public.
        RESTRICTED_FROM_PUBLIC_USE = 5 "restrictedFromPublicUse",
        /// In reach of an infrared beacon.
        HAS_IR_BEACON_COVERAGE = 6 "hasIRbeaconCoverage",
        /// With permission.
        PERMISSION_ON_REQUEST = 7 "permissionOnRequest",
    }
}

bit_string! {
    /// Crosswalk (`LaneAttributes-Crosswalk`).
    pub struct LaneAttributesCrosswalk: 16 {
        /// In force only when announced.
        CROSSWALK_REVOCABLE_LANE = 0 "crosswalkRevocableLane",
        /// Bicycles too.
        BICYCLE_USE_ALLOWED = 1 "bicyleUseAllowed",
        /// On a bridge.
        IS_XWALK_FLY_OVER_LANE = 2 "isXwalkFlyOverLane",
        /// Fixed cycle.
        FIXED_CYCLE_TIME = 3 "fixedCycleTime",
        /// Both directions at once.
        BI_DIRECTIONAL_CYCLE_TIMES = 4 "biDirectionalCycleTimes",
        /// Push button.
        HAS_PUSH_TO_WALK_BUTTON = 5 "hasPushToWalkButton",
        /// Sound.
        AUDIO_SUPPORT = 6 "audioSupport",
        /// Requests by radio.
        RF_SIGNAL_REQUEST_PRESENT = 7 "rfSignalRequestPresent",
        /// Parts without a signal.
        UNSIGNALIZED_SEGMENTS_PRESENT = 8 "unsignalizedSegmentsPresent",
    }
}

bit_string! {
    /// Bicycle lane (`LaneAttributes-Bike`).
    pub struct LaneAttributesBike: 16 {
        /// In force only when announced.
        BIKE_REVOCABLE_LANE = 0 "bikeRevocableLane",
        /// Pedestrians too.
        PEDESTRIAN_USE_ALLOWED = 1 "pedestrianUseAllowed",
        /// On a bridge.
        IS_BIKE_FLY_OVER_LANE = 2 "isBikeFlyOverLane",
        /// Fixed cycle.
        FIXED_CYCLE_TIME = 3 "fixedCycleTime",
        /// Both directions at once.
        BI_DIRECTIONAL_CYCLE_TIMES = 4 "biDirectionalCycleTimes",
        /// Behind a barrier.
        ISOLATED_BY_BARRIER = 5 "isolatedByBarrier",
        /// Parts without a signal.
        UNSIGNALIZED_SEGMENTS_PRESENT = 6 "unsignalizedSegmentsPresent",
    }
}

bit_string! {
    /// Sidewalk (`LaneAttributes-Sidewalk`).
    pub struct LaneAttributesSidewalk: 16 {
        /// In force only when announced.
        SIDEWALK_REVOCABLE_LANE = 0 "sidewalkRevocableLane",
        /// Bicycles too.
        BICYCLE_USE_ALLOWED = 1 "bicyleUseAllowed",
        /// On a bridge.
        IS_SIDEWALK_FLY_OVER_LANE = 2 "isSidewalkFlyOverLane",
        /// Bicycles are pushed.
        WALK_BIKES = 3 "walkBikes",
    }
}

bit_string! {
    /// Median or barrier (`LaneAttributes-Barrier`).
    pub struct LaneAttributesBarrier: 16 {
        /// In force only when announced.
        MEDIAN_REVOCABLE_LANE = 0 "medianRevocableLane",
        /// Median.
        MEDIAN = 1 "median",
        /// White hatching.
        WHITE_LINE_HASHING = 2 "whiteLineHashing",
        /// Stripes.
        STRIPED_LINES = 3 "stripedLines",
        /// Double stripes.
        DOUBLE_STRIPED_LINES = 4 "doubleStripedLines",
        /// Cones.
        TRAFFIC_CONES = 5 "trafficCones",
        /// Barrier of road works.
        CONSTRUCTION_BARRIER = 6 "constructionBarrier",
        /// Channels.
        TRAFFIC_CHANNELS = 7 "trafficChannels",
        /// Low kerbs.
        LOW_CURBS = 8 "lowCurbs",
        /// High kerbs.
        HIGH_CURBS = 9 "highCurbs",
    }
}

bit_string! {
    /// Striping (`LaneAttributes-Striping`).
    pub struct LaneAttributesStriping: 16 {
        /// In force only when announced.
        STRIPE_TO_CONNECTING_LANES_REVOCABLE_LANE = 0 "stripeToConnectingLanesRevocableLane",
        /// Drawn on the left.
        STRIPE_DRAW_ON_LEFT = 1 "stripeDrawOnLeft",
        /// Drawn on the right.
        STRIPE_DRAW_ON_RIGHT = 2 "stripeDrawOnRight",
        /// To the lanes on the left.
        STRIPE_TO_CONNECTING_LANES_LEFT = 3 "stripeToConnectingLanesLeft",
        /// To the lanes on the right.
        STRIPE_TO_CONNECTING_LANES_RIGHT = 4 "stripeToConnectingLanesRight",
        /// To the lanes ahead.
        STRIPE_TO_CONNECTING_LANES_AHEAD = 5 "stripeToConnectingLanesAhead",
    }
}

bit_string! {
    /// Track (`LaneAttributes-TrackedVehicle`).
    pub struct LaneAttributesTrackedVehicle: 16 {
        /// In force only when announced.
        SPEC_REVOCABLE_LANE = 0 "spec-RevocableLane",
        /// Commuter rail.
        SPEC_COMMUTER_RAIL_ROAD_TRACK = 1 "spec-commuterRailRoadTrack",
        /// Tram.
        SPEC_LIGHT_RAIL_ROAD_TRACK = 2 "spec-lightRailRoadTrack",
        /// Railway.
        SPEC_HEAVY_RAIL_ROAD_TRACK = 3 "spec-heavyRailRoadTrack",
        /// Other.
        SPEC_OTHER_RAIL_TYPE = 4 "spec-otherRailType",
    }
}

bit_string! {
    /// Parking (`LaneAttributes-Parking`).
    pub struct LaneAttributesParking: 16 {
        /// In force only when announced.
        PARKING_REVOCABLE_LANE = 0 "parkingRevocableLane",
        /// Parallel to the kerb.
        PARALLEL_PARKING_IN_USE = 1 "parallelParkingInUse",
        /// Head in.
        HEAD_IN_PARKING_IN_USE = 2 "headInParkingInUse",
        /// No parking.
        DO_NOT_PARK_ZONE = 3 "doNotParkZone",
        /// For buses.
        PARKING_FOR_BUS_USE = 4 "parkingForBusUse",
        /// For taxis.
        PARKING_FOR_TAXI_USE = 5 "parkingForTaxiUse",
        /// Not for the public.
        NO_PUBLIC_PARKING_USE = 6 "noPublicParkingUse",
    }
}

bit_string! {
    /// Manoeuvres that are allowed (`AllowedManeuvers`).
    pub struct AllowedManeuvers: 12 {
        /// Straight on.
        STRAIGHT_ALLOWED = 0 "maneuverStraightAllowed",
        /// Left.
        LEFT_ALLOWED = 1 "maneuverLeftAllowed",
        /// Right.
        RIGHT_ALLOWED = 2 "maneuverRightAllowed",
        /// U-turn.
        U_TURN_ALLOWED = 3 "maneuverUTurnAllowed",
        /// Left at red.
        LEFT_TURN_ON_RED_ALLOWED = 4 "maneuverLeftTurnOnRedAllowed",
        /// Right at red.
        RIGHT_TURN_ON_RED_ALLOWED = 5 "maneuverRightTurnOnRedAllowed",
        /// Lane change.
        LANE_CHANGE_ALLOWED = 6 "maneuverLaneChangeAllowed",
        /// No stopping.
        NO_STOPPING_ALLOWED = 7 "maneuverNoStoppingAllowed",
        /// Give way always.
        YIELD_ALWAYS_REQUIRED = 8 "yieldAllwaysRequired",
        /// Stop, then go.
        GO_WITH_HALT = 9 "goWithHalt",
        /// Caution.
        CAUTION = 10 "caution",
        /// Without meaning.
        RESERVED_1 = 11 "reserved1",
    }
}

choice! {
    /// Where a lane runs (`NodeListXY`).
    pub enum NodeList {
        /// Along nodes.
        Nodes(NodeSet) = NodeSetCodec, "nodes";
        /// Beside another lane.
        Computed(Box<ComputedLane>) = OnHeap<ComputedLane>, "computed";
        ...;
    }
}

sequence! {
    /// A lane that runs beside another one (`ComputedLane`).
    pub struct ComputedLane {
        /// The other lane.
        req reference_lane_id: u8 = ByteId, "referenceLaneId";
        /// Offset towards the east.
        req offset_x_axis: DrivenLineOffset = DrivenLineOffset, "offsetXaxis";
        /// Offset towards the north.
        req offset_y_axis: DrivenLineOffset = DrivenLineOffset, "offsetYaxis";
        /// Rotation about the first node, degrees clockwise (0.0125°).
        opt rotate_xy_deg: Option<f32> = Angle, "rotateXY";
        /// Change of length towards the east, percent (0.05 %, -102.4..102.35 %).
        opt scale_x_axis_percent: f32 = ScaleB12, "scaleXaxis";
        /// Change of length towards the north, percent (0.05 %, -102.4..102.35 %).
        opt scale_y_axis_percent: f32 = ScaleB12, "scaleYaxis";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

choice! {
    /// Offset of a computed lane, metres (0.01 m).
    #[derive(Copy)]
    pub enum DrivenLineOffset {
        /// Up to 20.47 m.
        Small(f32) = DrivenLineOffsetSmall, "small";
        /// Up to 327.67 m.
        Large(f32) = DrivenLineOffsetLarge, "large";
    }
}

/// Lanes that a lane leads to (`ConnectsToList`), 1 to 16.
pub type ConnectsTo = List<Connection, { inline(0, 4) }, 16>;

sequence! {
    /// A way from a lane to another one (`Connection`).
    #[derive(Copy, Default)]
    pub struct Connection {
        /// The other lane.
        req connecting_lane: ConnectingLane = ConnectingLane, "connectingLane";
        /// Its intersection, if another.
        opt remote_intersection: IntersectionReferenceId = IntersectionReferenceId, "remoteIntersection";
        /// Signal group that controls the way.
        opt signal_group: SignalGroupId = SignalGroupId, "signalGroup";
        /// Restriction class that may take it.
        opt user_class: u8 = ByteId, "userClass";
        /// Number of the connection.
        opt connection_id: u8 = ByteId, "connectionID";
    }
}

impl Connection {
    /// A way to `lane` by `maneuver`, controlled by a signal group or by none.
    pub fn new(lane: u8, maneuver: AllowedManeuvers, signal_group: Option<SignalGroupId>) -> Self {
        let connecting_lane = ConnectingLane { lane, maneuver: Some(maneuver) };
        Self { connecting_lane, signal_group, ..Self::default() }
    }
}

sequence! {
    /// A lane that another one leads to (`ConnectingLane`).
    #[derive(Copy, Default)]
    pub struct ConnectingLane {
        /// The lane.
        req lane: u8 = ByteId, "lane";
        /// Manoeuvre that leads there.
        opt maneuver: AllowedManeuvers = AllowedManeuvers, "maneuver";
    }
}
