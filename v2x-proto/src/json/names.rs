//! Names of members: the standard's, and those of its-client's schemas.

use crate::jer::{Jer, Release};

/// Whose names and forms a JSON value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The standard's, release 1.
    R1,
    /// The standard's, release 2.
    R2,
    /// its-client's CAM.
    Cam,
    /// its-client's DENM.
    Denm,
    /// its-client's CPM.
    Cpm,
    /// its-client's SPATEM, SREM and SSEM, and our RTCMEM.
    Dsrc,
    /// its-client's MAPEM, which writes enumerations by name.
    Mapem,
}

impl From<Release> for Naming {
    fn from(release: Release) -> Self {
        match release {
            Release::R1 => Self::R1,
            Release::R2 => Self::R2,
        }
    }
}

impl Naming {
    /// Name of the component `r2` of the type `owner`.
    pub(crate) fn of(self, owner: &'static str, r2: &'static str, r1: Option<&'static str>) -> String {
        match self {
            Self::R1 => r1.unwrap_or(r2).to_owned(),
            Self::R2 => r2.to_owned(),
            _ => image_name(owner, r2),
        }
    }

    /// Name of an enumeration's value; `None` where it is written as a number.
    pub(crate) fn value(self, r2: &'static str, r1: Option<&'static str>) -> Option<&'static str> {
        match self {
            Self::R1 => Some(r1.unwrap_or(r2)),
            Self::R2 => Some(r2),
            _ => None,
        }
    }

    /// Name of an extensible enumeration's value; `None` where it is written as a number.
    pub(crate) fn named(self, name: &'static str) -> Option<&'static str> {
        match self {
            Self::Mapem => Some(image_value(name)),
            _ => self.value(name, None),
        }
    }

    /// An object of one member.
    pub(crate) fn member(self, owner: &'static str, name: &'static str, value: Jer) -> Jer {
        let mut object = serde_json::Map::new();
        object.insert(self.of(owner, name, None), value);
        object.into()
    }

    /// Whether a component that has its default value is written.
    pub(crate) const fn writes_defaults(self) -> bool {
        !matches!(self, Self::R1 | Self::R2)
    }
}

/// The name of an enumeration's value in its-client's schemas: the standard's, with their exceptions.
pub(crate) fn image_value(name: &'static str) -> &'static str {
    match name {
        "loadingzoneOnLeft" => "loadingZoneOnLeft",
        "loadingzoneOnRight" => "loadingZoneOnRight",
        _ => name,
    }
}

/// The name of the component `name` of the type `owner` in its-client's schemas: snake case, with their exceptions.
pub(crate) fn image_name(owner: &'static str, name: &'static str) -> String {
    let exception = match (owner, name) {
        ("PathPointPredicted", "altitudeConfidence") => "altitude_confidence",
        (
            _,
            "altitudeValue"
            | "headingValue"
            | "speedValue"
            | "curvatureValue"
            | "yawRateValue"
            | "steeringWheelAngleValue"
            | "vehicleLengthValue"
            | "accelerationMagnitudeValue"
            | "longitudinalLanePositionValue",
        ) => "value",
        (
            _,
            "altitudeConfidence"
            | "headingConfidence"
            | "speedConfidence"
            | "curvatureConfidence"
            | "yawRateConfidence"
            | "steeringWheelAngleConfidence"
            | "vehicleLengthConfidenceIndication"
            | "accelerationConfidence"
            | "longitudinalLanePositionConfidence",
        ) => "confidence",
        (_, "semiMajorConfidence") => "semi_major",
        (_, "semiMinorConfidence") => "semi_minor",
        (_, "protectedCommunicationZonesRSU") => "protected_communication_zones_rsu",
        (_, "componentsIncludedIntheMatrix") => "components_included_in_the_matrix",
        (_, "roadworksSubCauseCode") => "road_works_sub_cause_code",
        (_, "innerhardShoulderStatus") => "inner_hard_shoulder_status",
        (_, "outerhardShoulderStatus") => "outer_hard_shoulder_status",
        (_, "its-Rrid") => "its_rrid",
        (_, "freeSpacesId") => "freespaces_id",
        // `unknown` is an alternative of a later version.
        ("ParkingSpaceStatus" | "ParkingOccupancyInfo", "unknown") => "not_known",
        (_, "stationID") => "station_id",
        (_, "executantID") => "executant_id",
        (_, "submanoeuvreID") => "submanoeuvre_id",
        (_, "stayAwayOfVehicleSithStationID") => "stay_away_of_vehicle_sith_station_id",
        (_, "tRROccupancyStartTime") => "trr_occupancy_start_time",
        (_, "tRROccupancyEndTime") => "trr_occupancy_end_time",
        (_, "roadsegment") => "road_segment",
        ("ObjectClass", "vehicleSubClass") => "vehicle",
        ("ObjectClass", "vruSubClass") => "vru",
        ("ObjectClass", "groupSubClass") => "group",
        ("ObjectClass", "otherSubClass") => "other",
        // The schema's own spelling.
        ("VruProfileAndSubprofile", "motorcyclist") => "motorcylist",
        ("RectangularShape", "shapeReferencePoint") => "center_point",
        (_, "horizontalOpeningAngleStart") => "stationary_horizontal_opening_angle_start",
        (_, "horizontalOpeningAngleEnd") => "stationary_horizontal_opening_angle_end",
        (_, "timeStamp") => "timestamp",
        ("Position3D", "lat") => "latitude",
        ("Position3D", "long") => "longitude",
        ("TransmissionAndSpeed", "transmisson") => "transmission",
        (_, "inBoundLane") => "inbound_lane",
        (_, "outBoundLane") => "outbound_lane",
        (_, "offsetXaxis") => "offset_x_axis",
        (_, "offsetYaxis") => "offset_y_axis",
        (_, "scaleXaxis") => "scale_x_axis",
        (_, "scaleYaxis") => "scale_y_axis",
        ("Connection", "remoteIntersection") => "remote_intersections",
        ("Connection", "userClass") => "restriction_class_id",
        _ => return snake_case(name),
    };
    exception.to_owned()
}

fn snake_case(name: &str) -> String {
    let name = name.replace("ID", "Id").replace("XY", "Xy");
    let mut snake = String::with_capacity(name.len() + 8);
    for character in name.chars() {
        match character {
            'A'..='Z' => {
                if !snake.is_empty() && !snake.ends_with('_') {
                    snake.push('_');
                }
                snake.push(character.to_ascii_lowercase());
            }
            '-' => snake.push('_'),
            other => snake.push(other),
        }
    }
    snake
}
