//! Objects beside and on the road: buildings, trees, lamps, parking spaces, crossings.

use super::Reader;
use super::lanes::point;
use crate::geometry::{Polyline, contains};
use crate::roads::load::with_length;
use crate::roads::scenery::signed_area_m2;
use crate::roads::{Building, Edge, EdgeId, EdgeKind, Lamp, Lane, LaneId, LaneKind, ParkingSpace, Tree, Users};
use nalgebra::{Point2, Point3, Vector2};
use xodr::{Extent, ObjectType, Shape};

/// Height of a building of which the file gives none, metres.
const USUAL_BUILDING_M: f64 = 8.0;
/// Height and crown of a tree of which the file gives none, metres.
const USUAL_TREE_M: [f64; 2] = [7.0, 4.5];
/// Width of a crossing of which the file gives none, metres.
const USUAL_CROSSING_M: f64 = 4.0;
/// Height of a lamp of which the file gives none, metres.
const USUAL_LAMP_M: f64 = 8.0;

/// Where an object stands and how large it is.
struct Footprint {
    outline: Vec<Point2<f64>>,
    height_m: f64,
}

impl Reader<'_> {
    pub(super) fn read_objects(&mut self) {
        let objects = self.network.objects();
        for (object, source) in objects.iter().zip(&self.provenance.objects) {
            let Some(footprint) = footprint(&object.shape) else { continue };
            let middle = centroid(&footprint.outline);
            let height = |usual: f64| if footprint.height_m > 0.1 { footprint.height_m } else { usual };
            match object.kind {
                ObjectType::Building if footprint.outline.len() >= 3 => {
                    let height_m = height(USUAL_BUILDING_M);
                    self.roads.buildings.push(Building { outline: footprint.outline, height_m });
                }
                ObjectType::Tree => {
                    let extent = footprint.outline.iter().map(|p| (p - middle).norm() * 2.0).fold(0.0, f64::max);
                    let crown_m = if extent > 0.5 { extent } else { USUAL_TREE_M[1] };
                    self.roads.trees.push(Tree { position: middle, height_m: height(USUAL_TREE_M[0]), crown_m });
                }
                ObjectType::StreetLamp => {
                    self.roads.lamps.push(Lamp { position: middle, height_m: height(USUAL_LAMP_M) });
                }
                ObjectType::ParkingSpace => {
                    let name = format!("{}.{}", source.road_id, self.roads.parking.len() + 1);
                    self.roads.parking.extend(space(name, &footprint.outline));
                }
                ObjectType::Crosswalk => {
                    let paint_m = object.markings.iter().map(|marking| f64::from(marking.width)).fold(0.0, f64::max);
                    let outline = with_area(footprint.outline, paint_m);
                    self.add_crossing(&source.road_id, &source.od_id, outline);
                }
                _ => {}
            }
        }
    }

    /// A crossing: people walk across the lanes that it covers. It belongs to a junction if it lies in one.
    fn add_crossing(&mut self, road: &str, object: &str, outline: Vec<Point2<f64>>) {
        let middle = centroid(&outline);
        let covered: Vec<(LaneId, f64)> = (0..self.roads.lanes.len())
            .map(|place| LaneId(place as u32))
            .filter_map(|id| {
                let lane = self.roads.lane(id);
                if lane.kind == LaneKind::Sidewalk || lane.kind == LaneKind::Verge {
                    return None;
                }
                let nearest = lane.centre.project(middle)?;
                let on = (0..=40).find_map(|step| {
                    let on = lane.centre.at(nearest.s_m - 10.0 + 0.5 * f64::from(step))?;
                    contains(&outline, on.point.xy()).then_some(on)
                })?;
                Some((id, on.yaw_rad))
            })
            .collect();
        let Some((first, yaw_rad)) = covered.first().copied() else { return };
        // Across the traffic.
        let across = Vector2::new(-yaw_rad.sin(), yaw_rad.cos());
        let along = Vector2::new(yaw_rad.cos(), yaw_rad.sin());
        let reach =
            |axis: Vector2<f64>| outline.iter().map(|p| (p - middle).dot(&axis)).fold(0.0, |m: f64, v| m.max(v.abs()));
        let z = self.roads.lane(first).centre.points().first().map_or(0.0, |p| p.z);
        let ends = [-1.0, 1.0].map(|side| middle + across * (side * reach(across)));
        let centre = Polyline::new(ends.map(|p| Point3::new(p.x, p.y, z)));
        let Some(centre) = with_length(centre) else { return };
        let edge = EdgeId(self.roads.edges.len() as u32);
        let lane = LaneId(self.roads.lanes.len() as u32);
        let mut crosses: Vec<EdgeId> = covered.iter().map(|(id, _)| self.roads.lane(*id).edge).collect();
        crosses.dedup();
        let inside = self.roads.edge(crosses[0]);
        let junction = inside.from.filter(|_| inside.kind == EdgeKind::Internal);
        let name = format!("{road}.crossing.{object}");
        self.roads.lanes.push(Lane {
            name: format!("{name}.0"),
            edge,
            index: 0,
            kind: LaneKind::Sidewalk,
            users: Users::PEDESTRIAN,
            speed_limit_mps: 1.39,
            length_m: centre.length_m(),
            width_m: (2.0 * reach(along)).max(1.0),
            centre,
            links: Vec::new(),
        });
        self.roads.edges.push(Edge {
            name,
            kind: EdgeKind::Crossing,
            lanes: vec![lane],
            from: junction,
            to: junction,
            priority: 0,
            crosses,
            outline,
        });
    }
}

/// An outline of two corners is the line along which people walk; the width of the paint is its width.
fn with_area(outline: Vec<Point2<f64>>, paint_m: f64) -> Vec<Point2<f64>> {
    let [from, to] = outline[..] else { return outline };
    let along = (to - from).try_normalize(1e-6).unwrap_or_default();
    let side = Vector2::new(-along.y, along.x) * (if paint_m > 1.0 { paint_m } else { USUAL_CROSSING_M } / 2.0);
    vec![from - side, to - side, to + side, from + side]
}

/// The outline of a shape on the ground, counter-clockwise, and its height; `None` for what has no place of its own.
fn footprint(shape: &Shape) -> Option<Footprint> {
    let (mut outline, height_m) = match shape {
        Shape::Solid { position, heading, extent, .. } => {
            let (length, width, height) = match extent {
                Some(Extent::Box { length, width, height }) => (*length, *width, *height),
                Some(Extent::Cylinder { radius, height }) => (radius * 2.0, radius * 2.0, *height),
                _ => (0.0, 0.0, 0.0),
            };
            let (middle, (sin, cos)) = (point(*position).xy(), f64::from(*heading).sin_cos());
            let (l, w) = (f64::from(length) / 2.0, f64::from(width) / 2.0);
            let corners = [(l, w), (-l, w), (-l, -w), (l, -w)];
            let corners = corners.map(|(x, y)| middle + Vector2::new(x * cos - y * sin, x * sin + y * cos));
            (corners.to_vec(), f64::from(height))
        }
        Shape::Outline { corners, .. } => {
            let height = corners.iter().map(|corner| point(corner.top).z - point(corner.base).z).fold(0.0, f64::max);
            (corners.iter().map(|corner| point(corner.base).xy()).collect(), height)
        }
        _ => return None,
    };
    if signed_area_m2(&outline) < 0.0 {
        outline.reverse();
    }
    Some(Footprint { outline, height_m })
}

fn centroid(outline: &[Point2<f64>]) -> Point2<f64> {
    let sum = outline.iter().fold(Vector2::zeros(), |sum, p| sum + p.coords);
    Point2::from(sum / outline.len().max(1) as f64)
}

/// The rectangle around an outline, along its longest side.
fn space(name: String, outline: &[Point2<f64>]) -> Option<ParkingSpace> {
    let next = outline.iter().cycle().skip(1);
    let sides = outline.iter().zip(next).map(|(a, b)| b - a);
    let along = sides.max_by(|a, b| a.norm_squared().total_cmp(&b.norm_squared()))?.try_normalize(1e-6)?;
    let across = Vector2::new(-along.y, along.x);
    let range = |axis: Vector2<f64>| {
        let over = outline.iter().map(|p| p.coords.dot(&axis));
        over.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
    };
    let (length, width) = (range(along), range(across));
    Some(ParkingSpace {
        name,
        position: Point2::from(along * ((length.0 + length.1) / 2.0) + across * ((width.0 + width.1) / 2.0)),
        yaw_rad: along.y.atan2(along.x),
        length_m: length.1 - length.0,
        width_m: width.1 - width.0,
        lane: None,
    })
}
