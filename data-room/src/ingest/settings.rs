//! The ingest's settings.

use crate::record::Tenant;
use masa_links::{MqttSettings, ZenohSettings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where messages come from, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct IngestSettings {
    /// Read over Zenoh.
    pub zenoh: Option<ZenohSettings>,
    /// Read from an MQTT broker.
    pub mqtt: Option<MqttSettings>,
    /// Name under which messages are acknowledged: what the nodes have in `readers`.
    pub acknowledge_as: String,
    /// Sites by tenant; a site that is not named is refused. Empty: every site belongs to the tenant `city`.
    pub tenants: BTreeMap<Tenant, Vec<String>>,
    /// Messages that wait for the store; beyond, they wait in the nodes' outboxes, and best-effort ones are dropped.
    pub capacity: usize,
    /// Most messages of one commit.
    pub batch: usize,
    /// How far a source's clock may be ahead of ours before that is counted, milliseconds. What is measured after it arrived
    /// is taken as measured when it arrived.
    pub ahead_ms: u32,
    /// Stations times kinds that are kept apart; ten thousand nodes with six kinds are 60 000.
    pub max_streams: usize,
    /// Pause before a batch is offered again to a store that did not take it, milliseconds.
    pub retry_ms: u32,
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self {
            zenoh: None,
            mqtt: None,
            acknowledge_as: "data-room".into(),
            tenants: BTreeMap::new(),
            capacity: 8_192,
            batch: 4_096,
            ahead_ms: 2_000,
            max_streams: 65_536,
            retry_ms: 500,
        }
    }
}
