//! Zenoh: the path to vehicles, neighbours and the data room.
//!
//! In: messages, UPER with [`crate::protocol::Header`] as attachment, on the keys of [`crate::keys`]. Out: the state of
//! the session, readers' acknowledgements, readers' queries of the outbox.
//!
//! Invariants: nothing is listened on, scouted or gossiped unless a setting says so (Zenoh's own defaults listen on all
//! interfaces). Congestion control is always `Drop`: `Block` lets one slow reader stall every other. `put` returns `Ok`
//! while nobody is there or an access rule denies it, so at-least-once messages count as delivered only when a reader
//! acknowledges ([`crate::outbox`]); the waiting ones are offered again when the session gains a peer or a subscriber.
//!
//! Absent: JSON (see [`crate::keys`]), shared memory, QUIC.

mod config;

pub(crate) use config::to_config;
pub use config::{Discovery, Mode, ZenohSettings};

use crate::error::LinkError;
use crate::keys::{self, Item};
use crate::message::{Delivery, MessageKind, Numbered, Priority, Station};
use crate::protocol::{Ack, Page, from_json, to_json};
use crate::stats::{Ledger, LinkName, LinkState};
use crate::transport::connectivity::Connectivity;
use crate::transport::{Refusal, Start, Transport, TransportEvent};
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use zenoh::qos::{CongestionControl, Reliability};
use zenoh::sample::SampleKind;
use zenoh::{Session, Wait};

/// Pause after a session could not be opened (a listening port taken, a certificate missing).
const REOPEN_AFTER: Duration = Duration::from_secs(5);

/// Starts the link; the session opens in the background.
pub(crate) fn start(settings: ZenohSettings, start: Start) -> Result<Box<dyn Transport>, LinkError> {
    // Checked here so that a setting that cannot work is an error of the start.
    to_config(&settings)?;
    let session = Arc::new(OnceLock::new());
    let station = start.station.clone();
    let task = tokio::spawn(keep_open(settings, start, session.clone()));
    Ok(Box::new(ZenohTransport { station, session, task }))
}

struct ZenohTransport {
    station: Station,
    session: Arc<OnceLock<Session>>,
    task: JoinHandle<()>,
}

impl Transport for ZenohTransport {
    fn name(&self) -> LinkName {
        LinkName::Zenoh
    }

    fn send(&mut self, message: &Arc<Numbered>, _owed: bool) -> Result<(), Refusal> {
        let session = self.session.get().ok_or(Refusal::Busy)?;
        let policy = message.kind.policy();
        let reliability = match policy.delivery {
            Delivery::AtLeastOnce => Reliability::Reliable,
            Delivery::BestEffort => Reliability::BestEffort,
        };
        session
            .put(keys::uper_key(&self.station, message.kind, &message.quadkey), message.uper.clone())
            .attachment(to_json(&message.header))
            .congestion_control(CongestionControl::Drop)
            .priority(to_zenoh(policy.priority))
            .reliability(reliability)
            .express(policy.priority != Priority::Bulk)
            .wait()
            .map_err(|e| {
                tracing::debug!(id = message.header.id, error = %e, "zenoh put refused");
                Refusal::Refused
            })
    }

    fn announce(&mut self, kind: MessageKind, head: &Page) {
        let Some(session) = self.session.get() else { return };
        let key = outbox_key(&self.station, kind);
        if let Err(e) = session.put(key, to_json(head)).congestion_control(CongestionControl::Drop).wait() {
            tracing::debug!(error = %e, "zenoh announcement refused");
        }
    }

    fn window(&self) -> usize {
        0
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.task.abort();
            if let Some(session) = self.session.get()
                && let Err(e) = session.close().await
            {
                tracing::debug!(error = %e, "zenoh session close");
            }
        })
    }
}

impl Drop for ZenohTransport {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const fn to_zenoh(priority: Priority) -> zenoh::qos::Priority {
    match priority {
        Priority::Safety => zenoh::qos::Priority::InteractiveHigh,
        Priority::Event => zenoh::qos::Priority::InteractiveLow,
        Priority::Status => zenoh::qos::Priority::Data,
        Priority::Bulk => zenoh::qos::Priority::Background,
    }
}

fn outbox_key(station: &Station, kind: MessageKind) -> String {
    keys::outbox_key(station.site(), &station.station().to_string(), kind)
}

/// Who is connected.
struct Peers {
    zids: Mutex<BTreeSet<String>>,
    connectivity: Connectivity,
    ledger: Arc<Ledger>,
    /// What to say while nobody is.
    waiting: String,
}

impl Peers {
    fn change(&self, kind: SampleKind, zid: String) {
        let mut zids = self.zids.lock().unwrap_or_else(PoisonError::into_inner);
        match kind {
            SampleKind::Put => drop(zids.insert(zid)),
            SampleKind::Delete => drop(zids.remove(&zid)),
        }
        if zids.is_empty() {
            self.ledger.status(LinkName::Zenoh, LinkState::Connecting, self.waiting.clone());
            self.connectivity.down();
        } else {
            self.ledger.status(LinkName::Zenoh, LinkState::Up, format!("connected to {}", zids.len()));
            if kind == SampleKind::Put {
                self.connectivity.up();
            }
        }
    }

    /// Subscribers of at-least-once messages have come.
    fn subscribed(&self) {
        if !self.zids.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            self.connectivity.up();
        }
    }
}

/// Opens the session, declares what the link answers to and reports every change of connectivity. Ends with the driver.
async fn keep_open(settings: ZenohSettings, start: Start, cell: Arc<OnceLock<Session>>) {
    let peers = Arc::new(Peers {
        zids: Mutex::default(),
        connectivity: Connectivity::new(),
        ledger: start.ledger.clone(),
        waiting: settings.waiting_words(),
    });
    start.ledger.status(LinkName::Zenoh, LinkState::Connecting, peers.waiting.clone());
    let (session, _declared) = loop {
        let opened = async {
            let session = zenoh::open(to_config(&settings)?).await?;
            let declared = declare(&session, &start, &peers).await?;
            Ok::<_, zenoh::Error>((session, declared))
        };
        match opened.await {
            Ok(open) => break open,
            Err(e) => {
                start.ledger.status(LinkName::Zenoh, LinkState::Failed, format!("cannot open a session: {e}"));
                tokio::time::sleep(REOPEN_AFTER).await;
            }
        }
    };
    let _ = cell.set(session);
    peers.connectivity.clone().report(start.events).await;
}

/// Declares listeners and queryables; they live as long as the returned box.
async fn declare(session: &Session, start: &Start, peers: &Arc<Peers>) -> Result<Box<dyn Send>, zenoh::Error> {
    let (site, station) = (start.station.site().to_owned(), start.station.station().to_string());
    let transports = session
        .info()
        .transport_events_listener()
        .history(true)
        .callback({
            let peers = peers.clone();
            move |event| peers.change(event.kind(), event.transport().zid().to_string())
        })
        .await?;
    let acks = session
        .declare_subscriber(keys::ack_key(&site, &station, "*"))
        .callback({
            let events = start.events.clone();
            move |sample| {
                let reader = match keys::parse(sample.key_expr().as_str()) {
                    Some(keys::Address { item: Item::Ack { reader }, .. }) => reader,
                    _ => return,
                };
                match from_json::<Ack>("acknowledgement", &sample.payload().to_bytes()) {
                    // A full queue costs a repetition of the acknowledgement.
                    Ok(ack) => drop(events.try_send(TransportEvent::Acked { reader, ack })),
                    Err(e) => tracing::debug!(reader, error = %e, "zenoh reader"),
                }
            }
        })
        .await?;
    let mut at_least_once = Vec::new();
    for kind in MessageKind::ALL.into_iter().filter(|kind| kind.policy().delivery == Delivery::AtLeastOnce) {
        let key = outbox_key(&start.station, kind);
        let queryable = session
            .declare_queryable(key.clone())
            .callback({
                let events = start.events.clone();
                move |query| {
                    let after = query.parameters().get("after").and_then(|after| after.parse().ok()).unwrap_or(0);
                    let key = key.clone();
                    let reply = Box::new(move |page: &Page| {
                        if let Err(e) = query.reply(key, to_json(page)).wait() {
                            tracing::debug!(error = %e, "zenoh reply");
                        }
                    });
                    // When full, the query ends without an answer and the reader asks again.
                    let _ = events.try_send(TransportEvent::Get { kind, after, reply });
                }
            })
            .await?;
        let publisher = session.declare_publisher(keys::uper_key(&start.station, kind, "**")).await?;
        let matching = publisher
            .matching_listener()
            .callback({
                let peers = peers.clone();
                move |status| {
                    if status.matching() {
                        peers.subscribed();
                    }
                }
            })
            .await?;
        at_least_once.push((queryable, matching, publisher));
    }
    Ok(Box::new((transports, acks, at_least_once)))
}
