//! Where people walk: strips of pavement and crossings, joined to a graph.
//!
//! In: [`Roads`]. Out: strips, and shortest ways over them. A network with pavements is taken as it is: pavement lanes,
//! crossings, walking areas. In one without any, people walk beside the outermost lane of each road, and cross its arms at
//! junctions. Between the two sides of a road lie informal crossings that only jaywalkers use. Absent: stairs, lifts,
//! indoors.

use super::conflicts::{Approach, ConflictFinder};
use super::path::{Gait, Gate, Path};
use crate::geometry::Polyline;
use crate::roads::{Edge, EdgeId, EdgeKind, LaneId, LaneKind, Roads, SignalId, Users};
use nalgebra::{Point2, Point3, Vector2};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

/// Width of the strip that people use where a road has no pavement, metres.
const BESIDE_WIDTH_M: f64 = 1.6;
/// Nobody walks along roads as fast as this by choice, metres a second (about 100 km/h).
const MOTORWAY_MPS: f64 = 27.0;
/// Strips are cut into parts of about this length, metres: where jaywalkers may leave them.
const CUT_M: f64 = 25.0;
/// Ends of strips nearer than this are the same place, metres.
const SAME_PLACE_M: f64 = 3.0;
/// Widest road that jaywalkers cross, metres.
const WIDEST_M: f64 = 22.0;

/// How a crossing is regulated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Crossing {
    /// What shows people green.
    pub(crate) signal: Option<(SignalId, u16)>,
    /// Vehicles give way (a zebra).
    pub(crate) priority: bool,
    /// Nothing is there but a way across.
    pub(crate) informal: bool,
    /// From where vehicles come.
    pub(crate) approaches: Vec<Approach>,
}

/// A piece of ground to walk along, in both directions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strip {
    pub(crate) line: Polyline,
    pub(crate) half_width_m: f64,
    pub(crate) lane: Option<LaneId>,
    pub(crate) edge: Option<EdgeId>,
    pub(crate) crossing: Option<Crossing>,
    /// First vertex, and how many; they lie along the strip in order.
    vertices: (usize, usize),
}

/// A place on a strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) strip: usize,
    pub(crate) s_m: f64,
}

#[derive(Clone, Copy, Debug)]
struct Vertex {
    strip: usize,
    s_m: f64,
    point: Point3<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    to: usize,
    length_m: f64,
    /// Joins are ways over squares and corners; other steps go along a strip.
    joins: bool,
    jaywalk: bool,
}

/// Where people walk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pavement {
    pub(crate) strips: Vec<Strip>,
    vertices: Vec<Vertex>,
    steps: Vec<Vec<Step>>,
    by_edge: BTreeMap<EdgeId, usize>,
}

impl Pavement {
    /// The pavement of a network.
    pub(crate) fn new(roads: &Roads) -> Self {
        let mut pavement = Self::default();
        let walkable = |edge: &Edge| edge.lanes.iter().any(|lane| is_pavement(roads, *lane));
        let mapped = roads.edges.iter().any(walkable);
        let finder = ConflictFinder::new(roads);
        for (edge, id) in roads.edges.iter().zip(0..).map(|(edge, i)| (edge, EdgeId(i))) {
            match edge.kind {
                EdgeKind::WalkingArea => {}
                EdgeKind::Crossing => pavement.add_crossing(roads, &finder, id),
                EdgeKind::Road | EdgeKind::Internal if mapped => pavement.add_lanes(roads, id),
                EdgeKind::Road => pavement.add_beside(roads, id),
                EdgeKind::Internal => {}
            }
        }
        pavement.join_by_links(roads);
        pavement.join_near_ends();
        // Where a source says how junctions are walked, nothing is invented.
        if !roads.edges.iter().any(|edge| edge.kind == EdgeKind::WalkingArea) {
            pavement.join_around_junctions(roads, &finder);
        }
        pavement.add_informal(roads, &finder);
        pavement
    }

    fn add_strip(&mut self, mut strip: Strip) -> Option<usize> {
        let (length, at) = (strip.line.length_m(), self.strips.len());
        let parts = if strip.crossing.is_some() { 1 } else { (length / CUT_M).ceil().max(1.0) as usize };
        let first = self.vertices.len();
        strip.vertices = (first, parts + 1);
        for part in 0..=parts {
            let s_m = length * part as f64 / parts as f64;
            self.vertices.push(Vertex { strip: at, s_m, point: strip.line.at(s_m)?.point });
            self.steps.push(Vec::new());
            if part > 0 {
                self.join(
                    first + part - 1,
                    first + part,
                    Step { to: 0, length_m: length / parts as f64, joins: false, jaywalk: false },
                );
            }
        }
        self.strips.push(strip);
        Some(at)
    }

    fn join(&mut self, a: usize, b: usize, step: Step) {
        self.steps[a].push(Step { to: b, ..step });
        self.steps[b].push(Step { to: a, ..step });
    }

    fn join_across(&mut self, a: usize, b: usize, jaywalk: bool) {
        let length_m = (self.vertices[a].point - self.vertices[b].point).norm();
        self.join(a, b, Step { to: 0, length_m, joins: true, jaywalk });
    }

    fn ends(&self, strip: usize) -> [usize; 2] {
        let (first, count) = self.strips[strip].vertices;
        [first, first + count - 1]
    }

    fn add_lanes(&mut self, roads: &Roads, edge: EdgeId) {
        for id in roads.edge(edge).lanes.iter().filter(|lane| is_pavement(roads, **lane)) {
            let lane = roads.lane(*id);
            let strip = Strip {
                line: lane.centre.clone(),
                half_width_m: (lane.width_m / 2.0).max(0.5),
                lane: Some(*id),
                edge: Some(edge),
                crossing: None,
                vertices: (0, 0),
            };
            if let Some(at) = self.add_strip(strip) {
                self.by_edge.entry(edge).or_insert(at);
            }
        }
    }

    fn add_beside(&mut self, roads: &Roads, edge: EdgeId) {
        let Some(outer) = roads.edge(edge).lanes.first().map(|lane| roads.lane(*lane)) else { return };
        if outer.kind == LaneKind::Rail || outer.speed_limit_mps > MOTORWAY_MPS {
            return;
        }
        let side = if roads.left_hand { 1.0 } else { -1.0 };
        let line = outer.centre.beside(side * (outer.width_m + BESIDE_WIDTH_M) / 2.0);
        let half_width_m = BESIDE_WIDTH_M / 2.0;
        let strip = Strip { line, half_width_m, lane: None, edge: Some(edge), crossing: None, vertices: (0, 0) };
        if let Some(at) = self.add_strip(strip) {
            self.by_edge.insert(edge, at);
        }
    }

    fn add_crossing(&mut self, roads: &Roads, finder: &ConflictFinder<'_>, edge: EdgeId) {
        let Some(id) = roads.edge(edge).lanes.first().copied() else { return };
        let lane = roads.lane(id);
        let (signal, priority) = roads.crossing_rule(id);
        let crossing = Crossing { signal, priority, informal: false, approaches: finder.approaches(&lane.centre) };
        self.add_strip(Strip {
            line: lane.centre.clone(),
            half_width_m: (lane.width_m / 2.0).max(0.5),
            lane: Some(id),
            edge: Some(edge),
            crossing: Some(crossing),
            vertices: (0, 0),
        });
    }

    /// Joins what meets on a walking area, and pavements that lead into each other.
    fn join_by_links(&mut self, roads: &Roads) {
        let strip_of: BTreeMap<LaneId, usize> =
            self.strips.iter().enumerate().filter_map(|(at, strip)| Some((strip.lane?, at))).collect();
        let area = |lane: LaneId| roads.edge(roads.lane(lane).edge).kind == EdgeKind::WalkingArea;
        let mut meeting: BTreeMap<LaneId, Vec<usize>> = BTreeMap::new();
        for link in &roads.links {
            let (from, to) = (strip_of.get(&link.from), strip_of.get(&link.to));
            match (from, to) {
                (Some(from), None) if area(link.to) => meeting.entry(link.to).or_default().push(self.ends(*from)[1]),
                (None, Some(to)) if area(link.from) => meeting.entry(link.from).or_default().push(self.ends(*to)[0]),
                (Some(from), Some(to)) => self.join_across(self.ends(*from)[1], self.ends(*to)[0], false),
                _ => {}
            }
        }
        for ends in meeting.values() {
            for (i, a) in ends.iter().enumerate() {
                for b in &ends[i + 1..] {
                    if a != b && !self.steps[*a].iter().any(|step| step.to == *b) {
                        self.join_across(*a, *b, false);
                    }
                }
            }
        }
    }

    /// Joins ends of strips that lie at the same place though no link says so.
    fn join_near_ends(&mut self) {
        let mut ends: Vec<usize> = (0..self.strips.len()).flat_map(|strip| self.ends(strip)).collect();
        ends.sort_by(|a, b| self.vertices[*a].point.x.total_cmp(&self.vertices[*b].point.x));
        for (i, a) in ends.iter().enumerate() {
            let here = self.vertices[*a].point;
            for b in &ends[i + 1..] {
                let there = self.vertices[*b].point;
                if there.x - here.x > SAME_PLACE_M {
                    break;
                }
                let apart = self.vertices[*a].strip != self.vertices[*b].strip;
                if apart && (there - here).norm() < SAME_PLACE_M && !self.steps[*a].iter().any(|step| step.to == *b) {
                    self.join_across(*a, *b, false);
                }
            }
        }
    }

    /// At junctions without crossings people go round from arm to arm, over the arms' ends.
    fn join_around_junctions(&mut self, roads: &Roads, finder: &ConflictFinder<'_>) {
        let crossings = roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Crossing);
        let served: Vec<_> = crossings.filter_map(|edge| edge.from).collect();
        let mut ends_at: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (strip, at) in self.strips.iter().zip(0..) {
            let Some(edge) = strip.edge.map(|edge| roads.edge(edge)) else { continue };
            if edge.kind != EdgeKind::Road {
                continue;
            }
            for (junction, end) in [edge.from, edge.to].into_iter().zip(self.ends(at)) {
                if let Some(junction) = junction.filter(|junction| !served.contains(junction)) {
                    ends_at.entry(junction.0).or_default().push(end);
                }
            }
        }
        for mut ends in ends_at.into_values().filter(|ends| ends.len() > 1) {
            let sum = ends.iter().fold((0.0, 0.0), |sum, end| {
                let p = self.vertices[*end].point;
                (sum.0 + p.x, sum.1 + p.y)
            });
            let middle = Point2::new(sum.0, sum.1) / ends.len() as f64;
            let angle = |end: &usize| {
                let to = self.vertices[*end].point.xy() - middle;
                to.y.atan2(to.x)
            };
            ends.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
            let pairs = if ends.len() == 2 { 1 } else { ends.len() };
            for i in 0..pairs {
                let (a, b) = (ends[i], ends[(i + 1) % ends.len()]);
                if !self.steps[a].iter().any(|step| step.to == b) {
                    self.cross_or_join(finder, a, b);
                }
            }
        }
    }

    /// Joins two places, by an unmarked crossing where lanes lie between them.
    fn cross_or_join(&mut self, finder: &ConflictFinder<'_>, a: usize, b: usize) {
        let line = Polyline::new([self.vertices[a].point, self.vertices[b].point]);
        let approaches = finder.approaches(&line);
        if approaches.is_empty() {
            self.join_across(a, b, false);
        } else {
            let crossing = Crossing { informal: true, approaches, ..Crossing::default() };
            self.add_unmarked(line, crossing, a, b, false);
        }
    }

    fn add_unmarked(&mut self, line: Polyline, crossing: Crossing, a: usize, b: usize, jaywalk: bool) {
        let strip =
            Strip { line, half_width_m: 1.0, lane: None, edge: None, crossing: Some(crossing), vertices: (0, 0) };
        if let Some(at) = self.add_strip(strip) {
            let [start, end] = self.ends(at);
            self.join_across(a, start, jaywalk);
            self.join_across(end, b, jaywalk);
        }
    }

    /// The strip on the other side of a road.
    fn opposite(&self, roads: &Roads, strip: usize) -> Option<usize> {
        let edge = self.strips[strip].edge.filter(|edge| roads.edge(*edge).kind == EdgeKind::Road)?;
        let (from, to) = (roads.edge(edge).from?, roads.edge(edge).to?);
        self.by_edge.iter().find_map(|(other, at)| {
            let other = roads.edge(*other);
            (other.from == Some(to) && other.to == Some(from)).then_some(*at)
        })
    }

    /// The place across the road, if the road has another side that can be reached.
    pub(crate) fn across(&self, roads: &Roads, from: Place) -> Option<Place> {
        let strip = self.opposite(roads, from.strip)?;
        let here = self.point(from)?.xy();
        let s_m = self.strips[strip].line.project(here)?.s_m;
        let place = Place { strip, s_m };
        ((self.point(place)?.xy() - here).norm() < WIDEST_M).then_some(place)
    }

    fn add_informal(&mut self, roads: &Roads, finder: &ConflictFinder<'_>) {
        let sides: BTreeMap<(u32, u32), usize> = self
            .by_edge
            .iter()
            .filter(|(edge, _)| roads.edge(**edge).kind == EdgeKind::Road)
            .filter_map(|(edge, at)| Some(((roads.edge(*edge).from?.0, roads.edge(*edge).to?.0), *at)))
            .collect();
        for ((from, to), strip) in &sides {
            let Some(other) = sides.get(&(*to, *from)).filter(|_| from < to) else { continue };
            let (first, count) = self.strips[*strip].vertices;
            let (other_first, other_count) = self.strips[*other].vertices;
            for a in first + 1..(first + count).saturating_sub(1) {
                let here = self.vertices[a].point;
                let distance = |b: &usize| (self.vertices[*b].point - here).norm();
                let nearest =
                    (other_first..other_first + other_count).min_by(|a, b| distance(a).total_cmp(&distance(b)));
                let Some(b) = nearest.filter(|b| distance(b) < WIDEST_M) else { continue };
                let line = Polyline::new([here, self.vertices[b].point]);
                let approaches = finder.approaches(&line);
                let crossing = Crossing { informal: true, approaches, ..Crossing::default() };
                self.add_unmarked(line, crossing, a, b, true);
            }
        }
    }

    /// The strip of an edge.
    pub(crate) fn of_edge(&self, edge: EdgeId) -> Option<usize> {
        self.by_edge.get(&edge).copied()
    }

    /// Middle of a strip.
    pub(crate) fn middle(&self, strip: usize) -> Place {
        Place { strip, s_m: self.strips[strip].line.length_m() / 2.0 }
    }

    pub(crate) fn point(&self, place: Place) -> Option<Point3<f64>> {
        self.strips[place.strip].line.at(place.s_m).map(|on| on.point)
    }

    /// The place nearest to a point that is no crossing, and how far it is.
    pub(crate) fn nearest(&self, p: Point2<f64>) -> Option<(Place, f64)> {
        let strips = self.strips.iter().enumerate().filter(|(_, strip)| strip.crossing.is_none());
        let found = strips.filter_map(|(strip, s)| s.line.project(p).map(|to| (strip, to)));
        let nearest = found.min_by(|a, b| a.1.offset_m.abs().total_cmp(&b.1.offset_m.abs()))?;
        Some((Place { strip: nearest.0, s_m: nearest.1.s_m }, nearest.1.offset_m.abs()))
    }

    /// Ends of strips that lead nowhere else: where people enter and leave the network.
    pub(crate) fn dead_ends(&self) -> Vec<Place> {
        let ends =
            (0..self.strips.len()).filter(|strip| self.strips[*strip].crossing.is_none()).flat_map(|s| self.ends(s));
        let dead = ends.filter(|end| self.steps[*end].len() == 1).map(|end| self.vertices[end]);
        dead.map(|vertex| Place { strip: vertex.strip, s_m: vertex.s_m }).collect()
    }

    /// The vertices before and behind a place, with the way to them.
    fn neighbours(&self, place: Place) -> [(usize, f64); 2] {
        let (first, count) = self.strips[place.strip].vertices;
        let after = (first..first + count).find(|v| self.vertices[*v].s_m >= place.s_m).unwrap_or(first + count - 1);
        let before = after.saturating_sub(1).max(first);
        [before, after].map(|v| (v, (self.vertices[v].s_m - place.s_m).abs()))
    }

    /// Adds the shortest way from a place to another to a path. Whether there is one.
    pub(crate) fn route(&self, from: Place, to: Place, jaywalk: bool, path: &mut Path) -> bool {
        let (starts, ends) = (self.neighbours(from), self.neighbours(to));
        if from.strip == to.strip && (starts.map(|s| s.0) == ends.map(|e| e.0)) {
            self.along(from.strip, from.s_m, to.s_m, path);
            return true;
        }
        let Some(way) = self.dijkstra(&starts, &ends, jaywalk) else { return false };
        let first = self.vertices[way[0]];
        self.along(from.strip, from.s_m, first.s_m, path);
        for pair in way.windows(2) {
            let (a, b) = (self.vertices[pair[0]], self.vertices[pair[1]]);
            if a.strip == b.strip {
                self.along(a.strip, a.s_m, b.s_m, path);
            } else {
                let room = self.strips[a.strip].half_width_m.min(self.strips[b.strip].half_width_m);
                path.push([a.point, b.point], room, None, Gait::Walk);
            }
        }
        let last = self.vertices[way[way.len() - 1]];
        self.along(to.strip, last.s_m, to.s_m, path);
        true
    }

    fn along(&self, strip: usize, from_m: f64, to_m: f64, path: &mut Path) {
        let (at, backwards) = (&self.strips[strip], to_m < from_m);
        if (to_m - from_m).abs() < 1e-6 {
            return;
        }
        let part = at.line.part(from_m.min(to_m), from_m.max(to_m));
        let mut points = part.points().to_vec();
        if backwards {
            points.reverse();
        }
        let begin = path.length_m();
        let lane = at.lane.map(|lane| (lane, from_m, if backwards { -1.0 } else { 1.0 }));
        if let (true, Some(kerb), Some(end)) = (at.crossing.is_some(), points.first(), points.last()) {
            let across = (end.xy() - kerb.xy()).try_normalize(1e-9).unwrap_or_else(Vector2::zeros);
            let kerb = kerb.xy();
            path.gates.push(Gate {
                from_m: begin,
                to_m: begin + (to_m - from_m).abs(),
                kerb,
                across,
                strip,
                backwards,
            });
        }
        path.push(points, at.half_width_m, lane, Gait::Walk);
    }

    fn dijkstra(&self, starts: &[(usize, f64); 2], ends: &[(usize, f64); 2], jaywalk: bool) -> Option<Vec<usize>> {
        // Cost and predecessor by vertex; only what was reached is stored.
        let mut reached: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
        let mut queue = BinaryHeap::new();
        for (vertex, cost) in starts {
            queue.push(Queued { cost: *cost, vertex: *vertex, from: *vertex });
        }
        let mut best: Option<(f64, usize)> = None;
        while let Some(Queued { cost, vertex, from }) = queue.pop() {
            if best.is_some_and(|(best, _)| cost >= best) {
                break;
            }
            if reached.contains_key(&vertex) {
                continue;
            }
            reached.insert(vertex, (cost, from));
            for (end, rest) in ends {
                if *end == vertex && best.is_none_or(|(best, _)| cost + rest < best) {
                    best = Some((cost + rest, vertex));
                }
            }
            for step in self.steps[vertex].iter().filter(|step| jaywalk || !step.jaywalk) {
                // Crossing costs a wait, so nobody changes sides for nothing.
                let strip = &self.strips[self.vertices[step.to].strip];
                let wait_m = if strip.crossing.is_some() && !step.joins { 5.0 } else { 0.0 };
                queue.push(Queued { cost: cost + step.length_m + wait_m, vertex: step.to, from: vertex });
            }
        }
        let mut way = vec![best?.1];
        while let Some((_, from)) = reached.get(&way[way.len() - 1]).filter(|(_, from)| *from != way[way.len() - 1]) {
            way.push(*from);
        }
        way.reverse();
        Some(way)
    }
}

fn is_pavement(roads: &Roads, lane: LaneId) -> bool {
    let lane = roads.lane(lane);
    // A road that people may use too is no pavement; SUMO writes such lanes for networks without pavements.
    lane.kind == LaneKind::Sidewalk
        || lane.users == Users::PEDESTRIAN
        || lane.users == Users::PEDESTRIAN | Users::BICYCLE
}

#[derive(Debug)]
struct Queued {
    cost: f64,
    vertex: usize,
    from: usize,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    /// The cheapest is the greatest; at equal cost numbers decide, so that the way is always the same.
    fn cmp(&self, other: &Self) -> Ordering {
        other.cost.total_cmp(&self.cost).then(other.vertex.cmp(&self.vertex)).then(other.from.cmp(&self.from))
    }
}
