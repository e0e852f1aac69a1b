//! A simple driver for what clients put on the road: keeps its lane, its distance and red lights, takes a random way.
//!
//! In: the snapshot of the step before. Out: speed and pose. It is the intelligent driver model on rails. It gives way to
//! nobody but what is in front of it: traffic with rules comes from [`crate::Population`]s of its own.

use crate::actor::{Actor, ActorKind, Pose};
use crate::geometry::{OnLine, Polyline};
use crate::random::Seed;
use crate::roads::{EdgeKind, LaneId, LinkId, Roads, SignalState, Turn, Users};
use crate::snapshot::Snapshot;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// A driver.
#[derive(Clone, Debug)]
pub(crate) struct Driver {
    users: Users,
    /// Lanes from the one it is on, with the link that leaves each where it is chosen.
    way: Vec<(LaneId, Option<LinkId>)>,
    /// Of its middle on the first lane, metres.
    s_m: f64,
    /// To the left of the lane, metres; shrinks.
    offset_m: f64,
    random: Pcg64Mcg,
}

/// How far it looks, metres.
const LOOK_M: f64 = 100.0;
/// How it drives: the intelligent driver model's parameters (Treiber, Hennecke, Helbing 2000).
const HEADWAY_S: f64 = 1.2;
const GAP_M: f64 = 2.0;
const ACCELERATION_MPS2: f64 = 1.8;
const BRAKING_MPS2: f64 = 2.5;
/// Hardest braking, metres a second squared.
const EMERGENCY_MPS2: f64 = 8.0;
/// Sideways acceleration in bends, metres a second squared.
const COMFORT_LATERAL_MPS2: f64 = 2.0;
/// How fast it comes back to its lane's middle, metres a second.
const SIDEWAYS_MPS: f64 = 1.2;

/// The class that a kind drives as.
pub(crate) fn users_of(kind: ActorKind) -> Users {
    match kind {
        ActorKind::Truck => Users::TRUCK,
        ActorKind::Bus => Users::BUS,
        ActorKind::Tram => Users::RAIL,
        ActorKind::Motorcycle => Users::MOTORCYCLE,
        ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => Users::BICYCLE,
        ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair => Users::PEDESTRIAN,
        _ => Users::CAR,
    }
}

impl Driver {
    /// A driver for an actor that is on or beside a lane which it may use.
    pub(crate) fn new(roads: &Roads, actor: &Actor, seed: Seed) -> Option<Self> {
        let users = users_of(actor.kind);
        let ahead = |lane: LaneId| {
            let lane = roads.lane(lane);
            let facing = lane.centre.project(actor.pose.position.xy()).and_then(|at| lane.centre.at(at.s_m));
            lane.users.intersects(users)
                && facing.is_some_and(|on| crate::geometry::angle_between(on.yaw_rad, actor.pose.yaw_rad).abs() < 1.2)
        };
        let (lane, at) = super::map::nearest_lane(roads, actor.pose.position.xy(), ahead)?;
        if at.offset_m.abs() > 3.0 {
            return None;
        }
        let random = seed.stream("autopilot", u64::from(actor.id.0));
        Some(Self { users, way: vec![(lane, None)], s_m: at.s_m, offset_m: at.offset_m, random })
    }

    /// Changes the lane, if there is one that it may use.
    pub(crate) fn change_lane(&mut self, roads: &Roads, places: i32) -> bool {
        let Some((from, _)) = self.way.first().copied() else { return false };
        let Some(to) = roads.beside(from, places).filter(|to| roads.lane(*to).users.intersects(self.users)) else {
            return false;
        };
        let Some(here) = roads.lane(from).centre.at(self.s_m) else { return false };
        let Some(at) = roads.lane(to).centre.project(here.point.xy()) else { return false };
        self.way = vec![(to, None)];
        self.s_m = at.s_m;
        self.offset_m += at.offset_m;
        true
    }

    /// Lengthens the way until it is as long as it looks; whether it ends before. Which way to take is drawn once.
    fn plan(&mut self, roads: &Roads) -> bool {
        let mut length: f64 = self.way.iter().map(|(lane, _)| roads.lane(*lane).centre.length_m()).sum();
        while length < self.s_m + LOOK_M {
            let Some((last, leaves)) = self.way.last_mut() else { return true };
            let open: Vec<LinkId> = roads
                .lane(*last)
                .links
                .iter()
                .copied()
                .filter(|link| {
                    let link = roads.link(*link);
                    roads.lane(link.to).users.intersects(self.users)
                        && link.turn != Turn::UTurn
                        && !matches!(
                            roads.edge(roads.lane(link.to).edge).kind,
                            EdgeKind::Crossing | EdgeKind::WalkingArea
                        )
                })
                .collect();
            if open.is_empty() {
                return true;
            }
            let link = open[self.random.random_range(0..open.len())];
            *leaves = Some(link);
            let link = roads.link(link);
            let mut next = Some(link.via.unwrap_or(link.to));
            // Ways through a junction may have several parts, each with one link.
            for _ in 0..8 {
                let Some(lane) = next else { break };
                length += roads.lane(lane).centre.length_m();
                let inside = roads.edge(roads.lane(lane).edge).kind == EdgeKind::Internal;
                let onwards = inside.then(|| roads.lane(lane).links.first().copied()).flatten();
                self.way.push((lane, onwards));
                next = onwards.map(|link| roads.link(link)).map(|link| link.via.unwrap_or(link.to));
            }
        }
        false
    }

    /// Speed after a step.
    pub(crate) fn speed_after(
        &mut self,
        roads: &Roads,
        before: &Snapshot,
        signals: &[Vec<SignalState>],
        me: &Actor,
        limit_mps: f64,
        step_s: f64,
    ) -> f64 {
        let ends = self.plan(roads);
        let speed = me.speed_mps.max(0.0);
        let front_m = self.s_m + me.size.length_m / 2.0;
        // Where the way ends, a light is red or a bend begins.
        let (mut start_m, mut wanted, mut obstacle) = (0.0, limit_mps, None::<(f64, f64)>);
        let mut nearer = |gap_m: f64, speed_mps: f64| {
            if obstacle.is_none_or(|(gap, _)| gap_m < gap) {
                obstacle = Some((gap_m, speed_mps));
            }
        };
        let mut points = Vec::new();
        for (place, (lane, link)) in self.way.iter().enumerate() {
            let lane = roads.lane(*lane);
            let end_m = start_m + lane.centre.length_m();
            let away_m = (start_m - front_m).max(0.0);
            // It is as slow in time as it brakes comfortably.
            let by = |there: f64| (there * there + 2.0 * BRAKING_MPS2 * away_m).sqrt();
            wanted = wanted.min(by(lane.speed_limit_mps.max(1.0))).min(by(bend_mps(&lane.centre)));
            let shown = link.and_then(|link| roads.link(link).signal);
            let shown = shown.and_then(|(id, at)| signals.get(id.index())?.get(usize::from(at)));
            let stop = match shown {
                Some(SignalState::Red | SignalState::RedYellow) => true,
                // Whoever can still stop does.
                Some(SignalState::Yellow) => end_m - front_m > speed * speed / (2.0 * BRAKING_MPS2),
                _ => false,
            };
            let ends = ends && place + 1 == self.way.len();
            if (stop && front_m <= end_m + 0.5) || ends {
                nearer((end_m - 1.0 - front_m).max(0.0), 0.0);
            }
            points.extend(lane.centre.points().iter().copied());
            start_m = end_m;
        }
        let line = Polyline::new(points);
        for other in before.actors.iter().filter(|other| other.id != me.id) {
            let p = other.pose.position;
            if (p.xy() - me.pose.position.xy()).norm() > LOOK_M {
                continue;
            }
            let Some(at) = line.project(p.xy()) else { continue };
            let Some(on) = line.at(at.s_m) else { continue };
            let turned = other.pose.yaw_rad - on.yaw_rad;
            let half =
                |along: f64, across: f64| (along.abs() * other.size.length_m + across.abs() * other.size.width_m) / 2.0;
            let beside_m = at.offset_m.abs() - half(turned.sin(), turned.cos()) - me.size.width_m / 2.0;
            let gap_m = at.s_m - half(turned.cos(), turned.sin()) - front_m;
            if beside_m < 0.3 && at.s_m > self.s_m && gap_m > -me.size.length_m {
                nearer(gap_m.max(0.0), (other.speed_mps * turned.cos()).max(0.0));
            }
        }
        let wanted = wanted.max(0.1);
        let mut acceleration = 1.0 - (speed / wanted).powi(4);
        if let Some((gap, ahead)) = obstacle {
            let dynamic =
                speed * HEADWAY_S + speed * (speed - ahead) / (2.0 * (ACCELERATION_MPS2 * BRAKING_MPS2).sqrt());
            acceleration -= ((GAP_M + dynamic.max(0.0)) / gap.max(0.01)).powi(2);
        }
        let acceleration = (ACCELERATION_MPS2 * acceleration).max(-EMERGENCY_MPS2 * before.weather.grip());
        let after = (speed + acceleration * step_s).max(0.0);
        // Creeping up to what it stands behind never ends otherwise.
        match obstacle {
            Some((gap, _)) if gap < GAP_M && after < 0.2 => 0.0,
            _ => after,
        }
    }

    /// Moves on by `way_m`: the new pose, and which indicators are on. `None` at the end of the way.
    pub(crate) fn advance(&mut self, roads: &Roads, way_m: f64, step_s: f64) -> Option<(Pose, bool, bool)> {
        self.s_m += way_m;
        let back = self.offset_m.clamp(-SIDEWAYS_MPS * step_s, SIDEWAYS_MPS * step_s);
        // Nobody moves sideways who stands.
        self.offset_m -= if way_m > 0.01 { back } else { 0.0 };
        while let Some((first, _)) = self.way.first().filter(|_| self.way.len() > 1) {
            let length = roads.lane(*first).centre.length_m();
            if self.s_m < length {
                break;
            }
            self.s_m -= length;
            self.way.remove(0);
        }
        let (lane, link) = self.way.first()?;
        let line = &roads.lane(*lane).centre;
        let OnLine { point, yaw_rad, slope } = line.at(self.s_m.min(line.length_m()))?;
        let turn = link.filter(|_| line.length_m() - self.s_m < 30.0).map(|link| roads.link(link).turn);
        let position = point + nalgebra::Vector3::new(-yaw_rad.sin(), yaw_rad.cos(), 0.0) * self.offset_m;
        let pose = Pose { position, yaw_rad, pitch_rad: slope.atan() };
        Some((pose, turn == Some(Turn::Left), turn == Some(Turn::Right)))
    }
}

/// How fast a line can be driven for its sharpest bend, metres a second.
fn bend_mps(line: &Polyline) -> f64 {
    let turns = line.points().windows(3).map(|p| {
        let (a, b) = (p[1].xy() - p[0].xy(), p[2].xy() - p[1].xy());
        let turn = a.perp(&b).atan2(a.dot(&b)).abs();
        turn / ((a.norm() + b.norm()) / 2.0)
    });
    let sharpest = turns.fold(0.0, f64::max);
    if sharpest < 1e-3 { f64::INFINITY } else { (COMFORT_LATERAL_MPS2 / sharpest).sqrt().max(2.0) }
}
