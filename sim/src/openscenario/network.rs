//! Road coordinates of an OpenDRIVE file: where (road, lane, s, t) is, what follows it, how far one is from another.
//!
//! In: an OpenDRIVE file, read by the `xodr` crate, whose points are exact to about 0.1 mm. Out: points, headings, ways.
//! Invariant: `s` runs along a road's reference line and `t` to the left of it, whichever way traffic runs.

use super::error::Error;
use crate::geometry::angle_between;
use nalgebra::{Point2, Point3, Vector2};
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;
use xodr::{LanePosition, Layer, RoadId, RoadNetwork, RoadPosition};

/// Roads of an OpenDRIVE file.
#[derive(Debug, Default)]
pub struct Network {
    map: RoadNetwork,
    roads: Vec<Road>,
    by_name: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Road {
    id: RoadId,
    name: String,
    length_m: f64,
    sections: Vec<Section>,
    /// Where one gets from its start and from its end: the road, and whether along it.
    next: [Vec<(usize, bool)>; 2],
}

#[derive(Debug)]
struct Section {
    start_m: f64,
    end_m: f64,
    lanes: BTreeMap<i32, xodr::LaneId>,
}

/// A place on a road.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoadPlace {
    /// The road, a number of the network.
    pub road: usize,
    /// The lane's id.
    pub lane: i32,
    /// Along the reference line, metres.
    pub s_m: f64,
    /// From the lane's middle to the left of the reference line, metres.
    pub offset_m: f64,
    /// Faces along the reference line, not against it.
    pub along: bool,
}

/// How near a road's end a place counts as its end, metres.
const END_M: f64 = 1e-6;

impl Network {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] for a file that is absent or no OpenDRIVE.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let failed = |reason: String| Error::File { file: file.to_path_buf(), reason };
        let map = xodr::load_file(file).map_err(|error| failed(error.to_string()))?;
        let mut roads: Vec<Road> = map
            .roads()
            .iter()
            .map(|road| Road {
                id: road.id(),
                name: road.od_id().to_owned(),
                length_m: road.length(),
                sections: Vec::new(),
                next: Default::default(),
            })
            .collect();
        let by_name: BTreeMap<_, _> = roads.iter().enumerate().map(|(at, road)| (road.name.clone(), at)).collect();
        let permanent = map.lanes().iter().filter(|lane| lane.layer == Layer::Permanent);
        for (id, at) in permanent.filter_map(|lane| Some((lane.id, map.road_lane(lane.id)?))) {
            let Some(road) = roads.iter_mut().find(|road| road.id == at.road) else { continue };
            while road.sections.len() <= at.section {
                road.sections.push(Section { start_m: 0.0, end_m: road.length_m, lanes: BTreeMap::new() });
            }
            road.sections[at.section].lanes.insert(at.od_id, id);
        }
        let mut network = Self { map, roads, by_name };
        network.find_sections();
        network.find_next();
        Ok(network)
    }

    /// Where each lane section begins, from where its lanes begin.
    fn find_sections(&mut self) {
        for road in &mut self.roads {
            for at in 1..road.sections.len() {
                let lane = road.sections[at].lanes.values().next().and_then(|lane| self.map.lane(*lane));
                let start = lane.and_then(|lane| self.map.road_position_on(road.id, lane.center.points()[0]));
                let start_m = start.map_or(road.sections[at - 1].start_m, |start| start.s);
                road.sections[at].start_m = start_m;
                road.sections[at - 1].end_m = start_m;
            }
        }
    }

    fn find_next(&mut self) {
        for road in 0..self.roads.len() {
            for along in [false, true] {
                let sections = &self.roads[road].sections;
                let Some(section) = (if along { sections.last() } else { sections.first() }) else { continue };
                let mut next: Vec<(usize, bool)> = section
                    .lanes
                    .values()
                    .flat_map(|lane| self.follow(*lane, along))
                    .map(|(road, _, along)| (road, along))
                    .collect();
                next.sort_unstable();
                next.dedup();
                self.roads[road].next[usize::from(along)] = next;
            }
        }
    }

    /// The road of this id.
    pub fn road(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The id of a road.
    pub fn road_name(&self, road: usize) -> &str {
        &self.roads[road].name
    }

    /// The length of a road, metres.
    pub fn length_m(&self, road: usize) -> f64 {
        self.roads[road].length_m
    }

    /// Place of the lane section at `s_m`.
    pub fn section(&self, road: usize, s_m: f64) -> usize {
        self.roads[road].sections.partition_point(|section| section.start_m <= s_m).saturating_sub(1)
    }

    /// Whether there is such a lane there.
    pub fn has_lane(&self, road: usize, s_m: f64, lane: i32) -> bool {
        self.lane(road, s_m, lane).is_some()
    }

    fn lane(&self, road: usize, s_m: f64, lane: i32) -> Option<(&Section, xodr::LaneId)> {
        let section = self.roads[road].sections.get(self.section(road, s_m))?;
        Some((section, *section.lanes.get(&lane)?))
    }

    /// Whether traffic on a lane drives along the reference line.
    pub fn drives_along(&self, road: usize, s_m: f64, lane: i32) -> bool {
        match self.lane(road, s_m, lane).and_then(|(_, id)| self.map.lane(id)) {
            Some(found) if found.direction != xodr::Direction::Both => found.direction == xodr::Direction::Forward,
            _ => lane < 0,
        }
    }

    /// Distance of a lane's middle from the reference line, metres to the left.
    pub fn lane_t_m(&self, road: usize, s_m: f64, lane: i32) -> Option<f64> {
        let (section, id) = self.lane(road, s_m, lane)?;
        // Sections begin where the crate says only within its precision.
        let inside = (section.end_m - section.start_m).min(2e-3) / 2.0;
        let s = s_m.clamp(section.start_m + inside, section.end_m - inside);
        let point = self.map.lane_point(LanePosition { lane: id, s, offset: 0.0 })?;
        let (origin, yaw_rad) = self.reference(road, s);
        let away = Vector2::new(f64::from(point.x) - origin.x, f64::from(point.y) - origin.y);
        Some(away.dot(&Vector2::new(-yaw_rad.sin(), yaw_rad.cos())))
    }

    /// The lane that holds `t_m`; `None` off the road.
    pub fn lane_at(&self, road: usize, s_m: f64, t_m: f64) -> Option<i32> {
        let section = self.roads[road].sections.get(self.section(road, s_m))?;
        section.lanes.keys().copied().filter(|lane| *lane != 0).find(|lane| {
            let (Some(middle), Some(width)) = (self.lane_t_m(road, s_m, *lane), self.lane_width_m(road, s_m, *lane))
            else {
                return false;
            };
            (t_m - middle).abs() <= width / 2.0 + 1e-3
        })
    }

    /// The lane whose middle is nearest to `t_m`.
    pub fn lane_beside_road(&self, road: usize, s_m: f64, t_m: f64) -> Option<i32> {
        let section = self.roads[road].sections.get(self.section(road, s_m))?;
        let away = |lane: &i32| self.lane_t_m(road, s_m, *lane).map_or(f64::INFINITY, |middle| (t_m - middle).abs());
        section.lanes.keys().copied().filter(|lane| *lane != 0).min_by(|a, b| away(a).total_cmp(&away(b)))
    }

    /// Width of a lane, metres.
    fn lane_width_m(&self, road: usize, s_m: f64, lane: i32) -> Option<f64> {
        let (section, id) = self.lane(road, s_m, lane)?;
        let inside = (section.end_m - section.start_m).min(2e-3) / 2.0;
        let s = s_m.clamp(section.start_m + inside, section.end_m - inside);
        let along = self.map.centerline_s(LanePosition { lane: id, s, offset: 0.0 })?;
        Some(f64::from(self.map.lane(id)?.width_at(along)))
    }

    /// Point and direction of the reference line, in the plane.
    fn reference(&self, road: usize, s_m: f64) -> (Point2<f64>, f64) {
        let (point, yaw_rad) = self.point(road, s_m, 0.0);
        (point.xy(), yaw_rad)
    }

    /// The point at (`s_m`, `t_m`) and the direction of the road there; off the road's ends it goes straight on.
    pub fn point(&self, road: usize, s_m: f64, t_m: f64) -> (Point3<f64>, f64) {
        let Road { id, length_m, .. } = self.roads[road];
        let at = |s: f64, t: f64| match self.map.road_point(RoadPosition { road: id, s, t }) {
            Some(point) => Point3::new(f64::from(point.x), f64::from(point.y), f64::from(point.z)),
            None => Point3::origin(),
        };
        let on = s_m.clamp(0.0, length_m);
        let (before, after) = ((on - 0.25).max(0.0), (on + 0.25).min(length_m));
        let along = at(after, 0.0) - at(before, 0.0);
        let yaw_rad = along.y.atan2(along.x);
        let beyond = (s_m - on) * nalgebra::Vector3::new(yaw_rad.cos(), yaw_rad.sin(), 0.0);
        (at(on, t_m) + beyond, yaw_rad)
    }

    /// Distance from the reference line, metres to the left.
    pub fn t_m(&self, place: &RoadPlace) -> f64 {
        self.lane_t_m(place.road, place.s_m, place.lane).unwrap_or_default() + place.offset_m
    }

    /// Where a place is, and which way it faces.
    pub fn pose(&self, place: &RoadPlace) -> (Point3<f64>, f64) {
        let (point, yaw_rad) = self.point(place.road, place.s_m, self.t_m(place));
        (point, if place.along { yaw_rad } else { angle_between(yaw_rad, std::f64::consts::PI) })
    }

    /// The place on a road nearest to a point, facing `yaw_rad`.
    pub fn locate(&self, point: Point3<f64>, yaw_rad: f64) -> Option<RoadPlace> {
        let asked = xodr::Point::new(point.x as f32, point.y as f32, point.z as f32);
        let found = self.map.road_position(asked)?;
        let road = self.roads.iter().position(|road| road.id == found.road)?;
        let lane = self.lane_at(road, found.s, found.t).or_else(|| self.lane_beside_road(road, found.s, found.t))?;
        let (_, along_rad) = self.point(road, found.s, 0.0);
        Some(RoadPlace {
            road,
            lane,
            s_m: found.s,
            offset_m: found.t - self.lane_t_m(road, found.s, lane)?,
            along: angle_between(yaw_rad, along_rad).abs() <= std::f64::consts::FRAC_PI_2,
        })
    }

    /// The lane `count` places to the left of `lane`, as one sees who faces along the road or against it. There is no
    /// lane 0.
    pub fn lane_beside(lane: i32, count: i32, along: bool) -> i32 {
        let to = lane + if along { count } else { -count };
        match () {
            () if lane < 0 && to >= 0 => to + 1,
            () if lane > 0 && to <= 0 => to - 1,
            () => to,
        }
    }

    /// Lanes that follow a lane at its end along the road (or at its start): road, lane id, whether along that road.
    fn follow(&self, lane: xodr::LaneId, along: bool) -> Vec<(usize, i32, bool)> {
        let (Some(here), Some(at)) = (self.map.lane(lane), self.map.road_lane(lane)) else { return Vec::new() };
        let out = match here.direction {
            xodr::Direction::Forward => along,
            xodr::Direction::Backward => !along,
            xodr::Direction::Both => true,
        };
        let points = here.center.points();
        let end = if along { points.last() } else { points.first() };
        let Some(end) = end else { return Vec::new() };
        let ids = if out { &here.successors } else { &here.predecessors };
        let mut found = Vec::new();
        for (id, next) in ids.iter().filter_map(|id| Some((*id, self.map.lane(*id)?))) {
            let Some(on) = self.map.road_lane(id).filter(|_| next.layer == Layer::Permanent) else { continue };
            let Some(road) = self.roads.iter().position(|road| road.id == on.road) else { continue };
            let points = next.center.points();
            let (Some(first), Some(last)) = (points.first(), points.last()) else { continue };
            let enters_first = end.distance_squared_to(*first) <= end.distance_squared_to(*last);
            // A lane that may be driven both ways is linked at both ends.
            let near = end.distance_to(if enters_first { *first } else { *last }) < 2.0;
            let same =
                on.road == at.road && on.section == if along { at.section + 1 } else { at.section.wrapping_sub(1) };
            if near || same {
                found.push((road, on.od_id, if same { along } else { enters_first }));
            }
        }
        found
    }

    /// Goes `way_m` metres from a place in the direction it faces (negative: backwards), by the `route`'s roads where the
    /// way forks, else as straight as possible. Returns the new place, and what is left of the way at the end of the road.
    pub fn walk(&self, from: RoadPlace, way_m: f64, route: &[usize]) -> (RoadPlace, f64) {
        let mut place = from;
        let backwards = way_m < 0.0;
        if backwards {
            place.along = !place.along;
        }
        let mut left_m = way_m.abs();
        // Each turn goes to the end of a lane section; a network of tiny roads must not hold the step up.
        for _ in 0..64 {
            let Road { sections, length_m, .. } = &self.roads[place.road];
            let at = self.section(place.road, if place.along { place.s_m } else { place.s_m - END_M }.max(0.0));
            let (low, high) = sections.get(at).map_or((0.0, *length_m), |section| (section.start_m, section.end_m));
            let scale = self.scale(&place);
            let room_m = (if place.along { high - place.s_m } else { place.s_m - low }).max(0.0) * scale;
            let step_m = left_m.min(room_m);
            place.s_m += if place.along { step_m } else { -step_m } / scale;
            left_m -= step_m;
            if left_m <= END_M {
                left_m = 0.0;
                break;
            }
            let lane = sections.get(at).and_then(|section| section.lanes.get(&place.lane));
            let next = lane.map(|lane| self.follow(*lane, place.along)).unwrap_or_default();
            let inner = if place.along { at + 1 < sections.len() } else { at > 0 };
            let choice = match inner {
                // Within a road a lane without a link goes on under its own id, where there is one.
                true => next.first().copied().or_else(|| {
                    let to = &sections[if place.along { at + 1 } else { at - 1 }];
                    to.lanes.contains_key(&place.lane).then_some((place.road, place.lane, place.along))
                }),
                false => self.fork(&place, &next, route),
            };
            let Some((road, lane, along)) = choice else { break };
            if road != place.road || !inner {
                place.s_m = if along { 0.0 } else { self.roads[road].length_m };
            }
            if along != place.along {
                place.offset_m = -place.offset_m;
            }
            (place.road, place.lane, place.along) = (road, lane, along);
        }
        if backwards {
            place.along = !place.along;
        }
        (place, left_m)
    }

    fn fork(&self, place: &RoadPlace, next: &[(usize, i32, bool)], route: &[usize]) -> Option<(usize, i32, bool)> {
        let behind = route.iter().position(|road| *road == place.road).map_or(0, |at| at + 1);
        let by_route = route[behind.min(route.len())..].first();
        if let Some(found) = by_route.and_then(|road| next.iter().find(|(to, _, _)| to == road)) {
            return Some(*found);
        }
        let (_, here) = self.pose(place);
        let turn = |(road, _, along): &(usize, i32, bool)| {
            let (_, yaw) = self.point(*road, if *along { self.roads[*road].length_m } else { 0.0 }, 0.0);
            let yaw = if *along { yaw } else { yaw + std::f64::consts::PI };
            angle_between(yaw, here).abs()
        };
        next.iter().copied().min_by(|a, b| turn(a).total_cmp(&turn(b)).then(a.cmp(b)))
    }

    /// Metres that one drives for a metre of the reference line.
    fn scale(&self, place: &RoadPlace) -> f64 {
        let t_m = self.t_m(place);
        let length = self.roads[place.road].length_m;
        let (before, after) = ((place.s_m - 0.5).max(0.0), (place.s_m + 0.5).min(length));
        if after - before < 0.1 {
            return 1.0;
        }
        let way = self.point(place.road, after, t_m).0.xy() - self.point(place.road, before, t_m).0.xy();
        let scale = way.norm() / (after - before);
        // Rounding of the points is no bend.
        if (scale - 1.0).abs() < 3e-4 { 1.0 } else { scale.clamp(0.1, 10.0) }
    }

    /// Way along the reference lines from a place to a point of a road: positive ahead, negative behind; `None` if there
    /// is none.
    pub fn way_m(&self, from: &RoadPlace, road: usize, s_m: f64) -> Option<f64> {
        if from.road == road {
            let ahead = s_m - from.s_m;
            return Some(if from.along { ahead } else { -ahead });
        }
        let ahead = self.path(from, road, s_m).map(|(way, _)| way);
        let back = || self.path(&RoadPlace { along: !from.along, ..*from }, road, s_m).map(|(way, _)| -way);
        ahead.or_else(back)
    }

    /// The shortest way in the direction a place faces, and the roads that it takes, its own first.
    pub fn path(&self, from: &RoadPlace, road: usize, s_m: f64) -> Option<(f64, Vec<usize>)> {
        let ahead_m = if from.along { s_m - from.s_m } else { from.s_m - s_m };
        if from.road == road && ahead_m >= 0.0 {
            return Some((ahead_m, vec![road]));
        }
        let to_end = if from.along { self.roads[from.road].length_m - from.s_m } else { from.s_m };
        // Way to the entry of a road, in tenths of a millimetre so that it can be ordered.
        let units = |m: f64| (m * 1e4).round() as u64;
        let mut open = BinaryHeap::new();
        let mut came: BTreeMap<(usize, bool), (usize, bool)> = BTreeMap::new();
        let start = (from.road, from.along);
        let push = |open: &mut BinaryHeap<_>, cost: u64, to: (usize, bool), via: (usize, bool)| {
            open.push((std::cmp::Reverse(cost), to, via));
        };
        for next in &self.roads[from.road].next[usize::from(from.along)] {
            push(&mut open, units(to_end), *next, start);
        }
        while let Some((std::cmp::Reverse(cost), here, via)) = open.pop() {
            if came.contains_key(&here) {
                continue;
            }
            came.insert(here, via);
            let length = self.roads[here.0].length_m;
            if here.0 == road {
                let rest = if here.1 { s_m } else { length - s_m };
                let mut roads = vec![here.0];
                let mut at = via;
                while at != start {
                    roads.push(at.0);
                    at = came[&at];
                }
                roads.push(start.0);
                roads.reverse();
                return Some((cost as f64 / 1e4 + rest, roads));
            }
            for next in &self.roads[here.0].next[usize::from(here.1)] {
                push(&mut open, cost + units(length), *next, here);
            }
        }
        None
    }
}
