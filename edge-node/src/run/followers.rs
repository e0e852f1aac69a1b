//! Hands what sources and links say to the core.

use super::core_thread::Arrival;
use crate::effect::PriorityRequest;
use crate::event::{ChannelLoad, EventBody, SourceId, SourceState, StatusChange};
use crate::sources::gnss::GnssOutput;
use crate::sources::iot_mqtt::{IotHandle, IotOutput};
use crate::sources::queue::{Sender, Sent};
use crate::sources::signal_controller::{ControllerOutput, Requests};
use crate::sources::stop::StopToken;
use crate::sources::worker::Worker;
use crate::telemetry::Telemetry;
use masa_links::{ChannelReport, GeonetNotice, LinkState, LinkStatus};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};

/// Turns changes of the links' states into events.
pub(super) async fn follow_links(
    prefix: &str,
    mut states: watch::Receiver<Vec<LinkStatus>>,
    arrivals: Sender<Arrival>,
    stop: StopToken,
) {
    let mut known: BTreeMap<String, LinkState> = BTreeMap::new();
    loop {
        let now = states.borrow_and_update().clone();
        for status in now {
            let name = format!("{prefix}{}", status.link.name());
            if known.insert(name.clone(), status.state) == Some(status.state) {
                continue;
            }
            let state = match status.state {
                LinkState::Up => SourceState::Up,
                LinkState::Connecting => SourceState::Connecting,
                LinkState::Failed => SourceState::Failed,
            };
            tracing::info!(link = name, state = ?state, detail = status.words, "link");
            let body = EventBody::Status(StatusChange { name, state, detail: status.words });
            if let Sent::Closed(_) = arrivals.send(Arrival { source: SourceId::NODE, body }) {
                return;
            }
        }
        tokio::select! {
            changed = states.changed() => if changed.is_err() { return },
            () = stop.stopped() => return,
        }
    }
}

/// Hands over what the GeoNetworking link tells: new pseudonyms, and how busy the channel is where that is regulated.
pub(super) async fn follow_geonet(
    mut notices: mpsc::Receiver<GeonetNotice>,
    source: SourceId,
    arrivals: Sender<Arrival>,
    stop: StopToken,
) {
    loop {
        let notice = tokio::select! {
            notice = notices.recv() => notice,
            () = stop.stopped() => return,
        };
        let body = match notice {
            Some(GeonetNotice::Identity(identity)) => EventBody::Identity(identity),
            Some(GeonetNotice::Channel(ChannelReport { busy_ratio, share: Some(_), .. })) => {
                EventBody::Channel(ChannelLoad { busy_ratio })
            }
            Some(GeonetNotice::Channel(_)) => continue,
            None => return,
        };
        if let Sent::Closed(_) = arrivals.send(Arrival { source, body }) {
            return;
        }
    }
}

pub(super) async fn follow_iot(iot: IotHandle, source: SourceId, arrivals: Sender<Arrival>, telemetry: Arc<Telemetry>) {
    while let Some(output) = iot.recv_async().await {
        let body = match output {
            IotOutput::Observation(observation) => EventBody::Observation(observation),
            IotOutput::Status(status) => EventBody::Status(status),
            IotOutput::Rejected(rejected) => {
                telemetry.reading_rejected("iot", rejected.reason.label());
                let (topic, excerpt) = (rejected.topic, rejected.excerpt);
                tracing::warn!(topic, excerpt, reason = %rejected.reason, "reading rejected");
                continue;
            }
        };
        if let Sent::Closed(_) = arrivals.send(Arrival { source, body }) {
            return;
        }
    }
}

pub(super) async fn follow_gnss(
    worker: Worker<GnssOutput>,
    source: SourceId,
    arrivals: Sender<Arrival>,
    telemetry: Arc<Telemetry>,
) {
    while let Some(output) = worker.recv_async().await {
        let body = match output {
            GnssOutput::Ego(state) => EventBody::Ego(state),
            GnssOutput::Status(status) => EventBody::Status(status),
            GnssOutput::Rejected { reason, .. } => {
                telemetry.reading_rejected("gnss", reason.label());
                continue;
            }
        };
        if let Sent::Closed(_) = arrivals.send(Arrival { source, body }) {
            return;
        }
    }
}

pub(super) async fn follow_controller(
    worker: Worker<ControllerOutput>,
    source: SourceId,
    arrivals: Sender<Arrival>,
    telemetry: Arc<Telemetry>,
) {
    while let Some(output) = worker.recv_async().await {
        let body = match output {
            ControllerOutput::Signals(report) => EventBody::Signals(report),
            ControllerOutput::Answer(answer) => EventBody::PriorityAnswer(answer),
            ControllerOutput::Status(status) => EventBody::Status(status),
            ControllerOutput::Rejected { topic, reason, excerpt } => {
                telemetry.reading_rejected("signal-controller", reason.label());
                tracing::warn!(topic, excerpt, %reason, "document of the signal controller rejected");
                continue;
            }
        };
        if let Sent::Closed(_) = arrivals.send(Arrival { source, body }) {
            return;
        }
    }
}

/// Hands requests for priority to the controller.
pub(super) async fn ask_controller(to: Requests, mut requests: broadcast::Receiver<PriorityRequest>, stop: StopToken) {
    loop {
        let request = tokio::select! {
            request = requests.recv() => request,
            () = stop.stopped() => return,
        };
        match request {
            Ok(request) => to.send(&request),
            Err(broadcast::error::RecvError::Lagged(lost)) => {
                metrics::counter!("masa_signal_controller_dropped_total", "reason" => "request-too-late")
                    .increment(lost);
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
