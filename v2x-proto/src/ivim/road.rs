//! Lanes of a road and the state of its surface (road configuration and road surface containers).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::ivim::{ApplicablePeriod, CompleteVehicleCharacteristics, IviLaneStatus, ZoneId, ZoneIdList, ZoneIds};
use crate::uper::bounded::Ext;
use crate::uper::declare::{codes, sequence};

sequence! {
    /// Lanes of the road in some zones (`RccPart`).
    pub struct RccPart {
        /// Zones.
        req relevance_zone_ids: ZoneIds = ZoneIdList, "relevanceZoneIds";
        /// Kind of road.
        req road_type: RoadType = RoadType, "roadType";
        /// Lanes.
        req lane_configuration: List<LaneInformation, 0, 64> = ListExt<LaneInformation, 0, 1, 16, 64>, "laneConfiguration";
        ...;
    }
}

sequence! {
    /// One lane (`LaneInformation`).
    pub struct LaneInformation {
        /// Which.
        req lane_number: LanePosition = LanePosition, "laneNumber";
        /// Direction of travel, relative to that of the zones.
        req direction: Direction = Direction, "direction";
        /// When this holds.
        opt validity: ApplicablePeriod = ApplicablePeriod, "validity";
        /// Use.
        req lane_type: LaneType = LaneType, "laneType";
        /// Vehicles that may use it.
        opt lane_type_qualifier: Box<CompleteVehicleCharacteristics> = OnHeap<CompleteVehicleCharacteristics>, "laneTypeQualifier";
        /// State.
        req lane_status: IviLaneStatus = Ext<IviLaneStatus, 255>, "laneStatus";
        /// Width, metres (0.01 m, up to 10.23 m).
        opt lane_width_m: f32 = LaneWidthCodec, "laneWidth";
        ...;
        [[
            /// Zones in which a receiver notes it.
            opt detection_zone_ids: ZoneIds = ZoneIdList, "detectionZoneIds";
            /// Zones in which it applies, fewer than those of the part.
            opt relevance_zone_ids: ZoneIds = ZoneIdList, "relevanceZoneIds";
            /// How the lane is marked.
            opt lane_characteristics: LaneCharacteristics = LaneCharacteristics, "laneCharacteristics";
            /// Surface.
            opt lane_surface_static_characteristics: RoadSurfaceStaticCharacteristics = RoadSurfaceStaticCharacteristics, "laneSurfaceStaticCharacteristics";
            /// State of the surface.
            opt lane_surface_dynamic_characteristics: RoadSurfaceDynamicCharacteristics = RoadSurfaceDynamicCharacteristics, "laneSurfaceDynamicCharacteristics";
        ]]
    }
}

sequence! {
    /// How a lane is marked (`LaneCharacteristics`).
    #[derive(Copy, Eq)]
    pub struct LaneCharacteristics {
        /// Accuracy of the zones.
        req zone_definition_accuracy: DefinitionAccuracy = Ext<DefinitionAccuracy, 255>, "zoneDefinitionAccuracy";
        /// Whether earlier markings are still there.
        req existing_lane_marking_status: bool = bool, "existinglaneMarkingStatus";
        /// Colour of the new markings.
        req new_lane_marking_colour: MarkingColour = Ext<MarkingColour, 255>, "newlaneMarkingColour";
        /// What bounds the lane on the left.
        req lane_delimitation_left: LaneDelimitation = Ext<LaneDelimitation, 255>, "laneDelimitationLeft";
        /// What bounds the lane on the right.
        req lane_delimitation_right: LaneDelimitation = Ext<LaneDelimitation, 255>, "laneDelimitationRight";
        /// Zone with which it merges.
        req merging_with: u8 = ZoneId, "mergingWith";
    }
}

codes! {
    /// Accuracy of the definition of a zone (`DefinitionAccuracy`).
    #[derive(Default)]
    pub enum DefinitionAccuracy: 0..=7 {
        /// 0.01 m.
        Within0_01m = 0,
        /// 0.02 m.
        Within0_02m = 1,
        /// 0.05 m.
        Within0_05m = 2,
        /// 0.1 m.
        Within0_1m = 3,
        /// 0.2 m.
        Within0_2m = 4,
        /// 0.5 m.
        Within0_5m = 5,
        /// 1 m.
        Within1m = 6,
        /// Not known.
        #[default]
        Unavailable = 7,
    }
}

codes! {
    /// Colour of markings (`MarkingColour`).
    #[derive(Default)]
    pub enum MarkingColour: 0..=7 {
        /// White.
        White = 0,
        /// Yellow.
        Yellow = 1,
        /// Orange.
        Orange = 2,
        /// Red.
        Red = 3,
        /// Blue.
        Blue = 4,
        /// Not known.
        #[default]
        Unavailable = 7,
    }
}

codes! {
    /// What bounds a lane (`LaneDelimitation`).
    pub enum LaneDelimitation: 0..=7 {
        /// Nothing.
        NoDelimitation = 0,
        /// Low separator.
        LowLaneSeparator = 1,
        /// High separator.
        HighLaneSeparator = 2,
        /// Wall.
        Wall = 3,
        /// Kerb.
        Curb = 4,
        /// Unpaved.
        Unpaved = 5,
        /// Guard rail.
        Guardrail = 6,
    }
}

sequence! {
    /// Surface of the road in some zones (`RscPart`); one of the two kinds of characteristics is there.
    pub struct RscPart {
        /// Zones in which a receiver notes it.
        opt detection_zone_ids: ZoneIds = ZoneIdList, "detectionZoneIds";
        /// Zones.
        req relevance_zone_ids: ZoneIds = ZoneIdList, "relevanceZoneIds";
        /// Direction of travel, relative to that of the zones.
        opt direction: Direction = Direction, "direction";
        /// Surface.
        opt road_surface_static_characteristics: RoadSurfaceStaticCharacteristics = RoadSurfaceStaticCharacteristics, "roadSurfaceStaticCharacteristics";
        /// State of the surface.
        opt road_surface_dynamic_characteristics: RoadSurfaceDynamicCharacteristics = RoadSurfaceDynamicCharacteristics, "roadSurfaceDynamicCharacteristics";
    }
}

sequence! {
    /// Surface of a road (`RoadSurfaceStaticCharacteristics`). The published module states no units.
    #[derive(Copy, Eq)]
    pub struct RoadSurfaceStaticCharacteristics {
        /// Friction, 0..=101 as sent.
        req friction_coefficient: u8 = Int<u8, 0, 101>, "frictionCoefficient";
        /// Material.
        req material: MaterialType = Ext<MaterialType, 255>, "material";
        /// Wear.
        req wear: WearLevel = Ext<WearLevel, 255>, "wear";
        /// Average banking, -20..=21 as sent.
        req av_banking_angle: i8 = Int<i8, -20, 21>, "avBankingAngle";
    }
}

codes! {
    /// Material of a surface (`MaterialType`).
    #[derive(Default)]
    pub enum MaterialType: 0..=7 {
        /// Asphalt.
        Asphalt = 0,
        /// Concrete.
        Concrete = 1,
        /// Cobblestone.
        Cobblestone = 2,
        /// Gravel.
        Gravel = 3,
        /// Not known.
        #[default]
        Unavailable = 7,
    }
}

codes! {
    /// Wear of a surface (`WearLevel`).
    #[derive(Default)]
    pub enum WearLevel: 0..=7 {
        /// New.
        New = 0,
        /// Good.
        Good = 1,
        /// Bad.
        Bad = 2,
        /// With potholes.
        HasPotholes = 3,
        /// Not known.
        #[default]
        Unavailable = 7,
    }
}

sequence! {
    /// State of a surface (`RoadSurfaceDynamicCharacteristics`). The published module states no units.
    #[derive(Copy, Eq)]
    pub struct RoadSurfaceDynamicCharacteristics {
        /// What covers it.
        req condition: SurfaceCondition = Ext<SurfaceCondition, 255>, "condition";
        /// Temperature, -100..=151 as sent.
        req temperature: i16 = Int<i16, -100, 151>, "temperature";
        /// Depth of ice or water, 0..=255 as sent.
        req ice_or_water_depth: u8 = Int<u8, 0, 255>, "iceOrWaterDepth";
        /// What was done about it.
        req treatment: TreatmentType = TreatmentType, "treatment";
    }
}

codes! {
    /// What covers a surface (`Condition`).
    #[derive(Default)]
    pub enum SurfaceCondition: 0..=15 {
        /// Nothing.
        Dry = 0,
        /// Moisture.
        Moist = 1,
        /// Water.
        Wet = 2,
        /// Standing water.
        StandingWater = 3,
        /// Frost.
        Frost = 4,
        /// Ice.
        Ice = 5,
        /// Snow.
        Snow = 6,
        /// Slush.
        Slush = 7,
        /// Not known.
        #[default]
        Unavailable = 8,
    }
}

codes! {
    /// Treatment of a surface (`TreatmentType`).
    #[derive(Default)]
    pub enum TreatmentType: 0..=7 {
        /// None.
        No = 0,
        /// Against skidding.
        Antiskid = 1,
        /// Against icing.
        AntiIcing = 2,
        /// De-icing.
        DeIcing = 3,
        /// Not known.
        #[default]
        Unavailable = 7,
    }
}
