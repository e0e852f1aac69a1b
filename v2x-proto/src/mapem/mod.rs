//! Map message (TS 103 301 v2.1.1 on ISO/TS 19091:2019, protocol version 2; v2.2.1 is the same on the wire).
//!
//! In: the lanes of intersections and road segments as plain values. Out: a [`Mapem`]. Absent: when to send one (a
//! facility decides), and the splitting of large maps.

mod lane;
mod node;

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::dsrc::codec::{ByteId, LaneWidth, MinuteOfTheYear, MsgCount, NameCodec, OtherRegionalsCodec, RegionalsOf};
use crate::dsrc::time::minute_of_the_year;
use crate::dsrc::{
    DescriptiveName, IntersectionReferenceId, MapDataAddGrpC, OtherRegional, OtherRegionals, Position3D, Regionals,
    RestrictionUserTypeAddGrpC, SpeedLimits, SpeedLimitsCodec,
};
use crate::message::message;
use crate::time::Timestamp;
use crate::uper::UnknownExtensions;
use crate::uper::declare::{choice, enumerated, sequence};
use crate::uper::text::Ia5;
pub use lane::*;
pub use node::*;

message! {
    /// Map message (`MAPEM`): header with protocol version 2 and message id 5.
    pub struct Mapem: "MAPEM", MessageId::Mapem, version 2, by_value {
        /// Content.
        map: MapData, "map";
    }
}

impl Mapem {
    /// A MAPEM of `station_id` with intersections, generated at `generated_at`; `msg_issue_revision` counts the changes of
    /// the content, modulo 128.
    pub fn new(
        station_id: StationId,
        generated_at: Timestamp,
        msg_issue_revision: u8,
        intersections: IntersectionGeometries,
    ) -> Self {
        let map = MapData {
            time_stamp: Some(Some(minute_of_the_year(generated_at))),
            msg_issue_revision,
            layer_type: Some(LayerType::IntersectionData),
            intersections: Some(intersections),
            ..MapData::default()
        };
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Mapem, station_id },
            map,
            unknown_extensions: UnknownExtensions::default(),
        }
    }

    /// The value under the standard's names (X.697); release 2 is v2.2.1.
    #[cfg(feature = "std")]
    pub fn to_jer(&self, release: crate::jer::Release) -> serde_json::Value {
        self.jer_by_table(release)
    }
}

sequence! {
    /// Content of a MAPEM (`MapData`).
    #[derive(Default)]
    pub struct MapData {
        /// Minute of the year, 0..=527,039.
        opt time_stamp: Option<u32> = MinuteOfTheYear, "timeStamp";
        /// Counts the changes of the content, modulo 128.
        req msg_issue_revision: u8 = MsgCount, "msgIssueRevision";
        /// What it describes.
        opt layer_type: LayerType = LayerType, "layerType";
        /// Part of a map that was split, 0..=100.
        opt layer_id: u8 = Int<u8, 0, 100>, "layerID";
        /// Intersections.
        opt intersections: IntersectionGeometries = ListOf<IntersectionGeometry, { inline(0, 1) }, 1, 32>, "intersections";
        /// Road segments.
        opt road_segments: List<RoadSegment, 0, 32> = ListOf<RoadSegment, 0, 1, 32>, "roadSegments";
        /// How the map was made.
        opt data_parameters: Box<DataParameters> = OnHeap<DataParameters>, "dataParameters";
        /// Classes of road users to which connections and speeds refer.
        opt restriction_list: List<RestrictionClassAssignment, 0, 254> = ListOf<RestrictionClassAssignment, 0, 1, 254>, "restrictionList";
        /// What Europe and other regions add.
        opt regional: Regionals<MapDataAddGrpC> = RegionalsOf<MapDataAddGrpC>, "regional";
        ...;
    }
}

enumerated! {
    /// What a map describes (`LayerType`).
    #[derive(Default)]
    pub enum LayerType {
        /// Nothing in particular.
        #[default]
        None "none",
        /// Several kinds.
        MixedContent "mixedContent",
        /// General map.
        GeneralMapData "generalMapData",
        /// Intersections.
        IntersectionData "intersectionData",
        /// Curves.
        CurveData "curveData",
        /// Road segments.
        RoadwaySectionData "roadwaySectionData",
        /// Parking.
        ParkingAreaData "parkingAreaData",
        /// Shared lanes.
        SharedLaneData "sharedLaneData",
        ...
    }
}

/// Intersections (`IntersectionGeometryList`), 1 to 32.
pub type IntersectionGeometries = List<IntersectionGeometry, { inline(0, 1) }, 32>;

sequence! {
    /// Lanes of an intersection (`IntersectionGeometry`).
    pub struct IntersectionGeometry {
        /// Name for people.
        opt name: DescriptiveName = NameCodec, "name";
        /// The intersection.
        req id: IntersectionReferenceId = IntersectionReferenceId, "id";
        /// Counts the changes of the content, modulo 128.
        req revision: u8 = MsgCount, "revision";
        /// Point from which nodes are counted.
        req ref_point: Position3D = Position3D, "refPoint";
        /// Usual width of lanes, metres (0.01 m, up to 327.67 m).
        opt lane_width_m: f32 = LaneWidth, "laneWidth";
        /// Speed limits of all lanes.
        opt speed_limits: SpeedLimits = SpeedLimitsCodec, "speedLimits";
        /// Lanes.
        req lane_set: LaneList = LaneListCodec, "laneSet";
        /// Zones for preemption and priority.
        opt preempt_priority_data: List<SignalControlZone, 0, 32> = ListOf<SignalControlZone, 0, 1, 32>, "preemptPriorityData";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

impl IntersectionGeometry {
    /// An intersection with its lanes.
    pub fn new(id: IntersectionReferenceId, revision: u8, ref_point: Position3D, lane_set: LaneList) -> Self {
        Self {
            name: None,
            id,
            revision,
            ref_point,
            lane_width_m: None,
            speed_limits: None,
            lane_set,
            preempt_priority_data: None,
            regional: None,
        }
    }
}

sequence! {
    /// A zone for preemption and priority (`SignalControlZone`); only regions define its content.
    pub struct SignalControlZone {
        /// The zone.
        req zone: OtherRegional = OtherRegional, "zone";
        ...;
    }
}

sequence! {
    /// Identifier of a road segment (`RoadSegmentReferenceID`).
    #[derive(Copy, Default, Eq, PartialOrd, Ord, Hash)]
    pub struct RoadSegmentReferenceId {
        /// Road authority that numbers the segments.
        opt region: u16 = Int<u16, 0, 65535>, "region";
        /// Number of the segment.
        req id: u16 = Int<u16, 0, 65535>, "id";
    }
}

sequence! {
    /// Lanes of a road segment (`RoadSegment`).
    pub struct RoadSegment {
        /// Name for people.
        opt name: DescriptiveName = NameCodec, "name";
        /// The segment.
        req id: RoadSegmentReferenceId = RoadSegmentReferenceId, "id";
        /// Counts the changes of the content, modulo 128.
        req revision: u8 = MsgCount, "revision";
        /// Point from which nodes are counted.
        req ref_point: Position3D = Position3D, "refPoint";
        /// Usual width of lanes, metres (0.01 m, up to 327.67 m).
        opt lane_width_m: f32 = LaneWidth, "laneWidth";
        /// Speed limits of all lanes.
        opt speed_limits: SpeedLimits = SpeedLimitsCodec, "speedLimits";
        /// Lanes.
        req road_lane_set: LaneList = LaneListCodec, "roadLaneSet";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

sequence! {
    /// How a map was made (`DataParameters`); each text has 1 to 255 ASCII characters.
    #[derive(Default)]
    pub struct DataParameters {
        /// Method.
        opt process_method: heapless::String<255> = Ia5<1, 255>, "processMethod";
        /// Agency.
        opt process_agency: heapless::String<255> = Ia5<1, 255>, "processAgency";
        /// Date of the last check.
        opt last_checked_date: heapless::String<255> = Ia5<1, 255>, "lastCheckedDate";
        /// Geoid.
        opt geoid_used: heapless::String<255> = Ia5<1, 255>, "geoidUsed";
        ...;
    }
}

sequence! {
    /// Road users of a restriction class (`RestrictionClassAssignment`).
    pub struct RestrictionClassAssignment {
        /// Number of the class.
        req id: u8 = ByteId, "id";
        /// Road users, 1 to 16.
        req users: List<RestrictionUserType, 1, 16> = ListOf<RestrictionUserType, 1, 1, 16>, "users";
    }
}

choice! {
    /// Road users to which a restriction applies (`RestrictionUserType`).
    pub enum RestrictionUserType {
        /// A kind.
        BasicType(RestrictionAppliesTo) = RestrictionAppliesTo, "basicType";
        /// What Europe and other regions define.
        Regional(Regionals<RestrictionUserTypeAddGrpC>) = RegionalsOf<RestrictionUserTypeAddGrpC>, "regional";
        ...;
    }
}

enumerated! {
    /// Kind of road users (`RestrictionAppliesTo`).
    #[derive(Default)]
    pub enum RestrictionAppliesTo {
        /// None.
        #[default]
        None "none",
        /// Equipped public transport.
        EquippedTransit "equippedTransit",
        /// Equipped taxis.
        EquippedTaxis "equippedTaxis",
        /// Other equipped vehicles.
        EquippedOther "equippedOther",
        /// Vehicles that meet an emission class.
        EmissionCompliant "emissionCompliant",
        /// Equipped bicycles.
        EquippedBicycle "equippedBicycle",
        /// Vehicles below a mass.
        WeightCompliant "weightCompliant",
        /// Vehicles below a height.
        HeightCompliant "heightCompliant",
        /// Pedestrians.
        Pedestrians "pedestrians",
        /// Slow pedestrians.
        SlowMovingPersons "slowMovingPersons",
        /// Wheelchair users.
        WheelchairUsers "wheelchairUsers",
        /// People who see badly.
        VisualDisabilities "visualDisabilities",
        /// People who hear badly.
        AudioDisabilities "audioDisabilities",
        /// People with other disabilities.
        OtherUnknownDisabilities "otherUnknownDisabilities",
        ...
    }
}
