//! Warnings, accidents and road works, from DENMs.

use super::road_user::position;
use super::{Attribute, Entity, EntityKind, Geometry, Origin};
use masa_v2x_proto::cdd::CauseCode;
use masa_v2x_proto::denm::{Denm, Termination};
use masa_v2x_proto::time::Timestamp;
use serde_json::json;

/// What a cause is in the words of the Smart Data Models' `Alert`: sub-category, severity, what to tell people.
struct Meaning {
    category: &'static str,
    sub_category: &'static str,
    severity: &'static str,
    english: &'static str,
}

/// Causes of TS 102 894-2 and what they mean to a city.
#[rustfmt::skip]
fn meaning(cause: u8) -> Meaning {
    let (category, sub_category, severity, english) = match cause {
        1 => ("traffic", "trafficJam", "medium", "Heavy traffic"),
        2 | 92 => ("traffic", "carAccident", "high", "Accident"),
        3 | 4 => ("traffic", "roadWorks", "low", "Road works"),
        5 => ("traffic", "roadClosed", "high", "Road impassable"),
        6 | 7 => ("weather", "ice", "medium", "Slippery road"),
        9 => ("traffic", "hazardOnRoad", "medium", "Bad road surface"),
        10 => ("traffic", "hazardOnRoad", "medium", "Obstacle on the road"),
        11 => ("traffic", "hazardOnRoad", "medium", "Animal on the road"),
        12 => ("traffic", "pedestrianOnRoad", "high", "Person on the road"),
        14 => ("traffic", "carWrongDirection", "critical", "Vehicle in the wrong direction"),
        15 => ("traffic", "hazardOnRoad", "medium", "Rescue or recovery work"),
        17 => ("weather", "wind", "medium", "Strong wind"),
        18 => ("weather", "fog", "medium", "Poor visibility"),
        19 => ("weather", "rainfall", "medium", "Heavy precipitation"),
        20 => ("security", "civilDisorder", "high", "Violence"),
        26 => ("traffic", "hazardOnRoad", "low", "Slow vehicle"),
        27 => ("traffic", "trafficJam", "medium", "End of a queue"),
        28 => ("traffic", "tramApproaching", "low", "Public transport approaching"),
        91 | 94 => ("traffic", "carStopped", "medium", "Stationary vehicle"),
        93 => ("health", "hazardOnRoad", "high", "Driver unwell"),
        95 => ("traffic", "hazardOnRoad", "medium", "Emergency vehicle approaching"),
        97 => ("traffic", "hazardOnRoad", "critical", "Collision risk"),
        98 => ("traffic", "hazardOnRoad", "high", "Signal violation"),
        _ => ("traffic", "hazardOnRoad", "medium", "Dangerous situation"),
    };
    Meaning { category, sub_category, severity, english }
}

/// Values that `Alert` and `RoadAccident` demand.
#[rustfmt::skip]
const CHOICES: &[(EntityKind, &str, &[&str])] = &[
    (EntityKind::Alert, "category",
        &["traffic", "naturalDisaster", "weather", "environment", "health", "security", "agriculture"]),
    (EntityKind::Alert, "severity", &["informational", "low", "medium", "high", "critical"]),
    (EntityKind::Alert, "subCategory", &[
        "airPollution", "assault", "asthmaAttack", "avalancheRisk", "bacteria", "badSeaState", "bikerOnRoad", "buildingFire",
        "bumpedPatient", "carAccident", "carStopped", "carWrongDirection", "coastalEvent", "civilDisorder", "coldWave",
        "crowdRisk", "earthquake", "fallenPatient", "fertilisation", "fireRisk", "flood", "floodRisk", "fog", "forestFire",
        "fungus", "hazardOnRoad", "heartAttack", "heatWave", "highAtmosphericPressure", "highHumidity", "highTemperature",
        "hurricane", "ice", "injuredBiker", "insect", "irrigation", "lowAtmosphericPressure", "lowHumidity",
        "lowTemperature", "microbe", "mite", "nematodes", "noxiousWeed", "pedestrianOnRoad", "pollenConcentration",
        "pothole", "rainfall", "roadClosed", "roadWorks", "robbery", "rodent", "snail", "snow", "snow/ice",
        "suspiciousAction", "thunderstorms", "tornado", "trafficJam", "tramApproaching", "tropicalCyclone", "tsunami",
        "virus", "waterPollution", "wind",
    ]),
    (EntityKind::RoadAccident, "status", &["archived", "onGoing", "solved"]),
];

/// What an operator tells of, with what the models demand: missing values that can be known are added, others refused.
///
/// # Errors
/// The attribute, and what it may be.
pub(crate) fn completed(mut entity: Entity) -> Result<Entity, String> {
    let missing = |entity: &Entity, name: &str| !entity.attributes.contains_key(name);
    if entity.kind == EntityKind::Alert && missing(&entity, "dateIssued") {
        let issued_at = Attribute::DateTime(entity.observed_at);
        entity = entity.with("dateIssued", issued_at);
    }
    if entity.kind == EntityKind::Alert && missing(&entity, "alertSource") {
        let source = Attribute::Relationship(entity.origin.station_urn());
        entity = entity.with("alertSource", source);
    }
    for (_, name, choices) in CHOICES.iter().filter(|(kind, _, _)| *kind == entity.kind) {
        let value = entity.value_of(name);
        let is_good = match value.as_ref().map(serde_json::Value::as_str) {
            Some(Some(value)) => choices.contains(&value),
            Some(None) => false,
            None => !matches!(*name, "category" | "status"),
        };
        if !is_good {
            return Err(format!("`{name}` is one of {}", choices.join(", ")));
        }
    }
    Ok(entity)
}

/// What a DENM warns of: an `Alert`, and beside it the `RoadAccident` or `CityWork` it tells of. A message that ends an
/// event gives the same entities, over.
pub(super) fn from_denm(denm: &Denm, at: Timestamp, origin: &Origin) -> Vec<Entity> {
    let management = &denm.denm.management;
    let Some(place) = position(&management.event_position) else { return Vec::new() };
    let detected_at = Timestamp::from(management.detection_time);
    let until = match management.termination {
        None => detected_at.plus_ms(i64::from(management.validity_duration_s) * 1_000),
        Some(Termination::IsCancellation | Termination::IsNegation) => at,
    };
    let is_over = management.termination.is_some();
    let id = management.action_id;
    let local = format!("{}-{}", id.originating_station_id.0, id.sequence_number);
    let event = |kind| Entity::new(origin.id(kind, &local), kind, Geometry::Point(place), at, origin).until(until);
    let situation = denm.denm.situation.as_ref();
    let cause = situation.map(|situation| situation.event_type);
    let meaning = meaning(cause.map_or(0, CauseCode::code));
    let quality = situation.map(|situation| situation.information_quality);
    let heading = denm.denm.location.as_ref().and_then(|l| l.event_position_heading.as_ref()?.value_deg);
    let alert = event(EntityKind::Alert)
        .with("category", meaning.category)
        .with("subCategory", meaning.sub_category)
        .with("severity", if is_over { "informational" } else { meaning.severity })
        .with("description", if is_over { format!("Over: {}", meaning.english) } else { meaning.english.to_owned() })
        .with("dateIssued", Attribute::DateTime(detected_at))
        .with("validFrom", Attribute::DateTime(detected_at))
        .with("validTo", Attribute::DateTime(until))
        .with("alertSource", Attribute::Relationship(origin.station_urn()))
        .with("data", json!({
            "actionId": local, "causeCode": cause.map(CauseCode::code), "subCauseCode": cause.map(CauseCode::sub_code),
            "informationQuality": quality, "heading": heading, "isOver": is_over,
        }));
    let accident = || {
        event(EntityKind::RoadAccident)
            .with("status", if is_over { "solved" } else { "onGoing" })
            .with("accidentDate", Attribute::DateTime(detected_at))
            .with("localId", local.as_str())
            .with("description", meaning.english)
    };
    let works = || {
        event(EntityKind::CityWork)
            .with("workState", if is_over { "completed" } else { "open" })
            .with("workNumber", local.as_str())
            .with("startDate", Attribute::DateTime(detected_at))
            .with("endDate", Attribute::DateTime(until))
            .with("dateLastReported", Attribute::DateTime(at))
            .with("description", meaning.english)
    };
    match meaning.sub_category {
        "carAccident" => vec![alert, accident()],
        "roadWorks" => vec![alert, works()],
        _ => vec![alert],
    }
}
