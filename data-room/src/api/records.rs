//! What came in, as it came, decoded; who read what; how the data room is.

use super::Api;
use super::entities::JSON;
use super::problem::Problem;
use super::query::{MAX_LIMIT, Parameters};
use super::tokens::{Caller, Scope};
use crate::entity::rfc3339;
use crate::record::{Kind, Record, Sensitivity, Source};
use crate::store::{Cursor, Filter, Order, Personal, Query};
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use masa_v2x_proto::MessageKind;
use serde_json::{Value, json};

/// Records of an answer that names no limit.
const DEFAULT_LIMIT: usize = 100;

/// Whether records of a kind tell of single road users, whoever saw them.
const fn tells_of_road_users(kind: Kind) -> bool {
    matches!(kind, Kind::V2x(MessageKind::Cam | MessageKind::Cpm | MessageKind::Vam))
}

/// `GET /records`
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let text = query.unwrap_or_default();
    let mut parameters = Parameters::parse(&text)?;
    let query = question(&mut parameters, &caller)?;
    parameters.end()?;
    let page = api.room.store.query(query).await?;
    let personal = |record: &&Record| record.sensitivity == Sensitivity::Personal || tells_of_road_users(record.kind);
    let personal = page.records.iter().filter(personal).count();
    if personal > 0 {
        api.audit(&caller, format!("read records: {text}"), personal).await?;
    }
    let next = page.next.map(|cursor| format!("{},{}", cursor.measured_at_ns, cursor.arrival));
    let body = json!({ "records": page.records.iter().map(image).collect::<Vec<_>>(), "next": next });
    Ok(([(header::CONTENT_TYPE, JSON)], body.to_string()).into_response())
}

fn question(parameters: &mut Parameters, caller: &Caller) -> Result<Query, Problem> {
    let invalid = |words: &str| Problem::Invalid(words.to_owned());
    let names = parameters.list("kind")?;
    let kind =
        |name: &String| Kind::from_name(name).ok_or_else(|| Problem::Invalid(format!("no kind is called `{name}`")));
    let kinds: Vec<_> = names.iter().map(kind).collect::<Result<_, _>>()?;
    let may = caller.may(Scope::ReadPersonal);
    if !may && kinds.iter().any(|kind| tells_of_road_users(*kind)) {
        return Err(Problem::Forbidden("these records tell of road users: the scope read:personal is needed".into()));
    }
    let kinds = match (kinds.is_empty(), may) {
        (true, false) => Kind::all().filter(|kind| !tells_of_road_users(*kind)).collect(),
        _ => kinds,
    };
    let source = match (parameters.take("site"), parameters.take("station")) {
        (None, None) => None,
        (Some(site), Some(station)) => {
            let station = station.parse().map_err(|_| invalid("`station` is a number"))?;
            Some(Source { site, station })
        }
        _ => return Err(invalid("`site` and `station` go together")),
    };
    let order = match parameters.take("order").as_deref() {
        None | Some("newest") => Order::NewestFirst,
        Some("oldest") => Order::OldestFirst,
        Some("arrival") => Order::Arrival,
        Some(_) => return Err(invalid("`order` is newest, oldest or arrival")),
    };
    let cursor = |text: String| {
        let (measured_at, arrival) = text.split_once(',')?;
        Some(Cursor { measured_at_ns: measured_at.parse().ok()?, arrival: arrival.parse().ok()? })
    };
    let after = match parameters.take("after") {
        None => None,
        Some(text) => Some(cursor(text).ok_or_else(|| invalid("`after` is the `next` of an answer"))?),
    };
    let personal = if may { Personal::Include } else { Personal::Exclude };
    let entity = parameters.take("entity");
    let filter = Filter { kinds, source, entity, personal, ..Filter::of(caller.tenant.clone()) };
    let limit = parameters.number("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let all = Query::new(filter, limit);
    let (from, until) = (parameters.time("from")?.unwrap_or(all.from), parameters.time("until")?.unwrap_or(all.until));
    Ok(Query { from, until, order, after, ..all })
}

fn image(record: &Record) -> Value {
    let position = record.position.map(|at| json!([at.lon_deg, at.lat_deg]));
    json!({
        "arrival": record.arrival, "site": record.source.site, "station": record.source.station,
        "kind": record.kind.name(), "messageId": record.message_id, "entity": record.entity,
        "measuredAt": rfc3339(record.measured_at), "receivedAt": rfc3339(record.received_at), "position": position,
        "sensitivity": record.sensitivity.name(), "bytes": record.payload.len(), "body": record.body(),
    })
}

/// `GET /audit`
pub(super) async fn audit(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::parse(&query.unwrap_or_default())?;
    let limit = parameters.number("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let before = parameters.number("before", 0..=usize::MAX)?.map(|number| number as u64);
    parameters.end()?;
    let entries = api.room.store.audit(caller.tenant.clone(), before, limit).await?;
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| {
            json!({ "number": entry.number, "at": rfc3339(entry.at), "by": entry.by, "action": entry.action,
                "words": entry.words, "records": entry.records })
        })
        .collect();
    Ok(([(header::CONTENT_TYPE, JSON)], json!({ "entries": entries }).to_string()).into_response())
}

/// `GET /status`: counters of the caller's tenant.
pub(super) async fn status(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Result<Response, Problem> {
    let report = api.room.ledger.report();
    let sources: Vec<_> = report.sources.iter().filter(|source| source.tenant == caller.tenant).collect();
    let statistics = api.room.store.statistics().await?;
    let holdings: Vec<_> = statistics.holdings.iter().filter(|holding| holding.tenant == caller.tenant).collect();
    let body = json!({ "at": rfc3339(api.now()), "sources": sources, "holdings": holdings, "store": statistics.store,
        "trouble": report.trouble });
    Ok(([(header::CONTENT_TYPE, JSON)], body.to_string()).into_response())
}

/// `GET /health`: 200 while the store takes records, else 503.
pub(super) async fn health(State(api): State<Api>) -> Response {
    let totals = api.room.ledger.totals();
    let status = if totals.trouble.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, JSON)], json!({ "ingest": totals }).to_string()).into_response()
}
