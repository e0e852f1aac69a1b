//! Vehicles that pass a stop line while their signal shows red.
//!
//! In: where vehicles are on the routes of the site, and what the signals show. A vehicle is known before the line first; what
//! its routes' signals show when its front passes is kept until its way is clear: where lanes lead several ways with signals
//! of their own, it has run a red light only when every way that it can still be on was red.

use super::{Finding, Lights, SituationKind, SituationSettings, Subject, evidence_of};
use crate::event::SignalPhase;
use crate::world::RoadUser;
use crate::world::prediction::{Route, RouteMap, wrapped};
use heapless::Vec;
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// Direction of a vehicle against its route, radians, at most.
const ALONG_RAD: f64 = 0.7;
/// The middle of a vehicle this far behind the line has passed it, metres.
const PAST_M: f64 = 1.0;
/// Ways of a lane at most.
const MAX_WAYS: usize = 16;

/// A vehicle on its way over a stop line.
#[derive(Clone, Debug)]
struct Passage {
    /// Intersection and lane that it came on.
    lane: (u16, u8),
    /// When its front passed the line, and the groups of the lane that showed red for long enough then.
    crossed: Option<(Timestamp, Vec<u8, MAX_WAYS>)>,
    is_violation: bool,
}

/// Watches the stop lines.
#[derive(Clone, Debug, Default)]
pub(super) struct RedLightWatch {
    /// Since when each group has shown red.
    red_since: BTreeMap<(u16, u8), Timestamp>,
    passages: BTreeMap<u16, Passage>,
}

impl RedLightWatch {
    pub(super) fn update(
        &mut self,
        users: &[RoadUser],
        routes: &RouteMap,
        lights: &Lights,
        settings: &SituationSettings,
        now: Timestamp,
        findings: &mut std::vec::Vec<Finding>,
    ) {
        let is_red = |key: &(u16, u8)| lights.get(key) == Some(&SignalPhase::StopAndRemain);
        self.red_since.retain(|key, _| is_red(key));
        for key in lights.keys().filter(|key| is_red(key)) {
            self.red_since.entry(*key).or_insert(now);
        }
        self.passages.retain(|id, passage| {
            let lasts =
                passage.crossed.as_ref().is_none_or(|(at, _)| now.seconds_since(*at) <= settings.red_light_told_s);
            lasts && users.iter().any(|user| user.id == *id)
        });
        // By its own receiver alone a vehicle may be metres before or behind the line.
        for user in users.iter().filter(|user| user.class.is_vehicle() && !user.is_told_by_itself_alone()) {
            let Some(yaw_rad) = user.yaw_rad else { continue };
            let ways = ways(routes, user.position, yaw_rad);
            self.follow(user, &ways, settings, now);
            if self.passages.get(&user.id).is_some_and(|passage| passage.is_violation) {
                findings.push(Finding {
                    kind: SituationKind::RedLight,
                    subject: Subject::User(user.id),
                    place: user.position,
                    sureness: f64::from(user.class_confidence),
                    class: user.class,
                    evidence: evidence_of([user]),
                });
            }
        }
    }

    /// Notes where a vehicle is against the line of its lane.
    fn follow(
        &mut self,
        user: &RoadUser,
        ways: &Vec<(&Route, f64), MAX_WAYS>,
        settings: &SituationSettings,
        now: Timestamp,
    ) {
        let front_m = |along_m: f64| along_m + 0.5 * user.length_m;
        let before = ways.iter().find(|(route, along_m)| front_m(*along_m) < route.stop_m());
        match self.passages.get_mut(&user.id) {
            None => {
                if let Some((route, _)) = before {
                    let lane = (route.intersection, route.lanes.0);
                    self.passages.insert(user.id, Passage { lane, crossed: None, is_violation: false });
                }
            }
            Some(passage) => {
                let of_lane = || ways.iter().filter(|(r, _)| (r.intersection, r.lanes.0) == passage.lane);
                match &passage.crossed {
                    None => {
                        if let Some((route, _)) = before {
                            // It may have changed its lane.
                            passage.lane = (route.intersection, route.lanes.0);
                        } else if of_lane().any(|(route, along_m)| front_m(*along_m) >= route.stop_m()) {
                            let red = |group: u8| {
                                let since = self.red_since.get(&(passage.lane.0, group));
                                since.is_some_and(|since| now.seconds_since(*since) >= settings.red_light_after_s)
                            };
                            let groups = of_lane().filter_map(|(route, _)| route.signal_group);
                            let red_groups = groups.filter(|group| red(*group)).take(MAX_WAYS).collect();
                            passage.crossed = Some((now, red_groups));
                        }
                    }
                    Some((_, red)) => {
                        let mut left =
                            of_lane().filter(|(route, along_m)| *along_m >= route.stop_m() + PAST_M).peekable();
                        let drives = user.speed_mps() >= settings.red_light_speed_mps;
                        passage.is_violation |= drives
                            && left.peek().is_some()
                            && left.all(|(route, _)| route.signal_group.is_some_and(|group| red.contains(&group)));
                    }
                }
            }
        }
    }
}

/// The routes that a vehicle with this place and direction may be on, with its way along each.
fn ways(routes: &RouteMap, position: Enu, yaw_rad: f64) -> Vec<(&Route, f64), MAX_WAYS> {
    super::lanes_at(routes, position)
        .filter(|(_, _, lane_rad)| wrapped(yaw_rad - lane_rad).abs() <= ALONG_RAD)
        .map(|(route, along_m, _)| (route, along_m))
        .take(MAX_WAYS)
        .collect()
}
