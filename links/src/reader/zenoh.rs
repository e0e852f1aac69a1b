//! Reading over Zenoh. Callbacks only copy into the reader's inbox.

use super::{Arrival, Inbox, Received, Source, Uplink};
use crate::clock;
use crate::error::LinkError;
use crate::keys::{self, Item, Selector};
use crate::message::{Delivery, MessageKind, Policy};
use crate::protocol::{Ack, Header, Page, from_json, to_json};
use crate::stats::{Ledger, LinkName, LinkState};
use crate::transport::zenoh::{ZenohSettings, open, to_config, watch_peers};
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinHandle;
use zenoh::bytes::ZBytes;
use zenoh::qos::CongestionControl;
use zenoh::query::ConsolidationMode;
use zenoh::sample::Sample;
use zenoh::{Session, Wait};

/// Time a publisher has to answer; then the reader asks again.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Opens a session in the background and subscribes.
pub(super) fn start(
    settings: &ZenohSettings,
    selectors: &Arc<[Selector]>,
    inbox: Inbox,
    ledger: Arc<Ledger>,
) -> Result<Box<dyn Uplink>, LinkError> {
    to_config(settings)?;
    let session = Arc::new(OnceLock::new());
    let task = tokio::spawn(run(settings.clone(), selectors.clone(), inbox.clone(), ledger, session.clone()));
    Ok(Box::new(ZenohUplink { session, inbox, task }))
}

struct ZenohUplink {
    session: Arc<OnceLock<Session>>,
    inbox: Inbox,
    task: JoinHandle<()>,
}

impl Drop for ZenohUplink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Uplink for ZenohUplink {
    fn link(&self) -> LinkName {
        LinkName::Zenoh
    }

    fn ask(&self, (site, station, kind): &Source, after: u64) {
        let Some(session) = self.session.get() else { return };
        let selector = format!("{}?after={after}", keys::outbox_key(site, &station.to_string(), *kind));
        let inbox = self.inbox.clone();
        let asked = session
            .get(selector)
            .consolidation(ConsolidationMode::None)
            .timeout(ANSWER_WITHIN)
            .callback(move |reply| match reply.result() {
                Ok(sample) => take_page(&inbox, sample),
                // No answer is no news: the next tick asks again.
                Err(e) => tracing::debug!(error = ?e, "zenoh query"),
            })
            .wait();
        if let Err(e) = asked {
            tracing::debug!(error = %e, "zenoh query not sent");
        }
    }

    fn acknowledge(&self, (site, station, _): &Source, reader: &str, ack: &Ack) {
        let Some(session) = self.session.get() else { return };
        let key = keys::ack_key(site, &station.to_string(), reader);
        if let Err(e) = session.put(key, to_json(ack)).congestion_control(CongestionControl::Drop).wait() {
            tracing::debug!(error = %e, "zenoh acknowledgement not sent");
        }
    }
}

fn to_bytes(payload: &ZBytes) -> Bytes {
    Bytes::from(payload.to_bytes().into_owned())
}

fn take_message(inbox: &Inbox, sample: &Sample) {
    let received_at = clock::now();
    let key = sample.key_expr().as_str();
    let Some(keys::Address { site, station, item: Item::Message { kind, quadkey } }) = keys::parse(key) else {
        return inbox.malformed(LinkName::Zenoh, key, &"not a message's key");
    };
    let header = match sample.attachment().map(|a| from_json::<Header>("attachment", &a.to_bytes())) {
        Some(Ok(header)) => Some(header),
        Some(Err(e)) => return inbox.malformed(LinkName::Zenoh, key, &e),
        None => None,
    };
    let uper = to_bytes(sample.payload());
    let link = LinkName::Zenoh;
    inbox.put(Arrival::Message(Received { link, site, station, kind, quadkey, header, uper, received_at }));
}

fn take_page(inbox: &Inbox, sample: &Sample) {
    let received_at = clock::now();
    let key = sample.key_expr().as_str();
    let Some(keys::Address { site, station, item: Item::Outbox { kind } }) = keys::parse(key) else {
        return inbox.malformed(LinkName::Zenoh, key, &"not an outbox's key");
    };
    match from_json::<Page>("page", &sample.payload().to_bytes()) {
        Ok(page) => inbox.put(Arrival::Page { link: LinkName::Zenoh, site, station, kind, page, received_at }),
        Err(e) => inbox.malformed(LinkName::Zenoh, key, &e),
    }
}

/// Keys to subscribe to: messages, and the announcements of the kinds that have an outbox.
fn key_expressions(selector: &Selector) -> (Vec<String>, Vec<String>) {
    let (site, station) = selector.owner("*");
    let quadkeys = selector.quadkey_prefix.as_ref().map_or("*".into(), |prefix| format!("{prefix}$*"));
    let messages =
        selector.kinds().into_iter().map(|kind| format!("masa/{site}/{station}/v2x/{}/{quadkeys}", kind.name()));
    let reliable = |kind: &MessageKind| Policy::of(*kind).delivery == Delivery::AtLeastOnce;
    let outboxes = selector.kinds().into_iter().filter(reliable).map(|kind| keys::outbox_key(&site, &station, kind));
    (messages.collect(), outboxes.collect())
}

/// Opens and subscribes, then keeps both alive until aborted.
async fn run(
    settings: ZenohSettings,
    selectors: Arc<[Selector]>,
    inbox: Inbox,
    ledger: Arc<Ledger>,
    cell: Arc<OnceLock<Session>>,
) {
    let session = open(&settings, &ledger).await;
    let _declared = match subscribe(&session, &selectors, &inbox, ledger.clone(), settings.waiting_words()).await {
        Ok(declared) => declared,
        Err(e) => return ledger.status(LinkName::Zenoh, LinkState::Failed, format!("cannot subscribe: {e}")),
    };
    let _ = cell.set(session);
    std::future::pending::<()>().await;
}

async fn subscribe(
    session: &Session,
    selectors: &[Selector],
    inbox: &Inbox,
    ledger: Arc<Ledger>,
    waiting: String,
) -> Result<Box<dyn Send>, zenoh::Error> {
    let peers = watch_peers(session, ledger, waiting, |_| {}).await?;
    let mut subscribers = Vec::new();
    for selector in selectors {
        let (messages, outboxes) = key_expressions(selector);
        for key in messages {
            let inbox = inbox.clone();
            let subscriber = session.declare_subscriber(key).callback(move |sample| take_message(&inbox, &sample));
            subscribers.push(subscriber.await?);
        }
        for key in outboxes {
            let inbox = inbox.clone();
            let subscriber = session.declare_subscriber(key).callback(move |sample| take_page(&inbox, &sample));
            subscribers.push(subscriber.await?);
        }
    }
    Ok(Box::new((peers, subscribers)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_becomes_key_expressions() {
        let selector = Selector {
            site: Some("m".into()),
            kind: Some(MessageKind::Denm),
            quadkey_prefix: Some("01".into()),
            station: None,
        };
        let (messages, outboxes) = key_expressions(&selector);
        assert_eq!(messages, ["masa/m/*/v2x/denm/01$*"]);
        assert_eq!(outboxes, ["masa/m/*/outbox/denm"]);
        let (messages, outboxes) = key_expressions(&Selector::default());
        assert_eq!((messages.len(), outboxes.len()), (3, 1));
    }
}
