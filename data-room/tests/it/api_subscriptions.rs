//! Subscriptions: what is asked for arrives, also under restarts and failures.

#![allow(clippy::unwrap_used)]

use crate::city::{self, NOW};
use crate::server::{PATIENCE, Server, until};
use masa_data_room::api::Scope;
use masa_data_room::{Kind, Record};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto};

/// A connection, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Somebody who takes notifications, or refuses them.
struct Receiver {
    address: SocketAddr,
    heard: mpsc::Receiver<Value>,
    /// Those that were refused.
    refused: mpsc::Receiver<Value>,
    accepts: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Receiver {
    async fn listen(address: &str) -> Self {
        Self::listen_behind(None, address).await
    }

    /// With a certificate for `localhost`; its authority's PEM goes into `authority`.
    async fn listen_https(authority: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(authority, made.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        Self::listen_behind(Some(TlsAcceptor::from(Arc::new(config))), "127.0.0.1:0").await
    }

    async fn listen_behind(tls: Option<TlsAcceptor>, address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ((sender, heard), (refuser, refused)) = (mpsc::channel(1_000), mpsc::channel(1_000));
        let accepts = Arc::new(AtomicBool::new(true));
        let decides = accepts.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream: Box<dyn Stream> = match &tls {
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => Box::new(stream),
                        Err(_) => continue,
                    },
                    None => Box::new(stream),
                };
                // A sender that stops half way has sent nothing.
                let Some(document) = document(&mut *stream).await else { continue };
                let accepted = decides.load(Ordering::SeqCst);
                let status = if accepted { "200 OK" } else { "503 Service Unavailable" };
                let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
                let _ = stream.flush().await;
                let _ = if accepted { sender.send(document).await } else { refuser.send(document).await };
            }
        });
        Self { address, heard, refused, accepts, task }
    }

    async fn next(&mut self) -> Value {
        timeout(PATIENCE, self.heard.recv()).await.expect("a notification").unwrap()
    }

    /// Ids of the entities of notifications, until `count` came.
    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        while ids.len() < count {
            let notification = self.next().await;
            ids.extend(notification["data"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()));
        }
        ids
    }

    async fn close(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// The body of a request; `None` when the sender goes away before its end.
async fn document(stream: &mut dyn Stream) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if length.is_some_and(|length| body.len() >= length) {
            return serde_json::from_str(body).ok();
        }
    }
}

/// The DENM of an event, numbered by it.
fn denm(number: u16, at: Timestamp) -> Record {
    let bytes = city::denm(number, 2, at, at, false);
    let mut record = city::record(Kind::V2x(MessageKind::Denm), &format!("7-{number}"), bytes, at);
    record.sequence = 1_000 + u64::from(number);
    record
}

fn alert_id(number: u16) -> String {
    format!("urn:ngsi-ld:Alert:junction-1:7:7-{number}")
}

async fn subscribe(server: &Server, token: &str, receiver: SocketAddr, more: Value) -> String {
    subscribe_at(server, token, &format!("http://{receiver}/notify?from=masa"), more).await
}

async fn subscribe_at(server: &Server, token: &str, uri: &str, more: Value) -> String {
    let mut document = json!({ "type": "Subscription", "entities": [{ "type": "Alert" }], "notification": {
        "format": "keyValues", "endpoint": { "uri": uri } } });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let headers = [("Authorization", &*format!("Bearer {token}"))];
    let made = server.send("POST", "/ngsi-ld/v1/subscriptions", &headers, document.to_string().as_bytes()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.header("location").to_owned()
}

/// Waits until the data room knows that `count` notifications were taken.
async fn until_sent(server: &Server, token: &str, path: &str, count: u64) {
    let sent = async || server.get(path, token).await.json()["notification"]["timesSent"].clone();
    until("notifications are counted", async || sent().await == count).await;
}

async fn start(folder: tempfile::TempDir, records: Vec<Record>) -> Server {
    Server::start(folder, records, NOW, |settings| settings.notify_hosts = vec!["127.0.0.1".into()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_https_receiver_is_told_if_its_authority_is_known_and_not_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let mut receiver = Receiver::listen_https(&authority).await;
    for known in [false, true] {
        let server = Server::start(tempfile::tempdir().unwrap(), city::records(NOW), NOW, |settings| {
            settings.notify_hosts = vec!["localhost".into(), "127.0.0.1".into()];
            settings.notify_authorities = known.then(|| authority.clone());
        })
        .await;
        let token = server.token(&Scope::ALL);
        // The certificate is of a name: an address is not it.
        let by_address = format!("https://{}/notify", receiver.address);
        let by_name = format!("https://localhost:{}/notify", receiver.address.port());
        let refused = subscribe_at(&server, &token, &by_address, json!({})).await;
        let path = subscribe_at(&server, &token, &by_name, json!({})).await;
        server.ingest(vec![denm(30, NOW)]).await;
        let failure = async |path: &str| {
            let image = server.get(path, &token).await.json();
            image["notification"]["lastFailure"].is_string()
        };
        until("the address is not certified", async || failure(&refused).await).await;
        if known {
            assert_eq!(receiver.ids(1).await, [alert_id(30)]);
            until_sent(&server, &token, &path, 1).await;
        } else {
            until("nobody vouches for the receiver", async || failure(&path).await).await;
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_arrives_and_nothing_else() {
    let mut receiver = Receiver::listen("127.0.0.1:0").await;
    let server = start(tempfile::tempdir().unwrap(), city::records(NOW)).await;
    let token = server.token(&Scope::ALL);
    let only = json!({ "q": "data[causeCode]==2", "watchedAttributes": ["severity"],
        "geoQ": { "georel": "near;maxDistance==250", "geometry": "Point", "coordinates": [10.934315, 44.65554] } });
    let path = subscribe(&server, &token, receiver.address, only).await;
    // 0.02 degrees north: more than two kilometres.
    let mut far = denm(200, NOW);
    far.sequence = 1_006;
    let mut other = denm(8, NOW);
    other.payload = city::denm(8, 14, NOW, NOW, false).into();
    server.ingest(vec![denm(5, NOW), far, other, denm(9, NOW)]).await;
    let mut ids = receiver.ids(2).await;
    ids.sort();
    assert_eq!(ids, [alert_id(5), alert_id(9)]);
    let state = async || server.get(&path, &token).await.json();
    until("a notification is counted", async || state().await["notification"]["timesSent"].as_u64() > Some(0)).await;
    assert_eq!(
        (state().await["status"].as_str(), state().await["notification"]["status"].as_str()),
        (Some("active"), Some("ok"))
    );
    let headers = [("Authorization", &*format!("Bearer {token}"))];
    assert_eq!(server.send("PATCH", &path, &headers, br#"{"isActive": false}"#).await.status, 204);
    assert_eq!(state().await["status"], "paused");
    assert_eq!(server.send("DELETE", &path, &headers, b"").await.status, 204);
    assert_eq!(server.get(&path, &token).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_either_side_restarts() {
    let mut receiver = Receiver::listen("127.0.0.1:0").await;
    let server = start(tempfile::tempdir().unwrap(), city::records(NOW)).await;
    let token = server.token(&Scope::ALL);
    let path = subscribe(&server, &token, receiver.address, json!({})).await;
    server.ingest(vec![denm(10, NOW)]).await;
    assert_eq!(receiver.ids(1).await, [alert_id(10)]);
    until_sent(&server, &token, &path, 1).await;

    // The receiver is down while two events happen, and then the data room restarts with them undelivered.
    let address = receiver.address;
    receiver.accepts.store(false, Ordering::SeqCst);
    server.ingest(vec![denm(11, NOW), denm(12, NOW)]).await;
    let refused = timeout(PATIENCE, receiver.refused.recv()).await.unwrap().unwrap();
    assert_eq!(refused["data"].as_array().unwrap()[0]["id"], alert_id(11));
    receiver.close().await;
    let folder = server.stop().await;

    // One more happens while only the ingest runs: it is in the store when the API starts.
    let mut receiver = Receiver::listen(&address.to_string()).await;
    let server = start(folder, vec![denm(13, NOW)]).await;
    let mut ids = receiver.ids(3).await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids, [alert_id(11), alert_id(12), alert_id(13)], "10 was delivered before and does not come again");
    until_sent(&server, &token, &path, 2).await;
    let folder = server.stop().await;

    // What was delivered does not come again after another restart; what is new does.
    let server = start(folder, vec![]).await;
    server.ingest(vec![denm(14, NOW)]).await;
    assert_eq!(receiver.ids(1).await, [alert_id(14)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_gets_it_again() {
    let mut receiver = Receiver::listen("127.0.0.1:0").await;
    let server = start(tempfile::tempdir().unwrap(), city::records(NOW)).await;
    let token = server.token(&Scope::ALL);
    receiver.accepts.store(false, Ordering::SeqCst);
    let path = subscribe(&server, &token, receiver.address, json!({})).await;
    server.ingest(vec![denm(20, NOW)]).await;
    for _ in 0..2 {
        timeout(PATIENCE, receiver.refused.recv()).await.unwrap().unwrap();
    }
    let state = server.get(&path, &token).await.json();
    assert_eq!(state["notification"]["status"], "failed");
    receiver.accepts.store(true, Ordering::SeqCst);
    assert_eq!(receiver.ids(1).await, [alert_id(20)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn road_users_are_sent_with_an_audit_record_and_no_longer_than_the_token_holds() {
    let mut receiver = Receiver::listen("127.0.0.1:0").await;
    let server = start(tempfile::tempdir().unwrap(), city::records(NOW)).await;
    let names = || server.tokens().list().unwrap().into_iter().map(|token| token.name).collect::<BTreeSet<_>>();
    let before = names();
    let token = server.token(&Scope::ALL);
    let name = names().difference(&before).next().unwrap().clone();
    let auditor = server.token(&[Scope::Admin]);
    let path = subscribe(&server, &token, receiver.address, json!({ "entities": [{ "type": "Vehicle" }] })).await;
    let cam = |sequence: u64| {
        let mut record = city::record(Kind::V2x(MessageKind::Cam), "4711", city::cam(4711, NOW), NOW);
        record.sequence = sequence;
        record
    };
    server.ingest(vec![cam(50)]).await;
    assert_eq!(receiver.next().await["data"][0]["type"], "Vehicle");
    let audit = server.get("/audit", &auditor).await.text();
    assert!(audit.contains("notification of urn:ngsi-ld:Subscription:"), "{audit}");
    server.tokens().revoke(&name).unwrap();
    server.clock.set(NOW.plus_ms(2_000));
    server.ingest(vec![cam(51)]).await;
    assert_eq!(server.get(&path, &token).await.status, 401);
    // Another subscription hears of the same record: by then the first has had its chance.
    let other = server.token(&Scope::ALL);
    let mut second = Receiver::listen("127.0.0.1:0").await;
    subscribe(&server, &other, second.address, json!({ "entities": [{ "type": "Vehicle" }] })).await;
    server.ingest(vec![cam(52)]).await;
    second.next().await;
    assert!(receiver.heard.try_recv().is_err(), "nothing after the token was revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_the_data_room_speak_to_its_neighbours() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&Scope::ALL);
    let headers = [("Authorization", &*format!("Bearer {token}"))];
    for uri in [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "https://user:secret@example.org/",
        "gopher://8.8.8.8/",
        "no address",
    ] {
        let document = json!({ "type": "Subscription", "entities": [{ "type": "Alert" }],
            "notification": { "endpoint": { "uri": uri } } });
        let made = server.send("POST", "/ngsi-ld/v1/subscriptions", &headers, document.to_string().as_bytes()).await;
        assert_eq!(made.status, 400, "{uri}: {}", made.text());
    }
}
