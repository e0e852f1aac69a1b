//! Addresses: Zenoh keys and MQTT topics, built and parsed in one place.
//!
//! | What | Zenoh key and MQTT topic |
//! |---|---|
//! | a message, UPER, Zenoh | `masa/<site>/<station>/v2x/<kind>/<quadkey>` |
//! | a reading or what is wrong with a node, JSON, Zenoh | `masa/<site>/<station>/observation/<quadkey>`, `…/health/<quadkey>` |
//! | a message, UPER, MQTT | `masa/<site>/<station>/v2x/<kind>/<q>/<u>/<a>/<d>/…` |
//! | what holds now (answered over Zenoh, retained over MQTT), UPER | `masa/<site>/<station>/current/<kind>/<quadkey>/<name>` |
//! | a station answers for what holds now (Zenoh liveliness) | `masa/<site>/<station>/current` |
//! | the same two, JSON, MQTT | `…/observation/<q>/<u>/<a>/<d>/…`, `…/health/…` |
//! | a message, JSON (MQTT only) | `<instance>/<outQueue or inQueue>/v2x/<kind>/<source_uuid>/<q>/<u>/<a>/<d>/…` |
//! | what the outbox holds ([`crate::protocol::Page`]) | `masa/<site>/<station>/outbox/<kind>` |
//! | a reader asks for more (MQTT; a Zenoh reader queries the key above with `?after=<number>`) | `masa/<site>/<station>/outbox/<kind>/get` |
//! | a reader acknowledges ([`crate::protocol::Ack`]) | `masa/<site>/<station>/ack/<reader>` |
//!
//! The JSON form is that of Orange's its-client (`geo_topic`): one topic level per quadkey digit, so that a client
//! subscribes to a tile with `…/0/1/2/#`; the UPER topics are made alike. There is no JSON over Zenoh: its readers take
//! UPER, and a second image would double the load of the path to vehicles. In Zenoh keys a quadkey is one level, since
//! Zenoh matches a prefix with `0123$*`.

use crate::kind::Kind;
use crate::message::Station;
use masa_v2x_proto::MessageKind;

/// A parsed `masa/…` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub site: String,
    pub station: u32,
    pub item: Item,
}

/// What a `masa/<site>/<station>/…` address is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Message { kind: Kind, quadkey: String },
    Current { kind: Kind, quadkey: String, name: String },
    Outbox { kind: Kind },
    Get { kind: Kind },
    Ack { reader: String },
}

/// Zenoh key of a station's message.
pub fn key(site: &str, station: u32, kind: Kind, quadkey: &str) -> String {
    format!("masa/{site}/{station}/{}/{quadkey}", kind.levels())
}

/// Zenoh key of a message: [`key`].
pub(crate) fn uper_key(station: &Station, kind: Kind, quadkey: &str) -> String {
    key(station.site(), station.station(), kind, quadkey)
}

/// MQTT topic of a UPER message.
pub fn uper_topic(station: &Station, kind: Kind, quadkey: &str) -> String {
    uper_key(station, kind, &levels(quadkey))
}

/// The level below which is what holds now.
pub(crate) const CURRENT: &str = "current";

/// Below this is what holds now.
pub(crate) fn current_root(station: &Station) -> String {
    format!("masa/{}/{}/{CURRENT}", station.site(), station.station())
}

/// The digits of a quadkey as levels of a topic.
pub(crate) fn levels(quadkey: &str) -> String {
    quadkey.char_indices().flat_map(|(at, digit)| (at > 0).then_some('/').into_iter().chain([digit])).collect()
}

/// its-client topic of a message's JSON image below `root`, which is `<instance>/<queue>`.
pub fn json_topic(root: &str, source_uuid: &str, kind: Kind, quadkey: &str) -> String {
    format!("{root}/v2x/{}/{source_uuid}/{}", kind.name(), levels(quadkey))
}

/// Key of what a station's outbox holds of one kind; `site` and `station` may be `*` or `+`.
pub(crate) fn outbox_key(site: &str, station: &str, kind: Kind) -> String {
    format!("masa/{site}/{station}/outbox/{}", kind.name())
}

/// Topic on which an MQTT reader asks for more.
pub(crate) fn get_topic(site: &str, station: &str, kind: &str) -> String {
    format!("masa/{site}/{station}/outbox/{kind}/get")
}

/// Key on which `reader` acknowledges; `*` or `+` for every reader.
pub(crate) fn ack_key(site: &str, station: &str, reader: &str) -> String {
    format!("masa/{site}/{station}/ack/{reader}")
}

/// Parses a `masa/…` address; `None` for everything else.
pub(crate) fn parse(key: &str) -> Option<Address> {
    let mut levels = key.split('/');
    if levels.next()? != "masa" {
        return None;
    }
    let site = levels.next()?.to_owned();
    let station = levels.next()?.parse().ok()?;
    let group = levels.next()?;
    let first = levels.next()?;
    let rest: Vec<&str> = levels.collect();
    let kind = || Kind::from_name(first);
    let item = match (group, &rest[..]) {
        ("v2x", tile) => {
            let kind = Kind::V2x(MessageKind::from_name(first)?);
            Item::Message { kind, quadkey: quadkey(tile)? }
        }
        ("observation" | "health", tile) => {
            Item::Message { kind: Kind::from_name(group)?, quadkey: quadkey(&[&[first], tile].concat())? }
        }
        (CURRENT, [tile @ .., name]) => {
            Item::Current { kind: kind()?, quadkey: quadkey(tile)?, name: (*name).to_owned() }
        }
        ("outbox", []) => Item::Outbox { kind: kind()? },
        ("outbox", ["get"]) => Item::Get { kind: kind()? },
        ("ack", []) => Item::Ack { reader: first.to_owned() },
        _ => return None,
    };
    Some(Address { site, station, item })
}

/// Site and station of a `masa/<site>/<station>/…` address.
pub(crate) fn parse_station(key: &str) -> Option<(String, u32)> {
    let mut levels = key.strip_prefix("masa/")?.split('/');
    Some((levels.next()?.to_owned(), levels.next()?.parse().ok()?))
}

/// A quadkey in one level, or with a level for each digit.
fn quadkey(tile: &[&str]) -> Option<String> {
    let quadkey = tile.concat();
    let digits = (1..=24).contains(&quadkey.len()) && quadkey.bytes().all(|b| (b'0'..=b'3').contains(&b));
    let levels = tile.len() == 1 || tile.len() == quadkey.len();
    (digits && levels).then_some(quadkey)
}

/// Which messages a reader wants; `None` means any.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Selector {
    /// Name of the site.
    pub site: Option<String>,
    /// ETSI `StationId`.
    pub station: Option<u32>,
    /// Kind of message; absent: every V2X message.
    pub kind: Option<Kind>,
    /// Only messages about places inside one of these tiles (quadkeys of at most the digits that are published); none:
    /// everywhere.
    pub tiles: Vec<String>,
}

impl Selector {
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.kind.map_or_else(|| MessageKind::ALL.map(Kind::V2x).to_vec(), |kind| vec![kind])
    }

    /// The levels of the keys of its kinds, with `any` standing for "any".
    pub(crate) fn levels(&self, any: &str) -> String {
        self.kind.map_or_else(|| format!("v2x/{any}"), |kind| kind.levels().into_owned())
    }

    fn takes_kind(&self, kind: Kind) -> bool {
        self.kind.map_or(matches!(kind, Kind::V2x(_)), |k| k == kind)
    }

    /// Site and station with `any` standing for "any".
    pub(crate) fn owner(&self, any: &str) -> (String, String) {
        let site = self.site.clone().unwrap_or_else(|| any.to_owned());
        let station = self.station.map_or_else(|| any.to_owned(), |station| station.to_string());
        (site, station)
    }

    pub(crate) fn takes_owner(&self, site: &str, station: u32) -> bool {
        self.site.as_deref().is_none_or(|s| s == site) && self.station.is_none_or(|s| s == station)
    }

    pub(crate) fn takes(&self, site: &str, station: u32, kind: Kind, quadkey: &str) -> bool {
        self.takes_owner(site, station)
            && self.takes_kind(kind)
            && (self.tiles.is_empty() || self.tiles.iter().any(|tile| quadkey.starts_with(tile.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station() -> Station {
        Station::new("modena", 4001).unwrap()
    }

    #[test]
    fn json_topic_has_the_form_its_client_parses() {
        // The form of its-client's own parser tests: project/queue/server/type/uuid/digit/digit/…
        let topic = json_topic("default/outQueue", "masa_4001", Kind::V2x(MessageKind::Cam), "0123");
        assert_eq!(topic, "default/outQueue/v2x/cam/masa_4001/0/1/2/3");
    }

    #[test]
    fn every_address_parses_back() {
        let kind = Kind::V2x(MessageKind::Denm);
        let quadkey = || "0123".to_owned();
        let cases = [
            (
                uper_key(&station(), Kind::Observation, "0123"),
                Item::Message { kind: Kind::Observation, quadkey: quadkey() },
            ),
            (uper_topic(&station(), Kind::Health, "0123"), Item::Message { kind: Kind::Health, quadkey: quadkey() }),
            (outbox_key("modena", "4001", Kind::Observation), Item::Outbox { kind: Kind::Observation }),
            (uper_key(&station(), kind, "0123"), Item::Message { kind, quadkey: "0123".into() }),
            (uper_topic(&station(), kind, "0123"), Item::Message { kind, quadkey: "0123".into() }),
            (
                format!("{}/denm/0/1/2/3/4001-7", current_root(&station())),
                Item::Current { kind, quadkey: "0123".into(), name: "4001-7".into() },
            ),
            (outbox_key("modena", "4001", kind), Item::Outbox { kind }),
            (get_topic("modena", "4001", kind.name()), Item::Get { kind }),
            (ack_key("modena", "4001", "data-room"), Item::Ack { reader: "data-room".into() }),
        ];
        for (key, item) in cases {
            assert_eq!(parse(&key), Some(Address { site: "modena".into(), station: 4001, item }), "{key}");
        }
    }

    #[test]
    fn foreign_addresses_are_not_ours() {
        for key in [
            "",
            "masa",
            "masa/m/x/v2x/cam/0",
            "masa/m/1/v2x/xyz/0",
            "masa/m/1/v2x/observation/0",
            "masa/m/1/objects/0",
            "masa/m/1/v2x/cam/01/2",
            "masa/m/1/v2x/cam/4",
            "masa/m/1/current/denm/x",
            "a/m/1/v2x/cam/0",
        ] {
            assert_eq!(parse(key), None, "{key}");
        }
    }

    #[test]
    fn a_selector_takes_what_it_names() {
        let selector = Selector { station: Some(1), tiles: vec!["33".into(), "01".into()], ..Selector::default() };
        assert!(selector.takes("m", 1, Kind::V2x(MessageKind::Cam), "0123"));
        assert!(!selector.takes("m", 2, Kind::V2x(MessageKind::Cam), "0123"));
        assert!(!selector.takes("m", 1, Kind::V2x(MessageKind::Cam), "0023"));
        assert!(!selector.takes("m", 1, Kind::Observation, "0123"), "who asks for nothing gets V2X messages");
        let readings = Selector { kind: Some(Kind::Observation), ..Selector::default() };
        assert!(readings.takes("m", 1, Kind::Observation, "0") && !readings.takes("m", 1, Kind::Health, "0"));
    }
}
