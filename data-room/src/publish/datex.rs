//! DATEX II version 3 publications (CEN/TS 16157, schemas 3.6), one XML document each.

use super::Publisher;
use super::xml::Element;
use crate::entity::{Entity, EntityKind, from_rfc3339, rfc3339};
use masa_v2x_proto::time::Timestamp;
use serde_json::Value;

/// Situations: alerts about traffic and the road's condition, road works among them.
pub fn situations(entities: &[Entity], publisher: &Publisher, now: Timestamp) -> String {
    let published = entities.iter().filter_map(|entity| situation(entity, publisher));
    payload("sit:SituationPublication", publisher, now).children(published).to_document()
}

/// Road works alone.
pub fn roadworks(entities: &[Entity], publisher: &Publisher, now: Timestamp) -> String {
    let works = entities.iter().filter(|entity| text(entity, "subCategory") == Some("roadWorks".into()));
    payload("sit:SituationPublication", publisher, now)
        .children(works.filter_map(|entity| situation(entity, publisher)))
        .to_document()
}

/// What was measured: traffic, weather, air. `None` when nothing was, which the format cannot express.
pub fn measured_data(entities: &[Entity], publisher: &Publisher, now: Timestamp) -> Option<String> {
    let sites: Vec<_> = entities.iter().filter_map(site_measurements).collect();
    let table = Element::new("roa:measurementSiteTableReference")
        .attribute("id", SITE_TABLE)
        .attribute("version", "1")
        .attribute("targetClass", "roa:MeasurementSiteTable");
    let document = payload("roa:MeasuredDataPublication", publisher, now).child(table).child(header("roa"));
    (!sites.is_empty()).then(|| document.children(sites).to_document())
}

/// Where it is measured; `None` when nowhere.
pub fn measurement_sites(entities: &[Entity], publisher: &Publisher, now: Timestamp) -> Option<String> {
    let sites: Vec<_> = entities.iter().filter(|entity| !quantities(entity).is_empty()).map(measurement_site).collect();
    let is_empty = sites.is_empty();
    let table =
        Element::new("roa:measurementSiteTable").attribute("id", SITE_TABLE).attribute("version", "1").children(sites);
    let document = payload("roa:MeasurementSiteTablePublication", publisher, now).child(header("roa")).child(table);
    (!is_empty).then(|| document.to_document())
}

/// How full parking places are; `None` when there is none.
pub fn parking_status(entities: &[Entity], publisher: &Publisher, now: Timestamp) -> Option<String> {
    let places: Vec<_> = entities.iter().filter(|e| is_parking(e)).map(parking_place_status).collect();
    let table = Element::new("prk:parkingTableReference")
        .attribute("id", PARKING_TABLE)
        .attribute("version", "1")
        .attribute("targetClass", "prk:ParkingTable");
    let document = payload("prk:ParkingStatusPublication", publisher, now).child(table).child(header("prk"));
    (!places.is_empty()).then(|| document.children(places).to_document())
}

/// Which parking places there are; `None` when there is none.
pub fn parking_table(entities: &[Entity], publisher: &Publisher, now: Timestamp) -> Option<String> {
    let places: Vec<_> = entities.iter().filter(|e| is_parking(e)).map(parking_place).collect();
    let is_empty = places.is_empty();
    let table = Element::new("prk:parkingTable")
        .attribute("id", PARKING_TABLE)
        .attribute("version", "1")
        .child(Element::text("prk:versionTime", rfc3339(now)))
        .children(places);
    let document = payload("prk:ParkingTablePublication", publisher, now).child(header("prk")).child(table);
    (!is_empty).then(|| document.to_document())
}

const SITE_TABLE: &str = "measurement-sites";
const PARKING_TABLE: &str = "parking-places";

const NAMESPACES: [(&str, &str); 7] = [
    ("xmlns:d2", "http://datex2.eu/schema/3/d2Payload"),
    ("xmlns:com", "http://datex2.eu/schema/3/common"),
    ("xmlns:loc", "http://datex2.eu/schema/3/locationReferencing"),
    ("xmlns:sit", "http://datex2.eu/schema/3/situation"),
    ("xmlns:roa", "http://datex2.eu/schema/3/roadTrafficData"),
    ("xmlns:prk", "http://datex2.eu/schema/3/parking"),
    ("xmlns:fac", "http://datex2.eu/schema/3/facilities"),
];

fn payload(publication: &'static str, publisher: &Publisher, now: Timestamp) -> Element {
    let root = Element::new("d2:payload").attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    let root = NAMESPACES.iter().fold(root, |root, (name, uri)| root.attribute(name, uri));
    root.attribute("xsi:type", publication)
        .attribute("lang", &publisher.language)
        .attribute("modelBaseVersion", "3")
        .child(Element::text("com:publicationTime", rfc3339(now)))
        .child(
            Element::new("com:publicationCreator")
                .child(Element::text("com:country", &publisher.country))
                .child(Element::text("com:nationalIdentifier", &publisher.identifier)),
        )
}

/// `headerInformation`, which every publication has in its own namespace.
fn header(namespace: &str) -> Element {
    let name = match namespace {
        "sit" => "sit:headerInformation",
        "roa" => "roa:headerInformation",
        _ => "prk:headerInformation",
    };
    Element::new(name)
        .child(Element::text("com:confidentiality", "noRestriction"))
        .child(Element::text("com:informationStatus", "real"))
}

fn words(name: &'static str, text: &str, language: &str) -> Element {
    Element::new(name)
        .child(Element::new("com:values").child(Element::text("com:value", text).attribute("lang", language)))
}

fn point(name: &'static str, entity: &Entity, bearing_deg: Option<f64>) -> Element {
    let at = entity.geometry.anchor();
    let bearing = bearing_deg.map(|deg| Element::text("loc:bearing", deg.round() as i64 % 360));
    let coordinates = Element::new("loc:pointCoordinates")
        .child(Element::text("loc:latitude", format_args!("{:.7}", at.lat_deg)))
        .child(Element::text("loc:longitude", format_args!("{:.7}", at.lon_deg)));
    Element::new(name)
        .attribute("xsi:type", "loc:PointLocation")
        .child(Element::new("loc:pointByCoordinates").children(bearing).child(coordinates))
}

/// The record type of a sub-category of `Alert`, and the element that says more.
fn record_type(sub_category: &str, cause: Option<u64>) -> (&'static str, &'static str, &'static str) {
    match (sub_category, cause) {
        (_, Some(11)) => ("sit:AnimalPresenceObstruction", "sit:animalPresenceType", "animalsOnTheRoad"),
        (_, Some(15)) => ("sit:GeneralObstruction", "sit:obstructionType", "rescueAndRecoveryWork"),
        (_, Some(26)) => ("sit:VehicleObstruction", "sit:vehicleObstructionType", "slowVehicle"),
        (_, Some(95)) => ("sit:VehicleObstruction", "sit:vehicleObstructionType", "emergencyVehicle"),
        ("trafficJam", Some(27)) => ("sit:AbnormalTraffic", "sit:abnormalTrafficType", "queuingTraffic"),
        ("trafficJam", _) => ("sit:AbnormalTraffic", "sit:abnormalTrafficType", "heavyTraffic"),
        ("carAccident", _) => ("sit:Accident", "sit:accidentType", "accident"),
        ("roadWorks", _) => ("sit:MaintenanceWorks", "sit:roadMaintenanceType", "roadworks"),
        ("carStopped", _) => ("sit:VehicleObstruction", "sit:vehicleObstructionType", "vehicleInDifficulty"),
        ("carWrongDirection", _) => {
            ("sit:VehicleObstruction", "sit:vehicleObstructionType", "vehicleOnWrongCarriageway")
        }
        ("pedestrianOnRoad", _) => ("sit:GeneralObstruction", "sit:obstructionType", "peopleOnRoadway"),
        ("bikerOnRoad" | "injuredBiker", _) => ("sit:GeneralObstruction", "sit:obstructionType", "cyclistsOnRoadway"),
        ("roadClosed", _) => ("sit:GeneralObstruction", "sit:obstructionType", "obstructionOnTheRoad"),
        ("ice", _) => ("sit:WeatherRelatedRoadConditions", "sit:weatherRelatedRoadConditionType", "slippery"),
        ("pothole", _) => {
            let kind = "sit:nonWeatherRelatedRoadConditionType";
            ("sit:NonWeatherRelatedRoadConditions", kind, "roadSurfaceInPoorCondition")
        }
        ("fog", _) => ("sit:PoorEnvironmentConditions", "sit:poorEnvironmentType", "fog"),
        ("wind", _) => ("sit:PoorEnvironmentConditions", "sit:poorEnvironmentType", "strongWinds"),
        ("rainfall", _) => ("sit:PoorEnvironmentConditions", "sit:poorEnvironmentType", "heavyRain"),
        ("snow", _) => ("sit:PoorEnvironmentConditions", "sit:poorEnvironmentType", "snowfall"),
        _ => ("sit:GeneralObstruction", "sit:obstructionType", "hazardsOnTheRoad"),
    }
}

/// The situation of an alert; `None` for other entities, and alerts that are not about traffic or weather.
fn situation(entity: &Entity, publisher: &Publisher) -> Option<Element> {
    if entity.kind != EntityKind::Alert || !matches!(text(entity, "category")?.as_str(), "traffic" | "weather") {
        return None;
    }
    let data = entity.value_of("data").unwrap_or_default();
    let sub_category = text(entity, "subCategory").unwrap_or_default();
    let (kind, detail_name, detail) = record_type(&sub_category, data["causeCode"].as_u64());
    let severity = match text(entity, "severity").as_deref() {
        Some("critical") => "highest",
        Some("high") => "high",
        Some("medium") => "medium",
        Some("low") => "low",
        Some("informational") => "lowest",
        _ => "unknown",
    };
    let created = time(entity, "dateIssued").unwrap_or(entity.observed_at);
    let started = time(entity, "validFrom").unwrap_or(created);
    let comment = text(entity, "description").map(|description| {
        Element::new("sit:generalPublicComment").child(words("sit:comment", &description, &publisher.language))
    });
    // InformationQuality of a DENM runs from 1 (lowest) to 7; below the middle somebody should look.
    let probability = match data["informationQuality"].as_u64() {
        Some(1..4) => "riskOf",
        Some(4..6) => "probable",
        _ => "certain",
    };
    let validity =
        Element::new("sit:validity").child(Element::text("com:validityStatus", "definedByValidityTimeSpec")).child(
            Element::new("com:validityTimeSpecification")
                .child(Element::text("com:overallStartTime", rfc3339(started)))
                .child(Element::text("com:overallEndTime", rfc3339(entity.valid_until.max(started)))),
        );
    let source = Element::new("sit:source")
        .child(Element::text("com:sourceIdentification", entity.origin.station_urn()))
        .child(Element::text("com:sourceType", "videoProcessingMonitoringStation"));
    let record = Element::new("sit:situationRecord")
        .attribute("xsi:type", kind)
        .attribute("id", format_args!("{}:record", entity.id))
        .attribute("version", entity.observed_at.unix_ms())
        .child(Element::text("sit:situationRecordCreationTime", rfc3339(created)))
        .child(Element::text("sit:situationRecordObservationTime", rfc3339(entity.observed_at)))
        .child(Element::text("sit:situationRecordVersionTime", rfc3339(entity.observed_at)))
        .child(Element::text("sit:probabilityOfOccurrence", probability))
        .child(Element::text("sit:severity", severity))
        .child(source)
        .child(validity)
        .children(comment)
        .child(point("sit:locationReference", entity, data["heading"].as_f64()))
        .child(Element::text(detail_name, detail));
    Some(
        Element::new("sit:situation")
            .attribute("id", &entity.id)
            .child(Element::text("sit:overallSeverity", severity))
            .child(Element::text("sit:situationVersionTime", rfc3339(entity.observed_at)))
            .child(header("sit"))
            .child(record),
    )
}

/// One quantity of a measurement: type of the data for the table of sites, and the data.
struct Measured {
    data_type: &'static str,
    data: Element,
}

/// What an entity measures, in the order of its indices.
fn quantities(entity: &Entity) -> Vec<Measured> {
    let value = |name: &str| entity.value_of(name).and_then(|value| value.as_f64());
    let data = |kind| Element::new("roa:basicData").attribute("xsi:type", kind);
    let of = |data_type, data: Option<Element>| data.map(|data| Measured { data_type, data });
    let percentage = |name, share: f64| {
        Element::new(name).child(Element::text("com:percentage", format_args!("{:.1}", share * 100.0)))
    };
    let measured = match entity.kind {
        EntityKind::TrafficFlowObserved => {
            let hours = time(entity, "dateObservedTo")
                .zip(time(entity, "dateObservedFrom"))
                .map(|(to, from)| to.seconds_since(from) / 3_600.0)
                .filter(|hours| *hours > 0.0);
            let flow = value("intensity").zip(hours).map(|(count, hours)| {
                let rate = Element::text("com:vehicleFlowRate", (count / hours).round() as u64);
                data("roa:TrafficFlow").child(Element::new("roa:vehicleFlow").child(rate))
            });
            let speed = value("averageVehicleSpeed").map(|kmh| {
                let speed = Element::text("com:speed", format_args!("{kmh:.1}"));
                data("roa:TrafficSpeed").child(Element::new("roa:averageVehicleSpeed").child(speed))
            });
            let occupancy = value("occupancy")
                .map(|share| data("roa:TrafficConcentration").child(percentage("roa:occupancy", share)));
            vec![of("trafficFlow", flow), of("trafficSpeed", speed), of("trafficConcentration", occupancy)]
        }
        EntityKind::WeatherObserved => {
            let temperature = value("temperature").map(|celsius| {
                let value = Element::text("com:temperature", format_args!("{celsius:.1}"));
                let air = Element::new("com:airTemperature").child(value);
                data("roa:TemperatureInformation").child(Element::new("roa:temperature").child(air))
            });
            let humidity = value("relativeHumidity").map(|share| {
                let humidity = Element::new("roa:humidity").child(percentage("com:relativeHumidity", share));
                data("roa:HumidityInformation").child(humidity)
            });
            vec![of("temperatureInformation", temperature), of("humidityInformation", humidity)]
        }
        EntityKind::AirQualityObserved => {
            // PM2.5 is not in the vocabulary.
            let pollutants = [("no2", "nitrogenDioxide"), ("pm10", "particulates10")];
            let known = pollutants.into_iter().filter_map(|(name, pollutant)| Some((value(name)?, pollutant)));
            let pollution: Vec<_> = known
                .map(|(value, pollutant)| {
                    let value = Element::text("com:microgramsConcentration", format_args!("{value:.1}"));
                    Element::new("roa:pollution")
                        .child(Element::text("com:pollutantType", pollutant))
                        .child(Element::new("com:pollutantConcentration").child(value))
                })
                .collect();
            let data = (!pollution.is_empty()).then(|| data("roa:PollutionInformation").children(pollution));
            vec![of("pollutionInformation", data)]
        }
        _ => Vec::new(),
    };
    measured.into_iter().flatten().collect()
}

fn site_measurements(entity: &Entity) -> Option<Element> {
    let quantities = quantities(entity);
    if quantities.is_empty() {
        return None;
    }
    let quantity = |(index, measured): (usize, Measured)| {
        let single = Element::new("roa:physicalQuantity")
            .attribute("xsi:type", "roa:SinglePhysicalQuantity")
            .child(measured.data);
        Element::new("roa:physicalQuantity").attribute("index", index + 1).child(single)
    };
    let period = time(entity, "dateObservedFrom").zip(time(entity, "dateObservedTo")).map(|(from, to)| {
        Element::new("roa:period")
            .child(Element::text("com:startOfPeriod", rfc3339(from)))
            .child(Element::text("com:endOfPeriod", rfc3339(to)))
    });
    let at = Element::new("roa:measurementTimeDefault")
        .child(Element::text("roa:timeMeaning", "endTime"))
        .child(Element::text("roa:timeValue", rfc3339(entity.observed_at)))
        .children(period);
    let site = Element::new("roa:measurementSiteReference")
        .attribute("id", &entity.id)
        .attribute("version", "1")
        .attribute("targetClass", "roa:MeasurementSite");
    Some(
        Element::new("roa:siteMeasurements")
            .child(site)
            .children(quantities.into_iter().enumerate().map(quantity))
            .child(at),
    )
}

fn measurement_site(entity: &Entity) -> Element {
    let characteristics = quantities(entity).into_iter().enumerate().map(|(index, measured)| {
        let value_type = Element::text("roa:specificMeasurementValueType", measured.data_type);
        Element::new("roa:measurementSpecificCharacteristics")
            .attribute("index", index + 1)
            .child(Element::new("roa:measurementSpecificCharacteristics").child(value_type))
    });
    Element::new("roa:measurementSite")
        .attribute("id", &entity.id)
        .attribute("version", "1")
        .child(Element::text("roa:measurementSiteIdentification", &entity.id))
        .children(characteristics)
        .child(point("roa:measurementSiteLocation", entity, None))
}

fn is_parking(entity: &Entity) -> bool {
    matches!(entity.kind, EntityKind::OnStreetParking | EntityKind::OffStreetParking | EntityKind::ParkingGroup)
}

fn parking_place_status(entity: &Entity) -> Element {
    let number = |name: &str| entity.value_of(name).and_then(|value| value.as_u64());
    let (total, vacant) = (number("totalSpotNumber"), number("availableSpotNumber"));
    let taken = total.zip(vacant).map(|(total, vacant)| total.saturating_sub(vacant));
    let share = total.zip(taken).filter(|(total, _)| *total > 0).map(|(total, taken)| taken as f64 / total as f64);
    let occupancy = Element::new("prk:occupancy")
        .children(total.map(|total| Element::text("prk:numberOfSpacesOverride", total)))
        .children(vacant.map(|vacant| Element::text("prk:numberOfVacantSpaces", vacant)))
        .children(taken.map(|taken| Element::text("prk:numberOfOccupiedSpaces", taken)))
        .children(share.map(|share| Element::text("prk:occupancy", format_args!("{:.1}", share * 100.0))));
    let status = match text(entity, "status").as_deref() {
        Some("closed") => "closed",
        _ => "open",
    };
    let reference = Element::new("fac:reference")
        .attribute("id", &entity.id)
        .attribute("version", "1")
        .attribute("targetClass", "fac:FacilityObject");
    Element::new("prk:parkingStatusInformation")
        .child(reference)
        .child(Element::text("fac:lastUpdated", rfc3339(entity.observed_at)))
        .child(Element::text("fac:openingStatus", status))
        .child(occupancy)
}

fn parking_place(entity: &Entity) -> Element {
    let name = text(entity, "name").unwrap_or_else(|| entity.id.clone());
    let total = entity.value_of("totalSpotNumber").and_then(|value| value.as_u64());
    let supply = total.map(|total| {
        Element::new("prk:supply")
            .child(Element::text("prk:quantity", total))
            .child(Element::text("prk:viewType", "spaceView"))
    });
    Element::new("prk:hierarchyElementGeneral")
        .attribute("xsi:type", "prk:Place")
        .attribute("id", &entity.id)
        .attribute("version", "1")
        .child(words("fac:name", &name, "en"))
        .child(Element::text("fac:lastUpdated", rfc3339(entity.observed_at)))
        .child(point("fac:locationReference", entity, None))
        .child(Element::text("prk:layer", 0))
        .child(Element::text("prk:type", "place"))
        .children(supply)
}

fn text(entity: &Entity, name: &str) -> Option<String> {
    match entity.value_of(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn time(entity: &Entity, name: &str) -> Option<Timestamp> {
    from_rfc3339(&text(entity, name)?)
}
