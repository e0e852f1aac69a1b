//! Clients from outside: the example script, a WebSocket, gRPC, the OpenAPI document under its schema.

#![allow(clippy::unwrap_used)]

use crate::city::{self, NOW, python};
use crate::server::Server;
use masa_data_room::Kind;
use masa_data_room::api::stream::proto::FollowRequest;
use masa_data_room::api::stream::proto::city_client::CityClient;
use masa_data_room::api::{Scope, serve_grpc};
use masa_v2x_proto::MessageKind;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_client_walks_the_api() {
    let Some(mut python) = python(&["json"], "a_plain_client_walks_the_api") else { return };
    let server = Server::with_city(|settings| settings.notify_hosts = vec!["127.0.0.1".into()]).await;
    let token = server.token(&Scope::ALL);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/walk_api.py");
    let command = python.arg(script).arg(format!("http://{}", server.address)).arg(token);
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    println!("{out}");
    assert!(out.lines().count() > 25 && out.contains("audit "), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_is_valid_and_its_parameters_are_taken() {
    let server = Server::with_city(|_| {}).await;
    let document = server.send("GET", "/openapi.json", &[], b"").await;
    let token = server.token(&Scope::ALL);
    let values = serde_json::json!({ "type": "Alert", "id": "urn:x", "idPattern": "x", "q": "speed", "georel": "within",
        "geometry": "Point", "coordinates": "[10,44]", "geoproperty": "location", "attrs": "speed", "options": "keyValues",
        "format": "normalized", "limit": "1", "offset": "0", "count": "true", "timerel": "after",
        "timeAt": "2026-01-01T00:00:00Z", "endTimeAt": "", "lastN": "1", "timeproperty": "observedAt",
        "at": "2026-11-22T14:03:20Z", "origin": "10.9,44.6", "kind": "denm", "site": "x", "station": "1", "entity": "x",
        "from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z", "order": "oldest", "after": "0,0", "before": "9" });
    let mut tried = 0;
    for (path, operations) in document.json()["paths"].as_object().unwrap() {
        let Some(parameters) = operations["get"]["parameters"].as_array() else { continue };
        if path == "/live" {
            continue;
        }
        let path = path.replace("{publication}", "situations").replace(['{', '}'], "");
        let in_query = parameters.iter().filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap());
        let query: Vec<_> = in_query
            .filter(|name| *name != "endTimeAt")
            .map(|name| format!("{name}={}", values[name].as_str().unwrap_or_else(|| panic!("a value for {name}"))))
            .collect();
        let answer = server.get(&format!("{path}?{}", query.join("&")), &token).await;
        assert_ne!(answer.status, 400, "{path}?{}: {}", query.join("&"), answer.text());
        tried += query.len();
    }
    assert!(tried > 60, "{tried}");
    let test = "the_openapi_document_is_valid_and_its_parameters_are_taken";
    let Some(mut python) = python(&["openapi_spec_validator"], test) else { return };
    let script =
        "import sys, json; from openapi_spec_validator import validate; validate(json.load(open(sys.argv[1])))";
    let file = server.folder().join("openapi.json");
    std::fs::write(&file, &document.body).unwrap();
    let output = tokio::task::block_in_place(|| python.args(["-c", script]).arg(&file).output().unwrap());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A WebSocket by hand, as far as a reader of texts needs one.
struct Socket(TcpStream);

impl Socket {
    async fn open(server: &Server, path: &str, protocols: &str) -> (String, Self) {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: {protocols}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        (String::from_utf8(head).unwrap().to_lowercase(), Self(stream))
    }

    async fn text(&mut self) -> Value {
        let read = async {
            self.0.read_u8().await.unwrap();
            let length = match self.0.read_u8().await.unwrap() {
                126 => u64::from(self.0.read_u16().await.unwrap()),
                127 => self.0.read_u64().await.unwrap(),
                short => u64::from(short),
            };
            let mut text = vec![0; length as usize];
            self.0.read_exact(&mut text).await.unwrap();
            serde_json::from_slice(&text).unwrap()
        };
        timeout(PATIENCE, read).await.expect("a text")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_stream_shows_what_comes_and_goes() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&Scope::ALL);
    let (refused, _) = Socket::open(&server, "/live", "masa.v1, bearer.masa_wrong").await;
    assert!(refused.starts_with("http/1.1 401"), "{refused}");
    let narrow = server.token(&[Scope::ReadTraffic]);
    let (refused, _) = Socket::open(&server, "/live?type=Vehicle", &format!("masa.v1, bearer.{narrow}")).await;
    assert!(refused.starts_with("http/1.1 403"), "{refused}");
    let (head, mut socket) = Socket::open(&server, "/live?type=Vehicle", &format!("masa.v1, bearer.{token}")).await;
    assert!(head.starts_with("http/1.1 101") && head.contains("sec-websocket-protocol: masa.v1\r\n"), "{head}");
    let snapshot = socket.text().await;
    assert_eq!((&snapshot["kind"], snapshot["features"].as_array().unwrap().len()), (&"snapshot".into(), 2));
    let at = NOW.plus_ms(2_900);
    let mut record = city::record(Kind::V2x(MessageKind::Cam), "4711", city::cam(4711, at), at);
    record.sequence = 90;
    server.ingest(vec![record]).await;
    let (mut seen, mut gone) = (false, Vec::new());
    while !seen || gone.is_empty() {
        if seen {
            server.clock.set(NOW.plus_ms(3_050));
        }
        let update = socket.text().await;
        assert_eq!(update["kind"], "update");
        for feature in update["features"].as_array().unwrap() {
            assert_eq!(
                (&feature["id"], &feature["properties"]["speed"]),
                (&"urn:ngsi-ld:Vehicle:junction-1:7:station-4711".into(), &36.0.into())
            );
            seen = true;
        }
        gone.extend(update["gone"].as_array().unwrap().clone());
    }
    assert_eq!(gone, ["urn:ngsi-ld:Vehicle:junction-1:7:1"], "the car of the CPM was seen three seconds ago");
    let audit = server.get("/audit", &token).await.text();
    assert!(audit.contains("follows road users live"), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grpc_stream_shows_the_same() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&[Scope::ReadTraffic]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(serve_grpc(listener, server.api.clone(), stopped));
    let mut client = CityClient::connect(format!("http://{address}")).await.unwrap();
    let ask = |token: &str, types: &[&str]| {
        let types = types.iter().map(|name| (*name).to_owned()).collect();
        let mut request = tonic::Request::new(FollowRequest { types });
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    };
    let code = |error: Result<_, tonic::Status>| error.map(|_: tonic::Response<_>| ()).unwrap_err().code();
    assert_eq!(code(client.follow(FollowRequest::default()).await), tonic::Code::Unauthenticated);
    assert_eq!(code(client.follow(ask(&token, &["Vehicle"])).await), tonic::Code::PermissionDenied);
    assert_eq!(code(client.follow(ask(&token, &["Elephant"])).await), tonic::Code::InvalidArgument);
    let mut updates = client.follow(ask(&token, &["TrafficSignal", "Alert"])).await.unwrap().into_inner();
    let snapshot = timeout(PATIENCE, updates.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(
        (snapshot.kind(), snapshot.entities.len()),
        (masa_data_room::api::stream::proto::update::Kind::Snapshot, 4)
    );
    let mut record = city::record(Kind::V2x(MessageKind::Denm), "7-40", city::denm(40, 2, NOW, NOW, false), NOW);
    record.sequence = 90;
    server.ingest(vec![record]).await;
    loop {
        let update = timeout(PATIENCE, updates.message()).await.unwrap().unwrap().unwrap();
        if let Some(alert) = update.entities.first() {
            assert_eq!(alert.id, "urn:ngsi-ld:Alert:junction-1:7:7-40");
            let values: Value = serde_json::from_str(&alert.json).unwrap();
            assert_eq!(values["subCategory"], "carAccident");
            break;
        }
    }
    drop((updates, client));
    stop.send_replace(true);
    timeout(PATIENCE, serving).await.expect("an orderly end").unwrap();
}
