//! Settings of messages of other stations over Zenoh and MQTT.

use masa_links::{ReaderSettings, Selector};
use serde::{Deserialize, Serialize};

/// Where messages of other stations come from, and which are wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct V2xInSettings {
    /// The Zenoh peers or the MQTT broker to read from.
    pub reader: ReaderSettings,
    /// Which messages are wanted: those that any of these takes; none: all.
    pub select: Vec<Selector>,
}
