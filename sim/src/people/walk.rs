//! One step of everybody: decisions at kerbs, then the social force.

use super::crossing::{Crosser, Reliance, Traffic, shows_green};
use super::force::Body;
use super::path::{Gait, Gate};
use super::person::{Person, THERE_M};
use super::{People, Walker};
use crate::roads::SignalState;
use crate::snapshot::Snapshot;
use nalgebra::{Point2, Vector2};
use rand::RngExt;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A person aims at the path this far ahead, metres.
const AIM_M: f64 = 2.0;
/// Time in which a person takes the side it was pushed to as its own, seconds.
const SIDE_S: f64 = 1.0;
/// Distance kept from the kerb while waiting, metres.
const KERB_M: f64 = 0.4;
/// Decisions for a crossing begin this far before it, metres.
const DECIDE_M: f64 = 3.0;
/// Nobody is pushed to more than this multiple of the wanted speed (Helbing, Molnár 1995).
const FASTEST: f64 = 1.3;
/// Pull towards the middle of a group, metres a second squared.
const TOGETHER_MPS2: f64 = 1.5;
/// Length of a dog's leash, metres.
const LEASH_M: f64 = 1.5;
/// So many people are worth a second thread.
const PARALLEL_FROM: usize = 256;

impl People {
    /// Decides who goes and who waits, and which children run.
    pub(super) fn decide(&mut self, before: &Snapshot, signals: &[Vec<SignalState>], step_s: f64) {
        let traffic = Traffic::new(before);
        let run_out_chance = self.settings.manners.run_outs_per_child_hour * step_s / 3600.0;
        let mut running = Vec::new();
        for (at, person) in self.people.iter_mut().enumerate() {
            let Some(gate) = person.path.gates.get(person.gate).copied() else {
                person.holds_at = None;
                if person.walker == Walker::Child
                    && run_out_chance > 0.0
                    && person.luck.random_bool(run_out_chance.min(1.0))
                {
                    running.push(at);
                }
                continue;
            };
            if gate.from_m - person.s_m > DECIDE_M {
                person.holds_at = Some(gate);
                continue;
            }
            let strip = &self.pavement.strips[gate.strip];
            let Some(crossing) = &strip.crossing else { continue };
            let state = crossing.signal.and_then(|(controller, link)| {
                signals.get(controller.index()).and_then(|states| states.get(usize::from(link))).copied()
            });
            let green = shows_green(state);
            let crosser = |person: &Person, reliance| Crosser {
                backwards: gate.backwards,
                speed_mps: person.pace_mps(),
                waited_s: person.waited_s,
                reliance,
            };
            let goes = match green {
                Some(true) => {
                    // Who waited through red needs a moment to see green; who walks up sees it coming.
                    person.notices_after_s -= step_s;
                    (person.waited_s < 1.0 || person.notices_after_s <= 0.0)
                        && (person.unseeing || traffic.leaves_room(strip, crossing, crosser(person, Reliance::Green)))
                }
                Some(false) => {
                    person.manners.ignores_red && traffic.leaves_room(strip, crossing, crosser(person, Reliance::None))
                }
                None => {
                    let reliance = if crossing.priority { Reliance::GivesWay } else { Reliance::None };
                    person.unseeing || traffic.leaves_room(strip, crossing, crosser(person, reliance))
                }
            };
            person.holds_at = (!goes).then_some(gate);
            if !goes && gate.from_m - person.s_m < 2.0 * KERB_M + 0.5 {
                person.waited_s += step_s;
            }
        }
        for at in running {
            self.run_across(at);
        }
    }

    /// Moves everybody by a part of a step.
    pub(super) fn walk(&mut self, traffic: &Traffic, groups: &BTreeMap<u32, (Point2<f64>, f64)>, step_s: f64) {
        self.bodies.clear();
        self.bodies.extend(self.people.iter().map(Person::body));
        self.neighbours.rebuild(&self.bodies);
        let leaders: Vec<Option<Body>> = self
            .people
            .iter()
            .map(|person| person.leader.and_then(|leader| self.index(leader)).map(|at| self.bodies[at]))
            .collect();
        let accelerate = |at: usize| {
            let (person, body) = (&self.people[at], &self.bodies[at]);
            let force = &self.settings.force;
            let mut sum = (person.wanted_velocity(leaders[at]) - person.velocity) / force.relaxation_s;
            for other in self.neighbours.around(body.position).filter(|other| *other != at) {
                sum += force.interaction(body, &self.bodies[other]);
            }
            let room = person.path.piece(person.s_m).map_or(f64::INFINITY, |piece| piece.half_width_m);
            if room.is_finite() && person.leader.is_none() {
                let offset_m = person.offset_m.abs();
                let near = force.wall(room - offset_m, person.radius_m);
                let far = force.wall(room + offset_m, person.radius_m);
                sum += person.away * (far - near);
            }
            if let Some(gate) = person.holds_at {
                sum -= gate.across * force.wall(person.before_kerb_m(&gate), 0.1);
            }
            if !person.manners.distracted {
                sum += traffic.obstacles_near(body.position).map(|o| o.push(force, body)).sum::<Vector2<f64>>();
            }
            if let Some((middle, count)) = person.group.and_then(|group| groups.get(&group)) {
                let to = middle - body.position;
                if to.norm() > 0.5 + 0.3 * count {
                    sum += to.normalize() * TOGETHER_MPS2;
                }
            }
            sum
        };
        let count = self.people.len();
        let accelerations: Vec<Vector2<f64>> = if count >= PARALLEL_FROM {
            (0..count).into_par_iter().with_min_len(64).map(accelerate).collect()
        } else {
            (0..count).map(accelerate).collect()
        };
        for (person, acceleration) in self.people.iter_mut().zip(accelerations) {
            person.advance(acceleration, step_s);
        }
    }
}

impl Person {
    fn body(&self) -> Body {
        let group = self.group.or(self.leader.map(|leader| leader.0 | 1 << 31));
        let facing = self.velocity.try_normalize(0.1).unwrap_or(self.along);
        Body { position: self.position, velocity: self.velocity, radius_m: self.radius_m, facing, group }
    }

    /// Distance to the line of the kerb, metres; negative beyond it.
    fn before_kerb_m(&self, gate: &Gate) -> f64 {
        (gate.kerb - self.position).dot(&gate.across)
    }

    /// The speed that it wants where it is, metres a second.
    pub(super) fn pace_mps(&self) -> f64 {
        match self.path.piece(self.s_m).map(|piece| piece.gait) {
            Some(Gait::Run) => self.run_mps,
            _ => self.wanted_mps,
        }
    }

    fn wanted_velocity(&self, leader: Option<Body>) -> Vector2<f64> {
        let limit = self.limit_mps.unwrap_or(f64::INFINITY);
        if let Some(leader) = leader {
            // A dog keeps to its own side of its person, within the leash.
            let left = Vector2::new(-self.along.y, self.along.x);
            let side = if self.id.0.is_multiple_of(2) { 0.6 } else { -0.6 };
            let to = leader.position + left * side + self.along * 0.4 - self.position;
            let wanted = leader.velocity + to / 0.6;
            let taut = (leader.position - self.position).norm() > LEASH_M;
            return wanted.cap_magnitude(if taut { self.run_mps } else { self.run_mps.min(limit) });
        }
        if self.arrived {
            return Vector2::zeros();
        }
        let mut pace = self.pace_mps().min(limit);
        if let Some(gate) = self.holds_at {
            let free_m = (gate.from_m - self.s_m).max(self.before_kerb_m(&gate)) - KERB_M;
            pace = pace.min(free_m.max(0.0) / 0.8);
        }
        let left_m = self.path.length_m() - self.s_m;
        // Beyond the end the line has no direction of its own: then straight to the end.
        let side = if left_m < 2.0 * AIM_M { self.keeps_m * (left_m / (2.0 * AIM_M)).max(0.0) } else { self.keeps_m };
        let aim = self.path.at(self.s_m + AIM_M, side).unwrap_or(self.position);
        let to = aim - self.position;
        if to.norm() < 1e-6 { Vector2::zeros() } else { to.normalize() * pace }
    }

    fn advance(&mut self, acceleration: Vector2<f64>, step_s: f64) {
        let fastest = if self.leader.is_some() { self.run_mps } else { FASTEST * self.pace_mps().max(0.3) };
        let velocity = (self.velocity + acceleration * step_s).cap_magnitude(fastest);
        let mut position = self.position + velocity * step_s;
        if !position.coords.iter().all(|v| v.is_finite()) {
            position = self.position;
        }
        self.move_to(position, velocity, step_s);
        let room = self.path.piece(self.s_m).map_or(f64::INFINITY, |piece| piece.half_width_m);
        let share = (step_s / SIDE_S).min(1.0);
        if room.is_finite() {
            let bound = (room - self.radius_m).max(0.0);
            self.keeps_m = (self.keeps_m + (self.offset_m - self.keeps_m) * share).clamp(-bound, bound);
        } else {
            self.keeps_m -= self.keeps_m * share;
        }
        self.pass_gates();
        self.arrived |= self.path.length_m() - self.s_m < THERE_M;
    }
}
