//! Objects from the points of a scan: outside the core, as inference is.
//!
//! In: points in the device's axes, and how it hangs. Out: boxes around what stands on the ground. Points near the ground are
//! left out, by the surveyed height and by the lowest point of each cell; those left over are joined over neighbouring cells;
//! a box has the direction in which its points lie nearest to its edges (Zhang et al. 2017). Invariants: pure; the same points
//! give the same boxes, in the order of their cells. Deliberately absent: a model of the background. What is larger than any
//! vehicle is left out, and what stands is for the tracker to disbelieve.

use crate::event::{ListedObject, MAX_LISTED};
use nalgebra::{Rotation3, Vector2, Vector3};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Points of a scan at most: of a device with 128 beams and 2,048 columns.
const MAX_POINTS: usize = 262_144;
/// Cells in which the ground is looked for, metres.
const GROUND_CELL_M: f64 = 2.0;
/// The lowest point of a cell is the ground when it is as near to the surveyed height, metres.
const GROUND_SLACK_M: f64 = 0.4;
/// Directions that are tried for a box.
const TURNS: u32 = 30;
/// Points nearer to an edge than this count alike, metres.
const NEAREST_M: f64 = 0.05;

/// How points become objects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SegmentSettings {
    /// Height of the device above the ground, metres.
    pub height_m: f64,
    /// How far its x axis points down, degrees.
    pub down_deg: f64,
    /// Points lower than this above the ground are of the ground, metres.
    pub clearance_m: f64,
    /// Points higher than this are of no road user, metres.
    pub highest_m: f64,
    /// Points in neighbouring cells of this size are of one object, metres.
    pub cell_m: f64,
    /// Fewer points are no object.
    pub least_points: u16,
    /// What is longer is no road user, metres.
    pub longest_m: f64,
}

impl Default for SegmentSettings {
    fn default() -> Self {
        Self {
            height_m: 5.0,
            down_deg: 0.0,
            clearance_m: 0.3,
            highest_m: 4.5,
            cell_m: 0.3,
            least_points: 4,
            longest_m: 20.0,
        }
    }
}

/// The objects of a scan.
pub fn segment(points: &[[f32; 3]], settings: &SegmentSettings) -> Vec<ListedObject> {
    let level = Rotation3::from_axis_angle(&Vector3::y_axis(), settings.down_deg.to_radians());
    let standing = above_ground(points, &level, settings);
    let mut objects = Vec::new();
    for group in groups(&standing, settings.cell_m) {
        if group.len() < usize::from(settings.least_points) || objects.len() >= MAX_LISTED {
            continue;
        }
        let object = boxed(&group);
        if object.size_m.is_some_and(|[length_m, ..]| f64::from(length_m) <= settings.longest_m) {
            objects.push(object);
        }
    }
    objects
}

/// Points above the ground and below what is no road user: x, y level, z above the ground.
fn above_ground(points: &[[f32; 3]], level: &Rotation3<f64>, settings: &SegmentSettings) -> Vec<Vector3<f64>> {
    let is_finite = |point: &&[f32; 3]| point.iter().all(|value| value.is_finite() && value.abs() < 2_000.0);
    let levelled: Vec<Vector3<f64>> = points
        .iter()
        .take(MAX_POINTS)
        .filter(is_finite)
        .map(|point| level * Vector3::from(point.map(f64::from)) + Vector3::z() * settings.height_m)
        .collect();
    let mut lowest: BTreeMap<[i32; 2], f64> = BTreeMap::new();
    for point in levelled.iter().filter(|point| point.z.abs() <= GROUND_SLACK_M) {
        let ground = lowest.entry(cell(point, GROUND_CELL_M)).or_insert(point.z);
        *ground = ground.min(point.z);
    }
    let above = |point: Vector3<f64>| {
        let ground_m = lowest.get(&cell(&point, GROUND_CELL_M)).copied().unwrap_or(0.0);
        let height_m = point.z - ground_m;
        (settings.clearance_m..=settings.highest_m)
            .contains(&height_m)
            .then_some(Vector3::new(point.x, point.y, height_m))
    };
    levelled.into_iter().filter_map(above).collect()
}

fn cell(point: &Vector3<f64>, size_m: f64) -> [i32; 2] {
    [(point.x / size_m).floor() as i32, (point.y / size_m).floor() as i32]
}

/// Points of neighbouring cells.
fn groups(points: &[Vector3<f64>], cell_m: f64) -> Vec<Vec<Vector3<f64>>> {
    let mut cells: BTreeMap<[i32; 2], Vec<Vector3<f64>>> = BTreeMap::new();
    for point in points {
        cells.entry(cell(point, cell_m.max(0.05))).or_default().push(*point);
    }
    let mut groups = Vec::new();
    while let Some((first, points)) = cells.pop_first() {
        let (mut group, mut open) = (points, vec![first]);
        while let Some([x, y]) = open.pop() {
            for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
                let next = [x.saturating_add(dx), y.saturating_add(dy)];
                if let Some(points) = cells.remove(&next) {
                    group.extend(points);
                    open.push(next);
                }
            }
        }
        groups.push(group);
    }
    groups
}

/// The box around points whose edges they lie nearest to.
fn boxed(points: &[Vector3<f64>]) -> ListedObject {
    let turn_rad = |turn: u32| f64::from(turn) * std::f64::consts::FRAC_PI_2 / f64::from(TURNS);
    let best = (0..TURNS).map(turn_rad).max_by(|a, b| closeness(points, *a).total_cmp(&closeness(points, *b)));
    let mut yaw_rad = best.unwrap_or(0.0);
    let ([low, high], [axis, aside]) = bounds(points, yaw_rad);
    let middle = (low + high) / 2.0;
    let (mut length_m, mut width_m) = (high.x - low.x, high.y - low.y);
    if width_m > length_m {
        (length_m, width_m) = (width_m, length_m);
        yaw_rad += std::f64::consts::FRAC_PI_2;
    }
    let place = axis * middle.x + aside * middle.y;
    let height_m = points.iter().map(|point| point.z).fold(0.0, f64::max);
    ListedObject {
        position_m: [place.x as f32, place.y as f32],
        size_m: Some([length_m, width_m, height_m].map(|m| m as f32)),
        yaw_rad: Some(yaw_rad as f32),
        velocity_mps: None,
        points: u32::try_from(points.len()).ok(),
    }
}

/// Least and greatest along two axes, and the axes.
fn bounds(points: &[Vector3<f64>], yaw_rad: f64) -> ([Vector2<f64>; 2], [Vector2<f64>; 2]) {
    let (sin, cos) = yaw_rad.sin_cos();
    let (axis, aside) = (Vector2::new(cos, sin), Vector2::new(-sin, cos));
    let mut low = Vector2::repeat(f64::INFINITY);
    let mut high = Vector2::repeat(f64::NEG_INFINITY);
    for point in points {
        let along = Vector2::new(point.xy().dot(&axis), point.xy().dot(&aside));
        (low, high) = (low.inf(&along), high.sup(&along));
    }
    ([low, high], [axis, aside])
}

/// How near the points are to the edges of the box of a direction.
fn closeness(points: &[Vector3<f64>], yaw_rad: f64) -> f64 {
    let ([low, high], [axis, aside]) = bounds(points, yaw_rad);
    let near = |point: &Vector3<f64>| {
        let along = Vector2::new(point.xy().dot(&axis), point.xy().dot(&aside));
        let edge_m = (along - low).inf(&(high - along));
        1.0 / edge_m.min().max(NEAREST_M)
    };
    points.iter().map(near).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a device 5 m up sees: ground, and the rear and left side of a box of 4 m × 1.8 m × 1.5 m.
    fn scene(middle: [f64; 2], yaw_rad: f64) -> Vec<[f32; 3]> {
        let mut points: Vec<[f32; 3]> =
            (0..40).flat_map(|x| (-20..20).map(move |y| [x as f32, y as f32, -5.0])).collect();
        let (sin, cos) = yaw_rad.sin_cos();
        let mut add = |x: f64, y: f64, z: f64| {
            let at = [middle[0] + cos * x - sin * y, middle[1] + sin * x + cos * y];
            points.push([at[0] as f32, at[1] as f32, (z - 5.0) as f32]);
        };
        for z in [0.1, 0.5, 0.9, 1.3] {
            (0..=20).for_each(|i| add(-2.0 + 0.2 * f64::from(i), 0.9, z));
            (0..=9).for_each(|i| add(-2.0, -0.9 + 0.2 * f64::from(i), z));
        }
        points
    }

    fn settings() -> SegmentSettings {
        SegmentSettings::default()
    }

    #[test]
    fn a_car_is_one_box_with_its_direction() {
        for yaw_deg in [0.0f64, 20.0, 45.0, 75.0] {
            let found = segment(&scene([20.0, -3.0], yaw_deg.to_radians()), &settings());
            let [car] = &found[..] else { panic!("{yaw_deg}: {found:?}") };
            let [length_m, width_m, height_m] = car.size_m.unwrap();
            assert!((length_m - 4.0).abs() < 0.2 && (width_m - 1.8).abs() < 0.2, "{yaw_deg}: {car:?}");
            assert!((height_m - 1.3).abs() < 0.01, "{car:?}");
            let off = (f64::from(car.yaw_rad.unwrap()) - yaw_deg.to_radians()).sin().abs();
            assert!(off < 0.06, "{yaw_deg}: {car:?}");
            let [x, y] = car.position_m;
            assert!((x - 20.0).hypot(y + 3.0) < 0.2, "{yaw_deg}: {car:?}");
        }
    }

    #[test]
    fn people_side_by_side_are_two() {
        let person =
            |from_m: f32| (0..6).flat_map(move |i| [-3.5f32, -4.0].map(|z| [20.0, from_m + 0.1 * i as f32, z]));
        // An arm's length between them.
        let points: Vec<_> = person(-0.31).chain(person(0.84)).collect();
        assert_eq!(segment(&points, &settings()).len(), 2);
    }

    #[test]
    fn ground_walls_and_what_hangs_are_no_objects() {
        assert_eq!(segment(&scene([20.0, 0.0], 0.0)[..1_600], &settings()), []);
        let wall: Vec<[f32; 3]> = (0..400).map(|i| [15.0, -20.0 + 0.1 * i as f32, -3.0]).collect();
        assert_eq!(segment(&wall, &settings()), []);
        let sign: Vec<[f32; 3]> = (0..20).map(|i| [15.0, 0.1 * i as f32, 1.0]).collect();
        assert_eq!(segment(&sign, &settings()), []);
    }

    #[test]
    fn a_device_that_looks_down_sees_the_same() {
        let level = segment(&scene([20.0, 0.0], 0.3), &settings());
        let down = Rotation3::from_axis_angle(&Vector3::y_axis(), -10f64.to_radians());
        let tilted: Vec<[f32; 3]> = scene([20.0, 0.0], 0.3)
            .iter()
            .map(|p| (down * Vector3::from(p.map(f64::from))).cast::<f32>().into())
            .collect();
        let found = segment(&tilted, &SegmentSettings { down_deg: 10.0, ..settings() });
        assert_eq!(found.len(), 1);
        let apart =
            (found[0].position_m[0] - level[0].position_m[0]).hypot(found[0].position_m[1] - level[0].position_m[1]);
        assert!(apart < 0.01, "{found:?} {level:?}");
    }

    #[test]
    fn no_point_can_panic() {
        let points = [[f32::NAN, 0.0, 0.0], [f32::INFINITY, 1.0, 1.0], [f32::MAX, f32::MIN, 0.0]];
        assert_eq!(segment(&points, &settings()), []);
    }
}
