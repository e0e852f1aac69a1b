//! Where cameras, radars and lidars see: sensor information (TS 103 324 7.1.6) and perception regions (7.1.7), from the footprints that the
//! site states. A sensor without a footprint is announced without a region.

use super::object::sensor_id;
use crate::event::SourceId;
use crate::facilities::{Scene, Sensor, SensorKind};
use crate::polygon::is_within;
use masa_v2x_proto::List;
use masa_v2x_proto::cdd::{CartesianPosition3d, PolygonalShape, Reading, Shape};
use masa_v2x_proto::cpm::{PerceptionRegion, SensorInformation, SensorType};

/// Most corners of a footprint: what a polygon has in the standard.
pub const MAX_FOOTPRINT_CORNERS: usize = 16;
/// Furthest corner from the station, metres (`CartesianCoordinate`).
pub const MAX_FOOTPRINT_OFFSET_M: f64 = 327.0;

/// Every sensor.
pub(super) fn sensors(scene: &Scene<'_>) -> Vec<SensorInformation> {
    let sensor = |sensor: &Sensor| SensorInformation {
        sensor_id: sensor_id(&scene.station.sensors, sensor.source),
        sensor_type: match sensor.kind {
            SensorKind::Camera => SensorType::Monovideo,
            SensorKind::Radar => SensorType::Radar,
            SensorKind::Lidar => SensorType::Lidar,
        },
        perception_region_shape: scene.station.footprints.get(&sensor.source).map(|corners| shape(scene, corners)),
        perception_region_confidence_percent: None,
        shadowing_applies: true,
    };
    scene.station.sensors.iter().map(sensor).collect()
}

/// One region per footprint, with the number of objects in it.
pub(super) fn regions(scene: &Scene<'_>) -> Vec<PerceptionRegion> {
    let region = |(source, corners): (&SourceId, &Vec<[f64; 2]>)| {
        let inside = scene.world.perceived().filter(|user| is_within(corners, user.position)).count();
        PerceptionRegion {
            measurement_delta_time_ms: 0,
            perception_region_confidence_percent: None,
            perception_region_shape: shape(scene, corners),
            shadowing_applies: true,
            sensor_id_list: List::try_from_iter([sensor_id(&scene.station.sensors, *source)]),
            number_of_perceived_objects: Some(u8::try_from(inside).unwrap_or(u8::MAX)),
            perceived_object_ids: None,
        }
    };
    scene.station.footprints.iter().map(region).collect()
}

/// A footprint relative to the station.
fn shape(scene: &Scene<'_>, corners: &[[f64; 2]]) -> Shape {
    let reference = scene.station.reference;
    let corner = |[e_m, n_m]: &[f64; 2]| CartesianPosition3d {
        x_m: Reading::Value((e_m - reference.e_m) as f32),
        y_m: Reading::Value((n_m - reference.n_m) as f32),
        z_m: None,
    };
    // The count was checked when the node was made.
    let polygon = List::try_from_iter(corners.iter().map(corner)).unwrap_or_default();
    Shape::Polygonal(PolygonalShape { polygon, ..PolygonalShape::default() })
}
