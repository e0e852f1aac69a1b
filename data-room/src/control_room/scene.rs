//! The world as the page draws it: every entity that holds, where stations can see, and the alarms.
//!
//! In: records. Out: texts for the page, whole or with what has changed ([`Scene::text`]). The same code makes the live
//! picture from the feed and any past minute from the store, so that the two cannot differ.
//!
//! Invariants: pure; an older record never replaces a newer one; what is personal is only in the text of those who may see
//! it; at most [`MAX_ENTITIES`].

use super::alarm::Alarm;
use super::alarms;
use super::coverage::{self, Coverage};
use crate::api::ANYONE;
use crate::api::tokens::{Caller, Scope};
use crate::entity::{Entity, EntityKind, Geometry, Projection};
use crate::record::{Kind, Record, Sensitivity, Source};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, MessageKind};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Most entities of one tenant; what is new beyond them is not drawn, and counted.
pub(super) const MAX_ENTITIES: usize = 50_000;
/// Closed alarms leave the picture after so long, milliseconds.
const CLOSED_ALARM_MS: i64 = 12 * 3_600_000;
/// A station that has said nothing for so long shows no coverage, milliseconds.
const COVERAGE_MS: i64 = 10_000;

/// Who looks: only operators see single road users and alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Audience {
    /// Everybody.
    Public,
    /// A token that may read traffic, but not personal data.
    Staff,
    /// A token that may read personal data too.
    Operator,
}

impl Audience {
    /// What a token is.
    pub(super) fn of(caller: &Caller) -> Self {
        if caller.name == ANYONE {
            Self::Public
        } else if caller.may(Scope::ReadPersonal) {
            Self::Operator
        } else {
            Self::Staff
        }
    }
}

/// What is known of one tenant's world.
#[derive(Debug, Default)]
pub(super) struct Scene {
    projection: Projection,
    entities: BTreeMap<String, Marked<Entity>>,
    coverage: BTreeMap<Source, Marked<Heard>>,
    alarms: BTreeMap<String, Marked<Alarm>>,
    /// Ids of what has gone, and the revision at which it went.
    gone: Vec<(u64, String)>,
    revision: u64,
}

/// Something, and the revision at which it last changed.
#[derive(Debug)]
struct Marked<T> {
    what: T,
    revision: u64,
}

/// What a station last said it sees, and when.
#[derive(Debug)]
struct Heard {
    coverage: Coverage,
    at: Timestamp,
}

impl Scene {
    /// Takes a record in.
    pub(super) fn take(&mut self, record: &Record) {
        self.revision += 1;
        let revision = self.revision;
        if let Some(alarm) = alarms::of_record(record) {
            let known = self.alarms.get(&alarm.id);
            if known.is_none_or(|known| known.what.version < alarm.version) {
                self.alarms.insert(alarm.id.clone(), Marked { what: alarm, revision });
            }
            return;
        }
        if record.kind == Kind::V2x(MessageKind::Cpm) {
            self.take_coverage(record);
        }
        for entity in self.projection.take(record) {
            let known = self.entities.get(&entity.id);
            if known.is_some_and(|known| known.what.observed_at > entity.observed_at) {
                continue;
            }
            if known.is_none() && self.entities.len() >= MAX_ENTITIES {
                metrics::counter!("masa_control_room_dropped_total", "reason" => "too-many-entities").increment(1);
                continue;
            }
            if entity.valid_until > entity.observed_at {
                self.entities.insert(entity.id.clone(), Marked { what: entity, revision });
            } else if known.is_some() {
                self.entities.remove(&entity.id);
                self.gone.push((revision, entity.id));
            }
        }
    }

    fn take_coverage(&mut self, record: &Record) {
        let Some(Message::Cpm(cpm)) = record.message() else { return };
        let Some(coverage) = coverage::of_cpm(&cpm) else { return };
        let (at, revision) = (record.measured_at, self.revision);
        match self.coverage.get_mut(&record.source) {
            // Repeated every second: it has changed only when it has.
            Some(known) if known.what.coverage == coverage => known.what.at = known.what.at.max(at),
            _ => drop(self.coverage.insert(record.source.clone(), Marked { what: Heard { coverage, at }, revision })),
        }
    }

    /// Forgets what no longer holds at `now`.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.revision += 1;
        let (revision, gone) = (self.revision, &mut self.gone);
        self.entities.retain(|id, entity| {
            let holds = entity.what.valid_until >= now;
            if !holds {
                gone.push((revision, id.clone()));
            }
            holds
        });
        self.coverage.retain(|source, heard| {
            let holds = heard.what.at.plus_ms(COVERAGE_MS) >= now;
            if !holds {
                gone.push((revision, coverage_id(source)));
            }
            holds
        });
        let old = now.plus_ms(-CLOSED_ALARM_MS).unix_ms();
        self.alarms.retain(|_, alarm| alarm.what.state != super::alarm::State::Closed || alarm.what.changed_ms >= old);
    }

    /// Forgets which things went; those who take texts have been told.
    pub(super) fn told(&mut self) {
        self.gone.clear();
    }

    /// Where it stands: give it to the next [`Scene::text`].
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Every entity that holds.
    pub(super) fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.values().map(|marked| &marked.what)
    }

    /// The world at `now` for the page: everything, or what has changed since a revision.
    pub(super) fn text(&self, audience: Audience, since: Option<u64>, now: Timestamp) -> Value {
        let from = since.unwrap_or(0);
        let changed = self.entities.values().filter(|e| e.revision > from).map(|e| &e.what);
        let (users, things): (Vec<_>, Vec<_>) = changed
            .filter(|entity| audience == Audience::Operator || entity.kind.sensitivity() == Sensitivity::Open)
            .partition(|entity| is_road_user(entity.kind));
        let coverage = self.coverage.iter().filter(|(_, c)| c.revision > from && audience > Audience::Public);
        let coverage = coverage.map(|(source, heard)| {
            let Coverage { place, rings } = &heard.what.coverage;
            let (id, station) = (coverage_id(source), source.station);
            json!({ "id": id, "site": source.site, "station": station, "place": place, "rings": rings })
        });
        let alarms = self.alarms.values().filter(|a| a.revision > from && audience > Audience::Public);
        json!({
            "at": now.unix_ms(),
            "whole": since.is_none(),
            "users": users.into_iter().map(row).collect::<Vec<_>>(),
            "things": things.into_iter().map(thing).collect::<Vec<_>>(),
            "coverage": coverage.collect::<Vec<_>>(),
            "alarms": alarms.map(|a| &a.what).collect::<Vec<_>>(),
            "gone": self.gone.iter().filter(|(at, _)| *at > from).map(|(_, id)| id).collect::<Vec<_>>(),
        })
    }
}

fn is_road_user(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Vehicle | EntityKind::PerceivedObject)
}

fn coverage_id(source: &Source) -> String {
    format!("coverage:{}:{}", source.site, source.station)
}

/// A road user in the order of `COLUMNS` in `scene.js`: thousands of them move at once.
fn row(entity: &Entity) -> Value {
    let Geometry::Point(at) = &entity.geometry else { return Value::Null };
    let value = |name: &str| entity.attributes.get(name).map_or(Value::Null, |attribute| attribute.value());
    let either = |first: &str, second: &str| match value(first) {
        Value::Null => value(second),
        found => found,
    };
    let accuracy = value("positionAccuracy");
    let axis = |name: &str| accuracy.get(name).cloned().unwrap_or_default();
    let round = |deg: f64| (deg * 1e7).round() / 1e7;
    json!([
        entity.id,
        either("vehicleType", "class"),
        round(at.lon_deg),
        round(at.lat_deg),
        // The model's heading of a standing vehicle is -1; where it points is its bearing.
        either("bearing", "heading"),
        value("speed"),
        axis("semiMajor"),
        axis("semiMinor"),
        axis("orientation"),
        value("objectAge"),
        entity.observed_at.unix_ms(),
        value("length"),
        value("width"),
        value("classConfidence"),
        entity.origin.station,
        entity.origin.message,
    ])
}

/// Anything else: a GeoJSON feature with its times in milliseconds.
fn thing(entity: &Entity) -> Value {
    let mut feature = entity.to_feature();
    feature["at"] = entity.observed_at.unix_ms().into();
    feature["until"] = entity.valid_until.unix_ms().into();
    feature["station"] = entity.origin.station.into();
    feature["site"] = entity.origin.site.as_str().into();
    feature
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Tenant;
    use masa_v2x_proto::geo::Wgs84;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_356_200_000);

    /// A record of a service that gives one entity.
    fn record(kind: &str, name: &str, at: Timestamp) -> Record {
        let document = json!({ "id": format!("urn:ngsi-ld:{kind}:modena:7:{name}"), "type": kind, "speed": 36.0, "heading": 90.0,
            "location": { "type": "Point", "coordinates": [10.93, 44.65] } });
        Record {
            arrival: 0,
            tenant: Tenant::default(),
            source: Source { site: "modena".into(), station: 7 },
            kind: Kind::Service,
            epoch: 1,
            sequence: 1,
            message_id: "7-service-1".into(),
            entity: name.into(),
            measured_at: at,
            received_at: at,
            position: Some(Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 0.0 }),
            sensitivity: Sensitivity::Open,
            topic: String::new(),
            payload: serde_json::to_vec(&document).unwrap().into(),
        }
    }

    fn count(text: &Value, list: &str) -> usize {
        text[list].as_array().unwrap().len()
    }

    #[test]
    fn only_operators_are_sent_single_road_users() {
        let mut scene = Scene::default();
        scene.take(&record("Vehicle", "1", NOW));
        scene.take(&record("ParkingSpot", "2", NOW));
        for (audience, users) in [(Audience::Public, 0), (Audience::Staff, 0), (Audience::Operator, 1)] {
            let text = scene.text(audience, None, NOW);
            assert_eq!((count(&text, "users"), count(&text, "things")), (users, 1), "{audience:?}");
        }
        let row = scene.text(Audience::Operator, None, NOW)["users"][0].clone();
        assert_eq!((&row[2], &row[4], &row[5]), (&json!(10.93), &json!(90.0), &json!(36.0)));
    }

    #[test]
    fn a_text_says_what_has_changed_and_what_has_gone() {
        let mut scene = Scene::default();
        scene.take(&record("Vehicle", "1", NOW));
        let told = scene.revision();
        scene.take(&record("Vehicle", "2", NOW.plus_ms(200)));
        scene.take(&record("Vehicle", "2", NOW.plus_ms(100)));
        let text = scene.text(Audience::Operator, Some(told), NOW.plus_ms(200));
        assert_eq!((count(&text, "users"), &text["whole"]), (1, &json!(false)));
        assert_eq!(text["users"][0][10], NOW.plus_ms(200).unix_ms(), "an older record replaces nothing");
        let told = scene.revision();
        scene.sweep(NOW.plus_ms(60_000));
        let text = scene.text(Audience::Operator, Some(told), NOW.plus_ms(60_000));
        assert_eq!((count(&text, "users"), count(&text, "gone")), (0, 2));
        scene.told();
        assert_eq!(count(&scene.text(Audience::Operator, None, NOW.plus_ms(60_000)), "gone"), 0);
    }
}
