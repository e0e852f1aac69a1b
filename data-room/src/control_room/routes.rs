//! The HTTP side of the control room. Who asks is looked at by the API's guard.

use super::alarm::Action;
use super::alarms::{AlarmError, Alarms, SITE};
use super::live::Live;
use super::rules::AlarmSettings;
use super::scene::Audience;
use super::{background, messages, past, series, socket};
use crate::api::tokens::{Caller, Scope};
use crate::api::{Access, Api, Problem, guard};
use crate::entity::{EntityKind, rfc3339};
use crate::page;
use crate::record::{Kind, Sensitivity};
use crate::store::{AuditAction, Filter, Personal, Store};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use bytes::Bytes;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// Browsers on live pictures at a time.
const MAX_STREAMS: usize = 256;
/// Past times that are made at a time; more wait.
const MAX_PAST: usize = 4;
/// Largest site map, bytes.
const MAX_MAP_BYTES: usize = 32 << 20;
/// Largest body of a request, bytes.
const MAX_BODY_BYTES: usize = 16 << 10;
/// Longest span of a curve, milliseconds.
const MAX_SERIES_MS: i64 = 92 * 86_400_000;
/// Most stations of the fleet in one answer.
const MAX_FLEET: usize = 2_000;

/// Settings of the control room: the `[control-room]` table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ControlRoomSettings {
    /// What the page is called; empty: the tenant's name.
    pub name: String,
    /// Site map, GeoJSON with a `kind` for every feature (docs/control-room.md); none: only what stations send of it.
    pub map: Option<PathBuf>,
    /// Picture under the site map: a PMTiles archive of PNG, JPEG or WebP tiles, such as an aerial photograph; none: plain.
    pub background: Option<PathBuf>,
    /// When alarms are raised.
    pub alarms: AlarmSettings,
}

/// Why the control room does not start.
#[derive(Debug, thiserror::Error)]
pub enum ControlRoomError {
    /// The site map cannot be used.
    #[error("site map {path}: {reason}")]
    Map {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A control room, for the server of a data room.
#[derive(Clone, Debug)]
pub struct ControlRoom {
    api: Api,
    live: Live,
    routes: Router,
    stop: watch::Receiver<bool>,
}

/// What every handler sees.
#[derive(Clone)]
pub(super) struct Desk(Arc<Inner>);

pub(super) struct Inner {
    pub(super) api: Api,
    pub(super) live: Live,
    pub(super) streams: Arc<Semaphore>,
    pub(super) stop: watch::Receiver<bool>,
    alarms: Arc<Alarms>,
    name: String,
    map: Bytes,
    pub(super) background: Option<PathBuf>,
    past: Semaphore,
}

impl std::ops::Deref for Desk {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl ControlRoom {
    /// A control room beside `api`, whose tokens it takes.
    ///
    /// # Errors
    /// [`ControlRoomError`] when the site map cannot be used.
    pub fn new(settings: ControlRoomSettings, api: Api, stop: watch::Receiver<bool>) -> Result<Self, ControlRoomError> {
        let map = match &settings.map {
            Some(path) => read_map(path).map_err(|reason| ControlRoomError::Map { path: path.clone(), reason })?,
            None => Bytes::from_static(br#"{"type":"FeatureCollection","features":[]}"#),
        };
        let alarms = Arc::new(Alarms::new(api.room.clone()));
        let live = Live::new(api.room.clone(), alarms.clone(), settings.alarms);
        let guarded = from_fn_with_state((api.clone(), Access::Needs(Scope::ReadTraffic)), guard);
        let (name, background) = (settings.name, settings.background);
        let (streams, past) = (Arc::new(Semaphore::new(MAX_STREAMS)), Semaphore::new(MAX_PAST));
        let desk = Desk(Arc::new(Inner {
            api: api.clone(),
            live: live.clone(),
            streams,
            stop: stop.clone(),
            alarms,
            name,
            map,
            background,
            past,
        }));
        let routes = Router::new()
            .route("/control-room/session", get(session))
            .route("/control-room/map", get(site_map))
            .route("/control-room/background", get(background::background))
            .route("/control-room/live", get(socket::live))
            .route("/control-room/scenes", get(scenes))
            .route("/control-room/series", get(curves))
            .route("/control-room/fleet", get(fleet))
            .route("/control-room/messages", get(message_list))
            .route("/control-room/messages/{arrival}", get(message))
            .route("/control-room/alarms", get(alarm_list))
            .route("/control-room/alarms/{id}", post(change_alarm))
            .route_layer(guarded)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(desk)
            .merge(page::routes());
        Ok(Self { api, live, routes, stop })
    }

    /// The page and what it asks for.
    pub fn routes(&self) -> Router {
        self.routes.clone()
    }

    /// Follows the feed and raises alarms until the data room stops.
    pub async fn run(self) {
        self.live.run(self.api.clock.clone(), self.stop).await;
    }
}

fn read_map(path: &PathBuf) -> Result<Bytes, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    if text.len() > MAX_MAP_BYTES {
        return Err(format!("more than {MAX_MAP_BYTES} bytes"));
    }
    let map: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if map["type"] != "FeatureCollection" || !map["features"].is_array() {
        return Err("no GeoJSON FeatureCollection".to_owned());
    }
    Ok(text.into())
}

type Answer = Result<Response, Problem>;
type Asker = Extension<Caller>;

impl Desk {
    fn store(&self) -> &dyn Store {
        &*self.api.room.store
    }

    /// Leaves an audit entry when a caller is about to see single road users; then nothing is shown that cannot be noted.
    pub(super) async fn note_personal(&self, caller: &Caller, words: impl FnOnce() -> String) -> Result<(), Problem> {
        match Audience::of(caller) {
            Audience::Operator => self.api.note(caller, AuditAction::Read, words(), 0).await,
            Audience::Staff | Audience::Public => Ok(()),
        }
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        // The semaphore is never closed.
        self.past.acquire().await.map_err(|closed| Problem::Unavailable(closed.to_string()))
    }
}

/// Nobody from the street.
fn staff(caller: &Caller) -> Result<(), Problem> {
    match Audience::of(caller) {
        Audience::Public => Err(Problem::Forbidden("this is not public".into())),
        Audience::Staff | Audience::Operator => Ok(()),
    }
}

fn personal(caller: &Caller) -> Personal {
    if caller.may(Scope::ReadPersonal) { Personal::Include } else { Personal::Exclude }
}

fn invalid(words: impl Into<String>) -> Problem {
    Problem::Invalid(words.into())
}

async fn session(State(desk): State<Desk>, Extension(caller): Asker) -> Answer {
    let holdings = desk.store().statistics().await?.holdings;
    let own = holdings.iter().filter(|holding| holding.tenant == caller.tenant);
    let oldest = own.map(|holding| holding.oldest.unix_ms()).min();
    let name = if desk.name.is_empty() { caller.tenant.as_str() } else { desk.name.as_str() };
    Ok(Json(json!({
        "name": name,
        "tenant": caller.tenant,
        "caller": caller.name,
        "audience": Audience::of(&caller),
        "background": desk.background.is_some(),
        "may_operate": caller.may(Scope::WriteAlerts),
        "now": desk.api.now().unix_ms(),
        "oldest": oldest,
    }))
    .into_response())
}

async fn site_map(State(desk): State<Desk>) -> Response {
    ([(header::CONTENT_TYPE, "application/geo+json")], desk.map.clone()).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    from: i64,
    until: i64,
    /// Milliseconds between two texts.
    #[serde(default = "second")]
    step: i64,
}

const fn second() -> i64 {
    1_000
}

async fn scenes(State(desk): State<Desk>, Extension(caller): Asker, Query(span): Query<Span>) -> Answer {
    let Span { from, until, step } = span;
    let long = until.checked_sub(from).filter(|ms| (0..=past::MAX_BATCH_MS).contains(ms));
    if long.filter(|ms| step > 0 && ms / step <= past::MAX_TEXTS).is_none() {
        let (most_ms, most) = (past::MAX_BATCH_MS, past::MAX_TEXTS);
        return Err(invalid(format!("at most {most_ms} ms and {most} steps at a time, from before until")));
    }
    let [from, until] = [from, until].map(Timestamp::from_unix_ms);
    let _turn = desk.turn().await?;
    desk.note_personal(&caller, || format!("picture of {}", rfc3339(from))).await?;
    let texts = past::batch(desk.store(), &caller.tenant, Audience::of(&caller), [from, until], step).await?;
    Ok(Json(texts).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurveQuery {
    #[serde(rename = "type")]
    kind: String,
    from: i64,
    until: i64,
    points: u32,
}

async fn curves(State(desk): State<Desk>, Extension(caller): Asker, Query(query): Query<CurveQuery>) -> Answer {
    let kind = EntityKind::from_name(&query.kind).filter(|kind| kind.sensitivity() == Sensitivity::Open);
    let kind = kind.ok_or_else(|| invalid("type: curves are of entities about places"))?;
    let span = query.until.checked_sub(query.from).filter(|ms| (1..=MAX_SERIES_MS).contains(ms));
    if span.is_none() || !(1..=series::MAX_POINTS).contains(&query.points) {
        return Err(invalid(format!("at most 92 days in 1 to {} points, from before until", series::MAX_POINTS)));
    }
    let span = [query.from, query.until].map(Timestamp::from_unix_ms);
    let _turn = desk.turn().await?;
    Ok(Json(series::series(desk.store(), &caller.tenant, kind, span, query.points).await?).into_response())
}

async fn fleet(State(desk): State<Desk>, Extension(caller): Asker) -> Answer {
    staff(&caller)?;
    let report = desk.api.room.ledger.report();
    let sources = report.sources.iter().filter(|s| s.tenant == caller.tenant && s.source.site != SITE);
    let sources = sources.take(MAX_FLEET).map(|s| {
        json!({ "site": s.source.site, "station": s.source.station, "stored": s.stored, "duplicates": s.duplicates,
            "ahead": s.ahead, "least_age_ms": s.least_age_ms, "heard": s.heard_at.unix_ms(), "kinds": s.kinds, "problems": s.problems })
    });
    Ok(Json(json!({
        "now": desk.api.now().unix_ms(), "stored": report.stored, "duplicates": report.duplicates,
        "refused": report.refused, "undecodable": report.undecodable, "trouble": report.trouble,
        "sources": sources.collect::<Vec<_>>(),
    }))
    .into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageQuery {
    /// Names of kinds with commas between; every kind when absent.
    kind: Option<String>,
    /// Not measured after this.
    until: Option<i64>,
    /// `next` of the list before.
    after: Option<String>,
    #[serde(default = "hundred")]
    limit: usize,
}

const fn hundred() -> usize {
    100
}

async fn message_list(State(desk): State<Desk>, Extension(caller): Asker, Query(query): Query<MessageQuery>) -> Answer {
    staff(&caller)?;
    let kinds: Option<Vec<_>> = query.kind.iter().flat_map(|names| names.split(',')).map(Kind::from_name).collect();
    let kinds = kinds.ok_or_else(|| invalid("kind: no kind of record has this name"))?;
    let after = query.after.as_deref().map(|text| messages::cursor(text).ok_or_else(|| invalid("after: not a `next`")));
    let until = query.until.map_or_else(|| desk.api.now(), Timestamp::from_unix_ms);
    let page = (until, after.transpose()?, query.limit);
    let list = messages::list(desk.store(), &caller.tenant, kinds, personal(&caller), page).await?;
    desk.note_personal(&caller, || "list of messages".into()).await?;
    Ok(Json(list).into_response())
}

async fn message(State(desk): State<Desk>, Extension(caller): Asker, Path(arrival): Path<u64>) -> Answer {
    staff(&caller)?;
    let filter = Filter { personal: personal(&caller), ..Filter::of(caller.tenant.clone()) };
    let record = past::record(desk.store(), filter, arrival).await?;
    let record = record.ok_or_else(|| Problem::NotFound(format!("no message {arrival}")))?;
    desk.note_personal(&caller, || format!("message {arrival}")).await?;
    Ok(Json(messages::decoded(&record)).into_response())
}

async fn alarm_list(State(desk): State<Desk>, Extension(caller): Asker) -> Answer {
    staff(&caller)?;
    Ok(Json(desk.alarms.list(&caller.tenant, desk.api.now()).await?).into_response())
}

/// What an operator wants of an alarm.
#[derive(Debug, Deserialize)]
struct Change {
    /// The version the operator saw.
    version: u32,
    #[serde(flatten)]
    action: Action,
}

async fn change_alarm(
    State(desk): State<Desk>,
    Extension(caller): Asker,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Answer {
    if !caller.may(Scope::WriteAlerts) {
        return Err(Problem::Forbidden("this token may not change alarms".into()));
    }
    let Change { version, action } = change;
    match desk.alarms.act(&caller.tenant, &id, version, &action, &caller.name, desk.api.now()).await {
        Ok(alarm) => Ok(Json(alarm).into_response()),
        Err(error @ AlarmError::Unknown(_)) => Err(Problem::NotFound(error.to_string())),
        Err(AlarmError::Refused(refusal)) => Err(Problem::Conflict(refusal.to_string())),
        Err(AlarmError::Store(error)) => Err(error.into()),
    }
}
