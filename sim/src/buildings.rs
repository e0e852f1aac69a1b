//! Buildings by place: what a ray meets on its way.
//!
//! In: outlines of [`Roads::buildings`]. Out: the walls between two points. Used by radio (blocking), GNSS (sky) and lidar
//! and radar (echoes). Buildings are prisms on level ground.

use crate::roads::Building;
use nalgebra::{Point2, Vector2};
use std::collections::BTreeMap;

/// Width of a cell, metres.
const CELL_M: f64 = 25.0;
/// A ray is followed at most this far, metres.
const LONGEST_M: f64 = 20_000.0;

/// A wall that a ray meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WallHit {
    /// From the ray's start, metres in the plane.
    pub(crate) distance_m: f64,
    /// The building.
    pub(crate) building: u32,
    /// Its wall: from this corner of the outline to the next.
    pub(crate) wall: u32,
    /// Out of the building, unit.
    pub(crate) normal: Vector2<f64>,
}

/// Walls by cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buildings {
    cells: BTreeMap<(i32, i32), Vec<(u32, u32)>>,
    walls: Vec<Vec<(Point2<f64>, Point2<f64>)>>,
    pub(crate) heights_m: Vec<f64>,
}

fn cell_of(p: Point2<f64>) -> (i32, i32) {
    ((p.x / CELL_M).floor() as i32, (p.y / CELL_M).floor() as i32)
}

impl Buildings {
    /// Sorts walls into cells.
    pub(crate) fn new(buildings: &[Building]) -> Self {
        let mut sorted = Self::default();
        for (building, number) in buildings.iter().zip(0u32..) {
            let outline = &building.outline;
            let mut walls = Vec::with_capacity(outline.len());
            for (i, a) in outline.iter().enumerate() {
                let b = outline[(i + 1) % outline.len()];
                let (low, high) = (cell_of(a.inf(&b)), cell_of(a.sup(&b)));
                for x in low.0..=high.0 {
                    for y in low.1..=high.1 {
                        sorted.cells.entry((x, y)).or_default().push((number, walls.len() as u32));
                    }
                }
                walls.push((*a, b));
            }
            sorted.walls.push(walls);
            sorted.heights_m.push(building.height_m);
        }
        sorted
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The walls between `from` and `to`, nearest first. `hits` is cleared and filled, so that callers can keep it.
    pub(crate) fn between(&self, from: Point2<f64>, to: Point2<f64>, hits: &mut Vec<WallHit>) {
        hits.clear();
        if self.is_empty() {
            return;
        }
        let way = to - from;
        let length = way.norm();
        if !(1e-9..=LONGEST_M).contains(&length) {
            return;
        }
        let direction = way / length;
        for_each_cell(from, direction, length, |cell| {
            for (building, wall) in self.cells.get(&cell).into_iter().flatten() {
                let (a, b) = self.walls[*building as usize][*wall as usize];
                if let Some(distance_m) = meet(from, direction, a, b).filter(|distance| *distance <= length) {
                    let along = b - a;
                    // Outlines run counter-clockwise, so the outside is to the right.
                    let normal = Vector2::new(along.y, -along.x).normalize();
                    hits.push(WallHit { distance_m, building: *building, wall: *wall, normal });
                }
            }
        });
        hits.sort_by(|a, b| {
            a.distance_m.total_cmp(&b.distance_m).then((a.building, a.wall).cmp(&(b.building, b.wall)))
        });
        hits.dedup_by_key(|hit| (hit.building, hit.wall));
    }

    /// The nearest wall that a ray meets at a height below its building's.
    pub(crate) fn first(
        &self,
        from: Point2<f64>,
        to: Point2<f64>,
        hits: &mut Vec<WallHit>,
        height_at: impl Fn(f64) -> f64,
    ) -> Option<WallHit> {
        self.between(from, to, hits);
        hits.iter().find(|hit| height_at(hit.distance_m) <= self.heights_m[hit.building as usize]).copied()
    }
}

/// Distance along a ray to the line from `a` to `b`.
fn meet(from: Point2<f64>, direction: Vector2<f64>, a: Point2<f64>, b: Point2<f64>) -> Option<f64> {
    let (s, to) = (b - a, a - from);
    let cross = direction.x * s.y - direction.y * s.x;
    if cross.abs() < 1e-12 {
        return None;
    }
    let distance = (to.x * s.y - to.y * s.x) / cross;
    let share = (to.x * direction.y - to.y * direction.x) / cross;
    (distance >= 0.0 && (0.0..=1.0).contains(&share)).then_some(distance)
}

/// The cells that a ray passes (Amanatides, Woo 1987).
fn for_each_cell(from: Point2<f64>, direction: Vector2<f64>, length: f64, mut each: impl FnMut((i32, i32))) {
    let (mut cell, end) = (cell_of(from), cell_of(from + direction * length));
    let axis = |place: f64, direction: f64, cell: i32| {
        let step = if direction > 0.0 { 1 } else { -1 };
        let border = f64::from(if direction > 0.0 { cell + 1 } else { cell }) * CELL_M;
        if direction.abs() < 1e-12 {
            (0, f64::INFINITY, f64::INFINITY)
        } else {
            (step, (border - place) / direction, CELL_M / direction.abs())
        }
    };
    let (step_x, mut next_x, every_x) = axis(from.x, direction.x, cell.0);
    let (step_y, mut next_y, every_y) = axis(from.y, direction.y, cell.1);
    let most = cell.0.abs_diff(end.0) + cell.1.abs_diff(end.1) + 2;
    for _ in 0..=most {
        each(cell);
        if next_x.min(next_y) > length {
            break;
        }
        if next_x < next_y {
            cell.0 += step_x;
            next_x += every_x;
        } else {
            cell.1 += step_y;
            next_y += every_y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn block(x: f64, y: f64, width: f64, depth: f64, height_m: f64) -> Building {
        let outline = [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)];
        Building { outline: outline.map(|(x, y)| Point2::new(x, y)).to_vec(), height_m }
    }

    #[test]
    fn a_ray_meets_the_walls_on_its_way_in_order() {
        let buildings = Buildings::new(&[block(60.0, -5.0, 10.0, 10.0, 8.0), block(20.0, -5.0, 10.0, 80.0, 12.0)]);
        let mut hits = Vec::new();
        let mut walls = |from: (f64, f64), to: (f64, f64)| -> Vec<(u32, f64)> {
            buildings.between(Point2::new(from.0, from.1), Point2::new(to.0, to.1), &mut hits);
            hits.iter().map(|hit| (hit.building, (hit.distance_m * 1e6).round() / 1e6)).collect()
        };
        assert_eq!(walls((0.0, 0.0), (100.0, 0.0)), [(1, 20.0), (1, 30.0), (0, 60.0), (0, 70.0)]);
        assert_eq!(walls((100.0, 0.0), (65.0, 0.0)), [(0, 30.0)]);
        assert!(walls((0.0, -6.0), (100.0, -6.0)).is_empty());
        assert_eq!(walls((25.0, 90.0), (25.0, -20.0)), [(1, 15.0), (1, 95.0)]);
        // Over the nearer one, which is 12 m high, the ray comes down to the farther one.
        let first = buildings.first(Point2::origin(), Point2::new(100.0, 0.0), &mut Vec::new(), |d| 30.0 - 0.4 * d);
        assert_eq!(first.map(|hit| (hit.building, hit.distance_m, hit.normal)), Some((0, 60.0, -Vector2::x())));
    }

    #[test]
    fn the_grid_finds_what_trying_all_walls_finds() {
        let city: Vec<_> = (0..40)
            .map(|i| block(f64::from(i % 8) * 31.0 - 90.0, f64::from(i / 8) * 27.0 - 70.0, 17.0, 15.0, 9.0))
            .collect();
        let buildings = Buildings::new(&city);
        let mut hits = Vec::new();
        for i in 0..200 {
            let angle = f64::from(i) * 0.7;
            let from = Point2::new(angle.cos() * 83.0, angle.sin() * 51.0);
            let to = Point2::new((angle * 1.7).sin() * 140.0, (angle * 0.3).cos() * 120.0);
            buildings.between(from, to, &mut hits);
            let way = to - from;
            let all = buildings.walls.iter().flatten().filter_map(|(a, b)| meet(from, way.normalize(), *a, *b));
            assert_eq!(hits.len(), all.filter(|d| *d <= way.norm()).count(), "{from} {to}");
        }
    }
}
