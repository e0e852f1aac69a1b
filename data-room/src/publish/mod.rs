//! What the city gives to others: entities in the formats of road operators, civil protection, maps and catalogues.
//!
//! | Format | Of | Module |
//! |---|---|---|
//! | DATEX II 3 (CEN/TS 16157) | situations, road works, measured data, parking | [`datex`] |
//! | CAP 1.2 (OASIS) with an Atom list | alerts | [`cap`] |
//! | GeoJSON (RFC 7946) | everything | [`geojson`] |
//! | vector tiles (MVT 2.1) | everything | [`tiles`] |
//! | DCAT-AP 3 as JSON-LD | the data sets themselves, for CKAN | [`dcat`] |
//! | glTF 2.0 and Foxglove SceneUpdate | a junction in three dimensions | [`scene`] |
//!
//! Invariants: pure; what is not in the format's vocabulary is left out rather than bent. Absent: who may see what.

pub mod cap;
pub mod datex;
pub mod dcat;
pub mod scene;
pub mod tiles;
mod xml;

use crate::entity::Entity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Who publishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Publisher {
    /// Name of the authority, as people know it.
    pub name: String,
    /// Its country, ISO 3166-1 alpha-2 in lower case.
    pub country: String,
    /// Its identifier in the country, one word.
    pub identifier: String,
    /// Address under which the API is reached from outside, without a slash at the end.
    pub address: String,
    /// Language of the texts, RFC 5646.
    pub language: String,
    /// Licence of the open data, a URL.
    pub licence: String,
    /// Where the authority's alerts are valid, as people call it.
    pub area: String,
}

impl Default for Publisher {
    /// A city on this machine: what a demonstration needs.
    fn default() -> Self {
        Self {
            name: "MASA data room".into(),
            country: "it".into(),
            identifier: "masa".into(),
            address: "http://localhost:8080".into(),
            language: "en".into(),
            licence: "https://creativecommons.org/licenses/by/4.0/".into(),
            area: "City".into(),
        }
    }
}

/// A GeoJSON feature collection.
pub fn geojson<'a>(entities: impl IntoIterator<Item = &'a Entity>) -> Value {
    let features: Vec<_> = entities.into_iter().map(Entity::to_feature).collect();
    json!({ "type": "FeatureCollection", "features": features })
}
