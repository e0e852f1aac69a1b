//! Road configuration, predicted paths and lines.

use crate::List;
use crate::cdd::codec::{
    ConfidencePercent, CountryCodeCodec, DeltaAltitude, DeltaLatitude, Int, IntExt, IviNumber, LaneWidthCodec,
    Latitude, LengthDm2B, LengthDm9b, ListExt, ListOf, Longitude, OnHeap, TenSeconds, TenthsOfSecond,
};
use crate::cdd::{
    Altitude, AltitudeConfidence, DeltaReferencePosition, Direction, GeoPosition, LanePosition, MapReference, Path,
    PathCodec, PosConfidenceEllipse, Reading,
};
use crate::heap::{Box, inline};
use crate::uper::declare::{choice, enumerated, sequence};
use crate::uper::element::Element;
use crate::uper::reader::BitReader;
use crate::uper::writer::BitWriter;
use crate::uper::{ExtensionBit, Failed};

enumerated! {
    /// Kind of road (`RoadType`).
    pub enum RoadType {
        /// Urban, no separation from the opposite lanes.
        UrbanNoStructuralSeparation "urban-NoStructuralSeparationToOppositeLanes",
        /// Urban, separated.
        UrbanWithStructuralSeparation "urban-WithStructuralSeparationToOppositeLanes",
        /// Rural, no separation.
        NonUrbanNoStructuralSeparation "nonUrban-NoStructuralSeparationToOppositeLanes",
        /// Rural, separated.
        NonUrbanWithStructuralSeparation "nonUrban-WithStructuralSeparationToOppositeLanes",
    }
}

enumerated! {
    /// Rule for passing (`TrafficRule`).
    pub enum TrafficRule {
        /// No passing.
        NoPassing "noPassing",
        /// No passing for trucks.
        NoPassingForTrucks "noPassingForTrucks",
        /// Pass on the right.
        PassToRight "passToRight",
        /// Pass on the left.
        PassToLeft "passToLeft",
        ...
        /// Pass on either side (names 2).
        + PassToLeftOrRight "passToLeftOrRight",
    }
}

choice! {
    /// Time to reach a predicted point (`PathDeltaTimeChoice`); the alternative is the resolution.
    pub enum PathDeltaTimeChoice {
        /// Seconds (0.1 s, up to 12.6 s).
        HighPrecision(Option<f32>) = TenthsOfSecond, "deltaTimeHighPrecision";
        /// Seconds (10 s, up to 1,270 s).
        BigRange(u16) = TenSeconds, "deltaTimeBigRange";
        ...;
        /// Seconds (1 s, up to a day).
        + MidRange(u32) = Int<u32, 0, 86_400>, "deltaTimeMidRange";
    }
}

sequence! {
    /// A point of a predicted path (`PathPointPredicted`).
    #[derive(Default)]
    pub struct PathPointPredicted {
        /// Degrees north of the point before (0.1 µdeg).
        req delta_latitude_deg: Option<f32> = DeltaLatitude, "deltaLatitude";
        /// Degrees east of the point before (0.1 µdeg).
        req delta_longitude_deg: Option<f32> = DeltaLatitude, "deltaLongitude";
        /// Accuracy of the position.
        opt horizontal_position_confidence: PosConfidenceEllipse = PosConfidenceEllipse, "horizontalPositionConfidence";
        /// Metres up (0.01 m).
        def(None) delta_altitude_m: Option<Reading> = DeltaAltitude, "deltaAltitude";
        /// Accuracy of the height.
        def(AltitudeConfidence::Unavailable) altitude_confidence: AltitudeConfidence = AltitudeConfidence, "altitudeConfidence";
        /// Time from the reference time.
        opt path_delta_time: PathDeltaTimeChoice = PathDeltaTimeChoice, "pathDeltaTime";
        /// Half the width of the area, or its left half, metres (0.1 m).
        opt symmetric_area_offset_m: f32 = LengthDm9b, "symmetricAreaOffset";
        /// Right half of the width, metres (0.1 m).
        opt asymmetric_area_offset_m: f32 = LengthDm9b, "asymmetricAreaOffset";
        ...;
    }
}

/// A predicted path (`PathPredicted`): 1 to 16 points, up to 40 as an extension.
pub type PathPredicted = List<PathPointPredicted, { inline(0, 8) }, 40>;

/// Codec of [`PathPredicted`]; [`Dialect`](crate::uper::Dialect) says whether it has an extension bit.
pub(crate) struct PathPredictedCodec;

/// The list with its extension bit.
pub(crate) type PathPredictedExt = ListExt<PathPointPredicted, { inline(0, 8) }, 1, 16, 40>;

impl Element for PathPredictedCodec {
    type Value = PathPredicted;

    fn encode(value: &PathPredicted, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        match w.dialect.path_predicted {
            ExtensionBit::Present => PathPredictedExt::encode(value, w),
            ExtensionBit::Absent => PathPredictedExt::encode_root(value, w),
        }
    }

    fn decode(r: &mut BitReader<'_>) -> Result<PathPredicted, Failed> {
        match r.dialect.path_predicted {
            ExtensionBit::Present => PathPredictedExt::decode(r),
            ExtensionBit::Absent => PathPredictedExt::decode_root(r),
        }
    }
}

enumerated! {
    /// Use of a path (`UsageIndication`).
    pub enum UsageIndication {
        /// None.
        NoIndication "noIndication",
        /// Special use.
        SpecialUse "specialUse",
        /// Rescue.
        RescueOperation "rescueOperation",
        ...
        /// Rails.
        + Railroad "railroad",
        /// Fixed route.
        + FixedRoute "fixedRoute",
        /// Restricted route.
        + RestrictedRoute "restrictedRoute",
        /// Driver assistance or automated driving.
        + AdasAd "adasAd",
        /// Navigation.
        + Navigation "navigation",
    }
}

sequence! {
    /// A predicted path with its use and confidence (`PathPredicted2`).
    pub struct PathPredicted2 {
        /// Points.
        req path_predicted: PathPredicted = PathPredictedCodec, "pathPredicted";
        /// Use.
        req usage_indication: UsageIndication = UsageIndication, "usageIndication";
        /// 1..=100 %.
        req confidence_level_percent: Option<u8> = ConfidencePercent, "confidenceLevel";
        ...;
    }
}

/// Alternative predicted paths (`PathPredictedList`).
pub type PathPredictedList = List<PathPredicted2, { inline(0, 1) }, 64>;
/// Codec of [`PathPredictedList`].
pub(crate) type PathPredictedListCodec = ListExt<PathPredicted2, { inline(0, 1) }, 1, 16, 64>;

sequence! {
    /// A path that leads to a point of the event zone (`PathExtended`).
    #[derive(Default)]
    pub struct PathExtended {
        /// Number of the point of the event zone, 1..=23.
        req point_of_event_zone: u8 = Int<u8, 1, 23>, "pointOfEventZone";
        /// The path.
        req path: Box<Path> = OnHeap<PathCodec>, "path";
    }
}

sequence! {
    /// Reference to an IVIM (`IvimReference`).
    #[derive(Copy, Default)]
    pub struct IvimReference {
        /// Who issued it.
        req service_provider_id: Provider = Provider, "serviceProviderId";
        /// Its number, 1..=32767, one more as an extension.
        req ivi_identification_number: u32 = IviNumber, "iviIdentificationNumber";
    }
}

sequence! {
    /// A service provider (`Provider`).
    #[derive(Copy, Default)]
    pub struct Provider {
        /// ISO 14816 country code, 10 bits.
        req country_code: u16 = CountryCodeCodec, "countryCode";
        /// Issuer, 14 bits.
        req provider_identifier: u16 = Int<u16, 0, 16_383>, "providerIdentifier";
    }
}

sequence! {
    /// Road configuration of a section (`RoadConfigurationSection`).
    pub struct RoadConfigurationSection {
        /// Which section.
        req road_section_definition: RoadSectionDefinition = RoadSectionDefinition, "roadSectionDefinition";
        /// Kind of road.
        opt road_type: RoadType = RoadType, "roadType";
        /// Lanes; at least one of lanes and map references is given.
        opt lane_configuration: BasicLaneConfiguration = BasicLaneConfigurationCodec, "laneConfiguration";
        /// Map references.
        opt mapem_configuration: List<MapemElementReference, { inline(0, 1) }, 64> = ListExt<MapemElementReference, { inline(0, 1) }, 1, 16, 64>, "mapemConfiguration";
        ...;
    }
}

/// References to the paths of a DENM, 0 (none) to 14 (`PathReferences`).
pub type PathReferences = List<u8, 14, 14>;
/// Codec of [`PathReferences`].
pub(crate) type PathReferencesCodec = ListOf<Int<u8, 0, 14>, 14, 1, 14>;

sequence! {
    /// Where a road section is (`RoadSectionDefinition`).
    pub struct RoadSectionDefinition {
        /// Start.
        req starting_point_section: GeoPosition = GeoPosition, "startingPointSection";
        /// Length, metres (0.1 m).
        opt length_of_section_m: f32 = LengthDm2B, "lengthOfSection";
        /// End.
        opt ending_point_section: GeoPosition = GeoPosition, "endingPointSection";
        /// Paths that lead to it.
        req connected_paths: PathReferences = PathReferencesCodec, "connectedPaths";
        /// Paths inside it.
        req included_paths: PathReferences = PathReferencesCodec, "includedPaths";
        /// Whether the event zone lies in it.
        req is_event_zone_included: bool = bool, "isEventZoneIncluded";
        /// Whether it leads to the event zone.
        req is_event_zone_connected: bool = bool, "isEventZoneConnected";
        ...;
    }
}

/// Lanes of a section, the innermost first (`BasicLaneConfiguration`).
pub type BasicLaneConfiguration = List<BasicLaneInformation, { inline(0, 4) }, 64>;
/// Codec of [`BasicLaneConfiguration`].
pub(crate) type BasicLaneConfigurationCodec = ListExt<BasicLaneInformation, { inline(0, 4) }, 1, 16, 64>;

sequence! {
    /// One lane (`BasicLaneInformation`).
    #[derive(Copy)]
    pub struct BasicLaneInformation {
        /// Position.
        req lane_number: LanePosition = LanePosition, "laneNumber";
        /// Direction.
        req direction: Direction = Direction, "direction";
        /// Width, metres (0.01 m).
        opt lane_width_m: f32 = LaneWidthCodec, "laneWidth";
        /// Lane that it leads to.
        opt connecting_lane: LanePosition = LanePosition, "connectingLane";
        /// Section of that lane, 0..=8, more as an extension; only with `connecting_lane`.
        opt connecting_road_section: u32 = IntExt<u32, 0, 8>, "connectingRoadSection";
        ...;
    }
}

sequence! {
    /// Lanes and connections of a map (`MapemElementReference`); at least one of both is given.
    #[derive(Default)]
    pub struct MapemElementReference {
        /// Map element.
        opt map_reference: MapReference = MapReference, "mapReference";
        /// Lanes.
        opt lane_ids: List<u8, 8, 64> = ListExt<Int<u8, 0, 255>, 8, 1, 8, 64>, "laneIds";
        /// Connections.
        opt connection_ids: List<u8, 8, 64> = ListExt<Int<u8, 0, 255>, 8, 1, 8, 64>, "connectionIds";
        ...;
    }
}

choice! {
    /// A line of points (`PolygonalLine`).
    pub enum PolygonalLine {
        /// Offsets, each from the point before.
        DeltaPositions(List<DeltaPosition, { inline(0, 32) }, 100>) = ListExt<DeltaPosition, { inline(0, 32) }, 1, 32, 100>, "deltaPositions";
        /// Offsets with height.
        DeltaPositionsWithAltitude(List<DeltaReferencePosition, { inline(0, 32) }, 100>) = ListExt<DeltaReferencePosition, { inline(0, 32) }, 1, 32, 100>, "deltaPositionsWithAltitude";
        /// Absolute positions.
        AbsolutePositions(List<GeoPositionWoAltitude, { inline(0, 16) }, 64>) = ListExt<GeoPositionWoAltitude, { inline(0, 16) }, 1, 8, 64>, "absolutePositions";
        /// Absolute positions with height.
        AbsolutePositionsWithAltitude(List<GeoPositionWAltitude, { inline(0, 16) }, 64>) = ListExt<GeoPositionWAltitude, { inline(0, 16) }, 1, 8, 64>, "absolutePositionsWithAltitude";
        ...;
    }
}

sequence! {
    /// Horizontal offset (`DeltaPosition`).
    #[derive(Copy, Default)]
    pub struct DeltaPosition {
        /// Degrees north (0.1 µdeg).
        req delta_latitude_deg: Option<f32> = DeltaLatitude, "deltaLatitude";
        /// Degrees east (0.1 µdeg).
        req delta_longitude_deg: Option<f32> = DeltaLatitude, "deltaLongitude";
    }
}

sequence! {
    /// Horizontal position (`GeoPositionWoAltitude`).
    #[derive(Copy, Default)]
    pub struct GeoPositionWoAltitude {
        /// Latitude, degrees north (0.1 µdeg).
        req latitude_deg: Option<f64> = Latitude, "latitude";
        /// Longitude, degrees east (0.1 µdeg).
        req longitude_deg: Option<f64> = Longitude, "longitude";
    }
}

sequence! {
    /// Position with height (`GeoPositionWAltitude`).
    #[derive(Copy, Default)]
    pub struct GeoPositionWAltitude {
        /// Latitude, degrees north (0.1 µdeg).
        req latitude_deg: Option<f64> = Latitude, "latitude";
        /// Longitude, degrees east (0.1 µdeg).
        req longitude_deg: Option<f64> = Longitude, "longitude";
        /// Height.
        req altitude: Altitude = Altitude, "altitude";
    }
}
