//! Detections to tracks in the image of one camera.
//!
//! In: the detections of successive frames with their capture times. Out: [`ImageTrack`]s. The method is ByteTrack's
//! (Zhang et al., ECCV 2022): strong detections are associated first, weak ones only prolong tracks, so that a detector's
//! doubt does not end an identity; with C-BIoU's grown boxes against sudden motion.
//!
//! Invariants: deterministic; time steps come from capture times; tracks keep the order of their identities; capacities are
//! fixed. Deliberately absent: appearance, camera motion, geometry of the scene.

mod assignment;
mod box_filter;
mod candidate;
mod settings;
mod size_guard;
mod track;
mod tracker;

pub use box_filter::BoxNoise;
pub use settings::{ClassGate, Likeness, RiderPolicy, TrackerSettings};
pub use track::{FrameId, ImageTrack};
pub use tracker::{Tracker, TrackerCounters};
