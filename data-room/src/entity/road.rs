//! Lanes, from MAPEMs.

use super::{Attribute, Entity, EntityKind, Geometry, Origin, Position};
use masa_v2x_proto::dsrc::{IntersectionReferenceId, NodeOffsetPoint};
use masa_v2x_proto::mapem::{GenericLane, IntersectionGeometry, LaneDirection, LaneTypeAttributes, NodeList};
use masa_v2x_proto::time::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;

/// Name of an intersection in ids.
pub(super) fn intersection_name(id: &IntersectionReferenceId) -> String {
    match id.region {
        Some(region) => format!("{region}-{}", id.id),
        None => id.id.to_string(),
    }
}

/// The lanes of an intersection as `RoadSegment`s, each in the direction of travel.
pub(super) fn lanes(geometry: &IntersectionGeometry, at: Timestamp, origin: &Origin) -> Vec<Entity> {
    let intersection = intersection_name(&geometry.id);
    let segment = |lane: &GenericLane| {
        let mut line = lane_line(geometry, lane)?;
        let direction = &lane.lane_attributes.directional_use;
        // Nodes begin at the stop line: those who come travel from the last one to it.
        if direction.contains(LaneDirection::INGRESS_PATH) && !direction.contains(LaneDirection::EGRESS_PATH) {
            line.reverse();
        }
        let (lane_type, vehicles) = match lane.lane_attributes.lane_type {
            LaneTypeAttributes::Vehicle(_) => ("vehicle", json!(["anyVehicle"])),
            LaneTypeAttributes::BikeLane(_) => ("bikeLane", json!(["bicycle"])),
            LaneTypeAttributes::Crosswalk(_) => ("crosswalk", json!([])),
            LaneTypeAttributes::Sidewalk(_) => ("sidewalk", json!([])),
            LaneTypeAttributes::TrackedVehicle(_) => ("trackedVehicle", json!([])),
            LaneTypeAttributes::Parking(_) => ("parking", json!(["anyVehicle"])),
            _ => ("other", json!([])),
        };
        let point = |p: Position| Geometry::Point(p).to_geojson();
        let (start, end) = (point(*line.first()?), point(*line.last()?));
        let kind = EntityKind::RoadSegment;
        let id = origin.id(kind, format_args!("{intersection}-{}", lane.lane_id));
        Some(
            Entity::new(id, kind, Geometry::LineString(line), at, origin)
                .with("name", format!("Lane {} of intersection {intersection}", lane.lane_id))
                .with("refRoad", Attribute::Relationship(format!("urn:ngsi-ld:Road:{}:{intersection}", origin.site)))
                .with("startPoint", start)
                .with("endPoint", end)
                .with("allowedVehicleType", vehicles)
                .with("laneType", lane_type)
                .with("laneId", lane.lane_id)
                .with_some("width", geometry.lane_width_m.map(|m| Attribute::measured(super::rounded(m, 2), "MTR"))),
        )
    };
    geometry.lane_set.iter().filter_map(segment).collect()
}

/// Where each signal group shows: at the stop line of the first lane that obeys it.
pub(super) fn signal_places(geometry: &IntersectionGeometry) -> BTreeMap<u8, Position> {
    let mut places = BTreeMap::new();
    for lane in &geometry.lane_set {
        let Some(line) = lane_line(geometry, lane) else { continue };
        for connection in lane.connects_to.iter().flatten() {
            if let Some(group) = connection.signal_group {
                places.entry(group.0).or_insert(line[0]);
            }
        }
    }
    places
}

/// The reference point of an intersection.
pub(super) fn reference(geometry: &IntersectionGeometry) -> Option<Position> {
    Position::new(geometry.ref_point.longitude_deg?, geometry.ref_point.latitude_deg?)
}

/// The nodes of a lane, from the stop line outwards; `None` for lanes computed from others.
fn lane_line(geometry: &IntersectionGeometry, lane: &GenericLane) -> Option<Vec<Position>> {
    let NodeList::Nodes(nodes) = &lane.node_list else { return None };
    let mut at = reference(geometry)?;
    let mut line = Vec::with_capacity(nodes.len());
    for node in nodes {
        at = match &node.delta {
            NodeOffsetPoint::Position(p) => Position::new(p.longitude_deg?, p.latitude_deg?)?,
            delta => delta.offset().map(|xy| at.moved_m(f64::from(xy.x_m), f64::from(xy.y_m)))?,
        };
        line.push(at);
    }
    (line.len() >= 2).then_some(line)
}
