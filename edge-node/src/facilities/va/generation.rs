//! When a vulnerable road user sends a VAM: TS 103 300-3 V2.2.1 clause 6.4.
//!
//! In: the road user's movement, and `now`. Out: whether a VAM is due, and why. What makes it due outside the movement (a
//! cluster is joined or left) comes from the clustering.

use crate::facilities::dynamics::{Change, Dynamics};
use masa_v2x_proto::time::Timestamp;

/// `T_GenVamMin`: VAMs are never closer together, milliseconds (table 16).
pub const T_GEN_VAM_MIN_MS: i64 = 100;
/// `T_GenVamMax`: VAMs are never further apart, milliseconds.
pub const T_GEN_VAM_MAX_MS: i64 = 5_000;
/// `T_GenVam_LFMin`: the low-frequency container comes at most this often, milliseconds.
pub const T_GEN_VAM_LF_MIN_MS: i64 = 2_000;

/// Why a VAM is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The service has just become active, or the road user has left a cluster.
    First,
    /// The movement has changed.
    Changed(Change),
    /// The longest interval has passed.
    Interval,
    /// The state of a cluster has changed.
    Cluster,
}

impl Due {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::First => "first since activation",
            Self::Changed(change) => change.words(),
            Self::Interval => "T_GenVam has passed",
            Self::Cluster => "the cluster has changed",
        }
    }
}

/// What the last VAM said and when.
#[derive(Clone, Copy, Debug, Default)]
pub struct VamTiming {
    last: Option<(Timestamp, Dynamics)>,
    last_low_frequency: Option<Timestamp>,
}

impl VamTiming {
    /// Whether a VAM is due with this movement. `max_ms` is `T_GenVamMax`, or less for whoever leads a cluster; `dcc_ms`
    /// the shortest interval that congestion control allows; `news` is true when the cluster asks for a VAM.
    pub fn due(&self, now: Timestamp, dynamics: Dynamics, news: bool, max_ms: i64, dcc_ms: i64) -> Option<Due> {
        let Some((sent_at, sent)) = &self.last else { return Some(Due::First) };
        let elapsed_ns = now.unix_ns().saturating_sub(sent_at.unix_ns());
        if elapsed_ns < min_ms(dcc_ms) * 1_000_000 {
            return None;
        }
        if news {
            return Some(Due::Cluster);
        }
        if let Some(change) = dynamics.change_since(sent) {
            return Some(Due::Changed(change));
        }
        (elapsed_ns >= max_ms * 1_000_000).then_some(Due::Interval)
    }

    /// When a VAM is due at the latest.
    pub fn due_at(&self, dynamics: Dynamics, news: bool, max_ms: i64, dcc_ms: i64) -> Option<Timestamp> {
        let (sent_at, sent) = self.last.as_ref()?;
        let soon = news || dynamics.change_since(sent).is_some();
        Some(sent_at.plus_ms(if soon { min_ms(dcc_ms) } else { max_ms.max(min_ms(dcc_ms)) }))
    }

    /// A VAM leaves now; tells whether it has the low-frequency container: the first has, then one `T_GenVam_LFMin` later.
    pub fn sent(&mut self, now: Timestamp, dynamics: Dynamics) -> bool {
        let low_frequency = self.last_low_frequency.is_none_or(|at| now >= at.plus_ms(T_GEN_VAM_LF_MIN_MS));
        if low_frequency {
            self.last_low_frequency = Some(now);
        }
        self.last = Some((now, dynamics));
        low_frequency
    }

    /// A passive member of a cluster has nothing to repeat: whatever it says next is a first VAM.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

fn min_ms(dcc_ms: i64) -> i64 {
    dcc_ms.clamp(T_GEN_VAM_MIN_MS, T_GEN_VAM_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::at;
    use masa_v2x_proto::geo::Enu;

    #[test]
    fn generation_follows_ts_103_300_3_6_4_1() {
        use Change::{Heading, Position, Speed};
        use Due::{Changed, Cluster, Interval};
        let dynamics = |e_m, heading_deg, speed_mps| Dynamics {
            position: Enu::ground(e_m, 0.0),
            heading_deg: Some(heading_deg),
            speed_mps: Some(speed_mps),
        };
        let mut timing = VamTiming::default();
        let still = dynamics(0.0, 0.0, 1.5);
        assert_eq!(timing.due(at(0), still, false, T_GEN_VAM_MAX_MS, 0), Some(Due::First));
        assert!(timing.sent(at(0), still));
        for (ms, now, news, dcc_ms, expected) in [
            (99, dynamics(9.0, 0.0, 1.5), true, 0, None),
            (100, dynamics(4.1, 0.0, 1.5), false, 0, Some(Changed(Position))),
            (100, dynamics(4.0, 0.0, 1.5), false, 0, None),
            (100, dynamics(0.0, 4.1, 1.5), false, 0, Some(Changed(Heading))),
            (100, dynamics(0.0, 356.0, 1.5), false, 0, None),
            (100, dynamics(0.0, 0.0, 2.1), false, 0, Some(Changed(Speed))),
            (100, still, true, 0, Some(Cluster)),
            (399, dynamics(4.1, 0.0, 1.5), false, 400, None),
            (400, dynamics(4.1, 0.0, 1.5), false, 400, Some(Changed(Position))),
            (4_999, still, false, 0, None),
            (5_000, still, false, 0, Some(Interval)),
            (5_000, still, false, 9_000, Some(Interval)),
        ] {
            assert_eq!(timing.due(at(ms), now, news, T_GEN_VAM_MAX_MS, dcc_ms), expected, "{ms} ms {now:?} {news}");
        }
        assert_eq!(timing.due_at(still, false, T_GEN_VAM_MAX_MS, 0), Some(at(5_000)));
        assert_eq!(timing.due_at(dynamics(9.0, 0.0, 1.5), false, T_GEN_VAM_MAX_MS, 300), Some(at(300)));
        // The low-frequency container: at least 2 s apart.
        let with: Vec<_> = (1..=6).map(|i| timing.sent(at(i * 800), still)).collect();
        assert_eq!(with, [false, false, true, false, false, true]);
    }
}
