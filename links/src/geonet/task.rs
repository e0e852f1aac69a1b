//! The task that owns the router: gives it frames, messages and time, and does what it answers.

use super::capture::CaptureWriter;
use super::carrier::Carrier;
use super::channel::{ChannelMeter, ChannelReport};
use super::gate::{GateDrops, GateQueue};
use super::{GeonetNotice, IdentityRule, Queued, ReceivedPacket};
use crate::clock;
use crate::queue::Lanes;
use crate::stats::{DropReason, Ledger, LinkName, LinkState};
use bytes::Bytes;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geonet::dcc::T_CBR_MS;
use masa_v2x_proto::geonet::{Actions, Btp, Counters, MacAddress, Position, Request, Router, Security, port_of};
use masa_v2x_proto::security::{Identity, SecurityService};
use masa_v2x_proto::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Identities that are remembered after a change. Messages wait for seconds, identities last for minutes.
pub(super) const FORMER: usize = 4;
/// How often counters are published.
const REPORT_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Task {
    pub(super) router: Router,
    pub(super) carrier: Carrier,
    pub(super) security: Option<Box<dyn SecurityService + Send>>,
    pub(super) identity_rule: IdentityRule,
    /// Station id in use.
    pub(super) station: u32,
    /// Station ids that the station has given up, newest first: what was made under one of them may still wait.
    pub(super) former: [Option<u32>; FORMER],
    /// A new pseudonym that the station could not be told of yet.
    pub(super) untold: Option<Identity>,
    pub(super) gate: GateQueue,
    pub(super) channel: ChannelMeter,
    pub(super) notices: mpsc::Sender<GeonetNotice>,
    pub(super) lanes: Arc<Lanes<Queued>>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) positions: watch::Receiver<Option<Position>>,
    pub(super) received: mpsc::Sender<ReceivedPacket>,
    pub(super) counters: watch::Sender<Counters>,
    pub(super) capture: Option<CaptureWriter>,
    pub(super) capture_limit: u64,
    /// Counters as last published.
    pub(super) reported: Counters,
    pub(super) reported_gate: (GateDrops, u64),
    pub(super) stop: watch::Receiver<bool>,
}

enum Step {
    Stop,
    Frame(Vec<u8>),
    Message(Queued),
    Position,
    Channel,
    Report,
    Wake,
}

impl Task {
    pub(super) async fn run(mut self) {
        self.positions.mark_changed();
        let mut report = interval(REPORT_EVERY);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut channel = interval(Duration::from_millis(T_CBR_MS.unsigned_abs()));
        channel.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wait = self.wait(clock::now());
            // Frames come before messages: what was heard decides whether and where to something is sent.
            let step = tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => Step::Stop,
                Ok(()) = self.positions.changed() => Step::Position,
                _ = channel.tick() => Step::Channel,
                frame = self.carrier.receive() => Step::Frame(frame),
                message = self.lanes.pop() => Step::Message(message),
                _ = report.tick() => Step::Report,
                () = sleep(wait) => Step::Wake,
            };
            let stopping = matches!(step, Step::Stop);
            self.step(step);
            if stopping {
                break;
            }
        }
        self.report();
        if let Some(capture) = self.capture.take()
            && let Err(error) = capture.finish()
        {
            tracing::warn!(%error, "capture");
        }
    }

    /// Time until the router or the gate wants something.
    fn wait(&mut self, now: Timestamp) -> Duration {
        let wake = [self.router.wake_at(), self.gate.wake_at(now)].into_iter().flatten().min();
        let ns = wake.map_or(i64::MAX, |wake| wake.unix_ns().saturating_sub(now.unix_ns()));
        // A wake-up too many costs nothing, a sleep over a change of the clock would.
        Duration::from_nanos(u64::try_from(ns).unwrap_or(0)).min(Duration::from_secs(1))
    }

    fn step(&mut self, step: Step) {
        let now = clock::now();
        let mut out = Actions::default();
        self.identify(now);
        match step {
            Step::Stop => {
                while let Some(message) = self.lanes.try_pop() {
                    self.send(&message, now, &mut out);
                }
            }
            Step::Frame(frame) => {
                self.channel.frame(frame.len());
                self.tee(now, &frame);
                let security = security(&mut self.security);
                if let Err(error) = self.router.receive(&frame, now, security, &mut out) {
                    tracing::debug!(%error, bytes = frame.len(), "malformed frame");
                }
            }
            Step::Message(message) => self.send(&message, now, &mut out),
            Step::Position => {
                if let Some(position) = *self.positions.borrow_and_update() {
                    self.router.set_position(position);
                    self.ledger.status(LinkName::Geonet, LinkState::Up, self.carrier.words());
                }
            }
            Step::Channel => self.measure(now),
            Step::Report => self.report(),
            Step::Wake => {}
        }
        let security = security(&mut self.security);
        self.router.poll(now, security, &mut out);
        self.act(out, now);
    }

    /// Takes over a new pseudonym before anything is sent: header, content and signature of a frame are of one identity.
    fn identify(&mut self, now: Timestamp) {
        let (Some(security), Some(position)) = (&mut self.security, *self.positions.borrow()) else { return };
        security.moved(position.at, now);
        let Some(identity) = security.take_new_identity() else { return };
        if self.identity_rule == IdentityRule::Keep {
            return;
        }
        self.router.change_address(MacAddress(identity.mac), now);
        self.former.rotate_right(1);
        self.former[0] = Some(std::mem::replace(&mut self.station, identity.station_id));
        self.untold = Some(identity);
        self.tell();
    }

    /// Tells the station of a new pseudonym, again and again until there is room to.
    fn tell(&mut self) {
        if let Some(identity) = self.untold
            && self.notices.try_send(GeonetNotice::Identity(identity)).is_ok()
        {
            self.untold = None;
        }
    }

    /// Ends an interval of the channel busy ratio.
    fn measure(&mut self, now: Timestamp) {
        self.tell();
        let busy_ratio = self.channel.end(now);
        let share = self.gate.measured(busy_ratio, now);
        let report = ChannelReport { at: now, busy_ratio, share };
        if let Err(TrySendError::Full(_)) = self.notices.try_send(GeonetNotice::Channel(report)) {
            metrics::counter!("masa_geonet_dropped_total", "reason" => "notice-queue-full").increment(1);
        }
    }

    /// Whether a message bears a station id that was given up: octets 2 to 5 of every message (`ItsPduHeader`). Those of
    /// others, which are sent on for them, bear theirs.
    fn is_of_former_identity(&self, message: &[u8]) -> bool {
        let Some(&[a, b, c, d]) = message.get(2..6) else { return false };
        let station = u32::from_be_bytes([a, b, c, d]);
        station != self.station && self.former.contains(&Some(station))
    }

    fn send(&mut self, queued: &Queued, now: Timestamp, out: &mut Actions) {
        let kind = queued.kind;
        let dropped = |reason| self.ledger.dropped(LinkName::Geonet, kind.into(), reason, 1);
        if now >= queued.expires_at {
            return dropped(DropReason::Expired);
        }
        if self.is_of_former_identity(&queued.message) {
            return dropped(DropReason::FormerIdentity);
        }
        if kind == MessageKind::Denm
            && let Some(security) = &mut self.security
        {
            // Others follow an event by the station that tells of it.
            security.lock_identity(now.plus_ns((queued.dissemination.lifetime_s * 1e9) as i64));
        }
        let Some(port) = port_of(kind) else { return dropped(DropReason::Refused) };
        let request = Request {
            btp: Btp::to_port(port),
            message: &queued.message,
            dissemination: queued.dissemination,
            repetition: None,
        };
        let security = security(&mut self.security);
        match self.router.send(&request, now, security, out) {
            Ok(()) => {
                let waited = now.seconds_since(queued.accepted_at).max(0.0);
                self.ledger.sent(LinkName::Geonet, kind.into(), queued.message.len(), (waited * 1e6) as u64);
            }
            Err(error) => {
                tracing::warn!(message = queued.id, %error, "message not sent over GeoNetworking");
                dropped(DropReason::Refused);
            }
        }
    }

    fn act(&mut self, out: Actions, now: Timestamp) {
        for indication in out.indications {
            let packet = ReceivedPacket {
                bytes: Bytes::from(indication.message),
                btp: indication.btp,
                header: indication.header,
                verdict: indication.verdict,
                its_aid: indication.its_aid,
                received_at: now,
            };
            if self.received.try_send(packet).is_err() {
                metrics::counter!("masa_geonet_dropped_total", "reason" => "receive-queue-full").increment(1);
            }
        }
        for frame in out.frames {
            self.gate.push(frame, now);
        }
        while let Some(frame) = self.gate.pop(now) {
            self.tee(now, &frame.bytes);
            self.channel.frame(frame.bytes.len());
            if let Err(error) = self.carrier.send(&frame.bytes) {
                metrics::counter!("masa_geonet_dropped_total", "reason" => "link-busy").increment(1);
                tracing::debug!(%error, "frame not sent");
            }
        }
    }

    /// Writes a frame into the capture, until that is full or fails.
    fn tee(&mut self, at: Timestamp, frame: &[u8]) {
        let Some(capture) = &mut self.capture else { return };
        let full = capture.bytes() + frame.len() as u64 > self.capture_limit;
        let result = if full { Ok(()) } else { capture.write(at, frame) };
        if let Err(error) = &result {
            tracing::warn!(%error, "capture ends");
        }
        if full {
            tracing::warn!(bytes = capture.bytes(), "capture is full");
        }
        if (full || result.is_err())
            && let Some(capture) = self.capture.take()
            && let Err(error) = capture.finish()
        {
            tracing::warn!(%error, "capture");
        }
    }

    /// Publishes counters and what was dropped since the last time.
    fn report(&mut self) {
        let counters = self.router.counters();
        if *counters != self.reported {
            for (reason, count) in &counters.dropped {
                let label = format!("{reason:?}");
                let new = count - self.reported.dropped(*reason);
                metrics::counter!("masa_geonet_dropped_total", "reason" => label).increment(new);
            }
            let since = |now: u64, before: u64, name: &'static str| metrics::counter!(name).increment(now - before);
            since(counters.received, self.reported.received, "masa_geonet_received_frames_total");
            since(counters.sent, self.reported.sent, "masa_geonet_sent_frames_total");
            since(counters.forwarded, self.reported.forwarded, "masa_geonet_forwarded_frames_total");
            since(counters.delivered, self.reported.delivered, "masa_geonet_delivered_total");
            self.reported = counters.clone();
            self.counters.send_replace(counters.clone());
        }
        let drops = self.gate.drops;
        let since = |now: u64, before: u64, reason: &'static str| {
            metrics::counter!("masa_geonet_dropped_total", "reason" => reason).increment(now - before);
        };
        let (before, delayed_before) = self.reported_gate;
        since(drops.queue_full, before.queue_full, "transmit-queue-full");
        since(drops.expired, before.expired, "transmit-expired");
        metrics::counter!("masa_geonet_delayed_total").increment(self.gate.delayed - delayed_before);
        self.reported_gate = (drops, self.gate.delayed);
    }
}

fn security(service: &mut Option<Box<dyn SecurityService + Send>>) -> Security<'_> {
    service.as_deref_mut().map(|service| service as &mut dyn SecurityService)
}
