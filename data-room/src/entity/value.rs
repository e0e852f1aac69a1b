//! Attributes, and the forms of an entity in NGSI-LD.
//!
//! Smart Data Models schemas describe the key-values form; the normalised one is derived from the same values, so an entity
//! that validates in one is right in the other.

use super::{Entity, EntityKind, Geometry, GeometryError, Origin, from_rfc3339, rfc3339};
use masa_v2x_proto::time::Timestamp;
use serde_json::{Map, Value, json};

/// Most attributes of an entity that comes from outside.
const MAX_ATTRIBUTES: usize = 64;

/// What is said of an entity.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A value; `unit` is its code in UN/CEFACT Common Codes where it has one.
    Property {
        /// The value.
        value: Value,
        /// `unitCode`.
        unit: Option<&'static str>,
    },
    /// An instant.
    DateTime(Timestamp),
    /// Another entity, by its URN.
    Relationship(String),
    /// Other entities.
    Relationships(Vec<String>),
}

impl Attribute {
    /// A number with its unit.
    pub fn measured(value: f64, unit: &'static str) -> Self {
        Self::Property { value: value.into(), unit: Some(unit) }
    }

    /// The value as in key-values.
    pub fn value(&self) -> Value {
        match self {
            Self::Property { value, .. } => value.clone(),
            Self::DateTime(at) => rfc3339(*at).into(),
            Self::Relationship(id) => id.as_str().into(),
            Self::Relationships(ids) => ids.clone().into(),
        }
    }

    fn normalized(&self, observed_at: &str) -> Value {
        let mut image = match self {
            Self::Property { value, unit: None } => json!({ "type": "Property", "value": value }),
            Self::Property { value, unit: Some(unit) } => {
                json!({ "type": "Property", "value": value, "unitCode": unit })
            }
            Self::DateTime(at) => {
                json!({ "type": "Property", "value": { "@type": "DateTime", "@value": rfc3339(*at) } })
            }
            Self::Relationship(id) => json!({ "type": "Relationship", "object": id }),
            Self::Relationships(ids) => json!({ "type": "Relationship", "object": ids }),
        };
        image["observedAt"] = observed_at.into();
        image
    }
}

impl<T: Into<Value>> From<T> for Attribute {
    fn from(value: T) -> Self {
        Self::Property { value: value.into(), unit: None }
    }
}

/// How an entity is written (GS CIM 009 clauses 4.5.1, 4.5.4, 4.5.17).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Every attribute an object with its type and times.
    #[default]
    Normalized,
    /// Every attribute its value: `keyValues`, or `simplified` as it is called since 1.3.1.
    KeyValues,
}

impl Entity {
    /// The entity, whole or only the attributes named in `attributes` (an empty list names all).
    pub fn to_json(&self, form: Form, attributes: &[String]) -> Value {
        let wanted = |name: &str| attributes.is_empty() || attributes.iter().any(|a| a == name);
        let mut image = Map::new();
        image.insert("id".into(), self.id.as_str().into());
        image.insert("type".into(), self.kind.name().into());
        let observed_at = rfc3339(self.observed_at);
        for (name, attribute) in self.all_attributes().filter(|(name, _)| wanted(name)) {
            let value = match form {
                Form::Normalized => attribute.normalized(&observed_at),
                Form::KeyValues => attribute.value(),
            };
            image.insert(name, value);
        }
        if wanted("location") {
            let location = self.geometry.to_geojson();
            let location = match form {
                Form::Normalized => json!({ "type": "GeoProperty", "value": location, "observedAt": observed_at }),
                Form::KeyValues => location,
            };
            image.insert("location".into(), location);
        }
        image.into()
    }

    /// GeoJSON feature of the entity: its key-values as properties.
    pub fn to_feature(&self) -> Value {
        let mut properties = self.to_json(Form::KeyValues, &[]);
        if let Some(properties) = properties.as_object_mut() {
            properties.remove("location");
            properties.remove("id");
            properties.insert("observedAt".into(), rfc3339(self.observed_at).into());
            properties.insert("validUntil".into(), rfc3339(self.valid_until).into());
        }
        json!({ "type": "Feature", "id": self.id, "geometry": self.geometry.to_geojson(), "properties": properties })
    }

    /// An attribute's value by its name, `location` included.
    pub fn value_of(&self, name: &str) -> Option<Value> {
        match name {
            "id" => Some(self.id.as_str().into()),
            "type" => Some(self.kind.name().into()),
            "location" => Some(self.geometry.to_geojson()),
            "observedAt" => Some(rfc3339(self.observed_at).into()),
            _ => self.all_attributes().find(|(known, _)| known == name).map(|(_, attribute)| attribute.value()),
        }
    }

    /// What is said of it, and where that comes from (`source` and `dataProvider` of the Smart Data Models).
    fn all_attributes(&self) -> impl Iterator<Item = (String, Attribute)> + '_ {
        let origin = &self.origin;
        let source = match origin.message.as_str() {
            "" => origin.station_urn(),
            message => format!("urn:masa:{}:{}:{message}", origin.site, origin.station),
        };
        let said = self.attributes.iter().map(|(name, attribute)| (name.clone(), attribute.clone()));
        said.chain([("source".to_owned(), source.into()), ("dataProvider".to_owned(), origin.site.as_str().into())])
    }

    /// Reads an entity in either form, as an operator or another system sends it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(value: &Value, origin: &Origin, now: Timestamp) -> Result<Self, ReadError> {
        let object = value.as_object().ok_or(ReadError::NoObject)?;
        let text = |name: &'static str| object.get(name).and_then(Value::as_str).ok_or(ReadError::Missing(name));
        let id = text("id")?;
        let bare = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if !id.starts_with("urn:") || id.len() > 256 || !id.chars().all(bare) {
            return Err(ReadError::Id);
        }
        let kind = EntityKind::from_name(text("type")?).ok_or(ReadError::Kind)?;
        if object.len() > MAX_ATTRIBUTES {
            return Err(ReadError::TooMany);
        }
        let location = object.get("location").ok_or(ReadError::Missing("location"))?;
        let geometry = Geometry::from_geojson(location.get("value").unwrap_or(location))?;
        let mut entity = Self::new(id.to_owned(), kind, geometry, now, origin);
        for (name, value) in object {
            if ["id", "type", "location", "@context", "source", "dataProvider"].contains(&name.as_str()) {
                continue;
            }
            if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return Err(ReadError::Name(name.clone()));
            }
            entity.attributes.insert(name.clone(), read_attribute(value));
        }
        if let Some(Attribute::DateTime(until)) = entity.attributes.get("validTo") {
            entity.valid_until = *until;
        }
        Ok(entity)
    }
}

/// A value in either form; instants are recognised by their form.
fn read_attribute(value: &Value) -> Attribute {
    let instant = |text: &str| from_rfc3339(text).map(Attribute::DateTime);
    match value.get("type").and_then(Value::as_str) {
        Some("Relationship") => match value.get("object") {
            Some(Value::String(id)) => Attribute::Relationship(id.clone()),
            other => Attribute::from(other.cloned().unwrap_or_default()),
        },
        Some("Property") => read_attribute(value.get("value").unwrap_or(&Value::Null)),
        _ => {
            let text = value.as_str().or_else(|| value.get("@value").and_then(Value::as_str));
            text.and_then(instant).unwrap_or_else(|| Attribute::from(value.clone()))
        }
    }
}

/// Why a document is no entity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON object.
    #[error("an entity is a JSON object")]
    NoObject,
    /// A member is absent or no text.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The id is no URN.
    #[error("the id must be a URN of letters, digits and -_.: with at most 256 characters")]
    Id,
    /// Nobody knows this type.
    #[error("entities of this type are not kept here")]
    Kind,
    /// An attribute's name is none.
    #[error("`{0}` is no name of an attribute")]
    Name(String),
    /// More than [`MAX_ATTRIBUTES`].
    #[error("more than {MAX_ATTRIBUTES} attributes")]
    TooMany,
    /// The location is no geometry.
    #[error("location: {0}")]
    Location(#[from] GeometryError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::Position;

    fn alert() -> Entity {
        let now = Timestamp::from_unix_ms(1_700_000_000_123);
        let origin =
            Origin { site: "modena".into(), station: 7, message: "7-denm-1".into(), received_at: now.plus_ms(20) };
        let geometry = Geometry::Point(Position { lon_deg: 10.932, lat_deg: 44.656 });
        Entity::new(origin.id(EntityKind::Alert, "1"), EntityKind::Alert, geometry, now, &origin)
            .with("severity", "high")
            .with("validFrom", Attribute::DateTime(now))
            .with("speed", Attribute::measured(12.5, "KMH"))
            .with("alertSource", Attribute::Relationship(origin.station_urn()))
    }

    #[test]
    fn both_forms_say_the_same() {
        let entity = alert();
        let values = entity.to_json(Form::KeyValues, &[]);
        let normalized = entity.to_json(Form::Normalized, &[]);
        assert_eq!(values["validFrom"], "2023-11-14T22:13:20.123Z");
        assert_eq!(normalized["validFrom"]["value"]["@value"], values["validFrom"]);
        assert_eq!(normalized["speed"]["unitCode"], "KMH");
        assert_eq!(normalized["alertSource"]["object"], "urn:ngsi-ld:RoadsideUnit:modena:7");
        assert_eq!(normalized["location"]["value"], values["location"]);
        assert_eq!(values["source"], "urn:masa:modena:7:7-denm-1");
        for form in [normalized, values] {
            let read = Entity::from_json(&form, &entity.origin, entity.observed_at).unwrap();
            assert_eq!(read.value_of("severity"), entity.value_of("severity"));
            assert_eq!(read.geometry, entity.geometry);
        }
    }

    #[test]
    fn only_wanted_attributes_are_given() {
        let some = alert().to_json(Form::KeyValues, &["severity".into()]);
        assert_eq!(some.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "severity", "type"]);
    }

    #[test]
    fn what_is_no_entity_is_refused() {
        let good = alert().to_json(Form::KeyValues, &[]);
        let with = |name: &str, value: Value| {
            let mut bad = good.clone();
            bad[name] = value;
            bad
        };
        let many: Map<_, _> = (0..=MAX_ATTRIBUTES).map(|i| (format!("a{i}"), Value::Null)).collect();
        let mut crowded = good.clone();
        crowded.as_object_mut().unwrap().extend(many);
        for (bad, error) in [
            (json!([]), ReadError::NoObject),
            (with("id", json!("../../etc/passwd")), ReadError::Id),
            (with("id", json!("urn:x:'; DROP TABLE records;--")), ReadError::Id),
            (with("id", json!(7)), ReadError::Missing("id")),
            (with("type", json!("Elephant")), ReadError::Kind),
            (with("location", json!({ "type": "Point", "coordinates": [999, 0] })), GeometryError::Coordinates.into()),
            (with("a.b", json!(1)), ReadError::Name("a.b".into())),
            (crowded, ReadError::TooMany),
        ] {
            let origin = alert().origin;
            assert_eq!(Entity::from_json(&bad, &origin, origin.received_at).unwrap_err(), error, "{bad}");
        }
    }
}
