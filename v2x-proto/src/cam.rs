//! Cooperative awareness message (TS 103 900 v2.3.1; EN 302 637-2 v1.4.1 is the same on the wire).
//!
//! In: a sender's state as plain values. Out: a [`Cam`]. Absent: when to send one (a facility decides).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
pub use crate::containers::ContainerOrder;
use crate::containers::container_set;
use crate::message::message;
use crate::uper::declare::{choice, sequence};
use crate::uper::{ExtensionBit, UnknownExtensions};

message! {
    /// Cooperative awareness message (`CAM`): header with protocol version 2 and message id 2.
    pub struct Cam: "CAM", MessageId::Cam, version 2, in_place {
        /// Content.
        cam: CamPayload, "cam";
    }
}

impl Cam {
    /// A CAM of `station_id`, generated at `generated_at`.
    pub fn new(station_id: StationId, generated_at: crate::time::Timestamp, cam_parameters: CamParameters) -> Self {
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Cam, station_id },
            cam: CamPayload { generation_delta_time_ms: generated_at.generation_delta_time(), cam_parameters },
            unknown_extensions: UnknownExtensions::default(),
        }
    }
}

sequence! {
    /// Content of a CAM (`CamPayload`, release 1: `CoopAwareness`).
    #[derive(Default)]
    pub struct CamPayload in_place {
        /// Time of the reference position, milliseconds of `TimestampIts` modulo 65,536.
        req generation_delta_time_ms: u16 = Int<u16, 0, 65535>, "generationDeltaTime";
        /// Containers.
        req cam_parameters: CamParameters = CamParameters, "camParameters";
    }
}

sequence! {
    /// Containers of a CAM (`CamParameters`).
    #[derive(Default)]
    pub struct CamParameters in_place {
        /// Who and where.
        req basic_container: BasicContainer = BasicContainer, "basicContainer";
        /// What changes quickly.
        req high_frequency_container: HighFrequencyContainer = HighFrequencyContainer, "highFrequencyContainer";
        /// What changes slowly.
        opt low_frequency_container: LowFrequencyContainer = LowFrequencyContainer, "lowFrequencyContainer";
        /// What the role of the vehicle adds.
        opt special_vehicle_container: SpecialVehicleContainer = SpecialVehicleContainer, "specialVehicleContainer";
        ...;
        /// Further containers of release 2.
        + opt extension_containers: Box<ExtensionContainers> = OnHeap<ExtensionContainers>, "extensionContainers";
    }
}

sequence! {
    /// Who and where (`BasicContainer`).
    #[derive(Copy, Default)]
    pub struct BasicContainer {
        /// Kind of station.
        req station_type: StationType = StationType, "stationType";
        /// Position of the station's reference point.
        req reference_position: ReferencePosition = ReferencePosition, "referencePosition";
        ...;
    }
}

choice! {
    /// What changes quickly (`HighFrequencyContainer`).
    pub enum HighFrequencyContainer in_place {
        /// Of a vehicle.
        BasicVehicle(BasicVehicleContainerHighFrequency) = BasicVehicleContainerHighFrequency, "basicVehicleContainerHighFrequency";
        /// Of a roadside unit.
        Rsu(RsuContainerHighFrequency) = RsuContainerHighFrequency, "rsuContainerHighFrequency";
        ...;
    }
}

impl Default for HighFrequencyContainer {
    fn default() -> Self {
        Self::BasicVehicle(BasicVehicleContainerHighFrequency::default())
    }
}

choice! {
    /// What changes slowly (`LowFrequencyContainer`).
    pub enum LowFrequencyContainer in_place {
        /// Of a vehicle.
        BasicVehicle(BasicVehicleContainerLowFrequency) = BasicVehicleContainerLowFrequency, "basicVehicleContainerLowFrequency";
        ...;
    }
}

impl Default for LowFrequencyContainer {
    fn default() -> Self {
        Self::BasicVehicle(BasicVehicleContainerLowFrequency::default())
    }
}

sequence! {
    /// Movement of a vehicle (`BasicVehicleContainerHighFrequency`).
    #[derive(Default)]
    pub struct BasicVehicleContainerHighFrequency in_place {
        /// Direction of travel.
        req heading: Heading = Heading, "heading";
        /// Speed.
        req speed: Speed = Speed, "speed";
        /// Forwards or backwards.
        req drive_direction: DriveDirection = DriveDirection, "driveDirection";
        /// Length.
        req vehicle_length: VehicleLength = VehicleLength, "vehicleLength";
        /// Width, metres (0.1 m, up to 6 m).
        req vehicle_width_m: Option<Reading> = VehicleWidthValue, "vehicleWidth";
        /// Acceleration forwards.
        req longitudinal_acceleration: AccelerationComponent = AccelerationComponent, "longitudinalAcceleration";
        /// Curvature of the path.
        req curvature: Curvature = Curvature, "curvature";
        /// How the curvature was found.
        req curvature_calculation_mode: CurvatureCalculationMode = CurvatureCalculationMode, "curvatureCalculationMode";
        /// Yaw rate.
        req yaw_rate: YawRate = YawRate, "yawRate";
        /// Who accelerates or brakes.
        opt acceleration_control: AccelerationControl = AccelerationControl, "accelerationControl";
        /// Lane.
        opt lane_position: LanePosition = LanePosition, "lanePosition";
        /// Steering wheel.
        opt steering_wheel_angle: SteeringWheelAngle = SteeringWheelAngle, "steeringWheelAngle";
        /// Acceleration to the left.
        opt lateral_acceleration: AccelerationComponent = AccelerationComponent, "lateralAcceleration";
        /// Acceleration upwards.
        opt vertical_acceleration: AccelerationComponent = AccelerationComponent, "verticalAcceleration";
        /// Performance class.
        opt performance_class: PerformanceClass = PerformanceClass, "performanceClass";
        /// Tolling zone that the vehicle protects.
        opt cen_dsrc_tolling_zone: CenDsrcTollingZone = CenDsrcTollingZone, "cenDsrcTollingZone";
    }
}

sequence! {
    /// What a roadside unit adds (`RSUContainerHighFrequency`).
    #[derive(Default)]
    pub struct RsuContainerHighFrequency in_place {
        /// Zones in which radio emissions are limited.
        opt protected_communication_zones_rsu: ProtectedCommunicationZones = ListOf<ProtectedCommunicationZone, { inline(4, 16) }, 1, 16>, "protectedCommunicationZonesRSU";
        ...;
    }
}

sequence! {
    /// Slowly changing data of a vehicle (`BasicVehicleContainerLowFrequency`).
    #[derive(Default)]
    pub struct BasicVehicleContainerLowFrequency in_place {
        /// Role.
        req vehicle_role: VehicleRole = VehicleRole, "vehicleRole";
        /// Lights.
        req exterior_lights: ExteriorLights = ExteriorLights, "exteriorLights";
        /// Where the vehicle came from; at most 23 points in a CAM.
        req path_history: Path = PathCodec, "pathHistory";
    }
}

choice! {
    /// What the role of a vehicle adds (`SpecialVehicleContainer`).
    pub enum SpecialVehicleContainer {
        /// Public transport.
        PublicTransport(PublicTransportContainer) = PublicTransportContainer, "publicTransportContainer";
        /// Special transport.
        SpecialTransport(SpecialTransportContainer) = SpecialTransportContainer, "specialTransportContainer";
        /// Dangerous goods.
        DangerousGoods(DangerousGoodsContainer) = DangerousGoodsContainer, "dangerousGoodsContainer";
        /// Road works.
        RoadWorks(RoadWorksContainerBasic) = RoadWorksContainerBasic, "roadWorksContainerBasic";
        /// Rescue.
        Rescue(RescueContainer) = RescueContainer, "rescueContainer";
        /// Emergency.
        Emergency(EmergencyContainer) = EmergencyContainer, "emergencyContainer";
        /// Safety car.
        SafetyCar(SafetyCarContainer) = SafetyCarContainer, "safetyCarContainer";
        ...;
    }
}

sequence! {
    /// Public transport (`PublicTransportContainer`).
    #[derive(Default)]
    pub struct PublicTransportContainer {
        /// Whether passengers are boarding.
        req embarkation_status: bool = bool, "embarkationStatus";
        /// Signal activation.
        opt pt_activation: PtActivation = PtActivation, "ptActivation";
    }
}

sequence! {
    /// Special transport (`SpecialTransportContainer`).
    #[derive(Copy, Default)]
    pub struct SpecialTransportContainer {
        /// Why it is special.
        req special_transport_type: SpecialTransportType = SpecialTransportType, "specialTransportType";
        /// Light bar and siren.
        req light_bar_siren_in_use: LightBarSirenInUse = LightBarSirenInUse, "lightBarSirenInUse";
    }
}

sequence! {
    /// Dangerous goods (`DangerousGoodsContainer`).
    #[derive(Copy)]
    pub struct DangerousGoodsContainer {
        /// Kind.
        req dangerous_goods_basic: DangerousGoodsBasic = DangerousGoodsBasic, "dangerousGoodsBasic";
    }
}

sequence! {
    /// Road works vehicle (`RoadWorksContainerBasic`).
    #[derive(Copy, Default)]
    pub struct RoadWorksContainerBasic {
        /// Kind of road works, a sub-cause of cause 3.
        opt roadworks_sub_cause_code: subcause::RoadworksSubCause = subcause::RoadworksSubCause, "roadworksSubCauseCode";
        /// Light bar and siren.
        req light_bar_siren_in_use: LightBarSirenInUse = LightBarSirenInUse, "lightBarSirenInUse";
        /// Closed lanes.
        opt closed_lanes: ClosedLanes = ClosedLanes, "closedLanes";
    }
}

sequence! {
    /// Rescue vehicle (`RescueContainer`).
    #[derive(Copy, Default)]
    pub struct RescueContainer {
        /// Light bar and siren.
        req light_bar_siren_in_use: LightBarSirenInUse = LightBarSirenInUse, "lightBarSirenInUse";
    }
}

sequence! {
    /// Emergency vehicle (`EmergencyContainer`).
    #[derive(Copy, Default)]
    pub struct EmergencyContainer {
        /// Light bar and siren.
        req light_bar_siren_in_use: LightBarSirenInUse = LightBarSirenInUse, "lightBarSirenInUse";
        /// Incident.
        opt incident_indication: CauseCode = CauseCode, "incidentIndication";
        /// What it asks for.
        opt emergency_priority: EmergencyPriority = EmergencyPriority, "emergencyPriority";
    }
}

sequence! {
    /// Safety car (`SafetyCarContainer`).
    #[derive(Copy, Default)]
    pub struct SafetyCarContainer {
        /// Light bar and siren.
        req light_bar_siren_in_use: LightBarSirenInUse = LightBarSirenInUse, "lightBarSirenInUse";
        /// Incident.
        opt incident_indication: CauseCode = CauseCode, "incidentIndication";
        /// Rule for passing.
        opt traffic_rule: TrafficRule = TrafficRule, "trafficRule";
        /// Kilometres per hour, 1..=255.
        opt speed_limit_kmph: u8 = Int<u8, 1, 255>, "speedLimit";
    }
}

/// Further containers of release 2 (`WrappedExtensionContainers`), one of a kind.
///
/// They are sent in the order of their ids, and in the order received when the message was decoded. Repeated
/// containers and those of later versions stay in `others` as received.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExtensionContainers {
    /// Id 1: two-wheelers.
    pub two_wheeler: Option<TwoWheelerContainer>,
    /// Id 2: the road ahead and behind.
    pub e_horizon_location_sharing: Option<EHorizonLocationSharingContainer>,
    /// Id 3: what hardly changes.
    pub very_low_frequency: Option<VeryLowFrequencyContainer>,
    /// Id 4: predicted paths.
    pub path_prediction: Option<PathPredictionContainer>,
    /// Id 5: lanes.
    pub generalized_lane_positions: Option<GeneralizedLanePositionsContainer>,
    /// Id 6: pedals and automation.
    pub vehicle_movement_control: Option<VehicleMovementControlContainer>,
    /// Repeated and unknown containers, and the order of all of them.
    pub others: ContainerOrder,
}

container_set! {
    ExtensionContainers,
    count |_| ExtensionBit::Present,
    id |dialect| dialect.cam_container_id,
    {
        1 two_wheeler = <TwoWheelerContainer>, "twoWheelerContainer";
        2 e_horizon_location_sharing = <EHorizonLocationSharingContainer>, "eHorizonLocationSharingContainer";
        3 very_low_frequency = <VeryLowFrequencyContainer>, "veryLowFrequencyContainer";
        4 path_prediction = <PathPredictionContainer>, "pathPredictionContainer";
        5 generalized_lane_positions = <GeneralizedLanePositionsContainer>, "generalizedLanePositionsContainer";
        6 vehicle_movement_control = <VehicleMovementControlContainer>, "vehicleMovementControlContainer";
    }
}

sequence! {
    /// Two-wheelers (`TwoWheelerContainer`).
    #[derive(Default)]
    pub struct TwoWheelerContainer {
        /// What the kind of two-wheeler adds.
        opt type_specific_information: TwoWheelerTypeSpecificInformation = TwoWheelerTypeSpecificInformation, "typeSpecificInformation";
        /// Roll.
        opt roll_angle: CartesianAngle = CartesianAngle, "rollAngle";
        /// Orientation.
        opt orientation: Wgs84Angle = Wgs84Angle, "orientation";
        /// Whether it is about to fall.
        opt stability_change_indication: StabilityChangeIndication = StabilityChangeIndication, "stabilityChangeIndication";
        ...;
    }
}

choice! {
    /// What the kind of two-wheeler adds (`TwoWheelerTypeSpecificInformation`).
    pub enum TwoWheelerTypeSpecificInformation {
        /// A cyclist.
        Cyclist(CyclistTypeSpecificInformation) = CyclistTypeSpecificInformation, "cyclist";
        ...;
    }
}

sequence! {
    /// A cyclist (`CyclistTypeSpecificInformation`).
    #[derive(Default)]
    pub struct CyclistTypeSpecificInformation {
        /// Kind of cycle.
        opt vru_sub_profile_bicyclist: VruSubProfileBicyclist = VruSubProfileBicyclist, "vruSubProfileBicyclist";
        /// What the rider does.
        opt vru_movement_control: VruMovementControl = VruMovementControl, "vruMovementControl";
        ...;
    }
}

sequence! {
    /// The road ahead and behind (`EHorizonLocationSharingContainer`).
    pub struct EHorizonLocationSharingContainer {
        /// Ahead.
        req segment_ahead: PolygonalLine = PolygonalLine, "segmentAhead";
        /// Probability of each node ahead, 1..=100 %; `None` is "unavailable".
        opt node_probabilities_percent: List<Option<u8>, { inline(0, 16) }, 64> = ListExt<ConfidencePercent, { inline(0, 16) }, 1, 32, 64>, "nodeProbabilities";
        /// Behind.
        req segment_behind: PolygonalLine = PolygonalLine, "segmentBehind";
        /// Lanes.
        opt lane_level_details: BasicLaneConfiguration = BasicLaneConfigurationCodec, "laneLevelDetails";
        /// What it rests on.
        opt segment_source: MetaInformation = MetaInformation, "segmentSource";
        ...;
    }
}

sequence! {
    /// What hardly changes (`VeryLowFrequencyContainer`).
    #[derive(Copy, Default)]
    pub struct VeryLowFrequencyContainer {
        /// Height, metres (0.1 m); the inner `None` is "unavailable".
        opt vehicle_height_m: Option<Reading> = VehicleHeightValue, "vehicleHeight";
        /// Wipers.
        opt wiper_status: WiperStatus = WiperStatus, "wiperStatus";
        /// Brake systems.
        opt brake_control: BrakeControl = BrakeControl, "brakeControl";
        ...;
    }
}

sequence! {
    /// Predicted paths (`PathPredictionContainer`).
    #[derive(Default)]
    pub struct PathPredictionContainer {
        /// The paths.
        req path_predicted_list: PathPredictedList = PathPredictedListCodec, "pathPredictedList";
        ...;
    }
}

sequence! {
    /// Lanes (`GeneralizedLanePositionsContainer`).
    #[derive(Default)]
    pub struct GeneralizedLanePositionsContainer {
        /// The possible places.
        req generalized_lane_positions: GeneralizedLanePositions = GeneralizedLanePositionsCodec, "generalizedLanePositions";
        ...;
    }
}

sequence! {
    /// Pedals and automation (`VehicleMovementControlContainer`).
    #[derive(Copy, Default)]
    pub struct VehicleMovementControlContainer {
        /// State.
        req vehicle_movement_control: VehicleMovementControl = VehicleMovementControl, "vehicleMovementControl";
        ...;
    }
}

sequence! {
    /// Pedals and automation (`VehicleMovementControl`).
    #[derive(Copy, Default)]
    pub struct VehicleMovementControl {
        /// Accelerator.
        req acceleration_pedal_status: PedalStatus = PedalStatus, "accelerationPedalStatus";
        /// Brake.
        req brake_pedal_status: PedalStatus = PedalStatus, "brakePedalStatus";
        /// SAE level, 0..=5.
        opt sae_automation_level: u8 = Int<u8, 0, 5>, "saeAutomationLevel";
        /// Lateral assistants.
        opt automation_control: AutomationControl = AutomationControl, "automationControl";
        /// Longitudinal assistants.
        opt acceleration_control: AccelerationControl = AccelerationControl, "accelerationControl";
        /// Further longitudinal assistants.
        opt acceleration_control_extension: AccelerationControlExtension = AccelerationControlExtension, "accelerationControlExtension";
        ...;
    }
}

sequence! {
    /// A pedal (`PedalStatus`).
    #[derive(Copy, Default)]
    pub struct PedalStatus {
        /// Percent pressed (10 %).
        req position_percent: Option<u8> = PedalPositionValue, "pedalPositionValue";
        ...;
    }
}
