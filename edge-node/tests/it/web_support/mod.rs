//! A world for the page, and an HTTP and WebSocket client that sends exactly what a test says.

#![allow(clippy::unwrap_used, reason = "test support")]

use masa_edge_node::effect::{MessageKind, ObjectCause, OutMessage, Provenance, SightCause};
use masa_edge_node::event::{EventId, Quantity, SourceId, SourceState};
use masa_edge_node::perception::privacy::{Anonymised, Anonymiser, PrivacySettings, Sightings};
use masa_edge_node::perception::tracking::FrameId;
use masa_edge_node::snapshot::{
    CameraSiteView, Counters, EllipseView, EventView, FrameView, ObjectState, ObjectView, ObservationView, SightView,
    SiteView, Snapshot, StatusView, ZoneView,
};
use masa_edge_node::telemetry::Telemetry;
use masa_edge_node::web::{CameraFeed, MessageLog, NodeInfo, SourceInfo, WebSettings, WebState, serve};
use masa_edge_node::world::site::ZoneKind;
use masa_inference::{BoundingBox, ObjectClass, RgbImage};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) const CAMERA: SourceId = SourceId(1);
/// A name that would do harm if anything took it for markup.
pub(crate) const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&";
pub(crate) const BOX: BoundingBox = BoundingBox { x1_px: 10.0, y1_px: 20.0, x2_px: 40.0, y2_px: 60.0 };

/// A snapshot with `objects` cars whose newest camera frame is `frame`.
pub(crate) fn snapshot(frame: u64, objects: u16) -> Snapshot {
    let object = |id: u16| ObjectView {
        id,
        class: ObjectClass::Car,
        class_confidence: 0.9,
        e_m: f64::from(id),
        n_m: 2.0,
        lat_deg: 44.0,
        lon_deg: 10.0,
        speed_mps: 8.0,
        heading_deg: Some(90.0),
        ellipse: EllipseView { major_m: 0.5, minor_m: 0.3, heading_deg: 45.0 },
        age_s: 3.0,
        since_update_s: 0.0,
        stationary_s: None,
        state: ObjectState::Detected,
        existence: 0.99,
        size_m: [4.4, 1.8, 1.5],
        told_by: Vec::new(),
        lane: None,
        sights: vec![SightView { camera: CAMERA, track_id: u32::from(id) + 100, bounding_box: Some(BOX) }],
        trail_m: (0..20).map(|i| [f64::from(id) - f64::from(i), 2.0]).collect(),
    };
    Snapshot {
        received: Default::default(),
        signals: Vec::new(),
        situations: Vec::new(),
        time_ms: 1_700_000_000_000 + frame as i64 * 40,
        objects: (1..=objects).map(object).collect(),
        frames: vec![FrameView {
            camera: CAMERA,
            frame,
            captured_at_ms: 1_700_000_000_000,
            width_px: 64,
            height_px: 48,
        }],
        events: vec![EventView {
            action_id: "7-1".to_owned(),
            cause_code: 94,
            cause: "stationary vehicle",
            object_id: 1,
            e_m: 1.0,
            n_m: 2.0,
            lat_deg: 44.0,
            lon_deg: 10.0,
            since_ms: 1_700_000_000_000,
        }],
        observations: vec![ObservationView {
            sensor: HOSTILE.to_owned(),
            quantity: Quantity::No2,
            value: 31.5,
            unit: Quantity::No2.unit(),
            age_s: 4.0,
        }],
        statuses: vec![status(SourceState::Connecting)],
        health: Vec::new(),
        counters: Counters::default(),
    }
}

pub(crate) fn status(state: SourceState) -> StatusView {
    StatusView { name: "mqtt-city".to_owned(), state, detail: "connection refused".to_owned(), age_s: 1.0 }
}

pub(crate) fn message(kind: MessageKind, seq: u64) -> Arc<OutMessage> {
    let event = |seq| EventId { source: CAMERA, seq };
    Arc::new(OutMessage {
        id: format!("7-{}-{seq}", kind.name()),
        kind,
        seq,
        generated_at: Timestamp::from_unix_ms(1_700_000_000_100),
        captured_at: Some(Timestamp::from_unix_ms(1_700_000_000_000)),
        position: Wgs84 { lat_deg: 44.0, lon_deg: 10.0, alt_m: 0.0 },
        deadline: None,
        dissemination: Dissemination::default(),
        uper: vec![2, 14, 0xff],
        json: r#"{"type":"cpm","message":{"b":1,"a":2}}"#.to_owned(),
        provenance: Provenance {
            rule: "CPM: new object, TS 103 324 6.1.2.3".to_owned(),
            objects: vec![ObjectCause {
                object_id: 5,
                sights: vec![SightCause {
                    camera: CAMERA,
                    track_id: 105,
                    first_event: event(3),
                    last_event: event(9),
                    frame: 9,
                    captured_at: Timestamp::from_unix_ms(1_700_000_000_000),
                    detection: Some(2),
                    bounding_box: Some(BOX),
                }],
                messages: Vec::new(),
            }],
        },
    })
}

pub(crate) fn image() -> Arc<RgbImage> {
    Arc::new(RgbImage::new(64, 48, [200, 30, 30].repeat(64 * 48)).unwrap())
}

/// A picture half as wide as [`image`], as it may leave.
pub(crate) fn anonymised(frame: u64) -> Anonymised {
    let settings = PrivacySettings { warm_up_s: 0.0, ..PrivacySettings::default() };
    let captured_at = Timestamp::from_unix_ms(frame as i64);
    let id = FrameId { event: EventId { source: CAMERA, seq: frame }, frame, captured_at };
    let mut anonymiser = Anonymiser::new(&settings).unwrap();
    anonymiser.observe(id, [32, 48], Sightings::default());
    let image = Arc::new(RgbImage::new(32, 48, vec![90; 32 * 48 * 3]).unwrap());
    anonymiser.anonymise(frame, captured_at, &image).unwrap()
}

/// A server on a free port, and the hand that feeds it.
pub(crate) struct Node {
    pub(crate) addr: SocketAddr,
    pub(crate) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) messages: Arc<MessageLog>,
    pub(crate) camera: Arc<CameraFeed>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Node {
    pub(crate) async fn start() -> Self {
        Self::start_with(WebSettings { listen: (Ipv4Addr::LOCALHOST, 0).into(), ..WebSettings::default() }).await
    }

    /// A world that nobody feeds, for servers that do not start.
    pub(crate) fn state() -> WebState {
        Self::state_of(watch::channel(Arc::new(snapshot(1, 2))).1)
    }

    fn state_of(snapshots: watch::Receiver<Arc<Snapshot>>) -> WebState {
        WebState {
            node: NodeInfo {
                name: HOSTILE.to_owned(),
                station_id: 7,
                sources: vec![SourceInfo { id: CAMERA, name: "north".to_owned(), kind: "folder".to_owned() }],
                ..NodeInfo::default()
            },
            site: SiteView {
                station_id: 7,
                origin: Wgs84 { lat_deg: 44.0, lon_deg: 10.0, alt_m: 0.0 },
                station_m: [0.0, 0.0],
                zones: vec![ZoneView {
                    id: "road".to_owned(),
                    kind: ZoneKind::Carriageway,
                    polygon_m: vec![[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]],
                }],
                cameras: vec![CameraSiteView { camera: CAMERA, position_m: None }],
            },
            snapshots,
            telemetry: Arc::new(Telemetry::new()),
            messages: Arc::new(MessageLog::default()),
            cameras: BTreeMap::from([(CAMERA, Arc::new(CameraFeed::default()))]),
        }
    }

    pub(crate) async fn start_with(settings: WebSettings) -> Self {
        let (snapshots, receiver) = watch::channel(Arc::new(snapshot(1, 2)));
        let state = Self::state_of(receiver);
        let (telemetry, messages) = (state.telemetry.clone(), state.messages.clone());
        let camera = state.cameras[&CAMERA].clone();
        let (stop, stopped) = oneshot::channel();
        let server = serve(settings, state, async { drop(stopped.await) }).await.unwrap();
        Self { addr: server.addr, snapshots, telemetry, messages, camera, stop: Some(stop), task: Some(server.task) }
    }

    /// Asks the server to end and waits until it has.
    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take() {
            task.await.unwrap();
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, "").await
    }

    /// `headers` are whole lines, each ended by CRLF; a `Host` among them replaces ours.
    pub(crate) async fn get_with(&self, path: &str, headers: &str) -> Answer {
        let host = if headers.contains("Host:") { String::new() } else { format!("Host: {}\r\n", self.addr) };
        request(self.addr, &format!("GET {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n")).await
    }

    /// Offers frames of the camera, faster than it takes them, until `done`.
    pub(crate) async fn offer_frames_until<T>(&self, done: impl Future<Output = T>) -> T {
        let offers = async {
            let mut beat = tokio::time::interval(std::time::Duration::from_millis(10));
            for frame in 1.. {
                beat.tick().await;
                self.camera.offer_raw(frame, Timestamp::from_unix_ms(frame as i64), image);
                self.camera.offer_anonymised(|| Some(anonymised(frame)));
            }
        };
        tokio::select! {
            () = offers => unreachable!("frames never end"),
            result = done => result,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|l| l.split_once(": ")).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

/// Sends `text` and reads until the server closes.
pub(crate) async fn request(addr: SocketAddr, text: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let (head, body) = split_head(&bytes);
    Answer { status: head[9..12].parse().unwrap(), head: head.to_owned(), body: body.to_vec() }
}

fn split_head(bytes: &[u8]) -> (&str, &[u8]) {
    let at = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer has a head");
    (std::str::from_utf8(&bytes[..at]).unwrap(), &bytes[at + 4..])
}

/// A WebSocket that was opened by hand.
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Opens `/api/live` with further header lines; the status line when it is refused.
    pub(crate) async fn open(addr: SocketAddr, headers: &str) -> Result<Self, String> {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let text = format!(
            "GET /api/live HTTP/1.1\r\nHost: {addr}\r\n{headers}Upgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        if head.starts_with("HTTP/1.1 101") { Ok(Self(stream)) } else { Err(head.lines().next().unwrap().to_owned()) }
    }

    /// The next text; `None` at the end of the stream or when the server says goodbye.
    pub(crate) async fn next(&mut self) -> Option<serde_json::Value> {
        loop {
            let opcode = self.0.read_u8().await.ok()? & 0x0f;
            let length = match self.0.read_u8().await.ok()? {
                126 => u64::from(self.0.read_u16().await.ok()?),
                127 => self.0.read_u64().await.ok()?,
                short => u64::from(short),
            };
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).await.ok()?;
            match opcode {
                1 => return Some(serde_json::from_slice(&payload).unwrap()),
                8 => return None,
                _ => {}
            }
        }
    }
}
