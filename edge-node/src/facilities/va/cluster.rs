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
mod tests;
