//! Detections to tracks in the image of one camera.
//!
//! In: the detections of successive frames with their capture times. Out: [`ImageTrack`]s. In each frame strong detections
//! are associated with the predicted boxes of confirmed tracks, grown (C-BIoU) and weighed by the direction of motion
//! (OC-SORT); weak ones then only prolong tracks, so that a detector's doubt does not end an identity (ByteTrack); what is
//! left of the strong ones is compared with where lost tracks were last observed (OC-SORT), then with tentative tracks.
//!
//! Invariants: deterministic; time steps come from capture times; tracks keep the order of their identities; capacities are
//! fixed and taken at once, so that a frame allocates nothing. Looks are read from no pixel here: a detection brings its
//! appearance, if [`Appearance`] asks for it. Deliberately absent: camera motion, and filling of gaps, for which what came later
//! must be known.

mod assignment;
mod box_filter;
mod candidate;
mod likeness;
mod look;
mod settings;
mod size_guard;
mod track;
mod tracker;

pub(crate) use assignment::Assignment;
pub use box_filter::BoxNoise;
pub use settings::{
    Appearance, Birth, ClassGate, Likeness, Momentum, Occlusion, Recovery, RiderPolicy, TrackerSettings,
};
pub use track::{FrameId, ImageTrack};
pub use tracker::{Tracker, TrackerCounters};
