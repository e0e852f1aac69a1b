//! DATEX II, CAP and DCAT-AP over HTTP.

use super::Api;
use super::problem::Problem;
use super::query::Selection;
use super::tokens::Caller;
use crate::entity::{Entity, EntityKind};
use crate::publish::{Publisher, cap, datex, dcat};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use masa_v2x_proto::time::Timestamp;

/// A DATEX II publication: its name in the address, the types in it, how it is written.
type Publication = (&'static str, &'static [EntityKind], fn(&[Entity], &Publisher, Timestamp) -> Option<String>);

const MEASURED: &[EntityKind] =
    &[EntityKind::TrafficFlowObserved, EntityKind::WeatherObserved, EntityKind::AirQualityObserved];
const PARKING: &[EntityKind] = &[EntityKind::OnStreetParking, EntityKind::OffStreetParking, EntityKind::ParkingGroup];

/// Every publication.
pub(super) const PUBLICATIONS: [Publication; 6] = [
    ("situations", &[EntityKind::Alert], |entities, publisher, now| Some(datex::situations(entities, publisher, now))),
    ("roadworks", &[EntityKind::Alert], |entities, publisher, now| Some(datex::roadworks(entities, publisher, now))),
    ("measured-data", MEASURED, datex::measured_data),
    ("measurement-sites", MEASURED, datex::measurement_sites),
    ("parking-status", PARKING, datex::parking_status),
    ("parking-table", PARKING, datex::parking_table),
];

async fn current(api: &Api, caller: &Caller, kinds: &[EntityKind]) -> Result<Vec<Entity>, Problem> {
    let found = api.gather(caller, &Selection::of(kinds.to_vec()), None).await?;
    Ok(found.iter().map(|entity| entity.as_ref().clone()).collect())
}

/// `GET /datex2/{publication}`
pub(super) async fn datex2(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let row = PUBLICATIONS.iter().find(|(known, _, _)| *known == name);
    let (_, kinds, write) = row.ok_or_else(|| Problem::NotFound("there is no such publication".into()))?;
    let entities = current(&api, &caller, kinds).await?;
    Ok(match write(&entities, &api.settings.publisher, api.now()) {
        Some(document) => ([(header::CONTENT_TYPE, "application/xml")], document).into_response(),
        // The format has no way to say that there is nothing.
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Alerts that hold, and those that have ended a short while ago: their end is told too.
fn alerts(api: &Api, caller: &Caller, chosen: impl Fn(&Entity) -> bool) -> Vec<Entity> {
    api.world.read(&caller.tenant, |city| {
        let alerts = city.known().filter(|entity| entity.kind == EntityKind::Alert && chosen(entity));
        alerts.map(|entity| entity.as_ref().clone()).collect()
    })
}

/// `GET /cap/feed`
pub(super) async fn cap_feed(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let alerts = alerts(&api, &caller, |_| true);
    let feed = cap::feed(&alerts, &api.settings.publisher, api.now());
    Ok(([(header::CONTENT_TYPE, "application/atom+xml")], feed).into_response())
}

/// `GET /cap/alerts/{id}`
pub(super) async fn cap_alert(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let alert = alerts(&api, &caller, |alert| alert.id == id).into_iter().next();
    let document = alert.and_then(|alert| cap::alert(&alert, &api.settings.publisher));
    let document = document.ok_or_else(|| Problem::NotFound("no such alert is known".into()))?;
    Ok(([(header::CONTENT_TYPE, "application/cap+xml")], document).into_response())
}

/// `GET /dcat`
pub(super) async fn catalogue(State(api): State<Api>) -> Response {
    let body = dcat::catalogue(&api.settings.publisher).to_string();
    ([(header::CONTENT_TYPE, "application/ld+json")], body).into_response()
}
