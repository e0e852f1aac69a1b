//! Where a camera stands and how its lens draws: points of the world to pixels and back.
//!
//! Camera axes are OpenCV's: x right, y down, z forward. A pixel is continuous: the top-left pixel covers 0 to 1 along both
//! axes, so the middle of the image is half its size. Positions are ENU metres of the network.

use crate::roads::GeoReference;
use masa_v2x_proto::geo::{Enu, SiteFrame};
use nalgebra::{Matrix3, Point3, Vector3};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Nearer than this to the camera's plane nothing is drawn, metres.
pub const NEAR_M: f64 = 0.25;
/// Newton steps at most when a lens is inverted.
const MAX_STEPS: usize = 30;

/// Place and attitude of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraPose {
    /// East, north, up; metres.
    pub position_m: [f64; 3],
    /// Direction of view, degrees counter-clockwise from east.
    pub yaw_deg: f64,
    /// Above the horizon is positive, degrees; a camera that looks down has a negative pitch.
    pub pitch_deg: f64,
    /// Right side down is positive, degrees.
    #[serde(default)]
    pub roll_deg: f64,
}

impl CameraPose {
    /// A camera at `position_m` that looks at `target_m`, both ENU metres, without roll.
    pub fn looking_at(position_m: [f64; 3], target_m: [f64; 3]) -> Self {
        let d: [f64; 3] = std::array::from_fn(|axis| target_m[axis] - position_m[axis]);
        Self {
            position_m,
            yaw_deg: d[1].atan2(d[0]).to_degrees(),
            pitch_deg: d[2].atan2(d[0].hypot(d[1])).to_degrees(),
            roll_deg: 0.0,
        }
    }

    /// Turned by these angles, as by a blow to the pole.
    #[must_use]
    pub fn turned(self, yaw_deg: f64, pitch_deg: f64, roll_deg: f64) -> Self {
        Self {
            yaw_deg: self.yaw_deg + yaw_deg,
            pitch_deg: self.pitch_deg + pitch_deg,
            roll_deg: self.roll_deg + roll_deg,
            ..self
        }
    }

    /// Rows are the camera's right, down and forward axes in ENU.
    pub fn rotation(&self) -> Matrix3<f64> {
        let (sy, cy) = self.yaw_deg.to_radians().sin_cos();
        let (sp, cp) = self.pitch_deg.to_radians().sin_cos();
        let (sr, cr) = self.roll_deg.to_radians().sin_cos();
        let forward = Vector3::new(cp * cy, cp * sy, sp);
        let (left, up) = (Vector3::new(-sy, cy, 0.0), Vector3::new(-sp * cy, -sp * sy, cp));
        let (left, up) = (left * cr + up * sr, up * cr - left * sr);
        Matrix3::from_rows(&[(-left).transpose(), (-up).transpose(), forward.transpose()])
    }
}

/// How a lens bends what a pinhole would draw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case")]
pub enum Lens {
    /// Brown and Conrady's polynomial as OpenCV has it.
    BrownConrady {
        /// k1, k2, p1, p2, k3.
        #[serde(default)]
        distortion: [f64; 5],
    },
    /// Equidistant fisheye as OpenCV has it: θ(1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸).
    Fisheye {
        /// k1 to k4.
        #[serde(default)]
        distortion: [f64; 4],
    },
}

impl Default for Lens {
    fn default() -> Self {
        Self::BrownConrady { distortion: [0.0; 5] }
    }
}

impl Lens {
    /// Nothing is bent.
    pub fn is_pinhole(&self) -> bool {
        matches!(self, Self::BrownConrady { distortion } if distortion.iter().all(|k| *k == 0.0))
    }

    /// What a pinhole draws at `(x, y)` (at distance 1), the lens draws at the result.
    pub fn bend(&self, x: f64, y: f64) -> [f64; 2] {
        let r2 = x * x + y * y;
        match self {
            Self::BrownConrady { distortion: [k1, k2, p1, p2, k3] } => {
                let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
                [
                    x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
                    y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
                ]
            }
            Self::Fisheye { distortion: [k1, k2, k3, k4] } => {
                let r = r2.sqrt();
                if r < 1e-9 {
                    return [x, y];
                }
                let t = r.atan();
                let t2 = t * t;
                let drawn = t * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))));
                [x * drawn / r, y * drawn / r]
            }
        }
    }

    /// The inverse of [`Self::bend`]; `None` where the lens draws nothing of this half space.
    pub fn unbend(&self, x: f64, y: f64) -> Option<[f64; 2]> {
        match self {
            _ if self.is_pinhole() => Some([x, y]),
            Self::Fisheye { distortion: [k1, k2, k3, k4] } => {
                let r = x.hypot(y);
                if r < 1e-9 {
                    return Some([x, y]);
                }
                let mut t = r.min(1.5);
                for _ in 0..MAX_STEPS {
                    let t2 = t * t;
                    let value = t * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4)))) - r;
                    let slope = 1.0 + t2 * (3.0 * k1 + t2 * (5.0 * k2 + t2 * (7.0 * k3 + t2 * 9.0 * k4)));
                    if slope <= 1e-3 {
                        return None;
                    }
                    t -= value / slope;
                    if value.abs() < 1e-12 {
                        let ideal = (t.abs() < 1.55).then(|| t.tan())?;
                        return Some([x * ideal / r, y * ideal / r]);
                    }
                }
                None
            }
            Self::BrownConrady { .. } => {
                let mut p = [x, y];
                for _ in 0..MAX_STEPS {
                    let bent = self.bend(p[0], p[1]);
                    let error = [bent[0] - x, bent[1] - y];
                    if error[0].hypot(error[1]) < 1e-12 {
                        return Some(p);
                    }
                    const STEP: f64 = 1e-6;
                    let (dx, dy) = (self.bend(p[0] + STEP, p[1]), self.bend(p[0], p[1] + STEP));
                    let (a, c) = ((dx[0] - bent[0]) / STEP, (dx[1] - bent[1]) / STEP);
                    let (b, d) = ((dy[0] - bent[0]) / STEP, (dy[1] - bent[1]) / STEP);
                    let determinant = a * d - b * c;
                    if determinant <= 1e-4 {
                        return None;
                    }
                    p[0] -= (d * error[0] - b * error[1]) / determinant;
                    p[1] -= (a * error[1] - c * error[0]) / determinant;
                }
                // The numeric slope may leave a rest far below any pixel.
                let bent = self.bend(p[0], p[1]);
                ((bent[0] - x).hypot(bent[1] - y) < 1e-7).then_some(p)
            }
        }
    }
}

/// A camera: where it stands, and what its lens and chip draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraModel {
    /// Its name at the site.
    pub id: String,
    /// Place and attitude; of a camera on a vehicle relative to the vehicle (x forward, y left, z up).
    pub pose: CameraPose,
    /// Width and height, pixels.
    pub image_size_px: [u32; 2],
    /// Focal lengths along x and y, pixels.
    pub focal_length_px: [f64; 2],
    /// Principal point, pixels.
    pub principal_point_px: [f64; 2],
    /// The lens.
    #[serde(default)]
    pub lens: Lens,
}

impl CameraModel {
    /// A pinhole camera of 640×384 pixels with a horizontal field of view, degrees.
    pub fn new(id: &str, pose: CameraPose, field_of_view_deg: f64) -> Self {
        Self::with_size(id, pose, field_of_view_deg, [640, 384])
    }

    /// A pinhole camera with an image size, pixels, and a horizontal field of view, degrees.
    pub fn with_size(id: &str, pose: CameraPose, field_of_view_deg: f64, image_size_px: [u32; 2]) -> Self {
        let [width, height] = image_size_px.map(f64::from);
        let focal = width / 2.0 / (field_of_view_deg.to_radians() / 2.0).tan();
        Self {
            id: id.to_owned(),
            pose,
            image_size_px,
            focal_length_px: [focal; 2],
            principal_point_px: [width / 2.0, height / 2.0],
            lens: Lens::default(),
        }
    }

    /// Where the camera is, ENU metres.
    pub fn position(&self) -> Point3<f64> {
        Point3::from(self.pose.position_m)
    }

    /// A point of the world in camera axes, metres.
    pub fn to_camera(&self, point: Point3<f64>) -> Vector3<f64> {
        self.pose.rotation() * (point - self.position())
    }

    /// The pixel that shows a point of the world; `None` for a point behind the camera. It may lie outside the image.
    pub fn project(&self, point: Point3<f64>) -> Option<[f64; 2]> {
        self.project_camera(self.to_camera(point))
    }

    /// The pixel of a point in camera axes; `None` behind the camera.
    pub fn project_camera(&self, p: Vector3<f64>) -> Option<[f64; 2]> {
        if p.z < NEAR_M {
            return None;
        }
        let bent = self.lens.bend(p.x / p.z, p.y / p.z);
        Some(std::array::from_fn(|axis| bent[axis] * self.focal_length_px[axis] + self.principal_point_px[axis]))
    }

    /// Direction in camera axes of what a pixel shows, with z = 1; `None` where the lens draws nothing.
    pub fn ray_camera(&self, pixel: [f64; 2]) -> Option<Vector3<f64>> {
        let drawn: [f64; 2] =
            std::array::from_fn(|axis| (pixel[axis] - self.principal_point_px[axis]) / self.focal_length_px[axis]);
        self.lens.unbend(drawn[0], drawn[1]).map(|[x, y]| Vector3::new(x, y, 1.0))
    }

    /// Direction (unit, ENU) of what a pixel shows.
    pub fn ray(&self, pixel: [f64; 2]) -> Option<Vector3<f64>> {
        Some((self.pose.rotation().transpose() * self.ray_camera(pixel)?).normalize())
    }

    /// The point at height `up_m` that a pixel shows, ENU metres; `None` at and above the horizon.
    pub fn to_ground(&self, pixel: [f64; 2], up_m: f64) -> Option<Point3<f64>> {
        let ray = self.ray(pixel)?;
        let along = (up_m - self.pose.position_m[2]) / ray.z;
        (ray.z.abs() > 1e-9 && along > 0.0).then(|| self.position() + ray * along)
    }

    /// What the ground's plane at height 0 becomes in the picture: `[east, north, 1]` to homogeneous pixels. `None` for a
    /// lens that bends.
    pub fn ground_to_pixel(&self) -> Option<Matrix3<f64>> {
        let turn = self.pose.rotation();
        let shift = -(turn * self.position().coords);
        // Columns of the rotation for east and north, and what the position leaves of the third.
        let plane = Matrix3::from_columns(&[turn.column(0).into_owned(), turn.column(1).into_owned(), shift]);
        let ([fx, fy], [cx, cy]) = (self.focal_length_px, self.principal_point_px);
        self.lens.is_pinhole().then(|| Matrix3::new(fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0) * plane)
    }

    /// The `[[camera]]` table of a node's site file for this camera: reference points on the ground at height `ground_m`
    /// and the lens. `None` where a node cannot be given it: a fisheye lens, or too little ground in the picture.
    pub fn calibration_toml(&self, geo: &GeoReference, ground_m: f64) -> Option<String> {
        const COLUMNS: u32 = 5;
        const ROWS: u32 = 7;
        let Lens::BrownConrady { distortion } = self.lens else { return None };
        let frame = SiteFrame::new(geo.origin);
        let [width, height] = self.image_size_px.map(f64::from);
        let mut points = Vec::new();
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                // Denser towards the bottom, since far points weigh less than they seem to.
                let across = f64::from(column) / f64::from(COLUMNS - 1);
                let down = f64::from(row) / f64::from(ROWS - 1);
                let pixel = [1.0 + across * (width - 2.0), (1.0 + down * (height - 2.0)).floor()];
                let Some(ground) = self.to_ground(pixel, ground_m) else { continue };
                if (ground - self.position()).xy().norm() < 120.0 {
                    let at = frame.to_wgs84(Enu { e_m: ground.x, n_m: ground.y, u_m: ground.z });
                    points.push((pixel, at.lat_deg, at.lon_deg));
                }
            }
        }
        if points.len() < 2 * COLUMNS as usize {
            return None;
        }
        let mut out = String::new();
        let number = |v: f64| format!("{v:?}");
        let list = |v: &[f64]| v.iter().map(|v| number(*v)).collect::<Vec<_>>().join(", ");
        let [w, h] = self.image_size_px;
        let put = "writing to a String cannot fail";
        writeln!(out, "[[camera]]\nid = {:?}\nimage-size-px = [{w}, {h}]\n", self.id).expect(put);
        writeln!(out, "[camera.georeference]\nkind = \"reference-points\"\nsurvey-sigma-m = 0.05\npoint = [")
            .expect(put);
        for (pixel, latitude, longitude) in points {
            let place = format!("latitude-deg = {latitude:.9}, longitude-deg = {longitude:.9}");
            writeln!(out, "    {{ pixel = [{}], ground = {{ wgs84 = {{ {place} }} }} }},", list(&pixel)).expect(put);
        }
        writeln!(out, "]").expect(put);
        if !self.lens.is_pinhole() {
            writeln!(out, "\n[camera.georeference.intrinsics]\nimage-size-px = [{w}, {h}]").expect(put);
            writeln!(out, "focal-length-px = [{}]", list(&self.focal_length_px)).expect(put);
            writeln!(out, "principal-point-px = [{}]", list(&self.principal_point_px)).expect(put);
            writeln!(out, "distortion = [{}]", list(&distortion)).expect(put);
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::geo::Wgs84;
    use proptest::prelude::*;

    fn camera(lens: Lens) -> CameraModel {
        let pose = CameraPose { position_m: [10.0, -4.0, 6.5], yaw_deg: 130.0, pitch_deg: -18.0, roll_deg: 2.0 };
        CameraModel { lens, ..CameraModel::new("north", pose, 75.0) }
    }

    const BROWN: Lens = Lens::BrownConrady { distortion: [-0.28, 0.09, 0.001, -0.002, -0.01] };
    const FISHEYE: Lens = Lens::Fisheye { distortion: [0.02, -0.004, 0.001, 0.0] };

    #[test]
    fn the_ground_becomes_pixels_by_one_matrix() {
        let model = camera(Lens::default());
        let matrix = model.ground_to_pixel().unwrap();
        for (e, n) in [(-8.0, 12.0), (0.0, 30.0), (-20.0, 8.0)] {
            let drawn = matrix * Vector3::new(e, n, 1.0);
            let pixel = model.project(Point3::new(e, n, 0.0)).unwrap();
            assert!((drawn.x / drawn.z - pixel[0]).abs() < 1e-9 && (drawn.y / drawn.z - pixel[1]).abs() < 1e-9);
        }
        assert_eq!(camera(BROWN).ground_to_pixel(), None);
    }

    #[test]
    fn axes_point_where_they_should() {
        let pose = CameraPose { position_m: [0.0; 3], yaw_deg: 90.0, pitch_deg: 0.0, roll_deg: 0.0 };
        let model = CameraModel::new("a", pose, 90.0);
        // Looking north with a focal length of half the width: east is right, up is up.
        assert_eq!(model.project(Point3::new(5.0, 10.0, 2.0)).unwrap().map(f64::round), [480.0, 128.0]);
        assert_eq!(model.project(Point3::new(0.0, -1.0, 0.0)), None);
        let nose_up = CameraModel { pose: pose.turned(0.0, 10.0, 0.0), ..model.clone() };
        assert!(nose_up.project(Point3::new(0.0, 10.0, 0.0)).unwrap()[1] > 240.0);
        let turned_left = CameraModel { pose: pose.turned(10.0, 0.0, 0.0), ..model.clone() };
        assert!(turned_left.project(Point3::new(0.0, 10.0, 0.0)).unwrap()[0] > 370.0);
        // Right side down: what is to the right of the middle moves up.
        let rolled = CameraModel { pose: pose.turned(0.0, 0.0, 10.0), ..model };
        assert!(rolled.project(Point3::new(5.0, 10.0, 0.0)).unwrap()[1] < 170.0);
    }

    proptest! {
        // 1e-4 px: the inversion stops at 1e-7 of a focal length of 417 px.
        #[test]
        fn pixels_go_to_the_ground_and_back(x in 0.0..640.0f64, y in 150.0..384.0f64, kind in 0usize..3) {
            let model = camera([Lens::default(), BROWN, FISHEYE][kind]);
            let ground = model.to_ground([x, y], 0.2).unwrap();
            prop_assert!((ground.z - 0.2).abs() < 1e-9);
            let back = model.project(ground).unwrap();
            prop_assert!((back[0] - x).hypot(back[1] - y) < 1e-4, "{back:?}");
        }
    }

    /// Homography from undistorted normalised pixels to metres by the points alone: what a node makes of the file.
    fn fit(points: &[([f64; 2], [f64; 2])]) -> Matrix3<f64> {
        let mut normal = nalgebra::SMatrix::<f64, 8, 8>::zeros();
        let mut right = nalgebra::SVector::<f64, 8>::zeros();
        for ([x, y], [e, n]) in points {
            for (row, value) in
                [([*x, *y, 1.0, 0.0, 0.0, 0.0, -x * e, -y * e], *e), ([0.0, 0.0, 0.0, *x, *y, 1.0, -x * n, -y * n], *n)]
            {
                let row = nalgebra::SVector::<f64, 8>::from(row);
                normal += row * row.transpose();
                right += row * value;
            }
        }
        let h = normal.lu().solve(&right).unwrap();
        Matrix3::new(h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1.0)
    }

    #[test]
    fn a_node_that_reads_the_calibration_sees_the_same_ground() {
        let geo = GeoReference { origin: Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 0.0 } };
        for lens in [Lens::default(), BROWN] {
            let model = camera(lens);
            let text = model.calibration_toml(&geo, 0.0).unwrap();
            let file: toml::Value = toml::from_str(&text).unwrap();
            let table = &file["camera"][0]["georeference"];
            assert_eq!(table.get("intrinsics").is_some(), !lens.is_pinhole());
            let frame = SiteFrame::new(geo.origin);
            let numbers =
                |v: &toml::Value| v.as_array().unwrap().iter().map(|v| v.as_float().unwrap()).collect::<Vec<_>>();
            let undistorted = |pixel: [f64; 2]| {
                let ray = model.ray_camera(pixel).unwrap();
                [ray.x, ray.y]
            };
            let points: Vec<_> = table["point"]
                .as_array()
                .unwrap()
                .iter()
                .map(|point| {
                    let pixel = numbers(&point["pixel"]);
                    let ground = &point["ground"]["wgs84"];
                    let at = Wgs84 {
                        lat_deg: ground["latitude-deg"].as_float().unwrap(),
                        lon_deg: ground["longitude-deg"].as_float().unwrap(),
                        alt_m: 0.0,
                    };
                    let enu = frame.to_enu(at);
                    (undistorted([pixel[0], pixel[1]]), [enu.e_m, enu.n_m])
                })
                .collect();
            let back = fit(&points).try_inverse().unwrap();
            for (e, n) in [(-5.0, 4.0), (-20.0, 20.0), (0.0, 12.0), (-25.0, 45.0)] {
                let seen = model.project(Point3::new(e, n, 0.0)).unwrap();
                let p = back * Vector3::new(e, n, 1.0);
                let bent = lens.bend(p.x / p.z, p.y / p.z);
                let node: [f64; 2] =
                    std::array::from_fn(|a| bent[a] * model.focal_length_px[a] + model.principal_point_px[a]);
                assert!((node[0] - seen[0]).hypot(node[1] - seen[1]) < 0.5, "{node:?} {seen:?}");
            }
        }
        assert_eq!(camera(FISHEYE).calibration_toml(&geo, 0.0), None);
    }
}
