//! Every entity that is published validates against the schema of its type.

#![allow(clippy::unwrap_used)]

use crate::city::{NOW, Schemas, data_path, entities, record};
use masa_data_room::Kind;
use masa_data_room::entity::{EntityKind, Form, Projection, context};
use masa_v2x_proto::MessageKind;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn the_city_has_every_type_and_all_validate() {
    let entities = entities(NOW);
    let types: BTreeSet<_> = entities.iter().map(|entity| entity.kind).collect();
    let missing: Vec<_> = EntityKind::ALL.iter().filter(|kind| !types.contains(kind)).collect();
    assert_eq!(missing, [&EntityKind::OffStreetParking], "types of which the sample city has none");
    let Some(schemas) = Schemas::load("the_city_has_every_type_and_all_validate") else { return };
    for entity in &entities {
        let image = entity.to_json(Form::KeyValues, &[]);
        let complaint = schemas.complaint(entity.kind, &image);
        assert_eq!(complaint, None, "{image:#}");
    }
    // The schemas are in force: one that is wrong is found.
    let mut wrong =
        entities.iter().find(|entity| entity.kind == EntityKind::Alert).unwrap().to_json(Form::KeyValues, &[]);
    wrong["severity"] = "enormous".into();
    assert!(schemas.complaint(EntityKind::Alert, &wrong).is_some());
}

/// Random messages of an independent encoder: whatever a node may say.
#[test]
fn entities_of_random_messages_validate() {
    let test = "entities_of_random_messages_validate";
    let Some(schemas) = Schemas::load(test) else { return };
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (file, kind) in [
        ("r1_cam", MessageKind::Cam),
        ("r2_cam", MessageKind::Cam),
        ("r2_cpm", MessageKind::Cpm),
        ("r2_vam", MessageKind::Vam),
        ("r1_denm", MessageKind::Denm),
        ("r2_denm", MessageKind::Denm),
        ("r2_poim", MessageKind::Poim),
        ("is13_MAPEM", MessageKind::Mapem),
        ("is13_SPATEM", MessageKind::Spatem),
    ] {
        let Some(path) = data_path(&format!("v2x/{file}.jsonl"), test) else { return };
        let mut projection = Projection::default();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let vector: Value = serde_json::from_str(line).unwrap();
            let digits = vector["uper"].as_str().unwrap();
            let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            let bytes: Vec<_> = (0..digits.len()).step_by(2).map(byte).collect();
            for entity in projection.take(&record(Kind::V2x(kind), "x", bytes, NOW)) {
                let image = entity.to_json(Form::KeyValues, &[]);
                assert_eq!(schemas.complaint(entity.kind, &image), None, "{file} seed {}: {image:#}", vector["seed"]);
                *counts.entry(entity.kind.name()).or_default() += 1;
            }
        }
    }
    println!("validated: {counts:?}");
    for kind in ["Vehicle", "PerceivedObject", "Alert", "OnStreetParking", "RoadSegment", "TrafficSignal"] {
        assert!(counts.contains_key(kind), "no random message made a {kind}: {counts:?}");
    }
}

/// The bundled context gives every name the meaning that the published contexts of the models give it.
#[test]
fn the_context_agrees_with_those_of_the_models() {
    let bundled = context();
    let terms = &bundled["@context"];
    let id = |value: &Value| value["@id"].as_str().or(value.as_str()).map(str::to_owned);
    let mut compared = 0;
    for entity in entities(NOW) {
        let domain = entity.kind.domain();
        if domain == "MASA" {
            continue;
        }
        let test = "the_context_agrees_with_those_of_the_models";
        let Some(path) = data_path(&format!("schemas/{domain}/context.jsonld"), test) else { return };
        let published: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let name = entity.kind.name();
        assert_eq!(id(&terms[name]), id(&published["@context"][name]), "{name}");
        let vocabulary = terms[name]["@context"]["@vocab"].as_str().unwrap();
        for attribute in entity.to_json(Form::KeyValues, &[]).as_object().unwrap().keys() {
            let Some(theirs) = id(&published["@context"][attribute]) else { continue };
            let ours = id(&terms[attribute]).unwrap_or_else(|| format!("{vocabulary}{attribute}"));
            assert_eq!(
                ours.replace("@type", "type").replace("@id", "id"),
                theirs.replace("@type", "type").replace("@id", "id"),
                "{name}.{attribute}"
            );
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared}");
}
