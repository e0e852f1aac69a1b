//! Findings as entities of the city, and as records of the store.
//!
//! In: [`Finding`]s. Out: [`Record`]s of kind `service` whose document is an NGSI-LD entity. Times and places are those of
//! what was found out; the station is 0, which no node has. Absent: doubts about readings, which are logged; the hour of
//! the sensor counts them.

use super::class::RoadUserClass;
use super::crowd::CrowdState;
use super::environment::{EnvironmentFinding, EnvironmentHour};
use super::parking::{BayChange, GroupState, ParkingFinding};
use super::shape::Place;
use super::site::ServiceSite;
use super::traffic_flow::{Direction, Flow, FlowFinding, Forecast, MovementFlow, PeopleFlow, QueueFlow};
use super::{Finding, Found};
use crate::entity::{
    Attribute, CrowdFlow, Entity, EntityKind, Form, Geometry, Origin, Position, Reading, Sensor, TrafficFlow, rfc3339,
    rounded,
};
use crate::record::{Kind, Record, Sensitivity, Source, Tenant};
use masa_v2x_proto::time::Timestamp;
use serde_json::json;

/// The station of services: no node has it.
pub(super) const STATION: u32 = 0;

/// Most entities of a finding: an hour of a sensor is one of air, one of noise, one of the weather.
const MOST_ENTITIES: u64 = 4;

/// The source of a site's findings.
pub(super) fn source(site: &ServiceSite) -> Source {
    Source { site: site.site.clone(), station: STATION }
}

/// The id of something that the services of a site speak of.
pub(super) fn id(site: &ServiceSite, kind: EntityKind, name: &str) -> String {
    let at = Timestamp::default();
    Origin { site: site.site.clone(), station: STATION, message: String::new(), received_at: at }.id(kind, name)
}

/// A finding as records, one for each entity it is.
pub(super) fn records(finding: &Finding, site: &ServiceSite, tenant: &Tenant, now: Timestamp) -> Vec<Record> {
    let message = format!("{}-service-{}", site.site, finding.sequence);
    let origin = Origin { site: site.site.clone(), station: STATION, message, received_at: now };
    // The numbers of one finding follow each other.
    let first = finding.sequence * MOST_ENTITIES;
    let entities = entities(finding, site, &origin).into_iter().zip(first..first + MOST_ENTITIES);
    entities.map(|(entity, sequence)| record(&entity, sequence, site, tenant, now)).collect()
}

fn record(entity: &Entity, sequence: u64, site: &ServiceSite, tenant: &Tenant, now: Timestamp) -> Record {
    let anchor = entity.geometry.anchor();
    let position = masa_v2x_proto::geo::Wgs84 { lat_deg: anchor.lat_deg, lon_deg: anchor.lon_deg, alt_m: 0.0 };
    Record {
        arrival: 0,
        tenant: tenant.clone(),
        source: source(site),
        kind: Kind::Service,
        epoch: 0,
        sequence,
        message_id: entity.origin.message.clone(),
        entity: entity.id.clone(),
        measured_at: entity.observed_at,
        received_at: now,
        position: Some(position),
        sensitivity: Sensitivity::Open,
        topic: "services".into(),
        payload: entity.to_json(Form::Normalized, &[]).to_string().into(),
    }
}

fn entities(finding: &Finding, site: &ServiceSite, origin: &Origin) -> Vec<Entity> {
    match &finding.found {
        Found::Flow(flow) => flow_entity(flow, site, origin).into_iter().collect(),
        Found::Parking(ParkingFinding::Bay(bay)) => bay_entity(bay, finding.at, site, origin).into_iter().collect(),
        Found::Parking(ParkingFinding::Group(group)) => group_entity(group, site, origin).into_iter().collect(),
        Found::Crowd(crowd) => crowd_entity(crowd, site, origin).into_iter().collect(),
        Found::Environment(EnvironmentFinding::Hour(hour)) => hour_entities(hour, site, origin),
        Found::Environment(EnvironmentFinding::Doubt(_)) => Vec::new(),
    }
}

/// Name of a count at a gate: of a class, all when absent, over minutes.
pub(super) fn flow_name(gate: &str, direction: Direction, class: Option<RoadUserClass>, minutes: i64) -> String {
    format!("{gate}-{}-{}-{minutes}min", direction.name(), class.map_or("all", RoadUserClass::name))
}

fn minutes(from: Timestamp, to: Timestamp) -> i64 {
    (to.unix_ms() - from.unix_ms()) / 60_000
}

fn flow_entity(finding: &FlowFinding, site: &ServiceSite, origin: &Origin) -> Option<Entity> {
    match finding {
        FlowFinding::Flow(flow) => Some(gate_entity(flow, gate_line(site, &flow.gate)?, origin)),
        FlowFinding::People(people) => Some(people_entity(people, gate_line(site, &people.gate)?, origin)),
        FlowFinding::Movement(movement) => Some(movement_entity(movement, movement_line(site, movement)?, origin)),
        FlowFinding::Queue(queue) => queue_entity(queue, site, origin),
        FlowFinding::Forecast { gate, direction, forecast } => {
            Some(forecast_entity(gate, *direction, forecast, gate_line(site, gate)?, origin))
        }
    }
}

fn gate_entity(flow: &Flow, geometry: Geometry, origin: &Origin) -> Entity {
    let counted = TrafficFlow {
        name: flow_name(&flow.gate, flow.direction, flow.class, minutes(flow.from, flow.to)),
        geometry,
        from: flow.from,
        to: flow.to,
        vehicles: flow.count,
        mean_speed_mps: flow.time_mean_mps,
        occupancy: flow.occupancy,
        mean_headway_s: flow.headway_s,
        lane: None,
        vehicle_type: flow.class.map(vehicle_type),
        is_congested: flow.is_congested,
    };
    counted
        .entity(origin)
        .with_some("spaceMeanSpeed", flow.space_mean_mps.map(kmh))
        .with_some("density", flow.density_per_km.map(|density| rounded(density, 2)))
        .with("observedShare", rounded(flow.observed, 3))
}

fn people_entity(people: &PeopleFlow, geometry: Geometry, origin: &Origin) -> Entity {
    let counted = CrowdFlow {
        name: format!("{}-{}min", people.gate, minutes(people.from, people.to)),
        geometry,
        from: people.from,
        to: people.to,
        people: people.people,
        mean_speed_mps: people.mean_mps,
        is_congested: false,
    };
    counted.entity(origin).with("observedShare", rounded(people.observed, 3))
}

fn movement_entity(movement: &MovementFlow, geometry: Geometry, origin: &Origin) -> Entity {
    let class = movement.class.map_or("all", RoadUserClass::name);
    let length = minutes(movement.from, movement.to);
    let counted = TrafficFlow {
        name: format!("{}-to-{}-{class}-{length}min", movement.from_arm, movement.to_arm),
        geometry,
        from: movement.from,
        to: movement.to,
        vehicles: movement.count,
        mean_speed_mps: None,
        occupancy: None,
        mean_headway_s: None,
        lane: None,
        vehicle_type: movement.class.map(vehicle_type),
        is_congested: movement.level.letter() >= "E",
    };
    counted
        .entity(origin)
        .with("travelTime", Attribute::measured(rounded(movement.travel_s, 1), "SEC"))
        .with("controlDelay", Attribute::measured(rounded(movement.delay_s, 1), "SEC"))
        .with("levelOfService", movement.level.letter())
        .with("observedShare", rounded(movement.observed, 3))
}

fn queue_entity(queue: &QueueFlow, site: &ServiceSite, origin: &Origin) -> Option<Entity> {
    let approach = site.approaches.iter().find(|approach| approach.id == queue.approach)?;
    let geometry = Geometry::LineString(approach.way_m.0.iter().map(|place| position(site, *place)).collect());
    let name = format!("{}-queue-{}min", queue.approach, minutes(queue.from, queue.to));
    let entity = observed(EntityKind::TrafficFlowObserved, &name, geometry, [queue.from, queue.to], origin)
        .with_some("queueVehicles", queue.mean_vehicles.map(|vehicles| rounded(vehicles, 2)))
        .with_some("queueLength", queue.mean_length_m.map(|m| Attribute::measured(rounded(m, 1), "MTR")))
        .with("longestQueue", Attribute::measured(rounded(queue.longest.length_m, 1), "MTR"))
        .with("observedShare", rounded(queue.observed, 3));
    Some(entity)
}

fn forecast_entity(
    gate: &str,
    direction: Direction,
    forecast: &Forecast,
    geometry: Geometry,
    origin: &Origin,
) -> Entity {
    let name = format!("{gate}-{}-forecast", direction.name());
    let period = [forecast.from, forecast.to];
    // Known since its begin, true until its end.
    let entity = observed(EntityKind::TrafficFlowObserved, &name, geometry, period, origin);
    Entity { observed_at: forecast.from, ..entity.until(forecast.to) }
        .with("isForecast", true)
        .with("intensity", forecast.expected.round())
        .with("intensityLow", forecast.low.floor())
        .with("intensityHigh", forecast.high.ceil())
}

fn bay_entity(bay: &BayChange, at: Timestamp, site: &ServiceSite, origin: &Origin) -> Option<Entity> {
    let settings = site.bays.iter().find(|known| known.id == bay.bay)?;
    let kind = EntityKind::ParkingSpot;
    let geometry = Geometry::Point(position(site, settings.polygon_m.middle()));
    let entity = Entity::new(origin.id(kind, &bay.bay), kind, geometry, at, origin)
        .with("status", bay.state.name())
        .with("category", json!(["onStreet"]))
        .with("refParkingSite", Attribute::Relationship(origin.id(EntityKind::OnStreetParking, &site.site)))
        .with("refParkingGroup", Attribute::Relationship(origin.id(EntityKind::ParkingGroup, &bay.group)))
        .with("timeInstant", Attribute::DateTime(at))
        .with("since", Attribute::DateTime(bay.since));
    Some(entity)
}

fn group_entity(group: &GroupState, site: &ServiceSite, origin: &Origin) -> Option<Entity> {
    // The newest interval is the state; the longest has the turnover.
    let length = minutes(group.from, group.to);
    let bay = site.bays.iter().find(|bay| bay.group == group.group)?;
    let kind = EntityKind::ParkingGroup;
    let geometry = Geometry::Point(position(site, bay.polygon_m.middle()));
    let name = if length == 1 { group.group.clone() } else { format!("{}-{length}min", group.group) };
    let entity = Entity::new(origin.id(kind, name), kind, geometry, group.to, origin)
        .with("refParkingSite", Attribute::Relationship(origin.id(EntityKind::OnStreetParking, &site.site)))
        .with("category", json!(["onStreet", "adjacentSpaces"]))
        .with("occupancyDetectionType", json!(["singleSpaceDetection"]))
        .with("totalSpotNumber", group.bays)
        .with("availableSpotNumber", group.free)
        .with("occupiedSpotNumber", group.taken)
        .with("arrivals", group.arrivals)
        .with("departures", group.departures)
        .with("stays", json!(group.stays))
        .with_some("meanStay", group.mean_stay_s.map(|s| Attribute::measured(rounded(s / 60.0, 1), "MIN")));
    Some(entity)
}

fn crowd_entity(crowd: &CrowdState, site: &ServiceSite, origin: &Origin) -> Option<Entity> {
    let zone = site.crowd_zones.iter().find(|zone| zone.id == crowd.zone)?;
    let corners = zone.polygon_m.0.iter().chain(zone.polygon_m.0.first());
    let geometry = Geometry::Polygon(corners.map(|place| position(site, *place)).collect());
    let name = format!("{}-{}min", crowd.zone, minutes(crowd.from, crowd.to));
    let entity = observed(EntityKind::CrowdFlowObserved, &name, geometry, [crowd.from, crowd.to], origin)
        .with_some("peopleCount", crowd.mean_people.map(f64::round))
        .with("mostPeople", crowd.most_people)
        .with_some("density", crowd.mean_per_m2.map(|density| rounded(density, 3)))
        .with("highestDensity", rounded(crowd.most_per_m2, 3))
        .with_some("meanNearestDistance", crowd.mean_nearest_m.map(|m| Attribute::measured(rounded(m, 2), "MTR")))
        .with_some("closeShare", crowd.close.map(|share| rounded(share, 3)))
        .with_some("averageCrowdSpeed", crowd.mean_mps.map(kmh))
        .with("congested", crowd.is_crowded)
        .with("observedShare", rounded(crowd.observed, 3));
    Some(entity)
}

fn hour_entities(hour: &EnvironmentHour, site: &ServiceSite, origin: &Origin) -> Vec<Entity> {
    let place = hour.position.map_or_else(|| position(site, [0.0, 0.0]), Position::from);
    let mut sensor = Sensor::new(&format!("{}-{}-hour", hour.station, hour.sensor), place);
    let mut entities: Vec<Entity> = Vec::new();
    for mean in &hour.means {
        let Some(value) = mean.mean else { continue };
        let reading = Reading { sensor: hour.sensor.clone(), quantity: mean.quantity, value, on_board: false };
        let Some(entity) = sensor.take(&reading, hour.to, origin) else { continue };
        entities.retain(|known| known.kind != entity.kind);
        entities.push(entity);
    }
    let capture = hour.means.iter().map(|mean| (mean.quantity.name().to_owned(), json!(rounded(mean.capture, 3))));
    let rejected = hour.means.iter().map(|mean| (mean.quantity.name().to_owned(), json!(mean.rejected)));
    let gaps = hour.means.iter().map(|mean| {
        let gaps = mean.gaps.iter().map(|gap| json!(gap.map(rfc3339)));
        (mean.quantity.name().to_owned(), gaps.collect())
    });
    let [capture, rejected, gaps]: [serde_json::Map<_, _>; 3] = [capture.collect(), rejected.collect(), gaps.collect()];
    let finished = entities.into_iter().map(|entity| {
        let is_air = entity.kind == EntityKind::AirQualityObserved;
        let index = hour.index.filter(|_| is_air);
        entity
            // The models of air want a moment; the hour is in the two beside it.
            .with("dateObserved", rfc3339(hour.from))
            .with("dateObservedFrom", Attribute::DateTime(hour.from))
            .with("dateObservedTo", Attribute::DateTime(hour.to))
            .with_some("airQualityLevel", index.map(|(level, _)| level.name()))
            .with_some("airQualityIndexPollutant", index.map(|(_, quantity)| quantity.name()))
            .with("dataCapture", json!(capture))
            .with("rejectedReadings", json!(rejected))
            .with("gaps", json!(gaps))
    });
    finished.collect()
}

/// An entity that speaks of a period.
fn observed(kind: EntityKind, name: &str, geometry: Geometry, [from, to]: [Timestamp; 2], origin: &Origin) -> Entity {
    Entity::new(origin.id(kind, name), kind, geometry, to, origin)
        .with("dateObserved", format!("{}/{}", rfc3339(from), rfc3339(to)))
        .with("dateObservedFrom", Attribute::DateTime(from))
        .with("dateObservedTo", Attribute::DateTime(to))
}

/// As the Smart Data Models call it.
const fn vehicle_type(class: RoadUserClass) -> &'static str {
    match class {
        RoadUserClass::Pedestrian | RoadUserClass::Other => "anyVehicle",
        other => other.name(),
    }
}

fn position(site: &ServiceSite, place: Place) -> Position {
    site.wgs84(place).into()
}

fn gate_line(site: &ServiceSite, gate: &str) -> Option<Geometry> {
    let gate = site.gates.iter().find(|known| known.id == gate)?;
    Some(Geometry::LineString(gate.line_m.0.map(|place| position(site, place)).to_vec()))
}

/// From the gate of one arm to that of another.
fn movement_line(site: &ServiceSite, movement: &MovementFlow) -> Option<Geometry> {
    let middle = |arm: &str| {
        let gate = site.gates.iter().find(|gate| gate.arm.as_deref() == Some(arm))?;
        Some(position(site, gate.line_m.middle()))
    };
    Some(Geometry::LineString(vec![middle(&movement.from_arm)?, middle(&movement.to_arm)?]))
}

fn kmh(mps: f64) -> Attribute {
    Attribute::measured(rounded(mps * 3.6, 2), "KMH")
}
