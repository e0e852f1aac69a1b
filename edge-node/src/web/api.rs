//! The page's data as JSON, the state of health and the metrics.

use super::messages::MessageSummary;
use super::server::App;
use crate::effect::MessageKind;
use crate::event::SourceState;
use crate::telemetry::{TelemetryView, metrics_handle};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// Longest list of messages in one answer.
const MAX_LIST: usize = 200;

/// `/api/site`: what does not change while the node runs. Serialised once.
pub(super) async fn site(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], app.site_json.clone()).into_response()
}

/// `/api/snapshot`
pub(super) async fn snapshot(State(app): State<App>) -> Response {
    let snapshot = app.state.snapshots.borrow().clone();
    Json(&*snapshot).into_response()
}

/// `/api/telemetry`
pub(super) async fn telemetry(State(app): State<App>) -> Json<TelemetryView> {
    Json(app.state.telemetry.view())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only messages with a higher number.
    #[serde(default)]
    after: u64,
    kind: Option<MessageKind>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct MessageList {
    /// Number of the newest message of any kind.
    newest: u64,
    /// Newest first.
    messages: Vec<MessageSummary>,
}

/// `/api/messages?after=<number>&kind=<kind>&limit=<n>`
pub(super) async fn messages(State(app): State<App>, Query(query): Query<ListQuery>) -> Json<MessageList> {
    let log = &app.state.messages;
    // `newest` first: a message that arrives in between is asked for again rather than missed.
    let newest = log.newest();
    Json(MessageList { newest, messages: log.list(query.after, query.kind, query.limit.unwrap_or(50).min(MAX_LIST)) })
}

/// `/api/messages/{id}`: the message decoded, its bytes, and what caused it.
pub(super) async fn message(State(app): State<App>, Path(id): Path<String>) -> Response {
    let Some((number, message)) = app.state.messages.find(&id) else {
        return (StatusCode::NOT_FOUND, "Not among the messages published last.\n").into_response();
    };
    let uper_hex: String = message.uper.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut body = serde_json::json!({
        "summary": MessageSummary::of(number, &message),
        "position": message.position,
        "uper_hex": uper_hex,
        "provenance": message.provenance,
    })
    .to_string();
    // The message's own text goes in as it is, so that its fields keep the order of its schema.
    if serde_json::from_str::<serde::de::IgnoredAny>(&message.json).is_ok() {
        body.truncate(body.len() - 1);
        body = format!("{body},\"json\":{}}}", message.json);
    }
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[derive(Debug, Serialize)]
struct Health {
    healthy: bool,
    /// What is wrong, in words.
    failing: Vec<String>,
}

/// `/healthz`: 200 while the core runs and nothing has given up, else 503. What is still trying to connect is not a
/// failure: a node without its broker goes on working.
pub(super) async fn healthz(State(app): State<App>) -> Response {
    let mut failing: Vec<String> = Vec::new();
    if app.state.snapshots.has_changed().is_err() {
        failing.push("The core has stopped.".to_owned());
    }
    let snapshot = app.state.snapshots.borrow().clone();
    let failed = snapshot.statuses.iter().filter(|s| s.state == SourceState::Failed);
    failing.extend(failed.map(|s| format!("{}: {}", s.name, s.detail)));
    failing.extend(snapshot.health.iter().map(|p| format!("{} {}: {}", p.problem.name(), p.subject, p.detail)));
    let status = if failing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Health { healthy: failing.is_empty(), failing })).into_response()
}

/// `/metrics`: Prometheus text of the telemetry, then of what other crates put into the `metrics` recorder.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let mut text = app.state.telemetry.prometheus();
    if let Some(handle) = metrics_handle() {
        text.push_str(&handle.render());
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
