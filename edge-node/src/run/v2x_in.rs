//! Hands messages of other stations to the core.

use super::core_thread::Arrival;
use crate::event::{EventBody, ReceivedMessage, SourceId};
use crate::sources::queue::{Sender, Sent};
use crate::sources::stop::StopToken;
use masa_links::{LinkName, Reader, Received, ReceivedPacket};
use masa_v2x_proto::security::Verdict;
use tokio::sync::mpsc;

/// Forwards what `reader` receives, save what the node itself published, until stopped.
pub(super) async fn follow(
    mut reader: Reader,
    own_station: u32,
    source: SourceId,
    arrivals: Sender<Arrival>,
    stop: StopToken,
) {
    loop {
        let received = tokio::select! {
            received = reader.recv() => received,
            () = stop.stopped() => return,
        };
        if received.station == own_station {
            continue;
        }
        let body = EventBody::Received(received_message(received));
        if let Sent::Closed(_) = arrivals.send(Arrival { source, body }) {
            return;
        }
    }
}

/// Forwards what the GeoNetworking link receives, until stopped.
pub(super) async fn follow_radio(
    mut packets: mpsc::Receiver<ReceivedPacket>,
    source: SourceId,
    arrivals: Sender<Arrival>,
    stop: StopToken,
) {
    loop {
        let packet = tokio::select! {
            packet = packets.recv() => packet,
            () = stop.stopped() => return,
        };
        let Some(packet) = packet else { return };
        let message = ReceivedMessage {
            link: LinkName::Geonet.name().to_owned(),
            origin: packet.header.source().address.to_string(),
            uper: packet.bytes.to_vec(),
            verdict: packet.verdict,
            received_at: packet.received_at,
        };
        if let Sent::Closed(_) = arrivals.send(Arrival { source, body: EventBody::Received(message) }) {
            return;
        }
    }
}

fn received_message(received: Received) -> ReceivedMessage {
    ReceivedMessage {
        link: received.link.name().to_owned(),
        origin: format!("{}/{}", received.site, received.station),
        uper: received.uper.to_vec(),
        // Brokers and routers carry plain messages; who may publish is theirs to check.
        verdict: Verdict::Unsigned,
        received_at: received.received_at,
    }
}
