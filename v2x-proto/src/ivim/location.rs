//! Where information applies: zones given by geometry or by the lanes of a MAPEM.

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::ivim::ZoneId;
use crate::uper::declare::{choice, sequence};

sequence! {
    /// Zones given by geometry (`GeographicLocationContainer`).
    pub struct GeographicLocationContainer {
        /// Point from which the zones are measured.
        req reference_position: ReferencePosition = ReferencePosition, "referencePosition";
        /// When it was there, if the reference moves.
        opt reference_position_time: TimestampIts = TimestampItsCodec, "referencePositionTime";
        /// Where it heads, if it moves.
        opt reference_position_heading: Heading = Heading, "referencePositionHeading";
        /// How fast it moves.
        opt reference_position_speed: Speed = Speed, "referencePositionSpeed";
        /// The zones.
        req parts: List<GlcPart, 0, 64> = ListExt<GlcPart, 0, 1, 16, 64>, "parts";
        ...;
    }
}

impl GeographicLocationContainer {
    /// Zones around a fixed point; `None` for more than 64.
    pub fn new(reference_position: ReferencePosition, zones: impl IntoIterator<Item = GlcPart>) -> Option<Self> {
        Some(Self {
            reference_position,
            reference_position_time: None,
            reference_position_heading: None,
            reference_position_speed: None,
            parts: List::try_from_iter(zones)?,
        })
    }
}

sequence! {
    /// One zone (`GlcPart`).
    pub struct GlcPart {
        /// Number of the zone, which other containers refer to: 1..=31, 33..=127.
        req zone_id: u8 = ZoneId, "zoneId";
        /// The lane that it covers; the whole carriageway when absent.
        opt lane_number: LanePosition = LanePosition, "laneNumber";
        /// Extent beyond the zone (`zoneExtension`), as sent: the published module states no unit.
        opt zone_extension: u8 = Int<u8, 0, 255>, "zoneExtension";
        /// Direction of travel in the zone, degrees clockwise from north (0.1°); the inner `None` is "unavailable".
        opt zone_heading_deg: Option<f32> = AngleDeg, "zoneHeading";
        /// Its shape.
        opt zone: Zone = Zone, "zone";
        ...;
    }
}

impl GlcPart {
    /// A zone of a shape.
    pub const fn new(zone_id: u8, zone: Zone) -> Self {
        Self { zone_id, lane_number: None, zone_extension: None, zone_heading_deg: None, zone: Some(zone) }
    }
}

choice! {
    /// Shape of a zone (`Zone`).
    pub enum Zone {
        /// A stretch of road along a line.
        Segment(Segment) = Segment, "segment-carriagewayOrLane";
        /// The area inside a line.
        Area(PolygonalLine) = PolygonalLine, "area";
        /// A stretch parallel to that of another zone.
        ComputedSegment(ComputedSegment) = ComputedSegment, "computedSegment";
        ...;
        /// A stretch of several lanes beside a line.
        + SetOfLanes(SegmentExtended) = SegmentExtended, "segment-setOfLanes";
    }
}

sequence! {
    /// A stretch of road (`Segment`).
    pub struct Segment {
        /// Its centre line, in the direction of travel.
        req line: PolygonalLine = PolygonalLine, "line";
        /// Width, metres (0.01 m, up to 10.23 m).
        opt lane_width_m: f32 = LaneWidthCodec, "laneWidth";
    }
}

sequence! {
    /// A stretch parallel to another zone (`ComputedSegment`).
    #[derive(Copy)]
    pub struct ComputedSegment {
        /// The other zone.
        req zone_id: u8 = ZoneId, "zoneId";
        /// Lane.
        req lane_number: LanePosition = LanePosition, "laneNumber";
        /// Width, metres (0.01 m, up to 10.23 m).
        req lane_width_m: f32 = LaneWidthCodec, "laneWidth";
        /// Distance from the other zone (`offsetDistance`), as sent: the published module states no unit.
        opt offset_distance: i16 = Int<i16, -32_768, 32_767>, "offsetDistance";
        /// Offset of the start.
        opt offset_position: DeltaReferencePosition = DeltaReferencePosition, "offsetPosition";
    }
}

sequence! {
    /// A stretch of several lanes (`SegmentExtended`).
    pub struct SegmentExtended {
        /// Zone whose start is the reference of the line.
        opt segment_reference_position: u8 = ZoneId, "segmentReferencePosition";
        /// A line along the road.
        req line: PolygonalLine = PolygonalLine, "line";
        /// Width to the left of the line, metres (0.1 m, up to 51.1 m).
        opt segment_width_left_m: f32 = LengthDm9b, "segmentWidthLeft";
        /// Width to the right of the line, metres; only with a width to the left.
        opt segment_width_right_m: f32 = LengthDm9b, "segmentWidthRight";
        ...;
    }
}

/// The line through `points` (latitude, longitude in degrees) as offsets, the first one from `reference`.
///
/// Each offset starts at the point that a receiver arrives at, so rounding does not add up along the line. `None` when
/// the reference is unknown, there are no points or more than 100, or one is further than 0.0131° from the one before.
pub fn delta_line(
    reference: &ReferencePosition,
    points: impl IntoIterator<Item = (f64, f64)>,
) -> Option<PolygonalLine> {
    const STEPS_PER_DEG: f64 = 1e7;
    const LARGEST_STEP: i64 = 131_071;
    let steps = |degrees: f64| (degrees * STEPS_PER_DEG).round() as i64;
    let mut before = (steps(reference.latitude_deg?), steps(reference.longitude_deg?));
    let mut line = List::new();
    for point in points {
        let at = (steps(point.0), steps(point.1));
        let delta = |to: i64, from: i64| {
            let step = to - from;
            (step.abs() <= LARGEST_STEP).then_some((step as f64 / STEPS_PER_DEG) as f32)
        };
        let delta_latitude_deg = Some(delta(at.0, before.0)?);
        let delta_longitude_deg = Some(delta(at.1, before.1)?);
        line.push(DeltaPosition { delta_latitude_deg, delta_longitude_deg }).ok()?;
        before = at;
    }
    (!line.is_empty()).then_some(PolygonalLine::DeltaPositions(line))
}

sequence! {
    /// Zones given by the lanes of a MAPEM (`MapLocationContainer`).
    pub struct MapLocationContainer {
        /// The road segment or intersection.
        req reference: MapReference = MapReference, "reference";
        /// The zones.
        req parts: List<MlcPart, 0, 64> = ListExt<MlcPart, 0, 1, 16, 64>, "parts";
    }
}

sequence! {
    /// One zone of lanes (`MlcPart`).
    pub struct MlcPart {
        /// Number of the zone.
        req zone_id: u8 = ZoneId, "zoneId";
        /// Lanes of the MAPEM; all of them when absent.
        opt lane_ids: List<u8, 0, 64> = ListExt<Int<u8, 0, 255>, 0, 1, 16, 64>, "laneIds";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_offsets_does_not_drift() {
        let reference = ReferencePosition {
            latitude_deg: Some(44.655_54),
            longitude_deg: Some(10.934_315),
            ..ReferencePosition::default()
        };
        // A third of a step further each time: rounding each offset alone would lose it all.
        let third = 1e-7 / 3.0;
        let points = (1..=90).map(|i| (44.655_54 + f64::from(i) * third, 10.934_315 - f64::from(i) * 1e-5));
        let Some(PolygonalLine::DeltaPositions(line)) = delta_line(&reference, points) else { panic!("a line") };
        let north: f32 = line.iter().filter_map(|point| point.delta_latitude_deg).sum();
        let east: f32 = line.iter().filter_map(|point| point.delta_longitude_deg).sum();
        assert!((north - 30e-7).abs() < 1e-8, "{north}");
        assert!((east + 90e-5).abs() < 1e-7, "{east}");
    }

    #[test]
    fn a_line_that_cannot_be_expressed_is_refused() {
        let reference =
            ReferencePosition { latitude_deg: Some(44.0), longitude_deg: Some(10.0), ..ReferencePosition::default() };
        assert!(delta_line(&reference, [(44.013, 10.0)]).is_some());
        assert!(delta_line(&reference, [(44.014, 10.0)]).is_none(), "too far");
        assert!(delta_line(&reference, []).is_none(), "no points");
        assert!(delta_line(&reference, (0..101).map(|_| (44.0, 10.0))).is_none(), "too many");
        assert!(delta_line(&ReferencePosition::default(), [(44.0, 10.0)]).is_none(), "no reference");
        assert!(delta_line(&reference, [(f64::NAN, 10.0)]).is_none(), "not a number");
    }
}
