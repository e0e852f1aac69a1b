//! Paint on the road: lane lines, stop lines, zebra crossings, arrows, tinted bicycle lanes.

use super::material::{Finish, Material, Semantic};
use super::mesh::{Builder, Detail, Mesh, V3, v3};
use crate::geometry::Polyline;
use crate::roads::{Edge, EdgeId, EdgeKind, Lane, LaneKind, RightOfWay, Roads, Turn};
use nalgebra::Point3;

/// Width of a line, metres.
const LINE_M: f64 = 0.12;
/// Paint lies this much above the road, metres; the rasteriser lifts it further.
const LIFT_M: f32 = 0.004;

fn white() -> Material {
    Material::new([226, 226, 220], Finish::Marking).of(Semantic::Marking)
}

/// How a line is drawn.
#[derive(Clone, Copy, PartialEq)]
enum Stroke {
    Solid,
    /// Painted and free length, metres.
    Dashed(f64, f64),
}

struct Painter {
    builder: Builder,
    origin: Point3<f64>,
}

impl Painter {
    fn local(&self, p: Point3<f64>) -> V3 {
        let d = p - self.origin;
        v3(d.x as f32, d.y as f32, d.z as f32 + LIFT_M)
    }

    /// A strip along a line, between two offsets (left is positive), metres.
    fn strip(&mut self, line: &Polyline, from_m: f64, to_m: f64, left: f64, right: f64, material: Material) {
        let part = line.part(from_m.max(0.0), to_m.min(line.length_m()));
        let (l, r) = (part.beside(left), part.beside(right));
        for (a, b) in l.points().windows(2).zip(r.points().windows(2)) {
            let q = [b[0], b[1], a[1], a[0]].map(|p| self.local(p));
            self.builder.panel(q, material);
        }
    }

    fn line(&mut self, line: &Polyline, offset: f64, from_m: f64, to_m: f64, width: f64, stroke: Stroke) {
        let (l, r) = (offset + width / 2.0, offset - width / 2.0);
        match stroke {
            Stroke::Solid => self.strip(line, from_m, to_m, l, r, white()),
            Stroke::Dashed(on, off) => {
                let mut s = from_m;
                while s + on * 0.5 < to_m {
                    self.strip(line, s, (s + on).min(to_m), l, r, white());
                    s += on + off;
                }
            }
        }
    }

    /// A shape in a lane's axes at a place: points are (along, left), counter-clockwise.
    fn shape(&mut self, line: &Polyline, s_m: f64, corners: [(f64, f64); 4]) {
        let Some(on) = line.at(s_m) else { return };
        let (sin, cos) = on.yaw_rad.sin_cos();
        let q = corners.map(|(x, y)| self.local(on.point + nalgebra::Vector3::new(x * cos - y * sin, x * sin + y * cos, 0.0)));
        self.builder.sheet(q, white());
    }

    fn arrow(&mut self, line: &Polyline, s_m: f64, turns: &[Turn]) {
        let straight = turns.contains(&Turn::Straight);
        let stem = if straight { 3.2 } else { 2.2 };
        self.shape(line, s_m, [(-1.6, 0.075), (-1.6, -0.075), (stem - 1.6, -0.075), (stem - 1.6, 0.075)]);
        if straight {
            self.shape(line, s_m, [(1.5, 0.36), (1.5, -0.36), (2.7, 0.0), (2.7, 0.0)]);
        }
        for (turn, side) in [(Turn::Left, 1.0), (Turn::Right, -1.0)] {
            if turns.contains(&turn) {
                let x = if straight { -0.3 } else { 0.6 };
                let bar = [(x - 0.15, side * 0.07), (x + 0.65, side * 0.55), (x + 0.85, side * 0.50), (x + 0.15, side * -0.02)];
                self.shape(line, s_m, if side > 0.0 { [bar[3], bar[2], bar[1], bar[0]] } else { bar });
                let tip = [(x + 0.45, side * 0.42), (x + 1.45, side * 1.0), (x + 1.1, side * 0.30), (x + 1.1, side * 0.30)];
                self.shape(line, s_m, if side > 0.0 { [tip[2], tip[1], tip[0], tip[0]] } else { tip });
            }
        }
    }
}

/// All paint of a network, a mesh an edge.
pub(crate) fn build(roads: &Roads, origin: Point3<f64>) -> Vec<Mesh> {
    let mut meshes = Vec::new();
    for (k, edge) in roads.edges.iter().enumerate() {
        let mut painter = Painter { builder: Builder::new(Detail::Near), origin };
        match edge.kind {
            EdgeKind::Road => paint_edge(&mut painter, roads, EdgeId(k as u32), edge),
            EdgeKind::Crossing => {
                for lane in edge.lanes.iter().map(|id| roads.lane(*id)) {
                    zebra(&mut painter, lane);
                }
            }
            EdgeKind::Internal | EdgeKind::WalkingArea => {}
        }
        meshes.push(painter.builder.build());
    }
    meshes
}

fn tint(painter: &mut Painter, roads: &Roads, edge: &Edge) {
    for lane in edge.lanes.iter().map(|id| roads.lane(*id)).filter(|lane| lane.kind == LaneKind::Bicycle) {
        let red = Material::new([150, 74, 62], Finish::Tint).of(Semantic::Road);
        let half = lane.width_m / 2.0 - 0.05;
        painter.strip(&lane.centre, 0.0, lane.centre.length_m(), half, -half, red);
    }
}

/// The edge in the other direction whose innermost lane lies beside that of `id`.
fn opposite(roads: &Roads, id: EdgeId, inner: &Lane) -> Option<EdgeId> {
    let middle = inner.centre.at(inner.centre.length_m() / 2.0)?;
    let edge = roads.edge(id);
    let place = |k: usize| EdgeId(k as u32);
    roads.edges.iter().enumerate().find_map(|(k, other)| {
        let ends = other.kind == EdgeKind::Road && other.from == edge.to && other.to == edge.from && place(k) != id;
        let lane = roads.lane(*other.lanes.last().filter(|_| ends)?);
        let beside = lane.centre.project(middle.point.xy())?;
        let gap = beside.offset_m.abs() - (lane.width_m + inner.width_m) / 2.0;
        (gap.abs() < 1.2 && beside.s_m > 0.0 && beside.s_m < lane.centre.length_m()).then(|| place(k))
    })
}

fn paint_edge(painter: &mut Painter, roads: &Roads, id: EdgeId, edge: &Edge) {
    let lanes: Vec<&Lane> = edge.lanes.iter().map(|id| roads.lane(*id)).collect();
    tint(painter, roads, edge);
    let side = if roads.left_hand { -1.0 } else { 1.0 };
    let fast = lanes.iter().any(|lane| lane.speed_limit_mps > 20.0);
    let dash = if fast { Stroke::Dashed(6.0, 12.0) } else { Stroke::Dashed(3.0, 4.5) };
    let drivable = |lane: &Lane| matches!(lane.kind, LaneKind::Driving | LaneKind::Bicycle | LaneKind::Parking | LaneKind::Shoulder);
    for pair in lanes.windows(2) {
        let (outer, inner) = (pair[0], pair[1]);
        if !drivable(outer) || !drivable(inner) {
            continue;
        }
        let length = inner.centre.length_m();
        let solid_from = if inner.links.is_empty() { length } else { (length - 18.0).max(length * 0.5) };
        let offset = -side * inner.width_m / 2.0;
        if outer.kind == LaneKind::Driving && inner.kind == LaneKind::Driving {
            painter.line(&inner.centre, offset, 0.0, solid_from, LINE_M, dash);
            painter.line(&inner.centre, offset, solid_from, length, LINE_M, Stroke::Solid);
        } else {
            painter.line(&inner.centre, offset, 0.0, length, LINE_M, Stroke::Solid);
        }
    }
    if let Some(outer) = lanes.iter().find(|lane| drivable(lane)).filter(|lane| lane.kind == LaneKind::Driving) {
        let offset = -side * (outer.width_m / 2.0 - 0.20);
        painter.line(&outer.centre, offset, 1.0, outer.centre.length_m() - 1.0, LINE_M, Stroke::Solid);
    }
    if let Some(inner) = lanes.last().filter(|lane| drivable(lane)) {
        let length = inner.centre.length_m();
        let offset = side * inner.width_m / 2.0;
        match opposite(roads, id, inner) {
            // Only one of the two directions paints the line between them.
            Some(other) if other < id => {}
            Some(_) if lanes.iter().filter(|lane| lane.kind == LaneKind::Driving).count() > 1 => {
                for shift in [-0.12, 0.12] {
                    painter.line(&inner.centre, offset + shift, 0.5, length - 0.5, LINE_M, Stroke::Solid);
                }
            }
            Some(_) => {
                let ends = 14.0f64.min(length / 3.0);
                painter.line(&inner.centre, offset, 0.5, ends, LINE_M, Stroke::Solid);
                painter.line(&inner.centre, offset, ends, length - ends, LINE_M, dash);
                painter.line(&inner.centre, offset, length - ends, length - 0.5, LINE_M, Stroke::Solid);
            }
            None => painter.line(&inner.centre, side * (inner.width_m / 2.0 - 0.20), 1.0, length - 1.0, LINE_M, Stroke::Solid),
        }
    }
    for lane in lanes.iter().filter(|lane| matches!(lane.kind, LaneKind::Driving | LaneKind::Bicycle)) {
        stop_line(painter, roads, lane);
    }
}

fn stop_line(painter: &mut Painter, roads: &Roads, lane: &Lane) {
    let links: Vec<_> = lane.links.iter().map(|id| roads.link(*id)).filter(|link| link.junction.is_some()).collect();
    let length = lane.centre.length_m();
    if links.is_empty() || length < 8.0 {
        return;
    }
    let half = lane.width_m / 2.0 - 0.15;
    let stops = links.iter().any(|link| link.signal.is_some() || matches!(link.right_of_way, RightOfWay::Stop | RightOfWay::AllWayStop));
    let yields = links.iter().all(|link| link.right_of_way == RightOfWay::Minor);
    if stops {
        painter.strip(&lane.centre, length - 0.75, length - 0.25, half, -half, white());
    } else if yields {
        let teeth = (lane.width_m / 0.75).floor().max(1.0);
        for k in 0..teeth as usize {
            let y = -half + (k as f64 + 0.5) * 2.0 * half / teeth;
            painter.shape(&lane.centre, length - 0.6, [(-0.3, y), (0.3, y - 0.25), (0.3, y + 0.25), (-0.3, y)]);
        }
    }
    let turns: Vec<Turn> = links.iter().map(|link| link.turn).collect();
    if lane.kind == LaneKind::Driving && length > 25.0 && (stops || roads.edge(lane.edge).lanes.len() > 1) {
        painter.arrow(&lane.centre, length - 7.0, &turns);
    }
}

fn zebra(painter: &mut Painter, lane: &Lane) {
    let length = lane.centre.length_m();
    let half = lane.width_m.clamp(2.5, 5.0) / 2.0;
    let mut s = 0.45;
    while s + 0.5 < length - 0.1 {
        painter.strip(&lane.centre, s, s + 0.5, half, -half, white());
        s += 1.0;
    }
}
