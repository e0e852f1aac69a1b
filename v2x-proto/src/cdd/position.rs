//! Absolute positions, their accuracy, paths and headings.

use crate::cdd::Reading;
use crate::cdd::codec::{
    AltitudeValue, AngleDeg, ConfidenceDeg, DeltaAltitude, DeltaLatitude, Latitude, ListOf, Longitude, PathDeltaTime,
    SemiAxisLength,
};
use crate::heap::inline;
use crate::uper::declare::{enumerated, sequence};

sequence! {
    /// A position with its accuracy (`ReferencePosition`, in CAM `ReferencePositionWithConfidence`).
    #[derive(Copy, Default)]
    pub struct ReferencePosition {
        /// Latitude, degrees north (0.1 µdeg).
        req latitude_deg: Option<f64> = Latitude, "latitude";
        /// Longitude, degrees east (0.1 µdeg).
        req longitude_deg: Option<f64> = Longitude, "longitude";
        /// 95 % ellipse of the horizontal position.
        req position_confidence_ellipse: PosConfidenceEllipse = PosConfidenceEllipse, "positionConfidenceEllipse";
        /// Height above the ellipsoid.
        req altitude: Altitude = Altitude, "altitude";
    }
}

sequence! {
    /// 95 % ellipse of a horizontal position (`PosConfidenceEllipse`, `PositionConfidenceEllipse`).
    #[derive(Copy, Default)]
    pub struct PosConfidenceEllipse {
        /// Semi-major axis, metres (0.01 m, up to 40.93 m); 0 is "do not use".
        req semi_major_m: Option<Reading> = SemiAxisLength, "semiMajorConfidence";
        /// Semi-minor axis, metres.
        req semi_minor_m: Option<Reading> = SemiAxisLength, "semiMinorConfidence";
        /// Direction of the semi-major axis, degrees clockwise from north (0.1°).
        req semi_major_orientation_deg: Option<f32> = AngleDeg, "semiMajorOrientation";
    }
}

sequence! {
    /// Height with its accuracy (`Altitude`).
    #[derive(Copy, Default)]
    pub struct Altitude {
        /// Metres above the WGS 84 ellipsoid (0.01 m, -1,000..8,000 m).
        req value_m: Option<Reading> = AltitudeValue, "altitudeValue";
        /// Accuracy class.
        req confidence: AltitudeConfidence = AltitudeConfidence, "altitudeConfidence";
    }
}

enumerated! {
    /// Accuracy of a height: 95 % of values are within this (`AltitudeConfidence`).
    #[derive(Default)]
    pub enum AltitudeConfidence {
        /// 0.01 m.
        Within0_01m "alt-000-01",
        /// 0.02 m.
        Within0_02m "alt-000-02",
        /// 0.05 m.
        Within0_05m "alt-000-05",
        /// 0.1 m.
        Within0_1m "alt-000-10",
        /// 0.2 m.
        Within0_2m "alt-000-20",
        /// 0.5 m.
        Within0_5m "alt-000-50",
        /// 1 m.
        Within1m "alt-001-00",
        /// 2 m.
        Within2m "alt-002-00",
        /// 5 m.
        Within5m "alt-005-00",
        /// 10 m.
        Within10m "alt-010-00",
        /// 20 m.
        Within20m "alt-020-00",
        /// 50 m.
        Within50m "alt-050-00",
        /// 100 m.
        Within100m "alt-100-00",
        /// 200 m.
        Within200m "alt-200-00",
        /// Worse than 200 m.
        OutOfRange "outOfRange",
        /// Not known.
        #[default]
        Unavailable "unavailable",
    }
}

sequence! {
    /// Offset from a reference position (`DeltaReferencePosition`).
    #[derive(Copy, Default)]
    pub struct DeltaReferencePosition {
        /// Degrees north (0.1 µdeg, ±0.0131°).
        req delta_latitude_deg: Option<f32> = DeltaLatitude, "deltaLatitude";
        /// Degrees east (0.1 µdeg, ±0.0131°).
        req delta_longitude_deg: Option<f32> = DeltaLatitude, "deltaLongitude";
        /// Metres up (0.01 m, -127..127.99 m).
        req delta_altitude_m: Option<Reading> = DeltaAltitude, "deltaAltitude";
    }
}

sequence! {
    /// One point of a path (`PathPoint`).
    #[derive(Copy, Default)]
    pub struct PathPoint in_place {
        /// Offset from the point before, the first one from the reference position.
        req path_position: DeltaReferencePosition = DeltaReferencePosition, "pathPosition";
        /// Time travelled since that point, milliseconds (10 ms).
        opt path_delta_time_ms: u32 = PathDeltaTime, "pathDeltaTime";
    }
}

/// Up to 40 points of a path (`Path`, `PathHistory`), the 23 that a CAM may have inline.
pub type Path = crate::List<PathPoint, { inline(23, 40) }, 40>;
/// Codec of [`Path`].
pub(crate) type PathCodec = ListOf<PathPoint, { inline(23, 40) }, 0, 40>;

/// Up to 7 paths that lead to an event (`Traces`).
pub type Traces = crate::List<Path, { inline(1, 7) }, 7>;

sequence! {
    /// Direction of travel with its accuracy (`Heading`).
    #[derive(Copy, Default)]
    pub struct Heading {
        /// Degrees clockwise from north (0.1°).
        req value_deg: Option<f32> = AngleDeg, "headingValue";
        /// 95 % accuracy, degrees (0.1°, up to 12.5°).
        req confidence_deg: Option<Reading> = ConfidenceDeg, "headingConfidence";
    }
}

sequence! {
    /// Angle from true north with its accuracy (`Wgs84Angle`; `Heading` in release 1).
    #[derive(Copy, Default)]
    pub struct Wgs84Angle {
        /// Degrees clockwise from north (0.1°).
        req value_deg: Option<f32> = AngleDeg, "value" | "headingValue";
        /// 95 % accuracy, degrees (0.1°, up to 12.5°).
        req confidence_deg: Option<Reading> = ConfidenceDeg, "confidence" | "headingConfidence";
    }
}

sequence! {
    /// Position without accuracy (`GeoPosition`).
    #[derive(Copy, Default)]
    pub struct GeoPosition {
        /// Latitude, degrees north (0.1 µdeg).
        req latitude_deg: Option<f64> = Latitude, "latitude";
        /// Longitude, degrees east (0.1 µdeg).
        req longitude_deg: Option<f64> = Longitude, "longitude";
        /// Metres above the WGS 84 ellipsoid (0.01 m).
        def(None) altitude_m: Option<Reading> = AltitudeValue, "altitude";
    }
}
