//! Conflicts with a beginning and an end, of the encounters of all road users.

use super::{Encounter, EncounterKind, encounter, may_come_close};
use crate::world::prediction::{Forecast, MAX_FORECASTS, Mover, RouteMap, predict};
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When an encounter is a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ConflictSettings {
    /// A collision within this time is a conflict, seconds.
    pub ttc_s: f64,
    /// A passage within this time after the other is a conflict, seconds.
    pub pet_s: f64,
    /// Passages later than this are left to the future, seconds.
    pub horizon_s: f64,
    /// It ends when both times are this many times as long.
    pub release: f64,
    /// It begins when it lasted this long, seconds: one frame's noise is none.
    pub confirm_s: f64,
    /// It ends when nothing was left of it for this long, seconds.
    pub hold_s: f64,
    /// Forecast ways together less probable than this are no conflict, 0 to 1.
    pub min_probability: f64,
    /// Slower than this both, they are standing beside each other, m/s.
    pub min_speed_mps: f64,
    /// Road users considered at most, the first ones.
    pub max_users: usize,
    /// Conflicts at most.
    pub max_conflicts: usize,
}

impl Default for ConflictSettings {
    /// TTC and PET of serious conflicts (Hydén 1987; van der Horst 1990).
    fn default() -> Self {
        Self {
            ttc_s: 1.5,
            pet_s: 1.0,
            horizon_s: 3.0,
            release: 1.5,
            confirm_s: 0.2,
            hold_s: 1.0,
            min_probability: 0.3,
            min_speed_mps: 0.5,
            max_users: 64,
            max_conflicts: 64,
        }
    }
}

/// Where a conflict is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictState {
    /// It does not last long enough yet: not to be told.
    Tentative,
    /// It is on.
    On,
    /// It is over.
    Over,
}

/// A conflict of two road users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conflict {
    /// Their object ids, the lower one first.
    pub users: [u16; 2],
    /// Where it is in its life.
    pub state: ConflictState,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was last seen.
    pub last_at: Timestamp,
    /// How the paths come together.
    pub kind: EncounterKind,
    /// Where they come together, as last seen.
    pub place: Enu,
    /// How probable the ways are that lead to it, as last seen: 0 to 1.
    pub probability: f64,
    /// Least time to collision so far, seconds.
    pub min_ttc_s: Option<f64>,
    /// Least post-encroachment time so far, seconds.
    pub min_pet_s: Option<f64>,
    /// Most deceleration needed so far, m/s².
    pub max_drac_mps2: Option<f64>,
}

impl Conflict {
    fn see(&mut self, seen: &Encounter, probability: f64, now: Timestamp) {
        let least = |a: Option<f64>, b: Option<f64>| [a, b].into_iter().flatten().reduce(f64::min);
        (self.last_at, self.kind, self.place, self.probability) = (now, seen.kind, seen.place, probability);
        self.min_ttc_s = least(self.min_ttc_s, seen.ttc_s);
        self.min_pet_s = least(self.min_pet_s, seen.pet_s);
        self.max_drac_mps2 = [self.max_drac_mps2, seen.drac_mps2].into_iter().flatten().reduce(f64::max);
    }
}

/// Watches the encounters of all road users.
#[derive(Clone, Debug)]
pub struct ConflictWatch {
    settings: ConflictSettings,
    conflicts: BTreeMap<[u16; 2], Conflict>,
    forecasts: Vec<(u16, f64, heapless::Vec<Forecast, MAX_FORECASTS>)>,
    left_out: u64,
}

impl ConflictWatch {
    /// A watch that has seen nothing.
    pub fn new(settings: ConflictSettings) -> Self {
        let forecasts = Vec::with_capacity(settings.max_users.min(usize::from(u8::MAX)));
        Self { settings, conflicts: BTreeMap::new(), forecasts, left_out: 0 }
    }

    /// Road users and conflicts that were left out for want of room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The conflicts by their users; those that are over for the last time.
    pub fn conflicts(&self) -> impl Iterator<Item = &Conflict> {
        self.conflicts.values().filter(|conflict| conflict.state != ConflictState::Tentative)
    }

    /// Takes the road users as of `now`.
    pub fn update(&mut self, users: impl IntoIterator<Item = (u16, Mover)>, map: &RouteMap, now: Timestamp) {
        self.conflicts.retain(|_, conflict| conflict.state != ConflictState::Over);
        self.forecasts.clear();
        for (id, mover) in users {
            if self.forecasts.len() == self.settings.max_users {
                self.left_out += 1;
            } else {
                self.forecasts.push((id, mover.speed_mps(), predict(&mover, map)));
            }
        }
        for (index, (id, speed_mps, ways)) in self.forecasts.iter().enumerate() {
            for (other, other_speed_mps, other_ways) in &self.forecasts[index + 1..] {
                if speed_mps.max(*other_speed_mps) < self.settings.min_speed_mps {
                    continue;
                }
                let pair = if id < other { [*id, *other] } else { [*other, *id] };
                let is_full = self.conflicts.len() == self.settings.max_conflicts;
                let known = self.conflicts.get_mut(&pair);
                let release = if known.is_some() { self.settings.release } else { 1.0 };
                let Some((seen, probability)) = worst(ways, other_ways, &self.settings, release) else { continue };
                match known {
                    Some(conflict) => conflict.see(&seen, probability, now),
                    None if is_full => self.left_out += 1,
                    None => {
                        self.conflicts.insert(pair, begun(pair, &seen, probability, now));
                    }
                }
            }
        }
        for conflict in self.conflicts.values_mut() {
            let lasted_s = conflict.last_at.seconds_since(conflict.began_at);
            let unseen_s = now.seconds_since(conflict.last_at);
            conflict.state = match conflict.state {
                // What never was one is not told to be over.
                ConflictState::Tentative if lasted_s >= self.settings.confirm_s => ConflictState::On,
                ConflictState::On if unseen_s > self.settings.hold_s => ConflictState::Over,
                state => state,
            };
        }
        let hold_s = self.settings.hold_s;
        self.conflicts.retain(|_, c| c.state != ConflictState::Tentative || now.seconds_since(c.last_at) <= hold_s);
    }
}

fn begun(users: [u16; 2], seen: &Encounter, probability: f64, now: Timestamp) -> Conflict {
    let mut conflict = Conflict {
        users,
        state: ConflictState::Tentative,
        began_at: now,
        last_at: now,
        kind: seen.kind,
        place: seen.place,
        probability,
        min_ttc_s: None,
        min_pet_s: None,
        max_drac_mps2: None,
    };
    conflict.see(seen, probability, now);
    conflict
}

/// The encounter with the least time to collision (or else passage) of those that are conflicts, and the probability of
/// all ways that lead to one; `None` when that is too little.
fn worst(a: &[Forecast], b: &[Forecast], settings: &ConflictSettings, release: f64) -> Option<(Encounter, f64)> {
    let mut worst: Option<Encounter> = None;
    let mut probability = 0.0;
    for one in a {
        for other in b {
            let (apart_s, horizon_s) = (settings.pet_s * release, settings.horizon_s);
            if !may_come_close(one, other, apart_s, horizon_s) {
                continue;
            }
            let Some(seen) = encounter(one, other) else { continue };
            let soon = |time_s: Option<f64>, limit_s: f64| time_s.is_some_and(|t| t <= limit_s * release);
            // A passage counts while it is near: where two cross in four seconds they still may agree.
            let is_near =
                soon(seen.ttc_s, settings.ttc_s) || (seen.ttc_s.is_none() && soon(seen.pet_s, settings.pet_s));
            if !is_near {
                continue;
            }
            probability += one.probability * other.probability;
            let key = |e: &Encounter| (e.ttc_s.unwrap_or(f64::INFINITY), e.pet_s.unwrap_or(f64::INFINITY));
            if worst.is_none_or(|w| key(&seen) < key(&w)) {
                worst = Some(seen);
            }
        }
    }
    worst.filter(|_| probability >= settings.min_probability).map(|seen| (seen, probability))
}
