//! The digital twin: the world at a moment, every entity with its geometry, valid time and provenance; as a list, as GeoJSON,
//! as tiles, as a scene.

use super::Api;
use super::entities::JSON;
use super::problem::Problem;
use super::query::{Parameters, Selection};
use super::tokens::Caller;
use crate::entity::{Entity, Form, Position, rfc3339};
use crate::publish::tiles::{self, TileId};
use crate::publish::{geojson, scene};
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// The entities that a query string asks for, at the moment it names; `reads` takes parameters of its own before the end.
async fn chosen<T>(
    api: &Api,
    caller: &Caller,
    query: Option<String>,
    what: &str,
    reads: impl FnOnce(&mut Parameters) -> Result<T, Problem>,
) -> Result<(Vec<Arc<Entity>>, T, masa_v2x_proto::time::Timestamp), Problem> {
    let query = query.unwrap_or_default();
    let mut parameters = Parameters::parse(&query)?;
    let selection = Selection::take(&mut parameters, caller)?;
    let at = parameters.time("at")?;
    let own = reads(&mut parameters)?;
    parameters.end()?;
    let found = api.gather(caller, &selection, at).await?;
    api.reveal(caller, &format!("{what} {query}"), &found).await?;
    Ok((found, own, at.unwrap_or_else(|| api.now())))
}

/// `GET /twin`
pub(super) async fn twin(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (found, (), at) = chosen(&api, &caller, query, "twin", |_| Ok(())).await?;
    let image = |entity: &Arc<Entity>| {
        let origin = &entity.origin;
        json!({
            "entity": entity.to_json(Form::KeyValues, &[]),
            "validTime": { "from": rfc3339(entity.observed_at), "until": rfc3339(entity.valid_until) },
            "provenance": { "site": origin.site, "station": origin.station, "message": origin.message,
                "receivedAt": rfc3339(origin.received_at) },
        })
    };
    let body = json!({ "at": rfc3339(at), "entities": found.iter().map(image).collect::<Vec<_>>() });
    Ok(([(header::CONTENT_TYPE, JSON)], body.to_string()).into_response())
}

/// `GET /geojson`
pub(super) async fn features(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (found, (), _) = chosen(&api, &caller, query, "geojson", |_| Ok(())).await?;
    let body = geojson(found.iter().map(AsRef::as_ref)).to_string();
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], body).into_response())
}

/// `GET /tiles/{z}/{x}/{y}`; `{y}` may end in `.mvt`.
pub(super) async fn tile(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((z, x, y)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = || TileId::new(z.parse().ok()?, x.parse().ok()?, y.strip_suffix(".mvt").unwrap_or(&y).parse().ok()?);
    let id = id().ok_or_else(|| Problem::NotFound("there is no such tile".into()))?;
    let (found, (), _) = chosen(&api, &caller, query, "tiles", |_| Ok(())).await?;
    let bytes = tiles::tile(found.iter().map(AsRef::as_ref), id);
    if bytes.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(([(header::CONTENT_TYPE, "application/vnd.mapbox-vector-tile")], bytes).into_response())
}

/// `GET /scene.gltf`
pub(super) async fn gltf(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (found, origin, _) = chosen(&api, &caller, query, "scene", origin).await?;
    scene_answer(&found, origin, "model/gltf+json", |entities, origin| scene::gltf(entities, origin))
}

/// `GET /scene.json`
pub(super) async fn scene_update(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (found, origin, _) = chosen(&api, &caller, query, "scene", origin).await?;
    scene_answer(&found, origin, JSON, |entities, origin| scene::scene_update(entities, origin))
}

/// `origin=<longitude>,<latitude>`: the middle of what is shown when absent.
fn origin(parameters: &mut Parameters) -> Result<Option<Position>, Problem> {
    let Some(text) = parameters.take("origin") else { return Ok(None) };
    let position = || {
        let (lon, lat) = text.split_once(',')?;
        Position::new(lon.parse().ok()?, lat.parse().ok()?)
    };
    position().map(Some).ok_or_else(|| Problem::Invalid("`origin` is <longitude>,<latitude>".into()))
}

fn scene_answer(
    found: &[Arc<Entity>],
    origin: Option<Position>,
    media: &'static str,
    make: impl FnOnce(Vec<&Entity>, Position) -> Value,
) -> Result<Response, Problem> {
    let middle = found.first().map(|entity| entity.geometry.anchor());
    let origin = origin.or(middle).ok_or_else(|| Problem::NotFound("nothing is there to show".into()))?;
    let body = make(found.iter().map(AsRef::as_ref).collect(), origin).to_string();
    Ok(([(header::CONTENT_TYPE, media)], body).into_response())
}
