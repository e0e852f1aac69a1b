//! Camera pictures: who may see them, and how they get from the detector's worker to a browser.

use super::picture::CameraPicture;
use super::server::{App, stopped};
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use masa_inference::RgbImage;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Shortest time between two pictures of a camera.
const PACE: Duration = Duration::from_millis(90);
/// How long a camera counts as watched after the last request.
const LINGER: Duration = Duration::from_secs(2);
/// How long a request waits for a newer picture.
const PATIENCE: Duration = Duration::from_secs(2);
/// Separates the pictures of a stream.
const BOUNDARY: &str = "masa-frame";

/// Who may see raw camera pictures. That they leave the node is not an option: anonymisation does not exist yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraView {
    /// Only a browser that runs on the node itself.
    #[default]
    LoopbackOnly,
    /// Nobody.
    Off,
}

impl CameraView {
    /// Whether a request of `peer` may have a picture. A request that a proxy forwarded comes from somewhere else than its
    /// peer, so it may not.
    fn refuses(self, peer: IpAddr, headers: &HeaderMap) -> Option<&'static str> {
        const PROXY_MARKS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        match self {
            Self::Off => {
                Some("Camera pictures are switched off in this node's configuration (camera-view = \"off\").\n")
            }
            Self::LoopbackOnly if !peer.to_canonical().is_loopback() => Some(
                "Raw camera pictures stay in the node: only a browser that runs on the node itself may see them.\n",
            ),
            Self::LoopbackOnly if PROXY_MARKS.iter().any(|mark| headers.contains_key(*mark)) => Some(
                "Raw camera pictures stay in the node: this request came through a proxy, so they might leave it.\n",
            ),
            Self::LoopbackOnly => None,
        }
    }
}

/// Takes frames of one camera while somebody watches it.
#[derive(Debug)]
pub struct CameraFeed {
    picture: watch::Sender<Option<Arc<CameraPicture>>>,
    times: Mutex<Times>,
}

#[derive(Debug, Default)]
struct Times {
    asked: Option<Instant>,
    offered: Option<Instant>,
}

impl Default for CameraFeed {
    fn default() -> Self {
        Self { picture: watch::Sender::new(None), times: Mutex::default() }
    }
}

impl CameraFeed {
    /// Offers a frame that the detector has just finished. Costs nothing while nobody watches, and at most one call of
    /// `image` per tenth of a second otherwise.
    pub fn offer(&self, frame: u64, captured_at: Timestamp, image: impl FnOnce() -> Arc<RgbImage>) {
        let at = now();
        {
            let mut times = self.times.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let watched = self.picture.receiver_count() > 0 || within(times.asked, at, LINGER);
            if !watched && times.offered.take().is_some() {
                // Nobody looks any more: the pixels are not kept.
                self.picture.send_replace(None);
            }
            if !watched || within(times.offered, at, PACE) {
                return;
            }
            times.offered = Some(at);
        }
        self.picture.send_replace(Some(Arc::new(CameraPicture::new(frame, captured_at, image()))));
    }

    /// Starts or goes on watching. A picture left over from the last time somebody did is forgotten first.
    fn watch(&self) -> watch::Receiver<Option<Arc<CameraPicture>>> {
        let at = now();
        let mut times = self.times.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.picture.receiver_count() == 0 && !within(times.asked, at, LINGER) {
            self.picture.send_replace(None);
        }
        times.asked = Some(at);
        self.picture.subscribe()
    }
}

#[allow(clippy::disallowed_methods, reason = "paces pictures for people; no logic depends on it")]
fn now() -> Instant {
    Instant::now()
}

fn within(earlier: Option<Instant>, at: Instant, span: Duration) -> bool {
    earlier.is_some_and(|t| at.duration_since(t) < span)
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
    let mut pictures = match watch(&app, peer, &headers, camera) {
        Ok(pictures) => pictures,
        Err(refusal) => return refusal,
    };
    let wanted = |p: &Option<Arc<CameraPicture>>| p.as_ref().is_some_and(|p| Some(p.frame) != query.after);
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
    let mut pictures = match watch(&app, peer, &headers, camera) {
        Ok(pictures) => pictures,
        Err(refusal) => return refusal,
    };
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
fn watch(
    app: &App,
    peer: SocketAddr,
    headers: &HeaderMap,
    camera: u16,
) -> Result<watch::Receiver<Option<Arc<CameraPicture>>>, Response> {
    if let Some(words) = app.settings.camera_view.refuses(peer.ip(), headers) {
        return Err((StatusCode::FORBIDDEN, words).into_response());
    }
    match app.state.cameras.get(&crate::event::SourceId(camera)) {
        Some(feed) => Ok(feed.watch()),
        None => Err((StatusCode::NOT_FOUND, format!("No camera has the source id {camera}.\n")).into_response()),
    }
}

async fn encode(picture: Arc<CameraPicture>) -> Result<Bytes, String> {
    tokio::task::spawn_blocking(move || picture.jpeg()).await.unwrap_or_else(|e| Err(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_node_itself_may_see_pictures() {
        let (none, view) = (HeaderMap::new(), CameraView::LoopbackOnly);
        for local in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(view.refuses(local.parse().unwrap(), &none), None, "{local}");
            assert!(CameraView::Off.refuses(local.parse().unwrap(), &none).is_some(), "{local}");
        }
        for remote in ["192.168.1.7", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "2001:db8::1", "0.0.0.0"] {
            assert!(view.refuses(remote.parse().unwrap(), &none).is_some(), "{remote}");
        }
        let mut forwarded = HeaderMap::new();
        forwarded.insert("X-Forwarded-For", "203.0.113.9".parse().unwrap());
        assert!(view.refuses("127.0.0.1".parse().unwrap(), &forwarded).is_some());
    }

    #[test]
    fn frames_are_taken_only_while_somebody_watches() {
        let feed = CameraFeed::default();
        let image = Arc::new(RgbImage::new(1, 1, vec![0; 3]).unwrap());
        feed.offer(1, Timestamp::default(), || panic!("nobody watches"));
        let pictures = feed.watch();
        feed.offer(2, Timestamp::default(), || image.clone());
        feed.offer(3, Timestamp::default(), || panic!("too soon after frame 2"));
        assert_eq!(pictures.borrow().as_ref().unwrap().frame, 2);

        drop(pictures);
        feed.times.lock().unwrap().asked = None;
        feed.offer(4, Timestamp::default(), || panic!("nobody watches any more"));
        assert!(feed.picture.borrow().is_none(), "pixels are not kept once nobody watches");
    }
}
