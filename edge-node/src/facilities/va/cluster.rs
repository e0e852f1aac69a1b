//! Clusters of vulnerable road users: TS 103 300-3 V2.2.1 clause 5.4.2. One VAM for many who move together.
//!
//! In: the road user's movement, and what the others' VAMs say ([`Companion`]). Out: what the own VAM is to say of
//! clusters, and whether there is one at all. A pure state machine:
//!
//! ```text
//!             enough companions, no cluster near          asked to break up, or alone
//! standalone ──────────────────────────────────► leader ──────────────────────────────► standalone
//!     │  ▲
//!     │  └── leader lost, too far, too fast, broken up, not counted ──┐
//!     └── a cluster is near: announce it for 3 s ──► joining ──► passive
//! ```
//!
//! Absent: combined clusters of several profiles, and changing the id of a cluster.

use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::vam::{ClusterBreakupReason, ClusterLeaveReason};
use serde::{Deserialize, Serialize};

/// `timeClusterBreakupWarning`: how long a leader announces the end, milliseconds (table 15).
const BREAKUP_WARNING_MS: i64 = 3_000;
/// `timeClusterJoinNotification`: how long joining is announced, milliseconds.
const JOIN_NOTIFICATION_MS: i64 = 3_000;
/// `timeClusterJoinSuccess`: how long the leader has to count a new member, milliseconds.
const JOIN_SUCCESS_MS: i64 = 500;
/// `timeClusterContinuity`: how long a leader may be silent, milliseconds.
const CONTINUITY_MS: i64 = 2_000;
/// `timeClusterLeaveNotification`: how long leaving is announced, milliseconds.
const LEAVE_NOTIFICATION_MS: i64 = 1_000;
/// A leader says this often that it is there, milliseconds: twice within the continuity time.
pub const LEADER_INTERVAL_MS: i64 = 900;

/// When clusters are made (TS 103 300-3 table 14; defaults are its recommendations).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ClusterSettings {
    /// `numCreateCluster`: road users close together, oneself included, that make a cluster worthwhile, 3 to 5.
    pub num_create_cluster: u8,
    /// `maxClusterDistance`: radius of a cluster, metres, 3 to 5.
    pub max_cluster_distance_m: f64,
    /// `maxClusterVelocityDifference`: largest difference of speeds, as a share.
    pub max_velocity_difference: f64,
    /// `maxClusterSize`: most members.
    pub max_cluster_size: u8,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self { num_create_cluster: 3, max_cluster_distance_m: 5.0, max_velocity_difference: 0.05, max_cluster_size: 20 }
    }
}

/// The road user itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Own {
    /// Its station.
    pub station: StationId,
    /// Where it is.
    pub position: Enu,
    /// How fast, m/s.
    pub speed_mps: f64,
}

/// Another road user, as its newest VAM has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Companion {
    /// Its station.
    pub station: StationId,
    /// Where it is.
    pub position: Enu,
    /// How fast, m/s.
    pub speed_mps: f64,
    /// When the VAM was heard.
    pub heard_at: Timestamp,
    /// The cluster it leads: id and size.
    pub leads: Option<(u8, u8)>,
    /// It announces the end of its cluster.
    pub breaks_up: bool,
    /// The cluster it is about to join.
    pub joins: Option<u8>,
    /// The cluster it has left.
    pub leaves: Option<u8>,
}

/// What a VAM says of clusters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statement {
    /// Nothing.
    None,
    /// "I lead this cluster of so many."
    Leads {
        /// Its id.
        id: u8,
        /// Its members, the leader included.
        size: u8,
        /// It ends in so many seconds, for this reason.
        ends: Option<(ClusterBreakupReason, f32)>,
    },
    /// "I join this cluster in so many seconds."
    Joins {
        /// Its id.
        id: u8,
        /// Seconds left.
        in_s: f32,
    },
    /// "I have left this cluster."
    Left {
        /// Its id.
        id: u8,
        /// Why.
        reason: ClusterLeaveReason,
    },
}

/// The clustering state (clause 5.4.2.1: VRU-ACTIVE-STANDALONE, -CLUSTER-LEADER, VRU-PASSIVE).
#[derive(Clone, Debug, PartialEq)]
pub enum Clustering {
    /// On its own; it may still be telling that it left a cluster.
    Standalone {
        /// Cluster, reason, and until when it is told.
        left: Option<(u8, ClusterLeaveReason, Timestamp)>,
    },
    /// About to join.
    Joining {
        /// Cluster, its leader and its size when joining began.
        id: u8,
        /// The leader.
        leader: StationId,
        /// Its size before.
        size: u8,
        /// When the announcement ends.
        at: Timestamp,
    },
    /// Silent member.
    Passive {
        /// Cluster.
        id: u8,
        /// Its leader.
        leader: StationId,
        /// Its size before this road user joined, and until when the leader has to count it; `None` once it has.
        unconfirmed: Option<(u8, Timestamp)>,
    },
    /// Speaks for the others.
    Leader {
        /// Its id.
        id: u8,
        /// Those who have joined.
        members: Vec<StationId>,
        /// When it began.
        since: Timestamp,
        /// Why and when it ends.
        ends: Option<(ClusterBreakupReason, Timestamp)>,
    },
}

impl Clustering {
    /// On its own.
    pub const fn new() -> Self {
        Self::Standalone { left: None }
    }

    /// One step; true when the next VAM has news to tell.
    pub fn step(&mut self, own: Own, companions: &[Companion], settings: &ClusterSettings, now: Timestamp) -> bool {
        let view = View { own, companions, settings, now };
        let before = self.statement(now);
        let was_passive = self.is_passive();
        let next = match self {
            Self::Standalone { left } => {
                let over = left.is_some_and(|(_, _, until)| now >= until);
                let next = (left.is_none() || over).then(|| view.begin()).flatten();
                next.or(over.then_some(Self::Standalone { left: None }))
            }
            Self::Joining { id, leader, size, at } => view.joining(*id, *leader, *size, *at),
            Self::Passive { id, leader, unconfirmed } => view.passive(*id, *leader, unconfirmed),
            Self::Leader { id, members, since, ends } => view.lead(*id, members, *since, ends),
        };
        if let Some(next) = next {
            *self = next;
        }
        let news = |a: Statement, b: Statement| match (a, b) {
            // The time that is left runs down by itself.
            (Statement::Joins { id: a, .. }, Statement::Joins { id: b, .. }) => a != b,
            (Statement::Leads { id: a, size: m, ends: e }, Statement::Leads { id: b, size: n, ends: f }) => {
                (a, m, e.is_some()) != (b, n, f.is_some())
            }
            (a, b) => a != b,
        };
        was_passive != self.is_passive() || news(before, self.statement(now))
    }

    /// Whether the road user sends VAMs at all.
    pub const fn is_passive(&self) -> bool {
        matches!(self, Self::Passive { .. })
    }

    /// What the own VAM says of clusters at `now`.
    pub fn statement(&self, now: Timestamp) -> Statement {
        let left_s = |at: Timestamp| at.seconds_since(now).max(0.0) as f32;
        match self {
            Self::Standalone { left: Some((id, reason, _)) } => Statement::Left { id: *id, reason: *reason },
            Self::Standalone { left: None } | Self::Passive { .. } => Statement::None,
            Self::Joining { id, at, .. } => Statement::Joins { id: *id, in_s: left_s(*at) },
            Self::Leader { id, members, ends, .. } => Statement::Leads {
                id: *id,
                size: u8::try_from(members.len() + 1).unwrap_or(u8::MAX),
                ends: ends.map(|(reason, at)| (reason, left_s(at))),
            },
        }
    }

    /// When something happens by itself.
    pub fn wake_at(&self, companions: &[Companion]) -> Option<Timestamp> {
        match self {
            Self::Standalone { left } => left.map(|(_, _, until)| until),
            Self::Joining { at, .. } => Some(*at),
            Self::Passive { leader, unconfirmed, .. } => {
                let heard = companions.iter().find(|other| other.station == *leader).map(|other| other.heard_at);
                let silent = heard.map(|at| at.plus_ms(CONTINUITY_MS));
                unconfirmed.map(|(_, until)| until).into_iter().chain(silent).min()
            }
            Self::Leader { ends, .. } => ends.map(|(_, at)| at),
        }
    }
}

impl Default for Clustering {
    fn default() -> Self {
        Self::new()
    }
}

/// What one step looks at.
struct View<'a> {
    own: Own,
    companions: &'a [Companion],
    settings: &'a ClusterSettings,
    now: Timestamp,
}

impl View<'_> {
    /// Close enough and as fast (clause 5.4.2.2).
    fn is_together(&self, other: &Companion) -> bool {
        self.is_near(other) && self.is_as_fast(other)
    }

    fn is_near(&self, other: &Companion) -> bool {
        other.position.ground_distance_m(&self.own.position) <= self.settings.max_cluster_distance_m
    }

    fn is_as_fast(&self, other: &Companion) -> bool {
        // People who stand are together too: a share of nearly nothing would part them.
        let allowed_mps = (self.settings.max_velocity_difference * self.own.speed_mps.max(other.speed_mps)).max(0.1);
        (other.speed_mps - self.own.speed_mps).abs() <= allowed_mps
    }

    fn companion(&self, station: StationId) -> Option<&Companion> {
        self.companions.iter().find(|other| other.station == station)
    }

    /// Joins the nearest cluster (5.4.2.3), or makes one (5.4.2.2).
    fn begin(&self) -> Option<Clustering> {
        let together = || self.companions.iter().filter(|other| self.is_together(other));
        let open = together().filter(|other| {
            other.leads.is_some_and(|(_, size)| size < self.settings.max_cluster_size) && !other.breaks_up
        });
        let distance_m = |other: &Companion| other.position.ground_distance_m(&self.own.position);
        if let Some(leader) = open.min_by(|a, b| distance_m(a).total_cmp(&distance_m(b))) {
            let (id, size) = leader.leads?;
            return Some(Clustering::Joining {
                id,
                leader: leader.station,
                size,
                at: self.now.plus_ms(JOIN_NOTIFICATION_MS),
            });
        }
        let alone = together().filter(|other| other.leads.is_none() && other.joins.is_none());
        let others = alone.clone().count();
        // Of those who see each other the one with the smallest id leads, or all would.
        let leads = alone.map(|other| other.station).min().is_some_and(|least| self.own.station < least);
        (leads && others + 1 >= usize::from(self.settings.num_create_cluster)).then(|| Clustering::Leader {
            id: self.unused_id(),
            members: Vec::new(),
            since: self.now,
            ends: None,
        })
    }

    /// An id that no cluster in reach has; 0 is none.
    fn unused_id(&self) -> u8 {
        let first = (self.own.station.0 ^ (self.now.unix_ms() as u32)) as u8;
        let taken = |id: u8| self.companions.iter().any(|other| other.leads.is_some_and(|(taken, _)| taken == id));
        (0..=u8::MAX).map(|n| first.wrapping_add(n)).find(|id| *id != 0 && !taken(*id)).unwrap_or(1)
    }

    fn left(&self, id: u8, reason: ClusterLeaveReason) -> Option<Clustering> {
        Some(Clustering::Standalone { left: Some((id, reason, self.now.plus_ms(LEAVE_NOTIFICATION_MS))) })
    }

    /// While joining is announced (5.4.2.3): the cluster may go away; at the end the road user falls silent.
    fn joining(&self, id: u8, leader: StationId, size: u8, at: Timestamp) -> Option<Clustering> {
        let goes_on = self.companion(leader).is_some_and(|other| {
            other.leads.is_some_and(|(other, _)| other == id) && !other.breaks_up && self.is_together(other)
        });
        if !goes_on {
            return self.left(id, ClusterLeaveReason::CancelledJoin);
        }
        let unconfirmed = Some((size, at.plus_ms(JOIN_SUCCESS_MS)));
        (self.now >= at).then_some(Clustering::Passive { id, leader, unconfirmed })
    }

    /// A silent member leaves when the cluster does not hold for it any more (5.4.2.4).
    fn passive(&self, id: u8, leader: StationId, unconfirmed: &mut Option<(u8, Timestamp)>) -> Option<Clustering> {
        let Some(other) = self.companion(leader) else { return self.left(id, ClusterLeaveReason::ClusterLeaderLost) };
        if self.now >= other.heard_at.plus_ms(CONTINUITY_MS) {
            return self.left(id, ClusterLeaveReason::ClusterLeaderLost);
        }
        let Some((_, size)) = other.leads.filter(|(led, _)| *led == id) else {
            return self.left(id, ClusterLeaveReason::ClusterDisbandedByLeader);
        };
        if other.breaks_up {
            return self.left(id, ClusterLeaveReason::ClusterDisbandedByLeader);
        }
        if !self.is_near(other) {
            return self.left(id, ClusterLeaveReason::OutOfClusterBoundingBox);
        }
        if !self.is_as_fast(other) {
            return self.left(id, ClusterLeaveReason::OutOfClusterSpeedRange);
        }
        if let Some((before, until)) = *unconfirmed {
            if size > before {
                *unconfirmed = None;
            } else if self.now >= until {
                return self.left(id, ClusterLeaveReason::FailedJoin);
            }
        }
        None
    }

    /// A leader counts who joins and leaves, and ends a cluster that nobody joined or all have left (5.4.2.2).
    fn lead(
        &self,
        id: u8,
        members: &mut Vec<StationId>,
        since: Timestamp,
        ends: &mut Option<(ClusterBreakupReason, Timestamp)>,
    ) -> Option<Clustering> {
        if let Some((_, at)) = ends {
            return (self.now >= *at).then_some(Clustering::Standalone { left: None });
        }
        for other in self.companions {
            let known = members.contains(&other.station);
            if other.joins == Some(id) && !known && members.len() + 1 < usize::from(self.settings.max_cluster_size) {
                members.push(other.station);
            } else if known && other.leaves == Some(id) {
                members.retain(|member| *member != other.station);
            }
        }
        let had_time = self.now >= since.plus_ms(JOIN_NOTIFICATION_MS + CONTINUITY_MS);
        if members.is_empty() && had_time {
            let reason = ClusterBreakupReason::ClusteringPurposeCompleted;
            *ends = Some((reason, self.now.plus_ms(BREAKUP_WARNING_MS)));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::at;

    fn own(station: u32) -> Own {
        Own { station: StationId(station), position: Enu::ground(0.0, 0.0), speed_mps: 1.4 }
    }

    fn companion(station: u32, e_m: f64, ms: i64) -> Companion {
        Companion {
            station: StationId(station),
            position: Enu::ground(e_m, 0.0),
            speed_mps: 1.4,
            heard_at: at(ms),
            leads: None,
            breaks_up: false,
            joins: None,
            leaves: None,
        }
    }

    fn leader(station: u32, size: u8, ms: i64) -> Companion {
        Companion { leads: Some((7, size)), ..companion(station, 1.0, ms) }
    }

    #[test]
    fn a_cluster_is_made_as_5_4_2_2_says() {
        // Others as (station, metres away, speed); whether the road user 10 leads.
        for (name, others, expected) in [
            ("three who walk together", vec![(20, 1.0, 1.4), (30, 2.0, 1.45)], true),
            ("two are too few", vec![(20, 1.0, 1.4)], false),
            ("one is too far", vec![(20, 1.0, 1.4), (30, 5.1, 1.4)], false),
            ("one is too fast", vec![(20, 1.0, 1.4), (30, 2.0, 1.6)], false),
            ("another has the smaller id", vec![(5, 1.0, 1.4), (30, 2.0, 1.4)], false),
        ] {
            let companions: Vec<_> = others
                .iter()
                .map(|(station, e_m, speed_mps)| Companion { speed_mps: *speed_mps, ..companion(*station, *e_m, 0) })
                .collect();
            let mut state = Clustering::new();
            let news = state.step(own(10), &companions, &ClusterSettings::default(), at(0));
            assert_eq!((news, matches!(state, Clustering::Leader { .. })), (expected, expected), "{name}");
        }
    }

    #[test]
    fn a_member_announces_itself_falls_silent_and_is_counted() {
        let settings = ClusterSettings::default();
        let mut state = Clustering::new();
        assert!(state.step(own(10), &[leader(5, 3, 0)], &settings, at(0)));
        assert_eq!(state.statement(at(1_000)), Statement::Joins { id: 7, in_s: 2.0 });
        assert!(!state.step(own(10), &[leader(5, 3, 2_900)], &settings, at(2_900)), "the countdown is no news");
        assert!(state.step(own(10), &[leader(5, 3, 2_900)], &settings, at(3_000)));
        assert!(state.is_passive());
        assert_eq!(state.wake_at(&[leader(5, 3, 2_900)]), Some(at(3_500)));
        assert!(!state.step(own(10), &[leader(5, 4, 3_200)], &settings, at(3_200)));
        assert!(!state.step(own(10), &[leader(5, 4, 3_200)], &settings, at(3_600)), "counted in time");
        assert_eq!(state.wake_at(&[leader(5, 4, 3_200)]), Some(at(5_200)), "timeClusterContinuity");
    }

    #[test]
    fn a_member_leaves_for_each_reason_of_5_4_2_4() {
        use ClusterLeaveReason as Reason;
        let near = |ms| leader(5, 4, ms);
        // The leader's state at 10 s, and why the member leaves then.
        for (name, heard, expected) in [
            ("all is well", Some(near(9_000)), None),
            ("silent for two seconds", Some(near(8_000)), Some(Reason::ClusterLeaderLost)),
            ("forgotten", None, Some(Reason::ClusterLeaderLost)),
            ("breaks up", Some(Companion { breaks_up: true, ..near(9_900) }), Some(Reason::ClusterDisbandedByLeader)),
            ("leads no more", Some(Companion { leads: None, ..near(9_900) }), Some(Reason::ClusterDisbandedByLeader)),
            (
                "too far",
                Some(Companion { position: Enu::ground(5.1, 0.0), ..near(9_900) }),
                Some(Reason::OutOfClusterBoundingBox),
            ),
            ("too fast", Some(Companion { speed_mps: 1.6, ..near(9_900) }), Some(Reason::OutOfClusterSpeedRange)),
        ] {
            let mut state = Clustering::Passive { id: 7, leader: StationId(5), unconfirmed: None };
            let companions: Vec<_> = heard.into_iter().collect();
            let news = state.step(own(10), &companions, &ClusterSettings::default(), at(10_000));
            let told = expected.map_or(Statement::None, |reason| Statement::Left { id: 7, reason });
            assert_eq!((news, state.statement(at(10_000))), (expected.is_some(), told), "{name}");
        }
        let mut state = Clustering::Passive { id: 7, leader: StationId(5), unconfirmed: Some((4, at(500))) };
        assert!(!state.step(own(10), &[near(0)], &ClusterSettings::default(), at(499)));
        assert!(state.step(own(10), &[near(0)], &ClusterSettings::default(), at(500)));
        assert_eq!(state.statement(at(500)), Statement::Left { id: 7, reason: Reason::FailedJoin });
        // Told for a second, then nothing is left of it.
        assert!(!state.step(own(10), &[], &ClusterSettings::default(), at(1_499)));
        assert!(state.step(own(10), &[], &ClusterSettings::default(), at(1_500)));
        assert_eq!(state, Clustering::new());
    }

    #[test]
    fn joining_is_called_off_when_the_cluster_goes_away() {
        let mut state = Clustering::new();
        state.step(own(10), &[leader(5, 3, 0)], &ClusterSettings::default(), at(0));
        let gone = Companion { breaks_up: true, ..leader(5, 3, 1_000) };
        assert!(state.step(own(10), &[gone], &ClusterSettings::default(), at(1_000)));
        let reason = ClusterLeaveReason::CancelledJoin;
        assert_eq!(state.statement(at(1_000)), Statement::Left { id: 7, reason });
    }

    #[test]
    fn a_leader_counts_its_members_and_ends_an_empty_cluster() {
        let settings = ClusterSettings::default();
        let mut state = Clustering::Leader { id: 7, members: vec![], since: at(0), ends: None };
        let size = |state: &Clustering| match state.statement(at(0)) {
            Statement::Leads { size, .. } => size,
            other => panic!("{other:?}"),
        };
        let joining = |station| Companion { joins: Some(7), ..companion(station, 1.0, 0) };
        assert!(state.step(own(10), &[joining(20), joining(30)], &settings, at(100)));
        assert_eq!(size(&state), 3);
        assert!(!state.step(own(10), &[joining(20)], &settings, at(200)), "counted once");
        let leaving = |station| Companion { leaves: Some(7), ..companion(station, 1.0, 0) };
        assert!(state.step(own(10), &[leaving(20)], &settings, at(6_000)));
        assert_eq!(size(&state), 2);
        assert!(state.step(own(10), &[leaving(30)], &settings, at(7_000)), "alone: the end is announced");
        let reason = ClusterBreakupReason::ClusteringPurposeCompleted;
        assert_eq!(state.statement(at(8_000)), Statement::Leads { id: 7, size: 1, ends: Some((reason, 2.0)) });
        assert!(!state.step(own(10), &[], &settings, at(9_999)));
        assert!(state.step(own(10), &[], &settings, at(10_000)), "timeClusterBreakupWarning");
        assert_eq!(state, Clustering::new());
    }

    #[test]
    fn a_full_cluster_takes_nobody() {
        let settings = ClusterSettings { max_cluster_size: 3, ..ClusterSettings::default() };
        let mut state = Clustering::new();
        assert!(!state.step(own(10), &[leader(5, 3, 0)], &settings, at(0)));
        assert!(state.step(own(10), &[leader(5, 2, 0)], &settings, at(0)));
    }
}
