//! A camera's pose from the lane markings it shows.
//!
//! In: a picture, the lane borders of the site map, a rough pose. Out: the pose at which the borders lie on the markings, with
//! its covariance and how much of the map is found in the picture.
//!
//! Markings are pixels that are brighter than what lies on both sides of them; those that run upwards and those that run across
//! are told apart. Each pixel's distance to the nearest of either is computed once; turns on a grid around the rough pose are
//! rated by how many border points lie on markings of their direction, the best are refined by Levenberg and Marquardt on
//! those distances, and the best of these wins. Borders without paint and paint without a border do no harm as long
//! as they are not the most.

use super::camera_model::{CameraModel, Change, PoseCovariance};
use super::fit::minimise::{Free, Normal, huber_cost, minimise};
use masa_inference::RgbImage;
use masa_v2x_proto::geo::Enu;
use nalgebra::{RowVector2, Vector2, Vector3};
use serde::{Deserialize, Serialize};

/// A marking is brighter than its surroundings by this, of 255.
const CONTRAST: i32 = 22;
/// How far from a marking its surroundings are looked at, pixels: lines are narrow far away and broad near by.
const SURROUNDINGS_PX: [usize; 3] = [3, 7, 15];
/// Distance between two points of a border, metres.
const STEP_M: f64 = 0.4;
/// Points of borders at most.
const MAX_POINTS: usize = 6_000;
/// Steps of the search, degrees.
const SEARCH_STEP_DEG: f64 = 0.4;
/// From this distance on a border point is not on a marking: in the search, and in the refinements one after the other, pixels.
const SEARCH_PX: f32 = 5.0;
const REFINE_PX: [f32; 3] = [8.0, 5.0, 3.5];
/// The refined ones are rated at this distance, pixels.
const RATED_PX: f32 = 2.0;
/// Share that a border point is expected to be on a marking by chance and paint.
const EXPECTED: f64 = 0.6;
/// How many of the best turns of the search are refined.
const REFINED: usize = 16;
/// Standard deviation of a border point that is on a marking, pixels: paint, survey and detection together.
const SIGMA_PX: f64 = 1.0;
/// The points of a line share its paint's offset from the border (edge lines lie 0.2 m inside): so many count as one.
const REDUNDANCY: f64 = 150.0;
/// Points that must be on markings, and the share of all in the picture.
const MIN_MATCHED: usize = 40;
const MIN_SHARE: f64 = 0.25;

/// How a pose is aligned with lane markings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LaneFitSettings {
    /// How far the rough pose may be turned off, degrees about the right and down axes.
    pub search_deg: f64,
    /// Standard deviation of the rough position, metres; zero: it is held.
    pub position_sigma_m: f64,
    /// Borders further away than this are not looked at, metres.
    pub range_m: f64,
}

impl Default for LaneFitSettings {
    fn default() -> Self {
        Self { search_deg: 3.0, position_sigma_m: 0.0, range_m: 55.0 }
    }
}

/// A pose that was aligned with lane markings.
#[derive(Clone, Copy, Debug)]
pub struct LaneFit {
    /// The camera.
    pub model: CameraModel,
    /// Covariance of its pose; zero for what was held.
    pub covariance: PoseCovariance,
    /// From the rough pose: about its right, down and forward axes, radians.
    pub turn_rad: Vector3<f64>,
    /// Border points that lie on a marking, and all that the picture shows.
    pub matched: (usize, usize),
    /// The same at the rough pose.
    pub matched_before: (usize, usize),
    /// Root mean square of the matched points' distances, pixels.
    pub rms_px: f64,
}

/// Why a picture gives no pose.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LaneFitError {
    /// The picture is not of the camera's size.
    #[error("the picture is {0}×{1} px, the camera's are {2}×{3} px")]
    Size(u32, u32, u32, u32),
    /// Too little of the map lies on markings.
    #[error("{0} of {1} border points in the picture lie on a marking: too few to tell the pose")]
    TooFew(usize, usize),
    /// What was found does not determine the pose.
    #[error("the markings do not determine the pose")]
    Undetermined,
}

/// Aligns a rough pose with the markings of a picture; `borders_m` are lines of the site, `[east, north]` metres.
///
/// # Errors
/// [`LaneFitError`] says why the picture gives no pose.
pub fn align(
    image: &RgbImage,
    borders_m: &[Vec<[f64; 2]>],
    rough: &CameraModel,
    ground_m: f64,
    settings: &LaneFitSettings,
) -> Result<LaneFit, LaneFitError> {
    let [width, height] = rough.image_size_px();
    if [image.width, image.height] != [width, height] {
        return Err(LaneFitError::Size(image.width, image.height, width, height));
    }
    let distances = Distances::new(image);
    let points = border_points(borders_m, rough, ground_m, settings.range_m);
    let rating = |model: &CameraModel, reach_px: f32| {
        // Below nothing for what is not on a marking: otherwise showing more of the map would count.
        let on = |d: f32| f64::from((1.0 - d / reach_px).max(0.0)) - EXPECTED;
        points.iter().filter_map(|p| distances.at(model, *p)).map(on).sum::<f64>()
    };
    let steps = (settings.search_deg / SEARCH_STEP_DEG).ceil() as i32;
    let degrees = move |step: i32| (f64::from(step) * SEARCH_STEP_DEG).to_radians();
    let turns = (-steps..=steps).flat_map(|up| (-steps..=steps).map(move |right| [up, right]));
    let turned = turns.map(|[up, right]| rough.turned(Vector3::new(degrees(up), degrees(right), 0.0)));
    let mut rated: Vec<(f64, CameraModel)> = turned.map(|model| (rating(&model, SEARCH_PX), model)).collect();
    rated.sort_by(|a, b| b.0.total_cmp(&a.0));
    let too_few = |model: &CameraModel| {
        let (on, of) = count(&distances, &points, model, REFINE_PX[0]);
        LaneFitError::TooFew(on, of)
    };
    let free = if settings.position_sigma_m > 0.0 { Free::POSE } else { Free::TURN };
    let refine = |start: CameraModel| {
        let (mut model, mut normal) = (start, None);
        for reach_px in REFINE_PX {
            let linearise = |model: &CameraModel| {
                let mut normal = Normal::default();
                if settings.position_sigma_m > 0.0 {
                    let mut change = Change::zeros();
                    let [here, there] = [rough.pose().position_m, model.pose().position_m].map(Vector3::from);
                    change.fixed_rows_mut::<3>(0).copy_from(&(there - here));
                    let mut sigma = Change::repeat(1e6);
                    sigma.fixed_rows_mut::<3>(0).fill(settings.position_sigma_m);
                    normal.add_prior(&change, &sigma);
                }
                for point in &points {
                    distances.add_to(&mut normal, model, *point, reach_px);
                }
                Some(normal)
            };
            let (refined, at) = minimise(model, free, linearise)?;
            (model, normal) = (refined, Some(at));
        }
        Some((rating(&model, RATED_PX), model, normal?))
    };
    let best = rated.iter().take(REFINED).filter_map(|(_, start)| refine(*start));
    let best = best.max_by(|a, b| a.0.total_cmp(&b.0));
    let (_, model, normal) = best.ok_or_else(|| too_few(rated.first().map_or(rough, |(_, model)| model)))?;
    let reach_px = REFINE_PX[REFINE_PX.len() - 1];
    let (matched, matched_before) =
        (count(&distances, &points, &model, reach_px), count(&distances, &points, rough, reach_px));
    let (on, of) = matched;
    if on < MIN_MATCHED || (on as f64) < MIN_SHARE * of as f64 {
        return Err(LaneFitError::TooFew(on, of));
    }
    let covariance = normal.covariance(free).ok_or(LaneFitError::Undetermined)?;
    let squares =
        points.iter().filter_map(|p| distances.at(&model, *p)).filter(|d| *d < reach_px).map(|d| f64::from(d * d));
    let rms_px = (squares.sum::<f64>() / on as f64).sqrt();
    let spread = (rms_px / SIGMA_PX).max(1.0).powi(2) * REDUNDANCY;
    Ok(LaneFit {
        model,
        covariance: covariance.fixed_view::<6, 6>(0, 0) * spread,
        turn_rad: rough.turn_to(&model),
        matched,
        matched_before,
        rms_px,
    })
}

/// How many points lie on a marking, and how many the picture shows.
fn count(distances: &Distances, points: &[BorderPoint], model: &CameraModel, reach_px: f32) -> (usize, usize) {
    let shown: Vec<f32> = points.iter().filter_map(|p| distances.at(model, *p)).collect();
    (shown.iter().filter(|d| **d < reach_px).count(), shown.len())
}

/// A point of a border.
#[derive(Clone, Copy, Debug)]
struct BorderPoint {
    place: Enu,
    /// Direction of the border, of any length.
    along: Vector3<f64>,
}

/// Points along the borders that a camera may show.
fn border_points(borders_m: &[Vec<[f64; 2]>], camera: &CameraModel, ground_m: f64, range_m: f64) -> Vec<BorderPoint> {
    let [e, n, _] = camera.pose().position_m;
    let mut points = Vec::new();
    for ends in borders_m.iter().flat_map(|border| border.windows(2)) {
        let [a, b] = [Vector2::from(ends[0]), Vector2::from(ends[1])];
        let steps = ((b - a).norm() / STEP_M).floor().min(10_000.0) as u32;
        let along = (b - a).push(0.0);
        for step in 0..=steps {
            let p = a + (b - a) * (f64::from(step) / f64::from(steps.max(1)));
            let point = Enu { e_m: p.x, n_m: p.y, u_m: ground_m };
            let is_near = (p - Vector2::new(e, n)).norm() < range_m && camera.in_camera(point).z > 1.0;
            if is_near && points.len() < MAX_POINTS {
                points.push(BorderPoint { place: point, along });
            }
        }
    }
    points
}

/// Each pixel's distance to the nearest marking, of those that run rather upwards and of those that run rather across.
struct Distances {
    width: usize,
    height: usize,
    upwards_px: Vec<f32>,
    across_px: Vec<f32>,
}

impl Distances {
    fn new(image: &RgbImage) -> Self {
        let (width, height) = (image.width as usize, image.height as usize);
        let [upwards, across] = markings(image);
        Self { width, height, upwards_px: nearest(&upwards, width, height), across_px: nearest(&across, width, height) }
    }

    /// Distance at a pixel's place and its gradient, between the pixels' middles; `None` at the border and outside.
    fn sample(&self, pixel: Vector2<f64>, along: Vector2<f64>) -> Option<(f32, RowVector2<f64>)> {
        let px = if along.x.abs() > along.y.abs() { &self.across_px } else { &self.upwards_px };
        let (x, y) = (pixel.x - 0.5, pixel.y - 0.5);
        if !(x >= 0.0 && y >= 0.0 && x < self.width as f64 - 1.0 && y < self.height as f64 - 1.0) {
            return None;
        }
        let (column, row) = (x as usize, y as usize);
        let (u, v) = ((x - x.floor()) as f32, (y - y.floor()) as f32);
        let at = |dx: usize, dy: usize| px[(row + dy) * self.width + column + dx];
        let (a, b, c, d) = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
        let value = (a * (1.0 - u) + b * u) * (1.0 - v) + (c * (1.0 - u) + d * u) * v;
        let slope = [(b - a) * (1.0 - v) + (d - c) * v, (c - a) * (1.0 - u) + (d - b) * u];
        Some((value, RowVector2::new(f64::from(slope[0]), f64::from(slope[1]))))
    }

    fn at(&self, model: &CameraModel, point: BorderPoint) -> Option<f32> {
        let projected = model.project(point.place)?;
        Some(self.sample(projected.pixel, projected.by_point * point.along)?.0)
    }

    fn add_to(&self, normal: &mut Normal, model: &CameraModel, point: BorderPoint, reach_px: f32) {
        let sampled =
            model.project(point.place).and_then(|p| Some((p, self.sample(p.pixel, p.by_point * point.along)?)));
        match sampled.filter(|(_, (distance, _))| *distance < reach_px) {
            Some((projected, (distance, slope))) => {
                normal.add(f64::from(distance) / SIGMA_PX, &(slope * projected.by_parameters() / SIGMA_PX));
            }
            None => normal.cost += huber_cost(f64::from(reach_px) / SIGMA_PX),
        }
    }
}

/// Each pixel's distance to the nearest one that is set: squares first along columns, then along rows (Felzenszwalb and
/// Huttenlocher, 2012).
fn nearest(set: &[bool], width: usize, height: usize) -> Vec<f32> {
    let mut px: Vec<f32> = set.iter().map(|set| if *set { 0.0 } else { f32::INFINITY }).collect();
    for x in 0..width {
        let column: Vec<f32> = (0..height).map(|y| px[y * width + x]).collect();
        for (y, value) in squared_distances(&column).into_iter().enumerate() {
            px[y * width + x] = value;
        }
    }
    for row in px.chunks_exact_mut(width.max(1)) {
        let squared = squared_distances(row);
        row.iter_mut().zip(squared).for_each(|(px, squared)| *px = squared.sqrt().min(1e4));
    }
    px
}

/// Which pixels are brighter than what lies to both sides of them, and which than what lies above and below them.
fn markings(image: &RgbImage) -> [Vec<bool>; 2] {
    let (width, height) = (image.width as usize, image.height as usize);
    let grey: Vec<i32> = image
        .data
        .chunks_exact(3)
        .map(|rgb| (i32::from(rgb[0]) * 77 + i32::from(rgb[1]) * 150 + i32::from(rgb[2]) * 29) >> 8)
        .collect();
    let grey = smoothed(&grey, width, height);
    let at = |x: usize, y: usize| grey[y * width + x];
    let (mut upwards, mut across) = (vec![false; width * height], vec![false; width * height]);
    for y in 0..height {
        for x in 0..width {
            let here = at(x, y) - CONTRAST;
            for reach in SURROUNDINGS_PX {
                let (inside_x, inside_y) = (x >= reach && x + reach < width, y >= reach && y + reach < height);
                upwards[y * width + x] |= inside_x && here > at(x - reach, y) && here > at(x + reach, y);
                across[y * width + x] |= inside_y && here > at(x, y - reach) && here > at(x, y + reach);
            }
        }
    }
    [upwards, across]
}

/// The mean of each pixel and its neighbours: asphalt is grainy.
fn smoothed(grey: &[i32], width: usize, height: usize) -> Vec<i32> {
    let mut mean = grey.to_vec();
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let row = |y: usize| grey[y * width + x - 1..][..3].iter().sum::<i32>();
            mean[y * width + x] = (row(y - 1) + row(y) + row(y + 1)) / 9;
        }
    }
    mean
}

/// For each place the least `values[other] + (place − other)²`: the lower envelope of parabolas.
fn squared_distances(values: &[f32]) -> Vec<f32> {
    let mut places: Vec<usize> = Vec::with_capacity(values.len());
    let mut begins: Vec<f32> = Vec::with_capacity(values.len());
    for (place, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        let from = loop {
            let Some(&last) = places.last() else { break f32::NEG_INFINITY };
            let (a, b) = (last as f32, place as f32);
            let meet = ((value + b * b) - (values[last] + a * a)) / (2.0 * (b - a));
            if begins.last().is_some_and(|begin| meet > *begin) {
                break meet;
            }
            places.pop();
            begins.pop();
        };
        places.push(place);
        begins.push(from);
    }
    let mut current = 0;
    let nearest = |place: usize| {
        while current + 1 < places.len() && begins[current + 1] < place as f32 {
            current += 1;
        }
        places.get(current).map_or(f32::INFINITY, |other| values[*other] + (place as f32 - *other as f32).powi(2))
    };
    (0..values.len()).map(nearest).collect()
}

#[cfg(test)]
mod tests {
    use super::super::camera_model::CameraPose;
    use super::super::lens::Intrinsics;
    use super::*;

    const SIZE: [u32; 2] = [640, 384];

    fn camera() -> CameraModel {
        let pose = CameraPose { position_m: [3.0, -9.0, 7.0], yaw_deg: 100.0, pitch_deg: -16.0, roll_deg: 0.5 };
        CameraModel::new(&pose, &Intrinsics::pinhole(SIZE, 457.0), SIZE)
    }

    /// Three lines along a road to the north and one across it.
    fn borders() -> Vec<Vec<[f64; 2]>> {
        let along = [-3.2, 0.0, 3.2].map(|e| vec![[e, 0.0], [e, 60.0]]);
        along.into_iter().chain([vec![[-12.0, 14.0], [12.0, 14.0]]]).collect()
    }

    /// The street as a camera shows it: paint 0.14 m wide, noise, and a car that hides some of it.
    fn picture(camera: &CameraModel) -> RgbImage {
        let mut data = Vec::new();
        for y in 0..SIZE[1] {
            for x in 0..SIZE[0] {
                let pixel = Vector2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                let is_paint = camera.to_ground(pixel, 0.0).is_some_and(|hit| {
                    let p = hit.point;
                    let along =
                        [-3.2, 0.0, 3.2].iter().any(|e| (p.e_m - e).abs() < 0.07) && (0.0..60.0).contains(&p.n_m);
                    along || ((p.n_m - 14.0).abs() < 0.2 && p.e_m.abs() < 12.0)
                });
                let noise = ((x * 31 + y * 17) % 9) as u8;
                let car = (250..330).contains(&x) && (180..230).contains(&y);
                data.extend(
                    [if car {
                        30
                    } else if is_paint {
                        190
                    } else {
                        80
                    } + noise; 3],
                );
            }
        }
        RgbImage::new(SIZE[0], SIZE[1], data).unwrap()
    }

    #[test]
    fn a_pose_that_is_two_degrees_off_is_found() {
        let image = picture(&camera());
        for turn_deg in [[0.0, 2.0, 0.0], [1.5, -1.3, 0.3], [-2.0, 0.4, -0.4]] {
            let rough = camera().turned(Vector3::from(turn_deg).map(f64::to_radians));
            let found = align(&image, &borders(), &rough, 0.0, &LaneFitSettings::default()).unwrap();
            let off_deg = found.model.turn_to(&camera()).norm().to_degrees();
            assert!(off_deg < 0.25, "{turn_deg:?}: {off_deg}");
            assert!(found.matched.0 > 2 * found.matched_before.0, "{found:?}");
        }
        // The position, too, where it is not held.
        let pose = CameraPose { position_m: [3.2, -9.1, 7.1], yaw_deg: 101.0, ..camera().pose() };
        let rough = CameraModel::new(&pose, &camera().intrinsics(), SIZE);
        let settings = LaneFitSettings { position_sigma_m: 0.3, ..LaneFitSettings::default() };
        let found = align(&image, &borders(), &rough, 0.0, &settings).unwrap();
        let [e, n, u] = found.model.pose().position_m;
        assert!((e - 3.0).abs() < 0.1 && (n + 9.0).abs() < 0.3 && (u - 7.0).abs() < 0.1, "{e} {n} {u}");
    }

    #[test]
    fn a_picture_without_markings_gives_no_pose() {
        let image = RgbImage::new(SIZE[0], SIZE[1], vec![90; (SIZE[0] * SIZE[1] * 3) as usize]).unwrap();
        let settings = LaneFitSettings::default();
        assert!(matches!(align(&image, &borders(), &camera(), 0.0, &settings), Err(LaneFitError::TooFew(0, _))));
        let small = RgbImage::new(2, 2, vec![0; 12]).unwrap();
        assert_eq!(
            align(&small, &borders(), &camera(), 0.0, &settings).unwrap_err(),
            LaneFitError::Size(2, 2, 640, 384)
        );
    }

    #[test]
    fn distances_are_those_to_the_nearest() {
        let infinite = f32::INFINITY;
        assert_eq!(squared_distances(&[infinite, 0.0, infinite, infinite, 0.0]), [1.0, 0.0, 1.0, 1.0, 0.0]);
        assert_eq!(squared_distances(&[9.0, infinite, 0.0]), [4.0, 1.0, 0.0]);
        assert!(squared_distances(&[infinite; 3]).iter().all(|d| d.is_infinite()));
    }
}
