//! The ways through the site's intersections, as lines to go along.
//!
//! A route is an ingress lane, a curve over the intersection and an egress lane; or a crosswalk in one direction. The
//! curve is a cubic Bézier that leaves and arrives in the lanes' directions.

use crate::world::infrastructure::{IntersectionSettings, LaneKind, LaneSettings, LaneWay, Manoeuvre};

/// Points of a curve over an intersection.
const CURVE_POINTS: u32 = 12;

/// A line of straight pieces with its length.
#[derive(Clone, Debug, PartialEq)]
pub struct Polyline {
    points_m: Vec<[f64; 2]>,
    /// Length up to each point.
    along_m: Vec<f64>,
}

/// Where a position lies beside a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// Length of the line up to the nearest place on it, metres.
    pub along_m: f64,
    /// Distance from that place, metres, positive to the left.
    pub offset_m: f64,
    /// Direction of the line there.
    pub yaw_rad: f64,
    /// Whether the nearest place is an end of the line and the position lies before or after it.
    pub is_beyond: bool,
}

impl Polyline {
    /// The line through `points_m`, doubles left out; `None` for fewer than two.
    pub fn new(points_m: impl IntoIterator<Item = [f64; 2]>) -> Option<Self> {
        let mut line = Self { points_m: Vec::new(), along_m: Vec::new() };
        for point in points_m {
            let step_m = line.points_m.last().map_or(0.0, |last| (point[0] - last[0]).hypot(point[1] - last[1]));
            if line.points_m.is_empty() || step_m > 1e-6 {
                line.along_m.push(line.length_m() + step_m);
                line.points_m.push(point);
            }
        }
        (line.points_m.len() >= 2).then_some(line)
    }

    /// Its length, metres.
    pub fn length_m(&self) -> f64 {
        self.along_m.last().copied().unwrap_or(0.0)
    }

    /// Position and direction after `along_m` of its length; beyond its ends it goes on straight.
    pub fn at(&self, along_m: f64) -> ([f64; 2], f64) {
        let piece = self.along_m.partition_point(|upto| *upto <= along_m).clamp(1, self.points_m.len() - 1);
        let (a, b) = (self.points_m[piece - 1], self.points_m[piece]);
        let share = (along_m - self.along_m[piece - 1]) / (self.along_m[piece] - self.along_m[piece - 1]);
        let position = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
        (position, (b[1] - a[1]).atan2(b[0] - a[0]))
    }

    /// Where `position_m` lies beside it.
    pub fn project(&self, position_m: [f64; 2]) -> Beside {
        let mut best = (f64::INFINITY, 0, 0.0);
        for piece in 1..self.points_m.len() {
            let (a, b) = (self.points_m[piece - 1], self.points_m[piece]);
            let (de, dn) = (b[0] - a[0], b[1] - a[1]);
            let share = ((position_m[0] - a[0]) * de + (position_m[1] - a[1]) * dn) / (de * de + dn * dn);
            let clamped = share.clamp(0.0, 1.0);
            let away = (position_m[0] - a[0] - clamped * de).hypot(position_m[1] - a[1] - clamped * dn);
            if away < best.0 {
                best = (away, piece, share);
            }
        }
        let (away, piece, share) = best;
        let (a, b) = (self.points_m[piece - 1], self.points_m[piece]);
        let left = (b[0] - a[0]) * (position_m[1] - a[1]) - (b[1] - a[1]) * (position_m[0] - a[0]);
        let is_beyond = (piece == 1 && share < 0.0) || (piece == self.points_m.len() - 1 && share > 1.0);
        let length = self.along_m[piece] - self.along_m[piece - 1];
        Beside {
            along_m: self.along_m[piece - 1] + share.clamp(0.0, 1.0) * length,
            offset_m: away.copysign(left),
            yaw_rad: (b[1] - a[1]).atan2(b[0] - a[0]),
            is_beyond,
        }
    }
}

/// One way through an intersection.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The intersection.
    pub intersection: u16,
    /// The lane it begins with, and the one it ends with where it is another.
    pub lanes: (u8, Option<u8>),
    /// What a driver does at the intersection.
    pub manoeuvre: Option<Manoeuvre>,
    /// What its lanes are for.
    pub kind: LaneKind,
    /// Width of its lanes, metres.
    pub width_m: f64,
    /// The signal group that it obeys.
    pub signal_group: Option<u8>,
    /// Where it runs.
    pub line: Polyline,
    /// Length up to the stop line, metres.
    ingress_to_m: f64,
    /// Length up to the egress lane, metres.
    egress_from_m: f64,
    /// Whether it runs along its lane's nodes or against them: tells the two ways of a crosswalk apart.
    is_reversed: bool,
}

impl Route {
    /// Whether `along_m` is on the lane that leads to the intersection.
    pub(crate) fn is_on_ingress(&self, along_m: f64) -> bool {
        along_m <= self.ingress_to_m
    }

    /// Where its stop line is, metres from its beginning; infinitely far on a lane that leads nowhere.
    pub(crate) fn stop_m(&self) -> f64 {
        self.ingress_to_m
    }

    /// The lane at `along_m`, and whether it lies behind: the way over the intersection belongs to the lane that leads there.
    pub(crate) fn lane_at(&self, along_m: f64) -> (u8, bool) {
        match self.lanes {
            (_, Some(egress)) if along_m >= self.egress_from_m => (egress, false),
            (ingress, _) => (ingress, along_m > self.ingress_to_m),
        }
    }

    /// What is left of the route after `along_m`: routes with the same remainder have become one.
    pub(crate) fn remainder(&self, along_m: f64) -> (u16, Option<u8>, Option<u8>, bool) {
        let (from, to) = self.lanes;
        let from = (to.is_none() || along_m < self.egress_from_m).then_some(from);
        (self.intersection, from, to, self.is_reversed)
    }
}

/// Every way through the site's intersections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteMap {
    routes: Vec<Route>,
}

impl RouteMap {
    /// The routes of checked intersections.
    pub fn new(intersections: &[IntersectionSettings]) -> Self {
        let mut routes = Vec::new();
        for intersection in intersections {
            for lane in &intersection.lanes {
                match (lane.kind, lane.direction) {
                    (LaneKind::Crosswalk, _) => {
                        routes.extend([false, true].into_iter().filter_map(|back| alone(intersection, lane, back)));
                    }
                    (_, LaneWay::Egress) => {}
                    _ if lane.connections.is_empty() => routes.extend(alone(intersection, lane, true)),
                    _ => routes.extend(connected(intersection, lane)),
                }
            }
        }
        Self { routes }
    }

    /// The routes.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

/// A lane by itself; its nodes run outwards, so that a driver who comes goes along them backwards.
fn alone(intersection: &IntersectionSettings, lane: &LaneSettings, is_reversed: bool) -> Option<Route> {
    let points: Vec<[f64; 2]> =
        if is_reversed { lane.nodes_m.iter().rev().copied().collect() } else { lane.nodes_m.clone() };
    Some(Route {
        intersection: intersection.id,
        lanes: (lane.id, None),
        manoeuvre: None,
        kind: lane.kind,
        width_m: intersection.lane_width_m,
        signal_group: None,
        line: Polyline::new(points)?,
        ingress_to_m: if lane.direction == LaneWay::Ingress { f64::INFINITY } else { 0.0 },
        egress_from_m: f64::INFINITY,
        is_reversed,
    })
}

fn connected<'a>(intersection: &'a IntersectionSettings, lane: &'a LaneSettings) -> impl Iterator<Item = Route> + 'a {
    lane.connections.iter().filter_map(|connection| {
        let egress = intersection.lanes.iter().find(|l| l.id == connection.lane)?;
        let (ingress_line, egress_line) =
            (Polyline::new(lane.nodes_m.iter().rev().copied())?, Polyline::new(egress.nodes_m.iter().copied())?);
        let (start, start_yaw) = ingress_line.at(ingress_line.length_m() - 1e-6);
        let (end, end_yaw) = egress_line.at(0.0);
        let over = curve(start, start_yaw, end, end_yaw);
        let before = Polyline::new(ingress_line.points_m.iter().copied().chain(over))?;
        Some(Route {
            intersection: intersection.id,
            lanes: (lane.id, Some(egress.id)),
            manoeuvre: Some(connection.manoeuvre),
            kind: lane.kind,
            width_m: intersection.lane_width_m,
            signal_group: connection.signal_group,
            ingress_to_m: ingress_line.length_m(),
            egress_from_m: before.length_m(),
            line: Polyline::new(before.points_m.iter().chain(&egress_line.points_m).copied())?,
            is_reversed: true,
        })
    })
}

/// A cubic Bézier from one pose to another, whose handles are a third of the way, as for an arc of little turn.
fn curve(start: [f64; 2], start_yaw: f64, end: [f64; 2], end_yaw: f64) -> impl Iterator<Item = [f64; 2]> {
    let handle_m = 0.39 * (end[0] - start[0]).hypot(end[1] - start[1]);
    let one = [start[0] + handle_m * start_yaw.cos(), start[1] + handle_m * start_yaw.sin()];
    let two = [end[0] - handle_m * end_yaw.cos(), end[1] - handle_m * end_yaw.sin()];
    (1..=CURVE_POINTS).map(move |i| {
        let t = f64::from(i) / f64::from(CURVE_POINTS);
        let u = 1.0 - t;
        let at = |axis: usize| {
            u * u * u * start[axis] + 3.0 * u * u * t * one[axis] + 3.0 * u * t * t * two[axis] + t * t * t * end[axis]
        };
        [at(0), at(1)]
    })
}
