//! Where a vehicle stands of which the middle of the box's lower edge is seen.
//!
//! In: a camera, that pixel, the vehicle's size and where it drives to in the picture. Out: the middle of its footprint, its
//! direction, and how far the ground under the pixel lies from that middle. The direction is kept in the picture, so that
//! another belief in where the camera looks turns it, too: by 2° it is off by as much, and the near corner by a decimetre.

use super::super::camera_model::CameraModel;
use crate::perception::ground::Extent;
use masa_v2x_proto::geo::Enu;
use nalgebra::Vector2;

/// A vehicle as a pixel shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Footing {
    /// Middle of the lower edge of its box.
    pub(super) pixel: Vector2<f64>,
    /// Direction in the picture in which it drives.
    pub(super) heading_px: Vector2<f64>,
    /// How large it is.
    pub(super) extent: Extent,
}

/// Where it stands, by a camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Middle of its footprint, metres.
    pub(super) middle: Vector2<f64>,
    /// From there to the ground under the pixel, metres.
    pub(super) offset: Vector2<f64>,
    /// Where it drives to, radians counter-clockwise from east.
    pub(super) yaw_rad: f64,
}

impl Footing {
    /// A vehicle that drives to `yaw_rad` by a camera.
    pub(super) fn new(
        camera: &CameraModel,
        ground_m: f64,
        pixel: Vector2<f64>,
        yaw_rad: f64,
        extent: Extent,
    ) -> Option<Self> {
        let by_ground = camera.to_ground(pixel, ground_m)?.by_pixel.try_inverse()?;
        let heading_px = (by_ground * Vector2::new(yaw_rad.cos(), yaw_rad.sin())).try_normalize(0.0)?;
        Some(Self { pixel, heading_px, extent })
    }

    /// Where it stands by a camera; `None` where that shows no ground, or the pixel is none of the vehicle's.
    pub(super) fn place(&self, camera: &CameraModel, ground_m: f64) -> Option<Place> {
        let heading = camera.to_ground(self.pixel, ground_m)?.by_pixel * self.heading_px;
        self.place_along(camera, ground_m, heading.y.atan2(heading.x))
    }

    /// The same of a vehicle of which the direction is known better.
    pub(super) fn place_along(&self, camera: &CameraModel, ground_m: f64, yaw_rad: f64) -> Option<Place> {
        let under = camera.to_ground(self.pixel, ground_m)?.point;
        let under = Vector2::new(under.e_m, under.n_m);
        let mut offset = Vector2::zeros();
        // The offset changes little over its own length, so twice is enough.
        for _ in 0..2 {
            let middle = under - offset;
            let drawn =
                camera.to_ground(lower_middle(camera, middle, ground_m, yaw_rad, &self.extent)?, ground_m)?.point;
            offset = Vector2::new(drawn.e_m, drawn.n_m) - middle;
        }
        (offset.norm() < self.extent.length_m).then_some(Place { middle: under - offset, offset, yaw_rad })
    }
}

/// The middle of the lower edge of the box around a vehicle that stands with its middle on `middle`.
pub(super) fn lower_middle(
    camera: &CameraModel,
    middle: Vector2<f64>,
    ground_m: f64,
    yaw_rad: f64,
    extent: &Extent,
) -> Option<Vector2<f64>> {
    let (sin, cos) = yaw_rad.sin_cos();
    let Extent { length_m, width_m, height_m } = *extent;
    let (mut left, mut right, mut bottom) = (f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
    for corner in 0..8 {
        let side = |bit: u32| if corner >> bit & 1 == 0 { -0.5 } else { 0.5 };
        let (x, y) = (side(0) * length_m, side(1) * width_m);
        let point = Enu {
            e_m: middle.x + x * cos - y * sin,
            n_m: middle.y + x * sin + y * cos,
            u_m: ground_m + (side(2) + 0.5) * height_m,
        };
        let pixel = camera.project(point)?.pixel;
        left = left.min(pixel.x);
        right = right.max(pixel.x);
        bottom = bottom.max(pixel.y);
    }
    Some(Vector2::new(0.5 * (left + right), bottom))
}
