//! What is on the road beside our own vehicles: people, animals, lost cargo, scripted actors, hand-driven vehicles.
//!
//! In: the actors of the snapshot before. Out: obstacles on lanes, people on crossings. An actor that overlaps a lane is an
//! obstacle there with its speed along the lane; somebody on or about to enter a crossing is waited for.

use super::step::Traffic;
use super::vehicle::Obstacle;
use crate::actor::Actor;
use crate::roads::{EdgeKind, LaneId, LaneKind, Roads};
use crate::snapshot::Snapshot;
use nalgebra::Point2;
use std::collections::BTreeMap;

/// Side of a cell of the lane index, metres.
const CELL_M: f64 = 25.0;
/// How far ahead in time people on crossings are seen, seconds.
const WALK_AHEAD_S: f64 = 2.0;

/// An index of lanes by place, and what was found on crossings.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    cells: BTreeMap<(i32, i32), Vec<u32>>,
    /// For each lane, which is a crossing, where people are, metres along it.
    pub(crate) walkers: Vec<Vec<f64>>,
    with_walkers: Vec<u32>,
    with_obstacles: Vec<u32>,
}

fn cell(p: Point2<f64>) -> (i32, i32) {
    ((p.x / CELL_M).floor() as i32, (p.y / CELL_M).floor() as i32)
}

impl Surroundings {
    pub(crate) fn new(roads: &Roads) -> Self {
        let mut cells: BTreeMap<(i32, i32), Vec<u32>> = BTreeMap::new();
        for (id, lane) in roads.lanes.iter().enumerate() {
            let crossing = roads.edge(lane.edge).kind == EdgeKind::Crossing;
            let drives = matches!(lane.kind, LaneKind::Driving | LaneKind::Bicycle | LaneKind::Rail);
            if !(crossing || drives) || roads.edge(lane.edge).kind == EdgeKind::WalkingArea {
                continue;
            }
            let length = lane.centre.length_m();
            for step in 0..=(length / (CELL_M / 4.0)).ceil() as u32 {
                let Some(on) = lane.centre.at((f64::from(step) * CELL_M / 4.0).min(length)) else { break };
                for dx in [-3.0, 3.0] {
                    for dy in [-3.0, 3.0] {
                        let list = cells.entry(cell(on.point.xy() + nalgebra::Vector2::new(dx, dy))).or_default();
                        if !list.contains(&(id as u32)) {
                            list.push(id as u32);
                        }
                    }
                }
            }
        }
        Self { cells, walkers: vec![Vec::new(); roads.lanes.len()], ..Self::default() }
    }

    pub(crate) fn lanes_near(&self, p: Point2<f64>) -> &[u32] {
        self.cells.get(&cell(p)).map_or(&[], Vec::as_slice)
    }
}

impl Traffic {
    /// Finds what stands and moves on lanes and crossings.
    pub(crate) fn look_around(&mut self, before: &Snapshot) {
        for lane in self.surroundings.with_obstacles.drain(..) {
            self.lanes[lane as usize].obstacles.clear();
        }
        for lane in self.surroundings.with_walkers.drain(..) {
            self.surroundings.walkers[lane as usize].clear();
        }
        for actor in &before.actors {
            if actor.id.population() == Self::POPULATION && !self.is_by_hand(actor) {
                continue;
            }
            self.see(actor, |_| true);
        }
        self.see_wrong_way(before);
    }

    /// Enters an actor into the lanes that it is on, of those along which `minds` the cosine of its turn.
    pub(super) fn see(&mut self, actor: &Actor, minds: impl Fn(f64) -> bool) {
        let centre = actor.pose.position.xy();
        let (sin, cos) = actor.pose.yaw_rad.sin_cos();
        let near = self.surroundings.lanes_near(centre).to_vec();
        for id in near {
            let lane = self.roads.lane(LaneId(id));
            let crossing = self.roads.edge(lane.edge).kind == EdgeKind::Crossing;
            if crossing && !actor.kind.walks() {
                continue;
            }
            let Some(on) = lane.centre.project(centre) else { continue };
            let Some(line) = lane.centre.at(on.s_m) else { continue };
            let turn = (actor.pose.yaw_rad - line.yaw_rad).cos();
            if crossing {
                let ahead = centre + nalgebra::Vector2::new(cos, sin) * actor.speed_mps * WALK_AHEAD_S;
                let soon = lane.centre.project(ahead);
                let half = 0.5 * lane.width_m + 0.5;
                let now = on.offset_m.abs() <= half;
                let Some(soon) = soon.filter(|soon| now || soon.offset_m.abs() <= half) else { continue };
                if self.surroundings.walkers[id as usize].is_empty() {
                    self.surroundings.with_walkers.push(id);
                }
                let steps = ((soon.s_m - on.s_m).abs() / 0.5).ceil().max(1.0) as u32;
                let list = &mut self.surroundings.walkers[id as usize];
                let first = if now { 0 } else { steps };
                list.extend((first..=steps).map(|k| on.s_m + (soon.s_m - on.s_m) * f64::from(k) / f64::from(steps)));
                continue;
            }
            if !minds(turn) {
                continue;
            }
            // Extent of the turned footprint along and across the lane.
            let side = (1.0 - turn * turn).max(0.0).sqrt();
            let along = 0.5 * (actor.size.length_m * turn.abs() + actor.size.width_m * side);
            let across = 0.5 * (actor.size.length_m * side + actor.size.width_m * turn.abs());
            if on.offset_m.abs() > 0.5 * lane.width_m.min(VEHICLE_WIDTH_M) + across {
                continue;
            }
            // Beyond the ends only the distance tells: that is another lane's obstacle.
            let beyond = (on.s_m <= 0.0 || on.s_m >= lane.centre.length_m()) && on.offset_m.abs() > 0.5 * lane.width_m;
            if beyond {
                continue;
            }
            let scale = self.net.lane(id).length / lane.centre.length_m().max(0.1);
            let at = on.s_m * scale;
            if self.lanes[id as usize].obstacles.is_empty() {
                self.surroundings.with_obstacles.push(id);
            }
            self.lanes[id as usize].obstacles.push(Obstacle {
                back: at - along,
                front: at + along,
                speed: (actor.speed_mps * turn).max(0.0),
                decel: 4.5,
            });
        }
    }
}

/// Width of the strip that a vehicle needs of its lane, metres.
const VEHICLE_WIDTH_M: f64 = 2.4;
