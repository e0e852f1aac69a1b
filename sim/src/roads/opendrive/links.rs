//! Lane links become links, through junctions by the lanes of connecting roads.

use super::Reader;
use super::lanes::point;
use crate::geometry::Polyline;
use crate::roads::{EdgeKind, LaneId, LaneKind, Link, LinkId, RightOfWay, Turn, conflicts};
use nalgebra::{Point2, Point3};
use std::collections::BTreeMap;
use xodr::Direction;

/// As many lane sections as a way through a junction may have.
const LONGEST_WAY: usize = 32;
/// Lanes that begin within this of a lane's end are what it leads to, metres.
const AT_ITS_END_M: f64 = 1.0;

/// A lane and where it begins.
type Start = (LaneId, Point3<f64>);

/// Where lanes begin, by cells of a metre.
#[derive(Debug, Default)]
pub(super) struct Starts(BTreeMap<(i64, i64), Vec<Start>>);

impl Starts {
    fn of(starts: impl Iterator<Item = Start>) -> Self {
        let mut cells: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (lane, start) in starts {
            cells.entry(Self::cell(start)).or_default().push((lane, start));
        }
        Self(cells)
    }

    fn cell(p: Point3<f64>) -> (i64, i64) {
        ((p.x / AT_ITS_END_M).floor() as i64, (p.y / AT_ITS_END_M).floor() as i64)
    }

    /// Lanes that begin near a point.
    fn starts_near(&self, p: Point3<f64>) -> impl Iterator<Item = LaneId> {
        let (x, y) = Self::cell(p);
        let cells = (-1..=1).flat_map(move |i| (-1..=1).map(move |j| (x + i, y + j)));
        let lanes = cells.filter_map(|cell| self.0.get(&cell)).flatten();
        lanes.filter(move |(_, start)| (start - p).norm() < AT_ITS_END_M).map(|(lane, _)| *lane)
    }
}

impl Reader<'_> {
    pub(super) fn read_links(&mut self) {
        self.order_pavements();
        for from in (0..self.roads.lanes.len()).map(|place| LaneId(place as u32)) {
            for next in self.successors(from) {
                let outside = self.kind(next) != EdgeKind::Internal;
                let (to, via) = if outside { (next, None) } else { (self.way_out(next), Some(next)) };
                // A way that ends inside its junction leads to its last lane.
                let via = via.filter(|via| *via != to);
                let junction = [from, next].into_iter().find_map(|lane| self.inside(lane));
                let id = LinkId(self.roads.links.len() as u32);
                self.roads.links.push(Link {
                    from,
                    to,
                    via,
                    junction,
                    turn: self.turn(from, via.unwrap_or(to), to),
                    right_of_way: RightOfWay::Major,
                    signal: None,
                    yields_to: Vec::new(),
                    conflicts: Vec::new(),
                    waits_inside: false,
                });
                self.roads.lanes[from.index()].links.push(id);
                if let Some(junction) = junction.filter(|_| self.kind(from) == EdgeKind::Road) {
                    self.roads.junctions[junction.index()].links.push(id);
                    let (leaving, entering) = (self.roads.lane(from).edge, self.roads.lane(to).edge);
                    self.roads.edges[leaving.index()].to = Some(junction);
                    self.roads.edges[entering.index()].from = Some(junction);
                }
            }
        }
        for place in 0..self.roads.junctions.len() {
            self.roads.junctions[place].position = self.middle(place);
        }
    }

    /// Lanes that a lane leads to, in the file's order. Where somebody drives, the file says; elsewhere files link lanes
    /// without regard to direction, so only what begins where the lane ends counts. Pavements are linked by place alone.
    fn successors(&self, from: LaneId) -> Vec<LaneId> {
        if self.roads.lane(from).kind == LaneKind::Sidewalk {
            return self.pavements.starts_near(self.end(from)).filter(|next| *next != from).collect();
        }
        let source = self.network.lane(self.sources[from.index()]);
        let both_ways = source.is_some_and(|lane| lane.direction == Direction::Both);
        let driven = matches!(self.roads.lane(from).kind, LaneKind::Driving | LaneKind::Bicycle | LaneKind::Rail);
        let ids = source.into_iter().flat_map(|lane| &lane.successors).filter_map(|id| self.lanes.get(&id.0).copied());
        let meets = |next: &LaneId| (self.end(from) - self.start(*next)).norm() < AT_ITS_END_M;
        ids.filter(|next| *next != from && (driven && !both_ways || meets(next))).collect()
    }

    fn start(&self, lane: LaneId) -> Point3<f64> {
        self.roads.lane(lane).centre.points().first().copied().unwrap_or_default()
    }

    fn end(&self, lane: LaneId) -> Point3<f64> {
        self.roads.lane(lane).centre.points().last().copied().unwrap_or_default()
    }

    /// Turns pavements inside junctions that run against both pavements that they join: on which side of its road such a
    /// lane lies says nothing, since nobody drives there. Then notes where each pavement begins.
    fn order_pavements(&mut self) {
        let all = (0..self.roads.lanes.len()).map(|place| LaneId(place as u32));
        let pavements = all.filter(|lane| self.roads.lane(*lane).kind == LaneKind::Sidewalk);
        let (outside, inside): (Vec<LaneId>, Vec<LaneId>) =
            pavements.partition(|lane| self.kind(*lane) == EdgeKind::Road);
        let starts = Starts::of(outside.iter().map(|lane| (*lane, self.start(*lane))));
        let ends = Starts::of(outside.iter().map(|lane| (*lane, self.end(*lane))));
        for lane in &inside {
            let against = starts.starts_near(self.start(*lane)).count() + ends.starts_near(self.end(*lane)).count();
            let along = ends.starts_near(self.start(*lane)).count() + starts.starts_near(self.end(*lane)).count();
            if against > along {
                let centre = &mut self.roads.lanes[lane.index()].centre;
                *centre = Polyline::new(centre.points().iter().rev().copied());
            }
        }
        self.pavements = Starts::of(outside.into_iter().chain(inside).map(|lane| (lane, self.start(lane))));
    }

    fn kind(&self, lane: LaneId) -> EdgeKind {
        self.roads.edge(self.roads.lane(lane).edge).kind
    }

    fn inside(&self, lane: LaneId) -> Option<crate::roads::JunctionId> {
        let edge = self.roads.edge(self.roads.lane(lane).edge);
        edge.from.filter(|_| edge.kind == EdgeKind::Internal)
    }

    /// The lane outside to which the way inside a junction leads that begins with `lane`.
    fn way_out(&self, lane: LaneId) -> LaneId {
        let mut at = lane;
        for _ in 0..LONGEST_WAY {
            if self.kind(at) != EdgeKind::Internal {
                break;
            }
            match self.successors(at).first() {
                Some(next) => at = *next,
                None => break,
            }
        }
        at
    }

    fn turn(&self, from: LaneId, via: LaneId, to: LaneId) -> Turn {
        let yaw = |lane: LaneId, at_end: bool| {
            let line = &self.roads.lane(lane).centre;
            line.at(if at_end { line.length_m() } else { 0.0 }).map(|on| on.yaw_rad)
        };
        let before = if self.kind(from) == EdgeKind::Internal { yaw(from, true) } else { yaw(via, false) };
        conflicts::turn(before.unwrap_or(0.0), yaw(to, false).unwrap_or(0.0))
    }

    /// The middle of a junction: of the middles of its ways.
    fn middle(&self, place: usize) -> Point2<f64> {
        let inside = self.roads.edges.iter().filter(|edge| edge.from.is_some_and(|id| id.index() == place));
        let inside = inside.filter(|edge| edge.kind == EdgeKind::Internal).flat_map(|edge| &edge.lanes);
        let middles: Vec<Point2<f64>> = inside
            .filter_map(|lane| {
                let line = &self.roads.lane(*lane).centre;
                Some(line.at(line.length_m() / 2.0)?.point.xy())
            })
            .collect();
        let sum = middles.iter().fold(nalgebra::Vector2::zeros(), |sum, p| sum + p.coords);
        Point2::from(sum / middles.len().max(1) as f64)
    }

    /// Which ways of a junction meet, and who goes first.
    pub(super) fn read_right_of_way(&mut self) {
        let areas = self.network.junction_areas();
        for place in 0..self.roads.junctions.len() {
            let junction = &self.roads.junctions[place];
            let area = areas.iter().find(|area| area.od_id == junction.name);
            let outline = area.map_or_else(Vec::new, |area| area.boundary.iter().map(|p| point(*p).xy()).collect());
            let ranks: Vec<_> = junction.links.iter().map(|link| self.rank(*link)).collect();
            let explicit = |a: LinkId, b: LinkId| self.gives_way_by_priority(a, b);
            let found = conflicts::find(&self.roads, &junction.links, &ranks, &explicit);
            self.roads.junctions[place].outline = outline;
            let links = self.roads.junctions[place].links.clone();
            for ((link, found), rank) in links.into_iter().zip(found).zip(ranks) {
                let link = &mut self.roads.links[link.index()];
                link.right_of_way = match rank {
                    conflicts::Rank::Stop => RightOfWay::Stop,
                    conflicts::Rank::GiveWay => RightOfWay::Minor,
                    _ if found.yields_to.is_empty() => RightOfWay::Major,
                    _ if found.only_right_before_left => RightOfWay::RightBeforeLeft,
                    _ => RightOfWay::Minor,
                };
                link.yields_to = found.yields_to;
                link.conflicts = found.conflicts;
            }
        }
    }

    /// The junction's `<priority>`s name two of its roads.
    fn gives_way_by_priority(&self, a: LinkId, b: LinkId) -> bool {
        let road = |link: LinkId| {
            let via = self.roads.link(link).via?;
            self.network.road_lane(self.sources[via.index()]).map(|at| at.road)
        };
        road(a).zip(road(b)).is_some_and(|(a, b)| self.network.yields_to(a).any(|high| high == b))
    }
}
