//! The HTTP side of the control room.

use super::alarm::Action;
use super::alarms::{AlarmError, Alarms, SITE};
use super::live::Live;
use super::rules::AlarmSettings;
use super::scene::Audience;
use super::{Clock, messages, past, series};
use crate::entity::EntityKind;
use crate::record::{Kind, Sensitivity, Tenant};
use crate::room::Room;
use crate::store::{AuditAction, AuditEntry, Filter, Personal, StoreError};
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinHandle;

/// Browsers on live pictures at a time.
const MAX_LIVE: usize = 256;
/// How long one text may take to a browser.
const SEND_PATIENCE: Duration = Duration::from_secs(5);
/// Past times that are made at a time; more wait.
const MAX_PAST: usize = 4;
/// Largest site map, bytes.
const MAX_MAP_BYTES: usize = 32 * 1024 * 1024;
/// Longest span of a curve, milliseconds.
const MAX_SERIES_MS: i64 = 92 * 86_400_000;
/// Most stations of the fleet in one answer.
const MAX_FLEET: usize = 2_000;
/// WebSocket protocol of the live picture. A browser cannot send a header with it, so its token comes as a second protocol,
/// `bearer.<token>`.
const PROTOCOL: &str = "masa.v1";

/// Settings of the control room: the `[control-room]` table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ControlRoomSettings {
    /// What the page is called; empty: the tenant's name.
    pub name: String,
    /// Site map, GeoJSON with a `kind` for every feature (docs/control-room.md); none: only what stations send of it.
    pub map: Option<PathBuf>,
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

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name of the token, for the audit.
    pub name: String,
    /// Whose data.
    pub tenant: Tenant,
    /// What may be seen.
    pub audience: Audience,
    /// Whether alarms may be changed.
    pub may_operate: bool,
}

/// Tells who a token belongs to; `None` refuses.
pub trait Doorkeeper: Send + Sync {
    /// Who shows this token, or none.
    fn admit(&self, token: Option<&str>) -> Option<Caller>;
}

/// A running control room.
#[derive(Debug)]
pub struct ControlRoom {
    /// Its routes, for the server.
    pub routes: Router,
    /// Follows the feed until `stop`.
    pub task: JoinHandle<()>,
}

/// What every handler sees.
#[derive(Clone)]
struct Desk(Arc<Inner>);

struct Inner {
    room: Room,
    alarms: Arc<Alarms>,
    live: Live,
    door: Arc<dyn Doorkeeper>,
    clock: Clock,
    name: String,
    map: Bytes,
    live_permits: Arc<Semaphore>,
    past_permits: Semaphore,
    stop: watch::Receiver<bool>,
}

impl std::ops::Deref for Desk {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl ControlRoom {
    /// Starts following the feed of `room`.
    ///
    /// # Errors
    /// [`ControlRoomError`] when the site map cannot be used.
    pub fn start(
        settings: ControlRoomSettings,
        room: Room,
        door: Arc<dyn Doorkeeper>,
        clock: Clock,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, ControlRoomError> {
        let map = match &settings.map {
            Some(path) => read_map(path).map_err(|reason| ControlRoomError::Map { path: path.clone(), reason })?,
            None => Bytes::from_static(br#"{"type":"FeatureCollection","features":[]}"#),
        };
        let alarms = Arc::new(Alarms::new(room.clone()));
        let live = Live::new(room.clone(), alarms.clone(), settings.alarms);
        let task = tokio::spawn(live.clone().run(clock.clone(), stop.clone()));
        let desk = Desk(Arc::new(Inner {
            room,
            alarms,
            live,
            door,
            clock,
            name: settings.name,
            map,
            live_permits: Arc::new(Semaphore::new(MAX_LIVE)),
            past_permits: Semaphore::new(MAX_PAST),
            stop,
        }));
        let routes = Router::new()
            .route("/control-room/session", get(session))
            .route("/control-room/map", get(map_file))
            .route("/control-room/live", get(live_picture))
            .route("/control-room/scenes", get(scenes))
            .route("/control-room/series", get(curves))
            .route("/control-room/fleet", get(fleet))
            .route("/control-room/messages", get(message_list))
            .route("/control-room/messages/{arrival}", get(message))
            .route("/control-room/alarms", get(alarm_list))
            .route("/control-room/alarms/{id}", axum::routing::post(change_alarm))
            .with_state(desk);
        Ok(Self { routes, task })
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

/// Why a request has no answer.
enum Trouble {
    NotAdmitted,
    NotAllowed(&'static str),
    Asked(String),
    NotFound,
    Busy,
    Conflict(String),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadQuery(words) => Self::Asked(words),
            error => Self::Store(error),
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Self::NotAdmitted => (StatusCode::UNAUTHORIZED, "This token is not known here.".to_owned()),
            Self::NotAllowed(words) => (StatusCode::FORBIDDEN, words.to_owned()),
            Self::Asked(words) => (StatusCode::BAD_REQUEST, words),
            Self::NotFound => (StatusCode::NOT_FOUND, "Nothing is here.".to_owned()),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Too many browsers are watching.".to_owned()),
            Self::Conflict(words) => (StatusCode::CONFLICT, words),
            Self::Store(error) => {
                tracing::warn!(%error, "the control room cannot use the store");
                (StatusCode::SERVICE_UNAVAILABLE, "The store does not answer.".to_owned())
            }
        };
        let challenge = (status == StatusCode::UNAUTHORIZED).then_some([(header::WWW_AUTHENTICATE, "Bearer")]);
        (status, challenge, Json(json!({ "error": words }))).into_response()
    }
}

impl Desk {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Who sends this request.
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Trouble> {
        let token = match headers.get(header::AUTHORIZATION).map(|value| value.to_str()) {
            None => offered_token(headers),
            Some(Ok(value)) => Some(value.strip_prefix("Bearer ").ok_or(Trouble::NotAdmitted)?),
            Some(Err(_)) => return Err(Trouble::NotAdmitted),
        };
        self.door.admit(token).ok_or(Trouble::NotAdmitted)
    }

    /// Who sends this request; nobody from the street.
    fn staff(&self, headers: &HeaderMap) -> Result<Caller, Trouble> {
        let caller = self.caller(headers)?;
        if caller.audience == Audience::Public {
            return Err(Trouble::NotAllowed("This is not public."));
        }
        Ok(caller)
    }

    /// Leaves an audit entry when a caller sees single road users.
    async fn note_personal(&self, caller: &Caller, words: String, records: u64) -> Result<(), Trouble> {
        if caller.audience != Audience::Operator {
            return Ok(());
        }
        let entry = AuditEntry {
            number: 0,
            at: self.now(),
            tenant: caller.tenant.clone(),
            by: caller.name.clone(),
            action: AuditAction::Read,
            words,
            records,
        };
        Ok(self.room.store.note(entry).await?)
    }
}

/// The token that a WebSocket offers as a protocol.
fn offered_token(headers: &HeaderMap) -> Option<&str> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    offered.split(',').find_map(|protocol| protocol.trim().strip_prefix("bearer."))
}

type Answer = Result<Response, Trouble>;

async fn session(State(desk): State<Desk>, headers: HeaderMap) -> Answer {
    let caller = desk.caller(&headers)?;
    let holdings = desk.room.store.statistics().await?.holdings;
    let own = holdings.iter().filter(|holding| holding.tenant == caller.tenant);
    let oldest = own.map(|holding| holding.oldest.unix_ms()).min();
    let name = if desk.name.is_empty() { caller.tenant.as_str() } else { desk.name.as_str() };
    Ok(Json(json!({
        "name": name,
        "tenant": caller.tenant,
        "caller": caller.name,
        "audience": caller.audience,
        "may_operate": caller.may_operate,
        "now": desk.now().unix_ms(),
        "oldest": oldest,
    }))
    .into_response())
}

async fn map_file(State(desk): State<Desk>, headers: HeaderMap) -> Answer {
    desk.caller(&headers)?;
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], desk.map.clone()).into_response())
}

async fn live_picture(State(desk): State<Desk>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Answer {
    let caller = desk.caller(&headers)?;
    let permit = desk.live_permits.clone().try_acquire_owned().map_err(|_| Trouble::Busy)?;
    desk.note_personal(&caller, "live picture".to_owned(), 0).await?;
    // Browsers have nothing to say.
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(1024).max_frame_size(1024);
    Ok(upgrade.on_upgrade(async move |mut socket| {
        if let Err(error) = push(&mut socket, &desk, &caller).await {
            tracing::debug!(%error, "a live picture ended");
        }
        let _ = tokio::time::timeout(SEND_PATIENCE, socket.send(Message::Close(None))).await;
        drop(permit);
    }))
}

async fn push(socket: &mut WebSocket, desk: &Desk, caller: &Caller) -> Result<(), axum::BoxError> {
    let mut stop = desk.stop.clone();
    let join = || desk.live.join(&caller.tenant, caller.audience, desk.now());
    let (whole, mut texts) = join().await?;
    send(socket, whole).await?;
    loop {
        tokio::select! {
            () = super::stopped(&mut stop) => return Ok(()),
            heard = socket.recv() => match heard {
                None | Some(Err(_) | Ok(Message::Close(_))) => return Ok(()),
                Some(Ok(_)) => {}
            },
            text = texts.recv() => match text {
                Ok(text) => send(socket, text).await?,
                Err(RecvError::Lagged(_)) => send(socket, rejoin(&mut texts, join().await?)).await?,
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}

/// Follows the texts after a whole picture.
fn rejoin(
    texts: &mut broadcast::Receiver<Utf8Bytes>,
    (whole, newer): (Utf8Bytes, broadcast::Receiver<Utf8Bytes>),
) -> Utf8Bytes {
    *texts = newer;
    whole
}

async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> Result<(), axum::BoxError> {
    Ok(tokio::time::timeout(SEND_PATIENCE, socket.send(Message::Text(text))).await??)
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

async fn scenes(State(desk): State<Desk>, headers: HeaderMap, Query(span): Query<Span>) -> Answer {
    let caller = desk.caller(&headers)?;
    let Span { from, until, step } = span;
    let long = until.checked_sub(from).filter(|ms| (0..=past::MAX_BATCH_MS).contains(ms));
    let texts = long.filter(|ms| step > 0 && ms / step <= past::MAX_TEXTS);
    if texts.is_none() {
        let (most_ms, most) = (past::MAX_BATCH_MS, past::MAX_TEXTS);
        return Err(Trouble::Asked(format!("at most {most_ms} ms and {most} steps at a time, from before until")));
    }
    let [from, until] = [from, until].map(Timestamp::from_unix_ms);
    // The semaphore is never closed.
    let _permit = desk.past_permits.acquire().await.map_err(|_| Trouble::Busy)?;
    let words = format!("picture of {}", crate::entity::rfc3339(from));
    desk.note_personal(&caller, words, 0).await?;
    let texts = past::batch(&*desk.room.store, &caller.tenant, caller.audience, [from, until], step).await?;
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

async fn curves(State(desk): State<Desk>, headers: HeaderMap, Query(query): Query<CurveQuery>) -> Answer {
    let caller = desk.caller(&headers)?;
    let kind = EntityKind::from_name(&query.kind).filter(|kind| kind.sensitivity() == Sensitivity::Open);
    let kind = kind.ok_or_else(|| Trouble::Asked("type: curves are of measured entities".to_owned()))?;
    let span = query.until.checked_sub(query.from).filter(|ms| (1..=MAX_SERIES_MS).contains(ms));
    if span.is_none() || !(1..=series::MAX_POINTS).contains(&query.points) {
        return Err(Trouble::Asked(format!(
            "at most 92 days in 1 to {} points, from before until",
            series::MAX_POINTS
        )));
    }
    let span = [query.from, query.until].map(Timestamp::from_unix_ms);
    let _permit = desk.past_permits.acquire().await.map_err(|_| Trouble::Busy)?;
    let curves = series::series(&*desk.room.store, &caller.tenant, kind, span, query.points).await?;
    Ok(Json(curves).into_response())
}

async fn fleet(State(desk): State<Desk>, headers: HeaderMap) -> Answer {
    let caller = desk.staff(&headers)?;
    let report = desk.room.ledger.report();
    let sources = report.sources.into_iter().filter(|s| s.tenant == caller.tenant && s.source.site != SITE);
    let sources: Vec<_> = sources.take(MAX_FLEET).collect();
    Ok(Json(json!({
        "now": desk.now().unix_ms(), "stored": report.stored, "duplicates": report.duplicates, "refused": report.refused,
        "undecodable": report.undecodable, "trouble": report.trouble,
        "sources": sources.iter().map(|s| json!({
            "site": s.source.site, "station": s.source.station, "stored": s.stored, "duplicates": s.duplicates,
            "ahead": s.ahead, "least_age_ms": s.least_age_ms, "heard": s.heard_at.unix_ms(), "kinds": s.kinds,
        })).collect::<Vec<_>>(),
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

async fn message_list(State(desk): State<Desk>, headers: HeaderMap, Query(query): Query<MessageQuery>) -> Answer {
    let caller = desk.staff(&headers)?;
    let names = query.kind.iter().flat_map(|names| names.split(','));
    let kinds: Option<Vec<_>> = names.map(Kind::from_name).collect();
    let kinds = kinds.ok_or_else(|| Trouble::Asked("kind: no kind of record has this name".to_owned()))?;
    let after = match &query.after {
        None => None,
        Some(text) => Some(messages::cursor(text).ok_or_else(|| Trouble::Asked("after: not a `next`".to_owned()))?),
    };
    let until = query.until.map_or_else(|| desk.now(), Timestamp::from_unix_ms);
    let personal = personal_for(&caller);
    let (store, tenant) = (&*desk.room.store, &caller.tenant);
    let list = messages::list(store, tenant, kinds, personal, (until, after), query.limit).await?;
    desk.note_personal(&caller, "list of messages".to_owned(), query.limit as u64).await?;
    Ok(Json(list).into_response())
}

async fn message(State(desk): State<Desk>, headers: HeaderMap, Path(arrival): Path<u64>) -> Answer {
    let caller = desk.staff(&headers)?;
    let filter = Filter { personal: personal_for(&caller), ..Filter::of(caller.tenant.clone()) };
    let record = past::record(&*desk.room.store, filter, arrival).await?.ok_or(Trouble::NotFound)?;
    desk.note_personal(&caller, format!("message {arrival}"), 1).await?;
    Ok(Json(messages::decoded(&record)).into_response())
}

fn personal_for(caller: &Caller) -> Personal {
    if caller.audience == Audience::Operator { Personal::Include } else { Personal::Exclude }
}

async fn alarm_list(State(desk): State<Desk>, headers: HeaderMap) -> Answer {
    let caller = desk.staff(&headers)?;
    Ok(Json(desk.alarms.list(&caller.tenant, desk.now()).await?).into_response())
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
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Answer {
    let caller = desk.staff(&headers)?;
    if !caller.may_operate {
        return Err(Trouble::NotAllowed("This token may not change alarms."));
    }
    let Change { version, action } = change;
    let changed = desk.alarms.act(&caller.tenant, &id, version, &action, &caller.name, desk.now()).await;
    match changed {
        Ok(alarm) => Ok(Json(alarm).into_response()),
        Err(AlarmError::Unknown(_)) => Err(Trouble::NotFound),
        Err(AlarmError::Refused(refusal)) => Err(Trouble::Conflict(refusal.to_string())),
        Err(AlarmError::Store(error)) => Err(error.into()),
    }
}
