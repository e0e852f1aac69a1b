//! Settings of a signal controller behind an MQTT broker.

use crate::sources::backoff::BackoffSettings;
use crate::sources::camera::Credentials;
use serde::{Deserialize, Serialize};

/// A controller, or several behind one broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ControllerSettings {
    /// `mqtt://host:port`, without credentials; port 1883 where none is given.
    pub broker: String,
    /// For brokers that ask for a password.
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// Client identifier, unique at the broker.
    #[serde(default = "default_client_id")]
    pub client_id: String,
    /// Topic filter of what signals show, with `+` and `#`.
    pub signals_topic: String,
    /// Topic filter of answers to requests for priority; absent: none are read.
    pub answers_topic: Option<String>,
    /// Topic of requests for priority, in which `{intersection}` becomes the number; absent: none are published.
    pub requests_topic: Option<String>,
    /// How far the controller's clock may be off, milliseconds: what it says of ends is wrong by as much.
    #[serde(default = "default_clock_error_ms")]
    pub clock_error_ms: u32,
    /// Largest payload read, bytes.
    #[serde(default = "default_max_payload_bytes")]
    pub max_payload_bytes: usize,
    /// Documents that may wait for the core; beyond it the oldest go and are counted.
    #[serde(default = "default_queue_capacity")]
    pub queue_capacity: usize,
    /// Waits between attempts to connect.
    #[serde(default)]
    pub reconnect: BackoffSettings,
}

fn default_client_id() -> String {
    "masa-signal-controller".to_owned()
}

fn default_clock_error_ms() -> u32 {
    2_000
}

fn default_max_payload_bytes() -> usize {
    64 << 10
}

fn default_queue_capacity() -> usize {
    256
}
