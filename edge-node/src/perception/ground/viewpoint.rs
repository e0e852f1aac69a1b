//! Where a camera hangs, as its mapping from pixels to the ground says.
//!
//! In: a [`Georeference`]. Out: the point of the ground below the camera and its height. The mapping of the ground near the
//! middle of the picture is a homography; with square pixels and the principal point in the middle it determines focal
//! length and pose (Zhang 2000, the two constraints of one plane). `None` where the mapping is that of no camera.

use super::settings::Extent;
use crate::perception::georeference::Georeference;
use masa_v2x_proto::geo::Enu;
use nalgebra::{SMatrix, SVector, Vector2, Vector3};

/// Shares of the picture's width and height between which the mapping is looked at: near the middle a lens bends little,
/// and the upper half may show no ground.
const SAMPLED: [([f64; 2], [f64; 2]); 3] =
    [([0.35, 0.65], [0.45, 0.7]), ([0.35, 0.65], [0.6, 0.85]), ([0.3, 0.7], [0.75, 0.98])];
/// Variance of a pixel that is only mapped, px².
const EXACT_PX2: [f64; 2] = [1e-6, 1e-6];
/// Heights that a roadside camera has, metres.
const HEIGHTS_M: std::ops::Range<f64> = 1.0..60.0;
/// Something that reaches this share of the camera's height is cut there: its top would be behind the camera.
const HIGHEST: f64 = 0.8;

/// A camera's place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Viewpoint {
    foot: Vector2<f64>,
    height_m: f64,
}

impl Viewpoint {
    pub(crate) fn of(georeference: &Georeference, image_size_px: [u32; 2]) -> Option<Self> {
        SAMPLED.iter().find_map(|(across, down)| Self::from_samples(georeference, image_size_px, *across, *down))
    }

    fn from_samples(map: &Georeference, size_px: [u32; 2], across: [f64; 2], down: [f64; 2]) -> Option<Self> {
        let [width, height] = size_px.map(f64::from);
        let mut pixels = [Vector2::zeros(); 4];
        let mut ground = [Vector2::zeros(); 4];
        for (i, (x, y)) in across.into_iter().flat_map(|x| down.map(|y| (x * width, y * height))).enumerate() {
            let seen = map.to_ground([x, y], EXACT_PX2)?.position;
            ground[i] = Vector2::new(seen.e_m, seen.n_m);
            pixels[i] = Vector2::new(x - 0.5 * width, y - 0.5 * height) / width;
        }
        let middle = ground.iter().sum::<Vector2<f64>>() / 4.0;
        let scale_m = ground.iter().map(|g| (g - middle).norm()).fold(0.0, f64::max);
        let scaled = ground.map(|g| (g - middle) / scale_m);
        let centre = camera_centre(&homography(&scaled, &pixels)?)? * scale_m;
        let (foot, height_m) = (middle + centre.xy(), centre.z);
        HEIGHTS_M.contains(&height_m).then_some(Self { foot, height_m })
    }

    /// Direction on the ground from the camera to a place, radians counter-clockwise from east.
    pub(crate) fn bearing_rad(&self, place: Enu) -> f64 {
        (place.n_m - self.foot.y).atan2(place.e_m - self.foot.x)
    }

    /// The box of pixels that a body shows in: left, top, right, bottom; `None` where part of it is out of the camera's
    /// sight.
    pub(crate) fn draw(&self, map: &Georeference, centre: Enu, yaw_rad: f64, extent: &Extent) -> Option<[f64; 4]> {
        let corners = self.corners(map, centre, yaw_rad, extent)?;
        Some(corners.into_iter().fold(NOTHING, around))
    }

    /// The same of what shows of it in a picture of `size_px`; `None` where nothing does, too.
    pub(crate) fn draw_within(
        &self,
        map: &Georeference,
        centre: Enu,
        yaw_rad: f64,
        extent: &Extent,
        size_px: [f64; 2],
    ) -> Option<[f64; 4]> {
        let corners = self.corners(map, centre, yaw_rad, extent)?;
        // The outline is made of some of the twelve edges, and the others are inside of it.
        let edges = (0..8usize).flat_map(|from| [1, 2, 4].map(|bit| (from, from | bit))).filter(|(from, to)| from < to);
        let shown = edges.filter_map(|(from, to)| clipped(corners[from], corners[to], size_px));
        let drawn = shown.flatten().fold(NOTHING, around);
        (drawn[0] <= drawn[2]).then_some(drawn)
    }

    /// The pixels of a body's eight corners; the lowest bit of a corner's number is its front, the highest its top.
    fn corners(&self, map: &Georeference, centre: Enu, yaw_rad: f64, extent: &Extent) -> Option<[[f64; 2]; 8]> {
        let (sin, cos) = yaw_rad.sin_cos();
        let mut corners = [[0.0; 2]; 8];
        for (corner, pixel) in corners.iter_mut().enumerate() {
            let side = |bit: usize, size_m: f64| if corner >> bit & 1 == 0 { -0.5 * size_m } else { 0.5 * size_m };
            let (x, y) = (side(0, extent.length_m), side(1, extent.width_m));
            let up_m = if corner >> 2 & 1 == 0 { 0.0 } else { extent.height_m.min(HIGHEST * self.height_m) };
            let place = Vector2::new(centre.e_m + x * cos - y * sin, centre.n_m + x * sin + y * cos);
            // What is above the ground shows where its ray goes on to meet the ground.
            let shadow = self.foot + (place - self.foot) * (self.height_m / (self.height_m - up_m));
            *pixel = map.to_pixel(Enu::ground(shadow.x, shadow.y))?;
        }
        Some(corners)
    }

    /// Where something stands whose top hides `ground`.
    pub(crate) fn below(&self, ground: Enu, height_m: f64) -> Enu {
        let share = 1.0 - height_m.min(HIGHEST * self.height_m) / self.height_m;
        let place = self.foot + (Vector2::new(ground.e_m, ground.n_m) - self.foot) * share;
        Enu::ground(place.x, place.y)
    }
}

/// A box around no pixel yet.
const NOTHING: [f64; 4] = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];

/// The box around a box and one more pixel.
fn around(b: [f64; 4], [x, y]: [f64; 2]) -> [f64; 4] {
    [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)]
}

/// The part of a line within a picture (Liang and Barsky 1984).
fn clipped(from: [f64; 2], to: [f64; 2], size_px: [f64; 2]) -> Option<[[f64; 2]; 2]> {
    let (mut begin, mut end) = (0.0f64, 1.0f64);
    for axis in 0..2 {
        let along = to[axis] - from[axis];
        if along.abs() < 1e-9 {
            if !(0.0..=size_px[axis]).contains(&from[axis]) {
                return None;
            }
            continue;
        }
        let (zero, far) = (-from[axis] / along, (size_px[axis] - from[axis]) / along);
        (begin, end) = (begin.max(zero.min(far)), end.min(zero.max(far)));
    }
    let at = |share: f64| [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
    (begin <= end).then(|| [at(begin), at(end)])
}

/// The homography from four points to four others, its last element one.
fn homography(from: &[Vector2<f64>; 4], to: &[Vector2<f64>; 4]) -> Option<SMatrix<f64, 3, 3>> {
    let mut equations = SMatrix::<f64, 8, 8>::zeros();
    let mut right = SVector::<f64, 8>::zeros();
    for (i, (p, q)) in from.iter().zip(to).enumerate() {
        for (axis, value) in [(0, q.x), (1, q.y)] {
            let row = 2 * i + axis;
            for (k, factor) in [p.x, p.y, 1.0].into_iter().enumerate() {
                equations[(row, 3 * axis + k)] = factor;
            }
            equations[(row, 6)] = -value * p.x;
            equations[(row, 7)] = -value * p.y;
            right[row] = value;
        }
    }
    let h = equations.lu().solve(&right)?;
    Some(SMatrix::<f64, 3, 3>::from_fn(|row, column| if (row, column) == (2, 2) { 1.0 } else { h[3 * row + column] }))
}

/// Where the camera of a homography from the ground to centred pixels is.
fn camera_centre(h: &SMatrix<f64, 3, 3>) -> Option<Vector3<f64>> {
    let column = |i: usize| h.column(i).into_owned();
    let (a, b, c) = (column(0), column(1), column(2));
    // Both columns are of one length and perpendicular once divided by the focal length.
    let (in_plane, in_depth) = (
        [2.0 * a.xy().dot(&b.xy()), a.xy().dot(&a.xy()) - b.xy().dot(&b.xy())],
        [2.0 * a.z * b.z, a.z * a.z - b.z * b.z],
    );
    let focal2 = -(in_plane[0] * in_depth[0] + in_plane[1] * in_depth[1]) / (in_depth[0].powi(2) + in_depth[1].powi(2));
    if !(focal2 > 0.0 && focal2.is_finite()) {
        return None;
    }
    let unproject = |v: Vector3<f64>| Vector3::new(v.x / focal2.sqrt(), v.y / focal2.sqrt(), v.z);
    let (a, b, c) = (unproject(a), unproject(b), unproject(c));
    let scale = (a.norm() * b.norm()).sqrt();
    let (east, north, to_origin) = (a / scale, b / scale, c / scale);
    let up = east.cross(&north);
    Some(-Vector3::new(east.dot(&to_origin), north.dot(&to_origin), up.dot(&to_origin)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Matrix3;

    /// Pixels, about the middle and in picture widths, of a camera that looks from `eye` at a place on the ground.
    fn project(eye: Vector3<f64>, at: Vector2<f64>, focal: f64, p: Vector2<f64>) -> Vector2<f64> {
        let forward = (Vector3::new(at.x, at.y, 0.0) - eye).normalize();
        let right = forward.cross(&Vector3::z()).normalize();
        let down = forward.cross(&right);
        let to = Matrix3::from_rows(&[right.transpose(), down.transpose(), forward.transpose()])
            * (Vector3::new(p.x, p.y, 0.0) - eye);
        focal * to.xy() / to.z
    }

    #[test]
    fn a_camera_is_found_where_it_hangs() {
        let ground = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]].map(Vector2::from);
        for (eye, at, focal) in [
            ([0.4, -3.0, 1.2], [0.1, 0.2], 0.8),
            ([-4.0, 2.5, 2.0], [0.3, -0.2], 1.6),
            ([2.0, 2.0, 0.5], [0.0, 0.0], 0.7),
        ] {
            let eye = Vector3::from(eye);
            let pixels = ground.map(|p| project(eye, Vector2::from(at), focal, p));
            let found = camera_centre(&homography(&ground, &pixels).unwrap()).unwrap();
            assert!((found - eye).norm() < 1e-6, "{found} instead of {eye}");
        }
    }

    #[test]
    fn of_a_line_the_picture_shows_what_is_within() {
        let size_px = [100.0, 80.0];
        assert_eq!(clipped([-50.0, 40.0], [50.0, 40.0], size_px), Some([[0.0, 40.0], [50.0, 40.0]]));
        assert_eq!(clipped([50.0, 120.0], [50.0, 40.0], size_px), Some([[50.0, 80.0], [50.0, 40.0]]));
        assert_eq!(clipped([10.0, 10.0], [20.0, 30.0], size_px), Some([[10.0, 10.0], [20.0, 30.0]]));
        assert_eq!(clipped([-50.0, 40.0], [40.0, -50.0], size_px), None, "past the corner");
        assert_eq!(clipped([-5.0, 10.0], [-5.0, 20.0], size_px), None);
    }

    #[test]
    fn a_mapping_of_no_camera_has_no_viewpoint() {
        // Shear: no square pixels see a square like this.
        let ground = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]].map(Vector2::from);
        let sheared = ground.map(|p| Vector2::new(p.x + 0.9 * p.y, p.y));
        assert_eq!(camera_centre(&homography(&ground, &sheared).unwrap()), None);
    }
}
