//! GeoNetworking: the link to vehicles by radio, or through a tunnel to somebody's radio.
//!
//! In: messages with their [`masa_v2x_proto::geonet::Dissemination`]; frames from a UDP tunnel or a network interface; the
//! station's position. Out: frames, in the order of their DCC profiles and when the [`DccGate`] lets them;
//! [`ReceivedPacket`]s with a verdict; [`GeonetNotice`]s of how busy the channel is and of a new pseudonym; optionally a pcap
//! file of everything.
//!
//! A frame is of one identity: a message that was made under a former pseudonym is dropped.
//!
//! Invariants: the router of `masa-v2x-proto` decides everything; here are only sockets, the clock and bounded queues.
//! Delivery is best effort: nothing is acknowledged, a warning is repeated by the facility that sends it.
//!
//! Absent: channel load as a radio senses it (what its frames take on the air stands in for it), IPv6 over GeoNetworking, pcapng.

pub mod capture;
mod carrier;
mod channel;
mod dot11;
mod gate;
mod settings;
mod task;

pub use channel::ChannelReport;
pub use gate::{AdaptiveGate, AlwaysOpen, DccGate, PROFILES};
pub use settings::{CongestionControl, GeonetSettings, Medium, RawSettings, UdpSettings};

use crate::error::LinkError;
use crate::message::{Outgoing, Policy, Station};
use crate::queue::Lanes;
use crate::settings::QueueSettings;
use crate::stats::{DropReason, Ledger, LinkName, LinkState};
use bytes::Bytes;
use capture::CaptureWriter;
use carrier::Carrier;
use channel::ChannelMeter;
use gate::GateQueue;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geonet::{
    Btp, Counters, Dissemination, ExtendedHeader, MacAddress, Position, Router, RouterSettings,
};
use masa_v2x_proto::security::{Identity, SecurityService, Verdict};
use masa_v2x_proto::time::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use task::Task;
use tokio::sync::{mpsc, watch};

/// What the link needs besides its settings.
pub struct GeonetParts {
    /// Signs and verifies; `None`: everything goes unsigned.
    pub security: Option<Box<dyn SecurityService + Send>>,
    /// Whether addresses follow the certificate.
    pub identity: IdentityRule,
    /// Congestion control of the channel; `None`: as the settings say.
    pub gate: Option<Box<dyn DccGate>>,
}

impl Default for GeonetParts {
    fn default() -> Self {
        Self { security: None, identity: IdentityRule::Keep, gate: None }
    }
}

/// Whether station id and addresses follow the certificate that the station signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityRule {
    /// They stay: a roadside unit has nothing to hide.
    Keep,
    /// They change with it, all together: nothing leads from one pseudonym to the next.
    FollowCertificate,
}

/// What the link tells the station of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GeonetNotice {
    /// The channel, every 100 ms.
    Channel(ChannelReport),
    /// The station has a new identity: what it sends from now on must bear its station id.
    Identity(Identity),
}

/// Notices that may wait for the station; beyond, measurements are lost and counted, an identity is told again.
const NOTICES: usize = 64;

impl std::fmt::Debug for GeonetParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeonetParts").field("security", &self.security.is_some()).finish_non_exhaustive()
    }
}

/// A message that came over GeoNetworking.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedPacket {
    /// The message, UPER.
    pub bytes: Bytes,
    /// BTP ports.
    pub btp: Btp,
    /// How it travelled, with the position vector of the station that made it.
    pub header: ExtendedHeader,
    /// Whether it is trusted.
    pub verdict: Verdict,
    /// Application it was signed for; `None` without an envelope.
    pub its_aid: Option<u32>,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// A message on its way to the router.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) id: String,
    pub(crate) kind: MessageKind,
    pub(crate) message: Bytes,
    pub(crate) dissemination: Dissemination,
    pub(crate) expires_at: Timestamp,
    pub(crate) accepted_at: Timestamp,
}

/// The running link, as [`crate::Links`] holds it.
#[derive(Debug)]
pub(crate) struct Geonet {
    lanes: Arc<Lanes<Queued>>,
    ledger: Arc<Ledger>,
    positions: watch::Sender<Option<Position>>,
    pub(crate) received: Option<mpsc::Receiver<ReceivedPacket>>,
    pub(crate) notices: Option<mpsc::Receiver<GeonetNotice>>,
    pub(crate) counters: watch::Receiver<Counters>,
    pub(crate) address: Option<SocketAddr>,
}

impl Geonet {
    /// Opens the medium; the returned future drives it until `stop` turns true.
    pub(crate) fn start(
        settings: &GeonetSettings,
        parts: GeonetParts,
        queues: &QueueSettings,
        station: &Station,
        ledger: Arc<Ledger>,
        stop: watch::Receiver<bool>,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), LinkError> {
        let carrier = Carrier::open(&settings.medium)?;
        let capture = settings.capture.as_deref().map(CaptureWriter::create).transpose()?;
        let mac = settings.mac.or(carrier.mac()).unwrap_or_else(|| mac_of(station));
        let now = crate::clock::now();
        let router_settings = RouterSettings { mac, ..settings.router.clone() };
        let position = settings.position.map(|at| Position::surveyed(at, now));
        let positions = watch::Sender::new(position);
        let lanes = Arc::new(Lanes::new(queues.lanes()));
        let (received_in, received) = mpsc::channel(settings.receive_queue.max(1));
        let (notices_in, notices) = mpsc::channel(NOTICES);
        let gate = parts.gate.unwrap_or_else(|| match settings.control() {
            CongestionControl::None => Box::new(AlwaysOpen),
            CongestionControl::Adaptive => Box::new(AdaptiveGate::new(settings.data_rate_mbps)),
        });
        let (counters_in, counters) = watch::channel(Counters::default());
        let address = carrier.address();
        let words = match position {
            Some(_) => carrier.words(),
            None => format!("{}, sends nothing before the station knows its position", carrier.words()),
        };
        ledger.status(LinkName::Geonet, LinkState::Up, words);
        let task = Task {
            router: Router::new(router_settings, now),
            carrier,
            security: parts.security,
            identity_rule: parts.identity,
            station: station.station(),
            former: [None; task::FORMER],
            untold: None,
            gate: GateQueue::new(gate, settings.transmit_queue),
            channel: ChannelMeter::new(settings.data_rate_mbps, now),
            notices: notices_in,
            lanes: lanes.clone(),
            ledger: ledger.clone(),
            positions: positions.subscribe(),
            received: received_in,
            counters: counters_in,
            capture,
            capture_limit: u64::from(settings.capture_limit_mib) << 20,
            reported: Counters::default(),
            reported_gate: (gate::GateDrops::default(), 0),
            stop,
        };
        Ok((
            Self { lanes, ledger, positions, received: Some(received), notices: Some(notices), counters, address },
            task.run(),
        ))
    }

    /// Queues a message; never blocks.
    pub(crate) fn publish(&self, kind: MessageKind, message: &Outgoing, accepted_at: Timestamp) {
        let queued = Queued {
            id: message.id.clone(),
            kind,
            message: message.uper.clone(),
            dissemination: message.dissemination,
            expires_at: message.expires_at(),
            accepted_at,
        };
        if let Some(dropped) = self.lanes.push(Policy::of(message.kind).priority, queued) {
            self.ledger.dropped(LinkName::Geonet, dropped.kind.into(), DropReason::QueueFull, 1);
        }
    }

    /// Tells the router where the station is.
    pub(crate) fn set_position(&self, position: Position) {
        self.positions.send_replace(Some(position));
    }
}

/// A locally administered address that only this station of all of a site's has.
fn mac_of(station: &Station) -> MacAddress {
    let [a, b, c, d] = station.station().to_be_bytes();
    MacAddress([0x02, 0x00, a, b, c, d])
}
