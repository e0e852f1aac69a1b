//! Serves the live page with made-up traffic, for work on the page without a camera, a model or a broker:
//! `cargo run -p masa-edge-node --example live_page [-- 127.0.0.1:8080]`.

mod traffic;

use masa_edge_node::effect::{MessageKind, ObjectCause, OutMessage, Provenance, SightCause};
use masa_edge_node::event::{DropReason, EventId, SourceId};
use masa_edge_node::snapshot::Snapshot;
use masa_edge_node::telemetry::{Stage, Telemetry};
use masa_edge_node::web::{CameraFeed, MessageLog, NodeInfo, SourceInfo, WebSettings, WebState, serve};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use traffic::{CAMERA, Traffic};

const FRAME_PERIOD: Duration = Duration::from_millis(66);
const STATION: u32 = 4242;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = WebSettings::default();
    if let Some(listen) = std::env::args().nth(1) {
        settings.listen = listen.parse()?;
    }
    let mut traffic = Traffic::new();
    let (sender, snapshots) = watch::channel(Arc::new(traffic.snapshot(now().unix_ms())));
    let state = WebState {
        node: NodeInfo {
            name: "Viale Verdi, mast 3".to_owned(),
            station_id: STATION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config_path: "made up by examples/live_page".to_owned(),
            engine: "none".to_owned(),
            model: "made-up traffic".to_owned(),
            sources: [(0, "node", "the node itself"), (1, "junction-north", "RTSP"), (2, "weather", "MQTT sensor")]
                .map(|(id, name, kind)| SourceInfo { id: SourceId(id), name: name.to_owned(), kind: kind.to_owned() })
                .to_vec(),
        },
        site: traffic.site(STATION),
        snapshots,
        telemetry: Arc::new(Telemetry::new()),
        messages: Arc::new(MessageLog::default()),
        cameras: BTreeMap::from([(CAMERA, Arc::new(CameraFeed::default()))]),
    };
    let (telemetry, messages) = (state.telemetry.clone(), state.messages.clone());
    let camera = state.cameras[&CAMERA].clone();
    let server = serve(settings, state, async { drop(tokio::signal::ctrl_c().await) }).await?;
    println!("http://{}/", server.addr);

    let drive = async {
        let mut frames = tokio::time::interval(FRAME_PERIOD);
        let mut publisher = Publisher { messages: &messages, telemetry: &telemetry, sent: BTreeMap::new() };
        loop {
            frames.tick().await;
            let at = now();
            traffic.advance(FRAME_PERIOD.as_secs_f64());
            measure(&telemetry, traffic.frame);
            let snapshot = Arc::new(traffic.snapshot(at.unix_ms()));
            camera.offer_raw(traffic.frame, at, || Arc::new(traffic.picture()));
            publisher.publish(&snapshot, traffic.frame, at);
            if sender.send(snapshot).is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = drive => {}
        ended = server.task => ended?,
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "made-up traffic runs by the clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(since.as_nanos() as i64)
}

/// Durations with the spread of a small CPU node.
fn measure(telemetry: &Telemetry, frame: u64) {
    // A fixed scatter between 0 and 1 with a rare tail.
    let scatter = |salt: u64| ((frame * 2_654_435_761 + salt * 40_503) % 1000) as f64 / 1000.0;
    let us = |base: f64, salt: u64| (base * (0.85 + 0.3 * scatter(salt) + 0.7 * scatter(salt + 7).powi(24))) as u32;
    let typical = [5200.0, 900.0, 2100.0, 20_600.0, 310.0, 62.0, 9.0, 24.0, 14.0, 48.0];
    for (salt, (stage, base)) in Stage::ALL.into_iter().zip(typical).enumerate() {
        telemetry.record_us(stage, us(base, salt as u64));
    }
    telemetry.record_us(Stage::PhotonToMessage, us(33_000.0, 11));
    telemetry.frame("junction-north");
    if frame.is_multiple_of(97) {
        telemetry.frame_dropped("junction-north", DropReason::QueueFull);
    }
    if frame.is_multiple_of(1500) {
        telemetry.reading_rejected("weather", "wrong-unit");
    }
}

struct Publisher<'a> {
    messages: &'a MessageLog,
    telemetry: &'a Telemetry,
    sent: BTreeMap<MessageKind, u64>,
}

impl Publisher<'_> {
    fn publish(&mut self, snapshot: &Snapshot, frame: u64, at: Timestamp) {
        if frame.is_multiple_of(15) {
            self.send(MessageKind::Cam, snapshot, at, "CAM: one second since the last (EN 302 637-2 6.1.3)", &[]);
        }
        if frame.is_multiple_of(3) {
            let moving: Vec<u16> = snapshot.objects.iter().filter(|o| o.stationary_s.is_none()).map(|o| o.id).collect();
            self.send(MessageKind::Cpm, snapshot, at, "CPM: an object moved by 4 m (TS 103 324 6.1.2.3)", &moving);
        }
        for event in snapshot.events.iter().filter(|_| frame.is_multiple_of(30)) {
            self.send(
                MessageKind::Denm,
                snapshot,
                at,
                "DENM: repetition while in force (EN 302 637-3 8.2)",
                &[event.object_id],
            );
        }
    }

    fn send(&mut self, kind: MessageKind, snapshot: &Snapshot, at: Timestamp, rule: &str, objects: &[u16]) {
        let seq = self.sent.entry(kind).or_default();
        *seq += 1;
        let causes = snapshot.objects.iter().filter(|o| objects.contains(&o.id)).map(|o| ObjectCause {
            object_id: o.id.into(),
            sights: o.sights.iter().map(|sight| cause(sight, snapshot.frames[0].frame, at)).collect(),
            messages: Vec::new(),
        });
        let perceived: Vec<_> = snapshot
            .objects
            .iter()
            .filter(|o| objects.contains(&o.id))
            .map(|o| serde_json::json!({ "object_id": o.id, "x_distance": (o.e_m * 100.0) as i32, "y_distance": (o.n_m * 100.0) as i32 }))
            .collect();
        let json = serde_json::json!({
            "type": kind.name(), "origin": "self", "version": "1.0.0", "source_uuid": format!("station_{STATION}"),
            "timestamp": at.unix_ms(),
            "message": { "protocol_version": 2, "station_id": STATION, "generation_delta_time": at.generation_delta_time(),
                         "perceived_objects": perceived },
        });
        self.messages.push(Arc::new(OutMessage {
            id: format!("{STATION}-{}-{seq}", kind.name()),
            kind,
            seq: *seq,
            generated_at: at,
            captured_at: (!objects.is_empty()).then(|| at.plus_ms(-33)),
            position: Wgs84 { lat_deg: 44.655_54, lon_deg: 10.934_315, alt_m: 0.0 },
            deadline: None,
            dissemination: Dissemination::default(),
            uper: (0..41 + 24 * objects.len() as u32).map(|i| (i * 37 + 11) as u8).collect(),
            json: json.to_string(),
            provenance: Provenance { rule: rule.to_owned(), objects: causes.collect() },
        }));
        self.telemetry.generated(kind);
        self.telemetry.published(kind, "mqtt-city");
        self.telemetry.published(kind, "zenoh");
    }
}

/// A track as the cause of a message sent at `at`.
fn cause(sight: &masa_edge_node::snapshot::SightView, frame: u64, at: Timestamp) -> SightCause {
    SightCause {
        camera: sight.camera,
        track_id: sight.track_id,
        first_event: EventId { source: sight.camera, seq: 1 },
        last_event: EventId { source: sight.camera, seq: frame },
        frame,
        captured_at: at.plus_ms(-33),
        detection: Some(0),
        bounding_box: sight.bounding_box,
    }
}
