//! Who breaks which rule of the road, and how near people then come to each other: by the world alone.
//!
//! In: snapshots in their order. Out: a [`Breach`] when one begins, whoever moves the actor (traffic, a script, a hand), and
//! [`time_to_collision`] between two. Invariants: nothing is taken from a driver's mind, only place, speed, lanes and signals.
//! Absent: priority without signals, headways, bans on turning, people on foot.

use crate::actor::{Actor, ActorId};
use crate::geometry::gap_between;
use crate::roads::{EdgeKind, LaneId, LaneIndex, LaneKind, LinkId, Roads, SignalState, Users};
use crate::snapshot::Snapshot;
use nalgebra::{Point2, Vector2};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A rule of the road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Stop at red: the front passed the end of a lane whose signal was red.
    RedLight,
    /// Keep to the lanes of one's direction: the middle was on a lane of the other for [`WRONG_WAY_S`].
    WrongWay,
    /// Keep to the speed limit: more than [`SPEEDING`] times as fast.
    Speeding,
}

/// Faster than the limit by this factor is speeding; drivers differ by less.
pub const SPEEDING: f64 = 1.2;
/// So long on the wrong side counts, seconds: going round an obstacle or a corner is less.
pub const WRONG_WAY_S: f64 = 1.0;
/// Slower, nobody is on the way anywhere, metres a second.
const MOVES_MPS: f64 = 1.0;

/// Somebody begins to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Breach {
    /// The rule.
    pub rule: Rule,
    /// Who.
    pub actor: ActorId,
    /// When, seconds.
    pub at_s: f64,
    /// Number of the lane ([`Roads::lanes`]) whose rule it is.
    pub lane: u32,
}

/// The end of a lane at a signal.
#[derive(Clone, Debug)]
struct StopLine {
    lane: LaneId,
    middle: Point2<f64>,
    along: Vector2<f64>,
    half_width_m: f64,
    links: Vec<LinkId>,
}

/// Watches for breaches.
#[derive(Clone, Debug)]
pub struct RuleWatch {
    roads: Arc<Roads>,
    index: LaneIndex,
    stop_lines: Vec<StopLine>,
    fronts: BTreeMap<ActorId, Point2<f64>>,
    /// Since when somebody has been on the wrong side, seconds.
    wrong_since_s: BTreeMap<ActorId, f64>,
    open: BTreeSet<(ActorId, Rule)>,
}

impl RuleWatch {
    /// Nothing seen yet.
    pub fn new(roads: Arc<Roads>) -> Self {
        let stop_lines = (0..roads.lanes.len() as u32).filter_map(|lane| stop_line(&roads, LaneId(lane))).collect();
        Self {
            index: LaneIndex::new(&roads),
            stop_lines,
            roads,
            fronts: BTreeMap::new(),
            wrong_since_s: BTreeMap::new(),
            open: BTreeSet::new(),
        }
    }

    /// Takes the next snapshot; who begins to break a rule in it.
    pub fn watch(&mut self, now: &Snapshot) -> Vec<Breach> {
        let mut begun = Vec::new();
        let mut fronts = BTreeMap::new();
        let mut wrong_since_s = BTreeMap::new();
        for actor in now.actors.iter().filter(|actor| !actor.kind.walks()) {
            let front = front(actor);
            let passed = self.fronts.get(&actor.id).and_then(|before| self.passes_red(actor, *before, front, now));
            fronts.insert(actor.id, front);
            let wrong = self.wrong_lane(actor);
            if wrong.is_some() {
                wrong_since_s.insert(actor.id, self.wrong_since_s.get(&actor.id).copied().unwrap_or(now.time_s));
            }
            let is_long = wrong_since_s.get(&actor.id).is_some_and(|since_s| now.time_s - since_s >= WRONG_WAY_S);
            let found = [
                (Rule::RedLight, passed),
                (Rule::WrongWay, wrong.filter(|_| is_long)),
                (Rule::Speeding, self.speeding_lane(actor)),
            ];
            for (rule, lane) in found {
                let Some(lane) = lane else {
                    self.open.remove(&(actor.id, rule));
                    continue;
                };
                if self.open.insert((actor.id, rule)) {
                    begun.push(Breach { rule, actor: actor.id, at_s: now.time_s, lane: lane.0 });
                }
            }
        }
        self.open.retain(|(actor, _)| fronts.contains_key(actor));
        (self.fronts, self.wrong_since_s) = (fronts, wrong_since_s);
        begun
    }

    /// The lane at whose end somebody passed a red signal between two places of its front.
    fn passes_red(&self, actor: &Actor, before: Point2<f64>, front: Point2<f64>, now: &Snapshot) -> Option<LaneId> {
        let moved = front - before;
        let passed = self.stop_lines.iter().find(|line| {
            let (from, to) = (before - line.middle, front - line.middle);
            from.dot(&line.along) <= 0.0
                && to.dot(&line.along) > 0.0
                && to.perp(&line.along).abs() <= line.half_width_m
                && moved.dot(&line.along) > 0.7 * moved.norm()
        })?;
        // Where it says which way it takes, that way's signal counts; else all must be red.
        let own = |link: &&LinkId| {
            let link = self.roads.link(**link);
            actor.on_lane.is_some_and(|on| link.via == Some(on.lane) || link.to == on.lane)
        };
        let is_red = |link: &LinkId| {
            let shown = self.roads.link(*link).signal.and_then(|(controller, place)| now.signal(controller, place));
            matches!(shown, Some(SignalState::Red | SignalState::RedYellow))
        };
        let red = passed.links.iter().find(own).map_or_else(|| passed.links.iter().all(is_red), is_red);
        red.then_some(passed.lane)
    }

    /// The lane against whose direction somebody drives.
    fn wrong_lane(&self, actor: &Actor) -> Option<LaneId> {
        let p = actor.pose.position.xy();
        let on = self.index.lane_at(&self.roads, p, Users::ROAD).filter(|_| actor.speed_mps > MOVES_MPS)?;
        let lane = self.roads.lane(on.lane);
        let yaw_rad = lane.centre.at(on.s_m)?.yaw_rad;
        let is_road = self.roads.edge(lane.edge).kind == EdgeKind::Road && lane.kind == LaneKind::Driving;
        (is_road && (actor.pose.yaw_rad - yaw_rad).cos() < -0.7).then_some(on.lane)
    }

    fn speeding_lane(&self, actor: &Actor) -> Option<LaneId> {
        // Cheap first: few are fast, and the limit needs the lane.
        let lane = match actor.on_lane {
            Some(on) => on.lane,
            None => self.index.lane_at(&self.roads, actor.pose.position.xy(), Users::ROAD)?.lane,
        };
        // Who does it does so until it is back at the limit: a little slower for a moment is no end of it.
        let factor = if self.open.contains(&(actor.id, Rule::Speeding)) { 1.0 } else { SPEEDING };
        (actor.speed_mps > factor * self.roads.lane(lane).speed_limit_mps).then_some(lane)
    }
}

fn stop_line(roads: &Roads, id: LaneId) -> Option<StopLine> {
    let lane = roads.lane(id);
    if roads.edge(lane.edge).kind != EdgeKind::Road || !lane.users.intersects(Users::ROAD) {
        return None;
    }
    let links: Vec<LinkId> = lane.links.iter().copied().filter(|link| roads.link(*link).signal.is_some()).collect();
    let end = lane.centre.at(lane.centre.length_m()).filter(|_| !links.is_empty())?;
    let (sin, cos) = end.yaw_rad.sin_cos();
    Some(StopLine {
        lane: id,
        middle: end.point.xy(),
        along: Vector2::new(cos, sin),
        half_width_m: 0.5 * lane.width_m,
        links,
    })
}

fn forward(actor: &Actor) -> Vector2<f64> {
    let (sin, cos) = actor.pose.yaw_rad.sin_cos();
    Vector2::new(cos, sin)
}

/// Middle of the front on the ground, ENU metres.
fn front(actor: &Actor) -> Point2<f64> {
    actor.pose.position.xy() + forward(actor) * (0.5 * actor.size.length_m)
}

/// Step of [`time_to_collision`], seconds.
const STEP_S: f64 = 0.1;

/// Time until two footprints would touch if both went on straight at their speeds, seconds (Hayward 1972); `None` when
/// they would not within `horizon_s`.
pub fn time_to_collision(a: &Actor, b: &Actor, horizon_s: f64) -> Option<f64> {
    let (at_a, at_b) = (a.footprint(), b.footprint());
    let (v_a, v_b) = (forward(a) * a.speed_mps, forward(b) * b.speed_mps);
    let reach_m = 0.5 * (a.size.length_m + a.size.width_m + b.size.length_m + b.size.width_m);
    let apart_m = (a.pose.position.xy() - b.pose.position.xy()).norm();
    if apart_m - reach_m > (v_a - v_b).norm() * horizon_s {
        return None;
    }
    (0..=(horizon_s / STEP_S) as u32).map(|step| f64::from(step) * STEP_S).find(|time_s| {
        let then = |footprint: [Point2<f64>; 4], v: Vector2<f64>| footprint.map(|corner| corner + v * *time_s);
        gap_between(&then(at_a, v_a), &then(at_b, v_b)) <= 0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{ActorKind, Lights, Pose, Role};
    use nalgebra::Point3;

    fn car(x: f64, y: f64, yaw_deg: f64, speed_mps: f64) -> Actor {
        Actor {
            id: ActorId::of(3, 1),
            kind: ActorKind::Car,
            role: Role::Ordinary,
            pose: Pose { position: Point3::new(x, y, 0.0), yaw_rad: yaw_deg.to_radians(), pitch_rad: 0.0 },
            speed_mps,
            acceleration_mps2: 0.0,
            yaw_rate_rps: 0.0,
            size: ActorKind::Car.usual_size(),
            lights: Lights::default(),
            appearance: 0,
            on_lane: None,
            connected: false,
        }
    }

    /// Drives a car along a line from `x0` by `speed_mps` for some seconds on the shipped map, signals all showing `shown`.
    fn drive(x0: f64, y: f64, yaw_deg: f64, speed_mps: f64, shown: SignalState) -> Vec<(Rule, String)> {
        let roads = Arc::new(Roads::shipped("masa").unwrap());
        let signals: Vec<Vec<SignalState>> =
            roads.signals.iter().map(|signal| vec![shown; signal.phases[0].states.len()]).collect();
        let mut watch = RuleWatch::new(roads.clone());
        let begun = (0..60u32).flat_map(|step| {
            let x = x0 + yaw_deg.to_radians().cos() * speed_mps * f64::from(step) * 0.1;
            let actors = vec![car(x, y, yaw_deg, speed_mps)];
            let time_s = f64::from(step) * 0.1;
            watch.watch(&Snapshot {
                step: u64::from(step),
                time_s,
                actors,
                signals: signals.clone(),
                ..Snapshot::default()
            })
        });
        begun.map(|breach| (breach.rule, roads.lanes[breach.lane as usize].name.clone())).collect()
    }

    #[test]
    fn passing_red_is_a_breach_and_passing_green_or_stopping_before_red_is_not() {
        // Eastbound on the inner lane; the stop line is about 15 m before the middle of the junction.
        let found = drive(-60.0, -1.6, 0.0, 12.0, SignalState::Red);
        assert_eq!(found, [(Rule::RedLight, "west-centre_3".to_owned())]);
        assert_eq!(drive(-60.0, -1.6, 0.0, 12.0, SignalState::GreenMajor), []);
        assert_eq!(drive(-60.0, -1.6, 0.0, 5.0, SignalState::Red), [], "it has not come to the line");
    }

    #[test]
    fn driving_against_the_lane_or_too_fast_is_a_breach() {
        let found = drive(-40.0, -1.6, 180.0, 10.0, SignalState::GreenMajor);
        assert_eq!(found, [(Rule::WrongWay, "west-centre_3".to_owned())], "once");
        let found = drive(-120.0, -1.6, 0.0, 17.0, SignalState::GreenMajor);
        assert_eq!(found, [(Rule::Speeding, "west-centre_3".to_owned())]);
        assert_eq!(drive(-120.0, -1.6, 0.0, 14.0, SignalState::GreenMajor), []);
    }

    #[test]
    fn two_on_a_collision_course_have_a_time_to_collision() {
        // Fronts 20 m apart, closing at 20 m/s.
        let (a, b) = (car(0.0, 0.0, 0.0, 10.0), car(24.4, 0.0, 180.0, 10.0));
        assert_eq!(time_to_collision(&a, &b, 3.0), Some(1.0));
        assert_eq!(time_to_collision(&a, &b, 0.5), None);
        // Crossing: the other is gone before.
        assert_eq!(time_to_collision(&a, &car(30.0, -5.0, 90.0, 10.0), 4.0), None);
        assert!(time_to_collision(&a, &car(20.0, -20.0, 90.0, 10.0), 4.0).is_some());
    }
}
