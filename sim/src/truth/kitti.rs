//! KITTI labels: `label_02` of tracking (a file a sequence) and `label_2` of detection (a file a picture).
//!
//! Fields: type, truncation, occlusion (0 visible, 1 partly, 2 largely hidden), observation angle, 2D box, height, width,
//! length, place of the box's lower middle in camera axes (right, down, forward), rotation about the camera's down axis.
//! KITTI takes its camera as level; for one that looks down the angles are those of the projections onto its plane.

use super::{ActorTruth, FrameTruth};
use crate::actor::ActorKind;
use crate::sensors::camera::CameraPose;
use nalgebra::Vector3;
use std::fmt::Write;

/// Name of a kind in KITTI.
pub const fn class(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Car => "Car",
        ActorKind::Van => "Van",
        ActorKind::Truck | ActorKind::Bus => "Truck",
        ActorKind::Tram => "Tram",
        ActorKind::Adult | ActorKind::Child => "Pedestrian",
        ActorKind::Wheelchair => "Person_sitting",
        ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter | ActorKind::Motorcycle => "Cyclist",
        ActorKind::Dog | ActorKind::Deer | ActorKind::LostCargo | ActorKind::Cone | ActorKind::Barrier => "Misc",
    }
}

fn fields(actor: &ActorTruth, pose: &CameraPose) -> Option<String> {
    let [left, top, right, bottom] = actor.visible_px?;
    let rotation = pose.rotation();
    let ahead = rotation * Vector3::new(actor.yaw_rad.cos(), actor.yaw_rad.sin(), 0.0);
    // About the down axis from the right axis: 0 looks right, −π/2 away from the camera.
    let yaw = -ahead.z.atan2(ahead.x);
    let down = rotation * Vector3::new(0.0, 0.0, -1.0);
    let foot = actor.in_camera_m + down * (actor.size.height_m / 2.0);
    let angle = crate::geometry::angle_between(yaw, foot.x.atan2(foot.z));
    let occluded = match actor.visible {
        v if v > 0.85 => 0,
        v if v > 0.4 => 1,
        _ => 2,
    };
    let size = actor.size;
    Some(format!(
        "{} {:.2} {occluded} {angle:.4} {left:.2} {top:.2} {right:.2} {bottom:.2} {:.3} {:.3} {:.3} {:.3} {:.3} {:.3} {yaw:.4}",
        class(actor.kind),
        actor.truncated,
        size.height_m,
        size.width_m,
        size.length_m,
        foot.x,
        foot.y,
        foot.z,
    ))
}

/// The text of a file of `label_2`: one picture.
pub fn detection(frame: &FrameTruth, pose: &CameraPose) -> String {
    frame.actors.iter().filter_map(|actor| fields(actor, pose)).map(|line| line + "\n").collect()
}

/// The text of a file of `label_02`: a sequence of one camera, frames from 0.
pub fn tracking(frames: &[(FrameTruth, CameraPose)]) -> String {
    let mut out = String::new();
    for (number, (frame, pose)) in frames.iter().enumerate() {
        for actor in &frame.actors {
            if let Some(fields) = fields(actor, pose) {
                let _ = writeln!(out, "{number} {} {fields}", actor.id.0);
            }
        }
    }
    out
}
