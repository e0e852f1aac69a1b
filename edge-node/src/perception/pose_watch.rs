//! One camera's watch over its own pose: from its tracks to the corrected mapping.
//!
//! In: a frame with its tracks, what connected vehicles say, how far the pictures have shifted. Out: by the policy, the
//! mapping to use from now on. Which tracks say something is decided here: cars and vans that drive, whole in the picture
//! and not behind anything.

use super::georeference::Georeference;
use super::georeference::online::{DriftPolicy, LaneLine, OnlinePose, PoseDrift, SeenVehicle, StatedVehicle};
use super::ground::extent_of;
use super::{CameraSettings, Error, GroundTrack};
use crate::event::{DetectionFrame, MAX_PATCHES, PatchShift, PatchShifts};
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::time::Timestamp;
use nalgebra::Vector3;

/// A track says something from so many detections on.
const MIN_HITS: u32 = 5;
/// Slower than this it may be parked anywhere, m/s.
const MIN_SPEED_MPS: f64 = 2.5;
/// Lower than this its edges say little, pixels of the frame.
const MIN_HEIGHT_PX: f32 = 12.0;
/// A box nearer to the image's edge than this is cut off by it, pixels of the frame.
const EDGE_PX: f32 = 3.0;
/// A box of which a nearer one covers more than this share may be hidden in part.
const COVERED: f32 = 0.1;

/// A correction by more than this moves everything so far that motions begin anew, radians.
const JUMP_RAD: f64 = 0.005;

/// The mapping to use from now on.
#[derive(Clone, Debug)]
pub(super) struct Correction {
    pub(super) georeference: Georeference,
    /// What was known of motion does not hold for it.
    pub(super) is_jump: bool,
}

/// The watch of one camera.
#[derive(Clone, Debug)]
pub(super) struct PoseWatch {
    online: OnlinePose,
    surveyed: Georeference,
    pixel_noise_px: f64,
    relative_noise: f64,
    image_size_px: [u32; 2],
    /// Pixels of the georeference's image to one of the newest frame, along each axis.
    scale: [f64; 2],
    seen: Vec<SeenVehicle>,
    /// What the mapping in use is corrected by, radians.
    applied_rad: Vector3<f64>,
}

impl PoseWatch {
    /// The watch that the settings ask for; `None` where they do not.
    ///
    /// # Errors
    /// The camera's mapping is none that a camera makes.
    pub(super) fn new(settings: &CameraSettings, surveyed: &Georeference) -> Result<Option<Self>, Error> {
        if settings.online_pose.policy == DriftPolicy::Off {
            return Ok(None);
        }
        let wrong = |problem| Error::Calibration { camera: settings.id.clone(), problem };
        let model = surveyed.camera_model().map_err(wrong)?;
        Ok(Some(Self {
            online: OnlinePose::new(settings.online_pose.clone(), model, surveyed.ground_m()),
            surveyed: surveyed.clone(),
            pixel_noise_px: settings.pixel_noise_px,
            relative_noise: settings.motion.relative_noise,
            image_size_px: settings.image_size_px,
            scale: [1.0; 2],
            seen: Vec::new(),
            applied_rad: Vector3::zeros(),
        }))
    }

    pub(super) fn set_lanes(&mut self, lanes: Vec<LaneLine>) {
        self.online.set_lanes(lanes);
    }

    pub(super) fn drift(&self) -> Option<&PoseDrift> {
        self.online.drift()
    }

    /// How far the pictures lie from where they did, pixels of the frame; see [`OnlinePose::picture_moved`].
    pub(super) fn picture_moved(&mut self, moved: Option<(Timestamp, [f32; 2])>, patches: &[PatchShift]) {
        let [sx, sy] = self.scale.map(|scale| scale as f32);
        let scaled = |[x, y]: [f32; 2]| [x * sx, y * sy];
        let patch = |p: &PatchShift| PatchShift { at_px: scaled(p.at_px), shift_px: scaled(p.shift_px) };
        let patches: PatchShifts = patches.iter().take(MAX_PATCHES).map(patch).collect();
        self.online.picture_moved(moved.map(|(since, shift_px)| (since, scaled(shift_px))), &patches);
    }

    /// Takes a frame with its tracks. The mapping to use from now on, where it is another than before.
    pub(super) fn see(
        &mut self,
        frame: &DetectionFrame,
        tracks: &[GroundTrack],
        stated: &[StatedVehicle],
    ) -> Option<Correction> {
        let size = [frame.width_px, frame.height_px];
        self.scale = std::array::from_fn(|axis| f64::from(self.image_size_px[axis]) / f64::from(size[axis].max(1)));
        self.seen.clear();
        for track in tracks {
            self.seen.extend(self.seen_vehicle(frame, track));
        }
        if !self.online.see(frame.captured_at, &self.seen, stated) {
            return None;
        }
        let turn_rad = self.online.drift().and_then(|drift| drift.corrected_rad).unwrap_or_default();
        let georeference = self.surveyed.turned(self.online.surveyed().lens(), turn_rad)?;
        let is_jump = (turn_rad - self.applied_rad).norm() > JUMP_RAD;
        self.applied_rad = turn_rad;
        Some(Correction { georeference, is_jump })
    }

    fn seen_vehicle(&self, frame: &DetectionFrame, track: &GroundTrack) -> Option<SeenVehicle> {
        let says_something = matches!(track.class, ObjectClass::Car | ObjectClass::Van)
            && track.hits >= MIN_HITS
            && track.speed_mps() >= MIN_SPEED_MPS;
        let index = usize::from(track.detection.filter(|_| says_something)?);
        let seen = frame.detections.get(index)?.bounding_box;
        let others = frame.detections.iter().enumerate().filter(|(other, _)| *other != index);
        // What meets the ground further down in the picture is nearer; what is behind hides nothing.
        let mut nearer = others.map(|(_, other)| other.bounding_box).filter(|other| other.y2_px > seen.y2_px);
        let is_hidden = nearer.any(|other| overlap_px2(&seen, &other) > COVERED * seen.area_px2());
        let [width, height] = [frame.width_px as f32, frame.height_px as f32];
        let is_whole = seen.x1_px > EDGE_PX
            && seen.y1_px > EDGE_PX
            && seen.x2_px < width - EDGE_PX
            && seen.y2_px < height - EDGE_PX;
        if is_hidden || !is_whole || seen.height_px() < MIN_HEIGHT_PX {
            return None;
        }
        let [sx, sy] = self.scale;
        let own = self.relative_noise * f64::from(seen.height_px()) * sy;
        Some(SeenVehicle {
            track_id: track.track_id,
            pixel: [0.5 * f64::from(seen.x1_px + seen.x2_px) * sx, f64::from(seen.y2_px) * sy],
            sigma_px: self.pixel_noise_px.hypot(own),
            extent: extent_of(track.class),
            speed_mps: track.speed_mps(),
            yaw_rad: track.velocity_n_mps.atan2(track.velocity_e_mps),
        })
    }
}

fn overlap_px2(a: &BoundingBox, b: &BoundingBox) -> f32 {
    let width = a.x2_px.min(b.x2_px) - a.x1_px.max(b.x1_px);
    let height = a.y2_px.min(b.y2_px) - a.y1_px.max(b.y1_px);
    width.max(0.0) * height.max(0.0)
}
