//! Keep-alive forwarding (EN 302 637-3 clause 8.2.2): a station in the relevance area repeats an event of another station
//! that it has not heard for two transmission intervals, so that vehicles that come later hear of it.
//!
//! In: the events of the local dynamic map. Out: the very bytes that were received. Only events whose DENM states a
//! `transmissionInterval`, while they are valid and the station is within their awareness distance.

use super::DenSettings;
use super::message::{ForwardedDenm, forwarded_draft};
use crate::facilities::{Draft, Scene};
use crate::world::ldm::ReceivedEvent;
use masa_v2x_proto::cdd::{ActionId, StationId};
use masa_v2x_proto::relevance::is_within_awareness;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether events of others are kept alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepAlive {
    /// They are not.
    #[default]
    Off,
    /// They are forwarded as received.
    Forward,
}

/// The spread of the forwarding timer, milliseconds: not every station forwards at once.
const SPREAD_MS: u64 = 150;

/// The newest message of an event, and when it was last on the air as far as the node knows.
#[derive(Clone, Copy, Debug)]
struct Timer {
    reference_time: Timestamp,
    on_air_at: Timestamp,
    due_at: Timestamp,
}

/// The forwarding timers, one for an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Forwarder {
    timers: BTreeMap<ActionId, Timer>,
}

impl Forwarder {
    pub(super) fn evaluate(&mut self, scene: &Scene<'_>, settings: &DenSettings, drafts: &mut Vec<Draft>) {
        if settings.keep_alive == KeepAlive::Off {
            return;
        }
        self.timers.retain(|action_id, _| scene.ldm.event(*action_id).is_some_and(|event| is_kept_alive(event, scene)));
        for event in scene.ldm.events_in_force().filter(|event| is_kept_alive(event, scene)) {
            let Some(wait_ms) = wait_ms(event, scene.station.id) else { continue };
            let heard = Timer {
                reference_time: event.reference_time,
                on_air_at: event.heard_at,
                due_at: event.heard_at.plus_ms(wait_ms),
            };
            let timer = self.timers.entry(event.action_id).or_insert(heard);
            if timer.reference_time != event.reference_time || timer.on_air_at < event.heard_at {
                *timer = heard;
            }
            if scene.now >= timer.due_at {
                timer.on_air_at = scene.now;
                timer.due_at = scene.now.plus_ms(wait_ms);
                drafts.push(forwarded_draft(ForwardedDenm { event, settings }));
            }
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.timers.values().map(|timer| timer.due_at).min()
    }
}

fn is_kept_alive(event: &ReceivedEvent, scene: &Scene<'_>) -> bool {
    let management = &event.denm.denm.management;
    event.phase == crate::world::ldm::EventPhase::InForce
        && management.transmission_interval_ms.is_some()
        && scene.now < event.expires_at
        && is_within_awareness(management, scene.station.position)
}

/// Two transmission intervals and a spread that differs between stations and messages but not between two runs.
fn wait_ms(event: &ReceivedEvent, own: StationId) -> Option<i64> {
    let interval_ms = event.denm.denm.management.transmission_interval_ms?;
    let seed = [u64::from(own.0), event.action_id.sequence_number.into(), event.reference_time.unix_ms() as u64];
    let spread_ms = seed.into_iter().fold(0, |hash, word| mix(hash ^ word)) % (SPREAD_MS + 1);
    Some(2 * i64::from(interval_ms) + spread_ms.cast_signed())
}

/// The finaliser of SplitMix64.
const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
