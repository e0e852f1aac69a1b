//! The OpenAPI 3.1 document, made from the table of routes: it can neither forget a route nor describe one that is not there.

use super::Api;
use super::guard::Access;
use super::publications::PUBLICATIONS;
use super::routes::{ROUTES, Route};
use super::tokens::Scope;
use crate::entity::EntityKind;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// What each parameter means, and its schema.
#[rustfmt::skip]
fn parameter(name: &str) -> (&'static str, Value) {
    let text = || json!({ "type": "string" });
    let time = || json!({ "type": "string", "format": "date-time" });
    let number = |most: u32| json!({ "type": "integer", "minimum": 0, "maximum": most });
    match name {
        "type" => ("Types, with commas; all that the token may see when absent", text()),
        "id" => ("Id; in a query ids, with commas", text()),
        "idPattern" => ("Regular expression on ids", text()),
        "q" => ("Query on attributes (GS CIM 009 clause 4.9)", text()),
        "georel" => ("near;maxDistance==m, near;minDistance==m, within, contains, intersects, disjoint, equals", text()),
        "geometry" => ("Type of the geometry of georel", json!({ "enum": ["Point", "LineString", "Polygon"] })),
        "coordinates" => ("Its coordinates, a JSON array", text()),
        "geoproperty" => ("location, the only one", json!({ "enum": ["location"] })),
        "attrs" => ("Attributes of the answer, with commas", text()),
        "options" => ("keyValues, simplified, normalized, count, temporalValues", text()),
        "format" => ("One of options", text()),
        "limit" => ("Most elements of the answer", number(1_000)),
        "offset" => ("Elements to leave out", number(1_000_000)),
        "count" => ("Whether the number of all is wanted", json!({ "type": "boolean" })),
        "timerel" => ("How the time lies to timeAt", json!({ "enum": ["before", "after", "between"] })),
        "timeAt" => ("A moment", time()),
        "endTimeAt" => ("The end of between", time()),
        "lastN" => ("Most states of each entity, the last ones", number(10_000)),
        "timeproperty" => ("observedAt, the only one", json!({ "enum": ["observedAt"] })),
        "at" => ("The moment; now when absent", time()),
        "origin" => ("Longitude and latitude of the scene's origin", text()),
        "kind" => ("Kinds of records, with commas", text()),
        "site" => ("Site of the station", text()),
        "station" => ("The station that said it", number(u32::MAX)),
        "entity" => ("What it is about", text()),
        "from" => ("Measured from here, included", time()),
        "until" => ("Measured until here, excluded", time()),
        "order" => ("Which end comes first", json!({ "enum": ["newest", "oldest", "arrival"] })),
        "after" => ("The next of the answer before", text()),
        "before" => ("Number of an audit record: older ones", json!({ "type": "integer", "minimum": 0 })),
        "publication" => ("Name of the publication", json!({ "enum": PUBLICATIONS.map(|(name, _, _)| name) })),
        "z" | "x" | "y" => ("Tile of the Web Mercator grid", text()),
        _ => ("", text()),
    }
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn operation(route: &Route) -> Value {
    let described = |name: &str, place: &str| {
        let (description, schema) = parameter(name);
        json!({ "name": name, "in": place, "required": place == "path", "description": description, "schema": schema })
    };
    let in_path = path_parameters(route.path).map(|name| described(name, "path"));
    let in_query = route.parameters.iter().flat_map(|group| group.iter()).map(|name| described(name, "query"));
    let mut parameters: Vec<_> = in_path.chain(in_query).collect();
    let (status, media) = route.answer;
    let mut answer = json!({ "description": route.summary });
    if let Some(media) = media {
        answer["content"] = json!({ media: {} });
    }
    let mut responses = Map::new();
    responses.insert(status.to_string(), answer);
    responses.insert("default".into(), json!({ "$ref": "#/components/responses/Problem" }));
    let id: String = route.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut operation = json!({ "operationId": format!("{}{id}", route.method.name()), "summary": route.summary });
    if let Access::Needs(scope) = route.access {
        operation["security"] = json!([{ "token": [scope.name()] }]);
        let (description, schema) = ("The token's tenant, or nothing", json!({ "type": "string" }));
        parameters
            .push(json!({ "name": "NGSILD-Tenant", "in": "header", "required": false, "description": description,
            "schema": schema }));
    }
    if route.has_body {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": {}, "application/ld+json": {} } });
    }
    operation["parameters"] = parameters.into();
    operation["responses"] = responses.into();
    operation
}

fn openapi(api: &Api) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        path[route.method.name()] = operation(route);
    }
    let scopes: Vec<_> = Scope::ALL.map(Scope::name).to_vec();
    let kinds: Vec<_> = EntityKind::ALL.iter().map(|kind| kind.name()).collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": format!("Data room of {}", api.settings.publisher.name), "version": env!("CARGO_PKG_VERSION"),
            "description": format!("NGSI-LD entities ({}), their publications and live streams.", kinds.join(", ")),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" } },
        "servers": [{ "url": api.settings.publisher.address }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer",
                "description": format!("A token with scopes: {}", scopes.join(", ")) } },
            "responses": { "Problem": { "description": "What is wrong (RFC 9457)", "content": {
                "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } } },
            "schemas": { "Problem": { "type": "object", "required": ["type", "title", "status"], "properties": {
                "type": { "type": "string", "format": "uri" }, "title": { "type": "string" },
                "status": { "type": "integer" }, "detail": { "type": "string" } } } },
        },
    })
}

/// `GET /openapi.json`
pub(super) async fn document(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi(&api).to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_described() {
        for route in ROUTES {
            let in_query = route.parameters.iter().flat_map(|group| group.iter().copied());
            for name in path_parameters(route.path).chain(in_query) {
                assert_ne!(parameter(name).0, "", "{name} of {}", route.path);
            }
        }
    }
}
