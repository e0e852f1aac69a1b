//! What each link did and how it is: counters per link and kind, and a state in words.
//!
//! Every counter also goes to `metrics` as `masa_links_{sent,acked,dropped,bytes}_total` and `masa_links_publish_seconds`
//! with the labels `link`, `kind` and, for drops, `reason`.

use crate::kind::Kind;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A link, or the outbox before all links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkName {
    /// The durable outbox.
    Outbox,
    /// Zenoh.
    Zenoh,
    /// MQTT.
    Mqtt,
    /// GeoNetworking.
    Geonet,
    /// The embedded MQTT broker.
    Broker,
}

impl LinkName {
    /// Lower-case name, as in metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Zenoh => "zenoh",
            Self::Mqtt => "mqtt",
            Self::Geonet => "geonet",
            Self::Broker => "broker",
        }
    }
}

/// State of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// Delivering.
    Up,
    /// Trying to connect or reconnect.
    Connecting,
    /// Something an operator must look at; the link goes on trying where that can help.
    Failed,
}

/// How a link is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkStatus {
    /// Which link.
    pub link: LinkName,
    /// Its state.
    pub state: LinkState,
    /// What an operator needs to know.
    pub words: String,
}

/// Why a message did not go out on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// Its lane was full while the link was up.
    QueueFull,
    /// Its lane was full while the link was not up.
    NotConnected,
    /// Its deadline passed before it could be sent or was acknowledged.
    Expired,
    /// The client library took no more.
    LinkBusy,
    /// The link refused it.
    Refused,
    /// The outbox had more rows than allowed.
    OutboxFull,
    /// The disk did not take it; it was offered all the same.
    NotStored,
    /// Made under a pseudonym that the station has given up.
    FormerIdentity,
    /// Too many messages hold at once: it was sent, but latecomers do not get it.
    CurrentFull,
}

impl DropReason {
    /// Kebab-case name, as in metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue-full",
            Self::NotConnected => "not-connected",
            Self::Expired => "expired",
            Self::LinkBusy => "link-busy",
            Self::Refused => "refused",
            Self::OutboxFull => "outbox-full",
            Self::NotStored => "not-stored",
            Self::FormerIdentity => "former-identity",
            Self::CurrentFull => "current-full",
        }
    }
}

/// Counters of one link and kind.
#[derive(Clone, Debug, Serialize)]
pub struct KindStats {
    /// Which link.
    pub link: LinkName,
    /// Which kind.
    pub kind: Kind,
    /// Messages handed to the transport; a message offered twice counts twice.
    pub sent: u64,
    /// At-least-once messages whose acknowledgement arrived.
    pub acked: u64,
    /// Payload bytes handed to the transport.
    pub bytes: u64,
    /// Messages that did not go out, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Time from `publish` to the hand-over to the transport, median, microseconds; 0 before the first.
    pub publish_p50_us: u64,
    /// The same, 99th percentile.
    pub publish_p99_us: u64,
}

/// Latency histogram: eight buckets per power of two, so a percentile is at most 13 % too high; 1 µs to over an hour.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    buckets: [u64; 256],
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [0; 256], count: 0 }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, us: u64) {
        let bucket = if us < 8 {
            us as usize
        } else {
            let power = us.ilog2() as usize;
            (power - 2) * 8 + ((us >> (power - 3)) & 7) as usize
        };
        self.buckets[bucket.min(255)] += 1;
        self.count += 1;
    }

    /// Upper bound of the bucket that holds the quantile `q` in 0..=1.
    pub(crate) fn quantile_us(&self, q: f64) -> u64 {
        let rank = ((self.count as f64 * q).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return if bucket < 8 {
                    bucket as u64
                } else {
                    ((8 + (bucket as u64 & 7) + 1) << (bucket / 8 - 1)) - 1
                };
            }
        }
        0
    }
}

#[derive(Clone, Debug, Default)]
struct Cell {
    sent: u64,
    acked: u64,
    bytes: u64,
    dropped: BTreeMap<DropReason, u64>,
    latency: Histogram,
}

/// All counters and states; shared by every part of the links.
#[derive(Debug)]
pub(crate) struct Ledger {
    cells: Mutex<BTreeMap<(LinkName, Kind), Cell>>,
    status: watch::Sender<Vec<LinkStatus>>,
}

impl Ledger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { cells: Mutex::default(), status: watch::Sender::new(Vec::new()) })
    }

    fn with(&self, link: LinkName, kind: Kind, change: impl FnOnce(&mut Cell)) {
        change(self.cells.lock().unwrap_or_else(PoisonError::into_inner).entry((link, kind)).or_default());
    }

    pub(crate) fn sent(&self, link: LinkName, kind: Kind, bytes: usize, latency_us: u64) {
        self.with(link, kind, |cell| {
            cell.sent += 1;
            cell.bytes += bytes as u64;
            cell.latency.record(latency_us);
        });
        let labels = [("link", link.name()), ("kind", kind.name())];
        metrics::counter!("masa_links_sent_total", &labels).increment(1);
        metrics::counter!("masa_links_bytes_total", &labels).increment(bytes as u64);
        metrics::histogram!("masa_links_publish_seconds", &labels).record(latency_us as f64 * 1e-6);
    }

    pub(crate) fn acked(&self, link: LinkName, kind: Kind, count: u64) {
        self.with(link, kind, |cell| cell.acked += count);
        metrics::counter!("masa_links_acked_total", "link" => link.name(), "kind" => kind.name()).increment(count);
    }

    pub(crate) fn dropped(&self, link: LinkName, kind: Kind, reason: DropReason, count: u64) {
        if count == 0 {
            return;
        }
        self.with(link, kind, |cell| *cell.dropped.entry(reason).or_default() += count);
        let labels = [("link", link.name()), ("kind", kind.name()), ("reason", reason.name())];
        metrics::counter!("masa_links_dropped_total", &labels).increment(count);
    }

    pub(crate) fn stats(&self) -> Vec<KindStats> {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells
            .iter()
            .map(|(&(link, kind), cell)| KindStats {
                link,
                kind,
                sent: cell.sent,
                acked: cell.acked,
                bytes: cell.bytes,
                dropped: cell.dropped.clone(),
                publish_p50_us: cell.latency.quantile_us(0.5),
                publish_p99_us: cell.latency.quantile_us(0.99),
            })
            .collect()
    }

    /// Sets a link's state; watchers wake up only on a change, which is also logged.
    pub(crate) fn status(&self, link: LinkName, state: LinkState, words: impl Into<String>) {
        let new = LinkStatus { link, state, words: words.into() };
        self.status.send_if_modified(|all| {
            let slot = all.iter_mut().find(|status| status.link == link);
            if slot.as_deref() == Some(&new) {
                return false;
            }
            match new.state {
                LinkState::Failed => tracing::warn!(link = link.name(), words = new.words, "link failed"),
                state => tracing::info!(link = link.name(), ?state, words = new.words, "link state"),
            }
            match slot {
                Some(slot) => *slot = new,
                None => all.push(new),
            }
            true
        });
    }

    pub(crate) fn is_up(&self, link: LinkName) -> bool {
        self.status.borrow().iter().any(|status| status.link == link && status.state == LinkState::Up)
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Vec<LinkStatus>> {
        self.status.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::MessageKind;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_single_value_is_found_within_an_eighth(us in 1u64..3_000_000_000) {
            let mut h = Histogram::default();
            h.record(us);
            let found = h.quantile_us(0.5);
            prop_assert!(found >= us && found as f64 <= us as f64 * 1.13, "{us} → {found}");
        }
    }

    #[test]
    fn quantiles_rank_the_recorded_values() {
        let mut h = Histogram::default();
        (1..=100).for_each(|us| h.record(us));
        assert!((50..=55).contains(&h.quantile_us(0.5)), "{}", h.quantile_us(0.5));
        assert!((99..=111).contains(&h.quantile_us(0.99)), "{}", h.quantile_us(0.99));
        assert_eq!(Histogram::default().quantile_us(0.5), 0);
    }

    #[test]
    fn an_unchanged_status_wakes_nobody() {
        let ledger = Ledger::new();
        let mut watch = ledger.watch();
        ledger.status(LinkName::Mqtt, LinkState::Up, "connected");
        assert!(watch.has_changed().unwrap());
        watch.mark_unchanged();
        ledger.status(LinkName::Mqtt, LinkState::Up, "connected");
        assert!(!watch.has_changed().unwrap());
        ledger.status(LinkName::Mqtt, LinkState::Connecting, "lost");
        assert!(watch.has_changed().unwrap() && !ledger.is_up(LinkName::Mqtt));
    }

    #[test]
    fn drops_are_counted_by_reason() {
        let ledger = Ledger::new();
        ledger.dropped(LinkName::Zenoh, Kind::V2x(MessageKind::Cam), DropReason::Expired, 2);
        ledger.dropped(LinkName::Zenoh, Kind::V2x(MessageKind::Cam), DropReason::QueueFull, 1);
        ledger.dropped(LinkName::Zenoh, Kind::V2x(MessageKind::Cam), DropReason::QueueFull, 0);
        let stats = ledger.stats();
        assert_eq!(stats[0].dropped, BTreeMap::from([(DropReason::Expired, 2), (DropReason::QueueFull, 1)]));
    }
}
