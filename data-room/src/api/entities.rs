//! NGSI-LD entities (GS CIM 009 clauses 6.4, 6.5): what holds now.

use super::guard::Question;
use super::problem::Problem;
use super::query::{Parameters, Presentation, Selection};
use super::tokens::Caller;
use super::world::city_at;
use super::{Api, Inner};
use crate::entity::{Entity, EntityKind, Form, Origin, completed, context, rfc3339};
use crate::publish::geojson;
use crate::record::{Kind, Record, Sensitivity, Source};
use crate::store::{AuditAction, Personal};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::time::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Media types of answers.
pub(super) const JSON: &str = "application/json";
const JSON_LD: &str = "application/ld+json";
const GEO_JSON: &str = "application/geo+json";
/// Where the context is.
pub(super) const CONTEXT_PATH: &str = "/ngsi-ld/v1/jsonldContexts/masa";
/// What operators write comes from here.
const OPERATORS: &str = "operators";
/// Types that operators write.
const WRITTEN: [EntityKind; 3] = [EntityKind::Alert, EntityKind::RoadAccident, EntityKind::CityWork];

impl Inner {
    /// The entities of a selection, now or at a moment, by id.
    ///
    /// # Errors
    /// A store that does not answer.
    pub(super) async fn gather(
        &self,
        caller: &Caller,
        selection: &Selection,
        at: Option<Timestamp>,
    ) -> Result<Vec<Arc<Entity>>, Problem> {
        let now = self.now();
        let chosen = |city: &super::world::City, at| {
            city.at(at).filter(|entity| selection.takes(entity)).cloned().collect::<Vec<_>>()
        };
        match at {
            None => Ok(self.world.read(&caller.tenant, |city| chosen(city, now))),
            Some(at) => {
                let personal = if selection.is_personal() { Personal::Include } else { Personal::Exclude };
                Ok(chosen(&city_at(self.room.store.as_ref(), &caller.tenant, at, personal).await?, at))
            }
        }
    }

    /// Leaves the audit record of the personal data among `entities`; what is shown is shown after this.
    ///
    /// # Errors
    /// A store that cannot note it.
    pub(super) async fn reveal(&self, caller: &Caller, what: &str, entities: &[Arc<Entity>]) -> Result<(), Problem> {
        let personal = entities.iter().filter(|entity| entity.kind.sensitivity() == Sensitivity::Personal).count();
        match personal {
            0 => Ok(()),
            _ => self.audit(caller, format!("read road users: {what}"), personal).await,
        }
    }
}

/// An answer in NGSI-LD: JSON-LD with the context inside, or JSON with a link to it, as the request accepts.
pub(super) fn answer(api: &Api, headers: &HeaderMap, mut body: Value) -> Response {
    let link = format!("{}{CONTEXT_PATH}", api.settings.publisher.address);
    let wants_ld = accepts(headers, JSON_LD);
    if wants_ld {
        let documents = match &mut body {
            Value::Array(list) => list.iter_mut().collect(),
            one => vec![one],
        };
        for document in documents {
            document["@context"] = link.as_str().into();
        }
    }
    let media = if wants_ld { JSON_LD } else { JSON };
    let mut response = ([(header::CONTENT_TYPE, media)], body.to_string()).into_response();
    let value = format!("<{link}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"{JSON_LD}\"");
    if let (false, Ok(value)) = (wants_ld, HeaderValue::from_str(&value)) {
        response.headers_mut().append(header::LINK, value);
    }
    response
}

fn accepts(headers: &HeaderMap, media: &str) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains(media))
}

/// `GET /ngsi-ld/v1/entities`
pub(super) async fn list(question: Question) -> Result<Response, Problem> {
    let Question { api, caller, query, headers } = question;
    let mut parameters = Parameters::parse(&query)?;
    let selection = Selection::take(&mut parameters, &caller)?;
    let presentation = Presentation::take(&mut parameters)?;
    parameters.end()?;
    let found = api.gather(&caller, &selection, None).await?;
    let page: Vec<_> = found.iter().skip(presentation.offset).take(presentation.limit).cloned().collect();
    api.reveal(&caller, &query, &page).await?;
    let mut response = if accepts(&headers, GEO_JSON) {
        let body = geojson(page.iter().map(AsRef::as_ref)).to_string();
        ([(header::CONTENT_TYPE, GEO_JSON)], body).into_response()
    } else {
        let images = page.iter().map(|entity| entity.to_json(presentation.form, &presentation.attributes));
        answer(&api, &headers, images.collect())
    };
    if presentation.count {
        let count = HeaderName::from_static("ngsild-results-count");
        response.headers_mut().insert(count, HeaderValue::from(found.len()));
    }
    let next = presentation.offset + presentation.limit;
    if presentation.limit > 0 && next < found.len() {
        page_link(&mut response, &query, next, "next");
    }
    if presentation.offset > 0 {
        page_link(&mut response, &query, presentation.offset.saturating_sub(presentation.limit), "prev");
    }
    Ok(response)
}

/// A link to another page of the same question (RFC 8288).
fn page_link(response: &mut Response, query: &str, offset: usize, relation: &str) {
    let others = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "offset");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .append_pair("offset", &offset.to_string())
        .finish();
    if let Ok(value) = HeaderValue::from_str(&format!("</ngsi-ld/v1/entities?{query}>; rel=\"{relation}\"")) {
        response.headers_mut().append(header::LINK, value);
    }
}

/// `GET /ngsi-ld/v1/entities/{id}`
pub(super) async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::parse(&query.unwrap_or_default())?;
    let presentation = Presentation::take(&mut parameters)?;
    parameters.end()?;
    let entity = find(&api, &caller, &id).await?;
    api.reveal(&caller, &id, std::slice::from_ref(&entity)).await?;
    Ok(answer(&api, &headers, entity.to_json(presentation.form, &presentation.attributes)))
}

/// The entity of an id that `caller` may see.
pub(super) async fn find(api: &Api, caller: &Caller, id: &str) -> Result<Arc<Entity>, Problem> {
    let selection = Selection::of_id(id, caller)?;
    let found = api.gather(caller, &selection, None).await?.into_iter().next();
    found.ok_or_else(|| Problem::NotFound("no such entity holds now".into()))
}

/// `POST /ngsi-ld/v1/entities`
pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let entity = written(&api, &json_body(body)?)?;
    let known = api.world.read(&caller.tenant, |city| city.at(api.now()).any(|known| known.id == entity.id));
    if known {
        return Err(Problem::Exists("an entity of this id holds now".into()));
    }
    write(&api, &caller, &entity, "created").await?;
    let location = format!("/ngsi-ld/v1/entities/{}", entity.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)]).into_response())
}

/// `DELETE /ngsi-ld/v1/entities/{id}`: ends what an operator or a node has told of.
pub(super) async fn end(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let now = api.now();
    let known = api.world.read(&caller.tenant, |city| city.at(now).find(|known| known.id == id).cloned());
    let known = known.filter(|known| WRITTEN.contains(&known.kind));
    let known = known.ok_or_else(|| Problem::NotFound("no such alert holds now".into()))?;
    let mut entity = known.as_ref().clone();
    entity.observed_at = now;
    let entity = entity.with("validTo", rfc3339(now));
    write(&api, &caller, &entity, "ended").await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The JSON document of a request.
///
/// # Errors
/// [`Problem::TooLarge`], or words about the JSON.
pub(super) fn json_body(body: Result<Bytes, BytesRejection>) -> Result<Value, Problem> {
    let bytes = body.map_err(|_| Problem::TooLarge)?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::Invalid(format!("the body is no JSON: {error}")))
}

fn written(api: &Api, document: &Value) -> Result<Entity, Problem> {
    let now = api.now();
    let origin = Origin { site: OPERATORS.into(), station: 0, message: String::new(), received_at: now };
    let entity = Entity::from_json(document, &origin, now).map_err(|error| Problem::Invalid(error.to_string()))?;
    if !WRITTEN.contains(&entity.kind) {
        let names: Vec<_> = WRITTEN.iter().map(|kind| kind.name()).collect();
        return Err(Problem::Unsupported(format!("only {} are written here", names.join(", "))));
    }
    completed(entity).map_err(Problem::Invalid)
}

/// Stores what an operator says, as a record like any other.
async fn write(api: &Api, caller: &Caller, entity: &Entity, what: &str) -> Result<(), Problem> {
    let now = api.now();
    let at = entity.geometry.anchor();
    api.note(caller, AuditAction::Change, format!("{what} {}", entity.id), 1).await?;
    let record = Record {
        arrival: 0,
        tenant: caller.tenant.clone(),
        source: Source { site: OPERATORS.into(), station: 0 },
        kind: Kind::Service,
        epoch: 1,
        sequence: api.sequence(),
        message_id: format!("{}-{}", caller.name, now.unix_ms()),
        entity: entity.id.chars().take(crate::record::MAX_ENTITY_BYTES).collect(),
        measured_at: now,
        received_at: now,
        position: Some(Wgs84 { lat_deg: at.lat_deg, lon_deg: at.lon_deg, alt_m: 0.0 }),
        sensitivity: entity.kind.sensitivity(),
        topic: String::new(),
        payload: entity.to_json(Form::KeyValues, &[]).to_string().into(),
    };
    let appended = api.room.store.append(vec![record]).await?;
    for record in appended.stored {
        // Nobody may be listening.
        let _ = api.room.feed.send(Arc::new(record));
    }
    Ok(())
}

/// `GET /ngsi-ld/v1/types`
pub(super) async fn types(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let selection = Selection::take(&mut Parameters::parse("")?, &caller)?;
    let mut names: Vec<_> = api.gather(&caller, &selection, None).await?.iter().map(|e| e.kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    let body = json!({ "id": "urn:ngsi-ld:EntityTypeList:1", "type": "EntityTypeList", "typeList": names });
    Ok(answer(&api, &headers, body))
}

/// `GET /ngsi-ld/v1/jsonldContexts/masa`
pub(super) async fn context_document() -> Response {
    ([(header::CONTENT_TYPE, JSON_LD)], context().to_string()).into_response()
}
