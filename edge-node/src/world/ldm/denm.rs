//! Events of other stations, from their DENMs: the receiving message table of EN 302 637-3 clause 8.2.2.

use super::Ldm;
use super::intake::Reception;
use super::stations::{ground, wgs84};
use masa_v2x_proto::cdd::{ActionId, CauseCode, StationId};
use masa_v2x_proto::denm::{Denm, Termination};
use masa_v2x_proto::geo::{Enu, Wgs84};
use masa_v2x_proto::security::Verdict;
use masa_v2x_proto::time::Timestamp;

/// Whether an event still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventPhase {
    /// It holds.
    InForce,
    /// Its originator has ended it.
    Cancelled,
    /// Another station has ended it.
    Negated,
}

/// An event that another station announces.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedEvent {
    /// Its identity.
    pub action_id: ActionId,
    /// The station whose message this is.
    pub from: StationId,
    /// Whether it still holds; an ended one is kept until its validity runs out, so that a late repetition of an older
    /// message does not bring it back.
    pub phase: EventPhase,
    /// What happened; `None` when the first message heard of it was incomplete.
    pub cause: Option<CauseCode>,
    /// Where it is.
    pub position: Wgs84,
    /// The same in the site frame.
    pub ground: Enu,
    /// When it was detected.
    pub detected_at: Timestamp,
    /// Which of its messages is the newest.
    pub reference_time: Timestamp,
    /// When its validity runs out.
    pub expires_at: Timestamp,
    /// When any of its messages, repetitions included, was last heard.
    pub heard_at: Timestamp,
    /// Whether the newest message was signed.
    pub verdict: Verdict,
    /// The newest message.
    pub denm: Box<Denm>,
    /// Its bytes, for forwarding it unchanged.
    pub uper: Vec<u8>,
}

impl Ldm {
    /// EN 302 637-3 8.2.2: validity, then the table: new, repeated, updated, ended.
    pub(super) fn take_denm(&mut self, denm: &Denm, uper: &[u8], reception: Reception) -> Result<(), &'static str> {
        let management = &denm.denm.management;
        let reference_time = Timestamp::from(management.reference_time);
        let detected_at = Timestamp::from(management.detection_time);
        if self.is_future(reference_time, reception.now) || self.is_future(detected_at, reception.now) {
            return Err("received-from-the-future");
        }
        let expires_at = detected_at.plus_ms(i64::from(management.validity_duration_s) * 1_000);
        if expires_at <= reception.now {
            return Err("received-denm-expired");
        }
        let position = wgs84(&management.event_position).ok_or("received-without-position")?;
        let phase = match management.termination {
            None => EventPhase::InForce,
            Some(Termination::IsCancellation) => EventPhase::Cancelled,
            Some(Termination::IsNegation) => EventPhase::Negated,
        };
        if phase == EventPhase::Cancelled && reception.from != management.action_id.originating_station_id {
            return Err("received-cancellation-by-another-station");
        }
        let full = self.events.len() >= usize::from(self.settings.max_events);
        match self.events.get_mut(&management.action_id) {
            None if phase != EventPhase::InForce => return Err("received-termination-of-unknown-event"),
            None if full => return Err("ldm-events-full"),
            None => {}
            Some(known) => {
                if reference_time < known.reference_time {
                    return Err("received-denm-older-than-known");
                }
                // A negation has the reference time of the message it denies.
                let ends = known.phase == EventPhase::InForce && phase != EventPhase::InForce;
                if reference_time == known.reference_time && !ends {
                    known.heard_at = reception.now;
                    return Ok(());
                }
            }
        }
        let known_cause = self.events.get(&management.action_id).and_then(|known| known.cause);
        self.expires(expires_at);
        let event = ReceivedEvent {
            action_id: management.action_id,
            from: reception.from,
            phase,
            cause: denm.denm.situation.as_ref().map(|situation| situation.event_type).or(known_cause),
            position,
            ground: ground(&self.frame, position),
            detected_at,
            reference_time,
            expires_at,
            heard_at: reception.now,
            verdict: reception.verdict,
            denm: Box::new(denm.clone()),
            uper: uper.to_vec(),
        };
        self.events.insert(management.action_id, event);
        Ok(())
    }
}
