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
mod session;

pub(crate) use config::to_config;
pub use config::{Discovery, Mode, ZenohSettings};
pub(crate) use session::{open, watch_peers};

use crate::clock;
use crate::current::{self, CurrentSet};
use crate::error::LinkError;
use crate::keys::{self, Item};
use crate::kind::Kind;
use crate::message::{Delivery, Numbered, Policy, Priority, Station};
use crate::protocol::{Ack, Page, from_json, to_json};
use crate::stats::{LinkName, LinkState};
use crate::transport::connectivity::Connectivity;
use crate::transport::{Refusal, Start, Transport, TransportEvent};
use futures::future::BoxFuture;
use session::Change;
use std::sync::{Arc, OnceLock};
use tokio::task::JoinHandle;
use zenoh::key_expr::KeyExpr;
use zenoh::qos::{CongestionControl, Reliability};
use zenoh::query::Query;
use zenoh::{Session, Wait};

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
        let policy = Policy::of(message.kind);
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

    fn announce(&mut self, kind: Kind, head: &Page) {
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

fn outbox_key(station: &Station, kind: Kind) -> String {
    keys::outbox_key(station.site(), &station.station().to_string(), kind)
}

/// Opens the session, declares what the link answers to and reports every change of connectivity. Ends with the driver.
async fn keep_open(settings: ZenohSettings, start: Start, cell: Arc<OnceLock<Session>>) {
    let session = session::open(&settings, &start.ledger).await;
    let connectivity = Connectivity::new();
    let _declared = match declare(&session, &start, &connectivity, settings.waiting_words()).await {
        Ok(declared) => declared,
        Err(e) => return start.ledger.status(LinkName::Zenoh, LinkState::Failed, format!("cannot declare: {e}")),
    };
    let _ = cell.set(session);
    connectivity.report(start.events).await;
}

/// Declares listeners and queryables; they live as long as the returned box.
async fn declare(
    session: &Session,
    start: &Start,
    connectivity: &Connectivity,
    waiting: String,
) -> Result<Box<dyn Send>, zenoh::Error> {
    let (site, station) = (start.station.site().to_owned(), start.station.station().to_string());
    let peers = watch_peers(session, start.ledger.clone(), waiting, {
        let connectivity = connectivity.clone();
        move |change| match change {
            Change::Joined => connectivity.up(),
            Change::Left => {}
            Change::Alone => connectivity.down(),
        }
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
    let current = session
        .declare_queryable(format!("{}/**", keys::current_root(&start.station)))
        .callback({
            let (station, current) = (start.station.clone(), start.current.clone());
            move |query| answer(&query, &station, &current)
        })
        .await?;
    // Declared after the queryable: whoever sees this can ask.
    let token = session.liveliness().declare_token(keys::current_root(&start.station)).await?;
    let mut at_least_once = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| Policy::of(*kind).delivery == Delivery::AtLeastOnce) {
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
                let connectivity = connectivity.clone();
                move |status| {
                    if status.matching() {
                        connectivity.improved();
                    }
                }
            })
            .await?;
        at_least_once.push((queryable, matching, publisher));
    }
    Ok(Box::new((peers, acks, current, token, at_least_once)))
}

/// Answers with what holds where the query asks.
fn answer(query: &Query, station: &Station, current: &CurrentSet) {
    for standing in current.standing(clock::now()) {
        let Ok(key) = KeyExpr::try_from(current::zenoh_key(station, &standing)) else { continue };
        if query.key_expr().intersects(&key)
            && let Err(e) = query.reply(key, standing.uper.clone()).wait()
        {
            tracing::debug!(error = %e, "zenoh reply");
        }
    }
}
