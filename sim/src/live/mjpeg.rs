//! Simulated cameras as network cameras: JPEG pictures over HTTP, `multipart/x-mixed-replace`, as IP cameras send them.
//!
//! In: encoded pictures with the time of their shutter. Out: `/<camera>.mjpeg` for any number of readers, `/<camera>.jpg`
//! for one picture. A reader that is slow misses pictures and delays nobody. Each part says its time in `X-Timestamp`,
//! which the node's MJPEG source reads with `times = "x-timestamp"`.

use super::LiveError;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::stream;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What separates the parts.
const BOUNDARY: &str = "masa-frame";

/// One encoded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// A JPEG file.
    pub jpeg: Bytes,
    /// When the shutter opened.
    pub captured_at: Timestamp,
}

type Feeds = Arc<BTreeMap<String, watch::Sender<Option<Picture>>>>;

/// A running server; it ends when it is dropped.
#[derive(Debug)]
pub struct MjpegServer {
    address: SocketAddr,
    feeds: Feeds,
    task: JoinHandle<()>,
}

impl MjpegServer {
    /// Serves `cameras` at `listen`; port 0 takes a free one. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(listen: SocketAddr, cameras: impl IntoIterator<Item = String>) -> Result<Self, LiveError> {
        let error = |source| LiveError::Listen { what: "cameras", address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        let feeds: Feeds = Arc::new(cameras.into_iter().map(|camera| (camera, watch::Sender::new(None))).collect());
        let routes = Router::new().route("/{file}", get(answer)).with_state(Arc::clone(&feeds));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::warn!(%error, "the server of simulated cameras ended");
            }
        });
        Ok(Self { address, feeds, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a camera's stream.
    pub fn url(&self, camera: &str) -> String {
        format!("http://{}/{camera}.mjpeg", self.address)
    }

    /// Shows a camera's next picture; whether there is such a camera.
    pub fn show(&self, camera: &str, picture: Picture) -> bool {
        self.feeds.get(camera).map(|feed| feed.send_replace(Some(picture))).is_some()
    }
}

impl Drop for MjpegServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(feeds): State<Feeds>, Path(file): Path<String>) -> Response {
    let (camera, form) = file.rsplit_once('.').unwrap_or((&file, ""));
    let Some(feed) = feeds.get(camera) else {
        return (StatusCode::NOT_FOUND, format!("no camera `{camera}`\n")).into_response();
    };
    let mut pictures = feed.subscribe();
    pictures.mark_changed();
    match form {
        "jpg" => match next(&mut pictures).await {
            Some(picture) => ([(header::CONTENT_TYPE, "image/jpeg")], picture.jpeg).into_response(),
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
        "mjpeg" => {
            let parts = stream::unfold(pictures, |mut pictures| async move {
                let picture = next(&mut pictures).await?;
                Some((Ok::<_, Infallible>(part(&picture)), pictures))
            });
            let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
            ([(header::CONTENT_TYPE, kind)], Body::from_stream(parts)).into_response()
        }
        _ => (StatusCode::NOT_FOUND, "ask for <camera>.mjpeg or <camera>.jpg\n").into_response(),
    }
}

/// The newest picture not yet seen; `None` when the server ends.
async fn next(pictures: &mut watch::Receiver<Option<Picture>>) -> Option<Picture> {
    loop {
        pictures.changed().await.ok()?;
        if let Some(picture) = pictures.borrow_and_update().clone() {
            return Some(picture);
        }
    }
}

fn part(picture: &Picture) -> Bytes {
    let seconds = picture.captured_at.unix_ns() as f64 / 1e9;
    let length = picture.jpeg.len();
    let head = format!(
        "--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\nX-Timestamp: {seconds:.6}\r\n\r\n"
    );
    [head.as_bytes(), &picture.jpeg, b"\r\n"].concat().into()
}
