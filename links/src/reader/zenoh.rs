//! Reading over Zenoh. Callbacks only copy into the reader's inbox.

use super::{Arrival, Inbox, Received, Source, Uplink};
use crate::clock;
use crate::error::LinkError;
use crate::keys::{self, Item, Selector};
use crate::kind::Kind;
use crate::message::{Delivery, Policy};
use crate::protocol::{Ack, Header, Page, from_json, to_json};
use crate::stats::{Ledger, LinkName, LinkState};
use crate::transport::zenoh::{ZenohSettings, open, to_config, watch_peers};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use zenoh::bytes::ZBytes;
use zenoh::qos::CongestionControl;
use zenoh::query::{ConsolidationMode, QueryTarget};
use zenoh::sample::{Sample, SampleKind};
use zenoh::{Session, Wait};

/// Time a publisher has to answer; then the reader asks again.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Stations that came and are not asked yet.
const STATIONS: usize = 1_024;

/// Opens a session in the background and subscribes.
pub(super) fn start(
    settings: &ZenohSettings,
    selectors: &Arc<[Selector]>,
    inbox: Inbox,
    ledger: Arc<Ledger>,
) -> Result<Box<dyn Uplink>, LinkError> {
    to_config(settings)?;
    let session = Arc::new(OnceLock::new());
    let wanted = watch::Sender::new(selectors.clone());
    let task = tokio::spawn(run(settings.clone(), wanted.subscribe(), inbox.clone(), ledger, session.clone()));
    Ok(Box::new(ZenohUplink { session, wanted, inbox, task }))
}

struct ZenohUplink {
    session: Arc<OnceLock<Session>>,
    wanted: watch::Sender<Arc<[Selector]>>,
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

    fn select(&mut self, selectors: &Arc<[Selector]>) {
        self.wanted.send_replace(selectors.clone());
    }
}

fn to_bytes(payload: &ZBytes) -> Bytes {
    Bytes::from(payload.to_bytes().into_owned())
}

fn take_message(inbox: &Inbox, sample: &Sample) {
    let received_at = clock::now();
    let key = sample.key_expr().as_str();
    let (site, station, kind, quadkey) = match keys::parse(key) {
        Some(keys::Address {
            site,
            station,
            item: Item::Message { kind, quadkey } | Item::Current { kind, quadkey, .. },
        }) => (site, station, kind, quadkey),
        _ => return inbox.malformed(LinkName::Zenoh, key, &"not a message's key"),
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
    let messages = selector.kinds().into_iter().map(|kind| format!("masa/{site}/{station}/{}/*", kind.levels()));
    let reliable = |kind: &Kind| Policy::of(*kind).delivery == Delivery::AtLeastOnce;
    let outboxes = selector.kinds().into_iter().filter(reliable).map(|kind| keys::outbox_key(&site, &station, kind));
    (messages.collect(), outboxes.collect())
}

/// Opens and subscribes, then keeps both alive until aborted.
async fn run(
    settings: ZenohSettings,
    mut wanted: watch::Receiver<Arc<[Selector]>>,
    inbox: Inbox,
    ledger: Arc<Ledger>,
    cell: Arc<OnceLock<Session>>,
) {
    let session = open(&settings, &ledger).await;
    let selectors = wanted.borrow_and_update().clone();
    let waiting = settings.waiting_words();
    let failed = if selectors.iter().any(|selector| !selector.tiles.is_empty()) {
        follow(&session, wanted, &inbox, ledger.clone(), waiting).await.err()
    } else {
        match subscribe(&session, &selectors, &inbox, ledger.clone(), waiting).await {
            Ok(_declared) => {
                let _ = cell.set(session);
                std::future::pending().await
            }
            Err(e) => Some(e),
        }
    };
    if let Some(e) = failed {
        ledger.status(LinkName::Zenoh, LinkState::Failed, format!("cannot subscribe: {e}"));
    }
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

/// Keys of what happens in the selectors' tiles, each with that of what holds there at the stations of `owner`.
fn keys_of_places(selectors: &[Selector], owner: Option<&(String, u32)>) -> BTreeMap<String, String> {
    let mut places = BTreeMap::new();
    for selector in selectors {
        let owned;
        let selector = match owner {
            Some((site, station)) if selector.takes_owner(site, *station) => {
                owned = Selector { site: Some(site.clone()), station: Some(*station), ..selector.clone() };
                &owned
            }
            Some(_) => continue,
            None => selector,
        };
        let (site, station) = selector.owner("*");
        let (live, kind) = (selector.levels("*"), selector.kind.map_or("*", Kind::name));
        for tile in &selector.tiles {
            let current = format!("masa/{site}/{station}/{}/{kind}/{tile}$*/*", keys::CURRENT);
            places.insert(format!("masa/{site}/{station}/{live}/{tile}$*"), current);
        }
    }
    places
}

/// Subscribes to the tiles that are wanted, whichever these are, and asks for what holds there: everybody when the tiles
/// change, a station when it comes.
async fn follow(
    session: &Session,
    mut wanted: watch::Receiver<Arc<[Selector]>>,
    inbox: &Inbox,
    ledger: Arc<Ledger>,
    waiting: String,
) -> Result<(), zenoh::Error> {
    let _peers = watch_peers(session, ledger, waiting, |_| {}).await?;
    let (arrived, mut stations) = mpsc::channel(STATIONS);
    let on_station = move |sample: Sample| {
        if let (SampleKind::Put, Some(owner)) = (sample.kind(), keys::parse_station(sample.key_expr().as_str())) {
            // A thousand stations that come within a moment are asked when the tiles change next.
            let _ = arrived.try_send(owner);
        }
    };
    let stations_key = format!("masa/*/*/{}", keys::CURRENT);
    let _stations = session.liveliness().declare_subscriber(stations_key).history(true).callback(on_station).await?;
    let mut subscribers = BTreeMap::new();
    loop {
        let selectors = wanted.borrow_and_update().clone();
        let places = keys_of_places(&selectors, None);
        subscribers.retain(|key, _| places.contains_key(key));
        for (key, current) in places {
            if let Entry::Vacant(vacant) = subscribers.entry(key.clone()) {
                let inbox_of_live = inbox.clone();
                let on_message = move |sample: Sample| take_message(&inbox_of_live, &sample);
                vacant.insert(session.declare_subscriber(key).callback(on_message).await?);
                ask_what_holds(session, inbox, current);
            }
        }
        loop {
            tokio::select! {
                changed = wanted.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return Ok(()),
                },
                Some(owner) = stations.recv() => {
                    let places = keys_of_places(&selectors, Some(&owner));
                    places.into_values().for_each(|current| ask_what_holds(session, inbox, current));
                }
            }
        }
    }
}

fn ask_what_holds(session: &Session, inbox: &Inbox, key: String) {
    let inbox = inbox.clone();
    let asked = session
        .get(key)
        .consolidation(ConsolidationMode::None)
        .target(QueryTarget::All)
        .timeout(ANSWER_WITHIN)
        .callback(move |reply| {
            if let Ok(sample) = reply.result() {
                take_message(&inbox, sample);
            }
        })
        .wait();
    if let Err(e) = asked {
        tracing::debug!(error = %e, "zenoh query not sent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::MessageKind;

    #[test]
    fn a_selector_becomes_key_expressions() {
        let selector =
            Selector { site: Some("m".into()), kind: Some(Kind::V2x(MessageKind::Denm)), ..Selector::default() };
        let (messages, outboxes) = key_expressions(&selector);
        assert_eq!(messages, ["masa/m/*/v2x/denm/*"]);
        assert_eq!(outboxes, ["masa/m/*/outbox/denm"]);
        let (messages, outboxes) = key_expressions(&Selector::default());
        assert_eq!((messages.len(), outboxes.len()), (MessageKind::ALL.len(), 1));
    }

    #[test]
    fn a_selector_of_places_becomes_keys_of_its_tiles() {
        let selectors = [Selector { station: Some(7), tiles: vec!["01".into()], ..Selector::default() }];
        let key = "masa/*/7/v2x/*/01$*".to_owned();
        assert_eq!(keys_of_places(&selectors, None), [(key, "masa/*/7/current/*/01$*/*".into())].into());
        let of_one = keys_of_places(&selectors, Some(&("m".into(), 7)));
        assert_eq!(of_one.into_values().next().as_deref(), Some("masa/m/7/current/*/01$*/*"));
        assert!(keys_of_places(&selectors, Some(&("m".into(), 8))).is_empty());
    }
}
