//! The JSON-LD context of everything we publish, whole: a broker without the internet needs no other.
//!
//! The Smart Data Models use one name for different terms in different models (`category` is four), so each type brings the
//! vocabulary of its model (JSON-LD 1.1, type-scoped contexts), and what all models share stands above.

use super::EntityKind;
use serde_json::{Map, Value, json};

/// Vocabulary of what the Smart Data Models lack. A name, not an address: nothing is fetched from it.
const OWN: &str = "urn:masa:vocabulary:";
const NGSI_LD: &str = "https://uri.etsi.org/ngsi-ld/";
const GEOJSON: &str = "https://purl.org/geojson/vocab#";
const SHARED: &str = "https://smartdatamodels.org/";

/// Terms of NGSI-LD's core context that occur in our documents.
const CORE: &[(&str, &str)] = &[
    ("Property", "Property"),
    ("GeoProperty", "GeoProperty"),
    ("Relationship", "Relationship"),
    ("DateTime", "DateTime"),
    ("value", "hasValue"),
    ("unitCode", "unitCode"),
    ("location", "location"),
    ("status", "status"),
    ("state", "state"),
    ("data", "data"),
    ("notifiedAt", "notifiedAt"),
    ("Notification", "Notification"),
];

/// Terms that all models share.
const COMMON: &[&str] = &[
    "name",
    "source",
    "dataProvider",
    "dateObserved",
    "endDate",
    "startDate",
    "timeInstant",
    "validFrom",
    "address",
    "areaServed",
];

/// Terms of ours on entities of the Smart Data Models.
const ADDED: &[&str] = &[
    "classConfidence",
    "count",
    "laneType",
    "objectAge",
    "objectId",
    "perceptionQuality",
    "positionAccuracy",
    "precipitationIntensity",
    "refStation",
    "roadSurfaceTemperature",
];

/// The context document: `{"@context": {…}}`.
pub fn context() -> Value {
    let mut terms = Map::new();
    terms.insert("@version".into(), json!(1.1));
    terms.insert("id".into(), "@id".into());
    terms.insert("type".into(), "@type".into());
    for (term, name) in CORE {
        terms.insert((*term).into(), format!("{NGSI_LD}{name}").into());
    }
    terms.insert("object".into(), json!({ "@id": format!("{NGSI_LD}hasObject"), "@type": "@id" }));
    terms.insert(
        "observedAt".into(),
        json!({ "@id": format!("{NGSI_LD}observedAt"), "@type": format!("{NGSI_LD}DateTime") }),
    );
    for geometry in ["Point", "LineString", "Polygon"] {
        terms.insert(geometry.into(), format!("{GEOJSON}{geometry}").into());
    }
    terms.insert("coordinates".into(), json!({ "@id": format!("{GEOJSON}coordinates"), "@container": "@list" }));
    terms.insert("description".into(), "http://purl.org/dc/terms/description".into());
    for term in COMMON {
        terms.insert((*term).into(), format!("{SHARED}{term}").into());
    }
    for term in ADDED {
        terms.insert((*term).into(), format!("{OWN}{term}").into());
    }
    for kind in EntityKind::ALL {
        let vocabulary = vocabulary(*kind);
        let id = format!("{vocabulary}{}", kind.name());
        terms.insert(kind.name().into(), json!({ "@id": id, "@context": { "@vocab": vocabulary } }));
    }
    json!({ "@context": terms })
}

fn vocabulary(kind: EntityKind) -> String {
    match kind.domain() {
        "MASA" => OWN.to_owned(),
        domain => format!("{SHARED}dataModel.{domain}/"),
    }
}
