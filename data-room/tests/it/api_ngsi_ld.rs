//! The NGSI-LD part of the API, by real requests.

#![allow(clippy::unwrap_used)]

use crate::city::{self, NOW};
use crate::server::Server;
use masa_data_room::Kind;
use masa_data_room::api::Scope;
use masa_v2x_proto::MessageKind;
use serde_json::{Value, json};

const ALL: [Scope; 4] = Scope::ALL;

fn ids(answer: &Value) -> Vec<String> {
    answer.as_array().unwrap().iter().map(|entity| entity["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_are_found_by_type_id_query_and_place() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&ALL);
    let near = "georel=near;maxDistance==15&geometry=Point&coordinates=%5B10.934315,44.65554%5D";
    let area = "%5B%5B%5B10.93,44.65%5D,%5B10.94,44.65%5D,%5B10.94,44.66%5D,%5B10.93,44.66%5D,%5B10.93,44.65%5D%5D%5D";
    for (query, count) in [
        ("type=Vehicle", 2),
        ("type=Vehicle,PerceivedObject", 3),
        ("type=Vehicle&q=speed%3E30", 1),
        ("type=Vehicle&q=speed%3C30", 1),
        ("type=Alert&q=severity==%22critical%22", 1),
        ("type=Alert&q=data%5BcauseCode%5D==2%7Cdata%5BcauseCode%5D==3", 2),
        ("type=Alert&idPattern=.*7-3$", 1),
        ("id=urn:ngsi-ld:TrafficSignal:junction-1:7:39-101-3", 1),
        ("id=urn:ngsi-ld:TrafficSignal:nowhere:7:39-101-3", 0),
        (&format!("type=Vehicle&{near}"), 1),
        (&format!("type=Vehicle,Alert&georel=within&geometry=Polygon&coordinates={area}"), 5),
        (&format!("type=Vehicle&georel=disjoint&geometry=Polygon&coordinates={area}"), 0),
    ] {
        let answer = server.get(&format!("/ngsi-ld/v1/entities?limit=100&{query}"), &token).await;
        assert_eq!((answer.status, ids(&answer.json()).len()), (200, count), "{query}: {}", answer.text());
    }
    let signal = server.get("/ngsi-ld/v1/entities/urn:ngsi-ld:TrafficSignal:junction-1:7:39-101-3", &token).await;
    assert_eq!(signal.json()["state"]["value"], "protected-movement-allowed");
    // It stands at the stop line, 10 m south of the middle.
    let place = &signal.json()["location"]["value"]["coordinates"];
    assert!((place[1].as_f64().unwrap() - (44.655_54 - 10.0 / 111_195.0)).abs() < 1e-6, "{place}");
    assert!(signal.header("link").contains("jsonldContexts/masa"));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_in_the_form_and_part_that_is_asked_for() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&ALL);
    let get = async |query: &str| server.get(&format!("/ngsi-ld/v1/entities?{query}"), &token).await;
    let values = get("type=AirQualityObserved&options=keyValues").await.json();
    assert_eq!(
        (&values[0]["no2"], &values[0]["pm10"]),
        (&json!(41.3), &json!(22.0)),
        "both readings are in one entity"
    );
    let some = get("type=AirQualityObserved&attrs=no2&format=simplified").await.json();
    let names: Vec<_> = some[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["id", "no2", "type"]);
    let page = get("type=Alert&limit=2&offset=1&count=true").await;
    assert_eq!((ids(&page.json()).len(), page.header("ngsild-results-count")), (2, "3"));
    assert!(page.header("link").contains("rel=\"prev\"") && !page.header("link").contains("rel=\"next\""));
    assert!(get("type=Alert&limit=1").await.header("link").contains("offset=1>; rel=\"next\""));
    let bearer = format!("Bearer {token}");
    let ld = server
        .send(
            "GET",
            "/ngsi-ld/v1/entities?type=Alert",
            &[("Authorization", &bearer), ("Accept", "application/ld+json")],
            b"",
        )
        .await;
    assert!(ld.json()[0]["@context"].as_str().unwrap().ends_with("/jsonldContexts/masa"));
    let geo = server
        .send(
            "GET",
            "/ngsi-ld/v1/entities?type=Alert",
            &[("Authorization", &bearer), ("Accept", "application/geo+json")],
            b"",
        )
        .await;
    assert_eq!(
        (geo.header("content-type"), &geo.json()["type"]),
        ("application/geo+json", &json!("FeatureCollection"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_told_in_order_and_by_time() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&ALL);
    for step in 1..=3_i64 {
        let at = NOW.plus_ms(1_000 * step);
        let mut record = city::record(Kind::V2x(MessageKind::Cam), "4711", city::cam(4711, at), at);
        record.sequence = 100 + step as u64;
        server.ingest(vec![record]).await;
    }
    server.clock.set(NOW.plus_ms(3_500));
    let id = "urn:ngsi-ld:Vehicle:junction-1:7:station-4711";
    let get = async |query: &str| server.get(&format!("/ngsi-ld/v1/temporal/entities/{id}?{query}"), &token).await;
    let whole = get("").await.json();
    assert_eq!(whole["speed"].as_array().unwrap().len(), 4);
    let last = get("lastN=2&options=temporalValues&attrs=speed").await.json();
    let values = last["speed"]["values"].as_array().unwrap();
    assert_eq!((values.len(), &values[1][0]), (2, &json!(36.0)));
    assert!(values[0][1].as_str() < values[1][1].as_str());
    let at = |ms: i64| masa_data_room::entity::rfc3339(NOW.plus_ms(ms));
    for (query, count) in [
        (format!("timerel=before&timeAt={}", at(0)), 1),
        (format!("timerel=after&timeAt={}", at(500)), 3),
        (format!("timerel=between&timeAt={}&endTimeAt={}", at(500), at(2_500)), 2),
    ] {
        assert_eq!(get(&query).await.json()["speed"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(get(&format!("timerel=after&timeAt={}", at(60_000))).await.status, 404);
    let many = server.get("/ngsi-ld/v1/temporal/entities?type=AirQualityObserved&q=no2%3E40", &token).await.json();
    assert_eq!(many.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_tells_of_an_alert_and_ends_it() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&ALL);
    let bearer = format!("Bearer {token}");
    let id = "urn:ngsi-ld:Alert:operators:works-1";
    let alert = json!({ "id": id, "type": "Alert", "category": "traffic", "subCategory": "roadWorks", "severity": "low", "description": "Via Emilia: <b>one lane</b> & no parking", "alertSource": "urn:ngsi-ld:Organization:city",
        "dateIssued": "2026-11-22T14:00:00Z", "validTo": "2026-11-23T14:00:00Z",
        "location": { "type": "Point", "coordinates": [10.93, 44.65] } });
    let post = async |body: &Value| {
        server.send("POST", "/ngsi-ld/v1/entities", &[("Authorization", &bearer)], body.to_string().as_bytes()).await
    };
    let made = post(&alert).await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, &*format!("/ngsi-ld/v1/entities/{id}")),
        "{}",
        made.text()
    );
    let known = async || server.get(&format!("/ngsi-ld/v1/entities/{id}?options=keyValues"), &token).await;
    while known().await.status != 200 {
        tokio::task::yield_now().await;
    }
    let shown = known().await.json();
    assert_eq!(shown["description"], alert["description"]);
    if let Some(schemas) = city::Schemas::load("an_operator_tells_of_an_alert_and_ends_it") {
        assert_eq!(schemas.complaint(masa_data_room::entity::EntityKind::Alert, &shown), None);
    }
    assert_eq!(post(&alert).await.status, 409);
    let roadworks = server.get("/datex2/roadworks", &token).await.text();
    assert!(roadworks.contains("&lt;b&gt;one lane&lt;/b&gt; &amp; no parking"), "{roadworks}");
    server.clock.set(NOW.plus_ms(5_000));
    let ended = server.send("DELETE", &format!("/ngsi-ld/v1/entities/{id}"), &[("Authorization", &bearer)], b"").await;
    assert_eq!(ended.status, 204);
    while known().await.status != 404 {
        tokio::task::yield_now().await;
    }
    let cap = server.get(&format!("/cap/alerts/{id}"), &token).await.text();
    assert!(cap.contains("<msgType>Cancel</msgType>") && cap.contains("Cessato: Lavori stradali"), "{cap}");
    let audit = server.get("/audit", &token).await.text();
    assert!(audit.contains("created urn:ngsi-ld:Alert:operators:works-1") && audit.contains("ended"), "{audit}");
    let mut vehicle = alert.clone();
    vehicle["type"] = "Vehicle".into();
    assert_eq!(post(&vehicle).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_shows_the_world_as_it_was() {
    let server = Server::with_city(|_| {}).await;
    let token = server.token(&ALL);
    // Ten minutes later the cars are gone, the DENMs over; the lanes are still there.
    server.clock.set(NOW.plus_ms(700_000));
    let now = server.get("/twin?type=Vehicle,Alert", &token).await.json();
    assert_eq!(now["entities"], json!([]));
    let then = masa_data_room::entity::rfc3339(NOW);
    let then = server.get(&format!("/twin?at={then}"), &token).await.json();
    let of = |kind: &str| {
        let list = then["entities"].as_array().unwrap();
        list.iter().filter(|entity| entity["entity"]["type"] == kind).cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        (of("Vehicle").len(), of("Alert").len(), of("RoadSegment").len(), of("TrafficSignal").len()),
        (2, 3, 2, 1)
    );
    let vehicle = &of("Vehicle")[0];
    assert_eq!(vehicle["provenance"]["station"], 7);
    assert!(vehicle["validTime"]["from"].as_str() < vehicle["validTime"]["until"].as_str());
    let before = masa_data_room::entity::rfc3339(NOW.plus_ms(-60_000));
    let before = server.get(&format!("/twin?at={before}&type=Vehicle"), &token).await.json();
    assert_eq!(before["entities"], json!([]), "nobody was there a minute before");
}
