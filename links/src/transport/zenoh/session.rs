//! Opening a session and watching who is connected to it; shared by the link and the reader.

use crate::stats::{Ledger, LinkName, LinkState};
use crate::transport::zenoh::{ZenohSettings, to_config};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zenoh::Session;
use zenoh::sample::SampleKind;

const RETRY_FIRST: Duration = Duration::from_millis(100);

/// Opens a session, trying until it works: a router may be away, a port be taken.
pub(crate) async fn open(settings: &ZenohSettings, ledger: &Ledger) -> Session {
    let waiting = settings.waiting_words();
    ledger.status(LinkName::Zenoh, LinkState::Connecting, waiting.clone());
    let longest = Duration::from_millis(u64::from(settings.retry_max_ms)).max(RETRY_FIRST);
    let mut pause = RETRY_FIRST;
    loop {
        let error = match to_config(settings) {
            Ok(config) => match zenoh::open(config).await {
                Ok(session) => return session,
                Err(e) => e.to_string(),
            },
            Err(e) => e.to_string(),
        };
        // A client that finds no router is waiting; whoever cannot listen needs help.
        let state = if settings.listen.is_empty() { LinkState::Connecting } else { LinkState::Failed };
        ledger.status(LinkName::Zenoh, state, format!("{waiting}: {error}"));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// A change of who is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Somebody came.
    Joined,
    /// Somebody left, others remain.
    Left,
    /// Nobody is left.
    Alone,
}

/// Keeps the link's state up to date and calls `on` at every change, until the returned listener is dropped.
pub(crate) async fn watch_peers(
    session: &Session,
    ledger: Arc<Ledger>,
    waiting: String,
    on: impl Fn(Change) + Send + Sync + 'static,
) -> Result<Box<dyn Send>, zenoh::Error> {
    let zids = Mutex::new(BTreeSet::new());
    let info = session.info();
    let listener = info.transport_events_listener().history(true).callback(move |event| {
        let mut zids = zids.lock().unwrap_or_else(PoisonError::into_inner);
        let zid = event.transport().zid().to_string();
        match event.kind() {
            SampleKind::Put => drop(zids.insert(zid)),
            SampleKind::Delete => drop(zids.remove(&zid)),
        }
        let change = match (event.kind(), zids.len()) {
            (_, 0) => Change::Alone,
            (SampleKind::Put, _) => Change::Joined,
            (SampleKind::Delete, _) => Change::Left,
        };
        match zids.len() {
            0 => ledger.status(LinkName::Zenoh, LinkState::Connecting, waiting.clone()),
            n => ledger.status(LinkName::Zenoh, LinkState::Up, format!("connected to {n}")),
        }
        on(change);
    });
    Ok(Box::new(listener.await?))
}
