//! Ground truth: where everything is in a frame, and the files that others read it from.
//!
//! In: a [`Frame`], its [`Snapshot`], the camera's model. Out: [`FrameTruth`], written as COCO ([`coco`]), MOTChallenge
//! ([`mot`]) or KITTI ([`kitti`]). Boxes come from the instance buffer, so that nothing has a box through a wall.

pub mod coco;
pub mod dataset;
pub mod kitti;
pub mod mot;
pub mod parking;
pub mod place;
pub mod rules;
#[cfg(test)]
mod tests;

use crate::actor::{Actor, ActorId, ActorKind, Size};
use crate::sensors::camera::{CameraModel, Frame, NEAR_M};
use crate::snapshot::Snapshot;
use nalgebra::{Point3, Vector3};

/// A box in the picture: left, top, right, bottom; pixels.
pub type BoxPx = [f64; 4];

/// Width times height of a box, pixels.
pub fn area(b: BoxPx) -> f64 {
    (b[2] - b[0]).max(0.0) * (b[3] - b[1]).max(0.0)
}

/// What an object is called in data sets, in the order of their numbers (1 onward).
pub const CATEGORIES: [&str; 10] =
    ["person", "bicycle", "motorcycle", "e-scooter", "car", "van", "truck", "bus", "animal", "object"];

/// Place of a kind in [`CATEGORIES`]. Wheelchairs are persons, cargo bikes bicycles, trams buses.
pub const fn category(kind: ActorKind) -> usize {
    match kind {
        ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair => 0,
        ActorKind::Bicycle | ActorKind::CargoBike => 1,
        ActorKind::Motorcycle => 2,
        ActorKind::EScooter => 3,
        ActorKind::Car => 4,
        ActorKind::Van => 5,
        ActorKind::Truck => 6,
        ActorKind::Bus | ActorKind::Tram => 7,
        ActorKind::Dog | ActorKind::Deer => 8,
        ActorKind::LostCargo | ActorKind::Cone | ActorKind::Barrier => 9,
    }
}

/// An actor in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorTruth {
    /// The actor.
    pub id: ActorId,
    /// What it is.
    pub kind: ActorKind,
    /// Extent of what is visible, pixels; `None` where nothing is.
    pub visible_px: Option<BoxPx>,
    /// Extent of its 3D box as the lens draws it, beyond the picture as well, pixels; `None` where part of it is behind
    /// the camera.
    pub full_px: Option<BoxPx>,
    /// Share of its part within the picture that nothing hides, 0 to 1.
    pub visible: f64,
    /// Share of the full box that lies outside the picture, 0 to 1.
    pub truncated: f64,
    /// Visible area, pixels.
    pub area_px: f64,
    /// From the camera to the middle of its 3D box, metres.
    pub distance_m: f64,
    /// Middle of its 3D box in camera axes (right, down, forward), metres.
    pub in_camera_m: Vector3<f64>,
    /// Middle of its 3D box in ENU metres.
    pub in_world_m: Point3<f64>,
    /// Its direction, radians counter-clockwise from east.
    pub yaw_rad: f64,
    /// Its extent.
    pub size: Size,
    /// Along its axis, metres a second.
    pub speed_mps: f64,
}

/// Everything in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameTruth {
    /// Name of the camera.
    pub camera: String,
    /// The snapshot's step.
    pub step: u64,
    /// The snapshot's time, seconds.
    pub captured_at_s: f64,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
    /// Actors with at least one sample in the picture, hidden or not; by number.
    pub actors: Vec<ActorTruth>,
}

impl FrameTruth {
    /// The truth of a frame. `model` is the camera's (its pose is taken from the frame), `snapshot` the frame's.
    pub fn new(frame: &Frame, model: &CameraModel, snapshot: &Snapshot) -> Self {
        let model = CameraModel { pose: frame.pose, ..model.clone() };
        let actors = frame.actors.iter().filter_map(|view| {
            let actor = snapshot.actor(view.id)?;
            let middle = actor.pose.position + Vector3::new(0.0, 0.0, actor.size.height_m / 2.0);
            let in_camera_m = model.to_camera(middle);
            let full_px = project_box(&model, actor);
            let truncated = match full_px {
                Some(full) if area(full) > 0.0 => (1.0 - area(clip(full, frame.size_px)) / area(full)).clamp(0.0, 1.0),
                _ => 1.0,
            };
            Some(ActorTruth {
                id: view.id,
                kind: actor.kind,
                visible_px: view.visible_px,
                full_px,
                visible: view.visible,
                truncated,
                area_px: view.area_px,
                distance_m: in_camera_m.norm(),
                in_camera_m,
                in_world_m: middle,
                yaw_rad: actor.pose.yaw_rad,
                size: actor.size,
                speed_mps: actor.speed_mps,
            })
        });
        Self {
            camera: frame.camera.clone(),
            step: frame.step,
            captured_at_s: frame.captured_at_s,
            size_px: frame.size_px,
            actors: actors.collect(),
        }
    }
}

/// A box cut at the picture's borders.
pub(crate) fn clip(b: BoxPx, size_px: [u32; 2]) -> BoxPx {
    let [w, h] = size_px.map(f64::from);
    [b[0].clamp(0.0, w), b[1].clamp(0.0, h), b[2].clamp(0.0, w), b[3].clamp(0.0, h)]
}

/// Corners of an actor's 3D box, ENU metres: the lower four, then the upper four.
pub fn corners(actor: &Actor) -> [Point3<f64>; 8] {
    let footprint = actor.footprint();
    let z = actor.pose.position.z;
    std::array::from_fn(|k| {
        let p = footprint[k % 4];
        Point3::new(p.x, p.y, if k < 4 { z } else { z + actor.size.height_m })
    })
}

/// Extent of an actor's 3D box as the lens draws it, beyond the picture as well; `None` where part of it is behind the camera.
pub(crate) fn project_box(model: &CameraModel, actor: &Actor) -> Option<BoxPx> {
    let mut b = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    for corner in corners(actor) {
        let c = model.to_camera(corner);
        if c.z < NEAR_M {
            return None;
        }
        let p = model.project_camera(c)?;
        b = [b[0].min(p[0]), b[1].min(p[1]), b[2].max(p[0]), b[3].max(p[1])];
    }
    Some(b)
}
