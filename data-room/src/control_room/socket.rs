//! The live picture over a WebSocket.

use super::routes::Desk;
use super::scene::Audience;
use crate::api::tokens::{Caller, Scope};
use crate::api::{Access, Problem, admit, stopped};
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The sub-protocol; a browser offers its token as another one, since it cannot set a header.
const PROTOCOL: &str = "masa.v1";
/// How long one text may take to a browser.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the token is looked at again, and who sees road users noted again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// `/control-room/live`
pub(super) async fn live(
    State(desk): State<Desk>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let permit = desk.streams.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::Unavailable("too many browsers are watching".into()))?;
    desk.note_personal(&caller, || "live picture".into()).await?;
    // Browsers have nothing to say.
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(1024).max_frame_size(1024);
    Ok(upgrade.on_upgrade(async move |mut socket| {
        if let Err(error) = push(&mut socket, &desk, &caller, &headers).await {
            tracing::debug!(%error, "a live picture ended");
        }
        let _ = timeout(PATIENCE, socket.send(Message::Close(None))).await;
        drop(permit);
    }))
}

async fn push(socket: &mut WebSocket, desk: &Desk, caller: &Caller, headers: &HeaderMap) -> Result<(), axum::BoxError> {
    let mut stop = desk.stop.clone();
    let audience = Audience::of(caller);
    let join =
        async || desk.live.join(&caller.tenant, audience, desk.api.now()).await.map_err(|problem| problem.detail());
    let (whole, mut texts) = join().await?;
    send(socket, whole).await?;
    let mut again = interval(LOOK_AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    again.reset();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return Ok(()),
            heard = socket.recv() => match heard {
                None | Some(Err(_) | Ok(Message::Close(_))) => return Ok(()),
                Some(Ok(_)) => {}
            },
            text = texts.recv() => match text {
                Ok(text) => send(socket, text).await?,
                Err(RecvError::Lagged(_)) => {
                    let (whole, newer) = join().await?;
                    texts = newer;
                    send(socket, whole).await?;
                }
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = again.tick() => {
                let known = admit(&desk.api, Access::Needs(Scope::ReadTraffic), headers, None);
                if known.ok().flatten().as_ref() != Some(caller) {
                    return Err("its token is no longer valid".into());
                }
                desk.note_personal(caller, || "live picture goes on".into()).await.map_err(|problem| problem.detail())?;
            }
        }
    }
}

async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> Result<(), axum::BoxError> {
    Ok(timeout(PATIENCE, socket.send(Message::Text(text))).await??)
}
