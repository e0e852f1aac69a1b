//! Where stations can see: the regions that their CPMs state (TS 103 324 clause 7.1.6), as rings on the earth.

use crate::entity::Position;
use masa_v2x_proto::cdd::{CartesianPosition3d, Reading, Shape};
use masa_v2x_proto::cpm::Cpm;

/// Corners of a drawn circle or the arc of a sector.
const ARC_CORNERS: u32 = 24;

/// Where a station stands and what it sees; degrees east and north.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Coverage {
    /// The station's reference position.
    pub(super) place: [f64; 2],
    /// One ring per sensor that states its region.
    pub(super) rings: Vec<Vec<[f64; 2]>>,
}

/// What a roadside station sees; `None` when the message says nothing of sensors. Shapes other than polygons, circles,
/// rectangles and sectors, and moving stations, are left out.
pub(super) fn of_cpm(cpm: &Cpm) -> Option<Coverage> {
    let containers = &cpm.payload.cpm_containers;
    let sensors = containers.sensor_information.as_ref()?;
    if containers.originating_vehicle.is_some() {
        return None;
    }
    let reference = &cpm.payload.management_container.reference_position;
    let at = Position::new(reference.longitude_deg?, reference.latitude_deg?)?;
    let ring = |shape: &Shape| {
        let corners = corners_m(shape)?;
        Some(corners.into_iter().map(|[x, y]| at.moved_m(x, y)).map(|p| [p.lon_deg, p.lat_deg]).collect())
    };
    let rings = sensors.iter().filter_map(|sensor| ring(sensor.perception_region_shape.as_ref()?)).collect();
    Some(Coverage { place: [at.lon_deg, at.lat_deg], rings })
}

/// Corners in metres east and north of the station.
fn corners_m(shape: &Shape) -> Option<Vec<[f64; 2]>> {
    match shape {
        Shape::Polygonal(polygon) => {
            let [x, y] = offset_m(polygon.shape_reference_point.as_ref())?;
            polygon.polygon.iter().map(|corner| offset_m(Some(corner)).map(|[e, n]| [x + e, y + n])).collect()
        }
        Shape::Circular(circle) => {
            let centre = offset_m(circle.shape_reference_point.as_ref())?;
            Some(arc(centre, f64::from(circle.radius_m), 0.0, 360.0))
        }
        Shape::Rectangular(rectangle) => {
            let [x, y] = offset_m(rectangle.shape_reference_point.as_ref())?;
            let (sin, cos) = f64::from(rectangle.orientation_deg.flatten().unwrap_or(0.0)).to_radians().sin_cos();
            let (l, b) = (f64::from(rectangle.semi_length_m), f64::from(rectangle.semi_breadth_m));
            let turned = |[u, v]: [f64; 2]| [x + u * cos - v * sin, y + u * sin + v * cos];
            Some([[l, b], [-l, b], [-l, -b], [l, -b]].map(turned).to_vec())
        }
        Shape::Radial(sector) => {
            let apex = offset_m(sector.shape_reference_point.as_ref())?;
            let from = f64::from(sector.horizontal_opening_angle_start_deg?);
            let to = f64::from(sector.horizontal_opening_angle_end_deg?);
            let mut ring = arc(apex, f64::from(sector.range_m), from, (to - from).rem_euclid(360.0));
            ring.push(apex);
            Some(ring)
        }
        _ => None,
    }
}

fn arc([x, y]: [f64; 2], radius_m: f64, from_deg: f64, span_deg: f64) -> Vec<[f64; 2]> {
    let corner = |i: u32| {
        let (sin, cos) = (from_deg + span_deg * f64::from(i) / f64::from(ARC_CORNERS)).to_radians().sin_cos();
        [x + radius_m * cos, y + radius_m * sin]
    };
    (0..=ARC_CORNERS).map(corner).collect()
}

/// Metres of a point; (0, 0) when it is the reference position itself.
fn offset_m(point: Option<&CartesianPosition3d>) -> Option<[f64; 2]> {
    let metres = |reading: Reading| reading.value().map(f64::from);
    point.map_or(Some([0.0, 0.0]), |p| Some([metres(p.x_m)?, metres(p.y_m)?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::cdd::{CircularShape, RadialShape, RectangularShape};

    #[test]
    fn a_sector_turns_counter_clockwise_from_its_start_to_its_end() {
        let sector = RadialShape {
            range_m: 10.0,
            horizontal_opening_angle_start_deg: Some(350.0),
            horizontal_opening_angle_end_deg: Some(10.0),
            ..RadialShape::default()
        };
        let ring = corners_m(&Shape::Radial(sector)).unwrap();
        assert_eq!(ring.last(), Some(&[0.0, 0.0]), "it ends at its apex");
        for [x, y] in &ring[..ring.len() - 1] {
            assert!((x.hypot(*y) - 10.0).abs() < 1e-6 && *x > 9.8, "20 degrees around east: {x}, {y}");
        }
    }

    #[test]
    fn circles_and_rectangles_stand_where_they_say() {
        let at = CartesianPosition3d { x_m: Reading::Value(5.0), y_m: Reading::Value(-2.0), z_m: None };
        let circle = CircularShape { shape_reference_point: Some(at), radius_m: 3.0, height_m: None };
        let ring = corners_m(&Shape::Circular(circle)).unwrap();
        assert!(ring.iter().all(|[x, y]| ((x - 5.0).hypot(y + 2.0) - 3.0).abs() < 1e-6));
        let rectangle = RectangularShape {
            semi_length_m: 4.0,
            semi_breadth_m: 1.0,
            orientation_deg: Some(Some(90.0)),
            ..RectangularShape::default()
        };
        let ring = corners_m(&Shape::Rectangular(rectangle)).unwrap();
        assert!(
            (ring[0][0] + 1.0).abs() < 1e-6 && (ring[0][1] - 4.0).abs() < 1e-6,
            "its length points north: {ring:?}"
        );
    }
}
