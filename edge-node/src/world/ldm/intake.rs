//! From a received message to the tables: verdict, decoding, whose it is, how old it is.

use super::{Ldm, Undecodable};
use crate::event::ReceivedMessage;
use masa_v2x_proto::cdd::{StationId, StationType};
use masa_v2x_proto::security::{Refusal, Verdict};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, MessageKind};

/// What the tables keep of how a message came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reception {
    pub(super) from: StationId,
    pub(super) verdict: Verdict,
    pub(super) now: Timestamp,
}

/// What a message says of its sender's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// The sender.
    pub station: StationId,
    /// What it is, where the message says so.
    pub station_type: Option<StationType>,
    /// When the message was made, by the sender's clock; `None` for kinds that do not say.
    pub generated_at: Option<Timestamp>,
}

impl Heard {
    fn of(message: &Message, now: Timestamp) -> Self {
        let (station_type, generated_at) = match message {
            Message::Cam(cam) => {
                let station_type = cam.cam.cam_parameters.basic_container.station_type;
                (Some(station_type), Some(generation_time(cam.cam.generation_delta_time_ms, now)))
            }
            Message::Vam(vam) => (None, Some(generation_time(vam.vam.generation_delta_time_ms, now))),
            Message::Cpm(cpm) => (None, Some(cpm.payload.management_container.reference_time.into())),
            _ => (None, None),
        };
        Self { station: message.station_id(), station_type, generated_at }
    }
}

impl Ldm {
    /// Takes a message; gives it back decoded when it is to be used.
    pub(crate) fn take(&mut self, received: &ReceivedMessage, now: Timestamp) -> Option<Message> {
        if let Verdict::Refused(refusal) = received.verdict {
            self.drops.count(refusal_reason(refusal));
            return None;
        }
        let message = match Message::decode(&received.uper) {
            Ok(message) => message,
            Err(error) => {
                let origin = format!("{} {}", received.link, received.origin);
                self.drops.count("received-undecodable");
                self.undecodable.write(Undecodable { origin, error: error.to_string(), at: now });
                return None;
            }
        };
        let reception = Reception { from: message.station_id(), verdict: received.verdict, now };
        if self.is_own(reception.from) {
            self.drops.count("received-own");
            return None;
        }
        self.heard = Some(Heard::of(&message, now));
        if let Some(kind) = MessageKind::ALL.into_iter().find(|kind| kind.message_id() == message.message_id()) {
            *self.received.entry(kind).or_default() += 1;
        }
        let taken = match &message {
            Message::Cam(cam) => self.take_cam(cam, reception),
            Message::Vam(vam) => self.take_vam(vam, reception),
            Message::Denm(denm) => self.take_denm(denm, &received.uper, reception),
            Message::Cpm(cpm) => self.take_cpm(cpm, reception),
            Message::Mapem(mapem) => self.take_mapem(mapem, reception),
            Message::Spatem(spatem) => self.take_spatem(spatem, reception),
            Message::Ivim(ivim) => self.take_ivim(ivim, reception),
            // Of these nothing is kept: they are asked and answered, or are of no use to the node.
            _ => Ok(()),
        };
        match taken {
            Ok(()) => Some(message),
            Err(reason) => {
                self.drops.count(reason);
                None
            }
        }
    }

    /// Whether `at` is further in the future than clocks may differ.
    pub(super) fn is_future(&self, at: Timestamp, now: Timestamp) -> bool {
        at > now.plus_ms(i64::from(self.settings.clock_tolerance_ms))
    }
}

/// The instant of a `GenerationDeltaTime` (EN 302 637-2 B.3): the one nearest to `now`.
pub(super) fn generation_time(delta_time_ms: u16, now: Timestamp) -> Timestamp {
    now.nearest_generation(delta_time_ms)
}

const fn refusal_reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed => "received-refused-malformed",
        Refusal::NotSigned => "received-refused-not-signed",
        Refusal::UnknownCertificate => "received-refused-unknown-certificate",
        Refusal::UntrustedChain => "received-refused-untrusted-chain",
        Refusal::BadSignature => "received-refused-bad-signature",
        Refusal::CertificateExpired => "received-refused-certificate-expired",
        Refusal::CertificateRevoked => "received-refused-certificate-revoked",
        Refusal::NotPermitted => "received-refused-not-permitted",
        Refusal::WrongRegion => "received-refused-wrong-region",
        Refusal::TooOld => "received-refused-too-old",
        Refusal::FromTheFuture => "received-refused-from-the-future",
        Refusal::Replayed => "received-refused-replayed",
        Refusal::Implausible => "received-refused-implausible",
    }
}
