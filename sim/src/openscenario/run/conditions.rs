//! Triggers: what conditions see, and their edges and delays.

use super::Storyboard;
use super::body::Body;
use super::elements::Node;
use super::places::Found;
use crate::geometry::{angle_between, gap_between};
use crate::openscenario::error::Error;
use crate::openscenario::model::*;
use nalgebra::Point2;
use std::collections::VecDeque;

/// What conditions are asked of.
pub(super) struct Ask<'a> {
    pub(super) board: &'a Storyboard,
    pub(super) nodes: &'a [Node],
    pub(super) now_s: f64,
}

/// A trigger with what its conditions remember.
#[derive(Debug)]
pub(super) struct Watch {
    groups: Vec<Vec<Watched>>,
}

#[derive(Debug)]
struct Watched {
    condition: Condition,
    /// Of a condition on an element's state: the element.
    element: Option<usize>,
    last: Option<bool>,
    /// Times at which the undelayed result changed, and to what.
    changes: VecDeque<(f64, bool)>,
}

impl Watch {
    pub(super) fn new(trigger: &Trigger) -> Self {
        let watched = |condition: &Condition| Watched {
            condition: condition.clone(),
            element: None,
            last: None,
            changes: VecDeque::new(),
        };
        Self { groups: trigger.groups.iter().map(|group| group.iter().map(watched).collect()).collect() }
    }

    /// Finds the elements that conditions name.
    pub(super) fn resolve(&mut self, find: impl Fn(ElementKind, &str) -> Result<usize, Error>) -> Result<(), Error> {
        for watched in self.groups.iter_mut().flatten() {
            if let ConditionKind::ElementState { kind, reference, .. } = &watched.condition.kind {
                watched.element = Some(find(*kind, reference)?);
            }
        }
        Ok(())
    }

    /// Whether it holds now. Every condition is asked, for those with an edge must know the step before.
    pub(super) fn holds(&mut self, ask: &Ask<'_>) -> bool {
        let mut any = false;
        for group in &mut self.groups {
            let mut all = true;
            for watched in group.iter_mut() {
                all &= watched.holds(ask);
            }
            any |= all && !group.is_empty();
        }
        any
    }
}

impl Watched {
    fn holds(&mut self, ask: &Ask<'_>) -> bool {
        let value = ask.holds(&self.condition.kind, self.element);
        let last = self.last.replace(value);
        let (rises, falls) = (last == Some(false) && value, last == Some(true) && !value);
        let counts = match self.condition.edge {
            Edge::None => value,
            Edge::Rising => rises,
            Edge::Falling => falls,
            Edge::RisingOrFalling => rises || falls,
        };
        if self.condition.delay_s == 0.0 {
            return counts;
        }
        if self.changes.back().map_or(counts, |(_, before)| *before != counts) {
            self.changes.push_back((ask.now_s, counts));
        }
        let then_s = ask.now_s - self.condition.delay_s + 1e-9;
        while self.changes.get(1).is_some_and(|(since, _)| *since <= then_s) {
            self.changes.pop_front();
        }
        self.changes.front().is_some_and(|(since, value)| *since <= then_s && *value)
    }
}

impl Ask<'_> {
    fn holds(&self, kind: &ConditionKind, element: Option<usize>) -> bool {
        match kind {
            ConditionKind::SimulationTime(rule, value) => rule.holds(self.now_s, *value),
            ConditionKind::ElementState { state, .. } => element.is_some_and(|at| self.nodes[at].is(*state)),
            ConditionKind::Parameter(name, rule, value) => {
                let Some(now) = self.board.parameters.get(name) else { return false };
                match (now.parse::<f64>(), value.parse::<f64>()) {
                    (Ok(now), Ok(value)) => rule.holds(now, value),
                    _ => match rule {
                        Rule::EqualTo => now == value,
                        Rule::NotEqualTo => now != value,
                        _ => false,
                    },
                }
            }
            ConditionKind::Signal(name, state) => {
                self.board.status.lock().is_ok_and(|status| status.signals.get(name) == Some(state))
            }
            ConditionKind::Entities { of, all, what } => {
                let mut each = of.iter().map(|entity| self.of(*entity, what));
                if *all { each.all(|holds| holds) } else { each.any(|holds| holds) }
            }
        }
    }

    fn of(&self, entity: EntityId, what: &EntityCondition) -> bool {
        let body = &self.board.bodies[entity.0];
        match what {
            EntityCondition::TimeHeadway(other, measure, rule, value) => {
                let other = Spot::of(self.board, *other);
                let gap = self.distance(entity, &other, measure);
                // Who is ahead of the other has no headway to it.
                gap.filter(|gap| *gap >= 0.0)
                    .is_some_and(|gap| rule.holds(gap / body.speed_mps.abs().max(1e-9), *value))
            }
            EntityCondition::TimeToCollision(target, measure, rule, value) => {
                let spot = match target {
                    Target::Entity(other) => Some(Spot::of(self.board, *other)),
                    Target::Position(position) => self.board.find(position).map(Spot::at),
                };
                let Some(spot) = spot else { return false };
                let Some(gap) = self.distance(entity, &spot, measure) else { return false };
                let closing = self.closing_mps(entity, &spot, measure, gap);
                let time = if closing > 1e-9 { gap.abs() / closing } else { f64::INFINITY };
                rule.holds(time, *value)
            }
            EntityCondition::RelativeDistance(other, measure, rule, value) => self
                .distance(entity, &Spot::of(self.board, *other), measure)
                .is_some_and(|gap| rule.holds(gap.abs(), *value)),
            EntityCondition::Distance(position, measure, rule, value) => self
                .board
                .find(position)
                .and_then(|found| self.distance(entity, &Spot::at(found), measure))
                .is_some_and(|gap| rule.holds(gap.abs(), *value)),
            EntityCondition::ReachPosition(position, tolerance_m) => {
                let found = self.board.find(position);
                found.is_some_and(|found| (found.point.xy() - body.position.xy()).norm() <= *tolerance_m)
            }
            EntityCondition::TraveledDistance(way_m) => body.travelled_m >= way_m - 1e-9,
            EntityCondition::Speed(rule, value) => rule.holds(body.speed_mps, *value),
            EntityCondition::RelativeSpeed(other, rule, value) => {
                rule.holds(body.speed_mps - self.board.bodies[other.0].speed_mps, *value)
            }
            EntityCondition::Acceleration(rule, value) => rule.holds(body.acceleration_mps2, *value),
            EntityCondition::StandStill(time_s) => body.speed_mps.abs() < 1e-3 && body.still_s >= time_s - 1e-9,
            EntityCondition::Collision(other) => {
                let (a, b) = (Spot::of(self.board, entity), Spot::of(self.board, *other));
                gap_between(&a.corners, &b.corners) == 0.0
            }
            EntityCondition::EndOfRoad(time_s) => body.at_end_s > 0.0 && body.at_end_s >= time_s - 1e-9,
            EntityCondition::Offroad(time_s) => body.off_road_s > 0.0 && body.off_road_s >= time_s - 1e-9,
        }
    }

    /// Distance to a spot; what is behind or to the right is negative where the measure has a direction.
    fn distance(&self, entity: EntityId, to: &Spot, measure: &Measure) -> Option<f64> {
        let me = Spot::of(self.board, entity);
        if measure.along == DistanceType::Euclidean {
            return Some(match measure.freespace {
                true => gap_between(&me.corners, &to.corners),
                false => (to.point - me.point).norm(),
            });
        }
        let lateral = measure.along == DistanceType::Lateral;
        let between = match measure.system {
            CoordinateSystem::Entity => me.seen(&to.point)[usize::from(lateral)],
            CoordinateSystem::Road | CoordinateSystem::Lane => {
                let network = &self.board.network;
                let (from, place) = (me.place?, to.place?);
                if lateral {
                    let by = network.t_m(&place) - network.t_m(&from);
                    if from.along { by } else { -by }
                } else {
                    network.way_m(&from, place.road, place.s_m)?
                }
            }
        };
        if !measure.freespace {
            return Some(between);
        }
        // Boxes reach from their reference points along the axis: mine, and the other's moved by `between`.
        let axis = usize::from(lateral);
        let reach = |spot: &Spot| {
            let along = spot.corners.map(|corner| me.seen(&(me.point + (corner - spot.point)))[axis]);
            (along.into_iter().fold(f64::INFINITY, f64::min), along.into_iter().fold(f64::NEG_INFINITY, f64::max))
        };
        let ((low, high), (other_low, other_high)) = (reach(&me), reach(to));
        Some(match () {
            () if between + other_low > high => between + other_low - high,
            () if between + other_high < low => between + other_high - low,
            () => 0.0,
        })
    }

    /// How fast a distance shrinks, metres a second.
    fn closing_mps(&self, entity: EntityId, to: &Spot, measure: &Measure, gap_m: f64) -> f64 {
        let me = Spot::of(self.board, entity);
        let speed = |spot: &Spot| nalgebra::Vector2::new(spot.yaw_rad.cos(), spot.yaw_rad.sin()) * spot.speed_mps;
        let (mine, its) = (speed(&me), speed(to));
        let axis = match (measure.along, measure.system) {
            (DistanceType::Euclidean, _) => (to.point - me.point).try_normalize(1e-9).unwrap_or_default(),
            // Along the road one drives at one's own speed, and another towards or away from one.
            (DistanceType::Longitudinal, CoordinateSystem::Road | CoordinateSystem::Lane) => {
                let same = angle_between(to.yaw_rad, me.yaw_rad).abs() < std::f64::consts::FRAC_PI_2;
                let its = if same { to.speed_mps } else { -to.speed_mps };
                return (me.speed_mps - its) * gap_m.signum();
            }
            (along, _) => {
                let yaw = me.yaw_rad + if along == DistanceType::Lateral { std::f64::consts::FRAC_PI_2 } else { 0.0 };
                nalgebra::Vector2::new(yaw.cos(), yaw.sin()) * gap_m.signum()
            }
        };
        (mine - its).dot(&axis)
    }
}

/// An entity or a place, as distances need it.
struct Spot {
    point: Point2<f64>,
    yaw_rad: f64,
    speed_mps: f64,
    place: Option<crate::openscenario::network::RoadPlace>,
    corners: [Point2<f64>; 4],
}

impl Spot {
    fn of(board: &Storyboard, entity: EntityId) -> Self {
        let (Entity { size, centre_m, .. }, body) = (&board.scenario.entities[entity.0], &board.bodies[entity.0]);
        let Body { position, yaw_rad, speed_mps, place, .. } = body;
        let (sin, cos) = yaw_rad.sin_cos();
        let (l, w) = (size.length_m / 2.0, size.width_m / 2.0);
        let corners = [(l, w), (-l, w), (-l, -w), (l, -w)].map(|(x, y)| {
            let (x, y) = (x + centre_m[0], y + centre_m[1]);
            Point2::new(position.x + x * cos - y * sin, position.y + x * sin + y * cos)
        });
        Self { point: position.xy(), yaw_rad: *yaw_rad, speed_mps: *speed_mps, place: *place, corners }
    }

    fn at(found: Found) -> Self {
        let point = found.point.xy();
        Self { point, yaw_rad: found.yaw_rad, speed_mps: 0.0, place: found.place, corners: [point; 4] }
    }

    /// A point ahead and to the left of this one.
    fn seen(&self, point: &Point2<f64>) -> [f64; 2] {
        let (by, (sin, cos)) = (point - self.point, self.yaw_rad.sin_cos());
        [by.x * cos + by.y * sin, by.y * cos - by.x * sin]
    }
}
