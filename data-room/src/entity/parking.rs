//! Parking, from POIMs: a place, its areas, their spaces.

use super::{Attribute, Entity, EntityKind, Geometry, Origin, Position};
use masa_v2x_proto::cdd::DeltaReferencePosition;
use masa_v2x_proto::poim::{
    OccupancyInformation, OpeningStatus, ParkingArea, ParkingAreaArrangementType, ParkingAvailabilityBlock,
    ParkingSpaceStatus,
};
use masa_v2x_proto::time::Timestamp;
use serde_json::json;

/// Place, areas and spaces of a parking block.
pub(super) fn from_block(block: &ParkingAvailabilityBlock, at: Timestamp, origin: &Origin) -> Vec<Entity> {
    let place = &block.place_info;
    let Some(position) = geo(place.position.longitude_deg, place.position.latitude_deg) else { return Vec::new() };
    let kind = EntityKind::OnStreetParking;
    let site = origin.id(kind, &*place.name);
    let areas: Vec<_> =
        block.detailed_status.iter().flat_map(|lists| lists.iter().flat_map(|areas| areas.iter())).collect();
    let groups: Vec<_> = areas.iter().map(|area| group_id(origin, area)).collect();
    let status = &block.aggregated_status;
    let is_open = status.current_facility_status != OpeningStatus::Closed;
    let entity = Entity::new(site.clone(), kind, Geometry::Point(position), at, origin)
        .with("name", &*place.name)
        .with("category", json!(["public"]))
        .with("status", if is_open { "open" } else { "closed" })
        .with("observationDateTime", Attribute::DateTime(at))
        .with("refParkingGroup", Attribute::Relationships(groups));
    let entity = match &status.current_occupancy {
        Some(occupancy) => spots(entity, occupancy),
        None => entity,
    };
    std::iter::once(entity).chain(areas.into_iter().flat_map(|area| from_area(area, &site, at, origin))).collect()
}

fn from_area(area: &ParkingArea, site: &str, at: Timestamp, origin: &Origin) -> Vec<Entity> {
    let Some(position) = geo(area.location.longitude_deg, area.location.latitude_deg) else { return Vec::new() };
    let group = group_id(origin, area);
    let mode = match area.arrangement_type {
        ParkingAreaArrangementType::Parallel => Some(json!(["parallelParking"])),
        ParkingAreaArrangementType::Diagonal => Some(json!(["echelonParking"])),
        ParkingAreaArrangementType::Perpendicular => Some(json!(["perpendicularParking"])),
        _ => None,
    };
    let entity = Entity::new(group.clone(), EntityKind::ParkingGroup, Geometry::Point(position), at, origin)
        .with("refParkingSite", Attribute::Relationship(site.to_owned()))
        .with("category", json!(["onStreet", "adjacentSpaces"]))
        .with("occupancyDetectionType", json!(["singleSpaceDetection"]))
        .with_some("parkingMode", mode);
    let entity = spots(entity, &area.current_occupancy);
    let basic = area.spaces_basic.iter().flat_map(|list| list.iter()).map(|s| (s.id, s.location, &s.status));
    let detailed = area.spaces_detailed.iter().flat_map(|list| list.iter()).map(|s| (s.id, s.location, &s.status));
    let spaces = basic.chain(detailed).map(|(id, offset, status)| {
        let kind = EntityKind::ParkingSpot;
        let at_place = Geometry::Point(offset.and_then(|offset| offset_from(position, &offset)).unwrap_or(position));
        Entity::new(origin.id(kind, format_args!("{}-{id}", area.id)), kind, at_place, at, origin)
            .with("status", status_name(status))
            .with("category", json!(["onStreet"]))
            .with("refParkingSite", Attribute::Relationship(site.to_owned()))
            .with("refParkingGroup", Attribute::Relationship(group.clone()))
            .with("timeInstant", Attribute::DateTime(at))
    });
    std::iter::once(entity).chain(spaces).collect()
}

fn group_id(origin: &Origin, area: &ParkingArea) -> String {
    origin.id(EntityKind::ParkingGroup, area.id)
}

/// Numbers of spaces; the model has no group of none.
fn spots(entity: Entity, occupancy: &OccupancyInformation) -> Entity {
    entity
        .with_some("totalSpotNumber", occupancy.total_spaces.filter(|total| *total > 0))
        .with_some("availableSpotNumber", occupancy.free_spaces)
}

fn status_name(status: &ParkingSpaceStatus) -> &'static str {
    match status {
        ParkingSpaceStatus::Free(_) | ParkingSpaceStatus::FreeUntil(_) => "free",
        ParkingSpaceStatus::FullyOccupied(_)
        | ParkingSpaceStatus::PartiallyOccupied(_)
        | ParkingSpaceStatus::OccupiedUntil(_)
        | ParkingSpaceStatus::ReservedUntil(_) => "occupied",
        ParkingSpaceStatus::AccessBlocked(_) => "closed",
        _ => "unknown",
    }
}

fn geo(lon_deg: Option<f64>, lat_deg: Option<f64>) -> Option<Position> {
    Position::new(lon_deg?, lat_deg?)
}

fn offset_from(from: Position, offset: &DeltaReferencePosition) -> Option<Position> {
    let (lon, lat) = (offset.delta_longitude_deg?, offset.delta_latitude_deg?);
    Position::new(from.lon_deg + f64::from(lon), from.lat_deg + f64::from(lat))
}
