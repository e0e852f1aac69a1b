//! Camera pictures over HTTP: who may see which, one at a time or as a stream.

use super::feed::{Newest, OnThisNode};
use super::picture::CameraPicture;
use super::server::{App, stopped};
use crate::event::SourceId;
use crate::perception::privacy::Anonymised;
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use masa_inference::RgbImage;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for a newer picture.
const PATIENCE: Duration = Duration::from_secs(2);
/// Separates the pictures of a stream.
const BOUNDARY: &str = "masa-frame";

/// Who may see camera pictures, and which. That raw ones leave the node is not an option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraView {
    /// Raw ones for a browser that runs on the node itself; none for others.
    #[default]
    LoopbackOnly,
    /// Anonymised ones for every browser.
    Anonymised,
    /// Raw ones for a browser that runs on the node itself, anonymised ones for others.
    RawOnLoopback,
    /// None for nobody.
    Off,
}

/// What a request may see.
#[derive(Clone, Copy, Debug)]
enum Grant {
    Raw(OnThisNode),
    Anonymised,
}

impl CameraView {
    /// Whether anybody may see anonymised pictures.
    pub(crate) const fn shows_anonymised(self) -> bool {
        matches!(self, Self::Anonymised | Self::RawOnLoopback)
    }

    /// What a request of `peer` may see, or why it may not.
    fn grant(self, peer: IpAddr, headers: &HeaderMap) -> Result<Grant, &'static str> {
        match (self, OnThisNode::of(peer, headers)) {
            (Self::Off, _) => {
                Err("Camera pictures are switched off in this node's configuration (camera-view = \"off\").\n")
            }
            (Self::LoopbackOnly | Self::RawOnLoopback, Ok(proof)) => Ok(Grant::Raw(proof)),
            (Self::LoopbackOnly, Err(words)) => Err(words),
            (Self::Anonymised, _) | (Self::RawOnLoopback, Err(_)) => Ok(Grant::Anonymised),
        }
    }
}

/// The pictures that a request was granted.
enum Granted {
    Raw(Newest<Arc<RgbImage>>),
    Anonymised(Newest<Anonymised>),
}

/// The peer of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

#[derive(Debug, Deserialize)]
pub(super) struct FrameQuery {
    /// Wait for a picture other than this frame's.
    after: Option<u64>,
}

/// `/api/cameras/{id}/frame.jpg?after=<frame>`: the newest picture, once it is another than `after`; 204 when none came.
pub(super) async fn frame(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Path(camera): Path<u16>,
    Query(query): Query<FrameQuery>,
    headers: HeaderMap,
) -> Response {
    match watch(&app, peer, &headers, camera) {
        Ok(Granted::Raw(pictures)) => next(pictures, query.after).await,
        Ok(Granted::Anonymised(pictures)) => next(pictures, query.after).await,
        Err(refusal) => refusal,
    }
}

async fn next<I: Pixels>(mut pictures: Newest<I>, after: Option<u64>) -> Response {
    let wanted = |p: &Option<Arc<CameraPicture<I>>>| p.as_ref().is_some_and(|p| Some(p.frame) != after);
    let picture = match tokio::time::timeout(PATIENCE, pictures.wait_for(wanted)).await {
        Ok(Ok(picture)) => picture.clone(),
        Ok(Err(_)) | Err(_) => None,
    };
    let Some(picture) = picture else { return StatusCode::NO_CONTENT.into_response() };
    let (frame, captured_at) = (picture.frame, picture.captured_at);
    match encode(picture).await {
        Ok(jpeg) => (
            [
                (header::CONTENT_TYPE.as_str(), "image/jpeg".to_owned()),
                ("masa-frame", frame.to_string()),
                ("masa-captured-at-ms", captured_at.unix_ms().to_string()),
            ],
            jpeg,
        )
            .into_response(),
        Err(words) => (StatusCode::INTERNAL_SERVER_ERROR, words).into_response(),
    }
}

/// `/api/cameras/{id}/stream`: pictures as MJPEG (`multipart/x-mixed-replace`) until the client or the node ends it.
pub(super) async fn stream(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Path(camera): Path<u16>,
    headers: HeaderMap,
) -> Response {
    match watch(&app, peer, &headers, camera) {
        Ok(Granted::Raw(pictures)) => stream_of(&app, pictures),
        Ok(Granted::Anonymised(pictures)) => stream_of(&app, pictures),
        Err(refusal) => refusal,
    }
}

fn stream_of<I: Pixels>(app: &App, mut pictures: Newest<I>) -> Response {
    let Ok(permit) = app.stream_permits.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "Too many camera streams are open.\n").into_response();
    };
    pictures.mark_changed();
    let parts =
        futures::stream::unfold((pictures, app.stop.clone(), permit), |(mut pictures, mut stop, permit)| async {
            loop {
                tokio::select! {
                    () = stopped(&mut stop) => return None,
                    changed = pictures.changed() => changed.ok()?,
                }
                let Some(picture) = pictures.borrow_and_update().clone() else { continue };
                // A frame that cannot be encoded is left out; the next one may be fine.
                let Ok(jpeg) = encode(picture).await else { continue };
                let head =
                    format!("--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len());
                let part = [head.as_bytes(), &jpeg, b"\r\n"].concat();
                return Some((Ok::<_, std::convert::Infallible>(Bytes::from(part)), (pictures, stop, permit)));
            }
        });
    let content_type = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    ([(header::CONTENT_TYPE, content_type)], Body::from_stream(parts)).into_response()
}

#[allow(clippy::result_large_err, reason = "both are built once per request")]
fn watch(app: &App, peer: SocketAddr, headers: &HeaderMap, camera: u16) -> Result<Granted, Response> {
    let grant = app.settings.camera_view.grant(peer.ip(), headers);
    let grant = grant.map_err(|words| (StatusCode::FORBIDDEN, words).into_response())?;
    let Some(feed) = app.state.cameras.get(&SourceId(camera)) else {
        return Err((StatusCode::NOT_FOUND, format!("No camera has the source id {camera}.\n")).into_response());
    };
    Ok(match grant {
        Grant::Raw(proof) => Granted::Raw(feed.raw(proof)),
        Grant::Anonymised => Granted::Anonymised(feed.anonymised()),
    })
}

/// Pixels of either kind.
trait Pixels: AsRef<RgbImage> + Send + Sync + 'static {}

impl<I: AsRef<RgbImage> + Send + Sync + 'static> Pixels for I {}

async fn encode<I: Pixels>(picture: Arc<CameraPicture<I>>) -> Result<Bytes, String> {
    tokio::task::spawn_blocking(move || picture.jpeg()).await.unwrap_or_else(|e| Err(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `view` grants a browser on the node and one elsewhere: raw, anonymised or nothing.
    fn grants(view: CameraView) -> [&'static str; 2] {
        ["127.0.0.1", "192.0.2.7"].map(|peer| match view.grant(peer.parse().unwrap(), &HeaderMap::new()) {
            Ok(Grant::Raw(_)) => "raw",
            Ok(Grant::Anonymised) => "anonymised",
            Err(_) => "nothing",
        })
    }

    #[test]
    fn raw_pictures_are_for_the_node_alone_under_every_policy() {
        assert_eq!(grants(CameraView::LoopbackOnly), ["raw", "nothing"]);
        assert_eq!(grants(CameraView::Anonymised), ["anonymised", "anonymised"]);
        assert_eq!(grants(CameraView::RawOnLoopback), ["raw", "anonymised"]);
        assert_eq!(grants(CameraView::Off), ["nothing", "nothing"]);
    }
}
