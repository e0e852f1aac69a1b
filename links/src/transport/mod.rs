//! Transports: one trait, one folder each, and the table of them.
//!
//! A transport turns a message into its own publications and reports what comes back as [`TransportEvent`]s. Everything
//! that transports have in common (queues, expiry, what is owed to whom, announcing) is in [`crate::driver`].

mod connectivity;
pub mod mqtt;
pub mod zenoh;

use crate::current::CurrentSet;
use crate::error::LinkError;
use crate::kind::Kind;
use crate::message::{Numbered, Station};
use crate::outbox::Creditor;
use crate::protocol::{Ack, Page};
use crate::settings::LinksSettings;
use crate::stats::{Ledger, LinkName};
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Events of a transport that wait for its driver.
pub(crate) const EVENTS: usize = 256;

/// Why a transport did not take a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not now; there will be a [`TransportEvent::Ready`] or [`TransportEvent::Delivered`].
    Busy,
    /// Never.
    Refused,
}

/// What a transport reports.
pub(crate) enum TransportEvent {
    /// Messages can be sent; whatever is owed should be offered again.
    Ready,
    /// The connection is gone.
    Lost,
    /// The other side has this at-least-once message.
    Delivered { kind: Kind, number: u64 },
    /// The fate of this at-least-once message is unknown: offer it again.
    Undelivered { kind: Kind, number: u64 },
    /// A reader acknowledged.
    Acked { reader: String, ack: Ack },
    /// A reader asks for what comes after `after`; `reply` sends it the answer.
    Get { kind: Kind, after: u64, reply: Box<dyn FnOnce(&Page) + Send> },
}

/// A way out. Methods are called by one task and never block.
pub(crate) trait Transport: Send + 'static {
    /// Its name.
    fn name(&self) -> LinkName;

    /// Hands one message over; `owed` when its delivery must be reported or is acknowledged by readers.
    fn send(&mut self, message: &Arc<Numbered>, owed: bool) -> Result<(), Refusal>;

    /// Says what the outbox holds; best effort.
    fn announce(&mut self, kind: Kind, head: &Page);

    /// Makes what latecomers find be what holds; called every time the outbox is announced.
    fn tend(&mut self) {}

    /// At-least-once messages that may be under way at once; 0 when the transport does not report delivery itself.
    fn window(&self) -> usize;

    /// Flushes and closes.
    fn stop(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What a transport needs to start.
pub(crate) struct Start {
    pub station: Station,
    /// What latecomers get.
    pub current: Arc<CurrentSet>,
    pub ledger: Arc<Ledger>,
    pub events: mpsc::Sender<TransportEvent>,
}

type Starter = Box<dyn FnOnce(Start) -> Result<Box<dyn Transport>, LinkError> + Send>;

/// One row of the table.
pub(crate) struct Row {
    pub creditor: Creditor,
    pub start: Starter,
}

/// The table: every transport that `settings` asks for, with whose word counts as its acknowledgement.
pub(crate) fn table(settings: &LinksSettings) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(settings) = settings.zenoh.clone() {
        let creditor = Creditor { link: LinkName::Zenoh, readers: settings.readers.clone() };
        rows.push(Row { creditor, start: Box::new(|start| zenoh::start(settings, start)) });
    }
    if let Some(settings) = settings.mqtt.clone() {
        let creditor = Creditor { link: LinkName::Mqtt, readers: settings.readers.clone() };
        rows.push(Row { creditor, start: Box::new(|start| mqtt::start(settings, start)) });
    }
    rows
}
