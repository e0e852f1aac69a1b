//! What must not be possible, by real requests to a bound server.

#![allow(clippy::unwrap_used)]

use crate::city::{self, NOW};
use crate::server::{Server, request};
use masa_data_room::Tenant;
use masa_data_room::api::{OpenToAll, Scope};
use serde_json::{Value, json};

/// Every path that needs a token, with one that exists in place of parameters.
const GUARDED: [&str; 17] = [
    "/ngsi-ld/v1/entities",
    "/ngsi-ld/v1/entities/urn:x",
    "/ngsi-ld/v1/types",
    "/ngsi-ld/v1/temporal/entities",
    "/ngsi-ld/v1/temporal/entities/urn:x",
    "/ngsi-ld/v1/subscriptions",
    "/ngsi-ld/v1/subscriptions/urn:x",
    "/geojson",
    "/tiles/1/0/0",
    "/twin",
    "/scene.gltf",
    "/scene.json",
    "/datex2/situations",
    "/cap/feed",
    "/records",
    "/status",
    "/audit",
];

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_shown() {
    let server = Server::with_city(|_| {}).await;
    let good = server.token(&Scope::ALL);
    for path in GUARDED {
        for headers in [
            &[][..],
            &[("Authorization", "Bearer ")],
            &[("Authorization", "Bearer masa_wrong")],
            &[("Authorization", &*format!("Bearer {good}x"))],
            &[("Authorization", &*format!("Basic {good}"))],
            &[("Authorization", &*good)],
        ] {
            let answer = server.send("GET", path, headers, b"").await;
            assert_eq!(answer.status, 401, "{path} {headers:?}: {}", answer.text());
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert!(!answer.text().contains("urn:ngsi-ld:Vehicle"), "{}", answer.text());
        }
    }
    for path in ["/health", "/openapi.json", "/dcat", "/ngsi-ld/v1/jsonldContexts/masa"] {
        assert_eq!(server.send("GET", path, &[], b"").await.status, 200, "{path} is open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_document_that_needs_a_token_refuses_without() {
    let server = Server::with_city(|_| {}).await;
    let document = server.send("GET", "/openapi.json", &[], b"").await.json();
    let mut refused = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace("{publication}", "situations").replace(['{', '}'], "");
        for (method, operation) in operations.as_object().unwrap() {
            let answer = server.send(&method.to_uppercase(), &path, &[], b"").await;
            let needs_token = operation.get("security").is_some();
            assert_eq!(answer.status == 401, needs_token, "{method} {path}: {}", answer.status);
            refused += u32::from(needs_token);
        }
    }
    assert!(refused > 20, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_what_its_scopes_say_and_no_more() {
    let server = Server::with_city(|_| {}).await;
    let reader = server.token(&[Scope::ReadTraffic]);
    let writer = server.token(&[Scope::WriteAlerts]);
    let all = server.get("/ngsi-ld/v1/entities?limit=1000", &reader).await;
    assert!(all.text().contains("TrafficSignal") && !all.text().contains("\"Vehicle\""), "{}", all.text());
    for path in [
        "/ngsi-ld/v1/entities?type=Vehicle",
        "/ngsi-ld/v1/entities?type=Alert,PerceivedObject",
        "/ngsi-ld/v1/entities/urn:ngsi-ld:Vehicle:junction-1:7:1",
        "/ngsi-ld/v1/temporal/entities?type=Vehicle",
        "/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:Vehicle:junction-1:7:1",
        "/geojson?type=Vehicle",
        "/tiles/14/8689/5908?type=Vehicle",
        "/twin?type=Vehicle",
        "/scene.gltf?type=Vehicle",
        "/records?kind=cpm",
        "/records?kind=cam",
        "/status",
        "/audit",
    ] {
        let answer = server.get(path, &reader).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    // Without being asked for, personal data is left out.
    for path in ["/geojson", "/twin", "/scene.json", "/records?limit=1000", "/ngsi-ld/v1/temporal/entities?limit=1000"]
    {
        let answer = server.get(path, &reader).await;
        let text = answer.text();
        assert_eq!(answer.status, 200, "{path}: {text}");
        assert!(!text.contains(":Vehicle:") && !text.contains(":PerceivedObject:"), "{path}");
        assert!(!text.contains("\"kind\":\"cam\"") && !text.contains("\"kind\":\"cpm\""), "{path}");
    }
    let alert = json!({ "id": "urn:ngsi-ld:Alert:x:1", "type": "Alert", "category": "traffic", "location": { "type": "Point", "coordinates": [10, 44] } });
    let alert = alert.to_string();
    let post = async |token: &str| {
        server.send("POST", "/ngsi-ld/v1/entities", &[("Authorization", &bearer(token))], alert.as_bytes()).await.status
    };
    assert_eq!(post(&reader).await, 403);
    assert_eq!(post(&writer).await, 201);
    assert_eq!(server.get("/geojson", &writer).await.status, 403, "who writes does not read");
    let subscription = json!({ "type": "Subscription", "entities": [{ "type": "Vehicle" }],
        "notification": { "endpoint": { "uri": "http://8.8.8.8/" } } });
    let subscribe = server
        .send(
            "POST",
            "/ngsi-ld/v1/subscriptions",
            &[("Authorization", &bearer(&reader))],
            subscription.to_string().as_bytes(),
        )
        .await;
    assert_eq!(subscribe.status, 403, "{}", subscribe.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_see_each_other() {
    let server = Server::with_city(|_| {}).await;
    let ours = server.token(&Scope::ALL);
    let theirs = server.token_of(Tenant::new("bologna").unwrap(), &Scope::ALL);
    let signal = "urn:ngsi-ld:TrafficSignal:junction-1:7:39-101-3";
    for (path, empty) in [
        ("/ngsi-ld/v1/entities?limit=1000".to_owned(), json!([])),
        ("/ngsi-ld/v1/temporal/entities".to_owned(), json!([])),
        ("/geojson".to_owned(), json!({ "type": "FeatureCollection", "features": [] })),
        ("/records".to_owned(), json!({ "records": [], "next": null })),
        ("/audit".to_owned(), json!({ "entries": [] })),
        ("/ngsi-ld/v1/subscriptions".to_owned(), json!([])),
    ] {
        let answer = server.get(&path, &theirs).await;
        assert_eq!((answer.status, answer.json()), (200, empty), "{path}");
    }
    let twin = server.get(&format!("/twin?at={}", masa_data_room::entity::rfc3339(NOW)), &theirs).await.json();
    assert_eq!(twin["entities"], json!([]));
    assert_eq!(server.get(&format!("/ngsi-ld/v1/entities/{signal}"), &theirs).await.status, 404);
    assert_eq!(server.get("/status", &theirs).await.json()["holdings"], json!([]));
    // The header cannot change whose data it is, and does not tell which tenants there are.
    let refusals = async |tenant: &str| {
        let headers = [("Authorization", &*bearer(&theirs)), ("NGSILD-Tenant", tenant)];
        server.send("GET", "/ngsi-ld/v1/entities", &headers, b"").await
    };
    let (known, unknown) = (refusals("modena").await, refusals("atlantis").await);
    assert_eq!((known.status, known.text()), (403, unknown.text()));
    assert_eq!(refusals("bologna").await.status, 200);
    // A subscription of one is nothing to the other.
    let subscription = json!({ "type": "Subscription", "entities": [{ "type": "Alert" }],
        "notification": { "endpoint": { "uri": "http://8.8.8.8/" } } });
    let made = server
        .send(
            "POST",
            "/ngsi-ld/v1/subscriptions",
            &[("Authorization", &bearer(&ours))],
            subscription.to_string().as_bytes(),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = made.header("location").to_owned();
    for method in ["GET", "DELETE"] {
        let answer = server.send(method, &path, &[("Authorization", &bearer(&theirs))], b"").await;
        assert_eq!(answer.status, 404, "{method}");
    }
    assert_eq!(server.get(&path, &ours).await.status, 200, "it is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_too_fast_is_refused() {
    let server = Server::with_city(|settings| (settings.requests_per_s, settings.burst) = (1.0, 40.0)).await;
    let token = server.token(&Scope::ALL);
    let headers = [("Authorization", &*bearer(&token))];
    let body = format!("{{\"id\": \"{}\"}}", "x".repeat(300 << 10));
    for path in ["/ngsi-ld/v1/entities", "/ngsi-ld/v1/subscriptions"] {
        assert_eq!(server.send("POST", path, &headers, body.as_bytes()).await.status, 413, "{path}");
    }
    let long = format!("/ngsi-ld/v1/entities?q={}", "a".repeat(9_000));
    assert_eq!(server.get(&long, &token).await.status, 414);
    let huge = "x".repeat(64 << 10);
    let headed =
        request(server.address, "GET", "/geojson", &[("Authorization", &*bearer(&token)), ("X", &huge)], b"").await;
    assert_eq!(headed.status, 431);
    let mut last = server.get("/ngsi-ld/v1/types", &token).await;
    for _ in 0..60 {
        last = server.get("/ngsi-ld/v1/types", &token).await;
    }
    assert_eq!((last.status, last.header("retry-after")), (429, "1"));
    let other = server.token(&Scope::ALL);
    assert_eq!(server.get("/ngsi-ld/v1/types", &other).await.status, 200, "others are not slowed");
    for _ in 0..60 {
        last = server.get("/ngsi-ld/v1/types", "masa_guess").await;
    }
    assert_eq!(last.status, 429, "who guesses is slowed");
    server.clock.set(NOW.plus_ms(5_000));
    assert_eq!(server.get("/ngsi-ld/v1/types", &token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_in_words() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&Scope::ALL);
    for (path, names) in [
        ("/ngsi-ld/v1/entities?type=Elephant", "Elephant"),
        ("/ngsi-ld/v1/entities?limit=-1", "limit"),
        ("/ngsi-ld/v1/entities?limit=100000", "limit"),
        ("/ngsi-ld/v1/entities?limit=1&limit=2", "twice"),
        ("/ngsi-ld/v1/entities?lmit=1", "lmit"),
        ("/ngsi-ld/v1/entities?options=xml", "xml"),
        ("/ngsi-ld/v1/entities?q=speed%3E", "byte 6"),
        ("/ngsi-ld/v1/entities?idPattern=(", "pattern"),
        ("/ngsi-ld/v1/entities?georel=near&geometry=Point&coordinates=%5B1,2%5D", "georel"),
        ("/ngsi-ld/v1/entities?georel=near;maxDistance==x&geometry=Point&coordinates=%5B1,2%5D", "maxDistance"),
        ("/ngsi-ld/v1/entities?georel=within&geometry=Point&coordinates=%5B999,2%5D", "earth"),
        ("/ngsi-ld/v1/entities?georel=within", "together"),
        ("/ngsi-ld/v1/entities?geoproperty=x", "location"),
        ("/ngsi-ld/v1/temporal/entities?timerel=during&timeAt=2026-01-01T00:00:00Z", "timerel"),
        ("/ngsi-ld/v1/temporal/entities?timerel=between&timeAt=2026-01-01T00:00:00Z", "endTimeAt"),
        ("/ngsi-ld/v1/temporal/entities?timerel=after&timeAt=yesterday", "timeAt"),
        ("/twin?at=noon", "at"),
        ("/scene.gltf?origin=here", "origin"),
        ("/records?kind=gossip", "gossip"),
        ("/records?site=x", "station"),
        ("/records?after=x", "after"),
    ] {
        let answer = server.get(path, &token).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        let problem = answer.json();
        assert_eq!(problem["type"], "https://uri.etsi.org/ngsi-ld/errors/BadRequestData");
        assert!(problem["detail"].as_str().unwrap().contains(names), "{path}: {problem}");
    }
    let headers = [("Authorization", &*bearer(&token))];
    for (path, body) in [
        ("/ngsi-ld/v1/entities", "{"),
        ("/ngsi-ld/v1/entities", "[]"),
        ("/ngsi-ld/v1/entities", "{\"id\": \"urn:x\", \"type\": \"Alert\"}"),
        (
            "/ngsi-ld/v1/entities",
            "{\"id\": \"urn:x\", \"type\": \"Alert\", \"category\": \"gossip\", \"location\": {\"type\": \"Point\", \"coordinates\": [1, 2]}}",
        ),
        ("/ngsi-ld/v1/entities", "\u{0}\u{1}"),
        ("/ngsi-ld/v1/subscriptions", "{\"type\": \"Subscription\"}"),
        ("/ngsi-ld/v1/subscriptions", "[[[[[[[[[[[[[["),
    ] {
        assert_eq!(server.send("POST", path, &headers, body.as_bytes()).await.status, 400, "{path} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_request_reaches_the_database_or_the_disk() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&Scope::ALL);
    let before = server.room.store.statistics().await.unwrap().holdings;
    let secret = server.folder().join("tokens.json");
    assert!(secret.exists());
    for text in [
        "'; DROP TABLE record; --",
        "x' OR '1'='1",
        "\" OR 1=1 --",
        "1); DELETE FROM record WHERE (1=1",
        "../../tokens.json",
        "..%2f..%2ftokens.json",
        "%2e%2e/%2e%2e/tokens.json",
        "....//....//tokens.json",
        "/etc/passwd",
        "file:///etc/passwd",
        "\u{0}",
        "%",
        "${jndi:ldap://x}",
        "{{7*7}}",
    ] {
        let encoded: String = url_encode(text);
        for path in [
            format!("/ngsi-ld/v1/entities?q={encoded}"),
            format!("/ngsi-ld/v1/entities?q=description=={encoded}"),
            format!("/ngsi-ld/v1/entities?id={encoded}"),
            format!("/ngsi-ld/v1/entities?type={encoded}"),
            format!("/ngsi-ld/v1/entities?georel={encoded}&geometry={encoded}&coordinates={encoded}"),
            format!("/ngsi-ld/v1/entities/{encoded}"),
            format!("/ngsi-ld/v1/temporal/entities/{encoded}"),
            format!("/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:Alert:{encoded}:7:1"),
            format!("/ngsi-ld/v1/subscriptions/{encoded}"),
            format!("/cap/alerts/{encoded}"),
            format!("/datex2/{encoded}"),
            format!("/tiles/{encoded}/0/0"),
            format!("/records?entity={encoded}"),
            format!("/records?site={encoded}&station=7"),
            format!("/{encoded}"),
        ] {
            let answer = server.get(&path, &token).await;
            assert!([200, 400, 404].contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
            for leak in ["sha256", "root:", "SQL", "sqlite", "syntax error"] {
                assert!(!answer.text().contains(leak), "{path}: {}", answer.text());
            }
            // A condition that always holds would show everything.
            if answer.status == 200 {
                let everything = answer.text().contains("TrafficSignal") && answer.text().contains("ParkingSpot");
                assert!(!everything, "{path}");
            }
        }
        let deletion = server
            .send("DELETE", &format!("/ngsi-ld/v1/subscriptions/{encoded}"), &[("Authorization", &bearer(&token))], b"")
            .await;
        assert!([404, 405].contains(&deletion.status), "{text}: {}", deletion.status);
    }
    // Unencoded, as a client would not send them.
    for path in ["/../../../etc/passwd", "//etc/passwd", "/tiles/../../tokens.json/1/1", "/%00", "/datex2/.."] {
        let answer = server.get(path, &token).await;
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
    }
    let tables_intact = server.room.store.statistics().await.unwrap().holdings;
    assert_eq!(before, tables_intact);
    assert!(secret.exists());
}

fn url_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_of_road_users_leaves_an_audit_record() {
    let server = Server::with_city(|_| {}).await;
    let (reader, auditor) = (server.token(&[Scope::ReadTraffic, Scope::ReadPersonal]), server.token(&[Scope::Admin]));
    let entries = async || server.get("/audit", &auditor).await.json()["entries"].as_array().unwrap().clone();
    server.get("/ngsi-ld/v1/entities?type=Alert", &reader).await;
    assert_eq!(entries().await, Vec::<Value>::new(), "open data leaves none");
    let at = masa_data_room::entity::rfc3339(NOW);
    let paths = [
        "/ngsi-ld/v1/entities?type=Vehicle".to_owned(),
        "/ngsi-ld/v1/entities/urn:ngsi-ld:Vehicle:junction-1:7:1".to_owned(),
        "/ngsi-ld/v1/temporal/entities?type=Vehicle".to_owned(),
        "/geojson?type=PerceivedObject".to_owned(),
        format!("/twin?at={at}"),
        "/scene.gltf".to_owned(),
        "/records?kind=cam".to_owned(),
    ];
    for (number, path) in paths.iter().enumerate() {
        assert_eq!(server.get(path, &reader).await.status, 200, "{path}");
        let entries = entries().await;
        assert_eq!(entries.len(), number + 1, "{path}");
        assert_eq!(
            (entries[0]["action"].as_str(), entries[0]["by"].as_str()),
            (Some("read"), Some("token-1")),
            "{path}"
        );
        assert!(entries[0]["records"].as_u64() > Some(0), "{path}");
    }
    // A data room that cannot note who reads shows nothing.
    server.room.store.close().await;
    let answer = server.get("/ngsi-ld/v1/entities?type=Vehicle", &reader).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(!answer.text().contains("urn:ngsi-ld:Vehicle"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_opens_nothing_more() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&Scope::ALL);
    let name = server.tokens().list().unwrap().pop().unwrap().name;
    assert_eq!(server.get("/geojson", &token).await.status, 200);
    server.tokens().revoke(&name).unwrap();
    server.clock.set(NOW.plus_ms(1_100));
    assert_eq!(server.get("/geojson", &token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_may_open_what_is_not_personal() {
    let server = Server::with_city(|settings| settings.open_to_all = OpenToAll::Traffic(city::tenant())).await;
    assert_eq!(server.send("GET", "/geojson?type=Alert", &[], b"").await.status, 200);
    for path in ["/geojson?type=Vehicle", "/audit"] {
        assert_eq!(server.send("GET", path, &[], b"").await.status, 403, "{path}");
    }
    assert_eq!(server.get("/geojson", "masa_wrong").await.status, 401, "a wrong token is no token");
}
