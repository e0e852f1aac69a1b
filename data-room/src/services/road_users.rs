//! Road users from sightings: each one once, however many stations speak of it.
//!
//! In: sightings of any number of stations, in the order of their arrival. Out: [`Step`]s: who moved from where to where.
//! A vehicle that sends CAMs and is in the CPMs of two roadside units is three subjects and one road user; one subject
//! leads, and only its sightings make steps, until it falls silent and another takes over.
//!
//! Invariants: pure; at most [`MAX_ROAD_USERS`]; steps of one road user follow each other in time without a gap. Subjects
//! of one station are never the same road user: it tells its objects apart itself. Numbers never leave the services.

use super::class::RoadUserClass;
use super::shape::{Place, distance_m};
use super::sighting::{Sighting, Subject};
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most road users that are followed at a time.
pub const MAX_ROAD_USERS: usize = 20_000;
/// Most subjects that are followed at a time.
const MAX_SUBJECTS: usize = 2 * MAX_ROAD_USERS;
/// Nobody is further from where it was last seen, metres.
const MAX_AWAY_M: f64 = 100.0;
/// Slower than this a vehicle halts, m/s: 5 km/h, as SUMO's e2 detectors and VISSIM's queue counters have it.
pub const HALTING_MPS: f64 = 5.0 / 3.6;
/// As often in a row two subjects must agree, or disagree, before they are joined or parted.
const CONVINCED: u8 = 3;

/// How road users are followed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FollowSettings {
    /// Unheard of for so long, it has gone, milliseconds. CPMs repeat an object at least every second.
    pub gone_after_ms: i64,
    /// The leading subject silent for so long, another one takes over, milliseconds.
    pub take_over_after_ms: i64,
    /// Subjects this near are one road user, metres across the direction of motion; along it half a length more.
    pub same_within_m: f64,
    /// … if their velocities differ by no more than this, m/s.
    pub same_within_mps: f64,
}

impl Default for FollowSettings {
    fn default() -> Self {
        Self { gone_after_ms: 3_000, take_over_after_ms: 1_500, same_within_m: 1.6, same_within_mps: 3.0 }
    }
}

/// A road user's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoadUserId(u64);

/// A road user as it is.
#[derive(Clone, Debug)]
pub struct RoadUser {
    /// As of when.
    pub at: Timestamp,
    /// Centre of its footprint.
    pub place: Place,
    /// Velocity towards east and north, m/s.
    pub velocity_mps: [f64; 2],
    /// Length, metres.
    pub length_m: f64,
    /// Since when it halts.
    pub halts_since: Option<Timestamp>,
    votes: [u16; RoadUserClass::ALL.len()],
    leader: Subject,
    subjects: Vec<Subject>,
}

impl RoadUser {
    /// What it was said to be most often.
    pub fn class(&self) -> RoadUserClass {
        let most = RoadUserClass::ALL.into_iter().rev().max_by_key(|class| self.votes[class.index()]);
        most.unwrap_or(RoadUserClass::Other)
    }

    /// Speed over ground, m/s.
    pub fn speed_mps(&self) -> f64 {
        self.velocity_mps[0].hypot(self.velocity_mps[1])
    }

    /// Whether it has been halting for at least so long at `now`.
    pub fn halts(&self, now: Timestamp, for_ms: i64) -> bool {
        self.halts_since.is_some_and(|since| now >= since.plus_ms(for_ms))
    }

    fn vote(&mut self, class: RoadUserClass) {
        let votes = &mut self.votes[class.index()];
        *votes = votes.saturating_add(1);
    }

    /// Whether a sighting may be of this road user.
    fn agrees(&self, sighting: &Sighting, settings: &FollowSettings) -> bool {
        let dt_s = sighting.at.seconds_since(self.at);
        if dt_s.abs() * 1e3 > settings.take_over_after_ms as f64 {
            return false;
        }
        let on_foot = |class: RoadUserClass| class == RoadUserClass::Pedestrian;
        if on_foot(self.class()) != on_foot(sighting.class) {
            return false;
        }
        let here = [self.place[0] + self.velocity_mps[0] * dt_s, self.place[1] + self.velocity_mps[1] * dt_s];
        let away = [sighting.place[0] - here[0], sighting.place[1] - here[1]];
        let speed_mps = self.speed_mps();
        let velocity = sighting.velocity_mps.unwrap_or(self.velocity_mps);
        if distance_m(velocity, self.velocity_mps) > settings.same_within_mps {
            return false;
        }
        // Where somebody stands nobody knows which way is along.
        let (along_m, across_m) = if speed_mps > 0.5 {
            let [x, y] = self.velocity_mps.map(|v| v / speed_mps);
            ((away[0] * x + away[1] * y).abs(), (away[1] * x - away[0] * y).abs())
        } else {
            (0.0, away[0].hypot(away[1]))
        };
        along_m <= settings.same_within_m + self.length_m / 2.0 && across_m <= settings.same_within_m
    }
}

/// A straight movement of a road user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Who.
    pub id: RoadUserId,
    /// What.
    pub class: RoadUserClass,
    /// Its length, metres.
    pub length_m: f64,
    /// When and where it began.
    pub from: (Timestamp, Place),
    /// When and where it ended.
    pub to: (Timestamp, Place),
}

#[derive(Clone, Copy, Debug)]
struct Track {
    id: RoadUserId,
    at: Timestamp,
    place: Place,
    /// Sightings in a row in which it was far from its road user.
    apart: u8,
    /// A road user of other stations with whom it agreed, and how often in a row.
    suspect: Option<(RoadUserId, u8)>,
}

/// What was not used, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FollowDrops {
    /// Sightings not newer than the last of the same subject.
    pub late: u64,
    /// Sightings for which there was no room.
    pub no_room: u64,
}

/// Everybody on the road.
#[derive(Clone, Debug, Default)]
pub struct RoadUsers {
    settings: FollowSettings,
    users: BTreeMap<RoadUserId, RoadUser>,
    tracks: BTreeMap<Subject, Track>,
    born: u64,
    drops: FollowDrops,
}

impl RoadUsers {
    /// Nobody yet.
    pub fn new(settings: FollowSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Everybody, in the order of their appearance.
    pub fn iter(&self) -> impl Iterator<Item = (RoadUserId, &RoadUser)> {
        self.users.iter().map(|(id, user)| (*id, user))
    }

    /// What was not used.
    pub const fn drops(&self) -> FollowDrops {
        self.drops
    }

    /// Takes a sighting; the step it makes.
    pub fn take(&mut self, sighting: &Sighting) -> Option<Step> {
        let velocity = match self.tracks.get(&sighting.subject) {
            Some(track) if sighting.at <= track.at => {
                self.drops.late += 1;
                return None;
            }
            Some(track) => sighting.velocity_mps.unwrap_or_else(|| {
                let dt_s = sighting.at.seconds_since(track.at);
                [0, 1].map(|axis| (sighting.place[axis] - track.place[axis]) / dt_s)
            }),
            None => {
                self.begin(sighting)?;
                sighting.velocity_mps.unwrap_or_default()
            }
        };
        self.reconsider(sighting);
        let track = self.tracks.get_mut(&sighting.subject)?;
        (track.at, track.place) = (sighting.at, sighting.place);
        let (id, user) = (track.id, self.users.get_mut(&track.id)?);
        user.vote(sighting.class);
        let silent_ms = (sighting.at.unix_ms() - user.at.unix_ms()).max(0);
        if user.leader != sighting.subject && silent_ms < self.settings.take_over_after_ms {
            return None;
        }
        user.leader = sighting.subject;
        let from = (user.at, user.place);
        (user.at, user.place, user.velocity_mps, user.length_m) =
            (sighting.at, sighting.place, velocity, sighting.length_m);
        let halts = user.speed_mps() < HALTING_MPS;
        user.halts_since = if halts { user.halts_since.or(Some(sighting.at)) } else { None };
        let step = Step { id, class: user.class(), length_m: user.length_m, from, to: (user.at, user.place) };
        (step.to.0 > step.from.0).then_some(step)
    }

    /// A subject that is not known: of a road user that is, or of a new one.
    fn begin(&mut self, sighting: &Sighting) -> Option<()> {
        let same = if self.tracks.len() < MAX_SUBJECTS { self.same(sighting, None) } else { None };
        let id = match same {
            Some(id) => {
                self.users.get_mut(&id)?.subjects.push(sighting.subject);
                id
            }
            None if self.users.len() >= MAX_ROAD_USERS || self.tracks.len() >= MAX_SUBJECTS => {
                self.drops.no_room += 1;
                return None;
            }
            None => self.born(sighting),
        };
        let (at, place) = (sighting.at, sighting.place);
        self.tracks.insert(sighting.subject, Track { id, at, place, apart: 0, suspect: None });
        Some(())
    }

    fn born(&mut self, sighting: &Sighting) -> RoadUserId {
        self.born += 1;
        let id = RoadUserId(self.born);
        let user = RoadUser {
            at: sighting.at,
            place: sighting.place,
            velocity_mps: sighting.velocity_mps.unwrap_or_default(),
            length_m: sighting.length_m,
            halts_since: None,
            votes: Default::default(),
            leader: sighting.subject,
            subjects: vec![sighting.subject],
        };
        self.users.insert(id, user);
        id
    }

    /// The nearest road user that a sighting may be of and that its station does not know as somebody else.
    fn same(&self, sighting: &Sighting, but: Option<RoadUserId>) -> Option<RoadUserId> {
        let station = sighting.subject.station();
        let may_be = |id: RoadUserId, user: &RoadUser| {
            Some(id) != but
                && distance_m(user.place, sighting.place) < MAX_AWAY_M
                && user.subjects.iter().all(|subject| subject.station() != station)
                && user.agrees(sighting, &self.settings)
        };
        let candidates = self.users.iter().filter(|(id, user)| may_be(**id, user));
        let nearest = candidates.min_by(|(_, a), (_, b)| {
            distance_m(a.place, sighting.place).total_cmp(&distance_m(b.place, sighting.place))
        });
        nearest.map(|(id, _)| *id)
    }

    /// Joins what turned out to be one road user, and parts what turned out to be two.
    fn reconsider(&mut self, sighting: &Sighting) {
        let Some(track) = self.tracks.get(&sighting.subject).copied() else { return };
        let Some(user) = self.users.get(&track.id) else { return };
        if user.subjects.len() > 1 {
            let near = user.leader == sighting.subject || user.agrees(sighting, &self.settings);
            let apart = if near { 0 } else { track.apart.saturating_add(1) };
            let parted = apart >= CONVINCED * 2;
            let id = if parted {
                if let Some(user) = self.users.get_mut(&track.id) {
                    user.subjects.retain(|subject| *subject != sighting.subject);
                }
                self.born(sighting)
            } else {
                track.id
            };
            let apart = if parted { 0 } else { apart };
            self.tracks.insert(sighting.subject, Track { id, apart, suspect: None, ..track });
            return;
        }
        let other = self.same(sighting, Some(track.id));
        let suspect = other.map(|other| match track.suspect {
            Some((before, times)) if before == other => (other, times + 1),
            _ => (other, 1),
        });
        match suspect {
            Some((other, times)) if times >= CONVINCED => self.join(track.id, other),
            _ => {
                self.tracks.insert(sighting.subject, Track { suspect, ..track });
            }
        }
    }

    /// Two road users are one: the older one stays, with its way so far.
    fn join(&mut self, one: RoadUserId, other: RoadUserId) {
        let (older, younger) = (one.min(other), one.max(other));
        let subjects = self.users.remove(&younger).map(|user| user.subjects).unwrap_or_default();
        for subject in &subjects {
            if let Some(track) = self.tracks.get_mut(subject) {
                (track.id, track.suspect, track.apart) = (older, None, 0);
            }
        }
        if let Some(user) = self.users.get_mut(&older) {
            user.subjects.extend(subjects);
        }
    }

    /// Forgets who has not been heard of; their numbers.
    pub fn expire(&mut self, now: Timestamp) -> Vec<RoadUserId> {
        let oldest = now.plus_ms(-self.settings.gone_after_ms);
        let users = &mut self.users;
        self.tracks.retain(|subject, track| {
            let stays = track.at >= oldest;
            if let Some(user) = users.get_mut(&track.id).filter(|_| !stays) {
                user.subjects.retain(|known| known != subject);
            }
            stays
        });
        let gone: Vec<_> = users.iter().filter(|(_, user)| user.subjects.is_empty()).map(|(id, _)| *id).collect();
        for id in &gone {
            users.remove(id);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a second of a car to the east at 10 m/s, seen by a station.
    fn sighting(station: u32, number: u16, step: u32, ahead_m: f64, aside_m: f64) -> Sighting {
        let s = f64::from(step) * 0.5;
        Sighting {
            at: Timestamp::from_unix_ms(i64::from(step) * 500 + i64::from(station)),
            subject: Subject::Perceived(station, number),
            class: RoadUserClass::Car,
            place: [10.0 * s + ahead_m, aside_m],
            velocity_mps: Some([10.0, 0.0]),
            length_m: 4.0,
        }
    }

    /// How many there are when a second station sees the same car so far aside in each step.
    fn counts(asides_m: impl IntoIterator<Item = f64>) -> Vec<usize> {
        let mut users = RoadUsers::new(FollowSettings::default());
        let step = |(step, aside_m): (u32, f64)| {
            users.take(&sighting(1, 1, step, 0.0, 0.0));
            users.take(&sighting(2, 5, step, 0.5, aside_m));
            users.iter().count()
        };
        (0..).zip(asides_m).map(step).collect()
    }

    #[test]
    fn who_begins_apart_is_joined_when_it_keeps_agreeing() {
        assert_eq!(counts([1.0; 4]), [1; 4]);
        assert_eq!(counts([2.5, 2.0, 1.2, 1.0, 0.8, 0.5]), [2, 2, 2, 2, 1, 1]);
        assert_eq!(counts([2.5, 1.2, 2.0, 1.2, 2.0, 1.2]), [2; 6], "once is not enough");
    }

    #[test]
    fn who_drifts_apart_is_parted() {
        let drift = (0..16).map(|step| if step < 4 { 0.5 } else { 3.5 });
        let counts = counts(drift);
        assert_eq!(counts[..4], [1; 4]);
        assert_eq!(counts[15], 2, "{counts:?}");
    }

    #[test]
    fn only_the_leader_makes_steps_and_they_follow_each_other() {
        let mut users = RoadUsers::new(FollowSettings::default());
        let mut steps: Vec<Step> = Vec::new();
        for step in 0..20 {
            // The first station goes blind after 5 s.
            let first = (step < 10).then(|| sighting(1, 1, step, 0.0, 0.0));
            let seen = first.into_iter().chain([sighting(2, 5, step, 0.5, 0.3)]);
            steps.extend(seen.filter_map(|sighting| users.take(&sighting)));
        }
        assert!(steps.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].id == pair[1].id), "{steps:?}");
        assert_eq!(steps.last().unwrap().to.1, [95.5, 0.3]);
        assert!(steps.len() < 20);
    }

    #[test]
    fn late_sightings_are_counted_and_the_silent_go() {
        let mut users = RoadUsers::new(FollowSettings::default());
        users.take(&sighting(1, 1, 4, 0.0, 0.0));
        assert_eq!(users.take(&sighting(1, 1, 3, 0.0, 0.0)), None);
        assert_eq!(users.drops().late, 1);
        assert!(users.expire(Timestamp::from_unix_ms(5_000)).is_empty());
        assert_eq!(users.expire(Timestamp::from_unix_ms(5_002)).len(), 1);
        assert_eq!(users.iter().count(), 0);
    }
}
