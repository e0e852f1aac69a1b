//! Settings of the links as a whole; each transport's own settings stand beside its code.

use crate::broker::BrokerSettings;
use crate::geonet::GeonetSettings;
use crate::message::Priority;
use crate::queue::{Lane, WhenFull};
use crate::transport::{mqtt::MqttSettings, zenoh::ZenohSettings};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which links a node has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LinksSettings {
    /// Zenoh; absent: not used.
    pub zenoh: Option<ZenohSettings>,
    /// An MQTT broker; absent: the embedded one if there is one, else MQTT is not used.
    pub mqtt: Option<MqttSettings>,
    /// GeoNetworking, by radio or tunnel; absent: not used.
    pub geonet: Option<GeonetSettings>,
    /// An MQTT broker inside this process, for demonstrations; absent: none.
    pub broker: Option<BrokerSettings>,
    /// Where messages that must arrive are kept.
    pub outbox: OutboxSettings,
    /// Sizes of the queues towards each link.
    pub queues: QueueSettings,
}

/// Where messages that must arrive are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OutboxSettings {
    /// SQLite file; absent: in memory, which does not survive a restart.
    pub path: Option<PathBuf>,
    /// What a stored message survives.
    pub durability: Durability,
    /// Most messages kept; beyond, the oldest goes and is counted.
    pub max_rows: u32,
    /// Longest time a message is kept, seconds, even if its validity is longer.
    pub max_age_s: u32,
    /// How long an acknowledged message stays available for other readers, seconds.
    pub keep_acknowledged_s: u32,
    /// Time between two announcements of the newest number, milliseconds: bounds how late a reader notices a lost last
    /// message.
    pub announce_ms: u32,
    /// Time after which the named readers' silence about a message makes the link's state, seconds: they are away, or the
    /// network denies us, which neither Zenoh nor MQTT 3.1.1 says.
    pub overdue_s: u32,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            path: None,
            durability: Durability::ProcessCrash,
            max_rows: 10_000,
            max_age_s: 3_600,
            keep_acknowledged_s: 120,
            announce_ms: 500,
            overdue_s: 30,
        }
    }
}

/// What a stored message survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// The end of the process, `kill -9` included (SQLite `synchronous=NORMAL`).
    ProcessCrash,
    /// Loss of power too; one disk flush per message (SQLite `synchronous=FULL`).
    PowerLoss,
}

/// Sizes of the queues towards each link, messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct QueueSettings {
    /// Warnings; beyond, they wait in the outbox.
    pub safety: usize,
    /// Perceived objects; the oldest goes.
    pub event: usize,
    /// Awareness; the oldest goes.
    pub status: usize,
    /// Everything else; the newest goes.
    pub bulk: usize,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { safety: 64, event: 32, status: 32, bulk: 256 }
    }
}

impl QueueSettings {
    pub(crate) fn lanes(&self) -> [Lane; Priority::ALL.len()] {
        Priority::ALL.map(|priority| match priority {
            Priority::Safety => Lane { capacity: self.safety, when_full: WhenFull::DropNewest },
            Priority::Event => Lane { capacity: self.event, when_full: WhenFull::DropOldest },
            Priority::Status => Lane { capacity: self.status, when_full: WhenFull::DropOldest },
            Priority::Bulk => Lane { capacity: self.bulk, when_full: WhenFull::DropNewest },
        })
    }
}

/// A password or the like: never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for handing it to whom it is for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Certificates for TLS, PEM files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TlsSettings {
    /// Certificate authorities that the other side must be signed by; absent: the system's.
    pub ca: Option<PathBuf>,
    /// Own certificate chain, for mutual authentication or to listen.
    pub certificate: Option<PathBuf>,
    /// Private key of `certificate`.
    pub key: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kebab_case_with_defaults_and_refuse_unknown_keys() {
        let text = r#"{
            "zenoh": { "mode": "client", "connect": ["tcp/127.0.0.1:7447"], "retry-max-ms": 500 },
            "mqtt": { "host": "broker.example", "queue": "in", "password": "p", "user": "u" },
            "outbox": { "durability": "power-loss" }
        }"#;
        let settings: LinksSettings = serde_json::from_str(text).unwrap();
        assert_eq!(settings.outbox.durability, Durability::PowerLoss);
        assert_eq!(settings.outbox.max_rows, OutboxSettings::default().max_rows);
        assert_eq!(settings.mqtt.as_ref().unwrap().port, 1883);
        assert_eq!(settings.broker, None);
        for unknown in [r#"{"zeno": {}}"#, r#"{"mqtt": {"prt": 1}}"#, r#"{"outbox": {"max_rows": 1}}"#] {
            let error = serde_json::from_str::<LinksSettings>(unknown).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
    }
}
