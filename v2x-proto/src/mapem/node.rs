//! Nodes of a map: where lanes run, and what changes along them.

use crate::List;
use crate::cdd::codec::{Int, ListOf, OnHeap};
use crate::dsrc::codec::{MergeDivergeNodeAngle, Offset10, OtherRegionalsCodec, RegionalsOf, RoadwayCrownAngle};
use crate::dsrc::{NodeAttributeSetAddGrpC, NodeOffsetPoint, OtherRegionals, Regionals, SpeedLimits, SpeedLimitsCodec};
use crate::heap::{Box, inline};
use crate::uper::declare::{choice, enumerated, sequence};

/// Nodes of a path (`NodeSetXY`), 2 to 63.
pub type NodeSet = List<Node, { inline(0, 8) }, 63>;
pub(crate) type NodeSetCodec = ListOf<Node, { inline(0, 8) }, 2, 63>;

sequence! {
    /// A node of a path (`NodeXY`).
    pub struct Node {
        /// Offset from the node before it, of the first one from the reference point.
        req delta: NodeOffsetPoint = NodeOffsetPoint, "delta";
        /// What begins, ends or is there.
        opt attributes: Box<NodeAttributeSet> = OnHeap<NodeAttributeSet>, "attributes";
        ...;
    }
}

impl Node {
    /// A node `x_m` metres east and `y_m` metres north of the one before it; `None` beyond 327.67 m.
    pub fn from_offset(x_m: f32, y_m: f32) -> Option<Self> {
        Some(Self { delta: NodeOffsetPoint::from_offset(x_m, y_m)?, attributes: None })
    }
}

sequence! {
    /// What begins, ends or is at a node (`NodeAttributeSetXY`).
    #[derive(Default)]
    pub struct NodeAttributeSet {
        /// What is at the node, 1 to 8.
        opt local_node: List<NodeAttribute, 8, 8> = ListOf<NodeAttribute, 8, 1, 8>, "localNode";
        /// What ends at the node, 1 to 8.
        opt disabled: SegmentAttributes = SegmentAttributesCodec, "disabled";
        /// What begins at the node, 1 to 8.
        opt enabled: SegmentAttributes = SegmentAttributesCodec, "enabled";
        /// Values at the node, 1 to 8.
        opt data: List<LaneDataAttribute, 0, 8> = ListOf<LaneDataAttribute, 0, 1, 8>, "data";
        /// By how much the lane gets wider, metres (0.01 m, -5.12..5.11 m).
        opt d_width_m: f32 = Offset10, "dWidth";
        /// By how much the lane gets higher, metres (0.01 m, -5.12..5.11 m).
        opt d_elevation_m: f32 = Offset10, "dElevation";
        /// What Europe and other regions add.
        opt regional: Regionals<NodeAttributeSetAddGrpC> = RegionalsOf<NodeAttributeSetAddGrpC>, "regional";
        ...;
    }
}

enumerated! {
    /// What is at a node (`NodeAttributeXY`).
    pub enum NodeAttribute {
        /// Without meaning.
        Reserved "reserved",
        /// Stop line.
        StopLine "stopLine",
        /// Rounded end, form A.
        RoundedCapStyleA "roundedCapStyleA",
        /// Rounded end, form B.
        RoundedCapStyleB "roundedCapStyleB",
        /// Lanes merge.
        MergePoint "mergePoint",
        /// Lanes diverge.
        DivergePoint "divergePoint",
        /// Stop line further on.
        DownstreamStopLine "downstreamStopLine",
        /// Lanes further on begin.
        DownstreamStartNode "downstreamStartNode",
        /// Closed to traffic.
        ClosedToTraffic "closedToTraffic",
        /// Refuge.
        SafeIsland "safeIsland",
        /// Kerb where one steps off.
        CurbPresentAtStepOff "curbPresentAtStepOff",
        /// Hydrant.
        HydrantPresent "hydrantPresent",
        ...
    }
}

/// What begins or ends at a node (`SegmentAttributeXYList`), 1 to 8.
pub type SegmentAttributes = List<SegmentAttribute, 8, 8>;
type SegmentAttributesCodec = ListOf<SegmentAttribute, 8, 1, 8>;

enumerated! {
    /// What begins or ends at a node (`SegmentAttributeXY`).
    pub enum SegmentAttribute {
        /// Without meaning.
        Reserved "reserved",
        /// Keep clear.
        DoNotBlock "doNotBlock",
        /// White line.
        WhiteLine "whiteLine",
        /// A lane merges from the left.
        MergingLaneLeft "mergingLaneLeft",
        /// A lane merges from the right.
        MergingLaneRight "mergingLaneRight",
        /// Kerb on the left.
        CurbOnLeft "curbOnLeft",
        /// Kerb on the right.
        CurbOnRight "curbOnRight",
        /// Loading zone on the left.
        LoadingzoneOnLeft "loadingzoneOnLeft",
        /// Loading zone on the right.
        LoadingzoneOnRight "loadingzoneOnRight",
        /// Turn-out on the left.
        TurnOutPointOnLeft "turnOutPointOnLeft",
        /// Turn-out on the right.
        TurnOutPointOnRight "turnOutPointOnRight",
        /// Parking on the left.
        AdjacentParkingOnLeft "adjacentParkingOnLeft",
        /// Parking on the right.
        AdjacentParkingOnRight "adjacentParkingOnRight",
        /// Bicycle lane on the left.
        AdjacentBikeLaneOnLeft "adjacentBikeLaneOnLeft",
        /// Bicycle lane on the right.
        AdjacentBikeLaneOnRight "adjacentBikeLaneOnRight",
        /// Shared with bicycles.
        SharedBikeLane "sharedBikeLane",
        /// Advanced stop line for bicycles.
        BikeBoxInFront "bikeBoxInFront",
        /// Stop of public transport on the left.
        TransitStopOnLeft "transitStopOnLeft",
        /// Stop of public transport on the right.
        TransitStopOnRight "transitStopOnRight",
        /// Stop of public transport in the lane.
        TransitStopInLane "transitStopInLane",
        /// Shared with trams or trains.
        SharedWithTrackedVehicle "sharedWithTrackedVehicle",
        /// Refuge.
        SafeIsland "safeIsland",
        /// Low kerbs.
        LowCurbsPresent "lowCurbsPresent",
        /// Rumble strip.
        RumbleStripPresent "rumbleStripPresent",
        /// Sound at the signal.
        AudibleSignalingPresent "audibleSignalingPresent",
        /// Adaptive timing.
        AdaptiveTimingPresent "adaptiveTimingPresent",
        /// Requests by radio.
        RfSignalRequestPresent "rfSignalRequestPresent",
        /// Kerb that juts in.
        PartialCurbIntrusion "partialCurbIntrusion",
        /// Narrows to the left.
        TaperToLeft "taperToLeft",
        /// Narrows to the right.
        TaperToRight "taperToRight",
        /// Narrows to the centre.
        TaperToCenterLine "taperToCenterLine",
        /// Parking parallel to the kerb.
        ParallelParking "parallelParking",
        /// Parking head in.
        HeadInParking "headInParking",
        /// Free parking.
        FreeParking "freeParking",
        /// Parking for a limited time.
        TimeRestrictionsOnParking "timeRestrictionsOnParking",
        /// Paid parking.
        CostToPark "costToPark",
        /// Kerb in mid-block.
        MidBlockCurbPresent "midBlockCurbPresent",
        /// Uneven surface.
        UnEvenPavementPresent "unEvenPavementPresent",
        ...
    }
}

choice! {
    /// A value at a node (`LaneDataAttribute`).
    pub enum LaneDataAttribute {
        /// Angle of the stop line to the lane, degrees, -150..=150.
        PathEndPointAngleDeg(i16) = Int<i16, -150, 150>, "pathEndPointAngle";
        /// Crown at the centre, degrees (0.3°, ±38.1°).
        LaneCrownPointCenterDeg(Option<f32>) = RoadwayCrownAngle, "laneCrownPointCenter";
        /// Crown on the left, degrees.
        LaneCrownPointLeftDeg(Option<f32>) = RoadwayCrownAngle, "laneCrownPointLeft";
        /// Crown on the right, degrees.
        LaneCrownPointRightDeg(Option<f32>) = RoadwayCrownAngle, "laneCrownPointRight";
        /// Angle at which lanes merge or diverge, degrees (1.5°, -268.5..270°).
        LaneAngleDeg(Option<f32>) = MergeDivergeNodeAngle, "laneAngle";
        /// Speed limits from here on.
        SpeedLimits(SpeedLimits) = SpeedLimitsCodec, "speedLimits";
        /// What other regions define.
        Regional(OtherRegionals) = OtherRegionalsCodec, "regional";
        ...;
    }
}
