//! The live stream: one JSON text for all browsers, pushed over WebSockets.
//!
//! The text is made once per beat, only while somebody listens. A client that cannot keep up skips texts (a `watch`
//! channel holds the newest only) and is let go when one text takes it longer than [`SEND_PATIENCE`].

use super::WebState;
use super::server::{App, stopped};
use crate::event::SourceId;
use crate::snapshot::{ObjectState, Snapshot};
use crate::telemetry::TelemetryView;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use masa_inference::ObjectClass;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior};

/// Time between two texts while the world changes.
const BEAT: Duration = Duration::from_millis(100);
/// Beats between two texts that carry the telemetry.
const TELEMETRY_BEATS: u64 = 2;
/// Longest silence: a client that hears nothing for longer has lost the node, not a quiet world.
const HEARTBEAT: Duration = Duration::from_millis(1000);
/// How long one text may take to a client.
const SEND_PATIENCE: Duration = Duration::from_secs(5);
/// Most frames whose boxes one text carries.
const MAX_FRAMES: usize = 64;

/// One text of the stream.
#[derive(Serialize)]
struct LiveText<'a> {
    snapshot: &'a Snapshot,
    /// Milliseconds since the core last said something.
    silent_ms: u64,
    /// Boxes of every camera frame since the last text, so that the page can draw those of the very frame it shows.
    frames: &'a [FrameBoxes],
    #[serde(skip_serializing_if = "Option::is_none")]
    telemetry: Option<TelemetryView>,
    /// Number of the newest message in the log.
    newest_message: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct FrameBoxes {
    camera: SourceId,
    frame: u64,
    width_px: u32,
    height_px: u32,
    boxes: Vec<Sight>,
}

/// One object in one camera frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Sight {
    object: u16,
    track: u32,
    class: ObjectClass,
    state: ObjectState,
    /// Left, top, right, bottom, pixels of the camera's frame.
    box_px: [f32; 4],
}

/// The boxes of each frame in `snapshot` that is newer than the last one collected of its camera.
fn collect(snapshot: &Snapshot, newest: &mut BTreeMap<SourceId, u64>, frames: &mut Vec<FrameBoxes>) {
    for frame in &snapshot.frames {
        // A source that starts again counts from 1, so "another frame", not "a later one".
        if newest.insert(frame.camera, frame.frame) == Some(frame.frame) || frames.len() >= MAX_FRAMES {
            continue;
        }
        let sights = snapshot.objects.iter().flat_map(|o| o.sights.iter().map(move |s| (o, s)));
        let boxes = sights
            .filter(|(_, s)| s.camera == frame.camera)
            .filter_map(|(o, s)| {
                let b = s.bounding_box?;
                let box_px = [b.x1_px, b.y1_px, b.x2_px, b.y2_px];
                Some(Sight { object: o.id, track: s.track_id, class: o.class, state: o.state, box_px })
            })
            .collect();
        let (width_px, height_px) = (frame.width_px, frame.height_px);
        frames.push(FrameBoxes { camera: frame.camera, frame: frame.frame, width_px, height_px, boxes });
    }
}

/// Hands the newest text to every client.
#[derive(Clone, Debug)]
pub(super) struct LiveStream {
    text: Arc<watch::Sender<Utf8Bytes>>,
    joined: Arc<Notify>,
}

impl LiveStream {
    pub(super) fn new() -> Self {
        Self { text: Arc::new(watch::Sender::new(Utf8Bytes::from_static("{}"))), joined: Arc::default() }
    }

    fn subscribe(&self) -> watch::Receiver<Utf8Bytes> {
        let texts = self.text.subscribe();
        self.joined.notify_one();
        texts
    }

    /// Makes texts until `stop`. Runs as one task of the server.
    pub(super) async fn run(self, mut state: WebState, mut stop: watch::Receiver<bool>) {
        let (mut newest, mut frames) = (BTreeMap::new(), Vec::new());
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last_heard, mut last_text, mut beats, mut changed, mut core_runs) =
            (Instant::now(), Instant::now(), 0u64, true, true);
        loop {
            let joined = tokio::select! {
                () = stopped(&mut stop) => return,
                heard = state.snapshots.changed(), if core_runs => {
                    core_runs = heard.is_ok();
                    if core_runs {
                        (last_heard, changed) = (Instant::now(), true);
                        collect(&state.snapshots.borrow_and_update(), &mut newest, &mut frames);
                    }
                    continue;
                }
                _ = beat.tick() => false,
                () = self.joined.notified() => true,
            };
            if self.text.receiver_count() == 0 {
                frames.clear();
                continue;
            }
            if !joined && !changed && last_text.elapsed() < HEARTBEAT {
                continue;
            }
            let snapshot = state.snapshots.borrow().clone();
            let text = LiveText {
                snapshot: &snapshot,
                silent_ms: last_heard.elapsed().as_millis() as u64,
                frames: &frames,
                telemetry: (joined || !changed || beats % TELEMETRY_BEATS == 0).then(|| state.telemetry.view()),
                newest_message: state.messages.newest(),
            };
            match serde_json::to_string(&text) {
                Ok(text) => drop(self.text.send_replace(text.into())),
                Err(error) => tracing::error!(%error, "live text cannot be serialised"),
            }
            frames.clear();
            (last_text, changed) = (Instant::now(), false);
            beats += 1;
        }
    }
}

/// `/api/live`
pub(super) async fn live(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    let Ok(permit) = app.live_permits.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "Too many browsers are watching.\n").into_response();
    };
    // Clients have nothing to say.
    upgrade.max_message_size(1024).max_frame_size(1024).on_upgrade(async move |socket| {
        push(socket, app.live.subscribe(), app.stop.clone()).await;
        drop(permit);
    })
}

async fn push(mut socket: WebSocket, mut texts: watch::Receiver<Utf8Bytes>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            heard = socket.recv() => match heard {
                None | Some(Err(_) | Ok(Message::Close(_))) => return,
                Some(Ok(_)) => continue,
            },
            changed = texts.changed() => if changed.is_err() { break },
        }
        let text = texts.borrow_and_update().clone();
        match tokio::time::timeout(SEND_PATIENCE, socket.send(Message::Text(text))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                metrics::counter!("masa_web_clients_dropped_total", "reason" => "too-slow").increment(1);
                return;
            }
        }
    }
    let _ = tokio::time::timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await;
}
