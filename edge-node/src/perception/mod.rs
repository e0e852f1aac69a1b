//! Detections of one camera in, road users on the ground out.
//!
//! In: [`DetectionFrame`]s of one camera, in the order of their `captured_at`. Out: [`GroundTrack`]s: one identity per
//! road user, with its voted class and its position, velocity and covariance in the site's ENU frame.
//!
//! Invariants: pure (no clock, no I/O, no randomness), so the same frames give the same tracks bit for bit; every time
//! step is the difference of capture times, never a declared frame rate; capacities are fixed and what exceeds them is
//! counted; once warm, a frame allocates nothing.
//!
//! Deliberately absent: fusion between cameras, prediction, re-identification by appearance.

mod camera;
mod error;
pub mod georeference;
pub mod ground;
pub mod lidar;
mod pose_watch;
pub mod privacy;
pub mod radar;
pub mod ranging;
pub mod tracking;

pub use camera::{CameraPerception, CameraSettings, PerceptionCounters};
pub use error::Error;

use crate::event::EventId;
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;

/// One road user as one camera sees it, on the ground.
///
/// Position, velocity and covariances are at [`Self::state_at`]; where the track was not seen in the newest frame they are
/// predicted to it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundTrack {
    /// Identity within the camera, from 1, never used twice.
    pub track_id: u32,
    /// Class voted over the life of the track, each vote weighted by its score.
    pub class: ObjectClass,
    /// Share of the votes for [`Self::class`], 0 to 1; 0 where nothing tells the class.
    pub class_confidence: f32,
    /// Share of the votes for each class, in the order of [`ObjectClass::ALL`]; together 1, or all 0 where nothing tells it.
    pub class_shares: [f32; ObjectClass::ALL.len()],
    /// Score of the newest detection, 0 to 1.
    pub score: f32,
    /// The tracker's estimate of the box in the newest frame, source-image pixels; `None` of a radar or lidar.
    pub bounding_box: Option<BoundingBox>,
    /// Index in the newest frame's detections, or scan's targets or objects; `None` when coasting.
    pub detection: Option<u16>,
    /// Event in which the track began.
    pub first_event: EventId,
    /// Event of the newest frame in which it was detected.
    pub last_event: EventId,
    /// Running number of the frame of [`Self::last_event`].
    pub frame: u64,
    /// Capture time of the frame of [`Self::last_event`].
    pub captured_at: Timestamp,
    /// Capture time of the newest frame: the instant that position and velocity are given for.
    pub state_at: Timestamp,
    /// Capture time of the newest frame that says where it is: the picture's border may leave too little of it.
    pub measured_at: Timestamp,
    /// What that frame says of the place, before any filter.
    pub measured: ground::GroundMeasurement,
    /// Middle of the footprint on the ground, site ENU.
    pub position: Enu,
    /// Covariance of the position.
    pub covariance: Covariance2,
    /// Velocity towards east, metres per second.
    pub velocity_e_mps: f64,
    /// Velocity towards north, metres per second.
    pub velocity_n_mps: f64,
    /// Covariance of the velocity, in (m/s)².
    pub velocity_covariance: Covariance2,
    /// Direction of motion, radians counter-clockwise from east; `None` until it has moved enough, then held at stops.
    pub yaw_rad: Option<f64>,
    /// Length, metres: of the class, and of what boxes have shown.
    pub length_m: f64,
    /// Width, metres: typical of the class.
    pub width_m: f64,
    /// Height, metres: of the class, and of what boxes have shown.
    pub height_m: f64,
    /// Capture time of the frame in which the track began.
    pub first_seen: Timestamp,
    /// Number of frames in which it was detected.
    pub hits: u32,
    /// Whether the newest frame shows it.
    pub state: TrackState,
    /// Whether the newest contact point lies where the camera is calibrated.
    pub area: CalibratedArea,
}

impl GroundTrack {
    /// Whether its sensor tells the class at all.
    pub fn tells_class(&self) -> bool {
        self.class_confidence > 0.0
    }

    /// Speed over ground, metres per second.
    pub fn speed_mps(&self) -> f64 {
        self.velocity_e_mps.hypot(self.velocity_n_mps)
    }
}

/// Whether the newest frame shows a track. Tentative tracks are not exposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackState {
    /// Detected in the newest frame.
    Confirmed,
    /// Carried by prediction.
    Coasting,
}

/// A confirmed track that ended with the newest frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedTrack {
    /// Its identity.
    pub track_id: u32,
    /// Event of the last frame in which it was detected.
    pub last_event: EventId,
    /// Capture time of that frame.
    pub last_seen: Timestamp,
    /// Number of frames in which it was detected.
    pub hits: u32,
}

/// Where a ground position lies with respect to what the camera's calibration was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalibratedArea {
    /// Among the reference points, or inside the image where the calibration is not made from points.
    Inside,
    /// Extrapolated: the position is defined, but nothing vouches for its error.
    Outside,
}
