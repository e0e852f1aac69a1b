//! Reading over MQTT. The polling task only copies into the reader's inbox.
//!
//! Best-effort kinds are read from the UPER topics, at-least-once kinds from the outbox topics, where they have numbers; a
//! reader of places reads the UPER topics of its tiles and what the broker retains for them.

use super::{Arrival, Inbox, Received, Source, Uplink};
use crate::clock;
use crate::error::LinkError;
use crate::keys::{self, Item, Selector};
use crate::kind::Kind;
use crate::message::{Delivery, Policy};
use crate::protocol::{Ack, Get, Page, from_json, to_json};
use crate::stats::{Ledger, LinkName, LinkState};
use crate::transport::mqtt::{Happening, MqttSettings, connect, poll};
use rumqttc::{AsyncClient, PublishOptions, QoS, SessionMode};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
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
    // One of places must not find the places of its last drive.
    let named = settings.client_id.is_some() || name.is_some();
    let of_places = selectors.iter().any(|selector| !selector.tiles.is_empty());
    let session = if named && !of_places { SessionMode::Persistent } else { SessionMode::Clean };
    let unnamed = || format!("masa-reader-{}-{}", std::process::id(), clock::now().unix_ns() % 1_000_000_000);
    let client_id =
        settings.client_id.clone().or_else(|| name.map(|name| format!("masa-reader-{name}"))).unwrap_or_else(unnamed);
    let (client, event_loop) = connect(settings, &client_id, session)?;
    let filters = Arc::new(Mutex::new(topic_filters(selectors)));
    let (subscriber, current, peer) = (client.clone(), filters.clone(), settings.peer());
    ledger.status(LinkName::Mqtt, LinkState::Connecting, peer.clone());
    let on = move |happening| match happening {
        Happening::Connected => {
            let filters = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            filters.into_iter().for_each(|(filter, qos)| subscribe(&subscriber, filter, qos));
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
    Ok(Box::new(MqttUplink { client, filters, task }))
}

fn subscribe(client: &AsyncClient, filter: String, qos: QoS) {
    if let Err(e) = client.try_subscribe(filter.clone(), qos) {
        tracing::warn!(filter, error = %e, "mqtt subscription not queued");
    }
}

fn topic_filters(selectors: &[Selector]) -> Filters {
    let mut filters = Filters::new();
    for selector in selectors {
        let (site, station) = selector.owner("+");
        let live = selector.levels("+");
        let current = format!("{}/{}", keys::CURRENT, selector.kind.map_or("+", Kind::name));
        for tile in selector.tiles.iter().map(|tile| keys::levels(tile)) {
            for group in [&live, &current] {
                filters.insert(format!("masa/{site}/{station}/{group}/{tile}/#"), QoS::AtLeastOnce);
            }
        }
        if !selector.tiles.is_empty() {
            continue;
        }
        filters.extend(selector.kinds().into_iter().map(|kind| match Policy::of(kind).delivery {
            Delivery::AtLeastOnce => (keys::outbox_key(&site, &station, kind), QoS::AtLeastOnce),
            Delivery::BestEffort => (message_filter(&site, &station, kind), QoS::AtMostOnce),
        }));
    }
    filters
}

fn message_filter(site: &str, station: &str, kind: Kind) -> String {
    format!("masa/{site}/{station}/{}/#", kind.levels())
}

fn take(inbox: &Inbox, topic: &str, payload: bytes::Bytes) {
    let received_at = clock::now();
    let link = LinkName::Mqtt;
    let Some(keys::Address { site, station, item }) = keys::parse(topic) else {
        return inbox.malformed(link, topic, &"not one of our topics");
    };
    match item {
        // What is over is retained as nothing, which is no message.
        Item::Current { .. } if payload.is_empty() => {}
        Item::Message { kind, quadkey } | Item::Current { kind, quadkey, .. } => {
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

/// Topic filters and their qualities of service.
type Filters = BTreeMap<String, QoS>;

struct MqttUplink {
    client: AsyncClient,
    /// What is subscribed to, again after a reconnection.
    filters: Arc<Mutex<Filters>>,
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

    fn select(&mut self, selectors: &Arc<[Selector]>) {
        let wanted = topic_filters(selectors);
        let mut filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        for filter in filters.keys().filter(|filter| !wanted.contains_key(*filter)) {
            if let Err(e) = self.client.try_unsubscribe(filter.clone()) {
                tracing::debug!(filter, error = %e, "mqtt subscription stays");
            }
        }
        for (filter, qos) in wanted.iter().filter(|(filter, _)| !filters.contains_key(*filter)) {
            subscribe(&self.client, filter.clone(), *qos);
        }
        *filters = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::MessageKind;

    #[test]
    fn a_selector_becomes_topic_filters() {
        let filters = topic_filters(&[Selector { station: Some(7), ..Selector::default() }]);
        assert_eq!(filters.len(), MessageKind::ALL.len());
        assert_eq!(filters["masa/+/7/v2x/cam/#"], QoS::AtMostOnce);
        assert_eq!(filters["masa/+/7/outbox/denm"], QoS::AtLeastOnce);
    }

    #[test]
    fn a_selector_of_places_becomes_filters_of_its_tiles() {
        let selector =
            Selector { kind: Some(Kind::V2x(MessageKind::Denm)), tiles: vec!["012".into()], ..Selector::default() };
        let filters: Vec<_> = topic_filters(&[selector]).into_keys().collect();
        assert_eq!(filters, ["masa/+/+/current/denm/0/1/2/#", "masa/+/+/v2x/denm/0/1/2/#"]);
    }
}
