//! What is published validates against the schemas of its format.

#![allow(clippy::unwrap_used)]

use crate::city::{self, NOW, data_path, entities, python};
use masa_data_room::entity::{Entity, EntityKind, Position};
use masa_data_room::publish::{Publisher, cap, datex, dcat, scene};
use std::io::Write;
use std::process::Stdio;

/// Validates documents against an XML schema; gives the complaints, a line each.
fn complaints(schema: &str, documents: &[(String, String)], test: &str) -> Option<Vec<String>> {
    let schema = data_path(schema, test)?;
    let mut python = python(&["lxml"], test)?;
    let script = "
import sys, json
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
for name, text in json.load(sys.stdin):
    if not schema.validate(etree.fromstring(text.encode())):
        for error in schema.error_log:
            print(name, error.line, error.message)
";
    let mut child =
        python.args(["-c", script]).arg(schema).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(serde_json::to_string(documents).unwrap().as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    Some(String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect())
}

/// The sample city's alerts and one of every kind of event that a DENM can tell of, begun and ended.
fn alerts() -> Vec<Entity> {
    let mut projection = masa_data_room::entity::Projection::default();
    let mut alerts = Vec::new();
    for cause in 0..=120_u8 {
        for is_over in [false, true] {
            let number = u16::from(cause);
            let at = if is_over { NOW.plus_ms(60_000) } else { NOW };
            let bytes = city::denm(number, cause, NOW, at, is_over);
            let kind = masa_data_room::Kind::V2x(masa_v2x_proto::MessageKind::Denm);
            alerts.extend(projection.take(&city::record(kind, "x", bytes, at)));
        }
    }
    alerts
}

#[test]
fn datex_ii_publications_validate() {
    let publisher = Publisher::default();
    let city = entities(NOW);
    // An event that has ended is the same situation: a publication has it once, as it is now.
    let events: Vec<Entity> = alerts()
        .into_iter()
        .map(|event| (event.id.clone(), event))
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_values()
        .collect();
    let documents = [
        ("situations", Some(datex::situations(&events, &publisher, NOW))),
        ("no situations", Some(datex::situations(&[], &publisher, NOW))),
        ("roadworks", Some(datex::roadworks(&events, &publisher, NOW))),
        ("measured data", datex::measured_data(&city, &publisher, NOW)),
        ("measurement sites", datex::measurement_sites(&city, &publisher, NOW)),
        ("parking status", datex::parking_status(&city, &publisher, NOW)),
        ("parking table", datex::parking_table(&city, &publisher, NOW)),
    ];
    let documents: Vec<_> = documents.map(|(name, document)| (name.to_owned(), document.expect(name))).to_vec();
    let count = |name: &str, tag: &str| {
        documents.iter().find(|(known, _)| known == name).unwrap().1.matches(&format!("<{tag} ")).count()
    };
    let of_traffic = events.iter().filter(|e| e.kind == EntityKind::Alert).count() - 2;
    assert_eq!(count("situations", "sit:situation"), of_traffic, "all but violence and unwell drivers");
    assert_eq!(count("roadworks", "sit:situation"), 2, "causes 3 and 4");
    assert_eq!(count("parking status", "fac:reference"), 2, "the place and its group");
    for nothing in [
        datex::measured_data(&[], &publisher, NOW),
        datex::measurement_sites(&[], &publisher, NOW),
        datex::parking_status(&[], &publisher, NOW),
        datex::parking_table(&[], &publisher, NOW),
    ] {
        assert_eq!(nothing, None);
    }
    let test = "datex_ii_publications_validate";
    let schema = "schemas/datex2_v3_6/DATEXII_3_D2Payload.xsd";
    let Some(found) = complaints(schema, &documents, test) else { return };
    assert_eq!(found, Vec::<String>::new());
    let wrong = documents[0].1.replace("<sit:severity>", "<sit:severity>very ");
    let found = complaints(schema, &[("wrong".to_owned(), wrong)], test).unwrap();
    assert!(!found.is_empty(), "the schema is in force");
}

#[test]
fn cap_alerts_validate_and_follow_each_other() {
    let publisher = Publisher::default();
    let events = alerts();
    let documents: Vec<_> =
        events.iter().filter_map(|entity| Some((entity.id.clone(), cap::alert(entity, &publisher)?))).collect();
    assert_eq!(documents.len(), 242);
    let (begun, ended) = (&documents[0].1, &documents[1].1);
    assert!(begun.contains("<msgType>Alert</msgType>") && ended.contains("<msgType>Cancel</msgType>"));
    let text = |document: &str, tag: &str| {
        let (_, rest) = document.split_once(&format!("<{tag}>")).unwrap();
        rest.split_once("</").unwrap().0.to_owned()
    };
    let reference = format!("{},{},{}", text(begun, "sender"), text(begun, "identifier"), text(begun, "sent"));
    assert_eq!(text(ended, "references"), reference, "the end names the beginning");
    let feed = cap::feed(&events, &publisher, NOW);
    let feed = roxmltree::Document::parse(&feed).unwrap();
    assert_eq!(
        feed.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2005/Atom", "entry"))).count(),
        242
    );
    let test = "cap_alerts_validate_and_follow_each_other";
    let Some(found) = complaints("schemas/cap/CAP-v1.2.xsd", &documents, test) else { return };
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_catalogue_has_what_dcat_ap_demands() {
    let catalogue = dcat::catalogue(&Publisher::default());
    let graph = catalogue["@graph"].as_array().unwrap();
    // DCAT-AP 3.0: mandatory properties of Catalogue, Dataset and Distribution.
    for name in ["dct:title", "dct:description", "dct:publisher"] {
        assert!(!graph[0][name].is_null(), "Catalog {name}");
    }
    let sets: Vec<_> = graph.iter().filter(|node| node["@type"] == "dcat:Dataset").collect();
    assert_eq!(graph[0]["dcat:dataset"].as_array().unwrap().len(), sets.len());
    for set in &sets {
        for name in ["dct:title", "dct:description"] {
            assert!(!set[name].is_null(), "{} {name}", set["@id"]);
        }
        for distribution in set["dcat:distribution"].as_array().unwrap() {
            assert!(distribution["dcat:accessURL"]["@id"].as_str().unwrap().starts_with("http://localhost:8080/"));
        }
    }
    let personal = ["Vehicle", "PerceivedObject"].map(|name| catalogue.to_string().contains(&format!("\"{name}\"")));
    assert_eq!(personal, [false, false], "no personal data is open data");
}

#[test]
fn the_scene_shows_every_lane_and_road_user_at_its_size() {
    let city = entities(NOW);
    let origin = Position::from(city::HERE);
    let update = scene::scene_update(&city, origin);
    let shown = update["entities"].as_array().unwrap();
    let of = |kind: &str| shown.iter().filter(|e| e["id"].as_str().unwrap().contains(kind)).collect::<Vec<_>>();
    assert_eq!((of(":RoadSegment:").len(), of(":Vehicle:").len(), of(":PerceivedObject:").len()), (2, 2, 1));
    let perceived = of(":Vehicle:junction-1:7:1")[0];
    let cube = &perceived["cubes"][0];
    let x = cube["pose"]["position"]["x"].as_f64().unwrap();
    assert!((x - 20.0).abs() < 0.1, "the car of the CPM is 20 m east: {x}");
    let (z, w) = (&cube["pose"]["orientation"]["z"], &cube["pose"]["orientation"]["w"]);
    let yaw = 2.0 * z.as_f64().unwrap().atan2(w.as_f64().unwrap());
    assert!((yaw.to_degrees() - 90.0).abs() < 0.5, "it drives north: {yaw}");
    let gltf = scene::gltf(&city, origin);
    assert_eq!(gltf["nodes"].as_array().unwrap().len(), shown.len());
    let bytes = gltf["buffers"][0]["byteLength"].as_u64().unwrap();
    for view in gltf["bufferViews"].as_array().unwrap() {
        assert!(view["byteOffset"].as_u64().unwrap() + view["byteLength"].as_u64().unwrap() <= bytes);
    }
}
