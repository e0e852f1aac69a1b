//! The HTTP server: routes, limits, orderly end.
//!
//! Connections are accepted here rather than by `axum::serve`, which has neither a limit on their number nor a deadline
//! for a request's head.

use super::camera::Peer;
use super::live::LiveStream;
use super::{NodeInfo, WebError, WebSettings, WebState, api, camera, live, page};
use crate::snapshot::SiteView;
use crate::telemetry::metrics_handle;
use axum::extract::Extension;
use axum::routing::get;
use axum::{Router, middleware};
use bytes::Bytes;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Connections at a time; more wait in the listen queue.
const MAX_CONNECTIONS: usize = 128;
/// Browsers on the live stream at a time.
const MAX_LIVE: usize = 32;
/// MJPEG streams at a time.
const MAX_STREAMS: usize = 8;
/// How long a request's head may take.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// Largest request head, bytes; no request has a body that anyone reads.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long answers under way may take once the node stops.
const DRAIN: Duration = Duration::from_secs(2);
/// How often the `metrics` recorder is kept in order.
const UPKEEP: Duration = Duration::from_secs(5);

/// What every handler sees.
#[derive(Clone)]
pub(super) struct App(Arc<Inner>);

pub(super) struct Inner {
    pub(super) settings: WebSettings,
    pub(super) state: WebState,
    pub(super) site_json: Bytes,
    pub(super) live: LiveStream,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) live_permits: Arc<Semaphore>,
    pub(super) stream_permits: Arc<Semaphore>,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// A running server.
#[derive(Debug)]
pub struct WebServer {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Ends within two seconds after the shutdown future has.
    pub task: JoinHandle<()>,
}

/// Serves the live page until `shutdown`.
///
/// # Errors
/// [`WebError::Listen`] when the address cannot be listened on.
pub async fn serve(
    settings: WebSettings,
    state: WebState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<WebServer, WebError> {
    let listen = settings.listen;
    let at = |source| WebError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(at)?;
    let addr = listener.local_addr().map_err(at)?;
    Ok(WebServer { addr, task: tokio::spawn(run(listener, settings, state, shutdown)) })
}

async fn run(listener: TcpListener, settings: WebSettings, state: WebState, shutdown: impl Future<Output = ()>) {
    let (stop_sender, stop) = watch::channel(false);
    let live = LiveStream::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(live.clone().run(state.clone(), stop.clone()));
    tasks.spawn(upkeep(stop.clone()));
    let app = App(Arc::new(Inner {
        site_json: site_json(&state.node, &state.site, &settings),
        settings,
        state,
        live,
        stop: stop.clone(),
        live_permits: Arc::new(Semaphore::new(MAX_LIVE)),
        stream_permits: Arc::new(Semaphore::new(MAX_STREAMS)),
    }));
    let router = router(app.clone());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = tasks.join_next() => {}
            (stream, peer, place) = accept(&listener, &places) => {
                let (router, stop) = (router.clone(), stop.clone());
                tasks.spawn(async move {
                    connection(stream, peer, router, stop).await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    stop_sender.send_replace(true);
    let drained = async {
        while tasks.join_next().await.is_some() {}
        // Sockets live in tasks of their own after the upgrade; each holds a permit until it has said goodbye.
        let _ = app.live_permits.acquire_many(MAX_LIVE as u32).await;
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("live page closed with answers under way");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed, so a permit always comes.
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                // Out of file handles, or the peer has gone: the next attempt may do.
                tracing::warn!(%error, "live page could not accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, mut stop: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router.layer(Extension(Peer(peer))));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "live page connection ended early");
    }
}

/// Ends when the server is to stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and the server with it.
    let _ = stop.wait_for(|&stop| stop).await;
}

/// Histograms in the `metrics` recorder grow until somebody scrapes or tidies them.
async fn upkeep(mut stop: watch::Receiver<bool>) {
    let Some(handle) = metrics_handle() else { return };
    while tokio::time::timeout(UPKEEP, stopped(&mut stop)).await.is_err() {
        handle.run_upkeep();
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/static/{name}", get(page::file))
        .route("/api/site", get(api::site))
        .route("/api/snapshot", get(api::snapshot))
        .route("/api/telemetry", get(api::telemetry))
        .route("/api/messages", get(api::messages))
        .route("/api/messages/{id}", get(api::message))
        .route("/api/live", get(live::live))
        .route("/api/cameras/{id}/frame.jpg", get(camera::frame))
        .route("/api/cameras/{id}/stream", get(camera::stream))
        .route("/metrics", get(api::metrics))
        .route("/healthz", get(api::healthz))
        .fallback(|| async { (axum::http::StatusCode::NOT_FOUND, "Nothing is here.\n") })
        .layer(middleware::from_fn_with_state(app.clone(), page::guard))
        .with_state(app)
}

fn site_json(node: &NodeInfo, site: &SiteView, settings: &WebSettings) -> Bytes {
    #[derive(Serialize)]
    struct Site<'a> {
        node: &'a NodeInfo,
        site: &'a SiteView,
        camera_view: super::CameraView,
    }
    // Only a map with keys that are not text could fail, and there is none.
    serde_json::to_vec(&Site { node, site, camera_view: settings.camera_view }).unwrap_or_default().into()
}
