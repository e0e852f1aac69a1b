//! The catalogue of the data sets (DCAT-AP 3.0), as JSON-LD that CKAN harvests.

use super::Publisher;
use crate::entity::EntityKind;
use serde_json::{Value, json};

/// One data set: a row of the catalogue.
struct DataSet {
    id: &'static str,
    title: [&'static str; 2],
    description: &'static str,
    /// Code of the EU's data-theme authority table.
    theme: &'static str,
    kinds: &'static [EntityKind],
    /// Paths of other formats, with their media types and codes of the EU's file-type authority table.
    formats: &'static [(&'static str, &'static str, &'static str)],
}

const DATA_SETS: &[DataSet] = &[
    DataSet {
        id: "traffic-flow",
        title: ["Traffic flow", "Flussi di traffico"],
        description: "Vehicles counted, their mean speed and the occupancy of each lane, by period.",
        theme: "TRAN",
        kinds: &[EntityKind::TrafficFlowObserved, EntityKind::CrowdFlowObserved],
        formats: &[("/datex2/measured-data", "application/xml", "XML")],
    },
    DataSet {
        id: "situations",
        title: ["Warnings and road works", "Allerte e lavori stradali"],
        description: "Hazards, accidents, queues and road works in force.",
        theme: "TRAN",
        kinds: &[EntityKind::Alert, EntityKind::RoadAccident, EntityKind::CityWork],
        formats: &[("/datex2/situations", "application/xml", "XML"), ("/cap/feed", "application/atom+xml", "ATOM")],
    },
    DataSet {
        id: "parking",
        title: ["Parking", "Parcheggi"],
        description: "Parking places and spaces, and how many are free.",
        theme: "TRAN",
        kinds: &[EntityKind::OnStreetParking, EntityKind::ParkingGroup, EntityKind::ParkingSpot],
        formats: &[("/datex2/parking-status", "application/xml", "XML")],
    },
    DataSet {
        id: "environment",
        title: ["Air, noise and weather", "Aria, rumore e meteo"],
        description: "Readings of roadside sensors: nitrogen dioxide, particulate matter, sound level, weather.",
        theme: "ENVI",
        kinds: &[EntityKind::AirQualityObserved, EntityKind::NoiseLevelObserved, EntityKind::WeatherObserved],
        formats: &[("/datex2/measured-data", "application/xml", "XML")],
    },
    DataSet {
        id: "road-network",
        title: ["Lanes, signals and street lights", "Corsie, semafori e illuminazione"],
        description: "The lanes of junctions, what their signals show, and the state of street lights.",
        theme: "TRAN",
        kinds: &[EntityKind::RoadSegment, EntityKind::TrafficSignal, EntityKind::Streetlight],
        formats: &[],
    },
];

/// The catalogue: a JSON-LD document with a graph of one catalogue and its data sets.
pub fn catalogue(publisher: &Publisher) -> Value {
    let agent = json!({ "@id": format!("{}/dcat#publisher", publisher.address), "@type": "foaf:Agent",
        "foaf:name": publisher.name });
    let data_sets: Vec<_> = DATA_SETS.iter().map(|row| data_set(row, publisher, &agent)).collect();
    let ids: Vec<_> = data_sets.iter().map(|set| json!({ "@id": set["@id"] })).collect();
    let catalogue = json!({
        "@id": format!("{}/dcat", publisher.address), "@type": "dcat:Catalog",
        "dct:title": texts([&publisher.name, &publisher.name]),
        "dct:description": texts(["Open data of the roads of the city.", "Dati aperti delle strade della città."]),
        "dct:publisher": agent, "dct:license": { "@id": publisher.licence },
        "dct:language": languages(), "foaf:homepage": { "@id": publisher.address },
        "dcat:themeTaxonomy": { "@id": authority("data-theme") }, "dcat:dataset": ids,
    });
    let graph: Vec<_> = std::iter::once(catalogue).chain(data_sets).collect();
    json!({ "@context": {
        "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
        "vcard": "http://www.w3.org/2006/vcard/ns#" }, "@graph": graph })
}

fn data_set(row: &DataSet, publisher: &Publisher, agent: &Value) -> Value {
    let id = format!("{}/dcat#{}", publisher.address, row.id);
    let kinds: Vec<_> = row.kinds.iter().map(|kind| kind.name()).collect();
    let kinds = kinds.join(",");
    let own = [
        (format!("/ngsi-ld/v1/entities?type={kinds}"), "application/ld+json", "JSON_LD"),
        (format!("/geojson?type={kinds}"), "application/geo+json", "GEOJSON"),
    ];
    let others = row.formats.iter().map(|(path, media, format)| ((*path).to_owned(), *media, *format));
    let distributions: Vec<_> = own
        .into_iter()
        .chain(others)
        .enumerate()
        .map(|(index, (path, media, format))| {
            let address = format!("{}{path}", publisher.address);
            json!({ "@id": format!("{id}-{index}"), "@type": "dcat:Distribution", "dct:title": format,
                "dcat:accessURL": { "@id": address }, "dct:license": { "@id": publisher.licence },
                "dct:format": { "@id": authority(&format!("file-type/{format}")) },
                "dcat:mediaType": { "@id": format!("https://www.iana.org/assignments/media-types/{media}") } })
        })
        .collect();
    json!({
        "@id": id, "@type": "dcat:Dataset", "dct:identifier": row.id, "dct:title": texts(row.title),
        "dct:description": { "@value": row.description, "@language": "en" }, "dct:publisher": agent,
        "dct:accessRights": { "@id": authority("access-right/PUBLIC") }, "dct:language": languages(),
        "dct:accrualPeriodicity": { "@id": authority("frequency/CONT") },
        "dcat:theme": { "@id": authority(&format!("data-theme/{}", row.theme)) },
        "dcat:keyword": row.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
        "dcat:distribution": distributions,
    })
}

fn texts([english, italian]: [&str; 2]) -> Value {
    json!([{ "@value": english, "@language": "en" }, { "@value": italian, "@language": "it" }])
}

fn languages() -> Value {
    json!(["ENG", "ITA"].map(|code| json!({ "@id": authority(&format!("language/{code}")) })))
}

/// An entry of the authority tables of the EU's Publications Office.
fn authority(path: &str) -> String {
    format!("http://publications.europa.eu/resource/authority/{path}")
}
