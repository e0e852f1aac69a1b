//! Simulated devices that speak MQTT: sensors and signal controllers.
//!
//! In: documents. Out: the same at a broker, once it can be reached. While it cannot, the newest documents wait and older
//! ones go: a reading that comes late is worth nothing.

use rumqttc::{AsyncClient, MqttOptions, NetworkOptions, PublishOptions, QoS};
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Documents under way to the broker at most.
const CAPACITY: usize = 64;
/// Pause between attempts to connect.
const RETRY: Duration = Duration::from_millis(500);

/// A connection that publishes; it ends when it is dropped.
#[derive(Debug)]
pub struct Publisher {
    client: AsyncClient,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Connects in the background and stays connected. Must be called on a tokio runtime.
    pub fn connect(broker: SocketAddr, client_id: &str) -> Self {
        let mut options = MqttOptions::new(client_id, (broker.ip().to_string(), broker.port()));
        options.set_keep_alive(15);
        let (client, mut events) = AsyncClient::builder(options).capacity(CAPACITY).build();
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
        let task = tokio::spawn(async move {
            loop {
                if let Err(error) = events.poll().await {
                    tracing::debug!(%broker, %error, "simulated devices cannot reach the broker");
                    tokio::time::sleep(RETRY).await;
                }
            }
        });
        Self { client, task }
    }

    /// Publishes a document, if there is room for it.
    pub fn publish(&self, topic: &str, document: &impl Serialize) {
        let payload = match serde_json::to_string(document) {
            Ok(payload) => payload,
            Err(error) => return tracing::warn!(topic, %error, "a document of a simulated device cannot be written"),
        };
        if let Err(error) = self.client.try_publish(topic, payload, PublishOptions::new(QoS::AtMostOnce)) {
            tracing::debug!(topic, %error, "a document of a simulated device was dropped");
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}
