//! MQTT's settings.

use crate::settings::{Secret, TlsSettings};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// its-client's two directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Queue {
    /// `outQueue`: what applications read. For a broker of our own.
    #[default]
    Out,
    /// `inQueue`: what applications hand to an its-client platform, which forwards it.
    In,
}

/// The MQTT link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MqttSettings {
    /// Host name or address of the broker.
    pub host: String,
    /// Port of the broker; with `tls` usually 8883.
    pub port: u16,
    /// Client id, unique at the broker; absent: `masa-<site>-<station>`.
    pub client_id: Option<String>,
    /// User name.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<Secret>,
    /// TLS; absent: plain TCP.
    pub tls: Option<TlsSettings>,
    /// First level of the its-client topics.
    pub instance: String,
    /// Second level of the its-client topics.
    pub queue: Queue,
    /// Keep-alive, seconds; a dead broker is noticed within twice this time.
    pub keep_alive_s: u16,
    /// Largest packet, bytes.
    pub max_packet_bytes: usize,
    /// Longest pause between two attempts to connect, milliseconds; the first is 100 ms, then doubling.
    pub retry_max_ms: u32,
    /// Readers that must all acknowledge an at-least-once message; none: the broker's acknowledgement is enough.
    pub readers: Vec<String>,
}

impl Default for MqttSettings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 1883,
            client_id: None,
            user: None,
            password: None,
            tls: None,
            instance: "default".into(),
            queue: Queue::default(),
            keep_alive_s: 10,
            max_packet_bytes: 1024 * 1024,
            retry_max_ms: 2_000,
            readers: Vec::new(),
        }
    }
}

impl MqttSettings {
    /// Settings for a broker in this process.
    pub fn to_local_broker(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port(), ..Self::default() }
    }

    pub(crate) fn json_root(&self) -> String {
        let queue = match self.queue {
            Queue::Out => "outQueue",
            Queue::In => "inQueue",
        };
        format!("{}/{queue}", self.instance)
    }

    pub(crate) fn peer(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(crate) fn retry_max(&self) -> Duration {
        Duration::from_millis(u64::from(self.retry_max_ms))
    }
}
