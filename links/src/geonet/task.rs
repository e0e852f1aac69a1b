//! The task that owns the router: gives it frames, messages and time, and does what it answers.

use super::capture::CaptureWriter;
use super::carrier::Carrier;
use super::gate::{GateDrops, GateQueue};
use super::{Queued, ReceivedPacket};
use crate::clock;
use crate::queue::Lanes;
use crate::stats::{DropReason, Ledger, LinkName, LinkState};
use bytes::Bytes;
use masa_v2x_proto::geonet::{Actions, Btp, Counters, Position, Request, Router, Security, port_of};
use masa_v2x_proto::security::SecurityService;
use masa_v2x_proto::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often counters are published.
const REPORT_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Task {
    pub(super) router: Router,
    pub(super) carrier: Carrier,
    pub(super) security: Option<Box<dyn SecurityService + Send>>,
    pub(super) gate: GateQueue,
    pub(super) lanes: Arc<Lanes<Queued>>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) positions: watch::Receiver<Option<Position>>,
    pub(super) received: mpsc::Sender<ReceivedPacket>,
    pub(super) counters: watch::Sender<Counters>,
    pub(super) capture: Option<CaptureWriter>,
    pub(super) capture_limit: u64,
    /// Counters as last published.
    pub(super) reported: Counters,
    pub(super) reported_gate: GateDrops,
    pub(super) stop: watch::Receiver<bool>,
}

enum Step {
    Stop,
    Frame(Vec<u8>),
    Message(Queued),
    Position,
    Report,
    Wake,
}

impl Task {
    pub(super) async fn run(mut self) {
        self.positions.mark_changed();
        let mut report = interval(REPORT_EVERY);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wait = self.wait(clock::now());
            // Frames come before messages: what was heard decides whether and where to something is sent.
            let step = tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => Step::Stop,
                Ok(()) = self.positions.changed() => Step::Position,
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
        match step {
            Step::Stop => {
                while let Some(message) = self.lanes.try_pop() {
                    self.send(&message, now, &mut out);
                }
            }
            Step::Frame(frame) => {
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
            Step::Report => self.report(),
            Step::Wake => {}
        }
        let security = security(&mut self.security);
        self.router.poll(now, security, &mut out);
        self.act(out, now);
    }

    fn send(&mut self, queued: &Queued, now: Timestamp, out: &mut Actions) {
        let kind = queued.kind;
        let dropped = |reason| self.ledger.dropped(LinkName::Geonet, kind, reason, 1);
        if now >= queued.expires_at {
            return dropped(DropReason::Expired);
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
                self.ledger.sent(LinkName::Geonet, kind, queued.message.len(), (waited * 1e6) as u64);
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
            self.gate.push(frame);
        }
        while let Some(frame) = self.gate.pop(now) {
            self.tee(now, &frame.bytes);
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
        since(drops.queue_full, self.reported_gate.queue_full, "transmit-queue-full");
        since(drops.expired, self.reported_gate.expired, "transmit-expired");
        self.reported_gate = drops;
    }
}

fn security(service: &mut Option<Box<dyn SecurityService + Send>>) -> Security<'_> {
    service.as_deref_mut().map(|service| service as &mut dyn SecurityService)
}
