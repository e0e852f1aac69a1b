//! What a request asks for: types, ids, attributes, values, places.
//!
//! In: parameters of an address, or the same of a subscription. Out: a [`Selection`] that takes entities or not. Invariants:
//! everything is checked here, once; unknown parameters are refused by name; nothing of it reaches a store as text.

mod q;

use super::problem::Problem;
use super::tokens::{Caller, Scope};
use crate::entity::{Entity, EntityKind, Form, Geometry, from_rfc3339};
use crate::record::Sensitivity;
use masa_v2x_proto::time::Timestamp;
use q::Expression;
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;

/// Most ids, types and attributes in one request, each.
const MAX_LIST: usize = 100;
/// Most entities of one answer.
pub(super) const MAX_LIMIT: usize = 1_000;
/// Entities of an answer that names no limit.
const DEFAULT_LIMIT: usize = 20;

/// Parameters of an address, each of which is taken once.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads the part of an address after the `?`.
    ///
    /// # Errors
    /// A parameter that comes twice, or with control characters, which no store takes.
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if value.contains(char::is_control) {
                return Err(Problem::Invalid(format!("`{}` has control characters", clip(&name))));
            }
            if parameters.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Problem::Invalid(format!("`{}` is there twice", clip(&name))));
            }
        }
        Ok(Self(parameters))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// A list with commas between its parts.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let Some(text) = self.take(name) else { return Ok(Vec::new()) };
        let list: Vec<_> = text.split(',').map(str::to_owned).collect();
        match list.len() <= MAX_LIST && list.iter().all(|part| !part.is_empty()) {
            true => Ok(list),
            false => Err(Problem::Invalid(format!("`{name}` is a list of 1 to {MAX_LIST} parts"))),
        }
    }

    /// A number in a range.
    pub(super) fn number(
        &mut self,
        name: &str,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<Option<usize>, Problem> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let words = || format!("`{name}` is a number from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| Problem::Invalid(words()))
    }

    /// A time as in RFC 3339.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let words = || format!("`{name}` is a time such as 2026-11-22T14:03:20Z");
        from_rfc3339(&text).map(Some).ok_or_else(|| Problem::Invalid(words()))
    }

    /// That nothing is left.
    pub(super) fn end(self) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::Invalid(format!("there is no parameter `{}`", clip(&name)))),
        }
    }
}

/// The beginning of a text from outside, for quoting it.
fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

/// Which entities.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// Types, never empty.
    pub(super) kinds: Vec<EntityKind>,
    /// Ids; any when empty.
    pub(super) ids: Vec<String>,
    id_pattern: Option<Regex>,
    q: Option<Expression>,
    place: Option<GeoQuery>,
}

impl Selection {
    /// Everything of some types.
    pub(crate) fn of(kinds: Vec<EntityKind>) -> Self {
        Self { kinds, ids: Vec::new(), id_pattern: None, q: None, place: None }
    }

    /// The entity of an id; the type is in most ids.
    ///
    /// # Errors
    /// A type that `caller` may not see.
    pub(super) fn of_id(id: &str, caller: &Caller) -> Result<Self, Problem> {
        let kind = id.split(':').nth(2).filter(|name| EntityKind::from_name(name).is_some());
        let kinds = kinds(&kind.map(str::to_owned).into_iter().collect::<Vec<_>>(), caller)?;
        Ok(Self { ids: vec![id.to_owned()], ..Self::of(kinds) })
    }

    /// Reads `type`, `id`, `idPattern`, `q`, `georel`, `geometry`, `coordinates`, `geoproperty` as far as they are there.
    ///
    /// # Errors
    /// What cannot be used; types that `caller` may not see.
    pub(super) fn take(parameters: &mut Parameters, caller: &Caller) -> Result<Self, Problem> {
        let kinds = kinds(&parameters.list("type")?, caller)?;
        let ids = parameters.list("id")?;
        let id_pattern =
            parameters.take("idPattern").map(|text| q::pattern(&text)).transpose().map_err(Problem::Invalid)?;
        let q = parameters.take("q").map(|text| Expression::parse(&text)).transpose().map_err(Problem::Invalid)?;
        if let Some(other) = parameters.take("geoproperty").filter(|name| name != "location") {
            return Err(Problem::Invalid(format!(
                "`{}` is no geometry of these entities: `location` is",
                clip(&other)
            )));
        }
        let place = match (parameters.take("georel"), parameters.take("geometry"), parameters.take("coordinates")) {
            (None, None, None) => None,
            (Some(relation), Some(geometry), Some(coordinates)) => {
                let coordinates: Value = serde_json::from_str(&coordinates)
                    .map_err(|_| Problem::Invalid("`coordinates` is a JSON array".into()))?;
                Some(GeoQuery::new(&relation, &geometry, &coordinates)?)
            }
            _ => return Err(Problem::Invalid("`georel`, `geometry` and `coordinates` go together".into())),
        };
        Ok(Self { kinds, ids, id_pattern, q, place })
    }

    /// Reads the members of a subscription: `entities`, `q`, `geoQ`.
    ///
    /// # Errors
    /// What cannot be used; types that `caller` may not see.
    pub(super) fn of_subscription(document: &Value, caller: &Caller) -> Result<Self, Problem> {
        let invalid = |words: &str| Problem::Invalid(words.to_owned());
        let entities = document.get("entities").and_then(Value::as_array);
        let entities = entities.filter(|list| (1..=MAX_LIST).contains(&list.len()));
        let entities = entities.ok_or_else(|| invalid("`entities` is a list of 1 to 100 objects with `type`"))?;
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut types = Vec::new();
        let mut ids = Vec::new();
        for entity in entities {
            types.push(text(entity, "type").ok_or_else(|| invalid("`entities[].type` is missing"))?);
            ids.extend(text(entity, "id"));
        }
        if entities.len() > 1 && !ids.is_empty() && ids.len() < entities.len() {
            return Err(invalid("either all of `entities` have an id or none"));
        }
        let id_pattern = entities.iter().find_map(|entity| text(entity, "idPattern"));
        let id_pattern = id_pattern.map(|text| q::pattern(&text)).transpose().map_err(Problem::Invalid)?;
        let q = text(document, "q").map(|text| Expression::parse(&text)).transpose().map_err(Problem::Invalid)?;
        let place = match document.get("geoQ") {
            None => None,
            Some(geo) => {
                let part =
                    |name: &str| text(geo, name).ok_or_else(|| invalid("`geoQ` has georel, geometry, coordinates"));
                let coordinates = geo.get("coordinates").unwrap_or(&Value::Null);
                Some(GeoQuery::new(&part("georel")?, &part("geometry")?, coordinates)?)
            }
        };
        Ok(Self { kinds: kinds(&types, caller)?, ids, id_pattern, q, place })
    }

    /// Whether it takes an entity.
    pub(crate) fn takes(&self, entity: &Entity) -> bool {
        self.kinds.contains(&entity.kind)
            && (self.ids.is_empty() || self.ids.contains(&entity.id))
            && self.id_pattern.as_ref().is_none_or(|pattern| pattern.is_match(&entity.id))
            && self.place.as_ref().is_none_or(|place| place.takes(&entity.geometry))
            && self.q.as_ref().is_none_or(|q| q.matches(entity))
    }

    /// Whether personal data may be in the answer.
    pub(super) fn is_personal(&self) -> bool {
        self.kinds.iter().any(|kind| kind.sensitivity() == Sensitivity::Personal)
    }
}

/// The types of these names; of no names all that `caller` may see.
fn kinds(names: &[String], caller: &Caller) -> Result<Vec<EntityKind>, Problem> {
    let may = |kind: &EntityKind| match kind.sensitivity() {
        Sensitivity::Open => caller.may(Scope::ReadTraffic),
        Sensitivity::Personal => caller.may(Scope::ReadPersonal),
    };
    if names.is_empty() {
        return Ok(EntityKind::ALL.iter().copied().filter(may).collect());
    }
    let kind = |name: &String| {
        let kind = EntityKind::from_name(name);
        let kind = kind.ok_or_else(|| Problem::Invalid(format!("there is no type `{}`", clip(name))))?;
        match may(&kind) {
            true => Ok(kind),
            false => Err(Problem::Forbidden(format!("{name} is personal data: the scope read:personal is needed"))),
        }
    };
    names.iter().map(kind).collect()
}

/// A question of place (GS CIM 009 clause 4.10).
#[derive(Clone, Debug)]
struct GeoQuery {
    relation: Relation,
    geometry: Geometry,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    NearerThan(f64),
    FurtherThan(f64),
    Within,
    Contains,
    Intersects,
    Disjoint,
    Equals,
}

impl GeoQuery {
    fn new(relation: &str, geometry: &str, coordinates: &Value) -> Result<Self, Problem> {
        let invalid = |words: String| Problem::Invalid(words);
        let distance = |text: &str| text.parse::<f64>().ok().filter(|m| (0.0..=1e6).contains(m));
        let near = |rest: &str| {
            let (name, value) = rest.split_once("==")?;
            match name {
                "maxDistance" => distance(value).map(Relation::NearerThan),
                "minDistance" => distance(value).map(Relation::FurtherThan),
                _ => None,
            }
        };
        let relation = match relation.split_once(';') {
            Some(("near", rest)) => {
                near(rest).ok_or_else(|| invalid("near: `near;maxDistance==<metres>`, at most 1000000".into()))?
            }
            None if relation == "within" => Relation::Within,
            None if relation == "contains" => Relation::Contains,
            None if relation == "intersects" => Relation::Intersects,
            None if relation == "disjoint" => Relation::Disjoint,
            None if relation == "equals" => Relation::Equals,
            _ => return Err(invalid(format!("there is no georel `{}`", clip(relation)))),
        };
        let geometry = Geometry::from_parts(geometry, coordinates).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { relation, geometry })
    }

    fn takes(&self, geometry: &Geometry) -> bool {
        match self.relation {
            Relation::NearerThan(m) => geometry.distance_m(&self.geometry) <= m,
            Relation::FurtherThan(m) => geometry.distance_m(&self.geometry) >= m,
            Relation::Within => geometry.is_within(&self.geometry),
            Relation::Contains => self.geometry.is_within(geometry),
            Relation::Intersects => geometry.intersects(&self.geometry),
            Relation::Disjoint => !geometry.intersects(&self.geometry),
            Relation::Equals => *geometry == self.geometry,
        }
    }
}

/// How an answer is cut and written.
#[derive(Clone, Debug)]
pub(super) struct Presentation {
    pub(super) attributes: Vec<String>,
    pub(super) form: Form,
    pub(super) limit: usize,
    pub(super) offset: usize,
    /// The number of all is wanted too.
    pub(super) count: bool,
    /// Temporal answers as lists of value and time.
    pub(super) temporal_values: bool,
}

impl Presentation {
    /// Reads `attrs`, `options`, `format`, `limit`, `offset`, `count`.
    ///
    /// # Errors
    /// What cannot be used.
    pub(super) fn take(parameters: &mut Parameters) -> Result<Self, Problem> {
        let mut presentation = Self {
            attributes: parameters.list("attrs")?,
            form: Form::Normalized,
            limit: parameters.number("limit", 0..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT),
            offset: parameters.number("offset", 0..=1_000_000)?.unwrap_or(0),
            count: parameters.take("count").is_some_and(|text| text == "true"),
            temporal_values: false,
        };
        let options = parameters.list("options")?.into_iter().chain(parameters.take("format"));
        for option in options {
            match option.as_str() {
                "keyValues" | "simplified" => presentation.form = Form::KeyValues,
                "normalized" => presentation.form = Form::Normalized,
                "count" => presentation.count = true,
                "temporalValues" => presentation.temporal_values = true,
                _ => return Err(Problem::Invalid(format!("there is no option `{}`", clip(&option)))),
            }
        }
        Ok(presentation)
    }
}
