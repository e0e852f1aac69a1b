//! Collective perception message (TS 103 324 v2.1.1).
//!
//! In: perceived objects, sensors and perception regions as plain values. Out: a [`Cpm`]. Absent: which objects to
//! include and when to send (a facility decides).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
pub use crate::containers::ContainerOrder;
use crate::containers::container_set;
use crate::message::message;
use crate::uper::declare::{codes, sequence};
use crate::uper::{ExtensionBit, UnknownExtensions};

message! {
    /// Collective perception message (`CollectivePerceptionMessage`): header with protocol version 2 and message id 14.
    pub struct Cpm: "CPM", MessageId::Cpm, version 2, in_place {
        /// Content.
        payload: CpmPayload, "payload";
    }
}

impl Cpm {
    /// A CPM of `station_id`.
    pub fn new(station_id: StationId, payload: CpmPayload) -> Self {
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Cpm, station_id },
            payload,
            unknown_extensions: UnknownExtensions::default(),
        }
    }
}

sequence! {
    /// Content of a CPM (`CpmPayload`).
    #[derive(Default)]
    pub struct CpmPayload in_place {
        /// Reference time and place.
        req management_container: ManagementContainer = ManagementContainer, "managementContainer";
        /// The other containers.
        req cpm_containers: CpmContainers = CpmContainers, "cpmContainers";
        ...;
    }
}

sequence! {
    /// Reference time and place (`ManagementContainer`).
    #[derive(Copy, Default)]
    pub struct ManagementContainer {
        /// Time to which all measurement delta times relate.
        req reference_time: TimestampIts = TimestampItsCodec, "referenceTime";
        /// Place to which all coordinates relate.
        req reference_position: ReferencePosition = ReferencePosition, "referencePosition";
        /// Which part of a segmented message this is.
        opt segmentation_info: MessageSegmentationInfo = MessageSegmentationInfo, "segmentationInfo";
        /// Rate at which the station sends CPMs.
        opt message_rate_range: MessageRateRange = MessageRateRange, "messageRateRange";
        ...;
    }
}

sequence! {
    /// Part of a segmented message (`MessageSegmentationInfo`).
    #[derive(Copy, Eq)]
    pub struct MessageSegmentationInfo {
        /// Number of parts, 1..=8.
        req total_msg_no: u8 = Int<u8, 1, 8>, "totalMsgNo";
        /// This part, 1..=8.
        req this_msg_no: u8 = Int<u8, 1, 8>, "thisMsgNo";
    }
}

sequence! {
    /// Range of sending rates (`MessageRateRange`).
    #[derive(Copy, Eq)]
    pub struct MessageRateRange {
        /// Smallest.
        req message_rate_min: MessageRateHz = MessageRateHz, "messageRateMin";
        /// Largest.
        req message_rate_max: MessageRateHz = MessageRateHz, "messageRateMax";
    }
}

sequence! {
    /// A rate of `mantissa · 10^exponent` hertz (`MessageRateHz`).
    #[derive(Copy, Eq)]
    pub struct MessageRateHz {
        /// 1..=100.
        req mantissa: u8 = Int<u8, 1, 100>, "mantissa";
        /// -5..=2.
        req exponent: i8 = Int<i8, -5, 2>, "exponent";
    }
}

/// The containers beside the management container (`WrappedCpmContainers`), one of a kind.
///
/// They are sent in the order of their ids, and in the order received when the message was decoded. Repeated
/// containers and those of later versions stay in `others` as received.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CpmContainers {
    /// Id 1: the sending vehicle.
    pub originating_vehicle: Option<OriginatingVehicleContainer>,
    /// Id 2: the sending roadside unit.
    pub originating_rsu: Option<OriginatingRsuContainer>,
    /// Id 3: sensors.
    pub sensor_information: Option<SensorInformationContainer>,
    /// Id 4: where the station can see.
    pub perception_region: Option<PerceptionRegionContainer>,
    /// Id 5: what it sees.
    pub perceived_object: Option<PerceivedObjectContainer>,
    /// Repeated and unknown containers, and the order of all of them.
    pub others: ContainerOrder,
}

container_set! {
    CpmContainers,
    count |dialect| dialect.cpm_containers,
    id |_| ExtensionBit::Absent,
    {
        1 originating_vehicle = <OriginatingVehicleContainer>, "originatingVehicleContainer";
        2 originating_rsu = <OriginatingRsuContainer>, "originatingRsuContainer";
        3 sensor_information = <ListExt<SensorInformation, { inline(2, 8) }, 1, 128, 255>>, "sensorInformationContainer";
        4 perception_region = <ListExt<PerceptionRegion, { inline(1, 4) }, 1, 256, 256>>, "perceptionRegionContainer";
        5 perceived_object = <PerceivedObjectContainer>, "perceivedObjectContainer";
    }
}

sequence! {
    /// The sending vehicle (`OriginatingVehicleContainer`).
    #[derive(Default)]
    pub struct OriginatingVehicleContainer {
        /// Orientation.
        req orientation_angle: Wgs84Angle = Wgs84Angle, "orientationAngle";
        /// Pitch.
        opt pitch_angle: CartesianAngle = CartesianAngle, "pitchAngle";
        /// Roll.
        opt roll_angle: CartesianAngle = CartesianAngle, "rollAngle";
        /// Trailers.
        opt trailer_data_set: List<TrailerData, { inline(1, 2) }, 64> = ListExt<TrailerData, { inline(1, 2) }, 1, 8, 64>, "trailerDataSet";
        ...;
    }
}

sequence! {
    /// A trailer (`TrailerData`).
    #[derive(Copy, Default)]
    pub struct TrailerData {
        /// Identifier of its reference point.
        req ref_point_id: u8 = Int<u8, 0, 255>, "refPointId";
        /// Metres from the towing vehicle's reference point to the hitch (0.1 m).
        req hitch_point_offset_m: f32 = LengthDm1B, "hitchPointOffset";
        /// Metres from the hitch forwards (0.1 m); absent in a CPM.
        opt front_overhang_m: f32 = LengthDm1B, "frontOverhang";
        /// Metres from the hitch backwards (0.1 m); absent in a CPM.
        opt rear_overhang_m: f32 = LengthDm1B, "rearOverhang";
        /// Metres (0.1 m); absent in a CPM; the inner `None` is "unavailable".
        opt trailer_width_m: Option<Reading> = VehicleWidthValue, "trailerWidth";
        /// Angle at the hitch.
        req hitch_angle: CartesianAngle = CartesianAngle, "hitchAngle";
        ...;
    }
}

sequence! {
    /// The sending roadside unit (`OriginatingRsuContainer`).
    #[derive(Copy, Default)]
    pub struct OriginatingRsuContainer {
        /// Map element at which it stands.
        opt map_reference: MapReference = MapReference, "mapReference";
        ...;
    }
}

/// Sensors of a station (`SensorInformationContainer`); the standard names up to 128 and allows more.
pub type SensorInformationContainer = List<SensorInformation, { inline(2, 8) }, 255>;

sequence! {
    /// A sensor or a system of sensors (`SensorInformation`).
    #[derive(Default)]
    pub struct SensorInformation {
        /// Identifier that objects and regions refer to.
        req sensor_id: u8 = Int<u8, 0, 255>, "sensorId";
        /// Kind.
        req sensor_type: SensorType = SensorType, "sensorType";
        /// Where it can see.
        opt perception_region_shape: Shape = Shape, "perceptionRegionShape";
        /// 1..=100 %; the inner `None` is "unavailable".
        opt perception_region_confidence_percent: Option<u8> = ConfidencePercent, "perceptionRegionConfidence";
        /// Whether objects shadow what is behind them.
        req shadowing_applies: bool = bool, "shadowingApplies";
        ...;
    }
}

codes! {
    /// Kind of sensor (`SensorType`).
    #[derive(Default)]
    pub enum SensorType: 0..=31 {
        /// Undefined.
        #[default]
        Undefined = 0,
        /// Radar.
        Radar = 1,
        /// Lidar.
        Lidar = 2,
        /// One camera.
        Monovideo = 3,
        /// Stereo camera.
        Stereovision = 4,
        /// Night vision.
        Nightvision = 5,
        /// Ultrasonic.
        Ultrasonic = 6,
        /// Photonic mixing device.
        Pmd = 7,
        /// Induction loop.
        InductionLoop = 8,
        /// Spherical camera.
        SphericalCamera = 9,
        /// Ultra-wideband.
        Uwb = 10,
        /// Acoustic.
        Acoustic = 11,
        /// Fusion of own sensors.
        LocalAggregation = 12,
        /// Fusion of ITS messages.
        ItsAggregation = 13,
        /// RFID.
        Rfid = 14,
    }
}

/// Where a station can see (`PerceptionRegionContainer`), 1 to 256 regions.
pub type PerceptionRegionContainer = List<PerceptionRegion, { inline(1, 4) }, 256>;

sequence! {
    /// A region that a station can see (`PerceptionRegion`).
    pub struct PerceptionRegion {
        /// When, milliseconds relative to the reference time (-2048..=2047).
        req measurement_delta_time_ms: i16 = DeltaTimeMs, "measurementDeltaTime";
        /// 1..=100 %.
        req perception_region_confidence_percent: Option<u8> = ConfidencePercent, "perceptionRegionConfidence";
        /// Where.
        req perception_region_shape: Shape = Shape, "perceptionRegionShape";
        /// Whether objects shadow what is behind them.
        req shadowing_applies: bool = bool, "shadowingApplies";
        /// Sensors that see it.
        opt sensor_id_list: SensorIds = SensorIdsCodec, "sensorIdList";
        /// Number of objects in it.
        opt number_of_perceived_objects: u8 = Int<u8, 0, 255>, "numberOfPerceivedObjects";
        /// Those objects.
        opt perceived_object_ids: List<u16, 8, 255> = ListExt<Int<u16, 0, 65535>, 8, 0, 255, 255>, "perceivedObjectIds";
        ...;
    }
}

sequence! {
    /// What a station sees (`PerceivedObjectContainer`).
    #[derive(Default)]
    pub struct PerceivedObjectContainer in_place {
        /// Number of objects that it sees; more than are listed when the message is segmented or filtered.
        req number_of_perceived_objects: u8 = Int<u8, 0, 255>, "numberOfPerceivedObjects";
        /// Objects.
        req perceived_objects: PerceivedObjects = PerceivedObjectsCodec, "perceivedObjects";
        ...;
    }
}

/// Codec of [`PerceivedObjects`].
type PerceivedObjectsCodec = ListExt<PerceivedObject, 24, 0, 255, 255>;

/// Perceived objects; 24 of them need no allocation.
pub type PerceivedObjects = List<PerceivedObject, 24, 255>;
