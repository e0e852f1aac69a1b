//! The descriptions that the project ships.

#![allow(clippy::unwrap_used)]

use crate::support;
use std::collections::BTreeMap;

use masa_inference::{ModelDescription, ObjectClass};

fn shipped() -> BTreeMap<String, ModelDescription> {
    let folder = support::description("x").parent().unwrap().to_owned();
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let parse = |path: std::path::PathBuf| {
        let description = ModelDescription::read(&path).unwrap_or_else(|error| panic!("{error}"));
        (path.file_stem().unwrap().to_string_lossy().into_owned(), description)
    };
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).map(parse).collect()
}

#[test]
fn every_shipped_description_is_valid() {
    let shipped = shipped();
    for model in support::MODELS {
        assert!(shipped.contains_key(model), "{model}");
        let classes = &shipped[model].classes;
        assert_eq!(
            (classes[&0], classes[&2], classes[&7]),
            (ObjectClass::Person, ObjectClass::Car, ObjectClass::Truck)
        );
    }
}

#[test]
fn the_birds_eye_description_differs_in_its_classes_only() {
    let shipped = shipped();
    let (level, above) = (&shipped["yolox_nano_coco_416"], &shipped["yolox_nano_coco_416_birds_eye"]);
    assert_eq!((&level.input, &level.head, &level.model.file), (&above.input, &above.head, &above.model.file));
    assert_eq!((above.classes[&28], above.classes[&67]), (ObjectClass::Car, ObjectClass::Car));
    assert!(level.classes.iter().all(|(index, class)| above.classes[index] == *class));
}
