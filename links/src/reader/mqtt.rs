//! Reading over MQTT. The polling task only copies into the reader's inbox.
//!
//! Best-effort kinds are read from the UPER topics, at-least-once kinds from the outbox topics, where they have numbers.

use super::{Arrival, Inbox, Received, Source, Uplink};
use crate::clock;
use crate::error::LinkError;
use crate::keys::{self, Item, Selector};
use crate::message::{Delivery, MessageKind, Policy};
use crate::protocol::{Ack, Get, Page, from_json, to_json};
use crate::stats::{Ledger, LinkName, LinkState};
use crate::transport::mqtt::{Happening, MqttSettings, connect, poll};
use rumqttc::{AsyncClient, PublishOptions, QoS, SessionMode};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Connects in the background and subscribes. `name` becomes the client id unless one is set.
pub(super) fn start(
    settings: &MqttSettings,
    name: Option<&str>,
    selectors: &Arc<[Selector]>,
    inbox: Inbox,
    ledger: Arc<Ledger>,
) -> Result<Box<dyn Uplink>, LinkError> {
    // A listener without a name must neither take another one's session nor leave one behind.
    let session =
        if settings.client_id.is_some() || name.is_some() { SessionMode::Persistent } else { SessionMode::Clean };
    let unnamed = || format!("masa-reader-{}-{}", std::process::id(), clock::now().unix_ns() % 1_000_000_000);
    let client_id =
        settings.client_id.clone().or_else(|| name.map(|name| format!("masa-reader-{name}"))).unwrap_or_else(unnamed);
    let (client, event_loop) = connect(settings, &client_id, session)?;
    let filters = topic_filters(selectors);
    let (subscriber, peer) = (client.clone(), settings.peer());
    ledger.status(LinkName::Mqtt, LinkState::Connecting, peer.clone());
    let on = move |happening| match happening {
        Happening::Connected => {
            for (filter, qos) in &filters {
                if let Err(e) = subscriber.try_subscribe(filter.clone(), *qos) {
                    tracing::warn!(filter, error = %e, "mqtt subscription not queued");
                }
            }
            ledger.status(LinkName::Mqtt, LinkState::Up, peer.clone());
        }
        Happening::Lost { words, needs_operator } => {
            let state = if needs_operator { LinkState::Failed } else { LinkState::Connecting };
            ledger.status(LinkName::Mqtt, state, format!("{peer}: {words}"));
        }
        Happening::SubscriptionDenied => {
            ledger.status(LinkName::Mqtt, LinkState::Failed, format!("{peer}: the broker denies a subscription"));
        }
        Happening::Message { topic, payload } => take(&inbox, &topic, payload),
    };
    let task = tokio::spawn(poll(event_loop, settings.retry_max(), on));
    Ok(Box::new(MqttUplink { client, task }))
}

fn topic_filters(selectors: &[Selector]) -> Vec<(String, QoS)> {
    let mut filters = Vec::new();
    for selector in selectors {
        let (site, station) = selector.owner("+");
        filters.extend(selector.kinds().into_iter().map(|kind| match Policy::of(kind).delivery {
            Delivery::AtLeastOnce => (keys::outbox_key(&site, &station, kind), QoS::AtLeastOnce),
            Delivery::BestEffort => (message_filter(&site, &station, kind), QoS::AtMostOnce),
        }));
    }
    filters
}

fn message_filter(site: &str, station: &str, kind: MessageKind) -> String {
    format!("masa/{site}/{station}/v2x/{}/+", kind.name())
}

fn take(inbox: &Inbox, topic: &str, payload: bytes::Bytes) {
    let received_at = clock::now();
    let link = LinkName::Mqtt;
    let Some(keys::Address { site, station, item }) = keys::parse(topic) else {
        return inbox.malformed(link, topic, &"not one of our topics");
    };
    match item {
        Item::Message { kind, quadkey } => {
            let received = Received { link, site, station, kind, quadkey, header: None, uper: payload, received_at };
            inbox.put(Arrival::Message(received));
        }
        Item::Outbox { kind } => match from_json::<Page>("page", &payload) {
            Ok(page) => inbox.put(Arrival::Page { link, site, station, kind, page, received_at }),
            Err(e) => inbox.malformed(link, topic, &e),
        },
        Item::Get { .. } | Item::Ack { .. } => inbox.malformed(link, topic, &"not subscribed to"),
    }
}

struct MqttUplink {
    client: AsyncClient,
    task: JoinHandle<()>,
}

impl Drop for MqttUplink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MqttUplink {
    /// What does not fit is said again at one of the next ticks.
    fn publish(&self, topic: String, payload: Vec<u8>) {
        if let Err(e) = self.client.try_publish(topic, payload, PublishOptions::at_most_once()) {
            tracing::debug!(error = %e, "mqtt reader cannot publish");
        }
    }
}

impl Uplink for MqttUplink {
    fn link(&self) -> LinkName {
        LinkName::Mqtt
    }

    fn ask(&self, (site, station, kind): &Source, after: u64) {
        self.publish(keys::get_topic(site, &station.to_string(), kind.name()), to_json(&Get { after }));
    }

    fn acknowledge(&self, (site, station, _): &Source, reader: &str, ack: &Ack) {
        self.publish(keys::ack_key(site, &station.to_string(), reader), to_json(ack));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_becomes_topic_filters() {
        let filters = topic_filters(&[Selector { station: Some(7), ..Selector::default() }]);
        let names: Vec<_> = filters.iter().map(|(filter, _)| filter.as_str()).collect();
        assert_eq!(names, ["masa/+/7/v2x/cam/+", "masa/+/7/outbox/denm", "masa/+/7/v2x/cpm/+"]);
    }
}
