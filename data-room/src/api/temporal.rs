//! The temporal evolution of entities (GS CIM 009 clauses 6.18, 6.19): how they were, from the store.

use super::Api;
use super::entities::answer;
use super::guard::Question;
use super::problem::Problem;
use super::query::{Parameters, Presentation, Selection};
use super::tokens::Caller;
use crate::entity::{Entity, EntityKind, Form, Projection, rfc3339};
use crate::record::{Kind, Source};
use crate::store::query::MAX_PAGE;
use crate::store::{Filter, Latest, Order, Personal, Query};
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Most records that one question reads.
const MAX_RECORDS: usize = 2 * MAX_PAGE;
/// Most states of entities in one answer.
const MAX_STATES: usize = 50_000;
/// Most states of one entity.
const MAX_LAST: usize = 10_000;

/// The records that tell of a type.
const fn told_by(kind: EntityKind) -> &'static [Kind] {
    use MessageKind::{Cam, Cpm, Denm, Mapem, Poim, Spatem, Vam};
    match kind {
        EntityKind::Vehicle | EntityKind::PerceivedObject => &[Kind::V2x(Cam), Kind::V2x(Vam), Kind::V2x(Cpm)],
        EntityKind::Alert | EntityKind::RoadAccident | EntityKind::CityWork => &[Kind::V2x(Denm), Kind::Service],
        EntityKind::RoadSegment => &[Kind::V2x(Mapem)],
        EntityKind::TrafficSignal => &[Kind::V2x(Spatem)],
        EntityKind::ParkingSpot
        | EntityKind::ParkingGroup
        | EntityKind::OnStreetParking
        | EntityKind::OffStreetParking => &[Kind::V2x(Poim), Kind::Service],
        EntityKind::AirQualityObserved | EntityKind::NoiseLevelObserved | EntityKind::WeatherObserved => {
            &[Kind::Observation, Kind::Service]
        }
        EntityKind::TrafficFlowObserved | EntityKind::CrowdFlowObserved | EntityKind::Streetlight => &[Kind::Service],
    }
}

/// The records that tell of a selection.
pub(super) fn filter(selection: &Selection, caller: &Caller) -> Filter {
    let mut kinds: Vec<_> = selection.kinds.iter().flat_map(|kind| told_by(*kind)).copied().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let personal = if selection.is_personal() { Personal::Include } else { Personal::Exclude };
    // Ids that a node has given name it: urn:ngsi-ld:<type>:<site>:<station>:<name>.
    let source = match selection.ids.as_slice() {
        [id] => id.split(':').skip(3).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let source = match source.as_slice() {
        [site, station, _, ..] if !site.contains(char::is_control) => {
            station.parse().ok().map(|station| Source { site: (*site).to_owned(), station })
        }
        _ => None,
    };
    Filter { kinds, personal, source, ..Filter::of(caller.tenant.clone()) }
}

/// A projection that knows where signals stand.
pub(super) async fn projection(api: &Api, caller: &Caller, at: Timestamp) -> Result<Projection, Problem> {
    let kinds = vec![Kind::V2x(MessageKind::Mapem)];
    let filter = Filter { kinds, ..Filter::of(caller.tenant.clone()) };
    let look_back_ms = EntityKind::RoadSegment.lifetime_ms();
    let maps = api.room.store.latest(Latest { filter, at, look_back_ms, limit: MAX_PAGE }).await?;
    let mut projection = Projection::default();
    maps.iter().for_each(|record| drop(projection.take(record)));
    Ok(projection)
}

/// What time a question is about.
struct Span {
    from: Timestamp,
    until: Timestamp,
    last: usize,
}

impl Span {
    /// Reads `timerel`, `timeAt`, `endTimeAt`, `lastN`, `timeproperty`.
    fn take(parameters: &mut Parameters, now: Timestamp) -> Result<Self, Problem> {
        let invalid = |words: &str| Problem::Invalid(words.to_owned());
        let relation = parameters.take("timerel");
        let (at, end) = (parameters.time("timeAt")?, parameters.time("endTimeAt")?);
        let last = parameters.number("lastN", 1..=MAX_LAST)?;
        if parameters.take("timeproperty").is_some_and(|name| name != "observedAt") {
            return Err(invalid("`timeproperty` is observedAt: nothing else is kept"));
        }
        let beginning = Timestamp::from_unix_ns(i64::MIN);
        let (from, until) = match (relation.as_deref(), at, end) {
            (None, None, None) => (beginning, now.plus_ns(1)),
            (Some("before"), Some(at), None) => (beginning, at),
            (Some("after"), Some(at), None) => (at, now.plus_ns(1)),
            (Some("between"), Some(at), Some(end)) if at < end => (at, end),
            (Some("between"), _, _) => return Err(invalid("between needs `timeAt` before `endTimeAt`")),
            (Some("before" | "after"), _, _) => return Err(invalid("before and after need `timeAt` alone")),
            (Some(_), _, _) => return Err(invalid("`timerel` is before, after or between")),
            (None, _, _) => return Err(invalid("`timeAt` needs `timerel`")),
        };
        Ok(Self { from, until, last: last.unwrap_or(MAX_LAST) })
    }
}

/// `GET /ngsi-ld/v1/temporal/entities`
pub(super) async fn list(question: Question) -> Result<Response, Problem> {
    let Question { api, caller, query, headers } = question;
    let mut parameters = Parameters::parse(&query)?;
    let selection = Selection::take(&mut parameters, &caller)?;
    let history = history(&api, &caller, selection, parameters, &query).await?;
    Ok(history.response(&api, &headers, |images| images.into()))
}

/// `GET /ngsi-ld/v1/temporal/entities/{id}`
pub(super) async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::parse(&query.unwrap_or_default())?;
    let history = history(&api, &caller, Selection::of_id(&id, &caller)?, parameters, &id).await?;
    if history.entities.is_empty() {
        return Err(Problem::NotFound("of this entity nothing is kept in this time".into()));
    }
    Ok(history.response(&api, &headers, |mut images| images.swap_remove(0)))
}

struct History {
    /// States by entity, each in the order of time.
    entities: Vec<Vec<Entity>>,
    presentation: Presentation,
    /// The time that the answer reaches back to, when there is more.
    cut_at: Option<Timestamp>,
    until: Timestamp,
}

async fn history(
    api: &Api,
    caller: &Caller,
    selection: Selection,
    mut parameters: Parameters,
    what: &str,
) -> Result<History, Problem> {
    let presentation = Presentation::take(&mut parameters)?;
    let span = Span::take(&mut parameters, api.now())?;
    parameters.end()?;
    let query = Query {
        from: span.from,
        until: span.until,
        order: Order::NewestFirst,
        ..Query::new(filter(&selection, caller), MAX_PAGE)
    };
    let mut records = Vec::new();
    let mut after = None;
    let mut more = span.from < span.until;
    while more && records.len() < MAX_RECORDS {
        let page = api.room.store.query(Query { after, ..query.clone() }).await?;
        records.extend(page.records);
        after = page.next;
        more = after.is_some();
    }
    let mut cut_at = if more { records.last().map(|record| record.measured_at) } else { None };
    let mut projection = projection(api, caller, span.until).await?;
    let mut states: BTreeMap<String, Vec<Entity>> = BTreeMap::new();
    let mut count = 0;
    for record in records.iter().rev() {
        for entity in projection.take(record).into_iter().filter(|entity| selection.takes(entity)) {
            count += 1;
            states.entry(entity.id.clone()).or_default().push(entity);
        }
    }
    if count > MAX_STATES {
        let words = format!("{count} states, more than {MAX_STATES}: narrow the time, the place or the types");
        return Err(Problem::TooComplex(words));
    }
    let entities: Vec<_> = states
        .into_values()
        .skip(presentation.offset)
        .take(presentation.limit)
        .map(|mut states| {
            states.sort_by_key(|entity| entity.observed_at);
            states.split_off(states.len().saturating_sub(span.last))
        })
        .collect();
    if entities.iter().all(|states| states.len() == span.last) && !entities.is_empty() {
        cut_at = None;
    }
    let personal = entities.iter().flatten().filter(|e| e.kind.sensitivity() == crate::Sensitivity::Personal).count();
    if personal > 0 {
        api.audit(caller, format!("read where road users were: {what}"), personal).await?;
    }
    Ok(History { entities, presentation, cut_at, until: span.until })
}

impl History {
    fn response(self, api: &Api, headers: &HeaderMap, shape: impl FnOnce(Vec<Value>) -> Value) -> Response {
        let images = self.entities.iter().map(|states| evolution(states, &self.presentation)).collect();
        let mut response = answer(api, headers, shape(images));
        if let Some(cut_at) = self.cut_at {
            // GS CIM 009 clause 6.3.10: a part of the time, and which.
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("date-time {}-{}/*", rfc3339(cut_at), rfc3339(self.until));
            if let Ok(range) = HeaderValue::from_str(&range) {
                response.headers_mut().insert(header::CONTENT_RANGE, range);
            }
        }
        response
    }
}

/// An entity whose attributes are lists of their values over time.
fn evolution(states: &[Entity], presentation: &Presentation) -> Value {
    let mut image = Map::new();
    for entity in states {
        let at = rfc3339(entity.observed_at);
        let form = if presentation.temporal_values { Form::KeyValues } else { Form::Normalized };
        let Value::Object(state) = entity.to_json(form, &presentation.attributes) else { continue };
        for (name, value) in state {
            match (name.as_str(), presentation.temporal_values) {
                ("id" | "type", _) => {
                    image.insert(name, value);
                }
                (_, false) => {
                    if let Value::Array(list) = image.entry(name).or_insert_with(|| json!([])) {
                        list.push(value);
                    }
                }
                (_, true) => {
                    let kind = if name == "location" { "GeoProperty" } else { "Property" };
                    let list = image.entry(name).or_insert_with(|| json!({ "type": kind, "values": [] }));
                    if let Some(values) = list["values"].as_array_mut() {
                        values.push(json!([value, at]));
                    }
                }
            }
        }
    }
    image.into()
}
