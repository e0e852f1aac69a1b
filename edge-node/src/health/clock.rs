//! Whether the own clock is right, by what the messages of others say of theirs; and who has fallen silent.

use crate::world::ldm::Heard;
use masa_v2x_proto::cdd::{StationId, StationType};
use masa_v2x_proto::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// A difference larger than this is not explained by the way of a message, seconds.
const LIMIT_S: f64 = 0.4;
/// Messages of a station from which its difference is taken.
const KEPT: usize = 8;
/// Messages that are needed.
const NEEDED: usize = 4;
/// Stations kept.
const MAX_STATIONS: usize = 256;
/// A station counts for so long after it was heard, seconds.
const RECENT_S: f64 = 5.0;
/// A roadside unit is silent after this, seconds: it sends CAMs each second.
const SILENT_S: f64 = 3.0;
/// And forgotten after this, seconds: one has driven on.
const FORGOTTEN_S: f64 = 15.0;

#[derive(Clone, Debug)]
struct Peer {
    differences_s: VecDeque<f64>,
    heard_at: Timestamp,
    is_roadside: bool,
}

/// Clocks of others against the own one.
#[derive(Clone, Debug, Default)]
pub(super) struct ClockHealth {
    peers: BTreeMap<StationId, Peer>,
    offset: Option<(f64, usize)>,
}

impl ClockHealth {
    /// Takes note of when a message says it was made.
    pub(super) fn hear(&mut self, heard: &Heard, now: Timestamp) {
        self.peers.retain(|_, peer| now.seconds_since(peer.heard_at) < FORGOTTEN_S);
        if self.peers.len() >= MAX_STATIONS && !self.peers.contains_key(&heard.station) {
            return;
        }
        let peer = self.peers.entry(heard.station).or_insert_with(|| Peer {
            differences_s: VecDeque::with_capacity(KEPT),
            heard_at: now,
            is_roadside: false,
        });
        peer.heard_at = now;
        peer.is_roadside |= heard.station_type == Some(StationType::RoadSideUnit);
        if let Some(generated_at) = heard.generated_at {
            if peer.differences_s.len() == KEPT {
                peer.differences_s.pop_front();
            }
            peer.differences_s.push_back(generated_at.seconds_since(now));
        }
        self.offset = self.common(now);
    }

    /// The difference that most of the stations share, and how many stations were asked.
    fn common(&self, now: Timestamp) -> Option<(f64, usize)> {
        let recent = self
            .peers
            .values()
            .filter(|peer| now.seconds_since(peer.heard_at) < RECENT_S && peer.differences_s.len() >= NEEDED);
        let mut medians: Vec<f64> = recent
            .map(|peer| {
                let mut values: Vec<f64> = peer.differences_s.iter().copied().collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            })
            .collect();
        medians.sort_by(f64::total_cmp);
        let median = *medians.get(medians.len() / 2)?;
        (median.abs() > LIMIT_S).then_some((median, medians.len()))
    }

    /// By how much the others differ, seconds, and how many stations say so.
    pub(super) fn offset(&self) -> Option<(f64, usize)> {
        self.offset
    }

    /// Roadside units that were heard, and for how long those have been silent that have.
    pub(super) fn roadside(&self, now: Timestamp) -> Vec<(u32, Option<f64>)> {
        let roadside = self.peers.iter().filter(|(_, peer)| peer.is_roadside);
        roadside
            .map(|(id, peer)| {
                let silent_s = now.seconds_since(peer.heard_at);
                (id.0, (silent_s > SILENT_S && silent_s < FORGOTTEN_S).then_some(silent_s))
            })
            .collect()
    }
}
