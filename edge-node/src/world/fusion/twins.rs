//! Objects that are one: they stay at one place, and no camera sees both; or one begins where the other has vanished.

use super::association::{Candidate, cost};
use super::settings::FusionSettings;
use crate::perception::TrackState;
use crate::world::RoadUser;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// Pairs that are watched at most.
const MOST_PAIRS: usize = 256;
/// Centres further apart than this are not compared, metres: a cheap no.
const NEAR_M: f64 = 12.0;

/// Pairs of objects that have agreed since some time, the longer known first.
#[derive(Clone, Debug, Default)]
pub(super) struct Twins {
    since: BTreeMap<[u16; 2], Timestamp>,
}

impl Twins {
    /// Looks at all pairs; those that have agreed for long enough, the one to be kept first.
    pub(super) fn update(
        &mut self,
        users: &[RoadUser],
        settings: &FusionSettings,
        now: Timestamp,
    ) -> heapless::Vec<[u16; 2], 8> {
        let mut merged: heapless::Vec<[u16; 2], 8> = heapless::Vec::new();
        let mut agreeing: BTreeMap<[u16; 2], Timestamp> = BTreeMap::new();
        for (place, older) in users.iter().enumerate() {
            for younger in &users[place + 1..] {
                let goes_on = goes_on_as(older, younger) || goes_on_as(younger, older);
                let is_near = older.position.ground_distance_m(&younger.position) <= NEAR_M;
                if !is_near || !may_be_one(older, younger, goes_on) {
                    continue;
                }
                if cost(&Candidate::of_user(older), &Candidate::of_user(younger), settings).is_none() {
                    continue;
                }
                let pair = [older.id, younger.id];
                let since = self.since.get(&pair).copied().unwrap_or(now);
                let is_taken = merged.iter().flatten().any(|id| pair.contains(id));
                if (goes_on || now.seconds_since(since) >= settings.merge_after_s) && !is_taken {
                    // What does not fit is merged with the next frame.
                    let _ = merged.push(pair);
                } else if agreeing.len() < MOST_PAIRS {
                    agreeing.insert(pair, since);
                }
            }
        }
        self.since = agreeing;
        merged
    }
}

/// Whether a camera has lost the one and begun the other afterwards: its tracker did not find the box again that belongs to the
/// one, where a new track has then begun beside the place that it expected.
fn goes_on_as(one: &RoadUser, other: &RoadUser) -> bool {
    other.sights.iter().filter(|new| new.state == TrackState::Confirmed).any(|new| {
        let lost = one.sight_of(new.camera).filter(|lost| lost.state == TrackState::Coasting);
        lost.is_some_and(|lost| new.first_event > lost.last_event)
    })
}

/// Nobody who sees or tells of both says that they are two.
fn may_be_one(a: &RoadUser, b: &RoadUser, goes_on: bool) -> bool {
    let is_seen_twice = a.sights.iter().any(|one| {
        one.state == TrackState::Confirmed
            && b.sight_of(one.camera).is_some_and(|other| other.state == TrackState::Confirmed)
    });
    let is_told_twice = a.told.iter().any(|one| {
        b.told.iter().any(|other| {
            let both_of_themselves =
                matches!((one.teller, other.teller), (super::Teller::Station(_), super::Teller::Station(_)));
            both_of_themselves || one.teller.station() == other.teller.station()
        })
    });
    // Of two that only one camera sees, its tracker has decided.
    let of_one_source = !goes_on
        && a.told.is_empty()
        && b.told.is_empty()
        && a.sights.iter().chain(&b.sights).all(|sight| Some(sight.camera) == a.sights.first().map(|s| s.camera));
    !is_seen_twice && !is_told_twice && !of_one_source
}
