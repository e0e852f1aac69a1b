//! When a vehicle sends a CAM: EN 302 637-2 V1.4.1 and TS 103 900 clause 6.1.3.
//!
//! In: the vehicle's movement whenever it is known anew, and `now`. Out: whether a CAM is due, and why. The standard asks
//! for a check at least every `T_CheckCamGen` (at most 100 ms); the node checks with every event and asks to be woken when
//! a CAM becomes due without one.

use crate::facilities::dynamics::{Change, Dynamics};
use masa_v2x_proto::time::Timestamp;

/// `T_GenCamMin`: CAMs are never closer together, milliseconds.
pub const T_GEN_CAM_MIN_MS: i64 = 100;
/// `T_GenCamMax`: CAMs are never further apart, milliseconds.
pub const T_GEN_CAM_MAX_MS: i64 = 1_000;

/// Why a CAM is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The service has just become active.
    First,
    /// Condition 1: the movement has changed.
    Changed(Change),
    /// Condition 2: `T_GenCam` has passed.
    Interval,
}

impl Due {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::First => "first since activation",
            Self::Changed(change) => change.words(),
            Self::Interval => "T_GenCam has passed",
        }
    }
}

/// `T_GenCam` and what the last CAM said.
#[derive(Clone, Debug)]
pub struct CamTiming {
    n_gen_cam: u8,
    t_gen_cam_ns: i64,
    /// CAMs in a row by condition 2.
    in_a_row: u8,
    last: Option<(Timestamp, Dynamics)>,
}

impl CamTiming {
    /// A service that has sent nothing; `n_gen_cam` is the standard's `N_GenCam` (default 3).
    pub const fn new(n_gen_cam: u8) -> Self {
        Self { n_gen_cam, t_gen_cam_ns: T_GEN_CAM_MAX_MS * 1_000_000, in_a_row: 0, last: None }
    }

    /// Whether a CAM is due with this movement, which then counts as sent. `t_gen_cam_dcc_ms` is the shortest interval that
    /// congestion control allows (100 to 1,000).
    pub fn check(&mut self, now: Timestamp, dynamics: Dynamics, t_gen_cam_dcc_ms: i64) -> Option<Due> {
        let due = match &self.last {
            None => Due::First,
            Some((sent_at, sent)) => {
                let elapsed_ns = now.unix_ns().saturating_sub(sent_at.unix_ns());
                if elapsed_ns < dcc_ns(t_gen_cam_dcc_ms) {
                    return None;
                }
                if let Some(change) = dynamics.change_since(sent) {
                    self.t_gen_cam_ns = elapsed_ns.clamp(T_GEN_CAM_MIN_MS * 1_000_000, T_GEN_CAM_MAX_MS * 1_000_000);
                    self.in_a_row = 0;
                    Due::Changed(change)
                } else if elapsed_ns >= self.t_gen_cam_ns {
                    self.in_a_row = self.in_a_row.saturating_add(1);
                    if self.in_a_row >= self.n_gen_cam {
                        self.t_gen_cam_ns = T_GEN_CAM_MAX_MS * 1_000_000;
                    }
                    Due::Interval
                } else {
                    return None;
                }
            }
        };
        self.last = Some((now, dynamics));
        Some(due)
    }

    /// When a CAM is due at the latest if nothing is heard of the movement; before that, when a change that has happened
    /// already may be told.
    pub fn due_at(&self, dynamics: Dynamics, t_gen_cam_dcc_ms: i64) -> Option<Timestamp> {
        let (sent_at, sent) = self.last.as_ref()?;
        let interval_ns = match dynamics.change_since(sent) {
            Some(_) => dcc_ns(t_gen_cam_dcc_ms),
            None => self.t_gen_cam_ns.max(dcc_ns(t_gen_cam_dcc_ms)),
        };
        Some(sent_at.plus_ns(interval_ns))
    }
}

/// `T_GenCamMin` ≤ `T_GenCam_Dcc` ≤ `T_GenCamMax`, nanoseconds.
fn dcc_ns(t_gen_cam_dcc_ms: i64) -> i64 {
    t_gen_cam_dcc_ms.clamp(T_GEN_CAM_MIN_MS, T_GEN_CAM_MAX_MS) * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::at;
    use masa_v2x_proto::geo::Enu;

    fn dynamics(e_m: f64, heading_deg: f64, speed_mps: f64) -> Dynamics {
        Dynamics { position: Enu::ground(e_m, 0.0), heading_deg: Some(heading_deg), speed_mps: Some(speed_mps) }
    }

    #[test]
    fn generation_follows_en_302_637_2_6_1_3() {
        use Change::{Heading, Position, Speed};
        use Due::{Changed, First, Interval};
        type Step = (i64, f64, f64, f64, Option<Due>);
        // Time, position, heading, speed of each check, and whether a CAM is due. T_GenCam_Dcc in front.
        let cases: &[(&str, i64, &[Step])] = &[
            ("the first CAM leaves at activation", 100, &[(0, 0.0, 0.0, 0.0, Some(First))]),
            (
                "condition 2: T_GenCam is T_GenCamMax at first",
                100,
                &[(0, 0.0, 0.0, 0.0, Some(First)), (999, 0.0, 0.0, 0.0, None), (1_000, 0.0, 0.0, 0.0, Some(Interval))],
            ),
            (
                "condition 1: never before T_GenCam_Dcc, then at once",
                100,
                &[
                    (0, 0.0, 0.0, 20.0, Some(First)),
                    (99, 0.0, 5.0, 20.0, None),
                    (100, 0.0, 5.0, 20.0, Some(Changed(Heading))),
                    (300, 4.1, 5.0, 20.0, Some(Changed(Position))),
                    (500, 4.1, 5.0, 20.6, Some(Changed(Speed))),
                ],
            ),
            (
                "condition 1 holds T_GenCam for N_GenCam CAMs by condition 2",
                100,
                &[
                    (0, 0.0, 0.0, 20.0, Some(First)),
                    (200, 4.1, 0.0, 20.0, Some(Changed(Position))),
                    (399, 4.1, 0.0, 20.0, None),
                    (400, 4.1, 0.0, 20.0, Some(Interval)),
                    (600, 4.1, 0.0, 20.0, Some(Interval)),
                    (800, 4.1, 0.0, 20.0, Some(Interval)),
                    (1_000, 4.1, 0.0, 20.0, None),
                    (1_799, 4.1, 0.0, 20.0, None),
                    (1_800, 4.1, 0.0, 20.0, Some(Interval)),
                ],
            ),
            (
                "a change in between starts the count again",
                100,
                &[
                    (0, 0.0, 0.0, 20.0, Some(First)),
                    (200, 4.1, 0.0, 20.0, Some(Changed(Position))),
                    (400, 4.1, 0.0, 20.0, Some(Interval)),
                    (600, 4.1, 0.0, 20.0, Some(Interval)),
                    (700, 4.1, 9.0, 20.0, Some(Changed(Heading))),
                    (800, 4.1, 9.0, 20.0, Some(Interval)),
                    (900, 4.1, 9.0, 20.0, Some(Interval)),
                    (1_000, 4.1, 9.0, 20.0, Some(Interval)),
                    (1_100, 4.1, 9.0, 20.0, None),
                    (2_000, 4.1, 9.0, 20.0, Some(Interval)),
                ],
            ),
            (
                "congestion control bounds both conditions",
                400,
                &[
                    (0, 0.0, 0.0, 20.0, Some(First)),
                    (300, 6.0, 0.0, 20.0, None),
                    (400, 8.0, 0.0, 20.0, Some(Changed(Position))),
                    (800, 8.0, 0.0, 20.0, Some(Interval)),
                ],
            ),
            (
                "congestion control cannot ask for more than T_GenCamMax",
                5_000,
                &[(0, 0.0, 0.0, 20.0, Some(First)), (1_000, 0.0, 0.0, 20.0, Some(Interval))],
            ),
        ];
        for (name, dcc_ms, steps) in cases {
            let mut timing = CamTiming::new(3);
            for (ms, e_m, heading_deg, speed_mps, expected) in *steps {
                let got = timing.check(at(*ms), dynamics(*e_m, *heading_deg, *speed_mps), *dcc_ms);
                assert_eq!(got, *expected, "{name}: at {ms} ms");
            }
        }
    }

    #[test]
    fn the_service_asks_to_be_woken_when_a_cam_becomes_due() {
        let mut timing = CamTiming::new(3);
        let still = dynamics(0.0, 0.0, 20.0);
        assert_eq!(timing.due_at(still, 100), None);
        timing.check(at(0), still, 100);
        assert_eq!(timing.due_at(still, 100), Some(at(1_000)));
        assert_eq!(timing.due_at(dynamics(5.0, 0.0, 20.0), 300), Some(at(300)), "the change waits for DCC only");
    }
}
