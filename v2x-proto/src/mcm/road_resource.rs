//! Ways, and parts of the road that a manoeuvre needs (target road resource, TRR).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::uper::bounded::Null;
use crate::uper::declare::{enumerated, sequence};

sequence! {
    /// A way (`Trajectory`); its lists have an element for each point.
    pub struct Trajectory {
        /// Where on the way the points are.
        req way_point_type: WayPointType = WayPointType, "wayPointType";
        /// Points, 1..=10, each as an offset from the one before.
        req way_points: List<PathPoint, 0, 10> = ListOf<PathPoint, 0, 1, 10>, "wayPoints";
        /// Their longitudes, degrees east (0.1 µdeg).
        opt longitude_positions_deg: List<Option<f64>, 0, 10> = ListOf<Longitude, 0, 1, 10>, "longitudePositions";
        /// Their latitudes, degrees north (0.1 µdeg).
        opt latitude_positions_deg: List<Option<f64>, 0, 10> = ListOf<Latitude, 0, 1, 10>, "latitudePositions";
        /// Their heights.
        opt altitude_positions: List<Altitude, 0, 10> = ListOf<Altitude, 0, 1, 10>, "altitudePositions";
        /// Headings.
        opt headings: List<Wgs84Angle, 0, 11> = ListOf<Wgs84Angle, 0, 1, 11>, "headings";
        /// Speeds.
        req speed: List<Speed, 0, 10> = ListOf<Speed, 0, 1, 10>, "speed";
    }
}

enumerated! {
    /// Place on a way (`WayPointType`).
    pub enum WayPointType {
        /// Start.
        Starting "startingWayPoint",
        /// Between.
        Intermediate "intermediateWayPoint",
        /// End.
        Ending "endingWayPoint",
    }
}

sequence! {
    /// A part of the road that a station should use (`AdvisedTrrContainer`).
    pub struct AdvisedTrrContainer {
        /// Which.
        req trr_description: TrrDescription = TrrDescription, "trrDescription";
        /// When.
        req temporal_characteristics: TemporalCharacteristics = TemporalCharacteristics, "temporalCharacteristics";
        /// How it moves: nothing yet in the draft.
        opt kinematics_characteristics: Null = Null, "kinematicsCharacteristics";
    }
}

sequence! {
    /// A part of the road (`TrrDescription`).
    pub struct TrrDescription {
        /// How it is described.
        req trr_type: TrrType = TrrType, "trrType";
        /// Number of adjacent lanes, 0..=31.
        req lane_count: u8 = Int<u8, 0, 31>, "laneCount";
        /// Lane in which the manoeuvre starts.
        opt starting_lane_number: u8 = Int<u8, 0, 31>, "startingLaneNumber";
        /// Lane in which it ends.
        opt ending_lane_number: u8 = Int<u8, 0, 31>, "endingLaneNumber";
        /// Points from start to end, 2..=16, each as an offset from the one before.
        opt waypoints: List<PathPoint, 0, 16> = ListOf<PathPoint, 0, 2, 16>, "waypoints";
        /// Headings at them.
        opt heading: List<Wgs84Angle, 0, 16> = ListOf<Wgs84Angle, 0, 2, 16>, "heading";
        /// Width in lanes, 0..=15.
        req trr_width_lanes: u8 = Int<u8, 0, 15>, "trrWidth";
        /// Length with the gaps to keep, metres (0.1 m, up to 409.5 m).
        req trr_length_m: f32 = LengthDm12b, "trrLength";
    }
}

enumerated! {
    /// How a part of the road is described (`TrrType`).
    pub enum TrrType {
        /// A box, by its place.
        Type1 "trrType1",
        /// A box, by the vehicles around it.
        Type2 "trrType2",
        /// Along a way.
        Type3 "trrType3",
    }
}

sequence! {
    /// When a part of the road is needed (`TemporalCharacteristics`).
    #[derive(Copy, Default, Eq)]
    pub struct TemporalCharacteristics {
        /// From, milliseconds after the message was made.
        req occupancy_start_ms: u16 = Int<u16, 0, 65_535>, "tRROccupancyStartTime";
        /// To, milliseconds after the message was made.
        req occupancy_end_ms: u16 = Int<u16, 0, 65_535>, "tRROccupancyEndTime";
    }
}
