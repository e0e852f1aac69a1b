//! HTTP: how the data room is.

use crate::room::Room;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

/// Answers whether the room takes records, without a token: for supervisors.
pub(crate) fn router(room: Room) -> Router {
    Router::new().route("/health", get(health)).with_state(room)
}

/// 200 while the store takes records, else 503; the counters of the ingest either way.
async fn health(State(room): State<Room>) -> (StatusCode, Json<Value>) {
    let totals = room.ledger.totals();
    let status = if totals.trouble.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ingest": totals })))
}
