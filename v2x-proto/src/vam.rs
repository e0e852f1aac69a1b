//! Vulnerable road user awareness message (TS 103 300-3 v2.2.1, protocol version 3).
//!
//! In: the state of a vulnerable road user as plain values. Out: a [`Vam`]. Absent: when to send one and clustering (a
//! facility decides).

use crate::List;
use crate::cam::BasicContainer;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::message::message;
use crate::uper::UnknownExtensions;
use crate::uper::declare::{bit_string, codes, enumerated, sequence};

message! {
    /// Vulnerable road user awareness message (`VAM`): header with protocol version 3 and message id 16.
    pub struct Vam: "VAM", MessageId::Vam, version 3, by_value {
        /// Content.
        vam: VruAwareness, "vam";
    }
}

impl Vam {
    /// A VAM of `station_id`, generated at `generated_at`.
    pub fn new(station_id: StationId, generated_at: crate::time::Timestamp, vam_parameters: VamParameters) -> Self {
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Vam, station_id },
            vam: VruAwareness { generation_delta_time_ms: generated_at.generation_delta_time(), vam_parameters },
            unknown_extensions: UnknownExtensions::default(),
        }
    }
}

sequence! {
    /// Content of a VAM (`VruAwareness`).
    pub struct VruAwareness {
        /// Time of the reference position, milliseconds of `TimestampIts` modulo 65,536.
        req generation_delta_time_ms: u16 = Int<u16, 0, 65535>, "generationDeltaTime";
        /// Containers.
        req vam_parameters: VamParameters = VamParameters, "vamParameters";
    }
}

sequence! {
    /// Containers of a VAM (`VamParameters`).
    #[derive(Default)]
    pub struct VamParameters {
        /// Who and where.
        req basic_container: BasicContainer = BasicContainer, "basicContainer";
        /// What changes quickly.
        req vru_high_frequency_container: VruHighFrequencyContainer = VruHighFrequencyContainer, "vruHighFrequencyContainer";
        /// What changes slowly.
        opt vru_low_frequency_container: VruLowFrequencyContainer = VruLowFrequencyContainer, "vruLowFrequencyContainer";
        /// The cluster that the sender leads.
        opt vru_cluster_information_container: VruClusterInformationContainer = VruClusterInformationContainer, "vruClusterInformationContainer";
        /// Joining, leaving and breaking up of clusters.
        opt vru_cluster_operation_container: VruClusterOperationContainer = VruClusterOperationContainer, "vruClusterOperationContainer";
        /// Where the road user was and will be.
        opt vru_motion_prediction_container: Box<VruMotionPredictionContainer> = OnHeap<VruMotionPredictionContainer>, "vruMotionPredictionContainer";
        ...;
    }
}

sequence! {
    /// Movement of a vulnerable road user (`VruHighFrequencyContainer`).
    #[derive(Default)]
    pub struct VruHighFrequencyContainer {
        /// Direction of travel.
        req heading: Wgs84Angle = Wgs84Angle, "heading";
        /// Speed.
        req speed: Speed = Speed, "speed";
        /// Acceleration forwards.
        req longitudinal_acceleration: AccelerationComponent = AccelerationComponent, "longitudinalAcceleration";
        /// Curvature of the path.
        opt curvature: Curvature = Curvature, "curvature";
        /// How the curvature was found.
        opt curvature_calculation_mode: CurvatureCalculationMode = CurvatureCalculationMode, "curvatureCalculationMode";
        /// Yaw rate.
        opt yaw_rate: YawRate = YawRate, "yawRate";
        /// Acceleration to the left.
        opt lateral_acceleration: AccelerationComponent = AccelerationComponent, "lateralAcceleration";
        /// Acceleration upwards.
        opt vertical_acceleration: AccelerationComponent = AccelerationComponent, "verticalAcceleration";
        /// Lane.
        opt vru_lane_position: GeneralizedLanePosition = GeneralizedLanePosition, "vruLanePosition";
        /// Surroundings.
        opt environment: VruEnvironment = VruEnvironment, "environment";
        /// What the rider does.
        opt movement_control: VruMovementControl = VruMovementControl, "movementControl";
        /// Orientation.
        opt orientation: Wgs84Angle = Wgs84Angle, "orientation";
        /// Roll.
        opt roll_angle: CartesianAngle = CartesianAngle, "rollAngle";
        /// What the person does with the device.
        opt device_usage: VruDeviceUsage = VruDeviceUsage, "deviceUsage";
        ...;
    }
}

codes! {
    /// Surroundings of a vulnerable road user (`VruEnvironment`).
    #[derive(Default)]
    pub enum VruEnvironment: 0..=15 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Crossing at an intersection.
        IntersectionCrossing = 1,
        /// Zebra crossing.
        ZebraCrossing = 2,
        /// Sidewalk.
        Sidewalk = 3,
        /// On the carriageway.
        OnVehicleRoad = 4,
        /// Protected area.
        ProtectedGeographicArea = 5,
    }
}

codes! {
    /// What a person does with a device (`VruDeviceUsage`).
    #[derive(Default)]
    pub enum VruDeviceUsage: 0..=15 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Something else.
        SomethingElse = 1,
        /// Nothing.
        Idle = 2,
        /// Listening.
        ListeningToAudio = 3,
        /// Typing.
        Typing = 4,
        /// Calling.
        Calling = 5,
        /// Playing.
        PlayingGames = 6,
        /// Reading.
        Reading = 7,
        /// Viewing.
        Viewing = 8,
    }
}

sequence! {
    /// What hardly changes (`VruLowFrequencyContainer`).
    pub struct VruLowFrequencyContainer {
        /// Kind of road user.
        req profile_and_subprofile: VruProfileAndSubprofile = VruProfileAndSubprofile, "profileAndSubprofile";
        /// Size.
        opt size_class: VruSizeClass = VruSizeClass, "sizeClass";
        /// Lights.
        opt exterior_lights: VruExteriorLights = VruExteriorLights, "exteriorLights";
        ...;
    }
}

codes! {
    /// Size of a vulnerable road user (`VruSizeClass`).
    #[derive(Default)]
    pub enum VruSizeClass: 0..=15 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Low.
        Low = 1,
        /// Medium.
        Medium = 2,
        /// High.
        High = 3,
    }
}

sequence! {
    /// Lights of a vulnerable road user (`VruExteriorLights`).
    #[derive(Copy, Default)]
    pub struct VruExteriorLights {
        /// Those of vehicles.
        req vehicular: ExteriorLights = ExteriorLights, "vehicular";
        /// Others.
        req vru_specific: VruSpecificExteriorLights = VruSpecificExteriorLights, "vruSpecific";
        ...;
    }
}

bit_string! {
    /// Lights that only vulnerable road users have (`VruSpecificExteriorLights`).
    pub struct VruSpecificExteriorLights: 8 {
        /// Not known.
        UNAVAILABLE = 0,
        /// Flashing light at the back.
        BACK_FLASH_LIGHT = 1,
        /// Helmet.
        HELMET_LIGHT = 2,
        /// Arm.
        ARM_LIGHT = 3,
        /// Leg.
        LEG_LIGHT = 4,
        /// Wheel.
        WHEEL_LIGHT = 5,
    }
}

sequence! {
    /// The cluster that the sender leads (`VruClusterInformationContainer`).
    #[derive(Default)]
    pub struct VruClusterInformationContainer {
        /// The cluster; its bounding box is present.
        req vru_cluster_information: VruClusterInformation = VruClusterInformation, "vruClusterInformation";
        ...;
    }
}

sequence! {
    /// Joining, leaving and breaking up of clusters (`VruClusterOperationContainer`).
    #[derive(Copy, Default)]
    pub struct VruClusterOperationContainer {
        /// About to join.
        opt cluster_join_info: ClusterJoinInfo = ClusterJoinInfo, "clusterJoinInfo";
        /// Has left.
        opt cluster_leave_info: ClusterLeaveInfo = ClusterLeaveInfo, "clusterLeaveInfo";
        /// About to break up.
        opt cluster_breakup_info: ClusterBreakupInfo = ClusterBreakupInfo, "clusterBreakupInfo";
        /// Seconds to the change of the cluster's id (0.25 s); the inner `None` is "unavailable".
        opt cluster_id_change_time_info_s: Option<f32> = QuarterSeconds, "clusterIdChangeTimeInfo";
        ...;
    }
}

sequence! {
    /// About to join a cluster (`ClusterJoinInfo`).
    #[derive(Copy, Default)]
    pub struct ClusterJoinInfo {
        /// Which.
        req cluster_id: u8 = Int<u8, 0, 255>, "clusterId";
        /// In how many seconds (0.25 s).
        req join_time_s: Option<f32> = QuarterSeconds, "joinTime";
        ...;
    }
}

sequence! {
    /// Has left a cluster (`ClusterLeaveInfo`).
    #[derive(Copy, Default)]
    pub struct ClusterLeaveInfo {
        /// Which.
        req cluster_id: u8 = Int<u8, 0, 255>, "clusterId";
        /// Why.
        req cluster_leave_reason: ClusterLeaveReason = ClusterLeaveReason, "clusterLeaveReason";
        ...;
    }
}

codes! {
    /// Why a cluster was left (`ClusterLeaveReason`).
    #[derive(Default)]
    pub enum ClusterLeaveReason: 0..=15 {
        /// Not stated.
        #[default]
        NotProvided = 0,
        /// The leader was lost.
        ClusterLeaderLost = 1,
        /// The leader disbanded it.
        ClusterDisbandedByLeader = 2,
        /// Out of its bounding box.
        OutOfClusterBoundingBox = 3,
        /// Faster or slower than it.
        OutOfClusterSpeedRange = 4,
        /// Joins another.
        JoiningAnotherCluster = 5,
        /// Joining was cancelled.
        CancelledJoin = 6,
        /// Joining failed.
        FailedJoin = 7,
        /// For safety.
        SafetyCondition = 8,
    }
}

sequence! {
    /// About to break up a cluster (`ClusterBreakupInfo`).
    #[derive(Copy, Default)]
    pub struct ClusterBreakupInfo {
        /// Why.
        req cluster_breakup_reason: ClusterBreakupReason = ClusterBreakupReason, "clusterBreakupReason";
        /// In how many seconds (0.25 s).
        req breakup_time_s: Option<f32> = QuarterSeconds, "breakupTime";
        ...;
    }
}

codes! {
    /// Why a cluster breaks up (`ClusterBreakupReason`).
    #[derive(Default)]
    pub enum ClusterBreakupReason: 0..=15 {
        /// Not stated.
        #[default]
        NotProvided = 0,
        /// Its purpose is fulfilled.
        ClusteringPurposeCompleted = 1,
        /// The leader left its bounding box.
        LeaderMovedOutOfClusterBoundingBox = 2,
        /// Joins another.
        JoiningAnotherCluster = 3,
        /// Enters an area of low risk.
        EnteringLowRiskAreaBasedOnMaps = 4,
        /// A CPM contains it.
        ReceptionOfCpmContainingCluster = 5,
    }
}

sequence! {
    /// Where a road user was and will be (`VruMotionPredictionContainer`).
    #[derive(Default)]
    pub struct VruMotionPredictionContainer {
        /// Where it came from.
        opt path_history: Path = PathCodec, "pathHistory";
        /// Where it goes.
        opt path_prediction: PathPredicted = PathPredictedExt, "pathPrediction";
        /// Whether the distances to others are safe.
        opt safe_distance: List<SafeDistanceIndication, { inline(0, 8) }, 64> = ListExt<SafeDistanceIndication, { inline(0, 8) }, 1, 8, 64>, "safeDistance";
        /// Whether its way crosses that of others.
        opt trajectory_interception_indication: List<TrajectoryInterceptionIndication, { inline(0, 8) }, 64> = ListExt<TrajectoryInterceptionIndication, { inline(0, 8) }, 1, 8, 64>, "trajectoryInterceptionIndication";
        /// About to accelerate or brake.
        opt acceleration_change_indication: AccelerationChangeIndication = AccelerationChangeIndication, "accelerationChangeIndication";
        /// About to turn.
        opt heading_change_indication: HeadingChangeIndication = HeadingChangeIndication, "headingChangeIndication";
        /// About to fall.
        opt stability_change_indication: StabilityChangeIndication = StabilityChangeIndication, "stabilityChangeIndication";
        ...;
    }
}

sequence! {
    /// Whether the distance to another is safe (`SafeDistanceIndication`).
    #[derive(Copy, Default)]
    pub struct SafeDistanceIndication {
        /// The other.
        opt subject_station: StationId = StationIdCodec, "subjectStation";
        /// True when it is safe.
        req safe_distance_indicator: bool = bool, "safeDistanceIndicator";
        /// Seconds to a collision (0.1 s); the inner `None` is "unavailable".
        opt time_to_collision_s: Option<f32> = TenthsOfSecond, "timeToCollision";
        ...;
    }
}

sequence! {
    /// Whether the way crosses that of another (`TrajectoryInterceptionIndication`).
    #[derive(Copy, Default)]
    pub struct TrajectoryInterceptionIndication {
        /// The other.
        opt subject_station: StationId = StationIdCodec, "subjectStation";
        /// Probability, percent (2 %).
        req trajectory_interception_probability_percent: Option<u8> = StabilityProbability, "trajectoryInterceptionProbability";
        /// Confidence class, 0 (below 50 %) to 3 (above 90 %).
        opt trajectory_interception_confidence: u8 = Int<u8, 0, 3>, "trajectoryInterceptionConfidence";
        ...;
    }
}

sequence! {
    /// About to accelerate or brake (`AccelerationChangeIndication`).
    #[derive(Copy)]
    pub struct AccelerationChangeIndication {
        /// Which.
        req accel_or_decel: AccelerationChange = AccelerationChange, "accelOrDecel";
        /// When, seconds (0.1 s).
        req action_delta_time_s: Option<f32> = TenthsOfSecond, "actionDeltaTime";
        ...;
    }
}

enumerated! {
    /// Accelerating or braking (`AccelerationChange`).
    pub enum AccelerationChange {
        /// Accelerates.
        Accelerate "accelerate",
        /// Brakes.
        Decelerate "decelerate",
    }
}

sequence! {
    /// About to turn (`HeadingChangeIndication`).
    #[derive(Copy)]
    pub struct HeadingChangeIndication {
        /// Which way.
        req direction: TurningDirection = TurningDirection, "direction";
        /// When, seconds (0.1 s).
        req action_delta_time_s: Option<f32> = TenthsOfSecond, "actionDeltaTime";
        ...;
    }
}

enumerated! {
    /// Left or right (`TurningDirection`).
    pub enum TurningDirection {
        /// Left.
        Left "left",
        /// Right.
        Right "right",
    }
}
