//! The links of a node: starting, publishing, watching, stopping.

use crate::broker::Broker;
use crate::clock;
use crate::current::CurrentSet;
use crate::driver::{Driver, DriverState};
use crate::error::LinkError;
use crate::geonet::{Geonet, GeonetNotice, GeonetParts, ReceivedPacket};
use crate::kind::Kind;
use crate::message::{Delivery, Numbered, Outgoing, Policy, Station, check_name};
use crate::outbox::Outbox;
use crate::queue::Lanes;
use crate::settings::LinksSettings;
use crate::stats::{DropReason, KindStats, Ledger, LinkName, LinkStatus};
use crate::transport::mqtt::MqttSettings;
use crate::transport::{EVENTS, Start, table};
use masa_v2x_proto::geonet::{Counters, Position};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// What was left when the links shut down.
#[derive(Clone, Debug)]
pub struct ShutdownReport {
    /// Acknowledgements still missing in the outbox; with a file they are waited for again after the next start.
    pub owed: u64,
    /// Links that did not finish in time.
    pub unfinished: usize,
    /// Final counters by link and kind.
    pub stats: Vec<KindStats>,
}

/// Running links. Dropping them stops the tasks without draining; see [`Links::shutdown`].
#[derive(Debug)]
pub struct Links {
    outbox: Outbox,
    current: Arc<CurrentSet>,
    ledger: Arc<Ledger>,
    lanes: Vec<(LinkName, Arc<Lanes<Arc<Numbered>>>)>,
    /// Numbers of best-effort messages in this run.
    numbers: [AtomicU64; Kind::ALL.len()],
    run: u64,
    closed: AtomicBool,
    stop: watch::Sender<bool>,
    drivers: JoinSet<()>,
    broker: Option<Broker>,
    geonet: Option<Geonet>,
}

impl Links {
    /// Starts every link of `settings`; they connect in the background, see [`Links::status`].
    ///
    /// Must be called on a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// Settings that cannot work, an outbox file that cannot be used, a broker port that is taken. An unreachable peer
    /// or broker is no error.
    pub async fn start(settings: LinksSettings, station: Station) -> Result<Self, LinkError> {
        Self::start_with(settings, station, GeonetParts::default()).await
    }

    /// The same with the security entity and congestion control of the GeoNetworking link.
    ///
    /// # Errors
    /// As [`Links::start`]; a tunnel address or interface that cannot be opened.
    pub async fn start_with(
        mut settings: LinksSettings,
        station: Station,
        geonet_parts: GeonetParts,
    ) -> Result<Self, LinkError> {
        let ledger = Ledger::new();
        let broker = match &settings.broker {
            Some(broker) => Some(Broker::start(broker, ledger.clone()).await?),
            None => None,
        };
        if let (None, Some(broker)) = (&settings.mqtt, &broker) {
            settings.mqtt = Some(MqttSettings::to_local_broker(broker.address()));
        }
        let rows = table(&settings);
        for reader in rows.iter().flat_map(|row| &row.creditor.readers) {
            check_name("reader", reader)?;
        }
        let lanes: Vec<_> =
            rows.iter().map(|row| (row.creditor.link, Arc::new(Lanes::new(settings.queues.lanes())))).collect();
        let creditors = rows.iter().map(|row| row.creditor.clone()).collect();
        let outbox = Outbox::start(&settings.outbox, creditors, lanes.clone(), ledger.clone())?;
        let current = Arc::new(CurrentSet::default());
        let stop = watch::Sender::new(false);
        let mut drivers = JoinSet::new();
        for (row, (_, lanes)) in rows.into_iter().zip(&lanes) {
            let (events_tx, events) = mpsc::channel(EVENTS);
            let start =
                Start { station: station.clone(), current: current.clone(), ledger: ledger.clone(), events: events_tx };
            let driver = Driver {
                readers: row.creditor.readers,
                overdue_s: settings.outbox.overdue_s,
                transport: (row.start)(start)?,
                lanes: lanes.clone(),
                events,
                outbox: outbox.clone(),
                ledger: ledger.clone(),
                announce_every: Duration::from_millis(u64::from(settings.outbox.announce_ms.max(10))),
                stop: stop.subscribe(),
                state: DriverState::default(),
            };
            drivers.spawn(driver.run());
        }
        let geonet = match &settings.geonet {
            Some(geonet) => {
                let (queues, stop) = (&settings.queues, stop.subscribe());
                let (link, task) = Geonet::start(geonet, geonet_parts, queues, &station, ledger.clone(), stop)?;
                drivers.spawn(task);
                Some(link)
            }
            None => None,
        };
        Ok(Self {
            outbox,
            current,
            ledger,
            lanes,
            numbers: Default::default(),
            run: clock::now().unix_ms().unsigned_abs(),
            closed: AtomicBool::new(false),
            stop,
            drivers,
            broker,
            geonet,
        })
    }

    /// Hands a message to every link; never blocks. Best-effort messages of one kind must come from one thread to keep
    /// their order.
    ///
    /// # Errors
    /// A message that can never be sent, an overloaded outbox, or links that are shut down; each also counted.
    pub fn publish(&self, message: Outgoing) -> Result<(), LinkError> {
        let kind = message.kind;
        let refused = |e: LinkError| {
            self.ledger.dropped(LinkName::Outbox, kind, DropReason::Refused, 1);
            Err(e)
        };
        if self.closed.load(Ordering::Relaxed) {
            return refused(LinkError::Closed { id: message.id });
        }
        if let Err(e) = message.check() {
            return refused(e);
        }
        if !self.current.update(&message, clock::now()) {
            self.ledger.dropped(LinkName::Outbox, kind, DropReason::CurrentFull, 1);
        }
        let policy = Policy::of(kind);
        if let (Some(geonet), Kind::V2x(kind)) = (&self.geonet, kind) {
            geonet.publish(kind, &message, clock::now());
        }
        if policy.delivery == Delivery::AtLeastOnce {
            return self.outbox.try_store(message).or_else(refused);
        }
        let number = self.numbers[kind.index()].fetch_add(1, Ordering::Relaxed) + 1;
        let numbered = Arc::new(Numbered::new(message, self.run, number, clock::now()));
        for (link, lanes) in &self.lanes {
            if let Some(dropped) = lanes.push(policy.priority, numbered.clone()) {
                let reason = if self.ledger.is_up(*link) { DropReason::QueueFull } else { DropReason::NotConnected };
                self.ledger.dropped(*link, dropped.kind, reason, 1);
            }
        }
        Ok(())
    }

    /// The state of every link, now and on every change.
    pub fn status(&self) -> watch::Receiver<Vec<LinkStatus>> {
        self.ledger.watch()
    }

    /// Counters by link and kind.
    pub fn stats(&self) -> Vec<KindStats> {
        self.ledger.stats()
    }

    /// Where the embedded broker listens.
    pub fn broker_address(&self) -> Option<SocketAddr> {
        self.broker.as_ref().map(Broker::address)
    }

    /// Where the GeoNetworking tunnel listens.
    pub fn geonet_address(&self) -> Option<SocketAddr> {
        self.geonet.as_ref().and_then(|geonet| geonet.address)
    }

    /// Messages received over GeoNetworking; `None` without that link or when they were taken before.
    pub fn take_geonet_received(&mut self) -> Option<mpsc::Receiver<ReceivedPacket>> {
        self.geonet.as_mut().and_then(|geonet| geonet.received.take())
    }

    /// What the GeoNetworking link tells of the channel and of new pseudonyms; `None` without that link or when they were
    /// taken before. Without a reader measurements are lost.
    pub fn take_geonet_notices(&mut self) -> Option<mpsc::Receiver<GeonetNotice>> {
        self.geonet.as_mut().and_then(|geonet| geonet.notices.take())
    }

    /// What the GeoNetworking router counts, newest state twice a second.
    pub fn geonet_counters(&self) -> Option<watch::Receiver<Counters>> {
        self.geonet.as_ref().map(|geonet| geonet.counters.clone())
    }

    /// Tells the GeoNetworking router where the station is.
    pub fn set_geonet_position(&self, position: Position) {
        if let Some(geonet) = &self.geonet {
            geonet.set_position(position);
        }
    }

    /// Stops taking messages, sends what is queued, waits for acknowledgements under way and closes every link, within
    /// `deadline`.
    pub async fn shutdown(mut self, deadline: Duration) -> ShutdownReport {
        let until = Instant::now() + deadline;
        self.closed.store(true, Ordering::Relaxed);
        // Everything handed over must reach the disk and the queues before the links drain them.
        let _ = timeout_at(until, self.outbox.flush()).await;
        self.stop.send_replace(true);
        while let Ok(Some(_)) = timeout_at(until, self.drivers.join_next()).await {}
        let unfinished = self.drivers.len();
        self.drivers.abort_all();
        let owed = timeout_at(Instant::now() + Duration::from_secs(1), self.outbox.flush()).await.unwrap_or(0);
        if let Some(broker) = self.broker.take() {
            broker.stop().await;
        }
        ShutdownReport { owed, unfinished, stats: self.ledger.stats() }
    }
}
