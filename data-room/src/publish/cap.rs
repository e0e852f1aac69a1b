//! Common Alerting Protocol 1.2 (OASIS): one document an alert, and an Atom (RFC 4287) list of them.
//!
//! The first message of an alert has the alert's id and the time it was issued; later ones say which one they update or
//! cancel, so that a reader that begins late can follow.

use super::Publisher;
use super::xml::Element;
use crate::entity::{Entity, EntityKind, from_rfc3339, rfc3339};
use masa_v2x_proto::time::Timestamp;

/// An alert is an update when it was said again at least this long after it was issued, milliseconds: times in CAP have
/// no fraction.
const UPDATE_MS: i64 = 1_000;
/// Radius of the area of an alert at one point, kilometres.
const RADIUS_KM: f64 = 0.2;

/// The alerts among `entities`, as an Atom feed whose entries link to their documents below `address`.
pub fn feed(entities: &[Entity], publisher: &Publisher, now: Timestamp) -> String {
    let newest = entities.iter().map(|entity| entity.observed_at).max().unwrap_or(now);
    let link = |path: &str| format!("{}{path}", publisher.address);
    let entry = |entity: &Entity| {
        let document = link(&format!("/cap/alerts/{}", entity.id));
        Element::new("entry")
            .child(Element::text("id", identifier(entity)))
            .child(Element::text("title", headline(entity, "en")))
            .child(Element::text("updated", rfc3339(entity.observed_at)))
            .child(Element::text("summary", text(entity, "description")))
            .child(Element::new("link").attribute("type", "application/cap+xml").attribute("href", document))
    };
    Element::new("feed")
        .attribute("xmlns", "http://www.w3.org/2005/Atom")
        .child(Element::text("id", link("/cap/feed")))
        .child(Element::text("title", format_args!("Alerts of {}", publisher.name)))
        .child(Element::text("updated", rfc3339(newest)))
        .child(Element::new("author").child(Element::text("name", &publisher.name)))
        .child(Element::new("link").attribute("rel", "self").attribute("href", link("/cap/feed")))
        .children(entities.iter().filter(|entity| entity.kind == EntityKind::Alert).map(entry))
        .to_document()
}

/// The CAP document of an alert; `None` for other entities.
pub fn alert(entity: &Entity, publisher: &Publisher) -> Option<String> {
    if entity.kind != EntityKind::Alert {
        return None;
    }
    let issued = issued(entity);
    let message_type = match (is_over(entity), is_update(entity)) {
        (true, _) => "Cancel",
        (false, true) => "Update",
        (false, false) => "Alert",
    };
    let sender = format!("{}@{}", publisher.identifier, publisher.country);
    let references = (message_type != "Alert")
        .then(|| Element::text("references", format_args!("{sender},{},{}", entity.id, time(issued))));
    let sent = if message_type == "Alert" { issued } else { entity.observed_at };
    let document = Element::new("alert")
        .attribute("xmlns", "urn:oasis:names:tc:emergency:cap:1.2")
        .child(Element::text("identifier", identifier(entity)))
        .child(Element::text("sender", &sender))
        .child(Element::text("sent", time(sent)))
        .child(Element::text("status", "Actual"))
        .child(Element::text("msgType", message_type))
        .child(Element::text("source", entity.origin.station_urn()))
        .child(Element::text("scope", "Public"))
        .children(references)
        .children(["it-IT", "en"].map(|language| info(entity, publisher, language)));
    Some(document.to_document())
}

fn info(entity: &Entity, publisher: &Publisher, language: &str) -> Element {
    let category = match text(entity, "category").as_str() {
        "traffic" => "Transport",
        "weather" | "naturalDisaster" => "Met",
        "environment" => "Env",
        "health" => "Health",
        "security" => "Security",
        _ => "Other",
    };
    let severity = match text(entity, "severity").as_str() {
        "critical" => "Extreme",
        "high" => "Severe",
        "medium" => "Moderate",
        "low" | "informational" => "Minor",
        _ => "Unknown",
    };
    let over = is_over(entity);
    let at = entity.geometry.anchor();
    let circle = format!("{:.5},{:.5} {RADIUS_KM}", at.lat_deg, at.lon_deg);
    let area =
        Element::new("area").child(Element::text("areaDesc", &publisher.area)).child(Element::text("circle", circle));
    let expires = entity.valid_until.max(issued(entity));
    Element::new("info")
        .child(Element::text("language", language))
        .child(Element::text("category", category))
        .child(Element::text("event", event(&text(entity, "subCategory"), language)))
        .child(Element::text("responseType", if over { "AllClear" } else { "Avoid" }))
        .child(Element::text("urgency", if over { "Past" } else { "Immediate" }))
        .child(Element::text("severity", severity))
        .child(Element::text("certainty", "Observed"))
        .child(Element::text("effective", time(issued(entity))))
        .child(Element::text("expires", time(expires)))
        .child(Element::text("senderName", &publisher.name))
        .child(Element::text("headline", headline(entity, language)))
        .children((language == "en").then(|| Element::text("description", text(entity, "description"))))
        .child(area)
}

/// What happened, in a language.
#[rustfmt::skip]
fn event(sub_category: &str, language: &str) -> &'static str {
    let (italian, english) = match sub_category {
        "trafficJam" => ("Coda", "Traffic jam"),
        "carAccident" => ("Incidente", "Accident"),
        "roadWorks" => ("Lavori stradali", "Road works"),
        "roadClosed" => ("Strada chiusa", "Road closed"),
        "carStopped" => ("Veicolo fermo", "Stationary vehicle"),
        "carWrongDirection" => ("Veicolo contromano", "Vehicle in the wrong direction"),
        "pedestrianOnRoad" => ("Persona sulla carreggiata", "Person on the road"),
        "bikerOnRoad" | "injuredBiker" => ("Ciclista sulla carreggiata", "Cyclist on the road"),
        "ice" => ("Strada scivolosa", "Slippery road"),
        "fog" => ("Nebbia", "Fog"),
        "wind" => ("Vento forte", "Strong wind"),
        "rainfall" => ("Forti piogge", "Heavy rain"),
        "snow" => ("Neve", "Snow"),
        "airPollution" => ("Aria inquinata", "Air pollution"),
        "crowdRisk" => ("Assembramento", "Dangerous crowding"),
        "hazardOnRoad" => ("Pericolo sulla strada", "Hazard on the road"),
        _ => ("Situazione pericolosa", "Dangerous situation"),
    };
    if language.starts_with("it") { italian } else { english }
}

fn headline(entity: &Entity, language: &str) -> String {
    let event = event(&text(entity, "subCategory"), language);
    match (is_over(entity), language.starts_with("it")) {
        (true, true) => format!("Cessato: {event}"),
        (true, false) => format!("Over: {event}"),
        (false, _) => event.to_owned(),
    }
}

fn identifier(entity: &Entity) -> String {
    match is_over(entity) || is_update(entity) {
        true => format!("{}.{}", entity.id, entity.observed_at.unix_ms()),
        false => entity.id.clone(),
    }
}

fn is_update(entity: &Entity) -> bool {
    entity.observed_at.unix_ms() - issued(entity).unix_ms() >= UPDATE_MS
}

fn is_over(entity: &Entity) -> bool {
    entity.valid_until <= entity.observed_at
}

fn issued(entity: &Entity) -> Timestamp {
    from_rfc3339(&text(entity, "dateIssued")).unwrap_or(entity.observed_at)
}

fn text(entity: &Entity, name: &str) -> String {
    entity.value_of(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A time as CAP wants it: whole seconds, an offset and no `Z`.
fn time(at: Timestamp) -> String {
    let seconds = rfc3339(Timestamp::from_unix_ms(at.unix_ms() / 1_000 * 1_000));
    format!("{}+00:00", seconds.trim_end_matches('Z'))
}
