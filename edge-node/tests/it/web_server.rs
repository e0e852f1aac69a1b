//! The live page's server, by real requests over a socket.

#![allow(clippy::unwrap_used)]

use crate::web_support::{HOSTILE, Node, Socket, message, request, snapshot, status};
use masa_edge_node::effect::MessageKind;
use masa_edge_node::event::{DropReason, SourceState};
use masa_edge_node::telemetry::Stage;
use masa_edge_node::web::{CameraView, WebError, WebSettings, serve};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn the_page_and_its_files_come_with_strict_headers() {
    let node = Node::start().await;
    let page = node.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let script = node.get("/static/main.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    let tag = script.header("etag").unwrap();
    let again = node.get_with("/static/main.js", &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    for path in ["/nothing", "/static/nothing.js", "/static/..%2f..%2fCargo.toml", "/api/messages/7-cam-1"] {
        assert_eq!(node.get(path).await.status, 404, "{path}");
    }
    for path in ["/", "/api/snapshot", "/nothing"] {
        let answer = node.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
    }
}

#[tokio::test]
async fn the_data_routes_say_what_the_node_knows() {
    let node = Node::start().await;
    let site = node.get("/api/site").await.json();
    assert_eq!(site["node"]["name"], HOSTILE, "names pass as they are; the page shows them as text");
    assert_eq!(site["site"]["zones"][0]["polygon_m"][1], json!([9.0, 0.0]));
    assert_eq!(site["camera_view"], "loopback-only");

    node.snapshots.send_replace(Arc::new(snapshot(8, 3)));
    let world = node.get("/api/snapshot").await;
    assert_eq!(world.header("cache-control"), Some("no-store"));
    assert_eq!(world.header("content-type"), Some("application/json"));
    assert_eq!(world.json()["objects"].as_array().unwrap().len(), 3);
    assert_eq!(world.json()["observations"][0]["sensor"], HOSTILE);

    node.telemetry.record(Stage::Inference, Duration::from_millis(20));
    node.telemetry.frame_dropped("north", DropReason::QueueFull);
    let telemetry = node.get("/api/telemetry").await.json();
    let stage = &telemetry["stages"][0];
    assert_eq!((&stage["stage"], &stage["window"]["count"]), (&json!("inference"), &json!(1)));
    assert!((stage["total"]["p50_us"].as_f64().unwrap() - 20_000.0).abs() < 1000.0, "{stage}");
    assert_eq!(telemetry["frames_dropped"], json!([{ "source": "north", "reason": "queue-full", "total": 1 }]));
}

#[tokio::test]
async fn messages_are_listed_and_decoded_with_their_causes() {
    let node = Node::start().await;
    assert_eq!(node.get("/api/messages").await.json(), json!({ "newest": 0, "messages": [] }));
    for seq in 1..=3 {
        node.messages.push(message(MessageKind::Cam, seq));
        node.messages.push(message(MessageKind::Cpm, seq));
    }
    let ids = async |query: &str| {
        let list = node.get(&format!("/api/messages{query}")).await.json();
        let ids: Vec<_> =
            list["messages"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
        ids
    };
    assert_eq!(ids("?limit=2").await, ["7-cpm-3", "7-cam-3"]);
    assert_eq!(ids("?after=4").await, ["7-cpm-3", "7-cam-3"]);
    assert_eq!(ids("?kind=cam").await, ["7-cam-3", "7-cam-2", "7-cam-1"]);
    for bad in ["?kind=bsm", "?limit=-1", "?aftr=1", "?after=99999999999999999999999"] {
        assert_eq!(node.get(&format!("/api/messages{bad}")).await.status, 400, "{bad}");
    }
    let one = node.get("/api/messages/7-cpm-2").await;
    assert!(one.text().contains(r#""json":{"type":"cpm","message":{"b":1,"a":2}}"#), "fields keep their order");
    let one = one.json();
    assert_eq!((&one["uper_hex"], &one["summary"]["number"]), (&json!("020eff"), &json!(4)));
    assert_eq!(one["provenance"]["objects"][0]["sights"][0]["frame"], 9);
    assert_eq!(one["provenance"]["rule"], "CPM: new object, TS 103 324 6.1.2.3");
}

#[tokio::test]
async fn health_follows_the_statuses_and_the_core() {
    let node = Node::start().await;
    let well = node.get("/healthz").await;
    assert_eq!((well.status, well.json()["healthy"].clone()), (200, json!(true)), "connecting is not a failure");
    let mut failed = snapshot(2, 1);
    failed.statuses = vec![status(SourceState::Failed)];
    node.snapshots.send_replace(Arc::new(failed));
    let ill = node.get("/healthz").await;
    assert_eq!((ill.status, ill.json()["failing"].clone()), (503, json!(["mqtt-city: connection refused"])));
    node.snapshots.send_replace(Arc::new(snapshot(3, 1)));
    assert_eq!(node.get("/healthz").await.status, 200);
    let addr = node.addr;
    drop(node.snapshots);
    let dead = request(addr, &format!("GET /healthz HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")).await;
    assert_eq!((dead.status, dead.json()["failing"][0].clone()), (503, json!("The core has stopped.")));
}

#[tokio::test]
async fn foreign_names_and_origins_are_refused() {
    let settings = WebSettings {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        host_names: vec!["mast-3.example".to_owned()],
        ..WebSettings::default()
    };
    let node = Node::start_with(settings).await;
    for (host, status) in
        [("localhost", 200), ("mast-3.example:8080", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421)]
    {
        for path in ["/", "/api/snapshot", "/metrics", "/api/cameras/1/frame.jpg?after=0"] {
            if path.contains("cameras") && status == 200 {
                continue;
            }
            assert_eq!(node.get_with(path, &format!("Host: {host}\r\n")).await.status, status, "{host} {path}");
        }
    }
    assert_eq!(request(node.addr, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await.status, 400, "no host");
    assert_eq!(node.get_with("/api/snapshot", "Origin: https://evil.example\r\n").await.status, 403);
    assert_eq!(
        Socket::open(node.addr, "Origin: https://evil.example\r\n").await.err().as_deref(),
        Some("HTTP/1.1 403 Forbidden")
    );
    assert!(Socket::open(node.addr, &format!("Origin: http://{}\r\n", node.addr)).await.is_ok());
}

#[tokio::test]
async fn requests_are_limited() {
    let node = Node::start().await;
    let long = format!("GET / HTTP/1.1\r\nHost: {}\r\nX-Long: {}\r\n\r\n", node.addr, "x".repeat(20_000));
    assert_eq!(request(node.addr, &long).await.status, 431);
    let post =
        format!("POST /api/snapshot HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", node.addr);
    assert_eq!(request(node.addr, &post).await.status, 405);
    let mut sockets = Vec::new();
    let refused = loop {
        match Socket::open(node.addr, "").await {
            Ok(socket) => sockets.push(socket),
            Err(status) => break status,
        }
    };
    assert_eq!((sockets.len(), refused.as_str()), (32, "HTTP/1.1 503 Service Unavailable"));
}

#[tokio::test]
async fn pictures_come_by_frame_number_and_as_a_stream() {
    let node = Node::start().await;
    let first = node.offer_frames_until(node.get("/api/cameras/1/frame.jpg")).await;
    assert_eq!((first.status, first.header("content-type")), (200, Some("image/jpeg")));
    let frame: u64 = first.header("masa-frame").unwrap().parse().unwrap();
    assert_eq!(first.header("masa-captured-at-ms"), Some(frame.to_string().as_str()));
    let picture = image::load_from_memory(&first.body).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 48));
    let same = node.get(&format!("/api/cameras/1/frame.jpg?after={frame}")).await;
    assert_eq!(same.status, 204, "nothing newer was offered");
    assert_eq!(node.get("/api/cameras/9/frame.jpg").await.status, 404);
    assert_eq!(node.get("/api/cameras/north/frame.jpg").await.status, 400);

    let mut stream = TcpStream::connect(node.addr).await.unwrap();
    let text = format!("GET /api/cameras/1/stream HTTP/1.1\r\nHost: {}\r\n\r\n", node.addr);
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    let three_parts = async {
        while seen.windows(12).filter(|w| w == b"--masa-frame").count() < 3 {
            assert!(stream.read_buf(&mut seen).await.unwrap() > 0, "the stream ended early");
        }
    };
    node.offer_frames_until(three_parts).await;
    let head = String::from_utf8_lossy(&seen[..200]).to_lowercase();
    assert!(head.contains("content-type: multipart/x-mixed-replace; boundary=masa-frame"), "{head}");
}

#[tokio::test]
async fn raw_pictures_stay_in_the_node() {
    let off =
        WebSettings { listen: (Ipv4Addr::LOCALHOST, 0).into(), camera_view: CameraView::Off, ..WebSettings::default() };
    let node = Node::start_with(off).await;
    for path in ["/api/cameras/1/frame.jpg", "/api/cameras/1/stream"] {
        let answer = node.get(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.text().contains("camera-view"), "{}", answer.text());
    }

    let node =
        Node::start_with(WebSettings { listen: (Ipv4Addr::UNSPECIFIED, 0).into(), ..WebSettings::default() }).await;
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, node.addr.port()));
    let ask = |headers: &str| {
        format!("GET /api/cameras/1/frame.jpg HTTP/1.1\r\nHost: {local}\r\n{headers}Connection: close\r\n\r\n")
    };
    assert_eq!(node.offer_frames_until(request(local, &ask(""))).await.status, 200);
    let proxied = request(local, &ask("X-Forwarded-For: 203.0.113.9\r\n")).await;
    assert_eq!(proxied.status, 403);
    assert!(proxied.text().contains("proxy"), "{}", proxied.text());

    // Connecting to this machine's own outward address makes the peer a non-loopback one. No packet is sent to find it.
    let outward = UdpSocket::bind("0.0.0.0:0").and_then(|s| s.connect("192.0.2.1:9").and_then(|()| s.local_addr()));
    let Some(outward) = outward.ok().filter(|a| !a.ip().is_loopback()) else {
        println!("skipped: raw_pictures_stay_in_the_node: this machine has no address but loopback");
        return;
    };
    let remote = request(SocketAddr::new(outward.ip(), node.addr.port()), &ask("")).await;
    assert_eq!(remote.status, 403);
    assert!(remote.text().contains("stay in the node"), "{}", remote.text());
}

#[tokio::test]
async fn whoever_is_not_on_the_node_gets_anonymised_pictures() {
    // The raw picture is 64 pixels wide, the anonymised one 32.
    let width = |answer: &crate::web_support::Answer| image::load_from_memory(&answer.body).unwrap().width();
    for (view, here) in [(CameraView::RawOnLoopback, 64), (CameraView::Anonymised, 32)] {
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let node = Node::start_with(WebSettings { listen, camera_view: view, ..WebSettings::default() }).await;
        let own = node.offer_frames_until(node.get("/api/cameras/1/frame.jpg")).await;
        assert_eq!((own.status, width(&own)), (200, here), "{view:?}");
        let proxied = node.get_with("/api/cameras/1/frame.jpg", "X-Forwarded-For: 203.0.113.9\r\n");
        let proxied = node.offer_frames_until(proxied).await;
        assert_eq!((proxied.status, width(&proxied)), (200, 32), "{view:?}");
    }
}

#[tokio::test]
async fn the_live_stream_carries_snapshots_telemetry_and_every_frames_boxes() {
    let node = Node::start().await;
    let mut socket = Socket::open(node.addr, "").await.unwrap();
    let first = socket.next().await.unwrap();
    assert_eq!(first["snapshot"]["objects"].as_array().unwrap().len(), 2);
    assert!(first["telemetry"]["uptime_s"].is_number(), "a newcomer gets the telemetry at once");
    node.messages.push(message(MessageKind::Cam, 1));

    // Frames come faster than texts; the boxes of each must arrive all the same.
    let (mut frames, mut newest, mut with_telemetry, mut texts) = (Vec::new(), 0, 0, 0);
    let mut rate = tokio::time::interval(Duration::from_millis(10));
    for frame in 2..=40 {
        rate.tick().await;
        node.snapshots.send_replace(Arc::new(snapshot(frame, 2)));
    }
    while frames.last() != Some(&40) {
        let text = socket.next().await.unwrap();
        for boxes in text["frames"].as_array().unwrap() {
            frames.push(boxes["frame"].as_u64().unwrap());
            assert_eq!(boxes["boxes"][0]["box_px"], json!([10.0, 20.0, 40.0, 60.0]));
            assert_eq!(boxes["boxes"][1]["track"], 102);
        }
        newest = text["newest_message"].as_u64().unwrap();
        with_telemetry += u32::from(text["telemetry"].is_object());
        texts += 1;
    }
    assert!(frames.windows(2).all(|w| w[0] < w[1]), "each frame once, in order: {frames:?}");
    assert_eq!(newest, 1);
    assert!(with_telemetry >= 1 && texts > with_telemetry, "{with_telemetry} of {texts}");
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let node = Node::start().await;
    let mut slow = Socket::open(node.addr, "").await.unwrap();
    let mut quick = Socket::open(node.addr, "").await.unwrap();
    // Texts of about a megabyte fill what the sockets buffer within a few beats.
    let last = 30;
    let feed = async {
        for frame in 2..=last {
            node.snapshots.send_replace(Arc::new(snapshot(frame, 1500)));
            let time_ms = snapshot(frame, 0).time_ms;
            while quick.next().await.unwrap()["snapshot"]["time_ms"] != time_ms {}
        }
    };
    tokio::time::timeout(Duration::from_secs(60), feed)
        .await
        .expect("the quick client is served while the slow one sleeps");
    let (mut received, mut newest) = (0, json!(null));
    let end = json!(snapshot(last, 0).time_ms);
    while newest != end {
        match slow.next().await {
            Some(text) => newest = text["snapshot"]["time_ms"].clone(),
            // Let go for being too slow.
            None => break,
        }
        received += 1;
    }
    assert!(received < last, "the slow client skipped what it had no room for, but got {received}");
}

#[tokio::test]
async fn shutdown_says_goodbye_to_everyone() {
    let mut node = Node::start().await;
    let mut socket = Socket::open(node.addr, "").await.unwrap();
    assert!(socket.next().await.is_some());
    let mut stream = TcpStream::connect(node.addr).await.unwrap();
    stream
        .write_all(format!("GET /api/cameras/1/stream HTTP/1.1\r\nHost: {}\r\n\r\n", node.addr).as_bytes())
        .await
        .unwrap();
    stream.read_u8().await.unwrap();
    let idle = TcpStream::connect(node.addr).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), node.stop()).await.expect("the server ends by itself");
    while socket.next().await.is_some() {}
    drop(idle);
    assert!(TcpStream::connect(node.addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let node = Node::start().await;
    let state = Node::state();
    let error = serve(WebSettings { listen: node.addr, ..WebSettings::default() }, state, std::future::pending()).await;
    let WebError::Listen { listen, .. } = error.err().unwrap();
    assert_eq!(listen, node.addr);
}

/// Samples of a Prometheus text by name with labels, after checking its grammar.
fn parse_prometheus(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::new());
    for line in text.lines().filter(|l| !l.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (keyword, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap_or(""));
            if keyword == "TYPE" {
                assert!(["counter", "gauge", "histogram", "summary"].contains(&rest), "{line}");
                assert_eq!(types.insert(name.to_owned(), rest.to_owned()), None, "{name} has two types");
            } else {
                assert_eq!(keyword, "HELP", "{line}");
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':'), "{line}");
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|s| name.strip_suffix(s)).unwrap_or(name);
        assert!(types.contains_key(family) || types.contains_key(name), "{name} has no type");
        if let Some(labels) = series.strip_prefix(name).filter(|l| !l.is_empty()) {
            let mut rest = labels.strip_prefix('{').and_then(|l| l.strip_suffix('}')).unwrap();
            while !rest.is_empty() {
                let (label, quoted) = rest.split_once("=\"").unwrap();
                assert!(label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{line}");
                let mut escaped = false;
                let end = quoted
                    .find(|c| {
                        if escaped {
                            escaped = false;
                            false
                        } else {
                            escaped = c == '\\';
                            c == '"'
                        }
                    })
                    .unwrap();
                rest = quoted[end + 1..].strip_prefix(',').unwrap_or(&quoted[end + 1..]);
            }
        }
        let value = if value == "+Inf" { f64::INFINITY } else { value.parse().unwrap() };
        assert_eq!(samples.insert(series.to_owned(), value), None, "{series} appears twice");
    }
    samples
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let node = Node::start().await;
    for us in [100, 200, 300, 40_000] {
        node.telemetry.record_us(Stage::Track, us);
    }
    node.telemetry.frame("north");
    node.telemetry.frame_dropped("no\"rth\\\n", DropReason::DecodeFailed);
    node.telemetry.reading_rejected("air", "wrong-unit");
    node.telemetry.generated(MessageKind::Cpm);
    node.telemetry.published(MessageKind::Cpm, "zenoh");
    metrics::counter!("some_other_crate_total", "why" => "test").increment(3);
    metrics::histogram!("some_other_crate_seconds").record(0.25);
    let answer = node.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let samples = parse_prometheus(answer.text());
    let at = |series: &str| *samples.get(series).unwrap_or_else(|| panic!("no {series} in\n{}", answer.text()));
    assert_eq!(at("masa_frames_total{camera=\"north\"}"), 1.0);
    assert_eq!(at("masa_frames_dropped_total{source=\"no\\\"rth\\\\\\n\",reason=\"decode-failed\"}"), 1.0);
    assert_eq!(at("masa_readings_rejected_total{source=\"air\",reason=\"wrong-unit\"}"), 1.0);
    assert_eq!(at("masa_messages_generated_total{kind=\"cpm\"}"), 1.0);
    assert_eq!(at("masa_messages_total{kind=\"cpm\",link=\"zenoh\"}"), 1.0);
    assert_eq!(at("some_other_crate_total{why=\"test\"}"), 3.0);
    assert_eq!(at("masa_stage_latency_seconds_count{stage=\"track\"}"), 4.0);
    assert!((at("masa_stage_latency_seconds_sum{stage=\"track\"}") - 0.0406).abs() < 1e-9);
    assert_eq!(at("masa_stage_latency_seconds_bucket{stage=\"track\",le=\"+Inf\"}"), 4.0);
    let buckets: Vec<(f64, f64)> = samples
        .iter()
        .filter_map(|(s, v)| Some((s.strip_prefix("masa_stage_latency_seconds_bucket{stage=\"track\",le=\"")?, v)))
        .map(|(s, v)| (s.trim_end_matches("\"}").replace("+Inf", "inf").parse().unwrap(), *v))
        .collect();
    for (bound, counted) in buckets {
        let exact = [1e-4, 2e-4, 3e-4, 4e-2].iter().filter(|&&s| s <= bound).count();
        assert_eq!(counted, exact as f64, "at most {bound} s");
    }
}
